//! What came in only after the case was judged first. Nobody alone makes good what was held, by changing what it was held to: a
//! person looks at it.

use std::collections::BTreeSet;

use super::behind::Bases;
use super::{Billing, Matching, same_id, same_unit};
use crate::comparison::{Comparison, Place, Test};
use crate::facts::{Conversion, Fact, Key, OrderLine, upper, vendor_keys_of};
use crate::{Code, Timestamp};

/// Receipts, returns and credit notes are waited for, and accounts have two people of their own: they are not among it.
pub(super) fn judge(matching: &mut Matching<'_>, billing: &Billing<'_>, bases: &Bases<'_>) {
    let Some(judged_first) = matching.known.judged_first else { return };
    let later = later(matching, billing, bases, judged_first);
    let test = Test::AtMost { sum: vec!["later".into()], of: "none".into(), times: None, below: None };
    let comparison = Comparison::new(Code::BroughtLater, "match.brought_later", test)
        .with("later", later.len())
        .with("none", 0)
        .with("judged_first", judged_first);
    let first = later.first();
    let comparison = first.into_iter().fold(comparison, |it, (fact, at)| {
        it.from("brought", fact, Some(Place::Fact(fact.clone()))).with("brought_at", at)
    });
    matching.compare(comparison, || {
        let (fact, at) = first.map(|(fact, at)| (fact.as_str(), at.to_string())).unwrap_or_default();
        format!("{fact} was brought in or changed at {at}, after this document was judged first at {judged_first}")
    });
}

/// Facts that it rests on and that are known only since after `judged_first`, with since when.
fn later(
    matching: &Matching<'_>,
    billing: &Billing<'_>,
    bases: &Bases<'_>,
    judged_first: Timestamp,
) -> BTreeSet<(String, Timestamp)> {
    let (known, invoice) = (matching.known, matching.invoice);
    let lines: BTreeSet<(String, String)> = billing.shares.iter().map(|it| line_of(it.ordered)).collect();
    let behind = bases.values().flatten().copied().chain(invoice.contract_ref.as_deref());
    let behind = behind.flat_map(|id| [Key::order(id), Key::contract(id)]);
    let orders = billing.orders.keys().map(|id| Key::order(id));
    let units = billing.shares.iter().flat_map(|it| Key::units_of(it.ordered));
    let keys: BTreeSet<Key> = vendor_keys_of(invoice).into_iter().chain(behind).chain(orders).chain(units).collect();
    let until = matching.bill.served_to.max(matching.bill.date);
    let rests_on = |fact: &Fact| match fact {
        Fact::Vendor(it) => Some(it) == matching.vendor,
        Fact::OrderLine(it) => lines.contains(&line_of(it)) || of_whole(it),
        // A price of a time to come is none that it is held to.
        Fact::Contract(it) => until.is_none_or(|until| it.valid_from <= until),
        Fact::Unit(it) => converts(matching, billing, it),
        _ => false,
    };
    let stated = keys.iter().flat_map(|key| known.stated(key));
    let later = stated.filter(|it| judged_first < it.known_from && rests_on(&it.fact));
    later.filter_map(|it| Some((called(&it.fact)?, it.known_from))).collect()
}

fn line_of(ordered: &OrderLine) -> (String, String) {
    (upper(&ordered.order_id), upper(&ordered.line))
}

/// Does the line say something of the whole order?
fn of_whole(ordered: &OrderLine) -> bool {
    ordered.blanket || ordered.value_limit.is_some() || ordered.freight_planned.is_some()
}

/// Is something measured by it, billed or received in another unit than ordered?
fn converts(matching: &Matching<'_>, billing: &Billing<'_>, it: &Conversion) -> bool {
    billing.shares.iter().any(|share| {
        let ordered = share.ordered;
        let received = matching.known.receipts_of(&ordered.order_id, &ordered.line);
        let units = received.filter_map(|it| it.unit.as_deref()).chain(share.line.unit.as_deref());
        let mut others = units.filter(|unit| !same_unit(unit, &ordered.unit));
        let of_item = |item: &String| ordered.item.as_deref().is_some_and(|own| same_id(own, item));
        let ends = [(&it.from_unit, &it.to_unit), (&it.to_unit, &it.from_unit)];
        it.item.as_ref().is_none_or(of_item)
            && others.any(|unit| ends.iter().any(|(one, to)| same_unit(one, unit) && same_unit(to, &ordered.unit)))
    })
}

fn called(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Vendor(it) => Some(format!("vendor {}", it.vendor_id)),
        Fact::OrderLine(it) => Some(format!("order {}, line {}", it.order_id, it.line)),
        Fact::Contract(it) => Some(format!("contract {}", it.contract_id)),
        Fact::Unit(it) => Some(format!("unit {}", it.from_unit)),
        _ => None,
    }
}
