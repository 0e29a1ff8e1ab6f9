//! What is wrong with a document by itself, before anything is compared with orders.

mod arithmetic;
mod dates;
mod identifiers;
mod reading;
mod vat;

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::comparison::{Comparison, Place, Test};
use crate::policy::{Limit, Scope, ToleranceKind};
use crate::{Breach, Case, Code, Evidence, Extraction, FieldName, Finding, Format, Invoice, Kind, LineField, Policy};

/// What was found, and what passed by a figure of the policy: a tighter one turns on that. What passes by a published rule
/// passes under every policy, and is not remembered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examined {
    pub findings: Vec<Finding>,
    pub passed: Vec<Comparison>,
}

/// All about a case by itself: what is wrong with the document, and that a person changed what was read from it.
pub fn examine(case: &Case, policy: &Policy, today: Date) -> Examined {
    let mut examined =
        case.extraction.as_ref().map(|read| examined(read, policy, today, case.corrected)).unwrap_or_default();
    if case.corrected {
        let message = "a person corrected what was read; another person must approve it";
        examined.findings.push(Finding::new(Code::Corrected, "check.corrected", message));
    }
    examined
}

/// Every finding about the document alone. `today` is the day it is looked at.
pub fn validate(extraction: &Extraction, policy: &Policy, today: Date) -> Vec<Finding> {
    examined(extraction, policy, today, false).findings
}

fn examined(extraction: &Extraction, policy: &Policy, today: Date, corrected: bool) -> Examined {
    let mut examined = reading::reading(extraction);
    match extraction.kind {
        Kind::Invoice | Kind::CreditNote => {
            let (invoice, unreadable) = Invoice::of(extraction);
            let check = Check { extraction, policy, invoice: &invoice, today };
            examined.findings.extend(unreadable);
            let mut ours = Examined::default();
            check.required(&mut ours);
            check.confidence(&mut ours);
            if crate::fapiao::issued(extraction) {
                ours.findings.extend(crate::fapiao::validate(extraction, &invoice));
            } else {
                check.lines(&mut ours);
                check.signs(&mut ours);
                check.extras(&mut ours);
                check.totals(&mut ours);
                check.vat(&mut ours);
            }
            if extraction.profile.is_some() && !corrected {
                yield_to(&extraction.breaches, &mut ours.findings);
            }
            examined.findings.extend(breaches(extraction, corrected, &ours.findings));
            examined.findings.append(&mut ours.findings);
            examined.passed.append(&mut ours.passed);
            check.identifiers(&mut examined);
            check.dates(&mut examined);
        }
        Kind::Contract => examined.findings.extend(crate::contract::validate(extraction, policy)),
        _ => {
            let test = Test::OneOf { value: "kind".into(), among: "processed".into() };
            let comparison = Comparison::new(Code::KindUnknown, "read.kind", test)
                .with("kind", extraction.kind.name())
                .with("processed", "invoice, credit_note, contract");
            compare(&mut examined, comparison, None, || {
                format!("this looks like `{}`, which is not processed by itself", extraction.kind.name())
            });
        }
    }
    examined
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
            finding.basis.iter_mut().for_each(|basis| basis.code = Code::Arith);
        }
    }
}

struct Check<'a> {
    extraction: &'a Extraction,
    policy: &'a Policy,
    invoice: &'a Invoice,
    today: Date,
}

impl Check<'_> {
    fn evidence(&self, name: FieldName) -> Option<&Evidence> {
        self.extraction.field(name).map(|field| &field.evidence)
    }

    fn place(&self, name: FieldName) -> Option<Place> {
        self.evidence(name).cloned().map(Place::Document)
    }

    fn line_place(&self, idx: usize, name: LineField) -> Option<Place> {
        let field = self.extraction.lines.get(idx)?.get(&name)?;
        Some(Place::Document(field.evidence.clone()))
    }

    /// A field and where it stands, as findings are placed.
    fn at(&self, name: FieldName) -> Option<(&'static str, Option<&Evidence>)> {
        Some((name.name(), self.evidence(name)))
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

    /// Are amounts in this currency whole units: because there is no smaller one, or, as of the forint, none in use?
    fn whole_units(&self) -> bool {
        let currency = self.extraction.text(FieldName::Currency).unwrap_or_default();
        currency == "HUF" || (!currency.is_empty() && crate::posting::exponent(currency) == 0)
    }

    /// What is tolerated of any document that this company is billed by.
    fn limit(&self, kind: ToleranceKind) -> Limit {
        let scope = Scope { entity: self.invoice.buyer_vat_id.clone(), on: self.today, ..Scope::default() };
        self.policy.limit(kind, &scope)
    }
}

/// Adds what the comparison comes to: about this field of the document, where it is about one, and where that stands. `said`
/// is its sentence.
fn compare(
    examined: &mut Examined,
    comparison: Comparison,
    at: Option<(&str, Option<&Evidence>)>,
    said: impl FnOnce() -> String,
) {
    if comparison.code().is_none() {
        if comparison.basis.by_policy() {
            examined.passed.push(comparison);
        }
        return;
    }
    let Some(finding) = comparison.finding(said()) else { return };
    examined.findings.push(match at {
        // A figure's place may be the field's.
        Some((field, evidence)) => {
            let new = evidence.filter(|it| !finding.evidence.contains(it));
            finding.at(field, new)
        }
        None => finding,
    });
}

/// The one figure is no more than the other, without a limit between them.
fn at_most(figure: &str, of: &str) -> Test {
    Test::AtMost { sum: vec![figure.into()], of: of.into(), times: None, below: None }
}

fn figure(number: Option<Decimal>) -> String {
    number.map_or_else(|| "out of range".to_owned(), |it| it.to_string())
}

/// Half up, to two decimals (EN 16931 rounds amounts to two).
pub(crate) fn cents(amount: Decimal) -> Decimal {
    let mut cents = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    // Money is said with both of them.
    cents.rescale(2);
    cents
}

#[cfg(test)]
mod tests;
