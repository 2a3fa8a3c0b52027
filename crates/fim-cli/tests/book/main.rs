//! What the book under `docs/` says: its pages are there, its links lead somewhere, its configurations hold, and its
//! commands and their options exist.

#![allow(clippy::unwrap_used)]

mod run;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The pages, and the read-me beside them, with their texts.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages: Vec<PathBuf> = fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|it| it == "md"));
    pages.push(docs().join("../README.md"));
    pages.sort();
    pages.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// What stands between fences, with the words after the first one.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split("\n```").collect();
    parts.iter().skip(1).step_by(2).filter_map(|part| part.split_once('\n')).collect()
}

fn fim(args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_fim")).args(args).env_remove("RUST_LOG").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn every_page_is_in_the_book_and_every_link_leads_somewhere() {
    let summary = fs::read_to_string(docs().join("SUMMARY.md")).unwrap();
    for (page, text) in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(
            matches!(name, "SUMMARY.md" | "README.md") || summary.contains(&format!("({name})")),
            "{name} is not in SUMMARY.md"
        );
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.contains(' ') {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(path.exists(), "{name}: {target}");
            if !anchor.is_empty() && path.extension().is_some_and(|it| it == "md") {
                assert!(anchors(&path).contains(anchor), "{name}: {target}: {:?}", anchors(&path));
            }
        }
    }
}

/// As GitHub and mdBook name headings.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let line = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            line.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
        })
        .collect()
}

#[test]
fn every_configuration_holds() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("fim.toml");
    let mut tried = 0;
    for (page, text) in pages() {
        for (_, configuration) in blocks(&text).into_iter().filter(|(word, _)| *word == "toml") {
            fs::write(&file, configuration).unwrap();
            let (code, said) = fim(&["config", "--config", file.to_str().unwrap()]);
            assert_eq!(code, 0, "{}: {said}\n{configuration}", page.display());
            tried += 1;
        }
    }
    assert!(tried >= 5, "{tried}");
}

#[test]
fn every_command_and_option_is_there() {
    let mut tried = 0;
    for (page, text) in pages() {
        for (_, commands) in blocks(&text).into_iter().filter(|(word, _)| matches!(*word, "" | "sh")) {
            for command in commands.lines().flat_map(|line| line.split('|')) {
                let command = command.split(" #").next().unwrap_or_default().trim().trim_start_matches("$ ");
                let mut words = command.split_whitespace();
                let (Some("fim"), Some(name)) = (words.next(), words.next()) else { continue };
                if matches!(name, "completions" | "man") {
                    continue;
                }
                let (code, help) = fim(&[name, "--help"]);
                assert_eq!(code, 0, "{}: {command}: {help}", page.display());
                for option in words.filter(|word| word.starts_with("--")) {
                    let option = option.split('=').next().unwrap_or_default();
                    assert!(help.contains(option), "{}: {command}: no {option}", page.display());
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 10, "{tried}");
}
