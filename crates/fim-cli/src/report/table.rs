//! What the page's script reads: rows of numbers into lists of texts, so that a hundred thousand findings stay small.

use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Texts that many rows share, each once.
#[derive(Debug, Default)]
pub struct Texts {
    list: Vec<String>,
    known: HashMap<String, usize>,
}

impl Texts {
    /// The place of a text in the list.
    pub fn place(&mut self, text: String) -> usize {
        if let Some(at) = self.known.get(&text) {
            return *at;
        }
        self.list.push(text.clone());
        self.known.insert(text, self.list.len() - 1);
        self.list.len() - 1
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.list.len()
    }
}

impl Serialize for Texts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

/// One line of a log: milliseconds since 1970, host, consumer, severity, action, path, actor, and the rest.
#[derive(Debug, Serialize)]
pub struct Row(
    pub i64,
    pub usize,
    pub usize,
    pub u64,
    pub usize,
    pub String,
    pub usize,
    pub Map<String, Value>,
);

/// Something that the reader must not overlook.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// `tampering`, `broken`, `gap`, `lost`, `blind`, `unread`, `note`.
    pub kind: &'static str,
    /// Of whom, where it is known.
    pub host: Option<usize>,
    /// From when, in milliseconds, where it is known.
    pub from: Option<i64>,
    /// Until when; absent if it did not end.
    pub to: Option<i64>,
    /// In words.
    pub text: String,
}

/// All of it.
#[derive(Debug, Default, Serialize)]
pub struct Table {
    /// Names of machines.
    pub hosts: Texts,
    /// Names of consumers; `agent` for lines about the watch.
    pub consumers: Texts,
    /// Words of `event.action`.
    pub actions: Texts,
    /// User and program.
    pub actors: Texts,
    /// In the order of their times.
    pub rows: Vec<Row>,
    /// The worst first.
    pub troubles: Vec<Trouble>,
}

impl Table {
    /// In a few words.
    pub fn summary(&self) -> String {
        let count = |kind| self.troubles.iter().filter(|trouble| trouble.kind == kind).count();
        let mut text = format!("{} lines of {} hosts", self.rows.len(), self.hosts.len());
        for (kind, one, several) in [
            ("tampering", "attempt on the watch", "attempts on the watch"),
            ("broken", "broken chain", "broken chains"),
            ("lost", "baseline lost", "baselines lost"),
            ("gap", "gap", "gaps"),
            ("blind", "time without a watch", "times without a watch"),
            ("unread", "log with lines of another form", "logs with lines of another form"),
        ] {
            match count(kind) {
                0 => {}
                1 => text.push_str(&format!(", 1 {one}")),
                many => text.push_str(&format!(", {many} {several}")),
            }
        }
        text
    }
}
