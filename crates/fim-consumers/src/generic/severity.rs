//! How much a change matters.
//!
//! | severity | what |
//! |---|---|
//! | high | someone gained power: setuid, setgid or a capability appeared or changed, or content of such a file; a file or directory became writable by everyone; an immutable or append-only flag was lost; what makes someone root (sudo, doas, polkit, PAM, what is loaded into every program) is another; someone besides root may write there, to what decides who logs in and what runs by itself, or to an account file, or an access control list says who may read or write it |
//! | notable | programs, all that lies in the system's own directories, and what decides who logs in and what runs by itself, wherever it lies; owner, mode, type, flags, access control lists and security attributes, and what cannot be read any more, anywhere |
//! | routine | the rest |

use super::changes::{came_or_went_out_of_reach, content_differs, is_unknown};
use super::flags::{APPEND_ONLY, IMMUTABLE};
use super::places::{is_roots, is_system};
use fim_core::{Change, Facts, FileKind, Severity, Xattr};
use std::path::Path;

/// Where the capabilities of a program are kept.
const CAPABILITY: &str = "security.capability";

/// What makes a change high where the changes themselves do not show it: a file that came to be with power, or another
/// content or owner of one that had it.
pub(crate) fn power(before: Option<&Facts>, after: &Facts) -> Option<Change> {
    let of_mode = |what: &str| Change::new(what).of("mode", format!("{:04o}", after.mode));
    if is_privileged(after) && before.is_none_or(|before| is_another(before, after)) {
        let change = of_mode("privileged");
        return Some(if capability(after).is_some() { change.of("name", CAPABILITY) } else { change });
    }
    (before.is_none() && is_open_to_all(after)).then(|| of_mode("open_to_all"))
}

/// Whether its content or whose it is differs.
fn is_another(before: &Facts, after: &Facts) -> bool {
    content_differs(before, after) || (before.uid, before.gid) != (after.uid, after.gid)
}

/// Whether it runs with rights of its own.
fn is_privileged(facts: &Facts) -> bool {
    privileges(facts) != 0 || capability(facts).is_some()
}

/// Judges a change by the looks before and after it, at a path [within](super::places::within) its system.
pub(crate) fn of(path: &Path, before: Option<&Facts>, after: Option<&Facts>) -> Severity {
    let known = |facts: Option<&Facts>| facts.is_none_or(|facts| !is_unknown(facts));
    if !known(before) || !known(after) {
        return Severity::Notable;
    }
    let high =
        after.is_some_and(|after| gains_power(before, after) || (is_roots(path) && opens_up(before, after)));
    let notable = is_system(path)
        || before.is_some_and(is_program)
        || after.is_some_and(is_program)
        || after
            .is_some_and(|after| !matches!(after.kind, FileKind::File | FileKind::Dir | FileKind::Symlink))
        || matches!((before, after), (Some(before), Some(after))
            if rights_differ(before, after) || came_or_went_out_of_reach(before, after));
    if high {
        Severity::High
    } else if notable {
        Severity::Notable
    } else {
        Severity::Routine
    }
}

fn gains_power(before: Option<&Facts>, after: &Facts) -> bool {
    let protection = |facts: &Facts| facts.flags & (IMMUTABLE | APPEND_ONLY);
    let Some(before) = before else {
        return is_privileged(after) || is_open_to_all(after);
    };
    privileges(after) & !privileges(before) != 0
        || (capability(after).is_some() && capability(after) != capability(before))
        || (is_privileged(after) && is_another(before, after))
        || (is_open_to_all(after) && !is_open_to_all(before))
        || protection(before) & !protection(after) != 0
}

/// Whether someone besides root may write now, or others may do what an access control list says: it takes precedence over
/// the mode, and what it says is not known here.
fn opens_up(before: Option<&Facts>, after: &Facts) -> bool {
    // A link's mode counts for nothing.
    let writers = |facts: &Facts| if facts.kind == FileKind::Symlink { 0 } else { facts.mode & 0o022 };
    writers(after) & !before.map_or(0, writers) != 0
        || (writers(after) != 0 && before.is_some_and(|before| before.gid != after.gid))
        || (after.uid != 0 && before.is_none_or(|before| before.uid != after.uid))
        || has_other_acl(before, after)
}

/// Whether it has an access control list that it had not.
pub(crate) fn has_other_acl(before: Option<&Facts>, after: &Facts) -> bool {
    let is_acl = |xattr: &&Xattr| xattr.name.starts_with("system.posix_acl_");
    let is_new = |xattr: &Xattr| before.is_none_or(|before| !before.xattrs.contains(xattr));
    after.xattrs.iter().filter(is_acl).any(is_new)
}

/// The setuid and setgid bits of a regular file; on directories they give no power.
fn privileges(facts: &Facts) -> u32 {
    if facts.kind == FileKind::File { facts.mode & 0o6000 } else { 0 }
}

fn capability(facts: &Facts) -> Option<&Xattr> {
    facts.xattrs.iter().find(|xattr| xattr.name == CAPABILITY)
}

/// Whether everyone can write to it; a sticky directory keeps their files apart.
fn is_open_to_all(facts: &Facts) -> bool {
    match facts.kind {
        FileKind::File => facts.mode & 0o002 != 0,
        FileKind::Dir => facts.mode & 0o1002 == 0o002,
        _ => false,
    }
}

fn is_program(facts: &Facts) -> bool {
    facts.kind == FileKind::File && facts.mode & 0o111 != 0
}

fn rights_differ(before: &Facts, after: &Facts) -> bool {
    let rights = |facts: &Facts| (facts.kind, facts.mode, facts.uid, facts.gid, facts.flags, facts.rdev);
    let ours = |xattr: &&Xattr| !xattr.name.starts_with("user.");
    rights(before) != rights(after) || before.xattrs.iter().filter(ours).ne(after.xattrs.iter().filter(ours))
}
