//! Each input that fuzzing kept, through the same promises: `fuzz/run` looks for new ones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unreachable_pub)]

#[path = "fuzz/promises.rs"]
mod promises;

use std::path::{Path, PathBuf};

use store::steps::{self, Record};
use store::{Lock, Sealing, Share};

type Promise = fn(&[u8]);

/// The stack that reading is promised to need at most.
const STACK_BYTES: usize = 16 << 20;

#[test]
fn whatever_comes_from_outside_is_read_or_refused_as_promised() {
    let targets: [(&str, Promise); 6] = [
        ("document", promises::document),
        ("answer", promises::answer),
        ("policy", promises::policy),
        ("log", promises::log),
        ("export", promises::export),
        ("seal", promises::seal),
    ];
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut broken = Vec::new();
    for (name, promise) in targets {
        let inputs = files(&corpus.join(name));
        assert!(!inputs.is_empty(), "no inputs for `{name}`");
        for input in inputs {
            let bytes = std::fs::read(&input).unwrap();
            let reader = std::thread::Builder::new().stack_size(STACK_BYTES);
            if reader.spawn(move || promise(&bytes)).unwrap().join().is_err() {
                broken.push(input);
            }
        }
    }
    assert!(broken.is_empty(), "a promise is broken for {broken:#?}");
}

/// What is sealed for the promises above opens, or they would say nothing.
#[test]
fn the_samples_of_sealed_things_open() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/seal");
    let read = |name: &str| std::fs::read(corpus.join(name)).unwrap();
    let text = String::from_utf8(read("keys")).unwrap();
    let keys = steps::keys_of(&text).unwrap();
    let record = Record::open(&keys, "019aa000-0000-7000-8000-00000000cafe", &read("row")).unwrap();
    let id = "019aa000-0000-7000-8000-000000000001".parse().unwrap();
    assert_eq!(record.open_part(id, &read("file"), 0, 0).unwrap(), b"");
    assert!(record.open_value("extractions.values case 1", &read("value")).is_ok());
    let sealings = [
        ("keys.credential", Sealing::Credential),
        ("keys.command", Sealing::Command),
        ("keys.transit", Sealing::Transit { wrapped: "vault:v1:AAAA".into() }),
    ];
    for (name, sealing) in sealings {
        let lock = Lock { sealing, key: store::key_in(&[7; 32]).unwrap() };
        assert_eq!(*steps::open_keys(&lock, &read(name)).unwrap(), text.as_bytes(), "{name}");
    }
    let shares = String::from_utf8(read("shares")).unwrap();
    let [one, other] = [0, 1].map(|n| Share::parse(shares.lines().nth(n).unwrap()).unwrap());
    assert!(steps::combined(&one, &other).is_ok());
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    found.sort();
    found
}
