//! The objects of OCSF that the lines are made of.

use super::super::container::{container, is_uuid};
use super::super::ecs::actor::login_uid;
use super::super::host::Host;
use super::super::names::Names;
use super::super::secret::Redactor;
use super::super::short::hex;
use super::super::{time, words};
use super::VERSION;
use fim_core::{Facts, FileKind, Parent};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
pub struct Metadata {
    version: &'static str,
    product: Product,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    pub log_name: String,
    sequence: u64,
    logged_time: i64,
    profiles: [&'static str; 3],
}

#[derive(Serialize)]
pub struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

impl Product {
    /// This program.
    pub const FIM: Self = Self { name: "fim", vendor_name: "fim", version: env!("CARGO_PKG_VERSION") };
}

impl Metadata {
    pub fn new(sequence: u64, logged_time: i64) -> Self {
        Self {
            version: VERSION,
            product: Product::FIM,
            uid: None,
            log_name: "fim.agent".to_owned(),
            sequence,
            logged_time,
            profiles: ["container", "host", "linux/linux_users"],
        }
    }
}

#[derive(Serialize)]
pub struct Device<'a> {
    hostname: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    type_id: u8,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl<'a> Device<'a> {
    pub fn of(host: &'a Host) -> Self {
        Self { hostname: &host.hostname, uid: host.id.as_deref(), type_id: 0, kind: "Unknown" }
    }
}

#[derive(Serialize)]
pub struct User {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    type_id: Option<u8>,
}

impl User {
    fn of(uid: u32, names: &Names) -> Self {
        Self { uid: Some(uid.to_string()), name: names.user(uid).map(str::to_owned), type_id: None }
    }

    /// OCSF demands an actor; this says that none is known.
    fn unknown() -> Self {
        Self { uid: None, name: Some("Unknown".to_owned()), type_id: Some(0) }
    }
}

#[derive(Serialize)]
pub struct Actor {
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<Process>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Uid>,
}

#[derive(Serialize)]
pub struct Uid {
    uid: String,
}

#[derive(Serialize)]
pub struct Process {
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cmd_line: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Uid>,
    /// Audit's user id: who logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    auid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Container>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_process: Option<Box<Self>>,
}

#[derive(Serialize)]
struct Container {
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestrator: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod_uuid: Option<String>,
}

impl Container {
    fn of(cgroup: &str) -> Option<Self> {
        let container = container(cgroup)?;
        Some(Self {
            uid: container.id.to_owned(),
            runtime: container.runtime,
            orchestrator: container.pod.as_ref().map(|_| "kubernetes"),
            // That of a static pod is none.
            pod_uuid: container.pod.filter(|uid| is_uuid(uid)),
        })
    }
}

impl Actor {
    pub fn of(actor: Option<&fim_core::Actor>, names: &Names, redactor: &Redactor) -> Self {
        let Some(actor) = actor else {
            return Self { process: None, user: Some(User::unknown()), session: None };
        };
        Self {
            process: Some(Process::of(actor, names, redactor)),
            user: actor.uid.map(|uid| User::of(uid, names)),
            session: actor.session.filter(|id| *id != u32::MAX).map(|id| Uid { uid: id.to_string() }),
        }
    }
}

impl Process {
    fn of(actor: &fim_core::Actor, names: &Names, redactor: &Redactor) -> Self {
        let args = redactor.args(&actor.args);
        Self {
            pid: actor.pid,
            name: actor.name.as_ref().map(|name| name.to_string_lossy().into_owned()),
            cmd_line: (!args.is_empty()).then(|| words::command_line(&args)),
            file: actor.executable.as_deref().map(File::named),
            created_time: actor.start.map(time::milliseconds),
            user: actor.uid.map(|uid| User::of(uid, names)),
            group: actor.gid.map(|gid| Uid { uid: gid.to_string() }),
            auid: login_uid(actor),
            container: actor.cgroup.as_deref().and_then(Container::of),
            parent_process: actor.parent.as_ref().map(|parent| Box::new(Self::of_parent(parent))),
        }
    }

    fn of_parent(parent: &Parent) -> Self {
        Self {
            pid: parent.pid,
            name: parent.name.as_ref().map(|name| name.to_string_lossy().into_owned()),
            cmd_line: None,
            file: parent.executable.as_deref().map(File::named),
            created_time: parent.start.map(time::milliseconds),
            user: None,
            group: None,
            auid: None,
            container: None,
            parent_process: None,
        }
    }
}

#[derive(Serialize)]
pub struct File {
    name: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_folder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext: Option<String>,
    type_id: u8,
    #[serde(rename = "type")]
    kind: &'static str,
    /// The inode.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_time: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Fingerprint>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_deleted: bool,
}

#[derive(Serialize)]
pub struct Fingerprint {
    algorithm_id: u8,
    algorithm: &'static str,
    value: String,
}

impl File {
    /// A file of which only the name is known.
    fn named(path: &Path) -> Self {
        let lossy = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
        Self {
            name: lossy(path.file_name().unwrap_or(path.as_os_str())),
            path: lossy(path.as_os_str()),
            parent_folder: path.parent().map(|dir| lossy(dir.as_os_str())),
            ext: path.extension().map(lossy),
            type_id: 0,
            kind: "Unknown",
            uid: None,
            owner: None,
            size: None,
            modified_time: None,
            hashes: Vec::new(),
            is_deleted: false,
        }
    }

    /// A file as a look found it.
    pub fn of(path: &Path, facts: Option<&Facts>, hidden: bool, names: &Names) -> Self {
        let mut file = Self::named(path);
        let Some(facts) = facts else {
            return file;
        };
        (file.type_id, file.kind) = match facts.kind {
            FileKind::File => (1, "Regular File"),
            FileKind::Dir => (2, "Folder"),
            FileKind::CharDevice => (3, "Character Device"),
            FileKind::BlockDevice => (4, "Block Device"),
            FileKind::Socket => (5, "Local Socket"),
            FileKind::Fifo => (6, "Named Pipe"),
            FileKind::Symlink => (7, "Symbolic Link"),
        };
        if facts.kind == FileKind::Dir {
            file.ext = None;
        } else {
            file.size = Some(facts.size);
        }
        file.uid = Some(facts.inode.to_string());
        file.owner = Some(User::of(facts.uid, names));
        let of_seconds = facts.mtime.seconds.saturating_mul(1000);
        file.modified_time = Some(of_seconds.saturating_add(i64::from(facts.mtime.nanos / 1_000_000)));
        if !hidden {
            let hash = |algorithm_id, algorithm, hash: &Option<[u8; 32]>| {
                hash.as_ref().map(|hash| Fingerprint {
                    algorithm_id,
                    algorithm,
                    value: hex(hash).as_str().to_owned(),
                })
            };
            file.hashes.extend(hash(99, "BLAKE3", &facts.blake3));
            file.hashes.extend(hash(3, "SHA-256", &facts.sha256));
        }
        file
    }
}
