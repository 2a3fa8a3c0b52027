//! Reads lines of `fim` on standard input and holds each against `docs/events.schema.json`:
//! `fim run … | cargo run -p fim-cli --example validate-lines`. Prints what is wrong; exit status 1 if
//! anything is.

use std::error::Error;
use std::io::BufRead;
use std::process::ExitCode;

const SCHEMA: &str = include_str!("../../../docs/events.schema.json");

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let schema = jsonschema::validator_for(&serde_json::from_str(SCHEMA)?)?;
    let (mut lines, mut wrong) = (0_u64, 0_u64);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        lines += 1;
        let faults: Vec<String> = match serde_json::from_str(&line) {
            Ok(json) => {
                schema.iter_errors(&json).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
            }
            Err(error) => vec![error.to_string()],
        };
        if !faults.is_empty() {
            wrong += 1;
            println!("line {lines}: {}\n  {line}", faults.join("; "));
        }
    }
    println!("{lines} lines, {wrong} of them wrong");
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
