//! Whole diffs as they are shown. `FIM_BLESS=1` writes them anew: read them before they are committed.

use super::{File, config, said};
use std::fmt::Write;
use std::fs;
use std::path::Path;

#[test]
fn diffs_as_they_are_shown() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/generic_diff");
    let mut cases = 0;
    for entry in fs::read_dir(&dir).unwrap() {
        let before = entry.unwrap().path();
        if before.extension().is_none_or(|extension| extension != "before") {
            continue;
        }
        cases += 1;
        let mut file = File::at("/etc/file", config());
        file.is(&fs::read(&before).unwrap());
        let answer = file.is(&fs::read(before.with_extension("after")).unwrap());
        let mut shown = String::new();
        for line in said(&answer) {
            writeln!(shown, "{line}").unwrap();
        }
        shown.push_str(answer.diff.as_deref().unwrap_or_default());
        let golden = before.with_extension("diff");
        if std::env::var_os("FIM_BLESS").is_some() {
            fs::write(&golden, &shown).unwrap();
        }
        assert_eq!(shown, fs::read_to_string(&golden).unwrap(), "{}", golden.display());
    }
    assert!(cases >= 4, "{cases}");
}
