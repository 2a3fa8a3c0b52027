//! Which system calls are refused once everything is open: seccomp(2).
//!
//! A list of what is refused, not of what is allowed: the calls of a C library and of a kernel change, and an agent
//! that a new one of them stops sees nothing. See docs/decisions/0012-confinement.md.

use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter, apply_filter_all_threads,
};
use std::collections::BTreeMap;

/// What is not refused, because this run needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Running BPF programs that are loaded, and reading their maps.
    pub bpf: bool,
    /// Connecting to other machines, and loading what finds their addresses.
    pub network: bool,
}

/// Refused whatever the arguments.
const REFUSED: &[libc::c_long] = &[
    // Other programs, and the memory of other processes.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    // The kernel itself.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_personality,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    // Calls made by io_uring pass no filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // What is mounted, and where the root is.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_unshare,
    // Changes of files that Landlock does not know, or not on every kernel.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    REMOVEXATTRAT,
    FILE_SETATTR,
    libc::SYS_utimensat,
    libc::SYS_truncate,
    libc::SYS_mknodat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    // Processes; threads are made by clone below.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    // The older names of some of these.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mknod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

// Younger than the C library's list; the numbers are the same on every architecture (asm-generic/unistd.h).
const FCHMODAT2: libc::c_long = 452;
const SETXATTRAT: libc::c_long = 463;
const REMOVEXATTRAT: libc::c_long = 466;
const OPEN_TREE_ATTR: libc::c_long = 467;
const FILE_SETATTR: libc::c_long = 469;

/// `ioctl`s that change a file through a descriptor for reading, or type into a terminal: `FS_IOC_SETFLAGS`,
/// `FS_IOC_FSSETXATTR` (linux/fs.h), `TIOCSTI` and `TIOCLINUX` (asm-generic/ioctls.h).
const IOCTLS: [u64; 4] = [0x4008_6602, 0x401c_5820, 0x5412, 0x541c];

/// Commands of bpf(2) that bring something new into the kernel: `BPF_MAP_CREATE`, `BPF_PROG_LOAD`,
/// `BPF_PROG_ATTACH`, `BPF_RAW_TRACEPOINT_OPEN`, `BPF_BTF_LOAD`, `BPF_TOKEN_CREATE` (linux/bpf.h).
const BPF_NEW: [u64; 6] = [0, 5, 8, 17, 18, 36];

/// With this bit, x86-64 kernels built for x32 take the same calls under other numbers.
#[cfg(target_arch = "x86_64")]
const X32: libc::c_long = 0x4000_0000;

/// Whether this kernel has filters.
pub fn are_filtered() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nSeccomp:"))
}

impl Calls {
    /// From here on every thread of this process is refused the rest.
    ///
    /// # Errors
    /// As seccomp(2).
    pub fn refuse_all_else(self) -> Result<(), Error> {
        self.programs()?.iter().try_for_each(|program| apply_filter_all_threads(program))
    }

    /// As [`Self::refuse_all_else`], for this thread and those it starts.
    ///
    /// # Errors
    /// As seccomp(2).
    pub fn refuse_all_else_here(self) -> Result<(), Error> {
        self.programs()?.iter().try_for_each(|program| apply_filter(program))
    }

    /// Two, for each has one answer only.
    fn programs(self) -> Result<[BpfProgram; 2], BackendError> {
        let arch: TargetArch = std::env::consts::ARCH.try_into()?;
        let compile = |rules, errno: i32| {
            let refuse = SeccompAction::Errno(errno.unsigned_abs());
            SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into()
        };
        // The C library takes this for a kernel without clone3, whose arguments no filter can see, and uses clone.
        let no_clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
        Ok([compile(self.rules()?, libc::EPERM)?, compile(no_clone3, libc::ENOSYS)?])
    }

    fn rules(self) -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
        let mut rules: BTreeMap<_, _> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
        let me = u64::from(std::process::id());
        for call in [libc::SYS_kill, libc::SYS_tgkill] {
            rules.insert(call, vec![if_all(&[not(0, me)])?]);
        }
        rules.insert(libc::SYS_prlimit64, vec![if_all(&[not(0, 0), not(0, me)])?]);
        rules.insert(libc::SYS_clone, processes_and_namespaces()?);
        rules.insert(libc::SYS_ioctl, if_any(1, &IOCTLS)?);
        rules.insert(libc::SYS_bpf, if self.bpf { if_any(0, &BPF_NEW)? } else { Vec::new() });
        if self.bpf {
            rules.insert(libc::SYS_fanotify_init, Vec::new());
        }
        rules.insert(libc::SYS_socket, vec![if_all(&self.families())?]);
        if !self.network {
            for call in [libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_pkey_mprotect] {
                rules.insert(call, vec![if_all(&[has(2, flag(libc::PROT_EXEC))])?]);
            }
        }
        #[cfg(target_arch = "x86_64")]
        rules.extend(rules.clone().into_iter().map(|(call, rules)| (call | X32, rules)));
        Ok(rules)
    }

    /// Sockets of other families are refused.
    fn families(self) -> Vec<Condition> {
        let mut families = vec![libc::AF_UNIX];
        if self.network {
            // To find an address, the C library asks the kernel which kinds of address the machine has.
            families.extend([libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK]);
        }
        families.into_iter().map(|family| not(0, flag(family))).collect()
    }
}

/// An argument by its place, what it is compared with, and how.
type Condition = (u8, SeccompCmpOp, u64);

const fn not(argument: u8, value: u64) -> Condition {
    (argument, SeccompCmpOp::Ne, value)
}

const fn has(argument: u8, bits: u64) -> Condition {
    (argument, SeccompCmpOp::MaskedEq(bits), bits)
}

fn flag(flag: libc::c_int) -> u64 {
    u64::from(flag.unsigned_abs())
}

fn if_all(conditions: &[Condition]) -> Result<SeccompRule, BackendError> {
    let conditions = conditions
        .iter()
        .cloned()
        .map(|(argument, how, value)| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, value));
    SeccompRule::new(conditions.collect::<Result<_, _>>()?)
}

fn if_any(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, BackendError> {
    values.iter().map(|value| if_all(&[(argument, SeccompCmpOp::Eq, *value)])).collect()
}

/// clone(2) that makes no thread, or takes it into a namespace of its own.
fn processes_and_namespaces() -> Result<Vec<SeccompRule>, BackendError> {
    let namespaces = [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWCGROUP,
    ];
    let mut rules = vec![if_all(&[(0, SeccompCmpOp::MaskedEq(flag(libc::CLONE_THREAD)), 0)])?];
    for namespace in namespaces {
        rules.push(if_all(&[has(0, flag(namespace))])?);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

    /// On a thread of its own: what it is refused, and what it is not.
    fn refused(calls: Calls, tried: impl FnOnce() -> [(&'static str, bool); 8] + Send + 'static) {
        std::thread::spawn(move || {
            calls.refuse_all_else_here().unwrap();
            for (what, as_wanted) in tried() {
                assert!(as_wanted, "{what}");
            }
        })
        .join()
        .unwrap();
    }

    #[test]
    fn what_an_intruder_would_want_is_refused_and_what_a_watch_needs_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().to_owned();
        refused(Calls::default(), move || {
            let eperm = |result: std::io::Result<()>| {
                result.is_err_and(|error| error.raw_os_error() == Some(libc::EPERM))
            };
            let write = std::fs::write(at.join("f"), "x").is_ok();
            let mode = std::fs::set_permissions(at.join("f"), Permissions::from_mode(0o4755));
            [
                ("a program", std::process::Command::new("/bin/true").spawn().is_err()),
                ("a mode", eperm(mode)),
                ("a link", eperm(std::os::unix::fs::symlink("x", at.join("l")))),
                ("the network", eperm(TcpListener::bind("127.0.0.1:0").map(drop))),
                (
                    "another's end",
                    rustix::process::test_kill_process(rustix::process::getppid().unwrap()).is_err(),
                ),
                ("a file", write),
                ("a socket", UnixListener::bind(at.join("s")).is_ok()),
                ("a thread", std::thread::spawn(|| true).join().unwrap()),
            ]
        });
    }

    #[test]
    fn every_need_compiles() {
        for (bpf, network) in [(false, false), (false, true), (true, false), (true, true)] {
            assert!(Calls { bpf, network }.programs().is_ok());
        }
    }
}
