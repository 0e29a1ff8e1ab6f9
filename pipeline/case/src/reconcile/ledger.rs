//! What is known of one order line: ordered, received, accepted, returned, billed, credited. Everything that is compared with
//! an order is derived from it.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::Serialize;

use super::{same_id, units};
use crate::CaseId;
use crate::facts::{Bill, Claim, Key, Known, OrderLine};
use crate::invoice::{add, quotient};

/// In the order line's unit; money is net, in the order's currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    pub ordered: Decimal,
    pub received: Decimal,
    /// Inspected and found good.
    pub accepted: Decimal,
    pub returned: Decimal,
    pub billed: Decimal,
    /// Of what was billed by then: what a credit note credits beyond it makes no room for goods that nobody ordered.
    pub credited: Decimal,
    pub billed_amount: Decimal,
    /// Likewise.
    pub credited_amount: Decimal,
    /// Credited by notes that nobody let through yet.
    pub waiting: Decimal,
    pub waiting_amount: Decimal,
    /// Of what is open, the goods that the money of other systems buys at the order's price: they say no quantities, and may
    /// have paid another price.
    #[serde(skip)]
    pub elsewhere: Decimal,
    /// The unit of a receipt from which no conversion is known.
    pub unit_unknown: Option<String>,
    /// Something is out of range, and not in these figures.
    #[serde(skip)]
    pub beyond: bool,
}

impl Ledger {
    /// Received, less what went back.
    pub fn kept(&self) -> Decimal {
        self.received - self.returned
    }

    /// What may be billed by what came in; `None` for a two-way match, which asks for no receipt. What was not inspected was
    /// not accepted; what was sent back is mostly what was not accepted, and counts once.
    pub fn billable(&self, match_level: u8) -> Option<Decimal> {
        match match_level {
            2 => None,
            4 => Some(self.accepted.min(self.kept())),
            _ => Some(self.kept()),
        }
    }

    /// Billed and not credited again; never below 0.
    pub fn open(&self) -> Decimal {
        (self.billed - self.credited).max(Decimal::ZERO)
    }

    /// What is open by the quantities that documents say. What other systems billed is held to the order's value instead.
    pub fn counted(&self) -> Decimal {
        (self.open() - self.elsewhere.max(Decimal::ZERO)).max(Decimal::ZERO)
    }

    pub fn open_amount(&self) -> Decimal {
        (self.billed_amount - self.credited_amount).max(Decimal::ZERO)
    }

    /// What another credit note may still credit: goods, and money.
    pub fn creditable(&self) -> (Decimal, Decimal) {
        let left = |open: Decimal, waiting: Decimal| (open - waiting).max(Decimal::ZERO);
        (left(self.open(), self.waiting), left(self.open_amount(), self.waiting_amount))
    }
}

/// The ledger of an order line by what was looked up; `known` has no claims of the document that is judged by it.
pub fn ledger(known: &Known, ordered: &OrderLine) -> Ledger {
    let mut ledger = Ledger { ordered: ordered.quantity, ..Ledger::default() };
    for receipt in known.receipts_of(&ordered.order_id, &ordered.line) {
        let measure = units::measure(receipt.unit.as_deref(), ordered, known);
        let Some(measure) = measure else {
            ledger.unit_unknown = receipt.unit.clone();
            continue;
        };
        let figures = [receipt.quantity, receipt.accepted.unwrap_or_default(), receipt.returned.unwrap_or_default()];
        let [Some(quantity), Some(accepted), Some(returned)] = figures.map(|it| measure.quantity(it)) else {
            ledger.beyond = true;
            continue;
        };
        // A return may be written as a receipt of less than nothing.
        let sum = if quantity < Decimal::ZERO { &mut ledger.returned } else { &mut ledger.received };
        let within =
            [add(sum, quantity.abs()), add(&mut ledger.accepted, accepted), add(&mut ledger.returned, returned)];
        ledger.beyond |= within.contains(&false);
    }
    let claims = known.claims_of(&ordered.order_id, &ordered.line).chain(of_one_line(known, ordered));
    for (bill, claim) in one_after_the_other(claims) {
        let waits = bill.waits();
        let quantity = goods(claim, ordered).max(-ledger.open());
        let quantities = if quantity < Decimal::ZERO {
            add(if waits { &mut ledger.waiting } else { &mut ledger.credited }, -quantity)
        } else {
            add(&mut ledger.billed, quantity)
        };
        let quantities = quantities && (!money_alone(claim) || add(&mut ledger.elsewhere, quantity));
        let amounts = if claim.amount < Decimal::ZERO {
            let part = (-claim.amount).min(ledger.open_amount());
            add(if waits { &mut ledger.waiting_amount } else { &mut ledger.credited_amount }, part)
        } else {
            add(&mut ledger.billed_amount, claim.amount)
        };
        ledger.beyond |= !quantities || !amounts;
    }
    ledger
}

/// Claims by their days, those of cases as they came. Of one moment, what is billed stands before what is credited of it; what
/// other systems credit, of all that was billed by that day, here as well.
fn one_after_the_other<'a>(claims: impl Iterator<Item = (&'a Bill, &'a Claim)>) -> Vec<(&'a Bill, &'a Claim)> {
    let mut claims: Vec<_> = claims.collect();
    let credits = |claim: &Claim| (claim.quantity < Decimal::ZERO, claim.amount < Decimal::ZERO);
    claims.sort_by_key(|(bill, claim)| (bill.since, bill.date, credits(claim)));
    let mut newest = None;
    let of_day = |(bill, claim): (&'a Bill, &'a Claim)| {
        let elsewhere = bill.since.is_none();
        // A case is of no earlier day than those that came before it, whatever its document says.
        if !elsewhere {
            newest = newest.max(bill.date);
        }
        ((if elsewhere { bill.date } else { newest }, elsewhere && bill.credit, bill.since), (bill, claim))
    };
    let mut claims: Vec<_> = claims.into_iter().map(of_day).collect();
    claims.sort_by_key(|(place, _)| *place);
    claims.into_iter().map(|(_, claim)| claim).collect()
}

/// What other systems billed of an order as a whole, where the order has this one line, so that it can be credited. What is
/// limited by its value is compared as a whole anyway.
fn of_one_line<'a>(known: &'a Known, ordered: &OrderLine) -> Vec<(&'a Bill, &'a Claim)> {
    let id = &ordered.order_id;
    if ordered.blanket || known.claims_of(id, "").next().is_none() || known.order_lines(id).nth(1).is_some() {
        return Vec::new();
    }
    elsewhere(known, id)
}

/// What is claimed of an order as a whole: other systems say no lines.
pub(super) fn elsewhere<'a>(known: &'a Known, order: &str) -> Vec<(&'a Bill, &'a Claim)> {
    claims(known, order).into_iter().filter(|(_, claim)| claim.line.trim().is_empty() && !claim.freight).collect()
}

fn money_alone(claim: &Claim) -> bool {
    claim.line.trim().is_empty() && claim.quantity.is_zero()
}

/// The goods of a claim; of one that says money alone, what the money buys at the order's price.
fn goods(claim: &Claim, ordered: &OrderLine) -> Decimal {
    if !money_alone(claim) {
        return claim.quantity;
    }
    let price = quotient(ordered.unit_price, ordered.price_unit);
    price.and_then(|price| quotient(claim.amount, price)).map(|it| it.round_dp(4).normalize()).unwrap_or_default()
}

/// What other documents take of an order, or of a contract, whose id is looked up as an order's. What was billed by a case and
/// brought in again, from the ledger that it was booked in, is there once: as the case's, so that what came later takes no place
/// by its copy either. A number is used again another year; of one day it names one bill.
pub(super) fn claims<'a>(known: &'a Known, order: &str) -> Vec<(&'a Bill, &'a Claim)> {
    let key = Key::order(order);
    let named = |bill: &Bill| Some((bill.named()?, bill.date));
    let of_cases: BTreeSet<_> =
        known.all_bills(&key).filter(|(case, _)| case.is_some()).filter_map(|(_, bill)| named(bill)).collect();
    let again =
        |case: Option<CaseId>, bill: &Bill| case.is_none() && named(bill).is_some_and(|name| of_cases.contains(&name));
    let bills = known.bills(&key).filter(|(case, bill)| !again(*case, bill)).map(|(_, bill)| bill);
    let claims = bills.flat_map(|bill| bill.claims.iter().map(move |claim| (bill, claim)));
    claims.filter(|(_, claim)| same_id(&claim.order_id, order)).collect()
}

/// What claims come to, one after the other: a credit makes no more room than was taken by then, and none that nobody let
/// through. `None` out of range.
pub(super) fn taken<'a>(
    claims: impl Iterator<Item = (&'a Bill, &'a Claim)>,
    figure: impl Fn(&Claim) -> Decimal,
) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for (bill, claim) in one_after_the_other(claims) {
        let figure = figure(claim);
        let credited = figure < Decimal::ZERO;
        if credited && bill.waits() {
            continue;
        }
        let part = if credited { figure.max(-sum) } else { figure };
        if !add(&mut sum, part) {
            return None;
        }
    }
    Some(sum)
}

/// The money that was billed of an order or a contract, without delivery costs.
pub(super) fn billed_of(known: &Known, order: &str) -> Option<Decimal> {
    taken(claims(known, order).into_iter().filter(|(_, claim)| !claim.freight), |claim| claim.amount)
}
