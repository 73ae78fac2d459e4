//! Sessions: a signed cookie that says until when its holder is let in; nothing is kept on this side.

use super::channel::Channel;
use super::{digest, hexadecimal};
use axum::http::{HeaderMap, header};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::time::Duration;

/// How long a session lasts.
pub const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// What the key is for, so that the token is never used as it is.
const PURPOSE: &[u8] = b"planwatch console session v1";
const NONCE_BYTES: usize = 16;

/// Issues and recognises sessions; a new token ends all of them.
pub struct Sessions {
    key: [u8; 32],
    cookie_name: String,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sessions({})", self.cookie_name)
    }
}

impl Sessions {
    /// Derives the key from the operator's token.
    pub fn new(token: &[u8]) -> Sessions {
        let key: [u8; 32] = signature(token, PURPOSE).finalize().into_bytes().into();
        // Cookies are shared by all ports of a host: each console there needs a name of its own.
        let own: String = hexadecimal(&digest(&key)).chars().take(8).collect();
        Sessions { key, cookie_name: format!("planwatch-session-{own}") }
    }

    /// A fresh session as the value of a `Set-Cookie` header.
    pub fn issue(&self, now: Timestamp, channel: Channel) -> Result<String, getrandom::Error> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce)?;
        let life_seconds = i64::try_from(SESSION_LIFE.as_secs()).expect("twelve hours fit");
        let claim = format!("{}.{}", now.as_second().saturating_add(life_seconds), hexadecimal(&nonce));
        let mac = hexadecimal(&signature(&self.key, claim.as_bytes()).finalize().into_bytes());
        Ok(self.cookie(&format!("{claim}.{mac}"), life_seconds, channel))
    }

    /// The value of a `Set-Cookie` header that makes a browser forget its session.
    pub fn forget(&self, channel: Channel) -> String {
        self.cookie("", 0, channel)
    }

    fn cookie(&self, value: &str, life_seconds: i64, channel: Channel) -> String {
        let secure = match channel {
            Channel::Encrypted => "; Secure",
            Channel::Plain => "",
        };
        format!(
            "{}={value}; Path=/; Max-Age={life_seconds}; HttpOnly; SameSite=Strict{secure}",
            self.cookie_name
        )
    }

    /// Whether the cookies of a request hold a session that is ours and not over.
    pub fn holds(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(name, value)| name == self.cookie_name && self.is_valid(value, now))
    }

    fn is_valid(&self, value: &str, now: Timestamp) -> bool {
        let Some((claim, mac)) = value.rsplit_once('.') else { return false };
        let Some(mac) = bytes_of(mac) else { return false };
        if signature(&self.key, claim.as_bytes()).verify_slice(&mac).is_err() {
            return false;
        }
        let until = claim.split_once('.').and_then(|(until, _)| until.parse::<i64>().ok());
        until.is_some_and(|until| now.as_second() < until)
    }
}

fn signature(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    if hexadecimal.len() != 64 || !hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..hexadecimal.len())
        .step_by(2)
        .map(|at| hexadecimal.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(cookie: &str) -> HeaderMap {
        [(header::COOKIE, format!("other=1; {cookie}").parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_session_holds_for_twelve_hours_and_only_unchanged() {
        let sessions = Sessions::new(b"a token that is long enough");
        let issued: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let cookie = sessions.issue(issued, Channel::Plain).unwrap();
        assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(sessions.holds(&with(cookie), issued));
        assert!(sessions.holds(&with(cookie), at("2026-01-01T11:59:59Z")));
        assert!(!sessions.holds(&with(cookie), at("2026-01-01T12:00:00Z")));

        let (name, value) = cookie.split_once('=').unwrap();
        let mut parts: Vec<&str> = value.split('.').collect();
        let later = (parts[0].parse::<i64>().unwrap() + 1).to_string();
        parts[0] = &later;
        for forged in [
            parts.join("."),
            String::new(),
            "..".into(),
            value[..value.len() - 1].into(),
            format!("{value}ă"),
        ] {
            assert!(!sessions.is_valid(&forged, issued), "{name}={forged}");
        }
    }

    #[test]
    fn over_an_encrypted_channel_the_cookie_stays_on_one() {
        let sessions = Sessions::new(b"a token that is long enough");
        let issued = sessions.issue(Timestamp::UNIX_EPOCH, Channel::Encrypted).unwrap();
        for cookie in [issued, sessions.forget(Channel::Encrypted)] {
            assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
        }
        assert!(!sessions.forget(Channel::Plain).contains("Secure"));
    }

    #[test]
    fn another_token_ends_every_session() {
        let now = Timestamp::UNIX_EPOCH;
        let cookie = Sessions::new(b"one token, and a long one").issue(now, Channel::Plain).unwrap();
        let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
        assert!(Sessions::new(b"one token, and a long one").is_valid(&value, now));
        assert!(!Sessions::new(b"another token, and long").is_valid(&value, now));
    }
}
