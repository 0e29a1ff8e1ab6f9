//! Numbers of documents as they stand on a page.

use super::{is_currency, numeric_parts, trimmed};
use crate::pdf::{Word, joined};
use crate::values;

/// A number of a document: a word with a digit that is neither a date nor an address on the net, with the words that belong
/// to it: `123 / A`, `2026 - 0042`, `FT 2026/123`, `INV 2026 0042`.
pub(in super::super) fn reference(words: &[Word]) -> Option<(String, Vec<Word>)> {
    let filler = |word: &&Word| !word.text.contains(char::is_alphanumeric);
    let at = words.iter().take_while(filler).count();
    // A mark of a comparison or a currency says that a number of something else follows.
    if words.iter().take(at).any(|word| word.text.contains(['<', '>', '€', '$', '£', '¥', '%', '+'])) {
        return None;
    }
    let words = words.get(at..)?;
    let length = prefixed(words).or_else(|| one_word(words).then_some(1))?;
    let length = parted(words, length);
    let found = words.get(..length)?;
    let text = joined(found);
    let priced = words.get(length).is_some_and(|next| is_currency(&next.text) && !text.contains(char::is_alphabetic));
    (!priced).then(|| (bare(&text).to_owned(), found.to_vec()))
}

fn bare(text: &str) -> &str {
    text.trim_matches(|it: char| ":;,.()[]#*\"'".contains(it))
}

fn one_word(words: &[Word]) -> bool {
    words.first().is_some_and(|word| is_number(bare(&word.text), 2))
}

fn is_number(text: &str, chars_min: usize) -> bool {
    (chars_min..=40).contains(&text.chars().count())
        && text.contains(|it: char| it.is_ascii_digit())
        && text.chars().all(|it| it.is_alphanumeric() || "-_/.\\+".contains(it))
        && !is_date(text)
}

fn is_date(text: &str) -> bool {
    values::date(bare(text)).is_some() || numeric_parts(trimmed(text)).is_some()
}

/// A wider gap than this share of the height is no single blank.
const BLANK: f64 = 0.75;

fn near(words: &[Word], idx: usize) -> Option<&Word> {
    let (last, next) = (words.get(idx.checked_sub(1)?)?, words.get(idx)?);
    // What ends with a comma or a colon ends.
    let goes_on = !last.text.ends_with([',', ';', ':']);
    (goes_on && next.area[0] - last.area[2] < BLANK * last.height()).then_some(next)
}

/// `FT 2026/123`, `INV 2026 0042`: a short prefix in capitals, then figures, then nothing that could make it a sentence. How
/// many words.
fn prefixed(words: &[Word]) -> Option<usize> {
    const CAPITALS_MAX: usize = 4;
    /// Capitals that lead to a number and are none of it.
    const WORDS: [&str; 30] = [
        "NO", "NR", "NUM", "ID", "TO", "OF", "FOR", "FROM", "AN", "AM", "VOM", "VON", "ZU", "DE", "DU", "DEL", "DI",
        "DA", "DO", "VAN", "REF", "DATE", "TEL", "FAX", "VAT", "TVA", "IVA", "BTW", "MWST", "PAGE",
    ];
    let prefix = words.first()?.text.as_str();
    if !(1..=CAPITALS_MAX).contains(&prefix.len())
        || !prefix.bytes().all(|it| it.is_ascii_uppercase())
        || WORDS.contains(&prefix)
        || is_currency(prefix)
    {
        return None;
    }
    let first = bare(&near(words, 1)?.text);
    // `MAI 2026` is a month, `FT A/1234` a number, `DE 123456789` is for taxes.
    let dated = || values::date(&format!("1 {prefix} {first}")).is_some();
    if !is_number(first, 1) || dated() || super::is_vat_id(&format!("{prefix}{first}")) {
        return None;
    }
    let figures = |word: &Word| 2 <= word.text.len() && word.text.bytes().all(|it| it.is_ascii_digit());
    let more = near(words, 2).filter(|word| is_year(first) && figures(word)).is_some();
    let length = 2 + usize::from(more);
    let stroke = |word: &Word| !word.text.contains(char::is_alphanumeric);
    let ends = near(words, length)
        .is_none_or(|next| stroke(next) || is_date(&next.text) || next.text.starts_with(|it: char| it.is_lowercase()));
    let year_alone = is_year(first) && !more && near(words, length).is_none_or(|next| !stroke(next));
    (ends && !year_alone).then_some(length)
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && (text.starts_with("19") || text.starts_with("20")) && text.bytes().all(|it| it.is_ascii_digit())
}

/// `123 / A`, `2026 - 0042`: goes on behind a stroke where one side of it is a year or short. Behind `90012345 / 10022` stands
/// the number of something else.
fn parted(words: &[Word], mut length: usize) -> usize {
    const PARTS_MAX: usize = 3;
    const SHORT: usize = 3;
    for _ in 1..PARTS_MAX {
        let strokes = |text: &str| !text.is_empty() && text.chars().all(|it| it == '/' || values::is_dash(it));
        let Some(last) = words.get(length - 1) else { break };
        let Some(stroke) = near(words, length) else { break };
        // The stroke can also stand at one of the two: `2026/ 0042`, `123 /A`.
        let (next_at, next) = if strokes(&stroke.text) {
            (length + 1, near(words, length + 1).map(|it| it.text.as_str()))
        } else if last.text.ends_with('/') || stroke.text.starts_with('/') {
            (length, Some(stroke.text.as_str()))
        } else {
            break;
        };
        let Some(next) = next.map(bare) else { break };
        let (before, behind) = (bare(&last.text).trim_matches('/'), next.trim_matches('/'));
        let short = |it: &str| it.len() <= SHORT || is_year(it);
        let letters = behind.len() <= 2 && !behind.is_empty() && behind.bytes().all(|it| it.is_ascii_uppercase());
        let fits = letters || is_number(behind, 1);
        if !fits || is_date(next) || !(short(before) || short(behind)) {
            break;
        }
        length = next_at + 1;
    }
    length
}
