//! What running means for a service: configuration, start, stop, signals, tracing, health and metrics.
