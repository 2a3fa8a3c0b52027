//! Samples as lines of Graphite's plaintext protocol: `name value seconds`. Pure.
//!
//! The families of bpfink keep their names, so that its dashboards go on working; what it had no metric for
//! follows the same scheme.

use super::Sample;
use fim_core::{Latency, Severity};
use std::fmt::{Display, Write};

/// How often bpfink sends a metric, which is a part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// `….hourly`: at the start and every half hour.
    Hourly,
    /// `….minutely`: at every interval.
    Minutely,
}

/// What is in the name of every metric.
#[derive(Clone, Debug)]
pub struct Names {
    namespace: String,
    place: String,
}

impl Names {
    /// `namespace` is put in front as it is; a dot at its end is the user's to write.
    pub fn new(namespace: &str, role: &str, host: &str) -> Self {
        let place = format!("by_role.{}.{}", sanitized(role), sanitized(host));
        Self { namespace: namespace.to_owned(), place }
    }
}

/// The lines of a sample.
pub fn lines(sample: &Sample, names: &Names, pace: Pace, at: u64) -> String {
    let mut text = String::new();
    let mut add = |family: &str, end: &str, value: &dyn Display| {
        let Names { namespace, place } = names;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{namespace}{family}.{place}.{end} {value} {at}");
    };
    let now = &sample.now;
    if pace == Pace::Hourly {
        add("installed", "count.hourly", &1);
        add("installed", "version.hourly", &version(sample.version));
        return text;
    }
    for (level, count) in [("error", now.gaps), ("info", 1), ("warn", now.findings)] {
        add(&format!("log_level.{level}"), "count.minutely", &count);
    }
    add("bpf.events_caught", "count.minutely", &now.events);
    for ((consumer, severity), count) in &now.by_severity {
        add(&format!("findings.{}.{}", sanitized(consumer), word(*severity)), "count.minutely", count);
    }
    let mut within = 0;
    for (bound, count) in Latency::BOUNDS.iter().zip(now.latency.counts) {
        within += count;
        add(&format!("latency.le_{}_ms", bound.as_millis()), "count.minutely", &within);
    }
    for (family, count) in
        [("gaps", now.gaps), ("looks", now.looks), ("records_lost", now.lost), ("recovered", now.recovered)]
    {
        add(family, "count.minutely", &count);
    }
    let measured = sample.programs.iter().any(|it| it.runs > 0);
    for it in &sample.programs {
        let name = sanitized(&it.program);
        add(&format!("bpf.missed_runs.{name}"), "count.minutely", &it.missed);
        if measured {
            add(&format!("bpf.runs.{name}"), "count.minutely", &it.runs);
            add(&format!("bpf.run_nanoseconds.{name}"), "count.minutely", &it.nanoseconds);
        }
    }
    for (family, value) in [
        ("configuration_refused", u64::from(now.refused.is_some())),
        ("gaps_open", now.gaps_open),
        ("marks", now.marks),
        ("marks_limit", now.marks_limit),
        ("pending_files", now.pending),
        ("queued_messages", now.queued),
        ("uptime_seconds", sample.uptime.as_secs()),
        ("watched_dirs", now.dirs),
        ("watched_files", now.files),
    ] {
        add(family, "value.minutely", &value);
    }
    text
}

/// The word for a severity in names.
pub const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Routine => "routine",
        Severity::Notable => "notable",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// As bpfink writes names: lower case, and one `_` for whatever is no letter, digit or `-`, none at the ends.
fn sanitized(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for sign in text.chars().flat_map(char::to_lowercase) {
        if sign.is_ascii_alphanumeric() || sign == '-' {
            clean.push(sign);
        } else if !clean.ends_with('_') {
            clean.push('_');
        }
    }
    clean.trim_matches('_').to_owned()
}

/// As bpfink writes versions: the digits without the dots, 0 if there is anything else.
fn version(text: &str) -> u64 {
    text.replace('.', "").parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_as_bpfink_writes_them() {
        for (text, clean) in [
            ("Web Server", "web_server"),
            ("db-01.example.org", "db-01_example_org"),
            ("__a..b  c__", "a_b_c"),
            ("", ""),
            ("É1", "1"),
        ] {
            assert_eq!(sanitized(text), clean, "{text}");
        }
        for (text, number) in [("0.1.12", 112), ("1.2.3", 123), ("0.1.0-rc1", 0), ("", 0)] {
            assert_eq!(version(text), number, "{text}");
        }
    }
}
