//! Changes of the key file: keys put before others and taken out, another custodian, the copy for the shares.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use zeroize::Zeroizing;

use super::custody::{self, Changing, EscrowCopy};
use super::{
    Custody, ESCROW, Escrow, KEY_FILE_BYTES_MAX, KeyError, KeyId, Keys, LINE_BYTES_MAX, LOG_KEYS_MAX, Lock, Sealing,
    Share, VAULT_KEYS_MAX, push_line, random, sealed, shares,
};

impl Keys {
    /// Puts a new vault key before the ones that are there, which stay to open what they sealed. The log and index keys
    /// are as they were. Whoever calls this copies the file away before anything is sealed with the new key; one process
    /// at a time, and the others go on with the keys they opened.
    pub(crate) fn rotate(custody: impl Into<Custody>) -> Result<Keys, KeyError> {
        Keys::put_before(&custody.into(), "vault", |keys| keys.vault.len(), VAULT_KEYS_MAX)
    }

    /// As [`Keys::rotate`], for the key that signs the log. The ones before stay, to tell what they signed.
    pub(crate) fn rotate_log(custody: &Custody) -> Result<Keys, KeyError> {
        Keys::put_before(custody, "log", |keys| keys.log_seeds.len(), LOG_KEYS_MAX)
    }

    /// Takes a vault key out of the file, which MUST have another before it.
    pub(crate) fn retire(custody: &Custody, id: &str) -> Result<Keys, KeyError> {
        let retired = format!("vault {id} ");
        Keys::change(custody, |_, before, after| {
            for line in before.lines().filter(|line| !line.starts_with(&retired)) {
                after.push_str(line);
                after.push('\n');
            }
            Ok(())
        })
    }

    fn put_before(
        custody: &Custody,
        role: &'static str,
        n_keys: impl Fn(&Keys) -> usize,
        max: usize,
    ) -> Result<Keys, KeyError> {
        Keys::change(custody, |keys, before, after| {
            let n_keys = n_keys(keys);
            if max <= n_keys {
                return Err(KeyError::TooMany { role, n_keys, max });
            }
            push_line(after, role, &*random()?);
            after.push_str(before);
            Ok(())
        })
    }

    /// Moves the key file to another custodian, or to a new key of the same one; None is a plain file. Whole or not at all:
    /// the old file is removed when the new one is on the disk. Programs that have it open must be started again.
    pub fn protect(custody: &Custody, lock: Option<Arc<Lock>>) -> Result<Custody, KeyError> {
        let changing = custody.change()?;
        let text = custody.read()?;
        let custody = Custody { lock, ..custody.clone() };
        Keys::put(&custody, &changing, &text)?;
        Ok(custody)
    }

    /// Makes a new escrow key, and three shares of which any two bring the key file back. They are shown before anything is
    /// changed, because nobody can make them again. Shares that were made before open older copies of the key file, and no
    /// copy from here on.
    pub fn new_escrow(custody: &Custody, show: impl FnOnce(&[Share; 3]) -> io::Result<()>) -> Result<(), KeyError> {
        let escrow = NewEscrow::draw()?;
        show(&escrow.shares).map_err(KeyError::NotShown)?;
        escrow.put(custody)
    }

    /// Writes the key file anew from the copy that these two shares open. Refused where there is a key file: it may be
    /// newer, so whoever cannot open it moves it away first.
    pub fn recover(custody: &Custody, one: &Share, other: &Share) -> Result<Keys, KeyError> {
        let key = shares::combine(one, other)?;
        let path = custody.escrow.clone().unwrap_or_default();
        let Some(EscrowCopy { sealing, bytes }) = custody.read_escrow()? else {
            return Err(KeyError::Missing { path });
        };
        let Sealing::Escrow(needs) = sealing else {
            return Err(KeyError::NotSealed { path, why: "it is no copy for shares".to_owned() });
        };
        let id = KeyId::of(ESCROW, key.expose_secret());
        if id != needs {
            let (needs, given) = (shares::set_name(needs), shares::set_name(id));
            return Err(KeyError::OtherShares { path, needs, given });
        }
        let lock = Lock { sealing, key };
        let text = sealed::open(&lock, &bytes).and_then(custody::as_text);
        let text = text.ok_or(KeyError::Shut { path, sealing: lock.sealing })?;
        let changing = custody.prepare()?;
        Keys::put(custody, &changing, &text)
    }

    /// Whether the shares would bring these keys back.
    pub fn escrow(&self, custody: &Custody) -> Result<Escrow, KeyError> {
        let Some(Lock { sealing: Sealing::Escrow(id), .. }) = self.escrow_lock() else { return Ok(Escrow::Never) };
        let set = shares::set_name(id);
        Ok(match self.copied(custody)? {
            Copied::Nothing => Escrow::Behind { set },
            Copied::OtherSet { .. } => Escrow::Other { set },
            Copied::Keys { keys, .. } => {
                let (copied, ours) = (keys.ids(), self.ids());
                if copied == ours {
                    Escrow::Whole { set }
                } else if copied.iter().all(|key| ours.contains(key)) {
                    Escrow::Behind { set }
                } else {
                    Escrow::Other { set }
                }
            }
        })
    }

    /// Brings a copy for the shares that a crash or a lost disk left behind up to date. What another process is doing just
    /// now is left to it.
    pub(crate) fn mend_escrow(&self, custody: &Custody) -> Result<(), KeyError> {
        if custody.escrow.is_none() || !matches!(self.escrow(custody)?, Escrow::Behind { .. }) {
            return Ok(());
        }
        match custody.change() {
            Err(KeyError::Busy { .. }) => Ok(()),
            Err(other) => Err(other),
            Ok(changing) => Keys::write_escrow(custody, &changing, &custody.read()?),
        }
    }

    /// Writes the text that `edit` makes of the keys and the text before. A key that the copy for the shares has and the key
    /// file has not, because it is an older one, is taken back from there first.
    fn change(
        custody: &Custody,
        edit: impl FnOnce(&Keys, &str, &mut String) -> Result<(), KeyError>,
    ) -> Result<Keys, KeyError> {
        let changing = custody.change()?;
        let found = custody.read()?;
        let before = match Keys::of(custody, &found)?.copied(custody)? {
            Copied::Keys { text, .. } => merged(&found, &text),
            Copied::Nothing => found,
            Copied::OtherSet { path } => return Err(KeyError::OtherCopy { path }),
        };
        Keys::write_changed(custody, &changing, &before, edit)
    }

    fn write_changed(
        custody: &Custody,
        changing: &Changing,
        before: &str,
        edit: impl FnOnce(&Keys, &str, &mut String) -> Result<(), KeyError>,
    ) -> Result<Keys, KeyError> {
        let keys = Keys::of(custody, before)?;
        // Never larger than it may be: it does not move, and leaves no copy behind.
        let mut after = room();
        edit(&keys, before, &mut after)?;
        let put = Keys::put(&custody.as_found()?, changing, &after);
        if put.is_err() && custody.read().is_ok_and(|now| *now != *after) {
            // The key file stayed as it was, and so must the copy, as far as the disk lets it.
            let _ = Keys::write_escrow(custody, changing, before);
        }
        put
    }

    /// The copy for the shares, where the shares of these keys open it.
    fn copied(&self, custody: &Custody) -> Result<Copied, KeyError> {
        let Some(lock) = self.escrow_lock() else { return Ok(Copied::Nothing) };
        match custody.read_escrow() {
            Ok(Some(copy)) if copy.sealing != lock.sealing => {
                Ok(Copied::OtherSet { path: custody.escrow.clone().unwrap_or_default() })
            }
            Ok(Some(copy)) => {
                let text = sealed::open(&lock, &copy.bytes).and_then(custody::as_text);
                let keys = text.as_ref().and_then(|text| Keys::parse(text).ok());
                Ok(text.zip(keys).map_or(Copied::Nothing, |(text, keys)| Copied::Keys { text, keys }))
            }
            Ok(None) | Err(KeyError::NotSealed { .. } | KeyError::TooLarge { .. }) => Ok(Copied::Nothing),
            Err(other) => Err(other),
        }
    }

    /// The copy for the shares goes first: no key is ever in use that it does not have.
    pub(super) fn put(custody: &Custody, changing: &Changing, text: &str) -> Result<Keys, KeyError> {
        let size = text.len() as u64;
        if KEY_FILE_BYTES_MAX < size {
            return Err(KeyError::TooLarge { path: custody.path()?, size, max: KEY_FILE_BYTES_MAX });
        }
        Keys::write_escrow(custody, changing, text)?;
        custody.write(changing, text)?;
        Keys::open(custody)
    }

    fn write_escrow(custody: &Custody, changing: &Changing, text: &str) -> Result<(), KeyError> {
        match Keys::of(custody, text)?.escrow_lock() {
            Some(lock) => custody.write_escrow(changing, &lock, text),
            None => Ok(()),
        }
    }

    fn escrow_lock(&self) -> Option<Lock> {
        let key = self.escrow_key.as_ref()?;
        let mut boxed = SecretBox::<[u8; 32]>::default();
        boxed.expose_secret_mut().copy_from_slice(key.as_slice());
        Some(Lock { sealing: Sealing::Escrow(KeyId::of(ESCROW, key)), key: boxed })
    }
}

/// What the copy for the shares gives to whoever has the key file.
enum Copied {
    /// It is not there, or damaged, or there are no shares.
    Nothing,
    /// Only the shares of another set open it.
    OtherSet {
        path: PathBuf,
    },
    Keys {
        text: Zeroizing<String>,
        keys: Keys,
    },
}

/// The key file, with the keys before it that only the copy has.
fn merged(found: &str, copy: &str) -> Zeroizing<String> {
    let mut text = room();
    let name = |line: &str| line.rsplit_once(' ').map(|(name, _)| name.to_owned());
    for line in copy.lines().filter(|line| line.starts_with("vault ") || line.starts_with("log ")) {
        if !found.lines().any(|ours| name(ours) == name(line)) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(found);
    text
}

/// For a key file: it never moves, and leaves no copy of itself behind.
fn room() -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(2 * KEY_FILE_BYTES_MAX as usize + LINE_BYTES_MAX))
}

/// An escrow key that is in no key file yet.
pub(crate) struct NewEscrow {
    key: Zeroizing<[u8; 32]>,
    pub(crate) shares: [Share; 3],
}

impl NewEscrow {
    pub(crate) fn draw() -> Result<NewEscrow, KeyError> {
        let key = random()?;
        let shares = shares::split(&key, KeyId::of(ESCROW, &key))?;
        Ok(NewEscrow { key, shares })
    }

    pub(crate) fn set_name(&self) -> String {
        shares::set_name(KeyId::of(ESCROW, &self.key))
    }

    /// Also over a copy that only the shares of another set open: what this key file has is what there is.
    pub(crate) fn put(&self, custody: &Custody) -> Result<(), KeyError> {
        let changing = custody.change()?;
        let found = custody.read()?;
        let before = match Keys::of(custody, &found)?.copied(custody)? {
            Copied::Keys { text, .. } => merged(&found, &text),
            Copied::Nothing | Copied::OtherSet { .. } => found,
        };
        Keys::write_changed(custody, &changing, &before, |_, before, after| {
            for line in before.lines().filter(|line| !line.starts_with("escrow ")) {
                after.push_str(line);
                after.push('\n');
            }
            push_line(after, ESCROW, &self.key);
            Ok(())
        })?;
        Ok(())
    }
}
