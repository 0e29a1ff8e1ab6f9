//! Elements of Cross Industry Invoice D16B.

use super::{
    Ask, Row, Table, alike, attachable, child_text, count, inside, is, most, no_attribute, not, parent_is, row,
};
use crate::harvest::is_charge;
use crate::rules::codes::{self, List};
use crate::rules::model::{Bg, Bt, attribute, child, children, raw, text};
use roxmltree::Node;

pub(super) static TABLE: Table = Table { named: NAMED, ending: ENDING };

/// In the order of names.
const NAMED: &[(&str, &[Row])] = &[
    (
        "AdditionalReferencedDocument",
        &[row!(
            "BR-52",
            ["BT-122"],
            "each supporting document shall have a reference",
            Ask::Holds(|_, it| !child_text(it, "IssuerAssignedID").is_empty())
        )],
    ),
    (
        "ApplicableHeaderTradeAgreement",
        &[
            row!(
                "CII-SR-455",
                ["BG-6"],
                "the seller may have one contact",
                Ask::Most("SellerTradeParty/DefinedTradeContact", 1)
            ),
            row!(
                "CII-SR-456",
                ["BG-9"],
                "the buyer may have one contact",
                Ask::Most("BuyerTradeParty/DefinedTradeContact", 1)
            ),
            row!(
                "CII-SR-459",
                ["BT-34"],
                "the seller may have one electronic address",
                Ask::Most("SellerTradeParty/URIUniversalCommunication", 1)
            ),
            row!(
                "CII-SR-460",
                ["BT-49"],
                "the buyer may have one electronic address",
                Ask::Most("BuyerTradeParty/URIUniversalCommunication", 1)
            ),
        ],
    ),
    (
        "ApplicableHeaderTradeSettlement",
        &[
            row!("CII-SR-461", ["BT-7"], "one tax point may be given", Ask::Most("ApplicableTradeTax/TaxPointDate", 1)),
            row!(
                "CII-SR-462",
                ["BT-8"],
                "all codes of the tax point shall be the same",
                Ask::Holds(|_, it| {
                    alike(children(it, "ApplicableTradeTax").flat_map(|it| children(it, "DueDateTypeCode")))
                })
            ),
            row!(
                "CII-SR-470",
                ["BT-84"],
                "a credit transfer shall name the account by an IBAN or another identifier",
                Ask::Holds(|_, it| {
                    children(it, "SpecifiedTradeSettlementPaymentMeans")
                        .filter(|it| matches!(child_text(*it, "TypeCode").as_str(), "30" | "58"))
                        .all(|it| {
                            ["IBANID", "ProprietaryID"].iter().any(|id| {
                                children(it, "PayeePartyCreditorFinancialAccount").any(|it| child(it, id).is_some())
                            })
                        })
                })
            ),
        ],
    ),
    (
        "ApplicableProductCharacteristic",
        &[
            row!("CII-SR-069", ["BT-160"], "an attribute of an item shall have one name", Ask::Just("Description", 1)),
            row!("CII-SR-072", ["BT-161"], "an attribute of an item shall have one value", Ask::Just("Value", 1)),
        ],
    ),
    ("AppliedTradeAllowanceCharge", &[most!("CII-SR-440", "ActualAmount", 1)]),
    (
        "AttachmentBinaryObject",
        &[row!(
            "BR-CL-24",
            ["BT-125"],
            "an attachment shall be of a kind that the standard allows",
            Ask::Holds(|_, it| attachable(it))
        )],
    ),
    ("BasisQuantity", UNIT),
    ("BilledQuantity", UNIT),
    (
        "BillingSpecifiedPeriod",
        &[
            not!("CII-DT-068", "StartDateTime/DateTime"),
            not!("CII-DT-069", "DurationMeasure"),
            not!("CII-DT-070", "InclusiveIndicator"),
            not!("CII-DT-071", "Description"),
            not!("CII-DT-072", "EndDateTime/DateTime"),
            not!("CII-DT-073", "CompleteDateTime"),
            not!("CII-DT-074", "OpenIndicator"),
            not!("CII-DT-075", "SeasonCode"),
            not!("CII-DT-076", "ID"),
            not!("CII-DT-077", "Name"),
            not!("CII-DT-078", "SequenceNumeric"),
            not!("CII-DT-079", "StartDateFlexibilityCode"),
            not!("CII-DT-080", "ContinuousIndicator"),
            not!("CII-DT-081", "PurposeCode"),
        ],
    ),
    (
        "CategoryCode",
        &[
            row!(
                "BR-CL-17",
                ["BT-95", "BT-102"],
                "the VAT category shall be a code of UNTDID 5305 that the standard uses",
                Ask::Holds(|_, it| !parent_is(it, "CategoryTradeTax") || codes::lists(List::VatCategories, &text(it)))
            ),
            row!(
                "BR-CL-18",
                ["BT-118", "BT-151"],
                "the VAT category shall be a code of UNTDID 5305 that the standard uses",
                Ask::Holds(|_, it| !parent_is(it, "ApplicableTradeTax") || codes::lists(List::VatCategories, &text(it)))
            ),
        ],
    ),
    (
        "ClassCode",
        &[row!(
            "BR-CL-13",
            ["BT-158"],
            "the scheme of a classification shall be a code of UNTDID 7143",
            Ask::Holds(|_, it| it.attribute("listID").is_none()
                || codes::lists(List::Classifications, attribute(it, "listID")))
        )],
    ),
    (
        "CountryID",
        &[row!(
            "BR-CL-14",
            ["BT-40", "BT-55", "BT-69", "BT-80"],
            "a country shall be a code of ISO 3166-1",
            Ask::Code(List::Countries)
        )],
    ),
    (
        "CrossIndustryInvoice",
        &[
            no_attribute!("CII-DT-013", "languageID"),
            no_attribute!("CII-DT-014", "languageLocaleID"),
            row!(
                "CII-SR-467",
                ["BT-81"],
                "all payment means shall be of one type",
                Ask::Holds(|model, _| alike(model.all(Bg::Payment).flat_map(|it| it.nodes(Bt(81)))))
            ),
            row!(
                "CII-SR-468",
                ["BT-82"],
                "one text may name the means of payment",
                Ask::Holds(|model, _| alike(model.all(Bg::Payment).flat_map(|it| it.nodes(Bt(82)))))
            ),
            row!(
                "CII-SR-469",
                ["BT-83"],
                "one remittance information may be given",
                Ask::Most("SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement/PaymentReference", 1)
            ),
        ],
    ),
    (
        "DateTimeString",
        &[row!(
            "CII-DT-097",
            [],
            "a date shall be a day of the calendar, written YYYYMMDD",
            Ask::Holds(|_, it| {
                // Two types of element have this name; the other one is of references.
                let asked = it.tag_name().namespace().is_none_or(|it| it.contains(":UnqualifiedDataType:"));
                !asked || it.attribute("format") != Some("102") || is_date(&text(it))
            })
        )],
    ),
    (
        "DueDateTypeCode",
        &[row!(
            "BR-CL-06",
            ["BT-8"],
            "the tax point shall be one of the codes 5, 29 and 72 of UNTDID 2475",
            Ask::Holds(|_, it| matches!(text(it).as_ref(), "5" | "29" | "72"))
        )],
    ),
    (
        "ExchangedDocument",
        &[row!("CII-SR-014", ["BT-3"], "an invoice shall have one type code", Ask::Just("TypeCode", 1))],
    ),
    (
        "ExchangedDocumentContext",
        &[
            row!(
                "CII-SR-009",
                ["BT-24"],
                "an invoice shall name one specification",
                Ask::Just("GuidelineSpecifiedDocumentContextParameter", 1)
            ),
            row!(
                "CII-SR-010",
                ["BT-24"],
                "a specification shall have one identifier",
                Ask::Just("GuidelineSpecifiedDocumentContextParameter/ID", 1)
            ),
        ],
    ),
    (
        "ExemptionReasonCode",
        &[row!(
            "BR-CL-22",
            ["BT-121"],
            "the reason of an exemption shall be on the VATEX list",
            Ask::Holds(|_, it| codes::lists(List::Exemptions, &text(it).to_ascii_uppercase()))
        )],
    ),
    (
        "GlobalID",
        &[
            row!(
                "BR-CL-10",
                ["BT-29", "BT-46", "BT-60"],
                "the scheme of an identifier shall be on the list of ISO 6523",
                Ask::Holds(|_, it| {
                    inside(it, "SpecifiedTradeProduct") || inside(it, "ShipToTradeParty") || schemed(it, List::Schemes)
                })
            ),
            row!(
                "BR-CL-21",
                ["BT-157"],
                "the scheme of an item's identifier shall be on the list of ISO 6523",
                Ask::Holds(|_, it| !parent_is(it, "SpecifiedTradeProduct") || schemed(it, List::Schemes))
            ),
            row!(
                "BR-CL-26",
                ["BT-71"],
                "the scheme of a place of delivery shall be on the list of ISO 6523",
                Ask::Holds(|_, it| {
                    let place = it
                        .parent()
                        .filter(|it| is(*it, "ShipToTradeParty"))
                        .is_some_and(|it| parent_is(it, "ApplicableHeaderTradeDelivery"));
                    !place || schemed(it, List::Schemes)
                })
            ),
        ],
    ),
    (
        "ID",
        &[
            row!(
                "BR-CL-11",
                ["BT-30", "BT-47", "BT-61"],
                "the scheme of a legal registration shall be on the list of ISO 6523",
                Ask::Holds(|_, it| it.attribute("schemeID").is_none()
                    || inside(it, "SpecifiedTaxRegistration")
                    || schemed(it, List::Schemes))
            ),
            row!(
                "BR-CL-15",
                ["BT-159"],
                "the country of origin shall be a code of ISO 3166-1",
                Ask::Holds(|_, it| !parent_is(it, "OriginTradeCountry") || codes::lists(List::Countries, &text(it)))
            ),
        ],
    ),
    (
        "InvoiceCurrencyCode",
        &[row!("BR-CL-04", ["BT-5"], "the currency shall be a code of ISO 4217", Ask::Code(List::Currencies))],
    ),
    (
        "PostalTradeAddress",
        &[
            not!("CII-DT-082", "ID"),
            not!("CII-DT-083", "PostOfficeBox"),
            not!("CII-DT-084", "BuildingName"),
            not!("CII-DT-086", "LineFour"),
            not!("CII-DT-087", "LineFive"),
            not!("CII-DT-088", "StreetName"),
            not!("CII-DT-089", "CitySubDivisionName"),
            not!("CII-DT-090", "CountryName"),
            not!("CII-DT-091", "CountrySubDivisionID"),
            not!("CII-DT-092", "AttentionOf"),
            not!("CII-DT-093", "CareOf"),
            not!("CII-DT-094", "BuildingNumber"),
            not!("CII-DT-095", "DepartmentName"),
            not!("CII-DT-096", "AdditionalStreetName"),
        ],
    ),
    (
        "ReasonCode",
        &[
            row!(
                "BR-CL-19",
                ["BT-98", "BT-140"],
                "the reason of an allowance shall be a code of UNTDID 5189",
                Ask::Holds(|_, it| indicator(it) != Some(false) || codes::lists(List::AllowanceReasons, &text(it)))
            ),
            row!(
                "BR-CL-20",
                ["BT-105", "BT-145"],
                "the reason of a charge shall be a code of UNTDID 7161",
                Ask::Holds(|_, it| indicator(it) != Some(true) || codes::lists(List::ChargeReasons, &text(it)))
            ),
        ],
    ),
    (
        "ReferenceTypeCode",
        &[row!(
            "BR-CL-07",
            ["BT-18", "BT-128"],
            "the scheme of an invoiced object shall be a code of UNTDID 1153",
            Ask::Code(List::References)
        )],
    ),
    (
        "SpecifiedLineTradeAgreement",
        &[
            row!(
                "CII-SR-439",
                ["BT-146"],
                "each line shall have one net price",
                Ask::Just("NetPriceProductTradePrice/ChargeAmount", 1)
            ),
            row!(
                "CII-SR-441",
                ["BT-146"],
                "a line may have one net price",
                Ask::Most("NetPriceProductTradePrice/ChargeAmount", 1)
            ),
        ],
    ),
    (
        "SpecifiedTradeAllowanceCharge",
        &[
            row!(
                "CII-SR-463",
                ["BG-20", "BG-21"],
                "an allowance or charge shall say which of the two it is",
                Ask::Holds(|_, it| child(it, "ChargeIndicator").is_some())
            ),
            most!("CII-SR-471", "RateApplicablePercent", 1),
            most!("CII-SR-472", "CategoryTradeTax", 1),
            most!("CII-SR-473", "ActualAmount", 1),
        ],
    ),
    (
        "SpecifiedTradeProduct",
        &[
            row!(
                "CII-SR-046",
                ["BT-157"],
                "the standard identifier of an item shall have a scheme",
                Ask::Holds(|_, it| {
                    let mut ids = children(it, "GlobalID").peekable();
                    ids.peek().is_none() || ids.any(|it| it.attribute("schemeID").is_some())
                })
            ),
            row!(
                "CII-SR-090",
                ["BT-159"],
                "the country of origin shall have one code",
                Ask::Holds(|_, it| child(it, "OriginTradeCountry").is_none() || count(it, "OriginTradeCountry/ID") == 1)
            ),
        ],
    ),
    (
        "SpecifiedTradeSettlementHeaderMonetarySummation",
        &[
            most!("CII-SR-477", "LineTotalAmount", 1),
            most!("CII-SR-478", "ChargeTotalAmount", 1),
            most!("CII-SR-479", "AllowanceTotalAmount", 1),
            most!("CII-SR-480", "TaxBasisTotalAmount", 1),
            most!("CII-SR-481", "RoundingAmount", 1),
            most!("CII-SR-482", "GrandTotalAmount", 1),
            most!("CII-SR-483", "InformationAmount", 1),
            most!("CII-SR-484", "TotalPrepaidAmount", 1),
            most!("CII-SR-485", "TotalDiscountAmount", 1),
            most!("CII-SR-486", "TotalAllowanceChargeAmount", 1),
            most!("CII-SR-487", "DuePayableAmount", 1),
            most!("CII-SR-488", "RetailValueExcludingTaxInformationAmount", 1),
            most!("CII-SR-489", "TotalDepositFeeInformationAmount", 1),
            most!("CII-SR-490", "ProductValueExcludingTobaccoTaxInformationAmount", 1),
            most!("CII-SR-491", "TotalRetailValueInformationAmount", 1),
            most!("CII-SR-492", "GrossLineTotalAmount", 1),
            most!("CII-SR-493", "NetLineTotalAmount", 1),
            most!("CII-SR-494", "NetIncludingTaxesLineTotalAmount", 1),
        ],
    ),
    (
        "SubjectCode",
        &[row!(
            "BR-CL-08",
            ["BT-21"],
            "the subject of a note shall be a code of UNTDID 4451",
            Ask::Code(List::NoteSubjects)
        )],
    ),
    (
        "TaxCurrencyCode",
        &[row!(
            "BR-CL-05",
            ["BT-6"],
            "the currency of the VAT shall be a code of ISO 4217",
            Ask::Code(List::Currencies)
        )],
    ),
    (
        "TaxTotalAmount",
        &[row!(
            "BR-CL-03",
            ["BT-110", "BT-111"],
            "the currency of an amount shall be a code of ISO 4217",
            Ask::Holds(|_, it| it.attribute("currencyID").is_none()
                || codes::lists(List::Currencies, attribute(it, "currencyID")))
        )],
    ),
    (
        "TypeCode",
        &[
            no_attribute!("CII-DT-008", "name"),
            no_attribute!("CII-DT-009", "listURI"),
            row!(
                "BR-CL-01",
                ["BT-3"],
                "the type of a document shall be one of UNTDID 1001",
                Ask::Holds(|_, it| {
                    let code = text(it);
                    let known =
                        || codes::lists(List::InvoiceTypes, &code) || codes::lists(List::CreditNoteTypes, &code);
                    !parent_is(it, "ExchangedDocument") || known()
                })
            ),
            row!(
                "BR-CL-16",
                ["BT-81"],
                "the means of payment shall be a code of UNTDID 4461",
                Ask::Holds(|_, it| !parent_is(it, "SpecifiedTradeSettlementPaymentMeans")
                    || codes::lists(List::PaymentMeans, &text(it)))
            ),
        ],
    ),
    (
        "URIID",
        &[row!(
            "BR-CL-25",
            ["BT-34", "BT-49"],
            "the scheme of an electronic address shall be on the EAS list",
            Ask::Holds(|_, it| !parent_is(it, "URIUniversalCommunication") || schemed(it, List::Addresses))
        )],
    ),
];

const UNIT: &[Row] = &[row!(
    "BR-CL-23",
    ["BT-130", "BT-150"],
    "a unit shall be a code of UNECE Recommendation 20 or 21",
    Ask::Holds(|_, it| it.attribute("unitCode").is_none() || codes::lists(List::Units, attribute(it, "unitCode")))
)];

const ENDING: &[(&str, &[Row])] = &[
    (
        "Amount",
        &[
            row!(
                "CII-DT-031",
                [],
                "only the total VAT says its currency",
                Ask::Holds(|_, it| is(it, "TaxTotalAmount") || it.attribute("currencyID").is_none())
            ),
            row!(
                "CII-DT-032",
                [],
                "no amount says the version of a currency list",
                Ask::Holds(|_, it| is(it, "TaxTotalAmount") || it.attribute("currencyCodeListVersionID").is_none())
            ),
        ],
    ),
    (
        "ID",
        &[
            row!(
                "CII-DT-001",
                [],
                "`schemeName` may not stand at this identifier",
                Ask::Holds(|_, it| !plain(it) || it.attribute("schemeName").is_none())
            ),
            row!(
                "CII-DT-002",
                [],
                "`schemeAgencyName` may not stand at this identifier",
                Ask::Holds(|_, it| !plain(it) || it.attribute("schemeAgencyName").is_none())
            ),
            row!(
                "CII-DT-003",
                [],
                "`schemeDataURI` may not stand at this identifier",
                Ask::Holds(|_, it| !plain(it) || it.attribute("schemeDataURI").is_none())
            ),
            row!(
                "CII-DT-004",
                [],
                "`schemeURI` may not stand at this identifier",
                Ask::Holds(|_, it| !plain(it) || it.attribute("schemeURI").is_none())
            ),
            row!(
                "CII-DT-005",
                [],
                "`schemeID` may not stand at this identifier",
                Ask::Holds(|_, it| !plain(it) || it.attribute("schemeID").is_none())
            ),
            row!(
                "CII-DT-006",
                [],
                "`schemeAgencyID` may not stand at this identifier",
                Ask::Holds(|_, it| !plain(it) || it.attribute("schemeAgencyID").is_none())
            ),
            row!(
                "CII-DT-007",
                [],
                "`schemeVersionID` may not stand at this identifier",
                Ask::Holds(|_, it| !plain(it) || it.attribute("schemeVersionID").is_none())
            ),
            row!(
                "CII-DT-101",
                [],
                "`schemeName` may not stand at an identifier",
                Ask::Holds(|_, it| plain(it) || it.attribute("schemeName").is_none())
            ),
            row!(
                "CII-DT-102",
                [],
                "`schemeAgencyName` may not stand at an identifier",
                Ask::Holds(|_, it| plain(it) || it.attribute("schemeAgencyName").is_none())
            ),
            row!(
                "CII-DT-103",
                [],
                "`schemeDataURI` may not stand at an identifier",
                Ask::Holds(|_, it| plain(it) || it.attribute("schemeDataURI").is_none())
            ),
            row!(
                "CII-DT-104",
                [],
                "`schemeURI` may not stand at an identifier",
                Ask::Holds(|_, it| plain(it) || it.attribute("schemeURI").is_none())
            ),
        ],
    ),
    (
        "Quantity",
        &[
            row!(
                "CII-DT-033",
                ["BT-130"],
                "a quantity has a unit where the invoiced quantities have",
                Ask::Holds(|model, it| {
                    let billed = || {
                        model
                            .all(Bg::Line)
                            .flat_map(|it| it.nodes(Bt(130)))
                            .any(|it| is(it, "BilledQuantity") && it.attribute("unitCode").is_some())
                    };
                    it.attribute("unitCode").is_none() || billed()
                })
            ),
            no_attribute!("CII-DT-034", "unitCodeListID"),
            no_attribute!("CII-DT-035", "unitCodeListAgencyID"),
            no_attribute!("CII-DT-036", "unitCodeListAgencyName"),
        ],
    ),
    (
        "ReferencedDocument",
        &[
            row!(
                "CII-DT-015",
                ["BT-124"],
                "only a supporting document (type 916) has a location",
                Ask::Holds(|_, it| supporting(it, "URIID"))
            ),
            not!("CII-DT-016", "StatusCode"),
            not!("CII-DT-017", "CopyIndicator"),
            row!(
                "CII-DT-018",
                [],
                "only additional documents have a type, one of 50, 130 and 916",
                Ask::Holds(|_, it| {
                    let code = child_text(it, "TypeCode");
                    let known = is(it, "AdditionalReferencedDocument") && matches!(code.as_str(), "50" | "130" | "916");
                    child(it, "TypeCode").is_none() || known
                })
            ),
            not!("CII-DT-019", "GlobalID"),
            not!("CII-DT-020", "RevisionID"),
            row!(
                "CII-DT-021",
                ["BT-123"],
                "only a supporting document (type 916) has a description",
                Ask::Holds(|_, it| supporting(it, "Name"))
            ),
            row!(
                "CII-DT-022",
                ["BT-125"],
                "only a supporting document (type 916) has an attachment",
                Ask::Holds(|_, it| supporting(it, "AttachmentBinaryObject"))
            ),
            not!("CII-DT-023", "Information"),
            row!(
                "CII-DT-024",
                ["BT-18"],
                "only an invoiced object (type 130) has a scheme",
                Ask::Holds(|_, it| {
                    let object = is(it, "AdditionalReferencedDocument") && child_text(it, "TypeCode") == "130";
                    object || child(it, "ReferenceTypeCode").is_none()
                })
            ),
            not!("CII-DT-025", "SectionName"),
            not!("CII-DT-026", "PreviousRevisionID"),
            row!(
                "CII-DT-027",
                ["BT-26"],
                "only a preceding invoice has a date",
                Ask::Holds(|_, it| {
                    is(it, "InvoiceReferencedDocument") || child(it, "FormattedIssueDateTime").is_none()
                })
            ),
            not!("CII-DT-028", "EffectiveSpecifiedPeriod"),
            not!("CII-DT-029", "IssuerTradeParty"),
            not!("CII-DT-030", "AttachedSpecifiedBinaryFile"),
        ],
    ),
    (
        "TradeTax",
        &[row!(
            "CII-DT-037",
            ["BT-118-0", "BT-151-0"],
            "a tax shall be VAT",
            Ask::Holds(|_, it| child(it, "TypeCode").is_none() || children(it, "TypeCode").any(|it| raw(it) == "VAT"))
        )],
    ),
];

/// The four identifiers that are the document's or the line's own.
fn plain(node: Node<'_, '_>) -> bool {
    match node.tag_name().name() {
        "ID" => parent_is(node, "GuidelineSpecifiedDocumentContextParameter") || parent_is(node, "ExchangedDocument"),
        "LineID" => parent_is(node, "AssociatedDocumentLineDocument"),
        "SellerAssignedID" => parent_is(node, "SpecifiedTradeProduct"),
        _ => false,
    }
}

fn supporting(document: Node<'_, '_>, name: &str) -> bool {
    let support = is(document, "AdditionalReferencedDocument") && child_text(document, "TypeCode") == "916";
    support || child(document, name).is_none()
}

/// Where there is a scheme it is on the list.
fn schemed(node: Node<'_, '_>, list: List) -> bool {
    node.attribute("schemeID").is_none() || codes::lists(list, attribute(node, "schemeID"))
}

fn indicator(code: Node<'_, '_>) -> Option<bool> {
    let holder = code.parent().filter(|it| is(*it, "SpecifiedTradeAllowanceCharge"))?;
    is_charge(&child_text(child(holder, "ChargeIndicator")?, "Indicator"))
}

/// Months of 31 days at most, as the published check counts.
fn is_date(text: &str) -> bool {
    let digits = text.len() == 8 && text.bytes().all(|it| it.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|it| it.parse().ok()).unwrap_or(0u8);
    digits && (1..=12).contains(&part(4..6)) && (1..=31).contains(&part(6..8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_name() {
        assert!(NAMED.is_sorted_by_key(|(name, _)| *name));
    }
}
