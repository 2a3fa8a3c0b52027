//! `process`, `user`, `container` and `orchestrator`: who did it, and in what.

use super::super::container::container;
use super::super::names::Names;
use super::super::secret::Redactor;
use super::super::short::{Short, decimal};
use super::super::time::{self, Moment};
use super::file::lossy;
use fim_core::{Actor, Parent};
use serde::Serialize;
use std::borrow::Cow;

/// audit's "nobody logged in".
const NO_LOGIN: u32 = u32::MAX;

#[derive(Debug, Serialize)]
pub struct Process<'a> {
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executable: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<ParentProcess<'a>>,
}

#[derive(Debug, Serialize)]
pub struct ParentProcess<'a> {
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executable: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Moment>,
}

#[derive(Debug, Serialize)]
pub struct User<'a> {
    id: Short,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub struct Container<'a> {
    id: &'a str,
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
pub struct OneOfMany<'a> {
    process: Process<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Container<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestrator: Option<Orchestrator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_uid: Option<u32>,
}

impl<'a> Process<'a> {
    pub fn of(actor: &'a Actor, redactor: &Redactor) -> Self {
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

impl<'a> ParentProcess<'a> {
    fn of(parent: &'a Parent) -> Self {
        Self {
            pid: parent.pid,
            name: parent.name.as_ref().map(lossy),
            executable: parent.executable.as_ref().map(lossy),
            start: parent.start.map(time::of_system),
        }
    }
}

impl<'a> User<'a> {
    pub fn of(actor: &Actor, names: &'a Names) -> Option<Self> {
        let uid = actor.uid?;
        Some(Self { id: decimal(uid), name: names.user(uid) })
    }
}

impl<'a> Container<'a> {
    pub fn of(actor: &'a Actor) -> Option<Self> {
        let container = container(actor.cgroup.as_deref()?)?;
        Some(Self { id: container.id, runtime: container.runtime })
    }
}

impl Orchestrator {
    pub fn of(actor: &Actor) -> Option<Self> {
        let id = container(actor.cgroup.as_deref()?)?.pod?;
        Some(Self { kind: "kubernetes", resource: Resource { kind: "pod", id } })
    }
}

impl<'a> OneOfMany<'a> {
    pub fn of(actor: &'a Actor, names: &'a Names, redactor: &Redactor) -> Self {
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
