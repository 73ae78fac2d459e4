//! `planwatch bench log`: a scratch log, appended to and folded again.

use super::Size;
use super::figures::{Latencies, per_second};
use super::made_up::MadeUp;
use crate::adopt;
use crate::exit::{Exit, Outcome};
use crate::output;
use anyhow::Context;
use clap::Args;
use event_log::{Opened, Options};
use events::{ActorId, Document, Event, EventData, Position, ReportSubmitted, Timestamp, ids};
use indicators::Facts;
use plan::Plan;
use serde_json::json;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The scratch log.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How many events
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// How many events are one commit
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..=4096))]
    commit: u16,
    /// How large each event is
    #[arg(long, value_enum, default_value_t = Size::Small)]
    size: Size,
    /// Where the scratch log lies while it is measured; it is removed afterwards
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

struct Figures {
    appended: Duration,
    commits: Latencies,
    folded: Duration,
    bytes: u64,
    digest: String,
}

/// Measures and removes the scratch log again.
pub(super) fn run(arguments: &Arguments) -> Outcome {
    let parent = arguments.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let directory = parent.join(format!("planwatch-bench-{}", crate::installation::secret()?));
    crate::private_file::make_folder(&directory)?;
    let figures = measure(arguments, &directory);
    std::fs::remove_dir_all(&directory)
        .with_context(|| format!("cannot remove `{}`; remove it by hand", directory.display()))?;
    let figures = figures?;
    let total = arguments.events;
    let (appended, folded) = (per_second(total, figures.appended), per_second(total, figures.folded));
    let mean_bytes = figures.bytes / total;
    if arguments.json {
        output::json(&json!({
            "path": "scratch log", "events": total, "mean_event_bytes": mean_bytes,
            "appended_per_second": appended, "commit": figures.commits.json(),
            "replayed_per_second": folded, "digest": figures.digest,
        }));
    } else {
        output::line(format_args!(
            "{total} events of {mean_bytes} bytes each\nappended   {appended} a second; a commit of {}: {}\n\
             replayed   {folded} a second (read and folded from nothing)\ndigest     {}",
            arguments.commit,
            figures.commits.text(),
            figures.digest
        ));
    }
    Ok(Exit::Done)
}

fn measure(arguments: &Arguments, directory: &Path) -> anyhow::Result<Figures> {
    let plan = adopt::read_plan(adopt::BINH_DUONG_NAME, adopt::BINH_DUONG)?;
    let now = Timestamp::now();
    let made_up = MadeUp::new(&plan, now, "log", arguments.size)?;
    let Opened { log, mut writer, .. } = event_log::open(directory, &plan.id, Options::default())?;
    ingestion::adopt(&mut writer, &plan, true, now)?;
    let first = log.head();
    let mut maker = Maker::new(&plan, made_up);
    let mut commits = Latencies::default();
    let mut appended = Duration::ZERO;
    let mut made = 0;
    while made < arguments.events {
        let size = u64::from(arguments.commit).min(arguments.events - made);
        let events = (made..made + size).map(|index| maker.event(index)).collect();
        made += size;
        let begun = Instant::now();
        writer.append(vec![events], now)?;
        commits.add(begun.elapsed());
        appended += begun.elapsed();
    }
    let begun = Instant::now();
    let mut facts = Facts::new();
    let mut bytes = 0;
    for stored in log.scan(Position(1)) {
        let stored = stored?;
        facts.apply_bytes(&stored.bytes)?;
        if stored.position > first {
            bytes += stored.bytes.len() as u64;
        }
    }
    let folded = begun.elapsed();
    Ok(Figures { appended, commits, folded, bytes, digest: facts.digest() })
}

/// Makes the events that admission would make of the made-up reports.
struct Maker<'a> {
    plan: &'a Plan,
    made_up: MadeUp,
    revisions: HashMap<events::UnitId, u32>,
    actor: ActorId,
}

impl<'a> Maker<'a> {
    fn new(plan: &'a Plan, made_up: MadeUp) -> Maker<'a> {
        let actor = ActorId::parse("operator-bench").expect("it is a slug");
        Maker { plan, made_up, revisions: HashMap::new(), actor }
    }

    fn event(&mut self, index: u64) -> Event {
        let unit = self.made_up.unit_and_measure(index).0.clone();
        let revision = self.revisions.entry(unit.clone()).or_default();
        *revision += 1;
        let date = self.made_up.date();
        Event {
            id: ids::derived_id(&["bench", &index.to_string()]),
            plan: self.plan.id.clone(),
            effective: self.plan.calendar.start_of_day(date),
            actor: self.actor.clone(),
            traceparent: None,
            data: EventData::ReportSubmitted(ReportSubmitted {
                unit,
                period: self.made_up.period(),
                revision: *revision,
                document: Document { number: format!("BENCH/{index}"), date },
                lines: self.made_up.lines(index),
                history: None,
                request_digest: None,
            }),
        }
    }
}
