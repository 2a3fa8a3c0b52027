use super::*;

fn id(inode: u64) -> FileId {
    FileId { inode, device: 1, generation: 7 }
}

fn index() -> Index {
    let mut index = Index::new();
    index.add_dir(Path::new("/w"), id(1));
    index.add_dir(Path::new("/w/a"), id(2));
    index.add_file(Path::new("/w/a/x"), id(3));
    index
}

#[test]
fn a_file_has_all_its_links() {
    let mut index = index();
    index.add_file(Path::new("/w/y"), id(3));
    assert_eq!(index.paths(id(3)), [PathBuf::from("/w/a/x"), PathBuf::from("/w/y")]);
    index.remove_name(id(3), Path::new("/w/a/x"));
    assert_eq!(index.paths(id(3)), [PathBuf::from("/w/y")]);
    index.remove_name(id(3), Path::new("/w/y"));
    assert!(index.paths(id(3)).is_empty());
}

#[test]
fn a_renamed_directory_takes_its_files_along() {
    let mut index = index();
    assert!(index.rename_dir(Path::new("/w/a"), Path::new("/w/b/c")));
    assert_eq!(index.paths(id(3)), [PathBuf::from("/w/b/c/x")]);
    assert_eq!(index.entry(id(2), OsStr::new("z")), Some(PathBuf::from("/w/b/c/z")));
    assert_eq!(index.dir_id(Path::new("/w/a")), None);
    assert!(!index.rename_dir(Path::new("/w/a"), Path::new("/w/d")), "gone from its old name");
    assert!(!index.rename_dir(Path::new("/w"), Path::new("/w/b/in")), "not into itself");
}

#[test]
fn a_removed_directory_forgets_what_is_below() {
    let mut index = index();
    let mut gone = index.remove(id(1));
    gone.sort();
    assert_eq!(gone, [id(1), id(2), id(3)]);
    assert!(index.nodes.is_empty());
}

#[test]
fn what_is_not_wanted_is_forgotten_and_the_rest_stays() {
    let mut index = index();
    index.add_file(Path::new("/w/y"), id(3));
    index.add_file(Path::new("/w/a/z"), id(4));
    let mut gone = index.retain(|path| !path.starts_with("/w/a"));
    gone.sort();
    assert_eq!(gone, [id(2), id(4)]);
    assert_eq!(index.paths(id(3)), [PathBuf::from("/w/y")]);
    assert_eq!(index.dir_id(Path::new("/w")), Some(id(1)));
    index.retain(|_| false);
    assert!(index.nodes.is_empty());
}

#[test]
fn a_directory_in_two_places_is_known_by_both() {
    let mut index = index();
    index.add_dir(Path::new("/w/bound"), id(2));
    index.add_dir(Path::new("/w/bound"), id(2));
    index.add_file(Path::new("/w/bound/x"), id(3));
    assert_eq!(index.paths(id(2)), [PathBuf::from("/w/bound"), PathBuf::from("/w/a")]);
    assert_eq!(index.entry(id(2), OsStr::new("n")), Some(PathBuf::from("/w/bound/n")));
    assert_eq!(index.other_entries(id(2), OsStr::new("n")), [PathBuf::from("/w/a/n")]);
    assert!(index.remove_dir(Path::new("/w/bound")).is_empty(), "all of it is somewhere still");
    assert_eq!(index.entry(id(2), OsStr::new("n")), Some(PathBuf::from("/w/a/n")));
    assert!(index.other_entries(id(2), OsStr::new("n")).is_empty());
    index.add_dir(Path::new("/w/bound"), id(2));
    index.add_dir(Path::new("/w/bound"), id(8));
    assert_eq!(index.paths(id(2)), [PathBuf::from("/w/a")]);
    index.add_dir(Path::new("/w/again"), id(2));
    let mut gone = index.remove(id(2));
    gone.sort();
    assert_eq!(gone, [id(2), id(3)]);
    assert!(index.also.is_empty() && index.dir_id(Path::new("/w/a")).is_none());
}

#[test]
fn a_directory_made_anew_has_its_new_identity() {
    let mut index = index();
    index.add_dir(Path::new("/w/a"), id(9));
    assert!(index.is_dir(id(9)) && !index.is_dir(id(2)));
    assert_eq!(index.dir_id(Path::new("/w/a")), Some(id(9)));
}
