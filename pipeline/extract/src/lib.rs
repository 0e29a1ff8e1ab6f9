#![doc = include_str!("../README.md")]

mod bank;
mod cii;
mod confine;
mod contract;
mod docx;
mod fapiao;
mod fatturapa;
mod fit;
mod harvest;
mod image;
mod labels;
mod mail;
mod ocr;
mod ofd;
mod p7m;
mod package;
mod pdf;
mod rules;
mod sheet;
mod sniff;
mod table;
mod ubl;
mod values;
mod xml;

use std::panic::{AssertUnwindSafe, catch_unwind};

use case::{Evidence, Extraction, Field, Format, Kind, Note};
use thiserror::Error;

pub use bank::{Balances, BankForm, BankStatement, NoStatement, statement as bank_statement};
pub use confine::{Confinement, Limits, Stage, become_tesseract, serve};
pub use ocr::{ModelFault, Models, Ocr};

/// What was read, and how it looks.
#[derive(Debug)]
pub struct Reading {
    /// MUST pass [`Extraction::from_untrusted`] when written as JSON; [`read`] cuts what would not, and says so in a note.
    pub extraction: Extraction,
    /// PNG, one for each page and in their order; empty for formats without pages.
    pub pictures: Vec<Vec<u8>>,
}

/// Why a document has no reading. A document that was read in part has one, and its coverage says so.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unreadable {
    #[error("the document is empty")]
    Empty,
    /// `starts` is the first bytes in hexadecimal (at most 8), and what they look like where that is known.
    #[error("not a format this reader knows: starts with {starts}")]
    UnknownFormat { starts: String },
    #[error("an XML document that is no invoice of a form this reader knows: its root is `{root}`")]
    UnknownXml { root: String },
    #[error("the {what} is encrypted; ask its sender for one that opens without a password")]
    Encrypted { what: &'static str },
    #[error("not a well-formed {what}: {why}")]
    Broken { what: &'static str, why: String },
    #[error("the document has {count} {what}, more than the {max} allowed")]
    TooMuch { what: &'static str, count: u64, max: u64 },
    #[error("the reader failed on this document; it must be read by a person")]
    Crashed,
}

impl Unreadable {
    /// Short and stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Unreadable::Empty => "empty",
            Unreadable::UnknownFormat { .. } => "unknown_format",
            Unreadable::UnknownXml { .. } => "unknown_xml",
            Unreadable::Encrypted { .. } => "encrypted",
            Unreadable::Broken { .. } => "broken",
            Unreadable::TooMuch { .. } => "too_much",
            Unreadable::Crashed => "crashed",
        }
    }
}

/// Reads a document of any known format, which is told from its content: neither a name nor a media type is asked for.
///
/// Never panics, whatever the bytes are. Takes time and memory in proportion to them, up to the limits of each format;
/// [`serve`] puts a hard end to both. Depth of the stack: up to 16 MiB for PDF, less than 1 MiB for everything else.
pub fn read(document: &[u8]) -> Result<Reading, Unreadable> {
    read_with(document, None)
}

/// As [`read`]; pictures, and pages that are pictures, are read too. Without `ocr` they count as not read.
pub fn read_with(document: &[u8], ocr: Option<&Ocr>) -> Result<Reading, Unreadable> {
    read_scans(document, &mut ocr::Scans::new(ocr))
}

/// As [`read_with`], with these readers of pictures; what they hand out is in them then.
fn read_scans(document: &[u8], scans: &mut ocr::Scans<'_>) -> Result<Reading, Unreadable> {
    let (content, n_envelopes) = out_of_envelopes(document)?;
    let document = content.as_deref().unwrap_or(document);
    let outcome = catch_unwind(AssertUnwindSafe(|| match sniff::form(document)? {
        sniff::Form::Pdf => pdf::read(document, scans),
        sniff::Form::Image(raster) => image::read(document, raster, scans),
        sniff::Form::Xml => xml::read(document).map(without_pages),
        sniff::Form::Docx => docx::read(document).map(without_pages),
        sniff::Form::Xlsx => sheet::xlsx(document).map(without_pages),
        sniff::Form::Xlsb => sheet::xlsb(document).map(without_pages),
        sniff::Form::Xls => sheet::xls(document).map(without_pages),
        sniff::Form::Ods => sheet::ods(document).map(without_pages),
        sniff::Form::Mail => mail::read(document).map(without_pages),
        sniff::Form::Ofd => ofd::read(document).map(without_pages),
        sniff::Form::Csv(it) => sheet::csv(&it.text).map(|answer| without_pages(it.told(answer))),
        sniff::Form::Text(it) => Ok(without_pages(it.told(plain(&it.text)))),
    }));
    let mut reading = outcome.unwrap_or(Err(Unreadable::Crashed))?;
    if 0 < n_envelopes {
        let envelopes =
            if n_envelopes == 1 { "a signed envelope".to_owned() } else { format!("{n_envelopes} signed envelopes") };
        let message = format!("the document came in {envelopes}; no signature was verified");
        reading.extraction.notes.insert(0, note("signed", message));
    }
    reading.extraction.notes.append(&mut scans.notes);
    fit::cut(&mut reading.extraction);
    Ok(reading)
}

/// Single steps of [`read`], for the benchmarks that set them beside other programs.
#[doc(hidden)]
pub mod steps {
    pub use crate::pdf::text as pdf_text;
    pub use crate::xml::rules_again;
}

/// What signers put into envelopes, and how many there were.
fn out_of_envelopes(document: &[u8]) -> Result<(Option<Vec<u8>>, usize), Unreadable> {
    let mut content: Option<Vec<u8>> = None;
    for n_envelopes in 0..=p7m::ENVELOPES_MAX {
        match p7m::opened(content.as_deref().unwrap_or(document))? {
            Some(inner) => content = Some(inner),
            None => return Ok((content, n_envelopes)),
        }
    }
    let max = p7m::ENVELOPES_MAX as u64;
    Err(Unreadable::TooMuch { what: "signed envelopes around it", count: max + 1, max })
}

fn without_pages(extraction: Extraction) -> Reading {
    Reading { extraction, pictures: Vec::new() }
}

fn plain(text: &str) -> Extraction {
    words(text, Format::Text, Vec::new())
}

/// Fields and clauses of a text without layout.
fn words(text: &str, format: Format, notes: Vec<Note>) -> Extraction {
    let mut extraction = Extraction::blank(Kind::Unknown, format);
    extraction.notes = notes;
    if contract::looks_like(text) {
        let found = contract::read(text);
        extraction.kind = Kind::Contract;
        extraction.fields = found.fields;
        extraction.clauses = found.clauses;
    }
    extraction
}

fn field(value: impl Into<String>, confidence: f64, evidence: Evidence) -> Field {
    Field { value: value.into(), confidence, evidence }
}

fn note(code: &str, message: impl Into<String>) -> Note {
    Note { code: code.to_owned(), message: message.into() }
}

#[cfg(test)]
mod tests;
