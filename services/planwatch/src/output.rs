//! What is printed: data on standard output, everything else on standard error.
//!
//! A reader that closed the pipe is no failure of ours: what cannot be written is dropped.

use serde::Serialize;
use serde_json::Value;
use std::fmt::Display;
use std::io::Write;

/// Prints one line of data.
pub fn line(text: impl Display) {
    let _closed_pipe = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a document as it is.
pub fn document(bytes: &[u8]) {
    let _closed_pipe = std::io::stdout().lock().write_all(bytes);
}

/// Prints a value as one line of JSON.
pub fn json(value: &impl Serialize) {
    let text = serde_json::to_string(value).expect("what is printed is plain data");
    line(text);
}

/// Prints what the server says about one recorded event: as it said it, or as a sentence.
pub fn acceptance(answer: &Value, as_json: bool) {
    if as_json {
        return json(answer);
    }
    let field = |name: &str| match answer.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "?".to_owned(),
    };
    line(format_args!(
        "recorded at position {} as revision {} on {} (event {})",
        field("position"),
        field("revision"),
        field("recorded_at"),
        field("event")
    ));
}

/// Says something to the person at the terminal.
pub fn say(text: impl Display) {
    let _closed_pipe = writeln!(std::io::stderr().lock(), "{text}");
}

/// Says to people of an answer with made-up figures that it is one.
pub fn sample(answer: &Value) {
    if answer.get("sample") == Some(&Value::Bool(true)) {
        say("sample data: no figure is real");
    }
}

/// Says what failed, with every cause below it.
pub fn failure(error: &anyhow::Error) {
    let mut text = format!("planwatch: {error}");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str("\n  because: ");
            text.push_str(&cause);
        }
    }
    say(text);
}

/// Prints rows under their headings, each column as wide as its widest field.
pub fn table<const COLUMNS: usize>(headings: [&str; COLUMNS], rows: &[[String; COLUMNS]]) {
    line(table_text(headings, rows));
}

fn table_text<const COLUMNS: usize>(headings: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut widths = headings.map(|heading| heading.chars().count());
    for row in rows {
        for (width, field) in widths.iter_mut().zip(row) {
            *width = (*width).max(field.chars().count());
        }
    }
    let padded = |fields: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (field, width) in fields.zip(widths) {
            let missing = width - field.chars().count();
            text.push_str(field);
            text.extend(std::iter::repeat_n(' ', missing + 2));
        }
        text.trim_end().to_owned()
    };
    let mut lines = vec![padded(&mut headings.into_iter())];
    lines.extend(rows.iter().map(|row| padded(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_field_in_characters() {
        let rows = [["dĩ-an".to_owned(), "12".to_owned()], ["x".to_owned(), "3".to_owned()]];
        assert_eq!(table_text(["unit", "n"], &rows), "unit   n\ndĩ-an  12\nx      3");
    }
}
