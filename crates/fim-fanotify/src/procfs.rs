//! Parsers of the files in /proc/PID that tell who a process is, besides those that others need too (`fim_core::procfs`).
//!
//! Pure functions on bytes: absent or odd content is `None`, never an error. Do not open anything.

/// Real user and group id in /proc/PID/status.
pub(crate) fn owner(status: &[u8]) -> (Option<u32>, Option<u32>) {
    let first = |key: &[u8]| {
        let line = status.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(key))?;
        number(line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?)
    };
    (first(b"Uid:"), first(b"Gid:"))
}

/// /proc/PID/loginuid or sessionid; all ones stand for none.
pub(crate) fn audit_id(bytes: &[u8]) -> Option<u32> {
    number(bytes.trim_ascii()).filter(|&id| id != u32::MAX)
}

/// Whether the process of a pidfd still has its number, by /proc/self/fdinfo/FD: it is then not used again.
pub(crate) fn keeps_number(fdinfo: &[u8]) -> bool {
    let pid = fdinfo.split(|&b| b == b'\n').find_map(|line| line.strip_prefix(b"Pid:"));
    pid.and_then(|pid| number(pid.trim_ascii())).is_some_and(|pid| pid > 0)
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn owners() {
        let status = b"Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t100\t0\t0\t0\n";
        assert_eq!(owner(status), (Some(1000), Some(100)));
        assert_eq!(owner(b""), (None, None));
    }

    #[test]
    fn audit_ids() {
        for (bytes, expected) in
            [(&b"1000"[..], Some(1000)), (b"0\n", Some(0)), (b"4294967295", None), (b"", None)]
        {
            assert_eq!(audit_id(bytes), expected);
        }
    }

    #[test]
    fn a_reaped_process_has_lost_its_number() {
        assert!(keeps_number(b"pos:\t0\nPid:\t42\nNSpid:\t42\n"));
        assert!(!keeps_number(b"pos:\t0\nPid:\t-1\nNSpid:\t-1\n"));
        assert!(!keeps_number(b""));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            owner(&bytes);
            audit_id(&bytes);
            keeps_number(&bytes);
        }
    }
}
