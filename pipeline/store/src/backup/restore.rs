//! From a backup to a workspace: into an empty database, of whichever kind, and an empty vault. `format.md` §4.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use audit::Hash;
use case::{CaseId, Timestamp};
use serde::{Serialize, Serializer};

use super::files::{self, Lacking};
use super::rows::{self, Put, Told};
use super::snapshot::{Opening, Reader};
use super::{BackupPlace, Part, bad, folders, key_table};
use crate::db::Db;
use crate::publish::{SignedHead, note_signed, read_signed_head, signed_head_path};
use crate::vault::{RecordKey, record};
use crate::{CheckReport, Config, Custody, Error, Keys, Store, boxed};

/// Whose record key opens the snapshot.
pub(super) const HOUSE: &str = "";

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
    /// Newer snapshots that were not taken, because by their clock the newest key table is older, though its log is longer.
    pub passed_over: Vec<String>,
    pub(super) opening: Opening,
    path: PathBuf,
    pub(super) table: PathBuf,
    pub(super) table_told: key_table::Told,
    pub(super) vault: PathBuf,
    log: PathBuf,
    pub(super) keys: Arc<Keys>,
    pub(super) house: RecordKey,
}

impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backup").field("snapshot", &self.snapshot).field("size", &self.size).finish_non_exhaustive()
    }
}

/// What whoever restores knows and wants.
#[derive(Clone, Debug, Default)]
pub struct RestoreAsk {
    /// Is a snapshot wanted that is older than the log is known to be, or may be?
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
    /// Files that the backup does not have, or that cannot be read in it.
    pub missing: u64,
    /// Why they cannot be read, of 100 at most.
    pub spoilt: Vec<String>,
    /// Cases whose keys are gone from the key table: they were erased after the snapshot, and stand as erased.
    pub erased_since: Vec<CaseId>,
    /// Those among them that were under a hold in the snapshot: it was lifted since, or their keys were destroyed past it.
    pub held: Vec<CaseId>,
    /// Entries of a log that was begun in an otherwise empty database and is given up for the restored one: all of them say
    /// that the keys were brought back.
    pub given_up: u64,
    /// Waiting entries that this program did not write; they are kept aside.
    pub refused: u64,
    /// The policy that was in force: names and texts of its files. As JSON, only the names.
    #[serde(serialize_with = "names")]
    pub policy: Vec<(String, String)>,
    /// Whether the log goes on under its name, and the restoring is entered in it.
    pub goes_on: bool,
    pub report: CheckReport,
}

fn names<S: Serializer>(files: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(files.iter().map(|(name, _)| name))
}

impl Backup {
    /// Opens the newest key table of a backup, and with it the newest snapshot that it covers, or the one that is named.
    #[boxed]
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
        let mut asked = match snapshot {
            Some(name) => vec![folders::snapshot(&dir, name)?],
            None => folders::snapshots(&dir)?,
        };
        let mut passed_over = Vec::<String>::new();
        let (path, opening) = loop {
            let Some((id, path)) = asked.pop() else {
                let Some(name) = passed_over.pop() else {
                    return Err(Error::NoSuch { what: "whole snapshot in", name: dir.display().to_string() });
                };
                return Err(behind(&table_name, &told, &name, "the snapshot's clock says a later time"));
            };
            let opening = Reader::open(&path, id, &house)?.opening;
            let (name, head) = (folders::file_name(&path), &opening.head);
            if told.head.origin != head.origin {
                let why = format!(
                    "it is of the log `{}`, and the snapshot `{name}` of the log `{}`: take a snapshot and a key table of one log",
                    told.head.origin, head.origin
                );
                return Err(bad(&table_name, why));
            }
            if told.snapshot == id {
                break (path, opening);
            }
            // With keys that are older than the rows, what came in since would pass for erased.
            if told.head.size < head.size {
                let sizes = format!(
                    "it was copied when the log had {} entries, and the snapshot has {}",
                    told.head.size, head.size
                );
                return Err(behind(&table_name, &told, &name, &sizes));
            }
            if told.taken_at < opening.taken_at {
                // By the log it is no newer: the clock was ahead that day, and its key table is gone.
                passed_over.push(name);
                continue;
            }
            break (path, opening);
        };
        let (name, head) = (folders::file_name(&path), &opening.head);
        Ok(Backup {
            snapshot: name,
            key_table: table_name,
            taken_at: Timestamp(opening.taken_at),
            origin: head.origin.clone(),
            size: head.size,
            note: opening.note.clone(),
            passed_over,
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

    pub(super) fn lots(&self) -> Result<Reader, Error> {
        Reader::open(&self.path, self.opening.snapshot, &self.house)
    }
}

/// A key table that must not be used with this snapshot.
fn behind(table: &str, told: &key_table::Told, snapshot: &str, how: &str) -> Error {
    let fits = folders::snapshot_name(told.snapshot);
    let why = format!(
        "it is older than the snapshot `{snapshot}`: {how}. Bring the key table that was copied with that snapshot, or later; if it is gone, say `--snapshot {fits}`, which this one was copied with"
    );
    bad(table, why)
}

impl Store {
    /// Brings a backup back: into an empty database, and into a vault without any file but what a restoring that was cut
    /// short put there. Overwrites nothing but what an empty workspace has by itself. Refuses, unless told, a snapshot that ends
    /// before the log is known to.
    #[boxed]
    pub async fn restore(
        config: &Config,
        backup: Backup,
        ask: &RestoreAsk,
        now: Timestamp,
        progress: &mut (dyn FnMut(Part, u64, u64) + Send),
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
            let empty = async { rows::given_up(&mut db.snapshot().await?, &config.database).await }.await;
            db.close().await;
            empty?;
        }
        let Lacking { missing, spoilt } = files::bring_back(&backup, &config.vault, files, progress).await?;

        // Whoever signs next must know of the longer log, too; before there are rows that could be signed.
        let (path, head) = (signed_head_path(&config.keys), &backup.table_told.head);
        let longest = read_signed_head(&path)?.map_or(backup.size, |head| head.size.max(backup.size));
        if longest < head.size {
            let root = Hash::from_hex(head.root.as_bytes());
            let root = root.ok_or_else(|| bad(&backup.key_table, "it names no root of the log"))?;
            note_signed(&path, &SignedHead { origin: head.origin.clone(), size: head.size, root })?;
        }

        let db = Db::open(&config.database, backup.keys.clone()).await?;
        let known = outgrown.map_or(backup.size, |(_, known)| known);
        let goes_on = known <= backup.size;
        let told = Told { known, goes_on, now };
        let put = rows::put_all(&db, config, &backup, &closed, told, rows, progress).await;
        db.close().await;
        let Put { given_up, erased_since, held, refused, policy } = put?;
        let report = Store::compared(config, &backup, known, now).await;
        Ok(Restored {
            snapshot: backup.snapshot.clone(),
            key_table: backup.key_table.clone(),
            taken_at: backup.taken_at,
            size: backup.size,
            known,
            rows,
            files,
            missing,
            spoilt,
            erased_since,
            held,
            given_up,
            refused,
            policy,
            goes_on,
            report: report.map_err(|err| Error::Uncompared(Box::new(err)))?,
        })
    }

    /// What comes after the rows: nothing that could not be done again.
    async fn compared(config: &Config, backup: &Arc<Backup>, known: u64, now: Timestamp) -> Result<CheckReport, Error> {
        let (from, log) = (backup.log.clone(), config.log.clone());
        let copied = tokio::task::spawn_blocking(move || {
            if from.is_dir() && !log.exists() { folders::copy_tree(&from, &log) } else { Ok(()) }
        });
        copied.await??;
        let store = Store::open(config).await?;
        if backup.size < known {
            // A witness alone may know it, whose word gives no root to note.
            store.stop_log(&Error::RolledBack { was: known, now: backup.size }.to_string());
        }
        let report = store.check(true, None, now).await?;
        store.close().await;
        Ok(report)
    }
}
