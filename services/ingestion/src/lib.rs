//! Ingestion: admits commands, records them in the log and mirrors them to the stream.
