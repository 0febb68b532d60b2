//! Counts what a JSON document holds before anything is made of it: three bytes of JSON can become fifty in memory, and
//! limits on single lists come too late for that.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::limits::INDEX_STRING_MAX;

/// Checks that a document has at most `most` values, those of lists and objects at any depth, and no overlong text.
///
/// # Errors
/// When it has more, or one, or is no JSON.
pub fn check(raw: &[u8], most: usize) -> Result<(), serde_json::Error> {
    let left = Cell::new(most);
    let mut document = serde_json::Deserializer::from_slice(raw);
    Census { left: &left }.deserialize(&mut document)?;
    document.end()
}

#[derive(Clone, Copy)]
struct Census<'a> {
    left: &'a Cell<usize>,
}

impl Census<'_> {
    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| E::custom("too many values"))?;
        self.left.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Census<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Census<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.count()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.count()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.count()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.count()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.count()
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.len() > INDEX_STRING_MAX {
            return Err(E::custom("a text is too long"));
        }
        self.count()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.count()?;
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        self.count()?;
        while object.next_key::<IgnoredAny>()?.is_some() {
            object.next_value_seed(self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{INDEX_STRING_MAX, check};

    #[test]
    fn every_value_counts_once() {
        for (json, count) in
            [("1", 1), ("[]", 1), ("[1,2,\"a\"]", 4), ("{\"a\":null,\"b\":{\"c\":[true,1.5,-1]}}", 7)]
        {
            assert!(check(json.as_bytes(), count).is_ok(), "{json}");
            assert!(check(json.as_bytes(), count - 1).is_err(), "{json}");
        }
        assert!(check(b"[1] 2", 9).is_err() && check(b"", 9).is_err());
    }

    #[test]
    fn a_text_has_its_bounds() {
        let text = |len: usize| format!("[\"{}\"]", "x".repeat(len));
        assert!(check(text(INDEX_STRING_MAX).as_bytes(), 2).is_ok());
        assert!(check(text(INDEX_STRING_MAX + 1).as_bytes(), 2).is_err());
    }
}
