//! Totals, found by their labels and confirmed by what they add up to.

mod currency;

use std::collections::{BTreeMap, BTreeSet};

use case::{Field, FieldName, Fields, VatField};
use rust_decimal::Decimal;

use super::printed::{self, Amount};
use super::words::{Hit, Meaning, tokens};
use super::{Sheet, keep};
use crate::pdf::{Line, Word, around};

/// An amount that a label calls by a field's name.
#[derive(Clone)]
struct Candidate {
    amount: Amount,
    page: usize,
    strength: f64,
    /// It stands on the line of its label, which is no item's.
    beside: bool,
}

/// Page and line, both from 0, of what the items take up.
type Body = BTreeSet<(usize, usize)>;

const CANDIDATES_MAX: usize = 120;
/// Rows of figures under the heading of a table of totals.
const ROWS_BELOW: usize = 5;

/// Totals, currency and, where there is one rate, the VAT breakdown. Of several readings, the one in which net and tax make gross.
pub(super) fn read(sheet: &Sheet<'_>, body: &Body, fields: &mut Fields) {
    let candidates = |name| candidates(sheet, body, name);
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
    if let Some(sum) = adding_up(sheet, body, &nets, &taxes, &all_grosses) {
        if sum.changes.is_empty() {
            keep(single, FieldName::NetTotal, Some(sum.net.field(sheet, 0.97)));
        } else {
            // What something is added to or taken off is the sum of the lines; what comes out is what tax and gross confirm.
            keep(single, FieldName::LineTotal, Some(sum.net.field(sheet, 0.97)));
            keep(single, FieldName::NetTotal, sum.net.plus(&sum.changes).map(|it| it.field(sheet, 0.9)));
        }
        let of_tax = if sum.tax.strength < 0.5 { 0.8 } else { 0.97 };
        keep(single, FieldName::TaxTotal, Some(sum.tax.field(sheet, of_tax)));
        keep(single, FieldName::GrossTotal, Some(sum.gross.field(sheet, 0.97)));
        if let [change] = sum.changes.as_slice() {
            let taken = change.amount.value.is_sign_negative();
            let name = if taken { FieldName::AllowanceTotal } else { FieldName::ChargeTotal };
            keep(single, name, Some(if taken { change.negated() } else { change.clone() }.field(sheet, 0.9)));
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
        if !single.contains_key(&name) {
            keep(single, name, strongest(list).filter(|it| 0.9 <= it.strength).map(|it| it.field(sheet, 0.8)));
        }
    }
    keep(single, FieldName::Currency, currency::of(sheet, single));
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

    fn top(&self) -> f64 {
        around(&self.amount.words)[1]
    }

    fn bottom(&self) -> f64 {
        around(&self.amount.words)[3]
    }

    fn cents(&self) -> bool {
        self.amount.value.scale() == 2
    }

    /// This and the others together, from all their places; `None` where they stand on several pages.
    fn plus(&self, others: &[Candidate]) -> Option<Candidate> {
        let mut sum = self.clone();
        for other in others {
            sum.amount.value = sum.amount.value.checked_add(other.amount.value)?;
            sum.amount.words.extend(other.amount.words.iter().cloned());
        }
        sum.amount.text = sum.amount.value.to_string();
        others.iter().all(|other| other.page == self.page).then_some(sum)
    }

    /// Page, and points below its top edge.
    fn place(&self) -> (usize, i64) {
        (self.page, self.top() as i64)
    }

    fn field(&self, sheet: &Sheet<'_>, confidence: f64) -> Field {
        crate::field(self.amount.text.clone(), confidence, sheet.evidence(self.page, &self.amount.words))
    }
}

/// A label above a column of the items says less about the totals than one beside an amount.
const OF_ITEMS: f64 = 0.5;
/// "Amount due" under a condition is not what is due.
const CONDITIONAL: f64 = 0.6;

fn candidates(sheet: &Sheet<'_>, body: &Body, name: FieldName) -> Vec<Candidate> {
    let mut out = Vec::new();
    // Among the items stand sums of pages and groups.
    let among =
        |place| body.first().is_some_and(|first| *first <= place) && body.last().is_some_and(|last| place <= *last);
    for hit in sheet.of(Meaning::Field(name)).filter(|hit| !among((hit.page, hit.line))) {
        let words = beside_words(sheet, hit);
        let (found, strength) = match beside(&words, name == FieldName::TaxTotal) {
            Some(amount) => {
                let before = words.get(..amount.first).unwrap_or_default();
                let conditional = name == FieldName::Payable && before.iter().any(|word| says(word, CONDITIONS));
                (vec![(amount, true)], if conditional { CONDITIONAL } else { 1.0 })
            }
            None => (below(sheet, body, hit), 0.9),
        };
        out.extend(found.into_iter().map(|(amount, own)| Candidate {
            amount,
            page: hit.page,
            strength: strength * hit.strength * if own { 1.0 } else { OF_ITEMS },
            beside: strength == 1.0 && own,
        }));
    }
    out.truncate(CANDIDATES_MAX);
    out
}

/// What is taken off, and on what condition; compared with the beginnings of tokens.
const DEDUCTIONS: &str = "rabatt | skonto | nachlass | abzug | abzgl | abzüglich | gutschein | discount | less | allowance | rebate | voucher | \
    remise | rabais | escompte | ristourne | descuento | dto | bonificación | sconto | abbuono | korting | desconto | abatimento | 折扣 | 优惠";
const CONDITIONS: &str =
    "skonto | discount | escompte | sconto | korting | descuento | desconto | if | wenn | falls | si | se | als";

fn says(word: &Word, list: &str) -> bool {
    let said = tokens(&word.text);
    // Short ones are whole words.
    let is = |token: &String, it: &str| token == it || (4 <= it.chars().count() && token.starts_with(it));
    said.iter().any(|token| list.split(" | ").any(|it| is(token, it)))
}

/// The words behind a label on its line, up to the next label of a field, or to any next label behind an amount.
fn beside_words(sheet: &Sheet<'_>, hit: &Hit) -> Vec<Word> {
    let Some(line) = sheet.line(hit.page, hit.line) else { return Vec::new() };
    let between = |other: &Hit| words_between(line, (hit.cell, hit.end), (other.cell, other.first));
    let next = sheet.hits_on(hit.page, hit.line).iter().find(|other| {
        (hit.cell, hit.first) < (other.cell, other.first)
            && other.strength == 1.0
            && match other.meaning {
                Meaning::Field(_) => true,
                // `Total 600.00 Discount 2 % 12.00`, but `Total tax rate 20 % 12.00`
                Meaning::Other => printed::amounts(&between(other)).iter().any(|amount| amount.money),
                _ => false,
            }
    });
    let end = next.map_or((line.cells.len(), 0), |next| (next.cell, next.first));
    words_between(line, (hit.cell, hit.end), end)
}

/// From a cell and a word in it to another.
fn words_between(line: &Line, (cell, first): (usize, usize), (end_cell, end): (usize, usize)) -> Vec<Word> {
    let tail = line.cells.get(cell).map_or(&[][..], |it| it.words.get(first..).unwrap_or_default());
    let tail = if cell == end_cell { tail.get(..end.saturating_sub(first)).unwrap_or_default() } else { tail };
    // `Total – 5,00`: a stroke between two spaces parts the label from the amount.
    let mut words: Vec<Word> = tail.iter().filter(|word| !matches!(word.text.as_str(), "–" | "—")).cloned().collect();
    let cells = line.cells.get(cell + 1..end_cell).unwrap_or_default();
    let signed = if let [sign, figure] = cells { printed::signed(sign, figure) } else { None };
    match signed {
        Some(cell) => words.extend(cell.words),
        None => words.extend(cells.iter().flat_map(|cell| &cell.words).cloned()),
    }
    words
}

/// Of the amounts behind a label the last: `VAT 19 % on 100.00   19.00`. In a sentence that goes on behind the amount of a
/// total, the first: `the total of 600.00 € less 2 % = 588.00 €`.
fn beside(words: &[Word], of_tax: bool) -> Option<Amount> {
    let mut found: Vec<Amount> = printed::amounts(words).into_iter().filter(|amount| amount.money).collect();
    let worded = |words: &[Word]| {
        let text = |word: &Word| word.text.trim_matches(|it: char| !it.is_alphanumeric()).to_owned();
        words.iter().any(|word| {
            2 <= word.text.chars().filter(|it| it.is_alphabetic()).count() && !printed::is_currency(&text(word))
        })
    };
    if let [first, second, ..] = found.as_slice()
        && !of_tax
    {
        let in_brackets = words.iter().take(first.end).any(|word| word.text.contains('('));
        if !in_brackets && worded(words.get(first.end..second.first).unwrap_or_default()) {
            found.truncate(1);
        }
    }
    found.pop()
}

/// Figures under the label of a column, down to the first line that has none.
/// With whether they stand outside the items.
fn below(sheet: &Sheet<'_>, body: &Body, hit: &Hit) -> Vec<(Amount, bool)> {
    let Some(page) = sheet.pages.get(hit.page) else { return Vec::new() };
    let [left, _, right, mut bottom] = hit.area;
    let height = hit.area[3] - hit.area[1];
    let mut out = Vec::new();
    for (line_idx, line) in page.lines.iter().enumerate().skip(hit.line + 1).take(2 * ROWS_BELOW) {
        let [_, top, _, line_bottom] = line.area();
        if 2.5 * height < top - bottom || ROWS_BELOW <= out.len() {
            break;
        }
        let found = line.cells.iter().flat_map(|cell| printed::amounts(&cell.words)).find(|amount| {
            let [amount_left, _, amount_right, _] = around(&amount.words);
            amount.money
                && amount_left < right + 2.0 * height
                && left - 2.0 * height < amount_right
                && ((amount_right - right).abs() < 4.0 * height || (amount_left - left).abs() < 4.0 * height)
        });
        if let Some(found) = found {
            bottom = line_bottom;
            out.push((found, !body.contains(&(hit.page, line_idx))));
        }
    }
    out
}

struct Sum {
    net: Candidate,
    tax: Candidate,
    gross: Candidate,
    /// Discounts and charges between net and gross.
    changes: Vec<Candidate>,
}

/// Net, tax and gross that add up, with what is taken off and added between them; the best labelled, and of equals the largest.
fn adding_up(
    sheet: &Sheet<'_>,
    body: &Body,
    nets: &[Candidate],
    taxes: &[Candidate],
    grosses: &[Candidate],
) -> Option<Sum> {
    let by_value = |list: &[Candidate]| {
        let mut map: BTreeMap<Decimal, Candidate> = BTreeMap::new();
        for candidate in list {
            let best = map.entry(candidate.amount.value).or_insert_with(|| candidate.clone());
            // Of equals the one with cents, then the lower one: totals stand at the end.
            if (best.strength, best.cents(), best.place()) < (candidate.strength, candidate.cents(), candidate.place())
            {
                *best = candidate.clone();
            }
        }
        map
    };
    let of_all_rates = sum_of(taxes);
    let (nets, taxes, grosses) = (by_value(nets), by_value(taxes), by_value(grosses));
    let printed = if taxes.values().any(|it| it.beside) { BTreeMap::new() } else { all_printed(sheet, body) };
    let mut best: Option<(f64, Decimal, Sum)> = None;
    for gross in grosses.values() {
        for net in nets.values() {
            let Some(rest) = gross.amount.value.checked_sub(net.amount.value) else { continue };
            // More tax than net, or of the other sign, is no tax.
            let is_tax = |tax: Decimal| {
                tax.abs() <= net.amount.value.abs()
                    && (tax.is_zero() || tax.is_sign_negative() == net.amount.value.is_sign_negative())
            };
            // Credit notes print the tax without its sign.
            let labelled = |rest: Decimal| {
                let unsigned = || taxes.get(&-rest).filter(|_| rest.is_sign_negative()).map(Candidate::negated);
                taxes.get(&rest).cloned().or_else(unsigned).filter(|_| is_tax(rest))
            };
            let unlabelled = || printed.get(&rest).cloned().filter(|_| !rest.is_zero() && is_tax(rest));
            let (tax, changes) = if let Some(tax) = labelled(rest) {
                (tax, Vec::new())
            } else if let Some(tax) = of_all_rates.clone().filter(|tax| tax.amount.value == rest && is_tax(rest)) {
                (tax, Vec::new())
            } else if let Some((tax, changes)) = changed(sheet, net, gross, labelled) {
                (tax, changes)
            } else if let Some(tax) = unlabelled() {
                (tax, Vec::new())
            } else {
                continue;
            };
            let doubt = if changes.is_empty() { 1.0 } else { 0.9 };
            let score = doubt * (gross.strength + net.strength + tax.strength);
            let size = gross.amount.value.abs();
            if best.as_ref().is_none_or(|(other, largest, _)| (*other, *largest) < (score, size)) {
                best = Some((score, size, Sum { net: net.clone(), tax, gross: gross.clone(), changes }));
            }
        }
    }
    best.map(|(.., sum)| sum)
}

/// The taxes of several rates together.
fn sum_of(taxes: &[Candidate]) -> Option<Candidate> {
    let mut places = BTreeSet::new();
    let mut each = taxes.iter().filter(|it| it.beside && places.insert(it.place())).cloned();
    let first = each.next()?;
    let others: Vec<Candidate> = each.collect();
    first.plus(&others).filter(|_| !others.is_empty())
}

/// Rows between a net total and a gross total that are looked at.
const CHANGES_MAX: usize = 6;

/// Discounts and charges that stand between a net total and a gross total, and a labelled tax with which they make it.
fn changed(
    sheet: &Sheet<'_>,
    net: &Candidate,
    gross: &Candidate,
    labelled: impl Fn(Decimal) -> Option<Candidate>,
) -> Option<(Candidate, Vec<Candidate>)> {
    const TOTALS: [FieldName; 6] = [
        FieldName::LineTotal,
        FieldName::NetTotal,
        FieldName::TaxTotal,
        FieldName::GrossTotal,
        FieldName::Payable,
        FieldName::Prepaid,
    ];
    if net.page != gross.page {
        return None;
    }
    let mut changes = Vec::new();
    let mut sum = Decimal::ZERO;
    for (line_idx, line) in sheet.pages.get(net.page)?.lines.iter().enumerate() {
        let [_, top, _, bottom] = line.area();
        let between = net.bottom() <= top && bottom <= gross.top();
        let total = |hit: &Hit| matches!(hit.meaning, Meaning::Field(name) if TOTALS.contains(&name));
        if !between || sheet.hits_on(net.page, line_idx).iter().any(total) {
            continue;
        }
        let words: Vec<Word> = line.words().cloned().collect();
        let Some(amount) = printed::amounts(&words).into_iter().rfind(|amount| amount.money) else { continue };
        let change = Candidate { amount, page: net.page, strength: 0.6, beside: true };
        let taken = words.iter().any(|word| says(word, DEDUCTIONS)) && change.amount.value.is_sign_positive();
        let change = if taken { change.negated() } else { change };
        sum = sum.checked_add(change.amount.value)?;
        changes.push(change);
        if CHANGES_MAX < changes.len() {
            return None;
        }
    }
    if changes.is_empty() {
        return None;
    }
    let tax = gross.amount.value.checked_sub(net.amount.value)?.checked_sub(sum)?;
    Some((labelled(tax)?, changes))
}

/// Every amount of money on the pages but not of the items, by its value; the last where it stands twice.
fn all_printed(sheet: &Sheet<'_>, body: &Body) -> BTreeMap<Decimal, Candidate> {
    let mut out = BTreeMap::new();
    for (page_idx, page) in sheet.pages.iter().enumerate() {
        let lines = page.lines.iter().enumerate().filter(|(line_idx, _)| !body.contains(&(page_idx, *line_idx)));
        for cell in lines.flat_map(|(_, line)| &line.cells) {
            for amount in printed::amounts(&cell.words).into_iter().filter(|amount| amount.money) {
                out.insert(amount.value, Candidate { amount, page: page_idx, strength: 0.3, beside: false });
            }
        }
    }
    out
}

/// The best labelled; of equals the last, since totals stand at the end.
fn strongest(list: &[Candidate]) -> Option<&Candidate> {
    list.iter().max_by(|a, b| a.strength.total_cmp(&b.strength))
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
