//! Ways in for fuzzing and benchmarks: what reads and prints what others have a say in. Not for other use.

use crate::args::Shared;
use crate::chain::{Chain, Link};
use crate::config::{Plan, from_bpfink, load};
use crate::output::{Form, Redactor};
use crate::verify::course::{Course, Place};
use fim_core::Report;
use std::path::{Path, PathBuf};

/// Reads a configuration, makes a plan of it, prints that, and reads it back.
///
/// # Panics
/// When what was printed does not say the same.
pub fn config(text: &str) {
    let read = |text: &str| {
        let loaded = load::join(vec![(PathBuf::from("/fim.toml"), text.to_owned())])?;
        Plan::new(loaded, &Shared::default())
    };
    let Ok(plan) = read(text) else { return };
    let printed = plan.print().unwrap_or_default();
    let again = read(&printed).map(|again| again.config);
    assert_eq!(again.as_ref(), Ok(&plan.config), "{printed}");
}

/// Translates a configuration of bpfink.
pub fn bpfink_config(text: &str) {
    drop(from_bpfink::convert(text));
}

/// Prints a report in every form.
///
/// # Panics
/// When a line is more than one, or not what its form promises.
pub fn lines(report: &Report) {
    let root = Path::new("/nonexistent");
    let redactor = || Redactor::new(Vec::new());
    let (Ok(mut chain), Ok(json)) = (Chain::begin(None), Form::json(root, redactor())) else { return };
    let forms = [
        (json, true),
        (Form::ocsf(root, redactor()), true),
        (Form::bpfink(redactor()), true),
        (Form::pretty(redactor()), false),
    ];
    for (mut form, is_json) in forms {
        let mut line = Vec::new();
        let made = form.line(report, &mut line);
        assert!(made.is_ok(), "{made:?} for {report:?}");
        for line in line.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            assert!(!line.iter().any(u8::is_ascii_control), "{line:?}");
            assert!(!is_json || serde_json::from_slice::<serde_json::Value>(line).is_ok(), "{line:?}");
        }
        if form.has_chain() {
            assert!(chain.seal(&mut line).is_ok(), "{line:?}");
            assert!(Link::read(&line).is_some_and(|link| link.is_sealed(None)), "{line:?}");
        }
    }
}

/// Makes lines in JSON, one after the other.
#[derive(Debug)]
pub struct JsonLines {
    form: Form,
    line: Vec<u8>,
}

impl JsonLines {
    /// For files of this machine.
    ///
    /// # Errors
    /// When the name of this machine cannot be written as JSON.
    pub fn new() -> std::io::Result<Self> {
        let form = Form::json(Path::new("/"), Redactor::new(Vec::new()))?;
        Ok(Self { form, line: Vec::new() })
    }

    /// The line of a report.
    ///
    /// # Panics
    /// When there is none.
    pub fn line(&mut self, report: &Report) -> &[u8] {
        self.line.clear();
        let made = self.form.line(report, &mut self.line);
        assert!(made.is_ok(), "{made:?} for {report:?}");
        &self.line
    }
}

/// Verifies a log of these bytes.
pub fn verify(log: &[u8]) {
    let mut course = Course::new(None);
    for line in log.split(|byte| *byte == b'\n') {
        if course.line(&Place { file: String::new(), line: 0 }, line).is_err() {
            return;
        }
    }
}
