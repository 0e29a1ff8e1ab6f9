//! Bank statements: camt.053, MT940 and CSV, as the reader's room reads them.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow};
use case::Payment;
use jiff::ToSpan;
use work::now;

use crate::front::cases::plain;
use crate::front::{Mistake, given};

const STATEMENT_BYTES_MAX: u64 = 64 << 20;

pub(super) fn payments(file: &Path) -> anyhow::Result<Vec<Payment>> {
    let shown = plain(&file.display().to_string());
    let mut bytes = Vec::new();
    let read = given(file)?.take(STATEMENT_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read `{shown}`"))?;
    if STATEMENT_BYTES_MAX < bytes.len() as u64 {
        let why = format!("`{shown}` has more than the {STATEMENT_BYTES_MAX} bytes of a statement; cut it");
        return Err(Mistake::File(why).into());
    }
    // The one place where statements are read. Nothing of one goes in where a part of it is wrong.
    let statement = extract::bank_statement(&bytes);
    let wrong = || Mistake::File(format!("`{shown}` is no bank statement that can be imported"));
    let payments = statement.with_context(wrong)?.payments;
    let (today, latest) = (now().date(), now().date().saturating_add(1.year()));
    if let Some(ahead) = payments.iter().find(|it| latest < it.date) {
        let why = format!("a line is of {}, more than a year after today, {today}", ahead.date);
        return Err(anyhow!(why).context(wrong()));
    }
    Ok(payments)
}
