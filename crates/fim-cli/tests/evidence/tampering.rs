//! What is done to the agent itself is told.

use crate::house::{House, Watch, is_root};
use rustix::process::Signal;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// Those so far, against this.
fn told(written: &str, against: &str) -> Vec<Value> {
    let lines = written.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| {
            line["event"]["action"] == "tampering" && line["fim"]["tampering"]["against"] == against
        })
        .collect()
}

fn wait_for(watch: &Watch, against: &str) -> Value {
    watch.wait_until(|written| !told(written, against).is_empty(), against);
    told(&watch.written(), against).remove(0)
}

#[test]
fn a_stopped_process_says_so_when_it_can() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let watch = house.watch(&[]);
    watch.signal(Signal::STOP);
    // It must be stopped for a while: that is what is tested.
    std::thread::sleep(Duration::from_secs(2));
    house.write("a", "changed meanwhile");
    watch.signal(Signal::CONT);
    let able = Instant::now();
    let line = wait_for(&watch, "process");
    assert!(able.elapsed() < Duration::from_secs(5));
    assert_eq!((&line["event"]["kind"], &line["event"]["severity"]), (&"alert".into(), &90.into()));
    assert!(line["fim"]["tampering"]["lasted"].as_u64().unwrap() > 500, "{line}");
    watch.wait_for(r#""name":"a""#);
    watch.stop();
}

#[test]
fn its_configuration_and_program_are_watched() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let config = house.dir.path().join("fim.toml");
    let program = house.dir.path().join("fim");
    fs::copy(env!("CARGO_BIN_EXE_fim"), &program).unwrap();
    fs::write(&config, "# nothing\n").unwrap();
    let watch = house.watch_by(&program, &["--config", config.to_str().unwrap()]);
    fs::write(&config, "# something\n").unwrap();
    let line = wait_for(&watch, "configuration");
    assert_eq!(line["fim"]["tampering"]["path"], config.canonicalize().unwrap().to_str().unwrap());
    let id = line["fim"]["tampering"]["change"].as_str().unwrap();
    let written = watch.written();
    let change = written.lines().find(|line| line.contains(&format!(r#""id":"{id}""#))).unwrap();
    assert!(change.contains(r#""action":"updated""#), "{change}");
    watch.stop();

    // While nothing runs, too.
    fs::set_permissions(&program, Permissions::from_mode(0o775)).unwrap();
    let watch = house.watch_by(&program, &["--config", config.to_str().unwrap()]);
    let line = wait_for(&watch, "binary");
    assert_eq!(line["event"]["severity"], 90);
    watch.stop();
    assert_eq!(house.verify(&[]).0, 0);
}

#[test]
fn its_state_folder_is_watched() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let watch = house.watch(&[]);
    fs::set_permissions(&house.state, Permissions::from_mode(0o777)).unwrap();
    let line = wait_for(&watch, "state");
    assert_eq!(line["fim"]["tampering"]["path"], house.state.to_str().unwrap());
    fs::set_permissions(&house.state, Permissions::from_mode(0o700)).unwrap();
    watch.stop();
}

#[test]
fn an_older_copy_of_the_whole_state_is_told() {
    if !is_root() {
        return;
    }
    let house = House::new();
    house.watch(&[]).stop();
    let old = house.dir.path().join("old");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
    };
    copy(&house.state, &old);
    house.write("a", "changed");
    house.watch(&[]).stop();
    fs::remove_dir_all(&house.state).unwrap();
    copy(&old, &house.state);
    // Whoever reads the lines must hear of it, though `check` opened it first.
    assert_eq!(house.fim("check", &[house.watched.to_str().unwrap()]).0, 1);
    let watch = house.watch(&[]);
    assert_eq!(wait_for(&watch, "state")["event"]["severity"], 70);
    // What the older one did not know is told again.
    watch.wait_for(r#""name":"a""#);
    watch.stop();
    let watch = house.watch(&[]);
    assert_eq!(told(&watch.written(), "state").len(), 0);
    watch.stop();
}
