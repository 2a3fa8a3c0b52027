//! What must not leave: hashes of files whose content could be guessed from them. What is a secret in text, and
//! on command lines, is told by `fim_consumers::redact`. Pure.

use fim_consumers::secrets::hides_hash;
use fim_core::Finding;

pub use fim_consumers::redact::{HIDDEN, Redactor};

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
