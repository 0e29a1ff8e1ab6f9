//! Bringing facts in.

use std::collections::{BTreeMap, BTreeSet};

use audit::Act;
use case::{Account, Actor, Deed, Fact, FactKind, Key, LookedUp, Settlement, Timestamp, Vendor};
use serde::{Deserialize, Serialize};

use super::{STILL, Version};
use crate::db::{Tx, tried};
use crate::log::{Draft, signed};
use crate::{ApplyError, Error, Store, boxed};

/// What an import did. The same file again: everything is `same`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    pub new: u64,
    pub changed: u64,
    pub same: u64,
}

impl Imported {
    /// Versions, of which each is a row.
    pub(crate) fn written(self) -> u64 {
        self.new + self.changed
    }

    pub fn add(&mut self, other: Imported) {
        self.new += other.new;
        self.changed += other.changed;
        self.same += other.same;
    }
}

/// Facts that one call may bring in.
const LOT_MAX: usize = 5_000;

impl Store {
    /// Brings facts of one kind in, in one transaction with its audit entry. Idempotent: what is there and equal stays as it
    /// is; what says otherwise replaces it, and what was known before can still be asked for. Of two with one id the later
    /// counts. Whatever ends an import half-way, importing again finishes it.
    #[boxed]
    pub async fn import(&self, kind: FactKind, lot: &[Fact], by: &Actor, now: Timestamp) -> Result<Imported, Error> {
        self.authorize(by, Deed::Import, now).await?;
        if LOT_MAX < lot.len() {
            return Err(Error::TooLarge { what: "facts at once", size: lot.len(), max: LOT_MAX });
        }
        // Accounts are for two people to change, and payments are settled by the engine.
        if matches!(kind, FactKind::Accounts | FactKind::Settlements) {
            return Err(Error::Unacceptable { what: format!("{} cannot be brought in", kind.name()) });
        }
        let by_cases = |fact: &Fact| matches!(fact, Fact::Bill(bill) if bill.since.is_some());
        if let Some(fact) = lot.iter().find(|fact| fact.kind() != kind || by_cases(fact)) {
            let what = format!("a fact of the kind {} is no {}", fact.kind().name(), kind.name());
            return Err(Error::Unacceptable { what });
        }
        let crossed = |err: &ApplyError| matches!(err, ApplyError::FactsChanged) || err.crossed();
        let done = tried(crossed, || self.import_once(kind, lot, by, now)).await.map_err(|err| match err {
            ApplyError::Store(err) => err,
            _ => {
                let what = "others brought in the same vendors again and again meanwhile; import them again".to_owned();
                Error::Unacceptable { what }
            }
        })?;
        self.bell.notify_one();
        Ok(done)
    }

    async fn import_once(
        &self,
        kind: FactKind,
        lot: &[Fact],
        by: &Actor,
        now: Timestamp,
    ) -> Result<Imported, ApplyError> {
        let (accounts, ledgers) = match kind {
            FactKind::Vendors => self.accounts_with(lot, by, now).await?,
            _ => Default::default(),
        };
        let mut tx = self.db.begin().await?;
        // Where no account comes with them, nothing was decided by what was looked up.
        let seen: Vec<(i64, i64)> = ledgers.into_iter().filter(|_| !accounts.is_empty()).collect();
        if tx.conn().count_on_from(&seen).await? != seen.len() as u64 {
            return Err(ApplyError::FactsChanged);
        }
        let done = self.write_imported(&mut tx, lot, by, now).await?;
        let unsettled = self.unsettled_of(&mut tx, lot).await?;
        let along = [accounts.as_slice(), &unsettled].concat();
        let n_accounts = self.write_imported(&mut tx, &accounts, by, now).await?.written();
        let n_unsettled = self.write_imported(&mut tx, &unsettled, by, now).await?.written();
        let mut entry = Draft::new(Act::FactsImport, by);
        entry.tell("kind", kind.name());
        entry.count("new", signed(done.new)?);
        entry.count("changed", signed(done.changed)?);
        entry.count("same", signed(done.same)?);
        for (along, n_along) in [("accounts", n_accounts), ("settlements", n_unsettled)] {
            if 0 < n_along {
                entry.count(along, signed(n_along)?);
            }
        }
        entry.hide("rows", case::Digest::of_value(&serde_json::json!([lot, along])).to_string());
        // INVARIANT (one entry per transition): facts change with their entry, or not at all.
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        Ok(done)
    }

    pub(crate) async fn write_imported(
        &self,
        tx: &mut Tx,
        lot: &[Fact],
        by: &Actor,
        now: Timestamp,
    ) -> Result<Imported, Error> {
        let mut last: BTreeMap<[u8; 32], &Fact> = BTreeMap::new();
        for fact in lot {
            last.insert(self.fact_key(fact), fact);
        }
        let version = |fact| Version { fact, case: None, by: &by.id, key: &self.house };
        let versions: Vec<_> = last.into_iter().map(|(key, fact)| (key, Some(version(fact)))).collect();
        self.write_versions(tx, &versions, false, now).await
    }

    /// INVARIANT (no payment is lost): one that nothing is known of yet comes with a settlement of nothing, by which it is found
    /// until it is settled, whatever ends the import half-way.
    async fn unsettled_of(&self, tx: &mut Tx, lot: &[Fact]) -> Result<Vec<Fact>, Error> {
        let none_yet = lot.iter().filter_map(|fact| match fact {
            Fact::Payment(payment) => Some(Fact::Settlement(Box::new(Settlement::none_yet(payment)))),
            _ => None,
        });
        let mut none_yet: BTreeMap<[u8; 32], Fact> = none_yet.map(|fact| (self.fact_key(&fact), fact)).collect();
        let keys: Vec<&[u8]> = none_yet.keys().map(<[u8; 32]>::as_slice).collect();
        let there = tx.conn().known_versions(&keys).await?;
        let there = there.iter().map(|row| Ok(row.bytes(0)?.to_owned())).collect::<Result<BTreeSet<_>, Error>>()?;
        none_yet.retain(|key, _| !there.contains(key.as_slice()));
        Ok(none_yet.into_values().collect())
    }

    /// The accounts that come with these vendors, and the versions of what they were compared with. The first account that is
    /// known of a new vendor came with the vendor; every other waits for two people.
    ///
    /// INVARIANT (a second record is no new vendor): another record of a company that is known brings in no account that may be
    /// paid to, unless it is one that every other record is paid to. What they are paid to, their accounts say: what stands in
    /// a record, one person can write.
    async fn accounts_with(
        &self,
        lot: &[Fact],
        by: &Actor,
        now: Timestamp,
    ) -> Result<(Vec<Fact>, BTreeMap<i64, i64>), Error> {
        let vendors: Vec<&Vendor> = lot.iter().filter_map(vendor).collect();
        let keys = vendors.iter().flat_map(|it| it.keys_of_kin().into_iter().chain([Key::accounts_of(&it.vendor_id)]));
        let (mut found, mut ledgers) = self.found_with_ledgers(keys.collect()).await?;
        let others = found.values().flat_map(|found| &found.facts).filter_map(|stated| vendor(&stated.fact));
        let mut others: BTreeSet<Key> = others.map(|it| Key::accounts_of(&it.vendor_id)).collect();
        others.retain(|key| !found.contains_key(key));
        let (of_others, more) = self.found_with_ledgers(others).await?;
        found.extend(of_others);
        // Those that were read first: what was written between is noticed too.
        for (ledger, version) in more {
            ledgers.entry(ledger).or_insert(version);
        }

        let there = |key: &Key| found.get(key).map_or(&[][..], |found| &found.facts);
        let known = |id: &str| there(&Key::accounts_of(id)).iter().filter_map(|stated| account(&stated.fact));
        let mut by_key: BTreeMap<Key, Vec<&Vendor>> = BTreeMap::new();
        let mut accounts: BTreeMap<(Key, Key), Account> = BTreeMap::new();
        for it in vendors {
            let own = Key::vendor(&it.vendor_id);
            let kin = it.keys_of_kin();
            let here = kin.iter().flat_map(&there).filter_map(|stated| vendor(&stated.fact));
            let mut others = here.chain(kin.iter().filter_map(|key| by_key.get(key)).flatten().copied());
            if let Some(iban) = it.iban.as_deref().map(Key::iban) {
                let pays = |account: &Account| account.stands() && Key::iban(&account.iban) == iban;
                let paid = |other: &Vendor| {
                    let with_it = accounts.get(&(Key::vendor(&other.vendor_id), iban.clone()));
                    known(&other.vendor_id).any(pays) || with_it.is_some_and(pays)
                };
                let second =
                    others.any(|other| Key::vendor(&other.vendor_id) != own && it.may_be(other) && !paid(other));
                let first = !second
                    && there(&own).is_empty()
                    && known(&it.vendor_id).next().is_none()
                    && !accounts.keys().any(|(id, _)| *id == own);
                let is_known = known(&it.vendor_id).any(|account| Key::iban(&account.iban) == iban);
                if let Some(account) = it.account(first, &by.id, now).filter(|_| !is_known) {
                    accounts.entry((own, iban)).or_insert(account);
                }
            }
            for key in kin {
                by_key.entry(key).or_default().push(it);
            }
        }
        Ok((accounts.into_values().map(Fact::Account).collect(), ledgers))
    }

    async fn found_with_ledgers(
        &self,
        keys: BTreeSet<Key>,
    ) -> Result<(BTreeMap<Key, LookedUp>, BTreeMap<i64, i64>), Error> {
        let keys: Vec<Key> = keys.into_iter().collect();
        // The versions first: what changes after this line is noticed when the accounts are written.
        let ledgers = self.ledgers_of(&keys).await?;
        Ok((self.found_under(&keys, STILL - 1, "").await?.into_iter().collect(), ledgers))
    }
}

fn account(fact: &Fact) -> Option<&Account> {
    match fact {
        Fact::Account(account) => Some(account),
        _ => None,
    }
}

fn vendor(fact: &Fact) -> Option<&Vendor> {
    match fact {
        Fact::Vendor(vendor) => Some(vendor),
        _ => None,
    }
}
