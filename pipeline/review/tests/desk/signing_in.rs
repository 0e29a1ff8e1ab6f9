use super::*;

#[tokio::test]
async fn nobody_sees_a_page_without_signing_in() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    for path in ["/", "/log", "/accounts", "/next", "/sign-out"] {
        let answer = office.browser.get(path).await;
        assert!([303, 405].contains(&answer.status), "{path} {}", answer.status);
    }
    for part in ["", "/correct", "/original", "/pages/1.png"] {
        let answer = office.browser.get(&format!("/cases/{id}{part}")).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, format!("/sign-in?to=/cases/{id}").as_str()),
            "{part}"
        );
    }
    assert_eq!(forged(&office, &office.browser, id, "approve").await.status, 303);
    assert_eq!(office.state(id).await, State::InReview);
}

#[tokio::test]
async fn a_wrong_sign_in_does_not_say_what_was_wrong_and_a_right_one_leads_back_to_the_case() {
    let office = Office::open().await;
    let mut bodies = Vec::new();
    for (name, password) in [("reviewer", "wrong wrong wrong"), ("nobody", PASSWORD)] {
        let answer = office.browser.post("/sign-in", &[("name", name), ("password", password)]).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (401, ""));
        bodies.push(answer.text().replace(name, "NAME"));
    }
    assert_eq!(bodies[0], bodies[1]);

    let id = office.dear_invoice("A-1", &system()).await;
    let to = format!("/cases/{id}");
    let answer = office.browser.post("/sign-in", &[("name", "reviewer"), ("password", PASSWORD), ("to", &to)]).await;
    assert_eq!((answer.status, answer.header("location")), (303, to.as_str()));
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("session=") && cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");

    let elsewhere = [("name", "reviewer"), ("password", PASSWORD), ("to", "//evil.example/cases/")];
    assert_eq!(office.browser.post("/sign-in", &elsewhere).await.header("location"), "/");
}

#[tokio::test]
async fn who_fails_too_often_waits_and_is_told_until_when() {
    let office = Office::open().await;
    let wrong = [("name", "reviewer"), ("password", "wrong wrong wrong")];
    for _ in 0..8 {
        office.browser.post("/sign-in", &wrong).await;
    }
    let answer = office.browser.post("/sign-in", &[("name", "reviewer"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 429);
    assert!(answer.text().contains("Too many failed attempts"));
}

#[tokio::test]
async fn after_signing_out_the_session_is_worth_nothing() {
    let office = Office::open().await;
    let reviewer = office.browser.signed_in("reviewer").await;
    assert_eq!(reviewer.get("/").await.status, 200);
    let answer = reviewer.post("/sign-out", &[]).await;
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(reviewer.get("/").await.status, 303);
}

#[tokio::test]
async fn a_one_time_link_works_once_and_only_when_its_button_is_pressed() {
    let office = Office::open().await;
    let account = office.store.accounts().await.unwrap().into_iter().find(|it| it.name == "legal").unwrap();
    let link = office.store.one_time_link(&account.id, fixture::clock()).await.unwrap();
    let path = format!("/sign-in/link/{}", link.0);
    for _ in 0..3 {
        let answer = office.browser.get(&path).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (200, ""));
    }
    let answer = office.browser.post(&path, &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    assert!(answer.header("set-cookie").starts_with("session="));
    let again = office.browser.post(&path, &[]).await;
    assert_eq!((again.status, again.header("set-cookie")), (401, ""));
}

#[tokio::test]
async fn an_administrator_makes_accounts_and_nobody_else_does() {
    let office = Office::open().await;
    let admin = office.browser.signed_in("admin").await;
    assert_eq!(admin.get("/").await.header("location"), "/accounts");
    let form = [("name", "Nina"), ("password", PASSWORD), ("role", "reviewer"), ("role", "legal"), ("level", "2")];
    let reviewer = office.browser.signed_in("reviewer").await;
    assert_eq!(reviewer.post("/accounts", &form).await.status, 403);
    assert_eq!(admin.post("/accounts", &form).await.status, 303);
    let nina = office.store.person("Nina").await.unwrap();
    assert_eq!((nina.roles.as_slice(), nina.level), (&[Role::Reviewer, Role::Legal][..], 2));
    for (change, said) in [
        (("name", "nina"), "exists already"),
        (("password", "short"), "too short"),
        (("role", ""), "at least one role"),
        (("level", "3"), "at least one role"),
    ] {
        let mut wrong: Vec<(&str, &str)> =
            form.iter().copied().filter(|(name, _)| *name != change.0 && *name != "name").collect();
        wrong.push(("name", if change.0 == "name" { change.1 } else { "Otto" }));
        if change.1.is_empty() {
            wrong.retain(|(name, _)| *name != "role");
        } else if change.0 != "name" {
            wrong.push(change);
        }
        let answer = admin.post("/accounts", &wrong).await;
        assert_eq!(answer.status, 422, "{change:?}");
        assert!(answer.text().contains(said), "{change:?}: {}", answer.text());
    }
    assert!(admin.get("/accounts").await.text().contains("Nina"));
}
