//! Samples in Prometheus's text format, 0.0.4. Pure.

use super::Sample;
use super::graphite::word;
use crate::watchers::ProgramCost;
use fim_core::{Latency, Phase};
use std::fmt::{Display, Write};
use std::time::Duration;

/// The text of a sample.
pub fn text(sample: &Sample) -> String {
    let now = &sample.now;
    let mut text = Text(String::new());
    text.family("fim_build_info", "gauge", "The version and the watcher.");
    text.value(
        "fim_build_info",
        &format!("{{version=\"{}\",watcher=\"{}\"}}", escaped(sample.version), escaped(now.watcher)),
        &1,
    );
    let watching = u64::from(now.phase == Phase::Watching);
    text.single(
        "fim_watching",
        "gauge",
        "1 while every watch is armed; 0 at the start and the end.",
        &watching,
    );
    let started = sample.started.as_secs_f64();
    text.single("fim_start_time_seconds", "gauge", "Start of the agent, since the epoch.", &started);
    text.single("fim_uptime_seconds", "gauge", "Since the start of the agent.", &sample.uptime.as_secs());
    text.single("fim_events_total", "counter", "Events received from the watcher.", &now.events);
    text.single("fim_looks_total", "counter", "Looks taken at files.", &now.looks);
    text.family("fim_findings_total", "counter", "Changes reported.");
    for ((consumer, severity), count) in &now.by_severity {
        let labels = format!("{{consumer=\"{}\",severity=\"{}\"}}", escaped(consumer), word(*severity));
        text.value("fim_findings_total", &labels, count);
    }
    text.single("fim_records_lost_total", "counter", "Records that did not reach the engine.", &now.lost);
    text.single(
        "fim_recovered_changes_total",
        "counter",
        "Changes found by comparing after records were lost.",
        &now.recovered,
    );
    text.single("fim_gaps_total", "counter", "Gaps in coverage opened.", &now.gaps);
    text.single("fim_gaps_open", "gauge", "Gaps in coverage not yet made up for.", &now.gaps_open);
    text.single(
        "fim_configuration_refused",
        "gauge",
        "1 while an older configuration than the last one holds, which was refused.",
        &u64::from(now.refused.is_some()),
    );
    text.single("fim_queued_messages", "gauge", "Messages of the watcher that wait.", &now.queued);
    text.single("fim_pending_files", "gauge", "Files that wait to be looked at.", &now.pending);
    text.single(
        "fim_watched_files",
        "gauge",
        "Files watched, as of the start or the last configuration.",
        &now.files,
    );
    text.single("fim_watched_directories", "gauge", "Directories watched, as of then.", &now.dirs);
    text.single("fim_marks", "gauge", "Marks set in the kernel.", &now.marks);
    text.single(
        "fim_marks_limit",
        "gauge",
        "Marks there is room for; 0 has no known limit.",
        &now.marks_limit,
    );
    latency(&mut text, &now.latency);
    programs(&mut text, &sample.programs);
    text.0
}

/// Nothing of what was not measured: 0 would be a lie.
fn programs(text: &mut Text, programs: &[ProgramCost]) {
    let measured = programs.iter().any(|it| it.runs > 0);
    let mut each = |name: &str, help: &str, value: &dyn Fn(&ProgramCost) -> Box<dyn Display>| {
        text.family(name, "counter", help);
        for it in programs {
            text.value(name, &format!("{{program=\"{}\"}}", escaped(&it.program)), &value(it));
        }
    };
    if !programs.is_empty() {
        each("fim_bpf_missed_runs_total", "Runs of a BPF program that the kernel skipped.", &|it| {
            Box::new(it.missed)
        });
    }
    if measured {
        each("fim_bpf_runs_total", "Runs of a BPF program.", &|it| Box::new(it.runs));
        each("fim_bpf_run_seconds_total", "Time spent in a BPF program.", &|it| {
            Box::new(Duration::from_nanos(it.nanoseconds).as_secs_f64())
        });
    }
}

fn latency(text: &mut Text, latency: &Latency) {
    let name = "fim_report_latency_seconds";
    text.family(name, "histogram", "From the mark of a live change to its line.");
    let mut within = 0;
    let bounds = Latency::BOUNDS.iter().map(|bound| bound.as_secs_f64().to_string());
    for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(latency.counts) {
        within += count;
        text.value(&format!("{name}_bucket"), &format!("{{le=\"{bound}\"}}"), &within);
    }
    text.value(&format!("{name}_sum"), "", &latency.sum.as_secs_f64());
    text.value(&format!("{name}_count"), "", &within);
}

struct Text(String);

impl Text {
    // Writing to a string cannot fail.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &str, value: &dyn Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: &dyn Display) {
        self.family(name, kind, help);
        self.value(name, "", value);
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
