//! What is known of one order line: ordered, received, accepted, returned, billed, credited. Everything that is compared with
//! an order is derived from it.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{same_id, units};
use crate::facts::{Claim, Key, Known, OrderLine};
use crate::invoice::add;

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
    for (waits, claim) in one_after_the_other(known, ordered) {
        let quantities = if claim.quantity < Decimal::ZERO {
            let part = (-claim.quantity).min(ledger.open());
            add(if waits { &mut ledger.waiting } else { &mut ledger.credited }, part)
        } else {
            add(&mut ledger.billed, claim.quantity)
        };
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

/// What other documents take of an order line, as they came: those that were brought in first, by their days. Of one moment,
/// what is billed stands before what is credited of it.
fn one_after_the_other<'a>(known: &'a Known, ordered: &OrderLine) -> Vec<(bool, &'a Claim)> {
    let claims = known.claims_of(&ordered.order_id, &ordered.line);
    let mut claims: Vec<_> = claims.map(|(bill, claim)| (bill.since, bill.date, bill.waits(), claim)).collect();
    let credits = |claim: &Claim| (claim.quantity < Decimal::ZERO, claim.amount < Decimal::ZERO);
    claims.sort_by_key(|(since, date, _, claim)| (*since, *date, credits(claim)));
    claims.into_iter().map(|(_, _, waits, claim)| (waits, claim)).collect()
}

/// What other documents take of an order, or of a contract, whose id is looked up as an order's.
pub(super) fn claims<'a>(known: &'a Known, order: &str) -> impl Iterator<Item = &'a Claim> {
    let order = order.trim().to_uppercase();
    let key = Key::order(&order);
    let bills: Vec<&'a crate::Bill> = known.bills(&key).map(|(_, bill)| bill).collect();
    bills.into_iter().flat_map(|bill| &bill.claims).filter(move |claim| same_id(&claim.order_id, &order))
}
