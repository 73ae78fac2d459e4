//! The fold, on two threads: one reads and decodes pages of the log, one applies them to the facts.

use crate::snapshots::{POSITION_LIMIT, Snapshots};
use crate::state::State;
use event_log::{Log, ReadLimit, Stored};
use events::wire::{self, ReadError};
use events::{Position, Recorded, Timestamp, UnitId};
use indicators::{Facts, FoldError, Parked};
use service::Check;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// How much is read at once; the facts are taken from the questions for the time of one page.
const PAGE: ReadLimit = ReadLimit { events: 512, bytes: 1024 * 1024 };
/// How many decoded pages wait for the fold; beyond it reading waits.
const PAGES_AHEAD: usize = 4;
/// How long a log that cannot be read is left alone before it is tried again.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long nothing must have come for a snapshot to be written beside the count of events.
const IDLE: Duration = Duration::from_secs(5);
/// The least time between two snapshots that are written because nothing came.
const IDLE_SNAPSHOT_INTERVAL: Duration = Duration::from_secs(60);
/// How many parked units a health line names.
const PARKED_NAMED: usize = 5;

/// The running fold.
#[derive(Debug)]
pub(crate) struct Fold {
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// What the fold needs.
pub(crate) struct FoldParts {
    pub(crate) log: Log,
    pub(crate) state: Arc<State>,
    pub(crate) snapshots: Snapshots,
    pub(crate) snapshot_every: u64,
    pub(crate) check: Check,
}

/// One event as decoded.
enum Decoded {
    Event(Box<Recorded>),
    /// Its data cannot be read: its unit is parked.
    Unreadable {
        position: Position,
        recorded_at: Timestamp,
        unit: Option<UnitId>,
        why: String,
    },
}

enum Page {
    Events(Vec<Decoded>),
    /// Nothing after this can be folded.
    Stop(String),
}

impl Fold {
    /// Starts the two threads; they go on until [`Fold::stop`] or until an event cannot be folded at all.
    pub(crate) fn start(parts: FoldParts, runtime: Handle) -> io::Result<Fold> {
        let (stop, stopped) = watch::channel(false);
        let (sender, pages) = sync_channel(PAGES_AHEAD);
        let from = parts.state.facts().head();
        let (log, check) = (parts.log.clone(), parts.check.clone());
        let reader = std::thread::Builder::new()
            .name("projection-read".into())
            .spawn(move || read(&log, from, &sender, stopped, &runtime, &check))?;
        let folder = std::thread::Builder::new()
            .name("projection-fold".into())
            .spawn(move || Folder::new(parts).run(&pages))?;
        Ok(Fold { stop, threads: vec![reader, folder] })
    }

    /// Lets the page in hand be finished and waits for the threads. Blocks.
    pub(crate) fn stop(self) {
        self.stop.send_replace(true);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("A thread of the fold had panicked");
            }
        }
    }
}

/// Reads from the cursor to the head, waits on the watch, reads again.
fn read(
    log: &Log,
    from: Position,
    pages: &SyncSender<Page>,
    mut stopped: watch::Receiver<bool>,
    runtime: &Handle,
    check: &Check,
) {
    let mut head = log.watch();
    let mut cursor = from;
    while !*stopped.borrow() {
        head.borrow_and_update();
        match log.read(cursor.next(), PAGE) {
            Ok(stored) if stored.is_empty() => {
                let gone = runtime.block_on(async {
                    tokio::select! {
                        changed = head.changed() => changed.is_err(),
                        _ = stopped.changed() => true,
                    }
                });
                if gone {
                    return;
                }
            }
            Ok(stored) => {
                cursor = stored.last().map_or(cursor, |last| last.position);
                let page = decode(&stored);
                let ends = matches!(page.last(), Some(Page::Stop(_)));
                if page.into_iter().any(|page| pages.send(page).is_err()) || ends {
                    return;
                }
            }
            Err(error) => {
                check.down(format!("{error}; it is read again every second"));
                runtime.block_on(async {
                    // Whether it stopped or the time passed is seen at the head of the loop.
                    let _ = tokio::time::timeout(READ_AGAIN_AFTER, stopped.changed()).await;
                });
            }
        }
    }
}

fn decode(stored: &[Stored]) -> Vec<Page> {
    let mut events = Vec::with_capacity(stored.len());
    for event in stored {
        match wire::read(&event.bytes) {
            Ok(recorded) => events.push(Decoded::Event(Box::new(recorded))),
            Err(ReadError::Data { envelope, reason }) => events.push(Decoded::Unreadable {
                position: envelope.position,
                recorded_at: envelope.recorded_at,
                unit: UnitId::parse(&envelope.subject).ok(),
                why: reason,
            }),
            Err(error @ (ReadError::Envelope { .. } | ReadError::UnknownType { .. })) => {
                return vec![Page::Events(events), Page::Stop(error.to_string())];
            }
        }
    }
    vec![Page::Events(events)]
}

/// Applies pages and writes snapshots.
struct Folder {
    parts: FoldParts,
    snapshot_at: Position,
    snapshot_written: Option<Instant>,
}

impl Folder {
    fn new(parts: FoldParts) -> Folder {
        let snapshot_at = parts.state.facts().head();
        Folder { parts, snapshot_at, snapshot_written: None }
    }

    fn run(mut self, pages: &Receiver<Page>) {
        self.tell();
        loop {
            match pages.recv_timeout(IDLE) {
                Ok(Page::Events(events)) => {
                    if let Err(error) = self.apply(events) {
                        self.give_up(&error.to_string());
                        return;
                    }
                    if self.is_due() {
                        self.write_snapshot();
                    }
                }
                Ok(Page::Stop(why)) => {
                    self.give_up(&why);
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let rested =
                        self.snapshot_written.is_none_or(|at| at.elapsed() >= IDLE_SNAPSHOT_INTERVAL);
                    if rested && self.since_snapshot() > 0 {
                        self.write_snapshot();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if self.since_snapshot() > 0 {
            self.write_snapshot();
        }
    }

    fn apply(&mut self, events: Vec<Decoded>) -> Result<(), FoldError> {
        let mut facts = self.parts.state.facts_mut();
        let count = events.len() as u64;
        let applied = events.into_iter().try_for_each(|event| apply_one(&mut facts, event));
        let head = facts.head();
        drop(facts);
        self.parts.state.publish(head);
        metrics::counter!("planwatch_folded_events_total").increment(count);
        self.tell();
        applied
    }

    /// Says in health and metrics how far the fold is and what is set aside.
    fn tell(&self) {
        let facts = self.parts.state.facts();
        let head = facts.head();
        let lag = self.parts.log.head().0.saturating_sub(head.0);
        metrics::gauge!("planwatch_folded_position").set(head.0 as f64);
        metrics::gauge!("planwatch_fold_lag_events").set(lag as f64);
        metrics::gauge!("planwatch_parked_units").set(facts.parked().len() as f64);
        if facts.adopted().is_none() {
            self.parts.check.down("the plan has not arrived yet");
        } else if lag > PAGES_AHEAD as u64 * PAGE.events as u64 {
            self.parts.check.down(format!("it is catching up: {lag} events to go"));
        } else if facts.parked().is_empty() {
            self.parts.check.ok();
        } else {
            self.parts.check.degraded(parked_told(facts.parked()));
        }
    }

    fn give_up(&self, why: &str) {
        let head = self.parts.state.facts().head();
        tracing::error!(position = head.0, "The fold stopped: {why}");
        self.parts.check.down(format!("the fold stopped after position {head}: {why}"));
    }

    fn since_snapshot(&self) -> u64 {
        self.parts.state.facts().head().0 - self.snapshot_at.0
    }

    /// A snapshot costs as much as all facts: a longer log waits for more events between two.
    fn is_due(&self) -> bool {
        self.since_snapshot() >= self.parts.snapshot_every.max(self.snapshot_at.0 / 4)
    }

    fn write_snapshot(&mut self) {
        // This thread is the only one that changes the facts, so questions go on meanwhile.
        let facts = self.parts.state.facts();
        let head = facts.head();
        if facts.adopted().is_none() || head > POSITION_LIMIT {
            return;
        }
        match self.parts.snapshots.write(&facts) {
            Ok(()) => {
                metrics::counter!("planwatch_snapshots_written_total").increment(1);
                tracing::debug!(position = head.0, "Wrote a snapshot of the facts");
            }
            // Without it a restart folds a longer tail; nothing else is lost.
            Err(error) => {
                tracing::warn!(position = head.0, "A snapshot of the facts was not written: {error}")
            }
        }
        drop(facts);
        self.snapshot_at = head;
        self.snapshot_written = Some(Instant::now());
    }
}

fn apply_one(facts: &mut Facts, event: Decoded) -> Result<(), FoldError> {
    let parked_before = facts.parked().len();
    let position = match event {
        Decoded::Event(recorded) => {
            facts.apply(&recorded)?;
            recorded.position
        }
        Decoded::Unreadable { position, recorded_at, unit, why } => {
            facts.apply_unreadable(position, recorded_at, unit, &why)?;
            position
        }
    };
    if facts.parked().len() > parked_before {
        tracing::error!(position = position.0, "An event cannot be folded: {}", parked_told(facts.parked()));
    }
    Ok(())
}

fn parked_told(parked: &BTreeMap<Option<UnitId>, Parked>) -> String {
    let named: Vec<String> = parked
        .iter()
        .take(PARKED_NAMED)
        .map(|(unit, parked)| {
            let unit = unit.as_ref().map_or("the plan itself", UnitId::as_str);
            format!("{unit} since position {} ({})", parked.since, parked.why)
        })
        .collect();
    let more = parked.len().saturating_sub(PARKED_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("events are set aside: {}{more}", named.join("; "))
}

#[cfg(test)]
mod tests;
