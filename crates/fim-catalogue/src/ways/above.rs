//! Changes to what is above a watched directory: its path leads elsewhere, or nowhere.

use crate::case::{Action, Case, Held, done, hold, way};
use crate::child::Stage;
use crate::scene::{BELOW, Scene};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;

pub(super) fn cases() -> Vec<Case> {
    vec![
        way("rename", "above_renamed", "rename(2) of a directory above a watched one", |s, _| {
            fs::rename(s.above.join("up"), s.above.join("away"))?;
            done()
        })
        .deletes("^/up/here/f")
        .prepared(|s| tree(s, BELOW))
        .apart(),
        way(
            "rename",
            "above_replaced",
            "another directory in the place of one above a watched one",
            |s, _| {
                fs::rename(s.above.join("up"), s.above.join("away"))?;
                fs::rename(s.above.join("new"), s.above.join("up"))?;
                done()
            },
        )
        .updates("^/up/here/f")
        .or(Action::Created)
        .prepared(|s| {
            tree(s, BELOW)?;
            tree(s, "new/here")
        })
        .apart(),
        way("create", "above_made", "a watched path that was not there, made with all above it", |s, _| {
            tree(s, BELOW)?;
            done()
        })
        .creates("^/up/here/f")
        .apart(),
        way(
            "write",
            "single_replaced",
            "a write to a file watched alone, after another took its place",
            |s, stage| {
                fs::write(s.above.join("up/new"), "new")?;
                fs::rename(s.above.join("up/new"), s.above.join(BELOW))?;
                write_later(s, stage)
            },
        )
        .updates("^/up/here")
        .proved(written)
        .prepared(single)
        .apart(),
        way(
            "write",
            "single_made_anew",
            "a write to a file watched alone, after it was made anew",
            |s, stage| {
                fs::remove_file(s.above.join(BELOW))?;
                fs::write(s.above.join(BELOW), "anew")?;
                write_later(s, stage)
            },
        )
        .updates("^/up/here")
        .proved(written)
        .prepared(single)
        .apart(),
        way(
            "symlink",
            "above_symlink",
            "another target of a symbolic link on the way to a watched path",
            |s, _| {
                symlink("two", s.above.join("up.new"))?;
                fs::rename(s.above.join("up.new"), s.above.join("up"))?;
                done()
            },
        )
        // Files are told by their real paths.
        .updates("^/up")
        .creates("^/two/here/f")
        .proved(|s| Ok(fs::read(s.above.join("up/here/f"))? == b"two/here"))
        .prepared(|s| {
            tree(s, "one/here")?;
            tree(s, "two/here")?;
            symlink("one", s.above.join("up"))
        })
        .apart(),
    ]
}

/// A directory with a file that says where it was made.
fn tree(s: &Scene, dir: &str) -> io::Result<()> {
    fs::create_dir_all(s.above.join(dir))?;
    fs::write(s.above.join(dir).join("f"), dir)
}

/// What is watched is a file, not a directory.
fn single(s: &Scene) -> io::Result<()> {
    fs::create_dir(s.above.join("up"))?;
    fs::write(s.above.join(BELOW), "old")
}

fn write_later(s: &Scene, stage: &mut Stage<'_>) -> io::Result<Held> {
    stage.pause()?;
    let mut file = fs::File::options().write(true).open(s.above.join(BELOW))?;
    file.write_all(NEW)?;
    hold(file)
}

const NEW: &[u8] = b"written later";

fn written(s: &Scene) -> io::Result<bool> {
    Ok(fs::read(s.above.join(BELOW))? == NEW)
}
