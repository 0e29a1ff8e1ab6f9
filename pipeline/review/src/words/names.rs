//! What the closed lists of the case are called on a page: states, documents, roles, weights, acts, answers of the bank.

use case::{Format, Kind, PayeeMatch, Role, Severity, State};

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

    /// What an entry of the log tells under this name; a name that is not known here is shown as it stands.
    pub(crate) fn told(self, name: &str) -> &str {
        self.pick(match name {
            "answer" => ["answer", "Antwort", "答复"],
            "cases" => ["cases", "Fälle", "案件"],
            "checkpoints" => ["checkpoints", "Prüfpunkte", "审批节点"],
            "codes" => ["findings", "Feststellungen", "检查结果"],
            "delete_by" => ["to be deleted by", "zu löschen bis", "删除期限"],
            "ended" => ["ended on", "beendet am", "终止日期"],
            "fields" => ["fields", "Felder", "字段"],
            "format" => ["format", "Format", "格式"],
            "ground" => ["ground", "Grund", "依据"],
            "keep_until" => ["kept until", "Aufbewahrung bis", "保留至"],
            "kind" => ["document", "Beleg", "单据"],
            "mail" => ["mail", "E-Mail", "邮件"],
            "part" => ["part of the mail", "Teil der E-Mail", "邮件部分"],
            "pictures" => ["pictures of pages", "Seitenbilder", "页面图片"],
            "policy" => ["policy", "Richtlinie", "策略"],
            "proposed_by" => ["proposed by", "vorgeschlagen von", "提议人"],
            "released" => ["lifted", "aufgehoben", "已解除"],
            "row" => ["row of the policy", "Richtlinienzeile", "策略行"],
            "rule" => ["because", "weil", "原因"],
            "sample_percent" => ["straight-through sample", "Stichprobe", "抽检比例"],
            "size_bytes" => ["size", "Größe", "大小"],
            "voided" => ["approvals taken away", "aufgehobene Freigaben", "被撤销的批准"],
            other => [other, other, other],
        })
    }

    /// What the ledger answered, by its word in the log.
    pub(crate) fn answer(self, word: &str) -> &str {
        self.pick(match word {
            "booked" => ["booked", "gebucht", "已入账"],
            "refused" => ["refused", "abgelehnt", "被拒绝"],
            "unknown" => ["not known yet", "noch nicht bekannt", "尚不明确"],
            "absent" => ["not there", "nicht vorhanden", "不存在"],
            other => [other, other, other],
        })
    }

    pub(crate) fn payee_match(self, result: PayeeMatch) -> &'static str {
        self.pick(match result {
            PayeeMatch::Match => ["name and account match", "Name und Konto stimmen überein", "户名与账户匹配"],
            PayeeMatch::Close => ["they match nearly", "sie stimmen fast überein", "近似匹配"],
            PayeeMatch::Unavailable => ["it could not compare", "kein Vergleich möglich", "无法核对"],
            PayeeMatch::None => ["they do not match", "sie passen nicht zusammen", "不匹配"],
        })
    }
}
