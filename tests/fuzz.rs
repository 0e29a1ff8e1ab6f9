//! Each input that fuzzing kept, through the same promises: `fuzz/run` looks for new ones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unreachable_pub)]

#[path = "fuzz/promises.rs"]
mod promises;

use std::path::{Path, PathBuf};

type Promise = fn(&[u8]);

/// The stack that reading is promised to need at most.
const STACK_BYTES: usize = 16 << 20;

#[test]
fn whatever_comes_from_outside_is_read_or_refused_as_promised() {
    let targets: [(&str, Promise); 5] = [
        ("document", promises::document),
        ("answer", promises::answer),
        ("policy", promises::policy),
        ("log", promises::log),
        ("export", promises::export),
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

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    found.sort();
    found
}
