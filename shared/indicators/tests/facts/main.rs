//! The fold and the evaluation against figures worked out by hand, and the laws that hold for every log.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that unwraps nothing has failed its test, which is the point"
)]

mod alerts;
mod cells;
mod changed_targets;
mod differences;
mod explanations;
mod laws;
mod lists;
mod parked;
mod plan_changes;
mod province_rates;
mod quality;
mod rates;
mod reform;
mod reports;
mod second_plan;
mod segments;
mod series;
mod shares;
mod states;
mod story;
mod two_times;
mod units;
mod verdicts;
