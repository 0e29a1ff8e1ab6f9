use super::*;

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
