//! Clocks that leap: nothing is recorded by them, nothing is left behind, and a person is told what to do.

use crate::{counted, is_possible, submit};
use jiff::ToSpan;
use serde_json::json;
use tests::support::{
    Acknowledged, Clocks, Logged, Options, System, audit, events, report, send, today, until, until_some,
};

/// A system whose clocks can be moved.
fn with_clocks(options: Options) -> Option<(Clocks, System)> {
    if !is_possible() {
        return None;
    }
    let clocks = Clocks::build()?;
    let system = System::start(Options { environment: clocks.environment(), ..options });
    Some((clocks, system))
}

fn a_report(key: &str) -> String {
    report("di-an", today().year(), 100 + key.len() as u64).to_string()
}

/// Nothing was recorded in the future: by more than the difference between two looks at the clock.
#[track_caller]
fn nothing_is_of_the_future(events: &[Logged]) {
    let latest = jiff::Timestamp::now() + 1.minute();
    for logged in events {
        let recorded_at: jiff::Timestamp = logged.event["recordedtime"].as_str().unwrap().parse().unwrap();
        assert!(recorded_at <= latest, "{} was recorded at {recorded_at}", logged.event["sequence"]);
    }
}

#[track_caller]
fn until_stopped_by_the_clock(system: &System) {
    until("the log has stopped writing because of the clock", || {
        let state = system.http().get("/readyz");
        state.status == 503 && state.text.contains("planwatch clock accept")
    });
}

#[track_caller]
fn accept_the_clock(system: &System, clocks: &Clocks) {
    let accepted = std::process::Command::new(tests::support::planwatch())
        .args(["clock", "accept", "--data"])
        .arg(system.data())
        .envs(clocks.environment())
        .output()
        .unwrap();
    assert!(accepted.status.success(), "{}", String::from_utf8_lossy(&accepted.stderr));
}

#[track_caller]
fn take(system: &System, key: &str) -> Acknowledged {
    until_some("the report is taken", || send(system.http(), key, &a_report(key)).ok())
}

/// Makes a stopped system believe that the machine was started again since: how much has passed is not known.
#[track_caller]
fn reboot(system: &System) {
    let file = crate::log_folder(system, "ingestion").join("clock");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut kept: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    kept["epoch"] = json!("another boot");
    let line = format!("{kept}\n");
    let checksum = crc32c::crc32c(line.as_bytes());
    std::fs::write(file, format!("{line}{checksum:08x}\n")).unwrap();
}

#[test]
fn a_clock_that_leaps_right_after_the_sample_records_nothing() {
    let Some((clocks, system)) = with_clocks(Options::sample()) else { return };
    system.wait_ready();
    let head = events(system.http()).len();
    clocks.set_all(800);
    until_stopped_by_the_clock(&system);
    let answer = system.http().post("/api/v1/reports", &serde_json::from_str(&a_report("leapt")).unwrap());
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.text.contains("planwatch clock accept"), "it says what to do: {}", answer.text);
    // What is said of today would be wrong; what is said of a day that is named is not.
    until("nothing is said of today", || system.http().get("/api/v1/status?unit=di-an").status == 503);
    let named = format!("/api/v1/status?unit=di-an&as_of={}", today());
    assert_eq!(system.http().get(&named).status, 200);
    // Alerting sees deadlines behind it and asks for alerts that ingestion does not record. Started again, it
    // looks at the clock at once and not within a minute.
    system.kill("alerting");
    until("alerting was refused", || {
        counted(&system, "alerting", "planwatch_alerting_not_taken_total") >= 12.0
    });
    clocks.set_all(0);
    system.wait_ready();
    let acknowledged = take(&system, "right-again");
    // The first thing that alerting sees after the clock went back is everything, by the right clock.
    until("alerting follows the log", || {
        counted(&system, "alerting", "planwatch_alerting_position") >= acknowledged.position as f64
            && counted(&system, "alerting", "planwatch_alerting_cells_in_flight") == 0.0
    });
    let logged = events(system.http());
    nothing_is_of_the_future(&logged);
    let since: Vec<&str> = logged[head..].iter().map(Logged::kind).collect();
    assert_eq!(since.iter().filter(|kind| **kind == "report-submitted").count(), 1, "{since:?}");
    let overdue = logged[head..].iter().filter(|logged| logged.event["data"]["rule"] == json!("overdue"));
    assert_eq!(overdue.count(), 0, "no deadline has passed");
}

#[test]
fn an_accepted_clock_is_that_clock_and_no_later_one() {
    let Some((clocks, mut system)) = with_clocks(Options::empty()) else { return };
    let mut acknowledged = submit(&system, "before", 2);
    clocks.set_all(1);
    until_stopped_by_the_clock(&system);
    accept_the_clock(&system, &clocks);
    system.wait_ready();
    // Nothing is recorded by it, and it leaps again, by less than a machine may rest: neither a killed ingestion
    // nor a reboot takes the leap.
    clocks.set_all(20);
    until_stopped_by_the_clock(&system);
    let before = system.kill("ingestion");
    system.wait_restarted("ingestion", before);
    until_stopped_by_the_clock(&system);
    assert_eq!(system.stop().code(), Some(0));
    reboot(&system);
    system.start_again_unready();
    until_stopped_by_the_clock(&system);
    assert_eq!(system.stop().code(), Some(0));
    clocks.set_all(1);
    system.start_again();
    acknowledged.push(take(&system, "after"));
    clocks.set_all(0);
    audit(&system, &acknowledged);
    let logged = events(system.http());
    let latest = jiff::Timestamp::now() + 25.hours();
    for logged in &logged {
        let recorded_at: jiff::Timestamp = logged.event["recordedtime"].as_str().unwrap().parse().unwrap();
        assert!(recorded_at <= latest, "{} was recorded at {recorded_at}", logged.event["sequence"]);
    }
}

#[test]
fn a_start_after_a_long_rest_says_where_the_console_is_and_what_to_do() {
    let Some((clocks, mut system)) = with_clocks(Options::sample()) else { return };
    system.wait_ready();
    assert_eq!(system.stop().code(), Some(0));
    // A deadline passes meanwhile, so that alerting has something to say.
    clocks.set_all(400);
    let said = system.said().len();
    system.start_again_unready();
    until_stopped_by_the_clock(&system);
    until("it says where the console is, and why it is not ready", || {
        let said = crate::said_since(&system, said);
        said.contains("meanwhile the console answers at http://")
            && said.contains("/sign-in?code=")
            && said.contains("planwatch clock accept")
    });
    until("alerting was refused many times", || {
        counted(&system, "alerting", "planwatch_alerting_not_taken_total") >= 40.0
    });
    let said = crate::said_since(&system, said);
    let lines = said.lines().filter(|line| line.contains("[alerting]") && line.contains("WARN")).count();
    assert!((1..=6).contains(&lines), "it is said once, not at every attempt: {lines} lines");
    accept_the_clock(&system, &clocks);
    system.wait_ready();
    until("the alerts of the deadline are raised", || {
        let open = system.http().get("/api/v1/alerts?state=firing").json();
        open["alerts"].as_array().unwrap().iter().any(|alert| alert["rule"] == "overdue")
    });
}

#[test]
fn a_rest_within_the_limit_after_months_without_events_needs_nobody() {
    let Some((clocks, mut system)) = with_clocks(Options::empty()) else { return };
    let mut acknowledged = submit(&system, "before", 2);
    // Twenty days at a time, stopped in between: months without an event, and no leap.
    for days in [20, 40, 60, 80] {
        assert_eq!(system.stop().code(), Some(0));
        reboot(&system);
        clocks.set_all(days);
        system.start_again();
    }
    let mut body = report("di-an", today().year(), 7);
    body["document"]["date"] = json!((today() + 80.days()).to_string());
    let taken = until_some("the report is taken", || send(system.http(), "after", &body.to_string()).ok());
    acknowledged.push(taken);
    audit(&system, &acknowledged);
}

#[test]
fn a_projection_with_a_clock_of_its_own_says_nothing_of_today() {
    let Some((clocks, system)) = with_clocks(Options::sample()) else { return };
    let status = || system.http().get("/api/v1/status?unit=di-an");
    until("the projection answers", || status().status == 200);
    clocks.set("projection", 20);
    until("it does not any more", || {
        let refused = status();
        refused.status == 503 && refused.text.contains("as_of")
    });
    until("readiness says why", || {
        let state = system.http().get("/readyz");
        state.status == 503 && state.text.contains("projection: clock")
    });
    clocks.set("projection", 0);
    system.wait_ready();
    assert_eq!(status().status, 200);
}

#[test]
fn alerting_with_a_clock_of_its_own_raises_nothing_that_is_not_so() {
    let Some((clocks, system)) = with_clocks(Options::empty()) else { return };
    let acknowledged = submit(&system, "before", 2);
    let settled = || {
        let open = system.http().get("/api/v1/alerts?state=firing").json();
        open["alerts"].as_array().unwrap().len()
    };
    // Every earlier year is overdue in an empty log.
    until("what is overdue by the right clock is raised", || settled() > 0);
    let deadline = jiff::civil::date(today().year(), 12, 1);
    let deadline = if today() < deadline { deadline } else { jiff::civil::date(today().year() + 1, 12, 1) };
    let ahead = (deadline - today()).get_days() + (deadline - today()).get_months() * 31 + 40;
    clocks.set("alerting", i64::from(ahead));
    system.kill("alerting");
    until("ingestion does not take what a clock ahead of its own decides", || {
        system.said().contains("it was decided at")
    });
    clocks.set("alerting", 0);
    audit(&system, &acknowledged);
    let year = deadline.year().to_string();
    let of_the_future = events(system.http()).into_iter().filter(|logged| {
        let data = &logged.event["data"];
        data["rule"] == json!("overdue")
            && data["period"].as_str().is_some_and(|period| period >= year.as_str())
    });
    assert_eq!(of_the_future.count(), 0);
}
