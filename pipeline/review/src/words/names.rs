//! What the closed lists of the case are called on a page: states, documents, roles, fields, findings, acts.

use case::{Code, FieldName, Format, Kind, LineField, Role, Severity, State, VatField};

use super::Lang;

impl Lang {
    pub(crate) fn state(self, state: State) -> &'static str {
        self.pick(match state {
            State::Received => ["Received", "Eingegangen", "已收到"],
            State::Extracted => ["Read", "Gelesen", "已读取"],
            State::Validated => ["Checked", "Geprüft", "已检查"],
            State::InReview => ["In review", "In Prüfung", "审核中"],
            State::Approved => ["Approved", "Freigegeben", "已批准"],
            State::Posted => ["Booked", "Gebucht", "已入账"],
            State::Archived => ["Archived", "Archiviert", "已归档"],
            State::Rejected => ["Rejected", "Zurückgewiesen", "已驳回"],
            State::Quarantined => ["Quarantined", "In Quarantäne", "已隔离"],
            State::Erased => ["Erased", "Gelöscht", "已删除"],
        })
    }

    pub(crate) fn kind(self, kind: Kind) -> &'static str {
        self.pick(match kind {
            Kind::Invoice => ["Invoice", "Rechnung", "发票"],
            Kind::CreditNote => ["Credit note", "Gutschrift", "贷项通知单"],
            Kind::Contract => ["Contract", "Vertrag", "合同"],
            Kind::Order => ["Order", "Bestellung", "采购订单"],
            Kind::ReceiptNote => ["Goods receipt", "Wareneingang", "收货单"],
            Kind::ExpenseClaim => ["Expense claim", "Spesenabrechnung", "费用报销单"],
            Kind::BankStatement => ["Bank statement", "Kontoauszug", "银行对账单"],
            Kind::Unknown => ["Not recognised", "Nicht erkannt", "未识别"],
        })
    }

    pub(crate) fn format(self, format: Format) -> &'static str {
        self.pick(match format {
            Format::Ubl => ["UBL", "UBL", "UBL"],
            Format::Cii => ["CII", "CII", "CII"],
            Format::FacturX => ["Factur-X / ZUGFeRD", "ZUGFeRD / Factur-X", "Factur-X / ZUGFeRD"],
            Format::FatturaPa => ["FatturaPA", "FatturaPA", "FatturaPA"],
            Format::FapiaoXml => ["Fapiao (XML)", "Fapiao (XML)", "数电票（XML）"],
            Format::Ofd => ["OFD", "OFD", "OFD"],
            Format::PdfText => ["PDF", "PDF", "PDF"],
            Format::PdfOcr => ["PDF, scanned", "PDF, gescannt", "PDF（扫描件）"],
            Format::ImageOcr => ["Picture", "Bild", "图片"],
            Format::Docx => ["DOCX", "DOCX", "DOCX"],
            Format::Xlsx => ["XLSX", "XLSX", "XLSX"],
            Format::Ods => ["ODS", "ODS", "ODS"],
            Format::Csv => ["CSV", "CSV", "CSV"],
            Format::Eml => ["E-mail", "E-Mail", "电子邮件"],
            Format::Text => ["Plain text", "Reiner Text", "纯文本"],
        })
    }

    pub(crate) fn role(self, role: Role) -> &'static str {
        self.pick(match role {
            Role::Operator => ["operator", "Erfassung", "录入员"],
            Role::Reviewer => ["reviewer", "Rechnungsprüfung", "审核员"],
            Role::Legal => ["legal", "Rechtsabteilung", "法务"],
            Role::Auditor => ["auditor", "Revision", "审计员"],
            Role::Admin => ["admin", "Administration", "管理员"],
        })
    }

    pub(crate) fn severity(self, severity: Severity) -> &'static str {
        self.pick(match severity {
            Severity::Info => ["note", "Hinweis", "提示"],
            Severity::Review => ["review", "prüfen", "需审核"],
            Severity::Hold => ["hold", "gesperrt", "暂停"],
            Severity::Stop => ["stop", "gestoppt", "禁止"],
        })
    }

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

    /// What was done, by its name in the log; a name that is not known here is shown as it stands.
    pub(crate) fn act(self, act: &'static str) -> &'static str {
        self.pick(match act {
            "case.admit" => ["Arrived", "Eingegangen", "收到单据"],
            "case.duplicate" => ["Arrived again", "Erneut eingegangen", "重复收到"],
            "case.extract" => ["Read", "Gelesen", "读取"],
            "case.quarantine" => ["Could not be read", "Nicht lesbar", "无法读取"],
            "case.validate" => ["Checked by itself", "Für sich geprüft", "单据检查"],
            "case.reconcile" => ["Matched and routed", "Abgeglichen und zugewiesen", "匹配并分派"],
            "case.rematch" => ["Matched again", "Erneut abgeglichen", "重新匹配"],
            "case.reopen" => ["Reopened", "Wieder geöffnet", "重新打开"],
            "case.archive" => ["Archived", "Archiviert", "归档"],
            "review.approve" => ["Approved", "Freigegeben", "批准"],
            "review.reject" => ["Rejected", "Zurückgewiesen", "驳回"],
            "review.correct" => ["Corrected", "Korrigiert", "更正"],
            "review.release" => ["Released to be read again", "Zum erneuten Lesen freigegeben", "放行重新读取"],
            "review.comment" => ["Commented", "Kommentiert", "评论"],
            "review.denied" => ["Decision refused", "Entscheidung abgelehnt", "决定被拒绝"],
            "posting.answer" => ["The ledger answered", "Antwort der Buchhaltung", "总账答复"],
            "document.view" => ["Looked at", "Angesehen", "查看"],
            "hold.place" => ["Put under legal hold", "Löschsperre gesetzt", "实施法律保全"],
            "hold.release" => ["Legal hold released", "Löschsperre aufgehoben", "解除法律保全"],
            "retention.start" => ["End of the contract told", "Vertragsende angegeben", "登记合同终止"],
            "disposal.propose" => ["Erasure proposed", "Löschung vorgeschlagen", "提议删除"],
            "disposal.withdraw" => ["Proposal withdrawn", "Löschvorschlag zurückgezogen", "撤回删除提议"],
            "disposal.approve" => ["Erased", "Gelöscht", "删除"],
            other => [other, other, other],
        })
    }

    /// What a figure of a finding is called; one of its twin by what it is of.
    pub(crate) fn operand(self, name: &str) -> String {
        if let Some(own) = name.strip_prefix("twin_") {
            return format!("{} ({})", self.operand_named(own), self.operand_named("twin"));
        }
        self.operand_named(name).to_owned()
    }

    fn operand_named(self, name: &str) -> &str {
        self.pick(match name {
            "figures" => ["figures", "Zahlen", "数值"],
            "sums" => ["sums", "Summen", "合计"],
            "expected" => ["expected", "erwartet", "应为"],
            "found" => ["found", "gefunden", "实际"],
            "difference" => ["difference", "Differenz", "差额"],
            "limit" | "limit_abs" => ["limit", "Grenze", "限额"],
            "limit_percent" => ["limit %", "Grenze %", "限额 %"],
            "allowed" => ["allowed", "erlaubt", "允许"],
            "percent" => ["percent", "Prozent", "百分比"],
            "taxable" => ["taxable", "Bemessungsgrundlage", "计税金额"],
            "rate" => ["rate %", "Satz %", "税率 %"],
            "known" => ["known", "bekannt", "已登记"],
            "twin" => ["twin", "Zwilling", "重复案件"],
            "ordered" => ["ordered", "bestellt", "订购"],
            "ordered_from" => ["ordered from", "bestellt bei", "订购自"],
            "order" => ["order", "Bestellung", "订单"],
            "order_line" => ["order line", "Bestellposition", "订单行"],
            "billed" => ["billed", "berechnet", "开票"],
            "billed_before" => ["billed before", "bereits berechnet", "此前已开票"],
            "billed_now" => ["billed now", "jetzt berechnet", "本次开票"],
            "billed_by" => ["billed by", "berechnet von", "开票方"],
            "received" => ["received", "erhalten", "收货"],
            "accepted" => ["accepted", "angenommen", "验收"],
            "credited" => ["credited", "gutgeschrieben", "贷记"],
            "excess" => ["excess", "Überschuss", "超出"],
            "excess_amount" => ["excess amount", "Überschussbetrag", "超出金额"],
            "variance" => ["variance", "Abweichung", "差异"],
            "issued" => ["issued", "ausgestellt", "开具"],
            "today" => ["today", "heute", "今天"],
            "confidence" => ["confidence", "Sicherheit", "可信度"],
            "min" => ["at least", "mindestens", "至少"],
            "pages" => ["pages", "Seiten", "页数"],
            "read" => ["read", "gelesen", "已读"],
            "pieces" => ["pieces", "Stellen", "处"],
            "clause" => ["clause", "Klausel", "条款"],
            "value" => ["value", "Wert", "值"],
            "country" => ["country", "Land", "国家"],
            "currency" => ["currency", "Währung", "币种"],
            "policy_row" => ["policy row", "Richtlinienzeile", "政策行"],
            "iban" => ["IBAN", "IBAN", "IBAN"],
            "vat_id" => ["VAT id", "USt-IdNr.", "增值税号"],
            "above" => ["above the orders", "über den Bestellungen", "高于订单金额"],
            "above_before" => ["above the orders before", "bisher über den Bestellungen", "此前高于订单金额"],
            "above_now" => ["above the orders now", "jetzt über den Bestellungen", "本次高于订单金额"],
            "above_ordered" => ["above the orders, planned", "über den Bestellungen, geplant", "计划高于订单金额"],
            "account" => ["account", "Konto", "账户"],
            "account_country" => ["country of the account", "Land des Kontos", "账户所在国"],
            "age_days" => ["age in days", "Alter in Tagen", "距今天数"],
            "agreed" => ["agreed", "vereinbart", "约定"],
            "agreed_with" => ["agreed with", "vereinbart mit", "约定方"],
            "amount" => ["amount", "Betrag", "金额"],
            "approved" => ["approved", "freigegeben", "已批准"],
            "bands" => ["amount bands from", "Betragsstufen ab", "各金额档起点"],
            "band" => ["amount band from", "Betragsstufe ab", "金额档起点"],
            "bill" => ["bill", "Rechnung", "账单"],
            "bills" => ["bills", "Rechnungen", "账单"],
            "bills_before" => ["such bills before", "solche Rechnungen zuvor", "此前同类账单数"],
            "bills_without_series" => ["bills without a series", "Rechnungen ohne Serie", "无系列时账单数"],
            "billed_currency" => ["currency billed", "Rechnungswährung", "开票币种"],
            "cancelled" => ["cancelled", "storniert", "作废次数"],
            "checked_on" => ["checked on", "geprüft am", "核对日期"],
            "closed_until" => ["books closed until", "Bücher geschlossen bis", "账簿关闭至"],
            "contract" => ["contract", "Vertrag", "合同"],
            "contract_due_date" => ["due by the contract", "fällig laut Vertrag", "合同到期日"],
            "conversion" => ["conversion of units", "Umrechnung der Einheiten", "单位换算"],
            "cost_centre" => ["cost centre", "Kostenstelle", "成本中心"],
            "credited_before" => ["credited before", "bereits gutgeschrieben", "此前已贷记"],
            "credited_now" => ["credited now", "jetzt gutgeschrieben", "本次贷记"],
            "date" => ["date", "Datum", "日期"],
            "days" => ["days", "Tage", "天数"],
            "days_ahead" => ["days ahead", "Tage voraus", "提前天数"],
            "days_known" => ["days known", "Tage bekannt", "已知天数"],
            "days_outside" => ["days outside", "Tage außerhalb", "超出有效期天数"],
            "due" => ["due", "fällig", "到期"],
            "due_date" => ["due date", "Fälligkeit", "到期日"],
            "employee" => ["employee", "beschäftigte Person", "员工"],
            "error_rate" => ["error rate", "Fehlerquote", "错误率"],
            "factor" => ["factor", "Faktor", "系数"],
            "first" => ["the one", "das eine", "其一"],
            "first_price" => ["first price", "erster Preis", "最初价格"],
            "fitting" => ["that fit", "passende", "符合数量"],
            "future_days" => ["days ahead allowed", "Tage voraus erlaubt", "允许提前天数"],
            "gross" => ["gross amount", "Bruttobetrag", "含税金额"],
            "half_price" => ["half of the lower price", "Hälfte des niedrigeren Preises", "较低价格的一半"],
            "index_cap_percent" => ["index at most, %", "Index höchstens, %", "指数上限 %"],
            "invoices" => ["invoices", "Rechnungen", "发票数"],
            "invoices_min" => ["invoices at least", "Rechnungen mindestens", "最少发票数"],
            "issue_date" => ["issue date", "Rechnungsdatum", "开票日期"],
            "item" => ["item", "Artikel", "商品"],
            "kept" => ["kept", "behalten", "留存"],
            "key" => ["looked up by", "gesucht nach", "查询键"],
            "kind" => ["document", "Belegart", "单据类型"],
            "known_since" => ["known since", "bekannt seit", "登记日期"],
            "least" => ["at least", "mindestens", "至少"],
            "limits" => ["currency of the limits", "Währung der Grenzen", "限额币种"],
            "lines" => ["lines", "Positionen", "行项目"],
            "looked_at" => ["looked at", "angesehen", "已查看"],
            "lower_abs" => ["lower limit", "untere Grenze", "下限"],
            "lower_percent" => ["lower limit, %", "untere Grenze, %", "下限 %"],
            "months" => ["months", "Monate", "月数"],
            "most" => ["at most", "höchstens", "最多"],
            "moved" => ["moved", "bewegt", "发生额"],
            "n_others" => ["other invoices", "andere Rechnungen", "其他发票数"],
            "named" => ["named", "genannt", "注明"],
            "near" => ["near the limit", "nahe der Grenze", "接近限额"],
            "near_from" => ["near from", "nahe ab", "接近起点"],
            "near_from_percent" => ["near from, % of the limit", "nahe ab, % der Grenze", "接近限额起点 %"],
            "net" => ["net amount", "Nettobetrag", "不含税金额"],
            "new_vendor_days" => ["days that a vendor is new", "Tage, die ein Kreditor neu ist", "新供应商天数"],
            "none" => ["nothing", "nichts", "无"],
            "not_to_exceed" => ["not to exceed", "Höchstbetrag", "不得超过"],
            "number" => ["number", "Nummer", "号码"],
            "number_folded" => ["number, folded", "Nummer, vereinheitlicht", "规范化号码"],
            "on" => ["on", "am", "日期"],
            "one" => ["one", "eine", "一"],
            "open" => ["open", "offen", "未结"],
            "open_lines" => ["open lines", "offene Positionen", "未结行数"],
            "ordered_unit" => ["unit ordered", "bestellte Einheit", "订购单位"],
            "others" => ["the others", "die anderen", "其他合计"],
            "paid" => ["paid", "gezahlt", "已付"],
            "paid_currency" => ["currency paid", "gezahlte Währung", "付款币种"],
            "payment" => ["payment", "Zahlung", "付款"],
            "payment_days" => ["days to pay", "Zahlungsfrist in Tagen", "付款天数"],
            "people" => ["people", "Personen", "人数"],
            "period" => ["period", "Zeitraum", "期间"],
            "planned" => ["planned", "geplant", "计划"],
            "preceding" => ["earlier invoice", "frühere Rechnung", "原发票"],
            "price" => ["price", "Preis", "价格"],
            "processed" => ["processed kinds", "verarbeitete Belegarten", "可处理类型"],
            "quantity" => ["quantity", "Menge", "数量"],
            "quantity_before" => ["quantity before", "bisherige Menge", "此前数量"],
            "reach" => ["reached, from above/up to", "erreicht, von über/bis", "合计达到（高于/至）"],
            "rest" => ["rest", "Rest", "余数"],
            "result" => ["answer of the bank", "Antwort der Bank", "银行答复"],
            "returned" => ["returned", "zurückgesandt", "退货"],
            "rise_percent" => ["rise, %", "Anstieg, %", "涨幅 %"],
            "round_sum" => ["round to", "rund auf", "取整基数"],
            "rounding" => ["rounding", "Rundung", "舍入"],
            "rows" => ["rows", "Zeilen", "行数"],
            "second" => ["the other", "das andere", "其二"],
            "seller" => ["seller", "Verkäufer", "销售方"],
            "served_from" => ["delivered from", "geliefert ab", "交付起"],
            "served_to" => ["delivered until", "geliefert bis", "交付止"],
            "sets" => ["ways that fit", "passende Möglichkeiten", "符合的组合数"],
            "share_percent" => ["share, %", "Anteil, %", "占比 %"],
            "since" => ["since", "seit", "自"],
            "stale_days" => ["days accepted", "Tage zulässig", "允许天数"],
            "steps" => ["steps", "Schritte", "次数"],
            "suggestion" => ["suggestion", "Vorschlag", "建议"],
            "together" => ["together", "zusammen", "合计"],
            "too_often" => ["too often from", "zu oft ab", "过多起点"],
            "total" => ["total", "Summe", "总计"],
            "twins" => ["twins", "Zwillinge", "重复案件数"],
            "unit" => ["unit", "Einheit", "单位"],
            "upper_abs" => ["upper limit", "obere Grenze", "上限"],
            "upper_percent" => ["upper limit, %", "obere Grenze, %", "上限 %"],
            "valid_from" => ["valid from", "gültig ab", "生效日"],
            "valid_to" => ["valid until", "gültig bis", "失效日"],
            "value_limit" => ["limit of value", "Wertgrenze", "价值限额"],
            "vendor" => ["vendor", "Kreditor", "供应商"],
            "waited_days" => ["days waited", "gewartete Tage", "已等待天数"],
            "year" => ["year", "Jahr", "年度"],
            other => [other, other, other],
        })
    }

    /// The English title is the code's own.
    pub(crate) fn code(self, code: Code) -> &'static str {
        let en = code.title();
        let [de, zh] = match code {
            Code::Coverage => ["Nicht jede Seite wurde gelesen", "并非每页都已读取"],
            Code::HiddenText => ["Text, den kein Auge sieht", "存在不可见文字"],
            Code::HybridDiff => {
                ["Die Seite nennt einen anderen Betrag als die eingebetteten Daten", "页面金额与内嵌数据不一致"]
            }
            Code::NeedsOcr => ["Scan, der Texterkennung braucht", "扫描件，需要文字识别"],
            Code::KindUnknown => {
                ["Weder als Rechnung, Gutschrift noch Vertrag erkannt", "无法识别为发票、贷项通知单或合同"]
            }
            Code::Unreadable => ["Ein Wert, der sich nicht verstehen lässt", "有无法理解的数值"],
            Code::Altered => ["Nach dem Signieren geändert", "文件在签名后被更改"],
            Code::LowConfidence => ["Ein Wert, der unsicher gelesen wurde", "有读取不确定的数值"],
            Code::ReaderNote => ["Ein Hinweis beim Lesen", "读取提示"],
            Code::Corrected => {
                ["Von einer Person berichtigt: eine andere muss freigeben", "已由人工更正：须由另一人批准"]
            }
            Code::TrackedChanges => ["Offene Änderungsverfolgung im Dokument", "文档中留有修订标记"],
            Code::Missing => ["Eine Pflichtangabe fehlt", "缺少必填项"],
            Code::Br02 => ["Die Rechnungsnummer fehlt", "缺少发票号码"],
            Code::Br03 => ["Das Rechnungsdatum fehlt", "缺少开票日期"],
            Code::Br05 => ["Die Währung fehlt", "缺少币种"],
            Code::Br06 => ["Der Name des Verkäufers fehlt", "缺少销售方名称"],
            Code::Br07 => ["Der Name des Käufers fehlt", "缺少购买方名称"],
            Code::Br12 => ["Die Summe der Positionsnettobeträge fehlt", "缺少行净额合计"],
            Code::Br13 => ["Der Gesamtbetrag ohne Umsatzsteuer fehlt", "缺少不含税合计"],
            Code::Br14 => ["Der Gesamtbetrag mit Umsatzsteuer fehlt", "缺少价税合计"],
            Code::Br15 => ["Der Zahlbetrag fehlt", "缺少应付金额"],
            Code::Br16 => ["Die Rechnung hat keine Position", "发票没有行项目"],
            Code::Standard => ["Eine Regel der Rechnungsnorm ist verletzt", "违反了发票标准的一条规则"],
            Code::StandardHint => ["Die Rechnungsnorm warnt davor", "发票标准对此给出提醒"],
            Code::BrCo10 => ["Die Positionen ergeben nicht ihre Summe", "各行之和与行合计不符"],
            Code::BrCo13 => [
                "Der Nettobetrag folgt nicht aus Positionen, Nachlässen und Zuschlägen",
                "不含税合计与各行、折让及附加费不符",
            ],
            Code::BrCo14 => {
                ["Die Steuergruppen ergeben nicht die gesamte Umsatzsteuer", "各税率组之和与增值税总额不符"]
            }
            Code::BrCo15 => ["Brutto ist nicht netto plus Umsatzsteuer", "价税合计不等于不含税金额加税额"],
            Code::BrCo16 => ["Der Zahlbetrag folgt nicht aus dem Gesamtbetrag", "应付金额与合计不符"],
            Code::BrCo17 => {
                ["Die Steuer einer Gruppe ist nicht Grundlage mal Satz", "某税率组税额不等于计税金额乘以税率"]
            }
            Code::LineAmount => ["Ein Positionsbetrag ist nicht Menge mal Preis", "某行金额不等于数量乘以单价"],
            Code::Arith => ["Die Zahlen gehen nicht auf", "数字计算不符"],
            Code::SmallDiff => ["Kleine Differenz, innerhalb der Toleranz", "差额较小，在容差范围内"],
            Code::Sign => ["Ein Betrag hat das Vorzeichen der anderen Belegart", "金额正负号与单据类型不符"],
            Code::Tax => ["Die Umsatzsteuer weicht von Grundlage mal Satz ab", "税额与计税金额乘以税率不符"],
            Code::TaxRate => ["Der Steuersatz ist nicht der bestellte", "税率与订单不一致"],
            Code::Iban => ["Die Prüfziffern der IBAN sind falsch", "IBAN 校验位错误"],
            Code::VatId => ["Die Prüfziffern der USt-IdNr. sind falsch", "增值税号校验位错误"],
            Code::TaxId => ["Form oder Prüfziffer der Steuernummer ist falsch", "纳税人识别号格式或校验位错误"],
            Code::PersonalId => {
                ["Eine Personennummer steht an der Stelle der Steuernummer", "以身份证号码作为纳税人识别号"]
            }
            Code::FapiaoNumber => ["Keine Nummer, wie das Finanzamt sie vergibt", "发票号码不符合税务机关编码规则"],
            Code::AmountWords => ["Der Betrag in Worten ist nicht der in Ziffern", "大写金额与小写金额不一致"],
            Code::QrDiff => ["Der QR-Code sagt anderes als die Seite", "二维码内容与票面不一致"],
            Code::RedLetter => ["Ein Storno, das nicht nennt, was es aufhebt", "红字发票未注明原蓝字发票"],
            Code::NoOriginal => ["Das signierte Original fehlt", "缺少带签章的原始文件"],
            Code::DateFuture => ["In der Zukunft datiert", "日期在未来"],
            Code::DueEarly => ["Fällig, bevor sie ausgestellt wurde", "到期日早于开票日期"],
            Code::Period => ["In einem abgeschlossenen Zeitraum datiert", "日期属于已关账期间"],
            Code::Stale => ["Älter, als die Richtlinie ungesehen zulässt", "超过政策允许的期限"],
            Code::DuplicateD2 => ["Dieselbe Rechnung liegt schon vor", "同一发票已存在"],
            Code::DuplicateD3 => [
                "Diese Nummer des Kreditors wurde schon berechnet, gleich wie geschrieben",
                "该供应商的此号码已开过票（无论写法）",
            ],
            Code::DuplicateD4 => {
                ["Derselbe Betrag binnen weniger Tage unter anderer Nummer", "数日内以其他号码开具相同金额"]
            }
            Code::DuplicateD5 => {
                ["Dieselbe Rechnung von einem anderen Stammsatz des Kreditors", "同一发票来自该供应商的另一档案"]
            }
            Code::DuplicateD6 => ["Dieselben Positionen am selben Tag unter anderer Nummer", "同日相同明细，号码不同"],
            Code::NumberReused => {
                ["Der Kreditor nutzte diese Nummer in einem anderen Jahr", "供应商曾在其他年度使用此号码"]
            }
            Code::Resubmitted => ["Nach Stornierung erneut eingereicht", "作废后重新提交"],
            Code::ResubmittedAgain => ["Nach mehrfacher Stornierung erneut eingereicht", "多次作废后再次提交"],
            Code::VendorUnknown => ["Der Verkäufer ist kein bekannter Kreditor", "销售方不是已登记的供应商"],
            Code::VendorMismatch => ["Die Bestellung gehört zu einem anderen Kreditor", "订单属于其他供应商"],
            Code::NoPoRef => ["Keine Bestellung genannt", "未注明订单"],
            Code::Ambiguous => ["Auf mehr als eine Weise zu verstehen", "存在多种可能的理解"],
            Code::TooMany => ["Mehr zu vergleichen, als angesehen wird", "需比对的数据超过上限"],
            Code::NoOrder => ["Die genannte Bestellung ist nicht bekannt", "所注明的订单不存在"],
            Code::OrderLine => {
                ["Keine Bestellposition passt zu dieser Rechnungsposition", "没有与此发票行匹配的订单行"]
            }
            Code::Currency => ["In anderer Währung berechnet als bestellt", "开票币种与订单不一致"],
            Code::CurrencyLimits => ["Die Grenzen der Richtlinie gelten in anderer Währung", "政策限额使用其他币种"],
            Code::Uom => ["In anderer Einheit berechnet als bestellt", "开票单位与订单不一致"],
            Code::Price => ["Teurer als bestellt, außerhalb der Toleranz", "高于订单价格，超出容差"],
            Code::PriceTotal => [
                "Alles zur Bestellposition Berechnete ist teurer als bestellt, außerhalb der Toleranz",
                "该订单行累计开票高于订单价格，超出容差",
            ],
            Code::PriceBelow => ["Günstiger als bestellt", "低于订单价格"],
            Code::QtyOrd => ["Mehr berechnet als bestellt", "开票数量多于订购数量"],
            Code::QtyRec => ["Mehr berechnet als erhalten", "开票数量多于收货数量"],
            Code::QtyAcc => ["Mehr berechnet als angenommen", "开票数量多于验收数量"],
            Code::NoGr => ["Berechnet vor jedem Wareneingang", "尚未收货即开票"],
            Code::CreditExceeds => ["Mehr gutgeschrieben als berechnet", "贷记金额多于开票金额"],
            Code::CreditedValue => ["Schreibt den Preis gut, keine Ware", "仅退价款，不退货"],
            Code::AmountLine => ["Eine Position ohne Bestellung liegt über ihrer Grenze", "无订单的行金额超出限额"],
            Code::AmountDoc => ["Ein Beleg ohne Bestellung liegt über seiner Grenze", "无订单的单据金额超出限额"],
            Code::Freight => ["Lieferkosten über dem Geplanten oder Geduldeten", "运费超出计划或容差"],
            Code::BlanketValue => ["Mehr berechnet, als die Rahmenbestellung zulässt", "开票金额超出框架订单限额"],
            Code::BlanketDate => {
                ["Außerhalb der Laufzeit der Rahmenbestellung geliefert", "交付日期不在框架订单有效期内"]
            }
            Code::VendorBudget => {
                ["Die Überschreitungen des Kreditors im Jahr liegen über seinem Budget", "该供应商年度超额累计超出预算"]
            }
            Code::BankNew => {
                ["Zahlung auf ein Konto, das nicht das des Kreditors ist", "收款账户不是该供应商的登记账户"]
            }
            Code::IbanCountry => ["Das Konto liegt nicht im Land des Kreditors", "账户不在供应商所在国"],
            Code::BankPending => {
                ["Zahlung auf ein Konto, das zwei Personen noch nicht bestätigt haben", "收款账户尚未经两人确认"]
            }
            Code::PayeeClose => ["Laut Bank stimmen Name und Konto fast überein", "银行称户名与账户近似匹配"],
            Code::PayeeMismatch => ["Laut Bank passen Name und Konto nicht zusammen", "银行称户名与账户不匹配"],
            Code::PayeeUnchecked => ["Die Bank konnte Name und Konto nicht vergleichen", "银行无法核对户名与账户"],
            Code::AccountUnseen => ["Gezahlt wird auf ein Konto, das hier nicht bekannt ist", "收款账户在此处未登记"],
            Code::Conflict => [
                "Zahlung auf ein Konto eines Beschäftigten oder eines anderen Kreditors",
                "收款账户属于员工或其他供应商",
            ],
            Code::PaidUnapproved => ["Auf ein damals nicht freigegebenes Konto gezahlt", "已付款至当时未经批准的账户"],
            Code::Overpaid => ["Mehr gezahlt, als offen war", "付款超过未付金额"],
            Code::CreditOutstanding => {
                ["Zurückgesandt und berechnet, ohne Gutschrift", "已退货并开票，尚未收到贷项通知单"]
            }
            Code::Split => [
                "Zusammen mit anderen Rechnungen über einer Grenze, unter der jede einzeln bleibt",
                "与其他发票合计超过限额，而单张均低于限额",
            ],
            Code::ThresholdHug => {
                ["Rechnungen des Kreditors liegen zu oft knapp unter einer Grenze", "该供应商发票过于频繁地略低于限额"]
            }
            Code::NewVendor => ["Erste Rechnungen eines neuen Kreditors", "新供应商的首批发票"],
            Code::OneHand => [
                "Ein neuer Kreditor und alles, worauf seine Zahlung beruht, von einer Person eingebracht",
                "新供应商及其付款依据均由同一人录入",
            ],
            Code::RoundSum => ["Ein runder Betrag", "整数金额"],
            Code::PriceCreep => ["Ein Artikel wurde schrittweise teurer", "某商品价格逐步上涨"],
            Code::ContractUnknown => [
                "Der genannte Vertrag ist nicht bekannt oder gehört einem anderen Kreditor",
                "所注明的合同不存在或属于其他供应商",
            ],
            Code::ContractRate => ["Teurer als vertraglich vereinbart", "高于合同价格"],
            Code::NotToExceed => ["Mehr berechnet, als der Vertrag zulässt", "开票金额超出合同上限"],
            Code::ContractExpired => ["Außerhalb der Laufzeit des Vertrags geliefert", "交付日期不在合同有效期内"],
            Code::Terms => ["Der Vertrag nennt ein anderes Zahlungsziel", "合同约定的付款期限不同"],
            Code::Absent => ["Eine Pflichtklausel fehlt", "缺少必备条款"],
            Code::LiabilityUnlimited => ["Unbeschränkte Haftung", "无限责任"],
            Code::LiabilityOneSided => ["Eine Haftungsgrenze, die nur eine Seite schützt", "责任上限仅保护一方"],
            Code::ErpRefused => ["Die Buchhaltung hat die Buchung abgelehnt", "总账拒绝入账"],
        };
        self.pick([en, de, zh])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The names that the rules give to figures, as they stand in their source.
    fn named_in(dir: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named_in(&path, names);
            } else if !["tests.rs", "trial.rs"].contains(&path.file_name().unwrap().to_str().unwrap()) {
                let source = std::fs::read_to_string(&path).unwrap();
                for call in [".with(", ".from("] {
                    let rest = source.split(call).skip(1).filter_map(|it| it.trim_start().strip_prefix('"'));
                    names.extend(rest.filter_map(|it| it.split_once('"')).map(|(name, _)| name.to_owned()));
                }
            }
        }
    }

    #[test]
    fn every_figure_that_the_rules_name_has_words_in_every_language() {
        let mut names = BTreeSet::new();
        named_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../case/src"), &mut names);
        assert!(100 < names.len(), "{names:?}");
        let unsaid: Vec<&String> = names.iter().filter(|name| Lang::Zh.operand(name) == **name).collect();
        assert!(unsaid.is_empty(), "{unsaid:?}");
        assert_eq!(Lang::De.operand("twin_gross"), "Bruttobetrag (Zwilling)");
    }
}
