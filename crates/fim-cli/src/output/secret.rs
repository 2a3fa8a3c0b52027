//! What must not leave: hashes of files whose content could be guessed from them. What is a secret in text, and
//! on command lines, is told by `fim_consumers::redact`. Pure.

use fim_consumers::redact;
use fim_consumers::secrets::hides_hash;
use fim_core::Finding;
use regex::bytes::Regex;
use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use fim_consumers::redact::HIDDEN;

/// Whether a secret was found in the file, or any name it had or has is that of a file whose hash stays in.
pub fn keeps_hash(finding: &Finding) -> bool {
    if [&finding.before, &finding.after].into_iter().flatten().any(|facts| facts.keyed.is_some()) {
        return true;
    }
    let names = [Some(&finding.path), finding.previous_path.as_ref(), finding.moved_to.as_ref()];
    names.into_iter().flatten().any(|path| hides_hash(path))
}

/// Whether a text is a hash in hexadecimal.
pub fn is_digest(text: &str) -> bool {
    let digits = text.rsplit(':').next().unwrap_or(text);
    digits.len() >= 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Hides secrets in the arguments of processes. Copies share what they hide.
#[derive(Clone, Debug)]
pub struct Redactor(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    redactor: RwLock<redact::Redactor>,
    /// How often it was another.
    version: AtomicU64,
    /// What was shown last: one process makes many changes, and its arguments are read by many patterns.
    last: Mutex<Last>,
}

/// Arguments as they are, and as they may be shown.
type Last = (Vec<OsString>, Vec<String>);

impl Redactor {
    /// Hides what these patterns match besides the built-in forms.
    pub fn new(patterns: Vec<Regex>) -> Self {
        let redactor = RwLock::new(redact::Redactor::new(patterns));
        Self(Arc::new(Shared { redactor, version: AtomicU64::new(0), last: Mutex::default() }))
    }

    /// Hides what these patterns match from now on, instead of the ones before.
    pub fn set(&self, patterns: Vec<Regex>) {
        let mut redactor = self.0.redactor.write().unwrap_or_else(PoisonError::into_inner);
        *redactor = redact::Redactor::new(patterns);
        *self.last() = Last::default();
        self.0.version.fetch_add(1, Ordering::Release);
    }

    /// What was shown is as it would be shown now, as long as this stays the same.
    pub fn version(&self) -> u64 {
        self.0.version.load(Ordering::Acquire)
    }

    /// The arguments as they may be shown.
    pub fn args<S: AsRef<OsStr>>(&self, args: &[S]) -> Vec<String> {
        // Of many processes nothing is known, among those of which all is.
        if args.is_empty() {
            return Vec::new();
        }
        // Held meanwhile: what was shown by one set of patterns is not kept as shown by the next.
        let redactor = self.0.redactor.read().unwrap_or_else(PoisonError::into_inner);
        let mut last = self.last();
        if !last.0.iter().eq(args.iter().map(AsRef::as_ref)) {
            *last = (args.iter().map(|arg| arg.as_ref().to_owned()).collect(), redactor.args(args));
        }
        last.1.clone()
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_hide_what_the_last_configuration_says() {
        let redactor = Redactor::new(vec![Regex::new("one").unwrap()]);
        let copy = redactor.clone();
        assert_eq!(copy.args(&["one", "two"]), [HIDDEN, "two"]);
        assert_eq!(copy.args(&["one", "two"]), [HIDDEN, "two"]);
        assert_eq!(copy.args(&["one"]), [HIDDEN]);
        assert_eq!(copy.args(&["one", "two"]), [HIDDEN, "two"]);
        redactor.set(vec![Regex::new("two").unwrap()]);
        assert_eq!(copy.args(&["one", "two"]), ["one", HIDDEN]);
    }
}
