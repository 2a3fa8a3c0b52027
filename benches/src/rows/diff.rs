//! Comparing a file of a million lines (B13), against `git diff --histogram`.

use super::Bench;
use crate::Failure;
use crate::cost::{self, Cost};
use crate::figure::Figure;
use crate::pairs::compare;
use std::fmt::Write;
use std::fs;
use std::process::{Command, Stdio};

/// As many as fit into the largest file whose lines are compared.
const LINES: u32 = 1_000_000;
const SIGNS: u32 = 90;
/// First signs of a million lines.
const FIRST: u32 = SIGNS / 2;

pub(super) fn run(bench: &Bench, tell: &mut dyn FnMut(Figure)) -> Result<(), Failure> {
    let distinct = text(|line| line);
    let cases = [
        ("one line changed", distinct.clone(), text(|line| if line == LINES / 2 { 7 } else { line })),
        ("all lines changed", distinct.clone(), text(|line| line + LINES)),
        ("all lines equal, one more", text(|_| 0), text(|_| 0) + "end"),
    ];
    for (what, old, new) in cases {
        let (old_file, new_file) = (bench.scratch.join("old"), bench.scratch.join("new"));
        fs::write(&old_file, old)?;
        fs::write(&new_file, new)?;
        let kept = bench.scratch.join("kept");
        cost::run(Command::new(&bench.own).arg("keep").arg(&old_file).arg(&kept), &[0])?;
        let mut git = || {
            let mut command = Command::new("git");
            command.args(["diff", "--no-index", "--histogram"]).arg(&old_file).arg(&new_file);
            cost::run(command.stdout(Stdio::null()), &[1])
        };
        let mut own = || {
            let mut command = Command::new(&bench.own);
            command.arg("diff").arg(&kept).arg(&new_file);
            cost::run(command.stdout(Stdio::null()), &[0])
        };
        let pairs = compare(bench.rounds, &mut git, &mut own)?;
        let least = |costs: &[Cost]| costs.iter().map(|cost| cost.cpu).fold(f64::INFINITY, f64::min);
        let note = format!("at best {:.2} s ÷ {:.2} s", least(&pairs.b), least(&pairs.a));
        tell(
            Figure::of("B13", format!("a million lines, {what} ÷ git diff --histogram, CPU"), &pairs.cpu)
                .to_be(0.5, 1.0)
                .note(note),
        );
    }
    Ok(())
}

/// Lines of three signs: up to 364,500 of them are distinct, and lines of the second million are none of the first.
fn text(of: impl Fn(u32) -> u32) -> String {
    let mut text = String::new();
    for line in 0..LINES {
        let number = of(line);
        let sign = |number: u32| char::from_u32('!' as u32 + number).unwrap_or('?');
        let (first, rest) = (number % FIRST + number / LINES * FIRST, number / FIRST);
        let _ = writeln!(text, "{}{}{}", sign(first), sign(rest % SIGNS), sign(rest / SIGNS % SIGNS));
    }
    text
}
