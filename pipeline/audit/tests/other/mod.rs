//! Where the programs are that were written from the specifications alone.
#![allow(dead_code, unreachable_pub)]

use std::ffi::OsString;
use std::path::PathBuf;

/// Python, and the verifier `tlogcheck.py`, which has its writer `mklog.py` and `witness.py` beside it.
/// None where they are not installed; there a run in CI fails, since its tests would pass without having looked.
pub fn programs() -> Option<(OsString, PathBuf)> {
    let Some(script) = std::env::var_os("COUNTERSIGN_TLOGCHECK") else {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "COUNTERSIGN_TLOGCHECK does not name the other verifier, and in CI nothing is skipped"
        );
        return None;
    };
    let python = std::env::var_os("COUNTERSIGN_PYTHON").unwrap_or_else(|| "python3".into());
    Some((python, script.into()))
}
