//! The harness and the tests that start the real thing.
