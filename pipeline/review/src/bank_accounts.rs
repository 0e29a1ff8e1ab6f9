//! The accounts of vendors that wait for their second person, and that person's word.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use case::{Account, Actor, CallBack, Deed, Digest, PayeeDeed, PayeeRefusal, may_confirm, permit};
use serde::Deserialize;
use store::{AccountWaiting, PayeeError};

use crate::page::{Frame, Notice, People, Trouble, html, roles};
use crate::session::Person;
use crate::words::Lang;
use crate::{App, Shared, now};

const ACCOUNTS_A_PAGE: usize = 20;
const PAGES_MAX: usize = 1_000;
/// Accounts are no cases, so an auditor's scope does not limit them: they are shown to whoever may do something about them, and
/// whoever may confirm one may bring one in.
pub(crate) const SHOWN_TO: Deed = Deed::ProposePayee;

#[derive(Template)]
#[template(path = "bank_accounts.html")]
struct BankAccountsPage {
    frame: Frame,
    waiting: Vec<Waiting>,
    page: usize,
    pages: usize,
    today: String,
}

/// An account as the page shows it.
struct Waiting {
    /// What the form sends back, as it is known.
    vendor_id: String,
    iban: String,
    seen: String,
    title: String,
    facts: Vec<(&'static str, String)>,
    /// Why this person may not confirm it; none: they may.
    why_not: Option<String>,
    may_close: bool,
    typed: Typed,
    /// Something was refused: the form stays open.
    open: bool,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    page: Option<String>,
    done: Option<String>,
}

impl Asked {
    fn page(&self) -> usize {
        self.page.as_deref().and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, PAGES_MAX)
    }
}

/// What somebody wrote of the call.
#[derive(Clone, Debug, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    called: String,
    #[serde(default)]
    spoke_with: String,
    #[serde(default)]
    answer: String,
    /// Today, where nothing is said.
    #[serde(default)]
    on: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Given {
    deed: String,
    vendor: String,
    iban: String,
    seen: String,
    #[serde(flatten)]
    typed: Typed,
}

pub(crate) async fn show(
    State(app): State<Shared>,
    person: Person,
    lang: Lang,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    app.store.authorize(&person.actor, SHOWN_TO, now()).await?;
    let notice = asked.done.as_deref().and_then(|done| match done {
        "confirm" => Some(Notice::good(lang.words().payee_confirmed)),
        "close" => Some(Notice::good(lang.words().payee_refused)),
        _ => None,
    });
    bank_accounts_page(&app, &person, lang, asked.page(), notice, None).await
}

pub(crate) async fn decide(
    State(app): State<Shared>,
    person: Person,
    lang: Lang,
    Query(asked): Query<Asked>,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    let at = now();
    // What is refused is said on the page.
    app.store.authorize(&person.actor, SHOWN_TO, at).await?;
    let seen: Digest = given.seen.parse().map_err(|_| Trouble::Malformed)?;
    let typed = &given.typed;
    let on = if typed.on.is_empty() { at.date() } else { typed.on.parse().map_err(|_| Trouble::Malformed)? };
    let deed = match given.deed.as_str() {
        "confirm" => {
            let trimmed = |text: &str| text.trim().to_owned();
            let (number, spoke_with) = (trimmed(&typed.called), trimmed(&typed.spoke_with));
            PayeeDeed::Confirm { call: CallBack { number, spoke_with, answer: trimmed(&typed.answer), on } }
        }
        "close" => PayeeDeed::Close,
        _ => return Err(Trouble::Malformed),
    };
    let done = app.store.payee(&given.vendor, &given.iban, deed, Some(seen), &person.actor, at).await;
    let refusal = match done {
        Ok(_) => return Ok(Redirect::to(&format!("/bank-accounts?done={}", given.deed)).into_response()),
        // Between looking it up and writing it.
        Err(PayeeError::Store(store::Error::Unacceptable { .. })) => PayeeRefusal::Stale,
        Err(PayeeError::Store(err)) => return Err(err.into()),
        Err(PayeeError::Refused(refusal)) => refusal,
    };
    let (status, text) = said(&refusal, lang);
    let page = bank_accounts_page(&app, &person, lang, asked.page(), Some(Notice::bad(text)), Some(given)).await?;
    Ok((status, page).into_response())
}

async fn bank_accounts_page(
    app: &App,
    person: &Person,
    lang: Lang,
    page: usize,
    notice: Option<Notice>,
    refused: Option<Given>,
) -> Result<Response, Trouble> {
    let people = People::of(app).await?;
    let here = "/bank-accounts";
    let mut frame = Frame::new(app, lang, lang.words().bank_accounts, here).of(app, &person.actor, &people).await?;
    frame.notice = notice;
    let n_waiting = usize::try_from(app.store.n_accounts_waiting().await?).unwrap_or(usize::MAX);
    let pages = n_waiting.div_ceil(ACCOUNTS_A_PAGE).clamp(1, PAGES_MAX);
    // The last of a page may just have been decided.
    let page = page.min(pages);
    if 1 < page {
        frame.here = format!("{here}?page={page}");
    }
    let found = app.store.accounts_waiting((page - 1) * ACCOUNTS_A_PAGE, ACCOUNTS_A_PAGE).await?;
    let waiting = found.iter().map(|it| {
        // What was typed about an account that is otherwise by now is not offered again.
        let refused = refused.as_ref().filter(|given| given.seen == it.content().to_string());
        Waiting::of(it, &person.actor, lang, &people, refused)
    });
    let waiting = waiting.collect();
    Ok(html(&BankAccountsPage { frame, waiting, page, pages, today: now().date().to_string() }))
}

impl Waiting {
    fn of(it: &AccountWaiting, actor: &Actor, lang: Lang, people: &People, refused: Option<&Given>) -> Waiting {
        let AccountWaiting { account, vendor, .. } = it;
        let id = &account.vendor_id;
        Waiting {
            vendor_id: id.clone(),
            iban: account.iban.clone(),
            seen: it.content().to_string(),
            title: vendor.as_ref().map_or_else(|| id.clone(), |name| format!("{name} ({id})")),
            facts: facts(it, lang, people),
            why_not: may_confirm(account, actor).err().map(|refusal| said(&refusal, lang).1),
            may_close: permit(actor, Deed::ProposePayee).is_ok(),
            typed: refused.map(|given| given.typed.clone()).unwrap_or_default(),
            open: refused.is_some(),
        }
    }
}

fn facts(it: &AccountWaiting, lang: Lang, people: &People) -> Vec<(&'static str, String)> {
    let AccountWaiting { account, valid_from, before, .. } = it;
    let w = lang.words();
    let mut facts = vec![("IBAN", in_fours(&account.iban))];
    facts.extend(account.bic.as_ref().map(|bic| ("BIC", bic.clone())));
    facts.push((w.payee_valid_from, valid_from.map_or_else(|| w.payee_from_then.to_owned(), |day| lang.day(day))));
    facts.push((w.payee_maker, people.name(&account.maker)));
    facts.extend(account.proposed_on.map(|day| (w.payee_since, lang.day(day))));
    let bank = account.payee_check.as_ref().map_or_else(
        || w.payee_not_asked.to_owned(),
        |it| format!("{} · {} · {}", lang.payee_match(it.result), lang.day(it.on), people.name(&it.by)),
    );
    facts.push((w.payee_bank_said, bank));
    let earlier = before.as_ref().map_or_else(|| w.payee_none_before.to_owned(), |before| earlier(before, lang));
    facts.push((w.payee_before, earlier));
    facts
}

/// The account that the vendor was paid to before, and from when until when.
fn earlier(account: &Account, lang: Lang) -> String {
    let days = [account.approved_from, account.approved_to].map(|day| day.map(|day| lang.day(day)).unwrap_or_default());
    let [from, to] = days;
    format!("{} · {from} – {to}", in_fours(&account.iban)).trim_end().to_owned()
}

/// As it is printed, which eyes compare more easily.
fn in_fours(iban: &str) -> String {
    let chars: Vec<char> = iban.chars().collect();
    chars.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// A refusal in plain words, with what to do.
fn said(refusal: &PayeeRefusal, lang: Lang) -> (StatusCode, String) {
    let w = lang.words();
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    match refusal {
        PayeeRefusal::Denied(denied) => {
            (StatusCode::FORBIDDEN, format!("{} {}.", w.payee_denied, roles(lang, &denied.needs)))
        }
        PayeeRefusal::Maker => (StatusCode::FORBIDDEN, w.payee_own.to_owned()),
        PayeeRefusal::NoCall { .. } => (unprocessable, w.payee_no_call.to_owned()),
        PayeeRefusal::CallAhead { on } => (unprocessable, format!("{} {}.", w.payee_call_ahead, lang.day(*on))),
        PayeeRefusal::CallBefore { on, since } => {
            (unprocessable, format!("{} {} / {}.", w.payee_call_before, lang.day(*on), lang.day(*since)))
        }
        PayeeRefusal::TooLong { chars, max, .. } => (unprocessable, format!("{} {chars} / {max}.", w.payee_too_long)),
        PayeeRefusal::Stale
        | PayeeRefusal::Unknown
        | PayeeRefusal::Approved { .. }
        | PayeeRefusal::Waiting
        | PayeeRefusal::Closed => (StatusCode::CONFLICT, w.payee_stale.to_owned()),
        // About bringing accounts in, which nobody does on a page.
        PayeeRefusal::Better | PayeeRefusal::NoIban | PayeeRefusal::NoBic { .. } => {
            (StatusCode::CONFLICT, refusal.to_string())
        }
    }
}
