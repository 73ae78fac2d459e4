//! The time between start and stop: signals, the grace, and how a service ended.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long a service may take to finish what it took in, unless its caller says otherwise.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// The exit code of a process that a second signal ended at once.
const FORCED_EXIT: i32 = 1;

/// A service that has started.
pub trait Running: Send {
    /// Completes when the service cannot go on by itself, with the reason; most never do.
    fn failed(&mut self) -> impl Future<Output = String> + Send {
        std::future::pending()
    }

    /// Closes the door, finishes what was taken in, and returns within the grace.
    fn stop(self, grace: Duration) -> impl Future<Output = ()> + Send;
}

/// How a service ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to and did.
    Stopped,
    /// It was asked to and was cut off when the grace was over.
    CutOff,
    /// It could not go on.
    Failed {
        /// Why.
        why: String,
    },
}

/// Runs a started service until SIGTERM, SIGINT or its own failure, then stops it within the grace.
///
/// A second signal ends the process at once: what was acknowledged is durable.
pub async fn run<R: Running>(name: &str, mut running: R, grace: Duration) -> std::io::Result<Ended> {
    let mut signals = StopSignals::new()?;
    let failure = tokio::select! {
        received = signals.next() => {
            tracing::info!(service = name, "Stopping `{name}` because of {received}");
            None
        }
        why = running.failed() => {
            tracing::error!(service = name, "`{name}` cannot go on: {why}");
            Some(why)
        }
    };
    let stopped = tokio::select! {
        stopped = tokio::time::timeout(grace, running.stop(grace)) => stopped.is_ok(),
        again = signals.next() => exit_at_once(name, again),
    };
    Ok(match (failure, stopped) {
        (Some(why), _) => Ended::Failed { why },
        (None, true) => {
            tracing::info!(service = name, "Stopped `{name}`");
            Ended::Stopped
        }
        (None, false) => {
            tracing::warn!(service = name, "Cut `{name}` off: it did not stop within {grace:?}");
            Ended::CutOff
        }
    })
}

fn exit_at_once(name: &str, received: impl Display) -> ! {
    tracing::warn!(service = name, "Ending `{name}` at once because of a second signal, {received}");
    std::process::exit(FORCED_EXIT)
}

/// The signals that ask a process to stop.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Listens from now on; needs a tokio runtime.
    pub fn new() -> std::io::Result<StopSignals> {
        Ok(StopSignals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one and names it.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing;

    impl Running for Failing {
        async fn failed(&mut self) -> String {
            "the disk is gone".into()
        }
        async fn stop(self, _grace: Duration) {}
    }

    #[tokio::test]
    async fn a_service_that_fails_by_itself_ends_with_the_reason() {
        let ended = run("failing", Failing, DEFAULT_GRACE).await.unwrap();
        assert_eq!(ended, Ended::Failed { why: "the disk is gone".into() });
    }
}
