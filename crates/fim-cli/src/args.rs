//! The command line: subcommands, options, help. Knows nothing of files, configuration or watching.

mod advice;
mod generate;
mod manual;
mod normal;

use argh::{ArgsInfo, FromArgs};
use std::ffi::OsString;

/// Watch files and report who changed what.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq, Eq)]
#[argh(
    help_triggers("--help", "-h"),
    example = "fim run --format pretty /etc\nfim explain /etc/ssh/sshd_config",
    note = "With no configuration at /etc/fim/fim.toml, accounts, access rules and /etc are watched;\n\
            `fim config --default` prints one to begin with. `fim completions SHELL` and `fim man [COMMAND]`\n\
            print completions and manual pages.",
    error_code(0, "Done, and nothing to report"),
    error_code(
        1,
        "check found changes, verify found a break, doctor or selftest fell short, or nothing covers the path to explain"
    ),
    error_code(2, "It could not be done; standard error says why")
)]
struct Fim {
    /// print the version
    #[argh(switch)]
    version: bool,

    #[argh(subcommand)]
    command: Option<Parsed>,
}

/// Declares subcommands that all take the shared options: argh has no way to share them.
macro_rules! subcommands {
    ($($(#[$($meta:tt)*])* $name:ident { $($own:tt)* })*) => {
        #[derive(FromArgs, ArgsInfo, Debug, PartialEq, Eq)]
        #[argh(subcommand)]
        enum Parsed {
            $($name($name),)*
        }

        impl Parsed {
            fn shared(&self) -> Shared {
                match self {
                    $(Self::$name(args) => Shared {
                        config: args.config.clone(),
                        state: args.state.clone(),
                        watcher: args.watcher.clone(),
                        format: args.format.clone(),
                        root: args.root.clone(),
                        verbosity: i16::from(args.verbose) - i16::from(args.quiet),
                    },)*
                }
            }
        }

        $(
            #[derive(FromArgs, ArgsInfo, Debug, PartialEq, Eq)]
            $(#[$($meta)*])*
            #[argh(help_triggers("--help", "-h"))]
            struct $name {
                /// configuration file (default /etc/fim/fim.toml)
                #[argh(option, arg_name = "file")]
                config: Option<String>,

                /// folder the state is kept in (default /var/lib/fim)
                #[argh(option, arg_name = "dir")]
                state: Option<String>,

                /// auto, bpf or fanotify (default auto)
                #[argh(option, arg_name = "name")]
                watcher: Option<String>,

                /// json, ocsf, pretty or bpfink (default json)
                #[argh(option, arg_name = "name")]
                format: Option<String>,

                /// prefix of every configured path
                #[argh(option, arg_name = "dir")]
                root: Option<String>,

                /// log more on stderr; twice: much more
                #[argh(switch, short = 'v')]
                verbose: u8,

                /// log only errors on stderr
                #[argh(switch, short = 'q')]
                quiet: u8,

                $($own)*
            }
        )*
    };
}

subcommands! {
    /// Watch until stopped; findings on stdout, diagnostics on stderr.
    #[argh(subcommand, name = "run")]
    Run {
        /// do not watch; remove what earlier starts with [pins] left in the kernel
        #[argh(switch)]
        unpin: bool,

        /// watch these paths instead of those the configuration names
        #[argh(positional, arg_name = "path")]
        paths: Vec<String>,
    }

    /// Record the present state as trusted; print a summary.
    #[argh(subcommand, name = "baseline")]
    Baseline {
        /// limit to these paths
        #[argh(positional, arg_name = "path")]
        paths: Vec<String>,
    }

    /// Compare with the trusted baseline, once. Exit status 1 when something changed.
    #[argh(subcommand, name = "check")]
    Check {
        /// read every byte, not only what its metadata says may have changed
        #[argh(switch)]
        full: bool,

        /// limit to these paths
        #[argh(positional, arg_name = "path")]
        paths: Vec<String>,
    }

    /// Show what this machine allows: the chosen watcher, and how well each class of change is seen.
    #[argh(subcommand, name = "doctor")]
    Doctor {}

    /// Show which rule covers a path (or why none does) and which package owns it. Exit status 1 if none covers it.
    #[argh(subcommand, name = "explain")]
    Explain {
        /// the path; it need not exist
        #[argh(positional, arg_name = "path")]
        path: String,
    }

    /// Prove that a log of lines is whole and in order, or name the first break. Exit status 1 if it is broken.
    #[argh(subcommand, name = "verify")]
    Verify {
        /// accept lines out of order, repeated, or from several hosts; sort each chain first
        #[argh(switch)]
        unordered: bool,

        /// the key the lines are sealed with, if they are
        #[argh(option, arg_name = "file")]
        key: Option<String>,

        /// the public key that verifies the chain's signatures: 64 hexadecimal digits, or a file of them
        #[argh(option, arg_name = "key")]
        public_key: Option<String>,

        /// logs, the oldest first; - is standard input
        #[argh(positional, arg_name = "log")]
        logs: Vec<String>,
    }

    /// Write a self-contained HTML page from logs. It shows a timeline, filters, diffs, gaps and broken chains.
    #[argh(subcommand, name = "report")]
    Report {
        /// the page to write
        #[argh(option, arg_name = "file")]
        html: String,

        /// the key the lines are sealed with, if they are
        #[argh(option, arg_name = "file")]
        key: Option<String>,

        /// logs of one host or of several; - is standard input
        #[argh(positional, arg_name = "log")]
        logs: Vec<String>,
    }

    /// Show the running agent's status: uptime, watched files, findings, losses and recoveries, queue, watcher.
    #[argh(subcommand, name = "status")]
    Status {}

    /// Make every kind of change in a scratch directory; show which were reported, how soon, and whether with the right actor.
    #[argh(subcommand, name = "selftest")]
    Selftest {
        /// print JSON, an object a line, instead of a table
        #[argh(switch)]
        json: bool,

        /// only the changes whose names contain this; may be repeated
        #[argh(option, arg_name = "word")]
        only: Vec<String>,

        /// where to make the scratch directory (default: the directory for temporary files)
        #[argh(positional, arg_name = "dir")]
        dir: Option<String>,
    }

    /// Check the configuration and print the effective one.
    #[argh(subcommand, name = "config")]
    Config {
        /// print a commented file with every default, to begin with
        #[argh(switch)]
        default: bool,

        /// show which paths this configuration would gain and lose compared with the one in effect
        #[argh(option, arg_name = "file")]
        plan: Option<String>,

        /// with --plan: the file is one more of conf.d, not a whole configuration
        #[argh(switch)]
        drop_in: bool,

        /// convert a configuration of bpfink and print the result
        #[argh(option, arg_name = "file")]
        from_bpfink: Option<String>,
    }
}

/// The options every subcommand takes, as given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// `--config`.
    pub config: Option<String>,
    /// `--state`.
    pub state: Option<String>,
    /// `--watcher`.
    pub watcher: Option<String>,
    /// `--format`.
    pub format: Option<String>,
    /// `--root`.
    pub root: Option<String>,
    /// How often `-v` was given, less how often `-q` was.
    pub verbosity: i16,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Watch.
    Run { paths: Vec<String> },
    /// Remove what is pinned.
    Unpin,
    /// Trust the present state.
    Baseline { paths: Vec<String> },
    /// Compare.
    Check { full: bool, paths: Vec<String> },
    /// Examine the machine.
    Doctor,
    /// Say why a path is watched.
    Explain { path: String },
    /// Ask the running agent.
    Status,
    /// Make every kind of change, and see which are reported.
    Selftest { json: bool, only: Vec<String>, dir: Option<String> },
    /// Prove that logs are whole.
    Verify { logs: Vec<String>, key: Option<String>, public_key: Option<String>, unordered: bool },
    /// Make a page of logs.
    Report { logs: Vec<String>, html: String, key: Option<String> },
    /// Print the configuration that holds.
    Config,
    /// Print a configuration to begin with.
    DefaultConfig,
    /// Say what another configuration would change.
    ComparePlan { file: String, drop_in: bool },
    /// Print what a configuration of bpfink comes to.
    FromBpfink { file: String },
}

/// A command line that asks for something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// What.
    pub command: Command,
    /// How.
    pub shared: Shared,
}

/// A command line that ends here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Early {
    /// Asked for: help or the version. Stdout, exit status 0.
    Asked(String),
    /// Not understood. Stderr, exit status 2.
    Wrong(String),
}

/// Reads the arguments after the name of the program.
///
/// # Errors
/// When there is nothing more to do than to print.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, Early> {
    let args = args.into_iter().map(OsString::into_string).collect::<Result<Vec<_>, _>>().map_err(|raw| {
        Early::Wrong(format!(
            "the argument {raw:?} is not valid UTF-8; name such a path by a directory above it, \
                 or by a glob in the configuration"
        ))
    })?;
    if let Some(outcome) = generate::asked(&args) {
        return Err(outcome);
    }
    let args = normal::normalise(&args);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();

    let fim = Fim::from_args(&["fim"], &args).map_err(|exit| match exit.status {
        Ok(()) => Early::Asked(exit.output),
        Err(()) => Early::Wrong(advice::advise(&exit.output, &args, &Fim::get_args_info())),
    })?;
    if fim.version {
        return Err(Early::Asked(format!("fim {}", env!("CARGO_PKG_VERSION"))));
    }
    let Some(parsed) = fim.command else {
        return Err(Early::Wrong("no command given; see fim --help".to_owned()));
    };
    let shared = parsed.shared();
    let command = match parsed {
        Parsed::Run(args) if args.unpin && !args.paths.is_empty() => {
            return Err(Early::Wrong("--unpin only removes what is pinned: it takes no paths".to_owned()));
        }
        Parsed::Run(args) if args.unpin => Command::Unpin,
        Parsed::Run(args) => Command::Run { paths: args.paths },
        Parsed::Baseline(args) => Command::Baseline { paths: args.paths },
        Parsed::Check(args) => Command::Check { full: args.full, paths: args.paths },
        Parsed::Doctor(_) => Command::Doctor,
        Parsed::Explain(args) => Command::Explain { path: args.path },
        Parsed::Verify(Verify { logs, .. }) | Parsed::Report(Report { logs, .. }) if logs.is_empty() => {
            return Err(Early::Wrong("name at least one log; - is standard input".to_owned()));
        }
        Parsed::Verify(args) => Command::Verify {
            logs: args.logs,
            key: args.key,
            public_key: args.public_key,
            unordered: args.unordered,
        },
        Parsed::Report(args) => Command::Report { logs: args.logs, html: args.html, key: args.key },
        Parsed::Status(_) => Command::Status,
        Parsed::Config(args) => config(args)?,
        Parsed::Selftest(args) => Command::Selftest { json: args.json, only: args.only, dir: args.dir },
    };
    Ok(Invocation { command, shared })
}

fn config(args: Config) -> Result<Command, Early> {
    let drop_in = args.drop_in;
    match (args.default, args.plan, args.from_bpfink) {
        (false, Some(file), None) => Ok(Command::ComparePlan { file, drop_in }),
        _ if drop_in => Err(Early::Wrong("--drop-in needs --plan".to_owned())),
        (false, None, None) => Ok(Command::Config),
        (true, None, None) => Ok(Command::DefaultConfig),
        (false, None, Some(file)) => Ok(Command::FromBpfink { file }),
        _ => Err(Early::Wrong("--default, --plan and --from-bpfink exclude each other".to_owned())),
    }
}

#[cfg(test)]
mod tests;
