//! A second, naive implementation of the questions, held against the fold on random histories.
//!
//! The naive one shares nothing with the fold: it reads the events as plain JSON, keeps them in a list, and scans
//! the list for every question. `PLANWATCH_ROUNDS` says how many histories there are, a hundred for each round, 3
//! rounds by default; 100 rounds are ten thousand. A history that differs is named by its seed, made as small
//! as it still differs, and printed; `PLANWATCH_SEED` runs that one again.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that unwraps nothing has failed its test, which is the point"
)]

#[path = "../cases/log.rs"]
mod log;
mod naive;
mod random;
mod tell;

use events::{IndicatorId, UnitId};
use indicators::{Moment, View};
use log::Log;
use naive::Naive;
use random::Random;
use serde_json::Value;
use std::collections::BTreeSet;
use tell::{Question, Told};

/// Histories of one round.
const HISTORIES_PER_ROUND: u64 = 100;

/// Moments asked about in one history.
const MOMENTS: usize = 2;

/// Cells asked about at one moment; of every third one the series as well.
const CELLS: usize = 12;

/// What the histories have to lead to, or they would show little.
const EVERY_ANSWER: [&str; 13] = [
    "achieved",
    "at-risk",
    "behind",
    "missed",
    "no-baseline",
    "no-data",
    "no-target",
    "on-track",
    "pending",
    "regressing",
    "verdict met",
    "verdict no-data",
    "verdict not-met",
];

#[expect(clippy::disallowed_methods, reason = "how long the test runs is the runner's decision")]
fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a whole number"))
}

#[test]
fn the_naive_implementation_agrees_on_random_histories() {
    if let Some(seed) = asked("PLANWATCH_SEED") {
        check(seed);
        return;
    }
    let histories = asked("PLANWATCH_ROUNDS").unwrap_or(3) * HISTORIES_PER_ROUND;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let answers = std::thread::scope(|scope| {
        let part = |part| move || (part..histories).step_by(threads).flat_map(check).collect::<BTreeSet<_>>();
        let parts: Vec<_> = (0..threads as u64).map(|first| scope.spawn(part(first))).collect();
        let joined = parts.into_iter().map(|part| part.join());
        let answers = joined.map(|answers| answers.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        answers.flatten().collect::<BTreeSet<String>>()
    });
    for word in EVERY_ANSWER {
        assert!(answers.contains(word), "no history led to `{word}`");
    }
}

/// Tells the history of a seed and asks its questions both ways.
///
/// Gives the statuses and verdicts that came out.
fn check(seed: u64) -> BTreeSet<String> {
    let mut random = Random::of(seed);
    let told = tell::history(&mut random);
    let log = told.log().expect("what is told can be folded");
    let naive = Naive::read(&log.events);
    let mut answers = BTreeSet::new();
    for question in tell::questions(&mut random, &told, &log, MOMENTS, CELLS) {
        let Some(difference) = difference(&log, &naive, &question) else {
            let answer = naive.answer(&question, log.cut(question.known_at).0);
            answers.extend(answer["status"].as_str().map(str::to_owned));
            let verdicts = answer["verdicts"].as_object().into_iter().flat_map(|verdicts| verdicts.values());
            answers.extend(verdicts.filter_map(Value::as_str).map(|verdict| format!("verdict {verdict}")));
            continue;
        };
        let (smaller, difference) = shrunk(&told, &question, difference);
        let events: Vec<String> = smaller.steps.iter().map(ToString::to_string).collect();
        panic!(
            "seed {seed} (PLANWATCH_SEED={seed} runs it again)\n{question:?}\n{difference}\n{} steps are left of {}:\n{}\nleft out of the plan: {:?}",
            events.len(),
            told.steps.len(),
            events.join("\n"),
            smaller.left_out,
        );
    }
    answers
}

/// The answers of the fold and of the naive implementation, where they are not the same.
fn difference(log: &Log, naive: &Naive, question: &Question) -> Option<String> {
    let folded = in_any_order(folded(log, question));
    let expected = in_any_order(naive.answer(question, log.cut(question.known_at).0));
    (folded != expected).then(|| {
        let (Value::Object(folded), Value::Object(expected)) = (&folded, &expected) else {
            return format!("fold:  {folded}\nnaive: {expected}");
        };
        let fields: BTreeSet<&String> = folded.keys().chain(expected.keys()).collect();
        let differing = fields.into_iter().filter(|field| folded.get(*field) != expected.get(*field));
        let shown = |value: Option<&Value>| value.map_or_else(|| "left out".to_owned(), Value::to_string);
        let lines = differing.map(|field| {
            format!("{field}\n  fold:  {}\n  naive: {}", shown(folded.get(field)), shown(expected.get(field)))
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn folded(log: &Log, question: &Question) -> Value {
    let moment =
        Moment { cut: log.cut(question.known_at), known_at: question.known_at, as_of: question.as_of };
    let view = View::new(&log.facts, moment).unwrap();
    let plan = view.plan();
    let unit = plan.unit(&UnitId::parse(&question.unit).unwrap()).unwrap();
    let indicator = plan.indicator(&IndicatorId::parse(&question.indicator).unwrap()).unwrap();
    if question.series {
        serde_json::to_value(view.series(unit, indicator)).unwrap()
    } else {
        serde_json::to_value(view.cell(unit, indicator)).unwrap()
    }
}

/// The same answer with its lists of events sorted: which ones an answer rests on counts, not their order.
fn in_any_order(mut answer: Value) -> Value {
    fn sort(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if name == "because" {
                        let events = field.as_array_mut().unwrap();
                        events.sort_by_key(Value::to_string);
                    } else {
                        sort(field);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(sort),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    sort(&mut answer);
    answer
}

/// The history without every step that the difference does not need.
fn shrunk(told: &Told, question: &Question, difference_found: String) -> (Told, String) {
    let (mut smallest, mut found) = (told.clone(), difference_found);
    loop {
        let before = smallest.steps.len();
        for step in (0..smallest.steps.len()).rev() {
            let mut smaller = smallest.clone();
            smaller.steps.remove(step);
            let Ok(log) = smaller.log() else { continue };
            if let Some(still) = difference(&log, &Naive::read(&log.events), question) {
                (smallest, found) = (smaller, still);
            }
        }
        if smallest.steps.len() == before {
            return (smallest, found);
        }
    }
}

#[test]
fn a_difference_is_found_and_made_small() {
    // The naive implementation reads a history in which one numerator is another.
    for seed in 0.. {
        let mut random = Random::of(seed);
        let told = tell::history(&mut random);
        let log = told.log().unwrap();
        let mut events = log.events.clone();
        let mut numerators = events.iter_mut().flat_map(|event| {
            event["data"]["lines"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .filter(|line| line["denominator"] != 0)
        });
        let Some(line) = numerators.find(|line| line["numerator"].is_u64()) else { continue };
        line["numerator"] = if line["numerator"] == 0 { 1.into() } else { 0.into() };
        let naive = Naive::read(&events);
        let questions = tell::questions(&mut random, &told, &log, 10, CELLS);
        if questions.iter().any(|question| difference(&log, &naive, question).is_some()) {
            return;
        }
        assert!(seed < 100, "no question sees a changed numerator");
    }
}
