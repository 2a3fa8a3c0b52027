//! Any bytes, redacted: as many lines as before, and nothing left to hide.
#![no_main]
use fim_consumers::redact::Redactor;
use fim_consumers::secrets::looks_secret;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

fuzz_target!(|bytes: &[u8]| {
    static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);
    let redactor = &*REDACTOR;
    let shown = redactor.redact(bytes);
    let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines(&shown), lines(bytes));
    assert_eq!(redactor.redact(&shown), shown);
    let _ = looks_secret(bytes);
    let _ = redactor.args(&[std::ffi::OsStr::new("-c"), std::os::unix::ffi::OsStrExt::from_bytes(bytes)]);
});
