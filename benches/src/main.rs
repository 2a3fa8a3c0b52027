//! `fim-bench [--full] [--save] [--guests] [--fim FILE] [--dir DIR] [--files N] [--rounds N] [--kernel V] [ROW…]`: measures, prints, compares with
//! the figures that are kept; `--save` keeps the new ones. Called by `scripts/bench`.

use fim_bench::figure::Figure;
use fim_bench::rows::{Bench, flood, guest, storm, writes};
use fim_bench::{Failure, inotify_loop, one_diff, results};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether no figure is beyond what it must not exceed.
fn run() -> Result<bool, Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["loop", top] => return inotify_loop::run(Path::new(top)).map(|()| true),
        ["keep", file, kept] => return one_diff::keep(Path::new(file), Path::new(kept)).map(|()| true),
        ["diff", kept, file] => return one_diff::run(Path::new(kept), Path::new(file)).map(|()| true),
        ["writes", target, file] => return writes::writes(target, Path::new(file)).map(|()| true),
        ["change", names, _, changes] => {
            return storm::change(Path::new(names), changes.parse()?).map(|()| true);
        }
        ["load", file] => return flood::load(Path::new(file)).map(|()| true),
        ["in-guest", "flood"] => {
            return guest::inside(|tell| flood::run(&bench_inside(&[])?, tell)).map(|()| true);
        }
        ["in-guest", "writes", files, peers] => {
            return writes::in_guest(Path::new("/usr/bin/fim"), files.parse()?, peers == "peers")
                .map(|()| true);
        }
        ["in-guest", ref rows @ ..] => {
            return guest::inside(|tell| bench_inside(rows)?.run_inside(tell)).map(|()| true);
        }
        _ => {}
    }
    let mut bench = Bench {
        fim: PathBuf::from("fim"),
        own: std::env::current_exe()?,
        scratch: std::env::temp_dir(),
        full: args.iter().any(|arg| arg == "--full"),
        rounds: 0,
        rows: Vec::new(),
        files: 0,
        kernel: "6.1".to_owned(),
        guests_only: false,
        in_guest: false,
    };
    let mut save = false;
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--full" => {}
            "--guests" => bench.guests_only = true,
            "--save" => save = true,
            "--fim" => bench.fim = value()?.into(),
            "--dir" => bench.scratch = value()?.into(),
            "--kernel" => bench.kernel = value()?,
            "--files" => bench.files = value()?.parse()?,
            "--rounds" => bench.rounds = value()?.parse()?,
            row if row.starts_with('B') => bench.rows.push(row.to_owned()),
            other => return Err(format!("what is {other}?").into()),
        }
    }
    if bench.files == 0 {
        bench.files = if bench.full { 1_000_000 } else { 100_000 };
    }
    if bench.rounds == 0 {
        bench.rounds = if bench.full { 3 } else { 2 };
    }
    bench.scratch = bench.scratch.canonicalize()?.join(format!("fim-bench.{}", std::process::id()));
    std::fs::create_dir_all(&bench.scratch)?;
    let outcome = measure(&bench, save);
    std::fs::remove_dir_all(&bench.scratch)?;
    outcome
}

/// Files of a large tree inside a guest: an emulated machine is long at more.
const FILES_INSIDE: u64 = 5_000;

/// What is measured inside a guest.
fn bench_inside(rows: &[&str]) -> Result<Bench, Failure> {
    let scratch = PathBuf::from("/data/bench");
    std::fs::create_dir_all(&scratch)?;
    let own = std::env::current_exe()?;
    let rows = rows.iter().map(|&row| row.to_owned()).collect();
    let (fim, kernel) = (PathBuf::from("/usr/bin/fim"), String::new());
    Ok(Bench {
        fim,
        own,
        scratch,
        full: false,
        rounds: 1,
        rows,
        files: FILES_INSIDE,
        kernel,
        guests_only: false,
        in_guest: true,
    })
}

fn measure(bench: &Bench, save: bool) -> Result<bool, Failure> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept_in = top.join("results.json");
    let kept = results::read(&kept_in)?;
    let mut figures: Vec<Figure> = Vec::new();
    println!("{}", load());
    let outcome = bench.run(&mut |mut figure| {
        figure.measured = format!("{}, load {}", jiff::Zoned::now().date(), load_average());
        println!("{figure}");
        if let Some(said) = results::compared(&figure, &kept) {
            println!("     {said}");
        }
        figures.push(figure);
    });
    println!("{}", load());
    if save {
        results::write(&results::merged(kept, &figures), &kept_in, &top.join("../docs/performance.md"))?;
    }
    outcome?;
    Ok(!figures.iter().any(|figure| figure.verdict() == "NOT ACCEPTABLE"))
}

fn load() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("# {processors} processors, kernel {}, load {}", kernel.trim(), load_average())
}

fn load_average() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}
