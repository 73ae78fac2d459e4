//! Who may come in: the operator's token, the session that follows a sign-in, the hosts that are answered.

pub mod channel;
pub mod code;
pub mod host;
pub mod origin;
pub mod session;

use crate::problem::Problem;
use axum::http::{HeaderMap, Method, header};
use events::ActorId;
use host::Hosts;
use jiff::Timestamp;
use session::Sessions;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The shortest token that is accepted, in bytes: shorter ones can be guessed.
pub const TOKEN_LEAST_BYTES: usize = 16;
/// The longest token that is accepted, in bytes.
pub const TOKEN_LIMIT_BYTES: usize = 1_024;

/// Why a token file is of no use.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("cannot read the token file `{}`: write a random token into it, readable by this user only", file.display())]
    Read {
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What is in the file is no token.
    #[error(
        "the token in `{}` must be {TOKEN_LEAST_BYTES} to {TOKEN_LIMIT_BYTES} printable characters on one line: write 32 random bytes in hexadecimal",
        file.display()
    )]
    Unfit {
        /// Which file.
        file: PathBuf,
    },
}

/// Who asks, as established from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// An id that names no person.
    pub id: ActorId,
    /// Whether documents older than the bound may be entered as history.
    pub may_enter_history: bool,
}

/// The doors of the console.
#[derive(Debug)]
pub struct Access {
    token_digest: [u8; 32],
    sessions: Sessions,
    operator: Actor,
    hosts: Hosts,
    code_file: PathBuf,
}

impl Access {
    /// Reads the operator's token and derives everything else from it.
    pub fn new(token_file: &Path, code_file: &Path, hosts: Hosts) -> Result<Access, TokenError> {
        let token = read_token(token_file)?;
        let token_digest = digest(token.as_bytes());
        let short: String = hexadecimal(&token_digest).chars().take(12).collect();
        let id = ActorId::parse(&format!("operator-{short}")).expect("hexadecimal digits make an identifier");
        Ok(Access {
            token_digest,
            sessions: Sessions::new(token.as_bytes()),
            operator: Actor { id, may_enter_history: true },
            hosts,
            code_file: code_file.to_owned(),
        })
    }

    /// The file that holds the code of the one-time link.
    pub fn code_file(&self) -> &Path {
        &self.code_file
    }

    /// Which hosts are answered.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The sessions of those who signed in.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Whether a text is the operator's token, told in a time that does not depend on it.
    pub fn is_token(&self, text: &str) -> bool {
        same_digest(&digest(text.as_bytes()), &self.token_digest)
    }

    /// Establishes who asks, from the token or else from the session.
    pub fn identify(&self, method: &Method, headers: &HeaderMap, now: Timestamp) -> Result<Actor, Problem> {
        if let Some(authorization) = headers.get(header::AUTHORIZATION) {
            let token = authorization.to_str().ok().and_then(bearer_token);
            return match token {
                Some(token) if self.is_token(token) => Ok(self.operator.clone()),
                _ => Err(Problem::unauthorized(
                    "the token is not valid: send `Authorization: Bearer …` with the content of the operator's token file",
                )),
            };
        }
        if !self.sessions.holds(headers, now) {
            return Err(Problem::unauthorized(
                "no token and no session: send `Authorization: Bearer …` with the content of the operator's token file, or sign in at /sign-in",
            ));
        }
        if !method.is_safe() && !origin::is_own(headers) {
            return Err(Problem::forbidden(
                "a session acts only from the console's own pages: another site, or no site at all, sent this request; use the token instead",
            ));
        }
        Ok(self.operator.clone())
    }
}

fn bearer_token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn read_token(file: &Path) -> Result<String, TokenError> {
    let token =
        std::fs::read_to_string(file).map_err(|source| TokenError::Read { file: file.to_owned(), source })?;
    let token = token.trim();
    let fits = (TOKEN_LEAST_BYTES..=TOKEN_LIMIT_BYTES).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(token.to_owned()) } else { Err(TokenError::Unfit { file: file.to_owned() }) }
}

/// SHA-256 of some bytes.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Whether two digests are the same; looks at every byte whatever it finds.
pub fn same_digest(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.iter().zip(right).fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
}

/// Writes bytes as lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes every character");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn access() -> Access {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("operator.token");
        std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
        Access::new(&file, &folder.path().join("code"), Hosts::any()).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let parsed =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()));
        parsed.collect()
    }

    #[test]
    fn the_token_opens_and_nothing_else_does() {
        let (access, now) = (access(), Timestamp::UNIX_EPOCH);
        for right in [format!("Bearer {TOKEN}"), format!("bearer {TOKEN}")] {
            let actor = access.identify(&Method::POST, &headers(&[("authorization", &right)]), now).unwrap();
            assert!(actor.id.as_str().starts_with("operator-"));
            assert_eq!(actor.id.as_str().len(), "operator-".len() + 12);
        }
        for wrong in [
            format!("Basic {TOKEN}"),
            format!("Bearer {TOKEN}0"),
            "Bearer".into(),
            "Bearer ".into(),
            TOKEN.into(),
        ] {
            let refused =
                access.identify(&Method::GET, &headers(&[("authorization", &wrong)]), now).unwrap_err();
            assert_eq!(refused.status().as_u16(), 401, "{wrong}");
        }
        assert!(access.identify(&Method::GET, &headers(&[]), now).is_err());
    }

    #[test]
    fn a_session_acts_only_from_the_own_origin() {
        let (access, now) = (access(), Timestamp::UNIX_EPOCH);
        let cookie = access.sessions().issue(now, channel::Channel::Plain).unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let with = |more: &[(&'static str, &str)]| {
            let mut all = vec![("cookie", cookie.as_str()), ("host", "localhost:8080")];
            all.extend_from_slice(more);
            headers(&all)
        };
        assert!(access.identify(&Method::GET, &with(&[]), now).is_ok());
        for own in [("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080")] {
            assert!(access.identify(&Method::POST, &with(&[own]), now).is_ok(), "{own:?}");
        }
        for foreign in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "http://localhost:9090"),
            ("origin", "null"),
            ("x-nothing", "said"),
        ] {
            let refused = access.identify(&Method::POST, &with(&[foreign]), now).unwrap_err();
            assert_eq!(refused.status().as_u16(), 403, "{foreign:?}");
        }
    }

    #[test]
    fn a_token_file_that_is_of_no_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("operator.token");
        let open = || Access::new(&file, &file, Hosts::any());
        assert!(matches!(open(), Err(TokenError::Read { .. })));
        for unfit in
            ["", "short", "two words are none here", "line-one-of-two\nline-two-of-two", &"x".repeat(2_000)]
        {
            std::fs::write(&file, unfit).unwrap();
            assert!(matches!(open(), Err(TokenError::Unfit { .. })), "{unfit:?}");
        }
    }
}
