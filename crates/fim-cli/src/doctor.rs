//! What this machine allows: the watcher, what it sees, where the watched paths lie, what is missing.

mod fault;
mod loops;
mod mounts;
mod place;
mod privileges;

use crate::config::{Plan, Scan};
use crate::confine;
use crate::watchers::{self, Tried};
use crate::wiring;
use fault::Fault;
use fim_core::{Cover, Interest, WatchSet};
use place::Place;
use privileges::Privilege;
use std::fmt::Write;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// So many paths that are not there are listed.
const FEW_ABSENT: usize = 4;

/// What was found.
#[derive(Debug)]
pub struct Diagnosis {
    /// In words, for standard output.
    pub text: String,
    /// Whether every change of every watched path is seen as it happens.
    pub covered: bool,
}

/// Examines the machine for what the plan wants to watch.
pub fn examine(plan: &Plan, watched: Vec<Interest>) -> Diagnosis {
    let set = WatchSet::new(watched).unwrap_or_default();
    let mut tried = watchers::try_all(plan.config.watcher, &watchers::Needs::of(&plan.config.limits, &set));
    let scan = wiring::scan(plan);
    for sight in tried.iter_mut().filter_map(|one| one.sight.as_mut().ok()) {
        scan.make_up(&mut sight.coverage);
    }
    let mut places: Vec<(PathBuf, Place)> =
        set.roots().into_iter().map(|path| (path.clone(), Place::of(&path))).collect();
    // What is mounted below is worth a line only where it is seen late.
    let below = mounts::points().into_iter().filter(|path| set.cover(path) == Cover::All);
    let shared = below.map(|path| (path.clone(), Place::of(&path)));
    let shared: Vec<_> = shared.filter(|place| !place.1.is_covered() && !places.contains(place)).collect();
    places.extend(shared);
    let behind = loops::direct().into_iter().filter(|(file, _)| set.owner(file).is_some());
    places.extend(behind.map(|(file, device)| (file, Place::Behind(device))));
    let state: &Path = &plan.config.state;
    let watcher = tried.iter().find(|one| one.sight.is_ok()).map_or("none", |one| one.name);
    let confinement = confine::tried(&plan.config, watcher);
    let state = (state, state_fault(state));
    let rest = [("confinement", confinement), ("packages", wiring::packages(plan))];
    describe(&tried, &places, &privileges::missing(), state, &plan.config.scan, &rest)
}

/// In a word, the kind of file system a path lies on.
pub fn file_system(path: &Path) -> String {
    Place::of(path).to_string()
}

fn describe(
    tried: &[Tried],
    places: &[(PathBuf, Place)],
    missing: &[Privilege],
    (state, state_fault): (&Path, Option<String>),
    scan: &Scan,
    rest: &[(&str, String)],
) -> Diagnosis {
    let mut faults = fault::of_watchers(tried);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "kernel      {}", rustix::system::uname().release().to_string_lossy());
    let chosen = tried.iter().find_map(|one| Some((one.name, one.sight.as_ref().ok()?)));
    let _ = writeln!(text, "watcher     {}", chosen.map_or("none", |(name, _)| name));
    let _ = writeln!(text, "            {}", watchers::why(tried));
    if let Some((_, sight)) = chosen {
        for note in &sight.notes {
            let _ = writeln!(text, "            {note}");
        }
        for (class, degree) in &sight.coverage {
            let _ = writeln!(text, "coverage    {class:<16} {}", degree.as_str());
        }
    }
    // Most accounts have no keys: their files are not listed one by one.
    let absent = places.iter().filter(|(_, place)| matches!(place, Place::Missing));
    let (mut listed, absent) = (0, absent.count());
    for (path, place) in places {
        if matches!(place, Place::Missing) {
            listed += 1;
            if listed == FEW_ABSENT && absent > FEW_ABSENT {
                let more = absent - FEW_ABSENT + 1;
                let _ = writeln!(
                    text,
                    "path        {more} more paths are not there yet; watched as soon as they are"
                );
            }
            if listed >= FEW_ABSENT && absent > FEW_ABSENT {
                continue;
            }
        }
        let _ = writeln!(text, "path        {} ({place})", path.display());
        if !place.is_covered() {
            faults.push(match place {
                Place::Unknown(_) => Fault::new(format!("{} {place}", path.display()), "run as root"),
                place => Fault::new(path.display().to_string(), place.to_string()),
            });
        }
    }
    let _ = writeln!(text, "scans       {scan}");
    if scan.full_every.0.is_zero() {
        faults.push(Fault::new(
            "writes to the disk past the file system are not seen",
            "let `full_every` in [scan] be more than 0",
        ));
    }
    let state_word = state_fault.as_deref().unwrap_or("can be written");
    let _ = writeln!(text, "state       {} ({state_word})", state.display());
    if let Some(fault) = &state_fault {
        faults.push(Fault::new(
            format!("the state folder {} {fault}", state.display()),
            "run as root, or name another folder by --state DIR",
        ));
    }
    // This does not bear on what is seen: it is told, and no fault.
    for (word, what) in rest {
        let _ = writeln!(text, "{word:<11} {what}");
    }
    if missing.is_empty() {
        let _ = writeln!(text, "privileges  all that are needed");
    }
    for privilege in missing {
        let _ = writeln!(text, "privileges  {} is missing: {}", privilege.name, privilege.purpose);
    }
    faults.extend(fault::of_privileges(missing));

    let covered = faults.is_empty();
    if covered {
        let _ = writeln!(text, "\nfully covered");
    } else {
        let _ = writeln!(text, "\nnot fully covered:");
        for Fault { what, then } in faults {
            let _ = writeln!(text, "  {what}\n    -> {then}");
        }
    }
    Diagnosis { text, covered }
}

/// Why the state cannot be kept in this folder, if so. Leaves nothing behind.
fn state_fault(dir: &Path) -> Option<String> {
    // The folder is made at the first start: what counts is the nearest one there is.
    let existing = dir.ancestors().find(|dir| dir.exists())?;
    let probe = existing.join(format!(".fim-doctor-{}", std::process::id()));
    match DirBuilder::new().mode(0o700).create(&probe) {
        Ok(()) => std::fs::remove_dir(&probe).err().map(|error| format!("cannot be cleaned: {error}")),
        Err(error) => Some(format!("cannot be written: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watchers::Sight;
    use fim_core::{Degree, WatchError};

    fn tried(name: &'static str, degree: Option<Degree>) -> Tried {
        let sight = match degree {
            Some(degree) => {
                Ok(Sight { coverage: [("write", degree)].into(), notes: vec!["by this hook".to_owned()] })
            }
            None => Err(WatchError::new("no such luck").hint("be root")),
        };
        Tried { name, sight }
    }

    fn verdict(tried: &[Tried], place: Place, missing: &[Privilege], fault: Option<&str>) -> Diagnosis {
        let places = [(PathBuf::from("/etc"), place)];
        describe(
            tried,
            &places,
            missing,
            (Path::new("/var/lib/fim"), fault.map(str::to_owned)),
            &Scan::default(),
            &[],
        )
    }

    #[test]
    fn covered_only_when_nothing_is_amiss() {
        let full = [tried("bpf", Some(Degree::Full))];
        assert!(verdict(&full, Place::Local("ext4"), &[], None).covered);
        assert!(verdict(&full, Place::Missing, &[], None).covered);
        let places = [(PathBuf::from("/etc"), Place::Local("ext4"))];
        let mut never = Scan::default();
        never.full_every.0 = std::time::Duration::ZERO;
        assert!(!describe(&full, &places, &[], (Path::new("/s"), None), &never, &[]).covered);
        assert!(!verdict(&full, Place::Shared("nfs"), &[], None).covered);
        assert!(
            !verdict(&full, Place::Local("ext4"), &[Privilege { name: "CAP_X", purpose: "x" }], None).covered
        );
        assert!(!verdict(&full, Place::Local("ext4"), &[], Some("cannot be written")).covered);
        let late = [tried("bpf", Some(Degree::Late))];
        assert!(!verdict(&late, Place::Local("ext4"), &[], None).covered);
        let none = [tried("bpf", None), tried("fanotify", None)];
        let diagnosis = verdict(&none, Place::Local("ext4"), &[], None);
        assert!(!diagnosis.covered);
        assert!(diagnosis.text.contains("fim check"), "{}", diagnosis.text);
    }

    #[test]
    fn says_which_watcher_and_why() {
        let tried = [tried("bpf", None), tried("fanotify", Some(Degree::Full))];
        let text = verdict(&tried, Place::Local("ext4"), &[], None).text;
        assert!(text.contains("watcher     fanotify"), "{text}");
        assert!(
            text.contains("fanotify is used because bpf cannot be used: no such luck (be root)"),
            "{text}"
        );
    }
}
