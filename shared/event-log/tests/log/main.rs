//! The log from outside: what it promises, on memory and on disk, whole and damaged.

#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing has failed, which is the point")]

mod against;
mod ahead;
mod bundle;
mod committer;
mod compaction;
mod contract;
mod damage;
mod evidence;
mod faults;
mod from_journal;
mod ids;
mod properties;
mod support;
mod verify;
