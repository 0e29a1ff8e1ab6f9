//! Receipts out of the published tiles of a log: each proves one entry against a signed head, C2SP tlog-proof.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use audit::{TileReader, TreeHead, VerifierKey};

use crate::db::Arg;
use crate::{Error, Store};

/// How often a head is looked up again because a newer one took its tiles away.
const LOOKS_MAX: u32 = 20;
/// No tile of hashes is larger.
const TILE_BYTES_MAX: u64 = 8 << 10;

/// Proves entries of one log, all against one head, as long as it lives.
#[derive(Debug)]
pub(crate) struct Prover {
    pub(crate) head: TreeHead,
    /// The head as it was signed, with the lines of those who cosigned it.
    pub(crate) note: String,
    /// The key that verifies it.
    pub(crate) key: VerifierKey,
    tiles: TileReader<ReadTile>,
}

type ReadTile = Box<dyn FnMut(&str) -> io::Result<Vec<u8>> + Send + Sync>;

impl Store {
    /// For the newest signed head of this log.
    pub(crate) async fn prover(&self, log: i64) -> Result<Prover, Error> {
        let sql = "SELECT log_tail.origin, log_heads.note, log_heads.size FROM log_heads JOIN log_tail ON log_tail.log = log_heads.log
                   WHERE log_heads.log = $1 ORDER BY log_heads.size DESC LIMIT 1";
        let mut looks = 0;
        loop {
            let row = self.db.row(sql, &[Arg::Int(log)]).await?;
            let row = row.ok_or_else(|| Error::Row { what: format!("log {log} has no signed head") })?;
            let keys = self.verifiers(row.text(0)?)?;
            let note = self.cosigned(log, row.int(2)?.unsigned_abs(), row.text(1)?).await?;
            let dir = self.published.join(log.to_string());
            looks += 1;
            match self.blocking(move |_| Prover::new(note, &keys, dir)).await? {
                // A newer head was signed meanwhile, and the tiles of the right edge are now its own.
                Err(Error::Audit(audit::Error::Read { source, .. }))
                    if source.kind() == io::ErrorKind::NotFound && looks < LOOKS_MAX => {}
                other => return other,
            }
        }
    }
}

impl Prover {
    fn new(note: String, keys: &[VerifierKey], dir: PathBuf) -> Result<Prover, Error> {
        let head = audit::open_checkpoint(note.as_bytes(), keys)?;
        let key = audit::signers(note.as_bytes(), keys)?.into_iter().next();
        let key = key.ok_or_else(|| Error::Row { what: "a head is signed by no key".to_owned() })?;
        // Partial tiles go when a newer head is signed. All that this head needs are read here, for its root, and kept.
        let mut edge = BTreeMap::new();
        let read: ReadTile = Box::new(move |path| {
            if let Some(tile) = edge.get(path) {
                return Ok(Clone::clone(tile));
            }
            let mut tile = Vec::new();
            File::open(dir.join(path))?.take(TILE_BYTES_MAX + 1).read_to_end(&mut tile)?;
            if path.contains(".p/") {
                edge.insert(path.to_owned(), tile.clone());
            }
            Ok(tile)
        });
        let mut tiles = TileReader::new(head.size, read);
        let root = tiles.root()?;
        if root != head.root {
            let what = format!("the published tiles give root {root}, the signed head says {}", head.root);
            return Err(Error::Row { what });
        }
        Ok(Prover { head, note, key, tiles })
    }

    /// The receipt of the entry with these bytes at `index`. It is verified before anybody gets it.
    pub(crate) fn receipt(&mut self, index: u64, entry: &[u8]) -> Result<String, Error> {
        let tiles = &mut self.tiles;
        let proof = audit::prove_inclusion(index, self.head.size, &mut |level, n| tiles.subtree(level, n))?;
        let receipt = audit::write_receipt(index, &proof, &self.note, &[]);
        audit::verify_receipt(receipt.as_bytes(), entry, std::slice::from_ref(&self.key))?;
        Ok(receipt)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use audit::{LogKey, TileWriter};

    use super::*;

    #[test]
    fn a_head_proves_its_entries_after_the_tiles_of_its_right_edge_are_gone() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let mut tiles = TileWriter::new();
        for entry in 0..600_u64 {
            tiles.push(&entry.to_be_bytes()).unwrap().iter().for_each(|file| write(&file.path, &file.bytes));
        }
        let partials = tiles.partials();
        partials.iter().for_each(|file| write(&file.path, &file.bytes));
        let key = LogKey::from_seed("audit.test.example/tests/1", &[7; 32]).unwrap();
        let head = TreeHead { origin: "audit.test.example/tests/1".into(), size: 600, root: tiles.root() };
        let new = || Prover::new(audit::sign(&head, &key), &[key.verifier()], dir.path().to_owned());
        let mut prover = new().unwrap();
        for file in &partials {
            std::fs::remove_file(dir.path().join(&file.path)).unwrap();
        }
        for index in [0, 255, 256, 511, 512, 599] {
            let receipt = prover.receipt(index, &index.to_be_bytes()).unwrap();
            audit::verify_receipt(receipt.as_bytes(), &index.to_be_bytes(), &[key.verifier()]).unwrap();
            assert!(prover.receipt(index, b"another entry").is_err(), "nothing leaves that does not verify");
        }
        let gone = new().unwrap_err();
        let not_there = matches!(&gone, Error::Audit(audit::Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound);
        assert!(not_there, "{gone:?}");
    }

    #[test]
    fn tiles_that_contradict_the_signed_head_prove_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut tiles = TileWriter::new();
        tiles.push(b"entry").unwrap();
        for file in tiles.partials() {
            let path = dir.path().join(&file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, [0; 32]).unwrap();
        }
        let key = LogKey::from_seed("audit.test.example/tests/1", &[7; 32]).unwrap();
        let head = TreeHead { origin: "audit.test.example/tests/1".into(), size: 1, root: tiles.root() };
        let prover = Prover::new(audit::sign(&head, &key), &[key.verifier()], dir.path().to_owned());
        assert!(matches!(prover, Err(Error::Row { .. })), "{prover:?}");
    }
}
