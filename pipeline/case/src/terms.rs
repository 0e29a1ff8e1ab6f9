//! What a case is found by: its numbers, parties, orders and accounts, in the form in which they are compared.
//!
//! The store keeps a keyed digest of each term, so equal terms have equal digests and nothing else can be read from them.

use std::collections::BTreeSet;

use crate::{Case, FieldName};

/// A search of more terms than this, or a case with more, is cut there; a case keeps its identifiers first, then its names.
pub const TERMS_MAX: usize = 64;

/// Found as they are, with or without blanks and strokes.
const IDENTIFIERS: [FieldName; 10] = [
    FieldName::Number,
    FieldName::OrderRef,
    FieldName::ContractRef,
    FieldName::BuyerRef,
    FieldName::SellerVatId,
    FieldName::SellerTaxId,
    FieldName::BuyerVatId,
    FieldName::BuyerTaxId,
    FieldName::Iban,
    FieldName::Bic,
];
/// Found by any of their words too.
const NAMES: [FieldName; 3] = [FieldName::SellerName, FieldName::BuyerName, FieldName::Title];

/// The terms that a case is found by; none of a case that is erased.
pub fn terms(case: &Case) -> BTreeSet<String> {
    let Some(extraction) = &case.extraction else { return BTreeSet::new() };
    let names = NAMES.iter().filter_map(|field| extraction.text(*field));
    let names: Vec<&str> = names.chain(extraction.fields.parties.iter().map(|party| party.value.as_str())).collect();
    let identifiers = IDENTIFIERS.iter().filter_map(|field| extraction.text(*field)).map(joined);
    let wholes = names.iter().map(|name| joined(name));
    foremost(identifiers.chain(wholes).chain(names.iter().flat_map(|name| words(name))))
}

/// As many terms as a case may have: the first ones, so that a name of many words pushes out no number.
fn foremost(from: impl Iterator<Item = String>) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    for term in from.filter(|term| !term.is_empty()) {
        if terms.len() == TERMS_MAX {
            break;
        }
        terms.insert(term);
    }
    terms
}

/// What a text that is searched for is compared by: the whole of it, or else all of its words. None where it says nothing.
pub fn sought(text: &str) -> Option<(String, BTreeSet<String>)> {
    let whole = joined(text);
    (!whole.is_empty()).then(|| (whole, words(text).into_iter().take(TERMS_MAX).collect()))
}

/// Letters and digits alone, in small letters: `RE-2026/114` is `re2026114`.
fn joined(text: &str) -> String {
    text.chars().filter(|ch| ch.is_alphanumeric()).flat_map(char::to_lowercase).take(200).collect()
}

/// The words of a name; where words have no blanks between them, every pair of neighbours.
fn words(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in text.split(|ch: char| !ch.is_alphanumeric()) {
        let letters: Vec<char> = word.chars().flat_map(char::to_lowercase).take(200).collect();
        if letters
            .iter()
            .any(|ch| matches!(ch, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}'))
        {
            found.extend(letters.windows(2).map(|pair| pair.iter().collect::<String>()));
        }
        if 1 < letters.len() {
            found.insert(letters.into_iter().collect());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn set(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_number_is_found_however_its_parts_are_set_apart() {
        for text in ["RE-2026/114", "re 2026 114", "Re2026114", " RE—2026.114 "] {
            assert_eq!(sought(text).unwrap().0, "re2026114", "{text}");
        }
        assert_eq!(sought("DE02 1203 0000 0000 2020 51").unwrap().0, "de02120300000000202051");
        assert_eq!(sought(" -/ "), None);
    }

    #[test]
    fn a_name_of_many_words_pushes_out_no_number() {
        let words: String = (0..TERMS_MAX).map(|n| format!("a{n} ")).collect();
        let kept = foremost(["re2026114".to_owned(), String::new()].into_iter().chain(super::words(&words)));
        assert_eq!(kept.len(), TERMS_MAX);
        assert!(kept.contains("re2026114") && !kept.contains(""));
    }

    #[test]
    fn a_name_is_found_by_its_words_and_a_chinese_one_by_neighbouring_characters() {
        assert_eq!(words("Müller & Söhne GmbH"), set(&["müller", "söhne", "gmbh"]));
        assert_eq!(words("北京电信"), set(&["北京", "京电", "电信", "北京电信"]));
        assert_eq!(words("A b"), set(&[]));
    }
}
