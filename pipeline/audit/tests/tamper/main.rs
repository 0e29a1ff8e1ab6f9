//! Every attack on an export that we can think of is found and named; each changes one thing in a copy that was sound.
//!
//! Where `COUNTERSIGN_TLOGCHECK` names it, another verifier judges every copy that it can judge, and must agree.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod attacks;
mod bytes;
#[path = "../log/mod.rs"]
mod log;
#[path = "../other/mod.rs"]
mod other;
mod told;

use std::path::Path;
use std::process::Command;

use audit::*;
use log::*;

/// A sound export, and what it is verified against.
struct Scene {
    leaves: Vec<Vec<u8>>,
    export: Export,
    ask: Ask,
}

fn plain() -> Scene {
    let leaves = leaves(600);
    let export = Export::of(&leaves);
    export.tiles(&leaves[..280]);
    export.tiles(&leaves);
    export.put("checkpoints/100", &signed(&leaves[..100]));
    export.put("keys", format!("{}\n", key().verifier_key()).as_bytes());
    export.put("README", b"Take the key from somewhere else.\n");
    let ask = ask(&[signed(&leaves[..400])]);
    Scene { leaves, export, ask }
}

/// With nothing to compare it with.
fn bare() -> Scene {
    let leaves = leaves(60);
    Scene { export: Export::of(&leaves), leaves, ask: ask(&[]) }
}

/// Three levels.
fn tall() -> Scene {
    let leaves = leaves(256 * 256 + 1);
    Scene { export: Export::of(&leaves), leaves: Vec::new(), ask: ask(&[]) }
}

/// Entry 20 of 30 changes the key; the head of 21 is signed by both.
fn rotated() -> Scene {
    rotated_by(log_key(1))
}

/// For one who was given the new key.
fn rotated_since() -> Scene {
    let scene = rotated();
    Scene { ask: Ask { silence_is_fault: true, ..Ask::of(log_key(2).verifier()) }, ..scene }
}

fn rotated_by(before: LogKey) -> Scene {
    let mut leaves = leaves(20);
    let mut body = own(Act::KeyRotate, 20);
    body.d.insert("before".into(), before.verifier_key().into());
    body.d.insert("after".into(), log_key(2).verifier_key().into());
    seal_next(&mut leaves, &body);
    (21..30).for_each(|index| seal_next(&mut leaves, &own(Act::LogHeartbeat, index)));
    let scene = Scene { export: Export::of(&leaves), leaves, ask: ask(&[]) };
    scene.resign("checkpoints/15", 15, &[1]);
    scene.resign("checkpoints/21", 21, &[1, 2]);
    scene.resign("checkpoint", 30, &[2]);
    scene.list(&[2, 1]);
    scene
}

/// Two of three witnesses cosigned the newest head, and one the one before.
fn witnessed() -> Scene {
    let mut scene = plain();
    scene.ask.witnesses = (1..=3).map(|n| witness(n).key()).collect();
    scene.ask.quorum = 2;
    scene.cosign("checkpoints/100", &[3]);
    scene.cosign("checkpoint", &[1, 3]);
    scene
}

/// The log that OpenSSL's timestamps are of.
fn stamped() -> Scene {
    let leaves = leaves(7);
    let scene = Scene { export: Export::of(&leaves), leaves, ask: ask(&[]) };
    scene.export.put("checkpoints/7", &scene.export.get("checkpoint"));
    scene.export.put("anchors/7.tsr", &vector("timestamps/ec.tsr"));
    let authority = TimestampAuthority::parse(&vector("timestamps/ec-root.pem")).unwrap();
    Scene { ask: Ask { timestamp_authority: Some(authority), ..scene.ask }, ..scene }
}

/// Entry 21 erases the object of the entries 1, 4, … 19; entry 22 is about it once more.
fn opened() -> Scene {
    let mut leaves = leaves(21);
    let mut erase = own(Act::PrivacyErase, 21);
    erase.obj = Some(Object { id: "case-1".into(), kind: "case".into() });
    seal_next(&mut leaves, &erase);
    append(&mut leaves, 22, at(22) + 500);
    let scene = Scene { export: Export::of(&leaves), leaves, ask: ask(&[]) };
    let still_open = (0..21).filter(|index| index % 3 != 1 || *index == 7).chain([22]);
    let lines: Vec<String> = still_open.map(|index| opening(index).to_line() + "\n").collect();
    scene.export.put("openings.jsonl", lines.concat().as_bytes());
    scene
}

fn opening(index: u64) -> OpeningLine {
    let opening =
        Opening { path: "comment".into(), salt: [index as u8; 32], value: format!("geprüft {index}").into() };
    OpeningLine { index, id: format!("0193a2b4-c5d6-7e8f-9a0b-{index:012x}"), opening }
}

fn own(act: Act, index: u64) -> Body {
    let program = Program { node: "node-1".into(), ver: "0.1.0+1a2b3c4".into() };
    let actor = Actor { id: "countersign".into(), kind: ActorKind::System };
    Body::new(&format!("0193a2b4-c5d6-7e8f-9a0b-{index:012x}"), at(index), act, actor, &program)
}

fn seal_next(leaves: &mut Vec<Vec<u8>>, body: &Body) {
    let (index, prev) = (leaves.len() as u64, leaves.last().map_or(Hash::ZERO, |leaf| leaf_hash(leaf)));
    leaves.push(seal(&body.to_bytes().unwrap(), index, prev, at(index) + 500).unwrap());
}

fn log_key(seed: u8) -> LogKey {
    LogKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

fn witness(n: u8) -> WitnessSigner {
    WitnessSigner::from_seed(&format!("witness-{n}.example.org"), &[100 + n; 32]).unwrap()
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).unwrap()
}

/// 2026-11-22T11:00:00Z, in seconds.
const COSIGNED: u64 = 1_795_345_200;

/// The ways to tamper.
impl Scene {
    /// Another entry where this one was; nothing else changes.
    fn entry(&mut self, index: usize, edit: impl Fn(&[u8]) -> Vec<u8>) {
        self.leaves[index] = edit(&self.leaves[index]);
        self.export.bundles(&self.leaves, 600);
    }

    /// Other entries; tiles and head stay.
    fn bundles(&mut self, edit: impl Fn(&mut Vec<Vec<u8>>)) {
        edit(&mut self.leaves);
        self.export.bundles(&self.leaves, 600);
    }

    /// Other entries as they are, with tiles and a head that fit them, and nothing to compare with.
    fn anew(&mut self, edit: impl Fn(&mut Vec<Vec<u8>>)) {
        edit(&mut self.leaves);
        *self = Scene { export: Export::of(&self.leaves), leaves: self.leaves.clone(), ask: ask(&[]) };
    }

    /// Another body, and the chain after it made anew; the chain of its object is not.
    fn rebuilt(&mut self, index: usize, edit: impl Fn(&[u8]) -> Vec<u8>) {
        let old = self.leaves[index].clone();
        let (old, prev) = (Leaf::parse(&old).unwrap(), leaf_hash(&self.leaves[index - 1]));
        // Not by `seal`, which refuses what is no entry.
        let body = String::from_utf8(edit(old.body)).unwrap();
        let sealed = rfc3339(old.sealed_at).unwrap();
        let text = format!("{{\"body\":{body},\"i\":{index},\"prev\":\"{prev}\",\"sealed\":\"{sealed}\"}}");
        self.leaves[index] = text.into_bytes();
        reseal(&mut self.leaves, index + 1);
        self.anew(|_| ());
    }

    /// Another history from here on, with its chains, tiles and signature as they should be.
    fn history(&mut self, from: usize) {
        self.leaves = self.other_history(from);
        self.export.tiles(&self.leaves);
        self.export.put("checkpoint", &signed(&self.leaves));
        for earlier in ["tile/0/001.p", "tile/entries/001.p"] {
            if self.export.path().join(earlier).exists() {
                self.export.remove(earlier);
            }
        }
    }

    fn other_history(&self, from: usize) -> Vec<Vec<u8>> {
        let mut other = self.leaves[..from].to_vec();
        (from as u64..self.leaves.len() as u64).for_each(|index| append(&mut other, index, at(index) + 600));
        other
    }

    /// The export as it was when the log had so many entries.
    fn older(&mut self, size: usize) {
        self.leaves.truncate(size);
        let export = Export::of(&self.leaves);
        export.put("checkpoints/100", &signed(&self.leaves[..100]));
        self.export = export;
    }

    fn head(&mut self, size: usize) {
        self.export.put("checkpoint", &signed(&self.leaves[..size]));
    }

    fn head_line(&mut self, line: usize, to: &str) {
        let head = String::from_utf8(self.export.get("checkpoint")).unwrap();
        let mut lines: Vec<&str> = head.split('\n').collect();
        lines[line] = to;
        self.export.put("checkpoint", lines.join("\n").as_bytes());
    }

    fn signed_as(&mut self, origin: &str, seed: u8) {
        let key = LogKey::from_seed(origin, &[seed; 32]).unwrap();
        let head = TreeHead { origin: origin.to_owned(), ..head(&self.leaves) };
        self.export.put("checkpoint", sign(&head, &key).as_bytes());
    }

    /// The head of so many entries, signed by these keys.
    fn resign(&self, path: &str, size: usize, seeds: &[u8]) {
        let keys: Vec<LogKey> = seeds.iter().map(|seed| log_key(*seed)).collect();
        let head = head(&self.leaves[..size]);
        self.export.put(path, sign_by(&head, &keys.iter().collect::<Vec<_>>()).as_bytes());
    }

    fn list(&self, seeds: &[u8]) {
        let keys: String = seeds.iter().map(|seed| log_key(*seed).verifier_key() + "\n").collect();
        self.export.put("keys", keys.as_bytes());
    }

    /// The entry about the change becomes a heartbeat, and all after it is made anew by whoever has both keys.
    fn forget_rotation(&mut self) {
        self.leaves.truncate(20);
        (20..30).for_each(|index| seal_next(&mut self.leaves, &own(Act::LogHeartbeat, index)));
        self.export.tiles(&self.leaves);
        self.resign("checkpoints/21", 21, &[1, 2]);
        self.resign("checkpoint", 30, &[2]);
    }

    fn cosign(&self, path: &str, witnesses: &[u8]) {
        let note = String::from_utf8(self.export.get(path)).unwrap();
        let (text, signatures) = note.split_once("\n\n").unwrap();
        let mut cosigned = format!("{text}\n\n{}\n", signatures.lines().next().unwrap());
        for n in witnesses {
            cosigned += &witness(*n).cosign(note.as_bytes(), COSIGNED).unwrap();
        }
        self.export.put(path, cosigned.as_bytes());
    }

    fn one_witness_twice(&self) {
        self.cosign("checkpoint", &[1]);
        let mut note = self.export.get("checkpoint");
        note.extend(witness(1).cosign(&note, COSIGNED + 1).unwrap().bytes());
        self.export.put("checkpoint", &note);
    }

    /// The last line is that of a witness; a letter in its middle becomes another.
    fn cosignature_byte(&self) {
        let mut note = self.export.get("checkpoint");
        let at = note.len() - 40;
        note[at] = if note[at] == b'A' { b'B' } else { b'A' };
        self.export.put("checkpoint", &note);
    }

    fn replay_cosignature(&self) {
        let earlier = String::from_utf8(self.export.get("checkpoints/100")).unwrap();
        self.cosign("checkpoint", &[1]);
        let mut note = self.export.get("checkpoint");
        note.extend(format!("{}\n", earlier.lines().last().unwrap()).bytes());
        self.export.put("checkpoint", &note);
    }

    fn openings(&self, edit: impl Fn(&mut Vec<String>)) {
        let text = String::from_utf8(self.export.get("openings.jsonl")).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        edit(&mut lines);
        let text: String = lines.into_iter().map(|line| line + "\n").collect();
        assert!(text.as_bytes() != self.export.get("openings.jsonl"));
        self.export.put("openings.jsonl", text.as_bytes());
    }

    /// One bit of one byte.
    fn byte(&self, path: &str, at: usize, bit: u8) {
        let byte = self.export.get(path)[at] ^ 1 << bit;
        self.set(path, at, byte);
    }

    fn set(&self, path: &str, at: usize, to: u8) {
        let mut bytes = self.export.get(path);
        bytes[at] = to;
        self.export.put(path, &bytes);
    }

    fn swap(&self, one: &str, other: &str) {
        let bytes = (self.export.get(one), self.export.get(other));
        self.export.put(one, &bytes.1);
        self.export.put(other, &bytes.0);
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.export.path().join(from), self.export.path().join(to)).unwrap();
    }

    /// What lay there lies elsewhere now, and a link leads to it.
    fn link(&mut self, path: &str) {
        let outside = tempfile::tempdir().unwrap().keep();
        std::fs::rename(self.export.path().join(path), outside.join("moved")).unwrap();
        std::os::unix::fs::symlink(outside.join("moved"), self.export.path().join(path)).unwrap();
    }

    /// What the other verifier says, with the same kept heads and witnesses. None where it is not installed.
    fn other(&self) -> Option<(bool, String)> {
        let (python, script) = other::programs()?;
        let kept = tempfile::tempdir().unwrap();
        let mut command = Command::new(python);
        command.arg(script).arg(self.export.path()).arg(self.ask.key.to_string()).args(["--chain", "--jcs"]);
        for (n, head) in self.ask.since.iter().enumerate() {
            let path = kept.path().join(n.to_string());
            std::fs::write(&path, &head.text).unwrap();
            command.arg("--old").arg(path);
        }
        for witness in &self.ask.witnesses {
            command.arg("--witness").arg(witness.to_string()).arg("--quorum").arg(self.ask.quorum.to_string());
        }
        let output = command.output().unwrap();
        let line = String::from_utf8(output.stdout).unwrap();
        assert!(!line.is_empty(), "no verdict: {}", String::from_utf8_lossy(&output.stderr));
        Some((output.status.success(), line))
    }
}

/// The text without what begins with `from` and ends with the next `to`.
fn without(text: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    let (before, rest) = text.split_once(from).unwrap();
    let (_, after) = rest.split_once(to).unwrap();
    format!("{before}{after}").into_bytes()
}
