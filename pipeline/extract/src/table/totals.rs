//! The amount beside the label of a total, where a rate, a quantity or what it is a share of may stand between.

use std::collections::BTreeMap;

use case::{Evidence, Extraction, Field, FieldName, LineField, VatField};

use super::lines::Table;
use super::marks::Marks;
use super::wording::{Label, header_label, no_field};
use super::{BESIDE, GAP_MAX, money_number, number, place};
use crate::field;
use crate::sheet::{Cell, Sheet, Stored};
use crate::values::{amount, sum};

/// One more than may be given, so that the cut is told.
const GROUPS_MAX: usize = 201;

/// An amount with its place, and the rate that stands beside it.
pub(super) struct Total {
    pub(super) found: (String, Evidence),
    pub(super) rate: Option<Field>,
}

/// The last amount of the row up to the next label. Three of which one is the sum of the others are net, tax and gross.
pub(super) fn beside(
    sheet: &Sheet,
    table: Option<&Table>,
    (row, column): (u32, u32),
    label: Label,
    marks: &Marks,
) -> Option<Total> {
    let end_of = |column: u32| sheet.merged.get(&(row, column)).map_or(column, |it| it.1);
    let mut at = end_of(column);
    let (mut amounts, mut rate) = (Vec::new(), None);
    for (column, cell) in sheet.rows.get(&row)?.range(at + 1..) {
        let is_label = cell.stored == Stored::Text && (header_label(&cell.text).is_some() || no_field(&cell.text));
        if at.saturating_add(GAP_MAX) < *column || is_label {
            break;
        }
        at = end_of(*column);
        if cell.text.contains('%') {
            let found = number(cell, marks).map(|it| field(it, BESIDE, place(sheet, row, *column, cell)));
            rate = rate.or(found);
        } else if let Some(amount) = money_number(cell, marks) {
            amounts.push((*column, cell, amount));
        } else if !amounts.is_empty() {
            break;
        }
    }
    let (column, cell, amount) = pick(&amounts, table, label.name)?;
    Some(Total { found: (amount.clone(), place(sheet, row, *column, cell)), rate })
}

type Amount<'a> = (u32, &'a Cell, String);

fn pick<'a, 'b>(amounts: &'b [Amount<'a>], table: Option<&Table>, name: FieldName) -> Option<&'b Amount<'a>> {
    let is_net = matches!(name, FieldName::NetTotal | FieldName::LineTotal);
    if let [net, tax, gross] = amounts
        && let Some(both) = sum(&[net.2.clone(), tax.2.clone()])
        && let (Ok(both), Ok(gross_amount)) = (both.parse::<rust_decimal::Decimal>(), gross.2.parse())
        && both == gross_amount
    {
        return Some(match name {
            _ if is_net => net,
            FieldName::TaxTotal => tax,
            _ => gross,
        });
    }
    let of_lines =
        |it: &&Amount<'_>| table.is_some_and(|table| table.columns.get(&it.0) == Some(&LineField::NetAmount));
    let in_column = amounts.iter().find(of_lines).filter(|_| is_net);
    in_column.or(amounts.last())
}

/// The VAT of one rate. While no total is named, their sum is the total; it stands where the first of them does.
pub(super) fn keep_group(answer: &mut Extraction, rate: Option<Field>, tax: Field) {
    let mut group: BTreeMap<VatField, Field> = [(VatField::Tax, tax.clone())].into();
    group.extend(rate.map(|it| (VatField::Rate, it)));
    if GROUPS_MAX <= answer.fields.vat_breakdown.len() {
        return;
    }
    answer.fields.vat_breakdown.push(group);
    let groups = &answer.fields.vat_breakdown;
    let single = &mut answer.fields.single;
    let Some(total) = single.get_mut(&FieldName::TaxTotal) else {
        if groups.len() == 1 {
            single.insert(FieldName::TaxTotal, tax);
        }
        return;
    };
    if !is_group(groups, total) {
        return;
    }
    let taxes: Vec<String> = groups.iter().filter_map(|it| Some(it.get(&VatField::Tax)?.value.clone())).collect();
    match sum(&taxes) {
        Some(value) => total.value = value,
        None => drop(single.remove(&FieldName::TaxTotal)),
    }
}

/// `19` of `VAT 19 %`
pub(super) fn rate(text: &str) -> Option<String> {
    let is_number = |it: char| it.is_ascii_digit() || matches!(it, '.' | ',');
    amount(text.split(|it: char| !is_number(it)).find(|it| it.starts_with(|it: char| it.is_ascii_digit()))?)
}

pub(super) fn is_group(groups: &[BTreeMap<VatField, Field>], field: &Field) -> bool {
    groups.iter().any(|group| group.get(&VatField::Tax).is_some_and(|it| it.evidence == field.evidence))
}

/// What is taken off is given as a positive amount, however it is written; where totals are negative too, all of them are.
pub(super) fn unsigned(answer: &mut Extraction) {
    use FieldName::{AllowanceTotal, GrossTotal, LineTotal, NetTotal, Payable, Prepaid};
    let negative = |name: FieldName| answer.text(name).is_some_and(|it| it.starts_with('-'));
    if [GrossTotal, NetTotal, LineTotal, Payable].into_iter().any(negative) {
        return;
    }
    for name in [AllowanceTotal, Prepaid] {
        if let Some(field) = answer.fields.single.get_mut(&name)
            && let Some(amount) = field.value.strip_prefix('-')
        {
            field.value = amount.to_owned();
        }
    }
}
