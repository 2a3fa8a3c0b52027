//! What became of sshd's configuration, and where it says that keys are.

use super::kept::{Item, Reader, Table, Writer};
use super::odd;
use super::template::{Holds, Template};
use crate::parse::sshd_config::{self, Directive};
use crate::redact::Redactor;
use crate::said::Said;
use crate::sshd_options;
use fim_core::{Interest, Key, WatchSet, escape};
use std::path::Path;

pub(super) type Config<'a> = Table<'a, Directive>;

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

/// Says what is different, the order too: how much it matters depends on what is ordered.
pub(super) fn compare(old: &Config<'_>, new: &Config<'_>, said: &mut Said) -> bool {
    sshd_options::compare(&old.items, &new.items, said);
    odd::compare(&old.odd, &new.odd, old.key_id == new.key_id, said);
    false
}

/// Where keys are and what else decides who may log in, by these directives: every value that holds for someone under some circumstances.
pub(super) fn templates(directives: &[Directive]) -> Vec<Template> {
    let mut templates = Vec::new();
    for one in directives {
        let holds = match one.keyword.as_slice() {
            b"authorizedkeysfile" => Holds::Keys,
            b"trustedusercakeys" => Holds::Authorities,
            b"authorizedprincipalsfile" => Holds::Principals,
            b"revokedkeys" => Holds::Revoked,
            _ => continue,
        };
        let users = users(&one.context);
        let files = one.args.iter().filter(|path| !path.is_empty() && path.as_slice() != b"none");
        templates.extend(files.map(|path| Template { path: path.clone(), holds, users: users.clone() }));
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
