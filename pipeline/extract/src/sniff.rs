//! What form a document has, from its content. A name, a media type and an ending are the sender's words, and not asked for.

use std::fmt::Write as _;

use crate::{Unreadable, package, table, xml};

pub(crate) enum Form {
    Pdf,
    Xml,
    Docx,
    Xlsx,
    Ods,
    Ofd,
    Csv(String),
    Text(String),
}

/// A PDF may have other bytes before its head; readers look for it this far.
const PDF_HEAD_WITHIN_BYTES: usize = 1024;
const TEXT_BYTES_MAX: usize = 16 << 20;

pub(crate) fn form(document: &[u8]) -> Result<Form, Unreadable> {
    if document.iter().all(u8::is_ascii_whitespace) {
        return Err(Unreadable::Empty);
    }
    let head = document.get(..document.len().min(PDF_HEAD_WITHIN_BYTES)).unwrap_or_default();
    if head.windows(5).any(|it| it == b"%PDF-") {
        return Ok(Form::Pdf);
    }
    if document.starts_with(b"PK\x03\x04") {
        return package::form(document)?
            .ok_or_else(|| unknown(document, Some("a ZIP archive that is no workbook, no text document and no OFD")));
    }
    if let Some(looks) = other_format(document) {
        return Err(unknown(document, Some(looks)));
    }
    if xml::declares_chinese(document) {
        return Ok(Form::Xml);
    }
    let Some(text) = text(document)? else { return Err(unknown(document, None)) };
    let start: String = text.trim_start().chars().take(14).collect::<String>().to_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return Err(unknown(document, Some("a web page")));
    }
    if start.starts_with('<') && start.chars().nth(1).is_some_and(|it| it.is_alphabetic() || "?!_".contains(it)) {
        return Ok(Form::Xml);
    }
    if start.starts_with("{\\rtf") {
        return Err(unknown(document, Some("a rich text file; save it as DOCX")));
    }
    Ok(if table::delimiter(&text).is_some() { Form::Csv(text) } else { Form::Text(text) })
}

fn other_format(document: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 12] = [
        (b"\xff\xd8\xff", "a JPEG picture; this reader reads text, not pictures"),
        (b"\x89PNG", "a PNG picture; this reader reads text, not pictures"),
        (b"GIF8", "a GIF picture; this reader reads text, not pictures"),
        (b"II*\0", "a TIFF picture; this reader reads text, not pictures"),
        (b"MM\0*", "a TIFF picture; this reader reads text, not pictures"),
        (
            b"\xd0\xcf\x11\xe0",
            "an Office file with a password or of before 2007; save it as DOCX or XLSX without a password",
        ),
        (b"PK\x05\x06", "an empty ZIP archive"),
        (b"\x1f\x8b", "a GZIP archive; unpack it"),
        (b"7z\xbc\xaf", "a 7-Zip archive; unpack it"),
        (b"Rar!", "a RAR archive; unpack it"),
        (b"\x7fELF", "a program"),
        (b"MZ", "a program"),
    ];
    FORMATS.iter().find(|(magic, _)| document.starts_with(magic)).map(|(_, looks)| *looks)
}

/// Hexadecimal, at most 8 bytes: enough to name a format, too little to leak a document.
fn unknown(document: &[u8], looks: Option<&str>) -> Unreadable {
    let mut starts = document.iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    if let Some(looks) = looks {
        let _ = write!(starts, ", like {looks}");
    }
    Unreadable::UnknownFormat { starts }
}

/// The document as text: UTF-8, UTF-16 with a mark, or Windows-1252. None where it has characters that no text has.
fn text(document: &[u8]) -> Result<Option<String>, Unreadable> {
    if let Some(text) = xml::utf16(document) {
        return Ok(text.filter(|it| printable(it)));
    }
    let bytes = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    if xml::BYTES_MAX < bytes.len() || (TEXT_BYTES_MAX < bytes.len() && !bytes.trim_ascii_start().starts_with(b"<")) {
        return Err(Unreadable::TooMuch {
            what: "bytes of text",
            count: bytes.len() as u64,
            max: TEXT_BYTES_MAX as u64,
        });
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => xml::windows_1252(bytes),
    };
    Ok(Some(text).filter(|it| printable(it)))
}

fn printable(text: &str) -> bool {
    let is_text = |it: char| !it.is_control() || matches!(it, '\n' | '\r' | '\t' | '\u{c}');
    text.chars().all(is_text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn name(document: &[u8]) -> String {
        match form(document) {
            Ok(Form::Pdf) => "pdf".to_owned(),
            Ok(Form::Xml) => "xml".to_owned(),
            Ok(Form::Docx) => "docx".to_owned(),
            Ok(Form::Xlsx) => "xlsx".to_owned(),
            Ok(Form::Ods) => "ods".to_owned(),
            Ok(Form::Ofd) => "ofd".to_owned(),
            Ok(Form::Csv(_)) => "csv".to_owned(),
            Ok(Form::Text(text)) => format!("text {text}"),
            Err(err) => err.to_string(),
        }
    }

    #[test]
    fn a_form_is_told_from_content_alone() {
        let unknown = "not a format this reader knows: starts with";
        for (document, expected) in [
            (&b"%PDF-1.7\n"[..], "pdf".to_owned()),
            (b"junk\n%PDF-1.4", "pdf".to_owned()),
            (b"\xef\xbb\xbf  <Invoice/>", "xml".to_owned()),
            (b"<?xml version='1.0'?><a/>", "xml".to_owned()),
            (b"<?xml version='1.0' encoding='gb2312'?><a>\x81\x40</a>", "xml".to_owned()),
            (b"Number;Date\n1;2\n", "csv".to_owned()),
            (b"Stra\xdfe", "text Straße".to_owned()),
            (b"\xff\xfeh\0i\0", "text hi".to_owned()),
            (b" \n\t", "the document is empty".to_owned()),
            (b"<!DOCTYPE html><p>", format!("{unknown} 3c21444f43545950, like a web page")),
            (b"\x01\x02\x03", format!("{unknown} 010203")),
            (b"PK\x05\x06", format!("{unknown} 504b0506, like an empty ZIP archive")),
        ] {
            assert_eq!(name(document), expected);
        }
        assert!(name(b"\x89PNG\r\n\x1a\n").contains("89504e470d0a1a0a, like a PNG picture"));
        assert!(name(b"PK\x03\x04rubbish").contains("not a well-formed ZIP archive"));
    }
}
