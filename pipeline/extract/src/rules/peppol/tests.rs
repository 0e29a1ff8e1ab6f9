#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use crate::rules::tests::check;
use crate::xml;

/// A small invoice that breaks no rule of Peppol, from an Austrian to a French party.
pub(in crate::rules) const INVOICE: &str = r#"<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0</cbc:CustomizationID>
<cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>
<cbc:ID>R-1</cbc:ID><cbc:IssueDate>2026-06-10</cbc:IssueDate><cbc:DueDate>2026-07-10</cbc:DueDate><cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode><cbc:BuyerReference>4711</cbc:BuyerReference>
<cac:InvoicePeriod><cbc:StartDate>2026-06-01</cbc:StartDate><cbc:EndDate>2026-06-30</cbc:EndDate></cac:InvoicePeriod>
<cac:AccountingSupplierParty><cac:Party><cbc:EndpointID schemeID="0088">4006381333931</cbc:EndpointID>
<cac:PostalAddress><cbc:StreetName>Kajen 1</cbc:StreetName><cbc:CityName>Ystad</cbc:CityName><cbc:PostalZone>27139</cbc:PostalZone><cac:Country><cbc:IdentificationCode>AT</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
<cac:PartyTaxScheme><cbc:CompanyID>ATU12345678</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
<cac:PartyLegalEntity><cbc:RegistrationName>Nordwind</cbc:RegistrationName><cbc:CompanyID>5560001234</cbc:CompanyID></cac:PartyLegalEntity>
<cac:Contact><cbc:Name>Ada</cbc:Name><cbc:Telephone>+46 40 1</cbc:Telephone><cbc:ElectronicMail>ada@nordwind.example</cbc:ElectronicMail></cac:Contact>
</cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cbc:EndpointID schemeID="0009">123</cbc:EndpointID>
<cac:PostalAddress><cbc:CityName>Brest</cbc:CityName><cbc:PostalZone>29200</cbc:PostalZone><cac:Country><cbc:IdentificationCode>FR</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
<cac:PartyLegalEntity><cbc:RegistrationName>Hafenkontor SA</cbc:RegistrationName></cac:PartyLegalEntity>
</cac:Party></cac:AccountingCustomerParty>
<cac:PaymentMeans><cbc:PaymentMeansCode>58</cbc:PaymentMeansCode><cac:PayeeFinancialAccount><cbc:ID>DE89 3704 0044 0532 0130 00</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
<cac:PaymentTerms><cbc:Note>Within 30 days.</cbc:Note></cac:PaymentTerms>
<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator><cbc:AllowanceChargeReason>Rebate</cbc:AllowanceChargeReason><cbc:MultiplierFactorNumeric>5</cbc:MultiplierFactorNumeric><cbc:Amount currencyID="EUR">10.00</cbc:Amount><cbc:BaseAmount currencyID="EUR">200.00</cbc:BaseAmount>
<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:AllowanceCharge>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">50.00</cbc:TaxAmount><cac:TaxSubtotal>
<cbc:TaxableAmount currencyID="EUR">200.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">50.00</cbc:TaxAmount>
<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">210.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="EUR">200.00</cbc:TaxExclusiveAmount><cbc:TaxInclusiveAmount currencyID="EUR">250.00</cbc:TaxInclusiveAmount>
<cbc:AllowanceTotalAmount currencyID="EUR">10.00</cbc:AllowanceTotalAmount><cbc:PayableAmount currencyID="EUR">250.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">2</cbc:InvoicedQuantity><cbc:LineExtensionAmount currencyID="EUR">210.00</cbc:LineExtensionAmount>
<cac:InvoicePeriod><cbc:StartDate>2026-06-02</cbc:StartDate><cbc:EndDate>2026-06-29</cbc:EndDate></cac:InvoicePeriod>
<cac:Item><cbc:Name>Rudder</cbc:Name><cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>
<cac:Price><cbc:PriceAmount currencyID="EUR">1050.00</cbc:PriceAmount><cbc:BaseQuantity unitCode="C62">10</cbc:BaseQuantity></cac:Price></cac:InvoiceLine>
</Invoice>"#;

#[test]
fn a_sound_invoice_over_peppol_breaks_no_rule() {
    check(INVOICE, "R-1", "R-1", &[]);
    assert_eq!(xml::read(INVOICE.as_bytes()).unwrap().profile.as_deref(), Some("peppol"));
}

#[test]
fn peppol_asks_its_own_rules_where_bt_24_names_it_and_only_there() {
    let process = "<cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>";
    check(INVOICE, process, "", &["PEPPOL-EN16931-R001", "PEPPOL-EN16931-R007"]);
    let plain = INVOICE.replace("#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0", "");
    check(&plain, process, "", &[]);
}

#[test]
fn each_rule_of_peppol_tells_its_own_breach() {
    for (from, to, expected) in [
        ("<cbc:BuyerReference>4711</cbc:BuyerReference>", "", &["PEPPOL-EN16931-R003"][..]),
        ("billing:3.0<", "billing:3.0::x<", &["PEPPOL-EN16931-R004"]),
        ("billing:01:1.0", "billing:x1:1.0", &["PEPPOL-EN16931-R007"]),
        ("<cbc:EndpointID schemeID=\"0009\">123</cbc:EndpointID>", "", &["PEPPOL-EN16931-R010"]),
        ("schemeID=\"0009\"", "schemeID=\"EM\"", &["PEPPOL-EN16931-CL008"]),
        ("4006381333931", "4006381333932", &["PEPPOL-COMMON-R040"]),
        (">200.00</cbc:BaseAmount>", ">210.00</cbc:BaseAmount>", &["PEPPOL-EN16931-R040"]),
        // Two hundredths off are let pass.
        (">200.00</cbc:BaseAmount>", ">200.40</cbc:BaseAmount>", &[]),
        ("<cbc:BaseAmount currencyID=\"EUR\">200.00</cbc:BaseAmount>", "", &["PEPPOL-EN16931-R041"]),
        ("<cbc:MultiplierFactorNumeric>5</cbc:MultiplierFactorNumeric>", "", &["PEPPOL-EN16931-R042"]),
        ("2026-06-02", "2026-05-31", &["PEPPOL-EN16931-R110"]),
        ("2026-06-29", "2026-07-01", &["PEPPOL-EN16931-R111"]),
        (">1050.00<", ">1060.00<", &["PEPPOL-EN16931-R120"]),
        ("<cbc:BaseQuantity unitCode=\"C62\">", "<cbc:BaseQuantity unitCode=\"KGM\">", &["PEPPOL-EN16931-R130"]),
        (">380<", ">384<", &["PEPPOL-EN16931-P0112"]),
        (">380<", ">389<", &["PEPPOL-EN16931-P0100"]),
        ("2026-07-10", "2026-02-30", &["PEPPOL-EN16931-F001"]),
        (">Rebate<", "><", &["PEPPOL-EN16931-R008"]),
        (">AT<", ">IT<", &[]),
    ] {
        check(INVOICE, from, to, expected);
    }
}

#[test]
fn the_country_of_the_seller_adds_its_rules() {
    let danish = INVOICE.replace(">AT<", ">DK<");
    check(&danish, "R-1", "R-1", &["DK-R-014"]);
    check(&danish, "<cbc:CompanyID>5560001234<", "<cbc:CompanyID schemeID=\"0184\">12345678<", &[]);
    let swedish = INVOICE.replace(">AT<", ">SE<").replace("ATU12345678", "SE556000123401");
    check(&swedish, "R-1", "R-1", &["SE-R-013"]);
    check(&swedish, ">5560001234<", ">2021005489<", &[]);
    let german = INVOICE.replace(">AT<", ">DE<").replace(">FR<", ">DE<");
    check(&german, ">Ystad<", "> <", &["DE-R-003", "PEPPOL-EN16931-R008"]);
}

#[test]
fn self_billing_has_types_of_its_own() {
    let invoice = INVOICE.replace("poacc:billing", "poacc:selfbilling");
    check(&invoice, ">380<", ">389<", &[]);
    check(&invoice, "R-1", "R-1", &["PEPPOL-EN16931-P0100"]);
}

proptest! {
    /// Whatever stands for a number of a register, it is told to be one or not to be one.
    #[test]
    fn any_text_may_stand_for_a_number(scheme in "0088|0192|0184|0208|0201|0210|0211|0007|0151|0096|0198|0106|0190|9944|0217", number in "[^<&\\p{Cc}\\p{Cn}\\p{Co}]{0,24}") {
        let document = INVOICE.replace("schemeID=\"0088\">4006381333931", &format!("schemeID=\"{scheme}\">{number}"));
        prop_assert!(xml::read(document.as_bytes()).is_ok());
    }
}
