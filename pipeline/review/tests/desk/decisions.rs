use super::*;

#[tokio::test]
async fn whoever_brought_in_what_a_case_rests_on_is_told_that_somebody_else_must_approve() {
    let office = Office::open().await;
    let by = office.store.person("reviewer").await.unwrap();
    let invoice = Doc { informed_by: [by.id].into(), ..office.dear("A-1") };
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
