//! A timestamp authority's word that a digest existed at a time: RFC 3161, with CMS signatures (RFC 5652).

mod certificate;
mod fields;
mod signature;
mod signed;

use crate::Error;
use certificate::Certificate;
use fields::{Fields, context};
use signed::Signed;

/// Largest response, token or file of certificates that is read.
pub const TIMESTAMP_BYTES_MAX: usize = 64 << 10;
/// Certificates of a token that are looked at, and certificates that a [`TimestampAuthority`] may have.
const CERTIFICATES_MAX: usize = 16;

/// id-sha256 with its absent value, RFC 3161 section 2.4.1 as RFC 5754 section 2 spells it.
const SHA256: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00];

/// Whose timestamps are believed: one certificate or more, each of them that of an authority itself or of somebody who
/// issues certificates to authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampAuthority {
    /// DER; each of them is a certificate that can be read.
    certificates: Vec<Vec<u8>>,
}

/// What a timestamp shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// The time that the authority put on the digest, in microseconds since 1970.
    pub at: i64,
    /// How far off that may be, as the authority says; 0 when it says nothing.
    pub accuracy_us: u64,
    /// The name in the certificate that signed.
    pub by: String,
}

/// A request for a timestamp on this SHA-256 digest, to be sent as `application/timestamp-query` (RFC 3161 section
/// 2.4.1). It asks for the certificate to be in the answer. A nonce is used once.
#[must_use]
pub fn timestamp_request(digest: &[u8; 32], nonce: u64) -> Vec<u8> {
    let imprint = tlv(0x30, &[&SHA256, tlv(0x04, &[digest]).as_slice()]);
    tlv(0x30, &[&[0x02, 1, 1], &imprint, &tlv(0x02, &[&positive(nonce)]), &[0x01, 1, 0xff]])
}

/// The time in the answer to a request with this digest and nonce, in microseconds since 1970.
///
/// Refused are an authority's refusal, and an answer to another request. The signature is not looked at: a client that
/// has the authority's certificate asks [`verify_timestamp`] as well.
pub fn granted(response: &[u8], digest: &[u8; 32], nonce: u64) -> Result<i64, Error> {
    let signed = Signed::parse(token(checked(response)?, true)?)?;
    let stamp = Stamp::parse(signed.content)?;
    if stamp.digest != Some(digest) {
        return refused("is of another digest");
    }
    if stamp.nonce != Some(positive(nonce).as_slice()) {
        return refused("answers another request");
    }
    Ok(stamp.at)
}

/// Whether this answer, or the token from it, is a timestamp on `digest` by `authority` or by somebody it issued a
/// certificate to, over others in the token if need be.
///
/// Every certificate on the way must be valid at the time that the timestamp says, and the one that signed must be made
/// for timestamps alone (RFC 3161 section 2.3). Whether one was revoked since is not known here. Understood are RSA with
/// PKCS #1 v1.5 and ECDSA on P-256 and P-384, each with SHA-256, SHA-384 or SHA-512.
pub fn verify_timestamp(
    response_or_token: &[u8],
    digest: &[u8; 32],
    authority: &TimestampAuthority,
) -> Result<Stamped, Error> {
    let signed = Signed::parse(token(checked(response_or_token)?, false)?)?;
    let stamp = Stamp::parse(signed.content)?;
    if stamp.digest != Some(digest) {
        return refused("is of another digest");
    }
    let trusted: Vec<Certificate<'_>> =
        authority.certificates.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    let signer = signed.signer(&trusted)?;
    signer.may_stamp(stamp.at)?;
    certificate::check_path(&signer, stamp.at, &signed.certificates, &trusted)?;
    Ok(Stamped { at: stamp.at, accuracy_us: stamp.accuracy_us, by: signer.name() })
}

impl TimestampAuthority {
    /// Reads a file with one certificate in DER, or with one or more in PEM.
    pub fn parse(file: &[u8]) -> Result<TimestampAuthority, Error> {
        let file = checked(file)?;
        let certificates = if file.first() == Some(&0x30) { vec![file.to_vec()] } else { certificate::from_pem(file)? };
        if certificates.is_empty() || CERTIFICATES_MAX < certificates.len() {
            return Err(Error::Certificate { why: "is not in a file with 1 to 16 of them" });
        }
        for der in &certificates {
            Certificate::parse(der)?;
        }
        Ok(TimestampAuthority { certificates })
    }
}

/// TSTInfo, RFC 3161 section 2.4.2.
struct Stamp<'a> {
    /// None when it is not a SHA-256.
    digest: Option<&'a [u8; 32]>,
    at: i64,
    accuracy_us: u64,
    /// As an INTEGER is written.
    nonce: Option<&'a [u8]>,
}

impl<'a> Stamp<'a> {
    fn parse(der: &'a [u8]) -> Result<Stamp<'a>, Error> {
        let mut info = Fields::of_one(der, fields::SEQUENCE)?;
        if info.take(fields::INTEGER)? != [1] {
            return refused("is not of version 1");
        }
        info.take(fields::OID)?;
        let mut imprint = info.nested(fields::SEQUENCE)?;
        let algorithm = imprint.nested(fields::SEQUENCE)?.take(fields::OID)?;
        let digest = imprint.take(fields::OCTET_STRING)?;
        imprint.end()?;
        let digest = if algorithm == signature::SHA256 { digest.try_into().ok() } else { None };
        info.take(fields::INTEGER)?;
        let at = fields::generalized_time(info.take(fields::GENERALIZED_TIME)?);
        let Some(at) = at else { return refused("has a time that is not in the years 1970 to 9999") };
        let accuracy_us = match info.optional(fields::SEQUENCE)? {
            Some(accuracy) => read_accuracy(accuracy)?,
            None => 0,
        };
        info.optional(fields::BOOLEAN)?;
        let nonce = info.optional(fields::INTEGER)?;
        info.optional(context(0, true))?;
        info.optional(context(1, true))?;
        info.end()?;
        Ok(Stamp { digest, at, accuracy_us, nonce })
    }
}

/// Seconds, thousandths and millionths.
fn read_accuracy(der: &[u8]) -> Result<u64, Error> {
    let mut parts = Fields::new(der)?;
    let mut sum: u64 = 0;
    for (tag, unit_us) in [(fields::INTEGER, 1_000_000), (context(0, false), 1_000), (context(1, false), 1)] {
        if let Some(part) = parts.optional(tag)? {
            // Three bytes hold half a year in seconds.
            let Some(part) = fields::small(part) else { return refused("has an accuracy of more than half a year") };
            sum += part * unit_us;
        }
    }
    parts.end()?;
    Ok(sum)
}

/// The ContentInfo in a TimeStampResp (RFC 3161 section 2.4.2), or the one that stands alone.
fn token(der: &[u8], response_only: bool) -> Result<&[u8], Error> {
    let mut outer = Fields::of_one(der, fields::SEQUENCE)?;
    if !response_only && outer.next_is(fields::OID) {
        return Ok(der);
    }
    let mut info = outer.nested(fields::SEQUENCE)?;
    let status = info.take(fields::INTEGER)?;
    let text = match info.optional(fields::SEQUENCE)? {
        Some(texts) => fields::text(Fields::new(texts)?.take(fields::UTF8_STRING)?),
        None => String::new(),
    };
    info.optional(fields::BIT_STRING)?;
    info.end()?;
    if !matches!(status, [0 | 1]) {
        let status = fields::small(status).unwrap_or(u64::MAX);
        return Err(Error::StampRefused { status, text });
    }
    let token = outer.raw()?;
    outer.end()?;
    Ok(token)
}

fn checked(bytes: &[u8]) -> Result<&[u8], Error> {
    let (size, max) = (bytes.len() as u64, TIMESTAMP_BYTES_MAX as u64);
    if max < size { Err(Error::TooLarge { what: "the timestamp", size, max }) } else { Ok(bytes) }
}

fn refused<T>(why: &'static str) -> Result<T, Error> {
    Err(Error::Timestamp { why })
}

/// A value of less than 128 bytes with its tag and length.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = u8::try_from(value.len()).ok().filter(|length| *length < 128);
    let Some(length) = length else { unreachable!("a request is short") };
    [&[tag, length], value.as_slice()].concat()
}

/// An INTEGER that is not negative, in the fewest bytes.
fn positive(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let mut shortest = bytes.to_vec().split_off(first);
    if shortest.first().is_some_and(|byte| 127 < *byte) {
        shortest.insert(0, 0);
    }
    shortest
}
