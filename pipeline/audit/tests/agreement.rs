//! Another verifier, written from the specifications alone, must say the same.
//!
//! Runs only where `COUNTERSIGN_TLOGCHECK` names its `tlogcheck.py` and Python has the `cryptography` package
//! (`COUNTERSIGN_PYTHON` names another Python than `python3`); elsewhere it says that it is skipped.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod log;
mod other;

use std::path::Path;
use std::process::Command;

use log::*;

/// What the other verifier says: its exit status and its line. None where it is not installed.
fn other(dir: &Path, since: Option<&Path>) -> Option<(bool, String)> {
    let (python, script) = other::programs()?;
    let mut command = Command::new(&python);
    command.arg(script).arg(dir).arg(key().verifier_key()).args(["--chain", "--jcs"]);
    if let Some(since) = since {
        command.arg("--old").arg(since);
    }
    let output = command.output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(!line.is_empty(), "no verdict: {}", String::from_utf8_lossy(&output.stderr));
    Some((output.status.success(), line))
}

#[test]
fn the_other_verifier_accepts_every_log_that_we_write() {
    let all = leaves(600);
    for size in [0, 1, 2, 3, 255, 256, 257, 512, 600] {
        let export = Export::of(&all[..size]);
        let kept = tempfile::tempdir().unwrap();
        let old = kept.path().join("old");
        std::fs::write(&old, signed(&all[..size / 2])).unwrap();
        let Some((sound, line)) = other(export.path(), Some(&old)) else { return };
        assert!(sound && line.starts_with(&format!("ok size={size} ")), "{line}");
        assert_eq!(export.verify_since(&[signed(&all[..size / 2])]).fault, None);
    }
}

#[test]
fn the_other_verifier_accepts_partial_tiles_of_earlier_heads_and_refuses_what_we_refuse() {
    let all = leaves(300);
    let export = Export::of(&all);
    export.tiles(&all[..3]);
    export.tiles(&all[..280]);
    let Some((sound, line)) = other(export.path(), None) else { return };
    assert!(sound, "{line}");
    assert_eq!(export.verify().fault, None);
    for (path, at) in
        [("tile/entries/000", 700), ("tile/entries/000.p/3", 9), ("tile/0/001.p/24", 0), ("checkpoint", 30)]
    {
        let mut bytes = export.get(path);
        bytes[at] ^= 1;
        export.put(path, &bytes);
        assert!(!other(export.path(), None).unwrap().0, "{path}");
        assert!(export.verify().fault.is_some(), "{path}");
        bytes[at] ^= 1;
        export.put(path, &bytes);
    }
}
