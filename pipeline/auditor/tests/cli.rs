//! What an auditor sees and a script depends on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod log;

use log::*;
use serde_json::Value as Json;

#[test]
fn a_sound_log_ends_with_0_and_says_what_no_one_outside_confirms() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let early = export(&log, 5);
    std::fs::remove_dir_all(&log).unwrap();
    export(&log, 9);
    let (log, vkey) = (log.to_str().unwrap(), key().verifier_key());
    let (code, text, _) = auditor(&[log, "--key", &vkey]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("verdict   internally consistent, no outside reference\n"), "{text}");
    assert!(text.contains("9 entries") && text.contains(&vkey), "{text}");

    let (kept, keyfile) = (dir.path().join("kept"), dir.path().join("vkey"));
    std::fs::write(&kept, early).unwrap();
    std::fs::write(&keyfile, vkey + "\n").unwrap();
    let (kept, keyfile) = (kept.to_str().unwrap(), keyfile.to_str().unwrap());
    let (code, text, _) = auditor(&["--objects", log, "--key", keyfile, "--since", kept]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(&format!("outside   entries 0 to 4 by the head kept outside as {kept}\n")), "{text}");
    assert!(text.contains("the other 4 have no outside reference"), "{text}");
    assert!(text.contains("outside   no reference for the entries 5 to 8\n"), "{text}");
    let (code, text, _) = auditor(&[log, "--key", keyfile, "--since", kept, "--json"]);
    let answer: Json = serde_json::from_str(&text).unwrap();
    assert_eq!((code, text.lines().count()), (0, 1));
    assert_eq!((&answer["sound"], &answer["covered"]["size"]), (&Json::from(true), &Json::from(5)));
    assert_eq!(answer["ranges"], serde_json::json!({"covered": [0, 4], "uncovered": [5, 8]}));
}

#[test]
fn a_fault_ends_with_1_and_is_named_with_its_entry() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), 9);
    let path = dir.path().join("tile/entries/000.p/9");
    let bytes = std::fs::read(&path).unwrap();
    let mut edited = bytes.clone();
    let (place, _) = bytes.windows(11).enumerate().filter(|(_, here)| here == b"countersign").nth(4).unwrap();
    edited[place] = b'k';
    std::fs::write(&path, edited).unwrap();
    let (dir, vkey) = (dir.path().to_str().unwrap(), key().verifier_key());
    let (code, text, _) = auditor(&[dir, "--key", &vkey]);
    assert_eq!(code, 1);
    assert!(text.ends_with("verdict   fault: edited at entry 4\n"), "{text}");
    let (code, text, _) = auditor(&[dir, "--key", &vkey, "--json"]);
    let answer: Json = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &answer["fault"]["kind"], &answer["fault"]["index"]), (1, &"edited".into(), &4.into()));
    assert_eq!(answer["entries"], 4);
}

#[test]
fn an_older_backup_is_told_with_both_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let (long, short) = (dir.path().join("long"), dir.path().join("short"));
    let head = export(&long, 9);
    export(&short, 6);
    let kept = dir.path().join("kept");
    std::fs::write(&kept, head).unwrap();
    let vkey = key().verifier_key();
    let (code, text, _) = auditor(&[short.to_str().unwrap(), "--key", &vkey, "--since", kept.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(text.contains("rolled back, was 9, now 6"), "{text}");
}

#[test]
fn wrong_use_ends_with_2_and_prints_no_verdict() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), 3);
    let (log, vkey) = (dir.path().to_str().unwrap(), key().verifier_key());
    let none = dir.path().join("none");
    let none = none.to_str().unwrap();
    for args in [
        vec![],
        vec![log],
        vec![none, "--key", &vkey],
        vec![log, "--key", "nonsense"],
        vec![log, "--key", log],
        vec![log, "--key", &vkey, "--since", none],
        vec![log, "--key", &vkey, "--surprise"],
        vec![log, "--key", &vkey, "--witness", "nonsense"],
        vec![log, "--key", &vkey, "--quorum", "1"],
        vec![log, "--key", &vkey, "--timestamp-certificate", none],
        vec![log, "--key", &vkey, "--openings", none],
        vec![log, "--key", &vkey, "--threads", "65"],
        vec!["proof", "--key", &vkey],
        vec!["proof", none, "--key", &vkey],
        vec!["witness", log, "--key", &vkey, "--state", none],
        vec!["witness", log, "--key", &vkey],
        vec!["sample", none, "--key", &vkey],
        vec!["witness-key", "two words", "--out", none],
    ] {
        let (code, stdout, stderr) = auditor(&args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(!stderr.is_empty());
    }
}

#[test]
fn help_shows_an_example() {
    let (code, text, _) = auditor(&["--help"]);
    assert_eq!(code, 0);
    assert!(text.contains("Examples:\n  auditor export/ --key "), "{text}");
}
