//! Single steps of opening keys, for what fuzzes them.

use secrecy::SecretBox;
use zeroize::Zeroizing;

use super::sealed::{self, Lock};
use super::shares::{self, Share, ShareError};
use super::{KeyError, Keys};

/// The keys in the text of a key file, or the line that is wrong and why.
pub fn keys_of(text: &str) -> Result<Keys, (usize, &'static str)> {
    Keys::parse(text)
}

/// A sealed key file with this text.
pub fn seal_keys(lock: &Lock, text: &str) -> Result<Vec<u8>, KeyError> {
    sealed::seal(lock, text.as_bytes())
}

/// What was sealed in a key file, where it was sealed with this lock.
pub fn open_keys(lock: &Lock, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    sealed::sealing(sealed).ok().filter(|sealing| *sealing == lock.sealing)?;
    sealed::open(lock, sealed)
}

/// The key that two shares give.
pub fn combined(one: &Share, other: &Share) -> Result<SecretBox<[u8; 32]>, ShareError> {
    shares::combine(one, other)
}
