//! The commands of the book, run as they stand, one page after the other, as a reader would: with a service that watches,
//! on an /etc, a state and a log that are the test's own (a mount namespace). A command that is in the book and not in
//! this list is a failure.
//!
//! Needs root. What stands for the service manager and the journal is a script of three lines each.

use super::{blocks, docs, pages};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// 1 where this machine lets not everything be seen at once, else 0.
const NOT_ALL: i32 = -1;

/// A command, how it ends, and what it says or, with `log:`, what the service says within a minute.
struct Step(&'static str, &'static str, i32, &'static [&'static str]);

const STEPS: &[Step] = &[
    Step("first-steps.md", "journalctl -fu fim -o cat", 0, &["watch_started"]),
    Step(
        "first-steps.md",
        "useradd --non-unique --uid 0 toor",
        0,
        &[r#"log:"what":"account_created","user":"toor","uid":0"#, r#"log:"severity":90"#],
    ),
    Step("first-steps.md", "fim status", 0, &["watching", "fanotify"]),
    Step("first-steps.md", "fim doctor", NOT_ALL, &["watcher", "coverage"]),
    Step("first-steps.md", "fim explain /etc/ssh/sshd_config", 0, &["covered     yes", "consumer    users"]),
    Step("first-steps.md", "fim check", 1, &["/etc/passwd", "toor"]),
    Step("first-steps.md", "fim config --plan /etc/fim/new.toml", 0, &["/srv/www"]),
    Step("first-steps.md", "mv /etc/fim/new.toml /etc/fim/fim.toml", 0, &[]),
    Step("first-steps.md", "fim config", 0, &["[users]", "# default"]),
    Step("first-steps.md", "systemctl reload fim", 0, &["log:config_reloaded"]),
    Step("events.md", "fim verify fim.log.1 fim.log", 0, &["whole"]),
    Step("fleet.md", "fim verify --unordered web01.jsonl web02.jsonl", 0, &["whole"]),
    Step("fleet.md", "journalctl -u fim -o cat | grep '^{' | fim verify -", 0, &["whole"]),
    Step("report.md", "fim report --html report.html /var/log/fim/fim.jsonl", 0, &[]),
    Step("report.md", "journalctl -u fim -o cat | fim report --html report.html -", 0, &[]),
];

/// Commands that are tried elsewhere, and where.
const ELSEWHERE: &[(&str, &str)] = &[
    ("apt install ./fim-agent_*.deb", "scripts/lib/package-test"),
    ("clickhouse-client --multiquery < clickhouse/table.sql", "packaging/fleet/clickhouse/try.py"),
    ("scripts/bench", "is run before a release: docs/performance.md"),
    ("scripts/bench B9 B11", "the same"),
    ("scripts/bench --full --save", "the same"),
];

/// Commands of the book that need an engine nobody here has.
const NOWHERE: &[&str] = &[
    "curl -X PUT https://opensearch.example.org:9200/_index_template/fim -H 'Content-Type: application/json' -d @opensearch/index-template.json",
];

fn top() -> PathBuf {
    docs().join("..")
}

/// The commands of all pages with fences that are commands, in their order.
fn of_the_book() -> Vec<(String, String)> {
    let with_commands = ["first-steps.md", "events.md", "fleet.md", "report.md", "performance.md"];
    let mut commands = Vec::new();
    for (page, text) in pages() {
        let name = page.file_name().and_then(|name| name.to_str()).unwrap();
        // The read-me is beside the book.
        if name == "README.md" {
            continue;
        }
        for (word, block) in blocks(&text).into_iter().filter(|(word, _)| matches!(*word, "" | "sh")) {
            for line in block.lines() {
                // In a block without a word a command begins with a dollar, or is one of the scripts.
                let command = line.strip_prefix("$ ").or((word == "sh").then_some(line));
                let Some(command) = command.or(line.starts_with("scripts/").then_some(line)) else {
                    continue;
                };
                let command = command.split(" #").next().unwrap_or_default();
                let command = command.split("   ").next().unwrap_or_default().trim();
                assert!(with_commands.contains(&name), "{name} has commands now: {command}");
                commands.push((name.to_owned(), command.to_owned()));
            }
        }
    }
    commands
}

#[test]
fn every_command_is_in_the_list_and_nothing_else_is() {
    let book: BTreeSet<(String, String)> = of_the_book().into_iter().collect();
    let said: BTreeSet<&str> = book.iter().map(|(_, command)| command.as_str()).collect();
    let elsewhere = || ELSEWHERE.iter().map(|(command, _)| *command).chain(NOWHERE.iter().copied());
    for (page, command) in &book {
        let is_run = STEPS.iter().any(|step| step.0 == page && step.1 == command);
        assert!(is_run || elsewhere().any(|it| it == command), "{page}: nobody runs {command}");
    }
    for step in STEPS {
        assert!(said.contains(step.1), "{} does not say {} any more", step.0, step.1);
    }
    for command in elsewhere() {
        assert!(said.contains(command), "the book does not say {command} any more");
    }
    for (_, place) in ELSEWHERE.iter().filter(|(_, place)| place.contains('/') && !place.contains(' ')) {
        assert!(top().join(place).is_file(), "{place}");
    }
}

/// Makes the namespace's own /etc, /var/lib and /var/log, starts the service, and runs a script in it.
const HOUSE: &str = r#"
set -eu
cd "$HOUSE"
cp -a /etc etc && mount --bind etc /etc
mkdir lib log && mount --bind /var/lib lib && mount -t tmpfs none /var/lib && mkdir /var/lib/dpkg /var/lib/fim
[ ! -d lib/dpkg ] || mount --bind lib/dpkg /var/lib/dpkg
mount -t tmpfs none /var/log && mkdir /var/log/fim
mkdir -p /etc/fim /etc/ssh && fim config --default > /etc/fim/fim.toml && echo 'Port 22' > /etc/ssh/sshd_config
chmod 700 /var/lib/fim
: > /var/log/fim/fim.jsonl
fim run -q >> /var/log/fim/fim.jsonl & echo $! > service
trap 'kill $(cat "$HOUSE/service") 2>/dev/null; wait' EXIT
within() { n=0; until grep -qF -e "$1" /var/log/fim/fim.jsonl; do n=$((n + 1)); [ $n -lt 600 ] || return 1; sleep 0.1; done; }
within watch_started
mkdir work && cd work
. ../steps
"#;

/// What a step is in the script: runs the command, and says what is not as it should be.
fn script(number: usize, step: &Step) -> String {
    use std::fmt::Write;
    let mut script = format!(
        "cat > step <<'COMMAND'\n{}\nCOMMAND\nstatus=0; sh ./step > said 2>&1 || status=$?\n\
         case $status in {}) ;; *) echo \"step {number}: ended with $status\"; cat said;; esac\n",
        step.1,
        if step.2 == NOT_ALL { "0|1".to_owned() } else { step.2.to_string() }
    );
    for needle in step.3 {
        let (test, where_) = match needle.strip_prefix("log:") {
            Some(needle) => (format!("within '{needle}'"), "/var/log/fim/fim.jsonl"),
            None => (format!("grep -qF -e '{needle}' said"), "said"),
        };
        let _ = writeln!(
            script,
            "{test} || {{ echo 'step {number}: nothing of {needle}'; tail -n 20 {where_}; }}"
        );
    }
    script
}

#[test]
fn they_do_what_the_book_says() {
    let may = Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|status| status.success());
    if !rustix::process::geteuid().is_root() || !may {
        eprintln!("skipped: needs root, to watch and for a mount namespace");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let tool = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        fs::write(bin.join(name), text).unwrap();
        fs::set_permissions(bin.join(name), PermissionsExt::from_mode(0o755)).unwrap();
    };
    tool("journalctl", "#!/bin/sh\ncat /var/log/fim/fim.jsonl\n");
    tool("systemctl", "#!/bin/sh\n[ \"$1 $2\" = 'reload fim' ] && kill -HUP $(cat \"$HOUSE/service\")\n");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_fim"), bin.join("fim")).unwrap();

    // What the page shows as a first configuration of one's own is what is planned, and then loaded.
    let first = fs::read_to_string(top().join("docs/first-steps.md")).unwrap();
    let own = first.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap().to_owned();
    fs::write(dir.path().join("own.toml"), own).unwrap();
    let mut steps = String::new();
    for (number, step) in STEPS.iter().enumerate() {
        match step.1 {
            "fim config --plan /etc/fim/new.toml" => steps += "cp ../own.toml /etc/fim/new.toml\n",
            "fim verify fim.log.1 fim.log" => {
                // A log that is still written to may end within a line.
                steps += "kill $(cat \"$HOUSE/service\"); wait\n";
                steps += "head -n 1 /var/log/fim/fim.jsonl > fim.log.1; tail -n +2 /var/log/fim/fim.jsonl > fim.log\n";
                steps += "cp fim.log.1 web02.jsonl; cp fim.log web01.jsonl\n";
            }
            _ => {}
        }
        steps += &script(number, step);
    }
    steps += "[ -s report.html ] || echo 'no report.html'\necho end\n";
    fs::write(dir.path().join("steps"), steps).unwrap();
    fs::write(dir.path().join("house"), HOUSE).unwrap();
    let said = within(dir.path(), &bin);
    assert_eq!(said.trim(), "end", "{said}");
}

fn within(dir: &Path, bin: &Path) -> String {
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display());
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh"])
        .arg(dir.join("house"))
        .env_clear()
        .envs([("PATH", path.as_str()), ("HOUSE", dir.to_str().unwrap()), ("LC_ALL", "C.UTF-8")])
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}
