//! The fuzz targets and what they begin with; `fuzz_targets/` calls them from libFuzzer.

pub mod seeds;
pub mod targets;
