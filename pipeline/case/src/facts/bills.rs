//! What documents take of orders and contracts, and where they are found again.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::keys::space;
use super::{Fact, Key, Stated, day, maybe, normal_number, upper};
use crate::invoice::folded;
use crate::{CaseId, Timestamp};

/// What a document bills or credits, as it is remembered: by a case that was judged, or brought in from other systems.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bill {
    pub credit: bool,
    /// When its case was judged first; none: it was imported, and was there before every case.
    pub since: Option<Timestamp>,
    /// Policy or people let its case through.
    pub approved: bool,
    pub vendor_id: Option<String>,
    /// The seller by the surest id that is known of it: what duplicates are compared within.
    pub cluster: String,
    pub number: Option<String>,
    pub date: Option<Date>,
    /// The last day of what was delivered.
    pub served_to: Option<Date>,
    pub served_from: Option<Date>,
    pub currency: Option<String>,
    pub net: Option<Decimal>,
    pub gross: Option<Decimal>,
    pub iban: Option<String>,
    pub cost_centre: Option<String>,
    /// The invoice that a credit note names.
    pub preceding: Option<String>,
    pub fingerprint: Option<String>,
    pub claims: Vec<Claim>,
    /// Money above the orders that tolerances let pass.
    pub above: Decimal,
    pub paid_on: Option<Date>,
}

/// What a bill takes of an order line or of a contract; negative where it credits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// An order's id, or a contract's.
    pub order_id: String,
    /// Empty for what is claimed of the order as a whole.
    pub line: String,
    pub item: Option<String>,
    /// In the order line's unit.
    pub quantity: Decimal,
    /// Net.
    pub amount: Decimal,
    /// Delivery costs: no goods.
    pub freight: bool,
}

/// Credit or not, vendor, number, date, currency and gross. A number is used again, by another day or over another amount.
pub(crate) type OneDocument = (bool, String, String, Date, String, Decimal);

/// What cases booked, to be known again where it is brought in from the ledger as well.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Booked(BTreeSet<OneDocument>);

impl Booked {
    pub(super) fn of(facts: &[Stated]) -> Booked {
        let of_cases = facts.iter().filter(|stated| stated.case.is_some());
        let documents = of_cases.filter_map(|stated| match &stated.fact {
            // What nobody let through is in no ledger, and hides nothing that stands there.
            Fact::Bill(bill) if bill.approved => bill.document(),
            _ => None,
        });
        Booked(documents.collect())
    }

    pub(super) fn join(&mut self, others: Booked) {
        self.0.extend(others.0);
    }

    /// Is it brought in, and a case's at the same time?
    pub(super) fn again(&self, case: Option<CaseId>, bill: &Bill) -> bool {
        case.is_none() && bill.document().is_some_and(|document| self.0.contains(&document))
    }
}

impl Bill {
    /// What makes two imported bills the same one.
    pub(crate) fn id(&self) -> String {
        let (vendor, number) = (maybe(self.vendor_id.as_deref()), maybe(self.number.as_deref()));
        serde_json::json!([space(self.credit), vendor, number, day(self.date)]).to_string()
    }

    /// What an imported bill and that of a case share where both are one document. None where something of it is not said:
    /// then they may be two.
    pub(crate) fn document(&self) -> Option<OneDocument> {
        let number = Some(normal_number(self.number.as_deref()?)).filter(|number| !number.is_empty())?;
        let (vendor, currency) = (upper(self.vendor_id.as_deref()?), upper(self.currency.as_deref()?));
        Some((self.credit, vendor, number, self.date?, currency, self.gross?))
    }

    /// What duplicates are looked for within: the seller's surest id, and its record here, which stays the same when an id is
    /// written in another way or is not on the document at all.
    pub(crate) fn clusters(&self) -> Vec<String> {
        let record = self.vendor_id.as_deref().map(|id| format!("vendor:{}", upper(id)));
        let mut clusters: Vec<String> =
            [Some(self.cluster.clone()), record].into_iter().flatten().filter(|it| !it.is_empty()).collect();
        clusters.dedup();
        clusters
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self.claims.iter().map(|claim| Key::order(&claim.order_id)).collect();
        let number = self.number.as_deref();
        let clusters = self.clusters();
        if let Some(number) = number.filter(|_| !clusters.is_empty()) {
            keys.extend(clusters.iter().map(|cluster| Key::number(cluster, self.credit, number)));
            keys.push(Key::any_number(number));
        }
        if let (Some(number), Some(iban)) = (number, &self.iban) {
            keys.push(Key::payee(iban, self.credit, number));
        }
        if let Some(preceding) = self.preceding.as_deref().filter(|_| self.credit) {
            keys.extend(clusters.iter().map(|cluster| Key::credits_of(cluster, preceding)));
        }
        if let (Some(currency), Some(gross), Some(date)) = (&self.currency, self.gross, self.date) {
            let step = Key::step_of(date);
            keys.extend(clusters.iter().map(|cluster| Key::gross(cluster, self.credit, currency, gross, step)));
        }
        if let (Some(currency), Some(gross), None) = (&self.currency, self.gross, self.paid_on) {
            keys.push(Key::open(currency, gross));
        }
        keys.extend(self.fingerprint.as_deref().map(Key::lines));
        if let (Some(vendor), Some(date)) = (&self.vendor_id, self.date) {
            keys.push(Key::month(vendor, date.year(), date.month()));
            if Decimal::ZERO < self.above {
                keys.push(Key::budget(vendor, date.year()));
            }
            let step = Key::step_of(date);
            // What other systems say of an order names no line of it, and counts into no split: it would only be in the way,
            // of every bill of that vendor.
            let ordered = self.ordered() || (self.since.is_none() && !self.claims.is_empty());
            let split = (self.centre().is_some() || !ordered).then(|| Key::split(vendor, self.centre(), step));
            keys.extend(split.into_iter().chain((!ordered).then(|| Key::unordered(vendor, step))));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Its cost centre; one without a letter or digit is none.
    pub(crate) fn centre(&self) -> Option<&str> {
        self.cost_centre.as_deref().filter(|centre| !folded(centre).is_empty())
    }

    /// Does it bill goods of an order? Of a contract it claims the whole, and no line.
    pub(crate) fn ordered(&self) -> bool {
        self.claims.iter().any(|claim| !claim.freight && !claim.line.is_empty())
    }

    /// Do two bills of one vendor count as one for who must approve? Those for one cost centre do. To leave it out makes none
    /// smaller: without an order, one that says none counts with every other that no order stands behind either.
    pub(crate) fn counts_with(&self, other: &Bill) -> bool {
        match (self.centre(), other.centre()) {
            (Some(one), Some(other)) => folded(one) == folded(other),
            (None, _) | (_, None) => !self.ordered() && !other.ordered(),
        }
    }

    /// INVARIANT (nothing is owed back before somebody said so): a credit note that nobody let through yet makes no room.
    pub(crate) fn waits(&self) -> bool {
        self.credit && self.since.is_some() && !self.approved
    }

    /// Only what was taken of orders: numbers and quantities, of no person. Without them an order could be billed again.
    pub fn claims_alone(&self) -> Bill {
        let Bill { credit, since, approved, claims, .. } = self;
        Bill { credit: *credit, since: *since, approved: *approved, claims: claims.clone(), ..Bill::default() }
    }
}
