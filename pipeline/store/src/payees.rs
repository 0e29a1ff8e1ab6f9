//! Accounts that vendors are paid to: changed by two people, each change an entry.

use audit::{Act, Outcome};
use case::{Account, Actor, Fact, Key, PayeeDeed, PayeeRefusal, Timestamp, payee};
use thiserror::Error as ThisError;

use crate::db::tried;
use crate::facts::STILL;
use crate::log::{Draft, signed};
use crate::{Error, Store};

/// Why an account was not changed.
#[derive(Debug, ThisError)]
pub enum PayeeError {
    #[error(transparent)]
    Refused(#[from] PayeeRefusal),
    #[error(transparent)]
    Store(#[from] Error),
}

impl Store {
    /// Does something with an account of a vendor, by the rules of [`case::payee`]; a refusal is entered too.
    pub async fn payee(
        &self,
        vendor: &str,
        iban: &str,
        deed: PayeeDeed,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Account, PayeeError> {
        let crossed = |err: &PayeeError| matches!(err, PayeeError::Store(err) if err.crossed());
        let account = tried(crossed, || self.payee_once(vendor, iban, deed.clone(), by, now)).await?;
        self.bell.notify_one();
        Ok(account)
    }

    async fn payee_once(
        &self,
        vendor: &str,
        iban: &str,
        deed: PayeeDeed,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Account, PayeeError> {
        let keys = [Key::vendor(vendor), Key::accounts_of(vendor)];
        let ledgers = self.ledgers_of(&keys).await?;
        let found = self.found_under(&keys, STILL - 1, "").await?;
        let facts = found.iter().flat_map(|(_, found)| &found.facts);
        let vendor_id = facts.clone().find_map(|it| match &it.fact {
            Fact::Vendor(vendor) => Some(vendor.vendor_id.clone()),
            _ => None,
        });
        let unknown = || Error::NoSuch { what: "vendor", name: vendor.to_owned() };
        let vendor_id = vendor_id.ok_or_else(unknown)?;
        let iban_key = Key::iban(iban);
        let before = facts.clone().find_map(|it| match &it.fact {
            Fact::Account(account) if Key::iban(&account.iban) == iban_key => Some(account.clone()),
            _ => None,
        });
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
        let account = match payee(&vendor_id, iban, before.as_ref(), deed, by, now.date()) {
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
