//! The only file that knows which database it is. One text per query; columns are whole numbers, texts and bytes.

mod again;
mod facts;
mod lots;
mod writer;

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{
    Column, ConnectOptions, Connection, PgConnection, Row as _, SqlSafeStr, SqliteConnection, TypeInfo, ValueRef,
};
use tracing::warn;

use crate::log::Waiting;
use crate::records::Rewrapped;
use crate::{Error, Keys, causes};
pub(crate) use again::tried;
use writer::{Turn, Writer};

const READERS_MAX: u32 = 4;
const CONNECTIONS_MAX: u32 = 8;
/// How long a write waits for another process to finish its own.
const BUSY_SECONDS_MAX: u64 = 30;
/// How long the database's own log is waited for when it is emptied: whoever writes waits as long.
const FORGET_MILLISECONDS_MAX: u64 = 250;

#[derive(Clone, Debug)]
pub(crate) enum Db {
    /// One connection writes, so that nobody in this process ever waits for a lock; the others read.
    Sqlite {
        write: Writer,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

/// What is bound to a query.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg<'a> {
    Int(i64),
    MaybeInt(Option<i64>),
    Text(&'a str),
    MaybeText(Option<&'a str>),
    Bytes(&'a [u8]),
    /// Columns of many rows at once, on PostgreSQL.
    Ints(&'a [i64]),
    MaybeInts(&'a [Option<i64>]),
    Texts(&'a [&'a str]),
    ManyBytes(&'a [&'a [u8]]),
}

/// What comes back in a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Null,
}

#[derive(Clone, Debug)]
pub(crate) struct Row(pub(crate) Vec<Cell>);

/// A transaction. Dropped without `commit`, it never was.
#[derive(Debug)]
pub(crate) enum Tx {
    Sqlite(Turn),
    SqliteRead(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres { tx: sqlx::Transaction<'static, sqlx::Postgres>, entries: Vec<Waiting> },
}

/// Whatever runs queries inside a transaction.
#[derive(Debug)]
pub(crate) enum Conn<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

pub(crate) const SQLITE_MIGRATIONS: &[(i64, &str, &str)] =
    &[(1, "spine", include_str!("../../../migrations/sqlite/0001_spine.sql"))];
pub(crate) const POSTGRES_MIGRATIONS: &[(i64, &str, &str)] =
    &[(1, "spine", include_str!("../../../migrations/postgres/0001_spine.sql"))];

/// Binds every argument and runs the query on whatever it is given; `$many` binds columns of many rows.
macro_rules! run {
    ($sql:expr, $args:expr, $method:ident, $on:expr, $many:expr) => {{
        let mut query = sqlx::query($sql);
        for arg in $args {
            query = match *arg {
                Arg::Int(number) => query.bind(number),
                Arg::MaybeInt(number) => query.bind(number),
                Arg::Text(text) => query.bind(text),
                Arg::MaybeText(text) => query.bind(text),
                Arg::Bytes(bytes) => query.bind(bytes),
                many => $many(query, many),
            };
        }
        query.$method($on).await
    }};
}

type SqliteQuery<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;
type PostgresQuery<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn sqlite_many<'q>(_: SqliteQuery<'q>, arg: Arg<'q>) -> SqliteQuery<'q> {
    unreachable!("SQLite has no columns to bind: {arg:?}")
}

fn postgres_many<'q>(query: PostgresQuery<'q>, arg: Arg<'q>) -> PostgresQuery<'q> {
    match arg {
        Arg::Ints(column) => query.bind(column),
        Arg::MaybeInts(column) => query.bind(column),
        Arg::Texts(column) => query.bind(column),
        Arg::ManyBytes(column) => query.bind(column),
        Arg::Int(_) | Arg::MaybeInt(_) | Arg::Text(_) | Arg::MaybeText(_) | Arg::Bytes(_) => {
            unreachable!("bound before")
        }
    }
}

impl Db {
    /// `url` is `postgres://…`, or the path of an SQLite file, which is made if it is not there.
    pub(crate) async fn open(url: &str, keys: Arc<Keys>) -> Result<Db, Error> {
        let db = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url)?.disable_statement_logging();
            let wait = Duration::from_secs(BUSY_SECONDS_MAX);
            Db::Postgres(
                PgPoolOptions::new()
                    .max_connections(CONNECTIONS_MAX)
                    .acquire_timeout(wait)
                    .connect_with(options)
                    .await?,
            )
        } else {
            let options = SqliteConnectOptions::new()
                .filename(Path::new(url))
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                // INVARIANT (nothing is lost): a commit that was acknowledged is on the disk.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(BUSY_SECONDS_MAX))
                .pragma("trusted_schema", "off")
                // What is deleted, such as the key of a case that is erased, is overwritten in the file.
                .pragma("secure_delete", "on")
                .disable_statement_logging();
            let read = SqlitePoolOptions::new().max_connections(READERS_MAX).connect_with(options.clone()).await?;
            Db::Sqlite { write: Writer::start(options, keys), read }
        };
        db.migrate().await?;
        // What could not be forgotten when it was erased, because somebody was reading.
        if let Err(err) = db.checkpoint().await {
            warn!("The database's own log could not be emptied: {}", causes(&err));
        }
        Ok(db)
    }

    async fn migrate(&self) -> Result<(), Error> {
        let migrator = |migrations: &[(i64, &'static str, &'static str)]| {
            let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
                Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
            };
            Migrator::with_migrations(migrations.iter().map(migration).collect())
        };
        match self {
            Db::Sqlite { read, .. } => migrator(SQLITE_MIGRATIONS).run(read).await?,
            // Takes an advisory lock: many nodes may start at once.
            Db::Postgres(pool) => migrator(POSTGRES_MIGRATIONS).run(pool).await?,
        }
        Ok(())
    }

    /// `postgres` or `sqlite`, for people.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Db::Sqlite { .. } => "sqlite",
            Db::Postgres(_) => "postgres",
        }
    }

    /// Begins to write. On SQLite the lock is taken at once: a transaction that reads first and writes later can be
    /// refused in the middle.
    pub(crate) async fn begin(&self) -> Result<Tx, Error> {
        Ok(match self {
            Db::Sqlite { write, .. } => Tx::Sqlite(write.begin().await?),
            Db::Postgres(pool) => Tx::Postgres { tx: pool.begin().await?, entries: Vec::new() },
        })
    }

    /// Do entries wait for a sealer after their transaction, or are they sealed in it?
    pub(crate) fn seals_later(&self) -> bool {
        matches!(self, Db::Postgres(_))
    }

    /// Begins to read: everything read through it is of one moment, whatever others write meanwhile.
    pub(crate) async fn snapshot(&self) -> Result<Tx, Error> {
        Ok(match self {
            Db::Sqlite { read, .. } => Tx::SqliteRead(read.begin_with("BEGIN DEFERRED").await?),
            Db::Postgres(pool) => Tx::Postgres {
                tx: pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?,
                entries: Vec::new(),
            },
        })
    }

    pub(crate) async fn rows(&self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Db::Sqlite { read, .. } => {
                run!(sql, args, fetch_all, read, sqlite_many)?.iter().map(Row::sqlite).collect::<Result<_, _>>()?
            }
            Db::Postgres(pool) => {
                run!(sql, args, fetch_all, pool, postgres_many)?.iter().map(Row::postgres).collect::<Result<_, _>>()?
            }
        })
    }

    pub(crate) async fn row(&self, sql: &'static str, args: &[Arg<'_>]) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Leases up to `n` pieces of work whose time has come: moves their time into the future and counts the attempt.
    pub(crate) async fn lease(&self, n: i64, now: i64, until: i64) -> Result<Vec<Row>, Error> {
        const SQLITE: &str = "UPDATE work SET ready_at = $3, attempt = attempt + 1
            WHERE case_id IN (SELECT case_id FROM work WHERE ready_at <= $2 ORDER BY ready_at, case_id LIMIT $1)
            RETURNING case_id, revision, action, attempt";
        const POSTGRES: &str = "UPDATE work SET ready_at = $3, attempt = attempt + 1
            WHERE case_id IN (SELECT case_id FROM work WHERE ready_at <= $2 ORDER BY ready_at, case_id LIMIT $1
                              FOR UPDATE SKIP LOCKED)
            RETURNING case_id, revision, action, attempt";
        let sql = match self {
            Db::Sqlite { .. } => SQLITE,
            Db::Postgres(_) => POSTGRES,
        };
        let mut tx = self.begin().await?;
        let rows = tx.rows(sql, &[Arg::Int(n), Arg::Int(now), Arg::Int(until)]).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Takes what was deleted out of this machine's files, as far as that can be done from here. False where that has to
    /// wait, as [`Db::checkpoint`] says.
    pub(crate) async fn forget(&self) -> Result<bool, Error> {
        if let Db::Postgres(pool) = self {
            sqlx::query("VACUUM record_keys, log_openings, facts").execute(pool).await?;
        }
        self.checkpoint().await
    }

    /// Writes what SQLite's own log still has into the tables and empties it. False where somebody reads or writes
    /// meanwhile: what was deleted is still in that log. PostgreSQL's own log is not emptied from here.
    pub(crate) async fn checkpoint(&self) -> Result<bool, Error> {
        let Db::Sqlite { read, .. } = self else { return Ok(true) };
        let wait = Duration::from_millis(FORGET_MILLISECONDS_MAX);
        let mut connection = read.connect_options().as_ref().clone().busy_timeout(wait).connect().await?;
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut connection).await?;
        let busy: i64 = row.try_get(0)?;
        connection.close().await?;
        Ok(busy == 0)
    }

    pub(crate) async fn close(&self) {
        match self {
            Db::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Tx::Sqlite(turn) => turn.conn(),
            Tx::SqliteRead(tx) => Conn::Sqlite(tx),
            Tx::Postgres { tx, .. } => Conn::Postgres(tx),
        }
    }

    pub(crate) async fn rows(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, Error> {
        self.conn().rows(sql, args).await
    }

    pub(crate) async fn row(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Option<Row>, Error> {
        self.conn().row(sql, args).await
    }

    /// How many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, Error> {
        self.conn().execute(sql, args).await
    }

    /// INVARIANT (one entry per transition): what is entered here is committed with everything else, or not at all.
    pub(crate) async fn enter(&mut self, entry: Waiting) -> Result<(), Error> {
        if let Some(openings) = &entry.openings {
            let sql = "INSERT INTO log_openings (entry_id, object, body) VALUES ($1, $2, $3)";
            let args = [Arg::Text(&entry.id), Arg::Text(&entry.object), Arg::Bytes(openings)];
            self.execute(sql, &args).await?;
        }
        match self {
            Tx::Sqlite(turn) => turn.entries.push(entry),
            Tx::Postgres { entries, .. } => entries.push(entry),
            Tx::SqliteRead(_) => return Err(Error::Row { what: "a transaction that reads enters nothing".to_owned() }),
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self {
            Tx::Sqlite(turn) => turn.commit().await?,
            Tx::SqliteRead(tx) => tx.commit().await?,
            Tx::Postgres { mut tx, entries } => {
                // Last, so that entries about one object, whose row is locked until now, wait in its order.
                for entry in entries {
                    Conn::Postgres(&mut tx)
                        .execute(
                            "INSERT INTO log_outbox (entry_id, object, revision, entered_at, entry, mac)
                             VALUES ($1, $2, $3, $4, $5, $6)",
                            &[
                                Arg::Text(&entry.id),
                                Arg::Text(&entry.object),
                                Arg::MaybeInt(entry.revision),
                                Arg::Int(entry.entered_at),
                                Arg::Bytes(&entry.entry),
                                Arg::Bytes(&entry.mac),
                            ],
                        )
                        .await?;
                }
                tx.commit().await?;
            }
        }
        Ok(())
    }
}

impl Conn<'_> {
    pub(crate) async fn rows(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Conn::Sqlite(on) => {
                run!(sql, args, fetch_all, &mut **on, sqlite_many)?.iter().map(Row::sqlite).collect::<Result<_, _>>()?
            }
            Conn::Postgres(on) => run!(sql, args, fetch_all, &mut **on, postgres_many)?
                .iter()
                .map(Row::postgres)
                .collect::<Result<_, _>>()?,
        })
    }

    pub(crate) async fn row(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    pub(crate) async fn execute(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, Error> {
        Ok(match self {
            Conn::Sqlite(on) => run!(sql, args, execute, &mut **on, sqlite_many)?.rows_affected(),
            Conn::Postgres(on) => run!(sql, args, execute, &mut **on, postgres_many)?.rows_affected(),
        })
    }

    /// Keeps others from writing policies until this is committed.
    pub(crate) async fn hold_policies(&mut self) -> Result<(), Error> {
        // One writes at a time on SQLite.
        if let Conn::Postgres(_) = self {
            self.execute("LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE", &[]).await?;
        }
        Ok(())
    }

    pub(crate) async fn insert_terms(&mut self, case: &str, keys: &BTreeSet<[u8; 32]>) -> Result<(), Error> {
        const ONE: &str = "INSERT INTO case_terms (term_key, case_id) VALUES ($1, $2)";
        const MANY: &str = "INSERT INTO case_terms (term_key, case_id) SELECT UNNEST($1::bytea[]), $2";
        if let Conn::Sqlite(_) = self {
            for key in keys {
                self.execute(ONE, &[Arg::Bytes(key), Arg::Text(case)]).await?;
            }
            return Ok(());
        }
        let keys: Vec<&[u8]> = keys.iter().map(<[u8; 32]>::as_slice).collect();
        self.execute(MANY, &[Arg::ManyBytes(&keys), Arg::Text(case)]).await?;
        Ok(())
    }

    /// Puts the key of a new record beside those that are wrapped by the same vault key, if that is still the one that leads,
    /// and keeps another from leading until this is committed. Gives back how many rows were written.
    pub(crate) async fn insert_record(&mut self, owner: &str, by: &str, body: &[u8]) -> Result<u64, Error> {
        // One writes at a time there.
        const SQLITE: &str = "INSERT INTO record_keys (owner, wrapped_by, body)
                              SELECT $1, wrapped_by, $3 FROM record_keys WHERE owner = '' AND wrapped_by = $2";
        const POSTGRES: &str = "INSERT INTO record_keys (owner, wrapped_by, body)
                                SELECT $1, wrapped_by, $3 FROM record_keys WHERE owner = '' AND wrapped_by = $2 FOR SHARE";
        let sql = match self {
            Conn::Sqlite(_) => SQLITE,
            Conn::Postgres(_) => POSTGRES,
        };
        self.execute(sql, &[Arg::Text(owner), Arg::Text(by), Arg::Bytes(body)]).await
    }

    /// Puts record keys that were wrapped anew into their rows, those that are still wrapped as they were before, and gives
    /// back how many these were.
    pub(crate) async fn rewrap(&mut self, by: &str, rows: &[Rewrapped]) -> Result<u64, Error> {
        const ONE: &str = "UPDATE record_keys SET wrapped_by = $1, body = $2 WHERE owner = $3 AND wrapped_by = $4";
        const MANY: &str = "UPDATE record_keys SET wrapped_by = $1, body = new.body
                            FROM UNNEST($2::bytea[], $3::text[], $4::text[]) AS new (body, owner, before)
                            WHERE record_keys.owner = new.owner AND record_keys.wrapped_by = new.before";
        if let Conn::Sqlite(_) = self {
            let mut n_rows = 0;
            for row in rows {
                let args = [Arg::Text(by), Arg::Bytes(&row.body), Arg::Text(&row.owner), Arg::Text(&row.before)];
                n_rows += self.execute(ONE, &args).await?;
            }
            return Ok(n_rows);
        }
        let bodies: Vec<&[u8]> = rows.iter().map(|row| row.body.as_slice()).collect();
        let owners: Vec<&str> = rows.iter().map(|row| row.owner.as_str()).collect();
        let before: Vec<&str> = rows.iter().map(|row| row.before.as_str()).collect();
        let args = [Arg::Text(by), Arg::ManyBytes(&bodies), Arg::Texts(&owners), Arg::Texts(&before)];
        self.execute(MANY, &args).await
    }

    /// Sealed entries to their places, all at once where the database can.
    pub(crate) async fn insert_entries(&mut self, log: i64, sealed: &[Sealed]) -> Result<(), Error> {
        const ONE: &str = "INSERT INTO log_entries (log, position, entry_id, object, revision, leaf)
                           VALUES ($1, $2, $3, $4, $5, $6)";
        const MANY: &str = "INSERT INTO log_entries (log, position, entry_id, object, revision, leaf)
                            SELECT $1::bigint, * FROM UNNEST($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bytea[])";
        if let Conn::Sqlite(_) = self {
            for entry in sealed {
                let args = [
                    Arg::Int(log),
                    Arg::Int(entry.position),
                    Arg::Text(&entry.id),
                    Arg::Text(&entry.object),
                    Arg::MaybeInt(entry.revision),
                    Arg::Bytes(&entry.leaf),
                ];
                self.execute(ONE, &args).await?;
            }
            return Ok(());
        }
        let positions: Vec<i64> = sealed.iter().map(|entry| entry.position).collect();
        let ids: Vec<&str> = sealed.iter().map(|entry| entry.id.as_str()).collect();
        let objects: Vec<&str> = sealed.iter().map(|entry| entry.object.as_str()).collect();
        let revisions: Vec<Option<i64>> = sealed.iter().map(|entry| entry.revision).collect();
        let leaves: Vec<&[u8]> = sealed.iter().map(|entry| entry.leaf.as_slice()).collect();
        let args = [
            Arg::Int(log),
            Arg::Ints(&positions),
            Arg::Texts(&ids),
            Arg::Texts(&objects),
            Arg::MaybeInts(&revisions),
            Arg::ManyBytes(&leaves),
        ];
        self.execute(MANY, &args).await?;
        Ok(())
    }
}

/// An entry with its place.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) position: i64,
    pub(crate) id: String,
    pub(crate) object: String,
    pub(crate) revision: Option<i64>,
    pub(crate) leaf: Vec<u8>,
}

impl Row {
    fn sqlite(row: &SqliteRow) -> Result<Row, sqlx::Error> {
        let cells = (0..row.len()).map(|idx| {
            let value = row.try_get_raw(idx)?;
            Ok(if value.is_null() {
                Cell::Null
            } else {
                match value.type_info().name() {
                    "INTEGER" => Cell::Int(row.try_get(idx)?),
                    "TEXT" => Cell::Text(row.try_get(idx)?),
                    _ => Cell::Bytes(row.try_get(idx)?),
                }
            })
        });
        cells.collect::<Result<_, _>>().map(Row)
    }

    fn postgres(row: &PgRow) -> Result<Row, sqlx::Error> {
        let cells = row.columns().iter().enumerate().map(|(idx, column)| {
            let null = row.try_get_raw(idx)?.is_null();
            Ok(match column.type_info().name() {
                _ if null => Cell::Null,
                "INT8" => Cell::Int(row.try_get(idx)?),
                "INT4" => Cell::Int(row.try_get::<i32, _>(idx)?.into()),
                "TEXT" | "VARCHAR" => Cell::Text(row.try_get(idx)?),
                _ => Cell::Bytes(row.try_get(idx)?),
            })
        });
        cells.collect::<Result<_, _>>().map(Row)
    }

    pub(crate) fn int(&self, column: usize) -> Result<i64, Error> {
        match self.0.get(column) {
            Some(Cell::Int(number)) => Ok(*number),
            other => Err(Error::column(column, "a whole number", other)),
        }
    }

    pub(crate) fn maybe_int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.0.get(column) {
            Some(Cell::Null) => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str, Error> {
        match self.0.get(column) {
            Some(Cell::Text(text)) => Ok(text),
            other => Err(Error::column(column, "a text", other)),
        }
    }

    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<&str>, Error> {
        match self.0.get(column) {
            Some(Cell::Null) => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<&[u8], Error> {
        match self.0.get(column) {
            Some(Cell::Bytes(bytes)) => Ok(bytes),
            other => Err(Error::column(column, "bytes", other)),
        }
    }

    pub(crate) fn maybe_bytes(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        match self.0.get(column) {
            Some(Cell::Null) => Ok(None),
            _ => self.bytes(column).map(Some),
        }
    }

    /// A text that names one of a closed list.
    pub(crate) fn parsed<T>(&self, column: usize, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
        let text = self.text(column)?;
        parse(text)
            .ok_or_else(|| Error::Row { what: format!("column {column} holds a name that this program does not know") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_databases_have_the_same_migrations_tables_and_columns() {
        let shape = |migrations: &[(i64, &str, &str)]| -> Vec<String> {
            let mut lines = Vec::new();
            for (version, name, sql) in migrations {
                lines.push(format!("{version} {name}"));
                for line in sql.lines().map(|line| line.split("--").next().unwrap_or("").trim()) {
                    if line.starts_with("CREATE TRIGGER") || line.starts_with("CREATE FUNCTION") {
                        break;
                    }
                    let line = line
                        .replace("BYTEA", "BLOB")
                        .replace("BIGSERIAL PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT")
                        .replace(") WITHOUT ROWID;", ");");
                    lines.push(line.split_whitespace().collect::<Vec<_>>().join(" "));
                }
            }
            lines.retain(|line| !line.is_empty());
            lines
        };
        assert_eq!(shape(SQLITE_MIGRATIONS), shape(POSTGRES_MIGRATIONS));
    }
}
