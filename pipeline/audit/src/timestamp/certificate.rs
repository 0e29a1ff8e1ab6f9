//! Certificates, as far as timestamps need them: RFC 5280.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::fields::{self, Fields, context, whole_bytes};
use super::refused;
use super::signature::{Scheme, Sha};
use crate::{Error, rfc3339};

/// Certificates between the one that signed and a trusted one.
const BETWEEN_MAX: u64 = 4;
/// Signatures of issuers that are checked for one timestamp; a path needs five, and a hostile token could ask for hundreds.
const CHECKS_MAX: u32 = 16;

/// 2.5.29, the extensions that are understood.
const EXTENSION: &[u8] = &[0x55, 0x1d];
/// 1.3.6.1.5.5.7.3.8
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
/// 2.5.29.37.0
const ANY_USE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];
/// 2.5.4.3 and 2.5.4.10
const NAMES: [&[u8]; 2] = [&[0x55, 0x04, 0x03], &[0x55, 0x04, 0x0a]];

/// A certificate, read and not yet verified.
#[derive(Clone)]
pub(super) struct Certificate<'a> {
    pub(super) der: &'a [u8],
    /// SubjectPublicKeyInfo.
    pub(super) key: &'a [u8],
    signed: &'a [u8],
    scheme: Option<Scheme>,
    signature: &'a [u8],
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    /// Microseconds since 1970; both are within.
    valid: std::ops::RangeInclusive<i64>,
    extensions: Extensions<'a>,
}

#[derive(Clone, Default)]
struct Extensions<'a> {
    /// How many certificates may stand between one issued here and the last, if this is an issuer's.
    issues: Option<u64>,
    /// The bits of KeyUsage, the first in the highest bit.
    key_usage: Option<u8>,
    /// Whether critical, and what the key may be used for.
    uses: Option<(bool, Vec<&'a [u8]>)>,
    key_id: Option<&'a [u8]>,
    /// There is a critical one that is not understood here.
    has_unknown: bool,
}

/// Whether a trusted certificate is `signer`, or issued it, directly or over some of `others`, all valid `at` that time.
pub(super) fn check_path<'a>(
    signer: &Certificate<'a>,
    at: i64,
    others: &[Certificate<'a>],
    trusted: &[Certificate<'a>],
) -> Result<(), Error> {
    // The way up, the certificates that were reached with how many stand below each. Every one is looked at once.
    let mut reached: Vec<(&Certificate<'a>, u64)> = vec![(signer, 0)];
    let (mut next, mut checks) = (0, 0);
    let mut why = "was not signed by the given authority, nor by anybody it issued a certificate to";
    while let Some((certificate, below)) = reached.get(next).copied() {
        next += 1;
        if trusted.iter().any(|trusted| trusted.der == certificate.der) {
            return Ok(());
        }
        let issuers = trusted.iter().chain(others).filter(|issuer| issuer.subject == certificate.issuer);
        for issuer in issuers {
            if reached.iter().any(|(known, _)| known.der == issuer.der) || !issuer.may_issue(below) {
                continue;
            }
            checks += 1;
            if CHECKS_MAX < checks {
                return refused("needs more than 16 signatures of issuers to be checked");
            }
            let fits = |scheme: Scheme| scheme.fits(issuer.key, certificate.signed, certificate.signature);
            if !certificate.scheme.is_some_and(fits) {
                continue;
            }
            if issuer.valid.contains(&at) {
                reached.push((issuer, below + 1));
            } else {
                why = "was signed by somebody whose issuer's certificate was not valid at that time";
            }
        }
    }
    refused(why)
}

/// The certificates of a PEM file (RFC 7468), in DER; what stands between them is passed over.
pub(super) fn from_pem(file: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let text = std::str::from_utf8(file).map_err(|_| Error::Certificate { why: "is neither in DER nor in PEM" })?;
    let mut certificates = Vec::new();
    for part in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let Some((body, _)) = part.split_once("-----END CERTIFICATE-----") else {
            return Err(Error::Certificate { why: "ends before its last line in PEM" });
        };
        let body: String = body.split_ascii_whitespace().collect();
        certificates.push(BASE64.decode(body).map_err(|_| Error::Certificate { why: "is not in base64" })?);
    }
    Ok(certificates)
}

impl<'a> Certificate<'a> {
    /// RFC 5280 section 4.1; version 3 only.
    pub(super) fn parse(der: &'a [u8]) -> Result<Certificate<'a>, Error> {
        read(der).map_err(|_| Error::Certificate { why: "cannot be read as X.509 of version 3" })
    }

    /// Whether this is the certificate that a SignerIdentifier names: issuer and serial number, or the id of the key.
    pub(super) fn is_named(&self, by: &[u8]) -> bool {
        if let Ok(id) = Fields::new(by).and_then(|mut by| by.take(context(0, false))) {
            return self.extensions.key_id == Some(id);
        }
        Fields::of_one(by, fields::SEQUENCE).is_ok_and(|mut by| {
            by.raw().is_ok_and(|issuer| issuer == self.issuer)
                && by.take(fields::INTEGER).is_ok_and(|serial| serial == self.serial)
                && by.is_empty()
        })
    }

    /// RFC 3161 section 2.3: for timestamps, for nothing else, and marked so that nobody overlooks it.
    pub(super) fn may_stamp(&self, at: i64) -> Result<(), Error> {
        let Extensions { key_usage, uses, has_unknown, .. } = &self.extensions;
        if !matches!(uses, Some((true, uses)) if uses.as_slice() == [TIME_STAMPING]) {
            return refused("was signed with a certificate that is not for timestamps alone");
        }
        // digitalSignature or nonRepudiation
        if key_usage.is_some_and(|usage| usage & 0xc0 == 0) {
            return refused("was signed with a certificate that is not for signatures");
        }
        if *has_unknown {
            return refused("was signed with a certificate that asks for something unknown here");
        }
        if !self.valid.contains(&at) {
            return refused("was signed with a certificate that was not valid at that time");
        }
        Ok(())
    }

    /// Whether it may issue a certificate below which stand `below` others, to an authority.
    fn may_issue(&self, below: u64) -> bool {
        let Extensions { issues, key_usage, uses, has_unknown, .. } = &self.extensions;
        issues.is_some_and(|between| below <= between.min(BETWEEN_MAX))
            // keyCertSign
            && key_usage.is_none_or(|usage| usage & 0x04 != 0)
            && uses.as_ref().is_none_or(|(_, uses)| uses.iter().any(|of| *of == TIME_STAMPING || *of == ANY_USE))
            && !has_unknown
    }

    /// The common name of the subject, or its organisation, or else the beginning of the certificate's SHA-256.
    pub(super) fn name(&self) -> String {
        for wanted in NAMES {
            if let Some(name) = name_in(self.subject, wanted).filter(|name| !name.is_empty()) {
                return name;
            }
        }
        Sha::Of256.digest(self.der).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Debug for Certificate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [from, to] = [self.valid.start(), self.valid.end()].map(|at| rfc3339(*at).unwrap_or_default());
        write!(f, "Certificate({}, {from} to {to})", self.name())
    }
}

fn read(der: &[u8]) -> Result<Certificate<'_>, Error> {
    let mut outer = Fields::of_one(der, fields::SEQUENCE)?;
    let signed = outer.raw()?;
    let algorithm = outer.raw()?;
    let signature = whole_bytes(outer.take(fields::BIT_STRING)?).unwrap_or_default();
    outer.end()?;

    let mut body = Fields::of_one(signed, fields::SEQUENCE)?;
    let mut version = body.nested(context(0, true))?;
    if version.take(fields::INTEGER)? != [2] {
        return refused("has a certificate of another version than 3");
    }
    version.end()?;
    let serial = body.take(fields::INTEGER)?;
    if body.raw()? != algorithm {
        return refused("has a certificate that names two algorithms for its signature");
    }
    let issuer = body.raw()?;
    let mut validity = body.nested(fields::SEQUENCE)?;
    let (from, to) = (read_time(&mut validity)?, read_time(&mut validity)?);
    validity.end()?;
    let subject = body.raw()?;
    let key = body.raw()?;
    body.optional(context(1, false))?;
    body.optional(context(2, false))?;
    let extensions = match body.optional(context(3, true))? {
        Some(explicit) => Extensions::parse(explicit)?,
        None => Extensions::default(),
    };
    body.end()?;
    let scheme = Scheme::read(Fields::of_one(algorithm, fields::SEQUENCE)?, None);
    // The last second is all within.
    let valid = from..=to + 999_999;
    Ok(Certificate { der, key, signed, scheme, signature, serial, issuer, subject, valid, extensions })
}

fn read_time(fields: &mut Fields<'_>) -> Result<i64, Error> {
    let time = match fields.optional(fields::UTC_TIME)? {
        Some(text) => fields::utc_time(text),
        None => fields::generalized_time(fields.take(fields::GENERALIZED_TIME)?),
    };
    time.ok_or(Error::Certificate { why: "has a time that is not in the years 1970 to 9999" })
}

impl<'a> Extensions<'a> {
    /// RFC 5280 section 4.2.
    fn parse(explicit: &'a [u8]) -> Result<Extensions<'a>, Error> {
        let mut list = Fields::of_one(explicit, fields::SEQUENCE)?;
        let (mut extensions, mut seen) = (Extensions::default(), Vec::new());
        while !list.is_empty() {
            let mut extension = list.nested(fields::SEQUENCE)?;
            let id = extension.take(fields::OID)?;
            let critical = extension.optional(fields::BOOLEAN)?.is_some_and(|is| is != [0]);
            let value = extension.take(fields::OCTET_STRING)?;
            extension.end()?;
            if seen.contains(&id) {
                return refused("has a certificate with the same extension twice");
            }
            seen.push(id);
            match (id.strip_prefix(EXTENSION), critical) {
                (Some([14]), _) => extensions.key_id = Fields::new(value)?.optional(fields::OCTET_STRING)?,
                (Some([15]), _) => extensions.key_usage = Some(read_key_usage(value)?),
                (Some([19]), _) => extensions.issues = read_basic_constraints(value)?,
                (Some([37]), critical) => {
                    let (mut list, mut uses) = (Fields::of_one(value, fields::SEQUENCE)?, Vec::new());
                    while !list.is_empty() {
                        uses.push(list.take(fields::OID)?);
                    }
                    extensions.uses = Some((critical, uses));
                }
                // Under which policies it was issued does not matter to who believes the issuer.
                (Some([32]), _) | (_, false) => {}
                (_, true) => extensions.has_unknown = true,
            }
        }
        Ok(extensions)
    }
}

/// The first eight bits.
fn read_key_usage(value: &[u8]) -> Result<u8, Error> {
    let mut alone = Fields::new(value)?;
    let bits = alone.take(fields::BIT_STRING)?;
    alone.end()?;
    Ok(bits.get(1).copied().unwrap_or(0))
}

/// None when it is not an issuer's.
fn read_basic_constraints(value: &[u8]) -> Result<Option<u64>, Error> {
    let mut constraints = Fields::of_one(value, fields::SEQUENCE)?;
    let is_issuer = constraints.optional(fields::BOOLEAN)?.is_some_and(|is| is != [0]);
    let between = constraints.optional(fields::INTEGER)?;
    constraints.end()?;
    let between = match between {
        Some(number) => fields::small(number).ok_or(Error::Certificate { why: "allows a path that is too long" })?,
        None => BETWEEN_MAX,
    };
    Ok(is_issuer.then_some(between))
}

/// The value of this attribute in a Name, RFC 5280 section 4.1.2.4; of several, the last.
fn name_in(name: &[u8], wanted: &[u8]) -> Option<String> {
    let mut sets = Fields::of_one(name, fields::SEQUENCE).ok()?;
    let mut found = None;
    while !sets.is_empty() {
        let mut set = sets.nested(fields::SET).ok()?;
        while !set.is_empty() {
            let mut attribute = set.nested(fields::SEQUENCE).ok()?;
            if attribute.take(fields::OID).ok()? != wanted {
                continue;
            }
            for tag in [fields::UTF8_STRING, der::Tag::PrintableString, der::Tag::Ia5String, der::Tag::TeletexString] {
                if let Some(text) = attribute.optional(tag).ok()? {
                    found = Some(fields::text(text));
                }
            }
        }
    }
    found
}
