//! Trying a policy on what was judged before: nothing that is in force or at rest is touched.

use audit::Act;
use case::{Actor, CaseId, Deed, Policy, Replayed, Replays, Timestamp, Turn, replay};
use jiff::civil::Date;
use serde::Serialize;
use tokio::task::JoinSet;
use tracing::warn;

use crate::cases::case_id;
use crate::db::{Arg, Row};
use crate::disposal::start_of;
use crate::log::{Draft, signed};
use crate::{Error, Period, Store, boxed, causes};

/// A case that another policy would have sent another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flip {
    pub case: CaseId,
    pub turn: Turn,
    #[serde(flatten)]
    pub replayed: Replayed,
}

const ROWS_AT_ONCE: i64 = 500;
/// Flips that are kept to be shown; all of them are counted.
pub const FLIPS_MAX: usize = 10_000;

impl Store {
    /// What the cases that arrived on these days, both included, would have come to under `policy`, and which of them it would
    /// have sent another way, in the order of their arrival. One that does not open cannot be replayed, and is counted as such;
    /// an auditor with a scope is refused what is not within it. `progress` is told how many are done, of how many.
    #[boxed]
    pub async fn replay(
        &self,
        policy: &Policy,
        from: Date,
        to: Date,
        by: &Actor,
        now: Timestamp,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<(Replays, Vec<Flip>), Error> {
        self.authorize(by, Deed::TryPolicy, now).await?;
        self.within_scope(Period { from, to }, by, Deed::TryPolicy, now).await?;
        let end = to.tomorrow().map_or(i64::MAX, start_of);
        let (from_at, until) = (Arg::Int(start_of(from)), Arg::Int(end));
        let count = "SELECT COUNT(*) FROM cases WHERE $1 <= received_at AND received_at < $2";
        let all = self.db.row(count, &[from_at, until]).await?;
        let all = all.map(|row| row.int(0)).transpose()?.unwrap_or(0).unsigned_abs();
        let (mut sum, mut flips, mut done, mut last) = (Replays::default(), Vec::new(), 0, String::new());
        let mut lots = JoinSet::new();
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        let mut more = true;
        while more || !lots.is_empty() {
            while more && lots.len() < at_once {
                let sql = "SELECT case_id, cases.body, record_keys.body FROM cases
                           LEFT JOIN record_keys ON record_keys.owner = case_id
                           WHERE $1 <= received_at AND received_at < $2 AND $3 < case_id ORDER BY case_id LIMIT $4";
                let rows = self.db.rows(sql, &[from_at, until, Arg::Text(&last), Arg::Int(ROWS_AT_ONCE)]).await?;
                match rows.last() {
                    None => more = false,
                    Some(row) => {
                        row.text(0)?.clone_into(&mut last);
                        let (store, policy) = (self.clone(), policy.clone());
                        lots.spawn_blocking(move || (rows.len() as u64, store.replayed(&rows, &policy)));
                    }
                }
            }
            let Some(lot) = lots.join_next().await else { continue };
            let (n, lot) = lot?;
            let (replays, flipped) = lot?;
            sum.join(&replays);
            flips.extend(flipped);
            if FLIPS_MAX < flips.len() {
                flips.sort_unstable_by_key(|flip: &Flip| flip.case);
                flips.truncate(FLIPS_MAX);
            }
            done += n;
            progress(done, all.max(done));
        }
        flips.sort_unstable_by_key(|flip| flip.case);
        let mut entry = Draft::new(Act::PolicyReplay, by);
        entry.tell("policy", policy.digest.to_string());
        entry.tell("from", from.to_string());
        entry.tell("to", to.to_string());
        entry.count("cases", signed(done)?);
        self.enter(entry, now).await?;
        Ok((sum, flips))
    }

    fn replayed(&self, rows: &[Row], policy: &Policy) -> Result<(Replays, Vec<Flip>), Error> {
        let (mut sum, mut flips) = (Replays::default(), Vec::new());
        for row in rows {
            let id = row.text(0)?;
            let case = match self.open_case(id, row.bytes(1)?, row.maybe_bytes(2)?) {
                Ok(case) => case,
                Err(err) => {
                    warn!(case.id = id, "Case `{id}` does not open and is not replayed: {}", causes(&err));
                    sum.add(None);
                    continue;
                }
            };
            let replayed = replay(&case, policy);
            sum.add(replayed.as_ref());
            if let Some(replayed) = replayed.filter(|it| it.turn() != Turn::Same) {
                flips.push(Flip { case: case_id(row, 0)?, turn: replayed.turn(), replayed });
            }
        }
        Ok((sum, flips))
    }
}
