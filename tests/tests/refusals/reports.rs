//! Reports that break a rule, one by one and in batches.

use crate::case::{Case, with, without};
use crate::{DISSOLVED, REPORTED, good_report, year};
use jiff::ToSpan;
use serde_json::{Value, json};
use tests::support::today;

const REPORTS: &str = "/api/v1/reports";
const BATCH: &str = "/api/v1/reports/batch";
/// The unit of the wrong reports.
pub(crate) const UNIT: &str = "bau-bang";

/// A wrong report: what it is, the report, the code, the place.
type Wrong = (&'static str, Value, &'static str, &'static str);

/// The good report with another value at a place.
fn report(pointer: &str, value: Value) -> Value {
    with(good_report(UNIT), pointer, value)
}

/// The good report with another line.
fn line(line: Value) -> Value {
    report("/lines/0", line)
}

fn rate(numerator: Value, denominator: Value) -> Value {
    line(json!({"measure": "life-skills", "numerator": numerator, "denominator": denominator}))
}

pub(crate) fn cases() -> Vec<Case> {
    let wrong = [units_and_periods(), documents(), lines(), figures()].concat();
    let mut cases: Vec<Case> = wrong
        .into_iter()
        .map(|(name, report, code, pointer)| {
            Case::post(name, REPORTS, report.to_string(), 422).naming(code, pointer)
        })
        .collect();
    for (name, revision) in [("a revision that is recorded already", 1), ("a revision too far", 3)] {
        let report = with(good_report(REPORTED), "/revision", json!(revision));
        cases.push(
            Case::post(name, REPORTS, report.to_string(), 409).naming("revision-conflict", "/revision"),
        );
    }
    let several = with(report("/unit", json!("nowhere")), "/lines/0/numerator", json!(-1));
    cases.push(
        Case::post(
            "two things wrong: the first",
            REPORTS,
            with(several, "/colour", json!("red")).to_string(),
            422,
        )
        .naming("unknown-field", "/colour"),
    );
    cases
}

fn units_and_periods() -> Vec<Wrong> {
    let next_year = today().year() + 1;
    let ahead = if next_year > 2030 { "period-outside-the-plan" } else { "period-in-the-future" };
    vec![
        ("an unknown unit", report("/unit", json!("nowhere")), "unknown-unit", "/unit"),
        ("a unit by its name", report("/unit", json!("Bàu Bàng")), "unknown-unit", "/unit"),
        ("a unit by its code", report("/unit", json!(719)), "wrong-type", "/unit"),
        ("no unit", without(good_report(UNIT), "/unit"), "missing", "/unit"),
        ("a null unit", report("/unit", Value::Null), "wrong-type", "/unit"),
        ("a dissolved unit", good_report(DISSOLVED), "unit-dissolved", "/unit"),
        ("a period before the plan", report("/period", json!("2020")), "period-outside-the-plan", "/period"),
        ("a period after the plan", report("/period", json!("2031")), "period-outside-the-plan", "/period"),
        ("a period that has not begun", report("/period", json!(next_year.to_string())), ahead, "/period"),
        ("a period that is no year", report("/period", json!("24")), "unknown-period", "/period"),
        ("a quarter", report("/period", json!("2024-Q1")), "unknown-period", "/period"),
        ("a period as a number", report("/period", json!(2024)), "wrong-type", "/period"),
        ("no period", without(good_report(UNIT), "/period"), "missing", "/period"),
        ("revision 0", report("/revision", json!(0)), "out-of-range", "/revision"),
        ("a negative revision", report("/revision", json!(-1)), "negative", "/revision"),
        ("a revision as a text", report("/revision", json!("1")), "wrong-type", "/revision"),
        ("an unknown field", report("/colour", json!("red")), "unknown-field", "/colour"),
        ("a field in capitals", report("/Unit", json!("di-an")), "unknown-field", "/Unit"),
        ("an empty history", report("/history", json!(" ")), "empty", "/history"),
        ("a history without end", report("/history", json!("x".repeat(2_001))), "too-long", "/history"),
    ]
}

fn documents() -> Vec<Wrong> {
    let date = |date: jiff::civil::Date| report("/document/date", json!(date.to_string()));
    let last_year = today().year() - 1;
    let old = with(date(today() - 40.days()), "/period", json!(last_year.to_string()));
    let new_year = jiff::civil::date(today().year(), 1, 1);
    vec![
        ("no document", without(good_report(UNIT), "/document"), "missing", "/document"),
        ("a document as a text", report("/document", json!("12/BC")), "wrong-type", "/document"),
        ("no number", without(good_report(UNIT), "/document/number"), "missing", "/document/number"),
        ("an empty number", report("/document/number", json!("")), "empty", "/document/number"),
        (
            "a number without end",
            report("/document/number", json!("x".repeat(201))),
            "too-long",
            "/document/number",
        ),
        (
            "a bell in the number",
            report("/document/number", json!("1\u{7}")),
            "control-character",
            "/document/number",
        ),
        ("no date", without(good_report(UNIT), "/document/date"), "missing", "/document/date"),
        ("a day that is not", report("/document/date", json!("2024-02-30")), "not-a-date", "/document/date"),
        (
            "a day of another order",
            report("/document/date", json!("22/11/2024")),
            "not-a-date",
            "/document/date",
        ),
        (
            "an instant",
            report("/document/date", json!("2024-11-22T00:00:00Z")),
            "not-a-date",
            "/document/date",
        ),
        ("a date as a number", report("/document/date", json!(20_241_122)), "not-a-date", "/document/date"),
        ("tomorrow", date(today() + 1.day()), "document-in-the-future", "/document/date"),
        ("before its period", date(new_year - 1.day()), "document-before-its-period", "/document/date"),
        ("old, and no word of history", old, "history-required", "/history"),
        ("a field of no document", report("/document/title", json!("x")), "unknown-field", "/document/title"),
    ]
}

fn lines() -> Vec<Wrong> {
    let one = json!({"measure": "life-skills", "numerator": 1, "denominator": 2});
    let many: Vec<Value> = vec![one.clone(); 201];
    let of = |measure: &str, field: &str, value: Value| line(json!({"measure": measure, field: value}));
    let province = with(good_report("binh-duong"), "/lines/0", one.clone());
    vec![
        ("no lines", without(good_report(UNIT), "/lines"), "missing", "/lines"),
        ("an empty list of lines", report("/lines", json!([])), "empty", "/lines"),
        ("lines as an object", report("/lines", json!({})), "wrong-type", "/lines"),
        ("a line as a number", line(json!(7)), "wrong-type", "/lines/0"),
        ("201 lines", report("/lines", json!(many)), "too-many-lines", "/lines"),
        ("a measure twice", report("/lines", json!([one, one])), "duplicate-measure", "/lines/1/measure"),
        ("no measure", line(json!({"level": 1})), "missing", "/lines/0/measure"),
        ("an unknown measure", of("happiness", "level", json!(1)), "unknown-measure", "/lines/0/measure"),
        (
            "an indicator in place of a measure",
            of("districts-literacy-2", "level", json!(2)),
            "unknown-measure",
            "/lines/0/measure",
        ),
        (
            "a measure of the province",
            of("preschool-age-5", "attained", json!(true)),
            "measure-of-another-level",
            "/lines/0/measure",
        ),
        ("a measure of districts", province, "measure-of-another-level", "/lines/0/measure"),
        ("a line without a value", line(json!({"measure": "life-skills"})), "missing", "/lines/0"),
        (
            "two kinds of value",
            line(json!({"measure": "life-skills", "numerator": 1, "denominator": 2, "level": 1})),
            "mixed-values",
            "/lines/0",
        ),
        ("a level for a rate", of("life-skills", "level", json!(2)), "value-of-another-kind", "/lines/0"),
        (
            "a rate for a level",
            line(with(json!({"measure": "primary-level", "numerator": 1}), "/denominator", json!(2))),
            "value-of-another-kind",
            "/lines/0",
        ),
        (
            "yes for a level",
            of("primary-level", "attained", json!(true)),
            "value-of-another-kind",
            "/lines/0",
        ),
        ("a level too high", of("primary-level", "level", json!(4)), "out-of-range", "/lines/0/level"),
        ("a level beyond a byte", of("primary-level", "level", json!(256)), "out-of-range", "/lines/0/level"),
        ("a negative level", of("primary-level", "level", json!(-1)), "negative", "/lines/0/level"),
        ("half a level", of("primary-level", "level", json!(1.5)), "not-a-whole-number", "/lines/0/level"),
        (
            "yes as a text",
            of("learning-district", "attained", json!("yes")),
            "wrong-type",
            "/lines/0/attained",
        ),
        ("yes as a number", of("learning-district", "attained", json!(1)), "wrong-type", "/lines/0/attained"),
        (
            "a recognition of a rate",
            with(good_report(UNIT), "/lines/0/recognised_year", json!("2024")),
            "not-a-recognition",
            "/lines/0/recognised_year",
        ),
        (
            "recognised after its period",
            line(json!({"measure": "learning-district", "attained": true,
                "recognised_year": (today().year() + 1).to_string()})),
            "recognised-after-its-period",
            "/lines/0/recognised_year",
        ),
        (
            "withdrawn, what does not stand",
            of("life-skills", "withdrawn", json!(true)),
            "nothing-to-withdraw",
            "/lines/0/withdrawn",
        ),
        (
            "withdrawn: false",
            of("life-skills", "withdrawn", json!(false)),
            "not-withdrawn",
            "/lines/0/withdrawn",
        ),
        (
            "a percentage in a line",
            with(good_report(UNIT), "/lines/0/percent", json!("50")),
            "unknown-field",
            "/lines/0/percent",
        ),
        (
            "a source without end",
            with(good_report(UNIT), "/lines/0/source", json!("x".repeat(2_001))),
            "too-long",
            "/lines/0/source",
        ),
    ]
}

fn figures() -> Vec<Wrong> {
    let numerator = "/lines/0/numerator";
    vec![
        ("more than all", rate(json!(3), json!(2)), "numerator-above-denominator", numerator),
        ("some of none", rate(json!(1), json!(0)), "numerator-above-denominator", numerator),
        ("a negative count", rate(json!(-1), json!(2)), "negative", numerator),
        ("a negative whole", rate(json!(1), json!(-2)), "negative", "/lines/0/denominator"),
        ("half a person", rate(json!(0.5), json!(2)), "not-a-whole-number", numerator),
        ("a whole number with a point", rate(json!(1.0), json!(2)), "not-a-whole-number", numerator),
        ("a count as a text", rate(json!("1"), json!(2)), "wrong-type", numerator),
        ("a count with separators", rate(json!("118.400"), json!(214_000)), "wrong-type", numerator),
        ("a null count", rate(Value::Null, json!(2)), "wrong-type", numerator),
        (
            "ten million million",
            rate(json!(1), json!(10_000_000_000_000_u64)),
            "out-of-range",
            "/lines/0/denominator",
        ),
        (
            "the same in scientific form",
            rate(json!(1), json!(1e13)),
            "not-a-whole-number",
            "/lines/0/denominator",
        ),
        (
            "one more than the largest",
            rate(json!(1), json!(1_000_000_000_001_u64)),
            "out-of-range",
            "/lines/0/denominator",
        ),
        ("the largest of 64 bits", rate(json!(u64::MAX), json!(u64::MAX)), "out-of-range", numerator),
        (
            "no denominator",
            line(json!({"measure": "life-skills", "numerator": 1})),
            "missing",
            "/lines/0/denominator",
        ),
        ("no numerator", line(json!({"measure": "life-skills", "denominator": 1})), "missing", numerator),
    ]
}

pub(crate) fn batches() -> Vec<Case> {
    let good = good_report(UNIT);
    let batch = |name: &str, body: Value, status: u16| Case::post(name, BATCH, body.to_string(), status);
    let conflict = with(good_report(REPORTED), "/revision", json!(7));
    let bad = with(good_report("thuan-an"), "/lines/0/numerator", json!(9));
    vec![
        batch("a batch that is one report", good.clone(), 422).naming("no-batch", ""),
        batch("a batch of two names", json!({"reports": [good], "more": 1}), 422).naming("no-batch", ""),
        batch("an empty batch", json!([]), 422).naming("empty", ""),
        batch("an empty batch by name", json!({"reports": []}), 422).naming("empty", "/reports"),
        batch("a good and a bad report", json!([good, bad]), 422)
            .naming("numerator-above-denominator", "/1/lines/0/numerator"),
        batch("a bad report by name", json!({"reports": [bad]}), 422)
            .naming("numerator-above-denominator", "/reports/0/lines/0/numerator"),
        batch("a report and a number", json!([good, 7]), 422).naming("wrong-type", "/1"),
        batch("a good report and a conflict", json!([good, conflict]), 409)
            .naming("revision-conflict", "/1/revision"),
        batch("more reports than a batch holds", json!(vec![json!({}); 4_097]), 413)
            .naming("too-many-reports", ""),
        Case::post("perhaps dry", &format!("{BATCH}?dry_run=perhaps"), json!([good]).to_string(), 422)
            .naming("unknown-word", "?dry_run"),
        Case::post(
            "a dry run of a bad report",
            &format!("{BATCH}?dry_run=true"),
            json!([bad]).to_string(),
            422,
        )
        .naming("numerator-above-denominator", "/0/lines/0/numerator"),
        Case::post(
            "a parameter of a batch for one",
            &format!("{REPORTS}?dry_run=true"),
            good.to_string(),
            422,
        )
        .naming("unknown-parameter", "?dry_run"),
        batch("a period of a batch", json!([with(good.clone(), "/period", json!(year() + "0"))]), 422)
            .naming("unknown-period", "/0/period"),
    ]
}
