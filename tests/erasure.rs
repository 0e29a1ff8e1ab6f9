//! An erased case, on both databases: what opened it is gone, and the log says so and still verifies.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use case::{Actor, CaseId, Event, Family, Ground, Refusal, Role, State, Statement};
use store::{Admission, ApplyError, Ask, Store};
use support::{NOW, Place, arrival, machine, on_both, person, unreadable};

const SECRET: &str = "Zeisigwald";

fn legal(id: &str) -> Actor {
    person(id, &[Role::Legal], 2)
}

fn says(by: &Actor) -> Statement {
    Statement { by: by.clone(), reason: format!("{SECRET} was sent here by mistake"), at: NOW }
}

/// A document that nobody could read, at rest.
async fn quarantined(store: &Store, bytes: &[u8]) -> CaseId {
    let file_name = format!("{SECRET}.pdf");
    let Admission::New(id) = store.admit(arrival(bytes, &file_name, "inbox"), &machine(), NOW).await.unwrap() else {
        panic!("a twin")
    };
    let pictures = store.keep_pictures(id, vec![b"a page".to_vec()]).await.unwrap();
    assert_eq!(pictures.len(), 1);
    store.apply(id, 0, unreadable(), &machine(), NOW).await.unwrap();
    id
}

async fn apply(store: &Store, id: CaseId, event: Event, by: &Actor) -> Result<case::Case, ApplyError> {
    let revision = store.case(id).await.unwrap().revision;
    store.apply(id, revision, event, by, NOW).await
}

async fn propose(store: &Store, id: CaseId, by: &Actor) -> Result<case::Case, ApplyError> {
    let seen = store.case(id).await.unwrap().content();
    let ground = Ground::MistakenUpload;
    apply(store, id, Event::DisposalProposed { ground, seen, said: says(by), family: Family::new() }, by).await
}

async fn approve(store: &Store, id: CaseId, by: &Actor) -> Result<case::Case, ApplyError> {
    let seen = store.case(id).await.unwrap().content();
    apply(store, id, Event::DisposalApproved { seen, said: says(by), family: Family::new() }, by).await
}

async fn n_rows(place: &Place, table: &str, owner: &str, id: CaseId) -> usize {
    let sql = format!("SELECT body FROM {table} WHERE {owner} = '{id}'");
    place.bytes(&sql).await.len()
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
        assert_eq!(certificate.openings as usize, openings + 1);
        assert_eq!(certificate.entries.len(), openings + 1);
        assert_eq!(certificate.files, 1);
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
        propose(store, id, &ann).await.unwrap();
        approve(store, id, &ben).await.unwrap();
        assert!(!path.exists());
        // The document, from an old backup, without its key.
        std::fs::write(&path, copy).unwrap();
        let closed = store.original(&store.case(id).await.unwrap()).await.unwrap_err();
        assert!(store::causes(&closed).contains("needs record key"), "{}", store::causes(&closed));
        store.rotate_vault_key(&admin, NOW, |_, _| ()).await.unwrap();
        store.retire_vault_key(&old, &admin, NOW).await.unwrap();
        std::fs::remove_file(&path).unwrap();
    })
    .await;
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

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
