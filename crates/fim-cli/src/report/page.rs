//! The page: a frame, a style, a script, and the table as data that the script reads. Nothing of a log is ever markup.

use super::table::Table;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

const FRAME: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page of a table.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn html(table: &Table, logs: &[String], made: Timestamp) -> Result<String, serde_json::Error> {
    let data = json!({
        "logs": logs.iter().map(|log| crate::output::tame(log)).collect::<Vec<_>>(),
        "made": made.as_millisecond(),
        "version": env!("CARGO_PKG_VERSION"),
        "hosts": table.hosts, "consumers": table.consumers, "actions": table.actions, "actors": table.actors,
        "rows": table.rows, "troubles": table.troubles,
    });
    // Without a `<` nothing in it can end the element it stands in, nor begin a comment.
    let data = serde_json::to_string(&data)?.replace('<', "\\u003c");
    // A browser runs this script alone, and loads nothing, whatever a log has in it.
    let policy =
        format!("default-src 'none'; style-src '{}'; script-src '{}'", digest(STYLE), digest(SCRIPT));
    // Data last: what stands in it is not looked through for places.
    Ok(FRAME
        .replace("{policy}", &policy)
        .replace("{style}", STYLE)
        .replace("{script}", SCRIPT)
        .replacen("{data}", &data, 1))
}

fn digest(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}
