//! The files of rpm's database, from any bytes.

use super::header::Header;
use super::package;
use super::sqlite::{self, Pages, Value};
use super::wal::{self, Wal};

/// With what may be read of them yet.
struct Bytes<'a>(&'a [u8], sqlite::Head, u32);

impl Pages for Bytes<'_> {
    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        self.2 = self.2.checked_sub(1)?;
        let from = usize::try_from(number).ok()?.checked_sub(1)?.checked_mul(self.1.page)?;
        self.0.get(from..)?.get(..self.1.page).map(<[u8]>::to_vec)
    }

    fn usable(&self) -> usize {
        self.1.page.saturating_sub(self.1.reserved)
    }
}

/// Reads the bytes as each of the files of a database.
///
/// # Panics
/// When what was read is not what the database is promised.
pub fn database(bytes: &[u8]) {
    package(bytes);
    log(bytes);
    let Some(head) = sqlite::head(bytes) else { return };
    let mut pages = Bytes(bytes, head, 10_000);
    let Some(root) = sqlite::table(&mut pages, b"Packages") else { return };
    for row in sqlite::rows(&mut pages, root).unwrap_or_default() {
        let Some(payload) = sqlite::payload(&mut pages, &row, 1 << 20) else { continue };
        assert_eq!(u64::try_from(payload.len()), Ok(row.length));
        if let Some(&Value::Bytes(header)) = sqlite::record(&payload).unwrap_or_default().get(1) {
            package(header);
        }
    }
}

fn package(bytes: &[u8]) {
    let Some(header) = Header::parse(bytes) else { return };
    drop(package::identity(&header));
    // Each looks through all that stand before it.
    for path in package::paths(&header).take(50) {
        assert_eq!(path.first(), Some(&b'/'), "every path is absolute");
        drop(package::file(&header, &path));
    }
}

fn log(bytes: &[u8]) {
    let header = bytes.first_chunk().and_then(wal::Header::parse);
    let mut wal = Wal::default();
    wal.follow(header, |at, frame| {
        let there = usize::try_from(at).ok().and_then(|at| bytes.get(at..)?.get(..frame.len()));
        there.map(|there| frame.copy_from_slice(there)).is_some()
    });
    assert!(wal.count().is_none() || wal.header().is_some());
}
