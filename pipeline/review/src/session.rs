//! Who is there: the session's cookie, and the person behind it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use case::{Actor, CaseId};
use store::{SESSION_HOURS, Token};

use crate::page::Trouble;
use crate::{App, Shared, now};

/// Somebody who is signed in. A handler that takes one is closed to everybody else.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) actor: Actor,
    pub(crate) token: Token,
}

impl FromRequestParts<Shared> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Person, Response> {
        let token = cookie(&parts.headers, app.session_cookie()).map(Token);
        if let Some(token) = token {
            let actor = app.store.session(&token, now()).await.map_err(|err| Trouble::from(err).into_response())?;
            if let Some(actor) = actor {
                return Ok(Person { actor, token });
            }
        }
        let back = after_sign_in(parts.uri.path());
        let target = if back == "/" { "/sign-in".to_owned() } else { format!("/sign-in?to={back}") };
        Err(Redirect::to(&target).into_response())
    }
}

/// Where signing in leads: to the case that was asked for, else to the queue. Nothing else is believed.
pub(crate) fn after_sign_in(wanted: &str) -> String {
    let case = wanted.strip_prefix("/cases/").and_then(|rest| rest.split('/').next()?.parse::<CaseId>().ok());
    case.map_or_else(|| "/".to_owned(), |case| format!("/cases/{case}"))
}

impl App {
    fn secure(&self) -> bool {
        self.base_url.as_ref().and_then(|base| base.scheme_str()) == Some("https")
    }

    pub(crate) fn session_cookie(&self) -> &'static str {
        if self.secure() { "__Host-session" } else { "session" }
    }

    /// INVARIANT (a session is the browser's alone): no script reads it, no other site sends it.
    pub(crate) fn open_cookie(&self, token: &Token) -> Option<HeaderValue> {
        self.cookie(self.session_cookie(), &token.0, u64::from(SESSION_HOURS) * 3600)
    }

    pub(crate) fn closed_cookie(&self) -> Option<HeaderValue> {
        self.cookie(self.session_cookie(), "", 0)
    }

    pub(crate) fn cookie(&self, name: &str, value: &str, seconds: u64) -> Option<HeaderValue> {
        let secure = if self.secure() { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        HeaderValue::from_str(&text).ok()
    }
}

pub(crate) fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = sent.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == wanted && !value.is_empty()).map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_a_case_or_to_the_queue_and_nowhere_else() {
        let case = "/cases/0190b5a4-7e00-7000-8000-000000000001";
        assert_eq!(after_sign_in(case), case);
        assert_eq!(after_sign_in(&format!("{case}/pages/1")), case);
        for elsewhere in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/cases/../x", "/sign-out"] {
            assert_eq!(after_sign_in(elsewhere), "/", "{elsewhere}");
        }
    }
}
