//! Receipts, visits, samples and the page to sign, as a person runs them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod log;

use std::fs;

use audit::*;
use log::*;
use serde_json::Value as Json;

#[test]
fn a_folder_of_receipts_is_verified_without_the_log() {
    let dir = tempfile::tempdir().unwrap();
    receipts(dir.path(), 9, &[2, 3, 8]);
    let (folder, vkey) = (dir.path().to_str().unwrap(), key().verifier_key());
    let (code, text, _) = auditor(&["proof", folder, "--key", &vkey]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("receipt   entry 8 of audit.example.com/acme/1, review.comment sealed 2026-11-22T10:00:00.000008Z, is in the head of 9 entries\n"), "{text}");
    assert!(text.contains("openings  2 fit their commitments, 0 commitments have none\n"), "{text}");
    assert!(text.ends_with("verdict   good: all 3 receipts show entries of a log that the key signed\n"), "{text}");
    // One receipt, with its entry beside it, or somewhere else.
    let one = dir.path().join("8.tlog-proof");
    let (receipt, elsewhere) = (one.to_str().unwrap(), tempfile::tempdir().unwrap());
    put(elsewhere.path(), "8.json", &leaves(9)[8]);
    let folder_of_entries = elsewhere.path().to_str().unwrap();
    let entry = elsewhere.path().join("8.json");
    for args in [vec![], vec!["--entry", folder_of_entries], vec!["--entry", entry.to_str().unwrap()]] {
        let (code, text, _) = auditor(&[vec!["proof", receipt, "--key", &vkey, "--json"], args].concat());
        let answer: Json = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &answer["receipts"][0]["index"]), (0, &8.into()), "{text}");
        assert_eq!(answer["openings"], serde_json::json!({"opened": 0, "not_opened": 1}));
    }
}

#[test]
fn receipts_that_show_something_else_are_refused() {
    let vkey = key().verifier_key();
    let other = LogKey::from_seed(ORIGIN, &[2; 32]).unwrap().verifier_key();
    let check = |name: &str, key: &str, why: &str, tamper: &dyn Fn(&std::path::Path)| {
        let dir = tempfile::tempdir().unwrap();
        receipts(dir.path(), 9, &[2, 3, 8]);
        tamper(dir.path());
        let (code, text, error) = auditor(&["proof", dir.path().to_str().unwrap(), "--key", key]);
        assert_eq!(code, 1, "{name}: {text}{error}");
        assert!(text.lines().any(|line| line.starts_with("fault     ") && line.contains(why)), "{name}: {text}");
    };
    check("another key", &other, "not signed by any key", &|_| ());
    check("another entry", &vkey, "not for this entry", &|dir| put(dir, "8.json", &leaves(9)[7]));
    check("an edited entry", &vkey, "not for this entry", &|dir| {
        let text = fs::read_to_string(dir.join("8.json")).unwrap();
        put(dir, "8.json", text.replace("case-1", "case-2").as_bytes());
    });
    check("another name", &vkey, "not for the one in its name", &|dir| {
        fs::rename(dir.join("8.json"), dir.join("7.json")).unwrap();
        fs::rename(dir.join("8.tlog-proof"), dir.join("7.tlog-proof")).unwrap();
    });
    check("a missing entry", &vkey, "cannot open", &|dir| fs::remove_file(dir.join("8.json")).unwrap());
    check("a missing receipt", &vkey, "8.json has no receipt", &|dir| {
        fs::remove_file(dir.join("8.tlog-proof")).unwrap()
    });
    check("a stranger", &vkey, "has no place among receipts", &|dir| put(dir, "surprise", b"x"));
    check("another value", &vkey, "the opening of `comment` of entry 8 does not fit", &|dir| {
        let text = fs::read_to_string(dir.join("openings.jsonl")).unwrap();
        put(dir, "openings.jsonl", text.replace("comment 8", "comment 9").as_bytes());
    });
    check("an opening too many", &vkey, "is for no commitment here", &|dir| {
        let text = fs::read_to_string(dir.join("openings.jsonl")).unwrap();
        put(dir, "openings.jsonl", (text + &opening(5).to_line() + "\n").as_bytes());
    });
    check("two histories", &vkey, "two histories were signed", &|dir| {
        let mut other = leaves(9);
        let body = String::from_utf8(other[8].clone()).unwrap().replace("case-1", "case-2");
        other[8] = body.into_bytes();
        let mut frontier = Frontier::new();
        other.iter().for_each(|leaf| frontier.append(leaf_hash(leaf)));
        let head = sign(&TreeHead { origin: ORIGIN.into(), size: 9, root: frontier.root() }, &key());
        let mut seven = Frontier::new();
        leaves(8).iter().for_each(|leaf| seven.append(leaf_hash(leaf)));
        put(dir, "8.json", &other[8]);
        put(dir, "8.tlog-proof", write_receipt(8, &[seven.root()], &head, b"").as_bytes());
    });
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(auditor(&["proof", empty.path().to_str().unwrap(), "--key", &vkey]).0, 1);
}

#[test]
fn a_visit_remembers_the_head_cosigns_it_and_refuses_a_step_back_and_another_history() {
    let dir = tempfile::tempdir().unwrap();
    let (log, state, keyfile, line) =
        (dir.path().join("log"), dir.path().join("state"), dir.path().join("key"), dir.path().join("line"));
    fs::create_dir(&state).unwrap();
    let vkey = key().verifier_key();
    let (code, witness, _) = auditor(&["witness-key", "witness.example.org/1", "--out", keyfile.to_str().unwrap()]);
    assert_eq!(code, 0);
    // A key is never written over.
    assert_eq!(auditor(&["witness-key", "witness.example.org/1", "--out", keyfile.to_str().unwrap()]).0, 2);
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&keyfile).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    let visit = |more: &[&str]| {
        let args = ["witness", log.to_str().unwrap(), "--key", &vkey, "--state", state.to_str().unwrap()];
        auditor(&[&args, more].concat())
    };
    let head = export(&log, 6);
    let cosign = ["--cosign", keyfile.to_str().unwrap(), "--time", "1795345200", "--out", line.to_str().unwrap()];
    let (code, text, error) = visit(&cosign);
    assert_eq!(code, 0, "{text}{error}");
    assert!(text.contains("the first of this log") && text.contains("cosigned  — witness.example.org/1 "), "{text}");
    let line = fs::read_to_string(&line).unwrap();
    let cosigned = with_signatures(head.as_bytes(), &[&line]).unwrap();
    let witness = WitnessKey::parse(witness.trim()).unwrap();
    assert_eq!(cosignatures(cosigned.as_bytes(), std::slice::from_ref(&witness)).unwrap()[0].time, 1_795_345_200);
    // The log with the cosignature in it, to one who believes the witness.
    put(&log, "checkpoint", cosigned.as_bytes());
    let (code, text, _) = auditor(&[log.to_str().unwrap(), "--key", &vkey, "--witness", &witness.to_string()]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("verdict   sound: all 6 entries are those of the head in checkpoint, cosigned until 2026-11-22T11:00:00.000000Z by witness.example.org/1\n"), "{text}");

    fs::remove_dir_all(&log).unwrap();
    export(&log, 9);
    let (code, text, _) = visit(&[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("the other 3 have no outside reference"), "{text}");
    // A step back is refused, and what was remembered stays.
    fs::remove_dir_all(&log).unwrap();
    export(&log, 6);
    for _ in 0..2 {
        let (code, text, _) = visit(&cosign);
        assert_eq!(code, 1);
        assert!(text.contains("rolled back, was 9, now 6") && text.contains("nothing was remembered"), "{text}");
        assert!(!text.contains("cosigned  "), "{text}");
    }
    // So is another history of the same length.
    fs::remove_dir_all(&log).unwrap();
    export(&log, 9);
    let entries = fs::read_to_string(log.join("checkpoint")).unwrap();
    let forged = TreeHead { origin: ORIGIN.into(), size: 9, root: Hash([7; 32]) };
    let remembered = fs::read_dir(&state).unwrap().map(|file| file.unwrap().path());
    let remembered = remembered.into_iter().find(|path| path.extension().is_some()).unwrap();
    assert_eq!(fs::read_to_string(&remembered).unwrap(), entries);
    fs::write(&remembered, sign(&forged, &key())).unwrap();
    let (code, text, _) = visit(&[]);
    assert_eq!(code, 1);
    assert!(text.ends_with("stays as it was\n") && text.contains("verdict   fault: fork at entry 0\n"), "{text}");
}

#[test]
fn a_log_without_samples_says_so() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), 5);
    let (code, text, _) = auditor(&["sample", dir.path().to_str().unwrap(), "--key", &key().verifier_key()]);
    assert_eq!(code, 0, "{text}");
    assert!(text.ends_with("samples   the log has none\n"), "{text}");
}

#[test]
fn the_page_to_sign_says_what_was_checked_and_holds_no_word_of_a_stranger_but_as_text() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log<script>alert(1)</script>");
    export(&log, 5);
    fs::write(dir.path().join("kept"), export(&log, 5)).unwrap();
    let (page, kept) = (dir.path().join("page.html"), dir.path().join("kept"));
    let vkey = key().verifier_key();
    let args = [log.to_str().unwrap(), "--key", &vkey, "--report", page.to_str().unwrap()];
    assert_eq!(auditor(&args).0, 0);
    let html = fs::read_to_string(&page).unwrap();
    for expected in [
        "internally consistent, no outside reference",
        &vkey,
        "<td>0 to 4</td><td>nothing</td>",
        "log&lt;script&gt;alert(1)&lt;/script&gt;",
        "<tr><th>Signature</th><td></td></tr>",
        "2026-11-22T10:00:00.000004Z",
    ] {
        assert!(html.contains(expected), "{expected} is not in {html}");
    }
    assert!(!html.contains("<script") && !html.contains("http:") && !html.contains("https:") && !html.contains("href"));
    assert_eq!(auditor(&[&args[..], &["--since", kept.to_str().unwrap()]].concat()).0, 0);
    assert!(fs::read_to_string(&page).unwrap().contains("<tr><td>0 to 4</td><td>a head that was kept, <code>"));
    put(&log, "tile/entries/000.p/5", b"\0\x01x");
    assert_eq!(auditor(&args).0, 1);
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("<div class=\"verdict fault\"><strong>fault: edited at entry 0</strong>"), "{html}");
    assert!(html.contains("Nothing is said about a log that has a fault."));
}
