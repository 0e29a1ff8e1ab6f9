use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::wording::Language;
use crate::{cii, factur_x, pdf, sheet, ubl};

/// One form an invoice can arrive in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// UBL 2.1 in the Peppol BIS Billing 3.0 customization.
    Ubl,
    /// CII D16B in the plain EN 16931 profile.
    Cii,
    /// A PDF for a person with the CII XML attached as `factur-x.xml`.
    FacturX,
    Pdf,
    Xlsx,
    Csv,
}

impl Format {
    /// The name a sender would give the file: seller, kind and number, without what a file system refuses.
    pub fn file_name(self, invoice: &Invoice) -> String {
        let extension = match self {
            Format::Ubl | Format::Cii => "xml",
            Format::FacturX | Format::Pdf => "pdf",
            Format::Xlsx => "xlsx",
            Format::Csv => "csv",
        };
        let kind = invoice.language.words(invoice.credit_note).title;
        let name = format!("{} {kind} {}", invoice.seller.name, invoice.number);
        let name: String =
            name.chars().map(|c| if "/\\:*?\"<>|".contains(c) || c.is_control() { '-' } else { c }).collect();
        format!("{name}.{extension}")
    }
}

/// The bytes of `invoice` in `format`: the same invoice gives the same bytes.
pub fn invoice(invoice: &Invoice, format: Format) -> Vec<u8> {
    match format {
        Format::Ubl => ubl::document(invoice).into_bytes(),
        Format::Cii => cii::document(invoice).into_bytes(),
        Format::FacturX => factur_x::document(invoice, invoice),
        Format::Pdf => pdf::document(invoice, None),
        Format::Xlsx => sheet::xlsx(invoice),
        Format::Csv => sheet::csv(invoice),
    }
}

/// An invoice or a credit note. Amounts of a credit note are positive, as in EN 16931.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoice {
    pub number: String,
    pub issue_date: Date,
    pub due_date: Date,
    pub delivery_date: Date,
    /// ISO 4217.
    pub currency: String,
    /// The buyer's order, BT-13.
    pub order_ref: Option<String>,
    /// Whom the buyer asked to be named, BT-10.
    pub buyer_ref: String,
    pub credit_note: bool,
    /// The invoice a credit note corrects, BT-25.
    pub preceding: Option<String>,
    pub seller: Party,
    pub buyer: Party,
    pub lines: Vec<Line>,
    /// The language of what a person sees; XML has none.
    pub language: Language,
    pub planted: Planted,
}

impl Invoice {
    /// An invoice in euro, delivered three days before `issue_date` and due thirty days after it, that names no order.
    pub fn new(number: impl Into<String>, issue_date: Date, seller: Party, buyer: Party, lines: Vec<Line>) -> Invoice {
        Invoice {
            number: number.into(),
            issue_date,
            due_date: issue_date.saturating_add(30.days()),
            delivery_date: issue_date.saturating_sub(3.days()),
            currency: "EUR".into(),
            order_ref: None,
            buyer_ref: "Purchasing".into(),
            credit_note: false,
            preceding: None,
            seller,
            buyer,
            lines,
            language: Language::English,
            planted: Planted::default(),
        }
    }

    /// The totals that the document states: computed from the lines, then bent by what is planted.
    pub fn totals(&self) -> Totals {
        let mut tax: Vec<Subtotal> = Vec::new();
        for line in &self.lines {
            match tax.iter_mut().find(|group| group.vat == line.vat) {
                Some(group) => group.taxable += line.net_amount(),
                None => tax.push(Subtotal { vat: line.vat, taxable: line.net_amount(), tax: Decimal::ZERO }),
            }
        }
        for group in &mut tax {
            group.tax = cents(group.taxable * group.vat.rate() / Decimal::ONE_HUNDRED);
        }
        if let (Some(planted), Some(group)) = (self.planted.tax_total, tax.first_mut()) {
            group.tax = planted;
        }
        let net_total = self.planted.net_total.unwrap_or_else(|| self.lines.iter().map(Line::net_amount).sum());
        let tax_total = tax.iter().map(|group| group.tax).sum();
        let gross_total = self.planted.gross_total.unwrap_or(net_total + tax_total);
        Totals { net_total, tax, tax_total, gross_total }
    }
}

/// Totals that replace the computed ones, to plant an error. What follows from a planted value follows from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Planted {
    /// The sum of the lines, BT-106, and with it the net total, BT-109.
    pub net_total: Option<Decimal>,
    /// The tax of the first rate, BT-117, and with it the tax total, BT-110.
    pub tax_total: Option<Decimal>,
    pub gross_total: Option<Decimal>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    pub net_total: Decimal,
    pub tax: Vec<Subtotal>,
    pub tax_total: Decimal,
    pub gross_total: Decimal,
}

/// What is taxed at one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subtotal {
    pub vat: Vat,
    pub taxable: Decimal,
    pub tax: Decimal,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The line of the buyer's order, BT-132.
    pub order_line: Option<String>,
    pub name: String,
    pub quantity: Decimal,
    /// UN/ECE recommendation 20, for example `C62` piece, `HUR` hour, `KGM` kilogram.
    pub unit: String,
    pub unit_price: Decimal,
    pub vat: Vat,
    /// Replaces quantity × price, to plant an error.
    pub net: Option<Decimal>,
}

impl Line {
    pub fn net_amount(&self) -> Decimal {
        self.net.unwrap_or_else(|| cents(self.quantity * self.unit_price))
    }
}

/// How a line is taxed, BT-151 and BT-152.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vat {
    /// Percent.
    Standard(Decimal),
    /// Goods from another country of the European Union: the buyer declares the tax.
    IntraCommunity,
    /// A seller outside the reach of the tax.
    OutsideScope,
}

impl Vat {
    pub fn rate(self) -> Decimal {
        match self {
            Vat::Standard(rate) => rate,
            Vat::IntraCommunity | Vat::OutsideScope => Decimal::ZERO,
        }
    }

    /// The category code of UNTDID 5305.
    pub(crate) fn category(self) -> &'static str {
        match self {
            Vat::Standard(_) => "S",
            Vat::IntraCommunity => "K",
            Vat::OutsideScope => "O",
        }
    }

    /// The rate as XML states it: category O has none (BR-O-05).
    pub(crate) fn stated_rate(self) -> Option<String> {
        match self {
            Vat::OutsideScope => None,
            Vat::Standard(_) | Vat::IntraCommunity => Some(self.rate().normalize().to_string()),
        }
    }

    /// Code and words of the exemption, BT-121 and BT-120.
    pub(crate) fn exemption(self) -> Option<(&'static str, &'static str)> {
        match self {
            Vat::Standard(_) => None,
            Vat::IntraCommunity => Some(("VATEX-EU-IC", "Intra-Community supply")),
            Vat::OutsideScope => Some(("VATEX-EU-O", "Not subject to VAT")),
        }
    }
}

/// A company as it stands on a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    pub name: String,
    pub street: String,
    pub postcode: String,
    pub city: String,
    /// ISO 3166-1, two letters.
    pub country: String,
    pub vat_id: Option<String>,
    /// The number in the register of companies.
    pub register: Option<String>,
    /// IBAN, or the plain account number where there are none.
    pub account: Option<String>,
    pub bic: Option<String>,
    pub contact: String,
    pub phone: String,
    pub email: String,
}

impl Party {
    /// Where the Peppol network finds it: the scheme of the address and the address. Elsewhere companies go by their VAT
    /// number, in the United States by a number of the tax office.
    pub(crate) fn network_address(&self) -> (&'static str, String) {
        let scheme = match self.country.as_str() {
            "AT" => "9914",
            "DE" => "9930",
            "FR" => "9957",
            "NL" => "9944",
            _ => "9959",
        };
        let digits = || self.register.iter().flat_map(|it| it.chars()).filter(char::is_ascii_digit).collect();
        (scheme, self.vat_id.clone().unwrap_or_else(digits))
    }

    /// The scheme of `register` in ISO 6523, where the country has one that EN 16931 wants.
    pub(crate) fn register_scheme(&self) -> Option<&'static str> {
        match self.country.as_str() {
            "FR" => Some("0002"),
            "NL" => Some("0106"),
            _ => None,
        }
    }

    /// Countries with IBAN; elsewhere `account` is a plain number.
    pub(crate) fn banks_by_iban(&self) -> bool {
        self.country != "US"
    }
}

/// Rounds to cents, half away from zero, as invoices do.
pub(crate) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// An amount with a point and two decimals, `1190.00`.
pub(crate) fn plain(amount: Decimal) -> String {
    format!("{:.2}", cents(amount))
}
