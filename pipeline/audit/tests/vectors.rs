//! Bytes that must stay as they are for as long as a log is kept.
//!
//! With `COUNTERSIGN_FREEZE_VECTORS=1` the files are written instead of compared; that is for adding new ones, since
//! a change of an old one breaks every log that was ever signed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod log;

use std::path::PathBuf;

use audit::*;
use log::*;

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

#[track_caller]
fn check(name: &str, bytes: &[u8]) {
    let path = vectors().join(name);
    if std::env::var_os("COUNTERSIGN_FREEZE_VECTORS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    let frozen = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(frozen == bytes, "{name} is not what it was:\n{}", String::from_utf8_lossy(bytes));
}

#[test]
fn the_same_acts_give_the_same_log_for_ever() {
    let all = leaves(7);
    let export = Export::of(&all);
    export.put("checkpoints/4", &signed(&all[..4]));
    export.put("keys", format!("{}\n", key().verifier_key()).as_bytes());
    let files = export.files();
    assert_eq!(files.len(), 5);
    for path in files {
        check(&format!("log/{path}"), &export.get(&path));
    }
}

#[test]
fn the_frozen_log_is_read_and_found_sound() {
    let key = std::fs::read_to_string(vectors().join("log/keys")).unwrap();
    let key = VerifierKey::parse(key.trim_end()).unwrap();
    let old = std::fs::read(vectors().join("log/checkpoints/4")).unwrap();
    let since = vec![KeptHead { name: "4".into(), text: old }];
    let report = verify(&vectors().join("log"), &Ask { since, silence_is_fault: true, ..Ask::of(key) }).unwrap();
    assert_eq!(
        report.verdict(),
        "sound: the first 4 entries are those of the head kept outside as 4; the other 3 have no outside reference"
    );
    assert_eq!(report.objects, Some(3));
}

#[test]
fn frontiers_and_commitments_keep_their_form() {
    let mut frontier = Frontier::new();
    leaves(7).iter().for_each(|leaf| frontier.append(leaf_hash(leaf)));
    check("frontier-7", &frontier.to_bytes());
    let saved = std::fs::read(vectors().join("frontier-7")).unwrap();
    assert_eq!(Frontier::from_bytes(&saved).unwrap().root(), frontier.root());
    // Computed with Python's hmac module over the bytes that the design names.
    assert_eq!(
        commit(&[7; 32], "number", &"471102".into()).unwrap(),
        "55b91e251eeaa613faab66993561e59895075da6ba9099440d1ebab8b2ab93e7"
    );
}

#[test]
fn a_cosigned_head_keeps_its_form() {
    let witness = WitnessSigner::from_seed("witness.example.org/w1", &[9; 32]).unwrap();
    let note = signed(&leaves(7));
    let cosigned = with_signatures(&note, &[&witness.cosign(&note, 1_795_341_600).unwrap()]).unwrap();
    check("cosigned/checkpoint", cosigned.as_bytes());
    check("cosigned/witness", format!("{}\n", witness.key()).as_bytes());
    let rotation = sign_by(&head(&leaves(7)), &[&key(), &LogKey::from_seed(ORIGIN, &[2; 32]).unwrap()]);
    check("cosigned/rotation", rotation.as_bytes());
}

#[test]
fn the_frozen_cosigned_head_is_read() {
    let read = |name| std::fs::read_to_string(vectors().join("cosigned").join(name)).unwrap();
    let witness = WitnessKey::parse(read("witness").trim_end()).unwrap();
    let found = cosignatures(read("checkpoint").as_bytes(), &[witness]).unwrap();
    assert_eq!(found, [Cosignature { witness: "witness.example.org/w1".into(), time: 1_795_341_600 }]);
    let new = LogKey::from_seed(ORIGIN, &[2; 32]).unwrap().verifier();
    assert_eq!(
        signers(read("rotation").as_bytes(), &[new.clone(), key().verifier()]).unwrap(),
        [key().verifier(), new]
    );
}

#[test]
fn a_receipt_keeps_its_form_and_is_read() {
    let all = leaves(7);
    check("receipt/5.tlog-proof", receipt(&all, 5).as_bytes());
    check("receipt/5.json", &all[5]);
    let read = |name| std::fs::read(vectors().join("receipt").join(name)).unwrap();
    let shown = verify_receipt(&read("5.tlog-proof"), &read("5.json"), &[key().verifier()]).unwrap();
    assert_eq!((shown.index, shown.head), (5, head(&all)));
}
