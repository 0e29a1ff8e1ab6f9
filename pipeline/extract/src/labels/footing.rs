//! Do the lines make their amounts, and the amounts the total?

use std::collections::BTreeMap;

use case::{Evidence, Field, FieldName, Fields, LineField, Note};
use rust_decimal::Decimal;

use super::Sheet;
use super::printed;
use crate::note;

/// Lines that a note names.
const NAMED_MAX: usize = 5;

pub(super) fn value(field: Option<&Field>) -> Option<Decimal> {
    field?.value.parse().ok()
}

/// What the amounts of the lines sum to; `None` where one has none.
pub(super) fn sum(lines: &[BTreeMap<LineField, Field>]) -> Option<Decimal> {
    let mut amounts = lines.iter().map(|line| value(line.get(&LineField::NetAmount)));
    let first = amounts.next()??;
    amounts.try_fold(first, |sum, amount| sum.checked_add(amount?))
}

/// Is the amount of a line its quantity times its price, to the cent? `None` where one of them is not printed. Some credit
/// notes print only the amount with its sign.
pub(super) fn multiplies(line: &BTreeMap<LineField, Field>) -> Option<bool> {
    let of = |name| value(line.get(&name));
    let product = of(LineField::Quantity)?.checked_mul(of(LineField::UnitPrice)?)?;
    let base = of(LineField::PriceBase).filter(|it| !it.is_zero()).unwrap_or(Decimal::ONE);
    let off = product.checked_div(base)?.abs().checked_sub(of(LineField::NetAmount)?.abs())?.abs();
    Some(off <= Decimal::new(1, 2))
}

/// Amounts that stand above the totals without a label, and no line was read: there is a table that was not understood.
pub(super) fn note_unread(sheet: &Sheet<'_>, fields: &Fields, lines: &[BTreeMap<LineField, Field>]) -> Option<Note> {
    if !lines.is_empty() {
        return None;
    }
    let places = [FieldName::LineTotal, FieldName::NetTotal, FieldName::GrossTotal, FieldName::Payable]
        .iter()
        .filter_map(|name| match &fields.single.get(name)?.evidence {
            Evidence::Page { page, area: [_, top, ..], .. } => Some((*page, *top)),
            _ => None,
        });
    let (last, top) =
        places.min_by(|(page, top), (other, other_top)| page.cmp(other).then(top.total_cmp(other_top)))?;
    let mut n_unread = 0;
    for (page_idx, page) in sheet.pages.iter().enumerate().take_while(|(_, page)| page.number <= last) {
        for (line_idx, line) in page.lines.iter().enumerate() {
            let above = page.number < last || line.area()[3] <= top;
            let worded = line.words().any(|word| 3 <= word.text.chars().filter(|it| it.is_alphabetic()).count());
            let money = || line.cells.iter().any(|cell| printed::amounts(&cell.words).iter().any(|it| it.money));
            n_unread += usize::from(above && worded && sheet.hits_on(page_idx, line_idx).is_empty() && money());
        }
    }
    let text = || format!("no lines were read; {n_unread} lines of text above the totals have an amount");
    (0 < n_unread).then(|| note("lines_not_read", text()))
}

/// Lines that do not sum to the total of the lines, or without one to the net total; names the lines that are off themselves.
pub(super) fn note_of(fields: &Fields, lines: &[BTreeMap<LineField, Field>]) -> Option<Note> {
    let sum = sum(lines)?;
    let name = [FieldName::LineTotal, FieldName::NetTotal].into_iter().find(|name| fields.single.contains_key(name))?;
    let printed = value(fields.single.get(&name))?;
    // Prices with tax in them sum to the gross total.
    let gross = value(fields.single.get(&FieldName::GrossTotal));
    if sum == printed || Some(sum) == gross {
        return None;
    }
    let mut text =
        format!("the {} lines that were read sum to {sum}, the page says {printed} for `{}`", lines.len(), name.name());
    let off = lines.iter().zip(1..).filter(|(line, _)| multiplies(line) == Some(false)).take(NAMED_MAX);
    for (line, number) in off {
        let shown = |name| line.get(&name).map_or("", |field: &Field| field.value.as_str());
        text.push_str(&format!(
            "; line {number}: {} times {} is not {}",
            shown(LineField::Quantity),
            shown(LineField::UnitPrice),
            shown(LineField::NetAmount)
        ));
    }
    Some(note("lines_do_not_foot", text))
}
