//! One way to change a file: what is done, and what must be reported of it.

use crate::child::Stage;
use crate::scene::Scene;
use std::any::Any;
use std::io;

/// What a report calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A name that was not there.
    Created,
    /// Other content under the same name.
    Updated,
    /// The name is gone.
    Deleted,
    /// The same file under another name.
    Moved,
    /// Other mode, owner, attributes or flags.
    AttributesModified,
}

/// One line that must come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expect {
    /// What happened; `None` where any word will do.
    pub action: Option<Action>,
    /// To which file: a path below the case's directory.
    pub path: &'static str,
    /// Its name before, for a rename.
    pub from: Option<&'static str>,
    /// A change that must be among those the line names: `mode`, `touched`, …
    pub what: Option<&'static str>,
    /// A line of this action does as well: where two calls make the change, somebody may look between them.
    pub or: Option<Action>,
}

/// How soon it must be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// While whoever did it still holds the file.
    Prompt,
    /// By looking again, or at the last close: no kernel tells it as it happens.
    Late,
}

/// Who must be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The process that made the change, or one of several.
    Doer,
    /// The same, and what it was: executable, arguments, parent.
    Described,
    /// Every process that had a hand in it.
    Everybody,
    /// Nobody in particular: a thread of the kernel did it.
    Anyone,
}

/// What the process that made a change keeps until it is told to end: open files, mappings, mounts.
pub(crate) struct Held(#[allow(dead_code)] Option<Box<dyn Any>>);

/// Keeps a thing until the end.
#[allow(clippy::unnecessary_wraps)] // the last expression of every change
pub(crate) fn hold<T: 'static>(thing: T) -> io::Result<Held> {
    Ok(Held(Some(Box::new(thing))))
}

/// Keeps nothing.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn done() -> io::Result<Held> {
    Ok(Held(None))
}

/// Makes the change. What it returns is dropped only after the report was waited for.
pub(crate) type Change = fn(&Scene, &mut Stage<'_>) -> io::Result<Held>;

/// One way to change a file, or to leave it as it is.
#[derive(Clone)]
pub struct Case {
    /// Its name: unique, a word.
    pub name: &'static str,
    /// The class of change in a watcher's coverage; `nothing` where none may be reported.
    pub class: &'static str,
    /// What is done, in the words of the manual.
    pub says: &'static str,
    /// The lines that must come; none where nothing changes.
    pub expect: Vec<Expect>,
    /// How soon.
    pub speed: Speed,
    /// What it changes is above a directory that is watched for it alone.
    pub(crate) apart: bool,
    pub(crate) who: Who,
    /// A line that says only that the file was touched may come.
    pub(crate) may_touch: bool,
    /// What is done before it pauses must have been reported, else nothing is to be seen of what follows.
    pub(crate) tells_before: bool,
    pub(crate) prepare: fn(&Scene) -> io::Result<()>,
    pub(crate) change: Change,
    /// What the effect is proved by, where comparing the expected files before and after does not show it.
    pub(crate) proof: Option<fn(&Scene) -> io::Result<bool>>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("expect", &self.expect).finish_non_exhaustive()
    }
}

/// A case of this class.
pub(crate) fn way(class: &'static str, name: &'static str, says: &'static str, change: Change) -> Case {
    Case {
        name,
        class,
        says,
        expect: Vec::new(),
        speed: Speed::Prompt,
        apart: false,
        who: Who::Doer,
        may_touch: false,
        tells_before: false,
        prepare: |_| Ok(()),
        change,
        proof: None,
    }
}

impl Case {
    fn line(
        mut self,
        action: Option<Action>,
        path: &'static str,
        from: Option<&'static str>,
        what: Option<&'static str>,
    ) -> Self {
        self.expect.push(Expect { action, path, from, what, or: None });
        self
    }

    /// The content of this file changes.
    pub(crate) fn updates(self, path: &'static str) -> Self {
        self.line(Some(Action::Updated), path, None, None)
    }

    /// A line of this action does as well as the last that is expected.
    pub(crate) fn or(mut self, action: Action) -> Self {
        if let Some(last) = self.expect.last_mut() {
            last.or = Some(action);
        }
        self
    }

    /// This file is replaced by one of another name.
    pub(crate) fn replaces(self, path: &'static str, from: &'static str) -> Self {
        self.line(Some(Action::Updated), path, Some(from), None)
    }

    /// This name appears.
    pub(crate) fn creates(self, path: &'static str) -> Self {
        self.line(Some(Action::Created), path, None, None)
    }

    /// This name goes.
    pub(crate) fn deletes(self, path: &'static str) -> Self {
        self.line(Some(Action::Deleted), path, None, None)
    }

    /// This name becomes that one.
    pub(crate) fn moves(self, from: &'static str, to: &'static str) -> Self {
        self.line(Some(Action::Moved), to, Some(from), None)
    }

    /// Mode, owner, attributes or flags change, and the line says which.
    pub(crate) fn modifies(self, path: &'static str, what: &'static str) -> Self {
        self.line(Some(Action::AttributesModified), path, None, Some(what))
    }

    /// What had that name before has this one, whatever it is called.
    pub(crate) fn comes_from(self, path: &'static str, from: &'static str) -> Self {
        self.line(None, path, Some(from), None)
    }

    /// A line of whatever action names this change.
    pub(crate) fn names(self, path: &'static str, what: &'static str) -> Self {
        self.line(None, path, None, Some(what))
    }

    /// Nothing but the times move.
    pub(crate) fn touches(self, path: &'static str) -> Self {
        self.line(Some(Action::Updated), path, None, Some("touched"))
    }

    /// A line that says only that a file was touched is no mistake.
    pub(crate) fn may_touch(mut self) -> Self {
        self.may_touch = true;
        self
    }

    /// It takes back what it did before its pause.
    pub(crate) fn tells_before(mut self) -> Self {
        self.tells_before = true;
        self
    }

    /// No kernel tells it as it happens.
    pub(crate) fn late(mut self) -> Self {
        self.speed = Speed::Late;
        self
    }

    /// It changes what is above a watched directory.
    pub(crate) fn apart(mut self) -> Self {
        self.apart = true;
        self
    }

    /// Who does it is gone at once, and is to be described all the same.
    pub(crate) fn described(mut self) -> Self {
        self.who = Who::Described;
        self
    }

    /// All who do it are to be named.
    pub(crate) fn by_everybody(mut self) -> Self {
        self.who = Who::Everybody;
        self
    }

    /// A thread of the kernel does it.
    pub(crate) fn by_the_kernel(mut self) -> Self {
        self.who = Who::Anyone;
        self
    }

    /// What must be there before, besides the files every case has.
    pub(crate) fn prepared(mut self, prepare: fn(&Scene) -> io::Result<()>) -> Self {
        self.prepare = prepare;
        self
    }

    /// What its effect is proved by.
    pub(crate) fn proved(mut self, proof: fn(&Scene) -> io::Result<bool>) -> Self {
        self.proof = Some(proof);
        self
    }
}
