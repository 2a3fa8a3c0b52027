//! Which machine speaks.

use serde::Serialize;

/// In a container the name of the machine is known from outside alone.
const NAME: &str = "FIM_HOSTNAME";

/// `host` of every line.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    /// The name it gives itself.
    pub hostname: String,
    /// Its machine id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Host {
    /// This machine.
    pub fn this() -> Self {
        let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
        let id = id.trim();
        let is_id = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        let named = std::env::var(NAME).ok().filter(|name| !name.is_empty());
        Self {
            hostname: named
                .unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned()),
            id: is_id.then(|| id.to_owned()),
        }
    }
}
