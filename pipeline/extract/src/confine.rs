//! The reader's process: locked in before it reads its first byte, and gone after one document.

mod program;

use std::fmt;
use std::io::{self, Read as _, Write};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use case::frame::{self, SCAN_BYTES_MAX, SCANS_MAX, TOLD_BYTES_MAX};
use case::{ANSWER_BYTES_MAX, Format};
use rlimit::Resource;
use serde::{Deserialize, Serialize};

use crate::ocr::Scans;
use crate::{Models, Ocr, Reading, Unreadable, mail, read_scans};
pub use program::become_tesseract;

/// For the thread that parses: some formats nest, and their parsers recurse.
const STACK_BYTES: usize = 128 << 20;

/// What the process may use up, for one document. Beyond memory or time it is ended by the system, without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space. The stack of the parsing thread alone is 128 MiB of it.
    pub memory_bytes_max: u64,
    pub cpu_seconds_max: u64,
    pub document_bytes_max: u64,
}

/// Which of the locks held. A missing one is no reason to stop: the others hold, and the caller decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// `fully_enforced`, `partially_enforced` (an older kernel) or `not_enforced`, and in brackets why.
    pub landlock: String,
    /// Are all system calls refused but those that reading and answering take?
    pub seccomp: bool,
    /// Are memory, time, processes, files and file sizes limited?
    pub rlimits: bool,
}

/// What is asked of the process, where pages are pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// The document alone.
    #[default]
    Read,
    /// The pages for another program too ([`frame::SCAN`]).
    HandOut,
    /// What that program said: standard input has frames ([`frame::DOCUMENT`]).
    Lay,
}

/// Locks this process in for good, reads one document from standard input to its end, answers on standard output.
///
/// The caller exits with the code at once. MUST be called while the process has one thread, and not where standard output
/// or error is a file: a process that writes to a file from then on is ended by the system.
///
/// `models` are for character recognition, and loaded before the locks; without them pictures are not read.
pub fn serve(limits: Limits, models: Option<Models>, stage: Stage) -> ExitCode {
    // The default hook would print where and why the reader failed, and the why may quote the document.
    std::panic::set_hook(Box::new(|_| {}));
    let Ok(ocr) = models.map(Ocr::load).transpose() else { return ExitCode::FAILURE };
    let landlock = landlock();
    let (ready, started) = mpsc::channel::<()>();
    let (go, wait) = mpsc::channel::<Confinement>();
    // Started before the filter, which allows no new threads; it touches nothing until it is told to.
    let reader = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let unlocked = || io::Error::other("the process was not locked in");
        ready.send(()).map_err(|_| unlocked())?;
        let confinement = wait.recv().map_err(|_| unlocked())?;
        answer(&confinement, limits, ocr.as_ref(), stage, io::stdin().lock(), io::stdout().lock())
    });
    // A thread makes calls of its own while it starts; the filter waits for their end.
    let (Ok(reader), Ok(())) = (reader, started.recv()) else { return ExitCode::FAILURE };
    let confinement = Confinement { landlock, rlimits: rlimits(limits, FILES_MAX), seccomp: seccomp() };
    if go.send(confinement).is_err() {
        return ExitCode::FAILURE;
    }
    match reader.join() {
        Ok(Ok(())) => ExitCode::SUCCESS,
        // Whoever waited for the answer is gone, or the answer failed: it has no end, so nobody will believe it.
        Ok(Err(_)) | Err(_) => ExitCode::FAILURE,
    }
}

#[derive(Serialize)]
struct Refused<'a> {
    code: &'a str,
    message: String,
}

fn answer(
    confinement: &Confinement,
    limits: Limits,
    ocr: Option<&Ocr>,
    stage: Stage,
    input: impl io::Read,
    mut output: impl Write,
) -> io::Result<()> {
    write_frame(&mut output, frame::CONFINEMENT, &serde_json::to_vec(confinement)?)?;
    let (document, mut scans) = match stage {
        Stage::Read => (bare(input, limits)?, Scans::new(ocr)),
        Stage::HandOut => (bare(input, limits)?, Scans::handing_out(ocr)),
        Stage::Lay => told(input, limits)?,
    };
    let size = document.len() as u64;
    let outcome = if limits.document_bytes_max < size {
        Err(Unreadable::TooMuch { what: "bytes or more", count: size, max: limits.document_bytes_max })
    } else {
        read_scans(&document, &mut scans)
    };
    match outcome.and_then(|reading| written(&document, reading)) {
        Ok(Written { extraction, pictures, attachments }) => {
            write_frame(&mut output, frame::ANSWER, &extraction)?;
            for picture in pictures {
                write_frame(&mut output, frame::PICTURE, &picture)?;
            }
            for attachment in attachments {
                write_frame(&mut output, frame::PART, &attachment)?;
            }
            for scan in scans.payloads() {
                write_frame(&mut output, frame::SCAN, &scan)?;
            }
        }
        Err(err) => {
            let refused = Refused { code: err.code(), message: err.to_string() };
            write_frame(&mut output, frame::UNREADABLE, &serde_json::to_vec(&refused)?)?;
        }
    }
    write_frame(&mut output, frame::END, &[])?;
    output.flush()
}

/// The document alone, or one byte more than is allowed.
fn bare(input: impl io::Read, limits: Limits) -> io::Result<Vec<u8>> {
    let mut document = Vec::new();
    input.take(limits.document_bytes_max.saturating_add(1)).read_to_end(&mut document)?;
    Ok(document)
}

/// The document and what another program said of its pages. What is not in order is not read at all.
fn told(input: impl io::Read, limits: Limits) -> io::Result<(Vec<u8>, Scans<'static>)> {
    let mut left = limits.document_bytes_max.saturating_add((SCAN_BYTES_MAX + SCANS_MAX * TOLD_BYTES_MAX) as u64);
    let mut input = io::BufReader::new(input);
    let (mut document, mut pages) = (None, Vec::new());
    loop {
        let mut head = [0; 5];
        input.read_exact(&mut head)?;
        let [tag, length @ ..] = head;
        let length = u32::from_le_bytes(length);
        left = left.checked_sub(length.into()).ok_or_else(|| io::Error::other("too many bytes"))?;
        let mut payload = vec![0; length as usize];
        input.read_exact(&mut payload)?;
        match (tag, document.is_some()) {
            (frame::DOCUMENT, false) => document = Some(payload),
            (frame::TOLD, true) => {
                pages.push(frame::Page::of(&payload).ok_or_else(|| io::Error::other("a page is not whole"))?);
            }
            (frame::END, true) => return Ok((document.unwrap_or_default(), Scans::told(pages))),
            _ => return Err(io::Error::other("a frame that is not expected")),
        }
    }
}

/// An extraction as JSON, its pages, and the documents that came with a mail: the payloads of frames.
struct Written {
    extraction: Vec<u8>,
    pictures: Vec<Vec<u8>>,
    attachments: Vec<Vec<u8>>,
}

fn written(document: &[u8], reading: Reading) -> Result<Written, Unreadable> {
    let json = serde_json::to_vec(&reading.extraction).map_err(|_| Unreadable::Crashed)?;
    if ANSWER_BYTES_MAX < json.len() {
        return Err(Unreadable::TooMuch {
            what: "bytes of answer",
            count: json.len() as u64,
            max: ANSWER_BYTES_MAX as u64,
        });
    }
    let attachments = match reading.extraction.format {
        Format::Eml => mail::attachments(document)?.into_iter().map(part).collect::<Result<_, _>>()?,
        _ => Vec::new(),
    };
    Ok(Written { extraction: json, pictures: reading.pictures, attachments })
}

/// A document of a mail as [`frame::PART`] says.
fn part(attachment: mail::Attachment) -> Result<Vec<u8>, Unreadable> {
    let mail::Attachment { name, media_type, bytes } = attachment;
    let head = serde_json::to_vec(&frame::PartHead { name, media_type }).map_err(|_| Unreadable::Crashed)?;
    let length = u32::try_from(head.len()).map_err(|_| Unreadable::Crashed)?;
    Ok([&length.to_le_bytes()[..], &head, &bytes].concat())
}

fn write_frame(output: &mut impl Write, tag: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(|_| io::Error::other("a frame holds at most 4 GiB"))?;
    output.write_all(&[tag])?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(payload)
}

/// Standard input, output and error are open already; no other file will be.
const FILES_MAX: u64 = 3;

fn rlimits(limits: Limits, files_max: u64) -> bool {
    let set = |resource: Resource, max: u64| resource.set(max, max).is_ok();
    let held = [
        set(Resource::AS, limits.memory_bytes_max),
        set(Resource::CPU, limits.cpu_seconds_max),
        set(Resource::FSIZE, 0),
        set(Resource::NOFILE, files_max),
        // Of no effect for root, whom the filter stops instead.
        set(Resource::NPROC, 0),
        set(Resource::CORE, 0),
    ];
    held.iter().all(|it| *it)
}

/// No file may be opened, made, moved or run; no address connected or bound; nothing outside signalled.
#[cfg(target_os = "linux")]
fn landlock() -> String {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetStatus,
        Scope,
    };

    let abi = ABI::V6;
    let restricted = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|it| it.handle_access(AccessNet::from_all(abi)))
        .and_then(|it| it.scope(Scope::from_all(abi)))
        .and_then(|it| it.create())
        .and_then(|it| it.restrict_self());
    match restricted.map(|it| it.ruleset) {
        Ok(RulesetStatus::FullyEnforced) => "fully_enforced".to_owned(),
        Ok(RulesetStatus::PartiallyEnforced) => "partially_enforced".to_owned(),
        Ok(RulesetStatus::NotEnforced) => not_enforced("the kernel has no Landlock"),
        Err(err) => not_enforced(err),
    }
}

#[cfg(not(target_os = "linux"))]
fn landlock() -> String {
    not_enforced("only Linux has Landlock")
}

fn not_enforced(why: impl fmt::Display) -> String {
    format!("not_enforced ({why})")
}

/// Refuses every system call but those of the list, in all threads.
#[cfg(target_os = "linux")]
fn seccomp() -> bool {
    filter(&CALLS).is_some_and(|program| seccompiler::apply_filter_all_threads(&program).is_ok())
}

/// None where the list knows no numbers for this machine: no filter is better than a wrong one, and the caller is told.
#[cfg(target_os = "linux")]
fn filter<'c>(calls: impl IntoIterator<Item = &'c (&'static str, i64, i64)>) -> Option<seccompiler::BpfProgram> {
    use seccompiler::{SeccompAction, SeccompFilter, TargetArch};

    /// What a refused call returns: EPERM. A library that asks for more than it needs can go on without.
    const NOT_PERMITTED: u32 = 1;
    let arch = TargetArch::try_from(std::env::consts::ARCH).ok()?;
    let numbers: Vec<i64> = match arch {
        TargetArch::x86_64 => calls.into_iter().map(|it| it.1).collect(),
        TargetArch::aarch64 => calls.into_iter().map(|it| it.2).collect(),
        _ => return None,
    };
    let rules = numbers.iter().filter(|it| 0 <= **it).map(|it| (*it, Vec::new())).collect();
    let filter = SeccompFilter::new(rules, SeccompAction::Errno(NOT_PERMITTED), SeccompAction::Allow, arch).ok()?;
    filter.try_into().ok()
}

#[cfg(not(target_os = "linux"))]
fn seccomp() -> bool {
    false
}

/// What reading standard input, computing and writing to standard output take, with the numbers of x86_64 and aarch64
/// (-1 where there is none). No call here names a file, an address or a process but one's own threads.
#[cfg(target_os = "linux")]
const CALLS: [(&str, i64, i64); 31] = [
    ("read", 0, 63),
    ("write", 1, 64),
    ("readv", 19, 65),
    ("writev", 20, 66),
    ("close", 3, 57),
    ("fstat", 5, 80),
    ("lseek", 8, 62),
    ("poll", 7, -1),
    ("ppoll", 271, 73),
    ("mmap", 9, 222),
    ("mprotect", 10, 226),
    ("munmap", 11, 215),
    ("mremap", 25, 216),
    ("brk", 12, 214),
    ("madvise", 28, 233),
    ("rt_sigaction", 13, 134),
    ("rt_sigprocmask", 14, 135),
    ("rt_sigreturn", 15, 139),
    ("sigaltstack", 131, 132),
    ("futex", 202, 98),
    ("set_robust_list", 273, 99),
    ("sched_yield", 24, 124),
    ("sched_getaffinity", 204, 123),
    ("getrandom", 318, 278),
    ("clock_gettime", 228, 113),
    ("clock_nanosleep", 230, 115),
    ("nanosleep", 35, 101),
    ("restart_syscall", 219, 128),
    ("rseq", 334, 293),
    ("exit", 60, 93),
    ("exit_group", 231, 94),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use serde_json::Value;

    /// The frames that `answer` writes for a document.
    fn frames(document: &[u8], document_bytes_max: u64) -> Vec<(char, Vec<u8>)> {
        let confinement = Confinement { landlock: "fully_enforced".to_owned(), seccomp: true, rlimits: true };
        let limits = Limits { memory_bytes_max: 1 << 30, cpu_seconds_max: 10, document_bytes_max };
        let mut output = Vec::new();
        answer(&confinement, limits, None, Stage::Read, document, &mut output).unwrap();
        let mut frames = Vec::new();
        let mut rest = output.as_slice();
        while let [tag, a, b, c, d, after @ ..] = rest {
            let (payload, next) = after.split_at(u32::from_le_bytes([*a, *b, *c, *d]) as usize);
            frames.push((char::from(*tag), payload.to_vec()));
            rest = next;
        }
        assert!(rest.is_empty());
        frames
    }

    fn tags(frames: &[(char, Vec<u8>)]) -> String {
        frames.iter().map(|it| it.0).collect()
    }

    #[test]
    fn the_answer_begins_with_its_locks_and_ends_with_its_end() {
        let found = frames(b"Dear Sir or Madam, good day.", 1_000);
        assert_eq!(tags(&found), "CAE");
        let confinement: Confinement = serde_json::from_slice(&found[0].1).unwrap();
        assert!(confinement.seccomp);
        assert!(case::Extraction::from_untrusted(&found[1].1).is_ok());
    }

    #[test]
    fn a_mail_is_answered_with_the_documents_that_came_with_it() {
        let mail = b"From: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n\
            --x\nContent-Disposition: attachment; filename=a.txt\n\nGood day.\n--x--\n";
        let found = frames(mail, 1_000);
        assert_eq!(tags(&found), "CAME");
        let (length, rest) = found[2].1.split_at(4);
        let (head, bytes) = rest.split_at(u32::from_le_bytes(length.try_into().unwrap()) as usize);
        let head: frame::PartHead = serde_json::from_slice(head).unwrap();
        assert_eq!((head.name.as_str(), bytes), ("a.txt", &b"Good day."[..]));
    }

    #[test]
    fn a_document_that_is_refused_has_a_code_and_a_reason() {
        for (document, max, code, reason) in [
            (&b"\x01\x02"[..], 1_000, "unknown_format", "starts with 0102"),
            (b"more than ten bytes", 10, "too_much", "11 bytes or more, more than the 10 allowed"),
            (b"", 10, "empty", "the document is empty"),
        ] {
            let found = frames(document, max);
            assert_eq!(tags(&found), "CUE");
            let refused: Value = serde_json::from_slice(&found[1].1).unwrap();
            assert_eq!(refused["code"], code);
            assert!(refused["message"].as_str().unwrap().contains(reason), "{refused}");
        }
    }

    /// Both locks bind the thread that takes them, so each can be tried in a thread of its own.
    #[cfg(target_os = "linux")]
    fn tried_behind(lock: impl FnOnce() -> bool + Send + 'static) -> Option<[bool; 4]> {
        let attempts = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").is_ok();
            let read = std::fs::read("/proc/self/status").is_ok();
            let made = tempfile().is_ok();
            let run = std::process::Command::new("/bin/true").status().is_ok();
            [listener, read, made, run]
        };
        thread::spawn(move || lock().then(attempts)).join().unwrap()
    }

    #[cfg(target_os = "linux")]
    fn tempfile() -> io::Result<()> {
        let path = std::env::temp_dir().join(format!("confine-{}", std::process::id()));
        std::fs::write(&path, b"x")?;
        std::fs::remove_file(path)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn behind_either_lock_nothing_can_be_opened_made_run_or_listened_on() {
        assert_eq!(tried_behind(|| true), Some([true; 4]), "the attempts themselves work");
        let behind_filter = tried_behind(|| seccompiler::apply_filter(&filter(&CALLS).unwrap()).is_ok());
        assert_eq!(behind_filter, Some([false; 4]));
        // A kernel without Landlock must at least say so.
        if let Some(found) = tried_behind(|| landlock() == "fully_enforced") {
            assert_eq!(found, [false; 4]);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn documents_are_read_behind_the_filter() {
        for document in [
            &b"<Invoice xmlns='urn:oasis:names:specification:ubl:schema:xsd:Invoice-2'/>"[..],
            b"Number;7\nDate;x\n",
            b"text",
        ] {
            let tags = thread::spawn(move || {
                seccompiler::apply_filter(&filter(&CALLS).unwrap()).unwrap();
                tags(&frames(document, 1_000))
            });
            assert_eq!(tags.join().unwrap(), "CAE");
        }
    }
}
