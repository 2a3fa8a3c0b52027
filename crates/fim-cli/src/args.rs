//! The command line: subcommands, options, help. Knows nothing of files, configuration or watching.

mod advice;
mod generate;
mod manual;
mod normal;

use argh::{ArgsInfo, FromArgs};
use std::ffi::OsString;

/// Watch files, and say who changed what.
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
        "check found changes, verify a break, doctor or selftest fell short, or nothing covers the path to explain"
    ),
    error_code(2, "It could not be done, and standard error says why")
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

                /// say more on stderr; twice: say much more
                #[argh(switch, short = 'v')]
                verbose: u8,

                /// say only errors on stderr
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
        /// do not watch: remove what earlier starts with [pins] left in the kernel
        #[argh(switch)]
        unpin: bool,

        /// watch these, instead of what the configuration names
        #[argh(positional, arg_name = "path")]
        paths: Vec<String>,
    }

    /// Record the present state as trusted; print a summary.
    #[argh(subcommand, name = "baseline")]
    Baseline {
        /// only these
        #[argh(positional, arg_name = "path")]
        paths: Vec<String>,
    }

    /// Compare with the trusted baseline, once. Exit status 1 when something changed.
    #[argh(subcommand, name = "check")]
    Check {
        /// read every byte, not only what its metadata says may have changed
        #[argh(switch)]
        full: bool,

        /// only these
        #[argh(positional, arg_name = "path")]
        paths: Vec<String>,
    }

    /// Say what this machine allows: the chosen watcher, and how well each class of change is seen.
    #[argh(subcommand, name = "doctor")]
    Doctor {}

    /// Say which rule, consumer and watch covers a path, and why not if none does; which package has it. Exit status 1 if
    /// none covers it.
    #[argh(subcommand, name = "explain")]
    Explain {
        /// the path; it need not exist
        #[argh(positional, arg_name = "path")]
        path: String,
    }

    /// Prove that a log of lines is whole and in order, or name the first break. Exit status 1 if it is broken.
    #[argh(subcommand, name = "verify")]
    Verify {
        /// the lines may be in any order, again, and of several hosts: put those of each chain in order first
        #[argh(switch)]
        unordered: bool,

        /// the key the lines are sealed under, where they are
        #[argh(option, arg_name = "file")]
        key: Option<String>,

        /// the public key by which the chain is signed: 64 hexadecimal digits, or a file of them
        #[argh(option, arg_name = "key")]
        public_key: Option<String>,

        /// logs, the oldest first; - is standard input
        #[argh(positional, arg_name = "log")]
        logs: Vec<String>,
    }

    /// Make a page to look at of logs: timeline, filters, diffs, gaps and broken chains. It loads nothing.
    #[argh(subcommand, name = "report")]
    Report {
        /// the page to write
        #[argh(option, arg_name = "file")]
        html: String,

        /// the key the lines are sealed under, where they are
        #[argh(option, arg_name = "file")]
        key: Option<String>,

        /// logs, of one host or of several; - is standard input
        #[argh(positional, arg_name = "log")]
        logs: Vec<String>,
    }

    /// Say how the running agent is: uptime, watched files, findings, losses and recoveries, queue, watcher.
    #[argh(subcommand, name = "status")]
    Status {}

    /// Make every kind of change in a scratch directory, and show which were reported, how soon, with the right actor.
    #[argh(subcommand, name = "selftest")]
    Selftest {
        /// print JSON, an object a line, instead of a table
        #[argh(switch)]
        json: bool,

        /// only the ways whose names contain this; may be given again
        #[argh(option, arg_name = "word")]
        only: Vec<String>,

        /// where the scratch directory is made (default the directory for temporary files)
        #[argh(positional, arg_name = "dir")]
        dir: Option<String>,
    }

    /// Check the configuration and print the effective one.
    #[argh(subcommand, name = "config")]
    Config {
        /// print a commented file with every default, to begin with
        #[argh(switch)]
        default: bool,

        /// say which paths this configuration would gain and lose against the one that holds
        #[argh(option, arg_name = "file")]
        plan: Option<String>,

        /// with --plan: the file is one more of conf.d, not a whole configuration
        #[argh(switch)]
        drop_in: bool,

        /// print what a configuration of bpfink comes to here
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
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn read(line: &str) -> Result<Invocation, Early> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_stand_on_either_side_of_the_command() {
        let expected = Invocation {
            command: Command::Run { paths: vec!["/a".into(), "/b".into()] },
            shared: Shared {
                config: Some("/c".into()),
                state: Some("/s".into()),
                watcher: Some("bpf".into()),
                format: Some("json".into()),
                root: Some("/r".into()),
                verbosity: 2,
            },
        };
        for line in [
            "run --config /c --state /s --watcher bpf --format json --root /r -v -v /a /b",
            "run /a --config /c --state /s --watcher bpf /b --format json --root /r -vv",
            "--config /c -v --state /s --watcher bpf run --format json --root /r -v /a /b",
            "--config=/c --state=/s run --watcher=bpf --format=json --root=/r -vv -- /a /b",
        ] {
            assert_eq!(read(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn commands() {
        for (line, command) in [
            ("run", Command::Run { paths: vec![] }),
            ("run --unpin", Command::Unpin),
            ("baseline /a", Command::Baseline { paths: vec!["/a".into()] }),
            ("check", Command::Check { full: false, paths: vec![] }),
            ("check --full a", Command::Check { full: true, paths: vec!["a".into()] }),
            ("check -- -a", Command::Check { full: false, paths: vec!["-a".into()] }),
            ("doctor", Command::Doctor),
            ("explain /a", Command::Explain { path: "/a".into() }),
            (
                "verify a - --key /k",
                Command::Verify {
                    logs: vec!["a".into(), "/dev/stdin".into()],
                    key: Some("/k".into()),
                    public_key: None,
                    unordered: false,
                },
            ),
            (
                "report --html /p a -",
                Command::Report { logs: vec!["a".into(), "/dev/stdin".into()], html: "/p".into(), key: None },
            ),
            ("status", Command::Status),
            ("selftest", Command::Selftest { json: false, only: vec![], dir: None }),
            (
                "selftest --json --only=uring --only mmap /mnt",
                Command::Selftest {
                    json: true,
                    only: vec!["uring".into(), "mmap".into()],
                    dir: Some("/mnt".into()),
                },
            ),
            ("config", Command::Config),
            ("config --default", Command::DefaultConfig),
            ("config --plan=/n", Command::ComparePlan { file: "/n".into(), drop_in: false }),
            ("config --plan=/n --drop-in", Command::ComparePlan { file: "/n".into(), drop_in: true }),
            ("config --from-bpfink=/b", Command::FromBpfink { file: "/b".into() }),
        ] {
            assert_eq!(read(line).unwrap().command, command, "{line}");
        }
        assert_eq!(read("config -q").unwrap().shared.verbosity, -1);
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for line in ["--help", "-h", "help", "run --help", "--state /s run -h", "help run"] {
            assert!(matches!(read(line), Err(Early::Asked(_))), "{line}");
        }
        for line in ["--version", "run --version", "--version run"] {
            let Err(Early::Asked(text)) = read(line) else {
                panic!("{line}");
            };
            assert!(text.starts_with("fim "), "{text}");
        }
    }

    #[test]
    fn wrong_arguments() {
        for line in [
            "",
            "walk",
            "run --colour",
            "run --unpin /etc",
            "run --state",
            "--full run",
            "config /etc",
            "doctor /etc",
            "explain",
            "explain /a /b",
            "verify",
            "report a",
            "report --html /p",
            "config --default --plan /n",
            "config --drop-in",
            "config --drop-in --from-bpfink /b",
            "config --plan /n --from-bpfink /b",
            "run --state /a --state /b",
            "-v",
        ] {
            assert!(matches!(read(line), Err(Early::Wrong(_))), "{line}");
        }
        let raw = OsString::from_vec(b"/tmp/\xff".to_vec());
        let Err(Early::Wrong(text)) = parse(["run".into(), raw]) else {
            panic!();
        };
        assert!(text.contains("UTF-8"), "{text}");
    }
}
