//! Writing versions of facts: what is replaced is closed, what is the same stays, and whoever waits for it is woken.

use std::collections::{BTreeMap, BTreeSet};

use case::{CaseId, Fact, Key, Timestamp};

use super::{Imported, STILL, place_of, stays};
use crate::backup::tables::{FACT_KEYS, FACTS};
use crate::db::{Cell, Row, Tx};
use crate::vault::RecordKey;
use crate::{Error, Store, sealed_json};

/// A version of a fact to be written.
#[derive(Clone, Copy)]
pub(crate) struct Version<'a> {
    pub(crate) fact: &'a Fact,
    pub(crate) case: Option<CaseId>,
    pub(crate) by: &'a str,
    pub(crate) key: &'a RecordKey,
}

impl Store {
    /// Writes a version of each fact, by its key; none: it is known no more. Unless they are `counted` on by whoever calls, so are
    /// the ledgers of its keys. Gives back how many were new, changed and the same.
    pub(crate) async fn write_versions(
        &self,
        tx: &mut Tx,
        versions: &[([u8; 32], Option<Version<'_>>)],
        counted: bool,
        now: Timestamp,
    ) -> Result<Imported, Error> {
        let mut done = Imported::default();
        let keys: Vec<&[u8]> = versions.iter().map(|(key, _)| key.as_slice()).collect();
        let (mut from, mut there) = (now.0, BTreeMap::new());
        for row in tx.conn().known_versions(&keys).await? {
            // No version ends before it begins, whatever the clocks of two nodes say.
            from = from.max(row.int(3)?);
            there.insert(row.bytes(0)?.to_owned(), (row.int(1)?, row.bytes(2)?.to_owned()));
        }
        // INVARIANT (a bill is known from its place on): imports are known from after the newest bill that waits for them.
        for (_, version) in versions {
            if let Some(Version { fact: Fact::Bill(bill), .. }) = version {
                from = bill.since.map_or(from, |since| from.max(since.0));
            }
        }
        let (mut closed, mut fresh) = (Vec::new(), Vec::new());
        for (key, version) in versions {
            let before = there.get(key.as_slice());
            let digest = version.map(|version| self.digest(version.fact)).transpose()?;
            match (before, digest) {
                (None, None) => continue,
                (Some((_, before)), Some(digest)) if before.as_slice() == digest => {
                    done.same += 1;
                    continue;
                }
                (Some((id, _)), _) => {
                    closed.push(*id);
                    done.changed += 1;
                }
                (None, Some(_)) => done.new += 1,
            }
            fresh.extend(version.zip(digest).map(|(version, digest)| (key, version, digest)));
        }
        let lookups = |fact: &Fact| fact.keys().into_iter().map(|key| (self.lookup_key(&key).to_vec(), key)).collect();
        let found_by: Vec<Vec<(Vec<u8>, Key)>> = fresh.iter().map(|(_, version, _)| lookups(version.fact)).collect();
        // What is no longer known changes verdicts as much as what is new.
        let was_found_by = tx.conn().closed_keys(&closed).await?;
        let was_found_by = was_found_by.iter().map(|row| row.bytes(0)).collect::<Result<Vec<_>, Error>>()?;
        if !counted && let Some(last) = self.count_on(tx, &found_by, &was_found_by).await? {
            from = from.max(last.saturating_add(1));
        }
        let ids = tx.conn().next_fact_ids(fresh.len()).await?;
        let (mut rows, mut lookups) = (Vec::new(), Vec::new());
        for ((id, (key, version, digest)), found_by) in ids.iter().zip(&fresh).zip(found_by) {
            let Version { fact, case, by, key: sealed_by } = *version;
            let place = place_of(*key, *id, from, by);
            let remnant = match fact {
                Fact::Bill(bill) if case.is_some() => {
                    let left = Fact::Bill(Box::new(bill.claims_alone()));
                    Cell::Bytes(sealed_json(&self.house, &stays(*key), &left)?)
                }
                _ => Cell::Null,
            };
            rows.push(Row(vec![
                Cell::Int(*id),
                Cell::Text(fact.kind().name().to_owned()),
                Cell::Bytes(key.to_vec()),
                case.map_or(Cell::Null, |case| Cell::Text(case.to_string())),
                Cell::Text(by.to_owned()),
                Cell::Int(from),
                Cell::Int(STILL),
                Cell::Bytes(digest.to_vec()),
                Cell::Bytes(sealed_json(sealed_by, &place, fact)?),
                remnant,
            ]));
            lookups.extend(found_by.into_iter().map(|(lookup, _)| Row(vec![Cell::Bytes(lookup), Cell::Int(*id)])));
        }
        tx.conn().close_facts(&closed, from).await?;
        tx.conn().insert_rows(&FACTS, &rows).await?;
        lookups.dedup_by(|left, right| left.0 == right.0);
        tx.conn().insert_rows(&FACT_KEYS, &lookups).await?;
        let touched: Vec<i64> = closed.into_iter().chain(ids).collect();
        // By the clock: they are looked at now.
        tx.conn().wake(&touched, now.0).await?;
        Ok(done)
    }

    /// Counts on the ledgers of what is written, and of what is known no more. Gives back since when the newest bill is known of
    /// the cases in review that wait for any of it.
    ///
    /// INVARIANT (what came later is known from later): whatever the clocks of two nodes say, and however long an import waited,
    /// a version is known from after every verdict in review that was made without it. It is the counting that holds this:
    /// such a verdict is written by then and seen here, or it is refused and made again. It does not hold for a case that left
    /// review, which people or the rules let through as things stood.
    async fn count_on(
        &self,
        tx: &mut Tx,
        found_by: &[Vec<(Vec<u8>, Key)>],
        was_found_by: &[&[u8]],
    ) -> Result<Option<i64>, Error> {
        let bind = found_by.iter().flatten().filter(|(_, key)| key.binds());
        let mut ledgers: BTreeSet<i64> = bind.map(|(_, key)| self.ledger(key)).collect();
        for key in was_found_by {
            let [first, second, ..] = key else { continue };
            let n = i64::from(u16::from_be_bytes([*first, *second])) % super::LEDGERS;
            // Which half it is of the digest does not tell.
            ledgers.extend([n, super::LEDGERS + n]);
        }
        tx.conn().count_on(&ledgers.into_iter().collect::<Vec<_>>()).await?;
        let lookups = found_by.iter().flatten().map(|(lookup, _)| lookup.as_slice());
        tx.conn().last_of_waiting(&lookups.chain(was_found_by.iter().copied()).collect()).await
    }
}
