//! In which order bytes reach the disk, by the system calls of the real command: what a power cut leaves then is an
//! earlier state, never one that says more than was written. See docs/decisions/0011-what-is-durable-when.md.

use crate::house::{House, is_root};
use rustix::process::Signal;
use std::fs;
use std::process::{Command, Stdio};

/// What matters of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// A line leaves.
    Line,
    /// Bytes are written to the store.
    Write,
    /// The store is synced.
    Sync,
    /// The new mark is synced.
    SyncMark,
    /// The new mark takes the place of the old.
    Rename,
    /// The folder in which it did is synced.
    SyncFolder,
}

fn call(line: &str, state: &str) -> Option<Call> {
    let begins =
        |name: &str| line.split_once(' ').is_some_and(|(_, call)| call.trim_start().starts_with(name));
    let on = |file: &str| line.contains(&format!("<{state}{file}>"));
    Some(match () {
        () if begins("write(1<") => Call::Line,
        () if begins("pwrite64(") && on("/sled/db") => Call::Write,
        () if begins("fsync(") && on("/sled/db") => Call::Sync,
        () if begins("fsync(") && on("/STATE.new") => Call::SyncMark,
        () if begins("rename") && line.contains("/STATE.new\"") => Call::Rename,
        () if begins("fsync(") && on("") => Call::SyncFolder,
        () => return None,
    })
}

#[test]
fn a_mark_is_made_when_all_it_speaks_of_is_on_the_disk() {
    let traces = Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok();
    if !is_root() || !traces {
        println!("skipped: no strace");
        return;
    }
    let house = House::new();
    let trace = house.dir.path().join("trace");
    let strace = house.dir.path().join("strace.sh");
    let calls = "trace=write,pwrite64,fsync,rename,renameat,renameat2";
    let fim = env!("CARGO_BIN_EXE_fim");
    let script =
        format!("#!/bin/sh\nexec strace -D -f -y -qq -e {calls} -o {} {fim} \"$@\"\n", trace.display());
    fs::write(&strace, script).unwrap();
    fs::set_permissions(&strace, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let watch = house.watch_by(&strace, &[]);
    for number in 0..3 {
        house.write("a", &format!("change {number}"));
        watch.wait_until(|written| written.matches(r#""name":"a""#).count() > number, "change");
    }
    assert_eq!(watch.end(Signal::TERM).code(), Some(0));

    let state = house.state.to_str().unwrap();
    let text = fs::read_to_string(&trace).unwrap();
    let calls: Vec<Call> = text.lines().filter_map(|line| call(line, state)).collect();
    let marks: Vec<usize> = (0..calls.len()).filter(|at| calls[*at] == Call::Rename).collect();
    assert!(marks.len() >= 3, "{calls:?}");
    for at in marks {
        let before = &calls[..at];
        let last = |call| before.iter().rposition(|it| *it == call);
        let (written, synced, mark) = (last(Call::Write), last(Call::Sync), last(Call::SyncMark));
        // Nothing was written to the store after it was synced; then the mark was made, then named.
        assert!(written < synced && synced < mark, "{at}: {calls:?}");
        let after = calls[at..].iter().find(|call| !matches!(call, Call::Rename | Call::Line));
        assert_eq!(after, Some(&Call::SyncFolder), "{at}: {calls:?}");
    }
}
