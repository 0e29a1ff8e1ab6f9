use super::*;

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
