//! A report about a period: what was done, by whom, with what result, and what an auditor asks about first.
//!
//! A day is a day in UTC, and an entry belongs to the day on which it was sealed. Counts are of all entries; of each list
//! the first 1,000 are shown.

mod tally;

use std::collections::BTreeMap;
use std::ops::Range;

use audit::{Act, Body, Leaf, Outcome};
use case::{Actor, Deed, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::db::{Arg, Row};
use crate::log::{Draft, shown, signed};
use crate::{Error, Head, Store, boxed};
use tally::Tallied;

const ENTRIES_AT_ONCE: i64 = 1_000;

/// From the beginning of one day to the end of another, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: Date,
    pub to: Date,
}

#[derive(Clone, Debug, Serialize)]
pub struct PeriodReport {
    pub from: Date,
    pub to: Date,
    pub entries: u64,
    /// The logs that the period is in: one, unless a new one was begun.
    pub logs: Vec<LogPart>,
    /// How often each act was done, by whom, with what result.
    pub acts: Vec<Tally>,
    /// Whatever was refused because of who asked, with the deed or the rule, except sign-ins.
    pub denied: Listed<Noted>,
    /// Where a person's decision went another way than the machine's: a case that had findings was approved, one in
    /// review that had none was rejected, what was read was corrected, a quarantined document was released.
    pub overrides: Listed<Noted>,
    /// Policies that came into force or were refused.
    pub policies: Listed<Noted>,
    pub sessions: Sessions,
    /// The log, receipts, samples and originals that left the house.
    pub handed_out: Listed<Noted>,
    /// Looks at a case or a page, without the originals that were taken out.
    pub looks: u64,
    /// New keys, and new logs.
    pub keys: Listed<Noted>,
    pub erasures: Listed<Noted>,
    /// Entries about waiting entries that were refused before sealing: this program had not written them.
    pub refused: Listed<Noted>,
    /// How many waiting entries those tell of.
    pub refused_entries: u64,
    pub silences: Listed<Silence>,
    /// The signed head that covers the entry about this report.
    pub head: Head,
}

/// What of a log lies in the period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogPart {
    pub log: i64,
    pub origin: String,
    pub entries: u64,
    pub first: u64,
    pub last: u64,
    pub first_sealed: String,
    pub last_sealed: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub act: &'static str,
    pub actor: String,
    pub actor_kind: &'static str,
    pub result: &'static str,
    pub entries: u64,
}

/// The first of many, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    pub count: u64,
    pub first: Vec<T>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Noted {
    pub log: i64,
    pub index: u64,
    pub sealed: String,
    pub act: &'static str,
    pub actor: String,
    pub result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What the entry says openly; of an override also the `findings` that it overrode.
    pub said: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sessions {
    /// By method.
    pub opened: BTreeMap<String, u64>,
    pub closed: u64,
    /// Links that sign in once.
    pub links: u64,
    pub failed: Listed<Noted>,
}

/// Longer without an entry than the heartbeat allows, and not after an orderly stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Silence {
    pub log: i64,
    /// The entries before and after.
    pub after: u64,
    pub until: u64,
    pub from: String,
    pub to: String,
    pub seconds: i64,
}

impl Period {
    /// Microseconds since 1970, the end excluded. Refuses a period that ends before it begins.
    pub(crate) fn micros(self) -> Result<Range<i64>, Error> {
        let midnight = |day: Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond());
        let from = midnight(self.from);
        let until = self.to.tomorrow().ok().and_then(midnight);
        match (from, until) {
            (Some(from), Some(until)) if from < until => Ok(from..until),
            _ => {
                let what = format!("a period from {} to {} has no day in it", self.from, self.to);
                Err(Error::Unacceptable { what })
            }
        }
    }
}

impl Store {
    /// Tells what was entered in a period. That it was asked is an entry itself, made first.
    #[boxed]
    pub async fn report(&self, period: Period, by: &Actor, now: Timestamp) -> Result<PeriodReport, Error> {
        self.authorize(by, Deed::ReadLog, now).await?;
        let times = period.micros()?;
        self.seal_log(now).await?;
        let mut entry = Draft::new(Act::LogReport, by);
        entry.tell("from", period.from.to_string());
        entry.tell("to", period.to.to_string());
        entry.count("size", signed(self.tail().await?.size())?);
        let own = self.enter_all(vec![entry], now).await?;
        if let [own] = own.as_slice() {
            self.placed(own, now).await?;
        }
        self.sign_log(now).await?;
        let head = self.head().await?.ok_or_else(|| Error::Row { what: "the log has no head".to_owned() })?;

        let mut tallied = Tallied::default();
        for row in self.db.rows("SELECT log, origin, size FROM log_tail ORDER BY log", &[]).await? {
            self.report_log(row.int(0)?, row.text(1)?, row.int(2)?, &times, &mut tallied).await?;
        }
        Ok(tallied.report(period, head))
    }

    async fn report_log(
        &self,
        log: i64,
        origin: &str,
        size: i64,
        times: &Range<i64>,
        tallied: &mut Tallied,
    ) -> Result<(), Error> {
        let places = self.sealed_within(log, size, times).await?;
        // The entry before the period and the one after it tell how long it was silent at its ends.
        let mut before = None;
        let mut from = places.start.saturating_sub(1).max(0);
        let end = (places.end + 1).min(size);
        while from < end {
            let to = (from + ENTRIES_AT_ONCE).min(end);
            for row in self.leaves(log, from..to).await? {
                let (position, leaf) = (row.int(0)?, Leaf::parse(row.bytes(1)?)?);
                let body = Body::parse(leaf.body)?;
                tallied.silence(log, &leaf, before.replace((leaf.sealed_at, body.act)));
                if places.contains(&position) {
                    let findings = match overrides(&body) {
                        Some(wanted) => self.findings_before(log, position, &body, wanted).await?,
                        None => None,
                    };
                    tallied.take(log, origin, &leaf, body, findings);
                }
            }
            from = to;
        }
        Ok(())
    }

    /// The places in a log of `size` entries that were sealed within `times`.
    pub(crate) async fn sealed_within(&self, log: i64, size: i64, times: &Range<i64>) -> Result<Range<i64>, Error> {
        Ok(self.first_sealed(log, size, times.start).await?..self.first_sealed(log, size, times.end).await?)
    }

    /// The first place that was sealed at `time` or later; `size` if none was. INVARIANT (`sealed` never decreases).
    async fn first_sealed(&self, log: i64, size: i64, time: i64) -> Result<i64, Error> {
        let (mut low, mut high) = (0, size);
        while low < high {
            let middle = low + (high - low) / 2;
            let rows = self.leaves(log, middle..middle + 1).await?;
            let row = rows.first().ok_or_else(|| Error::Row { what: format!("entry {middle} is not there") })?;
            if Leaf::parse(row.bytes(1)?)?.sealed_at < time { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// Position and bytes of the entries at these places, all of them.
    pub(crate) async fn leaves(&self, log: i64, places: Range<i64>) -> Result<Vec<Row>, Error> {
        let sql = "SELECT position, leaf FROM log_entries WHERE log = $1 AND $2 <= position AND position < $3
                   ORDER BY position";
        let rows = self.db.rows(sql, &[Arg::Int(log), Arg::Int(places.start), Arg::Int(places.end)]).await?;
        if i64::try_from(rows.len()).ok() != Some(places.end - places.start) {
            let what = format!("of the entries {} to {} some are not there", places.start, places.end - 1);
            return Err(Error::Row { what });
        }
        Ok(rows)
    }

    /// The findings that a case had when it was decided, if the decision overrode what the machine had found.
    async fn findings_before(
        &self,
        log: i64,
        position: i64,
        body: &Body,
        wanted: Wanted,
    ) -> Result<Option<String>, Error> {
        const LINKS_AT_ONCE: i64 = 20;
        let Some(object) = &body.obj else { return Ok(None) };
        let mut before = (log, position);
        let codes = 'looked: loop {
            let rows = self
                .db
                .rows(
                    "SELECT log, position, leaf FROM log_entries
                     WHERE object = $1 AND (log < $2 OR (log = $2 AND position < $3))
                     ORDER BY log DESC, position DESC LIMIT $4",
                    &[Arg::Text(&object.id), Arg::Int(before.0), Arg::Int(before.1), Arg::Int(LINKS_AT_ONCE)],
                )
                .await?;
            let Some(last) = rows.last() else { break String::new() };
            before = (last.int(0)?, last.int(1)?);
            for row in &rows {
                let body = Body::parse(Leaf::parse(row.bytes(2)?)?.body)?;
                // The comparison lists what the document's own check found, too.
                if matches!(body.act, Act::CaseReconcile | Act::CaseValidate) {
                    break 'looked body.d.get("codes").map(shown).unwrap_or_default();
                }
            }
        };
        Ok(match wanted {
            Wanted::Any => Some(codes),
            Wanted::Some => Some(codes).filter(|codes| !codes.is_empty()),
            Wanted::None => Some(codes).filter(String::is_empty),
        })
    }
}

/// Which findings make a decision an override.
#[derive(Clone, Copy)]
enum Wanted {
    Any,
    Some,
    None,
}

fn overrides(body: &Body) -> Option<Wanted> {
    match (body.res, body.act) {
        (Outcome::Ok, Act::ReviewApprove) => Some(Wanted::Some),
        (Outcome::Ok, Act::ReviewReject) if body.from.as_deref() == Some("InReview") => Some(Wanted::None),
        (Outcome::Ok, Act::ReviewCorrect | Act::ReviewRelease) => Some(Wanted::Any),
        _ => None,
    }
}
