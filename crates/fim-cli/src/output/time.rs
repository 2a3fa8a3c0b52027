//! Moments as RFC 3339 in UTC with nanoseconds: `2026-01-02T03:04:05.000000006Z`. Pure.

use super::short::Short;
use fim_core::FileTime;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Serialize, Serializer};
use std::fmt;
use std::time::SystemTime;

/// A moment, as it is written.
#[derive(Clone, Copy)]
pub struct Moment(Timestamp);

/// A moment of the system's clock.
pub fn of_system(time: SystemTime) -> Moment {
    let fallback = if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    Moment(Timestamp::try_from(time).unwrap_or(fallback))
}

/// A moment of the system's clock to the millisecond, for people.
pub fn short(time: SystemTime) -> String {
    format!("{:.3}", of_system(time).0)
}

/// Milliseconds since 1970, negative before.
pub fn milliseconds(time: SystemTime) -> i64 {
    of_system(time).0.as_millisecond()
}

/// A moment of a file's clock. A clock beyond the years that can be written is put at their end.
pub fn of_file(time: FileTime) -> Moment {
    let fallback = if time.seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let nanos = i32::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    let time = nanos.and_then(|nanos| Timestamp::new(time.seconds, nanos).ok());
    Moment(time.unwrap_or(fallback))
}

impl Moment {
    /// `None` before the year 0, which is written with more digits.
    fn text(self) -> Option<Short> {
        let time = Offset::UTC.to_datetime(self.0);
        let mut text = Short::new();
        text.digits::<4>(u32::try_from(time.year()).ok()?);
        let parts = [
            (b'-', time.month()),
            (b'-', time.day()),
            (b'T', time.hour()),
            (b':', time.minute()),
            (b':', time.second()),
        ];
        for (before, number) in parts {
            text.push(before);
            text.digits::<2>(u32::from(number.unsigned_abs()));
        }
        text.push(b'.');
        text.digits::<9>(time.subsec_nanosecond().unsigned_abs());
        text.push(b'Z');
        Some(text)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.write_str(text.as_str()),
            None => write!(f, "{:.9}", self.0),
        }
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => text.serialize(to),
            None => to.collect_str(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;
    use std::time::Duration;

    #[test]
    fn table() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00.000000000Z"),
            (1_709_210_096, 6, "2024-02-29T12:34:56.000000006Z"),
            (-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"),
            (-62_135_596_801, 1, "0000-12-31T23:59:59.000000001Z"),
            (i64::MAX, 0, "9999-12-30T22:00:00.999999999Z"),
            (i64::MIN, 0, "-009999-01-02T01:59:59.000000000Z"),
            (0, u32::MAX, "9999-12-30T22:00:00.999999999Z"),
        ] {
            let time = of_file(FileTime { seconds, nanos });
            assert_eq!(time.to_string(), text);
            assert_eq!(json::to_line(&time).unwrap(), format!("{text:?}").into_bytes());
            assert_eq!(format!("{:.9}", time.0), text, "as the library writes it");
        }
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_709_210_096, 120_000_000);
        assert_eq!(of_system(time).to_string(), "2024-02-29T12:34:56.120000000Z");
    }
}
