//! Do the lines follow from quantity and price, and the totals from the lines?

use rust_decimal::Decimal;

use super::{Check, Examined, at_most, cents, compare, figure};
use crate::comparison::{Comparison, Place, Test};
use crate::invoice::{product, quotient, total};
use crate::policy::ToleranceKind;
use crate::{Code, Evidence, FieldName, Format, Line, LineField};

/// To whole units of a currency; nothing is rounded further.
const ROUNDING_MAX: Decimal = Decimal::ONE;
pub(super) const HALF_UNIT: Decimal = Decimal::from_parts(5, 0, 0, false, 1);

pub(super) fn not_negative(
    findings: &mut Examined,
    field: &str,
    amount: Decimal,
    place: Option<Place>,
    evidence: Option<&Evidence>,
) {
    let comparison = Comparison::new(Code::Sign, "check.sign", at_most("least", "found"))
        .with("least", 0)
        .from("found", amount, place);
    compare(findings, comparison, Some((field, evidence)), || format!("`{field}` is {amount}, less than nothing"));
}

impl Check<'_> {
    /// Peppol's R120: line net = quantity × (price / base quantity) + charges − allowances, within what was rounded.
    /// INVARIANT (fail closed): every line has an amount, so that the lines can be held against the totals.
    pub(super) fn lines(&self, findings: &mut Examined) {
        for (idx, line) in self.invoice.lines.iter().enumerate() {
            let field = crate::invoice::line_field(idx, LineField::NetAmount);
            if line.amount().is_none() && self.older() && line.unit_price.is_none() {
                continue;
            }
            let at = Some((field.as_str(), line.evidence.as_ref()));
            if line.amount().is_none() {
                let there = Test::There { value: LineField::NetAmount.name().into() };
                compare(findings, Comparison::new(Code::Missing, "BR-24", there), at, || {
                    let computed = line.quantity.is_some() && line.unit_price.is_some();
                    let why =
                        if computed { "one within range can be computed" } else { "price and quantity to compute it" };
                    format!("line {} has no amount, nor {why}", line.id)
                });
                continue;
            }
            let (Some(quantity), Some(price), Some(net)) = (line.quantity, line.unit_price, line.net_amount) else {
                continue;
            };
            let extra = line.charge.unwrap_or_default() - line.allowance.unwrap_or_default();
            let amount = line.printed_price().and_then(|price| product(price, quantity));
            let expected = amount.map(|amount| cents(amount) + extra);
            let test = Test::Near {
                left: "expected".into(),
                right: "found".into(),
                rounding: Some("rounding".into()),
                small: None,
            };
            let comparison = Comparison::new(Code::LineAmount, "PEPPOL-EN16931-R120", test)
                .with("expected", figure(expected))
                .from("found", net, self.line_place(idx, LineField::NetAmount))
                .with("rounding", figure(self.rounding(quantity, price, line.price_base, amount.map(|it| it + extra))));
            compare(findings, comparison, at, || match expected {
                Some(expected) => {
                    let price = line.printed_price().unwrap_or_default().normalize();
                    format!("line {}: {quantity} × {price} is {expected}, the line says {net}", line.id)
                }
                None => format!("line {}: the price times {quantity} is out of range", line.id),
            });
        }
    }

    /// What rounding can put between a line's amount and its price times its quantity. Machines, too, print prices that they
    /// rounded (20 × 2.77 is 55.46 in an example of the standard): half of the price's last decimal on each unit it is for is
    /// no fault of the line. A product that is no amount of money is rounded itself, this way or that. What is in whole cents
    /// leaves nothing to round, and of nothing there is not even a cent.
    fn rounding(
        &self,
        quantity: Decimal,
        price: Decimal,
        base: Option<Decimal>,
        amount: Option<Decimal>,
    ) -> Option<Decimal> {
        if quantity.is_zero() || price.is_zero() {
            return Some(Decimal::ZERO);
        }
        let base = base.filter(|base| !base.is_zero()).unwrap_or(Decimal::ONE).abs();
        let of_price = quotient(product(quantity.abs(), Decimal::new(5, price.scale().max(2) + 1))?, base)?;
        let amount = amount?;
        let least = match amount == cents(amount) {
            _ if self.whole_units() => HALF_UNIT,
            true => Decimal::ZERO,
            false => Decimal::new(1, 2),
        };
        Some(of_price.max(least))
    }

    /// A credit note's amounts are positive and an invoice's too: a negative total turns the one into the other, past the
    /// checks of what it really is.
    pub(super) fn signs(&self, findings: &mut Examined) {
        let totals = &self.invoice.totals;
        for (name, amount) in
            [(FieldName::NetTotal, totals.net_total), (FieldName::GrossTotal, totals.gross_total.or(totals.payable))]
        {
            let Some(amount) = amount else { continue };
            let (this, that) =
                if self.invoice.credit { ("a credit note", "an invoice") } else { ("an invoice", "a credit note") };
            let comparison = Comparison::new(Code::Sign, "check.sign", at_most("least", "found"))
                .with("least", 0)
                .from("found", amount, self.place(name));
            compare(findings, comparison, self.at(name), || {
                format!("`{}` of {this} is {amount}, which makes it {that}", name.name())
            });
        }
    }

    /// What is taken off and what is added cannot be less than nothing: a negative allowance is a charge that no check of
    /// charges sees, and money that was paid already and is less than nothing is money to be paid.
    pub(super) fn extras(&self, findings: &mut Examined) {
        let totals = &self.invoice.totals;
        for (name, amount) in [
            (FieldName::AllowanceTotal, totals.allowance_total),
            (FieldName::ChargeTotal, totals.charge_total),
            (FieldName::Prepaid, totals.prepaid),
            (FieldName::Withholding, totals.withholding),
            (FieldName::StampDuty, totals.stamp_duty),
        ] {
            let Some(amount) = amount else { continue };
            not_negative(findings, name.name(), amount, self.place(name), self.evidence(name));
        }
        let (name, max) = (FieldName::StampDuty, self.policy.taxes.stamp_duty_max);
        if let Some(duty) = totals.stamp_duty {
            let comparison = Comparison::new(Code::Arith, "check.stamp_duty_max", at_most("found", "most"))
                .from("found", duty, self.place(name))
                .from("most", max, Some(Place::Policy("tolerances.toml, taxes.stamp_duty_max".into())));
            compare(findings, comparison, self.at(name), || format!("`{}` is {duty}, {max} allowed", name.name()));
        }
        // A line that takes something back takes its allowances and charges back as well.
        let billing = |line: &&Line| line.quantity.is_none_or(|quantity| Decimal::ZERO <= quantity);
        for (idx, line) in self.invoice.lines.iter().enumerate().filter(|(_, line)| billing(line)) {
            for (name, amount) in [(LineField::Allowance, line.allowance), (LineField::Charge, line.charge)] {
                let Some(amount) = amount else { continue };
                let field = crate::invoice::line_field(idx, name);
                not_negative(findings, &field, amount, self.line_place(idx, name), line.evidence.as_ref());
            }
        }
        if let Some(amount) = totals.rounding {
            let near = Test::Near {
                left: "expected".into(),
                right: "found".into(),
                rounding: Some("rounding".into()),
                small: None,
            };
            let name = FieldName::Rounding;
            let comparison = Comparison::new(Code::Arith, "check.rounding", near)
                .with("expected", 0)
                .from("found", amount, self.place(name))
                .with("rounding", ROUNDING_MAX);
            compare(findings, comparison, self.at(name), || {
                format!("`{}` is {amount}, more than {ROUNDING_MAX}: that is no rounding", name.name())
            });
        }
    }

    pub(super) fn totals(&self, findings: &mut Examined) {
        let totals = &self.invoice.totals;
        let none = Decimal::ZERO;
        let amounts = self.invoice.lines.iter().map(Line::amount).collect::<Option<Vec<Decimal>>>();
        let line_sum = amounts.and_then(total).map(cents);
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

    pub(super) fn italian(&self) -> bool {
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
    pub(super) fn foots(
        &self,
        findings: &mut Examined,
        rule: Code,
        name: FieldName,
        expected: Decimal,
        found: Decimal,
        how: &str,
    ) {
        let exact = self.structured() || self.italian();
        let small = Some(Code::SmallDiff).filter(|_| !exact);
        let test = Test::Near { left: "expected".into(), right: "found".into(), rounding: None, small };
        let comparison = Comparison::new(if exact { rule } else { Code::Arith }, rule.name(), test)
            .with("expected", expected)
            .from("found", found, self.place(name));
        let comparison = if exact { comparison } else { comparison.limited(self.limit(ToleranceKind::SmallDiff)) };
        compare(findings, comparison, self.at(name), || format!("{how} {expected}, `{}` says {found}", name.name()));
    }
}
