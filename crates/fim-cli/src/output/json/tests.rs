//! Whatever is written is as `serde_json` writes it.

use super::*;
use serde::ser::SerializeStruct;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct All<'a> {
    numbers: (i8, i16, i32, i64, u8, u16, u32, u64),
    least: i64,
    points: (f32, f64, f64),
    texts: [&'a str; 3],
    letter: char,
    yes: bool,
    nothing: Option<u8>,
    something: Option<Unit>,
    unit: (),
    empty: [u8; 0],
    map: BTreeMap<&'a str, Vec<Variants>>,
    #[serde(flatten)]
    flat: BTreeMap<&'a str, u8>,
}

#[derive(Serialize)]
struct Unit;

struct With {
    first: u8,
    written: Written,
    last: u8,
}

impl Serialize for With {
    fn serialize<S: ser::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("With", 3)?;
        fields.serialize_field("first", &self.first)?;
        fields.serialize_field(FIELDS, &Fields(&self.written))?;
        fields.serialize_field("last", &self.last)?;
        fields.end()
    }
}

#[derive(Serialize)]
struct Newtype(u8);

#[derive(Serialize)]
struct Pair(u8, &'static str);

#[derive(Serialize)]
enum Variants {
    Unit,
    Newtype(Newtype),
    Tuple(u8, Pair),
    Struct { a: u8, b: Option<Unit> },
}

#[test]
fn every_kind_of_value_is_as_the_library_writes_it() {
    use Variants::{Newtype as New, Struct, Tuple, Unit as Alone};
    let variants = vec![Alone, New(Newtype(1)), Tuple(2, Pair(3, "x")), Struct { a: 4, b: None }];
    let all = All {
        numbers: (-1, -2, -3, i64::MAX, 1, 2, 3, u64::MAX),
        least: i64::MIN,
        points: (0.5, -1e300, f64::NAN),
        texts: ["", "plain", "\"quoted\" \\ \n é"],
        letter: '"',
        yes: true,
        nothing: None,
        something: Some(Unit),
        unit: (),
        empty: [],
        map: BTreeMap::from([("", vec![]), ("a \"name\"", variants)]),
        flat: BTreeMap::from([("x", 1), ("y", 2)]),
    };
    let expected = serde_json::to_string(&all).unwrap();
    assert_eq!(String::from_utf8(to_line(&all).unwrap()).unwrap(), expected);
}

#[test]
fn what_was_written_is_part_of_a_line_as_it_is() {
    let value = BTreeMap::from([("a", vec![Some(1), None]), ("b", vec![])]);
    let written = Written::of(&value).unwrap();
    assert_eq!(to_line(&[&written, &written]).unwrap(), serde_json::to_vec(&[&value, &value]).unwrap());
    assert_eq!(format!("{written:?}"), r#"{"a":[1,null],"b":[]}"#);
    let with = With { first: 1, written, last: 2 };
    assert_eq!(to_line(&with).unwrap(), br#"{"first":1,"a":[1,null],"b":[],"last":2}"#);
}

#[test]
fn what_is_no_text_is_no_name() {
    assert!(to_line(&BTreeMap::from([(1, 2)])).is_err());
}

#[test]
fn a_line_is_added_to_what_is_there() {
    let mut line = b"x".to_vec();
    put(&Newtype(7), &mut line).unwrap();
    assert_eq!(line, b"x7");
}
