//! What an auditor is given: receipts, openings, the report about a period, samples. Each test plays on both databases, and
//! judges what was handed out as somebody would who has it and the log's key, and nothing else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;
use crate::support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use audit::{Act, Body, Leaf, Outcome, Value, VerifierKey, entries_path, verify_receipt};
use case::{
    Actor, Case, CaseId, Change, Decision, Digest, Event, Finding, Kind, Role, Scope, State, Timestamp, Verdict,
};
use jiff::civil::{Date, date};
use program::Workspace;
use serde_json::{Value as Json, json};
use store::{Admission, Error, NewAccount, Period, SampleAsk, ServiceSign, Store};
use support::{NOW, arrival, machine, on_both, person, policy, seconds_later, stores, unreadable};
use tempfile::TempDir;

const DAY: i64 = 86_400;

// --- Receipts ------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_about_a_case_has_a_receipt_and_the_last_says_that_they_were_handed_out() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let (id, other) = (quarantined(store, b"noise").await, quarantined(store, b"other noise").await);
        // More than a tile of entries, so that the receipts need several.
        for _ in 0..300 {
            store.view(other, &auditor(), NOW).await.unwrap();
        }
        store.view(id, &auditor(), NOW).await.unwrap();
        let about = |entries: &[Body]| entries.iter().filter(|it| is_about(it, id)).count() as u64;
        let before = about(&place.entries().await);
        let out = dir.path().join("receipts");
        let proved = store.prove_case(id, &out, false, &auditor(), NOW).await.unwrap();
        assert_eq!((proved.given.receipts, proved.given.unproved, proved.given.openings), (before + 1, 0, 0));
        assert_eq!(about(&place.entries().await), before + 1);

        let receipts = receipts_in(&out, &proved.head.verifier_key);
        assert_eq!(receipts.len() as u64, before + 1);
        assert!(receipts.values().all(|body| is_about(body, id)));
        let last = receipts.values().next_back().unwrap();
        assert_eq!((last.act, &last.d["receipts"]), (Act::LogProve, &Value::Integer(proved.given.receipts as i64)));
        assert!(!out.join("openings.jsonl").exists(), "nobody asked for them");
        as_the_readme_says(&out, *receipts.keys().next().unwrap(), &proved.head.verifier_key);

        let again = store.prove_case(id, &dir.path().join("again"), false, &auditor(), NOW).await.unwrap();
        assert_eq!(again.given.receipts, before + 2);
        receipts_in(&out, &proved.head.verifier_key);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_fails_for_any_other_entry_and_when_anything_in_it_is_changed() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        let proved = store.prove_case(id, dir.path(), false, &auditor(), NOW).await.unwrap();
        let keys = [VerifierKey::parse(&proved.head.verifier_key).unwrap()];
        let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
        let (entry, receipt) = (read("1.json"), read("1.tlog-proof"));
        assert_eq!(verify_receipt(&receipt, &entry, &keys).unwrap().index, 1);
        assert!(verify_receipt(&receipt, &read("0.json"), &keys).is_err());
        for at in 0..entry.len() {
            let mut changed = entry.clone();
            changed[at] ^= 1;
            assert!(verify_receipt(&receipt, &changed, &keys).is_err(), "byte {at} of the entry");
        }
        for at in 0..receipt.len() {
            let mut changed = receipt.clone();
            changed[at] ^= 1;
            assert!(verify_receipt(&changed, &entry, &keys).is_err(), "byte {at} of the receipt");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_whole_while_others_write_and_sign() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let (id, other) = (quarantined(store, b"noise").await, quarantined(store, b"other noise").await);
        store.sign_log(NOW).await.unwrap();
        // A newer head takes the tiles of the right edge away from the one before it.
        let mut writing = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let busy = place.another().await;
            writing.spawn(async move {
                for _ in 0..60 {
                    busy.view(other, &auditor(), NOW).await.unwrap();
                    busy.seal_log(NOW).await.unwrap();
                    busy.sign_log(NOW).await.unwrap();
                }
            });
        }
        let mut n = 0;
        while writing.try_join_next().is_none_or(|done| done.is_ok()) && !writing.is_empty() {
            let out = dir.path().join(n.to_string());
            let proved = store.prove_case(id, &out, true, &auditor(), NOW).await.unwrap();
            assert_eq!(receipts_in(&out, &proved.head.verifier_key).len() as u64, proved.given.receipts);
            n += 1;
        }
        assert!(3 < n && writing.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_given_before_and_after_the_log_has_a_new_key_verify_with_the_key_of_their_head() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        let before = store.prove_case(id, &dir.path().join("before"), false, &auditor(), NOW).await.unwrap();
        let rotated = store.rotate_log_key(&admin(), NOW).await.unwrap();
        let after = store.prove_case(id, &dir.path().join("after"), false, &auditor(), NOW).await.unwrap();
        assert_ne!(before.head.verifier_key, after.head.verifier_key);
        assert_eq!(rotated.verifier_key, after.head.verifier_key);
        assert_eq!(receipts_in(&dir.path().join("before"), &before.head.verifier_key).len(), 3);
        assert_eq!(receipts_in(&dir.path().join("after"), &after.head.verifier_key).len(), 4);
        let report = store.report(today(), &auditor(), NOW).await.unwrap();
        let told: Vec<_> = report.keys.first.iter().map(|it| (it.act, it.said["after"].clone())).collect();
        assert_eq!(told, [("key.rotate", rotated.verifier_key)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_went_on_in_a_new_log_has_receipts_from_both() {
    for place in stores().await {
        let (old, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(old, b"noise").await;
        let key = {
            old.seal_log(NOW).await.unwrap();
            old.sign_log(NOW).await.unwrap();
            old.head().await.unwrap().unwrap().verifier_key
        };
        // One entry that no head of the old log covers.
        old.view(id, &auditor(), NOW).await.unwrap();
        old.seal_log(NOW).await.unwrap();
        old.begin_log("audit.test.example/tests/2", "moved to another house", &admin(), NOW).await.unwrap();
        let config = store::Config { origin: "audit.test.example/tests/2".into(), ..place.config.clone() };
        let new = Store::open(&config).await.unwrap();
        new.view(id, &auditor(), NOW).await.unwrap();

        let proved = new.prove_case(id, dir.path(), true, &auditor(), NOW).await.unwrap();
        assert_eq!((proved.given.receipts, proved.given.unproved), (4, 1));
        // Each log has its own key, and so its own folder.
        let new_key = proved.head.verifier_key.clone();
        assert_eq!(proved.folders, BTreeMap::from([("log-1".into(), key.clone()), ("log-2".into(), new_key.clone())]));
        let (earlier, later) =
            (receipts_in(&dir.path().join("log-1"), &key), receipts_in(&dir.path().join("log-2"), &new_key));
        let acts = |receipts: &BTreeMap<u64, Body>| -> Vec<(u64, &str)> {
            receipts.iter().map(|(index, body)| (*index, body.act.text())).collect()
        };
        assert_eq!(acts(&earlier), [(0, "case.admit"), (1, "case.quarantine")]);
        assert_eq!(acts(&later), [(1, "document.view"), (2, "log.prove")]);
        assert_eq!(later[&2].d["receipts"], Value::Integer(4));
        assert_eq!(openings_in(&dir.path().join("log-1"), |i| earlier[&i].clone()).len(), 4);
        let readme = std::fs::read_to_string(dir.path().join("README.md")).unwrap();
        assert!(readme.contains(&key) && readme.contains("For 1 entries of earlier logs"), "{readme}");

        let report = new.report(today(), &auditor(), NOW).await.unwrap();
        let parts: Vec<_> = report.logs.iter().map(|it| (it.log, it.first, it.last)).collect();
        assert_eq!((parts, report.entries), (vec![(1, 0, 2), (2, 0, 3)], 7));
        let told: Vec<_> = report.keys.first.iter().map(|it| (it.log, it.act)).collect();
        assert_eq!(told, [(2, "log.begin")]);
        assert_eq!(new.check(true, None, NOW).await.unwrap().faults, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_not_mixed_with_what_lies_in_a_folder_already() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        std::fs::write(dir.path().join("7.json"), "of last year").unwrap();
        let refused = store.prove_case(id, dir.path(), false, &auditor(), NOW).await;
        assert!(matches!(&refused, Err(Error::Unacceptable { what }) if what.contains("`7.json`")), "{refused:?}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(place.entries().await.iter().all(|it| it.act != Act::LogProve), "nothing was handed out");
    })
    .await;
}

// --- Openings ------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn openings_fit_the_commitments_of_their_entries() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        let out = dir.path().join("receipts");
        let proved = store.prove_case(id, &out, true, &auditor(), NOW).await.unwrap();
        let receipts = receipts_in(&out, &proved.head.verifier_key);
        let committed: usize = receipts.values().map(|body| body.c.len()).sum();
        let openings = openings_in(&out, |i| receipts[&i].clone());
        assert_eq!((openings.len(), proved.given.openings), (committed, committed as u64));
        let told = |path: &str| openings.iter().find(|it| it.0 == path).map(|it| it.1.clone());
        assert_eq!(told("source"), Some(json!("document")));
        assert_eq!(told("digest"), Some(json!(Digest::of(b"noise").to_string())));
        assert_eq!(told("reason"), Some(json!("not a format this reader knows")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commitments_that_nobody_can_open_any_more_are_counted() {
    for place in stores().await {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        // As erasing does.
        assert_eq!(place.execute(&format!("DELETE FROM log_openings WHERE object = '{id}'")).await.unwrap(), 2);
        let after = store.prove_case(id, &dir.path().join("after"), true, &auditor(), NOW).await.unwrap();
        assert_eq!((after.given.openings, after.given.erased), (0, 4));
        assert_eq!(std::fs::read(dir.path().join("after/openings.jsonl")).unwrap(), b"");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_of_another_entry_is_not_handed_out() {
    for place in stores().await {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        let entries = place.entries().await;
        let (admit, quarantine) = (&entries[0].id, &entries[1].id);
        let swap = format!(
            "UPDATE log_openings SET body = (SELECT body FROM log_openings WHERE entry_id = '{admit}')
             WHERE entry_id = '{quarantine}'"
        );
        assert_eq!(place.execute(&swap).await.unwrap(), 1);
        let refused = store.prove_case(id, &dir.path().join("receipts"), true, &auditor(), NOW).await;
        assert!(matches!(refused, Err(Error::Vault(_))), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_with_openings_opens_every_commitment_of_the_whole_log_in_order() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        for n in 0..5_u8 {
            quarantined(store, &[n]).await;
        }
        assert!(matches!(store.sign_in("nobody", "wrong", "192.0.2.7", NOW).await, Ok(store::SignIn::Wrong)));
        for _ in 0..2 {
            // The second continues the first.
            let exported = store.export_log(dir.path(), &auditor(), NOW, |_, _| {}).await.unwrap();
            let given = store.export_openings(&exported, &auditor(), NOW, |_, _| {}).await.unwrap();
            support::verify_export(dir.path(), &exported.head.verifier_key);
            let entries = exported_bodies(dir.path(), exported.head.size);
            let committed: usize = entries.iter().map(|body| body.c.len()).sum();
            let openings = openings_in(dir.path(), |i| entries[i as usize].clone());
            assert_eq!((openings.len(), given.openings, given.erased), (committed, committed as u64, 0));
            assert!(openings.contains(&("address".to_owned(), json!("192.0.2.7"))));
        }
    })
    .await;
}

// --- Who may -------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_have_evidence_is_refused_and_the_refusal_is_entered() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        let reviewer = person("usr_r", &[Role::Operator, Role::Reviewer, Role::Legal], 2);
        let exported = store.export_log(&dir.path().join("log"), &auditor(), NOW, |_, _| {}).await.unwrap();
        let before = place.entries().await.len();
        let (out, ask) = (dir.path().join("out"), ask(1, NOW.date(), NOW.date()));
        let period = ask.period;
        assert!(matches!(store.prove_case(id, &out, false, &reviewer, NOW).await, Err(Error::Denied(_))));
        assert!(matches!(store.prove_case(id, &out, true, &admin(), NOW).await, Err(Error::Denied(_))));
        assert!(matches!(store.export_openings(&exported, &admin(), NOW, |_, _| {}).await, Err(Error::Denied(_))));
        assert!(matches!(store.report(period, &reviewer, NOW).await, Err(Error::Denied(_))));
        assert!(matches!(store.commit_sample(&ask, &reviewer, NOW).await, Err(Error::Denied(_))));
        assert!(matches!(store.samples(&reviewer, NOW).await, Err(Error::Denied(_))));
        let drawn = store.draw_sample("0000", &out, &show, &reviewer, NOW, |_, _| {}).await;
        assert!(matches!(drawn, Err(Error::Denied(_))));
        assert!(!out.exists() && !dir.path().join("log/openings.jsonl").exists());

        let denials: Vec<_> = place.entries().await.into_iter().skip(before).collect();
        let told: Vec<_> = denials.iter().map(|it| (it.act, it.actor.id.as_str(), text(&it.d["deed"]))).collect();
        let denied = |who, deed| (Act::ReviewDenied, who, deed);
        assert_eq!(
            told,
            [
                denied("usr_r", "ReadLog"),
                denied("usr_adm", "OpenLog"),
                denied("usr_adm", "OpenLog"),
                denied("usr_r", "ReadLog"),
                denied("usr_r", "ReadLog"),
                denied("usr_r", "ReadLog"),
                denied("usr_r", "ReadLog"),
            ]
        );
        assert!(denials.iter().all(|it| it.res == Outcome::Denied));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_with_a_scope_samples_replays_and_opens_within_it_and_reads_the_whole_log() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let new = NewAccount { name: "Ada".into(), password: None, roles: vec![Role::Auditor], level: 1 };
        store.create_account(new, None, NOW).await.unwrap();
        let id = quarantined(store, b"noise").await;
        let days = |from, to| Period { from, to };
        let (march, april) = (days(date(2026, 3, 1), date(2026, 3, 31)), days(date(2026, 4, 1), date(2026, 4, 30)));
        let sampled = |period| SampleAsk { count: 1, period, seed: None };
        let mut n = 0;
        for (scope, within) in [(april, false), (march, true)] {
            store.set_scope("Ada", Some(Scope { from: scope.from, to: scope.to }), None, NOW).await.unwrap();
            let ada = store.person("Ada").await.unwrap();
            store.report(days(date(2020, 1, 1), date(2030, 1, 1)), &ada, NOW).await.unwrap();
            let mut out = || {
                n += 1;
                dir.path().join(n.to_string())
            };
            assert!(store.prove_case(id, &out(), false, &ada, NOW).await.is_ok());
            assert_eq!(store.prove_case(id, &out(), true, &ada, NOW).await.is_ok(), within);
            let committed = store.commit_sample(&sampled(march), &ada, NOW).await;
            assert_eq!(committed.is_ok(), within);
            let replayed = store.replay(&policy(), march.from, march.to, &ada, NOW, |_, _| ()).await;
            assert_eq!(replayed.is_ok(), within);
            let wider = store.replay(&policy(), march.from, april.to, &ada, NOW, |_, _| ()).await;
            assert!(matches!(&wider, Err(Error::Denied(_))), "{wider:?}");
            // A part of the period outside is outside.
            let wider = store.commit_sample(&sampled(days(march.from, april.to)), &ada, NOW).await;
            assert!(
                matches!(&wider, Err(Error::Denied(denied)) if denied.needs.contains("another scope")),
                "{wider:?}"
            );
            let exported = store.export_log(&out(), &ada, NOW, |_, _| {}).await.unwrap();
            assert!(matches!(store.export_openings(&exported, &ada, NOW, |_, _| {}).await, Err(Error::Denied(_))));
            assert!(!exported.dir.join("openings.jsonl").exists());
            if let Ok(committed) = committed {
                store.sign_log(NOW).await.unwrap();
                store.draw_sample(&committed.sample, &out(), &show, &ada, NOW, |_, _| {}).await.unwrap();
            }
        }
        let denied = place.entries().await.iter().filter(|it| it.act == Act::ReviewDenied).count();
        assert_eq!(denied, 3 + 1 + 2 + 3);
    })
    .await;
}

// --- The report ----------------------------------------------------------------------------------------------------

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
        let texts = policy_texts();
        store.policy_loaded(&policy(), texts, &machine(), NOW).await.unwrap();
        store.record_service(ServiceSign::Stop, NOW).await.unwrap();
        store.seal_log(NOW).await.unwrap();
        admit(store, b"the day after", tomorrow).await;
        store.seal_log(tomorrow).await.unwrap();

        let report = store.report(today(), &auditor(), tomorrow).await.unwrap();
        let exported = store.export_log(&dir.path().join("log"), &auditor(), tomorrow, |_, _| {}).await.unwrap();
        let entries = exported_entries(&dir.path().join("log"), exported.head.size);
        let mut counted: BTreeMap<(String, String, String), u64> = BTreeMap::new();
        let mut indices = Vec::new();
        for (bytes, body) in &entries {
            let leaf = Leaf::parse(bytes).unwrap();
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
        let (_, last) = entries.iter().rev().find(|(_, body)| body.act == Act::LogReport).unwrap();
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

// --- Samples -------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_drawn_as_it_was_committed_to_and_anybody_can_draw_it_again_from_an_export() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        admit(store, b"before the period", seconds_later(-DAY)).await;
        store.seal_log(seconds_later(-DAY)).await.unwrap();
        for n in 0..40_u8 {
            admit(store, &[n], NOW).await;
        }
        let seed = [0x5a; 32];
        let ask = SampleAsk { seed: Some(seed), ..ask(7, NOW.date(), date(2026, 12, 31)) };
        let committed = store.commit_sample(&ask, &auditor(), NOW).await.unwrap();
        assert_eq!((committed.population, committed.frame.first, committed.frame.last), (40, 1, 40));
        assert_eq!((committed.seed.as_str(), committed.seed_digest), ("5a".repeat(32).as_str(), Digest::of(&seed)));
        // Whatever comes in now cannot be drawn any more.
        for n in 100..120_u8 {
            admit(store, &[n], NOW).await;
        }

        let out = dir.path().join("early");
        let early = store.draw_sample(&committed.sample, &out, &show, &auditor(), NOW, |_, _| {}).await;
        assert!(matches!(&early, Err(Error::Unacceptable { what }) if what.contains("no signed head")), "{early:?}");
        assert!(!out.exists());
        store.sign_log(NOW).await.unwrap();
        assert_eq!(store.samples(&auditor(), NOW).await.unwrap()[0].drawn, None);
        let end = &committed.sample[committed.sample.len() - 8..];
        let mut draws = Vec::new();
        for name in ["first", "second"] {
            let draw = store.draw_sample(end, &dir.path().join(name), &show, &auditor(), NOW, |_, _| {}).await;
            draws.push(draw.unwrap());
            admit(store, name.as_bytes(), NOW).await;
        }
        assert_eq!(draws[0].cases, draws[1].cases);
        assert_eq!((draws[0].population, draws[0].commit), (40, committed.index));
        // It is drawn once; then its evidence is handed out again, and that is entered for every case.
        assert_eq!(draws[0].draw, draws[1].draw);
        let drawn_case = draws[0].cases[3];
        let handed_out =
            place.entries().await.into_iter().filter(|it| it.act == Act::LogProve && is_about(it, drawn_case));
        assert_eq!(handed_out.count(), 2);

        // The independent computation: the log, the entries of the commitment and the draw, SHA-256, and nothing else.
        let log = dir.path().join("log");
        let exported = store.export_log(&log, &auditor(), NOW, |_, _| {}).await.unwrap();
        let entries = exported_bodies(&log, exported.head.size);
        let draw = &entries[draws[0].draw as usize];
        let commit = entries.iter().find(|it| it.id == text(&draw.d["commit"])).unwrap();
        assert_eq!((commit.act, draw.act), (Act::SampleCommit, Act::SampleDraw));
        let shown: Digest = text(&draw.d["seed"]).parse().unwrap();
        assert_eq!(Digest::of(&shown.0).to_string(), text(&commit.d["seed"]));
        let (first, last) = (number(&commit.d["first"]) as usize, number(&commit.d["last"]) as usize);
        let population: Vec<&Body> = entries[first..=last].iter().filter(|it| it.act == Act::CaseAdmit).collect();
        assert_eq!(number(&draw.d["cases"]), population.len() as i64);
        let drawn: Vec<String> = drawn_by_hand(&shown.0, population.len() as u64, number(&commit.d["count"]) as usize)
            .into_iter()
            .map(|rank| population[rank as usize].obj.as_ref().unwrap().id.clone())
            .collect();
        assert_eq!(drawn, draws[0].cases.iter().map(CaseId::to_string).collect::<Vec<_>>());
        let Value::List(told) = &draw.d["drawn"] else { panic!("{draw:?}") };
        assert_eq!(told.iter().map(text).collect::<Vec<_>>(), drawn);

        let listed = store.samples(&auditor(), NOW).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].drawn.as_ref().unwrap().index, listed[0].again.len()), (draws[0].draw, 1));
        assert_eq!(listed[0].committed.as_ref().unwrap().index, committed.index);
        assert_eq!(listed[0].frame, Some(committed.frame));

        // The auditor's own program says the same.
        let key = VerifierKey::parse(&exported.head.verifier_key).unwrap();
        let (report, judged) = audit::samples(&log, &audit::Ask::of(key)).unwrap();
        assert!(report.fault.is_none() && judged.len() == 1, "{report:?}");
        assert_eq!((judged[0].disagreement.as_ref(), judged[0].draw), (None, Some(draws[0].draw)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pack_of_a_sample_holds_what_its_manifest_says_and_every_receipt_in_it_verifies() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        for n in 0..10_u8 {
            let bytes = [b"document ".as_slice(), &[n]].concat();
            // Of a sender's name only a plain ending is taken over.
            let name = if n % 2 == 0 { "../../Rechnung 7.PDF" } else { "x./../../etc/passwd./evil" };
            let document = arrival(&bytes, name, "inbox");
            store.admit(document, &machine(), NOW).await.unwrap();
        }
        let committed = store.commit_sample(&ask(7, NOW.date(), NOW.date()), &auditor(), NOW).await.unwrap();
        store.sign_log(NOW).await.unwrap();
        let out = dir.path().join("pack");
        let drawn = store.draw_sample(&committed.sample, &out, &show, &auditor(), NOW, |_, _| {}).await.unwrap();
        assert_eq!((drawn.cases.len(), drawn.left_out.len(), drawn.faults.len()), (7, 0, 0));

        let manifest: Json = serde_json::from_slice(&std::fs::read(out.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["seed_sha256"], json!(Digest::of(&committed.seed.parse::<Digest>().unwrap().0)));
        assert_eq!((&manifest["commit"]["index"], &manifest["draw"]["index"]), (&json!(10), &json!(drawn.draw)));
        assert_eq!(manifest["population"], json!({"first": 0, "last": 9, "cases": 10}));
        let mut there = files_below(&out);
        assert!(there.remove("manifest.json").is_some());
        let told: BTreeMap<String, String> = serde_json::from_value(manifest["files"].clone()).unwrap();
        assert_eq!(told, there.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes).to_string())).collect());

        let key = &drawn.head.verifier_key;
        let frame = receipts_in(&out.join("sample"), key);
        let acts: Vec<_> = frame.values().map(|body| body.act).collect();
        assert_eq!(acts, [Act::SampleCommit, Act::SampleDraw]);
        let mut endings = BTreeSet::new();
        for (listed, id) in manifest["cases"].as_array().unwrap().iter().zip(&drawn.cases) {
            assert_eq!(listed["case"], json!(id));
            let folder = out.join(listed["folder"].as_str().unwrap());
            let receipts = receipts_in(&folder.join("receipts"), key);
            let acts: Vec<_> = receipts.values().map(|body| body.act.text()).collect();
            assert_eq!(acts, ["case.admit", "log.prove", "document.view", "document.view"]);
            assert!(receipts.values().all(|body| is_about(body, *id)));
            let openings = openings_in(&folder.join("receipts"), |i| receipts[&i].clone());
            assert!(openings.contains(&("channel".to_owned(), json!("inbox"))));
            let case = store.case(*id).await.unwrap();
            let original = if case.document.file_name.ends_with("PDF") { "original.pdf" } else { "original.bin" };
            assert_eq!(std::fs::read(folder.join(original)).unwrap(), store.original_bytes(&case).await.unwrap());
            endings.insert(original);
            let shown: Json = serde_json::from_slice(&std::fs::read(folder.join("case.json")).unwrap()).unwrap();
            assert_eq!(shown, json!({"case": id, "events": 4}));
        }
        assert_eq!(endings.len(), 2);
        as_the_readme_says(&out, 10, key);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_see_cases_gets_a_pack_without_them() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        admit(store, b"a document", NOW).await;
        let committed = store.commit_sample(&ask(1, NOW.date(), NOW.date()), &admin(), NOW).await.unwrap();
        store.sign_log(NOW).await.unwrap();
        let drawn = store.draw_sample(&committed.sample, dir.path(), &show, &admin(), NOW, |_, _| {}).await.unwrap();
        assert_eq!(drawn.left_out, ["openings", "case", "original"]);
        let names: BTreeSet<String> = files_below(dir.path())
            .into_keys()
            .map(|path| path.rsplit('/').next().unwrap().to_owned())
            .filter(|name| !name.ends_with(".tlog-proof"))
            .collect();
        let expected = ["0.json", "1.json", "2.json", "3.json", "README.md", "manifest.json"];
        assert_eq!(names, expected.map(str::to_owned).into());
        let entries = place.entries().await;
        assert!(entries.iter().all(|it| it.act != Act::DocumentView), "nothing was looked at");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_no_longer_opens_is_a_fault_of_the_pack_and_not_its_end() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = admit(store, b"a document", NOW).await;
        let committed = store.commit_sample(&ask(1, NOW.date(), NOW.date()), &auditor(), NOW).await.unwrap();
        store.sign_log(NOW).await.unwrap();
        let sealed = sealed_file(&place.folder(), &store.case(id).await.unwrap().original.to_string());
        let bytes = std::fs::read(&sealed).unwrap();
        std::fs::remove_file(&sealed).unwrap();
        let drawn = store.draw_sample(&committed.sample, dir.path(), &show, &auditor(), NOW, |_, _| {}).await.unwrap();
        assert!(drawn.faults.len() == 1 && drawn.faults[0].contains("the original"), "{:?}", drawn.faults);
        let manifest = std::fs::read_to_string(dir.path().join("manifest.json")).unwrap();
        assert!(manifest.contains("the original"));
        std::fs::write(&sealed, bytes).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_that_cannot_be_is_refused_with_both_numbers() {
    on_both(async |place| {
        let store = &place.store;
        for n in 0..3_u8 {
            admit(store, &[n], NOW).await;
        }
        for count in [0, 4] {
            let refused = store.commit_sample(&ask(count, NOW.date(), NOW.date()), &auditor(), NOW).await;
            let Err(Error::Unacceptable { what }) = refused else { panic!("{refused:?}") };
            assert!(what.contains(&format!("{count} cases was asked")) && what.contains("3 cases came in"), "{what}");
        }
        let none = store.commit_sample(&ask(1, date(2020, 1, 1), date(2020, 1, 2)), &auditor(), NOW).await;
        assert!(matches!(none, Err(Error::Unacceptable { .. })), "{none:?}");
        let unknown = store.draw_sample("beef", Path::new("/nowhere"), &show, &auditor(), NOW, |_, _| {}).await;
        assert!(matches!(unknown, Err(Error::NoSuch { what: "sample", .. })), "{unknown:?}");
        assert_eq!(place.entries().await.len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_was_changed_in_the_database_draws_nothing() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        for n in 0..3_u8 {
            admit(store, &[n], NOW).await;
        }
        let (one, two) = (
            store.commit_sample(&ask(1, NOW.date(), NOW.date()), &auditor(), NOW).await.unwrap(),
            store.commit_sample(&ask(1, NOW.date(), NOW.date()), &auditor(), NOW).await.unwrap(),
        );
        assert_ne!(one.seed, two.seed);
        store.sign_log(NOW).await.unwrap();
        // A sealed value is bound to its place, so another sample's seed does not open here.
        let swap = format!(
            "UPDATE samples SET body = (SELECT body FROM samples WHERE sample_id = '{}') WHERE sample_id = '{}'",
            two.sample, one.sample
        );
        assert_eq!(place.execute(&swap).await.unwrap(), 1);
        let refused = store.draw_sample(&one.sample, &dir.path().join("out"), &show, &auditor(), NOW, |_, _| {}).await;
        assert!(matches!(refused, Err(Error::Vault(_))), "{refused:?}");
        store.draw_sample(&two.sample, &dir.path().join("out"), &show, &auditor(), NOW, |_, _| {}).await.unwrap();
    })
    .await;
}

// --- On the command line -------------------------------------------------------------------------------------------

#[test]
fn an_auditor_takes_receipts_a_report_and_a_sample_on_the_command_line() {
    let workspace = Workspace::new(None);
    for n in 0..6 {
        workspace.drop_file("invoices", &format!("{n}.bin"), format!("noise {n}").as_bytes());
    }
    workspace.ok(&["run", "--once"]);
    let id = workspace.cases()[0]["case"].as_str().unwrap().to_owned();
    let path = |name: &str| workspace.dir.join(name).to_str().unwrap().to_owned();
    let refused = workspace.run(&["log", "prove", &id, &path("no"), "--as", "rita"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let proved = workspace.json(&["log", "prove", &id, &path("receipts"), "--as", "ada", "--openings"]).remove(0);
    let key = proved["head"]["verifier_key"].as_str().unwrap().to_owned();
    let receipts = receipts_in(&workspace.dir.join("receipts"), &key);
    assert_eq!((json!(receipts.len()), proved["openings"].as_u64().unwrap() > 3), (proved["receipts"].clone(), true));

    workspace.audited(&["proof", &path("receipts"), "--key", &key]);

    let refused = workspace.run(&["log", "export", &path("log"), "--as", "adam", "--openings"]);
    assert_eq!((refused.status.code(), workspace.dir.join("log").exists()), (Some(1), false), "{refused:?}");
    workspace.ok(&["log", "export", &path("log"), "--as", "ada", "--openings"]);
    let stale = workspace.run(&["log", "export", &path("log"), "--as", "ada"]);
    assert!(
        stale.status.code() == Some(2) && String::from_utf8_lossy(&stale.stderr).contains("--openings"),
        "{stale:?}"
    );

    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let days = ["--from", "2026-01-01", "--to", &today, "--as", "ada"];
    let report = workspace.json(&[["log", "report"].as_slice(), &days].concat()).remove(0);
    assert_eq!((&report["denied"]["count"], report["acts"].as_array().unwrap().len() > 5), (&json!(2), true));
    let words = workspace.ok(&[["log", "report"].as_slice(), &days].concat());
    let admitted = words.lines().any(|line| line.split_whitespace().eq(["case.admit", "6", "0", "0"]));
    assert!(words.contains("Denied: 2") && admitted, "{words}");

    let sample = [["log", "sample", "commit", "--count", "2"].as_slice(), &days].concat();
    let committed = workspace.json(&sample).remove(0);
    assert_eq!((&committed["population"], committed["seed"].as_str().unwrap().len()), (&json!(6), 64));
    let id = committed["sample"].as_str().unwrap().to_owned();
    let drawn = workspace.json(&["log", "sample", "draw", &id, &path("pack"), "--as", "ada"]).remove(0);
    assert_eq!(drawn["cases"].as_array().unwrap().len(), 2);
    let case = drawn["cases"][0].as_str().unwrap();
    let shown = workspace.json(&["case", "show", case]).remove(0);
    let packed = workspace.dir.join(format!("pack/cases/001-{case}/case.json"));
    let packed: Json = serde_json::from_slice(&std::fs::read(packed).unwrap()).unwrap();
    assert_eq!((&packed["digest"], &packed["events"]), (&shown["digest"], &shown["events"]));
    assert_eq!(workspace.json(&["log", "sample", "list", "--as", "ada"]).remove(0)["sample"], json!(id));
    workspace.audited(&[
        "proof",
        &path(&format!("pack/cases/001-{case}/receipts")),
        &path("pack/sample"),
        "--key",
        &key,
    ]);
    workspace.ok(&["log", "export", &path("log"), "--as", "ada", "--openings"]);
    let told = workspace.audited(&["sample", &path("log"), "--key", &key]);
    assert!(told.is_none_or(|told| told.contains("all 1 are as they were committed to")));
    workspace.judge();
}

// --- What the tests are made of ------------------------------------------------------------------------------------

fn auditor() -> Actor {
    person("usr_auditor", &[Role::Auditor], 1)
}

fn admin() -> Actor {
    person("usr_adm", &[Role::Admin], 1)
}

fn today() -> Period {
    Period { from: NOW.date(), to: NOW.date() }
}

fn ask(count: u64, from: Date, to: Date) -> SampleAsk {
    SampleAsk { count, period: Period { from, to }, seed: None }
}

fn show(case: &Case, history: &[store::Happening]) -> Json {
    json!({"case": case.id, "events": history.len()})
}

async fn admit(store: &Store, bytes: &[u8], now: Timestamp) -> CaseId {
    match store.admit(arrival(bytes, "document", "inbox"), &machine(), now).await.unwrap() {
        Admission::New(id) => id,
        Admission::Duplicate(twin) => panic!("it is here already as {twin}"),
    }
}

async fn quarantined(store: &Store, bytes: &[u8]) -> CaseId {
    let id = admit(store, bytes, NOW).await;
    store.apply(id, 0, unreadable(), &machine(), NOW).await.unwrap();
    id
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
        let gathered = store.gather(&case, |known| case::wanted(&extraction, known, &policy)).await.unwrap();
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

fn policy_texts() -> [&'static str; 3] {
    [
        include_str!("../../policies/checkpoints.toml"),
        include_str!("../../policies/tolerances.toml"),
        include_str!("../../policies/retention.toml"),
    ]
}

fn is_about(body: &Body, id: CaseId) -> bool {
    body.obj.as_ref().is_some_and(|object| object.id == id.to_string())
}

#[track_caller]
fn text(value: &Value) -> &str {
    let Value::Text(text) = value else { panic!("{value:?}") };
    text
}

#[track_caller]
fn number(value: &Value) -> i64 {
    let Value::Integer(number) = value else { panic!("{value:?}") };
    *number
}

fn listed<'a>(noted: &'a [store::Noted], said: &str) -> Vec<(&'a str, &'a str, String)> {
    noted.iter().map(|it| (it.act, it.actor.as_str(), it.said[said].clone())).collect()
}

/// Every entry in a folder of receipts by its index, verified as somebody would who has the folder and the key: by our own
/// verifier, and by one of other makers where it lies beside the one that `COUNTERSIGN_TLOGCHECK` names.
#[track_caller]
fn receipts_in(dir: &Path, key: &str) -> BTreeMap<u64, Body> {
    let keys = [VerifierKey::parse(key).unwrap()];
    let other = std::env::var_os("COUNTERSIGN_TLOGCHECK").map(|it| PathBuf::from(it).with_file_name("tlogcheck"));
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "tlog-proof") {
            continue;
        }
        let (file, receipt) = (path.with_extension("json"), std::fs::read(&path).unwrap());
        let bytes = std::fs::read(&file).unwrap();
        let verified = verify_receipt(&receipt, &bytes, &keys).unwrap();
        let leaf = Leaf::parse(&bytes).unwrap();
        assert_eq!(verified.index, leaf.index);
        assert_eq!(path.file_stem().unwrap().to_str().unwrap(), leaf.index.to_string());
        if let Some(program) = other.as_ref().filter(|it| it.exists()) {
            let output = Command::new(program).args(["proof", "-entry"]).arg(file).arg(path).arg(key).output().unwrap();
            assert!(output.status.success(), "the independent verifier says: {output:?}");
        }
        found.insert(leaf.index, Body::parse(leaf.body).unwrap());
    }
    found
}

/// Path and value of every opening in a folder, each compared with the commitment in its entry, in order.
#[track_caller]
fn openings_in(dir: &Path, entry: impl Fn(u64) -> Body) -> Vec<(String, Json)> {
    let lines = std::fs::read_to_string(dir.join("openings.jsonl")).unwrap();
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<_> = lines.iter().map(|it| (it["i"].as_u64().unwrap(), it["path"].as_str().unwrap())).collect();
    assert!(places.is_sorted());
    for (line, (i, path)) in lines.iter().zip(&places) {
        let body = entry(*i);
        let salt: Digest = line["salt"].as_str().unwrap().parse().unwrap();
        assert_eq!((line["id"].as_str(), line.as_object().unwrap().len()), (Some(body.id.as_str()), 5));
        assert_eq!(audit::commit(&salt.0, path, &line["value"]).unwrap(), body.c[*path]);
    }
    lines.iter().map(|it| (it["path"].as_str().unwrap().to_owned(), it["value"].clone())).collect()
}

/// The entries of an export, from its bundles.
fn exported_entries(dir: &Path, size: u64) -> Vec<(Vec<u8>, Body)> {
    let mut entries = Vec::new();
    while (entries.len() as u64) < size {
        let n = entries.len() as u64 / 256;
        let bundle = std::fs::read(dir.join(entries_path(n, (size - n * 256).min(256)))).unwrap();
        let mut rest = bundle.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (entry, after) = after.split_at(u16::from_be_bytes(*length).into());
            entries.push((entry.to_vec(), Body::parse(Leaf::parse(entry).unwrap().body).unwrap()));
            rest = after;
        }
    }
    entries
}

fn exported_bodies(dir: &Path, size: u64) -> Vec<Body> {
    exported_entries(dir, size).into_iter().map(|(_, body)| body).collect()
}

/// As the README of a pack tells it, from SHA-256 up.
fn drawn_by_hand(seed: &[u8; 32], population: u64, count: usize) -> Vec<u64> {
    let hmac = |message: &[u8]| {
        let mut key = [0; 64];
        key[..32].copy_from_slice(seed);
        let inner = Digest::of(&[key.map(|byte| byte ^ 0x36).as_slice(), message].concat());
        Digest::of(&[key.map(|byte| byte ^ 0x5c).as_slice(), &inner.0].concat())
    };
    let limit = (1_u128 << 64) / u128::from(population) * u128::from(population);
    let mut drawn = Vec::new();
    let mut counter = 0_u64;
    while drawn.len() < count {
        let sum = hmac(&[b"audit-sample/v1\0".as_slice(), &counter.to_be_bytes()].concat());
        let number = u64::from_be_bytes(sum.0[..8].try_into().unwrap());
        let rank = number % population;
        if u128::from(number) < limit && !drawn.contains(&rank) {
            drawn.push(rank);
        }
        counter += 1;
    }
    drawn
}

/// Runs what a README tells to run, on one entry, where this machine has what it needs; and on a changed one.
#[track_caller]
fn as_the_readme_says(dir: &Path, index: u64, key: &str) {
    if std::env::var_os("COUNTERSIGN_TLOGCHECK").is_none() {
        return;
    }
    let readme = std::fs::read_to_string(dir.join("README.md")).unwrap();
    let (_, commands) = readme.split_once("```sh\n").unwrap();
    let (commands, _) = commands.split_once("```").unwrap();
    let here = if dir.join(format!("{index}.json")).exists() { dir.to_owned() } else { dir.join("sample") };
    let scratch = TempDir::new().unwrap();
    let (entry, receipt) = (scratch.path().join("e"), here.join(format!("{index}.tlog-proof")));
    std::fs::copy(here.join(format!("{index}.json")), &entry).unwrap();
    let commands = commands.replace("ENTRY.json", "e").replace("ENTRY.tlog-proof", receipt.to_str().unwrap());
    let commands = commands.replace("KEY", key);
    let run = || Command::new("sh").args(["-e", "-c", &commands]).current_dir(scratch.path()).output().unwrap();
    let output = run();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && told.contains("Verified Successfully"), "{output:?}");
    let mut bytes = std::fs::read(&entry).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&entry, bytes).unwrap();
    assert!(!run().status.success());
}

fn files_below(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn sealed_file(vault: &Path, id: &str) -> PathBuf {
    let (name, _) = files_below(vault).into_iter().find(|(name, _)| name.contains(id)).unwrap();
    vault.join(name)
}
