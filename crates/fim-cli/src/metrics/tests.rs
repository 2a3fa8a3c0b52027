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
    now.refused = Some("line 3".to_owned());
    now.latency.counts[0] = 4;
    now.latency.counts[2] = 2;
    now.latency.counts[11] = 1;
    now.latency.sum = Duration::from_millis(31_250);
    let program = |name: &str, runs, nanoseconds, missed| {
        let program = name.to_owned();
        ProgramCost { program, runs, nanoseconds, missed }
    };
    Sample {
        now,
        programs: vec![program("vfs_write", 90_210, 12_000_500, 2), program("d_delete", 0, 0, 0)],
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
        writeln!(std::io::stderr(), "skipped: there is no promtool (Debian: prometheus)").unwrap();
        return;
    };
    child.stdin.take().unwrap().write_all(prometheus::text(&sample()).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

/// A carbon daemon of its own, in a folder of its own.
struct Carbon(std::process::Child);

impl Carbon {
    /// `None` where there is none to be started.
    fn start(dir: &std::path::Path, port: u16) -> Option<Self> {
        let at = dir.display();
        let conf = format!(
            "[cache]\nSTORAGE_DIR = {at}\nCONF_DIR = {at}\nLOG_DIR = {at}\nPID_DIR = {at}\nLOCAL_DATA_DIR = {at}/whisper/\n\
             LINE_RECEIVER_INTERFACE = 127.0.0.1\nLINE_RECEIVER_PORT = {port}\nPICKLE_RECEIVER_PORT = 0\n\
             CACHE_QUERY_PORT = 0\nMAX_CREATES_PER_MINUTE = inf\nMAX_UPDATES_PER_SECOND = 5000\n"
        );
        std::fs::write(dir.join("carbon.conf"), conf).unwrap();
        let schemas = "[default]\npattern = .*\nretentions = 1s:1h\n";
        std::fs::write(dir.join("storage-schemas.conf"), schemas).unwrap();
        let mut command = Command::new("carbon-cache");
        command.arg(format!("--config={at}/carbon.conf")).args(["--nodaemon", "start"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let mut carbon = Self(child);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if carbon.0.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(carbon)
    }
}

impl Drop for Carbon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_real_carbon_keeps_every_name() {
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Some(_carbon) = Carbon::start(dir.path(), port) else {
        writeln!(std::io::stderr(), "skipped: no carbon-cache starts (Debian: graphite-carbon)").unwrap();
        return;
    };
    let graphite = Some(Graphite::Tcp(format!("127.0.0.1:{port}")));
    let mut push = Push::new(&Metrics { graphite, ..Metrics::default() }, names()).unwrap();
    push.send(&sample());
    let both =
        [Pace::Hourly, Pace::Minutely].map(|pace| graphite::lines(&sample(), &names(), pace, 0)).concat();
    let wanted: Vec<_> = both
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(|name| dir.path().join("whisper").join(name.replace('.', "/")).with_extension("wsp"))
        .collect();
    let until = Instant::now() + Duration::from_secs(60);
    while let Some(missing) = wanted.iter().find(|file| !file.exists()) {
        assert!(Instant::now() < until, "not kept: {}", missing.display());
        std::thread::sleep(Duration::from_millis(50));
    }
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
