//! `planwatch review`: the interim and the final review as documents, and whether one matches the log.

use crate::client::{Client, ServerArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::moment::Moment;
use crate::output;
use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use reviews::{Cut, Difference, Format, Language, Review, first_difference, render};
use serde_json::json;
use std::path::{Path, PathBuf};

/// How much of a line that differs is shown, in characters.
const SHOWN_LIMIT_CHARS: usize = 160;
/// How much of what is the same is shown before the place in which it differs, in characters.
const SHOWN_BEFORE_CHARS: usize = 60;

/// Which review, or what to do with one.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    show: Show,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether a document of a review is what the log gives at its cut
    Verify(Verify),
}

#[derive(Debug, Args)]
struct Show {
    /// The review's year, such as 2025
    #[arg(required = true)]
    year: Option<String>,
    /// What held officially at this date (YYYY-MM-DD or RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    as_of: Option<Moment>,
    /// What was known at this date (YYYY-MM-DD or RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    known_at: Option<Moment>,
    /// json, csv, md, xlsx or html (which prints well)
    #[arg(long, default_value = "md", value_parser = format, conflicts_with = "json")]
    format: Format,
    /// vi or en; JSON holds both
    #[arg(long, default_value = "vi", value_parser = language)]
    language: Language,
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// The same as --format json
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Args)]
struct Verify {
    /// The document, in any format
    file: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

fn format(name: &str) -> Result<Format, String> {
    Format::of_name(name).ok_or_else(|| match name {
        "pdf" => {
            "this planwatch makes no PDF: take --format html, whose page is laid out for A4, and print it"
                .to_owned()
        }
        _ => {
            let known: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
            format!("`{name}` is no format: write {}", known.join(", "))
        }
    })
}

fn language(tag: &str) -> Result<Language, String> {
    Language::of_tag(tag).ok_or_else(|| format!("`{tag}` is no language of the plan: write vi or en"))
}

/// Writes a review, or checks one.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Some(Command::Verify(arguments)) => verify(arguments),
        None => show(&arguments.show),
    }
}

fn show(arguments: &Show) -> Outcome {
    // Without a subcommand the year is there, or this is not reached.
    let year = arguments.year.as_deref().unwrap_or_default();
    let text = |moment: &Option<Moment>| moment.as_ref().map(|moment| moment.text().to_owned());
    let query = [("as_of", text(&arguments.as_of)), ("known_at", text(&arguments.known_at))];
    let review = ask(&arguments.server.client()?, year, &query)?;
    let format = if arguments.json { Format::Json } else { arguments.format };
    let document = render(&review, format, arguments.language);
    if review.sample {
        output::say("sample data: no figure is real");
    }
    match &arguments.to {
        None => output::document(&document),
        Some(file) => {
            std::fs::write(file, &document).with_context(|| format!("cannot write {}", file.display()))?;
            output::say(format_args!(
                "wrote {}: review {}, as of {}, known at {}, position {}",
                file.display(),
                review.review.year,
                review.as_of,
                review.known_at,
                review.position
            ));
        }
    }
    Ok(Exit::Done)
}

fn ask(client: &Client, year: &str, query: &[(&str, Option<String>)]) -> Result<Review, Failure> {
    // What is typed is one part of the path, whatever stands in it.
    let year: String = year.bytes().map(escaped).collect();
    client.get(&format!("/api/v1/reviews/{year}"), query)?.json()
}

fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || byte == b'-' {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

fn verify(arguments: &Verify) -> Outcome {
    let given = read(&arguments.file)?;
    let (cut, format) = Cut::read(&given)
        .map_err(|error| Failure::refused(anyhow!("{}: {error}", arguments.file.display())))?;
    let language = cut.language.as_deref().and_then(Language::of_tag).unwrap_or_default();
    let query = [
        ("as_of", Some(cut.as_of.clone())),
        ("known_at", Some(cut.known_at.clone())),
        ("position", Some(cut.position.to_string())),
    ];
    let mut review = ask(&arguments.server.client()?, &cut.review, &query)?;
    let found = compare(&given, &cut, format, language, &mut review);
    if arguments.json {
        output::json(&json!({
            "ok": found.is_empty(), "review": cut.review, "format": format.name(), "as_of": cut.as_of,
            "known_at": cut.known_at, "position": cut.position, "differences": found,
        }));
    } else if found.is_empty() {
        output::line(format_args!(
            "{} is the review {} as of {}, known at {}, position {}: the log gives the same bytes",
            arguments.file.display(),
            cut.review,
            cut.as_of,
            cut.known_at,
            cut.position
        ));
    } else {
        for difference in &found {
            output::line(difference);
        }
    }
    Ok(if found.is_empty() { Exit::Done } else { Exit::Refused })
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    Ok(std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?)
}

/// What is not as the log has it, in words; nothing where the document matches.
fn compare(given: &[u8], cut: &Cut, format: Format, language: Language, review: &mut Review) -> Vec<String> {
    let mut found = Vec::new();
    if cut.form != review.form {
        found.push(format!(
            "it is written in form {}, and this planwatch writes form {}: verify it with one that writes the former",
            cut.form, review.form
        ));
        return found;
    }
    if cut.plan != review.plan.id.to_string() {
        found.push(format!("it is of the plan `{}`, the log of `{}`", cut.plan, review.plan.id));
    }
    if cut.position != review.position {
        found.push(format!(
            "it says position {}, at its moment the log was at {}",
            cut.position, review.position
        ));
    }
    if cut.digest != review.digest {
        found.push(format!("it says state digest {}, the log gives {}", cut.digest, review.digest));
    }
    // Keys may have been exchanged since, or the log be a copy that another key signs: what is compared is what was
    // signed, the log's name, size and root.
    let (printed, own) = (cut.checkpoint.as_deref(), review.checkpoint.as_deref());
    if let (Some(printed), Some(own)) = (printed, own)
        && signed_part(printed) != signed_part(own)
    {
        found.push("the checkpoint printed on it is of another log: name, size or root differ".to_owned());
    }
    review.checkpoint.clone_from(&cut.checkpoint);
    let own = render(review, format, language);
    if format == Format::Xlsx {
        if given != own {
            found.push("the workbook holds something else than the log gives at its cut".to_owned());
        }
    } else if let Some(Difference { line, left, right }) = first_difference(given, &own) {
        let (theirs, ours) = around(left, right);
        found.push(format!("line {line} is\n  {theirs}\nand the log gives\n  {ours}"));
    }
    found
}

/// The part of a signed note that its signatures are over.
fn signed_part(note: &str) -> &str {
    note.split_once("\n\n").map_or(note, |(text, _)| text)
}

/// The two lines around the first place in which they differ.
fn around(left: Option<&[u8]>, right: Option<&[u8]>) -> (String, String) {
    let text = |line: Option<&[u8]>| line.map(|line| String::from_utf8_lossy(line).into_owned());
    let (left, right) = (text(left), text(right));
    let same = match (&left, &right) {
        (Some(left), Some(right)) => {
            left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count()
        }
        (None, _) | (_, None) => 0,
    };
    let from = same.saturating_sub(SHOWN_BEFORE_CHARS);
    let shown = |line: Option<String>| match line {
        None => "(nothing: it ends before)".to_owned(),
        Some(line) => {
            let part = line.chars().skip(from).take(SHOWN_LIMIT_CHARS).collect::<String>();
            if from > 0 { format!("…{part}") } else { part }
        }
    };
    (shown(left), shown(right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn a_year_or_what_to_do_with_a_document() {
        let read = |line: &[&str]| {
            Line::try_parse_from([&["review"], line].concat())
                .map(|line| line.arguments)
                .map_err(|e| e.exit_code())
        };
        let show = read(&["2025", "--format", "html", "--language", "en"]).unwrap().show;
        assert_eq!((show.format, show.language), (Format::Html, Language::English));
        let show = read(&["2030"]).unwrap().show;
        assert_eq!((show.format, show.language), (Format::Markdown, Language::Vietnamese));
        assert!(matches!(read(&["verify", "x.html"]).unwrap().command, Some(Command::Verify(_))));
        for wrong in [
            &["2025", "--format", "pdf"][..],
            &["2025", "--language", "fr"],
            &[],
            &["2025", "--json", "--format", "md"],
        ] {
            assert_eq!(read(wrong).unwrap_err(), 2, "{wrong:?}");
        }
    }

    #[test]
    fn a_year_is_one_part_of_a_path() {
        assert_eq!("2025/../x?y".bytes().map(escaped).collect::<String>(), "2025%2F%2E%2E%2Fx%3Fy");
    }

    #[test]
    fn long_lines_are_shown_where_they_differ() {
        let (left, right) = (format!("{}ă!", "x".repeat(500)), format!("{}ă?", "x".repeat(500)));
        let (left, right) = around(Some(left.as_bytes()), Some(right.as_bytes()));
        assert!(left.starts_with("…x") && left.ends_with("ă!") && right.ends_with("ă?"), "{left} {right}");
        assert_eq!(around(None, Some(b"y")), ("(nothing: it ends before)".to_owned(), "y".to_owned()));
    }

    #[test]
    fn only_what_was_signed_is_compared() {
        assert_eq!(signed_part("log\n5\nroot=\n\n— log sig\n"), "log\n5\nroot=");
    }
}
