mod identifiers;
mod letterhead;

use std::collections::BTreeMap;

use case::{Field, FieldName};

use super::words::{Hit, Meaning};
use super::{Sheet, keep};
use crate::pdf::{Cell, Page, Word};

/// Seller, buyer, and the identifiers that say who they are and where the money goes.
pub(super) fn read(sheet: &Sheet<'_>, single: &mut BTreeMap<FieldName, Field>) {
    let blocks = sheet.pages.first().map(blocks).unwrap_or_default();
    let sender = sender_line(sheet);
    let labelled_buyer = labelled_name(sheet, Meaning::Buyer);
    let is_buyer = |words: &[Word]| labelled_buyer.as_ref().is_some_and(|buyer| same_name(&buyer.value, words));
    let seller = labelled_name(sheet, Meaning::Seller)
        .or_else(|| sender.as_ref().map(|name| at(sheet, 0, name, 0.65)))
        .or_else(|| {
            let mut reachable = blocks.iter().filter(|block| block.reachable && !is_buyer(&block.name));
            reachable.next().map(|block| at(sheet, 0, &block.name, 0.5))
        })
        .or_else(|| letterhead::find(sheet, &blocks, is_buyer));
    let not_seller = |words: &[Word]| seller.as_ref().is_none_or(|seller| !same_name(&seller.value, words));
    let others = |elsewhere: bool, confidence: f64| {
        let mut fit =
            blocks.iter().filter(|block| !block.reachable && block.elsewhere == elsewhere && not_seller(&block.name));
        fit.next().map(|block| at(sheet, 0, &block.name, confidence))
    };
    // Where only the place of delivery is named, it is the buyer's.
    let buyer = labelled_buyer.clone().or_else(|| others(false, 0.6)).or_else(|| others(true, 0.45));
    identifiers::vat_ids(sheet, single, buyer.as_ref());
    keep(single, FieldName::SellerName, seller);
    keep(single, FieldName::BuyerName, buyer);
    keep(single, FieldName::Iban, identifiers::iban(sheet));
    keep(single, FieldName::Bic, identifiers::bic(sheet));
}

/// Is one name a part of the other?
fn same_name(name: &str, words: &[Word]) -> bool {
    let (name, other) = (name.to_lowercase(), crate::pdf::joined(words).to_lowercase());
    name.contains(&other) || other.contains(&name)
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
    let mut first: Option<Vec<Word>> = None;
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
                if is_company(&words) || first.is_some() {
                    return if is_company(&words) { Some(words) } else { first };
                }
                first = Some(words);
            }
        }
    }
    first
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

/// Forms of companies, as they end a name: compared without dots and case.
const COMPANIES: [&str; 44] = [
    "gmbh",
    "ag",
    "kg",
    "kgaa",
    "ohg",
    "gbr",
    "ug",
    "ek",
    "ev",
    "eg",
    "mbh",
    "ltd",
    "limited",
    "plc",
    "llc",
    "llp",
    "inc",
    "corp",
    "corporation",
    "company",
    "sarl",
    "sas",
    "sasu",
    "sa",
    "eurl",
    "snc",
    "srl",
    "spa",
    "sl",
    "slu",
    "sau",
    "bv",
    "nv",
    "vof",
    "lda",
    "unipessoal",
    "oy",
    "ab",
    "aps",
    "sro",
    "kft",
    "pty",
    "sca",
    "se",
];

/// `GmbH`, `S.p.A.`, `有限公司` at or near the end of a name.
pub(super) fn is_company(words: &[Word]) -> bool {
    let form = |word: &Word| {
        let bare: String = word.text.chars().filter(|it| it.is_alphanumeric()).collect();
        let upper = bare.chars().any(char::is_uppercase) || word.text.contains('.');
        upper && COMPANIES.contains(&bare.to_lowercase().as_str())
    };
    words.iter().skip(1).any(form) || words.iter().any(|word| word.text.contains("公司"))
}

/// A person's title that stands on a line of its own above the name.
const SALUTATIONS: [&str; 16] = [
    "herr",
    "herrn",
    "frau",
    "firma",
    "familie",
    "eheleute",
    "mr",
    "mrs",
    "ms",
    "monsieur",
    "madame",
    "société",
    "señor",
    "señora",
    "sig",
    "an",
];

fn is_salutation(words: &[Word]) -> bool {
    let only = |words: &[Word]| {
        words.iter().all(|word| {
            let bare = word.text.trim_matches(|it: char| !it.is_alphanumeric()).to_lowercase();
            SALUTATIONS.contains(&bare.as_str()) || bare.is_empty()
        })
    };
    only(words)
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
        && !text.ends_with(':')
        && !is_salutation(name);
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
                    (last_left - left).abs() < 4.0 && (-0.5 * height..2.6 * height).contains(&(top - last_bottom))
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
        let mut names = above.iter().filter(|cell| !is_label(cell)).filter_map(|cell| name(&cell.words));
        let Some(first) = names.next() else { continue };
        // A brand or a person may stand above the company.
        let words = if is_company(&first) { first } else { names.next().filter(|it| is_company(it)).unwrap_or(first) };
        let heading = above.first().map(|cell| cell.text().to_lowercase()).unwrap_or_default();
        let elsewhere = ["liefer", "deliver", "livraison", "ship", "entrega", "consegna", "destinazione", "waren"]
            .iter()
            .any(|it| heading.contains(it));
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
        "liefer",
        "deliver",
        "adresse",
        "rechnung",
        "invoice",
        "facture",
        "bill",
        "ship",
        "firma",
        "seite",
        "page",
        "datum",
        "date",
        "factura",
        "fattura",
        "factuur",
        "fatura",
        "spett",
        "exmo",
        "addres",
        "anschrift",
        "dirección",
        "indirizzo",
        "tel",
        "fax",
        "e-mail",
        "email",
        "destinat",
    ]
    .iter()
    .any(|it| text.starts_with(it))
}

/// A line with a postal code: `12345 Town`, `D-12345 Town`, `1234 AB Town`, `1234-567 Town`, `Town, ST 12345`, `Town AB1 2CD`.
pub(super) fn is_city(cell: &Cell) -> bool {
    let mut words: Vec<&str> = cell.words.iter().map(|word| word.text.trim_end_matches(',')).collect();
    let upper = |it: &str| it.bytes().all(|byte| byte.is_ascii_uppercase());
    if words.first().is_some_and(|it| (1..=2).contains(&it.len()) && upper(it)) {
        words.remove(0);
    }
    let digits = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    let named = |it: Option<&&str>| it.is_some_and(|it| it.starts_with(char::is_alphabetic));
    let leading = words.first().is_some_and(|code| {
        let bare =
            code.split_once('-').filter(|(land, _)| land.len() <= 2 && upper(land)).map_or(*code, |(_, code)| code);
        let figures = bare.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = bare.split_at(figures);
        let glued = matches!(number.len(), 4 | 5) && rest.chars().count() > 2 && rest.chars().all(char::is_alphabetic);
        let joined = bare
            .split_once('-')
            .is_some_and(|(a, b)| digits(a) && digits(b) && matches!((a.len(), b.len()), (4, 3) | (2, 3)));
        let plain = rest.is_empty() && matches!(number.len(), 4 | 5);
        let parted = rest.is_empty() && number.len() == 3 && words.get(1).is_some_and(|it| it.len() == 2 && digits(it));
        glued || (plain || joined) && named(words.get(1)) || parted && named(words.get(2))
    });
    // American and British lines end with the code.
    let state = words.iter().rev().take(2).zip(words.iter().rev().skip(1)).any(|(code, state)| {
        let code = code.split_once('-').map_or(*code, |(code, _)| code);
        code.len() == 5 && digits(code) && state.len() == 2 && upper(state)
    });
    let british = words.iter().zip(words.iter().skip(1)).any(|(outward, inward)| {
        let inward: Vec<u8> = inward.bytes().collect();
        let [digit, a, b] = inward.as_slice() else { return false };
        let outward_fits = (2..=4).contains(&outward.len())
            && outward.starts_with(|it: char| it.is_ascii_uppercase())
            && outward.contains(|it: char| it.is_ascii_digit());
        digit.is_ascii_digit() && a.is_ascii_uppercase() && b.is_ascii_uppercase() && outward_fits
    });
    leading || state || british
}

/// The small line of the sender above the window of the envelope: `Company · Street 1 · 12345 Town`.
/// One that a label begins is someone else's (`Rechnung an: Company - Street 1 - 12345 Town`).
fn sender_line(sheet: &Sheet<'_>) -> Option<Vec<Word>> {
    let page = sheet.pages.first()?;
    let upper = page.lines.iter().enumerate().take_while(|(_, line)| line.area()[1] < 0.4 * page.height);
    for (line_idx, line) in upper {
        if sheet.hits_on(0, line_idx).iter().any(|hit| hit.cell == 0 && hit.first == 0 && hit.alone) {
            continue;
        }
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
