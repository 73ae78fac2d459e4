//! The tail: the stream for a reader who keeps nothing, such as a browser or `log tail`.

use crate::connection::Bus;
use crate::feed::{Feed, Through, Told};
use crate::names;
use crate::stored::StoredEvent;
use bytes::Bytes;
use events::{PlanId, Position};
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// How many events wait for a slow reader; the server keeps the rest.
const TAIL_LIMIT: usize = 256;

/// Events in order from a position on, live at the end, resuming over every loss of the server. It ends only
/// when the connection is closed or a message cannot be read, which the log says.
#[derive(Debug)]
pub struct Tail {
    events: mpsc::Receiver<StoredEvent>,
    task: AbortHandle,
}

impl Stream for Tail {
    type Item = StoredEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<StoredEvent>> {
        self.events.poll_recv(context)
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bus {
    /// Reads a plan's events; the first is the one at `from`, once there is one.
    pub fn tail(&self, plan: &PlanId, from: Position) -> Tail {
        let (sender, events) = mpsc::channel(TAIL_LIMIT);
        let feed = Feed::new(self.clone(), plan.clone(), Through::Ephemeral);
        let head = Position(from.0.saturating_sub(1));
        let task = tokio::spawn(hand_on(feed, head, sender)).abort_handle();
        Tail { events, task }
    }

    /// Hears the checkpoints that ingestion publishes, from now on. A reader that misses one gets the next.
    pub async fn checkpoints(
        &self,
        plan: &PlanId,
    ) -> Result<impl Stream<Item = Bytes> + Send + use<>, crate::RequestError> {
        let heard = self.client().subscribe(names::checkpoint(plan)).await;
        heard.map(|heard| heard.map(|message| message.payload)).map_err(|_| crate::RequestError::Disconnected)
    }
}

async fn hand_on(mut feed: Feed, mut head: Position, sender: mpsc::Sender<StoredEvent>) {
    loop {
        match feed.next(head).await {
            Told::Opened | Told::Lost => {}
            Told::Came(delivery) => {
                for event in delivery.fresh {
                    let position = event.position;
                    if sender.send(event).await.is_err() {
                        return;
                    }
                    head = position;
                }
            }
            Told::Unreadable { position, reason } => {
                tracing::error!(position = position.0, "The stream cannot be read on: {reason}");
                return;
            }
            // Only a reader that keeps a copy can be ahead.
            Told::Ahead | Told::Closed => return,
        }
    }
}
