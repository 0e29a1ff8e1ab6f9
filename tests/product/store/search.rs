use store::Keys;
use support::{hex, sqlite};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_found_by_what_it_says_until_it_says_something_else() {
    on_both(async |place| {
        let store = &place.store;
        let reviewer = person("usr_r", &[Role::Reviewer], 1);
        let invoice = bill("RE-2026/114", "5");
        let bytes = demo::invoice(&invoice, Format::Ubl);
        store.admit(arrival(&bytes, "a.xml", "inbox"), &machine(), NOW).await.unwrap();
        let case = to_rest(store, lease_one(store, NOW).await).await;
        let find = async |text: &str| store.search(text, &reviewer, NOW, 10).await.unwrap();
        let seller = case.extraction.as_ref().unwrap().text(case::FieldName::SellerName).unwrap().to_owned();
        let backwards: Vec<&str> = seller.split(' ').rev().collect();
        for text in ["RE-2026/114", "re 2026 114", &seller, &backwards.join(" "), &seller.to_uppercase()] {
            assert_eq!(find(text).await, [case.id], "{text}");
        }
        for text in ["RE-2026/115", "114", "", " - ", "nobody"] {
            assert_eq!(find(text).await, [], "{text}");
        }
        let new = NewAccount { name: "Ada".into(), password: None, roles: vec![Role::Auditor], level: 1 };
        store.create_account(new, None, NOW).await.unwrap();
        let ada = store.person("Ada").await.unwrap();
        let (today, tomorrow) = (NOW.date(), NOW.date().tomorrow().unwrap());
        for (from, to, finds) in [(today, today, true), (tomorrow, tomorrow, false)] {
            store.set_scope("Ada", Some(case::Scope { from, to }), None, NOW).await.unwrap();
            assert_eq!(!store.search("RE-2026/114", &ada, NOW, 10).await.unwrap().is_empty(), finds, "{from}");
        }
        assert!(matches!(store.search("x", &person("usr_a", &[Role::Admin], 1), NOW, 10).await, Err(Error::Denied(_))));
        assert!(!place.holds("re2026114").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_for_words_looks_at_the_newest_cases_of_the_rarest_word_up_to_its_limit() {
    let place = sqlite().await;
    let reviewer = person("usr_r", &[Role::Reviewer], 1);
    let keys = Keys::open(place.config.keys.folder.clone()).unwrap();
    let term = |word: &str| hex(&keys.blind("term", word));
    let (alpha, beta) = (term("alpha"), term("beta"));
    let oldest = "00000000-0000-7000-8000-000000000001";
    let sql = format!(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO case_terms (term_key, case_id) VALUES (x'{alpha}', '{oldest}'), (x'{beta}', '{oldest}');
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO case_terms (term_key, case_id) SELECT x'{alpha}', printf('ffffffff-0000-7000-8000-%012d', i) FROM n;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
         INSERT INTO case_terms (term_key, case_id) SELECT x'{beta}', printf('fffffffe-0000-7000-8000-%012d', i) FROM n"
    );
    place.execute(&sql).await.unwrap();
    let find = async || place.store.search("alpha beta", &reviewer, NOW, 100).await.unwrap();
    assert_eq!(find().await, []);
    place.execute("DELETE FROM case_terms WHERE case_id = 'ffffffff-0000-7000-8000-000000000001'").await.unwrap();
    assert_eq!(find().await, [oldest.parse().unwrap()]);
}
