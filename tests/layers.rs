//! The drawing of the rooms, as a test. A new arrow is a design decision: change the table here, and say why in the
//! commit that does it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each room and the rooms it may open on.
const ARROWS: &[(&str, &[&str])] = &[
    ("case", &[]),
    ("audit", &[]),
    ("demo", &[]),
    ("extract", &["case"]),
    ("auditor", &["audit"]),
    ("store", &["audit", "case"]),
    ("review", &["case", "store"]),
    ("work", &["case", "store"]),
    ("countersign", &["audit", "case", "demo", "extract", "review", "store", "work"]),
];

/// Crates that carry a kind of knowledge, and the rooms that may have it.
const KNOWLEDGE: &[(&str, &[&str])] = &[
    // The databases.
    ("sqlx", &["store"]),
    // Keys and sealed bytes. `audit` hashes and signs; `case` names documents by their digest.
    ("aes-gcm", &["store"]),
    ("argon2", &["store"]),
    ("ed25519-dalek", &["audit"]),
    // Formats of documents. `demo` writes what `extract` reads; `countersign` imports spreadsheets of master data.
    ("lopdf", &["demo", "extract"]),
    ("hayro", &["extract"]),
    ("hayro-interpret", &["extract"]),
    ("roxmltree", &["extract"]),
    ("calamine", &["countersign", "extract"]),
    // Pages; the front door opens the port that `review` answers on.
    ("axum", &["countersign", "review"]),
    ("askama", &["review"]),
    // Other people's servers; `store` asks the bucket of sealed files.
    ("reqwest", &["store", "work"]),
    ("object_store", &["store"]),
    // Whatever runs by itself.
    ("tokio", &["countersign", "review", "store", "work"]),
];

/// Rooms that are functions of their arguments: no clock, no files, no chance, no threads.
const PURE: &[&str] = &["case", "demo"];

#[test]
fn rooms_open_only_on_the_rooms_that_the_table_allows() {
    let packages = packages();
    let rooms: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    let found: BTreeMap<&str, BTreeSet<&str>> = packages
        .iter()
        .map(|(name, package)| {
            (name.as_str(), package.needs.iter().map(String::as_str).filter(|it| rooms.contains(it)).collect())
        })
        .collect();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, rooms)| (*name, rooms.iter().copied().collect())).collect();
    for (room, arrows) in &found {
        let allowed = allowed.get(room).unwrap_or_else(|| panic!("`{room}` is not in the table of rooms"));
        let new: Vec<_> = arrows.difference(allowed).collect();
        assert!(new.is_empty(), "`{room}` opens on {new:?}, which the table does not allow");
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), allowed.keys().collect::<Vec<_>>(), "a room of the table is gone");
}

#[test]
fn only_the_rooms_that_must_know_databases_formats_and_networks_do() {
    let packages = packages();
    for (knowledge, rooms) in KNOWLEDGE {
        let found: Vec<&str> =
            packages.iter().filter(|(_, it)| it.needs.contains(*knowledge)).map(|(name, _)| name.as_str()).collect();
        let others: Vec<_> = found.iter().filter(|room| !rooms.contains(room)).collect();
        assert!(others.is_empty(), "{others:?} depend on `{knowledge}`, which is for {rooms:?}");
        assert!(!found.is_empty(), "nobody depends on `{knowledge}` any more; take it out of the table");
    }
}

#[test]
fn sql_is_written_in_the_store_alone() {
    for (room, package) in packages().iter().filter(|(room, _)| *room != "store") {
        for (path, line) in package.lines() {
            let sql =
                ["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE "].iter().find(|it| line.contains(**it));
            let update = line.contains("UPDATE ") && line.contains(" SET ");
            assert!(sql.is_none() && !update, "room `{room}` has SQL: {}: {line}", path.display());
        }
    }
}

#[test]
fn no_source_is_outside_what_the_compiler_checks() {
    let packages = packages();
    let forbidden = ["{", "fn", "impl", "trait", "extern"].map(|what| format!("unsafe {what}"));
    for package in packages.values() {
        for (path, line) in package.lines() {
            let found = forbidden.iter().find(|it| line.contains(*it));
            assert!(found.is_none(), "{}: {line}", path.display());
        }
        // The workspace forbids it; a room that did not take the workspace's lints would not be bound.
        let manifest = std::fs::read_to_string(&package.manifest).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} does not take the workspace's lints",
            package.manifest.display()
        );
    }
}

#[test]
fn pure_rooms_read_no_clock_and_no_file() {
    const IMPURE: &[&str] = &[
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "std::env::",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "now_v7",
        "async fn",
    ];
    let packages = packages();
    for room in PURE {
        for path in packages[*room].sources() {
            let inside = path.strip_prefix(packages[*room].manifest.parent().unwrap()).unwrap().with_extension("");
            let lies_in = |name: &str| inside.components().any(|it| it.as_os_str() == name);
            if !lies_in("src") || lies_in("tests") {
                continue;
            }
            // Tests stand last in a file, and may read what they expect from one.
            for line in code(&path).into_iter().take_while(|line| line != "#[cfg(test)]") {
                let found = IMPURE.iter().find(|it| line.contains(**it));
                assert!(found.is_none(), "`{room}` is pure: {}: {line}", path.display());
            }
        }
    }
}

#[test]
fn every_file_is_named_after_what_it_is_about() {
    const THOUGHTS_NOT_FINISHED: &[&str] =
        &["utils", "util", "helpers", "helper", "common", "manager", "misc", "stuff"];
    for package in packages().values() {
        for path in package.sources() {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(!THOUGHTS_NOT_FINISHED.contains(&name), "{}: what are the things in it about?", path.display());
        }
    }
}

struct Package {
    manifest: PathBuf,
    /// Crates it needs to run, by their own names; what only tests need is not here.
    needs: BTreeSet<String>,
}

fn packages() -> BTreeMap<String, Package> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| env!("CARGO").to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let package = |package: &serde_json::Value| {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let needs = package["dependencies"].as_array().unwrap().iter().filter(|it| it["kind"].as_str() != Some("dev"));
        let needs = needs.map(|it| text(&it["name"])).collect();
        (text(&package["name"]), Package { manifest: text(&package["manifest_path"]).into(), needs })
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

impl Package {
    /// Every Rust file of the room. The root package has what in `pipeline/` is no package of its own.
    fn sources(&self) -> Vec<PathBuf> {
        let dir = self.manifest.parent().unwrap();
        let root = dir == Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        rust_files(&if root { dir.join("pipeline") } else { dir.to_owned() }, &mut found);
        assert!(!found.is_empty(), "{} has no source", dir.display());
        found
    }

    /// Every line of code with the file it is in.
    fn lines(&self) -> Vec<(PathBuf, String)> {
        let sources = self.sources();
        sources.into_iter().flat_map(|path| code(&path).into_iter().map(move |line| (path.clone(), line))).collect()
    }
}

/// The lines of a file without their comments.
fn code(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or_default().trim_end().to_owned()).collect()
}

/// Not those of packages further down.
fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.join("Cargo.toml").exists() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}
