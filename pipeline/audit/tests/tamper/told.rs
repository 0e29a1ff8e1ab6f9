use super::*;

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
    assert_eq!(since.fault.unwrap().kind, FaultKind::WrongKey);
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
    assert_eq!(log(&own(Act::ServiceStart, 0)).fault.unwrap().kind, FaultKind::ObjectChain);
    begin.d.remove("root");
    assert_eq!(log(&begin).fault.unwrap().kind, FaultKind::Malformed);
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
        ("the proof of another entry", log::receipt(&all, 6), &all[7]),
        ("the head of another key", receipt.replace(ORIGIN, "audit.example.com/evil/1"), &all[7]),
    ];
    for (name, text, entry) in attacks {
        assert!(!good(&text, entry), "{name}");
    }
}
