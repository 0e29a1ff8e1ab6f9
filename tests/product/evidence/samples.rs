use std::collections::BTreeSet;

use super::*;

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
        let early = store.draw_sample(&committed.sample, &out, &show, &auditor(), NOW, &mut |_, _| {}).await;
        assert!(matches!(&early, Err(Error::Unacceptable { what }) if what.contains("no signed head")), "{early:?}");
        assert!(!out.exists());
        store.sign_log(NOW).await.unwrap();
        assert_eq!(store.samples(&auditor(), NOW).await.unwrap()[0].drawn, None);
        let end = &committed.sample[committed.sample.len() - 8..];
        let mut draws = Vec::new();
        for name in ["first", "second"] {
            let draw = store.draw_sample(end, &dir.path().join(name), &show, &auditor(), NOW, &mut |_, _| {}).await;
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
        let exported = store.export_log(&log, &auditor(), NOW, &mut |_, _| {}).await.unwrap();
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
        let drawn = store.draw_sample(&committed.sample, &out, &show, &auditor(), NOW, &mut |_, _| {}).await.unwrap();
        assert_eq!((drawn.cases.len(), drawn.left_out.len(), drawn.faults.len()), (7, 0, 0));

        let manifest: Json = serde_json::from_slice(&std::fs::read(out.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["seed_sha256"], json!(Digest::of(&committed.seed.parse::<Digest>().unwrap().0)));
        assert_eq!((&manifest["commit"]["index"], &manifest["draw"]["index"]), (&json!(10), &json!(drawn.draw)));
        assert_eq!(manifest["population"], json!({"first": 0, "last": 9, "cases": 10}));
        let mut there = files_in(&out);
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
        let drawn =
            store.draw_sample(&committed.sample, dir.path(), &show, &admin(), NOW, &mut |_, _| {}).await.unwrap();
        assert_eq!(drawn.left_out, ["openings", "case", "original"]);
        let names: BTreeSet<String> = files_in(dir.path())
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
        let sealed = place.sealed(store.case(id).await.unwrap().original);
        let bytes = std::fs::read(&sealed).unwrap();
        std::fs::remove_file(&sealed).unwrap();
        let drawn =
            store.draw_sample(&committed.sample, dir.path(), &show, &auditor(), NOW, &mut |_, _| {}).await.unwrap();
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
        let unknown = store.draw_sample("beef", Path::new("/nowhere"), &show, &auditor(), NOW, &mut |_, _| {}).await;
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
        let refused =
            store.draw_sample(&one.sample, &dir.path().join("out"), &show, &auditor(), NOW, &mut |_, _| {}).await;
        assert!(matches!(refused, Err(Error::Vault(_))), "{refused:?}");
        store.draw_sample(&two.sample, &dir.path().join("out"), &show, &auditor(), NOW, &mut |_, _| {}).await.unwrap();
    })
    .await;
}

#[track_caller]
fn number(value: &Value) -> i64 {
    let Value::Integer(number) = value else { panic!("{value:?}") };
    *number
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

/// All files by their path in the folder.
fn files_in(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = |path: &Path| path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
    files_below(dir).into_iter().map(|path| (name(&path), std::fs::read(&path).unwrap())).collect()
}
