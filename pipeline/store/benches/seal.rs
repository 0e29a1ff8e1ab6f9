//! `cargo bench -p store --bench seal`: how fast a document of 64 MiB is sealed and opened in memory, on one core, on two
//! and on all, beside the cipher of openssl on one core: `openssl speed -evp aes-256-gcm -bytes 65536`.
//!
//! Rounds of all take turns, and the best of each counts, so that a busy machine troubles all alike. Ends with 1 where two
//! cores seal or open slower than openssl's one. Needs `openssl` and `taskset`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::sink;
use std::process::{Command, ExitCode};
use std::thread::available_parallelism;
use std::time::Instant;

use store::Keys;
use store::steps::Record;
use uuid::Uuid;

const DOCUMENT_BYTES: usize = 64 << 20;
const ROUNDS: usize = 3;
const TIMES_A_ROUND: usize = 8;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|arg| arg == "--measure") {
        let (seal, open) = measure();
        println!("{seal} {open}");
        return ExitCode::SUCCESS;
    }
    // `cargo test` also runs this program, with arguments of its own: nothing is measured then.
    if !args.iter().any(|arg| arg == "--bench") {
        return ExitCode::SUCCESS;
    }
    let all = available_parallelism().unwrap().get();
    let mut sets = vec![1, 2.min(all), all];
    sets.dedup();
    let mut best = vec![(0.0f64, 0.0f64); sets.len()];
    let mut openssl = 0.0f64;
    for _ in 0..ROUNDS {
        openssl = openssl.max(openssl_speed());
        for (best, cores) in best.iter_mut().zip(&sets) {
            let said = pinned(*cores, &args[0], &["--measure"]);
            let (seal, open) = said.trim().split_once(' ').unwrap();
            *best = (best.0.max(seal.parse().unwrap()), best.1.max(open.parse().unwrap()));
        }
    }
    println!("{:<22} {:>10} {:>10} {:>14}", "", "seal GB/s", "open GB/s", "of openssl");
    println!("{:<22} {:>10.2} {:>10.2} {:>14}", "openssl, 1 core", openssl / 1e9, openssl / 1e9, "1.00  1.00");
    for ((seal, open), cores) in best.iter().zip(&sets) {
        let ratio = format!("{:.2}  {:.2}", seal / openssl, open / openssl);
        println!("{:<22} {:>10.2} {:>10.2} {ratio:>14}", format!("sealed, {cores} cores"), seal / 1e9, open / 1e9);
    }
    let slow = best.iter().zip(&sets).any(|((seal, open), cores)| *cores == 2 && seal.min(*open) < openssl);
    if slow {
        eprintln!("two cores are slower than openssl on one");
    }
    ExitCode::from(u8::from(slow))
}

/// Bytes a second: the best of some times.
fn measure() -> (f64, f64) {
    let dir = tempfile::TempDir::new().unwrap();
    let (record, _) = Record::make(&Keys::create(dir.path().join("keys")).unwrap(), "case-1").unwrap();
    let plain: Vec<u8> = (0..DOCUMENT_BYTES).map(|at| (at * at / 7) as u8).collect();
    let id = Uuid::nil();
    let mut sealed = Vec::with_capacity(DOCUMENT_BYTES + (1 << 20));
    record.seal_file(id, plain.len() as u64, &mut plain.as_slice(), &mut sealed).unwrap();
    let seal = || record.seal_file(id, plain.len() as u64, &mut plain.as_slice(), &mut sink()).unwrap();
    let open = || record.open_file(id, &sealed, &mut sink()).unwrap();
    (rate(seal), rate(open))
}

fn rate(work: impl Fn()) -> f64 {
    let times = (0..TIMES_A_ROUND).map(|_| {
        let started = Instant::now();
        work();
        DOCUMENT_BYTES as f64 / started.elapsed().as_secs_f64()
    });
    times.fold(0.0, f64::max)
}

fn openssl_speed() -> f64 {
    let said = pinned(1, "openssl", &["speed", "-evp", "aes-256-gcm", "-bytes", "65536", "-seconds", "2"]);
    // Its last word: thousands of bytes a second, with a k.
    let thousands = said.split_whitespace().last().and_then(|word| word.strip_suffix('k')).unwrap();
    thousands.parse::<f64>().unwrap() * 1e3
}

fn pinned(cores: usize, program: &str, args: &[&str]) -> String {
    let cores = format!("0-{}", cores - 1);
    let output = Command::new("taskset").args(["-c", &cores, program]).args(args).output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
