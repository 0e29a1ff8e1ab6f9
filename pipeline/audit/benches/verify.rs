//! How fast a log is verified: entries a second of one core, beside SHA-256 of the same bytes in the same run.
//!
//! `cargo bench -p audit --bench verify -- [ENTRIES]`; 1,000,000 when not said. The log lies in the folder for
//! temporary files: cases of eight links each with views between them, some 500 bytes an entry.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use audit::*;
use sha2::{Digest, Sha256};

const ORIGIN: &str = "audit.example.com/acme/1";
/// 2026-11-22T10:00:00Z
const START: i64 = 1_795_341_600_000_000;
/// A case every so often, so that about this many are open at once.
const OPEN: usize = 2_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["alone", dir] => alone(Path::new(dir), 1),
        ["pair", dir] => alone(Path::new(dir), 2),
        ["hash", dir] => hash(Path::new(dir)),
        ["make", dir, entries] => println!("{}", write_log(Path::new(dir), entries.parse().unwrap())),
        [] => run(1_000_000),
        [entries] => run(entries.parse().unwrap()),
        _ => panic!("usage: verify [ENTRIES]"),
    }
}

/// Makes the log, then measures in processes of their own, so that making it counts for nothing.
fn run(entries: u64) {
    let dir = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let bytes = write_log(dir.path(), entries);
    let took = started.elapsed().as_secs_f64();
    println!("log          {entries} entries, {} bytes each, made in {took:.1} s", bytes / entries);
    for _ in 0..3 {
        for what in ["hash", "alone", "pair"] {
            let child = Command::new(std::env::current_exe().unwrap()).arg(what).arg(dir.path()).output().unwrap();
            assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
            print!("{}", String::from_utf8(child.stdout).unwrap());
        }
    }
}

/// Verifies the log with every check.
fn alone(dir: &Path, threads: usize) {
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let report = verify(dir, &ask(threads)).unwrap();
    let (cpu, wall) = (cpu_seconds() - cpu, wall.elapsed().as_secs_f64());
    assert_eq!(report.fault, None);
    let (entries, objects) = (report.entries as f64, report.objects.unwrap());
    println!(
        "verify       {:.2} M entries/s of one core ({cpu:.2} s of processor), {:.2} M/s on the clock with {threads} threads, {objects} objects followed, {} MiB at most",
        entries / cpu / 1e6,
        entries / wall / 1e6,
        peak_kib() / 1024,
    );
}

/// The leaf hashes alone, from the same files.
fn hash(dir: &Path) {
    let mut bundles = Vec::new();
    files(&dir.join("tile/entries"), &mut bundles);
    let (mut entries, mut any) = (0, 0);
    let before = user_seconds();
    for path in bundles {
        let bundle = fs::read(path).unwrap();
        let mut rest = bundle.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
            any ^= Sha256::new().chain_update([0]).chain_update(entry).finalize()[0];
            (rest, entries) = (after, entries + 1);
        }
    }
    let user = user_seconds() - before;
    println!(
        "SHA-256      {:.2} M leaf hashes/s of one core, nothing else ({any:02x})",
        f64::from(entries) / user / 1e6
    );
}

fn files(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for child in fs::read_dir(dir).unwrap() {
        let path = child.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn ask(threads: usize) -> Ask {
    Ask { silence_is_fault: true, threads, ..Ask::of(key().verifier()) }
}

fn key() -> LogKey {
    LogKey::from_seed(ORIGIN, &[1; 32]).unwrap()
}

/// Returns how many bytes the entries have.
fn write_log(dir: &Path, entries: u64) -> u64 {
    let (mut tiles, mut prev, mut bytes) = (TileWriter::new(), Hash::ZERO, 0);
    let mut open: VecDeque<Case> = VecDeque::new();
    let mut random = Random(1);
    let mut cases = 0;
    for index in 0..entries {
        if open.len() < OPEN && (open.is_empty() || random.below(8) == 0) {
            open.push_back(Case { id: uuid(cases, 7), rev: 0, before: None });
            cases += 1;
        }
        let at = random.below(open.len() as u64) as usize;
        let body = open[at].next(index, &mut random);
        if open[at].rev == LINKS.len() {
            open.swap_remove_back(at);
        }
        let leaf = seal(&body, index, prev, START + index as i64 * 70_000).unwrap();
        prev = leaf_hash(&leaf);
        bytes += leaf.len() as u64;
        tiles.push(&leaf).unwrap().iter().for_each(|file| put(dir, file));
    }
    tiles.partials().iter().for_each(|file| put(dir, file));
    let head = TreeHead { origin: ORIGIN.into(), size: tiles.size(), root: tiles.root() };
    put(dir, &TileFile { path: "checkpoint".into(), bytes: sign(&head, &key()).into_bytes() });
    bytes
}

fn put(dir: &Path, file: &TileFile) {
    let path = dir.join(&file.path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, &file.bytes).unwrap();
}

/// A case on its way, as the product writes it.
struct Case {
    id: String,
    rev: usize,
    before: Option<Hash>,
}

const LINKS: [(Act, &str, &str); 8] = [
    (Act::CaseAdmit, "", "Received"),
    (Act::CaseExtract, "Received", "Extracted"),
    (Act::CaseValidate, "Extracted", "Validated"),
    (Act::CaseReconcile, "Validated", "InReview"),
    (Act::ReviewCorrect, "InReview", "Validated"),
    (Act::ReviewApprove, "InReview", "Approved"),
    (Act::PostingAnswer, "Approved", "Posted"),
    (Act::CaseArchive, "Posted", "Archived"),
];

impl Case {
    fn next(&mut self, index: u64, random: &mut Random) -> Vec<u8> {
        let program = Program { node: "vm".into(), ver: "0.1.0".into() };
        let view = 3 < self.rev && random.below(3) != 0;
        let (act, from, to) = if view { (Act::DocumentView, "", "") } else { LINKS[self.rev] };
        let person = view || act.text().starts_with("review.");
        let actor = match person {
            true => Actor { id: format!("usr_{:016x}", random.below(40) * 7_919_777_777_777), kind: ActorKind::User },
            false => Actor { id: "countersign".into(), kind: ActorKind::System },
        };
        let mut body = Body::new(&uuid(index, 3), START + index as i64 * 70_000 - 900, act, actor, &program);
        body.obj = Some(Object { id: self.id.clone(), kind: "case".into() });
        if view {
            body.d.insert("part".into(), "page".into());
            return body.to_bytes().unwrap();
        }
        body.rev = Some(self.rev as u64);
        body.sprev = self.before;
        if self.rev != 0 {
            body.from = Some(from.into());
        }
        body.to = Some(to.into());
        let salt = [index as u8; 32];
        match act {
            Act::CaseAdmit => {
                body.d.insert("size_bytes".into(), (random.below(300_000) as i64).into());
                for path in ["channel", "digest"] {
                    body.c.insert(path.into(), commit(&salt, path, &"watched folder".into()).unwrap());
                }
            }
            Act::CaseArchive => drop(body.d.insert("keep_until".into(), "2036-12-31".into())),
            _ => {
                let codes =
                    ["BR-CO-10", "DUP-01"].into_iter().take(random.below(3) as usize).map(Value::from).collect();
                body.d.insert("codes".into(), Value::List(codes));
                body.c.insert("findings".into(), commit(&salt, "findings", &index.into()).unwrap());
            }
        }
        let bytes = body.to_bytes().unwrap();
        (self.rev, self.before) = (self.rev + 1, Some(body_hash(&bytes)));
        bytes
    }
}

fn uuid(n: u64, kind: u64) -> String {
    format!("0193a2b4-{:04x}-7{kind:03x}-9a0b-{:012x}", (n >> 16) & 0xffff, (n * 2_654_435_761) & 0xffff_ffff_ffff)
}

/// xorshift64*: the same log every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

/// Processor time of all threads.
fn cpu_seconds() -> f64 {
    let (user, system) = times();
    user + system
}

/// Without what the kernel does, such as reading files.
fn user_seconds() -> f64 {
    times().0
}

/// User and system time in steps of 10 ms: fields 14 and 15 of `/proc/self/stat`, at 100 ticks a second.
fn times() -> (f64, f64) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    (fields[11].parse::<f64>().unwrap() / 100.0, fields[12].parse::<f64>().unwrap() / 100.0)
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
