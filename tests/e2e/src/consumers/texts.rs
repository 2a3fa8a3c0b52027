//! Editors and other ways to change a text, and access rules.

use super::case::{Case, case};
use super::finding::{Finding, finding};
use super::stage::Stage;
use std::io;

pub fn prepare(stage: &Stage) -> io::Result<()> {
    stage.write("etc/app.conf", 0o600, "user = app\npassword = opensesame\nlevel = 1\n")?;
    stage.write("etc/sudoers.d/deploy", 0o440, "deploy ALL=(root) /usr/bin/true\n")
}

/// Who becomes root and who logs in is decided there.
fn diff(action: &'static str, path: &str) -> Finding {
    finding("generic_diff", action, path, 70)
}

fn rules(severity: u64) -> Finding {
    finding("access", "updated", "etc/security/access.conf", severity)
}

pub fn cases() -> Vec<Case> {
    let mut all = editors();
    all.extend(access());
    all
}

fn editors() -> Vec<Case> {
    let sshd = "etc/ssh/sshd_config";
    vec![
        case("sed_sudoers", "sed -i 's/^%sudo.*/%sudo ALL=(ALL) NOPASSWD: ALL/' /etc/sudoers", [diff(
            "updated",
            "etc/sudoers",
        )
        .shows("-%sudo ALL=(ALL:ALL) ALL")
        .shows("+%sudo ALL=(ALL) NOPASSWD: ALL")
        .by(&["sed"])]),
        case(
            "vim_sshd",
            "vim -es -u NONE -c '%s/^PermitRootLogin no/PermitRootLogin yes/' -c wq /etc/ssh/sshd_config",
            [diff("updated", sshd)
                .shows("-PermitRootLogin no")
                .shows("+PermitRootLogin yes")
                .by(&["vim", "vim.basic", "vim.tiny"])],
        ),
        // Typed when it listens: ^K cuts the first line, ^O and Return write, ^X leaves.
        case(
            "nano_sshd",
            "mkfifo /run/keys; TERM=xterm script -qfc 'nano -I /etc/ssh/sshd_config' /run/screen < /run/keys > /dev/null &
             exec 3> /run/keys; until grep -q '\\^X' /run/screen 2> /dev/null; do sleep 0.02; done
             printf '\\013PermitRootLogin forced-commands-only\\r\\017\\r\\030' >&3; wait",
            [diff("updated", sshd)
                .shows("-PermitRootLogin yes")
                .shows("+PermitRootLogin forced-commands-only")
                .by(&["nano"])],
        )
        .needs(&["nano", "script", "vim"]),
        case(
            "visudo",
            "unset SUDO_EDITOR VISUAL; EDITOR='/usr/bin/sed -i s/env_reset/!env_reset/' visudo",
            [diff("updated", "etc/sudoers")
                .shows("-Defaults env_reset")
                .shows("+Defaults !env_reset")
                .by(&["visudo"])],
        ),
        case(
            "atomic_write",
            "cd /etc/sudoers.d; t=.ansible_tmpq1w2e3deploy
             cp -p deploy $t; echo 'deploy ALL=(root) NOPASSWD: ALL' > $t; sync $t; mv $t deploy",
            [diff("updated", "etc/sudoers.d/deploy")
                .shows("-deploy ALL=(root) /usr/bin/true")
                .shows("+deploy ALL=(root) NOPASSWD: ALL")
                .by(&["mv"])],
        )
        .needs(&["sync"]),
        case("new_sudoers", "umask 227; echo 'eve ALL=(ALL) ALL' > /etc/sudoers.d/eve", [diff(
            "created",
            "etc/sudoers.d/eve",
        )
        .shows("+eve ALL=(ALL) ALL")
        .by(&["sh"])])
        .needs(&[]),
        case("redacted", "sed -i 's/opensesame/abracadabra/; s/level = 1/level = 2/' /etc/app.conf", [
            finding("generic_diff", "updated", "etc/app.conf", 40)
                .shows("-password = [redacted]")
                .shows("+password = [redacted]")
                .shows("+level = 2")
                .by(&["sed"]),
        ])
        .needs(&["sed"]),
        case("ln_shadow", "ln -s /etc/shadow /home/shared/mine; ln -s /etc/sudoers /home/shared/more", [
            finding("generic", "created", "home/shared/mine", 10).by(&["ln"]),
            finding("generic", "created", "home/shared/more", 10).by(&["ln"]),
        ]),
        case("still_shadow", "sed -i 's/^root:\\*:19000/root:*:19001/' /etc/shadow", [finding(
            "users",
            "updated",
            "etc/shadow",
            10,
        )
        .says("last_change user=root before=2022-01-08 after=2022-01-09")
        .by(&["sed"])])
        .needs(&["sed"]),
    ]
}

fn access() -> Vec<Case> {
    vec![
        case(
            "access_append",
            "echo '+:erin:LOCAL' >> /etc/security/access.conf",
            [rules(40)
                .says("rule_added permission=grant users=[\"erin\"] origins=[\"LOCAL\"] position=5")
                .says("shadowed permission=grant users=[\"erin\"] by_rule=-:ALL:ALL by_line=5")
                .by(&["sh"])],
        )
        .needs(&[]),
        case(
            "access_move",
            "sed -i -e '5{h;d}' -e '6G' /etc/security/access.conf",
            [rules(70)
                .says("rule_moved permission=deny users=[\"ALL\"] from=4 to=5")
                .says("access_granted who=[\"erin\"] from=[\"LOCAL\"] rule=+:erin:LOCAL")
                .by(&["sed"])],
        )
        .needs(&["sed"]),
        case(
            "access_open",
            "sed -i '/^-:ALL:ALL/d' /etc/security/access.conf",
            [rules(90)
                .says("rule_removed permission=deny users=[\"ALL\"] origins=[\"ALL\"] position=5")
                // Anyone else, from anywhere; and root, bob and erin from where they were not.
                .says("access_granted from=[\"ALL\"] rule=none")
                .says("access_granted rule=none")
                .by(&["sed"])],
        )
        .needs(&["sed"]),
    ]
}
