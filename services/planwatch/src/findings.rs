//! What a check of evidence found: told to people line by line, to programs as one document.

use crate::exit::{Exit, Outcome};
use crate::output;
use event_log::{BundleError, BundleReport, Problem};
use events::Position;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// What was found at a place.
#[derive(Debug)]
pub struct Findings {
    /// What was checked.
    pub place: PathBuf,
    /// The last position in it.
    pub head: Position,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub further_problems: u64,
    /// What else programs are told.
    pub facts: Map<String, Value>,
    /// One sentence for people, about what is there.
    pub sentence: String,
}

impl Findings {
    /// A place that could not be checked at all, because of one thing.
    pub fn only(place: &Path, file: PathBuf, what: String) -> Findings {
        Findings {
            place: place.to_owned(),
            head: Position::START,
            problems: vec![Problem { position: Position::START, file, what }],
            further_problems: 0,
            facts: Map::new(),
            sentence: "nothing more could be checked".to_owned(),
        }
    }

    /// What the check of a bundle found.
    pub fn of_bundle(place: &Path, checked: &Result<BundleReport, BundleError>) -> Findings {
        let report = match checked {
            Ok(report) => report,
            Err(error) => return Findings::only(place, file_of(place, error), service::chain(error)),
        };
        let (from, to) = report.selected.clone().into_inner();
        let by = report.checkpoint.iter().flat_map(|verified| &verified.by);
        let by: Vec<String> = by.map(ToString::to_string).collect();
        let cosigned = report.checkpoint.iter().flat_map(|verified| &verified.cosigned);
        let cosigned: Vec<Value> = cosigned
            .map(|cosigned| json!({"by": cosigned.by.as_str(), "at_seconds": cosigned.at_seconds}))
            .collect();
        let signed = match (report.signed(), by.as_slice()) {
            (0, []) => "unsigned: it is whole, but nobody says whose it is".to_owned(),
            (signed, by) if signed == report.size => format!("signed by {}", by.join(", ")),
            (signed, by) => format!(
                "signed by {} up to position {signed}; nobody signed the {} later ones",
                by.join(", "),
                report.size.saturating_sub(signed)
            ),
        };
        let mut facts = Map::new();
        let mut fact = |name: &str, value: Value| facts.insert(name.to_owned(), value);
        fact("plan", json!(report.plan));
        fact("from", json!(from));
        fact("size", json!(report.size));
        fact("events", json!(report.events));
        fact("root", json!(report.root.map(|root| root.to_string())));
        fact("signed", json!(report.signed()));
        fact("signed_by", json!(by));
        fact("cosigned", json!(cosigned));
        Findings {
            place: place.to_owned(),
            head: Position(to),
            problems: report.problems.clone(),
            further_problems: report.further_problems,
            facts,
            sentence: format!(
                "positions {from} to {to} of the log of `{}`, {} events read, tree of {} events, {signed}",
                report.plan, report.events, report.size
            ),
        }
    }

    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty() && self.further_problems == 0
    }

    /// Adds something that is wrong and belongs to no position.
    pub fn add(&mut self, file: PathBuf, what: impl Into<String>) {
        self.problems.push(Problem { position: Position::START, file, what: what.into() });
    }

    /// The first thing that is wrong, in one line.
    pub fn first_problem(&self) -> Option<String> {
        self.problems.first().map(line)
    }

    /// Prints it; what is wrong makes the command fail.
    pub fn print(self, as_json: bool) -> Outcome {
        let is_ok = self.is_ok();
        if as_json {
            let problem = |problem: &Problem| json!({"position": problem.position, "file": problem.file, "what": problem.what});
            let problems: Vec<Value> = self.problems.iter().map(problem).collect();
            let mut document = self.facts;
            document.insert("ok".to_owned(), json!(is_ok));
            document.insert("head".to_owned(), json!(self.head));
            document.insert("problems".to_owned(), json!(problems));
            document.insert("further_problems".to_owned(), json!(self.further_problems));
            output::json(&document);
        } else {
            for problem in &self.problems {
                output::line(line(problem));
            }
            if self.further_problems > 0 {
                output::line(format_args!("and {} more", self.further_problems));
            }
            let verdict = if is_ok { "whole" } else { "DAMAGED" };
            output::line(format_args!("{}: {verdict}: {}", self.place.display(), self.sentence));
        }
        Ok(if is_ok { Exit::Done } else { Exit::Refused })
    }
}

fn line(problem: &Problem) -> String {
    let file = problem.file.display();
    match problem.position {
        Position::START => format!("{file}: {}", problem.what),
        position => format!("position {position}: {file}: {}", problem.what),
    }
}

/// The file that a bundle was refused for.
fn file_of(bundle: &Path, error: &BundleError) -> PathBuf {
    match error {
        BundleError::Mark { path, .. }
        | BundleError::Checkpoint { path, .. }
        | BundleError::Read { path, .. }
        | BundleError::NoMark(path)
        | BundleError::Unsigned(path)
        | BundleError::NotPlain(path) => path.clone(),
        BundleError::Newer { .. } | BundleError::Positions { .. } => bundle.join("planwatch-bundle.json"),
    }
}
