//! Which classes of change are seen on this machine: does each on a file of our own and counts.
//!
//! Some hooks attach and never fire, so attaching proves nothing. Knows nothing of records.

mod operations;

use crate::config::BpfConfig;
use crate::layout::{self, control, op};
use crate::marks::Counts;
use crate::object::Programs;
use fim_core::{Coverage, Degree, FileId, MarkRequest, MarkScope, Marks};
use operations::OPERATIONS;
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// What was proved.
///
/// ```no_run
/// use fim_bpf::{BpfConfig, BpfWatcher};
/// use fim_core::Degree;
///
/// let watcher = BpfWatcher::load(&BpfConfig::default())?;
/// for (class, degree) in &watcher.probe().coverage {
///     if *degree != Degree::Full {
///         println!("{class}: {}", degree.as_str());
///     }
/// }
/// # Ok::<(), fim_core::WatchError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Probe {
    /// How well each class is seen.
    pub coverage: Coverage,
    /// Facts for people.
    pub notes: Vec<String>,
}

/// Classes that are not tried, and the hooks that see them: late if one of them is not there, since the
/// last close is still seen.
const UNTRIED: &[(&str, &[&str])] = &[
    ("io_uring", &["io_write"]),
    ("aio", &["aio_write"]),
    ("kernel", &["__kernel_write", "__kernel_write_iter"]),
];

/// Says what is seen.
pub fn prove(programs: &mut Programs, config: &BpfConfig) -> Probe {
    let attached = |function: &str| programs.attached.iter().any(|it| it.hook.function == function);
    let functions: Vec<&str> = programs.attached.iter().map(|it| it.hook.function).collect();
    let mut notes = vec![format!("BPF programs on {}", functions.join(" "))];
    let mut coverage: Coverage = UNTRIED
        .iter()
        .map(|(class, hooks)| {
            let there = hooks.iter().any(|hook| attached(hook));
            (*class, if there { Degree::Full } else { Degree::Late })
        })
        .collect();
    notes.append(&mut programs.refused);
    let scratch = config.scratch.clone().unwrap_or_else(std::env::temp_dir);
    match fire(programs, &scratch) {
        Ok(tried) => {
            notes.extend(tried.refused);
            coverage.extend(tried.coverage);
        }
        Err(error) => {
            notes.push(format!("the hooks could not be tried in {}: {error}", scratch.display()));
            coverage.extend(OPERATIONS.iter().map(|operation| (operation.class, Degree::None)));
        }
    }
    Probe { coverage, notes }
}

struct Tried {
    coverage: Coverage,
    refused: Vec<String>,
}

fn fire(programs: &mut Programs, scratch: &Path) -> io::Result<Tried> {
    std::fs::create_dir_all(scratch)?;
    // Of a name that nobody can have taken before.
    let dir = tempfile::Builder::new().prefix(".fim-proof-").tempdir_in(scratch)?;
    operations::prepare(dir.path())?;
    mark(programs, dir.path())?;
    let nobody = FileId::default();
    programs.marks.control(control::PROBE, nobody)?;
    let tried =
        OPERATIONS.iter().map(|operation| try_one(programs, dir.path(), operation)).collect::<Vec<_>>();
    programs.marks.control(control::PROBED, nobody)?;
    let mut all = Tried { coverage: Coverage::new(), refused: Vec::new() };
    let closes = tried.iter().any(|(class, degree, _)| *class == "close" && *degree == Degree::Full);
    for (class, degree, refused) in tried {
        // The last close brings to light what its own hook did not.
        let by_close = matches!(class, "write" | "mmap" | "splice" | "copy" | "fallocate");
        let degree = if degree == Degree::None && by_close && closes { Degree::Late } else { degree };
        let worst = all.coverage.get(class).map_or(degree, |known| degree.min(*known));
        all.coverage.insert(class, worst);
        all.refused.extend(refused);
    }
    Ok(all)
}

fn mark(programs: &mut Programs, dir: &Path) -> io::Result<()> {
    let mut paths = vec![dir.to_owned()];
    for entry in std::fs::read_dir(dir)? {
        paths.push(entry?.path());
    }
    for path in paths {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::open(&path, flags, Mode::empty())?;
        let scope = if path.is_dir() { MarkScope::Tree } else { MarkScope::File };
        let request = MarkRequest { file: file.as_fd(), path: &path, scope };
        programs.marks.add(&[request]).map_err(io::Error::other)?;
    }
    Ok(())
}

fn try_one(
    programs: &Programs,
    dir: &Path,
    operation: &operations::Operation,
) -> (&'static str, Degree, Option<String>) {
    let before = hits(&programs.marks.counts(), operation.op);
    if let Err(error) = (operation.run)(dir) {
        let why = format!("{} could not be tried in {}: {error}", operation.class, dir.display());
        let attached = |program: &str| programs.attached.iter().any(|it| it.hook.program == program);
        return (operation.class, untried(operation, attached), Some(why));
    }
    let fired = hits(&programs.marks.counts(), operation.op) > before;
    (operation.class, if fired { Degree::Full } else { Degree::None }, None)
}

/// How well is seen what the file system of the scratch directory cannot do: that proves nothing of a program that is there.
fn untried(operation: &operations::Operation, attached: impl Fn(&str) -> bool) -> Degree {
    let is_there = operation.programs.iter().any(|program| attached(program));
    if is_there { Degree::Full } else { Degree::None }
}

fn hits(counts: &Counts, op: u8) -> u64 {
    counts.hits.get(usize::from(op)).copied().unwrap_or_default()
}

const _: () = assert!((op::ACL as usize) < layout::OPS);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hooks::HOOKS;

    #[test]
    fn what_could_not_be_tried_is_seen_if_a_program_for_it_is_there() {
        for operation in OPERATIONS {
            assert_eq!(untried(operation, |_| false), Degree::None, "{}", operation.class);
            for program in operation.programs {
                assert!(HOOKS.iter().any(|hook| hook.program == *program), "{program}");
                assert_eq!(untried(operation, |it| it == *program), Degree::Full);
            }
        }
    }
}
