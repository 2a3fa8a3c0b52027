//! A file that was one text and is another, and one of which anything at all was kept.
#![no_main]
use fim_consumers::{GenericDiff, GenericDiffConfig};
use fim_core::{Consumer, Context, Facts, FileKind, Key, Snapshot};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8], &[u8], u8)| {
    let (before, after, kept, flags) = input;
    let mut config = GenericDiffConfig::new(vec!["/".to_owned()], Key::new([7; 32]));
    config.ignore_blank = flags & 1 != 0;
    config.ignore_comments = flags & 2 != 0;
    config.keep_text = flags & 4 != 0;
    let mut consumer = GenericDiff::new(config);
    let facts = Facts::new(FileKind::File);
    let mut look = |content: Option<&[u8]>, was: Option<&Facts>, kept: Option<&[u8]>| {
        let now = match content {
            Some(content) => Snapshot::new("/f", facts.clone(), Some(content.to_vec())),
            None => Snapshot::gone("/f"),
        };
        let mut cx = Context::new(was, kept);
        let understood = consumer.inspect(&now, &mut cx).is_ok();
        (understood, cx.into_answer())
    };
    look(Some(after), Some(&facts), Some(kept));
    let kept = look(Some(before), None, None).1.keep;
    let (understood, answer) = look(Some(after), Some(&facts), kept.as_deref());
    assert!(understood && (before != after || answer.diff.is_none()));
    look(None, Some(&facts), answer.keep.as_deref());
});
