//! `WatchSet` against tables of cases and against a matcher too simple to be wrong.

use super::{Cover, Interest, WatchSet, Why, escape};
use proptest::prelude::*;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

fn watching(paths: &[&str]) -> WatchSet {
    WatchSet::new(vec![Interest::in_paths(paths.to_vec())]).unwrap()
}

fn excluding(paths: &[&str], globs: &[&str]) -> WatchSet {
    WatchSet::new(vec![Interest::in_paths(paths.to_vec()).excluding(globs.to_vec())]).unwrap()
}

fn owns(set: &WatchSet, path: &str) -> bool {
    set.owner(Path::new(path)).is_some()
}

#[test]
fn what_patterns_match() {
    for (pattern, inside, outside) in [
        ("/etc", vec!["/etc", "/etc/", "/etc/a/b"], vec!["/", "/etcx", "/et", "etc"]),
        ("/", vec!["/", "/a", "/a/b"], vec!["a", ""]),
        ("//etc/./x/../y/", vec!["/etc/y", "/etc/y/z"], vec!["/etc/x", "/etc"]),
        ("/a/*", vec!["/a/b", "/a/.b", "/a/b/c"], vec!["/a", "/b/a"]),
        ("/a/*.conf", vec!["/a/b.conf", "/a/b.conf/c", "/a/.conf"], vec!["/a/b/c.conf", "/a/bconf"]),
        ("/a/**", vec!["/a/b", "/a/b/c"], vec!["/a", "/ab"]),
        ("/a/**/b", vec!["/a/b", "/a/x/b", "/a/x/y/b/c"], vec!["/a/x", "/a/bb", "/ab"]),
        ("/**/*.swp", vec!["/x.swp", "/a/b/.x.swp"], vec!["/swp", "/a/swp"]),
        ("/a?c", vec!["/abc", "/aéc", "/a\nc"], vec!["/ac", "/a/c", "/abbc"]),
        ("/a[!b]c", vec!["/axc", "/aéc"], vec!["/abc", "/a/c"]),
        ("/[+-9]", vec!["/5", "/."], vec!["//", "/a"]),
        ("/[a-cé]x", vec!["/bx", "/éx"], vec!["/dx", "/\u{00c3}x"]),
        ("/{a,b/c}/d", vec!["/a/d", "/b/c/d/e"], vec!["/b/d", "/a"]),
        (r"/a\[1\]", vec!["/a[1]", "/a[1]/b"], vec!["/a1"]),
        ("/home/*/.ssh/authorized_keys", vec!["/home/x/.ssh/authorized_keys"], vec!["/home/x/.ssh"]),
        ("/a**b", vec!["/ab", "/axxb"], vec!["/a/b"]),
    ] {
        let set = watching(&[pattern]);
        for path in inside {
            assert!(owns(&set, path), "{pattern} must claim {path}");
        }
        for path in outside {
            assert!(!owns(&set, path), "{pattern} must not claim {path}");
        }
    }
}

#[test]
fn the_first_claim_wins() {
    let set = WatchSet::new(vec![
        Interest::in_paths(["/etc/passwd"]).with_content(9),
        Interest::in_paths(["/etc"]).excluding(["/etc/secret"]),
        Interest::in_paths(["/etc/**"]).with_sha256(),
    ])
    .unwrap();
    for (path, owner) in [("/etc/passwd", 0), ("/etc/group", 1), ("/etc/secret/x", 2)] {
        assert_eq!(set.owner(Path::new(path)), Some(owner), "{path}");
    }
    assert_eq!(set.need(0).content, Some(9));
    assert!(set.need(2).sha256);
    assert_eq!(set.need(9), super::Need::default());
}

#[test]
fn excludes() {
    let set = excluding(&["/etc"], &["**/*.swp", "/etc/cache/**", "/etc/no"]);
    for path in ["/etc", "/etc/cache", "/etc/nope", "/etc/swp"] {
        assert!(owns(&set, path), "{path}");
    }
    for path in ["/etc/a.swp", "/etc/a.swp/b", "/etc/x/.a.swp", "/etc/cache/x", "/etc/no", "/etc/no/x"] {
        assert!(!owns(&set, path), "{path}");
    }
    assert_eq!(set.cover(Path::new("/etc")), Cover::All);
    for dir in ["/etc/no", "/etc/no/x", "/etc/cache", "/etc/d.swp"] {
        assert_eq!(set.cover(Path::new(dir)), Cover::Nothing, "{dir}");
    }
}

#[test]
fn excluding_regular_expressions() {
    let mut interest = Interest::in_paths(["/srv"]);
    interest.exclude_regex = vec![r"\.git$".into(), "tmp".into(), "(?-u)\\xff".into()];
    let set = WatchSet::new(vec![interest]).unwrap();
    for (path, claimed) in [
        ("/srv/a", true),
        ("/srv/a.git", false),
        ("/srv/a.git/config", false),
        ("/srv/a.gitx", true),
        ("/srv/xtmpx/y", false),
    ] {
        assert_eq!(owns(&set, path), claimed, "{path}");
    }
    assert_eq!(set.cover(Path::new("/srv/a.git/hooks")), Cover::Nothing);
    assert!(set.owner(Path::new(OsStr::from_bytes(b"/srv/\xff"))).is_none());
}

#[test]
fn cover() {
    use Cover::{All, Nothing, Some};
    for (pattern, cases) in [
        ("/a/b", vec![("/", Some), ("/a", Some), ("/a/b", All), ("/a/b/c", All), ("/ab", Nothing)]),
        ("/a/*", vec![("/", Some), ("/a", All), ("/a/x", All), ("/b", Nothing)]),
        ("/a/**", vec![("/", Some), ("/a", All), ("/a/x/y", All), ("/b", Nothing)]),
        ("/a/**/*", vec![("/a", All)]),
        ("/a/*/**", vec![("/a", Some), ("/a/x", All)]),
        ("/a/*/*", vec![("/a", Some), ("/a/x", All), ("/a/x/y", All)]),
        ("/a/*.d/x", vec![("/a", Some), ("/a/x.d", Some), ("/a/x", Nothing), ("/a/x.d/x", All)]),
        ("/a/**/x", vec![("/a", Some), ("/a/b/c", Some), ("/a/b/x", All), ("/b", Nothing)]),
        ("/**", vec![("/", All), ("/a", All)]),
        ("/", vec![("/", All), ("/a", All)]),
        ("/{a,b}/c", vec![("/", Some), ("/a", Some), ("/b", Some), ("/c", Nothing)]),
    ] {
        let set = watching(&[pattern]);
        for (dir, expected) in cases {
            assert_eq!(set.cover(Path::new(dir)), expected, "{pattern} in {dir}");
        }
    }
}

#[test]
fn roots() {
    let set = WatchSet::new(vec![
        Interest::in_paths(["/home/*/.ssh", "/etc/passwd", "/var/log/**"]),
        Interest::in_paths(["/etc", "/etc-x", "/home/bob", r"/o\*/{a,b}/*"]),
    ])
    .unwrap();
    let expected = ["/etc-x", "/etc", "/home", "/o*/a", "/o*/b", "/var/log"].map(PathBuf::from);
    assert_eq!(set.roots(), expected);
    assert_eq!(watching(&["/*/x", "/etc"]).roots(), [PathBuf::from("/")]);
    assert!(watching(&[]).roots().is_empty());
}

#[test]
fn names_that_are_not_utf8() {
    let path = |bytes: &'static [u8]| Path::new(OsStr::from_bytes(bytes));
    assert!(watching(&["/a/*"]).owner(path(b"/a/\xff\xfe")).is_some());
    assert!(watching(&["/a/x?y"]).owner(path(b"/a/x\xffy")).is_some());
    assert!(watching(&["/a/[!b]"]).owner(path(b"/a/\xff")).is_some());
    assert!(watching(&["/a"]).owner(path(b"/a/\xff/b")).is_some());
    assert!(watching(&["/a/**/b"]).owner(path(b"/a/\xff\n/b")).is_some());
}

#[test]
fn refusals_say_what_to_type() {
    for (interest, said) in [
        (Interest::in_paths(["etc/passwd"]), "write \"/etc/passwd\""),
        (Interest::in_paths(["**/x"]), "write \"/**/x\""),
        (Interest::in_paths(["~/.ssh"]), "/home/*/.ssh"),
        (Interest::in_paths([""]), "empty"),
        (Interest::in_paths(["/a[1"]), "\\["),
        (Interest::in_paths(["/a"]).excluding(["*.swp"]), "\"**/*.swp\""),
        (Interest::in_paths(["/a"]).excluding([""]), "empty"),
    ] {
        let error = WatchSet::new(vec![interest]).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let mut interest = Interest::in_paths(["/a"]);
    interest.exclude_regex = vec!["(".into()];
    let error = WatchSet::new(vec![interest]).unwrap_err().to_string();
    assert_eq!(error, "cannot use the pattern \"(\": unclosed group");
}

#[test]
fn why_names_the_pattern() {
    let mut first = Interest::in_paths(["/a/*.conf", "/b"]).excluding(["**/*.swp", "/b/x"]);
    first.exclude_regex = vec!["~$".into()];
    let second = Interest::in_paths(["/a"]).overhearing(["/o/*"]);
    let set = WatchSet::new(vec![first, second]).unwrap();
    let wanted = |by: &str| Why::Wanted { by: by.into() };
    let but = |by: &str, but: &str| Why::Excluded { by: by.into(), but: but.into() };
    for (path, expected) in [
        ("/a/y.conf", [wanted("/a/*.conf"), wanted("/a")]),
        ("/a/y", [Why::Nothing, wanted("/a")]),
        ("/b/x/deep", [but("/b", "/b/x"), Why::Nothing]),
        ("/b/y.swp", [but("/b", "**/*.swp"), Why::Nothing]),
        ("/b/old~/y", [but("/b", "~$"), Why::Nothing]),
        ("/o/x", [Why::Nothing, Why::Overheard { by: "/o/*".into() }]),
        ("/c", [Why::Nothing, Why::Nothing]),
        ("a", [Why::Nothing, Why::Nothing]),
    ] {
        assert_eq!(set.why(Path::new(path)), expected, "{path}");
    }
}

/// One pattern without braces against one path, component by component, by trying everything.
fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**"], rest) => !rest.is_empty(),
        (["**", others @ ..], _) => (0..=path.len()).any(|skip| matches(others, &path[skip..])),
        ([one, others @ ..], [name, below @ ..]) => {
            let one: Vec<char> = one.chars().collect();
            let name: Vec<char> = name.chars().collect();
            name_matches(&one, &name) && matches(others, below)
        }
        _ => false,
    }
}

fn name_matches(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', rest @ ..], _) => (0..=name.len()).any(|skip| name_matches(rest, &name[skip..])),
        (['?', rest @ ..], [_, after @ ..]) => name_matches(rest, after),
        (['[', '!', not, ']', rest @ ..], [sign, after @ ..]) => sign != not && name_matches(rest, after),
        (['[', from, '-', to, ']', rest @ ..], [sign, after @ ..]) => {
            (from..=to).contains(&sign) && name_matches(rest, after)
        }
        ([same, rest @ ..], [sign, after @ ..]) => same == sign && name_matches(rest, after),
        _ => false,
    }
}

fn split(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}

fn claimed(wanted: &[String], excluded: &[String], path: &str) -> bool {
    let names = split(path);
    let any = |patterns: &[String]| {
        patterns.iter().any(|pattern| (0..=names.len()).any(|end| matches(&split(pattern), &names[..end])))
    };
    any(wanted) && !any(excluded)
}

fn patterns() -> impl Strategy<Value = Vec<String>> {
    let part = prop_oneof![
        Just("a"),
        Just("b"),
        Just("ab"),
        Just("*"),
        Just("**"),
        Just("?"),
        Just("a*"),
        Just("*b"),
        Just("[!a]"),
        Just("[a-b]b"),
        Just("é"),
    ];
    let pattern = proptest::collection::vec(part, 0..4).prop_map(|parts| format!("/{}", parts.join("/")));
    proptest::collection::vec(pattern, 0..3)
}

/// All paths of up to four of these names.
fn paths() -> Vec<String> {
    let mut all = vec![String::new()];
    let mut level = all.clone();
    for _ in 0..4 {
        level = level
            .iter()
            .flat_map(|path| ["a", "b", "ab", "é"].map(|name| format!("{path}/{name}")))
            .collect();
        all.extend_from_slice(&level);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn like_the_simple_matcher(wanted in patterns(), excluded in patterns()) {
        let set = WatchSet::new(vec![Interest::in_paths(wanted.clone()).excluding(excluded.clone())]).unwrap();
        let all = paths();
        let roots = set.roots();
        for path in &all {
            let path = if path.is_empty() { "/" } else { path };
            let owned = owns(&set, path);
            prop_assert_eq!(owned, claimed(&wanted, &excluded, path), "{}", path);
            let why = set.why(Path::new(path));
            prop_assert_eq!(matches!(why[..], [Why::Wanted { .. }]), owned, "{}: {:?}", path, why);
            if owned {
                prop_assert!(roots.iter().any(|root| Path::new(path).starts_with(root)), "{}", path);
            }
        }
        for dir in all.iter().filter(|path| path.matches('/').count() < 3) {
            let below = all.iter().filter(|path| path.strip_prefix(dir.as_str()).is_some_and(|rest| rest.starts_with('/')));
            let cover = set.cover(Path::new(if dir.is_empty() { "/" } else { dir }));
            for path in below {
                match cover {
                    Cover::All => prop_assert!(claimed(&wanted, &[], path), "all of {} but {}", dir, path),
                    Cover::Nothing => prop_assert!(!owns(&set, path), "nothing of {} but {}", dir, path),
                    Cover::Some => {}
                }
            }
        }
    }

    #[test]
    fn an_escaped_path_is_itself(path in r"(/[a-c*?\[\]{},\\!é-]{1,6}){1,3}") {
        prop_assume!(!path.split('/').any(|name| name == "." || name == ".."));
        let set = watching(&[&escape(&path)]);
        prop_assert_eq!(set.roots(), [PathBuf::from(&path)]);
        prop_assert!(owns(&set, &path));
        prop_assert_eq!(set.cover(Path::new(&path)), Cover::All);
    }

    #[test]
    fn any_text_is_a_pattern_or_an_error(text in "\\PC{0,20}", path in "(/\\PC{0,4}){0,3}") {
        if let Ok(set) = WatchSet::new(vec![Interest::in_paths([text.clone()]).excluding([format!("/{text}")])]) {
            let owned = set.owner(Path::new(&path)).is_some();
            prop_assert!(!owned || path.starts_with('/'));
            prop_assert!(!owned || set.cover(Path::new("/")) != Cover::Nothing);
        }
    }
}

#[test]
fn who_overhears_owns_only_what_nobody_else_wants() {
    let ear = Interest::in_paths(["/etc/passwd"]).overhearing(["/etc/ssh/*.conf"]).with_content(10);
    let set = WatchSet::new(vec![ear, Interest::in_paths(["/etc/ssh/a.conf"])]).unwrap();
    let owner = |path: &str| set.owner(Path::new(path));
    assert_eq!(owner("/etc/ssh/a.conf"), Some(1));
    assert_eq!(owner("/etc/ssh/b.conf"), Some(0));
    assert_eq!(owner("/etc/ssh/b"), None);
    assert!(set.overhearers(1, Path::new("/etc/ssh/a.conf")).eq([0]));
    assert!(set.overhearers(0, Path::new("/etc/ssh/b.conf")).eq([]));
    assert_eq!(set.need_of(1, Path::new("/etc/ssh/a.conf")).content, Some(10));
    assert_eq!(set.cover(Path::new("/etc/ssh")), Cover::Some);
    assert!(set.roots().contains(&PathBuf::from("/etc/ssh")));
}
