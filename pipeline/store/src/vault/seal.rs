//! Bytes to sealed bytes and back. The layout is specified in `format.md`; the sections named here are its sections.
//! Nothing in this file touches a disk.

use std::fmt;

use aead_stream::aead::{self, AeadInOut, Buffer, KeyInit};
use aead_stream::{NewStream, StreamBE32, StreamPrimitive};
use aes_gcm::Aes256Gcm;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{BrokenSeal, VaultError};
use crate::keys::{KeyId, Keys};

/// What one sealed file or value may hold. Both sides keep it, so that nothing is sealed that could not be opened.
pub(crate) const PLAIN_BYTES_MAX: u64 = 256 << 20;
/// The largest sealed file there can be.
pub(crate) const SEALED_BYTES_MAX: u64 = sealed_bytes(PLAIN_BYTES_MAX);

// §2: the file part, then the key part.
const MAGIC: [u8; 10] = *b"CSGN-SEAL\n";
pub(super) const VERSION: u8 = 1;
pub(super) const SUITE: u8 = 1;
const FILE_PART_BYTES: usize = 60;
pub(super) const HEADER_BYTES: usize = 128;

// §4
const CHUNK_BYTES: usize = 64 << 10;
const TAG_BYTES: usize = 16;

/// Where sealed bytes belong; sealed with them, so that they open nowhere else (§3).
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// A file of the vault.
    File(Uuid),
    /// A value in a database: its table, column and row.
    Value(&'a str),
}

impl Place<'_> {
    /// §3: kind and name.
    fn label(&self) -> (u8, [u8; 32]) {
        match self {
            Place::File(id) => {
                let mut name = [0; 32];
                let (front, _zeros) = name.split_at_mut(16);
                front.copy_from_slice(id.as_bytes());
                (1, name)
            }
            Place::Value(context) => {
                let hash = Sha256::new().chain_update(b"countersign/vault/value/v1\0").chain_update(context);
                (2, hash.finalize().into())
            }
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(id) => write!(f, "sealed file `{id}`"),
            Place::Value(context) => write!(f, "sealed value `{context}`"),
        }
    }
}

/// Seals `plain` for `place` under a data key of its own, wrapped by the current vault key.
pub(crate) fn seal(keys: &Keys, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let size = plain.len() as u64;
    if PLAIN_BYTES_MAX < size {
        return Err(VaultError::TooLarge { size, max: PLAIN_BYTES_MAX });
    }
    let mut fresh = Zeroizing::new([0; 32 + 7 + 12]);
    getrandom::fill(fresh.as_mut_slice()).map_err(VaultError::NoRandomness)?;
    Ok(seal_with(keys, place, plain, &fresh))
}

/// Opens what [`seal`] made for this very `place`; anything else is refused, and no part of it is given out.
pub(crate) fn open(keys: &Keys, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, BrokenSeal> {
    let header = Header::parse(sealed)?;
    let data_key = header.unwrap_data_key(keys)?;
    // From here on the header is what `seal` wrote: the vault key vouches for every byte of it.
    if (header.kind, *header.name) != place.label() {
        return Err(BrokenSeal::Relabelled { sealed_as: header.describe_name() });
    }
    header.check_size(sealed.len() as u64)?;
    let plain_bytes = usize::try_from(header.plain_bytes).map_err(|_| BrokenSeal::Header)?;
    open_chunks(&data_key, &header, plain_bytes)
}

/// The random bytes of one sealing: data key, nonce prefix, nonce of the wrapping. Never used twice.
pub(super) type Fresh = [u8; 32 + 7 + 12];

pub(super) fn seal_with(keys: &Keys, place: Place<'_>, plain: &[u8], fresh: &Fresh) -> Vec<u8> {
    let (data_key, nonces) = split::<32, 19, _>(fresh);
    let (nonce_prefix, wrap_nonce) = split::<7, 12, _>(nonces);
    let (kind, name) = place.label();
    let plain_bytes = plain.len() as u64;
    let vault_key = keys.current();

    let whole = sealed_bytes(plain_bytes) as usize;
    let mut out = Vec::with_capacity(whole);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[VERSION, SUITE, kind]);
    out.extend_from_slice(&name);
    out.extend_from_slice(&plain_bytes.to_be_bytes());
    out.extend_from_slice(nonce_prefix);
    let file_part: [u8; FILE_PART_BYTES] = out.as_slice().try_into().expect("the file part has its size");
    out.extend_from_slice(&vault_key.id.0);

    let mut wrapped = Zeroizing::new(*data_key);
    let tag = vault_key
        .cipher
        .encrypt_inout_detached(wrap_nonce.into(), &out, wrapped.as_mut_slice().into())
        .expect("32 bytes are far below the limit of the cipher");
    out.extend_from_slice(wrap_nonce);
    out.extend_from_slice(wrapped.as_slice());
    out.extend_from_slice(&tag);
    assert_eq!(out.len(), HEADER_BYTES);

    let stream = StreamBE32::from_aead(Aes256Gcm::new(data_key.into()), nonce_prefix.into());
    let n_chunks = n_chunks(plain_bytes);
    let mut rest = plain;
    for position in 0..n_chunks {
        let (chunk, after) = rest.split_at(CHUNK_BYTES.min(rest.len()));
        let start = out.len();
        out.extend_from_slice(chunk);
        stream
            .encrypt_in_place(position, position + 1 == n_chunks, &file_part, &mut Tail { bytes: &mut out, start })
            .expect("a chunk is far below the limit of the cipher");
        rest = after;
    }
    assert_eq!(out.len(), whole);
    out
}

/// §4: each chunk opens only at its own position, and only the last as the last.
fn open_chunks(data_key: &[u8; 32], header: &Header<'_>, plain_bytes: usize) -> Result<Vec<u8>, BrokenSeal> {
    let stream = StreamBE32::from_aead(Aes256Gcm::new(data_key.into()), header.nonce_prefix.into());
    let n_chunks = n_chunks(header.plain_bytes);
    let opens_at = |position: u32, tail: &mut Tail<'_>| {
        stream.decrypt_in_place(position, position + 1 == n_chunks, header.file_part, tail).is_ok()
    };

    let mut plain = Vec::with_capacity(plain_bytes + TAG_BYTES);
    for (position, chunk) in (0..n_chunks).zip(header.body.chunks(CHUNK_BYTES + TAG_BYTES)) {
        let start = plain.len();
        plain.extend_from_slice(chunk);
        let mut tail = Tail { bytes: &mut plain, start };
        if !opens_at(position, &mut tail) {
            // A refused chunk is left as it was, so it can be tried elsewhere: at most once for each chunk of the file.
            return Err(match (0..n_chunks).find(|&other| opens_at(other, &mut tail)) {
                Some(other) => BrokenSeal::Reordered { chunk: other + 1, place: position + 1, n_chunks },
                None => BrokenSeal::Altered { chunk: position + 1, n_chunks },
            });
        }
    }
    assert_eq!(plain.len(), plain_bytes, "`check_size` compared the sizes");
    Ok(plain)
}

/// A sealed file taken apart (§2); nothing in it is believed before `unwrap_data_key`.
struct Header<'a> {
    file_part: &'a [u8; FILE_PART_BYTES],
    kind: u8,
    name: &'a [u8; 32],
    plain_bytes: u64,
    nonce_prefix: &'a [u8; 7],
    key_id: KeyId,
    /// What the wrapping vouches for: the file part and the key id.
    wrap_aad: &'a [u8],
    wrap_nonce: &'a [u8; 12],
    wrapped_key: &'a [u8; 32],
    wrap_tag: &'a [u8; TAG_BYTES],
    body: &'a [u8],
}

impl<'a> Header<'a> {
    fn parse(sealed: &'a [u8]) -> Result<Header<'a>, BrokenSeal> {
        let Some((header, body)) = sealed.split_first_chunk::<HEADER_BYTES>() else {
            let begins_well = sealed.iter().zip(&MAGIC).all(|(byte, magic)| byte == magic);
            return Err(if begins_well { BrokenSeal::CutHeader { size: sealed.len() } } else { BrokenSeal::NotSealed });
        };
        let (file_part, key_part) = split::<FILE_PART_BYTES, 68, _>(header);
        let (magic, rest) = split::<10, 50, _>(file_part);
        let ([version, suite, kind], rest) = split::<3, 47, _>(rest);
        let (name, rest) = split::<32, 15, _>(rest);
        let (plain_bytes, nonce_prefix) = split::<8, 7, _>(rest);
        let (key_id, rest) = split::<8, 60, _>(key_part);
        let (wrap_nonce, rest) = split::<12, 48, _>(rest);
        let (wrapped_key, wrap_tag) = split::<32, TAG_BYTES, _>(rest);
        if *magic != MAGIC {
            return Err(BrokenSeal::NotSealed);
        }
        if *version != VERSION {
            return Err(BrokenSeal::Version { version: *version });
        }
        if *suite != SUITE {
            return Err(BrokenSeal::Suite { suite: *suite });
        }
        let (wrap_aad, _) = header.split_at(FILE_PART_BYTES + key_id.len());
        Ok(Header {
            file_part,
            kind: *kind,
            name,
            plain_bytes: u64::from_be_bytes(*plain_bytes),
            nonce_prefix,
            key_id: KeyId(*key_id),
            wrap_aad,
            wrap_nonce,
            wrapped_key,
            wrap_tag,
            body,
        })
    }

    /// §3: opens the data key with the vault key the header names, and with that proves the header.
    fn unwrap_data_key(&self, keys: &Keys) -> Result<Zeroizing<[u8; 32]>, BrokenSeal> {
        let Some(vault_key) = keys.find(self.key_id) else {
            return Err(BrokenSeal::WrongKey { needs: self.key_id, have: keys.describe_vault_keys() });
        };
        let mut data_key = Zeroizing::new(*self.wrapped_key);
        vault_key
            .cipher
            .decrypt_inout_detached(
                self.wrap_nonce.into(),
                self.wrap_aad,
                data_key.as_mut_slice().into(),
                self.wrap_tag.into(),
            )
            .map_err(|aead::Error| BrokenSeal::Header)?;
        Ok(data_key)
    }

    fn check_size(&self, size: u64) -> Result<(), BrokenSeal> {
        if PLAIN_BYTES_MAX < self.plain_bytes {
            return Err(BrokenSeal::TooLarge { size: self.plain_bytes, max: PLAIN_BYTES_MAX });
        }
        let whole = sealed_bytes(self.plain_bytes);
        match size.cmp(&whole) {
            std::cmp::Ordering::Less => Err(BrokenSeal::Cut { size, whole }),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(BrokenSeal::Extended { size, whole }),
        }
    }

    fn describe_name(&self) -> String {
        match self.kind {
            1 => {
                let (id, _zeros) = split::<16, 16, _>(self.name);
                Place::File(Uuid::from_bytes(*id)).to_string()
            }
            _ => "a sealed value of another table, column or row".to_owned(),
        }
    }
}

/// §4: one chunk at least, so that even no bytes at all have a mark that says they end here.
const fn n_chunks(plain_bytes: u64) -> u32 {
    let full = plain_bytes.div_ceil(CHUNK_BYTES as u64);
    if full == 0 { 1 } else { full as u32 }
}

/// `plain_bytes` at most [`PLAIN_BYTES_MAX`].
const fn sealed_bytes(plain_bytes: u64) -> u64 {
    HEADER_BYTES as u64 + plain_bytes + n_chunks(plain_bytes) as u64 * TAG_BYTES as u64
}

/// The first `A` and the other `B` of `A + B` bytes; the compiler does the sum.
fn split<const A: usize, const B: usize, const N: usize>(bytes: &[u8; N]) -> (&[u8; A], &[u8; B]) {
    const { assert!(A + B == N) };
    let (front, back) = bytes.split_at(A);
    (front.try_into().expect("A of A + B"), back.try_into().expect("B of A + B"))
}

/// The end of a vector as a buffer of its own: chunks are sealed and opened where they lie.
struct Tail<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
}

impl AsRef<[u8]> for Tail<'_> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.split_at(self.start).1
    }
}

impl AsMut<[u8]> for Tail<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.split_at_mut(self.start).1
    }
}

impl Buffer for Tail<'_> {
    fn extend_from_slice(&mut self, other: &[u8]) -> aead::Result<()> {
        self.bytes.extend_from_slice(other);
        Ok(())
    }

    fn truncate(&mut self, len: usize) {
        self.bytes.truncate(self.start + len);
    }
}
