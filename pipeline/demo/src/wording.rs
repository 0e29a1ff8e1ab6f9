use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::invoice::plain;

/// The language of the parts of a document that a person reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    German,
}

/// The labels of an invoice in one language.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) title: &'static str,
    pub(crate) number: &'static str,
    pub(crate) issue_date: &'static str,
    pub(crate) due_date: &'static str,
    pub(crate) delivery_date: &'static str,
    pub(crate) order: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) preceding: &'static str,
    pub(crate) customer_vat: &'static str,
    pub(crate) vat_id: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) position: &'static str,
    pub(crate) order_line: &'static str,
    pub(crate) description: &'static str,
    pub(crate) quantity: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) unit_price: &'static str,
    pub(crate) vat_rate: &'static str,
    pub(crate) amount: &'static str,
    pub(crate) net_total: &'static str,
    pub(crate) vat: &'static str,
    pub(crate) total: &'static str,
    pub(crate) payment: &'static str,
    pub(crate) account_holder: &'static str,
    /// What the payer writes on the transfer.
    pub(crate) purpose: &'static str,
    pub(crate) intro: &'static str,
    pub(crate) page: &'static str,
    pub(crate) of: &'static str,
    pub(crate) register: &'static str,
    pub(crate) recipient: &'static str,
}

const ENGLISH: Words = Words {
    title: "Invoice",
    number: "Invoice number",
    issue_date: "Invoice date",
    due_date: "Due date",
    delivery_date: "Delivery date",
    order: "Order number",
    reference: "Your reference",
    preceding: "Corrects invoice",
    customer_vat: "Your VAT ID",
    vat_id: "VAT ID",
    currency: "Currency",
    position: "Pos.",
    order_line: "Order line",
    description: "Description",
    quantity: "Quantity",
    unit: "Unit",
    unit_price: "Unit price",
    vat_rate: "VAT",
    amount: "Amount",
    net_total: "Net total",
    vat: "VAT",
    total: "Total due",
    payment: "Payment details",
    account_holder: "Account holder",
    purpose: "Payment reference",
    intro: "Thank you for your order. We invoice the following goods and services:",
    page: "Page",
    of: "of",
    register: "Company no.",
    recipient: "Bill to",
};

const GERMAN: Words = Words {
    title: "Rechnung",
    number: "Rechnungsnummer",
    issue_date: "Rechnungsdatum",
    due_date: "Fällig am",
    delivery_date: "Lieferdatum",
    order: "Bestellnummer",
    reference: "Ihr Zeichen",
    preceding: "Zu Rechnung",
    customer_vat: "Ihre USt-IdNr.",
    vat_id: "USt-IdNr.",
    currency: "Währung",
    position: "Pos.",
    order_line: "Bestellposition",
    description: "Bezeichnung",
    quantity: "Menge",
    unit: "Einheit",
    unit_price: "Einzelpreis",
    vat_rate: "USt.",
    amount: "Betrag",
    net_total: "Nettobetrag",
    vat: "USt.",
    total: "Rechnungsbetrag",
    payment: "Zahlung",
    account_holder: "Kontoinhaber",
    purpose: "Verwendungszweck",
    intro: "Vielen Dank für Ihren Auftrag. Wir berechnen Ihnen folgende Lieferungen und Leistungen:",
    page: "Seite",
    of: "von",
    register: "Handelsregister",
    recipient: "Rechnung an",
};

impl Language {
    pub(crate) fn words(self, credit_note: bool) -> Words {
        match (self, credit_note) {
            (Language::English, false) => ENGLISH,
            (Language::German, false) => GERMAN,
            (Language::English, true) => Words {
                title: "Credit note",
                number: "Credit note number",
                issue_date: "Credit note date",
                total: "Total credit",
                intro: "We credit you with the following:",
                ..ENGLISH
            },
            (Language::German, true) => Words {
                title: "Gutschrift",
                number: "Gutschriftnummer",
                issue_date: "Gutschriftdatum",
                total: "Gutschriftbetrag",
                intro: "Wir schreiben Ihnen Folgendes gut:",
                ..GERMAN
            },
        }
    }

    /// A date as it is printed: `3 November 2026` or `03.11.2026`.
    pub(crate) fn date(self, date: Date) -> String {
        match self {
            Language::English => date.strftime("%-d %B %Y").to_string(),
            Language::German => date.strftime("%d.%m.%Y").to_string(),
        }
    }

    /// An amount as it is printed: `1,190.00` or `1.190,00`.
    pub(crate) fn money(self, amount: Decimal) -> String {
        self.grouped(&plain(amount))
    }

    /// A price keeps the decimals beyond the cents that it has.
    pub(crate) fn price(self, price: Decimal) -> String {
        if price.normalize().scale() <= 2 { self.money(price) } else { self.grouped(&price.normalize().to_string()) }
    }

    pub(crate) fn quantity(self, quantity: Decimal) -> String {
        self.grouped(&quantity.normalize().to_string())
    }

    /// The unit as it is printed; a code without a word of its own is printed as it is.
    pub(crate) fn unit(self, code: &str) -> &str {
        match (self, code) {
            (Language::English, "C62") => "pcs",
            (Language::German, "C62") => "Stk",
            (Language::English, "HUR") => "h",
            (Language::German, "HUR") => "Std",
            (_, "KGM") => "kg",
            (_, "MTR") => "m",
            (_, other) => other,
        }
    }

    pub(crate) fn terms(self, due: Date) -> String {
        match self {
            Language::English => format!("Payable by {} without deduction.", self.date(due)),
            Language::German => format!("Zahlbar bis {} ohne Abzug.", self.date(due)),
        }
    }

    fn grouped(self, plain: &str) -> String {
        let (group, point) = match self {
            Language::English => (',', '.'),
            Language::German => ('.', ','),
        };
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let mut text = String::new();
        for (idx, digit) in whole.chars().enumerate() {
            if idx != 0 && (whole.len() - idx).is_multiple_of(3) && !text.ends_with('-') {
                text.push(group);
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push(point);
            text.push_str(fraction);
        }
        text
    }
}
