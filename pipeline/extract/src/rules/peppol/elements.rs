//! What Peppol asks of single elements: its code lists (PEPPOL-EN16931-CL), dates (F001), document types and reasons of
//! exemptions (P), and the numbers that registers give to parties (PEPPOL-COMMON).

use roxmltree::Node;

use crate::rules::codes::{self, List};
use crate::rules::model::{Bg, Bt, Model, Syntax, attribute, raw, text};
use crate::rules::path::{any, text_at};
use crate::rules::{Head, Hits, Weight};

struct Row {
    id: &'static str,
    weight: Weight,
    terms: &'static [&'static str],
    says: &'static str,
    /// Of elements with these names.
    names: &'static [&'static str],
    holds: for<'m> fn(&Model<'m, '_>, Node<'m, '_>) -> bool,
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
        // The published check for CII does not know the Dutch numbers.
        let dutch = matches!(attribute(node, "schemeID"), "0106" | "0190" | "0217" | "9944");
        if let Some((_, row)) = REGISTERS.iter().find(|(scheme, _)| *scheme == attribute(node, "schemeID"))
            && identifies(model, node)
            && !(dutch && model.syntax == Syntax::Cii)
            && !(row.holds)(model, node)
        {
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
/// A number that a register gives.
macro_rules! register {
    ($scheme:literal, $id:literal, $weight:ident, $says:literal, $holds:expr) => {
        (
            $scheme,
            row!($id, $weight, ["BT-29", "BT-30", "BT-34", "BT-46", "BT-47", "BT-49"], $says, &[], |_, it| $holds(
                &text(it)
            )),
        )
    };
}
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

const REGISTERS: &[(&str, Row)] = &[
    register!("0088", "PEPPOL-COMMON-R040", Fatal, "a GLN shall be digits with the check digit of GS1", gln),
    register!(
        "0192",
        "PEPPOL-COMMON-R041",
        Fatal,
        "a Norwegian organisation number shall be nine digits with their check digit",
        norwegian
    ),
    register!(
        "0184",
        "PEPPOL-COMMON-R042",
        Fatal,
        "a Danish CVR number shall be eight digits, or DK and eight digits",
        cvr
    ),
    register!(
        "0208",
        "PEPPOL-COMMON-R043",
        Fatal,
        "a Belgian enterprise number shall be ten digits with their check digits",
        belgian
    ),
    register!("0201", "PEPPOL-COMMON-R044", Warning, "an Italian IPA code should be six letters and digits", ipa),
    register!(
        "0210",
        "PEPPOL-COMMON-R045",
        Warning,
        "an Italian tax code should be of 11 digits or 16 characters",
        fiscal
    ),
    (
        "9907",
        row!(
            "PEPPOL-COMMON-R046",
            Warning,
            ["BT-34", "BT-49"],
            "an Italian tax code should be of 11 digits or 16 characters",
            &[],
            |_, it| !matches!(it.tag_name().name(), "EndpointID" | "URIID") || fiscal(&text(it))
        ),
    ),
    register!(
        "0211",
        "PEPPOL-COMMON-R047",
        Warning,
        "an Italian VAT number should be IT and 11 digits with their check digit",
        italian_vat
    ),
    register!(
        "0007",
        "PEPPOL-COMMON-R049",
        Fatal,
        "a Swedish organisation number shall be ten digits with their check digit",
        swedish
    ),
    register!(
        "0151",
        "PEPPOL-COMMON-R050",
        Fatal,
        "an Australian business number shall be 11 digits with their check digits",
        abn
    ),
    register!("0096", "PEPPOL-COMMON-R052", Fatal, "a Danish P number shall be ten digits", |it: &str| it.len() == 10
        && digits(it)),
    register!("0198", "PEPPOL-COMMON-R053", Fatal, "a Danish SE number shall be DK and eight digits", |it: &str| it
        .strip_prefix("DK")
        .is_some_and(|it| it.len() == 8 && digits(it))),
    register!("0106", "PEPPOL-COMMON-R054", Warning, "a Dutch KVK number should be eight digits", |it: &str| it.len()
        == 8
        && digits(it)),
    register!("0190", "PEPPOL-COMMON-R055", Warning, "a Dutch OIN should be 20 digits", |it: &str| it.len() == 20
        && digits(it)),
    register!(
        "9944",
        "PEPPOL-COMMON-R056-1",
        Warning,
        "a Dutch VAT number should be NL, nine digits, B and two digits",
        dutch_vat
    ),
    register!("0217", "PEPPOL-COMMON-R057", Warning, "a Dutch establishment number should be 12 digits", |it: &str| it
        .len()
        == 12
        && digits(it)),
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

/// Is the element an identifier of a party?
fn identifies(model: &Model<'_, '_>, node: Node<'_, '_>) -> bool {
    match (model.syntax, node.tag_name().name()) {
        (Syntax::Ubl, "EndpointID" | "CompanyID") | (Syntax::Cii, "URIID" | "ID" | "GlobalID") => true,
        (Syntax::Ubl, "ID") => in_parent(node, "PartyIdentification"),
        _ => false,
    }
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

pub(in crate::rules) fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

/// The values of the digits, from the last to the first; empty where there is anything else.
fn values(text: &str) -> Vec<u32> {
    if digits(text) { text.bytes().rev().map(|it| u32::from(it - b'0')).collect() } else { Vec::new() }
}

/// Weights 3 and 1 in turn from the right, before the check digit.
fn gln(text: &str) -> bool {
    let values = values(text);
    let Some((check, rest)) = values.split_first() else { return false };
    let sum: u32 = rest.iter().zip([3, 1].iter().cycle()).map(|(it, weight)| it * weight).sum();
    (10 - sum % 10) % 10 == *check
}

/// Weights 2 to 7 in turn from the right, before the check digit.
pub(in crate::rules) fn norwegian(text: &str) -> bool {
    let values = values(text);
    let Some((check, rest)) = values.split_first() else { return false };
    let sum: u32 = rest.iter().zip([2, 3, 4, 5, 6, 7].iter().cycle()).map(|(it, weight)| it * weight).sum();
    text.len() == 9 && values.iter().any(|it| *it != 0) && (11 - sum % 11) % 11 == *check
}

fn cvr(text: &str) -> bool {
    let number = text.strip_prefix("DK").unwrap_or(text);
    number.len() == 8 && digits(number)
}

/// The last two digits are 97 less the remainder of the first eight by 97.
fn belgian(text: &str) -> bool {
    let Some((number, check)) = text.split_at_checked(8) else { return false };
    let pair = number.parse::<u32>().ok().zip(check.parse::<u32>().ok());
    text.len() == 10 && digits(text) && pair.is_some_and(|(number, check)| 97 - number % 97 == check)
}

fn ipa(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|it| it.is_ascii_alphanumeric())
}

/// 11 digits, or 16 characters: six letters, two digits, a letter, two digits, three of any kind, a digit, a letter.
fn fiscal(text: &str) -> bool {
    let person = |text: &[u8]| {
        text.len() == 16
            && text.iter().enumerate().all(|(at, it)| match at {
                0..=5 | 8 | 15 => it.is_ascii_alphabetic(),
                6 | 7 | 9 | 10 | 14 => it.is_ascii_digit(),
                _ => true,
            })
    };
    (text.len() == 11 && digits(text)) || person(text.as_bytes())
}

/// Every second digit doubled, with the digits of the double added up, gives a multiple of ten.
fn italian_vat(text: &str) -> bool {
    let national = text.get(..2).is_some_and(|it| it.eq_ignore_ascii_case("IT"));
    let number = text.get(2..).unwrap_or_default();
    !national || (number.len() == 11 && luhn(number))
}

fn luhn(text: &str) -> bool {
    let values = values(text);
    let doubled = |(at, it): (usize, &u32)| if at % 2 == 1 { it * 2 / 10 + it * 2 % 10 } else { *it };
    !values.is_empty() && values.iter().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

pub(in crate::rules) fn swedish(text: &str) -> bool {
    text.len() == 10 && luhn(text)
}

/// Weights 10, 1, 3, 5 to 19 with the first digit less one give a multiple of 89.
fn abn(text: &str) -> bool {
    const WEIGHTS: [i64; 11] = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19];
    let sum: i64 = text.bytes().zip(WEIGHTS).map(|(it, weight)| (i64::from(it) - 48) * weight).sum();
    text.len() == 11 && digits(text) && (sum - 10) % 89 == 0
}

fn dutch_vat(text: &str) -> bool {
    let parts = text.strip_prefix("NL").and_then(|it| it.split_once('B'));
    parts.is_some_and(|(number, suffix)| number.len() == 9 && digits(number) && suffix.len() == 2 && digits(suffix))
}
