//! Elements of UBL 2.1.

use super::{Ask, Row, Table, alike, attachable, child_text, inside, is, most, parent_is, row};
use crate::harvest::is_charge;
use crate::rules::codes::{self, List};
use crate::rules::decimals::short;
use crate::rules::model::{Bg, Bt, Model, attribute, child, children, raw, text};
use roxmltree::Node;

pub(super) static TABLE: Table = Table { named: NAMED, ending: ENDING };

/// BT-110 and its like, each with its currency.
const AMOUNT: &[Row] = &[row!(
    "BR-CL-03",
    ["BT-5"],
    "the currency of an amount shall be a code of ISO 4217",
    Ask::AttributeCode("currencyID", List::Currencies)
)];
const QUANTITY: &[Row] = &[row!(
    "BR-CL-23",
    ["BT-130", "BT-150"],
    "a unit shall be a code of UNECE Recommendation 20 or 21",
    Ask::Holds(|_, it| it.attribute("unitCode").is_none() || codes::lists(List::Units, attribute(it, "unitCode")))
)];
const SUPPORT: &[Row] = &[
    most!("UBL-SR-33", "DocumentDescription", 1),
    row!(
        "UBL-SR-43",
        ["BT-18"],
        "the scheme of a document's reference is for the invoiced object (type 130)",
        Ask::Holds(|_, it| {
            let types = || children(it, "DocumentTypeCode").map(text);
            let credit = is(it.document().root_element(), "CreditNote");
            let plain = types().next().is_none() && children(it, "ID").all(|it| it.attribute("schemeID").is_none());
            types().any(|it| it == "130" || (credit && it == "50")) || plain
        })
    ),
    row!(
        "UBL-CR-666",
        ["BT-18"],
        "the reference to the invoiced object shall have no attachment",
        Ask::Holds(|_, it| child_text(it, "DocumentTypeCode") != "130" || children(it, "Attachment").next().is_none())
    ),
    row!(
        "UBL-CR-673",
        ["BT-18"],
        "the reference to the invoiced object shall have no description",
        Ask::Holds(
            |_, it| child_text(it, "DocumentTypeCode") != "130" || children(it, "DocumentDescription").next().is_none()
        )
    ),
];
const ADDRESS: &[Row] = &[most!("UBL-SR-51", "AddressLine", 1)];
const LINE: &[Row] = &[
    most!("UBL-SR-34", "Note", 1),
    most!("UBL-SR-35", "OrderLineReference/LineID", 1),
    most!("UBL-SR-36", "InvoicePeriod", 1),
    most!("UBL-SR-37", "Price/AllowanceCharge/Amount", 1),
    row!("UBL-SR-48", ["BG-30"], "each line shall have one VAT category", Ask::Just("Item/ClassifiedTaxCategory", 1)),
    most!("UBL-SR-50", "Item/Description", 1),
    most!("UBL-SR-52", "DocumentReference", 1),
];
const DOCUMENT: &[Row] = &[
    most!("UBL-SR-01", "ContractDocumentReference/ID", 1),
    most!("UBL-SR-02", "ReceiptDocumentReference/ID", 1),
    most!("UBL-SR-03", "DespatchDocumentReference/ID", 1),
    row!(
        "UBL-SR-04",
        ["BT-18"],
        "one invoiced object may be named",
        Ask::Holds(|_, it| {
            let objects =
                children(it, "AdditionalDocumentReference").filter(|it| child_text(*it, "DocumentTypeCode") == "130");
            objects.map(|it| children(it, "ID").count()).sum::<usize>() <= 1
        })
    ),
    most!("UBL-SR-05", "PaymentTerms/Note", 1),
    most!("UBL-SR-08", "InvoicePeriod", 1),
    most!("UBL-SR-09", "AccountingSupplierParty/Party/PartyLegalEntity/RegistrationName", 1),
    most!("UBL-SR-10", "AccountingSupplierParty/Party/PartyName/Name", 1),
    most!("UBL-SR-11", "AccountingSupplierParty/Party/PartyLegalEntity/CompanyID", 1),
    row!(
        "UBL-SR-12",
        ["BT-31"],
        "the seller may have one VAT identifier",
        Ask::Holds(|_, it| n_taxes(it, "AccountingSupplierParty", true) <= 1)
    ),
    row!(
        "UBL-SR-13",
        ["BT-32"],
        "the seller may have one tax registration",
        Ask::Holds(|_, it| n_taxes(it, "AccountingSupplierParty", false) <= 1)
    ),
    most!("UBL-SR-14", "AccountingSupplierParty/Party/PartyLegalEntity/CompanyLegalForm", 1),
    most!("UBL-SR-15", "AccountingCustomerParty/Party/PartyLegalEntity/RegistrationName", 1),
    most!("UBL-SR-16", "AccountingCustomerParty/Party/PartyIdentification/ID", 1),
    most!("UBL-SR-17", "AccountingCustomerParty/Party/PartyLegalEntity/CompanyID", 1),
    row!(
        "UBL-SR-18",
        ["BT-48"],
        "the buyer may have one VAT identifier",
        Ask::Holds(|_, it| n_taxes(it, "AccountingCustomerParty", true) <= 1)
    ),
    most!("UBL-SR-24", "Delivery", 1),
    row!(
        "UBL-SR-29",
        ["BT-90"],
        "one bank assigned creditor identifier may be given",
        Ask::Holds(|_, it| {
            let ids = it.descendants().filter(|it| is(*it, "ID") && parent_is(*it, "PartyIdentification"));
            ids.filter(|it| it.attribute("schemeID").is_some_and(|it| it.eq_ignore_ascii_case("SEPA"))).count() <= 1
        })
    ),
    most!("UBL-SR-39", "ProjectReference/ID", 1),
    most!("UBL-SR-40", "AccountingCustomerParty/Party/PartyName/Name", 1),
    row!(
        "UBL-SR-44",
        ["BT-83"],
        "one remittance information may be given",
        Ask::Holds(|model, _| alike(model.all(Bg::Payment).flat_map(|it| it.nodes(Bt(83)))))
    ),
    most!("UBL-SR-45", "PaymentMeans/PaymentDueDate", 1),
    row!(
        "UBL-SR-46",
        ["BT-82"],
        "one text may name the means of payment",
        Ask::Holds(|model, _| {
            let codes = model.all(Bg::Payment).flat_map(|it| it.nodes(Bt(81)));
            codes.filter(|it| it.attribute("name").is_some()).count() <= 1
        })
    ),
    row!(
        "UBL-SR-47",
        ["BT-81"],
        "all payment means shall be of one type",
        Ask::Holds(|model, _| alike(model.all(Bg::Payment).flat_map(|it| it.nodes(Bt(81)))))
    ),
    most!("UBL-SR-49", "InvoicePeriod/DescriptionCode", 1),
    most!("UBL-SR-54", "PaymentMeans/CardAccount", 1),
    most!("UBL-SR-55", "PaymentMeans/PaymentMandate", 1),
    most!("UBL-SR-56", "OriginatorDocumentReference/ID", 1),
];

/// In the order of names.
const NAMED: &[(&str, &[Row])] = &[
    ("AccountingSupplierParty", &[most!("UBL-SR-42", "Party/PartyTaxScheme", 2)]),
    ("AdditionalDocumentReference", SUPPORT),
    ("Address", ADDRESS),
    (
        "AllowanceCharge",
        &[
            row!(
                "UBL-SR-30",
                ["BT-97", "BT-139"],
                "an allowance may have one reason",
                Ask::Holds(|_, it| indicator(it) != Some(false) || children(it, "AllowanceChargeReason").count() <= 1)
            ),
            row!(
                "UBL-SR-31",
                ["BT-104", "BT-144"],
                "a charge may have one reason",
                Ask::Holds(|_, it| indicator(it) != Some(true) || children(it, "AllowanceChargeReason").count() <= 1)
            ),
        ],
    ),
    (
        "AllowanceChargeReasonCode",
        &[
            row!(
                "BR-CL-19",
                ["BT-98", "BT-140"],
                "the reason of an allowance shall be a code of UNTDID 5189",
                Ask::Holds(|_, it| reason(it) != Some(false) || codes::lists(List::AllowanceReasons, &text(it)))
            ),
            row!(
                "BR-CL-20",
                ["BT-105", "BT-145"],
                "the reason of a charge shall be a code of UNTDID 7161",
                Ask::Holds(|_, it| reason(it) != Some(true) || codes::lists(List::ChargeReasons, &text(it)))
            ),
        ],
    ),
    ("AllowanceTotalAmount", AMOUNT),
    ("Amount", AMOUNT),
    ("BaseAmount", AMOUNT),
    ("BaseQuantity", QUANTITY),
    (
        "BillingReference",
        &[
            most!("UBL-SR-06", "InvoiceDocumentReference", 1),
            row!(
                "UBL-SR-07",
                ["BT-25"],
                "a preceding invoice shall have its reference",
                Ask::Holds(|_, it| super::count(it, "InvoiceDocumentReference/ID") > 0)
            ),
        ],
    ),
    ("ChargeTotalAmount", AMOUNT),
    (
        "CompanyID",
        &[row!(
            "BR-CL-11",
            ["BT-30", "BT-47", "BT-61"],
            "the scheme of a legal registration shall be on the list of ISO 6523",
            Ask::Holds(|_, it| !parent_is(it, "PartyLegalEntity") || schemed(it, List::Schemes))
        )],
    ),
    ("CreditNote", DOCUMENT),
    ("CreditNoteLine", LINE),
    (
        "CreditNoteTypeCode",
        &[row!(
            "BR-CL-01",
            ["BT-3"],
            "the type of a credit note shall be one of UNTDID 1001",
            Ask::Code(List::CreditNoteTypes)
        )],
    ),
    ("CreditedQuantity", QUANTITY),
    ("Delivery", &[most!("UBL-SR-25", "DeliveryParty/PartyName/Name", 1)]),
    (
        "DescriptionCode",
        &[row!(
            "BR-CL-06",
            ["BT-8"],
            "the tax point shall be one of the codes 3, 35 and 432 of UNTDID 2005",
            Ask::Holds(|_, it| !parent_is(it, "InvoicePeriod") || matches!(text(it).as_ref(), "3" | "35" | "432"))
        )],
    ),
    (
        "DocumentCurrencyCode",
        &[row!("BR-CL-04", ["BT-5"], "the currency shall be a code of ISO 4217", Ask::Code(List::Currencies))],
    ),
    (
        "EmbeddedDocumentBinaryObject",
        &[row!(
            "BR-CL-24",
            ["BT-125"],
            "an attachment shall be of a kind that the standard allows",
            Ask::Holds(|_, it| attachable(it))
        )],
    ),
    (
        "EndpointID",
        &[row!(
            "BR-CL-25",
            ["BT-34", "BT-49"],
            "the scheme of an electronic address shall be on the EAS list",
            Ask::Holds(|_, it| schemed(it, List::Addresses))
        )],
    ),
    (
        "ID",
        &[
            row!(
                "BR-CL-07",
                ["BT-18", "BT-128"],
                "the scheme of an invoiced object shall be a code of UNTDID 1153",
                Ask::Holds(|_, it| {
                    let object = it.parent().is_some_and(|it| {
                        (is(it, "AdditionalDocumentReference") || is(it, "DocumentReference"))
                            && child_text(it, "DocumentTypeCode") == "130"
                    });
                    !object || schemed(it, List::References)
                })
            ),
            row!(
                "BR-CL-10",
                ["BT-29", "BT-46", "BT-60"],
                "the scheme of an identifier shall be on the list of ISO 6523",
                Ask::Holds(|_, it| {
                    let sepa = attribute(it, "schemeID") == "SEPA"
                        && (inside(it, "AccountingSupplierParty") || inside(it, "PayeeParty"));
                    !parent_is(it, "PartyIdentification") || sepa || schemed(it, List::Schemes)
                })
            ),
            row!(
                "BR-CL-17",
                ["BT-95", "BT-102", "BT-118"],
                "the VAT category shall be a code of UNTDID 5305 that the standard uses",
                Ask::Holds(|_, it| !parent_is(it, "TaxCategory") || codes::lists(List::VatCategories, &text(it)))
            ),
            row!(
                "BR-CL-18",
                ["BT-151"],
                "the VAT category of a line shall be a code of UNTDID 5305 that the standard uses",
                Ask::Holds(
                    |_, it| !parent_is(it, "ClassifiedTaxCategory") || codes::lists(List::VatCategories, &text(it))
                )
            ),
            row!(
                "BR-CL-21",
                ["BT-157"],
                "the scheme of an item's identifier shall be on the list of ISO 6523",
                Ask::Holds(|_, it| !parent_is(it, "StandardItemIdentification") || schemed(it, List::Schemes))
            ),
            row!(
                "BR-CL-26",
                ["BT-71"],
                "the scheme of a place of delivery shall be on the list of ISO 6523",
                Ask::Holds(|_, it| !parent_is(it, "DeliveryLocation") || schemed(it, List::Schemes))
            ),
        ],
    ),
    (
        "IdentificationCode",
        &[
            row!(
                "BR-CL-14",
                ["BT-40", "BT-55", "BT-69", "BT-80"],
                "a country shall be a code of ISO 3166-1",
                Ask::Holds(|_, it| !parent_is(it, "Country") || codes::lists(List::Countries, &text(it)))
            ),
            row!(
                "BR-CL-15",
                ["BT-159"],
                "the country of origin shall be a code of ISO 3166-1",
                Ask::Holds(|_, it| !parent_is(it, "OriginCountry") || codes::lists(List::Countries, &text(it)))
            ),
        ],
    ),
    ("Invoice", DOCUMENT),
    ("InvoiceLine", LINE),
    (
        "InvoiceTypeCode",
        &[row!(
            "BR-CL-01",
            ["BT-3"],
            "the type of an invoice shall be one of UNTDID 1001",
            Ask::Code(List::InvoiceTypes)
        )],
    ),
    ("InvoicedQuantity", QUANTITY),
    (
        "ItemClassificationCode",
        &[row!(
            "BR-CL-13",
            ["BT-158"],
            "the scheme of a classification shall be a code of UNTDID 7143",
            Ask::Holds(|_, it| it.attribute("listID").is_none()
                || codes::lists(List::Classifications, attribute(it, "listID")))
        )],
    ),
    ("LineExtensionAmount", AMOUNT),
    (
        "Note",
        &[row!(
            "BR-CL-08",
            ["BT-21"],
            "the subject of a note shall be a code of UNTDID 4451",
            Ask::Holds(|_, it| {
                let document = it.parent().is_some_and(|it| is(it, "Invoice") || is(it, "CreditNote"));
                !document || subject(&text(it)).is_none_or(|it| codes::lists(List::NoteSubjects, it))
            })
        )],
    ),
    (
        "PartyTaxScheme",
        &[row!(
            "UBL-SR-53",
            ["BT-31", "BT-32"],
            "a tax identifier and its scheme shall stand together",
            Ask::Holds(|_, it| super::count(it, "TaxScheme/ID") > 0 && super::count(it, "CompanyID") > 0)
        )],
    ),
    ("PayableAmount", AMOUNT),
    ("PayableRoundingAmount", AMOUNT),
    (
        "PayeeParty",
        &[
            row!(
                "UBL-SR-19",
                ["BT-59"],
                "a payee shall have one name, which is not the seller's",
                Ask::Holds(|model, it| super::count(it, "PartyName/Name") <= 1 && other_name(model, it))
            ),
            row!(
                "UBL-SR-20",
                ["BT-60"],
                "a payee other than the seller may have one identifier",
                Ask::Holds(|model, it| {
                    let ids = children(it, "PartyIdentification").flat_map(|it| children(it, "ID"));
                    let n_ids = ids.filter(|it| !attribute(*it, "schemeID").eq_ignore_ascii_case("SEPA")).count();
                    n_ids <= 1 && other_name(model, it)
                })
            ),
            row!(
                "UBL-SR-21",
                ["BT-61"],
                "a payee other than the seller may have one legal registration",
                Ask::Holds(|model, it| super::count(it, "PartyLegalEntity/CompanyID") <= 1 && other_name(model, it))
            ),
        ],
    ),
    (
        "PaymentMeans",
        &[
            most!("UBL-SR-26", "PaymentID", 1),
            most!("UBL-SR-27", "PaymentMeansCode", 1),
            most!("UBL-SR-28", "PaymentMandate/ID", 1),
        ],
    ),
    (
        "PaymentMeansCode",
        &[row!(
            "BR-CL-16",
            ["BT-81"],
            "the means of payment shall be a code of UNTDID 4461",
            Ask::Holds(|_, it| !parent_is(it, "PaymentMeans") || codes::lists(List::PaymentMeans, &text(it)))
        )],
    ),
    ("PostalAddress", ADDRESS),
    ("PrepaidAmount", AMOUNT),
    ("PriceAmount", AMOUNT),
    ("TaxAmount", AMOUNT),
    (
        "TaxCurrencyCode",
        &[row!(
            "BR-CL-05",
            ["BT-6"],
            "the currency of the VAT shall be a code of ISO 4217",
            Ask::Code(List::Currencies)
        )],
    ),
    ("TaxExclusiveAmount", AMOUNT),
    (
        "TaxExemptionReasonCode",
        &[row!(
            "BR-CL-22",
            ["BT-121"],
            "the reason of an exemption shall be on the VATEX list",
            Ask::Holds(|_, it| codes::lists(List::Exemptions, &text(it).to_ascii_uppercase()))
        )],
    ),
    ("TaxInclusiveAmount", AMOUNT),
    (
        "TaxRepresentativeParty",
        &[most!("UBL-SR-22", "PartyName/Name", 1), most!("UBL-SR-23", "PartyTaxScheme/CompanyID", 1)],
    ),
    ("TaxSubtotal", &[most!("UBL-SR-32", "TaxCategory/TaxExemptionReason", 1)]),
    ("TaxableAmount", AMOUNT),
];

const ENDING: &[(&str, &[Row])] = &[
    (
        "Amount",
        &[row!(
            "UBL-DT-01",
            [],
            "amounts may have two decimals",
            Ask::Holds(|_, it| {
                let price = it.tag_name().name().ends_with("PriceAmount");
                price || short(&raw(it)) || (inside(it, "AllowanceCharge") && inside(it, "Price"))
            })
        )],
    ),
    (
        "BinaryObject",
        &[
            row!(
                "UBL-DT-06",
                ["BT-125"],
                "an attachment shall say of what kind it is",
                Ask::Holds(|_, it| it.attribute("mimeCode").is_some())
            ),
            row!(
                "UBL-DT-07",
                ["BT-125"],
                "an attachment shall have a file name",
                Ask::Holds(|_, it| it.attribute("filename").is_some())
            ),
        ],
    ),
];

/// Where there is a scheme it is on the list.
fn schemed(node: Node<'_, '_>, list: List) -> bool {
    node.attribute("schemeID").is_none() || codes::lists(list, attribute(node, "schemeID"))
}

/// The tax identifiers of a party with the scheme of VAT, or with another; the space around a scheme makes it another.
fn n_taxes(document: Node<'_, '_>, party: &str, vat: bool) -> usize {
    let schemes =
        children(document, party).flat_map(|it| children(it, "Party")).flat_map(|it| children(it, "PartyTaxScheme"));
    let of = |it: &Node<'_, '_>| {
        let scheme = child(*it, "TaxScheme");
        scheme.is_some_and(|it| child(it, "ID").is_some_and(|it| raw(it).eq_ignore_ascii_case("VAT")) == vat)
    };
    schemes.filter(of).map(|it| children(it, "CompanyID").count()).sum()
}

fn indicator(node: Node<'_, '_>) -> Option<bool> {
    is_charge(&child_text(node, "ChargeIndicator"))
}

fn reason(code: Node<'_, '_>) -> Option<bool> {
    code.parent().filter(|it| is(*it, "AllowanceCharge")).and_then(indicator)
}

/// The code between the first two number signs, where there are three characters between them.
fn subject(note: &str) -> Option<&str> {
    let (_, rest) = note.split_once('#')?;
    let (code, _) = rest.split_once('#')?;
    (code.chars().count() == 3).then_some(code)
}

/// Has the payee a name other than the seller's registered one?
fn other_name(model: &Model<'_, '_>, payee: Node<'_, '_>) -> bool {
    let mut names = children(payee, "PartyName").flat_map(|it| children(it, "Name"));
    let sellers = || model.all(Bg::Seller).flat_map(|it| it.nodes(Bt(27)));
    names.any(|name| sellers().any(|seller| text(seller) != text(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_name() {
        assert!(NAMED.is_sorted_by_key(|(name, _)| *name));
    }
}
