use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::invoice::{Line, Party, Vat};

/// A row of the vendor master.
#[derive(Debug, Clone)]
pub(crate) struct Vendor {
    pub(crate) id: String,
    pub(crate) party: Party,
}

#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) vendor_id: String,
    pub(crate) currency: String,
    /// The day of the goods receipt, where there is one.
    pub(crate) received_on: Date,
    pub(crate) lines: Vec<OrderLine>,
}

#[derive(Debug, Clone)]
pub(crate) struct OrderLine {
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) quantity: Decimal,
    pub(crate) unit: String,
    pub(crate) unit_price: Decimal,
    pub(crate) vat: Vat,
    /// Zero: nothing came, and there is no receipt.
    pub(crate) received: Decimal,
}

impl Order {
    /// The order that `lines` fulfil to the cent, all of it received.
    pub(crate) fn fulfilled_by(lines: &[Line], id: String, vendor_id: String, received_on: Date) -> Order {
        let lines = lines.iter().enumerate().map(|(line_idx, line)| OrderLine {
            number: line.order_line.clone().unwrap_or_else(|| (line_idx + 1).to_string()),
            name: line.name.clone(),
            quantity: line.quantity,
            unit: line.unit.clone(),
            unit_price: line.unit_price,
            vat: line.vat,
            received: line.quantity,
        });
        Order { id, vendor_id, currency: "EUR".into(), received_on, lines: lines.collect() }
    }
}

pub(crate) fn vendors_csv(vendors: impl IntoIterator<Item = Vendor>, valid_from: Date) -> String {
    let header = ["vendor_id", "name", "vat_id", "country", "iban", "bic", "valid_from"];
    let rows = vendors.into_iter().map(|Vendor { id, party }| {
        let iban = if party.banks_by_iban() { party.account.unwrap_or_default() } else { String::new() };
        let bic = party.bic.unwrap_or_default();
        [id, party.name, party.vat_id.unwrap_or_default(), party.country, iban, bic, valid_from.to_string()]
    });
    csv_of(header, rows)
}

/// Hours are services and matched two ways, all else is goods and matched three ways.
pub(crate) fn orders_csv(orders: impl IntoIterator<Item = Order>) -> String {
    let header = [
        "order_id",
        "vendor_id",
        "currency",
        "line",
        "quantity",
        "unit",
        "unit_price",
        "description",
        "tax_rate",
        "match",
    ];
    let rows = orders.into_iter().flat_map(|order| {
        order.lines.into_iter().map(move |line| {
            [
                order.id.clone(),
                order.vendor_id.clone(),
                order.currency.clone(),
                line.number,
                line.quantity.normalize().to_string(),
                line.unit.clone(),
                line.unit_price.to_string(),
                line.name,
                line.vat.stated_rate().unwrap_or_default(),
                if line.unit == SERVICE_UNIT { "2" } else { "3" }.into(),
            ]
        })
    });
    csv_of(header, rows)
}

pub(crate) fn receipts_csv(orders: impl IntoIterator<Item = Order>) -> String {
    let header = ["receipt_id", "order_id", "line", "quantity", "date", "unit"];
    let rows = orders.into_iter().flat_map(|order| {
        let (id, date) = (order.id, order.received_on);
        let received = order.lines.into_iter().filter(|line| !line.received.is_zero() && line.unit != SERVICE_UNIT);
        received.map(move |line| {
            let quantity = line.received.normalize().to_string();
            [format!("GR-{id}"), id.clone(), line.number, quantity, date.to_string(), line.unit]
        })
    });
    csv_of(header, rows)
}

const SERVICE_UNIT: &str = "HUR";

fn csv_of<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).expect("writing to memory does not fail");
    for row in rows {
        writer.write_record(row).expect("writing to memory does not fail");
    }
    let bytes = writer.into_inner().expect("writing to memory does not fail");
    String::from_utf8(bytes).expect("CSV of strings is a string")
}

/// `DE` and nine digits; the last is the check digit of ISO 7064 MOD 11,10 over the eight of `number`.
pub(crate) fn german_vat_id(number: u32) -> String {
    let digits = format!("{:08}", number % 100_000_000);
    let mut product = 10;
    for digit in digits.bytes().map(|byte| u32::from(byte - b'0')) {
        let sum = match (digit + product) % 10 {
            0 => 10,
            sum => sum,
        };
        product = sum * 2 % 11;
    }
    format!("DE{digits}{}", (11 - product) % 10)
}

/// The check digits are ISO 7064 MOD 97,10 over bank code, account number and country.
pub(crate) fn german_iban(bank_code: u32, account: u64) -> String {
    let bban = format!("{:08}{:010}", bank_code % 100_000_000, account % 10_000_000_000);
    // D is 13 and E is 14, and the check digits stand at 00 while they are computed.
    let remainder = format!("{bban}131400").bytes().fold(0, |rest, byte| (rest * 10 + u32::from(byte - b'0')) % 97);
    format!("DE{:02}{bban}", 98 - remainder)
}
