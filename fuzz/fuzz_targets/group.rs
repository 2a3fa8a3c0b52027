//! group(5) and gshadow(5), as they were and as they are.
#![no_main]
#[path = "users/two_looks.rs"]
mod two_looks;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (before, after) = input;
    two_looks::compare("/etc/group", Some(before), None, after);
    two_looks::compare("/etc/gshadow", Some(before), None, after);
});
