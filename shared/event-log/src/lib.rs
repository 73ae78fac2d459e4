//! The append-only log: a journal that acknowledges and sled as the event store.
