//! What is not covered, and what to do about it. Pure.

use super::privileges::Privilege;
use crate::watchers::Tried;
use fim_core::Degree;

/// One thing that is amiss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub what: String,
    /// What to do.
    pub then: String,
}

impl Fault {
    /// A fault and its remedy.
    pub fn new(what: impl Into<String>, then: impl Into<String>) -> Self {
        Self { what: what.into(), then: then.into() }
    }
}

/// What the watchers that were tried leave open.
pub fn of_watchers(tried: &[Tried]) -> Vec<Fault> {
    let Some((name, sight)) = tried.iter().find_map(|one| Some((one.name, one.sight.as_ref().ok()?))) else {
        let last = tried.iter().find_map(|one| one.sight.as_ref().err()?.hint.clone());
        let then = last.unwrap_or_else(|| "run as root".to_owned());
        return vec![Fault::new(
            "no watcher can be used",
            format!("{then}; `fim baseline` and `fim check` work all the same"),
        )];
    };
    if sight.coverage.is_empty() {
        return vec![Fault::new(
            format!("{name} could not show that it sees anything"),
            "run `fim selftest`, and take another watcher by --watcher",
        )];
    }
    let remedy = remedy(name, tried);
    let mut faults = Vec::new();
    for (degree, means) in [
        (Degree::Late, "seen late: at the last close of the file, by the next look, or by the next scan"),
        (Degree::None, "not seen as it happens: found at the next start or by `fim check`"),
    ] {
        let classes: Vec<&str> =
            sight.coverage.iter().filter(|(_, seen)| **seen == degree).map(|(class, _)| *class).collect();
        if !classes.is_empty() {
            faults.push(Fault::new(format!("{}: {means}", classes.join(", ")), remedy.clone()));
        }
    }
    faults
}

/// How more could be seen than by this watcher.
fn remedy(name: &str, tried: &[Tried]) -> String {
    if name == "bpf" {
        return "a newer kernel sees more; run `fim check` from time to time".to_owned();
    }
    match tried.iter().find(|one| one.name == "bpf").and_then(|one| one.sight.as_ref().err()) {
        Some(error) => {
            let hint = error.hint.as_deref().unwrap_or(&error.what);
            format!("BPF sees it at once, but cannot be used: {hint}; else run `fim check` from time to time")
        }
        None => "BPF sees it at once: try --watcher auto; else run `fim check` from time to time".to_owned(),
    }
}

/// What the missing privileges leave open.
pub fn of_privileges(missing: &[Privilege]) -> Option<Fault> {
    if missing.is_empty() {
        return None;
    }
    let names: Vec<&str> = missing.iter().map(|one| one.name).collect();
    Some(Fault::new(
        format!("privileges are missing: {}", names.join(", ")),
        format!(
            "run as root, or in a systemd unit AmbientCapabilities={}, or once `setcap {}+ep \"$(command -v fim)\"`",
            names.join(" "),
            names.join(",").to_ascii_lowercase()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watchers::Sight;
    use fim_core::WatchError;

    #[test]
    fn every_fault_says_what_to_do() {
        let refused = || Err(WatchError::new("no BTF").hint("install a kernel with BTF"));
        let sees = |classes: &[(&'static str, Degree)]| {
            Ok(Sight { coverage: classes.iter().copied().collect(), notes: vec![] })
        };
        let partly = sees(&[("mmap", Degree::Late), ("flags", Degree::None), ("aio", Degree::Late)]);
        let faults = of_watchers(&[
            Tried { name: "bpf", sight: refused() },
            Tried { name: "fanotify", sight: partly },
        ]);
        assert_eq!(faults.len(), 2);
        assert!(faults[0].what.starts_with("aio, mmap: seen late"), "{faults:?}");
        assert!(faults[1].what.starts_with("flags: not seen"), "{faults:?}");
        assert!(faults[1].then.contains("install a kernel with BTF"), "{faults:?}");
        let alone = of_watchers(&[Tried { name: "fanotify", sight: sees(&[("mmap", Degree::Late)]) }]);
        assert!(alone[0].then.contains("--watcher auto"), "{alone:?}");
        let none = of_watchers(&[Tried { name: "bpf", sight: refused() }]);
        assert!(none[0].then.starts_with("install a kernel with BTF; `fim baseline`"), "{none:?}");
        assert!(of_watchers(&[Tried { name: "bpf", sight: sees(&[("write", Degree::Full)]) }]).is_empty());

        let missing =
            [Privilege { name: "CAP_BPF", purpose: "x" }, Privilege { name: "CAP_PERFMON", purpose: "y" }];
        let fault = of_privileges(&missing).unwrap();
        assert!(fault.then.contains("AmbientCapabilities=CAP_BPF CAP_PERFMON"), "{fault:?}");
        assert!(fault.then.contains("setcap cap_bpf,cap_perfmon+ep"), "{fault:?}");
        assert_eq!(of_privileges(&[]), None);
    }
}
