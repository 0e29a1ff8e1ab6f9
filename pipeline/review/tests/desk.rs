//! What people see and may do at the desk, asked over HTTP as a browser asks.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod browser;
mod fixture;

use audit::WitnessSigner;
use browser::{Answer, Browser};
use case::{Actor, CaseId, Code, Role, State};
use fixture::{PASSWORD, Workspace, checkpoint, contract, electronic_invoice, paper_invoice};
use store::{Quorum, Store};

struct Office {
    workspace: Workspace,
    browser: Browser,
    store: Store,
}

impl Office {
    /// One person of each role, and a reviewer of either level.
    async fn open() -> Office {
        Office::opened(None).await
    }

    async fn opened(base_url: Option<&str>) -> Office {
        Office::watched(base_url, Quorum::default()).await
    }

    async fn watched(base_url: Option<&str>, quorum: Quorum) -> Office {
        let workspace = Workspace::new().await;
        for (name, role, level) in [
            ("operator", Role::Operator, 1),
            ("reviewer", Role::Reviewer, 1),
            ("senior", Role::Reviewer, 2),
            ("legal", Role::Legal, 1),
            ("auditor", Role::Auditor, 1),
            ("admin", Role::Admin, 1),
        ] {
            workspace.person(name, &[role], level).await;
        }
        let store = workspace.store.clone();
        let base_url = base_url.map(|url| url.parse().unwrap());
        let desk = review::Desk { store: store.clone(), title: "Desk".to_owned(), base_url, quorum };
        Office { browser: Browser::open(desk).await, workspace, store }
    }

    /// An invoice that only a price holds: one reviewer of level 1 decides.
    async fn dear_invoice(&self, number: &str, by: &Actor) -> CaseId {
        let due = self.workspace.now.plus_hours(20);
        let mut invoice = paper_invoice(number, "Kübler GmbH", due);
        invoice.findings.retain(|finding| finding.code == Code::Price);
        invoice.checkpoints.retain(|it| it.codes == [Code::Price]);
        self.workspace.held(invoice, by).await
    }

    async fn state(&self, id: CaseId) -> State {
        self.store.case(id).await.unwrap().state
    }
}

fn system() -> Actor {
    Actor::system("test")
}

/// Decides from the page as it was shown.
async fn decide(browser: &Browser, page: &Answer, id: CaseId, verdict: &str, more: &[(&str, &str)]) -> Answer {
    let (revision, seen) = (page.hidden("revision"), page.hidden("seen"));
    let mut form = vec![
        ("revision", revision.as_str()),
        ("seen", seen.as_str()),
        ("verdict", verdict),
        ("reason", "agreed by phone"),
    ];
    form.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    form.extend(more);
    browser.post(&format!("/cases/{id}/decide"), &form).await
}

/// The hidden fields of a case, for somebody to whom the page offers no form.
async fn forged(office: &Office, browser: &Browser, id: CaseId, verdict: &str) -> Answer {
    let case = office.store.case(id).await.unwrap();
    let (revision, seen) = (case.revision.to_string(), case.content().to_string());
    let form = [("revision", revision.as_str()), ("seen", &seen), ("verdict", verdict), ("reason", "let it pass")];
    browser.post(&format!("/cases/{id}/decide"), &form).await
}

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
async fn the_queue_shows_what_waits_for_me_first_and_why() {
    let office = Office::open().await;
    let late = case::Timestamp(office.workspace.now.0 - 60_000_000);
    let theirs = office.workspace.held(contract("Framework Agreement", late), &system()).await;
    let mine = office.dear_invoice("A-1", &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let text = reviewer.get("/").await.text();
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("no `{what}` in {text}"));
    let order = [
        place("Waiting for you"),
        place(&format!("/cases/{mine}")),
        place("Dearer than ordered"),
        place("Waiting for others"),
        place(&format!("/cases/{theirs}")),
        place("A clause that must be there is missing"),
    ];
    assert!(order.is_sorted(), "{order:?}");
    assert!(text.contains("Kübler GmbH") && text.contains("2,817.92 EUR") && text.contains("1 overdue"));

    let filtered = reviewer.get("/?kind=contract").await.text();
    assert!(filtered.contains(&theirs.to_string()) && !filtered.contains(&mine.to_string()));
    let archived = reviewer.get("/?view=Archived").await.text();
    assert!(archived.contains("No case fits this choice"));
    let id = mine.to_string();
    let found = reviewer.get(&format!("/?find={}", &id[id.len() - 8..])).await;
    assert_eq!((found.status, found.header("location")), (303, format!("/cases/{id}").as_str()));
    assert!(reviewer.get("/?find=zzzz").await.text().contains("No case says this"));
}

#[tokio::test]
async fn next_leads_to_another_case_that_waits_for_me_or_to_the_queue() {
    let office = Office::open().await;
    let first = office.dear_invoice("A-1", &system()).await;
    let second = office.dear_invoice("A-2", &system()).await;
    office.workspace.held(contract("Not mine", office.workspace.now), &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    for (after, expected) in [(first, second), (second, first)] {
        let answer = reviewer.get(&format!("/next?after={after}")).await;
        assert_eq!(answer.header("location"), format!("/cases/{expected}"));
    }
    let auditor = office.browser.signed_in("auditor").await;
    assert_eq!(auditor.get(&format!("/next?after={first}")).await.header("location"), "/");
}

#[tokio::test]
async fn an_empty_queue_says_so_in_a_sentence() {
    let office = Office::open().await;
    let text = office.browser.signed_in("auditor").await.get("/").await.text();
    assert!(text.contains("Nothing waits. Everything that came in has been decided."));
}

#[tokio::test]
async fn a_case_shows_why_it_is_held_and_every_value_with_its_place() {
    let office = Office::open().await;
    let id = office.workspace.held(paper_invoice("A-1", "Kübler GmbH", office.workspace.now), &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let text = reviewer.get(&format!("/cases/{id}")).await.text();
    for what in [
        "New bank account",
        "0 of 2 approvals",
        "vendor V-1004 is known with DE02120300000000202051",
        "<rect id=\"r-iban\"",
        "href=\"#r-iban\"",
        "href=\"#v-iban\"",
        "id=\"v-lines.1.unit_price\"",
        "PO-20417 / 10",
        "Matched and routed",
        "PRICE_BELOW",
    ] {
        assert!(text.contains(what), "no `{what}` in {text}");
    }
    let picture = reviewer.get(&format!("/cases/{id}/pages/1.png")).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    assert!(picture.body.starts_with(b"\x89PNG"));
    assert_eq!(reviewer.get(&format!("/cases/{id}/pages/2.png")).await.status, 404);
    assert_eq!(reviewer.get(&format!("/cases/{}", CaseId(uuid::Uuid::now_v7()))).await.status, 404);
}

#[tokio::test]
async fn a_finding_shows_how_it_was_decided_and_what_would_let_it_pass() {
    let office = Office::open().await;
    let id = office.workspace.held(paper_invoice("A-1", "Kübler GmbH", office.workspace.now), &system()).await;
    let mut reviewer = office.browser.signed_in("reviewer").await;
    let text = reviewer.get(&format!("/cases/{id}")).await.text();
    for what in [
        "<summary aria-label=\"How this was decided: Dearer than ordered, beyond tolerance\">",
        "<dt>Limit of the row</dt><dd>price-of-all</dd>",
        "<dt>upper limit, %</dt><dd>2</dd>",
        "<dt>Over by</dt><dd>128 (10 %)</dd>",
        "<dt>Would pass with</dt><dd>upper limit, % ≥ 10</dd>",
        "<a class=\"place\" href=\"#r-lines.1.unit_price\"",
        "order PO-20417, line 10",
        "What was compared and passed",
        "match.quantity_received",
        "<dt>Left up to upper limit, %</dt><dd>5</dd>",
    ] {
        assert!(text.contains(what), "no `{what}` in {text}");
    }
    reviewer.cookie = format!("{}; language=de", reviewer.cookie);
    let german = reviewer.get(&format!("/cases/{id}")).await.text();
    assert!(german.contains("<dt>Würde bestehen mit</dt><dd>obere Grenze, % ≥ 10</dd>"), "{german}");
}

#[tokio::test]
async fn whoever_brought_in_what_a_case_rests_on_is_told_that_somebody_else_must_approve() {
    let office = Office::open().await;
    let by = office.store.person("reviewer").await.unwrap();
    let mut invoice = paper_invoice("A-1", "Kübler GmbH", office.workspace.now);
    invoice.findings.retain(|finding| finding.code == Code::Price);
    invoice.checkpoints.retain(|it| it.codes == [Code::Price]);
    invoice.informed_by = [by.id].into();
    let id = office.workspace.held(invoice, &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let page = reviewer.get(&format!("/cases/{id}")).await.text();
    assert!(
        page.contains("you brought in facts that this case rests on") && !page.contains("value=\"approve\""),
        "{page}"
    );
    assert_eq!(forged(&office, &reviewer, id, "approve").await.status, 403);
    assert_eq!(office.state(id).await, State::InReview);
}

#[tokio::test]
async fn an_approval_lets_the_case_pass_and_stands_in_its_history() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let page = reviewer.get(&format!("/cases/{id}")).await;
    let answer = decide(&reviewer, &page, id, "approve", &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, format!("/cases/{id}?done=approve").as_str()));
    assert_eq!(office.state(id).await, State::Approved);
    let text = reviewer.get(answer.header("location")).await.text();
    assert!(text.contains("Your approval is entered in the log") && text.contains("<q>agreed by phone</q>"), "{text}");
}

#[tokio::test]
async fn a_second_pair_of_eyes_is_needed_where_the_checkpoint_says_so() {
    let office = Office::open().await;
    let mut invoice = paper_invoice("A-1", "Kübler GmbH", office.workspace.now.plus_hours(1));
    invoice.checkpoints =
        vec![checkpoint("Two of you", Role::Reviewer, 1, 2, &[Code::Price, Code::BankNew], office.workspace.now)];
    let id = office.workspace.held(invoice, &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let page = reviewer.get(&format!("/cases/{id}")).await;
    assert_eq!(decide(&reviewer, &page, id, "approve", &[]).await.status, 303);
    let page = reviewer.get(&format!("/cases/{id}")).await;
    assert!(
        page.text().contains("you approved already; a second person must")
            && !page.text().contains("value=\"approve\"")
    );
    assert_eq!(forged(&office, &reviewer, id, "approve").await.status, 403);
    assert_eq!(office.state(id).await, State::InReview);
    let senior = office.browser.signed_in("senior").await;
    let page = senior.get(&format!("/cases/{id}")).await;
    assert_eq!(decide(&senior, &page, id, "approve", &[]).await.status, 303);
    assert_eq!(office.state(id).await, State::Approved);
}

#[tokio::test]
async fn each_role_sees_and_does_what_the_table_of_permissions_says() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    // Who: the case page, the buttons approve and correct, a forged approval, the original, log and accounts.
    for (name, case, approve, correct, forged_status, original, log, accounts) in [
        ("operator", 200, false, false, 403, 403, 403, 403),
        ("auditor", 200, false, false, 403, 200, 200, 403),
        ("admin", 403, false, false, 403, 403, 200, 200),
        ("legal", 200, false, true, 403, 200, 403, 403),
        ("reviewer", 200, true, true, 303, 200, 403, 403),
    ] {
        let browser = office.browser.signed_in(name).await;
        let page = browser.get(&format!("/cases/{id}")).await;
        assert_eq!(page.status, case, "{name}");
        assert_eq!(page.text().contains("value=\"approve\""), approve, "{name}");
        assert_eq!(page.text().contains(&format!("/cases/{id}/correct")), correct, "{name}");
        assert_eq!(browser.get(&format!("/cases/{id}/original")).await.status, original, "{name}");
        assert_eq!(browser.get("/log").await.status, log, "{name}");
        assert_eq!(browser.get("/accounts").await.status, accounts, "{name}");
        assert_eq!(forged(&office, &browser, id, "approve").await.status, forged_status, "{name}");
    }
    // What was refused is in the log.
    let history = office.store.history(id).await.unwrap();
    assert_eq!(history.iter().filter(|it| it.act == "review.denied").count(), 4);
    assert_eq!(office.state(id).await, State::Approved);
}

#[tokio::test]
async fn whoever_submitted_or_corrected_a_case_is_told_that_somebody_else_must_approve() {
    let office = Office::open().await;
    let submitter = office.store.person("reviewer").await.unwrap();
    let id = office.dear_invoice("A-1", &submitter).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let page = reviewer.get(&format!("/cases/{id}")).await.text();
    assert!(page.contains("you submitted or corrected this case") && !page.contains("value=\"approve\""), "{page}");
    assert_eq!(forged(&office, &reviewer, id, "approve").await.status, 403);
    assert_eq!(office.state(id).await, State::InReview);
}

#[tokio::test]
async fn what_nobody_can_approve_offers_correction_and_rejection() {
    let office = Office::open().await;
    let id = office.workspace.held(electronic_invoice("E-1", office.workspace.now), &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let page = reviewer.get(&format!("/cases/{id}")).await;
    let text = page.text();
    assert!(
        text.contains("cannot be approved") && !text.contains("value=\"approve\"") && text.contains("value=\"reject\"")
    );
    assert!(
        text.contains("/Invoice/LegalMonetaryTotal/TaxInclusiveAmount") && text.contains("This format has no pages")
    );
    assert_eq!(forged(&office, &reviewer, id, "approve").await.status, 422);
    assert_eq!(decide(&reviewer, &page, id, "reject", &[]).await.status, 303);
    assert_eq!(office.state(id).await, State::Rejected);
}

#[tokio::test]
async fn a_decision_on_an_older_state_is_refused_and_the_case_shown_anew() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let legal = office.browser.signed_in("legal").await;
    let old = reviewer.get(&format!("/cases/{id}")).await;
    assert_eq!(decide(&legal, &old, id, "correct", &[("field:number", "A-1b")]).await.status, 303);
    let answer = decide(&reviewer, &old, id, "approve", &[]).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("Somebody else moved this case") && answer.text().contains("A-1b"));
    assert_eq!(office.state(id).await, State::Extracted);

    // The right revision with the digest of something else is as stale.
    let other = office.dear_invoice("A-2", &system()).await;
    let page = reviewer.get(&format!("/cases/{other}")).await;
    let seen = "0".repeat(64);
    assert_eq!(decide(&reviewer, &page, other, "approve", &[("seen", &seen)]).await.status, 409);
    assert_eq!(decide(&reviewer, &page, other, "approve", &[("seen", "x")]).await.status, 400);
    assert_eq!(decide(&reviewer, &page, other, "overrule", &[]).await.status, 400);
    assert_eq!(office.state(other).await, State::InReview);
}

#[tokio::test]
async fn only_what_was_changed_is_corrected_and_the_person_becomes_its_evidence() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let form = reviewer.get(&format!("/cases/{id}/correct")).await;
    assert!(
        form.text().contains("name=\"field:lines.3.name\"") && form.text().contains("value=\"35.20\""),
        "{}",
        form.text()
    );

    let unchanged = [("field:number", "A-1"), ("field:lines.1.unit_price", " 35.20 "), ("field:bic", "")];
    let answer = decide(&reviewer, &form, id, "correct", &unchanged).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("Nothing was changed"));

    let nonsense = [("field:kind", "contract")];
    assert_eq!(decide(&reviewer, &form, id, "correct", &nonsense).await.status, 422);

    let no_reason = [("field:number", "A-7"), ("reason", "  ")];
    let answer = decide(&reviewer, &form, id, "correct", &no_reason).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("value=\"A-7\""), "what was typed is kept");

    let changed = [
        ("field:number", "A-1"),
        ("field:lines.1.unit_price", "32.00"),
        ("field:lines.3.name", "Fracht"),
        ("field:due_date", ""),
    ];
    assert_eq!(decide(&reviewer, &form, id, "correct", &changed).await.status, 303);
    let case = office.store.case(id).await.unwrap();
    let extraction = case.extraction.unwrap();
    assert_eq!(extraction.lines[0][&case::LineField::UnitPrice].value, "32.00");
    assert_eq!(extraction.lines[2][&case::LineField::Name].value, "Fracht");
    assert!(extraction.field(case::FieldName::DueDate).is_none());
    assert!(matches!(extraction.field(case::FieldName::Number).unwrap().evidence, case::Evidence::Page { .. }));
    let history = office.store.history(id).await.unwrap();
    let said = &history.iter().find(|it| it.act == "review.correct").unwrap().said["fields"];
    assert_eq!(said, "due_date, lines.1.unit_price, lines.3.name");
    let page = reviewer.get(&format!("/cases/{id}")).await.text();
    assert!(page.contains("corrected by reviewer"), "{page}");
}

#[tokio::test]
async fn a_quarantined_document_is_read_again_when_somebody_releases_it() {
    let office = Office::open().await;
    let id = office.workspace.unreadable(b"\0\0", "x.pdf").await;
    let auditor = office.browser.signed_in("auditor").await;
    assert!(auditor.get("/").await.text().contains("Nothing waits for you right now"));
    assert!(!auditor.get(&format!("/cases/{id}")).await.text().contains("value=\"release\""));
    assert_eq!(forged(&office, &auditor, id, "release").await.status, 403);
    let operator = office.browser.signed_in("operator").await;
    let page = operator.get(&format!("/cases/{id}")).await;
    assert!(page.text().contains("used up its 20 seconds"));
    assert_eq!(decide(&operator, &page, id, "release", &[]).await.status, 303);
    assert_eq!(office.state(id).await, State::Received);
}

#[tokio::test]
async fn what_a_sender_writes_is_text_wherever_it_appears() {
    let office = Office::open().await;
    let evil = "<script>alert(1)</script>\"onload='x";
    let mut invoice = paper_invoice(evil, evil, office.workspace.now);
    invoice.file_name = "a\"; x=\"\r\nb<img>.pdf".to_owned();
    invoice.findings.push(case::Finding::new(Code::Price, evil, evil).with(evil, evil).at(evil, None));
    invoice.matched[0].order_id = evil.to_owned();
    invoice.checkpoints[0].title = evil.to_owned();
    let id = office.workspace.held(invoice, &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    for path in [
        "/".to_owned(),
        format!("/cases/{id}"),
        format!("/cases/{id}/correct"),
        format!("/?find={}", "%3Cscript%3Enowhere%22"),
    ] {
        let text = reviewer.get(&path).await.text();
        assert_eq!(text.matches("<script").count(), 1, "{path}: ours alone: {text}");
        assert!(!text.contains("<img>") && !text.contains("\"onload"), "{path}: {text}");
    }
    let page = reviewer.get(&format!("/cases/{id}")).await;
    assert!(page.text().contains("&#60;script&#62;"));
    let answer = decide(&reviewer, &page, id, "correct", &[("reason", ""), ("field:number", evil)]).await;
    assert_eq!(answer.text().matches("<script").count(), 1);

    let original = reviewer.get(&format!("/cases/{id}/original")).await;
    assert_eq!(original.header("content-type"), "application/octet-stream");
    assert_eq!(
        original.header("content-disposition"),
        "attachment; filename=\"a__ x____b_img_.pdf\"; filename*=UTF-8''a%22%3B%20x%3D%22%0D%0Ab%3Cimg%3E.pdf"
    );
    let answer = office.browser.post("/sign-in", &[("name", evil), ("password", "x")]).await;
    assert_eq!(answer.text().matches("<script").count(), 1);
}

#[tokio::test]
async fn forms_of_other_sites_and_other_names_of_this_machine_are_refused() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    for header in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let answer = reviewer.send("POST", &format!("/cases/{id}/decide"), &[form, header], "verdict=approve").await;
        assert_eq!(answer.status, 403, "{header:?}");
        let answer = reviewer.send("POST", "/sign-out", &[form, header], "").await;
        assert_eq!(answer.status, 403, "{header:?}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "10.0.0.1:8080", ""] {
        let answer = reviewer.send("GET", "/", &[("host", host)], "").await;
        assert!([400, 421].contains(&answer.status), "{host}: {}", answer.status);
        assert!(!answer.text().contains("Kübler"), "{host}");
    }
    for host in ["localhost:1234", "LOCALHOST", "[::1]:80", "127.0.0.1"] {
        assert_eq!(reviewer.send("GET", "/", &[("host", host)], "").await.status, 200, "{host}");
    }
    assert_eq!(office.state(id).await, State::InReview);
}

#[tokio::test]
async fn behind_https_the_cookie_is_bound_to_the_host_and_its_name_is_known() {
    let office = Office::opened(Some("https://desk.example.test")).await;
    let headers = [
        ("host", "desk.example.test"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", "https://desk.example.test"),
    ];
    let body = "name=reviewer&password=correct+horse+battery";
    let answer = office.browser.send("POST", "/sign-in", &headers, body).await;
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-session=")
            && cookie.ends_with("Path=/; Max-Age=36000; HttpOnly; SameSite=Strict; Secure"),
        "{cookie}"
    );
}

#[tokio::test]
async fn every_answer_carries_the_guards_for_the_browser() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let mut answers = vec![
        reviewer.send("GET", "/", &[("host", "evil.example")], "").await,
        reviewer.send("POST", "/sign-out", &[("origin", "https://evil.example")], "").await,
        reviewer.send("DELETE", "/", &[], "").await,
        reviewer
            .send(
                "POST",
                "/sign-in",
                &[("content-type", "application/x-www-form-urlencoded")],
                &"x".repeat((1 << 20) + 1),
            )
            .await,
    ];
    let case = format!("/cases/{id}");
    let picture = format!("/cases/{id}/pages/1.png");
    for path in
        ["/", "/nowhere", "/sign-in", "/healthz", "/metrics", "/desk.css", "/desk.js", "/accounts", &case, &picture]
    {
        answers.push(reviewer.get(path).await);
    }
    assert_eq!(
        answers.iter().map(|answer| answer.status).collect::<Vec<_>>(),
        [421, 403, 405, 413, 200, 404, 200, 200, 200, 200, 200, 403, 200, 200]
    );
    for answer in &answers {
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert!(["no-store", "private, max-age=300"].contains(&answer.header("cache-control")));
    }
    // The policy allows no style and no script in a page, so there is none.
    for answer in answers.iter().filter(|answer| answer.header("content-type").starts_with("text/html")) {
        let text = answer.text();
        assert!(
            !text.contains("style=")
                && !text.contains("<style")
                && !text.contains(" onclick")
                && !text.contains("http:")
                && !text.contains("https:"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_pages_speak_the_language_that_was_chosen_or_the_browser_likes() {
    let office = Office::open().await;
    let id = office.workspace.held(paper_invoice("A-1", "Kübler GmbH", office.workspace.now), &system()).await;
    let mut reviewer = office.browser.signed_in("reviewer").await;
    let german = reviewer
        .send("GET", &format!("/cases/{id}"), &[("accept-language", "de-DE,de;q=0.9,en;q=0.5")], "")
        .await
        .text();
    for what in ["lang=\"de\"", "2.817,92 EUR", "09.11.2026", "Teurer als bestellt", "Warum dieser Fall hier liegt"] {
        assert!(german.contains(what), "no `{what}`");
    }
    let answer = reviewer.post("/language", &[("language", "zh"), ("back", "/?view=all&page=1")]).await;
    assert_eq!(answer.header("location"), "/?view=all&page=1");
    reviewer.cookie = format!("{}; {}", reviewer.cookie, answer.header("set-cookie").split(';').next().unwrap());
    let chinese = reviewer.send("GET", &format!("/cases/{id}"), &[("accept-language", "de")], "").await.text();
    for what in ["lang=\"zh\"", "2026年11月9日", "高于订单价格", "为何在此"] {
        assert!(chinese.contains(what), "no `{what}`");
    }
    assert_eq!(reviewer.post("/language", &[("language", "xx")]).await.status, 400);
    let away = reviewer.post("/language", &[("language", "de"), ("back", "//evil.example")]).await;
    assert_eq!(away.header("location"), "/");
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

#[tokio::test]
async fn machines_learn_how_the_service_is_and_nothing_personal() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    reviewer.get(&format!("/cases/{id}")).await;
    let health = office.browser.get("/healthz").await;
    assert_eq!(health.status, 200);
    assert!(health.text().contains("\"status\":\"ok\"") && health.text().contains("\"database\":\"sqlite\""));
    let metrics = office.browser.get("/metrics").await.text();
    for what in [
        "countersign_cases{state=\"InReview\"} 1",
        "countersign_arrivals_total 1",
        "countersign_duplicates_total 0",
        "countersign_work_waiting 0",
        "countersign_cases_overdue 0",
        "countersign_audit_unsealed_age_seconds ",
        "countersign_http_requests_total{route=\"/cases/{id}\",status=\"200\"} 1",
        "countersign_build_info{version=",
    ] {
        assert!(metrics.contains(what), "no `{what}` in {metrics}");
    }
    assert!(!metrics.contains("bler") && !metrics.contains(&id.to_string()) && !metrics.contains("reviewer"));

    office.store.close().await;
    let health = office.browser.get("/healthz").await;
    assert_eq!((health.status, health.text().contains("unavailable")), (503, true));
    assert_eq!(reviewer.get("/").await.status, 503);
}

#[tokio::test]
async fn a_day_without_a_quorum_of_witnesses_is_a_warning_and_not_a_failure() {
    let (one, two) = (WitnessSigner::generate("w.example/1").unwrap(), WitnessSigner::generate("w.example/2").unwrap());
    let office = Office::watched(None, Quorum { witnesses: vec![one.key(), two.key()], needed: 2 }).await;
    let health = async || -> serde_json::Value {
        let answer = office.browser.get("/healthz").await;
        assert_eq!(answer.status, 200);
        serde_json::from_str(&answer.text()).unwrap()
    };
    let hours_ago = |hours: i64| case::Timestamp(fixture::clock().0 - hours * 3_600_000_000);
    let sign = async |hours| {
        office.store.record_service(store::ServiceSign::Heartbeat, hours_ago(hours)).await.unwrap();
        office.store.seal_log(hours_ago(hours)).await.unwrap();
        office.store.sign_log(hours_ago(hours)).await.unwrap();
        office.store.newest_head().await.unwrap().unwrap()
    };
    let cosign = async |head: &store::NewestHead, by: &WitnessSigner, hours| {
        let line = by.cosign(head.note.as_bytes(), 1_795_341_600).unwrap();
        office.store.keep_cosignature(head, &by.key(), line.as_bytes(), hours_ago(hours)).await.unwrap();
    };
    assert_eq!(health().await["warnings"], serde_json::json!([]), "there is no head yet");
    let first = sign(50).await;
    cosign(&first, &one, 30).await;
    let said = health().await;
    assert_eq!(said["status"], "ok");
    let warning = said["warnings"][0].as_str().unwrap();
    assert!(warning.contains("for 50 hours") && warning.contains("by 2 of its 2 witnesses"), "{warning}");

    cosign(&first, &two, 25).await;
    assert!(health().await["warnings"][0].as_str().unwrap().contains("for 25 hours"));
    let second = sign(24).await;
    for witness in [&one, &two] {
        cosign(&second, witness, 23).await;
    }
    assert_eq!(health().await["warnings"], serde_json::json!([]));
    let metrics = office.browser.get("/metrics").await.text();
    let of = |name: &str| {
        let line =
            metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {metrics}"));
        line.trim().parse::<f64>().unwrap()
    };
    assert_eq!(of("countersign_audit_witnessed_size "), second.size as f64);
    assert!((of("countersign_audit_witnessed_age_seconds ") - 23.0 * 3_600.0).abs() < 60.0);
    let last = of("countersign_audit_witness_last_success_timestamp_seconds{witness=\"w.example/1\"} ");
    assert!((last - hours_ago(23).0 as f64 / 1e6).abs() < 60.0);

    office.store.stop_log("the witness `w.example/1` knows more");
    let stopped = health().await;
    assert!(stopped["warnings"][0].as_str().unwrap().contains("nothing is done: the witness `w.example/1` knows more"));
}

#[tokio::test]
async fn an_auditor_finds_the_head_the_key_and_how_to_verify() {
    let office = Office::open().await;
    let auditor = office.browser.signed_in("auditor").await;
    assert!(auditor.get("/log").await.text().contains("Nothing is signed yet"));
    office.store.seal_log(fixture::clock()).await.unwrap();
    office.store.sign_log(fixture::clock()).await.unwrap();
    let head = office.store.head().await.unwrap().unwrap();
    let text = auditor.get("/log").await.text();
    assert!(text.contains("audit.example.test/desk/1") && text.contains("countersign log export DIR"));
    let key = head.verifier_key.replace('+', "&#43;");
    assert!(text.contains(&head.verifier_key) || text.contains(&key), "{text}");
}
