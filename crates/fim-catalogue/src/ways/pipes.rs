//! Bytes that reach a file through a pipe, or from another file, without passing user space.
#![allow(unsafe_code)]

use crate::case::{Case, Held, hold, way};
use crate::scene::Scene;
use rustix::io::write as put;
use rustix::pipe::{IoSliceRaw, SpliceFlags, pipe, splice, tee, vmsplice};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

pub(super) fn cases() -> Vec<Case> {
    let pipes = |name, says, change| way("splice", name, says, change).updates("f");
    vec![
        pipes("splice", "splice(2) from a pipe", |s, _| {
            let (read, write) = pipe()?;
            put(&write, b"PIPED")?;
            into_file(s, &read)
        }),
        pipes("splice_file", "splice(2) from a file through a pipe", |s, _| {
            let (read, write) = pipe()?;
            splice(File::open(s.at("other"))?, None, &write, None, 5, SpliceFlags::empty())?;
            into_file(s, &read)
        }),
        pipes("vmsplice", "vmsplice(2) into a pipe, splice(2) into the file", |s, _| {
            let (read, write) = pipe()?;
            let bytes = b"PAGES";
            // SAFETY: the bytes are constant.
            unsafe { vmsplice(&write, &[IoSliceRaw::from_slice(bytes)], SpliceFlags::empty())? };
            into_file(s, &read)
        }),
        pipes("tee", "tee(2) from pipe to pipe, splice(2) into the file", |s, _| {
            let (first, into) = pipe()?;
            let (second, copy) = pipe()?;
            put(&into, b"TEE'D")?;
            tee(&first, &copy, 5, SpliceFlags::empty())?;
            into_file(s, &second)
        }),
        pipes("sendfile", "sendfile(2)", |s, _| {
            let file = s.writable()?;
            rustix::fs::sendfile(&file, File::open(s.at("other"))?, None, 5)?;
            hold(file)
        }),
    ]
}

fn into_file(s: &Scene, from: &OwnedFd) -> io::Result<Held> {
    let file = s.writable()?;
    splice(from, None, &file, None, 5, SpliceFlags::empty())?;
    hold(file)
}
