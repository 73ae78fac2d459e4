//! A whole system under test: started, used, broken, started again, and gone afterwards.

mod audit;
mod clocks;
mod http;
mod load;
mod numbered;
mod power;
mod preload;
mod process;
mod require;
mod singly;
mod sse;
mod stranger;
mod system;
mod wait;
mod webdriver;
mod wire;

pub use audit::{Logged, audit, audit_events, audit_stopped, events, log_folder, open_stopped, stopped_log};
pub use bus::testing::{missing, nats_server};
pub use clocks::Clocks;
pub use http::{Answer, Http};
pub use load::{Acknowledged, Failed, Load, report, send, today};
pub use numbered::{digest, numbered_event, numbered_plan};
pub use power::{
    Chance, Disk, Medium, Record, Recorder, Remains, Trace, What, is_repeating, mark, quick_folder, seed,
};
pub use process::{end, is_alive, kill, signal};
pub use require::planwatch;
pub use singly::Program;
pub use sse::{EventStream, SentEvent};
pub use stranger::{Delivered, Stranger};
pub use system::{Options, Ready, SERVICES, System};
pub use wait::{PATIENCE, until, until_some};
pub use webdriver::{Browser, Scripts, browser_is_here};
pub use wire::{WireAnswer, exchange};
