//! The policy folder: read at the start, watched afterwards. A mistake leaves the old policy in force.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use case::{Actor, POLICY_FILES, Policy, PolicyMistake};
use store::{Store, causes};
use thiserror::Error;
use tokio::sync::watch;
use tracing::{error, info};

use crate::{now, pause, system};

#[derive(Clone, Debug)]
pub struct PolicyFolder {
    dir: PathBuf,
}

#[derive(Debug, Error)]
pub enum PolicyError {
    #[error("`{path}` cannot be read")]
    Unread { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Mistake(#[from] PolicyMistake),
    #[error("the policy could not be entered in the log")]
    Store(#[from] store::Error),
}

const LOOK_EVERY: Duration = Duration::from_secs(2);

impl PolicyFolder {
    pub fn new(dir: impl Into<PathBuf>) -> PolicyFolder {
        PolicyFolder { dir: dir.into() }
    }

    /// Reads and checks the files; enters nothing.
    pub fn read(&self) -> Result<(Policy, [String; 3]), PolicyError> {
        let texts = self.texts()?;
        let policy = Policy::parse(texts.each_ref().map(String::as_str))?;
        Ok((policy, texts))
    }

    /// Puts the policy in force: reads it, and enters it in the log. A refusal is entered too.
    pub async fn load(&self, store: &Store, by: &Actor) -> Result<Policy, PolicyError> {
        match self.read() {
            Ok((policy, texts)) => {
                store.policy_loaded(&policy, texts.each_ref().map(String::as_str), by, now()).await?;
                Ok(policy)
            }
            Err(PolicyError::Mistake(mistake)) => {
                store.policy_refused(&mistake, by, now()).await?;
                Err(mistake.into())
            }
            Err(other) => Err(other),
        }
    }

    /// Loads the policy anew whenever its files change, until the service stops.
    pub async fn watch(self, store: Store, policy: watch::Sender<Arc<Policy>>, stop: watch::Receiver<bool>) {
        let mut seen = self.texts().ok();
        let mut before = seen.clone();
        while !*stop.borrow() {
            pause(LOOK_EVERY, &stop).await;
            let texts = match self.texts() {
                Ok(texts) => Some(texts),
                Err(err) => {
                    error!("The policy cannot be read, the one in force stays: {}", causes(&err));
                    continue;
                }
            };
            // What changed between two looks may be half written.
            let whole = texts == before;
            before.clone_from(&texts);
            if !whole || texts == seen {
                continue;
            }
            seen = texts;
            match self.load(&store, &system()).await {
                Ok(loaded) => {
                    info!(policy.digest = %loaded.digest, "A changed policy is in force");
                    policy.send_replace(Arc::new(loaded));
                }
                Err(err) => error!("The changed policy is refused, the old one stays in force: {}", causes(&err)),
            }
        }
    }

    fn texts(&self) -> Result<[String; 3], PolicyError> {
        let read = |name: &str| {
            let path = self.dir.join(name);
            fs::read_to_string(&path).map_err(|source| PolicyError::Unread { path: path.clone(), source })
        };
        let [a, b, c] = POLICY_FILES;
        Ok([read(a)?, read(b)?, read(c)?])
    }
}
