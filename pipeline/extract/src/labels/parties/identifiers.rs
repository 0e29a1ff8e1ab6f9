//! Identifiers for VAT and of accounts: told by their form, and given to the party in whose block or line they stand.

use std::collections::BTreeMap;

use case::{Field, FieldName};

use super::is_party;
use crate::labels::Sheet;
use crate::labels::printed;
use crate::labels::wordings;
use crate::labels::words::{Meaning, tokens};
use crate::pdf::Word;

/// Words before an identifier that can say whose it is.
const WORDS_NEAR: usize = 6;

/// VAT identifiers belong to the party named on their line, to the block they stand in, or to the seller.
pub(super) fn vat_ids(sheet: &Sheet<'_>, single: &mut BTreeMap<FieldName, Field>, buyer: Option<&Field>) {
    const OF_BUYER: [&str; 13] = [
        "ihre",
        "customer",
        "client",
        "buyer",
        "kunde",
        "kunden",
        "acheteur",
        "your",
        "käufer",
        "cliente",
        "klant",
        "uw",
        "购买方",
    ];
    const OF_SELLER: [&str; 8] =
        ["unsere", "our", "seller", "supplier", "verkäufer", "vendor", "fournisseur", "lieferant"];
    let buyer_place = buyer.and_then(|field| match &field.evidence {
        case::Evidence::Page { page, area, .. } => Some((*page, *area)),
        _ => None,
    });
    for (page_idx, page) in sheet.pages.iter().enumerate() {
        for (line_idx, line) in page.lines.iter().enumerate() {
            for cell in &line.cells {
                let mut found = printed::vat_ids(&cell.words);
                if found.is_empty() && announces_vat_id(line.words().take_while(|it| it.area[0] < cell.area()[2])) {
                    found = printed::broken_vat_ids(&cell.words);
                }
                for (value, words) in found {
                    let [left, _, right, _] = crate::pdf::around(&words);
                    let before =
                        line.words().filter(|word| word.area[2] <= left + 1.0).flat_map(|word| tokens(&word.text));
                    let spoken: Vec<String> =
                        before.chain(cell.words.iter().flat_map(|word| tokens(&word.text))).collect();
                    let says = |list: &[&str]| spoken.iter().any(|token| list.contains(&token.as_str()));
                    let near: Vec<&Word> = line.words().filter(|word| word.area[0] < left + 1.0).collect();
                    let near = near.iter().rev().take(WORDS_NEAR).flat_map(|word| tokens(&word.text));
                    let theirs =
                        near.chain(words.iter().flat_map(|word| tokens(&word.text))).any(|it| wordings::is_theirs(&it));
                    let party = party_above(sheet, page_idx, line_idx, [left, right], buyer_place);
                    let (name, confidence) = match () {
                        () if theirs || says(&OF_BUYER) => (FieldName::BuyerVatId, 0.9),
                        () if says(&OF_SELLER) => (FieldName::SellerVatId, 0.9),
                        () if party == Some(Meaning::Buyer) => (FieldName::BuyerVatId, 0.75),
                        () if party == Some(Meaning::SomeoneElse) => continue,
                        () => (FieldName::SellerVatId, if party.is_some() { 0.9 } else { 0.8 }),
                    };
                    let better = single.get(&name).is_none_or(|field| field.confidence < confidence);
                    let taken = single
                        .get(&FieldName::SellerVatId)
                        .is_some_and(|field| field.value == value && name == FieldName::BuyerVatId && confidence < 0.9);
                    if better && !taken {
                        single.insert(name, crate::field(value, confidence, sheet.evidence(page_idx, &words)));
                    }
                }
            }
        }
    }
}

fn announces_vat_id<'w>(words: impl Iterator<Item = &'w Word>) -> bool {
    const LABELS: [&str; 8] = ["ustid", "vatid", "vatno", "vatreg", "vatnumber", "tvaintra", "partitaiva", "btwnummer"];
    let spoken: String = words.flat_map(|word| word.text.chars()).filter(|it| it.is_alphabetic()).collect();
    let spoken = spoken.to_lowercase();
    LABELS.iter().any(|it| spoken.contains(it))
}

/// Whose block a place stands in: the party whose label, or the buyer whose name, is at the top of the cells that stand
/// closely above each other.
fn party_above(
    sheet: &Sheet<'_>,
    page: usize,
    line: usize,
    [left, right]: [f64; 2],
    buyer: Option<(u32, [f64; 4])>,
) -> Option<Meaning> {
    const LINES_UP: usize = 40;
    let lines = &sheet.pages.get(page)?.lines;
    let [_, mut top, _, mut bottom] = lines.get(line)?.area();
    for line_idx in (line.saturating_sub(LINES_UP)..line).rev() {
        let column = lines.get(line_idx)?.cells.iter().enumerate().filter(|(_, cell)| {
            let [cell_left, _, cell_right, _] = cell.area();
            cell_left < right && left - 220.0 < cell_right
        });
        // Of two blocks side by side, the one that begins left of the place and nearest to it.
        let Some((cell_idx, cell)) = column.max_by(|(_, a), (_, b)| a.area()[0].total_cmp(&b.area()[0])) else {
            continue;
        };
        let [_, cell_top, _, cell_bottom] = cell.area();
        // On a page that stands on its head, the lines before stand below.
        let gap = (top - cell_bottom).max(cell_top - bottom);
        if 2.2 * (cell_bottom - cell_top) < gap {
            return None;
        }
        (top, bottom) = (cell_top, cell_bottom);
        let party = sheet.hits_on(page, line_idx).iter().find(|hit| hit.cell == cell_idx && is_party(hit.meaning));
        if let Some(party) = party {
            return Some(party.meaning);
        }
        let number = sheet.pages.get(page)?.number;
        if buyer.is_some_and(|(buyer_page, area)| buyer_page == number && holds(cell.area(), area)) {
            return Some(Meaning::Buyer);
        }
    }
    None
}

fn holds([left, top, right, bottom]: [f64; 4], [l, t, r, b]: [f64; 4]) -> bool {
    left <= l && top <= t && r <= right && b <= bottom
}

/// Another account of the seller, as sure as the first, leaves it open which of them is meant.
const SEVERAL_ACCOUNTS: f64 = 0.75;

/// The account to pay to. One that is debited, or called "yours", is the buyer's.
pub(super) fn iban(sheet: &Sheet<'_>) -> Option<Field> {
    let mut best: Option<Field> = None;
    let mut several = false;
    for (page_idx, page) in sheet.pages.iter().enumerate() {
        for line in &page.lines {
            let words: Vec<Word> = line.words().cloned().collect();
            let labelled = words.iter().any(|word| tokens(&word.text).iter().any(|token| token == "iban"));
            for start in 0..words.len() {
                let Some((value, found, right)) = printed::iban(words.get(start..).unwrap_or_default()) else {
                    continue;
                };
                let confidence = match (right, labelled) {
                    (true, true) => 0.97,
                    (true, false) => 0.9,
                    (false, true) => 0.7,
                    (false, false) if printed::is_iban_length(&value) => 0.5,
                    (false, false) => continue,
                };
                if is_debited(&words, start) {
                    continue;
                }
                several |=
                    right && best.as_ref().is_some_and(|it| printed::is_checked_iban(&it.value) && it.value != value);
                if best.as_ref().is_none_or(|field| field.confidence < confidence) {
                    best = Some(crate::field(value, confidence, sheet.evidence(page_idx, &found)));
                }
            }
        }
    }
    let best = best?;
    let confidence = if several { SEVERAL_ACCOUNTS * best.confidence } else { best.confidence };
    Some(Field { confidence, ..best })
}

/// `von Ihrem Konto IBAN … abgebucht`: does the line say that the account at `start` is the one that pays?
fn is_debited(words: &[Word], start: usize) -> bool {
    let before: Vec<String> = words.iter().take(start).rev().take(WORDS_NEAR).flat_map(|it| tokens(&it.text)).collect();
    let of_payer =
        before.iter().any(|token| wordings::is_theirs(token)) && before.iter().any(|token| wordings::is_account(token));
    of_payer || words.iter().flat_map(|word| tokens(&word.text)).any(|token| wordings::is_debit(&token))
}

pub(super) fn bic(sheet: &Sheet<'_>) -> Option<Field> {
    for (page_idx, page) in sheet.pages.iter().enumerate() {
        for line in &page.lines {
            let words: Vec<&Word> = line.words().collect();
            let label = words
                .iter()
                .position(|word| tokens(&word.text).iter().any(|token| matches!(token.as_str(), "bic" | "swift")));
            let Some(label) = label else { continue };
            let found = words
                .iter()
                .skip(label)
                .take(4)
                .find(|word| printed::is_bic(word.text.trim_matches(|it| ",;:.()".contains(it))));
            if let Some(word) = found {
                let value = word.text.trim_matches(|it| ",;:.()".contains(it));
                return Some(crate::field(value, 0.9, sheet.evidence(page_idx, &[(*word).clone()])));
            }
        }
    }
    None
}
