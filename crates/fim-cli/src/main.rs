//! The program `fim`: what the library of this package does.

use std::process::ExitCode;

fn main() -> ExitCode {
    fim_cli::main()
}
