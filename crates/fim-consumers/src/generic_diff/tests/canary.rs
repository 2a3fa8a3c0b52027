//! A secret in every recognised form: nothing that comes out of the consumer has a trace of it.

use super::{File, config};
use crate::redact::Redactor;
use crate::redact::tests::{FORMS, SECRET, disguises};
use fim_core::{Answer, Value};
use lz4_flex::block::decompress_size_prepended;

/// Everything an answer says, and what it keeps, unpacked as well.
fn all_of(answer: &Answer) -> Vec<u8> {
    let mut all = format!("{:?}\n{:?}\n", answer.changes, answer.diff).into_bytes();
    let kept = answer.keep.as_deref().unwrap_or_default();
    all.extend_from_slice(kept);
    all.extend(decompress_size_prepended(kept.get(10..).unwrap_or_default()).unwrap_or_default());
    all
}

fn assert_clean(answer: &Answer, form: &str, secret: &str) {
    let all = all_of(answer);
    // Any eight signs of it are too many.
    for disguise in disguises(secret) {
        for part in disguise.as_bytes().windows(8) {
            assert!(
                !all.windows(8).any(|window| window == part),
                "{form}: {}",
                String::from_utf8_lossy(&all)
            );
        }
    }
    let digests = answer.changes.iter().filter(|change| change.what == "content" || change.what == "sha256");
    for change in digests {
        let is_shown = |value: &Option<Value>| matches!(value, Some(Value::Text(_)));
        assert!(!is_shown(&change.before) && !is_shown(&change.after), "{form}: a hash");
    }
}

#[test]
fn no_trace_of_a_secret() {
    let other = SECRET.chars().rev().collect::<String>();
    for keep_text in [true, false] {
        for form in FORMS {
            let with = |secret: &str| format!("# a file\n{}\nlast = line\n", form.replace('§', secret));
            let mut config = config();
            config.keep_text = keep_text;
            let mut file = File::new(config);
            let looks = [
                file.is(with(SECRET).as_bytes()),
                file.is(format!("{}more\n", with(SECRET)).as_bytes()),
                file.is(with(&other).as_bytes()),
                file.is(b"nothing of it\n"),
                file.is(with(SECRET).as_bytes()),
                file.is_gone(),
            ];
            for look in &looks {
                assert_clean(look, form, SECRET);
                assert_clean(look, form, &other);
            }
            // But that it changed is seen.
            assert!(
                looks[2].diff.is_some() || looks[2].changes.iter().any(|it| it.what == "no_diff"),
                "{form}"
            );
        }
    }
}

#[test]
fn no_trace_of_what_a_configured_pattern_hides() {
    let mut config = config();
    config.redact = Redactor::parse(&[r"(?i)^pin\s+(\S+)"]).unwrap();
    let mut file = File::new(config);
    for text in [format!("PIN {SECRET}\n"), format!("x\nPIN {SECRET}\n"), "x\n".to_owned()] {
        assert_clean(&file.is(text.as_bytes()), "pin", SECRET);
    }
}
