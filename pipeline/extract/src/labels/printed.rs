mod amounts;
mod references;

use crate::pdf::Word;
use crate::values;

pub(super) use amounts::{Amount, amounts, is_currency, signed};
pub(super) use references::reference;

/// Which number of `03/04/2026` is the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateOrder {
    DayFirst,
    MonthFirst,
    Unknown,
}

impl DateOrder {
    /// A date of the document that can only be read one way tells how to read the others; without one, its language does.
    /// Three short numbers are also a sort code or a mixture (`10-20-30`): a year of two figures counts only in words beside
    /// the label of a date. Where dates of both orders stand, neither is taken.
    pub(super) fn of<'w>(
        all: impl Iterator<Item = &'w Word>,
        beside_labels: impl Iterator<Item = &'w Word>,
        language: Option<&str>,
    ) -> DateOrder {
        let parts = |word: &'w Word| numeric_parts(trimmed(&word.text));
        let told = all.filter_map(parts).filter(|(_, _, year)| year.len() == 4).chain(beside_labels.filter_map(parts));
        let (mut day_first, mut month_first) = (false, false);
        for (first, second, _) in told {
            match (first, second) {
                (13..=31, 1..=12) => day_first = true,
                (1..=12, 13..=31) => month_first = true,
                _ => {}
            }
        }
        match (day_first, month_first, language) {
            (true, false, _) => DateOrder::DayFirst,
            (false, true, _) => DateOrder::MonthFirst,
            (false, false, Some("de" | "fr" | "es" | "it" | "nl" | "pt")) => DateOrder::DayFirst,
            _ => DateOrder::Unknown,
        }
    }
}

/// Day, month and year as numbers between slashes or hyphens, where the order is not told by the form.
fn numeric_parts(text: &str) -> Option<(u32, u32, &str)> {
    let mut parts = text.split(['/', '-']);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || first.len() > 2 || second.len() > 2 || !matches!(year.len(), 2 | 4) {
        return None;
    }
    year.parse::<u32>().ok()?;
    Some((first.parse().ok()?, second.parse().ok()?, year))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|it| ",;:()".contains(it)).trim_end_matches('.')
}

/// It looks like a date; which day it is may be open.
pub(super) fn is_date_shaped(words: &[Word]) -> bool {
    date(words, DateOrder::DayFirst).is_some() || date(words, DateOrder::MonthFirst).is_some()
}

/// The first date in `words` as ISO 8601, and the words it stands in.
pub(super) fn date(words: &[Word], order: DateOrder) -> Option<(String, Vec<Word>)> {
    for start in 0..words.len() {
        for length in [3, 4, 5, 6, 1] {
            let Some(found) = words.get(start..start + length) else { continue };
            let text = found.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
            if let Some(date) = one_date(trimmed(&text), order) {
                return Some((date, found.to_vec()));
            }
        }
    }
    None
}

fn one_date(text: &str, order: DateOrder) -> Option<String> {
    // Three words are a date only with a month by name: `1 2 2026` is a row of a table.
    if text.contains(' ') && !text.contains(|it: char| it.is_alphabetic()) && !text.contains('.') {
        return None;
    }
    if !text.contains(['/', '-', '.', ' ', '年']) {
        return None;
    }
    // `5 de marzo de 2026`, `2026 年 3 月 4 日`
    let particles = text.replace(" de ", " ").replace(" del ", " ").replace(" do ", " ");
    let closed: String = particles.chars().filter(|it| !particles.contains('年') || !it.is_whitespace()).collect();
    let text = closed.as_str();
    let Some((first, second, year)) = numeric_parts(text) else { return values::date(text) };
    match order {
        _ if 12 < first || first == second => values::date(text),
        _ if 12 < second => values::date(&format!("{second}.{first}.{year}")),
        DateOrder::DayFirst => values::date(&format!("{first}.{second}.{year}")),
        DateOrder::MonthFirst => values::date(&format!("{second}.{first}.{year}")),
        DateOrder::Unknown => None,
    }
}

/// The identifiers for VAT of the EU, the United Kingdom, Switzerland and Norway: letters of the country, then `min..=max` characters.
const VAT_FORMS: [(&str, usize, usize); 33] = [
    ("ATU", 8, 8),
    ("BE", 10, 10),
    ("BG", 9, 10),
    ("CHE", 9, 12),
    ("CY", 9, 9),
    ("CZ", 8, 10),
    ("DE", 9, 9),
    ("DK", 8, 8),
    ("EE", 9, 9),
    ("EL", 9, 9),
    ("ES", 9, 9),
    ("FI", 8, 8),
    ("FR", 11, 11),
    ("GB", 9, 12),
    ("HR", 11, 11),
    ("HU", 8, 8),
    ("IE", 8, 9),
    ("IT", 11, 11),
    ("LT", 9, 12),
    ("LU", 8, 8),
    ("LV", 11, 11),
    ("MT", 8, 8),
    ("NL", 12, 12),
    ("NO", 9, 12),
    ("PL", 10, 10),
    ("PT", 9, 9),
    ("RO", 6, 10),
    ("SE", 12, 12),
    ("SI", 8, 8),
    ("SK", 10, 10),
    ("XI", 9, 12),
    ("GR", 9, 9),
    ("IS", 5, 6),
];

/// VAT identifiers in `words`, which may be printed in groups.
pub(super) fn vat_ids(words: &[Word]) -> Vec<(String, Vec<Word>)> {
    identifiers(words, is_vat_id)
}

/// What stands where a VAT identifier is announced and has the wrong length for its country.
pub(super) fn broken_vat_ids(words: &[Word]) -> Vec<(String, Vec<Word>)> {
    identifiers(words, is_like_vat_id)
}

fn identifiers(words: &[Word], fits: fn(&str) -> bool) -> Vec<(String, Vec<Word>)> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let found = (1..=5).rev().find_map(|length| {
            let group = words.get(at..at + length)?;
            let joined: String = group.iter().map(|word| word.text.as_str()).collect();
            let last_part = joined.rsplit([':', '#']).next()?;
            let bare: String = last_part.chars().filter(|it| it.is_alphanumeric()).collect();
            let only = last_part.chars().all(|it| it.is_ascii_alphanumeric() || ".-,;()".contains(it));
            (only && fits(&bare)).then(|| (bare, group.to_vec(), length))
        });
        match found {
            Some((value, words, length)) => {
                out.push((value, words));
                at += length;
            }
            None => at += 1,
        }
    }
    out
}

fn is_like_vat_id(text: &str) -> bool {
    let (country, rest) = text.split_at_checked(2).unwrap_or_default();
    VAT_FORMS.iter().any(|(form, ..)| form.starts_with(country))
        && country.len() == 2
        && (7..=12).contains(&rest.len())
        && rest.bytes().all(|it| it.is_ascii_digit())
}

/// Has it the form of an identifier for VAT of its country?
pub(super) fn is_vat_id(text: &str) -> bool {
    VAT_FORMS.iter().any(|(country, min, max)| {
        let Some(rest) = text.strip_prefix(country) else { return false };
        let digits = rest.bytes().filter(u8::is_ascii_digit).count();
        (*min..=*max).contains(&rest.len())
            && rest.bytes().all(|it| it.is_ascii_digit() || it.is_ascii_uppercase())
            && rest.len() <= digits + 3
    })
}

/// An IBAN that begins with the first word, and whether its check digits are right.
pub(super) fn iban(words: &[Word]) -> Option<(String, Vec<Word>, bool)> {
    let mut bare = String::new();
    let mut best = None;
    for (idx, word) in words.iter().enumerate().take(10) {
        let part = word.text.trim_matches(|it| ",;:.".contains(it));
        if !part.bytes().all(|it| it.is_ascii_digit() || it.is_ascii_uppercase()) || 34 < bare.len() + part.len() {
            break;
        }
        bare.push_str(part);
        let country = bare.get(..2).is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_uppercase()));
        let check = bare.get(2..4).is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
        if 2 <= bare.len() && !country || 4 <= bare.len() && !check {
            break;
        }
        let mostly_digits = bare.len() <= 4 + 2 * bare.bytes().skip(4).filter(u8::is_ascii_digit).count();
        if 15 <= bare.len() && mostly_digits {
            let right = remainder_97(&bare) == Some(1);
            best = Some((bare.clone(), words.get(..=idx).unwrap_or_default().to_vec(), right));
            if right {
                break;
            }
        }
        // Printed in groups, only the last one is shorter than four.
        if idx > 0 && part.len() < 4 {
            break;
        }
    }
    best
}

/// Characters of an IBAN by country, for those that invoices carry most (ISO 13616).
const IBAN_LENGTHS: [(&str, usize); 24] = [
    ("AT", 20),
    ("BE", 16),
    ("BG", 22),
    ("CH", 21),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("ES", 24),
    ("FI", 18),
    ("FR", 27),
    ("GB", 22),
    ("GR", 27),
    ("HU", 28),
    ("IE", 22),
    ("IT", 27),
    ("LI", 21),
    ("LU", 20),
    ("NL", 18),
    ("NO", 15),
    ("PL", 28),
    ("PT", 25),
    ("RO", 24),
    ("SE", 24),
    ("SK", 24),
];

/// Has it the length that its country's have?
pub(crate) fn is_iban_length(iban: &str) -> bool {
    IBAN_LENGTHS.iter().any(|(country, length)| iban.starts_with(country) && iban.len() == *length)
}

/// Are its check digits right (ISO 7064, MOD 97-10)?
pub(crate) fn is_checked_iban(iban: &str) -> bool {
    remainder_97(iban) == Some(1)
}

fn remainder_97(iban: &str) -> Option<u32> {
    let (head, body) = iban.split_at_checked(4)?;
    let mut remainder = 0;
    for char in body.chars().chain(head.chars()) {
        let digit = char.to_digit(36)?;
        remainder = if digit < 10 { remainder * 10 + digit } else { remainder * 100 + digit } % 97;
    }
    Some(remainder)
}

/// Eight or eleven characters: bank, country, place and, in the long form, branch.
pub(super) fn is_bic(text: &str) -> bool {
    matches!(text.len(), 8 | 11)
        && text.bytes().take(6).all(|it| it.is_ascii_uppercase())
        && text.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
}
