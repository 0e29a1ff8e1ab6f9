use std::time::Duration;

use store::PolicyStanding;
use support::policy_within;
use tokio::sync::watch;
use work::{Loaded, PolicyFolder};

use super::*;

async fn load(store: &Store, (policy, texts): &(Policy, [String; 3]), now: Timestamp) -> PolicyStanding {
    store.policy_loaded(policy, texts.each_ref().map(String::as_str), &machine(), now).await.unwrap()
}

async fn propose(store: &Store, (policy, texts): &(Policy, [String; 3])) -> PolicyStanding {
    store.propose_policy(policy, texts.each_ref().map(String::as_str), &admin(), NOW).await.unwrap()
}

async fn approve(store: &Store, policy: &Policy) -> Result<(), Error> {
    store.approve_policy(&policy.digest.to_string(), None, &person("usr_second", &[Role::Reviewer], 2), NOW).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_in_force_that_this_program_cannot_read_is_replaced_by_two_people() {
    on_both(async |place| {
        let store = &place.store;
        let texts = ["[of_another_version]\n".to_owned(), String::new(), String::new()];
        assert!(Policy::parse(texts.each_ref().map(String::as_str)).is_err());
        let digest = Digest::of_value(&serde_json::json!(case::POLICY_FILES.iter().zip(&texts).collect::<Vec<_>>()));
        let mut policy = policy();
        policy.digest = digest;
        assert_eq!(load(store, &(policy, texts), NOW).await, PolicyStanding::InForce);

        let shipped = policy_within("2");
        let PolicyStanding::Waits { looser, proposed_by: None } = load(store, &shipped, NOW).await else { panic!() };
        assert!(looser.len() == 1 && looser[0].contains("cannot be read by this program"), "{looser:?}");
        // Nothing rules meanwhile, and whoever starts the service is told what to do.
        let folder = PolicyFolder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/policies"));
        // The folder is loaded by today's clock, and no entry may have waited since.
        store.seal_log(NOW).await.unwrap();
        let refused = folder.load(store, &machine()).await.unwrap_err().to_string();
        assert!(
            refused.contains("cannot be read by this program") && refused.contains("countersign policy propose"),
            "{refused}"
        );
        assert!(matches!(propose(store, &shipped).await, PolicyStanding::Waits { .. }));
        store.seal_log(NOW).await.unwrap();
        let refused = folder.load(store, &machine()).await.unwrap_err().to_string();
        assert!(refused.contains("countersign policy approve"), "{refused}");
        approve(store, &shipped.0).await.unwrap();
        store.seal_log(NOW).await.unwrap();
        let Loaded { policy, waits } = folder.load(store, &machine()).await.unwrap();
        assert_eq!((policy.digest, waits), (shipped.0.digest, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_worth_nothing_once_another_policy_came_into_force() {
    on_both(async |place| {
        let store = &place.store;
        let (before, looser, tighter) = (policy_within("1"), policy_within("2"), policy_within("0.5"));
        let in_force = async || store.policy_in_force().await.unwrap().unwrap().digest;
        assert_eq!(load(store, &before, seconds_later(10)).await, PolicyStanding::InForce);
        assert!(matches!(propose(store, &looser).await, PolicyStanding::Waits { .. }));
        approve(store, &looser.0).await.unwrap();
        // By the clock of another node, which is late.
        assert_eq!(load(store, &tighter, NOW).await, PolicyStanding::InForce);
        assert_eq!(in_force().await, tighter.0.digest);

        let stands = load(store, &looser, NOW).await;
        assert!(matches!(stands, PolicyStanding::Waits { proposed_by: None, .. }), "{stands:?}");
        assert_eq!(in_force().await, tighter.0.digest);
        let refused = approve(store, &looser.0).await.unwrap_err().to_string();
        assert!(refused.contains("nobody proposed this policy"), "{refused}");
        propose(store, &looser).await;
        approve(store, &looser.0).await.unwrap();
        assert_eq!(load(store, &looser, NOW).await, PolicyStanding::InForce);
        assert_eq!(in_force().await, looser.0.digest);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_approved_by_writing_to_the_database_is_found_before_and_after_it_came_into_force() {
    for place in stores().await {
        let store = &place.store;
        let (before, looser) = (policy_within("1"), policy_within("2"));
        load(store, &before, NOW).await;
        assert!(matches!(load(store, &looser, NOW).await, PolicyStanding::Waits { .. }));
        let said = async || {
            let faults = store.check(false, None, NOW).await.unwrap().faults;
            faults.into_iter().map(|it| it.what).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(said().await, "");
        place.execute("UPDATE policies SET proposed_by = 'a', approved_by = 'b' WHERE loaded_at = 0").await.unwrap();
        assert!(said().await.contains("the log has nobody who approved it"));
        assert_eq!(load(store, &looser, NOW).await, PolicyStanding::InForce);
        let found = said().await;
        assert!(found.contains("lets more through, and the log has nobody who approved it"), "{found}");
        place
            .execute(&format!("UPDATE policies SET loaded_at = 1 WHERE digest = '{}'", looser.0.digest))
            .await
            .unwrap();
        let found = said().await;
        assert!(
            found.contains(&format!("{} stands as it, by the log it is {}", before.0.digest, looser.0.digest)),
            "{found}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_goes_by_the_policy_that_another_node_put_in_force() {
    on_both(async |place| {
        let store = &place.store;
        let (own, changed, tighter) = (policy_within("2"), policy_within("1"), policy_within("0.5"));
        let dir = TempDir::new().unwrap();
        let write = |texts: &[String; 3]| {
            for (name, text) in case::POLICY_FILES.iter().zip(texts) {
                std::fs::write(dir.path().join(name), text).unwrap();
            }
        };
        write(&own.1);
        let folder = PolicyFolder::new(dir.path());
        let loaded = folder.load(store, &machine()).await.unwrap();
        let (used, mut policy) = watch::channel(Arc::new(loaded.policy));
        let (stop, stopped) = watch::channel(false);
        let watched = tokio::spawn(folder.watch(store.clone(), used, stopped));
        let mut comes = async |digest: Digest| {
            let came = policy.wait_for(|policy| policy.digest == digest);
            assert!(tokio::time::timeout(Duration::from_secs(60), came).await.is_ok(), "it goes on with the old one");
        };
        // From then on nothing in the folder waits.
        write(&changed.1);
        comes(changed.0.digest).await;
        load(store, &tighter, NOW).await;
        comes(tighter.0.digest).await;
        // Two people let the one in the folder through again.
        propose(store, &changed).await;
        approve(store, &changed.0).await.unwrap();
        comes(changed.0.digest).await;
        stop.send_replace(true);
        watched.await.unwrap();
    })
    .await;
}
