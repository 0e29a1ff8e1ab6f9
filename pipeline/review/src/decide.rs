//! A decision: what the form says goes to the store as it is, and what is refused is said in plain words.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use case::{Case, Change, Decision, Digest, Event, FieldName, LineField, Refusal, Verdict};
use store::ApplyError;

use crate::case_page::{Shown, case_id, case_page};
use crate::page::{Notice, Trouble, roles};
use crate::session::Person;
use crate::words::Lang;
use crate::{Shared, now};

/// Fields of a correction are named `field:` and the name of the answer.
const FIELD_PREFIX: &str = "field:";

pub(crate) async fn decide(
    State(app): State<Shared>,
    person: Person,
    lang: Lang,
    Path(id): Path<String>,
    Form(pairs): Form<BTreeMap<String, String>>,
) -> Result<Response, Trouble> {
    let id = case_id(&id)?;
    let given = |name: &str| pairs.get(name).map(String::as_str);
    let revision: u64 = given("revision").and_then(|text| text.parse().ok()).ok_or(Trouble::Malformed)?;
    let seen: Digest = given("seen").and_then(|text| text.parse().ok()).ok_or(Trouble::Malformed)?;
    let reason = given("reason").unwrap_or_default().replace("\r\n", "\n");
    let fields =
        pairs.iter().filter_map(|(name, value)| Some((name.strip_prefix(FIELD_PREFIX)?.to_owned(), value.clone())));
    let typed: BTreeMap<String, String> = fields.collect();
    let word = given("verdict").unwrap_or_default();
    let verdict = match word {
        "approve" => Verdict::Approve,
        "reject" => Verdict::Reject,
        "release" => Verdict::Release,
        "correct" => Verdict::Correct(changes(&app.store.case(id).await?, &typed)),
        _ => return Err(Trouble::Malformed),
    };
    let at = now();
    let decision = Decision { by: person.actor.clone(), verdict, reason: reason.trim().to_owned(), seen, at };
    let refused = match app.store.apply(id, revision, Event::Decided(decision), &person.actor, at).await {
        Ok(_) => return Ok(Redirect::to(&format!("/cases/{id}?done={word}")).into_response()),
        Err(ApplyError::Store(err)) => return Err(err.into()),
        Err(refused) => refused,
    };
    let (status, text, stale) = said(&refused, lang);
    // What was typed against an older state of the case is not offered again: it was meant for other values.
    let typed = if stale { BTreeMap::new() } else { typed };
    let shown = Shown { notice: Some(Notice::bad(text)), editing: word == "correct" && !stale, reason, typed };
    let page = case_page(&app, &person, lang, id, shown).await?;
    Ok((status, page).into_response())
}

/// Only what differs from what was read. Runs of white space do not count: an input line cannot hold a line break.
fn changes(case: &Case, typed: &BTreeMap<String, String>) -> Vec<Change> {
    let Some(extraction) = &case.extraction else { return Vec::new() };
    let current = |name: &str| match FieldName::named(name) {
        Some(field) => extraction.text(field),
        None => {
            let (line, field) = name.strip_prefix("lines.")?.split_once('.')?;
            let line = extraction.lines.get(line.parse::<usize>().ok()?.checked_sub(1)?)?;
            line.get(&LineField::named(field)?).map(|field| field.value.as_str())
        }
    };
    let same =
        |name: &str, value: &str| value.split_whitespace().eq(current(name).unwrap_or_default().split_whitespace());
    let changed = typed.iter().filter(|(name, value)| !same(name, value));
    changed.map(|(name, value)| Change { field: name.clone(), value: value.clone() }).collect()
}

/// In plain words, with what to do; and whether it was about an older state of the case.
fn said(refused: &ApplyError, lang: Lang) -> (StatusCode, String, bool) {
    let w = lang.words();
    let refusal = match refused {
        ApplyError::Refused(refusal) => refusal,
        ApplyError::Conflict { .. } | ApplyError::FactsChanged => {
            return (StatusCode::CONFLICT, w.refused_conflict.to_owned(), true);
        }
        ApplyError::Store(_) => return (StatusCode::SERVICE_UNAVAILABLE, w.error_world.to_owned(), true),
    };
    let own = |text: &str| format!("{}: {text}", w.approve);
    match refusal {
        Refusal::Stale => (StatusCode::CONFLICT, w.refused_conflict.to_owned(), true),
        Refusal::NotNow { state, .. } => {
            (StatusCode::CONFLICT, format!("{} {}.", w.refused_not_now, lang.state(*state)), true)
        }
        Refusal::Denied(denied) => {
            (StatusCode::FORBIDDEN, format!("{} {}.", w.refused_denied, roles(lang, &denied.needs)), false)
        }
        Refusal::Touched => (StatusCode::FORBIDDEN, own(w.touched), false),
        Refusal::Informed => (StatusCode::FORBIDDEN, own(w.informed), false),
        Refusal::Booked => (StatusCode::CONFLICT, format!("{}, {}: {}", w.correct, w.reject, w.booked), false),
        Refusal::NothingToApprove { .. } => (StatusCode::FORBIDDEN, w.refused_nothing_open.to_owned(), false),
        Refusal::Stopped { code } => {
            (StatusCode::UNPROCESSABLE_ENTITY, own(&format!("{} {}.", w.stopped, lang.code(*code))), false)
        }
        Refusal::ReasonMissing => (StatusCode::UNPROCESSABLE_ENTITY, w.refused_reason.to_owned(), false),
        Refusal::ReasonTooLong { chars, max } => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("{} {chars} / {max}.", w.refused_reason_long), false)
        }
        Refusal::NoSuchField { field } => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("{} {field}.", w.refused_field), false)
        }
        Refusal::NothingCorrected => (StatusCode::UNPROCESSABLE_ENTITY, w.refused_nothing.to_owned(), false),
        // About holds and erasing, which nobody asks for on a page.
        other => (StatusCode::CONFLICT, other.to_string(), false),
    }
}
