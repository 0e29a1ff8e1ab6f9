//! Lists of cases and their counts, out of the columns that are not sealed.

use case::{CaseId, Kind, Scope, State, Timestamp};
use serde::Serialize;

use crate::cases::case_id;
use crate::db::{Arg, Row as DbRow};
use crate::disposal::start_of;
use crate::{Error, Store, boxed};

/// One line of a list of cases: nothing personal, nothing sealed.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub case: CaseId,
    pub state: State,
    pub kind: Kind,
    pub channel: String,
    pub received_at: Timestamp,
    pub changed_at: Timestamp,
    pub due_at: Option<Timestamp>,
    pub revision: u64,
}

/// Which cases to list.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    pub state: Option<State>,
    pub order: Rank,
    /// At most [`Listing::ROWS_MAX`].
    pub rows_max: u32,
    pub skip: u32,
    /// Only what arrived on these days; see [`Store::authorize_within`].
    pub within: Option<Scope>,
}

impl Listing {
    pub const ROWS_MAX: u32 = 10_000;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// What must be decided first: overdue, then by due time, then by arrival.
    Due,
    Newest,
    Oldest,
}

/// How many cases rest in each state, and how much waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub by_state: Vec<(State, u64)>,
    pub work: u64,
    pub overdue: u64,
    pub arrivals: u64,
    pub duplicates: u64,
}

impl Counts {
    pub fn of(&self, state: State) -> u64 {
        self.by_state.iter().find(|(found, _)| *found == state).map_or(0, |(_, n)| *n)
    }

    /// Cases that a machine is still to move.
    pub fn in_flight(&self) -> u64 {
        State::ALL.into_iter().filter(|state| state.in_flight()).map(|state| self.of(state)).sum()
    }
}

impl Store {
    #[boxed]
    pub async fn list(&self, listing: Listing) -> Result<Vec<Row>, Error> {
        let rows_max = listing.rows_max.min(Listing::ROWS_MAX);
        let state = listing.state.map_or("%", State::name);
        let (from, until) = listing
            .within
            .map_or((i64::MIN, i64::MAX), |it| (start_of(it.from), it.to.tomorrow().map_or(i64::MAX, start_of)));
        let args = [
            Arg::Text(state),
            Arg::Int(rows_max.into()),
            Arg::Int(listing.skip.into()),
            Arg::Int(from),
            Arg::Int(until),
        ];
        let rows = match listing.order {
            Rank::Due => {
                let sql = "SELECT case_id, state, kind, channel, received_at, changed_at, due_at, revision FROM cases
                           WHERE state LIKE $1 AND $4 <= received_at AND received_at < $5 ORDER BY due_at, received_at, case_id LIMIT $2 OFFSET $3";
                self.db.rows(sql, &args).await?
            }
            Rank::Newest => {
                let sql = "SELECT case_id, state, kind, channel, received_at, changed_at, due_at, revision FROM cases
                           WHERE state LIKE $1 AND $4 <= received_at AND received_at < $5 ORDER BY received_at DESC, case_id DESC LIMIT $2 OFFSET $3";
                self.db.rows(sql, &args).await?
            }
            Rank::Oldest => {
                let sql = "SELECT case_id, state, kind, channel, received_at, changed_at, due_at, revision FROM cases
                           WHERE state LIKE $1 AND $4 <= received_at AND received_at < $5 ORDER BY received_at, case_id LIMIT $2 OFFSET $3";
                self.db.rows(sql, &args).await?
            }
        };
        rows.iter().map(listed).collect()
    }

    /// As [`Store::list`], for these, in their order; at most [`Listing::ROWS_MAX`].
    #[boxed]
    pub async fn rows_of(&self, ids: &[CaseId]) -> Result<Vec<Row>, Error> {
        let sql = "SELECT case_id, state, kind, channel, received_at, changed_at, due_at, revision FROM cases
                   WHERE case_id = $1";
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids.iter().take(Listing::ROWS_MAX as usize) {
            rows.extend(self.db.row(sql, &[Arg::Text(&id.to_string())]).await?.as_ref().map(listed).transpose()?);
        }
        Ok(rows)
    }

    /// The case whose id is `text` or ends with it (four characters or more).
    #[boxed]
    pub async fn find(&self, text: &str) -> Result<CaseId, Error> {
        let text = text.trim().to_lowercase();
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        if text.len() < 4 {
            let what = format!("`{text}` is too short for a case's id; give its last four characters or more");
            return Err(Error::Unacceptable { what });
        }
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Err(Error::NoSuchCase { id: text });
        }
        let rows = self
            .db
            .rows("SELECT case_id FROM cases WHERE case_id LIKE $1 LIMIT 3", &[Arg::Text(&format!("%{text}"))])
            .await?;
        match rows.as_slice() {
            [] => Err(Error::NoSuchCase { id: text }),
            [row] => case_id(row, 0),
            more => Err(Error::Ambiguous { text, n: more.len() }),
        }
    }

    #[boxed]
    pub async fn counts(&self, now: Timestamp) -> Result<Counts, Error> {
        let mut counts = Counts::default();
        for row in self.db.rows("SELECT state, COUNT(*) FROM cases GROUP BY state", &[]).await? {
            counts.by_state.push((row.parsed(0, State::named)?, row.int(1)?.unsigned_abs()));
        }
        counts.by_state.sort_unstable();
        let count = async |sql: &'static str, args: &[Arg<'_>]| -> Result<u64, Error> {
            Ok(self.db.row(sql, args).await?.map(|row| row.int(0)).transpose()?.unwrap_or(0).unsigned_abs())
        };
        counts.work = count("SELECT COUNT(*) FROM work", &[]).await?;
        counts.overdue =
            count("SELECT COUNT(*) FROM cases WHERE state = 'InReview' AND due_at < $1", &[Arg::Int(now.0)]).await?;
        counts.arrivals = count("SELECT COUNT(*) FROM arrivals", &[]).await?;
        counts.duplicates = count("SELECT COUNT(*) FROM arrivals WHERE duplicate = 1", &[]).await?;
        Ok(counts)
    }
}

fn listed(row: &DbRow) -> Result<Row, Error> {
    Ok(Row {
        case: case_id(row, 0)?,
        state: row.parsed(1, State::named)?,
        kind: row.parsed(2, kind_named)?,
        channel: row.text(3)?.to_owned(),
        received_at: Timestamp(row.int(4)?),
        changed_at: Timestamp(row.int(5)?),
        due_at: row.maybe_int(6)?.map(Timestamp),
        revision: row.int(7)?.unsigned_abs(),
    })
}

fn kind_named(text: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == text)
}
