//! An invoice or credit note as an accountant reads it: the reader's texts turned into typed values, once.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::{Code, Digest, Evidence, Extraction, Field, FieldName, Finding, Kind, LineField, VatField, Vendor, fapiao};

/// Ten million million: no invoice is larger, and 10,000 such lines still add up.
pub const AMOUNT_MAX: Decimal = Decimal::from_parts(1_316_134_912, 2328, 0, false, 0);
pub const DECIMALS_MAX: u32 = 12;
/// The product of two amounts of [`AMOUNT_MAX`].
const PRODUCT_MAX: Decimal = Decimal::from_parts(0xE400_0000, 0xDCC8_0CD2, 0x0052_B7D2, false, 0);
/// What rounding to cents can change.
const HALF_CENT: Decimal = Decimal::from_parts(5, 0, 0, false, 3);

/// Typed values of an invoice or credit note. What was not found is `None`; what could not be understood is `None`
/// and a finding. Amounts are in the document's currency; a credit note's amounts are positive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Invoice {
    pub credit: bool,
    pub number: Option<String>,
    pub issue_date: Option<Date>,
    pub due_date: Option<Date>,
    pub currency: Option<String>,
    /// The first and the last day of what was delivered: BT-73 and BT-74, else BT-72.
    pub served_from: Option<Date>,
    pub served_to: Option<Date>,
    pub order_ref: Option<String>,
    pub contract_ref: Option<String>,
    /// What the buyer asked to be named: BT-10.
    pub cost_centre: Option<String>,
    /// The invoice that a credit note names: BT-25.
    pub preceding: Option<String>,
    /// A debit note, which changes the value of what was billed before: type code 383 (UNTDID 1001).
    pub debit_note: bool,
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
    /// What one unit costs: the printed price by its base. Where the line's amount says otherwise by more than half a cent, the
    /// amount by the quantity, because the amount is what is paid.
    pub fn price_of_one(&self) -> Option<Decimal> {
        let printed = self.printed_price();
        let (Some(net), Some(quantity)) = (self.net_amount, self.quantity) else { return printed };
        let agrees =
            |price: &Decimal| product(*price, quantity).is_some_and(|amount| (amount - net).abs() <= HALF_CENT);
        printed.filter(agrees).or_else(|| quotient(net, quantity))
    }

    /// The line's amount, or else the printed price times the quantity. `None` beyond [`AMOUNT_MAX`], so that as many lines
    /// as a document has add up.
    pub(crate) fn amount(&self) -> Option<Decimal> {
        let computed = || product(self.printed_price()?, self.quantity?);
        self.net_amount.or_else(computed).filter(|amount| amount.abs() <= AMOUNT_MAX)
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
            served_from: None,
            served_to: None,
            order_ref: read.text(FieldName::OrderRef),
            contract_ref: read.text(FieldName::ContractRef),
            cost_centre: read.text(FieldName::BuyerRef),
            preceding: read.text(FieldName::PrecedingInvoice),
            debit_note: read.text(FieldName::TypeCode).as_deref() == Some("383"),
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
        let delivered = read.date(FieldName::DeliveryDate);
        invoice.served_from = read.date(FieldName::PeriodFrom).or(delivered);
        invoice.served_to = read.date(FieldName::PeriodTo).or(delivered).or(invoice.served_from);
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

    /// The orders that the document or one of its lines names, each once.
    pub fn orders(&self) -> Vec<&str> {
        let lines = self.lines.iter().filter_map(|line| line.order_ref.as_deref());
        let mut orders: Vec<&str> = self.order_ref.as_deref().into_iter().chain(lines).collect();
        orders.sort_unstable();
        orders.dedup();
        orders
    }

    /// The total with VAT, or what is to be paid where only that is shown.
    pub fn gross(&self) -> Option<Decimal> {
        self.totals.gross_total.or(self.totals.payable)
    }

    /// The last day of what was delivered, or else the day of the document.
    pub fn served_on(&self) -> Option<Date> {
        self.served_to.or(self.issue_date)
    }

    /// The day whose agreed prices count: that of the delivery, but none after the document, which nobody has delivered yet.
    pub fn priced_on(&self) -> Option<Date> {
        let served = self.served_on()?;
        Some(self.issue_date.map_or(served, |issued| served.min(issued)))
    }

    /// The seller by the surest id that is known of it; duplicates are compared within it. Empty where nothing is.
    pub fn cluster(&self, vendor: Option<&Vendor>) -> String {
        let vat = self.seller_vat_id.clone().or(vendor.and_then(|it| it.vat_id.as_deref()).map(compact));
        let tax = || self.seller_tax_id.clone().or(vendor.and_then(|it| it.tax_id.as_deref()).map(compact));
        let vendor = || vendor.map(|it| format!("vendor:{}", it.vendor_id.trim().to_uppercase()));
        vat.or_else(tax).or_else(vendor).or_else(|| self.seller_name.as_deref().map(folded)).unwrap_or_default()
    }

    /// What two readings of one paper share, whatever was read for its number: day, currency, total and the figures of its
    /// lines. `None` for a document of one line, whose figures say too little.
    pub fn fingerprint(&self) -> Option<String> {
        if self.lines.len() < 2 {
            return None;
        }
        let figure = |it: Option<Decimal>| it.map(|it| it.normalize().to_string()).unwrap_or_default();
        let mut lines: Vec<String> = (self.lines.iter())
            .map(|line| format!("{}*{}={}", figure(line.quantity), figure(line.unit_price), figure(line.amount())))
            .collect();
        lines.sort_unstable();
        let (date, currency, gross) = (self.issue_date?, self.currency.as_ref()?, figure(Some(self.gross()?)));
        let text = format!("{}|{date}|{currency}|{gross}|{}", self.credit, lines.join("|"));
        Some(Digest::of(text.as_bytes()).to_string())
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

/// `None` where it is out of range.
pub(crate) fn total(amounts: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    amounts.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)
}

/// Adds to a sum. False beyond [`PRODUCT_MAX`]: the sum is as it was, and whoever asks must not take it for the whole.
#[must_use]
pub(crate) fn add(sum: &mut Decimal, more: Decimal) -> bool {
    let together = sum.checked_add(more).filter(|it| it.abs() <= PRODUCT_MAX);
    *sum = together.unwrap_or(*sum);
    together.is_some()
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
