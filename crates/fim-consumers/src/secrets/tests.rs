//! Tables of names and contents, and contents cut anywhere.

use super::*;
use fim_core::{Limits, Need, Reader};
use proptest::prelude::*;
use std::fs;

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
        ("bob:rqXexS6ZhobKA\n".to_owned(), true),
        ("a:x\nbob:rqXexS6ZhobKA".to_owned(), true),
        ("a:b:rqXexS6ZhobKA\n".to_owned(), false),
        ("name:administrato\n".to_owned(), false),
        ("at: 2026-11-30T10\nx:2026-11-30T10\n".to_owned(), false),
        ("bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n".to_owned(), true),
        ("userPassword: {MD5}X03MO1qnZdYdgyfeuILPmQ==\n".to_owned(), true),
        ("class {SHA256}\n{sha}".to_owned(), false),
        (
            "password_pbkdf2 root grub.pbkdf2.sha512.10000.0123456789ABCDEF0123.0123456789ABCDEF".to_owned(),
            true,
        ),
        ("grub.pbkdf2.sha512.%d.%s\0grub.pbkdf2.sha512.".to_owned(), false),
        ("\"bob\" \"SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$x:y\"".to_owned(), true),
        ("SCRAM-SHA-256-PLUS SCRAM-SHA-1$%d:".to_owned(), false),
        ("root:x:0:0:root:/root:/bin/bash\n".to_owned(), false),
        ("root:*:19000:0:99999:7:::\n".to_owned(), false),
        ("bob,$6$saltsalt$abcdefghijklmnop,1\n".to_owned(), true),
        // What minified scripts and libcrypt have in them.
        ("return this$1$1.options,$1$1.modifierOptions$1$$$$$$$$$$$$".to_owned(), false),
        ("\0$2a$00$abcdefghijklmnopqrstuu\0i1D709v".to_owned(), false),
        ("echo $1$2$3 ${HOME}:$PATH".to_owned(), false),
        ("password = hunter2".to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(looks_secret(text.as_bytes()), secret, "{text:?}");
        for search in [Search::plain(&SIGNS), Search::Each] {
            let found = has_sign_by(&search, text.as_bytes());
            assert_eq!(found, has_sign(text.as_bytes()), "{search:?} {text:?}");
        }
    }
    assert!(matches!(Search::plain(&SIGNS), Search::Plain(_)));
    assert!(AFTER.is_some() && BEFORE.is_some());
}

#[test]
fn a_sign_is_found_on_any_processor() {
    for search in [Search::for_any(&SIGNS), Search::plain(&SIGNS), Search::Each] {
        for sign in SIGNS {
            let text = [b"some text $ \n", sign, b"..."].concat();
            assert_eq!(search.first_of(&SIGNS, &text, 0), Some(13), "{search:?}");
            assert_eq!(search.first_of(&SIGNS, &text, 14 + sign.len()), None, "{search:?}");
            assert!(search.first_of(&SIGNS, &text, text.len() + 1).is_none());
        }
    }
}

#[test]
fn which_files_are_hashed_under_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    fs::create_dir(dir.join("app")).unwrap();
    let redactor = Redactor::parse(&["pin=(.*)", "(?s)from.*to"]).unwrap();
    let app = dir.join("app");
    let claimed = move |path: &Path| path.starts_with(&app).then_some(0);
    let secrecy = secrecy(Key::new([1; 32]), vec![redactor], claimed);
    let mut reader = Reader::new(Limits::default()).unwrap().with_secrecy(Some(secrecy));
    let key = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY}");
    let far = format!("from\n{}to\n", "x\n".repeat(200_000));
    for (path, content, keyed) in [
        ("shadow", "", true),
        ("other", "", false),
        ("other", "password = x", false),
        ("other", key.as_str(), true),
        ("other", &far, false),
        ("app/c", "", false),
        ("app/c", "password = x", true),
        ("app/c", "pin=1", true),
        ("app/c", "plain", false),
        ("app/c", &far, true),
    ] {
        let path = dir.join(path);
        fs::write(&path, content).unwrap();
        let facts = reader.look(&path, Need::default()).facts.unwrap();
        assert_eq!(
            facts.keyed.is_some(),
            keyed,
            "{} {}",
            path.display(),
            content.get(..30).unwrap_or(content)
        );
    }
    let large = dir.join("app/large");
    fs::File::create(&large).unwrap().set_len(MOST_SEARCHED + 1).unwrap();
    assert!(reader.look(&large, Need::default()).facts.unwrap().keyed.is_some());
}

/// Whether one stretch at least of those that the reader takes of this content looks secret, in pieces of this length.
fn in_stretches(content: &[u8], piece: usize) -> bool {
    (0..content.len()).step_by(piece).any(|start| {
        let end = content.len().min(start + piece);
        looks_secret(&content[start.saturating_sub(Secrecy::OVERLAP)..end])
    })
}

fn filler() -> impl Strategy<Value = Vec<u8>> {
    let line = "[a-z:$ ]{0,40}\n".prop_map(String::into_bytes);
    let text = proptest::collection::vec(line, 0..150).prop_map(|lines| lines.concat());
    let runs = (prop_oneof![Just(b'\n'), Just(b'x'), Just(0), Just(b'$')], 0..9000_usize)
        .prop_map(|(byte, length)| vec![byte; length]);
    prop_oneof![text, runs, proptest::collection::vec(any::<u8>(), 0..3000)]
}

const SECRETS: [&str; 9] = [
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nb3BlbnNzaC1rZXktdjEAAAAA\n",
    "b3BlbnNzaC1rZXktdjEAAAAA\n-----END RSA PRIVATE KEY-----\n",
    "\nPrivate-Lines: 3\n",
    "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQ",
    "\nroot:$6$s$h:19000:0:99999:7:::\n",
    "\nbob:abJnggxhB/yWI:1000:1000:Bob:/home/bob:/bin/sh\n",
    "x,$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW,y",
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaGhhc2g",
    "userPassword: {SSHA}pKqkNr1tq3wtQqk+UcPyA3HnA2NsU5NJ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Wherever a secret is cut, it is found as it would be in the whole.
    #[test]
    fn no_cut_hides_a_secret(
        before in filler(),
        secret in proptest::sample::select(&SECRETS[..]),
        after in filler(),
        piece in 1_usize..6000,
        into in 0_usize..120,
    ) {
        let content = [&before[..], secret.as_bytes(), &after[..]].concat();
        let whole = looks_secret(&content);
        prop_assert!(!whole || in_stretches(&content, piece), "pieces of {piece}");
        // A border right in it.
        let border = before.len() + into % secret.len();
        prop_assert!(!whole || border == 0 || in_stretches(&content, border), "a border at {border}");
    }
}

#[test]
fn each_secret_is_one_at_every_border() {
    for secret in SECRETS {
        for into in 1..secret.len() {
            let content = [vec![b'\n'; 8192 - into], secret.as_bytes().to_vec(), vec![b'\n'; 100]].concat();
            assert!(in_stretches(&content, 8192), "{secret:?} {into}");
        }
    }
}

#[test]
fn what_goes_on_and_on_takes_no_longer() {
    let content = b"$6$".repeat(50_000);
    let started = std::time::Instant::now();
    assert!(!looks_secret(&content) && !looks_secret(&b"$1$".repeat(50_000)));
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
}
