//! What a witness remembers of a log: the last checkpoint that it cosigned, and when. Its written form.

use evidence::{LATEST_COSIGNATURE_SECONDS, SignedCheckpoint};
use sha2::{Digest, Sha256};
use thiserror::Error;

const HEADER: &str = "planwatch witness record 1";
const FAMILY: &str = "planwatch witness record ";
const NOTHING: &str = "nothing";

/// The last checkpoint of a log that was cosigned, or is about to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When, in seconds since 1970. Together with the checkpoint it gives the very cosignature again.
    pub cosigned_at_seconds: u64,
    /// The checkpoint, with the signatures by the log's keys and no others.
    pub checkpoint: SignedCheckpoint,
}

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Damaged {
    /// It is something else, or of a later version.
    #[error("its first line is not `{HEADER}`: {advice}")]
    Header {
        /// What to do.
        advice: &'static str,
    },
    /// The checksum does not fit.
    #[error("its checksum does not fit: it was cut short or altered")]
    Sum,
    /// It is of another log.
    #[error("it is of the log `{found}`: files were exchanged")]
    OtherLog {
        /// Whose it is.
        found: String,
    },
    /// The checksum fits, the content is none.
    #[error("its checksum fits, but what it says is no record")]
    Content,
}

/// Writes what is remembered of a log: a header, a checksum of everything behind it, the log, the time, and the
/// signed note as it is.
pub(crate) fn write(origin: &str, record: Option<&Record>) -> String {
    let content = match record {
        None => format!("log {origin}\n{NOTHING}\n"),
        Some(record) => {
            format!("log {origin}\ncosigned {}\n\n{}", record.cosigned_at_seconds, record.checkpoint)
        }
    };
    format!("{HEADER}\nsum {}\n{content}", hex_sha256(content.as_bytes()))
}

/// Reads what is remembered of a log. There is one written form only: any other byte is damage.
pub(crate) fn read(origin: &str, bytes: &[u8]) -> Result<Option<Record>, Damaged> {
    let text = std::str::from_utf8(bytes).map_err(|_| Damaged::Sum)?;
    let (header, rest) = text.split_once('\n').unwrap_or((text, ""));
    if header != HEADER {
        let later = header.starts_with(FAMILY);
        let advice = if later { "a newer program wrote it, use that one" } else { "it was altered" };
        return Err(Damaged::Header { advice });
    }
    let (sum, content) = rest.split_once('\n').ok_or(Damaged::Sum)?;
    if sum.strip_prefix("sum ") != Some(&hex_sha256(content.as_bytes())) {
        return Err(Damaged::Sum);
    }
    let (log, said) = content.split_once('\n').ok_or(Damaged::Content)?;
    match log.strip_prefix("log ") {
        Some(found) if found == origin => {}
        Some(found) => return Err(Damaged::OtherLog { found: found.to_owned() }),
        None => return Err(Damaged::Content),
    }
    let record = if said.strip_suffix('\n') == Some(NOTHING) { None } else { Some(cosigned(origin, said)?) };
    if write(origin, record.as_ref()).as_bytes() == bytes { Ok(record) } else { Err(Damaged::Content) }
}

fn cosigned(origin: &str, said: &str) -> Result<Record, Damaged> {
    let (time, note) = said.split_once("\n\n").ok_or(Damaged::Content)?;
    let time = time.strip_prefix("cosigned ").and_then(|seconds| seconds.parse().ok());
    let cosigned_at_seconds: u64 =
        time.filter(|seconds| *seconds <= LATEST_COSIGNATURE_SECONDS).ok_or(Damaged::Content)?;
    let checkpoint = SignedCheckpoint::parse(note.as_bytes()).map_err(|_| Damaged::Content)?;
    if checkpoint.claimed().origin() != origin {
        return Err(Damaged::OtherLog { found: checkpoint.claimed().origin().to_owned() });
    }
    Ok(Record { cosigned_at_seconds, checkpoint })
}

/// SHA-256 in small hexadecimal digits: the hash of an origin names its log to others, too.
pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use evidence::{Checkpoint, KeyName, SigningKey, leaf_hash};

    const ORIGIN: &str = "planwatch/binh-duong";

    fn record() -> Record {
        let key = SigningKey::from_seed(KeyName::parse(ORIGIN).unwrap(), &[1; 32]);
        let checkpoint = Checkpoint::new(key.name(), 7, leaf_hash(b"stands for a root"));
        Record { cosigned_at_seconds: 1_764_000_000, checkpoint: checkpoint.sign(&[&key]).unwrap() }
    }

    #[test]
    fn what_is_written_reads_back() {
        for record in [None, Some(record())] {
            let text = write(ORIGIN, record.as_ref());
            assert_eq!(read(ORIGIN, text.as_bytes()), Ok(record));
        }
    }

    #[test]
    fn damage_to_any_bit_is_found_and_so_is_every_cut() {
        for record in [None, Some(record())] {
            let text = write(ORIGIN, record.as_ref());
            for at in 0..text.len() * 8 {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at / 8] ^= 1 << (at % 8);
                assert!(read(ORIGIN, &bytes).is_err(), "bit {at}");
            }
            for cut in 0..text.len() {
                assert!(read(ORIGIN, &text.as_bytes()[..cut]).is_err(), "cut at {cut}");
            }
            assert!(read(ORIGIN, format!("{text}\n").as_bytes()).is_err());
        }
    }

    #[test]
    fn a_record_of_another_log_or_a_later_version_says_so() {
        let text = write(ORIGIN, Some(&record()));
        assert_eq!(
            read("planwatch/other", text.as_bytes()),
            Err(Damaged::OtherLog { found: ORIGIN.to_owned() })
        );
        let later = text.replace("record 1", "record 2");
        let said = read(ORIGIN, later.as_bytes()).unwrap_err().to_string();
        assert!(said.contains("a newer program"), "{said}");
        // A checksum that was made to fit does not make another log's checkpoint this one's.
        let exchanged = write("planwatch/other", Some(&record()));
        assert!(matches!(read("planwatch/other", exchanged.as_bytes()), Err(Damaged::OtherLog { .. })));
    }

    #[test]
    fn the_hash_of_an_origin_is_that_of_the_standard() {
        assert_eq!(hex_sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
