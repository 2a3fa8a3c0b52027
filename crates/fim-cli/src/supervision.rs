//! Tells the service manager how the watch is going: ready, alive, still starting (sd_notify(3)). Says nothing where
//! nobody asked by `NOTIFY_SOCKET`. Knows of the engine only what its status says.

use crate::failure::Failure;
use crate::output::Reader;
use fim_core::{Now, Phase, Status};
use sd_notify::NotifyState;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How soon after the watch has started it is told.
const WHILE_STARTING: Duration = Duration::from_millis(100);
/// How often it is told after that, unless the watchdog wants it sooner.
const WHILE_WATCHING: Duration = Duration::from_secs(5);
/// What a start that goes on is given more: one look at a large file on a slow disk may take this long.
const MORE_TIME: Duration = Duration::from_secs(300);

/// The thread that tells, until it is dropped.
#[derive(Debug)]
pub struct Supervision {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Supervision {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // What it panicked of was said.
            let _panicked = thread.join();
        }
    }
}

/// Tells the service manager, if there is one, how the watch goes.
///
/// # Errors
/// When there is no thread to be had.
pub fn start(status: Status, reader: Reader) -> Result<Supervision, Failure> {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return Ok(Supervision { end: None, thread: None });
    }
    // Half of it would do: some turns of the engine are long.
    let every = sd_notify::watchdog_enabled().map_or(WHILE_WATCHING, |limit| WHILE_WATCHING.min(limit / 4));
    let (end, ended) = channel::<()>();
    let thread = std::thread::Builder::new().name("supervision".to_owned()).spawn(move || {
        let mut telling = Telling::default();
        loop {
            let now = status.now();
            let news = telling.news(&now, reader.is_awaited());
            if let Err(error) = send(&news) {
                log::warn!("cannot tell the service manager how the watch goes: {error}");
                break;
            }
            let pause = if now.phase == Phase::Starting { WHILE_STARTING } else { every };
            if !matches!(ended.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
                break;
            }
        }
    });
    let thread = thread
        .map_err(|error| Failure::new(format!("cannot start a thread for the service manager: {error}")))?;
    Ok(Supervision { end: Some(end), thread: Some(thread) })
}

fn send(news: &[News]) -> std::io::Result<()> {
    let states: Vec<NotifyState<'_>> = news
        .iter()
        .map(|news| match news {
            News::Ready => NotifyState::Ready,
            News::Alive => NotifyState::Watchdog,
            News::MoreTime => {
                NotifyState::ExtendTimeoutUsec(MORE_TIME.as_micros().try_into().unwrap_or(u32::MAX))
            }
            News::Text(text) => NotifyState::Status(text),
        })
        .collect();
    if states.is_empty() { Ok(()) } else { sd_notify::notify(&states) }
}

/// What there is to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
enum News {
    Ready,
    Alive,
    MoreTime,
    Text(String),
}

/// What was told last.
#[derive(Debug, Default)]
struct Telling {
    ready: bool,
    turns: u64,
    files: u64,
    text: String,
}

impl Telling {
    /// What is new. An engine whose status stands still is not alive, unless it waits for the reader of its
    /// lines: it watches meanwhile, and to end it would help nobody.
    fn news(&mut self, now: &Now, reader_awaited: bool) -> Vec<News> {
        let mut news = Vec::new();
        let moved = self.turns != now.turns || reader_awaited;
        self.turns = now.turns;
        if now.phase == Phase::Starting {
            if self.files != now.files || reader_awaited {
                self.files = now.files;
                news.push(News::MoreTime);
            }
        } else {
            if !self.ready {
                self.ready = true;
                news.push(News::Ready);
            }
            if moved {
                news.push(News::Alive);
            }
        }
        let text = text(now);
        if self.text != text {
            self.text.clone_from(&text);
            news.push(News::Text(text));
        }
        news
    }
}

fn text(now: &Now) -> String {
    match now.phase {
        Phase::Starting => "comparing with what was last seen".to_owned(),
        Phase::Watching => format!(
            "watching {} files by {}: {} findings, {} gaps open",
            now.files, now.watcher, now.findings, now.gaps_open
        ),
        Phase::Stopping => "finishing what was seen".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(phase: Phase, turns: u64, files: u64) -> Now {
        let mut now = Now::default();
        (now.phase, now.turns, now.files, now.watcher) = (phase, turns, files, "bpf");
        now
    }

    fn told(news: &[News]) -> Vec<&News> {
        news.iter().filter(|news| !matches!(news, News::Text(_))).collect()
    }

    #[test]
    fn a_start_is_given_time_while_it_goes_on_and_is_ready_once() {
        let mut telling = Telling::default();
        assert_eq!(told(&telling.news(&now(Phase::Starting, 1, 10), false)), [&News::MoreTime]);
        assert!(telling.news(&now(Phase::Starting, 1, 10), false).is_empty());
        assert_eq!(told(&telling.news(&now(Phase::Watching, 2, 20), false)), [&News::Ready, &News::Alive]);
        assert_eq!(told(&telling.news(&now(Phase::Watching, 3, 20), false)), [&News::Alive]);
    }

    #[test]
    fn who_hangs_is_not_alive_unless_the_reader_is_slow() {
        let mut telling = Telling::default();
        let still = now(Phase::Watching, 7, 20);
        telling.news(&still, false);
        assert!(telling.news(&still, false).is_empty());
        assert_eq!(telling.news(&still, true), [News::Alive]);
        assert!(telling.news(&still, false).is_empty());
    }

    #[test]
    fn the_text_is_told_when_it_changes() {
        let mut telling = Telling::default();
        let text = News::Text("watching 20 files by bpf: 0 findings, 0 gaps open".to_owned());
        assert!(telling.news(&now(Phase::Watching, 1, 20), false).contains(&text));
        assert!(!telling.news(&now(Phase::Watching, 2, 20), false).contains(&text));
    }
}
