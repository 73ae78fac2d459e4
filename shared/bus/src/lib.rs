//! The message bus: stream, mirror, follower, request and reply over NATS.
//!
//! The log is the truth; the bus spreads it. [`Mirror`] copies each durable event of a log into a JetStream
//! stream whose sequence is the log position, [`Follower`] copies the stream into a log of its own, [`Tail`]
//! shows it to a reader who keeps nothing. Services answer each other over [`Bus::request`] and
//! [`Bus::serve`]. [`server`] finds and starts the private nats-server, with one user for each service;
//! [`testing`] gives it to tests.
//!
//! This is the only crate that names async-nats. It knows nothing of how a log is kept: [`LogSource`] and
//! [`CopySink`] stand between.

mod chunks;
mod connection;
mod feed;
mod follower;
mod log_read;
mod mirror;
pub mod names;
mod request;
mod serve;
pub mod server;
mod stored;
mod stream;
mod tail;
pub mod testing;

pub use connection::{Bus, BusConfig, CONNECT_PATIENCE, ConnectError, Link, RECONNECT_PAUSE_LIMIT};
pub use follower::{CopySink, Follower, FollowerHandle, FollowerState, FollowerStop, SinkError};
pub use log_read::{LOG_READ_BYTES_LIMIT, LOG_READ_EVENTS_LIMIT, LogRead, log_read_endpoint};
pub use mirror::{FORK_RECHECK, ForkReason, LogSource, LogSourceError, Mirror, MirrorHandle, MirrorState};
pub use request::{RequestError, RequestHeaders};
pub use serve::{
    BUDGET_LIMIT, DEFAULT_BUDGET, Endpoint, RequestContext, ServeError, ServiceError, ServiceHandle,
};
pub use stored::StoredEvent;
pub use stream::{DUPLICATE_WINDOW, StreamError};
pub use tail::Tail;
