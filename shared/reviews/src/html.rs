//! HTML: one page that needs nothing outside of it, reads on a screen and prints on A4.

use crate::cut::{Cut, MARK};
use crate::language::Language;
use crate::layout::{Field, Layout};
use crate::model::Review;
use std::fmt::Write;

/// The style of the page, exactly as it stands between its tags.
pub const HTML_STYLE: &str = concat!("\n", include_str!("html/review.css"));

/// Writes the document.
pub(crate) fn render(review: &Review, language: Language) -> String {
    let layout = Layout::of(review, language);
    let mut page = String::new();
    write(&mut page, review, language, &layout).expect("a text takes what is written to it");
    page
}

fn write(page: &mut String, review: &Review, language: Language, layout: &Layout) -> std::fmt::Result {
    let tag = language.tag();
    writeln!(page, "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(page, "<meta name=\"viewport\" content=\"width=device-width\">")?;
    let cut = Cut::of(review, Some(language)).line();
    writeln!(page, "<meta name=\"{MARK}\" content=\"{}\">", escaped(&cut))?;
    writeln!(page, "<title>{} – {}</title>", escaped(&layout.title), escaped(&layout.subtitle))?;
    writeln!(page, "<style>{HTML_STYLE}</style>\n</head>\n<body>")?;
    writeln!(
        page,
        "<header>\n<h1>{}</h1>\n<p class=\"plan\">{}</p>",
        escaped(&layout.title),
        escaped(&layout.subtitle)
    )?;
    if let Some(sample) = layout.sample {
        writeln!(page, "<p class=\"sample\">{}</p>", escaped(sample))?;
    }
    writeln!(page, "<dl>")?;
    for (label, field) in &layout.head {
        writeln!(page, "<dt>{}</dt><dd>{}</dd>", escaped(label), shown(field, language))?;
    }
    writeln!(page, "</dl>")?;
    for note in &layout.notes {
        writeln!(page, "<p class=\"note\">{}</p>", escaped(note))?;
    }
    writeln!(page, "</header>\n<main>")?;
    for section in &layout.sections {
        let id = section.id;
        writeln!(page, "<section id=\"{id}\" aria-labelledby=\"{id}-heading\">")?;
        writeln!(page, "<h2 id=\"{id}-heading\">{}</h2>", escaped(section.heading))?;
        if let Some(note) = section.note {
            writeln!(page, "<p class=\"note\">{}</p>", escaped(note))?;
        }
        if section.rows.is_empty() {
            writeln!(page, "<p>{}</p>\n</section>", escaped(section.empty))?;
            continue;
        }
        writeln!(page, "<div class=\"table\">\n<table>\n<thead>\n<tr>")?;
        for (column, name) in section.columns.iter().enumerate() {
            let of_numbers = section.rows.iter().any(|row| row[column].is_number());
            let class = if of_numbers { " class=\"number\"" } else { "" };
            writeln!(page, "<th scope=\"col\"{class}>{}</th>", escaped(name))?;
        }
        writeln!(page, "</tr>\n</thead>\n<tbody>")?;
        for row in &section.rows {
            write!(page, "<tr>")?;
            for (column, field) in row.iter().enumerate() {
                let (open, close) = if column == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
                write!(page, "<{open}{}>{}</{close}>", class(field), shown(field, language))?;
            }
            writeln!(page, "</tr>")?;
        }
        writeln!(page, "</tbody>\n</table>\n</div>\n</section>")?;
    }
    writeln!(page, "</main>")?;
    if let Some(checkpoint) = &layout.checkpoint {
        writeln!(page, "<footer>\n<h2>{}</h2>", escaped(layout.checkpoint_heading))?;
        writeln!(page, "<p class=\"note\">{}</p>", escaped(layout.checkpoint_note))?;
        writeln!(page, "<pre>{}</pre>\n</footer>", escaped(checkpoint))?;
    }
    writeln!(page, "</body>\n</html>")
}

fn class(field: &Field) -> String {
    match field {
        Field::Verdict(_, verdict) => format!(" class=\"verdict {verdict}\""),
        Field::Code(_) => " class=\"code\"".to_owned(),
        field if field.is_number() => " class=\"number\"".to_owned(),
        Field::Empty
        | Field::Text(_)
        | Field::Vietnamese(_)
        | Field::Count(_)
        | Field::Decimal(_)
        | Field::Percent(_)
        | Field::Moment(_) => String::new(),
    }
}

fn shown(field: &Field, language: Language) -> String {
    let text = escaped(&field.shown(language));
    match field {
        Field::Vietnamese(_) if language != Language::Vietnamese => {
            format!("<span lang=\"vi\">{text}</span>")
        }
        Field::Moment(moment) => format!("<time datetime=\"{}\">{text}</time>", escaped(moment)),
        Field::Code(_) => format!("<code>{text}</code>"),
        _ => text,
    }
}

/// Text that means itself, in elements and in attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
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
        assert_eq!(escaped("<b a=\"x\" b='y'>&"), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
    }
}
