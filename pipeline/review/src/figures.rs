//! How dates, times, amounts and sizes are written in each language.

use case::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::words::Lang;

impl Lang {
    pub(crate) fn day(self, day: Date) -> String {
        let form = self.pick(["%-d %b %Y", "%d.%m.%Y", "%Y年%-m月%-d日"]);
        day.strftime(form).to_string()
    }

    /// To the minute, in UTC.
    pub(crate) fn time(self, at: Timestamp) -> String {
        let minutes = at.0.div_euclid(60_000_000).rem_euclid(24 * 60);
        let gap = self.pick([", ", ", ", " "]);
        format!("{}{gap}{:02}:{:02}", self.day(at.date()), minutes / 60, minutes % 60)
    }

    /// A date of ISO 8601; anything else as it stands.
    pub(crate) fn day_text(self, text: &str) -> String {
        text.trim().parse().map_or_else(|_| text.to_owned(), |day| self.day(day))
    }

    /// A decimal string with the separators of the language and all its decimals; anything else as it stands.
    pub(crate) fn amount_text(self, text: &str) -> String {
        text.trim().parse().map_or_else(|_| text.to_owned(), |number| self.decimal(number))
    }

    pub(crate) fn decimal(self, number: Decimal) -> String {
        let text = number.abs().to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let (thousands, point) = self.pick([(',', '.'), ('.', ','), (',', '.')]);
        let mut grouped = String::new();
        for (idx, digit) in whole.chars().enumerate() {
            if 0 < idx && (whole.len() - idx).is_multiple_of(3) {
                grouped.push(thousands);
            }
            grouped.push(digit);
        }
        let sign = if number.is_sign_negative() && !number.is_zero() { "−" } else { "" };
        if decimals.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}{point}{decimals}") }
    }

    /// With two decimals at least, and more only where they say something.
    pub(crate) fn money(self, amount: Decimal) -> String {
        let mut amount = amount.normalize();
        if amount.scale() < 2 {
            amount.rescale(2);
        }
        self.decimal(amount)
    }

    pub(crate) fn bytes(self, n: u64) -> String {
        match n {
            0..1_000 => format!("{n} B"),
            1_000..1_000_000 => format!("{} kB", n / 1_000),
            _ => format!("{} MB", self.decimal(Decimal::new(i64::try_from(n / 100_000).unwrap_or(i64::MAX), 1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_the_language_writes_them() {
        let at = Timestamp(1_795_357_999_000_000);
        assert_eq!(Lang::En.time(at), "22 Nov 2026, 14:33");
        assert_eq!(Lang::De.time(at), "22.11.2026, 14:33");
        assert_eq!(Lang::Zh.time(at), "2026年11月22日 14:33");
        for (text, en, de) in [
            ("1234567.80", "1,234,567.80", "1.234.567,80"),
            ("-999", "−999", "−999"),
            ("1000", "1,000", "1.000"),
            ("0.005", "0.005", "0,005"),
            ("zwölf", "zwölf", "zwölf"),
        ] {
            assert_eq!((Lang::En.amount_text(text).as_str(), Lang::De.amount_text(text).as_str()), (en, de));
        }
        for (amount, expected) in
            [(Decimal::new(352, 1), "35.20"), (Decimal::new(125_000, 5), "1.25"), (Decimal::new(12_345, 4), "1.2345")]
        {
            assert_eq!(Lang::En.money(amount), expected);
        }
        assert_eq!(Lang::En.day_text("2026-02-30"), "2026-02-30");
        assert_eq!((Lang::De.bytes(1_540_000).as_str(), Lang::En.bytes(999).as_str()), ("1,5 MB", "999 B"));
    }
}
