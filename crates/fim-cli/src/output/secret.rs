//! What must not leave: hashes of files whose content could be guessed from them, and secrets on command
//! lines. Pure.

use fim_consumers::secrets::hides_hash;
use fim_core::Finding;
use regex::Regex;
use std::ffi::OsStr;
use std::sync::{Arc, PoisonError, RwLock};

/// Shown in place of what is hidden.
pub const HIDDEN: &str = "[redacted]";

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
pub struct Redactor {
    patterns: Arc<RwLock<Vec<Regex>>>,
    /// An option that names a secret: the next argument is its value.
    option: Option<Regex>,
}

const SECRET_WORD: &str = r"(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|credentials?)";

impl Redactor {
    /// Hides what these patterns match besides the usual: the last group, or all where there is none.
    pub fn new(patterns: Vec<Regex>) -> Self {
        let option = Regex::new(&format!(r"(?i)^--?[\w-]*{SECRET_WORD}$")).ok();
        let redactor = Self { patterns: Arc::default(), option };
        redactor.set(patterns);
        redactor
    }

    /// Hides what these patterns match, besides the usual, from now on.
    pub fn set(&self, mut patterns: Vec<Regex>) {
        let value = r#"("[^"]*"|'[^']*'|\S+)"#;
        let usual = [
            // password=…, "token": …
            format!(r#"(?i){SECRET_WORD}["']?\s*[=:]\s*{value}"#),
            // --password …, within one argument such as that of sh -c
            format!(r"(?i)(?:^|\s)--?[\w-]*{SECRET_WORD}\s+{value}"),
            // scheme://user:password@host
            r"[a-zA-Z][\w+.-]*://[^/\s:@]*:([^/\s@]+)@".to_owned(),
        ];
        patterns.extend(usual.iter().filter_map(|pattern| Regex::new(pattern).ok()));
        *self.patterns.write().unwrap_or_else(PoisonError::into_inner) = patterns;
    }

    /// The arguments as they may be shown.
    pub fn args<S: AsRef<OsStr>>(&self, args: &[S]) -> Vec<String> {
        let mut next_is_secret = false;
        args.iter()
            .map(|arg| {
                let arg = arg.as_ref().to_string_lossy();
                if std::mem::take(&mut next_is_secret) {
                    return HIDDEN.to_owned();
                }
                next_is_secret = self.option.as_ref().is_some_and(|option| option.is_match(&arg));
                self.text(&arg)
            })
            .collect()
    }

    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for pattern in self.patterns.read().unwrap_or_else(PoisonError::into_inner).iter() {
            let hidden = hide(pattern, &text);
            text = hidden;
        }
        text
    }
}

/// Hides the last group of each match, or the whole match where there is no group.
fn hide(pattern: &Regex, text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for groups in pattern.captures_iter(text) {
        let last = groups.len().saturating_sub(1);
        let Some(secret) = groups.get(last).or_else(|| groups.get(0)) else {
            continue;
        };
        if let Some(before) = text.get(end..secret.start()) {
            shown.push_str(before);
            shown.push_str(HIDDEN);
            end = secret.end();
        }
    }
    shown.push_str(text.get(end..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_on_command_lines() {
        let redactor = Redactor::new(vec![Regex::new("x(y)z").unwrap(), Regex::new("whole").unwrap()]);
        for (given, shown) in [
            (vec!["ls", "-l", "/etc"], vec!["ls", "-l", "/etc"]),
            (vec!["curl", "--password", "hunter2", "u"], vec!["curl", "--password", HIDDEN, "u"]),
            (vec!["a", "--token=abc"], vec!["a", "--token=[redacted]"]),
            (vec!["sh", "-c", "DB_PASSWORD=abc run"], vec!["sh", "-c", "DB_PASSWORD=[redacted] run"]),
            (vec!["git", "https://u:pw@h/x"], vec!["git", "https://u:[redacted]@h/x"]),
            (vec!["xyz xyz", "whole"], vec!["x[redacted]z x[redacted]z", HIDDEN]),
            (vec!["vi", "/etc/passwd"], vec!["vi", "/etc/passwd"]),
            (vec!["sh", "-c", "cat /etc/passwd x"], vec!["sh", "-c", "cat /etc/passwd x"]),
            (vec!["sh", "-c", "a --pass 'b c' d"], vec!["sh", "-c", "a --pass [redacted] d"]),
        ] {
            assert_eq!(redactor.args(&given), shown, "{given:?}");
        }
    }
}
