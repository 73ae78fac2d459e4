//! A witness as others see it: over HTTP, every status of the protocol.

#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing has failed, which is the point")]

#[expect(dead_code, reason = "the tests beside the code read its tiles, too")]
mod made_log;
mod protocol;
