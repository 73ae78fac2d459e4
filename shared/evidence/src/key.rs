//! Keys: their names, the text forms of both halves, and what a key is used for.

use crate::cosignature;
use crate::text;
use ed25519_dalek::Signer;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The size of the seed that a signing key is made from.
pub const SEED_BYTES: usize = 32;
/// The longest name of a key.
const NAME_LIMIT_BYTES: usize = 255;
/// The longest text form of a key that is looked at.
const TEXT_LIMIT_BYTES: usize = 512;
const PRIVATE: &str = "PRIVATE+KEY+";

/// The name of a key: an address without `https://`, such as `log.example.vn/binh-duong`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// The log's own signature under a checkpoint, type 0x01.
    Log,
    /// A witness's signature with a time, `cosignature/v1`, type 0x04.
    Cosigner,
}

/// Why a text is no key or no name of one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The name is not possible.
    #[error(
        "`{0}` cannot name a key: a name is 1 to {NAME_LIMIT_BYTES} bytes without spaces, `+` and control \
         characters, such as `log.example.vn/binh-duong`"
    )]
    Name(String),
    /// The text does not have the parts of a public key.
    #[error("this is no public key: one is a line `<name>+<8 hex digits>+<base64>`; take it over whole")]
    Public,
    /// The text does not have the parts of a private key.
    #[error("this is no private key: one is a line `PRIVATE+KEY+<name>+<8 hex digits>+<base64>`")]
    Private,
    /// Someone offered a private key where a public one belongs.
    #[error("this is a private key where a public one belongs: it is secret, show only the public one")]
    PrivateShown,
    /// The key is of a type that is not used here.
    #[error(
        "the key `{name}` is of type {found:#04x}; logs have Ed25519 keys (0x01), witnesses Ed25519 keys for \
         cosignatures (0x04)"
    )]
    Type {
        /// The key's name.
        name: KeyName,
        /// The type found.
        found: u8,
    },
    /// The identifier does not belong to name and key.
    #[error(
        "the identifier of the key `{name}` does not match its name and bytes: it was altered or mistyped"
    )]
    Id {
        /// The key's name.
        name: KeyName,
    },
    /// The bytes are no point that may be a key.
    #[error("the bytes of the key `{name}` are no Ed25519 key: it was altered, or made to be forged")]
    Weak {
        /// The key's name.
        name: KeyName,
    },
}

impl KeyName {
    /// Reads a name.
    pub fn parse(name: &str) -> Result<KeyName, KeyError> {
        let possible = name.len() <= NAME_LIMIT_BYTES
            && signed_note::is_key_name_valid(name)
            && !name.chars().any(char::is_control);
        if possible { Ok(KeyName(name.to_owned())) } else { Err(KeyError::Name(text::excerpt(name))) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyUse {
    fn type_byte(self) -> u8 {
        match self {
            KeyUse::Log => 1,
            KeyUse::Cosigner => 4,
        }
    }
}

/// The public half of a key. Written as signed-note's verifier key, `<name>+<id>+<base64>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    key_use: KeyUse,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// Its name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What it signs.
    pub fn key_use(&self) -> KeyUse {
        self.key_use
    }

    /// Its identifier, which stands before each of its signatures.
    pub fn id(&self) -> u32 {
        signed_note::key_id(self.name.as_str(), &self.typed_bytes())
    }

    /// Reads keys from a text: one on each line; empty lines and lines that start with `#` are passed over.
    pub fn parse_lines(text: &str) -> Result<Vec<VerifierKey>, KeyError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::parse).collect()
    }

    fn typed_bytes(&self) -> Vec<u8> {
        [&[self.key_use.type_byte()], self.key.as_bytes().as_slice()].concat()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, self.id(), text::to_base64(&self.typed_bytes()))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    /// Reads a public key, which has exactly one spelling.
    fn from_str(text: &str) -> Result<VerifierKey, KeyError> {
        if text.starts_with(PRIVATE) {
            return Err(KeyError::PrivateShown);
        }
        let (name, id, bytes) = parts(text).ok_or(KeyError::Public)?;
        let name = KeyName::parse(name)?;
        let (key_type, bytes) = bytes.split_first().ok_or(KeyError::Public)?;
        let key_use = match key_type {
            1 => KeyUse::Log,
            4 => KeyUse::Cosigner,
            found => return Err(KeyError::Type { name, found: *found }),
        };
        let bytes = bytes.try_into().map_err(|_| KeyError::Public)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak());
        let Some(key) = key else { return Err(KeyError::Weak { name }) };
        let key = VerifierKey { name, key_use, key };
        if key.id() == id { Ok(key) } else { Err(KeyError::Id { name: key.name }) }
    }
}

impl signed_note::Verifier for VerifierKey {
    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn key_id(&self) -> u32 {
        self.id()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let strictly = |message: &[u8], signature: &[u8]| {
            let signature = ed25519_dalek::Signature::from_slice(signature);
            signature.is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
        };
        match self.key_use {
            KeyUse::Log => strictly(message, signature),
            KeyUse::Cosigner => cosignature::split(signature).is_some_and(|(seconds, signature)| {
                strictly(&cosignature::message(seconds, message), signature)
            }),
        }
    }
}

/// The private half of a key. Nothing shows it but [`SigningKey::to_secret_text`].
#[derive(Clone)]
pub struct SigningKey {
    name: KeyName,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// Makes the key that belongs to a seed. The seed is the secret: take it from the system's randomness.
    pub fn from_seed(name: KeyName, seed: &[u8; SEED_BYTES]) -> SigningKey {
        SigningKey { name, key: ed25519_dalek::SigningKey::from_bytes(seed) }
    }

    /// Its name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The public half for a use. One key should have one use only.
    pub fn verifier(&self, key_use: KeyUse) -> VerifierKey {
        VerifierKey { name: self.name.clone(), key_use, key: self.key.verifying_key() }
    }

    /// Writes the key as signed-note's implementations do, `PRIVATE+KEY+<name>+<id>+<base64>`. Whoever has
    /// this text can sign: it belongs into a file that only its owner can read.
    pub fn to_secret_text(&self) -> String {
        let bytes = [&[KeyUse::Log.type_byte()], self.key.as_bytes().as_slice()].concat();
        let id = self.verifier(KeyUse::Log).id();
        format!("{PRIVATE}{}+{id:08x}+{}", self.name, text::to_base64(&bytes))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message).to_bytes().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("name", &self.name).finish_non_exhaustive()
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    /// Reads the secret text; its errors never repeat it.
    fn from_str(text: &str) -> Result<SigningKey, KeyError> {
        let (name, id, bytes) = text.strip_prefix(PRIVATE).and_then(parts).ok_or(KeyError::Private)?;
        let name = KeyName::parse(name).map_err(|_| KeyError::Private)?;
        let (key_type, seed) = bytes.split_first().ok_or(KeyError::Private)?;
        if *key_type != KeyUse::Log.type_byte() {
            return Err(KeyError::Type { name, found: *key_type });
        }
        let seed = seed.try_into().map_err(|_| KeyError::Private)?;
        let key = SigningKey::from_seed(name, seed);
        if key.verifier(KeyUse::Log).id() == id { Ok(key) } else { Err(KeyError::Id { name: key.name }) }
    }
}

/// Splits `<name>+<id>+<base64>`; the identifier is eight small hexadecimal digits.
fn parts(text: &str) -> Option<(&str, u32, Vec<u8>)> {
    let (name, rest) = text.split_once('+').filter(|_| text.len() <= TEXT_LIMIT_BYTES)?;
    let (id, bytes) = rest.split_once('+')?;
    let is_hex = id.len() == 8 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let id = u32::from_str_radix(id, 16).ok().filter(|_| is_hex)?;
    Some((name, id, text::from_base64(bytes)?))
}
