//! Bank statements: camt.053, MT940 and CSV, as the reader's room reads them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};
use case::Payment;

const STATEMENT_BYTES_MAX: u64 = 64 << 20;

pub(super) fn payments(file: &Path) -> anyhow::Result<Vec<Payment>> {
    let shown = file.display();
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(STATEMENT_BYTES_MAX + 1).read_to_end(&mut bytes));
    read.with_context(|| format!("cannot read `{shown}`"))?;
    let size = bytes.len() as u64;
    ensure!(
        size <= STATEMENT_BYTES_MAX,
        "`{shown}` has more than the {STATEMENT_BYTES_MAX} bytes of a statement; cut it"
    );
    // The one place where statements are read. Nothing of one goes in where a part of it is wrong.
    let statement = extract::bank_statement(&bytes);
    Ok(statement.with_context(|| format!("`{shown}` is no bank statement that can be imported"))?.payments)
}
