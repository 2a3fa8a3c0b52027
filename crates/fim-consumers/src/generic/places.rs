//! Which places decide who has power, by the names in a path.
//!
//! Must not know what changed there.

use fim_core::Severity;
use std::ffi::OsStr;
use std::path::{Component, Path};

/// A file or a directory with all below it, by the name of the directory it is in and its own. Without the first: anywhere.
type Place = (&'static str, &'static str);

/// Directories whose files decide what the system does.
const SYSTEM: [&str; 9] = ["bin", "boot", "etc", "lib", "lib32", "lib64", "root", "sbin", "usr"];

/// What makes someone root, or lets someone in as root, and is seldom edited: whom sudo, doas and polkit obey, how PAM knows
/// people, what is put into every program or every session.
const POWERS: [Place; 14] = [
    ("etc", "doas.conf"),
    ("etc", "doas.d"),
    ("etc", "environment"),
    ("etc", "ld.so.preload"),
    ("etc", "pam.conf"),
    ("etc", "pam.d"),
    ("etc", "polkit-1"),
    ("polkit-1", "localauthority"),
    ("etc", "sudo.conf"),
    ("etc", "sudoers"),
    ("etc", "sudoers.d"),
    ("security", "pam_env.conf"),
    ("ssh", "sshrc"),
    (".ssh", "rc"),
];

/// What decides who logs in and what runs by itself, but is edited in the course of things; and what would give power in
/// another place.
const GUARDS: [Place; 21] = [
    ("", "sshd_config"),
    ("", "sshd_config.d"),
    ("", "pam.d"),
    ("", "pam.conf"),
    ("", "crontab"),
    ("", "crontabs"),
    ("", "anacrontab"),
    ("", "cron.d"),
    ("", "cron.hourly"),
    ("", "cron.daily"),
    ("", "cron.weekly"),
    ("", "cron.monthly"),
    ("", "cron.allow"),
    ("spool", "cron"),
    ("", "doas.conf"),
    ("", "ld.so.conf"),
    ("", "ld.so.conf.d"),
    ("", "ld.so.preload"),
    ("", "sudo.conf"),
    ("", "sudoers"),
    ("", "sudoers.d"),
];

/// Who may log in, with what password. Not listed with what it takes to edit them: that is told of each account by itself.
const ACCOUNTS: [Place; 6] = [
    ("etc", "passwd"),
    ("etc", "shadow"),
    ("etc", "group"),
    ("etc", "gshadow"),
    ("security", "access.conf"),
    ("security", "access.d"),
];

/// A path as it is below the root of the system that it belongs to.
pub(crate) fn within<'p>(root: &Path, path: &'p Path) -> &'p Path {
    path.strip_prefix(root).unwrap_or(path)
}

/// Whether it lies in one of the system's own directories.
pub(super) fn is_system(path: &Path) -> bool {
    let mut parts = path.components().filter(|part| *part != Component::RootDir);
    parts.next().is_some_and(|top| SYSTEM.iter().any(|dir| top.as_os_str() == *dir))
}

/// Whether who may write there has the power of root, or decides who has: nobody but root is to.
pub(super) fn is_roots(path: &Path) -> bool {
    is_in(path, &POWERS)
        || (is_system(path) && (is_in(path, &GUARDS) || is_in(path, &ACCOUNTS)))
        || path.strip_prefix("/").unwrap_or(path) == Path::new("etc")
}

/// How much it matters at least that the content of the file of this name below this root is another, that it came to be or
/// is gone; and the same of the name it had, if it was renamed: under another it may do what it did not, or not do what it
/// did.
pub(crate) fn of_names(root: &Path, path: &Path, renamed_from: Option<&Path>) -> Severity {
    let names = [Some(path), renamed_from].into_iter().flatten();
    names.map(|name| of_content(within(root, name))).max().unwrap_or(Severity::Routine)
}

fn of_content(path: &Path) -> Severity {
    if is_in(path, &POWERS) {
        Severity::High
    } else if is_in(path, &GUARDS) {
        Severity::Notable
    } else {
        Severity::Routine
    }
}

fn is_in(path: &Path, places: &[Place]) -> bool {
    let mut above = OsStr::new("");
    path.iter().any(|name| {
        let above = std::mem::replace(&mut above, name);
        places.iter().any(|(dir, place)| name == *place && (dir.is_empty() || above == *dir))
    })
}
