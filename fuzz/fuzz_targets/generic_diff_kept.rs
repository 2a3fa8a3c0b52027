//! What was kept of a text, damaged in any way below its checks: the body is packed as the consumer does it.
#![no_main]
use fim_consumers::{GenericDiff, GenericDiffConfig};
use fim_core::{Consumer, Context, Facts, FileKind, Key, Snapshot};
use libfuzzer_sys::fuzz_target;
use lz4_flex::block::compress_prepend_size;

fuzz_target!(|input: (u8, u64, &[u8])| {
    let (kind, ids, body) = input;
    let mut kept = vec![0xd2, kind];
    kept.extend_from_slice(&ids.to_le_bytes());
    let body = if kind & 0x7f == 1 { compress_prepend_size(body) } else { body.to_vec() };
    kept.extend_from_slice(&body);
    let mut consumer = GenericDiff::new(GenericDiffConfig::new(vec!["/".to_owned()], Key::new([7; 32])));
    let facts = Facts::new(FileKind::File);
    for now in [Snapshot::gone("/f"), Snapshot::new("/f", facts.clone(), Some(b"a\nb".to_vec()))] {
        drop(consumer.inspect(&now, &mut Context::new(Some(&facts), Some(&kept))));
    }
});
