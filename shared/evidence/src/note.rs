//! Signed notes: a text and signature lines under it, read within bounds.

use crate::key::{KeyName, VerifierKey};
use crate::text;
use signed_note::{Note, Signature, VerificationError, Verifier, VerifierList};
use thiserror::Error;

/// The largest note that is read.
pub const NOTE_LIMIT_BYTES: usize = 256 * 1024;
/// The most signatures of a note: a log in rotation, and more witnesses than anyone asks.
pub const NOTE_LIMIT_SIGNATURES: usize = 64;

/// Why bytes are no note, or one that must not be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// It is too large.
    #[error("the note has {bytes} bytes, none has more than {NOTE_LIMIT_BYTES}: this is something else")]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
    },
    /// It is not text.
    #[error(
        "byte {at} of the note is no part of a text: only UTF-8 without control characters is; get it again"
    )]
    NotText {
        /// Where.
        at: usize,
    },
    /// There is no line between text and signatures.
    #[error("the note has no empty line before its signatures: it is cut short or unsigned, get it again")]
    NoSignatures,
    /// The note does not end with a line end.
    #[error("the last line of the note does not end: it is cut short, get it again")]
    CutShort,
    /// A signature line is none.
    #[error("line {line} of the note is no signature: one is `— <name> <base64>`")]
    Malformed {
        /// Which line, counted from 1.
        line: usize,
    },
    /// There are too many signatures.
    #[error("the note has {found} signatures, the limit is {NOTE_LIMIT_SIGNATURES}")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// A signature by a known key does not fit.
    #[error("the signature by `{name}` ({id:08x}) does not fit: the note was altered after it was signed")]
    Forged {
        /// The key's name.
        name: String,
        /// The key's identifier.
        id: u32,
    },
    /// No known key signed it.
    #[error(
        "none of the given keys signed the note; it names {found}: give the right public key, or do not believe it"
    )]
    Unknown {
        /// Which keys the signature lines name.
        found: String,
    },
}

/// A note whose signatures are not verified yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReadNote {
    pub(crate) text: String,
    signatures: Vec<Signature>,
}

impl ReadNote {
    /// A note with a text, not signed yet.
    pub(crate) fn unsigned(text: String) -> ReadNote {
        ReadNote { text, signatures: Vec::new() }
    }

    /// Reads a note.
    pub(crate) fn parse(bytes: &[u8]) -> Result<ReadNote, NoteError> {
        if bytes.len() > NOTE_LIMIT_BYTES {
            return Err(NoteError::TooLarge { bytes: bytes.len() });
        }
        let whole =
            std::str::from_utf8(bytes).map_err(|error| NoteError::NotText { at: error.valid_up_to() })?;
        require_text(whole)?;
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        let text = format!("{text}\n");
        let lines = lines.strip_suffix('\n').ok_or(NoteError::CutShort)?;
        let found = lines.split('\n').count();
        if found > NOTE_LIMIT_SIGNATURES {
            return Err(NoteError::TooMany { found });
        }
        let first_line = text.lines().count() + 2;
        let signatures = parse_lines(lines, first_line)?;
        Ok(ReadNote { text, signatures })
    }

    /// Adds a signature; one by the same key is replaced.
    pub(crate) fn add(&mut self, key: &VerifierKey, signature: Vec<u8>) {
        let (name, id) = (key.name().as_str(), key.id());
        self.signatures.retain(|other| (other.name(), other.id()) != (name, id));
        let signature = Signature::new(name.to_owned(), id, signature);
        self.signatures.push(signature.expect("the names of keys are valid"));
    }

    /// Adds signature lines that came from elsewhere, as they are: so that the note can be read again.
    pub(crate) fn add_lines(&mut self, lines: &str) -> Result<(), NoteError> {
        require_text(lines)?;
        let bytes = self.to_text().len() + lines.len();
        if bytes > NOTE_LIMIT_BYTES {
            return Err(NoteError::TooLarge { bytes });
        }
        let lines = lines.strip_suffix('\n').ok_or(NoteError::CutShort)?;
        let new = parse_lines(lines, 1)?;
        let found = self.signatures.len() + new.len();
        if found > NOTE_LIMIT_SIGNATURES {
            return Err(NoteError::TooMany { found });
        }
        self.signatures.extend(new);
        Ok(())
    }

    /// Checks the signatures of known keys. One that does not fit refuses the note; so does having none.
    pub(crate) fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<(VerifierKey, Vec<u8>)>, NoteError> {
        // A key that is given twice would be ambiguous.
        let mut known: Vec<VerifierKey> = Vec::new();
        for key in keys {
            if !known.contains(key) {
                known.push(key.clone());
            }
        }
        let list = known.iter().map(|key| Box::new(key.clone()) as Box<dyn Verifier>).collect();
        let note =
            Note::new(self.text.as_bytes(), &self.signatures).map_err(|_| NoteError::NotText { at: 0 })?;
        match note.verify(&VerifierList::new(list)) {
            Ok((verified, _)) => Ok(verified
                .into_iter()
                .filter_map(|signature| {
                    let by = |key: &&VerifierKey| {
                        key.name().as_str() == signature.name() && key.id() == signature.id()
                    };
                    Some((known.iter().find(by)?.clone(), signature.signature().to_vec()))
                })
                .collect()),
            Err(
                signed_note::NoteError::InvalidSignature { name, id }
                | signed_note::NoteError::VerificationError(VerificationError::AmbiguousKey { name, id }),
            ) => Err(NoteError::Forged { name, id }),
            Err(_) => {
                let names =
                    self.signatures.iter().map(|line| format!("`{}` ({:08x})", line.name(), line.id()));
                Err(NoteError::Unknown { found: names.collect::<Vec<_>>().join(", ") })
            }
        }
    }

    /// The note as it is written.
    pub(crate) fn to_text(&self) -> String {
        let lines: String = self.signatures.iter().map(signature_line).collect();
        format!("{}\n{lines}", self.text)
    }

    /// The keys that the signature lines name, whether they signed or not.
    pub(crate) fn named_keys(&self) -> impl Iterator<Item = (&str, u32)> {
        self.signatures.iter().map(|line| (line.name(), line.id()))
    }

    /// The signature lines of a key.
    pub(crate) fn lines_of(&self, name: &KeyName) -> String {
        self.signatures.iter().filter(|line| line.name() == name.as_str()).map(signature_line).collect()
    }
}

/// Refuses control characters.
fn require_text(text: &str) -> Result<(), NoteError> {
    match text.find(|character| character < ' ' && character != '\n') {
        Some(at) => Err(NoteError::NotText { at }),
        None => Ok(()),
    }
}

fn signature_line(signature: &Signature) -> String {
    let bytes = [&signature.id().to_be_bytes(), signature.signature()].concat();
    format!("— {} {}\n", signature.name(), text::to_base64(&bytes))
}

fn parse_lines(lines: &str, first_line: usize) -> Result<Vec<Signature>, NoteError> {
    let parse = |(at, line): (usize, &str)| {
        Signature::from_bytes(line.as_bytes()).map_err(|_| NoteError::Malformed { line: first_line + at })
    };
    lines.split('\n').enumerate().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyUse, SigningKey};

    /// The example of Go's `golang.org/x/mod/sumdb/note`.
    const PRIVATE: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n\
                        \n\
                        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn the_note_of_the_go_implementation_verifies_and_is_made_again() {
        let key: VerifierKey = PUBLIC.parse().unwrap();
        let note = ReadNote::parse(NOTE.as_bytes()).unwrap();
        let verified = note.verify(std::slice::from_ref(&key)).unwrap();
        assert_eq!(verified.len(), 1);
        assert_eq!(note.verify(&[key.clone(), key.clone()]).unwrap(), verified, "a key given twice is one");
        let signing: SigningKey = PRIVATE.parse().unwrap();
        assert_eq!(signing.to_secret_text(), PRIVATE);
        assert_eq!(signing.verifier(KeyUse::Log), key);
        assert_eq!(key.to_string(), PUBLIC);
        let mut made = ReadNote::unsigned(note.text.clone());
        made.add(&key, signing.sign(note.text.as_bytes()));
        assert_eq!(made.to_text(), NOTE);
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let key: VerifierKey = PUBLIC.parse().unwrap();
        for at in 0..NOTE.len() * 8 {
            let mut bytes = NOTE.as_bytes().to_vec();
            bytes[at / 8] ^= 1 << (at % 8);
            let outcome =
                ReadNote::parse(&bytes).and_then(|note| note.verify(std::slice::from_ref(&key)).map(drop));
            assert!(outcome.is_err(), "bit {at}");
        }
    }

    #[test]
    fn lines_from_elsewhere_never_make_a_note_that_cannot_be_read() {
        let mut note = ReadNote::parse(NOTE.as_bytes()).unwrap();
        let before = note.clone();
        // Whitespace to a parser of lines, and no part of a note.
        assert_eq!(note.add_lines("\u{2014} a\u{1f}b AAAAAAA=\n"), Err(NoteError::NotText { at: 5 }));
        let long = format!("\u{2014} {} AAAAAAA=\n", "a".repeat(NOTE_LIMIT_BYTES));
        assert!(matches!(note.add_lines(&long), Err(NoteError::TooLarge { .. })));
        assert_eq!(note, before);
        note.add_lines("\u{2014} a AAAAAAA=\n").unwrap();
        assert_eq!(ReadNote::parse(note.to_text().as_bytes()), Ok(note));
    }

    #[test]
    fn what_is_no_note_says_why() {
        let parse = |text: &str| ReadNote::parse(text.as_bytes()).unwrap_err();
        assert_eq!(parse(""), NoteError::NoSignatures);
        assert_eq!(parse("text\n"), NoteError::NoSignatures);
        assert_eq!(parse("text\n\n— a AAAAAAA="), NoteError::CutShort);
        assert_eq!(parse("text\r\n\n— a AAAAAAA=\n"), NoteError::NotText { at: 4 });
        assert_eq!(parse("text\n\n— a AAAAAAA=\n- b AAAAAAA=\n"), NoteError::Malformed { line: 4 });
        assert_eq!(parse("text\n\n— a AAAA\n"), NoteError::Malformed { line: 3 });
        assert_eq!(ReadNote::parse(b"a\xff\n"), Err(NoteError::NotText { at: 1 }));
        assert_eq!(
            parse(&format!("text\n\n{}", "— a AAAAAAA=\n".repeat(65))),
            NoteError::TooMany { found: 65 }
        );
        assert!(ReadNote::parse(format!("text\n\n{}", "— a AAAAAAA=\n".repeat(64)).as_bytes()).is_ok());
        let large = "a".repeat(NOTE_LIMIT_BYTES + 1);
        assert_eq!(parse(&large), NoteError::TooLarge { bytes: NOTE_LIMIT_BYTES + 1 });
        let note = ReadNote::parse(NOTE.as_bytes()).unwrap();
        let error = note.verify(&[]).unwrap_err().to_string();
        assert!(error.contains("it names `PeterNeumann` (c74f20a3)"), "{error}");
    }
}
