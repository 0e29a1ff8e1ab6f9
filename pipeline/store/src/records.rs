//! The key table: the record keys of `vault/record.rs`, one row each. Rotating the vault key rewraps these rows and
//! touches no document; erasing a case is destroying its row.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use audit::{Act, Outcome};
use case::{Actor, Deed, Timestamp};

use crate::db::{Arg, Db, Row, Tx};
use crate::keys::{NewEscrow, Ring};
use crate::log::{Draft, signed};
use crate::vault::{RecordKey, record};
use crate::{Custodian, Error, KeyError, KeyId, Keys, Lock, Share, Store, boxed};

/// Whose record key it is that seals what belongs to no case.
const HOUSE: &str = "";
/// Entries about vault keys are of this object.
const KEY_OBJECT: &str = "vault-key";
/// Entries about who can open all of them.
const KEY_FILE: &str = "key-file";
const ROWS_AT_ONCE: i64 = 1_000;

/// A vault key, and how many record keys need it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KeyUse {
    pub key: String,
    /// Does it wrap what is new?
    pub leads: bool,
    /// Is it in the key file?
    pub at_hand: bool,
    pub n_records: u64,
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rotated {
    pub key: String,
    /// A rotation that was cut short was taken up: the key is that one's.
    pub resumed: bool,
    pub n_records: u64,
}

/// The record key of what belongs to no case; makes it in a new database.
pub(crate) async fn open_house(db: &Db, ring: &Ring) -> Result<RecordKey, Error> {
    loop {
        let sql = "SELECT body FROM record_keys WHERE owner = $1";
        if let Some(row) = db.row(sql, &[Arg::Text(HOUSE)]).await? {
            return opened(ring, HOUSE, row.bytes(0)?);
        }
        if db.row("SELECT log FROM log_tail LIMIT 1", &[]).await?.is_some() {
            let what = "the database has no keys to open what it holds: restore it whole, with its key table, by \
                        `countersign restore`";
            return Err(Error::Unacceptable { what: what.to_owned() });
        }
        let keys = ring.keys()?;
        let (_, wrapped) = record::make(&keys, keys.current(), HOUSE)?;
        let mut tx = db.begin().await?;
        let sql =
            "INSERT INTO record_keys (owner, wrapped_by, body) VALUES ($1, $2, $3) ON CONFLICT (owner) DO NOTHING";
        let by = keys.current().id.to_string();
        tx.execute(sql, &[Arg::Text(HOUSE), Arg::Text(&by), Arg::Bytes(&wrapped)]).await?;
        tx.commit().await?;
    }
}

fn opened(ring: &Ring, owner: &str, wrapped: &[u8]) -> Result<RecordKey, Error> {
    Ok(record::open(&*ring.keys()?, owner, wrapped).map_err(|source| record::refused(owner, source))?)
}

/// A new case's record key, and the row that keeps it.
pub(crate) struct NewRecord {
    pub(crate) key: RecordKey,
    wrapped_by: KeyId,
    wrapped: [u8; record::WRAPPED_BYTES],
}

impl Store {
    pub(crate) async fn new_record(&self, owner: &str) -> Result<NewRecord, Error> {
        let leads = self.leading().await?;
        let keys = self.ring.keys()?;
        let Some(by) = keys.vault_ids().find(|id| id.to_string() == leads).and_then(|id| keys.find(id)) else {
            let what = format!(
                "vault key `{leads}` wraps what is new, and is not in the key file here: copy the key file from where it was rotated"
            );
            return Err(Error::Unacceptable { what });
        };
        let (key, wrapped) = record::make(&keys, by, owner)?;
        Ok(NewRecord { key, wrapped_by: by.id, wrapped })
    }

    /// The vault key that wraps what is new: the one that the house's row is wrapped by.
    async fn leading(&self) -> Result<String, Error> {
        let sql = "SELECT wrapped_by FROM record_keys WHERE owner = $1";
        let row = self.db.row(sql, &[Arg::Text(HOUSE)]).await?;
        let row = row.ok_or_else(|| Error::Row { what: "the house has no record key".to_owned() })?;
        Ok(row.text(0)?.to_owned())
    }

    /// INVARIANT (a vault key that is retired is needed by nothing): nothing new is wrapped by another vault key than the
    /// one that leads, and until it is committed no other key begins to lead.
    pub(crate) async fn write_record(&self, tx: &mut Tx, owner: &str, new: &NewRecord) -> Result<(), Error> {
        let by = new.wrapped_by.to_string();
        if tx.conn().insert_record(owner, &by, &new.wrapped).await? == 0 {
            let what = format!("another vault key than `{by}` began to lead just now; try again");
            return Err(Error::Unacceptable { what });
        }
        Ok(())
    }

    /// The record key that `wrapped` is for `owner`: the house's, where `owner` has none of its own or none any more.
    pub(crate) fn record_key(&self, owner: &str, wrapped: Option<&[u8]>) -> Result<Cow<'_, RecordKey>, Error> {
        match wrapped {
            None => Ok(Cow::Borrowed(&*self.house)),
            Some(wrapped) => Ok(Cow::Owned(opened(&self.ring, owner, wrapped)?)),
        }
    }

    pub(crate) async fn record_key_in(&self, tx: &mut Tx, owner: &str) -> Result<Cow<'_, RecordKey>, Error> {
        let row = tx.row("SELECT body FROM record_keys WHERE owner = $1", &[Arg::Text(owner)]).await?;
        self.record_key(owner, row.as_ref().map(|row| row.bytes(0)).transpose()?)
    }

    /// As [`Store::record_key`], looked up.
    pub(crate) async fn record_key_of(&self, owner: &str) -> Result<Cow<'_, RecordKey>, Error> {
        let row = self.db.row("SELECT body FROM record_keys WHERE owner = $1", &[Arg::Text(owner)]).await?;
        self.record_key(owner, row.as_ref().map(|row| row.bytes(0)).transpose()?)
    }

    /// The vault keys, the one that leads first, with how much needs each.
    #[boxed]
    pub async fn key_uses(&self) -> Result<Vec<KeyUse>, Error> {
        let keys = self.ring.keys()?;
        let leads = self.leading().await?;
        let rows = "SELECT wrapped_by, COUNT(*) FROM record_keys GROUP BY wrapped_by ORDER BY wrapped_by";
        let mut uses: Vec<KeyUse> = keys
            .vault_ids()
            .map(|id| KeyUse { key: id.to_string(), leads: id.to_string() == leads, at_hand: true, n_records: 0 })
            .collect();
        for row in self.db.rows(rows, &[]).await? {
            let (key, n_records) = (row.text(0)?, row.int(1)?.unsigned_abs());
            match uses.iter_mut().find(|it| it.key == key) {
                Some(found) => found.n_records = n_records,
                None => uses.push(KeyUse { key: key.to_owned(), leads: key == leads, at_hand: false, n_records }),
            }
        }
        Ok(uses)
    }

    /// Makes a new vault key and wraps every record key by it; documents stay as they are. Cut short by anything, it is
    /// taken up when it is called again. `progress` is told how many are done, of how many.
    #[boxed]
    pub async fn rotate_vault_key(
        &self,
        by: &Actor,
        now: Timestamp,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<Rotated, Error> {
        self.authorize(by, Deed::ManageKeys, now).await?;
        let behind = "SELECT COUNT(*) FROM record_keys WHERE wrapped_by <> $1";
        let n_behind = async |keys: &Keys| -> Result<u64, Error> {
            let row = self.db.row(behind, &[Arg::Text(&keys.current().id.to_string())]).await?;
            Ok(row.map(|row| row.int(0)).transpose()?.unwrap_or(0).unsigned_abs())
        };
        let mut keys = self.ring.keys()?;
        let resumed = 0 < n_behind(&keys).await?;
        if !resumed {
            Keys::rotate(&*self.custody)?;
            keys = self.ring.keys()?;
        }
        let leads = keys.current().id.to_string();
        self.lead_with(&keys, &leads, by, now).await?;
        let all = n_behind(&keys).await?;

        let (mut n_records, mut after) = (0, HOUSE.to_owned());
        progress(n_records, all);
        loop {
            let sql = "SELECT owner, wrapped_by, body FROM record_keys WHERE wrapped_by <> $1 AND $2 < owner
                       ORDER BY owner LIMIT $3";
            let rows = self.db.rows(sql, &[Arg::Text(&leads), Arg::Text(&after), Arg::Int(ROWS_AT_ONCE)]).await?;
            let Some(last) = rows.last() else { break };
            after = last.text(0)?.to_owned();
            let rewrapped = rows.iter().map(|row| rewrapped(&keys, row)).collect::<Result<Vec<_>, _>>()?;
            let mut tx = self.db.begin().await?;
            n_records += tx.conn().rewrap(&leads, &rewrapped).await?;
            tx.commit().await?;
            progress(n_records, all.max(n_records));
        }
        let mut entry = Draft::new(Act::KeyRewrap, by).about("key", KEY_OBJECT);
        entry.tell("key", &leads);
        entry.count("records", signed(n_records)?);
        self.enter(entry, now).await?;
        Ok(Rotated { key: leads, resumed, n_records })
    }

    /// The row of the house goes first: from then on nothing new is wrapped by another key.
    async fn lead_with(&self, keys: &Keys, leads: &str, by: &Actor, now: Timestamp) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        let sql = "SELECT owner, wrapped_by, body FROM record_keys WHERE owner = $1";
        let row = tx.row(sql, &[Arg::Text(HOUSE)]).await?;
        let row = row.ok_or_else(|| Error::Row { what: "the house has no record key".to_owned() })?;
        let before = row.text(1)?.to_owned();
        // Another rotation may have been first.
        if before == leads || tx.conn().rewrap(leads, &[rewrapped(keys, &row)?]).await? == 0 {
            return Ok(());
        }
        let mut entry = Draft::new(Act::KeyCreate, by).about("key", KEY_OBJECT);
        entry.tell("purpose", "vault");
        entry.tell("key", leads);
        entry.tell("before", before);
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(())
    }

    /// Takes a vault key out of the key file, when nothing needs it any more: every older copy of what it wrapped, in
    /// backups and in the database's own logs, is closed with it.
    #[boxed]
    pub async fn retire_vault_key(&self, key: &str, by: &Actor, now: Timestamp) -> Result<(), Error> {
        self.authorize(by, Deed::ManageKeys, now).await?;
        let uses = self.key_uses().await?;
        let found = uses.iter().find(|it| it.at_hand && it.key == key);
        let found = found.ok_or_else(|| Error::NoSuch { what: "vault key in the key file", name: key.to_owned() })?;
        if found.leads {
            let what =
                format!("`{key}` is the vault key that leads: make another first with `countersign keys rotate`");
            return Err(Error::Unacceptable { what });
        }
        if 0 < found.n_records {
            let what = format!(
                "`{key}` is needed to open {} record keys: `countersign keys rotate` wraps them anew",
                found.n_records
            );
            return Err(Error::Unacceptable { what });
        }
        let mut entry = Draft::new(Act::KeyRetire, by).about("key", KEY_OBJECT);
        entry.tell("key", key);
        self.entered(entry, now, || Keys::retire(&self.custody, key)).await?;
        Ok(())
    }

    /// Gives the key file to another custodian, or to a new key of the same one; None is a plain file. This store and every
    /// program that has the key file open must be opened again.
    #[boxed]
    pub async fn protect_keys(&self, lock: Option<Arc<Lock>>, by: &Actor, now: Timestamp) -> Result<(), Error> {
        self.authorize(by, Deed::ManageKeys, now).await?;
        let name = |lock: &Option<Arc<Lock>>| match lock {
            None => Custodian::File.name().to_owned(),
            Some(lock) => lock.sealing.to_string(),
        };
        let mut entry = Draft::new(Act::KeyProtect, by).about("key", KEY_FILE);
        entry.tell("before", name(&self.custody.lock));
        entry.tell("custodian", name(&lock));
        self.entered(entry, now, || Keys::protect(&self.custody, lock)).await?;
        Ok(())
    }

    /// As [`Keys::new_escrow`], with its entry.
    #[boxed]
    pub async fn new_escrow(
        &self,
        show: &mut (dyn FnMut(&[Share; 3]) -> io::Result<()> + Send),
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.authorize(by, Deed::ManageKeys, now).await?;
        let escrow = NewEscrow::draw()?;
        show(&escrow.shares).map_err(KeyError::NotShown)?;
        let mut entry = Draft::new(Act::KeyEscrow, by).about("key", KEY_FILE);
        entry.tell("set", escrow.set_name());
        self.entered(entry, now, || escrow.put(&self.custody)).await
    }

    /// Enters what is then done with the key file, so that nothing is done that the log does not tell; and enters it once
    /// more, as failed, when it was not done.
    async fn entered<T>(
        &self,
        entry: Draft,
        now: Timestamp,
        change: impl FnOnce() -> Result<T, KeyError>,
    ) -> Result<T, Error> {
        let mut failed = entry.clone();
        failed.res = Outcome::Error;
        self.enter(entry, now).await?;
        match change() {
            Ok(done) => Ok(done),
            Err(err) => {
                self.enter(failed, now).await?;
                Err(err.into())
            }
        }
    }

    /// Enters that two shares of this set brought the key file back, whoever held them.
    #[boxed]
    pub async fn tell_recovery(&self, set: &str, now: Timestamp) -> Result<(), Error> {
        let mut entry = Draft::new(Act::KeyRecover, &Actor::system("shares")).about("key", KEY_FILE);
        entry.tell("set", set);
        self.enter(entry, now).await
    }
}

/// A record key whose wrapping is made anew.
pub(crate) struct Rewrapped {
    pub(crate) owner: String,
    pub(crate) before: String,
    pub(crate) body: [u8; record::WRAPPED_BYTES],
}

fn rewrapped(keys: &Keys, row: &Row) -> Result<Rewrapped, Error> {
    let owner = row.text(0)?.to_owned();
    let body = record::rewrap(keys, &owner, row.bytes(2)?)?;
    Ok(Rewrapped { owner, before: row.text(1)?.to_owned(), body })
}
