//! The log in the open: plain C2SP tiles in a folder, and a head that is signed only when it continues what this node
//! signed before.
//!
//! Beside the keys, away from the data, lies `signed-head`: origin, size and root of the last head that was signed here. A
//! database that was brought back from an older copy, cut, or rewritten does not continue it, and is not signed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use audit::{Frontier, Hash, Leaf, TILE_WIDTH, TileFile, TileWriter, TreeHead, entries_path, tile_path};
use case::Timestamp;

use crate::db::Arg;
use crate::log::{Tail, hash, signed};
use crate::{Custody, Error, Store, boxed, vault};

const ENTRIES_AT_ONCE: i64 = 2_000;
const HOUR_MICROS: i64 = 3_600_000_000;
const SIGNED_HEAD_BYTES_MAX: u64 = 4 << 10;

/// The last head that this node signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedHead {
    pub(crate) origin: String,
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

impl Store {
    /// Publishes what was sealed since the last head, and signs the head: tiles are written, synced, read back and
    /// recomputed first. Refuses, and stops everything that would need another entry, when the log is not the
    /// continuation of what was signed here before.
    #[boxed]
    pub async fn sign_log(&self, now: Timestamp) -> Result<(), Error> {
        // Other processes publish into the same folder.
        let folder = self.published.clone();
        let _alone = self.blocking(move |_| lock(&folder)).await??;
        match self.publish(now).await {
            Err(err @ (Error::RolledBack { .. } | Error::Forked { .. } | Error::LogStopped { .. })) => {
                self.stop_log(&err.to_string());
                Err(err)
            }
            other => other,
        }
    }

    /// From here on nothing is done that would need another entry, and everybody is told why.
    pub fn stop_log(&self, why: &str) {
        *self.log_refusal.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(why.to_owned());
    }

    async fn publish(&self, now: Timestamp) -> Result<(), Error> {
        let tail = self.tail().await?;
        if tail.origin != *self.origin {
            let what =
                format!("the log here is now `{}`, not `{}`: start again with that origin", tail.origin, self.origin);
            return Err(Error::Unacceptable { what });
        }
        let before = self.signed_before(&tail)?;
        let last = "SELECT signed_at, note FROM log_heads WHERE log = $1 AND size = $2";
        let there = self.db.row(last, &[Arg::Int(tail.log), Arg::Int(signed(tail.size())?)]).await?.is_some();
        if (there && before.size == tail.size()) || tail.size() == 0 {
            return Ok(());
        }
        let dir = self.published.join(tail.log.to_string());
        let mut writer = match self.resumed(&dir, &before).await {
            Ok(writer) => writer,
            // The folder is gone or was touched: it is made again from the entries, which must give what was signed.
            Err(_) => self.made_again(&dir, &tail, &before).await?,
        };
        self.extend(&dir, tail.log, &mut writer, tail.size(), &mut |_| ()).await?;
        if writer.root() != tail.root() {
            return Err(Error::Forked { size: tail.size(), signed: before.size });
        }
        let partials = writer.partials();
        self.write_tiles(&dir, partials).await?;
        let back = self.resumed(&dir, &SignedHead { root: writer.root(), size: tail.size(), ..before.clone() }).await?;
        if back.root() != tail.root() {
            return Err(Error::Row { what: "the published log does not read back as it was written".to_owned() });
        }
        let head = SignedHead { origin: tail.origin.clone(), size: tail.size(), root: tail.root() };
        note_signed(&self.signed_head_path(), &head)?;
        self.sign_head(&tail, &dir, &before, now).await
    }

    async fn sign_head(&self, tail: &Tail, dir: &Path, before: &SignedHead, now: Timestamp) -> Result<(), Error> {
        let head = TreeHead { origin: tail.origin.clone(), size: tail.size(), root: tail.root() };
        let keys = self.signing_keys(tail).await?;
        let note = audit::sign_by(&head, &keys.iter().collect::<Vec<_>>());
        let mut tx = self.db.begin().await?;
        // A busy service signs a head every second; of those that nobody vouched for, the last of each hour is kept, and
        // those where one key gave its word for another.
        if let Some(last) = tx
            .row(
                "SELECT note FROM log_heads WHERE log = $1 AND size = $2 AND signed_at >= $3
                 AND NOT EXISTS (SELECT 1 FROM log_anchors WHERE log = $1 AND size = $2)",
                &[Arg::Int(tail.log), Arg::Int(signed(before.size)?), Arg::Int(now.0 - now.0.rem_euclid(HOUR_MICROS))],
            )
            .await?
            && audit::signers(last.text(0)?.as_bytes(), &self.verifiers(&tail.origin)?)?.len() < 2
        {
            let args = [Arg::Int(tail.log), Arg::Int(signed(before.size)?)];
            tx.execute("DELETE FROM log_heads WHERE log = $1 AND size = $2", &args).await?;
        }
        tx.execute(
            "INSERT INTO log_heads (log, size, signed_at, note) VALUES ($1, $2, $3, $4) ON CONFLICT (log, size) DO NOTHING",
            &[Arg::Int(tail.log), Arg::Int(signed(tail.size())?), Arg::Int(now.0), Arg::Text(&note)],
        )
        .await?;
        tx.commit().await?;
        let (dir, old, size) = (dir.to_owned(), before.size, tail.size());
        self.blocking(move |_| {
            write_durably(&dir, &TileFile { path: "checkpoint".to_owned(), bytes: note.into_bytes() })?;
            remove_superseded(&dir, old, size)
        })
        .await?
    }

    /// The last head that was signed here, which the log must continue.
    pub(crate) fn signed_before(&self, tail: &Tail) -> Result<SignedHead, Error> {
        let nothing = SignedHead { origin: tail.origin.clone(), size: 0, root: Frontier::new().root() };
        let path = self.signed_head_path();
        let Some(before) = read_signed_head(&path)? else { return Ok(nothing) };
        if before.origin != tail.origin {
            // A new log was begun, which names the end of the one before in its first entry.
            return Ok(nothing);
        }
        if tail.size() < before.size {
            return Err(Error::RolledBack { was: before.size, now: tail.size() });
        }
        Ok(before)
    }

    pub(crate) fn signed_head_path(&self) -> PathBuf {
        signed_head_path(&self.custody)
    }

    /// The tiles of a folder, ready to be continued after `head`, whose root they give.
    pub(crate) async fn resumed(&self, dir: &Path, head: &SignedHead) -> Result<TileWriter, Error> {
        let (dir, head) = (dir.to_owned(), head.clone());
        self.blocking(move |_| {
            let writer = TileWriter::resume(head.size, &mut |path| fs::read(dir.join(path)))?;
            if writer.root() != head.root {
                return Err(Error::Forked { size: head.size, signed: head.size });
            }
            Ok(writer)
        })
        .await?
    }

    async fn made_again(&self, dir: &Path, tail: &Tail, before: &SignedHead) -> Result<TileWriter, Error> {
        let mut writer = TileWriter::new();
        self.extend(dir, tail.log, &mut writer, before.size, &mut |_| ()).await?;
        if writer.root() != before.root {
            return Err(Error::Forked { size: tail.size(), signed: before.size });
        }
        self.write_tiles(dir, writer.partials()).await?;
        Ok(writer)
    }

    /// Appends the log's entries to the tiles, until there are `until`; each must follow the one before it.
    pub(crate) async fn extend(
        &self,
        dir: &Path,
        log: i64,
        writer: &mut TileWriter,
        until: u64,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), Error> {
        let mut prev = self.last_leaf(dir, writer.size()).await?;
        while writer.size() < until {
            let from = signed(writer.size())?;
            let rows = self
                .db
                .rows(
                    "SELECT position, leaf FROM log_entries WHERE log = $1 AND $2 <= position AND position < $3
                     ORDER BY position",
                    &[Arg::Int(log), Arg::Int(from), Arg::Int((from + ENTRIES_AT_ONCE).min(signed(until)?))],
                )
                .await?;
            if rows.is_empty() {
                return Err(Error::Row { what: format!("the log ends at entry {from}, {until} were sealed") });
            }
            let mut files = Vec::new();
            for row in rows {
                let bytes = row.bytes(1)?;
                let leaf = Leaf::parse(bytes)?;
                if leaf.index != writer.size() || leaf.prev != prev {
                    return Err(Error::Forked { size: leaf.index, signed: writer.size() });
                }
                prev = audit::leaf_hash(bytes);
                files.extend(writer.push(bytes)?);
            }
            self.write_tiles(dir, files).await?;
            progress(writer.size());
        }
        Ok(())
    }

    /// The hash of the entry before `size`, from the tiles.
    async fn last_leaf(&self, dir: &Path, size: u64) -> Result<Hash, Error> {
        let Some(last) = size.checked_sub(1) else { return Ok(Hash::ZERO) };
        let (n, width) = (last / TILE_WIDTH, last % TILE_WIDTH + 1);
        let path = dir.join(tile_path(0, n, width));
        let bytes = self
            .blocking(move |_| fs::read(&path).map_err(|source| Error::Io { doing: "read", path, source }))
            .await??;
        hash(bytes.last_chunk::<32>().map_or(&[][..], |last| last.as_slice()))
    }

    async fn write_tiles(&self, dir: &Path, files: Vec<TileFile>) -> Result<(), Error> {
        let dir = dir.to_owned();
        self.blocking(move |_| files.iter().try_for_each(|file| write_durably(&dir, file))).await?
    }
}

pub(crate) fn signed_head_path(custody: &Custody) -> PathBuf {
    custody.folder.join("signed-head")
}

pub(crate) fn note_signed(path: &Path, head: &SignedHead) -> Result<(), Error> {
    let staging = path.with_extension("new");
    drop(fs::remove_file(&staging));
    let text = format!("{}\n{}\n{}\n", head.origin, head.size, head.root);
    vault::replace(&staging, path, text.as_bytes()).map_err(|source| Error::Io {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}

/// What `signed-head` says; None when nothing was signed here.
pub(crate) fn read_signed_head(path: &Path) -> Result<Option<SignedHead>, Error> {
    let failed = |source| Error::Io { doing: "read", path: path.to_owned(), source };
    let size = match fs::metadata(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?.len(),
    };
    let malformed = || Error::Row { what: format!("`{}` is not origin, size and root", path.display()) };
    if SIGNED_HEAD_BYTES_MAX < size {
        return Err(malformed());
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let [origin, size, root] = *text.lines().collect::<Vec<_>>() else { return Err(malformed()) };
    let size = size.parse().map_err(|_| malformed())?;
    let root = Hash::from_hex(root.as_bytes()).ok_or_else(malformed)?;
    Ok(Some(SignedHead { origin: origin.to_owned(), size, root }))
}

/// Writes, syncs, and reads back.
pub(crate) fn write_durably(dir: &Path, file: &TileFile) -> Result<(), Error> {
    let path = dir.join(&file.path);
    let failed = |doing: &'static str| {
        let path = path.clone();
        move |source| Error::Io { doing, path, source }
    };
    fs::create_dir_all(path.parent().unwrap_or(dir)).map_err(failed("make folder for"))?;
    let staging = path.with_extension("part");
    // What a crash left half-way.
    drop(fs::remove_file(&staging));
    vault::replace(&staging, &path, &file.bytes).map_err(failed("write"))?;
    if fs::read(&path).map_err(failed("read back"))? != file.bytes {
        let source = io::Error::other("other bytes came back than were written");
        return Err(failed("write")(source));
    }
    Ok(())
}

/// Removes the partial tiles of a tree of `old` entries that one of `new` entries has no more use for.
pub(crate) fn remove_superseded(dir: &Path, old: u64, new: u64) -> Result<(), Error> {
    let mut partials =
        vec![(entries_path(old / TILE_WIDTH, old % TILE_WIDTH), entries_path(new / TILE_WIDTH, new % TILE_WIDTH))];
    for level in (0..8).take_while(|level| old >> (8 * level) != 0) {
        let path = |size: u64| tile_path(level, (size >> (8 * level)) / TILE_WIDTH, (size >> (8 * level)) % TILE_WIDTH);
        partials.push((path(old), path(new)));
    }
    for (old, _) in partials.iter().filter(|(old, new)| old != new) {
        let path = dir.join(old);
        match fs::remove_file(&path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => {
                return Err(Error::Io { doing: "remove", path, source: err });
            }
            // Where it was the last one, its folder goes too.
            Ok(()) | Err(_) => drop(path.parent().map(fs::remove_dir)),
        }
    }
    Ok(())
}

/// One process publishes at a time.
pub(crate) fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join(".lock");
    let failed = |source| Error::Io { doing: "lock", path: path.clone(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    let file = File::create(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}
