//! Payments that were matched with the bills they pay.

use std::collections::BTreeSet;

use audit::Act;
use case::{Actor, Case, CaseId, Code, Deed, Digest, Fact, Key, Payment, Settlement, Share, State, Timestamp};
use serde::Serialize;

use crate::backup::tables::FACT_KEYS;
use crate::db::{Arg, Cell, Row, Tx, tried};
use crate::facts::{Gathered, STILL, digest_of, lookup_key, place_of};
use crate::log::{Draft, signed};
use crate::vault::RecordKey;
use crate::{ApplyError, Error, Keys, Store, boxed, opened_json, sealed_json};

const PAYMENTS_AT_ONCE: i64 = 500;
const VERSIONS_AT_ONCE: i64 = 100;
const UNSETTLED: &str =
    "SELECT k.lookup_key, f.fact_id, f.kind, f.fact_key, f.case_id, f.known_by, f.known_from, f.body, r.body
    FROM fact_keys k JOIN facts f ON f.fact_id = k.fact_id LEFT JOIN record_keys r ON r.owner = f.case_id
    WHERE k.lookup_key = $1 AND f.known_to = 9223372036854775807 AND k.fact_id < $2 ORDER BY k.fact_id DESC LIMIT $3";

/// Versions of settlements that say something of a case.
const NAMING: &str = "SELECT f.fact_id, f.fact_key, f.known_by, f.known_from, f.body
    FROM fact_keys k JOIN facts f ON f.fact_id = k.fact_id
    WHERE k.lookup_key = $1 AND $2 < k.fact_id ORDER BY k.fact_id LIMIT $3";

/// Written over what does not open: nothing of it is left, and it can be nobody's digest.
const NOTHING: &str = "UPDATE facts SET body = $1, digest_key = $1 WHERE fact_id = $2";
const NO_KEY_OF: &str = "DELETE FROM fact_keys WHERE fact_id = $1 AND lookup_key IN ($2, $3)";

/// A payment that is about a case.
#[derive(Clone, Debug, Serialize)]
pub struct PaidFor {
    pub payment: Payment,
    /// What it settles of the case; none: it may be for it, and settles nothing.
    pub share: Option<Share>,
    /// What was found about it.
    pub codes: BTreeSet<Code>,
    /// The employee whose account it is.
    pub employee: Option<String>,
}

impl PaidFor {
    fn of(payment: Payment, settlement: &Settlement, case: CaseId, employee: Option<String>) -> PaidFor {
        let share = settlement.shares.iter().find(|share| share.case == Some(case)).cloned();
        PaidFor { payment, share, codes: settlement.codes_of(case), employee }
    }

    /// Was it taken off what the payment paid for other bills, as a credit note is of what goes out?
    pub fn taken_off(&self) -> bool {
        self.share.as_ref().is_some_and(|share| share.taken_off(&self.payment))
    }
}

/// Takes out of every version of every settlement what it says of a case that is erased. The versions stay, and what they say
/// of other bills.
///
/// INVARIANT (damage keeps nothing from being erased): a version that does not open says something of the case too, by its key,
/// and may open again for whoever knows which bytes were changed. It is emptied. Its row stays, under the keys of other bills:
/// `check` names it, and nobody takes a bill for open that it may have settled.
pub(crate) async fn forget_in_settlements(
    tx: &mut Tx,
    keys: &Keys,
    house: &RecordKey,
    case: CaseId,
) -> Result<(), Error> {
    let key = lookup_key(keys, &Key::settled_of(case));
    let mut after = 0;
    loop {
        let rows = tx.rows(NAMING, &[Arg::Bytes(&key), Arg::Int(after), Arg::Int(VERSIONS_AT_ONCE)]).await?;
        for row in &rows {
            after = row.int(0)?;
            let place = place_of(row.bytes(1)?, after, row.int(3)?, row.text(2)?);
            let settlement = match opened_json(house, &place, row.bytes(4)?) {
                Ok(Fact::Settlement(settlement)) => settlement,
                Ok(_) => continue,
                Err(_) => {
                    let paid = lookup_key(keys, &Key::paid(&case.to_string()));
                    tx.execute(NOTHING, &[Arg::Bytes(&[]), Arg::Int(after)]).await?;
                    tx.execute(NO_KEY_OF, &[Arg::Int(after), Arg::Bytes(&key), Arg::Bytes(&paid)]).await?;
                    continue;
                }
            };
            let left = Fact::Settlement(Box::new(settlement.without(case)));
            let (body, digest) = (sealed_json(house, &place, &left)?, digest_of(keys, &left)?);
            let sql = "UPDATE facts SET body = $1, digest_key = $2 WHERE fact_id = $3";
            tx.execute(sql, &[Arg::Bytes(&body), Arg::Bytes(&digest), Arg::Int(after)]).await?;
            tx.execute("DELETE FROM fact_keys WHERE fact_id = $1", &[Arg::Int(after)]).await?;
            let found_by = left.keys();
            let found_by = found_by.iter().map(|key| Cell::Bytes(lookup_key(keys, key).to_vec()));
            let found_by: Vec<Row> = found_by.map(|key| Row(vec![key, Cell::Int(after)])).collect();
            tx.conn().insert_rows(&FACT_KEYS, &found_by).await?;
        }
        if (rows.len() as i64) < VERSIONS_AT_ONCE {
            return Ok(());
        }
    }
}

impl Store {
    /// Keeps how a payment was settled, with its entry. Refused when what it rests on has changed since it was looked up.
    #[boxed]
    pub async fn keep_settlement(
        &self,
        gathered: &Gathered,
        settlement: &Settlement,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        self.authorize(by, Deed::Import, now).await?;
        let mut codes: Vec<&str> = settlement.findings.iter().map(|finding| finding.code.name()).collect();
        codes.sort_unstable();
        codes.dedup();
        let mut entry = Draft::new(Act::PaymentSettle, by);
        entry.count("bills", signed(settlement.shares.len() as u64)?);
        entry.count("suggested", signed(settlement.suggested.len() as u64)?);
        entry.list("codes", codes);
        entry.hide("settlement", Digest::of_value(&serde_json::json!(settlement)).to_string());
        let fact = Fact::Settlement(Box::new(settlement.clone()));
        tried(ApplyError::crossed, || self.keep_once(gathered, &fact, entry.clone(), by, now)).await?;
        self.bell.notify_one();
        Ok(())
    }

    async fn keep_once(
        &self,
        gathered: &Gathered,
        settlement: &Fact,
        mut entry: Draft,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        let mut tx = self.db.begin().await?;
        self.use_facts(&mut tx, gathered).await?;
        let done = self.write_imported(&mut tx, std::slice::from_ref(settlement), by, now).await?;
        if done.same == 0 {
            entry.count("settlements", signed(done.written())?);
            self.write_entry(&mut tx, entry, now).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Payments that settle nothing yet, or about which a case is still to be told, the newest first: some of those before this
    /// place, and the place that the next of them are before, if there are any. What is kept meanwhile stands in new places.
    #[boxed]
    pub async fn unsettled(&self, before: Option<i64>) -> Result<(Vec<(Payment, Settlement)>, Option<i64>), Error> {
        let key = Key::unsettled();
        let (lookup_key, before) = (self.lookup_key(&key), before.unwrap_or(i64::MAX));
        let args = [Arg::Bytes(&lookup_key), Arg::Int(before), Arg::Int(PAYMENTS_AT_ONCE)];
        let rows = self.db.rows(UNSETTLED, &args).await?;
        let mut settlements = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Fact::Settlement(settlement) = self.stated_under(&key, row)?.fact {
                settlements.push(*settlement);
            }
        }
        let full = rows.len() as i64 == PAYMENTS_AT_ONCE;
        let next = rows.last().filter(|_| full).map(|row| row.int(1)).transpose()?;
        Ok((self.with_payments(settlements).await?, next))
    }

    async fn with_payments(&self, settlements: Vec<Settlement>) -> Result<Vec<(Payment, Settlement)>, Error> {
        let keys: Vec<Key> = settlements.iter().map(|it| Key::payment(&it.payment_id)).collect();
        let found = self.found_under(&keys, STILL - 1, "").await?;
        let payments = found.into_iter().map(|(_, found)| {
            found.facts.into_iter().find_map(|it| match it.fact {
                Fact::Payment(payment) => Some(payment),
                _ => None,
            })
        });
        Ok(payments.zip(settlements).filter_map(|(payment, settlement)| Some((payment?, settlement))).collect())
    }

    /// Payments that settle something of this case, or may be for it, the oldest first. Of an erased one nobody knows any.
    #[boxed]
    pub async fn payments_of(&self, case: &Case) -> Result<Vec<PaidFor>, Error> {
        if case.state == State::Erased {
            return Ok(Vec::new());
        }
        let stated = self.facts_by_key(&Key::settled_of(case.id), None).await?.into_iter();
        let settlements = stated.filter_map(|it| if let Fact::Settlement(it) = it.fact { Some(*it) } else { None });
        let mut paid = Vec::new();
        for (payment, settlement) in self.with_payments(settlements.collect()).await? {
            let employee = match &payment.iban {
                Some(iban) => self.employee_at(iban).await?,
                None => None,
            };
            paid.push(PaidFor::of(payment, &settlement, case.id, employee));
        }
        paid.sort_by(|one, other| {
            (one.payment.date, &one.payment.payment_id).cmp(&(other.payment.date, &other.payment.payment_id))
        });
        Ok(paid)
    }

    /// The employee who is paid to this account.
    #[boxed]
    pub async fn employee_at(&self, iban: &str) -> Result<Option<String>, Error> {
        let mut stated = self.facts_by_key(&Key::iban(iban), None).await?.into_iter();
        Ok(stated.find_map(|it| if let Fact::Employee(it) = it.fact { Some(it.employee_id) } else { None }))
    }
}
