//! Power cuts: what a real process did to its files is recorded, and the disk is rebuilt as a cut could have
//! left it.
//!
//! [`Recorder`] loads a library into a process that writes down every creation, write, change of size, rename,
//! removal and completed synchronisation below a directory. [`Disk`] is that directory before the process
//! began; [`Disk::cut`] gives what remains when the power fails behind a place of the trace. Replaying the
//! whole trace gives the very directory that the process left; a test holds the recorder to that.
//!
//! # What a cut leaves
//!
//! Of a file everything is there that was written before the start of an `fsync` or `fdatasync` of it that
//! returned. `sync_file_range` counts for nothing. A sector of 512 bytes is written whole or not at all. For
//! what was not synchronised there are two media:
//!
//! - [`Medium::Ordered`] is a journaling file system with ordered metadata, such as ext4 with `data=ordered`:
//!   names and truncations are kept up to one moment, the same for all files, which is not before what the last
//!   synchronisation needed (that of a file or a directory commits everything before it). A file that grew ends
//!   anywhere between its old and its new size, and what is there of it was written. Each page that was written
//!   over is old or new.
//! - [`Medium::Nasty`] allows whatever POSIX does. Each creation, rename and removal in a directory that was
//!   not synchronised afterwards is there or not, each by itself, also where the file itself was synchronised; of
//!   a rename both names may be left. Each page is as it was after a random number of the writes to it, whatever
//!   became of the pages beside it; in some cuts each write is there whole or not at all. The size is that of any moment, or any between; what was never written below
//!   it reads as zeros, or as what lay there before: noise.
//!
//! On both a page is 4 KiB, or in some cuts a sector: torn pages. In some cuts nothing survives that was not
//! synchronised, in some everything does.

mod chance;
mod disk;
mod folder;
mod recorder;
mod remains;
mod trace;

pub use chance::{Chance, is_repeating, seed};
pub use disk::{Disk, Medium};
pub use folder::quick_folder;
pub use recorder::Recorder;
pub use remains::Remains;
pub use trace::{Record, Trace, What, mark};
