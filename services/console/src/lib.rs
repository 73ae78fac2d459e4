//! The console: the HTTP edge of an installation; API, page and sign-in.
//!
//! It holds no state of its own. A command becomes a request to ingestion, a question a request to the
//! projection, both over the bus ([`backend`]); what comes back becomes JSON ([`api`]), a page ([`pages`])
//! or a stream of server-sent events ([`stream`]). Everything that is not done is told as a problem
//! document ([`problem`]). Who may come in is said in [`access`], what stands around every request in
//! [`edge`].

pub mod access;
pub mod api;
pub mod assets;
pub mod backend;
pub mod body;
pub mod bus_backend;
pub mod edge;
pub mod exposition;
pub mod health;
pub mod pages;
pub mod parameters;
pub mod problem;
pub mod running;
pub mod stream;

pub use running::{Config, Running, StartError, start, start_with};
