//! Moments as RFC 3339 in UTC with nanoseconds: `2026-01-02T03:04:05.000000006Z`. Pure.

use fim_core::FileTime;
use jiff::Timestamp;
use std::time::SystemTime;

/// A moment of the system's clock.
pub fn of_system(time: SystemTime) -> String {
    let fallback = if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    print(Timestamp::try_from(time).unwrap_or(fallback))
}

/// A moment of the system's clock to the millisecond, for people.
pub fn short(time: SystemTime) -> String {
    let fallback = if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.3}", Timestamp::try_from(time).unwrap_or(fallback))
}

/// Milliseconds since 1970, negative before.
pub fn milliseconds(time: SystemTime) -> i64 {
    let fallback = if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::try_from(time).unwrap_or(fallback).as_millisecond()
}

/// A moment of a file's clock. A clock beyond the years that can be written is put at their end.
pub fn of_file(time: FileTime) -> String {
    let fallback = if time.seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let time = Timestamp::from_second(time.seconds)
        .and_then(|seconds| seconds.checked_add(jiff::SignedDuration::from_nanos(i64::from(time.nanos))));
    print(time.unwrap_or(fallback))
}

fn print(time: Timestamp) -> String {
    format!("{time:.9}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn table() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00.000000000Z"),
            (1_709_210_096, 6, "2024-02-29T12:34:56.000000006Z"),
            (-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"),
            (i64::MAX, 0, "9999-12-30T22:00:00.999999999Z"),
            (i64::MIN, 0, "-009999-01-02T01:59:59.000000000Z"),
        ] {
            assert_eq!(of_file(FileTime { seconds, nanos }), text);
        }
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_709_210_096, 120_000_000);
        assert_eq!(of_system(time), "2024-02-29T12:34:56.120000000Z");
    }
}
