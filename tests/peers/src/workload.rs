//! What is done to a system.

use clap::ValueEnum;

/// What is done to a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Workload {
    /// 256 writers, one event in each request
    #[value(name = "append-256x1")]
    Append256x1,
    /// One writer, one event in each request
    #[value(name = "append-1x1")]
    Append1x1,
    /// One writer, 1,000 events in each request
    #[value(name = "append-1000x1")]
    Append1000x1,
    /// Four writers, 1,000 events in each request
    #[value(name = "append-1000x4")]
    Append1000x4,
    /// Everything read back in order
    Replay,
    /// Everything read back, decoded and folded
    ReplayFold,
    /// Opened until the last position is known
    Start,
    /// What is read back later is written: not measured but for its size on disk
    #[value(hide = true)]
    Fill,
}

/// Writers and events in each of their requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) writers: usize,
    pub(crate) request: u64,
}

impl Workload {
    /// All that are measured, in the order of the table.
    pub(crate) const MEASURED: [Workload; 7] = [
        Workload::Append256x1,
        Workload::Append1x1,
        Workload::Append1000x1,
        Workload::Append1000x4,
        Workload::Replay,
        Workload::ReplayFold,
        Workload::Start,
    ];

    pub(crate) fn name(self) -> String {
        match self.to_possible_value() {
            Some(value) => value.get_name().to_owned(),
            None => "fill".to_owned(),
        }
    }

    /// Its writers; none where it only reads.
    pub(crate) fn shape(self) -> Option<Shape> {
        match self {
            Workload::Append256x1 => Some(Shape { writers: 256, request: 1 }),
            Workload::Append1x1 => Some(Shape { writers: 1, request: 1 }),
            Workload::Append1000x1 | Workload::Fill => Some(Shape { writers: 1, request: 1_000 }),
            Workload::Append1000x4 => Some(Shape { writers: 4, request: 1_000 }),
            Workload::Replay | Workload::ReplayFold | Workload::Start => None,
        }
    }
}
