//! Small logs to try the verifier on, and ways to tamper with them. The same call always makes the same bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, dead_code, unreachable_pub)]

use std::fs;
use std::path::{Path, PathBuf};

use audit::*;

pub const ORIGIN: &str = "audit.example.com/acme/1";
/// 2026-11-22T10:00:00Z
const START: i64 = 1_795_341_600_000_000;

pub fn key() -> LogKey {
    LogKey::from_seed(ORIGIN, &[1; 32]).unwrap()
}

/// A body as the product writes it: three cases take turns, each with its chain of revisions.
pub fn body(index: u64, earlier: &[Vec<u8>]) -> Vec<u8> {
    let acts = [Act::CaseAdmit, Act::CaseExtract, Act::CaseValidate, Act::ReviewCorrect, Act::ReviewApprove];
    let program = Program { node: "node-1".into(), ver: "0.1.0+1a2b3c4".into() };
    let actor = Actor { id: format!("u_{:06}", index * 7_919 % 1_000), kind: ActorKind::User };
    let (case, rev) = (index % 3, index / 3);
    let id = format!("0193a2b4-c5d6-7e8f-9a0b-{index:012x}");
    let mut body = Body::new(&id, at(index), acts[(rev % 5) as usize], actor, &program);
    body.obj = Some(Object { id: format!("case-{case}"), kind: "case".into() });
    body.rev = Some(rev);
    if rev != 0 {
        body.sprev = Some(body_hash(Leaf::parse(&earlier[(index - 3) as usize]).unwrap().body));
        (body.from, body.to) = (Some("Received".into()), Some("Extracted".into()));
    }
    let value = format!("geprüft {index}").into();
    body.c.insert("comment".into(), commit(&[index as u8; 32], "comment", &value).unwrap());
    body.d.insert("size_bytes".into(), Value::Integer(index as i64 * 1_000));
    body.d.insert("rules".into(), Value::List(vec!["BR-CO-10".into(), "発票".into()]));
    body.to_bytes().unwrap()
}

pub fn at(index: u64) -> i64 {
    START + index as i64 * 1_234_567
}

/// The sealed entries of a sound log.
pub fn leaves(count: u64) -> Vec<Vec<u8>> {
    let mut leaves = Vec::new();
    for index in 0..count {
        append(&mut leaves, index, at(index) + 500);
    }
    leaves
}

pub fn append(leaves: &mut Vec<Vec<u8>>, index: u64, sealed_at: i64) {
    let body = body(leaves.len() as u64, leaves);
    let prev = leaves.last().map_or(Hash::ZERO, |leaf| leaf_hash(leaf));
    leaves.push(seal(&body, index, prev, sealed_at).unwrap());
}

/// Seals the bodies from `from` on anew, as someone would who rebuilds the chain.
pub fn reseal(leaves: &mut [Vec<u8>], from: usize) {
    for index in from..leaves.len() {
        let prev = if index == 0 { Hash::ZERO } else { leaf_hash(&leaves[index - 1]) };
        let old = Leaf::parse(&leaves[index]).unwrap();
        leaves[index] = seal(old.body, index as u64, prev, old.sealed_at).unwrap();
    }
}

pub fn head(leaves: &[Vec<u8>]) -> TreeHead {
    let mut frontier = Frontier::new();
    leaves.iter().for_each(|leaf| frontier.append(leaf_hash(leaf)));
    TreeHead { origin: ORIGIN.to_owned(), size: frontier.size(), root: frontier.root() }
}

pub fn signed(leaves: &[Vec<u8>]) -> Vec<u8> {
    sign(&head(leaves), &key()).into_bytes()
}

/// Answers what a proof asks for.
pub fn subtree(leaves: &[Vec<u8>]) -> impl FnMut(u32, u64) -> Result<Hash, Error> {
    |level, n| Ok(head(&leaves[(n << level) as usize..((n + 1) << level) as usize]).root)
}

/// The receipt for the entry at `index`, for the head of all of them.
pub fn receipt(leaves: &[Vec<u8>], index: u64) -> String {
    let proof = prove_inclusion(index, leaves.len() as u64, &mut subtree(leaves)).unwrap();
    write_receipt(index, &proof, std::str::from_utf8(&signed(leaves)).unwrap(), b"")
}

/// A folder with a log in it.
pub struct Export {
    dir: tempfile::TempDir,
}

impl Export {
    pub fn of(leaves: &[Vec<u8>]) -> Export {
        let export = Export { dir: tempfile::tempdir().unwrap() };
        export.tiles(leaves);
        export.put("checkpoint", &signed(leaves));
        export
    }

    /// Writes the tiles and bundles of these entries, and no head.
    pub fn tiles(&self, leaves: &[Vec<u8>]) {
        self.each_file(leaves, &mut |file| self.put(&file.path, &file.bytes));
    }

    /// Writes the bundles of these entries where those of `size` entries were; the tiles stay as they are.
    pub fn bundles(&self, leaves: &[Vec<u8>], size: usize) {
        for (n, start) in (0..size).step_by(256).enumerate() {
            let width = (size - start).min(256);
            let last = start + width == size;
            let end = if last { leaves.len() } else { start + width };
            let bytes: Vec<u8> = leaves[start.min(end)..end].iter().flat_map(|leaf| prefixed(leaf)).collect();
            self.put(&entries_path(n as u64, width as u64), &bytes);
        }
    }

    pub fn each_file(&self, leaves: &[Vec<u8>], each: &mut dyn FnMut(TileFile)) {
        let mut writer = TileWriter::new();
        for leaf in leaves {
            writer.push(leaf).unwrap().into_iter().for_each(&mut *each);
        }
        writer.partials().into_iter().for_each(each);
    }

    pub fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn get(&self, path: &str) -> Vec<u8> {
        fs::read(self.path().join(path)).unwrap()
    }

    pub fn remove(&self, path: &str) {
        let path = self.path().join(path);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Every file of the export, by its path.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders: Vec<PathBuf> = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for child in fs::read_dir(folder).unwrap() {
                let path = child.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push(path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned()),
                }
            }
        }
        files.sort();
        files
    }

    pub fn verify(&self) -> Report {
        self.verify_since(&[])
    }

    pub fn verify_since(&self, heads: &[Vec<u8>]) -> Report {
        verify(self.path(), &ask(heads)).unwrap()
    }
}

pub fn ask(heads: &[Vec<u8>]) -> Ask {
    let kept = |(n, text): (usize, &Vec<u8>)| KeptHead { name: format!("kept-{n}"), text: text.clone() };
    Ask {
        since: heads.iter().enumerate().map(kept).collect(),
        objects_max: 1_000,
        silence_is_fault: true,
        ..Ask::of(key().verifier())
    }
}

pub fn prefixed(leaf: &[u8]) -> Vec<u8> {
    let mut bytes = (leaf.len() as u16).to_be_bytes().to_vec();
    bytes.extend(leaf);
    bytes
}

/// The entry with one text in it replaced.
pub fn replaced(leaf: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(leaf).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1).into_bytes()
}
