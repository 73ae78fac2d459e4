//! How much time and disk a run may take.

use crate::arguments::Load;
use crate::disk;
use crate::system::System;
use crate::table::number;
use crate::workload::Workload;
use anyhow::bail;
use std::path::Path;

/// The most bytes of events that one measured append writes; then it ends before its time.
pub(crate) const APPEND_LIMIT_BYTES: u64 = 1024 * 1024 * 1024;
/// How many times the bytes of its events a system may take on disk, all copies and indexes.
const COPIES_BOUND: u64 = 4;
/// What a system may allocate in advance.
const ADVANCE_BYTES: u64 = 512 * 1024 * 1024;
/// How long one measurement may take beyond its seconds: opening, reading, closing.
pub(crate) const MEASUREMENT_PATIENCE_SECONDS: u64 = 300;

/// What is measured in a run.
pub(crate) struct Bounds {
    pub(crate) systems: Vec<System>,
    pub(crate) workloads: Vec<Workload>,
}

impl Bounds {
    /// The systems and workloads that were asked for.
    pub(crate) fn of(load: &Load) -> Bounds {
        let systems = if load.systems.is_empty() { System::ALL.to_vec() } else { load.systems.clone() };
        let workloads =
            if load.workloads.is_empty() { Workload::MEASURED.to_vec() } else { load.workloads.clone() };
        Bounds { systems, workloads }
    }

    /// Whether anything is read back.
    pub(crate) fn reads(&self) -> bool {
        self.workloads.iter().any(|workload| workload.shape().is_none())
    }

    /// The most that lies on disk at once.
    fn disk_bytes(&self, load: &Load) -> u64 {
        let filled = if self.reads() { self.systems.len() as u64 } else { 0 };
        let fill = load.events * load.size.bytes_bound() * COPIES_BOUND + ADVANCE_BYTES;
        filled * fill + APPEND_LIMIT_BYTES * COPIES_BOUND + ADVANCE_BYTES
    }

    /// The seconds that appending takes; reading and opening come on top.
    fn append_seconds(&self, load: &Load) -> u64 {
        let appends = self.systems.iter().flat_map(|system| {
            self.workloads
                .iter()
                .filter(|workload| workload.shape().is_some() && system.takes(**workload, load.size))
        });
        appends.count() as u64 * u64::from(load.rounds) * u64::from(load.seconds)
    }

    /// Says what the run may take, and refuses it where there is too little room.
    pub(crate) fn check(&self, load: &Load, scratch: &Path) -> anyhow::Result<String> {
        let needed = self.disk_bytes(load);
        let free = disk::free_bytes(scratch)?;
        let mebibytes = |bytes: u64| number(bytes / (1024 * 1024));
        if free < needed {
            bail!(
                "this may take {} MiB in `{}`, where {} MiB are free; name another directory with --scratch, or ask \
                 for fewer --events",
                mebibytes(needed),
                scratch.display(),
                mebibytes(free)
            );
        }
        let seconds = self.append_seconds(load);
        Ok(format!(
            "at most {} MiB on disk at once ({} MiB are free) and {seconds} s of appending, at most {} MiB of events \
             each time; a measurement that takes {MEASUREMENT_PATIENCE_SECONDS} s more than it should is ended",
            mebibytes(needed),
            mebibytes(free),
            mebibytes(APPEND_LIMIT_BYTES)
        ))
    }
}
