//! Proof for outsiders: the Merkle tree over the log's bytes, signed checkpoints, cosignatures and proofs.
//!
//! A leaf of the tree is an event's JSON exactly as recorded; position 1 is leaf 0. Whoever has a checkpoint
//! (a signed size and root) can verify with nothing of ours that an event is in the log and that a later
//! log continues an earlier one. Pure: bytes, times and seeds come in as arguments.
//!
//! | file | follows |
//! |---|---|
//! | `hash`, `frontier`, `nodes`, `proof` | RFC 6962, section 2.1 |
//! | `tile`, `edge`, `entries` | [C2SP tlog-tiles](https://c2sp.org/tlog-tiles), tiles of height 8 |
//! | `key`, `note` | [C2SP signed-note](https://c2sp.org/signed-note), Ed25519 |
//! | `checkpoint` | [C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint) |
//! | `cosignature` | [C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature), `cosignature/v1` |
//! | `witness` | [C2SP tlog-witness](https://c2sp.org/tlog-witness), `add-checkpoint` |
//! | `proof_file` | [C2SP tlog-proof](https://c2sp.org/tlog-proof) |
//!
//! What is taken from elsewhere, and what is not:
//! - `tlog_tiles` hashes, and computes and checks proofs. Its tile paths carry the height, which those of C2SP
//!   do not, and a level above 63 makes it panic; its checkpoint says "malformed" and not what is wrong. So
//!   [`TilePath`] and [`Checkpoint`] are ours, and its functions only see sizes and proofs that were bounded.
//! - `signed_note` holds notes together: text, signature lines, which key must verify which line. Its keys know
//!   no cosignatures, verify signatures of weak keys, and take several spellings of one key, so
//!   [`VerifierKey`] and [`SigningKey`] are ours and plug into it.
//! - `ed25519-dalek` signs and verifies, strictly.

mod checkpoint;
mod cosignature;
mod edge;
mod entries;
mod frontier;
mod hash;
mod key;
mod nodes;
mod note;
mod proof;
mod proof_file;
mod text;
mod tile;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError, NotSignable, SignedCheckpoint, Verified};
pub use cosignature::{Cosigned, LATEST_COSIGNATURE_SECONDS};
pub use edge::{Edge, FullTile};
pub use entries::{ENTRY_LIMIT_BYTES, EntriesError, push_entry, split_entries};
pub use frontier::{Frontier, Node};
pub use hash::{EMPTY_ROOT, HASH_BYTES, NotAHash, TreeHash, leaf_hash, node_hash};
pub use key::{KeyError, KeyName, KeyUse, SEED_BYTES, SigningKey, VerifierKey};
pub use nodes::{NodeReader, TileReader, TiledNodes, root_at};
pub use note::{NOTE_LIMIT_BYTES, NOTE_LIMIT_SIGNATURES, NoteError};
pub use proof::{ConsistencyProof, InclusionProof, PROOF_LIMIT_HASHES, ProofError};
pub use proof_file::{ProofFile, ProofFileError};
pub use tile::{
    FULL_TILE_HASHES, PathError, Resource, TILE_HEIGHT, TILE_LEVELS, TileError, TilePath, full_tiles,
    partial_width, read_tile, tile_root, write_tile,
};
pub use witness::{AddCheckpoint, RequestError, WitnessRefusal};
