//! Backups, on both databases and from one to the other: they are of one moment, sealed, refused when anything is wrong with
//! them, and what was erased opens from none whose key table is newer.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod commands;
mod damage;
mod erased;
mod restoring;
mod taking;

use crate::support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use case::{Actor, CaseId, Event, Family, Ground, Role, Statement, Timestamp};
use store::{Admission, BackedUp, Backup, BackupPlace, BlobPlace, Config, Error, RestoreAsk, Restored, Store};
use support::{
    NOW, admin, admitted, arrival, auditor, files_below, legal, machine, on_both, person, seconds_later, stores,
    unreadable,
};
use tempfile::TempDir;

const DAY: i64 = 86_400;

/// Stands in the bytes, the name and the reason of a document.
const CANARY: &str = "Kanarienvogel-4711";

async fn admit(store: &Store, bytes: &[u8]) -> CaseId {
    admitted(store, arrival(bytes, &format!("{CANARY}.pdf"), "inbox"), NOW).await
}

/// Read by nobody, and at rest; with a picture.
async fn quarantined(store: &Store, bytes: &[u8]) -> CaseId {
    let id = admit(store, bytes).await;
    store.keep_pictures(id, vec![b"a page".to_vec()]).await.unwrap();
    store.apply(id, 0, unreadable(), &machine(), NOW).await.unwrap();
    id
}

async fn erase(store: &Store, id: CaseId) {
    let said = |by: &Actor| Statement { by: by.clone(), reason: format!("{CANARY} came by mistake"), at: NOW };
    for by in [legal("usr_ann"), legal("usr_ben")] {
        let case = store.case(id).await.unwrap();
        let (seen, said, family) = (case.content(), said(&by), Family::new());
        let event = match case.disposal {
            None => Event::DisposalProposed { ground: Ground::MistakenUpload, seen, said, family },
            Some(_) => Event::DisposalApproved { seen, said, family },
        };
        store.apply(id, case.revision, event, &by, NOW).await.unwrap();
    }
}

async fn original(store: &Store, id: CaseId) -> Result<Vec<u8>, Error> {
    store.original_bytes(&store.case(id).await?).await
}

/// Two folders for backups, and places to restore them to.
pub(crate) struct Shelf {
    dir: TempDir,
}

impl Shelf {
    pub(crate) fn new() -> Shelf {
        Shelf { dir: TempDir::new().unwrap() }
    }

    pub(crate) fn place(&self) -> BackupPlace {
        BackupPlace { dir: self.dir.path().join("backup"), keys: self.dir.path().join("keys") }
    }

    pub(crate) async fn take(&self, store: &Store, now: Timestamp) -> BackedUp {
        store.seal_log(now).await.unwrap();
        let backed_up = store.backup(&self.place(), 7, &admin(), now, &mut |_, _, _| {}).await.unwrap();
        assert!(backed_up.whole(), "{backed_up:?}");
        backed_up
    }

    /// All files of the backup and of its keys.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = files_below(&self.place().dir);
        files.extend(files_below(&self.place().keys));
        files.retain(|path| path.file_name().unwrap() != ".lock");
        files
    }
}

/// A machine without data, that has the key file.
pub(crate) struct Fresh {
    config: Config,
    _dir: TempDir,
}

impl Fresh {
    pub(crate) fn new(from: &Config, database: Option<String>) -> Fresh {
        let dir = TempDir::new().unwrap();
        let keys = dir.path().join("keys");
        fs::create_dir(&keys).unwrap();
        fs::set_permissions(&keys, PermissionsExt::from_mode(0o700)).unwrap();
        fs::copy(from.keys.folder.join("keys"), keys.join("keys")).unwrap();
        let config = Config {
            database: database.unwrap_or_else(|| dir.path().join("data.sqlite").to_str().unwrap().to_owned()),
            vault: BlobPlace::Folder(dir.path().join("vault")),
            keys: keys.into(),
            log: dir.path().join("log"),
            ..from.clone()
        };
        Fresh { config, _dir: dir }
    }

    /// As the machine that was backed up had it, with the last head that was signed there.
    fn with_signed_head(self, from: &Config) -> Fresh {
        fs::copy(from.keys.folder.join("signed-head"), self.config.keys.folder.join("signed-head")).unwrap();
        self
    }

    pub(crate) async fn restore(&self, shelf: &Shelf, snapshot: Option<&str>, older: bool) -> Result<Restored, Error> {
        let backup = Backup::open(&self.config.keys, &shelf.place(), snapshot).await?;
        let ask = RestoreAsk { older, witnessed: None };
        Store::restore(&self.config, backup, &ask, NOW, &mut |_, _, _| {}).await
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.config).await.unwrap()
    }

    fn vault(&self) -> &Path {
        let BlobPlace::Folder(vault) = &self.config.vault else { unreachable!() };
        vault
    }

    /// Puts the sealed files there that the backup has.
    fn put_files(&self, shelf: &Shelf) {
        let from = shelf.place().dir.join("vault");
        for path in files_below(&from) {
            let to = self.vault().join(path.strip_prefix(&from).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&path, to).unwrap();
        }
    }

    fn is_empty(&self) -> bool {
        let no_files = !self.vault().exists() || files_below(self.vault()).is_empty();
        !Path::new(&self.config.database).exists() && no_files
    }
}

/// The databases that a backup is restored to.
async fn databases() -> Vec<Option<String>> {
    let mut databases = vec![None];
    databases.extend(support::postgres_fresh().await.map(Some));
    databases
}

/// Does this in the middle of a backup, where it tells its progress. On a thread of its own: a runtime that waits inside its
/// own waiting misses what it was woken for.
fn meanwhile<T: Send>(work: impl Future<Output = T> + Send) -> T {
    let runtime = tokio::runtime::Handle::current();
    std::thread::scope(|scope| scope.spawn(|| runtime.block_on(work)).join().unwrap())
}
