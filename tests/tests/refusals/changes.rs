//! Target changes, unit changes and acknowledgements that break a rule.

use crate::case::{Case, with, without};
use crate::{DISSOLVED, Ground};
use jiff::ToSpan;
use serde_json::{Value, json};
use tests::support::today;

type Wrong = (&'static str, Value, &'static str, &'static str);

/// A target change that would be taken.
pub(crate) fn good_target() -> Value {
    json!({
        "indicator": "life-skills", "unit": "di-an", "review": "2030", "percent": "75.5",
        "effective": today().to_string(), "instrument": "12/QĐ-UBND",
    })
}

/// A unit change that would be taken.
pub(crate) fn good_unit() -> Value {
    json!({
        "unit": "ben-cat", "change": "rename", "name": "Bến Cát mới", "effective": today().to_string(),
        "instrument": "1/NQ",
    })
}

fn refused(path: &str, wrong: Vec<Wrong>) -> Vec<Case> {
    let case = |(name, body, code, pointer): Wrong| {
        Case::post(name, path, body.to_string(), 422).naming(code, pointer)
    };
    wrong.into_iter().map(case).collect()
}

pub(crate) fn targets() -> Vec<Case> {
    let target = |pointer: &str, value: Value| with(good_target(), pointer, value);
    let valued =
        |field: &str, value: Value| with(without(good_target(), "/percent"), &format!("/{field}"), value);
    let percent = |percent: &str| target("/percent", json!(percent));
    let share = with(good_target(), "/indicator", json!("districts-literacy-2"));
    let over = with(target("/review", json!("2025")), "/effective", json!("2026-01-01"));
    let own = |value: Value| without(value, "/unit");
    let mut cases = refused(
        "/api/v1/targets",
        vec![
            ("no instrument", without(good_target(), "/instrument"), "missing", "/instrument"),
            ("an empty instrument", target("/instrument", json!("  ")), "empty", "/instrument"),
            ("no effective date", without(good_target(), "/effective"), "missing", "/effective"),
            (
                "an effective day that is not",
                target("/effective", json!("2024-02-30")),
                "not-a-date",
                "/effective",
            ),
            (
                "effective before the plan",
                target("/effective", json!("2022-03-15")),
                "before-the-plan",
                "/effective",
            ),
            ("a review that is over", over, "review-is-over", "/effective"),
            ("no indicator", without(good_target(), "/indicator"), "missing", "/indicator"),
            (
                "an unknown indicator",
                target("/indicator", json!("happiness")),
                "unknown-indicator",
                "/indicator",
            ),
            ("an unknown review", target("/review", json!("2027")), "unknown-review", "/review"),
            ("a review as a number", target("/review", json!(2030)), "wrong-type", "/review"),
            ("an unknown unit of a target", target("/unit", json!("nowhere")), "unknown-unit", "/unit"),
            ("a null unit of a target", target("/unit", Value::Null), "wrong-type", "/unit"),
            ("the province named", target("/unit", json!("binh-duong")), "province-named", "/unit"),
            ("a dissolved unit's target", target("/unit", json!(DISSOLVED)), "unit-dissolved", "/unit"),
            ("a unit's target of a share", share, "no-target-of-its-own", "/unit"),
            ("more than a hundred percent", percent("999.99"), "not-a-percentage", "/percent"),
            ("a hundredth more than all", percent("100.01"), "not-a-percentage", "/percent"),
            ("a decimal comma", percent("55,5"), "not-a-percentage", "/percent"),
            ("three places", percent("55.555"), "not-a-percentage", "/percent"),
            ("a negative percentage", percent("-1"), "not-a-percentage", "/percent"),
            ("a percent sign", percent("55%"), "not-a-percentage", "/percent"),
            ("an exponent", percent("5e1"), "not-a-percentage", "/percent"),
            ("an empty percentage", percent(""), "empty", "/percent"),
            ("a percentage as a number", target("/percent", json!(55)), "wrong-type", "/percent"),
            ("no value", without(good_target(), "/percent"), "missing", "/percent"),
            ("two values", target("/level", json!(2)), "mixed-values", ""),
            ("a level for a rate's target", valued("level", json!(2)), "value-of-another-kind", "/level"),
            (
                "yes for a rate's target",
                valued("attained", json!(true)),
                "value-of-another-kind",
                "/attained",
            ),
            (
                "a target withdrawn that is not there",
                valued("withdrawn", json!(true)),
                "nothing-to-withdraw",
                "/withdrawn",
            ),
            (
                "withdrawn: false, of a target",
                valued("withdrawn", json!(false)),
                "not-withdrawn",
                "/withdrawn",
            ),
            (
                "the province's target withdrawn",
                own(valued("withdrawn", json!(true))),
                "province-target-stays",
                "/withdrawn",
            ),
            ("revision 0 of a target", target("/revision", json!(0)), "out-of-range", "/revision"),
            ("an unknown field of a target", target("/mark", json!("M")), "unknown-field", "/mark"),
            ("a reason without end", target("/reason", json!("x".repeat(2_001))), "too-long", "/reason"),
        ],
    );
    cases.push(
        Case::post(
            "a wrong revision of a target",
            "/api/v1/targets",
            target("/revision", json!(2)).to_string(),
            409,
        )
        .naming("revision-conflict", "/revision"),
    );
    cases.push(Case::post("a target that is a list", "/api/v1/targets", "[]", 422).naming("wrong-type", ""));
    cases.push(Case::post("a target that is no JSON", "/api/v1/targets", "{", 400).naming("malformed", ""));
    cases
}

pub(crate) fn units() -> Vec<Case> {
    let unit = |pointer: &str, value: Value| with(good_unit(), pointer, value);
    let change = |kind: &str| unit("/change", json!(kind));
    let merge = |id: &str, into: &str| {
        let merged = with(without(change("merge"), "/name"), "/into", json!(into));
        with(merged, "/unit", json!(id))
    };
    let share = |numerator: u64, denominator: u64| {
        let share = json!({"numerator": numerator, "denominator": denominator});
        with(merge("ben-cat", "di-an"), "/share", share)
    };
    let on_no_day = with(merge("ben-cat", "di-an"), "/effective", json!("2026-02-29"));
    let split = |into: Value| with(without(change("split"), "/name"), "/into", into);
    let establish = |id: &str| {
        let new = with(change("establish"), "/name", json!({"vi": "Phường Mới", "en": "New ward"}));
        with(with(with(new, "/unit", json!(id)), "/type", json!("ward")), "/code", json!("25760"))
    };
    let dissolve = |id: &str| with(unit("/unit", json!(id)), "/change", json!("dissolve"));
    let mut cases = refused(
        "/api/v1/units",
        vec![
            ("an unknown change", unit("/change", json!("explode")), "unknown-change", "/change"),
            ("no change", without(good_unit(), "/change"), "missing", "/change"),
            ("no name", without(good_unit(), "/name"), "missing", "/name"),
            ("no type", with(good_unit(), "/change", json!("retype")), "missing", "/type"),
            ("no code", with(good_unit(), "/change", json!("recode")), "missing", "/code"),
            ("an unknown unit that changes", unit("/unit", json!("nowhere")), "unknown-unit", "/unit"),
            (
                "a change before the plan",
                unit("/effective", json!("2022-03-15")),
                "before-the-plan",
                "/effective",
            ),
            ("a change without a date", without(good_unit(), "/effective"), "missing", "/effective"),
            ("a change without an instrument", without(good_unit(), "/instrument"), "missing", "/instrument"),
            ("the province dissolved", without(dissolve("binh-duong"), "/name"), "province-stays", "/change"),
            ("dissolved twice", without(dissolve(DISSOLVED), "/name"), "unit-dissolved", "/unit"),
            ("a dissolved unit renamed", unit("/unit", json!(DISSOLVED)), "unit-dissolved", "/unit"),
            ("a dissolution with a name", dissolve("ben-cat"), "unknown-field", "/name"),
            ("merged into itself", merge("ben-cat", "ben-cat"), "into-itself", "/into"),
            ("merged into nobody", without(merge("ben-cat", "di-an"), "/into"), "missing", "/into"),
            ("merged into an unknown unit", merge("ben-cat", "nowhere"), "unknown-unit", "/into"),
            ("an unknown unit merged", merge("nowhere", "ben-cat"), "unknown-unit", "/unit"),
            ("merged into the province", merge("ben-cat", "binh-duong"), "not-a-district", "/into"),
            ("the province merged", merge("binh-duong", "ben-cat"), "province-stays", "/change"),
            ("merged into a dissolved unit", merge("ben-cat", DISSOLVED), "unit-dissolved", "/into"),
            ("a dissolved unit merged", merge(DISSOLVED, "ben-cat"), "unit-dissolved", "/unit"),
            ("a share of nothing", share(1, 0), "zero-share", "/share/denominator"),
            ("a share of more than all", share(3, 2), "share-over-one", "/share"),
            ("merged on a day that is not", on_no_day, "not-a-date", "/effective"),
            ("split into one", split(json!([{"unit": "di-an"}])), "too-few", "/into"),
            (
                "split into one twice",
                split(json!([{"unit": "di-an"}, {"unit": "di-an"}])),
                "named-twice",
                "/into/1/unit",
            ),
            (
                "split into one that is not established",
                split(json!([{"unit": "di-an"}, {"unit": "phuong-moi"}])),
                "unknown-unit",
                "/into/1/unit",
            ),
            (
                "shares over all",
                split(json!([
                    {"unit": "di-an", "share": {"numerator": 2, "denominator": 3}},
                    {"unit": "thuan-an", "share": {"numerator": 1, "denominator": 2}},
                ])),
                "shares-over-one",
                "/into",
            ),
            ("established twice", establish("di-an"), "unit-exists", "/unit"),
            ("established after its end", establish(DISSOLVED), "unit-exists", "/unit"),
            (
                "established before the plan",
                with(establish("phuong-moi"), "/effective", json!("2022-03-15")),
                "before-the-plan",
                "/effective",
            ),
            (
                "established in one language",
                with(establish("phuong-moi"), "/name", json!("Phường Mới")),
                "wrong-type",
                "/name",
            ),
            (
                "established in a district",
                with(establish("phuong-moi"), "/parent", json!("di-an")),
                "not-a-province",
                "/parent",
            ),
            (
                "moved within the one province",
                with(without(change("move"), "/name"), "/parent", json!("binh-duong")),
                "no-other-province",
                "/parent",
            ),
            ("an unknown field of a unit", unit("/population", json!(1)), "unknown-field", "/population"),
        ],
    );
    cases.push(
        Case::post(
            "a wrong revision of a unit",
            "/api/v1/units",
            unit("/revision", json!(7)).to_string(),
            409,
        )
        .naming("revision-conflict", "/revision"),
    );
    cases
}

pub(crate) fn acknowledgements(ground: &Ground) -> Vec<Case> {
    let path = |alert: &str| format!("/api/v1/alerts/{alert}/ack");
    let firing = path(&ground.firing);
    let note = json!({"note": "a visit next week"}).to_string();
    let review = |day: &str| json!({"note": "seen", "review_by": day}).to_string();
    let unknown = path("00000000-0000-5000-8000-000000000000");
    vec![
        Case::post("an unknown alert", &unknown, note.clone(), 404).naming("unknown-alert", ""),
        Case::post("an alert that is no id", &path("7"), note.clone(), 404).naming("unknown-alert", ""),
        Case::post("an alert of garbled letters", &path("%ff"), note.clone(), 404),
        Case::post("an alert that is over", &path(&ground.resolved), note.clone(), 422)
            .naming("not-open", ""),
        Case::post("no note", &firing, "{}", 422).naming("missing", "/note"),
        Case::post("an empty note", &firing, json!({"note": " "}).to_string(), 422).naming("empty", "/note"),
        Case::post("a note without end", &firing, json!({"note": "x".repeat(2_001)}).to_string(), 422)
            .naming("too-long", "/note"),
        Case::post("a note as a number", &firing, json!({"note": 7}).to_string(), 422)
            .naming("wrong-type", "/note"),
        Case::post("a review in the past", &firing, review(&(today() - 1.day()).to_string()), 422)
            .naming("in-the-past", "/review_by"),
        Case::post("a review on no day", &firing, review("2024-02-30"), 422)
            .naming("not-a-date", "/review_by"),
        Case::post("an unknown field of a note", &firing, json!({"note": "x", "by": "me"}).to_string(), 422)
            .naming("unknown-field", "/by"),
        Case::post("an acknowledgement that is no JSON", &firing, "seen", 400).naming("malformed", ""),
        Case::post("a parameter of an acknowledgement", &format!("{firing}?note=x"), note, 422)
            .naming("unknown-parameter", "?note"),
    ]
}
