//! The files of rpm's database: headers of packages, SQLite's pages and its write-ahead log. The database of a foreign
//! root is hostile.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    fim_explainers::fuzz::rpm(bytes);
});
