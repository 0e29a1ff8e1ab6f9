//! The parent of Tesseract: starts it once for each page, locked in by this program, and keeps what it says for the reader.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use case::frame::{Page, TOLD_BYTES_MAX};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Reader, ReaderFault, how_it_ended};

/// Another program for pages that are pictures, asked after the readers of this one.
#[derive(Clone, Debug)]
pub struct Tesseract {
    /// Where it lies. It is started by this program, with the argument `confined-tesseract`.
    pub program: PathBuf,
    /// As it wants them: `deu+eng`.
    pub languages: String,
    pub memory_bytes_max: u64,
    /// For one page.
    pub cpu_seconds_max: u64,
}

impl Tesseract {
    /// Errors: languages that could be taken for something else, with the first that could.
    pub fn new(program: PathBuf, languages: &str) -> Result<Tesseract, String> {
        let plain = |name: &str| {
            name.starts_with(|it: char| it.is_ascii_alphanumeric())
                && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '/')
        };
        if let Some(wrong) = languages.split('+').find(|name| !plain(name)) {
            return Err(format!("`{wrong}` is no name of a language; expected some like `deu+eng`"));
        }
        Ok(Tesseract { program, languages: languages.to_owned(), memory_bytes_max: 1 << 30, cpu_seconds_max: 20 })
    }
}

/// What it said of the pages, and why it said nothing of some.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) pages: Vec<Page>,
    pub(super) n_told: usize,
    pub(super) why_not: Option<String>,
}

impl Reader {
    /// Hands the pages with a picture to the program, one after the other, until `end`.
    pub(super) async fn told(&self, tesseract: &Tesseract, scans: Vec<Page>, end: Instant) -> Told {
        let mut told = Told::default();
        for Page { number, kept, bytes } in scans {
            let mut page = Page { number, kept, bytes: Vec::new() };
            if !bytes.is_empty() {
                let left = end.saturating_duration_since(Instant::now());
                match self.tesseract_says(tesseract, Some(&bytes), left).await {
                    Ok(tsv) => {
                        page.bytes = tsv;
                        told.n_told += 1;
                    }
                    Err(fault) => {
                        told.why_not.get_or_insert_with(|| format!("page {number}: {fault}"));
                    }
                }
            }
            told.pages.push(page);
        }
        told
    }

    /// The languages that it has, found by starting it as for a page.
    pub async fn tesseract_languages(&self, tesseract: &Tesseract) -> Result<Vec<String>, ReaderFault> {
        let list = self.tesseract_says(tesseract, None, self.wall_time_max).await?;
        let list = String::from_utf8(list).map_err(|_| ReaderFault::Nonsense { why: "its list is not UTF-8" })?;
        // The first line says where they lie and how many they are.
        Ok(list.lines().skip(1).map(str::to_owned).collect())
    }

    /// Of a picture its words as TSV, of none its languages.
    async fn tesseract_says(
        &self,
        tesseract: &Tesseract,
        picture: Option<&[u8]>,
        wall_time_max: Duration,
    ) -> Result<Vec<u8>, ReaderFault> {
        let (mut child, mut stdin, stdout) = self.start(|command| {
            command
                .arg("confined-tesseract")
                .args([tesseract.memory_bytes_max, tesseract.cpu_seconds_max].map(|limit| limit.to_string()))
                .arg(&tesseract.program)
                .args(picture.map(|_| &tesseract.languages));
        })?;
        let talk = async {
            let hand_over = async move {
                let _ = stdin.write_all(picture.unwrap_or_default()).await;
                drop(stdin);
            };
            let mut said = Vec::new();
            let mut stdout = stdout.take(TOLD_BYTES_MAX as u64 + 1);
            let (_, read) = tokio::join!(hand_over, stdout.read_to_end(&mut said));
            if TOLD_BYTES_MAX < said.len() {
                return Err(ReaderFault::Flooded { max: TOLD_BYTES_MAX });
            }
            match child.wait().await {
                Ok(status) if status.success() && read.is_ok() && !said.is_empty() => Ok(said),
                status => Err(ReaderFault::Crashed { how: how_it_ended(status) }),
            }
        };
        match tokio::time::timeout(wall_time_max, talk).await {
            Ok(said) => said,
            Err(_) => Err(ReaderFault::Hung { seconds: wall_time_max.as_secs() }),
        }
    }
}
