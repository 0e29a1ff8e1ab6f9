//! What the business knows, compared with itself, with what cases bill, and with how much of it the log says was brought in.

use std::collections::{BTreeMap, BTreeSet};

use case::{Case, Fact, FactKind, Stated};

use super::replay::Replayed;
use super::{CheckReport, ROWS_AT_ONCE};
use crate::db::{Arg, Row, Tx};
use crate::facts::EVERY;
use crate::{Error, Store, causes};

/// Versions that are known before they begin, or beside the next one of the same fact; or, of what was imported, that are known no
/// more although nothing replaced them.
const SPANS_APART: &str = "SELECT fact_id FROM
    (SELECT fact_id, case_id, known_from, known_to,
            LEAD(known_from, 1, 9223372036854775807) OVER (PARTITION BY fact_key ORDER BY fact_id) AS next_from FROM facts) AS spans
    WHERE known_to < known_from OR next_from < known_to OR (case_id IS NULL AND known_to <> next_from)
    ORDER BY fact_id LIMIT $1";

/// At most one more than its own.
const KEYS_OF: &str = "SELECT lookup_key FROM fact_keys WHERE fact_id = $1 LIMIT $2";
const KEYS_OF_MANY: &str = "SELECT fact_id, lookup_key FROM fact_keys WHERE $1 <= fact_id AND fact_id <= $2
                            ORDER BY fact_id LIMIT $3";

/// What a version is to be found by.
type Lookups = BTreeSet<[u8; 32]>;

impl Store {
    /// Facts that do not open in their place, are not what they are compared by, are not found by their keys, or are known at
    /// another time than until they were replaced; and kinds of which there are more or fewer versions than the log knows.
    pub(super) async fn check_facts(
        &self,
        tx: &mut Tx,
        report: &mut CheckReport,
        replayed: &Replayed,
    ) -> Result<(), Error> {
        for row in tx.rows(SPANS_APART, &[Arg::Int(ROWS_AT_ONCE)]).await? {
            let what = "it is not known from its beginning until the next version of it".to_owned();
            report.fault(about(row.int(0)?), what);
        }
        let (mut after, mut there) = (0, BTreeMap::<FactKind, i64>::new());
        loop {
            let rows = tx.rows(EVERY, &[Arg::Int(after), Arg::Int(ROWS_AT_ONCE)]).await?;
            let (Some(first), Some(last)) = (rows.first(), rows.last()) else { break };
            let (first, last) = (first.int(1)?, last.int(1)?);
            let opened = self.open_facts(report, &rows)?;
            self.check_keys(tx, report, first, last, &opened).await?;
            for row in rows.iter().filter(|row| matches!(row.maybe_text(4), Ok(None))) {
                // One that is no kind does not fit what was sealed, and is told by that.
                if let Some(kind) = FactKind::named(row.text(2)?) {
                    *there.entry(kind).or_default() += 1;
                }
            }
            after = last;
        }
        // What was brought in by an entry that the log refused is there all the same.
        let refused = tx.row("SELECT COUNT(*) FROM log_refused", &[]).await?.map(|row| row.int(0)).transpose()?;
        let refused = match refused.unwrap_or_default() {
            0 => String::new(),
            n => format!("; {n} entries that the log refused lie in `log_refused`, and may tell of others"),
        };
        // INVARIANT (what was known stays known): a version has one place, so that one that is taken away cannot be made up for.
        for kind in FactKind::ALL {
            let (is, was) = (there.get(&kind).copied(), replayed.facts.get(kind.name()).copied());
            let (is, was) = (is.unwrap_or_default(), was.unwrap_or_default());
            if is != was {
                let what = format!("by the log {was} versions of them were brought in, and {is} are there{refused}");
                report.fault(format!("imported {}", kind.name()), what);
            }
        }
        Ok(())
    }

    /// Those that open, with what they are to be found by.
    fn open_facts(&self, report: &mut CheckReport, rows: &[Row]) -> Result<Vec<(i64, Lookups)>, Error> {
        let mut opened = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.int(1)?;
            match self.stated(row) {
                Ok(Stated { fact, .. }) => {
                    if self.digest(&fact)? != row.bytes(9)? || fact.kind().name() != row.text(2)? {
                        report.fault(about(id), "its digest or kind is not that of what was sealed".to_owned());
                    }
                    opened.push((id, self.lookups(&fact)));
                }
                Err(err) => report.fault(about(id), causes(&err)),
            }
        }
        Ok(opened)
    }

    /// Asks for the keys of all of them at once, and alone only for those that do not fit.
    async fn check_keys(
        &self,
        tx: &mut Tx,
        report: &mut CheckReport,
        first: i64,
        last: i64,
        opened: &[(i64, Lookups)],
    ) -> Result<(), Error> {
        let n_keys: usize = opened.iter().map(|(_, lookups)| lookups.len()).sum();
        let args = [Arg::Int(first), Arg::Int(last), Arg::Int(n_keys as i64 + 1)];
        let rows = tx.rows(KEYS_OF_MANY, &args).await?;
        let mut found: BTreeMap<i64, BTreeSet<&[u8]>> = BTreeMap::new();
        for row in &rows {
            found.entry(row.int(0)?).or_default().insert(row.bytes(1)?);
        }
        for (id, lookups) in opened {
            let fits = found.get(id).map_or(lookups.is_empty(), |found| *found == slices(lookups));
            // Others may have more keys than their own, so that these were not all.
            if !fits && !keys_agree(tx, *id, lookups).await? {
                report.fault(about(*id), "it is not found under its keys".to_owned());
            }
        }
        Ok(())
    }

    fn lookups(&self, fact: &Fact) -> Lookups {
        fact.keys().iter().map(|key| self.lookup_key(key)).collect()
    }

    /// Is what the case bills known as the case says, under its keys and nothing else?
    pub(super) async fn bill_agrees(&self, tx: &mut Tx, case: &Case) -> Result<bool, Error> {
        let sql = "SELECT fact_key, fact_id, kind, fact_key, facts.case_id, known_by, known_from, facts.body, record_keys.body, digest_key
                   FROM facts LEFT JOIN record_keys ON record_keys.owner = facts.case_id
                   WHERE facts.case_id = $1 AND known_to = 9223372036854775807";
        let rows = tx.rows(sql, &[Arg::Text(&case.id.to_string())]).await?;
        let (row, bill) = match (rows.as_slice(), &case.bill) {
            ([], None) => return Ok(true),
            ([row], Some(bill)) => (row, bill),
            _ => return Ok(false),
        };
        let Ok(Stated { fact, .. }) = self.stated(row) else { return Ok(false) };
        Ok(matches!(&fact, Fact::Bill(found) if **found == *bill)
            && row.bytes(0)? == self.bill_key(case.id)
            && keys_agree(tx, row.int(1)?, &self.lookups(&fact)).await?)
    }
}

async fn keys_agree(tx: &mut Tx, fact: i64, lookups: &Lookups) -> Result<bool, Error> {
    let rows = tx.rows(KEYS_OF, &[Arg::Int(fact), Arg::Int(lookups.len() as i64 + 1)]).await?;
    let found = rows.iter().map(|row| row.bytes(0)).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(found == slices(lookups))
}

fn slices(lookups: &Lookups) -> BTreeSet<&[u8]> {
    lookups.iter().map(<[u8; 32]>::as_slice).collect()
}

fn about(fact: i64) -> String {
    format!("facts/{fact}")
}
