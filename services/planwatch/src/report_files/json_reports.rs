//! Reports in JSON: one report, a list of reports, or an object with `reports`.

use super::{FileError, FileReport, Origin, whole_file};
use serde_json::Value;
use std::path::Path;

pub(super) fn read(file: &Path, bytes: &[u8]) -> Result<Vec<FileReport>, Vec<FileError>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    // Strictly, because a doubled key would be lost here and the server could not find it any more.
    let value = events::strict_json::parse(bytes)
        .map_err(|error| vec![whole_file(file, error.to_string(), "correct the JSON")])?;
    let (list, prefix) = match value {
        Value::Array(list) => (list, ""),
        Value::Object(mut object) if matches!(object.get("reports"), Some(Value::Array(_))) => {
            if let Some(unknown) = object.keys().find(|key| *key != "reports") {
                let reason = format!("`{unknown}` stands beside `reports`");
                return Err(vec![whole_file(file, reason, "keep `reports` alone")]);
            }
            match object.remove("reports") {
                Some(Value::Array(list)) => (list, "/reports"),
                _ => (Vec::new(), "/reports"),
            }
        }
        report @ Value::Object(_) => {
            let origin = Origin::Json { file: file.to_owned(), pointer: String::new() };
            return Ok(vec![FileReport { report, origin }]);
        }
        _ => {
            let reason = "holds no report".to_owned();
            return Err(vec![whole_file(
                file,
                reason,
                "write one report, a list of them, or {\"reports\": […]}",
            )]);
        }
    };
    if list.is_empty() {
        return Err(vec![whole_file(file, "holds no report".into(), "add one, or leave the file out")]);
    }
    let located = |(index, report)| FileReport {
        report,
        origin: Origin::Json { file: file.to_owned(), pointer: format!("{prefix}/{index}") },
    };
    Ok(list.into_iter().enumerate().map(located).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(text: &str) -> Result<Vec<String>, String> {
        read(Path::new("x.json"), text.as_bytes())
            .map(|reports| reports.iter().map(|report| report.place("/unit").column).collect())
            .map_err(|errors| errors[0].to_string())
    }

    #[test]
    fn a_file_holds_one_report_a_list_or_an_object_with_reports() {
        assert_eq!(pointers(r#"{"unit": "a"}"#).unwrap(), ["/unit"]);
        assert_eq!(pointers(r#"[{}, {}]"#).unwrap(), ["/0/unit", "/1/unit"]);
        assert_eq!(pointers("\u{feff}{\"reports\": [{}]}").unwrap(), ["/reports/0/unit"]);
    }

    #[test]
    fn anything_else_is_named() {
        for (text, expected) in [
            ("[]", "holds no report"),
            ("3", "holds no report"),
            ("{\"reports\": [{}], \"x\": 1}", "`x` stands beside"),
            ("{\"unit\": \"a\", \"unit\": \"b\"}", "stands twice"),
            ("{", "is no JSON"),
        ] {
            let said = pointers(text).unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
    }
}
