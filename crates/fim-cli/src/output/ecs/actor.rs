//! `process`, `user`, `container` and `orchestrator`: who did it, and in what.

use super::super::container::container;
use super::super::names::Names;
use super::super::secret::Redactor;
use super::super::time;
use fim_core::{Actor, Parent};
use serde::Serialize;
use std::ffi::OsStr;

/// audit's "nobody logged in".
const NO_LOGIN: u32 = u32::MAX;

#[derive(Debug, Serialize)]
pub struct Process {
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executable: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<ParentProcess>,
}

#[derive(Debug, Serialize)]
pub struct ParentProcess {
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct User {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Container {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<&'static str>,
}

/// The pod a container is in.
#[derive(Debug, Serialize)]
pub struct Orchestrator {
    #[serde(rename = "type")]
    kind: &'static str,
    resource: Resource,
}

#[derive(Debug, Serialize)]
struct Resource {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
}

/// One of several writers, in `fim.actors`.
#[derive(Debug, Serialize)]
pub struct OneOfMany {
    process: Process,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Container>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestrator: Option<Orchestrator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_uid: Option<u32>,
}

fn lossy(text: impl AsRef<OsStr>) -> String {
    text.as_ref().to_string_lossy().into_owned()
}

impl Process {
    pub fn of(actor: &Actor, redactor: &Redactor) -> Self {
        Self {
            pid: actor.pid,
            name: actor.name.as_ref().map(lossy),
            executable: actor.executable.as_ref().map(lossy),
            args: redactor.args(&actor.args),
            start: actor.start.map(time::of_system),
            parent: actor.parent.as_ref().map(ParentProcess::of),
        }
    }
}

impl ParentProcess {
    fn of(parent: &Parent) -> Self {
        Self {
            pid: parent.pid,
            name: parent.name.as_ref().map(lossy),
            executable: parent.executable.as_ref().map(lossy),
            start: parent.start.map(time::of_system),
        }
    }
}

impl User {
    pub fn of(actor: &Actor, names: &Names) -> Option<Self> {
        let uid = actor.uid?;
        Some(Self { id: uid.to_string(), name: names.user(uid).map(str::to_owned) })
    }
}

impl Container {
    pub fn of(actor: &Actor) -> Option<Self> {
        let container = container(actor.cgroup.as_deref()?)?;
        Some(Self { id: container.id.to_owned(), runtime: container.runtime })
    }
}

impl Orchestrator {
    pub fn of(actor: &Actor) -> Option<Self> {
        let id = container(actor.cgroup.as_deref()?)?.pod?;
        Some(Self { kind: "kubernetes", resource: Resource { kind: "pod", id } })
    }
}

impl OneOfMany {
    pub fn of(actor: &Actor, names: &Names, redactor: &Redactor) -> Self {
        Self {
            process: Process::of(actor, redactor),
            user: User::of(actor, names),
            container: Container::of(actor),
            orchestrator: Orchestrator::of(actor),
            login_uid: login_uid(actor),
        }
    }
}

/// The user who logged in, if anybody did.
pub fn login_uid(actor: &Actor) -> Option<u32> {
    actor.login_uid.filter(|uid| *uid != NO_LOGIN)
}
