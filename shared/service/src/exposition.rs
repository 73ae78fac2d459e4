//! Metrics: what a service counts, rendered as Prometheus text on request.

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use thiserror::Error;

/// The buckets of every histogram, in seconds: from a fast answer to one that was given up.
const BUCKETS_SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Why metrics are not counted.
#[derive(Debug, Error)]
#[error("cannot count metrics: another recorder is installed in this process")]
pub struct MetricsError(#[source] BuildError);

/// The metrics of this process; clones read the same ones.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Starts counting for the whole process. Names begin with `planwatch_`; durations are in seconds.
    pub fn install() -> Result<Metrics, MetricsError> {
        let builder =
            PrometheusBuilder::new().set_buckets(&BUCKETS_SECONDS).expect("the list of buckets is not empty");
        let handle = builder.install_recorder().map_err(MetricsError)?;
        metrics::gauge!("planwatch_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        Ok(Metrics { handle })
    }

    /// Counts for a reader of its own, not for the process: for several services in one test process.
    pub fn detached() -> Metrics {
        Metrics { handle: PrometheusBuilder::new().build_recorder().handle() }
    }

    /// Everything that was counted, as Prometheus text.
    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_rendered() {
        let counted = Metrics::install().unwrap();
        metrics::counter!("planwatch_reports_total", "outcome" => "recorded").increment(3);
        metrics::histogram!("planwatch_commit_seconds").record(0.004);
        let text = counted.render();
        assert!(text.contains("planwatch_reports_total{outcome=\"recorded\"} 3"), "{text}");
        assert!(text.contains("planwatch_commit_seconds_bucket{le=\"0.005\"} 1"), "{text}");
        assert!(Metrics::install().is_err(), "a process has one recorder");
    }
}
