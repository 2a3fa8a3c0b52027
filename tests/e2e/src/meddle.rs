//! What somebody with the rights of root can do to the maps of the BPF watcher, once they are pinned.

use libbpf_rs::{MapCore, MapFlags, MapHandle};
use std::io;

/// Takes out every entry, or fills a map of marks with files that are not there.
pub fn meddle(how: &str, pinned: &str) -> io::Result<()> {
    let map = MapHandle::from_pinned_path(pinned).map_err(io::Error::other)?;
    match how {
        "empty" => {
            let keys: Vec<Vec<u8>> = map.keys().collect();
            keys.iter().try_for_each(|key| map.delete(key)).map_err(io::Error::other)
        }
        "fill" => {
            for inode in 0..map.max_entries() {
                let key: Vec<u8> = [u64::from(inode).to_ne_bytes(), [0xff; 8]].concat();
                let value = vec![1; usize::try_from(map.value_size()).unwrap_or_default()];
                if map.update(&key, &value, MapFlags::ANY).is_err() {
                    break; // full
                }
            }
            Ok(())
        }
        _ => Err(io::Error::other("empty or fill")),
    }
}
