use crate::program::Workspace;

use super::*;

#[test]
fn an_auditor_takes_receipts_a_report_and_a_sample_on_the_command_line() {
    let workspace = Workspace::new(None);
    for n in 0..6 {
        workspace.drop_file("invoices", &format!("{n}.bin"), format!("noise {n}").as_bytes());
    }
    workspace.ok(&["run", "--once"]);
    let id = workspace.cases()[0]["case"].as_str().unwrap().to_owned();
    let path = |name: &str| workspace.dir.join(name).to_str().unwrap().to_owned();
    let refused = workspace.run(&["log", "prove", &id, &path("no"), "--as", "rita"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let proved = workspace.json(&["log", "prove", &id, &path("receipts"), "--as", "ada", "--openings"]).remove(0);
    let key = proved["head"]["verifier_key"].as_str().unwrap().to_owned();
    let receipts = receipts_in(&workspace.dir.join("receipts"), &key);
    assert_eq!((json!(receipts.len()), proved["openings"].as_u64().unwrap() > 3), (proved["receipts"].clone(), true));

    workspace.audited(&["proof", &path("receipts"), "--key", &key]);

    let refused = workspace.run(&["log", "export", &path("log"), "--as", "adam", "--openings"]);
    assert_eq!((refused.status.code(), workspace.dir.join("log").exists()), (Some(1), false), "{refused:?}");
    workspace.ok(&["log", "export", &path("log"), "--as", "ada", "--openings"]);
    let stale = workspace.run(&["log", "export", &path("log"), "--as", "ada"]);
    assert!(
        stale.status.code() == Some(2) && String::from_utf8_lossy(&stale.stderr).contains("--openings"),
        "{stale:?}"
    );

    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let days = ["--from", "2026-01-01", "--to", &today, "--as", "ada"];
    let report = workspace.json(&[["log", "report"].as_slice(), &days].concat()).remove(0);
    assert_eq!((&report["denied"]["count"], report["acts"].as_array().unwrap().len() > 5), (&json!(2), true));
    let words = workspace.ok(&[["log", "report"].as_slice(), &days].concat());
    let admitted = words.lines().any(|line| line.split_whitespace().eq(["case.admit", "6", "0", "0"]));
    assert!(words.contains("Denied: 2") && admitted, "{words}");

    let sample = [["log", "sample", "commit", "--count", "2"].as_slice(), &days].concat();
    let committed = workspace.json(&sample).remove(0);
    assert_eq!((&committed["population"], committed["seed"].as_str().unwrap().len()), (&json!(6), 64));
    let id = committed["sample"].as_str().unwrap().to_owned();
    let drawn = workspace.json(&["log", "sample", "draw", &id, &path("pack"), "--as", "ada"]).remove(0);
    assert_eq!(drawn["cases"].as_array().unwrap().len(), 2);
    let case = drawn["cases"][0].as_str().unwrap();
    let shown = workspace.json(&["case", "show", case]).remove(0);
    let packed = workspace.dir.join(format!("pack/cases/001-{case}/case.json"));
    let packed: Json = serde_json::from_slice(&std::fs::read(packed).unwrap()).unwrap();
    assert_eq!((&packed["digest"], &packed["events"]), (&shown["digest"], &shown["events"]));
    assert_eq!(workspace.json(&["log", "sample", "list", "--as", "ada"]).remove(0)["sample"], json!(id));
    workspace.audited(&[
        "proof",
        &path(&format!("pack/cases/001-{case}/receipts")),
        &path("pack/sample"),
        "--key",
        &key,
    ]);
    workspace.ok(&["log", "export", &path("log"), "--as", "ada", "--openings"]);
    let told = workspace.audited(&["sample", &path("log"), "--key", &key]);
    assert!(told.is_none_or(|told| told.contains("all 1 are as they were committed to")));
    workspace.judge();
}
