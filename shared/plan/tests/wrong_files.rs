//! Every kind of wrong plan file is refused with its line, its key, what is wrong and what to do.

use plan::{PlanError, file};
use std::fmt::Write;

const BINH_DUONG: &str = include_str!("../../../deploy/plans/binh-duong.toml");
const SECOND: &str = include_str!("../../../tests/fixtures/plans/second.toml");

/// Where the error of a changed file is to be reported.
enum At {
    /// On the line of the change.
    Change,
    /// On the last line before the change that begins so: the table that lacks a key.
    Table(&'static str),
    /// On the first line that begins so.
    First(&'static str),
}
use At::{Change, First, Table};

/// One change to the good file: in the first place after `after`, `from` becomes `to`.
struct Case {
    after: &'static str,
    from: &'static str,
    to: &'static str,
    at: At,
    key: &'static str,
    words: &'static [&'static str],
}

const fn case(
    after: &'static str,
    from: &'static str,
    to: &'static str,
    at: At,
    key: &'static str,
    words: &'static [&'static str],
) -> Case {
    Case { after, from, to, at, key, words }
}

fn changed(case: &Case) -> (String, usize) {
    let start = BINH_DUONG.find(case.after).unwrap_or_else(|| panic!("no {:?}", case.after));
    let offset = BINH_DUONG[start..]
        .find(case.from)
        .map(|found| start + found)
        .unwrap_or_else(|| panic!("no {:?} after {:?}", case.from, case.after));
    let mut text = BINH_DUONG.to_owned();
    text.replace_range(offset..offset + case.from.len(), case.to);
    let line_of = |offset: usize| text[..offset].matches('\n').count() + 1;
    let begins = |prefix: &str| format!("\n{prefix}");
    let line = match case.at {
        Change => line_of(offset),
        Table(prefix) => line_of(text[..offset].rfind(&begins(prefix)).expect("the table is there") + 1),
        First(prefix) => line_of(text.find(&begins(prefix)).expect("the line is there") + 1),
    };
    (text, line)
}

const DI_AN: &str = "id = \"di-an\"";
const LIFE_SKILLS: &str = "[[indicators]]\nid = \"life-skills\"";
const PROVINCE_LITERACY: &str = "[[indicators]]\nid = \"province-literacy-level\"";
const AGE_5: &str = "[[indicators]]\nid = \"preschool-age-5\"";
const LITERACY_2: &str = "[[indicators]]\nid = \"districts-literacy-2\"";

#[rustfmt::skip]
const CASES: &[Case] = &[
    // What cannot be read.
    case(DI_AN, "code = \"724\"", "code = 724", Change, "units[7].code", &["the number 724", "quote it"]),
    case(DI_AN, "code = \"724\"\n", "", Table("[[units]]"), "units[7].code", &["`code` is missing", "add `code"]),
    case(DI_AN, "code = \"724\"", "zip = \"8\"\ncode = \"724\"", Change, "units[7].zip", &["no key `zip`", "known are", "`type`"]),
    case(DI_AN, "id = \"di-an\"", "id = \"Dĩ An\"", Change, "units[7].id", &["`Dĩ An` is no identifier", "give an id of lower-case"]),
    case(DI_AN, "level = \"district\"", "level = \"commune\"", Change, "units[7].level", &["`commune`", "`province`, `district`"]),
    case(DI_AN, "name.en = \"Di An\"\n", "", Table("name.vi"), "units[7].name.en", &["`en` is missing"]),
    case(DI_AN, "name.vi = \"Dĩ An\"", "name.vi = \"\"", Change, "units[7].name.vi", &["`vi` is empty", "write what it is"]),
    case(DI_AN, "type = \"city\"", "type = true", Change, "units[7].type", &["`true` stands where a text"]),
    case("adopted", "2022-03-16", "\"16.3.2022\"", Change, "adopted", &["a day", "2022-03-16, without quotes"]),
    case("adopted", "2022-03-16", "2022-03-16T10:00:00", Change, "adopted", &["a day"]),
    case("[calendar]", "Asia/Ho_Chi_Minh", "Asia/Bien_Hoa", Change, "calendar.time_zone", &["no time zone", "give a name of the IANA list", "Asia/Ho_Chi_Minh"]),
    case("[calendar]", "\"12-01\"", "\"02-29\"", Change, "calendar.due_before", &["`02-29`", "of every year", "give a month and a day"]),
    case("[calendar]", "\"2021\"", "2021", Change, "calendar.first_period", &["the number 2021", "in quotes"]),
    case("[calendar]", "history_after_days = 31", "history_after_days = -1", Change, "calendar.history_after_days", &["-1, which is out of range"]),
    case("[thresholds]", "\"0.95\"", "0.95", Change, "thresholds.on_track", &["the number 0.95", "write it in quotes", "on_track = \"0.95\""]),
    case("[thresholds]", "\"0.60\"", "1", Change, "thresholds.at_risk", &["the number 1", "write it in quotes"]),
    case("[thresholds]", "\"0.60\"", "\"0.605\"", Change, "thresholds.at_risk", &["`0.605` is no ratio", "give a ratio", "two places"]),
    case("[alerts.behind]", "[alerts.behind]", "[alerts.late]", First("[alerts.late]"), "alerts.behind", &["`behind` is missing", "[alerts.behind]"]),
    case(LIFE_SKILLS, "percent = \"50\"", "percent = 12.5", Change, "indicators[8].targets[0].percent", &["the number 12.5", "write it in quotes", "percent = \"12.5\""]),
    case(LIFE_SKILLS, "percent = \"50\"", "percent = \"150\"", Change, "indicators[8].targets[0].percent", &["`150` is no percentage", "give a percentage from 0 to 100", "percent = \"12.5\""]),
    case(LIFE_SKILLS, "percent = \"50\"", "percent = \"50\"\nlevel = 2", Table("[[indicators.targets]]"), "indicators[8].targets[0]", &["more than one value", "exactly one"]),
    case(LIFE_SKILLS, "percent = \"50\"\n", "", Table("[[indicators.targets]]"), "indicators[8].targets[0].percent", &["no value", "give one of"]),
    case(LIFE_SKILLS, "percent = \"50\"", "withdrawn = true", Change, "indicators[8].targets[0].withdrawn", &["withdraws none", "only an event"]),
    case(LIFE_SKILLS, "mark = \"attain\"", "mark = \"reach\"", Change, "indicators[8].targets[0].mark", &["`reach`", "`attain`, `maintain`"]),
    case(LIFE_SKILLS, "bodies = [", "bodies = [4, ", Change, "indicators[8].bodies", &["no text", "quote each"]),
    case("[[measures]]\nid = \"literacy-level\"", "highest = 2\n", "", Table("[[measures]]"), "measures[3].highest", &["`highest` is missing"]),
    case("[[measures]]\nid = \"life-skills\"", "kind = \"rate\"", "months = 36\nkind = \"rate\"", Change, "measures[7].months", &["no key `months`"]),
    case("[[decisions]]", "number = 1", "number = \"1\"", Change, "decisions[0].number", &["whole number", "without quotes"]),
    // What is no TOML.
    case(DI_AN, "code = \"724\"", "code = \"724", Change, "units[7].code", &["no TOML", "write it as TOML"]),
    case(DI_AN, "name.vi", "code = \"725\"\nname.vi", Change, "units[7].code", &["duplicate key", "keep one of the two"]),
    // What breaks a rule between the parts.
    case("[[indicators]]\nid = \"districts-primary-3\"", "\"primary-level\"", "\"primary-levels\"", Change, "indicators[4].measure", &["there is no measure `primary-levels`", "use one of", "`primary-level`"]),
    case(DI_AN, "\"di-an\"", "\"ben-cat\"", Change, "units[7].id", &["`ben-cat` stands twice"]),
    case("[[units]]\nid = \"binh-duong\"", "level = \"province\"", "level = \"district\"", First("[[units]]"), "units", &["no province", "level = \"province\""]),
    case(DI_AN, "level = \"district\"", "parent = \"ben-cat\"\nlevel = \"district\"", Change, "units[7].parent", &["no province `ben-cat`"]),
    case("[[units]]\nid = \"binh-duong\"", "level = \"province\"", "parent = \"binh-duong\"\nlevel = \"province\"", Change, "units[0].parent", &["belongs to nothing"]),
    case("[[measures]]\nid = \"life-skills\"", "\"life-skills\"", "\"literacy-level\"", Change, "measures[7].id", &["`literacy-level` stands twice"]),
    case("[[measures]]\nid = \"learning-province\"", "months = 36", "months = 0", Change, "measures[15].months", &["0 months"]),
    case("[[indicators]]\nid = \"learning-districts\"", "\"learning-districts\"", "\"life-skills\"", Change, "indicators[15].id", &["`life-skills` stands twice"]),
    case("[[bodies]]\nid = \"so-tttt\"", "\"so-tttt\"", "\"so-gddt\"", Change, "bodies[2].id", &["`so-gddt` stands twice"]),
    case(LIFE_SKILLS, "\"so-gddt\"", "\"so-gdtd\"", Change, "indicators[8].bodies[0]", &["there is no body `so-gdtd`", "`so-gddt`"]),
    case(LIFE_SKILLS, "\"so-gddt\", ", "\"so-gddt\", \"so-gddt\", ", Change, "indicators[8].bodies[1]", &["stands twice"]),
    case(LITERACY_2, "counts_from_level = 2\n", "", Table("[[indicators]]"), "indicators[3].counts_from_level", &["which level counts is not said", "from 1 to 2"]),
    case(LITERACY_2, "counts_from_level = 2", "counts_from_level = 3", Change, "indicators[3].counts_from_level", &["level 3 is outside 1 to 2"]),
    case(LITERACY_2, "counts_from_level = 2", "counts_from_level = 0", Change, "indicators[3].counts_from_level", &["level 0 is outside 1 to 2"]),
    case(LIFE_SKILLS, "binds_districts = true", "counts_from_level = 1\nbinds_districts = true", Change, "indicators[8].counts_from_level", &["no level that districts report"]),
    case("[[indicators]]\nid = \"digital-universities\"", "base.vi", "binds_districts = true\nbase.vi", Change, "indicators[11].binds_districts", &["no rate that districts report"]),
    case(LIFE_SKILLS, "percent = \"50\"", "level = 2", Change, "indicators[8].targets[0].level", &["are percentages"]),
    case(PROVINCE_LITERACY, "level = 2", "percent = \"50\"", Change, "indicators[0].targets[0].percent", &["are levels", "from 1 to 2"]),
    case(PROVINCE_LITERACY, "level = 2", "level = 3", Change, "indicators[0].targets[0].level", &["level 3 is outside 1 to 2"]),
    case(AGE_5, "attained = true", "attained = false", Change, "indicators[1].targets[0].attained", &["its targets are yes"]),
    case(LIFE_SKILLS, "review = \"2030\"", "review = \"2025\"", Change, "indicators[8].targets[1].review", &["two targets for the review 2025"]),
    case(LIFE_SKILLS, "review = \"2030\"", "review = \"2028\"", Change, "indicators[8].targets[1].review", &["no review 2028", "`2025`, `2030`"]),
    case("[[indicators.not_restated]]", "review = \"2030\"", "review = \"2026\"", Change, "indicators[1].not_restated[0].review", &["no review 2026"]),
    case(PROVINCE_LITERACY, "review = \"2030\"", "review = \"1998\"", Change, "indicators[0].targets[1].review", &["no review 1998"]),
    case("[[reviews]]\nreview = \"2030\"", "\"2030\"", "\"2024\"", Change, "reviews[1].review", &["2024 does not come after 2025", "in the order"]),
    case("[[reviews]]", "units_as_of = 2025-06-30", "units_as_of = 2026-01-01", Change, "reviews[0].units_as_of", &["2026-01-01 is not between"]),
    case("[calendar]", "duty_from = \"2022\"", "duty_from = \"2031\"", Change, "calendar.duty_from", &["2031, outside 2021 to 2030"]),
    case("[thresholds]", "at_risk = \"0.60\"", "at_risk = \"0.95\"", Change, "thresholds.at_risk", &["0.95 is not below", "smaller"]),
    case("[alerts.behind]", "clears_from = \"0.65\"", "clears_from = \"0.59\"", Change, "alerts.behind.clears_from", &["clears from 0.59", "fires below 0.60"]),
    case("[alerts.at_risk]", "fires_below = \"0.95\"", "fires_below = \"0.60\"", Change, "alerts.at_risk.fires_below", &["no higher than behind"]),
    case("[[decisions]]\nnumber = 2", "number = 2", "number = 1", Change, "decisions[1].number", &["`1` stands twice"]),
];

/// Whether another error is a consequence of the change as well.
fn follows_from(case: &Case, met: &PlanError, other: &PlanError) -> bool {
    // A review of another year leaves the targets of the old year without a review, and an id that became
    // another's leaves those who name it without it; a renamed table is both missing and unknown; the rest of
    // a line that is no TOML is none either.
    (case.key.starts_with("reviews[") && other.what == "there is no review 2030")
        || (met.what.contains("stands twice") && other.what.starts_with("there is no "))
        || (other.key == "alerts.late" && case.to == "[alerts.late]")
        || (met.what.contains("no TOML") && other.what.contains("no TOML"))
}

#[test]
fn each_wrong_file_is_refused_with_line_key_and_remedy() {
    let problems: Vec<String> = CASES.iter().filter_map(problem).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// What differs between the errors of a changed file and those expected.
fn problem(case: &Case) -> Option<String> {
    let (text, line) = changed(case);
    let label = format!("{:?} → {:?}", case.from, case.to);
    let Err(errors) = file::read("binh-duong.toml", &text) else { return Some(format!("{label} was read")) };
    let listed = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let prefix = format!("binh-duong.toml:{line}: {}: ", case.key);
    let (met, others): (Vec<&PlanError>, Vec<&PlanError>) =
        errors.iter().partition(|error| error.to_string().starts_with(&prefix));
    let [met] = met.as_slice() else {
        return Some(format!("{label}: expected one `{prefix}…`, got\n{listed}"));
    };
    if let Some(word) = case.words.iter().find(|word| !met.to_string().contains(**word)) {
        return Some(format!("{label}: no {word:?} in\n{met}"));
    }
    others
        .into_iter()
        .find(|other| !follows_from(case, met, other))
        .map(|other| format!("{label}: also met\n{other}"))
}

#[test]
fn of_several_provinces_each_district_names_its_own() {
    let second = BINH_DUONG.replacen("\n[[units]]\n", "\n[[units]]\nid = \"second\"\ncode = \"75\"\nname.vi = \"Hai\"\nname.en = \"Two\"\nlevel = \"province\"\ntype = \"province\"\n\n[[units]]\n", 1);
    let errors = file::read("binh-duong.toml", &second).unwrap_err();
    assert_eq!(errors.len(), 9, "one for each district");
    assert!(errors.iter().all(|error| error.to_string().contains("add `parent`")), "{errors:?}");
    let named =
        second.replace("level = \"district\"\ntype", "level = \"district\"\nparent = \"second\"\ntype");
    let plan = file::read("binh-duong.toml", &named).unwrap();
    assert_eq!((plan.provinces().count(), plan.districts().count()), (2, 9));
    assert!(
        plan.districts().all(|unit| unit.parent.as_ref().is_some_and(|parent| parent.as_str() == "second"))
    );
    assert_eq!(plan::Plan::from_canonical(&plan.canonical()).unwrap(), plan);
}

#[test]
fn every_error_is_listed_in_the_order_of_the_file() {
    let text = SECOND
        .replace("at_risk = \"0.50\"", "at_risk = \"0.99\"")
        .replace("id = \"nam\"", "id = \"bac\"")
        .replace("measure = \"office-level\"", "measure = \"office-levels\"")
        .replace("bodies = [\"so-kh\"]", "bodies = [\"so-khac\"]")
        .replace("attained = true", "percent = \"100\"")
        .replace("name.en = \"North\"", "name.en = \" North\"");
    let errors = file::read("second.toml", &text).unwrap_err();
    let listed = errors.iter().fold(String::new(), |mut listed, error| {
        writeln!(listed, "{error} (column {})", error.column).unwrap();
        listed
    });
    insta::assert_snapshot!("every-error-of-a-file", listed);
}

#[test]
fn nothing_that_is_read_goes_beyond_its_bound() {
    let long = "ă".repeat(file::TEXT_LIMIT_CHARS + 1);
    let text = SECOND.replace("name.en = \"North\"", &format!("name.en = \"{long}\""));
    let errors = file::read("second.toml", &text).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("has 501 characters; the limit is 500"), "{}", errors[0]);

    let text = SECOND.replace("name.en = \"North\"", "name.en = \"No\\u0007rth\"");
    let errors = file::read("second.toml", &text).unwrap_err();
    assert!(errors[0].what.contains("control characters"), "{}", errors[0]);

    let measures: String = (0..=file::MEASURES_LIMIT)
        .map(|number| {
            format!("[[measures]]\nid = \"m{number}\"\nname.vi = \"M\"\nname.en = \"M\"\nlevel = \"district\"\nkind = \"rate\"\n")
        })
        .collect();
    let errors = file::read("second.toml", &format!("{SECOND}\n{measures}")).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (errors[0].key.as_str(), errors[0].what.as_str()),
        ("measures", "there are 205 measures; the limit is 200")
    );

    let whole = format!("{SECOND}\n#{}", " ".repeat(file::FILE_LIMIT_BYTES));
    let errors = file::read("second.toml", &whole).unwrap_err();
    assert!(errors[0].what.contains("the limit is 1048576"), "{}", errors[0]);
}

#[test]
fn a_plan_that_does_not_fit_its_event_is_refused_with_its_size() {
    let mut text = SECOND.to_owned();
    for number in 0..600 {
        write!(
            text,
            "\n[[units]]\nid = \"u{number}\"\ncode = \"{number}\"\nname.vi = \"Đơn vị {number}\"\nname.en = \"Unit {number}\"\nlevel = \"district\"\ntype = \"district\"\n"
        )
        .unwrap();
    }
    let errors = file::read("second.toml", &text).unwrap_err();
    assert_eq!(errors.len(), 1);
    let shown = errors[0].to_string();
    assert!(
        shown.starts_with("second.toml:1: the plan is too large") && shown.contains("the limit is 61440"),
        "{shown}"
    );
}

#[test]
fn a_long_list_of_errors_says_how_many_more_there_are() {
    let text: String = (0..150).map(|number| format!("unknown{number} = 1\n")).collect();
    let errors = file::read("wrong.toml", &text).unwrap_err();
    assert_eq!(errors.len(), file::ERRORS_LIMIT + 1);
    // 150 unknown keys and eight that are missing: id, name, instrument, issuer, adopted, calendar, thresholds, alerts.
    assert_eq!(errors[file::ERRORS_LIMIT].what, "there are 58 more errors");
}

#[test]
fn an_empty_file_lacks_everything_and_no_text_makes_the_reader_panic() {
    let errors = file::read("empty.toml", "").unwrap_err();
    let keys: Vec<&str> = errors.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(keys, ["id", "name", "instrument", "issuer", "adopted", "calendar", "thresholds", "alerts"]);
    assert!(errors.iter().all(|error| (error.line, error.column) == (1, 1)));
}

proptest::proptest! {
    #[test]
    fn a_damaged_file_is_read_or_refused_but_never_panics(offset in 0..BINH_DUONG.len(), cut in 0usize..40, put in "[ -~ă\n]{0,6}") {
        let mut start = offset;
        while !BINH_DUONG.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = (start + cut).min(BINH_DUONG.len());
        while !BINH_DUONG.is_char_boundary(end) {
            end += 1;
        }
        let text = format!("{}{put}{}", &BINH_DUONG[..start], &BINH_DUONG[end..]);
        if let Err(errors) = file::read("damaged.toml", &text) {
            proptest::prop_assert!(!errors.is_empty());
            let lines = text.matches('\n').count() + 1;
            for error in errors {
                proptest::prop_assert!(error.line >= 1 && error.line <= lines && !error.remedy.is_empty());
            }
        }
    }
}
