//! Lines good and bad, and fingerprints against those of ssh-keygen.

use super::parse;
use crate::parse::ssh_key::{PublicKey, fingerprint};
use std::io::Write;
use std::process::{Command, Stdio};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHIy0GHh2/9pDRrFwS8c8d2IbiNo4sDBssnIU6Zfi8KY";
/// What `ssh-keygen -l` prints of a key, and the key, by turns.
const KEYS: &str = include_str!("../../tests/golden/users/keys.txt");

fn shown(text: &str) -> (Vec<String>, Vec<u32>) {
    let keys = parse(text.as_bytes());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let entries = keys.entries.iter().map(|entry| {
        let options: Vec<_> = entry.options.iter().map(|option| text(option)).collect();
        format!("{}|{}|{}", options.join(";"), text(entry.kind), text(entry.comment))
    });
    (entries.collect(), keys.odd.iter().map(|odd| odd.line).collect())
}

#[test]
fn lines_good_and_bad() {
    for (line, entry) in [
        ("KEY", Some("|ssh-ed25519|")),
        (" \tKEY  a b \r", Some("|ssh-ed25519|a b")),
        ("restrict KEY c", Some("restrict|ssh-ed25519|c")),
        ("from=\"a,b\",no-pty  KEY", Some("from=\"a,b\";no-pty|ssh-ed25519|")),
        ("command=\"echo \\\" x, y\",pty KEY", Some("command=\"echo \\\" x, y\";pty|ssh-ed25519|")),
        (",, KEY", Some("|ssh-ed25519|")),
        ("# KEY", None),
        ("", None),
    ] {
        let (entries, odd) = shown(&line.replace("KEY", KEY));
        assert_eq!((entries.first().map(String::as_str), odd), (entry, vec![]), "{line}");
    }
    for line in [
        "ssh-ed25519",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIHIy0GHh2/9pDRrFwS8c8d2IbiNo4sDBssnIU6Zfi8KY",
        "from=\"KEY",
        "a b KEY",
        "1024 35 12345 x",
        " AAAA AAAA",
    ] {
        assert_eq!(shown(&line.replace("KEY", KEY)), (vec![], vec![1]), "{line}");
    }
}

#[test]
fn a_type_that_is_not_known_is_a_key_too() {
    use base64::Engine;
    let blob = [&[0, 0, 0, 7][..], b"ssh-new", &[0, 0, 0, 1, 9]].concat();
    let base64 = base64::engine::general_purpose::STANDARD.encode(blob);
    let key = PublicKey::parse(b"ssh-new", base64.as_bytes()).unwrap();
    assert_eq!(key.bits, None);
}

#[test]
fn fingerprints_are_those_of_ssh_keygen() {
    let lines: Vec<&str> = KEYS.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() >= 30);
    for pair in lines.chunks(2) {
        let keys = parse(pair[1].as_bytes());
        let [entry] = keys.entries.as_slice() else { panic!("{}", pair[1]) };
        let comment = String::from_utf8_lossy(entry.comment);
        let ours = format!("{} {} {comment}", entry.key.bits.unwrap(), fingerprint(&entry.key.sha256));
        assert_eq!(ours, pair[0].rsplit_once(' ').unwrap().0);
    }
}

#[test]
fn the_samples_are_what_ssh_keygen_prints_here() {
    let Ok(mut tool) = Command::new("ssh-keygen")
        .args(["-l", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
    else {
        println!("skipped: ssh-keygen is not here");
        return;
    };
    // Later versions no longer know DSA.
    let keys = KEYS.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
    let keys: Vec<_> = keys.chunks(2).filter(|pair| !pair[1].starts_with("ssh-dss")).collect();
    let text: String = keys.iter().map(|pair| format!("{}\n", pair[1])).collect();
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let printed = String::from_utf8(tool.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(printed.lines().collect::<Vec<_>>(), keys.iter().map(|pair| pair[0]).collect::<Vec<_>>());
}
