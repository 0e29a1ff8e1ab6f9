//! What a comparison that passed was about. A finding is called by what is wrong, which would say the opposite here.

use case::Code;

use super::Lang;

impl Lang {
    /// None where this code is not a comparison of its own that passes. Comparisons of one code are told apart by their rule.
    pub(crate) fn check(self, code: Code, rule: &str) -> Option<&'static str> {
        Some(self.pick(match (code, rule) {
            (_, "match.range") => ["Figures add up in range", "Zahlen im rechenbaren Bereich", "数值在可计算范围内"],
            (Code::VendorUnknown, "match.vendor_vat_id") => {
                ["Seller's VAT id as it is known", "USt-IdNr. des Verkäufers wie bekannt", "销售方增值税号与登记一致"]
            }
            (Code::VendorUnknown, _) => [
                "Seller among the known vendors",
                "Verkäufer unter den bekannten Kreditoren",
                "销售方是否为已登记供应商",
            ],
            (Code::VendorMismatch, _) => {
                ["Order placed with this vendor", "Bestellung bei diesem Kreditor", "订单供应商"]
            }
            (Code::NoPoRef, _) => ["An order is named", "Bestellung genannt", "是否注明订单"],
            (Code::NoOrder, _) => ["Order among the known ones", "Bestellung bekannt", "订单是否存在"],
            (Code::OrderLine, "match.lines") => [
                "Order lines that come to the net amount",
                "Bestellpositionen zum Nettobetrag",
                "与不含税金额相符的订单行",
            ],
            (Code::OrderLine, _) => ["Order line of this line", "Bestellposition zu dieser Position", "对应的订单行"],
            (Code::Ambiguous, "match.contract_rates") => {
                ["One rate in the contract", "Ein einziger Vertragspreis", "合同价格唯一"]
            }
            (Code::Ambiguous, "match.blanket_contracts") => {
                ["One contract behind the order", "Ein einziger Vertrag hinter der Bestellung", "订单所依据的合同唯一"]
            }
            (Code::Ambiguous, _) => ["Understood in one way only", "Eindeutig zu verstehen", "理解是否唯一"],
            (Code::TooMany, _) => ["Everything was looked at", "Alles wurde angesehen", "是否全部查看"],
            (Code::Currency, "match.contract_currency") => {
                ["Currency as in the contract", "Währung wie im Vertrag", "币种与合同一致"]
            }
            (Code::Currency, _) => ["Currency as ordered", "Währung wie bestellt", "币种与订单一致"],
            (Code::CurrencyLimits, _) => {
                ["Currency of the policy's limits", "Währung der Grenzen der Richtlinie", "策略限额的币种"]
            }
            (Code::Missing, "match.quantity") => {
                ["Quantity of the line given", "Menge der Position angegeben", "行数量"]
            }
            (Code::Missing, "match.price") => ["Price of the line given", "Preis der Position angegeben", "行单价"],
            (Code::Missing, "match.freight_amount") => {
                ["Amount of the delivery costs given", "Betrag der Lieferkosten angegeben", "运费金额"]
            }
            (Code::Missing, _) => ["Required value given", "Pflichtangabe vorhanden", "必填项"],
            (Code::Uom, "match.receipt_unit") => {
                ["Unit of the goods received", "Einheit des Wareneingangs", "收货单位可换算"]
            }
            (Code::Uom, _) => {
                ["Unit billed, as ordered or convertible", "Berechnete Einheit wie bestellt", "开票单位可换算"]
            }
            (Code::TaxRate, _) => ["VAT rate as ordered", "Steuersatz wie bestellt", "税率与订单一致"],
            (Code::Price | Code::PriceBelow, _) => ["Price as ordered", "Preis wie bestellt", "单价与订单一致"],
            (Code::PriceTotal, "match.price_order") => {
                ["Everything billed of the order", "Alles zur Bestellung Berechnete", "该订单累计开票金额"]
            }
            (Code::PriceTotal, _) => {
                ["Everything billed of the order line", "Alles zur Bestellposition Berechnete", "该订单行累计开票金额"]
            }
            (Code::QtyOrd, _) => ["Quantity billed and ordered", "Menge berechnet und bestellt", "开票与订购数量"],
            (Code::QtyRec, _) => ["Quantity billed and received", "Menge berechnet und erhalten", "开票与收货数量"],
            (Code::QtyAcc, _) => ["Quantity billed and accepted", "Menge berechnet und angenommen", "开票与验收数量"],
            (Code::NoGr, _) => ["Something was received before", "Wareneingang vor der Rechnung", "开票前已收货"],
            (Code::CreditExceeds, "match.credit_amount") => {
                ["Amount credited and billed", "Betrag gutgeschrieben und berechnet", "贷记与开票金额"]
            }
            (Code::CreditExceeds, _) => {
                ["Quantity credited and billed", "Menge gutgeschrieben und berechnet", "贷记与开票数量"]
            }
            (Code::CreditedValue, _) => {
                ["Goods credited at their price", "Ware zu ihrem Preis gutgeschrieben", "按货价贷记"]
            }
            (Code::CreditOutstanding, _) => {
                ["Goods sent back were credited", "Zurückgesandtes ist gutgeschrieben", "退货已贷记"]
            }
            (Code::AmountLine, _) => {
                ["Amount of a line without an order", "Betrag einer Position ohne Bestellung", "无订单行的金额"]
            }
            (Code::AmountDoc, _) => {
                ["Amount of a document without an order", "Betrag eines Belegs ohne Bestellung", "无订单单据的金额"]
            }
            (Code::Freight, _) => ["Delivery costs as planned", "Lieferkosten wie geplant", "运费与计划一致"],
            (Code::BlanketValue, _) => {
                ["Value limit of the blanket order", "Wertgrenze der Rahmenbestellung", "框架订单金额上限"]
            }
            (Code::BlanketDate, _) => [
                "Delivered in the time of the blanket order",
                "Lieferung in der Laufzeit der Rahmenbestellung",
                "交付在框架订单有效期内",
            ],
            (Code::VendorBudget, _) => [
                "The vendor's budget of excesses in the year",
                "Jahresbudget des Kreditors für Überschreitungen",
                "供应商年度超额预算",
            ],
            (Code::BankNew, _) => {
                ["Account among those of the vendor", "Konto unter denen des Kreditors", "账户是否为供应商登记账户"]
            }
            (Code::AccountUnseen, _) => {
                ["An account of the vendor is known", "Ein Konto des Kreditors ist bekannt", "供应商账户已登记"]
            }
            (Code::BankPending, _) => {
                ["Account confirmed by two people", "Konto von zwei Personen bestätigt", "账户已经两人确认"]
            }
            (Code::IbanCountry, _) => {
                ["Account in the vendor's country", "Konto im Land des Kreditors", "账户在供应商所在国"]
            }
            (Code::PayeeMismatch | Code::PayeeClose | Code::PayeeUnchecked, _) => {
                ["Name and account at the bank", "Name und Konto laut Bank", "银行核对户名与账户"]
            }
            (Code::Conflict, "match.iban_employee") => {
                ["Account of no employee", "Konto keines Beschäftigten", "账户不属于员工"]
            }
            (Code::Conflict, _) => {
                ["Account of no other vendor", "Konto keines anderen Kreditors", "账户不属于其他供应商"]
            }
            (Code::Split, _) => [
                "Sum with the vendor's other invoices",
                "Summe mit anderen Rechnungen des Kreditors",
                "与其他发票的合计",
            ],
            (Code::ThresholdHug, _) => [
                "Invoices of the vendor just below a limit",
                "Rechnungen des Kreditors knapp unter einer Grenze",
                "略低于限额的发票",
            ],
            (Code::NewVendor, _) => {
                ["How long the vendor is known", "Wie lange der Kreditor bekannt ist", "供应商登记时长"]
            }
            (Code::BroughtLater, _) => [
                "What it rests on was known before it came",
                "Grundlagen schon vor dem Eingang bekannt",
                "所依据的资料在收到前已登记",
            ],
            (Code::OneHand, _) => [
                "People behind the vendor's first payments",
                "Personen hinter den ersten Zahlungen",
                "首批付款依据的录入人数",
            ],
            (Code::RoundSum, _) => ["Whether the amount is round", "Ob der Betrag rund ist", "金额是否为整数"],
            (Code::PriceCreep, _) => {
                ["Prices of the item over time", "Preise des Artikels im Zeitverlauf", "商品价格走势"]
            }
            (Code::ContractUnknown, "match.contract_vendor") => {
                ["Contract with this vendor", "Vertrag mit diesem Kreditor", "合同供应商"]
            }
            (Code::ContractUnknown, _) => ["Contract among the known ones", "Vertrag bekannt", "合同是否存在"],
            (Code::ContractRate, _) => ["Price as in the contract", "Preis wie im Vertrag", "价格与合同一致"],
            (Code::NotToExceed, _) => ["Value limit of the contract", "Wertgrenze des Vertrags", "合同金额上限"],
            (Code::ContractExpired, _) => [
                "Delivered in the time of the contract",
                "Lieferung in der Laufzeit des Vertrags",
                "交付在合同有效期内",
            ],
            (Code::Terms, _) => ["Due as the contract says", "Zahlungsziel wie im Vertrag", "付款期限与合同一致"],
            (_, "duplicate.cancelled") => [
                "Earlier invoice cancelled by credit notes",
                "Frühere Rechnung durch Gutschrift storniert",
                "此前发票已由贷项冲销",
            ],
            (_, "duplicate.credits") => {
                ["Credit notes of one invoice together", "Gutschriften einer Rechnung zusammen", "同一发票的贷项合计"]
            }
            (Code::DuplicateD2, _) => {
                ["Another invoice, by all its figures", "Andere Rechnung nach allen Angaben", "各项数据不同的发票"]
            }
            (Code::DuplicateD3, "duplicate.d3_year") => {
                ["Same number, in which year", "Gleiche Nummer, welches Jahr", "相同号码的年度"]
            }
            (Code::DuplicateD3, "duplicate.d3_order") => {
                ["Same number, for which order", "Gleiche Nummer, welche Bestellung", "相同号码的订单"]
            }
            (Code::DuplicateD3, _) => {
                ["Same number, over which amount", "Gleiche Nummer, welcher Betrag", "相同号码的金额"]
            }
            (Code::DuplicateD4, _) => {
                ["Same amount within days", "Gleicher Betrag binnen weniger Tage", "数日内的相同金额"]
            }
            (Code::DuplicateD5, _) => [
                "Same invoice under another record of the vendor",
                "Gleiche Rechnung unter anderem Stammsatz",
                "其他档案下的相同发票",
            ],
            (Code::DuplicateD6, _) => {
                ["Same lines on the same day", "Gleiche Positionen am selben Tag", "同日相同明细"]
            }
            (Code::NumberReused, _) => {
                ["Number used in other years", "Nummer in anderen Jahren", "号码在其他年度的使用"]
            }
            (Code::Resubmitted | Code::ResubmittedAgain, _) => {
                ["How often it was cancelled before", "Wie oft zuvor storniert", "此前作废次数"]
            }
            (Code::Period, _) => ["Dated after the books were closed", "Datum nach Buchungsschluss", "日期晚于关账日"],
            (Code::DateFuture, _) => ["Dated no later than allowed", "Datum nicht zu weit voraus", "日期未超前"],
            (Code::Stale, _) => ["Dated no longer ago than allowed", "Datum nicht zu lange her", "日期未过久"],
            (Code::LowConfidence, _) => {
                ["Least sure of the required values", "Unsicherster Pflichtwert", "必填项中最不确定的一项"]
            }
            (Code::Tax, "check.tax_rate_max") => {
                ["VAT rate up to the highest there is", "Steuersatz bis zum höchsten", "税率不超过上限"]
            }
            (Code::Tax, "check.tax_base") => {
                ["What VAT is computed on, and the net total", "Steuerbasis und Nettosumme", "计税基础与不含税总额"]
            }
            (Code::Tax, "check.tax_base_of_rate") => [
                "What VAT of a rate is computed on, and its lines",
                "Steuerbasis und Positionen des Satzes",
                "各税率计税基础与明细",
            ],
            (Code::Tax, _) => ["VAT by base and rate", "Steuer aus Basis und Satz", "按基础和税率计算的税额"],
            (Code::Arith, "check.stamp_duty_max") => ["Stamp duty", "Stempelsteuer", "印花税"],
            (Code::Arith, "BR-CO-10") => ["Lines and their sum", "Positionen und ihre Summe", "明细与合计"],
            (Code::Arith, "BR-CO-13") => ["Total without VAT", "Nettosumme", "不含税总额"],
            (Code::Arith, "BR-CO-14") => {
                ["VAT groups and their sum", "Steuergruppen und ihre Summe", "各税率税额与合计"]
            }
            (Code::Arith, "BR-CO-15") => ["Total with VAT", "Bruttosumme", "价税合计"],
            (Code::Arith, "BR-CO-16") => ["Amount due", "Zahlbetrag", "应付金额"],
            _ => return None,
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    /// What the rules of reconciliation, whose comparisons a case remembers, say.
    fn source(place: &Path) -> String {
        if place.is_file() {
            let tests = ["tests.rs", "trial.rs"].contains(&place.file_name().unwrap().to_str().unwrap());
            return if tests { String::new() } else { std::fs::read_to_string(place).unwrap() };
        }
        std::fs::read_dir(place).unwrap().map(|entry| source(&entry.unwrap().path())).collect()
    }

    #[test]
    fn a_check_that_passed_never_wears_the_name_of_the_fault() {
        let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("../case/src");
        let text = source(&room.join("reconcile.rs")) + &source(&room.join("reconcile"));
        let mut named = 0;
        for code in Code::ALL {
            let name = format!("{code:?}");
            let after = |rest: &str| rest.starts_with(|next: char| next.is_ascii_alphanumeric());
            if !text.split(&format!("Code::{name}")).skip(1).any(|rest| !after(rest)) || *code == Code::Unreadable {
                continue;
            }
            named += 1;
            let rule = format!("match.{name}");
            for lang in Lang::ALL {
                let check = lang.check(*code, &rule);
                assert!(check.is_some_and(|check| check != lang.code(*code)), "{name}: {check:?}");
            }
        }
        assert!(50 < named, "{named}");
        // What a document is held by itself, where a figure of the policy is its limit.
        for (code, rule) in [
            (Code::Period, "check.period"),
            (Code::DateFuture, "check.date_future"),
            (Code::Stale, "check.stale"),
            (Code::LowConfidence, "read.confidence"),
            (Code::Tax, "check.tax_rate_max"),
            (Code::Tax, "check.tax_base"),
            (Code::Tax, "check.tax_base_of_rate"),
            (Code::Tax, "check.tax"),
            (Code::Arith, "check.stamp_duty_max"),
            (Code::Arith, "BR-CO-10"),
            (Code::Arith, "BR-CO-13"),
            (Code::Arith, "BR-CO-14"),
            (Code::Arith, "BR-CO-15"),
            (Code::Arith, "BR-CO-16"),
        ] {
            for lang in Lang::ALL {
                let check = lang.check(code, rule);
                assert!(check.is_some_and(|check| check != lang.code(code)), "{rule}: {check:?}");
            }
        }
        let units = ["match.unit", "match.receipt_unit"].map(|rule| Lang::En.check(Code::Uom, rule));
        assert_ne!(units[0], units[1]);
    }
}
