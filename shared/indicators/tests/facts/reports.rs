//! The reporting calendar: due, late, overdue, history, and recognitions that lapse.

use crate::story::{Ask, DISTRICTS, PROVINCE, Story, attained, given, level, recognised, unit};
use events::Period;
use indicators::{ReportProgress, ReportState, View};

fn of_di_an(view: &View<'_>, year: i16) -> ReportState {
    view.report_of(view.plan().unit(&unit("di-an")).unwrap(), Period(year))
}

fn reported_at(instant: &str) -> Story {
    let mut story = given();
    story.on(instant).report("di-an", "2024", [level("literacy-level", 1)]);
    story
}

#[test]
fn a_report_is_due_before_the_first_of_december_in_the_plans_time_zone() {
    let story = given();
    let report = of_di_an(&story.as_of("2024-06-01"), 2024);
    assert_eq!(report.due.as_deref(), Some("2024-12-01T00:00:00+07:00"));
    assert_eq!((report.state, report.late), (ReportProgress::Awaited, false));
}

#[test]
fn a_report_recorded_a_millisecond_before_the_deadline_is_on_time() {
    let story = reported_at("2024-11-30T16:59:59.999Z");
    let report = of_di_an(&story.as_of("2024-12-31"), 2024);
    assert_eq!((report.state, report.late), (ReportProgress::Received, false));
    assert_eq!(report.received_at.as_deref(), Some("2024-11-30T23:59:59.999+07:00"));
}

#[test]
fn a_report_recorded_at_the_deadline_is_late() {
    let story = reported_at("2024-11-30T17:00:00Z");
    let report = of_di_an(&story.as_of("2024-12-31"), 2024);
    assert_eq!((report.state, report.late), (ReportProgress::Received, true));
}

#[test]
fn the_date_printed_on_a_report_does_not_make_it_punctual() {
    let mut story = given();
    story.on("2024-12-05").document("2024-11-28").report("di-an", "2024", [level("literacy-level", 1)]);
    assert!(of_di_an(&story.as_of("2024-12-31"), 2024).late);
}

#[test]
fn a_report_entered_as_history_is_judged_by_its_documents_date() {
    let mut story = given();
    story.on("2025-03-10").document("2024-11-30").history();
    story.report("di-an", "2024", [level("literacy-level", 1)]);
    story.document("2024-12-01").history().report("bau-bang", "2024", [level("literacy-level", 1)]);
    let view = story.as_of("2025-03-31");
    let punctual = of_di_an(&view, 2024);
    assert_eq!((punctual.late, punctual.history), (false, true));
    // The start of 1 December is the deadline itself.
    let late = view.report_of(story.plan.unit(&unit("bau-bang")).unwrap(), Period(2024));
    assert_eq!((late.late, late.history), (true, true));
}

#[test]
fn a_later_revision_does_not_make_a_punctual_report_late() {
    let mut story = given();
    story.on("2024-11-20").report("di-an", "2024", [level("literacy-level", 1)]);
    story.on("2025-02-01").report("di-an", "2024", [level("literacy-level", 2)]);
    let report = of_di_an(&story.as_of("2025-02-28"), 2024);
    assert!(!report.late);
    assert_eq!(report.received_at.as_deref(), Some("2024-11-20T09:00:00+07:00"));
}

#[test]
fn of_several_revisions_the_earliest_document_of_history_counts() {
    let mut story = given();
    story.on("2025-03-10").document("2024-12-20").history();
    story.report("di-an", "2024", [level("literacy-level", 1)]);
    story.document("2024-11-25").history().report("di-an", "2024", [level("literacy-level", 1)]);
    // As of 10 December only the second holds; as of the year's end both do, and it stays on time.
    for as_of in ["2024-12-10", "2024-12-31"] {
        let view = story.seen(as_of, "2025-03-31");
        assert!(!of_di_an(&view, 2024).late, "{as_of}");
    }
}

#[test]
fn the_duty_begins_with_2022() {
    let story = given();
    let view = story.as_of("2022-12-31");
    let of_2021 = of_di_an(&view, 2021);
    assert_eq!((of_2021.state, of_2021.due), (ReportProgress::Awaited, None));
    assert_eq!(of_di_an(&view, 2022).state, ReportProgress::Overdue);
}

#[test]
fn a_report_is_overdue_once_the_deadline_lies_before_both_times() {
    let story = given();
    let state = |as_of, known_at| of_di_an(&story.seen(as_of, known_at), 2022).state;
    // The end of 30 November lies one millisecond before the deadline, and the deadline not before itself.
    assert_eq!(state("2022-11-30", "2022-11-30"), ReportProgress::Awaited);
    let (deadline, just_after) = ("2022-12-01T00:00:00+07:00", "2022-12-01T00:00:00.001+07:00");
    assert_eq!(state(deadline, deadline), ReportProgress::Awaited);
    assert_eq!(state(just_after, just_after), ReportProgress::Overdue);
    assert_eq!(state(deadline, just_after), ReportProgress::Awaited);
    assert_eq!(state(just_after, deadline), ReportProgress::Awaited);
    assert_eq!(state("2022-12-31", "2022-11-30"), ReportProgress::Awaited);
    assert_eq!(state("2022-11-30", "2022-12-31"), ReportProgress::Awaited);
}

#[test]
fn a_cell_shows_the_earliest_overdue_period_else_that_of_the_year() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [level("literacy-level", 1)]);
    story.on("2025-01-10").report("di-an", "2024", [level("literacy-level", 1)]);
    story.on("2025-01-20").report("di-an", "2023", [level("literacy-level", 1)]);
    let shown = |day: &str| story.known_at(day).ask("di-an", "districts-literacy-2").report;
    let told = |report: ReportState| (report.period.year(), report.state, report.late);
    assert_eq!(told(shown("2023-11-30")), (2023, ReportProgress::Awaited, false));
    assert_eq!(told(shown("2023-12-31")), (2023, ReportProgress::Overdue, false));
    assert_eq!(told(shown("2024-12-31")), (2023, ReportProgress::Overdue, false));
    assert_eq!(told(shown("2025-01-15")), (2023, ReportProgress::Overdue, false));
    // With nothing overdue it is the year's own.
    assert_eq!(told(shown("2025-01-31")), (2025, ReportProgress::Awaited, false));
    assert_eq!(of_di_an(&story.known_at("2025-01-31"), 2023).state, ReportProgress::Received);
    assert!(of_di_an(&story.known_at("2025-01-31"), 2023).late);
}

#[test]
fn a_missing_report_changes_no_value() {
    let mut story = given();
    story.yearly("di-an", "life-skills", &[(2021, 2_000), (2022, 2_750)]);
    let cell = story.as_of("2024-12-31").ask("di-an", "life-skills");
    assert_eq!(cell.report.state, ReportProgress::Overdue);
    assert_eq!((cell.period, cell.status.unwrap().name()), (Some(Period(2022)), "on-track"));
}

#[test]
fn a_recognition_lapses_36_months_after_its_year() {
    let mut story = given();
    story.on("2022-03-20").document("2021-11-20").history();
    story.report(PROVINCE, "2021", [attained("learning-province", true)]);
    // Recognised for 2021: 2022, 2023, 2024 are the 36 months, 1 January 2025 is after them.
    assert_eq!(
        story.as_of("2024-12-31").told(PROVINCE, "learning-province"),
        "2021 | yes | 2030: yes | - | - | - | achieved"
    );
    // It was met at the end of 2021 to 2024, and is lost from the first instant of 2025 on.
    assert_eq!(
        story.as_of("2025-01-01T00:00:00+07:00").told(PROVINCE, "learning-province"),
        "2021 | lapsed | 2030: yes | - | - | - | regressing"
    );
}

#[test]
fn a_later_line_is_a_new_recognition_of_its_period() {
    let mut story = given();
    story.on("2022-03-20").document("2021-11-20").history();
    story.report(PROVINCE, "2021", [attained("learning-province", true)]);
    story.on("2024-11-20").report(PROVINCE, "2024", [attained("learning-province", true)]);
    // Recognised for 2024: it holds through 2025, 2026, 2027.
    assert_eq!(story.as_of("2027-12-31").status(PROVINCE, "learning-province"), "achieved");
    assert_eq!(
        story.as_of("2028-01-01").told(PROVINCE, "learning-province"),
        "2024 | lapsed | 2030: yes | - | - | - | regressing"
    );
}

#[test]
fn a_line_may_repeat_an_old_recognition() {
    let mut story = given();
    story.on("2023-11-20").report(PROVINCE, "2023", [recognised("learning-province", 2021)]);
    assert_eq!(story.as_of("2024-12-31").status(PROVINCE, "learning-province"), "achieved");
    // The recognition is that of 2021, whatever period repeats it.
    assert_eq!(
        story.as_of("2025-01-01").told(PROVINCE, "learning-province"),
        "2023 | lapsed | 2030: yes | - | - | - | regressing"
    );
}

#[test]
fn lapsed_recognitions_leave_the_share() {
    let mut story = given();
    story.on("2022-03-20");
    for of in &DISTRICTS[..3] {
        story.document("2021-11-20").history().report(of, "2021", [attained("learning-district", true)]);
    }
    assert_eq!(
        story.as_of("2024-12-31").told(PROVINCE, "learning-districts"),
        "2021 | 3/9=33.33 needs 0 | 2025: 25% | - | - | - | achieved"
    );
    assert_eq!(
        story.as_of("2025-01-01").told(PROVINCE, "learning-districts"),
        "2021 | 0/9=0.00 needs 3 lapsed thu-dau-mot,bau-bang,dau-tieng | 2025: 25% | - | - | - | regressing"
    );
    assert_eq!(
        story.as_of("2025-01-01").told("bau-bang", "learning-districts"),
        "2021 | lapsed | - | - | - | - | no-target"
    );
}
