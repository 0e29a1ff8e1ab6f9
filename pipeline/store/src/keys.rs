//! The secrets of an installation: one text file, outside the data folder, that its owner alone may read.
//!
//! Without the vault keys nothing sealed can be opened again, by anyone. Its form is §6 of `vault/format.md`.

mod ring;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aes_gcm::{Aes256Gcm, KeyInit};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::vault::{make_folder, replace, write_new};

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
}

/// Wraps the data keys of files and values. The cipher wipes itself.
pub(crate) struct VaultKey {
    pub(crate) id: KeyId,
    pub(crate) cipher: Aes256Gcm,
}

/// Names a key without telling anything about it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyId(pub(crate) [u8; 8]);

impl Keys {
    /// Makes new keys in `dir`, which may be there already if nobody else can enter it. On return they are on the
    /// disk to stay. Never overwrites keys: what they sealed would be lost.
    pub fn create(dir: &Path) -> Result<Keys, KeyError> {
        let path = key_file(dir);
        make_folder(dir).map_err(io_error("make folder", dir))?;
        check_mode(dir, 0o700)?;
        let text = Zeroizing::new(format!("{NOTE}{}\n{}\n{}\n", *line("vault")?, *line("log")?, *line("index")?));
        write_new(&dir.join("keys.new"), &path, text.as_bytes()).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.clone() },
            _ => io_error("write", &path)(source),
        })?;
        Keys::open(dir)
    }

    /// Reads the keys in `dir`. Refuses a folder or file that others may read: it says the mode it has and the mode
    /// it must have.
    pub fn open(dir: &Path) -> Result<Keys, KeyError> {
        let path = key_file(dir);
        check_mode(dir, 0o700)?;
        check_mode(&path, 0o600)?;
        Keys::parse(&read(&path)?).map_err(|(line, why)| KeyError::Malformed { path, line, why })
    }

    /// Puts a new vault key before the ones in `dir`, which stay to open what they sealed. The log and index keys
    /// are as they were. Whoever calls this copies the file away before anything is sealed with the new key; one process
    /// at a time, and the others go on with the keys they opened.
    pub(crate) fn rotate(dir: &Path) -> Result<Keys, KeyError> {
        Keys::put_before(dir, "vault", Keys::open(dir)?.vault.len(), VAULT_KEYS_MAX)
    }

    /// As [`Keys::rotate`], for the key that signs the log. The ones before stay, to tell what they signed.
    pub(crate) fn rotate_log(dir: &Path) -> Result<Keys, KeyError> {
        Keys::put_before(dir, "log", Keys::open(dir)?.log_seeds.len(), LOG_KEYS_MAX)
    }

    /// Takes a vault key out of the file, which MUST have another before it.
    pub(crate) fn retire(dir: &Path, id: &str) -> Result<(), KeyError> {
        let path = key_file(dir);
        let text = read(&path)?;
        let retired = format!("vault {id} ");
        let kept = Zeroizing::new(text.lines().filter(|line| !line.starts_with(&retired)).fold(
            String::with_capacity(text.len()),
            |mut kept, line| {
                kept.push_str(line);
                kept.push('\n');
                kept
            },
        ));
        Keys::parse(&kept).map_err(|(line, why)| KeyError::Malformed { path: path.clone(), line, why })?;
        replace(&dir.join("keys.new"), &path, kept.as_bytes()).map_err(io_error("write", &path))
    }

    pub(crate) fn vault_ids(&self) -> impl Iterator<Item = KeyId> {
        self.vault.iter().map(|key| key.id)
    }

    fn put_before(dir: &Path, role: &'static str, n_keys: usize, max: usize) -> Result<Keys, KeyError> {
        if max <= n_keys {
            return Err(KeyError::TooMany { role, n_keys, max });
        }
        let path = key_file(dir);
        let text = Zeroizing::new(format!("{}\n{}", *line(role)?, *read(&path)?));
        replace(&dir.join("keys.new"), &path, text.as_bytes()).map_err(io_error("write", &path))?;
        Keys::open(dir)
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
        let (mut vault, mut log_seeds, mut index_key) = (Vec::new(), Vec::new(), None);
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
                _ => return Err(wrong("the roles are `vault`, `log` and `index`")),
            };
            if twice {
                return Err(wrong("this key is there twice"));
            }
        }
        if vault.is_empty() {
            return Err((0, "there is no vault key"));
        }
        if VAULT_KEYS_MAX < vault.len() || LOG_KEYS_MAX < log_seeds.len() {
            return Err((0, "there are more than 64 vault keys or log keys"));
        }
        if log_seeds.is_empty() {
            return Err((0, "there is no log key"));
        }
        let index_key = index_key.ok_or((0, "there is no index key"))?;
        Ok(Keys { vault, log_seeds, index_key })
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
    #[error("there are no keys in `{path}`")]
    Missing { path: PathBuf },
    #[error("others may use `{path}`: its mode is {mode:04o}, it must be {must:04o}")]
    Exposed { path: PathBuf, mode: u32, must: u32 },
    #[error("`{path}` has {size} bytes, at most {max} are read")]
    TooLarge { path: PathBuf, size: u64, max: u64 },
    #[error("there are {n_keys} {role} keys, at most {max} may be kept")]
    TooMany { role: &'static str, n_keys: usize, max: usize },
    #[error("`{path}`, line {line}: {why}")]
    Malformed { path: PathBuf, line: usize, why: &'static str },
    #[error("cannot {doing} `{path}`")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the operating system gives no random bytes")]
    NoRandomness(#[source] getrandom::Error),
}

const NOTE: &str = "\
# The keys of this installation. Keep a copy in another place, and let nobody read it:
# without the vault keys nothing that was sealed can be opened again.
";

fn key_file(dir: &Path) -> PathBuf {
    dir.join("keys")
}

/// A line of the key file with a new key.
fn line(role: &str) -> Result<Zeroizing<String>, KeyError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(KeyError::NoRandomness)?;
    let mut line = Zeroizing::new(String::with_capacity(128));
    line.push_str(&format!("{role} {} ", KeyId::of(role, &key)));
    for byte in key.iter() {
        for digit in [byte >> 4, byte & 15] {
            line.push(char::from_digit(digit.into(), 16).expect("four bits"));
        }
    }
    Ok(line)
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

fn check_mode(path: &Path, must: u32) -> Result<(), KeyError> {
    let found = fs::metadata(path).map_err(missing_or("look at", path))?;
    let mode = found.permissions().mode() & 0o7777;
    if mode & !must & 0o777 != 0 { Err(KeyError::Exposed { path: path.to_owned(), mode, must }) } else { Ok(()) }
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let size = fs::metadata(path).map_err(missing_or("look at", path))?.len();
    if KEY_FILE_BYTES_MAX < size {
        return Err(KeyError::TooLarge { path: path.to_owned(), size, max: KEY_FILE_BYTES_MAX });
    }
    // With its whole size from the start the text never moves, and leaves no copy behind that nobody wipes.
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX as usize + 1));
    let file = File::open(path).map_err(missing_or("read", path))?;
    file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text).map_err(io_error("read", path))?;
    Ok(text)
}

fn missing_or(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::NotFound => KeyError::Missing { path },
        _ => KeyError::Io { doing, path, source },
    }
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use tempfile::TempDir;

    use super::*;

    fn made() -> (TempDir, PathBuf, Keys) {
        let parent = TempDir::new().unwrap();
        let dir = parent.path().join("keys");
        let keys = Keys::create(&dir).unwrap();
        (parent, dir, keys)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn keys_come_back_as_they_were_made() {
        let (_parent, dir, made) = made();
        let opened = Keys::open(&dir).unwrap();
        assert_eq!(opened.log_seeds(), made.log_seeds());
        assert_eq!(opened.blind("iban", "DE02"), made.blind("iban", "DE02"));
        assert_eq!(opened.current().id, made.current().id);
        assert_ne!(*opened.log_seeds()[0], [0; 32]);
    }

    #[test]
    fn keys_are_never_overwritten() {
        let (_parent, dir, made) = made();
        assert!(matches!(Keys::create(&dir), Err(KeyError::Exists { .. })));
        assert_eq!(Keys::open(&dir).unwrap().current().id, made.current().id);
    }

    #[test]
    fn keys_that_others_may_use_are_refused_with_both_modes() {
        let (_parent, dir, _keys) = made();
        let file = key_file(&dir);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        for (path, mode, must) in [(&file, 0o640, "0600"), (&file, 0o602, "0600"), (&dir, 0o701, "0700")] {
            let proper = fs::metadata(path).unwrap().permissions().mode();
            chmod(path, mode);
            let refusal = Keys::open(&dir).unwrap_err().to_string();
            let path_shown = path.display();
            assert_eq!(refusal, format!("others may use `{path_shown}`: its mode is {mode:04o}, it must be {must}"));
            chmod(path, proper);
        }
        chmod(&file, 0o400);
        Keys::open(&dir).unwrap();
    }

    #[test]
    fn no_keys_are_made_where_others_may_enter() {
        let dir = TempDir::new().unwrap();
        chmod(dir.path(), 0o755);
        assert!(matches!(Keys::create(dir.path()), Err(KeyError::Exposed { mode: 0o755, must: 0o700, .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn missing_keys_are_said_to_be_missing() {
        let dir = TempDir::new().unwrap();
        chmod(dir.path(), 0o700);
        assert!(matches!(Keys::open(dir.path()), Err(KeyError::Missing { .. })));
        assert!(matches!(Keys::open(&dir.path().join("nowhere")), Err(KeyError::Missing { .. })));
    }

    #[test]
    fn a_mistyped_key_file_is_refused_with_its_line() {
        let (_parent, dir, _keys) = made();
        let text = fs::read_to_string(key_file(&dir)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let vault = lines.iter().position(|line| line.starts_with("vault")).unwrap();
        let flip = |digit: char| if digit == '0' { '1' } else { '0' };
        let mistyped = |at: usize| -> String {
            let typed = lines[vault].char_indices().map(|(i, c)| if i == at { flip(c) } else { c }).collect::<String>();
            text.replace(lines[vault], &typed)
        };
        assert_eq!(Keys::parse(&text).map(drop), Ok(()));
        for at in 0..lines[vault].len() {
            assert_eq!(Keys::parse(&mistyped(at)).map(drop).unwrap_err().0, vault + 1, "digit {at}");
        }
        let twice = format!("{text}{}", lines[vault]);
        assert_eq!(Keys::parse(&twice).map(drop).unwrap_err(), (lines.len() + 1, "this key is there twice"));
        for role in ["vault", "log", "index"] {
            let without: String =
                lines.iter().filter(|line| !line.starts_with(role)).map(|l| format!("{l}\n")).collect();
            assert_eq!(Keys::parse(&without).map(drop).unwrap_err().0, 0, "no {role} key");
        }
    }

    #[test]
    fn blind_digests_tell_equal_from_unequal_and_keep_domains_apart() {
        let (_parent, _dir, keys) = made();
        assert_eq!(keys.blind("iban", "DE02"), keys.blind("iban", "DE02"));
        assert_ne!(keys.blind("iban", "DE02"), keys.blind("iban", "DE03"));
        assert_ne!(keys.blind("iban", "DE02"), keys.blind("ibanD", "E02"));
        let (_parent, _dir, others) = made();
        assert_ne!(keys.blind("iban", "DE02"), others.blind("iban", "DE02"));
    }

    #[test]
    fn a_new_vault_key_leaves_the_other_keys_as_they_were() {
        let (_parent, dir, before) = made();
        let after = Keys::rotate(&dir).unwrap();
        assert_ne!(after.current().id, before.current().id);
        assert!(after.find(before.current().id).is_some());
        assert_eq!(after.log_seeds(), before.log_seeds());
        assert_eq!(after.blind("iban", "DE02"), before.blind("iban", "DE02"));
        assert_eq!(fs::metadata(key_file(&dir)).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn no_more_keys_are_kept_than_can_be_read() {
        let (_parent, dir, _keys) = made();
        for _ in 1..VAULT_KEYS_MAX {
            Keys::rotate(&dir).unwrap();
        }
        assert!(matches!(Keys::rotate(&dir), Err(KeyError::TooMany { role: "vault", n_keys: 64, max: 64 })));
        Keys::open(&dir).unwrap();
    }

    #[test]
    fn no_secret_is_ever_printed() {
        let (_parent, dir, keys) = made();
        let text = fs::read_to_string(key_file(&dir)).unwrap();
        let shown = format!("{keys:?}");
        for key in text.lines().filter_map(|line| line.split(' ').nth(2)).filter(|key| key.len() == 64) {
            assert!(!shown.contains(key));
        }
        assert_eq!(shown, format!("Keys(vault `{}`)", keys.current().id));
    }
}
