//! A copy of everything, sealed, taken while the service runs, and the way back. `backup/format.md` is the specification.
//!
//! INVARIANT (what is erased stays erased): the keys of the cases go into another folder than the rows and the files, and
//! are not kept there for long. What was erased since opens from no backup whose key table is newer.

mod folders;
mod key_table;
mod restore;
mod snapshot;
pub(crate) mod tables;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use audit::Act;
use case::{Actor, CaseId, Deed, State, Timestamp};
use serde::Serialize;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::cases::files;
use crate::db::{Arg, Row, Tx};
use crate::log::{Draft, Tail, signed};
use crate::vault::Vault;
use crate::{BlobPlace, Error, Store, VaultError, uuid_v7};
use folders::Folders;
use snapshot::{Closing, LogEnd, Lot, Named, Opening};
use tables::TABLES;

pub use restore::{Backup, RestoreAsk, Restored};

/// How many lots wait to be written: rows are read while those before are sealed.
const LOTS_WAITING_MAX: usize = 2;
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
    /// Cases that were erased while their files were copied; their keys are not in the key table.
    pub erased: u64,
    /// Files that a case names and neither the vault nor the backup has, and cases that do not open, 100 of each at most.
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
    pub async fn backup(
        &self,
        place: &BackupPlace,
        keys_days: u32,
        by: &Actor,
        now: Timestamp,
        mut progress: impl FnMut(Part, u64, u64) + Send,
    ) -> Result<BackedUp, Error> {
        self.authorize(by, Deed::Backup, now).await?;
        let snapshot = uuid_v7();
        let (asked, table) = (place.clone(), key_table::name(now));
        let folders = self.blocking(move |_| Folders::prepare(&asked, snapshot, &table)).await??;
        let mut entry = Draft::new(Act::BackupTake, by);
        entry.tell("snapshot", snapshot.to_string());
        if let Some(head) = self.head().await? {
            entry.count("size", signed(head.size)?);
            entry.tell("root", head.root);
        }
        // Before the snapshot, which then has it: one that was taken at rest is as long as the log that was signed.
        self.enter(entry, now).await?;
        self.seal_log(now).await?;
        self.sign_log(now).await?;

        let (opening, closing, keys) = self.write_snapshot(&folders, snapshot, now, &mut progress).await?;
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
        let erased = self.copy_files(&folders, snapshot, &mut backed_up, &mut progress).await?;
        backed_up.erased = erased.len() as u64;
        backed_up.keys -= backed_up.erased;
        let (published, escrow) = (self.published.clone(), self.custody.escrow.clone());
        let removed = self.blocking(move |store| {
            if !erased.is_empty() {
                key_table::without(&folders.key_table_part, &*store.ring.keys()?, &erased)?;
            }
            folders.copy_log(&published)?;
            folders.copy_escrow(escrow.as_deref())?;
            folders.place(now, keys_days)
        });
        backed_up.key_tables_removed = removed.await??;
        Ok(backed_up)
    }

    /// Rows and keys as they are at one moment, into files that do not count yet.
    async fn write_snapshot(
        &self,
        folders: &Folders,
        snapshot: Uuid,
        now: Timestamp,
        progress: &mut (impl FnMut(Part, u64, u64) + Send),
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
        let told = key_table::Told { snapshot, taken_at: now.0, head };
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
            Ok::<_, Error>((rows.finish(closed)?, table.finish(&keys)?))
        });
        let (closing, keys) = finished.await??;
        Ok((opening, closing, keys))
    }

    /// Copies what the snapshot names and the backup does not have yet, as the snapshot on the disk reads back. Gives back the
    /// cases that were erased meanwhile.
    async fn copy_files(
        &self,
        folders: &Folders,
        snapshot: Uuid,
        backed_up: &mut BackedUp,
        progress: &mut (impl FnMut(Part, u64, u64) + Send),
    ) -> Result<BTreeSet<String>, Error> {
        let (path, vault) = (folders.snapshot_part.clone(), folders.vault.clone());
        let (send, receive) = mpsc::channel(LOTS_WAITING_MAX);
        let copied = self.blocking(move |store| {
            let to = Vault::open(&BlobPlace::Folder(vault))?;
            let mut lots = snapshot::Reader::open(&path, snapshot, &store.house)?;
            while let Some(lot) = lots.next()? {
                let Lot::Files(named) = lot else { continue };
                for named in named {
                    let copied = match store.vault.copy_to(named.file, &to) {
                        Err(VaultError::Missing { .. }) => Err(named),
                        other => Ok(other?),
                    };
                    if send.blocking_send(copied).is_err() {
                        return Ok(());
                    }
                }
            }
            Ok::<(), Error>(())
        });
        let counted = async {
            // Dropped with this, so that nobody waits to tell what nobody hears.
            let mut receive = receive;
            let (mut done, all) = (0, backed_up.files);
            let mut erased = BTreeSet::new();
            progress(Part::Files, 0, all);
            while let Some(copied) = receive.recv().await {
                match copied {
                    Ok(Some(bytes)) => {
                        backed_up.new_files += 1;
                        backed_up.new_bytes += bytes;
                    }
                    Ok(None) => {}
                    Err(named) if self.is_erased(&named).await? => drop(erased.insert(named.case.to_string())),
                    Err(named) => {
                        if backed_up.missing.len() < NAMED_MAX {
                            backed_up.missing.push(named.file);
                        }
                    }
                }
                done += 1;
                progress(Part::Files, done, all);
            }
            Ok::<_, Error>(erased)
        };
        let (copied, erased) = tokio::join!(copied, counted);
        copied??;
        erased
    }

    async fn is_erased(&self, named: &Named) -> Result<bool, Error> {
        let case = named.case.to_string();
        let row = self.db.row("SELECT state FROM cases WHERE case_id = $1", &[Arg::Text(&case)]).await?;
        Ok(row.is_none_or(|row| row.text(0).is_ok_and(|state| state == State::Erased.name())))
    }
}

async fn send_all(
    tx: &mut Tx,
    to: &mpsc::Sender<Told>,
    progress: &mut (impl FnMut(Part, u64, u64) + Send),
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
                            for file in files(&case) {
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
