//! The message bus: stream, mirror, follower, request and reply over NATS.
