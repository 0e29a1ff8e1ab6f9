//! Heads of the log are shown to others, who may be honest, dead, slow, wrong, or know more than is here.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "loopback/log.rs"]
mod log;
#[path = "loopback/witness.rs"]
mod witness;

use std::path::{Path, PathBuf};
use std::time::Duration;

use audit::{Cosignature, WitnessKey};
use case::Timestamp;
use log::{Log, NOW, show};
use store::{BlobPlace, Config, Quorum, Store};
use tempfile::TempDir;
use witness::{Manner, TIME, Witness};
use work::{Anchors, HeadsFolder, Timestamps, Witnesses};

async fn serve(log: &Log, n: u8, manner: Manner) -> Witness {
    Witness::serve(&format!("witness.example.org/{n}"), &log.key, manner).await
}

fn shown_to(witnesses: &[&Witness], needed: usize) -> Anchors {
    let named = witnesses.iter().map(|witness| witness.named());
    Anchors { witnesses: Witnesses::new(named, Some(needed), 60).unwrap(), ..Anchors::default() }
}

/// Who cosigned the head in this file, by the last part of the name.
fn signers(path: &Path, witnesses: &[&Witness]) -> Vec<String> {
    let keys: Vec<WitnessKey> = witnesses.iter().map(|witness| WitnessKey::parse(&witness.key).unwrap()).collect();
    let found = audit::cosignatures(&std::fs::read(path).unwrap(), &keys).unwrap();
    let name = |Cosignature { witness, time }| {
        assert_eq!(time, TIME);
        witness.rsplit('/').next().map(str::to_owned).unwrap()
    };
    found.into_iter().map(name).collect()
}

fn quorum_of(anchors: &Anchors) -> Quorum {
    anchors.witnesses.quorum()
}

// --- Witnesses that do what they should ------------------------------------------------------------------------------

#[tokio::test]
async fn every_witness_cosigns_each_head_it_is_shown_and_exports_carry_their_lines() {
    let log = Log::new().await;
    let (one, two) = (serve(&log, 1, Manner::Honest).await, serve(&log, 2, Manner::Honest).await);
    let anchors = shown_to(&[&one, &two], 2);
    let mut sizes = vec![log.size().await];
    show(&log, &anchors).await;
    for n in [1, 300, 270] {
        sizes.push(log.grow(n).await);
        show(&log, &anchors).await;
    }
    for witness in [&one, &two] {
        assert_eq!(witness.seen().last.0, sizes[3]);
        assert_eq!(witness.seen().asked, [0, sizes[0], sizes[1], sizes[2]], "the size that it knows is remembered");
    }
    let outside = log.store.outside(&quorum_of(&anchors)).await.unwrap();
    assert_eq!(outside.witnessed.unwrap().size, sizes[3]);
    assert_eq!(outside.stopped, None);

    let export = log.export().await;
    // All are of one hour, and the last is the one that is handed out.
    let head = export.path().join(format!("checkpoints/{}", sizes[3]));
    let mut cosigned = signers(&head, &[&one, &two]);
    cosigned.sort_unstable();
    assert_eq!(cosigned, ["1", "2"], "in whatever order they answered");
    assert!(!export.path().join(format!("checkpoints/{}", sizes[0])).exists());
    assert_eq!(signers(&export.path().join("checkpoint"), &[&one, &two]), [""; 0], "the export is a newer entry");

    // Nothing was entered since: what is handed out is what was cosigned.
    let log = Log::new().await;
    let one = serve(&log, 1, Manner::Honest).await;
    show(&log, &shown_to(&[&one], 1)).await;
    let cosigned = log.export().await;
    show(&log, &shown_to(&[&one], 1)).await;
    let note = std::fs::read_to_string(cosigned.path().join("checkpoint")).unwrap();
    let lines = log.export().await;
    let again = std::fs::read_to_string(lines.path().join(format!("checkpoints/{}", one.seen().last.0))).unwrap();
    assert!(
        again.starts_with(&note) && again.len() > note.len(),
        "the head that the first export ended with was cosigned"
    );
}

#[tokio::test]
async fn a_head_counts_as_witnessed_when_enough_cosigned_that_very_head() {
    let log = Log::new().await;
    let (one, two) = (serve(&log, 1, Manner::Honest).await, serve(&log, 2, Manner::Honest).await);
    let three = serve(&log, 3, Manner::Says(503, "text/plain", String::new())).await;
    let first = log.size().await;
    let (all, some) = (shown_to(&[&one, &two, &three], 3), shown_to(&[&one, &two, &three], 2));
    show(&log, &some).await;
    let outside = |anchors: &Anchors| {
        let (store, quorum) = (log.store.clone(), quorum_of(anchors));
        async move { store.outside(&quorum).await.unwrap() }
    };
    assert_eq!(outside(&some).await.witnessed.map(|anchor| anchor.size), Some(first));
    assert_eq!(outside(&all).await.witnessed, None);
    let aged = outside(&all).await.unwitnessed_micros(Timestamp(NOW.0 + 7)).unwrap();
    assert_eq!(aged, 7, "the age counts from the first head when none was witnessed");

    two.seen().manner = Manner::Says(503, "text/plain", String::new());
    let second = log.grow(1).await;
    show(&log, &some).await;
    let seen = outside(&some).await;
    assert_eq!(seen.witnessed.map(|anchor| anchor.size), Some(first), "of two, one saw the newer");
    let last = |n: usize| seen.witnesses[n].1.map(|anchor| anchor.size);
    assert_eq!([last(0), last(1), last(2)], [Some(second), Some(first), None]);
    assert_eq!(outside(&shown_to(&[&one], 1)).await.witnessed.map(|anchor| anchor.size), Some(second));
    assert_eq!(outside(&Anchors::default()).await.witnessed, None);
}

#[tokio::test]
async fn a_cosignature_that_was_lost_on_the_way_is_asked_for_again_and_is_the_same_head_s() {
    let log = Log::new().await;
    let witness = serve(&log, 1, Manner::DiesOnce).await;
    let anchors = shown_to(&[&witness], 1);
    show(&log, &anchors).await;
    let outside = log.store.outside(&quorum_of(&anchors)).await.unwrap();
    assert_eq!((outside.witnessed, witness.seen().last.0), (None, 3), "it cosigned, and we do not have it");
    // As after a crash: the same head once more, and twice.
    for _ in 0..2 {
        show(&log, &anchors).await;
        let outside = log.store.outside(&quorum_of(&anchors)).await.unwrap();
        assert_eq!((outside.witnessed.unwrap().size, outside.stopped), (3, None));
    }
    assert_eq!(witness.seen().asked, [0, 0, 3, 3], "it said that it knows 3, and was asked with that");
    let size = log.grow(5).await;
    show(&log, &anchors).await;
    assert_eq!(witness.seen().last.0, size);
    let export = log.export().await;
    assert_eq!(signers(&export.path().join(format!("checkpoints/{size}")), &[&witness]), ["1"]);
}

#[tokio::test]
async fn a_witness_that_forgot_what_it_saw_is_told_again() {
    let log = Log::new().await;
    let witness = serve(&log, 1, Manner::Honest).await;
    let anchors = shown_to(&[&witness], 1);
    show(&log, &anchors).await;
    let middle = log.grow(2).await;
    show(&log, &anchors).await;
    let head = witness.seen().last;
    log.grow(300).await;
    show(&log, &anchors).await;
    witness.seen().last = head;
    let size = log.grow(1).await;
    show(&log, &anchors).await;
    assert_eq!(witness.seen().last.0, size);
    assert_eq!(witness.seen().asked.iter().rev().take(2).collect::<Vec<_>>(), [&middle, &(size - 1)]);
}

// --- Witnesses that know more ----------------------------------------------------------------------------------------

#[tokio::test]
async fn a_witness_that_knows_more_entries_than_there_are_stops_the_log() {
    let log = Log::new().await;
    let (ahead, honest) = (serve(&log, 1, Manner::Honest).await, serve(&log, 2, Manner::Honest).await);
    ahead.seen().last.0 = 70_000;
    show(&log, &shown_to(&[&ahead, &honest], 1)).await;
    let outside = log.store.outside(&Quorum::default()).await.unwrap();
    let why = outside.stopped.unwrap();
    assert!(why.contains("70000 entries") && why.contains("has 3") && why.contains("witness.example.org/1"), "{why}");
    assert!(log.nothing_is_done().await);
}

/// Copies everything, keys and the note of what was signed included: the most thorough way to bring an older copy back.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for child in std::fs::read_dir(from).unwrap() {
        let child = child.unwrap();
        if child.file_type().unwrap().is_dir() {
            copy(&child.path(), &to.join(child.file_name()));
        } else {
            std::fs::copy(child.path(), to.join(child.file_name())).unwrap();
        }
    }
}

/// The log as it was before the witness saw more of it.
async fn brought_back(log: Log, witness: &Witness) -> Log {
    let anchors = shown_to(&[witness], 1);
    show(&log, &anchors).await;
    log.store.close().await;
    let old = TempDir::new().unwrap();
    copy(log.dir.path(), old.path());
    let store = Store::open(&log.config).await.unwrap();
    let newer = Log { store, ..log };
    newer.grow(4).await;
    show(&newer, &anchors).await;
    newer.store.close().await;
    let moved = |path: &Path| old.path().join(path.strip_prefix(newer.dir.path()).unwrap());
    let config = Config {
        database: moved(Path::new(&newer.config.database)).display().to_string(),
        vault: BlobPlace::Folder(moved(&newer.dir.path().join("vault"))),
        keys: moved(&newer.config.keys.folder).into(),
        log: moved(&newer.config.log),
        ..newer.config.clone()
    };
    let store = Store::open(&config).await.unwrap();
    Log { store, config, key: newer.key, dir: old }
}

#[tokio::test]
async fn an_older_copy_brought_back_with_everything_around_it_is_stopped_by_the_first_witness_that_is_asked() {
    let log = Log::new().await;
    let witness = serve(&log, 1, Manner::Honest).await;
    let old = brought_back(log, &witness).await;
    assert!(!old.nothing_is_done().await, "nothing here says that it is old");
    show(&old, &shown_to(&[&witness], 1)).await;
    let why = old.store.outside(&Quorum::default()).await.unwrap().stopped.unwrap();
    assert!(why.contains("7 entries") && why.contains("has 4"), "{why}");
    assert!(old.nothing_is_done().await);
}

#[tokio::test]
async fn an_older_copy_that_has_grown_on_is_stopped_too_because_it_does_not_continue_what_was_cosigned() {
    for n in [4, 5, 300] {
        let log = Log::new().await;
        let witness = serve(&log, 1, Manner::Honest).await;
        let old = brought_back(log, &witness).await;
        old.grow(n).await;
        show(&old, &shown_to(&[&witness], 1)).await;
        let why = old.store.outside(&Quorum::default()).await.unwrap().stopped.unwrap();
        assert!(why.contains("other entries than the first 7"), "{why}");
        assert!(old.nothing_is_done().await);
        assert_eq!(witness.seen().last.0, 7);
    }
}

#[tokio::test]
async fn a_witness_that_contradicts_its_own_cosignature_stops_nothing() {
    let log = Log::new().await;
    let witness = serve(&log, 1, Manner::Honest).await;
    let anchors = shown_to(&[&witness], 1);
    show(&log, &anchors).await;
    witness.seen().manner = Manner::FindsNoProof;
    log.grow(1).await;
    show(&log, &anchors).await;
    let size = "text/x.tlog.size";
    witness.seen().manner = Manner::Says(409, size, "3\n".to_owned());
    show(&log, &anchors).await;
    assert!(!log.nothing_is_done().await);
    let outside = log.store.outside(&quorum_of(&anchors)).await.unwrap();
    assert_eq!((outside.witnessed.unwrap().size, outside.stopped), (3, None));

    // The same from one that never cosigned anything, about the empty log.
    let stranger = serve(&log, 2, Manner::FindsNoProof).await;
    show(&log, &shown_to(&[&stranger], 1)).await;
    assert!(!log.nothing_is_done().await);
}

// --- Witnesses that are wrong ----------------------------------------------------------------------------------------

#[tokio::test]
async fn what_is_no_good_cosignature_is_never_kept_and_holds_up_nobody() {
    let log = Log::new().await;
    let says = |status, kind, text: &str| Manner::Says(status, kind, text.to_owned());
    let foreign = audit::WitnessSigner::generate("witness.example.org/foreign").unwrap();
    let note = log.store.head().await.unwrap().unwrap().note;
    let foreign = foreign.cosign(note.as_bytes(), TIME).unwrap();
    let size = "text/x.tlog.size";
    let manners = [
        Manner::Lies,
        Manner::OtherKey,
        says(200, "text/plain", ""),
        says(200, "text/plain", "\n"),
        says(200, "text/plain", &note),
        says(200, "text/plain", &foreign),
        says(200, "text/plain", "— witness.example.org/1 AAAAAAAA\n"),
        says(200, "text/plain", &"— witness.example.org/1 AAAAAAAA\n".repeat(101)),
        says(200, "text/plain", &foreign.repeat(200)),
        says(200, "text/html", "<html>a captive portal</html>\n"),
        says(201, "text/plain", ""),
        says(307, "text/plain", ""),
        says(400, "text/plain", ""),
        says(403, "text/plain", ""),
        says(404, "text/plain", ""),
        says(429, "text/plain", ""),
        says(500, "text/plain", ""),
        // Sizes that are none, and sizes without the type that makes them sizes: not worth stopping for.
        says(409, "text/plain", "70000\n"),
        says(409, size, "70000"),
        says(409, size, "070000\n"),
        says(409, size, "-1\n"),
        says(409, size, "18446744073709551616\n"),
        says(409, size, ""),
        says(409, size, "0\n"),
        says(409, size, "1\n"),
    ];
    for manner in manners {
        log.grow(1).await;
        let (wrong, honest) = (serve(&log, 1, manner.clone()).await, serve(&log, 2, Manner::Honest).await);
        let anchors = shown_to(&[&wrong, &honest], 1);
        show(&log, &anchors).await;
        let outside = log.store.outside(&quorum_of(&anchors)).await.unwrap();
        assert_eq!(outside.witnesses[0].1, None, "{manner:?}");
        assert_eq!(outside.witnessed.unwrap().size, log.size().await, "{manner:?}");
        assert_eq!(outside.stopped, None, "{manner:?}");
        assert!(wrong.seen().asked.len() <= 4, "{manner:?}: asked {} times", wrong.seen().asked.len());
    }
}

#[tokio::test]
async fn a_witness_that_hangs_and_one_that_is_gone_hold_up_neither_the_others_nor_the_end() {
    let log = Log::new().await;
    let (hangs, honest) = (serve(&log, 1, Manner::Hangs).await, serve(&log, 2, Manner::Honest).await);
    let mut gone = serve(&log, 3, Manner::Honest).await;
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    gone.url = format!("http://127.0.0.1:{port}");
    let anchors = shown_to(&[&hangs, &gone, &honest], 1);
    let took = show(&log, &anchors).await;
    assert!(took < Duration::from_secs(8), "{took:?}");
    let outside = log.store.outside(&quorum_of(&anchors)).await.unwrap();
    assert_eq!(outside.witnessed.map(|anchor| anchor.size), Some(3));
    assert!(show(&log, &Anchors::default()).await < Duration::from_secs(1));
}

#[test]
fn settings_that_cannot_be_followed_are_refused_in_words() {
    let witness = |n: u8| audit::WitnessSigner::from_seed(&format!("w{n}"), &[n; 32]).unwrap().key().to_string();
    let (one, two) = (witness(1), witness(2));
    let log = audit::LogKey::from_seed("w1", &[1; 32]).unwrap().verifier_key();
    let url = "https://witness.example";
    let many: Vec<String> = (0..17).map(witness).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|key| (url, key.as_str())).collect();
    type Settings<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Settings<'_>, Option<usize>, u64, &str); 9] = [
        (&[("ftp://witness.example", &one)], None, 60, "must begin with http:// or https://"),
        (&[("https://", &one)], None, 60, "is not a URL"),
        (&[(url, "w1+00000000+BKey")], None, 60, "cannot be used"),
        (&[(url, &log)], None, 60, "cannot be used"),
        (&[(url, &one), ("https://other.example", &one)], None, 60, "two witnesses have the name `w1`"),
        (&[(url, &one), (url, &two)], Some(3), 60, "a quorum of 3 is asked of 2 witnesses; it must be from 1 to 2"),
        (&[(url, &one)], Some(0), 60, "it must be from 1 to 1"),
        (&[], Some(1), 60, "no witness is named"),
        (&[(url, &one)], None, 0, "`witness_seconds` is 0; it must be from 1 to 86400"),
    ];
    for (named, quorum, seconds, words) in cases {
        let err = Witnesses::new(named.iter().copied(), quorum, seconds).unwrap_err().to_string();
        assert!(err.contains(words), "{err}");
    }
    let err = Witnesses::new(many, None, 60).unwrap_err().to_string();
    assert_eq!(err, "17 witnesses are named, at most 16 allowed");
    assert_eq!(Witnesses::new([(url, one.as_str()), (url, &two)], None, 60).unwrap().quorum().needed, 2);
    assert!(Timestamps::new("tsa.example", 60).unwrap_err().to_string().contains("is not a URL"));
    assert!(Timestamps::new("http://tsa.example", 0).unwrap_err().to_string().contains("`timestamp_minutes` is 0"));
}

// --- The folder at a second place ------------------------------------------------------------------------------------

#[tokio::test]
async fn the_last_head_lies_in_the_folder_and_what_lies_there_is_never_touched() {
    let log = Log::new().await;
    let folder = TempDir::new().unwrap();
    let anchors = Anchors { heads_folder: Some(HeadsFolder(folder.path().to_owned())), ..Anchors::default() };
    let file = |size: u64| folder.path().join(format!("audit.test.example_tests_1-{size}"));
    show(&log, &anchors).await;
    assert_eq!(std::fs::read_to_string(file(3)).unwrap(), log.store.head().await.unwrap().unwrap().note);
    // Somebody's own notes.
    std::fs::write(file(4), "mine").unwrap();
    std::fs::write(file(3), "mine as well").unwrap();
    show(&log, &anchors).await;
    log.grow(1).await;
    show(&log, &anchors).await;
    log.grow(1).await;
    show(&log, &anchors).await;
    assert_eq!(std::fs::read_to_string(file(3)).unwrap(), "mine as well");
    assert_eq!(std::fs::read_to_string(file(4)).unwrap(), "mine");
    assert_eq!(std::fs::read_to_string(file(5)).unwrap(), log.store.head().await.unwrap().unwrap().note);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);

    let missing: PathBuf = folder.path().join("not mounted");
    show(&log, &Anchors { heads_folder: Some(HeadsFolder(missing.clone())), ..Anchors::default() }).await;
    assert!(!missing.exists());
}
