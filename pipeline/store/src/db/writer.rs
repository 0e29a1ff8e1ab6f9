//! SQLite has one writer. Whoever has the turn writes inside a savepoint, and one COMMIT, with its one wait for the disk,
//! serves every turn since the last: the more callers, the more turns in a commit. The audit entries of all these turns are
//! sealed in the same commit, so none is ever waiting.
//!
//! A turn that is dropped half-way is rolled back alone. When anything about the whole is in doubt, such as a disk that is
//! full, the whole is rolled back, and every caller of it is told so.

use std::sync::{Arc, Weak};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot};

use super::Conn;
use crate::log::{Waiting, seal};
use crate::{Error, Keys};

/// How many callers may wait for their turn or have it: the most that one commit serves, and loses if it fails.
const TURNS_MAX: usize = 100;

#[derive(Clone, Debug)]
pub(crate) struct Writer {
    options: Arc<SqliteConnectOptions>,
    group: Arc<Mutex<Group>>,
    places: Arc<Semaphore>,
    /// Dropped after `group`, so that the task finds nobody left, and ends.
    due: Due,
}

/// Tells the task that commits; it then queues behind those who wait for their turn already.
#[derive(Clone, Debug, Default)]
struct Due(Arc<Notify>);

/// Turns that are committed together.
#[derive(Debug)]
struct Group {
    /// None before the first turn, and after something broke.
    connection: Option<SqliteConnection>,
    begun: Begun,
    /// A turn was dropped inside its savepoint.
    torn: bool,
    members: Vec<oneshot::Sender<Result<(), Arc<Error>>>>,
    entries: Vec<Waiting>,
    keys: Arc<Keys>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    No,
    /// Being said to the database; stays like this if the caller is dropped meanwhile.
    Saying,
    Yes,
}

/// One caller's transaction.
#[derive(Debug)]
pub(crate) struct Turn {
    group: OwnedMutexGuard<Group>,
    pub(crate) entries: Vec<Waiting>,
    released: bool,
    /// Dropped after `group`, and thereby told.
    _due: Due,
    _place: OwnedSemaphorePermit,
}

impl Writer {
    /// Starts the task that commits; it ends with the last clone of this.
    pub(crate) fn start(options: SqliteConnectOptions, keys: Arc<Keys>) -> Writer {
        let group =
            Group { connection: None, begun: Begun::No, torn: false, members: Vec::new(), entries: Vec::new(), keys };
        let writer = Writer {
            options: Arc::new(options),
            group: Arc::new(Mutex::new(group)),
            places: Arc::new(Semaphore::new(TURNS_MAX)),
            due: Due::default(),
        };
        tokio::spawn(commit_when_due(Arc::downgrade(&writer.group), writer.due.0.clone()));
        writer
    }

    pub(crate) async fn begin(&self) -> Result<Turn, Error> {
        let closed = |_| Error::Row { what: "the database was closed".to_owned() };
        let place = self.places.clone().acquire_owned().await.map_err(closed)?;
        let mut group = self.group.clone().lock_owned().await;
        if !group.mended().await {
            group.give_up(Error::Row { what: "the transaction broke".to_owned() }).await;
        }
        if group.connection.is_none() {
            group.connection = Some(self.options.connect().await?);
        }
        if group.begun == Begun::No {
            group.begun = Begun::Saying;
            if let Err(err) = group.say("BEGIN IMMEDIATE").await {
                group.forget().await;
                return Err(err);
            }
            group.begun = Begun::Yes;
        }
        let mut turn = Turn { group, entries: Vec::new(), released: false, _due: self.due.clone(), _place: place };
        turn.group.say("SAVEPOINT turn").await?;
        Ok(turn)
    }

    /// Waits for the turn that is under way and what is to be committed, and lets the file go.
    pub(crate) async fn close(&self) {
        self.places.close();
        let mut group = self.group.clone().lock_owned().await;
        group.finish().await;
        if let Some(connection) = group.connection.take() {
            drop(connection.close().await);
        }
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Turn {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        Conn::Sqlite(self.group.connection.as_mut().expect("by `begin`, which opened it"))
    }

    /// Returns when it is on the disk, with its entries sealed.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        self.group.say("RELEASE turn").await?;
        self.released = true;
        let entries = std::mem::take(&mut self.entries);
        self.group.entries.extend(entries);
        let (told, answer) = oneshot::channel();
        self.group.members.push(told);
        drop(self);
        match answer.await {
            Ok(committed) => committed.map_err(Error::Together),
            Err(_) => Err(Error::Row { what: "the program ends".to_owned() }),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.group.torn |= !self.released;
    }
}

async fn commit_when_due(group: Weak<Mutex<Group>>, due: Arc<Notify>) {
    loop {
        due.notified().await;
        let Some(group) = group.upgrade() else { return };
        group.lock_owned().await.finish().await;
    }
}

impl Group {
    async fn say(&mut self, sql: &'static str) -> Result<(), Error> {
        let connection =
            self.connection.as_mut().ok_or_else(|| Error::Row { what: "there is no connection".into() })?;
        connection.execute(sql).await?;
        Ok(())
    }

    /// Takes back what a dropped turn wrote. False when it is not certain what is there.
    async fn mended(&mut self) -> bool {
        if self.begun == Begun::Saying {
            return false;
        }
        if !std::mem::take(&mut self.torn) || self.begun == Begun::No {
            return true;
        }
        // A disk that is full rolls everything back, savepoint included, and this then fails.
        self.say("ROLLBACK TO turn").await.is_ok() && self.say("RELEASE turn").await.is_ok()
    }

    async fn finish(&mut self) {
        if self.begun == Begun::No {
            return;
        }
        if !self.mended().await {
            return self.give_up(Error::Row { what: "the transaction broke".to_owned() }).await;
        }
        if self.members.is_empty() {
            return self.forget().await;
        }
        match self.seal_and_commit().await {
            Ok(()) => {
                self.begun = Begun::No;
                // Whoever does not wait any more needs no answer.
                self.members.drain(..).for_each(|member| drop(member.send(Ok(()))));
            }
            Err(err) => self.give_up(err).await,
        }
    }

    async fn seal_and_commit(&mut self) -> Result<(), Error> {
        let entries = std::mem::take(&mut self.entries);
        let newest = entries.iter().map(|entry| entry.entered_at).max();
        if let Some(newest) = newest {
            let connection = self.connection.as_mut().expect("by `begin`, which opened it");
            seal(&mut Conn::Sqlite(connection), &self.keys, entries, newest).await?;
        }
        self.say("COMMIT").await
    }

    async fn give_up(&mut self, err: Error) {
        self.entries.clear();
        self.forget().await;
        let err = Arc::new(err);
        self.members.drain(..).for_each(|member| drop(member.send(Err(err.clone()))));
    }

    /// Rolls back, on a connection that may be in any state, and starts with a fresh one where that fails.
    async fn forget(&mut self) {
        self.begun = Begun::No;
        self.torn = false;
        if self.say("ROLLBACK").await.is_err()
            && let Some(connection) = self.connection.take()
        {
            drop(connection.close().await);
        }
    }
}
