//! Whoever can write to the database, and to the files beside it, changes what is kept. Each attack is one row: what is
//! done, and what `countersign check` says about it, on a workspace that the demonstration's documents went through, on both databases.
//!
//! Attacks on exported logs are in `pipeline/audit/tests/tamper`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod attacks;
mod log;

use crate::program;
use crate::support;

use audit::{Body, Frontier, Hash, Leaf};
use case::Role;
use program::Workspace;
use store::{Config, Error, Keys, Store, Token};
use support::{
    NOW, admin, arrival, auditor, body_of, copy_all, exported_leaves, files_below, literal, machine, person,
    postgres_copy, postgres_fresh,
};
use tempfile::TempDir;

const BOOKED: &str = "(SELECT MIN(case_id) FROM cases WHERE state = 'Archived' AND kind = 'invoice')";

const HELD: &str = "(SELECT MIN(case_id) FROM cases WHERE state = 'InReview')";

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
        literal(&self.database, bytes)
    }

    async fn faults(&self) -> Vec<(String, String)> {
        let report = self.store().await.check(false, None, NOW).await.unwrap();
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
        assert_eq!(victim.store().await.session(&token, NOW).await.unwrap(), None);
    }
}
