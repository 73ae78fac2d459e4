//! The service: configuration, start, stop.

use crate::knowledge::Kept;
use crate::watch::Watch;
use bus::{Bus, BusConfig, ConnectError, ServeError, ServiceHandle};
use events::PlanId;
use serde::Deserialize;
use service::{FollowError, FollowedLog, Health, Metrics, health_endpoint, metrics_endpoint};
use snapshots::Snapshots;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The service's name: on the bus, in health, and as a follower of the stream.
const NAME: &str = "alerting";

/// What alerting needs to start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The plan that is watched.
    pub plan: PlanId,
    /// The directory of its copy of the log.
    pub data: PathBuf,
    /// How the bus is reached.
    pub bus: BusConfig,
}

/// Why alerting did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The bus is not reachable.
    #[error("cannot reach the bus")]
    Connect(#[from] ConnectError),
    /// The copy of the log did not open.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The endpoints cannot be offered.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Alerting, running.
#[derive(Debug)]
pub struct Running {
    served: ServiceHandle,
    followed: FollowedLog,
    watching: JoinHandle<Result<(), String>>,
    stop: watch::Sender<bool>,
    stopping: Arc<AtomicBool>,
}

/// Follows the stream into a log copy of its own, and decides from then on.
pub async fn start(config: Config, metrics: Metrics) -> Result<Running, StartError> {
    let directory = config.data.join("snapshots");
    let ahead = {
        let directory = directory.clone();
        tokio::task::spawn_blocking(move || Snapshots::load_ahead(&directory))
    };
    let bus = Bus::connect(&config.bus).await?;
    let health = Health::new(NAME);
    let deciding = health.check("deciding");
    let followed =
        FollowedLog::start(&bus, &config.plan, NAME, &config.data, health.check("log-copy")).await?;
    let endpoints = vec![health_endpoint(&health), metrics_endpoint(&metrics)];
    let served = bus.serve(&config.plan, NAME, env!("CARGO_PKG_VERSION"), endpoints).await?;
    let (stop, stopped) = watch::channel(false);
    let stopping = Arc::new(AtomicBool::new(false));
    let watch = Watch {
        bus,
        plan: config.plan,
        log: followed.log.clone(),
        kept: Some(Kept { directory, ahead: ahead.await.expect("loading facts does not panic") }),
        check: deciding,
        doubt: followed.doubt(),
        stop: stopped,
        stopping: Arc::clone(&stopping),
    };
    let watching = tokio::spawn(watch.run());
    Ok(Running { served, followed, watching, stop, stopping })
}

impl service::Running for Running {
    /// Completes when the log cannot be followed or folded any further.
    async fn failed(&mut self) -> String {
        tokio::select! {
            why = self.followed.failed() => why,
            ended = &mut self.watching => match ended {
                Ok(Err(why)) => why,
                Ok(Ok(())) => "the watch ended by itself".into(),
                Err(error) => error.to_string(),
            },
        }
    }

    /// Decides nothing more. A decision on its way is recorded or not; either way it is decided once.
    async fn stop(self, grace: Duration) {
        self.stopping.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
        self.served.stop(grace / 4).await;
        let watching = self.watching.abort_handle();
        if !self.watching.is_finished() && tokio::time::timeout(grace / 4, self.watching).await.is_err() {
            watching.abort();
        }
        self.followed.stop(grace / 2).await;
    }
}
