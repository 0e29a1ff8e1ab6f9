//! The room as a whole: a document in, an answer out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use case::{Evidence, Extraction, FieldName, Format, Kind, LineField, VatField};
use proptest::prelude::*;

use crate::package::tests::packed;
use crate::{Reading, Unreadable, read};

/// What is read, as its receiver sees it. The only place that knows how an answer travels.
#[track_caller]
fn answer(document: &[u8]) -> Extraction {
    received(&read(document).unwrap())
}

#[track_caller]
fn received(reading: &Reading) -> Extraction {
    Extraction::from_untrusted(&serde_json::to_vec(&reading.extraction).unwrap()).unwrap()
}

#[track_caller]
fn check(found: &Extraction, kind: Kind, format: Format, fields: &[(FieldName, &str)], lines: &[&[(LineField, &str)]]) {
    assert_eq!((found.kind, found.format), (kind, format), "{:?}", found.notes);
    let given: Vec<(FieldName, &str)> =
        found.fields.single.iter().map(|(name, it)| (*name, it.value.as_str())).collect();
    let mut expected = fields.to_vec();
    expected.sort();
    assert_eq!(given, expected);
    let given: Vec<Vec<(LineField, &str)>> =
        found.lines.iter().map(|line| line.iter().map(|(name, it)| (*name, it.value.as_str())).collect()).collect();
    let mut expected: Vec<Vec<(LineField, &str)>> = lines.iter().map(|it| it.to_vec()).collect();
    expected.iter_mut().for_each(|it| it.sort());
    assert_eq!(given, expected);
}

fn place(found: &Extraction, name: FieldName) -> String {
    match &found.field(name).unwrap().evidence {
        Evidence::Element { path, .. } => path.clone(),
        Evidence::Cell { sheet, cell, .. } => format!("{sheet}!{cell}"),
        other => panic!("{other:?}"),
    }
}

fn codes(found: &Extraction) -> Vec<&str> {
    found.notes.iter().map(|it| it.code.as_str()).collect()
}

const UBL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<u:Invoice xmlns:u="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:a="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:b="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <b:ID> R-17 </b:ID><b:IssueDate>2026-03-04</b:IssueDate><b:DueDate>2026-04-03</b:DueDate>
  <b:InvoiceTypeCode>380</b:InvoiceTypeCode><b:DocumentCurrencyCode>EUR</b:DocumentCurrencyCode>
  <b:TaxCurrencyCode>SEK</b:TaxCurrencyCode><b:BuyerReference>CC-40</b:BuyerReference>
  <a:InvoicePeriod><b:StartDate>2026-02-01</b:StartDate><b:EndDate>2026-02-28</b:EndDate></a:InvoicePeriod>
  <a:OrderReference><b:ID>PO-9</b:ID></a:OrderReference>
  <a:BillingReference><a:InvoiceDocumentReference><b:ID>R-16</b:ID></a:InvoiceDocumentReference></a:BillingReference>
  <a:ContractDocumentReference><b:ID>K-3</b:ID></a:ContractDocumentReference>
  <a:AccountingSupplierParty><a:Party>
    <a:PartyName><b:Name>Trade</b:Name></a:PartyName>
    <a:PostalAddress><a:Country><b:IdentificationCode>DE</b:IdentificationCode></a:Country></a:PostalAddress>
    <a:PartyTaxScheme><b:CompanyID>201/113/40209</b:CompanyID><a:TaxScheme><b:ID>FC</b:ID></a:TaxScheme></a:PartyTaxScheme>
    <a:PartyTaxScheme><b:CompanyID>DE 123456789</b:CompanyID><a:TaxScheme><b:ID>VAT</b:ID></a:TaxScheme></a:PartyTaxScheme>
    <a:PartyLegalEntity><b:RegistrationName>Seller &amp; Sons</b:RegistrationName></a:PartyLegalEntity>
  </a:Party></a:AccountingSupplierParty>
  <a:AccountingCustomerParty><a:Party><a:PartyName><b:Name>Buyer</b:Name></a:PartyName></a:Party></a:AccountingCustomerParty>
  <a:PaymentMeans><b:PaymentMeansCode>48</b:PaymentMeansCode></a:PaymentMeans>
  <a:PaymentMeans><b:PaymentMeansCode>58</b:PaymentMeansCode><a:PayeeFinancialAccount><b:ID>DE02 1203 0000 0000 2020 51</b:ID>
    <a:FinancialInstitutionBranch><b:ID>BYLADEM1001</b:ID></a:FinancialInstitutionBranch></a:PayeeFinancialAccount></a:PaymentMeans>
  <a:TaxTotal><b:TaxAmount currencyID="SEK">210.00</b:TaxAmount></a:TaxTotal>
  <a:TaxTotal><b:TaxAmount currencyID="EUR">19.00</b:TaxAmount><a:TaxSubtotal><b:TaxableAmount>100.00</b:TaxableAmount>
    <b:TaxAmount>19.00</b:TaxAmount><a:TaxCategory><b:ID>S</b:ID><b:Percent>19</b:Percent></a:TaxCategory></a:TaxSubtotal></a:TaxTotal>
  <a:LegalMonetaryTotal><b:LineExtensionAmount>100.00</b:LineExtensionAmount><b:TaxExclusiveAmount>100.00</b:TaxExclusiveAmount>
    <b:TaxInclusiveAmount>119.00</b:TaxInclusiveAmount><b:ChargeTotalAmount>40.00</b:ChargeTotalAmount><b:PayableAmount> 119.00
    </b:PayableAmount></a:LegalMonetaryTotal>
  <a:InvoiceLine><b:ID>1</b:ID><b:InvoicedQuantity unitCode="H87">3</b:InvoicedQuantity><b:LineExtensionAmount>60.00</b:LineExtensionAmount>
    <a:InvoicePeriod><b:StartDate>2026-02-03</b:StartDate><b:EndDate>2026-02-04</b:EndDate></a:InvoicePeriod>
    <a:OrderLineReference><b:LineID>10</b:LineID></a:OrderLineReference>
    <a:AllowanceCharge><b:ChargeIndicator>false</b:ChargeIndicator><b:Amount>1.50</b:Amount></a:AllowanceCharge>
    <a:AllowanceCharge><b:ChargeIndicator>false</b:ChargeIndicator><b:Amount>1.50</b:Amount></a:AllowanceCharge>
    <a:Item><b:Name>Bolt</b:Name><a:SellersItemIdentification><b:ID>S1</b:ID></a:SellersItemIdentification>
      <a:BuyersItemIdentification><b:ID>B1</b:ID></a:BuyersItemIdentification>
      <a:ClassifiedTaxCategory><b:ID>S</b:ID><b:Percent>19</b:Percent></a:ClassifiedTaxCategory></a:Item>
    <a:Price><b:PriceAmount>2100</b:PriceAmount><b:BaseQuantity>100</b:BaseQuantity></a:Price></a:InvoiceLine>
  <a:InvoiceLine><b:ID>2</b:ID><b:InvoicedQuantity>1,5</b:InvoicedQuantity></a:InvoiceLine>
</u:Invoice>"#;

#[test]
fn a_ubl_invoice_is_read_with_the_place_of_each_value() {
    use FieldName::*;
    let found = answer(UBL.as_bytes());
    let fields = [
        (Number, "R-17"),
        (IssueDate, "2026-03-04"),
        (DueDate, "2026-04-03"),
        (TypeCode, "380"),
        (Currency, "EUR"),
        (PeriodFrom, "2026-02-01"),
        (PeriodTo, "2026-02-28"),
        (OrderRef, "PO-9"),
        (ContractRef, "K-3"),
        (BuyerRef, "CC-40"),
        (PrecedingInvoice, "R-16"),
        (SellerName, "Seller & Sons"),
        (SellerVatId, "DE 123456789"),
        (SellerTaxId, "201/113/40209"),
        (SellerCountry, "DE"),
        (BuyerName, "Buyer"),
        (Iban, "DE02 1203 0000 0000 2020 51"),
        (Bic, "BYLADEM1001"),
        (LineTotal, "100.00"),
        (ChargeTotal, "40.00"),
        (NetTotal, "100.00"),
        (TaxTotal, "19.00"),
        (GrossTotal, "119.00"),
        (Payable, "119.00"),
    ];
    let first: &[(LineField, &str)] = &[
        (LineField::Id, "1"),
        (LineField::Name, "Bolt"),
        (LineField::Quantity, "3"),
        (LineField::Unit, "H87"),
        (LineField::UnitPrice, "2100"),
        (LineField::PriceBase, "100"),
        (LineField::NetAmount, "60.00"),
        (LineField::VatCategory, "S"),
        (LineField::VatRate, "19"),
        (LineField::OrderLine, "10"),
        (LineField::Item, "B1"),
        (LineField::Allowance, "3.00"),
    ];
    check(&found, Kind::Invoice, Format::Ubl, &fields, &[first, &[(LineField::Id, "2")]]);
    assert_eq!(place(&found, PeriodTo), "/Invoice/InvoicePeriod/EndDate");
    assert_eq!(place(&found, Iban), "/Invoice/PaymentMeans[2]/PayeeFinancialAccount/ID");
    let Evidence::Element { path, text } = &found.lines[0][&LineField::Unit].evidence else { panic!() };
    assert_eq!((path.as_str(), text.as_str()), ("/Invoice/InvoiceLine[1]/InvoicedQuantity/@unitCode", "H87"));
    assert_eq!(found.fields.vat_breakdown.len(), 1);
    assert_eq!(found.fields.vat_breakdown[0][&VatField::Rate].value, "19");
    // The quantity of line 2 has a comma, which no machine may write: no value, but not in silence.
    assert_eq!(codes(&found), ["value_unreadable"]);
    assert!(found.notes[0].message.contains("/Invoice/InvoiceLine[2]/InvoicedQuantity"));
}

const CII: &str = r#"<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100" xmlns:r="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100">
  <rsm:ExchangedDocument><r:ID>G-3</r:ID><r:TypeCode>381</r:TypeCode>
    <r:IssueDateTime><r:DateTimeString format="102">20260304</r:DateTimeString></r:IssueDateTime></rsm:ExchangedDocument>
  <rsm:SupplyChainTradeTransaction>
    <r:IncludedSupplyChainTradeLineItem><r:AssociatedDocumentLineDocument><r:LineID>1</r:LineID></r:AssociatedDocumentLineDocument>
      <r:SpecifiedTradeProduct><r:SellerAssignedID>A7</r:SellerAssignedID><r:Name>Rope</r:Name></r:SpecifiedTradeProduct>
      <r:SpecifiedLineTradeAgreement><r:BuyerOrderReferencedDocument><r:LineID>20</r:LineID></r:BuyerOrderReferencedDocument>
        <r:NetPriceProductTradePrice><r:ChargeAmount>12.5</r:ChargeAmount></r:NetPriceProductTradePrice></r:SpecifiedLineTradeAgreement>
      <r:SpecifiedLineTradeDelivery><r:BilledQuantity unitCode="MTR">4</r:BilledQuantity></r:SpecifiedLineTradeDelivery>
      <r:SpecifiedLineTradeSettlement><r:BillingSpecifiedPeriod><r:StartDateTime><r:DateTimeString format="102">20260203</r:DateTimeString></r:StartDateTime></r:BillingSpecifiedPeriod><r:ApplicableTradeTax><r:CategoryCode>S</r:CategoryCode><r:RateApplicablePercent>7</r:RateApplicablePercent></r:ApplicableTradeTax>
        <r:SpecifiedTradeSettlementLineMonetarySummation><r:LineTotalAmount>50.00</r:LineTotalAmount></r:SpecifiedTradeSettlementLineMonetarySummation>
      </r:SpecifiedLineTradeSettlement></r:IncludedSupplyChainTradeLineItem>
    <r:ApplicableHeaderTradeAgreement><r:BuyerReference>CC-41</r:BuyerReference><r:SellerTradeParty><r:Name>Seil AG</r:Name>
        <r:SpecifiedTaxRegistration><r:ID schemeID="FC">12/34</r:ID></r:SpecifiedTaxRegistration>
        <r:SpecifiedTaxRegistration><r:ID schemeID="VA">DE 9</r:ID></r:SpecifiedTaxRegistration></r:SellerTradeParty>
      <r:BuyerOrderReferencedDocument><r:IssuerAssignedID>PO 1</r:IssuerAssignedID></r:BuyerOrderReferencedDocument>
      <r:ContractReferencedDocument><r:IssuerAssignedID>K 4</r:IssuerAssignedID></r:ContractReferencedDocument></r:ApplicableHeaderTradeAgreement>
    <r:ApplicableHeaderTradeSettlement><r:InvoiceCurrencyCode>EUR</r:InvoiceCurrencyCode>
      <r:BillingSpecifiedPeriod><r:StartDateTime><r:DateTimeString format="102">20260201</r:DateTimeString></r:StartDateTime>
        <r:EndDateTime><r:DateTimeString format="102">20260228</r:DateTimeString></r:EndDateTime></r:BillingSpecifiedPeriod>
      <r:InvoiceReferencedDocument><r:IssuerAssignedID>G-2</r:IssuerAssignedID></r:InvoiceReferencedDocument>
      <r:SpecifiedTradeSettlementHeaderMonetarySummation><r:ChargeTotalAmount>4</r:ChargeTotalAmount><r:TaxTotalAmount currencyID="PLN">15</r:TaxTotalAmount>
        <r:TaxTotalAmount currencyID="EUR">3.50</r:TaxTotalAmount><r:DuePayableAmount>53.50</r:DuePayableAmount>
      </r:SpecifiedTradeSettlementHeaderMonetarySummation></r:ApplicableHeaderTradeSettlement>
  </rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"#;

#[test]
fn a_cii_credit_note_is_known_by_its_type() {
    use FieldName::*;
    let fields = [
        (Number, "G-3"),
        (TypeCode, "381"),
        (IssueDate, "2026-03-04"),
        (Currency, "EUR"),
        (PeriodFrom, "2026-02-01"),
        (PeriodTo, "2026-02-28"),
        (OrderRef, "PO 1"),
        (ContractRef, "K 4"),
        (BuyerRef, "CC-41"),
        (PrecedingInvoice, "G-2"),
        (SellerName, "Seil AG"),
        (SellerVatId, "DE 9"),
        (SellerTaxId, "12/34"),
        (ChargeTotal, "4"),
        (TaxTotal, "3.50"),
        (Payable, "53.50"),
    ];
    let line: &[(LineField, &str)] = &[
        (LineField::Id, "1"),
        (LineField::Name, "Rope"),
        (LineField::Item, "A7"),
        (LineField::Quantity, "4"),
        (LineField::Unit, "MTR"),
        (LineField::UnitPrice, "12.5"),
        (LineField::NetAmount, "50.00"),
        (LineField::VatCategory, "S"),
        (LineField::VatRate, "7"),
        (LineField::OrderLine, "20"),
    ];
    check(&answer(CII.as_bytes()), Kind::CreditNote, Format::Cii, &fields, &[line]);
}

#[test]
fn an_invoice_of_the_first_zugferd_is_read_by_its_own_names() {
    let document = CII
        .replace(
            "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
            "urn:ferd:CrossIndustryDocument:invoice:1p0",
        )
        .replace("InformationEntity:100", "InformationEntity:12")
        .replace("CrossIndustryInvoice", "CrossIndustryDocument")
        .replace("ExchangedDocument", "HeaderExchangedDocument")
        .replace("rsm:SupplyChainTradeTransaction", "rsm:SpecifiedSupplyChainTradeTransaction")
        .replace("ApplicableHeaderTrade", "ApplicableSupplyChainTrade")
        .replace("SpecifiedLineTrade", "SpecifiedSupplyChainTrade")
        .replace("SpecifiedTradeSettlementHeaderMonetary", "SpecifiedTradeSettlementMonetary")
        .replace("SpecifiedTradeSettlementLineMonetary", "SpecifiedTradeSettlementMonetary")
        .replace("RateApplicablePercent", "ApplicablePercent");
    let (old, new) = (answer(document.as_bytes()), answer(CII.as_bytes()));
    let values =
        |it: &Extraction| it.fields.single.iter().map(|(name, it)| (*name, it.value.clone())).collect::<Vec<_>>();
    assert_eq!(values(&old), values(&new));
    assert_eq!(old.lines.len(), 1);
    assert_eq!(old.lines[0][&LineField::NetAmount].value, "50.00");
}

#[test]
fn more_lines_than_may_be_given_are_cut_and_told() {
    let line = "<a:InvoiceLine><b:ID>1</b:ID></a:InvoiceLine>";
    let document = UBL.replace("</u:Invoice>", &format!("{}</u:Invoice>", line.repeat(10_000)));
    let found = answer(document.as_bytes());
    assert_eq!((found.lines.len(), found.coverage.read, found.coverage.pages), (10_000, 0, 1));
    assert!(found.notes[0].message.contains("10002 lines, more than the 10000"), "{:?}", found.notes[0]);
}

const CSV: &str = "Rechnung;;;;\nRechnungsnummer:;R-88;;Rechnungsdatum;04.03.2026\nLieferant;Muster GmbH;;USt-IdNr.;DE 123 456 789\n;;;;\n\
    Pos;Bezeichnung;Menge;Einzelpreis;Gesamtpreis\n1;Schraube;100;0,25;25,00\n2;\"Mutter; groß\";10;1.234,50;12.345,00\n;;;Netto;12.370,00\n\
    ;;;USt 19 %;2.350,30\n;;;Gesamtbetrag;14.720,30 €\nIBAN: DE02 1203 0000 0000 2020 51;;;;\n";

#[test]
fn a_delimited_invoice_is_read_by_its_labels() {
    use FieldName::*;
    let fields = [
        (Number, "R-88"),
        (IssueDate, "2026-03-04"),
        (SellerName, "Muster GmbH"),
        (SellerVatId, "DE123456789"),
        (NetTotal, "12370.00"),
        (TaxTotal, "2350.30"),
        (GrossTotal, "14720.30"),
        (Currency, "EUR"),
        (Iban, "DE02120300000000202051"),
    ];
    let line = |id, name, quantity, price, net| {
        [
            (LineField::Id, id),
            (LineField::Name, name),
            (LineField::Quantity, quantity),
            (LineField::UnitPrice, price),
            (LineField::NetAmount, net),
        ]
    };
    let lines = [line("1", "Schraube", "100", "0.25", "25.00"), line("2", "Mutter; groß", "10", "1234.50", "12345.00")];
    let found = answer(CSV.as_bytes());
    check(&found, Kind::Invoice, Format::Csv, &fields, &[&lines[0], &lines[1]]);
    assert_eq!(place(&found, Number), "csv!B2");
    let group: Vec<&str> = found.fields.vat_breakdown[0].values().map(|it| it.value.as_str()).collect();
    assert_eq!(group, ["19", "2350.30"]);
    let windows: Vec<u8> = CSV.chars().map(|it| if it == '€' { 0x80 } else { it as u8 }).collect();
    assert_eq!(answer(&windows).fields, found.fields);
}

#[test]
fn a_list_of_several_invoices_is_no_invoice() {
    let found = answer(b"Invoice number,Invoice date,Total\nA1,2026-03-04,10.00\nA2,2026-03-05,20.00\n");
    assert_eq!((found.kind, found.coverage.read), (Kind::Unknown, 0));
    assert!(found.field(FieldName::Number).is_none());
    assert!(codes(&found).contains(&"several_invoices"));
}

#[test]
fn labels_and_values_may_share_a_row() {
    use FieldName::*;
    let found =
        answer(b"Invoice no,A1,Invoice date,2026-03-04,Total,\"1,190.00\"\nSupplier,Acme,Currency,USD,VAT,190.00\n");
    let fields = [
        (Number, "A1"),
        (IssueDate, "2026-03-04"),
        (GrossTotal, "1190.00"),
        (SellerName, "Acme"),
        (Currency, "USD"),
        (TaxTotal, "190.00"),
    ];
    check(&found, Kind::Invoice, Format::Csv, &fields, &[]);
}

fn xlsx(sheet: &str) -> Vec<u8> {
    packed(&[
        (
            "[Content_Types].xml",
            "<Types><Override ContentType='application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml'/></Types>",
        ),
        ("_rels/.rels", "<Relationships><Relationship Type='x/officeDocument' Target='/xl/book.xml'/></Relationships>"),
        (
            "xl/book.xml",
            "<workbook xmlns:r='urn:r'><sheets><sheet name='Bill' r:id='i1'/><sheet name='More' state='hidden' r:id='i2'/></sheets></workbook>",
        ),
        (
            "xl/_rels/book.xml.rels",
            "<Relationships><Relationship Id='i1' Target='s1.xml'/><Relationship Id='i2' Target='/xl/s2.xml'/></Relationships>",
        ),
        (
            "xl/sharedStrings.xml",
            "<sst uniqueCount='99999999999'><si><t>Invoice no.</t></si><si><r><t>INV</t></r><r><t>-5</t></r><rPh><t>x</t></rPh></si></sst>",
        ),
        (
            "xl/styles.xml",
            "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='#,##0.00\\ \"€\"'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/><xf numFmtId='164'/></cellXfs></styleSheet>",
        ),
        ("xl/s1.xml", sheet),
        (
            "xl/s2.xml",
            "<worksheet><sheetData><row><c t='inlineStr'><is><t>secret</t></is></c></row></sheetData></worksheet>",
        ),
    ])
}

#[test]
fn a_workbook_is_read_as_it_is_shown_and_tells_what_is_not_shown() {
    use FieldName::*;
    let sheet = "<worksheet><cols><col min='5' max='6' hidden='1'/></cols><sheetData>
        <row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1' t='s'><v>1</v></c><c r='E1'><v>7</v></c></row>
        <row r='2'><c r='A2' t='inlineStr'><is><t>Invoice date</t></is></c><c r='B2' s='1'><v>46085</v></c></row>
        <row r='3' hidden='1'><c r='A3' t='inlineStr'><is><t>Due date</t></is></c><c r='B3' s='1'><v>46086</v></c></row>
        <row r='4'><c r='A4' t='inlineStr'><is><t>Amount due</t></is></c><c r='B4' s='2'><v>1190.0000000000002</v></c></row>
        <row r='5'><c r='A5' t='inlineStr'><is><t>Net total</t></is></c><c r='B5'><f>SUM(B1:B2)</f></c></row>
        <row r='1048576'><c r='XFD1048576'><v>1</v></c></row></sheetData></worksheet>";
    let found = answer(&xlsx(sheet));
    let fields = [(Number, "INV-5"), (IssueDate, "2026-03-04"), (Payable, "1190"), (Currency, "EUR")];
    check(&found, Kind::Invoice, Format::Xlsx, &fields, &[]);
    assert_eq!(place(&found, Payable), "Bill!B4");
    assert_eq!(found.coverage.hidden_text, 4);
    assert_eq!(codes(&found), ["formula_without_value", "hidden_cells"]);
}

#[test]
fn an_open_document_sheet_does_not_unfold_what_it_says_is_repeated() {
    let content = "<o:document-content xmlns:o='urn:o' xmlns:t='urn:t' xmlns:x='urn:x'><o:body><o:spreadsheet><t:table t:name='S'>
        <t:table-row><t:table-cell o:value-type='string'><x:p>Rechnungs-Nr.</x:p></t:table-cell>
          <t:table-cell o:value-type='string'><x:p>R<x:s/>9</x:p></t:table-cell></t:table-row>
        <t:table-row><t:table-cell o:value-type='string'><x:p>Datum</x:p></t:table-cell>
          <t:table-cell o:value-type='date' o:date-value='2026-03-04'><x:p>4.3.26</x:p></t:table-cell></t:table-row>
        <t:table-row><t:table-cell o:value-type='string'><x:p>Zahlbetrag</x:p></t:table-cell>
          <t:table-cell o:value-type='currency' o:currency='EUR' o:value='119'><x:p>119,00</x:p></t:table-cell></t:table-row>
        <t:table-row t:number-rows-repeated='1048000'><t:table-cell t:number-columns-repeated='16384'/></t:table-row>
        REPEATED</t:table></o:spreadsheet></o:body></o:document-content>";
    let ods = |content: &str| {
        packed(&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", content)])
    };
    let found = answer(&ods(&content.replace("REPEATED", "")));
    use FieldName::*;
    let fields = [(Number, "R 9"), (IssueDate, "2026-03-04"), (Payable, "119"), (Currency, "EUR")];
    assert_eq!(
        found
            .fields
            .single
            .iter()
            .map(|(name, it)| (*name, it.value.as_str()))
            .collect::<std::collections::BTreeMap<_, _>>(),
        fields.into()
    );
    assert_eq!((found.format, found.coverage.read), (Format::Ods, 1));
    let row = "<t:table-row VISIBILITY t:number-rows-repeated='9999999'><t:table-cell o:value-type='float' o:value='1' t:number-columns-repeated='9999999'/></t:table-row>";
    let found = answer(&ods(&content.replace("REPEATED", &row.replace("VISIBILITY", "")).replace("1048000", "1")));
    assert_eq!(found.coverage.read, 0);
    assert!(codes(&found).contains(&"cut"), "{:?}", found.notes);
    let hidden = row.replace("VISIBILITY", "t:visibility='collapse'");
    let found = answer(&ods(&content.replace("REPEATED", &hidden).replace("1048000", "1")));
    assert_eq!((found.coverage.read, found.coverage.hidden_text), (1, u32::MAX));
}

#[test]
fn a_text_document_is_read_as_if_every_change_were_accepted() {
    let body = "<w:document xmlns:w='urn:w'><w:body>
        <w:p><w:r><w:t>The fee is </w:t></w:r><w:del><w:r><w:delText>100</w:delText></w:r></w:del><w:ins><w:r><w:t>900</w:t></w:r></w:ins><w:r><w:t> euro.</w:t></w:r></w:p>
        <w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>Runs </w:t></w:r></w:p><w:p><w:r><w:t>on.</w:t></w:r></w:p>
        <w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>unseen</w:t></w:r></w:p>
        <w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p><w:r><w:t>gone</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
        </w:body></w:document>";
    let types = "<Types><Override ContentType='application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'/></Types>";
    let document = packed(&[("[Content_Types].xml", types), ("word/document.xml", body)]);
    assert_eq!(crate::docx::text(&document).unwrap(), "The fee is 900 euro.\nRuns on.\n\n");
    let found = answer(&document);
    assert_eq!((found.format, found.coverage.hidden_text), (Format::Docx, 1));
    assert!(found.notes[0].message.starts_with("4 tracked changes"), "{:?}", found.notes);
    assert_eq!(codes(&found), ["tracked_changes", "hidden_text"]);
}

#[test]
fn an_archive_that_is_neither_workbook_nor_text_is_not_guessed_at() {
    let err = read(&packed(&[("a.txt", "hello")])).unwrap_err();
    assert!(matches!(&err, Unreadable::UnknownFormat { starts } if starts.starts_with("504b0304")), "{err}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// Never panics, and what it answers is always accepted, whatever a hostile hand does to a document.
    #[test]
    fn no_change_of_bytes_breaks_the_reader(
        which in 0..5_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..12),
    ) {
        let sheet = "<worksheet><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c></row></sheetData></worksheet>";
        let mut bytes = match which {
            0 => UBL.as_bytes().to_vec(),
            1 => CII.as_bytes().to_vec(),
            2 => CSV.as_bytes().to_vec(),
            3 => xlsx(sheet),
            _ => b"This agreement is made on 4 March 2026 between A Ltd and B Ltd.".to_vec(),
        };
        for (at, byte, how) in changes {
            let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match how {
                0 if !bytes.is_empty() => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 if !bytes.is_empty() => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        match read(&bytes) {
            Ok(reading) => drop(received(&reading)),
            Err(err) => prop_assert_ne!(err, Unreadable::Crashed),
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "(?s).{0,300}") {
        match read(text.as_bytes()) {
            Ok(reading) => drop(received(&reading)),
            Err(err) => prop_assert_ne!(err, Unreadable::Crashed),
        }
    }
}
