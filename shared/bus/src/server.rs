//! The private nats-server: finding a binary, writing its configuration, running one.
//!
//! `planwatch up` supervises the process itself: it uses [`find_server`], [`ServerConfig::write`],
//! [`ServerBinary::arguments`] and [`await_ready`]. [`PrivateServer`] does all of it for tests and tools.

mod config;
mod find;
mod permissions;
mod private;

pub use config::{ServerConfig, ServerConfigError, ServerUser};
pub use find::{FindServerError, MINIMUM_VERSION, SERVER_VARIABLE, ServerBinary, ServerVersion, find_server};
pub use permissions::Role;
pub use private::{PrivateServer, READY_PATIENCE, StartServerError, await_ready};
