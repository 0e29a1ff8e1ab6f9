//! Where the programs are that were written from the specifications alone.
#![allow(dead_code, unreachable_pub)]

use std::ffi::OsString;
use std::path::PathBuf;

/// Python, and the verifier `tlogcheck.py`, which has its writer `mklog.py` and `witness.py` beside it.
/// None where nobody names it: it is not part of this product. `tests/run` says so when it is not there.
pub fn programs() -> Option<(OsString, PathBuf)> {
    let Some(script) = std::env::var_os("COUNTERSIGN_TLOGCHECK") else {
        eprintln!("skipped: COUNTERSIGN_TLOGCHECK names no verifier");
        return None;
    };
    let python = std::env::var_os("COUNTERSIGN_PYTHON").unwrap_or_else(|| "python3".into());
    Some((python, script.into()))
}
