//! `fim completions SHELL` and `fim man [COMMAND]`: what packages install, from the same definitions that
//! `--help` is made of. Not in `--help`: they are for whoever builds the package.

use super::{Early, Fim, manual};
use argh::{ArgsInfo, CommandInfoWithArgs};
use argh_complete::Generator;
use argh_complete::{bash::Bash, fish::Fish, zsh::Zsh};

/// The text asked for, if one was.
pub fn asked(args: &[String]) -> Option<Early> {
    let mut args = args.iter().map(String::as_str);
    let (what, of) = (args.next()?, args.next());
    let info = Fim::get_args_info();
    let text = match what {
        "completions" | "man" if matches!(of, Some("--help" | "-h" | "help")) => Ok(usage(what)),
        "completions" => completions(of.unwrap_or_default(), &info)
            .ok_or_else(|| "name the shell: fim completions bash, zsh or fish".to_owned()),
        "man" => {
            manual::page(of, &info).ok_or_else(|| format!("no such command: {}", of.unwrap_or_default()))
        }
        _ => return None,
    };
    Some(match (text, args.next()) {
        (Ok(text), None) => Early::Asked(text),
        (Ok(_), Some(more)) => Early::Wrong(format!("not expected: {more}")),
        (Err(fault), _) => Early::Wrong(fault),
    })
}

fn usage(what: &str) -> String {
    let (of, does) = match what {
        "man" => ("[COMMAND]", "Prints the manual page of fim, or of a command, for packages to install."),
        _ => ("bash|zsh|fish", "Prints what a shell needs to complete fim's arguments."),
    };
    format!("Usage: fim {what} {of}\n\n{does}\n")
}

fn completions(shell: &str, info: &CommandInfoWithArgs) -> Option<String> {
    match shell {
        "bash" => Some(Bash::generate("fim", info)),
        "fish" => Some(Fish::generate("fim", info)),
        // The generator offers no files: here every value and every other argument is best taken for one.
        "zsh" => Some(
            Zsh::generate("fim", info)
                .replace("': :'", "': :_files'")
                .replace("        && return 0", "        '*: :_files' && return 0"),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use std::collections::BTreeSet;
    use std::ffi::OsString;
    use std::io::Write;
    use std::process::{Command, Stdio};

    fn told(line: &str) -> String {
        match parse(line.split_whitespace().map(OsString::from)) {
            Err(Early::Asked(text)) => text,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn commands() -> Vec<String> {
        Fim::get_args_info().commands.iter().map(|command| command.name.to_owned()).collect()
    }

    /// Options in a text, by their long names.
    fn options(text: &str) -> BTreeSet<String> {
        let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
        let text = text.replace("\\-", "-");
        let starts = text.match_indices("--").map(|(at, _)| at);
        let names = starts.map(|at| text[at..].split(|c| !is_name(c)).next().unwrap().to_owned());
        names.filter(|name| name.len() > 2).collect()
    }

    #[test]
    fn the_manual_agrees_with_the_help() {
        assert!(commands().len() >= 8);
        let whole = told("man");
        for command in commands() {
            let help = told(&format!("{command} --help"));
            let page = told(&format!("man {command}"));
            let stated = options(&page);
            for option in options(&help) {
                assert!(stated.contains(&option), "{command} {option}\n{page}");
            }
            assert!(stated.is_subset(&options(&help)), "{command}: {stated:?}");
            assert!(whole.contains(&format!("fim {command}")), "{command}\n{whole}");
        }
    }

    #[test]
    fn the_documentation_knows_every_command_and_option_and_no_others() {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let docs = std::fs::read_dir(top.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let pages = docs.filter(|file| file.extension().is_some_and(|it| it == "md"));
        let pages = pages.chain([top.join("README.md")]).map(|file| std::fs::read_to_string(file).unwrap());
        let text: String = pages.collect();
        let known = options(&text);
        for command in commands() {
            assert!(text.contains(&format!("fim {command}")), "fim {command}");
            for option in options(&told(&format!("{command} --help"))) {
                // Of those that every program has, nobody needs to be told.
                let is_plain = ["--help", "--verbose", "--quiet"].contains(&option.as_str());
                assert!(is_plain || known.contains(&option), "fim {command} {option}");
            }
        }
        let is_letter = |c: char| c.is_ascii_lowercase();
        for (at, start) in text.match_indices("`fim ") {
            let rest = &text[at + start.len()..];
            let word: String = rest.chars().take_while(|c| is_letter(*c)).collect();
            let is_known = commands().contains(&word) || ["completions", "man", ""].contains(&word.as_str());
            assert!(is_known, "the documentation speaks of `fim {word}`");
        }
    }

    #[test]
    fn completions_know_every_command_and_option() {
        for shell in ["bash", "zsh", "fish"] {
            let script = told(&format!("completions {shell}"));
            for command in commands() {
                assert!(script.contains(&command), "{shell} {command}");
                for option in options(&told(&format!("{command} --help"))) {
                    let written = if shell == "fish" { format!("-l {}", &option[2..]) } else { option };
                    assert!(script.contains(&written), "{shell} {command} {written}");
                }
            }
        }
        let zsh = told("completions zsh");
        assert!(zsh.contains("]'': :_files'") && zsh.contains("'*: :_files' && return 0"), "{zsh}");
    }

    #[test]
    fn bash_completes() {
        let script = format!(
            "{}\nCOMP_WORDS=(fim explain --st); COMP_CWORD=2; _fim; echo \"${{COMPREPLY[*]}}\"\n\
             COMP_WORDS=(fim exp); COMP_CWORD=1; _fim; echo \"${{COMPREPLY[*]}}\"\n",
            told("completions bash")
        );
        let mut bash = Command::new("bash").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = bash.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "--state\nexplain\n");
    }

    #[test]
    fn help_is_given_as_by_the_others() {
        for line in ["completions --help", "man -h", "completions help"] {
            let outcome = parse(line.split_whitespace().map(OsString::from));
            assert!(
                matches!(&outcome, Err(Early::Asked(text)) if text.starts_with("Usage: fim ")),
                "{line}: {outcome:?}"
            );
        }
    }

    #[test]
    fn wrong_words_are_told() {
        for line in ["completions", "completions tcsh", "man walk", "man run run"] {
            let outcome = parse(line.split_whitespace().map(OsString::from));
            assert!(matches!(outcome, Err(Early::Wrong(_))), "{line}: {outcome:?}");
        }
    }
}
