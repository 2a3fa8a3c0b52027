//! Changes of files of packages, with a database made for it.

use super::*;
use crate::packages::Owner;
use crate::packages::testing::{OfFile, by, folder_or_link, rewritten};
use fim_core::Facts;
use std::fs;
use tempfile::TempDir;

struct Stage {
    dir: TempDir,
    dpkg: Dpkg,
}

fn md5_of(text: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().canonicalize().unwrap().join("f");
    fs::write(&file, text).unwrap();
    let digest = OfFile(&file).of_content(Checksum::Md5).unwrap();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Name, state, version, and configuration files with their digests.
type Stanza<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);

fn status(stanzas: &[Stanza<'_>]) -> String {
    let stanza = |(name, state, version, conffiles): &Stanza<'_>| {
        let conffiles: String =
            conffiles.iter().map(|(path, digest)| format!(" {path} {digest}\n")).collect();
        format!("Package: {name}\nStatus: {state}\nVersion: {version}\nConffiles:\n{conffiles}\n")
    };
    stanzas.iter().map(stanza).collect()
}

const INSTALLED: &str = "install ok installed";

impl Stage {
    /// With a package `p` 1 that has `/usr/bin/p` and `/etc/p`.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "usr/bin", "etc"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        put(&root, "info/p.md5sums", &format!("{}  usr/bin/p\n", md5_of("program 1")));
        put(&root, "info/p.list", "/.\n/usr\n/usr/bin\n/usr/bin/p\n/etc\n/etc/p\n");
        put(&root, "status", &status(&[("p", INSTALLED, "1", &[("/etc/p", &md5_of("config 1"))])]));
        let mut dpkg = Dpkg::below(&root).unwrap().unwrap();
        dpkg.prepare();
        Self { dir, dpkg }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    fn put(&self, name: &str, text: &str) {
        put(&self.root(), name, text);
    }

    /// What is said of a file that has this content now, and was another.
    fn updated(&mut self, path: &str, text: &str) -> Reason {
        self.changed(path, text, |_, _| ())
    }

    fn changed(&mut self, path: &str, text: &str, change: impl Fn(&mut Facts, &mut Facts)) -> Reason {
        let file = self.root().join(path);
        let (mut before, mut after) = rewritten(&file, text);
        change(&mut before, &mut after);
        self.dpkg.explain(&Sight::new(&file, Some(&before), Some(&after)), &mut OfFile(&file))
    }

    /// What is said of a new folder, or a new link.
    fn made(&mut self, path: &str, target: Option<&str>) -> Reason {
        let facts = folder_or_link(target);
        let file = self.root().join(path);
        self.dpkg.explain(&Sight::new(&file, None, Some(&facts)), &mut OfFile(&file))
    }

    fn deleted(&mut self, path: &str) -> Reason {
        let file = self.root().join(path);
        let before = Facts::new(FileKind::File);
        self.dpkg.explain(&Sight::new(&file, Some(&before), None), &mut OfFile(&file))
    }
}

/// Puts a file of the database in place as dpkg does: by a rename.
fn put(root: &Path, name: &str, text: &str) {
    let file = root.join("var/lib/dpkg").join(name);
    fs::write(file.with_extension("tmp"), text).unwrap();
    fs::rename(file.with_extension("tmp"), file).unwrap();
}

fn package(words: &str) -> Option<(String, bool)> {
    Some((format!("dpkg {words}"), true))
}

#[test]
fn the_content_of_the_installed_version_is_explained() {
    let mut stage = Stage::new();
    assert_eq!(by(&stage.updated("usr/bin/p", "program 1")), package("p 1"));
    assert_eq!(by(&stage.updated("etc/p", "config 1")), package("p 1"));
    assert_eq!(by(&stage.updated("etc/p.dpkg-dist", "config 1")), package("p 1"));
    assert_eq!(stage.updated("usr/bin/q", "program 1"), Reason::default(), "nobody's");
}

#[test]
fn one_byte_more_is_not() {
    let mut stage = Stage::new();
    let reason = stage.updated("usr/bin/p", "program 1x");
    assert_eq!((by(&reason), reason.is_open), (None, false));
    let odd = Change::new("package_mismatch").of("package", "p").of("version", "1");
    assert_eq!(reason.odd, Some((odd, Severity::High)));
    assert_eq!(stage.updated("etc/p", "edited"), Reason::default(), "it is there to be edited");
    assert_eq!(stage.updated("etc/p.dpkg-dist", "else"), Reason::default());
}

#[test]
fn metadata_is_not_the_database_s_business() {
    let mut stage = Stage::new();
    let suid = stage.changed("usr/bin/p", "program 1", |before, after| {
        before.blake3 = after.blake3;
        after.mode = 0o4755;
    });
    assert_eq!(suid, Reason::default());
    let both = stage.changed("usr/bin/p", "program 1", |_, after| after.mode = 0o4755);
    assert_eq!(by(&both), Some(("dpkg p 1".to_owned(), false)), "told, but nothing is made less of it");
}

#[test]
fn what_is_being_unpacked_is_known_before_it_is_installed() {
    let mut stage = Stage::new();
    fs::create_dir(stage.root().join("var/lib/dpkg/tmp.ci")).unwrap();
    stage.put("tmp.ci/control", "Package: p\nVersion: 2\n");
    stage.put("tmp.ci/md5sums", &format!("{}  usr/bin/p\n", md5_of("program 2")));
    stage.put("updates/0000", &status(&[("p", "install ok half-installed", "1", &[])]));
    assert_eq!(by(&stage.updated("usr/bin/p", "program 2")), package("p 2"));
    let other = stage.updated("usr/bin/p", "program 3");
    assert!(other.is_open && other.odd.is_some(), "{other:?}");
    // The database moves on under the same names.
    stage.put("info/p.md5sums", &format!("{}  usr/bin/p\n", md5_of("program 2")));
    fs::remove_file(stage.root().join("var/lib/dpkg/tmp.ci/md5sums")).unwrap();
    assert_eq!(by(&stage.updated("usr/bin/p", "program 2")), package("p 2"));
    stage.put("updates/0001", &status(&[("p", "install ok unpacked", "2", &[("/etc/p", "newconffile")])]));
    fs::remove_dir_all(stage.root().join("var/lib/dpkg/tmp.ci")).unwrap();
    assert_eq!(by(&stage.updated("usr/bin/p", "program 2")), package("p 2"));
    let soon = stage.updated("etc/p", "config 2");
    assert_eq!((by(&soon), soon.odd.is_some(), soon.is_open), (None, false, true));
    let told = [("/etc/p", &*md5_of("config 2"))];
    stage.put("updates/0002", &status(&[("p", "install ok half-configured", "2", &told)]));
    assert_eq!(by(&stage.updated("etc/p", "config 2")), package("p 2"));
}

#[test]
fn the_version_is_waited_for_that_the_digests_are_of() {
    let mut stage = Stage::new();
    // Between its last file and the word of it.
    stage.put("info/p.md5sums", &format!("{}  usr/bin/p\n", md5_of("program 2")));
    stage.put("updates/0000", &status(&[("p", "install ok half-installed", "1", &[])]));
    for reason in [stage.updated("usr/bin/p", "program 2"), stage.made("usr/bin", None)] {
        assert_eq!(
            (by(&reason), reason.is_open),
            (package("p 1"), true),
            "no better is known if nothing comes"
        );
    }
    stage.put("info/p.md5sums", "");
    assert!(stage.deleted("usr/bin/p").is_open);
    stage.put("updates/0001", &status(&[("p", "install ok unpacked", "2", &[])]));
    let reason = stage.deleted("usr/bin/p");
    assert_eq!((by(&reason), reason.is_open), (package("p 2"), false));
}

#[test]
fn a_file_that_its_package_has_no_more_may_go() {
    let mut stage = Stage::new();
    assert_eq!(stage.deleted("usr/bin/p"), Reason::default(), "it has it still");
    assert_eq!(stage.deleted("etc/p"), Reason::default());
    fs::create_dir(stage.root().join("var/lib/dpkg/tmp.ci")).unwrap();
    stage.put("tmp.ci/control", "Package: p\nVersion: 2\n");
    stage.put("tmp.ci/md5sums", "");
    assert_eq!(by(&stage.deleted("usr/bin/p")), package("p 2"), "the next version has not");
    // Its list comes to `info` before its digests.
    stage.put("info/p.list", "/usr/bin\n");
    assert_eq!(by(&stage.deleted("usr/bin/p")), package("p 2"), "nor does its list name it any more");
    stage.put("info/o.md5sums", &format!("{}  usr/bin/p\n", md5_of("other")));
    assert_eq!(stage.deleted("usr/bin/p"), Reason::default(), "it is another's by now");
    fs::remove_file(stage.root().join("var/lib/dpkg/info/o.md5sums")).unwrap();
    fs::remove_dir_all(stage.root().join("var/lib/dpkg/tmp.ci")).unwrap();
    stage.put("info/p.md5sums", "");
    stage.put("status", &status(&[("p", INSTALLED, "2", &[])]));
    assert_eq!(by(&stage.deleted("usr/bin/p")), package("p 2"), "nor has what is installed now");
    assert_eq!(stage.deleted("usr/bin/q"), Reason::default());
}

#[test]
fn a_package_that_is_removed_takes_its_files_along() {
    let mut stage = Stage::new();
    let conffiles = [("/etc/p", &*md5_of("config 1"))];
    stage.put("updates/0000", &status(&[("p", "deinstall ok half-installed", "1", &conffiles)]));
    assert_eq!(by(&stage.deleted("usr/bin/p")), package("p 1"));
    stage.put("updates/0000", &status(&[("p", "purge ok config-files", "1", &conffiles)]));
    assert_eq!(by(&stage.deleted("etc/p")), package("p 1"));
    // To wish for it is not enough.
    stage.put("updates/0000", &status(&[("p", "deinstall ok installed", "1", &conffiles)]));
    assert_eq!(stage.deleted("usr/bin/p"), Reason::default());
}

#[test]
fn folders_and_links_of_a_package() {
    let mut stage = Stage::new();
    for (path, target, explained) in [
        ("usr/bin", None, true),
        ("usr/sbin", None, false),
        ("etc/p", Some("../usr/./bin/p"), true),
        ("etc/p", Some("/usr/bin/p"), true),
        ("etc/p", Some("/usr/bin/q"), false),
        ("etc/q", Some("/usr/bin/p"), false),
    ] {
        let expected = if explained { package("p 1") } else { None };
        assert_eq!(by(&stage.made(path, target)), expected, "{path} {target:?}");
    }
    fs::create_dir(stage.root().join("var/lib/dpkg/tmp.ci")).unwrap();
    stage.put("tmp.ci/control", "Package: n\nVersion: 2\n");
    stage.put("tmp.ci/md5sums", &format!("{}  opt/n/bin/n\n", md5_of("n")));
    assert_eq!(by(&stage.made("opt/n", None)), package("n 2"));
    assert!(stage.made("opt/n/link", Some("bin/n")).is_open);
}

#[test]
fn diverted_and_merged_names() {
    let mut stage = Stage::new();
    stage.put("info/d.md5sums", &format!("{}  usr/bin/p\n{}  bin/m\n", md5_of("diverter"), md5_of("merged")));
    stage.put("info/d.list", "/usr/bin/p\n/bin/m\n");
    let two: [Stanza<'_>; 2] = [("p", INSTALLED, "1", &[]), ("d", INSTALLED, "5", &[])];
    stage.put("status", &status(&two));
    stage.put("diversions", "/usr/bin/p\n/usr/bin/p.distrib\nd\n");
    assert_eq!(by(&stage.updated("usr/bin/p", "diverter")), package("d 5"));
    assert_eq!(by(&stage.updated("usr/bin/p.distrib", "program 1")), package("p 1"));
    assert!(stage.updated("usr/bin/p", "program 1").odd.is_some(), "that content belongs elsewhere now");
    assert_eq!(by(&stage.updated("usr/bin/m", "merged")), package("d 5"));
}

#[test]
fn a_file_that_another_package_took_over_is_that_one_s() {
    let mut stage = Stage::new();
    stage.put("info/o.md5sums", &format!("{}  usr/bin/p\n", md5_of("other")));
    stage.put("info/o.list", "/usr/bin/p\n");
    stage.put("info/p.list", "/etc/p\n");
    assert_eq!(by(&stage.updated("usr/bin/p", "other")), Some(("dpkg o".to_owned(), true)));
    assert!(stage.updated("usr/bin/p", "program 1").odd.is_some());
}

#[test]
fn where_there_is_no_dpkg_there_is_nothing_to_ask() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Dpkg::below(dir.path()).unwrap().is_none());
}

#[test]
fn whose_a_file_is_and_whether_it_is_as_it_came() {
    let mut stage = Stage::new();
    let root = stage.dir.path().canonicalize().unwrap();
    let owner = |version: Option<&str>, is_configuration, is_same| Owner {
        package: "p".to_owned(),
        version: version.map(str::to_owned),
        is_configuration,
        is_same,
    };
    for (path, text, owners) in [
        ("usr/bin/p", "program 1", vec![owner(Some("1"), false, Some(true))]),
        ("usr/bin/p", "another", vec![owner(Some("1"), false, Some(false))]),
        ("etc/p", "config 1", vec![owner(Some("1"), true, Some(true))]),
        ("etc/p", "edited", vec![owner(Some("1"), true, Some(false))]),
        ("etc/q", "nobody's", vec![]),
    ] {
        let path = root.join(path);
        fs::write(&path, text).unwrap();
        assert_eq!(stage.dpkg.owners(&path, &mut OfFile(&path)), owners, "{} {text}", path.display());
    }
    let gone = root.join("usr/bin/p");
    fs::remove_file(&gone).unwrap();
    assert_eq!(stage.dpkg.owners(&gone, &mut OfFile(&gone)), [owner(Some("1"), false, None)]);
    // Of a folder or a link there is a name in a list, and no digest.
    let folder = root.join("etc");
    assert_eq!(stage.dpkg.owners(&folder, &mut OfFile(&folder)), [owner(Some("1"), false, None)]);
    let outside = Path::new("/etc/passwd");
    assert_eq!(stage.dpkg.owners(outside, &mut OfFile(outside)), []);
}
