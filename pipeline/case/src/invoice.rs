//! An invoice or credit note as an accountant reads it: the reader's texts turned into typed values, once.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::{Code, Evidence, Extraction, Field, FieldName, Finding, Kind, LineField, VatField, fapiao};

/// Ten million million: no invoice is larger, and 10,000 such lines still add up.
pub const AMOUNT_MAX: Decimal = Decimal::from_parts(1_316_134_912, 2328, 0, false, 0);
pub const DECIMALS_MAX: u32 = 12;
/// The product of two amounts of [`AMOUNT_MAX`].
const PRODUCT_MAX: Decimal = Decimal::from_parts(0xE400_0000, 0xDCC8_0CD2, 0x0052_B7D2, false, 0);
const CENT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// Typed values of an invoice or credit note. What was not found is `None`; what could not be understood is `None`
/// and a finding. Amounts are in the document's currency; a credit note's amounts are positive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Invoice {
    pub credit: bool,
    pub number: Option<String>,
    pub issue_date: Option<Date>,
    pub due_date: Option<Date>,
    pub currency: Option<String>,
    pub order_ref: Option<String>,
    pub seller_name: Option<String>,
    pub seller_vat_id: Option<String>,
    pub seller_tax_id: Option<String>,
    pub buyer_name: Option<String>,
    pub buyer_vat_id: Option<String>,
    pub iban: Option<String>,
    pub totals: Totals,
    pub vat: Vec<VatGroup>,
    pub lines: Vec<Line>,
}

/// EN 16931, BG-22.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub line_total: Option<Decimal>,
    pub allowance_total: Option<Decimal>,
    pub charge_total: Option<Decimal>,
    pub net_total: Option<Decimal>,
    pub tax_total: Option<Decimal>,
    pub gross_total: Option<Decimal>,
    pub prepaid: Option<Decimal>,
    /// Tax that the buyer pays for the seller.
    pub withholding: Option<Decimal>,
    pub stamp_duty: Option<Decimal>,
    pub rounding: Option<Decimal>,
    pub payable: Option<Decimal>,
}

/// EN 16931, BG-23. `rate` is in percent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VatGroup {
    pub category: Option<String>,
    pub rate: Option<Decimal>,
    pub taxable: Option<Decimal>,
    pub tax: Option<Decimal>,
}

/// EN 16931, BG-25. `unit_price` is for `price_base` units, 1 unless the line says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The line's own number, or its position counted from 1.
    pub id: String,
    pub name: Option<String>,
    pub item: Option<String>,
    pub quantity: Option<Decimal>,
    pub unit: Option<String>,
    pub unit_price: Option<Decimal>,
    pub price_base: Option<Decimal>,
    pub net_amount: Option<Decimal>,
    pub allowance: Option<Decimal>,
    pub charge: Option<Decimal>,
    pub vat_rate: Option<Decimal>,
    pub tax: Option<Decimal>,
    pub order_ref: Option<String>,
    pub order_line: Option<String>,
    /// Where the line's price, amount or name stands.
    pub evidence: Option<Evidence>,
}

impl Line {
    /// What one unit costs: the printed price by its base. Where the line's amount says otherwise by more than a cent, the
    /// amount by the quantity, because the amount is what is paid.
    pub fn price_of_one(&self) -> Option<Decimal> {
        let printed = self.printed_price();
        let (Some(net), Some(quantity)) = (self.net_amount, self.quantity) else { return printed };
        let agrees = |price: &Decimal| product(*price, quantity).is_some_and(|amount| (amount - net).abs() <= CENT);
        printed.filter(agrees).or_else(|| quotient(net, quantity))
    }

    /// The line's amount, or else the printed price times the quantity.
    pub(crate) fn amount(&self) -> Option<Decimal> {
        let computed = || product(self.printed_price()?, self.quantity?);
        self.net_amount.or_else(computed)
    }

    pub(crate) fn printed_price(&self) -> Option<Decimal> {
        let base = self.price_base.filter(|base| !base.is_zero()).unwrap_or(Decimal::ONE);
        quotient(self.unit_price?, base)
    }
}

impl Invoice {
    /// Reads the values of an extraction; each text that is there and makes no sense becomes a finding.
    pub fn of(extraction: &Extraction) -> (Invoice, Vec<Finding>) {
        let mut read = Reading { fields: &extraction.fields.single, findings: Vec::new() };
        let totals = Totals {
            line_total: read.amount(FieldName::LineTotal),
            allowance_total: read.amount(FieldName::AllowanceTotal),
            charge_total: read.amount(FieldName::ChargeTotal),
            net_total: read.amount(FieldName::NetTotal),
            tax_total: read.amount(FieldName::TaxTotal),
            gross_total: read.amount(FieldName::GrossTotal),
            prepaid: read.amount(FieldName::Prepaid),
            withholding: read.amount(FieldName::Withholding),
            stamp_duty: read.amount(FieldName::StampDuty),
            rounding: read.amount(FieldName::Rounding),
            payable: read.amount(FieldName::Payable),
        };
        let mut invoice = Invoice {
            credit: extraction.kind == Kind::CreditNote,
            number: read.text(FieldName::Number),
            issue_date: read.date(FieldName::IssueDate),
            due_date: read.date(FieldName::DueDate),
            currency: read.currency(),
            order_ref: read.text(FieldName::OrderRef),
            seller_name: read.text(FieldName::SellerName),
            seller_vat_id: read.text(FieldName::SellerVatId).map(|id| compact(&id)),
            seller_tax_id: read.text(FieldName::SellerTaxId).map(|id| compact(&id)),
            buyer_name: read.text(FieldName::BuyerName),
            buyer_vat_id: read.text(FieldName::BuyerVatId).map(|id| compact(&id)),
            iban: read.text(FieldName::Iban).map(|iban| compact(&iban)),
            totals,
            vat: extraction.fields.vat_breakdown.iter().map(|group| read.vat_group(group)).collect(),
            lines: extraction.lines.iter().enumerate().map(|(idx, line)| read.line(idx, line)).collect(),
        };
        if fapiao::reversed(extraction) {
            invoice.turn();
        }
        (invoice, read.findings)
    }

    /// Changes the sign of all amounts and quantities.
    fn turn(&mut self) {
        let totals = &mut self.totals;
        let header = [
            &mut totals.line_total,
            &mut totals.allowance_total,
            &mut totals.charge_total,
            &mut totals.net_total,
            &mut totals.tax_total,
            &mut totals.gross_total,
            &mut totals.prepaid,
            &mut totals.withholding,
            &mut totals.stamp_duty,
            &mut totals.rounding,
            &mut totals.payable,
        ];
        let lines = self.lines.iter_mut().flat_map(|line| {
            [&mut line.quantity, &mut line.net_amount, &mut line.allowance, &mut line.charge, &mut line.tax]
        });
        let groups = self.vat.iter_mut().flat_map(|group| [&mut group.taxable, &mut group.tax]);
        for amount in header.into_iter().chain(lines).chain(groups).flatten() {
            *amount = -*amount;
        }
    }

    /// The VAT rate of the whole document, where it has only one.
    pub(crate) fn only_rate(&self) -> Option<Decimal> {
        let mut rates = self.vat.iter().map(|group| group.rate);
        rates.next().flatten().filter(|first| rates.all(|rate| rate == Some(*first)))
    }

    /// What the twin of this invoice would share with it (key D2): the vendor by VAT id, tax id or name, and the exact
    /// number, gross amount, currency and date. `None` while one of them is missing: such a case is held for that.
    /// Credit notes have a key space of their own.
    pub fn duplicate_key(&self) -> Option<String> {
        let vendor = (self.seller_vat_id.as_ref().or(self.seller_tax_id.as_ref()).cloned())
            .or_else(|| self.seller_name.as_deref().map(folded))?;
        let gross = self.totals.gross_total.or(self.totals.payable)?.normalize();
        let number = self.number.as_ref()?.trim().to_lowercase();
        let space = if self.credit { "credit" } else { "invoice" };
        Some(format!("{space}|{vendor}|{number}|{gross}|{}|{}", self.currency.as_ref()?, self.issue_date?))
    }
}

struct Reading<'a> {
    fields: &'a BTreeMap<FieldName, Field>,
    findings: Vec<Finding>,
}

impl Reading<'_> {
    fn text(&self, name: FieldName) -> Option<String> {
        self.fields.get(&name).map(|field| field.value.trim().to_owned())
    }

    fn amount(&mut self, name: FieldName) -> Option<Decimal> {
        let field = self.fields.get(&name)?;
        self.number(name.name(), field)
    }

    fn date(&mut self, name: FieldName) -> Option<Date> {
        let field = self.fields.get(&name)?;
        self.parsed(name.name(), field, "a date")
    }

    fn currency(&mut self) -> Option<String> {
        let field = self.fields.get(&FieldName::Currency)?;
        let code = field.value.trim();
        if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Some(code.to_owned());
        }
        self.refuse("currency", field, "a currency of ISO 4217");
        None
    }

    fn vat_group(&mut self, group: &BTreeMap<VatField, Field>) -> VatGroup {
        let mut number = |name: VatField| group.get(&name).and_then(|field| self.number(name.name(), field));
        VatGroup {
            rate: number(VatField::Rate),
            taxable: number(VatField::Taxable),
            tax: number(VatField::Tax),
            category: group.get(&VatField::Category).map(|field| field.value.clone()),
        }
    }

    fn line(&mut self, idx: usize, line: &BTreeMap<LineField, Field>) -> Line {
        let text = |name: LineField| line.get(&name).map(|field| field.value.trim().to_owned());
        let mut number = |name: LineField| line.get(&name).and_then(|field| self.number(&line_field(idx, name), field));
        Line {
            quantity: number(LineField::Quantity),
            unit_price: number(LineField::UnitPrice),
            price_base: number(LineField::PriceBase),
            net_amount: number(LineField::NetAmount),
            allowance: number(LineField::Allowance),
            charge: number(LineField::Charge),
            vat_rate: number(LineField::VatRate),
            tax: number(LineField::Tax),
            id: text(LineField::Id).unwrap_or_else(|| (idx + 1).to_string()),
            name: text(LineField::Name),
            item: text(LineField::Item),
            unit: text(LineField::Unit),
            order_ref: text(LineField::OrderRef),
            order_line: text(LineField::OrderLine),
            evidence: [LineField::UnitPrice, LineField::NetAmount, LineField::Quantity, LineField::Name]
                .into_iter()
                .find_map(|name| line.get(&name).map(|field| field.evidence.clone())),
        }
    }

    /// INVARIANT (figures stay in range): within these limits, and with [`product`] and [`quotient`] for what is computed
    /// from them, no sum overflows a `Decimal`, which would end the program.
    fn number(&mut self, name: &str, field: &Field) -> Option<Decimal> {
        let number: Decimal = self.parsed(name, field, "an amount")?;
        if AMOUNT_MAX < number.abs() || DECIMALS_MAX < number.scale() {
            self.refuse(
                name,
                field,
                &format!("an amount of at most {AMOUNT_MAX} with at most {DECIMALS_MAX} decimals"),
            );
            return None;
        }
        Some(number)
    }

    fn parsed<T: FromStr>(&mut self, name: &str, field: &Field, what: &str) -> Option<T> {
        let parsed = field.value.trim().parse().ok();
        if parsed.is_none() {
            self.refuse(name, field, what);
        }
        parsed
    }

    fn refuse(&mut self, name: &str, field: &Field, what: &str) {
        let finding = Finding::new(Code::Unreadable, "read.value", format!("`{name}` is not {what}"));
        self.findings.push(finding.with("value", &field.value).at(name, Some(&field.evidence)));
    }
}

/// `None` beyond what two amounts of [`AMOUNT_MAX`] can give: no such figure stands in an honest document.
pub(crate) fn product(left: Decimal, right: Decimal) -> Option<Decimal> {
    left.checked_mul(right).filter(|product| product.abs() <= PRODUCT_MAX)
}

/// `None` for a division by zero, and beyond [`PRODUCT_MAX`].
pub(crate) fn quotient(left: Decimal, right: Decimal) -> Option<Decimal> {
    left.checked_div(right).filter(|quotient| quotient.abs() <= PRODUCT_MAX)
}

/// The name of a line's field, lines counted from 1: `lines.2.unit_price`.
pub(crate) fn line_field(idx: usize, name: LineField) -> String {
    format!("lines.{}.{}", idx + 1, name.name())
}

/// Identifiers are compared without spaces, dots and dashes, in upper case.
pub(crate) fn compact(text: &str) -> String {
    text.chars().filter(|ch| ch.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Names are compared without case, punctuation and runs of spaces.
pub(crate) fn folded(text: &str) -> String {
    let letters: String = text.chars().map(|ch| if ch.is_alphanumeric() { ch } else { ' ' }).collect();
    letters.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}
