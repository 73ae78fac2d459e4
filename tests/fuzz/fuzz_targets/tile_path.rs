//! Calls the target of this name.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::targets::tile_path(bytes));
