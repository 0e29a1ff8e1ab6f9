//! Which mark a sheet sets before decimals, and which number of a date it puts first: told by the texts that leave no
//! choice, for those that do.

use super::{Sheet, Stored};
use crate::values;

/// Longer texts are no amount and no date.
const TEXT_BYTES_MAX: usize = 32;

#[derive(Default)]
pub(super) struct Marks {
    point: bool,
    comma: bool,
    month_first: bool,
    day_first: bool,
}

impl Marks {
    pub(super) fn of(sheet: &Sheet) -> Marks {
        let mut marks = Marks::default();
        let texts = sheet.rows.values().flat_map(|it| it.values()).filter(|it| it.stored == Stored::Text);
        for text in texts.map(|it| it.text.trim()) {
            let marked = text.len() <= TEXT_BYTES_MAX && text.bytes().any(|it| matches!(it, b'.' | b',' | b'/' | b'-'));
            if !marked {
                continue;
            }
            if let Some(Day { first, second, .. }) = Day::of(text) {
                marks.month_first |= 12 < second;
                marks.day_first |= 12 < first;
            } else if let Some(mark) = text.contains(['.', ',']).then(|| decimal_mark(text)).flatten() {
                marks.point |= mark == '.';
                marks.comma |= mark == ',';
            }
        }
        marks
    }

    /// An amount as the sheet's other amounts are written.
    pub(super) fn amount(&self, text: &str) -> Option<String> {
        let amount = values::amount(text)?;
        let decimal = match (self.point, self.comma) {
            (true, false) => '.',
            (false, true) => ',',
            _ => return Some(amount),
        };
        // `1.234` beside `12.5` is a little more than one, not a little more than a thousand.
        let digits: String = text.chars().filter(|it| it.is_ascii_digit() || matches!(it, '.' | ',')).collect();
        let Some((whole, fraction)) = digits.split_once(decimal) else { return Some(amount) };
        let choice = fraction.len() == 3 && amount.trim_start_matches('-') == format!("{whole}{fraction}");
        if !choice {
            return Some(amount);
        }
        let sign = if amount.starts_with('-') { "-" } else { "" };
        Some(format!("{sign}{whole}.{fraction}"))
    }

    pub(super) fn date(&self, text: &str) -> Option<String> {
        match Day::of(text) {
            Some(Day { first, second, year, .. }) if self.month_first && !self.day_first => {
                values::iso_date(&format!("{year:04}-{first:02}-{second:02}"))
            }
            Some(day) => values::date(day.text),
            None => values::date(text),
        }
    }

    /// Could a date be two days, and does nothing in the sheet say which?
    pub(super) fn leaves_choice(&self, text: &str) -> bool {
        self.month_first == self.day_first
            && Day::of(text).is_some_and(|it| it.first <= 12 && it.second <= 12 && it.first != it.second)
    }
}

/// A day in three numbers between slashes or dashes, the year last. A time may follow.
struct Day<'a> {
    text: &'a str,
    first: u32,
    second: u32,
    year: u32,
}

impl Day<'_> {
    fn of(text: &str) -> Option<Day<'_>> {
        let mut words = text.split_whitespace();
        let (text, time) = (words.next()?, words.next());
        if time.is_some_and(|it| !it.contains(':')) {
            return None;
        }
        let mut parts = text.split(if text.contains('/') { '/' } else { '-' });
        let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
        let digits =
            |it: &str, lengths: &[usize]| lengths.contains(&it.len()) && it.bytes().all(|it| it.is_ascii_digit());
        if parts.next().is_some() || !digits(first, &[1, 2]) || !digits(second, &[1, 2]) || !digits(year, &[2, 4]) {
            return None;
        }
        let century = if year.len() == 2 { 2000 } else { 0 };
        let (first, second): (u32, u32) = (first.parse().ok()?, second.parse().ok()?);
        let is_day = 1 <= first && 1 <= second && first.max(second) <= 31 && first.min(second) <= 12;
        is_day.then_some(Day { text, first, second, year: century + year.parse::<u32>().ok()? })
    }
}

/// The mark before the decimals of an amount that can be read in one way only.
fn decimal_mark(text: &str) -> Option<char> {
    values::amount(text)?;
    let body: String = text.chars().filter(|it| it.is_ascii_digit() || matches!(it, '.' | ',')).collect();
    let (last, mark) = body.char_indices().rev().find(|(_, it)| matches!(it, '.' | ','))?;
    let other = if mark == '.' { ',' } else { '.' };
    if body.contains(other) {
        return Some(mark);
    }
    if 1 < body.matches(mark).count() {
        return Some(other);
    }
    (body.len() - last - 1 != 3 || body.starts_with('0') || 3 < last).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_before_decimals_is_told_by_amounts_that_leave_no_choice() {
        for (text, expected) in [
            ("12.5", Some('.')),
            ("1.234,00 €", Some(',')),
            ("1.234.567", Some(',')),
            ("0,125", Some(',')),
            ("1.234", None),
            ("17", None),
            ("04.03.2026", None),
        ] {
            assert_eq!(decimal_mark(text), expected, "{text}");
        }
        let point = Marks { point: true, ..Marks::default() };
        let comma = Marks { comma: true, ..Marks::default() };
        assert_eq!(point.amount("1.234").as_deref(), Some("1.234"));
        assert_eq!(comma.amount("1.234").as_deref(), Some("1234"));
        assert_eq!(comma.amount("-1,234 €").as_deref(), Some("-1.234"));
        assert_eq!(point.amount("1,234").as_deref(), Some("1234"));
    }

    #[test]
    fn a_date_that_leaves_a_choice_is_read_as_the_others_are_written() {
        let months = Marks { month_first: true, ..Marks::default() };
        assert_eq!(months.date("03/04/2026").as_deref(), Some("2026-03-04"));
        for text in ["11/9/26", "11-09-2026", "11/09/2026 12:00"] {
            assert_eq!(months.date(text).as_deref(), Some("2026-11-09"), "{text}");
            assert!(!months.leaves_choice(text) && Marks::default().leaves_choice(text), "{text}");
        }
        for text in ["11.09.2026", "2026-11-09", "11/11/2026", "31/12/2026", "R-11-09"] {
            assert!(!Marks::default().leaves_choice(text), "{text}");
        }
        assert_eq!(Marks::default().date("03/04/2026").as_deref(), Some("2026-04-03"));
    }
}
