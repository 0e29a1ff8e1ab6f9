use audit::WitnessSigner;

use super::*;

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
