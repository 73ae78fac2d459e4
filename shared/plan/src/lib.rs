//! The plan as data: indicators, measures, targets, units over time and the reporting calendar.
//!
//! A plan is written by people as a TOML file ([`mod@file`]), checked with file, line, key and remedy, and
//! adopted into the log in canonical form ([`Plan::canonical`]). From then on the log governs: services
//! read the plan back from `plan-adopted`. This crate is pure.

mod amendment;
pub mod calendar;
pub mod file;
mod model;

pub use amendment::AmendmentError;
pub use calendar::Calendar;
pub use file::PlanError;
pub use model::{
    AlertParameters, Body, Decision, Form, Hysteresis, Indicator, Level, Measure, MeasureKind, Names, Plan,
    PlanTarget, Ratio, RatioError, ReviewYear, Thresholds, Unit, Unrestated,
};
