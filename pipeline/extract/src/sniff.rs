//! What form a document has, from its content. A name, a media type and an ending are the sender's words, and not asked for.

use std::fmt::Write as _;

use case::Extraction;

use crate::image::Raster;
use crate::{Unreadable, mail, note, package, sheet, table, xml};

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
    Csv(Decoded),
    Text(Decoded),
}

/// Text, and whether its encoding may be another than the one it was read in.
pub(crate) struct Decoded {
    pub(crate) text: String,
    guessed: bool,
}

impl Decoded {
    fn known(text: String) -> Decoded {
        Decoded { text, guessed: false }
    }

    /// Says so where the letters may be others.
    pub(crate) fn told(&self, mut answer: Extraction) -> Extraction {
        if self.guessed {
            let message = "the encoding of the text is none that can be told for certain; save it as UTF-8";
            answer.notes.push(note("encoding_guessed", message));
        }
        answer
    }
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
    let Some(decoded) = text(document)? else { return Err(unknown(document, None)) };
    let text = &decoded.text;
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
    Ok(if table::delimiter(text).is_some() { Form::Csv(decoded) } else { Form::Text(decoded) })
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
fn text(document: &[u8]) -> Result<Option<Decoded>, Unreadable> {
    if let Some(mark) = utf16_without_mark(document) {
        let marked = [mark, document].concat();
        return Ok(xml::utf16(&marked).flatten().filter(|it| printable(it)).map(Decoded::known));
    }
    if let Some(text) = xml::utf16(document) {
        return Ok(text.filter(|it| printable(it)).map(Decoded::known));
    }
    let bytes = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    if xml::BYTES_MAX < bytes.len() || (TEXT_BYTES_MAX < bytes.len() && !bytes.trim_ascii_start().starts_with(b"<")) {
        return Err(Unreadable::TooMuch {
            what: "bytes of text",
            count: bytes.len() as u64,
            max: TEXT_BYTES_MAX as u64,
        });
    }
    let decoded = match std::str::from_utf8(bytes) {
        Ok(text) => Decoded::known(text.to_owned()),
        Err(_) => match chinese(bytes) {
            Some(text) => Decoded { guessed: looks_japanese_or_korean(bytes, &text), text },
            None => {
                let text = xml::windows_1252(bytes);
                Decoded { guessed: !looks_western(&text), text }
            }
        },
    };
    Ok(Some(decoded).filter(|it| printable(&it.text)))
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

/// The encodings of Japan and Korea are valid in GB 18030 too. Japanese has kana; Korean syllables take the rows up to 0xc8,
/// in which half of the common Chinese characters stand, but never all of several.
fn looks_japanese_or_korean(bytes: &[u8], text: &str) -> bool {
    const PAIRS_MIN: usize = 6;
    const KOREAN: std::ops::RangeInclusive<u8> = 0xb0..=0xc8;
    let kana = text.chars().any(|it| ('\u{3041}'..='\u{30fa}').contains(&it));
    let runs = bytes.split(u8::is_ascii).filter(|it| it.len() % 2 == 0);
    let pairs: std::collections::BTreeSet<[u8; 2]> =
        runs.flat_map(|it| it.as_chunks::<2>().0.iter().copied()).filter(|it| 0xb0 <= it[0]).collect();
    kana || (PAIRS_MIN <= pairs.len() && pairs.iter().all(|it| KOREAN.contains(&it[0])))
}

/// Is it text as the west of Europe writes it? Other encodings with a byte for a letter put signs between letters, words
/// of accents alone, capitals inside words, or letters side by side that no language has.
fn looks_western(text: &str) -> bool {
    const LETTERS_MIN: usize = 4;
    let is_sign = |it: char| {
        matches!(it, '\u{a1}'..='\u{bf}' | '×' | '÷' | '†' | '‡' | '‰' | '‹' | '›' | '„' | '…')
            && !matches!(it, 'ª' | '°' | 'º' | '·' | '\u{ad}' | '«' | '»' | '¿' | '¡')
    };
    text.split(|it: char| it.is_ascii() && !it.is_ascii_alphanumeric()).filter(|it| !it.is_ascii()).all(|word| {
        let chars: Vec<char> = word.chars().collect();
        let sign_inside = chars.windows(3).any(|it| {
            matches!(it, [before, sign, after] if is_sign(*sign) && before.is_alphabetic() && after.is_alphabetic())
        });
        let capital_inside = chars.windows(3).any(|it| {
            matches!(it, [before, capital, after] if before.is_alphabetic() && !capital.is_ascii()
                && capital.is_uppercase() && after.is_lowercase())
        });
        let signs_in_front =
            chars.iter().take_while(|it| is_sign(**it) && !matches!(it, '€' | '£' | '§' | '©')).count();
        let sign_first = 0 < signs_in_front && chars.get(signs_in_front).is_some_and(|it| it.is_lowercase());
        let n_accents = chars.iter().filter(|it| it.is_alphabetic() && !it.is_ascii()).count();
        let accents_only = LETTERS_MIN <= n_accents && chars.len() * 3 < n_accents * 4;
        let strange = word.contains(['ø', 'Ø']) && word.contains(['ì', 'ù', 'ò', 'è', 'í', 'ý', 'š', 'ž']);
        !(sign_inside || capital_inside || sign_first || accents_only || strange)
    }) && !(text.contains(['ø', 'Ø']) && text.contains(['ì', 'ù', 'ò', 'í', 'ý']))
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
            Ok(Form::Text(it)) => format!("text {}", it.text),
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

    #[test]
    fn text_that_may_be_in_another_encoding_is_told() {
        let western = |text: &str| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
        let of = |encoding: &'static encoding_rs::Encoding, text: &str| encoding.encode(text).0.into_owned();
        for (document, expected) in [
            (western("Müller & Söhne, 5 €, Nº 7, 20 m², l'année «été», ½ Stück, Škoda, paral·lel, £5, §4"), false),
            (western("STRASSE ÜBER ÄÖÜ, Ærø, João, ¿Qué?, Çok"), false),
            (of(encoding_rs::ISO_8859_2, "Przedsiębiorstwo Łódź Źródło"), true),
            (of(encoding_rs::WINDOWS_1250, "Přerov Strojírny Škoda"), true),
            (of(encoding_rs::WINDOWS_1251, "ООО Ромашка Завод"), true),
            (of(encoding_rs::MACINTOSH, "Müller Söhne, Käufer"), true),
            (of(encoding_rs::BIG5, "台灣電子國際貿易公司"), true),
            (of(encoding_rs::EUC_JP, "株式会社田中商店 ボルト 部品セット"), true),
            (of(encoding_rs::EUC_KR, "주식회사 서울전자 부품 세트 볼트 공급"), true),
            (of(encoding_rs::GBK, "上海电子有限公司 发票号码 螺丝 零件"), false),
            ("Źródło ボルト".as_bytes().to_vec(), false),
        ] {
            let decoded = text(&document).unwrap().unwrap();
            assert_eq!(decoded.guessed, expected, "{}", decoded.text);
        }
    }
}
