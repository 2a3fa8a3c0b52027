//! What is said of a change is all of it: applied to what was, it gives what is.

#![cfg(feature = "users")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use fim_consumers::{Users, UsersConfig};
use fim_core::{Change, Consumer, Context, Facts, FileKind, Key, Snapshot, Value};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::{BTreeMap, BTreeSet};

/// Fields of one entry by their names in reports.
type Entry = BTreeMap<String, String>;
/// Entries by name, or by fingerprint.
type File = BTreeMap<String, Entry>;

fn look(content: &str) -> Facts {
    let mut facts = Facts::new(FileKind::File);
    facts.blake3 = Some(Key::new([0; 32]).derive("content", content.as_bytes()));
    facts
}

fn changes(path: &str, before: &str, after: &str) -> Vec<Change> {
    let mut users = Users::new(UsersConfig::new(Key::new([7; 32])));
    let passwd = "bob:x:1000:1000::/home/bob:/bin/sh\n";
    let inspect = |users: &mut Users, path: &str, content: &str, cx: &mut Context<'_>| {
        let snapshot = Snapshot::new(path, look(content), Some(content.into()));
        users.inspect(&snapshot, cx).unwrap();
    };
    inspect(&mut users, "/etc/passwd", passwd, &mut Context::new(None, None));
    let mut cx = Context::new(None, None);
    inspect(&mut users, path, before, &mut cx);
    let (kept, facts) = (cx.into_answer().keep.unwrap(), look(before));
    let mut cx = Context::new(Some(&facts), Some(&kept));
    inspect(&mut users, path, after, &mut cx);
    cx.into_answer().changes
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::List(list) => list.iter().map(text).collect::<Vec<_>>().join(","),
        other => panic!("{other:?}"),
    }
}

/// Lists of people are sets.
fn set(list: &str) -> BTreeSet<String> {
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn joined(set: &BTreeSet<String>) -> String {
    set.iter().cloned().collect::<Vec<_>>().join(",")
}

fn apply(file: &mut File, change: &Change) {
    let of: Entry = change.of.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let after = change.after.as_ref().map(text).unwrap_or_default();
    let name = ["user", "group", "fingerprint"].iter().filter_map(|name| of.get(*name)).next_back();
    // A key's owner comes before its fingerprint; a change of `gid` tells the group besides the user.
    let name = if change.what == "gid" { of.get("user").or(name) } else { name };
    let name = name.cloned().unwrap_or_default();
    let mut put = |field: &str, value: String| {
        file.entry(name.clone()).or_default().insert(field.to_owned(), value);
    };
    match change.what.as_str() {
        "account_created"
        | "group_created"
        | "password_entry_added"
        | "group_password_entry_added"
        | "key_added" => {
            let mut entry = of;
            for about in ["user", "login", "fingerprint", "bits"] {
                entry.remove(about);
            }
            if change.what != "key_added" {
                entry.remove("group");
            }
            let state = entry.remove("password");
            let scheme = entry.remove("scheme").map(|scheme| format!(":{scheme}")).unwrap_or_default();
            if change.what != "key_added" {
                let state = state.unwrap_or_else(|| "elsewhere".to_owned());
                entry.insert("password".to_owned(), state + &scheme);
            }
            for people in ["members", "admins"] {
                if let Some(list) = entry.get_mut(people) {
                    *list = joined(&set(list));
                }
            }
            file.insert(name, entry);
        }
        "account_removed"
        | "group_removed"
        | "password_entry_removed"
        | "group_password_entry_removed"
        | "key_removed" => {
            file.remove(&name).unwrap();
        }
        "account_renamed" | "group_renamed" | "password_entry_renamed" | "group_password_entry_renamed" => {
            let entry = file.remove(&text(change.before.as_ref().unwrap())).unwrap();
            assert!(file.insert(after, entry).is_none());
        }
        "uid" | "gid" | "gecos" | "home" | "shell" | "last_change" | "min_days" | "max_days"
        | "warn_days" | "inactive_days" | "expires" | "reserved" => {
            if after.is_empty() && !matches!(change.what.as_str(), "gecos" | "home" | "shell") {
                file.get_mut(&name).unwrap().remove(&change.what);
            } else {
                put(&change.what, after);
            }
        }
        "key_comment" => put("comment", after),
        "key_options" if after.is_empty() => {
            file.get_mut(&name).unwrap().remove("options");
        }
        "key_options" => put("options", after),
        "member_added" | "member_removed" | "group_admin_added" | "group_admin_removed" => {
            let field = if change.what.starts_with("member") { "members" } else { "admins" };
            let entry = file.get_mut(&of["group"]).unwrap();
            let mut people = set(&entry[field]);
            let is_new = change.what.ends_with("added");
            assert!(if is_new { people.insert(of["user"].clone()) } else { people.remove(&of["user"]) });
            entry.insert(field.to_owned(), joined(&people));
        }
        "duplicate_uid" | "duplicate_gid" | "password_expired" | "order" | "content" => {}
        what => {
            let entry = file.get_mut(&name).unwrap();
            let word = what.trim_start_matches("group_").trim_start_matches("password_");
            let (state, scheme) = entry["password"].split_once(':').unwrap_or((&entry["password"], ""));
            let next = match word {
                "set" => format!("set:{}", of["scheme"]),
                "changed" => format!("{state}:{}", of["scheme"]),
                "scheme" => format!("{state}:{after}"),
                "locked" if state == "set" => format!("locked:{scheme}"),
                // In a public file: the one in the shadow file counts.
                "unlocked" if state == "none" => "elsewhere".to_owned(),
                "unlocked" => format!("set:{scheme}"),
                "emptied" => "empty".to_owned(),
                "locked" | "removed" => "none".to_owned(),
                "shadowed" => "elsewhere".to_owned(),
                other => panic!("{other}"),
            };
            entry.insert("password".to_owned(), next);
        }
    }
}

/// A password field and the state it stands for.
fn password(public: bool) -> impl Strategy<Value = (&'static str, &'static str)> {
    let mut states = vec![
        ("", "empty"),
        ("!", "none"),
        ("*", "none"),
        ("$y$j9T$a$b", "set:yescrypt"),
        ("$y$j9T$c$d", "set:yescrypt"),
        ("!$y$j9T$a$b", "locked:yescrypt"),
        ("$1$a$b", "set:md5"),
        ("!$1$a$c", "locked:md5"),
    ];
    if public {
        states.push(("x", "elsewhere"));
    }
    select(states)
}

/// Lines of some of these names, and the file they make.
fn file<S: Strategy<Value = (String, Entry)>>(
    names: &'static [&'static str],
    entry: impl Fn() -> S,
) -> impl Strategy<Value = (String, File)> {
    let entries = prop::collection::vec(entry(), names.len());
    (subsequence(names, 0..=names.len()).prop_shuffle(), entries).prop_map(|(names, entries)| {
        let mut text = String::new();
        let mut file = File::new();
        for (name, (line, entry)) in names.into_iter().zip(entries) {
            text += &line.replace("NAME", name);
            text.push('\n');
            file.insert(name.to_owned(), entry);
        }
        (text, file)
    })
}

fn entry<const N: usize>(fields: [(&str, String); N]) -> Entry {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn account() -> impl Strategy<Value = (String, Entry)> {
    let texts =
        (select(vec!["", "A", "B,,"]), select(vec!["/", "/home/a"]), select(vec!["", "/bin/sh", "/x"]));
    (password(true), 0_u32..3, 0_u32..3, texts).prop_map(
        |((field, state), uid, gid, (gecos, home, shell))| {
            let line = format!("NAME:{field}:{uid}:{gid}:{gecos}:{home}:{shell}");
            let fields = [
                ("password", state.to_owned()),
                ("uid", uid.to_string()),
                ("gid", gid.to_string()),
                ("gecos", gecos.to_owned()),
                ("home", home.to_owned()),
                ("shell", shell.to_owned()),
            ];
            (line, entry(fields))
        },
    )
}

fn shadow_entry() -> impl Strategy<Value = (String, Entry)> {
    const NAMES: [&str; 7] =
        ["last_change", "min_days", "max_days", "warn_days", "inactive_days", "expires", "reserved"];
    (password(false), prop::array::uniform7(prop::option::of(0_u32..3))).prop_map(|((field, state), ages)| {
        let mut line = format!("NAME:{field}");
        let mut fields = entry([("password", state.to_owned())]);
        for (name, age) in NAMES.into_iter().zip(ages) {
            line += ":";
            if let Some(age) = age {
                line += &age.to_string();
                let is_day = matches!(name, "last_change" | "expires");
                let shown = if is_day { format!("1970-01-0{}", age + 1) } else { age.to_string() };
                fields.insert(name.to_owned(), shown);
            }
        }
        (line, fields)
    })
}

fn people() -> impl Strategy<Value = String> {
    subsequence(vec!["ann", "bob", "eve"], 0..=3).prop_shuffle().prop_map(|names| names.join(","))
}

fn group() -> impl Strategy<Value = (String, Entry)> {
    (password(true), 0_u32..3, people()).prop_map(|((field, state), gid, members)| {
        let line = format!("NAME:{field}:{gid}:{members}");
        let members = joined(&set(&members));
        (line, entry([("password", state.to_owned()), ("gid", gid.to_string()), ("members", members)]))
    })
}

fn gshadow_entry() -> impl Strategy<Value = (String, Entry)> {
    (password(false), people(), people()).prop_map(|((field, state), admins, members)| {
        let line = format!("NAME:{field}:{admins}:{members}");
        let (admins, members) = (joined(&set(&admins)), joined(&set(&members)));
        (line, entry([("password", state.to_owned()), ("admins", admins), ("members", members)]))
    })
}

/// Keys by the fingerprints ssh-keygen prints.
fn keys() -> Vec<(&'static str, &'static str, &'static str)> {
    let lines: Vec<&str> =
        include_str!("golden/users/keys.txt").lines().filter(|line| !line.starts_with('#')).collect();
    let plain = lines.chunks(2).filter(|pair| !pair[1].contains("-cert-"));
    plain
        .map(|pair| {
            let mut words = pair[1].split(' ');
            (pair[0].split(' ').nth(1).unwrap(), words.next().unwrap(), words.next().unwrap())
        })
        .collect()
}

fn key_file() -> impl Strategy<Value = (String, File)> {
    let options = select(vec!["", "restrict ", "from=\"a,b\",pty ", "command=\"x y\" "]);
    let line = (options, select(vec!["", "bob@host", "two words"]));
    let count = keys().len();
    (subsequence(keys(), 0..=count).prop_shuffle(), prop::collection::vec(line, count)).prop_map(
        |(keys, lines)| {
            let mut text = String::new();
            let mut file = File::new();
            for ((fingerprint, kind, blob), (options, comment)) in keys.into_iter().zip(lines) {
                text += &format!("{options}{kind} {blob} {comment}\n");
                let mut fields = entry([("type", kind.to_owned()), ("comment", comment.to_owned())]);
                if !options.is_empty() {
                    fields.insert("options".to_owned(), options.trim_end().to_owned());
                }
                file.insert(fingerprint.to_owned(), fields);
            }
            (text, file)
        },
    )
}

fn check(path: &str, before: (String, File), after: (String, File)) -> Result<(), TestCaseError> {
    let (before, mut file) = before;
    let (after, expected) = after;
    let changes = changes(path, &before, &after);
    for change in &changes {
        apply(&mut file, change);
    }
    prop_assert_eq!(&file, &expected, "{:#?}", changes);
    prop_assert_eq!(changes.is_empty(), before == after);
    Ok(())
}

const NAMES: &[&str] = &["ann", "bob", "eve", "joe"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn passwd(before in file(NAMES, account), after in file(NAMES, account)) {
        check("/etc/passwd", before, after)?;
    }

    #[test]
    fn shadow(before in file(NAMES, shadow_entry), after in file(NAMES, shadow_entry)) {
        check("/etc/shadow", before, after)?;
    }

    #[test]
    fn groups(before in file(NAMES, group), after in file(NAMES, group)) {
        check("/etc/group", before, after)?;
    }

    #[test]
    fn gshadow(before in file(NAMES, gshadow_entry), after in file(NAMES, gshadow_entry)) {
        check("/etc/gshadow", before, after)?;
    }

    #[test]
    fn authorized_keys(before in key_file(), after in key_file()) {
        check("/home/bob/.ssh/authorized_keys", before, after)?;
    }
}
