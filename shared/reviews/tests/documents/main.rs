//! Reviews of a short history in every format: what stands in them, that nothing in them runs, and that the same
//! log gives the same bytes.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod history;

use history::{HOSTILE_INSTRUMENT, HOSTILE_NAME, History};
use indicators::{NotJudged, ReportProgress, Verdict};
use reviews::{Cut, Format, Language, Review, first_difference, render};

const ENDED: &str = "2028-02-01T00:00:00Z";

fn ended() -> Review {
    History::lived().review("2027", ENDED).unwrap()
}

fn text(format: Format, language: Language) -> String {
    String::from_utf8(render(&ended(), format, language)).unwrap()
}

#[test]
fn json() {
    insta::assert_snapshot!(text(Format::Json, Language::Vietnamese));
}

#[test]
fn csv() {
    insta::assert_snapshot!(text(Format::Csv, Language::English));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(text(Format::Markdown, Language::Vietnamese));
}

#[test]
fn html() {
    let page = text(Format::Html, Language::English);
    // The style is looked at in its own file.
    insta::assert_snapshot!(page.replace(reviews::HTML_STYLE, "…"));
}

#[test]
fn each_target_has_its_value_verdict_and_distance() {
    let review = ended();
    let found: Vec<_> = review
        .targets
        .iter()
        .map(|entry| {
            let cell = entry.province.as_ref().unwrap();
            let distance = cell.distance.as_ref();
            let points = distance.and_then(|distance| distance.points.as_deref());
            (entry.indicator.as_str(), cell.verdict, points, distance.and_then(|distance| distance.needed))
        })
        .collect();
    // Households: (875 + 1900) of 3000 = 92.50 % of 87.5 %. Offices: 1 of 2 at level 4 = 50 % of 50 %. Services: 45 of 60.
    assert_eq!(
        found,
        [
            ("households-online", Some(Verdict::Met), Some("0.00"), Some(0)),
            ("offices-at-4", Some(Verdict::Met), Some("0.00"), Some(0)),
            ("data-centre", Some(Verdict::Met), None, None),
            ("services-online", Some(Verdict::Met), Some("0.00"), Some(0)),
        ]
    );
    // Bắc has a target of its own, 90 %: 875 of 1000 lacks 2.50 points, 25 households.
    let households = &review.targets[0];
    let north = &households.districts[0];
    assert_eq!((north.unit.as_str(), north.verdict), ("bac", Some(Verdict::NotMet)));
    let distance = north.distance.as_ref().unwrap();
    assert_eq!((distance.points.as_deref(), distance.needed), (Some("2.50"), Some(25)));
    assert_eq!(north.target.instrument, "12/QĐ-UBND");
    assert_eq!((&households.met[0].as_str(), &households.not_met[0].as_str()), (&"nam", &"bac"));
    // A share of 50 % binds no single district.
    assert!(review.targets[1].districts.is_empty());
    assert_eq!((review.totals.targets, review.totals.met, review.district_totals.not_met), (4, 4, 1));
}

#[test]
fn reporting_tells_what_came_late_and_what_never_came() {
    let review = ended();
    let of_2024 = review.reporting[0];
    assert_eq!((of_2024.owed, of_2024.received, of_2024.on_time, of_2024.late), (3, 3, 2, 1));
    let of_2025 = review.reporting[1];
    assert_eq!((of_2025.owed, of_2025.received, of_2025.overdue), (3, 0, 3));
    let south = review.reports.iter().find(|report| report.unit.as_str() == "nam").unwrap();
    assert!(south.late && south.state == ReportProgress::Received);
    assert_eq!((south.measures, south.of, south.revisions), (2, 2, 1));
}

#[test]
fn changes_and_events_name_their_instruments_and_places() {
    let review = ended();
    let [change] = review.target_changes.as_slice() else { panic!("{:?}", review.target_changes) };
    assert_eq!((change.unit.as_ref().unwrap().as_str(), change.before), ("bac", None));
    let [change] = review.unit_changes.as_slice() else { panic!("{:?}", review.unit_changes) };
    assert_eq!(
        (change.change["change"].as_str(), change.instrument.as_str()),
        (Some("rename"), HOSTILE_INSTRUMENT)
    );
    let positions: Vec<u64> = review.events.iter().map(|event| event.position.0).collect();
    assert!(positions.is_sorted() && positions[0] == 1);
    // Everything but the province's target for households of Bắc rests on something: 5 of the plan, 3 + 3 reports, 2 changes.
    assert_eq!(review.events.len(), 13);
}

#[test]
fn before_the_end_of_the_year_nothing_is_judged() {
    let history = History::lived();
    let review = history.review("2027", "2027-12-31T14:59:59.999Z").unwrap();
    assert!(!review.review.ended);
    let cells = || review.targets.iter().flat_map(|entry| entry.province.iter().chain(&entry.districts));
    assert!(cells().all(|cell| cell.verdict.is_none()));
    assert!(cells().all(|cell| cell.not_judged == Some(NotJudged::YearNotEnded)));
    assert_eq!((review.totals.met, review.totals.not_judged), (0, 4));
    let page = String::from_utf8(render(&review, Format::Html, Language::Vietnamese)).unwrap();
    assert!(page.contains("Chưa đánh giá trước khi kết thúc năm 2027"));
    // One millisecond later it is New Year in Tokyo.
    assert!(history.review("2027", "2027-12-31T15:00:00Z").unwrap().review.ended);
}

#[test]
fn a_year_without_a_review_is_refused() {
    let error = History::lived().review("2025", ENDED).unwrap_err();
    assert_eq!(error.to_string(), "the plan has no review of `2025`; it has 2027");
}

#[test]
fn a_log_with_nothing_but_a_plan_has_a_review_without_values() {
    let review = History::adopted().review("2027", ENDED).unwrap();
    assert_eq!((review.totals.targets, review.totals.no_data), (4, 4));
    for format in Format::ALL {
        assert!(!render(&review, format, Language::English).is_empty());
    }
}

#[test]
fn the_same_log_gives_the_same_bytes() {
    for format in Format::ALL {
        for language in Language::ALL {
            let (once, again) = (render(&ended(), format, language), render(&ended(), format, language));
            assert!(once == again, "{format} {language}");
        }
    }
}

#[test]
fn a_document_tells_its_cut_and_is_made_again_from_it() {
    let review = ended();
    for format in Format::ALL {
        for language in Language::ALL {
            let document = render(&review, format, language);
            let (cut, found) = Cut::read(&document).unwrap();
            let said = (format != Format::Json).then_some(language);
            assert_eq!((found, cut), (format, Cut::of(&review, said)), "{format} {language}");
        }
    }
    assert!(Cut::read(b"unit,period\r\n").is_err());
    assert!(Cut::read(&[0xff, 0xfe]).is_err());
    assert!(Cut::read(b"{}").is_err());
}

#[test]
fn the_first_line_that_differs_is_named() {
    let found = |left: &'static [u8], right: &'static [u8]| {
        first_difference(left, right).map(|found| (found.line, found.left, found.right))
    };
    assert_eq!(found(b"a\nb", b"a\nb"), None);
    assert_eq!(found(b"a\nb", b"a\nc"), Some((2, Some(&b"b"[..]), Some(&b"c"[..]))));
    assert_eq!(found(b"a\n", b"a\nc"), Some((2, Some(&b""[..]), Some(&b"c"[..]))));
    assert_eq!(found(b"a", b"a\nc"), Some((2, None, Some(&b"c"[..]))));
}

#[test]
fn nothing_in_a_document_runs_or_breaks_out_of_its_place() {
    let page = text(Format::Html, Language::English);
    assert!(!page.contains("<script"));
    assert!(!page.contains("http://x\","), "a quote would end an attribute");
    let csv = text(Format::Csv, Language::English);
    let name = HOSTILE_NAME.replace('"', "\"\"");
    assert!(csv.contains(&format!("\"'{name}\"")) && !csv.contains(&format!(",\"{name}")));
    assert!(csv.contains(",\"'@1|2"));
    let table = text(Format::Markdown, Language::English);
    assert!(table.contains("@1\\|2 &lt;script&gt;") && !table.contains("<script"));
    assert_eq!(table.matches("-->").count(), 1, "only the comment with the cut ends");
}

#[test]
fn every_record_of_csv_is_as_wide_as_the_others() {
    let csv = text(Format::Csv, Language::Vietnamese);
    let widths: Vec<usize> = csv.split("\r\n").filter(|line| !line.is_empty()).map(width).collect();
    assert!(widths.len() > 60 && widths.iter().all(|width| *width == widths[0]), "{widths:?}");
}

fn width(record: &str) -> usize {
    let mut quoted = false;
    let commas = record.chars().filter(|letter| {
        quoted ^= *letter == '"';
        *letter == ',' && !quoted
    });
    commas.count() + 1
}

/// The strings and the formulas of a workbook, and all its files' text.
fn unpacked(workbook: &[u8]) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(workbook)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut text = String::new();
            std::io::Read::read_to_string(&mut file, &mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect()
}

#[test]
fn a_workbook_reads_back_and_holds_no_formula() {
    let files = unpacked(&render(&ended(), Format::Xlsx, Language::Vietnamese));
    let sheets: Vec<&(String, String)> =
        files.iter().filter(|(name, _)| name.starts_with("xl/worksheets/sheet")).collect();
    assert_eq!(sheets.len(), 12);
    assert!(sheets.iter().all(|(_, text)| !text.contains("<f>") && !text.contains("hyperlink")));
    let strings = &files.iter().find(|(name, _)| name == "xl/sharedStrings.xml").unwrap().1;
    // The name is there, as a string.
    assert!(strings.contains("=HYPERLINK(") && strings.contains("Hộ gia đình có kết nối internet"));
    // 2775 of 3000 and 92.50 % are numbers.
    assert!(sheets.iter().any(|(_, text)| text.contains("<v>2775</v>") && text.contains("<v>92.5</v>")));
    let core = &files.iter().find(|(name, _)| name == "docProps/core.xml").unwrap().1;
    assert!(core.contains("2028-02-01T00:00:00Z"), "{core}");
}
