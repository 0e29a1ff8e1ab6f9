//! Delivery costs against those that the orders plan, or against what is tolerated where none are planned.

use rust_decimal::Decimal;

use super::price::shown;
use super::{Billing, Matching, ledger, money, same_id, total};
use crate::comparison::{Comparison, Place, Test};
use crate::facts::{Claim, ContractRate, Known, OrderLine};
use crate::policy::ToleranceKind;
use crate::{Code, FieldName, Line};

/// What delivery costs are called, each a word of its own.
const WORDS: [&str; 16] = [
    "freight",
    "shipping",
    "shipment",
    "delivery",
    "carriage",
    "postage",
    "fracht",
    "frachtkosten",
    "versand",
    "versandkosten",
    "porto",
    "portokosten",
    "transport",
    "transportkosten",
    "lieferkosten",
    "lieferpauschale",
];
/// Chinese is written without blanks between words.
const CHINESE: [&str; 3] = ["运费", "物流费", "邮费"];

/// Says the line's name that it is for delivery?
pub(super) fn is_freight(line: &Line) -> bool {
    line.name.as_deref().is_some_and(names_freight)
}

/// Were delivery costs ordered as such?
pub(super) fn orders_freight(ordered: &OrderLine) -> bool {
    [&ordered.description, &ordered.item].into_iter().flatten().any(|name| names_freight(name))
}

fn names_freight(name: &str) -> bool {
    let mut words = name.split(|ch: char| !ch.is_alphanumeric());
    words.any(|word| WORDS.contains(&word.to_lowercase().as_str())) || CHINESE.iter().any(|word| name.contains(word))
}

/// Delivery costs of all its orders together: the document does not say which of them caused them. Where a contract stands in
/// the place of an order, they are the contract's.
pub(super) fn judge(matching: &mut Matching<'_>, billing: &Billing<'_>) {
    let (known, invoice) = (matching.known, matching.invoice);
    let own = |row: &&ContractRate| matching.vendor.is_none_or(|it| same_id(&it.vendor_id, &row.vendor_id));
    let contract = invoice.contract_ref.as_deref().and_then(|id| known.contract(id).find(own));
    let contract = contract.map(|row| row.contract_id.as_str()).filter(|_| billing.orders.is_empty());
    let orders: Vec<&str> = billing.orders.keys().copied().chain(contract).collect();
    if orders.is_empty() {
        return;
    }
    let mut idxs = Vec::new();
    let mut billed = vec![invoice.totals.charge_total.unwrap_or_default()];
    // Without an order, lines are compared with the contract, whatever they are for.
    for idx in billing.unordered.iter().filter(|_| contract.is_none()) {
        let Some(line) = invoice.lines.get(*idx).filter(|line| is_freight(line)) else { continue };
        idxs.push(*idx);
        let amount = line.amount();
        let test = Test::There { value: "amount".into() };
        let comparison = Comparison::new(Code::Missing, "match.freight_amount", test)
            .with("amount", amount.map(|it| it.to_string()).unwrap_or_default());
        let at = matching.lines_at(&[*idx]);
        matching.compare_at(comparison, &at, || format!("line {} has no amount", line.id));
        billed.extend(amount);
    }
    let now = total(billed);
    if now.is_some_and(|now| now.is_zero()) {
        return;
    }
    if let Some(now) = now {
        claim(matching, billing, &orders, now);
    }
    if !invoice.credit && now.is_none_or(|now| Decimal::ZERO < now) {
        within(matching, billing, &orders, now, &idxs);
    }
}

/// Written on one line of an order or on each.
fn planned(lines: &[&OrderLine]) -> Option<Decimal> {
    lines.iter().filter_map(|line| line.freight_planned).max().filter(|plan| Decimal::ZERO < *plan)
}

/// The delivery costs that were billed of an order before.
fn freight_of(known: &Known, order: &str) -> Option<Decimal> {
    let claims = known.claims(order).filter(|(_, claim)| claim.freight);
    ledger::taken(claims, |claim| claim.amount)
}

/// Takes of each order what is left of its plan, or credits what was billed of it, and of the last one the rest.
fn claim(matching: &mut Matching<'_>, billing: &Billing<'_>, orders: &[&str], now: Decimal) {
    let (mut rest, credit) = (now, matching.invoice.credit);
    for (n, id) in orders.iter().enumerate() {
        let before = freight_of(matching.known, id).unwrap_or_default();
        let plan = billing.orders.get(id).and_then(|lines| planned(lines)).unwrap_or_default();
        let room = if credit { before } else { plan.checked_sub(before).unwrap_or_default() };
        let last = n + 1 == orders.len();
        let part = if last { rest } else { rest.min(room.max(Decimal::ZERO)) };
        if part.is_zero() {
            continue;
        }
        rest -= part;
        let amount = if credit { -part } else { part };
        matching.claim(Claim { order_id: (*id).to_owned(), amount, freight: true, ..Claim::default() });
    }
}

/// What cannot be added up is held.
fn within(matching: &mut Matching<'_>, billing: &Billing<'_>, orders: &[&str], now: Option<Decimal>, idxs: &[usize]) {
    let known = matching.known;
    let planned = total(billing.orders.values().filter_map(|lines| planned(lines)));
    let before = orders.iter().map(|id| freight_of(known, id)).collect::<Option<Vec<_>>>().and_then(total);
    let kind = match planned {
        Some(planned) if planned.is_zero() => ToleranceKind::FreightUnplanned,
        _ => ToleranceKind::FreightPlanned,
    };
    let orders = orders.join(", ");
    let evidence = idxs.first().and_then(|idx| matching.invoice.lines.get(*idx)?.evidence.clone());
    let place = evidence.map(Place::Document).or(matching.place(FieldName::ChargeTotal));
    let test = Test::AtMost {
        sum: vec!["billed_before".into(), "billed_now".into()],
        of: "planned".into(),
        times: None,
        below: None,
    };
    let limit = matching.policy.limit(kind, &matching.scope(None));
    let comparison = Comparison::new(Code::Freight, "match.freight", test).with("order", &orders);
    let comparison = now.iter().fold(comparison, |it, now| it.from("billed_now", money(*now), place.clone()));
    let comparison = before.iter().fold(comparison, |it, before| it.with("billed_before", money(*before)));
    let place = Place::Fact(format!("order {orders}"));
    let comparison =
        planned.iter().fold(comparison, |it, planned| it.from("planned", money(*planned), Some(place.clone())));
    let sum = before.zip(now).and_then(|(before, now)| before.checked_add(now));
    let excess = sum.zip(planned).and_then(|(sum, planned)| sum.checked_sub(planned)).filter(|it| Decimal::ZERO < *it);
    let comparison = excess.iter().fold(comparison, |it, excess| it.with("excess", money(*excess)));
    let comparison = shown(comparison, &limit).limited(limit);
    let mut at = matching.lines_at(idxs);
    if matching.invoice.totals.charge_total.is_some_and(|it| !it.is_zero()) {
        at.push(matching.field(FieldName::ChargeTotal));
    }
    matching.compare_at(comparison, &at, || {
        let (Some(sum), Some(planned)) = (sum.map(money), planned.map(money)) else {
            return format!("the delivery costs of order {orders} cannot be added up");
        };
        format!("{sum} of delivery costs billed with earlier invoices, {planned} planned by order {orders}")
    });
}

#[cfg(test)]
mod tests;
