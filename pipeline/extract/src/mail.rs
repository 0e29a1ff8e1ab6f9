//! Mails (RFC 5322, MIME): what is attached to them is taken out, to become cases; the mail itself says what that was.

use std::borrow::Cow;
use std::fmt::Write as _;

use case::{Evidence, Extraction, FieldName, Format, Kind, Note, frame::PARTS_MAX};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use crate::values::words;
use crate::{Unreadable, field, note};

const WHAT: &str = "mail";
/// Mails inside mails that are opened.
const NESTING_MAX: usize = 3;
/// All that is taken from a mail, together.
const TAKEN_BYTES_MAX: u64 = 56 << 20;
/// What the parser may meet; it keeps some hundred bytes for each, and has no limits of its own.
const MARKED_LINES_MAX: usize = 20_000;
const HEADER_LINES_MAX: usize = 100_000;
const MULTIPARTS_MAX: usize = 100;
const MAILS_MAX: usize = 50;
/// A picture that the text shows in its place is a logo; one with more than these is a scan of something.
const LOGO_BYTES_MAX: usize = 256 << 10;
const LOGO_PIXELS_MAX: u64 = 500_000;
const NAME_CHARS_MAX: usize = 200;
const PROGRAM: f64 = 0.999;

/// A document that came with a mail.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn read(document: &[u8]) -> Result<Extraction, Unreadable> {
    let taken = open(document)?;
    let mut answer = Extraction::blank(Kind::Unknown, Format::Eml);
    let header = |name: &str, text: Option<String>| {
        let text = text.as_deref().and_then(words)?;
        Some(field(text.clone(), PROGRAM, Evidence::Element { path: format!("/{name}"), text }))
    };
    answer.fields.parties.extend(header("From", taken.from));
    answer.fields.single.extend(header("Subject", taken.subject).map(|it| (FieldName::Title, it)));
    for (idx, it) in (1..).zip(&taken.attachments) {
        let message = format!("attachment {idx}: `{}`, {}, {} bytes", it.name, it.media_type, it.bytes.len());
        answer.notes.push(note("attachment_taken", message));
    }
    answer.notes.extend(taken.notes);
    if taken.attachments.is_empty() {
        answer.notes.push(note("nothing_attached", "nothing is attached that could be a document"));
    }
    let n_taken = u32::try_from(taken.attachments.len()).unwrap_or(u32::MAX);
    answer.coverage.pages = n_taken.saturating_add(taken.n_left).max(1);
    answer.coverage.read = if n_taken == 0 { 0 } else { n_taken };
    Ok(answer)
}

/// The documents of a mail, in their order.
pub(crate) fn attachments(document: &[u8]) -> Result<Vec<Attachment>, Unreadable> {
    open(document).map(|it| it.attachments)
}

/// Does it begin with the lines that a mail begins with? Letters and memos have a `From:` too, but say nothing to machines.
pub(crate) fn looks_like(document: &[u8]) -> bool {
    const LINES_MAX: usize = 400;
    const MACHINES: [&str; 6] =
        ["received", "return-path", "message-id", "mime-version", "content-type", "delivered-to"];
    let (mut from, mut machine) = (false, false);
    for (idx, line) in document.split(|it| *it == b'\n').take(LINES_MAX).enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let goes_on = line.starts_with(b" ") || line.starts_with(b"\t");
        let envelope = idx == 0 && line.starts_with(b"From ");
        if envelope || (goes_on && 0 < idx) {
            continue;
        }
        let Some(name) = header_name(line) else { return false };
        from |= name == "from";
        machine |= MACHINES.contains(&name.as_str());
    }
    from && machine
}

/// The name of a header line (RFC 5322, 2.2), in lower case.
fn header_name(line: &[u8]) -> Option<String> {
    const NAME_BYTES_MAX: usize = 80;
    let end = line.iter().take(NAME_BYTES_MAX).position(|it| *it == b':')?;
    let name = line.get(..end)?.trim_ascii_end();
    let graphic = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    graphic.then(|| String::from_utf8_lossy(name).to_lowercase())
}

#[derive(Default)]
struct Taken {
    from: Option<String>,
    subject: Option<String>,
    attachments: Vec<Attachment>,
    notes: Vec<Note>,
    /// Parts that may be documents and could not be taken out.
    n_left: u32,
    n_bytes: u64,
}

fn open(document: &[u8]) -> Result<Taken, Unreadable> {
    limits(document)?;
    let message = MessageParser::default().parse(document);
    let message = message.ok_or_else(|| Unreadable::Broken { what: WHAT, why: "it has no header lines".to_owned() })?;
    let from = message.from().and_then(|it| it.first()).map(|it| {
        let (name, address) = (it.name.as_deref().unwrap_or_default(), it.address.as_deref().unwrap_or_default());
        format!("{name} <{address}>").trim().to_owned()
    });
    let mut taken = Taken { subject: message.subject().map(str::to_owned), from, ..Taken::default() };
    taken.message(&message, 0)?;
    Ok(taken)
}

/// Refuses by a glance over the lines what the parser would answer with memory, or with a call for each level.
fn limits(document: &[u8]) -> Result<(), Unreadable> {
    let (mut n_marked, mut n_headers, mut n_multiparts, mut n_mails) = (0, 0, 0, 0);
    for line in document.split(|it| *it == b'\n') {
        n_marked += usize::from(line.starts_with(b"--"));
        let goes_on = line.starts_with(b" ") || line.starts_with(b"\t");
        if goes_on || contains(line, b"content-type") {
            n_mails += count(line, b"message/") + count(line, b"/digest");
        }
        // Encoded content has no name in front.
        let Some(at) = line.iter().take(200).position(|it| matches!(it, b':' | b'=')) else { continue };
        n_headers += usize::from(line.get(at) == Some(&b':'));
        n_multiparts += usize::from(contains(line, b"boundary"));
    }
    for (what, count, max) in [
        ("lines that may part a mail", n_marked, MARKED_LINES_MAX),
        ("lines that may be headers", n_headers, HEADER_LINES_MAX),
        ("parts made of parts", n_multiparts, MULTIPARTS_MAX),
        ("mails inside it", n_mails, MAILS_MAX),
    ] {
        if max < count {
            return Err(Unreadable::TooMuch { what, count: count as u64, max: max as u64 });
        }
    }
    Ok(())
}

fn contains(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|it| it.eq_ignore_ascii_case(word))
}

fn count(document: &[u8], word: &[u8]) -> usize {
    document.windows(word.len()).filter(|it| it.eq_ignore_ascii_case(word)).count()
}

/// What is done with a part.
enum Use {
    /// The text that the mail is.
    Body,
    Document,
    /// Not a document; said in a note of this code.
    Leave(&'static str),
    /// Perhaps a document, and closed to this reader.
    Closed(&'static str),
}

impl Taken {
    fn message(&mut self, message: &Message<'_>, depth: usize) -> Result<(), Unreadable> {
        if NESTING_MAX < depth {
            let (count, max) = (depth as u64, NESTING_MAX as u64);
            return Err(Unreadable::TooMuch { what: "levels of mails inside mails", count, max });
        }
        let html: String = message
            .parts
            .iter()
            .filter_map(|it| match &it.body {
                PartType::Html(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        let mut bodies: Vec<u32> = message.text_body.clone();
        bodies.extend(&message.html_body);
        for (idx, part) in (0_u32..).zip(&message.parts) {
            match &part.body {
                PartType::Multipart(_) => {}
                PartType::Message(inner) => self.message(inner, depth + 1)?,
                _ => self.part(message, part, depth, bodies.contains(&idx), &html)?,
            }
        }
        Ok(())
    }

    fn part(
        &mut self,
        message: &Message<'_>,
        part: &MessagePart<'_>,
        depth: usize,
        body: bool,
        html: &str,
    ) -> Result<(), Unreadable> {
        let media_type = media_type(part);
        let name = shown_name(part.attachment_name().unwrap_or_default());
        let decoded = decoded(message, part);
        let logo = decoded.as_deref().is_some_and(is_logo) && shown_in(part, html);
        let what = match (use_of(part, &media_type, &name, body, logo), &decoded) {
            (Use::Body, _) => return Ok(()),
            (Use::Document, None) => Use::Closed("part_unreadable"),
            (Use::Document, Some(bytes)) if bytes.trim_ascii().is_empty() => Use::Leave("part_empty"),
            (what, _) => what,
        };
        if let (Use::Document, Some(bytes)) = (&what, &decoded)
            && let Some(inner) = mail_inside(bytes)
        {
            limits(&inner)?;
            if let Some(message) = MessageParser::default().parse(inner.as_ref()) {
                return self.message(&message, depth + 1);
            }
        }
        let called = if name.is_empty() { media_type.clone() } else { format!("{name}`, `{media_type}") };
        match (what, decoded) {
            (Use::Document, Some(bytes)) => {
                self.n_bytes += bytes.len() as u64;
                let n_parts = self.attachments.len() as u64 + 1;
                for (what, count, max) in [
                    ("attachments", n_parts, PARTS_MAX as u64),
                    ("bytes attached to it", self.n_bytes, TAKEN_BYTES_MAX),
                ] {
                    if max < count {
                        return Err(Unreadable::TooMuch { what, count, max });
                    }
                }
                let name = if name.is_empty() { format!("part-{n_parts}") } else { name };
                self.attachments.push(Attachment { name, media_type, bytes });
            }
            (Use::Closed(code), _) => {
                self.n_left += 1;
                self.tell(code, format!("`{called}` is kept in the mail and was not taken out of it"));
            }
            (Use::Leave(code), _) => self.tell(code, format!("`{called}` is no document of its own")),
            _ => {}
        }
        Ok(())
    }

    fn tell(&mut self, code: &str, message: String) {
        const NOTES_MAX: usize = 200;
        if self.notes.len() < NOTES_MAX {
            self.notes.push(note(code, message));
        }
    }
}

fn use_of(part: &MessagePart<'_>, media_type: &str, name: &str, body: bool, logo: bool) -> Use {
    let attached = part.content_disposition().is_some_and(|it| it.is_attachment());
    if body && !attached && name.is_empty() && media_type.starts_with("text/") {
        return Use::Body;
    }
    let lower = name.to_lowercase();
    match media_type {
        // Signatures beside what they sign.
        "application/pkcs7-signature" | "application/x-pkcs7-signature" | "application/pgp-signature" => {
            Use::Leave("signature")
        }
        // An invoice in an envelope of its own is a document; a mail in one is closed.
        "application/pkcs7-mime" | "application/x-pkcs7-mime" if !lower.ends_with(".xml.p7m") => {
            Use::Closed("sealed_part")
        }
        "application/pgp-encrypted" => Use::Closed("sealed_part"),
        "application/ms-tnef" | "application/vnd.ms-tnef" => Use::Closed("winmail"),
        _ if lower == "winmail.dat" => Use::Closed("winmail"),
        "text/calendar" | "text/vcard" | "text/x-vcard" | "message/delivery-status" | "text/rfc822-headers" => {
            Use::Leave("no_document")
        }
        // The same text in another form.
        "text/plain" | "text/html" | "text/enriched" if !attached && name.is_empty() => Use::Body,
        _ if media_type.starts_with("image/") && logo => Use::Leave("inline_picture"),
        _ => Use::Document,
    }
}

/// A picture whose size cannot be told is small enough if its file is.
fn is_logo(bytes: &[u8]) -> bool {
    bytes.len() <= LOGO_BYTES_MAX && crate::image::pixels(bytes).is_none_or(|it| it <= LOGO_PIXELS_MAX)
}

/// A mail that is attached under another name, or in the envelope of a signature. It is opened here, where its levels and
/// its bytes are counted, and not in a case of its own.
fn mail_inside(attached: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (content, _) = crate::out_of_envelopes(attached).ok()?;
    let content = content.map_or(Cow::Borrowed(attached), Cow::Owned);
    looks_like(&content).then_some(content)
}

/// Does the text show this picture by its id?
fn shown_in(part: &MessagePart<'_>, html: &str) -> bool {
    part.content_id().is_some_and(|id| html.contains(&format!("cid:{}", id.trim_matches(['<', '>']))))
}

fn media_type(part: &MessagePart<'_>) -> String {
    let Some(found) = part.content_type() else { return "text/plain".to_owned() };
    let mut text = found.ctype().to_lowercase();
    if let Some(subtype) = found.subtype() {
        let _ = write!(text, "/{}", subtype.to_lowercase());
    }
    text.retain(|it| it.is_ascii_graphic());
    text.truncate(NAME_CHARS_MAX);
    text
}

/// The last part of a name, without what no name should have.
fn shown_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last.chars().filter(|it| !it.is_control()).take(NAME_CHARS_MAX).collect();
    shown.trim().to_owned()
}

/// The bytes as they were before they were packed into the mail. Texts too: the parser gives those in another encoding.
fn decoded(message: &Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    if part.is_encoding_problem {
        return None;
    }
    if let PartType::Binary(bytes) | PartType::InlineBinary(bytes) = &part.body {
        return Some(bytes.to_vec());
    }
    let raw = message.raw_message().get(part.raw_body_offset() as usize..part.raw_end_offset() as usize)?;
    match part.encoding {
        Encoding::None => Some(raw.to_vec()),
        Encoding::Base64 => base64_decode(raw),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
    }
}

#[cfg(test)]
mod tests;
