use super::*;
use crate::event::Actor;
use std::sync::Arc;

const KNOWN: Name = Name { temporary: false, known: true };
const NEW: Name = Name { temporary: false, known: false };

fn event(via: Via) -> FileEvent {
    let mut event = FileEvent::new(SystemTime::UNIX_EPOCH, via);
    event.settled = via == Via::Close;
    if via.is_namespace() {
        event.place = Some(crate::event::Place::Path("/f".into()));
    }
    event
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn a_closed_file_is_looked_at_once_and_an_open_one_after_a_moment() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.mark(Path::new("/f"), &event(Via::Write), KNOWN, now);
    assert!(queue.pop(now).is_none());
    assert_eq!(queue.next_due(), Some(now + SETTLE));
    queue.mark(Path::new("/f"), &event(Via::Close), KNOWN, now + ms(1));
    let (path, item) = queue.pop(now + ms(1)).unwrap();
    assert_eq!((path.as_path(), item.via), (Path::new("/f"), Via::Write));
    assert!(queue.len() == 0);
}

#[test]
fn a_new_name_settles_and_a_temporary_one_longer() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.mark(Path::new("/new"), &event(Via::Create), NEW, now);
    queue.mark(Path::new("/new"), &event(Via::Close), NEW, now);
    assert_eq!(queue.next_due(), Some(now + SETTLE));
    let temporary = Name { temporary: true, known: false };
    queue.mark(Path::new("/tmp"), &event(Via::Create), temporary, now);
    assert!(queue.pop(now + SETTLE).is_some());
    assert!(queue.pop(now + SETTLE).is_none());
    assert!(queue.pop(now + TEMPORARY).is_some());
}

#[test]
fn only_a_new_name_is_asked_about() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let mut close = event(Via::Close);
    close.place = Some(crate::event::Place::Path("/f".into()));
    assert!(!queue.asks_for_name(Path::new("/f"), &close));
    queue.mark(Path::new("/f"), &close, KNOWN, now);
    assert!(!queue.asks_for_name(Path::new("/f"), &close));
    assert!(queue.asks_for_name(Path::new("/f"), &event(Via::Create)));
    queue.mark(Path::new("/f"), &event(Via::Create), NEW, now);
    assert!(queue.asks_for_name(Path::new("/f"), &close), "so that the wait goes on");
    assert!(!queue.asks_for_name(Path::new("/f"), &event(Via::Write)), "no name came with it");
}

#[test]
fn a_write_by_identity_alone_does_not_end_the_wait_of_a_new_name() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let temporary = Name { temporary: true, known: false };
    queue.mark(Path::new("/sedAbC123"), &event(Via::Create), temporary, now);
    queue.mark(Path::new("/sedAbC123"), &event(Via::Close), KNOWN, now);
    assert!(queue.pop(now + SETTLE).is_none());
    assert!(queue.pop(now + TEMPORARY).is_some());
}

#[test]
fn a_temporary_name_that_went_is_waited_for_no_longer() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let temporary = Name { temporary: true, known: false };
    queue.mark(Path::new("/a.lock"), &event(Via::Create), temporary, now);
    queue.mark(Path::new("/a.lock"), &event(Via::Unlink), temporary, now);
    assert!(queue.pop(now + SETTLE).is_some());
}

#[test]
fn a_hot_file_is_looked_at_less_and_less() {
    let (mut queue, mut now) = (Queue::default(), Instant::now());
    let mut looks = 0;
    for _ in 0..10_000 {
        queue.mark(Path::new("/hot"), &event(Via::Close), KNOWN, now);
        looks += u32::from(queue.pop(now).is_some());
        now += ms(1);
    }
    assert!((10..=16).contains(&looks), "{looks} looks in ten seconds");
    assert!(queue.pop(now + HOTTEST).is_some(), "the last change is not forgotten");
}

#[test]
fn a_mapped_file_is_looked_at_until_its_last_close() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.mark(Path::new("/m"), &event(Via::Mmap), KNOWN, now);
    for round in 0..3 {
        assert!(queue.pop(now + SETTLE + OPEN * (round + 1)).is_some());
    }
    queue.mark(Path::new("/m"), &event(Via::Close), KNOWN, now);
    assert!(queue.pop(now + OPEN * 9).is_some());
    assert!(queue.len() == 0);
}

#[test]
fn every_writer_is_named_once_and_the_last_is_last() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for pid in [1, 2, 1] {
        let mut event = event(Via::Write);
        event.actor = Some(Arc::new(Actor::new(pid)));
        queue.mark(Path::new("/f"), &event, KNOWN, now);
    }
    let item = queue.take(Path::new("/f")).unwrap();
    assert_eq!(item.actors.iter().map(|actor| actor.pid).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn what_was_learned_of_a_writer_outlives_it() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let mut named = Actor::new(1);
    named.name = Some("sed".into());
    for actor in [named.clone(), Actor::new(1)] {
        let mut event = event(Via::Write);
        event.actor = Some(Arc::new(actor));
        queue.mark(Path::new("/f"), &event, KNOWN, now);
    }
    assert_eq!(queue.take(Path::new("/f")).unwrap().actors, [Arc::new(named)]);
}

#[test]
fn what_a_scan_found_waits_for_who_did_it() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.mark_scanned(Path::new("/f"), now);
    assert!(queue.pop(now + SETTLE).is_none());
    let item = queue.pop(now + SCANNED).unwrap().1;
    assert!(item.is_by_scan());
    assert!(queue.postpone(Path::new("/f"), item.clone(), now + SCANNED).is_none());
    assert!(queue.pop(now + SCANNED).is_none());
    assert!(queue.postpone(Path::new("/f"), item, now + SCANNED_AT_MOST * 2).is_some());

    queue.mark(Path::new("/g"), &event(Via::Write), KNOWN, now);
    queue.mark_scanned(Path::new("/g"), now);
    assert!(!queue.pop(now + SETTLE).unwrap().1.is_by_scan());
    queue.mark_scanned(Path::new("/h"), now);
    queue.mark(Path::new("/h"), &event(Via::Close), KNOWN, now);
    assert!(queue.pop(now).is_some(), "an event does not wait");
}

#[test]
fn what_cooled_down_is_forgotten() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let many = 4 * REMEMBERED;
    for number in 0..many {
        queue.heat(&PathBuf::from(number.to_string()), now);
    }
    assert_eq!(queue.hot.len(), many, "all are hot");
    for number in 0..many {
        queue.heat(&PathBuf::from(format!("later/{number}")), now + COOL);
    }
    assert!(queue.hot.len() <= many, "those of before are gone");
}

#[test]
fn a_name_marked_ever_again_takes_no_more_room() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for number in 0..100_000 {
        queue.mark(Path::new("/f"), &event(Via::Write), KNOWN, now + ms(number));
    }
    assert!(queue.due.len() < 2_000, "{} entries", queue.due.len());
    assert!(queue.pop(now + SETTLE).is_some());
    assert!(queue.pop(now + HOTTEST * 200).is_none());
}

#[test]
fn what_is_below_a_renamed_directory_is_renamed() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.mark(Path::new("/a/x"), &event(Via::Write), KNOWN, now);
    queue.rename_tree(Path::new("/a"), Path::new("/b"));
    assert_eq!(queue.pop(now + SETTLE).unwrap().0, Path::new("/b/x"));
}
