//! Watched files that are not what they should be: each is told, nothing stops, and sense is told as before
//! once there is sense in them again.

use super::Fim;
use super::case::since_last;
use super::finding::{Finding, brief, compare, finding, is_all_there};
use super::stage::Stage;
use crate::agent::Agent;
use crate::score::Score;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

const FILES: [(&str, &str); 9] = [
    ("users", "etc/passwd"),
    ("users", "etc/shadow"),
    ("users", "etc/group"),
    ("users", "etc/gshadow"),
    ("users", "home/alice/.ssh/authorized_keys"),
    ("generic_diff", "etc/ssh/sshd_config"),
    ("generic_diff", "etc/sudoers"),
    ("generic_diff", "etc/app.conf"),
    ("access", "etc/security/access.conf"),
];

/// The largest ones take long to be compared and told.
const LIMIT: Duration = Duration::from_secs(120);

/// From the text that was there to one that is wrong.
type Spoil = fn(&str) -> Vec<u8>;

const KINDS: [(&str, Spoil); 11] = [
    ("short_lines", |text| {
        text.lines()
            .map(|line| line.split([':', ' ']).next().unwrap_or("").to_owned() + "\n")
            .collect::<String>()
            .into_bytes()
    }),
    ("binary", |_| (0..=255u8).cycle().map(|byte| byte.wrapping_mul(167)).take(5000).collect()),
    ("empty", |_| Vec::new()),
    ("comments", |text| text.lines().map(|line| format!("# {line}\n")).collect::<String>().into_bytes()),
    ("blanks", |_| b" \n\n\t\n:\n::::::::::\n".to_vec()),
    ("huge_line", |text| [text.as_bytes(), &vec![b'a'; 2 << 20], b":x:0:0::/:/bin/sh\n"].concat()),
    ("many_lines", |text| text.repeat(2000).into_bytes()),
    ("nis", |text| format!("{text}+@admins::::::\n-mallory\n+\n").into_bytes()),
    ("crlf", |text| text.replace('\n', "\r\n").into_bytes()),
    ("no_newline", |text| text.trim_end().as_bytes().to_vec()),
    ("zeros", |text| text.replace([':', ' '], "\0").into_bytes()),
];

/// Puts something else than a file there.
type Replace = fn(&Path) -> io::Result<()>;

const OTHERS: [(&str, Replace); 5] = [
    ("gone", |_| Ok(())),
    ("directory", |path| fs::create_dir(path)),
    ("fifo", |path| mknodat(CWD, path, FileType::Fifo, Mode::from(0o600), 0).map_err(io::Error::from)),
    ("link_to_device", |path| symlink("/dev/zero", path)),
    ("link_to_itself", |path| symlink(path, path)),
];

pub fn run(program: &str, watcher: &str, dir: &Path, score: &mut Score) -> io::Result<()> {
    let stage = Stage::build(dir)?;
    super::keys::prepare(&stage)?;
    super::texts::prepare(&stage)?;
    let fim = Fim::new(program, watcher, &stage)?;
    let good: Vec<(&str, String)> = FILES
        .iter()
        .map(|(_, path)| Ok((*path, fs::read_to_string(stage.root.join(path))?)))
        .collect::<io::Result<_>>()?;
    let mut agent = fim.start(&stage)?;
    for (kind, spoil) in KINDS {
        for (path, text) in &good {
            fs::write(stage.root.join(path), spoil(text))?;
        }
        let told = each_is_told(&stage, &mut agent)?;
        for (path, text) in &good {
            fs::write(stage.root.join(path), text)?;
        }
        let told = told.and(each_is_told(&stage, &mut agent)?);
        score.say(&format!("malformed_{kind}"), told.and(sense(&stage, &mut agent)?));
    }
    for (kind, replace) in OTHERS {
        for (path, _) in &good {
            let path = stage.root.join(path);
            fs::remove_file(&path)?;
            replace(&path)?;
        }
        let told = each_is_told(&stage, &mut agent)?;
        for (path, text) in &good {
            let path = stage.root.join(path);
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => fs::remove_dir(&path)?,
                Ok(_) => fs::remove_file(&path)?,
                Err(_) => {}
            }
            fs::write(path, text)?;
        }
        let told = told.and(each_is_told(&stage, &mut agent)?);
        score.say(&format!("malformed_{kind}"), told.and(sense(&stage, &mut agent)?));
    }
    let (status, _) = agent.stop(Signal::TERM)?;
    let stderr = fs::read_to_string(stage.beside("stderr"))?;
    let panicked = stderr.lines().find(|line| line.contains("panick"));
    score.say(
        "malformed_stop",
        match (status.success(), panicked) {
            (true, None) => Ok(()),
            (_, said) => Err(format!("{status}, {said:?}")),
        },
    );
    Ok(())
}

/// A line for each of the files.
fn each_is_told(stage: &Stage, agent: &mut Agent) -> io::Result<Result<(), String>> {
    let from = agent.read;
    let missing = |lines: &[serde_json::Value]| {
        let is = |consumer: &str, path: &str| {
            let path = stage.root.join(path).display().to_string();
            lines.iter().any(|line| {
                line["file"]["path"] == path && line["fim"]["consumer"] == consumer && !is_touch(line)
            })
        };
        FILES.iter().find(|(consumer, path)| !is(consumer, path)).map(|(_, path)| *path)
    };
    let told = agent.wait_until(LIMIT, |all| missing(all.get(from..).unwrap_or_default()).is_none())?;
    let lines = since_last(stage, agent)?;
    let path = missing(&lines);
    Ok(if told { Ok(()) } else { Err(format!("no line of {path:?}; {}", brief(&stage.root, &lines))) })
}

fn is_touch(line: &serde_json::Value) -> bool {
    line["fim"]["changes"].as_array().is_some_and(|all| all.iter().any(|it| it["what"] == "touched"))
}

/// A change that means something, there and back.
fn sense(stage: &Stage, agent: &mut Agent) -> io::Result<Result<(), String>> {
    let there =
        "sed -i 's/^erin:x:1004:/erin:x:0:/' /etc/passwd; echo '+:erin:LOCAL' >> /etc/security/access.conf";
    let back = "sed -i 's/^erin:x:0:/erin:x:1004:/' /etc/passwd; sed -i '/erin/d' /etc/security/access.conf";
    let passwd = |severity, change: &str, root: &str| {
        finding("users", "updated", "etc/passwd", severity)
            .says(change)
            .says(format!("duplicate_uid uid=0 {root}"))
    };
    let rules = |change: &str, shadowed: Option<&str>| {
        let line = finding("access", "updated", "etc/security/access.conf", 40).says(change);
        shadowed.map_or(line.clone(), |shadowed| line.says(shadowed))
    };
    let steps = [
        (
            there,
            [
                passwd(90, "uid user=erin before=1004 after=0", r#"before=null after=["root","erin"]"#),
                rules("rule_added users=[\"erin\"] position=5", Some("shadowed users=[\"erin\"]")),
            ],
        ),
        (
            back,
            [
                passwd(70, "uid user=erin before=0 after=1004", r#"before=["root","erin"] after=null"#),
                rules("rule_removed users=[\"erin\"] position=5", None),
            ],
        ),
    ];
    for (script, findings) in steps {
        let told = step(stage, agent, script, &findings)?;
        if told.is_err() {
            return Ok(told);
        }
    }
    Ok(Ok(()))
}

fn step(
    stage: &Stage,
    agent: &mut Agent,
    script: &str,
    wanted: &[Finding],
) -> io::Result<Result<(), String>> {
    let from = agent.read;
    stage.run(script)?;
    agent.wait_until(LIMIT, |all| is_all_there(&stage.root, wanted, all.get(from..).unwrap_or_default()))?;
    let lines = since_last(stage, agent)?;
    Ok(compare(&stage.root, wanted, &[], &lines, false))
}
