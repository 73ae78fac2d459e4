//! A whole system under test: started, used, broken, started again, and gone afterwards.

mod audit;
mod http;
mod load;
mod process;
mod require;
mod system;
mod wait;

pub use audit::{Logged, audit, audit_events, audit_stopped, events, log_folder, stopped_log};
pub use http::{Answer, Http};
pub use load::{Acknowledged, Failed, Load, report, send, today};
pub use process::{end, is_alive, kill, signal};
pub use require::{nats_server, planwatch};
pub use system::{Options, Ready, SERVICES, System};
pub use wait::{PATIENCE, until, until_some};
