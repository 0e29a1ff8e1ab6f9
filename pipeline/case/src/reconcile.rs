//! Every figure of an invoice compared with what was ordered, received, agreed and paid. Facts come in as arguments; the
//! same facts give the same verdict, whenever it is asked for again.

mod behind;
mod blanket;
mod conduct;
mod contract;
mod credits;
mod duplicates;
mod freight;
mod header;
mod later;
mod ledger;
mod lines;
mod payee;
mod price;
mod quantity;
mod units;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::comparison::{Comparison, Place, Test};
use crate::facts::{Account, Bill, Claim, Known, OrderLine, Seller, Vendor, seller};
use crate::invoice::total;
use crate::policy::{Policy, Scope};
use crate::{CaseId, Code, Evidence, Extraction, FieldName, Finding, Invoice, Line, LineField, facts};

pub use credits::{Outstanding, outstanding, wanted_of_returns};
pub(crate) use header::candidates;
pub use ledger::{Ledger, ledger};
pub(crate) use units::same_unit;

/// An invoice line beside the order line it was matched with: what a reviewer sees. Quantities and prices are in the order
/// line's unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatchedLine {
    pub invoice_line: String,
    pub order_id: String,
    pub order_line: String,
    pub description: Option<String>,
    pub ordered: Decimal,
    /// Received, or accepted for a four-way match; `None` for a two-way match.
    pub received: Option<Decimal>,
    pub billed_before: Decimal,
    pub billed_now: Decimal,
    pub price_ordered: Decimal,
    pub price_billed: Option<Decimal>,
    /// Money above (positive) or below what the order would have cost.
    pub variance: Option<Decimal>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    pub findings: Vec<Finding>,
    /// The comparisons that found nothing.
    pub passed: Vec<Comparison>,
    pub matched: Vec<MatchedLine>,
    /// What is to be remembered of the document, unless it is stopped.
    pub bill: Option<Bill>,
    /// When it is due by its contract, where that says otherwise than the document.
    pub due_date: Option<Date>,
    /// The amount that decides who must approve, where it is more than the document's own: of invoices that were split.
    pub routed_net: Option<Decimal>,
    /// The cases of those invoices.
    pub beside: BTreeSet<CaseId>,
    /// Who brought in what it rests on: they do not approve it.
    pub informants: BTreeSet<String>,
}

/// Compares the document with the facts. Documents that are not billed have nothing to be compared with.
pub fn reconcile(extraction: &Extraction, known: &Known, policy: &Policy, today: Date) -> Verdict {
    if !extraction.kind.billed() {
        return Verdict::default();
    }
    let (invoice, _) = Invoice::of(extraction);
    let seller = seller(&invoice, known);
    let vendor = seller.vendor();
    let bill = bill(&invoice, vendor);
    let pays = |account: &Account| account.named_or_approved(invoice.iban.as_deref(), today);
    let informants = known.informants(&header::aside(&invoice, vendor, known), pays);
    let verdict = Verdict { informants: informants.into_iter().map(str::to_owned).collect(), ..Verdict::default() };
    let mut matching = Matching { invoice: &invoice, extraction, known, policy, today, vendor, bill, verdict };
    let cancelled = duplicates::judge(&mut matching);
    matching.seller(&seller);
    payee::judge(&mut matching);
    matching.currency_of_limits();
    let billing = lines::judge(&mut matching);
    price::judge(&mut matching, &billing);
    quantity::judge(&mut matching, &billing);
    freight::judge(&mut matching, &billing);
    let bases = behind::judge(&mut matching, &billing);
    blanket::judge(&mut matching, &billing, &bases);
    contract::judge(&mut matching, &billing, &bases);
    conduct::judge(&mut matching, &billing, &cancelled);
    later::judge(&mut matching, &billing, &bases);
    matching.all_was_looked_at();
    let mut verdict = matching.verdict;
    verdict.bill = Some(matching.bill);
    verdict
}

/// What one document is judged with, and the verdict as it grows. Each module beside this one has a `judge` that adds to it.
struct Matching<'a> {
    invoice: &'a Invoice,
    extraction: &'a Extraction,
    known: &'a Known,
    policy: &'a Policy,
    today: Date,
    vendor: Option<&'a Vendor>,
    bill: Bill,
    verdict: Verdict,
}

/// What the lines of the document bill, once each has found its order line.
struct Billing<'a> {
    /// The orders that this document may bill, by their ids as ordered.
    orders: BTreeMap<&'a str, Vec<&'a OrderLine>>,
    shares: Vec<Share<'a>>,
    /// Positions of lines that name no order, or whose order has no line for them.
    unordered: Vec<usize>,
}

/// What one line of the document bills of one order line, in the order line's unit; negative where it credits.
struct Share<'a> {
    /// Position of the document's line, counted from 0.
    idx: usize,
    /// Of a document without lines, the order line as it stands.
    line: Cow<'a, Line>,
    ordered: &'a OrderLine,
    quantity: Decimal,
    /// Of one order unit.
    price: Option<Decimal>,
    amount: Decimal,
    /// It changes the value of what was billed before, and bills or credits no goods.
    value_only: bool,
}

impl<'a> Matching<'a> {
    fn find(&mut self, finding: Finding) {
        self.verdict.findings.push(finding);
    }

    /// Remembers what a comparison comes to. `said` is its sentence, asked for only where it does not pass.
    fn compare(&mut self, comparison: Comparison, said: impl FnOnce() -> String) {
        self.compare_at(comparison, &[], said);
    }

    /// As [`Matching::compare`], about these fields of the document.
    fn compare_at(
        &mut self,
        comparison: Comparison,
        at: &[(String, Option<&Evidence>)],
        said: impl FnOnce() -> String,
    ) {
        if comparison.code().is_none() {
            return self.verdict.passed.push(comparison);
        }
        let Some(mut finding) = comparison.finding(said()) else { return };
        for (field, evidence) in at {
            // A figure's place may be the field's.
            let new = evidence.filter(|it| !finding.evidence.contains(it));
            finding = finding.at(field.clone(), new);
        }
        self.find(finding);
    }

    fn evidence(&self, name: FieldName) -> Option<&'a Evidence> {
        self.extraction.field(name).map(|field| &field.evidence)
    }

    /// A field of the document and where it stands, as findings are placed.
    fn field(&self, name: FieldName) -> (String, Option<&'a Evidence>) {
        (name.name().to_owned(), self.evidence(name))
    }

    fn place(&self, name: FieldName) -> Option<Place> {
        self.evidence(name).cloned().map(Place::Document)
    }

    /// Lines of the document by their positions, as findings are placed: they count lines from 1, as corrections do.
    fn lines_at(&self, idxs: &[usize]) -> Vec<(String, Option<&'a Evidence>)> {
        let line = |idx: &usize| Some((format!("lines.{}", idx + 1), self.invoice.lines.get(*idx)?.evidence.as_ref()));
        idxs.iter().filter_map(line).collect()
    }

    /// Lines as [`Matching::lines_at`] has them, with the place of the value that is compared; where it is not said, the line's.
    fn values_at(&self, idxs: &[usize], name: LineField) -> Vec<(String, Option<&'a Evidence>)> {
        let at = |(field, evidence): (String, Option<&'a Evidence>), idx| {
            (field, self.line_evidence(idx, name).or(evidence))
        };
        let line = |idx: &usize| Some(at(self.lines_at(&[*idx]).pop()?, *idx));
        idxs.iter().filter_map(line).collect()
    }

    fn line_evidence(&self, idx: usize, name: LineField) -> Option<&'a Evidence> {
        Some(&self.extraction.lines.get(idx)?.get(&name)?.evidence)
    }

    fn line_place(&self, idx: usize, name: LineField) -> Option<Place> {
        self.line_evidence(idx, name).cloned().map(Place::Document)
    }

    /// `line 1` or `lines 1, 3`, by the lines' own numbers; `the document` where it has none.
    fn lines_called(&self, idxs: &[usize]) -> String {
        let ids = idxs.iter().filter_map(|idx| self.invoice.lines.get(*idx)).map(|line| line.id.as_str());
        let ids = ids.collect::<Vec<_>>();
        if ids.is_empty() {
            return "the document".to_owned();
        }
        format!("{} {}", if ids.len() == 1 { "line" } else { "lines" }, ids.join(", "))
    }

    /// Whom a limit is asked for; of one order line, where it is about one.
    fn scope(&self, ordered: Option<&OrderLine>) -> Scope {
        Scope {
            entity: self.invoice.buyer_vat_id.clone(),
            vendor: ordered.map(|it| it.vendor_id.clone()).or(self.vendor.map(|it| it.vendor_id.clone())),
            group: self.vendor.and_then(|it| it.group.clone()),
            commodity: ordered.and_then(|it| it.commodity.clone()),
            level: ordered.map(|it| it.match_level),
            on: self.today,
        }
    }

    fn claim(&mut self, claim: Claim) {
        self.bill.claims.push(claim);
    }

    fn seller(&mut self, seller: &Seller<'_>) {
        let at = [self.field(FieldName::SellerName)];
        let known = match seller {
            Seller::Vendor(vendor) => vendor.vendor_id.as_str(),
            Seller::Unknown | Seller::Several(_) => "",
        };
        let comparison = Comparison::new(Code::VendorUnknown, "match.vendor", Test::There { value: "vendor".into() });
        self.compare_at(comparison.with("vendor", known), &at, || match seller {
            Seller::Several(ids) => format!(
                "the seller may be any of the vendors {}; none of order, name or account tells which",
                ids.join(", ")
            ),
            Seller::Unknown | Seller::Vendor(_) => {
                "the seller is not among the known vendors, neither by VAT id, tax id nor name".to_owned()
            }
        });
        // Found by its name alone: another VAT id makes it another company.
        let Some(vendor) = self.vendor else { return };
        if let (Some(known), Some(billed)) = (&vendor.vat_id, &self.invoice.seller_vat_id) {
            let known = crate::invoice::compact(known);
            let shown = if crate::vat_id::same(&known, billed) { billed.clone() } else { known };
            let test = Test::Same { left: "found".into(), right: "known".into() };
            let comparison = Comparison::new(Code::VendorUnknown, "match.vendor_vat_id", test)
                .from("found", billed, self.place(FieldName::SellerVatId))
                .from("known", &shown, Some(Place::Fact(format!("vendor {}", vendor.vendor_id))));
            self.compare_at(comparison, &[self.field(FieldName::SellerVatId)], || {
                format!("the seller's VAT id is {billed}, vendor {} is known with {shown}", vendor.vendor_id)
            });
        }
    }

    fn currency_of_limits(&mut self) {
        let Some(currency) = &self.invoice.currency else { return };
        let test = Test::Same { left: "currency".into(), right: "limits".into() };
        let comparison = Comparison::new(Code::CurrencyLimits, "match.limits", test)
            .from("currency", currency, self.place(FieldName::Currency))
            .from("limits", &self.policy.currency, Some(Place::Policy("tolerances.toml, currency".into())));
        let limits = &self.policy.currency;
        self.compare(comparison, || format!("the policy's limits are in {limits}, the document is in {currency}"));
    }

    /// INVARIANT (fail closed): what there is more of than is looked at was not wholly compared. Months and suggestions only
    /// ever look at a part.
    fn all_was_looked_at(&mut self) {
        let aside = header::aside(self.invoice, self.vendor, self.known);
        let cut = self.known.cut().filter(|key| !key.partly() && !aside.contains(key));
        let cut: Vec<String> = cut.map(|key| key.text().to_owned()).collect();
        for key in cut {
            let message = format!("there are more facts about `{key}` than are looked at");
            self.find(Finding::new(Code::TooMany, "match.too_many", message).with("key", key));
        }
    }
}

/// What is remembered of the document itself; its claims are added as its lines are matched.
pub(crate) fn bill(invoice: &Invoice, vendor: Option<&Vendor>) -> Bill {
    Bill {
        credit: invoice.credit,
        since: None,
        approved: false,
        vendor_id: vendor.map(|it| it.vendor_id.clone()),
        cluster: invoice.cluster(vendor),
        number: invoice.number.clone(),
        date: invoice.issue_date,
        served_from: invoice.served_from,
        served_to: invoice.served_to,
        currency: invoice.currency.clone(),
        net: invoice.totals.net_total,
        gross: invoice.gross(),
        iban: invoice.iban.clone(),
        cost_centre: invoice.cost_centre.clone(),
        preceding: invoice.preceding.clone(),
        fingerprint: invoice.fingerprint(),
        claims: Vec::new(),
        above: Decimal::ZERO,
        paid_on: None,
    }
}

/// Names a fact of an order as the place of a figure.
fn of_order(ordered: &OrderLine) -> Option<Place> {
    Some(Place::Fact(format!("order {}, line {}", ordered.order_id, ordered.line)))
}

/// Money as it is written: with cents, also where there are none.
fn money(amount: Decimal) -> Decimal {
    let mut cents = crate::validate::cents(amount);
    cents.rescale(2);
    cents
}

/// As keys are folded: what is found under one key is one thing here too.
fn same_id(left: &str, right: &str) -> bool {
    facts::upper(left) == facts::upper(right)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod trial;
