//! The page in a real browser: who is let in, what is shown, what follows the log, with a script and without.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::{Value, json};
use tests::support::{
    Browser, Options, Scripts, System, browser_is_here, nats_server, report, today, until, until_some,
};

/// The words for the statuses that the sample shows, in both languages.
const STATUS_WORDS: [(&str, &str); 8] = [
    ("Đạt", "Achieved"),
    ("Đúng tiến độ", "On track"),
    ("Có nguy cơ", "At risk"),
    ("Chậm tiến độ", "Behind"),
    ("Thụt lùi", "Regressing"),
    ("Chưa đạt", "Pending"),
    ("Chưa có số gốc", "No baseline"),
    ("Không có mục tiêu", "No target"),
];
/// What WebDriver calls the Enter key.
const ENTER: &str = "\u{e007}";
/// The tests' own cell: it is on track in the sample, whatever the year.
const CELL: &str = "#cell-thuan-an-life-skills";

fn is_possible() -> bool {
    nats_server().is_some() && browser_is_here()
}

/// Every text that a selector finds, without what surrounds it.
#[track_caller]
fn texts(browser: &Browser, selector: &str) -> Vec<String> {
    let script =
        format!("return [...document.querySelectorAll({selector:?})].map((item) => item.textContent.trim())");
    serde_json::from_value(browser.evaluate(&script)).unwrap()
}

/// Whether the whole page can be scrolled sideways.
#[track_caller]
fn scrolls_sideways(browser: &Browser) -> bool {
    let script = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
    browser.evaluate(script) == true
}

/// Thuận An falls far behind with the report of the year before; gives the alert that follows.
#[track_caller]
fn fall_behind(system: &System) -> String {
    let late = report("thuan-an", today().year() - 1, 350);
    let accepted = system.http().post("/api/v1/reports", &late).expect(201);
    let query = format!("/api/v1/alerts?state=firing&unit=thuan-an&at_least={}", accepted["position"]);
    let is_ours = |alert: &&Value| alert["rule"] == "behind" && alert["indicator"] == "life-skills";
    until_some("the alert is raised", || {
        let alerts = system.http().get(&query).expect(200)["alerts"].as_array().unwrap().clone();
        alerts.iter().find(is_ours).map(|alert| alert["id"].as_str().unwrap().to_owned())
    })
}

#[track_caller]
fn acknowledgement(system: &System, alert: &str) -> Value {
    let alerts = system.http().get("/api/v1/alerts?unit=thuan-an&limit=1000").expect(200);
    let alerts = alerts["alerts"].as_array().unwrap().clone();
    alerts.iter().find(|one| one["id"] == alert).unwrap()["acknowledged"].clone()
}

/// Comes in by the one-time link, as a person does.
#[track_caller]
fn sign_in(browser: &Browser, system: &System) {
    browser.open(&system.ready().sign_in);
    browser.click(".sign-in button");
    until("the page is shown", || browser.count(".matrix") == 1);
}

#[test]
fn the_page_lets_in_once_and_shows_the_plan_in_both_languages() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    let browser = Browser::start(Scripts::On);
    let (console, link) = (system.ready().console.clone(), system.ready().sign_in.clone());
    browser.open(&console);
    assert!(browser.url().ends_with("/sign-in"), "{}", browser.url());
    assert_eq!(browser.count(".matrix"), 0, "nothing is shown to somebody unknown");

    // Looking uses the link up as little as a preview does, in either language.
    browser.open(&link);
    browser.open(&link);
    browser.click("nav a[hreflang=en]");
    until("the door is English", || browser.text("h1") == "Sign in");
    assert_eq!(browser.count(".matrix"), 0, "the link alone shows nothing");
    assert_eq!(browser.count("main button"), 1);
    sign_in(&browser, &system);
    assert!(!browser.url().contains("code="), "the code does not stay in the address: {}", browser.url());
    assert_eq!(browser.count(".matrix tbody tr"), 1 + 9);
    assert_eq!(browser.count(".matrix thead th"), 1 + 17);
    assert_eq!(browser.count(".matrix td.cell"), 125);
    assert!(browser.text(".sample").contains("Dữ liệu mẫu"));
    assert!(texts(&browser, "caption").iter().all(|caption| caption.starts_with("Dữ liệu mẫu.")));
    let words = |of: fn(&(&'static str, &'static str)) -> &'static str| -> Vec<&str> {
        STATUS_WORDS.iter().map(of).collect()
    };
    let shown = texts(&browser, ".matrix .status");
    assert_eq!(shown.len(), 125, "a status is a word, not only a colour");
    for word in words(|pair| pair.0) {
        assert!(shown.iter().any(|status| status == word), "{word} in {shown:?}");
    }
    let types = texts(&browser, ".unit-type");
    assert_eq!(types.iter().filter(|word| *word == "Khu vực báo cáo").count(), 9, "{types:?}");
    let alerts = system.http().get("/api/v1/alerts?state=firing&limit=1000").expect(200);
    assert_eq!(browser.count(".alerts tbody tr"), alerts["alerts"].as_array().unwrap().len());

    // The misses of the review all came at the turn of the year: they stand by unit, as the matrix does.
    let mut units = texts(&browser, ".alerts tr:has(.severity-critical) th");
    units.dedup();
    let in_the_matrix = texts(&browser, ".matrix .unit");
    let order: Vec<&String> = in_the_matrix.iter().filter(|unit| units.contains(unit)).collect();
    assert_eq!(units.iter().collect::<Vec<_>>(), order);

    browser.open(&format!("{console}/?lang=en"));
    assert_eq!(browser.evaluate("return document.documentElement.lang"), "en");
    assert!(browser.text(".sample").starts_with("Sample data"));
    let shown = texts(&browser, ".matrix .status");
    for word in words(|pair| pair.1) {
        assert!(shown.iter().any(|status| status == word), "{word} in {shown:?}");
    }

    assert_eq!(browser.complaints(), [""; 0]);
    browser.forget_cookies();
    browser.open(&link);
    assert_eq!(browser.count(".matrix"), 0, "the link works once");
    assert!(browser.text(".trouble").contains("đã được dùng"));
}

/// From another machine over plain HTTP a browser sends no `Sec-Fetch-Site`: forms are known by their origin.
#[test]
fn the_page_takes_its_own_forms_over_plain_http_as_well() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options { http: Some("0.0.0.0:0".to_owned()), ..Options::empty() });
    let browser = Browser::start(Scripts::On);
    let elsewhere = |url: &str| url.replace("127.0.0.1", "0.0.0.0");
    browser.open(&elsewhere(&system.ready().sign_in));
    assert!(browser.url().starts_with("http://0.0.0.0:"), "{}", browser.url());
    assert_eq!(browser.evaluate("return isSecureContext"), false, "as a page of another machine is");
    browser.click(".sign-in button");
    until("the page is shown", || browser.count(".matrix") == 1);
    browser.click(".top nav button");
    until("somebody signed out is at the door", || browser.url().contains("/sign-in"));
    browser.open(&elsewhere(&system.ready().console));
    assert_eq!(browser.count(".matrix"), 0);
}

#[test]
fn the_page_fits_a_telephone_and_paper_and_is_used_by_keyboard() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    let browser = Browser::start(Scripts::On);
    sign_in(&browser, &system);
    for width_px in [360, 768, 1400] {
        browser.resize(width_px, 740);
        assert!(!scrolls_sideways(&browser), "the page scrolls sideways at {width_px} px");
        let reaches = "const box = document.querySelector('#matrix .scroll'); box.scrollLeft = 1e6; return box.scrollLeft > 0";
        assert_eq!(browser.evaluate(reaches), true, "the last column is reached at {width_px} px");
    }

    let is_open = format!("return document.querySelector({CELL:?}).open");
    assert_eq!(browser.evaluate(&is_open), false);
    browser.press(&format!("{CELL} summary"), ENTER);
    assert_eq!(browser.evaluate(&is_open), true, "Enter opens a cell");
    let details = browser.text(&format!("{CELL} dl"));
    for term in ["Mục tiêu", "Số gốc", "Mức theo lộ trình", "Nhịp độ"] {
        assert!(details.contains(term), "{term} in {details}");
    }
    browser.press(&format!("{CELL} summary"), ENTER);
    assert_eq!(browser.evaluate(&is_open), false, "and closes it");
    browser.press(".skip", ENTER);
    assert_eq!(
        browser.evaluate("return document.activeElement.id"),
        "main",
        "the first link leads to the figures"
    );

    browser.show_as_printed();
    let display = |selector: &str| {
        browser.evaluate(&format!("return getComputedStyle(document.querySelector({selector:?})).display"))
    };
    assert_eq!(display(".top nav"), "none", "what cannot be clicked on paper is not printed");
    assert_ne!(display(".sample"), "none", "that it is a sample is");
    let overflow = "return getComputedStyle(document.querySelector('#matrix .scroll')).overflowX";
    assert_eq!(browser.evaluate(overflow), "visible", "nothing is cut off on paper");
    let size = |selector: &str| {
        browser.evaluate(&format!("return getComputedStyle(document.querySelector({selector:?})).fontSize"))
    };
    assert_eq!(
        size(".matrix .value"),
        size(".matrix .status"),
        "a value is not smaller than what is said of it"
    );
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_page_follows_the_log_and_keeps_what_is_being_written() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    let browser = Browser::start(Scripts::On);
    sign_in(&browser, &system);
    let cell = format!("{CELL} summary");
    assert!(browser.text(&cell).contains("Đúng tiến độ"), "{}", browser.text(&cell));
    browser.evaluate("window.loadedOnce = true");
    browser.wait("the page is live", "return document.getElementById('live-state').textContent !== ''");
    assert!(!browser.text("#live-state").contains("Mất kết nối"));
    browser.click(&cell);

    let alert = fall_behind(&system);
    until("the cell changes", || browser.text(&cell).contains("35,00"));
    assert!(browser.text(&cell).contains("Chậm tiến độ"), "{}", browser.text(&cell));
    let row = format!("#alert-{alert}");
    until("the alert comes", || browser.count(&row) == 1);
    assert!(browser.text(&row).contains("Thuận An"));
    let still_open = format!("return document.querySelector({CELL:?}).open && window.loadedOnce === true");
    assert_eq!(browser.evaluate(&still_open), true, "without a reload, and what was open stays open");

    // Somebody writes a note while the log goes on.
    browser.click(&format!("#ack-{alert} summary"));
    browser.press(&format!("#ack-{alert} textarea"), "Gọi phòng giáo dục");
    let more = report("di-an", today().year(), 777);
    system.http().post("/api/v1/reports", &more).expect(201);
    until("the matrix goes on", || browser.text("#cell-di-an-life-skills summary").contains("77,70"));
    let written = format!("return document.querySelector('#ack-{alert} textarea').value");
    assert_eq!(browser.evaluate(&written), "Gọi phòng giáo dục");
    browser.press(&format!("#ack-{alert} textarea"), " hôm nay");
    browser.click(&format!("#ack-{alert} button"));
    until("the acknowledgement is shown", || {
        browser.count(&format!("{row} .acknowledged")) == 1
            && browser.text(&format!("{row} .acknowledged")).contains("Gọi phòng giáo dục hôm nay")
    });
    assert_eq!(acknowledgement(&system, &alert)["note"], json!("Gọi phòng giáo dục hôm nay"));

    // A day that is past is refused where the person is, and nothing is recorded.
    let further = report("di-an", today().year(), 1);
    system.http().post("/api/v1/reports", &further).expect(201);
    let other = until_some("another alert comes", || {
        let alerts = system.http().get("/api/v1/alerts?state=firing&unit=di-an").expect(200);
        let alerts = alerts["alerts"].as_array().unwrap().clone();
        let fresh = alerts.iter().find(|one| one["acknowledged"].is_null() && one["rule"] == "regressing");
        fresh.map(|one| one["id"].as_str().unwrap().to_owned())
    });
    browser.click(&format!("#ack-{other} summary"));
    browser.press(&format!("#ack-{other} textarea"), "Sai ngày");
    let past = format!("document.querySelector('#ack-{other} input[type=date]').value = '2020-01-01'");
    browser.evaluate(&past);
    browser.click(&format!("#ack-{other} button"));
    until("the refusal is shown", || browser.count(".trouble") == 1);
    assert!(browser.text(".trouble").contains("2020-01-01"), "{}", browser.text(".trouble"));
    assert_eq!(browser.count(&format!("#alert-{other} .acknowledged")), 0);
    let complaints = browser.complaints();
    assert!(complaints.iter().all(|one| one.contains("422")), "only the refusal: {complaints:?}");
    browser.open(&system.ready().console);

    // A better report takes the alert away again.
    system.http().post("/api/v1/reports", &report("thuan-an", today().year(), 690)).expect(201);
    until("the alert goes", || browser.count(&row) == 0);
    assert!(browser.text(&cell).contains("69,00"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_page_is_whole_without_a_script() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    let alert = fall_behind(&system);
    let browser = Browser::start(Scripts::Off);
    sign_in(&browser, &system);
    assert_eq!(browser.count(".matrix td.cell"), 125);
    assert_eq!(browser.text("#live-state"), "", "the script does not run");
    let cell = format!("{CELL} summary");
    assert!(browser.text(&cell).contains("Chậm tiến độ"));
    browser.click(&cell);
    assert!(browser.text(&format!("{CELL} dl")).contains("Nhịp độ"));

    browser.click("nav a[hreflang=en]");
    until("the page is English", || browser.text("h2").starts_with("Open alerts"));
    browser.click(&format!("#ack-{alert} summary"));
    browser.press(&format!("#ack-{alert} textarea"), "Visit next week");
    browser.click(&format!("#ack-{alert} button"));
    let shown = format!("#alert-{alert} .acknowledged");
    until("the acknowledgement is shown", || browser.count(&shown) == 1);
    assert!(browser.text(&shown).contains("Visit next week"));
    assert_eq!(acknowledgement(&system, &alert)["note"], json!("Visit next week"));
    assert!(browser.text("h2").starts_with("Open alerts"), "the language stays");

    browser.click(".top nav button");
    until("somebody signed out is at the door", || browser.url().contains("/sign-in"));
    browser.open(&system.ready().console);
    assert_eq!(browser.count(".matrix"), 0);
}
