//! The append-only log: a journal that acknowledges and sled as the event store.
//!
//! A commit is one frame in the journal and one `fdatasync`; then it is acknowledged and visible. An applier
//! follows the journal into the index ([sled](https://docs.rs/sled), in which reads are quick); what it has
//! not reached yet is served from memory. The journal's files are kept, so everything else in the directory
//! can be made again from them. Positions are contiguous from 1, recorded times never decrease, and the
//! bytes of a stored event never change and do not depend on how events were grouped.
//!
//! A file of the journal that reached its limit (64 MiB) is sealed: read-only, and replaced once at most. In the
//! background every sealed file is checked, when it is sealed, after each start and once a day; what is damaged is
//! put back from the index. One that is whole is compacted: its frames, which nobody compressed while a writer waited,
//! are merged or split into ones of 256 KiB and compressed, in a file that takes the old one's place once it was read back
//! and found to hold the same events. So a frame of the file being written is a commit, one of a sealed file is not.
//! Made-up reports of 0.5 KB take 571 bytes each as committed one by one and 57 compacted, of 2.3 KB 2,309 and 79, and the
//! same in commits of 1,000. A file takes 1.2 to 3.4 s, on at most half a core; one event is read from a compacted file in
//! 0.04 to 0.06 ms (`cargo run --release -p event-log --example compact`).
//!
//! A Merkle tree over the events' bytes is kept up with every commit, so that an outsider can be shown that
//! history was not rewritten: [`Log::tree_head`], proofs, tiles, and [`export`], whose bundles anyone verifies
//! with public keys alone.
//!
//! [`open`] gives a [`Log`] for reading and the one [`Writer`]; [`Committer`] is the writer behind a queue,
//! with admission of commands and the rules of the clock.
//!
//! ```text
//! format.json             format and plan
//! lock                    held while the log is open
//! journal/<first>.journal frames; see the source of `frame`
//! journal/compacted.tmp   a sealed file that is being compacted; removed at a start
//! index/                  sled
//! index.damaged-<n>/      indexes that were replaced, at most three
//! clock                   the time of day last taken as right
//! ```

pub mod files;

mod against;
mod ahead;
mod applier;
mod bundle;
mod check;
mod clock;
mod committer;
mod directory;
mod first_event;
mod frame;
mod index;
mod journal;
mod journal_reader;
mod log;
mod open;
mod options;
mod other_copy;
mod proofs;
mod report;
mod requests;
mod stored;
mod tail;
mod tree;
mod verify;
mod write_state;
mod writer;

pub use against::{Against, Agreement, CheckpointVerdict, IndexLeaves, KeptLeaves};
pub use bundle::{
    BundleError, BundleHead, BundleLeaves, BundleReport, ExportError, ExportReport, ImportError,
    ImportReport, export, export_journal, import, verify_bundle,
};
pub use clock::{Clock, LEAP_LIMIT, SystemClock};
pub use committer::{Admission, CommitLimits, Committer, CommitterThread, Decision, Outcome, SubmitError};
pub use directory::accept_clock;
pub use first_event::{FirstEvent, first_event};
pub use journal::JournalReadError;
pub use journal_reader::{JournalEnd, JournalReader, JournalWalkError, TornEnd};
pub use log::{Log, ReadError, Scan};
pub use open::{OpenError, Opened, open};
pub use options::{IndexKind, Options};
pub use other_copy::OtherCopy;
pub use proofs::EvidenceError;
pub use report::{IndexState, OpenReport};
pub use stored::{Copied, ReadLimit, Stored};
pub use tree::TreeHead;
pub use verify::{Problem, VerifyError, VerifyReport, verify, verify_against, verify_files};
pub use write_state::{ClockLeap, WriteState};
pub use writer::{AppendError, REQUEST_LIMIT_BYTES, REQUEST_LIMIT_EVENTS, Writer};
