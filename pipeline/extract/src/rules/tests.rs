#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::fmt::Write as _;

use proptest::prelude::*;

use super::codes::{List, lists};
use crate::{read, xml};

/// A small invoice that breaks no rule: two lines, an allowance, one rate.
const UBL: &str = r#"<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
<cbc:ID>R-1</cbc:ID><cbc:IssueDate>2026-06-10</cbc:IssueDate><cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cac:AccountingSupplierParty><cac:Party>
<cac:PostalAddress><cac:Country><cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
<cac:PartyTaxScheme><cbc:CompanyID>DE136695976</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
<cac:PartyLegalEntity><cbc:RegistrationName>Nordwind GmbH</cbc:RegistrationName></cac:PartyLegalEntity>
</cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party>
<cac:PostalAddress><cac:Country><cbc:IdentificationCode>FR</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
<cac:PartyLegalEntity><cbc:RegistrationName>Hafenkontor SA</cbc:RegistrationName></cac:PartyLegalEntity>
</cac:Party></cac:AccountingCustomerParty>
<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator><cbc:AllowanceChargeReason>Rebate</cbc:AllowanceChargeReason><cbc:Amount currencyID="EUR">10.00</cbc:Amount>
<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:AllowanceCharge>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">38.00</cbc:TaxAmount><cac:TaxSubtotal>
<cbc:TaxableAmount currencyID="EUR">200.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">38.00</cbc:TaxAmount>
<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">210.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="EUR">200.00</cbc:TaxExclusiveAmount><cbc:TaxInclusiveAmount currencyID="EUR">238.00</cbc:TaxInclusiveAmount>
<cbc:AllowanceTotalAmount currencyID="EUR">10.00</cbc:AllowanceTotalAmount><cbc:PayableAmount currencyID="EUR">238.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">2</cbc:InvoicedQuantity><cbc:LineExtensionAmount currencyID="EUR">200.00</cbc:LineExtensionAmount>
<cac:Item><cbc:Name>Rudder</cbc:Name><cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>
<cac:Price><cbc:PriceAmount currencyID="EUR">100.00</cbc:PriceAmount></cac:Price></cac:InvoiceLine>
<cac:InvoiceLine><cbc:ID>2</cbc:ID><cbc:InvoicedQuantity unitCode="C62">1</cbc:InvoicedQuantity><cbc:LineExtensionAmount currencyID="EUR">10.00</cbc:LineExtensionAmount>
<cac:Item><cbc:Name>Pin</cbc:Name><cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>
<cac:Price><cbc:PriceAmount currencyID="EUR">10.00</cbc:PriceAmount></cac:Price></cac:InvoiceLine>
</Invoice>"#;

/// The same in the other syntax.
const CII: &str = r#"<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100" xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100" xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn:cen.eu:en16931:2017</ram:ID></ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>R-1</ram:ID><ram:TypeCode>380</ram:TypeCode><ram:IssueDateTime><udt:DateTimeString format="102">20260610</udt:DateTimeString></ram:IssueDateTime></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>
<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID></ram:AssociatedDocumentLineDocument><ram:SpecifiedTradeProduct><ram:Name>Rudder</ram:Name></ram:SpecifiedTradeProduct>
<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>100.00</ram:ChargeAmount></ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
<ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="C62">2</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>
<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>19</ram:RateApplicablePercent></ram:ApplicableTradeTax>
<ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>210.00</ram:LineTotalAmount></ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement></ram:IncludedSupplyChainTradeLineItem>
<ram:ApplicableHeaderTradeAgreement>
<ram:SellerTradeParty><ram:Name>Nordwind GmbH</ram:Name><ram:PostalTradeAddress><ram:CountryID>DE</ram:CountryID></ram:PostalTradeAddress><ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">DE136695976</ram:ID></ram:SpecifiedTaxRegistration></ram:SellerTradeParty>
<ram:BuyerTradeParty><ram:Name>Hafenkontor SA</ram:Name><ram:PostalTradeAddress><ram:CountryID>FR</ram:CountryID></ram:PostalTradeAddress></ram:BuyerTradeParty></ram:ApplicableHeaderTradeAgreement>
<ram:ApplicableHeaderTradeDelivery/>
<ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
<ram:ApplicableTradeTax><ram:CalculatedAmount>38.00</ram:CalculatedAmount><ram:TypeCode>VAT</ram:TypeCode><ram:BasisAmount>200.00</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>19</ram:RateApplicablePercent></ram:ApplicableTradeTax>
<ram:SpecifiedTradeAllowanceCharge><ram:ChargeIndicator><udt:Indicator>false</udt:Indicator></ram:ChargeIndicator><ram:ActualAmount>10.00</ram:ActualAmount><ram:Reason>Rebate</ram:Reason><ram:CategoryTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>19</ram:RateApplicablePercent></ram:CategoryTradeTax></ram:SpecifiedTradeAllowanceCharge>
<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount>210.00</ram:LineTotalAmount><ram:AllowanceTotalAmount>10.00</ram:AllowanceTotalAmount><ram:TaxBasisTotalAmount>200.00</ram:TaxBasisTotalAmount><ram:TaxTotalAmount currencyID="EUR">38.00</ram:TaxTotalAmount><ram:GrandTotalAmount>238.00</ram:GrandTotalAmount><ram:DuePayableAmount>238.00</ram:DuePayableAmount></ram:SpecifiedTradeSettlementHeaderMonetarySummation>
</ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"#;

/// The rules that a document breaks once `from` is `to`, each once, in the order of their ids.
#[track_caller]
pub(super) fn check(document: &str, from: &str, to: &str, expected: &[&str]) {
    assert!(document.contains(from), "`{from}` is not in the document");
    let answer = xml::read(document.replacen(from, to, 1).as_bytes()).unwrap();
    let mut found: Vec<&str> = answer.breaches.iter().map(|it| it.rule.as_str()).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, expected, "`{from}` to `{to}`");
}

#[test]
fn a_sound_invoice_breaks_no_rule_in_either_syntax() {
    check(UBL, "R-1", "R-1", &[]);
    check(CII, "R-1", "R-1", &[]);
    assert_eq!(xml::read(UBL.as_bytes()).unwrap().profile.as_deref(), Some("en16931"));
}

#[test]
fn a_missing_value_breaks_its_own_rule() {
    for (from, to, expected) in [
        ("<cbc:ID>R-1</cbc:ID>", "<cbc:ID> </cbc:ID>", &["BR-02"][..]),
        ("<cbc:IssueDate>2026-06-10</cbc:IssueDate>", "", &["BR-03"]),
        ("<cbc:RegistrationName>Nordwind GmbH</cbc:RegistrationName>", "", &["BR-06"]),
        (" unitCode=\"C62\"", "", &["BR-23"]),
        ("<cbc:AllowanceChargeReason>Rebate</cbc:AllowanceChargeReason>", "", &["BR-33", "BR-CO-21"]),
        ("<cbc:PayableAmount currencyID=\"EUR\">238.00</cbc:PayableAmount>", "", &["BR-15", "BR-CO-16"]),
        // An identifier of the tax office is enough for the standard rate, but does not tell who the seller is.
        (
            ">DE136695976</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT",
            ">18/182/1821</cbc:CompanyID><cac:TaxScheme><cbc:ID>TAX",
            &["BR-CO-26"],
        ),
    ] {
        check(UBL, from, to, expected);
    }
    for (from, to, expected) in [
        ("<ram:ID>R-1</ram:ID>", "", &["BR-02"][..]),
        (" format=\"102\"", " format=\"203\"", &["BR-03"]),
        ("<ram:PostalTradeAddress><ram:CountryID>FR</ram:CountryID></ram:PostalTradeAddress>", "", &["BR-10", "BR-11"]),
        ("schemeID=\"VA\"", "schemeID=\"FC\"", &["BR-CO-26"]),
        ("<ram:ChargeAmount>100.00</ram:ChargeAmount>", "", &["BR-26", "BR-27", "CII-SR-439"]),
    ] {
        check(CII, from, to, expected);
    }
}

#[test]
fn totals_that_do_not_follow_from_each_other_are_told_apart() {
    for (from, to, expected) in [
        (">210.00<", ">211.00<", &["BR-CO-10", "BR-CO-13"][..]),
        (">10.00</cbc:AllowanceTotalAmount>", ">11.00</cbc:AllowanceTotalAmount>", &["BR-CO-11", "BR-CO-13"]),
        (
            "<cac:TaxTotal><cbc:TaxAmount currencyID=\"EUR\">38.00<",
            "<cac:TaxTotal><cbc:TaxAmount currencyID=\"EUR\">39.00<",
            &["BR-CO-14", "BR-CO-15"],
        ),
        (">238.00</cbc:PayableAmount>", ">237.99</cbc:PayableAmount>", &["BR-CO-16"]),
        // Less than a whole unit off is let pass by the standard.
        (">200.00</cbc:TaxableAmount>", ">199.01</cbc:TaxableAmount>", &[]),
        (">200.00</cbc:TaxableAmount>", ">190.00</cbc:TaxableAmount>", &["BR-CO-17", "BR-S-08", "BR-S-09"]),
        (
            ">200.00</cbc:TaxExclusiveAmount>",
            ">99999999999999999999999999999999</cbc:TaxExclusiveAmount>",
            &["BR-CO-13", "BR-CO-15"],
        ),
        (">200.00</cbc:TaxExclusiveAmount>", ">2e2</cbc:TaxExclusiveAmount>", &["BR-CO-13", "BR-CO-15"]),
        (
            ">238.00</cbc:TaxInclusiveAmount>",
            ">238.001</cbc:TaxInclusiveAmount>",
            &["BR-CO-15", "BR-CO-16", "BR-DEC-14", "UBL-DT-01"],
        ),
    ] {
        check(UBL, from, to, expected);
    }
    for (from, to, expected) in [
        (
            "<ram:TaxTotalAmount currencyID=\"EUR\">38.00<",
            "<ram:TaxTotalAmount currencyID=\"EUR\">39.00<",
            &["BR-CO-14", "BR-CO-15"][..],
        ),
        ("<ram:BasisAmount>200.00<", "<ram:BasisAmount>200.01<", &["BR-S-08"]),
        ("<ram:DuePayableAmount>238.00<", "<ram:DuePayableAmount>0<", &["BR-CO-16"]),
    ] {
        check(CII, from, to, expected);
    }
}

#[test]
fn a_category_asks_for_its_rate_its_parties_and_its_reason() {
    let all = |document: &str, code: &str, rate: &str| {
        let mut text = document.replace(">S<", &format!(">{code}<")).replace(">19<", &format!(">{rate}<"));
        text = text.replace(">38.00<", ">0.00<").replace(">238.00<", ">200.00<");
        text
    };
    for (code, expected) in [
        ("Z", &[][..]),
        ("E", &["BR-E-10"]),
        ("AE", &["BR-AE-02", "BR-AE-03", "BR-AE-10"]),
        ("G", &["BR-G-10"]),
        ("K", &["BR-IC-02", "BR-IC-03", "BR-IC-10", "BR-IC-11", "BR-IC-12"]),
        ("O", &["BR-O-02", "BR-O-03", "BR-O-05", "BR-O-06", "BR-O-10"]),
        ("S", &["BR-S-05", "BR-S-06"]),
        ("B", &["BR-B-01"]),
    ] {
        check(&all(UBL, code, "0"), "R-1", "R-1", expected);
        check(&all(CII, code, "0"), "R-1", "R-1", expected);
    }
    // A category without its group, and a group that nothing belongs to.
    check(
        UBL,
        "<cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory>",
        "<cbc:ID>Z</cbc:ID><cbc:Percent>0</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory>",
        &["BR-S-08", "BR-Z-01"],
    );
}

#[test]
fn codes_and_elements_that_the_standard_does_not_know_are_found_where_they_stand() {
    for (from, to, expected) in [
        (">380<", ">381<", &["BR-CL-01"][..]),
        ("unitCode=\"C62\"", "unitCode=\"pieces\"", &["BR-CL-23"]),
        (">FR<", ">FX<", &["BR-CL-14"]),
        ("<cac:PostalAddress>", "<cac:PostalAddress><cac:AddressLine/><cac:AddressLine/>", &["UBL-SR-51"]),
        (
            "<cac:AccountingCustomerParty><cac:Party>",
            "<cac:AccountingCustomerParty><cac:Party><cbc:EndpointID schemeID=\"9999\">x</cbc:EndpointID>",
            &["BR-CL-25"],
        ),
    ] {
        check(UBL, from, to, expected);
    }
    for (from, to, expected) in [
        ("<ram:TypeCode>380<", "<ram:TypeCode>381<", &[][..]),
        ("<ram:GrandTotalAmount>", "<ram:GrandTotalAmount currencyID=\"EUR\">", &["CII-DT-031"]),
        (">20260610<", ">20261310<", &["CII-DT-097"]),
        ("<ram:CountryID>FR<", "<ram:CountryID>FX<", &["BR-CL-14"]),
        (
            "<ram:Name>Nordwind GmbH</ram:Name>",
            "<ram:Name>Nordwind GmbH</ram:Name><ram:DefinedTradeContact/><ram:DefinedTradeContact/>",
            &["CII-SR-455"],
        ),
    ] {
        check(CII, from, to, expected);
    }
    let answer = xml::read(UBL.replace(">FR<", ">FX<").as_bytes()).unwrap();
    let place = serde_json::to_value(&answer.breaches).unwrap();
    let path = "/Invoice/AccountingCustomerParty/Party/PostalAddress/Country/IdentificationCode";
    assert_eq!(place[0]["evidence"], serde_json::json!({"path": path, "text": "FX"}));
}

#[test]
fn one_rule_names_twenty_places_and_counts_the_rest() {
    let lines: String = (0..50).fold(String::new(), |mut text, _| {
        write!(text, "<cac:InvoiceLine/>").unwrap();
        text
    });
    let answer = xml::read(UBL.replace("</Invoice>", &format!("{lines}</Invoice>")).as_bytes()).unwrap();
    let unnamed: Vec<_> = answer.breaches.iter().filter(|it| it.rule == "BR-25").collect();
    assert_eq!(unnamed.len(), 20);
    assert!(unnamed.last().unwrap().message.ends_with("(and at 30 more places)"), "{unnamed:?}");
}

#[test]
fn the_profile_is_the_specification_that_the_document_names() {
    for (named, expected) in [
        ("urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0", "xrechnung"),
        ("urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0", "peppol"),
        ("urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended", "factur-x-extended"),
        ("urn:factur-x.eu:1p0:basicwl", "factur-x-basicwl"),
        ("something else", "en16931"),
    ] {
        let answer = xml::read(UBL.replace("urn:cen.eu:en16931:2017<", &format!("{named}<")).as_bytes()).unwrap();
        assert_eq!(answer.profile.as_deref(), Some(expected), "{named}");
    }
}

#[test]
fn every_code_of_a_list_is_found_and_nothing_else() {
    for list in List::ALL {
        let codes: Vec<&str> = list.codes().split_whitespace().collect();
        assert!(codes.is_sorted(), "{list:?} is out of order");
        assert!(codes.iter().all(|code| lists(list, code)), "{list:?}");
        for (code, next) in codes.iter().zip(codes.iter().skip(1)) {
            let between = format!("{code}!");
            assert!(code < next && !lists(list, &between), "{list:?} {between}");
        }
        assert!(!["", " ", "\n", "§", "zzzzzzz"].iter().any(|code| lists(list, code)), "{list:?}");
    }
}

/// Cuts, doubles or exchanges parts of a document, at places told by `at`.
fn broken(document: &str, edits: &[(usize, usize, u8)]) -> String {
    let mut parts: Vec<&str> = document.split_inclusive('>').collect();
    let values = [
        "-1</",
        "99999999999999999999999999999</",
        "",
        "0.005</",
        "ä</",
        "true</",
        "<!-- -->1</",
        "20261399</",
        "K</",
        "<x/>",
    ];
    for (at, other, kind) in edits {
        let (at, other) = (at % parts.len(), other % parts.len());
        match kind % 4 {
            0 => drop(parts.remove(at)),
            1 => parts.insert(at, parts[other]),
            2 => parts.swap(at, other),
            _ => parts.insert(at, values[other % values.len()]),
        }
    }
    parts.concat()
}

/// Takes whole elements away, so that what remains is well-formed.
fn thinned(document: &str, taken: &[usize]) -> String {
    let mut text = document.to_owned();
    for seed in taken {
        let tree = roxmltree::Document::parse(&text).unwrap();
        let nodes: Vec<_> = tree.descendants().filter(|it| it.is_element()).skip(1).map(|it| it.range()).collect();
        let Some(range) = nodes.get(seed % nodes.len().max(1)).cloned() else { break };
        text.replace_range(range, "");
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_document_stops_the_rules(edits in proptest::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 1..6)) {
        for document in [UBL, CII] {
            // A panic inside is caught, and is an error of its own.
            prop_assert!(!matches!(read(broken(document, &edits).as_bytes()), Err(crate::Unreadable::Crashed)));
        }
    }

    #[test]
    fn an_invoice_without_some_of_its_parts_is_checked_all_the_same(taken in proptest::collection::vec(any::<usize>(), 1..8)) {
        for document in [UBL, CII] {
            let reading = read(thinned(document, &taken).as_bytes());
            let reading = reading.map_err(|err| TestCaseError::fail(err.to_string()))?;
            let answer = serde_json::to_vec(&reading.extraction).unwrap();
            prop_assert!(case::Extraction::from_untrusted(&answer).is_ok());
        }
    }
}

#[test]
fn very_many_lines_and_vat_groups_are_judged() {
    // Each line beside each group, or beside each other line, would be hundreds of millions of comparisons.
    let (line, rest) = (UBL.find("<cac:InvoiceLine>").unwrap(), UBL.find("</cac:InvoiceLine>").unwrap());
    let (group, end) = (UBL.find("<cac:TaxSubtotal>").unwrap(), UBL.find("</cac:TaxSubtotal>").unwrap());
    let line = UBL[line..rest + "</cac:InvoiceLine>".len()].repeat(30_000);
    let group = UBL[group..end + "</cac:TaxSubtotal>".len()].repeat(10_000);
    let document = UBL.replacen("<cac:TaxSubtotal>", &format!("{group}<cac:TaxSubtotal>"), 1).replacen(
        "<cac:InvoiceLine>",
        &format!("{line}<cac:InvoiceLine>"),
        1,
    );
    assert!(xml::rules_again(document.as_bytes(), 1).is_some_and(|n_breaches| 20 < n_breaches));
}

#[test]
fn an_invoice_that_forgot_its_number_is_not_judged_by_the_rules_of_peppol() {
    let without = |elements: &[&str]| {
        let cut = |document: String, name: &&str| {
            let (start, end) = (document.find(&format!("<{name}>")).unwrap(), format!("</{name}>"));
            let to = start + document[start..].find(&end).unwrap() + end.len();
            document[..start].to_owned() + &document[to..]
        };
        elements.iter().fold(UBL.to_owned(), cut)
    };
    let found = read(without(&["cbc:CustomizationID", "cbc:ID"]).as_bytes()).unwrap().extraction;
    let rules: Vec<&str> = found.breaches.iter().map(|it| it.rule.as_str()).collect();
    assert!(rules.contains(&"BR-02") && !rules.iter().any(|it| it.starts_with("PEPPOL")), "{rules:?}");
}
