use std::collections::BTreeMap;

use case::{Field, FieldName};

use super::printed;
use super::words::{Hit, Meaning, tokens};
use super::{Sheet, keep};
use crate::pdf::{Cell, Page, Word};

/// Seller, buyer, and the identifiers that say who they are and where the money goes.
pub(super) fn read(sheet: &Sheet<'_>, single: &mut BTreeMap<FieldName, Field>) {
    let blocks = sheet.pages.first().map(blocks).unwrap_or_default();
    let sender = sheet.pages.first().and_then(sender_line);
    let seller = labelled_name(sheet, Meaning::Seller)
        .or_else(|| sender.as_ref().map(|name| at(sheet, 0, name, 0.65)))
        .or_else(|| blocks.iter().find(|block| block.reachable).map(|block| at(sheet, 0, &block.name, 0.5)));
    let not_seller = |words: &[Word]| {
        let name = crate::pdf::joined(words).to_lowercase();
        seller.as_ref().is_none_or(|seller| {
            let seller = seller.value.to_lowercase();
            !name.contains(&seller) && !seller.contains(&name)
        })
    };
    let buyer = labelled_name(sheet, Meaning::Buyer).or_else(|| {
        let mut others = blocks.iter().filter(|block| !block.reachable && !block.elsewhere && not_seller(&block.name));
        let first = others.next()?;
        Some(at(sheet, 0, &first.name, 0.6))
    });
    vat_ids(sheet, single, buyer.as_ref());
    keep(single, FieldName::SellerName, seller);
    keep(single, FieldName::BuyerName, buyer);
    keep(single, FieldName::Iban, iban(sheet));
    keep(single, FieldName::Bic, bic(sheet));
}

fn at(sheet: &Sheet<'_>, page: usize, words: &[Word], confidence: f64) -> Field {
    let text = crate::pdf::joined(words);
    let value = text.trim_end_matches([',', ';', ':', '-', '|']).trim();
    crate::field(value, confidence, sheet.evidence(page, words))
}

/// The name in the block that a party's label begins: behind `Name:`, or the first line that looks like a name.
fn labelled_name(sheet: &Sheet<'_>, party: Meaning) -> Option<Field> {
    for hit in sheet.of(party).filter(|hit| hit.alone) {
        if let Some(name) = under_name_label(sheet, hit) {
            return Some(name);
        }
        let tail = sheet.tail(hit);
        if let Some(words) = name(tail) {
            return Some(at(sheet, hit.page, &words, 0.8));
        }
        if !tail.is_empty() {
            continue;
        }
        let right = sheet.right(hit).filter(|cell| cell.area()[0] - hit.area[2] < 12.0 * (hit.area[3] - hit.area[1]));
        // Block labels stand above what they announce; only a colon points to the right.
        let colon = sheet.cell(hit).is_some_and(|cell| cell.text().ends_with(':'));
        let right = right.filter(|_| colon).and_then(|cell| name(&cell.words));
        // "Client" may also head a column of a table: without a colon, an address must stand below it.
        let below = || below_block(sheet, hit).filter(|_| colon || city_below(sheet, hit));
        if let Some(words) = right.or_else(below) {
            return Some(at(sheet, hit.page, &words, 0.75));
        }
    }
    None
}

/// Lines between a party's label and its `Name:`.
const NAME_LINES: usize = 5;

fn under_name_label(sheet: &Sheet<'_>, party: &Hit) -> Option<Field> {
    let (first, last) = (party.line + 1, party.line + NAME_LINES);
    let label = (first..=last)
        .flat_map(|line| sheet.hits_on(party.page, line))
        .take_while(|hit| !is_party(hit.meaning))
        .find(|hit| hit.meaning == Meaning::Name && hit.alone && (hit.area[0] - party.area[0]).abs() < 60.0)?;
    let (_, words) = sheet.value_of(label, name)?;
    Some(at(sheet, label.page, &words, 0.9))
}

fn is_party(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Seller | Meaning::Buyer | Meaning::SomeoneElse)
}

fn below_block(sheet: &Sheet<'_>, hit: &Hit) -> Option<Vec<Word>> {
    let [left, _, right, bottom] = hit.area;
    let height = hit.area[3] - hit.area[1];
    let page = sheet.pages.get(hit.page)?;
    for (line_idx, line) in page.lines.iter().enumerate().skip(hit.line + 1).take(6) {
        for (cell_idx, cell) in line.cells.iter().enumerate() {
            let [cell_left, top, cell_right, _] = cell.area();
            let under = cell_left < right && left < cell_right && top - bottom < 5.0 * height;
            let label = || {
                sheet
                    .hits_on(hit.page, line_idx)
                    .iter()
                    .any(|other| other.cell == cell_idx && other.first == 0 && other.alone)
            };
            let other_label = || {
                sheet
                    .hits_on(hit.page, line_idx)
                    .iter()
                    .any(|other| other.cell == cell_idx && other.first == 0 && other.meaning == Meaning::Other)
            };
            if under
                && !label()
                && !other_label()
                && let Some(words) = name(&cell.words)
            {
                return Some(words);
            }
        }
    }
    None
}

fn city_below(sheet: &Sheet<'_>, hit: &Hit) -> bool {
    let [left, _, right, bottom] = hit.area;
    let height = hit.area[3] - hit.area[1];
    let lines = sheet.pages.get(hit.page).map_or(&[][..], |page| &page.lines);
    lines.iter().skip(hit.line + 1).take(20).flat_map(|line| &line.cells).any(|cell| {
        let [cell_left, top, cell_right, _] = cell.area();
        cell_left < right && left < cell_right && top - bottom < 14.0 * height && is_city(cell)
    })
}

/// Signs between the parts of an address in one line.
const SEPARATORS: [&str; 9] = ["-", "–", "·", "•", "●", "|", "*", "/", "—"];

fn n_separators(words: &[Word]) -> usize {
    words.iter().filter(|word| SEPARATORS.contains(&word.text.as_str())).count()
}

/// Words that can be a name: letters first of all, neither date nor amount nor address on the net; up to the first separator.
fn name(words: &[Word]) -> Option<Vec<Word>> {
    let words: Vec<Word> = words.iter().skip_while(|word| word.text == ":").cloned().collect();
    let end = words.iter().position(|word| SEPARATORS.contains(&word.text.as_str())).unwrap_or(words.len());
    let name = words.get(..end)?;
    let text = crate::pdf::joined(name);
    let letters = text.chars().filter(|it| it.is_alphabetic()).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let country = text.len() == 2 && text.bytes().all(|it| it.is_ascii_uppercase());
    let fits = !country
        && (1..=10).contains(&name.len())
        && (2..=100).contains(&text.chars().count())
        && 2 * digits < letters
        && text.starts_with(|it: char| it.is_alphanumeric())
        && !text.contains(['@', '='])
        && !text.to_lowercase().starts_with("http")
        && !text.ends_with(':');
    fits.then(|| name.to_vec())
}

/// An address: a name, and some lines below it one with a postal code.
#[derive(Debug)]
struct Block {
    name: Vec<Word>,
    /// It says how to call or write: the sender's, not the addressee's.
    reachable: bool,
    /// It is where the goods go.
    elsewhere: bool,
}

const BLOCK_LINES_MAX: usize = 8;
const BLOCKS_MAX: usize = 12;

/// Address blocks in the upper part of a page: cells below each other that begin at the same place.
fn blocks(page: &Page) -> Vec<Block> {
    let mut stacks: Vec<Vec<&Cell>> = Vec::new();
    for line in page.lines.iter().take_while(|line| line.area()[1] < 0.5 * page.height) {
        for cell in &line.cells {
            let [left, top, ..] = cell.area();
            let height = cell.words.first().map_or(10.0, Word::height);
            let above = stacks.iter_mut().rev().take(40).find(|stack| {
                stack.last().is_some_and(|last| {
                    let [last_left, _, _, last_bottom] = last.area();
                    (last_left - left).abs() < 4.0 && (-0.5 * height..2.2 * height).contains(&(top - last_bottom))
                })
            });
            match above {
                Some(stack) => stack.push(cell),
                None => stacks.push(vec![cell]),
            }
        }
    }
    let mut out = Vec::new();
    for stack in stacks {
        let Some(code) = stack.iter().position(|cell| is_city(cell)).filter(|idx| 0 < *idx) else { continue };
        let from = code.saturating_sub(BLOCK_LINES_MAX);
        let above = stack.get(from..code).unwrap_or_default();
        let is_label =
            |cell: &&&Cell| cell.text().ends_with(':') || !starts_a_block(cell) || 2 <= n_separators(&cell.words);
        let Some(first) = above.iter().find(|cell| !is_label(cell)) else { continue };
        let Some(words) = name(&first.words) else { continue };
        let heading = above.first().map(|cell| cell.text().to_lowercase()).unwrap_or_default();
        let elsewhere = ["liefer", "deliver", "livraison", "ship"].iter().any(|it| heading.contains(it));
        let text = stack.iter().map(|cell| cell.text().to_lowercase()).collect::<Vec<_>>().join(" ");
        let reachable = ["tel", "fon ", "phone", "fax", "www", "http", "@", "ust-id", "hrb", "iban"]
            .iter()
            .any(|it| text.contains(it))
            && !elsewhere;
        out.push(Block { name: words, reachable, elsewhere });
        if out.len() == BLOCKS_MAX {
            break;
        }
    }
    out
}

fn starts_a_block(cell: &Cell) -> bool {
    let text = cell.text().to_lowercase();
    ![
        "liefer", "deliver", "adresse", "rechnung", "invoice", "facture", "bill", "ship", "firma", "seite", "page",
        "datum", "date",
    ]
    .iter()
    .any(|it| text.starts_with(it))
}

/// `12345 Town`, `D-12345 Town`, `DE 12345 Town`.
fn is_city(cell: &Cell) -> bool {
    let mut words = cell.words.iter().map(|word| word.text.as_str()).peekable();
    if words.peek().is_some_and(|it| (1..=2).contains(&it.len()) && it.bytes().all(|byte| byte.is_ascii_uppercase())) {
        words.next();
    }
    let (Some(code), Some(city)) = (words.next(), words.next()) else { return false };
    let digits = code.rsplit('-').next().unwrap_or(code);
    matches!(digits.len(), 4 | 5)
        && digits.bytes().all(|it| it.is_ascii_digit())
        && city.starts_with(|it: char| it.is_alphabetic())
}

/// The small line of the sender above the window of the envelope: `Company · Street 1 · 12345 Town`.
fn sender_line(page: &Page) -> Option<Vec<Word>> {
    for line in page.lines.iter().take_while(|line| line.area()[1] < 0.4 * page.height) {
        let words: Vec<Word> = line.words().cloned().collect();
        let code = words.iter().any(|word| {
            let digits = word.text.rsplit('-').next().unwrap_or_default();
            digits.len() == 5 && digits.bytes().all(|it| it.is_ascii_digit())
        });
        if 2 <= n_separators(&words)
            && code
            && let Some(found) = name(&words)
            && !found.is_empty()
        {
            return Some(found);
        }
    }
    None
}

/// VAT identifiers belong to the party named on their line, to the block they stand in, or to the seller.
fn vat_ids(sheet: &Sheet<'_>, single: &mut BTreeMap<FieldName, Field>, buyer: Option<&Field>) {
    const OF_BUYER: [&str; 9] =
        ["ihre", "customer", "client", "buyer", "kunde", "kunden", "acheteur", "your", "käufer"];
    const OF_SELLER: [&str; 8] =
        ["unsere", "our", "seller", "supplier", "verkäufer", "vendor", "fournisseur", "lieferant"];
    let buyer_place = buyer.and_then(|field| match &field.evidence {
        case::Evidence::Page { page, area, .. } => Some((*page, *area)),
        _ => None,
    });
    for (page_idx, page) in sheet.pages.iter().enumerate() {
        for (line_idx, line) in page.lines.iter().enumerate() {
            for cell in &line.cells {
                for (value, words) in printed::vat_ids(&cell.words) {
                    let [left, _, right, _] = crate::pdf::around(&words);
                    let before =
                        line.words().filter(|word| word.area[2] <= left + 1.0).flat_map(|word| tokens(&word.text));
                    let spoken: Vec<String> =
                        before.chain(cell.words.iter().flat_map(|word| tokens(&word.text))).collect();
                    let says = |list: &[&str]| spoken.iter().any(|token| list.contains(&token.as_str()));
                    let party = party_above(sheet, page_idx, line_idx, [left, right], buyer_place);
                    let (name, confidence) = match () {
                        () if says(&OF_BUYER) => (FieldName::BuyerVatId, 0.9),
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
    let mut top = lines.get(line)?.area()[1];
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
        if 2.2 * (cell_bottom - cell_top) < top - cell_bottom {
            return None;
        }
        top = cell_top.min(top);
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

fn iban(sheet: &Sheet<'_>) -> Option<Field> {
    let mut best: Option<Field> = None;
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
                    (false, false) => continue,
                };
                if best.as_ref().is_none_or(|field| field.confidence < confidence) {
                    best = Some(crate::field(value, confidence, sheet.evidence(page_idx, &found)));
                }
            }
        }
    }
    best
}

fn bic(sheet: &Sheet<'_>) -> Option<Field> {
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
