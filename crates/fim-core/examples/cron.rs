//! A consumer of one's own, from the first line to a test: which jobs cron runs now and did not before.
//!
//! `docs/embedding.md` explains it step by step. `cargo run --example cron` runs it on files of its own.

use fim_core::{
    Change, Consumer, ConsumerError, Context, Engine, FileKind, Interest, MemStore, Record, Report, Severity,
    Sink, Snapshot, State,
};
use std::collections::BTreeSet;

/// The consumer `cron`.
struct Cron {
    /// Files and folders of jobs: `/etc/crontab`, `/etc/cron.d`, `/var/spool/cron/crontabs`.
    paths: Vec<String>,
}

impl Consumer for Cron {
    fn name(&self) -> &'static str {
        "cron"
    }

    fn interest(&self) -> Interest {
        Interest::in_paths(&self.paths).with_content(1 << 20)
    }

    fn inspect(&mut self, file: &Snapshot, cx: &mut Context<'_>) -> Result<(), ConsumerError> {
        if file.content.is_none() && file.facts.as_ref().is_some_and(|facts| facts.kind == FileKind::File) {
            return Ok(()); // not read: keep what was known
        }
        let now = jobs(file.content.as_deref().unwrap_or_default());
        let before = match (cx.before(), cx.kept()) {
            (None, _) => BTreeSet::new(),
            (Some(_), Some(kept)) => jobs(kept),
            (Some(_), None) => now.clone(),
        };
        for job in now.difference(&before) {
            cx.change(Change::new("job_added").of("job", job.as_str()));
            cx.severity(Severity::High);
        }
        for job in before.difference(&now) {
            cx.change(Change::new("job_removed").of("job", job.as_str()));
        }
        cx.keep(now.into_iter().collect::<Vec<_>>().join("\n").into_bytes());
        Ok(())
    }
}

/// The lines that are neither blank nor comments.
fn jobs(text: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

struct Print;

impl Sink for Print {
    fn write(&mut self, report: &Report) -> std::io::Result<()> {
        if let Record::Change(finding) = &report.record {
            println!("{}: {:?}", finding.path.display(), finding.changes);
        }
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::temp_dir().join(format!("fim-cron-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    std::fs::write(dir.join("crontab"), "0 4 * * * root /usr/local/bin/backup\n")?;
    let cron = Box::new(Cron { paths: vec![dir.display().to_string()] });
    let state = State::open(Box::new(MemStore::new()))?;
    let mut engine = Engine::builder().consumer(cron).build(state, Box::new(Print))?;
    engine.baseline(&[])?;
    std::fs::write(
        dir.join("crontab"),
        "# changed\n0 4 * * * root /usr/local/bin/backup\n* * * * * root /tmp/.x\n",
    )?;
    let summary = engine.check(&[], false)?;
    std::fs::remove_dir_all(&dir)?;
    assert_eq!(summary.changes, 1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::{Answer, Facts};

    /// What the consumer says of a made-up file.
    fn said(before: Option<&str>, after: &str) -> (Vec<Change>, Option<Severity>) {
        let facts = Facts::new(FileKind::File);
        let file = Snapshot::new("/etc/crontab", facts.clone(), Some(after.into()));
        let mut cx = Context::new(before.map(|_| &facts), before.map(str::as_bytes));
        assert_eq!(Cron { paths: vec![] }.inspect(&file, &mut cx), Ok(()));
        let answer = cx.into_answer();
        (answer.changes, answer.severity)
    }

    #[test]
    fn it_runs() {
        main().unwrap();
    }

    #[test]
    fn a_new_job_is_told_and_a_comment_is_not() {
        let added = Change::new("job_added").of("job", "* * * * * root x");
        assert_eq!(said(Some("a"), "a\n# why\n* * * * * root x\n"), (vec![added], Some(Severity::High)));
        assert_eq!(said(Some("a"), "# why\na\n"), (vec![], None));
        assert_eq!(said(None, "a").0, [Change::new("job_added").of("job", "a")]);
        assert_eq!(said(Some("a"), "").0, [Change::new("job_removed").of("job", "a")]);
    }

    #[test]
    fn what_could_not_be_read_is_neither_removed_nor_forgotten() {
        let facts = Facts::new(FileKind::File);
        let file = Snapshot::new("/etc/crontab", facts.clone(), None);
        let mut cx = Context::new(Some(&facts), Some(b"a"));
        assert_eq!(Cron { paths: vec![] }.inspect(&file, &mut cx), Ok(()));
        assert_eq!(cx.into_answer(), Answer::default());
    }
}
