//! Finding cases by what they say, without a word of it at rest: each term of a case is kept as a keyed digest.
//!
//! What this leaks to whoever has the database and not the keys: which cases share a term, and how often a term occurs. Not
//! what it is; but where the terms are few and their frequencies known from elsewhere, the commonest can be guessed.

use std::collections::BTreeSet;

use case::{Actor, Case, CaseId, Deed, Timestamp, sought, terms};

use crate::cases::case_id;
use crate::db::{Arg, Tx};
use crate::{Error, Store, boxed};

/// Of the cases that have the rarest word, so many are looked at, the newest.
const CANDIDATES_MAX: i64 = 10_000;

impl Store {
    fn term_key(&self, term: &str) -> [u8; 32] {
        self.keys.blind("term", term)
    }

    pub(crate) fn term_keys(&self, case: &Case) -> BTreeSet<[u8; 32]> {
        terms(case).iter().map(|term| self.term_key(term)).collect()
    }

    pub(crate) async fn write_terms(&self, tx: &mut Tx, case: &Case) -> Result<(), Error> {
        let id = case.id.to_string();
        tx.execute("DELETE FROM case_terms WHERE case_id = $1", &[Arg::Text(&id)]).await?;
        tx.conn().insert_terms(&id, &self.term_keys(case)).await
    }

    /// The cases that say this: a number, order, account or tax id as a whole, or the words of a name, in any order. The newest
    /// first, at most `rows_max`; of words, only among the newest 10,000 cases that have the rarest of them.
    #[boxed]
    pub async fn search(&self, text: &str, by: &Actor, now: Timestamp, rows_max: u32) -> Result<Vec<CaseId>, Error> {
        let within = self.authorize_within(by, Deed::ViewCase, now).await?;
        let Some((whole, words)) = sought(text) else { return Ok(Vec::new()) };
        // Of what somebody with a scope is looking for, the newest may lie outside of it.
        let max = if within.is_some() { CANDIDATES_MAX } else { i64::from(rows_max) };
        let sql = "SELECT case_id FROM case_terms WHERE term_key = $1 ORDER BY case_id DESC LIMIT $2";
        let mut found = BTreeSet::new();
        for row in self.db.rows(sql, &[Arg::Bytes(&self.term_key(&whole)), Arg::Int(max)]).await? {
            found.insert(case_id(&row, 0)?);
        }
        if found.is_empty() && !words.is_empty() {
            found = self.with_all(&words, max).await?;
        }
        let found: Vec<CaseId> = found.into_iter().rev().collect();
        let Some(scope) = within else { return Ok(found) };
        let rows = self.rows_of(&found).await?.into_iter().filter(|row| scope.holds(row.received_at.date()));
        Ok(rows.map(|row| row.case).take(rows_max as usize).collect())
    }

    /// The rarest word names the candidates, and every other word must be theirs too.
    async fn with_all(&self, words: &BTreeSet<String>, max: i64) -> Result<BTreeSet<CaseId>, Error> {
        let keys: Vec<[u8; 32]> = words.iter().map(|word| self.term_key(word)).collect();
        let mut counted = Vec::with_capacity(keys.len());
        for key in &keys {
            let sql = "SELECT COUNT(*) FROM case_terms WHERE term_key = $1";
            let row = self.db.row(sql, &[Arg::Bytes(key)]).await?;
            counted.push((row.map(|row| row.int(0)).transpose()?.unwrap_or(0), key));
        }
        counted.sort_unstable();
        let Some((_, rarest)) = counted.first() else { return Ok(BTreeSet::new()) };
        let (mut found, mut before, mut left) = (BTreeSet::new(), "~".to_owned(), CANDIDATES_MAX);
        while (found.len() as i64) < max && 0 < left {
            let sql =
                "SELECT case_id FROM case_terms WHERE term_key = $1 AND case_id < $2 ORDER BY case_id DESC LIMIT $3";
            let rows = self.db.rows(sql, &[Arg::Bytes(*rarest), Arg::Text(&before), Arg::Int(max.min(left))]).await?;
            let Some(last) = rows.last() else { break };
            before = last.text(0)?.to_owned();
            left -= rows.len() as i64;
            for row in &rows {
                let mut all = true;
                for (_, key) in counted.iter().skip(1) {
                    let sql = "SELECT case_id FROM case_terms WHERE term_key = $1 AND case_id = $2";
                    all = all && self.db.row(sql, &[Arg::Bytes(*key), Arg::Text(row.text(0)?)]).await?.is_some();
                }
                if all && (found.len() as i64) < max {
                    found.insert(case_id(row, 0)?);
                }
            }
        }
        Ok(found)
    }
}
