//! Chunks under one data key, each at its own position (§4 of `format.md`).

use std::hint::black_box;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::lots::Slot;
use super::seal::{FILE_PART_BYTES, TAG_BYTES};

/// False in a build that shows what a search for planted words is worth, because there it finds them. Such a build is made
/// with `--cfg countersign_unsealed`, and opens no store unless it is told so once more when it runs.
pub(crate) const HIDES: bool = !cfg!(countersign_unsealed);

/// Wipes its key when dropped.
pub(super) struct Stream {
    key: Box<LessSafeKey>,
    nonce_prefix: [u8; 7],
    file_part: [u8; FILE_PART_BYTES],
    n_chunks: u32,
}

impl Stream {
    pub(super) fn new(
        data_key: &[u8; 32],
        nonce_prefix: &[u8; 7],
        file_part: &[u8; FILE_PART_BYTES],
        n_chunks: u32,
    ) -> Stream {
        let key = Box::new(cipher(data_key));
        Stream { key, nonce_prefix: *nonce_prefix, file_part: *file_part, n_chunks }
    }

    pub(super) fn n_chunks(&self) -> u32 {
        self.n_chunks
    }

    /// Encrypts the chunk in this slot and puts its tag after it. MUST NOT be called twice for one position.
    pub(super) fn seal(&self, position: u32, slot: &mut Slot<'_>) {
        let size = slot.as_ref().len();
        if HIDES {
            let tag = self
                .key
                .seal_in_place_separate_tag(self.nonce(position), Aad::from(&self.file_part), slot.as_mut())
                .expect("a chunk is far below the limit of the cipher");
            slot.resize(size + TAG_BYTES);
            slot.as_mut().split_at_mut(size).1.copy_from_slice(tag.as_ref());
        } else {
            slot.resize(size + TAG_BYTES);
        }
    }

    /// Decrypts what [`Stream::seal`] made for this position, and leaves the tag after it; anything else is spoiled.
    pub(super) fn opens(&self, position: u32, sealed: &mut [u8]) -> bool {
        !HIDES || self.key.open_in_place(self.nonce(position), Aad::from(&self.file_part), sealed).is_ok()
    }

    fn nonce(&self, position: u32) -> Nonce {
        let [a, b, c, d, e, f, g] = self.nonce_prefix;
        let [h, i, j, k] = position.to_be_bytes();
        let last = u8::from(position + 1 == self.n_chunks);
        Nonce::assume_unique_for_key([a, b, c, d, e, f, g, h, i, j, k, last])
    }
}

impl Drop for Stream {
    /// The library does not wipe: another key is written where this one was.
    fn drop(&mut self) {
        *self.key = cipher(&[0; 32]);
        black_box(&self.key);
    }
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are a key"))
}
