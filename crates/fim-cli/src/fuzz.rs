//! Ways in for fuzzing: what reads and prints what others have a say in. Not for other use.

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
    let Ok(mut chain) = Chain::begin(None) else { return };
    let forms = [
        (Form::json(root, redactor()), true),
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

/// Verifies a log of these bytes.
pub fn verify(log: &[u8]) {
    let mut course = Course::new(None);
    for line in log.split(|byte| *byte == b'\n') {
        if course.line(&Place { file: String::new(), line: 0 }, line).is_err() {
            return;
        }
    }
}
