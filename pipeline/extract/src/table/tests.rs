#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use case::{Extraction, FieldName, LineField};

#[track_caller]
fn check(document: &[u8], fields: &[(FieldName, &str)], line: &[(LineField, &str)]) -> Extraction {
    let found = crate::read(document).unwrap().extraction;
    for (name, expected) in fields {
        assert_eq!(found.text(*name), Some(*expected), "{name:?} of {:?}", found.fields.single);
    }
    let given: Vec<(LineField, &str)> = found.lines[0].iter().map(|(name, it)| (*name, it.value.as_str())).collect();
    assert_eq!(given, line);
    found
}

#[test]
fn invoices_are_read_in_the_words_and_the_encodings_of_their_countries() {
    use FieldName::*;
    let spanish = "Nº factura;F-77;Fecha;04/03/2026\nProveedor;Aceros S.L.\n\nCódigo;Descripción;Cantidad;Precio unitario;IVA;Importe\n\
        A1;Tornillo;1.000;0,25;21%;250,00\nA2;Gastos de envío;1;30,00;21%;30,00\n;;;;Base imponible;280,00\n;;;;Total factura;338,80 €\n";
    let found = check(
        &spanish.chars().map(|it| if it == '€' { 0x80 } else { it as u8 }).collect::<Vec<u8>>(),
        &[(Number, "F-77"), (IssueDate, "2026-03-04"), (NetTotal, "280.00"), (GrossTotal, "338.80")],
        &[
            (LineField::Name, "Tornillo"),
            (LineField::Quantity, "1000"),
            (LineField::UnitPrice, "0.25"),
            (LineField::NetAmount, "250.00"),
            (LineField::VatRate, "21"),
            (LineField::Item, "A1"),
        ],
    );
    assert_eq!(found.lines.len(), 2, "shipping is a line here, not a total");
    let chinese = "发票号码,12345678901234567890\n开票日期,2026年3月4日\n销售方名称,钢铁有限公司\n购买方名称,采购有限公司\n\
        项目名称,规格型号,单位,数量,单价,金额,税率,税额\n螺丝,M8,个,100,2.5,250.00,13%,32.50\n合计,,,,,250.00,,32.50\n价税合计,282.50\n";
    let (bytes, _, _) = encoding_rs::GB18030.encode(chinese);
    check(
        &bytes,
        &[
            (Number, "12345678901234567890"),
            (SellerName, "钢铁有限公司"),
            (LineTotal, "250.00"),
            (GrossTotal, "282.50"),
        ],
        &[
            (LineField::Name, "螺丝"),
            (LineField::Quantity, "100"),
            (LineField::Unit, "个"),
            (LineField::UnitPrice, "2.5"),
            (LineField::NetAmount, "250.00"),
            (LineField::VatRate, "13"),
        ],
    );
    let american = "sep=,\nInvoice #,INV-9\nInvoice Date,03/04/2026\nDue Date,03/31/2026\nItem,Description,Qty,Rate,Amount\n\
        A,Widget,\"1,500\",1.250,\"1,875.00\"\n,,,Total,\"$2,025.00\"\n";
    let utf16: Vec<u8> = american.encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(
        &utf16,
        &[(IssueDate, "2026-03-04"), (DueDate, "2026-03-31"), (GrossTotal, "2025.00")],
        &[
            (LineField::Name, "Widget"),
            (LineField::Quantity, "1500"),
            (LineField::UnitPrice, "1.250"),
            (LineField::NetAmount, "1875.00"),
            (LineField::Item, "A"),
        ],
    );
}

#[test]
fn a_sheet_that_is_too_long_gives_its_beginning_and_its_end_and_says_what_is_between() {
    let mut text = "Invoice no,A1\nPos,Description,Quantity,Amount\n".to_owned();
    for idx in 0..40_000 {
        text += &format!("{idx},Bolt,1,2.50\n");
    }
    text += "\nTotal,100000.00\n";
    let found = crate::read(text.as_bytes()).unwrap().extraction;
    assert_eq!(found.text(FieldName::GrossTotal), Some("100000.00"));
    assert_eq!((found.coverage.pages, found.coverage.read), (1, 0));
    let messages: Vec<&str> = found.notes.iter().map(|it| it.message.as_str()).collect();
    assert!(messages.iter().any(|it| it.contains("more than the 10000")), "{messages:?}");
    assert!(messages.iter().any(|it| it.contains("has 160008 cells with content, of which 15")), "{messages:?}");
}

#[test]
fn words_below_the_last_line_are_no_lines() {
    let text =
        "Invoice no,A1\nPos,Description,Quantity,Amount\n1,Bolt,1,2.50\n\n2,Nut,1,3.50\nThank you,,,\nTotal,6.00\n";
    let found = crate::read(text.as_bytes()).unwrap().extraction;
    assert_eq!(found.lines.len(), 2);
    assert_eq!(found.text(FieldName::GrossTotal), Some("6.00"));
}

/// The lines and totals of an invoice below other rows.
fn below(head: &str) -> Extraction {
    let rest = "\nDescription;Quantity;Unit price;Amount\nWidget;2;50,00;100,00\nBolt;4;12,50;50,00\n\
        Subtotal;;;150,00\nVAT 19%;;;28,50\nTotal;;;178,50 €\n";
    crate::read(format!("{head}\n{rest}").as_bytes()).unwrap().extraction
}

#[test]
fn the_head_of_another_column_is_no_value() {
    use FieldName::*;
    for (head, name, expected) in [
        ("Rechnungsnr.;Kundennr.;Sachbearbeiter\nR-4;C-99;Frau Ott", Number, Some("R-4")),
        ("Invoice No.;Customer No.\nR-4;C-99", Number, Some("R-4")),
        ("Invoice No.;Clerk\nR-4;Ott", Number, Some("R-4")),
        ("Your order;Our order\nPO-1;AB-9", OrderRef, Some("PO-1")),
        ("Bill To:;;;Ship To:\nBuyer AG;;;Buyer AG Werk 2", BuyerName, Some("Buyer AG")),
        ("Bill to;Ship to\nBuyer AG;Werk 2", BuyerName, Some("Buyer AG")),
        ("Invoice date;Page\n2026-03-04;1", IssueDate, Some("2026-03-04")),
        ("From;01.10.;To;31.10.", SellerName, None),
        ("From;2026-10-01;To;2026-10-31", BuyerName, None),
        ("RECHNUNG\nMuster GmbH\nHauptstr. 5, 10115 Berlin", Number, None),
        ("RECHNUNG\nMuster GmbH\nHauptstr. 5, 10115 Berlin", SellerName, Some("Muster GmbH")),
        ("INVOICE;;Acme Ltd\n;;1 High Street", Number, None),
        ("INVOICE;;1 High Street", Number, None),
        ("INVOICE;R-17", Number, Some("R-17")),
        ("Invoice number;R-17", Number, Some("R-17")),
        ("Bill to;Buyer AG\nStreet;Main street 9", BuyerName, Some("Buyer AG")),
    ] {
        assert_eq!(below(head).text(name), expected, "{name:?} of `{head}`");
    }
}

#[test]
fn a_sheet_is_what_it_calls_itself() {
    use case::Kind::*;
    for (head, expected, guessed) in [
        ("INVOICE\nNumber;R-1", Invoice, false),
        ("Invoice number;R-1", Invoice, false),
        ("Belegnummer;R-1", Invoice, true),
        ("CREDIT MEMO\nInvoice number;R-1", CreditNote, false),
        ("Nota de credito\nInvoice number;R-1", CreditNote, false),
        ("Stornorechnung zu R-1\nRechnungsnummer;R-2", CreditNote, false),
        ("Rechnung\nGutschrift Nr;G-25", CreditNote, true),
        ("Invoice / Credit note\nInvoice number;R-1", CreditNote, true),
        ("Proforma-Rechnung\nRechnungsnummer;R-1", Unknown, false),
        ("Mahnung / Payment reminder\nInvoice number;R-1", Unknown, false),
        ("QUOTATION\nDocument number;R-1", Unknown, false),
        ("Invoice to;Buyer AG\nPURCHASE ORDER\nInvoice number;R-1", Order, false),
        ("Delivery note\nDocument number;R-1", ReceiptNote, false),
        ("Rechnung\nLieferschein;4711\nBestellung;17\nAngebot Nr. 3\nRechnungsnummer;R-1", Invoice, false),
        ("Invoice number;Delivery note;Date\nR-1;17;2026-03-04", Invoice, false),
    ] {
        let found = below(head);
        assert_eq!(found.kind, expected, "`{head}`");
        assert_eq!(found.notes.iter().any(|it| it.code == "kind_guessed"), guessed, "`{head}`: {:?}", found.notes);
    }
}

#[test]
fn the_amount_of_a_total_is_told_from_what_stands_beside_it() {
    use FieldName::*;
    let lines = "Invoice number;R-1\n\nDescription;Quantity;Unit price;Amount\nWidget;2 PCS;50,00;100,00\nBolt;4 PCS;12,50;50,00\n";
    for (totals, name, expected) in [
        ("VAT;19%;;28,50", TaxTotal, Some("28.50")),
        ("VAT;;19%;28,50", TaxTotal, Some("28.50")),
        ("VAT 19%;150,00;;28,50", TaxTotal, Some("28.50")),
        ("VAT 19%;150,00;28,50;178,50", TaxTotal, Some("28.50")),
        ("Net;150,00;28,50;178,50", NetTotal, Some("150.00")),
        ("Total;6;;150,00", GrossTotal, Some("150.00")),
        ("Total;EUR;178,50", GrossTotal, Some("178.50")),
        ("Total;178,50;VAT;28,50", GrossTotal, Some("178.50")),
        ("VAT 19%;;;19,00\nVAT 7%;;;3,50", TaxTotal, Some("22.50")),
        ("VAT;19%;;19,00\nVAT;7%;;3,50", TaxTotal, Some("22.50")),
        ("VAT 19%;;;19,00\nVAT 7%;;;3,50\nTotal VAT;;;22,50", TaxTotal, Some("22.50")),
        ("Discount;;;-15,00\nTotal;;;160,65", AllowanceTotal, Some("15.00")),
        ("Discount 10%;;;15,00", AllowanceTotal, Some("15.00")),
        ("Discount;2%;;3,00", AllowanceTotal, Some("3.00")),
        ("Discount;;;-15,00\nTotal;;;-160,65", AllowanceTotal, Some("-15.00")),
        ("Total;;;178,50", Currency, None),
        ("Total;;;178,50 CHF", Currency, Some("CHF")),
    ] {
        let found = crate::read(format!("{lines}{totals}\n").as_bytes()).unwrap().extraction;
        assert_eq!(found.text(name), expected, "{name:?} of `{totals}`: {:?}", found.fields.single);
    }
}

#[test]
fn a_day_that_could_be_two_is_read_as_the_others_or_with_doubt() {
    for (head, expected, sure) in [
        ("Invoice number;R-1\nInvoice date;11/9/26\nDue date;12/31/26", "2026-11-09", true),
        ("Invoice number;R-1\nInvoice date;11-09-2026\nDue date;12-31-2026", "2026-11-09", true),
        ("Invoice number;R-1\nInvoice date;11/09/2026\nDelivery date;10/31/2026 12:00", "2026-11-09", true),
        ("Invoice number;R-1\nInvoice date;11/09/2026\nDue date;31/12/2026", "2026-09-11", true),
        ("Invoice number;R-1\nInvoice date;11/09/2026", "2026-09-11", false),
        ("Invoice number;R-1\nInvoice date: 11/09/2026", "2026-09-11", false),
        ("Nº factura;R-1\nFecha;11/09/2026", "2026-09-11", true),
        ("Invoice number;R-1\nInvoice date;11.09.2026", "2026-09-11", true),
    ] {
        let found = below(head);
        let date = found.field(FieldName::IssueDate).unwrap();
        assert_eq!((date.value.as_str(), 0.8 < date.confidence), (expected, sure), "`{head}`");
    }
}

#[test]
fn a_bank_account_is_found_under_any_label_and_two_are_told() {
    for (head, several) in [
        ("Invoice number;R-1\nBank account (IBAN);DE02120300000000202051", false),
        ("Invoice number;R-1\nPlease pay to our new account IBAN DE02 1203 0000 0000 2020 51", false),
        ("Invoice number;R-1\nBank: DKB, IBAN: DE02 1203 0000 0000 2020 51", false),
        ("Invoice number;R-1\nIBAN;DE02 1203 0000 0000 2020 51\nNew: DE02500105170137075030", true),
    ] {
        let found = below(head);
        assert_eq!(found.text(FieldName::Iban), Some("DE02120300000000202051"), "`{head}`");
        assert_eq!(found.notes.iter().any(|it| it.code == "several_values"), several, "`{head}`: {:?}", found.notes);
    }
}

#[test]
fn another_table_of_lines_on_the_same_sheet_is_told() {
    let more = "\nFurther items\nDescription;Quantity;Unit price;Amount\nExtra;1;500,00;500,00\n";
    let text = "Invoice number;R-1\n\nDescription;Quantity;Unit price;Amount\nWidget;2;50,00;100,00\nTotal;;;100,00\n";
    let codes = |text: &str| -> Vec<String> {
        crate::read(text.as_bytes()).unwrap().extraction.notes.into_iter().map(|it| it.code).collect()
    };
    assert_eq!(codes(text), [""; 0]);
    assert_eq!(codes(&format!("{text}{more}")), ["second_table"]);
}

/// A workbook with these cells, and these styles and columns.
fn workbook(styles: &str, columns: &str, rows: &str) -> Vec<u8> {
    let parts = [
        (
            "[Content_Types].xml",
            "<Types><Override ContentType='application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml'/></Types>"
                .to_owned(),
        ),
        (
            "_rels/.rels",
            "<Relationships><Relationship Type='x/officeDocument' Target='/xl/workbook.xml'/></Relationships>".to_owned(),
        ),
        (
            "xl/workbook.xml",
            "<workbook xmlns:r='urn:r'><sheets><sheet name='Bill' r:id='i1'/></sheets></workbook>".to_owned(),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships><Relationship Id='i1' Target='s1.xml'/></Relationships>".to_owned(),
        ),
        ("xl/styles.xml", format!("<styleSheet>{styles}</styleSheet>")),
        ("xl/s1.xml", format!("<worksheet>{columns}<sheetData>{rows}</sheetData></worksheet>")),
    ];
    let parts: Vec<(&str, &str)> = parts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    crate::package::tests::packed(&parts)
}

#[test]
fn a_number_is_read_as_its_format_shows_it() {
    use FieldName::*;
    let row = |label: &str, value: &str| {
        format!("<row><c t='inlineStr'><is><t>{label}</t></is></c><c s='1'><v>{value}</v></c></row>")
    };
    for (code, label, stored, name, expected) in [
        ("&quot;R-&quot;00000", "Invoice number", "42", Number, "R-00042"),
        ("0000\\-0000", "Invoice number", "20260042", Number, "2026-0042"),
        ("mm-yy", "Invoice number", "46329", Number, "11-26"),
        ("00000", "Order number", "42", OrderRef, "00042"),
        ("0", "Order number", "42", OrderRef, "42"),
        ("0.00", "Total", "178.89627", GrossTotal, "178.9"),
        ("0", "Total", "178.5", GrossTotal, "178.5"),
        ("0 &quot;Stk&quot;", "Total", "178", GrossTotal, "178"),
    ] {
        let styles = format!(
            "<numFmts><numFmt numFmtId='164' formatCode='{code}'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='164'/></cellXfs>"
        );
        let found = crate::read(&workbook(&styles, "", &row(label, stored))).unwrap().extraction;
        assert_eq!(found.text(name), Some(expected), "{code}");
        assert_eq!(found.text(Currency), None, "{code}");
    }
}

#[test]
fn what_no_eye_sees_is_counted_and_not_read() {
    let fonts = "<fonts><font/><font><color rgb='FFFEFEFE'/></font><font><sz val='1'/></font><font><color rgb='FF203040'/></font></fonts>";
    let fills =
        "<fills><fill/><fill><patternFill patternType='solid'><fgColor rgb='FF203040'/></patternFill></fill></fills>";
    for (row, columns, xf, expected) in [
        ("", "", "numFmtId='0'", 0),
        ("ht='0.0'", "", "numFmtId='0'", 2),
        ("ht='15'", "", "numFmtId='0'", 0),
        ("", "<cols><col min='2' max='2' width='0.0'/></cols>", "numFmtId='0'", 1),
        ("", "", "numFmtId='164'", 1),
        ("", "", "fontId='1' fillId='0'", 1),
        ("", "", "fontId='1' fillId='1'", 0),
        ("", "", "fontId='2' fillId='0'", 1),
        ("", "", "fontId='3' fillId='1'", 1),
        ("", "", "fontId='0' fillId='0'", 0),
    ] {
        let styles = format!(
            "<numFmts><numFmt numFmtId='164' formatCode='&quot;&quot;;&quot;&quot;;&quot;&quot;;&quot;&quot;'/></numFmts>{fonts}{fills}\
             <cellXfs><xf numFmtId='0'/><xf {xf}/></cellXfs>"
        );
        let rows = format!(
            "<row r='1' {row}><c t='inlineStr'><is><t>Invoice number</t></is></c><c s='1' t='inlineStr'><is><t>R-1</t></is></c></row>"
        );
        let found = crate::read(&workbook(&styles, columns, &rows)).unwrap().extraction;
        assert_eq!(found.coverage.hidden_text, expected, "{row}{columns}{xf}");
        assert_eq!(found.text(FieldName::Number), (expected == 0).then_some("R-1"), "{row}{columns}{xf}");
    }
}

#[test]
fn text_in_cells_has_limits_that_are_named() {
    let long = "x".repeat(140_000);
    let found = crate::read(format!("Invoice number,Invoice date,Total\nR-1,2026-03-04,{long}\n").as_bytes())
        .unwrap()
        .extraction;
    let messages: Vec<&str> = found.notes.iter().map(|it| it.message.as_str()).collect();
    assert!(messages.iter().any(|it| it.contains("140000 bytes of text, more than the 131068")), "{messages:?}");
    let ods = |columns: u32, length: usize, rows: usize| {
        let row = format!(
            "<t:table-row><t:table-cell o:value-type='string' t:number-columns-repeated='{columns}'><x:p>{}</x:p></t:table-cell></t:table-row>",
            "x".repeat(length)
        );
        let content = format!(
            "<o:document-content xmlns:o='urn:o' xmlns:t='urn:t' xmlns:x='urn:x'><o:body><o:spreadsheet><t:table t:name='S'>{}</t:table></o:spreadsheet></o:body></o:document-content>",
            row.repeat(rows)
        );
        crate::package::tests::packed(&[
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            ("content.xml", &content),
        ])
    };
    let found = crate::read(&ods(16_384, 20_000, 3)).unwrap().extraction;
    let messages: Vec<&str> = found.notes.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(found.coverage.read, 0);
    assert!(
        messages.iter().any(|it| it.contains("has 49152 cells with content") && it.contains("16777216 bytes of text")),
        "{messages:?}"
    );
}
