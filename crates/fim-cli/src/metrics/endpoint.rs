//! `GET /metrics` on the loopback interface: one at a time, with bounds, and nothing else.

use super::{Source, prometheus};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Somebody who asks or listens slowly is left alone after this.
const PATIENCE: Duration = Duration::from_secs(2);
/// A request is shorter.
const LONGEST: usize = 4096;

/// Answers from now on, on a thread that sleeps until somebody asks.
///
/// # Errors
/// When the address is taken, or there is no thread to be had.
pub fn serve(address: SocketAddr, source: Source) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    std::thread::Builder::new().name("metrics-http".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            if let Err(error) = stream.and_then(|stream| answer(stream, &source)) {
                log::debug!("metrics: {error}");
                // Where descriptors have run out the next one fails at once.
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    })?;
    Ok(bound)
}

fn answer(mut stream: TcpStream, source: &Source) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (status, kind, body) = match asked(&read_head(&mut stream)?) {
        Asked::Metrics => {
            ("200 OK", "text/plain; version=0.0.4; charset=utf-8", prometheus::text(&source.sample()))
        }
        Asked::OtherPath => ("404 Not Found", "text/plain", "metrics are at /metrics\n".to_owned()),
        Asked::OtherThing => ("405 Method Not Allowed", "text/plain", "only GET\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// The request up to its first empty line, or as much of it as is taken.
fn read_head(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut piece = [0; 512];
    let until = Instant::now() + PATIENCE;
    while head.len() < LONGEST && Instant::now() < until && !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut piece)? {
            0 => break,
            count => head.extend_from_slice(piece.get(..count).unwrap_or_default()),
        }
    }
    Ok(head)
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Metrics,
    OtherPath,
    OtherThing,
}

/// What the first line of a request asks for.
fn asked(head: &[u8]) -> Asked {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    match (words.next(), words.next()) {
        (Some(b"GET"), Some(path)) if path == b"/metrics" || path.starts_with(b"/metrics?") => Asked::Metrics,
        (Some(b"GET"), Some(_)) => Asked::OtherPath,
        _ => Asked::OtherThing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::Status;
    use std::time::SystemTime;

    #[test]
    fn requests() {
        for (head, what) in [
            (&b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"[..], Asked::Metrics),
            (b"GET /metrics?x=y HTTP/1.0\r\n\r\n", Asked::Metrics),
            (b"GET /metricsx HTTP/1.1\r\n\r\n", Asked::OtherPath),
            (b"GET / HTTP/1.1\r\n\r\n", Asked::OtherPath),
            (b"POST /metrics HTTP/1.1\r\n\r\n", Asked::OtherThing),
            (b"\x16\x03\x01\x00", Asked::OtherThing),
            (b"GET", Asked::OtherThing),
            (b"", Asked::OtherThing),
        ] {
            assert_eq!(asked(head), what, "{head:?}");
        }
        let endless = vec![b'x'; 1 << 20];
        assert!(read_head(&mut endless.as_slice()).unwrap().len() <= LONGEST + 512);
    }

    #[test]
    fn whoever_asks_is_answered_one_after_the_other() {
        let source = Source {
            status: Status::default(),
            started: SystemTime::now(),
            since: Instant::now(),
            costs: Default::default(),
        };
        let address = serve("127.0.0.1:0".parse().unwrap(), source).unwrap();
        let ask = |request: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        for _ in 0..3 {
            let answer = ask("GET /metrics HTTP/1.1\r\n\r\n");
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(answer.ends_with("\nfim_report_latency_seconds_count 0\n"), "{answer}");
        }
        assert!(ask("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    }
}
