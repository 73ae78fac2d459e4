//! Ways to make a write durable, and how fast this disk is with each: what a log could gain from another way.

use crate::arguments::Disk;
use crate::figures::{Middle, per_second};
use crate::scratch::Scratch;
use crate::table::{line, number};
use rustix::fs::{FallocateFlags, OFlags, fallocate};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// How much is allocated or written in advance; then the writing starts at the front again.
const ADVANCE_BYTES: u64 = 64 * 1024 * 1024;
/// Zeros are written in advance so many at once.
const ZEROS_BYTES: usize = 1024 * 1024;

/// How a write is made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Appended,
    Allocated,
    Zeroed,
    ZeroedDsync,
}

impl Way {
    const ALL: [Way; 4] = [Way::Appended, Way::Allocated, Way::Zeroed, Way::ZeroedDsync];

    fn text(self) -> &'static str {
        match self {
            Way::Appended => "appended, fdatasync",
            Way::Allocated => "into space allocated in advance (fallocate), fdatasync",
            Way::Zeroed => "over zeros written in advance, fdatasync",
            Way::ZeroedDsync => "over zeros written in advance, O_DSYNC",
        }
    }
}

/// Measures every way in interleaved rounds and prints the table.
pub(crate) fn run(arguments: &Disk) -> anyhow::Result<()> {
    let scratch = Scratch::new(arguments.scratch.as_deref())?;
    let mut rates = vec![Vec::new(); Way::ALL.len()];
    for _ in 0..arguments.rounds {
        for (way, rates) in Way::ALL.into_iter().zip(&mut rates) {
            let time = Duration::from_secs(u64::from(arguments.seconds));
            rates.push(measure(way, scratch.path(), arguments.bytes as usize, time)?);
        }
    }
    line(&format!(
        "{} bytes at a time, one after the other, a second: median (lowest to highest)",
        arguments.bytes
    ))?;
    for (way, rates) in Way::ALL.into_iter().zip(rates) {
        if let Some(middle) = Middle::of(rates) {
            let (lowest, highest) = (number(middle.lowest), number(middle.highest));
            line(&format!("{:>9}  ({lowest} to {highest})  {}", number(middle.median), way.text()))?;
        }
    }
    Ok(())
}

fn measure(way: Way, directory: &Path, bytes: usize, time: Duration) -> anyhow::Result<u64> {
    let path = directory.join("way");
    let mut options = File::options();
    options.create_new(true).write(true).append(way == Way::Appended);
    let mut file = options.open(&path)?;
    match way {
        Way::Appended => {}
        Way::Allocated => {
            fallocate(&file, FallocateFlags::empty(), 0, ADVANCE_BYTES)?;
            file.sync_all()?;
        }
        Way::Zeroed | Way::ZeroedDsync => {
            let zeros = vec![0; ZEROS_BYTES];
            for offset in (0..ADVANCE_BYTES).step_by(ZEROS_BYTES) {
                file.write_all_at(&zeros, offset)?;
            }
            file.sync_all()?;
        }
    }
    if way == Way::ZeroedDsync {
        let flags = i32::try_from(OFlags::DSYNC.bits())?;
        file = File::options().write(true).custom_flags(flags).open(&path)?;
    }
    let block = vec![b'x'; bytes];
    let begun = Instant::now();
    let (mut writes, mut offset) = (0, 0);
    while begun.elapsed() < time && offset + bytes as u64 <= ADVANCE_BYTES {
        file.write_all_at(&block, offset)?;
        if way != Way::ZeroedDsync {
            file.sync_data()?;
        }
        writes += 1;
        offset += bytes as u64;
    }
    let elapsed_us = u64::try_from(begun.elapsed().as_micros())?;
    fs::remove_file(&path)?;
    Ok(per_second(writes, elapsed_us))
}
