//! What running means for a service: configuration, start, stop, signals, tracing, health and metrics.
//!
//! A service is a library with a `Config` and a `start(config)`. This crate holds what all of them need
//! around it: [`config::read`] for the file, [`logging::start`] for what is said on standard error,
//! [`lifetime`] so that nothing outlives its supervisor, [`run`] for the time between start and stop,
//! [`http_server`] and its bounded [`listener`] for those that are reached over HTTP, [`durable`] for their files,
//! [`Health`], [`Metrics`] and their endpoints ([`standing`]) for who looks from outside, [`JournalSource`] for the
//! bus to read the log, and [`FollowedLog`] for the services that keep a copy of it, which [`RootCheck`] holds
//! against the log's signed checkpoints.

pub mod chain;
pub mod config;
pub mod durable;
pub mod exposition;
pub mod followed_log;
pub mod health;
pub mod http_server;
pub mod journal_source;
pub mod lifetime;
pub mod listener;
pub mod logging;
pub mod root_check;
pub mod running;
pub mod standing;

pub use chain::chain;
pub use config::ConfigError;
pub use exposition::{Metrics, MetricsError};
pub use followed_log::{FollowError, FollowedLog};
pub use health::{Check, CheckReport, Health, HealthReport, State};
pub use http_server::{HttpServer, ListenError, Listening};
pub use journal_source::JournalSource;
pub use root_check::{Doubt, RootCheck};
pub use running::{DEFAULT_GRACE, Ended, Running, run};
pub use standing::{MetricsAnswer, health_endpoint, metrics_endpoint};
