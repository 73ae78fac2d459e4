//! What one measurement found, and the middle of several.

use serde::{Deserialize, Serialize};

/// What one measurement found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// How many events were appended or read, or are there after a start.
    pub(crate) events: u64,
    pub(crate) elapsed_us: u64,
    /// The time of a request: the middle and the 99th of a hundred.
    pub(crate) request_p50_us: Option<u64>,
    pub(crate) request_p99_us: Option<u64>,
    /// How long closing took: what was put off until then.
    pub(crate) close_us: u64,
    /// Bytes on disk after closing, allocated and never written ones left out.
    pub(crate) disk_bytes: u64,
    /// Bytes allocated on disk after closing.
    pub(crate) allocated_bytes: u64,
    /// Events in those bytes.
    pub(crate) stored_events: u64,
    /// Resident memory of the process before closing, and at its highest.
    pub(crate) resident_kib: u64,
    pub(crate) highest_kib: u64,
    /// The same of the system's server, where it has one.
    pub(crate) server_resident_kib: Option<u64>,
    pub(crate) server_highest_kib: Option<u64>,
}

impl Figures {
    /// Events in a second.
    pub(crate) fn rate(&self) -> u64 {
        per_second(self.events, self.elapsed_us)
    }

    /// Both processes' memory.
    pub(crate) fn memory_kib(&self) -> u64 {
        self.resident_kib + self.server_resident_kib.unwrap_or(0)
    }

    /// Bytes on disk for each event.
    pub(crate) fn bytes_per_event(&self) -> u64 {
        self.disk_bytes / self.stored_events.max(1)
    }
}

pub(crate) fn per_second(count: u64, elapsed_us: u64) -> u64 {
    let rate = u128::from(count) * 1_000_000 / u128::from(elapsed_us.max(1));
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// The value that so many per cent of sorted values do not exceed.
pub(crate) fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// The middle of some values, and their ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Middle {
    pub(crate) median: u64,
    pub(crate) lowest: u64,
    pub(crate) highest: u64,
}

impl Middle {
    pub(crate) fn of(values: impl IntoIterator<Item = u64>) -> Option<Middle> {
        let mut sorted: Vec<u64> = values.into_iter().collect();
        sorted.sort_unstable();
        let median = percentile(&sorted, 50)?;
        Some(Middle { median, lowest: *sorted.first()?, highest: *sorted.last()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_a_measured_value() {
        assert_eq!(Middle::of([]), None);
        assert_eq!(Middle::of([30, 10, 20]), Some(Middle { median: 20, lowest: 10, highest: 30 }));
        assert_eq!(Middle::of([4, 1, 3, 2]), Some(Middle { median: 2, lowest: 1, highest: 4 }));
    }

    #[test]
    fn a_rate_is_a_whole_number() {
        assert_eq!(per_second(500, 250_000), 2_000);
        assert_eq!(per_second(500, 0), 500_000_000);
    }
}
