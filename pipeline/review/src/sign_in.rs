//! In and out, and in which language.

use std::net::SocketAddr;

use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, Extension, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use store::{SignIn, Token};

use crate::page::{Frame, Notice, Trouble, html};
use crate::session::{Person, after_sign_in};
use crate::words::{LANGUAGE_COOKIE, Lang};
use crate::{App, Shared, now};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    to: String,
    name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    to: String,
}

pub(crate) async fn form(State(app): State<Shared>, lang: Lang, Query(wanted): Query<Wanted>) -> Response {
    sign_in_page(&app, lang, &wanted.to, "", None)
}

fn sign_in_page(app: &App, lang: Lang, to: &str, name: &str, notice: Option<Notice>) -> Response {
    let to = after_sign_in(to);
    let here = if to == "/" { "/sign-in".to_owned() } else { format!("/sign-in?to={to}") };
    let mut frame = Frame::new(app, lang, lang.words().sign_in, here);
    frame.notice = notice;
    html(&SignInPage { frame, to, name: name.to_owned() })
}

#[derive(Deserialize)]
pub(crate) struct Given {
    name: String,
    password: String,
    #[serde(default)]
    to: String,
}

type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// Where the person sits; the log commits to it. What a proxy says about it is not believed.
fn address(peer: Peer) -> String {
    peer.map_or_else(|| "unknown".to_owned(), |Extension(ConnectInfo(address))| address.ip().to_string())
}

pub(crate) async fn by_password(
    State(app): State<Shared>,
    peer: Peer,
    lang: Lang,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    let refused = |status: StatusCode, text: String| {
        let page = sign_in_page(&app, lang, &given.to, &given.name, Some(Notice::bad(text)));
        (status, page).into_response()
    };
    Ok(match app.store.sign_in(&given.name, &given.password, &address(peer), now()).await? {
        SignIn::Open { token, .. } => opened(&app, &token, &after_sign_in(&given.to)),
        SignIn::Wrong => refused(StatusCode::UNAUTHORIZED, lang.words().sign_in_wrong.to_owned()),
        SignIn::Wait { until } => {
            // A minute up: what is written is to the minute.
            let until = lang.time(case::Timestamp(until.0.saturating_add(59_999_999)));
            refused(StatusCode::TOO_MANY_REQUESTS, format!("{} {until} UTC.", lang.words().sign_in_wait))
        }
    })
}

fn opened(app: &App, token: &Token, to: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    response.headers_mut().extend(app.open_cookie(token).map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    frame: Frame,
    /// Absent when the link is used up.
    token: Option<String>,
}

/// Uses nothing up: mail programs open links before people do.
pub(crate) async fn link_form(State(app): State<Shared>, lang: Lang, Path(token): Path<String>) -> Response {
    let frame = Frame::new(&app, lang, lang.words().link_title, "/sign-in");
    html(&LinkPage { frame, token: Some(token) })
}

pub(crate) async fn by_link(
    State(app): State<Shared>,
    peer: Peer,
    lang: Lang,
    Path(token): Path<String>,
) -> Result<Response, Trouble> {
    if let Some((token, _)) = app.store.sign_in_by_link(&Token(token), &address(peer), now()).await? {
        return Ok(opened(&app, &token, "/"));
    }
    let mut frame = Frame::new(&app, lang, lang.words().link_title, "/sign-in");
    frame.notice = Some(Notice::bad(lang.words().link_used));
    Ok((StatusCode::UNAUTHORIZED, html(&LinkPage { frame, token: None })).into_response())
}

pub(crate) async fn out(State(app): State<Shared>, person: Person) -> Result<Response, Trouble> {
    app.store.sign_out(&person.token, &person.actor, now()).await?;
    let mut response = Redirect::to("/sign-in").into_response();
    response.headers_mut().extend(app.closed_cookie().map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

#[derive(Deserialize)]
pub(crate) struct Spoken {
    language: String,
    #[serde(default)]
    back: String,
}

pub(crate) async fn language(State(app): State<Shared>, Form(spoken): Form<Spoken>) -> Result<Response, Trouble> {
    let lang = Lang::tagged(&spoken.language).ok_or(Trouble::Malformed)?;
    let mut response = Redirect::to(own_path(&spoken.back)).into_response();
    let cookie = app.cookie(LANGUAGE_COOKIE, lang.tag(), 365 * 24 * 3600);
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

/// A path of ours as it stands; the queue for anything that could lead elsewhere.
fn own_path(path: &str) -> &str {
    let own = path.starts_with('/') && !path.starts_with("//") && path.len() <= 300;
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if own && plain { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_switch_leads_nowhere_else() {
        assert_eq!(own_path("/cases/x?page=2"), "/cases/x?page=2");
        for elsewhere in
            ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\r\nSet-Cookie: x", "/\t/evil"]
        {
            assert_eq!(own_path(elsewhere), "/", "{elsewhere}");
        }
    }
}
