//! Prices against the order's.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Billing, Matching, Share, ledger, money, of_order};
use crate::Code;
use crate::comparison::{Comparison, Outcome, Place, Test};
use crate::facts::OrderLine;
use crate::invoice::{add, product, quotient, total};
use crate::policy::{Limit, ToleranceKind};
use crate::validate::cents;

pub(super) fn judge(matching: &mut Matching<'_>, billing: &Billing<'_>) {
    // A line that bills several order lines, which are alike, is one line: a limit per line counts once.
    for shares in billing.shares.chunk_by(|left, right| left.idx == right.idx) {
        let Some(share) = shares.first() else { continue };
        let at = matching.lines_at(&[share.idx]);
        let Some(price) = share.price else {
            let test = Test::There { value: "price".into() };
            let comparison = Comparison::new(Code::Missing, "match.price", test)
                .with("order", &share.ordered.order_id)
                .with("order_line", &share.ordered.line);
            matching.compare_at(comparison, &at, || format!("line {} has no price", share.line.id));
            continue;
        };
        // Out of range, it fails.
        let quantity = total(shares.iter().map(|share| share.quantity));
        let goes_back = quantity.is_some_and(|quantity| quantity <= Decimal::ZERO);
        if goes_back || share.value_only || share.ordered.open_price() {
            continue;
        }
        unit_price(matching, share, quantity, price);
    }
    totals(matching, billing);
    whole_orders(matching, billing);
}

fn unit_price(matching: &mut Matching<'_>, share: &Share<'_>, quantity: Option<Decimal>, found: Decimal) {
    let ordered = share.ordered;
    let expected = quotient(ordered.unit_price, ordered.price_unit).unwrap_or(ordered.unit_price).normalize();
    let found = found.normalize();
    // Out of range, it fails.
    let difference = found.checked_sub(expected);
    let variance = difference.zip(quantity).and_then(|(it, quantity)| product(quantity, it)).map(cents);
    let percent = difference.and_then(|it| product(it, Decimal::ONE_HUNDRED)).and_then(|it| quotient(it, expected));
    let test = Test::AtMost {
        sum: vec!["billed".into()],
        of: "ordered".into(),
        times: Some("quantity".into()),
        below: Some(Code::PriceBelow),
    };
    let limit = matching.policy.limit(ToleranceKind::PriceUnit, &matching.scope(Some(ordered)));
    let comparison = Comparison::new(Code::Price, "match.price", test)
        .from("ordered", expected, of_order(ordered))
        .from("billed", found, share.line.evidence.clone().map(Place::Document))
        .with("order", &ordered.order_id)
        .with("order_line", &ordered.line);
    let comparison = quantity.iter().fold(comparison, |it, quantity| it.with("quantity", quantity.normalize()));
    let comparison = variance.iter().fold(comparison, |it, variance| it.with("variance", variance));
    let comparison = percent.iter().fold(comparison, |it, percent| it.with("percent", percent.round_dp(4).normalize()));
    let comparison = shown(comparison, &limit).limited(limit);
    let at = matching.lines_at(&[share.idx]);
    let above = variance.filter(|it| Decimal::ZERO < *it && comparison.code().is_none());
    if above.is_some_and(|above| !add(&mut matching.bill.above, above)) {
        let there = Comparison::new(Code::Unreadable, "match.range", Test::There { value: "above".into() });
        matching.compare_at(there.with("above", ""), &at, || {
            "what is billed above the orders' prices is out of range and does not add up".to_owned()
        });
    }
    let word = if variance.is_some_and(|it| it < Decimal::ZERO) { "less" } else { "disputed" };
    matching.compare_at(comparison, &at, || {
        let percent =
            percent.map_or_else(|| "from nothing".to_owned(), |percent| format!("{:+.2} %", percent.round_dp(2)));
        let id = &share.line.id;
        let variance = variance.map_or_else(|| "an amount out of range".to_owned(), |it| it.abs().to_string());
        let [found, expected] = [found, expected].map(|it| it.round_dp(6).normalize());
        format!("line {id}: {found} a unit, ordered at {expected}: {percent}, {variance} {word}")
    });
}

/// The row and its limits among the figures, where people look.
pub(super) fn shown(comparison: Comparison, limit: &Limit) -> Comparison {
    let Some(row) = &limit.row else { return comparison };
    let comparison = comparison.with("policy_row", &row.id);
    let comparison = row.upper_percent.iter().fold(comparison, |it, max| it.with("limit_percent", max));
    row.upper_abs.iter().fold(comparison, |it, max| it.with("limit_abs", max))
}

/// Everything billed of an order line, this document with those before it, against what it would have cost: small excesses add
/// up, and a debit note makes what was billed before dearer. Only where a row asks for it; and always for debit notes, and
/// where something is or was credited, because goods credited for less than they cost can be billed in full again.
fn totals(matching: &mut Matching<'_>, billing: &Billing<'_>) {
    let mut of_lines: BTreeMap<(&str, &str), (&OrderLine, Vec<&Share<'_>>)> = BTreeMap::new();
    for share in &billing.shares {
        let ordered = share.ordered;
        of_lines.entry((&ordered.order_id, &ordered.line)).or_insert((ordered, Vec::new())).1.push(share);
    }
    for (ordered, shares) in of_lines.into_values() {
        let debited = shares.iter().any(|share| share.value_only) && !matching.invoice.credit;
        let before = ledger(matching.known, ordered);
        let credited = Decimal::ZERO < before.credited || shares.iter().any(|share| share.quantity < Decimal::ZERO);
        let row = matching.policy.limit(ToleranceKind::PriceTotal, &matching.scope(Some(ordered))).row;
        let asked = row.is_some() || debited || credited;
        if matching.invoice.credit || ordered.open_price() || !asked {
            continue;
        }
        let limit = total_limit(matching, ordered);
        // What does not add up is missing, and the comparison fails.
        let now = total(shares.iter().map(|share| share.amount)).filter(|_| !before.beyond);
        let quantity = total(shares.iter().map(|share| share.quantity).chain([before.open()]));
        let price = quotient(ordered.unit_price, ordered.price_unit).unwrap_or(ordered.unit_price);
        let expected = quantity.and_then(|quantity| product(quantity, price)).map(cents);
        let test = Test::AtMost {
            sum: vec!["billed_before".into(), "billed_now".into()],
            of: "expected".into(),
            times: None,
            below: None,
        };
        let comparison = Comparison::new(Code::PriceTotal, "match.price_total", test)
            .with("billed_before", before.open_amount())
            .with("order", &ordered.order_id)
            .with("order_line", &ordered.line);
        let figures = [("billed_now", now), ("quantity", quantity.map(|it| it.normalize()))];
        let figures = figures.into_iter().filter_map(|(name, it)| Some((name, it?)));
        let comparison = figures.fold(comparison, |it, (name, figure)| it.with(name, figure));
        let comparison = expected.iter().fold(comparison, |it, figure| it.from("expected", figure, of_order(ordered)));
        let comparison = shown(comparison, &limit).limited(limit);
        let by = match comparison.outcome() {
            Outcome::Fails { by, .. } => by.unwrap_or_default(),
            Outcome::Passes { .. } | Outcome::Below { .. } | Outcome::Small { .. } => Decimal::ZERO,
        };
        let idxs: Vec<usize> = shares.iter().map(|share| share.idx).collect();
        let (at, called) = (matching.lines_at(&idxs), matching.lines_called(&idxs));
        let total = now.and_then(|now| before.open_amount().checked_add(now));
        matching.compare_at(comparison, &at, || {
            let (Some(total), Some(expected)) = (total, expected) else {
                return format!("{called}: what is billed of the order line is out of range and does not add up");
            };
            format!("{called}: {total} billed with earlier invoices, {expected} by the order's price; {by} too much")
        });
    }
}

/// Other systems bill an order as a whole, in money, which could be of any of its lines and at another price: of such an order
/// everything that was billed, with this document, costs no more than all that was ordered; of one line, than what may be billed
/// of it by what came in.
fn whole_orders(matching: &mut Matching<'_>, billing: &Billing<'_>) {
    let known = matching.known;
    let mut orders: BTreeMap<&str, Vec<&Share<'_>>> = BTreeMap::new();
    for share in billing.shares.iter().filter(|_| !matching.invoice.credit) {
        orders.entry(&share.ordered.order_id).or_default().push(share);
    }
    for (id, shares) in orders {
        if ledger::elsewhere(known, id).next().is_none() {
            continue;
        }
        let lines: Vec<&OrderLine> = known.order_lines(id).collect();
        let Some(first) = shares.first().filter(|_| !lines.iter().any(|it| it.blanket)) else { continue };
        let of_lines = known.claims(id).filter(|(_, claim)| !claim.line.trim().is_empty());
        let before = ledger::billed(of_lines.chain(ledger::elsewhere(known, id)));
        let now = total(shares.iter().map(|share| share.amount));
        let alone = known.has_one_line(id);
        let most = |it: &OrderLine| {
            let billable = if alone { ledger(known, it).billable(it.match_level) } else { None };
            billable.map_or(it.quantity, |billable| billable.clamp(Decimal::ZERO, it.quantity.max(Decimal::ZERO)))
        };
        let amount = |it: &&OrderLine| product(most(it), quotient(it.unit_price, it.price_unit)?);
        let expected = lines.iter().map(amount).collect::<Option<Vec<_>>>().and_then(total).map(cents);
        let test = Test::AtMost {
            sum: vec!["billed_before".into(), "billed_now".into()],
            of: "expected".into(),
            times: None,
            below: None,
        };
        let figures = [("billed_before", before), ("billed_now", now)];
        let figures = figures.into_iter().filter_map(|(name, it)| Some((name, money(it?))));
        let comparison = Comparison::new(Code::PriceTotal, "match.price_order", test).with("order", id);
        let comparison = figures.fold(comparison, |it, (name, figure)| it.with(name, figure));
        let place = Some(Place::Fact(format!("order {id}")));
        let comparison = expected.iter().fold(comparison, |it, most| it.from("expected", money(*most), place.clone()));
        let limit = total_limit(matching, first.ordered);
        let comparison = shown(comparison, &limit).limited(limit);
        let idxs: Vec<usize> = shares.iter().map(|share| share.idx).collect();
        let at = matching.lines_at(&idxs);
        matching.compare_at(comparison, &at, || {
            let (Some(before), Some(now), Some(expected)) = (before, now, expected) else {
                return format!("what is billed of order `{id}` is out of range and does not add up");
            };
            let (before, now, expected) = (money(before), money(now), money(expected));
            format!(
                "{expected} may be billed of order `{id}`: {before} before, in part by other systems, and {now} now"
            )
        });
    }
}

/// The limit of what is billed altogether; without a row of its own, what a price may differ.
fn total_limit(matching: &Matching<'_>, ordered: &OrderLine) -> Limit {
    let scope = matching.scope(Some(ordered));
    let limit = matching.policy.limit(ToleranceKind::PriceTotal, &scope);
    if limit.row.is_some() { limit } else { matching.policy.limit(ToleranceKind::PriceUnit, &scope) }
}
