//! What the figures of a finding are called.

use super::Lang;

impl Lang {
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
            "policy_row" => ["policy row", "Richtlinienzeile", "策略行"],
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
            "brought" => ["brought in later", "später eingebracht", "后录入项"],
            "brought_at" => ["brought in at", "eingebracht um", "录入时间"],
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
            "judged_first" => ["judged first at", "erstmals beurteilt um", "首次判定时间"],
            "kept" => ["kept", "behalten", "留存"],
            "key" => ["looked up by", "gesucht nach", "查询键"],
            "kind" => ["document", "Belegart", "单据类型"],
            "known_since" => ["known since", "bekannt seit", "登记日期"],
            "later" => ["facts that came later", "später gekommene Fakten", "后录入数量"],
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
