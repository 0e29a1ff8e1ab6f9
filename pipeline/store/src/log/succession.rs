//! Keys that follow one another in a log, and logs that follow one another.
//!
//! A new key is told in an entry, and the first head over that entry is signed by both: whoever trusts the old key has its
//! word for the new one. A new log begins where another had to end, and its first entry names the end of the one before.

use audit::{Act, Body, Leaf, LogKey, VerifierKey};
use case::{Actor, Deed, Timestamp};

use super::{Draft, Head, Tail, signed};
use crate::db::Arg;
use crate::publish::read_signed_head;
use crate::{Error, Keys, Store, boxed};

/// Entries about keys are of this object, so that the last one is found at once.
const KEY_OBJECT: &str = "log-key";

impl Store {
    /// The keys that sign the log, the newest first, as the key file has them now: another process may have added one.
    pub(crate) fn log_keys(&self) -> Result<Vec<LogKey>, Error> {
        self.log_keys_of(&self.origin)
    }

    fn log_keys_of(&self, origin: &str) -> Result<Vec<LogKey>, Error> {
        let keys = self.ring.keys()?;
        Ok(keys.log_seeds().iter().map(|seed| LogKey::from_seed(origin, seed)).collect::<Result<_, _>>()?)
    }

    /// What heads of the log of this origin are verified with, the newest key first.
    pub(crate) fn verifiers(&self, origin: &str) -> Result<Vec<VerifierKey>, Error> {
        Ok(self.log_keys_of(origin)?.iter().map(LogKey::verifier).collect())
    }

    /// The keys that sign the head of this tail: the newest; the one before where the newest was not told yet; both in the
    /// first head that covers the entry about it.
    pub(crate) async fn signing_keys(&self, tail: &Tail) -> Result<Vec<LogKey>, Error> {
        let mut keys = self.log_keys()?;
        let told = self.told_key(tail.log).await?;
        if let Some(told) = &told
            && keys.iter().all(|key| key.verifier_key() != *told)
        {
            return Err(older_key_file(told));
        }
        let last = "SELECT note FROM log_heads WHERE log = $1 ORDER BY size DESC LIMIT 1";
        let Some(last) = self.db.row(last, &[Arg::Int(tail.log)]).await? else {
            keys.truncate(1);
            return Ok(keys);
        };
        let verifiers: Vec<VerifierKey> = keys.iter().map(LogKey::verifier).collect();
        let signed_by = audit::signers(last.text(0)?.as_bytes(), &verifiers)?;
        let newest_signed = verifiers.iter().position(|key| signed_by.contains(key));
        let newest_told = told.and_then(|told| keys.iter().position(|key| key.verifier_key() == told));
        match (newest_signed, newest_told) {
            (Some(signed), Some(told)) if told < signed => Ok(keys.drain(told..=signed).collect()),
            (Some(signed), _) => Ok(vec![keys.swap_remove(signed)]),
            (None, _) => Err(Error::Row { what: "the last head is not signed by a key of this log".to_owned() }),
        }
    }

    /// The key that the log's last entry about keys names.
    async fn told_key(&self, log: i64) -> Result<Option<String>, Error> {
        let sql = "SELECT leaf FROM log_entries WHERE log = $1 AND object = $2 ORDER BY position DESC LIMIT 1";
        let Some(row) = self.db.row(sql, &[Arg::Int(log), Arg::Text(KEY_OBJECT)]).await? else { return Ok(None) };
        let body = Body::parse(Leaf::parse(row.bytes(0)?)?.body)?;
        match body.d.get("after") {
            Some(audit::Value::Text(after)) => Ok(Some(after.clone())),
            _ => Err(Error::Row { what: "the last entry about the log's key names none".to_owned() }),
        }
    }

    /// Makes a new key that signs the log from here on. On return the head is signed by the old and the new one. Give the
    /// new verifier key to auditors, and the key file to every node.
    #[boxed]
    pub async fn rotate_log_key(&self, by: &Actor, now: Timestamp) -> Result<Head, Error> {
        self.authorize(by, Deed::ManageLog, now).await?;
        self.seal_log(now).await?;
        self.sign_log(now).await?;
        let tail = self.tail().await?;
        let before = self.signing_keys(&tail).await?.remove(0).verifier_key();
        // One that was made and not told, because something ended between, is taken up.
        let mut after = self.log_keys()?.remove(0).verifier_key();
        if after == before {
            Keys::rotate_log(&self.custody)?;
            after = self.log_keys()?.remove(0).verifier_key();
        }
        let mut entry = Draft::new(Act::KeyRotate, by).about("key", KEY_OBJECT);
        entry.tell("before", before);
        entry.tell("after", after);
        self.enter(entry, now).await?;
        self.seal_log(now).await?;
        self.sign_log(now).await?;
        self.head().await?.ok_or_else(|| Error::Row { what: "the log has no head".to_owned() })
    }

    /// Begins a new log after one that cannot go on: a database that was brought back from an older copy does not hold all
    /// that was signed. The new log's first entry names the end that the old one had, and what of it is at hand. The
    /// settings must name the new origin from then on.
    #[boxed]
    pub async fn begin_log(&self, origin: &str, reason: &str, by: &Actor, now: Timestamp) -> Result<(), Error> {
        if let Err(denied) = case::permit(by, Deed::ManageLog) {
            // Entered, where the log still takes entries.
            drop(self.authorize(by, Deed::ManageLog, now).await);
            return Err(denied.into());
        }
        let tail = self.tail().await?;
        let used = self.db.row("SELECT log FROM log_tail WHERE origin = $1", &[Arg::Text(origin)]).await?.is_some();
        if used || *origin == *self.origin {
            return Err(Error::Exists { what: "a log named", name: origin.to_owned() });
        }
        // Refuses an origin that no head can be signed for.
        self.log_keys_of(origin)?;
        let signed_head = read_signed_head(&self.signed_head_path())?.filter(|head| head.origin == tail.origin);
        let (size, root) = match signed_head {
            Some(head) if tail.size() < head.size => (head.size, head.root),
            _ => (tail.size(), tail.root()),
        };
        let mut entry = Draft::new(Act::LogBegin, by).about("log", "log");
        entry.tell("origin", &tail.origin);
        entry.count("size", signed(size)?);
        entry.tell("root", root.to_string());
        entry.count("at_hand", signed(tail.size())?);
        entry.hide("reason", reason);
        let (entry, _) = self.entry(entry, &self.house, now)?;
        let openings = entry.openings.clone();
        let (id, object) = (entry.id.clone(), entry.object.clone());
        let mut begun = Tail::new(tail.log + 1, origin);
        let first = begun.append(vec![entry], now.0)?;
        let mut tx = self.db.begin().await?;
        if !begun.insert(&mut tx.conn(), &self.keys).await? {
            return Err(Error::Exists { what: "a log after", name: tail.origin });
        }
        if let Some(openings) = openings {
            let sql = "INSERT INTO log_openings (entry_id, object, body) VALUES ($1, $2, $3)";
            tx.execute(sql, &[Arg::Text(&id), Arg::Text(&object), Arg::Bytes(&openings)]).await?;
        }
        tx.conn().insert_entries(begun.log, &first).await?;
        tx.commit().await
    }
}

pub(super) fn older_key_file(key: &str) -> Error {
    let what = format!(
        "the log is signed by `{key}`, which is not in the key file of this node: bring the newer key file here"
    );
    Error::Unacceptable { what }
}
