//! `retention`, as the people who use it see it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "support/program.rs"]
mod program;
mod support;

use std::fs;
use std::process::Output;

use program::Workspace;
use serde_json::Value;

/// A workspace with two documents that nobody can read, and lawyers of level 2.
fn books() -> (Workspace, Vec<String>) {
    let books = Workspace::new(None);
    for name in ["lars", "lisa"] {
        books.ok(&["account", "add", "--name", name, "--role", "legal", "--level", "2", "--link-only"]);
    }
    for name in ["Erika Mustermann.pdf", "Max.pdf"] {
        books.drop_file("", name, &noise(name));
    }
    books.ok(&["run", "--once"]);
    let of = |name: &str| books.case_of(name).unwrap()["case"].as_str().unwrap().to_owned();
    let ids = vec![of("Erika Mustermann.pdf"), of("Max.pdf")];
    (books, ids)
}

/// No document that anybody can read.
fn noise(name: &str) -> Vec<u8> {
    [&[0, 255, 1, 254], name.as_bytes()].concat()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn with<'a>(words: &[&'a str], by: &'a str) -> Vec<&'a str> {
    [words, &["--as", by, "--reason", "as agreed"]].concat()
}

#[test]
fn a_hold_a_proposal_a_second_person_and_a_certificate() {
    let (books, ids) = books();
    let (id, other) = (ids[0].as_str(), ids[1].as_str());
    assert!(books.json(&["retention", "due"]).is_empty());
    let early = refused(&books.run(&with(&["retention", "propose", id], "rita")));
    assert!(early.contains("kept until ") && early.contains("by row `unbooked`"), "{early}");

    let hold = |what, by| with(&["retention", what, id, "--matter", "Smith v. Jones"], by);
    books.ok(&hold("hold", "adam"));
    let held = books.json(&["retention", "due"]);
    assert_eq!((held[0]["case"].as_str(), held[0]["standing"].as_str()), (Some(id), Some("held")));
    let mistaken = with(&["retention", "propose", id, "--ground", "mistaken_upload"], "rita");
    assert!(refused(&books.run(&mistaken)).contains("1 legal hold(s)"));
    assert!(refused(&books.run(&hold("release", "rita"))).contains("this needs the role legal"));
    books.ok(&hold("release", "lars"));

    books.ok(&mistaken);
    let proposed = books.json(&["retention", "due"]);
    assert_eq!(
        (proposed[0]["standing"].as_str(), proposed[0]["ground"].as_str()),
        (Some("proposed"), Some("mistaken_upload"))
    );
    assert!(refused(&books.run(&with(&["retention", "erase", id], "lena"))).contains("legal of level 2"));
    let erase: Vec<&str> = with(&["retention", "erase", id], "lars");
    let certificate: Value = books.json(&erase).remove(0);
    assert_eq!((certificate["case"].as_str(), certificate["ground"].as_str()), (Some(id), Some("mistaken_upload")));
    assert!(certificate["index"].is_u64(), "it is sealed at once");
    assert_eq!(books.json(&["retention", "certificate", id, "--as", "lena"]), [certificate]);
    assert!(books.ok(&["retention", "certificate", id, "--as", "lena"]).starts_with("Certificate of erasure"));
    let shown = books.json(&["case", "show", id]).remove(0).to_string();
    assert!(shown.contains("Erased") && !shown.contains("Mustermann"), "{shown}");

    // Not erased, no certificate; not proposed, nothing to withdraw or erase.
    assert_eq!(books.run(&["retention", "certificate", other, "--as", "lena"]).status.code(), Some(2));
    assert!(refused(&books.run(&with(&["retention", "erase", other], "lars"))).contains("nobody proposed"));
    books.ok(&with(&["retention", "propose", other, "--ground", "subject_request"], "rita"));
    books.ok(&with(&["retention", "withdraw", other], "rita"));
    assert!(
        refused(&books.run(&with(&["retention", "ended", other, "--on", "2026-12-31"], "rita")))
            .contains("Quarantined")
    );
    books.judge();
}

#[test]
fn a_person_is_told_what_is_kept_about_them_and_the_log_has_its_digest() {
    let (books, ids) = books();
    let dir = books.dir.join("answer");
    let ask = with(&["retention", "dsar", "--subject", "erika  MUSTERMANN"], "lena");
    let found = books.json(&ask);
    assert_eq!(found.iter().map(|it| it["case"].as_str().unwrap()).collect::<Vec<_>>(), [ids[0].as_str()]);
    let write = with(&["retention", "dsar", dir.to_str().unwrap(), "--subject", "Erika Mustermann"], "lena");
    let handed = books.json(&write).remove(0);
    assert_eq!(handed["files"].as_u64(), Some(2));
    assert_eq!(fs::read(dir.join(&ids[0]).join("document")).unwrap(), noise("Erika Mustermann.pdf"));
    let manifest = fs::read(dir.join("manifest.json")).unwrap();
    assert_eq!(case::Digest::of(&manifest).to_string(), handed["manifest"].as_str().unwrap());
    let log = books.dir.join("export");
    books.ok(&["log", "export", log.to_str().unwrap(), "--as", "ada"]);
    let mut entries = String::new();
    let mut folders = vec![log];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                entries += &String::from_utf8_lossy(&fs::read(entry).unwrap());
            }
        }
    }
    assert!(entries.contains("privacy.answer") && entries.contains(handed["manifest"].as_str().unwrap()));
    assert!(!entries.contains("Mustermann") && !entries.contains("as agreed"));

    assert_eq!(books.run(&write).status.code(), Some(2), "the folder is not empty any more");
    assert!(refused(&books.run(&with(&["retention", "dsar", "--subject", "Erika"], "rita"))).contains("legal"));
    let short = books.run(&with(&["retention", "dsar", "--subject", "E"], "lena"));
    assert_eq!(short.status.code(), Some(2), "{short:?}");
}
