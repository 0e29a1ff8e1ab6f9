//! What can be imported, with its columns, and how a row becomes a fact.

use case::{Bill, Claim, ContractRate, Conversion, Decimal, Employee, Fact, FactKind, OrderLine, Receipt, Vendor};
use clap::ValueEnum;
use work::now;

use super::columns::Cells;
use super::rows::{Columns, Refused, Row};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Who sends invoices, and the account they gave
    Vendors,
    /// Lines of orders, also of blanket and limit orders
    Orders,
    /// Goods receipts, inspections and returns
    Receipts,
    /// Conversions of units
    Units,
    /// Agreed prices and terms
    Contracts,
    /// Employees and their accounts, for conflicts of interest
    Employees,
    /// Invoices that other systems paid, for duplicates
    Invoices,
    /// Statements of the bank: camt.053, MT940 or CSV
    BankStatements,
}

const VENDORS: Columns = Columns {
    of: "vendors",
    names: &["vendor_id", "name", "vat_id", "tax_id", "country", "iban", "bic", "group", "valid_from"],
    n_required: 2,
};
const ORDERS: Columns = Columns {
    of: "orders",
    names: &[
        "order_id",
        "vendor_id",
        "currency",
        "line",
        "quantity",
        "unit",
        "unit_price",
        "price_unit",
        "item",
        "description",
        "tax_rate",
        "commodity",
        "match",
        "kind",
        "value_limit",
        "valid_from",
        "valid_to",
        "contract_id",
        "freight_planned",
    ],
    n_required: 7,
};
const RECEIPTS: Columns = Columns {
    of: "receipts",
    names: &["receipt_id", "order_id", "line", "quantity", "date", "unit", "accepted", "returned"],
    n_required: 5,
};
const UNITS: Columns = Columns { of: "units", names: &["from_unit", "to_unit", "factor", "item"], n_required: 3 };
const CONTRACTS: Columns = Columns {
    of: "contracts",
    names: &[
        "contract_id",
        "vendor_id",
        "valid_from",
        "valid_to",
        "currency",
        "item",
        "rate",
        "index_cap_percent",
        "tier_from",
        "not_to_exceed",
        "payment_days",
        "renewal",
    ],
    n_required: 3,
};
const EMPLOYEES: Columns = Columns { of: "employees", names: &["employee_id", "name", "iban"], n_required: 2 };
const INVOICES: Columns = Columns {
    of: "invoices",
    names: &["vendor_id", "number", "date", "currency", "gross", "net", "iban", "order_id", "paid_on"],
    n_required: 5,
};

impl Kind {
    /// None where the file has a form of its own.
    pub(super) fn columns(self) -> Option<&'static Columns> {
        match self {
            Kind::Vendors => Some(&VENDORS),
            Kind::Orders => Some(&ORDERS),
            Kind::Receipts => Some(&RECEIPTS),
            Kind::Units => Some(&UNITS),
            Kind::Contracts => Some(&CONTRACTS),
            Kind::Employees => Some(&EMPLOYEES),
            Kind::Invoices => Some(&INVOICES),
            Kind::BankStatements => None,
        }
    }

    pub(super) fn facts(self) -> FactKind {
        match self {
            Kind::Vendors => FactKind::Vendors,
            Kind::Orders => FactKind::Orders,
            Kind::Receipts => FactKind::Receipts,
            Kind::Units => FactKind::Units,
            Kind::Contracts => FactKind::Contracts,
            Kind::Employees => FactKind::Employees,
            Kind::Invoices => FactKind::Invoices,
            Kind::BankStatements => FactKind::Payments,
        }
    }
}

pub(super) fn fact(kind: Kind, row: &Row, columns: &'static Columns) -> Result<Fact, Refused> {
    let row = Cells::of(row, columns);
    match kind {
        Kind::Vendors => vendor(row).map(Fact::Vendor),
        Kind::Orders => order_line(row).map(Fact::OrderLine),
        Kind::Receipts => receipt(row).map(Fact::Receipt),
        Kind::Units => unit(row).map(Fact::Unit),
        Kind::Contracts => contract(row).map(Fact::Contract),
        Kind::Employees => employee(row).map(Fact::Employee),
        Kind::Invoices => invoice(row).map(|bill| Fact::Bill(Box::new(bill))),
        Kind::BankStatements => unreachable!("a statement has no columns"),
    }
}

fn vendor(row: Cells<'_>) -> Result<Vendor, Refused> {
    Ok(Vendor {
        vendor_id: row.required_id("vendor_id")?,
        name: row.required_text("name")?,
        vat_id: row.id("vat_id")?,
        tax_id: row.id("tax_id")?,
        country: row.id("country")?,
        iban: row.iban("iban")?,
        bic: row.id("bic")?,
        group: row.id("group")?,
        valid_from: row.date("valid_from")?,
    })
}

fn order_line(row: Cells<'_>) -> Result<OrderLine, Refused> {
    let commodity = row.id("commodity")?;
    let service = commodity.as_deref().map(str::to_lowercase).is_some_and(|it| it == "services" || it == "service");
    let match_level = match row.id("match")?.as_deref() {
        None if service => 2,
        None | Some("3") => 3,
        Some("2") => 2,
        Some("4") => 4,
        Some(_) => return Err(row.refuse("match", "is not 2, 3 or 4")),
    };
    let blanket = match row.id("kind")?.as_deref() {
        None | Some("standard") => false,
        Some("blanket") => true,
        Some(_) => return Err(row.refuse("kind", "is not standard or blanket")),
    };
    let valid_from = row.date("valid_from")?;
    Ok(OrderLine {
        order_id: row.required_id("order_id")?,
        vendor_id: row.required_id("vendor_id")?,
        currency: row.required_currency("currency")?,
        line: row.required_id("line")?,
        quantity: row.required_quantity("quantity")?,
        unit: row.required_id("unit")?,
        unit_price: row.required_quantity("unit_price")?,
        price_unit: row.positive("price_unit")?.unwrap_or(Decimal::ONE),
        item: row.id("item")?,
        description: row.text("description")?,
        tax_rate: row.percent("tax_rate")?,
        commodity,
        match_level,
        blanket,
        value_limit: row.quantity("value_limit")?,
        valid_from,
        valid_to: row.end("valid_to", valid_from)?,
        contract_id: row.id("contract_id")?,
        freight_planned: row.quantity("freight_planned")?,
    })
}

fn receipt(row: Cells<'_>) -> Result<Receipt, Refused> {
    let quantity = row.required_number("quantity")?;
    for part in ["accepted", "returned"] {
        let more = row.quantity(part)?.is_some_and(|part| Decimal::ZERO <= quantity && quantity < part);
        if more {
            return Err(row.refuse(part, format!("is more than the quantity, {quantity}")));
        }
    }
    Ok(Receipt {
        receipt_id: row.required_id("receipt_id")?,
        order_id: row.required_id("order_id")?,
        line: row.required_id("line")?,
        // Less than nothing is a return.
        quantity,
        unit: row.id("unit")?,
        accepted: row.quantity("accepted")?,
        returned: row.quantity("returned")?,
        date: row.past_date("date", now().date())?,
    })
}

fn unit(row: Cells<'_>) -> Result<Conversion, Refused> {
    let (from_unit, to_unit) = (row.required_id("from_unit")?, row.required_id("to_unit")?);
    let factor = row.required_positive("factor")?;
    if from_unit == to_unit && factor != Decimal::ONE {
        return Err(row.refuse("factor", format!("is not 1, and one `{from_unit}` is 1 `{to_unit}`")));
    }
    Ok(Conversion { from_unit, to_unit, factor, item: row.id("item")? })
}

fn contract(row: Cells<'_>) -> Result<ContractRate, Refused> {
    let valid_from = row.required_date("valid_from")?;
    Ok(ContractRate {
        contract_id: row.required_id("contract_id")?,
        vendor_id: row.required_id("vendor_id")?,
        valid_from,
        valid_to: row.end("valid_to", Some(valid_from))?,
        currency: row.currency("currency")?,
        item: row.id("item")?,
        rate: row.quantity("rate")?,
        index_cap_percent: row.percent("index_cap_percent")?,
        tier_from: row.quantity("tier_from")?,
        not_to_exceed: row.quantity("not_to_exceed")?,
        payment_days: row.days("payment_days")?,
        renewal: row.text("renewal")?,
    })
}

fn employee(row: Cells<'_>) -> Result<Employee, Refused> {
    Ok(Employee {
        employee_id: row.required_id("employee_id")?,
        name: row.required_text("name")?,
        iban: row.iban("iban")?,
    })
}

/// Less than nothing is a credit note, whose figures are kept as those of its document: without the sign. The seller's cluster
/// is for whoever knows the vendor.
fn invoice(row: Cells<'_>) -> Result<Bill, Refused> {
    let (gross, net) = (row.required_number("gross")?, row.number("net")?);
    let credit = gross < Decimal::ZERO;
    if net.is_some_and(|net| !net.is_zero() && (net < Decimal::ZERO) != credit) {
        return Err(row.refuse("net", "has another sign than gross"));
    }
    // Where the net is not known, more is taken of the order rather than less.
    let amount = net.unwrap_or(gross);
    let claim = row.id("order_id")?.map(|order_id| Claim { order_id, amount, ..Claim::default() });
    Ok(Bill {
        credit,
        vendor_id: Some(row.required_id("vendor_id")?),
        number: Some(row.required_id("number")?),
        date: Some(row.required_date("date")?),
        currency: Some(row.required_currency("currency")?),
        net: net.map(|net| net.abs()),
        gross: Some(gross.abs()),
        // As it was paid to: a slip in the history of another system must not hide a duplicate.
        iban: row.id("iban")?,
        claims: claim.into_iter().collect(),
        paid_on: row.date("paid_on")?,
        ..Bill::default()
    })
}
