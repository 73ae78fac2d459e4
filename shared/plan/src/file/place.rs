//! Where each key of a file stands.

use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// The byte offset of every key of a document, by its path such as `indicators[3].measure`.
#[derive(Debug, Default)]
pub(super) struct Places {
    offsets: BTreeMap<String, usize>,
}

impl Places {
    /// Notes where the keys of a document stand: a value at the value, a table at its header.
    pub(super) fn of(document: &DeTable<'_>) -> Places {
        let mut places = Places::default();
        places.note_table("", document);
        places
    }

    fn note_table(&mut self, path: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let path = child(path, name.get_ref());
            let offset = match value.get_ref() {
                DeValue::Table(_) | DeValue::Array(_) => name.span().start,
                DeValue::String(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_) => value.span().start,
            };
            self.note(&path, offset, value.get_ref());
        }
    }

    fn note(&mut self, path: &str, offset: usize, value: &DeValue<'_>) {
        self.offsets.insert(path.to_owned(), offset);
        match value {
            DeValue::Table(table) => self.note_table(path, table),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.note(&format!("{path}[{index}]"), item.span().start, item.get_ref());
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }

    /// Where a key stands; a key that is missing stands where the table does that should hold it.
    pub(super) fn offset_of(&self, key: &str) -> usize {
        let mut path = key;
        loop {
            if let Some(offset) = self.offsets.get(path) {
                return *offset;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return 0,
            }
        }
    }

    /// The last key that stands at or before an offset; empty before the first.
    pub(super) fn key_before(&self, offset: usize) -> &str {
        self.offsets
            .iter()
            .filter(|(_, place)| **place <= offset)
            .max_by_key(|(key, place)| (**place, key.len()))
            .map_or("", |(key, _)| key)
    }
}

/// The path of a key inside a table.
pub(super) fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The line and the column, in characters, of a byte offset; both from 1.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    // Bytes that go on a character of UTF-8 are 0b10xx_xxxx; each of the others begins one.
    let column = before[line_start..].iter().filter(|byte| **byte & 0xc0 != 0x80).count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a = 1\nñame = \"Dĩ An\" x";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, text.find('x').unwrap()), (2, 16));
        assert_eq!(line_and_column(text, text.len() + 9), (2, 17));
    }

    #[test]
    fn a_missing_key_stands_where_its_table_does() {
        let text = "x = 1\n[[units]]\nid = \"a\"\n[[units]]\nid = \"b\"\nname.vi = \"B\"\n";
        let document = DeTable::parse(text).unwrap();
        let places = Places::of(document.get_ref());
        let line = |key: &str| line_and_column(text, places.offset_of(key)).0;
        assert_eq!((line("units[0].id"), line("units[1].id"), line("units[1].code")), (3, 5, 4));
        assert_eq!((line("units[1].name.en"), line("units"), line("nowhere.at[3].all")), (6, 2, 1));
        assert_eq!(places.key_before(text.find("\"b\"").unwrap()), "units[1].id");
    }
}
