//! Whether two looks at one path differ, and what to call it.
//!
//! Pure. Knows nothing of events but that some of them speak of attributes.

use crate::facts::{Facts, FileKind};
use crate::finding::Action;

/// What comparing two looks came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing moved.
    Same,
    /// Something moved that is no change of the file (a link count, a directory's clock): the state
    /// follows without a line.
    Quiet,
    /// Nothing but the file's times moved.
    Touched,
    /// A change.
    Changed(Action),
}

/// Compares the look before with the look now. `attributes` says that a call that sets attributes was
/// seen, so that a move of ctime alone is worth a line.
pub(crate) fn compare(before: Option<&Facts>, after: Option<&Facts>, attributes: bool) -> Verdict {
    let (before, after) = match (before, after) {
        (None, None) => return Verdict::Same,
        (None, Some(_)) => return Verdict::Changed(Action::Created),
        (Some(_), None) => return Verdict::Changed(Action::Deleted),
        (Some(before), Some(after)) => (before, after),
    };
    if before == after {
        return Verdict::Same;
    }
    // What has no hash to lose, as a link, is otherwise as it was last known.
    if !before.same_content(after) || before.is_unreadable() != after.is_unreadable() {
        return Verdict::Changed(Action::Updated);
    }
    if !before.same_metadata(after) {
        return Verdict::Changed(Action::AttributesModified);
    }
    // Another link of the file moves its ctime too, and is told by its own name.
    let by_hand = attributes && before.ctime != after.ctime && before.links == after.links;
    let clocks = before.mtime != after.mtime || by_hand;
    if clocks && after.kind != FileKind::Dir { Verdict::Touched } else { Verdict::Quiet }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::FileTime;
    use crate::facts::HashState;

    fn file(change: impl FnOnce(&mut Facts)) -> Facts {
        let mut facts = Facts::new(FileKind::File);
        facts.blake3 = Some([1; 32]);
        change(&mut facts);
        facts
    }

    const LATER: FileTime = FileTime { seconds: 9, nanos: 9 };

    #[test]
    fn each_difference_has_its_name() {
        let same = file(|_| ());
        let relinked = |f: &mut Facts| (f.links, f.ctime) = (2, LATER);
        let unreadable = |f: &mut Facts| f.hash_state = HashState::Unreadable;
        let table: [(&str, Facts, bool, Verdict); 10] = [
            ("nothing", file(|_| ()), false, Verdict::Same),
            ("hash", file(|f| f.blake3 = Some([2; 32])), false, Verdict::Changed(Action::Updated)),
            ("unreadable", file(unreadable), false, Verdict::Changed(Action::Updated)),
            ("kind", file(|f| f.kind = FileKind::Symlink), false, Verdict::Changed(Action::Updated)),
            ("mode", file(|f| f.mode = 0o4755), false, Verdict::Changed(Action::AttributesModified)),
            ("mtime", file(|f| f.mtime = LATER), false, Verdict::Touched),
            ("ctime", file(|f| f.ctime = LATER), false, Verdict::Quiet),
            ("ctime by chmod", file(|f| f.ctime = LATER), true, Verdict::Touched),
            ("links", file(|f| f.links = 2), false, Verdict::Quiet),
            ("links and ctime", file(relinked), true, Verdict::Quiet),
        ];
        for (what, after, attributes, verdict) in table {
            assert_eq!(compare(Some(&same), Some(&after), attributes), verdict, "{what}");
        }
    }

    #[test]
    fn names_come_and_go() {
        let some = file(|_| ());
        assert_eq!(compare(None, None, false), Verdict::Same);
        assert_eq!(compare(None, Some(&some), false), Verdict::Changed(Action::Created));
        assert_eq!(compare(Some(&some), None, false), Verdict::Changed(Action::Deleted));
    }

    #[test]
    fn a_directory_s_clock_is_no_change() {
        let before = Facts::new(FileKind::Dir);
        let mut after = before.clone();
        after.mtime = LATER;
        assert_eq!(compare(Some(&before), Some(&after), true), Verdict::Quiet);
    }

    #[test]
    fn a_file_without_a_hash_is_told_by_its_mtime() {
        let before = file(|f| f.blake3 = None);
        let after = file(|f| {
            f.blake3 = None;
            f.mtime = LATER;
        });
        assert_eq!(compare(Some(&before), Some(&after), false), Verdict::Changed(Action::Updated));
    }
}
