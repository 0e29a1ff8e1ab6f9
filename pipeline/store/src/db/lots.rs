//! Tables as a whole: rows out in lots and in again, on either database, for a snapshot of everything.

use futures_util::TryStreamExt;
use sqlx::AssertSqlSafe;
use tokio::sync::mpsc::Sender;

use super::{Cell, Conn, Row};
use crate::Error;
use crate::backup::tables::{Kind, Table};

/// A lot is sent when it has so many bytes, or rows.
const LOT_BYTES: usize = 1 << 20;
const LOT_ROWS: usize = 1_000;
/// A statement with more would have more arguments than SQLite takes, 32,766 of them, were the tables twice as wide.
const ROWS_AT_ONCE: usize = 500;

/// Sends on what a query gives, a lot at a time. The whole answer is never in memory.
macro_rules! send_lots {
    ($on:expr, $sql:expr, $row:path, $to:expr, $wrap:expr) => {{
        let mut rows = sqlx::query(AssertSqlSafe($sql)).fetch($on);
        let (mut lot, mut size) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await? {
            let row = $row(&row)?;
            size += row.size();
            lot.push(row);
            if LOT_BYTES <= size || LOT_ROWS <= lot.len() {
                size = 0;
                if $to.send($wrap(std::mem::take(&mut lot))).await.is_err() {
                    return Err(gone());
                }
            }
        }
        if !lot.is_empty() && $to.send($wrap(lot)).await.is_err() {
            return Err(gone());
        }
    }};
}

macro_rules! insert_lot {
    ($on:expr, $sql:expr, $table:expr, $rows:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql));
        for row in $rows {
            for (cell, (_, kind)) in row.0.iter().zip($table.columns) {
                query = match (cell, kind) {
                    (Cell::Int(number), _) => query.bind(*number),
                    (Cell::Text(text), _) => query.bind(text.as_str()),
                    (Cell::Bytes(bytes), _) => query.bind(bytes.as_slice()),
                    (Cell::Null, Kind::Int) => query.bind(None::<i64>),
                    (Cell::Null, Kind::Text) => query.bind(None::<&str>),
                    (Cell::Null, Kind::Bytes) => query.bind(None::<&[u8]>),
                };
            }
        }
        query.execute($on).await?;
    }};
}

impl Conn<'_> {
    /// Sends every row that `sql` gives to `to`. An error when nobody receives any more.
    pub(crate) async fn send_rows<T>(
        &mut self,
        sql: String,
        to: &Sender<T>,
        mut wrap: impl FnMut(Vec<Row>) -> T,
    ) -> Result<(), Error> {
        match self {
            Conn::Sqlite(on) => send_lots!(&mut **on, sql, Row::sqlite, to, wrap),
            Conn::Postgres(on) => send_lots!(&mut **on, sql, Row::postgres, to, wrap),
        }
        Ok(())
    }

    /// Puts rows with all columns of a table, in their order, into it.
    pub(crate) async fn insert_rows(&mut self, table: &Table, rows: &[Row]) -> Result<(), Error> {
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let sql = table.insert(rows.len());
            match self {
                Conn::Sqlite(on) => insert_lot!(&mut **on, sql, table, rows),
                Conn::Postgres(on) => insert_lot!(&mut **on, sql, table, rows),
            }
        }
        Ok(())
    }

    pub(crate) async fn count_rows(&mut self, table: &str) -> Result<u64, Error> {
        let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let n: i64 = match self {
            Conn::Sqlite(on) => sqlx::query_scalar(sql).fetch_one(&mut **on).await?,
            Conn::Postgres(on) => sqlx::query_scalar(sql).fetch_one(&mut **on).await?,
        };
        Ok(n.unsigned_abs())
    }

    /// Takes all entries out of the log, which is append-only for everybody else: only before another log takes its place, in
    /// the same transaction.
    pub(crate) async fn clear_log(&mut self) -> Result<(), Error> {
        match self {
            Conn::Sqlite(on) => {
                let sql = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'log_entries_no_delete'";
                let guard: String = sqlx::query_scalar(sql).fetch_one(&mut **on).await?;
                for sql in ["DROP TRIGGER log_entries_no_delete", "DELETE FROM log_entries", guard.as_str()] {
                    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut **on).await?;
                }
            }
            Conn::Postgres(on) => {
                sqlx::query("TRUNCATE log_entries").execute(&mut **on).await?;
            }
        }
        Ok(())
    }

    /// What waits from here on is counted on from what was refused before, which keeps its numbers, and facts from those that
    /// are there.
    pub(crate) async fn count_from_rows(&mut self) -> Result<(), Error> {
        const SQL: &str = "SELECT setval(pg_get_serial_sequence('log_outbox', 'position'),
                                         1 + (SELECT COALESCE(MAX(position), 0) FROM log_refused), false)";
        const FACTS: &str = "SELECT setval(pg_get_serial_sequence('facts', 'fact_id'),
                                           1 + (SELECT COALESCE(MAX(fact_id), 0) FROM facts), false)";
        if let Conn::Postgres(on) = self {
            sqlx::query(SQL).execute(&mut **on).await?;
            sqlx::query(FACTS).execute(&mut **on).await?;
        }
        Ok(())
    }
}

/// Whoever received them says why.
fn gone() -> Error {
    Error::Row { what: "nobody takes the rows any more".to_owned() }
}

impl Row {
    /// In memory, about.
    fn size(&self) -> usize {
        let size = |cell: &Cell| match cell {
            Cell::Text(text) => text.len(),
            Cell::Bytes(bytes) => bytes.len(),
            Cell::Int(_) | Cell::Null => 8,
        };
        self.0.iter().map(size).sum()
    }
}
