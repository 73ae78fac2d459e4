//! Markdown with pipe tables; whatever is not ours is escaped, so that it is text and nothing else.

use crate::cut::{Cut, MARK};
use crate::language::Language;
use crate::layout::Layout;
use crate::model::Review;

/// Writes the document.
pub(crate) fn render(review: &Review, language: Language) -> String {
    let layout = Layout::of(review, language);
    let mut text = format!("<!-- {MARK} {} -->\n\n", Cut::of(review, Some(language)).line());
    let mut add = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    add(&format!("# {}\n\n{}\n", escaped(&layout.title), escaped(&layout.subtitle)));
    if let Some(sample) = layout.sample {
        add(&format!("**{}**\n", escaped(sample)));
    }
    for (label, field) in &layout.head {
        add(&format!("- {}: {}", escaped(label), escaped(&field.shown(language))));
    }
    add("");
    for note in &layout.notes {
        add(&format!("{}\n", escaped(note)));
    }
    for section in &layout.sections {
        add(&format!("## {}\n", escaped(section.heading)));
        if let Some(note) = section.note {
            add(&format!("{}\n", escaped(note)));
        }
        if section.rows.is_empty() {
            add(&format!("{}\n", escaped(section.empty)));
            continue;
        }
        let row = |fields: Vec<String>| format!("| {} |", fields.join(" | "));
        add(&row(section.columns.iter().map(|column| escaped(column)).collect()));
        let rule = (0..section.columns.len()).map(|column| {
            let of_numbers = section.rows.iter().any(|row| row[column].is_number());
            (if of_numbers { "---:" } else { "---" }).to_owned()
        });
        add(&row(rule.collect()));
        for fields in &section.rows {
            add(&row(fields.iter().map(|field| escaped(&field.shown(language))).collect()));
        }
        add("");
    }
    if let Some(checkpoint) = &layout.checkpoint {
        add(&format!("## {}\n\n{}\n", escaped(layout.checkpoint_heading), escaped(layout.checkpoint_note)));
        // An indented block holds any text; a fence could be closed by what stands in it.
        for line in checkpoint.lines() {
            add(format!("    {line}").trim_end());
        }
    }
    text
}

/// Text that means itself: nothing of Markdown, HTML or tables is left in it, and it is one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_means_itself() {
        assert_eq!(escaped("a|b\n# c"), "a\\|b \\# c");
        assert_eq!(escaped("<script>&[x](y)"), "&lt;script&gt;&amp;\\[x\\](y)");
        assert_eq!(escaped("Dĩ An – 55,33 %"), "Dĩ An – 55,33 %");
    }
}
