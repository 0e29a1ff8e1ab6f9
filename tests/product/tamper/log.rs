use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_log_written_anew_with_every_key_is_not_signed_by_the_node_that_signed_before() {
    for original in Original::all().await {
        let victim = original.copy().await;
        victim
            .rewrite(|index, body| {
                let mut body = Body::parse(body).unwrap();
                if index == 3 {
                    body.d.insert("forged".into(), true.into());
                }
                body.to_bytes().unwrap()
            })
            .await;
        let faults = victim.faults().await;
        assert!(
            faults.iter().any(|(about, what)| fits("head *", about) && fits("it was signed with root *", what)),
            "{faults:?}"
        );
        let store = victim.store().await;
        store.record_service(store::ServiceSign::Heartbeat, NOW).await.unwrap();
        store.seal_log(NOW).await.unwrap();
        let refused = store.sign_log(NOW).await.unwrap_err();
        assert!(matches!(refused, Error::Forked { .. }), "{refused}");
        // From then on nothing is done that would need an entry.
        let stopped = store.record_service(store::ServiceSign::Heartbeat, NOW).await.unwrap_err();
        assert!(matches!(stopped, Error::LogStopped { .. }), "{stopped}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_database_is_read_and_not_written_to() {
    for original in Original::all().await {
        let (older, newer) = (original.copy().await, original.copy().await);
        let store = newer.store().await;
        store.record_service(store::ServiceSign::Heartbeat, NOW).await.unwrap();
        store.seal_log(NOW).await.unwrap();
        store.sign_log(NOW).await.unwrap();
        let was = store.head().await.unwrap().unwrap().size;
        // The keys, with the note of the last head beside them, are where they were; the database is the older one.
        let restored = Config { keys: newer.config().keys, ..older.config() };
        let store = Store::open(&restored).await.unwrap();
        let refused = store.record_service(store::ServiceSign::Heartbeat, NOW).await.unwrap_err().to_string();
        let now = was - 1;
        assert!(
            refused.contains(&format!("had {was} entries")) && refused.contains(&format!("now has {now}")),
            "{refused}"
        );
        assert!(refused.contains("countersign log begin"), "it says what to do: {refused}");
        assert!(store.check(false, None, NOW).await.is_ok(), "it can still be read");
        let signed = store.sign_log(NOW).await.unwrap_err();
        assert!(matches!(signed, Error::RolledBack { .. }), "{signed}");

        // A new log begins, and names the end that the old one had.
        let reviewer = person("usr_reviewer", &[Role::Reviewer], 1);
        let denied = store.begin_log("audit.localhost/main/2", "restored", &reviewer, NOW).await.unwrap_err();
        assert!(matches!(denied, Error::Denied(_)), "{denied}");
        store.begin_log("audit.localhost/main/2", "restored", &admin(), NOW).await.unwrap();
        let config = Config { origin: "audit.localhost/main/2".into(), ..restored };
        let store = Store::open(&config).await.unwrap();
        let dir = TempDir::new().unwrap();
        let exported = store.export_log(dir.path(), &auditor(), NOW, &mut |_, _| {}).await.unwrap();
        support::verify_export(dir.path(), &exported.head.verifier_key);
        let first = body_of(&exported_leaves(dir.path(), exported.head.size)[0]);
        assert_eq!(first.act.text(), "log.begin");
        assert_eq!(first.d["size"], audit::Value::Integer(was as i64));
        assert_eq!(first.d["at_hand"], audit::Value::Integer(now as i64));
        assert_eq!(store.check(true, None, NOW).await.unwrap().faults, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn published_tiles_that_were_touched_are_made_again_from_the_log() {
    for original in Original::all().await {
        let victim = original.copy().await;
        let published = victim.dir.path().join("data/log/1/tile");
        let mut touched = 0;
        for file in files_below(&published) {
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[0] ^= 1;
            std::fs::write(&file, bytes).unwrap();
            touched += 1;
        }
        assert!(1 < touched);
        let store = victim.store().await;
        store.record_service(store::ServiceSign::Heartbeat, NOW).await.unwrap();
        store.seal_log(NOW).await.unwrap();
        store.sign_log(NOW).await.unwrap();
        let head = store.head().await.unwrap().unwrap();
        assert_eq!(support::verify_export(&victim.dir.path().join("data/log/1"), &head.verifier_key), head.size);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_follows_another_is_told_by_both_and_only_then_signs_alone() {
    for original in Original::all().await {
        let victim = original.copy().await;
        let store = victim.store().await;
        let old = store.head().await.unwrap().unwrap().verifier_key;
        store.rotate_log_key(&auditor(), NOW).await.unwrap_err();
        let rotated = store.rotate_log_key(&admin(), NOW).await.unwrap();
        assert_ne!(rotated.verifier_key, old);
        let known = |key: &str| [audit::VerifierKey::parse(key).unwrap()];
        for key in [&old, &rotated.verifier_key] {
            audit::open_checkpoint(rotated.note.as_bytes(), &known(key)).unwrap();
        }
        let dir = TempDir::new().unwrap();
        let exported = store.export_log(dir.path(), &auditor(), NOW, &mut |_, _| {}).await.unwrap();
        assert_eq!(exported.head.verifier_key, rotated.verifier_key);
        audit::open_checkpoint(exported.head.note.as_bytes(), &known(&old)).unwrap_err();
        assert!(dir.path().join(format!("checkpoints/{}", rotated.size)).is_file(), "the head of both keys is kept");
        support::verify_export(dir.path(), &rotated.verifier_key);
        assert_eq!(store.check(false, None, NOW).await.unwrap().faults, []);

        // A node with the older key file does not sign any more.
        let path = victim.config().keys.folder.join("keys");
        let text = std::fs::read_to_string(&path).unwrap();
        let newest = text.lines().position(|line| line.starts_with("log ")).unwrap();
        let older: String =
            text.lines().enumerate().filter(|(n, _)| *n != newest).map(|(_, line)| format!("{line}\n")).collect();
        std::fs::write(&path, older).unwrap();
        store.admit(arrival(b"later", "later.bin", "inbox"), &machine(), NOW).await.unwrap();
        store.seal_log(NOW).await.unwrap();
        let refused = store.sign_log(NOW).await.unwrap_err().to_string();
        assert!(refused.contains("bring the newer key file here"), "{refused}");
        let refused = store.head().await.unwrap_err().to_string();
        assert!(refused.contains("bring the newer key file here"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_entry_that_this_program_did_not_write_is_put_aside_and_told() {
    for original in Original::all().await.into_iter().filter(|original| original.database.is_some()) {
        let forgeries: [(&str, &str, &str); 5] = [
            (
                "garbage",
                "INSERT INTO log_outbox (entry_id, object, revision, entered_at, entry, mac) VALUES ('x', '', NULL, 1, 'abc', 'def')",
                "it is not an entry",
            ),
            (
                "an entry changed while it waits",
                "UPDATE log_outbox SET object = 'other' WHERE position = (SELECT MAX(position) FROM log_outbox)",
                "it was not written by this program",
            ),
            (
                "an entry that waits a second time",
                "INSERT INTO log_outbox (entry_id, object, revision, entered_at, entry, mac)
                 SELECT entry_id, object, revision, entered_at, entry, mac FROM log_outbox",
                "it was sealed before",
            ),
            (
                "a code of another entry",
                "UPDATE log_outbox SET mac = (SELECT mac FROM log_outbox ORDER BY position LIMIT 1)
                 WHERE position = (SELECT MAX(position) FROM log_outbox)",
                "it was not written by this program",
            ),
            (
                "the first of an object's entries is taken away",
                "DELETE FROM log_outbox WHERE revision = 0",
                "it does not continue its object's last entry",
            ),
        ];
        for (name, sql, why) in forgeries {
            let victim = original.copy().await;
            let store = victim.store().await;
            let arrival = arrival(name.as_bytes(), "noise.bin", "inbox");
            store.admit(arrival, &machine(), NOW).await.unwrap();
            let work = store.lease(1, NOW).await.unwrap().remove(0);
            let event = support::unreadable();
            store.advance(&work, event, &machine(), NOW).await.unwrap();
            victim.execute(sql).await;
            store.seal_log(NOW).await.unwrap();
            let told: Vec<Body> = victim
                .leaves()
                .await
                .iter()
                .map(|leaf| body_of(leaf))
                .filter(|body| body.act.text() == "log.refuse")
                .collect();
            assert_eq!(told.len(), 1, "{name}");
            assert_eq!(told[0].d["why"], audit::Value::Text(why.into()), "{name}");
        }
    }
}
