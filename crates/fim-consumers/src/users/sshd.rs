//! What became of sshd's configuration, and where it says that keys are.

use super::kept::{Item, Reader, Table, Writer};
use super::key_files::Template;
use super::odd;
use super::said::{Said, text};
use crate::parse::sshd_config::{self, Directive};
use crate::redact::Redactor;
use fim_core::{Change, Interest, Key, Severity, Value, WatchSet, escape};
use std::collections::HashMap;
use std::path::Path;

pub(super) type Config<'a> = Table<'a, Directive>;

/// Keywords that decide who gets in and with what power.
const GUARDS: [&str; 33] = [
    "acceptenv",
    "allowgroups",
    "allowusers",
    "authenticationmethods",
    "authorizedkeyscommand",
    "authorizedkeyscommanduser",
    "authorizedkeysfile",
    "authorizedprincipalscommand",
    "authorizedprincipalsfile",
    "casignaturealgorithms",
    "chrootdirectory",
    "denygroups",
    "denyusers",
    "forcecommand",
    "gssapiauthentication",
    "hostbasedauthentication",
    "hostkey",
    "ignorerhosts",
    "include",
    "kbdinteractiveauthentication",
    "kerberosauthentication",
    "passwordauthentication",
    "permitemptypasswords",
    "permitrootlogin",
    "permituserenvironment",
    "pubkeyacceptedalgorithms",
    "pubkeyauthentication",
    "pubkeyauthoptions",
    "strictmodes",
    "subsystem",
    "trustedusercakeys",
    "usepam",
    "challengeresponseauthentication",
];

impl<'a> Item<'a> for Directive {
    const KIND: u8 = 6;

    fn put(&self, to: &mut Writer) {
        to.list(&self.context, |to, word| to.bytes(word));
        to.bytes(&self.keyword);
        to.list(&self.args, |to, word| to.bytes(word));
    }

    fn take(from: &mut Reader<'a>) -> Option<Self> {
        let words = |from: &mut Reader<'a>| from.list(|from| from.bytes().map(<[u8]>::to_vec));
        Some(Self { context: words(from)?, keyword: from.bytes()?.to_vec(), args: words(from)? })
    }
}

/// What a file holds.
pub(super) fn read<'a>(content: &'a [u8], key: &Key) -> Config<'a> {
    let file = sshd_config::parse(content);
    let redactor = Redactor::default();
    let mut items = file.directives;
    for one in &mut items {
        let line = one.args.join(&b' ');
        if redactor.hits(&line) {
            one.args = vec![redactor.redact(&line)];
        }
    }
    Table { key_id: key.id(), odd: odd::lines(&file.odd, key), items }
}

/// Says what is different; whether the order of what is in both is. A keyword may be set more than once: all
/// its values under one `Match` are compared together.
pub(super) fn compare(old: &Config<'_>, new: &Config<'_>, said: &mut Said) -> bool {
    let (before, after) = (options(&old.items), options(&new.items));
    let place: HashMap<_, _> = before.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
    let values: HashMap<_, _> = before.iter().map(|(name, args)| (*name, args)).collect();
    let names: HashMap<_, _> = after.iter().map(|(name, args)| (*name, args)).collect();
    let mut last = None;
    let mut reordered = false;
    for (name, args) in &after {
        if let Some(place) = place.get(name) {
            reordered |= last > Some(*place);
            last = Some(*place);
        }
        let before = values.get(name);
        if before.is_none_or(|before| *before != args) {
            say(name, before.map(|args| args.as_slice()), Some(args), said);
        }
    }
    for (name, args) in before.iter().filter(|(name, _)| !names.contains_key(name)) {
        say(name, Some(args), None, said);
    }
    odd::compare(&old.odd, &new.odd, old.key_id == new.key_id, said);
    reordered
}

/// Under which `Match` which keyword.
type Name<'a> = (&'a [Vec<u8>], &'a [u8]);

/// The values of each keyword, in the order in which keywords come first.
fn options(directives: &[Directive]) -> Vec<(Name<'_>, Vec<&[Vec<u8>]>)> {
    let mut places: HashMap<Name<'_>, usize> = HashMap::new();
    let mut options: Vec<(Name<'_>, Vec<&[Vec<u8>]>)> = Vec::new();
    for one in directives {
        let name = (one.context.as_slice(), one.keyword.as_slice());
        let place = *places.entry(name).or_insert(options.len());
        match options.get_mut(place) {
            Some((_, values)) => values.push(&one.args),
            None => options.push((name, vec![&one.args])),
        }
    }
    options
}

fn say(name: &Name<'_>, before: Option<&[&[Vec<u8>]]>, after: Option<&[&[Vec<u8>]]>, said: &mut Said) {
    let keyword = text(name.1);
    let severity = if GUARDS.contains(&keyword.as_str()) { Severity::High } else { Severity::Notable };
    said.say(severity, || {
        let change = Change::from_to("sshd_option", shown(before), shown(after)).of("option", keyword);
        if name.0.is_empty() { change } else { change.of("match", words(name.0)) }
    });
}

fn shown(values: Option<&[&[Vec<u8>]]>) -> Value {
    match values {
        None => Value::Null,
        Some([one]) => words(one).into(),
        Some(several) => Value::List(several.iter().map(|args| words(args).into()).collect()),
    }
}

/// Words in one line, in quotes where they have blanks.
fn words(words: &[Vec<u8>]) -> String {
    let shown = words.iter().map(|word| match text(word) {
        word if word.is_empty() || word.contains([' ', '\t']) => format!("\"{word}\""),
        word => word,
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Where keys are, by these directives: every value that holds for someone under some circumstances.
pub(super) fn templates(directives: &[Directive]) -> Vec<Template> {
    let mut templates = Vec::new();
    for one in directives {
        let users = users(&one.context);
        match one.keyword.as_slice() {
            b"authorizedkeysfile" | b"trustedusercakeys" => {
                let files = one.args.iter().filter(|path| !path.is_empty() && path.as_slice() != b"none");
                templates.extend(files.map(|path| Template { path: path.clone(), users: users.clone() }));
            }
            _ => {}
        }
    }
    templates
}

/// The patterns of the criterion `User`; none if it is for everyone. Other criteria cannot be judged here:
/// they may hold.
fn users(context: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut words = context.iter().flat_map(|word| word.splitn(2, |byte| *byte == b'='));
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(b"user") {
            let patterns = words.next().unwrap_or_default();
            return patterns.split(|byte| *byte == b',').map(<[u8]>::to_vec).collect();
        }
    }
    Vec::new()
}

/// Files that these directives include, as patterns; relative ones are in `dir`, all are below `root`.
pub(super) fn includes(directives: &[Directive], dir: &str, root: &Path) -> Vec<String> {
    let root = escape(&root.to_string_lossy());
    let root = root.trim_end_matches('/');
    let of_args = directives.iter().filter(|one| one.keyword == b"include").flat_map(|one| &one.args);
    let usable = |pattern: &String| WatchSet::new(vec![Interest::in_paths([pattern])]).is_ok();
    of_args
        .filter_map(|arg| {
            let arg = pattern(&String::from_utf8_lossy(arg));
            let path = if arg.starts_with('/') { arg } else { format!("{}/{arg}", escape(dir)) };
            let exact = format!("{root}{path}");
            Some(exact)
                .filter(usable)
                .or_else(|| Some(format!("{root}{}", without_classes(&path))).filter(usable))
        })
        .collect()
}

/// With `?` for each `[…]`: where it has what only glob(3) knows (`[[:alpha:]]`), or does not end.
fn without_classes(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, class)) = rest.split_once('[') {
        plain.push_str(before);
        plain.push('?');
        let named = class.rfind(":]").map_or(0, |at| at.saturating_add(2));
        rest = class.get(named..).and_then(|class| class.split_once(']')).map_or("", |(_, after)| after);
    }
    plain + rest
}

/// A pattern of glob(3) in the words of [`Interest::paths`]: braces are plain, `**` is `*`, and what was not
/// UTF-8 is any sign.
fn pattern(glob: &str) -> String {
    let mut pattern = String::with_capacity(glob.len());
    let (mut escaped, mut star) = (false, false);
    for sign in glob.chars() {
        let is_star = !escaped && matches!(sign, '*' | char::REPLACEMENT_CHARACTER);
        match sign {
            _ if is_star && star => {}
            '{' if !escaped => pattern.push_str("\\{"),
            char::REPLACEMENT_CHARACTER => pattern.push('*'),
            sign => pattern.push(sign),
        }
        (escaped, star) = (sign == '\\' && !escaped, is_star);
    }
    pattern
}
