//! The supervisor: one child process per service, restarted with growing pauses, stopped in order.

mod backoff;
mod child;
pub mod leftovers;

pub use child::{Child, ChildState, Program};

use std::time::Duration;

/// How long one child may take to stop before it is killed.
pub const CHILD_GRACE: Duration = Duration::from_secs(12);

/// Stops children one after the other, in the order given; each has [`CHILD_GRACE`].
pub async fn stop_in_order(children: Vec<Child>) {
    for child in children {
        child.stop().await;
    }
}
