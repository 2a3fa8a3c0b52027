//! `users`: accounts that changed, as they are and as they were. Of a password only that there is one is
//! told; bpfink shows its hash's last four characters and its length. Keys are those that came or went, by
//! type, fingerprint and comment.

use super::{named, text};
use fim_core::Change;
use serde::Serialize;

/// Stands for any password.
pub(super) const MASK: &str = "XXXXXXXX";
/// bpfink shows the end of a key.
const KEY_END: usize = 80;

#[derive(Default, Serialize)]
pub(super) struct Fields {
    /// The same as `add`: who is not concerned is not known here.
    users: Vec<Account>,
    add: Vec<Account>,
    del: Vec<Account>,
}

#[derive(Clone, Default, Serialize)]
struct Account {
    user: String,
    /// Empty where there is none, and where the change is not about it.
    passwd: String,
    keys: Vec<String>,
}

/// None if the changes are about no account.
pub(super) fn fields(changes: &[Change]) -> Option<Fields> {
    let mut all = Vec::new();
    for change in changes {
        note(change, &mut all);
    }
    let mut fields = Fields::default();
    for both in all {
        fields.add.extend(both.is.then_some(both.after));
        fields.del.extend(both.was.then_some(both.before));
    }
    fields.users = fields.add.clone();
    (!fields.add.is_empty() || !fields.del.is_empty()).then_some(fields)
}

/// An account before and after.
struct Both {
    was: bool,
    before: Account,
    is: bool,
    after: Account,
}

fn note(change: &Change, all: &mut Vec<Both>) {
    let what = change.what.as_str();
    let renamed = (what == "account_renamed")
        .then(|| Some((text(change.before.as_ref()?)?, text(change.after.as_ref()?)?)))
        .flatten();
    let Some((old, new)) = renamed.or_else(|| named(&change.of, "user").map(|user| (user, user))) else {
        return;
    };
    let known = all.iter().position(|it| it.before.user == old || it.after.user == new);
    let at = known.unwrap_or_else(|| {
        let account = |user: &str| Account { user: user.to_owned(), ..Account::default() };
        all.push(Both { was: true, before: account(old), is: true, after: account(new) });
        all.len() - 1
    });
    let Some(both) = all.get_mut(at) else { return };
    match what {
        "account_created" => both.was = false,
        "account_removed" => both.is = false,
        "account_renamed" => (both.before.user, both.after.user) = (old.to_owned(), new.to_owned()),
        "key_added" => both.after.keys.push(key(change)),
        "key_removed" => both.before.keys.push(key(change)),
        _ if what.starts_with("password") => {
            let gone = ["removed", "emptied", "empty", "cleared"].iter().any(|end| what.ends_with(end));
            let came = ["set", "added"].iter().any(|end| what.ends_with(end));
            both.before.passwd = if came { "" } else { MASK }.to_owned();
            both.after.passwd = if gone { "" } else { MASK }.to_owned();
        }
        _ => {}
    }
}

fn key(change: &Change) -> String {
    let parts = ["type", "fingerprint", "comment"].map(|name| named(&change.of, name));
    let parts: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    let text = parts.join(" ");
    let skip = text.chars().count().saturating_sub(KEY_END);
    text.chars().skip(skip).collect()
}
