//! `cargo bench --bench log`: what the audit log costs. Audited state changes a second with 1, 16 and 64 callers, beside
//! the bare inserts of rows of the same sizes in the same run; then the export of a long log, and of a little more.
//!
//! `COUNTERSIGN_BENCH_SECONDS=5` measures longer, `COUNTERSIGN_BENCH_ENTRIES=1000000` exports a longer log.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use case::{Actor, Case, CaseId, Decision, Event, Role, Timestamp, Verdict};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use store::{Admission, Store};
use support::{Place, arrival, machine, person, unreadable};

fn main() {
    // `cargo test` also runs this program, with arguments of its own: nothing is measured then.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        support::postgres_waits_for_the_disk().await;
        println!("audited state changes: a case goes to and fro between two states, each change with its entry and openings,");
        println!("sealed, on the disk when it is acknowledged; bare: rows of the same sizes, inserted in one transaction each,");
        println!("on SQLite with more than one caller a hundred to a transaction\n");
        println!("{:>9}  {:>8}  {:>10}  {:>10}  {:>6}", "database", "callers", "audited/s", "bare/s", "ratio");
        for callers in [1, 16, 64] {
            for place in support::stores().await {
                let bare = bare(&place, callers).await;
                let audited = audited(&place, callers).await;
                let name = place.store.database();
                println!("{name:>9}  {callers:>8}  {audited:>10.0}  {bare:>10.0}  {:>6.2}", audited / bare);
            }
        }
        export().await;
    });
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn clock() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

/// Changes a second.
async fn audited(place: &Place, callers: usize) -> f64 {
    let mut cases = Vec::new();
    for n in 0..callers {
        cases.push(admitted(&place.store, n).await);
    }
    let (changes, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let sealer = tokio::spawn(seal_until(place.store.clone(), stop.clone()));
    let tasks: Vec<_> = cases
        .into_iter()
        .map(|id| tokio::spawn(to_and_fro(place.store.clone(), id, changes.clone(), stop.clone(), u64::MAX)))
        .collect();
    let rate = rate(&changes).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    sealer.await.unwrap();
    assert_eq!(place.store.check(false, None, clock()).await.unwrap().faults, []);
    rate
}

/// How fast this counts, once it has got going.
async fn rate(changes: &AtomicU64) -> f64 {
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (before, started) = (changes.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(Duration::from_secs(number("COUNTERSIGN_BENCH_SECONDS", 3))).await;
    (changes.load(Ordering::Relaxed) - before) as f64 / started.elapsed().as_secs_f64()
}

async fn admitted(store: &Store, n: usize) -> CaseId {
    match store.admit(arrival(format!("case {n}").as_bytes(), "noise.bin", "bench"), &machine(), clock()).await.unwrap()
    {
        Admission::New(id) => id,
        Admission::Duplicate(_) => unreachable!("each is different"),
    }
}

async fn seal_until(store: Store, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        store.seal_log(clock()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    store.seal_log(clock()).await.unwrap();
}

async fn to_and_fro(store: Store, id: CaseId, changes: Arc<AtomicU64>, stop: Arc<AtomicBool>, most: u64) {
    let reviewer = person("usr_reviewer", &[Role::Reviewer], 1);
    let mut case = store.case(id).await.unwrap();
    while !stop.load(Ordering::Relaxed) && changes.fetch_add(1, Ordering::Relaxed) < most {
        case = moved(&store, case, &reviewer).await;
    }
}

async fn moved(store: &Store, case: Case, reviewer: &Actor) -> Case {
    let now = clock();
    if case.state == case::State::Received {
        return store.apply(case.id, case.revision, unreadable(), &machine(), now).await.unwrap();
    }
    let decision = Decision {
        by: reviewer.clone(),
        verdict: Verdict::Release,
        reason: "read it again".into(),
        seen: case.content(),
        at: now,
    };
    store.apply(case.id, case.revision, Event::Decided(decision), reviewer, now).await.unwrap()
}

/// Rows of the sizes that one change writes: the case's, its work's, the entry's and its openings'.
const SIZES: [usize; 4] = [1_100, 60, 620, 330];

/// Changes a second, if they were nothing but rows.
async fn bare(place: &Place, callers: usize) -> f64 {
    let blob = if place.on_postgres() { "BYTEA" } else { "BLOB" };
    for n in 0..SIZES.len() {
        place
            .execute(&format!("CREATE TABLE bare_{n} (id TEXT NOT NULL PRIMARY KEY, body {blob} NOT NULL)"))
            .await
            .unwrap();
    }
    let (changes, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    // SQLite has one writer: more callers can do no better than to be written together.
    let (writers, together) = match (place.on_postgres(), callers) {
        (true, _) => (callers.min(8), 1),
        (false, 1) => (1, 1),
        (false, _) => (1, 100),
    };
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let (database, changes, stop) = (place.config.database.clone(), changes.clone(), stop.clone());
            tokio::spawn(async move {
                if database.starts_with("postgres") {
                    insert(PgConnection::connect(&database).await.unwrap(), together, changes, stop).await;
                } else {
                    insert_sqlite(&database, together, changes, stop).await;
                }
            })
        })
        .collect();
    let rate = rate(&changes).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    rate
}

const INSERTS: [&str; 4] = [
    "INSERT INTO bare_0 (id, body) VALUES ($1, $2)",
    "INSERT INTO bare_1 (id, body) VALUES ($1, $2)",
    "INSERT INTO bare_2 (id, body) VALUES ($1, $2)",
    "INSERT INTO bare_3 (id, body) VALUES ($1, $2)",
];

async fn insert(mut connection: PgConnection, together: u64, changes: Arc<AtomicU64>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let mut tx = connection.begin().await.unwrap();
        for _ in 0..together {
            for (sql, size) in INSERTS.iter().zip(SIZES) {
                let id = uuid::Uuid::now_v7().to_string();
                sqlx::query(*sql).bind(id).bind(vec![7_u8; size]).execute(&mut *tx).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
        changes.fetch_add(together, Ordering::Relaxed);
    }
}

async fn insert_sqlite(database: &str, together: u64, changes: Arc<AtomicU64>, stop: Arc<AtomicBool>) {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{database}")).await.unwrap();
    connection.execute("PRAGMA journal_mode = WAL").await.unwrap();
    connection.execute("PRAGMA synchronous = FULL").await.unwrap();
    connection.execute("PRAGMA busy_timeout = 30000").await.unwrap();
    while !stop.load(Ordering::Relaxed) {
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for _ in 0..together {
            for (sql, size) in INSERTS.iter().zip(SIZES) {
                let id = uuid::Uuid::now_v7().to_string();
                sqlx::query(*sql).bind(id).bind(vec![7_u8; size]).execute(&mut *tx).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
        changes.fetch_add(together, Ordering::Relaxed);
    }
}

/// How long an export takes and how much memory, in a process of its own; then after a thousand entries more.
async fn export() {
    let entries = number("COUNTERSIGN_BENCH_ENTRIES", 50_000);
    println!("\n{:>9}  {:>9}  {:>9}  {:>11}  {:>9}", "entries", "of these", "seconds", "CPU seconds", "peak MiB");
    println!("{:>9}  {:>9}", "", "new");
    let dir = tempfile::TempDir::new().unwrap();
    let books = dir.path().join("books");
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(args).stdout(Stdio::null());
        command
    };
    let at = ["-C", books.to_str().unwrap()];
    assert!(run(&["init", at[1]]).status().unwrap().success());
    let add = ["account", "add", "--name", "ada", "--role", "auditor", "--link-only"];
    assert!(run(&[&add[..], &at].concat()).status().unwrap().success());
    let config = store::Config {
        database: books.join("data/countersign.db").to_str().unwrap().to_owned(),
        vault: store::BlobPlace::Folder(books.join("data/vault")),
        keys: books.join("keys").into(),
        log: books.join("data/log"),
        origin: "audit.localhost/main/1".into(),
        node: "bench".into(),
        version: "0.1.0".into(),
    };
    let mut before = 0;
    for more in [entries, 1_000] {
        let store = Store::open(&config).await.unwrap();
        let (changes, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let mut tasks = Vec::new();
        for n in 0..64 {
            let id = admitted(&store, n + before as usize).await;
            tasks.push(tokio::spawn(to_and_fro(store.clone(), id, changes.clone(), stop.clone(), more)));
        }
        for task in tasks {
            task.await.unwrap();
        }
        store.sign_log(clock()).await.unwrap();
        let size = store.head().await.unwrap().unwrap().size;
        store.close().await;
        let target = dir.path().join("export");
        let args = [&["log", "export", target.to_str().unwrap(), "--as", "ada"][..], &at].concat();
        let started = Instant::now();
        let mut child = run(&args).stderr(Stdio::null()).spawn().unwrap();
        let (mut peak, mut cpu) = (0.0_f64, 0.0_f64);
        let status = loop {
            if let Some(used) = used(child.id()) {
                (cpu, peak) = used;
            }
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        assert!(status.success());
        let seconds = started.elapsed().as_secs_f64();
        println!("{size:>9}  {:>9}  {seconds:>9.2}  {cpu:>11.2}  {peak:>9.1}", size - before);
        before = size;
    }
}

/// CPU seconds and peak memory in MiB of a process that still runs.
fn used(pid: u32) -> Option<(f64, f64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak: f64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?;
    Some((ticks / 100.0, peak / 1024.0))
}
