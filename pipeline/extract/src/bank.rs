//! Bank statements: camt.053, MT940, and delimited text with named columns. Told apart by their content.

mod camt;
mod mt940;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use case::{AMOUNT_MAX, Decimal, Digest, Payment};
use jiff::civil::Date;
use thiserror::Error;

use crate::{Unreadable, xml};

/// Of MT940 and delimited text; camt.053 has the limit of any XML.
const TEXT_BYTES_MAX: usize = 16 << 20;
const LINES_MAX: usize = 100_000;
/// What a line says beyond this is left away, and `…` stands for it: whoever pays writes it, and must not stop a statement.
const TEXT_CHARS_MAX: usize = 2_000;
/// A reference of more characters, or of none that the bank made, is no name for a line.
const REFERENCE_CHARS_MAX: usize = 64;

/// What was read of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankStatement {
    pub form: BankForm,
    /// Of each statement in the file that states both of them. INVARIANT: they differ by its lines.
    pub balances: Vec<Balances>,
    /// In the order of the file.
    pub payments: Vec<Payment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankForm {
    /// ISO 20022, bank to customer statement, of any version.
    Camt053,
    Mt940,
    Table,
}

/// Positive where the account has money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balances {
    pub account: String,
    pub currency: String,
    pub opening: Decimal,
    pub closing: Decimal,
}

/// Why a file gives no payments. Nothing of a file is used where a part of it is wrong.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NoStatement {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("not a bank statement that this reader knows: camt.053, MT940, or delimited text with the columns {}", table::NAMES.join(", "))]
    UnknownForm,
    /// `place` is `line 7` or `statement 1, entry 3`.
    #[error("{place}: {why}")]
    Wrong { place: String, why: String },
    #[error(
        "statement {statement}: the opening balance {opening} and the lines make {made}, and the closing balance is {closing}"
    )]
    Balance { statement: usize, opening: Decimal, made: Decimal, closing: Decimal },
    #[error("column `{column}` is not known; the columns are {}", table::NAMES.join(", "))]
    UnknownColumn { column: String },
    #[error("there is no column `{column}`, or there are two of them")]
    NoColumn { column: &'static str },
}

/// Reads a bank statement. Never panics, whatever the bytes are, and takes time and memory in proportion to them.
pub fn statement(bytes: &[u8]) -> Result<BankStatement, NoStatement> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Unreadable::Empty.into());
    }
    if starts_as_xml(bytes) {
        let (balances, entries) = camt::read(bytes)?;
        return Ok(BankStatement { form: BankForm::Camt053, balances, payments: payments(entries) });
    }
    let text = text(bytes)?;
    if mt940::looks_like(&text) {
        let (balances, entries) = mt940::read(&text)?;
        return Ok(BankStatement { form: BankForm::Mt940, balances, payments: payments(entries) });
    }
    Ok(BankStatement { form: BankForm::Table, balances: Vec::new(), payments: payments(table::read(&text)?) })
}

/// A line of a statement as its form says it.
struct Entry {
    /// The account that the statement is of; empty where it is not said.
    account: String,
    date: Date,
    amount: Decimal,
    currency: String,
    iban: Option<String>,
    text: String,
    /// The bank's, not the payer's.
    reference: Option<String>,
}

impl Entry {
    fn said(&self) -> String {
        let Entry { account, date, amount, currency, iban, text, .. } = self;
        serde_json::json!([account, date, amount.normalize(), currency, iban, text]).to_string()
    }
}

/// A statement that is twice in a file would pay everything twice: the second one is refused.
fn once(
    before: &mut BTreeSet<Digest>,
    statement: usize,
    opening: Option<Decimal>,
    entries: &[Entry],
) -> Result<(), NoStatement> {
    let said: Vec<String> = entries.iter().map(|entry| format!("{:?}{}", entry.reference, entry.said())).collect();
    if said.is_empty() || before.insert(Digest::of(format!("{opening:?}{}", said.concat()).as_bytes())) {
        return Ok(());
    }
    let why = "an earlier statement in the file has the same balance and the same lines".to_owned();
    Err(NoStatement::Wrong { place: format!("statement {statement}"), why })
}

fn starts_as_xml(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let unmarked = marks.iter().find_map(|mark| bytes.strip_prefix(*mark)).unwrap_or(bytes);
    unmarked.iter().find(|byte| !byte.is_ascii_whitespace() && **byte != 0) == Some(&b'<')
}

/// UTF-8, UTF-16 with its mark, or Windows-1252.
fn text(bytes: &[u8]) -> Result<String, NoStatement> {
    if TEXT_BYTES_MAX < bytes.len() {
        let (count, max) = (bytes.len() as u64, TEXT_BYTES_MAX as u64);
        return Err(Unreadable::TooMuch { what: "bytes of text", count, max }.into());
    }
    if let Some(text) = xml::utf16(bytes) {
        return text.ok_or(NoStatement::UnknownForm);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_or_else(|_| xml::windows_1252(bytes), str::to_owned);
    let is_text = |it: char| !it.is_control() || matches!(it, '\n' | '\r' | '\t' | '\u{c}' | '\u{1}' | '\u{3}');
    // SWIFT messages may come between the marks SOH and ETX.
    if text.chars().all(is_text) { Ok(text) } else { Err(NoStatement::UnknownForm) }
}

/// A line that is one too many.
fn counted(count: usize) -> Result<(), NoStatement> {
    let (count, max) = (count as u64, LINES_MAX as u64);
    if max < count { Err(Unreadable::TooMuch { what: "lines of a bank statement", count, max }.into()) } else { Ok(()) }
}

fn in_range(amount: Decimal) -> Option<Decimal> {
    (amount.abs() <= AMOUNT_MAX).then(|| amount.normalize())
}

/// The lines lie between the balances, or something is missing.
fn balanced(statement: usize, opening: Decimal, lines: Decimal, closing: Decimal) -> Result<(), NoStatement> {
    let made = opening.saturating_add(lines);
    if made == closing { Ok(()) } else { Err(NoStatement::Balance { statement, opening, made, closing }) }
}

/// Words with single blanks; none are left out but behind [`TEXT_CHARS_MAX`].
fn remittance(parts: &[String]) -> String {
    let text = parts.iter().flat_map(|it| it.split_whitespace()).collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => text.get(..end).map(|kept| format!("{kept}…")).unwrap_or_default(),
        None => text,
    }
}

/// An account without blanks; none where it is only zeros.
fn account(text: &str) -> Option<String> {
    let account: String = text.chars().filter(|it| !it.is_whitespace()).take(TEXT_CHARS_MAX).collect();
    account.chars().any(|it| it.is_alphanumeric() && it != '0').then_some(account)
}

/// The bank's own name for a line, where it gave one.
fn reference(text: &str) -> Option<String> {
    const NONE: [&str; 4] = ["NONREF", "NOREF", "NOTPROVIDED", "NOT PROVIDED"];
    let text = text.trim();
    let named = !text.is_empty() && !NONE.contains(&text.to_uppercase().as_str());
    (named && text.chars().count() <= REFERENCE_CHARS_MAX).then(|| text.to_owned())
}

/// Gives each line its id. Files overlap, and a line must have the same id in each: whether a reference is the only one of its
/// name, and how many equal lines there were before, is counted within a booking day, which files have whole.
fn payments(entries: Vec<Entry>) -> Vec<Payment> {
    let mut references: BTreeMap<String, usize> = BTreeMap::new();
    for name in entries.iter().filter_map(by_reference) {
        *references.entry(name).or_default() += 1;
    }
    let mut equal: BTreeMap<String, usize> = BTreeMap::new();
    let with_id = |entry: Entry| {
        let named = by_reference(&entry).filter(|name| references.get(name) == Some(&1));
        let payment_id = named.unwrap_or_else(|| {
            let said = entry.said();
            let before = equal.entry(said.clone()).or_default();
            let id = Digest::of(format!("{said}{before}").as_bytes()).to_string();
            *before += 1;
            id
        });
        let Entry { date, amount, currency, iban, text, .. } = entry;
        Payment { payment_id, date, amount, currency, iban, text }
    };
    entries.into_iter().map(with_id).collect()
}

/// A reference is the bank's own only for the account, and may come again on another day.
fn by_reference(entry: &Entry) -> Option<String> {
    entry.reference.as_ref().map(|it| format!("{}:{}:{it}", entry.account, entry.date))
}

#[cfg(test)]
mod tests;
