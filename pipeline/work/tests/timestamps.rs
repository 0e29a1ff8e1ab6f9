//! A service outside the house stamps heads of the log; what is no stamp on this head is never kept.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "loopback/authority.rs"]
mod authority;
#[path = "loopback/log.rs"]
mod log;

use audit::TimestampAuthority;
use authority::{Authority, Manner, openssl};
use case::Timestamp;
use log::{Log, show};
use sha2::{Digest, Sha256};
use work::{Anchors, Timestamps};

fn stamped_by(authority: &Authority) -> Anchors {
    Anchors { timestamps: Some(Timestamps::new(&authority.url, 60).unwrap()), ..Anchors::default() }
}

async fn stamped(log: &Log) -> Option<u64> {
    log.store.last_timestamp().await.unwrap().map(|anchor| anchor.size)
}

#[tokio::test]
async fn a_head_is_stamped_and_the_stamp_goes_out_with_the_export() {
    let Some(()) = openssl() else { return };
    let (log, authority) = (Log::new().await, Authority::serve(Manner::Stamps).await);
    let size = log.size().await;
    show(&log, &stamped_by(&authority)).await;
    assert_eq!((authority.stamps(), stamped(&log).await), (1, Some(size)));

    // Within the hour there is no second one, however many new heads there are.
    log.grow(1).await;
    show(&log, &stamped_by(&authority)).await;
    assert_eq!((authority.stamps(), stamped(&log).await), (1, Some(size)));

    let export = log.export().await;
    let head = std::fs::read_to_string(export.path().join(format!("checkpoints/{size}"))).unwrap();
    let text = head.split_once("\n\n").unwrap().0.to_owned() + "\n";
    let digest = Sha256::digest(text.as_bytes()).into();
    let token = std::fs::read(export.path().join(format!("anchors/{size}.tsr"))).unwrap();
    let root = TimestampAuthority::parse(&authority.root()).unwrap();
    let found = audit::verify_timestamp(&token, &digest, &root).unwrap();
    assert_eq!(found.by, "Stamps");
    assert!(authority.openssl_verifies(export.path(), size), "as the README of the export says");
    std::fs::write(export.path().join(format!("checkpoints/{size}")), head.replacen('3', "4", 1)).unwrap();
    assert!(!authority.openssl_verifies(export.path(), size));
}

#[tokio::test]
async fn what_is_no_stamp_on_this_head_is_never_kept() {
    let Some(()) = openssl() else { return };
    let (log, authority) = (Log::new().await, Authority::serve(Manner::Stamps).await);
    let other = Log::new().await;
    other.grow(7).await;
    show(&other, &stamped_by(&authority)).await;
    assert_eq!(stamped(&other).await, Some(10));

    let (good, refusal) = (authority.answers().remove(0), vec![0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02]);
    let mut cut = good.clone();
    cut.truncate(good.len() - 1);
    for manner in [
        // A stamp that answered another request, about another head.
        Manner::Repeats,
        Manner::Says(200, good.clone()),
        Manner::Says(200, cut),
        Manner::Says(200, refusal),
        Manner::Says(200, Vec::new()),
        Manner::Says(200, b"<html>a captive portal</html>".to_vec()),
        Manner::Says(200, vec![0x30; 70_000]),
        Manner::Says(500, good),
        Manner::Says(307, Vec::new()),
    ] {
        authority.turns(manner.clone());
        show(&log, &stamped_by(&authority)).await;
        assert_eq!(stamped(&log).await, None, "{manner:?}");
    }
    authority.turns(Manner::Stamps);
    show(&log, &stamped_by(&authority)).await;
    assert_eq!(stamped(&log).await, Some(log.size().await));
}

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_make_the_next_stamp_wait_for_it() {
    let Some(()) = openssl() else { return };
    let (log, authority) = (Log::new().await, Authority::serve(Manner::Stamps).await);
    let head = log.store.newest_head().await.unwrap().unwrap();
    let (request, nonce) = log.store.timestamp_request(&head).unwrap();
    let answer = authority.stamp(&request);
    let next_year = Timestamp(work::now().0 + 365 * 86_400 * 1_000_000);
    log.store.keep_timestamp(&head, &authority.url, nonce, &answer, next_year).await.unwrap();
    let size = log.grow(1).await;
    show(&log, &stamped_by(&authority)).await;
    assert_eq!(stamped(&log).await, Some(size));
}
