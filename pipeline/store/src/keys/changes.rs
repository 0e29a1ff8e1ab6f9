//! Changes of the key file: keys put before others and taken out, another custodian, the copy for the shares.

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

    /// Makes a new escrow key, and three shares of which any two bring the key file back. Nobody can make these shares again.
    /// Shares that were made before open older copies of the key file, and no copy from here on.
    pub fn new_escrow(custody: &Custody) -> Result<[Share; 3], KeyError> {
        NewEscrow::draw()?.put(custody)
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
        let Some(lock) = self.escrow_lock() else { return Ok(Escrow::Never) };
        let Sealing::Escrow(id) = lock.sealing else { unreachable!("made so") };
        let set = shares::set_name(id);
        let sealed = match custody.read_escrow() {
            Ok(Some(copy)) if copy.sealing != lock.sealing => return Ok(Escrow::Other { set }),
            Ok(Some(copy)) => copy.bytes,
            Ok(None) | Err(KeyError::NotSealed { .. } | KeyError::TooLarge { .. }) => {
                return Ok(Escrow::Behind { set });
            }
            Err(other) => return Err(other),
        };
        let text = sealed::open(&lock, &sealed).and_then(custody::as_text);
        let Some(copy) = text.and_then(|text| Keys::parse(&text).ok()) else { return Ok(Escrow::Behind { set }) };
        let (copied, ours) = (copy.ids(), self.ids());
        Ok(if copied == ours {
            Escrow::Whole { set }
        } else if copied.iter().all(|key| ours.contains(key)) {
            Escrow::Behind { set }
        } else {
            Escrow::Other { set }
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

    /// Writes the text that `edit` makes of the keys and the text before.
    fn change(
        custody: &Custody,
        edit: impl FnOnce(&Keys, &str, &mut String) -> Result<(), KeyError>,
    ) -> Result<Keys, KeyError> {
        let changing = custody.change()?;
        let before = custody.read()?;
        let keys = Keys::of(custody, &before)?;
        // Never larger than it may be: it does not move, and leaves no copy behind.
        let mut after = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX as usize + LINE_BYTES_MAX));
        edit(&keys, &before, &mut after)?;
        Keys::put(&custody.as_found()?, &changing, &after)
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

/// An escrow key that is in no key file yet.
pub(crate) struct NewEscrow {
    key: Zeroizing<[u8; 32]>,
    shares: [Share; 3],
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

    pub(crate) fn put(self, custody: &Custody) -> Result<[Share; 3], KeyError> {
        Keys::change(custody, |_, before, after| {
            for line in before.lines().filter(|line| !line.starts_with("escrow ")) {
                after.push_str(line);
                after.push('\n');
            }
            push_line(after, ESCROW, &self.key);
            Ok(())
        })?;
        Ok(self.shares)
    }
}
