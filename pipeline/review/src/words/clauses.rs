//! What the clauses of a contract are called: CUAD's categories, and ours beside them.

use super::Lang;

impl Lang {
    /// A category that is not known here is shown as it stands.
    pub(crate) fn clause(self, category: &str) -> String {
        let known = CLAUSES.iter().find(|(name, _)| *name == category);
        known.map_or_else(|| category.replace('_', " "), |(_, texts)| self.pick(*texts).to_owned())
    }
}

const CLAUSES: &[(&str, [&str; 3])] = &[
    ("document_name", ["Document name", "Dokumentbezeichnung", "文件名称"]),
    ("parties", ["Parties", "Vertragsparteien", "合同当事人"]),
    ("agreement_date", ["Agreement date", "Vertragsdatum", "签订日期"]),
    ("effective_date", ["Effective date", "Vertragsbeginn", "生效日期"]),
    ("expiration_date", ["Expiration date", "Vertragsende", "到期日期"]),
    ("renewal_term", ["Renewal term", "Verlängerung", "续期"]),
    ("notice_period_to_terminate_renewal", ["Notice to end renewal", "Frist gegen Verlängerung", "终止续期通知期"]),
    ("governing_law", ["Governing law", "Anwendbares Recht", "适用法律"]),
    ("most_favored_nation", ["Most favoured customer", "Meistbegünstigung", "最惠待遇"]),
    ("non_compete", ["Non-compete", "Wettbewerbsverbot", "竞业禁止"]),
    ("exclusivity", ["Exclusivity", "Ausschließlichkeit", "排他性"]),
    ("no_solicit_of_customers", ["No solicitation of customers", "Kundenschutz", "不得招揽客户"]),
    ("no_solicit_of_employees", ["No solicitation of employees", "Abwerbeverbot", "不得招揽员工"]),
    (
        "competitive_restriction_exception",
        ["Exception to competitive restriction", "Ausnahme vom Wettbewerbsverbot", "竞争限制例外"],
    ),
    ("non_disparagement", ["Non-disparagement", "Verbot herabsetzender Äußerungen", "不得诋毁"]),
    ("termination_for_convenience", ["Termination for convenience", "Ordentliche Kündigung", "任意解除"]),
    (
        "rofr_rofo_rofn",
        ["First refusal, offer or negotiation", "Vorkaufs- und Vorverhandlungsrecht", "优先购买与协商权"],
    ),
    ("change_of_control", ["Change of control", "Kontrollwechsel", "控制权变更"]),
    ("anti_assignment", ["Anti-assignment", "Abtretungsverbot", "禁止转让"]),
    ("revenue_profit_sharing", ["Revenue or profit sharing", "Umsatz- oder Gewinnbeteiligung", "收入或利润分成"]),
    ("price_restrictions", ["Price restrictions", "Preisbindung", "价格限制"]),
    ("minimum_commitment", ["Minimum commitment", "Mindestabnahme", "最低采购承诺"]),
    ("volume_restriction", ["Volume restriction", "Mengenbeschränkung", "数量限制"]),
    (
        "ip_ownership_assignment",
        ["Assignment of intellectual property", "Übertragung von Schutzrechten", "知识产权转让"],
    ),
    ("joint_ip_ownership", ["Joint intellectual property", "Gemeinsame Schutzrechte", "共有知识产权"]),
    ("license_grant", ["Licence grant", "Lizenzeinräumung", "许可授权"]),
    ("non_transferable_license", ["Non-transferable licence", "Nicht übertragbare Lizenz", "不可转让许可"]),
    (
        "affiliate_license_licensor",
        ["Licence of licensor's affiliates", "Lizenz verbundener Unternehmen des Lizenzgebers", "许可方关联公司许可"],
    ),
    (
        "affiliate_license_licensee",
        [
            "Licence for licensee's affiliates",
            "Lizenz für verbundene Unternehmen des Lizenznehmers",
            "被许可方关联公司许可",
        ],
    ),
    ("unlimited_all_you_can_eat_license", ["Unlimited licence", "Unbegrenzte Lizenz", "无限量许可"]),
    (
        "irrevocable_or_perpetual_license",
        ["Irrevocable or perpetual licence", "Unwiderrufliche oder unbefristete Lizenz", "不可撤销或永久许可"],
    ),
    ("source_code_escrow", ["Source code escrow", "Quellcode-Hinterlegung", "源代码托管"]),
    ("post_termination_services", ["Services after termination", "Leistungen nach Vertragsende", "终止后服务"]),
    ("audit_rights", ["Audit rights", "Prüfungsrechte", "审计权"]),
    ("uncapped_liability", ["Uncapped liability", "Unbeschränkte Haftung", "无限责任"]),
    ("cap_on_liability", ["Cap on liability", "Haftungshöchstgrenze", "责任上限"]),
    ("liability", ["Liability", "Haftung", "责任"]),
    ("liquidated_damages", ["Liquidated damages", "Vertragsstrafe und Schadenspauschale", "违约金"]),
    ("warranty_duration", ["Warranty duration", "Gewährleistungsfrist", "质保期"]),
    ("insurance", ["Insurance", "Versicherung", "保险"]),
    ("covenant_not_to_sue", ["Covenant not to sue", "Klageverzicht", "不起诉承诺"]),
    ("third_party_beneficiary", ["Third-party beneficiary", "Drittbegünstigung", "第三方受益人"]),
    ("indemnity", ["Indemnity", "Freistellung", "赔偿保障"]),
    ("confidentiality", ["Confidentiality", "Vertraulichkeit", "保密"]),
    ("data_protection", ["Data protection", "Datenschutz", "数据保护"]),
    ("payment_terms", ["Payment terms", "Zahlungsbedingungen", "付款条件"]),
    ("dispute_resolution", ["Dispute resolution", "Streitbeilegung", "争议解决"]),
    ("force_majeure", ["Force majeure", "Höhere Gewalt", "不可抗力"]),
    ("service_levels", ["Service levels", "Dienstgüte", "服务水平"]),
    ("subcontracting", ["Subcontracting", "Unteraufträge", "分包"]),
    ("sanctions", ["Sanctions", "Sanktionen", "制裁"]),
    ("signature", ["Signature", "Unterschrift", "签署"]),
];
