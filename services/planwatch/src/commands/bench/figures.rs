//! Rates and latencies, in whole numbers.

use serde_json::{Value, json};
use std::time::Duration;

/// Latencies of one kind.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    micros: Vec<u64>,
}

impl Latencies {
    pub(super) fn add(&mut self, latency: Duration) {
        self.micros.push(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    pub(super) fn extend(&mut self, other: Latencies) {
        self.micros.extend(other.micros);
    }

    pub(super) fn count(&self) -> usize {
        self.micros.len()
    }

    /// The latency in microseconds that so many per cent do not exceed.
    fn percentile(&self, percent: usize) -> Option<u64> {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    }

    /// As JSON, in microseconds.
    pub(super) fn json(&self) -> Value {
        json!({"count": self.count(), "p50_us": self.percentile(50), "p99_us": self.percentile(99),
            "max_us": self.percentile(100)})
    }

    /// For people, in milliseconds.
    pub(super) fn text(&self) -> String {
        let shown = |percent| self.percentile(percent).map_or_else(|| "-".to_owned(), milliseconds);
        format!(
            "p50 {} ms, p99 {} ms, max {} ms ({} measured)",
            shown(50),
            shown(99),
            shown(100),
            self.count()
        )
    }
}

fn milliseconds(micros: u64) -> String {
    format!("{}.{:02}", micros / 1000, micros % 1000 / 10)
}

/// How many there were in a second.
pub(super) fn per_second(count: u64, elapsed: Duration) -> u64 {
    let micros = u128::from(count) * 1_000_000;
    u64::try_from(micros / elapsed.as_micros().max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), None);
        for millis in (1..=200).rev() {
            latencies.add(Duration::from_millis(millis));
        }
        assert_eq!(latencies.percentile(50), Some(100_000));
        assert_eq!(latencies.percentile(99), Some(198_000));
        assert_eq!(latencies.percentile(100), Some(200_000));
        assert_eq!(latencies.text(), "p50 100.00 ms, p99 198.00 ms, max 200.00 ms (200 measured)");
    }

    #[test]
    fn a_rate_is_a_whole_number() {
        assert_eq!(per_second(500, Duration::from_millis(250)), 2000);
    }
}
