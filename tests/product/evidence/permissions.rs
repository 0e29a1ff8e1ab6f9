use audit::Outcome;
use case::Scope;
use store::NewAccount;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_have_evidence_is_refused_and_the_refusal_is_entered() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        let reviewer = person("usr_r", &[Role::Operator, Role::Reviewer, Role::Legal], 2);
        let exported = store.export_log(&dir.path().join("log"), &auditor(), NOW, &mut |_, _| {}).await.unwrap();
        let before = place.entries().await.len();
        let (out, ask) = (dir.path().join("out"), ask(1, NOW.date(), NOW.date()));
        let period = ask.period;
        assert!(matches!(store.prove_case(id, &out, false, &reviewer, NOW).await, Err(Error::Denied(_))));
        assert!(matches!(store.prove_case(id, &out, true, &admin(), NOW).await, Err(Error::Denied(_))));
        assert!(matches!(store.export_openings(&exported, &admin(), NOW, &mut |_, _| {}).await, Err(Error::Denied(_))));
        assert!(matches!(store.report(period, &reviewer, NOW).await, Err(Error::Denied(_))));
        assert!(matches!(store.commit_sample(&ask, &reviewer, NOW).await, Err(Error::Denied(_))));
        assert!(matches!(store.samples(&reviewer, NOW).await, Err(Error::Denied(_))));
        let drawn = store.draw_sample("0000", &out, &show, &reviewer, NOW, &mut |_, _| {}).await;
        assert!(matches!(drawn, Err(Error::Denied(_))));
        assert!(!out.exists() && !dir.path().join("log/openings.jsonl").exists());

        let denials: Vec<_> = place.entries().await.into_iter().skip(before).collect();
        let told: Vec<_> = denials.iter().map(|it| (it.act, it.actor.id.as_str(), text(&it.d["deed"]))).collect();
        let denied = |who, deed| (Act::ReviewDenied, who, deed);
        assert_eq!(
            told,
            [
                denied("usr_r", "ReadLog"),
                denied("usr_admin", "OpenLog"),
                denied("usr_admin", "OpenLog"),
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
async fn an_auditor_with_a_scope_samples_replays_proves_and_opens_within_it_and_exports_the_whole_log() {
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
            assert_eq!(store.prove_case(id, &out(), false, &ada, NOW).await.is_ok(), within);
            assert_eq!(store.prove_case(id, &out(), true, &ada, NOW).await.is_ok(), within);
            let committed = store.commit_sample(&sampled(march), &ada, NOW).await;
            assert_eq!(committed.is_ok(), within);
            let replayed = store.replay(&policy(), march.from, march.to, &ada, NOW, &mut |_, _| ()).await;
            assert_eq!(replayed.is_ok(), within);
            let wider = store.replay(&policy(), march.from, april.to, &ada, NOW, &mut |_, _| ()).await;
            assert!(matches!(&wider, Err(Error::Denied(_))), "{wider:?}");
            // A part of the period outside is outside.
            let wider = store.commit_sample(&sampled(days(march.from, april.to)), &ada, NOW).await;
            assert!(
                matches!(&wider, Err(Error::Denied(denied)) if denied.needs.contains("another scope")),
                "{wider:?}"
            );
            let exported = store.export_log(&out(), &ada, NOW, &mut |_, _| {}).await.unwrap();
            assert!(matches!(store.export_openings(&exported, &ada, NOW, &mut |_, _| {}).await, Err(Error::Denied(_))));
            assert!(!exported.dir.join("openings.jsonl").exists());
            if let Ok(committed) = committed {
                store.sign_log(NOW).await.unwrap();
                store.draw_sample(&committed.sample, &out(), &show, &ada, NOW, &mut |_, _| {}).await.unwrap();
            }
        }
        let denied = place.entries().await.iter().filter(|it| it.act == Act::ReviewDenied).count();
        assert_eq!(denied, 4 + 1 + 2 + 3);
    })
    .await;
}
