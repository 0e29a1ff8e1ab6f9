//! What every page has: its frame, its notice, and what is said when something is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use case::{Actor, Deed, permit};
use serde::Deserialize;

use crate::words::{Lang, Words};
use crate::{App, Shared};

/// What stands around the content of a page.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) w: &'static Words,
    pub(crate) lang: Lang,
    pub(crate) desk: String,
    pub(crate) title: String,
    /// Name and roles of whoever is signed in.
    pub(crate) who: Option<(String, String)>,
    pub(crate) links: Vec<Link>,
    /// Where the language switch leads back to.
    pub(crate) here: String,
    pub(crate) notice: Option<Notice>,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) href: String,
    pub(crate) text: String,
    pub(crate) current: bool,
    /// So many wait there for a second person.
    pub(crate) n_waiting: u64,
}

/// One sentence at the top of a page: what was done, or what was refused and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) good: bool,
    pub(crate) text: String,
}

impl Notice {
    pub(crate) fn good(text: &str) -> Notice {
        Notice { good: true, text: text.to_owned() }
    }

    pub(crate) fn bad(text: impl Into<String>) -> Notice {
        Notice { good: false, text: text.into() }
    }
}

/// Of the address to which a form leads back: what was done.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {
    pub(crate) done: Option<String>,
}

impl Frame {
    pub(crate) fn new(app: &App, lang: Lang, title: impl Into<String>, here: impl Into<String>) -> Frame {
        Frame {
            w: lang.words(),
            lang,
            desk: app.title.clone(),
            title: title.into(),
            who: None,
            links: Vec::new(),
            here: here.into(),
            notice: None,
        }
    }

    /// The frame of somebody who is signed in: only the ways that are open to them, and what waits there.
    pub(crate) async fn of(mut self, app: &App, actor: &Actor, people: &People) -> Result<Frame, Trouble> {
        let roles = actor.roles.iter().map(|role| self.lang.role(*role)).collect::<Vec<_>>().join(", ");
        self.who = Some((people.name(&actor.id), roles));
        for (deed, href, text) in [
            (Deed::ViewCase, "/", self.w.queue),
            (crate::bank_accounts::SHOWN_TO, "/bank-accounts", self.w.bank_accounts),
            (Deed::TryPolicy, "/policy", self.w.policy),
            (Deed::ReadLog, "/log", self.w.log),
            (Deed::ManageAccounts, "/accounts", self.w.accounts),
        ] {
            if permit(actor, deed).is_err() {
                continue;
            }
            let n_waiting = match href {
                "/bank-accounts" => app.store.n_accounts_waiting().await?,
                "/policy" => app.store.n_policies_waiting().await?,
                _ => 0,
            };
            let current = self.here == href;
            self.links.push(Link { href: href.to_owned(), text: text.to_owned(), current, n_waiting });
        }
        Ok(self)
    }
}

/// The names behind the pseudonyms of the log.
#[derive(Debug, Default)]
pub(crate) struct People(BTreeMap<String, String>);

impl People {
    pub(crate) async fn of(app: &App) -> Result<People, Trouble> {
        let accounts = app.store.accounts().await?;
        Ok(People(accounts.into_iter().map(|account| (account.id, account.name)).collect()))
    }

    pub(crate) fn name(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }
}

pub(crate) fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(err) => {
            tracing::error!("a page could not be written: {err}");
            Trouble::Broken.into_response()
        }
    }
}

/// Why there is no page. [`dress`] says it in the visitor's language.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    Gone,
    Denied {
        needs: String,
    },
    /// A form that this desk did not make.
    Malformed,
    /// Sent by a page of another site.
    Foreign,
    /// Sent to a name that is not ours.
    Misdirected,
    /// The database, the vault or the program; the log of the program says which.
    Broken,
}

impl From<store::Error> for Trouble {
    fn from(err: store::Error) -> Trouble {
        match err {
            store::Error::Denied(denied) => Trouble::Denied { needs: denied.needs },
            store::Error::NoSuchCase { .. } | store::Error::NoSuch { .. } => Trouble::Gone,
            err => {
                tracing::error!("{}", store::causes(&err));
                Trouble::Broken
            }
        }
    }
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Trouble::Gone => StatusCode::NOT_FOUND,
            Trouble::Denied { .. } | Trouble::Foreign => StatusCode::FORBIDDEN,
            Trouble::Malformed => StatusCode::BAD_REQUEST,
            Trouble::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Trouble::Broken => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage {
    frame: Frame,
    text: String,
}

/// Turns a [`Trouble`] into a page in the visitor's language.
pub(crate) async fn dress(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let lang = Lang::of(request.headers());
    let mut response = next.run(request).await;
    let Some(trouble) = response.extensions_mut().remove::<Arc<Trouble>>() else { return response };
    let frame = Frame::new(&app, lang, lang.words().error, "/");
    let text = match &*trouble {
        Trouble::Gone => frame.w.error_gone.to_owned(),
        Trouble::Denied { needs } => format!("{} {}", frame.w.error_denied, roles(lang, needs)),
        Trouble::Malformed | Trouble::Foreign | Trouble::Misdirected => frame.w.refused_form.to_owned(),
        Trouble::Broken => frame.w.error_world.to_owned(),
    };
    let mut page = html(&TroublePage { frame, text });
    *page.status_mut() = response.status();
    page
}

/// The roles of a [`case::Denied`], in the language of the page.
pub(crate) fn roles(lang: Lang, needs: &str) -> String {
    let named = |name: &str| case::Role::named(name).map_or(name.to_owned(), |role| lang.role(role).to_owned());
    needs.split(" or ").map(named).collect::<Vec<_>>().join(" / ")
}

pub(crate) async fn nowhere() -> Trouble {
    Trouble::Gone
}

pub(crate) async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("../static/desk.css"))
}

pub(crate) async fn script() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("../static/desk.js"))
}

pub(crate) async fn mark() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("../static/desk.svg"))
}

fn asset(kind: &'static str, text: &'static str) -> (HeaderMap, &'static str) {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=300"));
    (headers, text)
}
