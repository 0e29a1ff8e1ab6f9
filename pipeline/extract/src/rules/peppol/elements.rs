//! What Peppol asks of single elements: its code lists (PEPPOL-EN16931-CL), dates (F001), document types and reasons of
//! exemptions (P), and the numbers of [`registers`] (PEPPOL-COMMON).

use roxmltree::Node;

use super::registers::{self, digits, dutch_vat};
use crate::rules::codes::{self, List};
use crate::rules::model::{Bg, Bt, Model, Syntax, attribute, raw, text};
use crate::rules::path::{any, text_at};
use crate::rules::{Head, Hits, Weight};

pub(super) struct Row {
    pub(super) id: &'static str,
    pub(super) weight: Weight,
    pub(super) terms: &'static [&'static str],
    pub(super) says: &'static str,
    /// Of elements with these names.
    pub(super) names: &'static [&'static str],
    pub(super) holds: for<'m> fn(&Model<'m, '_>, Node<'m, '_>) -> bool,
}

/// Looks at each element once.
pub(in crate::rules) fn check<'a, 'input>(
    model: &Model<'a, 'input>,
    root: Node<'a, 'input>,
    hits: &mut Hits<'a, 'input>,
) {
    let rows = if model.syntax == Syntax::Ubl { UBL } else { CII };
    for node in root.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        for row in rows.iter().filter(|it| it.names.contains(&name)) {
            if !(row.holds)(model, node) {
                hits.rule = Head { id: row.id, weight: row.weight, terms: row.terms, says: row.says };
                hits.at(node);
            }
        }
        if let Some(row) = registers::broken(model, node) {
            hits.rule = Head { id: row.id, weight: row.weight, terms: row.terms, says: row.says };
            hits.at(node);
        }
    }
}

macro_rules! row {
    ($id:literal, $weight:ident, [$($term:literal),*], $says:expr, $names:expr, $holds:expr) => {
        Row { id: $id, weight: Weight::$weight, terms: &[$($term),*], says: $says, names: $names, holds: $holds }
    };
}
pub(super) use row;

/// A reason of an exemption, and the category that it is a reason for.
macro_rules! exemption {
    ($id:literal, $code:literal, $category:literal) => {
        row!(
            $id,
            Fatal,
            ["BT-118", "BT-121"],
            concat!("the exemption ", $code, " shall stand with category ", $category),
            &["TaxCategory"],
            |_, it| {
                !text_at(it, "TaxExemptionReasonCode").eq_ignore_ascii_case($code) || text_at(it, "ID") == $category
            }
        )
    };
}

const UBL: &[Row] = &[
    row!(
        "PEPPOL-EN16931-R051",
        Fatal,
        ["BT-5"],
        "amounts shall be in the currency of the invoice",
        &[
            "Amount",
            "BaseAmount",
            "PriceAmount",
            "TaxAmount",
            "TaxableAmount",
            "LineExtensionAmount",
            "TaxExclusiveAmount",
            "TaxInclusiveAmount",
            "AllowanceTotalAmount",
            "ChargeTotalAmount",
            "PrepaidAmount",
            "PayableRoundingAmount",
            "PayableAmount"
        ],
        |model, it| {
            let around = it.parent();
            let accounting = is(it, "TaxAmount")
                && around.is_some_and(|around| is(around, "TaxTotal") && !any(around, "TaxSubtotal"));
            accounting || it.attribute("currencyID") == Some(model.text(Bg::Document, Bt(5)).as_ref())
        }
    ),
    row!(
        "PEPPOL-EN16931-CL001",
        Fatal,
        ["BT-125"],
        "an attached document shall be PDF, PNG, JPEG, CSV, XLSX or ODS",
        &["EmbeddedDocumentBinaryObject"],
        |_, it| attachable(it)
    ),
    row!(
        "PEPPOL-EN16931-CL002",
        Fatal,
        ["BT-98", "BT-140"],
        "the reason of an allowance shall be a code of UNTDID 5189",
        &["AllowanceChargeReasonCode"],
        |_, it| !indicated(it, "false") || codes::lists(List::AllowanceReasons, &text(it))
    ),
    row!(
        "PEPPOL-EN16931-CL003",
        Fatal,
        ["BT-105", "BT-145"],
        "the reason of a charge shall be a code of UNTDID 7161",
        &["AllowanceChargeReasonCode"],
        |_, it| !indicated(it, "true") || codes::lists(List::ChargeReasons, &text(it))
    ),
    row!(
        "PEPPOL-EN16931-CL006",
        Fatal,
        ["BT-8"],
        "the code of the tax point shall be 3, 35 or 432",
        &["DescriptionCode"],
        |_, it| !in_parent(it, "InvoicePeriod") || matches!(text(it).as_ref(), "3" | "35" | "432")
    ),
    row!(
        "PEPPOL-EN16931-CL007",
        Fatal,
        ["BT-5"],
        "the currency of an amount shall be a code of ISO 4217",
        &[
            "Amount",
            "BaseAmount",
            "PriceAmount",
            "TaxAmount",
            "TaxableAmount",
            "LineExtensionAmount",
            "TaxExclusiveAmount",
            "TaxInclusiveAmount",
            "AllowanceTotalAmount",
            "ChargeTotalAmount",
            "PrepaidAmount",
            "PayableRoundingAmount",
            "PayableAmount"
        ],
        |_, it| codes::lists(List::Currencies, attribute(it, "currencyID"))
    ),
    row!(
        "PEPPOL-EN16931-CL008",
        Fatal,
        ["BT-34", "BT-49"],
        "the scheme of an electronic address shall be one of Peppol's",
        &["EndpointID"],
        |_, it| it.attribute("schemeID").is_none_or(|it| ADDRESSES.contains(&it))
    ),
    row!(
        "PEPPOL-EN16931-F001",
        Fatal,
        ["BT-2", "BT-7", "BT-9", "BT-72", "BT-73", "BT-74"],
        "a date shall be written YYYY-MM-DD",
        &["IssueDate", "DueDate", "TaxPointDate", "StartDate", "EndDate", "ActualDeliveryDate"],
        |_, it| {
            let date = raw(it);
            date.len() == 10 && date.parse::<jiff::civil::Date>().is_ok_and(|it| it.to_string() == *date)
        }
    ),
    row!(
        "PEPPOL-EN16931-P0100",
        Fatal,
        ["BT-3"],
        "the type of an invoice shall be one that its process allows",
        &["InvoiceTypeCode"],
        |model, it| match self_billed(model) {
            _ if super::process(model) != Some(*b"01") => true,
            true => matches!(text(it).as_ref(), "389" | "527"),
            false => INVOICES.contains(&text(it).as_ref()),
        }
    ),
    row!(
        "PEPPOL-EN16931-P0101",
        Fatal,
        ["BT-3"],
        "the type of a credit note shall be one that its process allows",
        &["CreditNoteTypeCode"],
        |model, it| match self_billed(model) {
            _ if super::process(model) != Some(*b"01") => true,
            true => text(it) == "261",
            false => matches!(text(it).as_ref(), "81" | "83" | "381" | "396" | "532"),
        }
    ),
    row!(
        "PEPPOL-EN16931-P0112",
        Fatal,
        ["BT-3"],
        "partial and corrected invoices (326, 384) shall be between Germans only",
        &["InvoiceTypeCode"],
        |model, it| {
            self_billed(model) || !matches!(text(it).as_ref(), "326" | "384") || super::between(model, "DE")
        }
    ),
    exemption!("PEPPOL-EN16931-P0104", "VATEX-EU-G", "G"),
    exemption!("PEPPOL-EN16931-P0105", "VATEX-EU-O", "O"),
    exemption!("PEPPOL-EN16931-P0106", "VATEX-EU-IC", "K"),
    exemption!("PEPPOL-EN16931-P0107", "VATEX-EU-AE", "AE"),
    exemption!("PEPPOL-EN16931-P0108", "VATEX-EU-D", "E"),
    exemption!("PEPPOL-EN16931-P0109", "VATEX-EU-F", "E"),
    exemption!("PEPPOL-EN16931-P0110", "VATEX-EU-I", "E"),
    exemption!("PEPPOL-EN16931-P0111", "VATEX-EU-J", "E"),
    row!(
        "PEPPOL-COMMON-R056-2",
        Warning,
        ["BT-31", "BT-48", "BT-63"],
        "a Dutch VAT number should be NL, nine digits, B and two digits",
        &["CompanyID"],
        |_, it| {
            let vat = it.parent().is_some_and(|it| is(it, "PartyTaxScheme") && text_at(it, "TaxScheme/ID") == "VAT");
            !vat || !text(it).starts_with("NL") || dutch_vat(&text(it))
        }
    ),
];

const CII: &[Row] = &[
    row!(
        "PEPPOL-EN16931-CL001",
        Fatal,
        ["BT-125"],
        "an attached document shall be PDF, PNG, JPEG, CSV, XLSX or ODS",
        &["AttachmentBinaryObject"],
        |_, it| attachable(it)
    ),
    row!(
        "PEPPOL-EN16931-CL002",
        Fatal,
        ["BT-98", "BT-140"],
        "the reason of an allowance shall be a code of UNTDID 5189",
        &["ReasonCode"],
        |_, it| !indicated(it, "false") || codes::lists(List::AllowanceReasons, &text(it))
    ),
    row!(
        "PEPPOL-EN16931-CL003",
        Fatal,
        ["BT-105", "BT-145"],
        "the reason of a charge shall be a code of UNTDID 7161",
        &["ReasonCode"],
        |_, it| !indicated(it, "true") || codes::lists(List::ChargeReasons, &text(it))
    ),
    row!(
        "PEPPOL-EN16931-CL007",
        Fatal,
        ["BT-110", "BT-111"],
        "the currency of an amount shall be a code of ISO 4217",
        &["TaxTotalAmount"],
        |_, it| it.attribute("currencyID").is_none_or(|it| codes::lists(List::Currencies, it))
    ),
    row!(
        "PEPPOL-EN16931-CL008",
        Fatal,
        ["BT-34", "BT-49"],
        "the scheme of an electronic address shall be one of Peppol's",
        &["URIID"],
        |_, it| {
            let party = it.parent().filter(|it| is(*it, "URIUniversalCommunication")).and_then(|it| it.parent());
            let asked = party.is_some_and(|it| is(it, "BuyerTradeParty") || is(it, "SellerTradeParty"));
            !asked || ADDRESSES.contains(&attribute(it, "schemeID"))
        }
    ),
    row!(
        "PEPPOL-EN16931-F001",
        Fatal,
        ["BT-2", "BT-9", "BT-72", "BT-73", "BT-74"],
        "a date shall be written YYYYMMDD",
        &["DateTimeString"],
        |_, it| {
            let date = raw(it);
            attribute(it, "format") == "102" && date.len() == 8 && date.starts_with("20") && digits(&date)
        }
    ),
];

/// The types of invoice in process 01, of UNTDID 1001.
const INVOICES: [&str; 26] = [
    "71", "80", "82", "84", "102", "218", "219", "326", "331", "380", "382", "383", "384", "386", "388", "393", "395",
    "553", "575", "623", "780", "817", "870", "875", "876", "877",
];

/// Peppol's part of the EAS list.
const ADDRESSES: &[&str] = &[
    "0002", "0007", "0009", "0037", "0060", "0088", "0096", "0097", "0106", "0130", "0135", "0142", "0147", "0151",
    "0154", "0158", "0170", "0177", "0183", "0184", "0188", "0190", "0191", "0192", "0193", "0194", "0195", "0196",
    "0198", "0199", "0200", "0201", "0202", "0203", "0204", "0205", "0208", "0209", "0210", "0211", "0212", "0213",
    "0215", "0216", "0217", "0218", "0221", "0225", "0230", "0235", "0240", "0242", "0244", "0245", "0246", "0248",
    "9910", "9913", "9914", "9915", "9918", "9919", "9920", "9922", "9923", "9924", "9925", "9926", "9927", "9928",
    "9929", "9930", "9931", "9932", "9933", "9934", "9935", "9936", "9937", "9938", "9939", "9940", "9941", "9942",
    "9943", "9944", "9945", "9946", "9947", "9948", "9949", "9950", "9951", "9952", "9953", "9957", "9959",
];

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
}

fn in_parent(node: Node<'_, '_>, name: &str) -> bool {
    node.parent().is_some_and(|it| is(it, name))
}

fn self_billed(model: &Model<'_, '_>) -> bool {
    model.text(Bg::Document, Bt(24)).contains("poacc:selfbilling")
}

/// Does the reason stand in an allowance, or a charge?
fn indicated(reason: Node<'_, '_>, indicator: &str) -> bool {
    reason.parent().is_some_and(|it| {
        (is(it, "AllowanceCharge") && text_at(it, "ChargeIndicator") == indicator)
            || (is(it, "SpecifiedTradeAllowanceCharge") && text_at(it, "ChargeIndicator/Indicator") == indicator)
    })
}

fn attachable(node: Node<'_, '_>) -> bool {
    const KINDS: [&str; 6] = [
        "application/pdf",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "image/jpeg",
        "image/png",
        "text/csv",
    ];
    node.attribute("mimeCode").is_none_or(|it| KINDS.contains(&it))
}
