//! A follower whose copy is not the log that was signed.

use super::{doctor, is_possible, submit, wait_unready};
use tests::support::{Options, System, log_folder, until};

#[test]
fn a_doctored_copy_is_found_and_not_answered_from() {
    if !is_possible() {
        return;
    }
    for follower in ["projection", "alerting"] {
        let mut system = System::start(Options::sample());
        submit(system.http(), 611);
        submit(system.http(), 612);
        assert_eq!(system.stop().code(), Some(0));
        let copy = log_folder(&system.data(), follower);
        let position = doctor(&copy, "\"numerator\":611", "\"numerator\":911");
        if follower == "projection" {
            std::fs::remove_dir_all(system.data().join("projection/binh-duong/snapshots")).unwrap();
        }

        system.start_again_unready();
        let why = wait_unready(system.http(), "this copy of the log is not the one that was signed");
        assert!(why.contains(&format!("{follower}: root:")), "{why}");
        assert!(position > 219, "what the sample holds was left alone");
        let status = || system.http().get("/api/v1/status");
        if follower == "projection" {
            let refused = status().expect(503);
            assert!(refused["detail"].as_str().unwrap().contains("not the one that was signed"), "{refused}");
        } else {
            until("the other follower answers", || status().status == 200);
            wait_unready(system.http(), "nothing is decided");
        }
        let metrics = system.http().get("/metrics").text;
        let differs = metrics.lines().find(|line| {
            line.starts_with("planwatch_follower_root_differs")
                && line.contains(follower)
                && line.ends_with(" 1")
        });
        assert!(differs.is_some(), "{metrics}");
        assert!(system.said().contains("at least one event at or before position"));

        // Moved aside, it follows anew.
        assert_eq!(system.stop().code(), Some(0));
        std::fs::rename(&copy, copy.with_extension("evidence")).unwrap();
        system.start_again();
        until("the new copy agrees", || {
            system.http().get("/readyz").text.contains("\"name\":\"root\",\"state\":\"ok\"")
        });
    }
}
