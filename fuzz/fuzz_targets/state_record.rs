//! A block of records in the state: what can be read of it can be written again and is the same.
#![no_main]
use fim_core::{Batch, MemStore, State, Store};
use libfuzzer_sys::fuzz_target;
use std::ops::ControlFlow;
use std::path::Path;

fuzz_target!(|block: &[u8]| {
    let mut store = MemStore::new();
    let mut batch = Batch::default();
    batch.put(*b"mformat", 2u32.to_le_bytes());
    batch.put(*b"f/etc/\0", block);
    store.apply(batch).unwrap();
    let mut state = State::open(Box::new(store)).unwrap();
    let mut names = 0;
    let _ = state.walk(Path::new("/"), &mut |_, _| {
        names += 1;
        ControlFlow::Continue(())
    });
    let Ok(records) = state.list_dir(Path::new("/etc")) else {
        assert!(state.drop_damaged(Path::new("/etc")).is_ok());
        return;
    };
    assert_eq!(names, records.len());
    let mut again = State::open(Box::new(MemStore::new())).unwrap();
    for (name, record) in &records {
        again.put(&Path::new("/etc").join(name), record.clone()).unwrap();
    }
    again.commit().unwrap();
    again.sync().unwrap();
    for (name, record) in records {
        assert_eq!(again.get(&Path::new("/etc").join(name)).unwrap(), Some(record));
    }
});
