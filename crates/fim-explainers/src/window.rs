//! Maintenance windows: times that were announced, or a file that says that somebody is at work.
//!
//! A window explains what is seen live in it and nothing else: when a change happened that was found later is not
//! known.

use fim_core::{Checksums, Detected, Explainer, Explanation, Reason, Sight};
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::str::FromStr;

/// Days of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days(Vec<Weekday>);

/// What is wrong with a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowError(String);

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WindowError {}

impl Days {
    /// Every day.
    #[must_use]
    pub fn all() -> Self {
        Self(Weekday::Monday.cycle_forward().take(7).collect())
    }

    /// These, by the first three letters of their English names.
    ///
    /// # Errors
    /// A word that is no day.
    pub fn parse(words: &[String]) -> Result<Self, WindowError> {
        let day = |word: &String| {
            let known = Weekday::Monday.cycle_forward().take(7);
            let mut known = known.zip(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
            let day = known.find(|(_, name)| name.eq_ignore_ascii_case(word)).map(|(day, _)| day);
            day.ok_or_else(|| {
                WindowError(format!("\"{word}\" is no day: write mon, tue, wed, thu, fri, sat or sun"))
            })
        };
        words.iter().map(day).collect::<Result<_, _>>().map(Self)
    }
}

/// When a window is open.
#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    /// Between two times of the machine's clock; past midnight, if the second is not later than the first. The
    /// days are those on which it opens.
    Clock { days: Days, from: Time, to: Time },
    /// As long as a file is there that belongs to root or to whoever runs this.
    Exists(PathBuf),
}

/// A window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    name: String,
    when: When,
    lowers: bool,
}

impl Window {
    /// A window between two times of day, such as `02:00`.
    ///
    /// # Errors
    /// What is no time of day.
    pub fn between(name: &str, days: Days, from: &str, to: &str, lowers: bool) -> Result<Self, WindowError> {
        let time = |text: &str| {
            Time::from_str(text)
                .map_err(|_| WindowError(format!("\"{text}\" is no time of day: write it like \"02:00\"")))
        };
        let when = When::Clock { days, from: time(from)?, to: time(to)? };
        Ok(Self { name: name.to_owned(), when, lowers })
    }

    /// A window for as long as a file exists.
    #[must_use]
    pub fn while_exists(name: &str, file: PathBuf, lowers: bool) -> Self {
        Self { name: name.to_owned(), when: When::Exists(file), lowers }
    }

    fn is_open(&self, at: &Zoned) -> bool {
        match &self.when {
            When::Clock { days, from, to } => is_between(days, *from, *to, at),
            When::Exists(file) => file.symlink_metadata().is_ok_and(|found| {
                found.file_type().is_file() && [0, rustix::process::geteuid().as_raw()].contains(&found.uid())
            }),
        }
    }
}

fn is_between(days: &Days, from: Time, to: Time, at: &Zoned) -> bool {
    let (time, today) = (at.time(), at.weekday());
    let opens = |day| days.0.contains(&day);
    if from < to {
        return opens(today) && from <= time && time < to;
    }
    (opens(today) && from <= time) || (opens(today.previous()) && time < to)
}

/// Explains changes made in a window.
///
/// ```
/// use fim_explainers::{Days, Window, Windows};
///
/// let sundays = Window::between("patches", Days::parse(&["sun".into()])?, "02:00", "05:00", true)?;
/// let somebody = Window::while_exists("somebody is at work", "/run/maintenance".into(), false);
/// let windows = Windows::new(vec![sundays, somebody]);
/// # drop(windows);
/// # Ok::<(), fim_explainers::WindowError>(())
/// ```
#[derive(Debug)]
pub struct Windows(Vec<Window>);

impl Windows {
    /// These windows; of several that are open the first counts.
    #[must_use]
    pub const fn new(windows: Vec<Window>) -> Self {
        Self(windows)
    }
}

impl Explainer for Windows {
    fn explain(&mut self, change: &Sight<'_>, _: &mut dyn Checksums) -> Reason {
        if change.detected != Detected::Live {
            return Reason::default();
        }
        let Ok(at) = Timestamp::try_from(change.at) else { return Reason::default() };
        let at = at.to_zoned(TimeZone::system());
        self.0.iter().find(|window| window.is_open(&at)).map_or_else(Reason::default, |window| {
            let of = vec![("name", window.name.clone())];
            Reason::known(Explanation { by: "window", of, lowers: window.lowers })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Zoned {
        text.parse::<jiff::civil::DateTime>().unwrap().to_zoned(TimeZone::UTC).unwrap()
    }

    #[test]
    fn times_of_the_clock() {
        // 2026-03-01 is a Sunday.
        let days =
            |words: &[&str]| Days::parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        for (names, from, to, when, is) in [
            (&["sun"][..], "02:00", "04:00", "2026-03-01T02:00", true),
            (&["sun"], "02:00", "04:00", "2026-03-01T03:59:59", true),
            (&["sun"], "02:00", "04:00", "2026-03-01T04:00", false),
            (&["mon", "SAT"], "02:00", "04:00", "2026-03-01T03:00", false),
            (&["sat"], "23:00", "01:00", "2026-03-01T00:30", true),
            (&["sat"], "23:00", "01:00", "2026-02-28T23:30", true),
            (&["sat"], "23:00", "01:00", "2026-02-28T00:30", false),
            (&["sun"], "23:00", "01:00", "2026-03-01T00:30", false),
            (&["sun"], "00:00", "00:00", "2026-03-01T12:00", true),
        ] {
            let window = Window::between("w", days(names).unwrap(), from, to, false).unwrap();
            assert_eq!(window.is_open(&at(when)), is, "{names:?} {from} {to} {when}");
        }
        assert!(
            Window::between("w", Days::all(), "00:00", "00:00", false)
                .unwrap()
                .is_open(&at("2026-03-04T12:00"))
        );
        assert!(days(&["someday"]).is_err());
        assert!(Window::between("w", Days::all(), "25:00", "01:00", false).is_err());
    }

    #[test]
    fn as_long_as_a_file_exists() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("at-work");
        let window = Window::while_exists("w", file.clone(), false);
        let now = at("2026-03-01T12:00");
        assert!(!window.is_open(&now));
        std::fs::write(&file, "").unwrap();
        assert!(window.is_open(&now));
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
        assert!(!window.is_open(&now), "a link is not the file that was meant");
    }

    #[test]
    fn what_was_found_later_is_in_no_window() {
        let window = Window::between("w", Days::all(), "00:00", "00:00", true).unwrap();
        let mut windows = Windows::new(vec![window]);
        let mut sight = Sight::new("/x".as_ref(), None, None);
        assert_eq!(windows.explain(&sight, &mut Nothing).explanation.unwrap().by, "window");
        sight.detected = Detected::Startup;
        assert_eq!(windows.explain(&sight, &mut Nothing), Reason::default());
    }

    struct Nothing;

    impl Checksums for Nothing {
        fn of_content(&mut self, _: fim_core::Checksum) -> Option<Vec<u8>> {
            None
        }
    }
}
