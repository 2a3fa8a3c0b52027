//! Paths without wildcards, each with everything below it, in a sorted list: a prefix test is one binary search.
//!
//! Knows nothing of patterns and nothing of whether a path exists.

use std::cmp::Ordering;

/// A set of trees. The paths asked about have no slash at their end; the root is the empty path.
#[derive(Clone, Debug, Default)]
pub(super) struct Trees {
    /// Each with a slash at its end, so that bytewise order puts what is below a path right behind it;
    /// none below another.
    keys: Vec<Box<[u8]>>,
}

impl Trees {
    pub(super) fn new(paths: impl IntoIterator<Item = String>) -> Self {
        Self::of(paths.into_iter().map(|path| key(&path)).collect())
    }

    /// Of the [keys](key) of paths.
    pub(super) fn of(mut keys: Vec<Box<[u8]>>) -> Self {
        keys.sort_unstable();
        keys.dedup_by(|later, earlier| later.starts_with(earlier));
        Self { keys }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether the path is in one of the trees.
    pub(super) fn contains(&self, path: &[u8]) -> bool {
        let behind = self.keys.partition_point(|key| order(key, path) != Ordering::Greater);
        let candidate = behind.checked_sub(1).and_then(|at| self.keys.get(at));
        candidate.is_some_and(|key| {
            let own = key.strip_suffix(b"/").unwrap_or(key);
            path.starts_with(key) || path == own
        })
    }

    /// Whether one of the trees is below this directory.
    pub(super) fn lead_from(&self, dir: &[u8]) -> bool {
        let at = self.keys.partition_point(|key| order(key, dir) != Ordering::Greater);
        self.keys
            .get(at)
            .is_some_and(|key| key.strip_prefix(dir).is_some_and(|below| below.first() == Some(&b'/')))
    }

    /// The paths of the trees, sorted, without their final slash.
    pub(super) fn paths(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.iter().map(|key| key.strip_suffix(b"/").unwrap_or(key))
    }
}

/// A path as it is kept: there may be a million, so that it takes no more room than it needs.
pub(super) fn key(path: &str) -> Box<[u8]> {
    [path.as_bytes(), b"/"].concat().into_boxed_slice()
}

/// The order of a key to a path with a slash behind it.
fn order(key: &[u8], path: &[u8]) -> Ordering {
    match key.split_at_checked(path.len()) {
        Some((start, rest)) => start.cmp(path).then_with(|| rest.cmp(b"/".as_slice())),
        None => key.cmp(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn order_with_names_around_the_slash() {
        let trees = Trees::new(["/a", "/a-b", "/a0", "/b/c", "/a/nested"].map(String::from));
        let inside = ["/a", "/a/x", "/a-b", "/a-b/x", "/a0", "/b/c", "/b/c/d"];
        let outside = ["", "/", "/a-", "/a-c", "/a1", "/b", "/b/cc", "/b/b"];
        for path in inside {
            assert!(trees.contains(path.as_bytes()), "{path}");
        }
        for path in outside {
            assert!(!trees.contains(path.as_bytes()), "{path}");
        }
        assert!(trees.lead_from(b""));
        assert!(trees.lead_from(b"/b"));
        assert!(!trees.lead_from(b"/c"));
        assert!(Trees::new([String::new()]).contains(b"/any"));
        assert!(Trees::new([String::new()]).contains(b""));
        assert!(!Trees::default().contains(b"/any"));
    }

    proptest! {
        #[test]
        fn like_a_walk_over_the_components(
            paths in proptest::collection::vec("(/[a0.\\-]{1,2}){0,3}", 0..6),
            asked in "(/[a0.\\-]{1,2}){0,4}",
        ) {
            let trees = Trees::new(paths.clone());
            let below = |path: &str, top: &str| {
                path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            prop_assert_eq!(trees.contains(asked.as_bytes()), paths.iter().any(|path| below(&asked, path)));
            if !trees.contains(asked.as_bytes()) {
                prop_assert_eq!(trees.lead_from(asked.as_bytes()), paths.iter().any(|path| below(path, &asked)));
            }
        }
    }
}
