//! The log handed out: plain C2SP tiles that any verifier can read, and nothing that needs this program.

use std::fs;
use std::path::{Path, PathBuf};

use audit::{Act, TileFile, TileWriter};
use case::{Actor, Deed, Timestamp};

use crate::log::Tail;
use crate::publish::{SignedHead, remove_superseded, write_durably};
use crate::{Error, Head, Store, boxed};

#[derive(Clone, Debug)]
pub struct Exported {
    pub dir: PathBuf,
    pub head: Head,
    /// Entries that an earlier export had put there already.
    pub before: u64,
}

impl Store {
    /// Writes the log up to its newest head into `dir`: `checkpoint`, `tile/…`, `checkpoints/…`, `keys`, README. An
    /// earlier export there is continued. The export itself is its last entry. Calls `progress` with entries written and
    /// entries in all.
    #[boxed]
    pub async fn export_log(
        &self,
        dir: &Path,
        by: &Actor,
        now: Timestamp,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<Exported, Error> {
        self.authorize(by, Deed::ReadLog, now).await?;
        self.enter(self.draft_on_head(Act::LogExport, by).await?, now).await?;
        self.seal_log(now).await?;
        self.sign_log(now).await?;
        let head = self.head().await?.ok_or_else(|| Error::Row { what: "the log has no head".to_owned() })?;
        let tail = self.tail().await?;

        let (before, mut writer) = self.begun_export(dir, &tail).await?;
        self.extend(dir, tail.log, &mut writer, head.size, &mut |done| progress(done, head.size)).await?;
        if writer.root().to_string() != head.root {
            // Never hand out a log that its own head contradicts.
            let what = format!(
                "the entries give root {}, the signed head says {}; run `countersign check`",
                writer.root(),
                head.root
            );
            return Err(Error::Row { what });
        }
        let mut files = writer.partials();
        let keys = self.verifiers(&tail.origin)?.iter().map(|key| format!("{key}\n")).collect::<String>();
        let file = |path: &str, text: String| TileFile { path: path.to_owned(), bytes: text.into_bytes() };
        files.extend([file("keys", keys), file("README.md", readme(&head))]);
        self.export_heads(dir, tail.log, &head.origin, head.size).await?;
        // Last: a reader who finds this head finds everything below it.
        files.push(file("checkpoint", self.cosigned(tail.log, head.size, &head.note).await?));
        let (to, size) = (dir.to_owned(), head.size);
        self.blocking(move |_| {
            files.iter().try_for_each(|file| write_durably(&to, file))?;
            remove_superseded(&to, before, size)
        })
        .await??;
        Ok(Exported { dir: dir.to_owned(), head, before })
    }

    /// How much of the log lies in `dir` already, by its head, ready to be continued. Refuses a folder with anything else.
    async fn begun_export(&self, dir: &Path, tail: &Tail) -> Result<(u64, TileWriter), Error> {
        let failed = |source| Error::Io { doing: "read", path: dir.to_owned(), source };
        let note = match fs::read(dir.join("checkpoint")) {
            Ok(note) => note,
            // Nothing there, or an export that was cut short, which is written over.
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => {
                let strange = match fs::read_dir(dir) {
                    Ok(children) => children
                        .filter_map(Result::ok)
                        .map(|child| child.file_name().to_string_lossy().into_owned())
                        .find(|name| !["tile", "checkpoints", "anchors", "keys", "README.md"].contains(&name.as_str())),
                    Err(err) if err.kind() == std::io::ErrorKind::NotFound => None,
                    Err(err) => return Err(failed(err)),
                };
                return match strange {
                    None => Ok((0, TileWriter::new())),
                    Some(name) => Err(Error::Unacceptable {
                        what: format!("`{}` holds `{name}`, and no log: name an empty folder", dir.display()),
                    }),
                };
            }
            Err(err) => return Err(failed(err)),
        };
        let head = audit::open_checkpoint(&note, &self.verifiers(&tail.origin)?)?;
        if tail.size() < head.size {
            return Err(Error::RolledBack { was: head.size, now: tail.size() });
        }
        let there = SignedHead { origin: head.origin, size: head.size, root: head.root };
        Ok((head.size, self.resumed(dir, &there).await?))
    }
}

fn readme(head: &Head) -> String {
    format!(
        "# Audit log `{origin}`\n\n\
         {size} entries. Everything here is plain C2SP `tlog-tiles`: `checkpoint` is the signed head, `tile/` the Merkle tree,\n\
         `tile/entries/` the entries, `checkpoints/` earlier heads, `keys` the verifier keys, `anchors/` time stamps on the\n\
         heads in `checkpoints/` (RFC 3161). Heads carry the cosignatures of witnesses, each a line of its own.\n\n\
         Get the key from somebody you trust, not from this folder. It should be\n\n    {key}\n\n\
         Check the log with the auditor's program:\n\n    auditor . --key '{key}'\n\n\
         The same against a head that you kept from an earlier visit:\n\n    auditor . --key '{key}' --since old-checkpoint\n\n\
         Or with a program that is not ours, such as Go's `golang.org/x/mod/sumdb/tlog` and `note` packages: hash each entry\n\
         (SHA-256 of 0x00 and its bytes), build the RFC 6962 tree, compare with the root in `checkpoint`, verify its signature.\n\n\
         A time stamp is on the text of its head, which ends before the empty line. With OpenSSL and the certificate of the\n\
         time stamping service, for the stamp `anchors/N.tsr`:\n\n\
         \x20   sed '/^$/,$d' checkpoints/N > head\n\
         \x20   openssl ts -verify -data head -in anchors/N.tsr -CAfile tsa.pem\n",
        origin = head.origin,
        size = head.size,
        key = head.verifier_key,
    )
}
