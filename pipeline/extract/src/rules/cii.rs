//! The binding of UN/CEFACT Cross Industry Invoice D16B (EN 16931-3-3).

use roxmltree::Node;

use super::bind::Bind::{self, Both, Choice, Group, Step, Term};
use super::bind::Row;
use super::model::{Bg, Bt, VAT, child, raw, text};
use crate::harvest::is_charge;

pub(crate) const ROWS: &[Row] = &[
    (
        "ExchangedDocumentContext",
        Step(&[
            ("BusinessProcessSpecifiedDocumentContextParameter", Step(&[("ID", Term(Bt(23)))])),
            ("GuidelineSpecifiedDocumentContextParameter", Step(&[("ID", Term(Bt(24)))])),
        ]),
    ),
    (
        "ExchangedDocument",
        Step(&[
            ("ID", Term(Bt(1))),
            ("TypeCode", Term(Bt(3))),
            ("IssueDateTime", Step(&[("DateTimeString", Choice(|it| dated(it, &ISSUED)))])),
            ("IncludedNote", Group(Bg::Note, &[("SubjectCode", Term(Bt(21))), ("Content", Term(Bt(22)))])),
        ]),
    ),
    (
        "SupplyChainTradeTransaction",
        Step(&[
            ("IncludedSupplyChainTradeLineItem", Group(Bg::Line, LINE)),
            ("ApplicableHeaderTradeAgreement", Step(AGREEMENT)),
            (
                "ApplicableHeaderTradeDelivery",
                Group(
                    Bg::Delivery,
                    &[
                        (
                            "ShipToTradeParty",
                            Step(&[
                                ("ID", Term(Bt(71))),
                                ("GlobalID", Term(Bt(71))),
                                ("Name", Term(Bt(70))),
                                ("PostalTradeAddress", Group(Bg::DeliveryAddress, DELIVERY_ADDRESS)),
                            ]),
                        ),
                        (
                            "ActualDeliverySupplyChainEvent",
                            Step(&[("OccurrenceDateTime", Step(&[("DateTimeString", Term(Bt(72)))]))]),
                        ),
                        ("DespatchAdviceReferencedDocument", Step(&[("IssuerAssignedID", Term(Bt(16)))])),
                        ("ReceivingAdviceReferencedDocument", Step(&[("IssuerAssignedID", Term(Bt(15)))])),
                    ],
                ),
            ),
            ("ApplicableHeaderTradeSettlement", Step(SETTLEMENT)),
        ]),
    ),
];

const AGREEMENT: &[Row] = &[
    ("BuyerReference", Term(Bt(10))),
    (
        "SellerTradeParty",
        Group(
            Bg::Seller,
            &[
                ("ID", Term(Bt(29))),
                ("GlobalID", Term(Bt(29))),
                ("Name", Term(Bt(27))),
                ("Description", Term(Bt(33))),
                ("SpecifiedLegalOrganization", Step(&[("ID", Term(Bt(30))), ("TradingBusinessName", Term(Bt(28)))])),
                (
                    "DefinedTradeContact",
                    Group(
                        Bg::SellerContact,
                        &[
                            ("PersonName", Term(Bt(41))),
                            ("DepartmentName", Term(Bt(41))),
                            ("TelephoneUniversalCommunication", Step(&[("CompleteNumber", Term(Bt(42)))])),
                            ("EmailURIUniversalCommunication", Step(&[("URIID", Term(Bt(43)))])),
                        ],
                    ),
                ),
                ("PostalTradeAddress", Group(Bg::SellerAddress, SELLER_ADDRESS)),
                ("URIUniversalCommunication", Choice(|it| or_itself(it, "URIID", &SELLER_URI))),
                ("SpecifiedTaxRegistration", Step(&[("ID", Choice(|it| by_scheme(it, &SELLER_TAX)))])),
            ],
        ),
    ),
    (
        "BuyerTradeParty",
        Group(
            Bg::Buyer,
            &[
                ("ID", Term(Bt(46))),
                ("GlobalID", Term(Bt(46))),
                ("Name", Term(Bt(44))),
                ("SpecifiedLegalOrganization", Step(&[("ID", Term(Bt(47))), ("TradingBusinessName", Term(Bt(45)))])),
                (
                    "DefinedTradeContact",
                    Group(
                        Bg::BuyerContact,
                        &[
                            ("PersonName", Term(Bt(56))),
                            ("DepartmentName", Term(Bt(56))),
                            ("TelephoneUniversalCommunication", Step(&[("CompleteNumber", Term(Bt(57)))])),
                            ("EmailURIUniversalCommunication", Step(&[("URIID", Term(Bt(58)))])),
                        ],
                    ),
                ),
                ("PostalTradeAddress", Group(Bg::BuyerAddress, BUYER_ADDRESS)),
                ("URIUniversalCommunication", Choice(|it| or_itself(it, "URIID", &BUYER_URI))),
                ("SpecifiedTaxRegistration", Step(&[("ID", Choice(|it| by_scheme(it, &BUYER_TAX)))])),
            ],
        ),
    ),
    (
        "SellerTaxRepresentativeTradeParty",
        Group(
            Bg::Representative,
            &[
                ("Name", Term(Bt(62))),
                ("PostalTradeAddress", Group(Bg::RepresentativeAddress, REPRESENTATIVE_ADDRESS)),
                ("SpecifiedTaxRegistration", Step(&[("ID", Choice(|it| by_scheme(it, &REPRESENTATIVE_TAX)))])),
            ],
        ),
    ),
    ("SellerOrderReferencedDocument", Step(&[("IssuerAssignedID", Term(Bt(14)))])),
    ("BuyerOrderReferencedDocument", Step(&[("IssuerAssignedID", Term(Bt(13)))])),
    ("ContractReferencedDocument", Step(&[("IssuerAssignedID", Term(Bt(12)))])),
    (
        "AdditionalReferencedDocument",
        Group(
            Bg::Support,
            &[
                ("IssuerAssignedID", Term(Bt(122))),
                ("Name", Term(Bt(123))),
                ("URIID", Term(Bt(124))),
                ("AttachmentBinaryObject", Term(Bt(125))),
            ],
        ),
    ),
    ("SpecifiedProcuringProject", Step(&[("ID", Term(Bt(11)))])),
];

const SETTLEMENT: &[Row] = &[
    ("CreditorReferenceID", Term(Bt(90))),
    ("PaymentReference", Term(Bt(83))),
    ("TaxCurrencyCode", Term(Bt(6))),
    ("InvoiceCurrencyCode", Term(Bt(5))),
    (
        "PayeeTradeParty",
        Group(
            Bg::Payee,
            &[
                ("ID", Term(Bt(60))),
                ("GlobalID", Term(Bt(60))),
                ("Name", Term(Bt(59))),
                ("SpecifiedLegalOrganization", Step(&[("ID", Term(Bt(61)))])),
            ],
        ),
    ),
    (
        "SpecifiedTradeSettlementPaymentMeans",
        Group(
            Bg::Payment,
            &[
                ("TypeCode", Term(Bt(81))),
                ("Information", Term(Bt(82))),
                (
                    "ApplicableTradeSettlementFinancialCard",
                    Group(Bg::Card, &[("ID", Term(Bt(87))), ("CardholderName", Term(Bt(88)))]),
                ),
                ("PayerPartyDebtorFinancialAccount", Step(&[("IBANID", Term(Bt(91)))])),
                (
                    "PayeePartyCreditorFinancialAccount",
                    Group(
                        Bg::Account,
                        &[("IBANID", Term(Bt(84))), ("ProprietaryID", Term(Bt(84))), ("AccountName", Term(Bt(85)))],
                    ),
                ),
                ("PayeeSpecifiedCreditorFinancialInstitution", Step(&[("BICID", Term(Bt(86)))])),
            ],
        ),
    ),
    (
        "ApplicableTradeTax",
        Group(
            Bg::VatGroup,
            &[
                ("CalculatedAmount", Term(Bt(117))),
                ("BasisAmount", Term(Bt(116))),
                ("TypeCode", Choice(vat)),
                ("CategoryCode", Term(Bt(118))),
                ("RateApplicablePercent", Term(Bt(119))),
                ("ExemptionReason", Term(Bt(120))),
                ("ExemptionReasonCode", Term(Bt(121))),
                ("TaxPointDate", Step(&[("DateString", Term(Bt(7)))])),
                ("DueDateTypeCode", Term(Bt(8))),
            ],
        ),
    ),
    (
        "BillingSpecifiedPeriod",
        Group(
            Bg::Period,
            &[
                ("StartDateTime", Choice(|it| or_itself(it, "DateTimeString", &START))),
                ("EndDateTime", Choice(|it| or_itself(it, "DateTimeString", &END))),
            ],
        ),
    ),
    ("SpecifiedTradeAllowanceCharge", Choice(|it| by_indicator(it, &ALLOWANCE, &CHARGE).or(Some(&UNSIGNED)))),
    (
        "SpecifiedTradePaymentTerms",
        Step(&[
            ("Description", Term(Bt(20))),
            ("DueDateDateTime", Step(&[("DateTimeString", Term(Bt(9)))])),
            ("DirectDebitMandateID", Group(Bg::DirectDebit, &[])),
        ]),
    ),
    (
        "SpecifiedTradeSettlementHeaderMonetarySummation",
        Group(
            Bg::Totals,
            &[
                ("LineTotalAmount", Term(Bt(106))),
                ("ChargeTotalAmount", Term(Bt(108))),
                ("AllowanceTotalAmount", Term(Bt(107))),
                ("TaxBasisTotalAmount", Term(Bt(109))),
                ("TaxTotalAmount", Term(Bt(110))),
                ("RoundingAmount", Term(Bt(114))),
                ("GrandTotalAmount", Term(Bt(112))),
                ("TotalPrepaidAmount", Term(Bt(113))),
                ("DuePayableAmount", Term(Bt(115))),
            ],
        ),
    ),
    (
        "InvoiceReferencedDocument",
        Group(
            Bg::Preceding,
            &[
                ("IssuerAssignedID", Term(Bt(25))),
                ("FormattedIssueDateTime", Step(&[("DateTimeString", Term(Bt(26)))])),
            ],
        ),
    ),
    ("ReceivableSpecifiedTradeAccountingAccount", Step(&[("ID", Term(Bt(19)))])),
];

const LINE: &[Row] = &[
    (
        "AssociatedDocumentLineDocument",
        Step(&[("LineID", Term(Bt(126))), ("IncludedNote", Step(&[("Content", Term(Bt(127)))]))]),
    ),
    (
        "SpecifiedTradeProduct",
        Step(&[
            ("GlobalID", Term(Bt(157))),
            ("SellerAssignedID", Term(Bt(155))),
            ("BuyerAssignedID", Term(Bt(156))),
            ("Name", Term(Bt(153))),
            ("Description", Term(Bt(154))),
            (
                "ApplicableProductCharacteristic",
                Group(Bg::Attribute, &[("Description", Term(Bt(160))), ("Value", Term(Bt(161)))]),
            ),
            ("DesignatedProductClassification", Step(&[("ClassCode", Term(Bt(158)))])),
            ("OriginTradeCountry", Step(&[("ID", Term(Bt(159)))])),
        ]),
    ),
    (
        "SpecifiedLineTradeAgreement",
        Step(&[
            ("BuyerOrderReferencedDocument", Step(&[("LineID", Term(Bt(132)))])),
            (
                "GrossPriceProductTradePrice",
                Step(&[
                    ("ChargeAmount", Term(Bt(148))),
                    ("AppliedTradeAllowanceCharge", Step(&[("ActualAmount", Term(Bt(147)))])),
                ]),
            ),
            (
                "NetPriceProductTradePrice",
                Step(&[("ChargeAmount", Term(Bt(146))), ("BasisQuantity", Both(&[Term(Bt(149)), Term(Bt(150))]))]),
            ),
        ]),
    ),
    ("SpecifiedLineTradeDelivery", Step(&[("BilledQuantity", Both(&[Term(Bt(129)), Term(Bt(130))]))])),
    (
        "SpecifiedLineTradeSettlement",
        Step(&[
            (
                "ApplicableTradeTax",
                Group(
                    Bg::LineVat,
                    &[
                        ("TypeCode", Choice(vat)),
                        ("CategoryCode", Term(Bt(151))),
                        ("RateApplicablePercent", Term(Bt(152))),
                    ],
                ),
            ),
            (
                "BillingSpecifiedPeriod",
                Group(
                    Bg::LinePeriod,
                    &[
                        ("StartDateTime", Choice(|it| or_itself(it, "DateTimeString", &LINE_START))),
                        ("EndDateTime", Choice(|it| or_itself(it, "DateTimeString", &LINE_END))),
                    ],
                ),
            ),
            ("SpecifiedTradeAllowanceCharge", Choice(|it| by_indicator(it, &LINE_ALLOWANCE, &LINE_CHARGE))),
            ("SpecifiedTradeSettlementLineMonetarySummation", Step(&[("LineTotalAmount", Term(Bt(131)))])),
            ("AdditionalReferencedDocument", Step(&[("IssuerAssignedID", Term(Bt(128)))])),
            ("ReceivableSpecifiedTradeAccountingAccount", Step(&[("ID", Term(Bt(133)))])),
        ]),
    ),
];

macro_rules! address {
    ($line:literal, $second:literal, $city:literal, $code:literal, $region:literal, $country:literal, $third:literal) => {
        &[
            ("LineOne", Term(Bt($line))),
            ("LineTwo", Term(Bt($second))),
            ("LineThree", Term(Bt($third))),
            ("CityName", Term(Bt($city))),
            ("PostcodeCode", Term(Bt($code))),
            ("CountrySubDivisionName", Term(Bt($region))),
            ("CountryID", Term(Bt($country))),
        ]
    };
}
const SELLER_ADDRESS: &[Row] = address!(35, 36, 37, 38, 39, 40, 162);
const BUYER_ADDRESS: &[Row] = address!(50, 51, 52, 53, 54, 55, 163);
const REPRESENTATIVE_ADDRESS: &[Row] = address!(64, 65, 66, 67, 68, 69, 164);
const DELIVERY_ADDRESS: &[Row] = address!(75, 76, 77, 78, 79, 80, 165);

static ISSUED: Bind = Term(Bt(2));

static ALLOWANCE: Bind = Group(
    Bg::Allowance,
    &[
        ("ActualAmount", Term(Bt(92))),
        ("BasisAmount", Term(Bt(93))),
        ("CalculationPercent", Term(Bt(94))),
        ("Reason", Term(Bt(97))),
        ("ReasonCode", Term(Bt(98))),
        (
            "CategoryTradeTax",
            Step(&[("TypeCode", Choice(vat)), ("CategoryCode", Term(Bt(95))), ("RateApplicablePercent", Term(Bt(96)))]),
        ),
    ],
);
static CHARGE: Bind = Group(
    Bg::Charge,
    &[
        ("ActualAmount", Term(Bt(99))),
        ("BasisAmount", Term(Bt(100))),
        ("CalculationPercent", Term(Bt(101))),
        ("Reason", Term(Bt(104))),
        ("ReasonCode", Term(Bt(105))),
        (
            "CategoryTradeTax",
            Step(&[
                ("TypeCode", Choice(vat)),
                ("CategoryCode", Term(Bt(102))),
                ("RateApplicablePercent", Term(Bt(103))),
            ]),
        ),
    ],
);
static UNSIGNED: Bind =
    Group(Bg::Unsigned, &[("CategoryTradeTax", Step(&[("TypeCode", Choice(vat)), ("CategoryCode", Term(Bt(95)))]))]);
static LINE_ALLOWANCE: Bind = Group(
    Bg::LineAllowance,
    &[
        ("ActualAmount", Term(Bt(136))),
        ("BasisAmount", Term(Bt(137))),
        ("CalculationPercent", Term(Bt(138))),
        ("Reason", Term(Bt(139))),
        ("ReasonCode", Term(Bt(140))),
    ],
);
static LINE_CHARGE: Bind = Group(
    Bg::LineCharge,
    &[
        ("ActualAmount", Term(Bt(141))),
        ("BasisAmount", Term(Bt(142))),
        ("CalculationPercent", Term(Bt(143))),
        ("Reason", Term(Bt(144))),
        ("ReasonCode", Term(Bt(145))),
    ],
);
static SELLER_URI: [Bind; 2] = [Step(&[("URIID", Term(Bt(34)))]), Term(Bt(34))];
static BUYER_URI: [Bind; 2] = [Step(&[("URIID", Term(Bt(49)))]), Term(Bt(49))];
static START: [Bind; 2] = [Step(&[("DateTimeString", Term(Bt(73)))]), Term(Bt(73))];
static END: [Bind; 2] = [Step(&[("DateTimeString", Term(Bt(74)))]), Term(Bt(74))];
static LINE_START: [Bind; 2] = [Step(&[("DateTimeString", Term(Bt(134)))]), Term(Bt(134))];
static LINE_END: [Bind; 2] = [Step(&[("DateTimeString", Term(Bt(135)))]), Term(Bt(135))];
static SCHEME: Bind = Term(VAT);

static SELLER_TAX: [Bind; 2] = [Term(Bt(31)), Term(Bt(32))];
static BUYER_TAX: [Bind; 2] = [Term(Bt(48)), Step(&[])];
static REPRESENTATIVE_TAX: [Bind; 2] = [Term(Bt(63)), Step(&[])];

/// Dates are written as `YYYYMMDD`, which is format 102 of UNTDID 2379; others are not read.
fn dated(node: Node<'_, '_>, bind: &'static Bind) -> Option<&'static Bind> {
    (node.attribute("format") == Some("102")).then_some(bind)
}

/// `VA` is a VAT identifier, `FC` one of the tax office.
fn by_scheme(node: Node<'_, '_>, [vat, office]: &'static [Bind; 2]) -> Option<&'static Bind> {
    match node.attribute("schemeID") {
        Some("VA") => Some(vat),
        Some("FC") => Some(office),
        _ => None,
    }
}

/// In this syntax the published checks do not pass over the space around a type.
fn vat(code: Node<'_, '_>) -> Option<&'static Bind> {
    raw(code).eq_ignore_ascii_case("VAT").then_some(&SCHEME)
}

/// An element that is there without its value is there all the same.
fn or_itself(node: Node<'_, '_>, name: &str, [value, itself]: &'static [Bind; 2]) -> Option<&'static Bind> {
    Some(if child(node, name).is_some() { value } else { itself })
}

fn by_indicator(node: Node<'_, '_>, allowance: &'static Bind, charge: &'static Bind) -> Option<&'static Bind> {
    let charged = is_charge(&text(child(node, "ChargeIndicator").and_then(|it| child(it, "Indicator"))?))?;
    Some(if charged { charge } else { allowance })
}
