//! What the tests need from the machine: the executable and a nats-server.

use bus::server::{ServerBinary, find_server};
use std::path::PathBuf;

/// The environment variable that names the executable under test.
const EXECUTABLE_VARIABLE: &str = "PLANWATCH_BIN";
/// With the value `all`, nothing may be skipped.
const REQUIRE_VARIABLE: &str = "PLANWATCH_REQUIRE";

/// The directory into which the build goes, as seen from a test's own executable: `<target>/<profile>/deps/…`.
fn profile_directory() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its executable");
    own.parent().and_then(|deps| deps.parent()).expect("a test lies in <target>/<profile>/deps").to_owned()
}

/// The executable under test: `tests/run` builds it and names it; else the one beside the tests.
pub fn planwatch() -> PathBuf {
    let executable = std::env::var_os(EXECUTABLE_VARIABLE)
        .map_or_else(|| profile_directory().join("planwatch"), PathBuf::from);
    assert!(
        executable.is_file(),
        "there is no executable at {}: build it with `cargo build -p planwatch`, or use ./tests/run",
        executable.display()
    );
    executable
}

/// The nats-server that tests run, or none where it is missing and skipping is allowed.
pub fn nats_server() -> Option<ServerBinary> {
    let target = profile_directory().parent().expect("a profile lies in a target directory").to_owned();
    let tools: Vec<PathBuf> = std::fs::read_dir(target.join("tools"))
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    match find_server(&tools) {
        Ok(binary) => Some(binary),
        Err(error) => {
            skip(&error.to_string());
            None
        }
    }
}

/// Says what is missing; a failure where nothing may be skipped.
#[track_caller]
pub(super) fn skip(missing: &str) {
    let required = std::env::var(REQUIRE_VARIABLE).is_ok_and(|required| required == "all");
    assert!(!required, "{missing}");
    eprintln!("skipped: {missing}");
}

/// A program of the system, by its name.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
