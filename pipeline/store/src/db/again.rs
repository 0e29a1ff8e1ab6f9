//! A transaction that crossed another one is done again.

use crate::{ApplyError, Error};

/// So often something is done that crosses others each time.
const TRIES_MAX: u32 = 5;

/// What PostgreSQL says of a transaction that it gave up because of another one: they waited for each other, they cannot be put in an
/// order, the other one wrote the same row first. SQLite has one writer, whom nobody crosses.
const CROSSED: [&str; 3] = ["40P01", "40001", "23505"];

/// Does it, and again where it crossed others. What is done MUST begin its transaction itself, and look up in it, or compare in it,
/// what it rests on.
pub(crate) async fn tried<T, E, Doing>(crossed: impl Fn(&E) -> bool, mut once: impl FnMut() -> Doing) -> Result<T, E>
where
    Doing: Future<Output = Result<T, E>>,
{
    let mut tries = 1;
    loop {
        match once().await {
            Err(err) if tries < TRIES_MAX && crossed(&err) => tries += 1,
            done => return done,
        }
    }
}

impl Error {
    /// May it be otherwise when it is done again, because only another transaction was in the way?
    pub(crate) fn crossed(&self) -> bool {
        let Error::Database(sqlx::Error::Database(said)) = self else { return false };
        said.code().is_some_and(|code| CROSSED.contains(&code.as_ref()))
    }
}

impl ApplyError {
    pub(crate) fn crossed(&self) -> bool {
        matches!(self, ApplyError::Store(err) if err.crossed())
    }
}
