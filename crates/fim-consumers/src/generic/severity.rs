//! How much a change matters.
//!
//! | severity | what |
//! |---|---|
//! | high | someone gained power: setuid, setgid or a capability appeared or changed, or content of such a file; a file or directory became writable by everyone; an immutable or append-only flag was lost |
//! | notable | programs, and all that lies in the system's own directories; owner, mode, type, flags, access control lists and security attributes, and what cannot be read any more, anywhere |
//! | routine | the rest |

use super::changes::{came_or_went_out_of_reach, content_differs, is_unknown};
use super::flags::{APPEND_ONLY, IMMUTABLE};
use fim_core::{Facts, FileKind, Severity, Xattr};
use std::path::{Component, Path};

/// Directories whose files decide what the system does.
const SYSTEM: [&str; 9] = ["bin", "boot", "etc", "lib", "lib32", "lib64", "root", "sbin", "usr"];

/// Judges a change by the looks before and after it.
pub(crate) fn of(path: &Path, before: Option<&Facts>, after: Option<&Facts>) -> Severity {
    let known = |facts: Option<&Facts>| facts.is_none_or(|facts| !is_unknown(facts));
    if !known(before) || !known(after) {
        return Severity::Notable;
    }
    let high = after.is_some_and(|after| gains_power(before, after));
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

fn is_system(path: &Path) -> bool {
    let mut parts = path.components();
    parts.next() == Some(Component::RootDir)
        && parts.next().is_some_and(|top| SYSTEM.iter().any(|dir| top.as_os_str() == *dir))
}

fn gains_power(before: Option<&Facts>, after: &Facts) -> bool {
    let protection = |facts: &Facts| facts.flags & (IMMUTABLE | APPEND_ONLY);
    let Some(before) = before else {
        return privileges(after) != 0 || capability(after).is_some() || is_open_to_all(after);
    };
    let is_privileged = privileges(after) != 0 || capability(after).is_some();
    privileges(after) & !privileges(before) != 0
        || (capability(after).is_some() && capability(after) != capability(before))
        || (is_privileged
            && (content_differs(before, after) || before.uid != after.uid || before.gid != after.gid))
        || (is_open_to_all(after) && !is_open_to_all(before))
        || protection(before) & !protection(after) != 0
}

/// The setuid and setgid bits of a regular file; on directories they give no power.
fn privileges(facts: &Facts) -> u32 {
    if facts.kind == FileKind::File { facts.mode & 0o6000 } else { 0 }
}

fn capability(facts: &Facts) -> Option<&Xattr> {
    facts.xattrs.iter().find(|xattr| xattr.name == "security.capability")
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
