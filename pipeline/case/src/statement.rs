//! A vendor's statement of account beside the bills that are known of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::CaseId;
use crate::facts::{Bill, Key, Known};
use crate::settle::{bill_id, open};

/// Months that are looked through for bills that the statement does not have, the last one first.
const MONTHS_MAX: usize = 24;

/// One line of the statement, from the vendor's side: negative where it owes us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementLine {
    pub number: Option<String>,
    pub date: Option<Date>,
    pub amount: Decimal,
    /// What is left of it by the vendor's books, where it says so.
    pub open: Option<Decimal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Agreed,
    /// It is here over another amount, in another currency, or with another amount open.
    Differs,
    /// A line of the statement that no bill here has the number of.
    NotHere,
    /// A bill here, open, that no line of the statement has.
    NotOnStatement,
    /// Nothing is open of it here, and the vendor says that something is.
    PaidAlready,
    /// Credit notes took all of it back.
    Cancelled,
    /// Several bills here have its number, and its amount and day do not tell them apart.
    Ambiguous,
}

/// A line of the statement, or a bill that is on none of its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    pub standing: Standing,
    /// Position in the statement, counted from 0; none for a bill that the statement does not have.
    pub line: Option<usize>,
    pub bill: Option<String>,
    pub case: Option<CaseId>,
    pub number: Option<String>,
    pub date: Option<Date>,
    /// Negative for credit notes, as on the statement.
    pub theirs: Option<Decimal>,
    pub ours: Option<Decimal>,
    pub ours_open: Option<Decimal>,
}

/// Keys of everything that a statement is compared with; asked again until nothing is missing. `cluster` is the vendor as
/// duplicates are compared within.
pub fn wanted_of_statement(
    vendor: &str,
    cluster: &str,
    lines: &[StatementLine],
    on: Date,
    known: &Known,
) -> BTreeSet<Key> {
    let numbers = lines.iter().filter_map(|line| Some((line, line.number.as_deref()?)));
    let mut keys: BTreeSet<Key> = numbers.clone().map(|(line, number)| of_number(cluster, line, number)).collect();
    let billed = numbers.filter(|(line, _)| !line.amount.is_sign_negative());
    keys.extend(billed.map(|(_, number)| Key::credits_of(cluster, number)));
    keys.extend(months(vendor, lines, on));
    for (case, bill) in bills(known, &keys) {
        keys.insert(Key::paid(&bill_id(case, bill)));
        let number = bill.number.as_deref().filter(|_| !bill.credit);
        keys.extend(number.map(|number| Key::credits_of(&bill.cluster, number)));
    }
    keys
}

/// The lines in their order, then the open bills up to that day that are on none of them, by date and number.
pub fn compare_statement(
    vendor: &str,
    cluster: &str,
    currency: &str,
    lines: &[StatementLine],
    on: Date,
    known: &Known,
) -> Vec<Compared> {
    let mut stated: BTreeSet<String> = BTreeSet::new();
    let mut compared: Vec<Compared> = Vec::new();
    for (idx, line) in lines.iter().enumerate() {
        let key = line.number.as_deref().map(|number| of_number(cluster, line, number));
        let fitting: BTreeMap<String, (Option<CaseId>, &Bill)> = key
            .iter()
            .flat_map(|key| known.bills(key))
            .map(|(case, bill)| (bill_id(case, bill), (case, bill)))
            .collect();
        stated.extend(fitting.keys().cloned());
        compared.push(of_line(idx, line, currency, &fitting, known));
    }
    let months: BTreeSet<Key> = months(vendor, lines, on).collect();
    let mut missing: BTreeMap<(Option<Date>, Option<String>, String), Compared> = BTreeMap::new();
    for (case, bill) in bills(known, &months) {
        let id = bill_id(case, bill);
        let other = bill.currency.as_deref().is_some_and(|it| !it.eq_ignore_ascii_case(currency));
        if other || stated.contains(&id) || bill.date.is_none_or(|date| on < date) {
            continue;
        }
        let found = Compared { line: None, ..beside(Standing::NotOnStatement, None, Some((&id, case, bill)), known) };
        if found.ours_open != Some(Decimal::ZERO) && !cancelled(bill, known) {
            missing.insert((found.date, found.number.clone(), id), found);
        }
    }
    compared.extend(missing.into_values());
    compared
}

fn of_line(
    idx: usize,
    line: &StatementLine,
    currency: &str,
    fitting: &BTreeMap<String, (Option<CaseId>, &Bill)>,
    known: &Known,
) -> Compared {
    // Numbers are used again in other years: the amount and the day tell which bill is meant.
    let alike = fitting.iter().filter(|(_, (_, bill))| signed(bill) == Some(line.amount) && bill.date == line.date);
    let alike: Vec<_> = alike.collect();
    let all: Vec<_> = fitting.iter().collect();
    let (standing, bill) = match (all.as_slice(), alike.as_slice()) {
        ([], _) => (Standing::NotHere, None),
        ([(id, (case, bill))], _) | (_, [(id, (case, bill))]) => {
            (of_bill(line, currency, id, bill, known), Some((id.as_str(), *case, *bill)))
        }
        _ => (Standing::Ambiguous, None),
    };
    Compared { line: Some(idx), ..beside(standing, Some(line), bill, known) }
}

fn of_bill(line: &StatementLine, currency: &str, id: &str, bill: &Bill, known: &Known) -> Standing {
    let same_currency = bill.currency.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(currency));
    if !same_currency || signed(bill) != Some(line.amount) {
        return Standing::Differs;
    }
    if cancelled(bill, known) {
        return Standing::Cancelled;
    }
    let ours = open(known, id, bill);
    match line.open.map(|open| open.abs()) {
        // A statement of open items says by being one that the line is open.
        None if ours == Some(Decimal::ZERO) => Standing::PaidAlready,
        Some(theirs) if ours == Some(Decimal::ZERO) && !theirs.is_zero() => Standing::PaidAlready,
        Some(theirs) if ours != Some(theirs) => Standing::Differs,
        _ => Standing::Agreed,
    }
}

fn beside(
    standing: Standing,
    line: Option<&StatementLine>,
    bill: Option<(&str, Option<CaseId>, &Bill)>,
    known: &Known,
) -> Compared {
    let ours = bill.map(|(_, _, bill)| bill);
    Compared {
        standing,
        line: None,
        bill: bill.map(|(id, _, _)| id.to_owned()),
        case: bill.and_then(|(_, case, _)| case),
        number: line.and_then(|it| it.number.clone()).or_else(|| ours?.number.clone()),
        date: line.and_then(|it| it.date).or_else(|| ours?.date),
        theirs: line.map(|it| it.amount),
        ours: ours.and_then(signed),
        ours_open: bill
            .and_then(|(id, _, bill)| open(known, id, bill).map(|open| if bill.credit { -open } else { open })),
    }
}

fn of_number(cluster: &str, line: &StatementLine, number: &str) -> Key {
    Key::number(cluster, line.amount.is_sign_negative(), number)
}

/// The bill's total as a statement has it.
fn signed(bill: &Bill) -> Option<Decimal> {
    bill.gross.map(|gross| if bill.credit { -gross } else { gross })
}

/// Did credit notes that name this invoice take back all of it?
fn cancelled(bill: &Bill, known: &Known) -> bool {
    let (Some(number), Some(gross), false) = (bill.number.as_deref(), bill.gross, bill.credit) else { return false };
    let credits: BTreeMap<String, &Bill> =
        known.bills(&Key::credits_of(&bill.cluster, number)).map(|(case, bill)| (bill_id(case, bill), bill)).collect();
    // A number that is used again every year: what is credited of it before this bill was there, credits another.
    let own = credits
        .into_values()
        .filter(|credit| credit.credit && credit.currency == bill.currency && bill.date <= credit.date);
    let credited = own.filter_map(|it| it.gross).try_fold(Decimal::ZERO, Decimal::checked_add);
    credited.is_some_and(|credited| Decimal::ZERO < gross && gross <= credited)
}

fn bills<'a>(known: &'a Known, keys: &BTreeSet<Key>) -> Vec<(Option<CaseId>, &'a Bill)> {
    keys.iter().flat_map(|key| known.bills(key)).collect()
}

/// The months from the first line's to that day's, so far as they are looked through.
fn months(vendor: &str, lines: &[StatementLine], on: Date) -> impl Iterator<Item = Key> {
    let from = lines.iter().filter_map(|line| line.date).min().unwrap_or(on).min(on).first_of_month();
    let back = (0..MONTHS_MAX).map_while(move |back| {
        let month = on.first_of_month().checked_sub(i32::try_from(back).ok()?.months()).ok()?;
        (from <= month).then_some(month)
    });
    back.map(move |month| Key::month(vendor, month.year(), month.month()))
}
