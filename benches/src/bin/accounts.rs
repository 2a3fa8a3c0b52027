//! Times the first look at a system with very many accounts, the next start's, and the one after a line changed: as
//! a directory's dump in `/etc/passwd` would have them.
//!
//! `accounts [COUNT]` (a million). Prints seconds, processor time, and the most memory that was used until then.

use fim_consumers::{Users, UsersConfig};
use fim_core::{Engine, Key, Record, Report, Sink, SledStore, State};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs, io};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("accounts: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<()> {
    let count: u32 = env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let dir = env::temp_dir().join(format!("fim-accounts-{}", std::process::id()));
    fs::create_dir_all(dir.join("etc"))?;
    let done = measure(&dir.canonicalize()?, count);
    fs::remove_dir_all(&dir)?;
    done
}

fn measure(root: &Path, count: u32) -> Result<()> {
    let (passwd, shadow) = (root.join("etc/passwd"), root.join("etc/shadow"));
    let (mut accounts, mut passwords) = (String::new(), String::new());
    for number in 0..count {
        let (name, uid) = (format!("user{number}"), number + 1000);
        writeln!(accounts, "{name}:x:{uid}:{uid}:User {number}:/home/{name}:/bin/bash")?;
        writeln!(passwords, "{name}:$6$salt{number}$notahashbutlongenough:19000:0:99999:7:::")?;
    }
    fs::write(&passwd, &accounts)?;
    fs::write(&shadow, &passwords)?;
    drop((accounts, passwords));
    let state = root.join("state");
    let engine = || -> Result<Engine> {
        let mut config = UsersConfig::new(Key::new([1; 32]));
        config.root = root.to_owned();
        let users = Box::new(Users::new(config));
        Ok(Engine::builder()
            .consumer(users)
            .build(State::open(Box::new(SledStore::open(&state)?))?, Box::new(Count))?)
    };
    timed("first look", || Ok(engine()?.baseline(&[]).map(drop)?))?;
    timed("nothing changed", || Ok(engine()?.check(&[], false).map(drop)?))?;
    writeln!(fs::File::options().append(true).open(&passwd)?, "eve:x:0:0::/root:/bin/sh")?;
    timed("a line more", || Ok(engine()?.check(&[], false).map(drop)?))
}

fn timed(what: &str, act: impl FnOnce() -> Result<()>) -> Result<()> {
    let (started, used) = (Instant::now(), processor_time()?);
    act()?;
    let status = fs::read_to_string("/proc/self/status")?;
    let most = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    let used = processor_time()? - used;
    println!("{what}: {:.2} s, {used:.2} s of processor time, {most}", started.elapsed().as_secs_f64());
    Ok(())
}

/// In seconds, of all threads: what counts on a machine that does other things as well.
fn processor_time() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    // In hundredths of a second, for the user and for the system.
    Ok(fields.map(|ticks| ticks.parse::<f64>().unwrap_or_default() / 100.0).sum())
}

/// Says how many findings there were by their words.
struct Count;

impl Sink for Count {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        if let Record::Change(finding) = &report.record {
            println!("  {}: {} changes", finding.path.display(), finding.changes.len());
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
