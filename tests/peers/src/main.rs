//! The same load for our log, for its peers and for a plain file, side by side.
//!
//! # What it measures
//!
//! Our log (`event-log`: journal, group commit, sled behind it) against `tephra` 0.4.1 and `umadb-core` 0.7.8
//! (both in this process), JetStream with its default synchronisation and with `sync_interval: always` (a real
//! nats-server, found as `planwatch up` finds it, started privately and ended again), and a plain file that one
//! thread appends to with one `fdatasync` for everything that waits: the ceiling.
//!
//! | workload | what it is |
//! |---|---|
//! | `append-256x1` | 256 writers at once, one event in each request, each waits until it is durable |
//! | `append-1x1` | one writer, one event in each request |
//! | `append-1000x1`, `append-1000x4` | 1,000 events in each request, all or none; 1 and 4 writers |
//! | `replay` | everything read back in order, as stored bytes |
//! | `replay-fold` | the same, decoded from JSON and folded into `indicators::Facts` |
//! | `start` | opened until the last position is known |
//!
//! With each append stand the bytes on disk per event after closing (every copy and index, once ours has compacted its
//! full journal files; the last file, of up to 64 MiB, is as it was written) and the resident
//! memory; with JetStream that of its server, too. Every measurement is a process of its own on a directory of
//! its own; rounds are interleaved (each round goes through all systems, beginning with another one); figures
//! are medians with the lowest and the highest. Beside them stands what the disk itself does: 4 KiB appended
//! and `fdatasync`ed, one after the other, measured again in every round. Files that are read back were written
//! just before: they come from the page cache, for everyone.
//!
//! All systems get the same bytes: made-up reports as our log writes them (`small`: the smallest valid report,
//! 524 bytes; `real`: all rates of a district with sources, about 2 KB). Peers get the bytes ready made, ours
//! gets the event and writes the JSON inside the measured time. With `--size 300` the peers get 300 bytes; an
//! event of ours is never that small, so ours then still takes its smallest report.
//!
//! What durability each one ran with is printed above the table.
//!
//! # How to run it
//!
//! ```text
//! cargo run --release --manifest-path tests/peers/Cargo.toml -- --help
//! cargo run --release --manifest-path tests/peers/Cargo.toml                  # five rounds, small: some 10 minutes
//! cargo run --release --manifest-path tests/peers/Cargo.toml -- --size real --json
//! cargo run --release --manifest-path tests/peers/Cargo.toml -- disk          # ways to make a write durable
//! ```
//!
//! It has a workspace and a lockfile of its own; nothing else in this repository builds the peers. It says at
//! the start how much time and disk it may take and refuses to begin where there is too little room. The disk
//! is the one that `--scratch` lies on; a directory in memory measures nothing.

mod arguments;
mod bounds;
mod child;
mod disk;
mod disk_ways;
mod drive;
mod figures;
mod payload;
mod process;
mod rounds;
mod scratch;
mod system;
mod systems;
mod table;
mod workload;

use arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        None => rounds::run(&arguments.load),
        Some(Command::Disk(disk)) => disk_ways::run(disk),
        Some(Command::Measure(measure)) => child::run(measure),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::complain(&format!("peers: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
