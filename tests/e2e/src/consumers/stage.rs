//! A machine of its own for the tools: `/etc`, the homes and what goes with them, in a scratch directory that
//! takes the place of the real ones in a mount namespace. Nothing of the machine itself is changed.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What of the machine's own `/etc` the tools need, where it is there.
const COPIED: &[&str] = &[
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "login.defs",
    "nanorc",
    "pam.conf",
    "pam.d",
    "security",
    "shells",
    "skel",
    "ssl/openssl.cnf",
    "sudo.conf",
    "vim",
];

const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
alice:x:1001:1001:Alice:/home/alice:/bin/sh
bob:x:1002:1002:Bob:/home/bob:/bin/sh
dave:x:1003:1003:Dave:/home/dave:/bin/sh
erin:x:1004:1004:Erin:/home/erin:/bin/sh
frank:x:1005:1005:Frank:/home/frank:/bin/sh
";
const GROUPS: &str = "\
root:x:0:
daemon:x:1:
adm:x:4:
sudo:x:27:
shadow:x:42:
staff:x:50:
users:x:100:
nogroup:x:65534:
alice:x:1001:
bob:x:1002:
dave:x:1003:
erin:x:1004:
frank:x:1005:
";
/// Of a password nobody has: the salt and the hash are all one letter.
const HASH: &str =
    "$6$aaaaaaaa$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const SUDOERS: &str = "\
Defaults env_reset
root ALL=(ALL:ALL) ALL
%sudo ALL=(ALL:ALL) ALL
";
const SSHD: &str = "\
PermitRootLogin no
PasswordAuthentication no
UsePAM no
StrictModes no
AuthorizedKeysFile .ssh/authorized_keys
";
const ACCESS: &str = "\
# who may log in
+:root:LOCAL
+:alice:ALL
+:bob:LOCAL
-:ALL:ALL
";

/// Puts the scratch files in the place of the real ones, then becomes the tool's shell.
const ENTER: &str = "\
for dir in etc home root var/mail var/log; do [ -d /$dir ] || mkdir -p /$dir; mount --bind \"$1/$dir\" /$dir; done
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
cd /root
HOME=/root exec sh -e \"$2\"";

/// The scratch directory.
pub struct Stage {
    /// What stands for `/`.
    pub root: PathBuf,
    dir: PathBuf,
}

impl Stage {
    /// Makes the files anew below a directory.
    pub fn build(dir: &Path) -> io::Result<Self> {
        drop(fs::remove_dir_all(dir));
        let stage = Self { root: dir.join("root"), dir: dir.to_owned() };
        for dir in ["etc/barrier", "etc/default", "etc/security", "etc/ssh/keys", "etc/sudoers.d", "etc/ssl"]
        {
            fs::create_dir_all(stage.root.join(dir))?;
        }
        for dir in ["home/shared", "root/bin", "var/mail", "var/log"] {
            fs::create_dir_all(stage.root.join(dir))?;
        }
        fs::set_permissions(stage.root.join("home/shared"), fs::Permissions::from_mode(0o1777))?;
        for name in COPIED {
            let (from, to) = (Path::new("/etc").join(name), stage.root.join("etc").join(name));
            let to = to.parent().unwrap_or(&stage.root);
            if from.exists() {
                Command::new("cp").arg("-a").arg(from).arg(to).status()?;
            }
        }
        let shadow: String =
            PASSWD.lines().filter_map(|line| line.split(':').next()).map(shadow_line).collect();
        let gshadow: String = GROUPS
            .lines()
            .filter_map(|line| line.split(':').next())
            .map(|name| format!("{name}:!::\n"))
            .collect();
        let ids = "alice:100000:65536\nbob:165536:65536\n";
        for (path, mode, text) in [
            ("etc/passwd", 0o644, PASSWD),
            ("etc/group", 0o644, GROUPS),
            ("etc/shadow", 0o640, &shadow),
            ("etc/gshadow", 0o640, &gshadow),
            ("etc/subuid", 0o644, ids),
            ("etc/subgid", 0o644, ids),
            ("etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nshadow: files\n"),
            ("etc/.pwd.lock", 0o600, ""),
            ("etc/default/useradd", 0o644, "SHELL=/bin/sh\n"),
            ("etc/sudoers", 0o440, SUDOERS),
            ("etc/ssh/sshd_config", 0o644, SSHD),
            ("etc/security/access.conf", 0o644, ACCESS),
        ] {
            stage.write(path, mode, text)?;
        }
        for name in ["alice", "bob", "dave", "erin", "frank"] {
            fs::create_dir(stage.root.join("home").join(name))?;
        }
        Ok(stage)
    }

    /// Makes or replaces one file; the path is below the stage's root.
    pub fn write(&self, path: &str, mode: u32, text: impl AsRef<[u8]>) -> io::Result<()> {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
    }

    /// Beside the root: what is not watched.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Runs a script where these files are the machine's. No process has it among its arguments.
    pub fn run(&self, script: &str) -> io::Result<Output> {
        let file = self.beside("script");
        fs::write(&file, script)?;
        Command::new("timeout")
            .args(["-k", "5", "60", "unshare", "-m", "sh", "-ec", ENTER, "sh"])
            .arg(&self.root)
            .arg(file)
            .env("LC_ALL", "C")
            .env_remove("SUDO_USER")
            .stdin(Stdio::null())
            .output()
    }

    /// Why nothing can be run here, if so.
    pub fn refused(&self) -> io::Result<Option<String>> {
        let output = match self.run("test -d /etc/barrier") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some("unshare is not installed".to_owned()));
            }
            output => output?,
        };
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok((!output.status.success()).then(|| format!("no mount namespace of its own: {reason}")))
    }
}

fn shadow_line(name: &str) -> String {
    let password = match name {
        "root" | "daemon" | "sshd" | "nobody" => "*",
        _ => HASH,
    };
    format!("{name}:{password}:19000:0:99999:7:::\n")
}
