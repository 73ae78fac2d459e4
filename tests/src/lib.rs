//! The harness and the tests that start the real thing.
//!
//! [`support`] starts a whole system as a user would, through `planwatch up`, and gives a test what it needs
//! to use it and to break it. The tests themselves are beside this library.

pub mod support;
