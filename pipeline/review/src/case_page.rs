//! One case: why it is here, what was read and where, what it was matched with, and what may be decided.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use case::{
    Actor, Approval, Case, CaseId, Code, Deed, Finding, REASON_CHARS_MAX, Severity, State as CaseState, permit,
};
use futures_util::stream;
use rust_decimal::Decimal;
use store::PaidFor;

use crate::findings::{FindingView, PASSED_SHOWN_MAX, PassedView, Showing, currency, passed};
use crate::history::{self, HistoryRow};
use crate::page::{Done, Frame, Notice, People, Trouble, html, roles};
use crate::queue::{Gist, tail};
use crate::session::Person;
use crate::values::{Place, Values, Wish};
use crate::words::Lang;
use crate::{App, Shared, now};

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    frame: Frame,
    id: String,
    tail: String,
    kind: &'static str,
    state: &'static str,
    state_name: &'static str,
    gist: Gist,
    quarantine: Option<String>,
    checkpoints: Vec<CheckpointView>,
    /// How holds were lifted since, which, and when.
    lifted: Vec<(&'static str, String, String)>,
    noted: Vec<FindingView>,
    /// It is in the straight-through sample.
    sampled: bool,
    values: Values,
    read: bool,
    matched: Vec<Vec<(&'static str, String)>>,
    /// Each under its heading.
    payments: Vec<[(&'static str, String); 5]>,
    passed: Vec<PassedView>,
    passed_cut: bool,
    facts: Vec<(&'static str, String)>,
    history: Vec<HistoryRow>,
    actions: Actions,
    editing: bool,
    may_download: bool,
    may_decide_any: bool,
    revision: u64,
    seen: String,
    reason: String,
    reason_chars_max: usize,
}

struct CheckpointView {
    /// Of the weightiest finding; a checkpoint that asks about every document has none.
    weight: Option<Severity>,
    title: String,
    role: &'static str,
    level: u8,
    needs: u8,
    given: usize,
    settled: bool,
    due: String,
    overdue: bool,
    every_document: bool,
    approvals: Vec<(String, String, String)>,
    findings: Vec<FindingView>,
}

/// What this person may do with this case now, and why not the rest.
#[derive(Debug, Default)]
struct Actions {
    approve: bool,
    reject: bool,
    correct: bool,
    release: bool,
    why_not: Vec<String>,
}

pub(crate) async fn show(
    State(app): State<Shared>,
    person: Person,
    lang: Lang,
    Path(id): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Trouble> {
    let w = lang.words();
    let notice = match done.as_deref() {
        Some("approve") => Some(w.done_approved),
        Some("reject") => Some(w.done_rejected),
        Some("correct") => Some(w.done_corrected),
        Some("release") => Some(w.done_released),
        _ => None,
    };
    let shown = Shown { notice: notice.map(Notice::good), ..Shown::default() };
    case_page(&app, &person, lang, case_id(&id)?, shown).await
}

pub(crate) async fn show_form(
    State(app): State<Shared>,
    person: Person,
    lang: Lang,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let shown = Shown { editing: true, ..Shown::default() };
    case_page(&app, &person, lang, case_id(&id)?, shown).await
}

pub(crate) fn case_id(text: &str) -> Result<CaseId, Trouble> {
    text.parse().map_err(|_| Trouble::Gone)
}

/// How a case is to be shown this time.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) notice: Option<Notice>,
    pub(crate) editing: bool,
    /// What was written before it was refused, so that nobody has to write it twice.
    pub(crate) reason: String,
    pub(crate) typed: BTreeMap<String, String>,
}

pub(crate) async fn case_page(
    app: &App,
    person: &Person,
    lang: Lang,
    id: CaseId,
    shown: Shown,
) -> Result<Response, Trouble> {
    let now = now();
    let case = app.store.view(id, &person.actor, now).await?;
    let people = People::of(app).await?;
    let history = app.store.history(id).await?;
    let paid = app.store.payments_of(&case).await?;
    // As on the page of the accounts.
    let sees_accounts = permit(&person.actor, Deed::ProposePayee).is_ok();
    let actions = Actions::of(&case, &person.actor, lang);
    let editing = shown.editing && actions.correct;
    let wish = Wish { lang, people: &people, editing, typed: &shown.typed };
    let values = Values::of(&case, wish);
    let gist = Gist::of(&case, lang);
    let title = [lang.kind(case.kind()), &gist.number].join(" ").trim().to_owned();
    let mut frame = Frame::new(app, lang, title, format!("/cases/{id}")).of(app, &person.actor, &people).await?;
    frame.notice = shown.notice;
    let names = values.names();
    let showing = Showing { lang, people: &people, values: &values, names: &names, currency: currency(&case) };
    let finding = |finding: &Finding| FindingView::of(finding, showing);
    // What weighs most is said first.
    let mut found: Vec<&Finding> = case.findings.iter().collect();
    found.sort_by_key(|finding| Reverse(finding.severity));
    let checkpoints = case.checkpoints.iter().map(|it| {
        let asked = || found.iter().filter(|finding| it.codes.contains(&finding.code));
        let approval = |it: &Approval| (people.name(&it.by), lang.time(it.at), it.reason.clone());
        CheckpointView {
            weight: asked().map(|finding| finding.severity).max(),
            title: it.title.clone(),
            role: lang.role(it.route),
            level: it.level,
            needs: it.needs,
            given: it.approvals.len(),
            settled: it.settled(),
            due: lang.time(it.due_at),
            overdue: !it.settled() && case.state == CaseState::InReview && it.due_at < now,
            every_document: it.codes.is_empty(),
            approvals: it.approvals.iter().map(approval).collect(),
            findings: asked().map(|it| finding(it)).collect(),
        }
    });
    let mut checkpoints: Vec<CheckpointView> = checkpoints.collect();
    checkpoints.sort_by_key(|it| Reverse(it.weight));
    let asked = |code: Code| case.checkpoints.iter().any(|it| it.codes.contains(&code));
    let noted: Vec<FindingView> = found.iter().filter(|it| !asked(it.code)).map(|it| finding(it)).collect();
    let full = id.to_string();
    Ok(html(&CasePage {
        tail: tail(&full),
        id: full,
        kind: lang.kind(case.kind()),
        state: lang.state(case.state),
        state_name: case.state.name(),
        gist,
        quarantine: case.quarantine.clone(),
        checkpoints,
        noted,
        sampled: case.sampled(),
        read: case.extraction.is_some(),
        matched: matched(&case, lang),
        payments: paid.iter().map(|it| payment(it, sees_accounts, lang)).collect(),
        passed: passed(&case, lang),
        passed_cut: PASSED_SHOWN_MAX < case.passed.len(),
        facts: facts(&case, lang),
        lifted: history::lifted(&history, &case, lang),
        history: history::rows(history, &case, &people, lang),
        may_decide_any: actions.approve || actions.reject || actions.correct || actions.release,
        actions,
        editing,
        may_download: permit(&person.actor, Deed::Download).is_ok(),
        revision: case.revision,
        seen: case.content().to_string(),
        reason: shown.reason,
        reason_chars_max: REASON_CHARS_MAX,
        values,
        frame,
    }))
}

/// Why a person may not approve a case that is in review.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotApprovable {
    NotInReview,
    Touched,
    /// They brought in what it rests on.
    Informed,
    Already,
    NotOpen,
    Stopped(Code),
}

/// What [`case::step`] would say, asked beforehand, so that a page shows no button that does nothing.
pub(crate) fn may_approve(case: &Case, actor: &Actor) -> Result<(), NotApprovable> {
    if case.state != CaseState::InReview {
        return Err(NotApprovable::NotInReview);
    }
    if !case.checkpoints.iter().any(|it| it.open_to(actor)) {
        let mut open = case.checkpoints.iter().filter(|it| !it.settled());
        let already = open.any(|it| it.approvals.iter().any(|approval| approval.by == actor.id));
        return Err(if already { NotApprovable::Already } else { NotApprovable::NotOpen });
    }
    if case.touched_by.contains(&actor.id) {
        return Err(NotApprovable::Touched);
    }
    if case.informed_by.contains(&actor.id) {
        return Err(NotApprovable::Informed);
    }
    case.stopped().map_or(Ok(()), |code| Err(NotApprovable::Stopped(code)))
}

impl Actions {
    fn of(case: &Case, actor: &Actor, lang: Lang) -> Actions {
        let w = lang.words();
        let mut actions = Actions::default();
        if !matches!(case.state, CaseState::InReview | CaseState::Quarantined) {
            return actions;
        }
        if permit(actor, Deed::Decide).is_err() && permit(actor, Deed::Release).is_err() {
            actions.why_not.push(w.look_only.to_owned());
            return actions;
        }
        let said = |deed: &str, why: &str| format!("{deed}: {why}");
        match case.state {
            CaseState::InReview => {
                match may_approve(case, actor) {
                    Ok(()) => actions.approve = true,
                    Err(NotApprovable::Touched) => actions.why_not.push(said(w.approve, w.touched)),
                    Err(NotApprovable::Informed) => actions.why_not.push(said(w.approve, w.informed)),
                    Err(NotApprovable::Already) => actions.why_not.push(said(w.approve, w.approved_already)),
                    Err(NotApprovable::Stopped(code)) => {
                        actions.why_not.push(said(w.approve, &format!("{} {}.", w.stopped, lang.code(code))));
                    }
                    Err(NotApprovable::NotOpen | NotApprovable::NotInReview) => {
                        let open = case.checkpoints.iter().filter(|it| !it.settled());
                        let who: BTreeSet<String> =
                            open.map(|it| format!("{}, {} {}", lang.role(it.route), w.level, it.level)).collect();
                        let who = who.into_iter().collect::<Vec<_>>().join("; ");
                        actions.why_not.push(said(w.approve, &format!("{} {who}.", w.not_yours)));
                    }
                }
                match permit(actor, Deed::Decide) {
                    Ok(()) if case.booked_as.is_some() => {
                        actions.why_not.push(said(&format!("{}, {}", w.correct, w.reject), w.booked));
                    }
                    Ok(()) => {
                        actions.reject = true;
                        actions.correct = case.extraction.is_some();
                    }
                    Err(denied) => {
                        let both = format!("{}, {}", w.correct, w.reject);
                        actions.why_not.push(said(&both, &format!("{} {}.", w.not_yours, roles(lang, &denied.needs))));
                    }
                }
            }
            CaseState::Quarantined => match permit(actor, Deed::Release) {
                Ok(()) => (actions.release, actions.reject) = (true, true),
                Err(denied) => {
                    let both = format!("{}, {}", w.release, w.reject);
                    actions.why_not.push(said(&both, &format!("{} {}.", w.not_yours, roles(lang, &denied.needs))));
                }
            },
            _ => {}
        }
        actions
    }
}

/// Each figure under its heading.
fn matched(case: &Case, lang: Lang) -> Vec<Vec<(&'static str, String)>> {
    let w = lang.words();
    let none = || "–".to_owned();
    let number = |number: Option<Decimal>| number.map_or_else(none, |it| lang.decimal(it.normalize()));
    let money = |number: Option<Decimal>| number.map_or_else(none, |it| lang.money(it));
    let row = |line: &case::MatchedLine| {
        vec![
            (w.line, line.invoice_line.clone()),
            (w.order_line, format!("{} / {}", line.order_id, line.order_line)),
            (w.what, line.description.clone().unwrap_or_default()),
            (w.ordered, number(Some(line.ordered))),
            (w.goods_received, number(line.received)),
            (w.billed_before, number(Some(line.billed_before))),
            (w.billed_now, number(Some(line.billed_now))),
            (w.price_ordered, money(Some(line.price_ordered))),
            (w.price_billed, money(line.price_billed)),
            (w.variance, money(line.variance)),
        ]
    };
    case.matched.iter().take(crate::values::LINES_SHOWN_MAX).map(row).collect()
}

/// A payment for this case: when, how much, what of this case, where it went, and what was found about it.
fn payment(it: &PaidFor, sees_accounts: bool, lang: Lang) -> [(&'static str, String); 5] {
    let w = lang.words();
    let money = |amount: Decimal| format!("{} {}", lang.money(amount), it.payment.currency);
    let of_it = match &it.share {
        None => w.paid_perhaps.to_owned(),
        Some(share) if it.taken_off() => format!("{} {}", money(share.amount), w.paid_taken_off),
        Some(share) => money(share.amount),
    };
    let whose = it.employee.as_ref().map(|id| format!("{} {id}", w.paid_employee));
    let account = it.payment.iban.clone().into_iter().chain(whose).collect::<Vec<_>>().join(", ");
    [
        (w.paid_on, lang.day(it.payment.date)),
        (w.paid_amount, money(it.payment.amount)),
        (w.paid_of_it, of_it),
        (w.paid_account, if sees_accounts { account } else { w.paid_account_hidden.to_owned() }),
        (w.paid_found, it.codes.iter().map(|code| lang.code(*code)).collect::<Vec<_>>().join("; ")),
    ]
}

fn facts(case: &Case, lang: Lang) -> Vec<(&'static str, String)> {
    let w = lang.words();
    let document = &case.document;
    let mut file = document.file_name.clone();
    if let Some(extraction) = &case.extraction {
        file = format!("{file} ({})", lang.format(extraction.format));
    }
    let mut facts = vec![
        (w.case_id, case.id.to_string()),
        (w.received, lang.time(document.received_at)),
        (w.file, file),
        (w.size, lang.bytes(document.size_bytes)),
        (w.channel, document.channel.clone()),
        (w.digest, document.digest.to_string()),
        (w.revision, case.revision.to_string()),
    ];
    facts.extend(case.policy.map(|policy| (w.policy, policy.to_string())));
    facts.extend(case.due_date.map(|day| (w.due_by_contract, lang.day(day))));
    facts.extend(case.booked_as.clone().map(|reference| (w.booked_as, reference)));
    let clocks = case.keep.as_ref().and_then(|keep| keep.clocks);
    facts.extend(clocks.map(|clocks| (w.retain_until, lang.day(clocks.keep_until))));
    facts
}

/// The bytes as they arrived, never shown by the browser itself.
pub(crate) async fn original(
    State(app): State<Shared>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let (id, now) = (case_id(&id)?, now());
    let original = app.store.download(id, &person.actor, now).await?;
    let name = app.store.case(id).await?.document.file_name;
    let size = original.size();
    let pieces = stream::try_unfold((original, 0), async |(original, offset)| {
        let piece = original.piece(offset).await?;
        let next = offset + piece.len() as u64;
        Ok::<_, store::Error>((!piece.is_empty()).then_some((piece, (original, next))))
    });
    let mut response = (StatusCode::OK, Body::from_stream(pieces)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, attachment(&name));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    Ok(response)
}

/// The sender's name for the file: in letters that every browser knows, and in full by RFC 8187.
fn attachment(name: &str) -> HeaderValue {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-' | '_' | ' ');
    let ascii: String = base.chars().take(100).map(|ch| if plain(ch) { ch } else { '_' }).collect();
    let mut full = String::new();
    for byte in base.bytes().take(600) {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            full.push(char::from(byte));
        } else {
            full.push_str(&format!("%{byte:02X}"));
        }
    }
    let text = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{full}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

pub(crate) async fn picture(
    State(app): State<Shared>,
    person: Person,
    Path((id, page)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let n = page.strip_suffix(".png").and_then(|n| n.parse::<usize>().ok()).ok_or(Trouble::Gone)?;
    let png = app.store.picture(case_id(&id)?, n, &person.actor, now()).await?;
    Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_hostile_file_name_stays_a_file_name() {
        for (name, expected) in [
            ("a.pdf", "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
            (
                "Rechnung Müller.pdf",
                "attachment; filename=\"Rechnung M_ller.pdf\"; filename*=UTF-8''Rechnung%20M%C3%BCller.pdf",
            ),
            ("x\"; evil=\"y", "attachment; filename=\"x__ evil__y\"; filename*=UTF-8''x%22%3B%20evil%3D%22y"),
            (
                "a\r\nSet-Cookie: b",
                "attachment; filename=\"a__Set-Cookie_ b\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b",
            ),
            ("..\\..\\evil.exe", "attachment; filename=\"evil.exe\"; filename*=UTF-8''evil.exe"),
        ] {
            assert_eq!(attachment(name).to_str().unwrap(), expected, "{name}");
        }
    }
}
