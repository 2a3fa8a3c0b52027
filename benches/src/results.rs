//! Figures kept in the tree: a JSON file that a later run is compared with, and a table for people.

use crate::Failure;
use crate::figure::Figure;
use std::fmt::Write;
use std::path::Path;

/// A figure this much worse than the one that is kept is said to be worse.
const WORSE: f64 = 1.15;
const BEGIN: &str = "<!-- figures: written by scripts/bench --save -->";
const END: &str = "<!-- end of figures -->";

/// Reads the figures that are kept.
///
/// # Errors
/// When the file is there but is not what it should be.
pub fn read(file: &Path) -> Result<Vec<Figure>, Failure> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// What a figure was when it was kept.
#[must_use]
pub fn compared(figure: &Figure, kept: &[Figure]) -> Option<String> {
    let was = kept.iter().find(|was| (&was.row, &was.name) == (&figure.row, &figure.name))?;
    if figure.median.max(was.median) <= 0.0 {
        return Some("was 0".to_owned());
    }
    let ratio = figure.median / was.median;
    let said = if ratio > WORSE { " WORSE" } else { "" };
    Some(format!("was {:.3} ({:+.0} %){said}", was.median, (ratio - 1.0) * 100.0))
}

/// Puts new figures in the place of those of the same rows and names.
#[must_use]
pub fn merged(mut kept: Vec<Figure>, new: &[Figure]) -> Vec<Figure> {
    kept.retain(|was| !new.iter().any(|figure| (&was.row, &was.name) == (&figure.row, &figure.name)));
    kept.extend_from_slice(new);
    let number = |row: &str| row.trim_start_matches('B').parse::<u32>().unwrap_or(u32::MAX);
    kept.sort_by(|a, b| (number(&a.row), &a.name).cmp(&(number(&b.row), &b.name)));
    kept
}

/// Writes the figures to the JSON file, and their table to the document.
///
/// # Errors
/// When they cannot be written, or the document has no place for them.
pub fn write(figures: &[Figure], json: &Path, document: &Path) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(figures)?;
    text.push('\n');
    std::fs::write(json, text)?;
    let old = std::fs::read_to_string(document)?;
    let (before, rest) = old.split_once(BEGIN).ok_or("the document has no place for figures")?;
    let (_, after) = rest.split_once(END).ok_or("the place for figures has no end")?;
    std::fs::write(document, format!("{before}{BEGIN}\n{}{END}{after}", table(figures)))?;
    Ok(())
}

fn table(figures: &[Figure]) -> String {
    let mut text = String::from(
        "| | figure | median (least–most; rounds) | target | not acceptable | | measured |\n|---|---|---|---|---|---|---|\n",
    );
    for figure in figures {
        let digits = if figure.median.abs() < 10.0 { 2 } else { 0 };
        let Figure { row, name, min, median, max, rounds, void, note, measured, .. } = figure;
        let bound = |bound: Option<f64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        let void = if *void > 0 { format!(", {void} void") } else { String::new() };
        let name = if note.is_empty() { name.clone() } else { format!("{name} ({note})") };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {row} | {name} | {median:.digits$} ({min:.digits$}–{max:.digits$}; {rounds}{void}) | {} | {} | {} | {measured} |",
            bound(figure.target),
            bound(figure.limit),
            figure.verdict(),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_figures_take_the_place_of_old_ones() {
        let kept = vec![Figure::new("B9", "x", vec![1.0]), Figure::new("B10", "y", vec![2.0])];
        let new = [Figure::new("B9", "x", vec![1.3]), Figure::new("B2", "z", vec![3.0])];
        assert_eq!(compared(&new[0], &kept).unwrap(), "was 1.000 (+30 %) WORSE");
        assert_eq!(compared(&new[1], &kept), None);
        let none = Figure::new("B7", "lost", vec![0.0]);
        assert_eq!(compared(&none, std::slice::from_ref(&none)).unwrap(), "was 0");
        let rows: Vec<_> = merged(kept, &new).into_iter().map(|figure| (figure.row, figure.median)).collect();
        assert_eq!(rows, [("B2".into(), 3.0), ("B9".into(), 1.3), ("B10".into(), 2.0)]);
    }
}
