//! The log vouched for by others, on both databases and in the running service: what leaves the house, what comes back,
//! and what an auditor's programs make of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../../pipeline/work/tests/loopback/authority.rs"]
mod authority;
use crate::program;
use crate::support;
#[path = "../../pipeline/work/tests/loopback/witness.rs"]
mod witness;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use audit::{VerifierKey, WitnessKey, WitnessSigner};
use authority::Authority;
use case::Role;
use program::{Workspace, eventually};
use store::{NewestHead, Objection, Quorum, ServiceSign, Store};
use support::{NOW, Place, on_both, person, seconds_later, stores};
use tempfile::TempDir;
use tokio::sync::watch;
use witness::{Manner, TIME, Witness};
use work::{Anchors, Witnesses};

const HOUR_SECONDS: i64 = 3_600;

/// Enters something and has the head signed, so many seconds after eight o'clock.
async fn signed(store: &Store, seconds: i64) -> NewestHead {
    let now = seconds_later(seconds);
    store.record_service(ServiceSign::Heartbeat, now).await.unwrap();
    store.seal_log(now).await.unwrap();
    store.sign_log(now).await.unwrap();
    store.newest_head().await.unwrap().unwrap()
}

/// The head cosigned by these, and kept.
async fn cosigned(store: &Store, head: &NewestHead, by: &[&WitnessSigner]) {
    for signer in by {
        let line = signer.cosign(head.note.as_bytes(), TIME).unwrap();
        store.keep_cosignature(head, &signer.key(), line.as_bytes(), NOW).await.unwrap();
    }
}

async fn export(place: &Place) -> TempDir {
    let dir = TempDir::new().unwrap();
    let auditor = person("usr_auditor", &[Role::Auditor], 1);
    place.store.export_log(dir.path(), &auditor, seconds_later(5 * HOUR_SECONDS), &mut |_, _| {}).await.unwrap();
    dir
}

/// The heads in an export, with how many of the witnesses cosigned each.
fn handed_out(export: &Path, witnesses: &[&WitnessSigner]) -> Vec<(u64, usize)> {
    let keys: Vec<WitnessKey> = witnesses.iter().map(|signer| signer.key()).collect();
    let mut found: Vec<(u64, usize)> = std::fs::read_dir(export.join("checkpoints"))
        .unwrap()
        .map(|child| {
            let path = child.unwrap().path();
            let lines = audit::cosignatures(&std::fs::read(&path).unwrap(), &keys).unwrap();
            (path.file_name().unwrap().to_str().unwrap().parse().unwrap(), lines.len())
        })
        .collect();
    found.sort_unstable();
    found
}

// --- On both databases -----------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_a_newer_one_took_the_place_of_while_it_was_cosigned_is_kept_with_its_cosignature() {
    on_both(async |place| {
        let witness = WitnessSigner::generate("witness.example.org/1").unwrap();
        let first = signed(&place.store, 1).await;
        let second = signed(&place.store, 2).await;
        assert!(first.differs(&second));
        let heads = place.execute("UPDATE log_heads SET signed_at = signed_at").await.unwrap();
        assert_eq!(heads, 1, "nobody vouched for the first yet, so it is gone");
        for _ in 0..2 {
            cosigned(&place.store, &first, &[&witness]).await;
        }
        let third = signed(&place.store, 3).await;
        let export = export(place).await;
        assert_eq!(handed_out(export.path(), &[&witness])[0], (first.size, 1));
        assert_eq!(place.store.cosigned_until(&third, &witness.key()).await.unwrap(), first.size);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_every_hour_the_head_that_most_witnesses_cosigned_is_handed_out_and_those_that_keys_change_at() {
    on_both(async |place| {
        let store = &place.store;
        let [one, two, three] = ["1", "2", "3"].map(|n| WitnessSigner::generate(n).unwrap());
        let everybody = [&one, &two, &three];
        let mut sizes = Vec::new();
        // The fullest is neither the first nor the last of its hour; of equals the later is taken.
        for (seconds, by) in [(10, 1), (20, 3), (30, 3), (40, 2), (HOUR_SECONDS + 10, 2), (HOUR_SECONDS + 20, 0)] {
            let head = signed(store, seconds).await;
            cosigned(store, &head, &everybody[..by]).await;
            sizes.push(head.size);
        }
        let admin = person("usr_admin", &[Role::Admin], 1);
        let changed = store.rotate_log_key(&admin, seconds_later(2 * HOUR_SECONDS)).await.unwrap();
        let head = store.newest_head().await.unwrap().unwrap();
        cosigned(store, &head, &[&one]).await;
        let head = signed(store, 2 * HOUR_SECONDS + 10).await;
        cosigned(store, &head, &[&one, &two]).await;
        let first_export = export(place).await;
        let mut expected = vec![(sizes[2], 3), (sizes[4], 2), (changed.size, 1), (head.size, 2), (head.size + 1, 0)];
        assert_eq!(handed_out(first_export.path(), &everybody), expected);

        // What an earlier export put there, a later one leaves there, with the lines that came since.
        cosigned(store, &head, &[&three]).await;
        store.anchor_export(first_export.path()).await.unwrap();
        expected[3].1 = 3;
        assert_eq!(handed_out(first_export.path(), &everybody), expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_knows_more_than_a_head_but_not_more_than_the_log_is_shown_a_newer_head() {
    for place in stores().await {
        let witness = WitnessSigner::generate("witness.example.org/1").unwrap();
        let first = signed(&place.store, 1).await;
        let second = signed(&place.store, 2).await;
        let objects = async |knows| place.store.witness_objects(&first, &witness.key(), Objection::Knows(knows)).await;
        objects(second.size).await.unwrap();
        assert_eq!(place.store.outside(&Quorum::default()).await.unwrap().stopped, None);
        let err = objects(second.size + 1).await.unwrap_err();
        assert!(matches!(err, store::Error::WitnessedMore { knows: 3, has: 2, .. }), "{err}");
        let refused = place.store.record_service(ServiceSign::Heartbeat, NOW).await;
        assert!(matches!(refused, Err(store::Error::LogStopped { .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn anchors_that_somebody_wrote_into_the_database_do_not_pass_for_cosignatures() {
    for place in stores().await {
        let witness = WitnessSigner::generate("witness.example.org/1").unwrap();
        let (first, second) = (signed(&place.store, 1).await, signed(&place.store, 2).await);
        // Claimed to have been cosigned, with the line of another head.
        cosigned(&place.store, &first, &[&witness]).await;
        let moved = format!("UPDATE log_anchors SET size = {}", second.size);
        assert_eq!(place.execute(&moved).await.unwrap(), 1);
        let refuses = Objection::Refuses(second.size);
        let err = place.store.witness_objects(&second, &witness.key(), refuses).await.unwrap_err();
        assert!(matches!(err, store::Error::WitnessedOther { size: 2, .. }), "the row proves nothing: {err}");

        let other = place.another().await;
        assert_eq!(place.execute("UPDATE log_anchors SET kind = 'hearsay'").await.unwrap(), 1);
        let auditor = person("usr_auditor", &[Role::Auditor], 1);
        let dir = TempDir::new().unwrap();
        let err = other.export_log(dir.path(), &auditor, NOW, &mut |_, _| {}).await.unwrap_err();
        assert!(err.to_string().contains("hearsay"), "{err}");
    }
}

// --- Programs that are not ours --------------------------------------------------------------------------------------

/// The independent verifier, where it is named.
fn tlogcheck() -> Option<PathBuf> {
    let named = std::env::var_os("COUNTERSIGN_TLOGCHECK").map(PathBuf::from);
    if named.is_none() {
        eprintln!("skipped: COUNTERSIGN_TLOGCHECK names no verifier");
    }
    named
}

fn verified(program: &Path, export: &Path, key: &str, witness: &str) -> Output {
    let mut python = Command::new("python3");
    python.arg(program).arg(export).args([key, "--witness", witness, "--chain", "--jcs"]).output().unwrap()
}

/// A witness that shares no code with us, beside the verifier; killed with the test.
struct Independent {
    child: Child,
    key: String,
    url: String,
}

impl Independent {
    fn serve(program: &Path, log: &str, state: &Path) -> Independent {
        let mut python = Command::new("python3");
        python.arg(program.with_file_name("witness.py")).args(["--log", log, "--state", state.to_str().unwrap()]);
        let mut child = python.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (key, url) = line.trim().rsplit_once(' ').unwrap();
        Independent { key: key.to_owned(), url: url.to_owned(), child }
    }

    fn anchors(&self) -> Anchors {
        let witnesses = Witnesses::new([(self.url.as_str(), self.key.as_str())], None, 60).unwrap();
        Anchors { witnesses, ..Anchors::default() }
    }
}

impl Drop for Independent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn show(store: &Store, anchors: &Anchors) {
    anchors.clone().run(store.clone(), watch::channel(true).1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_independent_witness_cosigns_every_head_and_the_independent_verifier_finds_it_in_the_export() {
    let Some(program) = tlogcheck() else { return };
    on_both(async |place| {
        let store = &place.store;
        let key = signed(store, 1).await.note;
        assert!(key.starts_with(&place.config.origin));
        let key = store.head().await.unwrap().unwrap().verifier_key;
        let state = TempDir::new().unwrap();
        let witness = Independent::serve(&program, &key, &state.path().join("state"));
        let anchors = witness.anchors();
        for n in [0, 1, 5, 250, 600] {
            for _ in 0..n {
                store.record_service(ServiceSign::Heartbeat, NOW).await.unwrap();
            }
            let head = signed(store, 2).await;
            show(store, &anchors).await;
            let outside = store.outside(&anchors.witnesses.quorum()).await.unwrap();
            assert_eq!(outside.witnessed.map(|anchor| anchor.size), Some(head.size));
        }
        let export = export(place).await;
        let output = verified(&program, export.path(), &key, &witness.key);
        assert!(!output.status.success(), "nobody saw the head that the export itself made: {output:?}");
        show(store, &anchors).await;
        store.anchor_export(export.path()).await.unwrap();
        let output = verified(&program, export.path(), &key, &witness.key);
        assert!(output.status.success(), "{output:?}");
        let ours = WitnessKey::parse(&witness.key).unwrap();
        let note = std::fs::read(export.path().join("checkpoint")).unwrap();
        assert_eq!(audit::cosignatures(&note, &[ours]).unwrap().len(), 1);

        // It was started anew, and remembers.
        drop(witness);
        let witness = Independent::serve(&program, &key, &state.path().join("state"));
        let head = signed(store, 3).await;
        show(store, &witness.anchors()).await;
        let outside = store.outside(&witness.anchors().witnesses.quorum()).await.unwrap();
        assert_eq!((outside.witnessed.map(|anchor| anchor.size), outside.stopped), (Some(head.size), None));
    })
    .await;
}

// --- The running service ---------------------------------------------------------------------------------------------

/// The answer's body, over plain HTTP.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

fn metric(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_shows_its_heads_is_killed_goes_on_and_says_to_machines_and_people_who_vouches_for_them() {
    let workspace = Workspace::new(None);
    let key = workspace.json(&["log", "head"])[0]["verifier_key"].as_str().unwrap().to_owned();
    let one = Witness::serve("witness.example.org/1", &key, Manner::Honest).await;
    let two = Witness::serve("witness.example.org/2", &key, Manner::DiesOnce).await;
    let authority = match authority::openssl() {
        Some(()) => Some(Authority::serve(authority::Manner::Stamps).await),
        None => None,
    };
    let heads = TempDir::new().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = workspace.dir.join("countersign.toml");
    let named = [&one, &two].map(|it| format!("{{ url = \"{}\", key = \"{}\" }}", it.url, it.key)).join(", ");
    let stamped = authority.as_ref().map_or_else(String::new, |it| format!("timestamp_url = \"{}\"\n", it.url));
    let text = std::fs::read_to_string(&settings).unwrap();
    let text = text.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let text = text.replace(
        "witness_seconds = 60\n",
        &format!(
            "witness_seconds = 1\nwitnesses = [{named}]\nquorum = 2\n{stamped}heads_folder = \"{}\"\n",
            heads.path().display()
        ),
    );
    std::fs::write(&settings, text).unwrap();

    let mut service = workspace.start();
    eventually("the first witness sees the start", 60, || 7 <= one.seen().last.0);
    service.kill();
    let killed_at = one.seen().last.0;
    let mut service = workspace.start();
    eventually("both witnesses see the start after the kill", 60, || {
        get(port, "/metrics")
            .and_then(|metrics| metric(&metrics, "countersign_audit_witnessed_size"))
            .is_some_and(|size| killed_at as f64 <= size && two.seen().manner == Manner::Honest)
    });
    let metrics = get(port, "/metrics").unwrap();
    assert!(metric(&metrics, "countersign_audit_witnessed_age_seconds").unwrap() < 60.0, "{metrics}");
    let last = "countersign_audit_witness_last_success_timestamp_seconds{witness=\"witness.example.org/2\"}";
    assert!(1_700_000_000.0 < metric(&metrics, last).unwrap(), "{metrics}");
    let health: serde_json::Value = serde_json::from_str(&get(port, "/healthz").unwrap()).unwrap();
    assert_eq!((health["status"].as_str(), health["warnings"].as_array().map(Vec::len)), (Some("ok"), Some(0)));
    assert!(service.ask_to_stop().success());

    // The last head went out before the end, to everybody.
    let head = workspace.json(&["log", "head"]).remove(0);
    let size = head["size"].as_u64().unwrap();
    assert_eq!((one.seen().last.0, two.seen().last.0), (size, size));
    let dropped = heads.path().join(format!("{}-{size}", head["origin"].as_str().unwrap().replace('/', "_")));
    assert_eq!(std::fs::read_to_string(dropped).unwrap(), head["note"].as_str().unwrap());

    let doctor = workspace.run(&["doctor"]);
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    assert!(doctor.contains("2 of 2 must cosign, last reached ") && doctor.contains(&one.url), "{doctor}");
    assert!(doctor.contains(&format!("Z, at {size} entries")), "{doctor}");

    // Handed out with what they said, and sound to every program that is at hand.
    workspace.judge();
    let export = workspace.dir.join("export");
    let exported = workspace.json(&["log", "export", export.to_str().unwrap(), "--as", "ada"]).remove(0);
    assert_eq!(exported["witnesses"], 2, "they are shown the head that the export itself made");
    let note = std::fs::read(export.join("checkpoint")).unwrap();
    let keys = [&one, &two].map(|it| WitnessKey::parse(&it.key).unwrap());
    assert_eq!(audit::cosignatures(&note, &keys).unwrap().len(), 2);
    let read = audit::open_checkpoint(&note, &[VerifierKey::parse(&key).unwrap()]).unwrap();
    assert!(size < read.size && read.size == exported["head"]["size"].as_u64().unwrap());
    one.seen().manner = Manner::Says(503, "text/plain", String::new());
    let told = workspace.ok(&["log", "export", export.to_str().unwrap(), "--as", "ada"]);
    assert!(told.contains("their head is cosigned by 1 of 2 witnesses"), "{told}");
    one.seen().last.0 = 70_000;
    one.seen().manner = Manner::Honest;
    let refused = workspace.run(&["log", "export", export.to_str().unwrap(), "--as", "ada"]);
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && why.contains("cosigned a head of 70000 entries"), "{why}");
    if let Some(authority) = authority {
        assert_eq!(authority.stamps(), 1, "once in the hour, killed or not");
        let stamp = std::fs::read_dir(export.join("anchors")).unwrap().next().unwrap().unwrap().file_name();
        let stamped = stamp.to_str().unwrap().strip_suffix(".tsr").unwrap().parse().unwrap();
        assert!(doctor.contains(&format!("{} stamped last ", authority.url)), "{doctor}");
        assert!(authority.openssl_verifies(&export, stamped));
    }
}

#[test]
fn a_mistake_in_the_settings_is_told_by_doctor_and_at_the_start() {
    let workspace = Workspace::new(None);
    let settings = workspace.dir.join("countersign.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let said = |more: &str| {
        std::fs::write(&settings, text.replace("witness_seconds = 60\n", more)).unwrap();
        let doctor = workspace.run(&["doctor"]);
        let run = workspace.run(&["run", "--once"]);
        assert!(!doctor.status.success() && !run.status.success(), "{more}");
        let run = String::from_utf8(run.stderr).unwrap();
        (String::from_utf8(doctor.stdout).unwrap(), run)
    };
    for (more, words) in [
        ("witness_seconds = 0\n", "`witness_seconds` is 0; it must be from 1 to 86400"),
        ("quorum = 2\n", "a quorum of 2 is asked, and no witness is named"),
        (
            "witnesses = [{ url = \"https://w.example\", key = \"w\" }]\n",
            "the key of the witness at `https://w.example`",
        ),
        ("heads_folder = \"inbox\"\n", "folder of the log's heads"),
    ] {
        let (doctor, run) = said(more);
        assert!(doctor.contains(words) && run.contains(words), "{more}\n{doctor}\n{run}");
    }
}
