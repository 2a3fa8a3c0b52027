//! One figure: what it is of, its spread, and what it should be.

use crate::pairs::Ratios;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A measured figure; smaller is better.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Figure {
    /// The row it belongs to: `B9`.
    pub row: String,
    /// What was measured, and how it is expressed.
    pub name: String,
    /// Least, middle and most of the rounds that count.
    pub min: f64,
    /// See [`Self::min`].
    pub median: f64,
    /// See [`Self::min`].
    pub max: f64,
    /// How many rounds count.
    pub rounds: usize,
    /// How many rounds were void, because a thing differed from itself.
    pub void: usize,
    /// What it should be at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// What it must not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Absolute figures, and whatever else explains it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Where and when: filled in at the end.
    #[serde(default)]
    pub measured: String,
}

impl Figure {
    /// Of these values.
    #[must_use]
    pub fn new(row: &str, name: impl Into<String>, mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Self {
            row: row.to_owned(),
            name: name.into(),
            min: at(0),
            median: (at(last / 2) + at(last.div_ceil(2))) / 2.0,
            max: at(last),
            rounds: values.len(),
            void: 0,
            target: None,
            limit: None,
            note: String::new(),
            measured: String::new(),
        }
    }

    /// Of the rounds that count; of all, and none of them counted, if there is no better one.
    #[must_use]
    pub fn of(row: &str, name: impl Into<String>, ratios: &Ratios) -> Self {
        let mut figure = if ratios.good.is_empty() {
            Self { rounds: 0, ..Self::new(row, name, ratios.void.clone()) }
        } else {
            Self::new(row, name, ratios.good.clone())
        };
        figure.void = ratios.void.len();
        figure
    }

    /// What it should be, and what it must not exceed.
    #[must_use]
    pub fn to_be(mut self, target: f64, limit: f64) -> Self {
        (self.target, self.limit) = (Some(target), Some(limit));
        self
    }

    /// With a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// How it stands to what it should be.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match (self.target, self.limit) {
            _ if self.rounds == 0 => "void",
            (Some(target), _) if self.median <= target => "at target",
            (_, Some(limit)) if self.median <= limit => "short of target",
            (_, Some(_)) => "NOT ACCEPTABLE",
            _ => "",
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.median.abs() < 10.0 { 3 } else { 0 };
        let Self { row, name, min, median, max, rounds, void, note, .. } = self;
        write!(f, "{row:4} {median:8.digits$}  ({min:.digits$}–{max:.digits$}, {rounds} rounds")?;
        if *void > 0 {
            write!(f, ", {void} void")?;
        }
        write!(f, ")  {name}")?;
        if let (Some(target), Some(limit)) = (self.target, self.limit) {
            write!(f, "  [target {target}, limit {limit}: {}]", self.verdict())?;
        }
        if !note.is_empty() {
            write!(f, "  {note}")?;
        }
        Ok(())
    }
}
