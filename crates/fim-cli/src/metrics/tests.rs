//! Golden texts; and the tools that read them, where they are installed.

use super::graphite::{Names, Pace};
use super::push::Push;
use super::*;
use crate::config::Graphite;
use fim_core::{Phase, Severity};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

fn sample() -> Sample {
    let mut now = Now::default();
    (now.phase, now.watcher) = (Phase::Watching, "bpf");
    (now.files, now.dirs, now.marks, now.marks_limit) = (1204, 98, 1302, 65_536);
    (now.events, now.looks, now.findings) = (901, 44, 7);
    now.by_severity = [(("users", Severity::Critical), 1), (("generic", Severity::Routine), 6)].into();
    (now.lost, now.recovered, now.gaps, now.gaps_open) = (17, 3, 2, 1);
    (now.queued, now.pending) = (5, 9);
    now.latency.counts[0] = 4;
    now.latency.counts[2] = 2;
    now.latency.counts[11] = 1;
    now.latency.sum = Duration::from_millis(31_250);
    Sample {
        now,
        version: "0.1.12",
        started: Duration::from_millis(1_700_000_000_500),
        uptime: Duration::from_secs(61),
    }
}

fn names() -> Names {
    Names::new("security.", "Web Server", "db-01.example.org")
}

#[test]
fn graphite_golden() {
    let [hour, minute] =
        [Pace::Hourly, Pace::Minutely].map(|pace| graphite::lines(&sample(), &names(), pace, 1_700_000_061));
    assert_eq!(format!("{hour}\n{minute}"), include_str!("graphite.golden"));
}

#[test]
fn prometheus_golden() {
    assert_eq!(prometheus::text(&sample()), include_str!("prometheus.golden"));
}

#[test]
fn promtool_has_nothing_to_say() {
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no promtool (Debian: prometheus)");
        return;
    };
    child.stdin.take().unwrap().write_all(prometheus::text(&sample()).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn a_role_is_read_from_a_file_of_keys_and_values() {
    let text = "# comment\nname = x\nrole: db master\nrole: second\n";
    assert_eq!(role_in(text, "role", ":").as_deref(), Some("db master"));
    assert_eq!(role_in(text, "name", "=").as_deref(), Some("x"));
    assert_eq!(role_in(text, "none", ":"), None);
}

#[test]
fn lines_and_files_go_where_they_are_to_go() {
    let dir = tempfile::tempdir().unwrap();
    let carbon = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Metrics {
        graphite: Some(Graphite::Tcp(carbon.local_addr().unwrap().to_string())),
        textfile: Some(dir.path().join("fim.prom")),
        ..Metrics::default()
    };
    let mut push = Push::new(&config, names()).unwrap();
    let mut got = Vec::new();
    for _ in 0..2 {
        push.send(&sample());
        let mut text = String::new();
        carbon.accept().unwrap().0.read_to_string(&mut text).unwrap();
        got.push(text);
    }
    assert!(got[0].contains(".version.hourly 112 ") && !got[1].contains(".hourly "), "{got:?}");
    assert!(got[1].lines().all(|line| line.split(' ').count() == 3), "{got:?}");
    assert_eq!(std::fs::read_to_string(dir.path().join("fim.prom")).unwrap(), prometheus::text(&sample()));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    // A receiver that is gone is no reason to end.
    drop(carbon);
    push.send(&sample());
}
