//! Mode, owner and the like of the files themselves: who may read a shadow file, who may write any of them.

use crate::generic::{changes, places, severity};
use crate::said::Said;
use fim_core::{Change, Facts, FileKind, Severity};
use std::path::Path;

/// How a file is to be guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nobody else may read or write it.
    Secret,
    /// Nobody else may write it.
    Trusted,
}

/// Says what is different but for the content, which is told in other words.
pub(super) fn compare(
    (root, path): (&Path, &Path),
    guard: Guard,
    before: Option<&Facts>,
    after: &Facts,
    said: &mut Said,
) {
    let mut severity_of_all =
        if is_exposed(guard, before, after) { Severity::High } else { Severity::Routine };
    let Some(before) = before else {
        if severity_of_all == Severity::High {
            said.say(Severity::High, || Change::new("exposed").of("mode", format!("{:04o}", after.mode)));
        }
        return;
    };
    let mut list = changes::between(path, before, after);
    // A link's or directory's content is not ours to tell.
    if after.kind == FileKind::File {
        list.retain(|change| !matches!(change.what.as_str(), "content" | "sha256" | "size" | "unreadable"));
    }
    if !list.is_empty() {
        let path = places::within(root, path);
        severity_of_all = severity_of_all.max(severity::of(path, Some(before), Some(after)));
    }
    for change in list {
        said.say(severity_of_all, || change);
    }
}

/// Whether more people than before can read what is secret or write what is trusted, or may be able to by an access control
/// list; or it is another's.
fn is_exposed(guard: Guard, before: Option<&Facts>, after: &Facts) -> bool {
    let forbidden = match guard {
        Guard::Secret => 0o027,
        Guard::Trusted => 0o022,
    };
    let had = before.map_or(0, |before| before.mode);
    after.kind == FileKind::File && after.mode & !had & forbidden != 0
        || before.is_some_and(|before| {
            before.uid != after.uid
                || before.kind != after.kind
                || severity::has_other_acl(Some(before), after)
                || (guard == Guard::Secret && before.gid != after.gid)
        })
}
