//! `cargo bench --bench rotation`: a new vault key for 100,000 record keys, on both databases, each waiting for its disk.
//!
//! The record keys are made and wrapped by what makes those of cases, and lie in the same table; only a few of them have a
//! case and a document, for a rotation looks at neither. `COUNTERSIGN_BENCH_RECORD_KEYS=1000000` for more.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

use std::time::Instant;

use case::Role;
use store::{Admission, Keys};
use support::{NOW, arrival, machine, person};

fn main() {
    // `cargo test` also runs this program, with arguments of its own: nothing is measured then.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let n = std::env::var("COUNTERSIGN_BENCH_RECORD_KEYS").ok().map_or(100_000, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        support::postgres_waits_for_the_disk().await;
        println!("{:>9}  {:>11}  {:>8}  {:>12}", "database", "record keys", "seconds", "keys/s");
        for place in support::stores().await {
            let Admission::New(id) =
                place.store.admit(arrival(b"kept", "a.pdf", "inbox"), &machine(), NOW).await.unwrap()
            else {
                panic!("it is new")
            };
            let keys = Keys::open(&place.config.keys).unwrap();
            let owners = support::fill_key_table(&place.config.database, &keys, n).await;
            let started = Instant::now();
            let admin = person("usr_admin", &[Role::Admin], 1);
            let rotated = place.store.rotate_vault_key(&admin, NOW, &mut |_, _| ()).await.unwrap();
            let seconds = started.elapsed().as_secs_f64();
            assert_eq!(rotated.n_records, n as u64 + 1);
            let keys = Keys::open(&place.config.keys).unwrap();
            assert_eq!(support::every_record_key_opens(&place.config.database, &keys, &owners).await, 0);
            let case = place.store.case(id).await.unwrap();
            assert_eq!(place.store.original_bytes(&case).await.unwrap(), b"kept");
            println!("{:>9}  {n:>11}  {seconds:>8.2}  {:>12.0}", place.store.database(), n as f64 / seconds);
        }
    });
}
