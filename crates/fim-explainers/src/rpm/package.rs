//! What a header says of a package and its files. Pure.

use super::header::Header;
use fim_core::Checksum;

/// Numbers of tags, and what their values mean: rpmtag.h, rpmfiles.h and rpmpgp.h of rpm's source.
mod tag {
    pub const NAME: u32 = 1000;
    pub const VERSION: u32 = 1001;
    pub const RELEASE: u32 = 1002;
    pub const EPOCH: u32 = 1003;
    pub const ARCH: u32 = 1022;
    pub const FILESTATES: u32 = 1029;
    pub const FILEMODES: u32 = 1030;
    pub const FILEDIGESTS: u32 = 1035;
    pub const FILELINKTOS: u32 = 1036;
    pub const FILEFLAGS: u32 = 1037;
    pub const FILEVERIFYFLAGS: u32 = 1045;
    pub const DIRINDEXES: u32 = 1116;
    pub const BASENAMES: u32 = 1117;
    pub const DIRNAMES: u32 = 1118;
    pub const FILEDIGESTALGO: u32 = 5011;
}

/// A package with more files than this has as many.
const MOST_FILES: usize = 1 << 19;
/// The kernel takes no longer paths.
const LONGEST: usize = 4096;

const CONFIG: u32 = 1 << 0;
const GHOST: u32 = 1 << 6;
/// Among what is to be verified: the content.
const CONTENT: u32 = 1 << 0;

/// Which package it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// Epoch if there is one, version, release and architecture: `1:2.3-4.noarch`.
    pub version: String,
}

/// What kind of file a package has at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Dir,
    Symlink,
    Other,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub kind: Kind,
    /// Of its content, if it is a file with one and the algorithm is known.
    pub digest: Option<(Checksum, Vec<u8>)>,
    /// Where it leads, if it is a link.
    pub target: Vec<u8>,
    /// It is for configuration.
    pub is_config: bool,
    /// Its content may become another: it is for configuration, or the package says so.
    pub may_change: bool,
    /// The package owns the path, and has nothing for it.
    pub is_ghost: bool,
    /// It was put there: neither left out nor since replaced by another package's.
    pub is_installed: bool,
}

/// Which package a header is of.
pub fn identity(header: &Header<'_>) -> Option<Identity> {
    let text = |tag| header.text(tag).map(String::from_utf8_lossy);
    let epoch = header.numbers(tag::EPOCH).next().map(|epoch| format!("{epoch}:")).unwrap_or_default();
    let version = format!("{epoch}{}-{}", text(tag::VERSION)?, text(tag::RELEASE)?);
    let arch = text(tag::ARCH).map(|arch| format!(".{arch}")).unwrap_or_default();
    Some(Identity { name: text(tag::NAME)?.into_owned(), version: version + &arch })
}

/// The two parts of each path, one behind the other; in the order of everything else that is said of files.
fn names<'a>(header: &Header<'a>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
    let dirs: Vec<&[u8]> = header.texts(tag::DIRNAMES).take(MOST_FILES).collect();
    let indexes = header.numbers(tag::DIRINDEXES);
    header.texts(tag::BASENAMES).zip(indexes).take(MOST_FILES).map(move |(base, index)| {
        let dir = usize::try_from(index).ok().and_then(|index| dirs.get(index).copied());
        (dir.unwrap_or_default(), base)
    })
}

/// The paths of all files. Those of sources have no folder and are left out.
pub fn paths<'a>(header: &Header<'a>) -> impl Iterator<Item = Vec<u8>> + use<'a> {
    names(header)
        .filter(|(dir, base)| dir.first() == Some(&b'/') && dir.len().saturating_add(base.len()) <= LONGEST)
        .map(|(dir, base)| [dir, base].concat())
}

/// What a package has at a path.
pub fn file(header: &Header<'_>, path: &[u8]) -> Option<File> {
    let is = |(dir, base): (&[u8], &[u8])| path.strip_prefix(dir).is_some_and(|rest| rest == base);
    let at = names(header).position(|name| !name.0.is_empty() && is(name))?;
    let mode = header.shorts(tag::FILEMODES).nth(at)?;
    let flags = header.numbers(tag::FILEFLAGS).nth(at).unwrap_or(0);
    let verified = header.numbers(tag::FILEVERIFYFLAGS).nth(at).unwrap_or(CONTENT);
    let kind = match mode & 0o170_000 {
        0o100_000 => Kind::File,
        0o040_000 => Kind::Dir,
        0o120_000 => Kind::Symlink,
        _ => Kind::Other,
    };
    let checksum = match header.numbers(tag::FILEDIGESTALGO).next() {
        None | Some(1) => Some((Checksum::Md5, 16)),
        Some(8) => Some((Checksum::Sha256, 32)),
        Some(_) => None,
    };
    let digest = checksum.filter(|_| kind == Kind::File).and_then(|(checksum, length)| {
        let bytes = hexadecimal(header.texts(tag::FILEDIGESTS).nth(at)?)?;
        (bytes.len() == length).then_some((checksum, bytes))
    });
    Some(File {
        kind,
        digest,
        target: header.texts(tag::FILELINKTOS).nth(at).unwrap_or_default().to_vec(),
        is_config: flags & CONFIG != 0,
        may_change: flags & CONFIG != 0 || verified & CONTENT == 0,
        is_ghost: flags & GHOST != 0,
        is_installed: header.bytes(tag::FILESTATES).nth(at).unwrap_or(0) == 0,
    })
}

fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::header::tests::{Value, encode};
    use super::*;

    /// As rpm 4.18 wrote it, of a package that `testing/p.spec` describes.
    const REAL: &[u8] = include_bytes!("testing/p-2.header");

    #[test]
    fn a_header_that_rpm_wrote() {
        let header = Header::parse(REAL).unwrap();
        let known = identity(&header).unwrap();
        assert_eq!((known.name.as_str(), known.version.as_str()), ("p", "2-1.noarch"));
        let all: Vec<String> = paths(&header).map(|path| String::from_utf8(path).unwrap()).collect();
        let expected =
            ["/etc/p.conf", "/etc/p.keep", "/usr/bin/p", "/usr/bin/plink", "/usr/share/p", "/var/log/p"];
        assert_eq!(all, expected);
        let of = |path: &str| file(&header, path.as_bytes()).unwrap();
        let program = of("/usr/bin/p");
        assert_eq!((program.kind, program.is_config, program.is_ghost), (Kind::File, false, false));
        assert!(program.is_installed && program.digest.is_some_and(|(it, _)| it == Checksum::Sha256));
        assert!(of("/etc/p.conf").is_config && of("/etc/p.keep").is_config);
        assert!(of("/etc/p.conf").may_change && !of("/usr/bin/p").may_change);
        assert_eq!((of("/usr/bin/plink").kind, of("/usr/bin/plink").target), (Kind::Symlink, b"p".to_vec()));
        assert_eq!((of("/usr/share/p").kind, of("/usr/share/p").digest), (Kind::Dir, None));
        assert!(of("/var/log/p").is_ghost);
        assert!(file(&header, b"/usr/bin/q").is_none() && file(&header, b"p").is_none());
    }

    #[test]
    fn digests_by_their_algorithm() {
        let (md5, sha256) = ("0123456789abcdef".repeat(2), "0123456789ABCDEF".repeat(4));
        for (algorithm, digest, checksum) in [
            (None, &md5, Some(Checksum::Md5)),
            (Some(1), &md5, Some(Checksum::Md5)),
            (Some(8), &sha256, Some(Checksum::Sha256)),
            (Some(8), &md5, None),
            (Some(10), &sha256, None),
            (Some(8), &"g".repeat(64), None),
            (Some(8), &String::new(), None),
        ] {
            let mut tags = vec![
                (tag::BASENAMES, Value::Texts(&["f"])),
                (tag::DIRNAMES, Value::Texts(&["/d/"])),
                (tag::DIRINDEXES, Value::Numbers(&[0])),
                (tag::FILEMODES, Value::Shorts(&[0o100_644])),
            ];
            let (digests, algorithms) = ([digest.as_str()], algorithm.map(|number| [number]));
            tags.push((tag::FILEDIGESTS, Value::Texts(&digests)));
            tags.extend(algorithms.iter().map(|number| (tag::FILEDIGESTALGO, Value::Numbers(number))));
            let bytes = encode(&tags);
            let found = file(&Header::parse(&bytes).unwrap(), b"/d/f").unwrap();
            assert_eq!(found.digest.map(|(it, _)| it), checksum, "{algorithm:?} {digest}");
        }
    }

    #[test]
    fn what_is_not_to_be_verified_may_change() {
        for (verified, may_change) in [(0xffff_ffff, false), (0xffff_fffe, true)] {
            let bytes = encode(&[
                (tag::BASENAMES, Value::Texts(&["f"])),
                (tag::DIRNAMES, Value::Texts(&["/d/"])),
                (tag::DIRINDEXES, Value::Numbers(&[0])),
                (tag::FILEMODES, Value::Shorts(&[0o100_644])),
                (tag::FILESTATES, Value::Bytes(&[2])),
                (tag::FILEVERIFYFLAGS, Value::Numbers(&[verified])),
            ]);
            let found = file(&Header::parse(&bytes).unwrap(), b"/d/f").unwrap();
            assert_eq!((found.may_change, found.is_config, found.is_installed), (may_change, false, false));
        }
    }

    #[test]
    fn folders_that_are_not_there() {
        let bytes = encode(&[
            (tag::BASENAMES, Value::Texts(&["a", "b", "c"])),
            (tag::DIRNAMES, Value::Texts(&["", "/d/"])),
            (tag::DIRINDEXES, Value::Numbers(&[0, 9, 1])),
        ]);
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(paths(&header).collect::<Vec<_>>(), [b"/d/c"]);
        assert!(file(&header, b"/d/c").is_none(), "without a mode it is nothing");
        assert!(identity(&header).is_none());
    }
}
