//! Starting and stopping the console.

use crate::access::host::Hosts;
use crate::access::{Access, TokenError};
use crate::backend::Backend;
use crate::bus_backend::BusBackend;
use crate::edge::{Edge, router};
use bus::{Bus, BusConfig, ConnectError};
use events::PlanId;
use serde::Deserialize;
use service::listener::Peer;
use service::{HttpServer, ListenError, Listening, Metrics};
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

/// What the console needs to know.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The plan that is watched.
    pub plan: PlanId,
    /// Where to listen; port 0 takes a free one. Anything but loopback is reachable from other machines.
    pub listen: SocketAddr,
    /// How to reach the other services.
    pub bus: BusConfig,
    /// The file that holds the operator's token.
    pub token_file: PathBuf,
    /// The file that holds the code of the one-time sign-in link while it has not been used.
    pub sign_in_code_file: PathBuf,
    /// The file into which the bound address is written once the console listens.
    #[serde(default)]
    pub ready_file: Option<PathBuf>,
    /// Further host names that are answered, such as the one of a proxy in front. A proxy for HTTPS runs on this
    /// machine and sets `X-Forwarded-Proto`, so that cookies are marked for HTTPS only.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
}

impl Config {
    /// Makes relative paths relative to the folder of the configuration's own file.
    pub fn resolve(&mut self, file: &Path) {
        service::config::resolve(file, &mut self.token_file);
        service::config::resolve(file, &mut self.sign_in_code_file);
        if let Some(ready_file) = &mut self.ready_file {
            service::config::resolve(file, ready_file);
        }
    }
}

/// Why the console did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The operator's token is of no use.
    #[error("nobody could sign in")]
    Token(#[from] TokenError),
    /// The bus cannot be reached. Trying again later may help.
    #[error("cannot reach the other services")]
    Bus(#[from] ConnectError),
    /// The address cannot be listened on, or not be told.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// A console that listens.
#[derive(Debug)]
pub struct Running {
    server: HttpServer,
}

/// Connects to the bus, binds and listens; an error leaves nothing behind.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let access = access_of(&config)?;
    let bus = Bus::connect(&config.bus).await?;
    let backend = Arc::new(BusBackend::new(bus, config.plan.clone()));
    listen(config, access, backend).await
}

/// As [`start`], with something else behind the edge than the bus.
pub async fn start_with(config: Config, backend: Arc<dyn Backend>) -> Result<Running, StartError> {
    let access = access_of(&config)?;
    listen(config, access, backend).await
}

fn access_of(config: &Config) -> Result<Access, TokenError> {
    let hosts = Hosts::of(config.listen, &config.allowed_hosts);
    Access::new(&config.token_file, &config.sign_in_code_file, hosts)
}

async fn listen(config: Config, access: Access, backend: Arc<dyn Backend>) -> Result<Running, StartError> {
    let listening = Listening::on(config.listen).await?;
    let address = listening.address();
    // A process has one recorder; where several consoles share it, as in tests, each renders its own.
    let metrics = Metrics::install().unwrap_or_else(|_| Metrics::detached());
    let (closing, closed) = watch::channel(false);
    let edge = Edge::new(backend, access, metrics, closed);
    let door = edge.closed();
    let service = router(edge).into_make_service_with_connect_info::<Peer>();
    let server = listening.serve(config.ready_file, closing, |socket| {
        axum::serve(socket, service).with_graceful_shutdown(door).into_future()
    })?;
    tracing::info!(address = %address, plan = %config.plan, "The console listens on http://{address}");
    Ok(Running { server })
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Stops listening, ends the streams, finishes what is being answered, and returns within the grace.
    pub async fn stop(self, grace: Duration) {
        self.server.stop(grace).await;
    }
}

impl service::Running for Running {
    async fn failed(&mut self) -> String {
        self.server.failed().await
    }

    async fn stop(self, grace: Duration) {
        Running::stop(self, grace).await;
    }
}
