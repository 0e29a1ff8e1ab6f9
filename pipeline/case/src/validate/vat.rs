//! Does the VAT follow from its bases and rates?

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::{Decimal, RoundingStrategy};

use super::arithmetic::{HALF_UNIT, not_negative};
use super::{Check, Examined, at_most, cents, compare, figure};
use crate::comparison::{Comparison, Place, Test};
use crate::invoice::{line_field, product, quotient, total};
use crate::policy::ToleranceKind;
use crate::{Code, Evidence, FieldName, Line, LineField, VatField, VatGroup};

/// What rounding to cents can change.
const HALF_CENT: Decimal = Decimal::from_parts(5, 0, 0, false, 3);

impl Check<'_> {
    pub(super) fn vat(&self, findings: &mut Examined) {
        self.rates(findings);
        let groups = &self.invoice.vat;
        let totals = &self.invoice.totals;
        let sum = groups.iter().map(|group| group.tax).sum::<Option<Decimal>>().filter(|_| !groups.is_empty());
        if let (Some(sum), Some(total)) = (sum, totals.tax_total) {
            self.foots(findings, Code::BrCo14, FieldName::TaxTotal, sum, total, "the VAT groups add up to");
        }
        let stated: Vec<VatGroup> = groups.iter().map(|group| self.stated(group)).collect();
        let mut checked = !groups.is_empty();
        for group in &stated {
            match (group.rate, group.taxable, group.tax) {
                (Some(rate), Some(taxable), Some(tax)) => self.tax(findings, rate, taxable, tax),
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
        let base = stated.iter().map(|group| group.taxable).sum::<Option<Decimal>>().filter(|_| !groups.is_empty());
        if let (Some(base), Some(net)) = (base, totals.net_total) {
            let comparison = self.tolerated("check.tax_base");
            let comparison = comparison.from("expected", net, self.place(FieldName::NetTotal)).with("found", base);
            compare(findings, comparison, self.at(FieldName::TaxTotal), || {
                format!("VAT is computed on {base}, the total without VAT is {net}")
            });
        }
        self.bases_by_lines(findings, &stated);
        if let Some(tax) = totals.tax_total.filter(|tax| !checked && !tax.is_zero()) {
            self.tax_by_lines(findings, tax);
        }
    }

    /// What one group alone does not say of itself, the totals say. INVARIANT (fail closed): a group without tax is one of no
    /// rate and no base where it says none, so that it switches no comparison of the others off.
    fn stated(&self, group: &VatGroup) -> VatGroup {
        let totals = &self.invoice.totals;
        let alone = self.invoice.vat.len() == 1;
        let tax = group.tax.or(totals.tax_total.filter(|_| alone));
        let none = tax.filter(Decimal::is_zero);
        let taxable = group.taxable.or(totals.net_total.filter(|_| alone)).or(none);
        VatGroup { rate: group.rate.or(none), taxable, tax, ..group.clone() }
    }

    /// Each rate that the document states, once: VAT that adds up may be made up all the same.
    fn rates(&self, findings: &mut Examined) {
        let groups = self.invoice.vat.iter().zip(&self.extraction.fields.vat_breakdown);
        let groups = groups.filter_map(|(group, fields)| {
            Some((group.rate?, FieldName::TaxTotal.name().to_owned(), fields.get(&VatField::Rate)))
        });
        let lines = self.invoice.lines.iter().zip(&self.extraction.lines).enumerate();
        let lines = lines.filter_map(|(idx, (line, fields))| {
            Some((line.vat_rate?, line_field(idx, LineField::VatRate), fields.get(&LineField::VatRate)))
        });
        let mut known = BTreeSet::new();
        for (rate, name, field) in groups.chain(lines) {
            if known.insert(rate.normalize()) {
                let at = (name.as_str(), field.map(|field| &field.evidence));
                self.rate_within(findings, &rate.normalize().to_string(), at);
            }
        }
    }

    fn rate_within(&self, findings: &mut Examined, rate: &str, at: (&str, Option<&Evidence>)) {
        let max = self.policy.taxes.rate_percent_max;
        let comparison = Comparison::new(Code::Tax, "check.tax_rate_max", at_most("rate", "most"))
            .from("rate", rate, at.1.cloned().map(Place::Document))
            .from("most", max, Some(Place::Policy("tolerances.toml, taxes.rate_percent_max".into())));
        compare(findings, comparison, Some(at), || format!("VAT of {rate} % is charged, {max} % allowed"));
    }

    /// The lowest rate, in percent, of which this tax of the whole may be the rounded amount.
    fn least_rate(&self, tax: Decimal) -> Option<Decimal> {
        let rounding = if self.whole_units() { HALF_UNIT } else { HALF_CENT };
        let rate = quotient(product(tax.abs() - rounding, Decimal::ONE_HUNDRED)?, self.invoice.totals.net_total?.abs());
        rate.map(|rate| rate.round_dp_with_strategy(4, RoundingStrategy::AwayFromZero))
    }

    /// The lines of a rate make the base of that rate: otherwise what is ordered at one rate is taxed at another, and all
    /// sums are right. Where the reader has checked a document by the published rules, BR-S-08 and its like say so.
    fn bases_by_lines(&self, findings: &mut Examined, groups: &[VatGroup]) {
        let stated = groups.iter().map(|group| (group.rate, group.taxable));
        let (silent, rated): (Vec<&Line>, Vec<&Line>) =
            self.invoice.lines.iter().partition(|line| line.vat_rate.is_none());
        let lines = by_rate(rated.into_iter().map(|line| (line.vat_rate, line.amount())));
        let silent = silent.into_iter().map(Line::amount).collect::<Option<Vec<_>>>();
        let (Some(lines), Some(silent), Some(stated)) = (lines, silent, by_rate(stated)) else { return };
        if self.extraction.profile.is_some() || lines.is_empty() || stated.is_empty() {
            return;
        }
        let excused = figure(self.excused(&lines, &silent));
        let known: BTreeSet<&Decimal> = lines.keys().chain(stated.keys()).collect();
        for rate in known {
            let of = |bases: &BTreeMap<Decimal, Decimal>| bases.get(rate).copied().unwrap_or_default();
            let (expected, found) = (of(&lines), of(&stated));
            let comparison = self.tolerated("check.tax_base_of_rate").with("rate", rate).with("expected", expected);
            let comparison = comparison.from("found", found, self.place(FieldName::TaxTotal));
            let comparison = comparison.with("rounding", &excused);
            compare(findings, comparison, self.at(FieldName::TaxTotal), || {
                format!("the lines at {rate} % add up to {expected}, VAT of this rate is computed on {found}")
            });
        }
    }

    /// By how much the base of a rate may differ from the lines of that rate: by what the document takes off or adds as a whole,
    /// and by lines without a rate, which may be of any. That the lines are not the total is said already; asked is only how it
    /// is shared out.
    fn excused(&self, lines: &BTreeMap<Decimal, Decimal>, silent: &[Decimal]) -> Option<Decimal> {
        let totals = &self.invoice.totals;
        let lines = total(lines.values().chain(silent).copied())?;
        let apart = totals.net_total.map_or(Decimal::ZERO, |net| (lines - net).abs());
        let extras = [totals.allowance_total, totals.charge_total].into_iter().flatten();
        let unplaced = total(extras.chain(silent.iter().copied()).map(|amount| amount.abs()))?;
        let rounding = if self.whole_units() { HALF_UNIT } else { Decimal::ZERO };
        Some(rounding.max(apart).max(unplaced))
    }

    /// What the lines of each rate add up to; `None` where one does not say its rate or its amount.
    fn lines_by_rate(&self) -> Option<BTreeMap<Decimal, Decimal>> {
        by_rate(self.invoice.lines.iter().map(|line| (line.vat_rate, Line::amount(line))))
    }

    /// Has the document no allowances and charges as a whole? They belong to no rate that is known.
    fn plain(&self) -> bool {
        let totals = &self.invoice.totals;
        [totals.allowance_total, totals.charge_total].into_iter().flatten().all(|amount| amount.is_zero())
    }

    /// Without a usable breakdown the rates of the lines must explain the VAT. INVARIANT (fail closed): VAT whose rate was
    /// not read goes to a person.
    fn tax_by_lines(&self, findings: &mut Examined, tax: Decimal) {
        let totals = &self.invoice.totals;
        let bases = self.lines_by_rate().unwrap_or_default();
        match (bases.iter().next(), totals.net_total) {
            (Some((rate, _)), Some(net)) if bases.len() == 1 => self.tax(findings, *rate, net, tax),
            (Some(_), _) if self.plain() => {
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
            _ if self.profile_is(&["factur-x-minimum", "factur-x-basicwl"]) => {
                let at = (FieldName::TaxTotal.name(), self.evidence(FieldName::TaxTotal));
                self.rate_within(findings, &figure(self.least_rate(tax)), at);
            }
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
    fn tax(&self, findings: &mut Examined, rate: Decimal, taxable: Decimal, tax: Decimal) {
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
        let rounding = if self.whole_units() { HALF_UNIT } else { Decimal::ZERO };
        let comparison = Comparison::new(Code::Tax, rule, near_within("rounding")).with("rounding", rounding);
        comparison.limited(self.limit(ToleranceKind::Tax))
    }
}

fn by_rate(amounts: impl Iterator<Item = (Option<Decimal>, Option<Decimal>)>) -> Option<BTreeMap<Decimal, Decimal>> {
    let mut sums: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for (rate, amount) in amounts {
        let whole = crate::invoice::add(sums.entry(rate?.normalize()).or_default(), amount?);
        whole.then_some(())?;
    }
    Some(sums)
}

fn tax_of(rate: Decimal, taxable: Decimal) -> Option<Decimal> {
    product(taxable, rate).map(|hundredfold| cents(hundredfold / Decimal::ONE_HUNDRED))
}

fn near_within(rounding: &str) -> Test {
    let (left, right) = ("expected".into(), "found".into());
    Test::Near { left, right, rounding: Some(rounding.into()), small: None }
}
