//! What `fim` may still do once it has begun, and that it can do its work so.

use crate::house::{House, is_root};
use rustix::process::Signal;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_SYS_PTRACE and CAP_SYS_ADMIN: linux/capability.h.
const KEPT: u64 = 1 << 2 | 1 << 3 | 1 << 19 | 1 << 21;

/// The values of a key in /proc/PID/status, for every thread.
fn of_threads(pid: u32, key: &str) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let status = threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("status")).unwrap());
    status.map(|text| value(&text, key)).collect()
}

fn value(status: &str, key: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(":\t"));
    line.unwrap_or_else(|| panic!("no {key} in {status}")).to_owned()
}

#[test]
fn every_thread_has_given_up_what_it_does_not_need_and_does_its_work() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let metrics = house.dir.path().join("metrics");
    fs::create_dir(&metrics).unwrap();
    let config = house.dir.path().join("fim.toml");
    fs::write(&config, format!("[metrics]\ntextfile = {:?}\nevery = 1\n", metrics.join("fim.prom"))).unwrap();
    let watch = house.watch(&["--config", config.to_str().unwrap()]);
    let pid = watch.pid();
    let threads = of_threads(pid, "CapEff");
    assert!(threads.len() > 5, "{threads:?}");
    for (key, wanted) in [("NoNewPrivs", "1"), ("Seccomp", "2")] {
        assert!(of_threads(pid, key).iter().all(|found| found == wanted), "{key}");
    }
    for key in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        for found in of_threads(pid, key) {
            assert_eq!(u64::from_str_radix(&found, 16).unwrap() & !KEPT, 0, "{key} {found}");
        }
    }
    assert!(watch.written().contains("confined: capabilities "), "{}", watch.written());
    // It takes no more memory than it asked for: proc(5), since Linux 5.0.
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(!status.contains("THP_enabled:\t1"), "{status}");

    // What it does goes on: it says who, it loads its configuration, it answers, it writes metrics.
    house.write("a", "changed");
    watch.wait_for(r#""name":"a""#);
    let myself = std::env::current_exe().unwrap();
    let executable = format!(r#""executable":"{}""#, myself.display());
    assert!(watch.written().contains(&executable), "{}", watch.written());
    watch.signal(Signal::HUP);
    watch.wait_for("config_reloaded");
    assert_eq!(house.fim("status", &[]).0, 0);
    watch.wait_until(|_| metrics.join("fim.prom").exists(), "metrics");
    let refused = watch.complaints();
    watch.stop();
    assert!(!refused.contains("EPERM") && !refused.contains("Operation not permitted"), "{refused}");
    // And the state it leaves is as good as any.
    house.watch(&[]).stop();
    assert_eq!(house.verify(&[]).0, 0);
}

/// A comparison whose lines nobody takes yet stands still: what it may do can be seen.
#[test]
fn a_comparison_gives_up_as_much() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let watched = house.watched.to_str().unwrap();
    assert_eq!(house.fim("baseline", &[watched]).0, 0);
    // More lines than a pipe holds.
    for number in 0..2000 {
        house.write(&format!("new{number}"), "new");
    }
    let mut check = Command::new(env!("CARGO_BIN_EXE_fim"))
        .args(["check", watched, "--state"])
        .arg(&house.state)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(check.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    for (key, wanted) in [("NoNewPrivs", "1"), ("Seccomp", "2")] {
        assert!(of_threads(check.id(), key).iter().all(|found| found == wanted), "{key}");
    }
    for found in of_threads(check.id(), "CapEff") {
        // Nor does it ask who made a change.
        assert_eq!(u64::from_str_radix(&found, 16).unwrap() & !(KEPT & !(1 << 19)), 0, "{found}");
    }
    assert_eq!(lines.map(Result::unwrap).count(), 1999);
    assert_eq!(check.wait().unwrap().code(), Some(1));
}

#[test]
fn it_can_be_switched_off() {
    if !is_root() {
        return;
    }
    let house = House::new();
    let config = house.dir.path().join("fim.toml");
    fs::write(&config, "[process]\nconfine = false\n").unwrap();
    let watch = house.watch(&["--config", config.to_str().unwrap()]);
    let mine = value(&fs::read_to_string("/proc/self/status").unwrap(), "CapEff");
    assert!(of_threads(watch.pid(), "CapEff").iter().all(|found| *found == mine));
    assert!(watch.written().contains("not confined"), "{}", watch.written());
    watch.stop();
}

/// What is proved is proved before the calls that the proof makes are refused.
#[test]
fn what_is_seen_is_told_as_it_is_whether_confined_or_not() {
    if !is_root() {
        return;
    }
    let coverage = |confine: bool| {
        let house = House::new();
        let config = house.dir.path().join("fim.toml");
        fs::write(&config, format!("[process]\nconfine = {confine}\n")).unwrap();
        let watch = house.watch(&["--config", config.to_str().unwrap()]);
        let started: serde_json::Value =
            serde_json::from_str(watch.written().lines().next().unwrap()).unwrap();
        watch.stop();
        started["fim"]["coverage"].clone()
    };
    let free = coverage(false);
    assert!(free.is_object(), "{free}");
    assert_eq!(coverage(true), free);
}

#[test]
fn doctor_says_what_would_hold() {
    let house = House::new();
    let (_, out, _) = house.fim("doctor", &["--watcher", "fanotify"]);
    assert!(out.contains("\nconfinement confined: capabilities "), "{out}");
}
