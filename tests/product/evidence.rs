//! What an auditor is given: receipts, openings, the report about a period, samples. Each test plays on both databases, and
//! judges what was handed out as somebody would who has it and the log's key, and nothing else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod commands;
mod openings;
mod permissions;
mod receipts;
mod report;
mod samples;

use crate::support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use audit::{Act, Body, Leaf, Value, VerifierKey, verify_receipt};
use case::{Actor, Case, CaseId, Digest, Role, Timestamp};
use jiff::civil::{Date, date};
use serde_json::{Value as Json, json};
use store::{Error, Period, SampleAsk, Store};
use support::{
    NOW, admin, admitted, arrival, auditor, body_of, exported_leaves, files_below, machine, on_both, person, policy,
    seconds_later, stores, unreadable,
};
use tempfile::TempDir;

const DAY: i64 = 86_400;

fn today() -> Period {
    Period { from: NOW.date(), to: NOW.date() }
}

fn ask(count: u64, from: Date, to: Date) -> SampleAsk {
    SampleAsk { count, period: Period { from, to }, seed: None }
}

fn show(case: &Case, history: &[store::Happening]) -> Json {
    json!({"case": case.id, "events": history.len()})
}

async fn admit(store: &Store, bytes: &[u8], now: Timestamp) -> CaseId {
    admitted(store, arrival(bytes, "document", "inbox"), now).await
}

async fn quarantined(store: &Store, bytes: &[u8]) -> CaseId {
    let id = admit(store, bytes, NOW).await;
    store.apply(id, 0, unreadable(), &machine(), NOW).await.unwrap();
    id
}

fn is_about(body: &Body, id: CaseId) -> bool {
    body.obj.as_ref().is_some_and(|object| object.id == id.to_string())
}

#[track_caller]
fn text(value: &Value) -> &str {
    let Value::Text(text) = value else { panic!("{value:?}") };
    text
}

/// Every entry in a folder of receipts by its index, verified as somebody would who has the folder and the key: by our own
/// verifier, and by one of other makers where it lies beside the one that `COUNTERSIGN_TLOGCHECK` names.
#[track_caller]
fn receipts_in(dir: &Path, key: &str) -> BTreeMap<u64, Body> {
    let keys = [VerifierKey::parse(key).unwrap()];
    let other = std::env::var_os("COUNTERSIGN_TLOGCHECK").map(|it| PathBuf::from(it).with_file_name("tlogcheck"));
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "tlog-proof") {
            continue;
        }
        let (file, receipt) = (path.with_extension("json"), std::fs::read(&path).unwrap());
        let bytes = std::fs::read(&file).unwrap();
        let verified = verify_receipt(&receipt, &bytes, &keys).unwrap();
        let leaf = Leaf::parse(&bytes).unwrap();
        assert_eq!(verified.index, leaf.index);
        assert_eq!(path.file_stem().unwrap().to_str().unwrap(), leaf.index.to_string());
        if let Some(program) = other.as_ref().filter(|it| it.exists()) {
            let output = Command::new(program).args(["proof", "-entry"]).arg(file).arg(path).arg(key).output().unwrap();
            assert!(output.status.success(), "the independent verifier says: {output:?}");
        }
        found.insert(leaf.index, Body::parse(leaf.body).unwrap());
    }
    found
}

/// Path and value of every opening in a folder, each compared with the commitment in its entry, in order.
#[track_caller]
fn openings_in(dir: &Path, entry: impl Fn(u64) -> Body) -> Vec<(String, Json)> {
    let lines = std::fs::read_to_string(dir.join("openings.jsonl")).unwrap();
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<_> = lines.iter().map(|it| (it["i"].as_u64().unwrap(), it["path"].as_str().unwrap())).collect();
    assert!(places.is_sorted());
    for (line, (i, path)) in lines.iter().zip(&places) {
        let body = entry(*i);
        let salt: Digest = line["salt"].as_str().unwrap().parse().unwrap();
        assert_eq!((line["id"].as_str(), line.as_object().unwrap().len()), (Some(body.id.as_str()), 5));
        assert_eq!(audit::commit(&salt.0, path, &line["value"]).unwrap(), body.c[*path]);
    }
    lines.iter().map(|it| (it["path"].as_str().unwrap().to_owned(), it["value"].clone())).collect()
}

fn exported_bodies(dir: &Path, size: u64) -> Vec<Body> {
    exported_leaves(dir, size).iter().map(|leaf| body_of(leaf)).collect()
}

/// Runs what a README tells to run, on one entry, where this machine has what it needs; and on a changed one.
#[track_caller]
fn as_the_readme_says(dir: &Path, index: u64, key: &str) {
    if std::env::var_os("COUNTERSIGN_TLOGCHECK").is_none() {
        return;
    }
    let readme = std::fs::read_to_string(dir.join("README.md")).unwrap();
    let (_, commands) = readme.split_once("```sh\n").unwrap();
    let (commands, _) = commands.split_once("```").unwrap();
    let here = if dir.join(format!("{index}.json")).exists() { dir.to_owned() } else { dir.join("sample") };
    let scratch = TempDir::new().unwrap();
    let (entry, receipt) = (scratch.path().join("e"), here.join(format!("{index}.tlog-proof")));
    std::fs::copy(here.join(format!("{index}.json")), &entry).unwrap();
    let commands = commands.replace("ENTRY.json", "e").replace("ENTRY.tlog-proof", receipt.to_str().unwrap());
    let commands = commands.replace("KEY", key);
    let run = || Command::new("sh").args(["-e", "-c", &commands]).current_dir(scratch.path()).output().unwrap();
    let output = run();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && told.contains("Verified Successfully"), "{output:?}");
    let mut bytes = std::fs::read(&entry).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&entry, bytes).unwrap();
    assert!(!run().status.success());
}
