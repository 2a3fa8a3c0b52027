//! Command lines, and what they ask for.

use super::*;
use std::os::unix::ffi::OsStringExt;

fn read(line: &str) -> Result<Invocation, Early> {
    parse(line.split_whitespace().map(OsString::from))
}

#[test]
fn options_stand_on_either_side_of_the_command() {
    let expected = Invocation {
        command: Command::Run { paths: vec!["/a".into(), "/b".into()] },
        shared: Shared {
            config: Some("/c".into()),
            state: Some("/s".into()),
            watcher: Some("bpf".into()),
            format: Some("json".into()),
            root: Some("/r".into()),
            verbosity: 2,
        },
    };
    for line in [
        "run --config /c --state /s --watcher bpf --format json --root /r -v -v /a /b",
        "run /a --config /c --state /s --watcher bpf /b --format json --root /r -vv",
        "--config /c -v --state /s --watcher bpf run --format json --root /r -v /a /b",
        "--config=/c --state=/s run --watcher=bpf --format=json --root=/r -vv -- /a /b",
    ] {
        assert_eq!(read(line).unwrap(), expected, "{line}");
    }
}

#[test]
fn commands() {
    for (line, command) in [
        ("run", Command::Run { paths: vec![] }),
        ("run --unpin", Command::Unpin),
        ("baseline /a", Command::Baseline { paths: vec!["/a".into()] }),
        ("check", Command::Check { full: false, paths: vec![] }),
        ("check --full a", Command::Check { full: true, paths: vec!["a".into()] }),
        ("check -- -a", Command::Check { full: false, paths: vec!["-a".into()] }),
        ("doctor", Command::Doctor),
        ("explain /a", Command::Explain { path: "/a".into() }),
        (
            "verify a - --key /k",
            Command::Verify {
                logs: vec!["a".into(), "/dev/stdin".into()],
                key: Some("/k".into()),
                public_key: None,
                unordered: false,
            },
        ),
        (
            "report --html /p a -",
            Command::Report { logs: vec!["a".into(), "/dev/stdin".into()], html: "/p".into(), key: None },
        ),
        ("status", Command::Status),
        ("selftest", Command::Selftest { json: false, only: vec![], dir: None }),
        (
            "selftest --json --only=uring --only mmap /mnt",
            Command::Selftest {
                json: true,
                only: vec!["uring".into(), "mmap".into()],
                dir: Some("/mnt".into()),
            },
        ),
        ("config", Command::Config),
        ("config --default", Command::DefaultConfig),
        ("config --plan=/n", Command::ComparePlan { file: "/n".into(), drop_in: false }),
        ("config --plan=/n --drop-in", Command::ComparePlan { file: "/n".into(), drop_in: true }),
        ("config --from-bpfink=/b", Command::FromBpfink { file: "/b".into() }),
    ] {
        assert_eq!(read(line).unwrap().command, command, "{line}");
    }
    assert_eq!(read("config -q").unwrap().shared.verbosity, -1);
}

#[test]
fn help_and_version_are_no_errors() {
    for line in ["--help", "-h", "help", "run --help", "--state /s run -h", "help run"] {
        assert!(matches!(read(line), Err(Early::Asked(_))), "{line}");
    }
    for line in ["--version", "run --version", "--version run"] {
        let Err(Early::Asked(text)) = read(line) else {
            panic!("{line}");
        };
        assert!(text.starts_with("fim "), "{text}");
    }
}

#[test]
fn wrong_arguments() {
    for line in [
        "",
        "walk",
        "run --colour",
        "run --unpin /etc",
        "run --state",
        "--full run",
        "config /etc",
        "doctor /etc",
        "explain",
        "explain /a /b",
        "verify",
        "report a",
        "report --html /p",
        "config --default --plan /n",
        "config --drop-in",
        "config --drop-in --from-bpfink /b",
        "config --plan /n --from-bpfink /b",
        "run --state /a --state /b",
        "-v",
    ] {
        assert!(matches!(read(line), Err(Early::Wrong(_))), "{line}");
    }
    let raw = OsString::from_vec(b"/tmp/\xff".to_vec());
    let Err(Early::Wrong(text)) = parse(["run".into(), raw]) else {
        panic!();
    };
    assert!(text.contains("UTF-8"), "{text}");
}
