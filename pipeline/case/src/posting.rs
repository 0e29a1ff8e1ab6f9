//! What the ledger is asked to book.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Case, Digest, FieldName, Invoice, Kind, Totals};

/// One booking. INVARIANT (exactly one booking): the key is the case's and is the same on every attempt.
///
/// Money is in minor units of `currency`, counted with its ISO 4217 exponent; a credit note's amounts are negative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    pub version: u32,
    pub key: String,
    pub kind: Kind,
    /// Digest of the original document.
    pub document: Digest,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bill: Option<BillRecord>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contract: Option<ContractRecord>,
    /// Who approved, by pseudonym; empty when the policy let it straight through.
    pub approved_by: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillRecord {
    pub number: String,
    pub issue_date: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due_date: Option<String>,
    pub currency: String,
    pub seller_name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seller_vat_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub iban: Option<String>,
    pub net_minor: i64,
    pub tax_minor: i64,
    pub gross_minor: i64,
    /// What is left to be paid: the gross amount without what was paid or kept back before.
    pub payable_minor: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractRecord {
    pub parties: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effective_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expiration_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub governing_law: Option<String>,
}

/// The posting of an approved case. `Err` says which value the ledger cannot do without.
pub fn posting(case: &Case) -> Result<Posting, String> {
    let extraction = case.extraction.as_ref().ok_or("nothing was read from the document")?;
    let approved_by = case.checkpoints.iter().flat_map(|checkpoint| &checkpoint.approvals).map(|it| it.by.clone());
    let approved_by = approved_by.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let text = |name: FieldName| extraction.text(name).map(str::to_owned);
    let (bill, contract) = match extraction.kind {
        Kind::Invoice | Kind::CreditNote => (Some(bill(&Invoice::of(extraction).0, case.due_date)?), None),
        Kind::Contract => {
            let record = ContractRecord {
                parties: extraction.fields.parties.iter().map(|party| party.value.clone()).collect(),
                title: text(FieldName::Title),
                effective_date: text(FieldName::EffectiveDate),
                expiration_date: text(FieldName::ExpirationDate),
                governing_law: text(FieldName::GoverningLaw),
            };
            (None, Some(record))
        }
        kind => return Err(format!("a document of kind `{}` is not booked", kind.name())),
    };
    Ok(Posting {
        version: 1,
        key: case.id.to_string(),
        kind: extraction.kind,
        document: case.document.digest,
        bill,
        contract,
        approved_by,
    })
}

fn bill(invoice: &Invoice, due_date: Option<Date>) -> Result<BillRecord, String> {
    let need = |name: &str, value: Option<String>| value.ok_or(format!("`{name}` is missing"));
    let currency = need("currency", invoice.currency.clone())?;
    let totals = &invoice.totals;
    let gross = gross(totals).ok_or("`gross_total` is missing")?;
    // Net and tax make the gross amount: what a page does not show is what is left.
    let (net, tax) = match (totals.net_total, totals.tax_total) {
        (Some(net), Some(tax)) => (net, tax),
        (Some(net), None) => (net, gross - net),
        (None, tax) => (gross - tax.unwrap_or_default(), tax.unwrap_or_default()),
    };
    let sign = if invoice.credit { -Decimal::ONE } else { Decimal::ONE };
    let minor = |amount: Decimal| minor_units(amount * sign, &currency);
    Ok(BillRecord {
        number: need("number", invoice.number.clone())?,
        issue_date: need("issue_date", invoice.issue_date.map(|date| date.to_string()))?,
        // What the contract says goes before what the document says.
        due_date: due_date.or(invoice.due_date).map(|date| date.to_string()),
        seller_name: need("seller_name", invoice.seller_name.clone())?,
        seller_vat_id: invoice.seller_vat_id.clone(),
        order: invoice.order_ref.clone(),
        iban: invoice.iban.clone(),
        net_minor: minor(net)?,
        tax_minor: minor(tax)?,
        gross_minor: minor(gross)?,
        payable_minor: minor(payable(totals, gross).ok_or("what is to be paid is out of range")?)?,
        currency,
    })
}

fn payable(totals: &Totals, gross: Decimal) -> Option<Decimal> {
    let before = [totals.prepaid, totals.withholding].into_iter().flatten().map(|it| -it);
    let left = || crate::invoice::total(before.chain([gross]).chain(totals.rounding));
    totals.payable.or_else(left)
}

/// What is to be paid, with what was paid or kept back before it, where the total is not shown. INVARIANT (fail closed): without
/// a net amount nothing says how much of the bill it is, and what was rounded off it may stand in the total or not.
fn gross(totals: &Totals) -> Option<Decimal> {
    let from_payable = || {
        let checked = totals.net_total.is_some() && totals.rounding.is_none_or(|it| it.is_zero());
        let before = [totals.prepaid, totals.withholding].into_iter().flatten();
        crate::invoice::total(before.chain([totals.payable.filter(|_| checked)?]))
    };
    totals.gross_total.or_else(from_payable)
}

/// Decimals of a currency's minor unit by ISO 4217; 2 for those that are not listed.
pub(crate) fn exponent(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// Nothing is rounded on the way to the ledger: a fraction of a minor unit is refused.
fn minor_units(amount: Decimal, currency: &str) -> Result<i64, String> {
    let scaled =
        amount.checked_mul(Decimal::from(10_i64.pow(exponent(currency)))).ok_or("an amount is out of range")?;
    if !scaled.is_integer() {
        return Err(format!("{amount} {currency} is not a whole number of minor units"));
    }
    i64::try_from(scaled).map_err(|_| format!("{amount} {currency} is out of range"))
}

#[cfg(test)]
mod tests;
