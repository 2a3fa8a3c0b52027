//! Reads the configuration file and says what is wrong with it: file, line, key, and what was meant.

use super::Config;
use super::layers::Layers;
use super::origin::{Origins, line_at};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Read when no other is named; it may be missing.
pub const DEFAULT_FILE: &str = "/etc/fim/fim.toml";
/// The folder of drop-in files, beside the main file.
const DROP_INS: &str = "conf.d";

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, where the fault is in one.
    pub file: Option<PathBuf>,
    /// Its line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl ConfigError {
    /// A fault outside any file.
    pub fn new(what: impl Into<String>) -> Self {
        Self { file: None, line: None, what: what.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for ConfigError {}

/// A configuration and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// Which file and line says what.
    pub origins: Origins,
    /// The files it was read from, in the order they were.
    files: Vec<(PathBuf, String)>,
}

impl Loaded {
    /// The file and line on which a text value stands.
    pub fn place(&self, value: &str) -> Option<(&Path, usize)> {
        self.files.iter().find_map(|(file, text)| Some((file.as_path(), line_with(text, value)?)))
    }

    /// The line of a text value behind the start of the key it belongs to, in the file of the key.
    pub fn line_behind(&self, file: &Path, key_line: usize, value: &str) -> Option<usize> {
        let (_, text) = self.files.iter().find(|(known, _)| known == file)?;
        let above = key_line.checked_sub(1)?;
        let start: usize = text.split_inclusive('\n').take(above).map(str::len).sum();
        line_with(text.get(start..)?, value).map(|line| above + line)
    }

    /// An error about a value of the configuration, with the line it stands on.
    pub fn fault(&self, value: &str, what: impl Into<String>) -> ConfigError {
        let (file, line) = self.place(value).unzip();
        ConfigError { file: file.map(Path::to_owned), line, what: what.into() }
    }
}

/// Reads the named file, or the default one if there is one, and the drop-in files beside it.
///
/// # Errors
/// When one cannot be read, or says what cannot be understood.
pub fn load(named: Option<&Path>) -> Result<Loaded, ConfigError> {
    let drop_ins = drop_ins(main_file(named))?;
    read_all(named, drop_ins)
}

/// As [`load`], with one more drop-in file, that may lie anywhere: in the place that its name would have among the
/// others, instead of one that has its name.
///
/// # Errors
/// As [`load`], or when it would not be read in the folder of drop-in files.
pub fn with_drop_in(named: Option<&Path>, file: &Path) -> Result<Loaded, ConfigError> {
    if !is_drop_in(file) {
        let what = format!("would not be read in {DROP_INS}: it is to be called NAME.toml, and not hidden");
        return Err(ConfigError { file: Some(file.to_owned()), line: None, what });
    }
    let mut drop_ins = drop_ins(main_file(named))?;
    drop_ins.retain(|other| other.file_name() != file.file_name());
    drop_ins.push(file.to_owned());
    drop_ins.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
    read_all(named, drop_ins)
}

fn read_all(named: Option<&Path>, drop_ins: Vec<PathBuf>) -> Result<Loaded, ConfigError> {
    let main = main_file(named);
    let mut files = Vec::new();
    match std::fs::read_to_string(main) {
        Ok(text) => files.push((main.to_owned(), text)),
        Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(main, &error)),
    }
    for file in drop_ins {
        let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
        files.push((file, text));
    }
    join(files)
}

fn main_file(named: Option<&Path>) -> &Path {
    named.unwrap_or_else(|| Path::new(DEFAULT_FILE))
}

/// Where [`load`] looks: the main file and the folder of drop-in files, there or not.
pub fn places(named: Option<&Path>) -> [PathBuf; 2] {
    let main = main_file(named);
    [main.to_owned(), main.with_file_name(DROP_INS)]
}

/// The files that [`load`] reads now; the main one may be missing.
///
/// # Errors
/// When the folder of drop-in files cannot be listed.
pub fn files(named: Option<&Path>) -> Result<Vec<PathBuf>, ConfigError> {
    let main = main_file(named);
    let mut files = vec![main.to_owned()];
    files.extend(drop_ins(main)?);
    Ok(files)
}

/// `conf.d/*.toml` beside the main file, in the order of their names.
fn drop_ins(main: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let dir = main.with_file_name(DROP_INS);
    let mut files = Vec::new();
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(files);
        }
        Err(error) => return Err(unreadable(&dir, &error)),
    };
    for entry in entries {
        let file = entry.map_err(|error| unreadable(&dir, &error))?.path();
        if is_drop_in(&file) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn is_drop_in(file: &Path) -> bool {
    let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && file.extension().is_some_and(|extension| extension == "toml")
}

fn unreadable(file: &Path, error: &std::io::Error) -> ConfigError {
    let advice = if error.kind() == ErrorKind::NotFound {
        "; `fim config --default` prints one to begin with"
    } else {
        ""
    };
    ConfigError {
        file: Some(file.to_owned()),
        line: None,
        what: format!("cannot read the configuration: {error}{advice}"),
    }
}

/// Takes files, with their text, as one configuration. Each is held to the rules by itself, so that a fault is
/// told with its file and line.
///
/// # Errors
/// When one says what cannot be understood.
pub fn join(files: Vec<(PathBuf, String)>) -> Result<Loaded, ConfigError> {
    let mut layers = Layers::default();
    for (file, text) in &files {
        parse(text).map_err(|(line, what)| ConfigError { file: Some(file.clone()), line, what })?;
        layers.add(file, text);
    }
    let config: Config =
        layers.table.try_into().map_err(|error: toml::de::Error| ConfigError::new(error.message()))?;
    Ok(Loaded { config: config.or_builtin(), origins: layers.origins, files })
}

/// The configuration of a text, or the line, where it is known, and what is wrong.
pub(super) fn parse(text: &str) -> Result<Config, (Option<usize>, String)> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_at(text, span.start));
        (line, explain(error.message()))
    })
}

/// The line on which a value stands, as a string of its own if there is one such.
fn line_with(text: &str, value: &str) -> Option<usize> {
    let find = |wanted: &str| {
        text.lines().position(|line| !line.trim_start().starts_with('#') && line.contains(wanted))
    };
    find(&format!("\"{value}\""))
        .or_else(|| find(&format!("'{value}'")))
        .or_else(|| find(value))
        .map(|index| index + 1)
}

/// Adds the nearest known word to the messages in which serde names an unknown one:
/// ``unknown field `a`, expected one of `b`, `c` ``.
fn explain(message: &str) -> String {
    if let Some(text) = message
        .strip_prefix("invalid type: string ")
        .and_then(|rest| rest.strip_suffix(", expected a sequence"))
    {
        return format!("{text} is to be a list: write [{text}]");
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let (Some(given), known) = (words.next(), words) else {
        return message.to_owned();
    };
    if let Some(of) = ["unknown field", "unknown variant"].iter().find(|start| message.starts_with(**start)) {
        let what = if *of == "unknown field" { "key" } else { "value" };
        let known: Vec<&str> = known.collect();
        let nearest = known
            .iter()
            .map(|word| (strsim::damerau_levenshtein(given, word), word))
            .min()
            .filter(|(distance, word)| *distance <= word.len().max(given.len()) / 2);
        return match nearest {
            Some((_, word)) => format!("unknown {what} `{given}`; did you mean `{word}`?"),
            None => format!("unknown {what} `{given}`; known here: {}", known.join(", ")),
        };
    }
    if message.starts_with("missing field") {
        return format!("the key `{given}` is missing here");
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Shared;
    use crate::config::{Generic, Hash, Plan, Size, WatcherChoice};

    const WHOLE: &str = r#"
state   = "/s"
watcher = "fanotify"
format  = "pretty"
root    = "/r"

[limits]
max_file_size = "2 MiB"

[users]
passwd = "/etc/passwd"

[access]
paths = ["/etc/security/access.conf"]

[[generic]]
paths   = ["/etc", "/usr/local/bin/**"]
exclude = ["**/*.swp"]
exclude_regex = ["~$"]
hash    = ["blake3", "sha256"]

[[generic_diff]]
paths  = ["/etc/sudoers"]
redact = ['(?i)(password|secret|token)\s*=\s*(.*)']
"#;

    #[test]
    fn everything_and_back() {
        let config = parse(WHOLE).unwrap();
        assert_eq!(config.watcher, WatcherChoice::Fanotify);
        assert_eq!(config.limits.max_file_size, Size(2 << 20));
        assert_eq!(config.generic[0].hash, [Hash::Blake3, Hash::Sha256]);
        assert_eq!(config.users.as_ref().unwrap().shadow, "/etc/shadow");
        let printed = toml::to_string(&config).unwrap();
        assert_eq!(parse(&printed).unwrap(), config, "{printed}");
    }

    #[test]
    fn nothing_said_is_the_default() {
        let config = parse("").unwrap().or_builtin();
        assert_eq!(config.generic, [Generic { paths: vec!["/etc".into()], ..Generic::default() }]);
        let printed = toml::to_string(&config).unwrap();
        assert_eq!(parse(&printed).unwrap(), config, "{printed}");
        assert_eq!(parse("[access]\n").unwrap().or_builtin().generic, []);
    }

    /// The commented settings of a text (`#key = …`) and its examples (`#     key = …`).
    fn commented(text: &str, prefix: &str) -> String {
        let is_toml = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase() || c == '[');
        text.lines()
            .filter_map(|line| line.strip_prefix(prefix))
            .filter(is_toml)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn the_default_file_says_the_defaults() {
        let text = crate::config::DEFAULT;
        assert_eq!(parse(text).unwrap(), Config::default());
        let settings = commented(text, "#");
        assert_eq!(parse(&settings).unwrap(), Config::default().or_builtin(), "{settings}");
        let examples = parse(&commented(text, "#     ")).unwrap();
        assert_eq!(examples.generic_diff.len(), 1);
        assert_eq!((examples.windows().unwrap().len(), examples.writers().unwrap().len()), (2, 1));
    }

    #[test]
    fn every_configuration_in_the_documentation_can_be_used() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let docs = std::fs::read_dir(top.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let mut found = 0;
        for file in docs.chain([top.join("README.md")]) {
            if file.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            for block in text.split("```toml\n").skip(1) {
                let block = block.split("```").next().unwrap();
                // All of it, as for `fim config`: patterns, times and digests too.
                let outcome = join(vec![(file.clone(), block.to_owned())])
                    .and_then(|loaded| Plan::new(loaded, &Shared::default()).map(drop));
                assert!(outcome.is_ok(), "{}: {outcome:?}\n{block}", file.display());
                found += 1;
            }
        }
        assert!(found > 0);
    }

    #[test]
    fn faults_name_the_line_and_the_nearest_key() {
        for (text, line, said) in [
            ("stat = '/s'\n", 1, "unknown key `stat`; did you mean `state`?"),
            ("\n[[generic]]\npath = ['/etc']\n", 3, "unknown key `path`; did you mean `paths`?"),
            ("[limits]\nfrobnicate = 1\n", 2, "known here: max_file_size, ring_bytes, watch_room"),
            ("\nwatcher = 'bfp'\n", 2, "did you mean `bpf`?"),
            ("[[generic]]\nexclude = []\n", 1, "the key `paths` is missing here"),
            ("[[generic]]\npaths = '/etc'\n", 2, "\"/etc\" is to be a list: write [\"/etc\"]"),
            ("[limits]\nmax_file_size = 'big'\n", 2, "is no size"),
            ("[limits]\nmax_file_size = -1\n", 2, "never negative"),
            ("state = \n", 1, "value"),
            ("\n\nformat = 'prety'\n", 3, "did you mean `pretty`?"),
            ("state = '/a'\nstate = '/b'\n", 2, "duplicate key"),
            ("[[generic]]\npaths = ['/a']\nhash = ['md5']", 3, "unknown value `md5`"),
        ] {
            let (at, what) = parse(text).unwrap_err();
            assert!(what.contains(said), "{text}: {what}");
            assert_eq!(at, Some(line), "{text}: {what}");
        }
    }

    #[test]
    fn a_missing_file_matters_only_when_named() {
        let missing = Path::new("/nonexistent/fim.toml");
        let error = load(Some(missing)).unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/fim.toml: cannot read"), "{error}");
    }

    #[test]
    fn drop_in_files_come_after_the_main_one() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join("fim.toml");
        let add = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        add("fim.toml", "state = '/a'\nroot = '/r'\n[[generic]]\npaths = ['/a']\n");
        std::fs::create_dir(dir.path().join("conf.d")).unwrap();
        add("conf.d/20.toml", "state = '/c'\n[[generic]]\npaths = ['/c']\n");
        add("conf.d/10.toml", "state = '/b'\n[limits]\nmax_file_size = 7\n[[generic]]\npaths = ['/b']\n");
        add("conf.d/30.toml.bak", "nonsense");
        add("conf.d/.30.toml", "nonsense");
        let loaded = load(Some(&main)).unwrap();
        assert_eq!(loaded.config.state, Path::new("/c"));
        assert_eq!(loaded.config.root, Path::new("/r"));
        assert_eq!(loaded.config.limits.max_file_size, Size(7));
        let paths: Vec<&str> = loaded.config.generic.iter().map(|it| it.paths[0].as_str()).collect();
        assert_eq!(paths, ["/a", "/b", "/c"]);
        assert_eq!(
            loaded.origins.of("generic[2].paths").to_string(),
            format!("{}:3", dir.path().join("conf.d/20.toml").display())
        );
        assert_eq!(loaded.place("/b").unwrap(), (dir.path().join("conf.d/10.toml").as_path(), 1));

        add("conf.d/20.toml", "\nstat = '/c'\n");
        let error = load(Some(&main)).unwrap_err().to_string();
        assert!(error.contains("conf.d/20.toml:2: unknown key `stat`"), "{error}");
    }
}
