//! What to type instead of what was not understood. Pure.

use argh::CommandInfoWithArgs;

/// The fault that argh found, in words that say what to type next.
pub fn advise(fault: &str, args: &[&str], fim: &CommandInfoWithArgs) -> String {
    let fault = fault.trim_end();
    let known = |name: &&str| fim.commands.iter().find(|command| command.name == *name);
    let command = args.iter().find_map(known);
    let Some(word) = fault.strip_prefix("Unrecognized argument: ") else {
        return match command {
            Some(command) => format!("{fault}\nsee fim {} --help", command.name),
            None => format!("{fault}\nsee fim --help"),
        };
    };
    let Some(command) = command else {
        if word.starts_with('-') {
            let option = word.split('=').next().unwrap_or(word);
            let mut flags = fim.commands.iter().flat_map(|command| command.command.flags.iter());
            let is_known = flags.any(|flag| {
                flag.long == option || flag.short.is_some_and(|sign| option == format!("-{sign}"))
            });
            return if is_known {
                "no command given; see fim --help".to_owned()
            } else {
                format!("there is no option \"{option}\", and no command given; see fim --help")
            };
        }
        let names: Vec<&str> = fim.commands.iter().map(|command| command.name).collect();
        return format!("there is no command \"{word}\"{}; see fim --help", nearest(word, &names));
    };
    let name = command.name;
    if word.starts_with('-') {
        let options: Vec<&str> = command.command.flags.iter().map(|flag| flag.long).collect();
        let option = word.split('=').next().unwrap_or(word);
        let guess = nearest(option, &options);
        return format!("fim {name} has no option \"{option}\"{guess}; see fim {name} --help");
    }
    match command.command.positionals {
        [] => format!("fim {name} takes no \"{word}\"; see fim {name} --help"),
        _ => format!("\"{word}\" is one too many; see fim {name} --help"),
    }
}

/// `, did you mean …` if one of the known words is near.
fn nearest(word: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.trim_start_matches('-').len() / 2);
    near.map(|(_, known)| format!(", did you mean \"{known}\"?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{Early, parse};
    use std::ffi::OsString;

    #[test]
    fn table() {
        for (line, said) in [
            ("", "no command given; see fim --help"),
            ("--state /s", "no command given"),
            ("-q", "no command given"),
            ("--stat", "there is no option \"--stat\""),
            ("chekc", "there is no command \"chekc\", did you mean \"check\"?; see fim --help"),
            ("frobnicate", "there is no command \"frobnicate\"; see fim --help"),
            (
                "check --ful",
                "fim check has no option \"--ful\", did you mean \"--full\"?; see fim check --help",
            ),
            ("run --colour=always", "fim run has no option \"--colour\"; see fim run --help"),
            ("config /x", "fim config takes no \"/x\"; see fim config --help"),
            ("explain /a /b", "\"/b\" is one too many; see fim explain --help"),
            ("explain", "see fim explain --help"),
            ("run --state", "see fim run --help"),
        ] {
            let outcome = parse(line.split_whitespace().map(OsString::from));
            let Err(Early::Wrong(text)) = outcome else { panic!("{line}: {outcome:?}") };
            assert!(text.contains(said), "{line}: {text}");
        }
    }
}
