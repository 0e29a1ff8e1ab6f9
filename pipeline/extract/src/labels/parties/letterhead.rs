//! The seller's name without a label: at the head or the foot of the first page, told by what else speaks for it.

use case::Field;

use super::{Block, at, is_company, name};
use crate::labels::Sheet;
use crate::labels::words::tokens;
use crate::pdf::{Word, joined};

/// Shares of the page's height in which a letterhead and a footer stand.
const HEAD: f64 = 0.3;
const FOOT: f64 = 0.85;
const CANDIDATES_MAX: usize = 60;
/// What speaks for a name must weigh this much together.
const WEIGHT_MIN: f64 = 1.5;

/// Words that begin a title, not a name.
const TITLES: [&str; 22] = [
    "rechnung",
    "invoice",
    "facture",
    "factura",
    "fattura",
    "factuur",
    "fatura",
    "gutschrift",
    "credit",
    "avoir",
    "tax",
    "seite",
    "page",
    "datum",
    "date",
    "kopie",
    "copy",
    "duplicata",
    "original",
    "bill",
    "statement",
    "receipt",
];

fn weight_of(words: &[Word], page_height: f64, others: &str, addresses: &str) -> f64 {
    let text = joined(words).to_lowercase();
    let compact: String = text.chars().filter(|it| it.is_alphanumeric()).collect();
    let first: String = tokens(&text).into_iter().next().unwrap_or_default();
    let top = words.first().map_or(page_height, |word| word.area[1]) / page_height;
    let mut weight = 0.0;
    if is_company(words) {
        weight += 1.5;
    }
    if 4 <= compact.len() && 1 < others.matches(&text).count() {
        weight += 1.0;
    }
    if (4 <= first.len() && addresses.contains(&first)) || (4 <= compact.len() && addresses.contains(&compact)) {
        weight += 1.5;
    }
    if top < 0.12 {
        weight += 1.0;
    }
    weight
}

/// The best name at the head or the foot of the first page that is not the buyer's.
pub(super) fn find(sheet: &Sheet<'_>, blocks: &[Block], is_buyer: impl Fn(&[Word]) -> bool) -> Option<Field> {
    let page = sheet.pages.first()?;
    let all = page.lines.iter().map(|line| joined(line.words()).to_lowercase()).collect::<Vec<_>>().join(" ");
    // Names of companies stand in their addresses on the net.
    let addresses: String = page
        .lines
        .iter()
        .flat_map(|line| line.words())
        .filter(|word| word.text.contains('@') || word.text.contains("www") || word.text.contains("http"))
        .flat_map(|word| {
            word.text.to_lowercase().chars().filter(|it| it.is_alphanumeric() || *it == ' ').collect::<Vec<_>>()
        })
        .collect();
    let mut best: Option<(f64, Vec<Word>)> = None;
    let mut n_seen = 0;
    for (line_idx, line) in page.lines.iter().enumerate() {
        let top = line.area()[1];
        if HEAD * page.height < top && top < FOOT * page.height {
            continue;
        }
        for (cell_idx, cell) in line.cells.iter().enumerate() {
            let title = tokens(&cell.text()).first().is_some_and(|it| TITLES.contains(&it.as_str()));
            if n_seen == CANDIDATES_MAX || title || sheet.begins_with_label(0, line_idx, cell_idx) {
                continue;
            }
            let Some(words) = name(&cell.words).filter(|words| !is_buyer(words)) else { continue };
            n_seen += 1;
            // The block of an addressee is not a letterhead.
            let heads = blocks.iter().position(|block| block.name == words);
            let mut weight = weight_of(&words, page.height, &all, &addresses);
            if heads == Some(0) && 1 < blocks.len() {
                weight += 0.5;
            }
            if best.as_ref().is_none_or(|(other, _)| *other < weight) {
                best = Some((weight, words));
            }
        }
    }
    let (weight, words) = best.filter(|(weight, _)| WEIGHT_MIN <= *weight)?;
    Some(at(sheet, 0, &words, (0.3 + 0.1 * weight).min(0.7)))
}
