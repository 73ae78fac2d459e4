//! A witness: it follows logs, and cosigns each checkpoint that continues the last one it saw.
//!
//! One that anybody may run, on a machine of their own, with nothing but a log's public keys and its address: it
//! keeps one checkpoint for each log, needs no bus, and believes nobody's word. It speaks
//! [C2SP tlog-witness](https://c2sp.org/tlog-witness). What it guarantees is one sentence: **it never cosigns two
//! checkpoints of a log of which neither continues the other, nor a smaller one after a larger one.**
//!
//! | file | what is in it |
//! |---|---|
//! | `decision` | whether a checkpoint is cosigned: a function of what is remembered, the request and the time |
//! | `record`, `folder`, `store` | what is remembered of a log, and how it gets onto the disk before the signature |
//! | `findings` | signed proof that a log misbehaved, kept and never overwritten |
//! | `watched_log`, `witness` | the logs, each taken by one request at a time |
//! | `comparison`, `source`, `follow` | looking at a log by its address, and proving consistency from its tiles |
//! | `edge`, `problem`, `standing` | what is answered over HTTP |

mod clock;
mod comparison;
mod config;
mod decision;
mod edge;
mod findings;
mod folder;
mod follow;
mod key_file;
mod problem;
mod record;
mod running;
mod source;
mod standing;
mod store;
mod watched_log;
mod witness;

#[cfg(test)]
#[path = "../tests/witness/made_log.rs"]
mod made_log;
#[cfg(test)]
mod properties;

pub use clock::Clock;
pub use config::{Config, LogConfig, WrongConfig};
pub use decision::Refused;
pub use folder::{FolderError, SaveError};
pub use key_file::{KEY_NAME, KeyFileError, VKEY_NAME, make_key, read_key};
pub use record::{Damaged, Record};
pub use running::{Running, StartError, check, start};
pub use store::{Store, StoreError};
pub use witness::Witness;
