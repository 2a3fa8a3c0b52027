//! Accounts that change while nothing runs, in the words of accounts all the same.

use super::Fim;
use super::finding::{Finding, compare, finding};
use super::stage::Stage;
use crate::score::Score;
use rustix::process::Signal;
use serde_json::Value;
use std::io;
use std::path::Path;
use std::process::Output;

pub fn run(program: &str, watcher: &str, dir: &Path, score: &mut Score) -> io::Result<()> {
    let stage = Stage::build(dir)?;
    super::keys::prepare(&stage)?;
    let fim = Fim::new(program, watcher, &stage)?;
    fim.start(&stage)?.stop(Signal::TERM)?;

    let script = "sed -i 's/^erin:x:1004:/erin:x:0:/' /etc/passwd
        sed -i 's/^bob:[^:]*:/bob::/' /etc/shadow
        sed -i 's/^sudo:x:27:/sudo:x:27:bob/' /etc/group
        sed -i 's/^%sudo.*/%sudo ALL=(ALL) NOPASSWD: ALL/' /etc/sudoers
        sed -i '/^-:ALL:ALL/d' /etc/security/access.conf
        sed -i 's/ one$/ uno/' /home/alice/.ssh/authorized_keys";
    stage.run(script)?;
    let expected = [
        finding("users", "updated", "etc/passwd", 90)
            .says("uid user=erin before=1004 after=0")
            .says(r#"duplicate_uid uid=0 before=null after=["root","erin"]"#),
        finding("users", "updated", "etc/shadow", 90).says("password_emptied user=bob"),
        finding("users", "updated", "etc/group", 70).says("member_added group=sudo user=bob"),
        finding("users", "updated", "home/alice/.ssh/authorized_keys", 10)
            .says("key_comment user=alice before=one after=uno"),
        finding("generic_diff", "updated", "etc/sudoers", 70)
            .shows("-%sudo ALL=(ALL:ALL) ALL")
            .shows("+%sudo ALL=(ALL) NOPASSWD: ALL"),
        finding("access", "updated", "etc/security/access.conf", 90)
            .says("rule_removed permission=deny users=[\"ALL\"] origins=[\"ALL\"] position=4")
            .says("access_granted from=[\"ALL\"] rule=none")
            .says("access_granted rule=none"),
    ];
    let told = |lines: &[Value]| compare(&stage.root, &expected, &[], lines, false);
    let once = |word: &str| fim.command(word, &stage).env("RUST_LOG", "error").output();

    let dirty = once("check")?;
    score.say("check_after_stop", code(&dirty, 1).and_then(|()| told(&lines(&dirty))));
    let (status, lines_at_start) = fim.start(&stage)?.stop(Signal::TERM)?;
    let late = |line: &&Value| line["event"]["kind"] == "event" && line["fim"]["detected"] != "startup";
    score.say(
        "startup",
        told(&lines_at_start).and_then(|()| match lines_at_start.iter().find(late) {
            None if status.success() => Ok(()),
            None => Err(status.to_string()),
            Some(line) => Err(format!("not found at the start: {line}")),
        }),
    );
    let (_, quiet) = fim.start(&stage)?.stop(Signal::TERM)?;
    score.say("startup_again", compare(&stage.root, &[], &[], &quiet, false));
    let still = once("check")?;
    score.say("check_after_start", code(&still, 1).and_then(|()| told(&lines(&still))));
    let (accepted, clean) = (once("baseline")?, once("check")?);
    let nothing: [Finding; 0] = [];
    score.say(
        "check_after_baseline",
        code(&accepted, 0)
            .and_then(|()| code(&clean, 0))
            .and_then(|()| compare(&stage.root, &nothing, &[], &lines(&clean), false)),
    );
    Ok(())
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn code(output: &Output, code: i32) -> Result<(), String> {
    if output.status.code() == Some(code) {
        return Ok(());
    }
    Err(format!("{} instead of {code}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}
