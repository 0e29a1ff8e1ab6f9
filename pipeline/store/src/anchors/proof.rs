//! Proofs out of the published tiles that a head continues an earlier one.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use audit::{Frontier, Hash, TileReader, node_hash, prove_consistency, verify_consistency};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::NewestHead;
use crate::Error;

/// 256 hashes.
const TILE_BYTES_MAX: u64 = 8 << 10;
/// A head that is signed meanwhile takes partial tiles away from under the reader.
const ATTEMPTS_MAX: usize = 3;

/// The body of `add-checkpoint`: the old size, the proof, an empty line, the head.
pub(super) fn request(dir: &Path, head: &NewestHead, old: u64) -> Result<Vec<u8>, Error> {
    let (proof, root) = retried(|| {
        let mut tiles = TileReader::new(head.size, |path: &str| read_tile(dir, path));
        let proof = prove_consistency(old, head.size, &mut |level, n| tiles.subtree(level, n))?;
        let root = first(old, &mut |level, n| tiles.subtree(level, n))?;
        Ok((proof, root))
    })?;
    if !verify_consistency(old, head.size, &root, &head.root, &proof) {
        let what = format!("the published tiles do not give the root of the head of {} entries", head.size);
        return Err(Error::Row { what });
    }
    let lines = proof.iter().map(|hash| format!("{}\n", BASE64.encode(hash.0))).collect::<String>();
    Ok(format!("old {old}\n{lines}\n{}", head.note).into_bytes())
}

/// The root of the tree over the first `size` entries of those that `head` covers.
pub(super) fn root_of_first(dir: &Path, head: &NewestHead, size: u64) -> Result<Hash, Error> {
    retried(|| {
        let mut tiles = TileReader::new(head.size, |path: &str| read_tile(dir, path));
        first(size, &mut |level, n| tiles.subtree(level, n))
    })
}

/// RFC 6962, section 2.1: a tree is made of one perfect subtree for each bit of its size, the largest to the left.
fn first(size: u64, subtree: &mut dyn FnMut(u32, u64) -> Result<Hash, audit::Error>) -> Result<Hash, audit::Error> {
    let mut root = None;
    for level in (0..u64::BITS).filter(|level| size >> level & 1 == 1) {
        let left = subtree(level, (size >> level) - 1)?;
        root = Some(root.map_or(left, |right| node_hash(&left, &right)));
    }
    Ok(root.unwrap_or_else(|| Frontier::new().root()))
}

fn retried<T>(mut attempt: impl FnMut() -> Result<T, audit::Error>) -> Result<T, Error> {
    let mut last = attempt();
    for _ in 1..ATTEMPTS_MAX {
        if last.is_ok() {
            break;
        }
        last = attempt();
    }
    last.map_err(Error::Proof)
}

/// A tile by its path. Where a partial one made way for a wider one, its beginning is what is asked for.
fn read_tile(dir: &Path, path: &str) -> Result<Vec<u8>, io::Error> {
    match read(&dir.join(path)) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let (folder, width) =
        path.rsplit_once('/').filter(|(folder, _)| folder.ends_with(".p")).ok_or(io::ErrorKind::NotFound)?;
    let width: usize = width.parse().map_err(|_| io::ErrorKind::NotFound)?;
    let wider = fs::read_dir(dir.join(folder))?
        .filter_map(|child| child.ok()?.file_name().to_str()?.parse::<usize>().ok())
        .filter(|found| width <= *found)
        .max()
        .ok_or(io::ErrorKind::NotFound)?;
    let mut tile = read(&dir.join(folder).join(wider.to_string()))?;
    tile.truncate(width * 32);
    Ok(tile)
}

fn read(path: &Path) -> Result<Vec<u8>, io::Error> {
    let mut bytes = Vec::new();
    File::open(path)?.take(TILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use audit::{LogKey, TileWriter, TreeHead, leaf_hash, sign};

    use super::*;

    /// The tiles of a log of `sizes` entries, as they lie after each of these heads was published and superseded the one
    /// before, and the heads.
    fn published(dir: &Path, sizes: &[u64]) -> Vec<NewestHead> {
        let mut writer = TileWriter::new();
        let mut heads: Vec<NewestHead> = Vec::new();
        let mut frontier = Frontier::new();
        let origin = "audit.example.com/acme/1";
        let key = LogKey::from_seed(origin, &[1; 32]).unwrap();
        for size in sizes {
            let mut files = Vec::new();
            while writer.size() < *size {
                let leaf = writer.size().to_be_bytes();
                frontier.append(leaf_hash(&leaf));
                files.extend(writer.push(&leaf).unwrap());
            }
            files.extend(writer.partials());
            files.iter().for_each(|file| crate::publish::write_durably(dir, file).unwrap());
            let before = heads.last().map_or(0, |head| head.size);
            crate::publish::remove_superseded(dir, before, *size).unwrap();
            let root = frontier.root();
            let note = sign(&TreeHead { origin: origin.into(), size: *size, root }, &key);
            heads.push(NewestHead { origin: origin.into(), size: *size, note, log: 1, root, signed_at: 0 });
        }
        heads
    }

    /// Reads the request as a witness does.
    fn read_request(request: &[u8]) -> (u64, Vec<Hash>, String) {
        let text = String::from_utf8(request.to_vec()).unwrap();
        let (before, note) = text.split_once("\n\n").unwrap();
        let mut lines = before.lines();
        let old = lines.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
        let proof = lines.map(|line| Hash(BASE64.decode(line).unwrap().try_into().unwrap())).collect();
        (old, proof, note.to_owned())
    }

    #[test]
    fn every_head_is_proved_to_continue_every_earlier_one_though_its_partial_tiles_are_gone() {
        let dir = tempfile::tempdir().unwrap();
        let heads = published(dir.path(), &[1, 2, 3, 200, 255, 256, 257, 300, 511, 512, 700]);
        for (at, head) in heads.iter().enumerate() {
            for old in &heads[..=at] {
                let (from, proof, note) = read_request(&request(dir.path(), head, old.size).unwrap());
                assert_eq!((from, &note), (old.size, &head.note));
                assert!(verify_consistency(old.size, head.size, &old.root, &head.root, &proof), "{from}");
                assert_eq!(root_of_first(dir.path(), head, old.size).unwrap(), old.root);
            }
            let (from, proof, _) = read_request(&request(dir.path(), head, 0).unwrap());
            assert_eq!((from, proof), (0, Vec::new()));
        }
    }

    #[test]
    fn no_proof_leaves_the_house_that_does_not_lead_to_the_signed_root() {
        let dir = tempfile::tempdir().unwrap();
        let heads = published(dir.path(), &[300, 700]);
        // The one that holds the 300th entry's neighbours.
        let tile = dir.path().join("tile/0/001");
        let mut bytes = fs::read(&tile).unwrap();
        bytes[17] ^= 1;
        fs::write(&tile, bytes).unwrap();
        let refused = request(dir.path(), &heads[1], 300);
        assert!(matches!(refused, Err(Error::Row { .. } | Error::Proof(_))), "{refused:?}");
        fs::remove_file(&tile).unwrap();
        assert!(matches!(request(dir.path(), &heads[1], 300), Err(Error::Proof(audit::Error::Read { .. }))));
        // Longer than the head.
        assert!(request(dir.path(), &heads[0], 301).is_err());
    }
}
