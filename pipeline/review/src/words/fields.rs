//! What the fields of a document are called.

use case::{FieldName, LineField, VatField};

use super::Lang;

impl Lang {
    pub(crate) fn field(self, field: FieldName) -> &'static str {
        self.pick(match field {
            FieldName::Number => ["Number", "Belegnummer", "单据号"],
            FieldName::TypeCode => ["Type code", "Belegart-Code", "类型代码"],
            FieldName::IssueDate => ["Issue date", "Belegdatum", "开具日期"],
            FieldName::DueDate => ["Payment due", "Zahlungsziel", "付款到期日"],
            FieldName::DeliveryDate => ["Delivery date", "Lieferdatum", "交货日期"],
            FieldName::PeriodFrom => ["Period from", "Leistungszeitraum von", "服务期间起"],
            FieldName::PeriodTo => ["Period to", "Leistungszeitraum bis", "服务期间止"],
            FieldName::Currency => ["Currency", "Währung", "币种"],
            FieldName::OrderRef => ["Order", "Bestellnummer", "订单号"],
            FieldName::ContractRef => ["Contract reference", "Vertragsnummer", "合同号"],
            FieldName::BuyerRef => ["Buyer reference", "Käuferreferenz", "买方参考号"],
            FieldName::PrecedingInvoice => ["Preceding invoice", "Vorangegangene Rechnung", "原发票号"],
            FieldName::SellerName => ["Seller", "Verkäufer", "销售方名称"],
            FieldName::SellerVatId => ["Seller's VAT id", "USt-IdNr. des Verkäufers", "销售方增值税号"],
            FieldName::SellerTaxId => ["Seller's tax number", "Steuernummer des Verkäufers", "销售方税号"],
            FieldName::SellerCountry => ["Seller's country", "Land des Verkäufers", "销售方国家"],
            FieldName::BuyerName => ["Buyer", "Käufer", "购买方名称"],
            FieldName::BuyerVatId => ["Buyer's VAT id", "USt-IdNr. des Käufers", "购买方增值税号"],
            FieldName::BuyerTaxId => ["Buyer's tax number", "Steuernummer des Käufers", "购买方税号"],
            FieldName::BuyerCountry => ["Buyer's country", "Land des Käufers", "购买方国家"],
            FieldName::Iban => ["IBAN", "IBAN", "IBAN"],
            FieldName::Bic => ["BIC", "BIC", "BIC"],
            FieldName::PaymentTerms => ["Payment terms", "Zahlungsbedingungen", "付款条件"],
            FieldName::LineTotal => ["Sum of lines", "Summe der Positionen", "行合计"],
            FieldName::AllowanceTotal => ["Allowances", "Nachlässe", "折让合计"],
            FieldName::ChargeTotal => ["Charges", "Zuschläge", "附加费合计"],
            FieldName::NetTotal => ["Total without VAT", "Nettobetrag", "不含税合计"],
            FieldName::TaxTotal => ["VAT", "Umsatzsteuer", "增值税额"],
            FieldName::GrossTotal => ["Total with VAT", "Bruttobetrag", "价税合计"],
            FieldName::Prepaid => ["Prepaid", "Vorauszahlung", "预付金额"],
            FieldName::Withholding => ["Withheld", "Einbehalten", "代扣税额"],
            FieldName::StampDuty => ["Stamp duty", "Stempelsteuer", "印花税"],
            FieldName::InvoiceCode => ["Invoice code", "Rechnungscode", "发票代码"],
            FieldName::FapiaoKind => ["Kind of fapiao", "Art der Fapiao", "发票种类"],
            FieldName::GrossUpper => ["Total in words", "Gesamtbetrag in Worten", "价税合计（大写）"],
            FieldName::Qr => ["QR code", "QR-Code", "二维码"],
            FieldName::Rounding => ["Rounding", "Rundung", "舍入差额"],
            FieldName::Payable => ["Amount due", "Zahlbetrag", "应付金额"],
            FieldName::Title => ["Title", "Titel", "标题"],
            FieldName::AgreementDate => ["Agreement date", "Vertragsdatum", "签订日期"],
            FieldName::EffectiveDate => ["Effective date", "Vertragsbeginn", "生效日期"],
            FieldName::ExpirationDate => ["Expiration date", "Vertragsende", "到期日期"],
            FieldName::Term => ["Term", "Laufzeit", "合同期限"],
            FieldName::Renewal => ["Renewal", "Verlängerung", "续期"],
            FieldName::NoticePeriod => ["Notice period", "Kündigungsfrist", "通知期限"],
            FieldName::GoverningLaw => ["Governing law", "Anwendbares Recht", "适用法律"],
            FieldName::Jurisdiction => ["Jurisdiction", "Gerichtsstand", "管辖法院"],
            FieldName::Value => ["Contract value", "Vertragswert", "合同金额"],
        })
    }

    pub(crate) fn line_field(self, field: LineField) -> &'static str {
        self.pick(match field {
            LineField::Id => ["No.", "Pos.", "行号"],
            LineField::Name => ["Name", "Bezeichnung", "名称"],
            LineField::Quantity => ["Quantity", "Menge", "数量"],
            LineField::Unit => ["Unit", "Einheit", "单位"],
            LineField::UnitPrice => ["Unit price", "Einzelpreis", "单价"],
            LineField::PriceBase => ["Price per", "Preis je", "计价数量"],
            LineField::NetAmount => ["Net amount", "Nettobetrag", "净额"],
            LineField::VatCategory => ["VAT category", "USt-Kategorie", "税种"],
            LineField::VatRate => ["VAT %", "USt. %", "税率 %"],
            LineField::OrderRef => ["Order", "Bestellung", "订单号"],
            LineField::OrderLine => ["Order line", "Bestellposition", "订单行"],
            LineField::Item => ["Item", "Artikel", "物料号"],
            LineField::Allowance => ["Allowance", "Nachlass", "折让"],
            LineField::Tax => ["VAT", "Umsatzsteuer", "税额"],
            LineField::Charge => ["Charge", "Zuschlag", "附加费"],
        })
    }

    pub(crate) fn vat_field(self, field: VatField) -> &'static str {
        self.pick(match field {
            VatField::Category => ["Category", "Kategorie", "税种"],
            VatField::Rate => ["Rate %", "Satz %", "税率 %"],
            VatField::Taxable => ["Taxable amount", "Bemessungsgrundlage", "计税金额"],
            VatField::Tax => ["VAT", "Umsatzsteuer", "税额"],
        })
    }
}
