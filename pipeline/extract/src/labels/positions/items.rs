//! An item of the invoice as its lines come in, and what its figures say about their columns.

use std::collections::BTreeMap;

use case::{Field, LineField};
use rust_decimal::Decimal;

use super::super::Sheet;
use super::super::printed::Amount;
use super::columns::{Column, Value};
use crate::pdf::{Word, around, joined};

/// An item as its lines come in.
#[derive(Default)]
pub(super) struct Item {
    pub(super) page: usize,
    /// The lines of the page that it takes up.
    pub(super) lines: Vec<usize>,
    pub(super) cells: BTreeMap<Column, Value>,
    pub(super) name: Vec<Word>,
    pub(super) name_bottom: f64,
}

const NAME_LINES_MAX: usize = 4;

impl Item {
    pub(super) fn complete(&self) -> bool {
        let Some(amount) = self.cells.get(&Column::Amount).and_then(|value| value.amount.as_ref()) else {
            return false;
        };
        // A name and a bare number may be the foot of a page: `Page 1 of 2`.
        self.cells.contains_key(&Column::Quantity)
            || self.cells.contains_key(&Column::UnitPrice)
            || (!self.name.is_empty() && amount.money)
    }

    /// A description goes on in the lines directly below; a gap, or a line like `Weight: 3 kg`, ends it.
    pub(super) fn extend_name(&mut self, words: &[Word], has_figures: bool) {
        let [_, top, _, bottom] = around(words);
        let height = bottom - top;
        let lines = self
            .name
            .iter()
            .filter(|word| word.area[0] <= self.name.first().map_or(0.0, |first| first.area[0]) + 1.0)
            .count();
        let detail = words.iter().take(3).any(|word| word.text.ends_with(':'))
            || words.first().is_some_and(|word| word.text.starts_with('('));
        let goes_on = self.name.is_empty()
            || (top - self.name_bottom < 0.35 * height && lines < NAME_LINES_MAX && !detail && !has_figures);
        if goes_on {
            self.name.extend(words.iter().cloned());
            self.name_bottom = bottom;
        } else {
            self.name_bottom = f64::MIN;
        }
    }

    /// The name goes on no further.
    pub(super) fn close_name(&mut self) {
        self.name_bottom = f64::MIN;
    }

    fn amount(&self, column: Column) -> Option<&Amount> {
        self.cells.get(&column)?.amount.as_ref()
    }

    /// Is the figure of the column quantity times price? `None` where one of them is not printed.
    pub(super) fn makes(&self, column: Column) -> Option<bool> {
        let base = self.amount(Column::PriceBase).map(|it| it.value).filter(|it| !it.is_zero());
        let product = self.amount(Column::Quantity)?.value.checked_mul(self.amount(Column::UnitPrice)?.value)?;
        let product = product.checked_div(base.unwrap_or(Decimal::ONE))?;
        // Some credit notes print only the amount with its sign.
        Some((product.abs() - self.amount(column)?.value.abs()).abs() <= Decimal::new(1, 2))
    }

    /// `2,000` pieces are two where that makes the amount, or where the document sets a comma before its decimals.
    fn settle_forms(&mut self, mark: Option<char>) {
        let right = |item: &Item| [Column::Amount, Column::AmountToo].iter().any(|it| item.makes(*it) == Some(true));
        if right(self) {
            return;
        }
        const COLUMNS: [Column; 2] = [Column::Quantity, Column::UnitPrice];
        let printed = COLUMNS.map(|column| self.amount(column).cloned());
        let others = printed.each_ref().map(|it| it.as_ref().and_then(Amount::with_decimals));
        let [quantity, price] = &others;
        let choices = [[quantity.as_ref(), None], [None, price.as_ref()], [quantity.as_ref(), price.as_ref()]];
        for choice in choices {
            self.put(COLUMNS, choice.map(|it| it.map(|(_, amount)| amount)));
            if right(self) {
                return;
            }
            self.put(COLUMNS, printed.each_ref().map(Option::as_ref));
        }
        let marked = |it: &Option<(char, Amount)>| {
            it.as_ref().filter(|(it, _)| Some(*it) == mark).map(|(_, amount)| amount.clone())
        };
        let chosen = others.each_ref().map(marked);
        self.put(COLUMNS, chosen.each_ref().map(Option::as_ref));
    }

    fn put(&mut self, columns: [Column; 2], amounts: [Option<&Amount>; 2]) {
        for (column, amount) in columns.into_iter().zip(amounts) {
            if let (Some(value), Some(amount)) = (self.cells.get_mut(&column), amount) {
                value.amount = Some(amount.clone());
            }
        }
    }

    pub(super) fn fields(self, sheet: &Sheet<'_>) -> Option<BTreeMap<LineField, Field>> {
        let value = |column| self.amount(column);
        value(Column::Amount)?;
        let confidence = match self.makes(Column::Amount) {
            Some(true) => 0.96,
            Some(false) => 0.7,
            None => 0.75,
        };
        let mut out = BTreeMap::new();
        let figures = [
            (Column::Quantity, LineField::Quantity),
            (Column::UnitPrice, LineField::UnitPrice),
            (Column::PriceBase, LineField::PriceBase),
            (Column::Amount, LineField::NetAmount),
        ];
        for (column, name) in figures {
            if let Some(found) = value(column) {
                out.insert(name, crate::field(found.text.clone(), confidence, sheet.evidence(self.page, &found.words)));
            }
        }
        if let Some(rate) = value(Column::VatRate) {
            out.insert(
                LineField::VatRate,
                crate::field(rate.text.clone(), 0.8, sheet.evidence(self.page, &rate.words)),
            );
        }
        for (column, name) in
            [(Column::Position, LineField::Id), (Column::Unit, LineField::Unit), (Column::Item, LineField::Item)]
        {
            if let Some(found) =
                self.cells.get(&column).filter(|found| !found.words.is_empty() && found.words.len() <= 3)
            {
                out.insert(name, crate::field(joined(&found.words), 0.7, sheet.evidence(self.page, &found.words)));
            }
        }
        if !self.name.is_empty() {
            out.insert(LineField::Name, crate::field(joined(&self.name), 0.75, sheet.evidence(self.page, &self.name)));
        }
        Some(out)
    }
}

/// A rate of tax above this, in percent, is an amount of tax; the highest of the European Union is 27.
const RATE_MAX: i64 = 30;

/// What the figures of all items say about their columns: which of two is the amount without tax, and whether "VAT" is a rate.
/// `mark` is the document's mark before decimals.
pub(super) fn settle(items: &mut [Item], mark: Option<char>) {
    for item in items.iter_mut() {
        item.settle_forms(mark);
    }
    let made = |column| items.iter().filter(|item| item.makes(column) == Some(true)).count();
    let adds = |item: &Item| {
        let (net, tax) = (item.amount(Column::AmountToo)?, item.amount(Column::VatRate)?);
        Some(net.value.checked_add(tax.value)? == item.amount(Column::Amount)?.value && !tax.percent)
    };
    let taxed = items.iter().any(|item| adds(item).is_some()) && items.iter().all(|item| adds(item) != Some(false));
    if taxed || made(Column::Amount) < made(Column::AmountToo) {
        for item in items.iter_mut() {
            if let Some(amount) = item.amount(Column::AmountToo).cloned() {
                let words = amount.words.clone();
                item.cells.insert(Column::Amount, Value { amount: Some(amount), words });
            }
        }
    }
    let too_high = |rate: &Amount| !rate.percent && Decimal::from(RATE_MAX) < rate.value.abs();
    if taxed || items.iter().any(|item| item.amount(Column::VatRate).is_some_and(too_high)) {
        for item in items.iter_mut() {
            item.cells.remove(&Column::VatRate);
        }
    }
}
