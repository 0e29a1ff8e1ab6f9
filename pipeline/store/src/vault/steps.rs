//! Single steps of the vault, for the benchmark that sets them beside another program and for what fuzzes them.

use std::io::{Read, Write};

use uuid::Uuid;

use super::seal::{self, Place};
use super::{BrokenSeal, RecordKey, VaultError, open_value, record, seal_value, unsealed};
use crate::keys::Keys;

/// The record key of one owner.
#[expect(missing_debug_implementations, reason = "it is a key")]
pub struct Record(RecordKey);

impl Record {
    /// A new one, and the row of the key table that keeps it.
    pub fn make(keys: &Keys, owner: &str) -> Result<(Record, Vec<u8>), VaultError> {
        let (key, row) = record::make(keys, keys.current(), owner)?;
        Ok((Record(key), row.to_vec()))
    }

    pub fn open(keys: &Keys, owner: &str, row: &[u8]) -> Result<Record, BrokenSeal> {
        record::open(keys, owner, row).map(Record)
    }

    pub fn seal_file(
        &self,
        id: Uuid,
        size: u64,
        plain: &mut (dyn Read + Send),
        out: &mut (dyn Write + Send),
    ) -> Result<(), VaultError> {
        seal::seal(&self.0, Place::File(id), size, plain, out)
    }

    pub fn open_file(&self, id: Uuid, sealed: &[u8], out: &mut (dyn Write + Send)) -> Result<(), VaultError> {
        let opened = seal::open(&self.0, Place::File(id), sealed).map_err(unsealed(Place::File(id)))?;
        opened.copy_to(out).map_err(unsealed(Place::File(id)))
    }

    /// `size` bytes from `offset` on.
    pub fn open_part(&self, id: Uuid, sealed: &[u8], offset: u64, size: u64) -> Result<Vec<u8>, VaultError> {
        let opened = seal::open(&self.0, Place::File(id), sealed).map_err(unsealed(Place::File(id)))?;
        opened.range(offset, size).map_err(unsealed(Place::File(id)))
    }

    pub fn seal_value(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        seal_value(&self.0, context, plain)
    }

    /// As a case is kept.
    pub fn seal_json(&self, context: &str, value: &impl serde::Serialize) -> Result<Vec<u8>, crate::Error> {
        crate::sealed_json(&self.0, context, value)
    }

    pub fn open_value(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        open_value(&self.0, context, sealed)
    }
}
