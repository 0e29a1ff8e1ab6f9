use std::collections::BTreeMap;

use case::{Field, FieldName, Fields, VatField};
use rust_decimal::Decimal;

use super::printed::{self, Amount};
use super::words::{Hit, Meaning};
use super::{Sheet, keep};
use crate::pdf::Word;

/// An amount that a label calls by a field's name.
#[derive(Clone)]
struct Candidate {
    amount: Amount,
    page: usize,
    strength: f64,
}

const CANDIDATES_MAX: usize = 120;
/// Rows of figures under the heading of a table of totals.
const ROWS_BELOW: usize = 5;

/// Totals, currency and, where there is one rate, the VAT breakdown. Of several readings, the one in which net and tax make gross.
pub(super) fn read(sheet: &Sheet<'_>, fields: &mut Fields) {
    let candidates = |name| candidates(sheet, name);
    let (line_totals, mut taxes) = (candidates(FieldName::LineTotal), candidates(FieldName::TaxTotal));
    let (mut nets, grosses, payables) =
        (candidates(FieldName::NetTotal), candidates(FieldName::GrossTotal), candidates(FieldName::Payable));
    // Where nothing is added or taken off, the sum of the lines is the net total.
    nets.extend(line_totals.iter().map(|it| Candidate { strength: 0.9 * it.strength, ..it.clone() }));
    let all_grosses: Vec<Candidate> = grosses
        .iter()
        .cloned()
        .chain(payables.iter().map(|it| Candidate { strength: 0.8 * it.strength, ..it.clone() }))
        .collect();

    let single = &mut fields.single;
    if let Some(sum) = adding_up(sheet, &nets, &taxes, &all_grosses) {
        for (name, candidate, confidence) in [
            (FieldName::NetTotal, &sum.net, 0.97),
            (FieldName::TaxTotal, &sum.tax, if sum.tax.strength < 0.5 { 0.8 } else { 0.97 }),
            (FieldName::GrossTotal, &sum.gross, 0.97),
        ] {
            keep(single, name, Some(candidate.field(sheet, confidence)));
        }
    } else {
        // Nothing confirms them: a tax above the total is none, and the others are given with doubt.
        let largest = strongest(&all_grosses).map(|gross| gross.amount.value.abs());
        taxes.retain(|tax| largest.is_none_or(|largest| tax.amount.value.abs() < largest));
        let doubt = if nets.is_empty() || taxes.is_empty() || grosses.is_empty() { 1.0 } else { 0.7 };
        for (name, list) in
            [(FieldName::NetTotal, &nets), (FieldName::TaxTotal, &taxes), (FieldName::GrossTotal, &grosses)]
        {
            keep(single, name, strongest(list).map(|it| it.field(sheet, doubt * (0.3 + 0.5 * it.strength))));
        }
    }
    for (name, list) in [
        (FieldName::LineTotal, &line_totals),
        (FieldName::Payable, &payables),
        (FieldName::Prepaid, &candidates(FieldName::Prepaid)),
        (FieldName::AllowanceTotal, &candidates(FieldName::AllowanceTotal)),
        (FieldName::ChargeTotal, &candidates(FieldName::ChargeTotal)),
    ] {
        keep(single, name, strongest(list).filter(|it| 0.9 <= it.strength).map(|it| it.field(sheet, 0.8)));
    }
    keep(single, FieldName::Currency, currency(sheet));
    fields.vat_breakdown.extend(only_rate(sheet, single));
}

impl Candidate {
    fn negated(&self) -> Candidate {
        let mut candidate = self.clone();
        candidate.amount.value = -candidate.amount.value;
        candidate.amount.text = match candidate.amount.text.strip_prefix('-') {
            Some(text) => text.to_owned(),
            None => format!("-{}", candidate.amount.text),
        };
        candidate
    }

    fn field(&self, sheet: &Sheet<'_>, confidence: f64) -> Field {
        crate::field(self.amount.text.clone(), confidence, sheet.evidence(self.page, &self.amount.words))
    }
}

fn candidates(sheet: &Sheet<'_>, name: FieldName) -> Vec<Candidate> {
    let mut out = Vec::new();
    for hit in sheet.of(Meaning::Field(name)) {
        let beside = beside(sheet, hit);
        let (found, strength) = if beside.is_empty() { (below(sheet, hit), 0.9) } else { (beside, 1.0) };
        out.extend(found.into_iter().map(|amount| Candidate {
            amount,
            page: hit.page,
            strength: strength * hit.strength,
        }));
    }
    out.truncate(CANDIDATES_MAX);
    out
}

/// The last amount on the label's line before the next label: `VAT 19 % on 100.00   19.00` means the last.
fn beside(sheet: &Sheet<'_>, hit: &Hit) -> Vec<Amount> {
    let Some(line) = sheet.line(hit.page, hit.line) else { return Vec::new() };
    let next = sheet.hits_on(hit.page, hit.line).iter().find(|other| {
        (hit.cell, hit.first) < (other.cell, other.first)
            && matches!(other.meaning, Meaning::Field(_))
            && other.strength == 1.0
    });
    let mut words: Vec<Word> =
        line.cells.get(hit.cell).and_then(|cell| cell.words.get(hit.end..)).unwrap_or_default().to_vec();
    let end = next.map_or(line.cells.len(), |next| next.cell);
    if next.is_some_and(|next| next.cell == hit.cell) {
        words.truncate(next.map_or(0, |next| next.first.saturating_sub(hit.end)));
    }
    // `Total – 5,00`: a stroke between two spaces parts the label from the amount.
    if words.first().is_some_and(|word| matches!(word.text.as_str(), "–" | "—")) {
        words.remove(0);
    }
    let cells = line.cells.get(hit.cell + 1..end).unwrap_or_default();
    let signed = if let [sign, figure] = cells { printed::signed(sign, figure) } else { None };
    match signed {
        Some(cell) => words.extend(cell.words),
        None => words.extend(cells.iter().flat_map(|cell| &cell.words).cloned()),
    }
    printed::amounts(&words).into_iter().rfind(|amount| amount.money).into_iter().collect()
}

/// Figures under the label of a column, down to the first line that has none.
fn below(sheet: &Sheet<'_>, hit: &Hit) -> Vec<Amount> {
    let Some(page) = sheet.pages.get(hit.page) else { return Vec::new() };
    let [left, _, right, mut bottom] = hit.area;
    let height = hit.area[3] - hit.area[1];
    let mut out = Vec::new();
    for line in page.lines.iter().skip(hit.line + 1).take(2 * ROWS_BELOW) {
        let [_, top, _, line_bottom] = line.area();
        if 2.5 * height < top - bottom || ROWS_BELOW <= out.len() {
            break;
        }
        let found = line.cells.iter().flat_map(|cell| printed::amounts(&cell.words)).find(|amount| {
            let [amount_left, _, amount_right, _] = crate::pdf::around(&amount.words);
            amount.money
                && amount_left < right + 2.0 * height
                && left - 2.0 * height < amount_right
                && ((amount_right - right).abs() < 4.0 * height || (amount_left - left).abs() < 4.0 * height)
        });
        if let Some(found) = found {
            bottom = line_bottom;
            out.push(found);
        }
    }
    out
}

struct Sum {
    net: Candidate,
    tax: Candidate,
    gross: Candidate,
}

/// Net, tax and gross that add up; the best labelled, and of equals the largest.
fn adding_up(sheet: &Sheet<'_>, nets: &[Candidate], taxes: &[Candidate], grosses: &[Candidate]) -> Option<Sum> {
    let by_value = |list: &[Candidate]| {
        let mut map: BTreeMap<Decimal, Candidate> = BTreeMap::new();
        for candidate in list {
            let best = map.entry(candidate.amount.value).or_insert_with(|| candidate.clone());
            if best.strength < candidate.strength {
                *best = candidate.clone();
            }
        }
        map
    };
    let (nets, taxes, grosses) = (by_value(nets), by_value(taxes), by_value(grosses));
    let printed = all_printed(sheet);
    let mut best: Option<(f64, Decimal, Sum)> = None;
    for gross in grosses.values() {
        for net in nets.values() {
            let Some(rest) = gross.amount.value.checked_sub(net.amount.value) else { continue };
            // More tax than net, or of the other sign, is no tax.
            if net.amount.value.abs() < rest.abs()
                || (!rest.is_zero() && rest.is_sign_negative() != net.amount.value.is_sign_negative())
            {
                continue;
            }
            // Credit notes print the tax without its sign.
            let unsigned = || taxes.get(&-rest).filter(|_| rest.is_sign_negative()).map(|it| it.negated());
            let labelled = taxes.get(&rest).cloned().or_else(unsigned);
            let unlabelled = || printed.get(&rest).cloned().filter(|_| !rest.is_zero());
            let Some(tax) = labelled.or_else(unlabelled) else { continue };
            let score = gross.strength + net.strength + tax.strength;
            let size = gross.amount.value.abs();
            if best.as_ref().is_none_or(|(other, largest, _)| (*other, *largest) < (score, size)) {
                best = Some((score, size, Sum { net: net.clone(), tax, gross: gross.clone() }));
            }
        }
    }
    best.map(|(.., sum)| sum)
}

/// Every amount of money on the pages by its value; the last where it stands twice.
fn all_printed(sheet: &Sheet<'_>) -> BTreeMap<Decimal, Candidate> {
    let mut out = BTreeMap::new();
    for (page_idx, page) in sheet.pages.iter().enumerate() {
        for cell in page.lines.iter().flat_map(|line| &line.cells) {
            for amount in printed::amounts(&cell.words).into_iter().filter(|amount| amount.money) {
                out.insert(amount.value, Candidate { amount, page: page_idx, strength: 0.3 });
            }
        }
    }
    out
}

/// The best labelled; of equals the last, since totals stand at the end.
fn strongest(list: &[Candidate]) -> Option<&Candidate> {
    list.iter().max_by(|a, b| a.strength.total_cmp(&b.strength))
}

/// The code behind its label, or the code or sign beside the amounts, where all of them agree.
fn currency(sheet: &Sheet<'_>) -> Option<Field> {
    let labelled = sheet.labelled(FieldName::Currency, |words| {
        let word =
            words.iter().find(|word| printed::is_currency(bare(word)) || bare(word).eq_ignore_ascii_case("euro"))?;
        let code = if bare(word).eq_ignore_ascii_case("euro") {
            "EUR".to_owned()
        } else {
            crate::values::currency(bare(word))?
        };
        Some((code, vec![word.clone()]))
    });
    if labelled.is_some() {
        return labelled;
    }
    let mut counts: BTreeMap<String, (usize, usize, Word)> = BTreeMap::new();
    for (page_idx, page) in sheet.pages.iter().enumerate() {
        for word in page.lines.iter().flat_map(|line| line.words()) {
            let sign = word.text.chars().find(|it| "€£₹".contains(*it)).map(String::from);
            let dollars = || word.text.strip_prefix("US$").map(|_| "USD".to_owned());
            let code = || printed::is_currency(bare(word)).then(|| bare(word).to_owned());
            if let Some(code) = sign.or_else(dollars).or_else(code).and_then(|it| crate::values::currency(&it)) {
                counts.entry(code).or_insert((0, page_idx, word.clone())).0 += 1;
            }
        }
    }
    let total: usize = counts.values().map(|(count, ..)| count).sum();
    let (code, (count, page, word)) = counts.into_iter().max_by_key(|(_, (count, ..))| *count)?;
    let share = count as f64 / total as f64;
    (0.6 < share).then(|| crate::field(code, 0.6 + 0.35 * share, sheet.evidence(page, &[word])))
}

fn bare(word: &Word) -> &str {
    word.text.trim_matches(|it: char| ".,:;()[]".contains(it))
}

/// One rate on the lines that speak of tax, and it makes this tax of this net: the whole breakdown is one group.
fn only_rate(sheet: &Sheet<'_>, single: &BTreeMap<FieldName, Field>) -> Option<BTreeMap<VatField, Field>> {
    let (net, tax) = (single.get(&FieldName::NetTotal)?, single.get(&FieldName::TaxTotal)?);
    let (net_value, tax_value): (Decimal, Decimal) = (net.value.parse().ok()?, tax.value.parse().ok()?);
    let mut rates: BTreeMap<Decimal, (usize, Amount)> = BTreeMap::new();
    for hit in sheet.of(Meaning::Field(FieldName::TaxTotal)) {
        let Some(line) = sheet.line(hit.page, hit.line) else { continue };
        for cell in &line.cells {
            for amount in printed::amounts(&cell.words).into_iter().filter(|amount| amount.percent) {
                rates.entry(amount.value.normalize()).or_insert((hit.page, amount));
            }
        }
    }
    let (rate, (page, amount)) = rates.pop_first().filter(|_| rates.is_empty())?;
    let expected = net_value.checked_mul(rate)?.checked_div(Decimal::ONE_HUNDRED)?.round_dp(2);
    let off = expected.checked_sub(tax_value)?.abs();
    (off <= Decimal::new(1, 2)).then(|| {
        let rate = crate::field(amount.text.clone(), 0.95, sheet.evidence(page, &amount.words));
        BTreeMap::from([(VatField::Rate, rate), (VatField::Taxable, net.clone()), (VatField::Tax, tax.clone())])
    })
}
