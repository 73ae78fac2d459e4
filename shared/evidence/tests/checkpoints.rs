//! Keys, checkpoints, cosignatures and proof files: what is written reads back, what is altered is refused.

#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing has failed, which is the point")]

use evidence::*;
use proptest::prelude::*;

fn name(name: &str) -> KeyName {
    KeyName::parse(name).unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(name("log.example/binh-duong"), &[seed; SEED_BYTES])
}

fn witness(seed: u8) -> SigningKey {
    SigningKey::from_seed(name(&format!("witness.example/w{seed}")), &[100 + seed; SEED_BYTES])
}

fn log_key(seed: u8) -> VerifierKey {
    key(seed).verifier(KeyUse::Log)
}

fn checkpoint() -> Checkpoint {
    Checkpoint::new(&name("log.example/binh-duong"), 4, leaf_hash(b"stands for a root"))
}

/// A proof that the second of three entries is in a log.
fn proof_file() -> (ProofFile, &'static [u8]) {
    let entries: [&[u8]; 3] = [b"one", b"two", b"three"];
    let leaves = entries.map(leaf_hash);
    let root = node_hash(node_hash(leaves[0], leaves[1]), leaves[2]);
    let proof = InclusionProof { index: 1, size: 3, hashes: vec![leaves[0], leaves[2]] };
    let mut signed = Checkpoint::new(key(1).name(), 3, root).sign(&[&key(1)]).unwrap();
    signed.cosign(&witness(1), 1_679_315_147).unwrap();
    (ProofFile::new(proof, signed).unwrap(), entries[1])
}

#[test]
fn a_checkpoint_reads_back_and_verifies_with_either_key_of_a_rotation() {
    let signed = checkpoint().sign(&[&key(1), &key(2)]).unwrap();
    let text = signed.to_string();
    let read = SignedCheckpoint::parse(text.as_bytes()).unwrap();
    assert_eq!(read, signed);
    assert_eq!(read.to_string(), text);
    for seed in [1, 2] {
        let verified = read.verify(&[log_key(seed)]).unwrap();
        assert_eq!(verified.checkpoint, checkpoint());
        assert_eq!(verified.by, [log_key(seed)]);
    }
    assert_eq!(read.verify(&[log_key(1), log_key(2)]).unwrap().by.len(), 2);
    let error = read.verify(&[log_key(3)]).unwrap_err();
    assert!(matches!(error, CheckpointError::Note(NoteError::Unknown { .. })), "{error}");
    assert!(error.to_string().contains("log.example/binh-duong"), "{error}");
}

#[test]
fn cosignatures_carry_their_time_and_do_not_replace_the_log() {
    let mut signed = checkpoint().sign(&[&key(1)]).unwrap();
    signed.cosign(&witness(1), 1_679_315_147).unwrap();
    signed.cosign(&witness(2), 0).unwrap();
    signed.cosign(&witness(1), 1_679_315_148).unwrap();
    let cosigner = |seed| witness(seed).verifier(KeyUse::Cosigner);
    let read = SignedCheckpoint::parse(signed.to_string().as_bytes()).unwrap();
    let verified = read.verify(&[log_key(1), cosigner(1), cosigner(2), cosigner(3)]).unwrap();
    let mut cosigned: Vec<_> = verified.cosigned.iter().map(|by| (by.by.as_str(), by.at_seconds)).collect();
    cosigned.sort_unstable();
    assert_eq!(cosigned, [("witness.example/w1", 1_679_315_148), ("witness.example/w2", 0)]);
    let error = read.verify(&[cosigner(1)]).unwrap_err();
    assert_eq!(error, CheckpointError::NotByTheLog { origin: "log.example/binh-duong".to_owned() });
    let late = signed.clone().cosign(&witness(1), LATEST_COSIGNATURE_SECONDS + 1).unwrap_err();
    assert_eq!(late, NotSignable::Time(LATEST_COSIGNATURE_SECONDS + 1));

    // A witness answers with its line alone; the log adds it and verifies.
    let line = signed.lines_of(witness(2).name());
    assert!(line.starts_with("— witness.example/w2 ") && line.lines().count() == 1, "{line}");
    let mut other = checkpoint().sign(&[&key(1)]).unwrap();
    other.add_lines(&line).unwrap();
    let named: Vec<_> = other.named_keys().collect();
    assert_eq!(
        named,
        [("log.example/binh-duong", log_key(1).id()), ("witness.example/w2", cosigner(2).id())]
    );
    assert_eq!(other.verify(&[log_key(1), cosigner(2)]).unwrap().cosigned.len(), 1);
    assert!(other.add_lines("— no line").is_err() && other.add_lines("nothing\n").is_err());
}

#[test]
fn a_key_of_one_use_verifies_nothing_of_the_other() {
    // The same bytes used for both: the identifiers differ, so neither signature passes for the other.
    let signed = checkpoint().sign(&[&key(1)]).unwrap();
    let error = signed.verify(&[key(1).verifier(KeyUse::Cosigner)]).unwrap_err();
    assert!(matches!(error, CheckpointError::Note(NoteError::Unknown { .. })), "{error}");
    let stranger = SigningKey::from_seed(name("log.example/other"), &[1; SEED_BYTES]);
    let error = checkpoint().sign(&[&stranger]).unwrap_err();
    assert!(matches!(error, NotSignable::OtherName { .. }), "{error}");
    assert_eq!(checkpoint().sign(&[]), Err(NotSignable::NoKey));
}

#[test]
fn every_flipped_bit_of_a_checkpoint_is_refused() {
    let text = checkpoint().sign(&[&key(1)]).unwrap().to_string();
    let keys = [log_key(1), witness(1).verifier(KeyUse::Cosigner)];
    for at in 0..text.len() * 8 {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let outcome = SignedCheckpoint::parse(&bytes).and_then(|signed| signed.verify(&keys));
        assert!(outcome.is_err(), "bit {at} of {:?}", String::from_utf8_lossy(&bytes));
    }
    for cut in 0..text.len() {
        let outcome =
            SignedCheckpoint::parse(&text.as_bytes()[..cut]).and_then(|signed| signed.verify(&keys));
        assert!(outcome.is_err(), "cut at {cut}");
    }
}

#[test]
fn extension_lines_are_kept_and_signed() {
    let plain = checkpoint().sign(&[&key(1)]).unwrap().to_string();
    let (text, signature) = plain.split_once("\n\n").unwrap();
    let extended = format!("{text}\nmore to say\n\n{signature}");
    let read = SignedCheckpoint::parse(extended.as_bytes()).unwrap();
    assert_eq!(read.claimed().extensions(), ["more to say"]);
    assert_eq!(read.to_string(), extended);
    let error = read.verify(&[log_key(1)]).unwrap_err();
    assert!(matches!(error, CheckpointError::Note(NoteError::Forged { .. })), "{error}");
    let signed = read.claimed().sign(&[&key(1)]).unwrap();
    assert_eq!(signed.verify(&[log_key(1)]).unwrap().checkpoint.extensions(), ["more to say"]);
}

#[test]
fn what_is_no_checkpoint_says_why() {
    let root = leaf_hash(b"");
    let parse =
        |text: &str| SignedCheckpoint::parse(format!("{text}\n\n— log AAAAAAA=\n").as_bytes()).unwrap_err();
    assert_eq!(parse("log\n3"), CheckpointError::TooFewLines { lines: 2 });
    assert_eq!(parse(&format!("log\n03\n{root}")), CheckpointError::Size("03".to_owned()));
    for size in ["-1", "+3", "", " 3", "18446744073709551616", "3.0", "٣"] {
        assert!(
            SignedCheckpoint::parse(format!("log\n{size}\n{root}\n\n— log AAAAAAA=\n").as_bytes()).is_err()
        );
    }
    let short = root.to_string().replace('=', "");
    assert_eq!(parse(&format!("log\n3\n{short}")), CheckpointError::Root(NotAHash(short)));
    assert_eq!(parse(&format!("log\n3\n\n{root}")), CheckpointError::Line { line: 3 });
    assert_eq!(parse(&format!("\n3\n{root}")), CheckpointError::Line { line: 1 });
    assert_eq!(parse(&format!("log\n0\n{root}")), CheckpointError::NotEmpty);
    let many = "more\n".repeat(65);
    assert_eq!(parse(&format!("log\n3\n{root}\n{}", many.trim_end())), CheckpointError::Line { line: 68 });
    assert!(SignedCheckpoint::parse(format!("log\n0\n{EMPTY_ROOT}\n\n— log AAAAAAA=\n").as_bytes()).is_ok());
}

#[test]
fn keys_have_one_spelling_and_never_show_their_secret() {
    let signing = key(9);
    let secret = signing.to_secret_text();
    let again: SigningKey = secret.parse().unwrap();
    assert_eq!(again.to_secret_text(), secret);
    assert_eq!(again.name(), signing.name());
    let shown = format!("{signing:?}");
    assert!(shown.contains("log.example/binh-duong") && !shown.contains(&secret[secret.len() - 20..]));
    for use_of in [KeyUse::Log, KeyUse::Cosigner] {
        let public = signing.verifier(use_of);
        assert_eq!(public.to_string().parse::<VerifierKey>().unwrap(), public);
        for at in 0..public.to_string().len() * 8 {
            let mut bytes = public.to_string().into_bytes();
            bytes[at / 8] ^= 1 << (at % 8);
            let read = String::from_utf8(bytes).ok().and_then(|text| text.parse::<VerifierKey>().ok());
            assert_eq!(read, None, "bit {at}");
        }
    }
    assert_eq!(secret.parse::<VerifierKey>(), Err(KeyError::PrivateShown));
    let public = log_key(9).to_string();
    assert!(matches!(public.parse::<SigningKey>(), Err(KeyError::Private)));
    let error = secret.replace("AQkJ", "AQkK").parse::<SigningKey>().unwrap_err();
    assert!(matches!(error, KeyError::Id { .. }), "{error}");
    let upper = public.to_uppercase();
    assert!(upper.parse::<VerifierKey>().is_err());
    let lines = format!("# the log's keys\n\n{}\n{}\n", log_key(1), log_key(2));
    assert_eq!(VerifierKey::parse_lines(&lines).unwrap(), [log_key(1), log_key(2)]);
    assert_eq!(VerifierKey::parse_lines("nothing"), Err(KeyError::Public));
    for wrong in ["", "a b", "a+b", "a\tb", "a\u{a0}b", "a\u{7f}", &"a".repeat(256)] {
        assert!(matches!(KeyName::parse(wrong), Err(KeyError::Name(_))), "{wrong:?}");
    }
    // The all-zero point verifies signatures for everything: it is no key.
    let weak = [[1].as_slice(), &[0; 32]].concat();
    let id = signed_note::key_id("a", &weak);
    let text = format!("a+{id:08x}+{}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, weak));
    assert!(matches!(text.parse::<VerifierKey>(), Err(KeyError::Weak { .. })));
}

#[test]
fn a_proof_file_proves_its_entry_and_no_other() {
    let (file, entry) = proof_file();
    let text = file.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 1\n"), "{text}");
    let read = ProofFile::parse(text.as_bytes()).unwrap();
    assert_eq!(read, file);
    let keys = [log_key(1), witness(1).verifier(KeyUse::Cosigner)];
    let verified = read.verify(entry, &keys).unwrap();
    assert_eq!((verified.checkpoint.size(), verified.cosigned.len()), (3, 1));
    let error = read.verify(b"one", &keys).unwrap_err();
    assert_eq!(error, ProofFileError::Proof(ProofError::NotIncluded { index: 1, size: 3 }));
    assert!(matches!(read.verify(entry, &[log_key(2)]), Err(ProofFileError::Checkpoint(_))));
    let extra = file.with_extra(b"from the province".to_vec()).unwrap();
    let read = ProofFile::parse(extra.to_string().as_bytes()).unwrap();
    assert_eq!(read.extra(), Some(b"from the province".as_slice()));
    read.verify(entry, &keys).unwrap();
    assert_eq!(read.with_extra(Vec::new()), None);
    let other = checkpoint().sign(&[&key(1)]).unwrap();
    assert_eq!(ProofFile::new(InclusionProof { index: 0, size: 3, hashes: Vec::new() }, other), None);
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_proof_file_is_refused() {
    let (file, entry) = proof_file();
    let text = file.to_string();
    let keys = [log_key(1), witness(1).verifier(KeyUse::Cosigner)];
    let refused = |bytes: &[u8]| {
        ProofFile::parse(bytes).and_then(|file| file.verify(entry, &keys)).map_or(true, |verified| {
            // A witness's line whose name or identifier was altered is one of a stranger: passed over.
            verified.cosigned.is_empty()
        })
    };
    for at in 0..text.len() * 8 {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        assert!(refused(&bytes), "bit {at}");
    }
    for cut in 0..text.len() {
        assert!(refused(&text.as_bytes()[..cut]), "cut at {cut}");
    }
}

#[test]
fn what_is_no_proof_file_says_why() {
    let (file, _) = proof_file();
    let text = file.to_string();
    let parse = |text: &str| ProofFile::parse(text.as_bytes()).unwrap_err().to_string();
    assert!(parse(&text.replace("@v1", "@v2")).contains("use a newer one"));
    assert!(parse("nothing").contains("something else"));
    assert!(parse(&text.replace("index 1", "index 01")).contains("line 2 should be `index <number>`"));
    assert!(parse(&text.replace("index 1", "extra !\nindex 1")).contains("extra data"));
    assert!(parse(&text.replace("index 1", "extra AAAA\nindex x")).contains("line 3 should be"));
    assert!(parse(&text.replace("index 1\n", "index 1\nabc\n")).contains("line 3: `abc` is no hash"));
    assert!(parse("c2sp.org/tlog-proof@v1\nindex 1\n").contains("cut short"));
    let hash = leaf_hash(b"");
    let long = format!("c2sp.org/tlog-proof@v1\nindex 1\n{}", format!("{hash}\n").repeat(66));
    assert!(parse(&long).contains("66 hashes"), "{}", parse(&long));
}

proptest! {
    #[test]
    fn parsers_take_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = (SignedCheckpoint::parse(&bytes), ProofFile::parse(&bytes), text.parse::<TilePath>());
        let _ = (text.parse::<VerifierKey>(), text.parse::<SigningKey>(), text.parse::<TreeHash>());
        let _ = split_entries(&bytes, 3);
    }

    #[test]
    fn parsers_take_altered_texts(at in any::<prop::sample::Index>(), with in "[ -~\n—é]{0,4}", cut in 0usize..4) {
        let texts = [proof_file().0.to_string(), checkpoint().sign(&[&key(1)]).unwrap().to_string(),
            log_key(1).to_string(), "tile/0/x001/x234/067.p/12".to_owned()];
        for text in texts {
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            let end = (at + cut).min(characters.len());
            characters.splice(at..end, with.chars());
            let altered: String = characters.into_iter().collect();
            if let Ok(path) = altered.parse::<TilePath>() {
                prop_assert_eq!(path.to_string(), altered.clone());
            }
            if let Ok(signed) = SignedCheckpoint::parse(altered.as_bytes()) {
                prop_assert_eq!(signed.to_string(), altered.clone());
            }
            if let Ok(file) = ProofFile::parse(altered.as_bytes()) {
                prop_assert_eq!(file.to_string(), altered.clone());
            }
            if let Ok(key) = altered.parse::<VerifierKey>() {
                prop_assert_eq!(key.to_string(), altered);
            }
        }
    }
}
