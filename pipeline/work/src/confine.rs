//! The parent of the reader: starts it with nothing, hands it one document, believes nothing it says.

mod tesseract;

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use case::frame::{self, PARTS_MAX, Page, PartHead, SCAN_BYTES_MAX};
use case::{Extraction, Format, Malformed, Note, PAGES_MAX};
use serde::Deserialize;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

pub use tesseract::Tesseract;

/// How to start the reader, and what it may use for one document.
#[derive(Clone, Debug)]
pub struct Reader {
    /// This program; it is started again with the argument `confined-reader`.
    pub program: PathBuf,
    pub memory_bytes_max: u64,
    pub cpu_seconds_max: u64,
    pub wall_time_max: Duration,
    pub document_bytes_max: u64,
    /// Answer and pictures together.
    pub answer_bytes_max: usize,
    pub recognition: Option<Recognition>,
    pub tesseract: Option<Tesseract>,
}

/// Reading what is a picture: a second reader, started only for documents of which the first says that they need it.
#[derive(Clone, Debug)]
pub struct Recognition {
    /// The folder of the models, which the reader opens before it is locked in.
    pub models: PathBuf,
    /// In place of the first reader's: models and pictures take more.
    pub memory_bytes_max: u64,
    pub cpu_seconds_max: u64,
}

impl Recognition {
    pub fn new(models: PathBuf) -> Recognition {
        Recognition { models, memory_bytes_max: 3 << 30, cpu_seconds_max: 45 }
    }
}

/// The reader's word for a page that is a picture.
const NEEDS_OCR: &str = "needs_ocr";

/// Of the time that is left, the models may take so much where Tesseract is asked after them.
const MODELS_SHARE: f64 = 0.6;

/// No reading may take longer, all its processes together: two of them, and the steps around them, must end before the lease of the work does.
pub const WALL_SECONDS_MAX: u64 = 50;

impl Reader {
    pub fn new(program: PathBuf) -> Reader {
        Reader {
            program,
            memory_bytes_max: 1 << 30,
            cpu_seconds_max: 20,
            wall_time_max: Duration::from_secs(WALL_SECONDS_MAX),
            document_bytes_max: 64 << 20,
            answer_bytes_max: 64 << 20,
            recognition: None,
            tesseract: None,
        }
    }
}

#[derive(Debug)]
pub struct Reading {
    pub outcome: Result<Extraction, Unreadable>,
    /// One PNG for each page.
    pub pictures: Vec<Vec<u8>>,
    /// The documents that came with a mail.
    pub attachments: Vec<Attachment>,
    /// Which locks held, as the reader says.
    pub confinement: String,
    /// The pages that another program is to be asked for, with what the reader keeps of them.
    scans: Vec<Page>,
}

/// A document that came with a mail, under the name that its sender gave it.
#[derive(Debug, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Why the reader has no extraction, in its own words.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Unreadable {
    pub code: String,
    pub message: String,
}

/// What the reader did wrong. Each is the document's doing until shown otherwise.
#[derive(Debug, Error)]
pub enum ReaderFault {
    #[error("the document has {size} bytes, more than the {max} that are read")]
    TooLarge { size: u64, max: u64 },
    #[error("the reader could not be started")]
    Start(#[source] std::io::Error),
    #[error("the reader was still busy after {seconds} seconds and was stopped")]
    Hung { seconds: u64 },
    #[error("the reader ended without an answer ({how})")]
    Crashed { how: String },
    #[error("the reader answered with more than the {max} bytes allowed")]
    Flooded { max: usize },
    #[error("the reader's answer is not believed")]
    Lied(#[from] Malformed),
    #[error("the reader's answer is not believed: {why}")]
    Nonsense { why: &'static str },
}

impl ReaderFault {
    /// Might another attempt end differently?
    pub fn passing(&self) -> bool {
        matches!(self, ReaderFault::Start(_) | ReaderFault::Crashed { .. })
    }
}

const UNREADABLE_BYTES_MAX: usize = 64 << 10;
/// How every PNG begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

impl Reader {
    /// Reads one document in a process of its own: empty environment, no files, no network, bounded in memory and time. Where
    /// pages are pictures it is read once more, with the models, and then by Tesseract, as far as they are configured, in
    /// the time that is left.
    pub async fn read(&self, document: Vec<u8>) -> Result<Reading, ReaderFault> {
        let size = document.len() as u64;
        if self.document_bytes_max < size {
            return Err(ReaderFault::TooLarge { size, max: self.document_bytes_max });
        }
        let started = Instant::now();
        let plain = Stage { recognition: None, hand_out: self.tesseract.is_some(), told: None };
        let mut reading = self.once(&document, plain, self.wall_time_max).await?;
        let first_took = started.elapsed();
        let needs_ocr = |it: &Extraction| it.notes.iter().any(|note| note.code == NEEDS_OCR);
        if let (Ok(extraction), Some(recognition)) = (&mut reading.outcome, &self.recognition)
            && needs_ocr(extraction)
        {
            let mut left = self.wall_time_max.saturating_sub(started.elapsed());
            if self.tesseract.is_some() {
                left = left.mul_f64(MODELS_SHARE);
            }
            match self.once(&document, Stage { recognition: Some(recognition), ..plain }, left).await {
                Ok(recognised) => reading = recognised,
                // The first reading stands: its coverage says what is missing, and a person sees why.
                Err(fault) => extraction.notes.push(failed(fault)),
            }
        }
        if let Some(tesseract) = &self.tesseract
            && reading.scans.iter().any(|page| !page.bytes.is_empty())
        {
            // Laying the words takes about as long as the first reading did.
            let end = started + self.wall_time_max.saturating_sub(2 * first_took);
            let told = self.told(tesseract, std::mem::take(&mut reading.scans), end).await;
            let mut why_not = told.why_not.map(|why| failed(format!("Tesseract, {why}")));
            if 0 < told.n_told {
                let left = self.wall_time_max.saturating_sub(started.elapsed());
                let stage = Stage { recognition: None, hand_out: false, told: Some(&told.pages) };
                match self.once(&document, stage, left).await {
                    Ok(laid) if laid.outcome.is_ok() => reading = laid,
                    Ok(_) => why_not = Some(failed("what Tesseract said could not be laid on the pages")),
                    Err(fault) => why_not = Some(failed(fault)),
                }
            }
            if let Ok(extraction) = &mut reading.outcome {
                extraction.notes.extend(why_not);
            }
        }
        Ok(reading)
    }

    /// Starts this program again with nothing but its arguments and two pipes; it ends with its handle.
    fn start(&self, ask: impl FnOnce(&mut Command)) -> Result<(Child, ChildStdin, ChildStdout), ReaderFault> {
        let mut command = Command::new(&self.program);
        ask(&mut command);
        let mut child = command
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(ReaderFault::Start)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok((child, stdin, stdout)),
            _ => Err(ReaderFault::Nonsense { why: "it has no pipes" }),
        }
    }

    async fn once(&self, document: &[u8], stage: Stage<'_>, wall_time_max: Duration) -> Result<Reading, ReaderFault> {
        let (memory, cpu) = match stage.recognition {
            Some(it) => (it.memory_bytes_max, it.cpu_seconds_max),
            None => (self.memory_bytes_max, self.cpu_seconds_max),
        };
        let (mut child, mut stdin, stdout) = self.start(|command| {
            command
                .arg("confined-reader")
                .args([memory, cpu, self.document_bytes_max].map(|limit| limit.to_string()))
                .args(stage.recognition.map(|it| &it.models))
                .args(stage.hand_out.then_some("--hand-out"))
                .args(stage.told.map(|_| "--lay"));
        })?;
        let talk = async {
            // It may answer before it has read everything, or die: then writing fails, and its answer says why.
            let hand_over = async move {
                let _ = match stage.told {
                    None => stdin.write_all(document).await,
                    Some(pages) => tell(&mut stdin, document, pages).await,
                };
                drop(stdin);
            };
            let bytes_max = self.answer_bytes_max + if stage.hand_out { SCAN_BYTES_MAX } else { 0 };
            let (_, answer) = tokio::join!(hand_over, answer(stdout, bytes_max));
            let status = child.wait().await;
            (answer, status)
        };
        let Ok((answer, status)) = tokio::time::timeout(wall_time_max, talk).await else {
            return Err(ReaderFault::Hung { seconds: wall_time_max.as_secs() });
        };
        match answer {
            Err(ReaderFault::Crashed { .. }) => Err(ReaderFault::Crashed { how: how_it_ended(status) }),
            other => other,
        }
    }
}

/// What one process of the reader is for.
#[derive(Clone, Copy)]
struct Stage<'s> {
    recognition: Option<&'s Recognition>,
    /// Pages are handed out for Tesseract.
    hand_out: bool,
    /// What it said of them.
    told: Option<&'s [Page]>,
}

fn failed(why: impl std::fmt::Display) -> Note {
    Note { code: "ocr_failed".to_owned(), message: format!("character recognition failed: {why}") }
}

/// The document and its pages as [`frame::DOCUMENT`] says.
async fn tell(stdin: &mut ChildStdin, document: &[u8], pages: &[Page]) -> std::io::Result<()> {
    let pages = pages.iter().filter_map(|page| Some((frame::TOLD, page.payload()?)));
    write_frame(stdin, frame::DOCUMENT, document).await?;
    for (tag, payload) in pages {
        write_frame(stdin, tag, &payload).await?;
    }
    write_frame(stdin, frame::END, &[]).await
}

async fn write_frame(stdin: &mut ChildStdin, tag: u8, payload: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(std::io::Error::other)?;
    stdin.write_all(&[tag]).await?;
    stdin.write_all(&length.to_le_bytes()).await?;
    stdin.write_all(payload).await
}

async fn answer(mut stdout: ChildStdout, bytes_max: usize) -> Result<Reading, ReaderFault> {
    let mut left = bytes_max;
    let mut frames = Vec::new();
    // Counted: at most one frame of each kind, a picture and a scan for each page, and the parts of a mail.
    for _ in 0..2 * PAGES_MAX + PARTS_MAX + 4 {
        let mut head = [0; 5];
        stdout.read_exact(&mut head).await.map_err(|_| ReaderFault::Crashed { how: String::new() })?;
        let [tag, length @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        left = left.checked_sub(length).ok_or(ReaderFault::Flooded { max: bytes_max })?;
        let mut payload = vec![0; length];
        stdout.read_exact(&mut payload).await.map_err(|_| ReaderFault::Crashed { how: String::new() })?;
        if tag == frame::END {
            return believed(frames);
        }
        frames.push((tag, payload));
    }
    Err(ReaderFault::Nonsense { why: "it has too many frames" })
}

fn believed(frames: Vec<(u8, Vec<u8>)>) -> Result<Reading, ReaderFault> {
    let mut frames = frames.into_iter();
    let Some((frame::CONFINEMENT, confinement)) = frames.next() else {
        return Err(ReaderFault::Nonsense { why: "it does not begin with its locks" });
    };
    let confinement =
        String::from_utf8_lossy(confinement.get(..confinement.len().min(1_000)).unwrap_or_default()).into_owned();
    match frames.next() {
        Some((frame::ANSWER, json)) => {
            let extraction = Extraction::from_untrusted(&json)?;
            let (mut pictures, mut attachments, mut scans) = (Vec::new(), Vec::new(), Vec::new());
            for (tag, picture) in frames {
                if tag == frame::PART {
                    if extraction.format != Format::Eml || attachments.len() == PARTS_MAX {
                        return Err(ReaderFault::Nonsense { why: "only a mail has parts, and not so many" });
                    }
                    let part = attachment(&picture);
                    attachments.push(part.ok_or(ReaderFault::Nonsense { why: "a part is not well-formed" })?);
                    continue;
                }
                if tag == frame::SCAN {
                    if scans.len() == extraction.pages.len() {
                        return Err(ReaderFault::Nonsense { why: "it has more scans than pages" });
                    }
                    let scan = Page::of(&picture).filter(|it| it.bytes.is_empty() || it.bytes.starts_with(PNG));
                    scans.push(scan.ok_or(ReaderFault::Nonsense { why: "a scan is not the PNG of a page" })?);
                    continue;
                }
                // Browsers will be shown this: it must be what it is called. They are told not to guess otherwise.
                if tag != frame::PICTURE || !picture.starts_with(PNG) || pictures.len() == extraction.pages.len() {
                    return Err(ReaderFault::Nonsense { why: "a picture is not the PNG of a page" });
                }
                pictures.push(picture);
            }
            Ok(Reading { outcome: Ok(extraction), pictures, attachments, confinement, scans })
        }
        Some((frame::UNREADABLE, json)) if json.len() <= UNREADABLE_BYTES_MAX => {
            let why: Unreadable = serde_json::from_slice(&json)
                .map_err(|_| ReaderFault::Nonsense { why: "its refusal has no reason" })?;
            let (pictures, attachments, scans) = (Vec::new(), Vec::new(), Vec::new());
            Ok(Reading { outcome: Err(why), pictures, attachments, confinement, scans })
        }
        _ => Err(ReaderFault::Nonsense { why: "it neither answers nor refuses" }),
    }
}

/// A part as [`frame::PART`] says. Its name is a name only, for it is never used as a path.
fn attachment(payload: &[u8]) -> Option<Attachment> {
    let (length, rest) = payload.split_first_chunk::<4>()?;
    let (head, bytes) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let PartHead { name, .. } = serde_json::from_slice(head).ok()?;
    let plain = !name.trim().is_empty() && !name.contains(char::is_control) && !bytes.is_empty();
    plain.then(|| Attachment { name, bytes: bytes.to_vec() })
}

/// In words: a signal usually means that a limit was reached.
fn how_it_ended(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => {
            #[cfg(unix)]
            if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
                return match signal {
                    24 | 9 => format!("signal {signal}: out of processor time or memory"),
                    6 | 11 => format!("signal {signal}: out of memory or stack"),
                    _ => format!("signal {signal}"),
                };
            }
            status.to_string()
        }
        Err(err) => err.to_string(),
    }
}
