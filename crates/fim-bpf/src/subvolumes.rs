//! Whether the programs can tell the subvolumes of btrfs apart: they number their files each for itself, and only the types
//! of btrfs, mostly a module, say which of them a file is in.
//!
//! Knows nothing of marks.

use libbpf_rs::Btf;
use libbpf_rs::btf::types::Struct;
use std::path::Path;

/// Where the kernel keeps the types of the module.
const MODULE: &str = "/sys/kernel/btf/btrfs";

/// What people should know where btrfs is, but not its types.
pub fn untold(btf: &Btf<'_>) -> Option<String> {
    let known = btf.type_by_name::<Struct<'_>>("btrfs_inode").is_some() || Path::new(MODULE).exists();
    let there = std::fs::read_to_string("/proc/filesystems").is_ok_and(|list| names_btrfs(&list));
    (there && !known).then(|| {
        "this kernel does not describe the types of btrfs: a file and its copy in a snapshot are one to it, so that who \
         changed the copy may be named with the file, what came and went beside the copy be told beside the file, and \
         a snapshot made in a watched tree be found by the next scan"
            .to_owned()
    })
}

fn names_btrfs(list: &str) -> bool {
    list.lines().any(|line| line.split_whitespace().next_back() == Some("btrfs"))
}

#[cfg(test)]
mod tests {
    use super::names_btrfs;

    #[test]
    fn the_list_of_file_systems_is_read_by_words() {
        for (list, there) in [
            ("nodev\tsysfs\n\text4\n\tbtrfs\n", true),
            ("\tbtrfs", true),
            ("nodev\tbtrfs_test\n\text4\n", false),
            ("", false),
        ] {
            assert_eq!(names_btrfs(list), there, "{list:?}");
        }
    }
}
