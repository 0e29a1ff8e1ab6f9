//! Does the VAT follow from its bases and rates?

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::arithmetic::not_negative;
use super::{Check, cents, compare, figure};
use crate::comparison::{Comparison, Test};
use crate::invoice::{product, total};
use crate::policy::ToleranceKind;
use crate::{Code, FieldName, Finding};

impl Check<'_> {
    pub(super) fn vat(&self, findings: &mut Vec<Finding>) {
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
        // A base below nothing makes room for a rate that nobody agreed on another one.
        let below = |amount: &Decimal| *amount < Decimal::ZERO;
        if !totals.net_total.as_ref().is_some_and(below) {
            for amount in groups.iter().flat_map(|group| [group.taxable, group.tax]).flatten().filter(below) {
                let (field, evidence) = self.at(FieldName::TaxTotal).unwrap_or(("vat_breakdown", None));
                not_negative(findings, field, amount, None, evidence);
            }
        }
        // The base of the groups is the net total; otherwise any tax can be made to fit.
        let base = groups.iter().map(|group| group.taxable).sum::<Option<Decimal>>().filter(|_| !groups.is_empty());
        if let (Some(base), Some(net)) = (base, totals.net_total) {
            let comparison = self.tolerated("check.tax_base");
            let comparison = comparison.from("expected", net, self.place(FieldName::NetTotal)).with("found", base);
            compare(findings, comparison, self.at(FieldName::TaxTotal), || {
                format!("VAT is computed on {base}, the total without VAT is {net}")
            });
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
        let mut all = true;
        for line in &self.invoice.lines {
            let (Some(rate), Some(amount)) = (line.vat_rate, line.amount()) else {
                all = false;
                continue;
            };
            all &= crate::invoice::add(bases.entry(rate.normalize()).or_default(), amount);
        }
        // Allowances and charges of the whole document belong to no rate, unless there is only one.
        let plain = [totals.allowance_total, totals.charge_total].into_iter().flatten().all(|amount| amount.is_zero());
        match (bases.iter().next(), totals.net_total) {
            (Some((rate, _)), Some(net)) if all && bases.len() == 1 => self.tax(findings, *rate, net, tax),
            (Some(_), _) if all && plain => {
                let expected =
                    bases.iter().map(|(rate, base)| tax_of(*rate, *base)).collect::<Option<Vec<_>>>().and_then(total);
                let expected = figure(expected);
                let comparison = self.tolerated("check.tax").with("expected", &expected);
                let comparison = comparison.from("found", tax, self.place(FieldName::TaxTotal));
                compare(findings, comparison, self.at(FieldName::TaxTotal), || {
                    format!("the VAT of the lines is {expected}, the document says {tax}")
                });
            }
            // Nothing in these profiles of Factur-X has a place for the rate.
            _ if self.profile_is(&["factur-x-minimum", "factur-x-basicwl"]) => {}
            _ => {
                let there = Test::There { value: "rate".into() };
                let comparison = Comparison::new(Code::Tax, "check.tax_rate_missing", there);
                let comparison = comparison.from("found", tax, self.place(FieldName::TaxTotal));
                compare(findings, comparison, self.at(FieldName::TaxTotal), || {
                    format!("VAT of {tax} is charged, and its rate was not read")
                });
            }
        }
    }

    /// The VAT of one rate against its base. `rate` is in percent.
    fn tax(&self, findings: &mut Vec<Finding>, rate: Decimal, taxable: Decimal, tax: Decimal) {
        let expected = tax_of(rate, taxable);
        let off = figure(expected.map(|expected| (expected - tax).abs()));
        let expected = figure(expected);
        let compared = |comparison: Comparison, limit: Decimal| {
            let figures = comparison.with("taxable", taxable).with("rate", rate).with("expected", &expected);
            figures.with("found", tax).with("difference", &off).with("limit", limit)
        };
        let said = |limit: Decimal| {
            format!("{rate} % of {taxable} is {expected}, the VAT says {tax}: {off} apart, {limit} allowed")
        };
        // The standard lets a whole currency unit pass; our own limit is tighter (standard-valid is not business-correct).
        if self.structured() {
            let comparison = Comparison::new(Code::BrCo17, "BR-CO-17", near_within("limit"));
            let comparison = compared(comparison, Decimal::ONE);
            if comparison.code().is_some() {
                return compare(findings, comparison, self.at(FieldName::TaxTotal), || said(Decimal::ONE));
            }
        }
        let limit = self.limit(ToleranceKind::Tax).row.and_then(|row| row.upper_abs).unwrap_or_default();
        compare(findings, compared(self.tolerated("check.tax"), limit), self.at(FieldName::TaxTotal), || said(limit));
    }

    /// Is what was `found` as `expected`, within what the policy tolerates of VAT?
    fn tolerated(&self, rule: &str) -> Comparison {
        // Where a currency has no smaller unit, or as the forint none in use, VAT is rounded to whole units.
        let currency = self.extraction.text(FieldName::Currency).unwrap_or_default();
        let whole_units = currency == "HUF" || (!currency.is_empty() && crate::posting::exponent(currency) == 0);
        let rounding = if whole_units { Decimal::new(5, 1) } else { Decimal::ZERO };
        let comparison = Comparison::new(Code::Tax, rule, near_within("rounding")).with("rounding", rounding);
        comparison.limited(self.limit(ToleranceKind::Tax))
    }
}

fn tax_of(rate: Decimal, taxable: Decimal) -> Option<Decimal> {
    product(taxable, rate).map(|hundredfold| cents(hundredfold / Decimal::ONE_HUNDRED))
}

fn near_within(rounding: &str) -> Test {
    let (left, right) = ("expected".into(), "found".into());
    Test::Near { left, right, rounding: Some(rounding.into()), small: None }
}
