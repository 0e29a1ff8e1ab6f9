//! One cell at a time: what a column may say, and why a value is refused.

use case::{AMOUNT_MAX, DECIMALS_MAX, Decimal};
use jiff::ToSpan;
use jiff::civil::Date;

use super::rows::{Columns, Refused, Row};

/// Ids, numbers, units and codes.
const ID_CHARS_MAX: usize = 100;
const TEXT_CHARS_MAX: usize = 1_000;

/// A row whose cells are asked for by the names of their columns.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    columns: &'static Columns,
    row: &'a Row,
}

impl Cells<'_> {
    pub(super) fn of<'a>(row: &'a Row, columns: &'static Columns) -> Cells<'a> {
        Cells { columns, row }
    }

    pub(super) fn refuse(&self, column: &str, why: impl Into<String>) -> Refused {
        let value = self.value(column).unwrap_or_default().chars().take(ID_CHARS_MAX).collect();
        Refused { row: self.row.number, column: column.to_owned(), value, why: why.into() }
    }

    fn value(&self, column: &str) -> Option<&str> {
        let idx = self.columns.names.iter().position(|name| *name == column);
        assert!(idx.is_some(), "`{column}` is asked for and is no column");
        idx.and_then(|idx| self.row.cells.get(idx)).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn must<T>(&self, column: &str, value: Option<T>) -> Result<T, Refused> {
        value.ok_or_else(|| self.refuse(column, "is required"))
    }

    pub(super) fn text(&self, column: &str) -> Result<Option<String>, Refused> {
        self.at_most(column, TEXT_CHARS_MAX)
    }

    pub(super) fn required_text(&self, column: &str) -> Result<String, Refused> {
        self.must(column, self.text(column)?)
    }

    /// What is compared with what stands in documents.
    pub(super) fn id(&self, column: &str) -> Result<Option<String>, Refused> {
        self.at_most(column, ID_CHARS_MAX)
    }

    pub(super) fn required_id(&self, column: &str) -> Result<String, Refused> {
        self.must(column, self.id(column)?)
    }

    fn at_most(&self, column: &str, chars_max: usize) -> Result<Option<String>, Refused> {
        let Some(value) = self.value(column) else { return Ok(None) };
        let n_chars = value.chars().count();
        if chars_max < n_chars {
            return Err(self.refuse(column, format!("has {n_chars} characters, more than {chars_max}")));
        }
        if value.chars().any(char::is_control) {
            return Err(self.refuse(column, "has a line break or another control character"));
        }
        Ok(Some(value.to_owned()))
    }

    pub(super) fn number(&self, column: &str) -> Result<Option<Decimal>, Refused> {
        let Some(value) = self.value(column) else { return Ok(None) };
        let digits = value.strip_prefix('-').unwrap_or(value);
        let plain = digits.starts_with(|it: char| it.is_ascii_digit())
            && digits.bytes().all(|it| it.is_ascii_digit() || it == b'.');
        let number: Option<Decimal> = value.parse().ok().filter(|_| plain);
        let number = number.ok_or_else(|| self.refuse(column, "expected a number as 1000.50"))?;
        if AMOUNT_MAX < number.abs() {
            return Err(self.refuse(column, format!("is more than {AMOUNT_MAX}")));
        }
        if DECIMALS_MAX < number.scale() {
            return Err(self.refuse(column, format!("has {} decimals, more than {DECIMALS_MAX}", number.scale())));
        }
        Ok(Some(number))
    }

    pub(super) fn required_number(&self, column: &str) -> Result<Decimal, Refused> {
        self.must(column, self.number(column)?)
    }

    /// Zero or more.
    pub(super) fn quantity(&self, column: &str) -> Result<Option<Decimal>, Refused> {
        let number = self.number(column)?;
        if number.is_some_and(|number| number < Decimal::ZERO) {
            return Err(self.refuse(column, "is less than 0"));
        }
        Ok(number)
    }

    pub(super) fn required_quantity(&self, column: &str) -> Result<Decimal, Refused> {
        self.must(column, self.quantity(column)?)
    }

    /// More than zero.
    pub(super) fn positive(&self, column: &str) -> Result<Option<Decimal>, Refused> {
        let number = self.number(column)?;
        if number.is_some_and(|number| number <= Decimal::ZERO) {
            return Err(self.refuse(column, "is not more than 0"));
        }
        Ok(number)
    }

    pub(super) fn required_positive(&self, column: &str) -> Result<Decimal, Refused> {
        self.must(column, self.positive(column)?)
    }

    pub(super) fn percent(&self, column: &str) -> Result<Option<Decimal>, Refused> {
        let number = self.number(column)?;
        if number.is_some_and(|number| number < Decimal::ZERO || Decimal::ONE_HUNDRED < number) {
            return Err(self.refuse(column, "is not between 0 and 100 percent"));
        }
        Ok(number)
    }

    pub(super) fn days(&self, column: &str) -> Result<Option<u16>, Refused> {
        const DAYS_MAX: u16 = 3_650;
        let Some(value) = self.value(column) else { return Ok(None) };
        let days = value.parse().ok().filter(|days| *days <= DAYS_MAX);
        days.map(Some).ok_or_else(|| self.refuse(column, format!("is not a number of days from 0 to {DAYS_MAX}")))
    }

    /// Only the long form of ISO 8601.
    pub(super) fn date(&self, column: &str) -> Result<Option<Date>, Refused> {
        let Some(value) = self.value(column) else { return Ok(None) };
        let date = value.parse().ok().filter(|_| value.len() == "2026-01-31".len() && value.is_ascii());
        date.map(Some).ok_or_else(|| self.refuse(column, "is not a date such as 2026-01-31"))
    }

    pub(super) fn required_date(&self, column: &str) -> Result<Date, Refused> {
        self.must(column, self.date(column)?)
    }

    /// The day of something that has happened: at most a year ahead, so that a slip of the year is found.
    pub(super) fn past_date(&self, column: &str, today: Date) -> Result<Date, Refused> {
        let date = self.required_date(column)?;
        if today.saturating_add(1.year()) < date {
            return Err(self.refuse(column, format!("is more than a year after today, {today}")));
        }
        Ok(date)
    }

    /// The last day of something that begins on `from`.
    pub(super) fn end(&self, column: &str, from: Option<Date>) -> Result<Option<Date>, Refused> {
        let end = self.date(column)?;
        if let (Some(from), Some(end)) = (from, end)
            && end < from
        {
            return Err(self.refuse(column, format!("is before its first day, {from}")));
        }
        Ok(end)
    }

    pub(super) fn currency(&self, column: &str) -> Result<Option<String>, Refused> {
        let Some(value) = self.value(column) else { return Ok(None) };
        if value.len() != 3 || !value.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(self.refuse(column, "is not a currency of ISO 4217, such as EUR"));
        }
        Ok(Some(value.to_owned()))
    }

    pub(super) fn required_currency(&self, column: &str) -> Result<String, Refused> {
        self.must(column, self.currency(column)?)
    }

    /// An account (ISO 13616), with its length, form and check digits, as it is compared: without blanks, in capitals.
    pub(super) fn iban(&self, column: &str) -> Result<Option<String>, Refused> {
        let Some(value) = self.value(column) else { return Ok(None) };
        let iban: String = value.chars().filter(|ch| !ch.is_whitespace()).map(|ch| ch.to_ascii_uppercase()).collect();
        match iban.parse::<iban::Iban>() {
            Ok(_) => Ok(Some(iban)),
            Err(err) => Err(self.refuse(column, format!("is no IBAN: {}", wrong_iban(err)))),
        }
    }
}

fn wrong_iban(err: iban::ParseIbanError) -> &'static str {
    use iban::{ParseBaseIbanError, ParseIbanError};
    match err {
        ParseIbanError::InvalidBaseIban { source: ParseBaseIbanError::InvalidChecksum } => "its check digits are wrong",
        ParseIbanError::InvalidBaseIban { source: ParseBaseIbanError::InvalidFormat } => {
            "it has not two letters, two digits and at most 30 letters and digits"
        }
        ParseIbanError::InvalidBban(_) => "its length or form is not that of its country",
        ParseIbanError::UnknownCountry(_) => "its country has none that is known",
    }
}
