//! What the tests of the whole product share: fresh stores on both databases, and the judgement at the end of a test.
#![allow(dead_code, unreachable_pub, reason = "every test program uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod postgres;
pub mod readable;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use case::{Actor, ActorKind, CaseId, Event, Kind, Policy, Role, Timestamp};
pub use postgres::*;
use readable::Forms;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use store::{Admission, Arrival, BlobPlace, Config, Content, Keys, Store};
use tempfile::TempDir;
use uuid::Uuid;

/// 10 March 2026, 08:00 UTC: the day on which all tests play.
pub const NOW: Timestamp = Timestamp(1_773_129_600_000_000);

pub fn seconds_later(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

pub fn machine() -> Actor {
    Actor::system("worker")
}

pub fn person(id: &str, roles: &[Role], level: u8) -> Actor {
    Actor { id: id.to_owned(), kind: ActorKind::User, roles: roles.to_vec(), level }
}

pub fn admin() -> Actor {
    person("usr_admin", &[Role::Admin], 1)
}

pub fn auditor() -> Actor {
    person("usr_auditor", &[Role::Auditor], 1)
}

/// One of those who may erase.
pub fn legal(id: &str) -> Actor {
    person(id, &[Role::Legal], 2)
}

/// The texts of the shipped policy.
pub const POLICIES: [&str; 3] = [
    include_str!("../../policies/checkpoints.toml"),
    include_str!("../../policies/tolerances.toml"),
    include_str!("../../policies/retention.toml"),
];

/// The shipped policy.
pub fn policy() -> Policy {
    Policy::parse(POLICIES).unwrap()
}

/// The shipped policy, but a price may be so many percent above the order's; and its texts.
pub fn policy_within(percent: &str) -> (Policy, [String; 3]) {
    let [checkpoints, shipped, retention] = POLICIES;
    let tolerances = shipped.replace("upper_percent = \"2\"", &format!("upper_percent = \"{percent}\""));
    assert!(percent == "2" || tolerances != shipped);
    let texts = [checkpoints.to_owned(), tolerances, retention.to_owned()];
    (Policy::parse(texts.each_ref().map(String::as_str)).unwrap(), texts)
}

/// What a document comes to that cannot be read.
pub fn unreadable() -> Event {
    static KEEP: OnceLock<case::Keep> = OnceLock::new();
    let keep = KEEP.get_or_init(|| policy().retention(Kind::Unknown, "inbox", true).keep(NOW.date(), None)).clone();
    Event::Unreadable { why: "not a format this reader knows".into(), keep }
}

/// A file that comes in for the first time.
pub fn arrival(bytes: &[u8], file_name: &str, channel: &str) -> Arrival {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let id = format!("00000000-0000-4000-8000-0000{n:08x}").parse().unwrap();
    Arrival {
        id,
        content: Content::Bytes(bytes.to_vec()),
        file_name: file_name.to_owned(),
        channel: channel.to_owned(),
    }
}

/// Takes in what must be new.
pub async fn admitted(store: &Store, arrival: Arrival, now: Timestamp) -> CaseId {
    match store.admit(arrival, &machine(), now).await.unwrap() {
        Admission::New(id) => id,
        Admission::Duplicate(twin) => panic!("it is here already as {twin}"),
    }
}

/// A store of one test, with everything that it keeps in one folder; removed when dropped.
pub struct Place {
    pub store: Store,
    pub config: Config,
    dir: TempDir,
}

/// A fresh store on each database. Where PostgreSQL is not installed there is only the other one, except in CI.
pub async fn stores() -> Vec<Place> {
    let mut places = vec![sqlite().await];
    match postgres() {
        Some(cluster) => places.push(Place::open(TempDir::new().unwrap(), cluster.create_database().await).await),
        None => eprintln!("skipped on PostgreSQL: its programs are neither in PATH nor in /usr/lib/postgresql/*/bin"),
    }
    places
}

/// A fresh store on SQLite.
pub async fn sqlite() -> Place {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("data.sqlite").to_str().unwrap().to_owned();
    Place::open(dir, file).await
}

/// Runs the test on each database, and judges what it leaves behind.
pub async fn on_both(test: impl AsyncFn(&Place)) {
    for place in stores().await {
        eprintln!("on {}", place.store.database());
        test(&place).await;
        place.judge().await;
    }
}

/// A store that was opened once and closed: fresh stores are copies of it, which costs less than to make each.
pub struct Mould {
    config: Config,
    dir: TempDir,
}

/// One for each database, as [`stores`].
pub async fn moulds() -> Vec<Mould> {
    let mut moulds = Vec::new();
    for Place { store, config, dir } in stores().await {
        store.close().await;
        moulds.push(Mould { config, dir });
    }
    moulds
}

impl Mould {
    /// A fresh store; [`Place::remove`] takes it away.
    pub async fn fresh(&self) -> Place {
        let dir = TempDir::new().unwrap();
        copy_all(self.dir.path(), dir.path());
        let path = |name: &str| dir.path().join(name);
        let database = match self.config.database.starts_with("postgres") {
            true => postgres_copy(&self.config.database).await,
            false => path("data.sqlite").to_str().unwrap().to_owned(),
        };
        let config = Config {
            database,
            vault: BlobPlace::Folder(path("vault")),
            keys: path("keys").into(),
            log: path("log"),
            ..self.config.clone()
        };
        Place { store: Store::open(&config).await.unwrap(), config, dir }
    }
}

impl Place {
    /// Closes it, and drops its database; the folder goes when this is dropped.
    pub async fn remove(self) {
        self.store.close().await;
        if self.on_postgres() {
            let name = self.config.database.split('?').next().unwrap().rsplit('/').next().unwrap();
            let sql = format!("DROP DATABASE {name} WITH (FORCE)");
            execute(&postgres().unwrap().url("postgres"), &sql).await.unwrap();
        }
    }

    /// Where its sealed files lie.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("vault")
    }

    /// Where this one lies.
    pub fn sealed(&self, file: Uuid) -> PathBuf {
        self.folder().join(sealed_name(file))
    }

    async fn open(dir: TempDir, database: String) -> Place {
        let config = Config {
            database,
            vault: BlobPlace::Folder(dir.path().join("vault")),
            keys: dir.path().join("keys").into(),
            log: dir.path().join("log"),
            origin: "audit.test.example/tests/1".into(),
            node: "node-1".into(),
            version: "0.1.0".into(),
        };
        Keys::create(&config.keys).unwrap();
        Place { store: Store::open(&config).await.unwrap(), config, dir }
    }

    /// The store as another process would open it.
    pub async fn another(&self) -> Store {
        Store::open(&self.config).await.unwrap()
    }

    /// Everything at rest agrees with itself, and an auditor who has only an export and the key finds no fault.
    pub async fn judge(&self) {
        let report = self.store.check(true, None, NOW).await.unwrap();
        assert_eq!(report.faults, [], "on {}", self.store.database());
        let dir = TempDir::new().unwrap();
        let exported = self.store.export_log(dir.path(), &auditor(), NOW, &mut |_, _| {}).await.unwrap();
        let entries = verify_export(dir.path(), &exported.head.verifier_key);
        assert_eq!(entries, report.entries + 1, "the export is an entry itself");
    }

    /// The log's entries in order, those included that wait to be sealed.
    pub async fn entries(&self) -> Vec<audit::Body> {
        self.store.seal_log(NOW).await.unwrap();
        let leaves = self.bytes("SELECT leaf FROM log_entries ORDER BY log, position").await;
        leaves.iter().map(|leaf| body_of(leaf)).collect()
    }

    /// Writes past the store, as somebody with the database's password would.
    pub async fn execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        execute(&self.config.database, sql).await
    }

    /// The first column of the answer.
    pub async fn bytes(&self, sql: &str) -> Vec<Vec<u8>> {
        bytes(&self.config.database, sql).await
    }

    pub async fn text(&self, sql: &str) -> String {
        let text = self.bytes(sql).await.pop().unwrap();
        String::from_utf8(text).unwrap()
    }

    /// Is `text` anywhere at rest, in a file or in a row?
    pub async fn holds(&self, text: &str) -> bool {
        let forms = Forms::of(text);
        !forms.found_below(self.dir.path()).is_empty()
            || self.on_postgres() && !found_on_postgres(&self.config.database, &forms).await.is_empty()
    }

    pub fn on_postgres(&self) -> bool {
        self.store.database() == "postgres"
    }
}

/// Where a sealed file lies in the vault, and in a backup of it.
pub fn sealed_name(file: Uuid) -> String {
    format!("{}/{file}.sealed", &file.to_string()[34..])
}

/// All files, in order.
pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let children = std::fs::read_dir(dir).unwrap().map(|child| child.unwrap().path());
    let mut files: Vec<_> =
        children.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

pub fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(copied.success());
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes as a statement to this database writes them.
pub fn literal(database: &str, bytes: &[u8]) -> String {
    let hex = hex(bytes);
    if database.starts_with("postgres") { format!("decode('{hex}', 'hex')") } else { format!("x'{hex}'") }
}

/// Runs this past the store, on a database by its URL or file; gives back how many rows it changed.
pub async fn execute(database: &str, sql: &str) -> Result<u64, sqlx::Error> {
    let sql = AssertSqlSafe(sql.to_owned());
    Ok(if database.starts_with("postgres") {
        sqlx::query(sql).execute(&mut PgConnection::connect(database).await?).await?.rows_affected()
    } else {
        sqlx::query(sql).execute(&mut SqliteConnection::connect(&sqlite_url(database)).await?).await?.rows_affected()
    })
}

/// The first column of the answer.
pub async fn bytes(database: &str, sql: &str) -> Vec<Vec<u8>> {
    let sql = AssertSqlSafe(sql.to_owned());
    if database.starts_with("postgres") {
        let rows = sqlx::query(sql).fetch_all(&mut PgConnection::connect(database).await.unwrap()).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    } else {
        let mut connection = SqliteConnection::connect(&sqlite_url(database)).await.unwrap();
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

fn sqlite_url(file: &str) -> String {
    format!("sqlite://{file}")
}

/// What an auditor does with an export: our own verifier, and one that shares no code with it where
/// `COUNTERSIGN_TLOGCHECK` names it. Gives back how many entries were read.
#[track_caller]
pub fn verify_export(dir: &Path, key: &str) -> u64 {
    let key_read = audit::VerifierKey::parse(key).unwrap();
    let report = audit::verify(dir, &audit::Ask::of(key_read)).unwrap();
    assert!(report.fault.is_none(), "{:?}", report.fault);
    if let Some(program) = std::env::var_os("COUNTERSIGN_TLOGCHECK") {
        let output =
            Command::new("python3").arg(program).arg(dir).arg(key).args(["--chain", "--jcs"]).output().unwrap();
        assert!(output.status.success(), "the independent verifier says: {output:?}");
    }
    report.entries
}

/// The entries of an export as they are, from its bundles.
pub fn exported_leaves(dir: &Path, size: u64) -> Vec<Vec<u8>> {
    let mut leaves = Vec::new();
    while (leaves.len() as u64) < size {
        let n = leaves.len() as u64 / 256;
        let bundle = std::fs::read(dir.join(audit::entries_path(n, (size - n * 256).min(256)))).unwrap();
        let mut rest = bundle.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (leaf, after) = after.split_at(u16::from_be_bytes(*length).into());
            leaves.push(leaf.to_vec());
            rest = after;
        }
    }
    leaves
}

/// What an entry says.
pub fn body_of(leaf: &[u8]) -> audit::Body {
    audit::Body::parse(audit::Leaf::parse(leaf).unwrap().body).unwrap()
}

/// Puts record keys of `n` owners into the key table that nothing was sealed with, made and wrapped as those of cases are.
/// Gives back the owners, in order.
pub async fn fill_key_table(database: &str, keys: &Keys, n: usize) -> Vec<String> {
    const ROWS_AT_ONCE: usize = 500;
    let owners: Vec<String> = (0..n).map(|n| format!("00000000-0000-7000-8000-{n:012x}")).collect();
    for owners in owners.chunks(ROWS_AT_ONCE) {
        let rows = owners.iter().map(|owner| {
            let (_, row) = store::steps::Record::make(keys, owner).unwrap();
            format!("('{owner}', '{}', {})", hex(&row[8..16]), literal(database, &row))
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        execute(database, &format!("INSERT INTO record_keys (owner, wrapped_by, body) VALUES {rows}")).await.unwrap();
    }
    owners
}

/// Every owner's key opens with these keys; gives back how many need another vault key than the one that leads.
pub async fn every_record_key_opens(database: &str, keys: &Keys, owners: &[String]) -> usize {
    let sql = "SELECT body FROM record_keys WHERE owner LIKE '00000000-0000-7000-%' ORDER BY owner";
    let rows = bytes(database, sql).await;
    assert_eq!(rows.len(), owners.len());
    for (owner, row) in owners.iter().zip(&rows) {
        assert!(store::steps::Record::open(keys, owner, row).is_ok(), "the record key of {owner}");
    }
    let leads = keys.ids().iter().find(|(role, _)| *role == "vault").unwrap().1.to_string();
    rows.iter().filter(|row| hex(&row[8..16]) != leads).count()
}

/// A verdict that was made by nobody, for tests of what comes after one.
pub fn verdict(findings: Vec<case::Finding>, checkpoints: Vec<case::Checkpoint>, policy: &case::Policy) -> case::Event {
    case::Event::Reconciled(Box::new(case::Judgement {
        at: case::Timestamp(0),
        findings,
        passed: Vec::new(),
        matched: Vec::new(),
        bill: None,
        due_date: None,
        informed_by: Default::default(),
        beside: Default::default(),
        checkpoints,
        policy: policy.digest,
        sample_percent: policy.straight_through.sample_percent,
        unbooked: policy.retention(case::Kind::Invoice, "inbox", true),
    }))
}
