//! A pattern from a configuration, and a path held against it.
#![no_main]
use fim_core::{Interest, WatchSet};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|input: (String, String)| {
    let (pattern, path) = input;
    if let Ok(set) = WatchSet::new(vec![Interest::in_paths([pattern])]) {
        let path = Path::new(&path);
        assert!(set.owner(path).is_none() || set.owner(path) == Some(0));
        let _ = (set.cover(path), set.roots());
    }
});
