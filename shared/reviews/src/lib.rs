//! Reviews as documents: what the interim and the final review say at a cut of the log.
//!
//! [`Draft::of`] makes the model of a [`View`](indicators::View); [`render`] writes it in a format and a language. The
//! same model gives the same bytes, and the same log, cut and as-of time give the same model: nothing here reads a
//! clock, a disk or a locale. Every document carries its [`Cut`], so that it can be made again and compared.

mod csv;
mod cut;
mod draft;
mod html;
mod json;
mod language;
mod layout;
mod markdown;
mod model;
mod words;
mod xlsx;

pub use cut::{Cut, CutError, Difference, first_difference};
pub use draft::{Draft, DraftError};
pub use html::HTML_STYLE;
pub use language::Language;
pub use model::{
    CellEntry, EventEntry, PeriodReporting, PlanHead, Review, ReviewHead, TargetChange, TargetEntry, Totals,
    UnitChangeEntry, UnitHead, UnitReport,
};

use std::fmt;

/// What a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The model itself, for programs; it holds both languages.
    Json,
    /// RFC 4180, every section below the other.
    Csv,
    /// Markdown with tables.
    Markdown,
    /// One page without anything outside of it.
    Html,
    /// A workbook with a sheet for each section.
    Xlsx,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 5] = [Format::Json, Format::Csv, Format::Markdown, Format::Html, Format::Xlsx];

    /// Its name, which is the ending of its files.
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Markdown => "md",
            Format::Html => "html",
            Format::Xlsx => "xlsx",
        }
    }

    /// Finds a format by its name.
    pub fn of_name(name: &str) -> Option<Format> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Markdown => "text/markdown; charset=utf-8",
            Format::Html => "text/html; charset=utf-8",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Writes a review as a document.
pub fn render(review: &Review, format: Format, language: Language) -> Vec<u8> {
    match format {
        Format::Json => json::render(review),
        Format::Csv => csv::render(review, language).into_bytes(),
        Format::Markdown => markdown::render(review, language).into_bytes(),
        Format::Html => html::render(review, language).into_bytes(),
        Format::Xlsx => xlsx::render(review, language),
    }
}
