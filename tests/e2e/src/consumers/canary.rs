//! Secrets that are put where `fim` sees them, and looked for in all it leaves: what it prints and logs, its
//! state, and its memory. In clear, in hexadecimal and in base64; and hashes from which they could be guessed.

use super::Fim;
use super::case::since_last;
use super::stage::Stage;
use crate::score::Score;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use rustix::process::Signal;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

/// Something to look for.
struct Secret {
    name: String,
    bytes: Vec<u8>,
}

fn secret(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Secret {
    Secret { name: name.into(), bytes: bytes.into() }
}

/// By words that only this file has.
const PLAIN: &str = "canary-plain-Xq7Zk2Vw";
const REDACTED: &str = "canary-redacted-Pf3Lm9Tc";
const REDACTED_LATER: &str = "canary-redacted-Hd5Rb8Yn";
const OPTION: &str = "canary-option-Jg4Ws6Qe";
const ASSIGNED: &str = "canary-assigned-Bt1Nc7Mx";
const ADDRESS: &str = "canary-address-Uv8Ks3Dz";
const ENVIRONMENT: &str = "canary-environment-Ra6Fj2Gp";
const GITHUB: &str = "ghp_CanaryCanary0123456789abcdefghijklmn";
const HASH: &str =
    "$6$canarysalt$canaryhashcanaryhashcanaryhashcanaryhashcanaryhashcanaryhashcanaryhash12345";
/// As old systems have it, without a sign of what it is.
const DES: &str = "caNaRyDeSw.4k";

pub fn run(program: &str, watcher: &str, dir: &Path, score: &mut Score) -> io::Result<()> {
    let stage = Stage::build(dir)?;
    super::keys::prepare(&stage)?;
    stage.write("etc/app.conf", 0o600, format!("user = app\npassword = {REDACTED}\n"))?;
    let mut fim = Fim::new(program, watcher, &stage)?;
    fim.log = "trace";
    let mut agent = fim.start(&stage)?;

    let mut secrets = vec![
        secret("a redacted line", REDACTED),
        secret("a redacted line that came later", REDACTED_LATER),
        secret("the value of an option", OPTION),
        secret("the value of a variable in an argument", ASSIGNED),
        secret("a password in an address", ADDRESS),
        secret("the environment of a writer", ENVIRONMENT),
        secret("a token known by its form", GITHUB),
        secret("a password hash", HASH),
        secret("the end of a password hash", HASH.rsplit('$').next().unwrap_or_default()),
        secret("an old password hash", DES),
        secret("a password", PLAIN),
    ];
    let mut ran = 0;
    for script in scripts() {
        let output = stage.run(&script)?;
        if output.status.success() {
            ran += 1;
        } else {
            let stderr = String::from_utf8_lossy(&output.stderr);
            score.skip("canary", &format!("{}: {stderr}", script.lines().next().unwrap_or_default()));
        }
        // What could be guessed by a hash of the whole.
        for path in ["etc/shadow", "etc/gshadow", "etc/app.conf", "etc/ssh/ssh_host_ed25519_key"] {
            if let Ok(content) = fs::read(stage.root.join(path)) {
                secrets.push(secret(format!("the hash of {path}"), *blake3::hash(&content).as_bytes()));
            }
        }
        since_last(&stage, &mut agent)?;
    }
    let shadow = fs::read_to_string(stage.root.join("etc/shadow"))?;
    let hashes = shadow.lines().filter_map(|line| line.split(':').nth(1)).filter(|it| it.len() > 13);
    secrets.extend(
        hashes.map(|hash| secret("a hash of the shadow file", hash.rsplit('$').next().unwrap_or(hash))),
    );
    if let Ok(key) = fs::read_to_string(stage.root.join("etc/ssh/ssh_host_ed25519_key")) {
        let body: Vec<&str> = key.lines().filter(|line| !line.starts_with('-')).collect();
        // The first line is the same in every key.
        secrets.extend(body.iter().skip(1).map(|line| secret("a line of a private key", *line)));
        // What comes first is a header and the public key.
        let bytes = STANDARD.decode(body.concat()).map_err(io::Error::other)?;
        let private = bytes.chunks(24).skip(6).filter(|chunk| chunk.len() == 24);
        secrets.extend(private.map(|chunk| secret("bytes of a private key", chunk)));
    }

    // As if it had crashed: a debugger of root's could read the files themselves.
    let (status, lines) = agent.stop(Signal::ABORT)?;
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    fs::write(stage.beside("lines"), text.join("\n") + "\n")?;
    let told = lines.iter().filter(|line| line["event"]["kind"] == "event").count();
    score.say("canary_told", if told >= ran { Ok(()) } else { Err(format!("{told} lines for {ran} acts")) });
    score.say("canary_lines", clean(&secrets, &[stage.beside("lines")]));
    score.say("canary_log", clean(&secrets, &[stage.beside("stderr")]));
    score.say("canary_state", clean(&secrets, &files(&stage.beside("state"))?));
    // `core` or `core.PID`.
    let names = fs::read_dir(stage.beside(""))?.filter_map(|entry| Some(entry.ok()?.path()));
    let cores: Vec<PathBuf> = names
        .filter(|path| path.display().to_string().rsplit('/').next().is_some_and(|it| it.starts_with("core")))
        .collect();
    let dumped = status.core_dumped() || !cores.is_empty();
    score.say("canary_core", if dumped { Err(format!("{status}: {cores:?}")) } else { Ok(()) });
    cores.iter().try_for_each(fs::remove_file)?;
    Ok(())
}

/// What puts them where they may be seen.
fn scripts() -> Vec<String> {
    vec![
        format!("echo 'alice:{PLAIN}' | chpasswd -c SHA512"),
        format!("usermod -p '{HASH}' erin"),
        format!("groupmod -p '{HASH}' staff"),
        format!("echo 'password = {REDACTED_LATER}' > /etc/app.conf"),
        format!("sh -c 'echo \"# 1\" >> /etc/sudoers' sh --password {OPTION}"),
        format!("sh -c 'echo \"# 2\" >> /etc/sudoers' sh DB_PASSWORD={ASSIGNED}"),
        format!("sh -c 'echo \"# 3\" >> /etc/sudoers' sh https://admin:{ADDRESS}@host/ {GITHUB}"),
        format!("API_TOKEN={ENVIRONMENT} sh -c 'echo \"# 4\" >> /etc/sudoers'"),
        format!("echo 'token = {GITHUB}' >> /etc/app.conf"),
        "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key".to_owned(),
        "cat /etc/ssh/ssh_host_ed25519_key >> /etc/app.conf".to_owned(),
        format!("sed -i 's|^erin:x:|erin:{HASH}:|' /etc/passwd"),
        // No form tells this one from a word but its place in a file: it is no argument here.
        format!("printf '%s' 's|^erin:[^:]*:|erin:{DES}:|' | sed -i -f /dev/stdin /etc/passwd"),
        format!("sed -i 's|^\\(erin:.*:\\)Erin[^:]*|\\1{HASH}|' /etc/passwd"),
        // Lines that are not what they should be.
        format!("echo 'nobody-knows {HASH}' >> /etc/shadow; echo '{PLAIN}' >> /etc/gshadow"),
        format!(
            "echo 'environment=\"TOKEN={ENVIRONMENT}\" {}' >> /home/alice/.ssh/authorized_keys",
            super::keys::THREE.trim_end()
        ),
    ]
}

fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        match fs::symlink_metadata(&path)?.file_type() {
            kind if kind.is_dir() => all.extend(files(&path)?),
            kind if kind.is_file() => all.push(path),
            _ => {}
        }
    }
    Ok(all)
}

fn clean(secrets: &[Secret], files: &[PathBuf]) -> Result<(), String> {
    for file in files {
        let content = fs::read(file).map_err(|error| error.to_string())?;
        for secret in secrets {
            for (form, needle) in forms(&secret.bytes) {
                if let Some(at) = find(&content, &needle) {
                    let name = &secret.name;
                    return Err(format!("{name}, in {form}, is in {} at {at}", file.display()));
                }
            }
        }
    }
    Ok(())
}

/// As it may have been written; in base64 by each place it may have in a longer text.
fn forms(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        ("clear", bytes.to_vec()),
        ("hexadecimal", hex.clone().into()),
        ("hexadecimal", hex.to_uppercase().into()),
    ];
    for engine in [&STANDARD, &URL_SAFE] {
        for shift in 0..3 {
            let shifted = [&b"xx"[..shift], bytes].concat();
            let text = engine.encode(shifted);
            // The edges depend on what is around.
            let whole = text.trim_end_matches('=');
            forms.push(("base64", whole.as_bytes()[4..whole.len() - 3].to_vec()));
        }
    }
    forms
}

fn find(content: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut from = 0;
    while let Some(at) = content[from..].iter().position(|byte| byte == first) {
        let after = from + at + 1;
        if content[after..].starts_with(rest) {
            return Some(after - 1);
        }
        from = after;
    }
    None
}
