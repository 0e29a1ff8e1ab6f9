//! What the business knows: facts as imported, and what judged cases bill. Every version of a fact is a row of its own, sealed,
//! and found by keyed digests of its keys; what was known on a day can be asked for again.

mod import;
mod rows;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use case::{Case, CaseId, Fact, Key, Known, LookedUp, ROUNDS_MAX, State, Stated, Timestamp};

use crate::cases::case_id;
use crate::db::{Arg, Row, Tx, tried};
use crate::settlements::forget_in_settlements;
use crate::{ApplyError, Error, Keys, Store, boxed, opened_json};

pub use import::Imported;
pub(crate) use rows::Version;

/// What was looked up for a case, and the versions of what it was gathered from.
#[derive(Clone, Debug)]
pub struct Gathered {
    pub known: Known,
    ledgers: BTreeMap<i64, i64>,
    /// Of a case in review: since when something new is known about it.
    woken_at: Option<i64>,
}

/// A version that nothing replaced is known until then.
pub(crate) const STILL: i64 = i64::MAX;
/// Facts looked at under one key: of an order or a number all of them, of what is only sampled the newest.
const FACTS_MAX: i64 = 20_000;
const SAMPLED_MAX: i64 = 500;
/// Half of the ledgers are of keys that only imports write under, half of those that verdicts do.
const LEDGERS: i64 = 32_768;

impl Store {
    /// Looks up what a case is compared with: what `wanted` asks for, again and again until it asks for nothing new. What the
    /// case itself bills is left out.
    #[boxed]
    pub async fn gather(
        &self,
        case: &Case,
        wanted: &(dyn Fn(&Known) -> BTreeSet<Key> + Sync),
    ) -> Result<Gathered, Error> {
        let gathered = Gathered {
            known: Known::for_case(case),
            ledgers: BTreeMap::new(),
            woken_at: self.woken_at(case.id).await?,
        };
        self.gathered(gathered, &case.id.to_string(), STILL - 1, wanted).await
    }

    /// What [`Store::gather`] found then, so that a verdict of that time can be made again: what was brought in since is not
    /// there, what was replaced since is, and so are the bills of other cases as they stood. Of a case that was erased
    /// since, only what it took of orders is known, and only from then on.
    #[boxed]
    pub async fn gather_as_known(
        &self,
        case: &Case,
        on: Timestamp,
        wanted: &(dyn Fn(&Known) -> BTreeSet<Key> + Sync),
    ) -> Result<Known, Error> {
        let known = Known::for_case(case);
        let gathered = Gathered { known, ledgers: BTreeMap::new(), woken_at: None };
        Ok(self.gathered(gathered, &case.id.to_string(), on.0, wanted).await?.known)
    }

    /// As [`Store::gather`], for what is no case: a payment, a statement of a vendor.
    #[boxed]
    pub async fn gather_facts(&self, wanted: &(dyn Fn(&Known) -> BTreeSet<Key> + Sync)) -> Result<Gathered, Error> {
        let gathered = Gathered { known: Known::default(), ledgers: BTreeMap::new(), woken_at: None };
        self.gathered(gathered, "", STILL - 1, wanted).await
    }

    async fn gathered(
        &self,
        mut gathered: Gathered,
        own: &str,
        at: i64,
        wanted: &(dyn Fn(&Known) -> BTreeSet<Key> + Sync),
    ) -> Result<Gathered, Error> {
        for _ in 0..ROUNDS_MAX {
            let new = gathered.known.missing(wanted(&gathered.known));
            if new.is_empty() {
                return Ok(gathered);
            }
            // The versions first: what changes after this line is noticed when the verdict is written.
            let ledgers: BTreeSet<i64> = new.iter().filter(|key| key.binds()).map(|key| self.ledger(key)).collect();
            let fresh: Vec<i64> = ledgers.into_iter().filter(|it| !gathered.ledgers.contains_key(it)).collect();
            gathered.ledgers.extend(self.db.versions(&fresh).await?);
            for (key, found) in self.found_under(&new, at, own).await? {
                gathered.known.put(key, found);
            }
        }
        Err(Error::Row { what: format!("what it is compared with was not found in {ROUNDS_MAX} rounds") })
    }

    /// Everything under a key as it is known, or as it was known then; the newest first.
    #[boxed]
    pub async fn facts_by_key(&self, key: &Key, known_on: Option<Timestamp>) -> Result<Vec<Stated>, Error> {
        let at = known_on.map_or(STILL - 1, |on| on.0);
        let found = self.found_under(std::slice::from_ref(key), at, "").await?;
        Ok(found.into_iter().next().map(|(_, found)| found.facts).unwrap_or_default())
    }

    pub(crate) async fn found_under(
        &self,
        keys: &[Key],
        at: i64,
        without: &str,
    ) -> Result<Vec<(Key, LookedUp)>, Error> {
        let max = |key: &Key| if key.partly() { SAMPLED_MAX } else { FACTS_MAX };
        let asked: Vec<([u8; 32], i64)> = keys.iter().map(|key| (self.lookup_key(key), max(key))).collect();
        let rows = self.db.look_up(&asked, at, without).await?;
        let mut opened: HashMap<i64, Stated> = HashMap::new();
        let mut under: HashMap<Vec<u8>, Vec<i64>> = HashMap::new();
        for row in &rows {
            let id = row.int(1)?;
            under.entry(row.bytes(0)?.to_owned()).or_default().push(id);
            if let std::collections::hash_map::Entry::Vacant(place) = opened.entry(id) {
                place.insert(self.stated(row)?);
            }
        }
        let mut found = Vec::with_capacity(keys.len());
        for (key, (lookup_key, max)) in keys.iter().zip(&asked) {
            let ids = under.remove(lookup_key.as_slice()).unwrap_or_default();
            let cut = *max < ids.len() as i64;
            let mut facts = Vec::with_capacity(ids.len());
            for id in ids.iter().take(*max as usize) {
                let Some(stated) = opened.get(id) else { continue };
                // INVARIANT (a fact answers only to its own keys): whoever writes to the database cannot put one under another.
                if !stated.fact.keys().contains(key) {
                    return Err(Error::Row { what: format!("fact {id} stands under a key that is not its own") });
                }
                facts.push(stated.clone());
            }
            found.push((key.clone(), LookedUp { facts, cut }));
        }
        Ok(found)
    }

    /// INVARIANT (a verdict rests on facts still true): the versions are those that were looked up, and those of what cases
    /// write under are counted on, so that of two verdicts that rest on one another the second is refused.
    pub(crate) async fn use_facts(&self, tx: &mut Tx, gathered: &Gathered) -> Result<(), ApplyError> {
        let imported: Vec<i64> = gathered.ledgers.keys().copied().filter(|ledger| *ledger < LEDGERS).collect();
        let now = tx.conn().versions_held(&imported).await?;
        if now.iter().any(|(ledger, version)| gathered.ledgers.get(ledger) != Some(version)) {
            return Err(ApplyError::FactsChanged);
        }
        let shared: Vec<(i64, i64)> =
            gathered.ledgers.iter().filter(|(ledger, _)| LEDGERS <= **ledger).map(|(it, at)| (*it, *at)).collect();
        if tx.conn().count_on_from(&shared).await? != shared.len() as u64 {
            return Err(ApplyError::FactsChanged);
        }
        Ok(())
    }

    /// Keeps what a case bills as it says now, and wakes the cases that wait for it. A verdict has `counted` on the ledgers of
    /// its bill by then, all of them being of keys that it was looked up by; to count them on once more, in another order,
    /// could make two verdicts wait for each other.
    pub(crate) async fn write_bill(
        &self,
        tx: &mut Tx,
        before: &Case,
        case: &Case,
        counted: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        if case.bill == before.bill {
            return Ok(());
        }
        let id = case.id.to_string();
        let fact = case.bill.clone().map(|bill| Fact::Bill(Box::new(bill)));
        let key = self.record_key_in(tx, &id).await?;
        let version = fact.as_ref().map(|fact| Version { fact, case: Some(case.id), by: "", key: &key });
        self.write_versions(tx, &[(self.bill_key(case.id), version)], counted, now).await?;
        Ok(())
    }

    /// Of what an erased case billed only what it took of orders stays, under the house's key; of its payments, that they
    /// settled it.
    pub(crate) async fn forget_bill(&self, tx: &mut Tx, case: &Case, now: Timestamp) -> Result<(), Error> {
        let id = case.id.to_string();
        // Whoever settles a payment by its bill meanwhile looks again, and finds it gone.
        tx.conn().count_on(&[self.ledger(&Key::paid(&id))]).await?;
        for sql in FORGET {
            tx.execute(sql, &[Arg::Text(&id)]).await?;
        }
        forget_in_settlements(tx, &self.keys, &self.house, case.id).await?;
        let Some(bill) = case.bill.clone() else { return Ok(()) };
        let fact = Fact::Bill(Box::new(bill));
        let version = Version { fact: &fact, case: Some(case.id), by: "", key: &self.house };
        self.write_versions(tx, &[(self.bill_key(case.id), Some(version))], false, now).await?;
        Ok(())
    }

    /// Whoever waits in review for what is learned under these keys; `None`: nobody waits any more.
    pub(crate) async fn wait_for(&self, tx: &mut Tx, case: CaseId, gathered: Option<&Gathered>) -> Result<(), Error> {
        let id = case.to_string();
        tx.execute("DELETE FROM waiting WHERE case_id = $1", &[Arg::Text(&id)]).await?;
        match gathered {
            Some(Gathered { woken_at: None, .. }) => {}
            // What was learned after it was looked up wakes it once more.
            Some(Gathered { woken_at: Some(at), .. }) => {
                let sql = "DELETE FROM woken WHERE case_id = $1 AND woken_at = $2";
                tx.execute(sql, &[Arg::Text(&id), Arg::Int(*at)]).await?;
            }
            None => {
                tx.execute("DELETE FROM woken WHERE case_id = $1", &[Arg::Text(&id)]).await?;
            }
        }
        let Some(gathered) = gathered else { return Ok(()) };
        let keys: BTreeSet<[u8; 32]> =
            gathered.known.keys().filter(|key| !key.partly()).map(|key| self.lookup_key(key)).collect();
        tx.conn().insert_waiting(&id, &keys).await
    }

    /// Cases about which something was learned since they were judged, the longest waiting first: those in review, and those that
    /// are booked; what is on its way into the ledger is looked at when it is there.
    #[boxed]
    pub async fn woken(&self, n: u32, now: Timestamp) -> Result<Vec<CaseId>, Error> {
        let sql = "SELECT woken.case_id FROM woken JOIN cases ON cases.case_id = woken.case_id
                   WHERE woken_at <= $2 AND state <> $3 ORDER BY woken_at, woken.case_id LIMIT $1";
        let rows = self.db.rows(sql, &[Arg::Int(n.into()), Arg::Int(now.0), Arg::Text(State::Approved.name())]).await?;
        rows.iter().map(|row| case_id(row, 0)).collect()
    }

    /// A case could not be judged again; it is tried again then, so that it does not stand in the way of others.
    #[boxed]
    pub async fn wake_later(&self, case: CaseId, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE woken SET woken_at = $1 WHERE case_id = $2";
        tx.execute(sql, &[Arg::Int(at.0), Arg::Text(&case.to_string())]).await?;
        tx.commit().await
    }

    pub(crate) async fn is_awake(&self, tx: &mut Tx, case: &str) -> Result<bool, Error> {
        Ok(tx.row("SELECT case_id FROM woken WHERE case_id = $1", &[Arg::Text(case)]).await?.is_some())
    }

    pub(crate) async fn wake_now(&self, tx: &mut Tx, case: &str, now: Timestamp) -> Result<(), Error> {
        let sql = "INSERT INTO woken (case_id, woken_at) VALUES ($1, $2) ON CONFLICT (case_id) DO NOTHING";
        tx.execute(sql, &[Arg::Text(case), Arg::Int(now.0)]).await?;
        Ok(())
    }

    /// Wakes a case that is booked, or will be; one in review waits for what it is judged by anyway.
    pub(crate) async fn wake_booked(&self, tx: &mut Tx, case: CaseId, now: Timestamp) -> Result<(), Error> {
        let [approved, posted, archived] = [State::Approved, State::Posted, State::Archived].map(State::name);
        let sql = "INSERT INTO woken (case_id, woken_at) SELECT case_id, CAST($2 AS BIGINT) FROM cases
                   WHERE case_id = $1 AND state IN ($3, $4, $5)
                   ON CONFLICT (case_id) DO UPDATE SET woken_at = woken.woken_at + 1";
        let id = case.to_string();
        let args = [Arg::Text(&id), Arg::Int(now.0), Arg::Text(approved), Arg::Text(posted), Arg::Text(archived)];
        tx.execute(sql, &args).await?;
        Ok(())
    }

    async fn woken_at(&self, case: CaseId) -> Result<Option<i64>, Error> {
        let sql = "SELECT woken_at FROM woken WHERE case_id = $1";
        self.db.row(sql, &[Arg::Text(&case.to_string())]).await?.map(|row| row.int(0)).transpose()
    }

    /// A case was looked at again, and nothing is otherwise: in review it waits on.
    #[boxed]
    pub async fn still_held(&self, case: &Case, gathered: &Gathered) -> Result<(), ApplyError> {
        tried(ApplyError::crossed, || self.still_held_once(case, gathered)).await
    }

    async fn still_held_once(&self, case: &Case, gathered: &Gathered) -> Result<(), ApplyError> {
        let mut tx = self.db.begin().await?;
        // Nothing is written under what it rests on, so nobody else has to judge anew for it.
        let ledgers: Vec<i64> = gathered.ledgers.keys().copied().collect();
        if tx.conn().versions_held(&ledgers).await? != gathered.ledgers {
            return Err(ApplyError::FactsChanged);
        }
        let sql = "SELECT revision FROM cases WHERE case_id = $1 AND revision = $2";
        let args = [Arg::Text(&case.id.to_string()), Arg::Int(crate::log::signed(case.revision)?)];
        if tx.row(sql, &args).await?.is_some() {
            self.wait_for(&mut tx, case.id, Some(gathered).filter(|_| waits(case))).await?;
        }
        Ok(tx.commit().await?)
    }

    /// A fact out of a row of look-ups: key, id, kind, fact key, case, known by, known from, body, record key.
    pub(crate) fn stated(&self, row: &Row) -> Result<Stated, Error> {
        let owner = row.maybe_text(4)?;
        let place = place_of(row.bytes(3)?, row.int(1)?, row.int(6)?, row.text(5)?);
        let key = self.record_key(owner.unwrap_or_default(), row.maybe_bytes(8)?)?;
        Ok(Stated {
            fact: opened_json(&key, &place, row.bytes(7)?)?,
            case: owner.map(|_| case_id(row, 4)).transpose()?,
            by: row.text(5)?.to_owned(),
            known_from: Timestamp(row.int(6)?),
        })
    }

    /// As [`Store::stated`], of one that was found under this key.
    ///
    /// INVARIANT (a fact answers only to its own keys): whoever writes to the database cannot put one under another.
    pub(crate) fn stated_under(&self, key: &Key, row: &Row) -> Result<Stated, Error> {
        let stated = self.stated(row)?;
        if !stated.fact.keys().contains(key) {
            return Err(Error::Row { what: format!("fact {} stands under a key that is not its own", row.int(1)?) });
        }
        Ok(stated)
    }

    /// The versions of what these keys find.
    pub(crate) async fn ledgers_of(&self, keys: &[Key]) -> Result<BTreeMap<i64, i64>, Error> {
        let ledgers: BTreeSet<i64> = keys.iter().map(|key| self.ledger(key)).collect();
        self.db.versions(&ledgers.into_iter().collect::<Vec<_>>()).await
    }

    pub(crate) fn lookup_key(&self, key: &Key) -> [u8; 32] {
        lookup_key(&self.keys, key)
    }

    /// The first half is that of its group, so that what is looked up together lies together.
    fn fact_key(&self, fact: &Fact) -> [u8; 32] {
        let kind = fact.kind().name();
        let group = self.keys.blind("fact group", &format!("{kind}|{}", fact.group()));
        joined(group, self.keys.blind("fact id", &format!("{kind}|{}", fact.id())))
    }

    pub(crate) fn bill_key(&self, case: CaseId) -> [u8; 32] {
        let case = case.to_string();
        joined(self.keys.blind("fact group", &case), self.keys.blind("fact id", &case))
    }

    /// The ledger of a key: the first half of them is of keys that only imports write under.
    fn ledger(&self, key: &Key) -> i64 {
        let [first, second, ..] = self.lookup_key(key);
        let n = i64::from(u16::from_be_bytes([first, second])) % LEDGERS;
        if key.written_by_cases() { LEDGERS + n } else { n }
    }

    pub(crate) fn digest(&self, fact: &Fact) -> Result<[u8; 32], Error> {
        digest_of(&self.keys, fact)
    }
}

/// Is it to be judged again for what is learned? Booked cases in review wait for people alone.
pub(crate) fn waits(case: &Case) -> bool {
    case.state == State::InReview && case.booked_as.is_none()
}

pub(crate) fn lookup_key(keys: &Keys, key: &Key) -> [u8; 32] {
    keys.blind("fact", key.text())
}

/// Facts that say the same have the same.
pub(crate) fn digest_of(keys: &Keys, fact: &Fact) -> Result<[u8; 32], Error> {
    let json = serde_json::to_string(fact).map_err(|err| Error::json("a fact", &err))?;
    Ok(keys.blind("row", &json))
}

/// Every version of every fact, in the columns that [`Store::stated`] reads, and the digest.
pub(crate) const EVERY: &str =
    "SELECT fact_key, fact_id, kind, fact_key, case_id, known_by, known_from, facts.body, record_keys.body, digest_key
                     FROM facts LEFT JOIN record_keys ON record_keys.owner = case_id
                     WHERE $1 < fact_id ORDER BY fact_id LIMIT $2";

/// Takes everything away that is known of what a case bills.
pub(crate) const FORGET: [&str; 2] = [
    "DELETE FROM fact_keys WHERE fact_id IN (SELECT fact_id FROM facts WHERE case_id = $1)",
    "DELETE FROM facts WHERE case_id = $1",
];

fn joined(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().zip(left.into_iter().take(16).chain(right)) {
        *place = byte;
    }
    key
}

/// Says where a sealed version belongs, so that it cannot be put in the place of another, nor be somebody else's word, and no second
/// row be made of it.
pub(crate) fn place_of(fact_key: &[u8], fact_id: i64, known_from: i64, by: &str) -> String {
    format!("facts/{}/{fact_id}/{known_from}/{by}", hex(fact_key))
}

/// Where the context of what is left of a bill is told from the bill's.
pub(crate) fn stays(fact_key: &[u8]) -> String {
    format!("facts/{}/stays", hex(fact_key))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
