//! Bodies and headers that are wrong whatever is asked for.

use crate::case::{Case, with};
use crate::{REPORTED, TAKEN_KEY, good_report, reports};
use serde_json::json;

const REPORTS: &str = "/api/v1/reports";
/// The largest body of a request for one thing, and of a batch, in bytes.
const BODY_LIMIT_BYTES: usize = 256 * 1024;
const BATCH_BODY_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// A body in chunks, as `Transfer-Encoding: chunked` sends it.
fn in_chunks(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(16 * 1024) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

pub(crate) fn cases() -> Vec<Case> {
    let good = good_report(reports::UNIT).to_string();
    // A part of the good report written in another way.
    let written = |part: &str, otherwise: &str| {
        assert!(good.contains(part), "{part} is in {good}");
        good.replacen(part, otherwise, 1)
    };
    let unreadable: Vec<(&str, Vec<u8>)> = vec![
        ("an empty body", Vec::new()),
        ("blanks", b"  \n ".to_vec()),
        ("a body that ends too early", good.as_bytes()[..good.len() - 1].to_vec()),
        ("a body with something after it", format!("{good} {{}}").into_bytes()),
        ("a trailing comma", written("}],", "},],").into_bytes()),
        ("single quotes", good.replace('"', "'").into_bytes()),
        ("a comment", format!("// a report\n{good}").into_bytes()),
        ("a byte-order mark", format!("\u{feff}{good}").into_bytes()),
        ("invalid UTF-8", [b"{\"unit\": \"".as_slice(), &[0xff, 0xfe], b"\"}"].concat()),
        ("UTF-8 cut in a letter", [b"{\"unit\": \"".as_slice(), &"Ộ".as_bytes()[..2], b"\"}"].concat()),
        ("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("half of a surrogate pair", br#"{"unit": "\ud83d"}"#.to_vec()),
        ("a NUL", b"{\"unit\": \"a\0b\"}".to_vec()),
        ("nothing but NULs", vec![0; 64]),
        ("nesting without end", [vec![b'['; 10_000], vec![b']'; 10_000]].concat()),
        ("NaN", written("\"numerator\":1", "\"numerator\":NaN").into_bytes()),
        ("a number beyond all bounds", written("\"numerator\":1", "\"numerator\":1e999").into_bytes()),
        ("a leading zero", written("\"numerator\":1", "\"numerator\":01").into_bytes()),
        ("a plus sign", written("\"numerator\":1", "\"numerator\":+1").into_bytes()),
        ("a form", b"unit=di-an&period=2024".to_vec()),
        ("CSV", b"unit,period\ndi-an,2024\n".to_vec()),
    ];
    let mut cases: Vec<Case> = unreadable
        .into_iter()
        .map(|(name, body)| Case::post(name, REPORTS, body, 400).naming("malformed", ""))
        .collect();
    for (name, body) in
        [("a list", "[]"), ("a number", "7"), ("null", "null"), ("a text", "\"di-an\""), ("true", "true")]
    {
        cases.push(Case::post(name, REPORTS, body, 422).naming("wrong-type", ""));
    }
    for (name, media_type) in [
        ("plain text", "text/plain"),
        ("a form by its type", "application/x-www-form-urlencoded"),
        ("CSV by its type", "text/csv"),
        ("another charset", "application/json; charset=windows-1258"),
        ("no media type at all", "json"),
    ] {
        let case = Case::post(name, REPORTS, good.clone(), 415).without_header("content-type");
        cases.push(case.with_header("content-type", media_type));
    }
    cases.push(
        Case::post("nothing said of the type", REPORTS, good.clone(), 415).without_header("content-type"),
    );

    let large = |limit: usize| [good.as_bytes(), &vec![b' '; limit + 1 - good.len()]].concat();
    cases.extend([
        Case::post("a byte too much", REPORTS, large(BODY_LIMIT_BYTES), 413).naming("too-large", ""),
        Case::post("too much in chunks", REPORTS, in_chunks(&large(BODY_LIMIT_BYTES)), 413)
            .chunked()
            .naming("too-large", ""),
        Case::post("a target change that is too large", "/api/v1/targets", large(BODY_LIMIT_BYTES), 413),
        Case::post("a batch that is too large", "/api/v1/reports/batch", large(BATCH_BODY_LIMIT_BYTES), 413)
            .naming("too-large", ""),
        Case::post("chunks that are none", REPORTS, b"zz\r\n{}\r\n0\r\n\r\n".to_vec(), 400).chunked(),
    ]);

    let twice = |name: &str, body: String, pointer: &str| {
        Case::post(name, REPORTS, body, 422).naming("duplicate-key", pointer)
    };
    cases.extend([
        twice("a key twice", good.replacen('{', "{\"unit\":\"thuan-an\",", 1), "/unit"),
        twice(
            "the same value twice",
            good.replacen('{', "{\"period\":\"2024\",\"period\":\"2024\",", 1),
            "/period",
        ),
        twice(
            "a key twice in a line",
            written("\"numerator\":1", "\"numerator\":1,\"numerator\":2"),
            "/lines/0/numerator",
        ),
    ]);

    let keyed = |name: &str, key: &[u8]| {
        Case::post(name, REPORTS, good.clone(), 422)
            .with_header("idempotency-key", key)
            .naming("bad-idempotency-key", "")
    };
    let other = with(good_report(REPORTED), "/lines/0/numerator", json!(2)).to_string();
    cases.extend([
        keyed("a key that is too long", &[b'k'; 129]),
        keyed("an empty key", b""),
        keyed("a key that is not ASCII", "khoá".as_bytes()),
        keyed("a key with a tab", b"a\tb"),
        keyed("two keys", b"one").with_header("idempotency-key", "two"),
        Case::post("a key that is bound to another body", REPORTS, other, 409)
            .with_header("idempotency-key", TAKEN_KEY)
            .naming("idempotency-key-reused", ""),
    ]);
    cases
}
