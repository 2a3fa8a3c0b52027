//! Files whose plain hash would help an attacker: who knows most of such a file could try the rest against it.
//!
//! Goes by names, since that is all there is before a file is read.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whether a hash of this file is to be kept out of every report: password databases with their backups and
/// temporary copies, private keys, stored passwords.
#[must_use]
pub fn hides_hash(path: &Path) -> bool {
    let Some(name) = path.file_name() else {
        return false;
    };
    let name = name.as_bytes();
    // Editors and tools put a dot in front of their copies, vipw an `n`.
    let name = name.strip_prefix(b".").unwrap_or(name);
    let starts = |with: &[u8]| name.starts_with(with);
    let ends = |with: &[u8]| name.ends_with(with);
    let has = |with: &[u8]| name.windows(with.len()).any(|part| part == with);

    starts(b"shadow")
        || starts(b"gshadow")
        || starts(b"nshadow")
        || starts(b"ngshadow")
        || starts(b"opasswd")
        || starts(b"htpasswd")
        || starts(b"netrc")
        || starts(b"pgpass")
        || has(b"-secrets")
        || has(b"privkey")
        || ends(b".key")
        || ends(b".keytab")
        || ends(b".kdbx")
        || (starts(b"ssh_host_") && !has(b".pub"))
        || (starts(b"id_") && !has(b".pub"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name() {
        for (path, hidden) in [
            ("/etc/shadow", true),
            ("/etc/shadow-", true),
            ("/etc/.shadow.swp", true),
            ("/etc/gshadow+", true),
            ("/etc/nshadow", true),
            ("/etc/security/opasswd", true),
            ("/etc/ssh/ssh_host_ed25519_key", true),
            ("/etc/ssh/ssh_host_ed25519_key.pub", false),
            ("/root/.ssh/id_rsa", true),
            ("/root/.ssh/id_rsa.pub", false),
            ("/etc/ssl/private/site.key", true),
            ("/etc/letsencrypt/live/x/privkey.pem", true),
            ("/etc/ppp/chap-secrets", true),
            ("/etc/krb5.keytab", true),
            ("/root/.netrc", true),
            ("/etc/passwd", false),
            ("/etc/ssl/certs/ca.pem", false),
            ("/", false),
        ] {
            assert_eq!(hides_hash(Path::new(path)), hidden, "{path}");
        }
    }
}
