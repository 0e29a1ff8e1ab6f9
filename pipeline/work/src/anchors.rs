//! Shows the newest signed head to others: witnesses, a time stamping service, a folder at a second place. Whoever rewrites
//! the log afterwards, with its key in hand, contradicts them.
//!
//! Everybody here is alone: one that is dead, slow or wrong holds up nobody else, least of all the cases.

use std::sync::Arc;
use std::time::Duration;

use store::{NewestHead, Store, causes};
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{error, info};

use crate::heads_folder::HeadsFolder;
use crate::pause;
use crate::timestamp::Timestamps;
use crate::witness::Witnesses;

/// How long the last head may take to reach everybody when the service stops.
const LAST_SECONDS_MAX: u64 = 5;
/// How often it is looked whether there is a newer head.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After a failure, doubled with each further one.
const RETRY_SECONDS_MIN: u64 = 5;
const RETRY_SECONDS_MAX: u64 = 15 * 60;

/// To whom heads are shown; by default to nobody.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    pub witnesses: Witnesses,
    pub timestamps: Option<Timestamps>,
    pub heads_folder: Option<HeadsFolder>,
}

/// Settings that cannot be followed.
#[derive(Debug, Error)]
pub enum AnchorError {
    #[error("`{url}` is not a URL that heads of the log can be sent to: it must begin with http:// or https://")]
    Url { url: String },
    #[error("the key of the witness at `{url}` cannot be used")]
    Key { url: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("two witnesses have the name `{name}`")]
    Twice { name: String },
    #[error("{n} witnesses are named, at most {max} allowed")]
    TooMany { n: usize, max: usize },
    #[error("a quorum of {needed} is asked of {n} witnesses; it must be from 1 to {n}")]
    Quorum { needed: usize, n: usize },
    #[error("a quorum of {needed} is asked, and no witness is named")]
    Nobody { needed: usize },
    #[error("{what} is {given}; it must be from 1 to {max}")]
    Every { what: &'static str, given: u64, max: u64 },
    #[error("no HTTP client")]
    Client(#[from] reqwest::Error),
}

/// The newest head, as it is told to everybody who waits for one; None before the first.
pub(crate) type Newest = watch::Receiver<Option<Arc<NewestHead>>>;

impl Anchors {
    /// Tells everybody about new heads until `closing` turns true, and then about the last one; returns when all have
    /// answered, or their time is up.
    pub async fn run(self, store: Store, closing: watch::Receiver<bool>) {
        // Witnesses are told of one head together, so that all sign the same. The others take the newest when it is time.
        let (to_cosign, told) = watch::channel(None);
        let (newest, seen) = watch::channel(None);
        let mut tasks = JoinSet::new();
        let every = self.witnesses.every;
        for witness in self.witnesses.each {
            tasks.spawn(witness.follow(store.clone(), told.clone()));
        }
        if let Some(timestamps) = self.timestamps {
            tasks.spawn(timestamps.follow(store.clone(), seen.clone()));
        }
        if let Some(folder) = self.heads_folder {
            tasks.spawn(folder.follow(seen.clone()));
        }
        if tasks.is_empty() {
            return;
        }
        drop((told, seen));
        let mut patience = Patience::new("The newest head of the log cannot be read".to_owned());
        let mut told_at: Option<Instant> = None;
        loop {
            let last = *closing.borrow() || closing.has_changed().is_err();
            match store.newest_head().await {
                Ok(Some(head)) => {
                    patience.good();
                    let head = Arc::new(head);
                    replace(&newest, &head);
                    if (last || told_at.is_none_or(|at| every <= at.elapsed())) && replace(&to_cosign, &head) {
                        told_at = Some(Instant::now());
                    }
                }
                Ok(None) => {}
                Err(err) => patience.bad(&causes(&err)),
            }
            if last {
                break;
            }
            pause(LOOK_EVERY, &closing).await;
        }
        // They end when they have seen the last one.
        drop((to_cosign, newest));
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(Duration::from_secs(LAST_SECONDS_MAX), all).await.is_err() {
            error!(
                "The last head of the log was not acknowledged by everybody within {LAST_SECONDS_MAX} s; it is shown again after the next start"
            );
        }
    }
}

/// False where it is the same head.
fn replace(told: &watch::Sender<Option<Arc<NewestHead>>>, head: &Arc<NewestHead>) -> bool {
    told.send_if_modified(|before| {
        let is_new = before.as_ref().is_none_or(|before| before.differs(head));
        if is_new {
            *before = Some(head.clone());
        }
        is_new
    })
}

/// Who fails is tried again later each time, and what is wrong is said once.
#[derive(Debug)]
pub(crate) struct Patience {
    /// What does not work, as the beginning of a sentence.
    what: String,
    failures: u32,
    retry_at: Option<Instant>,
    said: Option<String>,
}

impl Patience {
    pub(crate) fn new(what: String) -> Patience {
        Patience { what, failures: 0, retry_at: None, said: None }
    }

    pub(crate) fn good(&mut self) {
        if self.said.take().is_some() {
            info!("Over: {}", self.what);
        }
        (self.failures, self.retry_at) = (0, None);
    }

    pub(crate) fn bad(&mut self, why: &str) {
        let seconds = RETRY_SECONDS_MIN.saturating_mul(1 << self.failures.min(20)).min(RETRY_SECONDS_MAX);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(Instant::now() + Duration::from_secs(seconds));
        if self.said.as_deref() != Some(why) {
            error!("{}: {why}", self.what);
            self.said = Some(why.to_owned());
        }
    }

    /// Waits for a newer head, or, after a failure, until it is time to try again; false when the service stops. Whoever
    /// failed last is not asked once more then.
    pub(crate) async fn wait(&self, newest: &mut Newest) -> bool {
        let Some(retry_at) = self.retry_at else { return newest.changed().await.is_ok() };
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(retry_at) => return true,
                changed = newest.changed() => if changed.is_err() { return false },
            }
        }
    }
}
