//! Starting and stopping a witness.

use crate::clock::Clock;
use crate::config::{Config, WrongConfig};
use crate::edge::{Edge, router};
use crate::follow::follow;
use crate::key_file::{KeyFileError, read_key};
use crate::store::{Store, StoreError};
use crate::witness::Witness;
use evidence::SigningKey;
use service::{HttpServer, ListenError, Listening, Metrics};
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

/// Why a witness did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration does not go together.
    #[error("the configuration is wrong")]
    Config(#[from] WrongConfig),
    /// Its key cannot be used.
    #[error("the witness has no key to sign with")]
    Key(#[from] KeyFileError),
    /// Its directory cannot be used.
    #[error("the witness cannot remember anything")]
    Store(#[from] StoreError),
    /// The address cannot be listened on, or not be told.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// A witness that listens and follows.
#[derive(Debug)]
pub struct Running {
    server: HttpServer,
}

/// Says whether a witness could start with a configuration, without taking its directory.
pub fn check(config: &Config) -> Result<(), StartError> {
    checked(config).map(drop)
}

/// The key of a configuration with which a witness can start.
fn checked(config: &Config) -> Result<SigningKey, StartError> {
    config.check()?;
    let key = read_key(&config.data)?;
    match config.logs.iter().find(|log| log.origin() == key.name().as_str()) {
        Some(log) => Err(WrongConfig::NamedLikeLog(log.origin().to_owned()).into()),
        None => Ok(key),
    }
}

/// Takes the directory, listens, and follows; an error leaves nothing behind.
pub async fn start(config: Config, metrics: Metrics) -> Result<Running, StartError> {
    let key = checked(&config)?;
    let store = Store::open(&config.data)?;
    let witness = Arc::new(Witness::new(key, store, &config.logs, Clock::system()));
    let listening = Listening::on(config.listen).await?;
    let address = listening.address();
    tracing::info!("The witness `{}` listens on http://{address}", witness.verifier());
    let (closing, closed) = watch::channel(false);
    for log in &config.logs {
        let Some((base, interval)) = log.follow() else { continue };
        let (origin, base) = (log.origin().to_owned(), base.to_owned());
        tokio::spawn(follow(witness.clone(), origin, base, interval, closed.clone()));
    }
    let router = router(Edge::new(witness, metrics));
    let mut until_closed = closed;
    let server = listening.serve(config.ready_file, closing, |socket| {
        let door = async move {
            // A sender that is gone means the same as one that says so.
            let _ = until_closed.wait_for(|closing| *closing).await;
        };
        axum::serve(socket, router).with_graceful_shutdown(door).into_future()
    })?;
    Ok(Running { server })
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

impl service::Running for Running {
    async fn failed(&mut self) -> String {
        self.server.failed().await
    }

    /// Stops listening and following, finishes what is being answered, and returns within the grace.
    async fn stop(self, grace: Duration) {
        self.server.stop(grace).await;
    }
}
