//! `cargo bench --bench matching`: how long one invoice of 20 lines takes to be looked up, to be matched and to be searched
//! for duplicates, among 10,000 order lines and as many past invoices and receipts, and among 1,000,000 of each, on both
//! databases: the p50 and the p99 of 500 invoices, in milliseconds.
//!
//! The small business is there twice: with as many vendors as the large one, of whom each has sent a hundredth of the
//! invoices, and with as many invoices a vendor as the large one, so that only the tables are smaller.
//!
//! `COUNTERSIGN_FACTS=10000,100000` takes other sizes, `COUNTERSIGN_VENDORS=1000` other numbers of vendors.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod books;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use books::Books;
use case::{Decimal, Known, Policy};
use support::{NOW, Place};

const INVOICES: usize = 500;
/// Invoices before those that count: connections are opened and queries planned.
const FIRST: usize = 50;
/// One in so many charges more than was ordered.
const OVER_EVERY: usize = 20;
/// Keys of bills that may be the same one a second time, or belong to one series with it.
const OF_DUPLICATES: [&str; 5] = ["number:", "credits-of:", "gross:", "payee:", "lines:"];

const MEASURED: [&str; 5] = [
    "looked up: asking, finding and opening what it is compared with",
    "  of that, saying what to look up",
    "matched: every comparison, with what was looked up",
    "looked up and matched",
    "duplicates alone, looked up",
];

fn main() {
    // `cargo test` also runs this program, with arguments of its own: nothing is measured then.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let sizes = std::env::var("COUNTERSIGN_FACTS").unwrap_or_else(|_| "10000,1000000".to_owned());
    let sizes: Vec<usize> = sizes.split(',').map(|size| size.trim().parse().unwrap()).collect();
    let (small, large) = (sizes[0], sizes[sizes.len() - 1]);
    let vendors = books::asked("COUNTERSIGN_VENDORS", 1_000);
    let houses = [(small, vendors), (small, (vendors * small / large).max(1)), (large, vendors)];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        support::postgres_waits_for_the_disk().await;
        let mut found: Vec<(&str, Vec<House>)> = Vec::new();
        for (n, vendors) in houses {
            for place in support::stores().await {
                let house = measure(&place, n, vendors).await;
                let name = place.store.database();
                match found.iter_mut().find(|(database, _)| *database == name) {
                    Some((_, houses)) => houses.push(house),
                    None => found.push((name, vec![house])),
                }
            }
        }
        found.iter().for_each(|(database, houses)| show(database, houses));
    });
}

/// What each of the [`MEASURED`] took, once for each invoice, the shortest first.
struct House {
    n: usize,
    vendors: usize,
    seconds_to_import: f64,
    /// Invoices about which nothing was found that a person must look at.
    clean: usize,
    times: [Vec<Duration>; MEASURED.len()],
}

async fn measure(place: &Place, n: usize, vendors: usize) -> House {
    let (books, policy) = (Books::of(n, vendors), support::policy());
    let started = Instant::now();
    books.bring_in(&place.store).await;
    let seconds_to_import = started.elapsed().as_secs_f64();
    eprintln!("{}: {n} of each are in after {seconds_to_import:.1} s", place.store.database());
    if place.on_postgres() {
        // As its own housekeeping does within minutes of an import.
        place.execute("ANALYZE").await.unwrap();
    }
    let mut house = House { n, vendors, seconds_to_import, clean: 0, times: Default::default() };
    let apart = (books.n_orders() / (FIRST + INVOICES)).max(1);
    for number in 0..FIRST + INVOICES {
        let order = number * apart % books.n_orders();
        let over = if number % OVER_EVERY == OVER_EVERY - 1 { Decimal::from(5) } else { Decimal::ZERO };
        let bytes = books.invoice(number, order, over);
        let (times, clean) = one(place, &bytes, &policy).await;
        if FIRST <= number {
            house.clean += usize::from(clean);
            house.times.iter_mut().zip(times).for_each(|(all, time)| all.push(time));
        }
    }
    house.times.iter_mut().for_each(|times| times.sort_unstable());
    house
}

async fn one(place: &Place, bytes: &[u8], policy: &Policy) -> ([Duration; MEASURED.len()], bool) {
    let extraction = extract::read(bytes).unwrap().extraction;
    let case = books::case_of(&extraction, bytes);
    let asking = Mutex::new(Duration::ZERO);
    let started = Instant::now();
    let wanted = |known: &Known| {
        let started = Instant::now();
        let keys = case::wanted(&extraction, known, policy);
        *asking.lock().unwrap() += started.elapsed();
        keys
    };
    let known = place.store.gather(&case, &wanted).await.unwrap().known;
    let looked_up = started.elapsed();
    let started = Instant::now();
    let verdict = case::reconcile(&extraction, &known, policy, NOW.date());
    let matched = started.elapsed();
    assert_eq!(verdict.matched.len(), books::LINES_AN_ORDER, "{:?}", verdict.findings);
    let started = Instant::now();
    let wanted = |known: &Known| {
        let mut keys = case::wanted(&extraction, known, policy);
        keys.retain(|key| OF_DUPLICATES.iter().any(|of| key.text().starts_with(of)));
        keys
    };
    let duplicates = place.store.gather_facts(&wanted).await.unwrap();
    assert!(0 < duplicates.known.keys().count());
    let duplicates = started.elapsed();
    let clean = verdict.findings.iter().all(|finding| finding.severity < case::Severity::Review);
    ([looked_up, asking.into_inner().unwrap(), matched, looked_up + matched, duplicates], clean)
}

fn show(database: &str, houses: &[House]) {
    println!("\n{database}: milliseconds for one invoice of 20 lines, p50 and p99 of {INVOICES}");
    let row = |what: &str, cell: &dyn Fn(&House) -> String| {
        print!("{what:<64}");
        houses.iter().for_each(|house| print!("  {:>17}", cell(house)));
        println!();
    };
    row("order lines, receipts and past invoices, of each", &|it| it.n.to_string());
    row("of so many vendors", &|it| it.vendors.to_string());
    row("imported in seconds", &|it| format!("{:.1}", it.seconds_to_import));
    row("invoices about which nothing must be looked at", &|it| it.clean.to_string());
    for (idx, what) in MEASURED.iter().enumerate() {
        row(what, &|it| {
            let [p50, p99] = [50, 99].map(|percent| percentile(&it.times[idx], percent));
            format!("{p50:.2}  {p99:>7.2}")
        });
    }
    println!("\nthe last beside the ones before it: how many times as long (flat: about 1)");
    let Some((last, before)) = houses.split_last() else { return };
    for (idx, what) in MEASURED.iter().enumerate() {
        print!("{what:<64}");
        for house in before {
            let [p50, p99] = [50, 99].map(|it| percentile(&last.times[idx], it) / percentile(&house.times[idx], it));
            print!("  {:>17}", format!("{p50:.2}  {p99:>7.2}"));
        }
        println!();
    }
}

/// In milliseconds: so many percent took no longer.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    sorted[(sorted.len() * percent).div_ceil(100) - 1].as_secs_f64() * 1e3
}
