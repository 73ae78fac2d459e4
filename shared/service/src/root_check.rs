//! Holding a copy of the log against the checkpoints that ingestion signs.
//!
//! A follower checks every event that it receives; what happens to its copy afterwards, or what it was given
//! before, shows in the root of its tree. So it computes its own root at the size of each published checkpoint
//! as soon as it has got there. One that differs is never passed over: the copy is not believed from then on.

use crate::health::Check;
use bus::{Bus, RequestError};
use bytes::Bytes;
use event_log::{EvidenceError, Log};
use events::{PlanId, Position, Refusal, RefusalKind};
use evidence::{Checkpoint, SignedCheckpoint};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// The service that signs, and the endpoint that tells the last checkpoint.
const SIGNER: &str = "ingestion";
const CHECKPOINT: &str = "log.checkpoint";
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How often the last checkpoint is asked for until the first comparison, and how often later: a published one
/// may be missed.
const ASK_AT_FIRST_EVERY: Duration = Duration::from_millis(250);
const ASK_LATER_EVERY: Duration = Duration::from_secs(60);
/// How many checkpoints wait for the copy to get there; a further one takes the place of the last, which it
/// covers.
const WAITING_LIMIT: usize = 64;

/// Why a copy must not be believed; none while it may be.
#[derive(Debug, Clone)]
pub struct Doubt(watch::Receiver<Option<Arc<str>>>);

impl Doubt {
    /// The reason, if there is one.
    pub fn reason(&self) -> Option<Arc<str>> {
        self.0.borrow().clone()
    }

    /// Completes once there is a reason; never, if none arises.
    pub async fn arises(&mut self) {
        if self.0.wait_for(Option::is_some).await.is_err() {
            // The comparison has ended without one.
            std::future::pending::<()>().await;
        }
    }
}

/// The comparison of a copy with checkpoints, running; dropping it ends it.
#[derive(Debug)]
pub struct RootCheck {
    doubt: Doubt,
    task: AbortHandle,
}

impl Drop for RootCheck {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RootCheck {
    /// Compares from now on; `check` is told whether the copy agrees. Needs a tokio runtime.
    pub fn start(bus: &Bus, plan: &PlanId, log: Log, check: Check) -> RootCheck {
        let (sender, receiver) = watch::channel(None);
        let comparing = Comparing { log, check, sender, waiting: VecDeque::new(), has_compared: false };
        let task = tokio::spawn(comparing.run(bus.clone(), plan.clone())).abort_handle();
        RootCheck { doubt: Doubt(receiver), task }
    }

    /// Why the copy must not be believed.
    pub fn doubt(&self) -> Doubt {
        self.doubt.clone()
    }
}

struct Comparing {
    log: Log,
    check: Check,
    sender: watch::Sender<Option<Arc<str>>>,
    /// In the order of their sizes.
    waiting: VecDeque<Checkpoint>,
    has_compared: bool,
}

/// What came of a comparison.
enum Compared {
    Same,
    Different(String),
    /// The tree cannot be read just now.
    Later,
}

impl Comparing {
    async fn run(mut self, bus: Bus, plan: PlanId) {
        metrics::gauge!("planwatch_follower_root_differs").set(0);
        let mut published = pin!(published(&bus, &plan).await);
        let mut head = self.log.watch();
        self.ask(&bus, &plan).await;
        loop {
            head.borrow_and_update();
            if let Some(why) = self.compare_what_is_reached().await {
                return self.give_up(&why);
            }
            let ask_after = if self.has_compared { ASK_LATER_EVERY } else { ASK_AT_FIRST_EVERY };
            tokio::select! {
                Some(note) = published.next() => self.hear(&note),
                changed = head.changed(), if !self.waiting.is_empty() => if changed.is_err() { return },
                () = tokio::time::sleep(ask_after) => self.ask(&bus, &plan).await,
            }
        }
    }

    /// Takes in a published checkpoint. Who may publish is for the bus to say, so its signature is not looked at:
    /// a wrong one would do no more than what is meant to be noticed.
    fn hear(&mut self, note: &[u8]) {
        let checkpoint = match SignedCheckpoint::parse(note) {
            Ok(signed) => signed.claimed().clone(),
            Err(error) => {
                tracing::warn!(%error, "A published checkpoint cannot be read");
                return;
            }
        };
        if self.waiting.back().is_some_and(|last| *last == checkpoint) {
            return;
        }
        if self.waiting.len() == WAITING_LIMIT {
            self.waiting.pop_back();
        }
        self.waiting.push_back(checkpoint);
        self.waiting.make_contiguous().sort_by_key(Checkpoint::size);
    }

    /// Asks for the last checkpoint, as whoever starts later has missed it.
    async fn ask(&mut self, bus: &Bus, plan: &PlanId) {
        #[derive(Deserialize)]
        struct Reply {
            ok: Option<Last>,
            refused: Option<Refusal>,
        }
        #[derive(Deserialize)]
        struct Last {
            checkpoint: String,
        }
        let asked = bus.request(plan, SIGNER, CHECKPOINT, Bytes::from_static(b"{}"), ANSWER_WITHIN).await;
        let reply = asked.map(|reply| serde_json::from_slice::<Reply>(&reply));
        match reply {
            Ok(Ok(Reply { ok: Some(last), .. })) => self.hear(last.checkpoint.as_bytes()),
            Ok(Ok(Reply { refused: Some(refusal), .. })) if !self.has_compared => {
                let why = format!("there is no checkpoint to compare the copy with: {}", refusal.detail);
                if refusal.kind == RefusalKind::Unavailable {
                    self.check.down(why);
                } else {
                    self.check.degraded(why);
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "The last checkpoint cannot be read"),
            Err(RequestError::Refused { .. } | RequestError::NoResponders { .. }) if !self.has_compared => {
                self.check.degraded("ingestion gives no checkpoint to compare the copy with");
            }
            Ok(Ok(_)) | Err(_) => {}
        }
    }

    /// Compares with the checkpoints that the copy has reached; gives the difference, if there is one.
    async fn compare_what_is_reached(&mut self) -> Option<String> {
        while self.waiting.front().is_some_and(|next| next.size() <= self.log.head().0) {
            let next = self.waiting.front().expect("it was looked at just now").clone();
            let log = self.log.clone();
            let compared = tokio::task::spawn_blocking(move || compare(&log, &next)).await;
            match compared {
                Ok(Compared::Same) => {
                    self.waiting.pop_front();
                    self.has_compared = true;
                    self.check.ok();
                    metrics::counter!("planwatch_follower_roots_compared_total").increment(1);
                }
                Ok(Compared::Different(what)) => return Some(what),
                Ok(Compared::Later) | Err(_) => return None,
            }
        }
        None
    }

    fn give_up(&self, why: &str) {
        metrics::gauge!("planwatch_follower_root_differs").set(1);
        tracing::error!(plan = %self.log.plan(), "{why}");
        self.check.down(why);
        self.sender.send_replace(Some(why.into()));
    }
}

/// The checkpoints that are published; asked for again until the connection gives them.
async fn published(bus: &Bus, plan: &PlanId) -> impl Stream<Item = Bytes> + use<> {
    loop {
        match bus.checkpoints(plan).await {
            Ok(published) => return published,
            Err(_) => tokio::time::sleep(ASK_AT_FIRST_EVERY).await,
        }
    }
}

fn compare(log: &Log, checkpoint: &Checkpoint) -> Compared {
    let size = checkpoint.size();
    match log.root_at(Position(size)) {
        Ok(root) if root == checkpoint.root() => Compared::Same,
        Ok(root) => Compared::Different(format!(
            "this copy of the log is not the one that was signed: the checkpoint of {size} events by `{}` has the root \
             {}, the copy {root}; at least one event at or before position {size} is another one. Keep the copy as \
             evidence and move it aside to follow anew; if the next copy differs too, the log itself was rewritten",
            checkpoint.origin(),
            checkpoint.root()
        )),
        Err(EvidenceError::Beyond { .. } | EvidenceError::NotReady | EvidenceError::Read(_)) => {
            Compared::Later
        }
    }
}
