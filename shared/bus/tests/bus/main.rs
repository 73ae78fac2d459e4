//! The bus against a real nats-server, with the users it has in service.

#![expect(clippy::unwrap_used, reason = "the helpers of these tests are tests as well")]

mod copying;
mod faults;
mod permissions;
mod requests;
mod support;
