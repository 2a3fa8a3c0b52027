//! `[metrics]`: where metrics go.

use super::Span;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// `[metrics]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Host and port of a carbon daemon (plaintext protocol, TCP), or `"stderr"`: lines there begin with
    /// `METRICS_HOUR: ` or `METRICS_MINUTE: `.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub graphite: Option<Graphite>,
    /// Put in front of Graphite's names unchanged: end it with a dot.
    pub namespace: String,
    /// What the host is for, in Graphite's names (`unknown_role` if not given); or `{ file =
    /// "/etc/role", key = "role", separator = ":" }`, the value of the first line of that key.
    #[serde(skip_serializing_if = "Role::is_unknown")]
    pub role: Role,
    /// A file for node_exporter's textfile collector, replaced in one step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub textfile: Option<PathBuf>,
    /// An address of the loopback interface that answers `GET /metrics`, such as `"127.0.0.1:9469"`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loopback")]
    pub listen: Option<SocketAddr>,
    /// How often lines and the file are written; once more at the end, with `fim_watching` 0.
    pub every: Span,
    /// Have the kernel measure each BPF program, for metrics and `fim status`. It then reads the clock
    /// twice in every run of every BPF program on the machine, which costs more than most of these
    /// programs.
    pub bpf_cost: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            graphite: None,
            namespace: String::new(),
            role: Role::Unknown,
            textfile: None,
            listen: None,
            every: Span(Duration::from_secs(30)),
            bpf_cost: false,
        }
    }
}

impl Metrics {
    /// Whether they go to another process by the network.
    pub const fn reaches_out(&self) -> bool {
        matches!(self.graphite, Some(Graphite::Tcp(_)))
    }
}

/// Where Graphite's lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Graphite {
    /// To a host and port, by TCP.
    Tcp(String),
    /// To standard error, with a prefix that tells them from other lines.
    Stderr,
}

impl fmt::Display for Graphite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp(address) => address,
            Self::Stderr => "stderr",
        })
    }
}

impl Serialize for Graphite {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Graphite {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        match (text.as_str(), port) {
            ("stderr", _) => Ok(Self::Stderr),
            (_, Some(_)) => Ok(Self::Tcp(text)),
            _ => Err(D::Error::custom(format!(
                "\"{text}\" is no place for metrics: write a host and port, like \"127.0.0.1:2003\", or \"stderr\""
            ))),
        }
    }
}

/// What the host is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Role {
    /// Nobody said.
    #[default]
    Unknown,
    /// This.
    Named(String),
    /// The value of a key in a file of keys and values.
    In {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// What is between a key and its value.
        separator: String,
    },
}

impl Role {
    const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

fn loopback<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let address = SocketAddr::deserialize(from)?;
    if address.ip().is_loopback() {
        Ok(Some(address))
    } else {
        Err(D::Error::custom(format!(
            "{address} is not on the loopback interface: write like \"127.0.0.1:9469\"; what a whole network is to \
             read is better left to node_exporter, by `textfile`"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_said() {
        let text = "graphite = 'carbon:2003'\nnamespace = 'a.'\nrole = 'web'\ntextfile = '/t/fim.prom'\n\
            listen = '[::1]:9469'\nevery = '1m'\n";
        let metrics: Metrics = toml::from_str(text).unwrap();
        assert_eq!(metrics.graphite, Some(Graphite::Tcp("carbon:2003".to_owned())));
        assert_eq!(metrics.role, Role::Named("web".to_owned()));
        assert_eq!(toml::from_str::<Metrics>(&toml::to_string(&metrics).unwrap()).unwrap(), metrics);
        let role: Metrics =
            toml::from_str("role = { file = '/etc/role', key = 'role', separator = '=' }").unwrap();
        assert!(matches!(role.role, Role::In { .. }));
        assert_eq!(toml::from_str::<Metrics>("").unwrap(), Metrics::default());
        for (text, said) in [
            ("graphite = 'carbon'", "a host and port"),
            ("graphite = 'carbon:x'", "a host and port"),
            ("listen = '0.0.0.0:9469'", "not on the loopback"),
            ("listen = '9469'", "invalid"),
            ("port = 1", "unknown field"),
        ] {
            let error = toml::from_str::<Metrics>(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
