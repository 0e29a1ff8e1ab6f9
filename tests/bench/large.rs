//! `cargo bench --bench large`: a document of 1 GiB is taken in and given out again piece by piece. What memory that takes
//! above an idle store, and how long it takes beside the same bytes written plainly to the same disk, told (SHA-256), and
//! sealed and opened without a disk. Ends with 1 where the memory is more than 64 MiB.
//!
//! `COUNTERSIGN_BENCH_MIB=64` for a smaller one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

use std::fs::File;
use std::io::{self, Read, Seek, Write, sink};
use std::process::ExitCode;
use std::time::Instant;

use case::Digest;
use store::steps::Record;
use store::{Arrival, Content, Keys, Original};
use support::{NOW, Place, admitted, arrival};
use tempfile::TempDir;

const MEMORY_KIB_MAX: u64 = 64 << 10;

fn main() -> ExitCode {
    // `cargo test` also runs this program, with arguments of its own: nothing is measured then.
    if !std::env::args().any(|arg| arg == "--bench") {
        return ExitCode::SUCCESS;
    }
    let mib = std::env::var("COUNTERSIGN_BENCH_MIB").ok().map_or(1024, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    ExitCode::from(u8::from(!runtime.block_on(measure(mib))))
}

async fn measure(mib: u64) -> bool {
    let place = support::sqlite().await;
    let outside = TempDir::new().unwrap();
    let (path, size) = (outside.path().join("large"), mib << 20);
    let plainly = write(&mut Pattern { left: size }, &path);
    let _ = through(&place, Content::Bytes(vec![1; 100_000])).await;
    let idle = peak_kib();

    let started = Instant::now();
    let original = through(&place, Content::Open(File::open(&path).unwrap())).await;
    let admitted = started.elapsed().as_secs_f64();
    let after_admitting = peak_kib();
    let started = Instant::now();
    let mut offset = 0;
    let mut plain = Pattern { left: size };
    while offset < original.size() {
        let piece = original.piece(offset).await.unwrap();
        let mut expected = vec![0; piece.len()];
        plain.read_exact(&mut expected).unwrap();
        assert!(piece == expected, "the piece at {offset} is another");
        offset += piece.len() as u64;
    }
    assert_eq!(offset, size);
    let given_out = started.elapsed().as_secs_f64();
    let after_all = peak_kib();

    // What each part takes by itself.
    let (record, _) = Record::make(&Keys::open(&place.config.keys).unwrap(), "case-1").unwrap();
    let mut file = File::open(&path).unwrap();
    let told = timed(|| assert_eq!(io::copy(&mut file, &mut Telling(Vec::new())).unwrap(), size));
    file.rewind().unwrap();
    let id = uuid::Uuid::nil();
    let sealed = timed(|| record.seal_file(id, size, &mut file, &mut sink()).unwrap());

    let line = |what: &str, seconds: f64| {
        println!("{what:<62} {seconds:>7.2} s  {:>7.0} MiB/s", mib as f64 / seconds);
    };
    println!("a document of {mib} MiB");
    line("taken in: told, sealed, on the disk, entered", admitted);
    line("given out again, a piece of 4 MiB at a time, and compared", given_out);
    line("by itself: the same bytes written plainly, and on the disk", plainly);
    line("by itself: told (SHA-256)", told);
    line("by itself: sealed, without a disk", sealed);
    println!(
        "peak memory: idle {idle} KiB, {} KiB more to take it in, {} KiB more in all",
        after_admitting - idle,
        after_all - idle
    );
    after_all - idle <= MEMORY_KIB_MAX
}

/// Taken in and opened.
async fn through(place: &Place, content: Content) -> Original {
    let arrival = Arrival { content, ..arrival(b"", "large.bin", "inbox") };
    let id = admitted(&place.store, arrival, NOW).await;
    place.store.original(&place.store.case(id).await.unwrap()).await.unwrap()
}

fn write(from: &mut dyn Read, path: &std::path::Path) -> f64 {
    let mut buffer = vec![0; 1 << 20];
    let mut file = File::create(path).unwrap();
    timed(|| {
        loop {
            let n = from.read(&mut buffer).unwrap();
            if n == 0 {
                break;
            }
            file.write_all(&buffer[..n]).unwrap();
        }
        file.sync_all().unwrap();
    })
}

fn timed(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

/// The most memory that this process ever had at once.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.split_whitespace().next().unwrap().parse().unwrap()
}

/// Bytes that are not all alike, and the same each time.
struct Pattern {
    left: u64,
}

impl Read for Pattern {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.left.min(to.len() as u64) as usize;
        for byte in &mut to[..n] {
            *byte = (self.left / 251 + self.left) as u8;
            self.left -= 1;
        }
        Ok(n)
    }
}

/// Digests what is written to it, a mebibyte at a time.
struct Telling(Vec<u8>);

impl Write for Telling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        if 1 << 20 <= self.0.len() {
            std::hint::black_box(Digest::of(&self.0));
            self.0.clear();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
