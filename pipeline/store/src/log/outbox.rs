//! Where entries wait on PostgreSQL. Any number of nodes seal: a lease keeps them from doing the same work twice, and the
//! log's tail, moved from the size that was read, keeps them from giving a place away twice.
//!
//! Whoever can write to the database can write here. So each row carries a code that needs a key which is not in the
//! database; a row without it, one that was sealed before, or one that does not continue its object, is put aside and the
//! log says so.

use std::collections::{HashMap, HashSet};

use audit::{Act, Body, Hash, Leaf, body_hash};
use case::{Actor, Timestamp};

use super::{Draft, Waiting, seal};
use crate::db::{Arg, Row, Tx};
use crate::{Error, Keys, Store, boxed};

/// How many entries are sealed in one transaction.
const SEALED_AT_ONCE_MAX: i64 = 1_000;
/// Names the sealer's lease among the advisory locks of the database.
const SEALER: i64 = 0x636f_756e_7465_7273;

impl Store {
    /// Seals what waits, in order, and gives back how many entries that were. Any number of nodes may call it. On
    /// SQLite nothing ever waits.
    #[boxed]
    pub async fn seal_log(&self, now: Timestamp) -> Result<u64, Error> {
        let mut sealed = 0;
        while self.db.seals_later()
            && let Some(n) = self.seal_some(now).await?
        {
            sealed += n;
        }
        Ok(sealed)
    }

    /// One transaction's worth; `None` when nothing waits, or another node is sealing.
    async fn seal_some(&self, now: Timestamp) -> Result<Option<u64>, Error> {
        if self.db.row("SELECT position FROM log_outbox LIMIT 1", &[]).await?.is_none() {
            return Ok(None);
        }
        let mut tx = self.db.begin().await?;
        let lease = "SELECT CASE WHEN pg_try_advisory_xact_lock($1) THEN 1::bigint ELSE 0::bigint END";
        if tx.row(lease, &[Arg::Int(SEALER)]).await?.map(|row| row.int(0)).transpose()? != Some(1) {
            return Ok(None);
        }
        let mut taken = tx
            .rows(
                "DELETE FROM log_outbox WHERE position IN (SELECT position FROM log_outbox ORDER BY position LIMIT $1)
                 RETURNING position, entry_id, object, revision, entered_at, entry, mac",
                &[Arg::Int(SEALED_AT_ONCE_MAX)],
            )
            .await?
            .iter()
            .map(|row| Ok((row.int(0)?, waiting(row)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        taken.sort_unstable_by_key(|(position, _)| *position);
        let (good, refused) = self.told_apart(&mut tx, taken).await?;
        let mut entries = good;
        if let Some((_, why, _)) = refused.first() {
            let mut told = Draft::new(Act::LogRefuse, &Actor::system("sealer"));
            told.res = audit::Outcome::Denied;
            told.tell("why", *why);
            told.count("count", refused.len() as i64);
            entries.push(self.entry(told, &self.house, now)?.0);
        }
        for (position, why, entry) in &refused {
            tx.execute(
                "INSERT INTO log_refused (position, refused_at, why, entry) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (position) DO UPDATE SET refused_at = $2, why = $3, entry = $4",
                &[Arg::Int(*position), Arg::Int(now.0), Arg::Text(why), Arg::Bytes(entry)],
            )
            .await?;
        }
        let n = entries.len() as u64;
        seal(&mut tx.conn(), &self.keys, entries, now.0).await?;
        tx.commit().await?;
        Ok(Some(n))
    }

    /// Those to seal, and those to put aside with the reason.
    async fn told_apart(
        &self,
        tx: &mut Tx,
        taken: Vec<(i64, Waiting)>,
    ) -> Result<(Vec<Waiting>, Vec<(i64, &'static str, Vec<u8>)>), Error> {
        let ids: Vec<&str> = taken.iter().map(|(_, entry)| entry.id.as_str()).collect();
        let sealed = "SELECT entry_id FROM log_entries WHERE entry_id = ANY($1)";
        let mut seen = HashSet::new();
        for row in tx.rows(sealed, &[Arg::Texts(&ids)]).await? {
            seen.insert(row.text(0)?.to_owned());
        }
        let linked = taken.iter().filter(|(_, entry)| entry.revision.is_some());
        let objects: Vec<&str> = linked.map(|(_, entry)| entry.object.as_str()).collect();
        let newest = "SELECT DISTINCT ON (object) object, leaf FROM log_entries
                      WHERE object = ANY($1) AND revision IS NOT NULL ORDER BY object, log DESC, position DESC";
        let mut links: HashMap<String, Hash> = HashMap::new();
        for row in tx.rows(newest, &[Arg::Texts(&objects)]).await? {
            links.insert(row.text(0)?.to_owned(), body_hash(Leaf::parse(row.bytes(1)?)?.body));
        }
        let (mut good, mut refused) = (Vec::new(), Vec::new());
        for (position, entry) in taken {
            match flaw(&self.keys, &entry, &seen, &links) {
                Some(why) => refused.push((position, why, entry.entry)),
                None => {
                    seen.insert(entry.id.clone());
                    if entry.revision.is_some() {
                        links.insert(entry.object.clone(), body_hash(&entry.entry));
                    }
                    good.push(entry);
                }
            }
        }
        Ok((good, refused))
    }
}

/// Of all columns of a row of the outbox.
pub(crate) fn waiting(row: &Row) -> Result<Waiting, Error> {
    Ok(Waiting {
        id: row.text(1)?.to_owned(),
        object: row.text(2)?.to_owned(),
        revision: row.maybe_int(3)?,
        entered_at: row.int(4)?,
        entry: row.bytes(5)?.to_owned(),
        openings: None,
        mac: row.bytes(6)?.try_into().unwrap_or_default(),
    })
}

/// Why a waiting entry is not to be sealed. `seen` is what was sealed before, and `links` the last links of objects.
pub(crate) fn flaw(
    keys: &Keys,
    entry: &Waiting,
    seen: &HashSet<String>,
    links: &HashMap<String, Hash>,
) -> Option<&'static str> {
    let Ok(body) = Body::parse(&entry.entry) else { return Some("it is not an entry") };
    let node = &body.program.node;
    let mac = outbox_mac(keys, node, &entry.id, &entry.object, entry.revision, entry.entered_at, &entry.entry);
    if mac != entry.mac {
        return Some("it was not written by this program");
    }
    if seen.contains(&entry.id) {
        return Some("it was sealed before");
    }
    if entry.revision.is_some() && body.sprev != links.get(&entry.object).copied() {
        return Some("it does not continue its object's last entry");
    }
    None
}

/// A code over everything that is in the row, made with a key that the database does not have.
pub(super) fn outbox_mac(
    keys: &Keys,
    node: &str,
    id: &str,
    object: &str,
    revision: Option<i64>,
    entered_at: i64,
    entry: &[u8],
) -> [u8; 32] {
    // The digest of the entry stands for its bytes; the rest cannot hold the separator.
    let row = format!("{node}\n{id}\n{object}\n{revision:?}\n{entered_at}\n{}", body_hash(entry));
    keys.blind("log-outbox", &row)
}
