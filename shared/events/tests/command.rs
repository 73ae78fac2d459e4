//! The readers of requests: every wrong field is named by its pointer, with a code that programs may rely on.

#![expect(clippy::unwrap_used, reason = "what a test takes for granted may fail it")]

use events::command::{
    self, AcknowledgeAlert, COUNT_LIMIT, ChangeTarget, ChangeUnit, LINES_LIMIT, SubmitReport,
    TEXT_LIMIT_CHARS, TITLE_LIMIT_CHARS,
};
use events::{
    FieldError, LineValue, Percent, Period, RefusalKind, Share, Successor, TargetValue, UnitChange, UnitId,
    UnitName,
};
use serde_json::{Value, json};

fn report() -> Value {
    json!({
        "unit": "thu-dau-mot",
        "period": "2024",
        "document": {"number": "215/BC-UBND", "date": "2024-11-22"},
        "lines": [
            {"measure": "information-literacy", "numerator": 118_400, "denominator": 214_000, "source": "khảo sát"},
            {"measure": "lower-secondary-level", "level": 2},
            {"measure": "learning-district", "attained": true}
        ]
    })
}

fn target() -> Value {
    json!({
        "indicator": "life-skills", "unit": "di-an", "review": "2025", "percent": "55",
        "effective": "2024-03-01", "instrument": "512/QĐ-UBND", "reason": "theo đề nghị của thành phố"
    })
}

fn unit_change() -> Value {
    json!({
        "unit": "ben-cat", "change": "retype", "type": "city",
        "effective": "2024-05-01", "instrument": "Nghị quyết"
    })
}

/// The body with one field set, or with `null` in its place taken out.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    let fields = body.as_object_mut().unwrap();
    if value.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.to_owned(), value);
    }
    body
}

fn with_line(line: Value) -> Value {
    with(report(), "lines", json!([line]))
}

fn with_document(document: Value) -> Value {
    with(report(), "document", document)
}

/// The errors as `pointer code`, each with a reason and a remedy.
fn named<T: std::fmt::Debug>(read: Result<T, Vec<FieldError>>) -> Vec<String> {
    read.unwrap_err()
        .into_iter()
        .map(|error| {
            assert!(!error.reason.is_empty() && !error.remedy.is_empty(), "{error:?}");
            format!("{} {}", error.pointer, error.code)
        })
        .collect()
}

fn check<T: std::fmt::Debug>(
    read: fn(&Value) -> Result<T, Vec<FieldError>>,
    cases: impl IntoIterator<Item = (Value, &'static [&'static str])>,
) {
    for (body, expected) in cases {
        assert_eq!(named(read(&body)), expected, "{body}");
    }
}

#[test]
fn a_good_report_reads() {
    let read = SubmitReport::read(&report()).unwrap();
    assert_eq!((read.unit.as_str(), read.period, read.revision), ("thu-dau-mot", Period(2024), None));
    assert_eq!(read.lines[0].value, LineValue::Rate { numerator: 118_400, denominator: 214_000 });
    assert_eq!(read.lines[1].value, LineValue::Level { level: 2 });
    assert_eq!(read.lines[2].value, LineValue::Attained { attained: true, recognised_year: None });

    let zero = json!({"measure": "life-skills", "numerator": 0, "denominator": 0});
    assert!(SubmitReport::read(&with_line(zero)).is_ok(), "0 of 0 says that none exist");
    let largest = json!({"measure": "life-skills", "numerator": COUNT_LIMIT, "denominator": COUNT_LIMIT});
    assert!(SubmitReport::read(&with_line(largest)).is_ok());
    for year in [json!(2023), json!("2023")] {
        let line = json!({"measure": "learning-district", "attained": true, "recognised_year": year});
        let read = SubmitReport::read(&with_line(line)).unwrap();
        let expected = LineValue::Attained { attained: true, recognised_year: Some(Period(2023)) };
        assert_eq!(read.lines[0].value, expected);
    }
    let taken_back = json!({"measure": "life-skills", "withdrawn": true});
    assert_eq!(SubmitReport::read(&with_line(taken_back)).unwrap().lines[0].value, LineValue::WITHDRAWN);
    let read = SubmitReport::read(&with(report(), "history", json!("  giấy \n cũ  "))).unwrap();
    assert_eq!(
        read.history.as_deref(),
        Some("giấy \n cũ"),
        "trimmed, and a new line is no control character"
    );
}

#[test]
fn a_wrong_rate_is_named() {
    let rate = |numerator: Value, denominator: Value| {
        with_line(json!({"measure": "life-skills", "numerator": numerator, "denominator": denominator}))
    };
    check(
        SubmitReport::read,
        [
            (rate(json!(-1), json!(10)), &["/lines/0/numerator negative"] as &[&str]),
            (rate(json!(1), json!(-10)), &["/lines/0/denominator negative"]),
            (rate(json!(1.5), json!(10)), &["/lines/0/numerator not-a-whole-number"]),
            (rate(json!(1), json!(10.0)), &["/lines/0/denominator not-a-whole-number"]),
            (rate(json!(-0.5), json!(10)), &["/lines/0/numerator negative"]),
            (
                rate(json!(1e30), json!(1e30)),
                &["/lines/0/numerator out-of-range", "/lines/0/denominator out-of-range"],
            ),
            (rate(json!(1), json!(COUNT_LIMIT + 1)), &["/lines/0/denominator out-of-range"]),
            (
                rate(json!(u64::MAX), json!(u64::MAX)),
                &["/lines/0/numerator out-of-range", "/lines/0/denominator out-of-range"],
            ),
            (rate(json!(11), json!(10)), &["/lines/0/numerator numerator-above-denominator"]),
            (rate(json!(1), json!(0)), &["/lines/0/numerator numerator-above-denominator"]),
            (rate(json!("1"), json!(10)), &["/lines/0/numerator wrong-type"]),
            (rate(json!(1), json!([10])), &["/lines/0/denominator wrong-type"]),
            (rate(json!(null), json!(10)), &["/lines/0/numerator wrong-type"]),
            (with_line(json!({"measure": "m", "numerator": 1})), &["/lines/0/denominator missing"]),
            (with_line(json!({"measure": "m", "denominator": 1})), &["/lines/0/numerator missing"]),
        ],
    );
}

#[test]
fn a_wrong_line_is_named() {
    let long = "ă".repeat(TEXT_LIMIT_CHARS + 1);
    check(
        SubmitReport::read,
        [
            (with_line(json!({})), &["/lines/0/measure missing", "/lines/0 missing"] as &[&str]),
            (with_line(json!(7)), &["/lines/0 wrong-type"]),
            (with_line(json!({"measure": "m", "level": 256})), &["/lines/0/level out-of-range"]),
            (with_line(json!({"measure": "m", "level": -1})), &["/lines/0/level negative"]),
            (with_line(json!({"measure": "m", "level": "2"})), &["/lines/0/level wrong-type"]),
            (with_line(json!({"measure": "m", "attained": "yes"})), &["/lines/0/attained wrong-type"]),
            (with_line(json!({"measure": "m", "attained": 1})), &["/lines/0/attained wrong-type"]),
            (with_line(json!({"measure": "m", "withdrawn": false})), &["/lines/0/withdrawn not-withdrawn"]),
            (with_line(json!({"measure": "m", "numerator": 1, "level": 2})), &["/lines/0 mixed-values"]),
            (with_line(json!({"measure": "m", "level": 1, "withdrawn": true})), &["/lines/0 mixed-values"]),
            (
                with_line(json!({"measure": "m", "numerator": 1, "denominator": 2, "attained": true})),
                &["/lines/0 mixed-values"],
            ),
            (
                with_line(json!({"measure": "m", "percent": 50})),
                &["/lines/0 missing", "/lines/0/percent unknown-field"],
            ),
            (with_line(json!({"measure": "m", "level": 1, "a/b~c": 1})), &["/lines/0/a~1b~0c unknown-field"]),
            (with_line(json!({"measure": "Kỹ năng", "level": 1})), &["/lines/0/measure unknown-measure"]),
            (with_line(json!({"measure": 7, "level": 1})), &["/lines/0/measure wrong-type"]),
            (
                with_line(json!({"measure": "m", "attained": true, "recognised_year": "20x4"})),
                &["/lines/0/recognised_year not-a-year"],
            ),
            (
                with_line(json!({"measure": "m", "attained": true, "recognised_year": 1899})),
                &["/lines/0/recognised_year not-a-year"],
            ),
            (
                with_line(json!({"measure": "m", "attained": false, "recognised_year": "2023"})),
                &["/lines/0/recognised_year not-a-recognition"],
            ),
            (
                with_line(json!({"measure": "m", "level": 1, "recognised_year": "2023"})),
                &["/lines/0/recognised_year not-a-recognition"],
            ),
            (with_line(json!({"measure": "m", "level": 1, "source": " "})), &["/lines/0/source empty"]),
            (
                with_line(json!({"measure": "m", "level": 1, "source": "a\u{7}b"})),
                &["/lines/0/source control-character"],
            ),
            (with_line(json!({"measure": "m", "level": 1, "source": long})), &["/lines/0/source too-long"]),
        ],
    );
}

#[test]
fn a_measure_may_stand_once_in_a_report() {
    let lines = json!([{"measure": "m", "level": 1}, {"measure": "n", "level": 1}, {"measure": "m", "withdrawn": true}]);
    let errors = named(SubmitReport::read(&with(report(), "lines", lines)));
    assert_eq!(errors, ["/lines/2/measure duplicate-measure"]);
}

#[test]
fn a_report_has_at_least_one_line_and_no_more_than_the_limit() {
    let lines = |count: usize| -> Value {
        (0..count).map(|number| json!({"measure": format!("m{number}"), "level": 1})).collect()
    };
    assert_eq!(
        SubmitReport::read(&with(report(), "lines", lines(LINES_LIMIT))).unwrap().lines.len(),
        LINES_LIMIT
    );
    check(
        SubmitReport::read,
        [
            (with(report(), "lines", lines(0)), &["/lines empty"] as &[&str]),
            (with(report(), "lines", lines(LINES_LIMIT + 1)), &["/lines too-many-lines"]),
            (with(report(), "lines", json!({})), &["/lines wrong-type"]),
            (with(report(), "lines", json!(null)), &["/lines missing"]),
        ],
    );
}

#[test]
fn a_wrong_head_of_a_report_is_named() {
    let title = "x".repeat(TITLE_LIMIT_CHARS + 1);
    let dated = |date: Value| with_document(json!({"number": "1/BC", "date": date}));
    check(
        SubmitReport::read,
        [
            (json!([]), &[" wrong-type"] as &[&str]),
            (json!(null), &[" wrong-type"]),
            (json!("report"), &[" wrong-type"]),
            (with(report(), "unit", json!("Dĩ An")), &["/unit unknown-unit"]),
            (with(report(), "unit", json!(7)), &["/unit wrong-type"]),
            (with(report(), "unit", Value::Null), &["/unit missing"]),
            (with(report(), "period", json!("24")), &["/period unknown-period"]),
            (with(report(), "period", json!(2024)), &["/period wrong-type"]),
            (with(report(), "revision", json!(0)), &["/revision out-of-range"]),
            (with(report(), "revision", json!(-1)), &["/revision negative"]),
            (with(report(), "revision", json!(1.5)), &["/revision not-a-whole-number"]),
            (with(report(), "revision", json!(4_294_967_296_u64)), &["/revision out-of-range"]),
            (with(report(), "history", json!("")), &["/history empty"]),
            (with(report(), "history", json!(true)), &["/history wrong-type"]),
            (with(report(), "note", json!("x")), &["/note unknown-field"]),
            (with_document(Value::Null), &["/document missing"]),
            (with_document(json!("215/BC-UBND")), &["/document wrong-type"]),
            (with_document(json!({})), &["/document/number missing", "/document/date missing"]),
            (with_document(json!({"number": title, "date": "2024-11-22"})), &["/document/number too-long"]),
            (
                with_document(json!({"number": "1", "date": "2024-11-22", "page": 1})),
                &["/document/page unknown-field"],
            ),
            (dated(json!("2024-02-30")), &["/document/date not-a-date"]),
            (dated(json!("2023-02-29")), &["/document/date not-a-date"]),
            (dated(json!("2024-2-3")), &["/document/date not-a-date"]),
            (dated(json!("22.11.2024")), &["/document/date not-a-date"]),
            (dated(json!("2024-11-22T10:00:00Z")), &["/document/date not-a-date"]),
            (dated(json!("２０２４-11-22")), &["/document/date not-a-date"]),
            (dated(json!(20_241_122)), &["/document/date not-a-date"]),
        ],
    );
    assert!(SubmitReport::read(&dated(json!("2024-02-29"))).is_ok());
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let body = json!({
        "unit": "", "period": "x", "colour": "red",
        "document": {"date": "2024-13-01"},
        "lines": [{"measure": "a", "numerator": -1, "denominator": 0.5}, {"measure": "b", "level": 2}, {"level": 1}]
    });
    assert_eq!(
        named(SubmitReport::read(&body)),
        [
            "/unit unknown-unit",
            "/period unknown-period",
            "/document/number missing",
            "/document/date not-a-date",
            "/lines/0/numerator negative",
            "/lines/0/denominator not-a-whole-number",
            "/lines/2/measure missing",
            "/colour unknown-field",
        ]
    );
}

#[test]
fn a_wrong_target_change_is_named() {
    assert_eq!(
        ChangeTarget::read(&target()).unwrap().value,
        TargetValue::Percent(Percent::parse("55").unwrap())
    );
    let no_value = || with(target(), "percent", Value::Null);
    assert_eq!(
        ChangeTarget::read(&with(no_value(), "level", json!(2))).unwrap().value,
        TargetValue::Level(2)
    );
    assert_eq!(
        ChangeTarget::read(&with(no_value(), "withdrawn", json!(true))).unwrap().value,
        TargetValue::Withdrawn(true)
    );
    assert_eq!(ChangeTarget::read(&with(target(), "unit", Value::Null)).unwrap().unit, None);
    let long = "x".repeat(TEXT_LIMIT_CHARS + 1);
    check(
        ChangeTarget::read,
        [
            (json!(1), &[" wrong-type"] as &[&str]),
            (with(target(), "percent", json!(55)), &["/percent wrong-type"]),
            (with(target(), "percent", json!("999.99")), &["/percent not-a-percentage"]),
            (with(target(), "percent", json!("101")), &["/percent not-a-percentage"]),
            (with(target(), "percent", json!("-1")), &["/percent not-a-percentage"]),
            (with(target(), "percent", json!("12.345")), &["/percent not-a-percentage"]),
            (with(target(), "percent", json!("50 %")), &["/percent not-a-percentage"]),
            (no_value(), &["/percent missing"]),
            (with(target(), "level", json!(2)), &[" mixed-values"]),
            (with(no_value(), "level", json!(256)), &["/level out-of-range"]),
            (with(no_value(), "attained", json!("yes")), &["/attained wrong-type"]),
            (with(no_value(), "withdrawn", json!(false)), &["/withdrawn not-withdrawn"]),
            (with(target(), "withdrawn", json!(true)), &[" mixed-values"]),
            (with(target(), "indicator", json!("Kỹ năng sống")), &["/indicator unknown-indicator"]),
            (with(target(), "indicator", Value::Null), &["/indicator missing"]),
            (with(target(), "unit", json!("Dĩ An")), &["/unit unknown-unit"]),
            (with(target(), "review", json!("25")), &["/review unknown-review"]),
            (with(target(), "review", json!(2025)), &["/review wrong-type"]),
            (with(target(), "effective", Value::Null), &["/effective missing"]),
            (with(target(), "effective", json!("2024-02-30")), &["/effective not-a-date"]),
            (with(target(), "instrument", Value::Null), &["/instrument missing"]),
            (with(target(), "instrument", json!("\u{1b}[31m")), &["/instrument control-character"]),
            (with(target(), "reason", json!(long)), &["/reason too-long"]),
            (with(target(), "revision", json!(0)), &["/revision out-of-range"]),
            (with(target(), "mark", json!("attain")), &["/mark unknown-field"]),
        ],
    );
}

#[test]
fn a_wrong_unit_change_is_named() {
    let read = ChangeUnit::read(&unit_change()).unwrap();
    assert_eq!(read.change, UnitChange::Retype { unit_type: "city".into() });
    let changed = |word: &str| with(with(unit_change(), "type", Value::Null), "change", json!(word));
    assert_eq!(ChangeUnit::read(&changed("dissolve")).unwrap().change, UnitChange::Dissolve);
    let renamed = with(changed("rename"), "name", json!("Thuận An mới"));
    assert_eq!(
        ChangeUnit::read(&renamed).unwrap().change,
        UnitChange::Rename { name: "Thuận An mới".into() }
    );
    let recoded = with(changed("recode"), "code", json!("25840"));
    assert_eq!(ChangeUnit::read(&recoded).unwrap().change, UnitChange::Recode { code: "25840".into() });
    check(
        ChangeUnit::read,
        [
            (json!([]), &[" wrong-type"] as &[&str]),
            (with(unit_change(), "change", Value::Null), &["/change missing", "/type unknown-field"]),
            (changed("fuse"), &["/change unknown-change"]),
            (changed("rename"), &["/name missing"]),
            (changed("retype"), &["/type missing"]),
            (changed("recode"), &["/code missing"]),
            (with(unit_change(), "name", json!("x")), &["/name unknown-field"]),
            (with(unit_change(), "type", json!("")), &["/type empty"]),
            (with(unit_change(), "unit", json!("Bến Cát")), &["/unit unknown-unit"]),
            (with(unit_change(), "effective", json!("2024-04-31")), &["/effective not-a-date"]),
            (with(unit_change(), "instrument", json!(" ")), &["/instrument empty"]),
            (with(unit_change(), "revision", json!("1")), &["/revision wrong-type"]),
        ],
    );
}

fn merge() -> Value {
    let change = with(with(unit_change(), "type", Value::Null), "change", json!("merge"));
    let change = with(change, "into", json!("bau-bang"));
    with(change, "share", json!({"numerator": 1, "denominator": 1}))
}

fn split(into: Value) -> Value {
    let change = with(with(unit_change(), "type", Value::Null), "change", json!("split"));
    with(change, "into", into)
}

fn establish() -> Value {
    let change = with(with(unit_change(), "change", json!("establish")), "code", json!("25747"));
    with(change, "name", json!({"vi": "Phường mới", "en": "New ward"}))
}

#[test]
fn the_changes_of_a_reform_are_read_whole() {
    let whole = Share { numerator: 1, denominator: 1 };
    let into = || UnitId::parse("bau-bang").unwrap();
    let read = |body: &Value| ChangeUnit::read(body).unwrap().change;
    assert_eq!(read(&merge()), UnitChange::Merge { into: into(), share: Some(whole) });
    let unknown = with(merge(), "share", Value::Null);
    assert_eq!(read(&unknown), UnitChange::Merge { into: into(), share: None });
    let body = split(json!([
        {"unit": "di-an", "share": {"numerator": 2, "denominator": 3}}, {"unit": "thuan-an"}
    ]));
    let third = Share { numerator: 2, denominator: 3 };
    let listed = vec![
        Successor { unit: UnitId::parse("di-an").unwrap(), share: Some(third) },
        Successor { unit: UnitId::parse("thuan-an").unwrap(), share: None },
    ];
    assert_eq!(read(&body), UnitChange::Split { into: listed });
    let name = UnitName { vi: "Phường mới".into(), en: "New ward".into() };
    let new = |parent| UnitChange::Establish {
        name: name.clone(),
        unit_type: "city".into(),
        code: "25747".into(),
        parent,
    };
    assert_eq!(read(&establish()), new(None));
    let of_province = with(establish(), "parent", json!("binh-duong"));
    assert_eq!(read(&of_province), new(Some(UnitId::parse("binh-duong").unwrap())));
    let moved = with(with(unit_change(), "type", Value::Null), "change", json!("move"));
    let moved = with(moved, "parent", json!("binh-duong"));
    assert_eq!(read(&moved), UnitChange::Move { parent: UnitId::parse("binh-duong").unwrap() });
}

#[test]
fn a_wrong_change_of_a_reform_is_named() {
    let share = |numerator: Value, denominator: Value| {
        with(merge(), "share", json!({"numerator": numerator, "denominator": denominator}))
    };
    let one = json!({"unit": "di-an"});
    let many: Vec<Value> = (0..101).map(|number| json!({"unit": format!("new-{number}")})).collect();
    check(
        ChangeUnit::read,
        [
            (with(merge(), "into", Value::Null), &["/into missing"] as &[&str]),
            (with(merge(), "into", json!(["bau-bang"])), &["/into wrong-type"]),
            (with(merge(), "into", json!("Bàu Bàng")), &["/into unknown-unit"]),
            (with(merge(), "name", json!("x")), &["/name unknown-field"]),
            (with(merge(), "share", json!("1/1")), &["/share wrong-type"]),
            (with(merge(), "share", json!({})), &["/share/numerator missing", "/share/denominator missing"]),
            (share(json!(1), json!(0)), &["/share/denominator zero-share"]),
            (share(json!(0), json!(2)), &["/share/numerator zero-share"]),
            (share(json!(3), json!(2)), &["/share share-over-one"]),
            (share(json!(-1), json!(2)), &["/share/numerator negative"]),
            (share(json!(0.5), json!(1)), &["/share/numerator not-a-whole-number"]),
            (share(json!("1"), json!(2)), &["/share/numerator wrong-type"]),
            (split(Value::Null), &["/into missing"]),
            (split(json!("di-an")), &["/into wrong-type"]),
            (split(json!([one])), &["/into too-few"]),
            (split(json!(many)), &["/into too-many"]),
            (split(json!([one, one])), &["/into/1/unit named-twice"]),
            (split(json!([one, {"unit": "Dĩ An"}])), &["/into/1/unit unknown-unit"]),
            (split(json!([one, 7])), &["/into/1 wrong-type"]),
            (split(json!([one, {"unit": "x", "part": 1}])), &["/into/1/part unknown-field"]),
            (with(split(json!([one, {"unit": "x"}])), "share", json!({})), &["/share unknown-field"]),
            (with(establish(), "name", json!("Phường")), &["/name wrong-type"]),
            (with(establish(), "name", json!({"vi": "Phường"})), &["/name/en missing"]),
            (with(establish(), "code", Value::Null), &["/code missing"]),
            (with(establish(), "type", Value::Null), &["/type missing"]),
            (with(establish(), "parent", json!(1)), &["/parent wrong-type"]),
            (with(establish(), "into", json!("di-an")), &["/into unknown-field"]),
            (with(establish(), "effective", json!("2025-02-30")), &["/effective not-a-date"]),
        ],
    );
}

#[test]
fn a_wrong_acknowledgement_is_named() {
    let read = AcknowledgeAlert::read(&json!({"note": " đã gọi ", "review_by": "2025-03-31"})).unwrap();
    assert_eq!((read.note.as_str(), read.review_by), ("đã gọi", Some("2025-03-31".parse().unwrap())));
    let long = "x".repeat(TEXT_LIMIT_CHARS + 1);
    check(
        AcknowledgeAlert::read,
        [
            (json!({}), &["/note missing"] as &[&str]),
            (json!({"note": ""}), &["/note empty"]),
            (json!({"note": long}), &["/note too-long"]),
            (json!({"note": "x", "review_by": "31/03/2025"}), &["/review_by not-a-date"]),
            (json!({"note": "x", "review_by": null}), &["/review_by not-a-date"]),
            (json!({"note": "x", "owner": "me"}), &["/owner unknown-field"]),
        ],
    );
    assert_eq!(command::read_alert_id("7").unwrap_err().kind, RefusalKind::NotFound);
    assert!(command::read_alert_id("f3bc7bc0-6f74-5a49-9f16-daba138bb2eb").is_ok());
}

#[test]
fn a_body_that_is_no_json_is_malformed_and_a_doubled_key_breaks_a_rule() {
    let deep = "[".repeat(100) + &"]".repeat(100);
    for body in ["", "{", "[1,]", "{} {}", "{\"a\": 01}", "{'a': 1}", "\"\u{1}\"", deep.as_str()] {
        let refusal = command::read_body(body.as_bytes()).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Malformed, "{body}");
        assert_eq!((refusal.errors[0].pointer.as_str(), refusal.errors[0].code.as_str()), ("", "malformed"));
    }
    assert_eq!(command::read_body(b"{\"unit\": \"\xff\"}").unwrap_err().kind, RefusalKind::Malformed);
    for (body, pointer) in [
        (r#"{"unit": "di-an", "unit": "ben-cat"}"#, "/unit"),
        (r#"{"document": {"date": "2024-11-22", "number": "1", "date": "2024-11-23"}}"#, "/document/date"),
        (r#"{"lines": [{"measure": "a", "level": 1}, {"level": 1, "level": 1}]}"#, "/lines/1/level"),
    ] {
        let refusal = command::read_body(body.as_bytes()).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Rules);
        assert_eq!(
            (refusal.errors[0].pointer.as_str(), refusal.errors[0].code.as_str()),
            (pointer, "duplicate-key")
        );
    }
}

#[test]
fn figures_beyond_every_number_are_refused_by_the_readers_and_not_rounded() {
    for figure in
        ["18446744073709551616", "1000000000000000000000000", "1e3", "-0", "0.9999999999999999999999"]
    {
        let text = report().to_string().replace("118400", figure);
        assert_eq!(text.matches(figure).count(), 1);
        let body = command::read_body(text.as_bytes()).unwrap();
        let errors = named(SubmitReport::read(&body));
        assert_eq!(errors.len(), 1, "{figure}");
        assert!(errors[0].starts_with("/lines/0/numerator "), "{figure}: {errors:?}");
    }
}
