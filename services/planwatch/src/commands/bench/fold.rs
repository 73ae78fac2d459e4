//! `planwatch bench fold`: a long made-up history, folded in every way that there is.

use super::Size;
use super::figures::{Latencies, per_second};
use super::history::History;
use crate::adopt;
use crate::commands::replay::replay;
use crate::exit::{Exit, Failure, Outcome};
use crate::log_place::LogPlace;
use crate::output;
use crate::progress::Progress;
use anyhow::Context;
use clap::Args;
use event_log::{Log, Opened, Options};
use events::{Position, Timestamp};
use indicators::{Facts, Moment, View};
use plan::Plan;
use serde_json::json;
use snapshots::{SEGMENT_EVENTS, Snapshots};
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
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=99))]
    rounds: u8,
    /// How many questions about random dates are asked
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..))]
    questions: u16,
    /// Keep what was folded for the next run, whose first line then says what a start from it takes and holds
    #[arg(long)]
    keep: bool,
    /// The directory of the history's log: made where it is not there, and kept
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
}

/// Makes the history where it is not there, measures and prints.
pub(super) fn run(arguments: &Arguments) -> Outcome {
    let plan = adopt::read_plan(adopt::BINH_DUONG_NAME, adopt::BINH_DUONG)?;
    make(arguments, &plan)?;
    let segments = arguments.log.join("bench-segments");
    {
        let place = LogPlace::in_directory(&arguments.log)?;
        let (log, clock) = (opened(&place)?, Clock::start());
        let facts = snapshots::fold(log, &segments, None, || true).context("cannot fold the log")?;
        clock.tell("fold, keep", log.head().0, json!({"segments_bytes": size_of(&segments)?}));
        tell("state", json!({"kib": facts.held_bytes() / 1024}));
        drop(facts);
    }
    for _ in 0..arguments.rounds {
        round(arguments, &plan, &segments)?;
    }
    if !arguments.keep {
        std::fs::remove_dir_all(&segments).context("cannot remove the segments")?;
    }
    Ok(Exit::Done)
}

/// Everything once, from a start on.
fn round(arguments: &Arguments, plan: &Plan, segments: &Path) -> Result<(), Failure> {
    // As the services start: facts are loaded while the log is opened, then held against it.
    let clock = Clock::start();
    let loading = std::thread::spawn({
        let segments = segments.to_owned();
        move || Snapshots::load_ahead(&segments)
    });
    let place = LogPlace::in_directory(&arguments.log)?;
    let log = opened(&place)?;
    let open = clock.begun.elapsed();
    let ahead = loading.join().expect("loading facts does not panic");
    let facts = snapshots::fold(log, segments, ahead, || true).context("cannot fold the log")?;
    let events = facts.head().0;
    clock.tell("start", events, json!({"log_open_milliseconds": milliseconds(open)}));
    let clock = Clock::start();
    let walked = facts.walked_digest_at(facts.head());
    clock.tell("walk digest", events, json!({"same_digest": facts.digest() == walked}));
    drop(facts);

    let clock = Clock::start();
    let bytes = read_through(log)?;
    clock.tell("read", events, json!({"mean_bytes": bytes / events}));

    let clock = Clock::start();
    let plain = plain_fold(log)?;
    let digest = plain.digest();
    clock.tell("plain fold", events, json!({"digest": digest}));
    drop(plain);

    let clock = Clock::start();
    // Refused where what was folded is not what the log's tree covers.
    let replayed =
        replay(&place, Position(u64::MAX), |_| false, &mut Progress::new("events replayed"))?.facts;
    let same = replayed.digest() == digest;
    clock.tell("replay", events, json!({"same_digest": same, "verified": true}));
    tell("state", json!({"kib": replayed.held_bytes() / 1024}));
    drop(replayed);

    let clock = Clock::start();
    let rebuilt = Snapshots::open(segments.to_owned(), SEGMENT_EVENTS)
        .and_then(|mut segments| segments.restore(log, None))
        .context("cannot use the segments")?
        .context("the segments were refused")?;
    clock.tell("rebuild", rebuilt.head().0, json!({}));
    let same = rebuilt.head() == log.head() && rebuilt.walked_digest_at(rebuilt.head()) == digest;
    tell("rebuilt", json!({"same_digest": same}));
    tell("as of", ask(&rebuilt, plan, arguments.questions));
    Ok(())
}

/// Time, of day and of all processors.
struct Clock {
    begun: Instant,
    processor: Duration,
}

impl Clock {
    fn start() -> Clock {
        Clock { begun: Instant::now(), processor: Clock::processor() }
    }

    fn processor() -> Duration {
        let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Duration::try_from(spent).expect("the time spent is not negative")
    }

    /// Says how long something took with so many events.
    fn tell(self, what: &str, events: u64, more: serde_json::Value) {
        let took = self.begun.elapsed();
        let processor = Clock::processor().saturating_sub(self.processor);
        let figures = json!({"events_per_second": per_second(events, took), "milliseconds": milliseconds(took),
            "processor_milliseconds": milliseconds(processor)});
        let line = more.as_object().into_iter().flatten().chain(figures.as_object().into_iter().flatten());
        let line: serde_json::Map<_, _> = line.map(|(name, value)| (name.clone(), value.clone())).collect();
        tell(what, line.into());
    }
}

fn tell(what: &str, figures: serde_json::Value) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_ascii_whitespace().next().unwrap_or("-");
    output::line(format_args!("{what:<12} {figures} rss_kib={} load={load}", resident_kib().unwrap_or(0)));
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn opened(place: &LogPlace) -> anyhow::Result<&Log> {
    place.log().context("it is a directory")
}

/// How many bytes the files of a directory are.
fn size_of(directory: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

/// Makes the log of the history; one that is there is taken as it is.
fn make(arguments: &Arguments, plan: &Plan) -> anyhow::Result<()> {
    let Opened { mut writer, log, .. } = event_log::open(&arguments.log, &plan.id, Options::default())?;
    if log.head() > Position::START {
        return Ok(());
    }
    let mut history = History::new(plan, arguments.events, arguments.size);
    ingestion::adopt(&mut writer, plan, true, history.now())?;
    loop {
        let now = history.now();
        let events: Vec<_> = history.by_ref().take(COMMIT_EVENTS).collect();
        if events.is_empty() {
            return Ok(());
        }
        writer.append(vec![events], now)?;
    }
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
