//! File systems whose files others change too, past this kernel: no hook sees that, a scan does.
//!
//! Pure: a table by the `f_type` of statfs(2). What is not in it is taken for local.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The name of a file system that somebody else than this kernel can change, by `f_type` of statfs(2): another
/// machine, another node of a cluster, the host, or a process that serves it.
///
/// From `include/uapi/linux/magic.h` unless another place is named.
#[must_use]
pub fn remote_file_system(f_type: u64) -> Option<&'static str> {
    const KNOWN: [(u64, &str); 20] = [
        (0x6969, "nfs"),
        (0x517b, "smb"),
        (0xff53_4d42, "cifs"),
        (0xfe53_4d42, "smb2"),
        // virtiofs and everything served by a process, sshfs and s3fs among them.
        (0x6573_5546, "fuse"),
        (0x0102_1997, "9p"),
        (0x6b41_4653, "afs"),
        (0x5346_414f, "afs"),
        (0x7375_7245, "coda"),
        (0x00c3_6400, "ceph"),
        (0x564c, "ncp"),
        // Disks that several machines write to.
        (0x7461_636f, "ocfs2"),
        // include/uapi/linux/gfs2_ondisk.h
        (0x0116_1970, "gfs2"),
        // fs/vboxsf/super.c
        (0x786f_4256, "vboxsf"),
        // fs/orangefs/orangefs-kernel.h
        (0x2003_0528, "orangefs"),
        // Outside the kernel's tree, as stat(1) of GNU coreutils knows them (src/stat.c).
        (0x0bd0_0bd0, "lustre"),
        (0x4750_4653, "gpfs"),
        (0x6163_6673, "acfs"),
        (0xbacb_acbc, "vmhgfs"),
        (0x7c7c_6673, "prl_fs"),
    ];
    // Where a word has 32 bits, the field is signed and widened.
    let f_type = f_type & 0xffff_ffff;
    KNOWN.iter().find(|(known, _)| *known == f_type).map(|(_, name)| *name)
}

/// The directories in which remote file systems begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RemoteTops(pub BTreeMap<PathBuf, &'static str>);

impl RemoteTops {
    /// Whether a path is on one.
    pub(crate) fn has(&self, path: &Path) -> bool {
        !self.0.is_empty() && path.ancestors().any(|above| self.0.contains_key(above))
    }

    /// Notes a directory on a remote file system; whether it is not below one that is known.
    pub(crate) fn note(&mut self, dir: &Path, name: &'static str) -> bool {
        let is_new = !self.has(dir);
        if is_new {
            self.0.insert(dir.to_owned(), name);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_magic() {
        for (f_type, name) in [
            (0x6969, Some("nfs")),
            (0xff53_4d42, Some("cifs")),
            (0xffff_ffff_ff53_4d42, Some("cifs")),
            (0x6573_5546, Some("fuse")),
            (0x0102_1997, Some("9p")),
            (0xef53, None),
            (0x0102_1994, None),
            (0x794c_7630, None),
            (0, None),
        ] {
            assert_eq!(remote_file_system(f_type), name, "{f_type:#x}");
        }
    }

    #[test]
    fn only_the_tops_are_kept() {
        let mut tops = RemoteTops::default();
        for (dir, is_new) in [("/srv/a", true), ("/srv/a/b", false), ("/srv/a", false), ("/srv/ab", true)] {
            assert_eq!(tops.note(Path::new(dir), "nfs"), is_new, "{dir}");
        }
        assert_eq!(tops.0.len(), 2);
    }
}
