//! Structured invoices that say two things, or in a way that two readers understand differently.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use case::{Extraction, FieldName, Kind, LineField};

use crate::{Unreadable, read};

const UBL: &str = r#"<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:a="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:b="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<b:ID>R-1</b:ID><b:IssueDate>2026-11-10</b:IssueDate><b:InvoiceTypeCode>380</b:InvoiceTypeCode><b:DocumentCurrencyCode>EUR</b:DocumentCurrencyCode>
<a:AccountingSupplierParty><a:Party><a:PartyLegalEntity><b:RegistrationName>Muster</b:RegistrationName></a:PartyLegalEntity></a:Party></a:AccountingSupplierParty>
<a:PaymentMeans><b:PaymentMeansCode>58</b:PaymentMeansCode><a:PayeeFinancialAccount><b:ID>DE89370400440532013000</b:ID></a:PayeeFinancialAccount></a:PaymentMeans>
<a:TaxTotal><b:TaxAmount currencyID="EUR">19.00</b:TaxAmount></a:TaxTotal>
<a:LegalMonetaryTotal><b:TaxExclusiveAmount currencyID="EUR">100.00</b:TaxExclusiveAmount><b:PayableAmount currencyID="EUR">119.00</b:PayableAmount></a:LegalMonetaryTotal>
<a:InvoiceLine><b:ID>1</b:ID><b:LineExtensionAmount currencyID="EUR">100.00</b:LineExtensionAmount></a:InvoiceLine></Invoice>"#;

const CII: &str = r#"<m:CrossIndustryInvoice xmlns:m="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100" xmlns:r="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100" xmlns:t="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
<m:ExchangedDocument><r:ID>R-1</r:ID><r:TypeCode>380</r:TypeCode><r:IssueDateTime><t:DateTimeString format="102">20261110</t:DateTimeString></r:IssueDateTime></m:ExchangedDocument>
<m:SupplyChainTradeTransaction><r:IncludedSupplyChainTradeLineItem><r:SpecifiedLineTradeSettlement/></r:IncludedSupplyChainTradeLineItem>
<r:ApplicableHeaderTradeSettlement><r:InvoiceCurrencyCode>EUR</r:InvoiceCurrencyCode>
<r:SpecifiedTradeSettlementPaymentMeans><r:TypeCode>58</r:TypeCode><r:PayeePartyCreditorFinancialAccount><r:IBANID>DE89370400440532013000</r:IBANID></r:PayeePartyCreditorFinancialAccount></r:SpecifiedTradeSettlementPaymentMeans>
<r:SpecifiedTradeSettlementHeaderMonetarySummation><r:TaxTotalAmount currencyID="EUR">19.00</r:TaxTotalAmount><r:DuePayableAmount>119.00</r:DuePayableAmount></r:SpecifiedTradeSettlementHeaderMonetarySummation>
</r:ApplicableHeaderTradeSettlement></m:SupplyChainTradeTransaction></m:CrossIndustryInvoice>"#;

#[track_caller]
fn changed(document: &str, from: &str, to: &str) -> Extraction {
    assert!(document.contains(from), "{from}");
    read(document.replacen(from, to, 1).as_bytes()).unwrap().extraction
}

fn codes(found: &Extraction) -> Vec<&str> {
    found.notes.iter().map(|it| it.code.as_str()).collect()
}

#[test]
fn the_invoices_of_these_tests_leave_no_note_as_they_are() {
    for document in [UBL, CII] {
        assert_eq!(codes(&changed(document, "R-1", "R-2")), [""; 0]);
    }
}

#[test]
fn a_term_that_says_two_things_is_noted() {
    let twice = [
        (UBL, "<b:ID>R-1</b:ID>", "<b:ID>R-1</b:ID><b:ID>R-2</b:ID>", "`ID` stands 2 times in `/Invoice`"),
        (
            UBL,
            "<b:PayableAmount",
            "<b:PayableAmount>9.00</b:PayableAmount><b:PayableAmount",
            "PayableAmount` stands 2 times",
        ),
        (
            UBL,
            "<b:LineExtensionAmount",
            "<b:LineExtensionAmount>7.00</b:LineExtensionAmount><b:LineExtensionAmount",
            "/Invoice/InvoiceLine`",
        ),
        (
            UBL,
            "<a:AccountingSupplierParty>",
            "<a:AccountingSupplierParty><a:Party/></a:AccountingSupplierParty><a:AccountingSupplierParty>",
            "`AccountingSupplierParty/Party` stands 2 times",
        ),
        (
            UBL,
            "<a:TaxTotal>",
            "<a:TaxTotal><b:TaxAmount currencyID='EUR'>1.00</b:TaxAmount></a:TaxTotal><a:TaxTotal>",
            "`tax_total` stands 2 times",
        ),
        (
            CII,
            "<r:ID>R-1</r:ID>",
            "<r:ID>R-1</r:ID><r:ID>R-2</r:ID>",
            "`ID` stands 2 times in `/CrossIndustryInvoice/ExchangedDocument`",
        ),
        (
            CII,
            "<m:ExchangedDocument>",
            "<m:ExchangedDocument/><m:ExchangedDocument>",
            "`ExchangedDocument` stands 2 times",
        ),
        (
            CII,
            "<r:TaxTotalAmount",
            "<r:TaxTotalAmount currencyID='EUR'>1.00</r:TaxTotalAmount><r:TaxTotalAmount",
            "`tax_total` stands 2 times",
        ),
    ];
    for (document, from, to, says) in twice {
        let found = changed(document, from, to);
        assert_eq!(codes(&found), ["several_values"], "{to}");
        assert!(found.notes[0].message.contains(says), "{}", found.notes[0].message);
    }
    let same = changed(UBL, "<b:ID>R-1</b:ID>", "<b:ID>R-1</b:ID><b:ID> R-1 </b:ID>");
    assert_eq!(codes(&same), [""; 0]);
}

#[test]
fn an_element_of_another_namespace_is_no_term() {
    let foreign = changed(UBL, "<b:ID>R-1", "<x:ID xmlns:x='urn:other'>R-9</x:ID><b:ID>R-1");
    assert_eq!(foreign.text(FieldName::Number), Some("R-1"));
    let account = "<x:IBANID xmlns:x='urn:other'>DE02120300000000202051</x:IBANID><r:IBANID>";
    assert_eq!(changed(CII, "<r:IBANID>", account).text(FieldName::Iban), Some("DE89370400440532013000"));
    let breaks = |it: &Extraction, rule: &str| it.breaches.iter().any(|it| it.rule == rule);
    let alone = changed(UBL, "<b:ID>R-1</b:ID>", "<x:ID xmlns:x='urn:other'>R-9</x:ID>");
    assert!(breaks(&alone, "BR-02") && !breaks(&foreign, "BR-02"), "the rules do not see it either");
}

#[test]
fn a_root_of_another_namespace_is_no_invoice() {
    for (document, from, to) in [
        (UBL, "xsd:Invoice-2", "xsd:Order-2"),
        (UBL, "xsd:Invoice-2", "xsd:CreditNote-2"),
        (UBL, "xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\"", ""),
        (CII, "CrossIndustryInvoice:100", "CrossIndustryInvoice:20"),
    ] {
        let err = read(document.replacen(from, to, 1).as_bytes()).unwrap_err();
        assert!(matches!(err, Unreadable::UnknownXml { .. }), "{to}: {err}");
    }
}

#[test]
fn a_text_with_elements_in_it_is_no_value() {
    let found = changed(UBL, "<b:ID>R-1</b:ID>", "<b:ID>R-1<b:Note>7</b:Note>2</b:ID>");
    assert_eq!((found.text(FieldName::Number), codes(&found)), (None, vec!["value_unreadable"]));
}

#[test]
fn every_type_that_credits_makes_a_credit_note() {
    for code in crate::rules::credit_note_types() {
        assert_eq!(changed(CII, "<r:TypeCode>380<", &format!("<r:TypeCode>{code}<")).kind, Kind::CreditNote, "{code}");
    }
    assert!(crate::rules::credit_note_types().any(|it| it == "503"));
    assert_eq!(changed(CII, "R-1", "R-2").kind, Kind::Invoice);
}

#[test]
fn an_amount_in_another_currency_is_noted() {
    let found = changed(UBL, r#"<b:PayableAmount currencyID="EUR">"#, r#"<b:PayableAmount currencyID="USD">"#);
    assert_eq!(codes(&found), ["several_currencies"]);
    assert!(found.notes[0].message.starts_with("1 amounts are in another currency than the invoice: `/Invoice/LegalMonetaryTotal/PayableAmount` in \"USD\", not in EUR"), "{}", found.notes[0].message);
    let books = "<a:TaxTotal><b:TaxAmount currencyID='SEK'>210.00</b:TaxAmount></a:TaxTotal><a:TaxTotal>";
    assert_eq!(codes(&changed(UBL, "<a:TaxTotal>", books)), [""; 0], "the VAT may also be given in that of the books");
    assert_eq!(
        codes(&changed(CII, "<r:DuePayableAmount>", "<r:DuePayableAmount currencyID='USD'>")),
        ["several_currencies"]
    );
}

#[test]
fn a_machine_writes_dates_in_one_way() {
    for (text, read_as) in [
        ("2026-11-10", Some("2026-11-10")),
        ("2026-11-10Z", Some("2026-11-10")),
        ("2026-11-10+01:00", Some("2026-11-10")),
        ("2026-11-10T08:00:00.25-05:00", Some("2026-11-10")),
        ("2026-11-10-garbage", None),
        ("2026-11-10 08:00", None),
        ("04/05/2026", None),
        ("06/05/26", None),
        ("Nov 10, 2026", None),
        ("10.11.2026", None),
        ("20261110", None),
    ] {
        let found = changed(UBL, "2026-11-10", text);
        assert_eq!(found.text(FieldName::IssueDate), read_as, "{text}");
        assert_eq!(codes(&found).len(), usize::from(read_as.is_none()), "{text}");
    }
    for (format, text, read_as) in [
        ("102", "20261110", Some("2026-11-10")),
        ("102", "2026-11-10", Some("2026-11-10")),
        ("102", "06/05/2026", None),
        ("610", "202611", None),
        ("203", "20261110", None),
    ] {
        let found = changed(CII, r#""102">20261110"#, &format!("\"{format}\">{text}"));
        assert_eq!(found.text(FieldName::IssueDate), read_as, "{text}");
    }
}

#[test]
fn account_and_bank_are_of_one_way_to_pay() {
    let first = "<a:PaymentMeans><b:PaymentMeansCode>58</b:PaymentMeansCode><a:PayeeFinancialAccount><b:ID>DE02120300000000202051</b:ID></a:PayeeFinancialAccount></a:PaymentMeans>";
    let bank = "<a:FinancialInstitutionBranch><b:ID>COBADEFFXXX</b:ID></a:FinancialInstitutionBranch></a:PayeeFinancialAccount>";
    let second = UBL.replacen("</a:PayeeFinancialAccount>", bank, 1);
    assert_eq!(changed(&second, "R-1", "R-2").text(FieldName::Bic), Some("COBADEFFXXX"));
    let found = changed(&second, "<a:PaymentMeans>", &format!("{first}<a:PaymentMeans>"));
    assert_eq!(found.text(FieldName::Iban), Some("DE02120300000000202051"));
    assert_eq!((found.text(FieldName::Bic), codes(&found)), (None, vec!["several_values"]));
    let in_one = changed(
        UBL,
        "</a:PayeeFinancialAccount>",
        "</a:PayeeFinancialAccount><a:PayeeFinancialAccount><b:ID>DE02120300000000202051</b:ID></a:PayeeFinancialAccount>",
    );
    assert_eq!(codes(&in_one), ["several_values"]);
    let code_only = "<a:PaymentMeans><b:PaymentMeansCode>30</b:PaymentMeansCode></a:PaymentMeans><a:PaymentMeans>";
    assert_eq!(changed(UBL, "<a:PaymentMeans>", code_only).text(FieldName::Iban), Some("DE89370400440532013000"));
}

#[test]
fn an_indicator_may_be_a_word_or_a_digit() {
    for (said, name) in [
        ("false", LineField::Allowance),
        ("0", LineField::Allowance),
        ("true", LineField::Charge),
        ("1", LineField::Charge),
    ] {
        let ubl = format!(
            "<a:AllowanceCharge><b:ChargeIndicator>{said}</b:ChargeIndicator><b:Amount>5.00</b:Amount></a:AllowanceCharge></a:InvoiceLine>"
        );
        assert_eq!(changed(UBL, "</a:InvoiceLine>", &ubl).lines[0].keys().last(), Some(&name), "{said}");
        let cii = format!(
            "<r:SpecifiedLineTradeSettlement><r:SpecifiedTradeAllowanceCharge><r:ChargeIndicator><t:Indicator>{said}</t:Indicator></r:ChargeIndicator><r:ActualAmount>5.00</r:ActualAmount></r:SpecifiedTradeAllowanceCharge></r:SpecifiedLineTradeSettlement>"
        );
        assert_eq!(
            changed(CII, "<r:SpecifiedLineTradeSettlement/>", &cii).lines[0].keys().last(),
            Some(&name),
            "{said}"
        );
    }
}
