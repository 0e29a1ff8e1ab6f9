//! Chinese invoices (发票): fully digital ones as the tax office writes them (`EInvoice`), those that the sealed OFD of the
//! years before carries (`eInvoice`), and the accounting standard of the Ministry of Finance (XBRL), which names its terms
//! the same way; and the printed form of any of them.
//!
//! The schemas differ in where they put a term and agree that its element holds nothing else. So a term is known by the
//! name of its element, wherever that stands outside of a line.

pub(crate) mod printed;
mod wording;

use std::collections::BTreeMap;

use case::{Evidence, Extraction, Field, FieldName, Format, Kind, LineField};
use roxmltree::Node;

use crate::harvest::{Harvest, Value};
use crate::values::{date, decimal, identifier, words};
use crate::xml::{Tree, all, text};
use crate::{fit, note};
use wording::{Rate, rate, remark};

const NUMBERS: &[&str] = &["InvoiceNumber", "EInvoiceNumber", "EIid", "InvoiceNo", "NumberOfInvoice"];
/// The element of each term, the better source first.
const HEADER: [(FieldName, &[&str], Value); 13] = [
    (FieldName::Number, NUMBERS, identifier),
    (FieldName::InvoiceCode, &["InvoiceCode", "CodeOfInvoice"], identifier),
    (FieldName::IssueDate, &["IssueTime", "IssueDate", "DateOfIssue", "RequestTime"], date),
    (FieldName::SellerName, &["SellerName", "NameOfSeller"], words),
    (
        FieldName::SellerTaxId,
        &["SellerIdNum", "SellerTaxID", "TaxpayerIdentificationNumberUnifiedSocialCreditCodeOfSeller"],
        identifier,
    ),
    (FieldName::BuyerName, &["BuyerName", "NameOfPurchaser"], words),
    (
        FieldName::BuyerTaxId,
        &["BuyerIdNum", "BuyerTaxID", "TaxpayerIdentificationNumberUnifiedSocialCreditCodeOfPurchaser"],
        identifier,
    ),
    (FieldName::NetTotal, &["TotalAmWithoutTax", "TaxExclusiveTotalAmount", "TotalAmountExcludingTax"], decimal),
    (FieldName::TaxTotal, &["TotalTaxAm", "TaxTotalAmount", "TotalTaxAmount"], decimal),
    (
        FieldName::GrossTotal,
        &["TotalTax-includedAmount", "TaxInclusiveTotalAmount", "TaxIncludedAmountInFigures"],
        decimal,
    ),
    (FieldName::GrossUpper, &["TotalTax-includedAmountInChinese", "TaxIncludedAmountInWords"], words),
    (FieldName::PrecedingInvoice, &["OriginalInvoiceNumber", "OriginalInvoiceNo", "OriginalInvoiceCode"], identifier),
    (FieldName::Qr, &["GraphCode"], words),
];

const LINES: [&str; 3] = ["IssuItemInformation", "GoodsInfo", "InformationOfTaxableGoodsOrServicesDetailItemsTuple"];
const LINE: [(LineField, &[&str], Value); 6] = [
    (LineField::Name, &["ItemName", "Item", "NameOfTaxableGoodsOrServices"], words),
    (LineField::Unit, &["MeaUnits", "MeasurementDimension", "UnitOfGoodsOrServices"], words),
    (LineField::Quantity, &["Quantity", "QuantityOfGoodsOrServices"], decimal),
    (LineField::UnitPrice, &["UnPrice", "Price", "UnitPriceOfGoodsOrServices"], decimal),
    (LineField::NetAmount, &["Amount", "AmountExcludingTax"], decimal),
    (LineField::Tax, &["ComTaxAm", "TaxAmount"], decimal),
];
const RATE: [&str; 2] = ["TaxRate", "TaxScheme"];
const REMARKS: [&str; 3] = ["Remark", "Note", "Remarks"];
/// Whose taxonomy an XBRL instance of an invoice uses.
const MINISTRY: &str = "xbrl.mof.gov.cn/taxonomy";

/// Is this element the root of a Chinese invoice?
pub(crate) fn is_root(root: Node<'_, '_>) -> bool {
    let has = |names: &[&str]| {
        root.descendants().filter(Node::is_element).any(|it| {
            let tag = it.tag_name();
            names.contains(&tag.name()) && !text(it).trim().is_empty()
        })
    };
    match root.tag_name().name() {
        "EInvoice" | "eInvoice" => has(NUMBERS),
        "xbrl" => {
            let of_ministry = |it: Node<'_, '_>| it.tag_name().namespace().is_some_and(|it| it.contains(MINISTRY));
            root.children().any(of_ministry) && has(NUMBERS)
        }
        _ => false,
    }
}

/// Reads the invoice below a root for which [`is_root`] holds.
pub(crate) fn read(tree: &Tree, root: Node<'_, '_>) -> Extraction {
    let mut it = Harvest::new(tree, Format::FapiaoXml);
    it.answer.language = Some("zh".to_owned());
    let lines: Vec<Node<'_, '_>> =
        root.descendants().filter(|it| it.is_element() && LINES.contains(&it.tag_name().name())).collect();
    let header = by_name(root);
    let named = |names: &[&str]| -> Vec<Node<'_, '_>> {
        names.iter().flat_map(|it| header.get(it).into_iter().flatten()).copied().collect()
    };
    for (name, names, value) in HEADER {
        let mut nodes = named(names);
        // What stands elsewhere under such a name may be another party's.
        nodes.sort_by_key(|it| !of_party(name, *it));
        let field = nodes.into_iter().find(|it| said(*it)).and_then(|node| it.field(node, value));
        it.answer.fields.single.extend(field.map(|it| (name, it)));
    }
    one_number(&mut it, named(&["InvoiceNumber", "EIid"]).into_iter().map(text).collect());
    for node in named(&REMARKS) {
        let path = tree.path(node);
        for (name, value) in remark(&text(node)) {
            let evidence = Evidence::Element { path: path.clone(), text: text(node) };
            it.answer.fields.single.entry(name).or_insert_with(|| crate::field(value, 0.9, evidence));
        }
    }
    kind(&mut it, root, &header);
    in_yuan(&mut it.answer);
    let n_read = fit::lines(&mut it.answer, lines.len());
    for node in lines.into_iter().take(n_read) {
        let fields = line(&mut it, node);
        if !fields.is_empty() {
            it.answer.lines.push(fields);
        }
    }
    it.answer
}

/// Does the element stand among what the invoice says of the party itself?
fn of_party(name: FieldName, node: Node<'_, '_>) -> bool {
    let part = match name {
        FieldName::SellerName | FieldName::SellerTaxId => "SellerInformation",
        FieldName::BuyerName | FieldName::BuyerTaxId => "BuyerInformation",
        _ => return true,
    };
    node.parent().is_some_and(|it| it.tag_name().name() == part)
}

/// The elements outside of lines, by local name and in their order.
fn by_name<'a, 'input>(root: Node<'a, 'input>) -> BTreeMap<&'a str, Vec<Node<'a, 'input>>> {
    let mut named: BTreeMap<&str, Vec<Node<'_, '_>>> = BTreeMap::new();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if !LINES.contains(&node.tag_name().name()) {
            named.entry(node.tag_name().name()).or_default().push(node);
            open.extend(node.children().filter(Node::is_element));
        }
    }
    // Taken from the end of `open`, so brothers came in reverse.
    for nodes in named.values_mut() {
        nodes.sort_by_key(|it| it.id().get_usize());
    }
    named
}

/// Asterisks stand for what is deliberately not said: the VAT of what is exempt.
fn said(node: Node<'_, '_>) -> bool {
    let text = text(node);
    !text.trim().trim_matches('*').is_empty()
}

/// The number stands twice, in what the seller wrote and in what the tax office added.
fn one_number(it: &mut Harvest<'_>, numbers: Vec<String>) {
    let mut numbers: Vec<&str> = numbers.iter().map(|it| it.trim()).filter(|it| !it.is_empty()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if 1 < numbers.len() {
        let message = format!("the number is given as {}", numbers.join(" and as "));
        it.answer.notes.push(note("several_values", message));
    }
}

/// What the labels say: blue or red, special or ordinary.
fn kind(it: &mut Harvest<'_>, root: Node<'_, '_>, header: &BTreeMap<&str, Vec<Node<'_, '_>>>) {
    let label = |name: &str, part: &str| {
        let label = header.get(name).and_then(|it| it.first()).copied()?;
        all(label, part).into_iter().find(|it| said(*it))
    };
    for name in ["EInvoiceType", "GeneralOrSpecialVAT"] {
        if let Some(node) = label(name, "LabelName") {
            let field = it.field(node, words);
            it.answer.fields.single.extend(field.map(|it| (FieldName::FapiaoKind, it)));
        }
        if let Some(node) = label(name, "LabelCode") {
            let field = it.field(node, words);
            it.answer.fields.single.extend(field.map(|it| (FieldName::TypeCode, it)));
        }
    }
    if let Some(node) = header.get("TypeOfInvoice").and_then(|it| it.first()) {
        let field = it.field(*node, words);
        it.answer.fields.single.extend(field.map(|it| (FieldName::FapiaoKind, it)));
    }
    let blue = label("InIssuType", "LabelCode").map(|it| text(it).trim().to_uppercase());
    let negative = it.answer.text(FieldName::GrossTotal).is_some_and(|it| it.starts_with('-'));
    let reverses = all(root, "EInvoiceData/SpecificInformation/RedEInvoice").into_iter().any(|it| it.has_children());
    let red = match blue.as_deref() {
        Some("Y") => false,
        Some("N") => true,
        _ => negative || reverses || it.answer.field(FieldName::PrecedingInvoice).is_some(),
    };
    if red {
        it.answer.kind = Kind::CreditNote;
    }
}

/// Invoices of China are made out in its currency (增值税专用发票使用规定, and 发票管理办法实施细则 §29); it is the one that the
/// words name.
pub(crate) fn in_yuan(answer: &mut Extraction) {
    let amount = [FieldName::GrossUpper, FieldName::GrossTotal, FieldName::NetTotal]
        .into_iter()
        .find_map(|name| answer.field(name).cloned());
    let field = amount.map(|amount| Field { value: "CNY".to_owned(), ..amount });
    answer.fields.single.extend(field.map(|it| (FieldName::Currency, it)));
}

fn line(it: &mut Harvest<'_>, line: Node<'_, '_>) -> BTreeMap<LineField, Field> {
    let part = |names: &[&str]| names.iter().flat_map(|name| all(line, name)).find(|it| said(*it));
    let mut fields = BTreeMap::new();
    for (name, names, value) in LINE {
        let field = part(names).and_then(|node| it.field(node, value));
        fields.extend(field.map(|it| (name, it)));
    }
    if let Some(node) = part(&RATE) {
        let shown = text(node);
        match rate(&shown) {
            Some(Rate::Percent(_)) => {
                let percent: Value = |text| match rate(text)? {
                    Rate::Percent(percent) => Some(percent),
                    Rate::None(_) => None,
                };
                fields.extend(it.field(node, percent).map(|it| (LineField::VatRate, it)));
            }
            Some(Rate::None(category)) => {
                let evidence = Evidence::Element { path: it.tree.path(node), text: shown };
                fields.insert(LineField::VatCategory, crate::field(category, crate::xml::CONFIDENCE, evidence));
            }
            None => {
                // Leaves its note.
                it.field(node, |_| None);
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests;
