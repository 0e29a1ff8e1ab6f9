//! Accounts that vendors are paid to: changed by two people, each change an entry.

use std::collections::{BTreeMap, BTreeSet};

use audit::{Act, Outcome};
use case::{Account, Actor, Digest, Fact, Key, LookedUp, PayeeDeed, PayeeRefusal, Stated, Timestamp, Vendor, payee};
use jiff::civil::Date;
use serde::Serialize;
use thiserror::Error as ThisError;

use crate::db::{Arg, tried};
use crate::facts::STILL;
use crate::log::{Draft, signed};
use crate::{Error, Store, boxed};

/// Why an account was not changed.
#[derive(Debug, ThisError)]
pub enum PayeeError {
    #[error(transparent)]
    Refused(#[from] PayeeRefusal),
    #[error(transparent)]
    Store(#[from] Error),
}

/// An account that waits for its second person, with what that person looks at.
#[derive(Clone, Debug, Serialize)]
pub struct AccountWaiting {
    pub account: Account,
    pub vendor: Option<String>,
    /// From when it is the vendor's, by the row that brought it in.
    pub valid_from: Option<Date>,
    /// The account of the vendor that was approved last, which may be closed since.
    pub before: Option<Account>,
}

impl AccountWaiting {
    /// With what is known of its vendor.
    fn of(account: &Account, vendors: &[Stated], accounts: &[Stated]) -> AccountWaiting {
        let vendors: Vec<&Vendor> = vendors.iter().filter_map(vendor).collect();
        let iban = Some(Key::iban(&account.iban));
        let brought = vendors.iter().find(|vendor| vendor.iban.as_deref().map(Key::iban) == iban);
        let approved = accounts.iter().filter_map(self::account).filter(|other| other.approved_from.is_some());
        AccountWaiting {
            account: account.clone(),
            vendor: vendors.first().map(|vendor| vendor.name.clone()),
            valid_from: brought.and_then(|vendor| vendor.valid_from),
            before: approved.max_by_key(|other| other.approved_from).cloned(),
        }
    }

    /// What stands here, for whoever decides about what they looked at.
    pub fn content(&self) -> Digest {
        Digest::of_value(&serde_json::json!(self))
    }
}

const N_WAITING: &str = "SELECT COUNT(*) FROM fact_keys k JOIN facts f ON f.fact_id = k.fact_id
                         WHERE k.lookup_key = $1 AND f.known_to = 9223372036854775807";

/// In the columns that [`Store::stated`] reads; in the order in which they came to wait, so that what is noted of one puts it at
/// no other place.
const WAITING: &str = "WITH came AS (SELECT e.fact_key, MIN(e.fact_id) AS first_id FROM fact_keys ek
        JOIN facts e ON e.fact_id = ek.fact_id WHERE ek.lookup_key = $1 GROUP BY e.fact_key)
    SELECT k.lookup_key, f.fact_id, f.kind, f.fact_key, f.case_id, f.known_by, f.known_from, f.body, r.body
    FROM came JOIN facts f ON f.fact_key = came.fact_key AND f.known_to = 9223372036854775807
    JOIN fact_keys k ON k.fact_id = f.fact_id AND k.lookup_key = $1 LEFT JOIN record_keys r ON r.owner = f.case_id
    ORDER BY came.first_id LIMIT $2 OFFSET $3";

impl Store {
    /// How many accounts wait for their second person.
    #[boxed]
    pub async fn n_accounts_waiting(&self) -> Result<u64, Error> {
        let key = self.lookup_key(&Key::accounts_waiting());
        let row = self.db.row(N_WAITING, &[Arg::Bytes(&key)]).await?;
        Ok(row.map(|row| row.int(0)).transpose()?.unwrap_or(0).unsigned_abs())
    }

    /// Accounts that wait for their second person, the longest waiting first; so many are skipped, at most so
    /// many come, and no others are opened.
    #[boxed]
    pub async fn accounts_waiting(&self, skip: usize, rows_max: usize) -> Result<Vec<AccountWaiting>, Error> {
        let key = Key::accounts_waiting();
        let (lookup_key, rows) = (self.lookup_key(&key), |n: usize| Arg::Int(i64::try_from(n).unwrap_or(i64::MAX)));
        let found = self.db.rows(WAITING, &[Arg::Bytes(&lookup_key), rows(rows_max), rows(skip)]).await?;
        let found = found.iter().map(|row| self.stated_under(&key, row)).collect::<Result<Vec<_>, _>>()?;
        let shown: Vec<&Account> = found.iter().filter_map(account).collect();
        let keys = |it: &Account| [Key::vendor(&it.vendor_id), Key::accounts_of(&it.vendor_id)];
        let wanted: BTreeSet<Key> = shown.iter().flat_map(|it| keys(it)).collect();
        let wanted: Vec<Key> = wanted.into_iter().collect();
        let beside: BTreeMap<Key, LookedUp> = self.found_under(&wanted, STILL - 1, "").await?.into_iter().collect();
        let seen_with = |it: &Account| {
            let [vendors, accounts] = keys(it).map(|key| beside.get(&key).map_or(&[][..], |found| &found.facts));
            AccountWaiting::of(it, vendors, accounts)
        };
        Ok(shown.into_iter().map(seen_with).collect())
    }

    /// Does something with an account of a vendor, by the rules of [`case::payee`]; a refusal is entered too. `seen` is the
    /// content of the account that the person looked at, with what stood beside it, where they looked at one.
    #[boxed]
    pub async fn payee(
        &self,
        vendor: &str,
        iban: &str,
        deed: PayeeDeed,
        seen: Option<Digest>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Account, PayeeError> {
        let crossed = |err: &PayeeError| matches!(err, PayeeError::Store(err) if err.crossed());
        let account = tried(crossed, || self.payee_once(vendor, iban, deed.clone(), seen, by, now)).await?;
        self.bell.notify_one();
        Ok(account)
    }

    async fn payee_once(
        &self,
        vendor: &str,
        iban: &str,
        deed: PayeeDeed,
        seen: Option<Digest>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Account, PayeeError> {
        let keys = [Key::vendor(vendor), Key::accounts_of(vendor)];
        let ledgers = self.ledgers_of(&keys).await?;
        let found = self.found_under(&keys, STILL - 1, "").await?;
        let [vendors, accounts] =
            keys.each_ref().map(|key| found.iter().find(|(of, _)| of == key).map_or(&[][..], |(_, it)| &it.facts));
        let vendor_id = vendors.iter().find_map(self::vendor).map(|vendor| vendor.vendor_id.clone());
        let unknown = || Error::NoSuch { what: "vendor", name: vendor.to_owned() };
        let vendor_id = vendor_id.ok_or_else(unknown)?;
        let iban_key = Key::iban(iban);
        let before = accounts.iter().filter_map(account).find(|account| Key::iban(&account.iban) == iban_key);
        let now_shown = before.map(|account| AccountWaiting::of(account, vendors, accounts).content());
        let stale = seen.is_some() && seen != now_shown;
        let act = match &deed {
            PayeeDeed::Propose { .. } => Act::PayeePropose,
            PayeeDeed::Confirm { .. } => Act::PayeeConfirm,
            PayeeDeed::Close => Act::PayeeClose,
            PayeeDeed::Check { .. } => Act::PayeeCheck,
        };
        let mut entry = Draft::new(act, by);
        entry.hide("vendor", vendor_id.clone());
        entry.hide("iban", iban.to_owned());
        match &deed {
            PayeeDeed::Confirm { call } => entry.hide("call", serde_json::json!(call).to_string()),
            PayeeDeed::Check { result } => entry.tell("result", result.name()),
            PayeeDeed::Propose { .. } | PayeeDeed::Close => {}
        }
        let account = match payee(&vendor_id, iban, before, stale, deed, by, now.date()) {
            Ok(account) => account,
            Err(refusal) => {
                if matches!(refusal, PayeeRefusal::Denied(_) | PayeeRefusal::Maker) {
                    entry.res = Outcome::Denied;
                    self.enter(entry, now).await?;
                }
                return Err(refusal.into());
            }
        };
        let mut tx = self.db.begin().await?;
        let seen: Vec<(i64, i64)> = ledgers.into_iter().collect();
        if tx.conn().count_on_from(&seen).await? != seen.len() as u64 {
            let what = "the vendor's accounts were changed just now; look again and try again".to_owned();
            return Err(Error::Unacceptable { what }.into());
        }
        let done = self.write_imported(&mut tx, &[Fact::Account(account.clone())], by, now).await?;
        entry.count("accounts", signed(done.written())?);
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        Ok(account)
    }
}

fn account(stated: &Stated) -> Option<&Account> {
    match &stated.fact {
        Fact::Account(account) => Some(account),
        _ => None,
    }
}

fn vendor(stated: &Stated) -> Option<&Vendor> {
    match &stated.fact {
        Fact::Vendor(vendor) => Some(vendor),
        _ => None,
    }
}
