//! The log handed out: plain C2SP tiles that any verifier can read, and nothing that needs this program.

use std::path::{Path, PathBuf};

use audit::{Act, TileFile, TileWriter};
use case::{Actor, Deed, Timestamp};

use crate::db::Arg;
use crate::log::{Draft, signed};
use crate::{Error, Head, Store, vault};

#[derive(Clone, Debug)]
pub struct Exported {
    pub dir: PathBuf,
    pub head: Head,
}

const ENTRIES_AT_ONCE: i64 = 2_000;
const HOUR_MICROS: i64 = 3_600_000_000;

impl Store {
    /// Writes the log up to its newest head into `dir`: `checkpoint`, `tile/…`, `checkpoints/…`, `keys`, README.
    /// The export itself is its last entry. Calls `progress` with entries written and entries in all.
    pub async fn export_log(
        &self,
        dir: &Path,
        by: &Actor,
        now: Timestamp,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Exported, Error> {
        self.authorize(by, Deed::ReadLog, now).await?;
        let mut entry = Draft::new(Act::LogExport, by);
        if let Some(head) = self.head().await? {
            entry.count("size", signed(head.size)?);
            entry.tell("root", head.root);
        }
        self.enter(entry, now).await?;
        self.seal_log(now).await?;
        self.sign_log(now).await?;
        let head = self.head().await?.ok_or_else(|| Error::Row { what: "the log has no head".to_owned() })?;

        let mut writer = TileWriter::new();
        while writer.size() < head.size {
            let from = signed(writer.size())?;
            let until = (from + ENTRIES_AT_ONCE).min(signed(head.size)?);
            let rows = self
                .db
                .rows(
                    "SELECT position, leaf FROM log_entries WHERE $1 <= position AND position < $2 ORDER BY position",
                    &[Arg::Int(from), Arg::Int(until)],
                )
                .await?;
            if rows.is_empty() {
                return Err(Error::Row {
                    what: format!("the log ends at entry {from}, its head promises {}", head.size),
                });
            }
            let mut files = Vec::new();
            for row in rows {
                files.extend(writer.push(row.bytes(1)?)?);
            }
            self.write_files(dir, files).await?;
            progress(writer.size(), head.size);
        }
        if writer.root().to_string() != head.root {
            // Never hand out a log that its own head contradicts.
            let what = format!(
                "the entries give root {}, the signed head says {}; run `countersign check`",
                writer.root(),
                head.root
            );
            return Err(Error::Row { what });
        }
        self.write_files(dir, writer.partials()).await?;
        let file = |path: &str, text: String| TileFile { path: path.to_owned(), bytes: text.into_bytes() };
        let (mut hour, mut kept) = (None, None);
        let mut files = vec![file("keys", format!("{}\n", head.verifier_key)), file("README.md", readme(&head))];
        for row in self
            .db
            .rows(
                "SELECT size, note, signed_at FROM log_heads WHERE size <= $1 ORDER BY size",
                &[Arg::Int(signed(head.size)?)],
            )
            .await?
        {
            // A busy service signs a head every second; the last of each hour is kept for auditors.
            if hour != Some(row.int(2)? / HOUR_MICROS) {
                files.extend(kept.take());
            }
            hour = Some(row.int(2)? / HOUR_MICROS);
            kept = Some(file(&format!("checkpoints/{}", row.int(0)?), row.text(1)?.to_owned()));
        }
        files.extend(kept);
        self.write_files(dir, files).await?;
        // Last: a reader who finds this head finds everything below it.
        self.write_files(dir, vec![file("checkpoint", head.note.clone())]).await?;
        Ok(Exported { dir: dir.to_owned(), head })
    }

    async fn write_files(&self, dir: &Path, files: Vec<TileFile>) -> Result<(), Error> {
        let dir = dir.to_owned();
        self.blocking(move |_| files.iter().try_for_each(|file| write_file(&dir, file))).await?
    }
}

fn write_file(dir: &Path, file: &TileFile) -> Result<(), Error> {
    let path = dir.join(&file.path);
    let failed = |doing: &'static str| {
        let path = path.clone();
        move |source| Error::Io { doing, path, source }
    };
    let folder = path.parent().unwrap_or(dir);
    std::fs::create_dir_all(folder).map_err(failed("make folder for"))?;
    let staging = path.with_extension("part");
    vault::replace(&staging, &path, &file.bytes).map_err(failed("write"))
}

fn readme(head: &Head) -> String {
    format!(
        "# Audit log `{origin}`\n\n\
         {size} entries. Everything here is plain C2SP `tlog-tiles`: `checkpoint` is the signed head, `tile/` the Merkle tree,\n\
         `tile/entries/` the entries, `checkpoints/` earlier heads, `keys` the verifier keys.\n\n\
         Get the key from somebody you trust, not from this folder. It should be\n\n    {key}\n\n\
         Check the log with the auditor's program:\n\n    auditor . --key '{key}'\n\n\
         The same against a head that you kept from an earlier visit:\n\n    auditor . --key '{key}' --since old-checkpoint\n\n\
         Or with a program that is not ours, such as Go's `golang.org/x/mod/sumdb/tlog` and `note` packages: hash each entry\n\
         (SHA-256 of 0x00 and its bytes), build the RFC 6962 tree, compare with the root in `checkpoint`, verify its signature.\n",
        origin = head.origin,
        size = head.size,
        key = head.verifier_key,
    )
}
