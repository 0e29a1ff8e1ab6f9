//! What findings are called.

use case::Code;

use super::Lang;

impl Lang {
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
            Code::Stale => ["Älter, als die Richtlinie ungesehen zulässt", "超过策略允许的期限"],
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
            Code::CurrencyLimits => ["Die Grenzen der Richtlinie gelten in anderer Währung", "策略限额使用其他币种"],
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
            Code::BroughtLater => [
                "Worauf er beruht, kam oder änderte sich nach der ersten Beurteilung",
                "其依据在首次判定之后才录入或变更",
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
