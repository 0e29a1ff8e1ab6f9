//! Which signatures are understood: RFC 5754 (their names in CMS), RFC 8017 section 8.2 and FIPS 186-5 (what they are).

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{BoxedUint, RsaPublicKey, pkcs1v15};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::fields::{self, Fields, whole_bytes};
use crate::Error;

/// 2.16.840.1.101.3.4.2.1
pub(super) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// 2.16.840.1.101.3.4.2.2
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
/// 2.16.840.1.101.3.4.2.3
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];
/// 1.2.840.113549.1.1; 1 is a key, 11 to 13 are signatures with SHA-256, SHA-384 and SHA-512.
const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// 1.2.840.10045.4.3; 2 to 4 are signatures with SHA-256, SHA-384 and SHA-512.
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
/// 1.2.840.10045.2.1
const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.132.0.34
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

/// Below it a key can be broken by those who have the means; above it a hostile one costs too much time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sha {
    Of256,
    Of384,
    Of512,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Rsa(Sha),
    Ecdsa(Sha),
}

impl Sha {
    /// Reads the fields of an AlgorithmIdentifier.
    pub(super) fn read(mut algorithm: Fields<'_>) -> Option<Sha> {
        let sha = match algorithm.take(fields::OID).ok()? {
            SHA256 => Sha::Of256,
            SHA384 => Sha::Of384,
            SHA512 => Sha::Of512,
            _ => return None,
        };
        no_parameters(algorithm).then_some(sha)
    }

    pub(super) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Sha::Of256 => Sha256::digest(bytes).to_vec(),
            Sha::Of384 => Sha384::digest(bytes).to_vec(),
            Sha::Of512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

impl Scheme {
    /// Reads the fields of an AlgorithmIdentifier. One that names only the kind of key, as RFC 3370 section 3.2 allows,
    /// is with `digest`.
    pub(super) fn read(mut algorithm: Fields<'_>, digest: Option<Sha>) -> Option<Scheme> {
        let (last, family) = algorithm.take(fields::OID).ok()?.split_last()?;
        let scheme = match (family, last) {
            (PKCS1, 1) => Scheme::Rsa(digest?),
            (PKCS1, 11) => Scheme::Rsa(Sha::Of256),
            (PKCS1, 12) => Scheme::Rsa(Sha::Of384),
            (PKCS1, 13) => Scheme::Rsa(Sha::Of512),
            (ECDSA, 2) => Scheme::Ecdsa(Sha::Of256),
            (ECDSA, 3) => Scheme::Ecdsa(Sha::Of384),
            (ECDSA, 4) => Scheme::Ecdsa(Sha::Of512),
            _ => return None,
        };
        no_parameters(algorithm).then_some(scheme)
    }

    /// Whether `signature` is one over `message` by the key in this SubjectPublicKeyInfo.
    pub(super) fn fits(self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let Ok(Key { algorithm, curve, bytes: key }) = Key::parse(key) else { return false };
        match self {
            Scheme::Rsa(sha) if algorithm.split_last() == Some((&1, PKCS1)) => {
                rsa_fits(sha, key, &sha.digest(message), signature).is_some()
            }
            Scheme::Ecdsa(sha) if algorithm == EC_KEY && curve == Some(P256) => {
                p256_fits(key, &sha.digest(message), signature).is_some()
            }
            Scheme::Ecdsa(sha) if algorithm == EC_KEY && curve == Some(P384) => {
                p384_fits(key, &sha.digest(message), signature).is_some()
            }
            Scheme::Rsa(_) | Scheme::Ecdsa(_) => false,
        }
    }
}

fn p256_fits(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
    p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?.verify_prehash(digest, &signature).ok()
}

fn p384_fits(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
    p384::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?.verify_prehash(digest, &signature).ok()
}

fn rsa_fits(sha: Sha, key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let mut key = Fields::of_one(key, fields::SEQUENCE).ok()?;
    let (modulus, exponent) = (key.take(fields::INTEGER).ok()?, key.take(fields::INTEGER).ok()?);
    key.end().ok()?;
    if [modulus, exponent].iter().any(|number| number.first().is_none_or(|byte| 127 < *byte) || 513 < number.len()) {
        return None;
    }
    let number = BoxedUint::from_be_slice_vartime;
    let key = RsaPublicKey::new_with_size_limits(number(modulus), number(exponent), RSA_BITS).ok()?;
    let signature = pkcs1v15::Signature::try_from(signature).ok()?;
    match sha {
        Sha::Of256 => pkcs1v15::VerifyingKey::<Sha256>::new(key).verify_prehash(digest, &signature).ok(),
        Sha::Of384 => pkcs1v15::VerifyingKey::<Sha384>::new(key).verify_prehash(digest, &signature).ok(),
        Sha::Of512 => pkcs1v15::VerifyingKey::<Sha512>::new(key).verify_prehash(digest, &signature).ok(),
    }
}

/// SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7.
struct Key<'a> {
    algorithm: &'a [u8],
    curve: Option<&'a [u8]>,
    bytes: &'a [u8],
}

impl<'a> Key<'a> {
    fn parse(der: &'a [u8]) -> Result<Key<'a>, Error> {
        let mut info = Fields::of_one(der, fields::SEQUENCE)?;
        let mut parameters = info.nested(fields::SEQUENCE)?;
        let algorithm = parameters.take(fields::OID)?;
        let curve = parameters.optional(fields::OID)?;
        let bytes = whole_bytes(info.take(fields::BIT_STRING)?);
        info.end()?;
        Ok(Key {
            algorithm,
            curve,
            bytes: bytes.ok_or(Error::Certificate { why: "has a key that is not whole bytes" })?,
        })
    }
}

/// Absent or NULL, RFC 5754 sections 2 and 3.
fn no_parameters(mut rest: Fields<'_>) -> bool {
    rest.optional(der::Tag::Null).is_ok_and(|null| null.is_none_or(<[u8]>::is_empty)) && rest.end().is_ok()
}
