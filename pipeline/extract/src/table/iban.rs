//! Bank accounts wherever they stand: an IBAN proves itself.

use crate::labels::{is_checked_iban, is_iban_length};

/// ISO 13616: at most 34 characters.
const LENGTH_MAX: usize = 34;
const LENGTH_MIN: usize = 15;

/// The IBAN in a text, without its spaces.
pub(super) fn found(text: &str) -> Option<String> {
    if text.len() < LENGTH_MIN {
        return None;
    }
    let bytes = text.as_bytes();
    let starts = bytes.windows(4).enumerate().filter(|(at, window)| {
        let head = matches!(window, [a, b, c, d] if a.is_ascii_uppercase() && b.is_ascii_uppercase()
            && c.is_ascii_digit() && d.is_ascii_digit());
        head && at.checked_sub(1).and_then(|it| bytes.get(it)).is_none_or(|it| !it.is_ascii_alphanumeric())
    });
    starts.filter_map(|(at, _)| text.get(at..)).find_map(at_start)
}

/// Of those that check and end with a word, the one with the length of its country, or else the longest.
fn at_start(text: &str) -> Option<String> {
    let (mut bare, mut best) = (String::new(), None);
    let mut chars = text.chars().peekable();
    while let Some(it) = chars.next() {
        if it.is_ascii_alphanumeric() {
            bare.push(it.to_ascii_uppercase());
        } else if !it.is_whitespace() {
            break;
        }
        if LENGTH_MAX < bare.len() {
            break;
        }
        let ends = chars.peek().is_none_or(|it| !it.is_ascii_alphanumeric());
        if ends && it.is_ascii_alphanumeric() && LENGTH_MIN <= bare.len() && is_checked_iban(&bare) {
            if is_iban_length(&bare) {
                return Some(bare);
            }
            best = Some(bare.clone());
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iban_is_found_in_any_words() {
        for (text, expected) in [
            ("DE02120300000000202051", Some("DE02120300000000202051")),
            ("pay to IBAN DE02 1203 0000 0000 2020 51 BIC BYLADEM1001", Some("DE02120300000000202051")),
            ("Bank: DKB, IBAN: DE02\u{a0}1203 0000 0000 2020 51.", Some("DE02120300000000202051")),
            ("DE03120300000000202051", None),
            ("VAT ID DE811907980", None),
            ("XDE02120300000000202051", None),
            ("", None),
        ] {
            assert_eq!(found(text).as_deref(), expected, "{text}");
        }
    }
}
