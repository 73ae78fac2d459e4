//! The connection to nats-server: opened once, kept for ever, its ups and downs told to whoever waits.

use crate::names;
use crate::request::{ReplyDesk, RequestError};
use async_nats::jetstream;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerError};
use bytes::Bytes;
use events::PlanId;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// How long the first connection is tried for before [`Bus::connect`] gives up.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// The longest pause between two attempts to reconnect; attempts never end.
pub const RECONNECT_PAUSE_LIMIT: Duration = Duration::from_secs(1);
/// How many commands wait for the connection; further ones make their senders wait.
const COMMANDS_LIMIT: usize = 1024;
/// How many messages one subscription holds; further ones are dropped and reported as a slow consumer.
const SUBSCRIPTION_LIMIT: usize = 8192;
/// How long an answer of JetStream is waited for.
pub(crate) const JETSTREAM_TIMEOUT: Duration = Duration::from_secs(3);
const PING_INTERVAL: Duration = Duration::from_secs(5);
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);

/// How to reach nats-server.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusConfig {
    /// Where it listens, such as `nats://127.0.0.1:4222`.
    pub url: String,
    /// The user, which is the service's name where planwatch wrote the server's configuration.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// What the server calls this connection in its own reports.
    pub name: String,
}

impl fmt::Debug for BusConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusConfig")
            .field("url", &self.url)
            .field("user", &self.user)
            .field("password", &"(hidden)")
            .field("name", &self.name)
            .finish()
    }
}

/// Why no connection came about.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The address cannot be read.
    #[error("`{url}` is no address of a nats-server; write it as nats://127.0.0.1:4222")]
    Url {
        /// What was given.
        url: String,
    },
    /// The server does not take this user and password.
    #[error("nats-server at {url} refuses user `{user}`; compare user and password with its configuration")]
    Refused {
        /// Where.
        url: String,
        /// Who.
        user: String,
    },
    /// Nothing answered in time. Trying again later may help.
    #[error("no nats-server answers at {url}; start it, or correct the address")]
    Unreachable {
        /// Where.
        url: String,
        /// The last failure.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The connection was lost again at once. Trying again may help.
    #[error("the connection to nats-server at {url} was lost while it was being set up")]
    Lost {
        /// Where.
        url: String,
    },
}

/// The state of the connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link {
    /// Whether it stands.
    pub connected: bool,
    /// How often it has come up; a changed number means that everything in flight was lost.
    pub epoch: u64,
}

/// A connection to nats-server; clones share it. It reconnects for ever and closes with the last clone.
#[derive(Clone)]
pub struct Bus {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    jetstream: jetstream::Context,
    link: watch::Receiver<Link>,
    desk: Arc<ReplyDesk>,
    dispatcher: AbortHandle,
    user: String,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The dispatcher's subscription would keep the connection open for ever.
        self.dispatcher.abort();
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("user", &self.shared.user).field("link", &self.link_now()).finish()
    }
}

impl Bus {
    /// Connects, trying for [`CONNECT_PATIENCE`]; once connected, a lost connection is restored without end.
    pub async fn connect(config: &BusConfig) -> Result<Bus, ConnectError> {
        let (link_sender, mut link) = watch::channel(Link::default());
        let link_sender = Arc::new(link_sender);
        let deadline = Instant::now() + CONNECT_PATIENCE;
        let client = loop {
            let error = match options(config, Arc::clone(&link_sender)).connect(config.url.as_str()).await {
                Ok(client) => break client,
                Err(error) => error,
            };
            match error.kind() {
                ConnectErrorKind::ServerParse => return Err(ConnectError::Url { url: config.url.clone() }),
                ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                    return Err(ConnectError::Refused { url: config.url.clone(), user: config.user.clone() });
                }
                _ if Instant::now() >= deadline => {
                    return Err(ConnectError::Unreachable { url: config.url.clone(), source: error });
                }
                _ => tokio::time::sleep(ATTEMPT_PAUSE).await,
            }
        };
        drop(link_sender);
        let lost = || ConnectError::Lost { url: config.url.clone() };
        match tokio::time::timeout(CONNECT_PATIENCE, link.wait_for(|link| link.connected)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return Err(lost()),
        }
        let jetstream =
            jetstream::context::ContextBuilder::new().timeout(JETSTREAM_TIMEOUT).build(client.clone());
        let (desk, dispatcher) = ReplyDesk::open(&client).await.map_err(|_| lost())?;
        let user = config.user.clone();
        Ok(Bus { shared: Arc::new(Shared { client, jetstream, link, desk, dispatcher, user }) })
    }

    /// Watches the connection come and go.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.shared.link.clone()
    }

    /// The state of the connection now.
    pub fn link_now(&self) -> Link {
        *self.shared.link.borrow()
    }

    /// The user of this connection.
    pub fn user(&self) -> &str {
        &self.shared.user
    }

    /// Publishes the log's signed checkpoint, for followers to compare their own root with. Nobody keeps it.
    pub async fn publish_checkpoint(&self, plan: &PlanId, note: Bytes) -> Result<(), RequestError> {
        let published = self.client().publish(names::checkpoint(plan), note).await;
        published.map_err(|_| RequestError::Disconnected)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.shared.client
    }

    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        &self.shared.jetstream
    }

    pub(crate) fn desk(&self) -> &Arc<ReplyDesk> {
        &self.shared.desk
    }

    /// Waits until connected and gives the epoch of that connection; `None` once the connection is closed.
    pub(crate) async fn connected(&self) -> Option<u64> {
        self.link().wait_for(|link| link.connected).await.ok().map(|link| link.epoch)
    }

    /// Waits until the connection of this epoch is gone.
    pub(crate) async fn gone(&self, epoch: u64) {
        // A closed channel means that the connection is closed for good, which is gone as well.
        let _ = self.link().wait_for(|link| !link.connected || link.epoch != epoch).await;
    }
}

fn options(config: &BusConfig, link: Arc<watch::Sender<Link>>) -> ConnectOptions {
    let user = config.user.clone();
    ConnectOptions::with_user_and_password(config.user.clone(), config.password.clone())
        .name(&config.name)
        .custom_inbox_prefix(names::inbox_prefix(&config.user))
        .client_capacity(COMMANDS_LIMIT)
        .subscription_capacity(SUBSCRIPTION_LIMIT)
        .ping_interval(PING_INTERVAL)
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| {
            let pause_ms = 20_u64.saturating_mul(1 << attempts.min(10));
            Duration::from_millis(pause_ms).min(RECONNECT_PAUSE_LIMIT)
        })
        .event_callback(move |event| {
            tell(&event, &user, &link);
            std::future::ready(())
        })
}

fn tell(event: &Event, user: &str, link: &watch::Sender<Link>) {
    match event {
        Event::Connected => {
            tracing::info!(bus.user = user, "Connected to nats-server");
            link.send_modify(|link| *link = Link { connected: true, epoch: link.epoch + 1 });
        }
        Event::Disconnected => {
            tracing::warn!(bus.user = user, "Lost nats-server; reconnecting until it answers");
            link.send_modify(|link| link.connected = false);
        }
        Event::Closed => {
            tracing::info!(bus.user = user, "Closed the connection to nats-server");
            link.send_modify(|link| link.connected = false);
        }
        Event::LameDuckMode | Event::Draining => {
            tracing::info!(bus.user = user, "nats-server is about to close: {event}");
        }
        Event::SlowConsumer(_) => {
            tracing::warn!(bus.user = user, "Messages were dropped because they were not taken in time");
        }
        Event::ServerError(ServerError::AuthorizationViolation) => {
            tracing::error!(bus.user = user, "nats-server refuses this user or its password");
        }
        // The server tells a permissions violation in this way: a configuration or a program is wrong.
        Event::ServerError(error) => tracing::error!(bus.user = user, "nats-server reports: {error}"),
        Event::ClientError(error) => tracing::warn!(bus.user = user, "The connection reports: {error}"),
    }
}
