//! MT940, SWIFT customer statement message: fields 20, 25, 60a, 61, 86 and 62a, with the subfields of field 86 that German
//! banks have (DFÜ agreement, annex 3) and those between strokes that Dutch banks have.

use std::collections::BTreeSet;

use case::{Decimal, Digest};
use jiff::civil::Date;

use super::{Balances, Entry, NoStatement, account, balanced, counted, in_range, once, reference, remittance};
use crate::values::currency;

/// A purpose is cut into pieces of so many characters: a piece that is full goes on in the next one.
const PIECE_CHARS: usize = 27;
/// Years of two digits from this one on are of the century before.
const YEAR_PIVOT: i16 = 80;

pub(super) fn looks_like(text: &str) -> bool {
    let fields = fields(text);
    let begins = |tag: &str| fields.iter().any(|field| field.tag.starts_with(tag));
    begins("20") && begins("25")
}

/// A field with its tag, and the line that it begins in, counted from 1.
struct Tagged<'a> {
    tag: &'a str,
    line: usize,
    lines: Vec<&'a str>,
}

impl Tagged<'_> {
    fn wrong(&self, why: impl Into<String>) -> NoStatement {
        NoStatement::Wrong { place: format!("line {}", self.line), why: why.into() }
    }

    fn first(&self) -> &str {
        self.lines.first().copied().unwrap_or_default().trim()
    }
}

/// One message, as far as it was read.
struct Message {
    line: usize,
    /// Its first entry, of all in the file.
    first: usize,
    account: String,
    currency: String,
    opening: Option<Decimal>,
    closing: Option<Decimal>,
    sum: Decimal,
}

pub(super) fn read(text: &str) -> Result<(Vec<Balances>, Vec<Entry>), NoStatement> {
    let (mut balances, mut entries, mut before) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut open: Option<Message> = None;
    let mut n_messages = 0;
    // Does a field 86 belong to the line before it, or to the whole statement?
    let mut of_line = false;
    for field in fields(text) {
        let message = match (&mut open, field.tag) {
            (last, "20") => {
                if let Some(last) = last.take() {
                    balances.push(last.closed(n_messages, &entries, &mut before)?);
                }
                n_messages += 1;
                open = Some(Message::at(field.line, entries.len()));
                continue;
            }
            (Some(message), _) => message,
            (None, _) => return Err(field.wrong("a field before field 20")),
        };
        match field.tag {
            "25" | "25P" => message.account = account(field.first().trim_start_matches('/')).unwrap_or_default(),
            "60F" | "60M" => {
                if message.opening.is_some() {
                    return Err(field.wrong("a second opening balance"));
                }
                let (amount, currency) = balance(&field)?;
                (message.opening, message.currency) = (Some(amount), currency);
            }
            "61" => {
                if message.opening.is_none() || message.closing.is_some() {
                    return Err(field.wrong("a statement line that is not between the balances"));
                }
                let entry = statement_line(&field, message)?;
                message.sum = message.sum.saturating_add(entry.amount);
                entries.push(entry);
                counted(entries.len())?;
            }
            "86" => {
                if let Some(entry) = entries.last_mut().filter(|_| of_line) {
                    information(&field.lines, entry);
                }
            }
            "62F" | "62M" => {
                let (amount, currency) = balance(&field)?;
                if message.closing.is_some() || currency != message.currency {
                    return Err(
                        field.wrong("a second closing balance, or one in another currency than the opening balance")
                    );
                }
                message.closing = Some(amount);
            }
            // Numbers, available balances, floor limits.
            _ => {}
        }
        of_line = field.tag == "61";
    }
    balances.extend(open.map(|message| message.closed(n_messages, &entries, &mut before)).transpose()?);
    Ok((balances, entries))
}

impl Message {
    fn at(line: usize, first: usize) -> Message {
        let (account, currency) = (String::new(), String::new());
        Message { line, first, account, currency, opening: None, closing: None, sum: Decimal::ZERO }
    }

    fn closed(
        self,
        position: usize,
        entries: &[Entry],
        before: &mut BTreeSet<Digest>,
    ) -> Result<Balances, NoStatement> {
        let (Some(opening), Some(closing)) = (self.opening, self.closing) else {
            let why = "a statement without its opening or closing balance: the file may be cut".to_owned();
            return Err(NoStatement::Wrong { place: format!("line {}", self.line), why });
        };
        once(before, position, self.opening, entries.get(self.first..).unwrap_or_default())?;
        balanced(position, opening, self.sum, closing)?;
        Ok(Balances { account: self.account, currency: self.currency, opening, closing })
    }
}

/// The fields of all messages. Their envelopes (`{1:…}`, `-}`) are left out.
fn fields(text: &str) -> Vec<Tagged<'_>> {
    let mut fields: Vec<Tagged<'_>> = Vec::new();
    for (idx, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r').trim_start_matches('\u{1}').trim_end_matches('\u{3}');
        // The head may stand on the line of the first field.
        let line = if line.starts_with('{') { line.split_once("{4:").map_or(line, |(_, rest)| rest) } else { line };
        if let Some((tag, rest)) = tagged(line) {
            fields.push(Tagged { tag, line: idx + 1, lines: vec![rest] });
        } else if !line.starts_with('{')
            && !matches!(line.trim(), "-" | "-}" | "")
            && let Some(field) = fields.last_mut()
        {
            field.lines.push(line);
        }
    }
    fields
}

/// `:61:…` or `:60F:…`
fn tagged(line: &str) -> Option<(&str, &str)> {
    let (tag, rest) = line.strip_prefix(':')?.split_once(':')?;
    let mut signs = tag.chars();
    let digits = signs.next()?.is_ascii_digit() && signs.next()?.is_ascii_digit();
    let option = signs.next().is_none_or(|it| it.is_ascii_uppercase()) && signs.next().is_none();
    (digits && option).then_some((tag, rest))
}

/// `C260615EUR1190,00`
fn balance(field: &Tagged<'_>) -> Result<(Decimal, String), NoStatement> {
    let parsed = || {
        let text = field.first();
        let (mark, rest) = (text.get(..1)?, text.get(1..)?);
        let (date, code, number) = (rest.get(..6)?, rest.get(6..9)?, rest.get(9..)?);
        value_date(date)?;
        let amount = amount(number)?;
        let signed = match mark {
            "C" => amount,
            "D" => -amount,
            _ => return None,
        };
        Some((signed, currency(code)?))
    };
    parsed().ok_or_else(|| field.wrong("no balance such as `C260615EUR1190,00`"))
}

/// Value date, entry date, mark, funds code, amount, type, the owner's reference, and behind `//` the bank's.
fn statement_line(field: &Tagged<'_>, message: &Message) -> Result<Entry, NoStatement> {
    let mut text = field.first().to_owned();
    // Some banks break the line before the amount.
    if !text.contains([',', '.']) {
        text.push_str(field.lines.get(1).copied().unwrap_or_default());
    }
    let parsed = || {
        let (value, rest) = (text.get(..6)?, text.get(6..)?);
        let (entry, rest) = match rest.get(..4) {
            Some(day) if day.bytes().all(|it| it.is_ascii_digit()) => (Some(day), rest.get(4..)?),
            Some("    ") => (None, rest.get(4..)?),
            _ => (None, rest),
        };
        // A reversal of a credit takes money out, and one of a debit brings it back.
        let (out, rest) = [("RC", true), ("RD", false), ("C", false), ("D", true)]
            .into_iter()
            .find_map(|(mark, out)| rest.strip_prefix(mark).map(|rest| (out, rest)))?;
        let rest = rest.trim_start_matches(|it: char| it.is_ascii_uppercase());
        let end = rest.find(|it: char| !it.is_ascii_digit() && it != ',' && it != '.').unwrap_or(rest.len());
        let amount = amount(rest.get(..end)?)?;
        let date = booked(value, entry)?;
        let rest = rest.get(end..)?.trim_start();
        let bank = rest.split_once("//").and_then(|(_, bank)| reference(bank));
        Some((date, if out { -amount } else { amount }, bank))
    };
    let (date, amount, reference) =
        parsed().ok_or_else(|| field.wrong("no statement line such as `2606150615D1190,00NTRFNONREF`"))?;
    Ok(Entry {
        account: message.account.clone(),
        date,
        amount,
        currency: message.currency.clone(),
        iban: None,
        text: String::new(),
        reference,
    })
}

/// Digits with one comma, which some banks write as a point.
fn amount(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.trim().split_once([',', '.'])?;
    let digits = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || 15 < whole.len() + fraction.len() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    in_range(format!("{whole}.{fraction}").parse().ok()?)
}

/// Year, month and day of `YYMMDD`; interest is valued on a 30th of February too.
fn value_parts(text: &str) -> Option<(i16, i8, i8)> {
    let number = |range: std::ops::Range<usize>| text.get(range).filter(|it| it.bytes().all(|it| it.is_ascii_digit()));
    let year: i16 = number(0..2)?.parse().ok()?;
    let year = if year < YEAR_PIVOT { 2000 + year } else { 1900 + year };
    Some((year, number(2..4)?.parse().ok()?, number(4..6)?.parse().ok()?))
}

fn value_date(text: &str) -> Option<Date> {
    let (year, month, day) = value_parts(text)?;
    Date::new(year, month, day).ok()
}

/// The day it was booked on, which has no year: the one nearest to the value date.
fn booked(value: &str, entry: Option<&str>) -> Option<Date> {
    let (year, month, day) = value_parts(value)?;
    let Some(entry) = entry else { return Date::new(year, month, day).ok() };
    let value = Date::new(year, month, day).or_else(|_| Date::new(year, month, 28)).ok()?;
    let (month, day) = (entry.get(..2)?.parse().ok()?, entry.get(2..)?.parse().ok()?);
    let years = [year - 1, year, year + 1].into_iter().filter_map(|year| Date::new(year, month, day).ok());
    let distance = |date: &Date| (*date - value).get_days().abs();
    years.min_by_key(distance)
}

/// What field 86 says of a line.
fn information(lines: &[&str], entry: &mut Entry) {
    let joined = lines.concat();
    if let Some(mark) = subfield_mark(&joined) {
        return subfields(&joined, mark, entry);
    }
    // `/IBAN/…/NAME/…/REMI/…`, or `/CNTP/` with the account first.
    if joined.starts_with('/') {
        entry.iban = ["/IBAN/", "/CNTP/"].iter().find_map(|code| {
            let (_, rest) = joined.split_once(code)?;
            account(rest.split('/').next()?)
        });
    }
    entry.text = remittance(&lines.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
}

/// Three digits say what kind of transaction it is; the sign behind them stands before each subfield.
fn subfield_mark(text: &str) -> Option<char> {
    let mut signs = text.chars();
    let code = (0..3).all(|_| signs.next().is_some_and(|it| it.is_ascii_digit()));
    let mark = signs.next().filter(|it| ['?', '^', '>', '<', '~', '|'].contains(it))?;
    let two = (0..2).all(|_| signs.next().is_some_and(|it| it.is_ascii_digit()));
    (code && two).then_some(mark)
}

fn subfields(text: &str, mark: char, entry: &mut Entry) {
    let (mut purpose, mut title) = (String::new(), String::new());
    let mut goes_on = true;
    for part in text.split(mark).skip(1) {
        let numbered = part.get(..2).filter(|it| it.bytes().all(|it| it.is_ascii_digit()));
        let (Some(number), Some(rest)) = (numbered, part.get(2..)) else {
            // The sign itself, in the text.
            purpose.push(mark);
            purpose.push_str(part);
            continue;
        };
        match number.parse::<u8>() {
            Ok(0) => title = rest.to_owned(),
            Ok(20..=29 | 60..=63) => {
                if !goes_on {
                    purpose.push(' ');
                }
                purpose.push_str(rest);
                goes_on = PIECE_CHARS <= rest.chars().count();
            }
            Ok(31) => entry.iban = account(rest),
            // The bank and the name of the other side; numbers of the bank's own.
            _ => {}
        }
    }
    let said = remittance(&[purpose]);
    entry.text = if said.is_empty() { remittance(&[title]) } else { said };
}
