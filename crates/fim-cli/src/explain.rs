//! Why a path is watched, or is not: the pattern and the line that say so, what is read of it, what is known.
//!
//! Looks at names and metadata; opens nothing that is watched but a file of a package, to compare it with that.

mod known;
mod on_disk;
mod package;

use crate::agent::Told;
use crate::config::{ARGUMENTS, Plan, Section};
use crate::{consumers, output};
use fim_consumers::secrets::hides_hash;
use fim_core::{Cover, Interest, WatchSet, Why};
use known::Known;
use on_disk::OnDisk;
use std::fmt::Write;
use std::path::Path;

/// The answer.
#[derive(Debug)]
pub struct Explanation {
    /// In words, for standard output.
    pub text: String,
    /// Whether the path is watched.
    pub covered: bool,
}

/// Explains an absolute path, which need not exist: as it is watched by the agent that runs, or would be by one.
pub fn explain(plan: &Plan, asked: &Path, running: Option<&Told>) -> Explanation {
    let claims = match running.and_then(|told| told.paths.as_ref()) {
        Some(paths) => vec![(Section::of_arguments(paths), "generic")],
        None => consumers::claims(plan, &output::homes(&plan.config.root)),
    };
    let on_disk = OnDisk::look(asked);
    let verdict = Verdict::of(&claims, &on_disk.path, &plan.config.root);
    let mut explanation = describe(plan, asked, &on_disk, &verdict);
    let mut lines = Lines::default();
    // Every package has a file in some folders.
    if !on_disk.is_dir
        && let Some(package) = package::package(plan, &on_disk.path)
    {
        lines.add("package", package);
    }
    lines.add("state", Known::of(&plan.config.state, &on_disk.path));
    lines.add("agent", agent(running));
    explanation.text.push_str(&lines.0);
    explanation
}

fn agent(running: Option<&Told>) -> String {
    match running {
        None => "not running; this is what an agent started now would do".to_owned(),
        Some(Told { pid, paths: None, refused: Some(why), .. }) => {
            format!("runs, pid {pid}, by the configuration BEFORE this one, which it refused: {why}")
        }
        Some(Told { pid, paths: None, .. }) => format!("runs, pid {pid}, by the configuration"),
        Some(Told { pid, paths: Some(paths), .. }) => {
            let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            format!(
                "runs, pid {pid}, and was started with PATHs, in place of what the configuration names: {}",
                paths.join(" ")
            )
        }
    }
}

/// What the sections say of a path.
struct Verdict<'a> {
    /// The section that has it, with the pattern as it is written, and its consumer.
    owner: Option<(&'a Section, String, &'static str)>,
    /// Sections before it, or all, that would want it but leave it out: with both patterns.
    refused: Vec<(&'a Section, String, String)>,
    /// The first section whose consumer wants to be told of it.
    overheard: Option<(&'a Section, String, &'static str)>,
    /// There is no section: paths were named on a command line.
    is_of_arguments: bool,
    /// How much is watched below it.
    cover: Cover,
    /// How much is watched in the folder it is in.
    beside: Cover,
}

impl<'a> Verdict<'a> {
    fn of(claims: &'a [(Section, &'static str)], path: &Path, root: &Path) -> Self {
        let interests =
            claims.iter().map(|(section, _)| section.interest.clone().resolved_below(root)).collect();
        // The plan was checked: every pattern can be used.
        let set = WatchSet::new(interests).unwrap_or_default();
        let parent = path.parent().unwrap_or(path);
        let mut verdict = Self {
            owner: None,
            refused: Vec::new(),
            overheard: None,
            is_of_arguments: claims.iter().any(|(section, _)| section.name == ARGUMENTS),
            cover: set.cover(path),
            beside: set.cover(parent),
        };
        for ((section, consumer), why) in claims.iter().zip(set.why(path)) {
            match why {
                Why::Nothing => {}
                Why::Wanted { by } => {
                    verdict.owner = Some((section, as_written(section, &by, root), consumer));
                    break;
                }
                Why::Overheard { by } => {
                    verdict.overheard.get_or_insert((section, by, consumer));
                }
                Why::Excluded { by, but } => {
                    let at = section.interest.exclude.iter().position(|glob| *glob == but);
                    let but = at.and_then(|at| section.exclude.get(at).cloned()).unwrap_or(but);
                    verdict.refused.push((section, as_written(section, &by, root), but));
                }
            }
        }
        if verdict.owner.is_none() {
            verdict.owner = verdict.overheard.take();
        }
        verdict
    }
}

/// The pattern of the configuration that became this one below the root, with its links resolved.
fn as_written(section: &Section, by: &str, root: &Path) -> String {
    let became = |path: &&String| {
        let resolved = Interest::in_paths([path.as_str()]).resolved_below(root);
        resolved.paths.iter().any(|resolved| resolved == by)
    };
    let at = section.interest.paths.iter().position(|path| became(&path));
    at.and_then(|at| section.written.get(at)).map_or_else(|| by.to_owned(), Clone::clone)
}

fn describe(plan: &Plan, asked: &Path, on_disk: &OnDisk, verdict: &Verdict<'_>) -> Explanation {
    let mut lines = Lines::default();
    lines.add("path", asked.display());
    if on_disk.path != asked {
        lines.add("link", format!("its folder is reached by a link; its name is {}", on_disk.path.display()));
    }
    lines.add("file", &on_disk.what);
    for (section, by, but) in &verdict.refused {
        let at = plan.place(section, &["exclude", "exclude_regex"], but);
        lines.add("left out", format!("\"{but}\" of {section} ({at}), though \"{by}\" names it"));
    }
    let covered = verdict.owner.is_some() && on_disk.pseudo.is_none();
    lines.add("covered", if covered { "yes" } else { "no" });
    if let Some(name) = on_disk.pseudo {
        lines.add("", format!("{name} is a window into the kernel, not a file system that keeps files"));
    }
    match &verdict.owner {
        Some((section, by, consumer)) => {
            let at = match section.name {
                ARGUMENTS => String::new(),
                _ => format!(" ({})", plan.place(section, &["paths"], by)),
            };
            lines.add("by", format!("\"{by}\" of {section}{at}"));
            if covered {
                lines.add("consumer", consumer);
                lines.add("watch", watch(on_disk, verdict));
                lines.add("reads", reads(plan, section, on_disk));
            }
        }
        None if on_disk.pseudo.is_some() => {}
        None => {
            if verdict.refused.is_empty() {
                let of = if verdict.is_of_arguments {
                    "PATH of the agent"
                } else {
                    "path or pattern of the configuration"
                };
                lines.add("", format!("no {of} matches it"));
            }
            if verdict.cover == Cover::Some {
                lines.add("", "names in it are looked at, because something below it is watched");
            }
            lines.add("to watch it", advice(verdict, &on_disk.path));
        }
    }
    Explanation { text: lines.0, covered }
}

/// Lines with a word in front, as `fim doctor` prints them.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, word: &str, text: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{word:<11} {}", output::tame(&text.to_string()));
    }
}

fn watch(on_disk: &OnDisk, verdict: &Verdict<'_>) -> String {
    if let Some(missing) = &on_disk.first_missing {
        let above = missing.parent().unwrap_or(missing);
        return format!(
            "{} is not there yet: seen as soon as it is made in {}",
            missing.display(),
            above.display()
        );
    }
    match (on_disk.is_dir, verdict.cover, verdict.beside) {
        (true, Cover::All, _) => "with everything that is made in it".to_owned(),
        (true, ..) => "for itself and the names in it that are watched".to_owned(),
        (false, _, Cover::All) => "with the folder it is in".to_owned(),
        (false, ..) => "for itself, and by its name in the folder it is in".to_owned(),
    }
}

fn reads(plan: &Plan, section: &Section, on_disk: &OnDisk) -> String {
    if let Some(why) = on_disk.never_read {
        return why.to_owned();
    }
    let need = section.interest.need;
    let mut what = vec!["metadata", "BLAKE3"];
    what.extend(need.sha256.then_some("SHA-256"));
    what.extend(need.content.map(|_| "what is in it"));
    let limit = plan.config.limits.max_file_size;
    let mut text = format!("{}; metadata alone if it is larger than {limit}", what.join(", "));
    if on_disk.size.is_some_and(|size| size > limit.0) {
        text.push_str(", as it is");
    }
    if hides_hash(&on_disk.path) {
        text.push_str("; its hash is not reported: who knows most of such a file could guess the rest by it");
    }
    text
}

fn advice(verdict: &Verdict<'_>, path: &Path) -> String {
    match verdict.refused.first() {
        Some((section, _, but)) => format!("take \"{but}\" out of {section}, or name it in a section before"),
        None if verdict.is_of_arguments => "start `fim run` with it too, or without PATHs".to_owned(),
        None => {
            format!("[[generic]] paths = [{}]", toml::Value::from(fim_core::escape(&path.to_string_lossy())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Shared;
    use crate::config::load;
    use std::path::PathBuf;

    struct Scene {
        dir: tempfile::TempDir,
        plan: Plan,
        running: Option<Told>,
    }

    impl Scene {
        fn new(text: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let base = dir.path().canonicalize().unwrap();
            let file = base.join("fim.toml");
            let text = text.replace("BASE", base.to_str().unwrap());
            // Not the machine's own packages.
            let text = format!("state = '{}/state'\n{text}\n[packages]\nverify = false\n", base.display());
            std::fs::write(&file, text).unwrap();
            let plan = Plan::new(load(Some(&file)).unwrap(), &Shared::default()).unwrap();
            Self { dir, plan, running: None }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.dir.path().canonicalize().unwrap().join(name)
        }

        fn told(&self, name: &str, covered: bool, said: &[&str]) {
            let explanation = explain(&self.plan, &self.at(name), self.running.as_ref());
            assert_eq!(explanation.covered, covered, "{}", explanation.text);
            for said in said {
                assert!(explanation.text.contains(said), "{said}\n{}", explanation.text);
            }
        }
    }

    #[test]
    fn names_pattern_line_and_reason() {
        let scene = Scene::new(
            "[[generic]]\npaths = ['BASE/real', 'BASE/link/*.conf', 'BASE/not/yet']\n\
             exclude = ['**/*.swp']\nexclude_regex = ['old$']\nhash = ['sha256']\n",
        );
        std::fs::create_dir(scene.at("real")).unwrap();
        for name in ["real/a", "real/shadow", "real/b.swp"] {
            std::fs::write(scene.at(name), "text").unwrap();
        }
        std::os::unix::fs::symlink("real", scene.at("link")).unwrap();
        std::os::unix::fs::symlink("a", scene.at("real/to-a")).unwrap();
        scene.told(
            "real/a",
            true,
            &[
                "/real\" of [[generic]] (",
                "fim.toml:3)",
                "regular file, 4 bytes",
                "SHA-256",
                "with the folder",
            ],
        );
        scene.told("real/shadow", true, &["its hash is not reported"]);
        scene.told(
            "real/b.swp",
            false,
            &["\"**/*.swp\" of [[generic]] (", "fim.toml:4)", "take \"**/*.swp\" out"],
        );
        scene.told("real/old", false, &["fim.toml:5)"]);
        scene.told("real/to-a", true, &["symbolic link to a", "never followed"]);
        scene.told("link/a", true, &["reached by a link", "real/a"]);
        scene.told("link/x.conf", true, &["not there"]);
        scene.told("not/yet/x", true, &["is not there yet: seen as soon as it is made"]);
        scene.told("not", false, &["something below it is watched", "[[generic]] paths = [\""]);
        // The same pattern stands in two sections: the one that has the path is named.
        let twice = Scene::new(
            "[[generic]]\npaths = ['BASE/x']\nexclude = ['BASE/x']\n[[generic]]\npaths = [\n 'BASE/y',\n 'BASE/x']\n",
        );
        twice.told("x", true, &["[[generic]] number 2 (", "fim.toml:8)", "fim.toml:4), though"]);
        scene.told("other", false, &["no path or pattern"]);
        scene.told("real", true, &["a folder", "with everything that is made in it", "no state yet"]);
    }

    #[test]
    fn the_kernels_windows_are_not_watched() {
        let scene = Scene::new("[[generic]]\npaths = ['/']\n");
        let explanation = explain(&scene.plan, Path::new("/proc/self/status"), None);
        assert!(!explanation.covered);
        assert!(explanation.text.contains("proc is a window into the kernel"), "{}", explanation.text);
    }

    #[test]
    fn the_paths_of_the_agent_that_runs_are_what_counts() {
        let mut scene = Scene::new("[[generic]]\npaths = ['BASE/configured']\n");
        scene.told("configured", true, &["fim.toml:3)", "agent       not running"]);
        let paths = Some(vec![scene.at("a [b]")]);
        scene.running = Some(Told { pid: 7, paths, ..Told::default() });
        scene.told("configured", false, &["no PATH of the agent matches it", "start `fim run` with it too"]);
        let said =
            ["a [b]\" of the PATHs that the agent was started with\n", "runs, pid 7, and was started with"];
        scene.told("a [b]/c", true, &said);
        scene.running = Some(Told { pid: 7, ..Told::default() });
        scene.told("configured", true, &["runs, pid 7, by the configuration\n"]);
        scene.running = Some(Told { pid: 7, refused: Some("another root".to_owned()), ..Told::default() });
        scene.told(
            "configured",
            true,
            &["by the configuration BEFORE this one, which it refused: another root"],
        );
    }

    #[test]
    fn a_file_of_a_package_is_said_to_be_as_it_came_or_not() {
        let mut scene = Scene::new("[[generic]]\npaths = ['BASE/root/usr']\n");
        let root = scene.at("root");
        scene.plan.config.root.clone_from(&root);
        scene.plan.config.packages.verify = true;
        for folder in ["var/lib/dpkg/info", "usr/bin"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        let put = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
        put("var/lib/dpkg/status", "Package: p\nStatus: install ok installed\nVersion: 1-2\n\n");
        // MD5 of "one".
        put("var/lib/dpkg/info/p.md5sums", "f97c5d29941bfb1b2fdab0874906ab82  usr/bin/p\n");
        put("var/lib/dpkg/info/p.list", "/.\n/usr\n/usr/bin\n/usr/bin/p\n");
        for (text, said) in [("one", "p 1-2, and as it came with it"), ("two", "p 1-2, but NOT AS IT CAME")] {
            put("usr/bin/p", text);
            let said = format!("package     {said}");
            assert!(explain(&scene.plan, &root.join("usr/bin/p"), None).text.contains(&said), "{said}");
        }
        let text = explain(&scene.plan, &root.join("usr/q"), None).text;
        assert!(text.contains("package     of none"), "{text}");
    }
}
