//! The envelope of a signature (`.p7m`): CMS SignedData of RFC 5652 §5 with the signed document inside. It is opened and not
//! verified. Signing programs write it in DER, in BER with lengths left open and the document in chunks, or in Base64.

use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

use crate::Unreadable;

/// Envelopes within envelopes: a second signer may sign the first one's.
pub(crate) const ENVELOPES_MAX: usize = 4;
const BYTES_MAX: usize = 64 << 20;
/// Chunks within chunks.
const DEPTH_MAX: usize = 16;

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT_ID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const OCTETS_IN_CHUNKS: u8 = 0x24;
const CONTEXT_0: u8 = 0xa0;

/// The document in the envelope; none where this is no envelope.
pub(crate) fn opened(document: &[u8]) -> Result<Option<Vec<u8>>, Unreadable> {
    if is_envelope(document) {
        return content(document).map(Some);
    }
    match from_base64(document) {
        Some(bytes) if is_envelope(&bytes) => content(&bytes).map(Some),
        _ => Ok(None),
    }
}

/// A sequence that begins with the name of signed data.
fn is_envelope(bytes: &[u8]) -> bool {
    let mut ber = Ber { bytes, at: 0 };
    ber.enter(SEQUENCE).is_some() && ber.take(OBJECT_ID) == Some(SIGNED_DATA)
}

fn from_base64(document: &[u8]) -> Option<Vec<u8>> {
    const STANDARD: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let text = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document).trim_ascii_start();
    // Attributes of the holder may stand before the content, as `openssl` writes them.
    const PREFACE_BYTES_MAX: usize = 4096;
    let preface = text.get(..text.len().min(PREFACE_BYTES_MAX)).unwrap_or_default();
    let begin = preface.windows(14).position(|it| it == b"-----BEGIN PKC" || it == b"-----BEGIN CMS");
    let text = text.get(begin.unwrap_or(0)..).unwrap_or_default();
    // A sequence begins with M in Base64.
    let begins = ["M", "-----BEGIN PKCS7", "-----BEGIN PKCS #7 SIGNED DATA", "-----BEGIN CMS"];
    if BYTES_MAX < text.len() || !begins.iter().any(|it| text.starts_with(it.as_bytes())) {
        return None;
    }
    let lines = text.split(|it| *it == b'\n' || *it == b'\r').filter(|line| !line.starts_with(b"-----"));
    // Attributes before the content (RFC 1421) are lines with a colon, which Base64 has not.
    let lines = lines.filter(|line| !line.contains(&b':'));
    let digits: Vec<u8> = lines.flatten().copied().filter(|it| !it.is_ascii_whitespace()).collect();
    STANDARD.decode(digits).ok()
}

fn content(bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let broken = |why: &str| Unreadable::Broken { what: "signed envelope", why: why.to_owned() };
    let mut ber = Ber { bytes, at: 0 };
    // ContentInfo, SignedData: version, digest algorithms; then EncapsulatedContentInfo with the kind of content.
    let outer = ber.enter(SEQUENCE).is_some()
        && ber.take(OBJECT_ID).is_some()
        && [CONTEXT_0, SEQUENCE].iter().all(|tag| ber.enter(*tag).is_some())
        && ber.take(INTEGER).is_some()
        && ber.skip(SET).is_some();
    let inner = if outer { ber.enter(SEQUENCE) } else { None };
    let end = match inner {
        Some(length) => length.map(|length| ber.at.saturating_add(length)),
        None => return Err(broken("it is damaged before the signed document")),
    };
    if ber.take(OBJECT_ID).is_none() {
        return Err(broken("it is damaged before the signed document"));
    }
    // What follows the end are the certificates, which have the same tag.
    if end.is_some_and(|end| end <= ber.at) || ber.enter(CONTEXT_0).is_none() {
        return Err(broken("it holds a signature alone, without the document that was signed"));
    }
    ber.octets().filter(|it| !it.is_empty()).ok_or_else(|| broken("the signed document in it is damaged or cut off"))
}

/// Reads BER (X.690 §8) forwards. It never looks for the end of what it enters, which BER may leave open.
struct Ber<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Ber<'a> {
    /// The next tag and its length: none where it ends with an end mark.
    fn header(&mut self) -> Option<(u8, Option<usize>)> {
        let tag = *self.bytes.get(self.at)?;
        let first = *self.bytes.get(self.at + 1)?;
        // Tags of several bytes do not stand before the document.
        if tag & 0x1f == 0x1f {
            return None;
        }
        self.at += 2;
        match first {
            0..=0x7f => Some((tag, Some(usize::from(first)))),
            0x80 => Some((tag, None)),
            0x81..=0x88 => {
                let n_bytes = usize::from(first & 0x7f);
                let digits = self.bytes.get(self.at..self.at + n_bytes)?;
                self.at += n_bytes;
                let length = digits.iter().try_fold(0_usize, |length, digit| {
                    length.checked_mul(256).and_then(|it| it.checked_add(usize::from(*digit)))
                })?;
                // A length that goes on behind the end is a document that was cut off.
                (length <= self.bytes.len() - self.at).then_some((tag, Some(length)))
            }
            _ => None,
        }
    }

    /// Goes into an element; stays where it is where the next is another.
    fn enter(&mut self, tag: u8) -> Option<Option<usize>> {
        let before = self.at;
        match self.header() {
            Some((found, length)) if found == tag => Some(length),
            _ => {
                self.at = before;
                None
            }
        }
    }

    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let length = self.enter(tag)??;
        let taken = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(taken)
    }

    fn skip(&mut self, tag: u8) -> Option<()> {
        if let Some(length) = self.enter(tag)? {
            self.at = self.at.checked_add(length)?;
            return Some(());
        }
        // Counts what is open; each turn goes forward by two bytes at least.
        let mut n_open = 1_usize;
        while 0 < n_open {
            match self.header()? {
                (0, Some(0)) => n_open -= 1,
                (_, Some(length)) => self.at = self.at.checked_add(length)?,
                (_, None) => n_open += 1,
            }
        }
        Some(())
    }

    /// One string of octets, whole or in chunks.
    fn octets(&mut self) -> Option<Vec<u8>> {
        let mut octets = Vec::new();
        // Where each string of chunks ends, where that was said.
        let mut open: Vec<Option<usize>> = Vec::new();
        loop {
            match self.header()? {
                (OCTETS, Some(length)) => {
                    octets.extend_from_slice(self.bytes.get(self.at..self.at.checked_add(length)?)?);
                    self.at += length;
                }
                (OCTETS_IN_CHUNKS, length) if open.len() < DEPTH_MAX => {
                    open.push(match length {
                        Some(length) => Some(self.at.checked_add(length)?),
                        None => None,
                    });
                }
                (0, Some(0)) => {
                    if open.pop()?.is_some() {
                        return None;
                    }
                }
                _ => return None,
            }
            while open.last().is_some_and(|end| end.is_some_and(|end| end <= self.at)) {
                open.pop();
            }
            if open.is_empty() {
                return Some(octets);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const XML: &[u8] = b"<?xml version='1.0'?><a>signed</a>";

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut out = vec![tag];
        if length < 0x80 {
            out.push(length as u8);
        } else {
            out.extend([0x82, (length >> 8) as u8, length as u8]);
        }
        out.extend_from_slice(content);
        out
    }

    /// With its length left open.
    fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, 0x80], content, &[0, 0]].concat()
    }

    fn envelope(element: fn(u8, &[u8]) -> Vec<u8>, octets: &[u8]) -> Vec<u8> {
        let data = der(OBJECT_ID, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
        let inner = element(SEQUENCE, &[data, element(CONTEXT_0, octets)].concat());
        let algorithms = element(SET, &element(SEQUENCE, &der(OBJECT_ID, b"\x60\x86\x48\x01\x65\x03\x04\x02\x01")));
        let signers = element(SET, &[]);
        let signed = element(SEQUENCE, &[der(INTEGER, &[1]), algorithms, inner, signers].concat());
        element(SEQUENCE, &[der(OBJECT_ID, SIGNED_DATA), element(CONTEXT_0, &signed)].concat())
    }

    #[test]
    fn the_document_in_a_signed_envelope_is_found_however_it_is_written() {
        let chunks = |element: fn(u8, &[u8]) -> Vec<u8>| {
            let nested = element(OCTETS_IN_CHUNKS, &der(OCTETS, &XML[5..9]));
            element(OCTETS_IN_CHUNKS, &[der(OCTETS, &XML[..5]), nested, der(OCTETS, &XML[9..])].concat())
        };
        for bytes in [
            envelope(der, &der(OCTETS, XML)),
            envelope(ber, &der(OCTETS, XML)),
            envelope(ber, &chunks(ber)),
            envelope(der, &chunks(der)),
            envelope(ber, &chunks(der)),
        ] {
            assert_eq!(opened(&bytes).unwrap().unwrap(), XML);
            let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
            assert_eq!(opened(text.as_bytes()).unwrap().unwrap(), XML);
            let (first, second) = text.split_at(40);
            let mail = format!("-----BEGIN PKCS7-----\r\n{first}\r\n{second}\r\n-----END PKCS7-----\r\n");
            assert_eq!(opened(mail.as_bytes()).unwrap().unwrap(), XML);
            let named = mail.replace("PKCS7", "PKCS #7 SIGNED DATA");
            for other in [format!("subject=/CN=x\n{named}"), named, format!("\u{feff}{first}{second}")] {
                assert_eq!(opened(other.as_bytes()).unwrap().unwrap(), XML, "{other}");
            }
        }
    }

    #[test]
    fn an_envelope_that_is_damaged_or_empty_says_so_and_anything_else_is_none() {
        for document in [
            &b"<a/>"[..],
            b"",
            b"0",
            b"\x30\x80",
            b"MIA=",
            b"MILANO, 3 marzo",
            &der(SEQUENCE, &der(OBJECT_ID, b"\x55")),
        ] {
            assert_eq!(opened(document), Ok(None), "{document:?}");
        }
        let alone = envelope(der, &[]).len();
        let whole = envelope(ber, &der(OCTETS, XML));
        // Every beginning of an envelope ends in an error or in nothing, never in a part of the document.
        for length in 0..whole.len() {
            let cut = opened(&whole[..length]);
            assert!(!matches!(&cut, Ok(Some(found)) if found != XML), "{length} of {alone}: {cut:?}");
        }
        let data = der(OBJECT_ID, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
        let certificates = der(CONTEXT_0, &der(OCTETS, b"certificate"));
        let version = [der(INTEGER, &[1]), der(SET, &[])].concat();
        let signed = der(SEQUENCE, &[version, der(SEQUENCE, &data), certificates].concat());
        let detached = der(SEQUENCE, &[der(OBJECT_ID, SIGNED_DATA), der(CONTEXT_0, &signed)].concat());
        assert!(opened(&detached).unwrap_err().to_string().contains("a signature alone"));
        let unsigned = envelope(der, &[]);
        assert!(opened(&unsigned).unwrap_err().to_string().contains("damaged or cut off"));
        let deep = (0..100).fold(der(OCTETS, XML), |inner, _| ber(OCTETS_IN_CHUNKS, &inner));
        assert!(opened(&envelope(ber, &deep)).is_err());
    }
}
