use super::*;
use FieldName::*;

/// Made by another program from `01,32,,26352000000000000001,212.00,20260610,,ABCD`: a row of 29 modules each.
const QR: [u32; 29] = [
    0x1fc1427f, 0x10552441, 0x1741045d, 0x175dbd5d, 0x1749425d, 0x1059a441, 0x1fd5557f, 0x000c3400, 0x1f798daa,
    0x02844251, 0x1df4e48e, 0x1fa32492, 0x02fdbdad, 0x1db84253, 0x08c124b6, 0x1daf24b0, 0x07e1bda6, 0x108c425d,
    0x174ce4a2, 0x15bd1092, 0x10ed8df6, 0x00104f1d, 0x1fd52352, 0x10484510, 0x175bbdfe, 0x175340a1, 0x175d3c56,
    0x105c2782, 0x1fdfbcbc,
];

/// Two points to a module.
fn qr_code(left: f64, top: f64) -> String {
    let mut path = String::new();
    for (row, y) in QR.iter().zip(0..) {
        for column in (0..29).filter(|column| row >> (28 - column) & 1 == 1) {
            let (x, y) = (left + 2.0 * f64::from(column), 842.0 - top - 2.0 * f64::from(y) - 2.0);
            path.push_str(&format!("{x} {y} 2 2 re\n"));
        }
    }
    format!("{path}f\n")
}

/// Chinese text in a font whose codes are not its characters, as printers embed it.
fn chinese(places: &[(f64, f64, &str)]) -> Draft {
    let mut chars: Vec<char> = places.iter().flat_map(|(_, _, text)| text.chars()).collect();
    chars.sort_unstable();
    chars.dedup();
    let code = |char: char| 33 + chars.binary_search(&char).unwrap();
    let pairs: String = chars.iter().map(|it| format!("<{:02x}> <{:04x}>\n", code(*it), u32::from(*it))).collect();
    let content: String = places
        .iter()
        .map(|(left, top, text)| {
            let codes: String = text.chars().map(|it| format!("{:02x}", code(it))).collect();
            format!("BT /F2 8 Tf {left} {} Td <{codes}> Tj ET\n", 842.0 - top)
        })
        .collect();
    let map = format!(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n\
         1 begincodespacerange <00> <ff> endcodespacerange\n{} beginbfchar\n{pairs}endbfchar endcmap end end",
        chars.len()
    );
    let mut draft = Draft::new();
    let unicode = draft.document.add_object(Stream::new(Dictionary::new(), map.into_bytes()));
    let font = draft.document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier", "FirstChar" => 33, "LastChar" => 160,
        "Widths" => vec![Object::Integer(1000); 128], "ToUnicode" => unicode,
    });
    draft.resources.set("Font", dictionary! { "F2" => font });
    draft.page(&format!("{content}{}", qr_code(20.0, 20.0)))
}

/// Labels down the sides, characters set apart, the title without brackets of its own.
const FAPIAO: &[(f64, f64, &str)] = &[
    (220.0, 30.0, "电子发票（增值税专用发票）"),
    (380.0, 50.0, "发票号码："),
    (424.0, 50.0, "26352000000000000001"),
    (400.0, 70.0, "开票日期：2026年06月10日"),
    (10.0, 100.0, "购"),
    (30.0, 100.0, "名"),
    (46.0, 100.0, "称："),
    (70.0, 100.0, "甲（厦门）有限公司"),
    (300.0, 100.0, "销"),
    (320.0, 100.0, "名"),
    (336.0, 100.0, "称："),
    (360.0, 100.0, "乙公司"),
    (10.0, 112.0, "买"),
    (300.0, 112.0, "售"),
    (30.0, 124.0, "统一社会信用代码/纳税人识别号："),
    (320.0, 124.0, "统一社会信用代码/纳税人识别号：91350100M000100Y43"),
    (40.0, 150.0, "项目名称"),
    (120.0, 150.0, "规格型号"),
    (170.0, 150.0, "单"),
    (184.0, 150.0, "位"),
    (220.0, 150.0, "数"),
    (234.0, 150.0, "量"),
    (280.0, 150.0, "单价"),
    (350.0, 150.0, "金额"),
    (420.0, 150.0, "税率/征收率"),
    (500.0, 150.0, "税额"),
    (20.0, 164.0, "*研发服务*软件开发"),
    (180.0, 164.0, "项"),
    (232.0, 164.0, "2"),
    (280.0, 164.0, "100"),
    (346.0, 164.0, "200.00"),
    (432.0, 164.0, "6%"),
    (486.0, 164.0, "12.00"),
    (20.0, 174.0, "第二期"),
    (50.0, 230.0, "合"),
    (80.0, 230.0, "计"),
    (338.0, 230.0, "¥200.00"),
    (478.0, 230.0, "¥12.00"),
    (30.0, 250.0, "价税合计（大写）"),
    (150.0, 250.0, "ⓧ贰佰壹拾贰圆整"),
    (380.0, 250.0, "（小写）¥212.00"),
    (30.0, 270.0, "订单号：4500012345"),
];

#[test]
fn a_printed_chinese_invoice_is_read_by_its_labels_its_table_and_its_qr_code() {
    let reading = reading(&chinese(FAPIAO).bytes());
    let found = &reading.extraction;
    assert_eq!((found.kind, found.format, found.language.as_deref()), (Kind::Invoice, Format::PdfText, Some("zh")));
    values(
        found,
        &[
            (Number, "26352000000000000001"),
            (IssueDate, "2026-06-10"),
            (FapiaoKind, "增值税专用发票"),
            (BuyerName, "甲（厦门）有限公司"),
            (SellerName, "乙公司"),
            (SellerTaxId, "91350100M000100Y43"),
            (NetTotal, "200.00"),
            (TaxTotal, "12.00"),
            (GrossTotal, "212.00"),
            (GrossUpper, "贰佰壹拾贰圆整"),
            (Currency, "CNY"),
            (OrderRef, "4500012345"),
            (Qr, "01,32,,26352000000000000001,212.00,20260610,,ABCD"),
        ],
    );
    assert_eq!(found.text(BuyerTaxId), None);
    let line: Vec<(LineField, &str)> = found.lines[0].iter().map(|(name, it)| (*name, it.value.as_str())).collect();
    assert_eq!(
        line,
        [
            (LineField::Name, "*研发服务*软件开发第二期"),
            (LineField::Quantity, "2"),
            (LineField::Unit, "项"),
            (LineField::UnitPrice, "100"),
            (LineField::NetAmount, "200.00"),
            (LineField::VatRate, "6"),
            (LineField::Tax, "12.00"),
        ]
    );
    shown_at(found, Qr, 1, [20.0, 20.0, 79.5, 79.5], "01,32,,26352000000000000001,212.00,20260610,,ABCD");
    assert_eq!(found.notes, []);
}

#[test]
fn the_blocks_of_an_older_printed_invoice_stand_one_above_the_other_and_in_red_it_is_a_credit_note() {
    let older: Vec<(f64, f64, &str)> = FAPIAO
        .iter()
        .map(|(left, top, text)| match *text {
            "销" | "售" => (10.0, top + 190.0, *text),
            "26352000000000000001" => (*left, *top, "12345678"),
            "¥200.00" => (*left, *top, "-¥200.00"),
            "¥12.00" => (*left, *top, "¥-12.00"),
            "（小写）¥212.00" => (*left, *top, "（小写）¥-212.00"),
            "电子发票（增值税专用发票）" => (*left, *top, "福建增值税电子普通发票"),
            "订单号：4500012345" => (*left, *top, "对应正数发票代码：035002000111号码：87654321"),
            text if 300.0 < *left && (95.0..130.0).contains(top) => (left - 290.0, top + 190.0, text),
            text => (*left, *top, text),
        })
        .chain([(200.0, 50.0, "发票代码：035002000111")])
        .collect();
    let reading = reading(&chinese(&older).bytes());
    assert_eq!(reading.extraction.kind, Kind::CreditNote);
    values(
        &reading.extraction,
        &[
            (Number, "12345678"),
            (InvoiceCode, "035002000111"),
            (FapiaoKind, "福建增值税电子普通发票"),
            (BuyerName, "甲（厦门）有限公司"),
            (SellerName, "乙公司"),
            (SellerTaxId, "91350100M000100Y43"),
            (NetTotal, "-200.00"),
            (TaxTotal, "-12.00"),
            (GrossTotal, "-212.00"),
            (PrecedingInvoice, "87654321"),
        ],
    );
}

#[test]
fn a_printed_chinese_invoice_without_its_qr_code_says_so() {
    let mut draft = chinese(FAPIAO);
    let page = draft.kids[0].as_reference().unwrap();
    let content = draft.document.get_dictionary(page).unwrap().get(b"Contents").unwrap().as_reference().unwrap();
    let stream = draft.document.get_object_mut(content).unwrap().as_stream_mut().unwrap();
    let at = stream.content.windows(4).position(|it| it == b" re\n").unwrap();
    let start = stream.content[..at].windows(3).rposition(|it| it == b"ET\n").unwrap() + 3;
    stream.content.truncate(start);
    let reading = reading(&draft.bytes());
    assert_eq!(reading.extraction.text(FieldName::Qr), None);
    assert_eq!(reading.extraction.notes[0].code, "no_qr_code");
}
