//! `planwatch bench fold`: a long made-up history, folded in every way that there is.

use super::Size;
use super::figures::{Latencies, per_second};
use super::history::History;
use crate::adopt;
use crate::exit::{Exit, Outcome};
use crate::output;
use anyhow::Context;
use clap::Args;
use event_log::{Log, Opened, Options, Stored};
use events::{Position, Timestamp};
use evidence::{Frontier, TreeHash, leaf_hash};
use indicators::{Facts, Moment, Preparer, View};
use plan::Plan;
use serde_json::json;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How many events are one commit of the history that is made.
const COMMIT_EVENTS: usize = 512;

/// The history, and what is done with it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How many events
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// How large each report is
    #[arg(long, value_enum, default_value_t = Size::Small)]
    size: Size,
    /// How often each measurement is repeated, one round after the other
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    rounds: u8,
    /// How many questions about random dates are asked
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..))]
    questions: u16,
    /// The directory of the history's log: made where it is not there, and kept
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
}

/// A segment of facts for so many events, as projection writes them.
const SEGMENT_EVENTS: u64 = 262_144;

/// Makes the history where it is not there, measures and prints.
pub(super) fn run(arguments: &Arguments) -> Outcome {
    let plan = adopt::read_plan(adopt::BINH_DUONG_NAME, adopt::BINH_DUONG)?;
    drop(made(arguments, &plan)?);
    let (took, Opened { log, writer, .. }) = timed(|| open(&arguments.log, &plan))?;
    tell("open", json!({"milliseconds": milliseconds(took)}));
    let events = log.head().0;
    let segments = arguments.log.join("bench-segments");
    for _ in 0..arguments.rounds {
        let (took, bytes) = timed(|| read_through(&log))?;
        tell("read", json!({"events_per_second": per_second(events, took), "mean_bytes": bytes / events}));
        let (took, facts) = timed(|| plain_fold(&log))?;
        let plain = facts.digest();
        tell("plain fold", json!({"events_per_second": per_second(events, took), "digest": plain}));
        drop(facts);
        let (took, (facts, verified)) = timed(|| replay(&log, &segments))?;
        let same = facts.digest() == plain;
        let rate = per_second(events, took);
        tell("replay", json!({"events_per_second": rate, "tree_agrees": verified, "same_digest": same}));
        drop(facts);
        let (took, (facts, bytes)) = timed(|| rebuild(&segments))?;
        let same = facts.walked_digest_at(facts.head()) == plain;
        let rate = per_second(events, took);
        tell(
            "rebuild",
            json!({"events_per_second": rate, "milliseconds": milliseconds(took), "same_digest": same,
                "bytes_per_event": bytes / events}),
        );
        tell("as of", ask(&facts, &plan, arguments.questions));
    }
    std::fs::remove_dir_all(&segments).context("cannot remove the segments")?;
    drop(writer);
    Ok(Exit::Done)
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// Decoded ahead of the fold and hashed into a tree, which has to be the log's; segments are written as it goes.
fn replay(log: &Log, segments: &Path) -> anyhow::Result<(Facts, bool)> {
    std::fs::create_dir_all(segments)?;
    let (preparer, mut facts, mut tree) = (Preparer::new(), Facts::new(), Frontier::new());
    let (mut after, mut folded) = (Position::START, Ok(()));
    let work = |run: Vec<Stored>| {
        let leaves: Vec<TreeHash> = run.iter().map(|stored| leaf_hash(&stored.bytes)).collect();
        (preparer.prepare(run.iter().map(|stored| &*stored.bytes)), leaves)
    };
    log.read_ahead(Position(1), log.head(), work, |(batch, leaves)| {
        folded = facts.apply_batch(batch).map_err(anyhow::Error::from);
        leaves.into_iter().for_each(|leaf| tree.append(leaf));
        let head = facts.head();
        if folded.is_ok() && (head.0 - after.0 >= SEGMENT_EVENTS || head == log.head()) {
            let segment = facts.segment(after, tree.root().0, [0; 32]);
            let file = segments.join(format!("{:020}", after.0));
            folded = std::fs::write(file, segment).map_err(anyhow::Error::from);
            after = head;
        }
        if folded.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    folded?;
    let agrees = log.root_at(log.head())? == tree.root();
    Ok((facts, agrees))
}

/// From the segments alone, and how many bytes they are.
fn rebuild(segments: &Path) -> anyhow::Result<(Facts, u64)> {
    let entries = std::fs::read_dir(segments)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.sort_unstable();
    let (mut facts, mut bytes) = (Facts::new(), 0);
    for file in files {
        let segment = std::fs::read(file)?;
        bytes += segment.len() as u64;
        facts.load(&segment)?;
    }
    Ok((facts, bytes))
}

fn tell(what: &str, figures: serde_json::Value) {
    output::line(format_args!("{what:<12} {figures} rss_kib={}", resident_kib().unwrap_or(0)));
}

fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(Duration, T)> {
    let begun = Instant::now();
    let done = work()?;
    Ok((begun.elapsed(), done))
}

/// The log of the history; one that is there is taken as it is.
fn made(arguments: &Arguments, plan: &Plan) -> anyhow::Result<Opened> {
    let mut opened = open(&arguments.log, plan)?;
    if opened.log.head() > Position::START {
        return Ok(opened);
    }
    let mut history = History::new(plan, arguments.events, arguments.size);
    ingestion::adopt(&mut opened.writer, plan, true, history.now())?;
    loop {
        let now = history.now();
        let events: Vec<_> = history.by_ref().take(COMMIT_EVENTS).collect();
        if events.is_empty() {
            return Ok(opened);
        }
        opened.writer.append(vec![events], now)?;
    }
}

fn open(directory: &Path, plan: &Plan) -> anyhow::Result<Opened> {
    Ok(event_log::open(directory, &plan.id, Options::default())?)
}

fn read_through(log: &Log) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for stored in log.scan(Position(1)) {
        bytes += stored?.bytes.len() as u64;
    }
    Ok(bytes)
}

/// The oracle: one event after the other, from the first position on.
fn plain_fold(log: &Log) -> anyhow::Result<Facts> {
    let mut facts = Facts::new();
    for stored in log.scan(Position(1)) {
        facts.apply_bytes(&stored?.bytes)?;
    }
    Ok(facts)
}

/// Asks for the whole matrix and the digest as of dates, known at dates, all over the history.
fn ask(facts: &Facts, plan: &Plan, questions: u16) -> serde_json::Value {
    let mut latencies = Latencies::default();
    let head = facts.head().0;
    let first = plan.calendar.start_of_day(plan.adopted).as_millisecond();
    let last = facts.head_recorded_at().map_or(first, Timestamp::as_millisecond);
    for number in 0..u64::from(questions) {
        let share = |salt: u64| (number * 7_919 + salt * 104_729) % 10_000;
        let at = |share: u64| {
            let passed = i128::from(last - first) * i128::from(share) / 10_000;
            let passed = i64::try_from(passed).expect("it lies between two instants");
            Timestamp::from_millisecond(first + passed).expect("it lies between two instants")
        };
        let cut = Position((head * share(1) / 10_000).max(1));
        let moment = Moment { cut, known_at: at(share(1)), as_of: at(share(2)) };
        let begun = Instant::now();
        let cells = View::new(facts, moment).map(|view| view.cells());
        let digest = facts.digest_at(cut);
        latencies.add(begun.elapsed());
        std::hint::black_box((cells, digest));
    }
    latencies.json()
}

/// How much memory the process holds.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}
