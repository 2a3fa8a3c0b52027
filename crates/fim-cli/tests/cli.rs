//! The real command, as a user or a script sees it: what is on which stream, and how it ends.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn fim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fim")).args(args).env_remove("RUST_LOG").output().unwrap()
}

/// Exit status, standard output, standard error.
fn told(args: &[&str]) -> (i32, String, String) {
    let output = fim(args);
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn help_and_version_are_on_standard_output() {
    let (code, out, err) = told(&["--help"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for command in ["run", "baseline", "check", "doctor", "config"] {
        assert!(out.contains(command), "{out}");
    }
    let (code, out, err) = told(&["--version"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, format!("fim {}\n", env!("CARGO_PKG_VERSION")));
    for command in ["run", "baseline", "check", "doctor", "config"] {
        let (code, out, _) = told(&[command, "--help"]);
        assert_eq!(code, 0);
        assert!(out.contains("--state"), "{out}");
    }
}

#[test]
fn wrong_arguments_end_in_2() {
    for args in [
        &[][..],
        &["walk"],
        &["run", "--colour"],
        &["run", "--watcher", "kqueue"],
        &["check", "--format", "ocsf"],
    ] {
        let (code, out, err) = told(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.starts_with("fim: "), "{args:?}: {err}");
    }
}

#[test]
fn config_prints_what_holds_and_reads_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("fim.toml");
    let file = file.to_str().unwrap();
    std::fs::write(file, "state = '/s'\n[users]\n[[generic]]\npaths = ['/etc']\n").unwrap();
    let (code, first, err) = told(&["config", "--config", file, "--watcher", "bpf"]);
    assert_eq!(code, 0, "{err}");
    assert!(first.contains("watcher = \"bpf\""), "{first}");
    assert!(err.contains("[users]"), "the consumer that is missing is named: {err}");

    std::fs::write(file, &first).unwrap();
    let (code, second, _) = told(&["--config", file, "config"]);
    assert_eq!((code, second), (0, first));
}

#[test]
fn a_wrong_configuration_names_file_line_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("fim.toml");
    let file = file.to_str().unwrap();
    let (code, out, err) = told(&["config", "--config", file]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains(file), "{err}");

    std::fs::write(file, "\n[[generic]]\npathes = ['/etc']\n").unwrap();
    for command in ["config", "run", "check", "baseline", "doctor"] {
        let (code, out, err) = told(&[command, "--config", file]);
        assert_eq!((code, out.as_str()), (2, ""));
        let said = format!("{file}:3: unknown key `pathes`; did you mean `paths`?");
        assert!(err.contains(&said), "{err}");
    }
    for pattern in ["/etc/[", "etc"] {
        std::fs::write(file, format!("[[generic]]\npaths = ['/etc',\n '{pattern}']\n")).unwrap();
        let (code, _, err) = told(&["config", "--config", file]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(&format!("{file}:3: ")), "{err}");
    }
}
