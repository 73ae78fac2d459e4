//! The stream as another copy of the log, read while the log is opened.

use bus::{Bus, StreamError};
use event_log::{Copied, OtherCopy, ReadLimit};
use events::{PlanId, Position};
use futures::{StreamExt, TryStreamExt};
use std::io;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// How long JetStream may take to answer at a start; a server that was just started first recovers its store.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// How many events are asked for at once.
const ASKED_AT_ONCE: usize = 64;

/// What the stream held when ingestion started. Nothing is published meanwhile: ingestion alone may.
pub(crate) struct StreamCopy {
    bus: Bus,
    plan: PlanId,
    head: Position,
    /// So much was acknowledged, as the last signed checkpoint says.
    acknowledged: Position,
    runtime: Handle,
}

impl StreamCopy {
    /// Asks for the end of the stream; without an answer the end of the log must not be touched. Neither may
    /// what a signed checkpoint covers, whether the stream holds it or not.
    pub(crate) async fn ask(
        bus: &Bus,
        plan: &PlanId,
        acknowledged: Position,
    ) -> Result<StreamCopy, StreamError> {
        let begun = Instant::now();
        loop {
            match bus.stream_head(plan).await {
                Ok(head) => {
                    let head = head.unwrap_or(Position::START);
                    return Ok(StreamCopy {
                        bus: bus.clone(),
                        plan: plan.clone(),
                        head,
                        acknowledged,
                        runtime: Handle::current(),
                    });
                }
                Err(error) if begun.elapsed() >= ANSWERS_WITHIN => return Err(error),
                Err(_) => tokio::time::sleep(ASK_AGAIN_AFTER).await,
            }
        }
    }
}

impl OtherCopy for StreamCopy {
    /// The last position that is known to have been acknowledged: what it covers is not cut, even where the
    /// stream cannot give it back.
    fn head(&self) -> Position {
        self.head.max(self.acknowledged)
    }

    fn read(&self, from: Position, limit: ReadLimit) -> io::Result<Vec<Copied>> {
        let until = from.0.saturating_add(limit.events as u64).min(self.head.0 + 1);
        let asked = futures::stream::iter((from.0..until).map(Position)).map(|position| async move {
            let found = self.bus.stream_event(&self.plan, position).await.map_err(io::Error::other)?;
            Ok::<_, io::Error>(found.map(|bytes| Copied { position, bytes }))
        });
        let found = asked.buffered(ASKED_AT_ONCE).try_collect::<Vec<Option<Copied>>>();
        // A stream that was emptied goes on counting: what it lacks ends what it can give.
        Ok(self.runtime.block_on(found)?.into_iter().map_while(|copied| copied).collect())
    }
}
