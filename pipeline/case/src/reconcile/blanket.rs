//! Blanket orders: limited in value and in time. What is called off from one under an order of its own counts as well.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::behind::Bases;
use super::lines::{self, Parties};
use super::price::shown;
use super::{Billing, Matching, ledger, money, of_order, same_id, total};
use crate::comparison::{Comparison, Test};
use crate::facts::{Claim, Key, Known, OrderLine, days};
use crate::invoice::{product, quotient};
use crate::policy::ToleranceKind;
use crate::{Code, FieldName, Invoice, LineField};

/// What the document takes of a blanket order.
#[derive(Default)]
struct Taken<'a> {
    /// The order's lines; none where it is no blanket order.
    lines: Vec<&'a OrderLine>,
    idxs: Vec<usize>,
    amounts: Vec<Decimal>,
    /// Of the amounts, those under an order of their own.
    called_off: Vec<Decimal>,
}

pub(super) fn judge(matching: &mut Matching<'_>, billing: &Billing<'_>, bases: &Bases<'_>) {
    let known = matching.known;
    let mut orders: BTreeMap<Key, Taken<'_>> = BTreeMap::new();
    for share in &billing.shares {
        let own = share.ordered.order_id.as_str();
        let behind = share.ordered.contract_id.as_deref().and_then(|id| bases.get(id)).into_iter().flatten().copied();
        // What is known as a contract is judged as one.
        let blankets = behind.filter(|id| !same_id(id, own) && known.contract(id).next().is_none());
        for (id, called_off) in [(own, false)].into_iter().chain(blankets.map(|id| (id, true))) {
            let none = || Taken { lines: blanket(known, id), ..Taken::default() };
            let taken = orders.entry(Key::order(id)).or_insert_with(none);
            if taken.lines.is_empty() {
                continue;
            }
            taken.idxs.push(share.idx);
            taken.amounts.push(share.amount);
            if called_off {
                taken.called_off.push(share.amount);
            }
        }
    }
    for mut taken in orders.into_values() {
        taken.idxs.dedup();
        let Some(first) = taken.lines.first().copied() else { continue };
        if !taken.called_off.is_empty() {
            claim(matching, first, &taken);
            let parties = Parties::of_order(&taken.lines, "blanket order", "match.blanket");
            if !parties.is_some_and(|parties| lines::fits(matching, &parties, &[])) {
                continue;
            }
        }
        if total(taken.amounts.iter().copied()).is_none_or(|now| Decimal::ZERO < now) {
            value(matching, first, &taken);
            time(matching, first, &taken);
        }
    }
}

/// The lines of a blanket order, in one order however they were found; none of another order.
fn blanket<'a>(known: &'a Known, id: &str) -> Vec<&'a OrderLine> {
    let mut lines: Vec<&OrderLine> = known.order_lines(id).collect();
    lines.sort_by(|left, right| left.line.cmp(&right.line));
    if lines.iter().any(|line| line.blanket) { lines } else { Vec::new() }
}

fn claim(matching: &mut Matching<'_>, first: &OrderLine, taken: &Taken<'_>) {
    let Some(amount) = total(taken.called_off.iter().copied()) else { return };
    matching.claim(Claim { order_id: first.order_id.clone(), amount, ..Claim::default() });
}

fn value(matching: &mut Matching<'_>, first: &OrderLine, taken: &Taken<'_>) {
    let id = &first.order_id;
    let before = ledger::billed(matching.known.claims(id));
    let now = total(taken.amounts.iter().copied());
    let most = value_limit(&taken.lines);
    let over = before.zip(now).zip(most).and_then(|((before, now), most)| total([before, now, -most]));
    let test = Test::AtMost {
        sum: vec!["billed_before".into(), "billed_now".into()],
        of: "value_limit".into(),
        times: None,
        below: None,
    };
    let limit = matching.policy.limit(ToleranceKind::BlanketValue, &matching.scope(Some(first)));
    let figures = [("billed_before", before), ("billed_now", now)];
    let figures = figures.into_iter().filter_map(|(name, it)| Some((name, money(it?))));
    let comparison = Comparison::new(Code::BlanketValue, "match.blanket_value", test).with("order", id);
    let comparison = figures.fold(comparison, |it, (name, figure)| it.with(name, figure));
    let comparison = most.iter().fold(comparison, |it, most| it.from("value_limit", money(*most), of_order(first)));
    let excess = over.filter(|over| Decimal::ZERO < *over);
    let comparison = excess.iter().fold(comparison, |it, over| it.with("excess", money(*over)));
    let comparison = shown(comparison, &limit).limited(limit);
    let at = matching.values_at(&taken.idxs, LineField::NetAmount);
    matching.compare_at(comparison, &at, || match (before.zip(now), most, over) {
        (Some((before, now)), Some(most), Some(over)) => format!(
            "blanket order `{id}` is limited to {}: {} billed before and {} now are {} too much",
            money(most),
            money(before),
            money(now),
            money(over)
        ),
        _ => format!("blanket order `{id}` says no value that it is limited to"),
    });
}

/// The least that is written; where none is, what the lines come to by quantity and price.
fn value_limit(lines: &[&OrderLine]) -> Option<Decimal> {
    let written = lines.iter().filter_map(|line| line.value_limit).min();
    let amount = |line: &&OrderLine| product(line.quantity, quotient(line.unit_price, line.price_unit)?);
    let sum = || total(lines.iter().map(amount).collect::<Option<Vec<_>>>()?);
    written.or_else(sum).filter(|most| Decimal::ZERO < *most)
}

/// The first and the last day of what was delivered, or else the day of the document.
pub(super) fn served(invoice: &Invoice) -> Option<(Date, Date)> {
    let last = invoice.served_on()?;
    let first = invoice.served_from.unwrap_or(last);
    Some((first.min(last), last.max(first)))
}

fn time(matching: &mut Matching<'_>, first: &OrderLine, taken: &Taken<'_>) {
    // Where lines say it differently, the time is what they have in common.
    let from = taken.lines.iter().filter_map(|line| line.valid_from).max();
    let to = taken.lines.iter().filter_map(|line| line.valid_to).min();
    if from.is_none() && to.is_none() {
        return;
    }
    let served = served(matching.invoice);
    let outside = served.map(|(begin, end)| {
        let early = from.map_or(0, |from| days(from) - days(begin));
        let late = to.map_or(0, |to| days(end) - days(to));
        early.max(late).max(0)
    });
    let test = Test::AtMost { sum: vec!["days_outside".into()], of: "expected".into(), times: None, below: None };
    let limit = matching.policy.limit(ToleranceKind::BlanketDate, &matching.scope(Some(first)));
    let id = &first.order_id;
    let comparison =
        Comparison::new(Code::BlanketDate, "match.blanket_date", test).with("expected", 0).with("order", id);
    let comparison = outside.iter().fold(comparison, |it, outside| it.with("days_outside", outside));
    let dates = [("valid_from", from), ("valid_to", to)].into_iter().filter_map(|(name, day)| Some((name, day?)));
    let comparison = dates.fold(comparison, |it, (name, day)| it.from(name, day, of_order(first)));
    let comparison = served.iter().fold(comparison, |it, (begin, end)| {
        it.from("served_from", begin, matching.place(FieldName::PeriodFrom).or(matching.place(FieldName::DeliveryDate)))
            .from("served_to", end, matching.place(FieldName::PeriodTo).or(matching.place(FieldName::DeliveryDate)))
    });
    let comparison = shown(comparison, &limit).limited(limit);
    let at = matching.values_at(&taken.idxs, LineField::NetAmount);
    matching.compare_at(comparison, &at, || {
        let (from, to) = (from.map(|day| format!(" from {day}")), to.map(|day| format!(" up to {day}")));
        let time = format!("{}{}", from.unwrap_or_default(), to.unwrap_or_default());
        let served =
            served.map(|(begin, end)| if begin == end { end.to_string() } else { format!("{begin} to {end}") });
        format!("blanket order `{id}` holds{time}, what is billed is of {}", served.unwrap_or("no day".into()))
    });
}

#[cfg(test)]
mod tests;
