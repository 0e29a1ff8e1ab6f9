//! From a backup to a workspace: into an empty database, of whichever kind, and an empty vault. `format.md` §4.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use audit::{Act, Hash};
use case::{Action, Actor, Case, CaseId, Claim, Digest, Document, State, Timestamp};
use serde::Serialize;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::snapshot::{Lot, Opening, Reader};
use super::tables::{OUTBOX, RECORD_KEYS, TABLES};
use super::{BackupPlace, LOTS_WAITING_MAX, Part, bad, folders, key_table};
use crate::cases::{case_id, context};
use crate::db::{Arg, Cell, Db, Row, Tx};
use crate::facts;
use crate::log::outbox::{flaw, waiting};
use crate::log::{Draft, signed};
use crate::publish::{SignedHead, note_signed, read_signed_head, signed_head_path};
use crate::vault::{RecordKey, Vault, record};
use crate::{BlobPlace, CheckReport, Config, Custody, Error, KeyId, Keys, Store, VaultError, opened_json, sealed_json};

const KEYS_AT_ONCE: usize = 1_000;
/// Whose record key opens the snapshot.
const HOUSE: &str = "";

/// A backup that was opened: its key table is whole, and its snapshot says what it is.
pub struct Backup {
    /// The name of the file.
    pub snapshot: String,
    pub key_table: String,
    pub taken_at: Timestamp,
    /// Of the log: its name, and how many entries it had.
    pub origin: String,
    pub size: u64,
    /// The newest signed head that it has, as a note.
    pub note: Option<String>,
    opening: Opening,
    path: PathBuf,
    table: PathBuf,
    table_told: key_table::Told,
    vault: PathBuf,
    log: PathBuf,
    keys: Arc<Keys>,
    house: RecordKey,
}

impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backup").field("snapshot", &self.snapshot).field("size", &self.size).finish_non_exhaustive()
    }
}

/// What whoever restores knows and wants.
#[derive(Clone, Debug, Default)]
pub struct RestoreAsk {
    /// Is a snapshot wanted that is older than the log is known to be?
    pub older: bool,
    /// The longest head of the log that a witness says it cosigned, and which witness.
    pub witnessed: Option<(String, u64)>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    pub snapshot: String,
    pub key_table: String,
    pub taken_at: Timestamp,
    pub size: u64,
    /// How many entries the log is known to have had.
    pub known: u64,
    pub rows: u64,
    pub files: u64,
    /// Files that the backup does not have.
    pub missing: u64,
    /// Cases whose keys are gone from the key table: they were erased after the snapshot, and stand as erased.
    pub erased_since: Vec<CaseId>,
    /// Waiting entries that this program did not write; they are kept aside.
    pub refused: u64,
    /// The policy that was in force: names and texts of its files.
    pub policy: Vec<(String, String)>,
    /// Whether the log goes on under its name, and the restoring is entered in it.
    pub goes_on: bool,
    pub report: CheckReport,
}

impl Backup {
    /// Opens the newest key table of a backup, and with it the newest snapshot, or the one that is named.
    pub async fn open(keys: &Custody, place: &BackupPlace, snapshot: Option<&str>) -> Result<Backup, Error> {
        let (keys, place, snapshot) = (keys.clone(), place.clone(), snapshot.map(str::to_owned));
        tokio::task::spawn_blocking(move || Backup::open_now(&keys, &place, snapshot.as_deref())).await?
    }

    fn open_now(keys: &Custody, place: &BackupPlace, snapshot: Option<&str>) -> Result<Backup, Error> {
        let keys = Arc::new(Keys::open(keys)?);
        let (dir, key_dir) = folders::apart(place)?;
        let (_, table) = key_table::all(&key_dir)?
            .pop()
            .ok_or_else(|| Error::NoSuch { what: "key table in", name: key_dir.display().to_string() })?;
        let table_name = folders::file_name(&table);
        let mut house = None;
        let told = key_table::read(&table, &keys, |owner, body| {
            if owner == HOUSE {
                house = Some(body);
            }
            Ok(())
        })?;
        let house = house.ok_or_else(|| bad(&table_name, "it has not the key that opens the snapshot"))?;
        let house = record::open(&keys, HOUSE, &house).map_err(|err| bad(&table_name, err.to_string()))?;
        let (id, path) = folders::snapshot(&dir, snapshot)?;
        let opening = Reader::open(&path, id, &house)?.opening;
        let (name, head) = (folders::file_name(&path), &opening.head);
        if told.head.origin != head.origin {
            let why = format!(
                "it is of the log `{}`, and the snapshot `{name}` of the log `{}`: take a snapshot and a key table of one log",
                told.head.origin, head.origin
            );
            return Err(bad(&table_name, why));
        }
        // With keys that are older than the rows, what came in since would pass for erased.
        let older = told.head.size < head.size || told.taken_at < opening.taken_at;
        if told.snapshot != id && older {
            let why = format!(
                "it is older than the snapshot `{name}`: it was copied when the log had {} entries, and the snapshot has {}",
                told.head.size, head.size
            );
            return Err(bad(&table_name, why));
        }
        Ok(Backup {
            snapshot: name,
            key_table: table_name,
            taken_at: Timestamp(opening.taken_at),
            origin: head.origin.clone(),
            size: head.size,
            note: opening.note.clone(),
            path,
            table,
            table_told: told,
            vault: dir.join("vault"),
            log: dir.join("log"),
            keys,
            house,
            opening,
        })
    }

    /// The longest log that is known, where it is longer than this one, and who knows it.
    fn outgrown(&self, config: &Config, ask: &RestoreAsk) -> Result<Option<(String, u64)>, Error> {
        if self.origin != config.origin {
            let what = format!(
                "the snapshot `{}` is of the log `{}`, and the settings say `{}`: put the origin of the snapshot under [log]",
                self.snapshot, self.origin, config.origin
            );
            return Err(Error::Unacceptable { what });
        }
        let path = signed_head_path(&config.keys);
        let mut known = Vec::new();
        if let Some(head) = read_signed_head(&path)? {
            if head.origin != self.origin {
                let what = format!(
                    "the log `{}` was begun after the log `{}` that the snapshot `{}` has, which ended then: restore a newer snapshot; if there is none, move `{}` away, restore, and begin a new log at once",
                    head.origin,
                    self.origin,
                    self.snapshot,
                    path.display()
                );
                return Err(Error::Unacceptable { what });
            }
            if head.size == self.size && head.root.to_string() != self.opening.head.root {
                return Err(Error::Forked { size: self.size, signed: head.size });
            }
            known.push(("a head was signed here after".to_owned(), head.size));
        }
        known.push((format!("the key table `{}` was copied after", self.key_table), self.table_told.head.size));
        known.extend(ask.witnessed.clone().map(|(witness, size)| (format!("the witness `{witness}` cosigned"), size)));
        Ok(known.into_iter().filter(|(_, size)| self.size < *size).max_by_key(|(_, size)| *size))
    }

    /// Reads the whole snapshot, so that nothing is begun with half of one. Rows, files, and cases that were closed before.
    fn verified(&self) -> Result<(u64, u64, BTreeSet<CaseId>), Error> {
        let mut lots = self.lots()?;
        while lots.next()?.is_some() {}
        let counted = lots.counted();
        Ok((counted.rows.iter().sum(), counted.files, counted.closed.iter().copied().collect()))
    }

    fn lots(&self) -> Result<Reader, Error> {
        Reader::open(&self.path, self.opening.snapshot, &self.house)
    }
}

impl Store {
    /// Brings a backup back: into an empty database, and into a vault without any file but what a restoring that was cut
    /// short put there. Overwrites nothing. Refuses, unless told, a snapshot that ends before the log is known to.
    pub async fn restore(
        config: &Config,
        backup: Backup,
        ask: &RestoreAsk,
        now: Timestamp,
        mut progress: impl FnMut(Part, u64, u64) + Send,
    ) -> Result<Restored, Error> {
        let outgrown = backup.outgrown(config, ask)?;
        if let Some((who, known)) = &outgrown
            && !ask.older
        {
            let (snapshot, who) = (backup.snapshot.clone(), who.clone());
            return Err(Error::Older { snapshot, has: backup.size, who, known: *known });
        }
        let backup = Arc::new(backup);
        let copy = backup.clone();
        let (rows, files, closed) = tokio::task::spawn_blocking(move || copy.verified()).await??;
        let remote = config.database.starts_with("postgres");
        // A file that is not there is empty, and is not made before the vault has what it will name.
        if remote || PathBuf::from(&config.database).exists() {
            let db = Db::open(&config.database, backup.keys.clone()).await?;
            let empty = is_empty(&db).await;
            db.close().await;
            empty?;
        }
        let missing = copy_files(&backup, &config.vault, files, &mut progress).await?;

        // Whoever signs next must know of the longer log, too; before there are rows that could be signed.
        let (path, head) = (signed_head_path(&config.keys), &backup.table_told.head);
        let longest = read_signed_head(&path)?.map_or(backup.size, |head| head.size.max(backup.size));
        if longest < head.size {
            let root = Hash::from_hex(head.root.as_bytes());
            let root = root.ok_or_else(|| bad(&backup.key_table, "it names no root of the log"))?;
            note_signed(&path, &SignedHead { origin: head.origin.clone(), size: head.size, root })?;
        }

        let db = Db::open(&config.database, backup.keys.clone()).await?;
        let put = put_all(&db, &backup, &closed, now, rows, &mut progress).await;
        db.close().await;
        let Put { erased_since, refused, policy } = put?;
        let gone: BTreeSet<Uuid> = erased_since.iter().map(|id| id.0).collect();
        let (copy, place, log) = (backup.clone(), config.vault.clone(), config.log.clone());
        tokio::task::spawn_blocking(move || {
            remove_files(&copy, &place, &gone)?;
            if copy.log.is_dir() && !log.exists() { folders::copy_tree(&copy.log, &log) } else { Ok(()) }
        })
        .await??;
        let store = Store::open(config).await?;
        let known = outgrown.map_or(backup.size, |(_, known)| known);
        if backup.size < known {
            // A witness alone may know it, whose word gives no root to note.
            store.stop_log(&Error::RolledBack { was: known, now: backup.size }.to_string());
        }
        let mut entry = Draft::new(Act::BackupRestore, &Actor::system("restore"));
        entry.tell("snapshot", backup.opening.snapshot.to_string());
        entry.count("size", signed(backup.size)?);
        entry.tell("root", &backup.opening.head.root);
        entry.count("known", signed(known)?);
        entry.count("erased_since", erased_since.len() as i64);
        let goes_on = match store.enter(entry, now).await {
            Ok(()) => true,
            Err(Error::LogStopped { .. }) => false,
            Err(other) => return Err(other),
        };
        let report = store.check(true, None, now).await?;
        store.close().await;
        Ok(Restored {
            snapshot: backup.snapshot.clone(),
            key_table: backup.key_table.clone(),
            taken_at: backup.taken_at,
            size: backup.size,
            known,
            rows,
            files,
            missing,
            erased_since,
            refused,
            policy,
            goes_on,
            report,
        })
    }
}

async fn is_empty(db: &Db) -> Result<(), Error> {
    let mut tx = db.snapshot().await?;
    for table in TABLES.iter().map(|table| table.name).chain([RECORD_KEYS.name, "sessions"]) {
        if tx.conn().count_rows(table).await? != 0 {
            let what = format!("the database has rows already, in `{table}`: a backup goes into an empty one");
            return Err(Error::Unacceptable { what });
        }
    }
    Ok(())
}

/// Every file that the snapshot names, as it is, sealed; gives back how many the backup does not have.
async fn copy_files(
    backup: &Arc<Backup>,
    place: &BlobPlace,
    all: u64,
    progress: &mut (impl FnMut(Part, u64, u64) + Send),
) -> Result<u64, Error> {
    let (backup, place) = (backup.clone(), place.clone());
    let (send, mut receive) = mpsc::unbounded_channel();
    let copied = tokio::task::spawn_blocking(move || {
        let (from, to) = open_vaults(&backup, &place)?;
        for found in to.ids() {
            let id = found?;
            if !from.holds(id)? {
                let what = format!(
                    "the vault has the sealed file `{id}`, which this backup has not: a backup goes into an empty vault"
                );
                return Err(Error::Unacceptable { what });
            }
        }
        let (mut lots, mut done, mut missing) = (backup.lots()?, 0, 0);
        while let Some(lot) = lots.next()? {
            let Lot::Files(named) = lot else { continue };
            for named in named {
                match from.copy_to(named.file, &to) {
                    Err(VaultError::Missing { .. }) => missing += 1,
                    other => drop(other?),
                }
                done += 1;
            }
            // A lot at a time: there are few.
            let _ = send.send(done);
        }
        Ok::<u64, Error>(missing)
    });
    progress(Part::Files, 0, all);
    while let Some(done) = receive.recv().await {
        progress(Part::Files, done, all);
    }
    copied.await?
}

fn open_vaults(backup: &Backup, place: &BlobPlace) -> Result<(Vault, Vault), Error> {
    // What a restoring left that was cut short; a service that fills files here has a database that is not empty.
    folders::clear(&match place {
        BlobPlace::Folder(root) => root.join("new"),
        BlobPlace::Bucket(bucket) => bucket.staging.clone(),
    })?;
    Ok((Vault::open(&BlobPlace::Folder(backup.vault.clone()))?, Vault::open(place)?))
}

/// What was copied of cases that were erased since, before it was known.
fn remove_files(backup: &Backup, place: &BlobPlace, erased: &BTreeSet<Uuid>) -> Result<(), Error> {
    if erased.is_empty() {
        return Ok(());
    }
    let vault = Vault::open(place)?;
    let mut lots = backup.lots()?;
    while let Some(lot) = lots.next()? {
        let Lot::Files(named) = lot else { continue };
        for named in named.iter().filter(|named| erased.contains(&named.case)) {
            match vault.remove(named.file) {
                Ok(()) | Err(VaultError::Missing { .. }) => {}
                Err(err) => return Err(err.into()),
            }
        }
    }
    Ok(())
}

struct Put {
    erased_since: Vec<CaseId>,
    refused: u64,
    policy: Vec<(String, String)>,
}

/// Keys and rows in one transaction: all of them, or an empty database.
async fn put_all(
    db: &Db,
    backup: &Arc<Backup>,
    closed: &BTreeSet<CaseId>,
    now: Timestamp,
    all: u64,
    progress: &mut (impl FnMut(Part, u64, u64) + Send),
) -> Result<Put, Error> {
    is_empty(db).await?;
    let mut tx = db.begin().await?;
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
    let erased_since = close_erased(&mut tx, backup, closed).await?;
    // It may have been sent since: whoever takes it up asks before it sends.
    let begun = "UPDATE work SET attempt = 1 WHERE action = $1 AND attempt = 0";
    tx.execute(begun, &[Arg::Text(Action::Send.name())]).await?;
    tx.conn().count_on().await?;
    waited.sort_by_key(|row| row.int(0).unwrap_or(i64::MAX));
    let refused = put_waiting(&mut tx, db, &backup.keys, &waited, now).await?;
    let sql = "SELECT texts FROM policies ORDER BY loaded_at DESC LIMIT 1";
    let policy = match tx.row(sql, &[]).await? {
        None => Vec::new(),
        Some(row) => serde_json::from_str(row.text(0)?).map_err(|err| Error::json("policies", &err))?,
    };
    tx.commit().await?;
    Ok(Put { erased_since, refused, policy })
}

async fn put_keys(tx: &mut Tx, backup: &Arc<Backup>) -> Result<(), Error> {
    let (send, mut receive) = mpsc::channel::<Vec<Row>>(LOTS_WAITING_MAX);
    let copy = backup.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let mut lot = Vec::new();
        let gone = || Error::Row { what: "nobody takes the keys any more".to_owned() };
        key_table::read(&copy.table, &copy.keys, |owner, body| {
            let by = KeyId(*body.get(8..).and_then(|rest| rest.first_chunk()).unwrap_or(&[0; 8])).to_string();
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

/// INVARIANT (what is erased stays erased): a case whose key is gone stands as erased, at the revision that the snapshot has of
/// it. Its row is sealed with the house's key, which only this program has, and names nobody who erased it: the entries that
/// do are not in the snapshot. `check` knows such rows by that.
async fn close_erased(tx: &mut Tx, backup: &Backup, closed: &BTreeSet<CaseId>) -> Result<Vec<CaseId>, Error> {
    let sql = "SELECT case_id, revision, channel, received_at FROM cases
               LEFT JOIN record_keys ON owner = case_id WHERE owner IS NULL AND state <> 'Erased' ORDER BY case_id";
    let mut erased = Vec::new();
    for row in tx.rows(sql, &[]).await? {
        let id = case_id(&row, 0)?;
        // Nobody could open it before, either: what became of it is for `check` to say.
        if closed.contains(&id) {
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
        let case =
            Case { revision: row.int(1)?.unsigned_abs(), claims: claims(tx, backup, &text).await?, ..fresh.erased() };
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
            "DELETE FROM twins WHERE case_id = $1",
            "DELETE FROM case_terms WHERE case_id = $1",
            "DELETE FROM log_openings WHERE object = $1",
        ] {
            tx.execute(sql, &[Arg::Text(&text)]).await?;
        }
        erased.push(id);
    }
    Ok(erased)
}

/// What it takes from its orders stays, as it does where it was erased.
async fn claims(tx: &mut Tx, backup: &Backup, case: &str) -> Result<Vec<Claim>, Error> {
    let mut claims = Vec::new();
    let sql = "SELECT order_key, body FROM claims WHERE case_id = $1 ORDER BY order_key";
    for row in tx.rows(sql, &[Arg::Text(case)]).await? {
        let place = facts::context("claims", &[row.bytes(0)?, case.as_bytes()]);
        claims.extend(opened_json::<Vec<Claim>>(&backup.house, &place, row.bytes(1)?)?);
    }
    Ok(claims)
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
