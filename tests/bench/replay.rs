//! `cargo bench --bench replay`: 100,000 archived cases are judged once more under a policy that lets prices rise by 1 %
//! instead of 2, on all cores: seconds and cases a second, on both databases.
//!
//! A few dozen invoices of 20 lines go through the store from their admission to the archive: a third as ordered, a third
//! 1.5 % over the order in one line, which flips, a third 5 % over, which people approved. The others are rows with the same
//! cases under ids and record keys of their own, sealed as the store seals them; they have no document and no entry in the
//! log, for a replay looks at neither.
//!
//! `COUNTERSIGN_CASES=10000` for fewer. The rows of one database at a time lie in the folder for temporary files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod books;
#[path = "../support/mod.rs"]
mod support;

use std::time::Instant;

use books::Books;
use case::{Actor, Answer, Case, CaseId, Decimal, Decision, Digest, Event, Role, State, Verdict, judge, wanted};
use sqlx::{Connection, PgConnection, SqliteConnection};
use store::steps::Record;
use store::{Keys, Store};
use support::{NOW, Place, admitted, arrival, machine, person};
use uuid::Uuid;

const TEMPLATES: usize = 36;
/// By the number of the invoice, percent over the order.
const OVER: [&str; 3] = ["0", "1.5", "5"];
/// Order lines, receipts and past invoices.
const FACTS: usize = 2_000;
const VENDORS: usize = 10;
const ROWS_AT_ONCE: usize = 500;

fn main() {
    // `cargo test` also runs this program, with arguments of its own: nothing is measured then.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let n = books::asked("COUNTERSIGN_CASES", 100_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        println!(
            "{:>9}  {:>8}  {:>10}  {:>8}  {:>9}  {:>8}  {:>8}  {:>8}  {:>8}",
            "database", "cases", "bytes each", "seconds", "written s", "cases/s", "released", "held", "rerouted"
        );
        for place in support::stores().await {
            measure(&place, n).await;
        }
    });
}

async fn measure(place: &Place, n: usize) {
    let templates = archived(&place.store).await;
    let started = Instant::now();
    let n_more = n.checked_sub(templates.len()).filter(|it| 0 < *it).expect("more cases than go through the store");
    let bytes = multiply(place, &templates, n_more).await;
    let written = started.elapsed().as_secs_f64();
    let by = person("usr_auditor", &[Role::Auditor], 1);
    let started = Instant::now();
    let today = NOW.date();
    let (replays, flips) =
        place.store.replay(&support::policy_within("1").0, today, today, &by, NOW, &mut |_, _| ()).await.unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!((replays.replayed, replays.not_replayable), (n as u64, 0));
    assert!(!flips.is_empty(), "what is 1.5 % over flips");
    println!(
        "{:>9}  {n:>8}  {:>10.0}  {seconds:>8.2}  {written:>9.1}  {:>8.0}  {:>8}  {:>8}  {:>8}",
        place.store.database(),
        bytes as f64 / n_more as f64,
        n as f64 / seconds,
        replays.released.cases,
        replays.held.cases,
        replays.rerouted.cases
    );
}

/// Cases that went all their way through this store.
async fn archived(store: &Store) -> Vec<Case> {
    let (books, policy) = (Books::of(FACTS, VENDORS), support::policy());
    books.bring_in(store).await;
    let mut cases = Vec::new();
    for number in 0..TEMPLATES {
        let bytes = books.invoice(number, number, OVER[number % OVER.len()].parse::<Decimal>().unwrap());
        let name = format!("invoice-{number}.xml");
        let id = admitted(store, arrival(&bytes, &name, "inbox"), NOW).await;
        let extraction = Box::new(extract::read(&bytes).unwrap().extraction);
        let case = moved(store, id, Event::Extracted { extraction, pictures: Vec::new() }, &machine()).await.unwrap();
        let findings = case::examine(&case, &policy, NOW.date()).findings;
        let event = Event::Validated { findings, policy: policy.digest };
        let case = moved(store, id, event, &machine()).await.unwrap();
        let extraction = case.extraction.clone().unwrap();
        let gathered = store.gather(&case, &|known| wanted(&extraction, known, &policy)).await.unwrap();
        let event = Event::Reconciled(Box::new(judge(&case, &gathered.known, &policy, NOW)));
        let case = moved(store, id, event, &machine()).await.unwrap();
        let case = approved(store, case).await;
        assert_eq!(case.matched.len(), books::LINES_AN_ORDER);
        let answer = Answer::Booked { reference: format!("L-{number}") };
        moved(store, id, Event::Answered { answer, checkpoints: Vec::new() }, &machine()).await.unwrap();
        let keep = policy.retention(case.kind(), "inbox", false).keep(NOW.date(), Some(&extraction));
        cases.push(moved(store, id, Event::Archived { keep }, &machine()).await.unwrap());
    }
    assert!(cases.iter().all(|case| case.state == State::Archived && !case.passed.is_empty()));
    assert!(cases.iter().any(|case| case.findings.iter().any(|finding| finding.basis.is_some())));
    cases
}

/// By as many people as it takes.
async fn approved(store: &Store, case: Case) -> Case {
    let mut case = case;
    for n in 0..4 {
        if case.state != State::InReview {
            break;
        }
        let by = person(&format!("usr_reviewer_{n}"), &[Role::Reviewer], 2);
        let reason = "the price was agreed".to_owned();
        let decision = Decision { by: by.clone(), verdict: Verdict::Approve, reason, seen: case.content(), at: NOW };
        case = moved(store, case.id, Event::Decided(decision), &by).await.unwrap();
    }
    assert_eq!(case.state, State::Approved, "{:?}", case.findings);
    case
}

async fn moved(store: &Store, id: CaseId, event: Event, by: &Actor) -> Result<Case, store::ApplyError> {
    let revision = store.case(id).await?.revision;
    store.apply(id, revision, event, by, NOW).await
}

/// The row of a case and of its record key.
struct Twin {
    id: String,
    record: Vec<u8>,
    kind: &'static str,
    revision: i64,
    digest_key: [u8; 32],
    body: Vec<u8>,
}

/// So many more cases as these; gives back the bytes of their bodies.
async fn multiply(place: &Place, templates: &[Case], n: usize) -> usize {
    let keys = Keys::open(&place.config.keys).unwrap();
    let database = &place.config.database;
    let mut bytes = 0;
    let numbers: Vec<usize> = (0..n).collect();
    for numbers in numbers.chunks(ROWS_AT_ONCE) {
        let twins = made(&keys, templates, numbers);
        bytes += twins.iter().map(|twin| twin.body.len()).sum::<usize>();
        insert(database, &twins).await;
    }
    bytes
}

/// On all cores.
fn made(keys: &Keys, templates: &[Case], numbers: &[usize]) -> Vec<Twin> {
    let cores = std::thread::available_parallelism().unwrap().get();
    std::thread::scope(|scope| {
        let part = |numbers: &[usize]| -> Vec<Twin> {
            numbers.iter().map(|n| twin(keys, &templates[n % templates.len()])).collect()
        };
        let parts: Vec<_> =
            numbers.chunks(numbers.len().div_ceil(cores)).map(|it| scope.spawn(move || part(it))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

fn twin(keys: &Keys, template: &Case) -> Twin {
    let id = Uuid::now_v7();
    let (record, row) = Record::make(keys, &id.to_string()).unwrap();
    let mut case = Case { id: CaseId(id), original: Uuid::now_v7(), ..template.clone() };
    case.document.digest = Digest::of(id.as_bytes());
    Twin {
        id: id.to_string(),
        record: row,
        kind: case.kind().name(),
        revision: case.revision as i64,
        digest_key: case.document.digest.0,
        body: record.seal_json(&format!("cases/{id}"), &case).unwrap(),
    }
}

const INSERT_KEY: &str = "INSERT INTO record_keys (owner, wrapped_by, body) VALUES ($1, $2, $3)";
const INSERT_CASE: &str =
    "INSERT INTO cases (case_id, revision, state, kind, channel, received_at, changed_at, n_holds, proposed, digest_key,
                        last_entry, body)
     VALUES ($1, $2, 'Archived', $3, 'inbox', $4, $4, 0, 0, $5, $6, $7)";

async fn insert(database: &str, twins: &[Twin]) {
    macro_rules! insert_on {
        ($connection:expr) => {{
            let mut connection = $connection;
            let mut tx = connection.begin().await.unwrap();
            for twin in twins {
                let wrapped_by: String = twin.record[8..16].iter().map(|byte| format!("{byte:02x}")).collect();
                let key = sqlx::query(INSERT_KEY).bind(&twin.id).bind(wrapped_by).bind(&twin.record);
                key.execute(&mut *tx).await.unwrap();
                let case = sqlx::query(INSERT_CASE).bind(&twin.id).bind(twin.revision).bind(twin.kind).bind(NOW.0);
                let case = case.bind(&twin.digest_key[..]).bind(&[0_u8; 32][..]).bind(&twin.body);
                case.execute(&mut *tx).await.unwrap();
            }
            tx.commit().await.unwrap();
        }};
    }
    if database.starts_with("postgres") {
        insert_on!(PgConnection::connect(database).await.unwrap());
    } else {
        insert_on!(SqliteConnection::connect(&format!("sqlite://{database}")).await.unwrap());
    }
}
