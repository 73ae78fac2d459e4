//! What may be said on the command line.

use crate::payload::Size;
use crate::system::System;
use crate::workload::Workload;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The same load for our log, for its peers and for a plain file.
#[derive(Debug, Parser)]
#[command(name = "peers", args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) load: Load,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What is measured, how often and for how long.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// How large each event is
    #[arg(long, value_enum, default_value_t = Size::Small)]
    pub(crate) size: Size,
    /// How many rounds through all systems
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// How long each append is measured
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// How many events are read back and started with
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..=20_000_000))]
    pub(crate) events: u64,
    /// Only these systems
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) systems: Vec<System>,
    /// Only these workloads
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) workloads: Vec<Workload>,
    /// A directory on the disk that is measured; what is made in it is removed again
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ways to make a write durable, and how fast this disk is with each
    Disk(Disk),
    /// One measurement, in the process that asks for it
    #[command(hide = true)]
    Measure(Measure),
}

/// The disk alone.
#[derive(Debug, Args)]
pub(crate) struct Disk {
    /// How long each way is measured
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) seconds: u32,
    /// How many rounds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// How many bytes each write has
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub(crate) bytes: u32,
    /// A directory on the disk that is measured
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
}

/// One measurement.
#[derive(Debug, Args)]
pub(crate) struct Measure {
    #[arg(long, value_enum)]
    pub(crate) system: System,
    #[arg(long, value_enum)]
    pub(crate) workload: Workload,
    #[arg(long, value_enum)]
    pub(crate) size: Size,
    #[arg(long)]
    pub(crate) seconds: u32,
    #[arg(long)]
    pub(crate) events: u64,
    /// The system's directory
    #[arg(long)]
    pub(crate) directory: PathBuf,
    /// Where the figures are written: peers write to standard output as they like
    #[arg(long)]
    pub(crate) result: PathBuf,
}
