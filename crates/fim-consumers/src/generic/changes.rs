//! From two looks to the list of what changed.
//!
//! Says what is different, not whether it matters. Times alone are no change here.

use super::flags::letters;
use crate::secrets::hides_hash;
use fim_core::{Change, Facts, FileKind, Value, Xattr};
use std::cmp::Ordering;
use std::path::Path;

/// All differences, in a fixed order. Of a file that could not even be looked at, only that.
pub(crate) fn between(path: &Path, before: &Facts, after: &Facts) -> Vec<Change> {
    match (is_unknown(before), is_unknown(after)) {
        (true, true) => return Vec::new(),
        (false, true) => return vec![Change::new("unreadable")],
        (true, false) => return vec![Change::new("readable")],
        (false, false) => {}
    }
    let mut changes = content(path, before, after);
    // Put into words only where it differs: at a start every file that did not change comes here.
    let mut differs = |what: &str, same: bool, value: fn(&Facts) -> Value| {
        if same {
            return;
        }
        let (before, after) = (value(before), value(after));
        if before != after {
            changes.push(Change::from_to(what, before, after));
        }
    };
    let are_files = before.kind == FileKind::File && after.kind == FileKind::File;
    differs("type", before.kind == after.kind, |it| it.kind.as_str().into());
    differs("size", !are_files || before.size == after.size, |it| it.size.into());
    differs("target", before.target == after.target, target);
    differs("device", (before.kind, before.rdev) == (after.kind, after.rdev), device);
    differs("mode", before.mode == after.mode, mode);
    differs("uid", before.uid == after.uid, |it| it.uid.into());
    differs("gid", before.gid == after.gid, |it| it.gid.into());
    differs("flags", before.flags == after.flags, |it| letters(it.flags).into());
    changes.extend(xattrs(&before.xattrs, &after.xattrs));
    // What has no hash to lose, as a link, is otherwise as it was last known.
    if changes.is_empty() && came_or_went_out_of_reach(before, after) {
        changes.push(Change::new(if after.is_unreadable() { "unreadable" } else { "readable" }));
    }
    changes
}

/// Whether one of the looks could not read the file and the other could.
pub(crate) fn came_or_went_out_of_reach(before: &Facts, after: &Facts) -> bool {
    before.is_unreadable() != after.is_unreadable()
}

/// Whether nothing was learned of the file: no file has inode 0.
pub(crate) fn is_unknown(facts: &Facts) -> bool {
    facts.is_unreadable() && facts.inode == 0
}

/// Whether the bytes of a regular file are different, so far as can be told.
pub(crate) fn content_differs(before: &Facts, after: &Facts) -> bool {
    match before.same_hash(after) {
        Some(same) => !same,
        // One of the looks could not read it, or it is no regular file any more.
        None if before.blake3.is_some() != after.blake3.is_some() => true,
        None => {
            let are_files = before.kind == FileKind::File && after.kind == FileKind::File;
            are_files && (before.size, before.mtime) != (after.size, after.mtime)
        }
    }
}

fn content(path: &Path, before: &Facts, after: &Facts) -> Vec<Change> {
    if !content_differs(before, after) {
        return Vec::new();
    }
    if hides_hash(path) || before.keyed.is_some() || after.keyed.is_some() {
        return vec![Change::new("content")];
    }
    let mut changes = vec![Change::from_to("content", hex(before.blake3), hex(after.blake3))];
    // Both or none: a hash that was not asked for the last time is no change.
    if before.sha256.is_some() && after.sha256.is_some() {
        changes.push(Change::from_to("sha256", hex(before.sha256), hex(after.sha256)));
    }
    changes
}

fn hex(hash: Option<[u8; 32]>) -> Value {
    let digit = |half: u8| half + if half < 10 { b'0' } else { b'a' - 10 };
    let text = hash.map(|hash| {
        let digits = hash.map(|byte| [digit(byte >> 4), digit(byte & 15)]);
        String::from_utf8(digits.as_flattened().to_vec()).unwrap_or_default()
    });
    text.into()
}

/// In octal, as chmod(1) takes it.
fn mode(facts: &Facts) -> Value {
    format!("{:04o}", facts.mode).into()
}

fn target(facts: &Facts) -> Value {
    let text = facts.target.as_ref().map(|target| match target.to_str() {
        Some(target) => target.to_owned(),
        None => target.as_os_str().as_encoded_bytes().escape_ascii().to_string(),
    });
    text.into()
}

/// `major:minor` of a device.
fn device(facts: &Facts) -> Value {
    let is_device = matches!(facts.kind, FileKind::CharDevice | FileKind::BlockDevice);
    is_device
        .then(|| {
            let major = (facts.rdev >> 8 & 0xfff) | (facts.rdev >> 32 & 0xffff_f000);
            let minor = (facts.rdev & 0xff) | (facts.rdev >> 12 & 0xffff_ff00);
            format!("{major}:{minor}")
        })
        .into()
}

/// Both lists are sorted by name. An access control list is an attribute too, but named for what it is.
fn xattrs(before: &[Xattr], after: &[Xattr]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut say = |xattr: &Xattr, how: &str| {
        let kind = if xattr.name.starts_with("system.posix_acl_") { "acl" } else { "xattr" };
        changes.push(Change::new(format!("{kind}_{how}")).of("name", xattr.name.as_str()));
    };
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (before.peek(), after.peek()) {
            (Some(old), Some(new)) => old.name.cmp(&new.name),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let old = if order.is_le() { before.next() } else { None };
        let new = if order.is_ge() { after.next() } else { None };
        match (old, new) {
            (Some(old), Some(new)) if old.digest != new.digest => say(new, "changed"),
            (Some(old), None) => say(old, "removed"),
            (None, Some(new)) => say(new, "added"),
            _ => {}
        }
    }
    changes
}
