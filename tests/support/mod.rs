//! What the tests of the whole product share: fresh stores on both databases, and the judgement at the end of a test.
#![allow(dead_code, unreachable_pub, reason = "every test program uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

pub mod readable;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use case::{Actor, ActorKind, Event, Kind, Policy, Role, Timestamp};
use readable::Forms;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use store::{Arrival, BlobPlace, Config, Content, Keys, Store};
use tempfile::TempDir;

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

/// A file that comes in for the first time.
/// The shipped policy.
pub fn policy() -> Policy {
    let texts = [
        include_str!("../../policies/checkpoints.toml"),
        include_str!("../../policies/tolerances.toml"),
        include_str!("../../policies/retention.toml"),
    ];
    Policy::parse(texts).unwrap()
}

/// The shipped policy, but a price may be so many percent above the order's; and its texts.
pub fn policy_within(percent: &str) -> (Policy, [String; 3]) {
    let shipped = include_str!("../../policies/tolerances.toml");
    let tolerances = shipped.replace("upper_percent = \"2\"", &format!("upper_percent = \"{percent}\""));
    assert!(percent == "2" || tolerances != shipped);
    let texts = [
        include_str!("../../policies/checkpoints.toml").to_owned(),
        tolerances,
        include_str!("../../policies/retention.toml").to_owned(),
    ];
    (Policy::parse(texts.each_ref().map(String::as_str)).unwrap(), texts)
}

/// What a document comes to that cannot be read.
pub fn unreadable() -> Event {
    static KEEP: OnceLock<case::Keep> = OnceLock::new();
    let keep = KEEP.get_or_init(|| policy().retention(Kind::Unknown, "inbox", true).keep(NOW.date(), None)).clone();
    Event::Unreadable { why: "not a format this reader knows".into(), keep }
}

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
        let copied = Command::new("cp").arg("-a").arg(self.dir.path().join(".")).arg(dir.path()).status().unwrap();
        assert!(copied.success());
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
        let auditor = person("usr_auditor", &[Role::Auditor], 1);
        let dir = TempDir::new().unwrap();
        let exported = self.store.export_log(dir.path(), &auditor, NOW, |_, _| {}).await.unwrap();
        let entries = verify_export(dir.path(), &exported.head.verifier_key);
        assert_eq!(entries, report.entries + 1, "the export is an entry itself");
    }

    /// The log's entries in order, those included that wait to be sealed.
    pub async fn entries(&self) -> Vec<audit::Body> {
        self.store.seal_log(NOW).await.unwrap();
        let leaves = self.bytes("SELECT leaf FROM log_entries ORDER BY log, position").await;
        leaves.iter().map(|leaf| audit::Body::parse(audit::Leaf::parse(leaf).unwrap().body).unwrap()).collect()
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

/// Runs this past the store, on a database by its URL or file; gives back how many rows it changed.
pub async fn execute(database: &str, sql: &str) -> Result<u64, sqlx::Error> {
    let sql = AssertSqlSafe(sql.to_owned());
    Ok(if database.starts_with("postgres") {
        sqlx::query(sql).execute(&mut PgConnection::connect(database).await?).await?.rows_affected()
    } else {
        sqlx::query(sql).execute(&mut SqliteConnection::connect(&sqlite_url(database)).await?).await?.rows_affected()
    })
}

/// Where a form of a text is in PostgreSQL: in its files, with the write-ahead log, or in a row, which the files may hold
/// compressed.
pub async fn found_on_postgres(database: &str, forms: &Forms) -> Vec<String> {
    execute(database, "CHECKPOINT").await.unwrap();
    let files = forms.found_below(&postgres().unwrap().dir);
    let mut found: Vec<_> = files.iter().map(|(path, form)| format!("{}: {form}", path.display())).collect();
    let tables = "SELECT convert_to(tablename, 'UTF8') FROM pg_tables WHERE schemaname = 'public'";
    let tables = bytes(database, tables).await;
    assert!(10 < tables.len());
    for table in tables {
        let table = String::from_utf8(table).unwrap();
        // Bytes stand in a row's text as hexadecimal digits.
        for row in bytes(database, &format!("SELECT convert_to(row::text, 'UTF8') FROM {table} AS row")).await {
            found.extend(forms.found_in(&row).into_iter().map(|form| format!("table {table}: {form}")));
        }
    }
    found
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

/// A fresh database of the private PostgreSQL; None where its programs are not installed, which in CI is a failure.
pub fn postgres_url() -> Option<String> {
    let cluster = postgres()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Some(runtime.block_on(cluster.create_database()))
}

/// As [`postgres_url`], where a runtime is running.
pub async fn postgres_fresh() -> Option<String> {
    Some(postgres()?.create_database().await)
}

/// A database with all that another has.
pub async fn postgres_copy(url: &str) -> String {
    postgres().unwrap().copy(url).await
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

/// A PostgreSQL of this test program alone, on a socket in a folder of its own.
struct Cluster {
    dir: PathBuf,
    programs: PathBuf,
    /// Its standard input is the leash: when this process ends, however it ends, the server stops and the folder goes.
    _leash: Child,
}

fn postgres() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| Some(Cluster::start(&postgres_programs()?)));
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(cluster.is_some() || !ci, "PostgreSQL is not installed, and in CI nothing is skipped");
    cluster.as_ref()
}

/// The newest version's folder of `initdb`, `pg_ctl` and `postgres`.
fn postgres_programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.unwrap().path().join("bin")).collect();
    versions.sort_by_key(|bin| bin.parent()?.file_name()?.to_str()?.parse::<u32>().ok());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(versions.into_iter().rev());
    places.into_iter().find(|dir| ["initdb", "pg_ctl", "postgres"].iter().all(|it| dir.join(it).is_file()))
}

impl Cluster {
    fn start(programs: &Path) -> Cluster {
        const SCRIPT: &str = r#"
            initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >log 2>&1 &&
            echo "fsync = off" >>data/postgresql.conf &&
            pg_ctl -D data -w -s -l log -o "-k '$PWD' -h '' -N 400" start >>log 2>&1 &&
            echo ready && cat >/dev/null
            pg_ctl -D data -w -s -m immediate stop >>log 2>&1
            rm -rf "$PWD"
        "#;
        let dir = tempfile::Builder::new().prefix("countersign-pg-").tempdir().unwrap().keep();
        let path = std::env::join_paths([programs, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT]).current_dir(&dir).env_clear().env("PATH", path);
        // In a group of its own, so that whoever kills the test does not also kill what cleans up after it.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        if let Some((user, group)) = server_ids() {
            chown(&dir, Some(user), Some(group)).unwrap();
            command.uid(user).gid(group);
        }
        let mut leash = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(leash.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL did not start");
        Cluster { dir, programs: programs.to_owned(), _leash: leash }
    }

    async fn create_database(&self) -> String {
        self.copy(&self.url("template1")).await
    }

    async fn copy(&self, url: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let from = url.split('?').next().unwrap().rsplit('/').next().unwrap();
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        let sql = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {from}"));
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.dir.display())
    }
}

/// From here on the server waits for the disk, as a customer's does; tests that measure nothing need not.
pub async fn postgres_waits_for_the_disk() {
    let Some(cluster) = postgres() else { return };
    let mut connection = PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    for sql in ["ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()"] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
}

/// Ends the server as a power cut would, and starts it again, which recovers.
pub fn stop_postgres_at_once_and_start_it() {
    let cluster = postgres().unwrap();
    for script in ["-m immediate stop", "-l log -o \"-k '$PWD' -h '' -N 400\" start"] {
        let path =
            std::env::join_paths([cluster.programs.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("pg_ctl -D data -w -s {script} >>log 2>&1")]);
        command.current_dir(&cluster.dir).env_clear().env("PATH", path).stdin(Stdio::null());
        if let Some((user, group)) = server_ids() {
            command.uid(user).gid(group);
        }
        assert!(command.status().unwrap().success(), "pg_ctl {script}");
    }
}

/// Who runs the server: PostgreSQL refuses to run as root.
fn server_ids() -> Option<(u32, u32)> {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    root.then(|| ids_of("postgres").or_else(|| ids_of("nobody")).unwrap())
}

fn ids_of(user: &str) -> Option<(u32, u32)> {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == user)?;
    Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
}

/// Puts record keys of `n` owners into the key table that nothing was sealed with, made and wrapped as those of cases are.
/// Gives back the owners, in order.
pub async fn fill_key_table(database: &str, keys: &Keys, n: usize) -> Vec<String> {
    const ROWS_AT_ONCE: usize = 500;
    let owners: Vec<String> = (0..n).map(|n| format!("00000000-0000-7000-8000-{n:012x}")).collect();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for owners in owners.chunks(ROWS_AT_ONCE) {
        let rows = owners.iter().map(|owner| {
            let (_, row) = store::steps::Record::make(keys, owner).unwrap();
            let quote = if database.starts_with("postgres") { r"'\x" } else { "x'" };
            format!("('{owner}', '{}', {quote}{}')", hex(&row[8..16]), hex(&row))
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
    let by = |row: &Vec<u8>| row[8..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    rows.iter().filter(|row| by(row) != leads).count()
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
        checkpoints,
        policy: policy.digest,
        unbooked: policy.retention(case::Kind::Invoice, "inbox", true),
    }))
}
