//! Writes the sample history to standard output:
//! `cargo run -p planwatch --example generate-sample > deploy/sample/history.jsonl`.

// Named by its path so that the tests of the library can take in the same files.
#[path = "history.rs"]
mod history;

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(history::history().as_bytes())
}
