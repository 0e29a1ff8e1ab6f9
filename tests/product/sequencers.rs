//! Writers and sealers of one PostgreSQL log are killed at any moment, and the server itself is stopped at once, while
//! others go on: nothing that was acknowledged is missing, and the log is in order.
//!
//! In the ordinary run a small number of kills; `COUNTERSIGN_KILLS=30 COUNTERSIGN_SECONDS=40` for the measured one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use case::{CaseId, Decision, Event, Role, State, Timestamp, Verdict};
use store::{Admission, Config, Keys, Store};
use support::{arrival, machine, person, unreadable};

const WRITERS: usize = 6;
const SEALERS: usize = 2;

/// What a child of this program does, in place of the test: `writer`, `sealer`, and the folder of the store.
const ROLE: &str = "COUNTERSIGN_TEST_ROLE";

fn clock() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn config(dir: &Path, node: &str) -> Config {
    Config {
        database: std::fs::read_to_string(dir.join("database")).unwrap(),
        vault: store::BlobPlace::Folder(dir.join("vault")),
        keys: dir.join("keys").into(),
        log: dir.join("log"),
        origin: "audit.test.example/tests/1".into(),
        node: node.into(),
        version: "0.1.0".into(),
    }
}

/// The body of a child; the test itself when there is no role.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_missing_though_writers_sealers_and_the_server_are_killed() {
    match std::env::var(ROLE) {
        Ok(role) => {
            let (role, dir) = role.split_once(' ').unwrap();
            match role {
                "sealer" => seal(Path::new(dir)).await,
                _ => write(Path::new(dir), role.strip_prefix("writer").unwrap()).await,
            }
        }
        Err(_) => judge_it().await,
    }
}

/// Opens the store, however often the server is away meanwhile.
async fn opened(dir: &Path, node: &str) -> Store {
    loop {
        match Store::open(&config(dir, node)).await {
            Ok(store) => return store,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn seal(dir: &Path) {
    let store = opened(dir, "sealer").await;
    loop {
        // Whatever goes wrong, such as a server that is away, is tried again.
        drop(store.seal_log(clock()).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Moves a case to and fro, and says each move that was acknowledged.
async fn write(dir: &Path, case: &str) {
    let store = opened(dir, "writer").await;
    let id: CaseId = case.parse().unwrap();
    let reviewer = person("usr_reviewer", &[Role::Reviewer], 1);
    loop {
        let Ok(case) = store.case(id).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let now = clock();
        let moved = if case.state == State::Received {
            store.apply(id, case.revision, unreadable(), &machine(), now).await
        } else {
            let (seen, by) = (case.content(), reviewer.clone());
            let decision = Decision { by, verdict: Verdict::Release, reason: "again".into(), seen, at: now };
            store.apply(id, case.revision, Event::Decided(decision), &reviewer, now).await
        };
        if let Ok(case) = moved {
            println!("\nacknowledged {} {}", case.id, case.revision);
        }
    }
}

type Acknowledged = Arc<Mutex<BTreeSet<(String, u64)>>>;

fn child(dir: &Path, role: &str, acknowledged: &Acknowledged) -> Child {
    let test = "sequencers::nothing_acknowledged_is_missing_though_writers_sealers_and_the_server_are_killed";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(ROLE, format!("{role} {}", dir.display()));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (lines, acknowledged) = (BufReader::new(child.stdout.take().unwrap()).lines(), acknowledged.clone());
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            // A line that was cut short by the kill was never said.
            let words: Vec<&str> = line.split(' ').collect();
            if let ["acknowledged", case, revision] = words[..]
                && let (36, Ok(revision)) = (case.len(), revision.parse())
            {
                acknowledged.lock().unwrap().insert((case.to_owned(), revision));
            }
        }
    });
    child
}

async fn judge_it() {
    let Some(database) = support::postgres_fresh().await else {
        return eprintln!("skipped: PostgreSQL is not installed, and SQLite has no sequencer");
    };
    let (kills, seconds) = (number("COUNTERSIGN_KILLS", 8).min(60), number("COUNTERSIGN_SECONDS", 8));
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::write(dir.path().join("database"), database).unwrap();
    Keys::create(dir.path().join("keys")).unwrap();
    let store = opened(dir.path(), "judge").await;
    let mut roles = Vec::new();
    for n in 0..WRITERS {
        match store.admit(arrival(&[n as u8], "noise.bin", "inbox"), &machine(), clock()).await.unwrap() {
            Admission::New(id) => roles.push(format!("writer{id}")),
            Admission::Duplicate(_) => unreachable!("each is different"),
        }
    }
    store.close().await;
    roles.extend((0..SEALERS).map(|_| "sealer".to_owned()));
    let acknowledged = Acknowledged::default();
    let mut children: Vec<Child> = roles.iter().map(|role| child(dir.path(), role, &acknowledged)).collect();

    let (started, pause) = (Instant::now(), Duration::from_millis(seconds * 1000 / (kills + 1)));
    for kill in 0..kills {
        tokio::time::sleep(pause).await;
        if kill == kills / 3 || kill == 2 * kills / 3 {
            support::stop_postgres_at_once_and_start_it();
        }
        // Every writer and every sealer in turn; which moment of its work that is, nobody knows.
        let n = kill as usize % children.len();
        children[n].kill().unwrap();
        children[n].wait().unwrap();
        children[n] = child(dir.path(), &roles[n], &acknowledged);
    }
    tokio::time::sleep(pause).await;
    for child in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let seconds = started.elapsed().as_secs_f64();

    let store = opened(dir.path(), "judge").await;
    store.seal_log(clock()).await.unwrap();
    let report = store.check(false, None, clock()).await.unwrap();
    assert_eq!(report.faults, [], "the state table, the log and the replay agree");
    let auditor = person("usr_auditor", &[Role::Auditor], 1);
    let export = tempfile::TempDir::new().unwrap();
    let exported = store.export_log(export.path(), &auditor, clock(), &mut |_, _| {}).await.unwrap();
    support::verify_export(export.path(), &exported.head.verifier_key);
    let mut entered = BTreeSet::new();
    for id in roles.iter().filter_map(|role| role.strip_prefix("writer")) {
        for happening in store.history(id.parse().unwrap()).await.unwrap() {
            assert!(happening.index.is_some(), "everything is sealed");
            entered.insert((id.to_owned(), happening.revision.unwrap()));
        }
    }
    let acknowledged = acknowledged.lock().unwrap();
    let missing: Vec<_> = acknowledged.difference(&entered).collect();
    assert!(missing.is_empty(), "{} of {} acknowledged moves are not in the log", missing.len(), acknowledged.len());
    assert!(WRITERS < acknowledged.len(), "the writers wrote");
    println!(
        "{kills} kills and 2 stops of the server in {seconds:.0} s: {} acknowledged, {} entries, 0 missing",
        acknowledged.len(),
        exported.head.size
    );
}
