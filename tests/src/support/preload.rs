//! Libraries in C that a process under test loads before the C library.

use super::require::on_path;
use bus::testing::missing;
use std::path::Path;
use std::process::Command;

/// Builds a library from a source among the fixtures; false where no C compiler is there, and skipping is allowed.
pub(super) fn build(fixture: &str, library: &Path) -> bool {
    let Some(compiler) = on_path("cc") else {
        missing(&format!("a C compiler (cc) is missing: `{fixture}` cannot be built"));
        return false;
    };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture);
    let built = Command::new(compiler)
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .arg(library)
        .arg(source)
        .output()
        .expect("the compiler runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    true
}
