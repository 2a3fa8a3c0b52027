//! An exchange of two names comes as two renames, one right after the other. Here they become what they are.
//!
//! Pure: a list of events in, the same list out.

use fim_core::{FileEvent, Via, WatchMessage};

/// Whether the other half of an exchange may still be on its way.
pub(crate) fn may_go_on(messages: &[WatchMessage]) -> bool {
    matches!(messages.last(), Some(WatchMessage::Event(event)) if is_whole(event))
}

/// Marks the renames of each exchange in a row of messages, of which `last` is the one sent before.
pub(crate) fn recognise(last: &mut Option<FileEvent>, messages: &mut [WatchMessage]) {
    if let (Some(before), Some(WatchMessage::Event(first))) = (&*last, messages.first_mut())
        && swaps(before, first)
    {
        // The first half is sent; the second alone says that both names are to be looked at.
        first.via = Via::Exchange;
    }
    let mut rest = &mut *messages;
    while let [first, after @ ..] = rest {
        if let (WatchMessage::Event(a), Some(WatchMessage::Event(b))) = (first, after.first_mut())
            && swaps(a, b)
        {
            a.via = Via::Exchange;
            b.via = Via::Exchange;
        }
        rest = after;
    }
    match messages.last() {
        Some(WatchMessage::Event(event)) if is_whole(event) => *last = Some(event.clone()),
        Some(_) => *last = None,
        None => {}
    }
}

/// There and back again by one file is no exchange. Where the files are not known it is taken for one:
/// both names are then looked at, which is right in either case.
fn swaps(a: &FileEvent, b: &FileEvent) -> bool {
    let crossed = a.from == b.place && a.place == b.from;
    let pid = |event: &FileEvent| event.actor.as_ref().map(|actor| actor.pid);
    let one_file = a.file.is_some() && a.file == b.file;
    is_whole(a) && is_whole(b) && crossed && !one_file && pid(a) == pid(b)
}

fn is_whole(event: &FileEvent) -> bool {
    event.via == Via::Rename && event.from.is_some() && event.place.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::{FileId, Place};
    use std::path::PathBuf;
    use std::time::SystemTime;

    fn rename(inode: u64, from: &str, to: &str) -> WatchMessage {
        let place = |name| Some(Place::Path(PathBuf::from(name)));
        let mut event = FileEvent::new(SystemTime::UNIX_EPOCH, Via::Rename);
        event.file = Some(FileId { inode, device: 1, generation: 0 });
        (event.from, event.place) = (place(from), place(to));
        WatchMessage::Event(event)
    }

    fn kinds(mut messages: Vec<WatchMessage>) -> Vec<Via> {
        recognise(&mut None, &mut messages);
        let via = |message| match message {
            WatchMessage::Event(event) => event.via,
            other => panic!("{other:?}"),
        };
        messages.into_iter().map(via).collect()
    }

    #[test]
    fn only_two_files_that_cross_are_an_exchange() {
        let (swap, move_) = (Via::Exchange, Via::Rename);
        let table = [
            (vec![rename(1, "a", "b"), rename(2, "b", "a")], vec![swap, swap]),
            (vec![rename(1, "a", "b"), rename(1, "b", "a")], vec![move_, move_]),
            (vec![rename(1, "a", "b"), rename(2, "c", "a")], vec![move_, move_]),
            (vec![rename(3, "x", "a"), rename(1, "a", "b"), rename(2, "b", "a")], vec![move_, swap, swap]),
            (vec![rename(1, "a", "b")], vec![move_]),
            (vec![], vec![]),
        ];
        for (messages, expected) in table {
            assert_eq!(kinds(messages), expected);
        }
    }

    #[test]
    fn a_half_that_was_sent_before() {
        let mut last = None;
        let mut first = [rename(1, "a", "b")];
        assert!(may_go_on(&first));
        recognise(&mut last, &mut first);
        recognise(&mut last, &mut []);
        let mut second = [rename(2, "b", "a"), rename(2, "a", "c")];
        recognise(&mut last, &mut second);
        let vias: Vec<_> = second
            .iter()
            .map(|message| match message {
                WatchMessage::Event(event) => event.via,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(vias, [Via::Exchange, Via::Rename]);
    }
}
