//! What the tests need from the machine: the executable, and programs of the system.

use std::path::PathBuf;

/// The environment variable that names the executable under test.
const EXECUTABLE_VARIABLE: &str = "PLANWATCH_BIN";

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

/// A program of the system, by its name.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
