use case::Scope;
use store::{Listing, Rank};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_passwords_in_a_row_lock_an_account_for_a_while() {
    on_both(async |place| {
        let store = &place.store;
        account(store, Some("correct horse battery")).await;
        let try_it = async |password: &str, now| store.sign_in("Ada", password, "127.0.0.1", now).await.unwrap();
        for _ in 0..5 {
            assert!(matches!(try_it("wrong horse battery", NOW).await, SignIn::Wrong));
        }
        let SignIn::Wait { until } = try_it("correct horse battery", NOW).await else { panic!("it is locked") };
        assert_eq!(until, seconds_later(1));
        // One more failure waits twice as long; the right password clears the count.
        assert!(matches!(try_it("wrong horse battery", until).await, SignIn::Wrong));
        assert!(
            matches!(try_it("correct horse battery", until).await, SignIn::Wait { until } if until == seconds_later(3))
        );
        assert!(matches!(try_it("correct horse battery", seconds_later(3)).await, SignIn::Open { .. }));
        assert!(matches!(try_it("wrong horse battery", seconds_later(3)).await, SignIn::Wrong));
        assert!(matches!(try_it("correct horse battery", seconds_later(3)).await, SignIn::Open { .. }));
        // A name that nobody has is answered like a wrong password.
        let unknown = store.sign_in("Eve", "correct horse battery", "127.0.0.1", NOW).await.unwrap();
        assert!(matches!(unknown, SignIn::Wrong));
        let denied = place.entries().await.iter().filter(|it| it.act.text() == "session.denied").count();
        assert_eq!(denied, 8);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lasts_ten_hours_or_until_it_is_signed_out() {
    on_both(async |place| {
        let store = &place.store;
        account(store, Some("correct horse battery")).await;
        let sign_in = async || match store.sign_in(" ada ", "correct horse battery", "127.0.0.1", NOW).await.unwrap() {
            SignIn::Open { token, actor } => (token, actor),
            other => panic!("{other:?}"),
        };
        let (token, actor) = sign_in().await;
        let end = NOW.plus_hours(10);
        assert_eq!(store.session(&token, end).await.unwrap(), Some(actor));
        assert_eq!(store.session(&token, Timestamp(end.0 + 1)).await.unwrap(), None);

        let (token, actor) = sign_in().await;
        store.sign_out(&token, &actor, NOW).await.unwrap();
        assert_eq!(store.session(&token, NOW).await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_link_signs_in_once_within_a_day() {
    on_both(async |place| {
        let store = &place.store;
        let id = account(store, None).await;
        let link = store.one_time_link(&id, NOW).await.unwrap();
        assert_eq!(store.session(&link, NOW).await.unwrap(), None, "a link is no session");
        let uses = at_once(4, |_| {
            let (store, link) = (store.clone(), link.clone());
            async move { store.sign_in_by_link(&link, "127.0.0.1", NOW).await.unwrap() }
        })
        .await;
        let opened: Vec<_> = uses.into_iter().flatten().collect();
        assert_eq!(opened.len(), 1);
        assert_eq!(store.session(&opened[0].0, NOW).await.unwrap().unwrap().id, id);

        let late = store.one_time_link(&id, NOW).await.unwrap();
        let day = Timestamp(NOW.plus_hours(24).0 + 1);
        assert!(store.sign_in_by_link(&late, "127.0.0.1", day).await.unwrap().is_none());
        // Without a password nothing but a link signs in.
        assert!(matches!(store.sign_in("Ada", "", "127.0.0.1", NOW).await.unwrap(), SignIn::Wrong));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_opens_the_cases_of_their_scope_and_what_they_are_denied_is_entered() {
    on_both(async |place| {
        let store = &place.store;
        let id = admit(store, b"of March").await;
        let new = |name: &str, roles: &[Role]| NewAccount {
            name: name.into(),
            password: None,
            roles: roles.to_vec(),
            level: 1,
        };
        store.create_account(new("Ada", &[Role::Auditor]), None, NOW).await.unwrap();
        store.create_account(new("Rita", &[Role::Auditor, Role::Reviewer]), None, NOW).await.unwrap();
        let period = |from, to| Some(Scope { from, to });
        let (march, april) = (period(date(2026, 3, 1), date(2026, 3, 31)), period(date(2026, 4, 1), date(2026, 4, 30)));
        for (scope, opens) in [(None, true), (march, true), (april, false), (period(NOW.date(), NOW.date()), true)] {
            store.set_scope("Ada", scope, None, NOW).await.unwrap();
            let ada = store.person("Ada").await.unwrap();
            assert_eq!(store.view(id, &ada, NOW).await.is_ok(), opens, "{scope:?}");
            assert_eq!(store.download(id, &ada, NOW).await.is_ok(), opens, "{scope:?}");
            let within = store.authorize_within(&ada, Deed::ViewCase, NOW).await.unwrap();
            for order in [Rank::Due, Rank::Newest, Rank::Oldest] {
                let listed = store.list(Listing { state: None, order, rows_max: 10, skip: 0, within }).await.unwrap();
                assert_eq!(!listed.is_empty(), opens, "{scope:?}");
            }
        }
        store.set_scope("Rita", april, None, NOW).await.unwrap();
        let rita = store.person("Rita").await.unwrap();
        store.view(id, &rita, NOW).await.expect("a reviewer sees it, whatever the auditor in them may");
        store.set_scope("Ada", period(date(2026, 4, 1), date(2026, 3, 1)), None, NOW).await.unwrap_err();
        store.create_account(new("Rolf", &[Role::Reviewer]), None, NOW).await.unwrap();
        let refused = store.set_scope("Rolf", april, None, NOW).await.unwrap_err();
        assert!(refused.to_string().contains("`Rolf` is no auditor"), "{refused}");
        store.set_scope("Rolf", None, None, NOW).await.unwrap();
        let denied = place.entries().await.iter().filter(|it| it.act.text() == "review.denied").count();
        assert_eq!(denied, 2);
    })
    .await;
}

async fn account(store: &Store, password: Option<&str>) -> String {
    let new =
        NewAccount { name: "Ada".into(), password: password.map(str::to_owned), roles: vec![Role::Reviewer], level: 1 };
    store.create_account(new, None, NOW).await.unwrap().id
}
