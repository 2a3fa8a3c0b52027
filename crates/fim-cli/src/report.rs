//! `fim report`: a page to look at, made of logs. One file that loads nothing from anywhere.

mod gather;
mod page;
mod table;

use crate::failure::Failure;
use crate::verify::each_line;
use fim_core::Key;
use gather::Gathering;
use std::io;
use std::path::Path;

/// What the page is of, in words.
///
/// # Errors
/// When a log cannot be read, or the page not be written.
pub fn report(logs: &[String], key: Option<Key>, page: &Path) -> Result<String, Failure> {
    let mut gathering = Gathering::new(key);
    each_line(logs, |place, line| {
        gathering.line(place, line);
        Ok(())
    })?;
    let gathered = gathering.done();
    let text = page::html(&gathered, logs, jiff::Timestamp::now())
        .map_err(|error| Failure::new(format!("cannot make the page: {error}")))?;
    write(page, &text).map_err(|error| Failure::new(format!("cannot write {}: {error}", page.display())))?;
    Ok(format!("{}: {}\n", page.display(), gathered.summary()))
}

/// Beside it first: whoever looks meanwhile sees the old page or the new one.
fn write(page: &Path, text: &str) -> io::Result<()> {
    let mut beside = page.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, page)
}
