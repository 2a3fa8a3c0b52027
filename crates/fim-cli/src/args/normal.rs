//! Brings the usual spellings into the one that argh reads: `--name=value`, `-vv`, and shared options
//! before the subcommand. Knows which options take a value, and nothing of what they mean.

const WITH_VALUE: [&str; 11] = [
    "--public-key",
    "--config",
    "--state",
    "--watcher",
    "--format",
    "--root",
    "--plan",
    "--from-bpfink",
    "--only",
    "--key",
    "--html",
];

/// Rewrites arguments; what it does not know stays as it is, for argh to judge.
pub fn normalise(args: &[String]) -> Vec<String> {
    let mut front = Vec::new();
    let mut leading = Vec::new();
    let mut rest = Vec::new();
    let mut command = None;

    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            rest.push(arg.clone());
            rest.extend(args.by_ref().cloned());
        } else if arg == "--version" || (arg == "-V" && command.is_none()) {
            front.push("--version".to_owned());
        } else if command.is_none() && arg == "help" {
            leading.push("--help".to_owned());
        } else if arg == "-" && matches!(command.as_deref(), Some("verify" | "report")) {
            // argh would take it for an option.
            rest.push("/dev/stdin".to_owned());
        } else if command.is_none() && !arg.starts_with('-') {
            command = Some(arg.clone());
        } else {
            let target = if command.is_none() { &mut leading } else { &mut rest };
            spell_out(arg, target);
            if WITH_VALUE.contains(&arg.as_str()) {
                target.extend(args.next().cloned());
            }
        }
    }

    let asks_help = |arg: &String| arg == "--help" || arg == "-h";
    if command.is_none() && leading.iter().any(asks_help) {
        return vec!["--help".to_owned()];
    }
    if command.is_none() && !front.is_empty() {
        return front;
    }
    front.extend(command);
    front.extend(leading);
    front.extend(rest);
    front
}

fn spell_out(arg: &str, into: &mut Vec<String>) {
    if let Some((name, value)) = arg.split_once('=')
        && WITH_VALUE.contains(&name)
    {
        into.extend([name.to_owned(), value.to_owned()]);
        return;
    }
    match arg.strip_prefix('-') {
        Some(letters) if letters.len() > 1 && letters.bytes().all(|b| matches!(b, b'v' | b'q')) => {
            into.extend(letters.chars().map(|letter| format!("-{letter}")));
        }
        _ => into.push(arg.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (given, expected) in [
            ("run -vv a", "run -v -v a"),
            ("-qv run", "run -q -v"),
            ("--state=/a=b run", "run --state /a=b"),
            ("--state run run", "run --state run"),
            ("run --other=x", "run --other=x"),
            ("run a -- -vv --state=/x --version", "run a -- -vv --state=/x --version"),
            ("run a --version", "--version run a"),
            ("--state /s --version", "--version"),
            ("-q -V", "--version"),
            ("-v --help", "--help"),
            ("help", "--help"),
            ("help run", "run --help"),
            ("run help", "run help"),
            ("verify a - b", "verify a /dev/stdin b"),
            ("--root", "--root"),
            ("", ""),
        ] {
            let given: Vec<String> = given.split_whitespace().map(str::to_owned).collect();
            assert_eq!(normalise(&given).join(" "), expected);
        }
    }
}
