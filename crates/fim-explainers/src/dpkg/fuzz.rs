//! The files of dpkg's database, from any bytes.

use super::parse;
use crate::packages::aliases;

/// Reads the bytes as each of the files of a database.
///
/// # Panics
/// When what was read is not what the database is promised.
pub fn database(bytes: &[u8]) {
    let lines = bytes.split(|&b| b == b'\n').count();
    let digests: Vec<_> = parse::md5sums(bytes).collect();
    assert!(digests.len() <= lines);
    for (path, _) in &digests {
        let path = [b"/", *path].concat();
        assert_eq!(aliases(&path).first().copied(), Some(path.as_slice()), "its own name comes first");
    }
    for (name, package) in parse::packages(bytes) {
        assert!(!name.is_empty());
        assert!(package.conffiles.iter().all(|(path, _)| path.first() == Some(&b'/')));
        assert!(package.conffiles.len() <= lines);
    }
    assert!(parse::diversions(bytes).len() <= lines / 3);
    // Whatever stands on a line of its own is listed, and nothing is that does not.
    let first = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    assert!(parse::lists(bytes, first));
    assert!(!parse::lists(bytes, &[first, b"\n"].concat()));
}
