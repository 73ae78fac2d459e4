//! The executable of planwatch; everything it does is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    planwatch::main()
}
