//! The signed structure around a timestamp: CMS SignedData, RFC 5652 section 5, as RFC 3161 section 2.4.2 narrows it.

use super::certificate::Certificate;
use super::fields::{self, Fields, context};
use super::signature::{Scheme, Sha};
use super::{CERTIFICATES_MAX, refused};
use crate::Error;

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// id-ct-TSTInfo, 1.2.840.113549.1.9.16.1.4
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// 1.2.840.113549.1.9.3
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
/// 1.2.840.113549.1.9.4
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// 1.2.840.113549.1.9.16.2.12
const SIGNING_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x0c];
/// 1.2.840.113549.1.9.16.2.47
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f];

/// Certificates of one name and number that are tried; an honest issuer makes one.
const SAME_NAME_MAX: usize = 4;

/// A token, read and not yet verified.
pub(super) struct Signed<'a> {
    /// The DER of the TSTInfo.
    pub(super) content: &'a [u8],
    /// Those in the token that can be read.
    pub(super) certificates: Vec<Certificate<'a>>,
    /// DigestAlgorithmIdentifiers.
    digests: Fields<'a>,
    /// SignerInfo.
    signer: Fields<'a>,
}

/// The attributes that are signed, RFC 5652 section 11 and RFC 5035.
struct Attributes<'a> {
    message_digest: &'a [u8],
    /// With what, and the digest of the certificate that signed; None when only a SHA-1 is given.
    certificate: Option<(Sha, &'a [u8])>,
}

impl<'a> Signed<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Result<Signed<'a>, Error> {
        let mut info = Fields::of_one(der, fields::SEQUENCE)?;
        if info.take(fields::OID)? != SIGNED_DATA {
            return refused("is not signed");
        }
        let mut explicit = info.nested(context(0, true))?;
        info.end()?;
        let mut data = explicit.nested(fields::SEQUENCE)?;
        explicit.end()?;

        if data.take(fields::INTEGER)? != [3] {
            return refused("is signed data of another version than 3");
        }
        let digests = data.nested(fields::SET)?;
        let mut content = data.nested(fields::SEQUENCE)?;
        if content.take(fields::OID)? != TST_INFO {
            return refused("holds something else than a timestamp");
        }
        let mut explicit = content.nested(context(0, true))?;
        content.end()?;
        let content = explicit.take(fields::OCTET_STRING)?;
        explicit.end()?;
        let certificates = match data.optional(context(0, true))? {
            Some(set) => read_certificates(set)?,
            None => Vec::new(),
        };
        data.optional(context(1, true))?;
        let mut signers = data.nested(fields::SET)?;
        data.end()?;
        let signer = signers.nested(fields::SEQUENCE)?;
        if !signers.is_empty() {
            return refused("has more than one signature");
        }
        Ok(Signed { content, certificates, digests, signer })
    }

    /// The certificate, among those in the token and those that are trusted, whose key signed this content.
    pub(super) fn signer(&self, trusted: &[Certificate<'a>]) -> Result<Certificate<'a>, Error> {
        let mut info = self.signer.clone();
        let version = info.take(fields::INTEGER)?;
        let expected = if info.next_is(fields::SEQUENCE) { [1] } else { [3] };
        if version != expected {
            return refused("has a signature whose version is not that of its way to name a certificate");
        }
        let by = info.raw()?;
        let Some(sha) = Sha::read(info.nested(fields::SEQUENCE)?) else {
            return refused("is signed over a digest other than SHA-256, SHA-384 or SHA-512");
        };
        let mut digests = self.digests.clone();
        loop {
            if digests.is_empty() {
                return refused("is signed over a digest that it does not announce");
            }
            if Sha::read(digests.nested(fields::SEQUENCE)?) == Some(sha) {
                break;
            }
        }
        let Some(attributes) = info.optional(context(0, true))? else {
            return refused("is signed without attributes");
        };
        let Some(scheme) = Scheme::read(info.nested(fields::SEQUENCE)?, Some(sha)) else {
            return refused("is signed with something else than RSA PKCS #1 v1.5 or ECDSA, with SHA-256 or longer");
        };
        let signature = info.take(fields::OCTET_STRING)?;
        info.optional(context(1, true))?;
        info.end()?;

        let wanted = Attributes::parse(attributes)?;
        if wanted.message_digest != sha.digest(self.content) {
            return refused("has a signature over another content");
        }
        let fits = |certificate: &&Certificate<'a>| {
            let digest = wanted.certificate;
            certificate.is_named(by) && digest.is_none_or(|(sha, digest)| sha.digest(certificate.der) == digest)
        };
        let message = as_set(attributes);
        let mut found = false;
        for certificate in self.certificates.iter().chain(trusted).filter(fits).take(SAME_NAME_MAX) {
            found = true;
            if scheme.fits(certificate.key, &message, signature) {
                return Ok(certificate.clone());
            }
        }
        refused(if found {
            "has a signature that does not fit"
        } else {
            "lacks the certificate that it was signed with"
        })
    }
}

impl<'a> Attributes<'a> {
    fn parse(value: &'a [u8]) -> Result<Attributes<'a>, Error> {
        let (mut content_type, mut message_digest) = (None, None);
        let (mut v1, mut v2) = (None, None);
        let mut attributes = Fields::new(value)?;
        while !attributes.is_empty() {
            let mut attribute = attributes.nested(fields::SEQUENCE)?;
            let place = match attribute.take(fields::OID)? {
                CONTENT_TYPE => &mut content_type,
                MESSAGE_DIGEST => &mut message_digest,
                SIGNING_CERTIFICATE => &mut v1,
                SIGNING_CERTIFICATE_V2 => &mut v2,
                _ => continue,
            };
            let mut values = attribute.nested(fields::SET)?;
            attribute.end()?;
            let value = values.raw()?;
            if !values.is_empty() || place.replace(value).is_some() {
                return refused("has a signed attribute with more than one value");
            }
        }
        let mut content_type = Fields::new(content_type.unwrap_or_default())?;
        if content_type.take(fields::OID)? != TST_INFO {
            return refused("is signed as something else than a timestamp");
        }
        let message_digest = Fields::new(message_digest.unwrap_or_default())?.take(fields::OCTET_STRING)?;
        let certificate = match (v1, v2) {
            (_, Some(v2)) => Some(read_certificate_id(v2)?),
            (Some(_), None) => None,
            (None, None) => return refused("does not say which certificate it was signed with"),
        };
        Ok(Attributes { message_digest, certificate })
    }
}

/// The first ESSCertIDv2, which is that of the signer: RFC 5035 section 3.
fn read_certificate_id(value: &[u8]) -> Result<(Sha, &[u8]), Error> {
    let mut list = Fields::of_one(value, fields::SEQUENCE)?.nested(fields::SEQUENCE)?;
    let mut id = list.nested(fields::SEQUENCE)?;
    let sha = match id.optional(fields::SEQUENCE)? {
        Some(algorithm) => Sha::read(Fields::new(algorithm)?),
        None => Some(Sha::Of256),
    };
    let Some(sha) = sha else { return refused("names its certificate by a digest that is not known here") };
    Ok((sha, id.take(fields::OCTET_STRING)?))
}

fn read_certificates(set: &[u8]) -> Result<Vec<Certificate<'_>>, Error> {
    let (mut set, mut certificates) = (Fields::new(set)?, Vec::new());
    let mut count = 0;
    while !set.is_empty() {
        count += 1;
        if CERTIFICATES_MAX < count {
            return refused("has more than 16 certificates");
        }
        // One that cannot be read cannot vouch for anything; the others may do.
        certificates.extend(Certificate::parse(set.raw()?).ok());
    }
    Ok(certificates)
}

/// The signed attributes as they are signed: with the tag and length of a SET OF (RFC 5652 section 5.4).
fn as_set(value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut set = vec![0x31];
    match length.as_slice() {
        [] => set.push(0),
        [short] if *short < 128 => set.push(*short),
        long => {
            set.push(0x80 | long.len() as u8);
            set.extend(long);
        }
    }
    set.extend(value);
    set
}
