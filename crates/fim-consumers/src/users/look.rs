//! One look at one file against what was kept of the one before: what all formats have in common.

use super::kept::{Item, Table};
use crate::said::Said;
use fim_core::{Change, Facts, Severity};

/// One look, as far as an account file goes.
pub(super) struct Look<'a> {
    /// What the file was, if it is to be compared with that.
    pub before: Option<&'a Facts>,
    /// Whether the content is another than before.
    pub differs: bool,
    pub content: &'a [u8],
}

impl Look<'_> {
    /// Compares with what was kept, if that can be understood; and what is to be kept now. What changed
    /// without a word for it is said to be content.
    pub fn compare<'t, T: Item<'t>>(
        &self,
        kept: Option<&'t [u8]>,
        new: &Table<'t, T>,
        compare: impl FnOnce(&Table<'t, T>, &Table<'t, T>, &mut Said) -> bool,
        said: &mut Said,
    ) -> Vec<u8> {
        let nothing = || Table { key_id: new.key_id, items: Vec::new(), odd: Vec::new() };
        let old = match kept.and_then(Table::decode) {
            // All of a new file is new.
            None if self.before.is_none() => Some(nothing()),
            old => old,
        };
        if self.differs {
            let mut of_content = Said::default();
            if let Some(old) = old {
                let reordered = compare(&old, new, &mut of_content);
                if reordered {
                    of_content.say(Severity::Notable, || Change::new("order"));
                }
                if old.key_id != new.key_id && old.items.iter().any(Item::has_secret) {
                    of_content.say(Severity::Notable, || Change::new("secrets_not_compared"));
                }
            }
            if of_content.is_nothing() && self.before.is_some() {
                of_content.say(Severity::Notable, || Change::new("content"));
            }
            said.append(of_content);
        }
        new.encode()
    }
}
