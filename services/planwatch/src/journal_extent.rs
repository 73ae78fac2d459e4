//! How far the whole frames of a journal reach, and where days and instants lie in it.

use crate::exit::Failure;
use crate::moment::MomentKind;
use crate::progress::Progress;
use anyhow::Context;
use event_log::{JournalReader, TornEnd};
use events::{Date, EventData, Position, Timestamp};
use plan::Plan;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How long a commit that is on its way is waited for: many times what one takes.
const COMMIT_LIMIT: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What a journal holds.
#[derive(Debug)]
pub struct Extent {
    /// The last position in a whole frame.
    pub head: Position,
    /// When it was recorded.
    pub recorded_at: Option<Timestamp>,
    /// The last position that was recorded until each bound.
    pub until: Vec<Position>,
    torn: Option<TornEnd>,
}

/// An edge in time.
#[derive(Debug, Clone, Copy)]
pub enum Edge {
    /// What was recorded before a day began, or an instant came.
    Before(MomentKind),
    /// What was recorded until a day ended, or an instant was over.
    Until(MomentKind),
}

impl Edge {
    fn kind(self) -> MomentKind {
        match self {
            Edge::Before(kind) | Edge::Until(kind) => kind,
        }
    }
}

impl Extent {
    /// Reads through a journal, whose last position until each edge is asked for.
    pub fn read(journal: &JournalReader<'_>, edges: &[Edge]) -> Result<Extent, Failure> {
        let mut extent = Extent {
            head: Position::START,
            recorded_at: None,
            until: vec![Position::START; edges.len()],
            torn: None,
        };
        let mut bounds = None;
        let mut wrong = None;
        let mut progress = Progress::new("events looked at");
        let end = journal
            .walk(&mut |stored| {
                let bounds = match &bounds {
                    Some(bounds) => bounds,
                    None => match bounds_of(edges, &stored.bytes) {
                        Ok(found) => bounds.insert(found),
                        Err(error) => {
                            wrong = Some(error);
                            return ControlFlow::Break(());
                        }
                    },
                };
                for (bound, until) in bounds.iter().zip(&mut extent.until) {
                    if bound.includes(stored.recorded_at) {
                        *until = stored.position;
                    }
                }
                extent.recorded_at = Some(stored.recorded_at);
                progress.done(stored.position.0);
                ControlFlow::Continue(())
            })
            .context("cannot read the journal")?;
        if let Some(error) = wrong {
            return Err(Failure::refused(error));
        }
        Ok(Extent { head: end.head, torn: end.torn, ..extent })
    }

    /// Refuses a journal whose end is not whole, because something acknowledged may be in there. A commit that is
    /// on its way in a running system is none of that: it becomes whole.
    pub fn require_whole_end(&self, journal: &JournalReader<'_>) -> Result<(), Failure> {
        let Some(torn) = &self.torn else { return Ok(()) };
        let begun = Instant::now();
        while journal.is_in_use().context("cannot look at the log's lock")? && begun.elapsed() < COMMIT_LIMIT
        {
            let mut has_grown = false;
            let end = journal
                .walk(&mut |stored| {
                    has_grown = stored.position > self.head;
                    if has_grown { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })
                .context("cannot read the journal")?;
            if has_grown || end.torn.is_none() {
                return Ok(());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Err(Failure::refused(anyhow::anyhow!(
            "`{}`, byte {}: {}: the last {} bytes are no whole frame; what position {} was may be in them: start the \
             service once, which cuts or restores them, or take what is before",
            torn.file.display(),
            torn.offset,
            torn.what,
            torn.bytes,
            self.head.next()
        )))
    }
}

/// An edge as an instant.
#[derive(Debug, Clone, Copy)]
enum Bound {
    Before(Timestamp),
    Until(Timestamp),
}

impl Bound {
    fn includes(self, recorded_at: Timestamp) -> bool {
        match self {
            Bound::Before(instant) => recorded_at < instant,
            Bound::Until(instant) => recorded_at <= instant,
        }
    }
}

/// Where days begin and end, the plan says with which the log begins.
fn bounds_of(edges: &[Edge], first: &[u8]) -> anyhow::Result<Vec<Bound>> {
    let has_days = edges.iter().any(|edge| matches!(edge.kind(), MomentKind::Day(_)));
    let plan = if has_days { Some(adopted_plan(first)?) } else { None };
    let end_of = |day: Date| plan.as_ref().expect("it was read for the days").calendar.end_of_day(day);
    let bound = |edge: &Edge| {
        Ok(match *edge {
            Edge::Until(MomentKind::Instant(instant)) => Bound::Until(instant),
            Edge::Before(MomentKind::Instant(instant)) => Bound::Before(instant),
            Edge::Until(MomentKind::Day(day)) => Bound::Until(end_of(day)),
            Edge::Before(MomentKind::Day(day)) => {
                Bound::Until(end_of(day.yesterday().context("the calendar does not reach so far back")?))
            }
        })
    };
    edges.iter().map(bound).collect()
}

/// The plan with which a log begins.
fn adopted_plan(first: &[u8]) -> anyhow::Result<Plan> {
    let read = events::wire::read(first).context("the log does not begin with an event")?;
    let EventData::PlanAdopted(adopted) = read.event.data else {
        anyhow::bail!("the log does not begin with a plan, so nothing says when a day ends: name positions");
    };
    Plan::from_canonical(&adopted.plan).context("the plan with which the log begins cannot be read")
}
