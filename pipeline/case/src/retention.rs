//! How long a document is kept: two clocks, one that forbids to erase it and one that asks for it, by the rows of the policy.
//!
//! Whose law counts: the keeper's. The duty to keep is laid on whoever has the books, so the country is that of the house's
//! own establishment, which the policy names, and never one that a document claims.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde::{Deserialize, Deserializer, Serialize};

use crate::policy::{PolicyMistake, mistake, mistake_at, parse_file, repeated, within};
use crate::{Extraction, FieldName, Kind};

/// What the policy says about one sort of document; a case carries it with its clocks, so that it says for ever why it was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The policy's name for the row.
    pub row: String,
    /// ISO 3166-1: where the establishment is that keeps it.
    pub country: String,
    /// The law, or whose choice it is.
    pub source: String,
    pub sure: Sure,
    start: Start,
    calendar: Calendar,
    /// Both absent: it is kept for ever.
    keep: Option<Term>,
    at_most: Option<Term>,
}

/// How well the source of a row is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sure {
    /// A text of the law was read for it.
    Read,
    /// From memory: a lawyer checks it first.
    Known,
    /// No law gives the number, or several do: the house chose.
    Choice,
}

impl Sure {
    pub fn name(self) -> &'static str {
        match self {
            Sure::Read => "read",
            Sure::Known => "known",
            Sure::Choice => "choice",
        }
    }
}

/// What a period is counted from. Its first day is the day after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Start {
    /// The end of the calendar year.
    CalendarYear,
    /// The end of the financial year. A law that counts from the day after it means the same first day.
    #[serde(alias = "day-after-financial-year")]
    FinancialYear,
    TaxPeriod,
    /// The end of the calendar year in which the contract ended: as § 147 (4) AO counts, and never before the day it ended.
    ContractEnd,
    /// The day on which it is not used any more.
    WhileInUse,
    /// The day on which the case ended.
    Day,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Calendar {
    /// The month in which the financial year ends, 1 to 12.
    financial_year_end: i8,
    /// Tax periods begin with the calendar year and have so many months.
    tax_period_months: i8,
}

/// A length of time: `8 years`, `90 days`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Term {
    n: u16,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Years,
    Months,
    Days,
}

/// How long a case is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    pub rule: Rule,
    /// Absent where it is kept for ever, or where nobody has said yet when the contract or its use ended.
    pub clocks: Option<Clocks>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// The last day on which it must be there.
    pub keep_until: Date,
    /// The last day on which it should be there.
    pub delete_by: Date,
}

impl Rule {
    /// The clocks of a case that ended on this day with these values.
    ///
    /// A document that is dated after its end, by a year at most, counts from its own date: never too short, and an absurd
    /// date does not keep it for ever.
    pub fn keep(&self, ended: Date, values: Option<&Extraction>) -> Keep {
        let day = |name| values.and_then(|it: &Extraction| it.text(name)).and_then(|text| text.parse::<Date>().ok());
        let from = match self.start {
            Start::WhileInUse => None,
            // Where it renews itself the date in it is not its end.
            Start::ContractEnd => day(FieldName::ExpirationDate)
                .filter(|_| values.is_some_and(|it| it.field(FieldName::Renewal).is_none()))
                .map(|end| end.max(ended)),
            Start::CalendarYear | Start::FinancialYear | Start::TaxPeriod | Start::Day => {
                let ahead = ended.saturating_add(1.year());
                Some(day(FieldName::IssueDate).filter(|day| (ended..=ahead).contains(day)).unwrap_or(ended))
            }
        };
        Keep { rule: self.clone(), clocks: from.and_then(|from| self.clocks(from)) }
    }

    /// The clocks, counted from this day; none where it is kept for ever.
    pub(crate) fn clocks(&self, from: Date) -> Option<Clocks> {
        let (keep, at_most) = self.keep.zip(self.at_most)?;
        let before = self.calendar.last_day_before(self.start, from);
        let keep_until = keep.after(before);
        Some(Clocks { keep_until, delete_by: at_most.after(before).max(keep_until) })
    }

    /// Does somebody have to say when its period began?
    pub(crate) fn told(&self) -> bool {
        matches!(self.start, Start::ContractEnd | Start::WhileInUse)
    }

    pub(crate) fn permanent(&self) -> bool {
        self.keep.is_none()
    }
}

impl Calendar {
    /// The last day before the period.
    fn last_day_before(self, start: Start, from: Date) -> Date {
        let ends_in = |month: i8| {
            let year = if month < from.month() { from.year().saturating_add(1) } else { from.year() };
            Date::new(year.min(9999), month, 1).map_or(Date::MAX, Date::last_of_month)
        };
        match start {
            Start::CalendarYear | Start::ContractEnd => ends_in(12),
            Start::FinancialYear => ends_in(self.financial_year_end),
            Start::TaxPeriod => {
                let months = self.tax_period_months.max(1);
                ends_in((from.month() - 1) / months * months + months)
            }
            Start::WhileInUse | Start::Day => from,
        }
    }
}

impl Term {
    /// The last day of so long a time that begins the day after `before`.
    fn after(self, before: Date) -> Date {
        let first = before.saturating_add(1.day());
        let span = match self.unit {
            Unit::Years => Span::new().try_years(self.n),
            Unit::Months => Span::new().try_months(self.n),
            Unit::Days => Span::new().try_days(self.n),
        };
        match span.and_then(|span| first.checked_add(span)) {
            Ok(end) => end.saturating_sub(1.day()),
            Err(_) => Date::MAX,
        }
    }
}

impl TryFrom<String> for Term {
    type Error = String;
    fn try_from(text: String) -> Result<Term, String> {
        let expected = || format!("`{text}` is no length of time; expected \"8 years\", \"6 months\" or \"90 days\"");
        let (number, unit) = text.split_once(' ').ok_or_else(expected)?;
        let (unit, max) = match unit {
            "year" | "years" => (Unit::Years, 200),
            "month" | "months" => (Unit::Months, 2_400),
            "day" | "days" => (Unit::Days, 60_000),
            _ => return Err(expected()),
        };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(expected());
        }
        match number.parse() {
            Ok(n) if n <= max => Ok(Term { n, unit }),
            _ => Err(format!("`{text}` is longer than the {max} {} allowed", unit.name())),
        }
    }
}

impl From<Term> for String {
    fn from(term: Term) -> String {
        format!("{} {}", term.n, term.unit.name())
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Years => "years",
            Unit::Months => "months",
            Unit::Days => "days",
        }
    }
}

impl fmt::Display for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kept until {}, to be erased by {}", self.keep_until, self.delete_by)
    }
}

/// The rows of `retention.toml`.
#[derive(Clone, Debug)]
pub(crate) struct Retention {
    home: String,
    channels: BTreeMap<String, String>,
    calendar: Calendar,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    /// Of which kinds; all, when absent.
    kinds: Option<Vec<Kind>>,
    /// Kept in which country; any, when absent.
    #[serde(default, deserialize_with = "some_country")]
    country: Option<String>,
    /// Of what was never booked: rejected, or never read. Otherwise of what was.
    #[serde(default)]
    unbooked: bool,
    start: Start,
    keep: Length,
    at_most: Option<Term>,
    sure: Sure,
    #[serde(deserialize_with = "source")]
    source: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
enum Length {
    Permanent,
    For(Term),
}

impl TryFrom<String> for Length {
    type Error = String;
    fn try_from(text: String) -> Result<Length, String> {
        if text == "permanent" { Ok(Length::Permanent) } else { Term::try_from(text).map(Length::For) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(deserialize_with = "country")]
    home: String,
    #[serde(deserialize_with = "month")]
    financial_year_end: i8,
    #[serde(deserialize_with = "period")]
    tax_period_months: i8,
    #[serde(default)]
    channels: BTreeMap<String, Country>,
    retention: Vec<Row>,
}

#[derive(Deserialize)]
struct Country(#[serde(deserialize_with = "country")] String);

impl Retention {
    pub(crate) fn parse(name: &str, text: &str) -> Result<Retention, PolicyMistake> {
        let file: File = parse_file(name, text)?;
        let at_row = |row: &Row, message: String| mistake_at(name, text, &row.id, message);
        if let Some(id) = repeated(file.retention.iter().map(|row| row.id.as_str())) {
            return Err(mistake_at(name, text, id, format!("retention `{id}` stands here twice")));
        }
        let mut seen = BTreeMap::new();
        for row in &file.retention {
            if let Some(why) = row.contradiction() {
                return Err(at_row(row, format!("retention `{}` {why}", row.id)));
            }
            let kinds = row.kinds.iter().flatten().copied().map(Some);
            for kind in kinds.chain(row.kinds.is_none().then_some(None)) {
                if let Some(other) = seen.insert((row.unbooked, &row.country, kind), &row.id) {
                    let what = kind.map_or("the same documents", Kind::name);
                    let message = format!("retention `{}` and `{other}` both say how long {what} is kept", row.id);
                    return Err(at_row(row, message));
                }
            }
        }
        // INVARIANT (every document has a row): the two for whatever no other row names.
        for (unbooked, what) in [(false, "without `unbooked`"), (true, "with `unbooked = true`")] {
            if !seen.contains_key(&(unbooked, &None, None)) {
                let message = format!(
                    "expected one row {what} that has no `kinds` and no `country`, which says how long everything else is kept"
                );
                return Err(mistake(name, text, 0, message));
            }
        }
        // A mistyped country would keep everything by the rows for any.
        let channels: BTreeMap<_, _> = file.channels.into_iter().map(|(channel, it)| (channel, it.0)).collect();
        for country in channels.values().chain([&file.home]) {
            if !file.retention.iter().any(|row| row.country.as_ref() == Some(country)) {
                let message =
                    format!("no row is for the country `{country}`; expected one with country = \"{country}\"");
                return Err(mistake_at(name, text, country, message));
            }
        }
        let calendar =
            Calendar { financial_year_end: file.financial_year_end, tax_period_months: file.tax_period_months };
        Ok(Retention { home: file.home, channels, calendar, rows: file.retention })
    }

    /// The most specific row: of kind and country, then of the country, then of the kind, then for all.
    pub(crate) fn rule(&self, kind: Kind, channel: &str, unbooked: bool) -> Rule {
        let country = self.channels.get(channel).unwrap_or(&self.home);
        let fits = |row: &&Row| {
            row.unbooked == unbooked
                && row.country.as_ref().is_none_or(|only| only == country)
                && row.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
        };
        let row = self.rows.iter().filter(fits).max_by_key(|row| (row.country.is_some(), row.kinds.is_some()));
        let row = row.expect("by INVARIANT (every document has a row), checked in `parse`");
        Rule {
            row: row.id.clone(),
            country: country.clone(),
            source: row.source.clone(),
            sure: row.sure,
            start: row.start,
            calendar: self.calendar,
            keep: row.term(),
            at_most: row.at_most,
        }
    }
}

impl Row {
    fn term(&self) -> Option<Term> {
        match self.keep {
            Length::Permanent => None,
            Length::For(term) => Some(term),
        }
    }

    fn contradiction(&self) -> Option<String> {
        // Any day will do: lengths are compared from the same one.
        let day = Date::constant(2027, 1, 1);
        match (self.term(), self.at_most) {
            _ if self.kinds.as_ref().is_some_and(Vec::is_empty) => {
                Some("is for no document: expected at least one kind, or no `kinds`".to_owned())
            }
            _ if self.unbooked && matches!(self.start, Start::ContractEnd | Start::WhileInUse) => {
                Some("starts with a day that nobody knows of what was never booked; expected \"day\"".to_owned())
            }
            (None, Some(_)) => Some("is kept for ever: expected no `at_most`".to_owned()),
            (Some(_), None) => Some("does not say when it should be erased: expected `at_most`".to_owned()),
            (Some(keep), Some(at_most)) if at_most.after(day) < keep.after(day) => Some(format!(
                "should be erased after {} and must be kept {}: expected `at_most` to be no less",
                String::from(at_most),
                String::from(keep)
            )),
            _ => None,
        }
    }
}

fn country<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(text);
    }
    Err(serde::de::Error::custom(format!("`{text}` is not a country of ISO 3166-1; expected \"DE\"")))
}

fn some_country<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    country(deserializer).map(Some)
}

fn source<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    const CHARS_MAX: usize = 1_000;
    let text = String::deserialize(deserializer)?;
    match text.chars().count() {
        _ if text.trim().is_empty() => Err(serde::de::Error::custom("expected the law, or whose choice it is")),
        chars if CHARS_MAX < chars => {
            Err(serde::de::Error::custom(format!("{chars} characters, more than the {CHARS_MAX} allowed")))
        }
        _ => Ok(text),
    }
}

fn month<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i8, D::Error> {
    within(deserializer, "financial_year_end", 1, 12)
}

fn period<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i8, D::Error> {
    let months = within(deserializer, "tax_period_months", 1, 12)?;
    if 12 % months == 0 {
        return Ok(months);
    }
    Err(serde::de::Error::custom(format!("`tax_period_months` is {months}; expected 1, 2, 3, 4, 6 or 12")))
}

#[cfg(test)]
mod tests;
