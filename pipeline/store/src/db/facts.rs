//! Queries about facts, whose number of keys is not known beforehand. Every text holds places and numbers alone.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AssertSqlSafe;

use super::{Arg, Conn, Db, Row, postgres_many, sqlite_many};
use crate::Error;

/// Keys in one query.
const KEYS_AT_ONCE: usize = 32;
const ROWS_AT_ONCE: usize = 500;

/// As `run!` of the room, for a text that is made here.
macro_rules! run_made {
    ($sql:expr, $args:expr, $method:ident, $on:expr, $many:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql));
        for arg in $args {
            query = match *arg {
                Arg::Int(number) => query.bind(number),
                Arg::Text(text) => query.bind(text),
                Arg::Bytes(bytes) => query.bind(bytes),
                many => $many(query, many),
            };
        }
        query.$method($on).await
    }};
}

/// `$2, $3, $4`
fn places(first: usize, n: usize) -> String {
    (first..first + n).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
}

impl Db {
    /// The facts under each key, at most one more than it says, the newest first, as they were known then; without those of
    /// this case.
    pub(crate) async fn look_up(&self, keys: &[([u8; 32], i64)], at: i64, without: &str) -> Result<Vec<Row>, Error> {
        const NONE: ([u8; 32], i64) = ([0; 32], -1);
        let mut found = Vec::new();
        for keys in keys.chunks(KEYS_AT_ONCE) {
            // Few different texts, so that the database plans each once.
            let n = keys.len().next_power_of_two();
            let term = |n: usize| {
                format!(
                    "SELECT * FROM (SELECT k.lookup_key, f.fact_id, f.kind, f.fact_key, f.case_id, f.known_by, f.known_from,
                            f.body AS said, r.body AS record
                     FROM fact_keys k JOIN facts f ON f.fact_id = k.fact_id LEFT JOIN record_keys r ON r.owner = f.case_id
                     WHERE k.lookup_key = ${} AND f.known_from <= $1 AND $1 < f.known_to AND (f.case_id IS NULL OR f.case_id <> $2)
                     ORDER BY k.fact_id DESC LIMIT ${}) AS t{n}",
                    3 + 2 * n,
                    4 + 2 * n
                )
            };
            let sql = (0..n).map(term).collect::<Vec<_>>().join(" UNION ALL ");
            let mut args = vec![Arg::Int(at), Arg::Text(without)];
            for (key, max) in keys.iter().chain(std::iter::repeat_n(&NONE, n - keys.len())) {
                args.extend([Arg::Bytes(key), Arg::Int(max + 1)]);
            }
            found.extend(self.rows_made(sql, &args).await?);
        }
        Ok(found)
    }

    /// Versions of ledgers; 0 of one that nothing was written under.
    pub(crate) async fn versions(&self, ledgers: &[i64]) -> Result<BTreeMap<i64, i64>, Error> {
        let mut versions: BTreeMap<i64, i64> = ledgers.iter().map(|ledger| (*ledger, 0)).collect();
        for ledgers in ledgers.chunks(ROWS_AT_ONCE) {
            let sql = format!("SELECT ledger, version FROM ledgers WHERE ledger IN ({})", places(1, ledgers.len()));
            let args: Vec<Arg<'_>> = ledgers.iter().map(|ledger| Arg::Int(*ledger)).collect();
            for row in self.rows_made(sql, &args).await? {
                versions.insert(row.int(0)?, row.int(1)?);
            }
        }
        Ok(versions)
    }

    async fn rows_made(&self, sql: String, args: &[Arg<'_>]) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Db::Sqlite { read, .. } => {
                let rows = run_made!(sql, args, fetch_all, read, sqlite_many)?;
                rows.iter().map(Row::sqlite).collect::<Result<_, _>>()?
            }
            Db::Postgres(pool) => {
                let rows = run_made!(sql, args, fetch_all, pool, postgres_many)?;
                rows.iter().map(Row::postgres).collect::<Result<_, _>>()?
            }
        })
    }
}

impl Conn<'_> {
    /// As [`Db::versions`], and nobody counts one of them on until this is committed.
    pub(crate) async fn versions_held(&mut self, ledgers: &[i64]) -> Result<BTreeMap<i64, i64>, Error> {
        let mut versions = BTreeMap::new();
        for ledgers in ledgers.chunks(ROWS_AT_ONCE) {
            let values = (1..=ledgers.len()).map(|place| format!("(${place}, 0)")).collect::<Vec<_>>().join(", ");
            // A row that is not there cannot be held.
            let fill = format!("INSERT INTO ledgers (ledger, version) VALUES {values} ON CONFLICT (ledger) DO NOTHING");
            let hold = if matches!(self, Conn::Postgres(_)) { " FOR SHARE" } else { "" };
            let list = places(1, ledgers.len());
            let read = format!("SELECT ledger, version FROM ledgers WHERE ledger IN ({list}) ORDER BY ledger{hold}");
            let args: Vec<Arg<'_>> = ledgers.iter().map(|ledger| Arg::Int(*ledger)).collect();
            let mut rows = self.rows_made(read.clone(), &args).await?;
            if rows.len() < ledgers.len() {
                self.execute_made(fill, &args).await?;
                rows = self.rows_made(read, &args).await?;
            }
            for row in rows {
                versions.insert(row.int(0)?, row.int(1)?);
            }
        }
        Ok(versions)
    }

    /// Counts ledgers on, those that are still at the version named; gives back how many were. In the order of the ledgers, so
    /// that of two who count the same ones on the one waits for the other.
    pub(crate) async fn count_on_from(&mut self, ledgers: &[(i64, i64)]) -> Result<u64, Error> {
        let mut counted = 0;
        for ledgers in ledgers.chunks(ROWS_AT_ONCE) {
            let values = (0..ledgers.len()).map(|n| format!("(${}, ${})", 2 * n + 1, 2 * n + 2));
            let sql = format!(
                "INSERT INTO ledgers (ledger, version) VALUES {} ON CONFLICT (ledger) DO UPDATE SET version = excluded.version
                 WHERE ledgers.version = excluded.version - 1",
                values.collect::<Vec<_>>().join(", ")
            );
            let args: Vec<Arg<'_>> =
                ledgers.iter().flat_map(|(ledger, version)| [Arg::Int(*ledger), Arg::Int(version + 1)]).collect();
            counted += self.execute_made(sql, &args).await?;
        }
        Ok(counted)
    }

    /// Counts ledgers on, whatever version they are at.
    pub(crate) async fn count_on(&mut self, ledgers: &[i64]) -> Result<(), Error> {
        for ledgers in ledgers.chunks(ROWS_AT_ONCE) {
            let values = (1..=ledgers.len()).map(|place| format!("(${place}, 1)")).collect::<Vec<_>>().join(", ");
            let sql = format!(
                "INSERT INTO ledgers (ledger, version) VALUES {values}
                 ON CONFLICT (ledger) DO UPDATE SET version = ledgers.version + 1"
            );
            let args: Vec<Arg<'_>> = ledgers.iter().map(|ledger| Arg::Int(*ledger)).collect();
            self.execute_made(sql, &args).await?;
        }
        Ok(())
    }

    /// The versions that are known of these facts: fact key, id, digest, since when.
    pub(crate) async fn known_versions(&mut self, keys: &[&[u8]]) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        for keys in keys.chunks(ROWS_AT_ONCE) {
            let sql = format!(
                "SELECT fact_key, fact_id, digest_key, known_from FROM facts WHERE known_to = 9223372036854775807 AND fact_key IN ({})",
                places(1, keys.len())
            );
            let args: Vec<Arg<'_>> = keys.iter().map(|key| Arg::Bytes(key)).collect();
            rows.extend(self.rows_made(sql, &args).await?);
        }
        Ok(rows)
    }

    /// The keys that these facts are looked up by.
    pub(crate) async fn closed_keys(&mut self, facts: &[i64]) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        for facts in facts.chunks(ROWS_AT_ONCE) {
            let list = places(1, facts.len());
            let sql = format!("SELECT DISTINCT lookup_key FROM fact_keys WHERE fact_id IN ({list})");
            let args: Vec<Arg<'_>> = facts.iter().map(|fact| Arg::Int(*fact)).collect();
            rows.extend(self.rows_made(sql, &args).await?);
        }
        Ok(rows)
    }

    /// They are known no more from then on.
    pub(crate) async fn close_facts(&mut self, facts: &[i64], at: i64) -> Result<(), Error> {
        for facts in facts.chunks(ROWS_AT_ONCE) {
            let sql = format!("UPDATE facts SET known_to = $1 WHERE fact_id IN ({})", places(2, facts.len()));
            let args: Vec<Arg<'_>> =
                std::iter::once(Arg::Int(at)).chain(facts.iter().map(|fact| Arg::Int(*fact))).collect();
            self.execute_made(sql, &args).await?;
        }
        Ok(())
    }

    /// Numbers for so many new facts, each larger than all before it.
    pub(crate) async fn next_fact_ids(&mut self, n: usize) -> Result<Vec<i64>, Error> {
        if n == 0 {
            return Ok(Vec::new());
        }
        let n = n as i64;
        // One writes at a time on SQLite; AUTOINCREMENT never gives a number twice, whatever is deleted.
        const LAST: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'facts'";
        const NEXT: &str = "SELECT nextval(pg_get_serial_sequence('facts', 'fact_id')) FROM generate_series(1, $1)";
        match self {
            Conn::Sqlite(_) => {
                let last = self.row(LAST, &[]).await?.map(|row| row.int(0)).transpose()?.unwrap_or(0);
                Ok((last + 1..=last + n).collect())
            }
            Conn::Postgres(_) => self.rows(NEXT, &[Arg::Int(n)]).await?.iter().map(|row| row.int(0)).collect(),
        }
    }

    /// Since when the newest bill is known of the cases in review that wait for something under these keys.
    pub(crate) async fn last_of_waiting(&mut self, keys: &BTreeSet<&[u8]>) -> Result<Option<i64>, Error> {
        let mut last = None;
        if self.row("SELECT 1 FROM waiting LIMIT 1", &[]).await?.is_none() {
            return Ok(last);
        }
        let keys: Vec<&[u8]> = keys.iter().copied().collect();
        for keys in keys.chunks(ROWS_AT_ONCE) {
            let sql = format!(
                "SELECT MAX(f.known_from) FROM waiting w JOIN facts f ON f.case_id = w.case_id
                 WHERE f.known_to = 9223372036854775807 AND w.lookup_key IN ({})",
                places(1, keys.len())
            );
            let args: Vec<Arg<'_>> = keys.iter().map(|key| Arg::Bytes(key)).collect();
            for row in self.rows_made(sql, &args).await? {
                last = last.max(row.maybe_int(0)?);
            }
        }
        Ok(last)
    }

    /// Wakes the cases that wait for something that these facts are looked up by.
    pub(crate) async fn wake(&mut self, facts: &[i64], at: i64) -> Result<(), Error> {
        if self.row("SELECT 1 FROM waiting LIMIT 1", &[]).await?.is_none() {
            return Ok(());
        }
        for facts in facts.chunks(ROWS_AT_ONCE) {
            let sql = format!(
                "INSERT INTO woken (case_id, woken_at)
                 SELECT DISTINCT w.case_id, CAST($1 AS BIGINT) AS woken_at FROM waiting w
                 JOIN fact_keys k ON k.lookup_key = w.lookup_key JOIN facts f ON f.fact_id = k.fact_id
                 WHERE k.fact_id IN ({}) AND (f.case_id IS NULL OR f.case_id <> w.case_id) ORDER BY w.case_id ON CONFLICT (case_id) DO UPDATE SET woken_at = woken.woken_at + 1",
                places(2, facts.len())
            );
            let args: Vec<Arg<'_>> =
                std::iter::once(Arg::Int(at)).chain(facts.iter().map(|fact| Arg::Int(*fact))).collect();
            self.execute_made(sql, &args).await?;
        }
        Ok(())
    }

    pub(crate) async fn insert_waiting(&mut self, case: &str, keys: &BTreeSet<[u8; 32]>) -> Result<(), Error> {
        let keys: Vec<&[u8; 32]> = keys.iter().collect();
        for keys in keys.chunks(ROWS_AT_ONCE) {
            let values = (2..2 + keys.len()).map(|place| format!("(${place}, $1)")).collect::<Vec<_>>().join(", ");
            let sql = format!("INSERT INTO waiting (lookup_key, case_id) VALUES {values}");
            let args: Vec<Arg<'_>> =
                std::iter::once(Arg::Text(case)).chain(keys.iter().map(|key| Arg::Bytes(*key))).collect();
            self.execute_made(sql, &args).await?;
        }
        Ok(())
    }

    async fn rows_made(&mut self, sql: String, args: &[Arg<'_>]) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Conn::Sqlite(on) => {
                let rows = run_made!(sql, args, fetch_all, &mut **on, sqlite_many)?;
                rows.iter().map(Row::sqlite).collect::<Result<_, _>>()?
            }
            Conn::Postgres(on) => {
                let rows = run_made!(sql, args, fetch_all, &mut **on, postgres_many)?;
                rows.iter().map(Row::postgres).collect::<Result<_, _>>()?
            }
        })
    }

    async fn execute_made(&mut self, sql: String, args: &[Arg<'_>]) -> Result<u64, Error> {
        Ok(match self {
            Conn::Sqlite(on) => run_made!(sql, args, execute, &mut **on, sqlite_many)?.rows_affected(),
            Conn::Postgres(on) => run_made!(sql, args, execute, &mut **on, postgres_many)?.rows_affected(),
        })
    }
}
