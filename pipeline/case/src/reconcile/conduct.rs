//! What a vendor's bills show only together: split to stay below a limit, just below it too often, small excesses that add
//! up; and what is worth a note.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::duplicates::twin_id;
use super::price::shown;
use super::{Billing, Matching, freight, same_id};
use crate::comparison::weigh::reached;
use crate::comparison::{Comparison, Pair, Place, Test};
use crate::facts::{Account, Bill, Claim, Fact, Key, days, month_keys, split_keys, upper, vendor_keys_of};
use crate::invoice::{folded, product, quotient};
use crate::policy::ToleranceKind;
use crate::{CaseId, Code, FieldName};

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
    new_vendor(matching, billing, &vendor.vendor_id, date);
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

/// Another bill that counts together with this one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Other {
    net: Decimal,
    /// Days after this bill; less than 0 where it came before.
    away: i64,
    id: String,
    case: Option<CaseId>,
}

impl Other {
    fn within(&self, from: i64, window: i64) -> bool {
        (from..=from + window).contains(&self.away)
    }
}

/// Bills of one vendor that count together ([`Bill::counts_with`]) are one within some days: the amount of all decides who must
/// approve each. Of all windows of so many days that this bill lies in, the one that adds up to most.
fn split(matching: &mut Matching<'_>, vendor: &str, date: Date, net: Decimal, cancelled: &BTreeSet<String>) {
    let (days, bands) = (matching.policy.splits.days, matching.policy.bands());
    let window = i64::from(days);
    let others = others(matching, vendor, date, cancelled);
    let sums = sums(net, &others, window);
    let reached = reached(&sums, &bands).map(|(band, _)| band);
    // Where none is reached, the next one that could have been.
    let band = reached.or(bands.iter().copied().find(|band| net < *band));
    let below: Vec<&Other> = others.iter().filter(|it| band.is_none_or(|band| it.net < band)).collect();
    let within = |from: i64| below.iter().filter(move |it| it.within(from, window));
    let sum = |from: i64| within(from).fold(Decimal::ZERO, |sum, it| sum.saturating_add(it.net));
    let (sum, from) =
        (-window..=0).map(|from| (sum(from), from)).max_by_key(|(sum, from)| (*sum, -*from)).unwrap_or_default();
    let together = net.saturating_add(sum);
    let named: Vec<&str> = within(from).map(|it| it.id.as_str()).collect();
    let (n, named) = (named.len(), named.into_iter().take(SPLIT_NAMED_MAX).collect::<Vec<_>>().join("; "));
    let listed = |list: Vec<String>| list.join(",");
    let pair = |(alone, together): &(Decimal, Decimal)| format!("{}/{}", alone.normalize(), together.normalize());
    let test = Test::Unreached { sums: "reach".into(), limits: "bands".into() };
    let comparison = Comparison::new(Code::Split, "match.split", test)
        .from("net", net.normalize(), matching.place(FieldName::NetTotal))
        .with("others", sum.normalize())
        .with("together", together.normalize())
        .with("reach", listed(sums.iter().map(pair).collect()))
        .from(
            "bands",
            listed(bands.iter().map(|band| band.normalize().to_string()).collect()),
            Some(Place::Policy("checkpoints.toml, net_from".into())),
        )
        .from("days", days, Some(Place::Policy("tolerances.toml, splits.days".into())))
        .with("n_others", n);
    let comparison = reached.iter().fold(comparison, |it, band| it.with("band", band.normalize()));
    let comparison =
        Some(named).filter(|it| !it.is_empty()).iter().fold(comparison, |it, named| it.with("twin", named));
    let centre = matching.bill.centre().map(str::to_owned);
    let comparison = centre.iter().fold(comparison, |it, centre| it.with("cost_centre", centre));
    let (net, limit) = (net.normalize(), reached.unwrap_or_default().normalize());
    let at = [matching.field(FieldName::NetTotal)];
    matching.compare_at(comparison, &at, || {
        let whose = centre.map_or_else(|| "without an order".to_owned(), |centre| format!("for `{centre}`"));
        let together = together.normalize();
        format!(
            "{net} with {n} more of this vendor {whose} within {days} days: {together} together reach the limit of {limit}, which each alone does not"
        )
    });
    if reached.is_some() {
        matching.verdict.routed_net = matching.verdict.routed_net.max(Some(together));
        // Those in other windows too: what each comes to with this one is its own to say.
        matching.verdict.beside = others.iter().filter_map(|it| it.case).collect();
    }
}

/// What counts together with this bill, whichever came first; the smallest first. What other systems say names no cost centre,
/// and the order as a whole; and what a case billed is there once, also where it was brought in again.
fn others(matching: &Matching<'_>, vendor: &str, date: Date, cancelled: &BTreeSet<String>) -> Vec<Other> {
    let (known, own, window) = (matching.known, &matching.bill, matching.policy.splits.days);
    let keys = split_keys(vendor, own.centre(), date, window);
    // A case that does not count itself is found by its month alone.
    let elsewhere = |case: Option<CaseId>, bill: &Bill| {
        (case.is_none() && !bill.claims.is_empty()) || known.booked_here(case, bill)
    };
    let bills = keys.iter().flat_map(|key| known.all_bills(key)).filter(|(case, bill)| !elsewhere(*case, bill));
    let bills = bills.filter(|(_, bill)| !bill.credit && bill.currency == own.currency && own.counts_with(bill));
    let other = |(case, bill): (_, &Bill)| {
        Some(Other { net: bill.net?, away: days(bill.date?) - days(date), id: twin_id(case, bill), case })
    };
    let near = |it: &Other| it.away.abs() <= i64::from(window) && Decimal::ZERO < it.net && !cancelled.contains(&it.id);
    let mut others: Vec<Other> = bills.filter_map(other).filter(near).collect();
    others.sort_unstable();
    others.dedup();
    others
}

/// Between which amounts a limit is reached together and by no bill alone: of this bill with the others up to an amount, that
/// amount and what they come to in the window that adds up to most. Neighbours are joined, so that there are few.
fn sums(net: Decimal, others: &[Other], window: i64) -> Vec<(Decimal, Decimal)> {
    let mut windows: Vec<(i64, Decimal)> = (-window..=0).map(|from| (from, net)).collect();
    let mut sums = vec![(net, net)];
    for other in others {
        for (from, sum) in &mut windows {
            if other.within(*from, window) {
                *sum = sum.saturating_add(other.net);
            }
        }
        let most = windows.iter().map(|(_, sum)| *sum).max().unwrap_or(net);
        match sums.last_mut() {
            Some((_, together)) if other.net.max(net) <= *together => *together = most,
            Some(_) | None => sums.push((other.net, most)),
        }
    }
    sums
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
    // Above the last limit there is none to be near to.
    let Some(band) = bands.iter().copied().find(|band| net < *band) else { return };
    let Some(near_from) = matching.policy.near_from(net) else { return };
    let near = |net: &Decimal| matching.policy.near_from(*net).is_some_and(|from| from <= *net);
    let history = history(matching, vendor, date);
    let nets: Vec<Decimal> = history.iter().filter_map(|bill| bill.net).chain([net]).collect();
    let n_near = nets.iter().filter(|net| near(net)).count();
    let share = quotient(Decimal::from(n_near) * Decimal::ONE_HUNDRED, Decimal::from(nets.len()));
    let Some(share) = share else { return };
    let policy = |name: &str| Some(Place::Policy(format!("tolerances.toml, near_limits.{name}")));
    let less = |value: &str, than: &str| Test::Less { value: value.to_owned(), than: than.to_owned() };
    let of = vec![less("net", "near_from"), less("invoices", "invoices_min"), less("share_percent", "limit_percent")];
    let net = net.normalize();
    let comparison = Comparison::new(Code::ThresholdHug, "match.near_limits", Test::Any { of })
        .from("net", net, matching.place(FieldName::NetTotal))
        .with("band", band.normalize())
        .from("near_from_percent", limits.from_percent, policy("from_percent"))
        .from("near_from", near_from.normalize(), policy(&format!("from_percent of net_from above {net}")))
        .with("invoices", nets.len())
        .from("invoices_min", limits.invoices_min, policy("invoices_min"))
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
fn new_vendor(matching: &mut Matching<'_>, billing: &Billing<'_>, vendor: &str, date: Date) {
    let keys = vendor_keys_of(matching.invoice);
    let records = keys.iter().flat_map(|key| matching.known.vendors(key)).filter(|it| same_id(&it.vendor_id, vendor));
    let begun: Option<Vec<Date>> = records.map(|it| it.valid_from).collect();
    let Some(begun) = begun.and_then(|dates| dates.into_iter().min()) else { return };
    let history = history(matching, vendor, date);
    let since = |oldest: Option<Date>| oldest.map_or(begun, |oldest| oldest.min(begun));
    let of_bills = since(history.iter().filter_map(|bill| bill.date).min());
    // What was brought in may be invented, and so may the date on a document: a case is known since it was judged.
    let judged = |bill: &&Bill| Some(bill.date?.max(bill.since?.date()));
    let of_cases = since(history.iter().filter_map(judged).min());
    let test = Test::Less { value: "new_vendor_days".into(), than: "days_known".into() };
    let new_days = matching.policy.notes.new_vendor_days;
    // The first day counts, and the day of the bill.
    let known_days = |since: Date| days(date) - days(since) + 1;
    let comparison = |code, rule, since, test| {
        Comparison::new(code, rule, test)
            .from("new_vendor_days", new_days, Some(Place::Policy("tolerances.toml, notes.new_vendor_days".into())))
            .with("days_known", known_days(since))
            .from("known_since", since, Some(Place::Fact(format!("vendor {vendor}"))))
    };
    let new = comparison(Code::NewVendor, "match.new_vendor", of_bills, test.clone());
    let new = new.from("date", date, matching.place(FieldName::IssueDate));
    let at = [matching.field(FieldName::SellerName)];
    matching.compare_at(new, &at, || {
        let known_days = known_days(of_bills);
        format!("vendor {vendor} is known since {of_bills}, for {known_days} days; up to {new_days} it is new")
    });
    // INVARIANT (one hand pays nobody): one person alone does not bring a vendor in and have it paid.
    let Some(people) = people(matching, billing, vendor) else { return };
    let two = Test::AtMost { sum: vec!["least".into()], of: "people".into(), times: None, below: None };
    let one_hand = comparison(Code::OneHand, "match.one_hand", of_cases, Test::Any { of: vec![two, test] });
    matching.compare_at(one_hand.with("people", people).with("least", PEOPLE_MIN), &at, || {
        format!(
            "vendor {vendor} is new, and {people} person brought in all that its payment rests on: record, account, orders and receipts; \
             another one must confirm the account (`countersign payee confirm`) or bring in one of them"
        )
    });
}

/// So many people stand behind the first payments of a vendor.
const PEOPLE_MIN: usize = 2;

/// How many people brought in what a payment rests on: the vendor's record, the account with who confirmed it, the contract
/// that is named, and the order lines and receipts of what is billed. Of several accounts that it may go to the one with the
/// fewest counts; without any there is no payment that could be looked at.
fn people(matching: &Matching<'_>, billing: &Billing<'_>, vendor: &str) -> Option<usize> {
    let (known, invoice) = (matching.known, matching.invoice);
    let lines: BTreeSet<(String, String)> =
        billing.shares.iter().map(|it| (upper(&it.ordered.order_id), upper(&it.ordered.line))).collect();
    let orders: BTreeSet<Key> = lines.iter().map(|(order, _)| Key::order(order)).collect();
    let contract = invoice.contract_ref.as_deref().map(Key::contract);
    let keys = vendor_keys_of(invoice).into_iter().chain(orders).chain(contract);
    let rests_on = |fact: &Fact| match fact {
        Fact::Vendor(it) => same_id(&it.vendor_id, vendor),
        Fact::OrderLine(it) => lines.contains(&(upper(&it.order_id), upper(&it.line))),
        Fact::Receipt(it) => lines.contains(&(upper(&it.order_id), upper(&it.line))),
        Fact::Contract(it) => same_id(&it.vendor_id, vendor),
        _ => false,
    };
    let facts = keys.flat_map(|key| known.stated(&key)).filter(|it| rests_on(&it.fact));
    let people: BTreeSet<&str> = facts.map(|it| it.by.as_str()).collect();
    let accounts = Key::accounts_of(vendor);
    let named = invoice.iban.as_deref();
    let paid_to = known.accounts(&accounts).filter(|account| account.named_or_approved(named, matching.today));
    let with = |account: &Account| {
        let vouch = [Some(account.maker.as_str()), account.checker.as_deref()];
        people.iter().copied().chain(vouch.into_iter().flatten()).collect::<BTreeSet<_>>().len()
    };
    paid_to.map(with).min()
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
