//! The table of cases: what is done, and the lines that come of it.

use crate::act::{is_light, trees};
use crate::agent::{Agent, action};
use crate::expect::{Line, about, actors, compare, compare_lasting, line};
use crate::score::Score;
use crate::{lifecycle, reload, tools};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A change made by `fim-e2e act`, and its lines.
struct Case {
    act: &'static str,
    lines: Vec<Line>,
}

fn case(act: &'static str, lines: impl IntoIterator<Item = Line>) -> Case {
    Case { act, lines: lines.into_iter().collect() }
}

fn table() -> Vec<Case> {
    let updated = || [line("updated", "f")];
    let attributes = |what| [line("attributes_modified", "f").what(what)];
    let numbers =
        |last: &'static [&'static str]| last.iter().map(|path| line("created", *path)).collect::<Vec<_>>();
    vec![
        case("write", updated()),
        case("append", updated()),
        case("pwrite", updated()),
        case("writev", updated()),
        case("truncate", updated()),
        case("open_trunc", updated()),
        case("fallocate", updated()),
        case("punch", updated()),
        case("sendfile", updated()),
        case("splice", updated()),
        case("copy_file_range", updated()),
        case("mmap", updated()),
        case("create", [line("created", "n")]),
        case("mkdir", [line("created", "d")]),
        case(
            "mkdir_p",
            numbers(&["1", "1/2", "1/2/3", "1/2/3/4", "1/2/3/4/5", "1/2/3/4/5/6", "1/2/3/4/5/6/g"]),
        ),
        case("mkfifo", [line("created", "p")]),
        case("symlink", [line("created", "l")]),
        case("link", [line("created", "h")]),
        case("link_write", [line("updated", "alias"), line("updated", "f")]),
        case("tmpfile", [line("created", "t")]),
        case("rename", [line("moved", "g").from("f")]),
        case("rename_over", [line("updated", "f").from("f.tmp")]),
        case("exchange", [line("updated", "f").from("other"), line("updated", "other").from("f")]),
        case("rename_dir", [line("moved", "moved").from("sub")]),
        case("rename_dir_write", [line("moved", "moved").from("sub"), line("updated", "moved/in")]),
        case("unlink", [line("deleted", "f")]),
        case("rmdir", [line("deleted", "empty")]),
        case("rm_rf", [line("deleted", "sub"), line("deleted", "sub/in")]),
        case("chmod", attributes("mode")),
        case("chown", attributes("uid")),
        case("utimens", [line("updated", "f").what("touched")]),
        case("setxattr", attributes("xattr_added")),
        case("transient", [line("deleted", "brief").what("transient")]),
        case("open_only", []),
        case("read", []),
        case("failed", []),
    ]
}

fn prepare(dir: &Path, act: &str) -> io::Result<()> {
    fs::create_dir_all(dir.join("sub"))?;
    fs::create_dir(dir.join("empty"))?;
    fs::write(dir.join("f"), "old")?;
    fs::write(dir.join("other"), "other content")?;
    fs::write(dir.join("sub/in"), "in")?;
    if act == "link_write" {
        fs::hard_link(dir.join("f"), dir.join("alias"))?;
    }
    Ok(())
}

/// All changes and tools, and then starts, stops, kills and reloads, below a directory; the number of failures.
pub fn run(fim: &str, watcher: &str, dir: &Path, lines_to: Option<&Path>) -> io::Result<u32> {
    let mut score = Score::new(dir.display().to_string());
    changes(fim, watcher, dir, lines_to, &mut score)?;
    lifecycle::run(fim, watcher, &dir.join("life"), &mut score)?;
    reload::run(fim, watcher, &dir.join("reload"), &mut score)?;
    Ok(score.failed)
}

/// All changes and tools below a directory.
pub fn changes(
    fim: &str,
    watcher: &str,
    dir: &Path,
    lines_to: Option<&Path>,
    score: &mut Score,
) -> io::Result<()> {
    let (watched, state) = (dir.join("watched"), dir.join("state"));
    for old in [&watched, &state] {
        drop(fs::remove_dir_all(old));
    }
    fs::create_dir_all(watched.join("barrier"))?;
    hostile(&watched.join("hostile"))?;
    let table = table();
    for case in &table {
        prepare(&watched.join(case.act), case.act)?;
    }
    for big in ["trees", "burst"] {
        fs::create_dir(watched.join(big))?;
    }
    let tools = tools::prepare(&watched.join("tools"))?;

    let mut agent = Agent::start(fim, watcher, &state, &watched)?;
    let me = std::env::current_exe()?;
    let mut made = Vec::new();
    for act in table.iter().map(|case| case.act).chain(["trees", "burst"]) {
        let status = Command::new(&me).args(["act", act]).arg(watched.join(act)).status()?;
        made.push((act, status.success()));
        agent.barrier()?;
    }
    let mut used = Vec::new();
    for tool in &tools {
        used.push(tool.run()?);
        agent.barrier()?;
    }
    let (status, lines) = agent.stop(Signal::TERM)?;
    if let Some(path) = lines_to {
        let text: Vec<String> = lines.iter().map(Value::to_string).collect();
        fs::write(path, text.join("\n") + "\n")?;
    }

    // What a sweep had to find has no actor.
    let strict = watcher == "bpf" && !lines.iter().any(|line| action(line) == "coverage_gap");
    for (case, (_, done)) in table.iter().zip(&made) {
        let dir = watched.join(case.act);
        if *done {
            let told =
                compare(&dir, &case.lines, &lines).and_then(|()| actors(&dir, "fim-e2e", &lines, false));
            // fanotify knows the pid alone for certain.
            let named = actors(&dir, "fim-e2e", &lines, strict);
            score.say(case.act, told.and(named));
        } else {
            score.skip(case.act, "the file system refuses it");
        }
    }
    score.say("trees", every_tree(&watched.join("trees"), &lines));
    score.say("burst", every_hash(&watched.join("burst"), &lines));
    for (tool, ran) in tools.iter().zip(used) {
        match ran {
            Some(reason) => score.skip(tool.name, &reason),
            None => score.say(tool.name, compare_lasting(&tool.dir, &tool.lines, &lines)),
        }
    }
    score.say("quiet", nothing_else(&watched, &table, &tools, &lines));
    score.say("stopped", stopped(status.code(), &lines));
    Ok(())
}

/// Files that must not be followed, opened or waited for, in the watched tree from the start.
fn hostile(dir: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    fs::create_dir_all(dir)?;
    mknodat(CWD, dir.join("fifo"), FileType::Fifo, Mode::RUSR, 0)?;
    mknodat(CWD, dir.join("zero"), FileType::CharacterDevice, Mode::RUSR, rustix::fs::makedev(1, 5))?;
    drop(std::os::unix::net::UnixListener::bind(dir.join("socket"))?);
    symlink("loop", dir.join("loop"))?;
    symlink("/dev/zero", dir.join("endless"))?;
    symlink("/nowhere", dir.join("dangling"))?;
    fs::write(dir.join("line\nbreak \u{202e}\u{1b}[31m\"'\\"), "x")?;
    let sparse = fs::File::create(dir.join("sparse"))?;
    sparse.set_len(1 << 34)
}

fn every_tree(dir: &Path, lines: &[Value]) -> Result<(), String> {
    let missed: Vec<u32> = (0..trees())
        .filter(|tree| {
            let file = dir.join(format!("{tree}/b/c/d/e/f/g")).display().to_string();
            !lines.iter().any(|line| action(line) == "created" && line["file"]["path"] == file)
        })
        .collect();
    let told = about(dir, lines).count();
    match (missed.as_slice(), told) {
        ([], told) if told == 7 * trees() as usize => Ok(()),
        ([], told) => Err(format!("{} names were made, {told} lines were printed", 7 * trees())),
        (missed, _) => Err(format!("{} of {} missed: {missed:?}", missed.len(), trees())),
    }
}

fn every_hash(dir: &Path, lines: &[Value]) -> Result<(), String> {
    let told = about(dir, lines).count();
    let writes = if is_light() { 10_000 } else { 100_000 };
    if told >= writes / 5 * 2 {
        return Err(format!("{told} lines for {writes} writes"));
    }
    for file in 0..1000 {
        let path = dir.join(file.to_string());
        let content = fs::read(&path).map_err(|error| error.to_string())?;
        let hash = blake3::hash(&content).to_hex().to_string();
        let name = path.display().to_string();
        let last = lines.iter().rfind(|line| line["file"]["path"] == name);
        if last.is_none_or(|line| line["file"]["hash"]["blake3"] != hash) {
            return Err(format!("the last line of {file} is not what is in it ({told} lines)"));
        }
    }
    Ok(())
}

fn nothing_else(
    watched: &Path,
    table: &[Case],
    tools: &[tools::Tool],
    lines: &[Value],
) -> Result<(), String> {
    let known: Vec<PathBuf> = table
        .iter()
        .map(|case| watched.join(case.act))
        .chain(["trees", "burst", "barrier"].map(|name| watched.join(name)))
        .chain(tools.iter().map(|tool| tool.dir.clone()))
        .collect();
    // A gap that was closed is no false alarm: some kernels let one program interrupt another.
    let is_gap = |line: &Value| matches!(action(line), "coverage_gap" | "gap_closed");
    for line in lines.iter().filter(|line| line["event"]["kind"] != "state" && !is_gap(line)) {
        let path = line["file"]["path"].as_str().map(PathBuf::from);
        if !path.is_some_and(|path| known.iter().any(|dir| path.starts_with(dir))) {
            return Err(line.to_string());
        }
    }
    Ok(())
}

fn stopped(code: Option<i32>, lines: &[Value]) -> Result<(), String> {
    let last = lines.last().map(action).unwrap_or_default();
    let count = |word| lines.iter().filter(|line| action(line) == word).count();
    if count("coverage_gap") != count("gap_closed") {
        return Err("a gap was not closed".to_owned());
    }
    let numbers: Vec<u64> = lines.iter().filter_map(|line| line["event"]["sequence"].as_u64()).collect();
    let first = numbers.first().copied().unwrap_or_default();
    let whole = numbers.iter().enumerate().all(|(at, number)| *number == first + at as u64);
    match (code, last, whole) {
        (Some(0), "watch_stopped", true) => Ok(()),
        _ => Err(format!("exit {code:?}, last line {last}, numbers without holes: {whole}")),
    }
}
