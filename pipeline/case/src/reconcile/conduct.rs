//! What a vendor's bills show only together: split to stay below a limit, just below it too often, small excesses that add
//! up; and what is worth a note.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::duplicates::twin_id;
use super::price::shown;
use super::{Billing, Matching, freight, same_id};
use crate::comparison::{Comparison, Pair, Place, Test};
use crate::facts::{Bill, Claim, Key, days, month_keys, split_keys};
use crate::invoice::{folded, product, quotient};
use crate::policy::ToleranceKind;
use crate::{Code, FieldName};

/// `cancelled` are bills that this document stands for again, as [`twin_id`] names them.
pub(super) fn judge(matching: &mut Matching<'_>, billing: &Billing<'_>, cancelled: &BTreeSet<String>) {
    if matching.invoice.credit {
        return;
    }
    amounts(matching, billing);
    let net = matching.bill.net.filter(|net| Decimal::ZERO < *net);
    let (Some(vendor), Some(date), Some(net)) = (matching.vendor, matching.bill.date, net) else { return };
    round_sum(matching, billing, net);
    price_creep(matching, &vendor.vendor_id, date);
    new_vendor(matching, &vendor.vendor_id, date);
    // Bands and budgets are in the policy's currency; that a document is in another one is a finding of its own.
    if matching.bill.currency.as_ref() != Some(&matching.policy.currency) {
        return;
    }
    split(matching, &vendor.vendor_id, date, net, cancelled);
    budget(matching, &vendor.vendor_id, date);
    near_limits(matching, &vendor.vendor_id, date, net);
}

/// What no order stands behind, where a row limits it.
fn amounts(matching: &mut Matching<'_>, billing: &Billing<'_>) {
    let comparison = |code, rule, net: Option<Decimal>, place: Option<Place>| {
        let test = Test::AtMost { sum: vec!["net".into()], of: "ordered".into(), times: None, below: None };
        let comparison = Comparison::new(code, rule, test).with("ordered", 0);
        match net {
            Some(net) => comparison.from("net", net.normalize(), place),
            None => comparison,
        }
    };
    let limit = matching.policy.limit(ToleranceKind::AmountLine, &matching.scope(None));
    let goods = billing.unordered.iter().filter_map(|idx| Some((*idx, matching.invoice.lines.get(*idx)?)));
    for (idx, line) in goods.filter(|(_, line)| limit.row.is_some() && !freight::is_freight(line)) {
        let place = line.evidence.clone().map(Place::Document);
        let net = line.amount();
        let comparison = comparison(Code::AmountLine, "match.amount_line", net, place);
        let comparison = shown(comparison, &limit).limited(limit.clone());
        let at = matching.lines_at(&[idx]);
        matching.compare_at(comparison, &at, || {
            format!("line {}: {} without an order, more than is allowed", line.id, said(net))
        });
    }
    let limit = matching.policy.limit(ToleranceKind::AmountDoc, &matching.scope(None));
    if limit.row.is_some() && billing.orders.is_empty() {
        let net = matching.bill.net;
        let comparison = comparison(Code::AmountDoc, "match.amount_doc", net, matching.place(FieldName::NetTotal));
        let at = [matching.field(FieldName::NetTotal)];
        matching.compare_at(shown(comparison, &limit).limited(limit), &at, || {
            format!("the document is over {} without an order, more than is allowed", said(net))
        });
    }
}

fn said(net: Option<Decimal>) -> String {
    net.map_or_else(|| "an unknown amount".to_owned(), |net| net.normalize().to_string())
}

/// So many other bills of a split are named.
const SPLIT_NAMED_MAX: usize = 20;

/// Bills of one vendor for one cost centre count as one within some days: the amount of all decides who must approve each.
/// Of all windows of so many days that this bill lies in, the one that adds up to most.
fn split(matching: &mut Matching<'_>, vendor: &str, date: Date, net: Decimal, cancelled: &BTreeSet<String>) {
    let Some(centre) = matching.bill.cost_centre.clone() else { return };
    let (known, window) = (matching.known, i64::from(matching.policy.splits.days));
    // Whichever came first: both are looked at.
    let keys = split_keys(vendor, &centre, date, matching.policy.splits.days);
    let bills = keys.iter().flat_map(|key| known.all_bills(key));
    let mut others: Vec<(i64, Decimal, String)> = bills
        .filter(|(_, bill)| !bill.credit && bill.currency == matching.bill.currency)
        .filter_map(|(case, bill)| Some((days(bill.date?) - days(date), bill.net?, twin_id(case, bill))))
        .filter(|(away, net, id)| away.abs() <= window && Decimal::ZERO < *net && !cancelled.contains(id))
        .collect();
    others.sort_unstable();
    others.dedup();
    for band in matching.policy.bands().into_iter().rev().filter(|band| net < *band) {
        let within = |from: i64| {
            others.iter().filter(move |(away, other, _)| (from..=from + window).contains(away) && *other < band)
        };
        let sum = |from: i64| within(from).try_fold(Decimal::ZERO, |sum, (_, net, _)| sum.checked_add(*net));
        let most = (-window..=0).filter_map(|from| Some((sum(from)?, from))).max_by_key(|(sum, from)| (*sum, -*from));
        let Some((sum, from)) = most.filter(|(sum, _)| !sum.is_zero()) else { continue };
        let Some(together) = net.checked_add(sum) else { continue };
        let named: Vec<&str> = within(from).map(|(_, _, id)| id.as_str()).collect();
        let (n, named) = (named.len(), named.into_iter().take(SPLIT_NAMED_MAX).collect::<Vec<_>>().join("; "));
        let comparison =
            Comparison::new(Code::Split, "match.split", Test::Less { value: "together".into(), than: "band".into() })
                .from("net", net.normalize(), matching.place(FieldName::NetTotal))
                .with("others", sum.normalize())
                .with("together", together.normalize())
                .from("band", band.normalize(), Some(Place::Policy("checkpoints.toml, net_from".into())))
                .from("days", window, Some(Place::Policy("tolerances.toml, splits.days".into())))
                .with("cost_centre", &centre)
                .with("n_others", n)
                .with("twin", &named);
        let reached = comparison.code().is_some();
        let at = [matching.field(FieldName::NetTotal)];
        matching.compare_at(comparison, &at, || {
            format!(
                "{} with {n} more of this vendor for `{centre}` within {window} days: {} together reach the limit of {}, which each alone does not",
                net.normalize(), together.normalize(), band.normalize()
            )
        });
        if reached {
            matching.verdict.routed_net = matching.verdict.routed_net.max(Some(together));
            return;
        }
    }
}

/// Excesses that tolerances let pass, added up over a calendar year. A bill without any takes nothing.
fn budget(matching: &mut Matching<'_>, vendor: &str, date: Date) {
    let limit = matching.policy.limit(ToleranceKind::VendorBudget, &matching.scope(None));
    let now = matching.bill.above;
    if limit.row.is_none() || now <= Decimal::ZERO {
        return;
    }
    let key = Key::budget(vendor, date.year());
    let bills = matching.known.bills(&key).map(|(_, bill)| bill);
    let bills = bills.filter(|bill| bill.currency == matching.bill.currency && bill.above > Decimal::ZERO);
    let before = bills.map(|bill| bill.above).try_fold(Decimal::ZERO, |sum, above| sum.checked_add(above));
    let test = Test::AtMost {
        sum: vec!["above_before".into(), "above_now".into()],
        of: "above_ordered".into(),
        times: None,
        below: None,
    };
    let comparison = Comparison::new(Code::VendorBudget, "match.vendor_budget", test)
        .with("above_now", now.normalize())
        .with("above_ordered", 0)
        .with("year", date.year())
        .with("vendor", vendor);
    let comparison = before.into_iter().fold(comparison, |it, before| it.with("above_before", before.normalize()));
    let total = before.and_then(|before| before.checked_add(now));
    let comparison = total.into_iter().fold(comparison, |it, total| it.with("above", total.normalize()));
    matching.compare(shown(comparison, &limit).limited(limit), || {
        format!(
            "{} above orders in {} with earlier invoices of {vendor}, more than its budget",
            said(total),
            date.year()
        )
    });
}

/// A vendor whose bills lie just below a limit too often. Only those that lie there themselves are shown to a person.
fn near_limits(matching: &mut Matching<'_>, vendor: &str, date: Date, net: Decimal) {
    let (limits, bands) = (matching.policy.near_limits, matching.policy.bands());
    let near = |net: Decimal| {
        bands.iter().copied().find(|band| {
            let from = product(*band, limits.from_percent).and_then(|it| quotient(it, Decimal::ONE_HUNDRED));
            from.is_some_and(|from| from <= net) && net < *band
        })
    };
    let Some(band) = near(net) else { return };
    let history = history(matching, vendor, date);
    let nets: Vec<Decimal> = history.iter().filter_map(|bill| bill.net).chain([net]).collect();
    let n_near = nets.iter().filter(|net| near(**net).is_some()).count();
    let share = quotient(Decimal::from(n_near) * Decimal::ONE_HUNDRED, Decimal::from(nets.len()));
    let Some(share) = share.filter(|_| usize::from(limits.invoices_min) <= nets.len()) else { return };
    let policy = |name: &str| Some(Place::Policy(format!("tolerances.toml, near_limits.{name}")));
    let test = Test::Less { value: "share_percent".into(), than: "limit_percent".into() };
    let comparison = Comparison::new(Code::ThresholdHug, "match.near_limits", test)
        .from("net", net.normalize(), matching.place(FieldName::NetTotal))
        .from("band", band.normalize(), Some(Place::Policy("checkpoints.toml, net_from".into())))
        .from("near_from_percent", limits.from_percent, policy("from_percent"))
        .with("invoices", nets.len())
        .with("near", n_near)
        .with("share_percent", share.normalize())
        .from("limit_percent", limits.share_percent, policy("share_percent"))
        .from("months", limits.months, policy("months"));
    let at = [matching.field(FieldName::NetTotal)];
    matching.compare_at(comparison, &at, || {
        let from = limits.from_percent;
        format!(
            "{n_near} of {} invoices of {vendor} in {} months lie from {from} % up to a limit, as this one below {}: {:.1} %",
            nets.len(), limits.months, band.normalize(), share.round_dp(1)
        )
    });
}

/// Earlier bills of the vendor as far as is looked back, in this document's currency; of each month the newest.
fn history<'a>(matching: &Matching<'a>, vendor: &str, date: Date) -> Vec<&'a Bill> {
    let months = matching.policy.near_limits.months;
    let since = date.checked_sub(i32::from(months).months()).unwrap_or(date);
    let (known, currency) = (matching.known, &matching.bill.currency);
    let keys = month_keys(vendor, date, months);
    let bills = keys.iter().flat_map(|key| known.bills(key)).map(|(_, bill)| bill);
    let within = |bill: &&Bill| bill.date.is_some_and(|it| since <= it && it <= date);
    bills.filter(|bill| !bill.credit && bill.currency == *currency).filter(within).collect()
}

/// A round amount that nobody ordered: what an order or a contract says is round because they are.
fn round_sum(matching: &mut Matching<'_>, billing: &Billing<'_>, net: Decimal) {
    let round = matching.policy.notes.round_sum;
    let contract = matching.invoice.contract_ref.as_deref();
    if !billing.orders.is_empty() || contract.is_some_and(|id| matching.known.contract(id).next().is_some()) {
        return;
    }
    let Some(rest) = net.checked_rem(round) else { return };
    let test = Test::Apart { pairs: vec![Pair { left: "rest".into(), right: "none".into(), within: Decimal::ZERO }] };
    let comparison = Comparison::new(Code::RoundSum, "match.round_sum", test)
        .from("net", net.normalize(), matching.place(FieldName::NetTotal))
        .from("round_sum", round.normalize(), Some(Place::Policy("tolerances.toml, notes.round_sum".into())))
        .with("rest", rest.normalize())
        .with("none", 0);
    let at = [matching.field(FieldName::NetTotal)];
    matching.compare_at(comparison, &at, || {
        format!("{} without an order is a round amount, a multiple of {}", net.normalize(), round.normalize())
    });
}

/// A vendor is new where its record says since when it is one, and neither that nor any bill is older. A record that does not
/// say it tells nothing: on the first day of this program every vendor would be new.
fn new_vendor(matching: &mut Matching<'_>, vendor: &str, date: Date) {
    let keys = crate::facts::vendor_keys_of(matching.invoice);
    let records = keys.iter().flat_map(|key| matching.known.vendors(key)).filter(|it| same_id(&it.vendor_id, vendor));
    let begun: Option<Vec<Date>> = records.map(|it| it.valid_from).collect();
    let Some(begun) = begun.and_then(|dates| dates.into_iter().min()) else { return };
    let oldest = history(matching, vendor, date).iter().filter_map(|bill| bill.date).min();
    let since = oldest.map_or(begun, |oldest| oldest.min(begun));
    let test = Test::Less { value: "new_vendor_days".into(), than: "days_known".into() };
    // The first day counts, and the day of the bill.
    let (known_days, new_days) = (days(date) - days(since) + 1, matching.policy.notes.new_vendor_days);
    let comparison = Comparison::new(Code::NewVendor, "match.new_vendor", test)
        .from("new_vendor_days", new_days, Some(Place::Policy("tolerances.toml, notes.new_vendor_days".into())))
        .with("days_known", known_days)
        .from("known_since", since, Some(Place::Fact(format!("vendor {vendor}"))))
        .from("date", date, matching.place(FieldName::IssueDate));
    let at = [matching.field(FieldName::SellerName)];
    matching.compare_at(comparison, &at, || {
        format!("vendor {vendor} is known since {since}, for {known_days} days; up to {new_days} it is new")
    });
}

/// So many rises of a price in a row are step by step.
const CREEP_STEPS_MIN: usize = 3;

/// What was paid for one of an item on each day, by amounts and quantities; a price that rose and never fell.
fn price_creep(matching: &mut Matching<'_>, vendor: &str, date: Date) {
    let limit = matching.policy.notes.price_creep_percent;
    let history = history(matching, vendor, date);
    let own = &matching.bill;
    let item = |claim: &Claim| claim.item.as_deref().map(folded).filter(|item| !item.is_empty());
    let items: BTreeSet<String> = own.claims.iter().filter_map(item).collect();
    // By item and day: quantity and amount.
    let mut sums: BTreeMap<String, BTreeMap<Date, (Decimal, Decimal)>> = BTreeMap::new();
    for bill in history.into_iter().chain([own]) {
        for claim in
            bill.claims.iter().filter(|it| Decimal::ZERO < it.quantity && Decimal::ZERO < it.amount && !it.freight)
        {
            let Some(item) = item(claim).filter(|item| items.contains(item)) else { continue };
            let sum = sums.entry(item).or_default().entry(bill.date.unwrap_or(date)).or_default();
            let added = sum.0.checked_add(claim.quantity).zip(sum.1.checked_add(claim.amount));
            *sum = added.unwrap_or(*sum);
        }
    }
    for (item, sums) in sums {
        let Some(creep) = Creep::of(&sums) else { continue };
        let test =
            Test::AtMost { sum: vec!["rise_percent".into()], of: "limit_percent".into(), times: None, below: None };
        let comparison = Comparison::new(Code::PriceCreep, "match.price_creep", test)
            .with("item", &item)
            .with("first_price", creep.first.round_dp(4).normalize())
            .with("price", creep.last.round_dp(4).normalize())
            .with("steps", creep.steps)
            .with("rise_percent", creep.percent.round_dp(4).normalize())
            .from(
                "limit_percent",
                limit.normalize(),
                Some(Place::Policy("tolerances.toml, notes.price_creep_percent".into())),
            );
        matching.compare(comparison, || {
            let (first, last) = (creep.first.round_dp(4).normalize(), creep.last.round_dp(4).normalize());
            format!(
                "`{item}` rose from {first} to {last} in {} steps: {:+.2} %",
                creep.steps,
                creep.percent.round_dp(2)
            )
        });
    }
}

struct Creep {
    first: Decimal,
    last: Decimal,
    steps: usize,
    percent: Decimal,
}

impl Creep {
    fn of(sums: &BTreeMap<Date, (Decimal, Decimal)>) -> Option<Creep> {
        let half_a_cent = Decimal::new(5, 3);
        let price = |(quantity, amount): &(Decimal, Decimal)| {
            quotient(*amount, *quantity).zip(quotient(half_a_cent, *quantity))
        };
        let mut prices = sums.values().map(price);
        let (first, mut slack) = prices.next()??;
        let (mut last, mut steps) = (first, 0);
        for price in prices {
            let (price, off) = price?;
            let rise = price.checked_sub(last)?;
            // An amount is rounded to a cent: the price that follows from it is no surer.
            let rounding = slack.checked_add(off)?;
            if rise.abs() <= rounding {
                continue;
            }
            if rise < Decimal::ZERO {
                return None;
            }
            (last, slack, steps) = (price, off, steps + 1);
        }
        let percent = quotient(product(last.checked_sub(first)?, Decimal::ONE_HUNDRED)?, first)?;
        (CREEP_STEPS_MIN <= steps).then_some(Creep { first, last, steps, percent })
    }
}

#[cfg(test)]
mod tests;
