use case::{Case, Change, Decision, Event, Finding, Kind, State, Timestamp, Verdict};
use store::ServiceSign;
use support::POLICIES;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_report_counts_what_an_export_of_the_same_days_counts() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        // Three days: something on each, and on the second everything that a report tells.
        let (yesterday, tomorrow) = (seconds_later(-DAY), seconds_later(DAY));
        let early = admit(store, b"the day before", yesterday).await;
        store.seal_log(yesterday).await.unwrap();
        quarantined(store, b"noise").await;
        let reviewer = person("usr_r", &[Role::Reviewer], 2);
        store.download(early, &auditor(), NOW).await.unwrap();
        store.view(early, &auditor(), NOW).await.unwrap();
        assert!(store.prove_case(early, &dir.path().join("no"), false, &reviewer, NOW).await.is_err());
        store.prove_case(early, &dir.path().join("yes"), true, &auditor(), NOW).await.unwrap();
        store.sign_in("nobody", "wrong", "192.0.2.7", NOW).await.unwrap();
        store.policy_loaded(&policy(), POLICIES, &machine(), NOW).await.unwrap();
        store.record_service(ServiceSign::Stop, NOW).await.unwrap();
        store.seal_log(NOW).await.unwrap();
        admit(store, b"the day after", tomorrow).await;
        store.seal_log(tomorrow).await.unwrap();

        let report = store.report(today(), &auditor(), tomorrow).await.unwrap();
        let exported = store.export_log(&dir.path().join("log"), &auditor(), tomorrow, &mut |_, _| {}).await.unwrap();
        let entries = exported_leaves(&dir.path().join("log"), exported.head.size);
        let mut counted: BTreeMap<(String, String, String), u64> = BTreeMap::new();
        let mut indices = Vec::new();
        for entry in &entries {
            let (leaf, body) = (Leaf::parse(entry).unwrap(), body_of(entry));
            if Timestamp(leaf.sealed_at).date() == NOW.date() {
                let key = (body.act.text().to_owned(), body.actor.id.clone(), body.res.text().to_owned());
                *counted.entry(key).or_default() += 1;
                indices.push(leaf.index);
            }
        }
        let told: BTreeMap<_, _> = report
            .acts
            .iter()
            .map(|it| ((it.act.to_owned(), it.actor.clone(), it.result.to_owned()), it.entries))
            .collect();
        assert_eq!(told, counted);
        assert_eq!((report.entries, report.logs.len()), (indices.len() as u64, 1));
        assert_eq!((report.logs[0].first, report.logs[0].last), (indices[0], *indices.last().unwrap()));
        assert_eq!((report.logs[0].first, report.logs[0].entries), (1, 9));

        assert_eq!(listed(&report.denied.first, "deed"), [("review.denied", "usr_r", "ReadLog".to_owned())]);
        assert_eq!((report.sessions.failed.count, report.looks), (1, 1));
        let acts: Vec<_> = report.handed_out.first.iter().map(|it| it.act).collect();
        assert_eq!(acts, ["document.view", "log.prove"]);
        assert_eq!(listed(&report.policies.first, "policy"), [("policy.load", "worker", policy().digest.to_string())]);
        // Nobody beat before this day; at its end the service was stopped in order.
        let silences: Vec<_> = report.silences.first.iter().map(|it| (it.after, it.until, it.seconds)).collect();
        assert_eq!(silences, [(0, 1, DAY)]);
        assert_eq!((report.overrides.count, report.keys.count, report.refused.count), (0, 0, 0));

        // The report is in the log itself, and a day without anything is told as that.
        let last = entries.iter().rev().map(|entry| body_of(entry)).find(|body| body.act == Act::LogReport).unwrap();
        assert_eq!((text(&last.d["from"]), text(&last.d["to"])), ("2026-03-10", "2026-03-10"));
        let long_ago = Period { from: date(2020, 1, 1), to: date(2020, 1, 2) };
        let nothing = store.report(long_ago, &auditor(), tomorrow).await.unwrap();
        assert_eq!((nothing.entries, nothing.logs.len(), nothing.silences.count), (0, 0, 0));
        let backwards = Period { from: date(2026, 3, 2), to: date(2026, 3, 1) };
        assert!(matches!(store.report(backwards, &auditor(), tomorrow).await, Err(Error::Unacceptable { .. })));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn midnight_belongs_to_the_day_that_begins() {
    on_both(async |place| {
        let store = &place.store;
        for (n, seconds) in [16 * 3_600 - 1, 16 * 3_600, 40 * 3_600 - 1, 40 * 3_600].into_iter().enumerate() {
            admit(store, &[n as u8], seconds_later(seconds)).await;
            store.seal_log(seconds_later(seconds)).await.unwrap();
        }
        let day = Period { from: date(2026, 3, 11), to: date(2026, 3, 11) };
        let report = store.report(day, &auditor(), seconds_later(3 * DAY)).await.unwrap();
        assert_eq!((report.entries, report.logs[0].first, report.logs[0].last), (2, 1, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_names_where_people_decided_otherwise_than_the_machine_had_found() {
    on_both(async |place| {
        let store = &place.store;
        let reviewer = person("usr_r", &[Role::Reviewer, Role::Legal], 2);
        // With findings: approved is an override, rejected is none. Without: the other way round.
        let mut decided = Vec::new();
        for (n, found, verdict) in [
            (1, true, Verdict::Approve),
            (2, true, Verdict::Reject),
            (3, false, Verdict::Approve),
            (4, false, Verdict::Reject),
            (5, true, Verdict::Correct(vec![Change { field: "due_date".into(), value: "2026-04-09".into() }])),
        ] {
            let case = in_review(store, n, found).await;
            decide(store, &case, verdict, &reviewer).await;
            decided.push(case.id.to_string());
        }
        let unread = quarantined(store, b"noise").await;
        let case = store.case(unread).await.unwrap();
        decide(store, &case, Verdict::Release, &reviewer).await;
        let rejected = quarantined(store, b"nothing to find in it").await;
        let case = store.case(rejected).await.unwrap();
        decide(store, &case, Verdict::Reject, &reviewer).await;
        store.seal_log(NOW).await.unwrap();

        let report = store.report(today(), &auditor(), NOW).await.unwrap();
        let told: Vec<_> = report
            .overrides
            .first
            .iter()
            .map(|it| (it.act, it.object.clone().unwrap(), it.said["findings"].is_empty()))
            .collect();
        assert_eq!(
            told,
            [
                ("review.approve", decided[0].clone(), false),
                ("review.reject", decided[3].clone(), true),
                ("review.correct", decided[4].clone(), false),
                ("review.release", unread.to_string(), true),
            ]
        );
        assert_eq!(report.overrides.first[0].said["findings"], "NO_ORDER");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_tells_of_entries_that_were_refused_before_sealing() {
    // On SQLite nothing ever waits. What was refused is missing where it belongs, so that nothing agrees at the end.
    for place in stores().await.into_iter().filter(|it| it.on_postgres()) {
        let store = &place.store;
        admit(store, b"written by the program", NOW).await;
        admit(store, b"touched by somebody", NOW).await;
        let touched = "UPDATE log_outbox SET mac = '\\x00'::bytea || substring(mac from 2)
                       WHERE position = (SELECT max(position) FROM log_outbox)";
        assert_eq!(place.execute(touched).await.unwrap(), 1);
        let report = store.report(today(), &auditor(), NOW).await.unwrap();
        assert_eq!((report.refused.count, report.refused_entries, report.denied.count), (1, 1, 0));
        assert_eq!(report.refused.first[0].said["why"], "it was not written by this program");
    }
}

/// A case that people must decide: because no order is found for it, or because of its amount alone.
async fn in_review(store: &Store, n: usize, found: bool) -> Case {
    let (_, bytes) = demo::stream(10, 3, NOW.date()).nth(n).unwrap();
    let id = admit(store, &bytes, NOW).await;
    let extraction = extract::read(&bytes).unwrap().extraction;
    let policy = policy();
    let extracted = Event::Extracted { extraction: Box::new(extraction.clone()), pictures: Vec::new() };
    store.apply(id, 0, extracted, &machine(), NOW).await.unwrap();
    let validated = Event::Validated { findings: Vec::new(), policy: policy.digest };
    store.apply(id, 1, validated, &machine(), NOW).await.unwrap();
    let mut findings: Vec<Finding> = Vec::new();
    if found {
        let case = store.case(id).await.unwrap();
        let gathered = store.gather(&case, &|known| case::wanted(&extraction, known, &policy)).await.unwrap();
        findings = case::reconcile(&extraction, &gathered.known, &policy, NOW.date()).findings;
        findings.retain(|finding| finding.code.name() == "NO_ORDER");
        assert_eq!(findings.len(), 1);
    }
    let checkpoints = policy.route(Kind::Invoice, Some("5000".parse().unwrap()), &findings, NOW);
    let reconciled = crate::support::verdict(findings, checkpoints, &policy);
    let case = store.apply(id, 2, reconciled, &machine(), NOW).await.unwrap();
    assert_eq!(case.state, State::InReview);
    case
}

async fn decide(store: &Store, case: &Case, verdict: Verdict, by: &Actor) {
    let decision = Decision { by: by.clone(), verdict, reason: "as agreed".into(), seen: case.content(), at: NOW };
    store.apply(case.id, case.revision, Event::Decided(decision), by, NOW).await.unwrap();
}

fn listed<'a>(noted: &'a [store::Noted], said: &str) -> Vec<(&'a str, &'a str, String)> {
    noted.iter().map(|it| (it.act, it.actor.as_str(), it.said[said].clone())).collect()
}
