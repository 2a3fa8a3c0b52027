use super::*;
use serde_json::json;

fn place(line: u64) -> Place {
    Place { file: "log".to_owned(), line }
}

fn gathered(lines: &[Value]) -> Table {
    let mut gathering = Gathering::new(None);
    for (at, line) in lines.iter().enumerate() {
        gathering.line(&place(at as u64 + 1), line.to_string().as_bytes());
    }
    gathering.done()
}

fn agent(action: &str, at: &str, fim: Value) -> Value {
    json!({"@timestamp": format!("2026-11-24T{at}Z"), "event": {"action": action}, "host": {"hostname": "h"}, "fim": fim})
}

/// Without the note on lines that are bound by no chain.
fn kinds(table: &Table) -> Vec<&str> {
    let told = table.troubles.iter().filter(|trouble| !trouble.text.contains("bound by no chain"));
    told.map(|trouble| trouble.kind).collect()
}

#[test]
fn a_gap_ends_where_it_is_closed_and_stays_open_where_it_is_not() {
    let gap = |id| json!({"gap": {"id": id, "cause": "ring full", "scope": "all", "lost": 3, "found": 2}});
    let table = gathered(&[
        agent("coverage_gap", "01:00:00", gap(1)),
        agent("coverage_gap", "01:00:01", gap(2)),
        agent("gap_closed", "01:00:02", gap(1)),
    ]);
    assert_eq!(kinds(&table), ["gap", "gap"]);
    assert_eq!(table.troubles[0].to, Some(table.troubles[0].from.unwrap() + 2000));
    assert!(table.troubles[0].text.ends_with("3 records lost; looked at again: all; 2 changes found"));
    assert_eq!(table.troubles[1].to, None);
}

#[test]
fn the_time_between_two_watches_is_told() {
    let since = |time| json!({"unwatched_since": format!("2026-11-24T{time}Z")});
    let table = gathered(&[
        agent("watch_started", "01:00:00", json!({"first_baseline": true})),
        agent("watch_stopped", "02:00:00", json!({})),
        agent("updated", "03:00:00", json!({"detected": "startup"})),
        agent("watch_started", "03:00:00", since("02:00:00")),
        agent("updated", "03:30:00", json!({"detected": "live"})),
        agent("watch_started", "04:00:00", since("03:30:00")),
        // What is pinned goes on marking.
        agent("watch_started", "05:00:00", json!({})),
    ]);
    assert_eq!(kinds(&table), ["blind", "blind"]);
    let times: Vec<_> = table.troubles[..2].iter().map(|it| it.to.unwrap() - it.from.unwrap()).collect();
    assert_eq!(times, [3_600_000, 1_800_000]);
    assert!(!table.troubles[0].text.contains("killed") && table.troubles[1].text.contains("killed"));
}

#[test]
fn tampering_comes_first() {
    let tampering =
        json!({"tampering": {"against": "program", "change": "replaced", "path": "/usr/bin/fim"}});
    let gap = json!({"gap": {"id": 1, "cause": "ring_full", "scope": "all"}});
    let table =
        gathered(&[agent("coverage_gap", "01:00:00", gap), agent("tampering", "02:00:00", tampering)]);
    assert_eq!(kinds(&table), ["tampering", "gap"]);
    assert_eq!(table.troubles[0].text, "program replaced /usr/bin/fim");
}

#[test]
fn what_is_no_line_is_counted_and_named() {
    let mut gathering = Gathering::new(None);
    for (at, line) in [
        &b""[..],
        b"hello",
        b"{\"a\":1}",
        b"\xff\xfe",
        b"[[[[",
        b"{\"@timestamp\":\"x\",\"event\":{\"action\":1}}",
    ]
    .iter()
    .enumerate()
    {
        gathering.line(&place(at as u64 + 1), line);
    }
    let table = gathering.done();
    assert_eq!(kinds(&table), ["unread"]);
    assert_eq!(table.troubles[0].text, "5 lines are none of fim in JSON, the first of them log:2");
}

/// Lines of two hosts, one after the other, as a receiver may have them; the chain of the second lacks a line.
#[test]
fn chains_are_followed_each_by_itself() {
    use crate::chain::Chain;
    let mut hosts: Vec<(&str, Chain)> = ["one", "two"].map(|host| (host, Chain::begin(None).unwrap())).into();
    let mut lines = Vec::new();
    for sequence in 1..=5 {
        for (host, chain) in &mut hosts {
            // `fim` is the last field of a line, and the chain the last of that.
            let mut line = format!(
                r#"{{"@timestamp":"2026-11-24T01:00:00Z","event":{{"action":"updated","sequence":{sequence}}},"host":{{"hostname":"{host}"}},"fim":{{"detected":"live"}}}}"#
            )
            .into_bytes();
            chain.seal(&mut line).unwrap();
            lines.push(line);
        }
    }
    let follow = |lines: &[Vec<u8>]| {
        let mut gathering = Gathering::new(None);
        lines.iter().enumerate().for_each(|(at, line)| gathering.line(&place(at as u64 + 1), line));
        gathering.done()
    };
    assert!(kinds(&follow(&lines)).is_empty());

    let lacking: Vec<_> =
        lines.iter().enumerate().filter(|(at, _)| *at != 5).map(|(_, line)| line.clone()).collect();
    let table = follow(&lacking);
    assert_eq!(kinds(&table), ["broken", "note"]);
    assert_eq!(table.troubles[0].host, Some(1));
    assert!(table.troubles[0].text.contains("sequence 3 to 3 is missing"), "{}", table.troubles[0].text);

    // A later part of a log has no first line: that is no break, but a note.
    assert_eq!(kinds(&follow(&lines[4..])), ["note", "note"]);
}

#[test]
fn nothing_turns_or_hides_what_stands_beside_it() {
    let table = gathered(&[json!({
        "@timestamp": "2026-11-24T01:00:00Z", "event": {"action": "created"}, "host": {"hostname": "h\u{202e}"},
        "file": {"path": "/etc/\u{1b}[2J\u{202e}cod.exe"}, "fim": {"diff": "+a\n-\u{202e}b\n", "changes": [{"what": "\u{7}"}]},
    })]);
    let page = super::super::page::html(&table, &["\u{202e}".to_owned()], Timestamp::UNIX_EPOCH).unwrap();
    assert!(!page.contains(['\u{202e}', '\u{1b}', '\u{7}']));
    assert!(page.contains(r"+a\n-\\u{202e}b\n"));
}

#[test]
fn nothing_of_a_log_is_markup() {
    let hostile = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>{data}{script}";
    let table = gathered(&[json!({
        "@timestamp": "2026-11-24T01:00:00Z", "event": {"action": hostile}, "host": {"hostname": hostile},
        "file": {"path": hostile}, "process": {"name": hostile, "args": [hostile]}, "user": {"name": hostile},
        "fim": {"consumer": hostile, "diff": hostile, "changes": [{hostile: hostile}], "notes": hostile},
    })]);
    let page = super::super::page::html(&table, &[hostile.to_owned()], Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<img") && !page.contains("<!--"));
    assert!(
        !page.contains("src=\"") && !page.contains("http://") && !page.contains("https://"),
        "it loads something"
    );
}
