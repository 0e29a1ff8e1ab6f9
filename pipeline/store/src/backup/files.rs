//! Sealed files on their way into a backup and back, as they are: none is opened.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc;
use uuid::Uuid;

use super::folders::Folders;
use super::restore::Backup;
use super::snapshot::{self, Lot, Named};
use super::{BackedUp, LOTS_WAITING_MAX, NAMED_MAX, Part, folders};
use crate::vault::{Copied, Vault};
use crate::{BlobPlace, Error, Store, VaultError, causes};

impl Store {
    /// Copies what the snapshot names and the backup does not have yet, as the snapshot on the disk reads back. Gives back what
    /// could not be read.
    pub(super) async fn copy_files(
        &self,
        folders: &Folders,
        snapshot: Uuid,
        backed_up: &mut BackedUp,
        progress: &mut (dyn FnMut(Part, u64, u64) + Send),
    ) -> Result<Vec<Named>, Error> {
        let (path, vault) = (folders.snapshot_part.clone(), folders.vault.clone());
        let (send, receive) = mpsc::channel(LOTS_WAITING_MAX);
        let copied = self.blocking(move |store| {
            let to = Vault::open(&BlobPlace::Folder(vault))?;
            let mut lots = snapshot::Reader::open(&path, snapshot, &store.house)?;
            while let Some(lot) = lots.next()? {
                let Lot::Files(named) = lot else { continue };
                for named in named {
                    let copied = store.vault.copy_to(named.file, &to)?;
                    if send.blocking_send((named, copied)).is_err() {
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
            let mut missing = Vec::new();
            progress(Part::Files, 0, all);
            while let Some((named, copied)) = receive.recv().await {
                match copied {
                    Copied::New(bytes) => {
                        backed_up.new_files += 1;
                        backed_up.new_bytes += bytes;
                    }
                    Copied::There => {}
                    // Told when it is known which cases were erased meanwhile.
                    Copied::Unreadable(_) => missing.push(named),
                }
                done += 1;
                progress(Part::Files, done, all);
            }
            missing
        };
        let (copied, missing) = tokio::join!(copied, counted);
        copied??;
        Ok(missing)
    }
}

/// What of its files a backup did not give.
#[derive(Default)]
pub(super) struct Lacking {
    pub(super) missing: u64,
    /// Why those could not be read that are there, 100 at most.
    pub(super) spoilt: Vec<String>,
}

/// Every file that the snapshot names, into the vault that is being filled.
pub(super) async fn bring_back(
    backup: &Arc<Backup>,
    place: &BlobPlace,
    all: u64,
    progress: &mut (dyn FnMut(Part, u64, u64) + Send),
) -> Result<Lacking, Error> {
    let (backup, place) = (backup.clone(), place.clone());
    let (send, mut receive) = mpsc::unbounded_channel();
    let copied = tokio::task::spawn_blocking(move || {
        let (from, to) = open_vaults(&backup, &place)?;
        for found in to.ids() {
            let id = found?;
            if matches!(from.holds(id), Ok(false)) {
                let what = format!(
                    "the vault has the sealed file `{id}`, which this backup has not: a backup goes into an empty vault"
                );
                return Err(Error::Unacceptable { what });
            }
        }
        let (mut lots, mut done, mut lacking) = (backup.lots()?, 0, Lacking::default());
        while let Some(lot) = lots.next()? {
            let Lot::Files(named) = lot else { continue };
            for named in named {
                if let Copied::Unreadable(why) = from.copy_to(named.file, &to)? {
                    lacking.missing += 1;
                    let there = !matches!(why, VaultError::Missing { .. });
                    if there && lacking.spoilt.len() < NAMED_MAX {
                        lacking.spoilt.push(causes(&why));
                    }
                }
                done += 1;
            }
            // A lot at a time: there are few.
            let _ = send.send(done);
        }
        Ok::<_, Error>(lacking)
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
pub(super) fn remove(backup: &Backup, place: &BlobPlace, erased: &BTreeSet<Uuid>) -> Result<(), Error> {
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
