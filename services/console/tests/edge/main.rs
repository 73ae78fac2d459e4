//! The edge over real connections, with services of its own making behind it.

#![expect(
    unreachable_pub,
    reason = "a test program exports nothing; `pub` here means shared among its files"
)]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod api;
mod bounds;
mod door;
mod evidence;
mod over_bus;
mod page;
mod reviews;
mod stream;
mod support;
