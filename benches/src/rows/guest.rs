//! Rows that need a kernel of our own, which lets BPF programs in: measured inside a guest whose clock follows the
//! instructions executed, so that figures repeat (see `scripts/guest -i`).

use super::Bench;
use crate::Failure;
use crate::figure::Figure;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Peers, with what they need to start.
const PEERS: &str = "/usr/sbin/auditd:/usr/sbin/auditctl:/usr/bin/inotifywait:/etc/audit/auditd.conf:/usr/bin/aide:/usr/bin/b3sum:/usr/bin/xargs:/usr/bin/find";

/// Before each figure that comes out of a guest.
const MARKER: &str = "@@figure ";

/// What a guest has.
#[derive(Clone, Copy)]
struct Room {
    seconds: u64,
    megabytes: u64,
    /// More than one have the clock of the wall.
    processors: u64,
}

/// AIDE takes its time on an emulated machine.
const ROOM_FOR_TREES: Room = Room { seconds: 3600, ..ROOM };
const ROOM: Room = Room { seconds: 1200, megabytes: 2048, processors: 1 };
const ROOM_FOR_A_MILLION: Room = Room { seconds: 3600, megabytes: 4096, processors: 1 };
const TWO: Room = Room { processors: 2, ..ROOM };

pub(super) fn writes(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    if bench.wants(&["B1", "B3", "B4"]) {
        let peers = if bench.full { "peers" } else { "alone" };
        let files = if bench.full { 100_000 } else { 10_000 };
        run(bench, &format!("in-guest writes {files} {peers}"), ROOM, tell)?;
    }
    // An emulated machine is long at a million files.
    if bench.full && bench.wants(&["B2"]) {
        run(bench, "in-guest writes 1000000 alone", ROOM_FOR_A_MILLION, tell)?;
    }
    Ok(())
}

/// Unwatched and watched work (B5, B6), with BPF and against auditd.
pub(super) fn work(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    rows(bench, &["B5", "B6"], ROOM, tell)
}

/// Changes, many and few (B7, B8, B12), with BPF.
pub(super) fn changes(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    rows(bench, &["B7", "B8", "B12"], ROOM, tell)
}

/// A tree, its restart, and a large file (B9, B10, B11, B13).
pub(super) fn trees(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    rows(bench, &["B9", "B10", "B11", "B13"], ROOM_FOR_TREES, tell)
}

/// Those of these rows that are wanted, in one guest.
fn rows(bench: &Bench, rows: &[&str], room: Room, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    if !bench.full {
        return Ok(());
    }
    let wanted = rows.iter().copied().filter(|row| bench.wants(&[row]));
    run(bench, &format!("in-guest {}", wanted.collect::<Vec<_>>().join(" ")), room, tell)
}

/// A change beside a processor full of unwatched writes (B8), with BPF.
pub(super) fn flood(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    if bench.full { run(bench, "in-guest flood", TWO, tell) } else { Ok(()) }
}

fn run(bench: &Bench, what: &str, room: Room, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    let kernel = &bench.kernel;
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let overlay = bench.scratch.join("overlay");
    let bin = overlay.join("usr/bin");
    fs::create_dir_all(&bin)?;
    fs::copy(&bench.fim, bin.join("fim"))?;
    fs::copy(&bench.own, bin.join("fim-bench"))?;
    let compiled = Command::new("clang")
        .args(["-g", "-O2", "-target", "bpf", "-mcpu=v3", "-c", "-o"])
        .arg(overlay.join("empty.bpf.o"))
        .arg(top.join("src-bpf/empty.bpf.c"))
        .status()?;
    if !compiled.success() {
        return Err("clang could not compile the empty program".into());
    }
    let guest: PathBuf = top.join("../scripts/guest");
    let output = Command::new(guest)
        .args(if room.processors == 1 { &["-i"][..] } else { &["-c", "2"][..] })
        .args(["-T", "-e", PEERS, "-d", "2G"])
        .args(["-t", &room.seconds.to_string(), "-m", &room.megabytes.to_string(), kernel])
        .arg(&overlay)
        .arg(format!("fim-bench {what}"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    for line in text.lines() {
        // What others left on the console may stand before it.
        match line.split_once(MARKER) {
            Some((_, figure)) => {
                let mut figure: Figure = serde_json::from_str(figure)?;
                figure.name.push_str(&format!(", guest {kernel}"));
                tell(figure);
            }
            None => eprintln!("guest: {line}"),
        }
    }
    fs::remove_dir_all(&overlay)?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("the guest ended with {}", output.status).into())
    }
}

/// Measures inside a guest: what is told there is printed, as JSON, for who started it.
///
/// # Errors
/// When something cannot be started or measured.
pub fn inside(measure: impl FnOnce(&mut dyn FnMut(Figure)) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut failed = Ok(());
    measure(&mut |figure| {
        if let Err(error) = print(&figure) {
            failed = Err(error);
        }
    })?;
    failed
}

/// Prints a figure for who started the guest.
pub(super) fn print(figure: &Figure) -> Result<(), Failure> {
    println!("{MARKER}{}", serde_json::to_string(figure)?);
    Ok(())
}
