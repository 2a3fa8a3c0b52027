//! The files of dpkg's database: digests, status, lists, diversions. The database of a foreign root is hostile.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    fim_explainers::fuzz::dpkg(bytes);
});
