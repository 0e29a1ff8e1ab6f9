//! `countersign keys rotate` killed at any moment, on either database: every case opens all the same, the next call takes
//! up where it was cut short, and in the end nothing needs an older key.
//!
//! In the ordinary run a few kills; `COUNTERSIGN_KILLS=20 COUNTERSIGN_RECORD_KEYS=20000` for the measured one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;
use crate::support;

use std::process::Stdio;
use std::time::Instant;

use program::Workspace;
use serde_json::Value;
use store::Keys;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

#[test]
fn a_rotation_killed_at_random_moments_loses_no_case_on_sqlite() {
    kill_again_and_again(None);
}

#[test]
fn a_rotation_killed_at_random_moments_loses_no_case_on_postgres() {
    let Some(url) = support::postgres_url() else { return };
    kill_again_and_again(Some(url));
}

fn kill_again_and_again(database: Option<String>) {
    const DOCUMENTS: usize = 20;
    let (kills, n_keys) = (number("COUNTERSIGN_KILLS", 5), number("COUNTERSIGN_RECORD_KEYS", 5_000) as usize);
    let workspace = Workspace::new(database.clone());
    let database = database.unwrap_or(workspace.dir.join("data/countersign.db").to_str().unwrap().to_owned());
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    for (name, bytes) in demo::stream(DOCUMENTS, 5, today) {
        workspace.drop_file("invoices", &name, &bytes);
    }
    workspace.ok(&["run", "--once"]);
    let n_cases = workspace.cases().len();
    assert_eq!(n_cases, DOCUMENTS);
    let keys = || Keys::open(workspace.dir.join("keys")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let owners = runtime.block_on(support::fill_key_table(&database, &keys(), n_keys));
    let behind = || runtime.block_on(support::every_record_key_opens(&database, &keys(), &owners));

    let rotate =
        || workspace.command(&["keys", "rotate", "--as", "adam", "--json", "-C", workspace.dir.to_str().unwrap()]);
    let started = Instant::now();
    let whole: Value = serde_json::from_slice(&rotate().output().unwrap().stdout).unwrap();
    let span = started.elapsed();
    assert_eq!(whole["n_records"], (n_keys + n_cases) as u64, "{whole}");
    assert_eq!(behind(), 0);

    let leading = || keys().ids().iter().find(|(role, _)| *role == "vault").unwrap().1.to_string();
    let n_wrapped_by = |key: &str| {
        let sql = "SELECT body FROM record_keys WHERE owner LIKE '00000000-0000-7000-%' AND wrapped_by = ";
        runtime.block_on(support::bytes(&database, &format!("{sql}'{key}'"))).len()
    };
    let (mut in_the_middle, mut left) = (0, 0);
    for kill in 0..kills {
        let (before, resumes) = (leading(), 0 < left);
        let n_to_do = if resumes { left } else { n_keys };
        // Spread over the work: of every two, one by what is seen to be done, one by the time that a whole one takes.
        let share = (kill + 1) as f64 / (kills + 1) as f64;
        let n_left = n_to_do - (n_to_do as f64 * share) as usize;
        let mut rotation = rotate().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        if kill % 2 == 1 {
            std::thread::sleep(span.mul_f64(share));
        }
        while kill % 2 == 0 && rotation.try_wait().unwrap().is_none() {
            let key = leading();
            if (resumes || key != before) && n_keys - n_wrapped_by(&key) <= n_left {
                break;
            }
        }
        rotation.kill().unwrap();
        rotation.wait().unwrap();
        left = behind();
        in_the_middle += u64::from(0 < left && left < n_to_do);
        let report = workspace.json(&["check", "--seals", "--rate", "0"]).remove(0);
        assert_eq!((&report["faults"], report["cases"].as_u64()), (&Value::Array(Vec::new()), Some(n_cases as u64)));
        assert!(n_cases as u64 <= report["seals_opened"].as_u64().unwrap(), "{report}");
    }
    eprintln!("{kills} kills within {span:?}, {in_the_middle} with keys on both sides, {n_keys} record keys");
    assert!(0 < in_the_middle, "every kill came before or after the work, which shows nothing");

    // The next one finishes what there is to finish; the one after that begins anew.
    workspace.ok(&["keys", "rotate", "--as", "adam"]);
    assert_eq!(behind(), 0);
    let status = workspace.json(&["keys", "status"]).remove(0);
    let vault: Vec<&Value> = status["keys"].as_array().unwrap().iter().filter(|it| it["role"] == "vault").collect();
    assert_eq!(vault[0]["needed_by"], (n_keys + n_cases + 1) as u64, "{status}");
    assert!(1 < vault.len() && vault[1..].iter().all(|it| it["needed_by"] == 0), "{status}");
    for key in &vault[1..] {
        workspace.ok(&["keys", "retire", key["id"].as_str().unwrap(), "--as", "adam"]);
    }
    assert_eq!(behind(), 0);
    workspace.judge();
}
