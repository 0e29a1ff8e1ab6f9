use audit::FaultKind::{
    ClockBackwards, CutTail, Edited, Fork, Gap, Inserted, Layout, Malformed, ObjectChain, Quorum, Removed, Reordered,
    ReplacedLog, RolledBack, Silence, Tile, Timestamp, WrongKey,
};

use super::*;

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
