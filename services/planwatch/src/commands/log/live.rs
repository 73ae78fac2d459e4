//! `planwatch log verify` of a running system over HTTP, and of one entry with its proof.

use crate::client::Client;
use crate::commands::log::evidence::signers;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::progress::Progress;
use crate::public_keys::read_bounded;
use clap::Args;
use events::Position;
use events::wire::EVENT_LIMIT_BYTES;
use evidence::{
    Checkpoint, Frontier, NOTE_LIMIT_BYTES, ProofFile, Resource, SignedCheckpoint, TilePath, TreeHash,
    VerifierKey, leaf_hash, read_tile,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most events that are asked for at once.
const PAGE_EVENTS: u64 = 1_000;
/// How many events a tile of leaves covers.
const TILE_EVENTS: u64 = 256;
/// The largest proof file that is read.
const PROOF_LIMIT_BYTES: usize = 2 * NOTE_LIMIT_BYTES;
const CHECKPOINT_PATH: &str = "/api/v1/log/checkpoint";
const EVENTS_PATH: &str = "/api/v1/events";

/// One entry and its proof: a receipt.
#[derive(Debug, Args)]
pub struct ReceiptArguments {
    /// Verify one entry offline: its proof, such as the receipt of a report; needs --entry and --vkey
    #[arg(long, value_name = "FILE", requires = "entry")]
    proof: Option<PathBuf>,
    /// The entry: the event's JSON as recorded, as `log show --json` prints it
    #[arg(long, value_name = "FILE", requires = "proof")]
    entry: Option<PathBuf>,
}

/// One thing that is wrong.
struct Wrong {
    position: u64,
    place: String,
    what: String,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Box<RawValue>>,
}

impl ReceiptArguments {
    /// Verifies the entry, if one is given.
    pub fn verify(&self, keys: &[VerifierKey], as_json: bool) -> Option<Outcome> {
        let (proof, entry) = (self.proof.as_ref()?, self.entry.as_ref()?);
        Some(receipt(proof, entry, keys, as_json))
    }
}

/// Verifies that an entry is in the log, with nothing but its proof and the log's public keys.
fn receipt(proof_file: &Path, entry_file: &Path, keys: &[VerifierKey], as_json: bool) -> Outcome {
    needs_keys(keys)?;
    let proof_bytes = read_bounded(proof_file, PROOF_LIMIT_BYTES).map_err(Failure::unreachable)?;
    let entry = read_bounded(entry_file, EVENT_LIMIT_BYTES + 2).map_err(Failure::unreachable)?;
    // Whoever saved what was printed has a line end behind it, which no event has.
    let entry = entry.strip_suffix(b"\n").unwrap_or(&entry);
    let entry = entry.strip_suffix(b"\r").unwrap_or(entry);
    let verified =
        ProofFile::parse(&proof_bytes).and_then(|proof| Ok((proof.index(), proof.verify(entry, keys)?)));
    let (index, verified) = match verified {
        Ok(verified) => verified,
        Err(error) => {
            let place = proof_file.display().to_string();
            return tell(as_json, json!({}), &[Wrong { position: 0, place, what: error.to_string() }], "");
        }
    };
    let position = index + 1;
    let (size, root) = (verified.checkpoint.size(), verified.checkpoint.root());
    let by: Vec<String> = verified.by.iter().map(key_text).collect();
    let cosigned: Vec<Value> = verified
        .cosigned
        .iter()
        .map(|one| json!({"by": one.by.as_str(), "at_seconds": one.at_seconds}))
        .collect();
    let told = json!({
        "position": position, "size": size, "root": root.to_string(), "signed_by": by, "cosigned_by": cosigned,
    });
    let line = format!(
        "in the log: the entry stands at position {position} among the first {size} events of `{}`, signed by {}",
        verified.checkpoint.origin(),
        by.join(", ")
    );
    tell(as_json, told, &[], &line)
}

/// Verifies what a running system shows: its checkpoint, and that its events are those that were signed; also
/// that they continue those of earlier checkpoints.
pub fn system(client: &Client, keys: &[VerifierKey], earlier: &[PathBuf], as_json: bool) -> Outcome {
    needs_keys(keys)?;
    let Examined { document, wrongs, well } = examine(client, keys, earlier)?;
    tell(as_json, document, &wrongs, &well)
}

/// What was found.
struct Examined {
    document: Value,
    wrongs: Vec<Wrong>,
    well: String,
}

fn examine(client: &Client, keys: &[VerifierKey], earlier: &[PathBuf]) -> Result<Examined, Failure> {
    let answer = client.get(CHECKPOINT_PATH, &[])?;
    if answer.status != 200 {
        return Err(answer.failure());
    }
    let mut wrongs = Vec::new();
    let served = SignedCheckpoint::parse(&answer.body).and_then(|signed| Ok((signed.verify(keys)?, signed)));
    let (verified, signed) = match served {
        Ok(served) => served,
        Err(error) => {
            wrongs.push(Wrong { position: 0, place: CHECKPOINT_PATH.to_owned(), what: error.to_string() });
            return Ok(Examined { document: json!({"head": 0}), wrongs, well: String::new() });
        }
    };
    let checkpoint = verified.checkpoint;
    let mut wanted = Wanted::new();
    wanted.insert(checkpoint.size(), vec![(CHECKPOINT_PATH.to_owned(), checkpoint.clone())]);
    for file in earlier {
        let place = file.display().to_string();
        let bytes = read_bounded(file, NOTE_LIMIT_BYTES).map_err(Failure::unreachable)?;
        match SignedCheckpoint::parse(&bytes).and_then(|signed| signed.verify(keys)) {
            Ok(found) if found.checkpoint.size() > checkpoint.size() => {
                let (had, has) = (found.checkpoint.size(), checkpoint.size());
                let what = format!(
                    "the log had {had} events when it signed this, now it shows {has}: it was cut back"
                );
                wrongs.push(Wrong { position: has + 1, place, what });
            }
            Ok(found) => {
                wanted.entry(found.checkpoint.size()).or_default().push((place, found.checkpoint));
            }
            Err(error) => wrongs.push(Wrong { position: 0, place, what: error.to_string() }),
        }
    }
    let head = walk(client, checkpoint.size(), &wanted, &mut wrongs)?;
    let by: Vec<String> = verified.by.iter().map(key_text).collect();
    let document = json!({
        "head": head,
        "checkpoint": {
            "origin": checkpoint.origin(), "size": checkpoint.size(), "root": checkpoint.root().to_string(),
            "verified_by": by, "signed_by": signers(&signed),
        },
    });
    let well = format!(
        "{}: whole: its {head} events are those that `{}` signed, with {}",
        client.server(),
        checkpoint.origin(),
        by.join(", ")
    );
    Ok(Examined { document, wrongs, well })
}

type Wanted = BTreeMap<u64, Vec<(String, Checkpoint)>>;

/// Reads every event up to a size and compares the root with each checkpoint on the way; gives how many there
/// were.
fn walk(client: &Client, size: u64, wanted: &Wanted, wrongs: &mut Vec<Wrong>) -> Result<u64, Failure> {
    let mut frontier = Frontier::new();
    let mut progress = Progress::new("events verified");
    compare(wanted, &frontier, client, wrongs)?;
    while frontier.size() < size {
        let from = frontier.size() + 1;
        let page = page(client, from, PAGE_EVENTS.min(size - frontier.size()))?;
        if page.is_empty() {
            let what = format!("the checkpoint covers {size} events, the log shows none from here on");
            wrongs.push(Wrong { position: from, place: EVENTS_PATH.to_owned(), what });
            return Ok(frontier.size());
        }
        for event in page.iter().take(usize::try_from(size - frontier.size()).unwrap_or(usize::MAX)) {
            let bytes = event.get().as_bytes();
            let position = frontier.size() + 1;
            let said = events::wire::read_envelope(bytes).map(|envelope| envelope.position);
            let what = match said {
                Ok(said) if said == Position(position) => None,
                Ok(said) => Some(format!("the event that stands here says that it is at position {said}")),
                Err(error) => Some(format!("what stands here is no event: {error}")),
            };
            wrongs.extend(what.map(|what| Wrong { position, place: EVENTS_PATH.to_owned(), what }));
            frontier.append(leaf_hash(bytes));
            progress.done(position);
            compare(wanted, &frontier, client, wrongs)?;
        }
    }
    Ok(frontier.size())
}

fn page(client: &Client, from: u64, limit: u64) -> Result<Vec<Box<RawValue>>, Failure> {
    let query = [("from", Some(from.to_string())), ("limit", Some(limit.to_string()))];
    Ok(client.get(EVENTS_PATH, &query)?.json::<Page>()?.events)
}

/// Compares the root so far with the checkpoints of this size.
fn compare(
    wanted: &Wanted,
    frontier: &Frontier,
    client: &Client,
    wrongs: &mut Vec<Wrong>,
) -> Result<(), Failure> {
    for (place, checkpoint) in wanted.get(&frontier.size()).into_iter().flatten() {
        if checkpoint.root() == frontier.root() {
            continue;
        }
        let size = checkpoint.size();
        let found = find_difference(client, checkpoint)?;
        let where_it_is = match &found {
            Difference::Entry(_) => {
                "by the tree that was signed, this is the first event that is another one"
            }
            Difference::Rewritten => {
                "the tree that the log shows agrees with its events, not with what was signed: the history up to \
                 there was rewritten"
            }
            Difference::Unknown => "the tree that was signed is not shown, so the position cannot be told",
        };
        let what = format!(
            "the first {size} events are not those that were signed: their root is {}, signed was {}; {where_it_is}",
            frontier.root(),
            checkpoint.root()
        );
        let position = match found {
            Difference::Entry(position) => position,
            Difference::Rewritten | Difference::Unknown => size,
        };
        wrongs.push(Wrong { position, place: place.clone(), what });
    }
    Ok(())
}

/// Where events and tree differ.
enum Difference {
    /// The first event that is not the one of the signed tree.
    Entry(u64),
    /// The tree that is shown is not the signed one, but that of the events.
    Rewritten,
    /// The tiles do not help.
    Unknown,
}

/// Holds each event against the leaves that the log shows.
fn find_difference(client: &Client, checkpoint: &Checkpoint) -> Result<Difference, Failure> {
    let size = checkpoint.size();
    let (mut tree, mut first) = (Frontier::new(), None);
    while tree.size() < size {
        let before = tree.size();
        let width = TILE_EVENTS.min(size - before);
        let Some(leaves) = leaves(client, before / TILE_EVENTS, width)? else {
            return Ok(Difference::Unknown);
        };
        let mut events = page(client, before + 1, width)?.into_iter();
        for (position, leaf) in (before + 1..).zip(&leaves) {
            let event = events.next();
            let is_same = event.is_some_and(|event| leaf_hash(event.get().as_bytes()) == *leaf);
            if !is_same && first.is_none() {
                first = Some(position);
            }
            tree.append(*leaf);
        }
    }
    Ok(match first {
        Some(position) if tree.root() == checkpoint.root() => Difference::Entry(position),
        None => Difference::Rewritten,
        Some(_) => Difference::Unknown,
    })
}

fn leaves(client: &Client, tile: u64, width: u64) -> Result<Option<Vec<TreeHash>>, Failure> {
    let width = usize::try_from(width).expect("a tile has at most 256 leaves");
    let path = TilePath::of_width(Resource::Hashes { level: 0 }, tile, width).expect("it is 1 to 256");
    let answer = client.get(&format!("/api/v1/log/{path}"), &[])?;
    Ok((answer.status == 200).then(|| read_tile(&answer.body, width).ok()).flatten())
}

fn needs_keys(keys: &[VerifierKey]) -> Result<(), Failure> {
    if keys.is_empty() {
        return Err(Failure::usage("name the log's public key with --vkey: without it nothing is proved"));
    }
    Ok(())
}

fn key_text(key: &VerifierKey) -> String {
    format!("{}+{:08x}", key.name(), key.id())
}

/// Prints the verdict.
fn tell(as_json: bool, mut document: Value, wrongs: &[Wrong], well: &str) -> Outcome {
    if as_json {
        let problems: Vec<Value> = wrongs
            .iter()
            .map(|wrong| json!({"position": wrong.position, "file": wrong.place, "what": wrong.what}))
            .collect();
        document["ok"] = json!(wrongs.is_empty());
        document["problems"] = json!(problems);
        output::json(&document);
    } else if wrongs.is_empty() {
        output::line(well);
    } else {
        for wrong in wrongs {
            output::line(format_args!("position {}: {}: {}", wrong.position, wrong.place, wrong.what));
        }
        output::line("NOT to be believed");
    }
    if wrongs.is_empty() { Ok(Exit::Done) } else { Ok(Exit::Refused) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::wire::Written;
    use events::{ActorId, Event, EventData, PlanId, UnitChange, UnitChanged, UnitId};
    use evidence::{KeyName, KeyUse, SEED_BYTES, SigningKey, write_tile};
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    fn event(position: u64, name: &str) -> Vec<u8> {
        let data = UnitChanged {
            unit: UnitId::parse("ben-cat").unwrap(),
            change: UnitChange::Rename { name: name.to_owned() },
            revision: 1,
            effective: "2024-05-01".parse().unwrap(),
            instrument: "NQ".into(),
            reason: None,
            request_digest: None,
        };
        let mut written = Written::new(&Event {
            id: events::ids::derived_id(&["test", &position.to_string()]),
            plan: PlanId::parse("binh-duong").unwrap(),
            effective: "2024-05-01T00:00:00Z".parse().unwrap(),
            actor: ActorId::parse("operator-0").unwrap(),
            traceparent: None,
            data: EventData::UnitChanged(data),
        })
        .unwrap();
        written.stamp(Position(position), "2024-05-02T00:00:00Z".parse().unwrap());
        written.into_bytes()
    }

    fn key() -> SigningKey {
        SigningKey::from_seed(KeyName::parse("planwatch/x").unwrap(), &[1; SEED_BYTES])
    }

    fn signed(events: &[Vec<u8>]) -> String {
        let mut tree = Frontier::new();
        events.iter().for_each(|event| tree.append(leaf_hash(event)));
        let checkpoint = Checkpoint::new(key().name(), tree.size(), tree.root());
        checkpoint.sign(&[&key()]).unwrap().to_string()
    }

    /// A server that shows these events, the tree over those, and a checkpoint.
    fn served(events: Vec<Vec<u8>>, tree: Vec<Vec<u8>>, checkpoint: String) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let Some(first) = lines.next() else { continue };
                // The rest of the head is read, so that nothing is reset when the socket is closed.
                lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
                let path = first.split(' ').nth(1).unwrap().to_owned();
                let number = |name: &str| {
                    let after = path.split(name).nth(1).unwrap();
                    after.split('&').next().unwrap().parse::<usize>().unwrap()
                };
                let body = if path == CHECKPOINT_PATH {
                    checkpoint.clone().into_bytes()
                } else if path.starts_with(EVENTS_PATH) {
                    let page = events.iter().skip(number("from=") - 1).take(number("limit="));
                    let page: Vec<&str> = page.map(|event| std::str::from_utf8(event).unwrap()).collect();
                    format!("{{\"events\":[{}],\"next\":0,\"sample\":false}}", page.join(",")).into_bytes()
                } else {
                    let tile: TilePath = path.strip_prefix("/api/v1/log/").unwrap().parse().unwrap();
                    let leaves =
                        tree.iter().skip(256 * usize::try_from(tile.index).unwrap()).take(tile.width());
                    write_tile(&leaves.map(|event| leaf_hash(event)).collect::<Vec<_>>())
                };
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
            }
        });
        Client::new(address, None)
    }

    fn found(client: &Client, earlier: &[PathBuf]) -> Vec<(u64, String)> {
        let keys = [key().verifier(KeyUse::Log)];
        let examined =
            examine(client, &keys, earlier).unwrap_or_else(|failure| panic!("{:#}", failure.error));
        examined.wrongs.into_iter().map(|wrong| (wrong.position, wrong.what)).collect()
    }

    #[test]
    fn what_differs_from_what_was_signed_is_found_with_its_position() {
        let log: Vec<Vec<u8>> = (1..=600).map(|position| event(position, "Bến Cát")).collect();
        let mut doctored = log.clone();
        doctored[300] = event(301, "Bến Đất");
        assert_eq!(found(&served(log.clone(), log.clone(), signed(&log)), &[]), []);

        // The events are others than the tree that was signed: the tree tells which.
        let wrongs = found(&served(doctored.clone(), log.clone(), signed(&log)), &[]);
        assert_eq!((wrongs.len(), wrongs[0].0), (1, 301), "{wrongs:?}");
        assert!(wrongs[0].1.contains("the first event that is another one"), "{wrongs:?}");
        // The tree was made anew as well, by someone without the key.
        let wrongs = found(&served(doctored.clone(), doctored.clone(), signed(&log)), &[]);
        assert!(wrongs[0].0 == 600 && wrongs[0].1.contains("was rewritten"), "{wrongs:?}");
        // By someone with the key: whoever kept a checkpoint sees it.
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        std::fs::write(&kept, signed(&log[..400])).unwrap();
        let insider = served(doctored.clone(), doctored.clone(), signed(&doctored));
        assert_eq!(found(&insider, &[]), []);
        let wrongs = found(&insider, std::slice::from_ref(&kept));
        assert!(wrongs[0].0 == 400 && wrongs[0].1.contains("was rewritten"), "{wrongs:?}");

        // Fewer events than were signed, one in the wrong place, a log that was cut back.
        let wrongs = found(&served(log[..500].to_vec(), log.clone(), signed(&log)), &[]);
        assert!(wrongs[0].0 == 501 && wrongs[0].1.contains("shows none from here on"), "{wrongs:?}");
        let mut swapped = log.clone();
        swapped.swap(9, 10);
        let wrongs = found(&served(swapped, log.clone(), signed(&log)), &[]);
        assert!(wrongs[0].0 == 10 && wrongs[0].1.contains("says that it is at position 11"), "{wrongs:?}");
        std::fs::write(&kept, signed(&log)).unwrap();
        let wrongs = found(&served(log[..500].to_vec(), log.clone(), signed(&log[..500])), &[kept]);
        assert!(wrongs[0].0 == 501 && wrongs[0].1.contains("was cut back"), "{wrongs:?}");
        // Somebody else's signature.
        let other = SigningKey::from_seed(KeyName::parse("planwatch/x").unwrap(), &[2; SEED_BYTES]);
        let keys = [other.verifier(KeyUse::Log)];
        let examined = examine(&served(log.clone(), log.clone(), signed(&log)), &keys, &[]);
        let wrongs = examined.unwrap_or_else(|failure| panic!("{:#}", failure.error)).wrongs;
        assert!(wrongs[0].what.contains("none of the given keys signed"));
    }
}
