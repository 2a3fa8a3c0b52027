//! Where something is mounted, by `/proc/self/mountinfo`: proc_pid_mountinfo(5).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The mount points of this process's namespace.
pub fn points() -> Vec<PathBuf> {
    parse(&std::fs::read("/proc/self/mountinfo").unwrap_or_default())
}

fn parse(text: &[u8]) -> Vec<PathBuf> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4)).map(unescaped).collect()
}

/// Space, tab, newline and backslash are written as `\` and three octal digits.
fn unescaped(field: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    loop {
        rest = match rest {
            [] => return PathBuf::from(OsString::from_vec(path)),
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                path.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                after
            }
            [byte, after @ ..] => {
                path.push(*byte);
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_escapes() {
        let text = b"22 1 0:20 / / rw - ext4 /dev/vda rw\n\
            30 22 0:31 / /srv/a\\040b\\134 rw,relatime shared:1 - nfs4 server:/x rw\nbroken\n";
        assert_eq!(parse(text), [PathBuf::from("/"), PathBuf::from("/srv/a b\\")]);
        assert_eq!(unescaped(b"\\9\\04"), PathBuf::from("\\9\\04"));
        assert!(points().contains(&PathBuf::from("/")));
    }
}
