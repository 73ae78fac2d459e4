//! Every request that the protocol names, and its answer.

use crate::made_log::{MadeLog, ORIGIN, log_key, log_vkey};
use evidence::{AddCheckpoint, EMPTY_ROOT, KeyName, KeyUse, SignedCheckpoint, SigningKey, VerifierKey};
use service::{Metrics, Running as _};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(5);

struct Asked {
    agent: ureq::Agent,
    base: String,
}

struct Answer {
    status: u16,
    media_type: String,
    body: String,
}

impl Asked {
    fn at(address: std::net::SocketAddr) -> Asked {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(GRACE)).build();
        Asked { agent: config.new_agent(), base: format!("http://{address}") }
    }

    fn read(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
        let mut response = response.unwrap();
        let media_type = response.headers().get("content-type").map_or("", |value| value.to_str().unwrap());
        let (status, media_type) = (response.status().as_u16(), media_type.to_owned());
        assert_eq!(response.headers()["cache-control"], "no-store");
        Answer { status, media_type, body: response.body_mut().read_to_string().unwrap() }
    }

    fn post(&self, body: &[u8]) -> Answer {
        Asked::read(self.agent.post(format!("{}/add-checkpoint", self.base)).send(body))
    }

    fn ask(&self, request: &AddCheckpoint) -> Answer {
        self.post(request.to_string().as_bytes())
    }

    fn get(&self, path: &str) -> Answer {
        Asked::read(self.agent.get(format!("{}{path}", self.base)).call())
    }
}

fn config(data: &Path, keys: &[VerifierKey]) -> witness::Config {
    let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
    let text = format!(
        "listen = \"127.0.0.1:0\"\ndata = \"{}\"\n[[logs]]\norigin = \"{ORIGIN}\"\nname = \"made\"\nvkeys = [{}]\n",
        data.display(),
        keys.join(", ")
    );
    service::config::parse(Path::new("witness.toml"), &text).unwrap()
}

fn made_key(folder: &Path) -> VerifierKey {
    witness::make_key(folder, &KeyName::parse("witness.example/w1").unwrap(), &[2; 32]).unwrap()
}

async fn started(data: &Path, keys: &[VerifierKey]) -> witness::Running {
    witness::start(config(data, keys), Metrics::detached()).await.unwrap()
}

#[track_caller]
fn is_problem(answer: &Answer, status: u16, said: &str) {
    assert_eq!((answer.status, answer.media_type.as_str()), (status, "application/problem+json"));
    assert!(answer.body.contains(said), "{:?} must say {said:?}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_status_of_the_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let vkey = made_key(folder.path());
    let running = started(folder.path(), &[log_vkey()]).await;
    let asked = Asked::at(running.address());
    let (log, forked) = (MadeLog::of(200, None), MadeLog::of(200, Some(50)));
    tokio::task::spawn_blocking(move || {
        let hash: String = Sha256::digest(ORIGIN).iter().map(|byte| format!("{byte:02x}")).collect();
        is_problem(&asked.get("/made/checkpoint"), 404, "nothing of this log is cosigned yet");

        // 200, with the cosignature and nothing else.
        let answer = asked.ask(&log.request(0, 100));
        assert_eq!((answer.status, answer.media_type.as_str()), (200, "text/plain; charset=utf-8"));
        assert!(answer.body.starts_with("— witness.example/w1 ") && answer.body.lines().count() == 1);
        let mut cosigned = log.checkpoint(100);
        cosigned.add_lines(&answer.body).unwrap();
        let verified = cosigned.verify(&[log_vkey(), vkey.clone()]).unwrap();
        assert_eq!(verified.cosigned[0].by, *vkey.name());
        for path in ["/made/checkpoint".to_owned(), format!("/{hash}/checkpoint")] {
            let served = asked.get(&path);
            assert_eq!(served.status, 200);
            let served = SignedCheckpoint::parse(served.body.as_bytes()).unwrap();
            assert_eq!(served.verify(&[log_vkey(), vkey.clone()]).unwrap(), verified);
        }
        assert_eq!(asked.get("/vkey").body, format!("{vkey}\n"));
        assert!(asked.get("/").body.contains(&format!("at /{hash}/checkpoint\ncosigned 100 events")));
        // The same again, and from there on.
        assert_eq!(asked.ask(&log.request(100, 100)).status, 200);
        assert_eq!(asked.ask(&log.request(100, 150)).status, 200);

        // 400: what is no request, and one whose size is smaller than where it starts.
        is_problem(&asked.post(b""), 400, "line 1 should be `old <size>`");
        is_problem(&asked.post(b"old 0\n"), 400, "the request is cut short");
        let text = log.request(150, 160).to_string();
        is_problem(&asked.post(text.replace("old 150", "old 0150").as_bytes()), 400, "leading zeroes");
        is_problem(&asked.post(text.replace('\n', "\r\n").as_bytes()), 400, "line 1");
        let long = format!("old 150\n{}\n{}", format!("{EMPTY_ROOT}\n").repeat(64), log.checkpoint(160));
        is_problem(&asked.post(long.as_bytes()), 400, "more than 63 hashes");
        let smaller = AddCheckpoint { old_size: 150, ..log.request(100, 120) };
        is_problem(&asked.ask(&smaller), 400, "cannot continue one of 150");
        // 413: more than any request has.
        is_problem(&asked.post(&vec![b'x'; AddCheckpoint::LIMIT_BYTES + 1]), 413, "larger than");

        // 404: a log that is not known, whatever is wrong besides.
        let stranger = SigningKey::from_seed(KeyName::parse("log.example/other").unwrap(), &[1; 32]);
        let checkpoint = evidence::Checkpoint::new(stranger.name(), 160, log.root(160));
        let unknown = checkpoint.sign(&[&stranger]).unwrap();
        let unknown = AddCheckpoint { old_size: 999, hashes: Vec::new(), checkpoint: unknown };
        is_problem(&asked.ask(&unknown), 404, "log.example/other");
        is_problem(&asked.get("/other/checkpoint"), 404, "no such log");
        is_problem(&asked.get("/elsewhere"), 404, "nothing is served");
        is_problem(&asked.get("/add-checkpoint"), 405, "does not take GET");

        // 403: signed by another key of that name, or altered after it was signed.
        let other_key = SigningKey::from_seed(log_key().name().clone(), &[9; 32]);
        let checkpoint = log.checkpoint(160).claimed().sign(&[&other_key]).unwrap();
        is_problem(&asked.ask(&AddCheckpoint { checkpoint, ..log.request(150, 160) }), 403, "did not sign");
        is_problem(&asked.post(text.replace("\n160\n", "\n161\n").as_bytes()), 403, "altered");

        // 409: from another size than the last one, with that size; a proof is not looked at.
        for old_size in [0, 100, 151] {
            let answer = asked.ask(&AddCheckpoint { old_size, ..log.request(150, 200) });
            let size = (answer.status, answer.media_type.as_str(), answer.body.as_str());
            assert_eq!(size, (409, "text/x.tlog.size", "150\n"), "from {old_size}");
        }
        // 422: a proof that does not hold, or one where none belongs.
        let broken = AddCheckpoint { hashes: vec![EMPTY_ROOT; 3], ..log.request(150, 160) };
        is_problem(&asked.ask(&broken), 422, "does not show that the log of 160 continues that of 150");
        is_problem(&asked.ask(&forked.request(150, 160)), 422, "history was rewritten");
        let padded = AddCheckpoint { hashes: vec![EMPTY_ROOT], ..log.request(150, 150) };
        is_problem(&asked.ask(&padded), 422, "does not show");
        assert_eq!(asked.get("/readyz").status, 200, "anybody can send those");

        // 409 without a size: another root for the size that was cosigned. That is an alarm.
        is_problem(&asked.ask(&forked.request(150, 150)), 409, "signed two roots for 150 events");
        let ready = asked.get("/readyz");
        is_problem(&ready, 503, "the log signed two histories; the proof lies in");
        assert_eq!(asked.get("/healthz").status, 200);
        // What was cosigned stands.
        let served = SignedCheckpoint::parse(asked.get("/made/checkpoint").body.as_bytes()).unwrap();
        assert_eq!(served.claimed(), log.checkpoint(150).claimed());
    })
    .await
    .unwrap();
    running.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_key_of_a_rotation_is_believed_and_none_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    made_key(folder.path());
    let log = MadeLog::of(200, None);
    let (old, new) = (log_key(), SigningKey::from_seed(log_key().name().clone(), &[3; 32]));
    let (old_vkey, new_vkey) = (old.verifier(KeyUse::Log), new.verifier(KeyUse::Log));
    let request = |from, to, keys: &[&SigningKey]| {
        let checkpoint = log.checkpoint(to).claimed().sign(keys).unwrap();
        AddCheckpoint { checkpoint, ..log.request(from, to) }
    };
    let steps = [
        (vec![old_vkey.clone()], request(0, 50, &[&old]), 200),
        // The log signs with both already, the witness was not told yet.
        (vec![old_vkey.clone()], request(50, 60, &[&old, &new]), 200),
        (vec![old_vkey.clone(), new_vkey.clone()], request(60, 70, &[&old]), 200),
        (vec![old_vkey.clone(), new_vkey.clone()], request(70, 80, &[&new]), 200),
        (vec![new_vkey.clone()], request(80, 90, &[&new]), 200),
        (vec![new_vkey], request(90, 95, &[&old]), 403),
    ];
    for (keys, request, status) in steps {
        let running = started(folder.path(), &keys).await;
        let asked = Asked::at(running.address());
        let answer = tokio::task::spawn_blocking(move || asked.ask(&request)).await.unwrap();
        assert_eq!(answer.status, status, "{}", answer.body);
        running.stop(GRACE).await;
        // What still answers a connection that is kept open holds the directory until it is closed.
        while witness::Store::open(folder.path()).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_witness_from_starting_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let start = |data: &Path| witness::start(config(data, &[log_vkey()]), Metrics::detached());
    let error = start(folder.path()).await.unwrap_err();
    assert!(matches!(error, witness::StartError::Key(_)), "{error}");
    let namesake = tempfile::tempdir().unwrap();
    witness::make_key(namesake.path(), log_key().name(), &[2; 32]).unwrap();
    let error = start(namesake.path()).await.unwrap_err();
    assert!(matches!(error, witness::StartError::Config(_)), "{error}");
    made_key(folder.path());
    let running = start(folder.path()).await.unwrap();
    let error = start(folder.path()).await.unwrap_err();
    assert!(matches!(error, witness::StartError::Store(witness::StoreError::Held(_))), "{error}");
    let other = tempfile::tempdir().unwrap();
    made_key(other.path());
    let taken = witness::Config { listen: running.address(), ..config(other.path(), &[log_vkey()]) };
    let error = witness::start(taken, Metrics::detached()).await.unwrap_err();
    assert!(matches!(error, witness::StartError::Listen(service::ListenError::Bind { .. })), "{error}");
    running.stop(GRACE).await;
}
