//! Starting and stopping a witness.

use crate::clock::Clock;
use crate::config::{Config, WrongConfig};
use crate::durable::replace;
use crate::edge::{Edge, router};
use crate::follow::follow;
use crate::key_file::{KeyFileError, read_key};
use crate::store::{Store, StoreError};
use crate::witness::Witness;
use evidence::SigningKey;
use service::Metrics;
use service::listener::BoundedListener;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

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
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: stop what listens there, or choose another address with `listen`")]
    Bind {
        /// Which address.
        listen: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The bound address cannot be written down.
    #[error("cannot write the address into `{}`: check that its folder is there and writable", file.display())]
    ReadyFile {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A witness that listens and follows.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    closing: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
    ready_file: Option<PathBuf>,
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
    let listen = config.listen;
    let socket = TcpListener::bind(listen).await.map_err(|source| StartError::Bind { listen, source })?;
    let address = socket.local_addr().map_err(|source| StartError::Bind { listen, source })?;
    if let Some(file) = &config.ready_file {
        replace(file, format!("{address}\n").as_bytes())
            .map_err(|source| StartError::ReadyFile { file: file.clone(), source })?;
    }
    tracing::info!("The witness `{}` listens on http://{address}", witness.verifier());
    let (closing, closed) = watch::channel(false);
    for log in &config.logs {
        let Some((base, interval)) = log.follow() else { continue };
        let (origin, base) = (log.origin().to_owned(), base.to_owned());
        tokio::spawn(follow(witness.clone(), origin, base, interval, closed.clone()));
    }
    let router = router(Edge::new(witness, metrics));
    let mut until_closed = closed;
    let server = axum::serve(BoundedListener::new(socket), router).with_graceful_shutdown(async move {
        // A sender that is gone means the same as one that says so.
        let _ = until_closed.wait_for(|closing| *closing).await;
    });
    let server = tokio::spawn(async move { server.await });
    Ok(Running { address, closing, server, ready_file: config.ready_file })
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl service::Running for Running {
    async fn failed(&mut self) -> String {
        match (&mut self.server).await {
            Ok(Ok(())) => "the server ended by itself".to_owned(),
            Ok(Err(error)) => format!("the server ended: {error}"),
            Err(error) => format!("the server ended: {error}"),
        }
    }

    /// Stops listening and following, finishes what is being answered, and returns within the grace.
    async fn stop(mut self, grace: Duration) {
        // Nobody listens to the channel only when the server has ended already.
        let _ = self.closing.send(true);
        if let Some(file) = &self.ready_file {
            // It may be gone already; a next start writes it anew.
            let _ = tokio::fs::remove_file(file).await;
        }
        if self.server.is_finished() {
            return;
        }
        if tokio::time::timeout(grace, &mut self.server).await.is_err() {
            tracing::warn!("Cut off the requests that were still being answered after {grace:?}");
            self.server.abort();
        }
    }
}
