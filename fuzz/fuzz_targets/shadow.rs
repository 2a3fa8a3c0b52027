//! shadow(5), as it was and as it is.
#![no_main]
#[path = "users/two_looks.rs"]
mod two_looks;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (before, after) = input;
    two_looks::compare("/etc/shadow", Some(before), None, after);
});
