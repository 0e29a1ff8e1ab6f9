//! The secrets of an installation: one text file, outside the data folder, that its owner alone may read, or that is sealed
//! under a key that somebody else keeps.
//!
//! Without the vault keys nothing sealed can be opened again, by anyone. Its form is §6 of `vault/format.md`.

mod changes;
mod custody;
mod ring;
mod sealed;
mod shares;
pub(crate) mod steps;

use std::fmt;
use std::io;
use std::path::PathBuf;

use aes_gcm::{Aes256Gcm, KeyInit};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecretMut, SecretBox};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub(crate) use changes::NewEscrow;
pub(crate) use custody::wipe;
pub use custody::{Custody, sealing};
pub use sealed::{Custodian, Lock, Sealing, Stretch, key_in};
pub use shares::{Share, ShareError};

pub(crate) use ring::Ring;

/// The size of a key file with all the keys it may have, and room for notes.
const KEY_FILE_BYTES_MAX: u64 = 64 << 10;
/// The current vault key and those it followed.
const VAULT_KEYS_MAX: usize = 64;
/// The key that signs the log and those it followed.
const LOG_KEYS_MAX: usize = 64;

/// All keys, wiped when dropped. The first vault key seals; the others open what was sealed before it.
pub struct Keys {
    vault: Vec<VaultKey>,
    /// The newest first.
    log_seeds: Vec<Zeroizing<[u8; 32]>>,
    index_key: Zeroizing<[u8; 32]>,
    escrow_key: Option<Zeroizing<[u8; 32]>>,
}

/// Wraps the data keys of files and values. The cipher wipes itself.
pub(crate) struct VaultKey {
    pub(crate) id: KeyId,
    pub(crate) cipher: Aes256Gcm,
}

/// Names a key without telling anything about it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyId(pub(crate) [u8; 8]);

/// Whether the copy of the key file that the shares open can stand in for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Escrow {
    /// There is no escrow key, so there are no shares.
    Never,
    /// Any two shares of this set bring the keys of today back.
    Whole { set: String },
    /// The copy is not there, damaged, or has not all keys of today: it is made anew when the store is next opened.
    Behind { set: String },
    /// The copy is for other shares or has keys that are not here: these keys may be an older copy. It is left as it is.
    Other { set: String },
}

impl Keys {
    /// Makes new keys, in a folder that may be there already if nobody else can enter it. On return they are on the
    /// disk to stay. Never overwrites keys: what they sealed would be lost.
    pub fn create(custody: impl Into<Custody>) -> Result<Keys, KeyError> {
        let custody = custody.into();
        let changing = custody.prepare()?;
        let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX as usize));
        text.push_str(NOTE);
        for role in ["vault", "log", "index"] {
            push_line(&mut text, role, &*random()?);
        }
        Keys::put(&custody, &changing, &text)
    }

    /// Reads the keys. Refuses a folder or file that others may read: it says the mode it has and the mode it must have.
    pub fn open(custody: impl Into<Custody>) -> Result<Keys, KeyError> {
        let custody = custody.into();
        Keys::of(&custody, &custody.read()?)
    }

    pub(crate) fn vault_ids(&self) -> impl Iterator<Item = KeyId> {
        self.vault.iter().map(|key| key.id)
    }

    /// Every key by role and id, in the order of the file: the first of a role is the one in use.
    pub fn ids(&self) -> Vec<(&'static str, KeyId)> {
        let vault = self.vault.iter().map(|key| ("vault", key.id));
        let log = self.log_seeds.iter().map(|seed| ("log", KeyId::of("log", seed)));
        let index = [("index", KeyId::of("index", &self.index_key))];
        let escrow = self.escrow_key.iter().map(|key| (ESCROW, KeyId::of(ESCROW, key)));
        vault.chain(log).chain(index).chain(escrow).collect()
    }

    fn of(custody: &Custody, text: &str) -> Result<Keys, KeyError> {
        Keys::parse(text).map_err(|(line, why)| match custody.path() {
            Ok(path) => KeyError::Malformed { path, line, why },
            Err(other) => other,
        })
    }

    /// What the keys that sign the log are made from, the newest first.
    pub(crate) fn log_seeds(&self) -> &[Zeroizing<[u8; 32]>] {
        &self.log_seeds
    }

    /// A digest to search by, without what was digested: equal values of one domain have equal digests, and without
    /// the index key nothing else can be learned, not even by trying every value there is.
    pub fn blind(&self, domain: &str, value: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.index_key.as_slice()).expect("HMAC takes a key of any size");
        mac.update(b"countersign/blind/v1\0");
        // The size of the domain, so that no two pairs run together into the same bytes.
        mac.update(&(domain.len() as u64).to_be_bytes());
        mac.update(domain.as_bytes());
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().into()
    }

    pub(crate) fn current(&self) -> &VaultKey {
        self.vault.first().expect("by `parse`, which wants one")
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<&VaultKey> {
        self.vault.iter().find(|key| key.id == id)
    }

    pub(crate) fn describe_vault_keys(&self) -> String {
        let ids: Vec<String> = self.vault.iter().map(|key| format!("`{}`", key.id)).collect();
        ids.join(", ")
    }

    /// Errors are the number of the line, 0 for the file as a whole, and what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Keys, (usize, &'static str)> {
        // Of their whole size from the start, so that they leave no copy behind.
        let (mut vault, mut log_seeds) = (Vec::with_capacity(VAULT_KEYS_MAX), Vec::with_capacity(LOG_KEYS_MAX));
        let (mut index_key, mut escrow_key) = (None, None);
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why| (number, why);
            let [role, id, key] = *line.split(' ').collect::<Vec<_>>() else {
                return Err(wrong("a line is a role, a key id and a key, with a space between"));
            };
            let key: Zeroizing<[u8; 32]> =
                from_hex(key).ok_or(wrong("a key is 64 hexadecimal digits, a to f small"))?;
            if KeyId::of(role, &key).to_string() != id {
                return Err(wrong("the key does not fit its key id: one of them was mistyped"));
            }
            let twice = match role {
                "vault" if vault.len() == VAULT_KEYS_MAX => return Err(wrong("there are more than 64 vault keys")),
                "log" if log_seeds.len() == LOG_KEYS_MAX => return Err(wrong("there are more than 64 log keys")),
                "vault" => {
                    let id = KeyId::of(role, &key);
                    let twice = vault.iter().any(|other: &VaultKey| other.id == id);
                    vault.push(VaultKey { id, cipher: Aes256Gcm::new((&*key).into()) });
                    twice
                }
                "log" => {
                    let twice = log_seeds.contains(&key);
                    log_seeds.push(key);
                    twice
                }
                "index" => index_key.replace(key).is_some(),
                ESCROW => escrow_key.replace(key).is_some(),
                _ => return Err(wrong("the roles are `vault`, `log`, `index` and `escrow`")),
            };
            if twice {
                return Err(wrong("this key is there twice"));
            }
        }
        if vault.is_empty() {
            let why = if text.is_empty() { "it is empty" } else { "there is no vault key: it is cut, or no key file" };
            return Err((0, why));
        }
        if log_seeds.is_empty() {
            return Err((0, "there is no log key"));
        }
        let index_key = index_key.ok_or((0, "there is no index key"))?;
        Ok(Keys { vault, log_seeds, index_key, escrow_key })
    }
}

impl KeyId {
    /// §6. `role` keeps the ids of equal bytes in different roles apart.
    pub(crate) fn of(role: &str, key: &[u8; 32]) -> KeyId {
        let hash = Sha256::new().chain_update("countersign/key-id/v1\0").chain_update(role).chain_update([0]);
        let hash: [u8; 32] = hash.chain_update(key).finalize().into();
        let (id, _rest) = hash.split_first_chunk().expect("8 of 32");
        KeyId(*id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Ids only: no secret of these may ever reach a log.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys(vault {})", self.describe_vault_keys())
    }
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("there are keys in `{path}` already, or some being written; they are never overwritten")]
    Exists { path: PathBuf },
    /// Of the copy that the shares open.
    #[error("there are no keys in `{path}`")]
    Missing { path: PathBuf },
    #[error(
        "there are no keys in `{path}`: bring them back from a copy, or with two shares (`countersign keys recover`)"
    )]
    Lost { path: PathBuf },
    #[error("`{path}` was replaced, but what it was before could not be written over: the disk has it still")]
    Left { path: PathBuf, source: io::Error },
    #[error("others may use `{path}`: its mode is {mode:04o}, it must be {must:04o}")]
    Exposed { path: PathBuf, mode: u32, must: u32 },
    #[error("`{path}` has {size} bytes, at most {max} are read")]
    TooLarge { path: PathBuf, size: u64, max: u64 },
    #[error("`{path}` is not a sealed key file: {why}")]
    NotSealed { path: PathBuf, why: String },
    #[error("`{path}` is kept by `{sealing}`, which was not asked to open it")]
    Closed { path: PathBuf, sealing: Sealing },
    #[error("`{path}` is now kept by `{sealing}` with another key than when this program opened it; start it again")]
    Moved { path: PathBuf, sealing: Sealing },
    #[error("`{path}` does not open with what `{sealing}` gave: that is another key, or the file was altered")]
    Shut { path: PathBuf, sealing: Sealing },
    #[error("`{path}` opens with shares of set {needs}, these are of set {given}")]
    OtherShares { path: PathBuf, needs: String, given: String },
    #[error(transparent)]
    Shares(#[from] ShareError),
    #[error(
        "the copy for the shares, `{path}`, is for shares of another set than this key file's, so this may be an older key file: bring the newest one here, or make new shares with `countersign keys escrow`"
    )]
    OtherCopy { path: PathBuf },
    #[error("the shares could not be shown, so nothing was changed")]
    NotShown(#[source] io::Error),
    #[error("another process is changing the keys in `{path}`; try again")]
    Busy { path: PathBuf },
    #[error("there are {n_keys} {role} keys, at most {max} may be kept")]
    TooMany { role: &'static str, n_keys: usize, max: usize },
    #[error("`{path}`{}: {why}", in_line(*.line))]
    Malformed { path: PathBuf, line: usize, why: &'static str },
    #[error("cannot {doing} `{path}`")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the operating system gives no random bytes")]
    NoRandomness(#[source] getrandom::Error),
}

fn in_line(line: usize) -> String {
    if line == 0 { String::new() } else { format!(", line {line}") }
}

const NOTE: &str = "\
# The keys of this installation. Keep a copy in another place, and let nobody read it:
# without the vault keys nothing that was sealed can be opened again.
";

const ESCROW: &str = "escrow";
/// A role, an id and a key; the longest has 88 characters.
const LINE_BYTES_MAX: usize = 128;

/// 32 random bytes that a custodian is to keep.
pub fn new_key() -> Result<SecretBox<[u8; 32]>, KeyError> {
    let mut key = SecretBox::<[u8; 32]>::default();
    getrandom::fill(key.expose_secret_mut()).map_err(KeyError::NoRandomness)?;
    Ok(key)
}

fn random() -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(KeyError::NoRandomness)?;
    Ok(key)
}

/// A line of the key file. The text has room for it, or it would move and leave a copy behind.
fn push_line(text: &mut String, role: &str, key: &[u8; 32]) {
    text.push_str(&format!("{role} {} ", KeyId::of(role, key)));
    for byte in key {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).expect("four bits"));
        }
    }
    text.push('\n');
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    fn digit(c: u8) -> Option<u8> {
        match c {
            b'0'..=b'9' => Some(c - b'0'),
            b'a'..=b'f' => Some(c - b'a' + 10),
            _ => None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
