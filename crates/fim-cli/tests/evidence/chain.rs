//! `fim verify` on what `fim run` wrote.

use crate::house::{House, is_root};
use rustix::process::Signal;
use std::fs;

/// A log of two watches, the first of which ended in this way.
fn log(end: Signal) -> House {
    let house = House::new();
    let watch = house.watch(&[]);
    house.write("a", "changed");
    watch.wait_for(r#""path":"#);
    watch.end(end);
    house.write("b", "changed while nothing ran");
    let watch = house.watch(&[]);
    house.write("c", "new");
    watch.wait_for(r#""name":"c""#);
    watch.stop();
    house
}

#[test]
fn a_log_is_whole_across_restarts_and_a_kill() {
    if !is_root() {
        return;
    }
    let house = log(Signal::KILL);
    let (code, out, err) = house.verify(&[]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("\nwhole  ") || out.starts_with("whole  "), "{out}");
}

#[test]
fn a_rotated_log_is_verified_in_parts() {
    if !is_root() {
        return;
    }
    let house = log(Signal::TERM);
    let lines = house.lines();
    let parts = ["log.1", "log.2"].map(|name| house.dir.path().join(name).to_str().unwrap().to_owned());
    fs::write(&parts[0], lines[..2].join("\n") + "\n").unwrap();
    fs::write(&parts[1], lines[2..].join("\n") + "\n").unwrap();
    assert_eq!(house.fim("verify", &[&parts[0], &parts[1]]).0, 0);
    let (code, out, _) = house.fim("verify", &[&parts[1]]);
    assert_eq!(code, 1);
    assert!(out.contains("log.2:1: sequence 3: the log begins here"), "{out}");
    let (code, _, err) = house.fim("verify", &["/nonexistent"]);
    assert_eq!(code, 2);
    assert!(err.contains("/nonexistent"), "{err}");
}

#[test]
fn lines_in_any_order_and_again_are_verified() {
    if !is_root() {
        return;
    }
    let house = log(Signal::KILL);
    let mut lines = house.lines();
    lines.extend(log(Signal::TERM).lines());
    lines.extend_from_within(1..3);
    lines.reverse();
    let mixed = house.dir.path().join("mixed").to_str().unwrap().to_owned();
    fs::write(&mixed, lines.join("\n") + "\n").unwrap();
    assert_eq!(house.fim("verify", &[&mixed]).0, 1);
    let (code, out, _) = house.fim("verify", &["--unordered", &mixed]);
    assert_eq!((code, out.matches("whole  ").count()), (0, 2), "{out}");

    lines.remove(3);
    let gone = lines[1].clone();
    lines.retain(|line| *line != gone);
    fs::write(&mixed, lines.join("\n") + "\n").unwrap();
    let (code, out, _) = house.fim("verify", &["--unordered", &mixed]);
    assert_eq!(code, 1);
    assert!(out.contains("broken"), "{out}");
}

#[test]
fn what_is_wrong_with_a_log_is_named() {
    if !is_root() {
        return;
    }
    let house = log(Signal::TERM);
    let lines = house.lines();
    let at = |line: usize| format!("broken  {}:{line}: ", house.log.display());
    let altered = |old: &str, new: &str| {
        let mut lines = lines.clone();
        assert!(lines[1].contains(old), "{}", lines[1]);
        lines[1] = lines[1].replace(old, new);
        lines
    };
    let mut gone = lines.clone();
    gone.remove(1);
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    for (lines, place, said) in [
        (gone, 2, "sequence 3: sequence 2 to 2 is missing"),
        (swapped, 2, "out of order"),
        (altered(r#""name":"a""#, r#""name":"z""#), 2, "sequence 2: this line was altered"),
        (altered("@timestamp", "timestamp"), 2, "this line was altered"),
        (altered(r#","chain""#, r#","chains""#), 2, "this line was altered"),
        (lines[1..].to_vec(), 1, "the log begins here"),
    ] {
        house.set_lines(&lines);
        let (code, out, _) = house.verify(&[]);
        assert_eq!(code, 1, "{out}");
        assert!(out.contains(&at(place)) && out.contains(said), "{said}: {out}");
    }
    fs::write(&house.log, "").unwrap();
    let (code, out, _) = house.verify(&[]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("no line of a chain"), "{out}");
}

#[test]
fn a_lost_state_begins_a_chain_and_check_leaves_it_alone() {
    if !is_root() {
        return;
    }
    let house = House::new();
    house.watch(&[]).stop();
    fs::write(house.state.join("STATE"), "nonsense").unwrap();
    // Whoever reads the lines of the watch must hear of it too, though `check` noticed it first.
    let watched = house.watched.to_str().unwrap();
    let (code, out, err) = house.fim("check", &[watched]);
    assert_eq!(code, 2, "{err}");
    assert!(out.contains("baseline_lost") && !out.contains("chain"), "{out}");
    house.write("a", "changed");
    house.watch(&[]).stop();
    assert_eq!(house.fim("check", &[watched]).0, 0);
    house.write("b", "changed");
    let (code, out, _) = house.fim("check", &[watched]);
    assert_eq!(code, 1);
    assert!(out.contains(r#""sequence":1,"#) && !out.contains("chain"), "{out}");
    house.watch(&[]).stop();
    let (code, out, _) = house.verify(&[]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("a new chain begins"), "{out}");
    assert_eq!(house.lines().iter().filter(|line| line.contains("baseline_lost")).count(), 1);
}

#[test]
fn lines_under_a_key_need_it() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let config = house.dir.path().join("fim.toml");
    fs::write(&config, "[evidence]\nkeyed = true\n").unwrap();
    house.watch(&["--config", config.to_str().unwrap()]).stop();
    let (code, _, err) = house.verify(&[]);
    assert_eq!(code, 2);
    assert!(err.contains("--key"), "{err}");
    let key = house.state.join("key");
    assert_eq!(house.verify(&["--key", key.to_str().unwrap()]).0, 0);
}

#[test]
fn a_signed_log_is_tried_with_the_public_key_alone() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let config = house.dir.path().join("fim.toml");
    fs::write(&config, "[evidence]\nsign = true\n").unwrap();
    let options = ["--config", config.to_str().unwrap()];
    let watch = house.watch(&options);
    house.write("a", "changed");
    watch.wait_for(r#""name":"a""#);
    watch.stop();
    house.watch(&options).stop();
    let key = fs::read_to_string(house.state.join("signing-key.pub")).unwrap();
    let with_key = ["--public-key", key.trim()];
    let (code, out, err) = house.verify(&with_key);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("signed  sequence 1 to 5; the 0 after it are not yet"), "{out}");
    assert_eq!(house.verify(&[]).0, 0);
    // Another installation's.
    let other = House::new();
    other.watch(&options).stop();
    let (code, out, _) = other.verify(&with_key);
    assert_eq!(code, 1);
    assert!(out.contains("the signature is not of this key"), "{out}");
    assert_eq!(house.verify(&["--public-key", "nonsense"]).0, 2);
}

#[test]
fn lines_for_people_have_no_chain() {
    if !is_root() {
        return;
    }
    let house = House::new();
    house.watch(&[]).stop();
    let told = house.lines().len();
    let watch = house.begin(&["--format", "pretty"]);
    watch.wait_until(|written| !written.is_empty(), "line");
    watch.stop();
    house.watch(&[]).stop();
    let (code, out, _) = house.verify(&[]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains(&format!("sequence {} to", told + 1)) && out.contains("has no chain"), "{out}");
}

#[test]
fn ocsf_lines_have_a_chain_too() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let form = ["--format", "ocsf"];
    let watch = house.begin(&form);
    watch.wait_for(r#""activity_name":"Start""#);
    house.write("a", "changed");
    watch.wait_for(r#""name":"a""#);
    watch.stop();
    fs::write(house.state.join("STATE"), "nonsense").unwrap();
    let watch = house.begin(&form);
    watch.wait_for(r#""activity_name":"Start""#);
    watch.stop();
    let (code, out, _) = house.verify(&[]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("a new chain begins") && !out.contains("the last line is not"), "{out}");
}
