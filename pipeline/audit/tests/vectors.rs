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
