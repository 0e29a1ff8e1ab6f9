//! `cargo bench`: documents per second from the first rename into the inbox to the last terminal state, with everything
//! on: sealing, log, matching, posting. Prints 200 and 2,000 documents, so that a cost per document that grows shows.
//!
//! No test asserts a time. `COUNTERSIGN_BENCH=500,5000` takes other numbers; `COUNTERSIGN_BENCH_DATABASE` another database
//! (an empty one for each number).
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../support/program.rs"]
mod program;
#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use program::Workspace;

fn main() {
    // `cargo test` also runs this program, with arguments of its own: nothing is measured then.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let numbers = std::env::var("COUNTERSIGN_BENCH").unwrap_or_else(|_| "200,2000".to_owned());
    println!(
        "{:>9}  {:>9}  {:>11}  {:>14}  {:>12}  {:>10}",
        "documents", "seconds", "documents/s", "CPU ms/document", "peak MiB", "booked"
    );
    for number in numbers.split(',') {
        measure(number.trim().parse().unwrap());
    }
}

fn measure(documents: usize) {
    let workspace = Workspace::new(std::env::var("COUNTERSIGN_BENCH_DATABASE").ok());
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let stream = demo::stream(documents, 1, today);
    workspace.import(&stream.vendors_csv, &stream.orders_csv, &stream.receipts_csv);
    let folder = workspace.inbox().join("invoices");
    std::fs::create_dir_all(&folder).unwrap();
    let mut names = Vec::new();
    for (name, bytes) in stream {
        std::fs::write(folder.join(format!(".{name}.part")), bytes).unwrap();
        names.push(name);
    }
    let mut service = workspace.start();
    // The service is up when it has entered its start in the log; from then on the clock is fair.
    std::thread::sleep(Duration::from_secs(2));
    let started = Instant::now();
    for name in &names {
        std::fs::rename(folder.join(format!(".{name}.part")), folder.join(name)).unwrap();
    }
    let last = wait_until_settled(&workspace, documents);
    let seconds = last.duration_since(started).as_secs_f64();
    let (cpu, peak) = used(service.id());
    service.ask_to_stop();
    println!(
        "{documents:>9}  {seconds:>9.2}  {:>11.1}  {:>14.2}  {:>12.1}  {:>10}",
        documents as f64 / seconds,
        cpu * 1000.0 / documents as f64,
        peak,
        workspace.bookings().len()
    );
    workspace.judge();
}

/// When the last document came to rest. Asked of the command line every half second and then looked up exactly: the
/// newest change of any case.
fn wait_until_settled(workspace: &Workspace, documents: usize) -> Instant {
    loop {
        let rests = |case: &serde_json::Value| {
            ["Archived", "InReview", "Quarantined"].contains(&case["state"].as_str().unwrap())
        };
        let cases = workspace.cases();
        if cases.len() == documents && cases.iter().all(rests) {
            let newest = cases.iter().map(|case| case["changed_at"].as_str().unwrap()).max().unwrap().to_owned();
            let newest: jiff::Timestamp = newest.parse().unwrap();
            let ago = jiff::Timestamp::now().duration_since(newest);
            return Instant::now() - Duration::try_from(ago).unwrap_or_default();
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// CPU seconds of the service and the readers that it waited for, and its peak memory in MiB.
fn used(pid: u32) -> (f64, f64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // After the name in brackets: user, system, and the same of waited-for children are fields 14 to 17.
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(4).map(|it| it.parse().unwrap()).collect();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: f64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    // The kernel counts in hundredths of a second on every architecture we run on.
    (fields.iter().sum::<f64>() / 100.0, kib / 1024.0)
}
