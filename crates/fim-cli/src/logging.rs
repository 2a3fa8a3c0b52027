//! Diagnostics on standard error: how much of them.

use env_logger::Env;

/// Starts logging: `verbosity` is how often `-v` was given, less how often `-q` was. `RUST_LOG` wins.
pub fn start(verbosity: i16) {
    let level = match verbosity {
        ..=-1 => "error",
        0 => "warn",
        1 => "info",
        2 => "debug",
        3.. => "trace",
    };
    // sled logs each of its segments at debug.
    let filter = if verbosity < 3 { format!("{level},sled=warn,pagecache=warn") } else { level.to_owned() };
    env_logger::Builder::from_env(Env::default().default_filter_or(filter)).format_target(false).init();
}
