//! What `fim` knows, by its state. The one place here that knows how it is kept; `fim` must have ended.

use super::tree::{Entry, Tree};
use fim_core::{Facts, SledStore, State};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

/// What was last seen below a directory, itself included.
pub fn kept(state: &Path, top: &Path) -> io::Result<Tree> {
    let state =
        SledStore::open(state).and_then(|store| State::open(Box::new(store))).map_err(io::Error::other)?;
    let mut tree = Tree::new();
    let walked = state.walk(top, &mut |path, record| {
        if let Some(seen) = &record.seen {
            tree.insert(path, entry(seen));
        }
        ControlFlow::Continue(())
    });
    walked.map_err(io::Error::other)?;
    Ok(tree)
}

fn entry(facts: &Facts) -> Entry {
    let is_dir = facts.kind == fim_core::FileKind::Dir;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Entry {
        kind: facts.kind.as_str().to_owned(),
        mode: format!("{:04o}", facts.mode),
        uid: facts.uid.to_string(),
        gid: facts.gid.to_string(),
        target: facts.target.as_ref().map(|target| target.to_string_lossy().into_owned()),
        size: (!is_dir).then_some(facts.size),
        hash: facts.blake3.map(|hash| hex(&hash)),
        xattrs: facts.xattrs.iter().map(|xattr| (xattr.name.clone(), hex(&xattr.digest))).collect(),
    }
}
