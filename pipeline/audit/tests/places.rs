//! What is done to a log is placed: at any entry, on any level of the tree, in any file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod log;

use audit::*;
use log::*;

/// Three bundles; the last has 88 entries.
const SIZE: usize = 600;
/// The ends of the log and of its bundles, and places between.
const PLACES: [usize; 9] = [0, 1, 2, 255, 256, 300, 511, 512, 598];

#[track_caller]
fn check(report: &Report, kind: FaultKind, index: impl Into<Option<usize>>) {
    let fault = report.fault.as_ref().unwrap_or_else(|| panic!("sound: {}", report.verdict()));
    assert_eq!((fault.kind, fault.index), (kind, index.into().map(|index| index as u64)), "{}", fault.text);
    assert_eq!(report.covered(), None);
}

#[track_caller]
fn check_sound(report: &Report, verdict: &str) {
    assert_eq!(report.fault, None);
    assert_eq!(report.verdict(), verdict);
}

#[test]
fn a_sound_log_of_any_size_is_found_consistent_and_never_just_valid() {
    let all = leaves(SIZE as u64);
    for size in [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, SIZE] {
        let report = Export::of(&all[..size]).verify();
        check_sound(&report, "internally consistent, no outside reference");
        assert_eq!((report.entries, report.objects), (size as u64, Some(size.min(3) as u64)));
    }
}

#[test]
fn a_log_of_three_levels_is_verified_and_a_wrong_hash_on_any_level_is_found() {
    let all = leaves(256 * 256 + 1);
    let export = Export::of(&all);
    check_sound(&export.verify(), "internally consistent, no outside reference");
    let alone = export.verify();
    for threads in [2, 3, 5] {
        let report = verify(export.path(), &Ask { threads, ..ask(&[]) }).unwrap();
        assert_eq!((report.entries, report.sealed, report.objects), (65_537, alone.sealed, alone.objects));
        assert_eq!(report.fault, None);
    }
    for (path, at, index) in [("tile/1/000", 0, 0), ("tile/1/000", 8191, 255 * 256), ("tile/2/000.p/1", 5, 0)] {
        let mut bytes = export.get(path);
        bytes[at] ^= 1;
        export.put(path, &bytes);
        check(&export.verify(), FaultKind::Tile, index);
        bytes[at] ^= 1;
        export.put(path, &bytes);
    }
    // Middle heads fall into the inside of full tiles.
    let kept = [signed(&all[..1]), signed(&all[..700]), signed(&all[..65_536])];
    let verdict = "sound: the first 65536 entries are those of the head kept outside as kept-2; the other 1 have no outside reference";
    check_sound(&export.verify_since(&kept), verdict);
}

#[test]
fn an_entry_edited_in_any_of_its_parts_is_named() {
    let all = leaves(SIZE as u64);
    for place in PLACES.into_iter().chain([SIZE - 1]) {
        for (from, to) in [
            ("{\"body\"", "{\"bodx\""),
            ("\"kind\":\"user\"", "\"kind\":\"usar\""),
            ("u_", "v_"),
            ("\"v\":1", "\"v\":2"),
            (",\"i\":", ",\"i\":1"),
            ("\"prev\":\"", "\"prev\":\"a"),
            ("\"sealed\":\"2", "\"sealed\":\"1"),
            ("Z\"}", "Z\"} "),
            ("発票", "収票"),
        ] {
            let export = Export::of(&all);
            let mut edited = all.clone();
            edited[place] = replaced(&all[place], from, to);
            export.bundles(&edited, SIZE);
            check(&export.verify(), FaultKind::Edited, place);
        }
    }
}

#[test]
fn an_edited_entry_is_named_although_all_tiles_were_made_anew_and_signed() {
    let all = leaves(SIZE as u64);
    for place in PLACES {
        let mut edited = all.clone();
        edited[place] = replaced(&all[place], "u_", "v_");
        check(&Export::of(&edited).verify(), FaultKind::Edited, place);
        edited[place] = replaced(&all[place], "\"sealed\":\"2026", "\"sealed\":\"2025");
        let report = Export::of(&edited).verify();
        let fault = report.fault.unwrap();
        assert!(
            matches!(fault.kind, FaultKind::Edited | FaultKind::ClockBackwards | FaultKind::Silence),
            "{}",
            fault.text
        );
        assert!([place, place + 1].contains(&(fault.index.unwrap() as usize)), "{}", fault.text);
    }
    // Only the link of the entry itself.
    let mut edited = all.clone();
    let prev = leaf_hash(&all[299]).to_string();
    edited[300] = replaced(&all[300], &prev, &"a".repeat(64));
    check(&Export::of(&edited).verify(), FaultKind::Edited, 300);
}

#[test]
fn a_tile_that_was_edited_is_told_from_an_entry_that_was() {
    let export = Export::of(&leaves(SIZE as u64));
    for (path, at, index) in [("tile/0/000", 32, 1), ("tile/0/001", 0, 256), ("tile/0/002.p/88", 31, 512)] {
        let mut bytes = export.get(path);
        bytes[at] ^= 0x80;
        export.put(path, &bytes);
        check(&export.verify(), FaultKind::Tile, index);
        bytes[at] ^= 0x80;
        export.put(path, &bytes);
    }
}

#[test]
fn a_removed_entry_is_named() {
    let all = leaves(SIZE as u64);
    for place in PLACES {
        let mut fewer = all.clone();
        fewer.remove(place);
        let export = Export::of(&all);
        export.bundles(&fewer, SIZE);
        check(&export.verify(), FaultKind::Removed, place);
        // The same with new tiles and a new signature.
        check(&Export::of(&fewer).verify(), FaultKind::Removed, place);
    }
    let mut fewer = all.clone();
    fewer.drain(250..270);
    let export = Export::of(&all);
    export.bundles(&fewer, SIZE);
    check(&export.verify(), FaultKind::Removed, 250);
    check(&Export::of(&fewer).verify(), FaultKind::Removed, 250);
}

#[test]
fn an_inserted_entry_is_named() {
    let all = leaves(SIZE as u64);
    for place in PLACES {
        let prev = if place == 0 { Hash::ZERO } else { leaf_hash(&all[place - 1]) };
        let sealed_at = Leaf::parse(&all[place]).unwrap().sealed_at;
        let forged = seal(Leaf::parse(&all[5]).unwrap().body, place as u64, prev, sealed_at).unwrap();
        for newcomer in [forged, all[450].clone()] {
            let mut more = all.clone();
            more.insert(place, newcomer);
            let export = Export::of(&all);
            export.bundles(&more, SIZE);
            check(&export.verify(), FaultKind::Inserted, place);
            let report = verify(Export::of(&more).path(), &Ask { objects_max: 0, ..ask(&[]) }).unwrap();
            check(&report, FaultKind::Inserted, place);
        }
    }
    let export = Export::of(&all);
    let mut more = all.clone();
    append(&mut more, SIZE as u64, at(SIZE as u64));
    export.bundles(&more, SIZE);
    check(&export.verify(), FaultKind::Inserted, SIZE);
}

#[test]
fn swapped_entries_are_named() {
    let all = leaves(SIZE as u64);
    for place in PLACES {
        let mut swapped = all.clone();
        swapped.swap(place, place + 1);
        let export = Export::of(&all);
        export.bundles(&swapped, SIZE);
        check(&export.verify(), FaultKind::Reordered, place);
        check(&Export::of(&swapped).verify(), FaultKind::Reordered, place);
    }
    let mut swapped = all.clone();
    swapped.swap(100, 300);
    let export = Export::of(&all);
    export.bundles(&swapped, SIZE);
    check(&export.verify(), FaultKind::Reordered, 100);
}

#[test]
fn numbers_that_the_writer_skipped_are_a_gap() {
    let mut gapped = leaves(300);
    append(&mut gapped, 302, at(302));
    append(&mut gapped, 303, at(303));
    check(&Export::of(&gapped).verify(), FaultKind::Gap, 300);
}

#[test]
fn a_rebuilt_chain_does_not_give_the_signed_root() {
    let all = leaves(SIZE as u64);
    let mut rebuilt = all.clone();
    let body = replaced(Leaf::parse(&all[300]).unwrap().body, "u_", "v_");
    rebuilt[300] = seal(&body, 300, Hash::ZERO, Leaf::parse(&all[300]).unwrap().sealed_at).unwrap();
    reseal(&mut rebuilt, 300);
    let export = Export::of(&rebuilt);
    export.put("checkpoint", &signed(&all));
    let without_objects = Ask { objects_max: 0, ..ask(&[]) };
    let report = verify(export.path(), &without_objects).unwrap();
    check(&report, FaultKind::Fork, 0);
    // Heads that the log kept itself narrow the place down.
    export.put("checkpoints/100", &signed(&all[..100]));
    export.put("checkpoints/290", &signed(&all[..290]));
    export.put("checkpoints/310", &signed(&all[..310]));
    let report = verify(export.path(), &without_objects).unwrap();
    check(&report, FaultKind::Fork, 290);
    assert!(report.fault.unwrap().text.contains("290 to 309"));
    // The chain of the object was forgotten here; whoever follows it finds the very next revision.
    check(&export.verify(), FaultKind::ObjectChain, 303);
}

#[test]
fn a_history_rewritten_with_the_stolen_key_is_found_with_one_older_head() {
    let all = leaves(SIZE as u64);
    let mut rewritten = all[..300].to_vec();
    // Another truth from entry 300 on, object chains included.
    for index in 300..SIZE as u64 {
        append(&mut rewritten, index, at(index) + 600);
    }
    let export = Export::of(&rewritten);
    check_sound(&export.verify(), "internally consistent, no outside reference");
    check(&export.verify_since(&[signed(&all[..400])]), FaultKind::Fork, 0);
    check(&export.verify_since(&[signed(&all[..400]), signed(&all[..299])]), FaultKind::Fork, 299);
    check(&export.verify_since(&[signed(&all)]), FaultKind::Fork, 0);
    let before = export.verify_since(&[signed(&all[..300])]);
    assert_eq!(before.covered().map(|outside| (outside.name.as_str(), outside.size)), Some(("kept-0", 300)));
    check_sound(
        &before,
        "sound: the first 300 entries are those of the head kept outside as kept-0; the other 300 have no outside reference",
    );
}

#[test]
fn an_outside_head_of_all_entries_covers_all_of_them_and_an_empty_one_covers_none() {
    let all = leaves(300);
    let export = Export::of(&all);
    check_sound(
        &export.verify_since(&[signed(&all), signed(&all[..7])]),
        "sound: all 300 entries are those of the head kept outside as kept-0",
    );
    check_sound(&export.verify_since(&[signed(&[])]), "internally consistent, no outside reference");
}

#[test]
fn a_cut_tail_is_named_with_what_is_left() {
    let all = leaves(SIZE as u64);
    let export = Export::of(&all);
    export.remove("tile/entries/002.p");
    check(&export.verify(), FaultKind::CutTail, 512);
    let export = Export::of(&all);
    export.remove("tile/entries/002.p/88");
    export.put(&entries_path(2, 40), &all[512..552].iter().flat_map(|leaf| prefixed(leaf)).collect::<Vec<_>>());
    check(&export.verify(), FaultKind::CutTail, 552);
    let export = Export::of(&all);
    export.bundles(&all[..590], SIZE);
    check(&export.verify(), FaultKind::CutTail, 590);
    let export = Export::of(&all);
    export.remove("tile/entries/001");
    check(&export.verify(), FaultKind::Removed, 256);
}

#[test]
fn an_older_backup_is_rolled_back_for_everyone_with_a_later_head() {
    let all = leaves(SIZE as u64);
    let export = Export::of(&all[..500]);
    check_sound(&export.verify(), "internally consistent, no outside reference");
    let report = export.verify_since(&[signed(&all), signed(&all[..300])]);
    check(&report, FaultKind::RolledBack, 500);
    assert!(report.fault.unwrap().text.starts_with("rolled back, was 600, now 500"));
    // An old head put back without cutting the tiles leaves them hanging over.
    let export = Export::of(&all);
    export.put("checkpoint", &signed(&all[..500]));
    check(&export.verify(), FaultKind::Layout, None);
}

#[test]
fn another_key_and_another_log_are_told_apart() {
    let all = leaves(10);
    let export = Export::of(&all);
    let other = LogKey::from_seed(ORIGIN, &[2; 32]).unwrap();
    export.put("checkpoint", sign(&head(&all), &other).as_bytes());
    check(&export.verify(), FaultKind::WrongKey, None);
    let stranger = LogKey::from_seed("audit.example.com/acme/2", &[1; 32]).unwrap();
    let strange = TreeHead { origin: "audit.example.com/acme/2".into(), ..head(&all) };
    export.put("checkpoint", sign(&strange, &stranger).as_bytes());
    check(&export.verify(), FaultKind::ReplacedLog, None);
    // The kept head must be the log's too.
    let export = Export::of(&all);
    check(&export.verify_since(&[sign(&head(&all), &other).into_bytes()]), FaultKind::WrongKey, None);
    check(&export.verify_since(&[sign(&strange, &stranger).into_bytes()]), FaultKind::ReplacedLog, None);
}

#[test]
fn a_key_that_the_folder_names_is_not_believed_for_that() {
    let all = leaves(10);
    let export = Export::of(&all);
    let earlier = LogKey::from_seed(ORIGIN, &[2; 32]).unwrap();
    export.put("checkpoints/7", sign(&head(&all[..7]), &earlier).as_bytes());
    check(&export.verify(), FaultKind::WrongKey, None);
    export.put("keys", format!("{}\n{}\n", key().verifier_key(), earlier.verifier_key()).as_bytes());
    check(&export.verify(), FaultKind::WrongKey, None);
    // Not even if both keys signed a head: the log must say that it went over.
    export.put("checkpoints/8", sign_by(&head(&all[..8]), &[&earlier, &key()]).as_bytes());
    check(&export.verify(), FaultKind::WrongKey, None);
    export.remove("checkpoints/7");
    check_sound(&export.verify(), "internally consistent, no outside reference");
    export.put("keys", format!("{}\n", earlier.verifier_key()).as_bytes());
    assert!(export.verify().notes[0].contains("does not list the key"));
}

#[test]
fn a_clock_that_runs_backwards_and_a_silence_are_named() {
    let mut log = leaves(20);
    append(&mut log, 20, at(10));
    check(&Export::of(&log).verify(), FaultKind::ClockBackwards, 20);
    let mut log = leaves(20);
    append(&mut log, 20, at(20) + 17 * 60 * 1_000_000);
    let export = Export::of(&log);
    check(&export.verify(), FaultKind::Silence, 20);
    let report = verify(export.path(), &Ask { silence_is_fault: false, ..ask(&[]) }).unwrap();
    check_sound(&report, "internally consistent, no outside reference");
    assert!(report.notes[0].contains("1 silences"), "{:?}", report.notes);
    // 15 minutes and a little is a late heartbeat, not a silence.
    let mut log = leaves(20);
    append(&mut log, 20, at(19) + 15 * 60 * 1_000_000 + 2_000_000);
    check_sound(&Export::of(&log).verify(), "internally consistent, no outside reference");
}

#[test]
fn a_node_whose_clock_runs_far_ahead_is_told_and_is_no_fault() {
    let mut log = vec![];
    (0..3).for_each(|index| append(&mut log, index, at(0) - 301_000_000));
    let report = Export::of(&log).verify();
    check_sound(&report, "internally consistent, no outside reference");
    assert_eq!(report.notes.len(), 1);
    assert!(
        report.notes[0].starts_with("3 entries say that they happened more than 5 minutes after"),
        "{:?}",
        report.notes
    );
}

#[test]
fn a_service_that_said_it_stops_may_be_silent() {
    let program = Program { node: "node-1".into(), ver: "0.1.0".into() };
    let actor = Actor { id: "countersign".into(), kind: ActorKind::System };
    let stop = Body::new("0193a2b4-c5d6-7e8f-9a0b-000000000000", at(0), Act::ServiceStop, actor.clone(), &program);
    let start = Body::new("0193a2b4-c5d6-7e8f-9a0b-000000000001", at(9_999), Act::ServiceStart, actor, &program);
    let first = seal(&stop.to_bytes().unwrap(), 0, Hash::ZERO, at(0)).unwrap();
    let second = seal(&start.to_bytes().unwrap(), 1, leaf_hash(&first), at(9_999)).unwrap();
    check_sound(&Export::of(&[first, second]).verify(), "internally consistent, no outside reference");
}

#[test]
fn an_object_s_chain_is_followed() {
    let all = leaves(30);
    let resealed = |place: usize, from: &str, to: &str| {
        let mut changed = all.clone();
        let old = Leaf::parse(&all[place]).unwrap();
        changed[place] = seal(&replaced(old.body, from, to), place as u64, Hash::ZERO, old.sealed_at).unwrap();
        reseal(&mut changed, place);
        Export::of(&changed)
    };
    check(&resealed(6, "\"rev\":2", "\"rev\":3").verify(), FaultKind::ObjectChain, 6);
    check(&resealed(6, "\"rev\":2", "\"rev\":0").verify(), FaultKind::ObjectChain, 6);
    let sprev = format!("\"sprev\":\"{}\",", body_hash(Leaf::parse(&all[3]).unwrap().body));
    check(&resealed(6, &sprev, "").verify(), FaultKind::ObjectChain, 6);
    check(&resealed(6, "case-0", "case-7").verify(), FaultKind::ObjectChain, 6);
    check(&resealed(6, "u_", "v_").verify(), FaultKind::ObjectChain, 9);
    let capped = verify(Export::of(&all).path(), &Ask { objects_max: 2, ..ask(&[]) }).unwrap();
    assert_eq!(capped.objects, Some(3));
    assert_eq!(
        capped.notes,
        [
            "the log has more than 2 objects at once: 28 were let go as the longest untouched, and 27 later links of theirs were not followed"
        ]
    );
}

#[test]
fn an_entry_that_was_sealed_malformed_is_named() {
    let all = leaves(30);
    for (from, to) in [("\"v\":1", "\"v\":1.0"), ("\"user\"", "null"), ("{\"act\"", "{ \"act\"")] {
        let mut malformed = all.clone();
        malformed[7] = replaced(&all[7], from, to);
        check(&Export::of(&malformed).verify(), FaultKind::Malformed, 7);
    }
}

/// Small, and with everything an export can hold: an earlier head, an earlier key, superseded partial tiles.
fn small_export() -> Export {
    let all = leaves(5);
    let export = Export::of(&all);
    export.tiles(&all[..3]);
    export.put("checkpoints/3", &signed(&all[..3]));
    let earlier = LogKey::from_seed(ORIGIN, &[2; 32]).unwrap();
    export.put("keys", format!("{}\n{}\n", key().verifier_key(), earlier.verifier_key()).as_bytes());
    check_sound(&export.verify(), "internally consistent, no outside reference");
    export
}

#[test]
fn files_that_have_no_place_in_a_log_are_refused() {
    for path in [
        "surprise",
        ".hidden",
        "tile/0/000.p/6",
        "tile/0/001.p/1",
        "tile/0/000",
        "tile/1/000.p/1",
        "tile/x/000",
        "tile/0/0",
        "tile/0/000.p/05",
        "tile/entries/000.p/5x",
        "checkpoints/a/b",
        "checkpoints/a b",
        "anchors/.tmp",
        "tile/0/x/x/x/x/x/x/x/x/x/x/x/x",
    ] {
        let export = small_export();
        export.put(path, &[0; 32]);
        let report = export.verify();
        check(&report, FaultKind::Layout, None);
    }
}

#[test]
fn files_beyond_their_limit_are_refused_with_both_numbers() {
    for (path, size, both) in [
        ("checkpoint", 70_000, "has 70000 bytes, at most 65536 are allowed"),
        ("keys", 70_000, "has 70000 bytes, at most 65536 are allowed"),
        ("tile/0/000.p/5", 161, "has 161 bytes, 160 are allowed"),
        ("tile/entries/000.p/5", 8_389_121, "has 8389121 bytes, at most 8389120 are allowed"),
        ("checkpoints/9", 70_000, "has 70000 bytes, at most 65536 are allowed"),
    ] {
        let export = small_export();
        export.put(path, &vec![b'x'; size]);
        let report = export.verify();
        check(&report, FaultKind::Layout, None);
        let text = report.fault.unwrap().text;
        assert!(text.contains(both), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_refused_wherever_they_stand() {
    for path in
        ["checkpoint", "keys", "tile", "tile/0", "tile/0/000.p", "tile/0/000.p/5", "tile/entries", "checkpoints/3"]
    {
        let export = small_export();
        let outside = tempfile::tempdir().unwrap();
        let moved = outside.path().join("moved");
        std::fs::rename(export.path().join(path), &moved).unwrap();
        std::os::unix::fs::symlink(&moved, export.path().join(path)).unwrap();
        check(&export.verify(), FaultKind::Layout, None);
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_an_error_and_no_verdict() {
    let missing = small_export().path().join("nowhere");
    // Nothing is there at all: the head is missing, which is a fault; a folder in the place of a file is one too.
    assert_eq!(verify(&missing, &ask(&[])).unwrap().fault.unwrap().kind, FaultKind::Layout);
    let export = small_export();
    export.remove("checkpoint");
    export.put("checkpoint/x", b"");
    check(&export.verify(), FaultKind::Layout, None);
}
