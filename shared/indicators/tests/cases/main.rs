//! A table of cases worked out by hand from the documents, in files that a person of the province can check.
//!
//! `README.md` beside the tables says how they are written. A difference names file, line, column, what the
//! table says and what was computed.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that unwraps nothing has failed its test, which is the point"
)]

mod answer;
mod history;
mod log;
mod table;

use history::History;
use std::path::Path;

/// How many cases there are at least; fewer were lost by a slip of the reader, not by intent.
const AT_LEAST: usize = 60;

/// Every table of cases, by file name.
#[expect(clippy::disallowed_methods, reason = "a new file of cases is found, not forgotten")]
fn tables() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let tables = files.iter().filter(|path| {
        path.extension().is_some_and(|extension| extension == "md") && !path.ends_with("README.md")
    });
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    tables.map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

/// What is wrong with one table: how it is written, or what it expects.
fn differences(file: &str, text: &str) -> (usize, Vec<String>) {
    let cases = match table::read(text) {
        Ok(cases) => cases,
        Err(errors) => {
            return (0, errors.iter().map(|(line, what)| format!("{file}:{line}: {what}")).collect());
        }
    };
    let mut differences = Vec::new();
    for case in &cases {
        let mut history = History::new(&case.plan_without);
        let mut add = |line: usize, what: String| {
            differences.push(format!("{file}:{line}: {}: {what}", case.title));
        };
        let unreadable = case.recorded.iter().find_map(|row| Some((row.line, history.record(row).err()?)));
        if let Some((line, what)) = unreadable {
            add(line, what);
            continue;
        }
        for row in &case.questions {
            match answer::differences(&history, row) {
                Ok(found) => found.into_iter().for_each(|what| add(row.line, what)),
                Err(what) => add(row.line, what),
            }
        }
    }
    (cases.len(), differences)
}

#[test]
fn every_case_gives_what_was_worked_out_by_hand() {
    let found: Vec<_> = tables().iter().map(|(file, text)| differences(file, text)).collect();
    let cases: usize = found.iter().map(|(cases, _)| cases).sum();
    let differences: Vec<String> = found.into_iter().flat_map(|(_, differences)| differences).collect();
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
    assert!(cases >= AT_LEAST, "only {cases} cases were found");
}

#[test]
fn a_wrong_expectation_is_reported_with_its_line_and_column() {
    let (file, text) = tables().into_iter().find(|(file, _)| file.starts_with("01")).unwrap();
    let wrong = text.replacen("| on-track |", "| behind |", 1);
    let line = 1 + text.lines().zip(wrong.lines()).position(|(right, wrong)| right != wrong).unwrap();
    let (_, differences) = differences(&file, &wrong);
    assert_eq!(differences.len(), 1, "{differences:?}");
    let expected = format!("{file}:{line}: ");
    assert!(differences[0].starts_with(&expected), "{} {expected}", differences[0]);
    assert!(
        differences[0].ends_with("Status: the table says `behind`, computed is `on-track`"),
        "{differences:?}"
    );
}

#[test]
fn a_table_that_is_not_written_as_agreed_is_refused_with_its_line() {
    let head = "# Title\n\n## C1. Case\n\n";
    let no_arithmetic = format!("{head}{}\n", table::QUESTION_HEADER);
    for (text, line, part) in [
        (format!("{head}stray words\n"), 5, "neither a table"),
        (format!("{head}| Ngày | What |\n"), 5, "no table of a case begins"),
        (
            format!("{head}{}\n|---|---|---|---|\n| 2023-01-01 | - |\n", table::RECORDED_HEADER),
            7,
            "2 columns",
        ),
        (no_arithmetic, 3, "no question"),
    ] {
        let errors = table::read(&text).err().unwrap();
        assert!(errors.iter().any(|(at, what)| *at == line && what.contains(part)), "{text} {errors:?}");
    }
}

#[test]
fn what_could_not_have_been_recorded_is_refused() {
    let row = |cells: [&str; 4]| table::Row { line: 1, cells: cells.map(str::to_owned).to_vec() };
    for (cells, part) in [
        (["2023-11-20", "2023-11-21", "di-an", "report 2023: life-skills 1/2"], "after the day"),
        (["2023-11-20", "2022-12-31", "di-an", "report 2023: life-skills 1/2"], "before 1 January"),
        (["2023-11-20", "2023-10-19", "di-an", "report 2023: life-skills 1/2"], "more than 31 days"),
        (["2023-11-20", "2023-11-20", "nowhere", "report 2023: life-skills 1/2"], "no unit"),
        (["2023-11-20", "2023-11-20", "di-an", "report 2023: life-skills 3/2"], "more than"),
        (["2023-11-20", "2023-11-20", "di-an", "report 2023: life-skills withdrawn"], "does not stand"),
        (["2023-11-20", "2022-03-15", "binh-duong", "target life-skills 2025: 40 %"], "before the plan"),
        (["2023-11-20", "2026-01-01", "binh-duong", "target life-skills 2025: 40 %"], "has ended"),
        (["2022-03-15", "2022-03-15", "di-an", "report 2022: life-skills 1/2"], "goes back"),
    ] {
        let refused = History::new(&[]).record(&row(cells)).unwrap_err();
        assert!(refused.contains(part), "{cells:?}: {refused}");
    }
}
