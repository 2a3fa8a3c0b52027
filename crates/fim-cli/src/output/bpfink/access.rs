//! `access`: whom rules let in and whom they do not, by the list of users as it stands in the rule. bpfink
//! compares nothing but these lists; here a rule that moved or has other origins is in both `add` and `del`.

use super::{named, text};
use fim_core::{Change, Value};
use serde::Serialize;

#[derive(Default, Serialize)]
pub(super) struct Fields {
    /// Of the rules that hold now those that the change is about.
    access: Lists,
    add: Lists,
    del: Lists,
}

#[derive(Clone, Default, Serialize)]
struct Lists {
    grant: Vec<String>,
    deny: Vec<String>,
}

impl Lists {
    fn push(&mut self, grants: bool, users: String) {
        if grants { self.grant.push(users) } else { self.deny.push(users) }
    }
}

/// None if no rule came, went, moved or changed.
pub(super) fn fields(changes: &[Change]) -> Option<Fields> {
    let mut fields = Fields::default();
    let mut any = false;
    for change in changes {
        let Some(how) = change.what.strip_prefix("rule_") else { continue };
        let grants = named(&change.of, "permission") == Some("grant");
        let users = users(change);
        any = true;
        if how != "removed" {
            fields.add.push(grants, users.clone());
        }
        if how != "added" {
            // A changed rule says how it was as it stood in the file.
            let old = change.before.as_ref().and_then(text);
            fields.del.push(old.map_or(grants, |old| old.starts_with('+')), users);
        }
    }
    fields.access = fields.add.clone();
    any.then_some(fields)
}

fn users(change: &Change) -> String {
    let list = change.of.iter().find(|(name, _)| name == "users").map(|(_, value)| value);
    match list {
        Some(Value::List(users)) => users.iter().filter_map(text).collect::<Vec<_>>().join(" "),
        Some(value) => text(value).unwrap_or_default().to_owned(),
        None => String::new(),
    }
}
