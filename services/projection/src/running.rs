//! The service: the copy of the log, the fold and the endpoints, started and stopped together.

use crate::clock_check::ClockCheck;
use crate::endpoints::Answering;
use crate::fold::{Fold, FoldParts};
use crate::state::State;
use bus::{Bus, BusConfig, ConnectError, Endpoint, FollowerState, FollowerStop, ServeError, ServiceHandle};
use events::PlanId;
use serde::Deserialize;
use service::standing::{HEALTH_ENDPOINT, METRICS_ENDPOINT};
use service::{FollowError, FollowedLog, Health, Metrics};
use snapshots::{Keeper, SEGMENT_EVENTS, Snapshots};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// The name of the service, of its follower and of its part of the subjects.
const NAME: &str = "projection";
const SNAPSHOT_EVERY: u64 = 50_000;

/// What projection needs to start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The plan whose stream is followed.
    pub plan: PlanId,
    /// The directory of the copy of the log and of the snapshots.
    pub data: PathBuf,
    /// After how many events a snapshot is written at the earliest; one is also written when nothing comes.
    #[serde(default = "snapshot_every")]
    pub snapshot_every: u64,
    /// How the bus is reached.
    pub bus: BusConfig,
}

fn snapshot_every() -> u64 {
    SNAPSHOT_EVERY
}

/// Why projection did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The bus is not reachable.
    #[error("cannot reach the bus")]
    Connect(#[from] ConnectError),
    /// The copy of the log did not open.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The directory of the snapshots cannot be used.
    #[error("cannot use the snapshots in `{}`", directory.display())]
    Snapshots {
        /// Which directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The threads of the fold did not start.
    #[error("cannot start the threads of the fold")]
    Thread(#[source] io::Error),
    /// The endpoints cannot be offered.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Projection, running.
#[derive(Debug)]
pub struct Running {
    followed: FollowedLog,
    fold: Fold,
    served: ServiceHandle,
    /// Of the clock.
    watching: AbortHandle,
}

/// Opens the copy of the log, restores the facts, begins to fold and offers the endpoints.
///
/// Answers rest on what is folded already; health says until when it is catching up.
pub async fn start(config: Config, metrics: Metrics) -> Result<Running, StartError> {
    let health = Health::new(NAME);
    let directory = config.data.join("snapshots");
    let ahead = {
        let directory = directory.clone();
        tokio::task::spawn_blocking(move || Snapshots::load_ahead(&directory))
    };
    let bus = Bus::connect(&config.bus).await?;
    let copy = config.data.join("log");
    let followed = FollowedLog::start(&bus, &config.plan, NAME, &copy, health.check("stream")).await?;
    let log = followed.log.clone();
    let ahead = ahead.await.expect("loading facts does not panic");
    let restored = tokio::task::spawn_blocking(move || {
        let snapshots = Snapshots::open(directory.clone(), SEGMENT_EVENTS)
            .and_then(|mut snapshots| Ok((snapshots.restore(&log, ahead)?, snapshots)));
        snapshots.map_err(|source| StartError::Snapshots { directory, source })
    });
    let (facts, snapshots) = restored.await.expect("restoring facts does not panic")?;
    if facts.is_none() {
        tracing::info!("Folding the log from the beginning");
    }
    let facts = facts.unwrap_or_default();
    let keeper = Keeper::new(snapshots, &facts);
    let state = Arc::new(State::new(facts));
    let parts = FoldParts {
        log: followed.log.clone(),
        state: Arc::clone(&state),
        keeper,
        snapshot_every: config.snapshot_every.max(1),
        check: health.check("fold"),
    };
    let fold = Fold::start(parts, Handle::current()).map_err(StartError::Thread)?;
    let clock = ClockCheck::default();
    let endpoints = Answering::new(state, followed.log.clone(), clock.clone()).endpoints(&health, &metrics);
    let endpoints = while_believed(endpoints, &followed);
    match bus.serve(&config.plan, NAME, env!("CARGO_PKG_VERSION"), endpoints).await {
        Ok(served) => {
            let watching = clock.run(bus.clone(), config.plan.clone(), health.check("clock"));
            let watching = tokio::spawn(watching).abort_handle();
            Ok(Running { followed, fold, served, watching })
        }
        Err(error) => {
            stop_fold(fold).await;
            followed.stop(Duration::ZERO).await;
            Err(error.into())
        }
    }
}

/// Answers nothing out of a copy that is not the log that was signed, but how the service is.
fn while_believed(endpoints: Vec<Endpoint>, followed: &FollowedLog) -> Vec<Endpoint> {
    let unless_in_doubt = |endpoint: Endpoint| {
        if [HEALTH_ENDPOINT, METRICS_ENDPOINT].contains(&endpoint.name()) {
            return endpoint;
        }
        let doubt = followed.doubt();
        endpoint.unless(move || Some(doubt.reason()?.to_string()))
    };
    endpoints.into_iter().map(unless_in_doubt).collect()
}

impl service::Running for Running {
    /// Completes when the copy cannot be written any more: a restart opens it again. A stream that is another
    /// one, or an event of a newer version, is for a person; the service stays and health says so.
    async fn failed(&mut self) -> String {
        let mut state = self.followed.state();
        loop {
            if let FollowerState::Stopped { why: why @ FollowerStop::Sink { .. } } =
                &*state.borrow_and_update()
            {
                return why.to_string();
            }
            if state.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Answers what was asked, lets the fold finish its page and write a snapshot, and closes the copy.
    async fn stop(self, grace: Duration) {
        self.watching.abort();
        self.served.stop(grace / 3).await;
        stop_fold(self.fold).await;
        self.followed.stop(grace / 3).await;
    }
}

async fn stop_fold(fold: Fold) {
    if tokio::task::spawn_blocking(move || fold.stop()).await.is_err() {
        tracing::error!("The fold did not stop in order");
    }
}

#[cfg(test)]
mod tests;
