//! A workbook: the heading on the first sheet, then a sheet for each section. Texts are written as texts, never as
//! formulas; the time of its making is the review's own.

use crate::cut::{Cut, MARK};
use crate::language::Language;
use crate::layout::{Field, Layout, Section};
use crate::model::Review;
use events::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use std::io::{Cursor, Read};

/// A sheet holds 1,048,576 rows; the rows beyond this are left out, and the last row says so.
const ROW_LIMIT: usize = 1_000_000;
/// A cell holds 32,767 characters; a longer text is cut there.
const TEXT_LIMIT_CHARS: usize = 32_000;
/// The name of a sheet has 31 characters at most.
const SHEET_NAME_LIMIT_CHARS: usize = 31;
/// The largest whole number that a cell holds exactly; a larger one is written as text.
const EXACT_LIMIT: u64 = 1 << 53;
/// How much of a workbook's texts is unpacked to find its cut, in bytes.
const STRINGS_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// The formats of cells.
struct Formats {
    text: Format,
    heading: Format,
    count: Format,
    decimal: Format,
    percent: Format,
}

/// Writes the document.
pub(crate) fn render(review: &Review, language: Language) -> Vec<u8> {
    write(review, language).expect("a workbook in memory takes rows, texts and names within its bounds")
}

fn write(review: &Review, language: Language) -> Result<Vec<u8>, XlsxError> {
    let layout = Layout::of(review, language);
    let mut workbook = Workbook::new();
    let made_at = review.known_at.parse().map_or(0, Timestamp::as_second);
    let properties = DocProperties::new()
        .set_title(&layout.title)
        .set_subject(&layout.subtitle)
        .set_creation_datetime(&ExcelDateTime::from_timestamp(made_at)?);
    workbook.set_properties(&properties);
    let text = Format::new().set_text_wrap();
    let formats = Formats {
        heading: text.clone().set_bold(),
        count: Format::new().set_num_format("#,##0"),
        decimal: Format::new().set_num_format("0.00"),
        percent: Format::new().set_num_format("0.00\" %\""),
        text,
    };
    write_head(workbook.add_worksheet(), review, language, &layout, &formats)?;
    for section in &layout.sections {
        write_section(workbook.add_worksheet(), section, language, &formats)?;
    }
    workbook.save_to_buffer()
}

fn write_head(
    sheet: &mut Worksheet,
    review: &Review,
    language: Language,
    layout: &Layout,
    formats: &Formats,
) -> Result<(), XlsxError> {
    sheet.set_name(sheet_name(&layout.title))?;
    sheet.set_column_width(0, 34)?.set_column_width(1, 80)?;
    let mut lines: Vec<(String, String)> = vec![(layout.title.clone(), layout.subtitle.clone())];
    lines.extend(layout.sample.map(|sample| (String::new(), sample.to_owned())));
    lines.extend(layout.head.iter().map(|(label, field)| ((*label).to_owned(), field.shown(language))));
    lines.extend(layout.notes.iter().map(|note| (String::new(), note.clone())));
    if let Some(checkpoint) = &layout.checkpoint {
        lines.push((layout.checkpoint_heading.to_owned(), layout.checkpoint_note.to_owned()));
        lines.extend(checkpoint.lines().map(|line| (String::new(), line.to_owned())));
    }
    lines.push((String::new(), format!("{MARK} {}", Cut::of(review, Some(language)).line())));
    for (row, (label, value)) in (0..).zip(&lines) {
        sheet.write_string_with_format(row, 0, fitting(label), &formats.heading)?;
        sheet.write_string_with_format(row, 1, fitting(value), &formats.text)?;
    }
    Ok(())
}

fn write_section(
    sheet: &mut Worksheet,
    section: &Section,
    language: Language,
    formats: &Formats,
) -> Result<(), XlsxError> {
    sheet.set_name(sheet_name(section.heading))?;
    sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?.set_landscape().set_paper_size(9);
    for (column, name) in (0..).zip(&section.columns) {
        let wide =
            section.rows.iter().any(|row| row[usize::from(column)].shown(language).chars().count() > 24);
        sheet.set_column_width(column, if wide { 40 } else { 16 })?;
        sheet.write_string_with_format(0, column, *name, &formats.heading)?;
    }
    for (row, fields) in (1..).zip(section.rows.iter().take(ROW_LIMIT)) {
        for (column, field) in (0..).zip(fields) {
            write_field(sheet, row, column, field, language, formats)?;
        }
    }
    if section.rows.len() > ROW_LIMIT {
        let rest = format!("… + {}", section.rows.len() - ROW_LIMIT);
        sheet.write_string(u32::try_from(ROW_LIMIT).expect("the limit is small") + 1, 0, rest)?;
    }
    Ok(())
}

fn write_field(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    field: &Field,
    language: Language,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match field {
        Field::Empty => {}
        Field::Count(count) if *count <= EXACT_LIMIT => {
            // Up to the limit every whole number has a double of its own.
            sheet.write_number_with_format(row, column, *count as f64, &formats.count)?;
        }
        Field::Decimal(number) | Field::Percent(number) => match number.parse::<f64>() {
            Ok(number) => {
                let percent = matches!(field, Field::Percent(_));
                let format = if percent { &formats.percent } else { &formats.decimal };
                sheet.write_number_with_format(row, column, number, format)?;
            }
            Err(_) => {
                sheet.write_string(row, column, number)?;
            }
        },
        Field::Text(_)
        | Field::Vietnamese(_)
        | Field::Count(_)
        | Field::Moment(_)
        | Field::Code(_)
        | Field::Verdict(..) => {
            sheet.write_string_with_format(row, column, fitting(&field.shown(language)), &formats.text)?;
        }
    }
    Ok(())
}

fn fitting(text: &str) -> String {
    if text.chars().count() <= TEXT_LIMIT_CHARS {
        return text.to_owned();
    }
    text.chars().take(TEXT_LIMIT_CHARS).chain("…".chars()).collect()
}

/// A heading as the name of a sheet: without what may not stand there.
fn sheet_name(heading: &str) -> String {
    let allowed =
        heading.chars().filter(|letter| !matches!(letter, '[' | ']' | ':' | '*' | '?' | '/' | '\\'));
    let name: String = allowed.take(SHEET_NAME_LIMIT_CHARS).collect();
    name.trim_matches(|letter: char| letter == '\'' || letter.is_whitespace()).to_owned()
}

/// The texts of a workbook as they are packed in it; none where it is no workbook.
pub(crate) fn strings(workbook: &[u8]) -> Option<String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).ok()?;
    let file = archive.by_name("xl/sharedStrings.xml").ok()?;
    let mut text = String::new();
    file.take(STRINGS_LIMIT_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}
