//! Records from the ring of the BPF programs.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    drop(fim_bpf::decode::decode(bytes));
});
