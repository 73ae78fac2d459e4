//! The cut that a document was made at: every format carries it, so that the document can be made again.

use crate::Format;
use crate::language::Language;
use crate::model::Review;
use events::Position;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What stands before the cut in a document.
pub(crate) const MARK: &str = "planwatch-cut";

/// Where in the log, and of which moment, a document speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// How the document is written.
    pub form: u32,
    /// The plan's id.
    pub plan: String,
    /// The review's year.
    pub review: String,
    /// RFC 3339.
    pub as_of: String,
    /// RFC 3339.
    pub known_at: String,
    /// The position.
    pub position: Position,
    /// The digest of the facts up to there.
    pub digest: String,
    /// The language; none in JSON, which holds both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The signed checkpoint that is printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// Why no cut was found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CutError {
    /// It is no text.
    #[error("it is no text in UTF-8 and no document of a review")]
    NoText,
    /// It does not say where it was cut.
    #[error("it does not say at which cut of the log it was made: it is no document of a review")]
    NoCut,
    /// What it says cannot be read.
    #[error("what it says of its cut cannot be read: {0}")]
    Unreadable(String),
}

impl Cut {
    /// The cut of a review.
    pub fn of(review: &Review, language: Option<Language>) -> Cut {
        Cut {
            form: review.form,
            plan: review.plan.id.to_string(),
            review: review.review.year.to_string(),
            as_of: review.as_of.clone(),
            known_at: review.known_at.clone(),
            position: review.position,
            digest: review.digest.clone(),
            language: language.map(|language| language.tag().to_owned()),
            checkpoint: review.checkpoint.clone(),
        }
    }

    /// The cut as one line of JSON; two hyphens never stand together in it, so that it fits into a comment.
    pub(crate) fn line(&self) -> String {
        let text = serde_json::to_string(self).expect("a cut is plain data");
        text.replace("--", "-\\u002d")
    }

    /// Finds the cut in a document, and the format that it is written in.
    pub fn read(bytes: &[u8]) -> Result<(Cut, Format), CutError> {
        if bytes.starts_with(b"PK") {
            let strings = crate::xlsx::strings(bytes).ok_or(CutError::NoCut)?;
            let at = strings.find(MARK).ok_or(CutError::NoCut)?;
            let cell = strings[at..].split('<').next().unwrap_or_default();
            let json = cell.find('{').map(|start| unescaped(&cell[start..], "&quot;"));
            return Ok((of_line(&json.ok_or(CutError::NoCut)?)?, Format::Xlsx));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| CutError::NoText)?;
        if text.starts_with('{') {
            return Ok((of_json(text)?, Format::Json));
        }
        let format = if text.starts_with("<!doctype html>") {
            Format::Html
        } else if text.starts_with("<!--") {
            Format::Markdown
        } else {
            Format::Csv
        };
        // In CSV it is the last record, in the others it stands before anything that somebody else wrote.
        let at = if format == Format::Csv { text.rfind(MARK) } else { text.find(MARK) };
        let at = at.ok_or(CutError::NoCut)?;
        let rest = &text[at..];
        let line = rest.lines().next().unwrap_or(rest);
        let json = line.find('{').map(|start| &line[start..]).ok_or(CutError::NoCut)?;
        let json = match format {
            Format::Html => unescaped(json, "&quot;"),
            Format::Csv => unescaped(json, "\"\""),
            Format::Markdown | Format::Json | Format::Xlsx => json.to_owned(),
        };
        Ok((of_line(&json)?, format))
    }
}

fn unescaped(text: &str, quote: &str) -> String {
    let text = text.replace(quote, "\"");
    if quote == "&quot;" {
        return text.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&amp;", "&");
    }
    text
}

/// Reads the cut at the beginning of a text; what stands behind it belongs to the format.
fn of_line(json: &str) -> Result<Cut, CutError> {
    let mut values = serde_json::Deserializer::from_str(json).into_iter::<Cut>();
    match values.next() {
        Some(Ok(cut)) => Ok(cut),
        Some(Err(error)) => Err(CutError::Unreadable(error.to_string())),
        None => Err(CutError::NoCut),
    }
}

fn of_json(text: &str) -> Result<Cut, CutError> {
    let review: Review =
        serde_json::from_str(text).map_err(|error| CutError::Unreadable(error.to_string()))?;
    Ok(Cut::of(&review, None))
}

/// The first line in which two documents differ; none stands for where one has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference<'a> {
    /// The line, counted from 1.
    pub line: usize,
    /// What stands in the one.
    pub left: Option<&'a [u8]>,
    /// What stands in the other.
    pub right: Option<&'a [u8]>,
}

/// Finds the first line in which two documents differ.
pub fn first_difference<'a>(left: &'a [u8], right: &'a [u8]) -> Option<Difference<'a>> {
    let (mut left, mut right) = (left.split(|byte| *byte == b'\n'), right.split(|byte| *byte == b'\n'));
    for line in 1.. {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (left, right) if left == right => {}
            (left, right) => return Some(Difference { line, left, right }),
        }
    }
    None
}
