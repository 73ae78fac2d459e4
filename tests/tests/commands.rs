//! The commands as a person and a script use them, against a running system and a stopped directory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rustix::process::Signal;
use serde_json::{Value, json};
use std::process::{Command, Output, Stdio};
use tests::support::{Options, System, nats_server, planwatch, signal, until, until_some};

const HEADER: &str =
    "unit,period,document_number,document_date,measure,numerator,denominator,level,attained,source";

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn data(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    serde_json::from_slice(&output.stdout).expect("one line of JSON on standard output")
}

/// Today in the plan's time zone, which is seven hours ahead of UTC all year round, and its year.
fn today() -> (String, String) {
    let shifted = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(7);
    let date = shifted.strftime("%Y-%m-%d").to_string();
    let year = date[..4].to_owned();
    (date, year)
}

fn write(system: &System, name: &str, text: &str) -> String {
    let file = system.data().join(name);
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// How many reports the log holds; alerts come and go beside them.
fn reports_recorded(system: &System) -> usize {
    let events = system.http().get("/api/v1/events?from=1&limit=1000").expect(200);
    let is_report = |event: &&Value| event["type"] == json!("planwatch.report-submitted.v1");
    events["events"].as_array().unwrap().iter().filter(is_report).count()
}

#[test]
fn reports_in_files_are_recorded_whole_once_or_not_at_all() {
    if nats_server().is_none() {
        return;
    }
    let system = System::start(Options::empty());
    let (date, year) = today();
    let good = write(
        &system,
        "good.csv",
        &format!(
            "{HEADER}\n\
             di-an,{year},12/BC,{date},life-skills,120,240,,,\"sổ, quyển 2\"\n\
             di-an,{year},12/BC,{date},primary-level,,,3,,\n"
        ),
    );
    let more = write(
        &system,
        "more.json",
        &json!([{"unit": "thuan-an", "period": year, "document": {"number": "13/BC", "date": date},
            "lines": [{"measure": "life-skills", "numerator": 30, "denominator": 40}]}])
        .to_string(),
    );
    assert_eq!(reports_recorded(&system), 0);

    let checked = data(&system.command(&["report", "submit", &good, &more, "--dry-run", "--json"]));
    assert_eq!(checked["reports"].as_array().unwrap().len(), 2);
    assert_eq!(reports_recorded(&system), 0, "a dry run records nothing");

    let first = data(&system.command(&["report", "submit", &good, &more, "--json"]));
    let again = data(&system.command(&["report", "submit", &good, &more, "--json"]));
    for (first, again) in
        first["reports"].as_array().unwrap().iter().zip(again["reports"].as_array().unwrap())
    {
        assert_eq!((&first["event"], &first["position"]), (&again["event"], &again["position"]));
        let marks = (&first["already_recorded"], &again["already_recorded"]);
        assert_eq!(marks, (&Value::Null, &json!(true)), "the same content is recorded once");
    }
    let twice = system.command(&["report", "submit", &good, &more]);
    let told = String::from_utf8_lossy(&twice.stdout).into_owned();
    assert_eq!(told.matches("already recorded as revision 1").count(), 2, "{told}");
    let reports = first["reports"].as_array().unwrap();
    let (positions, events): (Vec<_>, Vec<_>) =
        reports.iter().map(|report| (report["position"].clone(), report["event"].clone())).unzip();
    assert_eq!(positions[1].as_u64().unwrap(), positions[0].as_u64().unwrap() + 1, "one commit");
    assert_eq!(reports_recorded(&system), 2);

    let cell = ["--unit", "di-an", "--indicator", "life-skills", "--at-least"];
    let position = positions[1].to_string();
    let status = data(&system.command(&[&["status", "--json"], &cell[..], &[&position]].concat()));
    let cell = &status["cells"][0];
    assert_eq!(cell["value"], json!({"numerator": 120, "denominator": 240, "percent": "50.00"}));
    assert!(cell["because"].as_array().unwrap().contains(&events[0]));
}

#[test]
fn every_bad_row_is_named_and_nothing_is_recorded() {
    if nats_server().is_none() {
        return;
    }
    let system = System::start(Options::empty());
    let (date, year) = today();
    let bad = write(
        &system,
        "bad.csv",
        &format!(
            "\u{feff}{}\r\n\
             di-an;{year};12/BC;{date};life-skills;1;2;;;\r\n\
             di-an;{year};12/BC;{date};life-skill;1;2;;;\r\n\
             nowhere;{year};12/BC;{date};primary-level;;;3;;\r\n\
             thuan-an;{year};12/BC;{date};life-skills;3;2;;;\r\n",
            HEADER.replace(',', ";")
        ),
    );
    let refused = system.command(&["report", "submit", &bad, "--json"]);
    assert_eq!(refused.status.code(), Some(1));
    let errors: Value = serde_json::from_slice(&refused.stdout).unwrap();
    let places: Vec<(u64, &str)> = errors["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["line"].as_u64().unwrap(), error["column"].as_str().unwrap()))
        .collect();
    assert_eq!(places, [(3, "measure"), (4, "unit"), (5, "numerator")]);
    let said = said(&refused);
    assert!(said.contains("bad.csv:4: unit: ") && said.contains("nothing was recorded"), "{said}");
    assert_eq!(reports_recorded(&system), 0);
}

/// The places of the errors that a refused command prints for programs: line and column.
#[track_caller]
fn refused(output: &Output) -> (Value, Vec<(u64, String)>) {
    assert_eq!(output.status.code(), Some(1), "{}", said(output));
    assert!(!said(output).is_empty(), "people are told as well");
    let document: Value = serde_json::from_slice(&output.stdout).expect("one document on standard output");
    assert!(document["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{document}");
    let errors = document["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| !error["reason"].as_str().unwrap().is_empty()), "{document}");
    let place = |error: &Value| Some((error["line"].as_u64()?, error["column"].as_str()?.to_owned()));
    let places = errors.iter().filter_map(place).collect();
    (document, places)
}

#[test]
fn a_row_that_cannot_be_read_hides_nothing_in_other_rows_and_files() {
    if nats_server().is_none() {
        return;
    }
    let system = System::start(Options::empty());
    let (date, year) = today();
    let first = write(
        &system,
        "first.csv",
        &format!(
            "{HEADER}\n\
             di-an,{year},12/BC,{date},life-skills,x,2,,,\n\
             di-an,{year},12/BC,{date},primary-level,,,3,,\n\
             di-an,{year},12/BC,{date},no-such-measure,1,2,,,\n\
             nowhere,{year},,{date},life-skills,1,y,,,\n"
        ),
    );
    let second = write(
        &system,
        "second.csv",
        &format!("{HEADER}\nben-cat,{year},13/BC,{date},life-skills,3,2,,,\nben-cat,{year},13/BC\n"),
    );
    let submitted = system.command(&["report", "submit", &second, &first, "--json"]);
    let (document, places) = refused(&submitted);
    let expected = [
        (2, "numerator"),
        (4, "measure"),
        (5, "denominator"),
        (5, "document_number"),
        (5, "unit"),
        (2, "numerator"),
        (3, ""),
    ];
    assert_eq!(places, expected.map(|(line, column)| (line, column.to_owned())), "{document}");
    let files = document["errors"].as_array().unwrap().iter().map(|error| error["file"].as_str().unwrap());
    assert_eq!(files.filter(|file| *file == second).count(), 2);
    assert!(said(&submitted).contains("nothing was recorded: 7 places are wrong"), "{}", said(&submitted));
    assert_eq!(reports_recorded(&system), 0);
}

#[test]
fn rows_of_one_document_in_several_files_are_one_report_and_what_stands_twice_is_recorded_once() {
    if nats_server().is_none() {
        return;
    }
    let system = System::start(Options::empty());
    let (date, year) = today();
    let row = |line: &str| format!("{HEADER}\r\ndi-an,{year},12/BC,{date},{line}\r\n");
    let first = write(&system, "first.csv", &row("life-skills,1,2,,,\"a\r\nb\""));
    let second = write(&system, "second.csv", &row("primary-level,,,3,,"));
    let json = write(
        &system,
        "more.json",
        &json!({"unit": "ben-cat", "period": year, "document": {"number": "13/BC", "date": date},
            "lines": [{"measure": "life-skills", "numerator": 1, "denominator": 2}]})
        .to_string(),
    );
    let answer =
        data(&system.command(&["report", "submit", &first, &json, &second, &json, &first, "--json"]));
    let reports = answer["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 3, "{answer}");
    assert_eq!(reports[1]["event"], reports[2]["event"]);
    assert_eq!(reports[2]["already_recorded"], json!(true), "{answer}");
    assert_eq!(reports_recorded(&system), 2);
    let event = system.http().get(&format!("/api/v1/events/{}", reports[0]["event"].as_str().unwrap()));
    let lines = event.expect(200)["data"]["lines"].clone();
    assert_eq!((&lines[0]["source"], &lines[1]["level"]), (&json!("a\nb"), &json!(3)));
}

#[test]
fn every_refused_command_prints_what_is_wrong_for_programs_and_people() {
    if nats_server().is_none() {
        return;
    }
    let system = System::start(Options::empty());
    let (date, _) = today();
    let unit = write(&system, "unit.json", &json!({"unit": "nowhere", "change": "dissolve"}).to_string());
    let plan = write(&system, "plan.toml", "id = \"x\"\n");
    let config = write(&system, "console.toml", "plan = 5\n");
    let unknown = "00000000-0000-5000-8000-000000000000";
    let target =
        ["--indicator", "life-skills", "--review", "2030", "--effective", &date, "--instrument", "1/QĐ"];
    for (line, key) in [
        ([&["target", "set", "--value", "101"], &target[..]].concat(), "pointer"),
        (vec!["unit", "change", &unit], "pointer"),
        (vec!["status", "--unit", "nowhere"], "pointer"),
        (vec!["status", "--as-of", "2199-01-01"], "pointer"),
        (vec!["alerts", "ack", unknown, "--note", "x"], "pointer"),
        (vec!["plan", "check", &plan], "line"),
        (vec!["check", "--config", &config], "line"),
        (vec!["report", "submit", &config], "file"),
        (vec!["log", "show", unknown], "reason"),
    ] {
        let (document, _) = refused(&system.command(&[&line[..], &["--json"]].concat()));
        assert!(!document["errors"][0][key].is_null(), "{line:?}: {document}");
    }
    let checked = system.command(&["check", "--config", &config]);
    assert!(
        checked.stdout.is_empty() && said(&checked).contains("write `plan = \"binh-duong\"`"),
        "{checked:?}"
    );
    for wrong in [
        vec!["status", "--as-of", "foo"],
        vec!["replay", "--to", "soon"],
        vec!["alerts", "list", "--state", "foo"],
        [&["target", "set", "--value", "5"], &target[..2], &["--review", "20x7"], &target[4..]].concat(),
    ] {
        assert_eq!(system.command(&wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn made_up_figures_are_called_so_for_people_and_programs() {
    if nats_server().is_none() {
        return;
    }
    for (options, sample) in [(Options::sample(), true), (Options::empty(), false)] {
        let system = System::start(options);
        for line in [&["status", "--unit", "di-an"][..], &["alerts", "list", "--unit", "di-an"]] {
            let shown = system.command(line);
            assert_eq!(shown.status.code(), Some(0), "{}", said(&shown));
            let told = said(&shown).lines().filter(|one| *one == "sample data: no figure is real").count();
            assert_eq!(told, usize::from(sample), "{line:?}: {}", said(&shown));
            let document = data(&system.command(&[line, &["--json"]].concat()));
            assert_eq!(document["sample"], sample, "{line:?}");
        }
        for path in ["/api/v1/status?unit=di-an", "/api/v1/alerts", "/api/v1/events?limit=1"] {
            assert_eq!(system.http().get(path).expect(200)["sample"], sample, "{path}");
        }
    }
}

#[test]
fn what_goes_on_until_ctrl_c_ends_well_with_it() {
    if nats_server().is_none() {
        return;
    }
    let system = System::start(Options::sample());
    for arguments in [&["alerts", "watch", "--after", "0", "--json"][..], &["log", "tail", "-n", "1", "-f"]] {
        let file = system.data().join(arguments[0]);
        let mut watching = Command::new(planwatch())
            .args(arguments)
            .env("PLANWATCH_DATA", system.data())
            .env("PLANWATCH_SERVER", &system.ready().console)
            .env_remove("PLANWATCH_TOKEN")
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&file).unwrap())
            .spawn()
            .unwrap();
        until("it shows something", || std::fs::metadata(&file).unwrap().len() > 0);
        signal(watching.id(), Signal::INT);
        let ended = until_some("it has ended", || watching.try_wait().unwrap());
        assert_eq!(ended.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_named_nats_server_that_is_not_there_is_said_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nats = format!("nats://127.0.0.1:{port}");
    let up = Command::new(planwatch())
        .args(["up", "--json", "--empty", "--http", "127.0.0.1:0", "--nats", &nats, "--data"])
        .arg(folder.path().join("data"))
        .output()
        .unwrap();
    assert_eq!(up.status.code(), Some(3), "{}", said(&up));
    assert!(said(&up).contains(&format!("no nats-server answers at {nats}")), "{}", said(&up));
    assert!(!said(&up).contains("starting it again"), "{}", said(&up));
}

#[test]
fn a_target_a_unit_and_an_alert_are_changed_by_command() {
    if nats_server().is_none() {
        return;
    }
    let system = System::start(Options::empty());
    let (date, year) = today();
    let target = ["--indicator", "life-skills", "--unit", "di-an", "--review", "2030", "--effective", &date];
    let set = |value: &str| {
        let rest = ["--value", value, "--instrument", "12/QĐ-UBND", "--json"];
        system.command(&[&["target", "set"], &target[..], &rest].concat())
    };
    assert_eq!(data(&set("75"))["revision"], json!(1));
    assert_eq!(data(&set("76.5"))["revision"], json!(2));
    // A value is taken by the kind of its indicator.
    for (indicator, value, kept) in [
        ("province-literacy-level", "2", json!({"level": 2})),
        ("province-literacy-level", "level 2", json!({"level": 2})),
        ("preschool-age-5", "yes", json!({"attained": true})),
        ("preschool-age-5", "true", json!({"attained": true})),
    ] {
        let line = ["target", "set", "--indicator", indicator, "--review", "2030", "--value", value];
        let rest = ["--effective", &date, "--instrument", "12/QĐ-UBND", "--json"];
        let set = data(&system.command(&[&line[..], &rest].concat()));
        let event =
            system.http().get(&format!("/api/v1/events/{}", set["event"].as_str().unwrap())).expect(200);
        let (name, value) = kept.as_object().unwrap().iter().next().unwrap();
        assert!(event["data"].to_string().contains(&format!("\"{name}\":{value}")), "{event}");
    }
    let refused = set("101");
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("/percent"), "{}", said(&refused));

    let change = json!({"unit": "ben-cat", "change": "rename", "name": "Bến Cát mới", "effective": date, "instrument": "1/NQ"});
    let file = write(&system, "unit.json", &change.to_string());
    assert_eq!(data(&system.command(&["unit", "change", &file, "--json"]))["revision"], json!(1));

    // 1 of 100 after 50 of 100 falls: the cell regresses and an alert follows.
    let previous = (year.parse::<u16>().unwrap() - 1).to_string();
    let report = |period: &str, numerator: u64| {
        let body = json!({"unit": "phu-giao", "period": period, "document": {"number": format!("{numerator}/BC"), "date": date},
            "lines": [{"measure": "life-skills", "numerator": numerator, "denominator": 100}]});
        system.http().post("/api/v1/reports", &body).expect(201);
    };
    report(&previous, 50);
    report(&year, 1);
    let alert = until_some("the alert is raised", || {
        let firing =
            data(&system.command(&["alerts", "list", "--state", "firing", "--unit", "phu-giao", "--json"]));
        let alerts = firing["alerts"].as_array().unwrap();
        alerts.iter().find(|alert| alert["indicator"] == json!("life-skills")).cloned()
    });
    let id = alert["id"].as_str().unwrap();
    data(&system.command(&["alerts", "ack", id, "--note", "visit next week", "--json"]));
    until("the acknowledgement is shown", || {
        let all = data(&system.command(&["alerts", "list", "--unit", "phu-giao", "--json"]));
        let alerts = all["alerts"].as_array().unwrap();
        alerts.iter().any(|one| one["id"] == alert["id"] && !one["acknowledged"].is_null())
    });
    let unknown = "00000000-0000-5000-8000-000000000000";
    assert_eq!(system.command(&["alerts", "ack", unknown, "--note", "x"]).status.code(), Some(1));
}

#[test]
fn replay_and_the_log_say_the_same_running_and_stopped() {
    if nats_server().is_none() {
        return;
    }
    let mut system = System::start(Options::sample());
    let running = data(&system.command(&["replay", "--json"]));
    let position = running["position"].to_string();
    let status = data(&system.command(&["status", "--json", "--at-least", &position]));
    assert_eq!((&running["position"], &running["digest"]), (&status["position"], &status["digest"]));
    let early = data(&system.command(&["replay", "--to-position", "20", "--json"]));
    assert_eq!(early["position"], json!(20));
    let day = data(&system.command(&["replay", "--to", "2022-03-16", "--json"]));
    assert!(
        day["position"].as_u64().unwrap() >= 32,
        "the plan and its targets are known on their day: {day}"
    );
    let first = system.command(&["log", "show", "1", "--json"]);

    assert_eq!(system.stop().code(), Some(0));
    let directory = system.data().display().to_string();
    let stopped = |arguments: &[&str]| {
        let mut command = std::process::Command::new(tests::support::planwatch());
        command.args(arguments).args(["--data", &directory]).env_remove("PLANWATCH_SERVER").output().unwrap()
    };
    let status_shown = status["known_at"].as_str().unwrap();
    let known_at = running["known_at"].as_str().unwrap();
    assert!(known_at.ends_with("+07:00") && status_shown.ends_with("+07:00"), "{known_at}, {status_shown}");
    let replayed = data(&stopped(&["replay", "--json"]));
    assert_eq!((&replayed["position"], &replayed["digest"]), (&running["position"], &running["digest"]));
    assert_eq!(stopped(&["log", "show", "1", "--json"]).stdout, first.stdout, "byte for byte as recorded");
    let verified = data(&stopped(&["log", "verify", "--json"]));
    assert_eq!((&verified["ok"], &verified["head"]), (&json!(true), &running["position"]));
    let tail = stopped(&["log", "tail", "-n", "3", "--json"]);
    assert_eq!(String::from_utf8_lossy(&tail.stdout).lines().count(), 3);

    // A commit that was torn as it was written is cut, and a person is told.
    let journal = system.data().join("ingestion/binh-duong/journal");
    let file = std::fs::read_dir(&journal).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend_from_slice(b"PWF\x01torn");
    std::fs::write(&file, bytes).unwrap();
    let torn = stopped(&["replay", "--json"]);
    assert!(said(&torn).contains("the end of the journal was torn"), "{}", said(&torn));
    assert_eq!(data(&torn)["digest"], running["digest"]);
    assert!(!said(&stopped(&["replay"])).contains("torn"), "it is whole from then on");

    // One bit of the journal turned over is found and named.
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let damaged = stopped(&["log", "verify", "--json"]);
    assert_eq!(damaged.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&damaged.stdout).unwrap();
    assert_eq!(report["ok"], json!(false));
    assert!(!report["problems"].as_array().unwrap().is_empty());
}

#[test]
fn configurations_and_plans_are_checked_with_line_and_remedy() {
    if nats_server().is_none() {
        return;
    }
    let system = System::start(Options::empty());
    for service in ["ingestion", "projection", "alerting", "console"] {
        let file = system.data().join(format!("config/{service}.toml")).display().to_string();
        let checked = system.command(&["check", "--config", &file]);
        assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
        assert_eq!(data(&system.command(&["check", "--config", &file, "--json"]))["service"], json!(service));
    }
    let text = std::fs::read_to_string(system.data().join("config/ingestion.toml")).unwrap();
    let wrong = write(&system, "ingestion.toml", &text.replace("data = ", "date = "));
    let checked = system.command(&["check", "--config", &wrong]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(said(&checked).contains("ingestion.toml:4: date: unknown field"), "{}", said(&checked));

    let plan = std::fs::read_to_string(system.data().join("config/plan.toml")).unwrap();
    let wrong = write(&system, "plan.toml", &plan.replacen("on_track = \"0.95\"", "on_track = 0.95", 1));
    let checked = system.command(&["plan", "check", &wrong]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(said(&checked).contains("thresholds.on_track"), "{}", said(&checked));
}
