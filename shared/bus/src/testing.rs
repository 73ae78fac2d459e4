//! What tests need of the machine, and the one rule on what may be missing there.
//!
//! It lies here because every crate that tests with a nats-server names the bus, and the bus knows how one is
//! found. No service calls it.

use crate::server::{ServerBinary, find_server};
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

/// The environment variable that says what may not be missing; with the value `all`, nothing may.
pub const REQUIRE_VARIABLE: &str = "PLANWATCH_REQUIRE";

/// The nats-server that tests run. None where it is missing and may be: then the test cannot be carried out.
#[track_caller]
pub fn nats_server() -> Option<ServerBinary> {
    match find_server(&installed_tools()) {
        Ok(binary) => Some(binary),
        Err(error) => {
            missing(&error.to_string());
            None
        }
    }
}

/// Says on standard error what a test lacks; fails the test where nothing may be missing.
///
/// A test that goes on from here and returns counts as passed, so `tests/run` leaves out beforehand what it
/// knows to be missing; this is for whoever runs a test by itself.
#[track_caller]
pub fn missing(what: &str) {
    let required = env::var_os(REQUIRE_VARIABLE);
    assert!(may_be_missing(required.as_deref()), "{what}");
    eprintln!("skipped: {what}");
}

fn may_be_missing(required: Option<&OsStr>) -> bool {
    required.is_none_or(|required| required != "all")
}

/// Where `tests/run` and `deploy/up` install tools: each in a folder of its own below `<target>/tools`. A test
/// lies in `<target>/<profile>/deps`.
fn installed_tools() -> Vec<PathBuf> {
    let own = env::current_exe().expect("a test knows its executable");
    let Some(target) = own.ancestors().nth(3) else { return Vec::new() };
    let tools = fs::read_dir(target.join("tools"));
    tools.map(|found| found.filter_map(|one| Some(one.ok()?.path())).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_may_be_missing_where_all_is_required() {
        assert!(!may_be_missing(Some(OsStr::new("all"))));
        for required in [None, Some(""), Some("none")] {
            assert!(may_be_missing(required.map(OsStr::new)), "{required:?}");
        }
    }
}
