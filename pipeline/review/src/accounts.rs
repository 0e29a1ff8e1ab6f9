//! For administrators: who may sign in, and as what.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use case::{Deed, Role};
use store::{NewAccount, PASSWORD_CHARS_MIN};

use crate::page::{Done, Frame, Notice, People, Trouble, html};
use crate::session::Person;
use crate::words::Lang;
use crate::{App, Shared, now};

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    frame: Frame,
    rows: Vec<Row>,
    roles: Vec<(&'static str, &'static str)>,
    password_chars_min: usize,
}

struct Row {
    name: String,
    roles: String,
    level: u8,
    id: String,
}

pub(crate) async fn show(
    State(app): State<Shared>,
    person: Person,
    lang: Lang,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Trouble> {
    app.store.authorize(&person.actor, Deed::ManageAccounts, now()).await?;
    let notice = done.map(|_| Notice::good(lang.words().account_done));
    accounts_page(&app, &person, lang, notice).await
}

async fn accounts_page(app: &App, person: &Person, lang: Lang, notice: Option<Notice>) -> Result<Response, Trouble> {
    let mut frame = Frame::new(app, lang, lang.words().accounts, "/accounts")
        .of(app, &person.actor, &People::of(app).await?)
        .await?;
    frame.notice = notice;
    let mut rows: Vec<Row> = (app.store.accounts().await?.into_iter())
        .map(|account| Row {
            name: account.name,
            roles: account.roles.iter().map(|role| lang.role(*role)).collect::<Vec<_>>().join(", "),
            level: account.level,
            id: account.id,
        })
        .collect();
    rows.sort_by_key(|row| row.name.to_lowercase());
    let roles = Role::ALL.map(|role| (role.name(), lang.role(role))).to_vec();
    Ok(html(&AccountsPage { frame, rows, roles, password_chars_min: PASSWORD_CHARS_MIN }))
}

/// The form's fields in their order; a role that is chosen is a pair `role`.
pub(crate) async fn create(
    State(app): State<Shared>,
    person: Person,
    lang: Lang,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let given = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let chosen = pairs.iter().filter(|(name, _)| name == "role").map(|(_, value)| Role::named(value));
    let new = NewAccount {
        name: given("name").unwrap_or_default(),
        password: Some(given("password").unwrap_or_default()),
        roles: chosen.collect::<Option<Vec<_>>>().ok_or(Trouble::Malformed)?,
        level: given("level").and_then(|level| level.parse().ok()).unwrap_or(0),
    };
    let roles_missing = new.roles.is_empty() || !(1..=2).contains(&new.level);
    let w = lang.words();
    let refused = match app.store.create_account(new, Some(&person.actor), now()).await {
        Ok(_) => return Ok(Redirect::to("/accounts?done=created").into_response()),
        Err(store::Error::Exists { .. }) => w.account_exists,
        Err(store::Error::TooLarge { .. }) => w.account_name_size,
        Err(store::Error::Unacceptable { .. }) if roles_missing => w.account_roles_none,
        Err(store::Error::Unacceptable { .. }) => w.account_password_size,
        Err(err) => return Err(err.into()),
    };
    let page = accounts_page(&app, &person, lang, Some(Notice::bad(refused))).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
