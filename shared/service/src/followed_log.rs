//! A copy of the log that follows the stream: what projection and alerting fold.

use crate::health::Check;
use crate::root_check::{Doubt, RootCheck};
use bus::{Bus, CopySink, Follower, FollowerHandle, FollowerState, SinkError, StoredEvent};
use event_log::{AppendError, Copied, Log, OpenError, OpenReport, Opened, Options, Writer};
use events::{PlanId, Position};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::task::JoinHandle;

/// How long a copy waits before it tries a write again that may succeed later.
const WRITE_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Why a copy was not opened.
#[derive(Debug, Error)]
#[error("cannot open the copy of the log in `{}`", directory.display())]
pub struct FollowError {
    /// Which directory.
    pub directory: std::path::PathBuf,
    /// Why.
    #[source]
    pub source: OpenError,
}

/// A log that follows the stream of its plan.
pub struct FollowedLog {
    /// The copy, for reading; its head watch tells when something new is durable in it.
    pub log: Log,
    /// What opening the copy found.
    pub report: OpenReport,
    follower: FollowerHandle,
    watching: JoinHandle<()>,
    stopping: Arc<AtomicBool>,
    roots: RootCheck,
}

impl std::fmt::Debug for FollowedLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FollowedLog").field("follower", &self.follower).finish_non_exhaustive()
    }
}

impl FollowedLog {
    /// Opens the copy in a directory and follows the stream of the plan under a name, which is the
    /// service's: one follower for each name. `check` is told how the following goes; another one, `root`, whether
    /// the copy agrees with the log's checkpoints. Needs a tokio runtime.
    pub async fn start(
        bus: &Bus,
        plan: &PlanId,
        name: &str,
        directory: &Path,
        check: Check,
    ) -> Result<FollowedLog, FollowError> {
        let (owned_directory, owned_plan) = (directory.to_owned(), plan.clone());
        let opened = tokio::task::spawn_blocking(move || {
            event_log::open(&owned_directory, &owned_plan, Options::default())
        });
        let opened = opened.await.expect("opening a log does not panic");
        let Opened { log, writer, report } =
            opened.map_err(|source| FollowError { directory: directory.to_owned(), source })?;
        tracing::info!(plan = %plan, directory = %directory.display(), "Opened the copy of the log: {report}");
        let stopping = Arc::new(AtomicBool::new(false));
        let copy = Copy { log: log.clone(), writer, stopping: Arc::clone(&stopping), check: check.clone() };
        let follower = Follower::start(bus, plan, name, copy);
        let roots = RootCheck::start(bus, plan, log.clone(), check.beside("root"));
        let watching = tokio::spawn(tell(follower.state(), check));
        Ok(FollowedLog { log, report, follower, watching, stopping, roots })
    }

    /// Watches what the follower is doing.
    pub fn state(&self) -> tokio::sync::watch::Receiver<FollowerState> {
        self.follower.state()
    }

    /// Why the copy must not be believed, if that is so. It stays so until a restart.
    pub fn doubt(&self) -> Doubt {
        self.roots.doubt()
    }

    /// Completes when the follower has stopped for good, with the reason.
    pub async fn failed(&self) -> String {
        let mut state = self.follower.state();
        let stopped = state.wait_for(|state| matches!(state, FollowerState::Stopped { .. })).await;
        match stopped.as_deref() {
            Ok(FollowerState::Stopped { why }) => why.to_string(),
            Ok(_) | Err(_) => "the follower is gone".to_owned(),
        }
    }

    /// Stops following; what was appended is durable.
    pub async fn stop(self, grace: Duration) {
        self.stopping.store(true, Ordering::Relaxed);
        self.watching.abort();
        self.follower.stop(grace).await;
    }
}

async fn tell(mut state: tokio::sync::watch::Receiver<FollowerState>, check: Check) {
    loop {
        match &*state.borrow_and_update() {
            FollowerState::Connecting => check.down("it is reaching for the stream"),
            FollowerState::Following { .. } => check.ok(),
            FollowerState::Stopped { why } => check.down(why.to_string()),
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// The copy as the follower writes it.
struct Copy {
    log: Log,
    writer: Writer,
    stopping: Arc<AtomicBool>,
    check: Check,
}

impl Copy {
    /// What may succeed later is tried again here, so that the follower does not have to know about disks.
    fn append_patiently(&mut self, copied: Vec<Copied>) -> Result<Position, AppendError> {
        loop {
            let error = match self.writer.append_copy(copied.clone()) {
                Ok(position) => return Ok(position),
                Err(error) => error,
            };
            let passes =
                matches!(error, AppendError::NoSpace(_) | AppendError::Write(_) | AppendError::IndexBehind);
            if !passes || self.stopping.load(Ordering::Relaxed) {
                return Err(error);
            }
            self.check.down(error.to_string());
            std::thread::sleep(WRITE_AGAIN_AFTER);
            self.writer.look_for_space();
        }
    }
}

impl CopySink for Copy {
    fn head(&self) -> Position {
        self.log.head()
    }

    fn append(&mut self, events: Vec<StoredEvent>) -> Result<Position, SinkError> {
        let copied = events.into_iter().map(|event| Copied { position: event.position, bytes: event.bytes });
        self.append_patiently(copied.collect()).map_err(|error| match error {
            AppendError::Fork { position } => SinkError::Fork { position },
            other => SinkError::Stopped { source: Box::new(other) },
        })
    }

    fn holds(&self, event: &StoredEvent) -> Result<bool, SinkError> {
        let held = self.log.event_at(event.position);
        let held = held.map_err(|error| SinkError::Stopped { source: Box::new(error) })?;
        Ok(held.is_some_and(|held| held.bytes == event.bytes))
    }
}
