//! Lines of logs to the rows of a table, and to what a reader must not overlook. Pure: no I/O, no panic on any input.

use super::table::{Row, Table, Trouble};
use crate::output::tame;
use crate::verify::course::{Course, Place, Stop};
use fim_core::Key;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Of what is under `fim`, what the page shows of a finding besides its row.
const SHOWN: [&str; 10] = [
    "via",
    "detected",
    "changes",
    "diff",
    "moved_to",
    "hash_state",
    "login_uid",
    "writes",
    "actors",
    "explained_by",
];

/// Chains are told apart, for lines of several hosts may stand in one log.
#[derive(Debug)]
pub struct Gathering {
    key: Option<Key>,
    table: Table,
    chains: BTreeMap<String, Chain>,
    /// Gaps that are open, by host and number: where in the troubles.
    gaps: BTreeMap<(usize, String), usize>,
    hosts: BTreeMap<usize, Watched>,
    /// Lines in another form, by log.
    unread: BTreeMap<String, (u64, u64)>,
    /// Lines without a chain.
    unbound: u64,
}

#[derive(Debug)]
struct Chain {
    course: Course,
    host: usize,
    /// The key it is sealed under is not at hand.
    untried: bool,
}

/// How the last watch of a host ended, as far as its lines tell.
#[derive(Debug)]
struct Watched {
    in_good_order: bool,
}

impl Gathering {
    /// Of chains sealed under this key, if they are.
    pub fn new(key: Option<Key>) -> Self {
        Self {
            key,
            table: Table::default(),
            chains: BTreeMap::new(),
            gaps: BTreeMap::new(),
            hosts: BTreeMap::new(),
            unread: BTreeMap::new(),
            unbound: 0,
        }
    }

    /// Takes a line.
    pub fn line(&mut self, place: &Place, line: &[u8]) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return;
        }
        let told = serde_json::from_slice::<Value>(line).ok();
        let Some((told, at)) = told.and_then(|told| Some((time(&told)?, told))).map(|(at, told)| (told, at))
        else {
            self.unread.entry(place.file.clone()).or_insert((place.line, 0)).1 += 1;
            return;
        };
        let host = text(&told, "/host/hostname").unwrap_or_else(|| "(no name)".to_owned());
        let host = self.table.hosts.place(host);
        self.follow(place, line, &told, (host, at));
        self.watch(&told, host, at);
        self.row(&told, host, at);
    }

    /// The chain of the line, from where it stands in the logs.
    fn follow(&mut self, place: &Place, line: &[u8], told: &Value, (host, at): (usize, i64)) {
        let Some(id) = text(told, "/fim/chain/id") else {
            self.unbound += 1;
            return;
        };
        let key = self.key.clone();
        let begin = || Chain { course: Course::new(key.clone()).beginning_anywhere(), host, untried: false };
        let chain = self.chains.entry(id).or_insert_with(begin);
        if chain.untried {
            return;
        }
        match chain.course.line(place, line) {
            Ok(()) => {}
            Err(Stop::Break(found)) => {
                self.table.troubles.push(trouble("broken", Some(host), Some(at), found.to_string()));
                // Goes on behind the break, to find the next one.
                let notes = std::mem::take(&mut chain.course.notes);
                *chain = begin();
                chain.course.notes = notes;
                // What is wrong with this line itself was said.
                let _said = chain.course.line(place, line);
            }
            Err(Stop::Key(id)) => {
                chain.untried = true;
                let what = format!(
                    "the lines are sealed under key {id:08x}: name a copy of it by --key to try them"
                );
                self.table.troubles.push(trouble("note", Some(host), None, what));
            }
        }
    }

    /// What the line says of the watch itself.
    fn watch(&mut self, told: &Value, host: usize, at: i64) {
        let action = text(told, "/event/action").unwrap_or_default();
        let troubles = &mut self.table.troubles;
        match action.as_str() {
            "coverage_gap" => {
                let said = |what| text(told, &format!("/fim/gap/{what}")).unwrap_or_default();
                let what = format!(
                    "{}: {} records lost; looked at again: {}",
                    said("cause"),
                    said("lost"),
                    said("scope")
                );
                self.gaps.insert((host, said("id")), troubles.len());
                troubles.push(trouble("gap", Some(host), Some(at), what));
            }
            "gap_closed" => {
                let id = text(told, "/fim/gap/id").unwrap_or_default();
                let found = text(told, "/fim/gap/found").unwrap_or_default();
                if let Some(gap) = self.gaps.remove(&(host, id)).and_then(|at| troubles.get_mut(at)) {
                    gap.to = Some(at);
                    gap.text.push_str(&format!("; {found} changes found"));
                }
            }
            "baseline_lost" => {
                let what = text(told, "/fim/baseline/reason").unwrap_or_default();
                troubles.push(trouble("lost", Some(host), Some(at), what));
            }
            "watch_started" => {
                if let Some(since) = moment(told.pointer("/fim/unwatched_since")) {
                    let why = match self.hosts.get(&host) {
                        Some(before) if !before.in_good_order => " (killed, or its lines are missing)",
                        _ => "",
                    };
                    let what = format!("not watched{why}: what changed is told, but not who did it");
                    let mut blind = trouble("blind", Some(host), Some(since), what);
                    blind.to = Some(at);
                    troubles.push(blind);
                }
            }
            "tampering" => {
                let said = |what| text(told, &format!("/fim/tampering/{what}")).unwrap_or_default();
                let words = [said("against"), said("change"), said("path"), said("reason")];
                let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
                troubles.push(trouble("tampering", Some(host), Some(at), words.join(" ")));
            }
            _ => {}
        }
        let watched = self.hosts.entry(host).or_insert(Watched { in_good_order: false });
        // Changes found at a start are told before it.
        if text(told, "/fim/detected").as_deref() != Some("startup") {
            *watched = Watched { in_good_order: action == "watch_stopped" };
        }
    }

    fn row(&mut self, told: &Value, host: usize, at: i64) {
        let table = &mut self.table;
        let consumer = text(told, "/fim/consumer").unwrap_or_else(|| "agent".to_owned());
        let action = text(told, "/event/action").unwrap_or_default();
        let severity = told.pointer("/event/severity").and_then(Value::as_u64).unwrap_or_default();
        let path = text(told, "/file/path").unwrap_or_default();
        let names = [text(told, "/user/name"), text(told, "/process/name")];
        let actor: Vec<String> = names.into_iter().flatten().collect();
        let mut rest = Map::new();
        for (name, pointer) in [
            ("from", "/fim/previous/path"),
            ("process", "/process"),
            ("container", "/container"),
            ("pod", "/orchestrator/resource/id"),
            ("gap", "/fim/gap"),
            ("baseline", "/fim/baseline"),
            ("tampering", "/fim/tampering"),
            ("reload", "/fim/reload"),
            ("counts", "/fim/counts"),
            ("notes", "/fim/notes"),
            ("sequence", "/event/sequence"),
        ] {
            keep(&mut rest, name, told.pointer(pointer));
        }
        for name in SHOWN {
            keep(&mut rest, name, told.get("fim").and_then(|fim| fim.get(name)));
        }
        let (consumer, action) = (table.consumers.place(consumer), table.actions.place(action));
        let actor = table.actors.place(actor.join(" "));
        table.rows.push(Row(at, host, consumer, severity, action, path, actor, rest));
    }

    /// The whole table, in the order of times.
    pub fn done(mut self) -> Table {
        let table = &mut self.table;
        for chain in self.chains.into_values() {
            for note in chain.course.notes {
                table.troubles.push(trouble("note", Some(chain.host), None, tame(&note)));
            }
        }
        if self.unbound > 0 {
            let what = format!(
                "{} lines are bound by no chain: whether any are missing cannot be told",
                self.unbound
            );
            table.troubles.push(trouble("note", None, None, what));
        }
        for (log, (first, count)) in self.unread {
            let what = format!("{count} lines are none of fim in JSON, the first of them {log}:{first}");
            table.troubles.push(trouble("unread", None, None, what));
        }
        let order = ["tampering", "broken", "lost", "gap", "blind", "unread", "note"];
        let rank = |trouble: &Trouble| order.iter().position(|kind| *kind == trouble.kind);
        table.troubles.sort_by_key(|trouble| (rank(trouble), trouble.from));
        table.rows.sort_by_key(|row| row.0);
        self.table
    }
}

const fn trouble(kind: &'static str, host: Option<usize>, from: Option<i64>, text: String) -> Trouble {
    Trouble { kind, host, from, to: None, text }
}

/// Milliseconds since 1970; nothing if it is no line of fim.
fn time(told: &Value) -> Option<i64> {
    told.pointer("/event/action")?;
    moment(told.get("@timestamp"))
}

fn moment(told: Option<&Value>) -> Option<i64> {
    let at: Timestamp = told?.as_str()?.parse().ok()?;
    Some(at.as_millisecond())
}

/// What stands there as a text that a page can show: numbers too, and nothing that turns or hides what follows.
fn text(told: &Value, pointer: &str) -> Option<String> {
    match told.pointer(pointer)? {
        Value::String(text) => Some(tame(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn keep(rest: &mut Map<String, Value>, name: &str, value: Option<&Value>) {
    if let Some(value) = value {
        rest.insert(name.to_owned(), tamed(value));
    }
}

fn tamed(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.split('\n').map(tame).collect::<Vec<_>>().join("\n")),
        Value::Array(list) => Value::Array(list.iter().map(tamed).collect()),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(name, value)| (tame(name), tamed(value))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
