//! A whole system under test: started, used, broken, started again, and gone afterwards.

mod http;
mod process;
mod require;
mod system;
mod wait;

pub use http::{Answer, Http};
pub use process::{end, is_alive, kill, signal};
pub use require::{nats_server, planwatch};
pub use system::{Options, Ready, SERVICES, System};
pub use wait::{PATIENCE, until, until_some};
