//! Whoever can write to the database, and to the files beside it, changes what is kept. Each attack is one row: what is
//! done, and what `countersign check` says about it, on a workspace that the demonstration's documents went through, on both databases.
//!
//! Attacks on exported logs are in `pipeline/audit/tests/tamper.rs`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;
use crate::support;

use std::path::{Path, PathBuf};
use std::process::Command;

use audit::{Body, Frontier, Hash, Leaf};
use case::Role;
use program::Workspace;
use store::{Config, Error, Keys, Store, Token};
use support::{person, postgres_copy, postgres_fresh};
use tempfile::TempDir;

/// Statements that belong together; `;;` parts them.
struct Attack {
    name: &'static str,
    sql: &'static str,
    /// What the check speaks of, and what it says; `*` is anything.
    about: &'static str,
    says: &'static str,
}

const fn attack(name: &'static str, sql: &'static str, about: &'static str, says: &'static str) -> Attack {
    Attack { name, sql, about, says }
}

const BOOKED: &str = "(SELECT MIN(case_id) FROM cases WHERE state = 'Archived' AND kind = 'invoice')";
const HELD: &str = "(SELECT MIN(case_id) FROM cases WHERE state = 'InReview')";

const ATTACKS: &[Attack] = &[
    // The log
    attack(
        "an entry is put in the place of another",
        "UPDATE log_entries SET leaf = (SELECT leaf FROM log_entries WHERE position = 10) WHERE position = 20",
        "entry 20",
        "it says it is entry 10",
    ),
    attack(
        "two entries change places",
        "CREATE TABLE kept AS SELECT leaf FROM log_entries WHERE position = 30;;
         UPDATE log_entries SET leaf = (SELECT leaf FROM log_entries WHERE position = 31) WHERE position = 30;;
         UPDATE log_entries SET leaf = (SELECT leaf FROM kept) WHERE position = 31",
        "entry 30",
        "it says it is entry 31",
    ),
    attack("an entry is deleted", "DELETE FROM log_entries WHERE position = 12", "entry 13", "entry 12 is missing before it"),
    attack("the first entry is deleted", "DELETE FROM log_entries WHERE position = 0", "entry 1", "entry 0 is missing before it"),
    attack(
        "the last entry is deleted",
        "DELETE FROM log_entries WHERE position = (SELECT MAX(position) FROM log_entries)",
        "the log's tail",
        "it says * entries, * are there",
    ),
    attack("the log is emptied", "DELETE FROM log_entries", "the log's tail", "it says * entries, 0 are there"),
    attack(
        "entries are numbered on to hide a deletion",
        "DELETE FROM log_entries WHERE position = 40;; UPDATE log_entries SET position = position + 1000000 WHERE position > 40;;
         UPDATE log_entries SET position = position - 1000001 WHERE position > 1000000",
        "entry 40",
        "it says it is entry 41",
    ),
    attack(
        "an entry is told to be about another object",
        "UPDATE log_entries SET object = 'other' WHERE position = 15",
        "entry 15",
        "the columns beside it name another entry or object",
    ),
    attack(
        "an entry gets another id",
        "UPDATE log_entries SET entry_id = '0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b' WHERE position = 16",
        "entry 16",
        "the columns beside it name another entry or object",
    ),
    attack(
        "an entry is told to be another revision",
        "UPDATE log_entries SET revision = 77 WHERE position = (SELECT MIN(position) FROM log_entries WHERE revision IS NOT NULL)",
        "entry *",
        "the columns beside it name another entry or object",
    ),
    attack("the log's end is set back", "UPDATE log_tail SET size = size - 1", "the log's tail", "*not written by this program"),
    attack("the log's clock is set ahead", "UPDATE log_tail SET sealed_at = sealed_at + 1", "the log's tail", "*not written by this program"),
    attack(
        "the log's root is replaced",
        "UPDATE log_tail SET frontier = last_leaf",
        "the log's tail",
        "*",
    ),
    attack("the log's end is signed with nonsense", "UPDATE log_tail SET mac = last_leaf", "the log's tail", "*not written by this program"),
    attack("the log is renamed", "UPDATE log_tail SET origin = 'audit.evil.example/x/1'", "*the log's tail", "*not written by this program"),
    attack(
        "the newest head is deleted",
        "DELETE FROM log_heads WHERE size = (SELECT MAX(size) FROM log_heads)",
        "head *",
        "it was signed here, and it is not there",
    ),
    attack("a head is moved to another size", "UPDATE log_heads SET size = size - 1 WHERE size = (SELECT MAX(size) FROM log_heads)", "head *", "it is the head of * entries"),
    attack("a head is scribbled over", "UPDATE log_heads SET note = 'nothing to see'", "head *", "*"),
    attack(
        "openings are deleted",
        "DELETE FROM log_openings WHERE object = (SELECT MIN(case_id) FROM cases)",
        "object *",
        "openings of its entries are gone, and no entry says that they were erased",
    ),
    attack(
        "the opening of why a case was erased is deleted",
        "DELETE FROM log_openings WHERE object IN (SELECT case_id FROM cases WHERE state = 'Erased')",
        "object *",
        "openings of its entries are gone, and no entry says that they were erased",
    ),
    attack(
        "openings are swapped",
        "UPDATE log_openings SET body = (SELECT body FROM log_openings WHERE entry_id = (SELECT MAX(entry_id) FROM log_openings))
         WHERE entry_id = (SELECT MIN(entry_id) FROM log_openings)",
        "entry *",
        "its openings: *",
    ),
    // Cases
    attack("a case is told to be approved", "UPDATE cases SET state = 'Approved' WHERE case_id = $HELD", "case *", "its row says Approved at revision *"),
    attack("a case is told to be another revision", "UPDATE cases SET revision = revision + 1 WHERE case_id = $HELD", "case *", "its row says *"),
    attack(
        "a case gets the values of another",
        "UPDATE cases SET body = (SELECT body FROM cases WHERE case_id = $BOOKED) WHERE case_id = $HELD",
        "case *",
        "its values cannot be opened: *",
    ),
    attack("a case's last entry is replaced", "UPDATE cases SET last_entry = digest_key WHERE case_id = $HELD", "case *", "its last entry is not the one that the log has"),
    attack("a case is told to be another kind", "UPDATE cases SET kind = 'order' WHERE case_id = $HELD", "case *", "its kind in the table is not the one*"),
    attack("a case is told to have come by another channel", "UPDATE cases SET channel = 'other' WHERE case_id = $HELD", "case *", "its channel in the table*"),
    attack("a case is told to have come later", "UPDATE cases SET received_at = received_at + 1 WHERE case_id = $HELD", "case *", "its time of arrival in the table*"),
    attack("a decision is given more time", "UPDATE cases SET due_at = due_at + 86400000000 WHERE case_id = $HELD", "case *", "its due time in the table*"),
    attack(
        "a document is made to be taken in a second time",
        "UPDATE cases SET digest_key = last_entry WHERE case_id = $BOOKED",
        "case *",
        "its digest in the table*",
    ),
    attack(
        "a case is deleted",
        "DELETE FROM work WHERE case_id = $HELD;; DELETE FROM waiting WHERE case_id = $HELD;; DELETE FROM woken WHERE case_id = $HELD;;
         DELETE FROM fact_keys WHERE fact_id IN (SELECT fact_id FROM facts WHERE case_id = $HELD);; DELETE FROM facts WHERE case_id = $HELD;;
         DELETE FROM case_terms WHERE case_id = $HELD;; DELETE FROM arrivals WHERE case_id = $HELD;; DELETE FROM cases WHERE case_id = $HELD",
        "case *",
        "the log knows it, and it is not there",
    ),
    attack("an arrival is deleted", "DELETE FROM arrivals WHERE case_id = $HELD AND duplicate = 0", "case *", "the files that arrived as it are not those that the log knows"),
    attack(
        "an arrival is invented",
        "INSERT INTO arrivals (arrival_id, channel, duplicate, case_id, arrived_at) SELECT 'x', channel, 1, case_id, received_at FROM cases WHERE case_id = $HELD",
        "case *",
        "the files that arrived as it are not those that the log knows",
    ),
    attack("a held case is sent to be booked", "INSERT INTO work (case_id, revision, action, attempt, ready_at) SELECT case_id, revision, 'Send', 0, 0 FROM cases WHERE case_id = $HELD", "case *", "it is InReview and has work"),
    attack(
        "a duplicate is made not to be found",
        "DELETE FROM fact_keys WHERE fact_id IN (SELECT fact_id FROM facts WHERE case_id = $BOOKED)",
        "case *",
        "what it bills is not what others find of it*",
    ),
    attack("a case is made not to be found", "DELETE FROM case_terms WHERE case_id = $BOOKED", "case *", "whoever searches for it would not find it*"),
    attack(
        "the key of a case is destroyed",
        "DELETE FROM record_keys WHERE owner = $BOOKED",
        "case *",
        "its values cannot be opened*",
    ),
    attack("a hold is taken off a case", "UPDATE cases SET n_holds = 0 WHERE n_holds = 1", "case *", "its number of holds*"),
    attack(
        "a case is made to look like a duplicate",
        "INSERT INTO fact_keys (lookup_key, fact_id) SELECT digest_key, fact_id FROM facts WHERE case_id = $BOOKED",
        "case *",
        "what it bills is not what others find of it*",
    ),
    attack(
        "what an order was billed is forgotten",
        "DELETE FROM fact_keys WHERE fact_id IN (SELECT fact_id FROM facts WHERE case_id = $BOOKED);;
         DELETE FROM facts WHERE case_id = $BOOKED",
        "case *",
        "what it bills is not what others find of it*",
    ),
    attack(
        "what an order was billed is told to be over",
        "UPDATE facts SET known_to = known_from WHERE case_id = $BOOKED",
        "case *",
        "what it bills is not what others find of it*",
    ),
    attack(
        "what an order was billed is replaced",
        "UPDATE facts SET body = (SELECT body FROM cases WHERE case_id = $BOOKED) WHERE case_id = $BOOKED",
        "case *",
        "what it bills is not what others find of it*",
    ),
    // Master data, policies, accounts
    attack(
        "a vendor gets the bank account of another",
        "UPDATE facts SET body = (SELECT body FROM facts WHERE kind = 'accounts' ORDER BY fact_id DESC LIMIT 1)
         WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'accounts')",
        "facts/*",
        "*",
    ),
    attack(
        "an order line gets the price of another",
        "UPDATE facts SET body = (SELECT body FROM facts WHERE kind = 'orders' ORDER BY fact_id DESC LIMIT 1)
         WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'orders')",
        "facts/*",
        "*",
    ),
    attack(
        "a receipt is said to be somebody else's word",
        "UPDATE facts SET known_by = 'usr_other' WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'receipts')",
        "facts/*",
        "*",
    ),
    attack(
        "a receipt is put under another order",
        "UPDATE fact_keys SET lookup_key = (SELECT lookup_key FROM fact_keys ORDER BY lookup_key DESC LIMIT 1)
         WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'receipts')",
        "facts/*",
        "it is not found under its keys",
    ),
    attack(
        "a receipt is given a digest",
        "UPDATE facts SET digest_key = fact_key WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'receipts')",
        "facts/*",
        "its digest or kind is not that of what was sealed",
    ),
    attack("a policy is rewritten after the fact", "UPDATE policies SET texts = '[]'", "policy *", "its texts are not those of*"),
    attack(
        "a vendor's account is told to be known no more",
        "UPDATE facts SET known_to = known_from + 1 WHERE fact_id = (SELECT MIN(fact_id) FROM facts WHERE kind = 'accounts')",
        "facts/*",
        "it is not known from its beginning until the next version of it",
    ),
    attack(
        "a policy is told to be approved",
        "UPDATE policies SET proposed_by = 'usr_a', approved_by = 'usr_b'",
        "policy *",
        "it stands as approved, and the log has nobody who approved it",
    ),
    attack(
        "a policy is told never to have come into force",
        "UPDATE policies SET loaded_at = 0",
        "the policy in force",
        "none stands as it, by the log it is *",
    ),
    attack("a policy is forgotten", "DELETE FROM policies", "policy *", "the log knows it, and its texts are not there"),
    attack("an account gets more roles", "UPDATE accounts SET roles = 'admin' WHERE account_id = (SELECT MIN(account_id) FROM accounts WHERE roles <> 'admin')", "the accounts", "*was changed by somebody who is not this program*"),
    attack(
        "an account gets the password of another",
        "UPDATE accounts SET password = 'x' WHERE account_id = (SELECT MIN(account_id) FROM accounts)",
        "the accounts",
        "*was changed by somebody who is not this program*",
    ),
    attack(
        "an account is invented",
        "INSERT INTO accounts (account_id, name_key, password, roles, level, failures, locked_until, body)
         SELECT 'usr_x', body, password, roles, level, 0, 0, body FROM accounts WHERE account_id = (SELECT MIN(account_id) FROM accounts)",
        "account usr_x",
        "the log does not know it",
    ),
    attack(
        "an account is deleted",
        "DELETE FROM sessions;; DELETE FROM accounts WHERE account_id = (SELECT MIN(account_id) FROM accounts)",
        "account usr_*",
        "the log knows it, and it is not there",
    ),
];

/// A workspace after the demonstration's documents went through it, one more was erased and one is under legal hold, and copies
/// of it to do harm to.
struct Original {
    workspace: Workspace,
    database: Option<String>,
}

struct Victim {
    dir: TempDir,
    database: String,
}

impl Original {
    /// One on each database.
    async fn all() -> Vec<Original> {
        let mut originals = vec![Original::made(None)];
        match postgres_fresh().await {
            Some(url) => originals.push(Original::made(Some(url))),
            None => eprintln!("skipped on PostgreSQL: its programs are not installed"),
        }
        originals
    }

    fn made(database: Option<String>) -> Original {
        let workspace = Workspace::new(database.clone());
        let cast = demo::cast(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date());
        workspace.import(&cast.vendors_csv, &cast.orders_csv, &cast.receipts_csv);
        for document in &cast.documents {
            workspace.drop_file(document.channel, &document.file_name, &document.bytes);
        }
        workspace.ok(&["run", "--once"]);
        workspace.ok(&["account", "add", "--name", "lars", "--role", "legal", "--level", "2", "--link-only"]);
        let why = |by| ["--as", by, "--reason", "as agreed"];
        for (name, bytes) in [("mistaken.bin", [0, 255, 1]), ("held.bin", [0, 255, 2])] {
            workspace.drop_file("", name, &bytes);
        }
        workspace.ok(&["run", "--once"]);
        let of = |name: &str| workspace.case_of(name).unwrap();
        let [mistaken, held] = ["mistaken.bin", "held.bin"].map(|name| of(name)["case"].as_str().unwrap().to_owned());
        let hold = ["retention", "hold", &held, "--matter", "Smith v. Jones"];
        workspace.ok(&[&hold[..], &why("lars")].concat());
        let propose = ["retention", "propose", &mistaken, "--ground", "mistaken_upload"];
        workspace.ok(&[&propose[..], &why("rita")].concat());
        let revision = of("mistaken.bin")["revision"].to_string();
        let erase = ["retention", "erase", &mistaken, "--revision", &revision];
        workspace.ok(&[&erase[..], &why("lars")].concat());
        Original { workspace, database }
    }

    async fn copy(&self) -> Victim {
        let dir = TempDir::new().unwrap();
        copy_all(&self.workspace.dir, dir.path());
        let database = match &self.database {
            Some(url) => postgres_copy(url).await,
            None => dir.path().join("data/countersign.db").to_str().unwrap().to_owned(),
        };
        Victim { dir, database }
    }

    fn name(&self) -> &'static str {
        if self.database.is_some() { "postgres" } else { "sqlite" }
    }
}

impl Victim {
    fn config(&self) -> Config {
        let path = |name: &str| self.dir.path().join(name);
        Config {
            database: self.database.clone(),
            vault: store::BlobPlace::Folder(path("data/vault")),
            keys: path("keys").into(),
            log: path("data/log"),
            origin: "audit.localhost/main/1".into(),
            node: "n1".into(),
            version: "0.1.0".into(),
        }
    }

    async fn store(&self) -> Store {
        Store::open(&self.config()).await.unwrap()
    }

    fn on_postgres(&self) -> bool {
        self.database.starts_with("postgres")
    }

    /// As the owner of the database, who takes the triggers away first.
    async fn execute(&self, sql: &str) {
        let sql = sql.replace("$HELD", HELD).replace("$BOOKED", BOOKED);
        let mut texts: Vec<String> = match self.on_postgres() {
            true => vec!["DROP TRIGGER IF EXISTS log_entries_no_change ON log_entries".into()],
            false => ["update", "delete"].map(|it| format!("DROP TRIGGER IF EXISTS log_entries_no_{it}")).to_vec(),
        };
        texts.extend(sql.split(";;").map(str::to_owned));
        for (n, text) in texts.iter().enumerate() {
            let changed = support::execute(&self.database, text).await.unwrap();
            assert!(changed != 0 || n + 1 != texts.len(), "the attack changes nothing: {text}");
        }
    }

    async fn leaves(&self) -> Vec<Vec<u8>> {
        support::bytes(&self.database, "SELECT leaf FROM log_entries ORDER BY position").await
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.on_postgres() { format!("decode('{hex}', 'hex')") } else { format!("x'{hex}'") }
    }

    async fn faults(&self) -> Vec<(String, String)> {
        let report = self.store().await.check(false, None, support::NOW).await.unwrap();
        report.faults.into_iter().map(|fault| (fault.about, fault.what)).collect()
    }

    /// Writes the log anew with this change to its bodies, as somebody who has every key could: entries, their chain,
    /// the row at the end. What was signed before is on other disks.
    async fn rewrite(&self, change: impl Fn(u64, &[u8]) -> Vec<u8>) {
        let (mut last, mut frontier, mut sealed_at) = (Hash::ZERO, Frontier::new(), 0);
        for (position, leaf) in self.leaves().await.iter().enumerate() {
            let read = Leaf::parse(leaf).unwrap();
            sealed_at = read.sealed_at;
            let leaf = audit::seal(&change(read.index, read.body), read.index, last, sealed_at).unwrap();
            last = audit::leaf_hash(&leaf);
            frontier.append(last);
            self.execute(&format!("UPDATE log_entries SET leaf = {} WHERE position = {position}", self.bytes(&leaf)))
                .await;
        }
        let keys = Keys::open(self.dir.path().join("keys")).unwrap();
        let (size, origin) = (frontier.size(), "audit.localhost/main/1");
        let digest = audit::body_hash(&frontier.to_bytes());
        let mac = keys.blind("log-tail", &format!("1\n{origin}\n{size}\n{sealed_at}\n{last}\n{digest}"));
        self.execute(&format!(
            "UPDATE log_tail SET last_leaf = {}, frontier = {}, mac = {}",
            self.bytes(&last.0),
            self.bytes(&frontier.to_bytes()),
            self.bytes(&mac)
        ))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_on_the_database_is_found_and_named() {
    assert!(40 <= ATTACKS.len(), "{} attacks", ATTACKS.len());
    for original in Original::all().await {
        assert_eq!(original.copy().await.faults().await, [], "on {}: nothing was done yet", original.name());
        let mut unseen = Vec::new();
        for attack in ATTACKS {
            let victim = original.copy().await;
            victim.execute(attack.sql).await;
            let faults = victim.faults().await;
            let named = faults.iter().any(|(about, what)| fits(attack.about, about) && fits(attack.says, what));
            if !named {
                unseen.push(format!("{}: {faults:#?}", attack.name));
            }
        }
        assert!(unseen.is_empty(), "on {}:\n{}", original.name(), unseen.join("\n"));
    }
}

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
        store.record_service(store::ServiceSign::Heartbeat, support::NOW).await.unwrap();
        store.seal_log(support::NOW).await.unwrap();
        let refused = store.sign_log(support::NOW).await.unwrap_err();
        assert!(matches!(refused, Error::Forked { .. }), "{refused}");
        // From then on nothing is done that would need an entry.
        let stopped = store.record_service(store::ServiceSign::Heartbeat, support::NOW).await.unwrap_err();
        assert!(matches!(stopped, Error::LogStopped { .. }), "{stopped}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_database_is_read_and_not_written_to() {
    for original in Original::all().await {
        let (older, newer) = (original.copy().await, original.copy().await);
        let store = newer.store().await;
        store.record_service(store::ServiceSign::Heartbeat, support::NOW).await.unwrap();
        store.seal_log(support::NOW).await.unwrap();
        store.sign_log(support::NOW).await.unwrap();
        let was = store.head().await.unwrap().unwrap().size;
        // The keys, with the note of the last head beside them, are where they were; the database is the older one.
        let restored = Config { keys: newer.config().keys, ..older.config() };
        let store = Store::open(&restored).await.unwrap();
        let refused = store.record_service(store::ServiceSign::Heartbeat, support::NOW).await.unwrap_err().to_string();
        let now = was - 1;
        assert!(
            refused.contains(&format!("had {was} entries")) && refused.contains(&format!("now has {now}")),
            "{refused}"
        );
        assert!(refused.contains("countersign log begin"), "it says what to do: {refused}");
        assert!(store.check(false, None, support::NOW).await.is_ok(), "it can still be read");
        let signed = store.sign_log(support::NOW).await.unwrap_err();
        assert!(matches!(signed, Error::RolledBack { .. }), "{signed}");

        // A new log begins, and names the end that the old one had.
        let admin = person("usr_admin", &[Role::Admin], 1);
        let reviewer = person("usr_reviewer", &[Role::Reviewer], 1);
        let denied = store.begin_log("audit.localhost/main/2", "restored", &reviewer, support::NOW).await.unwrap_err();
        assert!(matches!(denied, Error::Denied(_)), "{denied}");
        store.begin_log("audit.localhost/main/2", "restored", &admin, support::NOW).await.unwrap();
        let config = Config { origin: "audit.localhost/main/2".into(), ..restored };
        let store = Store::open(&config).await.unwrap();
        let auditor = person("usr_auditor", &[Role::Auditor], 1);
        let dir = TempDir::new().unwrap();
        let exported = store.export_log(dir.path(), &auditor, support::NOW, |_, _| {}).await.unwrap();
        support::verify_export(dir.path(), &exported.head.verifier_key);
        let first = audit_entries(dir.path()).remove(0);
        let first = Body::parse(Leaf::parse(&first).unwrap().body).unwrap();
        assert_eq!(first.act.text(), "log.begin");
        assert_eq!(first.d["size"], audit::Value::Integer(was as i64));
        assert_eq!(first.d["at_hand"], audit::Value::Integer(now as i64));
        assert_eq!(store.check(true, None, support::NOW).await.unwrap().faults, []);
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
        store.record_service(store::ServiceSign::Heartbeat, support::NOW).await.unwrap();
        store.seal_log(support::NOW).await.unwrap();
        store.sign_log(support::NOW).await.unwrap();
        let head = store.head().await.unwrap().unwrap();
        assert_eq!(support::verify_export(&victim.dir.path().join("data/log/1"), &head.verifier_key), head.size);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_written_into_the_database_opens_nothing() {
    for original in Original::all().await {
        let victim = original.copy().await;
        let token = Token("5".repeat(64));
        let digest = case::Digest::of(token.0.as_bytes()).0;
        victim
            .execute(&format!(
                "INSERT INTO sessions (token_digest, account_id, link, expires_at, mac)
                 SELECT {0}, account_id, 0, 9000000000000000, {0} FROM accounts WHERE roles LIKE '%admin%'",
                victim.bytes(&digest)
            ))
            .await;
        assert_eq!(victim.store().await.session(&token, support::NOW).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_follows_another_is_told_by_both_and_only_then_signs_alone() {
    for original in Original::all().await {
        let victim = original.copy().await;
        let store = victim.store().await;
        let (admin, auditor) = (person("usr_a", &[Role::Admin], 1), person("usr_b", &[Role::Auditor], 1));
        let old = store.head().await.unwrap().unwrap().verifier_key;
        store.rotate_log_key(&auditor, support::NOW).await.unwrap_err();
        let rotated = store.rotate_log_key(&admin, support::NOW).await.unwrap();
        assert_ne!(rotated.verifier_key, old);
        let known = |key: &str| [audit::VerifierKey::parse(key).unwrap()];
        for key in [&old, &rotated.verifier_key] {
            audit::open_checkpoint(rotated.note.as_bytes(), &known(key)).unwrap();
        }
        let dir = TempDir::new().unwrap();
        let exported = store.export_log(dir.path(), &auditor, support::NOW, |_, _| {}).await.unwrap();
        assert_eq!(exported.head.verifier_key, rotated.verifier_key);
        audit::open_checkpoint(exported.head.note.as_bytes(), &known(&old)).unwrap_err();
        assert!(dir.path().join(format!("checkpoints/{}", rotated.size)).is_file(), "the head of both keys is kept");
        support::verify_export(dir.path(), &rotated.verifier_key);
        assert_eq!(store.check(false, None, support::NOW).await.unwrap().faults, []);

        // A node with the older key file does not sign any more.
        let path = victim.config().keys.folder.join("keys");
        let text = std::fs::read_to_string(&path).unwrap();
        let newest = text.lines().position(|line| line.starts_with("log ")).unwrap();
        let older: String =
            text.lines().enumerate().filter(|(n, _)| *n != newest).map(|(_, line)| format!("{line}\n")).collect();
        std::fs::write(&path, older).unwrap();
        store.admit(support::arrival(b"later", "later.bin", "inbox"), &support::machine(), support::NOW).await.unwrap();
        store.seal_log(support::NOW).await.unwrap();
        let refused = store.sign_log(support::NOW).await.unwrap_err().to_string();
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
            let arrival = support::arrival(name.as_bytes(), "noise.bin", "inbox");
            store.admit(arrival, &support::machine(), support::NOW).await.unwrap();
            let work = store.lease(1, support::NOW).await.unwrap().remove(0);
            let event = support::unreadable();
            store.advance(&work, event, &support::machine(), support::NOW).await.unwrap();
            victim.execute(sql).await;
            store.seal_log(support::NOW).await.unwrap();
            let told: Vec<Body> = victim
                .leaves()
                .await
                .iter()
                .map(|leaf| Body::parse(Leaf::parse(leaf).unwrap().body).unwrap())
                .filter(|body| body.act.text() == "log.refuse")
                .collect();
            assert_eq!(told.len(), 1, "{name}");
            assert_eq!(told[0].d["why"], audit::Value::Text(why.into()), "{name}");
        }
    }
}

/// Does `text` fit `pattern`, in which `*` is anything?
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap()) else { return false };
    let mut open = false;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        open = part.is_empty();
    }
    rest.is_empty() || open
}

fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(format!("{}/.", from.display())).arg(to).status().unwrap();
    assert!(copied.success());
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let children = std::fs::read_dir(dir).unwrap().map(|child| child.unwrap().path());
    children.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The entries of an export, read without the product.
fn audit_entries(dir: &Path) -> Vec<Vec<u8>> {
    let mut files = files_below(&dir.join("tile/entries"));
    files.sort();
    let mut entries = Vec::new();
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        let mut rest = bytes.as_slice();
        while let [high, low, after @ ..] = rest {
            let (entry, more) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            entries.push(entry.to_vec());
            rest = more;
        }
    }
    entries
}
