//! Bytes to sealed bytes and back, 64 KiB at a time: a document of any size passes through a few megabytes of memory.
//! The layout is specified in `format.md`; the sections named here are its sections. Nothing in this file touches a disk.

use std::fmt;
use std::io::{self, Read, Write};
use std::ops::Range;

use aes_gcm::aead::{self, AeadInOut};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::lots::{self, Slot};
use super::record::RecordKey;
use super::stream::Stream;
use super::{BrokenSeal, Unsealed, VaultError};
use crate::keys::KeyId;

/// What one sealed file or value may hold. Both sides keep it, so that nothing is sealed that could not be opened.
pub(crate) const PLAIN_BYTES_MAX: u64 = 1 << 40;

// §2: the file part, then the key part.
const MAGIC: [u8; 10] = *b"CSGN-SEAL\n";
pub(super) const VERSION: u8 = 1;
pub(super) const SUITE: u8 = 1;
pub(super) const FILE_PART_BYTES: usize = 60;
pub(super) const HEADER_BYTES: usize = 128;

// §4
pub(super) const CHUNK_BYTES: usize = 64 << 10;
pub(super) const TAG_BYTES: usize = 16;
const SLOT_BYTES: usize = CHUNK_BYTES + TAG_BYTES;

/// A chunk that does not open is tried at so many other positions, to tell whether it was moved.
const POSITIONS_TRIED_MAX: u32 = 4096;

/// Where sealed bytes belong; sealed with them, so that they open nowhere else (§3).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// A file of the vault.
    File(Uuid),
    /// A value in a database: its table, column and row.
    Value(&'a str),
}

impl Place<'_> {
    /// §3: kind and name.
    fn label(&self, tenant: &[u8; 16]) -> (u8, [u8; 32]) {
        match self {
            Place::File(id) => {
                let mut name = [0; 32];
                let (front, back) = name.split_at_mut(16);
                front.copy_from_slice(id.as_bytes());
                back.copy_from_slice(tenant);
                (1, name)
            }
            Place::Value(context) => {
                let hash = Sha256::new().chain_update(b"countersign/vault/value/v1\0").chain_update(tenant);
                (2, hash.chain_update(context).finalize().into())
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

/// Sealed bytes that can be read from any offset on.
pub(crate) trait ReadAt: Sync {
    /// In bytes, as it was when they were opened.
    fn size(&self) -> u64;
    /// Fills `to` with the bytes from `offset` on; an error if there are not so many.
    fn read_exact_at(&self, to: &mut [u8], offset: u64) -> Result<(), VaultError>;
}

impl ReadAt for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, to: &mut [u8], offset: u64) -> Result<(), VaultError> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let cut = || VaultError::Sealing { source: io::ErrorKind::UnexpectedEof.into() };
        to.copy_from_slice(rest.get(..to.len()).ok_or_else(cut)?);
        Ok(())
    }
}

/// The random bytes of one sealing: data key, nonce prefix, nonce of the wrapping. Never used twice.
pub(super) type Fresh = [u8; 32 + 7 + 12];

/// Seals the `plain_bytes` that `plain` gives, for `place`, under a data key of their own that `key` wraps. Refuses a
/// `plain` that gives more or less: it changed while it was read.
pub(crate) fn seal(
    key: &RecordKey,
    place: Place<'_>,
    plain_bytes: u64,
    plain: &mut (dyn Read + Send),
    out: &mut (dyn Write + Send),
) -> Result<(), VaultError> {
    if PLAIN_BYTES_MAX < plain_bytes {
        return Err(VaultError::TooLarge { size: plain_bytes, max: PLAIN_BYTES_MAX });
    }
    let mut fresh = Zeroizing::new([0; 32 + 7 + 12]);
    getrandom::fill(fresh.as_mut_slice()).map_err(VaultError::NoRandomness)?;
    seal_with(key, place, plain_bytes, plain, out, &fresh)
}

pub(super) fn seal_with(
    key: &RecordKey,
    place: Place<'_>,
    plain_bytes: u64,
    plain: &mut (dyn Read + Send),
    out: &mut (dyn Write + Send),
    fresh: &Fresh,
) -> Result<(), VaultError> {
    let (data_key, nonces) = split::<32, 19, _>(fresh);
    let (nonce_prefix, wrap_nonce) = split::<7, 12, _>(nonces);
    let header = new_header(key, place, plain_bytes, data_key, nonce_prefix, wrap_nonce);
    let failed = |source| VaultError::Sealing { source };
    out.write_all(&header).map_err(failed)?;

    let (file_part, _) = split::<FILE_PART_BYTES, 68, _>(&header);
    let stream = Stream::new(data_key, nonce_prefix, file_part, n_chunks(plain_bytes));
    lots::in_order(
        0..stream.n_chunks(),
        slot_bytes(plain_bytes),
        |position, slot| {
            slot.resize(chunk_bytes(plain_bytes, position));
            plain.read_exact(slot.as_mut()).map_err(|source| match source.kind() {
                io::ErrorKind::UnexpectedEof => VaultError::Changed { size: plain_bytes },
                _ => VaultError::Sealing { source },
            })
        },
        |position, slot| {
            stream.seal(position, slot);
            Ok(())
        },
        |sealed| out.write_all(sealed).map_err(failed),
    )?;
    match plain.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(VaultError::Changed { size: plain_bytes }),
        Err(source) => Err(failed(source)),
    }
}

fn new_header(
    key: &RecordKey,
    place: Place<'_>,
    plain_bytes: u64,
    data_key: &[u8; 32],
    nonce_prefix: &[u8; 7],
    wrap_nonce: &[u8; 12],
) -> [u8; HEADER_BYTES] {
    let (kind, name) = place.label(&key.tenant);
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&[VERSION, SUITE, kind]);
    header.extend_from_slice(&name);
    header.extend_from_slice(&plain_bytes.to_be_bytes());
    header.extend_from_slice(nonce_prefix);
    header.extend_from_slice(&key.id.0);
    let mut wrapped = Zeroizing::new(*data_key);
    let tag = key
        .cipher
        .encrypt_inout_detached(wrap_nonce.into(), &header, wrapped.as_mut_slice().into())
        .expect("32 bytes are far below the limit of the cipher");
    header.extend_from_slice(wrap_nonce);
    header.extend_from_slice(wrapped.as_slice());
    header.extend_from_slice(&tag);
    header.try_into().expect("the parts of a header are 128 bytes")
}

/// Sealed bytes whose header was proven: what they hold can be read from any offset on, each chunk proven before any of
/// it is given out.
pub(crate) struct Opened<S> {
    sealed: S,
    stream: Stream,
    plain_bytes: u64,
}

/// Proves the header of what was sealed for this very `place`, and that nothing is cut off or was added.
pub(crate) fn open<S: ReadAt>(key: &RecordKey, place: Place<'_>, sealed: S) -> Result<Opened<S>, Unsealed> {
    let size = sealed.size();
    let mut bytes = [0; HEADER_BYTES];
    let there = (HEADER_BYTES as u64).min(size) as usize;
    let (front, _) = bytes.split_at_mut(there);
    sealed.read_exact_at(front, 0)?;
    let header = Header::parse(&bytes, there)?;
    let data_key = header.unwrap_data_key(key)?;
    // From here on the header is what `seal` wrote: the record key vouches for every byte of it.
    if (header.kind, *header.name) != place.label(&key.tenant) {
        return Err(BrokenSeal::Relabelled { sealed_as: header.describe_name(&key.tenant) }.into());
    }
    header.check_size(size)?;
    let plain_bytes = header.plain_bytes;
    let stream = Stream::new(&data_key, header.nonce_prefix, header.file_part, n_chunks(plain_bytes));
    Ok(Opened { sealed, stream, plain_bytes })
}

impl<S: ReadAt> Opened<S> {
    /// How many bytes were sealed.
    pub(crate) fn size(&self) -> u64 {
        self.plain_bytes
    }

    /// All that was sealed.
    pub(crate) fn copy_to(&self, out: &mut (dyn Write + Send)) -> Result<(), Unsealed> {
        self.chunks(0..self.stream.n_chunks(), |chunk| {
            Ok(out.write_all(chunk).map_err(|source| VaultError::Handing { source })?)
        })
    }

    /// `size` bytes from `offset` on; of the rest, no chunk is opened.
    pub(crate) fn range(&self, offset: u64, size: u64) -> Result<Vec<u8>, Unsealed> {
        let end = offset.checked_add(size).filter(|end| *end <= self.plain_bytes);
        let Some(end) = end else {
            return Err(BrokenSeal::Beyond { offset, size, whole: self.plain_bytes }.into());
        };
        let too_large = BrokenSeal::TooLarge { size, max: usize::MAX as u64 };
        let wanted = usize::try_from(size).map_err(|_| too_large)?;
        let first = offset / CHUNK_BYTES as u64;
        let after = end.div_ceil(CHUNK_BYTES as u64).max(first + 1).min(self.stream.n_chunks().into());
        let mut skip = (offset - first * CHUNK_BYTES as u64) as usize;
        let mut plain = Vec::with_capacity(wanted);
        self.chunks(first as u32..after as u32, |chunk| {
            let part = chunk.get(skip.min(chunk.len())..).unwrap_or_default();
            plain.extend_from_slice(part.get(..wanted - plain.len()).unwrap_or(part));
            skip = 0;
            Ok(())
        })?;
        Ok(plain)
    }

    /// Gives these chunks to `take`, in order, each after it was proven.
    fn chunks(
        &self,
        positions: Range<u32>,
        take: impl FnMut(&[u8]) -> Result<(), Unsealed> + Send,
    ) -> Result<(), Unsealed> {
        lots::in_order(
            positions,
            slot_bytes(self.plain_bytes),
            |position, slot| self.read_chunk(position, slot),
            |position, slot| self.open_chunk(position, slot),
            take,
        )
    }

    fn read_chunk(&self, position: u32, slot: &mut Slot<'_>) -> Result<(), Unsealed> {
        slot.resize(chunk_bytes(self.plain_bytes, position) + TAG_BYTES);
        Ok(self.sealed.read_exact_at(slot.as_mut(), HEADER_BYTES as u64 + u64::from(position) * SLOT_BYTES as u64)?)
    }

    /// §4: each chunk opens only at its own position, and only the last as the last.
    fn open_chunk(&self, position: u32, slot: &mut Slot<'_>) -> Result<(), Unsealed> {
        if self.stream.opens(position, slot.as_mut()) {
            slot.resize(slot.as_ref().len() - TAG_BYTES);
            return Ok(());
        }
        // It was spoiled by trying, so it is read again: it may open now. If not, it is tried elsewhere, at its neighbours first.
        self.read_chunk(position, slot)?;
        let again = slot.as_ref().to_vec();
        if self.stream.opens(position, slot.as_mut()) {
            slot.resize(again.len() - TAG_BYTES);
            return Ok(());
        }
        let n_chunks = self.stream.n_chunks();
        let from = position.saturating_sub(POSITIONS_TRIED_MAX / 2);
        let near = (from..n_chunks).take(POSITIONS_TRIED_MAX as usize);
        let mut others = near.chain([n_chunks - 1]).filter(|other| *other != position);
        let broken = match others.find(|&other| self.stream.opens(other, &mut again.clone())) {
            Some(other) => BrokenSeal::Reordered { chunk: other + 1, place: position + 1, n_chunks },
            None => BrokenSeal::Altered { chunk: position + 1, n_chunks },
        };
        Err(broken.into())
    }
}

/// A header taken apart (§2); nothing in it is believed before `unwrap_data_key`.
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
}

impl<'a> Header<'a> {
    /// `there` is how many of the bytes were there to be read.
    fn parse(header: &'a [u8; HEADER_BYTES], there: usize) -> Result<Header<'a>, BrokenSeal> {
        let (file_part, key_part) = split::<FILE_PART_BYTES, 68, _>(header);
        let (magic, rest) = split::<10, 50, _>(file_part);
        let ([version, suite, kind], rest) = split::<3, 47, _>(rest);
        let (name, rest) = split::<32, 15, _>(rest);
        let (plain_bytes, nonce_prefix) = split::<8, 7, _>(rest);
        let (key_id, rest) = split::<8, 60, _>(key_part);
        let (wrap_nonce, rest) = split::<12, 48, _>(rest);
        let (wrapped_key, wrap_tag) = split::<32, TAG_BYTES, _>(rest);
        if magic.iter().zip(&MAGIC).take(there).any(|(byte, magic)| byte != magic) {
            return Err(BrokenSeal::NotSealed);
        }
        if there < HEADER_BYTES {
            return Err(BrokenSeal::CutHeader { size: there });
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
        })
    }

    /// §3: opens the data key with the record key that the header names, and with that proves the header.
    fn unwrap_data_key(&self, key: &RecordKey) -> Result<Zeroizing<[u8; 32]>, BrokenSeal> {
        if self.key_id != key.id {
            return Err(BrokenSeal::WrongKey { needs: self.key_id, have: key.id });
        }
        let mut data_key = Zeroizing::new(*self.wrapped_key);
        key.cipher
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

    fn describe_name(&self, tenant: &[u8; 16]) -> String {
        match self.kind {
            1 => {
                let (id, of) = split::<16, 16, _>(self.name);
                let file = Place::File(Uuid::from_bytes(*id)).to_string();
                if of == tenant { file } else { format!("{file} of another installation") }
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

/// Of the chunk at this position, which is one of them.
fn chunk_bytes(plain_bytes: u64, position: u32) -> usize {
    (plain_bytes - u64::from(position) * CHUNK_BYTES as u64).min(CHUNK_BYTES as u64) as usize
}

/// Room for the largest chunk and its tag.
fn slot_bytes(plain_bytes: u64) -> usize {
    chunk_bytes(plain_bytes, 0) + TAG_BYTES
}

/// `plain_bytes` at most [`PLAIN_BYTES_MAX`].
pub(super) const fn sealed_bytes(plain_bytes: u64) -> u64 {
    HEADER_BYTES as u64 + plain_bytes + n_chunks(plain_bytes) as u64 * TAG_BYTES as u64
}

/// Has it as many bytes as its header says? Nothing is proven by it.
pub(super) fn is_whole(sealed: &impl ReadAt) -> bool {
    let mut header = [0; HEADER_BYTES];
    if sealed.size() < HEADER_BYTES as u64 || sealed.read_exact_at(&mut header, 0).is_err() {
        return false;
    }
    // §2: behind magic, version, suite, kind and name.
    let (_, rest) = split::<45, 83, _>(&header);
    let (plain_bytes, _) = split::<8, 75, _>(rest);
    let plain_bytes = u64::from_be_bytes(*plain_bytes);
    header.starts_with(&MAGIC) && plain_bytes <= PLAIN_BYTES_MAX && sealed_bytes(plain_bytes) == sealed.size()
}

/// The first `A` and the other `B` of `A + B` bytes; the compiler does the sum.
pub(super) fn split<const A: usize, const B: usize, const N: usize>(bytes: &[u8; N]) -> (&[u8; A], &[u8; B]) {
    const { assert!(A + B == N) };
    let (front, back) = bytes.split_at(A);
    (front.try_into().expect("A of A + B"), back.try_into().expect("B of A + B"))
}
