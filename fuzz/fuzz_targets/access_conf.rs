//! A file of access rules, as it was and as it is: parsed, compared and judged.
#![no_main]
use fim_consumers::{Access, AccessConfig};
use fim_core::{Consumer, Context, Facts, FileKind, Snapshot};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    const PATH: &str = "/etc/security/access.conf";
    let (before, after) = input;
    let mut access = Access::new(AccessConfig::default());
    let facts = Facts::new(FileKind::File);
    let mut cx = Context::new(None, None);
    let first = Snapshot::new(PATH, facts.clone(), Some(before.to_vec()));
    assert!(access.inspect(&first, &mut cx).is_ok());
    let kept = cx.into_answer().keep;
    let mut cx = Context::new(Some(&facts), kept.as_deref());
    let second = Snapshot::new(PATH, facts.clone(), Some(after.to_vec()));
    assert!(access.inspect(&second, &mut cx).is_ok());
});
