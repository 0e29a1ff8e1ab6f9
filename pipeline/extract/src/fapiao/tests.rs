#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use case::{Evidence, Extraction, FieldName, Format, Kind, LineField};

/// A fully digital invoice of two lines, the second exempt; `blue` is Y or N.
fn digital(blue: &str, special: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?><EInvoice><Header><EIid>26352000000000000001</EIid><InherentLabel>\
         <InIssuType><LabelCode>{blue}</LabelCode><LabelName>是否蓝字发票标志</LabelName></InIssuType>\
         <EInvoiceType><LabelCode>02</LabelCode><LabelName>电子发票</LabelName></EInvoiceType>\
         <GeneralOrSpecialVAT><LabelCode>02</LabelCode><LabelName>普通发票</LabelName></GeneralOrSpecialVAT>\
         </InherentLabel></Header><EInvoiceData><SellerInformation><SellerIdNum>91350100M000100Y43</SellerIdNum>\
         <SellerName>福州示范有限公司</SellerName><SellerAddr/></SellerInformation>\
         <BuyerInformation><BuyerName>个人</BuyerName></BuyerInformation>\
         <BasicInformation><TotalAmWithoutTax>300.00</TotalAmWithoutTax><TotalTaxAm>12.00</TotalTaxAm>\
         <TotalTax-includedAmount>312.00</TotalTax-includedAmount>\
         <TotalTax-includedAmountInChinese>叁佰壹拾贰圆整</TotalTax-includedAmountInChinese>\
         <RequestTime>2026-06-10 10:11:12</RequestTime></BasicInformation>\
         <IssuItemInformation><ItemName>*软件*维护费</ItemName><MeaUnits>项</MeaUnits><Quantity>2</Quantity>\
         <UnPrice>100</UnPrice><Amount>200.00</Amount><TaxRate>0.060000</TaxRate><ComTaxAm>12.00</ComTaxAm>\
         </IssuItemInformation><IssuItemInformation><ItemName>*蔬菜*白菜</ItemName><Amount>100.00</Amount>\
         <TaxRate>免税</TaxRate><ComTaxAm>***</ComTaxAm></IssuItemInformation>\
         <SpecificInformation>{special}</SpecificInformation><AdditionalInformation><Remark>合同编号：HT-7</Remark>\
         </AdditionalInformation></EInvoiceData><TaxSupervisionInfo><InvoiceNumber>26352000000000000001</InvoiceNumber>\
         <IssueTime>2026-06-10</IssueTime></TaxSupervisionInfo></EInvoice>"
    )
}

#[track_caller]
fn read(document: &str) -> Extraction {
    let answer = crate::read(document.as_bytes()).unwrap().extraction;
    Extraction::from_untrusted(&serde_json::to_vec(&answer).unwrap()).unwrap()
}

#[track_caller]
fn has(answer: &Extraction, fields: &[(FieldName, &str)]) {
    for (name, value) in fields {
        assert_eq!(answer.text(*name), Some(*value), "{name:?}");
    }
}

#[test]
fn a_fully_digital_invoice_is_read_with_the_place_of_each_value() {
    use FieldName::*;
    let answer = read(&digital("Y", ""));
    assert_eq!((answer.kind, answer.format), (Kind::Invoice, Format::FapiaoXml));
    assert_eq!(answer.language.as_deref(), Some("zh"));
    has(
        &answer,
        &[
            (Number, "26352000000000000001"),
            (IssueDate, "2026-06-10"),
            (FapiaoKind, "普通发票"),
            (SellerName, "福州示范有限公司"),
            (SellerTaxId, "91350100M000100Y43"),
            (BuyerName, "个人"),
            (NetTotal, "300.00"),
            (TaxTotal, "12.00"),
            (GrossTotal, "312.00"),
            (GrossUpper, "叁佰壹拾贰圆整"),
            (Currency, "CNY"),
            (ContractRef, "HT-7"),
        ],
    );
    assert_eq!(answer.text(BuyerTaxId), None);
    let line = |idx: usize, name: LineField| answer.lines[idx].get(&name).map(|it| it.value.as_str());
    assert_eq!(line(0, LineField::VatRate), Some("6"));
    assert_eq!(line(0, LineField::Tax), Some("12.00"));
    assert_eq!(line(0, LineField::Unit), Some("项"));
    assert_eq!((line(1, LineField::VatRate), line(1, LineField::VatCategory)), (None, Some("E")));
    assert_eq!(line(1, LineField::Tax), None);
    let Evidence::Element { path, text } = &answer.lines[1][&LineField::NetAmount].evidence else { panic!() };
    assert_eq!((path.as_str(), text.as_str()), ("/EInvoice/EInvoiceData/IssuItemInformation[2]/Amount", "100.00"));
    assert_eq!(answer.notes, []);
}

#[test]
fn an_invoice_in_red_is_a_credit_note_and_names_what_it_reverses() {
    let red = "<RedEInvoice><OriginalInvoiceCode>26352000000000000009</OriginalInvoiceCode></RedEInvoice>";
    let answer = read(&digital("N", red));
    assert_eq!(answer.kind, Kind::CreditNote);
    assert_eq!(answer.text(FieldName::PrecedingInvoice), Some("26352000000000000009"));
    assert_eq!(read(&digital("N", "")).kind, Kind::CreditNote);
    assert_eq!(read(&digital("Y", red)).kind, Kind::Invoice);
}

/// An invoice of the years before, as the OFD of the tax office carries it.
const OLDER: &str = "<eInvoice xmlns:fp='http://www.edrm.org.cn/schema/e-invoice/2019' Version='1.0'>\
    <fp:InvoiceCode>035002000111</fp:InvoiceCode><fp:InvoiceNo>12345678</fp:InvoiceNo>\
    <fp:IssueDate>2020年04月07日</fp:IssueDate><fp:Buyer><fp:BuyerName>甲公司</fp:BuyerName>\
    <fp:BuyerTaxID>91350100M000100Y43</fp:BuyerTaxID></fp:Buyer><fp:Seller><fp:SellerName>乙公司</fp:SellerName>\
    <fp:SellerTaxID>110105123456789</fp:SellerTaxID></fp:Seller>\
    <fp:TaxInclusiveTotalAmount>106.00</fp:TaxInclusiveTotalAmount><fp:Note/><fp:TaxTotalAmount>6.00</fp:TaxTotalAmount>\
    <fp:TaxExclusiveTotalAmount>100.00</fp:TaxExclusiveTotalAmount>\
    <fp:GraphCode>01,10,035002000111,12345678,100,20200407,01731581649436515692,53F1,</fp:GraphCode>\
    <fp:GoodsInfos><fp:GoodsInfo><fp:Item>*餐饮服务*餐费</fp:Item><fp:MeasurementDimension>次</fp:MeasurementDimension>\
    <fp:Price>25</fp:Price><fp:Quantity>4</fp:Quantity><fp:Amount>100.00</fp:Amount><fp:TaxScheme>6%</fp:TaxScheme>\
    <fp:TaxAmount>6.00</fp:TaxAmount></fp:GoodsInfo></fp:GoodsInfos></eInvoice>";

#[test]
fn an_invoice_of_the_years_before_is_read_with_its_code_and_its_qr_code() {
    use FieldName::*;
    let answer = read(OLDER);
    has(
        &answer,
        &[
            (InvoiceCode, "035002000111"),
            (Number, "12345678"),
            (IssueDate, "2020-04-07"),
            (SellerName, "乙公司"),
            (BuyerTaxId, "91350100M000100Y43"),
            (NetTotal, "100.00"),
            (TaxTotal, "6.00"),
            (GrossTotal, "106.00"),
            (Qr, "01,10,035002000111,12345678,100,20200407,01731581649436515692,53F1,"),
        ],
    );
    assert_eq!(answer.lines[0][&LineField::VatRate].value, "6");
    assert_eq!(answer.lines[0][&LineField::UnitPrice].value, "25");
    assert_eq!(read(&OLDER.replace("106.00", "-106.00")).kind, Kind::CreditNote);
}

#[test]
fn what_contradicts_itself_or_is_not_understood_is_noted() {
    let two = digital("Y", "").replace("<EIid>26352000000000000001", "<EIid>26352000000000000002");
    assert_eq!(read(&two).notes[0].code, "several_values");
    let rate = digital("Y", "").replace("0.060000", "six");
    assert_eq!(read(&rate).notes[0].code, "value_unreadable");
}

#[test]
fn xml_that_only_looks_like_a_chinese_invoice_is_not_one() {
    for document in [
        "<EInvoice/>",
        "<eInvoice><InvoiceNo> </InvoiceNo></eInvoice>",
        "<xbrl><InvoiceNumber>1</InvoiceNumber></xbrl>",
    ] {
        assert!(crate::read(document.as_bytes()).is_err(), "{document}");
    }
}

#[test]
fn an_instance_of_the_accounting_standard_is_read_as_well() {
    let text = "<xbrl xmlns='http://www.xbrl.org/2003/instance' xmlns:e='http://xbrl.mof.gov.cn/taxonomy/2023-12-31/einv'>\
        <e:TypeOfInvoice>普通发票</e:TypeOfInvoice><e:NumberOfInvoice>26352000000000000001</e:NumberOfInvoice>\
        <e:DateOfIssue>2026-06-10</e:DateOfIssue><e:NameOfPurchaser>甲公司</e:NameOfPurchaser>\
        <e:NameOfSeller>乙公司</e:NameOfSeller><e:TotalAmountExcludingTax>-100.00</e:TotalAmountExcludingTax>\
        <e:TotalTaxAmount>-6.00</e:TotalTaxAmount><e:TaxIncludedAmountInFigures>-106.00</e:TaxIncludedAmountInFigures>\
        <e:InformationOfTaxableGoodsOrServicesDetailItemsTuple><e:NameOfTaxableGoodsOrServices>*餐饮*餐费</e:NameOfTaxableGoodsOrServices>\
        <e:AmountExcludingTax>-100.00</e:AmountExcludingTax><e:TaxRate>0.06</e:TaxRate><e:TaxAmount>-6.00</e:TaxAmount>\
        </e:InformationOfTaxableGoodsOrServicesDetailItemsTuple>\
        <e:Remarks>被红冲蓝字数电票号码：26352000000000000009</e:Remarks></xbrl>";
    use FieldName::*;
    let answer = read(text);
    assert_eq!(answer.kind, Kind::CreditNote);
    has(
        &answer,
        &[
            (Number, "26352000000000000001"),
            (BuyerName, "甲公司"),
            (TaxTotal, "-6.00"),
            (GrossTotal, "-106.00"),
            (PrecedingInvoice, "26352000000000000009"),
        ],
    );
    assert_eq!(answer.lines[0][&LineField::NetAmount].value, "-100.00");
}

#[test]
fn the_seller_is_the_one_of_the_sellers_own_part() {
    let text = "<EInvoice><EInvoiceData><Other><SellerName>别的公司</SellerName></Other><SellerInformation><SellerName>销售公司\
                </SellerName></SellerInformation></EInvoiceData><TaxSupervisionInfo><InvoiceNumber>26352000000000000001\
                </InvoiceNumber></TaxSupervisionInfo></EInvoice>";
    let answer = crate::read(text.as_bytes()).unwrap().extraction;
    assert_eq!(answer.text(case::FieldName::SellerName), Some("销售公司"));
}
