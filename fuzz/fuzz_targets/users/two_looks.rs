//! Two looks at a file of the consumer `users`: parsed, kept, recalled, compared and judged.

use fim_consumers::{Users, UsersConfig};
use fim_core::{Consumer, Context, Facts, FileKind, Key, Snapshot, WatchSet};
use std::path::Path;

/// What was kept of the first look, if any was given; what it wants to watch can be watched.
pub fn compare(path: &str, before: Option<&[u8]>, kept: Option<&[u8]>, after: &[u8]) {
    let mut users = Users::new(UsersConfig::new(Key::new([7; 32])));
    let facts = Facts::new(FileKind::File);
    let look = |users: &mut Users, path: &str, content: &[u8], cx: &mut Context<'_>| {
        let snapshot = Snapshot::new(path, facts.clone(), Some(content.to_vec()));
        assert!(users.inspect(&snapshot, cx).is_ok());
    };
    look(&mut users, "/etc/passwd", b"root:x:0:0::/root:/bin/sh\n", &mut Context::new(None, None));
    let mut answer = None;
    if let Some(before) = before {
        let mut cx = Context::new(None, None);
        look(&mut users, path, before, &mut cx);
        answer = cx.into_answer().keep;
    }
    let kept = kept.or(answer.as_deref());
    if let Some(kept) = kept {
        users.recall(Path::new(path), kept);
    }
    let mut different = facts.clone();
    different.mtime.seconds = 1;
    let mut cx = Context::new(Some(&different), kept);
    look(&mut users, path, after, &mut cx);
    assert!(cx.into_answer().keep.is_some());
    assert!(WatchSet::new(vec![users.interest()]).is_ok());
}
