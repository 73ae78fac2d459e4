//! Reviews: the same documents from a log and from one rebuilt from its export, and `review verify` between the two.

use super::*;
use tests::support::{Options, System, nats_server};

const FORMATS: [&str; 5] = ["json", "csv", "md", "html", "xlsx"];

/// Writes the interim review in a format and a language and gives the document.
fn review(system: &System, folder: &Path, format: &str, language: &str) -> (PathBuf, Vec<u8>) {
    let file = folder.join(format!("review-{language}.{format}"));
    let to = file.display().to_string();
    let moment = ["--as-of", "2026-01-31", "--known-at", "2026-01-31"];
    let output = ["--format", format, "--language", language, "--to", &to];
    let written = system.command(&[&["review", "2025"], &moment[..], &output[..]].concat());
    assert_eq!(written.status.code(), Some(0), "{}", said(&written));
    let document = std::fs::read(&file).unwrap();
    (file, document)
}

fn verified(system: &System, file: &Path) -> (Option<i32>, Value) {
    let output = system.command(&["review", "verify", &file.display().to_string(), "--json"]);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

#[test]
fn a_log_rebuilt_from_an_export_gives_the_same_documents() {
    if nats_server().is_none() {
        return;
    }
    let mut system = System::start(Options::sample());
    let documents = tempfile::tempdir().unwrap();
    let mut written = Vec::new();
    for format in FORMATS {
        for language in ["vi", "en"] {
            let (file, document) = review(&system, documents.path(), format, language);
            let (_, again) = review(&system, documents.path(), format, language);
            assert!(document == again, "{format} {language}: the same bytes twice");
            assert_eq!(verified(&system, &file).0, Some(0), "{format} {language}");
            written.push((format, language, file));
        }
    }
    // Over HTTP it is the same document.
    let path = "/api/v1/reviews/2025?as_of=2026-01-31&known_at=2026-01-31&format=html&language=en";
    let answered = system.http().get(path);
    assert_eq!(answered.status, 200);
    assert!(answered.text.as_bytes() == std::fs::read(documents.path().join("review-en.html")).unwrap());
    // The signature of the log is on it.
    let signed: Value =
        serde_json::from_slice(&std::fs::read(documents.path().join("review-en.json")).unwrap()).unwrap();
    assert_eq!((signed["sample"].as_bool(), signed["review"]["ended"].as_bool()), (Some(true), Some(true)));
    let position = signed["position"].to_string();
    assert_eq!(signed["checkpoint"].as_str().unwrap().lines().nth(1), Some(position.as_str()));
    assert_eq!(system.stop().code(), Some(0));

    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle").display().to_string();
    data(&["log", "export", "--data", &system.data().display().to_string(), "--to", &bundle]);
    let vkeys = system.data().join("keys/vkeys").display().to_string();
    let place = folder.path().join("data");
    data(&["log", "import", &bundle, "--to", &place.display().to_string(), "--vkey", &vkeys]);
    std::fs::copy(system.data().join("operator.token"), place.join("operator.token")).unwrap();
    // The sample ends months ago; that the clock is right all the same was accepted where it was loaded.
    let clock = Path::new("ingestion/binh-duong/clock");
    std::fs::copy(system.data().join(clock), place.join(clock)).unwrap();
    let rebuilt = System::start_in(folder, Options::empty());
    // Another key signs here; what it signs is the same.
    for (format, language, file) in &written {
        let (code, found) = verified(&rebuilt, file);
        assert_eq!(code, Some(0), "{format} {language}: {found}");
    }
    // A document that somebody touched is told, with the line.
    let page = std::fs::read_to_string(documents.path().join("review-vi.html")).unwrap();
    let touched = documents.path().join("touched.html");
    std::fs::write(&touched, page.replacen("<td>2025</td>", "<td>2024</td>", 1)).unwrap();
    let (code, found) = verified(&rebuilt, &touched);
    assert_eq!(code, Some(1));
    let told = found["differences"][0].as_str().unwrap();
    assert!(told.starts_with("line ") && told.contains("2024</td>"), "{found}");
}
