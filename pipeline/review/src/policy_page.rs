//! The policy in force, and those that one person proposed and another one must let through.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use case::{Actor, Deed, Proposal, ProposalRefusal};
use serde::Deserialize;
use store::{Policies, Proposed};

use crate::page::{Done, Frame, Notice, People, Trouble, html, roles};
use crate::session::Person;
use crate::words::Lang;
use crate::{App, Shared, now};

#[derive(Template)]
#[template(path = "policy.html")]
struct PolicyPage {
    frame: Frame,
    in_force: Vec<(&'static str, String)>,
    /// What a proposal was compared with.
    over: String,
    proposals: Vec<Waiting>,
}

/// A proposal as the page shows it.
struct Waiting {
    digest: String,
    facts: Vec<(&'static str, String)>,
    looser: Vec<String>,
    /// Why this person may not approve it; none: they may.
    why_not: Option<String>,
}

pub(crate) async fn show(
    State(app): State<Shared>,
    person: Person,
    lang: Lang,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Trouble> {
    app.store.authorize(&person.actor, Deed::TryPolicy, now()).await?;
    let notice = done.map(|_| Notice::good(lang.words().policy_approved));
    policy_page(&app, &person, lang, notice).await
}

#[derive(Debug, Deserialize)]
pub(crate) struct Given {
    digest: String,
    /// The digest of the policy in force that it was compared with on the page.
    over: String,
}

pub(crate) async fn approve(
    State(app): State<Shared>,
    person: Person,
    lang: Lang,
    Form(Given { digest, over }): Form<Given>,
) -> Result<Response, Trouble> {
    let at = now();
    app.store.authorize(&person.actor, Deed::TryPolicy, at).await?;
    let refusal = match app.store.approve_policy(&digest, Some(&over), &person.actor, at).await {
        Ok(()) => return Ok(Redirect::to("/policy?done=approved").into_response()),
        Err(store::Error::Proposal(refusal)) => refusal,
        Err(store::Error::Denied(denied)) => ProposalRefusal::Denied(denied),
        Err(err) => return Err(err.into()),
    };
    let (status, text) = said(&refusal, lang);
    let page = policy_page(&app, &person, lang, Some(Notice::bad(text))).await?;
    Ok((status, page).into_response())
}

async fn policy_page(app: &App, person: &Person, lang: Lang, notice: Option<Notice>) -> Result<Response, Trouble> {
    let people = People::of(app).await?;
    let mut frame = Frame::new(app, lang, lang.words().policy, "/policy").of(app, &person.actor, &people).await?;
    frame.notice = notice;
    let policies = app.store.policies().await?;
    let proposals = policies.proposed.iter().map(|it| Waiting::of(it, &person.actor, lang, &people)).collect();
    let over = policies.in_force.as_ref().map(|it| it.digest.clone()).unwrap_or_default();
    Ok(html(&PolicyPage { frame, in_force: in_force(&policies, lang, &people), over, proposals }))
}

fn in_force(policies: &Policies, lang: Lang, people: &People) -> Vec<(&'static str, String)> {
    let w = lang.words();
    let Some(policy) = &policies.in_force else { return Vec::new() };
    let mut facts = vec![(w.policy_digest, policy.digest.clone()), (w.policy_since, lang.time(policy.since))];
    let by = vouching(&policy.by, lang, people);
    if by.is_empty() {
        facts.push((w.policy_by, w.policy_by_itself.to_owned()));
    }
    facts.extend(by);
    facts
}

fn vouching(by: &Proposal, lang: Lang, people: &People) -> Vec<(&'static str, String)> {
    let w = lang.words();
    let proposed = by.proposed_by.as_ref().map(|id| (w.policy_proposed_by, people.name(id)));
    let approved = by.approved_by.as_ref().map(|id| (w.approved_by, people.name(id)));
    proposed.into_iter().chain(approved).collect()
}

impl Waiting {
    fn of(it: &Proposed, actor: &Actor, lang: Lang, people: &People) -> Waiting {
        let mut facts = vec![(lang.words().policy_digest, it.digest.clone())];
        facts.extend(vouching(&it.by, lang, people));
        Waiting {
            digest: it.digest.clone(),
            facts,
            looser: it.looser.clone(),
            why_not: it.by.may_approve(actor).err().map(|refusal| said(&refusal, lang).1),
        }
    }
}

/// A refusal in plain words, with what to do.
fn said(refusal: &ProposalRefusal, lang: Lang) -> (StatusCode, String) {
    let w = lang.words();
    match refusal {
        ProposalRefusal::Denied(denied) => {
            (StatusCode::FORBIDDEN, format!("{} {}.", w.policy_denied, roles(lang, &denied.needs)))
        }
        ProposalRefusal::Level { level } => (StatusCode::FORBIDDEN, format!("{} {level}.", w.policy_level)),
        ProposalRefusal::Maker => (StatusCode::FORBIDDEN, w.policy_own.to_owned()),
        ProposalRefusal::Approved => (StatusCode::CONFLICT, w.policy_approved_already.to_owned()),
        ProposalRefusal::NotProposed | ProposalRefusal::Stale => (StatusCode::CONFLICT, w.policy_stale.to_owned()),
    }
}
