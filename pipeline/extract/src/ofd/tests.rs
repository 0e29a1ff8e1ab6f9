#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use case::{Evidence, Extraction, FieldName, Format, Kind, LineField};

use super::{resolved, steps};
use crate::package::tests::packed;

const ENTRY: &str = "<ofd:OFD xmlns:ofd='http://www.ofdspec.org/2016'><ofd:DocBody><ofd:DocInfo><ofd:CustomDatas>\
    <ofd:CustomData Name='发票号码'>26352000000000000001</ofd:CustomData>\
    <ofd:CustomData Name='合计金额'>200.00</ofd:CustomData></ofd:CustomDatas></ofd:DocInfo>\
    <ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot><ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures>\
    </ofd:DocBody></ofd:OFD>";
const MAIN: &str = "<ofd:Document xmlns:ofd='http://www.ofdspec.org/2016'><ofd:CommonData><ofd:PageArea>\
    <ofd:PhysicalBox>0 0 210 140</ofd:PhysicalBox></ofd:PageArea>\
    <ofd:TemplatePage ID='9' BaseLoc='Tpls/Tpl_0/Content.xml'/></ofd:CommonData>\
    <ofd:Pages><ofd:Page ID='1' BaseLoc='Pages/Page_0/Content.xml'/></ofd:Pages>\
    <ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments></ofd:Document>";
const ATTACHMENTS: &str = "<ofd:Attachments xmlns:ofd='http://www.ofdspec.org/2016'><ofd:Attachment ID='5' Name='i'>\
    <ofd:FileLoc>invoice.xml</ofd:FileLoc></ofd:Attachment></ofd:Attachments>";
const INSIDE: &str = "<EInvoice><EInvoiceData><BasicInformation><TotalAmWithoutTax>200.00</TotalAmWithoutTax>\
    <TotalTaxAm>12.00</TotalTaxAm><TotalTax-includedAmount>212.00</TotalTax-includedAmount></BasicInformation>\
    <IssuItemInformation><ItemName>*软件*维护费</ItemName><Amount>200.00</Amount><TaxRate>0.06</TaxRate>\
    <ComTaxAm>12.00</ComTaxAm></IssuItemInformation></EInvoiceData><TaxSupervisionInfo>\
    <InvoiceNumber>26352000000000000001</InvoiceNumber></TaxSupervisionInfo></EInvoice>";

/// Text at (left, top) in millimetres.
fn page(texts: &[(u32, u32, &str)]) -> String {
    let objects: String = texts
        .iter()
        .map(|(left, top, text)| {
            format!(
                "<ofd:TextObject Boundary='{left} {top} 90 5' Size='3.2'><ofd:TextCode X='0' Y='3'>{text}</ofd:TextCode></ofd:TextObject>"
            )
        })
        .collect();
    format!(
        "<ofd:Page xmlns:ofd='http://www.ofdspec.org/2016'><ofd:Template TemplateID='9'/><ofd:Content><ofd:Layer>{objects}\
         </ofd:Layer></ofd:Content></ofd:Page>"
    )
}

fn invoice_page() -> String {
    page(&[
        (140, 18, "发票号码：26352000000000000001"),
        (140, 24, "开票日期：2026年06月10日"),
        (8, 34, "购买方名称：个人"),
        (108, 34, "销售方名称：福州示范（集团）有限公司"),
        (108, 40, "统一社会信用代码/纳税人识别号：91350100M000100Y43"),
        (8, 56, "*软件*维护费"),
        (58, 56, "A-1"),
        (78, 56, "项"),
        (92, 56, "2"),
        (108, 56, "100"),
        (136, 56, "200.00"),
        (162, 56, "6%"),
        (186, 56, "12.00"),
        (8, 90, "合    计"),
        (134, 90, "¥200.00"),
        (184, 90, "¥12.00"),
        (8, 98, "价税合计（大写）"),
        (50, 98, "贰佰壹拾贰圆整"),
        (130, 98, "（小写）¥212.00"),
    ])
}

fn template() -> String {
    page(&[
        (70, 10, "电子发票（普通发票）"),
        (8, 50, "项目名称"),
        (58, 50, "规格型号"),
        (78, 50, "单位"),
        (92, 50, "数量"),
        (108, 50, "单价"),
        (136, 50, "金额"),
        (160, 50, "税率/征收率"),
        (186, 50, "税额"),
    ])
}

fn document(page: &str, inside: Option<&str>) -> Vec<u8> {
    let template = template();
    let mut entries = vec![
        ("OFD.xml", ENTRY),
        ("Doc_0/Document.xml", MAIN),
        ("Doc_0/Tpls/Tpl_0/Content.xml", template.as_str()),
        ("Doc_0/Pages/Page_0/Content.xml", page),
    ];
    if let Some(inside) = inside {
        entries.extend([("Doc_0/Attachs/Attachments.xml", ATTACHMENTS), ("Doc_0/Attachs/invoice.xml", inside)]);
    }
    packed(&entries)
}

#[track_caller]
fn read(document: &[u8]) -> Extraction {
    let answer = crate::read(document).unwrap().extraction;
    Extraction::from_untrusted(&serde_json::to_vec(&answer).unwrap()).unwrap()
}

#[test]
fn the_invoice_inside_an_ofd_is_read_and_the_page_adds_what_it_alone_says() {
    let answer = read(&document(&invoice_page(), Some(INSIDE)));
    assert_eq!((answer.format, answer.kind), (Format::Ofd, Kind::Invoice));
    assert!(matches!(answer.field(FieldName::GrossTotal).unwrap().evidence, Evidence::Element { .. }));
    assert!(matches!(answer.field(FieldName::GrossUpper).unwrap().evidence, Evidence::Page { .. }));
    assert_eq!(answer.text(FieldName::GrossUpper), Some("贰佰壹拾贰圆整"));
    assert_eq!(answer.lines.len(), 1);
    assert_eq!(answer.notes, []);
}

#[test]
fn an_ofd_without_an_invoice_inside_is_read_from_its_page_and_the_ground_under_it() {
    use FieldName::*;
    let answer = read(&document(&invoice_page(), None));
    for (name, value) in [
        (Number, "26352000000000000001"),
        (IssueDate, "2026-06-10"),
        (FapiaoKind, "普通发票"),
        (BuyerName, "个人"),
        (SellerName, "福州示范（集团）有限公司"),
        (SellerTaxId, "91350100M000100Y43"),
        (NetTotal, "200.00"),
        (TaxTotal, "12.00"),
        (GrossTotal, "212.00"),
        (GrossUpper, "贰佰壹拾贰圆整"),
        (Currency, "CNY"),
    ] {
        assert_eq!(answer.text(name), Some(value), "{name:?}");
    }
    let Evidence::Page { page, area, .. } = answer.field(GrossTotal).unwrap().evidence else { panic!() };
    assert_eq!(page, 1);
    // 130 mm from the left, and 98 of 140 mm down.
    assert!(368.0 < area[0] && 277.0 < area[1] && area[3] < 290.0, "{area:?}");
    let line: Vec<(LineField, &str)> = answer.lines[0].iter().map(|(name, it)| (*name, it.value.as_str())).collect();
    assert_eq!(
        line,
        [
            (LineField::Name, "*软件*维护费"),
            (LineField::Quantity, "2"),
            (LineField::Unit, "项"),
            (LineField::UnitPrice, "100"),
            (LineField::NetAmount, "200.00"),
            (LineField::VatRate, "6"),
            (LineField::Tax, "12.00"),
        ]
    );
}

#[test]
fn a_page_that_says_otherwise_than_the_invoice_inside_is_noted() {
    let other = INSIDE.replace("212.00", "2120.00");
    let answer = read(&document(&invoice_page(), Some(&other)));
    assert_eq!(answer.text(FieldName::GrossTotal), Some("2120.00"));
    let codes: Vec<&str> = answer.notes.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["hybrid_diff"]);
    let contents = INSIDE.replace("26352000000000000001", "26352000000000000002");
    let answer = read(&document(&page(&[(8, 8, "text")]), Some(&contents)));
    assert!(answer.notes[0].message.contains("the list of contents says 26352000000000000001"), "{:?}", answer.notes);
}

#[test]
fn what_cannot_be_read_or_seen_in_an_ofd_is_counted() {
    let answer = read(&document("<Page", Some(INSIDE)));
    assert_eq!((answer.coverage.pages, answer.coverage.read), (1, 0));
    let picture = "<Page><Content><Layer><ImageObject Boundary='0 0 210 140'/></Layer></Content></Page>";
    let answer = read(&document(picture, Some(INSIDE)));
    assert_eq!((answer.coverage.read, answer.notes[0].code.as_str()), (0, "needs_ocr"));
    let secret = invoice_page().replace("<ofd:Content>", "<ofd:Content><ofd:Layer><ofd:TextObject Boundary='1 1 9 9' Size='3' Visible='false'><ofd:TextCode X='0' Y='3'>x</ofd:TextCode></ofd:TextObject></ofd:Layer>");
    assert_eq!(read(&document(&secret, Some(INSIDE))).coverage.hidden_text, 1);
    let outside = page(&[(8, 8, "text"), (500, 8, "text")]);
    assert_eq!(read(&document(&outside, Some(INSIDE))).coverage.hidden_text, 1);
    let broken = read(&document(&invoice_page(), Some("<EInvoice")));
    assert!(broken.notes.iter().any(|it| it.code == "value_unreadable"), "{:?}", broken.notes);
    for entries in
        [&[("OFD.xml", "<OFD/>")][..], &[("OFD.xml", ENTRY)], &[("OFD.xml", ENTRY), ("Doc_0/Document.xml", "<a>")]]
    {
        assert!(crate::read(&packed(entries)).is_err());
    }
}

#[test]
fn an_invoice_that_is_listed_is_believed_before_one_that_lies_beside_it() {
    let template = template();
    let page = invoice_page();
    for (from, to, differs) in [
        ("v", "v", false),
        ("26352000000000000001", "26352000000000000002", true),
        ("212.00", "999.00", true),
        ("</EInvoiceData>", "<SellerName>别人</SellerName></EInvoiceData>", true),
    ] {
        // More lines, which would be the better reading of two that are listed.
        let other = INSIDE.replace(from, to).replace(
            "</EInvoiceData>",
            "<IssuItemInformation><ItemName>x</ItemName></IssuItemInformation></EInvoiceData>",
        );
        let inside = INSIDE.replace("</EInvoiceData>", "<SellerName>示范</SellerName></EInvoiceData>");
        let answer = read(&packed(&[
            ("OFD.xml", ENTRY),
            ("Doc_0/Document.xml", MAIN),
            ("Doc_0/Tpls/Tpl_0/Content.xml", template.as_str()),
            ("Doc_0/Pages/Page_0/Content.xml", page.as_str()),
            ("Doc_0/Attachs/Attachments.xml", ATTACHMENTS),
            ("Doc_0/Attachs/invoice.xml", inside.as_str()),
            ("Doc_0/Attachs/other.xml", other.as_str()),
        ]));
        assert_eq!((answer.text(FieldName::GrossTotal), answer.lines.len()), (Some("212.00"), 1), "{to}");
        assert_eq!(answer.notes.iter().any(|it| it.code == "several_invoices"), differs, "{to}: {:?}", answer.notes);
    }
}

#[test]
fn places_in_the_archive_and_distances_are_read_as_the_standard_has_them() {
    assert_eq!(resolved("Doc_0/Document.xml", "Pages/Page_0/Content.xml"), "Doc_0/Pages/Page_0/Content.xml");
    assert_eq!(resolved("Doc_0/Document.xml", "/Doc_1/./x.xml"), "Doc_1/x.xml");
    assert_eq!(resolved("Doc_0/Document.xml", "../../../x.xml"), "x.xml");
    assert_eq!(steps("5 g 3 2.5 x 1"), [5.0, 2.5, 2.5, 2.5, 1.0]);
    assert_eq!(steps(&"g 999999999 1 ".repeat(9)).len(), super::GLYPHS_MAX);
}
