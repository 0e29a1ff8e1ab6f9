//! The binding of UBL 2.1 Invoice and CreditNote (EN 16931-3-2).

use roxmltree::Node;

use super::bind::Bind::{self, Both, Choice, Group, Step, Term};
use super::bind::Row;
use super::model::{Bg, Bt, VAT, child, text};
use crate::harvest::is_charge;

pub(crate) const ROWS: &[Row] = &[
    ("CustomizationID", Term(Bt(24))),
    ("ProfileID", Term(Bt(23))),
    ("ID", Term(Bt(1))),
    ("IssueDate", Term(Bt(2))),
    ("DueDate", Term(Bt(9))),
    ("InvoiceTypeCode", Term(Bt(3))),
    ("CreditNoteTypeCode", Term(Bt(3))),
    ("Note", Group(Bg::Note, &[])),
    ("TaxPointDate", Term(Bt(7))),
    ("DocumentCurrencyCode", Term(Bt(5))),
    ("TaxCurrencyCode", Term(Bt(6))),
    ("AccountingCost", Term(Bt(19))),
    ("BuyerReference", Term(Bt(10))),
    (
        "InvoicePeriod",
        Group(Bg::Period, &[("StartDate", Term(Bt(73))), ("EndDate", Term(Bt(74))), ("DescriptionCode", Term(Bt(8)))]),
    ),
    ("OrderReference", Step(&[("ID", Term(Bt(13))), ("SalesOrderID", Term(Bt(14)))])),
    (
        "BillingReference",
        Group(
            Bg::Preceding,
            &[("InvoiceDocumentReference", Step(&[("ID", Term(Bt(25))), ("IssueDate", Term(Bt(26)))]))],
        ),
    ),
    ("DespatchDocumentReference", Step(&[("ID", Term(Bt(16)))])),
    ("ReceiptDocumentReference", Step(&[("ID", Term(Bt(15)))])),
    ("OriginatorDocumentReference", Step(&[("ID", Term(Bt(17)))])),
    ("ContractDocumentReference", Step(&[("ID", Term(Bt(12)))])),
    ("ProjectReference", Step(&[("ID", Term(Bt(11)))])),
    (
        "AdditionalDocumentReference",
        Group(
            Bg::Support,
            &[
                ("ID", Term(Bt(122))),
                ("DocumentDescription", Term(Bt(123))),
                (
                    "Attachment",
                    Step(&[
                        ("EmbeddedDocumentBinaryObject", Term(Bt(125))),
                        ("ExternalReference", Step(&[("URI", Term(Bt(124)))])),
                    ]),
                ),
            ],
        ),
    ),
    (
        "AccountingSupplierParty",
        Group(
            Bg::Seller,
            &[(
                "Party",
                Step(&[
                    ("EndpointID", Term(Bt(34))),
                    ("PartyIdentification", Step(&[("ID", Choice(seller_id))])),
                    ("PartyName", Step(&[("Name", Term(Bt(28)))])),
                    ("PostalAddress", Group(Bg::SellerAddress, SELLER_ADDRESS)),
                    ("PartyTaxScheme", Choice(|it| by_scheme(it, &SELLER_TAX))),
                    (
                        "PartyLegalEntity",
                        Step(&[
                            ("RegistrationName", Term(Bt(27))),
                            ("CompanyID", Term(Bt(30))),
                            ("CompanyLegalForm", Term(Bt(33))),
                        ]),
                    ),
                    (
                        "Contact",
                        Group(
                            Bg::SellerContact,
                            &[("Name", Term(Bt(41))), ("Telephone", Term(Bt(42))), ("ElectronicMail", Term(Bt(43)))],
                        ),
                    ),
                ]),
            )],
        ),
    ),
    (
        "AccountingCustomerParty",
        Group(
            Bg::Buyer,
            &[(
                "Party",
                Step(&[
                    ("EndpointID", Term(Bt(49))),
                    ("PartyIdentification", Step(&[("ID", Term(Bt(46)))])),
                    ("PartyName", Step(&[("Name", Term(Bt(45)))])),
                    ("PostalAddress", Group(Bg::BuyerAddress, BUYER_ADDRESS)),
                    ("PartyTaxScheme", Choice(|it| by_scheme(it, &BUYER_TAX))),
                    ("PartyLegalEntity", Step(&[("RegistrationName", Term(Bt(44))), ("CompanyID", Term(Bt(47)))])),
                    (
                        "Contact",
                        Group(
                            Bg::BuyerContact,
                            &[("Name", Term(Bt(56))), ("Telephone", Term(Bt(57))), ("ElectronicMail", Term(Bt(58)))],
                        ),
                    ),
                ]),
            )],
        ),
    ),
    (
        "PayeeParty",
        Group(
            Bg::Payee,
            &[
                ("PartyIdentification", Step(&[("ID", Choice(payee_id))])),
                ("PartyName", Step(&[("Name", Term(Bt(59)))])),
                ("PartyLegalEntity", Step(&[("CompanyID", Term(Bt(61)))])),
            ],
        ),
    ),
    (
        "TaxRepresentativeParty",
        Group(
            Bg::Representative,
            &[
                ("PartyName", Step(&[("Name", Term(Bt(62)))])),
                ("PostalAddress", Group(Bg::RepresentativeAddress, REPRESENTATIVE_ADDRESS)),
                ("PartyTaxScheme", Choice(|it| by_scheme(it, &REPRESENTATIVE_TAX))),
            ],
        ),
    ),
    (
        "Delivery",
        Group(
            Bg::Delivery,
            &[
                ("ActualDeliveryDate", Term(Bt(72))),
                (
                    "DeliveryLocation",
                    Step(&[("ID", Term(Bt(71))), ("Address", Group(Bg::DeliveryAddress, DELIVERY_ADDRESS))]),
                ),
                ("DeliveryParty", Step(&[("PartyName", Step(&[("Name", Term(Bt(70)))]))])),
            ],
        ),
    ),
    (
        "PaymentMeans",
        Group(
            Bg::Payment,
            &[
                ("PaymentMeansCode", Term(Bt(81))),
                ("PaymentID", Term(Bt(83))),
                (
                    "PayeeFinancialAccount",
                    Group(
                        Bg::Account,
                        &[
                            ("ID", Term(Bt(84))),
                            ("Name", Term(Bt(85))),
                            ("FinancialInstitutionBranch", Step(&[("ID", Term(Bt(86)))])),
                        ],
                    ),
                ),
                (
                    "CardAccount",
                    Group(Bg::Card, &[("PrimaryAccountNumberID", Term(Bt(87))), ("HolderName", Term(Bt(88)))]),
                ),
                (
                    "PaymentMandate",
                    Group(
                        Bg::DirectDebit,
                        &[("ID", Term(Bt(89))), ("PayerFinancialAccount", Step(&[("ID", Term(Bt(91)))]))],
                    ),
                ),
            ],
        ),
    ),
    ("PaymentTerms", Step(&[("Note", Term(Bt(20)))])),
    ("AllowanceCharge", Choice(|it| by_indicator(it, &ALLOWANCE, &CHARGE).or(Some(&UNSIGNED)))),
    (
        "TaxTotal",
        Group(
            Bg::TaxTotal,
            &[
                ("TaxAmount", Term(Bt(110))),
                (
                    "TaxSubtotal",
                    Group(
                        Bg::VatGroup,
                        &[
                            ("TaxableAmount", Term(Bt(116))),
                            ("TaxAmount", Term(Bt(117))),
                            (
                                "TaxCategory",
                                Step(&[
                                    ("ID", Term(Bt(118))),
                                    ("Percent", Term(Bt(119))),
                                    ("TaxExemptionReason", Term(Bt(120))),
                                    ("TaxExemptionReasonCode", Term(Bt(121))),
                                    ("TaxScheme", Choice(vat)),
                                ]),
                            ),
                        ],
                    ),
                ),
            ],
        ),
    ),
    (
        "LegalMonetaryTotal",
        Group(
            Bg::Totals,
            &[
                ("LineExtensionAmount", Term(Bt(106))),
                ("AllowanceTotalAmount", Term(Bt(107))),
                ("ChargeTotalAmount", Term(Bt(108))),
                ("TaxExclusiveAmount", Term(Bt(109))),
                ("TaxInclusiveAmount", Term(Bt(112))),
                ("PrepaidAmount", Term(Bt(113))),
                ("PayableRoundingAmount", Term(Bt(114))),
                ("PayableAmount", Term(Bt(115))),
            ],
        ),
    ),
    ("InvoiceLine", Group(Bg::Line, LINE)),
    ("CreditNoteLine", Group(Bg::Line, LINE)),
];

const LINE: &[Row] = &[
    ("ID", Term(Bt(126))),
    ("Note", Term(Bt(127))),
    ("InvoicedQuantity", Both(&[Term(Bt(129)), Term(Bt(130))])),
    ("CreditedQuantity", Both(&[Term(Bt(129)), Term(Bt(130))])),
    ("LineExtensionAmount", Term(Bt(131))),
    ("AccountingCost", Term(Bt(133))),
    ("InvoicePeriod", Group(Bg::LinePeriod, &[("StartDate", Term(Bt(134))), ("EndDate", Term(Bt(135)))])),
    ("OrderLineReference", Step(&[("LineID", Term(Bt(132)))])),
    ("DocumentReference", Step(&[("ID", Term(Bt(128)))])),
    ("AllowanceCharge", Choice(|it| by_indicator(it, &LINE_ALLOWANCE, &LINE_CHARGE))),
    (
        "Item",
        Step(&[
            ("Description", Term(Bt(154))),
            ("Name", Term(Bt(153))),
            ("BuyersItemIdentification", Step(&[("ID", Term(Bt(156)))])),
            ("SellersItemIdentification", Step(&[("ID", Term(Bt(155)))])),
            ("StandardItemIdentification", Step(&[("ID", Term(Bt(157)))])),
            ("OriginCountry", Step(&[("IdentificationCode", Term(Bt(159)))])),
            ("CommodityClassification", Step(&[("ItemClassificationCode", Term(Bt(158)))])),
            ("ClassifiedTaxCategory", LINE_VAT),
            ("AdditionalItemProperty", ATTRIBUTE),
        ]),
    ),
    ("SubInvoiceLine", Choice(|_| Some(&SUB_LINE))),
    (
        "Price",
        Step(&[
            ("PriceAmount", Term(Bt(146))),
            ("BaseQuantity", Both(&[Term(Bt(149)), Term(Bt(150))])),
            ("AllowanceCharge", Step(&[("Amount", Term(Bt(147))), ("BaseAmount", Term(Bt(148)))])),
        ]),
    ),
];

macro_rules! address {
    ($line:literal, $second:literal, $city:literal, $code:literal, $region:literal, $country:literal, $third:literal) => {
        &[
            ("StreetName", Term(Bt($line))),
            ("AdditionalStreetName", Term(Bt($second))),
            ("AddressLine", Step(&[("Line", Term(Bt($third)))])),
            ("CityName", Term(Bt($city))),
            ("PostalZone", Term(Bt($code))),
            ("CountrySubentity", Term(Bt($region))),
            ("Country", Step(&[("IdentificationCode", Term(Bt($country)))])),
        ]
    };
}
const SELLER_ADDRESS: &[Row] = address!(35, 36, 37, 38, 39, 40, 162);
const BUYER_ADDRESS: &[Row] = address!(50, 51, 52, 53, 54, 55, 163);
const REPRESENTATIVE_ADDRESS: &[Row] = address!(64, 65, 66, 67, 68, 69, 164);
const DELIVERY_ADDRESS: &[Row] = address!(75, 76, 77, 78, 79, 80, 165);

static ALLOWANCE: Bind = Group(
    Bg::Allowance,
    &[
        ("Amount", Term(Bt(92))),
        ("BaseAmount", Term(Bt(93))),
        ("MultiplierFactorNumeric", Term(Bt(94))),
        ("TaxCategory", Step(&[("ID", Term(Bt(95))), ("Percent", Term(Bt(96))), ("TaxScheme", Choice(vat))])),
        ("AllowanceChargeReason", Term(Bt(97))),
        ("AllowanceChargeReasonCode", Term(Bt(98))),
    ],
);
static CHARGE: Bind = Group(
    Bg::Charge,
    &[
        ("Amount", Term(Bt(99))),
        ("BaseAmount", Term(Bt(100))),
        ("MultiplierFactorNumeric", Term(Bt(101))),
        ("TaxCategory", Step(&[("ID", Term(Bt(102))), ("Percent", Term(Bt(103))), ("TaxScheme", Choice(vat))])),
        ("AllowanceChargeReason", Term(Bt(104))),
        ("AllowanceChargeReasonCode", Term(Bt(105))),
    ],
);
static UNSIGNED: Bind = Group(
    Bg::Unsigned,
    &[("TaxCategory", Step(&[("ID", Term(Bt(95))), ("Percent", Term(Bt(96))), ("TaxScheme", Choice(vat))]))],
);
static LINE_ALLOWANCE: Bind = Group(
    Bg::LineAllowance,
    &[
        ("Amount", Term(Bt(136))),
        ("BaseAmount", Term(Bt(137))),
        ("MultiplierFactorNumeric", Term(Bt(138))),
        ("AllowanceChargeReason", Term(Bt(139))),
        ("AllowanceChargeReasonCode", Term(Bt(140))),
    ],
);
static LINE_CHARGE: Bind = Group(
    Bg::LineCharge,
    &[
        ("Amount", Term(Bt(141))),
        ("BaseAmount", Term(Bt(142))),
        ("MultiplierFactorNumeric", Term(Bt(143))),
        ("AllowanceChargeReason", Term(Bt(144))),
        ("AllowanceChargeReasonCode", Term(Bt(145))),
    ],
);
const ATTRIBUTE: Bind = Group(Bg::Attribute, &[("Name", Term(Bt(160))), ("Value", Term(Bt(161)))]);
const LINE_VAT: Bind =
    Group(Bg::LineVat, &[("ID", Term(Bt(151))), ("Percent", Term(Bt(152))), ("TaxScheme", Choice(vat))]);
static SUB_LINE: Bind = Group(
    Bg::SubLine,
    &[
        ("Item", Step(&[("ClassifiedTaxCategory", LINE_VAT), ("AdditionalItemProperty", ATTRIBUTE)])),
        ("SubInvoiceLine", Choice(|_| Some(&SUB_LINE))),
    ],
);
static SCHEME: Bind = Term(VAT);

static SELLER_TAX: [Bind; 2] = [Step(&[("CompanyID", Term(Bt(31)))]), Step(&[("CompanyID", Term(Bt(32)))])];
static BUYER_TAX: [Bind; 2] = [Step(&[("CompanyID", Term(Bt(48)))]), Step(&[])];
static REPRESENTATIVE_TAX: [Bind; 2] = [Step(&[("CompanyID", Term(Bt(63)))]), Step(&[])];

static SELLER_ID: Bind = Term(Bt(29));
static PAYEE_ID: Bind = Term(Bt(60));
static CREDITOR_ID: Bind = Term(Bt(90));

/// The identifier of a creditor in SEPA (BT-90) stands among the identifiers of the party that is paid.
fn seller_id(node: Node<'_, '_>) -> Option<&'static Bind> {
    Some(if sepa(node) { &CREDITOR_ID } else { &SELLER_ID })
}

fn payee_id(node: Node<'_, '_>) -> Option<&'static Bind> {
    Some(if sepa(node) { &CREDITOR_ID } else { &PAYEE_ID })
}

fn sepa(node: Node<'_, '_>) -> bool {
    node.attribute("schemeID").is_some_and(|it| it == "SEPA")
}

/// The first for VAT, the second for every other scheme.
fn by_scheme(node: Node<'_, '_>, [vat, other]: &'static [Bind; 2]) -> Option<&'static Bind> {
    Some(if is_vat(node) { vat } else { other })
}

fn vat(scheme: Node<'_, '_>) -> Option<&'static Bind> {
    is_vat_scheme(scheme).then_some(&SCHEME)
}

fn is_vat(node: Node<'_, '_>) -> bool {
    child(node, "TaxScheme").is_some_and(is_vat_scheme)
}

fn is_vat_scheme(scheme: Node<'_, '_>) -> bool {
    child(scheme, "ID").is_some_and(|it| text(it).eq_ignore_ascii_case("VAT"))
}

fn by_indicator(node: Node<'_, '_>, allowance: &'static Bind, charge: &'static Bind) -> Option<&'static Bind> {
    let charged = is_charge(&text(child(node, "ChargeIndicator")?))?;
    Some(if charged { charge } else { allowance })
}
