//! Texts as people and machines print them, turned into values once: dates, amounts, currencies, identifiers.

use rust_decimal::Decimal;

use crate::rules::codes::{List, lists};

/// Longer texts are no amount and no date.
const TEXT_BYTES_MAX: usize = 64;

/// A decimal with a point, as XML Schema writes it: `1190.00`, `-3`, `.5`, `+7`.
/// Keeps the digits as they are written; a leading plus goes, a missing zero comes.
pub(crate) fn decimal(text: &str) -> Option<String> {
    let text: String = text.split_whitespace().collect();
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (if text.starts_with('-') { "-" } else { "" }, digits),
        None => ("", text.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let all_digits = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
    let some = !whole.is_empty() || fraction.is_some_and(|it| !it.is_empty());
    if !some || TEXT_BYTES_MAX < text.len() || !all_digits(whole) || !fraction.is_none_or(all_digits) {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(match fraction {
        Some(fraction) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{whole}"),
    })
}

/// An amount as people print it, with or without a currency or percent sign: `1.234,56 €`, `EUR 1,234.56`, `1'234.56`,
/// `(12.00)`, `12,00-`, `726,-`. Where one separator could mean either (`1.234`), three digits behind it make it a thousand.
pub(crate) fn amount(text: &str) -> Option<String> {
    money(text).map(|(amount, _)| amount)
}

/// An amount as people print it, and the currency where that is printed with it.
pub(crate) fn money(text: &str) -> Option<(String, Option<String>)> {
    if TEXT_BYTES_MAX < text.len() {
        return None;
    }
    let (mut rest, mut negative, mut found) = (text.trim(), false, None);
    // Each round takes something off an end, so there are fewer rounds than bytes.
    loop {
        if let Some(inner) = rest.strip_prefix('(').and_then(|it| it.strip_suffix(')')).filter(|_| !negative) {
            // `VAT (20%)` names a rate, it takes none off.
            (rest, negative) = (inner.trim(), !inner.trim_end().ends_with('%'));
        } else if let Some(inner) = without_cents(rest) {
            rest = inner.trim();
        } else if let Some(inner) =
            rest.strip_prefix(is_dash).or_else(|| rest.strip_suffix(is_dash)).filter(|_| !negative)
        {
            (rest, negative) = (inner.trim(), true);
        } else if let Some(inner) = rest.strip_suffix('%') {
            rest = inner.trim();
        } else if let Some((inner, sign)) = without_currency(rest).filter(|_| found.is_none()) {
            (rest, found) = (inner.trim(), Some(sign));
        } else {
            break;
        }
    }
    let digits = grouped_digits(rest)?;
    Some((if negative { format!("-{digits}") } else { digits }, found.and_then(listed_currency)))
}

/// A minus as keyboards, typesetters and mathematicians write it.
pub(crate) fn is_dash(it: char) -> bool {
    matches!(it, '-' | '\u{2010}'..='\u{2014}' | '−' | '－')
}

/// `726,-`, `1'500.–`, `20,--`, `726,=`: a stroke in the place of the cents says that there are none.
fn without_cents(text: &str) -> Option<&str> {
    let marked = text.trim_end_matches(|it| is_dash(it) || it == '=');
    let whole = marked.strip_suffix([',', '.']).filter(|_| marked.len() < text.len())?.trim_end();
    whole.ends_with(|it: char| it.is_ascii_digit()).then_some(whole)
}

/// What is left without a currency before or behind, and the currency. A code runs into nothing: `INV-17` has none.
fn without_currency(text: &str) -> Option<(&str, &str)> {
    const SIGNS: [&str; 7] = ["US$", "€", "$", "£", "¥", "₹", "Fr."];
    for sign in SIGNS {
        if let Some(rest) = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign)) {
            return Some((rest, sign));
        }
    }
    let code = |it: &str| it.len() == 3 && it.bytes().all(|byte| byte.is_ascii_uppercase());
    let (first, last) = (text.get(..3)?, text.get(text.len().checked_sub(3)?..)?);
    let inner = |it: &str| it.starts_with(|it: char| it.is_ascii_digit() || it.is_whitespace());
    if code(first) && text.get(3..).is_some_and(inner) {
        return Some((text.get(3..)?, first));
    }
    let before = text.get(..text.len() - 3)?;
    (code(last) && before.ends_with(|it: char| it.is_ascii_digit() || it.is_whitespace())).then_some((before, last))
}

fn grouped_digits(text: &str) -> Option<String> {
    let body: String = text.chars().filter(|it| !it.is_whitespace() && !matches!(it, '\'' | '’')).collect();
    if !body.starts_with(|it: char| it.is_ascii_digit())
        || !body.chars().all(|it| it.is_ascii_digit() || it == '.' || it == ',')
    {
        return None;
    }
    let (whole, fraction) = match decimal_mark(&body) {
        Some(at) => (body.get(..at)?, body.get(at + 1..)?),
        None => (body.as_str(), ""),
    };
    let groups: Vec<&str> = whole.split(['.', ',']).collect();
    // In India the groups before the last have two digits.
    let grouped = match groups.as_slice() {
        [_] => true,
        [first, middle @ .., last] => {
            first.len() <= 3 && last.len() == 3 && middle.iter().all(|it| matches!(it.len(), 2 | 3))
        }
        [] => false,
    };
    if !grouped {
        return None;
    }
    let whole = groups.concat();
    Some(if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") })
}

/// Byte offset of the mark between whole and fraction.
fn decimal_mark(body: &str) -> Option<usize> {
    let (dot, comma) = (body.rfind('.'), body.rfind(','));
    let last = dot.max(comma)?;
    let mark = body.get(last..last + 1)?;
    let alone = body.matches(mark).count() == 1;
    let both = dot.is_some() && comma.is_some();
    let thousand = body.len() - last - 1 == 3 && !body.starts_with('0') && last <= 3;
    (alone && (both || !thousand)).then_some(last)
}

/// A number as a spreadsheet stores it: a binary fraction, shown with the 15 digits that such a program shows.
pub(crate) fn stored_number(text: &str) -> Option<String> {
    let number: f64 = text.trim().parse().ok()?;
    if !number.is_finite() || 1e15 <= number.abs() {
        return None;
    }
    let digits_before = if number.abs() < 1.0 { 0 } else { number.abs().log10().floor() as usize + 1 };
    let rounded = format!("{number:.*}", 15_usize.saturating_sub(digits_before).min(12));
    let short = if rounded.contains('.') { rounded.trim_end_matches('0').trim_end_matches('.') } else { &rounded };
    Some(if short == "-0" { "0".to_owned() } else { short.to_owned() })
}

pub(crate) fn sum(amounts: &[String]) -> Option<String> {
    let mut total = Decimal::ZERO;
    for amount in amounts {
        total = total.checked_add(amount.parse().ok()?)?;
    }
    Some(total.to_string())
}

/// A calendar day as ISO 8601, from the forms that documents use. Day before month where both are numbers and the
/// month is not clearly first; years of two digits are of this century.
pub(crate) fn date(text: &str) -> Option<String> {
    let text = text.trim();
    if TEXT_BYTES_MAX < text.len() {
        return None;
    }
    if let Some(date) = text.get(..10).and_then(iso_date) {
        // A time or a zone may follow: `2026-03-04Z`, `2026-03-04T00:00:00+01:00`.
        let rest = text.get(10..)?;
        return (rest.is_empty() || rest.starts_with(['T', 'Z', '+', '-', ' '])).then_some(date);
    }
    if text.len() == 8 && text.bytes().all(|it| it.is_ascii_digit()) {
        return compact_date(text);
    }
    let parts: Vec<&str> =
        text.split(|it: char| it.is_whitespace() || "./-,年月日".contains(it)).filter(|it| !it.is_empty()).collect();
    let &[first, second, third] = parts.as_slice() else { return None };
    if let Some(month) = month(second) {
        return day(year(third)?, month, number(first)?);
    }
    if let Some(month) = month(first) {
        return day(year(third)?, month, number(second)?);
    }
    if first.len() == 4 {
        return day(number(first)?, number(second)?, number(third)?);
    }
    let (first, second, year) = (number(first)?, number(second)?, year(third)?);
    if 12 < second { day(year, first, second) } else { day(year, second, first) }
}

/// A day as machines write it for machines (`xs:date`, `xs:dateTime`): `2026-03-04`, `2026-03-04+01:00`,
/// `2026-03-04T00:00:00.5Z`. What a person would have to interpret is none.
pub(crate) fn machine_date(text: &str) -> Option<String> {
    let text = text.trim();
    let day = text.get(..10).and_then(iso_date)?;
    let rest = text.get(10..)?;
    let rest = match rest.strip_prefix('T') {
        Some(time) => {
            let (clock, rest) = (time.get(..8)?, time.get(8..)?);
            let digits = rest.strip_prefix('.').map(|it| it.trim_start_matches(|it: char| it.is_ascii_digit()));
            if !shaped(clock, "00:00:00") {
                return None;
            }
            digits.unwrap_or(rest)
        }
        None => rest,
    };
    let zone = rest.is_empty() || rest == "Z" || rest.strip_prefix(['+', '-']).is_some_and(|it| shaped(it, "00:00"));
    zone.then_some(day)
}

/// Digits where the pattern has them, and its other characters.
fn shaped(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text
            .bytes()
            .zip(pattern.bytes())
            .all(|(it, asked)| if asked == b'0' { it.is_ascii_digit() } else { it == asked })
}

/// `YYYY-MM-DD` and nothing else.
pub(crate) fn iso_date(text: &str) -> Option<String> {
    let mut parts = text.splitn(3, '-');
    let (year, month, dom) = (parts.next()?, parts.next()?, parts.next()?);
    if (year.len(), month.len(), dom.len()) != (4, 2, 2) {
        return None;
    }
    day(number(year)?, number(month)?, number(dom)?)
}

/// `YYYYMMDD`, format 102 of CII.
pub(crate) fn compact_date(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() != 8 {
        return None;
    }
    day(number(text.get(..4)?)?, number(text.get(4..6)?)?, number(text.get(6..)?)?)
}

/// Days of a spreadsheet: 1 is 1900-01-01, and 60 the day in February 1900 that never was; or days since 1904-01-01.
pub(crate) fn serial_date(days: f64, since_1904: bool) -> Option<String> {
    if !(0.0..2_958_466.0).contains(&days) {
        return None;
    }
    let days = days.floor() as i64;
    let (start, days) = match (since_1904, days) {
        (true, days) => (jiff::civil::date(1904, 1, 1), days),
        (false, days) if days < 60 => (jiff::civil::date(1899, 12, 31), days),
        (false, days) => (jiff::civil::date(1899, 12, 30), days),
    };
    Some(start.checked_add(jiff::Span::new().days(days)).ok()?.to_string())
}

fn number(text: &str) -> Option<i16> {
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let suffix = text.get(digits.len()..)?;
    let ordinal = suffix.is_empty() || ["st", "nd", "rd", "th", "er"].contains(&suffix);
    (ordinal && digits.bytes().all(|it| it.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn year(text: &str) -> Option<i16> {
    let year = number(text)?;
    match text.len() {
        2 => Some(2000 + year),
        4 => Some(year),
        _ => None,
    }
}

fn month(text: &str) -> Option<i16> {
    const MONTHS: [&[&str]; 12] = [
        &["january", "januar", "jänner", "janvier", "enero", "gennaio", "januari", "janeiro"],
        &["february", "februar", "février", "fevrier", "febrero", "febbraio", "februari", "fevereiro"],
        &["march", "märz", "maerz", "mrz", "mars", "marzo", "maart", "mrt", "março"],
        &["april", "avril", "abril", "aprile"],
        &["may", "mai", "mayo", "maggio", "mei", "maio"],
        &["june", "juni", "juin", "junio", "giugno", "junho"],
        &["july", "juli", "juillet", "julio", "luglio", "julho"],
        &["august", "août", "aout", "agosto", "augustus"],
        &["september", "sept", "septembre", "septiembre", "settembre", "setembro"],
        &["october", "oktober", "octobre", "octubre", "ottobre", "outubro"],
        &["november", "novembre", "noviembre", "novembro"],
        &["december", "dezember", "décembre", "diciembre", "dicembre", "dezembro"],
    ];
    let text = text.to_lowercase();
    let n_chars = text.chars().count();
    let is = |names: &[&str]| names.contains(&text.as_str());
    // An abbreviation has three letters or four; one that could be two months is none: `jui` is June or July in French.
    let short = |names: &[&str]| (3..=4).contains(&n_chars) && names.iter().any(|name| name.starts_with(&text));
    let one = |fits: &dyn Fn(&[&str]) -> bool| {
        let mut found = MONTHS.iter().enumerate().filter(|(_, names)| fits(names)).map(|(idx, _)| idx);
        found.next().filter(|_| found.next().is_none())
    };
    let idx = one(&is).or_else(|| one(&short))?;
    i16::try_from(idx).ok().map(|idx| idx + 1)
}

fn day(year: i16, month: i16, dom: i16) -> Option<String> {
    if !(1900..=2200).contains(&year) {
        return None;
    }
    let (month, dom) = (i8::try_from(month).ok()?, i8::try_from(dom).ok()?);
    jiff::civil::Date::new(year, month, dom).ok().map(|date| date.to_string())
}

/// ISO 4217, from a code or a sign. `$` and `¥` alone say too little.
pub(crate) fn currency(text: &str) -> Option<String> {
    let text = text.trim();
    match text {
        "€" => return Some("EUR".to_owned()),
        "£" => return Some("GBP".to_owned()),
        "US$" => return Some("USD".to_owned()),
        "₹" => return Some("INR".to_owned()),
        _ => {}
    }
    (text.len() == 3 && text.bytes().all(|it| it.is_ascii_alphabetic())).then(|| text.to_ascii_uppercase())
}

/// As [`currency`], of those that exist: `PCS` and `Stk` stand beside quantities.
pub(crate) fn listed_currency(text: &str) -> Option<String> {
    currency(text).filter(|it| lists(List::Currencies, it))
}

/// A decimal with so many places at most, half away from zero.
pub(crate) fn rounded(number: &str, places: u8) -> Option<String> {
    let (_, fraction) = number.split_once('.')?;
    if fraction.len() <= usize::from(places) {
        return None;
    }
    let strategy = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    let number = number.parse::<Decimal>().ok()?.round_dp_with_strategy(u32::from(places), strategy);
    Some(number.normalize().to_string())
}

/// An identifier without spaces. A text without a digit is no identifier but words, and stays as printed.
pub(crate) fn identifier(text: &str) -> Option<String> {
    if !text.chars().any(|it| it.is_ascii_digit()) {
        return words(text);
    }
    let bare: String = text.split_whitespace().collect();
    (!bare.is_empty()).then_some(bare)
}

/// Words as printed, with single spaces and no line breaks.
pub(crate) fn words(text: &str) -> Option<String> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(read: fn(&str) -> Option<String>, cases: &[(&str, Option<&str>)]) {
        for (text, expected) in cases {
            assert_eq!(read(text).as_deref(), *expected, "`{text}`");
        }
    }

    #[test]
    fn an_amount_of_an_e_invoice_keeps_its_digits() {
        check(
            decimal,
            &[
                ("1190.00", Some("1190.00")),
                (" \n 1190.00 ", Some("1190.00")),
                ("-3", Some("-3")),
                ("+7", Some("7")),
                (".5", Some("0.5")),
                ("5.", Some("5")),
                ("1,5", None),
                ("1e5", None),
                (".", None),
                ("--1", None),
                ("", None),
            ],
        );
    }

    #[test]
    fn a_printed_amount_is_read_in_the_ways_of_several_countries() {
        check(
            amount,
            &[
                ("1.234,56 €", Some("1234.56")),
                ("EUR 1,234.56", Some("1234.56")),
                ("1'234.56", Some("1234.56")),
                ("1 234,56", Some("1234.56")),
                ("12,5", Some("12.5")),
                ("1.234", Some("1234")),
                ("0,125", Some("0.125")),
                ("1,234,567.8", Some("1234567.8")),
                ("12,34,567.00", Some("1234567.00")),
                ("(12.00)", Some("-12.00")),
                ("12,00-", Some("-12.00")),
                ("-€ 5", Some("-5")),
                ("– 119,00 €", Some("-119.00")),
                ("100,00−", Some("-100.00")),
                ("€ 726,-", Some("726")),
                ("1'500.-", Some("1500")),
                ("CHF 1'500.--", Some("1500")),
                ("-20,– €", Some("-20")),
                ("726,=", Some("726")),
                ("19 %", Some("19")),
                ("(19 %)", Some("19")),
                ("1.2.3.4,5,6", None),
                ("INV-17", None),
                ("R-88", None),
                ("04.03.26", None),
                ("USt 19 %", None),
                ("EUR -7", Some("-7")),
                ("7 CHF", Some("7")),
                ("2026-03-04", None),
                ("", None),
            ],
        );
    }

    #[test]
    fn a_stored_number_is_shown_as_a_spreadsheet_shows_it() {
        check(
            stored_number,
            &[
                ("1190.0000000000002", Some("1190")),
                ("0.1", Some("0.1")),
                ("0.30000000000000004", Some("0.3")),
                ("1234.5600000000001", Some("1234.56")),
                ("1E2", Some("100")),
                ("-0", Some("0")),
                ("100", Some("100")),
                ("1e300", None),
                ("NaN", None),
                ("x", None),
            ],
        );
    }

    #[test]
    fn a_date_is_read_in_the_forms_documents_use() {
        check(
            date,
            &[
                ("2026-03-04", Some("2026-03-04")),
                ("2026-03-04T00:00:00+01:00", Some("2026-03-04")),
                ("20260304", Some("2026-03-04")),
                ("04.03.2026", Some("2026-03-04")),
                ("4.3.26", Some("2026-03-04")),
                ("03/14/2026", Some("2026-03-14")),
                ("4. März 2026", Some("2026-03-04")),
                ("March 4th, 2026", Some("2026-03-04")),
                ("4-Mar-2026", Some("2026-03-04")),
                ("3 févr. 2026", Some("2026-02-03")),
                ("1 juil. 2026", Some("2026-07-01")),
                ("1 jui 2026", None),
                ("7 março 2026", Some("2026-03-07")),
                ("2026年3月4日", Some("2026-03-04")),
                ("30.02.2026", None),
                ("2026-13-01", None),
                ("12", None),
                ("a.b.c", None),
            ],
        );
        let serials = [
            (1.0, Some("1900-01-01")),
            (61.0, Some("1900-03-01")),
            (46085.5, Some("2026-03-04")),
            (-1.0, None),
            (f64::NAN, None),
        ];
        for (days, expected) in serials {
            assert_eq!(serial_date(days, false).as_deref(), expected, "{days}");
        }
        assert_eq!(serial_date(0.0, true).as_deref(), Some("1904-01-01"));
    }

    #[test]
    fn identifiers_lose_their_spaces_and_words_keep_them() {
        check(
            identifier,
            &[
                ("DE 123 456 789", Some("DE123456789")),
                ("Godkänd för F-skatt", Some("Godkänd för F-skatt")),
                (" ", None),
            ],
        );
        assert_eq!(money("2 PCS"), Some(("2".to_owned(), None)));
        for (number, expected) in [("150.333", Some("150.33")), ("0.005", Some("0.01")), ("1.5", None), ("7", None)] {
            assert_eq!(rounded(number, 2).as_deref(), expected, "{number}");
        }
        check(currency, &[("€", Some("EUR")), ("eur", Some("EUR")), ("$", None), ("Euro", None)]);
    }
}
