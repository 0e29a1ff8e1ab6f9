//! What a reconciliation has to know: what to look up, and the form in which the answers come.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::invoice::{compact, folded};
use crate::{CaseId, Extraction, Invoice};

/// What must be looked up before an invoice can be reconciled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Keys under which the vendor may be known, the surest first: `vat:…`, `tax:…`, `name:…`.
    pub vendor_keys: Vec<String>,
    pub orders: Vec<String>,
    pub duplicate_key: Option<String>,
}

/// What the business knows: imported, or learned from earlier cases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub vendor: Option<Vendor>,
    pub orders: Vec<OrderFacts>,
    /// An earlier case with the same duplicate key that is not rejected.
    pub twin: Option<CaseId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    pub vendor_id: String,
    pub name: String,
    pub vat_id: Option<String>,
    pub tax_id: Option<String>,
    pub country: Option<String>,
    pub iban: Option<String>,
    pub bic: Option<String>,
    pub group: Option<String>,
    pub valid_from: Option<Date>,
}

impl Vendor {
    /// The keys of [`Question::vendor_keys`] under which this vendor is found.
    pub fn keys(&self) -> Vec<String> {
        vendor_keys(self.vat_id.as_deref(), self.tax_id.as_deref(), Some(&self.name))
    }
}

fn vendor_keys(vat_id: Option<&str>, tax_id: Option<&str>, name: Option<&str>) -> Vec<String> {
    let vat = vat_id.map(|id| format!("vat:{}", compact(id)));
    let tax = tax_id.map(|id| format!("tax:{}", compact(id)));
    let name = name.map(folded).filter(|name| !name.is_empty()).map(|name| format!("name:{name}"));
    [vat, tax, name].into_iter().flatten().collect()
}

/// An order line as imported. `unit_price` is for `price_unit` units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub order_id: String,
    pub vendor_id: String,
    pub currency: String,
    pub line: String,
    pub quantity: Decimal,
    pub unit: String,
    pub unit_price: Decimal,
    pub price_unit: Decimal,
    pub item: Option<String>,
    pub description: Option<String>,
    pub tax_rate: Option<Decimal>,
    /// Two-, three- or four-way.
    pub match_level: u8,
}

/// A goods receipt for one order line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub receipt_id: String,
    pub order_id: String,
    pub line: String,
    pub quantity: Decimal,
    /// The order line's, where it is not said.
    pub unit: Option<String>,
    pub accepted: Option<Decimal>,
    pub returned: Option<Decimal>,
    pub date: Date,
}

/// A quantity of an order line that a case bills, or credits when negative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub order_id: String,
    pub line: String,
    pub quantity: Decimal,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFacts {
    pub order_id: String,
    pub lines: Vec<OrderLine>,
    pub receipts: Vec<Receipt>,
    /// What other cases claim of this order.
    pub claims: Vec<Claim>,
}

/// What to look up for this document; nothing for a document that is not billed.
pub fn question(extraction: &Extraction) -> Question {
    if !extraction.kind.billed() {
        return Question::default();
    }
    let (invoice, _) = Invoice::of(extraction);
    let orders = invoice.order_ref.iter().chain(invoice.lines.iter().filter_map(|line| line.order_ref.as_ref()));
    let mut orders: Vec<String> = orders.cloned().collect();
    orders.sort_unstable();
    orders.dedup();
    Question {
        vendor_keys: vendor_keys(
            invoice.seller_vat_id.as_deref(),
            invoice.seller_tax_id.as_deref(),
            invoice.seller_name.as_deref(),
        ),
        orders,
        duplicate_key: invoice.duplicate_key(),
    }
}
