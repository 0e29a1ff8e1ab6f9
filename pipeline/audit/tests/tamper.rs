//! Every attack on an export that we can think of is found and named; each changes one thing in a copy that was sound.
//!
//! Where `COUNTERSIGN_TLOGCHECK` names it, another verifier judges every copy that it can judge, and must agree.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod log;
mod other;

use std::path::Path;
use std::process::Command;

use audit::FaultKind::{
    ClockBackwards, CutTail, Edited, Fork, Gap, Inserted, Layout, Malformed, ObjectChain, Quorum, Removed, Reordered,
    ReplacedLog, RolledBack, Silence, Tile, Timestamp, WrongKey,
};
use audit::*;
use log::*;

/// A sound export, and what it is verified against.
struct Scene {
    leaves: Vec<Vec<u8>>,
    export: Export,
    ask: Ask,
}

/// Whether the other verifier can see it too.
#[derive(PartialEq)]
enum Other {
    Sees,
    /// It is about what that program does not look at.
    Blind,
}
use Other::{Blind, Sees};

struct Attack {
    name: &'static str,
    scene: fn() -> Scene,
    tamper: fn(&mut Scene),
    kind: FaultKind,
    index: Option<u64>,
    other: Other,
}

#[rustfmt::skip]
const ATTACKS: &[Attack] = &[
    // One entry, the tiles as they were.
    Attack { name: "one letter of an entry", scene: plain, tamper: |s| s.entry(300, |e| replaced(e, "u_", "v_")), kind: Edited, index: Some(300), other: Sees },
    Attack { name: "the first entry", scene: plain, tamper: |s| s.entry(0, |e| replaced(e, "u_", "v_")), kind: Edited, index: Some(0), other: Sees },
    Attack { name: "the last entry", scene: plain, tamper: |s| s.entry(599, |e| replaced(e, "u_", "v_")), kind: Edited, index: Some(599), other: Sees },
    Attack { name: "a time in an entry", scene: plain, tamper: |s| s.entry(300, |e| replaced(e, "\"sealed\":\"2026", "\"sealed\":\"2025")), kind: Edited, index: Some(300), other: Sees },
    Attack { name: "an entry with a space in it", scene: plain, tamper: |s| s.entry(300, |e| replaced(e, ",\"i\"", ", \"i\"")), kind: Edited, index: Some(300), other: Sees },
    Attack { name: "the length before an entry", scene: plain, tamper: |s| s.byte("tile/entries/001", 1, 1), kind: Edited, index: Some(256), other: Sees },
    Attack { name: "an entry put in", scene: plain, tamper: |s| s.bundles(|l| l.insert(300, l[200].clone())), kind: Inserted, index: Some(300), other: Sees },
    Attack { name: "an entry put behind the last", scene: plain, tamper: |s| s.bundles(|l| l.push(l[200].clone())), kind: Inserted, index: Some(600), other: Sees },
    Attack { name: "an entry taken out", scene: plain, tamper: |s| s.bundles(|l| drop(l.remove(300))), kind: Removed, index: Some(300), other: Sees },
    Attack { name: "two entries swapped", scene: plain, tamper: |s| s.bundles(|l| l.swap(300, 301)), kind: Reordered, index: Some(300), other: Sees },
    Attack { name: "the last entries cut off", scene: plain, tamper: |s| s.bundles(|l| l.truncate(590)), kind: CutTail, index: Some(590), other: Sees },
    Attack { name: "the last bundle gone", scene: plain, tamper: |s| s.export.remove("tile/entries/002.p"), kind: CutTail, index: Some(512), other: Sees },
    Attack { name: "a bundle gone in the middle", scene: plain, tamper: |s| s.export.remove("tile/entries/001"), kind: Removed, index: Some(256), other: Sees },
    Attack { name: "two bundles swapped", scene: plain, tamper: |s| s.swap("tile/entries/000", "tile/entries/001"), kind: Reordered, index: Some(0), other: Sees },
    // Entries and tiles made anew, and signed with the stolen key.
    Attack { name: "an entry edited and all signed anew", scene: plain, tamper: |s| s.anew(|l| l[300] = replaced(&l[300], "u_", "v_")), kind: Edited, index: Some(300), other: Sees },
    Attack { name: "an entry taken out and all signed anew", scene: plain, tamper: |s| s.anew(|l| drop(l.remove(300))), kind: Removed, index: Some(300), other: Sees },
    Attack { name: "two entries swapped and all signed anew", scene: plain, tamper: |s| s.anew(|l| l.swap(300, 301)), kind: Reordered, index: Some(300), other: Sees },
    Attack { name: "numbers left out", scene: plain, tamper: |s| s.anew(|l| append(l, 602, at(602))), kind: Gap, index: Some(600), other: Sees },
    Attack { name: "an entry that is not canonical, sealed so", scene: plain, tamper: |s| s.anew(|l| l[300] = replaced(&l[300], "\"v\":1", "\"v\":1.0")), kind: Malformed, index: Some(300), other: Sees },
    Attack { name: "an entry with a key that none has", scene: bare, tamper: |s| s.rebuilt(20, |b| replaced(b, "\"v\":1", "\"up\":1,\"v\":1")), kind: Malformed, index: Some(20), other: Blind },
    Attack { name: "the past rebuilt with the stolen key, against a head that was kept", scene: plain, tamper: |s| s.history(300), kind: Fork, index: Some(100), other: Sees },
    Attack { name: "the past rebuilt right up to the kept head", scene: plain, tamper: |s| s.history(399), kind: Fork, index: Some(100), other: Sees },
    Attack { name: "the chain rebuilt below the old signature", scene: bare, tamper: |s| { let old = s.export.get("checkpoint"); s.history(10); s.export.put("checkpoint", &old) }, kind: Fork, index: Some(0), other: Sees },
    Attack { name: "an older backup", scene: plain, tamper: |s| s.older(390), kind: RolledBack, index: Some(390), other: Sees },
    Attack { name: "an old head put back before the tiles of now", scene: plain, tamper: |s| s.head(500), kind: Layout, index: None, other: Sees },
    Attack { name: "the log of another", scene: plain, tamper: |s| s.signed_as("audit.example.com/evil/1", 1), kind: ReplacedLog, index: None, other: Sees },
    Attack { name: "a key of another", scene: plain, tamper: |s| s.signed_as(ORIGIN, 2), kind: WrongKey, index: None, other: Sees },
    Attack { name: "a key of another that the folder lists", scene: plain, tamper: |s| { s.signed_as(ORIGIN, 2); s.list(&[2, 1]) }, kind: WrongKey, index: None, other: Sees },
    // Tiles.
    Attack { name: "a hash on the level of the entries", scene: plain, tamper: |s| s.byte("tile/0/001", 32 * 44, 1), kind: Tile, index: Some(300), other: Sees },
    Attack { name: "a hash on the level above", scene: tall, tamper: |s| s.byte("tile/1/000", 32 * 7, 1), kind: Tile, index: Some(7 * 256), other: Sees },
    Attack { name: "a hash at the top", scene: tall, tamper: |s| s.byte("tile/2/000.p/1", 0, 1), kind: Tile, index: Some(0), other: Blind },
    Attack { name: "a hash in the partial tile", scene: plain, tamper: |s| s.byte("tile/0/002.p/88", 32, 1), kind: Tile, index: Some(513), other: Sees },
    Attack { name: "a tile gone", scene: plain, tamper: |s| s.export.remove("tile/0/001"), kind: Layout, index: None, other: Sees },
    Attack { name: "a tile cut short", scene: plain, tamper: |s| s.export.put("tile/1/000.p/2", &[7; 40]), kind: Layout, index: None, other: Sees },
    Attack { name: "a tile of an earlier head", scene: plain, tamper: |s| s.byte("tile/0/001.p/24", 33, 1), kind: Tile, index: Some(257), other: Sees },
    Attack { name: "a bundle of an earlier head", scene: plain, tamper: |s| s.byte("tile/entries/001.p/24", 40, 1), kind: Edited, index: Some(256), other: Sees },
    Attack { name: "a tile beyond the head", scene: plain, tamper: |s| s.export.put("tile/0/003.p/1", &[7; 32]), kind: Layout, index: None, other: Sees },
    // Heads.
    Attack { name: "a bit of the head's size", scene: plain, tamper: |s| s.head_line(1, "601"), kind: Edited, index: None, other: Sees },
    Attack { name: "a bit of the head's root", scene: plain, tamper: |s| { let byte = s.export.get("checkpoint")[40] ^ 1; s.set("checkpoint", 40, byte) }, kind: Edited, index: None, other: Sees },
    Attack { name: "the head's signature gone", scene: plain, tamper: |s| { let head = s.export.get("checkpoint"); let end = head.windows(2).position(|two| two == b"\n\n").unwrap(); s.export.put("checkpoint", &head[..end + 2]) }, kind: Malformed, index: None, other: Sees },
    Attack { name: "no head", scene: plain, tamper: |s| s.export.remove("checkpoint"), kind: Layout, index: None, other: Sees },
    Attack { name: "a head of another history among the earlier ones", scene: plain, tamper: |s| { let other = s.other_history(50); s.export.put("checkpoints/100", &signed(&other[..100])) }, kind: Fork, index: Some(0), other: Blind },
    Attack { name: "an earlier head that is longer than the log", scene: plain, tamper: |s| { let mut more = s.leaves.clone(); append(&mut more, 600, at(600)); s.export.put("checkpoints/601", &signed(&more)) }, kind: RolledBack, index: Some(600), other: Blind },
    // Files.
    Attack { name: "the list of keys", scene: plain, tamper: |s| s.byte("keys", 3, 1), kind: Malformed, index: None, other: Blind },
    Attack { name: "a link in the place of a tile", scene: plain, tamper: |s| s.link("tile/0/001"), kind: Layout, index: None, other: Sees },
    Attack { name: "a link in the place of the entries' folder", scene: plain, tamper: |s| s.link("tile/entries"), kind: Layout, index: None, other: Sees },
    Attack { name: "a file that has no place", scene: plain, tamper: |s| s.export.put("surprise", b"x"), kind: Layout, index: None, other: Blind },
    Attack { name: "a tile with an odd name", scene: plain, tamper: |s| s.export.put("tile/0/0x1", &[7; 32]), kind: Layout, index: None, other: Sees },
    Attack { name: "a head far too large", scene: plain, tamper: |s| s.export.put("checkpoint", &vec![b'x'; 2 << 20]), kind: Layout, index: None, other: Sees },
    Attack { name: "entries far too many bytes long", scene: plain, tamper: |s| s.export.put("tile/entries/002.p/88", &vec![b'x'; 17 << 20]), kind: Layout, index: None, other: Sees },
    // Time.
    Attack { name: "a clock set back", scene: plain, tamper: |s| s.anew(|l| append(l, 600, at(10))), kind: ClockBackwards, index: Some(600), other: Blind },
    Attack { name: "the log switched off for an hour", scene: plain, tamper: |s| s.anew(|l| append(l, 600, at(600) + 3_600_000_000)), kind: Silence, index: Some(600), other: Blind },
    // The chain of an object, all else made anew.
    Attack { name: "a revision left out", scene: bare, tamper: |s| s.rebuilt(30, |b| replaced(b, "\"rev\":10", "\"rev\":11")), kind: ObjectChain, index: Some(30), other: Blind },
    Attack { name: "another past for an object", scene: bare, tamper: |s| s.rebuilt(30, |b| replaced(b, "u_", "v_")), kind: ObjectChain, index: Some(33), other: Blind },
    Attack { name: "an object's chain begun anew", scene: bare, tamper: |s| s.rebuilt(30, |b| without(b, "\"sprev\":\"", "\",")), kind: ObjectChain, index: Some(30), other: Blind },
    // A change of the key.
    Attack { name: "a new key that the old one did not agree to", scene: rotated, tamper: |s| s.resign("checkpoints/21", 21, &[2]), kind: WrongKey, index: None, other: Blind },
    Attack { name: "the agreement of both keys taken away", scene: rotated, tamper: |s| s.export.remove("checkpoints/21"), kind: WrongKey, index: None, other: Blind },
    Attack { name: "a change of the key that the new one alone signed", scene: rotated_since, tamper: |s| s.export.remove("checkpoints"), kind: WrongKey, index: Some(20), other: Blind },
    Attack { name: "the old key, stolen, signs after the change", scene: rotated, tamper: |s| s.resign("checkpoint", 30, &[1]), kind: WrongKey, index: None, other: Blind },
    Attack { name: "the new key signs what was before the change", scene: rotated, tamper: |s| s.resign("checkpoints/15", 15, &[2]), kind: WrongKey, index: None, other: Blind },
    Attack { name: "a change of the key that names another old one", scene: rotated, tamper: |s| s.export = rotated_by(log_key(3)).export, kind: WrongKey, index: None, other: Blind },
    Attack { name: "the change of the key taken from the entries", scene: rotated, tamper: |s| s.forget_rotation(), kind: WrongKey, index: None, other: Blind },
    // Witnesses.
    Attack { name: "a cosignature that is forged", scene: witnessed, tamper: |s| s.cosignature_byte(), kind: FaultKind::Cosignature, index: None, other: Sees },
    Attack { name: "a cosignature of another head", scene: witnessed, tamper: |s| s.replay_cosignature(), kind: FaultKind::Cosignature, index: None, other: Sees },
    Attack { name: "a quorum that is not met", scene: witnessed, tamper: |s| s.cosign("checkpoint", &[1]), kind: Quorum, index: None, other: Sees },
    Attack { name: "all cosignatures taken away", scene: witnessed, tamper: |s| s.cosign("checkpoint", &[]), kind: Quorum, index: None, other: Sees },
    Attack { name: "one witness twice", scene: witnessed, tamper: |s| s.one_witness_twice(), kind: Quorum, index: None, other: Blind },
    // Timestamps.
    Attack { name: "a timestamp of another head", scene: stamped, tamper: |s| { s.export.put("checkpoints/4", &signed(&s.leaves[..4])); s.rename("anchors/7.tsr", "anchors/4.tsr") }, kind: Timestamp, index: None, other: Blind },
    Attack { name: "a timestamp of a head that is not there", scene: stamped, tamper: |s| s.rename("anchors/7.tsr", "anchors/5.tsr"), kind: Timestamp, index: None, other: Blind },
    Attack { name: "a timestamp by another authority", scene: stamped, tamper: |s| s.export.put("anchors/7.tsr", &vector("timestamps/rsa.tsr")), kind: Timestamp, index: None, other: Blind },
    Attack { name: "a bit of a timestamp", scene: stamped, tamper: |s| s.byte("anchors/7.tsr", 200, 1), kind: Timestamp, index: None, other: Blind },
    Attack { name: "the timestamp of a refusal", scene: stamped, tamper: |s| s.export.put("anchors/7.tsr", &vector("timestamps/refused.tsr")), kind: Timestamp, index: None, other: Blind },
    // Openings; line 6 is of entry 8.
    Attack { name: "an opening with another value", scene: opened, tamper: |s| s.openings(|l| l[6] = l[6].replace("geprüft 8", "geprüft 9")), kind: FaultKind::Opening, index: Some(8), other: Blind },
    Attack { name: "an opening with another salt", scene: opened, tamper: |s| s.openings(|l| l[6] = l[6].replacen("0808", "0809", 1)), kind: FaultKind::Opening, index: Some(8), other: Blind },
    Attack { name: "an opening that names another entry", scene: opened, tamper: |s| s.openings(|l| l[6] = l[6].replace("-000000000008", "-000000000009")), kind: FaultKind::Opening, index: Some(8), other: Blind },
    Attack { name: "an opening missing", scene: opened, tamper: |s| s.openings(|l| drop(l.remove(6))), kind: FaultKind::Opening, index: Some(8), other: Blind },
    Attack { name: "an opening missing of what came after the erasure", scene: opened, tamper: |s| s.openings(|l| drop(l.pop())), kind: FaultKind::Opening, index: Some(22), other: Blind },
    Attack { name: "an opening of what was never committed to", scene: opened, tamper: |s| s.openings(|l| l.insert(7, l[6].replace("comment", "reason"))), kind: FaultKind::Opening, index: Some(8), other: Blind },
    Attack { name: "an opening behind the last entry", scene: opened, tamper: |s| s.openings(|l| l.push(l[6].replace("\"i\":8", "\"i\":700"))), kind: FaultKind::Opening, index: Some(700), other: Blind },
    Attack { name: "openings out of order", scene: opened, tamper: |s| s.openings(|l| l.swap(6, 7)), kind: FaultKind::Opening, index: Some(8), other: Blind },
    Attack { name: "an opening that is none", scene: opened, tamper: |s| s.openings(|l| l[6] = "{}".into()), kind: FaultKind::Opening, index: None, other: Blind },
];

#[test]
fn every_attack_is_found_and_named_and_the_other_verifier_agrees() {
    assert!(40 <= ATTACKS.len());
    let try_all = |attacks: &[Attack]| attacks.iter().for_each(Attack::try_out);
    std::thread::scope(|scope| {
        // The other verifier takes its time to start.
        ATTACKS.chunks(ATTACKS.len().div_ceil(4)).for_each(|some| drop(scope.spawn(move || try_all(some))));
    });
}

#[test]
fn what_is_attacked_is_sound_to_the_other_verifier_too() {
    for (name, scene) in
        [("plain", plain()), ("bare", bare()), ("witnessed", witnessed()), ("stamped", stamped()), ("opened", opened())]
    {
        let Some((sound, line)) = scene.other() else { return };
        assert!(sound, "{name}: {line}");
    }
}

#[test]
fn every_kind_of_fault_is_met_by_an_attack() {
    let missing: Vec<_> =
        FaultKind::ALL.iter().filter(|kind| ATTACKS.iter().all(|attack| attack.kind != **kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

impl Attack {
    fn try_out(&self) {
        let mut scene = (self.scene)();
        assert_eq!(verify(scene.export.path(), &scene.ask).unwrap().fault, None, "before {}", self.name);
        (self.tamper)(&mut scene);
        let report = verify(scene.export.path(), &scene.ask).unwrap();
        let fault = report.fault.clone().unwrap_or_else(|| panic!("{} is not found: {}", self.name, report.verdict()));
        assert_eq!((fault.kind, fault.index), (self.kind, self.index), "{}: {}", self.name, fault.text);
        assert!(report.outside.is_empty() && report.covered().is_none(), "{}", self.name);
        // In several threads it is found as well.
        let report = verify(scene.export.path(), &Ask { threads: 3, ..scene.ask.clone() }).unwrap();
        assert_eq!(report.fault, Some(fault), "{}", self.name);
        if self.other == Sees
            && let Some((sound, line)) = scene.other()
        {
            assert!(!sound, "the other verifier does not see {}: {line}", self.name);
        }
    }
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

/// Small, and with everything an export can hold: earlier heads, two keys, superseded partial tiles, cosignatures, a
/// timestamp, openings.
fn small() -> Scene {
    let mut scene = stamped();
    scene.export.tiles(&scene.leaves[..3]);
    scene.export.put("checkpoints/3", &signed(&scene.leaves[..3]));
    scene.ask.witnesses = vec![witness(1).key()];
    scene.cosign("checkpoint", &[1]);
    scene.list(&[1, 2]);
    let lines: String = (0..7).map(|index| opening(index).to_line() + "\n").collect();
    scene.export.put("openings.jsonl", lines.as_bytes());
    let report = verify(scene.export.path(), &scene.ask).unwrap();
    assert_eq!(report.fault, None);
    assert_eq!(report.outside.len(), 2);
    scene
}

#[test]
fn every_single_byte_flip_of_an_export_is_found() {
    let Scene { export, ask, .. } = small();
    let (mut flips, mut harmless) = (0, 0);
    for path in export.files() {
        let sound = export.get(&path);
        for at in 0..sound.len() {
            // One bit of each byte, another one from byte to byte.
            let mut flipped = sound.clone();
            flipped[at] ^= 1 << (at % 8);
            export.put(&path, &flipped);
            let report = verify(export.path(), &ask).unwrap();
            // The certificates in a timestamp that nothing is proved with, and how openings are spelt, say nothing.
            let may = path.ends_with(".tsr") || path == "openings.jsonl";
            assert!(report.fault.is_some() || may, "bit {} of byte {at} of {path}", at % 8);
            harmless += u32::from(report.fault.is_none());
            flips += 1;
        }
        export.put(&path, &sound);
    }
    assert_eq!(verify(export.path(), &ask).unwrap().fault, None);
    assert!(8_000 < flips && harmless * 20 < flips, "{harmless} of {flips}");
}

#[test]
fn every_file_cut_or_lengthened_is_found_and_so_is_a_missing_one() {
    let Scene { export, ask, .. } = small();
    let fault = || verify(export.path(), &ask).unwrap().fault;
    for path in export.files() {
        let sound = export.get(&path);
        for len in [0, 1, 2, sound.len() / 3, sound.len() - 1] {
            export.put(&path, &sound[..len]);
            assert!(fault().is_some(), "{path} cut to {len}");
        }
        for more in [&b"\n"[..], b"\0", b"x"] {
            export.put(&path, &[&sound, more].concat());
            assert!(fault().is_some(), "{path} with {more:?}");
        }
        export.remove(&path);
        // What the log itself keeps, superseded tiles, timestamps and openings are extras; nothing else is.
        let extra = ["keys", "checkpoints/3", "anchors/7.tsr", "openings.jsonl"].contains(&path.as_str());
        assert_eq!(fault().is_none(), extra || path.ends_with("000.p/3") || path == "checkpoints/7", "{path}");
        export.put(&path, &sound);
    }
}

#[test]
fn what_the_outside_confirms_is_told_with_its_range_and_time() {
    let report = |scene: &Scene| verify(scene.export.path(), &scene.ask).unwrap();
    let covered = report(&witnessed()).covered().unwrap().clone();
    let by = ["witness-1.example.org", "witness-3.example.org"].map(str::to_owned).to_vec();
    let at = Some(COSIGNED as i64 * 1_000_000);
    assert_eq!(covered, Reference { kind: ReferenceKind::Witnessed, name: "checkpoint".into(), size: 600, at, by });
    // With the quorum met by an older head alone, the rest has no reference.
    let scene = witnessed();
    scene.cosign("checkpoints/100", &[2, 3]);
    scene.cosign("checkpoint", &[3]);
    let scene = Scene { ask: Ask { since: Vec::new(), ..scene.ask }, ..scene };
    let verdict = report(&scene).verdict();
    assert!(
        verdict.starts_with("sound: the first 100 entries are those of the head in checkpoints/100, cosigned"),
        "{verdict}"
    );
    assert!(verdict.ends_with("; the other 500 have no outside reference"), "{verdict}");
    let (scene, response) = (stamped(), vector("timestamps/ec.tsr"));
    let digest = head_digest(&scene.export.get("checkpoint")).unwrap();
    let shown = verify_timestamp(&response, &digest, scene.ask.timestamp_authority.as_ref().unwrap()).unwrap();
    let stamp = report(&scene).covered().unwrap().clone();
    let kind = ReferenceKind::Stamped;
    assert_eq!(
        stamp,
        Reference { kind, name: "checkpoints/7".into(), size: 7, at: Some(shown.at), by: vec![shown.by] }
    );
    let unchecked = Scene { ask: ask(&[]), ..stamped() };
    let told = report(&unchecked);
    assert_eq!((told.anchors, told.covered()), ((0, 1), None));
    assert!(told.notes[0].starts_with("1 timestamps in anchors/ were not checked"), "{:?}", told.notes);
    assert_eq!(report(&opened()).openings, Some(Opened { opened: 16, erased: 6, unjudged: 0 }));
    let elsewhere = opened();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), elsewhere.export.get("openings.jsonl")).unwrap();
    elsewhere.export.remove("openings.jsonl");
    assert_eq!(report(&elsewhere).openings, None);
    let asked = Scene { ask: Ask { openings: Some(file.path().to_owned()), ..ask(&[]) }, ..elsewhere };
    assert_eq!(report(&asked).openings, Some(Opened { opened: 16, erased: 6, unjudged: 0 }));
}

#[test]
fn a_key_that_changed_is_followed_from_either_end() {
    for scene in [rotated(), rotated_since()] {
        let report = verify(scene.export.path(), &scene.ask).unwrap();
        let change = Rotation { index: 20, before: log_key(1).verifier(), after: log_key(2).verifier() };
        assert_eq!((report.fault, report.rotations), (None, vec![change]));
    }
    // A head that was kept before the change is signed by the key of its time.
    let scene = rotated_since();
    let old = KeptHead { name: "old".into(), text: signed(&scene.leaves[..18]) };
    let since = verify(scene.export.path(), &Ask { since: vec![old], ..scene.ask.clone() }).unwrap();
    assert_eq!(since.covered().unwrap().size, 18);
    let late = KeptHead { name: "late".into(), text: signed(&scene.leaves[..25]) };
    let since = verify(scene.export.path(), &Ask { since: vec![late], ..scene.ask }).unwrap();
    assert_eq!(since.fault.unwrap().kind, WrongKey);
}

#[test]
fn a_log_that_took_the_place_of_another_says_so_and_its_objects_may_have_a_past() {
    let mut begin = own(Act::LogBegin, 0);
    begin.d.insert("origin".into(), "audit.example.com/acme/0".into());
    begin.d.insert("root".into(), "ab".repeat(32).into());
    begin.d.insert("size".into(), 77.into());
    let log = |first: &Body| {
        let mut leaves = Vec::new();
        seal_next(&mut leaves, first);
        let mut link = own(Act::CaseArchive, 1);
        link.obj = Some(Object { id: "case-9".into(), kind: "case".into() });
        (link.rev, link.sprev) = (Some(8), Some(Hash([5; 32])));
        seal_next(&mut leaves, &link);
        Export::of(&leaves).verify()
    };
    let report = log(&begin);
    assert_eq!(report.fault, None);
    assert_eq!(
        report.begun,
        Some(Begun { origin: "audit.example.com/acme/0".into(), size: 77, root: Hash([0xab; 32]) })
    );
    assert!(report.notes[0].starts_with("this log took the place of audit.example.com/acme/0"), "{:?}", report.notes);
    assert_eq!(log(&own(Act::ServiceStart, 0)).fault.unwrap().kind, ObjectChain);
    begin.d.remove("root");
    assert_eq!(log(&begin).fault.unwrap().kind, Malformed);
}

#[test]
fn a_receipt_shows_its_own_entry_and_no_other() {
    let all = leaves(20);
    let (receipt, keys) = (receipt(&all, 7), [key().verifier()]);
    assert_eq!(verify_receipt(receipt.as_bytes(), &all[7], &keys).unwrap().index, 7);
    let good = |text: &str, entry: &[u8]| verify_receipt(text.as_bytes(), entry, &keys).is_ok();
    let edited = replaced(&all[7], "u_", "v_");
    let attacks: [(&str, String, &[u8]); 7] = [
        ("another entry", receipt.clone(), &all[8]),
        ("an edited entry", receipt.clone(), &edited),
        ("another number", receipt.replacen("index 7", "index 8", 1), &all[7]),
        ("a hash more", receipt.replacen("\n\n", "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n", 1), &all[7]),
        ("the head of another size", receipt.replacen("\n20\n", "\n21\n", 1), &all[7]),
        ("the proof of another entry", self::log::receipt(&all, 6), &all[7]),
        ("the head of another key", receipt.replace(ORIGIN, "audit.example.com/evil/1"), &all[7]),
    ];
    for (name, text, entry) in attacks {
        assert!(!good(&text, entry), "{name}");
    }
}
