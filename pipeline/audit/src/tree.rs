//! RFC 6962: the hash of a leaf, of a node, and of a growing list.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::Error;
use crate::lanes::{Message, hash_each};

/// A SHA-256 value; shown as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

/// SHA-256(00 ‖ leaf)
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// SHA-256(01 ‖ left ‖ right)
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut node = [1; 65];
    let (_, rest) = node.split_at_mut(1);
    let (first, second) = rest.split_at_mut(32);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    Hash(Sha256::digest(node).into())
}

/// The right edge of a growing tree: enough to append and to know the root, whatever the size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the perfect subtrees the size is made of, the largest first; one for each bit that is set.
    subtrees: Vec<Hash>,
}

impl Frontier {
    #[must_use]
    pub fn new() -> Frontier {
        Frontier::default()
    }

    /// How many leaves were appended.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn append(&mut self, leaf: Hash) {
        self.append_subtree(0, leaf);
    }

    /// The Merkle tree hash of all leaves; SHA-256 of nothing when there are none.
    #[must_use]
    pub fn root(&self) -> Hash {
        let right_to_left = self.subtrees.iter().rev().copied();
        right_to_left.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(|| Hash(Sha256::digest(b"").into()))
    }

    /// Version 1, the size in eight bytes with the greatest first, then the hashes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.extend(self.size.to_be_bytes());
        bytes.extend(self.subtrees.iter().flat_map(|hash| hash.0));
        bytes
    }

    /// Refuses another version and a number of hashes that does not fit the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Frontier, Error> {
        let Some((&[1], rest)) = bytes.split_first_chunk::<1>() else {
            return Err(Error::Frontier { why: "is not of version 1" });
        };
        let Some((size, hashes)) = rest.split_first_chunk::<8>() else {
            return Err(Error::Frontier { why: "ends inside its size" });
        };
        let size = u64::from_be_bytes(*size);
        let (hashes, []) = hashes.as_chunks::<32>() else {
            return Err(Error::Frontier { why: "ends inside a hash" });
        };
        if size >> 53 != 0 || size.count_ones() as usize != hashes.len() {
            return Err(Error::Frontier { why: "has a number of hashes that does not fit its size" });
        }
        Ok(Frontier { size, subtrees: hashes.iter().map(|hash| Hash(*hash)).collect() })
    }

    /// Appends a perfect subtree of 2^level leaves; the size must be a multiple of that.
    pub(crate) fn append_subtree(&mut self, level: u32, root: Hash) {
        assert_eq!(self.size & ((1 << level) - 1), 0, "a subtree is appended at a multiple of its size");
        let mut root = root;
        let mut carry = self.size >> level;
        while carry & 1 == 1 {
            let Some(left) = self.subtrees.pop() else { unreachable!("one subtree for each bit of the size") };
            root = node_hash(&left, &root);
            carry >>= 1;
        }
        self.subtrees.push(root);
        self.size += 1 << level;
    }
}

/// The root of a full tile.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    assert!(hashes.len().is_power_of_two(), "a perfect tree has a power of two of leaves");
    let mut row: Vec<[u8; 32]> = hashes.iter().map(|hash| hash.0).collect();
    let mut above = Vec::with_capacity(row.len() / 2);
    while 1 < row.len() {
        let (pairs, _) = row.as_flattened().as_chunks::<64>();
        hash_each(pairs, |pair| Message { before: Some(1), bytes: pair }, |hash| above.push(hash.0));
        std::mem::swap(&mut row, &mut above);
        above.clear();
    }
    row.first().map_or(Hash::ZERO, |root| Hash(*root))
}

impl Hash {
    /// `prev` of the first entry.
    pub const ZERO: Hash = Hash([0; 32]);

    /// None for anything but 64 lower-case hex digits.
    #[must_use]
    pub fn from_hex(hex: &[u8]) -> Option<Hash> {
        let hex: &[u8; 64] = hex.try_into().ok()?;
        let mut hash = Hash::ZERO;
        let (mut bad, (fours, _)) = (0, hash.0.as_chunks_mut::<4>());
        for (four, eight) in fours.iter_mut().zip(hex.as_chunks::<8>().0) {
            let (value, wrong) = hex_value(*eight);
            (*four, bad) = (value, bad | wrong);
        }
        (bad == 0).then_some(hash)
    }

    pub(crate) fn parse(field: &'static str, hex: &str) -> Result<Hash, Error> {
        Hash::from_hex(hex.as_bytes()).ok_or(Error::Field { field, why: "is not 64 digits of lower-case hex" })
    }
}

/// Whether these are digits of lower-case hex.
pub(crate) fn lower_hex(hex: &[u8]) -> bool {
    let (eights, []) = hex.as_chunks::<8>() else { return false };
    eights.iter().fold(0, |bad, eight| bad | hex_value(*eight).1) == 0
}

/// The four bytes that eight digits of lower-case hex spell, and zero; something else than zero if they are not digits.
/// All eight at once, and no sum here can overflow: a verifier reads two hundred of them an entry.
#[inline(always)]
fn hex_value(digits: [u8; 8]) -> ([u8; 4], u64) {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let digits = u64::from_le_bytes(digits);
    // `0` to `9` are 30 to 39, `a` to `f` are 61 to 66: a digit that has bit 6 stands for nine more than it ends with.
    let nines = ((digits >> 6) & ONES).wrapping_mul(9);
    let nibbles = (digits & (ONES * 0x0f)).wrapping_add(nines);
    let letters = (nibbles.wrapping_add(ONES * 6) >> 4) & ONES;
    let spelt = nibbles.wrapping_add(ONES * 0x30).wrapping_add(letters.wrapping_mul(39));
    let bad = (spelt ^ digits) | (nibbles & (ONES * 0xf0));
    let pairs = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (((fours | fours >> 16) as u32).to_le_bytes(), bad)
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// RFC 6962 section 2.1, word for word.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash(Sha256::digest(b"").into()),
            [leaf] => *leaf,
            _ => {
                let k = leaves.len().next_power_of_two() / 2;
                node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
            }
        }
    }

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn the_root_is_that_of_rfc_6962_at_every_size() {
        let leaves = leaves(1_030);
        let mut frontier = Frontier::new();
        for size in 0..=leaves.len() {
            if size < 70 || size % 53 == 0 || size.is_power_of_two() {
                assert_eq!(frontier.root(), mth(&leaves[..size]), "{size}");
            }
            assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).unwrap(), frontier);
            if let Some(leaf) = leaves.get(size) {
                frontier.append(*leaf);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_list_has_the_root_of_rfc_6962(list in proptest::collection::vec(proptest::array::uniform32(0u8..), 0..300)) {
            let leaves: Vec<Hash> = list.into_iter().map(Hash).collect();
            let mut frontier = Frontier::new();
            leaves.iter().for_each(|leaf| frontier.append(*leaf));
            assert_eq!(frontier.root(), mth(&leaves));
        }

        #[test]
        fn bytes_that_are_no_frontier_are_refused_and_never_panic(bytes in proptest::collection::vec(0u8.., 0..200)) {
            if let Ok(frontier) = Frontier::from_bytes(&bytes) {
                assert_eq!(frontier.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn every_other_character_than_a_digit_of_lower_case_hex_is_refused() {
        let hex: Vec<u8> = b"0123456789abcdef".iter().copied().cycle().take(64).collect();
        assert_eq!(Hash::from_hex(&hex).unwrap().to_string().as_bytes(), hex);
        for at in 0..64 {
            for byte in 0..=255_u8 {
                let mut other = hex.clone();
                other[at] = byte;
                let digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                assert_eq!((Hash::from_hex(&other).is_some(), lower_hex(&other)), (digit, digit), "{byte} at {at}");
                assert!(!digit || Hash::from_hex(&other).unwrap().to_string().as_bytes() == other);
            }
        }
        assert!(Hash::from_hex(&hex[1..]).is_none() && Hash::from_hex(&[hex.as_slice(), b"0"].concat()).is_none());
    }

    #[test]
    fn a_full_tile_appended_at_once_is_as_good_as_its_leaves() {
        let leaves = leaves(256 * 3);
        let (mut one_by_one, mut at_once) = (Frontier::new(), Frontier::new());
        leaves.iter().for_each(|leaf| one_by_one.append(*leaf));
        leaves.chunks(256).for_each(|tile| at_once.append_subtree(8, perfect_root(tile)));
        assert_eq!(one_by_one, at_once);
    }

    #[test]
    fn the_published_roots_of_rfc_6962_test_trees_come_out() {
        // The eight leaves and the root that certificate-transparency implementations share as test data.
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        inputs.iter().for_each(|input| frontier.append(leaf_hash(input)));
        assert_eq!(frontier.root().to_string(), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    }
}
