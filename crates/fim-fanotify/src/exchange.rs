//! An exchange of two names comes as two renames, one right after the other. Here they become what they are.
//!
//! Pure: a list of events in, the same list out.

use fim_core::{FileEvent, Via, WatchMessage};

/// Marks both renames of each exchange in a row of messages.
///
/// There and back again by one file is no exchange: the two files differ, where the kernel names them.
pub(crate) fn recognise(messages: &mut [WatchMessage]) {
    let mut rest = messages;
    while let [first, after @ ..] = rest {
        if let (WatchMessage::Event(a), Some(WatchMessage::Event(b))) = (first, after.first_mut())
            && swaps(a, b)
        {
            a.via = Via::Exchange;
            b.via = Via::Exchange;
        }
        rest = after;
    }
}

fn swaps(a: &FileEvent, b: &FileEvent) -> bool {
    let renames = a.via == Via::Rename && b.via == Via::Rename;
    let crossed = a.from == b.place && a.place == b.from && a.from.is_some() && a.place.is_some();
    let pid = |event: &FileEvent| event.actor.as_ref().map(|actor| actor.pid);
    renames && crossed && a.file.is_some() && b.file.is_some() && a.file != b.file && pid(a) == pid(b)
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
        recognise(&mut messages);
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
}
