//! What is taken for kept by the consumer `users`: the first byte chooses the file.
#![no_main]
#[path = "users/two_looks.rs"]
mod two_looks;
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 6] = [
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/root/.ssh/authorized_keys",
    "/etc/ssh/sshd_config",
];

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, body) = input;
    let choice = usize::from(choice) % PATHS.len();
    // Behind a header that fits, or every try would end at it.
    let kept = [&[0xf5, b'u', 1, choice as u8 + 1][..], body].concat();
    two_looks::compare(PATHS[choice], None, Some(&kept), b"root:x:0:0:root:/root:/bin/sh\n");
    two_looks::compare(PATHS[choice], None, Some(body), b"");
});
