//! Heads as files at a second place, for auditors without a network: each of some 200 bytes, written once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use store::NewestHead;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::anchors::{Newest, Patience};

const DROP_EVERY: Duration = Duration::from_secs(60 * 60);

/// A folder on another machine, or on a medium that somebody takes away.
#[derive(Clone, Debug)]
pub struct HeadsFolder(pub PathBuf);

impl HeadsFolder {
    /// Drops the newest head every hour, and the last one.
    pub(crate) async fn follow(self, mut newest: Newest) {
        let mut patience = Patience::new(format!("No head of the log reaches `{}`", self.0.display()));
        let mut dropped_at: Option<Instant> = None;
        loop {
            let open = patience.wait(&mut newest).await;
            let head = newest.borrow_and_update().clone();
            if let Some(head) = head
                && (!open || dropped_at.is_none_or(|at| DROP_EVERY <= at.elapsed()))
            {
                match self.drop_head(head).await {
                    Ok(()) => {
                        patience.good();
                        dropped_at = Some(Instant::now());
                    }
                    Err(err) => patience.bad(&err.to_string()),
                }
            }
            if !open {
                return;
            }
        }
    }

    async fn drop_head(&self, head: Arc<NewestHead>) -> io::Result<()> {
        let folder = self.0.clone();
        let (done, dropped) = oneshot::channel();
        // On a share that is gone a write may hang for ever. The program does not wait for this thread when it ends.
        std::thread::spawn(move || drop(done.send(write_once(&folder, &file_name(&head), head.note.as_bytes()))));
        dropped.await.map_err(io::Error::other)?
    }
}

/// `audit.example.com_acme_1-70000`
fn file_name(head: &NewestHead) -> String {
    format!("{}-{}", head.origin.replace('/', "_"), head.size)
}

/// Writes a file that was not there; one that is there stays as it is, whatever it holds. The folder is not made: where a
/// share is not mounted, a folder of its name would take the heads and nobody would ever see them.
fn write_once(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join(name);
    if fs::symlink_metadata(&path).is_ok() {
        return Ok(());
    }
    let staging = folder.join(format!(".{name}.{}.part", std::process::id()));
    // What a crash left. Made anew, so that nothing is written through a link that somebody put there.
    drop(fs::remove_file(&staging));
    let mut file = File::create_new(&staging)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    // A link is refused where the name was taken meanwhile. Some shares have no links; there the look before must do.
    let linked = match fs::hard_link(&staging, &path) {
        Ok(()) => fs::remove_file(&staging),
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => fs::remove_file(&staging),
        Err(_) => fs::rename(&staging, &path),
    };
    linked?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|child| child.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_head_is_written_whole_or_not_and_what_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        write_once(dir.path(), "log-7", b"seven").unwrap();
        assert_eq!(fs::read(dir.path().join("log-7")).unwrap(), b"seven");
        write_once(dir.path(), "log-7", b"another seven").unwrap();
        assert_eq!(fs::read(dir.path().join("log-7")).unwrap(), b"seven");
        assert_eq!(names(dir.path()), ["log-7"]);
        // A folder that is not mounted is not made.
        let missing = dir.path().join("missing");
        assert!(write_once(&missing, "log-7", b"seven").is_err());
        assert!(!missing.exists());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link_that_somebody_put_into_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, precious) = (dir.path().join("heads"), dir.path().join("precious"));
        fs::create_dir(&folder).unwrap();
        fs::write(&precious, b"precious").unwrap();
        for name in ["log-7".to_owned(), format!(".log-8.{}.part", std::process::id())] {
            std::os::unix::fs::symlink(&precious, folder.join(name)).unwrap();
        }
        write_once(&folder, "log-7", b"seven").unwrap();
        write_once(&folder, "log-8", b"eight").unwrap();
        assert_eq!(fs::read(&precious).unwrap(), b"precious");
        assert_eq!(fs::read(folder.join("log-8")).unwrap(), b"eight");
        assert_eq!(names(&folder), ["log-7", "log-8"]);
    }
}
