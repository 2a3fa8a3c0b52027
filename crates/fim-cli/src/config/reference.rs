//! The tables of keys in `docs/configuration.md`, and `docs/configuration.schema.json` for editors: made of the types
//! that are read, with their documentation and their defaults. `FIM_BLESS=1` writes both anew.

use super::{Config, Size, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::path::PathBuf;

/// What is read from a number or a text.
macro_rules! number_or_text {
    ($($name:ident)*) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": ["integer", "string"], "minimum": 0})
            }
        }
    )*};
}

number_or_text! { Size Span }

/// The schema of a configuration, as JSON.
fn schema() -> Value {
    let mut schema: Schema = schemars::schema_for!(Config);
    schema.insert("title".to_owned(), "The configuration of fim".into());
    schema.to_value()
}

/// What a schema says, wherever it points to; of a list what its members are.
fn resolved<'a>(schema: &'a Value, of: &'a Value) -> &'a Value {
    let alternatives = of.get("anyOf").and_then(Value::as_array);
    let inner = of.get("items").or_else(|| alternatives.and_then(|all| all.first()));
    match (of.get("$ref").and_then(Value::as_str), inner) {
        (Some(place), _) => resolved(schema, schema.pointer(place.trim_start_matches('#')).unwrap()),
        (None, Some(inner)) => resolved(schema, inner),
        (None, None) => of,
    }
}

fn properties(of: &Value) -> Option<&Map<String, Value>> {
    of.get("properties").and_then(Value::as_object)
}

/// The keys of a section in the order of their declaration, which is that in which the error for a wrong one has them.
fn keys(section: &str) -> Vec<String> {
    let error = toml::from_str::<Config>(&format!("{section}\n'?' = 0\n")).unwrap_err();
    error.message().split('`').skip(1).step_by(2).skip(1).map(str::to_owned).collect()
}

fn meaning(schema: &Value, of: &Value) -> String {
    let line = |of: &Value| {
        let text = of.get("description").and_then(Value::as_str).unwrap_or_default();
        text.replace("\n\n", " ").replace('\n', " ")
    };
    let words = resolved(schema, of).get("oneOf").and_then(Value::as_array);
    // What the words of a list mean is told by the text.
    let words = words.filter(|_| of.get("items").is_none());
    let words =
        words.into_iter().flatten().filter_map(|word| Some((word.get("const")?.as_str()?, line(word))));
    words.fold(line(of), |text, (word, means)| format!("{text} `{word}`: {means}"))
}

fn default(of: &Value, is_required: bool) -> String {
    match of.get("default").filter(|value| !value.is_null()) {
        Some(value) => format!("`{}`", toml::Value::try_from(value).unwrap()),
        None if is_required => "(required)".to_owned(),
        // Not written where it is empty.
        None if of.get("items").is_some() => "`[]`".to_owned(),
        None => "(none)".to_owned(),
    }
}

/// The table of a section: `""` is what stands before the first one.
fn table(schema: &Value, name: &str) -> String {
    let (section, header) = match name {
        "" => (schema, String::new()),
        _ => {
            let of = schema.pointer(&format!("/properties/{name}")).unwrap();
            let header = if of.get("items").is_some() { format!("[[{name}]]") } else { format!("[{name}]") };
            (resolved(schema, of), header)
        }
    };
    let required = section.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut text = "| key | default | meaning |\n|---|---|---|\n".to_owned();
    for key in keys(&header) {
        let of = &properties(section).unwrap()[&key];
        if properties(resolved(schema, of)).is_none() {
            let default = default(of, required.contains(&key.as_str().into()));
            text += &format!("| `{key}` | {default} | {} |\n", meaning(schema, of).replace('|', "\\|"));
        }
    }
    text
}

fn docs(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file)
}

/// Holds a file of the book against what it should be, or writes that.
fn hold(file: &str, old: &str, new: &str) {
    if std::env::var_os("FIM_BLESS").is_some() {
        std::fs::write(docs(file), new).unwrap();
    } else {
        assert!(old == new, "docs/{file} is out of date: FIM_BLESS=1 cargo test -p fim-cli reference\n{new}");
    }
}

#[test]
fn the_tables_are_those_of_the_program() {
    let (file, schema) = ("configuration.md", schema());
    let old = std::fs::read_to_string(docs(file)).unwrap();
    let sections = properties(&schema).unwrap().iter();
    let sections = sections.filter(|(_, of)| properties(resolved(&schema, of)).is_some());
    let mut new = old.clone();
    for name in sections.map(|(name, _)| name.as_str()).chain([""]) {
        let begin = format!("<!-- keys of {} -->\n", if name.is_empty() { "the file" } else { name });
        let (before, rest) = new.split_once(&begin).unwrap_or_else(|| panic!("no table has {begin}"));
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        new = format!("{before}{begin}{}<!-- end -->{after}", table(&schema, name));
    }
    hold(file, &old, &new);
}

#[test]
fn the_schema_is_that_of_the_program() {
    let file = "configuration.schema.json";
    let old = std::fs::read_to_string(docs(file)).unwrap_or_default();
    hold(file, &old, &format!("{:#}\n", schema()));
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let is_valid = |text: &str| validator.is_valid(&toml::from_str::<Value>(text).unwrap());
    let book = std::fs::read_to_string(docs("configuration.md")).unwrap();
    let blocks = book.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    for text in blocks.chain([
        "",
        "[metrics]\ngraphite = 'carbon:2003'\nrole = { file = '/r', key = 'k', separator = ':' }\nlisten = '127.0.0.1:9469'",
        "[limits]\nmax_file_size = 7\n[scan]\nfull_every = 0",
        "[[generic_diff]]\npaths = ['/a']\nredact = ['x']\nmax_lines = 7",
    ]) {
        assert!(is_valid(text), "{text}");
    }
    for text in ["stat = '/s'", "[[generic]]\nexclude = []", "watcher = 'bfp'", "[limits]\nring_bytes = true"]
    {
        assert!(!is_valid(text), "{text}");
    }
}
