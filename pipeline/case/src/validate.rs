//! What is wrong with a document by itself, before anything is compared with orders.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::invoice::product;
use crate::policy::{Tolerance, ToleranceKind};
use crate::{
    Breach, Case, Code, Evidence, Extraction, FieldName, Finding, Format, Invoice, Kind, Line, LineField, Policy,
};

/// Every finding about a case by itself: what is wrong with the document, and that a person changed what was read from it.
pub fn examine(case: &Case, policy: &Policy, today: Date) -> Vec<Finding> {
    let mut findings =
        case.extraction.as_ref().map(|read| found(read, policy, today, case.corrected)).unwrap_or_default();
    if case.corrected {
        let message = "a person corrected what was read; another person must approve it";
        findings.push(Finding::new(Code::Corrected, "check.corrected", message));
    }
    findings
}

/// Every finding about the document alone. `today` is the day it is looked at.
pub fn validate(extraction: &Extraction, policy: &Policy, today: Date) -> Vec<Finding> {
    found(extraction, policy, today, false)
}

fn found(extraction: &Extraction, policy: &Policy, today: Date, corrected: bool) -> Vec<Finding> {
    let mut findings = reading(extraction);
    match extraction.kind {
        Kind::Invoice | Kind::CreditNote => {
            let (invoice, unreadable) = Invoice::of(extraction);
            let check = Check { extraction, policy, invoice: &invoice, today };
            findings.extend(unreadable);
            let mut ours = Vec::new();
            check.required(&mut ours);
            check.confidence(&mut ours);
            if crate::fapiao::issued(extraction) {
                ours.extend(crate::fapiao::validate(extraction, &invoice));
            } else {
                check.lines(&mut ours);
                check.signs(&mut ours);
                check.totals(&mut ours);
                check.vat(&mut ours);
            }
            if extraction.profile.is_some() && !corrected {
                yield_to(&extraction.breaches, &mut ours);
            }
            findings.extend(breaches(extraction, corrected, &ours));
            findings.append(&mut ours);
            check.identifiers(&mut findings);
            check.dates(&mut findings);
        }
        Kind::Contract => findings.extend(crate::contract::validate(extraction, policy)),
        _ => {
            let message = format!("this looks like `{}`, which is not processed by itself", extraction.kind.name());
            findings.push(Finding::new(Code::KindUnknown, "read.kind", message));
        }
    }
    findings
}

/// INVARIANT (fail closed): what was not fully read cannot pass without a person.
fn reading(extraction: &Extraction) -> Vec<Finding> {
    let mut findings = Vec::new();
    let coverage = extraction.coverage;
    if coverage.read < coverage.pages {
        let message = format!("{} of {} pages were read", coverage.read, coverage.pages);
        findings.push(
            Finding::new(Code::Coverage, "read.coverage", message)
                .with("pages", coverage.pages)
                .with("read", coverage.read),
        );
    }
    if 0 < coverage.hidden_text {
        let message = format!("{} pieces of text are invisible on the page; they were not read", coverage.hidden_text);
        findings.push(Finding::new(Code::HiddenText, "read.hidden", message).with("pieces", coverage.hidden_text));
    }
    for note in &extraction.notes {
        let code = match note.code.as_str() {
            "needs_ocr" => Code::NeedsOcr,
            "hybrid_diff" => Code::HybridDiff,
            "tracked_changes" => Code::TrackedChanges,
            "value_unreadable"
            | "several_currencies"
            | "cell_unreadable"
            | "cell_error"
            | "formula_without_value"
            | "encoding_guessed" => Code::Unreadable,
            "several_values" | "remembered_otherwise" | "kind_guessed" => Code::LowConfidence,
            "changed_after_signing" => Code::Altered,
            "cut"
            | "notes_cut"
            | "page_unreadable"
            | "too_many_pages"
            | "second_table"
            | "several_invoices"
            | "sheet_not_read"
            | "page_without_picture" => Code::Coverage,
            // Already said by the coverage.
            "hidden_text" | "hidden_cells" if 0 < coverage.hidden_text => continue,
            _ => Code::ReaderNote,
        };
        findings.push(Finding::new(code, format!("read.{}", note.code), note.message.clone()));
    }
    findings
}

/// What the document itself breaks of the published rules, but for what we found alike and with its figures. Once a person
/// has corrected values, the rules that can be recomputed from values are, and only the others still speak of the document
/// as it came.
fn breaches(extraction: &Extraction, corrected: bool, ours: &[Finding]) -> Vec<Finding> {
    let finding = |breach: &Breach| {
        let own = Code::named(&breach.rule);
        if (corrected && own.is_some()) || ours.iter().any(|it| it.rule == breach.rule) {
            return None;
        }
        let code = if breach.fatal { own.unwrap_or(Code::Standard) } else { Code::StandardHint };
        let finding = Finding::new(code, breach.rule.clone(), breach.message.clone());
        Some(Finding { fields: breach.terms.clone(), evidence: vec![breach.evidence.clone()], ..finding })
    };
    extraction.breaches.iter().filter_map(finding).collect()
}

/// The reader has checked the document by the published rules, so their ids are its to give: what we found beyond them
/// keeps a name of our own (standard-valid is not business-correct).
fn yield_to(breaches: &[Breach], ours: &mut [Finding]) {
    let published = |rule: &str| rule.starts_with("BR-") || rule.starts_with("PEPPOL-");
    let broken = |rule: &str| breaches.iter().any(|it| it.fatal && it.rule == rule);
    for finding in ours.iter_mut().filter(|it| published(&it.rule) && !broken(&it.rule)) {
        finding.rule = format!("check.{}", finding.rule.to_ascii_lowercase());
        if published(finding.code.name()) {
            finding.code = Code::Arith;
            finding.severity = Code::Arith.severity();
        }
    }
}

struct Check<'a> {
    extraction: &'a Extraction,
    policy: &'a Policy,
    invoice: &'a Invoice,
    today: Date,
}

/// Values an invoice cannot do without, with the published rule that says so.
const REQUIRED: [(FieldName, Code); 9] = [
    (FieldName::Number, Code::Br02),
    (FieldName::IssueDate, Code::Br03),
    (FieldName::Currency, Code::Br05),
    (FieldName::SellerName, Code::Br06),
    (FieldName::BuyerName, Code::Br07),
    (FieldName::LineTotal, Code::Br12),
    (FieldName::NetTotal, Code::Br13),
    (FieldName::GrossTotal, Code::Br14),
    (FieldName::Payable, Code::Br15),
];

impl Check<'_> {
    fn evidence(&self, name: FieldName) -> Option<&Evidence> {
        self.extraction.field(name).map(|field| &field.evidence)
    }

    fn structured(&self) -> bool {
        self.extraction.format.structured()
    }

    fn profile_is(&self, names: &[&str]) -> bool {
        self.extraction.profile.as_deref().is_some_and(|it| names.contains(&it))
    }

    /// ZUGFeRD 1, which is older than the standard: no rules are published for it, and its profile BASIC has no amount
    /// due and no amounts of lines.
    fn older(&self) -> bool {
        matches!(self.extraction.format, Format::Cii | Format::FacturX) && self.extraction.profile.is_none()
    }

    fn required(&self, findings: &mut Vec<Finding>) {
        for (name, rule) in REQUIRED {
            if self.extraction.field(name).is_some() {
                continue;
            }
            // A page shows one grand total, which is then the amount due as well, and seldom a sum of lines.
            let printed_elsewhere = match name {
                FieldName::LineTotal => true,
                FieldName::GrossTotal => self.extraction.field(FieldName::Payable).is_some(),
                FieldName::Payable => self.extraction.field(FieldName::GrossTotal).is_some(),
                _ => false,
            };
            if self.structured() && !(self.older() && printed_elsewhere) {
                findings.push(Finding::new(rule, rule.name(), rule.title()).at(name.name(), None));
            } else if !printed_elsewhere {
                let message = format!("`{}` was not found: {}", name.name(), lower_first(rule.title()));
                findings.push(Finding::new(Code::Missing, rule.name(), message).at(name.name(), None));
            }
        }
        if self.invoice.lines.is_empty() && self.structured() {
            findings.push(Finding::new(Code::Br16, "BR-16", Code::Br16.title()).at("lines", None));
        }
    }

    fn confidence(&self, findings: &mut Vec<Finding>) {
        let max = self.policy.reading.error_rate_max;
        let risk_of = |name: FieldName| self.extraction.field(name).map(|field| (field, 1.0 - field.confidence));
        for (name, _) in REQUIRED {
            let Some((field, risk)) = risk_of(name) else { continue };
            // A party is known by its id; its name is only shown then.
            let id = match name {
                FieldName::SellerName => risk_of(FieldName::SellerVatId),
                FieldName::BuyerName => risk_of(FieldName::BuyerVatId),
                _ => None,
            };
            let known = id.is_some_and(|(_, risk)| risk <= max);
            if max < risk && !known {
                let message = format!(
                    "`{}` is wrong with a probability of {risk:.2}; {max:.2} is allowed where nobody looks",
                    name.name()
                );
                let finding = Finding::new(Code::LowConfidence, "read.confidence", message);
                let finding = finding.with("error_rate", format!("{risk:.3}")).with("limit", max);
                findings.push(finding.at(name.name(), Some(&field.evidence)));
            }
        }
    }

    /// Peppol's R120: line net = quantity × (price / base quantity) + charges − allowances, within the rounding of the price.
    /// INVARIANT (fail closed): every line has an amount, so that the lines can be held against the totals.
    fn lines(&self, findings: &mut Vec<Finding>) {
        for (idx, line) in self.invoice.lines.iter().enumerate() {
            let field = crate::invoice::line_field(idx, LineField::NetAmount);
            if line.amount().is_none() && self.older() && line.unit_price.is_none() {
                continue;
            }
            if line.amount().is_none() {
                let message = format!("line {} has no amount, nor price and quantity to compute it", line.id);
                findings.push(Finding::new(Code::Missing, "BR-24", message).at(field, line.evidence.as_ref()));
                continue;
            }
            let (Some(quantity), Some(_), Some(net)) = (line.quantity, line.unit_price, line.net_amount) else {
                continue;
            };
            let extra = line.charge.unwrap_or_default() - line.allowance.unwrap_or_default();
            let amount = line.printed_price().and_then(|price| product(price, quantity));
            let Some(expected) = amount.map(|amount| cents(amount) + extra) else {
                let message = format!("line {}: the price times {quantity} is out of range", line.id);
                findings.push(
                    Finding::new(Code::LineAmount, "PEPPOL-EN16931-R120", message).at(field, line.evidence.as_ref()),
                );
                continue;
            };
            let off = (expected - net).abs();
            // A printed price is rounded to the cent: half a cent on each unit is no fault of the line.
            let decimals = line.unit_price.map_or(2, |price| price.scale().max(2));
            let rounding = (quantity.abs() * Decimal::new(5, decimals + 1)).max(Decimal::new(1, 2));
            if rounding < off {
                let price = line.printed_price().unwrap_or_default().normalize();
                let message = format!("line {}: {quantity} × {price} is {expected}, the line says {net}", line.id);
                let finding = Finding::new(Code::LineAmount, "PEPPOL-EN16931-R120", message);
                findings.push(finding.with("expected", expected).with("found", net).at(field, line.evidence.as_ref()));
            }
        }
    }

    /// A credit note's amounts are positive and an invoice's too: a negative total turns the one into the other, past the
    /// checks of what it really is.
    fn signs(&self, findings: &mut Vec<Finding>) {
        let totals = &self.invoice.totals;
        for (name, amount) in
            [(FieldName::NetTotal, totals.net_total), (FieldName::GrossTotal, totals.gross_total.or(totals.payable))]
        {
            let Some(amount) = amount.filter(|amount| *amount < Decimal::ZERO) else { continue };
            let (this, that) =
                if self.invoice.credit { ("a credit note", "an invoice") } else { ("an invoice", "a credit note") };
            let message = format!("`{}` of {this} is {amount}, which makes it {that}", name.name());
            let finding = Finding::new(Code::Sign, "check.sign", message).with("found", amount);
            findings.push(finding.at(name.name(), self.evidence(name)));
        }
    }

    fn totals(&self, findings: &mut Vec<Finding>) {
        let totals = &self.invoice.totals;
        let none = Decimal::ZERO;
        let line_sum = self.invoice.lines.iter().map(Line::amount).sum::<Option<Decimal>>().map(cents);
        let line_sum = line_sum.filter(|_| !self.invoice.lines.is_empty());
        if let (Some(sum), Some(total)) = (line_sum, totals.line_total) {
            self.foots(findings, Code::BrCo10, FieldName::LineTotal, sum, total, "the lines add up to");
        } else if let (Some(sum), Some(net), false) = (line_sum, totals.net_total, self.structured()) {
            let less = totals.allowance_total.filter(|_| !self.italian()).unwrap_or(none);
            let expected = sum - less + totals.charge_total.unwrap_or(none);
            self.foots(findings, Code::BrCo10, FieldName::NetTotal, expected, net, "the lines add up to");
        }
        if let (Some(lines), Some(net)) = (totals.line_total, totals.net_total) {
            let expected = lines - totals.allowance_total.unwrap_or(none) + totals.charge_total.unwrap_or(none);
            self.foots(
                findings,
                Code::BrCo13,
                FieldName::NetTotal,
                expected,
                net,
                "lines, allowances and charges give",
            );
        }
        let kept = totals.prepaid.unwrap_or(none) + totals.withholding.unwrap_or(none);
        // FatturaPA rounds the total itself, not what is left of it.
        let rounding = totals.rounding.filter(|_| !self.italian()).unwrap_or(none);
        let left_to_pay = |gross: Decimal| gross - kept + rounding;
        let gross = totals.net_total.map(|net| net + totals.tax_total.unwrap_or(none));
        // Stamp duty is charged to the buyer or borne by the seller: both are usual, and only the total tells.
        let stamped = gross.zip(totals.stamp_duty).map(|(gross, duty)| gross + duty);
        let gross = stamped.filter(|stamped| Some(*stamped) == totals.gross_total).or(gross);
        let gross = self.italian_gross().or(gross);
        match (gross, totals.gross_total, totals.payable) {
            (Some(expected), Some(found), _) => {
                self.foots(findings, Code::BrCo15, FieldName::GrossTotal, expected, found, "net and VAT give");
            }
            // A page that shows only the amount due: it must follow from net and VAT all the same.
            (Some(expected), None, Some(found)) => {
                self.foots(
                    findings,
                    Code::BrCo16,
                    FieldName::Payable,
                    left_to_pay(expected),
                    found,
                    "net and VAT give",
                );
            }
            _ => {}
        }
        if let (Some(gross), Some(payable)) = (totals.gross_total, totals.payable) {
            self.foots(
                findings,
                Code::BrCo16,
                FieldName::Payable,
                left_to_pay(gross),
                payable,
                "the total less what was paid is",
            );
        }
    }

    fn italian(&self) -> bool {
        self.extraction.format == Format::FatturaPa
    }

    /// The total of a FatturaPA where it follows from net and VAT with some of what is stated beside them: stamp duty,
    /// rounding, and a discount on the whole may each be in the total or not, and only the total tells.
    fn italian_gross(&self) -> Option<Decimal> {
        let totals = &self.invoice.totals;
        let found = totals.gross_total.filter(|_| self.italian())?;
        let mut sums = vec![totals.net_total? + totals.tax_total.unwrap_or_default()];
        for beside in [totals.stamp_duty, totals.rounding, totals.allowance_total.map(|it| -it)].into_iter().flatten() {
            let more: Vec<Decimal> = sums.iter().map(|sum| sum + beside).collect();
            sums.extend(more);
        }
        sums.contains(&found).then_some(found)
    }

    /// Compares two figures that must be equal. A machine's document must be exact; on a page that was read, a small
    /// difference within the policy's `SMALL_DIFF` is noted.
    fn foots(
        &self,
        findings: &mut Vec<Finding>,
        rule: Code,
        name: FieldName,
        expected: Decimal,
        found: Decimal,
        how: &str,
    ) {
        let off = (expected - found).abs();
        if off.is_zero() {
            return;
        }
        let code = if self.structured() || self.italian() {
            rule
        } else if self
            .policy
            .tolerance(ToleranceKind::SmallDiff, None, self.today)
            .is_some_and(|row| row.allows(off, None))
        {
            Code::SmallDiff
        } else {
            Code::Arith
        };
        let message = format!("{how} {expected}, `{}` says {found}", name.name());
        let finding = Finding::new(code, rule.name(), message).with("expected", expected).with("found", found);
        findings.push(finding.at(name.name(), self.evidence(name)));
    }

    fn vat(&self, findings: &mut Vec<Finding>) {
        let groups = &self.invoice.vat;
        let totals = &self.invoice.totals;
        let sum = groups.iter().map(|group| group.tax).sum::<Option<Decimal>>().filter(|_| !groups.is_empty());
        if let (Some(sum), Some(total)) = (sum, totals.tax_total) {
            self.foots(findings, Code::BrCo14, FieldName::TaxTotal, sum, total, "the VAT groups add up to");
        }
        let alone = groups.len() == 1;
        let mut checked = !groups.is_empty();
        for group in groups {
            // What one group does not say of itself, the totals say.
            let taxable = group.taxable.or(totals.net_total.filter(|_| alone));
            let tax = group.tax.or(totals.tax_total.filter(|_| alone));
            match (group.rate, taxable, tax) {
                (Some(rate), Some(taxable), Some(tax)) => self.tax(findings, rate, taxable, tax),
                (_, _, Some(tax)) if tax.is_zero() => {}
                _ => checked = false,
            }
        }
        // The base of the groups is the net total; otherwise any tax can be made to fit.
        let base = groups.iter().map(|group| group.taxable).sum::<Option<Decimal>>().filter(|_| !groups.is_empty());
        if let (Some(base), Some(net)) = (base, totals.net_total)
            && !self.tax_allows((base - net).abs())
        {
            let message = format!("VAT is computed on {base}, the total without VAT is {net}");
            let finding = Finding::new(Code::Tax, "check.tax_base", message).with("expected", net).with("found", base);
            findings.push(finding.at("tax_total", self.evidence(FieldName::TaxTotal)));
        }
        if let Some(tax) = totals.tax_total.filter(|tax| !checked && !tax.is_zero()) {
            self.tax_by_lines(findings, tax);
        }
    }

    /// Without a usable breakdown the rates of the lines must explain the VAT. INVARIANT (fail closed): VAT whose rate was
    /// not read goes to a person.
    fn tax_by_lines(&self, findings: &mut Vec<Finding>, tax: Decimal) {
        let totals = &self.invoice.totals;
        let mut bases: BTreeMap<Decimal, Decimal> = BTreeMap::new();
        for line in &self.invoice.lines {
            if let (Some(rate), Some(amount)) = (line.vat_rate, line.amount()) {
                *bases.entry(rate.normalize()).or_default() += amount;
            }
        }
        let all = self.invoice.lines.iter().all(|line| line.vat_rate.is_some() && line.amount().is_some());
        // Allowances and charges of the whole document belong to no rate, unless there is only one.
        let plain = [totals.allowance_total, totals.charge_total].into_iter().flatten().all(|amount| amount.is_zero());
        match (bases.iter().next(), totals.net_total) {
            (Some((rate, _)), Some(net)) if all && bases.len() == 1 => self.tax(findings, *rate, net, tax),
            (Some(_), _) if all && plain => {
                let expected = bases.iter().map(|(rate, base)| tax_of(*rate, *base)).sum::<Option<Decimal>>();
                if expected.is_none_or(|expected| !self.tax_allows((expected - tax).abs())) {
                    let expected = expected.map_or_else(|| "out of range".to_owned(), |expected| expected.to_string());
                    let message = format!("the VAT of the lines is {expected}, the document says {tax}");
                    let finding =
                        Finding::new(Code::Tax, "check.tax", message).with("expected", expected).with("found", tax);
                    findings.push(finding.at("tax_total", self.evidence(FieldName::TaxTotal)));
                }
            }
            // Nothing in these profiles of Factur-X has a place for the rate.
            _ if self.profile_is(&["factur-x-minimum", "factur-x-basicwl"]) => {}
            _ => {
                let message = format!("VAT of {tax} is charged, and its rate was not read");
                let finding = Finding::new(Code::Tax, "check.tax_rate_missing", message).with("found", tax);
                findings.push(finding.at("tax_total", self.evidence(FieldName::TaxTotal)));
            }
        }
    }

    /// The VAT of one rate against its base. `rate` is in percent.
    fn tax(&self, findings: &mut Vec<Finding>, rate: Decimal, taxable: Decimal, tax: Decimal) {
        let expected = tax_of(rate, taxable);
        let off = expected.map(|expected| (expected - tax).abs());
        // The standard lets a whole currency unit pass; our own limit is tighter (standard-valid is not business-correct).
        let standard = off.is_some_and(|off| off <= Decimal::ONE) || !self.structured();
        if standard && off.is_some_and(|off| self.tax_allows(off)) {
            return;
        }
        let limit =
            if standard { self.tax_row().and_then(|row| row.upper_abs).unwrap_or_default() } else { Decimal::ONE };
        let (code, rule) = if standard { (Code::Tax, "check.tax") } else { (Code::BrCo17, "BR-CO-17") };
        let [expected, off] =
            [expected, off].map(|it| it.map_or_else(|| "out of range".to_owned(), |it| it.to_string()));
        let message = format!("{rate} % of {taxable} is {expected}, the VAT says {tax}: {off} apart, {limit} allowed");
        let finding = Finding::new(code, rule, message).with("taxable", taxable).with("rate", rate);
        let finding =
            finding.with("expected", expected).with("found", tax).with("difference", off).with("limit", limit);
        findings.push(finding.at("tax_total", self.evidence(FieldName::TaxTotal)));
    }

    fn tax_row(&self) -> Option<&Tolerance> {
        self.policy.tolerance(ToleranceKind::Tax, None, self.today)
    }

    fn tax_allows(&self, off: Decimal) -> bool {
        // Where a currency has no smaller unit, or as the forint none in use, VAT is rounded to whole units.
        let currency = self.extraction.text(FieldName::Currency).unwrap_or_default();
        let whole_units = currency == "HUF" || (!currency.is_empty() && crate::posting::exponent(currency) == 0);
        off.is_zero()
            || (whole_units && off <= Decimal::new(5, 1))
            || self.tax_row().is_some_and(|row| row.allows(off, None))
    }

    fn identifiers(&self, findings: &mut Vec<Finding>) {
        // BT-84 may hold an account of a country without IBANs: what does not begin as one is not measured as one.
        let shaped = |text: &&String| matches!(text.as_bytes(), [a, b, c, d, ..] if [a, b].iter().all(|it| it.is_ascii_uppercase()) && [c, d].iter().all(|it| it.is_ascii_digit()));
        if let Some(iban) = self.invoice.iban.as_ref().filter(shaped)
            && iban.parse::<iban::Iban>().is_err()
        {
            let message = "the IBAN is not valid: its length or check digits are wrong for its country";
            let finding = Finding::new(Code::Iban, "check.iban", message).with("iban", iban);
            findings.push(finding.at("iban", self.evidence(FieldName::Iban)));
        }
        for (name, id) in
            [(FieldName::SellerVatId, &self.invoice.seller_vat_id), (FieldName::BuyerVatId, &self.invoice.buyer_vat_id)]
        {
            if let Some(id) = id
                && crate::vat_id::check(id) == crate::vat_id::Verdict::Wrong
            {
                let message = format!(
                    "`{}` is not a valid VAT id: its form or check digits are wrong for its country",
                    name.name()
                );
                let finding = Finding::new(Code::VatId, "check.vat_id", message).with("vat_id", id);
                findings.push(finding.at(name.name(), self.evidence(name)));
            }
        }
    }

    fn dates(&self, findings: &mut Vec<Finding>) {
        // Days read from a page may be misread: a day to pay by before the day of issue says so.
        if let (Some(issued), Some(due)) = (self.invoice.issue_date, self.invoice.due_date)
            && due < issued
            && !self.structured()
        {
            let message = format!("due {due}, before it was issued on {issued}");
            let finding =
                Finding::new(Code::DueEarly, "check.due_early", message).with("issued", issued).with("due", due);
            findings.push(finding.at("due_date", self.evidence(FieldName::DueDate)));
        }
        let Some(issued) = self.invoice.issue_date else { return };
        let limits = self.policy.dates;
        let age_days = (self.today - issued).get_days();
        let (code, rule, message) = if age_days < -i32::from(limits.future_days) {
            let message = format!("dated {issued}, {} days after today; {} allowed", -age_days, limits.future_days);
            (Code::DateFuture, "check.date_future", message)
        } else if i32::from(limits.stale_days) < age_days {
            let message = format!("dated {issued}, {age_days} days ago; {} allowed", limits.stale_days);
            (Code::Stale, "check.stale", message)
        } else {
            return;
        };
        let finding = Finding::new(code, rule, message).with("issued", issued).with("today", self.today);
        findings.push(finding.at("issue_date", self.evidence(FieldName::IssueDate)));
    }
}

fn tax_of(rate: Decimal, taxable: Decimal) -> Option<Decimal> {
    product(taxable, rate).map(|hundredfold| cents(hundredfold / Decimal::ONE_HUNDRED))
}

/// Half up, to two decimals (EN 16931 rounds amounts to two).
pub(crate) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
