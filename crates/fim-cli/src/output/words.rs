//! What changed, in words for people. Pure; shows no hash of a secret, and nothing that could command a terminal.

use super::json::is_tricky;
use super::secret::{HIDDEN, is_digest, keeps_hash};
use fim_core::{Change, Finding, Value};
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// What a change may be about.
const SUBJECTS: [&str; 6] = ["user", "users", "group", "who", "option", "uid"];

/// The changes of a finding, each in a few words.
pub fn changes(finding: &Finding) -> Vec<String> {
    let secret = keeps_hash(finding);
    let changes = finding.changes.iter().filter_map(|of| change(of, secret)).map(|text| tame(&text));
    changes.chain(explained(finding)).collect()
}

/// What led to it: `by package hello 2.10-3`.
pub fn explained(finding: &Finding) -> Option<String> {
    let explanation = finding.explained_by.as_ref()?;
    let mut text = format!("by {}", explanation.by);
    // Who keeps the records goes without saying.
    for (_, value) in explanation.of.iter().filter(|(name, _)| *name != "manager") {
        let _ = write!(text, " {value}");
    }
    Some(tame(&text))
}

fn change(change: &Change, secret: bool) -> Option<String> {
    let value = |of: &Value| value(of, secret);
    let Change { what, of, before, after } = change;
    match what.as_str() {
        "touched" if of.is_empty() => return Some("touched: nothing moved but its times".to_owned()),
        "clocks_unmoved" => return Some("no clock of it moved: written past the file system".to_owned()),
        "transient" if of.is_empty() => return Some("it came and went between two looks".to_owned()),
        "content" if of.is_empty() => return Some("content changed".to_owned()),
        // Said by "content" already.
        "sha256" if of.is_empty() => return None,
        "package_mismatch" => return Some(mismatch(of)),
        "not_understood" => return Some("its consumer failed over it: see the log of fim".to_owned()),
        "member_added" => return Some(member("added to", of, &value)),
        "member_removed" => return Some(member("removed from", of, &value)),
        _ => {}
    }
    let mut text = what.replace('_', " ");
    let has_values = before.is_some() || after.is_some();
    let mut rest = of.as_slice();
    // What it is about goes before the values, what else there is to say behind them.
    if let Some(((name, subject), others)) = rest.split_first()
        && SUBJECTS.contains(&name.as_str())
    {
        text.push_str(link(what, name, has_values));
        text.push_str(&value(subject));
        rest = others;
    }
    let there = |side: &Option<Value>| side.as_ref().filter(|value| **value != Value::Null).map(value);
    // Writing to a string cannot fail.
    let _ = match (there(before), there(after)) {
        (Some(before), Some(after)) => write!(text, " {before} -> {after}"),
        (Some(before), None) => write!(text, " {before} -> none"),
        (None, Some(after)) if before.is_some() => write!(text, " none -> {after}"),
        (None, Some(after)) => write!(text, " {after}"),
        (None, None) => Ok(()),
    };
    let details: Vec<String> = rest.iter().filter_map(|(name, of)| detail(name, of, &value)).collect();
    if !details.is_empty() {
        let _ = write!(text, " ({})", details.join(", "));
    }
    if what == "mode" && of.is_empty() {
        text.push_str(&mode_notes(before.as_ref(), after.as_ref()));
    }
    Some(text)
}

/// What stands between a change and what it is about.
fn link(what: &str, about: &str, has_values: bool) -> &'static str {
    match about {
        "option" | "uid" => " ",
        _ if has_values => " of ",
        "user" | "users" if !what.starts_with("account") => " for ",
        _ => " ",
    }
}

/// Who joined or left a group.
fn member(how: &str, of: &[(String, Value)], value: &dyn Fn(&Value) -> String) -> String {
    let named =
        |name: &str| of.iter().find(|(it, _)| it == name).map(|(_, of)| value(of)).unwrap_or_default();
    format!("{} {how} group {}", named("user"), named("group"))
}

fn detail(name: &str, of: &Value, value: &dyn Fn(&Value) -> String) -> Option<String> {
    let name = name.replace('_', " ");
    match of {
        Value::Null => None,
        Value::Bool(true) => Some(name),
        Value::Bool(false) => Some(format!("no {name}")),
        of => Some(format!("{name} {}", value(of))),
    }
}

/// The content of a file that is not what its package has for it.
fn mismatch(of: &[(String, Value)]) -> String {
    let values: Vec<String> = of.iter().map(|(_, of)| value(of, false)).collect();
    format!("NOT what the package {} has there", values.join(" "))
}

/// The bits of a new mode that deserve a word.
fn mode_notes(before: Option<&Value>, after: Option<&Value>) -> String {
    const NOTES: [(u32, &str); 3] =
        [(0o4000, "runs as its owner"), (0o2000, "runs as its group"), (0o002, "writable by everybody")];
    let bits = |side: Option<&Value>| match side {
        Some(Value::Text(octal)) => u32::from_str_radix(octal, 8).unwrap_or(0),
        _ => 0,
    };
    let new = bits(after) & !bits(before);
    let notes: Vec<&str> = NOTES.iter().filter(|(bit, _)| new & bit != 0).map(|(_, note)| *note).collect();
    if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) }
}

fn value(value: &Value, secret: bool) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) if secret && is_digest(text) => HIDDEN.to_owned(),
        Value::Text(text) if text.is_empty() => "\"\"".to_owned(),
        Value::Text(text) => text.clone(),
        Value::List(values) if values.len() == 1 => {
            values.iter().map(|one| self::value(one, secret)).collect()
        }
        Value::List(values) => {
            let shown: Vec<String> = values.iter().map(|one| self::value(one, secret)).collect();
            format!("[{}]", shown.join(", "))
        }
        _ => "none".to_owned(),
    }
}

/// A name as it may be shown: bytes that are no text are written as `\xNN`.
pub fn name(raw: impl AsRef<OsStr>) -> String {
    let mut text = String::new();
    for chunk in raw.as_ref().as_bytes().utf8_chunks() {
        text.push_str(&tame(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A command line as it would be typed.
pub fn command_line(args: &[String]) -> String {
    let plain =
        |arg: &str| !arg.is_empty() && arg.chars().all(|c| c.is_alphanumeric() || "-_./=:,+@%[]".contains(c));
    let quoted: Vec<String> = args
        .iter()
        .map(|arg| if plain(arg) { arg.clone() } else { format!("'{}'", arg.replace('\'', r"'\''")) })
        .collect();
    quoted.join(" ")
}

/// A terminal must not obey what stands in the name of a file.
pub fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_tricky(c) {
            tamed.extend(c.escape_default());
        } else {
            tamed.push(c);
        }
    }
    tamed
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::Action;
    use std::time::SystemTime;

    fn said(path: &str, change: Change) -> String {
        let mut finding = Finding::new(Action::Updated, "generic", path, SystemTime::UNIX_EPOCH);
        finding.changes = vec![change];
        changes(&finding).join("; ")
    }

    #[test]
    fn changes_in_words() {
        let list = |items: &[&str]| Value::List(items.iter().map(|item| (*item).into()).collect());
        for (change, words) in [
            (Change::from_to("content", "ab".repeat(32), "cd".repeat(32)), "content changed"),
            (Change::new("content"), "content changed"),
            (Change::from_to("sha256", "a", "b"), ""),
            (Change::from_to("size", 3_u32, 5_u32), "size 3 -> 5"),
            (
                Change::from_to("mode", "0755", "4757"),
                "mode 0755 -> 4757 (runs as its owner, writable by everybody)",
            ),
            (Change::from_to("mode", "4755", "0755"), "mode 4755 -> 0755"),
            (Change::from_to("uid", 1000_u32, 0_u32).of("user", "bob"), "uid of bob 1000 -> 0"),
            (Change::from_to("flags", "", "i"), "flags \"\" -> i"),
            (Change::from_to("xattr", Value::Null, "x"), "xattr none -> x"),
            (Change::from_to("xattr", "x", Value::Null), "xattr x -> none"),
            (Change::from_to("members", list(&["a"]), list(&["a", "b"])), "members a -> [a, b]"),
            (
                Change::new("key_added").of("user", "bob").of("options", false),
                "key added for bob (no options)",
            ),
            (Change::new("account_created").of("user", "bob"), "account created bob"),
            (Change::new("member_added").of("group", "sudo").of("user", "bob"), "bob added to group sudo"),
            (
                Change::from_to("sshd_option", "no", "yes").of("option", "usepam"),
                "sshd option usepam no -> yes",
            ),
            (
                Change::new("access_granted")
                    .of("who", list(&["bob"]))
                    .of("from", list(&["A", "B"]))
                    .of("line", 6_u32),
                "access granted bob (from [A, B], line 6)",
            ),
            (
                Change::new("rule_added").of("permission", "grant").of("line", 6_u32),
                "rule added (permission grant, line 6)",
            ),
            (
                Change::from_to("shell", "a", "b").of("user", "bob").of("login", true),
                "shell of bob a -> b (login)",
            ),
            (Change::new("a\x1b[2Jb"), "a\\u{1b}[2Jb"),
            (Change::new("touched"), "touched: nothing moved but its times"),
        ] {
            assert_eq!(said("/w", change), words);
        }
        let hashes = Change::from_to("digest", "ab".repeat(32), "cd".repeat(32));
        assert_eq!(said("/etc/shadow", hashes), "digest [redacted] -> [redacted]");
    }

    #[test]
    fn names_and_command_lines() {
        assert_eq!(name(OsStr::from_bytes(b"a\xff\nb\xc3\xa9")), "a\\xff\\nbé");
        let args = ["sh", "-c", "echo 'x' > a", "", "--a=b/c"].map(str::to_owned);
        assert_eq!(command_line(&args), r"sh -c 'echo '\''x'\'' > a' '' --a=b/c");
    }
}
