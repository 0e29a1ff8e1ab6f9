//! How a number is to be shown: what tells an amount from a date, a rate or nothing at all.

use crate::values::currency;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Style {
    pub(super) date: bool,
    pub(super) percent: bool,
    pub(super) currency: Option<String>,
    /// By a format without a form, or white on white: no eye sees what the cell holds.
    pub(super) unseen: bool,
}

/// The built-in formats by their number (ECMA-376 part 1, 18.8.30); all others are written out as codes.
pub(super) fn built_in(id: u32) -> Style {
    match id {
        14..=17 | 22 | 27..=36 | 50..=58 => Style { date: true, ..Style::default() },
        9 | 10 => Style { percent: true, ..Style::default() },
        _ => Style::default(),
    }
}

/// Reads a format code such as `#,##0.00 "€"`, `[$EUR] 0.00`, `dd.mm.yyyy`, `0.0%`.
pub(super) fn shown_as(code: &str) -> Style {
    let mut style = Style::default();
    let (mut letters, mut digits) = (String::new(), false);
    let mut chars = code.chars();
    while let Some(it) = chars.next() {
        match it {
            '"' => {
                let quoted: String = chars.by_ref().take_while(|it| *it != '"').collect();
                style.currency = style.currency.or_else(|| currency(&quoted));
            }
            '[' => {
                let bracketed: String = chars.by_ref().take_while(|it| *it != ']').collect();
                let sign = bracketed.strip_prefix('$').and_then(|it| it.split('-').next());
                style.currency = style.currency.or_else(|| sign.and_then(currency));
            }
            '\\' | '_' | '*' => drop(chars.next()),
            '€' | '£' | '₹' => style.currency = style.currency.or_else(|| currency(&it.to_string())),
            '%' => style.percent = true,
            '#' | '0' => digits = true,
            it if it.is_alphabetic() => letters.push(it.to_ascii_lowercase()),
            _ => {}
        }
    }
    let named = letters.contains("general") || letters.contains("standard");
    // Fractions of a second have digits too; `0.00 USD` has them without an hour.
    style.date = !named && letters.contains(['y', 'd']) && (!digits || letters.contains('h'));
    if digits && style.currency.is_none() {
        style.currency = currency(&letters);
    }
    style.unseen = 2 <= code.trim().len() && code.trim().chars().all(|it| it == ';');
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_code_tells_dates_percents_and_currencies() {
        for (code, date, percent, currency) in [
            ("dd.mm.yyyy", true, false, None),
            ("yyyy-mm-dd hh:mm:ss.000", true, false, None),
            ("#,##0.00 \"€\"", false, false, Some("EUR")),
            ("#,##0.00\\ [$€-407]", false, false, Some("EUR")),
            ("[$USD] 0.00", false, false, Some("USD")),
            ("0.00 USD", false, false, Some("USD")),
            ("[Red]0.0%", false, true, None),
            ("[$-F800]dddd, mmmm d, yyyy", true, false, None),
            ("General", false, false, None),
            ("0.00 \"Tage\"", false, false, None),
        ] {
            let style = shown_as(code);
            assert_eq!((style.date, style.percent, style.currency.as_deref()), (date, percent, currency), "{code}");
            assert!(!style.unseen);
        }
        assert!(shown_as(";;;").unseen);
    }
}
