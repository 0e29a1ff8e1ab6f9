//! Prices against the contract's rates: by item, by day, by what was taken of it in the year.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use super::super::price::shown;
use super::super::{Matching, ledger, money, total};
use super::{Agreed, Piece};
use crate::Code;
use crate::comparison::{Comparison, Place, Test};
use crate::facts::{Bill, Claim, ContractRate};
use crate::invoice::{folded, product, quotient};
use crate::policy::ToleranceKind;

/// A rate that rose for longer was never agreed.
const YEARS_MAX: i16 = 100;

pub(super) fn judge(matching: &mut Matching<'_>, agreed: &Agreed<'_>) {
    let on = matching.invoice.priced_on();
    // Where none holds any more, that has its own finding by now.
    let holding: Vec<&ContractRate> =
        agreed.rows.iter().copied().filter(|row| on.is_some_and(|on| row.holds_on(on))).collect();
    if holding.is_empty() || agreed.rows.iter().all(|row| row.rate.is_none()) {
        return;
    }
    let rates = Rates::of(&holding);
    // What is taken of one item counts together, on however many lines it stands.
    let mut in_tiers: BTreeMap<Option<String>, Vec<&Piece<'_>>> = BTreeMap::new();
    let mut items: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    for piece in agreed.pieces.iter().filter(|piece| !piece.value_only) {
        let item = rates.item(&piece.items);
        items.entry(item.clone()).or_default().extend(piece.idx);
        match rates.tiers(&item).first_key_value() {
            Some((from, newest)) if rates.tiers(&item).len() == 1 && from.is_zero() => {
                of_one(matching, agreed, piece, Some(newest.row))
            }
            None => of_one(matching, agreed, piece, None),
            Some(_) => in_tiers.entry(item).or_default().push(piece),
        }
    }
    let taken = on.filter(|_| !in_tiers.is_empty()).map(|on| taken_before(matching, agreed, &rates, on.year()));
    let taken = taken.unwrap_or_default();
    for (item, pieces) in in_tiers {
        let before = taken.get(&item).copied().unwrap_or(Some(Decimal::ZERO));
        of_year(matching, agreed, &pieces, rates.tiers(&item), before);
    }
    for (item, idxs) in items {
        ambiguous(matching, agreed, rates.tiers(&item), &idxs);
    }
}

/// Of rows that begin on one day none replaces the other: where their prices differ, a person says which one was agreed. What
/// is dearer than the dearest is found all the same.
fn ambiguous(matching: &mut Matching<'_>, agreed: &Agreed<'_>, tiers: &Tiers<'_>, idxs: &[usize]) {
    let Some(on) = matching.invoice.priced_on() else { return };
    for Newest { row, all } in tiers.values() {
        let rates = all.iter().filter_map(|it| it.rate_in(on.year()));
        let rates: BTreeSet<Decimal> = rates.map(|rate| rate.normalize()).collect();
        let (Some(least), Some(most)) = (rates.first(), rates.last().filter(|_| 1 < rates.len())) else { continue };
        let test = Test::Same { left: "first".into(), right: "second".into() };
        let place = Some(Place::Fact(row.clause()));
        let comparison = Comparison::new(Code::Ambiguous, "match.contract_rates", test)
            .from("first", least, place.clone())
            .from("second", most, place)
            .with("contract", agreed.id);
        let comparison = clause(comparison, Some(*row), Some(on));
        let at = matching.lines_at(idxs);
        matching.compare_at(comparison, &at, || format!("{}: {least} a unit as well as {most}", row.clause()));
    }
}

/// Rates by item, as names are compared. A price list has as many items as an invoice has lines: each row is looked at once,
/// however many ask.
pub(super) struct Rates<'a> {
    by_item: BTreeMap<Option<String>, Tiers<'a>>,
    none: Tiers<'a>,
}

/// By the yearly quantity that they begin above.
type Tiers<'a> = BTreeMap<Decimal, Newest<'a>>;

/// Of one item and tier the rows of the newest day, of which there should be one.
struct Newest<'a> {
    /// The last by [`order`].
    row: &'a ContractRate,
    all: Vec<&'a ContractRate>,
}

impl<'a> Newest<'a> {
    fn of(row: &'a ContractRate) -> Newest<'a> {
        Newest { row, all: vec![row] }
    }

    fn or(&mut self, row: &'a ContractRate) {
        if self.row.valid_from < row.valid_from {
            *self = Newest::of(row);
        } else if self.row.valid_from == row.valid_from {
            self.all.push(row);
            self.row = if order(self.row) < order(row) { row } else { self.row };
        }
    }
}

impl<'a> Rates<'a> {
    pub(super) fn of(rows: &[&'a ContractRate]) -> Rates<'a> {
        let mut by_item: BTreeMap<Option<String>, Tiers<'a>> = BTreeMap::new();
        for row in rows.iter().copied().filter(|row| row.rate.is_some()) {
            let tiers = by_item.entry(row.item.as_deref().map(folded)).or_default();
            tiers.entry(row.above()).and_modify(|newest| newest.or(row)).or_insert_with(|| Newest::of(row));
        }
        Rates { by_item, none: BTreeMap::new() }
    }

    /// The first of these names that there is a rate for.
    pub(super) fn named<'n>(&self, names: &'n [String]) -> Option<&'n String> {
        names.iter().find(|name| self.by_item.contains_key(&Some(folded(name))))
    }

    /// The same, as names are compared; none: what holds for every item.
    fn item(&self, names: &[String]) -> Option<String> {
        self.named(names).map(|name| folded(name))
    }

    fn tiers(&self, item: &Option<String>) -> &Tiers<'a> {
        self.by_item.get(item).unwrap_or(&self.none)
    }
}

impl ContractRate {
    /// Does it go on after its end?
    pub(super) fn renewed(&self) -> bool {
        self.renewal.as_deref().is_some_and(|words| !words.trim().is_empty())
    }

    /// The yearly quantity that it begins above.
    fn above(&self) -> Decimal {
        self.tier_from.unwrap_or_default().normalize()
    }

    pub(super) fn holds_on(&self, on: Date) -> bool {
        self.valid_from <= on && (self.renewed() || self.valid_to.is_none_or(|to| on <= to))
    }

    /// The rate in a year: for each full calendar year since it was agreed, it may have risen by its index.
    fn rate_in(&self, year: i16) -> Option<Decimal> {
        let rate = self.rate?;
        let years = year.saturating_sub(self.valid_from.year()).max(0);
        let Some(percent) = self.index_cap_percent.filter(|it| !it.is_zero() && 0 < years) else { return Some(rate) };
        if YEARS_MAX < years {
            return None;
        }
        let yearly = quotient(Decimal::ONE_HUNDRED.checked_add(percent)?, Decimal::ONE_HUNDRED)?;
        let risen = (0..years).try_fold(rate, |rate, _| product(rate, yearly))?;
        // In cents, or as finely as it was agreed.
        let decimals = rate.normalize().scale().max(2);
        Some(risen.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero))
    }

    /// `contract C-1, DEV from 2026-01-01 to 2026-12-31`
    fn clause(&self) -> String {
        let item = self.item.as_deref().unwrap_or("every item");
        let to = self.valid_to.map(|to| format!(" to {to}")).unwrap_or_default();
        let tier = self.tier_from.map(|tier| format!(", above {} a year", tier.normalize())).unwrap_or_default();
        format!("contract {}, {item} from {}{to}{tier}", self.contract_id, self.valid_from)
    }
}

/// Rows in an order that does not depend on how they were found; of those of one day the dearest last.
pub(super) fn order(row: &ContractRate) -> (Date, Option<Decimal>, Option<Decimal>, Option<&str>, Option<Decimal>) {
    (row.valid_from, row.rate, row.index_cap_percent, row.item.as_deref(), row.tier_from)
}

/// One line against the one rate of its item.
fn of_one(matching: &mut Matching<'_>, agreed: &Agreed<'_>, piece: &Piece<'_>, row: Option<&ContractRate>) {
    // What is credited has its price from what was billed.
    if piece.quantity.is_some_and(|quantity| quantity <= Decimal::ZERO) {
        return;
    }
    let on = matching.invoice.priced_on();
    let rate = row.zip(on).and_then(|(row, on)| row.rate_in(on.year())).map(|rate| rate.normalize());
    let (billed, quantity) = (piece.price.map(|it| it.normalize()), piece.quantity.map(|it| it.normalize()));
    let difference = billed.zip(rate).and_then(|(billed, rate)| billed.checked_sub(rate));
    let variance = difference.zip(quantity).and_then(|(difference, quantity)| product(difference, quantity)).map(money);
    let test =
        Test::AtMost { sum: vec!["billed".into()], of: "rate".into(), times: Some("quantity".into()), below: None };
    let limit = matching.policy.limit(ToleranceKind::ContractRate, &matching.scope(piece.ordered));
    let place = row.map(|row| Place::Fact(row.clause()));
    let comparison = Comparison::new(Code::ContractRate, "match.contract_rate", test).with("contract", agreed.id);
    let comparison = billed.iter().fold(comparison, |it, billed| it.from("billed", billed, piece.place.clone()));
    let comparison = rate.iter().fold(comparison, |it, rate| it.from("rate", rate, place.clone()));
    let figures = [("quantity", quantity), ("variance", variance), ("agreed", row.and_then(|row| row.rate))];
    let figures = figures.into_iter().filter_map(|(name, it)| Some((name, it?)));
    let comparison = figures.fold(comparison, |it, (name, figure)| it.with(name, figure));
    let index = row.and_then(|row| row.index_cap_percent);
    let comparison = index.iter().fold(comparison, |it, index| it.with("index_cap_percent", index.normalize()));
    let comparison = clause(comparison, row, on);
    let comparison = shown(comparison, &limit).limited(limit);
    let idxs: Vec<usize> = piece.idx.into_iter().collect();
    let (at, called) = (matching.lines_at(&idxs), matching.lines_called(&idxs));
    matching.compare_at(comparison, &at, || match (row, rate, billed, variance) {
        (Some(row), Some(rate), Some(billed), Some(variance)) => {
            format!("{called}: {billed} a unit, {rate} by {}: {variance} too much", row.clause())
        }
        (Some(row), ..) => format!("{called}: no quantity or no price to be compared with {}", row.clause()),
        _ => format!("{called}: contract `{}` has no rate for it", agreed.id),
    });
}

/// What the document takes of an item whose rate depends on what was taken in the year: the part in each tier at its rate.
fn of_year(
    matching: &mut Matching<'_>,
    agreed: &Agreed<'_>,
    pieces: &[&Piece<'_>],
    tiers: &Tiers<'_>,
    before: Option<Decimal>,
) {
    let Some(on) = matching.invoice.priced_on() else { return };
    let sum = |of: &dyn Fn(&Piece<'_>) -> Option<Decimal>| {
        pieces.iter().map(|piece| of(piece)).collect::<Option<Vec<_>>>().and_then(total)
    };
    let (quantity, billed) = (sum(&|piece| piece.quantity), sum(&|piece| piece.amount));
    if quantity.is_some_and(|quantity| quantity <= Decimal::ZERO) {
        return;
    }
    let rates: Option<Vec<(Decimal, Decimal)>> =
        tiers.iter().map(|(from, newest)| Some((*from, newest.row.rate_in(on.year())?))).collect();
    let expected = before.zip(quantity).zip(rates).and_then(|((before, now), rates)| amount(&rates, before, now));
    let expected = expected.map(money);
    let over = billed.zip(expected).and_then(|(billed, expected)| billed.checked_sub(expected)).map(money);
    let last = tiers.values().next_back().map(|newest| newest.row);
    let test = Test::AtMost { sum: vec!["billed".into()], of: "expected".into(), times: None, below: None };
    let ordered = pieces.iter().filter_map(|piece| piece.ordered).min_by_key(|it| (&it.order_id, &it.line));
    let limit = matching.policy.limit(ToleranceKind::ContractRate, &matching.scope(ordered));
    let place = last.map(|row| Place::Fact(row.clause()));
    let comparison = Comparison::new(Code::ContractRate, "match.contract_tiers", test).with("contract", agreed.id);
    let first = pieces.first().and_then(|piece| piece.place.clone());
    let comparison = billed.iter().fold(comparison, |it, billed| it.from("billed", money(*billed), first.clone()));
    let comparison = expected.iter().fold(comparison, |it, expected| it.from("expected", expected, place.clone()));
    let figures = [
        ("quantity_before", before.map(|it| it.normalize())),
        ("quantity", quantity.map(|it| it.normalize())),
        ("variance", over),
    ];
    let figures = figures.into_iter().filter_map(|(name, it)| Some((name, it?)));
    let comparison = figures.fold(comparison, |it, (name, figure)| it.with(name, figure));
    let comparison = clause(comparison, last, Some(on));
    let comparison = shown(comparison, &limit).limited(limit);
    let mut idxs: Vec<usize> = pieces.iter().filter_map(|piece| piece.idx).collect();
    idxs.dedup();
    let (at, called) = (matching.lines_at(&idxs), matching.lines_called(&idxs));
    matching.compare_at(comparison, &at, || match (billed, expected, over, before, last) {
        (Some(billed), Some(expected), Some(over), Some(before), Some(last)) => {
            let (billed, before) = (money(billed), before.normalize());
            format!(
                "{called}: {billed} billed, {expected} by {}, after {before} of this year: {over} too much",
                last.clause()
            )
        }
        _ => format!("{called}: cannot be compared with the yearly rates of contract `{}`", agreed.id),
    });
}

/// The clause among the figures, where people look.
fn clause(comparison: Comparison, row: Option<&ContractRate>, on: Option<Date>) -> Comparison {
    let comparison = on.iter().fold(comparison, |it, on| it.with("served_to", on));
    let Some(row) = row else { return comparison };
    let comparison = comparison.with("valid_from", row.valid_from);
    let comparison = row.valid_to.iter().fold(comparison, |it, to| it.with("valid_to", to));
    row.item.iter().fold(comparison, |it, item| it.with("item", item))
}

/// How much of each item other documents took in a calendar year. What has no date counts for every year. All of them are gone
/// through once, however many items are billed.
fn taken_before(
    matching: &Matching<'_>,
    agreed: &Agreed<'_>,
    rates: &Rates<'_>,
    year: i16,
) -> BTreeMap<Option<String>, Option<Decimal>> {
    let of_year = |bill: &Bill| bill.served_to.or(bill.date).is_none_or(|day| day.year() == year);
    let mut items: BTreeMap<Option<String>, Vec<(&Bill, &Claim)>> = BTreeMap::new();
    for (bill, claim) in matching.known.claims_of(agreed.id, "") {
        if of_year(bill) && !claim.freight {
            items.entry(rates.item(claim.item.as_slice())).or_default().push((bill, claim));
        }
    }
    let taken = |claims: Vec<_>| ledger::taken(claims.into_iter(), |claim| claim.quantity);
    items.into_iter().map(|(item, claims)| (item, taken(claims))).collect()
}

/// What a quantity costs after so much was taken before, by rates and the quantities above which they hold. `None` where no
/// rate holds for a part of it.
fn amount(rates: &[(Decimal, Decimal)], before: Decimal, now: Decimal) -> Option<Decimal> {
    let end = before.checked_add(now)?;
    let (first, _) = rates.first()?;
    if before < *first {
        return None;
    }
    let ends = rates.iter().skip(1).map(|(from, _)| *from).chain([end]);
    let parts = rates.iter().zip(ends).map(|((from, rate), to)| {
        let part = to.min(end).checked_sub(before.max(*from))?.max(Decimal::ZERO);
        product(part, *rate)
    });
    total(parts.collect::<Option<Vec<_>>>()?)
}

#[cfg(test)]
mod tests;
