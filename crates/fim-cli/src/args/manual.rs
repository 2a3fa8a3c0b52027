//! Manual pages in roff's man macros, from the definitions of the arguments. Pure.

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality, PositionalInfo};
use std::fmt::Write;

/// The page of a command, or that of `fim` itself.
pub fn page(command: Option<&str>, fim: &CommandInfoWithArgs) -> Option<String> {
    let mut page = String::new();
    match command {
        None => whole(&mut page, fim),
        Some(name) => {
            one(&mut page, &fim.commands.iter().find(|command| command.name == name)?.command);
            ending(&mut page, fim);
        }
    }
    Some(page)
}

fn whole(page: &mut String, fim: &CommandInfoWithArgs) {
    title(page, "fim", fim.description);
    // Writing to a string cannot fail.
    let _ = writeln!(page, ".B fim\n.I command\n.RI [ option ...]\n.SH COMMANDS");
    for command in &fim.commands {
        let operands: Vec<String> =
            command.command.positionals.iter().filter(|it| !it.hidden).map(operand).collect();
        let _ = writeln!(page, ".TP\n.BI \"fim {} \" \"{}\"", text(command.name), operands.join(" "));
        let _ = writeln!(page, "{}", text(command.command.description));
    }
    let _ = writeln!(page, ".PP\nEach has a page of its own:\n.BR fim\\-run (1)\nand so on.");
    // The options that every command takes.
    if let Some((first, others)) = fim.commands.split_first() {
        let everywhere = |flag: &&FlagInfo<'_>| {
            others.iter().all(|other| other.command.flags.iter().any(|it| it.long == flag.long))
        };
        options(page, first.command.flags.iter().filter(everywhere));
    }
    if !fim.examples.is_empty() {
        page.push_str(".SH EXAMPLES\n.nf\n");
        fim.examples.iter().for_each(|example| {
            let _ = writeln!(page, "{}", text(example));
        });
        page.push_str(".fi\n");
    }
    ending(page, fim);
}

fn one(page: &mut String, command: &CommandInfoWithArgs) {
    title(page, &format!("fim-{}", command.name), command.description);
    let _ = writeln!(page, ".B fim {}\n.RI [ option ...]", text(command.name));
    for positional in command.positionals.iter().filter(|it| !it.hidden) {
        let _ = writeln!(page, ".I {}", operand(positional));
    }
    let _ = writeln!(page, ".SH DESCRIPTION\n{}", text(command.description));
    for positional in command.positionals.iter().filter(|it| !it.hidden) {
        let _ = writeln!(page, ".TP\n.I {}\n{}", text(positional.name), text(positional.description));
    }
    options(page, command.flags.iter());
}

fn title(page: &mut String, name: &str, description: &str) {
    let version = env!("CARGO_PKG_VERSION");
    let summary = description.split(['.', '\n']).next().unwrap_or_default();
    let _ = writeln!(
        page,
        ".TH {} 1 \"\" \"fim {version}\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS",
        text(&name.to_uppercase()),
        text(name),
        text(summary)
    );
}

fn options<'a>(page: &mut String, flags: impl Iterator<Item = &'a FlagInfo<'static>>) {
    let _ = writeln!(page, ".SH OPTIONS");
    for flag in flags.filter(|flag| !flag.hidden) {
        let _ = write!(page, ".TP\n.B ");
        if let Some(short) = flag.short {
            let _ = write!(page, "\\-{short}, ");
        }
        let _ = write!(page, "{}", text(flag.long));
        if let FlagInfoKind::Option { arg_name } = &flag.kind {
            let _ = write!(page, " \\fI{}\\fR", text(arg_name));
        }
        let _ = writeln!(page, "\n{}", text(flag.description));
    }
}

fn operand(positional: &PositionalInfo<'_>) -> String {
    let name = text(positional.name);
    match positional.optionality {
        Optionality::Required => name,
        Optionality::Optional => format!("[{name}]"),
        Optionality::Repeating | Optionality::Greedy => format!("[{name} ...]"),
    }
}

fn ending(page: &mut String, fim: &CommandInfoWithArgs) {
    page.push_str(".SH EXIT STATUS\n");
    for code in fim.error_codes {
        let _ = writeln!(page, ".TP\n.B {}\n{}", code.code, text(code.description));
    }
    page.push_str(
        ".SH ENVIRONMENT\n.TP\n.B RUST_LOG\nwhat is logged to standard error; wins over \\-v and \\-q\n\
         .TP\n.B NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM\nwhether lines for people are coloured\n\
         .TP\n.B FIM_HOSTNAME\nthe name for host.hostname, instead of the machine\\(aqs\n\
         .TP\n.B TMPDIR\nwhere each kind of change is tried at the start; best on a disk\n\
         .SH FILES\n.TP\n.I /etc/fim/fim.toml\nthe configuration; then\n.I /etc/fim/conf.d/*.toml\n\
         .TP\n.I /var/lib/fim\nthe state\n",
    );
}

/// A text as roff shall print it.
fn text(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    for (at, line) in raw.trim().lines().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        // A line that begins so would be a command.
        if line.starts_with(['.', '\'']) {
            text.push_str("\\&");
        }
        for c in line.trim().chars() {
            match c {
                '\\' => text.push_str("\\e"),
                '-' => text.push_str("\\-"),
                c => text.push(c),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_for_a_command() {
        assert_eq!(text(".x\n'y\\z -v"), "\\&.x\n\\&'y\\ez \\-v");
    }
}
