//! Whatever stands beside or below a label, without asking what the label means: a reviewer's correction says later which
//! of them was the value, and the vendor's next document is read by it.

use case::{Evidence, LABELLED_MAX, Labelled};

use super::printed::{self, DateOrder};
use crate::pdf::{Cell, Page, Word, around, joined};

const LABEL_CHARS_MAX: usize = 60;
const VALUE_CHARS_MAX: usize = 60;
/// Lines below a label that can hold its value.
const BELOW_LINES: usize = 2;

pub(super) fn read(pages: &[Page], order: DateOrder) -> Vec<Labelled> {
    let mut out = Vec::new();
    for page in pages {
        for (idx, line) in page.lines.iter().enumerate() {
            for (at, cell) in line.cells.iter().enumerate() {
                let split = cell.words.iter().position(|word| word.text.ends_with(':')).map_or(0, |it| it + 1);
                let (label, value) = cell.words.split_at(split);
                let before = at.checked_sub(1).and_then(|it| line.cells.get(it));
                let labels = match (label, before) {
                    ([], _) => {
                        let above = page.lines.iter().take(idx).rev().take(BELOW_LINES);
                        let above = above.flat_map(|it| &it.cells).find(|it| overlap(it, cell));
                        [before, above].map(|it| it.and_then(|it| name(&it.words)))
                    }
                    (words, _) => [name(words), None],
                };
                for label in labels.into_iter().flatten() {
                    out.extend(labelled(page.number, label, value, order));
                    if out.len() == LABELLED_MAX {
                        return out;
                    }
                }
            }
        }
    }
    out
}

fn overlap(above: &Cell, cell: &Cell) -> bool {
    let ([left, _, right, _], [cell_left, _, cell_right, _]) = (above.area(), cell.area());
    left < cell_right && cell_left < right
}

/// A label as it is compared: it says something, in letters.
fn name(words: &[Word]) -> Option<String> {
    let text = joined(words).to_lowercase();
    let name: String = text.trim_end_matches([':', ' ', '.', '#']).split_whitespace().collect::<Vec<_>>().join(" ");
    let letters = name.chars().filter(|it| it.is_alphabetic()).count();
    (2 <= letters && name.chars().count() <= LABEL_CHARS_MAX && !name.contains(|it: char| it.is_ascii_digit()))
        .then_some(name)
}

/// Only what has a digit can be one of the values that are learned.
fn labelled(page: u32, label: String, value: &[Word], order: DateOrder) -> Option<Labelled> {
    let text = joined(value);
    if !text.contains(|it: char| it.is_ascii_digit()) || VALUE_CHARS_MAX < text.chars().count() {
        return None;
    }
    let amounts = printed::amounts(value);
    let amount = match amounts.as_slice() {
        [amount] if !amount.percent => Some(amount.text.clone()),
        _ => None,
    };
    let date = printed::date(value, order).map(|(date, _)| date);
    Some(Labelled { label, date, amount, evidence: Evidence::Page { page, area: around(value), text } })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::pdf::Line;

    fn cell(left: f64, top: f64, text: &str) -> Cell {
        let mut at = left;
        let words = text.split(' ').map(|text| {
            let area = [at, top, at + 5.0 * text.len() as f64, top + 10.0];
            at = area[2] + 4.0;
            Word { text: text.to_owned(), area }
        });
        Cell { words: words.collect() }
    }

    #[test]
    fn a_value_has_the_label_in_front_of_it_and_the_one_above_it() {
        let lines = vec![
            Line { cells: vec![cell(50.0, 10.0, "Our mark:"), cell(200.0, 10.0, "R-7")] },
            Line { cells: vec![cell(50.0, 30.0, "Made on"), cell(200.0, 30.0, "To pay")] },
            Line { cells: vec![cell(50.0, 45.0, "04.03.2026"), cell(200.0, 45.0, "1.190,00 €")] },
            Line { cells: vec![cell(50.0, 60.0, "Ref: 4711")] },
            Line { cells: vec![cell(50.0, 75.0, "no digits"), cell(200.0, 75.0, "at all")] },
        ];
        let pages = [Page { number: 1, width: 595.0, height: 842.0, lines }];
        let found = read(&pages, DateOrder::of([].iter(), [].iter(), Some("de")));
        let found: Vec<(&str, &str, Option<&str>, Option<&str>)> = found
            .iter()
            .map(|it| (it.label.as_str(), it.evidence.text(), it.date.as_deref(), it.amount.as_deref()))
            .collect();
        assert!(found.contains(&("our mark", "R-7", None, None)), "{found:?}");
        assert!(found.contains(&("made on", "04.03.2026", Some("2026-03-04"), None)), "{found:?}");
        assert!(found.contains(&("to pay", "1.190,00 €", None, Some("1190.00"))), "{found:?}");
        assert!(found.contains(&("ref", "4711", None, Some("4711"))), "{found:?}");
        assert!(found.iter().all(|(_, text, ..)| *text != "at all"), "{found:?}");
    }
}
