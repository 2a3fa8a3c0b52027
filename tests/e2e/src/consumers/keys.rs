//! Who may log in with which key: tools that add keys, and the ways in which other files come to count.

use super::case::{Case, case};
use super::finding::{Finding, finding};
use super::stage::Stage;
use std::io;
use std::net::TcpListener;

/// Public halves of keys nobody has.
pub const ONE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICNncL/PneLxmi9w8Bo6zG8WC+/KC46LAqCV8efG7cAG one\n";
pub const TWO: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF5M6yid/MIbI+Z1/zrM5M6ywai8ARnnkjRO9W4uW5OQ two\n";
pub const THREE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPD43OU7tWCXPOEgvq0OHyq/jjG36p2v05YFq1EclJi9 three\n";
const FINGERPRINT_OF_ONE: &str = "SHA256:hiJ/DByvP0vNR+ANJGMttPlO8wgaUluWw0OZ6aLOIlU";

/// Keys that are there before anyone looks, and what sshd needs to run.
pub fn prepare(stage: &Stage) -> io::Result<()> {
    stage.write("home/alice/.ssh/authorized_keys", 0o600, ONE)?;
    stage.write("home/frank/.ssh/authorized_keys", 0o600, TWO)?;
    stage.write("etc/ssh/keys/bob", 0o644, TWO)?;
    stage.write("root/keys/of-bob", 0o644, TWO)?;
    stage.write("home/erin/.ssh/config", 0o600, "")?;
    stage.write("etc/skel-with-keys/.ssh/authorized_keys", 0o600, THREE)?;
    stage.run(
        "for user in alice bob dave erin frank; do chown -R $user:$user /home/$user; done
         command -v ssh-keygen > /dev/null || exit 0
         mkdir -m 700 -p /root/keys
         ssh-keygen -q -t ed25519 -N '' -f /root/keys/host
         ssh-keygen -q -t ed25519 -N '' -C known -f /root/keys/known
         ssh-keygen -q -t ed25519 -N '' -C copied -f /root/keys/copied
         cat /root/keys/known.pub >> /home/alice/.ssh/authorized_keys",
    )?;
    Ok(())
}

fn keys(action: &'static str, path: &str, severity: u64) -> Finding {
    finding("users", action, path, severity)
}

pub fn cases() -> io::Result<Vec<Case>> {
    let alice = "home/alice/.ssh/authorized_keys";
    // Free now; nobody else on the loopback is in a hurry for it.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let copy = format!(
        "/usr/sbin/sshd -h /root/keys/host -p {port} -o ListenAddress=127.0.0.1 -o PidFile=/run/sshd.pid
         trap 'kill $(cat /run/sshd.pid)' EXIT
         mkdir -m 700 /root/.ssh
         ssh-copy-id -f -i /root/keys/copied.pub -p {port} -o IdentityFile=/root/keys/known \
         -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes alice@127.0.0.1 > /dev/null"
    );
    Ok(vec![
        case(
            "ssh-keygen",
            "ssh-keygen -q -t ed25519 -N '' -C made -f /root/keys/made
             cat /root/keys/made.pub >> /home/alice/.ssh/authorized_keys",
            [keys("updated", alice, 70)
                .says("key_added user=alice type=ssh-ed25519 comment=made")
                .by(&["cat", "sh"])],
        ),
        case("ssh-copy-id", copy, [keys("updated", alice, 70)
            .says("key_added user=alice type=ssh-ed25519 comment=copied")
            .by(&["cat", "sh"])])
        .needs(&["/usr/sbin/sshd", "ssh", "ssh-copy-id"]),
        case(
            "key_for_root",
            // No directory of keys was there when the watch began.
            format!("umask 077; mkdir -p /root/.ssh; echo '{}' > /root/.ssh/authorized_keys", THREE.trim_end()),
            [keys("created", "root/.ssh/authorized_keys", 90)
                .says("key_added type=ssh-ed25519 comment=three users=[\"root\",\"toor\"]")
                .by(&["sh"])],
        )
        .needs(&["useradd"]),
        case(
            "key_options",
            format!(
                "f=/home/alice/.ssh/authorized_keys; {{ grep -v ' one$' $f; echo 'command=\"/bin/true\" {}'; }} > /run/k; \
                 cp /run/k $f",
                ONE.trim_end()
            ),
            [keys("updated", alice, 40).says(format!(
                "key_options user=alice fingerprint={FINGERPRINT_OF_ONE} before=[] \
                 after=[\"command=\\\"/bin/true\\\"\"]"
            )).says("order").by(&["cp"])],
        )
        .needs(&["grep"]),
        case("mv_away", format!("mv /{alice} /{alice}.off"), [keys("deleted", alice, 40)
            .says("key_removed user=alice comment=one")
            .says("key_removed user=alice comment=made")
            .says("key_removed user=alice comment=copied")
            .says("key_removed user=alice comment=known")
            .by(&["mv"])]),
        case("mv_back", format!("mv /{alice}.off /{alice}"), [keys("created", alice, 70)
            .says("key_added user=alice comment=one")
            .says("key_added user=alice comment=made")
            .says("key_added user=alice comment=copied")
            .says("key_added user=alice comment=known")
            .by(&["mv"])]),
        also_in("AuthorizedKeysFile", ".ssh/authorized_keys", ".ssh/authorized_keys /root/keys/of-%u").finding(
            keys("created", "root/keys/of-bob", 70).says("key_added user=bob type=ssh-ed25519 comment=two"),
        ),
        case(
            "key_in_new_file",
            format!("echo '{}' >> /root/keys/of-bob", THREE.trim_end()),
            [keys("updated", "root/keys/of-bob", 70)
                .says("key_added user=bob type=ssh-ed25519 comment=three")
                .by(&["sh"])],
        )
        .needs(&["sed"]),
        also_in("AuthorizedKeysFile_known", "/root/keys/of-%u", "/etc/ssh/keys/%u")
            .finding(keys("updated", "etc/ssh/keys/bob", 70).says("key_added user=bob comment=two")),
        case(
            "key_in_known_file",
            format!("echo '{}' >> /etc/ssh/keys/bob", THREE.trim_end()),
            [keys("updated", "etc/ssh/keys/bob", 70)
                .says("key_added user=bob type=ssh-ed25519 comment=three")
                .by(&["sh"])],
        )
        .needs(&["sed"]),
        case(
            "home_with_keys",
            "useradd -m -u 2002 -U -k /etc/skel-with-keys grace",
            [
                keys("updated", "etc/passwd", 40).says("account_created user=grace uid=2002"),
                keys("updated", "etc/shadow", 40).says("password_entry_added user=grace"),
                keys("updated", "etc/group", 40).says("group_created group=grace"),
                keys("updated", "etc/gshadow", 40).says("group_password_entry_added group=grace"),
                finding("generic", "updated", "etc/subuid", 40),
                finding("generic", "updated", "etc/subgid", 40),
                // Whether the home was made before or after it was watched is a matter of speed: so is the actor.
                keys("created", "home/grace/.ssh/authorized_keys", 70)
                    .says("key_added user=grace type=ssh-ed25519 comment=three"),
            ],
        )
        .needs(&["useradd"]),
        case(
            "mv_to_another",
            "mv /home/grace/.ssh/authorized_keys /home/erin/.ssh/authorized_keys",
            [keys("moved", "home/erin/.ssh/authorized_keys", 90)
                .says("key_added user=erin comment=three")
                .says("key_removed user=grace comment=three")
                .by(&["mv"])],
        )
        .needs(&["useradd"]),
        case("mv_of_directory", "mv /home/erin/.ssh /home/dave/.ssh", [keys(
            "moved",
            "home/dave/.ssh/authorized_keys",
            70,
        )
        .says("key_added user=dave comment=three")
        .says("key_removed user=erin comment=three")
        .by(&["mv"])])
        .needs(&["useradd"]),
    ])
}

/// Another file counts: sshd's configuration says so.
fn also_in(name: &'static str, from: &str, to: &str) -> Case {
    let script = format!("sed -i '/^AuthorizedKeysFile/s: {from}$: {to}:' /etc/ssh/sshd_config");
    case(name, script, [finding("generic_diff", "updated", "etc/ssh/sshd_config", 70).by(&["sed"])])
        .needs(&["sed"])
}
