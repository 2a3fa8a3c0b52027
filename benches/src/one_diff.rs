//! One comparison of two files by `generic_diff`, as `fim` does it once it has read them: from a file and what was kept
//! of the file before to the line.

use crate::Failure;
use fim_consumers::{DiffLimits, GenericDiff, GenericDiffConfig};
use fim_core::{Consumer, Context, Facts, FileKind, Key, Snapshot};
use std::io::Write;
use std::path::Path;

/// Writes what is kept of a file for its next comparison.
///
/// # Errors
/// When the file cannot be read, or what is kept not be written.
pub fn keep(file: &Path, kept: &Path) -> Result<(), Failure> {
    let mut context = Context::new(None, None);
    consumer().inspect(&look(file)?, &mut context)?;
    Ok(std::fs::write(kept, context.into_answer().keep.ok_or("nothing was kept")?)?)
}

/// Compares a file with what was kept, and prints what changed as JSON.
///
/// # Errors
/// When a file cannot be read or compared.
pub fn run(kept: &Path, file: &Path) -> Result<(), Failure> {
    let kept = std::fs::read(kept)?;
    let before = Facts::new(FileKind::File);
    let mut context = Context::new(Some(&before), Some(&kept));
    consumer().inspect(&look(file)?, &mut context)?;
    let answer = context.into_answer();
    let diff = answer.diff.filter(|diff| !diff.is_empty()).ok_or("no difference was found")?;
    let changes: Vec<_> = answer.changes.iter().map(|change| &change.what).collect();
    let line =
        serde_json::json!({ "changes": changes, "diff": diff, "kept": answer.keep.map(|kept| kept.len()) });
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &line)?;
    Ok(out.write_all(b"\n")?)
}

fn consumer() -> GenericDiff {
    let mut config = GenericDiffConfig::new(vec!["/".to_owned()], Key::new([7; 32]));
    config.limits.file_bytes = DiffLimits::MOST_FILE_BYTES;
    GenericDiff::new(config)
}

fn look(path: &Path) -> Result<Snapshot, Failure> {
    let content = std::fs::read(path)?;
    let mut facts = Facts::new(FileKind::File);
    facts.size = content.len() as u64;
    facts.blake3 = Some(*blake3::hash(&content).as_bytes());
    Ok(Snapshot::new("/etc/config", facts, Some(content)))
}
