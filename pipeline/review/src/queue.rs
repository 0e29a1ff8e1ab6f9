//! What waits, whose it is, and every other case by its state.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use case::{Actor, Case, CaseId, Code, Deed, FieldName, Kind, Scope, State as CaseState, Timestamp, permit};
use serde::Deserialize;
use store::{CaseRow, Counts, Listing, Rank};

use crate::case_page::may_approve;
use crate::page::{Frame, Notice, People, Trouble, html};
use crate::session::Person;
use crate::words::Lang;
use crate::{App, Shared, now};

const ROWS_A_PAGE: usize = 50;
/// A search that finds more says too little.
const FOUND_MAX: u32 = 50;
/// So many sealed cases of a waiting state are opened to see whose they are; the rest keep the order of their due time.
const OPENED_MAX: u32 = 200;
/// What a list says of one case at most.
const TITLES_MAX: usize = 4;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// `waiting`, `all`, or the name of a state.
    view: Option<String>,
    kind: Option<String>,
    find: Option<String>,
    page: Option<String>,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    frame: Frame,
    tabs: Vec<Tab>,
    kinds: Vec<(&'static str, &'static str, bool)>,
    view: &'static str,
    find: String,
    groups: Vec<Group>,
    empty: Option<&'static str>,
    /// There are more waiting cases than were opened to see whose they are.
    cut: bool,
    previous: Option<String>,
    next: Option<String>,
}

struct Tab {
    href: String,
    text: &'static str,
    n: u64,
    current: bool,
    overdue: u64,
}

struct Group {
    title: Option<&'static str>,
    rows: Vec<Line>,
    /// Said instead of rows.
    none: Option<&'static str>,
}

struct Line {
    href: String,
    /// The end of the id, which finds the case.
    tail: String,
    received: String,
    kind: &'static str,
    party: String,
    number: String,
    amount: String,
    why: Vec<String>,
    due: Option<(String, bool)>,
    state: &'static str,
    state_name: &'static str,
}

/// Which cases are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Waiting,
    All,
    In(CaseState),
}

impl View {
    fn name(self) -> &'static str {
        match self {
            View::Waiting => "waiting",
            View::All => "all",
            View::In(state) => state.name(),
        }
    }

    fn named(text: &str) -> Option<View> {
        match text {
            "waiting" => Some(View::Waiting),
            "all" => Some(View::All),
            state => CaseState::named(state).map(View::In),
        }
    }
}

/// A case as a list shows it; `None` when it cannot be opened.
type Opened = (CaseRow, Option<Case>);

pub(crate) async fn show(
    State(app): State<Shared>,
    person: Person,
    lang: Lang,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    if permit(&person.actor, Deed::ViewCase).is_err() && permit(&person.actor, Deed::ManageAccounts).is_ok() {
        return Ok(Redirect::to("/accounts").into_response());
    }
    let now = now();
    let within = app.store.authorize_within(&person.actor, Deed::ViewCase, now).await?;
    let w = lang.words();
    let find = asked.find.unwrap_or_default().trim().to_owned();
    let mut notice = None;
    let mut found = Vec::new();
    if !find.is_empty() {
        found = app.store.search(&find, &person.actor, now, FOUND_MAX).await?;
        match found.as_slice() {
            [id] => return Ok(Redirect::to(&format!("/cases/{id}")).into_response()),
            [] => match app.store.find(&find).await {
                Ok(id) => return Ok(Redirect::to(&format!("/cases/{id}")).into_response()),
                Err(
                    store::Error::Ambiguous { .. }
                    | store::Error::NoSuchCase { .. }
                    | store::Error::Unacceptable { .. },
                ) => notice = Some(Notice::bad(w.find_none)),
                Err(err) => return Err(err.into()),
            },
            _ => {}
        }
    }
    let view = asked.view.as_deref().and_then(View::named).unwrap_or(View::Waiting);
    let kind = asked.kind.as_deref().and_then(|name| Kind::ALL.into_iter().find(|kind| kind.name() == name));
    let page = asked.page.and_then(|page| page.parse::<usize>().ok()).unwrap_or(1).clamp(1, 10_000);
    let skip = (page - 1) * ROWS_A_PAGE;

    let link = |page: usize| {
        let kind = kind.map(|kind| format!("&kind={}", kind.name())).unwrap_or_default();
        format!("/?view={}{kind}&page={page}", view.name())
    };
    let line = |opened: &Opened| Line::of(opened, lang, now);
    let (groups, cut, more) = if !found.is_empty() {
        let rows: Vec<Line> = open(&app, app.store.rows_of(&found).await?).await.iter().map(line).collect();
        (vec![Group { title: Some(w.find_many), rows, none: None }], false, false)
    } else if view == View::Waiting {
        let waiting = waiting(&app, &person.actor, kind, within).await?;
        let more = skip + ROWS_A_PAGE < waiting.mine.len() + waiting.others.len();
        let n_mine = waiting.mine.len();
        let mine: Vec<Line> = waiting.mine.iter().skip(skip).take(ROWS_A_PAGE).map(line).collect();
        let room = ROWS_A_PAGE - mine.len();
        let others: Vec<Line> = waiting.others.iter().skip(skip.saturating_sub(n_mine)).take(room).map(line).collect();
        let mut groups = Vec::new();
        if !mine.is_empty() || (n_mine == 0 && !others.is_empty()) {
            let none = mine.is_empty().then_some(w.nothing_for_you);
            groups.push(Group { title: Some(w.for_you), rows: mine, none });
        }
        if !others.is_empty() {
            groups.push(Group { title: Some(w.for_others), rows: others, none: None });
        }
        (groups, waiting.cut, more)
    } else {
        let state = if let View::In(state) = view { Some(state) } else { None };
        let order = if state == Some(CaseState::InReview) { Rank::Due } else { Rank::Newest };
        let mut rows = list(&app, state, kind, order, within, skip, ROWS_A_PAGE + 1).await?;
        let more = ROWS_A_PAGE < rows.len();
        rows.truncate(ROWS_A_PAGE);
        let rows: Vec<Line> = open(&app, rows).await.iter().map(line).collect();
        (if rows.is_empty() { Vec::new() } else { vec![Group { title: None, rows, none: None }] }, false, more)
    };
    let nothing = if view == View::Waiting && kind.is_none() { w.nothing_waits } else { w.nothing_here };
    let counts = app.store.counts(now).await?;
    let mut frame = Frame::new(&app, lang, w.queue, "/").of(&app, &person.actor, &People::of(&app).await?).await?;
    frame.here = link(page);
    frame.notice = notice;
    Ok(html(&QueuePage {
        frame,
        tabs: tabs(&counts, view, lang),
        kinds: Kind::ALL.map(|it| (it.name(), lang.kind(it), Some(it) == kind)).to_vec(),
        view: view.name(),
        find,
        empty: groups.is_empty().then_some(nothing),
        groups,
        cut,
        previous: (1 < page).then(|| link(page - 1)),
        next: more.then(|| link(page + 1)),
    }))
}

fn tabs(counts: &Counts, view: View, lang: Lang) -> Vec<Tab> {
    let w = lang.words();
    let waiting = counts.of(CaseState::InReview) + counts.of(CaseState::Quarantined);
    let all = CaseState::ALL.into_iter().map(|state| counts.of(state)).sum();
    let tab = |it: View, text: &'static str, n: u64| Tab {
        href: format!("/?view={}", it.name()),
        text,
        n,
        current: it == view,
        overdue: if it == View::Waiting { counts.overdue } else { 0 },
    };
    let mut tabs = vec![tab(View::Waiting, w.waiting, waiting)];
    for state in CaseState::ALL {
        // A machine moves these on within moments; they are worth a place while there are some.
        let passing =
            matches!(state, CaseState::Received | CaseState::Extracted | CaseState::Validated | CaseState::Posted);
        if !passing || 0 < counts.of(state) || view == View::In(state) {
            tabs.push(tab(View::In(state), lang.state(state), counts.of(state)));
        }
    }
    tabs.push(tab(View::All, w.all, all));
    tabs
}

/// What waits for people, the most urgent first.
struct Waiting {
    mine: Vec<Opened>,
    others: Vec<Opened>,
    cut: bool,
}

async fn waiting(app: &App, actor: &Actor, kind: Option<Kind>, within: Option<Scope>) -> Result<Waiting, Trouble> {
    let max = OPENED_MAX as usize;
    let mut rows = list(app, Some(CaseState::InReview), kind, Rank::Due, within, 0, max + 1).await?;
    let quarantined = list(app, Some(CaseState::Quarantined), kind, Rank::Oldest, within, 0, max + 1).await?;
    let cut = max < rows.len() || max < quarantined.len();
    rows.truncate(max);
    rows.extend(quarantined.into_iter().take(max));
    let (mine, others) =
        open(app, rows).await.into_iter().partition(|(_, case)| case.as_ref().is_some_and(|case| is_for(case, actor)));
    Ok(Waiting { mine, others, cut })
}

/// Does this case wait for this person?
fn is_for(case: &Case, actor: &Actor) -> bool {
    match case.state {
        CaseState::Quarantined => permit(actor, Deed::Release).is_ok(),
        // What nobody can approve still waits for those who could have, to correct or to reject it.
        _ => {
            may_approve(case, actor).is_ok()
                || (case.stopped().is_some() && case.checkpoints.iter().any(|it| it.open_to(actor)))
        }
    }
}

async fn list(
    app: &App,
    state: Option<CaseState>,
    kind: Option<Kind>,
    order: Rank,
    within: Option<Scope>,
    skip: usize,
    max: usize,
) -> Result<Vec<CaseRow>, Trouble> {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let Some(kind) = kind else {
        return Ok(app.store.list(Listing { state, order, rows_max: number(max), skip: number(skip), within }).await?);
    };
    let rows = app.store.list(Listing { state, order, rows_max: Listing::ROWS_MAX, skip: 0, within }).await?;
    Ok(rows.into_iter().filter(|row| row.kind == kind).skip(skip).take(max).collect())
}

/// Opens the cases of a list. One that cannot be opened is still a line: it must not hide, nor hide the others.
async fn open(app: &App, rows: Vec<CaseRow>) -> Vec<Opened> {
    let mut opened = Vec::with_capacity(rows.len());
    for row in rows {
        let case = app
            .store
            .case(row.case)
            .await
            .inspect_err(|err| tracing::error!("case `{}` cannot be opened: {err}", row.case))
            .ok();
        opened.push((row, case));
    }
    opened
}

impl Line {
    fn of((row, case): &Opened, lang: Lang, now: Timestamp) -> Line {
        let gist = case.as_ref().map_or_else(Gist::default, |case| Gist::of(case, lang));
        let id = row.case.to_string();
        let mut why =
            case.as_ref().map_or_else(|| vec![lang.words().cannot_open.to_owned()], |case| titles(case, lang));
        why.truncate(TITLES_MAX);
        Line {
            href: format!("/cases/{id}"),
            tail: tail(&id),
            received: lang.time(row.received_at),
            kind: lang.kind(row.kind),
            party: gist.party,
            number: gist.number,
            amount: gist.amount,
            why,
            due: row.due_at.map(|due| (lang.time(due), due < now)),
            state: lang.state(row.state),
            state_name: row.state.name(),
        }
    }
}

pub(crate) fn tail(id: &str) -> String {
    id.get(id.len().saturating_sub(6)..).unwrap_or(id).to_owned()
}

/// A document in three words: whose, which, how much.
#[derive(Debug, Default)]
pub(crate) struct Gist {
    pub(crate) party: String,
    pub(crate) number: String,
    pub(crate) amount: String,
}

impl Gist {
    pub(crate) fn of(case: &Case, lang: Lang) -> Gist {
        let Some(extraction) = &case.extraction else {
            return Gist { party: case.document.file_name.clone(), ..Gist::default() };
        };
        let text = |name: FieldName| extraction.text(name);
        let parties =
            extraction.fields.parties.iter().take(3).map(|party| party.value.as_str()).collect::<Vec<_>>().join(" · ");
        let party = text(FieldName::SellerName).map_or(parties, str::to_owned);
        let number = text(FieldName::Number).or(text(FieldName::Title)).unwrap_or_default().to_owned();
        let amount = text(FieldName::GrossTotal).or(text(FieldName::Payable)).or(text(FieldName::Value));
        let amount = amount.map_or_else(String::new, |amount| {
            let currency = text(FieldName::Currency).unwrap_or_default();
            format!("{} {currency}", lang.amount_text(amount)).trim_end().to_owned()
        });
        let party = if party.is_empty() { case.document.file_name.clone() } else { party };
        Gist { party, number, amount }
    }
}

/// The titles of what holds a case, the weightiest first, each once.
fn titles(case: &Case, lang: Lang) -> Vec<String> {
    if case.state == CaseState::Quarantined {
        return vec![lang.words().quarantined.to_owned()];
    }
    let mut codes: Vec<Code> = case.findings.iter().map(|finding| finding.code).collect();
    codes.retain(|code| case.checkpoints.iter().any(|it| it.codes.contains(code)));
    codes.sort_by_key(|code| std::cmp::Reverse(code.severity()));
    let mut titles: Vec<String> = codes.into_iter().map(|code| lang.code(code).to_owned()).collect();
    if titles.is_empty() {
        // Nothing was found: the policy holds every document of its kind or size, and calls the checkpoint by why.
        titles.extend(case.checkpoints.iter().map(|it| it.title.clone()));
    }
    titles.dedup();
    titles
}

#[derive(Debug, Deserialize)]
pub(crate) struct After {
    after: Option<CaseId>,
}

/// The case that comes after this one among those that wait for this person; the queue when there is none.
pub(crate) async fn next(
    State(app): State<Shared>,
    person: Person,
    Query(asked): Query<After>,
) -> Result<Response, Trouble> {
    let within = app.store.authorize_within(&person.actor, Deed::ViewCase, now()).await?;
    let mine: Vec<CaseId> =
        waiting(&app, &person.actor, None, within).await?.mine.into_iter().map(|(row, _)| row.case).collect();
    let place = mine.iter().position(|id| Some(*id) == asked.after);
    let next = place.and_then(|place| mine.get(place + 1)).or_else(|| mine.iter().find(|id| Some(**id) != asked.after));
    let target = next.map_or_else(|| "/".to_owned(), |id| format!("/cases/{id}"));
    Ok(Redirect::to(&target).into_response())
}
