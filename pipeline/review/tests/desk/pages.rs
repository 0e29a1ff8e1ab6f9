use super::*;

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
        "<dt>upper limit</dt><dd>2 %</dd>",
        "<dt>Above the order by</dt><dd>128.00 EUR, 10 %</dd>",
        "<dt>Would pass with</dt><dd>upper limit, % ≥ 10</dd>",
        "<a class=\"place\" href=\"#r-lines.1.unit_price\"",
        "order PO-20417, line 10",
        "What was compared and passed",
        "match.quantity_received",
        "<dt>Left up to upper limit</dt><dd>5 %</dd>",
    ] {
        assert!(text.contains(what), "no `{what}` in {text}");
    }
    assert_eq!(
        text.matches("35.20</b>").count(),
        1,
        "the price that was billed stands once among the findings: {text}"
    );
    assert!(!text.contains("<dt>policy row</dt>") && !text.contains("<dt>percent</dt>"), "{text}");
    reviewer.cookie = format!("{}; language=de", reviewer.cookie);
    let german = reviewer.get(&format!("/cases/{id}")).await.text();
    assert!(german.contains("<dt>Würde bestehen mit</dt><dd>obere Grenze, % ≥ 10</dd>"), "{german}");
    let (before, sentence) = german.split_once("line 1 costs 35.20 a piece").unwrap();
    assert!(before.ends_with("<p lang=\"en\">") && sentence.contains("</details>"), "{german}");
    assert!(before.contains("<details class=\"decided\" open>"), "the figures are not hidden with it: {german}");
}

#[tokio::test]
async fn what_passed_says_what_was_compared_and_not_what_would_have_been_wrong() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    let text = office.browser.signed_in("reviewer").await.get(&format!("/cases/{id}")).await.text();
    assert!(text.contains("Quantity billed and received <code"), "{text}");
    assert!(!text.contains("More billed than received"), "{text}");
}

#[tokio::test]
async fn the_weightiest_finding_stands_first_and_links_to_the_case_that_is_its_twin() {
    let office = Office::open().await;
    let twin = office.dear_invoice("A-1", &system()).await;
    let mut invoice = office.dear("A-2");
    let pair = Pair { left: "number".to_owned(), right: "twin_number".to_owned(), within: 0.into() };
    let same = Comparison::new(Code::DuplicateD2, "duplicate.d2", Test::Apart { pairs: vec![pair] })
        .with("number", "A-2")
        .from("twin_number", "A-2", Some(Place::Fact(format!("bill {twin}"))))
        .with("twin", twin)
        .finding(format!("number `A-2` is here already: case {twin}"));
    invoice.findings.extend(same);
    invoice.checkpoints.push(checkpoint("Twins", Role::Reviewer, 1, 1, &[Code::DuplicateD2], office.workspace.now));
    let id = office.workspace.held(invoice, &system()).await;
    let text = office.browser.signed_in("reviewer").await.get(&format!("/cases/{id}")).await.text();
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("no `{what}` in {text}"));
    let order =
        ["Why it is here", "Twins", "Price above the order", "Matched with the order", "Your decision", "Values"];
    assert!(order.map(|what| place(&format!("{what}</h"))).is_sorted(), "{text}");
    let link = format!("<a href=\"/cases/{twin}\">{twin}</a>");
    assert_eq!(text.matches(&link).count(), 3, "in the sentence, as a figure, and where its number stands: {text}");
}

#[tokio::test]
async fn a_case_that_needs_no_decision_any_more_says_what_lifted_its_hold() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    office.workspace.rejudged(id).await;
    assert_eq!(office.state(id).await, State::Approved);
    let reviewer = office.browser.signed_in("reviewer").await;
    let text = reviewer.get(&format!("/cases/{id}")).await.text();
    let (_, why) = text.split_once("Lifted by what came in").unwrap();
    assert!(why.split_once("</p>").unwrap().0.contains("Dearer than ordered"), "{text}");
    assert!(!text.contains("Your decision") && !text.contains("What you cannot do here"), "{text}");
    assert!(text.contains("<i>size</i>") && text.contains("<i>lifted</i> Dearer than ordered"), "{text}");
    for bare in ["size_bytes", "<i>approvals taken away</i>", "<i>findings</i> </span>", "<i>findings</i> <"] {
        assert!(!text.contains(bare), "`{bare}` in {text}");
    }
}

#[tokio::test]
async fn a_case_in_the_straight_through_sample_says_so_in_every_language_and_one_that_is_held_does_not() {
    let office = Office::open().await;
    let id = office.dear_invoice("A-1", &system()).await;
    let reviewer = office.browser.signed_in("reviewer").await;
    let said = [("en", "In the straight-through sample:"), ("de", "In der Stichprobe:"), ("zh", "已列入抽检：")];
    let page = async |language: &str| {
        reviewer.send("GET", &format!("/cases/{id}"), &[("accept-language", language)], "").await.text()
    };
    for (language, what) in said {
        assert!(!page(language).await.contains(what), "`{what}` of a case that waits for a person");
    }
    office.workspace.rejudged(id).await;
    for (language, what) in said {
        assert!(page(language).await.contains(what), "no `{what}`");
    }
    assert!(page("de").await.contains("<i>Stichprobe</i> 100 %"), "what the log says of it");
}

#[tokio::test]
async fn the_queue_names_the_checkpoint_that_holds_every_such_document() {
    let office = Office::open().await;
    let mut invoice = office.dear("A-1");
    invoice.findings.clear();
    invoice.checkpoints =
        vec![checkpoint("Net amount from 1,000", Role::Reviewer, 1, 1, &[], office.workspace.now.plus_hours(20))];
    office.workspace.held(invoice, &system()).await;
    let text = office.browser.signed_in("reviewer").await.get("/").await.text();
    assert!(text.contains("<span class=\"why\">Net amount from 1,000</span>"), "{text}");
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
