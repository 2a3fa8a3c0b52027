//! Which programs a kernel can carry: chosen by what its BTF says, never by its version.
//!
//! A table and its reading. Knows nothing of loading or attaching.

use libbpf_rs::btf::types::{Func, FuncProto};
use libbpf_rs::{Btf, ReferencesType};

/// A program and what it needs of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Name of the program.
    pub program: &'static str,
    /// The kernel's function it hooks.
    pub function: &'static str,
    /// How many arguments that function must have.
    pub arguments: usize,
    /// Not needed when this program is loaded.
    pub unless: Option<&'static str>,
    /// What makes up for a run of it that the kernel skipped.
    pub heals: Heals,
}

/// What makes up for a skipped run of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heals {
    /// A look at every watched file that is open for writing; if it was closed meanwhile, its last close.
    Open,
    /// The same again and again until the last close: the change may go on without another call.
    OpenEnded,
    /// Nothing need: it completes what others told. But those above count on it.
    Close,
    /// Nothing need: a mark of a file that is gone is kept, who mounted something is not known, or a file that
    /// is given another generation in that very moment loses its mark until it is looked at again.
    Keep,
    /// Comparing everything.
    Scan,
}

const fn hook(program: &'static str, function: &'static str, arguments: usize) -> Hook {
    Hook { program, function, arguments, unless: None, heals: Heals::Scan }
}

const fn spare(
    program: &'static str,
    function: &'static str,
    arguments: usize,
    unless: &'static str,
) -> Hook {
    Hook { program, function, arguments, unless: Some(unless), heals: Heals::Scan }
}

impl Hook {
    const fn heals(self, heals: Heals) -> Self {
        Self { heals, ..self }
    }
}

/// All programs that hook a function. A spare comes after the one that makes it needless.
pub const HOOKS: &[Hook] = &[
    hook("vfs_write", "vfs_write", 4).heals(Heals::Open),
    hook("vfs_writev", "vfs_writev", 5).heals(Heals::Open),
    hook("vfs_iter_write", "vfs_iter_write", 4).heals(Heals::Open),
    hook("vfs_iocb_iter_write", "vfs_iocb_iter_write", 3).heals(Heals::OpenEnded),
    hook("kernel_write_iter", "__kernel_write_iter", 3).heals(Heals::Open),
    spare("kernel_write", "__kernel_write", 4, "kernel_write_iter").heals(Heals::Open),
    hook("io_write", "io_write", 2).heals(Heals::OpenEnded),
    hook("aio_write", "aio_write", 4).heals(Heals::OpenEnded),
    hook("splice_write", "iter_file_splice_write", 5).heals(Heals::Open),
    hook("copy_range", "vfs_copy_file_range", 6).heals(Heals::Open),
    hook("clone_range", "vfs_clone_file_range", 6).heals(Heals::Open),
    hook("fallocate", "vfs_fallocate", 4).heals(Heals::Open),
    hook("mmap_file", "security_mmap_file", 3).heals(Heals::OpenEnded),
    hook("mprotect", "security_file_mprotect", 3).heals(Heals::OpenEnded),
    hook("file_release", "security_file_release", 1).heals(Heals::Close),
    spare("locks_remove", "locks_remove_file", 1, "file_release").heals(Heals::Close),
    hook("notify_change_3", "notify_change", 3),
    hook("notify_change_4", "notify_change", 4),
    hook("setxattr_5", "__vfs_setxattr_noperm", 5),
    hook("setxattr_6", "__vfs_setxattr_noperm", 6),
    hook("removexattr_2", "vfs_removexattr", 2),
    hook("removexattr_3", "vfs_removexattr", 3),
    hook("set_acl", "vfs_set_acl", 4),
    hook("remove_acl", "vfs_remove_acl", 3),
    hook("fileattr_set", "vfs_fileattr_set", 3),
    spare("drop_write", "mnt_drop_write_file", 1, "fileattr_set"),
    hook("want_write", "mnt_want_write_file", 1).heals(Heals::Keep),
    hook("regenerated", "mnt_drop_write_file", 1).heals(Heals::Keep),
    hook("d_instantiate", "security_d_instantiate", 2),
    hook("vfs_link_4", "vfs_link", 4),
    hook("vfs_link_5", "vfs_link", 5),
    hook("d_delete", "d_delete", 1),
    hook("rename_in_1", "vfs_rename", 1),
    hook("rename_out_1", "vfs_rename", 1),
    hook("rename_in_6", "vfs_rename", 6),
    hook("rename_out_6", "vfs_rename", 6),
    hook("path_mount", "path_mount", 5).heals(Heals::Keep),
    hook("move_mount", "security_move_mount", 2).heals(Heals::Keep),
    hook("sb_umount", "security_sb_umount", 2).heals(Heals::Keep),
    hook("inode_free", "security_inode_free", 1).heals(Heals::Keep),
    spare("evict", "evict", 1, "inode_free").heals(Heals::Keep),
];

/// The programs for a kernel in which a function has this many arguments, or is not there.
pub fn choose(arguments: impl Fn(&str) -> Option<usize>) -> Vec<Hook> {
    let mut chosen: Vec<Hook> = Vec::new();
    for hook in HOOKS {
        let needless = hook.unless.is_some_and(|other| chosen.iter().any(|hook| hook.program == other));
        if !needless && arguments(hook.function) == Some(hook.arguments) {
            chosen.push(*hook);
        }
    }
    chosen
}

/// How many arguments a function has in this BTF.
pub fn arguments(btf: &Btf<'_>, function: &str) -> Option<usize> {
    let function = btf.type_by_name::<Func<'_>>(function)?;
    btf.type_by_id::<FuncProto<'_>>(function.referenced_type_id()).map(|prototype| prototype.len())
}

/// The number of a function in the kernel's types.
pub fn id(btf: &Btf<'_>, function: &str) -> Option<u32> {
    btf.type_by_name::<Func<'_>>(function).map(|function| function.type_id().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(chosen: &[Hook]) -> Vec<&str> {
        chosen.iter().map(|hook| hook.program).collect()
    }

    #[test]
    fn a_variant_is_chosen_by_its_number_of_arguments() {
        for (arguments, expected) in
            [(1, vec!["rename_in_1", "rename_out_1"]), (6, vec!["rename_in_6", "rename_out_6"]), (2, vec![])]
        {
            let chosen = choose(|function| (function == "vfs_rename").then_some(arguments));
            assert_eq!(names(&chosen), expected);
        }
    }

    #[test]
    fn a_spare_is_taken_only_without_the_better_one() {
        let both = choose(|function| function.contains("release").then_some(1));
        assert_eq!(names(&both), ["file_release"]);
        let one = choose(|function| (function == "locks_remove_file").then_some(1));
        assert_eq!(names(&one), ["locks_remove"]);
    }

    #[test]
    fn every_spare_names_an_earlier_program() {
        for (index, hook) in HOOKS.iter().enumerate() {
            if let Some(other) = hook.unless {
                assert!(HOOKS[..index].iter().any(|hook| hook.program == other), "{}", hook.program);
            }
        }
    }

    /// What the headers hook: program, function and its number of arguments, without what it returns.
    fn hooked(text: &str) -> Vec<(&str, &str, usize)> {
        let sections = text.split("SEC(\"").skip(1).filter_map(|section| {
            let (kind, rest) = section.split_once('/')?;
            let (function, rest) = rest.split_once("\")")?;
            let (program, rest) = rest.trim_start().strip_prefix("int BPF_PROG(")?.split_once(',')?;
            let arguments = rest.split_once(')')?.0.split(',').count();
            Some((program, function, arguments - usize::from(kind == "fexit")))
        });
        sections.collect()
    }

    #[test]
    fn programs_are_those_of_the_headers() {
        let headers = [
            include_str!("../src-bpf/attributes.h"),
            include_str!("../src-bpf/content.h"),
            include_str!("../src-bpf/mounts.h"),
            include_str!("../src-bpf/names.h"),
        ];
        let mut theirs: Vec<_> = headers.into_iter().flat_map(hooked).collect();
        let mut ours: Vec<_> =
            HOOKS.iter().map(|hook| (hook.program, hook.function, hook.arguments)).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, theirs);
    }
}
