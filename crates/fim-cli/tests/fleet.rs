//! The configurations in `packaging/fleet` speak of fields that lines of fim have, and of no others.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> String {
    let path = top().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(name: &str) -> Value {
    serde_json::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names of all fields below a node of the schema, with those that are inside of lists left out.
fn fields(schema: &Value, node: &Value, name: &str, into: &mut BTreeSet<String>) {
    let node = match node["$ref"].as_str() {
        Some(target) => &schema["$defs"][target.rsplit('/').next().unwrap()],
        None => node,
    };
    let Some(properties) = node["properties"].as_object() else {
        into.insert(name.to_owned());
        return;
    };
    for (key, child) in properties {
        fields(schema, child, &if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, into);
    }
}

fn schema_fields() -> BTreeSet<String> {
    let schema = json("docs/events.schema.json");
    let mut all = BTreeSet::new();
    for kind in schema["$defs"].as_object().unwrap().keys() {
        if schema["$defs"][kind]["properties"]["event"].is_object() {
            fields(&schema, &schema["$defs"][kind], "", &mut all);
        }
    }
    assert!(all.contains("file.path") && all.contains("fim.gap.found"), "{all:?}");
    all
}

fn mapped(node: &Value, name: &str, into: &mut Vec<(String, String)>) {
    match node["properties"].as_object() {
        Some(properties) => {
            for (key, child) in properties {
                mapped(child, &if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, into);
            }
        }
        None => into.push((name.to_owned(), node["type"].as_str().unwrap().to_owned())),
    }
}

#[test]
fn the_index_template_has_every_field_and_no_other() {
    let template = json("packaging/fleet/opensearch/index-template.json");
    let mut mappings = Vec::new();
    mapped(&template["template"]["mappings"], "", &mut mappings);
    let of_flat = |field: &str| {
        mappings.iter().any(|(name, kind)| {
            name == field || (kind == "flat_object" && field.starts_with(&format!("{name}.")))
        })
    };
    let schema = schema_fields();
    let missing: Vec<_> = schema.iter().filter(|field| !of_flat(field)).collect();
    assert!(missing.is_empty(), "not in the template: {missing:?}");
    for (name, _) in &mappings {
        let known = schema.iter().any(|field| field == name || field.starts_with(&format!("{name}.")));
        assert!(known || name == "event.original", "no field of fim: {name}");
    }
    let queries = json("packaging/fleet/opensearch/queries.json").to_string();
    let mut asked = 0;
    for (at, _) in queries.match_indices("\"term\":{\"").chain(queries.match_indices("\"field\":\"")) {
        let from = queries[at..].find(":").unwrap() + at;
        let name = queries[from..].split('"').nth(1).unwrap();
        assert!(of_flat(name), "a query asks for {name}");
        asked += 1;
    }
    assert!(asked > 8);
}

#[test]
fn the_table_reads_fields_that_are_there() {
    let schema = schema_fields();
    let table = read("packaging/fleet/clickhouse/table.sql");
    let mut seen = 0;
    for call in table.split("JSONExtract").skip(1) {
        let arguments = call.split(')').next().unwrap();
        let mut names: Vec<_> = arguments.split('\'').skip(1).step_by(2).collect();
        // The last one of plain JSONExtract is a type.
        if call.starts_with('(') {
            names.pop();
        }
        let field = names.join(".");
        let known = schema.iter().any(|it| *it == field || it.starts_with(&format!("{field}.")));
        assert!(known, "no field of fim: {field}");
        seen += 1;
    }
    assert!(seen > 15);
}

#[test]
fn the_configuration_of_vector_is_toml_and_joins_what_is_there() {
    let vector: toml::Table = toml::from_str(&read("packaging/fleet/vector/vector.toml")).unwrap();
    let named = |kind: &str| vector[kind].as_table().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let from: BTreeSet<_> = named("sources").union(&named("transforms")).cloned().collect();
    for kind in ["transforms", "sinks"] {
        for (name, part) in vector[kind].as_table().unwrap() {
            for input in part["inputs"].as_array().unwrap() {
                assert!(from.contains(input.as_str().unwrap()), "{name} takes from {input}");
            }
        }
    }
}
