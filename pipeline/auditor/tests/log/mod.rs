//! A small log to run the program on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, dead_code, unreachable_pub)]

use std::path::Path;
use std::process::{Command, Output};

use audit::*;

pub const ORIGIN: &str = "audit.example.com/acme/1";
/// 2026-11-22T10:00:00Z
pub const START: i64 = 1_795_341_600_000_000;

pub fn key() -> LogKey {
    LogKey::from_seed(ORIGIN, &[1; 32]).unwrap()
}

/// Comments on a case, each committed to, with a heartbeat after every third.
pub fn leaves(count: u64) -> Vec<Vec<u8>> {
    let program = Program { node: "node-1".into(), ver: "0.1.0".into() };
    let mut leaves: Vec<Vec<u8>> = Vec::new();
    for index in 0..count {
        let at = START + index as i64;
        let actor = Actor { id: "countersign".into(), kind: ActorKind::System };
        let act = if index % 4 == 3 { Act::LogHeartbeat } else { Act::ReviewComment };
        let mut body = Body::new(&id(index), at, act, actor, &program);
        if act == Act::ReviewComment {
            let Opening { path, salt, value } = opening(index).opening;
            body.obj = Some(Object { id: "case-1".into(), kind: "case".into() });
            body.c.insert(path.clone(), commit(&salt, &path, &value).unwrap());
        }
        let prev = leaves.last().map_or(Hash::ZERO, |leaf| leaf_hash(leaf));
        leaves.push(seal(&body.to_bytes().unwrap(), index, prev, at).unwrap());
    }
    leaves
}

fn id(index: u64) -> String {
    format!("0193a2b4-c5d6-7e8f-9a0b-{index:012x}")
}

pub fn opening(index: u64) -> OpeningLine {
    let opening = Opening { path: "comment".into(), salt: [index as u8; 32], value: format!("comment {index}").into() };
    OpeningLine { index, id: id(index), opening }
}

/// Writes a log into `dir`; returns its signed head.
pub fn export(dir: &Path, count: u64) -> String {
    let (mut tiles, mut files) = (TileWriter::new(), Vec::new());
    leaves(count).iter().for_each(|leaf| files.extend(tiles.push(leaf).unwrap()));
    files.extend(tiles.partials());
    let head = sign(&TreeHead { origin: ORIGIN.into(), size: count, root: tiles.root() }, &key());
    files.push(TileFile { path: "checkpoint".into(), bytes: head.clone().into_bytes() });
    for file in files {
        put(dir, &file.path, &file.bytes);
    }
    head
}

/// A receipt, its entry and its openings, as they are handed out.
pub fn receipts(dir: &Path, count: u64, indices: &[u64]) {
    let leaves = leaves(count);
    let root = |leaves: &[Vec<u8>]| {
        let mut frontier = Frontier::new();
        leaves.iter().for_each(|leaf| frontier.append(leaf_hash(leaf)));
        frontier.root()
    };
    let head = sign(&TreeHead { origin: ORIGIN.into(), size: count, root: root(&leaves) }, &key());
    let mut subtree = |level: u32, n: u64| Ok(root(&leaves[(n << level) as usize..((n + 1) << level) as usize]));
    let mut openings = String::new();
    for index in indices {
        let proof = prove_inclusion(*index, count, &mut subtree).unwrap();
        put(dir, &format!("{index}.json"), &leaves[*index as usize]);
        put(dir, &format!("{index}.tlog-proof"), write_receipt(*index, &proof, &head, b"").as_bytes());
        if index % 4 != 3 {
            openings += &(opening(*index).to_line() + "\n");
        }
    }
    put(dir, "openings.jsonl", openings.as_bytes());
}

pub fn put(dir: &Path, path: &str, bytes: &[u8]) {
    let path = dir.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Runs the program; its exit status, and what it wrote to both ends.
pub fn auditor(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_auditor")).args(args).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}
