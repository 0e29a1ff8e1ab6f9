//! For auditors: the newest head, the key, and how to check the log without us.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use case::Deed;
use store::Head;

use crate::page::{Frame, People, Trouble, html};
use crate::session::Person;
use crate::words::Lang;
use crate::{Shared, now};

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage {
    frame: Frame,
    head: Option<Head>,
    unsealed_age_seconds: i64,
}

pub(crate) async fn show(State(app): State<Shared>, person: Person, lang: Lang) -> Result<Response, Trouble> {
    let now = now();
    app.store.authorize(&person.actor, Deed::ReadLog, now).await?;
    let head = app.store.head().await?;
    let unsealed_age_seconds = app.store.unsealed_age(now).await? / 1_000_000;
    let people = People::of(&app).await?;
    let frame = Frame::new(&app, lang, lang.words().log, "/log").of(&app, &person.actor, &people).await?;
    Ok(html(&LogPage { frame, head, unsealed_age_seconds }))
}
