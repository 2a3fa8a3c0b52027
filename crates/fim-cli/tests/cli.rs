//! The real command, as a user or a script sees it: what is on which stream, and how it ends.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn fim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fim")).args(args).env_remove("RUST_LOG").output().unwrap()
}

/// Exit status, standard output, standard error.
fn told(args: &[&str]) -> (i32, String, String) {
    let output = fim(args);
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn help_and_version_are_on_standard_output() {
    let (code, out, err) = told(&["--help"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for command in ["run", "baseline", "check", "doctor", "explain", "config", "status"] {
        assert!(out.contains(command), "{out}");
    }
    let (code, out, err) = told(&["--version"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, format!("fim {}\n", env!("CARGO_PKG_VERSION")));
    for command in ["run", "baseline", "check", "doctor", "explain", "config", "status"] {
        let (code, out, _) = told(&[command, "--help"]);
        assert_eq!(code, 0);
        assert!(out.contains("--state"), "{out}");
    }
}

#[test]
fn wrong_arguments_end_in_2() {
    for args in [
        &[][..],
        &["walk"],
        &["run", "--colour"],
        &["run", "--watcher", "kqueue"],
        &["check", "--format", "xml"],
    ] {
        let (code, out, err) = told(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.starts_with("fim: "), "{args:?}: {err}");
    }
}

#[test]
fn config_prints_what_holds_and_reads_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("fim.toml");
    let file = file.to_str().unwrap();
    std::fs::write(file, "state = '/s'\n[users]\n[[generic]]\npaths = ['/etc']\n").unwrap();
    let (code, first, err) = told(&["config", "--config", file, "--watcher", "bpf"]);
    assert_eq!(code, 0, "{err}");
    assert!(first.contains("watcher = \"bpf\""), "{first}");
    assert!(first.contains("# --watcher") && first.contains("# default"), "{first}");
    assert!(first.contains(&format!("# {file}:1")), "{first}");

    let values = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
    std::fs::write(file, &first).unwrap();
    let (code, second, _) = told(&["--config", file, "config"]);
    assert_eq!((code, values(&second)), (0, values(&first)));
}

#[test]
fn a_configuration_of_bpfink_comes_out_as_ours() {
    let dir = tempfile::tempdir().unwrap();
    let [old, new] =
        ["bpfink.toml", "fim.toml"].map(|name| dir.path().join(name).to_str().unwrap().to_owned());
    std::fs::write(&old, "bcc = 'vfs.o'\nnonsense = 1\n[consumers]\ngeneric = ['/x/**']\n").unwrap();
    let (code, out, err) = told(&["config", "--from-bpfink", &old]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("# bcc = ") && err.contains("\"nonsense\" is no key of bpfink"), "{out}{err}");
    std::fs::write(&new, out).unwrap();
    let (code, out, err) = told(&["config", "--config", &new]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("format = \"bpfink\"") && out.contains("\"/x/*\""), "{out}");

    std::fs::write(&old, "\nnot toml").unwrap();
    let (code, out, err) = told(&["config", "--from-bpfink", &old]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("bpfink.toml:2: "), "{err}");
}

#[test]
fn another_configuration_is_weighed_against_the_one_that_holds() {
    let (dir, watched, _) = scene();
    let [old, new] = ["old.toml", "new.toml"].map(|name| dir.path().join(name).to_str().unwrap().to_owned());
    std::fs::write(&old, format!("[[generic]]\npaths = ['{watched}/a', '{watched}/b']\n")).unwrap();
    let (code, out, err) = told(&["config", "--default"]);
    assert_eq!((code, err.as_str()), (0, ""));
    std::fs::write(&new, format!("{out}\n[[generic]]\npaths = ['{watched}/a', '{watched}/shadow']\n"))
        .unwrap();
    let (code, out, err) = told(&["config", "--config", &old, "--plan", &new]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("lost         1 files") && out.contains("gained       1 files"), "{out}");
    assert_eq!(told(&["config", "--config", &old, "--plan", "/nonexistent"]).0, 2);

    let drop_in = dir.path().join("50-more.toml").to_str().unwrap().to_owned();
    std::fs::write(&drop_in, format!("[[generic]]\npaths = ['{watched}/shadow']\n")).unwrap();
    let (code, out, err) = told(&["config", "--config", &old, "--plan", &drop_in, "--drop-in"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("lost         0 files") && out.contains("gained       1 files"), "{out}");
    std::fs::create_dir(dir.path().join("conf.d")).unwrap();
    std::fs::copy(&drop_in, dir.path().join("conf.d/50-more.toml")).unwrap();
    let (_, out, _) = told(&["config", "--config", &old, "--plan", &drop_in, "--drop-in"]);
    assert!(out.starts_with("the same settings and patterns"), "one of the same name is replaced: {out}");
    let (code, _, err) = told(&["config", "--config", &old, "--plan", &old, "--drop-in"]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = told(&["config", "--config", &old, "--plan", "/etc/passwd", "--drop-in"]);
    assert!(code == 2 && err.contains("would not be read in conf.d"), "{err}");
}

#[test]
fn explain_ends_in_1_where_nothing_covers_the_path() {
    let (dir, watched, state) = scene();
    let file = dir.path().join("fim.toml");
    std::fs::write(&file, format!("[[generic]]\npaths = ['{watched}']\n")).unwrap();
    let shared = ["--config", file.to_str().unwrap(), "--state", &state];
    let inside = format!("{watched}/not/there");
    let (code, out, err) = told(&[&["explain", &inside][..], &shared].concat());
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("covered     yes") && out.contains("fim.toml:2)"), "{out}");
    let (code, out, _) = told(&[&["explain", "/nonexistent"][..], &shared].concat());
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("covered     no"), "{out}");
    assert!(!Path::new(&state).exists(), "explain makes no state");

    assert_eq!(told(&[&["baseline"][..], &shared].concat()).0, 0);
    let inside = format!("{watched}/a");
    let (_, out, _) = told(&[&["explain", &inside][..], &shared].concat());
    assert!(out.contains("state       seen and trusted: file, mode"), "{out}");
}

#[test]
fn a_wrong_configuration_names_file_line_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("fim.toml");
    let file = file.to_str().unwrap();
    let (code, out, err) = told(&["config", "--config", file]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains(file), "{err}");

    std::fs::write(file, "\n[[generic]]\npathes = ['/etc']\n").unwrap();
    for command in ["config", "run", "check", "baseline", "doctor"] {
        let (code, out, err) = told(&[command, "--config", file]);
        assert_eq!((code, out.as_str()), (2, ""));
        let said = format!("{file}:3: unknown key `pathes`; did you mean `paths`?");
        assert!(err.contains(&said), "{err}");
    }
    for pattern in ["/etc/[", "etc"] {
        std::fs::write(file, format!("[[generic]]\npaths = ['/etc',\n '{pattern}']\n")).unwrap();
        let (code, _, err) = told(&["config", "--config", file]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(&format!("{file}:3: ")), "{err}");
    }
}

/// Holds every line against the schema.
fn lines(text: &str) -> Vec<serde_json::Value> {
    held_to(include_str!("../../../docs/events.schema.json"), text)
}

fn held_to(schema: &str, text: &str) -> Vec<serde_json::Value> {
    let schema = serde_json::from_str(schema).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let faults: Vec<String> = schema.iter_errors(line).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}: {line}");
    }
    lines
}

/// A folder with some files, and one for the state: as texts, for arguments.
fn scene() -> (tempfile::TempDir, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let watched = dir.path().join("watched");
    std::fs::create_dir(&watched).unwrap();
    for (name, text) in [("a", "old"), ("b", "old"), ("shadow", "root:secret:1")] {
        std::fs::write(watched.join(name), text).unwrap();
    }
    let state = dir.path().join("state").to_str().unwrap().to_owned();
    let watched = watched.to_str().unwrap().to_owned();
    (dir, watched, state)
}

#[test]
fn a_change_stays_in_check_until_it_is_accepted() {
    let (_dir, watched, state) = scene();
    let check = ["check", "--state", &state, &watched];
    let (code, out, err) = told(&check);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("fim baseline"), "{err}");

    let (code, out, err) = told(&["baseline", "--state", &state, &watched]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("4 files"), "{out}");
    assert_eq!(told(&check).0, 0);

    std::fs::write(Path::new(&watched).join("a"), "newer").unwrap();
    std::fs::write(Path::new(&watched).join("shadow"), "root:guess:1").unwrap();
    std::fs::remove_file(Path::new(&watched).join("b")).unwrap();
    for _ in 0..2 {
        let (code, out, err) = told(&check);
        assert_eq!(code, 1, "{err}");
        let mut actions: Vec<String> = lines(&out)
            .iter()
            .map(|line| format!("{} {}", line["event"]["action"], line["file"]["name"]))
            .collect();
        actions.sort();
        let expected = [r#""deleted" "b""#, r#""updated" "a""#, r#""updated" "shadow""#];
        assert_eq!(actions, expected, "{out}");
        let secret = lines(&out).into_iter().find(|line| line["file"]["name"] == "shadow").unwrap();
        assert!(!secret.to_string().contains("blake3"), "{secret}");
    }
    assert_eq!(told(&["baseline", "--state", &state, &watched]).0, 0);
    assert_eq!(told(&check).0, 0);
}

#[test]
fn the_same_changes_in_every_form() {
    let (_dir, watched, state) = scene();
    assert_eq!(told(&["baseline", "--state", &state, &watched]).0, 0);
    std::fs::write(Path::new(&watched).join("a"), "newer").unwrap();
    std::fs::remove_file(Path::new(&watched).join("b")).unwrap();
    let check = |format| told(&["check", "--state", &state, "--format", format, &watched]);

    let (code, out, err) = check("ocsf");
    assert_eq!(code, 1, "{err}");
    let lines = held_to(include_str!("ocsf.schema.json"), &out);
    let mut activities: Vec<&str> = lines.iter().filter_map(|line| line["activity_name"].as_str()).collect();
    activities.sort_unstable();
    assert_eq!(activities, ["Delete", "Update"], "{out}");

    let (code, out, _) = check("pretty");
    assert_eq!((code, out.lines().count()), (1, 2), "{out}");
    assert!(!out.contains('\x1b') && out.contains("/a: content changed; size 3 -> 5"), "{out}");
    let coloured = Command::new(env!("CARGO_BIN_EXE_fim"))
        .args(["check", "--state", &state, "--format", "pretty", &watched])
        .env("CLICOLOR_FORCE", "1")
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    assert!(String::from_utf8(coloured.stdout).unwrap().contains("\x1b[1m"));
}

#[test]
fn the_configuration_and_the_root_say_what_is_compared() {
    let (dir, watched, state) = scene();
    let file = dir.path().join("fim.toml");
    std::fs::write(&file, "[[generic]]\npaths = ['/a', '/*.log']\nhash = ['sha256']\n").unwrap();
    let file = file.to_str().unwrap();
    let shared = ["--config", file, "--state", &state, "--root", &watched];
    let with = |command: &'static str| [&[command][..], &shared].concat();
    assert_eq!(told(&with("baseline")).0, 0);
    for name in ["a", "b", "x.log"] {
        std::fs::write(Path::new(&watched).join(name), "newer").unwrap();
    }
    let (code, out, _) = told(&with("check"));
    assert_eq!(code, 1);
    let lines = lines(&out);
    // Files are read by several threads: their order is not promised.
    let mut names: Vec<&str> = lines.iter().filter_map(|line| line["file"]["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "x.log"], "{out}");
    assert!(lines[0]["file"]["hash"]["sha256"].is_string(), "{out}");
}

fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: watching needs root");
    }
    root
}

fn start(args: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fim"))
        .args(args)
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn run_stops_in_good_order() {
    if !is_root() {
        return;
    }
    let (_dir, watched, state) = scene();
    for (round, sig) in [rustix::process::Signal::TERM, rustix::process::Signal::INT].into_iter().enumerate()
    {
        let (mut child, mut out) =
            start(&["run", "-q", "--watcher", "fanotify", "--state", &state, &watched]);
        let mut text = String::new();
        out.read_line(&mut text).unwrap();
        std::fs::write(Path::new(&watched).join("a"), format!("round {round}")).unwrap();
        signal(&child, sig);
        out.read_to_string(&mut text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let lines = lines(&text);
        let actions: Vec<&str> = lines.iter().filter_map(|line| line["event"]["action"].as_str()).collect();
        assert_eq!(actions, ["watch_started", "updated", "watch_stopped"], "{text}");
        assert!(lines[0]["fim"]["notes"][0].as_str().unwrap().starts_with("fanotify can be used"), "{text}");
    }
}

#[test]
fn run_ends_in_2_when_the_reader_has_gone_and_tells_it_later() {
    if !is_root() {
        return;
    }
    let (_dir, watched, state) = scene();
    let args = ["run", "-q", "--watcher", "fanotify", "--state", &state, &watched];
    let (mut child, mut out) = start(&args);
    out.read_line(&mut String::new()).unwrap();
    drop(out);
    std::fs::write(Path::new(&watched).join("a"), "unheard").unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{err}");
    assert!(err.contains("reader"), "{err}");

    let (mut child, mut out) = start(&args);
    let mut text = String::new();
    out.read_line(&mut text).unwrap();
    assert_eq!(lines(&text)[0]["file"]["name"], "a", "{text}");
    out.read_line(&mut text).unwrap();
    signal(&child, rustix::process::Signal::TERM);
    out.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reader_that_takes_nothing_does_not_keep_run_from_its_end() {
    if !is_root() {
        return;
    }
    let (_dir, watched, state) = scene();
    let args = ["run", "-q", "--watcher", "fanotify", "--state", &state, &watched];
    let (mut child, mut out) = start(&args);
    out.read_line(&mut String::new()).unwrap();
    // More lines than a pipe holds, and nobody reads on.
    for n in 0..200 {
        std::fs::write(Path::new(&watched).join(format!("file-{n}")), "unheard").unwrap();
    }
    signal(&child, rustix::process::Signal::TERM);
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{err}");
    assert!(err.contains("takes nothing"), "{err}");

    let (mut child, mut out) = start(&args);
    let mut text = String::new();
    while !text.contains("watch_started") {
        out.read_line(&mut text).unwrap();
    }
    signal(&child, rustix::process::Signal::TERM);
    out.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(lines(&text).iter().any(|line| line["file"]["name"] == "file-199"), "{text}");
}

#[test]
fn check_baseline_and_explain_ask_the_agent_that_runs() {
    if !is_root() {
        return;
    }
    let (_dir, watched, state) = scene();
    let a = Path::new(&watched).join("a");
    let (mut child, mut out) = start(&["run", "-q", "--watcher", "fanotify", "--state", &state, &watched]);
    let mut text = String::new();
    out.read_line(&mut text).unwrap();
    let with = |command: &str| told(&[command, "-q", "--state", &state, &watched]);

    assert_eq!(with("check").0, 0);
    std::fs::write(&a, "changed").unwrap();
    out.read_line(&mut text).unwrap();
    for _ in 0..2 {
        let (code, found, err) = with("check");
        assert_eq!(code, 1, "{err}");
        assert_eq!(lines(&found)[0]["file"]["name"], "a", "{found}");
    }
    let explained = told(&["explain", "--state", &state, a.to_str().unwrap()]).1;
    assert!(explained.contains("trusted: file, mode"), "{explained}");
    assert!(
        explained.contains("covered     yes") && explained.contains("was started with PATHs"),
        "{explained}"
    );
    // The configuration names it, the agent that runs does not heed it.
    let (code, explained, _) = told(&["explain", "--state", &state, "/etc/hosts"]);
    assert!(code == 1 && explained.contains("no PATH of the agent matches it"), "{explained}");

    let (code, recorded, err) = with("baseline");
    assert_eq!(code, 0, "{err}");
    assert!(recorded.contains("files recorded as trusted"), "{recorded}");
    assert_eq!(with("check").0, 0);
    let (code, _, err) = told(&["baseline", "--state", &state, "/proc"]);
    assert_eq!(code, 2);
    assert!(err.contains("/proc is not watched"), "{err}");

    signal(&child, rustix::process::Signal::TERM);
    out.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let lines = lines(&text);
    let actions: Vec<&str> = lines.iter().filter_map(|line| line["event"]["action"].as_str()).collect();
    assert_eq!(actions, ["watch_started", "updated", "watch_stopped"], "{text}");
}

#[test]
fn status_is_told_while_the_agent_runs() {
    if !is_root() {
        return;
    }
    let (_dir, watched, state) = scene();
    let ask = ["status", "--state", &state];
    let (code, out, err) = told(&ask);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("no agent runs"), "{err}");

    // So that what is counted is what is watched here.
    let config = format!("{state}.toml");
    std::fs::write(&config, "[process]\nguard = false\n").unwrap();
    let run = ["run", "-q", "--watcher", "fanotify", "--config", &config, "--state", &state, &watched];
    let (mut child, mut out) = start(&run);
    out.read_line(&mut String::new()).unwrap();
    std::fs::write(Path::new(&watched).join("a"), "newer").unwrap();
    out.read_line(&mut String::new()).unwrap();
    let (code, text, err) = told(&ask);
    assert_eq!(code, 0, "{err}");
    assert!(text.contains(&format!("pid {}", child.id())), "{text}");
    assert!(text.contains("watcher     fanotify (fanotify can be used)"), "{text}");
    let (_, json, _) = told(&[&ask[..], &["--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["files"], &json["lost"]), (&3.into(), &0.into()), "{json}");

    child.kill().unwrap();
    child.wait().unwrap();
    let (code, _, err) = told(&ask);
    assert_eq!(code, 2);
    assert!(err.contains("has gone without a word"), "{err}");
}

#[test]
fn a_state_in_use_is_refused_with_advice() {
    if !is_root() {
        return;
    }
    let (_dir, watched, state) = scene();
    let (mut child, mut out) = start(&["run", "-q", "--watcher", "fanotify", "--state", &state, &watched]);
    out.read_line(&mut String::new()).unwrap();
    let (code, _, err) = told(&["run", "-q", "--watcher", "fanotify", "--state", &state, &watched]);
    assert_eq!(code, 2);
    assert!(err.contains("has the state open"), "{err}");
    signal(&child, rustix::process::Signal::TERM);
    out.read_to_string(&mut String::new()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn doctor_names_the_watcher_and_every_class() {
    let (dir, watched, state) = scene();
    let file = dir.path().join("fim.toml");
    std::fs::write(&file, format!("[[generic]]\npaths = ['{watched}', '/nonexistent/x']\n")).unwrap();
    let (code, out, err) =
        told(&["doctor", "--config", file.to_str().unwrap(), "--state", &state, "--watcher", "fanotify"]);
    assert!(code <= 1, "{err}");
    for said in ["watcher  ", &watched, "/nonexistent/x (not there yet", &state] {
        assert!(out.contains(said), "{out}");
    }
    assert_eq!(code == 0, out.contains("\nfully covered"), "{out}");
    assert!(!Path::new(&state).exists(), "doctor leaves nothing behind");
}

#[test]
fn a_self_test_tells_of_each_way_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let ways = ["--only", "rename_over", "--only", "open_read_write"];
    let args = [&["selftest", "--watcher", "fanotify", "--json", path][..], &ways].concat();
    let (code, out, err) = told(&args);
    if code == 2 {
        println!("skipped: {err}");
        return;
    }
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = lines.iter().filter_map(|line| line["name"].as_str()).collect();
    assert_eq!(names, ["rename_over", "open_read_write"]);
    // Without privileges nobody is named.
    assert!(["full", "no actor"].contains(&lines[0]["result"].as_str().unwrap()), "{out}");
    assert_eq!(lines[1]["result"], "quiet", "{out}");
    assert_eq!(lines[2]["watcher"], "fanotify", "{out}");
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
}

#[test]
fn a_self_test_needs_a_directory() {
    let (code, out, err) = told(&["selftest", "/nowhere"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("/nowhere") && err.contains("fim selftest DIR"), "{err}");
}

#[test]
fn a_path_that_is_nowhere_is_taken_for_a_slip() {
    let dir = tempfile::tempdir().unwrap();
    let (state, there) = (dir.path().join("state"), dir.path().join("there"));
    std::fs::write(&there, "x").unwrap();
    let (state, path) = (state.to_str().unwrap(), |name: &str| dir.path().join(name).display().to_string());
    assert_eq!(told(&["--state", state, "baseline", &path("there")]).0, 0);
    assert_eq!(told(&["--state", state, "check", &path("there")]).0, 0);
    let (code, _, err) = told(&["--state", state, "check", &path("their")]);
    assert_eq!(code, 2);
    assert!(err.contains("is it spelled right?"), "{err}");
}

#[test]
fn a_root_that_is_nowhere_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (state, root) = (dir.path().join("state"), dir.path().join("root"));
    let (state, root) = (state.to_str().unwrap(), root.to_str().unwrap());
    for command in ["run", "baseline", "check"] {
        let (code, out, err) = told(&[command, "--state", state, "--root", root]);
        assert_eq!((code, out.as_str()), (2, ""), "{command}");
        assert!(err.contains(root) && err.contains("no such directory"), "{err}");
    }
}
