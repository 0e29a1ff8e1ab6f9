//! The watched folder: events where the file system gives them, a sweep where it does not.
//!
//! A file is taken when it has kept its size and time for the settle delay. It is claimed by a rename into a folder of
//! this node, admitted, and only then removed. Whatever goes wrong, the file is where it was, or is taken on the next start.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use case::CaseId;
use notify::{RecursiveMode, Watcher};
use store::{Admission, Arrival, Content, Store, causes};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::{now, pause, system};

#[derive(Clone, Debug)]
pub struct Inbox {
    dir: PathBuf,
    /// This node's name: two nodes that watch one folder do not touch each other's claims.
    node: String,
    settle: Duration,
    sweep_every: Duration,
    /// Is there a file that is still to be taken?
    waiting: Arc<AtomicBool>,
}

/// Where claimed files lie, inside the inbox so that the rename is one on any file system.
const CLAIMS: &str = ".claimed";
const DEPTH_MAX: usize = 8;
const FILE_BYTES_MAX: u64 = 256 << 20;
/// Of a name in a claim, beside the 37 of its id: file systems take 255.
const NAME_BYTES_MAX: usize = 200;
/// Files admitted at the same time: their seals and syncs overlap.
const ADMITTED_AT_ONCE: usize = 4;
const RETRY: Duration = Duration::from_secs(1);
/// An empty file that nobody fills for so long is told.
const EMPTY_AFTER: Duration = Duration::from_secs(30);

/// What a file looked like; unchanged for the settle delay, it is whole.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    size: u64,
    modified: Option<SystemTime>,
}

struct Claim {
    id: Uuid,
    /// Where it lies now.
    path: PathBuf,
    channel: String,
    name: String,
}

impl Inbox {
    pub fn new(dir: PathBuf, node: &str, settle: Duration, sweep_every: Duration) -> Inbox {
        Inbox { dir, node: node.to_owned(), settle, sweep_every, waiting: Arc::new(AtomicBool::new(true)) }
    }

    /// Was every file taken when the folder was last looked at? False before the first look.
    pub fn is_empty(&self) -> bool {
        !self.waiting.load(Ordering::SeqCst)
    }

    pub(crate) async fn watch(self, store: Store, stop: watch::Receiver<bool>) {
        let changed = Arc::new(Notify::new());
        // Kept until the end: dropping it ends the events.
        let _watcher = self.listen(changed.clone());
        self.take_up_claims(&store, &stop).await;
        let mut seen: HashMap<PathBuf, (Look, Instant)> = HashMap::new();
        let mut complained = HashSet::new();
        while !*stop.borrow() {
            let waiting = self.sweep(&store, &mut seen, &mut complained, &stop).await;
            self.waiting.store(waiting, Ordering::SeqCst);
            let rest = if waiting { self.settle.min(self.sweep_every) } else { self.sweep_every };
            crate::first(pause(rest, &stop), changed.notified()).await;
            // A burst of events is one change.
            pause(Duration::from_millis(20), &stop).await;
        }
    }

    fn listen(&self, changed: Arc<Notify>) -> Option<notify::RecommendedWatcher> {
        let claims = self.dir.join(CLAIMS);
        let heard = move |event: notify::Result<notify::Event>| {
            let own = event.as_ref().is_ok_and(|event| event.paths.iter().all(|path| path.starts_with(&claims)));
            if !own {
                changed.notify_one();
            }
        };
        let watcher = notify::recommended_watcher(heard).and_then(|mut watcher| {
            watcher.watch(&self.dir, RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        watcher.inspect_err(|err| warn!("The inbox gives no events ({err}); it is swept instead")).ok()
    }

    /// One look at the whole folder. Says whether files are left that will be taken later.
    async fn sweep(
        &self,
        store: &Store,
        seen: &mut HashMap<PathBuf, (Look, Instant)>,
        complained: &mut HashSet<PathBuf>,
        stop: &watch::Receiver<bool>,
    ) -> bool {
        let dir = self.dir.clone();
        let listed = tokio::task::spawn_blocking(move || {
            let mut files = Vec::new();
            list(&dir, 0, &mut files).map(|()| files)
        });
        let files = match listed.await {
            Ok(Ok(files)) => files,
            Ok(Err(err)) => {
                error!("The inbox cannot be read: {err}");
                return true;
            }
            Err(_) => return true,
        };
        seen.retain(|path, _| files.iter().any(|(file, _)| file == path) || files.len() > 1_000);
        let mut files = files;
        // The oldest first, as the sender saved them.
        files.sort_by(|(left_path, left), (right_path, right)| {
            (left.modified, left_path).cmp(&(right.modified, right_path))
        });
        let mut ready = Vec::new();
        let mut waiting = false;
        for (path, look) in files {
            if FILE_BYTES_MAX < look.size {
                if complained.insert(path.clone()) {
                    warn!(
                        size = look.size,
                        "A file in the inbox has {} bytes, more than the {FILE_BYTES_MAX} that are taken; it stays",
                        look.size
                    );
                }
                continue;
            }
            let (before, since) = *seen.entry(path.clone()).or_insert((look, Instant::now()));
            if before != look {
                seen.insert(path, (look, Instant::now()));
                waiting = true;
            } else if look.size == 0 {
                // Somebody may still fill it; until then it is nothing.
                if EMPTY_AFTER <= since.elapsed() && complained.insert(path.clone()) {
                    warn!("A file in the inbox is empty; it is taken once it has content");
                }
            } else if self.settle <= since.elapsed() {
                ready.push((path, look));
            } else {
                waiting = true;
            }
        }
        for (path, _) in &ready {
            seen.remove(path);
        }
        let mut tasks = JoinSet::new();
        for (path, look) in ready {
            if *stop.borrow() {
                waiting = true;
                break;
            }
            if ADMITTED_AT_ONCE <= tasks.len() {
                waiting |= !matches!(tasks.join_next().await, Some(Ok(true)));
            }
            let (inbox, store) = (self.clone(), store.clone());
            tasks.spawn(async move { inbox.take(&store, &path, look).await });
        }
        while let Some(taken) = tasks.join_next().await {
            waiting |= !matches!(taken, Ok(true));
        }
        waiting
    }

    /// Claims a file and admits it. False: it is back where it was, and will be tried again.
    async fn take(&self, store: &Store, path: &Path, expected: Look) -> bool {
        let claim = match self.claim(path) {
            Ok(claim) => claim,
            // Somebody else was faster, or took it back.
            Err(err) if err.kind() == io::ErrorKind::NotFound => return true,
            Err(err) => {
                error!("A file in the inbox cannot be claimed: {err}");
                return false;
            }
        };
        // Between the look and the rename somebody may have gone on writing.
        let taken = look_at(&claim.path) == Some(expected) && self.admit(store, &claim).await;
        if !taken {
            // INVARIANT (nothing is lost): the file goes back to where it was, unless its place is taken: then the
            // claim stays, and the next start takes it up.
            if !path.exists() {
                drop(fs::rename(&claim.path, path));
            }
            tokio::time::sleep(RETRY).await;
        }
        taken
    }

    fn claims(&self) -> PathBuf {
        self.dir.join(CLAIMS).join(&self.node)
    }

    /// Renames a file to `.claimed/<node>/<channel>/<id>~<name>`: whose it is, and all that is known of it.
    fn claim(&self, path: &Path) -> io::Result<Claim> {
        let id = Uuid::now_v7();
        let inside = path.strip_prefix(&self.dir).map_err(io::Error::other)?;
        let channel = inside.parent().unwrap_or(Path::new(""));
        let name = inside.file_name().unwrap_or_default().to_string_lossy();
        let folder = self.claims().join(channel);
        let target = folder.join(format!("{id}~{}", ending(&name, NAME_BYTES_MAX)));
        if let Err(err) = fs::rename(path, &target) {
            // The first of its channel, or gone.
            fs::create_dir_all(&folder)?;
            fs::rename(path, &target).map_err(|_| err)?;
        }
        Ok(Claim { id, path: target, channel: channel_name(channel), name: name.into_owned() })
    }

    async fn admit(&self, store: &Store, claim: &Claim) -> bool {
        let read = look_at(&claim.path);
        let content = match tokio::fs::File::open(&claim.path).await {
            Ok(file) => Content::Open(file.into_std().await),
            Err(err) => {
                error!("A claimed file cannot be read: {err}");
                return false;
            }
        };
        let (file_name, channel) = (claim.name.clone(), claim.channel.clone());
        let arrival = Arrival { id: claim.id, content, file_name, channel };
        match store.admit(arrival, &system(), now()).await {
            Ok(admission) => {
                tell(admission);
                // A sender who still held the file open wrote on: what is there now is another document.
                if look_at(&claim.path) != read {
                    warn!("A file changed while it was taken in; it is taken in again");
                    return false;
                }
                // Its sealed copy is durable: now, and not before, the file goes.
                if let Err(err) = fs::remove_file(&claim.path) {
                    error!("A claimed file that was taken in cannot be removed: {err}");
                }
                true
            }
            Err(err) => {
                error!("A file could not be taken in and stays: {}", causes(&err));
                false
            }
        }
    }

    /// Files that were claimed before a crash: admitted again under the same arrival, which changes nothing if they were.
    async fn take_up_claims(&self, store: &Store, stop: &watch::Receiver<bool>) {
        let root = self.claims();
        let mut files = Vec::new();
        // No folder of claims: nothing was ever claimed.
        drop(list(&root, 0, &mut files));
        for (path, _) in files {
            let Some(claim) = described(&root, &path) else {
                error!("Something that is no claim lies in the folder of claims; look at it");
                continue;
            };
            info!("Takes up a file that was claimed before the last stop");
            while !*stop.borrow() && !self.admit(store, &claim).await {
                pause(RETRY, stop).await;
            }
        }
    }
}

/// A claim by its path below the folder of claims.
fn described(root: &Path, path: &Path) -> Option<Claim> {
    let inside = path.strip_prefix(root).ok()?;
    let file_name = inside.file_name()?.to_string_lossy().into_owned();
    let (id, name) = file_name.split_once('~')?;
    let channel = channel_name(inside.parent().unwrap_or(Path::new("")));
    Some(Claim { id: id.parse().ok()?, path: path.to_owned(), channel, name: name.to_owned() })
}

fn channel_name(folder: &Path) -> String {
    let channel = folder.to_string_lossy();
    if channel.is_empty() { "inbox".to_owned() } else { channel.into_owned() }
}

/// The last so many bytes of a name, in whole characters: its ending tells more than its beginning.
fn ending(name: &str, bytes_max: usize) -> &str {
    let from = (name.len().saturating_sub(bytes_max)..=name.len()).find(|at| name.is_char_boundary(*at));
    from.and_then(|from| name.get(from..)).unwrap_or(name)
}

fn tell(admission: Admission) {
    let (id, how): (CaseId, &str) = match admission {
        Admission::New(id) => (id, "Took in"),
        Admission::Duplicate(id) => (id, "Took a second copy of"),
    };
    info!(case.id = %id, "{how} case `{id}`");
}

/// Every file that may be taken, with what it looks like. Links are not followed; other things than files are left alone.
fn list(folder: &Path, depth: usize, files: &mut Vec<(PathBuf, Look)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if temporary(&name) {
            continue;
        }
        // Gone again between the listing and this look.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth < DEPTH_MAX {
            let _ = list(&entry.path(), depth + 1, files);
        } else if kind.is_file()
            && let Ok(metadata) = entry.metadata()
        {
            files.push((entry.path(), look(&metadata)));
        }
    }
    Ok(())
}

fn look_at(path: &Path) -> Option<Look> {
    fs::metadata(path).ok().map(|metadata| look(&metadata))
}

fn look(metadata: &Metadata) -> Look {
    Look { size: metadata.len(), modified: metadata.modified().ok() }
}

/// Names that programs give to files they are still writing.
fn temporary(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    let ends = [".part", ".partial", ".crdownload", ".download", ".tmp", ".filepart", ".swp"];
    name.starts_with('.') || name.starts_with("~$") || name.ends_with('~') || ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_unfinished_files_are_left_alone() {
        for name in ["a.part", "b.PDF.crdownload", "~$offer.docx", ".hidden", "x.tmp", "y~"] {
            assert!(temporary(OsStr::new(name)), "{name}");
        }
        for name in ["a.pdf", "part.xml", "Rechnung 4711.pdf", "tmp"] {
            assert!(!temporary(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_claim_says_what_was_claimed_and_through_which_channel() {
        let id = "01a203c6-04bd-732c-8d00-000000000001";
        let claim = |inside: &str| {
            let claim = described(Path::new("/in/.claimed/node"), &Path::new("/in/.claimed/node").join(inside));
            claim.map(|claim| (claim.channel, claim.name))
        };
        let told = |channel: &str, name: &str| Some((channel.to_owned(), name.to_owned()));
        assert_eq!(claim(&format!("{id}~a.pdf")), told("inbox", "a.pdf"));
        assert_eq!(claim(&format!("invoices/de/{id}~b~1.pdf")), told("invoices/de", "b~1.pdf"));
        assert_eq!(claim("notes.txt"), None);
        assert_eq!(ending("Rechnung für Müller.pdf", 11), "Müller.pdf");
    }
}
