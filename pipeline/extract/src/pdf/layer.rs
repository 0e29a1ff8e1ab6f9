//! The invisible text that programs lay under a scan, so that it can be searched. Where it says what character recognition
//! reads at the same places, it hides nothing.

use super::layout::{Line, Word};

/// Letters of a word for each one that may differ: both were recognised, by two programs. Figures must not differ.
const LETTERS_PER_SLIP: usize = 4;
const LETTERS_MAX: usize = 200;

/// How many words of `hidden` are not what was `recognised` at the same places; both in points on the page.
pub(super) fn count_other_words(hidden: &[Line], recognised: &[Word]) -> usize {
    let mut recognised: Vec<(&Word, String)> = recognised.iter().map(|word| (word, folded(&word.text))).collect();
    recognised.sort_by(|(a, _), (b, _)| a.area[0].total_cmp(&b.area[0]));
    let confirmed = |word: &&Word| {
        let wanted = folded(&word.text);
        let here = recognised.iter().filter(|(it, _)| beside(word.area, it.area)).map(|(_, text)| text.as_str());
        wanted.is_empty() || agrees(&wanted, &here.collect::<Vec<&str>>())
    };
    hidden.iter().flat_map(Line::words).filter(|word| !confirmed(word)).count()
}

fn agrees(wanted: &str, here: &[&str]) -> bool {
    if here.concat().contains(wanted) {
        return true;
    }
    let n_letters = wanted.chars().count();
    let slips = n_letters / LETTERS_PER_SLIP;
    n_letters <= LETTERS_MAX
        && !wanted.contains(|it: char| it.is_ascii_digit())
        && here.iter().any(|it| it.chars().count() <= LETTERS_MAX && distance(wanted, it) <= slips)
}

/// Letters and figures alone, small.
fn folded(text: &str) -> String {
    text.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Do two areas (left, top, right, bottom) share a part of a line?
fn beside(a: [f64; 4], b: [f64; 4]) -> bool {
    let share = |[a_low, a_high]: [f64; 2], [b_low, b_high]: [f64; 2]| a_high.min(b_high) - a_low.max(b_low);
    let height = (a[3] - a[1]).min(b[3] - b[1]);
    0.0 < share([a[0], a[2]], [b[0], b[2]]) && 0.4 * height < share([a[1], a[3]], [b[1], b[3]])
}

/// Letters put in, left out or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (idx, a) in a.chars().enumerate() {
        let (mut diagonal, mut left) = (idx, idx + 1);
        for (b, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(a != *b);
            diagonal = *cell;
            left = changed.min(left + 1).min(*cell + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = idx + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
