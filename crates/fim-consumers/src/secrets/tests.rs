//! Tables of names and contents, and a measurement to be run by hand.

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

const BODY: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n";

#[test]
fn by_content() {
    for (text, secret) in [
        (format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY}"), true),
        (format!("  -----BEGIN PRIVATE KEY-----\r\n  {BODY}"), true),
        (format!("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\n{BODY}"), true),
        (format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{BODY}"), true),
        (format!("{{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\n{BODY}"), true),
        (format!("{BODY}-----END RSA PRIVATE KEY-----\n"), true),
        // The piece ends here; the next one has the rest.
        ("-----BEGIN EC PRIVATE KEY-----\n".to_owned(), true),
        ("PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 3\n".to_owned(), true),
        ("AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQ".to_owned(), true),
        // What ssh-keygen(1) and libcrypto have in them.
        ("-----BEGIN OPENSSH PRIVATE KEY-----\n\0-----END OPENSSH PRIVATE KEY-----\n\0".to_owned(), false),
        ("-----BEGIN \0-----END \0PRIVATE KEY\0RSA PRIVATE KEY\0ENCRYPTED PRIVATE KEY\0".to_owned(), false),
        (format!("-----BEGIN CERTIFICATE-----\n{BODY}-----END CERTIFICATE-----\n"), false),
        (format!("-----BEGIN PUBLIC KEY-----\n{BODY}-----END PUBLIC KEY-----\n"), false),
        ("root:$y$j9T$qSGcgQ/dcCBsw7E3xTG8E0$4JDVqIe2O2OeFo4:19000:0:99999:7:::\n".to_owned(), true),
        ("root:$6$saltsalt$abcdefghijklmnop:19000:0:99999:7:::".to_owned(), true),
        ("root:$6$s$h:19000:0:99999:7:::".to_owned(), true),
        ("x\nroot:!$5$salt$abcdefghijklmnop:1::::::\n".to_owned(), true),
        ("bob:abJnggxhB/yWI:19000:0:99999:7:::\n".to_owned(), true),
        ("bob:abJnggxhB/yWI:1000:1000:Bob:/home/bob:/bin/sh\n".to_owned(), true),
        ("bob:_J9..CCCCXBrJUJV154M:1000:1000::/:/bin/sh".to_owned(), true),
        ("passwd: $2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW".to_owned(), true),
        ("h: $argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaGhhc2g".to_owned(), true),
        ("userPassword: {SSHA}pKqkNr1tq3wtQqk+UcPyA3HnA2NsU5NJ".to_owned(), true),
        ("root:x:0:0:root:/root:/bin/bash\n".to_owned(), false),
        ("root:*:19000:0:99999:7:::\n".to_owned(), false),
        // What minified scripts and libcrypt have in them.
        ("return this$1$1.options,$1$1.modifierOptions$1$$$$$$$$$$$$".to_owned(), false),
        ("\0$2a$00$abcdefghijklmnopqrstuu\0i1D709v".to_owned(), false),
        ("echo $1$2$3 ${HOME}:$PATH".to_owned(), false),
        ("password = hunter2".to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(looks_secret(text.as_bytes()), secret, "{text:?}");
    }
}

#[test]
fn a_rule_for_each_file() {
    let redactor = Redactor::parse(&["pin=(.*)"]).unwrap();
    let rule = rule(vec![redactor], |path| path.starts_with("/etc/app").then_some(0));
    let key = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY}");
    for (path, piece, keyed) in [
        ("/etc/shadow", "", true),
        ("/etc/other", "", false),
        ("/etc/other", "password = x", false),
        ("/etc/other", key.as_str(), true),
        ("/etc/app/c", "", false),
        ("/etc/app/c", "password = x", true),
        ("/etc/app/c", "pin=1", true),
        ("/etc/app/c", "plain", false),
    ] {
        assert_eq!(rule(Path::new(path), piece.as_bytes()), keyed, "{path} {piece}");
    }
}

/// Megabytes a second over a file in the pieces the reader takes: `FIM_MEASURE=FILE cargo test --release -p
/// fim-consumers measure -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn measure() {
    let file = std::env::var_os("FIM_MEASURE").unwrap_or_else(|| "/proc/self/exe".into());
    let bytes = std::fs::read(file).unwrap();
    let start = std::time::Instant::now();
    let mut found = 0;
    let rounds = 1 + 200_000_000 / bytes.len();
    for _ in 0..rounds {
        found += bytes.chunks(128 * 1024).filter(|piece| looks_secret(std::hint::black_box(piece))).count();
    }
    let megabytes = (bytes.len() * rounds) as f64 / 1e6;
    println!("{:.0} MB/s, {} secret pieces", megabytes / start.elapsed().as_secs_f64(), found / rounds);
}
