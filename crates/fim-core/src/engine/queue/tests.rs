use super::*;
use crate::event::Actor;
use proptest::prelude::*;
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
fn what_is_mapped_is_looked_at_until_its_last_writer_closes_whatever_it_is_called() {
    let (mut queue, mut now) = (Queue::default(), Instant::now());
    let (m, n) = (Path::new("/m"), Path::new("/n"));
    queue.mark(m, &event(Via::Mmap), KNOWN, now);
    assert!(queue.pop(now + SETTLE).is_some());
    let mut close = event(Via::Close);
    close.settled = false;
    queue.mark(m, &close, KNOWN, now);
    now += OPEN;
    assert!(queue.pop(now).is_some(), "another still has it");
    queue.rename_open(m, n, false);
    queue.mark(n, &event(Via::Rename), KNOWN, now);
    assert!(queue.pop(now + SETTLE).is_some());
    now += SETTLE + OPEN;
    let (path, item) = queue.pop(now).unwrap();
    assert_eq!(
        (path.as_path(), item.via),
        (Path::new("/m"), Via::Mmap),
        "which was noted under its old name"
    );
    queue.found_nothing(m);
    let (path, item) = queue.pop(now).unwrap();
    assert_eq!(path, n);
    assert!(item.at > SystemTime::UNIX_EPOCH, "what is found now came to be after the look before");
    queue.mark(n, &event(Via::Close), KNOWN, now);
    assert!(queue.pop(now + OPEN).is_some() && queue.pop(now + OPEN * 2).is_none());
}

#[test]
fn what_stands_for_a_lost_record_of_a_mapping_is_looked_at_until_the_last_close() {
    let (mut queue, mut now) = (Queue::default(), Instant::now());
    let m = Path::new("/m");
    queue.mark(m, &event(Via::Sweep), KNOWN, now);
    assert!(queue.pop(now + SETTLE).unwrap().1.swept);
    for _ in 0..2 {
        now += SETTLE + OPEN;
        let (_, item) = queue.pop(now).unwrap();
        assert!(!item.swept, "the loss was made up for by the first look");
    }
    queue.mark(m, &event(Via::Close), KNOWN, now);
    assert!(queue.pop(now + OPEN).is_some() && queue.pop(now + OPEN * 2).is_none());
    now += OPEN * 4;
    let mut settled = event(Via::Sweep);
    settled.settled = true;
    queue.mark(m, &settled, KNOWN, now);
    assert!(queue.pop(now + OPEN).is_some() && queue.pop(now + OPEN * 2).is_none());
}

#[test]
fn what_is_mapped_is_looked_at_again_when_its_new_name_was_taken_for_the_old_one() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let (m, n) = (Path::new("/m"), Path::new("/n"));
    queue.mark(m, &event(Via::Mmap), KNOWN, now);
    queue.rename_open(m, n, false);
    queue.mark(n, &event(Via::Rename), NEW, now).previous = Some(m.to_owned());
    assert!(queue.take_if_from(n, Path::new("/other"), now).is_none());
    assert!(queue.take_if_from(n, m, now).is_some());
    assert!(queue.pop(now + OPEN).is_some(), "it may change without an event");
}

#[test]
fn a_second_try_at_what_is_mapped_knows_what_the_first_one_knew() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let n = Path::new("/n");
    queue.mark(n, &event(Via::Mmap), KNOWN, now);
    let item = queue.mark(n, &event(Via::Rename), NEW, now);
    (item.previous, item.handed) = (Some("/m".into()), true);
    let (path, item) = queue.pop(now + SETTLE).unwrap();
    assert!(queue.again(&path, &item));
    let (_, again) = queue.pop(now + OPEN).unwrap();
    assert_eq!((again.via, &again.previous, again.handed), (Via::Rename, &item.previous, true));
    assert!(queue.pop(Instant::now() + OPEN * 2).is_some(), "it is looked at from time to time all the same");
}

#[test]
fn a_change_of_what_is_mapped_has_the_time_of_its_own_event() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.mark(Path::new("/m"), &event(Via::Mmap), KNOWN, now);
    assert!(queue.pop(now + SETTLE).is_some());
    let mut write = event(Via::Write);
    write.at = SystemTime::now() + ms(9000);
    queue.mark(Path::new("/m"), &write, KNOWN, now + SETTLE);
    let (_, item) = queue.pop(now + OPEN).unwrap();
    assert_eq!(item.at, write.at);
}

#[test]
fn two_that_are_mapped_change_their_names() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let (m, n) = (Path::new("/m"), Path::new("/n"));
    queue.mark(m, &event(Via::Mmap), KNOWN, now);
    queue.mark(n, &event(Via::Aio), KNOWN, now);
    queue.rename_open(m, n, true);
    assert_eq!(queue.open.event(m).map(|event| event.via), Some(Via::Aio));
    assert_eq!(queue.open.event(n).map(|event| event.via), Some(Via::Mmap));
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
    assert!(queue.pop(now + ms(1000)).is_some(), "the last change is not forgotten");
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
fn a_process_that_became_another_user_is_two_writers() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for uid in [0, 1000, 1000] {
        let mut actor = Actor::new(1);
        actor.uid = Some(uid);
        let mut event = event(Via::Write);
        event.actor = Some(Arc::new(actor));
        queue.mark(Path::new("/f"), &event, KNOWN, now);
    }
    let item = queue.take(Path::new("/f")).unwrap();
    assert_eq!(item.actors.iter().map(|actor| actor.uid).collect::<Vec<_>>(), [Some(0), Some(1000)]);
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
fn what_is_hastened_comes_in_the_order_of_its_names() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for (number, path) in ["/b/c/d", "/a", "/b/c", "/b/a", "/b", "/"].iter().enumerate() {
        let via = if number % 2 == 0 { Via::Close } else { Via::Write };
        queue.mark(Path::new(path), &event(via), KNOWN, now + ms(number as u64));
    }
    queue.hasten(true, now + ms(10));
    let taken = std::iter::from_fn(|| queue.pop(now + ms(10)).map(|(path, _)| path));
    assert!(taken.eq(["/", "/a", "/b", "/b/a", "/b/c", "/b/c/d"].map(PathBuf::from)));
}

#[test]
fn what_is_put_back_is_not_taken_again_in_the_same_go() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for path in ["/moving", "/other"] {
        queue.mark(Path::new(path), &event(Via::Write), KNOWN, now);
    }
    let (path, item) = queue.pop_early(now).unwrap();
    assert!(queue.again(&path, &item));
    let (other, _) = queue.pop_early(now).unwrap();
    assert_ne!(other, path);
    assert!(queue.pop_early(now).is_none(), "what comes meanwhile is heard first");
    queue.end_go();
    assert_eq!(queue.pop_early(now).unwrap().0, path);
    queue.end_go();
    // What is marked anew is another matter.
    queue.mark(&path, &event(Via::Write), KNOWN, now);
    let (path, item) = queue.pop_early(now).unwrap();
    assert!(queue.again(&path, &item));
    queue.mark(&path, &event(Via::Close), KNOWN, now);
    assert!(queue.pop_early(now).is_some());
}

#[test]
fn a_name_marked_ever_again_takes_no_more_room() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for number in 0..100_000 {
        queue.mark(Path::new("/f"), &event(Via::Write), KNOWN, now + ms(number));
    }
    assert_eq!(queue.due.len(), 1, "what is put off keeps its one place");
    assert!(queue.pop(now + SETTLE).is_some());
    assert!(queue.pop(now + ms(200_000)).is_none());
}

#[test]
fn what_is_below_a_renamed_directory_is_renamed() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.mark(Path::new("/a/x"), &event(Via::Write), KNOWN, now);
    queue.rename_tree(Path::new("/a"), Path::new("/b"));
    assert_eq!(queue.pop(now + SETTLE).unwrap().0, Path::new("/b/x"));
}

#[derive(Clone, Debug)]
enum Step {
    Mark(u8, Via, Option<u32>),
    NotBefore(u8, u64),
    Scanned(u8),
    Again(u8),
    WaitBehind(u8, u8),
    Rename(u8, u8),
    Hasten(bool),
    Pass(u64),
    Pop,
    PopEarly,
}

fn any_step() -> impl Strategy<Value = Step> {
    let path = || 0..6_u8;
    let via =
        prop::sample::select(vec![Via::Write, Via::Close, Via::Create, Via::Unlink, Via::Mmap, Via::Sweep]);
    let user = prop::option::of(prop::sample::select(vec![0, 7, 8]));
    prop_oneof![
        4 => (path(), via, user).prop_map(|(path, via, user)| Step::Mark(path, via, user)),
        1 => (path(), 0..3000_u64).prop_map(|(path, after)| Step::NotBefore(path, after)),
        1 => path().prop_map(Step::Scanned),
        1 => path().prop_map(Step::Again),
        1 => (path(), path()).prop_map(|(path, other)| Step::WaitBehind(path, other)),
        1 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => any::<bool>().prop_map(Step::Hasten),
        2 => (0..1500_u64).prop_map(Step::Pass),
        4 => Just(Step::Pop),
        1 => Just(Step::PopEarly),
    ]
}

proptest! {
    #[test]
    fn what_waits_is_given_when_it_is_due_and_never_forgotten(steps in prop::collection::vec(any_step(), 1..80)) {
        let path = |number: u8| PathBuf::from(format!("/d{}/f{}", number % 2, number));
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        for step in steps {
            match step {
                Step::Mark(at, via, user) => {
                    let mut event = event(via);
                    let mut actor = Actor::new(1);
                    actor.uid = user;
                    event.actor = Some(Arc::new(actor));
                    queue.mark(&path(at), &event, KNOWN, now);
                }
                Step::NotBefore(at, after) => queue.not_before(&path(at), now + ms(after)),
                Step::Scanned(at) => queue.mark_scanned(&path(at), now),
                Step::Again(at) => {
                    if let Some(item) = queue.take(&path(at)) {
                        let _enough = queue.again(&path(at), &item);
                    }
                }
                Step::WaitBehind(at, other) => queue.wait_behind(&path(at), &path(other)),
                Step::Rename(from, to) => {
                    queue.rename_tree(Path::new(&format!("/d{from}")), Path::new(&format!("/d{to}")));
                }
                Step::Hasten(everything) => queue.hasten(everything, now),
                Step::Pass(time) => now += ms(time),
                Step::PopEarly => {
                    let is_wanted = queue.items.iter_mut().any(|(_, item)| !item.is_open() || item.due <= now);
                    prop_assert_eq!(queue.pop_early(now).is_some(), is_wanted);
                    queue.end_go();
                }
                Step::Pop => {
                    let is_due = queue.items.iter_mut().any(|(_, item)| item.due <= now);
                    let popped = queue.pop(now);
                    prop_assert_eq!(popped.is_some(), is_due);
                    prop_assert!(popped.is_none_or(|(_, item)| item.due <= now));
                }
            }
            let first = queue.items.iter_mut().map(|(_, item)| item.due).min();
            prop_assert_eq!(queue.next_due(), first);
        }
    }
}
