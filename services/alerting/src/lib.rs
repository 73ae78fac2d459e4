//! Alerting: decides from the log and the clock which alerts are raised and resolved.
