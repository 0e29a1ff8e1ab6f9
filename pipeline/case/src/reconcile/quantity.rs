//! Quantities against what was ordered, received and accepted. They are judged by the sum of what the document bills of an
//! order line and not line by line, so that the order of the lines makes no difference.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::price::shown;
use super::{Billing, Ledger, Matching, ledger, of_order};
use crate::comparison::{Comparison, Test};
use crate::facts::OrderLine;
use crate::invoice::{add, product, quotient};
use crate::policy::ToleranceKind;
use crate::validate::cents;
use crate::{Code, LineField};

/// What the document bills of one order line.
struct Tally<'a> {
    ordered: &'a OrderLine,
    ledger: Ledger,
    idxs: Vec<usize>,
    quantity: Decimal,
    amount: Decimal,
    /// Everything is in it, and in the ledger.
    whole: bool,
}

pub(super) fn judge(matching: &mut Matching<'_>, billing: &Billing<'_>) {
    let mut tallies: BTreeMap<(&str, &str), Tally<'_>> = BTreeMap::new();
    for share in &billing.shares {
        let ordered = share.ordered;
        let known = matching.known;
        let tally = tallies.entry((&ordered.order_id, &ordered.line)).or_insert_with(|| Tally {
            ordered,
            ledger: ledger(known, ordered),
            idxs: Vec::new(),
            quantity: Decimal::ZERO,
            amount: Decimal::ZERO,
            whole: true,
        });
        tally.idxs.push(share.idx);
        let within = [add(&mut tally.quantity, share.quantity), add(&mut tally.amount, share.amount)];
        tally.whole &= !within.contains(&false) && !tally.ledger.beyond;
    }
    for tally in tallies.values() {
        if !tally.whole {
            beyond(matching, tally);
        }
        credit(matching, tally);
        if Decimal::ZERO < tally.quantity && !tally.ordered.blanket {
            billed(matching, tally);
        }
    }
}

/// INVARIANT (fail closed): what does not add up was not wholly compared.
fn beyond(matching: &mut Matching<'_>, tally: &Tally<'_>) {
    let comparison = Comparison::new(Code::Unreadable, "match.range", Test::There { value: "sums".into() })
        .with("sums", "")
        .with("order", &tally.ordered.order_id)
        .with("order_line", &tally.ordered.line);
    let (at, called) = (matching.lines_at(&tally.idxs), matching.lines_called(&tally.idxs));
    let (order, line) = (&tally.ordered.order_id, &tally.ordered.line);
    matching.compare_at(comparison, &at, || {
        format!("{called}: figures of order {order}, line {line}, are out of range and do not add up")
    });
}

/// No more is credited than was billed: neither goods nor money.
fn credit(matching: &mut Matching<'_>, tally: &Tally<'_>) {
    let (goods_left, money_left) = tally.ledger.creditable();
    let goods = (-tally.quantity, goods_left, "match.credit", "");
    // Goods at another price than they were billed at are looked at as goods. What is limited by its value alone is money.
    let money = (-tally.amount, money_left, "match.credit_amount", " in money");
    let value_only = tally.quantity.is_zero() || tally.ordered.open_price();
    for (credited, billed, rule, what) in [goods, money] {
        if credited <= Decimal::ZERO || (rule == "match.credit_amount") != value_only {
            continue;
        }
        let (credited, billed) = (credited.normalize(), billed.normalize());
        let test = Test::AtMost { sum: vec!["credited".into()], of: "billed".into(), times: None, below: None };
        let comparison = Comparison::new(Code::CreditExceeds, rule, test)
            .with("credited", credited)
            .with("billed", billed)
            .with("order", &tally.ordered.order_id)
            .with("order_line", &tally.ordered.line);
        let name = if value_only { LineField::NetAmount } else { LineField::Quantity };
        let (at, called) = (matching.values_at(&tally.idxs, name), matching.lines_called(&tally.idxs));
        matching.compare_at(comparison, &at, || {
            format!("{called}: {credited} credited{what}, {billed} billed and not yet credited")
        });
    }
}

fn billed(matching: &mut Matching<'_>, tally: &Tally<'_>) {
    let (ordered, level) = (tally.ordered, tally.ordered.match_level);
    within(matching, tally, Code::QtyOrd, ToleranceKind::QtyOrd, "ordered", ordered.quantity);
    let Some(billable) = tally.ledger.billable(level) else { return };
    let (code, kind, what) = match level {
        _ if tally.ledger.kept() <= Decimal::ZERO => (Code::NoGr, ToleranceKind::QtyRec, "received"),
        4 => (Code::QtyAcc, ToleranceKind::QtyAcc, "accepted"),
        _ => (Code::QtyRec, ToleranceKind::QtyRec, "received"),
    };
    within(matching, tally, code, kind, what, billable);
}

fn within(matching: &mut Matching<'_>, tally: &Tally<'_>, code: Code, kind: ToleranceKind, what: &str, limit: Decimal) {
    let (ordered, now, before) = (tally.ordered, tally.quantity, tally.ledger.counted());
    let allowed = (limit - before).max(Decimal::ZERO).normalize();
    let excess = (now - allowed).normalize();
    let (total, limit) = ((before + now).normalize(), limit.normalize());
    let rule = match code {
        Code::QtyOrd => "match.quantity_ordered",
        Code::QtyAcc => "match.quantity_accepted",
        Code::NoGr => "match.no_receipt",
        _ => "match.quantity_received",
    };
    let test = Test::AtMost {
        sum: vec!["billed_before".into(), "billed_now".into()],
        of: what.to_owned(),
        times: None,
        below: None,
    };
    let tolerance = matching.policy.limit(kind, &matching.scope(Some(ordered)));
    let mut comparison = Comparison::new(code, rule, test)
        .with("billed_before", before.normalize())
        .with("billed_now", now.normalize())
        .from(what, limit, of_order(ordered))
        .with("allowed", allowed)
        .with("excess", excess)
        .with("order", &ordered.order_id)
        .with("order_line", &ordered.line);
    let price = quotient(ordered.unit_price, ordered.price_unit);
    if let Some(amount) = price.and_then(|price| product(excess, price)) {
        comparison = comparison.with("excess_amount", cents(amount));
    }
    let comparison = shown(comparison, &tolerance).limited(tolerance);
    let (at, called) = (matching.values_at(&tally.idxs, LineField::Quantity), matching.lines_called(&tally.idxs));
    matching.compare_at(comparison, &at, || {
        format!("{called}: {total} billed with earlier invoices, {limit} {what}; {allowed} allowed, {excess} too many")
    });
}
