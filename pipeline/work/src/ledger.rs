//! The ledger that approved cases are booked in. One key on every attempt; no answer leads to a question.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use case::{Answer, Posting};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use thiserror::Error;

use crate::http;

/// How bookings reach the ledger.
#[derive(Clone, Debug)]
pub enum Ledger {
    /// One JSON file per booking, `<key>.json`. Whoever reads them may move a file to `taken/`, and MUST NOT delete it:
    /// it is how a booking is known to be there.
    Folder(PathBuf),
    /// `POST <url>` with the posting and the header `Idempotency-Key`; `GET <url>/<key>` asks for it.
    Http { client: reqwest::Client, url: String },
}

#[derive(Debug, Error)]
pub enum LedgerError {
    #[error("`{url}` is not a URL that bookings can be sent to: it must begin with http:// or https://")]
    Url { url: String },
    #[error("no HTTP client")]
    Client(#[from] reqwest::Error),
}

const TAKEN: &str = "taken";
const HTTP_SECONDS_MAX: u64 = 30;
const ANSWER_BYTES_MAX: usize = 64 << 10;
const WORDS_CHARS_MAX: usize = 500;

impl Ledger {
    pub fn http(url: &str) -> Result<Ledger, LedgerError> {
        if !http::is_url(url) {
            return Err(LedgerError::Url { url: url.to_owned() });
        }
        let client = http::client(HTTP_SECONDS_MAX)?;
        Ok(Ledger::Http { client, url: url.trim_end_matches('/').to_owned() })
    }

    pub(crate) async fn send(&self, posting: &Posting) -> Answer {
        match self {
            Ledger::Folder(folder) => {
                let (folder, posting) = (folder.clone(), posting.clone());
                let sent = tokio::task::spawn_blocking(move || write_booking(&folder, &posting));
                answered(sent.await)
            }
            Ledger::Http { client, url } => {
                let request = client.post(url).header("Idempotency-Key", &posting.key).json(posting);
                match request.send().await {
                    Ok(response) => heard(response, false).await,
                    Err(_) => Answer::Unknown,
                }
            }
        }
    }

    pub(crate) async fn inquire(&self, posting: &Posting) -> Answer {
        match self {
            Ledger::Folder(folder) => {
                let (folder, posting) = (folder.clone(), posting.clone());
                let asked =
                    tokio::task::spawn_blocking(move || Ok(booked(&folder, &posting)?.unwrap_or(Answer::Absent)));
                answered(asked.await)
            }
            Ledger::Http { client, url } => match client.get(format!("{url}/{}", posting.key)).send().await {
                Ok(response) => heard(response, true).await,
                Err(_) => Answer::Unknown,
            },
        }
    }
}

fn answered(outcome: Result<io::Result<Answer>, tokio::task::JoinError>) -> Answer {
    match outcome {
        Ok(Ok(answer)) => answer,
        Ok(Err(err)) => {
            tracing::error!("The ledger's folder does not answer: {err}");
            Answer::Unknown
        }
        Err(_) => Answer::Unknown,
    }
}

/// Writes the booking under its key, unless it is there: then it is the same, or refused.
fn write_booking(folder: &Path, posting: &Posting) -> io::Result<Answer> {
    fs::create_dir_all(folder.join(TAKEN))?;
    if let Some(answer) = booked(folder, posting)? {
        return Ok(answer);
    }
    let path = folder.join(file_name(posting));
    let staging = folder.join(format!(".{}.part", posting.key));
    let mut file = File::create(&staging)?;
    file.write_all(&serde_json::to_vec_pretty(posting)?)?;
    file.sync_all()?;
    fs::rename(&staging, &path)?;
    File::open(folder)?.sync_all()?;
    // Read back and compared: what the ledger finds is what was approved.
    Ok(booked(folder, posting)?.unwrap_or(Answer::Unknown))
}

/// The booking under this posting's key, if there is one.
fn booked(folder: &Path, posting: &Posting) -> io::Result<Option<Answer>> {
    let name = file_name(posting);
    for path in [folder.join(&name), folder.join(TAKEN).join(&name)] {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(err) if err.kind() == io::ErrorKind::NotFound => continue,
            Err(err) => return Err(err),
        };
        let same = serde_json::from_slice::<Posting>(&bytes).is_ok_and(|found| found == *posting);
        return Ok(Some(if same {
            Answer::Booked { reference: name }
        } else {
            Answer::Refused { why: format!("a different booking is in the ledger under the key {}", posting.key) }
        }));
    }
    Ok(None)
}

/// Keys are UUIDs: safe as file names.
fn file_name(posting: &Posting) -> String {
    assert!(posting.key.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'));
    format!("{}.json", posting.key)
}

#[derive(Deserialize)]
struct Told {
    status: String,
    reference: Option<String>,
    why: Option<String>,
}

/// What an answer means. Everything that is not a clear yes or no is no answer.
async fn heard(response: Response, asked: bool) -> Answer {
    let status = response.status();
    if asked && status == StatusCode::NOT_FOUND {
        return Answer::Absent;
    }
    let Ok(Some(body)) = http::body(response, ANSWER_BYTES_MAX).await else { return Answer::Unknown };
    let Ok(told) = serde_json::from_slice::<Told>(&body) else { return Answer::Unknown };
    let short = |text: Option<String>| text.unwrap_or_default().chars().take(WORDS_CHARS_MAX).collect::<String>();
    match told.status.as_str() {
        "booked" if status.is_success() => Answer::Booked { reference: short(told.reference) },
        "refused" if status.is_success() || status.is_client_error() => Answer::Refused { why: short(told.why) },
        _ => Answer::Unknown,
    }
}
