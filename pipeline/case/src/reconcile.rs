//! Every figure of an invoice compared with what was ordered and received. Facts come in as arguments; the same facts
//! give the same verdict, whenever it is asked for again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::facts::{Claim, Facts, OrderFacts, OrderLine, Vendor};
use crate::invoice::{compact, folded, product, quotient};
use crate::policy::{Policy, ToleranceKind};
use crate::validate::cents;
use crate::{Code, Evidence, Extraction, FieldName, Finding, Invoice, Line};

/// An invoice line beside the order line it was matched with: what a reviewer sees.
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
    pub matched: Vec<MatchedLine>,
    pub claims: Vec<Claim>,
}

/// Compares the document with the facts. Documents that are not billed have nothing to be compared with.
pub fn reconcile(extraction: &Extraction, facts: &Facts, policy: &Policy, today: Date) -> Verdict {
    if !extraction.kind.billed() {
        return Verdict::default();
    }
    let (invoice, _) = Invoice::of(extraction);
    let mut matching = Matching { invoice: &invoice, extraction, facts, policy, today, verdict: Verdict::default() };
    matching.twin();
    matching.vendor();
    matching.limits_currency();
    matching.order_lines();
    matching.verdict
}

struct Matching<'a> {
    invoice: &'a Invoice,
    extraction: &'a Extraction,
    facts: &'a Facts,
    policy: &'a Policy,
    today: Date,
    verdict: Verdict,
}

/// What the lines of this document bill of one order line; negative where they credit.
///
/// Quantities are judged by this sum and not line by line, so that the order of the lines makes no difference.
struct Tally<'a> {
    order: &'a OrderFacts,
    ordered: &'a OrderLine,
    /// Positions of the document's lines, counted from 0.
    lines: Vec<usize>,
    quantity: Decimal,
}

impl<'a> Matching<'a> {
    fn find(&mut self, finding: Finding) {
        self.verdict.findings.push(finding);
    }

    fn evidence(&self, name: FieldName) -> Option<&'a Evidence> {
        self.extraction.field(name).map(|field| &field.evidence)
    }

    fn twin(&mut self) {
        if let Some(twin) = self.facts.twin {
            let message = format!("same vendor, number, date and amount as case {twin}");
            let finding = Finding::new(Code::DuplicateD2, "duplicate.D2", message).with("twin", twin);
            self.find(finding.at("number", self.evidence(FieldName::Number)));
        }
    }

    fn vendor(&mut self) {
        let Some(vendor) = &self.facts.vendor else {
            let message = "the seller is not among the imported vendors, neither by VAT id, tax id nor name";
            let finding = Finding::new(Code::VendorUnknown, "match.vendor", message);
            return self.find(finding.at("seller_name", self.evidence(FieldName::SellerName)));
        };
        // Found by its name alone: another VAT id makes it another company.
        if let (Some(known), Some(billed)) = (vendor.vat_id.as_deref().map(compact), &self.invoice.seller_vat_id)
            && !same_vat_id(&known, billed)
        {
            let message = format!("the seller's VAT id is {billed}, vendor {} is known with {known}", vendor.vendor_id);
            let finding = Finding::new(Code::VendorUnknown, "match.vendor_vat_id", message);
            let finding = finding.with("found", billed).with("known", &known);
            self.find(finding.at("seller_vat_id", self.evidence(FieldName::SellerVatId)));
        }
        self.account(vendor);
    }

    /// INVARIANT (fail closed): an account that nobody approved for this vendor is a new one, also where none is known.
    fn account(&mut self, vendor: &Vendor) {
        let Some(billed) = &self.invoice.iban else { return };
        let known = vendor.iban.as_deref().map(compact);
        if known.as_ref() != Some(billed) {
            let known = known.as_deref().unwrap_or("no account");
            let message =
                format!("the invoice asks for payment to {billed}, vendor {} is known with {known}", vendor.vendor_id);
            let finding = Finding::new(Code::BankNew, "match.iban", message).with("found", billed).with("known", known);
            self.find(finding.at("iban", self.evidence(FieldName::Iban)));
        }
        if let Some(country) = vendor.country.as_deref().map(compact)
            && country.len() == 2
            && !billed.starts_with(&country)
        {
            let message =
                format!("the account {billed} is not in {country}, the country of vendor {}", vendor.vendor_id);
            let finding = Finding::new(Code::IbanCountry, "match.iban_country", message);
            let finding = finding.with("found", billed).with("country", country);
            self.find(finding.at("iban", self.evidence(FieldName::Iban)));
        }
    }

    fn limits_currency(&mut self) {
        if let Some(currency) = &self.invoice.currency
            && *currency != self.policy.currency
        {
            let message = format!("the policy's limits are in {}, the document is in {currency}", self.policy.currency);
            self.find(Finding::new(Code::CurrencyLimits, "match.limits", message).with("currency", currency));
        }
    }

    fn order_lines(&mut self) {
        let invoice = self.invoice;
        let header = invoice.order_ref.as_deref();
        let named = invoice.lines.iter().filter_map(|line| line.order_ref.as_deref());
        let names: BTreeSet<&str> = header.into_iter().chain(named).collect();
        if names.is_empty() {
            let message = "neither the document nor a line names an order";
            return self.find(Finding::new(Code::NoPoRef, "match.order_ref", message));
        }
        let orders: BTreeMap<&str, &OrderFacts> =
            names.into_iter().filter_map(|name| Some((name, self.order(name)?))).collect();
        if invoice.lines.is_empty() && !orders.is_empty() {
            let message = "no lines were read, so nothing can be compared with the order";
            return self.find(Finding::new(Code::OrderLine, "match.lines", message));
        }

        let mut tallies: BTreeMap<(&str, &str), Tally<'a>> = BTreeMap::new();
        for (idx, line) in invoice.lines.iter().enumerate() {
            let Some(name) = line.order_ref.as_deref().or(header) else {
                let finding =
                    Finding::new(Code::NoPoRef, "match.order_ref", format!("line {} names no order", line.id));
                self.find(at_line(finding, idx, line));
                continue;
            };
            // An order that is not here has its own finding by now.
            let Some(order) = orders.get(name).copied() else { continue };
            let Some(ordered) = fitting_line(line, order) else {
                let message = format!("line {}: no line of order `{}` fits, or more than one", line.id, order.order_id);
                let finding = Finding::new(Code::OrderLine, "match.line", message).with("order", &order.order_id);
                self.find(at_line(finding, idx, line));
                continue;
            };
            let none = || Tally { order, ordered, lines: Vec::new(), quantity: Decimal::ZERO };
            let tally = tallies.entry((&order.order_id, &ordered.line)).or_insert_with(none);
            if let Some(quantity) = self.line(idx, line, tally) {
                tally.lines.push(idx);
                tally.quantity += quantity;
            }
        }
        for tally in tallies.values() {
            self.quantity(tally);
        }
    }

    /// The order of this name, if this document may bill it at all.
    fn order(&mut self, name: &str) -> Option<&'a OrderFacts> {
        let order = self.facts.orders.iter().find(|order| same_id(&order.order_id, name));
        let Some((order, first)) = order.and_then(|order| Some((order, order.lines.first()?))) else {
            let finding = Finding::new(Code::NoOrder, "match.order", format!("order `{name}` is not known"));
            self.find(finding.with("order", name).at("order_ref", self.evidence(FieldName::OrderRef)));
            return None;
        };
        let mut fits = true;
        if let Some(vendor) = &self.facts.vendor
            && vendor.vendor_id != first.vendor_id
        {
            let (ordered_from, billed_by) = (&first.vendor_id, &vendor.vendor_id);
            let message = format!(
                "order `{}` was placed with vendor {ordered_from}, the invoice is from {billed_by}",
                order.order_id
            );
            let finding = Finding::new(Code::VendorMismatch, "match.order_vendor", message);
            self.find(finding.with("ordered_from", ordered_from).with("billed_by", billed_by));
            fits = false;
        }
        if let Some(currency) = &self.invoice.currency
            && *currency != first.currency
        {
            let message = format!(
                "order `{}` is in {}, the invoice in {currency}; nothing is converted silently",
                order.order_id, first.currency
            );
            let finding = Finding::new(Code::Currency, "match.currency", message);
            let finding = finding.with("ordered", &first.currency).with("billed", currency);
            self.find(finding.at("currency", self.evidence(FieldName::Currency)));
            fits = false;
        }
        fits.then_some(order)
    }

    /// Compares one line and gives back the quantity it bills, negative where it credits.
    fn line(&mut self, idx: usize, line: &Line, tally: &Tally<'a>) -> Option<Decimal> {
        let Tally { order, ordered, .. } = *tally;
        let at = |finding: Finding| {
            at_line(finding.with("order", &ordered.order_id).with("order_line", &ordered.line), idx, line)
        };
        let Some(quantity) = line.quantity else {
            self.find(at(Finding::new(Code::Missing, "match.quantity", format!("line {} has no quantity", line.id))));
            return None;
        };
        if let Some(unit) = &line.unit
            && !same_unit(unit, &ordered.unit)
        {
            let message =
                format!("line {} is in `{unit}`, the order in `{}`; no conversion is known", line.id, ordered.unit);
            self.find(at(Finding::new(Code::Uom, "match.unit", message)));
            return None;
        }
        let other_unit = |receipt: &&crate::Receipt| {
            receipt.line == ordered.line && receipt.unit.as_ref().is_some_and(|unit| !same_unit(unit, &ordered.unit))
        };
        if let Some(receipt) = order.receipts.iter().find(other_unit) {
            let unit = receipt.unit.as_deref().unwrap_or_default();
            let message = format!(
                "line {} was received in `{unit}`, ordered in `{}`; no conversion is known",
                line.id, ordered.unit
            );
            self.find(at(Finding::new(Code::Uom, "match.receipt_unit", message)));
            return None;
        }
        let billed = if self.invoice.credit { -quantity } else { quantity };
        let price_ordered = quotient(ordered.unit_price, ordered.price_unit).unwrap_or(ordered.unit_price);
        let price_billed = line.price_of_one();
        let variance = price_billed.and_then(|price| product(billed, price - price_ordered)).map(cents);
        self.verdict.matched.push(MatchedLine {
            invoice_line: line.id.clone(),
            order_id: ordered.order_id.clone(),
            order_line: ordered.line.clone(),
            description: ordered.description.clone().or_else(|| line.name.clone()),
            ordered: ordered.quantity,
            received: receipts(order, ordered).map(|receipts| receipts.billable),
            billed_before: claimed(order, ordered) + tally.quantity,
            billed_now: billed,
            price_ordered: price_ordered.normalize(),
            price_billed: price_billed.map(|price| price.normalize()),
            variance,
        });
        self.verdict.claims.push(Claim {
            order_id: ordered.order_id.clone(),
            line: ordered.line.clone(),
            quantity: billed,
        });
        if let (Some(rate), Some(expected)) = (line.vat_rate.or(self.invoice.only_rate()), ordered.tax_rate)
            && rate != expected
        {
            let message = format!("line {} is taxed at {rate} %, the order says {expected} %", line.id);
            self.find(at(Finding::new(Code::TaxRate, "match.tax_rate", message)
                .with("found", rate)
                .with("expected", expected)));
        }
        match (price_billed, variance) {
            (Some(price), Some(variance)) if Decimal::ZERO < billed => {
                self.price(line, ordered, price_ordered, price, variance, &at);
            }
            (Some(_), Some(_)) => {}
            _ => self.find(at(Finding::new(Code::Missing, "match.price", format!("line {} has no price", line.id)))),
        }
        Some(billed)
    }

    fn price(
        &mut self,
        line: &Line,
        ordered: &OrderLine,
        expected: Decimal,
        found: Decimal,
        variance: Decimal,
        at: &dyn Fn(Finding) -> Finding,
    ) {
        let percent =
            product(found - expected, Decimal::ONE_HUNDRED).and_then(|difference| quotient(difference, expected));
        let shown =
            percent.map_or_else(|| "from nothing".to_owned(), |percent| format!("{:+.2} %", percent.round_dp(2)));
        let (found, expected) = (found.normalize(), expected.normalize());
        let figures = |finding: Finding| {
            let finding = finding.with("ordered", expected).with("billed", found).with("variance", variance);
            percent.iter().fold(finding, |finding, percent| finding.with("percent", percent.round_dp(4).normalize()))
        };
        let message = |word: &str| {
            format!("line {}: {found} a unit, ordered at {expected}: {shown}, {} {word}", line.id, variance.abs())
        };
        if variance < Decimal::ZERO {
            return self.find(at(figures(Finding::new(Code::PriceBelow, "match.price", message("less")))));
        }
        let row = self.policy.tolerance(ToleranceKind::PriceUnit, Some(&ordered.vendor_id), self.today);
        if variance.is_zero() || row.is_some_and(|row| row.allows(variance, percent)) {
            return;
        }
        let mut finding = figures(Finding::new(Code::Price, "match.price", message("disputed")));
        if let Some(row) = row {
            finding = finding.with("policy_row", &row.id);
            finding = row.upper_percent.iter().fold(finding, |finding, limit| finding.with("limit_percent", limit));
            finding = row.upper_abs.iter().fold(finding, |finding, limit| finding.with("limit_abs", limit));
        }
        self.find(at(finding));
    }

    /// Compares what the document bills of an order line, with what was billed before, with what was ordered and received.
    fn quantity(&mut self, tally: &Tally<'a>) {
        let ordered = tally.ordered;
        let before = claimed(tally.order, ordered);
        if before + tally.quantity < Decimal::ZERO && tally.quantity < Decimal::ZERO {
            let (credited, billed) = (-tally.quantity.normalize(), before.normalize());
            let message =
                format!("{}: {credited} credited, {billed} billed and not yet credited", self.lines_of(tally));
            let finding = Finding::new(Code::CreditExceeds, "match.credit", message);
            let finding = self.at_lines(finding.with("credited", credited).with("billed", billed), tally);
            self.find(finding);
        }
        if tally.quantity <= Decimal::ZERO {
            return;
        }
        self.within(tally, before, Code::QtyOrd, ToleranceKind::QtyOrd, "ordered", ordered.quantity);
        if let Some(Receipts { came_in, billable }) = receipts(tally.order, ordered) {
            let (code, what) = match ordered.match_level {
                _ if came_in <= Decimal::ZERO => (Code::NoGr, "received"),
                4 => (Code::QtyAcc, "accepted"),
                _ => (Code::QtyRec, "received"),
            };
            self.within(tally, before, code, ToleranceKind::QtyRec, what, billable);
        }
    }

    fn within(
        &mut self,
        tally: &Tally<'a>,
        before: Decimal,
        code: Code,
        kind: ToleranceKind,
        what: &str,
        limit: Decimal,
    ) {
        let (ordered, now) = (tally.ordered, tally.quantity);
        let over = before + now - limit;
        let percent = product(over, Decimal::ONE_HUNDRED).and_then(|over| quotient(over, limit));
        let row = self.policy.tolerance(kind, Some(&ordered.vendor_id), self.today);
        if over <= Decimal::ZERO || row.is_some_and(|row| row.allows(over, percent)) {
            return;
        }
        let allowed = (limit - before).max(Decimal::ZERO).normalize();
        let excess = (now - allowed).normalize();
        let (total, limit) = ((before + now).normalize(), limit.normalize());
        let message = format!(
            "{}: {total} billed with earlier invoices, {limit} {what}; {allowed} allowed, {excess} too many",
            self.lines_of(tally),
        );
        let rule = match code {
            Code::QtyOrd => "match.quantity_ordered",
            Code::QtyAcc => "match.quantity_accepted",
            Code::NoGr => "match.no_receipt",
            _ => "match.quantity_received",
        };
        let mut finding = Finding::new(code, rule, message)
            .with("billed_before", before.normalize())
            .with("billed_now", now.normalize())
            .with(what, limit)
            .with("allowed", allowed)
            .with("excess", excess);
        let price = quotient(ordered.unit_price, ordered.price_unit);
        if let Some(amount) = price.and_then(|price| product(excess, price)) {
            finding = finding.with("excess_amount", cents(amount));
        }
        let finding = self.at_lines(finding, tally);
        self.find(finding);
    }

    /// `line 1` or `lines 1, 3`, by the lines' own numbers.
    fn lines_of(&self, tally: &Tally<'_>) -> String {
        let ids = tally.lines.iter().filter_map(|idx| self.invoice.lines.get(*idx)).map(|line| line.id.as_str());
        let ids = ids.collect::<Vec<_>>();
        format!("{} {}", if ids.len() == 1 { "line" } else { "lines" }, ids.join(", "))
    }

    fn at_lines(&self, finding: Finding, tally: &Tally<'_>) -> Finding {
        let finding = finding.with("order", &tally.ordered.order_id).with("order_line", &tally.ordered.line);
        let lines = tally.lines.iter().filter_map(|idx| Some((*idx, self.invoice.lines.get(*idx)?)));
        lines.fold(finding, |finding, (idx, line)| at_line(finding, idx, line))
    }
}

/// Fields of a finding count lines from 1, as corrections do.
fn at_line(finding: Finding, idx: usize, line: &Line) -> Finding {
    finding.at(format!("lines.{}", idx + 1), line.evidence.as_ref())
}

/// What other cases bill of an order line, less what they credit.
fn claimed(order: &OrderFacts, ordered: &OrderLine) -> Decimal {
    order.claims.iter().filter(|claim| claim.line == ordered.line).map(|claim| claim.quantity).sum()
}

struct Receipts {
    /// Received, less what went back.
    came_in: Decimal,
    /// What may be billed of it: for a four-way match no more than was accepted.
    billable: Decimal,
}

/// `None` for a two-way match, which asks for no receipt.
fn receipts(order: &OrderFacts, ordered: &OrderLine) -> Option<Receipts> {
    let of_line = || order.receipts.iter().filter(|receipt| receipt.line == ordered.line);
    let came_in = of_line().map(|receipt| receipt.quantity - receipt.returned.unwrap_or_default()).sum::<Decimal>();
    match ordered.match_level {
        2 => None,
        4 => {
            // What was not inspected was not accepted; what was sent back is mostly what was not accepted, and counts once.
            let accepted = of_line().map(|receipt| receipt.accepted.unwrap_or_default()).sum::<Decimal>();
            Some(Receipts { came_in, billable: accepted.min(came_in) })
        }
        _ => Some(Receipts { came_in, billable: came_in }),
    }
}

/// A vendor master may hold the id without its country prefix.
fn same_vat_id(known: &str, billed: &str) -> bool {
    let (long, short) = if known.len() < billed.len() { (billed, known) } else { (known, billed) };
    long.strip_suffix(short).is_some_and(|prefix| prefix.is_empty() || prefix.len() == 2)
}

/// The order line that an invoice line names, or the only one it can mean. Ambiguity is never resolved by guessing.
fn fitting_line<'a>(line: &Line, order: &'a OrderFacts) -> Option<&'a OrderLine> {
    let only = |fits: &dyn Fn(&OrderLine) -> bool| {
        let mut fitting = order.lines.iter().filter(|ordered| fits(ordered));
        fitting.next().filter(|_| fitting.next().is_none())
    };
    if let Some(named) = &line.order_line {
        return only(&|ordered| same_id(&ordered.line, named));
    }
    if let [single] = order.lines.as_slice() {
        return Some(single);
    }
    let item = line.item.as_deref().map(folded);
    let name = line.name.as_deref().map(folded);
    let same_item = |ordered: &OrderLine| item.is_some() && ordered.item.as_deref().map(folded) == item;
    let same_name = |ordered: &OrderLine| name.is_some() && ordered.description.as_deref().map(folded) == name;
    // Two order lines of one description are told apart by the position, which alone would say nothing.
    let same_place = |ordered: &OrderLine| same_name(ordered) && same_id(&ordered.line, &line.id);
    only(&same_item).or_else(|| only(&same_name)).or_else(|| only(&same_place))
}

fn same_id(left: &str, right: &str) -> bool {
    left.trim().eq_ignore_ascii_case(right.trim())
}

/// UN/ECE Recommendation 20 codes and the words people print for them.
const UNITS: [&[&str]; 9] = [
    &["C62", "EA", "H87", "PCE", "PCS", "PC", "XPP", "STK", "STÜCK", "ST", "UNIT", "UNITS", "PIECE", "PIECES"],
    &["HUR", "H", "HR", "HRS", "STD", "HOUR", "HOURS", "STUNDE", "STUNDEN"],
    &["DAY", "D", "DAYS", "TAG", "TAGE"],
    &["MON", "MONTH", "MONTHS", "MONAT", "MONATE"],
    &["KGM", "KG"],
    &["MTR", "M"],
    &["LTR", "L"],
    &["BX", "XBX", "BOX"],
    &["SET", "LS", "PAUSCHAL"],
];

fn same_unit(left: &str, right: &str) -> bool {
    let (left, right) = (left.trim().to_uppercase(), right.trim().to_uppercase());
    let (left, right) = (left.trim_end_matches('.'), right.trim_end_matches('.'));
    left == right || UNITS.iter().any(|names| names.contains(&left) && names.contains(&right))
}

#[cfg(test)]
mod tests;
