//! A copy of everything, sealed, taken while the service runs, and the way back. `backup/format.md` is the specification.
//!
//! INVARIANT (what is erased stays erased): the keys of the cases go into another folder than the rows and the files, and
//! are not kept there for long. What was erased since opens from no backup whose key table is newer.

mod files;
mod folders;
mod key_table;
mod restore;
mod rows;
mod snapshot;
pub(crate) mod tables;

use std::path::{Path, PathBuf};

use audit::Act;
use case::{Actor, CaseId, Deed, Timestamp};
use serde::Serialize;
use tokio::sync::mpsc;
use uuid::{NoContext, Uuid};

use crate::cases::files as named_by;
use crate::db::{Arg, Row, Tx};
use crate::log::Tail;
use crate::{Error, Store, boxed};
use folders::Folders;
use snapshot::{Closing, LogEnd, Named, Opening};
use tables::TABLES;

pub use restore::{Backup, RestoreAsk, Restored};

/// How many lots wait to be written: rows are read while those before are sealed.
const LOTS_WAITING_MAX: usize = 2;
const OWNERS_AT_ONCE: i64 = 10_000;
/// More names would not help whoever has to look.
pub(crate) const NAMED_MAX: usize = 100;

/// Where a backup is kept: neither folder may lie in the other.
#[derive(Clone, Debug)]
pub struct BackupPlace {
    /// Snapshots, sealed files and the published log, for as long as documents are kept.
    pub dir: PathBuf,
    /// Copies of the key table, for days.
    pub keys: PathBuf,
}

/// What is being copied, as progress is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Rows,
    Files,
}

/// What a backup has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackedUp {
    /// The name of the file.
    pub snapshot: String,
    pub key_table: String,
    /// Of the log: how many entries it had, and its root.
    pub size: u64,
    pub root: String,
    pub rows: u64,
    pub keys: u64,
    /// Sealed files that the rows name; how many of them were not in the backup yet, and their bytes.
    pub files: u64,
    pub new_files: u64,
    pub new_bytes: u64,
    /// Cases that were erased while the backup was taken; their keys are not in the key table.
    pub erased: u64,
    /// Files that a case names and the backup has not, because the vault has them not or they cannot be read there, and cases
    /// that do not open, 100 of each at most.
    pub missing: Vec<Uuid>,
    pub closed: Vec<CaseId>,
    /// Older key tables that were overwritten and removed.
    pub key_tables_removed: u64,
}

impl BackedUp {
    /// Whether everything that should be there is.
    pub fn whole(&self) -> bool {
        self.missing.is_empty() && self.closed.is_empty()
    }
}

/// On their way from the database to the disk.
enum Told {
    Rows(usize, Vec<Row>),
    /// Case, body, record key.
    Cases(Vec<Row>),
    /// Owner, wrapped key.
    Keys(Vec<Row>),
}

impl Store {
    /// Copies everything but the key file: rows, and what they name, as they are at one moment, whatever goes on meanwhile.
    /// Key tables older than `keys_days` are overwritten and removed once there is a newer one.
    #[boxed]
    pub async fn backup(
        &self,
        place: &BackupPlace,
        keys_days: u32,
        by: &Actor,
        now: Timestamp,
        progress: &mut (dyn FnMut(Part, u64, u64) + Send),
    ) -> Result<BackedUp, Error> {
        self.authorize(by, Deed::Backup, now).await?;
        let snapshot = snapshot_id(now);
        let (asked, table) = (place.clone(), key_table::name(now));
        let prepared =
            self.blocking(move |store| Folders::prepare(&asked, snapshot, &table, &*store.ring.keys()?, &store.house));
        let folders = prepared.await??;
        let mut entry = self.draft_on_head(Act::BackupTake, by).await?;
        entry.tell("snapshot", snapshot.to_string());
        // Before the snapshot, which then has it: one that was taken at rest is as long as the log that was signed.
        self.enter(entry, now).await?;
        self.seal_log(now).await?;
        self.sign_log(now).await?;

        let (opening, closing, keys) = self.write_snapshot(&folders, snapshot, now, progress).await?;
        let mut backed_up = BackedUp {
            snapshot: folders::file_name(&folders.snapshot),
            key_table: folders::file_name(&folders.key_table),
            size: opening.head.size,
            root: opening.head.root,
            rows: closing.rows.iter().sum(),
            keys,
            files: closing.files,
            new_files: 0,
            new_bytes: 0,
            erased: 0,
            missing: Vec::new(),
            closed: closing.closed.into_iter().take(NAMED_MAX).collect(),
            key_tables_removed: 0,
        };
        let missing = self.copy_files(&folders, snapshot, &mut backed_up, progress).await?;
        let (published, escrow) = (self.published.clone(), self.custody.escrow.clone());
        let copied = self.blocking(move |_| {
            folders.copy_log(&published)?;
            folders.copy_escrow(escrow.as_deref())?;
            Ok::<_, Error>(folders)
        });
        let folders = copied.await??;
        // Last: between this look and the placing is no time for anything else.
        let kept = self.owners().await?;
        let placed = self.blocking(move |store| {
            let erased = key_table::settle(&folders.key_table_part, &*store.ring.keys()?, &kept)?;
            Ok::<_, Error>((erased, folders.place(now, keys_days)?))
        });
        let (erased, removed) = placed.await??;
        backed_up.erased = erased.len() as u64;
        backed_up.keys -= backed_up.erased;
        backed_up.key_tables_removed = removed;
        let missing = missing.iter().filter(|named| !erased.contains(&named.case));
        backed_up.missing = missing.map(|named| named.file).take(NAMED_MAX).collect();
        Ok(backed_up)
    }

    /// Whose record keys there are now, but the house's, sorted: 16 bytes in memory for each.
    async fn owners(&self) -> Result<Vec<Uuid>, Error> {
        let (mut owners, mut after) = (Vec::new(), String::new());
        loop {
            let sql = "SELECT owner FROM record_keys WHERE $1 < owner ORDER BY owner LIMIT $2";
            let rows = self.db.rows(sql, &[Arg::Text(&after), Arg::Int(OWNERS_AT_ONCE)]).await?;
            let Some(last) = rows.last() else { break };
            after = last.text(0)?.to_owned();
            for row in &rows {
                owners.extend(Uuid::try_parse(row.text(0)?));
            }
        }
        owners.sort_unstable();
        Ok(owners)
    }

    /// Rows and keys as they are at one moment, into files that do not count yet.
    async fn write_snapshot(
        &self,
        folders: &Folders,
        snapshot: Uuid,
        now: Timestamp,
        progress: &mut (dyn FnMut(Part, u64, u64) + Send),
    ) -> Result<(Opening, Closing, u64), Error> {
        let note = self.newest_head().await?.map(|head| head.note);
        let mut tx = self.db.snapshot().await?;
        let row =
            tx.row(Tail::NEWEST, &[]).await?.ok_or_else(|| Error::Row { what: "the log has no tail".to_owned() })?;
        let tail = Tail::read(&self.keys, &row)?;
        let head = LogEnd { origin: tail.origin.clone(), size: tail.size(), root: tail.root().to_string() };
        let opening = Opening {
            snapshot,
            taken_at: now.0,
            program: self.program.ver.clone(),
            schema: tables::SCHEMA,
            head: head.clone(),
            note,
            tables: Opening::tables(),
        };
        let told = key_table::Told { snapshot, taken_at: now.0, head, closed: Default::default() };
        let (rows, table) = (folders.snapshot_part.clone(), folders.key_table_part.clone());
        let (send, receive) = mpsc::channel(LOTS_WAITING_MAX);
        let begun = opening.clone();
        let written = self.blocking(move |store| {
            let rows = snapshot::Writer::create(&rows, &store.house, &begun)?;
            write_all(store, receive, rows, key_table::Writer::create(&table, &told)?)
        });
        let sent = async {
            let sent = send_all(&mut tx, &send, progress).await;
            drop(send);
            sent
        };
        // Whoever writes says best why it did not go on.
        let (written, sent) = tokio::join!(written, sent);
        let (rows, table, closed) = written??;
        sent?;
        let finished = self.blocking(move |store| {
            let keys = store.ring.keys()?;
            let keys = table.finish(&keys, &closed)?;
            Ok::<_, Error>((rows.finish(closed)?, keys))
        });
        let (closing, keys) = finished.await??;
        Ok((opening, closing, keys))
    }
}

/// Begins with the time, so that snapshots sort by it.
fn snapshot_id(now: Timestamp) -> Uuid {
    let micros = now.0.unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, micros / 1_000_000, (micros % 1_000_000) as u32 * 1_000))
}

async fn send_all(
    tx: &mut Tx,
    to: &mpsc::Sender<Told>,
    progress: &mut (dyn FnMut(Part, u64, u64) + Send),
) -> Result<(), Error> {
    let (mut done, mut all) = (0, 0);
    for table in TABLES {
        all += tx.conn().count_rows(table.name).await?;
    }
    progress(Part::Rows, done, all);
    tx.conn().send_rows("SELECT owner, body FROM record_keys ORDER BY owner".to_owned(), to, Told::Keys).await?;
    for (idx, table) in TABLES.iter().enumerate() {
        let wrap = |rows: Vec<Row>| {
            done += rows.len() as u64;
            progress(Part::Rows, done, all);
            Told::Rows(idx, rows)
        };
        tx.conn().send_rows(table.select(), to, wrap).await?;
    }
    let open = "SELECT case_id, cases.body, record_keys.body
                FROM cases LEFT JOIN record_keys ON record_keys.owner = case_id WHERE state <> 'Erased'";
    tx.conn().send_rows(open.to_owned(), to, Told::Cases).await
}

fn write_all(
    store: &Store,
    mut told: mpsc::Receiver<Told>,
    mut snapshot: snapshot::Writer,
    mut table: key_table::Writer,
) -> Result<(snapshot::Writer, key_table::Writer, Vec<CaseId>), Error> {
    let mut closed = Vec::new();
    while let Some(told) = told.blocking_recv() {
        match told {
            Told::Rows(idx, rows) => snapshot.rows(idx, &rows)?,
            Told::Keys(rows) => {
                for row in &rows {
                    table.row(row.text(0)?, row.bytes(1)?)?;
                }
            }
            Told::Cases(rows) => {
                for row in &rows {
                    let id = crate::cases::case_id(row, 0)?;
                    // One that does not open, for `check` to explain, keeps no other from being copied.
                    match store.open_case(row.text(0)?, row.bytes(1)?, row.maybe_bytes(2)?) {
                        Err(_) => closed.push(id),
                        Ok(case) => {
                            for file in named_by(&case) {
                                snapshot.file(Named { file, case: id.0 })?;
                            }
                        }
                    }
                }
            }
        }
    }
    Ok((snapshot, table, closed))
}

fn bad(file: &str, why: impl Into<String>) -> Error {
    Error::BadBackup { file: file.to_owned(), why: why.into() }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { doing, path, source }
}
