//! The files of dpkg's database. Pure: bytes in, meaning out; what cannot be understood is left out.
//!
//! Formats: deb-md5sums(5), deb822(5) for `status`, and for `diversions` and `*.list` dpkg's own source.

use std::collections::HashMap;

/// An MD5 digest.
pub type Md5 = [u8; 16];

/// Each file of an `md5sums` and its digest. Paths are without the slash that they begin with everywhere else.
pub fn md5sums(bytes: &[u8]) -> impl Iterator<Item = (&[u8], Md5)> {
    lines(bytes).filter_map(|line| {
        let (digest, path) = line.split_at_checked(32)?;
        let path = path.strip_prefix(b"  ").or_else(|| path.strip_prefix(b" *"))?;
        Some((relative(path), md5(digest)?))
    })
}

/// Whether a `*.list` names this path.
pub fn lists(bytes: &[u8], path: &[u8]) -> bool {
    lines(bytes).any(|line| line == path)
}

/// How far a package is installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// All of it is there.
    Installed,
    /// Its files are being exchanged, or that was broken off: the version is that of those before.
    HalfInstalled,
    /// Something else is going on, or was broken off.
    #[default]
    Between,
    /// No more than its configuration is left.
    Removed,
}

/// What is known of one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Its version.
    pub version: String,
    /// How far it is installed.
    pub stage: Stage,
    /// It is to be removed.
    pub is_unwanted: bool,
    /// Its configuration files, with the digest of each as it came with the package; none while that is not
    /// written down yet.
    pub conffiles: Vec<(Vec<u8>, Option<Md5>)>,
}

/// The packages of a `status`, of a file of `updates`, or of a `control`, by the names that their files have in
/// `info`: with the architecture where several can be installed side by side.
pub fn packages(bytes: &[u8]) -> HashMap<String, Package> {
    let mut found = HashMap::new();
    let mut stanza = Stanza::default();
    for line in lines(bytes) {
        if line.trim_ascii().is_empty() {
            std::mem::take(&mut stanza).end(&mut found);
        } else {
            stanza.line(line);
        }
    }
    stanza.end(&mut found);
    found
}

/// What was read of a stanza so far.
#[derive(Default)]
struct Stanza {
    name: String,
    architecture: String,
    is_same: bool,
    in_conffiles: bool,
    package: Package,
}

impl Stanza {
    fn line(&mut self, line: &[u8]) {
        if line.first().is_some_and(|&first| first == b' ' || first == b'\t') {
            if self.in_conffiles {
                self.package.conffiles.extend(conffile(line.trim_ascii()));
            }
            return;
        }
        let Some(colon) = line.iter().position(|&b| b == b':') else { return };
        let (key, value) = line.split_at(colon);
        let value = String::from_utf8_lossy(value.get(1..).unwrap_or_default()).trim().to_owned();
        self.in_conffiles = key.eq_ignore_ascii_case(b"Conffiles");
        match key.to_ascii_lowercase().as_slice() {
            b"package" => self.name = value,
            b"architecture" => self.architecture = value,
            b"multi-arch" => self.is_same = value == "same",
            b"version" => self.package.version = value,
            b"status" => (self.package.is_unwanted, self.package.stage) = status(&value),
            _ => {}
        }
    }

    fn end(self, found: &mut HashMap<String, Package>) {
        if self.name.is_empty() {
            return;
        }
        let name = if self.is_same { format!("{}:{}", self.name, self.architecture) } else { self.name };
        found.insert(name, self.package);
    }
}

/// `want flag state` of `Status:`.
fn status(value: &str) -> (bool, Stage) {
    let mut words = value.split_ascii_whitespace();
    let is_unwanted = words.next().is_some_and(|want| matches!(want, "deinstall" | "purge"));
    let stage = match words.nth(1) {
        Some("installed") => Stage::Installed,
        Some("half-installed") => Stage::HalfInstalled,
        Some("config-files" | "not-installed") => Stage::Removed,
        _ => Stage::Between,
    };
    (is_unwanted, stage)
}

/// `path digest`, with words such as `obsolete` behind. A path may have blanks in it.
fn conffile(line: &[u8]) -> Option<(Vec<u8>, Option<Md5>)> {
    let mut words: Vec<&[u8]> = line.split(|&b| b == b' ').collect();
    while words.last().is_some_and(|word| matches!(*word, b"obsolete" | b"remove-on-upgrade")) {
        words.pop();
    }
    let digest = words.pop()?;
    let path = words.join(&b' ');
    path.starts_with(b"/").then(|| (path, md5(digest)))
}

/// A file of all packages but one has another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// The name they know it by.
    pub from: Vec<u8>,
    /// Where it is.
    pub to: Vec<u8>,
    /// The package whose file has the name; none where the administrator has it.
    pub by: Option<String>,
}

/// The diversions: three lines each.
pub fn diversions(bytes: &[u8]) -> Vec<Diversion> {
    let lines: Vec<&[u8]> = lines(bytes).collect();
    let threes = lines.chunks_exact(3);
    threes
        .filter_map(|three| match three {
            [from, to, by] => Some(Diversion {
                from: from.to_vec(),
                to: to.to_vec(),
                by: Some(String::from_utf8_lossy(by).into_owned()).filter(|by| by != ":"),
            }),
            _ => None,
        })
        .collect()
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|&b| b == b'\n')
}

fn relative(path: &[u8]) -> &[u8] {
    let path = path.strip_prefix(b"./").unwrap_or(path);
    path.strip_prefix(b"/").unwrap_or(path)
}

fn md5(digits: &[u8]) -> Option<Md5> {
    let mut digest = [0; 16];
    if digits.len() != 32 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(digest)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: &str = "0123456789abcdef0123456789ABCDEF";

    #[test]
    fn digests_of_files() {
        let text = format!("{A}  bin/a b\n{A} *./usr/c\n\n\\{A}  odd\nshort  x\n{A}  /abs");
        let found: Vec<_> = md5sums(text.as_bytes()).map(|(path, _)| str::from_utf8(path).unwrap()).collect();
        assert_eq!(found, ["bin/a b", "usr/c", "abs"]);
        assert_eq!(md5(A.as_bytes()).unwrap()[..4], [0x01, 0x23, 0x45, 0x67]);
        assert_eq!(md5(b"newconffile"), None);
    }

    #[test]
    fn a_status() {
        let text = format!(
            "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\n\
             Conffiles:\n /etc/a b {A}\n /etc/old {A} obsolete\n /etc/new newconffile\nDescription: x\n /etc/no {A}\n\n\
             Package: l\nMulti-Arch: same\nArchitecture: i386\nVersion: 4\nStatus: deinstall ok half-installed\n\n\
             Package: r\nStatus: purge ok not-installed\nArchitecture: all\n\n\
             garbage\n"
        );
        let found = packages(text.as_bytes());
        assert_eq!(found.len(), 3, "{found:?}");
        let a = &found["a"];
        assert_eq!((a.version.as_str(), a.stage, a.is_unwanted), ("1:2-3", Stage::Installed, false));
        let digest = md5(A.as_bytes());
        let conffiles = [("/etc/a b", digest), ("/etc/old", digest), ("/etc/new", None)];
        assert_eq!(a.conffiles, conffiles.map(|(path, digest)| (path.as_bytes().to_vec(), digest)));
        assert_eq!((found["l:i386"].stage, found["l:i386"].is_unwanted), (Stage::HalfInstalled, true));
        assert_eq!(found["r"].stage, Stage::Removed);
    }

    #[test]
    fn diverted_files() {
        let found = diversions(b"/a\n/a.distrib\np\n/b\n/b.x\n:\n/c\n");
        let diversion = |from: &str, to: &str, by: Option<&str>| Diversion {
            from: from.into(),
            to: to.into(),
            by: by.map(str::to_owned),
        };
        assert_eq!(found, [diversion("/a", "/a.distrib", Some("p")), diversion("/b", "/b.x", None)]);
    }

    #[test]
    fn lists_name_whole_paths() {
        assert!(lists(b"/.\n/usr\n/usr/bin/a\n", b"/usr/bin/a"));
        assert!(!lists(b"/usr/bin/ab\n", b"/usr/bin/a"));
    }

    proptest! {
        #[test]
        fn nothing_makes_them_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop((md5sums(&bytes).count(), packages(&bytes), diversions(&bytes), conffile(&bytes)));
        }

        #[test]
        fn nor_does_what_looks_right(lines in proptest::collection::vec("(Package|Conffiles|Status|Multi-Arch|Version)?:? ?[a-z/ ]{0,12}( [0-9a-f]{30,33})?", 0..20)) {
            let text = lines.join("\n");
            drop((md5sums(text.as_bytes()).count(), packages(text.as_bytes()), diversions(text.as_bytes())));
        }
    }
}
