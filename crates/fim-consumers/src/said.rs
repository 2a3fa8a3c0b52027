//! What is said of one look, gathered with how much it matters.

use fim_core::{Change, Context, Severity, Value};

/// So many changes of one severity are listed; the rest is counted. A line is to be read by someone.
const MOST: u64 = 1000;

/// Changes and the highest severity among them.
#[derive(Debug, Default)]
pub(crate) struct Said {
    changes: Vec<Change>,
    counts: [u64; 4],
    highest: Option<Severity>,
}

impl Said {
    /// Says a change. What matters more is never left out for what matters less.
    pub fn say(&mut self, severity: Severity, change: impl FnOnce() -> Change) {
        self.highest = self.highest.max(Some(severity));
        let [routine, notable, high, critical] = &mut self.counts;
        let count = match severity {
            Severity::Routine => routine,
            Severity::Notable => notable,
            Severity::High => high,
            Severity::Critical => critical,
        };
        *count = count.saturating_add(1);
        if *count <= MOST {
            self.changes.push(change());
        }
    }

    /// Says that something matters without a word for it.
    pub fn raise(&mut self, severity: Severity) {
        self.highest = self.highest.max(Some(severity));
    }

    /// Adds what was said elsewhere.
    pub fn append(&mut self, other: Self) {
        self.changes.extend(other.changes);
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.highest = self.highest.max(other.highest);
    }

    pub const fn is_nothing(&self) -> bool {
        self.highest.is_none()
    }

    /// Hands it all over.
    pub fn tell(self, cx: &mut Context<'_>) {
        for change in self.changes {
            cx.change(change);
        }
        let left_out: u64 = self.counts.iter().map(|count| count.saturating_sub(MOST)).sum();
        if left_out > 0 {
            cx.change(Change::new("more_changes").of("count", left_out));
        }
        cx.severity(self.highest.unwrap_or(Severity::Routine));
    }
}

/// So much of a field is shown, in bytes: a line may be as long as its file, and that may be anybody's.
const LONGEST: usize = 1024;

/// A field as a text: what is not UTF-8 is escaped, what is long is cut.
pub(crate) fn text(bytes: &[u8]) -> String {
    let shown = match std::str::from_utf8(bytes) {
        Ok(text) => {
            let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
            end.and_then(|end| text.get(..end)).unwrap_or_default().to_owned()
        }
        Err(_) => bytes.get(..LONGEST).unwrap_or(bytes).escape_ascii().to_string(),
    };
    if bytes.len() > LONGEST { format!("{shown}… ({} bytes)", bytes.len()) } else { shown }
}

/// Several fields.
pub(crate) fn list<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> Value {
    Value::List(fields.into_iter().map(|field| text(field).into()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_field_is_cut() {
        assert_eq!(text(b"short"), "short");
        assert_eq!(text(&[b'a'; LONGEST]), "a".repeat(LONGEST));
        assert_eq!(text(&[b'a'; LONGEST + 1]), format!("{}… (1025 bytes)", "a".repeat(LONGEST)));
        // Never within a sign, whatever is cut off.
        let long = "é".repeat(LONGEST);
        assert_eq!(text(long.as_bytes()), format!("{}… (2048 bytes)", "é".repeat(LONGEST / 2)));
        let odd = format!("a{long}");
        assert_eq!(text(odd.as_bytes()), format!("a{}… (2049 bytes)", "é".repeat(LONGEST / 2 - 1)));
        assert!(text(&vec![0xff; 1 << 20]).len() < 4 * LONGEST + 30);
    }
}
