//! A key file that is sealed under a key that somebody else keeps, and back. §6.1 of `vault/format.md` is the layout.
//! Nothing in this file touches a disk.

use std::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Tag};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use zeroize::Zeroizing;

use super::{KeyError, KeyId};

const MAGIC: [u8; 10] = *b"CSGN-KEYS\n";
const VERSION: u8 = 1;
/// What Transit wraps 32 bytes to has some 90; others who speak as it does may need more.
const DETAIL_BYTES_MAX: usize = 4096;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// What a sealed file has beside what is sealed in it, at most.
pub(super) const FRAME_BYTES_MAX: u64 = (14 + DETAIL_BYTES_MAX + NONCE_BYTES + TAG_BYTES) as u64;

/// Who keeps the key file closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Custodian {
    /// The mode of the file, and nothing else.
    File,
    /// Whoever gives a key to the service when it starts.
    Credential,
    Passphrase,
    /// A program that prints a key.
    Command,
    /// The engine Transit of HashiCorp Vault or OpenBao.
    Transit,
}

impl Custodian {
    pub const ALL: [Custodian; 5] =
        [Custodian::File, Custodian::Credential, Custodian::Passphrase, Custodian::Command, Custodian::Transit];

    pub fn name(self) -> &'static str {
        match self {
            Custodian::File => "file",
            Custodian::Credential => "credential",
            Custodian::Passphrase => "passphrase",
            Custodian::Command => "command",
            Custodian::Transit => "transit",
        }
    }

    pub fn named(name: &str) -> Option<Custodian> {
        Custodian::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// What a sealed key file says openly: who can open it, and what they need for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sealing {
    Credential,
    Passphrase(Stretch),
    Command,
    /// `wrapped` is what Transit made of the key: `vault:v1:…`, at most 4,096 bytes of ASCII.
    Transit {
        wrapped: String,
    },
    /// The copy for the escrow, and the escrow key it is for.
    Escrow(KeyId),
}

impl fmt::Display for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sealing::Credential => Custodian::Credential.name(),
            Sealing::Passphrase(_) => Custodian::Passphrase.name(),
            Sealing::Command => Custodian::Command.name(),
            Sealing::Transit { .. } => Custodian::Transit.name(),
            Sealing::Escrow(_) => "escrow",
        })
    }
}

/// A key file's seal and the key of 32 bytes that it opens with.
#[derive(Debug)]
pub struct Lock {
    pub sealing: Sealing,
    pub key: SecretBox<[u8; 32]>,
}

impl Lock {
    /// Whether both open the same; takes the same time for all keys.
    pub fn opens_as(&self, other: &Lock) -> bool {
        let pairs = self.key.expose_secret().iter().zip(other.key.expose_secret());
        self.sealing == other.sealing && pairs.fold(0, |apart, (a, b)| apart | (a ^ b)) == 0
    }
}

/// How a passphrase becomes a key: Argon2id (RFC 9106), version 1.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; 16],
}

/// RFC 9106, section 4, "second recommended option".
const MEMORY_KIB: u32 = 64 << 10;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// The memory of the "first recommended option": no file may ask for more. Nor for less than we write: who could swap the
/// file could have the next one written under a passphrase that is quick to guess.
const MEMORY_KIB_MAX: u32 = 2 << 20;
/// Memory times passes: some ten seconds.
const WORK_KIB_MAX: u64 = 8 << 20;
const LANES_MAX: u32 = 16;

impl Stretch {
    /// With a salt of its own.
    pub fn new() -> Result<Stretch, KeyError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(KeyError::NoRandomness)?;
        Ok(Stretch { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt })
    }

    /// Takes 64 MiB and a tenth of a second or so. Not asynchronous.
    pub fn key(&self, passphrase: &SecretString) -> SecretBox<[u8; 32]> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).expect("by `parse`");
        // Its own memory, so that it is wiped: the key follows from the last of it.
        let mut blocks = Zeroizing::new(vec![Block::default(); params.block_count()]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = SecretBox::<[u8; 32]>::default();
        argon2
            .hash_password_into_with_memory(
                passphrase.expose_secret().as_bytes(),
                &self.salt,
                key.expose_secret_mut(),
                blocks.as_mut_slice(),
            )
            .expect("sizes are right, by the types");
        key
    }

    fn parse(detail: &[u8]) -> Result<Stretch, String> {
        let Some((&[m0, m1, m2, m3, p0, p1, p2, p3, l0, l1, l2, l3], salt)) = detail.split_first_chunk() else {
            return Err("it is cut".to_owned());
        };
        let salt = salt.try_into().map_err(|_| "its salt has not 16 bytes".to_owned())?;
        let word = u32::from_be_bytes;
        let (memory_kib, passes, lanes) = (word([m0, m1, m2, m3]), word([p0, p1, p2, p3]), word([l0, l1, l2, l3]));
        let work = u64::from(memory_kib) * u64::from(passes);
        let limits = [
            ("KiB of memory", u64::from(memory_kib), u64::from(MEMORY_KIB), u64::from(MEMORY_KIB_MAX)),
            ("passes", u64::from(passes), 1, u64::from(u32::MAX)),
            ("KiB of memory in all passes", work, u64::from(MEMORY_KIB) * u64::from(PASSES), WORK_KIB_MAX),
            ("lanes", u64::from(lanes), 1, u64::from(LANES_MAX)),
        ];
        match limits.into_iter().find(|(_, given, min, max)| given < min || max < given) {
            Some((what, given, min, max)) => {
                Err(format!("it wants a passphrase stretched with {given} {what}, allowed are {min} to {max}"))
            }
            None => Ok(Stretch { memory_kib, passes, lanes, salt }),
        }
    }

    fn detail(&self) -> Vec<u8> {
        let Stretch { memory_kib, passes, lanes, salt } = self;
        [&memory_kib.to_be_bytes()[..], &passes.to_be_bytes(), &lanes.to_be_bytes(), salt].concat()
    }
}

/// Reads 32 bytes of a key as people and programs hand them over: as they are, in 64 hexadecimal digits, or in 44 letters
/// of base64; before and after the letters there may be white space.
pub fn key_in(given: &[u8]) -> Option<SecretBox<[u8; 32]>> {
    use base64::Engine;
    let mut key = SecretBox::<[u8; 32]>::default();
    let bytes = key.expose_secret_mut();
    if given.len() == bytes.len() {
        bytes.copy_from_slice(given);
        return Some(key);
    }
    let text = given.trim_ascii();
    match text.len() {
        64 => {
            let (pairs, _) = text.as_chunks::<2>();
            for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
                let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|it| u8::try_from(it).ok());
                *byte = digit(high)? << 4 | digit(low)?;
            }
        }
        44 => {
            // The decoder wants room for three bytes of each four letters.
            let mut room = Zeroizing::new([0; 33]);
            let n = base64::engine::general_purpose::STANDARD.decode_slice(text, room.as_mut_slice()).ok()?;
            bytes.copy_from_slice(room.get(..n).filter(|it| it.len() == 32)?);
        }
        _ => return None,
    }
    Some(key)
}

/// Seals `plain` under the lock's key, with a nonce of its own.
pub(super) fn seal(lock: &Lock, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(KeyError::NoRandomness)?;
    Ok(seal_with(lock, plain, &nonce))
}

fn seal_with(lock: &Lock, plain: &[u8], nonce: &[u8; NONCE_BYTES]) -> Vec<u8> {
    let (code, detail) = match &lock.sealing {
        Sealing::Credential => (1, Vec::new()),
        Sealing::Passphrase(stretch) => (2, stretch.detail()),
        Sealing::Command => (3, Vec::new()),
        Sealing::Transit { wrapped } => (4, wrapped.as_bytes().to_vec()),
        Sealing::Escrow(id) => (5, id.0.to_vec()),
    };
    assert!(detail.len() <= DETAIL_BYTES_MAX, "whoever made the lock saw to that");
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&[VERSION, code]);
    header.extend_from_slice(&(detail.len() as u16).to_be_bytes());
    header.extend_from_slice(&detail);
    header.extend_from_slice(nonce);
    let mut body = Zeroizing::new(plain.to_vec());
    let tag = cipher(lock)
        .encrypt_inout_detached(nonce.into(), &header, body.as_mut_slice().into())
        .expect("a key file is far below the limit of the cipher");
    [&header, body.as_slice(), tag.as_slice()].concat()
}

/// What the file says of itself. Nothing is proven by it. Errors say what is wrong with the file.
pub(super) fn sealing(sealed: &[u8]) -> Result<Sealing, String> {
    Ok(Parts::of(sealed)?.sealing)
}

/// The plain bytes, where `lock` is what they were sealed with, and no byte was changed since.
pub(super) fn open(lock: &Lock, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let Parts { header, nonce, body, tag, .. } = Parts::of(sealed).ok()?;
    let mut plain = Zeroizing::new(body.to_vec());
    cipher(lock)
        .decrypt_inout_detached(nonce.into(), header, plain.as_mut_slice().into(), <&Tag>::from(tag))
        .ok()
        .map(|()| plain)
}

fn cipher(lock: &Lock) -> Aes256Gcm {
    Aes256Gcm::new(lock.key.expose_secret().into())
}

struct Parts<'a> {
    sealing: Sealing,
    /// With the nonce.
    header: &'a [u8],
    nonce: &'a [u8; NONCE_BYTES],
    body: &'a [u8],
    tag: &'a [u8; TAG_BYTES],
}

impl Parts<'_> {
    fn of(sealed: &[u8]) -> Result<Parts<'_>, String> {
        let cut = || "it is cut".to_owned();
        let Some(rest) = sealed.strip_prefix(&MAGIC) else {
            return Err("it does not begin as a sealed key file does".to_owned());
        };
        let (&[version, code, s0, s1], rest) = rest.split_first_chunk().ok_or_else(cut)?;
        if version != VERSION {
            return Err(format!("it is sealed in format version {version}, this program opens version {VERSION}"));
        }
        let size = usize::from(u16::from_be_bytes([s0, s1]));
        if DETAIL_BYTES_MAX < size {
            return Err(format!("its custodian's detail has {size} bytes, at most {DETAIL_BYTES_MAX} are read"));
        }
        let (detail, rest) = rest.split_at_checked(size).ok_or_else(cut)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or_else(cut)?;
        let (body, tag) = rest.split_last_chunk().ok_or_else(cut)?;
        let nothing = |sealing| if detail.is_empty() { Ok(sealing) } else { Err("its header is too long".to_owned()) };
        let sealing = match code {
            1 => nothing(Sealing::Credential)?,
            2 => Sealing::Passphrase(Stretch::parse(detail)?),
            3 => nothing(Sealing::Command)?,
            4 => match std::str::from_utf8(detail) {
                Ok(wrapped) if wrapped.bytes().all(|c| c.is_ascii_graphic()) => {
                    Sealing::Transit { wrapped: wrapped.to_owned() }
                }
                _ => return Err("what Transit is to open is no text".to_owned()),
            },
            5 => Sealing::Escrow(KeyId(detail.try_into().map_err(|_| "its key id has not 8 bytes".to_owned())?)),
            _ => return Err(format!("custodian {code} is not known to this program")),
        };
        let (header, _) = sealed.split_at(sealed.len() - body.len() - TAG_BYTES);
        Ok(Parts { sealing, header, nonce, body, tag })
    }
}

#[cfg(test)]
mod tests;
