//! Record keys: each wraps the data keys of one case's files and values, or of everything that belongs to no case.
//! They lie in the database, wrapped by a vault key (`format.md` §3): a new vault key makes the wrappings anew and
//! nothing else, and without its row a case opens never again.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{self, AeadInOut, KeyInit};
use zeroize::Zeroizing;

use super::seal::split;
use super::{BrokenSeal, VaultError};
use crate::keys::{KeyId, Keys, VaultKey};

/// The cipher wipes itself.
#[derive(Clone)]
pub(crate) struct RecordKey {
    pub(crate) id: KeyId,
    /// Whose installation it is; in the name of whatever is sealed.
    pub(super) tenant: [u8; 16],
    pub(super) cipher: Aes256Gcm,
}

/// §3: key id, id of the vault key, nonce, the key encrypted, its tag.
pub(crate) const WRAPPED_BYTES: usize = 8 + 8 + 12 + 32 + 16;

/// A new key of `owner`, and how it is kept: wrapped by the vault key `by`.
pub(crate) fn make(keys: &Keys, by: &VaultKey, owner: &str) -> Result<(RecordKey, [u8; WRAPPED_BYTES]), VaultError> {
    let mut fresh = Zeroizing::new([0; 32 + 12]);
    getrandom::fill(fresh.as_mut_slice()).map_err(VaultError::NoRandomness)?;
    let (secret, nonce) = split::<32, 12, _>(&fresh);
    Ok((record_key(keys, secret), wrap(keys, by, owner, secret, nonce)))
}

/// The key of `owner` out of what [`make`] or [`rewrap`] gave.
pub(crate) fn open(keys: &Keys, owner: &str, wrapped: &[u8]) -> Result<RecordKey, BrokenSeal> {
    Ok(record_key(keys, &*unwrap(keys, owner, wrapped)?))
}

/// The same key under the first vault key.
pub(crate) fn rewrap(keys: &Keys, owner: &str, wrapped: &[u8]) -> Result<[u8; WRAPPED_BYTES], VaultError> {
    let secret = unwrap(keys, owner, wrapped).map_err(|source| refused(owner, source))?;
    let mut nonce = [0; 12];
    getrandom::fill(&mut nonce).map_err(VaultError::NoRandomness)?;
    Ok(wrap(keys, keys.current(), owner, &secret, &nonce))
}

pub(super) fn wrap(
    keys: &Keys,
    by: &VaultKey,
    owner: &str,
    secret: &[u8; 32],
    nonce: &[u8; 12],
) -> [u8; WRAPPED_BYTES] {
    let id = KeyId::of("record", secret);
    let mut sealed = Zeroizing::new(*secret);
    let tag = by
        .cipher
        .encrypt_inout_detached(nonce.into(), &associated(keys, owner, id), sealed.as_mut_slice().into())
        .expect("32 bytes are far below the limit of the cipher");
    let parts: [&[u8]; 5] = [&id.0, &by.id.0, nonce, sealed.as_slice(), &tag];
    parts.concat().try_into().expect("the parts of a wrapped key are 76 bytes")
}

fn unwrap(keys: &Keys, owner: &str, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, BrokenSeal> {
    let wrapped: &[u8; WRAPPED_BYTES] =
        wrapped.try_into().map_err(|_| BrokenSeal::RecordKey { owner: owner.to_owned() })?;
    let (id, rest) = split::<8, 68, _>(wrapped);
    let (by, rest) = split::<8, 60, _>(rest);
    let (nonce, rest) = split::<12, 48, _>(rest);
    let (sealed, tag) = split::<32, 16, _>(rest);
    let needs = KeyId(*by);
    let Some(vault_key) = keys.find(needs) else {
        return Err(BrokenSeal::NoVaultKey { needs, have: keys.describe_vault_keys() });
    };
    let mut secret = Zeroizing::new(*sealed);
    vault_key
        .cipher
        .decrypt_inout_detached(
            nonce.into(),
            &associated(keys, owner, KeyId(*id)),
            secret.as_mut_slice().into(),
            tag.into(),
        )
        .map_err(|aead::Error| BrokenSeal::RecordKey { owner: owner.to_owned() })?;
    Ok(secret)
}

/// A wrapped key is of one installation and one owner, and is no other's.
fn associated(keys: &Keys, owner: &str, id: KeyId) -> Vec<u8> {
    [b"countersign/record-key/v1\0".as_slice(), &tenant(keys), &id.0, owner.as_bytes()].concat()
}

fn record_key(keys: &Keys, secret: &[u8; 32]) -> RecordKey {
    RecordKey { id: KeyId::of("record", secret), tenant: tenant(keys), cipher: Aes256Gcm::new(secret.into()) }
}

fn tenant(keys: &Keys) -> [u8; 16] {
    let digest = keys.blind("tenant", "");
    let (tenant, _) = split::<16, 16, _>(&digest);
    *tenant
}

pub(crate) fn refused(owner: &str, source: BrokenSeal) -> VaultError {
    let whose = if owner.is_empty() { "this installation".to_owned() } else { format!("case {owner}") };
    VaultError::Refused { what: format!("the record key of {whose}"), source }
}
