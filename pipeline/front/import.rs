//! `import`: master data from CSV, XLSX and JSON. A row that is refused is reported with its number, column, value and
//! reason; the rest goes in.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use calamine::{Data, Reader as _, Xlsx};
use case::{AMOUNT_MAX, DECIMALS_MAX, Decimal, OrderLine, Receipt, Vendor};
use clap::ValueEnum;
use serde_json::json;
use store::{Import, Imported};
use work::now;

use super::workspace::Workspace;
use super::{Answer, Output};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Vendors,
    Orders,
    Receipts,
}

/// Columns by kind; the first number of them are required.
const VENDORS: (usize, &[&str]) =
    (2, &["vendor_id", "name", "vat_id", "tax_id", "country", "iban", "bic", "group", "valid_from"]);
const ORDERS: (usize, &[&str]) = (
    7,
    &[
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
);
const RECEIPTS: (usize, &[&str]) =
    (5, &["receipt_id", "order_id", "line", "quantity", "date", "unit", "accepted", "returned"]);

const FILE_BYTES_MAX: u64 = 512 << 20;
const REFUSALS_SHOWN: usize = 20;

impl Kind {
    fn columns(self) -> (usize, &'static [&'static str]) {
        match self {
            Kind::Vendors => VENDORS,
            Kind::Orders => ORDERS,
            Kind::Receipts => RECEIPTS,
        }
    }
}

/// A row that did not go in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Counted as a spreadsheet does: the header is row 1.
    row: usize,
    column: &'static str,
    value: String,
    why: String,
}

pub(crate) async fn import(kind: Kind, file: &Path, dir: &Path, user: &str, output: Output) -> anyhow::Result<Answer> {
    let (import, refused) = parse(kind, file)?;
    let store = Workspace::open(dir)?.store().await?;
    let by = store.person(user).await?;
    let done: Imported = store.import(&import, &by, now()).await?;
    store.seal_log(now()).await?;
    match output {
        Output::Json => {
            for it in &refused {
                say!("{}", json!({"row": it.row, "column": it.column, "value": it.value, "refused": it.why}));
            }
            say!("{}", json!({"new": done.new, "changed": done.changed, "same": done.same, "refused": refused.len()}));
        }
        Output::Words => {
            for it in refused.iter().take(REFUSALS_SHOWN) {
                say!("row {}: {} `{}`: {}", it.row, it.column, super::cases::plain(&it.value), it.why);
            }
            if REFUSALS_SHOWN < refused.len() {
                say!("… and {} more", refused.len() - REFUSALS_SHOWN);
            }
            say!("{} new, {} changed, {} as before, {} refused", done.new, done.changed, done.same, refused.len());
        }
    }
    Ok(if refused.is_empty() { Answer::Good } else { Answer::Bad })
}

/// Rows of the file as typed rows, and those that were refused.
pub(crate) fn parse(kind: Kind, file: &Path) -> anyhow::Result<(Import, Vec<Refused>)> {
    let shown = file.display();
    let size = std::fs::metadata(file).with_context(|| format!("cannot read `{shown}`"))?.len();
    if FILE_BYTES_MAX < size {
        bail!("`{shown}` has {size} bytes, more than the {FILE_BYTES_MAX} that are imported");
    }
    let rows = match file.extension().and_then(|it| it.to_str()).map(str::to_lowercase).as_deref() {
        Some("csv") => csv_rows(&std::fs::read(file)?).with_context(|| format!("`{shown}` is not a CSV file"))?,
        Some("xlsx") => xlsx_rows(file).with_context(|| format!("`{shown}` is not an XLSX file"))?,
        Some("json") => {
            json_rows(&std::fs::read(file)?).with_context(|| format!("`{shown}` is not a JSON list of objects"))?
        }
        _ => bail!("`{shown}` is none of .csv, .xlsx, .json"),
    };
    parse_rows(kind, &rows).with_context(|| format!("`{shown}` was not imported"))
}

/// Column names and values; the row number is the one a person sees.
type Rows = Vec<(usize, BTreeMap<String, String>)>;

fn parse_rows(kind: Kind, rows: &Rows) -> anyhow::Result<(Import, Vec<Refused>)> {
    let (_, known) = kind.columns();
    if let Some(column) = rows.iter().flat_map(|(_, row)| row.keys()).find(|name| !known.contains(&name.as_str())) {
        bail!("there is a column `{column}`; expected only {}", known.join(", "));
    }
    let mut refused = Vec::new();
    let mut keep = |row: &(usize, BTreeMap<String, String>), it: Result<(), Refusal>| {
        if let Err(Refusal { column, value, why }) = it {
            refused.push(Refused { row: row.0, column, value, why });
        }
    };
    let import = match kind {
        Kind::Vendors => {
            let mut vendors = Vec::new();
            for row in rows {
                keep(row, vendor(&Columns(&row.1)).map(|vendor| vendors.push(vendor)));
            }
            Import::Vendors(vendors)
        }
        Kind::Orders => {
            let mut lines = Vec::new();
            for row in rows {
                keep(row, order_line(&Columns(&row.1)).map(|line| lines.push(line)));
            }
            Import::Orders(lines)
        }
        Kind::Receipts => {
            let mut receipts = Vec::new();
            for row in rows {
                keep(row, receipt(&Columns(&row.1)).map(|receipt| receipts.push(receipt)));
            }
            Import::Receipts(receipts)
        }
    };
    Ok((import, refused))
}

struct Refusal {
    column: &'static str,
    value: String,
    why: String,
}

struct Columns<'a>(&'a BTreeMap<String, String>);

impl Columns<'_> {
    fn text(&self, column: &'static str) -> Option<String> {
        self.0.get(column).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn required(&self, column: &'static str) -> Result<String, Refusal> {
        self.text(column).ok_or_else(|| Refusal { column, value: String::new(), why: "is required".to_owned() })
    }

    fn number(&self, column: &'static str) -> Result<Option<Decimal>, Refusal> {
        let Some(value) = self.text(column) else { return Ok(None) };
        let refused = |why: String| Refusal { column, value: value.clone(), why };
        let number: Decimal =
            value.parse().map_err(|_| refused("is not a number with a decimal point, such as 1000.50".to_owned()))?;
        if AMOUNT_MAX < number.abs() || DECIMALS_MAX < number.scale() {
            return Err(refused(format!("is more than {AMOUNT_MAX}, or has more than {DECIMALS_MAX} decimals")));
        }
        Ok(Some(number))
    }

    fn required_number(&self, column: &'static str) -> Result<Decimal, Refusal> {
        self.number(column)?.ok_or_else(|| Refusal { column, value: String::new(), why: "is required".to_owned() })
    }

    fn date(&self, column: &'static str) -> Result<Option<jiff::civil::Date>, Refusal> {
        let Some(value) = self.text(column) else { return Ok(None) };
        let date = value.parse().map_err(|_| Refusal {
            column,
            value: value.clone(),
            why: "is not a date such as 2026-01-31".to_owned(),
        });
        date.map(Some)
    }
}

fn vendor(row: &Columns<'_>) -> Result<Vendor, Refusal> {
    Ok(Vendor {
        vendor_id: row.required("vendor_id")?,
        name: row.required("name")?,
        vat_id: row.text("vat_id"),
        tax_id: row.text("tax_id"),
        country: row.text("country"),
        iban: row.text("iban"),
        bic: row.text("bic"),
        group: row.text("group"),
        valid_from: row.date("valid_from")?,
    })
}

fn order_line(row: &Columns<'_>) -> Result<OrderLine, Refusal> {
    let currency = row.required("currency")?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Refusal {
            column: "currency",
            value: currency,
            why: "is not a currency of ISO 4217, such as EUR".to_owned(),
        });
    }
    let price_unit = row.number("price_unit")?.unwrap_or(Decimal::ONE);
    if price_unit <= Decimal::ZERO {
        return Err(Refusal {
            column: "price_unit",
            value: price_unit.to_string(),
            why: "is not more than 0".to_owned(),
        });
    }
    let level = row.text("match");
    let match_level = match level.as_deref() {
        None | Some("3") => 3,
        Some("2") => 2,
        Some("4") => 4,
        Some(other) => {
            return Err(Refusal { column: "match", value: other.to_owned(), why: "is not 2, 3 or 4".to_owned() });
        }
    };
    // What is not judged yet must not look as if it were: a blanket's limit that holds nothing would be worse than none.
    if row.text("kind").is_some_and(|kind| kind != "standard") {
        return Err(Refusal {
            column: "kind",
            value: row.required("kind")?,
            why: "is not judged by this version; only `standard` is".to_owned(),
        });
    }
    for column in ["value_limit", "valid_to", "freight_planned"] {
        if let Some(value) = row.text(column) {
            return Err(Refusal { column, value, why: "is not judged by this version".to_owned() });
        }
    }
    Ok(OrderLine {
        order_id: row.required("order_id")?,
        vendor_id: row.required("vendor_id")?,
        line: row.required("line")?,
        quantity: row.required_number("quantity")?,
        unit: row.required("unit")?,
        unit_price: row.required_number("unit_price")?,
        item: row.text("item"),
        description: row.text("description"),
        tax_rate: row.number("tax_rate")?,
        price_unit,
        match_level,
        currency,
    })
}

fn receipt(row: &Columns<'_>) -> Result<Receipt, Refusal> {
    Ok(Receipt {
        receipt_id: row.required("receipt_id")?,
        order_id: row.required("order_id")?,
        line: row.required("line")?,
        quantity: row.required_number("quantity")?,
        unit: row.text("unit"),
        accepted: row.number("accepted")?,
        returned: row.number("returned")?,
        date: row.date("date")?.ok_or_else(|| Refusal {
            column: "date",
            value: String::new(),
            why: "is required".to_owned(),
        })?,
    })
}

fn csv_rows(bytes: &[u8]) -> anyhow::Result<Rows> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let header: Vec<String> = reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
    let mut rows = Vec::new();
    for (idx, record) in reader.records().enumerate() {
        let record = record?;
        rows.push((idx + 2, header.iter().cloned().zip(record.iter().map(str::to_owned)).collect()));
    }
    Ok(rows)
}

fn xlsx_rows(file: &Path) -> anyhow::Result<Rows> {
    let mut book: Xlsx<_> = calamine::open_workbook(file)?;
    let sheet = book.worksheet_range_at(0).context("it has no sheet")??;
    let mut lines = sheet.rows();
    let header: Vec<String> =
        lines.next().unwrap_or_default().iter().map(|cell| cell.to_string().trim().to_owned()).collect();
    let mut rows = Vec::new();
    for (idx, line) in lines.enumerate() {
        let values = header.iter().cloned().zip(line.iter().map(cell)).filter(|(name, _)| !name.is_empty());
        let row: BTreeMap<String, String> = values.collect();
        if row.values().any(|value| !value.is_empty()) {
            rows.push((idx + 2, row));
        }
    }
    Ok(rows)
}

/// A cell as a person sees it; dates as ISO 8601.
fn cell(cell: &Data) -> String {
    match cell {
        Data::DateTime(date) => {
            let (year, month, day, ..) = date.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        other => other.to_string(),
    }
}

fn json_rows(bytes: &[u8]) -> anyhow::Result<Rows> {
    let list: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_slice(bytes)?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    Ok((1..)
        .zip(list)
        .map(|(idx, row)| (idx, row.into_iter().map(|(name, value)| (name, text(value))).collect()))
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn parse_csv(kind: Kind, text: &str) -> anyhow::Result<(Import, Vec<Refused>)> {
        parse_rows(kind, &csv_rows(text.as_bytes())?)
    }

    #[test]
    fn a_wrong_row_is_reported_with_its_number_column_value_and_reason_and_the_rest_goes_in() {
        let text = "order_id,vendor_id,currency,line,quantity,unit,unit_price\nP1,V1,EUR,1,10,C62,2.50\nP1,V1,EUR,2,ten,C62,2.50\nP1,V1,EURO,3,1,C62,1\n";
        let (import, refused) = parse_csv(Kind::Orders, text).unwrap();
        assert!(matches!(import, Import::Orders(lines) if lines.len() == 1));
        assert_eq!((refused[0].row, refused[0].column, refused[0].value.as_str()), (3, "quantity", "ten"));
        assert_eq!((refused[1].row, refused[1].column), (4, "currency"));
    }

    #[test]
    fn an_unknown_column_is_refused_by_name() {
        let err = parse_csv(Kind::Vendors, "vendor_id,name,colour\nV1,A,red\n").unwrap_err();
        assert!(err.to_string().contains("`colour`"), "{err}");
    }

    #[test]
    fn the_order_of_columns_is_free_and_optional_ones_may_be_empty() {
        let (import, refused) =
            parse_csv(Kind::Receipts, "date,quantity,line,order_id,receipt_id,returned\n2026-01-31,5,1,P1,R1,\n")
                .unwrap();
        assert!(refused.is_empty());
        let Import::Receipts(receipts) = import else { panic!("{import:?}") };
        assert_eq!(receipts[0].returned, None);
        assert_eq!(receipts[0].quantity, Decimal::from(5));
    }
}
