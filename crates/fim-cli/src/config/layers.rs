//! Several files as one configuration: what a later one says of a key counts, and arrays of tables grow. Pure.

use super::origin::Origins;
use std::path::Path;
use toml::{Table, Value};

/// What the files said so far, taken together.
#[derive(Debug, Default)]
pub struct Layers {
    /// All of it.
    pub table: Table,
    /// Where it came from.
    pub origins: Origins,
}

impl Layers {
    /// Puts what a file says over what was said before. What is not TOML says nothing: it was refused before.
    pub fn add(&mut self, file: &Path, text: &str) {
        let counts = |name: &str| self.table.get(name).and_then(Value::as_array).map_or(0, Vec::len);
        self.origins.note(file, text, counts);
        lay(&mut self.table, toml::from_str(text).unwrap_or_default());
    }
}

fn lay(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay(below, above),
            (Some(Value::Array(below)), Value::Array(above)) if above.iter().all(Value::is_table) => {
                below.extend(above);
            }
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::origin::Origin;

    #[test]
    fn scalars_override_and_arrays_of_tables_grow() {
        let mut layers = Layers::default();
        layers.add(Path::new("/a"), "s = 1\nk = 1\n[t]\nx = 1\ny = 1\n[[l]]\np = ['a']\n");
        layers.add(Path::new("/b"), "s = 2\n[t]\nx = [2]\n[[l]]\np = ['b']\n[[m]]\np = 1\n");
        let expected =
            "s = 2\nk = 1\n[t]\nx = [2]\ny = 1\n[[l]]\np = ['a']\n[[l]]\np = ['b']\n[[m]]\np = 1\n";
        assert_eq!(layers.table, toml::from_str(expected).unwrap());
        for (name, file, line) in [
            ("s", "/b", 1),
            ("k", "/a", 2),
            ("t.x", "/b", 3),
            ("t.y", "/a", 5),
            ("l[0].p", "/a", 7),
            ("l[1].p", "/b", 5),
        ] {
            assert_eq!(layers.origins.of(name), &Origin::File(file.into(), line), "{name}");
        }
    }
}
