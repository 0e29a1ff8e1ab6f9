//! The policy folder: read at the start, watched afterwards. A mistake leaves the old policy in force.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use case::{Actor, Digest, POLICY_BYTES_MAX, POLICY_FILES, Policy, PolicyMistake};
use store::{PolicyStanding, Store, causes};
use thiserror::Error;
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::{now, pause, system};

#[derive(Clone, Debug)]
pub struct PolicyFolder {
    dir: PathBuf,
}

/// The policy in force after the folder was looked at.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub policy: Policy,
    /// Why it is not the one in the folder, and what to do.
    pub waits: Option<String>,
}

#[derive(Debug, Error)]
pub enum PolicyError {
    #[error("`{path}` cannot be read")]
    Unread { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Mistake(#[from] PolicyMistake),
    #[error("the policy in force cannot be read by this program, and nothing is done without one: {waits}")]
    NoneInForce { waits: String },
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

    /// Puts the policy in force: reads it, and enters it in the log. A refusal is entered too. Where it lets more through than
    /// the one in force, that one stays until two people have said so, and is given back with what there is to do.
    pub async fn load(&self, store: &Store, by: &Actor) -> Result<Loaded, PolicyError> {
        let (policy, texts) = match self.read() {
            Err(PolicyError::Mistake(mistake)) => {
                store.policy_refused(&mistake, by, now()).await?;
                return Err(mistake.into());
            }
            other => other?,
        };
        match store.policy_loaded(&policy, texts.each_ref().map(String::as_str), by, now()).await? {
            PolicyStanding::InForce => Ok(Loaded { policy, waits: None }),
            PolicyStanding::Waits { looser, proposed_by } => {
                let approve = format!("countersign policy approve {} --as NAME", policy.digest);
                let next = match proposed_by {
                    None => format!(
                        "let one person propose it with `countersign policy propose --as NAME`, and another one approve it with `{approve}`"
                    ),
                    Some(_) => format!("let another person approve it with `{approve}`"),
                };
                let waits = format!("the one in the folder lets more through; {next}: {}", looser.join("; "));
                match store.policy_in_force().await {
                    Ok(Some(policy)) => Ok(Loaded { policy, waits: Some(waits) }),
                    Ok(None) | Err(store::Error::Unacceptable { .. }) => Err(PolicyError::NoneInForce { waits }),
                    Err(err) => Err(err.into()),
                }
            }
        }
    }

    /// Loads the policy anew whenever its files change, until the service stops.
    pub async fn watch(self, store: Store, policy: watch::Sender<Arc<Policy>>, stop: watch::Receiver<bool>) {
        let mut seen = self.texts().ok();
        // A policy that waits for people is looked at again until they have spoken.
        let mut waiting = true;
        let mut before = seen.clone();
        while !*stop.borrow() {
            pause(LOOK_EVERY, &stop).await;
            let used = policy.borrow().digest;
            match self.another(&store, &used).await {
                Ok(None) => {}
                Ok(Some(other)) => {
                    warn!(policy.digest = %other.digest, "Another node put a policy in force; it is not the one in the folder");
                    // What the folder has may be let through by people, as if it had been put there now.
                    waiting = self.read().is_ok_and(|(own, _)| !own.looser_than(&other).is_empty());
                    policy.send_replace(Arc::new(other));
                }
                Err(err) => error!("Which policy is in force cannot be read, the old one stays: {}", causes(&err)),
            }
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
            let changed = texts != seen;
            if !whole || !(changed || waiting) {
                continue;
            }
            seen = texts;
            match self.load(&store, &system()).await {
                Ok(Loaded { policy: loaded, waits }) => {
                    if let Some(waits) = waits.as_ref().filter(|_| changed) {
                        warn!("The policy in force stays: {waits}");
                    }
                    waiting = waits.is_some();
                    if loaded.digest != policy.borrow().digest {
                        info!(policy.digest = %loaded.digest, "A changed policy is in force");
                        policy.send_replace(Arc::new(loaded));
                    }
                }
                Err(err) => error!("The changed policy is refused, the old one stays in force: {}", causes(&err)),
            }
        }
    }

    /// The policy in force, when it is another one.
    async fn another(&self, store: &Store, used: &Digest) -> Result<Option<Policy>, store::Error> {
        match store.policy_digest_in_force().await? {
            Some(digest) if digest != used.to_string() => store.policy_in_force().await,
            _ => Ok(None),
        }
    }

    fn texts(&self) -> Result<[String; 3], PolicyError> {
        let read = |name: &str| {
            let path = self.dir.join(name);
            // One byte more than may be is enough to refuse it, whatever is read there.
            let read = || {
                let mut text = String::new();
                fs::File::open(&path)?.take(POLICY_BYTES_MAX + 1).read_to_string(&mut text)?;
                Ok(text)
            };
            read().map_err(|source| PolicyError::Unread { path: path.clone(), source })
        };
        let [a, b, c] = POLICY_FILES;
        Ok([read(a)?, read(b)?, read(c)?])
    }
}
