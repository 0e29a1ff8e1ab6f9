#![doc = include_str!("../README.md")]

mod accounts;
mod bank_accounts;
mod case_page;
mod decide;
mod doors;
mod figures;
mod findings;
mod health;
mod history;
mod log_page;
mod page;
mod policy_page;
mod queue;
mod session;
mod sign_in;
mod values;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use axum::routing::{get, post};
use store::{Quorum, Store};

/// What the pages need.
#[derive(Clone, Debug)]
pub struct Desk {
    pub store: Store,
    /// What the pages are called, in front of everything.
    pub title: String,
    /// The address under which people reach the pages, if it is not this machine's own. With `https` the cookies are
    /// `Secure`; its host is accepted beside the names of this machine.
    pub base_url: Option<Uri>,
    /// Who witnesses the log, for machines that watch whether they do; nobody by default.
    pub quorum: Quorum,
}

/// What every handler shares.
#[derive(Debug)]
struct App {
    store: Store,
    title: String,
    base_url: Option<Uri>,
    quorum: Quorum,
    meters: health::Meters,
}

type Shared = Arc<App>;

/// All pages, behind their guards. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that the
/// log can commit to the address of whoever signs in.
pub fn router(desk: Desk) -> Router {
    let Desk { store, title, base_url, quorum } = desk;
    let app = Arc::new(App { store, title, base_url, quorum, meters: health::Meters::default() });
    let pages = Router::new()
        .route("/", get(queue::show))
        .route("/next", get(queue::next))
        .route("/cases/{id}", get(case_page::show))
        .route("/cases/{id}/correct", get(case_page::show_form))
        .route("/cases/{id}/decide", post(decide::decide))
        .route("/cases/{id}/original", get(case_page::original))
        .route("/cases/{id}/pages/{page}", get(case_page::picture))
        .route("/bank-accounts", get(bank_accounts::show).post(bank_accounts::decide))
        .route("/policy", get(policy_page::show).post(policy_page::approve))
        .route("/log", get(log_page::show))
        .route("/accounts", get(accounts::show).post(accounts::create))
        .route("/sign-in", get(sign_in::form).post(sign_in::by_password))
        .route("/sign-in/link/{token}", get(sign_in::link_form).post(sign_in::by_link))
        .route("/sign-out", post(sign_in::out))
        .route("/language", post(sign_in::language))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(health::metrics))
        .route("/desk.css", get(page::style))
        .route("/desk.svg", get(page::mark))
        .route("/desk.js", get(page::script))
        .fallback(page::nowhere)
        .with_state(app.clone());
    doors::guard(pages, app)
}

/// The edge: the only place of this room that reads a clock.
fn now() -> case::Timestamp {
    case::Timestamp(jiff::Timestamp::now().as_microsecond())
}
