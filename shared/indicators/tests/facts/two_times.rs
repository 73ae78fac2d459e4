//! The two times of a question: what holds as of a date, of what was known at a date.

use crate::story::{Ask, PROVINCE, Story, given, level, rate, withdrawn};
use events::{FieldError, LineValue, MeasureId, Period, Position};
use indicators::{MomentError, ReportProgress, View, read_moment};

const SKILLS: &str = "life-skills";
const LITERACY: &str = "information-literacy";

/// Reported in November 2023 with 30 %, corrected by a document of February 2024 to 25 %.
fn corrected() -> Story {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [rate(SKILLS, 300, 1_000), rate(LITERACY, 1, 4)]);
    story.on("2024-02-10").report("di-an", "2023", [rate(SKILLS, 250, 1_000)]);
    story
}

fn value(view: &View<'_>, about: &str) -> Option<String> {
    view.ask("di-an", about).value.as_ref().map(crate::story::value_told)
}

#[test]
fn a_correction_takes_effect_with_its_own_document() {
    let story = corrected();
    assert_eq!(value(&story.as_of("2024-02-09"), SKILLS).unwrap(), "300/1000=30.00");
    assert_eq!(value(&story.as_of("2024-02-10"), SKILLS).unwrap(), "250/1000=25.00");
    // A document holds from the first instant of its date on.
    let at = |instant| value(&story.as_of(instant), SKILLS).unwrap();
    assert_eq!(at("2024-02-09T23:59:59.999+07:00"), "300/1000=30.00");
    assert_eq!(at("2024-02-10T00:00:00+07:00"), "250/1000=25.00");
}

#[test]
fn a_correction_leaves_the_lines_it_does_not_name() {
    let story = corrected();
    assert_eq!(value(&story.as_of("2024-12-31"), LITERACY).unwrap(), "1/4=25.00");
}

#[test]
fn what_was_known_on_a_day_does_not_hold_what_came_later() {
    let story = corrected();
    // An auditor: what did we believe on 31 January about the end of November, and what do we believe now?
    assert_eq!(value(&story.seen("2023-11-30", "2024-01-31"), SKILLS).unwrap(), "300/1000=30.00");
    assert_eq!(value(&story.seen("2024-12-31", "2024-01-31"), SKILLS).unwrap(), "300/1000=30.00");
    assert_eq!(value(&story.seen("2023-11-30", "2024-12-31"), SKILLS).unwrap(), "300/1000=30.00");
    assert_eq!(value(&story.seen("2024-02-10", "2024-12-31"), SKILLS).unwrap(), "250/1000=25.00");
    assert_eq!(value(&story.seen("2023-11-19", "2024-12-31"), SKILLS), None);
}

#[test]
fn a_backdated_correction_counts_from_its_document_on() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [rate(SKILLS, 300, 1_000)]);
    story.on("2023-12-05").document("2023-11-10").report("di-an", "2023", [rate(SKILLS, 200, 1_000)]);
    // Its document is the older one, its revision the higher one: it counts wherever it holds.
    assert_eq!(value(&story.as_of("2023-11-15"), SKILLS).unwrap(), "200/1000=20.00");
    assert_eq!(value(&story.as_of("2023-12-31"), SKILLS).unwrap(), "200/1000=20.00");
    // Before it was recorded nobody knew of it.
    assert_eq!(value(&story.known_at("2023-11-30"), SKILLS).unwrap(), "300/1000=30.00");
}

#[test]
fn of_three_revisions_the_highest_that_holds_counts() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [rate(SKILLS, 300, 1_000)]);
    story.on("2024-03-10").report("di-an", "2023", [rate(SKILLS, 310, 1_000)]);
    story.on("2024-03-20").document("2024-02-25").report("di-an", "2023", [rate(SKILLS, 320, 1_000)]);
    let at = |day| value(&story.as_of(day), SKILLS).unwrap();
    assert_eq!(at("2024-02-24"), "300/1000=30.00");
    assert_eq!(at("2024-02-25"), "320/1000=32.00");
    assert_eq!(at("2024-03-31"), "320/1000=32.00");
}

#[test]
fn a_withdrawn_line_is_absent_and_earlier_ones_do_not_come_back() {
    let mut story = corrected();
    story.on("2024-04-01").report("di-an", "2023", [withdrawn(SKILLS)]);
    assert_eq!(value(&story.as_of("2024-03-31"), SKILLS).unwrap(), "250/1000=25.00");
    assert_eq!(story.as_of("2024-04-01").status("di-an", SKILLS), "no-data");
    assert_eq!(value(&story.as_of("2024-04-01"), LITERACY).unwrap(), "1/4=25.00");
    // A new line after the withdrawal stands.
    story.on("2024-05-01").report("di-an", "2023", [rate(SKILLS, 260, 1_000)]);
    assert_eq!(value(&story.as_of("2024-05-01"), SKILLS).unwrap(), "260/1000=26.00");
}

#[test]
fn a_withdrawn_level_gives_the_word_to_the_period_before() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [level("literacy-level", 1)]);
    story.on("2023-11-20").report("di-an", "2023", [level("literacy-level", 2)]);
    story.on("2023-12-05").report("di-an", "2023", [withdrawn("literacy-level")]);
    assert_eq!(
        story.as_of("2023-12-31").told("di-an", "districts-literacy-2"),
        "2022 | level 1 | 2025: level 2 | - | - | - | pending"
    );
}

#[test]
fn what_may_be_withdrawn_is_what_stands_by_the_highest_revision() {
    let story = corrected();
    let of = crate::story::unit("di-an");
    let stands =
        |story: &Story, measure| story.facts.stands(&of, Period(2023), &MeasureId::parse(measure).unwrap());
    assert_eq!(stands(&story, SKILLS), Some(LineValue::Rate { numerator: 250, denominator: 1_000 }));
    assert_eq!(stands(&story, LITERACY), Some(LineValue::Rate { numerator: 1, denominator: 4 }));
    assert_eq!(stands(&story, "trained-workforce"), None);
    let mut story = story;
    // The document is older than both others: it is the highest revision all the same.
    story.on("2024-03-01").document("2024-02-05").report("di-an", "2023", [withdrawn(SKILLS)]);
    assert_eq!(stands(&story, SKILLS), None);
    assert_eq!(story.facts.next_revision(&of, Period(2023)), 4);
}

#[test]
fn a_date_means_up_to_the_next_midnight_of_the_plan() {
    let mut story = given();
    story.on("2023-11-20T16:59:59.999Z").report("di-an", "2023", [rate(SKILLS, 1, 10)]);
    story.on("2023-11-20T17:00:00Z").report("di-an", "2023", [rate(SKILLS, 2, 10)]);
    let last = story.facts.head().0;
    assert_eq!(story.moment(None, Some("2023-11-20")).cut, Position(last - 1));
    assert_eq!(story.moment(None, Some("2023-11-21")).cut, Position(last));
    assert_eq!(story.moment(None, Some("2023-11-20T23:59:59.999+07:00")).cut, Position(last - 1));
    assert_eq!(story.moment(None, Some("2023-11-21T00:00:00+07:00")).cut, Position(last));
}

#[test]
fn as_of_defaults_to_known_at_and_known_at_to_now() {
    let calendar = given().plan.calendar;
    let now = "2026-05-05T05:00:00Z".parse().unwrap();
    let read = |as_of, known_at| {
        read_moment(&calendar, as_of, known_at, now)
            .map(|(known, as_of)| (calendar.shown(known), calendar.shown(as_of)))
    };
    let shown = |known: &str, as_of: &str| Ok((known.to_owned(), as_of.to_owned()));
    assert_eq!(read(None, None), shown("2026-05-05T12:00:00+07:00", "2026-05-05T12:00:00+07:00"));
    assert_eq!(
        read(None, Some("2025-01-01")),
        shown("2025-01-01T23:59:59.999+07:00", "2025-01-01T23:59:59.999+07:00")
    );
    assert_eq!(
        read(Some("2025-01-01"), None),
        shown("2026-05-05T12:00:00+07:00", "2025-01-01T23:59:59.999+07:00")
    );
    // As of may lie after known at: what was known then about what lay ahead.
    assert_eq!(
        read(Some("2025-06-01T00:00:00Z"), Some("2025-01-01")),
        shown("2025-01-01T23:59:59.999+07:00", "2025-06-01T07:00:00+07:00")
    );
    // Today has not ended: it means up to now.
    assert_eq!(read(Some("2026-05-05"), None), read(None, None));
}

#[test]
fn dates_after_now_and_what_is_no_date_are_refused() {
    let calendar = given().plan.calendar;
    let now = "2026-05-05T05:00:00Z".parse().unwrap();
    let refused = |as_of, known_at| {
        let error: MomentError = read_moment(&calendar, as_of, known_at, now).unwrap_err();
        let FieldError { pointer, code, .. } = error.refusal().errors.remove(0);
        (pointer, code)
    };
    let expect = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(refused(Some("2026-05-06"), None), expect("?as_of", "in-the-future"));
    assert_eq!(refused(None, Some("2026-05-05T12:00:00.001+07:00")), expect("?known_at", "in-the-future"));
    for text in [
        "",
        "2026-02-30",
        "2026-2-3",
        "yesterday",
        "2026-01-01T00:00:00",
        "20260101T000000Z",
        "năm 2025, tháng 12 ngày 1",
    ] {
        assert_eq!(refused(Some(text), None), expect("?as_of", "not-a-date"), "{text}");
    }
}

#[test]
fn a_report_whose_document_is_not_there_yet_is_awaited_as_of_that_day() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2022", [level("literacy-level", 1)]);
    let of = story.plan.unit(&crate::story::unit("di-an")).unwrap();
    let state = |as_of| story.as_of(as_of).report_of(of, Period(2022)).state;
    assert_eq!(state("2022-11-01"), ReportProgress::Awaited);
    assert_eq!(state("2023-11-19"), ReportProgress::Overdue);
    assert_eq!(state("2023-11-20"), ReportProgress::Received);
}

#[test]
fn before_the_plan_was_known_there_is_nothing_to_see() {
    let story = given();
    let moment = story.moment(None, Some("2022-03-15"));
    assert_eq!(moment.cut, Position::START);
    assert!(View::new(&story.facts, moment).is_none());
}

#[test]
fn a_cell_names_both_times_the_position_and_what_it_rests_on() {
    let story = corrected();
    let cell = story.seen("2023-12-31", "2024-12-31").ask("di-an", SKILLS);
    assert_eq!(cell.as_of, "2023-12-31T23:59:59.999+07:00");
    assert_eq!(cell.known_at, "2024-12-31T23:59:59.999+07:00");
    assert_eq!(cell.position, story.facts.head());
    // The report of November 2023 and the target of the plan.
    let report = story.log[story.log.len() - 2].event.id;
    let target = story.facts.targets(&crate::story::indicator(SKILLS), None)[0].event;
    assert_eq!(cell.because, [report, target]);
    assert_eq!(story.as_of("2023-12-31").ask(PROVINCE, "learning-province").because.len(), 1);
}
