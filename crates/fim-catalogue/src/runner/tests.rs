use super::*;
use crate::case::{done, way};

fn seen(action: Action, path: &str, pids: &[u32]) -> Seen {
    Seen {
        at: Duration::from_millis(1_050),
        action,
        path: Scene::new(Path::new("/w"), "c").at(path),
        previous: None,
        changes: vec!["content".to_owned()],
        pids: pids.to_vec(),
        described: Vec::new(),
        live: true,
    }
}

fn verdict(case: &Case, lines: &[Seen], held: bool) -> Verdict {
    let scene = Scene::new(Path::new("/w"), "c");
    judge(case, &scene, lines, Duration::from_secs(1), &[7], held).verdict
}

#[test]
fn verdicts() {
    let case = way("write", "c", "", |_, _| done()).updates("f");
    let by = |pids: &[u32]| vec![seen(Action::Updated, "f", pids)];
    assert_eq!(verdict(&case, &by(&[7]), true), Verdict::Full);
    assert_eq!(verdict(&case, &by(&[3, 7]), true), Verdict::Full);
    assert_eq!(verdict(&case, &by(&[7]), false), Verdict::Late);
    assert_eq!(verdict(&case, &by(&[]), true), Verdict::NoActor);
    assert_eq!(verdict(&case, &by(&[8]), true), Verdict::NoActor);
    assert_eq!(verdict(&case, &[seen(Action::Updated, "other", &[7])], true), Verdict::Missed);
    assert_eq!(verdict(&case, &[seen(Action::Created, "f", &[7])], true), Verdict::Missed);
    let mut slow = by(&[7]);
    slow[0].at = Duration::from_secs(9);
    assert_eq!(verdict(&case, &slow, true), Verdict::Late);
    let mut compared = by(&[]);
    compared[0].live = false;
    assert_eq!(verdict(&case, &compared, true), Verdict::Late);
    compared[0].pids = vec![8];
    assert_eq!(verdict(&case, &compared, true), Verdict::NoActor);
    assert_eq!(verdict(&case.clone().by_the_kernel(), &by(&[]), true), Verdict::Full);
}

#[test]
fn nothing_may_come_of_nothing() {
    let case = way("nothing", "c", "", |_, _| done());
    let mut touched = vec![seen(Action::Updated, "f", &[7])];
    assert_eq!(verdict(&case, &[], true), Verdict::Quiet);
    assert_eq!(verdict(&case, &touched, true), Verdict::FalseAlarm);
    assert_eq!(verdict(&case.clone().may_touch(), &touched, true), Verdict::FalseAlarm);
    touched[0].changes = vec!["touched".to_owned()];
    assert_eq!(verdict(&case.may_touch(), &touched, true), Verdict::Quiet);
}

#[test]
fn who_is_to_be_named() {
    let case = way("write", "c", "", |_, _| done()).updates("f");
    let scene = Scene::new(Path::new("/w"), "c");
    let verdict = |case: &Case, lines: &[Seen]| {
        judge(case, &scene, lines, Duration::from_secs(1), &[7, 8], true).verdict
    };
    let mut lines = vec![seen(Action::Updated, "f", &[7])];
    assert_eq!(verdict(&case, &lines), Verdict::Full);
    assert_eq!(verdict(&case.clone().described(), &lines), Verdict::NoActor);
    assert_eq!(verdict(&case.clone().by_everybody(), &lines), Verdict::NoActor);
    lines[0].described = vec![7];
    assert_eq!(verdict(&case.clone().described(), &lines), Verdict::Full);
    lines.push(seen(Action::Updated, "f", &[8]));
    assert_eq!(verdict(&case.by_everybody(), &lines), Verdict::Full, "by another line");
}

#[test]
fn what_came_besides_is_told() {
    let case = way("write", "c", "", |_, _| done()).updates("f");
    let lines = [seen(Action::Updated, "f", &[7]), seen(Action::Created, "x", &[7])];
    let scene = Scene::new(Path::new("/w"), "c");
    let outcome = judge(&case, &scene, &lines, Duration::from_secs(1), &[7], true);
    assert_eq!(outcome.verdict, Verdict::Full);
    assert_eq!(outcome.after, Some(Duration::from_millis(50)));
    assert_eq!(outcome.note, "besides: created x [content]");
}
