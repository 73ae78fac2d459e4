//! The subcommands, one module each.

pub mod alerts;
pub mod backup;
pub mod baseline;
pub mod bench;
pub mod check;
pub mod clock;
pub mod deadline;
pub mod diff;
pub mod explain;
pub mod findings;
pub mod key;
pub mod log;
pub mod plan;
pub mod prepare;
mod question;
mod recording;
pub mod replay;
pub mod report;
pub mod restore;
pub mod review;
pub mod serve;
pub mod status;
pub mod supervised_exec;
pub mod target;
pub mod unit;
pub mod up;
pub mod witness;
