//! Killed at any moment, on either database: nothing is lost, doubled, booked twice or missing from the log.
//!
//! In the ordinary run a small number of kills; `COUNTERSIGN_KILLS=200 COUNTERSIGN_DOCUMENTS=500` for the measured one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;
use crate::support;

use std::collections::BTreeSet;
use std::time::Duration;

use program::{Workspace, eventually};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[test]
fn a_service_killed_at_random_moments_loses_and_doubles_nothing_on_sqlite() {
    kill_again_and_again(None, 7);
}

#[test]
fn a_service_killed_at_random_moments_loses_and_doubles_nothing_on_postgres() {
    let Some(url) = support::postgres_url() else { return };
    kill_again_and_again(Some(url), 11);
}

fn kill_again_and_again(database: Option<String>, seed: u64) {
    let (kills, documents) = (number("COUNTERSIGN_KILLS", 12), number("COUNTERSIGN_DOCUMENTS", 60) as usize);
    let workspace = Workspace::new(database);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut stream = demo::stream(documents, seed, today);
    workspace.import(&stream.vendors_csv, &stream.orders_csv, &stream.receipts_csv);

    // A fixed sequence of waits, so that a failure can be run again; the moments they hit differ all the same.
    let mut state = seed;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let batch = documents.div_ceil(kills.max(1) as usize);
    for kill in 0..kills {
        for (name, bytes) in stream.by_ref().take(batch) {
            workspace.drop_file("invoices", &name, &bytes);
        }
        let mut service = workspace.start();
        // From before it is up to well into the work.
        std::thread::sleep(Duration::from_millis(20 + random(700)));
        service.kill();
        eprintln!("kill {} of {kills}", kill + 1);
    }
    for (name, bytes) in stream.by_ref() {
        workspace.drop_file("invoices", &name, &bytes);
    }
    finish(&workspace);

    let cases = workspace.cases();
    assert_eq!(cases.len(), documents, "documents lost or doubled");
    assert_eq!(workspace.files_in_flight(), 0, "files left in the inbox");
    let report = workspace.judge();
    let channel = &report["channels"]["invoices"];
    assert_eq!(
        (channel["seen"].as_u64(), channel["duplicates"].as_u64()),
        (Some(documents as u64), Some(0)),
        "{channel}"
    );
    let booked: BTreeSet<String> = workspace.bookings().into_iter().collect();
    let archived: BTreeSet<String> = (cases.iter().filter(|case| case["state"] == "Archived"))
        .map(|case| format!("{}.json", case["case"].as_str().unwrap()))
        .collect();
    assert_eq!(booked, archived, "bookings missing or doubled");
    let archived = archived.len();
    eprintln!(
        "{documents} documents, {kills} kills: {} cases, {archived} booked, {} entries, {} orphaned seals",
        cases.len(),
        report["entries"],
        report["orphans"]
    );
    assert!(archived * 10 > documents * 8, "most are clean and small, so most are booked");
}

/// Runs until nothing moves. A lease of a killed worker runs out by itself, which takes its time.
fn finish(workspace: &Workspace) {
    let mut service = workspace.start();
    eventually("everything rests", 300, || {
        workspace.files_in_flight() == 0
            && workspace
                .cases()
                .iter()
                .all(|case| ["Archived", "InReview", "Quarantined"].contains(&case["state"].as_str().unwrap()))
    });
    service.kill();
}
