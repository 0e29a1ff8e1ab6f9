//! What form a document has, from its content. A name, a media type and an ending are the sender's words, and not asked for.

use std::fmt::Write as _;

use crate::image::Raster;
use crate::{Unreadable, mail, package, sheet, table, xml};

pub(crate) enum Form {
    Pdf,
    Image(Raster),
    Xml,
    Docx,
    Xlsx,
    Xlsb,
    Xls,
    Ods,
    Mail,
    Ofd,
    Csv(String),
    Text(String),
}

/// A PDF may have other bytes before its head; readers look for it this far.
const PDF_HEAD_WITHIN_BYTES: usize = 1024;
const TEXT_BYTES_MAX: usize = 16 << 20;
/// The container of Office files before 2007 and of encrypted ones ([MS-CFB] 2.2).
const OLE_MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

pub(crate) fn form(document: &[u8]) -> Result<Form, Unreadable> {
    if document.iter().all(u8::is_ascii_whitespace) {
        return Err(Unreadable::Empty);
    }
    if mail::looks_like(document) {
        return Ok(Form::Mail);
    }
    let head = document.get(..document.len().min(PDF_HEAD_WITHIN_BYTES)).unwrap_or_default();
    if head.windows(5).any(|it| it == b"%PDF-") {
        return Ok(Form::Pdf);
    }
    if document.starts_with(b"PK\x03\x04") {
        return package::form(document)?
            .ok_or_else(|| unknown(document, Some("a ZIP archive that is no workbook, no text document and no OFD")));
    }
    if let Some((_, raster)) = PICTURES.iter().find(|(magic, _)| document.starts_with(magic)) {
        return Ok(Form::Image(*raster));
    }
    if document.starts_with(OLE_MAGIC) {
        return match sheet::ole_form(document)? {
            Some(sheet::OleForm::Xls) => Ok(Form::Xls),
            Some(sheet::OleForm::Encrypted) => Err(Unreadable::Encrypted { what: "Office file" }),
            Some(sheet::OleForm::Other(looks)) => Err(unknown(document, Some(looks))),
            None => Err(unknown(document, Some("an Office file of before 2007; save it as DOCX or XLSX"))),
        };
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

const PICTURES: [(&[u8], Raster); 4] = [
    (b"\xff\xd8\xff", Raster::Jpeg),
    (b"\x89PNG\r\n\x1a\n", Raster::Png),
    (b"II*\0", Raster::Tiff),
    (b"MM\0*", Raster::Tiff),
];

fn other_format(document: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 7] = [
        (b"GIF8", "a GIF picture; save it as PNG, JPEG or TIFF"),
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

/// The document as text: UTF-8, UTF-16, GB 18030 or Windows-1252. None where it has characters that no text has.
fn text(document: &[u8]) -> Result<Option<String>, Unreadable> {
    if let Some(mark) = utf16_without_mark(document) {
        let marked = [mark, document].concat();
        return Ok(xml::utf16(&marked).flatten().filter(|it| printable(it)));
    }
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
        Err(_) => match chinese(bytes) {
            Some(text) => text,
            None => xml::windows_1252(bytes),
        },
    };
    Ok(Some(text).filter(|it| printable(it)))
}

/// The byte order mark that a text in UTF-16 lacks, where every other byte of its beginning is nearly always 0.
fn utf16_without_mark(document: &[u8]) -> Option<&'static [u8]> {
    const SAMPLE_PAIRS: usize = 512;
    let (pairs, _) = document.as_chunks::<2>();
    let sample = pairs.get(..pairs.len().min(SAMPLE_PAIRS))?;
    let zeros = |at: usize| sample.iter().filter(|pair| pair.get(at) == Some(&0)).count();
    let (first, second) = (zeros(0), zeros(1));
    let most = sample.len() * 2 / 3;
    if sample.len() < 4 || document.starts_with(b"\xff\xfe") || document.starts_with(b"\xfe\xff") {
        return None;
    }
    match (first, second) {
        (0, zeros) if most < zeros => Some(b"\xff\xfe"),
        (zeros, 0) if most < zeros => Some(b"\xfe\xff"),
        _ => None,
    }
}

/// Text in GB 18030, and by it GBK and GB 2312. Western text is valid in it too, so it must also look Chinese: its high
/// bytes come in pairs, the pairs are several, and most of them are common characters (GB 2312, rows 1 to 55).
fn chinese(bytes: &[u8]) -> Option<String> {
    const PAIRS_MIN: usize = 3;
    const COMMON: std::ops::RangeInclusive<u8> = 0xa1..=0xd7;
    let (mut n_high, mut n_common) = (0_usize, 0_usize);
    let mut pairs: std::collections::BTreeSet<[u8; 2]> = std::collections::BTreeSet::new();
    for run in bytes.split(u8::is_ascii) {
        n_high += run.len();
        if run.len() % 2 == 0 {
            let (run, _) = run.as_chunks::<2>();
            n_common += 2 * run.iter().filter(|pair| COMMON.contains(&pair[0]) && 0xa1 <= pair[1]).count();
            pairs.extend(run.iter().take(1_000));
        }
    }
    let (text, malformed) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
    (!malformed && PAIRS_MIN <= pairs.len() && n_high * 3 <= n_common * 4).then(|| text.into_owned())
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
            Ok(Form::Image(raster)) => format!("{raster:?}"),
            Ok(Form::Xml) => "xml".to_owned(),
            Ok(Form::Docx) => "docx".to_owned(),
            Ok(Form::Xlsx) => "xlsx".to_owned(),
            Ok(Form::Xlsb) => "xlsb".to_owned(),
            Ok(Form::Xls) => "xls".to_owned(),
            Ok(Form::Ods) => "ods".to_owned(),
            Ok(Form::Mail) => "eml".to_owned(),
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
            (b"\x89PNG\r\n\x1a\n", "Png".to_owned()),
            (b"\xff\xd8\xff\xe0", "Jpeg".to_owned()),
            (b"II*\0\x08", "Tiff".to_owned()),
            (b"MM\0*\0", "Tiff".to_owned()),
            (b"\xef\xbb\xbf  <Invoice/>", "xml".to_owned()),
            (b"<?xml version='1.0'?><a/>", "xml".to_owned()),
            (b"<?xml version='1.0' encoding='gb2312'?><a>\x81\x40</a>", "xml".to_owned()),
            (b"Number;Date\n1;2\n", "csv".to_owned()),
            (b"Stra\xdfe", "text Straße".to_owned()),
            (b"\xff\xfeh\0i\0", "text hi".to_owned()),
            (b"h\0e\0l\0l\0o\0", "text hello".to_owned()),
            (b"\0h\0e\0l\0l\0o", "text hello".to_owned()),
            (b"\xb7\xa2\xc6\xb1\xba\xc5\xc2\xeb", "text 发票号码".to_owned()),
            (b"DESCRI\xc7\xc3O", "text DESCRIÇÃO".to_owned()),
            (b"M\xfcller, fran\xe7ais, ann\xe9e", "text Müller, français, année".to_owned()),
            (b" \n\t", "the document is empty".to_owned()),
            (b"<!DOCTYPE html><p>", format!("{unknown} 3c21444f43545950, like a web page")),
            (b"\x01\x02\x03", format!("{unknown} 010203")),
            (b"PK\x05\x06", format!("{unknown} 504b0506, like an empty ZIP archive")),
        ] {
            assert_eq!(name(document), expected);
        }
        assert!(name(b"GIF89a").contains("474946383961, like a GIF picture"));
        assert!(name(b"PK\x03\x04rubbish").contains("not a well-formed ZIP archive"));
    }
}
