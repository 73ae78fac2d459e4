//! The systems that are measured, and what each one promises when it answers.

use crate::payload::Size;
use crate::workload::Workload;
use clap::ValueEnum;

/// A system that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum System {
    /// Our log
    Ours,
    /// Our log with its index in memory: what sled costs; only where it is asked for
    OursMemory,
    /// tephra 0.4.1
    Tephra,
    /// umadb-core 0.7.8
    Umadb,
    /// JetStream as it comes
    Jetstream,
    /// JetStream with `sync_interval: always`
    JetstreamAlways,
    /// A plain file with fdatasync
    Raw,
    /// The same with every request handed to the writing thread, also that of a single writer
    RawQueued,
}

impl System {
    /// What is measured where nothing else is asked for.
    pub(crate) const ALL: [System; 7] = [
        System::Ours,
        System::Tephra,
        System::Umadb,
        System::Jetstream,
        System::JetstreamAlways,
        System::Raw,
        System::RawQueued,
    ];

    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What it did before it answered, and how it ran.
    pub(crate) fn durability(self) -> &'static str {
        match self {
            System::Ours => {
                "Committer, default limits: one frame (CRC32C, zstd 1) and one fdatasync of the journal before the \
                 answer; sled follows and is synchronised behind it; ids are unique and indexed; JSON is written \
                 inside the measured time"
            }
            System::OursMemory => {
                "the same without sled: the index is in memory and read from the journal at the start"
            }
            System::Tephra => {
                "WriteHandle::append_async, default WriterConfig, segments of 256 MiB (fallocated) as in its README: \
                 group commit, one fdatasync before the answer; its index is not synchronised; one tag (the unit); \
                 bytes ready made; no compression"
            }
            System::Umadb => {
                "Mvcc with default StorageOptions and its blocking writer thread, batches up to 2,000 events as its \
                 server has them: copy-on-write pages, two fdatasyncs (pages, header) before the answer; one tag; \
                 bytes ready made; no compression"
            }
            System::Jetstream => {
                "file storage, one node, default sync_interval (2 min): a single event is answered after write(), \
                 BEFORE any fsync, and a power cut loses up to two minutes; 1,000 at once are one atomic batch, \
                 which it does fsync (seen in its system calls) before the answer; over TCP on this machine"
            }
            System::JetstreamAlways => {
                "file storage, one node, sync_interval: always: one fsync for each event before the answer, no group \
                 commit; 1,000 at once are one atomic batch; over TCP on this machine"
            }
            System::Raw => {
                "one file, length and bytes, one thread that writes all that waits with one write and one fdatasync \
                 before the answer; no checksum, no index; a single writer writes itself"
            }
            System::RawQueued => "the same, a single writer's requests go to the writing thread as well",
        }
    }

    /// Whether a workload says anything about it.
    pub(crate) fn takes(self, workload: Workload, size: Size) -> bool {
        match (self, workload) {
            // With more writers it is the same as `raw`, and so are its files.
            (System::RawQueued, workload) => workload == Workload::Append1x1,
            // Its files are those of `jetstream`.
            (System::JetstreamAlways, workload) => workload.shape().is_some() && workload != Workload::Fill,
            // It knows its head only from reading everything.
            (System::Raw, Workload::Start) => false,
            // 300 bytes of nothing cannot be folded.
            (System::Ours | System::OursMemory, Workload::ReplayFold) => true,
            (_, Workload::ReplayFold) => size != Size::Raw300,
            _ => true,
        }
    }
}
