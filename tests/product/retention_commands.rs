//! `retention`, as the people who use it see it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
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
    let revision = proposed[0]["revision"].to_string();
    assert!(books.ok(&["retention", "due"]).contains(&format!("at revision {revision};")));
    let erase = |case, revision, by| with(&["retention", "erase", case, "--revision", revision], by);
    assert!(refused(&books.run(&erase(id, &revision, "lena"))).contains("legal of level 2"));
    // Nobody erases what they did not look at: it is proposed anew meanwhile.
    books.ok(&with(&["retention", "withdraw", id], "rita"));
    books.ok(&mistaken);
    let stale = refused(&books.run(&erase(id, &revision, "lars")));
    assert!(stale.contains(&format!("no longer at revision {revision}")), "{stale}");
    assert_eq!(books.run(&with(&["retention", "erase", id], "lars")).status.code(), Some(2), "without a revision");
    let revision = books.json(&["retention", "due"])[0]["revision"].to_string();
    let certificate: Value = books.json(&erase(id, &revision, "lars")).remove(0);
    // An older backup is known to be older from here on.
    let signed = fs::read_to_string(books.dir.join("keys/signed-head")).unwrap();
    assert!(certificate["index"].as_u64().unwrap() < signed.lines().nth(1).unwrap().parse().unwrap());
    assert_eq!((certificate["case"].as_str(), certificate["ground"].as_str()), (Some(id), Some("mistaken_upload")));
    assert!(certificate["index"].is_u64(), "it is sealed at once");
    assert_eq!(books.json(&["retention", "certificate", id, "--as", "lena"]), [certificate]);
    assert!(books.ok(&["retention", "certificate", id, "--as", "lena"]).starts_with("Certificate of erasure"));
    let shown = books.json(&["case", "show", id]).remove(0).to_string();
    assert!(shown.contains("Erased") && !shown.contains("Mustermann"), "{shown}");

    // Not erased, no certificate; not proposed, nothing to withdraw or erase.
    assert_eq!(books.run(&["retention", "certificate", other, "--as", "lena"]).status.code(), Some(2));
    let of_other = books.json(&["case", "show", other])[0]["revision"].to_string();
    assert!(refused(&books.run(&erase(other, &of_other, "lars"))).contains("nobody proposed"));
    let gone = books.json(&["case", "show", id])[0]["revision"].to_string();
    let again = refused(&books.run(&erase(id, &gone, "lars")));
    assert!(again.contains("a case that is erased cannot be erased"), "{again}");
    books.ok(&with(&["retention", "propose", other, "--ground", "subject_request"], "rita"));
    books.ok(&with(&["retention", "withdraw", other], "rita"));
    assert!(
        refused(&books.run(&with(&["retention", "ended", other, "--on", "2026-12-31"], "rita")))
            .contains("a case that is quarantined cannot be given a day on which it ended")
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
    assert_eq!(handed["files"].as_u64(), Some(3), "what is known, what its entries stand for, the document");
    assert_eq!(fs::read(dir.join(&ids[0]).join("document")).unwrap(), noise("Erika Mustermann.pdf"));
    let manifest = fs::read(dir.join("manifest.json")).unwrap();
    assert_eq!(case::Digest::of(&manifest).to_string(), handed["manifest"].as_str().unwrap());
    let entries = log_of(&books, "export");
    assert!(entries.contains("privacy.answer") && entries.contains(handed["manifest"].as_str().unwrap()));
    assert!(entries.contains("privacy.search"), "the list leaves an entry too");
    assert!(!entries.contains("Mustermann") && !entries.contains("as agreed"));
    for (path, mode) in [("", 0o700), (ids[0].as_str(), 0o700), ("manifest.json", 0o600)] {
        assert_eq!(fs::metadata(dir.join(path)).unwrap().permissions().mode() & 0o777, mode, "{path}");
    }

    assert_eq!(books.run(&write).status.code(), Some(2), "the folder is not empty any more");
    assert!(refused(&books.run(&with(&["retention", "dsar", "--subject", "Erika"], "rita"))).contains("legal"));
    let short = books.run(&with(&["retention", "dsar", "--subject", "E"], "lena"));
    assert_eq!(short.status.code(), Some(2), "{short:?}");
}

#[test]
fn a_person_is_found_in_what_was_said_and_brought_in_and_nobody_is_looked_up_without_a_trace() {
    let (books, ids) = books();
    let vendors = books.dir.join("vendors.csv");
    fs::write(&vendors, "vendor_id,name,iban\nV-7,Gärtnerei Jonas Groß,\nV-8,Acme GmbH,\n").unwrap();
    books.ok(&["import", "vendors", vendors.to_str().unwrap(), "--as", "olivia"]);
    // The same document under another name, and a reason that names somebody.
    books.drop_file("", "von Jonas Groß.pdf", &noise("Max.pdf"));
    books.ok(&["run", "--once"]);
    let said = [
        "retention",
        "propose",
        &ids[0],
        "--ground",
        "mistaken_upload",
        "--as",
        "rita",
        "--reason",
        "J. Gro\u{df} asks",
    ];
    books.ok(&said);
    books.ok(&with(&["retention", "withdraw", &ids[0]], "rita"));

    let ask = |who| with(&["retention", "dsar", "--subject", who], "lena");
    let found = books.json(&ask("GROSS, Jonas"));
    let cases: Vec<&str> = found.iter().filter_map(|it| it["case"].as_str()).collect();
    assert_eq!(cases, [ids[1].as_str()], "by the name of what came again");
    let rows: Vec<&Value> = found.iter().filter(|it| it["imported"] == "vendors").map(|it| &it["row"]).collect();
    assert_eq!(rows.iter().map(|row| row["vendor_id"].as_str().unwrap()).collect::<Vec<_>>(), ["V-7"]);
    let by_reason = books.json(&ask("j. gross"));
    assert!(by_reason.iter().any(|it| it["case"].as_str() == Some(ids[0].as_str())), "{by_reason:?}");

    let dir = books.dir.join("answer");
    let write = |dir: &std::path::Path| {
        let dir = dir.to_str().unwrap();
        books.run(&with(&["retention", "dsar", dir, "--subject", "Jonas Gross", "--json"], "lena"))
    };
    let output = write(&dir);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("Not searched: "));
    assert!(fs::read_to_string(dir.join(&ids[1]).join("openings.json")).unwrap().contains("von Jonas Groß.pdf"));
    assert!(fs::read_to_string(dir.join("vendors.json")).unwrap().contains("V-7"));

    let nobody = refused(&books.run(&ask("Nemo Nusquam")));
    assert!(nobody.contains("nothing that was searched is about this person"), "{nobody}");
    let unfounded = ["retention", "dsar", "--subject", "Jonas Gross", "--as", "lena", "--reason", " "];
    assert!(refused(&books.run(&unfounded)).contains("a reason is needed"));

    // Never into a folder of the workspace, by whatever name it is called.
    symlink(books.inbox(), books.dir.join("desk")).unwrap();
    for own in ["inbox/answer", "desk/answer", "data/answer", "keys", "new/../inbox/answer", "."] {
        let output = write(&books.dir.join(own));
        assert_eq!(output.status.code(), Some(2), "{own}: {output:?}");
        let export = books.dir.join(own);
        let export = books.run(&["log", "export", export.to_str().unwrap(), "--openings", "--as", "ada"]);
        assert_eq!(export.status.code(), Some(2), "{own}: {export:?}");
    }
    assert_eq!(books.files_in_flight(), 0);
    let export = books.dir.join("openings");
    books.ok(&["log", "export", export.to_str().unwrap(), "--openings", "--as", "ada"]);
    assert_eq!(fs::metadata(export.join("openings.jsonl")).unwrap().permissions().mode() & 0o777, 0o600);
    books.judge();
}

#[test]
fn a_case_that_does_not_open_ends_no_answer_and_is_named() {
    let (books, ids) = books();
    // Every sealed file goes; what is in the rows can still be handed out.
    fs::remove_dir_all(books.dir.join("data/vault")).unwrap();
    let dir = books.dir.join("answer");
    let output = books.run(&with(&["retention", "dsar", dir.to_str().unwrap(), "--subject", "Mustermann"], "lena"));
    let said = refused(&output);
    assert!(said.contains(&format!("not opened: case {}", ids[0])), "{said}");
    assert!(dir.join(&ids[0]).join("case.json").exists() && dir.join("manifest.json").exists());
    assert!(log_of(&books, "export").contains("privacy.answer"));
}

/// Every byte of an export of the log.
fn log_of(books: &Workspace, name: &str) -> String {
    let log = books.dir.join(name);
    books.ok(&["log", "export", log.to_str().unwrap(), "--as", "ada"]);
    let (mut entries, mut folders) = (String::new(), vec![log]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                entries += &String::from_utf8_lossy(&fs::read(entry).unwrap());
            }
        }
    }
    entries
}
