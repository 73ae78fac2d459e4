//! The fold: the log is read and decoded ahead, on several threads where much is to come; one thread applies it
//! to the facts, in order.

use crate::state::State;
use event_log::{Log, ReadError, ReadLimit, Stored};
use events::{Position, UnitId};
use indicators::{ApplyError, Batch, Parked, Preparer};
use service::Check;
use snapshots::Keeper;
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
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
    pub(crate) keeper: Keeper,
    pub(crate) snapshot_every: u64,
    pub(crate) check: Check,
}

impl Fold {
    /// Starts the two threads; they go on until [`Fold::stop`] or until an event cannot be folded at all.
    pub(crate) fn start(parts: FoldParts, runtime: Handle) -> io::Result<Fold> {
        let (stop, stopped) = watch::channel(false);
        let (sender, pages) = sync_channel(PAGES_AHEAD);
        let (from, preparer) = {
            let facts = parts.state.facts();
            (facts.head(), Preparer::of(&facts))
        };
        let (log, check) = (parts.log.clone(), parts.check.clone());
        let reader = std::thread::Builder::new()
            .name("projection-read".into())
            .spawn(move || read(&log, from, &preparer, &sender, stopped, &runtime, &check))?;
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
    preparer: &Preparer,
    pages: &SyncSender<Batch>,
    stopped: watch::Receiver<bool>,
    runtime: &Handle,
    check: &Check,
) {
    let mut head = log.watch();
    let mut cursor = from;
    let send = |batch: Batch| {
        let ends = batch.stop().is_some();
        let gone = pages.send(batch).is_err() || ends || *stopped.borrow();
        if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut waiting = stopped.clone();
    loop {
        let reached = *head.borrow_and_update();
        match read_up_to(log, &mut cursor, reached, preparer, &send) {
            Ok(ControlFlow::Break(())) => return,
            Ok(ControlFlow::Continue(())) => {
                let gone = runtime.block_on(async {
                    tokio::select! {
                        changed = head.changed() => changed.is_err(),
                        _ = waiting.wait_for(|stopped| *stopped) => true,
                    }
                });
                if gone {
                    return;
                }
            }
            Err(error) => {
                check.down(format!("{error}; it is read again every second"));
                let stops = waiting.wait_for(|stopped| *stopped);
                if runtime.block_on(tokio::time::timeout(READ_AGAIN_AFTER, stops)).is_ok() {
                    return;
                }
            }
        }
    }
}

/// Reads from the cursor up to a position and hands on what it decoded; breaks where `send` does. A page is
/// decoded here, more than that on several threads.
fn read_up_to(
    log: &Log,
    cursor: &mut Position,
    reached: Position,
    preparer: &Preparer,
    send: &impl Fn(Batch) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ReadError> {
    let decode = |stored: Vec<Stored>| {
        let last = stored.last().map(|last| last.position);
        (last, preparer.prepare(stored.iter().map(|stored| &*stored.bytes)))
    };
    while *cursor < reached {
        let to_go = reached.0 - cursor.0;
        if to_go <= PAGE.events as u64 {
            let (last, batch) = decode(log.read(cursor.next(), PAGE)?);
            let Some(last) = last else { break };
            *cursor = last;
            if send(batch).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            continue;
        }
        let mut sent = ControlFlow::Continue(());
        log.read_ahead(cursor.next(), reached, decode, |(last, batch)| {
            *cursor = last.unwrap_or(*cursor);
            sent = send(batch);
            sent
        })?;
        if sent.is_break() {
            return Ok(sent);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Applies pages and has the facts kept.
struct Folder {
    parts: FoldParts,
    snapshot_written: Option<Instant>,
}

impl Folder {
    fn new(parts: FoldParts) -> Folder {
        Folder { parts, snapshot_written: None }
    }

    fn run(mut self, pages: &Receiver<Batch>) {
        self.tell();
        loop {
            match pages.recv_timeout(IDLE) {
                Ok(batch) => {
                    if let Err(error) = self.apply(batch) {
                        self.give_up(&error.to_string());
                        break;
                    }
                    if self.since_snapshot() >= self.parts.snapshot_every {
                        self.begin_snapshot();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    let rested =
                        self.snapshot_written.is_none_or(|at| at.elapsed() >= IDLE_SNAPSHOT_INTERVAL);
                    if rested && self.since_snapshot() > 0 {
                        self.begin_snapshot();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.parts.keeper.finish();
        if self.since_snapshot() > 0 {
            self.begin_snapshot();
            self.parts.keeper.finish();
        }
    }

    fn apply(&mut self, batch: Batch) -> Result<(), ApplyError> {
        let mut facts = self.parts.state.facts_mut();
        let (head_before, parked_before) = (facts.head(), facts.parked().len());
        let applied = facts.apply_batch(batch);
        let head = facts.head();
        if facts.parked().len() > parked_before {
            let told = parked_told(facts.parked());
            tracing::error!(position = head.0, "An event cannot be folded: {told}");
        }
        drop(facts);
        self.parts.state.publish(head);
        metrics::counter!("planwatch_folded_events_total").increment(head.0 - head_before.0);
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
        self.parts.keeper.since(&self.parts.state.facts())
    }

    /// Has the facts written; while they still are being written the next call does it.
    fn begin_snapshot(&mut self) {
        let FoldParts { state, keeper, log, .. } = &mut self.parts;
        // This thread is the only one that changes the facts, so questions go on meanwhile.
        if keeper.keep(&state.facts(), log) {
            self.snapshot_written = Some(Instant::now());
        }
    }
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
