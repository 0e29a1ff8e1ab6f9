//! An erased case, on both databases: what opened it is gone, and the log says so and still verifies.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::support;

use std::path::Path;

use case::{
    Actor, Answer, CaseId, Claim, Event, Extraction, Family, Ground, Judgement, Key, Kind, Known, Refusal, Role, State,
    Statement,
};
use jiff::civil::date;
use sqlx::{Connection, SqliteConnection};
use store::{Admission, ApplyError, Ask, Error, Store};
use support::{NOW, Place, admitted, arrival, legal, machine, on_both, person, policy, sqlite, unreadable};

const SECRET: &str = "Zeisigwald";

fn says(by: &Actor) -> Statement {
    Statement { by: by.clone(), reason: format!("{SECRET} was sent here by mistake"), at: NOW }
}

/// A document that nobody could read, at rest.
async fn quarantined(store: &Store, bytes: &[u8]) -> CaseId {
    let id = admitted(store, arrival(bytes, &format!("{SECRET}.pdf"), "inbox"), NOW).await;
    store.apply(id, 0, unreadable(), &machine(), NOW).await.unwrap();
    id
}

async fn apply(store: &Store, id: CaseId, event: Event, by: &Actor) -> Result<case::Case, ApplyError> {
    let revision = store.case(id).await.unwrap().revision;
    store.apply(id, revision, event, by, NOW).await
}

/// The first invoice of the demonstration, as it came and as it was read.
fn invoice() -> (Vec<u8>, Extraction) {
    let bytes = demo::stream(1, 3, NOW.date()).next().unwrap().1;
    let read = extract::read(&bytes).unwrap().extraction;
    (bytes, read)
}

/// An invoice that was booked so long ago that nothing asks to keep it, with the pictures of its pages.
pub(crate) async fn archived(store: &Store) -> CaseId {
    let (bytes, extraction) = invoice();
    let id = admitted(store, arrival(&bytes, &format!("{SECRET}.xml"), "inbox"), NOW).await;
    let pictures = store.keep_pictures(id, vec![b"a page".to_vec(), b"another".to_vec()]).await.unwrap();
    assert_eq!(pictures.len(), 2);
    let policy = policy();
    let extracted = Event::Extracted { extraction: Box::new(extraction), pictures };
    let case = apply(store, id, extracted, &machine()).await.unwrap();
    // What others are compared with, and a line of an order.
    let judged = case::judge(&case, &Known::default(), &policy, NOW);
    let mut bill = judged.bill.clone().unwrap();
    bill.claims.push(Claim { order_id: "PO-1".into(), line: "1".into(), quantity: 3.into(), ..Claim::default() });
    let free = Judgement { findings: Vec::new(), checkpoints: Vec::new(), bill: Some(bill), ..judged };
    let events = [
        Event::Validated { findings: Vec::new(), policy: policy.digest },
        Event::Reconciled(Box::new(free)),
        Event::Answered { answer: Answer::Booked { reference: SECRET.into() }, checkpoints: Vec::new() },
        Event::Archived { keep: policy.retention(Kind::Invoice, "inbox", false).keep(date(2000, 1, 1), None) },
    ];
    for event in events {
        apply(store, id, event, &machine()).await.unwrap();
    }
    id
}

async fn propose(store: &Store, id: CaseId, by: &Actor) -> Result<case::Case, ApplyError> {
    propose_as(store, id, Ground::MistakenUpload, by).await
}

pub(crate) async fn propose_as(
    store: &Store,
    id: CaseId,
    ground: Ground,
    by: &Actor,
) -> Result<case::Case, ApplyError> {
    let seen = store.case(id).await.unwrap().content();
    apply(store, id, Event::DisposalProposed { ground, seen, said: says(by), family: Family::new() }, by).await
}

pub(crate) async fn approve(store: &Store, id: CaseId, by: &Actor) -> Result<case::Case, ApplyError> {
    let seen = store.case(id).await.unwrap().content();
    apply(store, id, Event::DisposalApproved { seen, said: says(by), family: Family::new() }, by).await
}

async fn n_rows(place: &Place, table: &str, owner: &str, id: CaseId) -> usize {
    n_of(place, "body", table, owner, id).await
}

async fn n_of(place: &Place, column: &str, table: &str, owner: &str, id: CaseId) -> usize {
    place.bytes(&format!("SELECT {column} FROM {table} WHERE {owner} = '{id}'")).await.len()
}

fn sealed_below(dir: &Path) -> usize {
    let children = std::fs::read_dir(dir).unwrap().map(|child| child.unwrap().path());
    let sealed = |path: &Path| usize::from(path.extension().is_some_and(|it| it == "sealed"));
    children.map(|path| if path.is_dir() { sealed_below(&path) } else { sealed(&path) }).sum()
}

/// As the database writes bytes.
fn literal(place: &Place, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if place.on_postgres() { format!("decode('{hex}', 'hex')") } else { format!("x'{hex}'") }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_people_erased_opens_no_more_and_the_log_still_verifies() {
    on_both(async |place| {
        let (store, ann, ben) = (&place.store, legal("usr_ann"), legal("usr_ben"));
        let (id, other) = (quarantined(store, b"erased").await, quarantined(store, b"stays").await);
        propose(store, id, &ann).await.unwrap();
        assert_eq!(store.clocked(Ask::Proposed, NOW, 10).await.unwrap()[0].case, id);
        let alone = approve(store, id, &ann).await.unwrap_err();
        assert!(matches!(alone, ApplyError::Refused(Refusal::ProposedIt)), "{alone}");
        let openings = n_rows(place, "log_openings", "object", id).await;
        let row = place.bytes(&format!("SELECT body FROM record_keys WHERE owner = '{id}'")).await.pop().unwrap();

        let erased = approve(store, id, &ben).await.unwrap();
        assert_eq!(erased.state, State::Erased);
        assert!(!serde_json::to_string(&store.case(id).await.unwrap()).unwrap().contains(SECRET));
        assert!(store.original(&erased).await.is_err());
        assert_eq!(n_rows(place, "record_keys", "owner", id).await, 0);
        assert_eq!(store.clocked(Ask::Proposed, NOW, 10).await.unwrap(), []);
        // Of its entries one says why, under another key.
        assert_eq!(n_rows(place, "log_openings", "object", id).await, 1);
        let stays = store.case(other).await.unwrap();
        assert_eq!(store.original_bytes(&stays).await.unwrap(), b"stays");

        let certificate = store.certificate(id, &ben, NOW).await.unwrap();
        assert_eq!((certificate.proposed_by.as_str(), certificate.approved_by.as_str()), ("usr_ann", "usr_ben"));
        // The approval's own reason went with the others.
        assert_eq!(certificate.openings as usize, openings + 1, "so many entries, of several commitments each");
        assert_eq!(certificate.entries.len(), openings + 1);
        assert_eq!((certificate.files, certificate.files_left.as_slice()), (1, [].as_slice()));
        assert!(!certificate.key_lingers);
        assert!(row.starts_with(&hex(&certificate.key)));
        store.seal_log(NOW).await.unwrap();
        assert!(store.certificate(id, &ben, NOW).await.unwrap().index.is_some());
        let refused = store.certificate(other, &ben, NOW).await.unwrap_err().to_string();
        assert!(refused.contains("not erased"), "{refused}");
        // The key itself is in no file of the database any more.
        if !place.on_postgres() {
            let left = std::fs::read(&place.config.database).unwrap();
            let wal = std::fs::read(format!("{}-wal", place.config.database)).unwrap_or_default();
            let key = &row[28..60];
            assert!([left, wal].iter().all(|bytes| !bytes.windows(32).any(|found| found == key)));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_document_may_come_again_after_it_was_erased() {
    on_both(async |place| {
        let (store, ann, ben) = (&place.store, legal("usr_ann"), legal("usr_ben"));
        let id = quarantined(store, b"again").await;
        propose(store, id, &ann).await.unwrap();
        approve(store, id, &ben).await.unwrap();
        assert_ne!(quarantined(store, b"again").await, id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_case_that_was_read_and_booked_nothing_is_left_to_find_or_open() {
    on_both(async |place| {
        let (store, ann, ben) = (&place.store, legal("usr_ann"), legal("usr_ben"));
        let (bytes, read) = invoice();
        let id = archived(store).await;
        let again = arrival(&bytes, &format!("{SECRET} again.xml"), "post");
        assert_eq!(store.admit(again, &machine(), NOW).await.unwrap(), Admission::Duplicate(id));
        let number = read.text(case::FieldName::Number).unwrap();
        assert_eq!(store.search(number, &ann, NOW, 10).await.unwrap(), [id]);
        assert_eq!(sealed_below(&place.folder()), 2, "the document and the pictures of its pages");
        assert_ne!(n_of(place, "term_key", "case_terms", "case_id", id).await, 0);
        assert_eq!(n_of(place, "fact_key", "facts", "case_id", id).await, 1);

        propose_as(store, id, Ground::Expired, &ann).await.unwrap();
        approve(store, id, &ben).await.unwrap();
        assert_eq!(sealed_below(&place.folder()), 0);
        assert_eq!(n_of(place, "term_key", "case_terms", "case_id", id).await, 0);
        // Only what it took of its order: the line and the quantity.
        assert_eq!(n_of(place, "fact_key", "facts", "case_id", id).await, 1);
        let left = store.facts_by_key(&Key::order("PO-1"), None).await.unwrap();
        let left = serde_json::to_string(&left).unwrap();
        assert!(left.contains(r#""quantity":"3""#) && !left.contains(number) && !left.contains(SECRET), "{left}");
        assert_eq!(store.facts_by_key(&Key::any_number(number), None).await.unwrap(), []);
        assert_eq!(n_rows(place, "record_keys", "owner", id).await, 0);
        assert_eq!(n_rows(place, "log_openings", "object", id).await, 1, "why it was erased");
        assert_eq!(store.search(number, &ann, NOW, 10).await.unwrap(), []);
        let left = serde_json::to_string(&store.case(id).await.unwrap()).unwrap();
        assert!(!left.contains(SECRET) && !left.contains(number), "{left}");
        let certificate = store.certificate(id, &ben, NOW).await.unwrap();
        assert_eq!((certificate.files, certificate.files_left.as_slice()), (2, [].as_slice()));
        let acts: Vec<&str> = certificate.entries.iter().map(|entry| entry.act).collect();
        assert!(acts.contains(&"case.duplicate") && acts.contains(&"posting.answer"), "{acts:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_that_come_while_it_is_erased_leave_nothing_that_opens() {
    on_both(async |place| {
        let (store, ann, ben) = (&place.store, legal("usr_ann"), legal("usr_ben"));
        for n in 0..12 {
            let bytes = [n, 7];
            let id = quarantined(store, &bytes).await;
            propose(store, id, &ann).await.unwrap();
            let other = place.another().await;
            let again = || arrival(&bytes, &format!("{SECRET} again.pdf"), "post");
            let by = machine();
            let (came, erased) = tokio::join!(other.admit(again(), &by, NOW), approve(store, id, &ben));
            erased.unwrap();
            match came {
                // First, and erased with it.
                Ok(Admission::Duplicate(twin)) => assert_eq!(twin, id),
                Ok(Admission::New(new)) => assert_ne!(new, id),
                // It stays where it came from, and comes in when it is brought again.
                Err(Error::Unacceptable { .. }) => {
                    let new = other.admit(again(), &by, NOW).await.unwrap();
                    assert!(matches!(new, Admission::New(_)), "{new:?}");
                }
                Err(other) => panic!("{other:?}"),
            }
            assert_eq!(n_rows(place, "log_openings", "object", id).await, 1, "why it was erased");
            let certificate = store.certificate(id, &ben, NOW).await.unwrap();
            assert_eq!(certificate.openings as usize, certificate.entries.len());
            other.close().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_row_brought_back_opens_an_erased_case_until_the_vault_key_is_retired() {
    on_both(async |place| {
        let (store, ann, ben) = (&place.store, legal("usr_ann"), legal("usr_ben"));
        let admin = person("usr_admin", &[Role::Admin], 1);
        let id = quarantined(store, b"erased").await;
        let original = store.case(id).await.unwrap().original;
        let text = original.to_string();
        let path = place.folder().join(&text[34..]).join(format!("{text}.sealed"));
        let copy = std::fs::read(&path).unwrap();
        let old = store.key_uses().await.unwrap()[0].key.clone();
        let row = place.bytes(&format!("SELECT body FROM record_keys WHERE owner = '{id}'")).await.pop().unwrap();
        let bring_back = format!(
            "INSERT INTO record_keys (owner, wrapped_by, body) VALUES ('{id}', '{old}', {})",
            literal(place, &row)
        );
        let take_away = format!("DELETE FROM record_keys WHERE owner = '{id}'");
        propose(store, id, &ann).await.unwrap();
        approve(store, id, &ben).await.unwrap();
        assert!(!path.exists());

        // The document, from an old backup, without its key.
        std::fs::write(&path, copy).unwrap();
        let erased = store.case(id).await.unwrap();
        let closed = store.original(&erased).await.unwrap_err();
        assert!(store::causes(&closed).contains("needs record key"), "{}", store::causes(&closed));
        assert_eq!(store.certificate(id, &ben, NOW).await.unwrap().files_left, [original]);
        // And with it.
        place.execute(&bring_back).await.unwrap();
        assert_eq!(store.original_bytes(&erased).await.unwrap(), b"erased");
        place.execute(&take_away).await.unwrap();

        store.rotate_vault_key(&admin, NOW, &mut |_, _| ()).await.unwrap();
        store.retire_vault_key(&old, &admin, NOW).await.unwrap();
        place.execute(&bring_back).await.unwrap();
        let closed = place.another().await.original(&erased).await.unwrap_err();
        assert!(store::causes(&closed).contains("needs vault key"), "{}", store::causes(&closed));
        place.execute(&take_away).await.unwrap();
        std::fs::remove_file(&path).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_reader_keeps_in_the_databases_log_is_told_and_goes_when_the_reader_has_gone() {
    let place = sqlite().await;
    let (store, ann, ben) = (&place.store, legal("usr_ann"), legal("usr_ben"));
    let id = quarantined(store, b"erased").await;
    let row = place.bytes(&format!("SELECT body FROM record_keys WHERE owner = '{id}'")).await.pop().unwrap();
    let key_is_there = || {
        let files =
            ["", "-wal"].map(|end| std::fs::read(format!("{}{end}", place.config.database)).unwrap_or_default());
        files.iter().any(|bytes| bytes.windows(32).any(|found| found == &row[28..60]))
    };
    propose(store, id, &ann).await.unwrap();
    let mut reader = SqliteConnection::connect(&format!("sqlite://{}", place.config.database)).await.unwrap();
    sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
    sqlx::query("SELECT case_id FROM cases").fetch_all(&mut reader).await.unwrap();
    approve(store, id, &ben).await.unwrap();
    assert!(store.certificate(id, &ben, NOW).await.unwrap().key_lingers);
    assert!(key_is_there());

    sqlx::query("ROLLBACK").execute(&mut reader).await.unwrap();
    place.another().await.close().await;
    assert!(!key_is_there(), "opening the database empties its log");
    assert!(!store.certificate(id, &ben, NOW).await.unwrap().key_lingers);
    place.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_comes_while_it_is_approved_keeps_everything() {
    on_both(async |place| {
        let (store, ann, ben) = (&place.store, legal("usr_ann"), legal("usr_ben"));
        for n in 0..8 {
            let id = quarantined(store, &[n]).await;
            propose(store, id, &ann).await.unwrap();
            let revision = store.case(id).await.unwrap().revision;
            let held = Event::Held { matter: "Smith v. Jones".into(), said: says(&ann) };
            let other = place.another().await;
            let (hold, erase) = tokio::join!(other.apply(id, revision, held, &ann, NOW), approve(store, id, &ben));
            // One of them, never both.
            assert_ne!(hold.is_ok(), erase.is_ok(), "{hold:?} {erase:?}");
            let case = store.case(id).await.unwrap();
            assert_eq!(case.state == State::Erased, erase.is_ok());
            assert_eq!(n_rows(place, "record_keys", "owner", id).await, usize::from(hold.is_ok()));
            other.close().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_on_what_came_with_a_mail_comes_before_the_mail_is_erased_or_after_and_never_between() {
    on_both(async |place| {
        let (store, ann, ben) = (&place.store, legal("usr_ann"), legal("usr_ben"));
        let keep = policy().retention(Kind::Unknown, "inbox", true).keep(NOW.date(), None);
        for n in 0..8 {
            let arrived = arrival(&[n, 1], "a.eml", "inbox");
            let mail = admitted(store, arrived, NOW).await;
            let case = store.case(mail).await.unwrap();
            let part = store.admit_part(&case, 1, "a.pdf".into(), vec![n, 2], &machine(), NOW).await.unwrap();
            let Admission::New(part) = part else { panic!("a twin") };
            apply(store, part, unreadable(), &machine()).await.unwrap();
            let extraction = Box::new(Extraction { kind: Kind::Unknown, ..invoice().1 });
            let apart = Event::TakenApart { extraction, cases: vec![part], keep: keep.clone() };
            apply(store, mail, apart, &machine()).await.unwrap();
            propose(store, mail, &ann).await.unwrap();

            let revision = store.case(part).await.unwrap().revision;
            let held = Event::Held { matter: "Smith v. Jones".into(), said: says(&ann) };
            let other = place.another().await;
            let (hold, erase) = tokio::join!(other.apply(part, revision, held, &ann, NOW), approve(store, mail, &ben));
            hold.unwrap();
            assert_eq!(store.case(mail).await.unwrap().state == State::Erased, erase.is_ok());
            let entries = place.entries().await;
            let at = |act: &str, id: CaseId| {
                let about = |body: &audit::Body| body.obj.as_ref().is_some_and(|object| object.id == id.to_string());
                entries.iter().position(|body| body.act.text() == act && about(body))
            };
            match erase {
                Ok(_) => assert!(at("privacy.erase", mail).unwrap() < at("hold.place", part).unwrap()),
                Err(ApplyError::Refused(Refusal::PartHeld { part: named })) => assert_eq!(named, part),
                Err(ApplyError::Conflict { .. }) => {}
                Err(other) => panic!("{other:?}"),
            }
            other.close().await;
        }
    })
    .await;
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
