//! Every word of the pages, in the three languages side by side: a text that is missing in one of them does not compile.

mod checks;
mod clauses;
mod codes;
mod fields;
mod names;
mod operands;

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    En,
    De,
    Zh,
}

pub(crate) const LANGUAGE_COOKIE: &str = "language";

impl Lang {
    pub(crate) const ALL: [Lang; 3] = [Lang::En, Lang::De, Lang::Zh];

    /// As in `lang="…"` and in the cookie.
    pub(crate) fn tag(self) -> &'static str {
        self.pick(["en", "de", "zh"])
    }

    pub(crate) fn own_name(self) -> &'static str {
        self.pick(["English", "Deutsch", "中文"])
    }

    pub(crate) fn tagged(tag: &str) -> Option<Lang> {
        Lang::ALL.into_iter().find(|lang| lang.tag() == tag)
    }

    /// What the person chose, else what the browser likes best of what we speak, else English.
    pub(crate) fn of(headers: &HeaderMap) -> Lang {
        crate::session::cookie(headers, LANGUAGE_COOKIE)
            .and_then(|tag| Lang::tagged(&tag))
            .or_else(|| Lang::liked(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?))
            .unwrap_or(Lang::En)
    }

    fn liked(accepted: &str) -> Option<Lang> {
        let mut liked: Vec<(u16, Lang)> = Vec::new();
        for range in accepted.split(',').take(20) {
            let (tag, weight) = range.split_once(";q=").unwrap_or((range, "1"));
            let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            let weight: f64 = weight.trim().parse().unwrap_or(0.0);
            if let Some(lang) = Lang::tagged(&primary).filter(|_| 0.0 < weight && weight <= 1.0) {
                liked.push(((weight * 1000.0) as u16, lang));
            }
        }
        // The first of the best: `max_by_key` would give the last.
        liked.iter().rev().max_by_key(|(weight, _)| *weight).map(|(_, lang)| *lang)
    }

    /// One of three texts that stand in the order English, German, Chinese.
    pub(crate) fn pick<T>(self, [en, de, zh]: [T; 3]) -> T {
        match self {
            Lang::En => en,
            Lang::De => de,
            Lang::Zh => zh,
        }
    }

    pub(crate) fn words(self) -> &'static Words {
        self.pick([&EN, &DE, &ZH])
    }
}

/// A handler that takes one speaks it.
impl<S: Sync> FromRequestParts<S> for Lang {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Lang, Infallible> {
        Ok(Lang::of(&parts.headers))
    }
}

macro_rules! words {
    ($($name:ident: $en:literal, $de:literal, $zh:literal;)+) => {
        #[derive(Debug)]
        pub(crate) struct Words { $(pub(crate) $name: &'static str),+ }
        const EN: Words = Words { $($name: $en),+ };
        const DE: Words = Words { $($name: $de),+ };
        const ZH: Words = Words { $($name: $zh),+ };

        #[cfg(test)]
        impl Words {
            /// All of them with their names.
            fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name)),+]
            }
        }
    };
}

words! {
    // Around every page.
    skip: "Skip to the content", "Zum Inhalt springen", "跳到正文";
    queue: "Queue", "Arbeitsvorrat", "待办队列";
    accounts: "Accounts", "Konten", "账户";
    log: "Audit log", "Prüfprotokoll", "审计日志";
    sign_out: "Sign out", "Abmelden", "退出";
    language: "Language", "Sprache", "语言";
    main_navigation: "Main", "Hauptnavigation", "主导航";
    times_utc: "All times are UTC.", "Alle Zeiten in UTC.", "所有时间均为 UTC。";
    // Signing in.
    sign_in: "Sign in", "Anmelden", "登录";
    name: "Name", "Name", "用户名";
    password: "Password", "Passwort", "密码";
    sign_in_wrong: "Name or password is wrong.", "Name oder Passwort ist falsch.", "用户名或密码错误。";
    sign_in_wait: "Too many failed attempts. Try again after", "Zu viele Fehlversuche. Wieder möglich ab", "失败次数过多。请在此时间之后重试：";
    link_title: "Sign in with a one-time link", "Mit Einmal-Link anmelden", "使用一次性链接登录";
    link_text: "This link works once. Press the button to use it now, on this computer.", "Dieser Link gilt einmal. Mit der Schaltfläche wird er jetzt an diesem Rechner verwendet.", "此链接只能使用一次。按下按钮即在本机使用。";
    link_used: "This link was used already, is too old, or never was. Ask for a new one.", "Dieser Link wurde schon verwendet, ist zu alt oder ungültig. Bitte einen neuen anfordern.", "此链接已使用、已过期或无效。请索取新链接。";
    // The queue.
    waiting: "Waiting", "Wartend", "等待处理";
    all: "All", "Alle", "全部";
    for_you: "Waiting for you", "Wartet auf Sie", "等待您处理";
    for_others: "Waiting for others", "Wartet auf andere", "等待他人处理";
    nothing_waits: "Nothing waits. Everything that came in has been decided.", "Nichts wartet. Alles Eingegangene ist entschieden.", "没有待办事项。所有收到的单据均已处理。";
    nothing_here: "No case fits this choice.", "Kein Fall passt zu dieser Auswahl.", "没有符合条件的案件。";
    nothing_for_you: "Nothing waits for you right now.", "Auf Sie wartet gerade nichts.", "目前没有等待您处理的事项。";
    scan_cut: "Only the most urgent cases are sorted here. The state's own list shows the rest.", "Hier sind nur die dringendsten Fälle sortiert. Die Liste des Status zeigt den Rest.", "此处仅列出最紧急的案件。其余请见各状态列表。";
    states: "States", "Status", "状态";
    filter: "Filter", "Filtern", "筛选";
    kind: "Document", "Beleg", "单据";
    every_kind: "Every document", "Alle Belegarten", "所有单据类型";
    find: "Find", "Suchen", "查找";
    find_hint: "number, party, order, IBAN, or end of id", "Nummer, Partei, Bestellung, IBAN, Kennung", "号码、单位、订单、IBAN 或编号末尾";
    find_none: "No case says this, and no id ends like this.", "Kein Fall enthält das, und keine Kennung endet so.", "没有案件包含此内容，也没有以此结尾的编号。";
    find_many: "Cases that say this, the newest first", "Fälle mit diesem Inhalt, neueste zuerst", "包含此内容的案件（最新在前）";
    received: "Received", "Eingang", "收到时间";
    party: "Vendor or party", "Kreditor oder Partei", "供应商或当事方";
    amount: "Amount", "Betrag", "金额";
    why_held: "Why it is held", "Grund der Sperre", "暂停原因";
    due: "Due", "Fällig", "截止";
    state: "State", "Status", "状态";
    overdue: "overdue", "überfällig", "逾期";
    page_next: "Next page", "Nächste Seite", "下一页";
    page_previous: "Previous page", "Vorige Seite", "上一页";
    // One case.
    case_id: "Case", "Fall", "案件";
    why_here: "Why it is here", "Warum dieser Fall hier liegt", "为何在此";
    in_sample: "In the straight-through sample: the policy let this case through without a person, and it was drawn for one to check.", "In der Stichprobe: Die Richtlinie hat diesen Fall ohne einen Menschen durchgelassen; er ist zur Kontrolle durch einen gezogen.", "已列入抽检：该案件由策略直接放行，未经人工审批，现被抽中，须由人员检查。";
    not_held: "No checkpoint is open on this case.", "An diesem Fall ist kein Prüfpunkt offen.", "该案件没有待审批节点。";
    quarantined: "The document could not be read", "Der Beleg konnte nicht gelesen werden", "单据无法读取";
    decided_by: "Decided by", "Entscheidung durch", "审批角色";
    level: "level", "Stufe", "级别";
    approvals_of: "of", "von", "/";
    approvals: "approvals", "Freigaben", "已批准";
    settled: "settled", "erledigt", "已完成";
    approved_by: "Approved by", "Freigegeben von", "批准人";
    every_document: "The policy holds every document of this kind or size.", "Die Richtlinie hält jeden Beleg dieser Art oder Höhe an.", "策略规定此类或此金额的单据一律需审批。";
    also_noted: "Also noted", "Außerdem bemerkt", "其他提示";
    how_decided: "How this was decided", "Wie das entschieden wurde", "判定依据";
    limit_row: "Limit of the row", "Grenze aus der Zeile", "限额所在行";
    limit_none: "there is none, so nothing is tolerated", "es gibt keine, also wird nichts geduldet", "无对应行，不容许任何差异";
    limits_together: "To pass", "Zum Bestehen", "通过条件";
    limits_strict: "it must be within each limit", "jede Grenze muss eingehalten sein", "须在每项限额以内";
    limits_lenient: "it must be within one of the limits", "eine der Grenzen muss eingehalten sein", "在任一限额以内即可";
    over_order: "Above the order by", "Über der Bestellung um", "高于订单";
    over_received: "Above what was received by", "Über dem Erhaltenen um", "高于收货";
    over_none: "Without an order", "Ohne Bestellung", "无订单金额";
    over_expected: "Above the expected by", "Über dem Erwarteten um", "高于应有值";
    over_by: "Over by", "Darüber um", "超出";
    under_by: "Below by", "Darunter um", "低于";
    apart_by: "Apart by", "Auseinander um", "相差";
    would_pass: "Would pass with", "Würde bestehen mit", "满足以下条件即可通过";
    nothing_would: "nothing: a figure is missing or cannot be computed", "nichts: eine Zahl fehlt oder ist nicht berechenbar", "无：缺少数字或无法计算";
    and: "and", "und", "且";
    or: "or", "oder", "或";
    another: "another", "anderer Wert:", "其他";
    without: "no", "Wegfall von:", "取消";
    with: "with", "mit", "包含";
    is_known: "known", "bekannt", "已知";
    left_to: "Left up to", "Spielraum bis", "距限额余量：";
    margin: "Margin", "Spielraum", "余量";
    days: "days", "Tage", "天";
    lifted: "Lifted by what came in", "Aufgehoben durch später Eingegangenes", "因后续资料而解除";
    lifted_policy: "Lifted when it was judged again, by another policy", "Aufgehoben bei erneuter Prüfung nach einer anderen Richtlinie", "按另一策略重新判定时解除";
    passed: "What was compared and passed", "Was verglichen wurde und bestand", "已比对并通过的项目";
    passed_show: "Show them", "Anzeigen", "显示";
    passed_cut: "Only the first comparisons are shown. On the command line, `case show --json` has all of them.", "Nur die ersten Vergleiche werden gezeigt. Auf der Kommandozeile enthält `case show --json` alle.", "仅显示前若干项比对。命令行 `case show --json` 列出全部。";
    checked_for: "Checked", "Geprüft", "检查项";
    figures: "Figures", "Zahlen", "数字";
    limit_and_margin: "Limit, and what is left", "Grenze und Spielraum", "限额与余量";
    due_by_contract: "Due by the contract", "Fällig laut Vertrag", "合同约定到期日";
    cannot_approve: "cannot be approved", "nicht freigebbar", "不可批准";
    document: "Document", "Beleg", "单据";
    pages: "Pages", "Seiten", "页面";
    page: "Page", "Seite", "第";
    no_pages: "This format has no pages. Every value shows where it was read.", "Dieses Format hat keine Seiten. Jeder Wert zeigt seine Fundstelle.", "此格式没有页面。每个数值均标明出处。";
    values: "Values", "Werte", "数值";
    nothing_read: "Nothing has been read from this document.", "Aus diesem Beleg wurde nichts gelesen.", "尚未从该单据读取任何内容。";
    seller: "Seller", "Verkäufer", "销售方";
    buyer: "Buyer", "Käufer", "购买方";
    payment: "Payment", "Zahlung", "付款";
    totals: "Totals", "Summen", "合计";
    contract: "Contract", "Vertrag", "合同";
    parties: "Parties", "Vertragsparteien", "合同当事人";
    shown_on_page: "show on the page", "auf der Seite zeigen", "在页面上显示";
    by_person: "corrected by", "korrigiert von", "更正人";
    characters: "characters", "Zeichen", "字符";
    sure: "sure", "sicher", "可信度";
    vat_breakdown: "VAT breakdown", "Umsatzsteueraufstellung", "增值税明细";
    lines: "Lines", "Positionen", "行项目";
    line: "Line", "Position", "行";
    lines_cut: "Only the first lines are shown. The original has all of them.", "Nur die ersten Positionen werden gezeigt. Das Original enthält alle.", "仅显示前若干行。完整内容请见原件。";
    clauses: "Clauses", "Klauseln", "条款";
    notes: "Notes of the reader", "Hinweise beim Lesen", "读取提示";
    matched: "Matched with the order", "Abgleich mit der Bestellung", "与订单匹配";
    order_line: "Order line", "Bestellposition", "订单行";
    ordered: "Ordered", "Bestellt", "订购量";
    goods_received: "Received", "Wareneingang", "收货量";
    billed_before: "Billed before", "Bereits berechnet", "此前已开票";
    billed_now: "Billed now", "Jetzt berechnet", "本次开票";
    price_ordered: "Price ordered", "Bestellpreis", "订单单价";
    price_billed: "Price billed", "Rechnungspreis", "发票单价";
    variance: "Variance", "Abweichung", "差异";
    paid_for: "Paid for it already", "Dafür bereits gezahlt", "已有付款";
    paid_on: "Day", "Tag", "日期";
    paid_amount: "The whole payment", "Zahlung insgesamt", "付款总额";
    paid_of_it: "For this document", "Für diesen Beleg", "用于此单据";
    paid_taken_off: "taken off", "abgezogen", "已抵扣";
    paid_perhaps: "perhaps; nothing is settled by it", "vielleicht; nichts ist damit beglichen", "可能相关；未结清任何款项";
    paid_account: "Account of the other side", "Konto der Gegenseite", "对方账户";
    paid_employee: "of employee", "von Mitarbeiter", "员工账户";
    paid_account_hidden: "not shown to your role", "für Ihre Rolle nicht sichtbar", "您的角色不可见";
    paid_found: "What was found", "Feststellung", "检查结果";
    history: "History", "Verlauf", "历史记录";
    entry: "Entry", "Eintrag", "日志条目";
    what: "What", "Was", "事项";
    unsealed: "not sealed yet", "noch nicht versiegelt", "尚未封存";
    program: "the program", "das Programm", "系统";
    refused: "refused", "abgelehnt", "被拒绝";
    facts: "About this case", "Zu diesem Fall", "案件信息";
    file: "File", "Datei", "文件";
    channel: "Channel", "Eingangskanal", "来源渠道";
    size: "Size", "Größe", "大小";
    digest: "SHA-256 of the original", "SHA-256 des Originals", "原件 SHA-256";
    revision: "Revision", "Revision", "版本";
    policy: "Policy", "Richtlinie", "策略";
    booked_as: "Booked as", "Gebucht als", "入账凭证";
    retain_until: "Kept until", "Aufbewahrung bis", "保留至";
    original: "Download the original", "Original herunterladen", "下载原件";
    next_case: "Next case", "Nächster Fall", "下一案件";
    back_to_queue: "Back to the queue", "Zurück zum Arbeitsvorrat", "返回队列";
    // Deciding.
    decide: "Your decision", "Ihre Entscheidung", "您的决定";
    reason: "Reason", "Begründung", "理由";
    reason_hint: "It is kept sealed, and the log proves it was not changed.", "Sie wird versiegelt aufbewahrt; das Protokoll belegt, dass sie unverändert ist.", "理由将封存保管，日志可证明其未被更改。";
    approve: "Approve", "Freigeben", "批准";
    approve_means: "I have seen the document and the findings, and take responsibility for letting it pass.", "Ich habe Beleg und Feststellungen gesehen und verantworte die Freigabe.", "我已查看单据与检查结果，并对放行负责。";
    reject: "Reject", "Zurückweisen", "驳回";
    correct: "Correct values", "Werte korrigieren", "更正数值";
    correct_means: "Only what you change is entered. The case is then checked anew, and somebody else must approve it.", "Nur Geändertes wird übernommen. Der Fall wird danach neu geprüft, und jemand anderes muss ihn freigeben.", "仅记录您更改的内容。案件将重新检查，并须由他人批准。";
    correct_save: "Save corrections", "Korrekturen speichern", "保存更正";
    correct_cancel: "Cancel", "Abbrechen", "取消";
    new_line: "New line", "Neue Position", "新行";
    release: "Read it again", "Erneut lesen", "重新读取";
    why_not: "What you cannot do here, and why", "Was hier nicht möglich ist und warum", "您不能执行的操作及原因";
    not_yours: "this needs another role or level:", "dafür ist eine andere Rolle oder Stufe nötig:", "需要其他角色或级别：";
    touched: "you submitted or corrected this case, so somebody else must approve it.", "Sie haben diesen Fall eingereicht oder korrigiert; die Freigabe muss jemand anderes erteilen (Vier-Augen-Prinzip).", "您提交或更正过此案件，须由他人批准（职责分离）。";
    informed: "you brought in facts that this case rests on (orders, receipts, accounts or contracts), so somebody else must approve it.", "Sie haben Angaben eingebracht, auf denen dieser Fall beruht (Bestellungen, Wareneingänge, Konten oder Verträge); die Freigabe muss jemand anderes erteilen.", "您录入了此案件所依据的资料（订单、收货、账户或合同），须由他人批准。";
    booked: "it is booked already; reverse it in the ledger, and approve here what was found.", "der Fall ist schon gebucht; in der Buchhaltung stornieren und hier die Feststellung freigeben.", "此案件已入账；请在总账中冲销，并在此批准检查结果。";
    stopped: "a finding here cannot be approved; correct the values or reject the case:", "eine Feststellung ist nicht freigebbar; Werte korrigieren oder zurückweisen:", "有不可批准的检查结果；请更正数值或驳回：";
    approved_already: "you approved already; a second person must.", "Sie haben bereits freigegeben; eine zweite Person muss folgen.", "您已批准；还须第二人批准。";
    look_only: "You may look at cases; deciding needs another role.", "Sie dürfen Fälle einsehen; zum Entscheiden ist eine andere Rolle nötig.", "您可以查看案件；作出决定需要其他角色。";
    done_approved: "Approved. Your approval is entered in the log.", "Freigegeben. Ihre Freigabe steht im Protokoll.", "已批准。您的批准已记入日志。";
    done_rejected: "Rejected. Your reason is kept sealed beside the log.", "Zurückgewiesen. Ihre Begründung ist beim Protokoll versiegelt.", "已驳回。您的理由已与日志一同封存。";
    done_corrected: "Corrected. The case is being checked anew.", "Korrigiert. Der Fall wird neu geprüft.", "已更正。案件正在重新检查。";
    done_released: "Released. The document is being read again.", "Wird erneut gelesen.", "已放行。正在重新读取单据。";
    // What was refused, and what to do.
    refused_conflict: "Somebody else moved this case while you looked at it. Nothing was changed by you. Below is how it stands now: look again, then decide again.", "Jemand anderes hat diesen Fall inzwischen bewegt. Durch Sie wurde nichts geändert. Unten steht der jetzige Stand: bitte erneut ansehen und entscheiden.", "在您查看期间，他人已处理此案件。您的操作未生效。以下为当前状态，请重新查看后再作决定。";
    refused_denied: "This is not yours to do. The attempt is entered in the log. It needs:", "Dazu sind Sie nicht berechtigt. Der Versuch steht im Protokoll. Nötig ist:", "您无权执行此操作。该尝试已记入日志。需要：";
    refused_reason: "A decision needs a reason. Write one sentence.", "Eine Entscheidung braucht eine Begründung. Bitte einen Satz schreiben.", "决定须附理由。请写一句话。";
    refused_reason_long: "The reason is too long. Characters given and allowed:", "Die Begründung ist zu lang. Zeichen angegeben und erlaubt:", "理由过长。已输入与允许的字符数：";
    refused_field: "This field cannot be corrected, or its value is too long:", "Dieses Feld ist nicht korrigierbar, oder sein Wert ist zu lang:", "该字段不可更正，或内容过长：";
    refused_nothing_open: "No open checkpoint of this case is yours to approve. The attempt is entered in the log. Below stands who must decide.", "Kein offener Prüfpunkt dieses Falls liegt bei Ihnen. Der Versuch steht im Protokoll. Unten steht, wer entscheiden muss.", "此案件没有由您批准的节点。该尝试已记入日志。下方列出须作决定者。";
    refused_nothing: "Nothing was changed. Change at least one value.", "Nichts wurde geändert. Bitte mindestens einen Wert ändern.", "未作任何更改。请至少更改一个数值。";
    refused_not_now: "The case is in a state in which this cannot be done:", "Im jetzigen Status ist das nicht möglich:", "当前状态不允许此操作：";
    refused_form: "The form was incomplete. Open the page again and repeat.", "Das Formular war unvollständig. Bitte die Seite neu öffnen und wiederholen.", "表单不完整。请重新打开页面后再试。";
    // The log.
    log_head: "Newest signed head", "Neuester signierter Stand", "最新签名摘要";
    log_none: "Nothing is signed yet. A moment after the first entry there is a head.", "Noch nichts signiert. Kurz nach dem ersten Eintrag gibt es einen Stand.", "尚无签名。首条记录写入后片刻即生成。";
    log_origin: "Origin", "Ursprung", "来源";
    log_size: "Entries", "Einträge", "条目数";
    log_root: "Root", "Wurzel", "根哈希";
    log_key: "Verifier key", "Prüfschlüssel", "验证密钥";
    log_waits: "Oldest unsealed entry waits, in seconds", "Ältester unversiegelter Eintrag wartet, in Sekunden", "最早未封存条目等待秒数";
    log_how: "How to export and verify", "Exportieren und prüfen", "如何导出与验证";
    log_how_text: "On the machine that runs this service, write the log into a folder. Then check it anywhere, without this service, its database or its keys.", "Auf dem Rechner dieses Dienstes das Protokoll in einen Ordner schreiben. Danach überall prüfbar, ohne diesen Dienst, seine Datenbank oder seine Schlüssel.", "在运行本服务的机器上将日志写入文件夹，之后可在任何地方验证，无需本服务、数据库或密钥。";
    log_key_hint: "Note the verifier key now and keep it away from the export: a log proves nothing with a key that came along with it.", "Den Prüfschlüssel jetzt notieren und getrennt vom Export aufbewahren: mit einem mitgelieferten Schlüssel beweist ein Protokoll nichts.", "请现在记下验证密钥并与导出文件分开保存：随日志一同提供的密钥不能证明任何事。";
    log_note: "The head as it is signed", "Der Stand, wie er signiert ist", "签名原文";
    // Accounts of vendors that wait for a second person.
    bank_accounts: "Bank accounts", "Bankkonten", "银行账户";
    payee_hint: "Accounts of vendors that one person brought in. Nothing is paid to them before another person has confirmed them.", "Konten von Kreditoren, die eine Person eingebracht hat. Gezahlt wird darauf erst, wenn eine andere sie bestätigt hat.", "由一人录入的供应商账户。在另一人确认之前不会向其付款。";
    payee_none: "No account waits to be confirmed.", "Kein Konto wartet auf Bestätigung.", "没有等待确认的账户。";
    payee_valid_from: "Valid from", "Gültig ab", "生效日期";
    payee_from_then: "the day on which it is confirmed", "dem Tag der Bestätigung", "确认之日";
    payee_maker: "Brought in by", "Eingebracht von", "录入人";
    payee_since: "Waits since", "Wartet seit", "等待自";
    payee_bank_said: "What the bank said of name and account", "Auskunft der Bank zu Name und Konto", "银行对户名与账户的核对";
    payee_not_asked: "it was not asked", "nicht gefragt", "未询问";
    payee_before: "Account before it", "Bisheriges Konto", "此前账户";
    payee_none_before: "none was ever approved", "noch keines war freigegeben", "从未有已批准的账户";
    payee_called: "I have called the vendor", "Ich habe den Kreditor angerufen", "我已致电供应商";
    payee_number: "Number called, on file before", "Angerufene Nummer, zuvor hinterlegt", "拨打的原登记号码";
    payee_number_hint: "Never a number from the document that asks for the change.", "Nie eine Nummer aus dem Schreiben, das die Änderung verlangt.", "切勿使用要求变更的文件中的号码。";
    payee_spoke_with: "Spoke with", "Gesprochen mit", "通话对象";
    payee_answer: "What the answer was", "Wie die Antwort lautete", "对方答复";
    payee_on: "Day of the call", "Tag des Anrufs", "通话日期";
    payee_confirm_means: "The vendor said yes: I take responsibility for paying to this account from today.", "Der Kreditor hat es bejaht: Ich verantworte, dass ab heute auf dieses Konto gezahlt wird.", "供应商已确认：我对自今日起向此账户付款负责。";
    payee_confirm: "Confirm the account", "Konto bestätigen", "确认账户";
    payee_close: "Refuse the account", "Konto ablehnen", "拒绝账户";
    payee_close_means: "The vendor said no, or it is not wanted: nothing is paid to it, until somebody brings it in again.", "Der Kreditor hat es verneint, oder es ist nicht gewollt: Darauf wird nicht gezahlt, bis jemand es erneut einbringt.", "供应商否认或不再需要：在有人重新录入之前不会向其付款。";
    payee_confirmed: "Confirmed. The account may be paid to from today.", "Bestätigt. Auf das Konto darf ab heute gezahlt werden.", "已确认。自今日起可向该账户付款。";
    payee_refused: "Refused. Nothing is paid to this account.", "Abgelehnt. Auf dieses Konto wird nicht gezahlt.", "已拒绝。不会向该账户付款。";
    payee_denied: "Confirming an account is not yours to do. It needs:", "Zum Bestätigen eines Kontos sind Sie nicht berechtigt. Nötig ist:", "您无权确认账户。需要：";
    payee_own: "You brought this account in, so another person must confirm it.", "Sie haben dieses Konto eingebracht; bestätigen muss es eine andere Person (Vier-Augen-Prinzip).", "该账户由您录入，须由他人确认（职责分离）。";
    payee_no_call: "Number, person and answer of the call are all needed: ask the vendor by a number that was on file before.", "Nummer, Person und Antwort des Anrufs sind nötig: Den Kreditor unter einer zuvor hinterlegten Nummer fragen.", "通话号码、对象与答复均须填写：请用原登记号码询问供应商。";
    payee_call_ahead: "The call cannot be after today:", "Der Anruf kann nicht nach heute liegen:", "通话日期不能晚于今天：";
    payee_call_before: "The call was before the account was brought in, so nobody can have asked about it. Day of the call and of the account:", "Der Anruf lag vor dem Einbringen des Kontos; danach kann also niemand gefragt haben. Tag des Anrufs und des Kontos:", "通话早于账户录入，不可能已询问该账户。通话日期与录入日期：";
    payee_too_long: "What was written of the call is too long. Characters given and allowed:", "Die Angabe zum Anruf ist zu lang. Zeichen angegeben und erlaubt:", "通话记录过长。已输入与允许的字符数：";
    payee_stale: "Somebody else changed this account while you looked at it. Nothing was changed by you. Below is what waits now: look again, then decide again.", "Jemand anderes hat dieses Konto inzwischen geändert. Durch Sie wurde nichts geändert. Unten steht, was jetzt wartet: bitte erneut ansehen und entscheiden.", "在您查看期间，他人已更改此账户。您的操作未生效。以下为当前待办，请重新查看后再作决定。";
    // Policies that wait for a second person.
    policy_in_force: "In force", "In Kraft", "现行";
    policy_none_in_force: "No policy is in force yet.", "Noch ist keine Richtlinie in Kraft.", "尚无现行策略。";
    policy_digest: "Digest", "Prüfsumme", "摘要";
    policy_since: "In force since", "In Kraft seit", "生效时间";
    policy_by: "Let through by", "Freigabe", "放行";
    policy_by_itself: "nobody had to: it came into force by itself, or with a backup", "nicht nötig: von selbst in Kraft getreten oder aus einer Sicherung", "无需放行：自动生效或来自备份";
    policy_proposed_by: "Proposed by", "Vorgeschlagen von", "提议人";
    policy_waits: "Proposed, and not in force", "Vorgeschlagen und nicht in Kraft", "已提议，尚未生效";
    policy_none_waits: "No policy waits. One that lets more through than the one in force is proposed with `countersign policy propose`.", "Keine Richtlinie wartet. Eine, die mehr durchlässt als die geltende, wird mit `countersign policy propose` vorgeschlagen.", "没有等待的策略。比现行策略更宽松的策略用 `countersign policy propose` 提议。";
    policy_looser: "How it lets through more than the one in force", "Worin sie mehr durchlässt als die geltende", "比现行策略宽松之处";
    policy_means: "I have read what it lets through, and take responsibility for it coming into force.", "Ich habe gelesen, was sie durchlässt, und verantworte, dass sie in Kraft tritt.", "我已阅读其放宽之处，并对其生效负责。";
    policy_approve: "Approve the policy", "Richtlinie freigeben", "批准策略";
    policy_approved: "Approved. It comes into force with the next look at the folder, within seconds.", "Freigegeben. Sie tritt mit dem nächsten Blick in den Ordner in Kraft, binnen Sekunden.", "已批准。下次检查文件夹时生效，只需数秒。";
    policy_denied: "Approving a policy is not yours to do. It needs:", "Zum Freigeben einer Richtlinie sind Sie nicht berechtigt. Nötig ist:", "您无权批准策略。需要：";
    policy_level: "Approving a policy needs a person of level", "Zum Freigeben einer Richtlinie ist eine andere Stufe nötig:", "批准策略需要的级别：";
    policy_own: "You proposed this policy, so another person must approve it.", "Sie haben diese Richtlinie vorgeschlagen; freigeben muss sie eine andere Person (Vier-Augen-Prinzip).", "该策略由您提议，须由他人批准（职责分离）。";
    policy_approved_already: "It is approved, and comes into force with the next look at the folder, if it still lies there.", "Sie ist freigegeben und tritt mit dem nächsten Blick in den Ordner in Kraft, wenn sie noch dort liegt.", "已批准；若仍在文件夹中，下次检查时生效。";
    policy_stale: "Another policy came into force, or this one is not proposed any more. Nothing was changed by you. Below is how it stands now: look again.", "Eine andere Richtlinie ist in Kraft getreten, oder diese ist nicht mehr vorgeschlagen. Durch Sie wurde nichts geändert. Unten steht der jetzige Stand: bitte erneut ansehen.", "另一策略已生效，或此策略已不再被提议。您的操作未生效。以下为当前状态，请重新查看。";
    // Accounts.
    account_new: "New account", "Neues Konto", "新账户";
    account_create: "Create account", "Konto anlegen", "创建账户";
    account_roles: "Roles", "Rollen", "角色";
    account_level: "Level of responsibility", "Verantwortungsstufe", "责任级别";
    account_id: "Pseudonym in the log", "Pseudonym im Protokoll", "日志中的代号";
    account_done: "The account is made.", "Das Konto ist angelegt.", "账户已创建。";
    account_roles_none: "Choose at least one role, and level 1 or 2.", "Mindestens eine Rolle und Stufe 1 oder 2 wählen.", "请至少选择一个角色及级别 1 或 2。";
    account_exists: "An account with this name exists already.", "Ein Konto mit diesem Namen gibt es schon.", "该用户名已存在。";
    account_name_size: "The name has no characters or too many; at most 100.", "Der Name ist leer oder zu lang; höchstens 100 Zeichen.", "用户名为空或过长；最多 100 个字符。";
    account_password_size: "The password is too short or too long; 12 to 256 characters.", "Das Passwort ist zu kurz oder zu lang; 12 bis 256 Zeichen.", "密码过短或过长；须为 12 至 256 个字符。";
    // When something is wrong.
    error: "This did not work", "Das hat nicht geklappt", "操作未成功";
    cannot_open: "This sealed case cannot be opened. Tell whoever runs the service.", "Dieser versiegelte Fall lässt sich nicht öffnen. Bitte den Betreiber verständigen.", "无法打开此封存案件。请联系管理员。";
    error_gone: "There is no such page or case.", "Diese Seite oder diesen Fall gibt es nicht.", "没有此页面或案件。";
    error_denied: "Your role does not allow this. The attempt is entered in the log. It needs:", "Ihre Rolle erlaubt das nicht. Der Versuch steht im Protokoll. Nötig ist:", "您的角色无此权限。该尝试已记入日志。需要：";
    error_world: "The service cannot do this now. Nothing was changed. Try again in a minute; if it stays, tell whoever runs it.", "Der Dienst kann das gerade nicht. Nichts wurde geändert. Bitte in einer Minute erneut versuchen; sonst den Betreiber verständigen.", "服务暂时无法执行。未作任何更改。请一分钟后重试；如仍有问题，请联系管理员。";
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_text_is_there_in_every_language_and_not_left_in_english() {
        for ((name, en), ((_, de), (_, zh))) in EN.all().into_iter().zip(DE.all().into_iter().zip(ZH.all())) {
            assert!(!en.is_empty() && !de.is_empty() && !zh.is_empty(), "{name}");
            assert!(zh == "/" || !zh.is_ascii(), "{name}: {zh}");
            assert!(en != de || ["name", "revision"].contains(&name), "{name}: {en}");
        }
    }

    #[test]
    fn the_language_is_the_best_liked_that_we_speak() {
        for (accepted, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some(Lang::De)),
            ("fr,en;q=0.5,zh-CN;q=0.7", Some(Lang::Zh)),
            ("en,de", Some(Lang::En)),
            ("de;q=0,en;q=0.1", Some(Lang::En)),
            ("fr", None),
            ("de;q=NaN,;;q=,", None),
        ] {
            assert_eq!(Lang::liked(accepted), expected, "{accepted}");
        }
    }
}
