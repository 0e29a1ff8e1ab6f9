//! What an auditor sees and a script depends on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;
use std::process::{Command, Output};

use audit::*;
use serde_json::Value as Json;

const ORIGIN: &str = "audit.example.com/acme/1";

fn key() -> LogKey {
    LogKey::from_seed(ORIGIN, &[1; 32]).unwrap()
}

/// Writes a log of `count` entries into `dir`; returns its signed head.
fn export(dir: &Path, count: u64) -> String {
    let program = Program { node: "node-1".into(), ver: "0.1.0".into() };
    let actor = Actor { id: "countersign".into(), kind: ActorKind::System };
    let (mut tiles, mut files, mut prev) = (TileWriter::new(), Vec::new(), Hash::ZERO);
    for index in 0..count {
        let at = 1_795_341_600_000_000 + index as i64;
        let body = Body::new("0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b", at, Act::LogHeartbeat, actor.clone(), &program);
        let leaf = seal(&body.to_bytes().unwrap(), index, prev, at).unwrap();
        prev = leaf_hash(&leaf);
        files.extend(tiles.push(&leaf).unwrap());
    }
    files.extend(tiles.partials());
    let head = sign(&TreeHead { origin: ORIGIN.into(), size: count, root: tiles.root() }, &key());
    files.push(TileFile { path: "checkpoint".into(), bytes: head.clone().into_bytes() });
    for file in files {
        let path = dir.join(file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.bytes).unwrap();
    }
    head
}

fn auditor(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_auditor")).args(args).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

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
    assert!(text.contains(&format!("outside   entries 0 to 4 by {kept}\n")), "{text}");
    assert!(text.contains("the other 4 have no outside reference"), "{text}");
    let (code, text, _) = auditor(&[log, "--key", keyfile, "--since", kept, "--json"]);
    let answer: Json = serde_json::from_str(&text).unwrap();
    assert_eq!((code, text.lines().count()), (0, 1));
    assert_eq!((&answer["sound"], &answer["covered"]["size"]), (&Json::from(true), &Json::from(5)));
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
    assert!(text.contains("Example:\n  auditor export/ --key "), "{text}");
}
