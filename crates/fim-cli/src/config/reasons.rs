//! `[packages]`, `[[maintenance]]` and `[[writer]]`: what may explain a change.

use super::{Config, ConfigError, Plan};
use fim_explainers::{Days, Window, Writer as Trusted};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[packages]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Packages {
    /// Check changed files against the databases of dpkg and rpm below `root`. Content that the installed
    /// version has there is explained, and routine unless mode, owner or attributes changed with it. Any
    /// other content, in a file that is not for configuration, is reported as `package_mismatch`, severity
    /// 70. (Only rpm databases in SQLite are read: RHEL 9, Fedora 33, Amazon Linux 2023 and later.)
    pub verify: bool,
}

impl Default for Packages {
    fn default() -> Self {
        Self { verify: true }
    }
}

/// One `[[maintenance]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Its name in the lines.
    pub name: String,
    /// Days on which it opens: `mon` `tue` `wed` `thu` `fri` `sat` `sun`. Every day, if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// Time of day at which it opens, by the machine's clock and time zone: `"23:00"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Time of day at which it closes; past midnight if it is not later than `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Instead of times: open while this file exists and belongs to root (or to the user `fim` runs as).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub while_exists: Option<PathBuf>,
    /// Lowers severity 40 to 10 for the changes it explains.
    #[serde(default)]
    pub lower: bool,
}

/// One `[[writer]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// Its name in the lines.
    pub name: String,
    /// SHA-256 of the program it runs: any of these (`sha256sum "$(readlink -f /proc/PID/exe)"`). An
    /// interpreter runs whatever it is given: name its control group too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sha256: Vec<String>,
    /// It runs in one of these control groups, or below one. Give the whole path, as in `/proc/PID/cgroup`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cgroup: Vec<String>,
    /// Lowers severity 40 to 10 when no other process contributed to the change.
    #[serde(default)]
    pub lower: bool,
}

/// A value that cannot be used, and why.
type Fault<'a> = (&'a str, String);

impl Config {
    /// The windows.
    ///
    /// # Errors
    /// The first that can never open, or whose times are none.
    pub fn windows(&self) -> Result<Vec<Window>, Fault<'_>> {
        self.maintenance.iter().map(Maintenance::window).collect()
    }

    /// The trusted writers.
    ///
    /// # Errors
    /// The first that stands for nobody, or of which something is no digest or control group.
    pub fn writers(&self) -> Result<Vec<Trusted>, Fault<'_>> {
        self.writer.iter().map(Writer::trusted).collect()
    }

    /// Whether a writer is trusted by what it runs.
    pub fn asks_for_programs(&self) -> bool {
        self.writer.iter().any(|writer| !writer.sha256.is_empty())
    }
}

impl Maintenance {
    fn window(&self) -> Result<Window, Fault<'_>> {
        let lower = self.lower;
        match (&self.from, &self.to, &self.while_exists) {
            (Some(from), Some(to), None) => {
                let days = if self.days.is_empty() { Ok(Days::all()) } else { Days::parse(&self.days) };
                let days = days.map_err(|error| (self.wrong_day(), error.to_string()))?;
                Window::between(&self.name, days, from, to, lower).map_err(|error| {
                    let text = error.to_string();
                    (if text.starts_with(&format!("\"{from}\"")) { from.as_str() } else { to.as_str() }, text)
                })
            }
            (None, None, Some(file)) if self.days.is_empty() && file.is_absolute() => {
                Ok(Window::while_exists(&self.name, file.clone(), lower))
            }
            (None, None, Some(file)) if self.days.is_empty() => {
                let file = file.to_str().unwrap_or(&self.name);
                Err((file, format!("the path \"{file}\" is not absolute")))
            }
            _ => {
                let what = "a window is either between `from` and `to`, on some `days` if you like, or open \
                            for as long as the file of `while_exists` is there";
                Err((&self.name, what.to_owned()))
            }
        }
    }

    fn wrong_day(&self) -> &str {
        let is_wrong = |day: &&String| Days::parse(std::slice::from_ref(*day)).is_err();
        self.days.iter().find(is_wrong).map_or(&self.name, |day| day)
    }
}

impl Writer {
    fn trusted(&self) -> Result<Trusted, Fault<'_>> {
        if self.sha256.is_empty() && self.cgroup.is_empty() {
            let what = "name the `sha256` of what it runs, or its `cgroup`: nobody is trusted by name";
            return Err((&self.name, what.to_owned()));
        }
        if let Some(group) = self.cgroup.iter().find(|group| !group.starts_with('/')) {
            let what = format!(
                "\"{group}\" is no control group: write it from the root, like \"/system.slice/x.service\""
            );
            return Err((group, what));
        }
        Ok(Trusted {
            name: self.name.clone(),
            sha256: self.sha256.iter().map(|digits| digest(digits)).collect::<Result<_, _>>()?,
            cgroups: self.cgroup.clone(),
            lowers: self.lower,
        })
    }
}

fn digest(digits: &str) -> Result<[u8; 32], Fault<'_>> {
    // As many digits as BLAKE3 has.
    let digest = blake3::Hash::from_hex(digits).ok().map(|hash| *hash.as_bytes());
    digest.ok_or_else(|| (digits, format!("\"{digits}\" is no SHA-256: it has 64 hexadecimal digits")))
}

impl Plan {
    /// That every window and every writer can be used.
    pub(super) fn check_reasons(&self) -> Result<(), ConfigError> {
        let fault = |(value, what): Fault<'_>| self.fault(value, what);
        self.config.windows().map_err(fault)?;
        self.config.writers().map_err(fault)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Shared;
    use crate::config::load::join;

    fn plan(text: &str) -> Result<Plan, ConfigError> {
        Plan::new(join(vec![("/f.toml".into(), text.to_owned())])?, &Shared::default())
    }

    #[test]
    fn windows_and_writers() {
        let text = format!(
            "[[maintenance]]\nname = 'a'\ndays = ['sun', 'Mon']\nfrom = '23:00'\nto = '01:30:00'\n\
             [[maintenance]]\nname = 'b'\nwhile_exists = '/run/x'\nlower = true\n\
             [[writer]]\nname = 'c'\nsha256 = ['{}']\n[[writer]]\nname = 'd'\ncgroup = ['/x.service']\n",
            "aB".repeat(32)
        );
        let plan = plan(&text).unwrap();
        assert_eq!(plan.config.windows().unwrap().len(), 2);
        let writers = plan.config.writers().unwrap();
        assert_eq!((writers[0].sha256.as_slice(), writers[1].lowers), (&[[0xab; 32]][..], false));
        assert!(plan.config.packages.verify && !plan.config.generic.is_empty(), "they name nothing to watch");
        let printed = toml::to_string(&plan.config).unwrap();
        assert_eq!(crate::config::load::parse(&printed).unwrap(), plan.config, "{printed}");
    }

    #[test]
    fn what_cannot_be_used_names_its_line() {
        for (text, said) in [
            ("[[maintenance]]\nname = 'w'\nfrom = '02:00'\n", ":2: a window is either"),
            ("[[maintenance]]\nname = 'w'\nfrom = '02:00'\nto = '26:00'\n", ":4: \"26:00\" is no time"),
            ("[[maintenance]]\nname = 'w'\nfrom = '1'\nto = '2:00'\n", ":3: \"1\" is no time"),
            (
                "[[maintenance]]\nname = 'w'\ndays = ['sun',\n'x']\nfrom = '01:00'\nto = '02:00'\n",
                ":4: \"x\" is no day",
            ),
            ("[[maintenance]]\nname = 'w'\nwhile_exists = 'x'\n", "is not absolute"),
            ("[[writer]]\nname = 'w'\n", ":2: name the `sha256`"),
            ("[[writer]]\nname = 'w'\ncgroup = ['x']\n", ":3: \"x\" is no control group"),
            ("[[writer]]\nname = 'w'\nsha256 = ['12']\n", ":3: \"12\" is no SHA-256"),
            ("[[writer]]\nexecutable = 'w'\n", ":2: unknown key"),
        ] {
            let error = plan(text).map(drop).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
