//! CSV (RFC 4180): every section below the other, each begun by a row of its own column names.
//!
//! Every record has the same number of fields and begins with the section it belongs to. What a spreadsheet would take
//! for a formula – a field that begins with `=`, `+`, `-`, `@`, a tab or a carriage return – gets an apostrophe before
//! it; numbers are written with a point and without thousands, moments as RFC 3339.

use crate::cut::{Cut, MARK};
use crate::language::Language;
use crate::layout::Layout;
use crate::model::Review;

/// Writes the document.
pub(crate) fn render(review: &Review, language: Language) -> String {
    let layout = Layout::of(review, language);
    let mut records: Vec<Vec<String>> = Vec::new();
    let record = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
    records.push(record(&["document", &layout.title, &layout.subtitle]));
    if let Some(sample) = layout.sample {
        records.push(record(&["document", sample]));
    }
    for (label, field) in &layout.head {
        records.push(record(&["document", label, &field.plain()]));
    }
    for note in &layout.notes {
        records.push(record(&["document", note]));
    }
    for section in &layout.sections {
        let names = std::iter::once(section.id).chain(section.columns.iter().copied());
        records.push(names.map(str::to_owned).collect());
        for row in &section.rows {
            let fields = row.iter().map(crate::layout::Field::plain);
            records.push(std::iter::once(section.id.to_owned()).chain(fields).collect());
        }
    }
    for line in layout.checkpoint.iter().flat_map(|text| text.lines()) {
        records.push(record(&["checkpoint", line]));
    }
    records.push(vec![MARK.to_owned(), Cut::of(review, Some(language)).line()]);
    let width = records.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for mut fields in records {
        fields.resize(width, String::new());
        let written: Vec<String> = fields.iter().map(|field| quoted(&defused(field))).collect();
        text.push_str(&written.join(","));
        text.push_str("\r\n");
    }
    text
}

/// The field as text where a spreadsheet would run it as a formula.
fn defused(field: &str) -> String {
    match field.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{field}"),
        Some(_) | None => field.to_owned(),
    }
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", field.replace('"', "\"\""));
    }
    field.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for wrong in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(defused(wrong), format!("'{wrong}"));
        }
        for right in ["", "1+1", "Dĩ An", "'=1", " =1"] {
            assert_eq!(defused(right), right);
        }
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("a\r\nb"), "\"a\r\nb\"");
    }
}
