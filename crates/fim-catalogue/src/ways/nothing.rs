//! What changes nothing, and so must not be reported.

use crate::case::{Case, done, hold, way};
use std::fs;
use std::io::{self, Write};

pub(super) fn cases() -> Vec<Case> {
    let nothing = |name, says, change| way("nothing", name, says, change);
    vec![
        nothing("read", "read(2)", |s, _| hold(fs::read(s.f())?)),
        nothing("open_rdwr", "open(2) for writing, and close(2)", |s, _| hold(s.open()?)),
        nothing("unlink_missing", "unlink(2): ENOENT", |s, _| {
            fails(fs::remove_file(s.at("none")), libc::ENOENT)?;
            done()
        }),
        nothing("rewrite", "write(2) of the same bytes", |s, _| {
            let mut file = s.writable()?;
            file.write_all(b"the old content\n")?;
            hold(file)
        })
        .may_touch(),
    ]
}

/// It must fail, and so.
pub(super) fn fails<T>(result: io::Result<T>, code: i32) -> io::Result<()> {
    match result {
        Ok(_) => Err(io::Error::other("it did not fail")),
        Err(error) if error.raw_os_error() == Some(code) => Ok(()),
        Err(error) => Err(io::Error::other(format!("it failed otherwise: {error}"))),
    }
}
