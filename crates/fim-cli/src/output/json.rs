//! A value as JSON on one line.
//!
//! A serializer of our own, for what a line is made of: names that are known are written as they are, and a text is
//! looked through once, many bytes in one go. With `serde_json`, which still writes each text that has something to
//! escape and each number with a point, a third of what a line costs was this.

mod text;
mod written;

pub use text::is_tricky;
pub use written::{FIELDS, Fields, Written};

use serde::Serialize;
use serde::ser::{self, Error as _};
use serde_json::Error;

/// The line for a value, without its line break.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn to_line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(2048);
    put(value, &mut line)?;
    Ok(line)
}

/// Adds the line for a value, without its line break.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn put(value: &impl Serialize, to: &mut Vec<u8>) -> serde_json::Result<()> {
    value.serialize(&mut Json(to))
}

/// Where a value is written.
struct Json<'t>(&'t mut Vec<u8>);

/// The parts of a list or an object, and what ends it.
struct Parts<'j, 't> {
    json: &'j mut Json<'t>,
    is_first: bool,
    end: &'static [u8],
}

impl<'t> Json<'t> {
    fn number(&mut self, number: u64) {
        let mut digits = super::short::Short::new();
        digits.number::<10>(number, 1);
        self.0.extend_from_slice(digits.as_bytes());
    }

    /// Begins a list or an object.
    fn parts(&mut self, begin: &[u8], end: &'static [u8]) -> Parts<'_, 't> {
        self.0.extend_from_slice(begin);
        Parts { json: self, is_first: true, end }
    }

    /// Begins an object of one field, which is written next.
    fn variant(&mut self, name: &'static str) -> Result<(), Error> {
        self.0.push(b'{');
        text::put(name, self.0)?;
        self.0.push(b':');
        Ok(())
    }

    fn library(&mut self, value: &impl Serialize) -> Result<(), Error> {
        serde_json::to_writer(&mut *self.0, value)
    }
}

impl Parts<'_, '_> {
    fn next(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.json.0.push(b',');
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.next();
        value.serialize(&mut *self.json)
    }

    /// A name that the program knows is none that needs escaping. Where it is known, it is a few instructions.
    #[inline(always)]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if name == FIELDS {
            self.next();
        } else {
            let is_first = std::mem::take(&mut self.is_first);
            self.json.0.extend_from_slice(if is_first { b"\"" } else { b",\"" });
            self.json.0.extend_from_slice(name.as_bytes());
            self.json.0.extend_from_slice(b"\":");
        }
        value.serialize(&mut *self.json)
    }

    fn finish(self) {
        self.json.0.extend_from_slice(self.end);
    }
}

impl<'j, 't> ser::Serializer for &'j mut Json<'t> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'j, 't>;
    type SerializeTuple = Parts<'j, 't>;
    type SerializeTupleStruct = Parts<'j, 't>;
    type SerializeTupleVariant = Parts<'j, 't>;
    type SerializeMap = Parts<'j, 't>;
    type SerializeStruct = Parts<'j, 't>;
    type SerializeStructVariant = Parts<'j, 't>;

    fn serialize_bool(self, yes: bool) -> Result<(), Error> {
        self.0.extend_from_slice(if yes { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, number: i8) -> Result<(), Error> {
        self.serialize_i64(number.into())
    }

    fn serialize_i16(self, number: i16) -> Result<(), Error> {
        self.serialize_i64(number.into())
    }

    fn serialize_i32(self, number: i32) -> Result<(), Error> {
        self.serialize_i64(number.into())
    }

    fn serialize_i64(self, number: i64) -> Result<(), Error> {
        if number < 0 {
            self.0.push(b'-');
        }
        self.number(number.unsigned_abs());
        Ok(())
    }

    fn serialize_u8(self, number: u8) -> Result<(), Error> {
        self.serialize_u64(number.into())
    }

    fn serialize_u16(self, number: u16) -> Result<(), Error> {
        self.serialize_u64(number.into())
    }

    fn serialize_u32(self, number: u32) -> Result<(), Error> {
        self.serialize_u64(number.into())
    }

    fn serialize_u64(self, number: u64) -> Result<(), Error> {
        self.number(number);
        Ok(())
    }

    fn serialize_f32(self, number: f32) -> Result<(), Error> {
        self.library(&number)
    }

    fn serialize_f64(self, number: f64) -> Result<(), Error> {
        self.library(&number)
    }

    fn serialize_char(self, c: char) -> Result<(), Error> {
        self.serialize_str(c.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        text::put(text, self.0)
    }

    /// What was [`Written`] before, or is a `Short`: nothing else in a line is bytes.
    fn serialize_bytes(self, written: &[u8]) -> Result<(), Error> {
        self.0.extend_from_slice(written);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<(), Error> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(name)?;
        value.serialize(&mut *self)?;
        self.0.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'j, 't>, Error> {
        Ok(self.parts(b"[", b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'j, 't>, Error> {
        Ok(self.parts(b"[", b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'j, 't>, Error> {
        Ok(self.parts(b"[", b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts<'j, 't>, Error> {
        self.variant(name)?;
        Ok(self.parts(b"[", b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'j, 't>, Error> {
        Ok(self.parts(b"{", b"}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'j, 't>, Error> {
        Ok(self.parts(b"{", b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts<'j, 't>, Error> {
        self.variant(name)?;
        Ok(self.parts(b"{", b"}}"))
    }
}

impl ser::SerializeMap for Parts<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Error> {
        self.next();
        let begin = self.json.0.len();
        name.serialize(&mut *self.json)?;
        match self.json.0.get(begin) {
            Some(b'"') => Ok(()),
            _ => Err(Error::custom("a name in an object must be a text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.json.0.push(b':');
        value.serialize(&mut *self.json)
    }

    fn end(self) -> Result<(), Error> {
        self.finish();
        Ok(())
    }
}

/// The traits of what has parts, which differ in nothing but their names: elements, and fields.
macro_rules! parts {
    ($($of:ident: $add:ident($($name:ident: $text:ty)?) by $put:ident,)*) => { $(
        impl ser::$of for Parts<'_, '_> {
            type Ok = ();
            type Error = Error;

            #[inline(always)]
            fn $add<T: Serialize + ?Sized>(&mut self, $($name: $text,)? value: &T) -> Result<(), Error> {
                self.$put($($name,)? value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish();
                Ok(())
            }
        }
    )* };
}

parts! {
    SerializeSeq: serialize_element() by element,
    SerializeTuple: serialize_element() by element,
    SerializeTupleStruct: serialize_field() by element,
    SerializeTupleVariant: serialize_field() by element,
    SerializeStruct: serialize_field(name: &'static str) by field,
    SerializeStructVariant: serialize_field(name: &'static str) by field,
}

#[cfg(test)]
mod tests;
