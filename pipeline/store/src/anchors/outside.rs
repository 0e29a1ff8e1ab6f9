//! How much of the log is vouched for outside the house, and since when.

use audit::WitnessKey;
use case::Timestamp;

use super::{TIMESTAMP, WITNESS};
use crate::db::Arg;
use crate::{Error, Store, boxed};

/// Cosignatures looked at for one answer: those of some days, when a head is cosigned every minute.
const PAGES_MAX: usize = 40;
/// More than there are witnesses on one head.
const ROWS_AT_ONCE: usize = 500;

/// Whose word counts: a head is witnessed when so many of these witnesses cosigned it.
#[derive(Clone, Debug, Default)]
pub struct Quorum {
    pub witnesses: Vec<WitnessKey>,
    pub needed: usize,
}

/// A head that others vouch for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Entries that it covers.
    pub size: u64,
    /// When their word was kept here.
    pub at: Timestamp,
}

/// What is vouched for outside the house, of the newest log.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// The longest head that enough witnesses cosigned.
    pub witnessed: Option<Anchor>,
    /// Each witness by name, in the order given, with what it cosigned last, of this log or of one before.
    pub witnesses: Vec<(String, Option<Anchor>)>,
    /// The longest head with a time stamp.
    pub stamped: Option<Anchor>,
    /// Why nothing may be entered any more.
    pub stopped: Option<String>,
    /// When the first head was signed, which is since when there is something to vouch for.
    first_head_at: Option<Timestamp>,
}

impl Outside {
    /// For how long no head was witnessed, in microseconds; None where there is none to be witnessed.
    #[must_use]
    pub fn unwitnessed_micros(&self, now: Timestamp) -> Option<i64> {
        let since = self.witnessed.map(|anchor| anchor.at).or(self.first_head_at)?;
        Some((now.0 - since.0).max(0))
    }
}

impl Store {
    /// How much of the log others vouch for.
    #[boxed]
    pub async fn outside(&self, quorum: &Quorum) -> Result<Outside, Error> {
        let stopped = self.log_refusal.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let mut outside = Outside { stopped, ..Outside::default() };
        for witness in &quorum.witnesses {
            let sql = "SELECT size, anchored_at FROM log_anchors WHERE kind = $1 AND source = $2
                       ORDER BY log DESC, size DESC LIMIT 1";
            let row = self.db.row(sql, &[Arg::Text(WITNESS), Arg::Text(witness.name())]).await?;
            let last = row.map(|row| anchor(row.int(0)?, row.int(1)?)).transpose()?;
            outside.witnesses.push((witness.name().to_owned(), last));
        }
        let sql =
            "SELECT log, signed_at FROM log_heads WHERE log = (SELECT MAX(log) FROM log_heads) ORDER BY size LIMIT 1";
        let Some(first) = self.db.row(sql, &[]).await? else { return Ok(outside) };
        let log = first.int(0)?;
        outside.first_head_at = Some(Timestamp(first.int(1)?));
        outside.witnessed = self.witnessed(log, quorum).await?;
        outside.stamped = self.stamped(log).await?;
        Ok(outside)
    }

    /// The longest head of the newest log that has a time stamp.
    #[boxed]
    pub async fn last_timestamp(&self) -> Result<Option<Anchor>, Error> {
        match self.db.row("SELECT log FROM log_heads ORDER BY log DESC LIMIT 1", &[]).await? {
            Some(row) => self.stamped(row.int(0)?).await,
            None => Ok(None),
        }
    }

    async fn stamped(&self, log: i64) -> Result<Option<Anchor>, Error> {
        let sql = "SELECT size, anchored_at FROM log_anchors WHERE log = $1 AND kind = $2 ORDER BY size DESC LIMIT 1";
        let row = self.db.row(sql, &[Arg::Int(log), Arg::Text(TIMESTAMP)]).await?;
        row.map(|row| anchor(row.int(0)?, row.int(1)?)).transpose()
    }

    async fn witnessed(&self, log: i64, quorum: &Quorum) -> Result<Option<Anchor>, Error> {
        if quorum.needed == 0 {
            return Ok(None);
        }
        let sql = "SELECT size, source, anchored_at FROM log_anchors WHERE log = $1 AND kind = $2 AND size <= $3
                   ORDER BY size DESC, anchored_at LIMIT 500";
        let mut until = i64::MAX;
        for _ in 0..PAGES_MAX {
            let rows = self.db.rows(sql, &[Arg::Int(log), Arg::Text(WITNESS), Arg::Int(until)]).await?;
            let (mut size, mut found) = (-1, 0);
            for row in &rows {
                if row.int(0)? != size {
                    (size, found) = (row.int(0)?, 0);
                }
                let name = row.text(1)?;
                found += usize::from(quorum.witnesses.iter().any(|witness| witness.name() == name));
                if found == quorum.needed {
                    return Ok(Some(anchor(size, row.int(2)?)?));
                }
            }
            // The last size may go on behind the page, and is looked at again.
            if rows.len() < ROWS_AT_ONCE || until == size {
                break;
            }
            until = size;
        }
        Ok(None)
    }
}

fn anchor(size: i64, at: i64) -> Result<Anchor, Error> {
    let size = u64::try_from(size).map_err(|_| Error::Row { what: format!("a head of {size} entries is anchored") })?;
    Ok(Anchor { size, at: Timestamp(at) })
}
