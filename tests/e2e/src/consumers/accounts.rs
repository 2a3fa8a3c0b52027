//! The tools of the package passwd, and what they come to.

use super::case::{Case, case};
use super::finding::{Finding, finding};

fn updated(file: &str, severity: u64) -> Finding {
    finding("users", "updated", format!("etc/{file}"), severity)
}

/// A file of which nothing is said but that it is another.
fn other(file: &str) -> Finding {
    finding("generic", "updated", format!("etc/{file}"), 40)
}

pub fn cases() -> Vec<Case> {
    let mut all = created_and_removed();
    all.extend(modified());
    all.extend(groups());
    all.extend(passwords());
    all.extend(by_editor());
    all
}

fn created_and_removed() -> Vec<Case> {
    let by: &[&str] = &["useradd"];
    let gone: &[&str] = &["userdel"];
    vec![
        case("useradd", "useradd -m -u 2001 -U carol", [
            updated("passwd", 40)
                .says("account_created user=carol uid=2001 gid=2001 home=/home/carol shell=/bin/sh login=true")
                .by(by),
            updated("shadow", 40).says("password_entry_added user=carol password=none").by(by),
            updated("group", 40).says("group_created group=carol gid=2001 members=[]").by(by),
            updated("gshadow", 40).says("group_password_entry_added group=carol password=none").by(by),
            other("subuid").by(by),
            other("subgid").by(by),
        ]),
        case("useradd_second_root", "useradd -o -u 0 -g 0 -M -d /root -s /bin/sh toor", [
            updated("passwd", 90)
                .says("account_created user=toor uid=0 gid=0 group=root home=/root")
                .says(r#"duplicate_uid uid=0 before=null after=["root","toor"]"#)
                .by(by),
            updated("shadow", 40).says("password_entry_added user=toor password=none").by(by),
            other("subuid").by(by),
            other("subgid").by(by),
        ]),
        case("userdel_r", "userdel -r frank 2>/dev/null", [
            updated("passwd", 40).says("account_removed user=frank uid=1005 home=/home/frank").by(gone),
            updated("shadow", 40).says("password_entry_removed user=frank").by(gone),
            updated("group", 40).says("group_removed group=frank gid=1005").by(gone),
            updated("gshadow", 40).says("group_password_entry_removed group=frank").by(gone),
            finding("users", "deleted", "home/frank/.ssh/authorized_keys", 40)
                .says("key_removed user=frank type=ssh-ed25519 comment=two")
                .by(gone),
        ]),
    ]
}

fn modified() -> Vec<Case> {
    let by: &[&str] = &["usermod"];
    let passwd = |severity, change: &str| [updated("passwd", severity).says(change).by(by)];
    vec![
        case("usermod_u", "usermod -u 2100 dave", passwd(70, "uid user=dave before=1003 after=2100")),
        case(
            "usermod_g",
            "usermod -g staff dave",
            passwd(70, "gid user=dave before=1003 after=50 group_before=dave group=staff"),
        ),
        case(
            "usermod_s_nologin",
            "usermod -s /usr/sbin/nologin dave",
            [updated("passwd", 40)
                .says("shell user=dave before=/bin/sh after=/usr/sbin/nologin login=false")
                .by(by)],
        ),
        case(
            "usermod_s_shell",
            "usermod -s /bin/sh dave",
            [updated("passwd", 70)
                .says("shell user=dave before=/usr/sbin/nologin after=/bin/sh login=true")
                .by(by)],
        ),
        case(
            "usermod_d",
            "usermod -d /home/elsewhere dave",
            passwd(40, "home user=dave before=/home/dave after=/home/elsewhere"),
        ),
        case(
            "usermod_l",
            "usermod -l david dave",
            [
                updated("passwd", 40).says("account_renamed before=dave after=david uid=2100").by(by),
                updated("shadow", 40).says("password_entry_renamed before=dave after=david").by(by),
                other("subuid").maybe(),
                other("subgid").maybe(),
            ],
        ),
        case(
            "usermod_L",
            "usermod -L erin",
            [updated("shadow", 40).says("password_locked user=erin").by(by)],
        ),
        case(
            "usermod_U",
            "usermod -U erin",
            [updated("shadow", 40).says("password_unlocked user=erin").by(by)],
        ),
        case(
            "usermod_aG_sudo",
            "usermod -aG sudo erin",
            [
                updated("group", 70).says("member_added group=sudo user=erin").by(by),
                updated("gshadow", 70).says("member_added group=sudo user=erin").by(by),
            ],
        ),
    ]
}

fn groups() -> Vec<Case> {
    let both = |severity, group: &str, gshadow: &str, by| {
        [updated("group", severity).says(group).by(by), updated("gshadow", severity).says(gshadow).by(by)]
    };
    let gpasswd: &[&str] = &["gpasswd"];
    vec![
        case(
            "groupadd",
            "groupadd -g 3000 deploy",
            both(
                40,
                "group_created group=deploy gid=3000",
                "group_password_entry_added group=deploy",
                &["groupadd"],
            ),
        ),
        case(
            "gpasswd_a",
            "gpasswd -a alice deploy",
            both(40, "member_added group=deploy user=alice", "member_added group=deploy user=alice", gpasswd),
        ),
        case(
            "gpasswd_A",
            "gpasswd -A bob deploy",
            [updated("gshadow", 40).says("group_admin_added group=deploy user=bob").by(gpasswd)],
        ),
        case(
            "gpasswd_d",
            "gpasswd -d alice deploy",
            both(
                40,
                "member_removed group=deploy user=alice",
                "member_removed group=deploy user=alice",
                gpasswd,
            ),
        ),
        case(
            "groupmod_n",
            "groupmod -n release deploy",
            [
                updated("group", 40)
                    .says("group_renamed before=deploy after=release gid=3000")
                    .by(&["groupmod"]),
                // Nothing in this file says that it is the same group.
                updated("gshadow", 40)
                    .says("group_password_entry_removed group=deploy")
                    .says("group_password_entry_added group=release admins=[\"bob\"]")
                    .by(&["groupmod"]),
            ],
        ),
        case(
            "groupdel",
            "groupdel release",
            both(
                40,
                "group_removed group=release gid=3000",
                "group_password_entry_removed group=release",
                &["groupdel"],
            ),
        ),
    ]
}

fn passwords() -> Vec<Case> {
    let passwd: &[&str] = &["passwd"];
    let shadow = |severity, change: &str, by| [updated("shadow", severity).says(change).by(by)];
    vec![
        case("passwd_l", "passwd -l bob", shadow(40, "password_locked user=bob", passwd)),
        case("passwd_u", "passwd -u bob", shadow(40, "password_unlocked user=bob", passwd)),
        case("passwd_d", "passwd -d bob", shadow(90, "password_emptied user=bob", passwd)),
        case(
            "chpasswd",
            "echo 'bob:correct horse' | chpasswd -c SHA256",
            [updated("shadow", 40)
                .says("password_set user=bob scheme=sha256")
                .says("last_change user=bob before=2022-01-08")
                .by(&["chpasswd"])],
        ),
        case(
            "chpasswd_stronger",
            "echo 'bob:battery staple' | chpasswd -c SHA512",
            [updated("shadow", 40)
                .says("password_changed user=bob scheme=sha512")
                .says("password_scheme user=bob before=sha256 after=sha512 downgrade=false")
                .by(&["chpasswd"])],
        ),
        case(
            "chpasswd_weaker",
            "echo 'bob:battery staple' | chpasswd -c MD5",
            [updated("shadow", 70)
                .says("password_changed user=bob scheme=md5")
                .says("password_scheme user=bob before=sha512 after=md5 downgrade=true")
                .by(&["chpasswd"])],
        ),
        case(
            "chage_E",
            "chage -E 2030-01-01 bob",
            shadow(40, "expires user=bob before=null after=2030-01-01", &["chage"]),
        ),
        case(
            "chage_d_0",
            "chage -d 0 bob",
            [updated("shadow", 40)
                .says("password_expired user=bob")
                .says("last_change user=bob after=1970-01-01")
                .by(&["chage"])],
        ),
        case(
            "chmod_shadow",
            "chmod 644 /etc/shadow",
            [finding("users", "attributes_modified", "etc/shadow", 70)
                .says("mode before=0640 after=0644")
                .by(&["chmod"])],
        ),
    ]
}

fn by_editor() -> Vec<Case> {
    let edit = |tool: &str, from: &str, to: &str| {
        format!("unset VISUAL; EDITOR='sed -i s/{from}/{to}/' {tool} > /dev/null")
    };
    vec![
        case(
            "vipw",
            edit("vipw", "^erin:x:1004:", "erin:x:0:"),
            [updated("passwd", 90)
                .says("uid user=erin before=1004 after=0")
                .says(r#"duplicate_uid uid=0 before=["root","toor"] after=["root","erin","toor"]"#)
                .by(&["vipw"])],
        )
        .allows("etc/passwd.edit"),
        case(
            "vigr",
            edit("vigr", "^sudo:x:27:erin", "sudo:x:27:erin,bob"),
            [updated("group", 70).says("member_added group=sudo user=bob").by(&["vigr", "vipw"])],
        )
        .allows("etc/group.edit"),
    ]
}
