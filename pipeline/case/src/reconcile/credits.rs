//! Goods that went back, and that the vendor has been paid or will be paid for all the same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{ledger, of_order, same_id, units};
use crate::comparison::{Comparison, Place, Test};
use crate::facts::{Key, Known, OrderLine, Receipt, days as days_of};
use crate::invoice::{product, quotient};
use crate::validate::cents;
use crate::{Code, Finding};

/// Months that are looked through for returns, with the present one.
const MONTHS: i32 = 13;

/// A credit note that the vendor owes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outstanding {
    pub vendor_id: String,
    pub order_id: String,
    pub order_line: String,
    /// Billed beyond what was kept, and not credited, as far as it went back; in the order line's unit. Zero where a unit
    /// is not known, as the finding says.
    pub quantity: Decimal,
    /// Net, at the price that was billed; none where that is not known.
    pub amount: Option<Decimal>,
    pub currency: String,
    /// The oldest return that is not credited.
    pub since: Date,
    /// Why: the quantities, and the days.
    pub findings: Vec<Finding>,
}

/// Keys of everything that outstanding credits are found by; asked again until nothing is missing.
pub fn wanted_of_returns(known: &Known, today: Date) -> BTreeSet<Key> {
    let mut keys: BTreeSet<Key> = months(today).collect();
    let orders: BTreeSet<&str> = returned(known, today).map(|receipt| receipt.order_id.as_str()).collect();
    for order in orders {
        keys.insert(Key::order(order));
        for line in known.order_lines(order) {
            let other = known
                .receipts(order)
                .filter_map(|it| it.unit.as_deref())
                .any(|unit| !units::same_unit(unit, &line.unit));
            keys.extend(Key::units_of(line).filter(|_| other));
        }
    }
    keys
}

/// Returns of more than so many days ago that no credit note has come for, by order and line. Where there were more returns,
/// orders or bills than were looked at, `known` says so, and this is a part of them.
pub fn outstanding(known: &Known, today: Date, days: u16) -> Vec<Outstanding> {
    let orders: BTreeSet<String> =
        returned(known, today).map(|receipt| crate::facts::upper(&receipt.order_id)).collect();
    let mut lines: BTreeMap<(String, String), &OrderLine> = BTreeMap::new();
    for order in &orders {
        let of_order = known.order_lines(order).map(|line| ((order.clone(), crate::facts::upper(&line.line)), line));
        lines.extend(of_order);
    }
    let owed =
        |ordered: &OrderLine| of_line(known, ordered, today, days).or_else(|| unmeasured(known, ordered, today, days));
    lines.into_values().filter_map(owed).collect()
}

fn of_line(known: &Known, ordered: &OrderLine, today: Date, days: u16) -> Option<Outstanding> {
    let ledger = ledger(known, ordered);
    let went_back = returns_of(known, ordered);
    let returned = went_back.iter().map(|(_, quantity)| *quantity).try_fold(Decimal::ZERO, Decimal::checked_add)?;
    let (billed, kept) = (ledger.open(), ledger.kept());
    let quantity = billed.checked_sub(kept)?.min(returned).min(billed);
    let since = oldest(&went_back, quantity)?;
    let test = Test::AtMost { sum: vec!["billed".into()], of: "kept".into(), times: None, below: None };
    let by_quantity = Comparison::new(Code::CreditOutstanding, "match.credit_outstanding", test)
        .with("billed", billed.normalize())
        .from("kept", kept.normalize(), of_order(ordered))
        .with("returned", returned.normalize())
        .with("order", &ordered.order_id)
        .with("order_line", &ordered.line);
    let waited = days_of(today) - days_of(since);
    let test = Test::AtMost { sum: vec!["waited_days".into()], of: "days".into(), times: None, below: None };
    let by_days = Comparison::new(Code::CreditOutstanding, "match.credit_days", test)
        .with("waited_days", waited)
        .from("days", days, Some(Place::Policy("days that a credit note may take".into())))
        .with("since", since)
        .with("today", today);
    let said = format!(
        "order {}, line {}: {} billed and not credited, {} kept of what came; {} went back and no credit note has come",
        ordered.order_id,
        ordered.line,
        billed.normalize(),
        kept.normalize(),
        quantity.normalize()
    );
    let findings = [
        by_quantity.finding(said)?,
        by_days.finding(format!("waited for since {since}, {waited} days; {days} are allowed"))?,
    ];
    // The price that was billed on average: credits lower it, and open quantities keep their part of it.
    let price = quotient(ledger.open_amount(), billed).or_else(|| quotient(ordered.unit_price, ordered.price_unit));
    Some(Outstanding {
        vendor_id: ordered.vendor_id.clone(),
        order_id: ordered.order_id.clone(),
        order_line: ordered.line.clone(),
        quantity: quantity.normalize(),
        amount: price.and_then(|price| product(price, quantity)).map(cents),
        currency: ordered.currency.clone(),
        since,
        findings: findings.into(),
    })
}

/// A return in a unit from which no conversion is known: what is owed for it cannot be said, and is not nothing.
fn unmeasured(known: &Known, ordered: &OrderLine, today: Date, days: u16) -> Option<Outstanding> {
    let receipts = known.receipts(&ordered.order_id).filter(|receipt| same_id(&receipt.line, &ordered.line));
    let unknown = receipts.filter(|receipt| {
        went_back(receipt).is_some() && units::measure(receipt.unit.as_deref(), ordered, known).is_none()
    });
    let (since, unit) = unknown.map(|receipt| (receipt.date, receipt.unit.as_deref().unwrap_or_default())).min()?;
    if days_of(today) - days_of(since) <= i64::from(days) {
        return None;
    }
    let comparison = Comparison::new(Code::Uom, "match.credit_unit", Test::There { value: "factor".into() })
        .with("factor", "")
        .with("unit", unit)
        .from("ordered_unit", &ordered.unit, of_order(ordered))
        .with("order", &ordered.order_id)
        .with("order_line", &ordered.line)
        .with("since", since);
    let (order, line) = (&ordered.order_id, &ordered.line);
    let said = format!(
        "order {order}, line {line}: something went back in {unit}, and no conversion to {} is known",
        ordered.unit
    );
    Some(Outstanding {
        vendor_id: ordered.vendor_id.clone(),
        order_id: order.clone(),
        order_line: line.clone(),
        quantity: Decimal::ZERO,
        amount: None,
        currency: ordered.currency.clone(),
        since,
        findings: comparison.finding(said).into_iter().collect(),
    })
}

/// What went back of an order line, the newest first; in the order line's unit. What cannot be converted, the ledger does not
/// count either: neither as received nor as returned.
fn returns_of(known: &Known, ordered: &OrderLine) -> Vec<(Date, Decimal)> {
    let receipts = known.receipts(&ordered.order_id).filter(|receipt| same_id(&receipt.line, &ordered.line));
    let mut returns: Vec<(Date, Decimal)> = receipts
        .filter_map(|receipt| {
            let measure = units::measure(receipt.unit.as_deref(), ordered, known)?;
            Some((receipt.date, measure.quantity(went_back(receipt)?)?))
        })
        .collect();
    returns.sort_unstable_by(|left, right| right.cmp(left));
    returns
}

/// Credit notes are for the oldest returns: so much of the newest is what has none. `None` where nothing has none.
fn oldest(newest_first: &[(Date, Decimal)], quantity: Decimal) -> Option<Date> {
    let mut left = quantity;
    for (date, returned) in newest_first {
        if left <= Decimal::ZERO {
            return None;
        }
        left = left.checked_sub(*returned)?;
        if left <= Decimal::ZERO {
            return Some(*date);
        }
    }
    None
}

fn went_back(receipt: &Receipt) -> Option<Decimal> {
    let written_off = (-receipt.quantity).max(Decimal::ZERO);
    written_off.checked_add(receipt.returned.unwrap_or_default()).filter(|quantity| Decimal::ZERO < *quantity)
}

fn returned(known: &Known, today: Date) -> impl Iterator<Item = &Receipt> {
    months(today).flat_map(|key| known.stated(&key).iter().collect::<Vec<_>>()).filter_map(|stated| {
        match &stated.fact {
            crate::Fact::Receipt(it) => Some(it),
            _ => None,
        }
    })
}

fn months(today: Date) -> impl Iterator<Item = Key> {
    let first = today.first_of_month();
    (0..MONTHS)
        .filter_map(move |back| first.checked_sub(back.months()).ok())
        .map(|month| Key::returns(month.year(), month.month()))
}
