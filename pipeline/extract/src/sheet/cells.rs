//! A cell from what a workbook stores for it: the same for all its formats.

use super::style::Style;
use super::{Cell, Stored, Workbook};
use crate::values::{serial_date, stored_number};

/// What a workbook stores in one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Raw<'a> {
    Text(&'a str),
    /// As it is written, or as the shortest text of a binary number.
    Number(&'a str),
    Truth(bool),
    Date(&'a str),
    Error,
    /// A formula whose result is not in the file.
    NoResult,
    /// It refers to a text that is not in the file, or is no value of its kind.
    Lost,
}

/// Where a cell stands, and whether its place is hidden.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) hidden: bool,
}

impl Workbook {
    /// Takes a cell of the last sheet, or of a hidden one.
    pub(super) fn take(&mut self, place: Place, raw: Raw<'_>, style: Option<&Style>, since_1904: bool) {
        let at = (place.row, place.column);
        let without_ink = |it: &Style| it.unseen || (it.unseen_numbers && matches!(raw, Raw::Number(_)));
        if place.hidden || style.is_some_and(without_ink) {
            // An error or an empty text behind the curtain is nothing that was kept from anybody.
            self.hide(u32::from(!matches!(raw, Raw::Text(text) if text.trim().is_empty())));
            return;
        }
        let cell = match raw {
            Raw::Text(text) => Cell::text(text),
            Raw::Number(text) => {
                let number = number(text, style, since_1904);
                if number.is_none() {
                    self.tell("cell_unreadable", at, "holds a number that is out of range");
                }
                number
            }
            Raw::Truth(truth) => Cell::text(if truth { "TRUE" } else { "FALSE" }),
            Raw::Date(text) => {
                let date = crate::values::date(text);
                if date.is_none() {
                    self.tell("cell_unreadable", at, "holds a date that is none");
                }
                date.map(|date| Cell {
                    text: text.to_owned(),
                    stored: Stored::Date(date),
                    currency: None,
                    places: None,
                })
            }
            Raw::Error => {
                self.tell("cell_error", at, "shows an error instead of a value");
                None
            }
            Raw::NoResult => {
                self.tell("formula_without_value", at, "has a formula whose result is not in the file");
                None
            }
            Raw::Lost => {
                self.tell("cell_unreadable", at, "refers to something that is not in the file");
                None
            }
        };
        if let Some(cell) = cell {
            self.put(place.row, place.column, cell);
        }
    }
}

fn number(text: &str, style: Option<&Style>, since_1904: bool) -> Option<Cell> {
    let text = text.trim();
    let number = if plain(text) { text.to_owned() } else { stored_number(text)? };
    let Some(style) = style else {
        return Some(Cell { text: number.clone(), stored: Stored::Number(number), currency: None, places: None });
    };
    if style.date
        && let Some(date) = serial_date(text.parse().ok()?, since_1904)
    {
        let text = style.form.as_ref().and_then(|it| it.of_date(&date)).unwrap_or_else(|| date.clone());
        return Some(Cell { text, stored: Stored::Date(date), currency: None, places: None });
    }
    if style.percent {
        let hundredths = stored_number(&(text.parse::<f64>().ok()? * 100.0).to_string())?;
        let text = format!("{hundredths}%");
        return Some(Cell { text, stored: Stored::Number(hundredths), currency: None, places: None });
    }
    let text = style.form.as_ref().and_then(|it| it.of_number(&number)).unwrap_or_else(|| number.clone());
    Some(Cell { text, stored: Stored::Number(number), currency: style.currency.clone(), places: style.places })
}

/// Is it written as it is shown: no exponent, no more digits than are shown, none that say nothing?
fn plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "1"));
    let all_digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    text.len() <= 12
        && all_digits(whole)
        && all_digits(fraction)
        && !fraction.ends_with('0')
        && (whole == "0" || !whole.starts_with('0'))
        && text != "-0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_as_it_is_written_only_where_that_is_how_it_is_shown() {
        for (text, expected) in [
            ("46085", "46085"),
            ("-0.25", "-0.25"),
            ("1190.0000000000002", "1190"),
            ("1.50", "1.5"),
            ("1E2", "100"),
            ("007", "7"),
            ("-0", "0"),
        ] {
            let cell = number(text, None, false);
            assert_eq!(cell.map(|it| it.stored), Some(Stored::Number(expected.to_owned())), "{text}");
        }
        assert!(number("1e300", None, false).is_none());
    }

    #[test]
    fn a_number_is_what_its_format_says() {
        let date = Style { date: true, ..Style::default() };
        let percent = Style { percent: true, ..Style::default() };
        let found = |text: &str, style: &Style, since_1904| number(text, Some(style), since_1904).map(|it| it.stored);
        assert_eq!(found("46085", &date, false), Some(Stored::Date("2026-03-04".to_owned())));
        assert_eq!(found("44623", &date, true), Some(Stored::Date("2026-03-04".to_owned())));
        assert_eq!(found("0.19", &percent, false), Some(Stored::Number("19".to_owned())));
    }
}
