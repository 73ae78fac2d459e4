//! Questions that cannot be answered, and doors that stay shut.

use crate::case::Case;
use crate::{Ground, good_report, reports};
use jiff::ToSpan;
use tests::support::today;

/// Questions that the rules refuse: the code and the parameter that are named, what is wrong, what is asked.
const UNANSWERABLE: &[(&str, &str, &str, &str)] = &[
    ("unknown-parameter", "?asof", "an unknown parameter", "/status?asof=2024-01-01"),
    ("unknown-parameter", "?x", "one of a series", "/series?unit=di-an&indicator=life-skills&x=1"),
    ("unknown-parameter", "?as_of", "an unknown parameter of alerts", "/alerts?as_of=2024-01-01"),
    ("unknown-parameter", "?after", "an unknown parameter of events", "/events?after=1"),
    ("doubled-parameter", "?unit", "a parameter twice", "/status?unit=di-an&unit=thuan-an"),
    ("unknown-unit", "?unit", "an unknown unit asked for", "/status?unit=nowhere"),
    ("unknown-unit", "?unit", "a unit asked for by its name", "/status?unit=D%C4%A9%20An"),
    ("unknown-unit", "?unit", "an unknown unit's alerts", "/alerts?unit=nowhere"),
    ("unknown-indicator", "?indicator", "an unknown indicator", "/status?indicator=happiness"),
    ("unknown-word", "?state", "an unknown state", "/alerts?state=open"),
    ("missing", "?unit", "no unit of a series", "/series?indicator=life-skills"),
    ("missing", "?indicator", "no indicator of a series", "/series?unit=di-an"),
    ("no-such-cell", "?indicator", "a cell that is none", "/series?unit=di-an&indicator=learning-province"),
    (
        "no-such-cell",
        "?indicator",
        "why of a cell that is none",
        "/explain?unit=di-an&indicator=learning-province",
    ),
    ("missing", "?from", "a difference without a beginning", "/diff?to=2025-01-01"),
    ("reversed-interval", "?from", "a reversed interval", "/diff?from=2025-02-01&to=2025-01-01"),
    ("reversed-interval", "?from_position", "reversed positions", "/diff?from_position=9&to_position=8"),
    ("doubled-parameter", "?to_position", "two ends", "/diff?from=2025-01-01&to=2025-02-01&to_position=8"),
    ("unknown-unit", "?unit", "findings of an unknown unit", "/findings?unit=nowhere"),
    ("unknown-indicator", "?indicator", "targets of an unknown indicator", "/targets?indicator=happiness"),
    ("not-a-number", "?at_least", "a negative position", "/status?at_least=-1"),
    ("not-a-number", "?at_least", "a position in words", "/status?at_least=head"),
    ("not-a-number", "?at_least", "a position beyond 64 bits", "/status?at_least=99999999999999999999"),
    ("not-a-number", "?from", "a position before the first", "/events?from=-1"),
    ("not-a-number", "?limit", "a page of none", "/events?limit=0"),
    ("not-a-number", "?limit", "a page too large", "/events?limit=1001"),
];

pub(crate) fn cases() -> Vec<Case> {
    let tomorrow = today() + 1.day();
    let mut cases = Vec::new();
    for parameter in ["as_of", "known_at"] {
        for (name, value, code) in [
            ("a day that is not", "2024-02-30", Some("not-a-date")),
            ("garbage", "garbage", Some("not-a-date")),
            ("a day without dashes", "20240229", Some("not-a-date")),
            ("an instant without a zone", "2024-02-29T00:00:00", Some("not-a-date")),
            ("tomorrow", &tomorrow.to_string(), None),
        ] {
            let pointer = format!("?{parameter}");
            for path in ["/api/v1/status?", "/api/v1/series?unit=di-an&indicator=life-skills&"] {
                let case =
                    Case::get(&format!("{parameter}: {name}"), &format!("{path}{parameter}={value}"), 422);
                cases.push(match code {
                    Some(code) => case.naming(code, pointer.clone()),
                    None => case,
                });
            }
        }
    }
    for (code, pointer, name, target) in UNANSWERABLE {
        cases.push(Case::get(name, &format!("/api/v1{target}"), 422).naming(code, *pointer));
    }
    let long = format!("/api/v1/status?unit={}", "x".repeat(600));
    cases.push(Case::get("a value without end", &long, 422).naming("too-long", "?unit"));
    let largest = format!("/api/v1/alerts?at_least={}", u64::MAX);
    let each = [
        (422, "garbled letters in a parameter", "/api/v1/status?unit=%ff"),
        (504, "a position far beyond the head", "/api/v1/status?at_least=999999999"),
        (504, "the largest position", &largest),
        (404, "an unknown event", "/api/v1/events/00000000-0000-7000-8000-000000000000"),
        (404, "an event that is no id", "/api/v1/events/7"),
        (404, "an event of garbled letters", "/api/v1/events/%ff"),
        (404, "an unknown route", "/api/v1/nothing"),
        (404, "an unknown route at the top", "/nothing"),
        (404, "a route with a slash behind it", "/api/v1/status/"),
        (404, "a way out of the tree", "/api/v1/../../etc/passwd"),
        (404, "another version", "/api/v2/status"),
    ];
    cases.extend(each.map(|(status, name, target)| Case::get(name, target, status)));
    cases
}

pub(crate) fn doors(ground: &Ground) -> Vec<Case> {
    let report = good_report(reports::UNIT).to_string();
    let mut cases = Vec::new();
    for path in ["/api/v1/status", "/api/v1/events?from=1", "/api/v1/alerts", "/api/v1/stream"] {
        cases.push(Case::get(&format!("no token for {path}"), path, 401).without_token());
    }
    let post = |name: &str| Case::post(name, "/api/v1/reports", report.clone(), 401).without_token();
    cases.extend([
        post("no token for a report"),
        post("a wrong token").with_header("authorization", "Bearer 0123456789abcdef0123456789abcdef"),
        post("an empty token").with_header("authorization", "Bearer "),
        post("a token without its scheme").with_header("authorization", ground.token.clone()),
        post("a token of another scheme").with_header("authorization", format!("Basic {}", ground.token)),
        post("half a token")
            .with_header("authorization", format!("Bearer {}", &ground.token[..ground.token.len() / 2])),
        post("a token that is not ASCII").with_header("authorization", "Bearer khoá".as_bytes()),
        post("a session that was never given").with_header("cookie", "planwatch_session=0123456789abcdef"),
        Case::post("another host", "/api/v1/reports", report.clone(), 421).with_header("host", "example.com"),
    ]);
    let wrong_methods = [
        ("DELETE", "/api/v1/reports"),
        ("PUT", "/api/v1/reports"),
        ("PATCH", "/api/v1/targets"),
        ("GET", "/api/v1/reports"),
        ("GET", "/api/v1/reports/batch"),
        ("POST", "/api/v1/status"),
        ("POST", "/api/v1/events"),
        ("DELETE", "/api/v1/events/00000000-0000-7000-8000-000000000000"),
        ("BREW", "/api/v1/status"),
    ];
    for (method, path) in wrong_methods {
        let case = Case::post(&format!("{method} {path}"), path, report.clone(), 405);
        cases.push(case.with_method(method));
    }
    cases
}
