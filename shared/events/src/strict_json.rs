//! JSON read without mercy: duplicate keys, deep nesting and trailing text are errors.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::RefCell;
use std::fmt;
use thiserror::Error;

/// How deep a document may nest.
pub const DEPTH_LIMIT: usize = 32;

/// Why a text was not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StrictJsonError {
    /// The text is no JSON at all.
    #[error("the body is no JSON: {reason}")]
    Syntax {
        /// What the parser met, with line and column.
        reason: String,
    },
    /// A key stands twice in one object.
    #[error("the key `{key}` stands twice in one object")]
    DuplicateKey {
        /// The key.
        key: String,
        /// RFC 6901 pointer to the second one.
        pointer: String,
    },
}

/// Reads a whole document; refuses duplicate keys, nesting deeper than [`DEPTH_LIMIT`] and trailing text.
pub fn parse(bytes: &[u8]) -> Result<Value, StrictJsonError> {
    let state = State::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Node { state: &state, depth: 0 }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match (value, state.duplicate.into_inner()) {
        (_, Some((key, pointer))) => Err(StrictJsonError::DuplicateKey { key, pointer }),
        (Ok(value), None) => Ok(value),
        (Err(error), None) => Err(StrictJsonError::Syntax { reason: error.to_string() }),
    }
}

/// Writes a value in canonical form: keys sorted by their bytes, no blanks, so that the same value gives the same bytes.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_canonical(&mut bytes, value);
    bytes
}

fn write_canonical(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Array(items) => {
            bytes.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                write_canonical(bytes, item);
            }
            bytes.push(b']');
        }
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            bytes.push(b'{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                serde_json::to_writer(&mut *bytes, name).expect("a text serialises to memory");
                bytes.push(b':');
                write_canonical(bytes, &fields[name]);
            }
            bytes.push(b'}');
        }
        scalar => serde_json::to_writer(bytes, scalar).expect("a scalar serialises to memory"),
    }
}

/// Lower-case hexadecimal SHA-256 of some bytes.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Default)]
struct State {
    path: RefCell<Vec<String>>,
    duplicate: RefCell<Option<(String, String)>>,
}

impl State {
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in self.path.borrow().iter() {
            pointer.push('/');
            pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        }
        pointer
    }
}

struct Node<'a> {
    state: &'a State,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let depth = deeper(self.depth)?;
        let mut items = Vec::new();
        loop {
            self.state.path.borrow_mut().push(items.len().to_string());
            let item = access.next_element_seed(Node { state: self.state, depth })?;
            self.state.path.borrow_mut().pop();
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let depth = deeper(self.depth)?;
        let mut fields = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            self.state.path.borrow_mut().push(key.clone());
            if fields.contains_key(&key) {
                let mut duplicate = self.state.duplicate.borrow_mut();
                if duplicate.is_none() {
                    *duplicate = Some((key.clone(), self.state.pointer()));
                }
            }
            let value = access.next_value_seed(Node { state: self.state, depth })?;
            self.state.path.borrow_mut().pop();
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

fn deeper<E: serde::de::Error>(depth: usize) -> Result<usize, E> {
    if depth >= DEPTH_LIMIT {
        Err(E::custom(format!("nested deeper than {DEPTH_LIMIT} levels")))
    } else {
        Ok(depth + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_named_with_its_place() {
        let error = parse(br#"{"lines":[{"level":1},{"level":1,"a/b":2,"a/b":3}]}"#).unwrap_err();
        assert_eq!(
            error,
            StrictJsonError::DuplicateKey { key: "a/b".into(), pointer: "/lines/1/a~1b".into() }
        );
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(40) + &"]".repeat(40);
        for wrong in ["", "{", "[1,]", "{} x", "nul", "{\"a\":NaN}", deep.as_str()] {
            assert!(matches!(parse(wrong.as_bytes()), Err(StrictJsonError::Syntax { .. })), "{wrong:?}");
        }
        assert!(matches!(parse(b"\"\xff\""), Err(StrictJsonError::Syntax { .. })));
    }

    #[test]
    fn what_is_json_reads_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,2.5,"x",null,true],"b":{"c":18446744073709551615}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }
}
