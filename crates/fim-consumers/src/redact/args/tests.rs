//! Command lines as they are given and as they are shown.

use super::*;

#[test]
fn every_expression_compiles() {
    assert!(OPTION.is_some());
}

#[test]
fn secrets_on_command_lines() {
    let redactor = Redactor::parse(&["x(y)z", "whole"]).unwrap();
    for (given, shown) in [
        (vec!["ls", "-l", "/etc"], vec!["ls", "-l", "/etc"]),
        (vec!["curl", "--password", "hunter2", "u"], vec!["curl", "--password", HIDDEN, "u"]),
        (vec!["a", "--token=abc def"], vec!["a", "--token=[redacted]"]),
        (vec!["env", "PASS=abc def", "x"], vec!["env", "PASS=[redacted]", "x"]),
        (vec!["sh", "-c", "DB_PASSWORD=abc run"], vec!["sh", "-c", "DB_PASSWORD=[redacted] run"]),
        (vec!["git", "https://u:pw@h/x"], vec!["git", "https://u:[redacted]@h/x"]),
        (vec!["xyz xyz", "whole"], vec!["x[redacted]z x[redacted]z", HIDDEN]),
        (vec!["vi", "/etc/passwd"], vec!["vi", "/etc/passwd"]),
        (vec!["sh", "-c", "cat /etc/passwd x"], vec!["sh", "-c", "cat /etc/passwd x"]),
        (vec!["sh", "-c", "a --pass 'b c' d"], vec!["sh", "-c", "a --pass '[redacted]' d"]),
        (
            vec!["curl", "-H", "Authorization: Bearer abc"],
            vec!["curl", "-H", "Authorization: Bearer [redacted]"],
        ),
        (vec!["sudo", "sshpass", "-p", "a b", "ssh", "h"], vec!["sudo", "sshpass", "-p", HIDDEN, "ssh", "h"]),
        (vec!["sshpass", "-pab", "ssh"], vec!["sshpass", "-p[redacted]", "ssh"]),
        (
            vec!["/usr/bin/curl", "-s", "-u", "u:pw", "h"],
            vec!["/usr/bin/curl", "-s", "-u", "u:[redacted]", "h"],
        ),
        (vec!["curl", "--user=u:pw"], vec!["curl", "--user=u:[redacted]"]),
        (vec!["curl", "-u", "u", "h"], vec!["curl", "-u", "u", "h"]),
        (vec!["mysqldump", "-uroot", "-ppw", "db"], vec!["mysqldump", "-uroot", "-p[redacted]", "db"]),
        (vec!["mysql", "-p", "db"], vec!["mysql", "-p", "db"]),
        (vec!["redis-cli", "-h", "x", "-a", "pw", "GET"], vec!["redis-cli", "-h", "x", "-a", HIDDEN, "GET"]),
        (vec!["htpasswd", "-nb", "bob", "pw"], vec!["htpasswd", "-nb", "bob", HIDDEN]),
        (vec!["htpasswd", "-c", "file", "bob"], vec!["htpasswd", "-c", "file", "bob"]),
        (vec!["openssl", "passwd", "-6", "pw"], vec!["openssl", "passwd", "-6", HIDDEN]),
        (vec!["smbclient", "//h/s", "-U", "bob%pw"], vec!["smbclient", "//h/s", "-U", "bob%[redacted]"]),
        (vec!["ldapsearch", "-x", "-w", "pw", "b"], vec!["ldapsearch", "-x", "-w", HIDDEN, "b"]),
        (vec!["docker", "login", "-u", "b", "-p", "pw"], vec!["docker", "login", "-u", "b", "-p", HIDDEN]),
        (vec!["docker", "run", "-p", "80:80", "x"], vec!["docker", "run", "-p", "80:80", "x"]),
        (vec!["sh", "-c", "mysql -ppw db; ls"], vec!["sh", "-c", "mysql -p[redacted] db; ls"]),
        (vec!["sh", "-c", "redis-cli -a pw GET x"], vec!["sh", "-c", "redis-cli -a [redacted] GET x"]),
        (
            vec!["curl", "-H", "Cookie: a=1; b=2", "-u", "a:pw"],
            vec!["curl", "-H", "Cookie: a=1; b=2", "-u", "a:[redacted]"],
        ),
        (
            vec!["curl", "-U", "a:b1", "-u", "u:pw", "h"],
            vec!["curl", "-U", "a:[redacted]", "-u", "u:[redacted]", "h"],
        ),
        (vec!["sshpass", "-P", "prompt", "-p", "pw"], vec!["sshpass", "-P", "prompt", "-p", HIDDEN]),
        (vec!["htpasswd", "-nb", "bob", "a b"], vec!["htpasswd", "-nb", "bob", HIDDEN]),
        (vec!["usermod", "-p", "pw", "bob"], vec!["usermod", "-p", HIDDEN, "bob"]),
        (vec!["usermod", "-ppw", "bob"], vec!["usermod", "-p[redacted]", "bob"]),
        (vec!["/usr/sbin/usermod", "-p", "", "bob"], vec!["/usr/sbin/usermod", "-p", "", "bob"]),
        (vec!["groupmod", "-p", "pw", "g"], vec!["groupmod", "-p", HIDDEN, "g"]),
        (vec!["groupadd", "-f", "-p", "pw", "g"], vec!["groupadd", "-f", "-p", HIDDEN, "g"]),
        (
            vec!["useradd", "-c", "x -p y", "-p", "it's a|b", "newu"],
            vec!["useradd", "-c", "x -p y", "-p", HIDDEN, "newu"],
        ),
        (vec!["useradd", "-P", "/mnt", "newu"], vec!["useradd", "-P", "/mnt", "newu"]),
        (vec!["mkdir", "-p", "/etc/x"], vec!["mkdir", "-p", "/etc/x"]),
        (
            vec!["ssh-keygen", "-t", "rsa", "-P", "old", "-Nnew", "-p", "-f", "k"],
            vec!["ssh-keygen", "-t", "rsa", "-P", HIDDEN, "-N[redacted]", "-p", "-f", "k"],
        ),
        (
            vec!["openssl", "pkcs12", "-passout", "pass:a b", "-in", "c"],
            vec!["openssl", "pkcs12", "-passout", "pass:[redacted]", "-in", "c"],
        ),
        (
            vec!["sh", "-c", "echo root:pw | chpasswd && id"],
            vec!["sh", "-c", "echo root:[redacted] | chpasswd && id"],
        ),
        (vec!["sh", "-c", "usermod -p pw bob; id"], vec!["sh", "-c", "usermod -p [redacted] bob; id"]),
        (
            vec!["sed", "-i", r"s/^bob:[^:]*/bob:$6$salt$abcdWNW0\/GZ6.x\/y:/", "shadow"],
            vec!["sed", "-i", "s/^bob:[^:]*/bob:[redacted]:/", "shadow"],
        ),
        (
            vec!["perl", "-pe", r"s/x/\$6\$salt\$abcdWNW0\/GZ6/", "shadow"],
            vec!["perl", "-pe", r"s/x/\[redacted]", "shadow"],
        ),
        (vec!["tee", "bob ALL=(ALL) NOPASSWD:ALL"], vec!["tee", "bob ALL=(ALL) NOPASSWD:ALL"]),
    ] {
        assert_eq!(redactor.args(&given), shown, "{given:?}");
    }
}
