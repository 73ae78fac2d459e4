//! The code of the one-time link: whoever brings it first is signed in, and it is gone.

use super::{digest, same_digest};
use std::io::ErrorKind;
use std::path::Path;

/// The longest code, in bytes.
pub const CODE_LIMIT_BYTES: usize = 256;
/// The shortest code that is accepted from the file, in bytes.
pub const CODE_LEAST_BYTES: usize = 16;

/// Takes the code out of its file where it is the given one; of several who try at once, one succeeds.
pub async fn redeem(file: &Path, given: &str) -> bool {
    if !holds(file, given).await {
        return false;
    }
    // The removal decides: it succeeds once, whoever else has read the same code meanwhile.
    match tokio::fs::remove_file(file).await {
        Ok(()) => true,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                tracing::warn!("cannot remove the file of the sign-in code, so nobody is let in: {error}");
            }
            false
        }
    }
}

/// Whether the given code is the one in the file, which stays there.
pub async fn holds(file: &Path, given: &str) -> bool {
    if given.len() > CODE_LIMIT_BYTES {
        return false;
    }
    let kept = match tokio::fs::read_to_string(file).await {
        Ok(kept) => kept,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                tracing::warn!("cannot read the file of the sign-in code: {error}");
            }
            return false;
        }
    };
    let kept = kept.trim();
    kept.len() >= CODE_LEAST_BYTES && same_digest(&digest(given.as_bytes()), &digest(kept.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_code_works_once_also_for_many_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("code");
        let code = "0123456789abcdef0123456789abcdef";
        assert!(!redeem(&file, code).await, "no file, no code");
        std::fs::write(&file, format!("{code}\n")).unwrap();
        assert!(!redeem(&file, "0123456789abcdef0123456789abcdee").await);
        assert!(!redeem(&file, "").await);
        assert!(holds(&file, code).await && holds(&file, code).await, "looking does not use it up");
        assert!(!holds(&file, "0123456789abcdef0123456789abcdee").await);
        let tries = (0..32).map(|_| redeem(&file, code));
        let successes = futures::future::join_all(tries).await.into_iter().filter(|won| *won).count();
        assert_eq!(successes, 1);
        assert!(!file.exists());
        assert!(!holds(&file, code).await);
    }

    #[tokio::test]
    async fn an_empty_file_holds_no_code() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("code");
        std::fs::write(&file, "\n").unwrap();
        assert!(!redeem(&file, "").await);
    }
}
