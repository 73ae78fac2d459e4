//! Our log, behind its committer as ingestion runs it, with an admission that lets everything in.

use super::Store;
use crate::payload::Payloads;
use anyhow::Context;
use event_log::{
    Admission, CommitLimits, Committer, CommitterThread, Decision, IndexKind, Log, Opened, Options, Outcome,
    SystemClock,
};
use events::{Event, Position, Recorded, Timestamp};
use std::cell::Cell;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SETTLED_WITHIN: Duration = Duration::from_secs(120);

/// Our log.
pub(crate) struct Ours {
    log: Log,
    committer: Committer<LetIn>,
    thread: CommitterThread<LetIn>,
    payloads: Arc<Payloads>,
}

impl Ours {
    pub(crate) fn open(directory: &Path, payloads: Arc<Payloads>, index: IndexKind) -> anyhow::Result<Ours> {
        let options = Options { index, ..Options::default() };
        let Opened { log, mut writer, .. } = event_log::open(directory, payloads.plan(), options)?;
        if log.head() == Position::START {
            // Every log of ours begins with its plan.
            writer.append(vec![vec![payloads.event(0)]], Timestamp::now())?;
        }
        let clock = Arc::new(SystemClock);
        let (committer, thread) =
            Committer::start(writer, log.clone(), LetIn, clock, CommitLimits::default())?;
        Ok(Ours { log, committer, thread, payloads })
    }
}

impl Store for Ours {
    async fn head(&self) -> anyhow::Result<u64> {
        Ok(self.log.head().0)
    }

    async fn append(&self, first: u64, count: u64) -> anyhow::Result<()> {
        let events = (first..first + count).map(|number| self.payloads.event(number)).collect();
        match self.committer.submit(Cell::new(events)).await? {
            Outcome::Recorded(_) => Ok(()),
            Outcome::Answered(never) => match never {},
        }
    }

    async fn replay<V>(&self, mut visit: V) -> anyhow::Result<u64>
    where
        V: FnMut(&[u8]) -> anyhow::Result<()> + Send,
    {
        let mut events = 0;
        for stored in self.log.scan(Position(1)) {
            visit(&stored?.bytes)?;
            events += 1;
        }
        Ok(events)
    }

    async fn settle(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !self.log.is_compact() {
            anyhow::ensure!(begun.elapsed() < SETTLED_WITHIN, "the journal's full files are not compacted");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn close(self) -> anyhow::Result<()> {
        let Ours { log, committer, thread, .. } = self;
        drop((log, committer));
        let (writer, LetIn) = thread.stop().context("the committer panicked")?;
        // Waits until the index has everything.
        drop(writer);
        Ok(())
    }
}

/// Lets everything in as it comes.
struct LetIn;

impl Admission for LetIn {
    type Command = Cell<Vec<Event>>;
    type Refusal = Infallible;

    fn admit(&mut self, command: &Cell<Vec<Event>>, _: Position, _: Timestamp) -> Decision<Infallible> {
        Decision::Record(command.take())
    }

    fn committed(&mut self, _: &[Vec<Recorded>]) {}

    fn rolled_back(&mut self, _: &Log) {}
}
