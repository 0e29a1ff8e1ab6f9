//! Delimited text with a header of names.

use case::Decimal;

use super::{Entry, NoStatement, account, counted, in_range, reference, remittance};
use crate::Unreadable;
use crate::values::{decimal, iso_date, listed_currency};

pub(super) const NAMES: [&str; 6] = ["date", "amount", "currency", "iban", "text", "reference"];
const REQUIRED: [&str; 3] = ["date", "amount", "currency"];
/// Currencies of three decimals; of any other one, three digits behind a mark may be thousands.
const THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

pub(super) fn read(text: &str) -> Result<Vec<Entry>, NoStatement> {
    let text = text.trim_start();
    let header = text.lines().next().unwrap_or_default();
    let delimiter = [b';', b'\t', b'|'].into_iter().find(|it| header.as_bytes().contains(it)).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut names: Vec<&'static str> = Vec::new();
    let mut entries = Vec::new();
    loop {
        let more = reader.read_record(&mut record).map_err(|err| {
            let line = err.position().map_or(0, csv::Position::line);
            Unreadable::Broken { what: "delimited text", why: format!("an error in line {line}") }
        })?;
        if !more {
            return if names.is_empty() { Err(NoStatement::UnknownForm) } else { Ok(entries) };
        }
        if names.is_empty() {
            names = columns(&record)?;
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        entries.push(row(&record, &names).map_err(|why| NoStatement::Wrong { place: format!("line {line}"), why })?);
        counted(entries.len())?;
    }
}

/// The names of the columns, each known and there once.
fn columns(header: &csv::StringRecord) -> Result<Vec<&'static str>, NoStatement> {
    let known = |name: &str| NAMES.into_iter().find(|it| it.eq_ignore_ascii_case(name.trim()));
    if !header.iter().any(|name| known(name).is_some()) {
        return Err(NoStatement::UnknownForm);
    }
    let names = header.iter().map(|name| {
        let column = || name.trim().chars().take(40).collect();
        known(name).ok_or_else(|| NoStatement::UnknownColumn { column: column() })
    });
    let names = names.collect::<Result<Vec<_>, _>>()?;
    for column in NAMES {
        let count = names.iter().filter(|it| **it == column).count();
        if 1 < count || (count == 0 && REQUIRED.contains(&column)) {
            return Err(NoStatement::NoColumn { column });
        }
    }
    Ok(names)
}

fn row(record: &csv::StringRecord, names: &[&str]) -> Result<Entry, String> {
    if record.len() != names.len() {
        return Err(format!("{} fields in {} columns", record.len(), names.len()));
    }
    // Whatever follows a quote that is never closed would be one text.
    if record.iter().any(|field| field.trim().contains('\n')) {
        return Err("a field with a line break: a quote may not be closed".to_owned());
    }
    let field =
        |name: &str| names.iter().position(|it| *it == name).and_then(|idx| record.get(idx)).unwrap_or_default().trim();
    let shown = |name: &str| field(name).chars().take(40).collect::<String>();
    let date = day(field("date")).ok_or_else(|| format!("`{}` is no day such as 2026-06-15", shown("date")))?;
    let currency = listed_currency(field("currency"))
        .ok_or_else(|| format!("`{}` is no currency of ISO 4217", shown("currency")))?;
    let amount = amount(field("amount"), &currency).ok_or_else(|| {
        format!("`{}` is no amount such as -1190.00, without marks between thousands", shown("amount"))
    })?;
    Ok(Entry {
        account: String::new(),
        date,
        amount,
        currency,
        iban: account(field("iban")),
        text: remittance(&[field("text").to_owned()]),
        reference: reference(field("reference")),
    })
}

/// `2026-06-15` or `15.06.2026`: neither can be another day.
fn day(text: &str) -> Option<jiff::civil::Date> {
    let turned = || {
        let mut parts = text.splitn(3, '.');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        iso_date(&format!("{year}-{month:0>2}-{day:0>2}"))
    };
    iso_date(text).or_else(turned)?.parse().ok()
}

fn amount(text: &str, currency: &str) -> Option<Decimal> {
    // With a point, as in every file that is imported: what a comma means depends on who wrote it.
    let number = decimal(text).filter(|_| !text.contains(char::is_whitespace))?;
    let decimals = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let most = if THREE_DECIMALS.contains(&currency) { 3 } else { 2 };
    (decimals <= most).then(|| number.parse().ok().and_then(in_range)).flatten()
}
