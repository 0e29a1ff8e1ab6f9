//! The rows of a backup, on their way into a database: all of them in one transaction, or none. `format.md` §4.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use audit::{Act, Body, Leaf};
use case::{Action, Actor, Bill, Case, CaseId, Digest, Document, Fact, Key, State, Timestamp};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::restore::{Backup, HOUSE};
use super::snapshot::Lot;
use super::tables::{FACT_KEYS, FACTS, OUTBOX, RECORD_KEYS, TABLES};
use super::{LOTS_WAITING_MAX, Part, files, key_table};
use crate::cases::{case_id, context};
use crate::db::{Arg, Cell, Db, Row, Tx};
use crate::facts::{self, FORGET, stays};
use crate::log::outbox::{flaw, waiting};
use crate::log::{Draft, signed};
use crate::policies::FORGET_PROPOSALS;
use crate::settlements::forget_in_settlements;
use crate::{BlobPlace, Config, Error, Keys, Store, opened_json, sealed_json};

const KEYS_AT_ONCE: usize = 1_000;
/// A log that is given up has no more entries than so many.
const GIVEN_UP_MAX: i64 = 1_000;
/// Where the log's own rows are.
const LOG: [&str; 3] = ["log_tail", "log_entries", OUTBOX];

/// How many entries a database has that has nothing else: those which say that the keys were brought back, on the way to this
/// restoring. Refuses any other database that is not empty.
pub(super) async fn given_up(tx: &mut Tx, database: &str) -> Result<u64, Error> {
    let table = match looked_through(tx).await? {
        Ok(n_entries) => return Ok(n_entries),
        Err(table) => table,
    };
    let last = "SELECT leaf FROM log_entries ORDER BY log DESC, position DESC LIMIT 1";
    let last = tx.row(last, &[]).await?.map(|row| Ok::<_, Error>(Body::parse(Leaf::parse(row.bytes(0)?)?.body)?.act));
    let what = if last.transpose()? == Some(Act::BackupRestore) {
        "by its log a restoring came to its end: look with `countersign check --seals`".to_owned()
    } else if database.starts_with("postgres") {
        "name an empty one under `database` in the settings".to_owned()
    } else {
        format!("move `{database}` away, or name another one under `database` in the settings")
    };
    let what = format!("the database has rows already, in `{table}`: a backup goes into an empty one; {what}");
    Err(Error::Unacceptable { what })
}

/// The entries, or the table whose rows are not to be lost.
async fn looked_through(tx: &mut Tx) -> Result<Result<u64, &'static str>, Error> {
    for table in TABLES.iter().map(|table| table.name).filter(|name| !LOG.contains(name)).chain(["sessions"]) {
        if tx.conn().count_rows(table).await? != 0 {
            return Ok(Err(table));
        }
    }
    // A store that is opened makes these two, whoever only looks.
    let stranger = "SELECT owner FROM record_keys WHERE owner <> $1 LIMIT 1";
    if tx.row(stranger, &[Arg::Text(HOUSE)]).await?.is_some() {
        return Ok(Err(RECORD_KEYS.name));
    }
    if 1 < tx.conn().count_rows("log_tail").await? {
        return Ok(Err("log_tail"));
    }
    let mut n_entries = 0;
    for (table, sql) in
        [("log_entries", "SELECT leaf FROM log_entries LIMIT $1"), (OUTBOX, "SELECT entry FROM log_outbox LIMIT $1")]
    {
        let rows = tx.rows(sql, &[Arg::Int(GIVEN_UP_MAX)]).await?;
        for row in &rows {
            let entry = if table == OUTBOX { row.bytes(0)? } else { Leaf::parse(row.bytes(0)?)?.body };
            if Body::parse(entry)?.act != Act::KeyRecover {
                return Ok(Err(table));
            }
        }
        if rows.len() as i64 == GIVEN_UP_MAX {
            return Ok(Err(table));
        }
        n_entries += rows.len() as u64;
    }
    Ok(Ok(n_entries))
}

/// What a restoring says of itself in the log.
pub(super) struct Told {
    pub(super) known: u64,
    pub(super) goes_on: bool,
    pub(super) now: Timestamp,
}

pub(super) struct Put {
    pub(super) given_up: u64,
    pub(super) erased_since: Vec<CaseId>,
    /// Those among them that somebody held when the snapshot was taken.
    pub(super) held: Vec<CaseId>,
    pub(super) refused: u64,
    pub(super) policy: Vec<(String, String)>,
}

/// Keys, rows and the entry of the restoring in one transaction: all of them, or what was there before. Files of cases that
/// were erased since are gone before it is committed.
pub(super) async fn put_all(
    db: &Db,
    config: &Config,
    backup: &Arc<Backup>,
    closed: &BTreeSet<CaseId>,
    told: Told,
    all: u64,
    progress: &mut (dyn FnMut(Part, u64, u64) + Send),
) -> Result<Put, Error> {
    let mut tx = db.begin().await?;
    let given_up = given_up(&mut tx, &config.database).await?;
    if 0 < given_up {
        tx.conn().clear_log().await?;
    }
    for sql in ["DELETE FROM log_outbox", "DELETE FROM log_tail", "DELETE FROM record_keys"] {
        tx.execute(sql, &[]).await?;
    }
    put_keys(&mut tx, backup).await?;

    let (send, mut receive) = mpsc::channel(LOTS_WAITING_MAX);
    let copy = backup.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let mut lots = copy.lots()?;
        while let Some(lot) = lots.next()? {
            if let Lot::Rows(idx, rows) = lot
                && send.blocking_send((idx, rows)).is_err()
            {
                break;
            }
        }
        Ok::<(), Error>(())
    });
    let (mut done, mut waited) = (0, Vec::new());
    progress(Part::Rows, 0, all);
    while let Some((idx, rows)) = receive.recv().await {
        let Some(table) = TABLES.get(idx) else { continue };
        done += rows.len() as u64;
        // They are entered again, in order, as the database here has it.
        if table.name == OUTBOX {
            waited.extend(rows)
        } else {
            tx.conn().insert_rows(table, &rows).await?
        }
        progress(Part::Rows, done, all);
    }
    reading.await??;

    let strangers = "DELETE FROM record_keys WHERE owner <> '' AND owner NOT IN (SELECT case_id FROM cases)";
    tx.execute(strangers, &[]).await?;
    let Closed { erased_since, held } = close_erased(&mut tx, backup, closed).await?;
    // An approval may have been used since.
    tx.execute(FORGET_PROPOSALS, &[]).await?;
    // It may have been sent since: whoever takes it up asks before it sends.
    let begun = "UPDATE work SET attempt = 1 WHERE action = $1 AND attempt = 0";
    tx.execute(begun, &[Arg::Text(Action::Send.name())]).await?;
    tx.conn().count_from_rows().await?;
    waited.sort_by_key(|row| row.int(0).unwrap_or(i64::MAX));
    let refused = put_waiting(&mut tx, db, &backup.keys, &waited, told.now).await?;
    let sql = "SELECT texts FROM policies ORDER BY loaded_at DESC LIMIT 1";
    let policy = match tx.row(sql, &[]).await? {
        None => Vec::new(),
        Some(row) => serde_json::from_str(row.text(0)?).map_err(|err| Error::json("policies", &err))?,
    };
    // A log that does not go on takes no entry any more.
    if told.goes_on {
        let mut entry = Draft::new(Act::BackupRestore, &Actor::system("restore"));
        entry.tell("snapshot", backup.opening.snapshot.to_string());
        entry.count("size", signed(backup.size)?);
        entry.tell("root", &backup.opening.head.root);
        entry.count("known", signed(told.known)?);
        entry.count("erased_since", erased_since.len() as i64);
        let program = audit::Program { node: config.node.clone(), ver: config.version.clone() };
        let (entry, _) = Store::entry_of(entry, &backup.house, &backup.keys, &program, told.now)?;
        tx.enter(entry).await?;
    }
    let gone: BTreeSet<Uuid> = erased_since.iter().map(|id| id.0).collect();
    let (copy, place): (_, BlobPlace) = (backup.clone(), config.vault.clone());
    tokio::task::spawn_blocking(move || files::remove(&copy, &place, &gone)).await??;
    tx.commit().await?;
    Ok(Put { given_up, erased_since, held, refused, policy })
}

async fn put_keys(tx: &mut Tx, backup: &Arc<Backup>) -> Result<(), Error> {
    let (send, mut receive) = mpsc::channel::<Vec<Row>>(LOTS_WAITING_MAX);
    let copy = backup.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let mut lot = Vec::new();
        let gone = || Error::Row { what: "nobody takes the keys any more".to_owned() };
        key_table::read(&copy.table, &copy.keys, |owner, body| {
            let by = key_table::wrapped_by(&body).to_string();
            lot.push(Row(vec![Cell::Text(owner.to_owned()), Cell::Text(by), Cell::Bytes(body.to_vec())]));
            if KEYS_AT_ONCE <= lot.len() {
                send.blocking_send(std::mem::take(&mut lot)).map_err(|_| gone())?;
            }
            Ok(())
        })?;
        send.blocking_send(lot).map_err(|_| gone())
    });
    while let Some(rows) = receive.recv().await {
        tx.conn().insert_rows(&RECORD_KEYS, &rows).await?;
    }
    reading.await?
}

/// Cases that stand as erased.
struct Closed {
    erased_since: Vec<CaseId>,
    held: Vec<CaseId>,
}

/// INVARIANT (what is erased stays erased): a case whose key is gone stands as erased, at the revision that the snapshot has of
/// it. Its row is sealed with the house's key, which only this program has, and names nobody who erased it: the entries that
/// do are not in the snapshot. `check` knows such rows by that.
async fn close_erased(tx: &mut Tx, backup: &Backup, closed: &BTreeSet<CaseId>) -> Result<Closed, Error> {
    let sql = "SELECT case_id, revision, channel, received_at, n_holds FROM cases
               LEFT JOIN record_keys ON owner = case_id WHERE owner IS NULL AND state <> 'Erased' ORDER BY case_id";
    let (mut erased_since, mut held) = (Vec::new(), Vec::new());
    for row in tx.rows(sql, &[]).await? {
        let id = case_id(&row, 0)?;
        // Nobody could open it when the snapshot or the key table was copied, and it was not erased: what became of it is for
        // `check` to say.
        if closed.contains(&id) || backup.table_told.closed.contains(&id) {
            continue;
        }
        let text = id.to_string();
        let document = Document {
            digest: Digest([0; 32]),
            size_bytes: 0,
            file_name: String::new(),
            channel: row.text(2)?.to_owned(),
            received_at: Timestamp(row.int(3)?),
        };
        let fresh = Case::new(id, document, Uuid::nil(), &Actor::system("restore"));
        forget_in_settlements(tx, &backup.keys, &backup.house, id).await?;
        let case = Case {
            revision: row.int(1)?.unsigned_abs(),
            bill: leave_claims(tx, backup, &text).await?,
            ..fresh.erased()
        };
        let body = sealed_json(&backup.house, &context(&text), &case)?;
        let digest = backup.keys.blind("erased", &text);
        tx.execute(
            "UPDATE cases SET state = $1, kind = $2, due_at = NULL, keep_until = NULL, delete_by = NULL, n_holds = 0,
                    proposed = 0, digest_key = $3, body = $4 WHERE case_id = $5",
            &[
                Arg::Text(State::Erased.name()),
                Arg::Text(case.kind().name()),
                Arg::Bytes(&digest),
                Arg::Bytes(&body),
                Arg::Text(&text),
            ],
        )
        .await?;
        for sql in [
            "DELETE FROM work WHERE case_id = $1",
            "DELETE FROM waiting WHERE case_id = $1",
            "DELETE FROM woken WHERE case_id = $1",
            "DELETE FROM case_terms WHERE case_id = $1",
            "DELETE FROM log_openings WHERE object = $1",
        ] {
            tx.execute(sql, &[Arg::Text(&text)]).await?;
        }
        erased_since.push(id);
        if row.int(4)? != 0 {
            held.push(id);
        }
    }
    Ok(Closed { erased_since, held })
}

/// What it takes from its orders stays, as it does where it was erased, and nothing else of what it bills.
async fn leave_claims(tx: &mut Tx, backup: &Backup, case: &str) -> Result<Option<Bill>, Error> {
    let sql = "SELECT fact_id, fact_key, known_by, known_from, remnant FROM facts
               WHERE case_id = $1 AND known_to = 9223372036854775807";
    let known = tx.row(sql, &[Arg::Text(case)]).await?;
    for sql in FORGET {
        tx.execute(sql, &[Arg::Text(case)]).await?;
    }
    let Some(row) = known else { return Ok(None) };
    let (Some(remnant), fact_key) = (row.maybe_bytes(4)?, row.bytes(1)?) else { return Ok(None) };
    let fact: Fact = opened_json(&backup.house, &stays(fact_key), remnant)?;
    if matches!(&fact, Fact::Bill(bill) if bill.claims.is_empty()) {
        return Ok(None);
    }
    let place = facts::place_of(fact_key, row.int(0)?, row.int(3)?, row.text(2)?);
    let body = sealed_json(&backup.house, &place, &fact)?;
    let version = Row(vec![
        Cell::Int(row.int(0)?),
        Cell::Text(fact.kind().name().to_owned()),
        Cell::Bytes(fact_key.to_owned()),
        Cell::Text(case.to_owned()),
        Cell::Text(row.text(2)?.to_owned()),
        Cell::Int(row.int(3)?),
        Cell::Int(facts::STILL),
        Cell::Bytes(facts::digest_of(&backup.keys, &fact)?.to_vec()),
        Cell::Bytes(body),
        Cell::Bytes(remnant.to_owned()),
    ]);
    tx.conn().insert_rows(&FACTS, &[version]).await?;
    let mut keys = fact.keys();
    keys.dedup();
    let lookup = |key: &Key| {
        Row(vec![Cell::Bytes(facts::lookup_key(&backup.keys, key).to_vec()), Cell::Int(row.int(0).unwrap_or_default())])
    };
    tx.conn().insert_rows(&FACT_KEYS, &keys.iter().map(lookup).collect::<Vec<_>>()).await?;
    match fact {
        Fact::Bill(bill) => Ok(Some(*bill)),
        _ => Ok(None),
    }
}

/// On SQLite they are sealed with the transaction, so they are judged here as the sealer would.
async fn put_waiting(tx: &mut Tx, db: &Db, keys: &Keys, rows: &[Row], now: Timestamp) -> Result<u64, Error> {
    let (mut seen, mut links) = (HashSet::new(), HashMap::new());
    let mut refused = 0;
    for row in rows {
        let entry = waiting(row)?;
        if db.seals_later() {
            tx.enter(entry).await?;
            continue;
        }
        let sealed = "SELECT entry_id FROM log_entries WHERE entry_id = $1";
        if tx.row(sealed, &[Arg::Text(&entry.id)]).await?.is_some() {
            seen.insert(entry.id.clone());
        }
        if entry.revision.is_some() && !links.contains_key(&entry.object) {
            let last = "SELECT leaf FROM log_entries WHERE object = $1 AND revision IS NOT NULL
                        ORDER BY log DESC, position DESC LIMIT 1";
            if let Some(row) = tx.row(last, &[Arg::Text(&entry.object)]).await? {
                links.insert(entry.object.clone(), audit::body_hash(audit::Leaf::parse(row.bytes(0)?)?.body));
            }
        }
        match flaw(keys, &entry, &seen, &links) {
            Some(why) => {
                refused += 1;
                let sql = "INSERT INTO log_refused (position, refused_at, why, entry) VALUES ($1, $2, $3, $4)
                           ON CONFLICT (position) DO NOTHING";
                let args = [Arg::Int(row.int(0)?), Arg::Int(now.0), Arg::Text(why), Arg::Bytes(&entry.entry)];
                tx.execute(sql, &args).await?;
            }
            None => {
                seen.insert(entry.id.clone());
                if entry.revision.is_some() {
                    links.insert(entry.object.clone(), audit::body_hash(&entry.entry));
                }
                tx.enter(entry).await?;
            }
        }
    }
    Ok(refused)
}
