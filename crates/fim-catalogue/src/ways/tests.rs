use super::*;
use std::collections::HashSet;

#[test]
fn names_are_unique_words() {
    let mut names = HashSet::new();
    for case in table() {
        assert!(names.insert(case.name), "{} twice", case.name);
        assert!(case.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        assert!(!case.says.contains('|') && !case.says.is_empty(), "{}", case.name);
    }
}

#[test]
fn classes_are_those_of_the_events() {
    use fim_core::Via;
    let words = [
        Via::Write,
        Via::Mmap,
        Via::IoUring,
        Via::Aio,
        Via::Splice,
        Via::Copy,
        Via::Fallocate,
        Via::Truncate,
        Via::Kernel,
        Via::Create,
        Via::Mkdir,
        Via::Mknod,
        Via::Symlink,
        Via::Link,
        Via::Rename,
        Via::Exchange,
        Via::Unlink,
        Via::Rmdir,
        Via::Attributes,
        Via::Xattr,
        Via::Flags,
        Via::Mount,
    ]
    .map(Via::as_str);
    for case in table() {
        assert_eq!(case.class == "nothing", case.expect.is_empty(), "{}", case.name);
        assert!(case.class == "nothing" || words.contains(&case.class), "{}: {}", case.name, case.class);
    }
}

#[test]
fn every_scene_can_be_built() {
    let scratch = tempfile::tempdir().unwrap();
    crate::Runner::build(scratch.path(), &table()).unwrap();
    assert!(crate::Scene::new(scratch.path(), "write").f().exists());
}
