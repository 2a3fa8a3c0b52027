//! Names under which tools prepare a file before they rename it into place.
//!
//! A new file of such a name is not reported at once: either it is renamed over its target within a
//! moment, and the target's finding tells the story, or it stays and is reported a little later.
//! Pure: looks at the name alone.

/// Whether a last path component looks like a tool's temporary name.
pub(crate) fn is_temporary(name: &[u8]) -> bool {
    const SUFFIXES: &[&[u8]] = &[
        b".dpkg-new",
        b".dpkg-tmp",
        b".dpkg-dist",
        b".rpmnew~",
        b".tmp",
        b".temp",
        b".lock",
        b".new",
        b".part",
        b"+",
        b"~",
    ];
    const PREFIXES: &[&[u8]] = &[b".ansible_tmp", b".goutputstream-", b"tmp_obj_", b".#", b".tmp", b"tmp."];
    SUFFIXES.iter().any(|suffix| name.len() > suffix.len() && name.ends_with(suffix))
        || PREFIXES.iter().any(|prefix| name.len() > prefix.len() && name.starts_with(prefix))
        || is_sed(name)
        || is_rsync(name)
        || is_swap(name)
        || is_lock_by_pid(name)
        || is_rpm(name)
}

/// `sed -i` writes to `sed` and six letters of mkstemp(3).
fn is_sed(name: &[u8]) -> bool {
    name.strip_prefix(b"sed").is_some_and(is_mkstemp)
}

/// rsync, and many who use mkstemp(3): `.name.XXXXXX`.
fn is_rsync(name: &[u8]) -> bool {
    name.first() == Some(&b'.')
        && name.len() > 8
        && name.len().checked_sub(7).and_then(|at| name.get(at..)).is_some_and(|tail| {
            tail.strip_prefix(b".")
                .is_some_and(|letters| is_mkstemp(letters) && letters.iter().any(u8::is_ascii_uppercase))
        })
}

/// vim's swap files, and its probe for whether a directory can be written.
fn is_swap(name: &[u8]) -> bool {
    name == b"4913"
        || (name.first() == Some(&b'.')
            && [b".swp".as_slice(), b".swpx", b".swx", b".swo"].iter().any(|suffix| name.ends_with(suffix)))
}

/// shadow's tools lock with `passwd.12345`, linked to `passwd.lock`.
fn is_lock_by_pid(name: &[u8]) -> bool {
    let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else {
        return false;
    };
    let (stem, pid) = name.split_at(dot);
    matches!(stem, b"passwd" | b"shadow" | b"group" | b"gshadow" | b"subuid" | b"subgid")
        && pid.len() > 1
        && pid.iter().skip(1).all(u8::is_ascii_digit)
}

/// rpm unpacks to `name;5f3a1b2c`, by the time at which its transaction began.
fn is_rpm(name: &[u8]) -> bool {
    name.iter().rposition(|byte| *byte == b';').is_some_and(|at| {
        let (stem, tail) = name.split_at(at);
        !stem.is_empty()
            && tail.len() == 9
            && tail.iter().skip(1).all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_mkstemp(letters: &[u8]) -> bool {
    letters.len() == 6 && letters.iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_names_are_known() {
        for name in [
            "sedaB3x9Z",
            "hosts.dpkg-new",
            "passwd+",
            "passwd.lock",
            "passwd.4242",
            "index.lock",
            ".hosts.Xa81bQ",
            ".ansible_tmpk2hosts",
            "4913",
            ".hosts.swp",
            "ld.so.cache~",
            "p.conf;5f3a1b2c",
            "a;b;0000000f",
        ] {
            assert!(is_temporary(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn plain_names_are_not() {
        for name in [
            "hosts",
            "passwd",
            "passwd-",
            "sedation",
            "sed",
            "+",
            "~",
            ".bashrc",
            "access.conf",
            "a.swp",
            ".my.config",
            ";5f3a1b2c",
            "a;5f3a1b2",
            "a;5f3a1b2c0",
            "a;5F3A1B2C",
            "a;5f3a1b2g",
        ] {
            assert!(!is_temporary(name.as_bytes()), "{name}");
        }
    }
}
