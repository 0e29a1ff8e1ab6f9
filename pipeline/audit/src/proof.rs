//! RFC 6962 proofs: that an entry is in a tree, and that one tree continues another.

use crate::{Error, Hash, node_hash};

/// Longest proof of a tree below 2^53 entries, with room.
pub(crate) const PROOF_HASHES_MAX: usize = 64;

/// The hashes that lead from entry `index` to the root of a tree of `size` entries, the lowest first.
///
/// `subtree(level, n)` gives the root of the perfect subtree over the leaves n·2^level to (n+1)·2^level; it is asked
/// for at most some hundred of them, all inside the tree.
pub fn prove_inclusion(
    index: u64,
    size: u64,
    subtree: &mut dyn FnMut(u32, u64) -> Result<Hash, Error>,
) -> Result<Vec<Hash>, Error> {
    if size <= index || size >> 53 != 0 {
        return Err(Error::Proof { why: "is asked for an entry that the tree does not have" });
    }
    let (mut low, mut high) = (0, size);
    let mut proof = Vec::new();
    while 1 < high - low {
        let middle = low + split(high - low);
        if index < middle {
            proof.push(range_root(middle, high, subtree)?);
            high = middle;
        } else {
            proof.push(range_root(low, middle, subtree)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that show that the tree of `new` entries begins with the tree of `old` entries; `subtree` as in
/// [`prove_inclusion`].
pub fn prove_consistency(
    old: u64,
    new: u64,
    subtree: &mut dyn FnMut(u32, u64) -> Result<Hash, Error>,
) -> Result<Vec<Hash>, Error> {
    if new < old || new >> 53 != 0 {
        return Err(Error::Proof { why: "is asked for a tree that is longer than the newer one" });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut low, mut high) = (0, new);
    let mut proof = Vec::new();
    while high != old {
        let middle = low + split(high - low);
        if old <= middle {
            proof.push(range_root(middle, high, subtree)?);
            high = middle;
        } else {
            proof.push(range_root(low, middle, subtree)?);
            low = middle;
        }
    }
    if low != 0 {
        proof.push(range_root(low, high, subtree)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` leads from the leaf at `index` to `root`.
#[must_use]
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    if size <= index || PROOF_HASHES_MAX < proof.len() {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree `new_root` of `new` entries begins with the tree `old_root` of `old` entries.
#[must_use]
pub fn verify_consistency(old: u64, new: u64, old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> bool {
    if new < old || PROOF_HASHES_MAX < proof.len() {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == crate::Frontier::new().root();
    }
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    // When the old tree is a perfect one, its root is itself the first hash and is left out of the proof.
    let (start, rest) = match proof {
        rest if node == 0 => (*old_root, rest),
        [first, rest @ ..] => (*first, rest),
        [] => return false,
    };
    let (mut old_hash, mut new_hash) = (start, start);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

/// The largest power of two below `count`, which is more than one.
fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

/// The root over the leaves from `low` to `high`; `low` is a multiple of the largest power of two in the range.
pub(crate) fn range_root(
    low: u64,
    high: u64,
    subtree: &mut dyn FnMut(u32, u64) -> Result<Hash, Error>,
) -> Result<Hash, Error> {
    let count = high - low;
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        return subtree(level, low >> level);
    }
    let middle = low + split(count);
    let left = range_root(low, middle, subtree)?;
    Ok(node_hash(&left, &range_root(middle, high, subtree)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::tree::perfect_root;
    use crate::{Frontier, leaf_hash};

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    fn root(leaves: &[Hash]) -> Hash {
        let mut frontier = Frontier::new();
        leaves.iter().for_each(|leaf| frontier.append(*leaf));
        frontier.root()
    }

    fn subtree(leaves: &[Hash]) -> impl FnMut(u32, u64) -> Result<Hash, Error> {
        |level, n| Ok(perfect_root(&leaves[(n << level) as usize..((n + 1) << level) as usize]))
    }

    #[test]
    fn every_entry_of_every_small_tree_is_proved_and_nothing_else() {
        for size in 1..70 {
            let leaves = leaves(size);
            let root = root(&leaves);
            for index in 0..size {
                let proof = prove_inclusion(index, size, &mut subtree(&leaves)).unwrap();
                let leaf = leaves[index as usize];
                assert!(verify_inclusion(index, size, &leaf, &proof, &root), "{index} of {size}");
                assert!(!verify_inclusion(index, size, &Hash([1; 32]), &proof, &root));
                assert!(!verify_inclusion(index, size, &leaf, &proof, &leaf) || size == 1);
                assert!(!verify_inclusion(size, size, &leaf, &proof, &root));
                let other = (index + 1) % size;
                assert!(size == 1 || !verify_inclusion(other, size, &leaf, &proof, &root));
                for cut in 0..proof.len() {
                    assert!(!verify_inclusion(index, size, &leaf, &proof[..cut], &root));
                }
                let longer: Vec<Hash> = proof.iter().copied().chain([leaf]).collect();
                assert!(!verify_inclusion(index, size, &leaf, &longer, &root));
            }
        }
    }

    #[test]
    fn every_small_tree_is_proved_to_begin_with_every_smaller_one_and_nothing_else() {
        for new in 0..70_u64 {
            let leaves = leaves(new);
            let new_root = root(&leaves);
            for old in 0..=new {
                let old_root = root(&leaves[..old as usize]);
                let proof = prove_consistency(old, new, &mut subtree(&leaves)).unwrap();
                assert!(verify_consistency(old, new, &old_root, &new_root, &proof), "{old} of {new}");
                let strange = Hash([1; 32]);
                assert!(!verify_consistency(old, new, &strange, &new_root, &proof), "{old} of {new}");
                assert!(old == 0 || !verify_consistency(old, new, &old_root, &strange, &proof), "{old} of {new}");
                for changed in 0..proof.len() {
                    let mut proof = proof.clone();
                    proof[changed].0[0] ^= 1;
                    assert!(!verify_consistency(old, new, &old_root, &new_root, &proof));
                }
                let longer: Vec<Hash> = proof.iter().copied().chain([strange]).collect();
                assert!(!verify_consistency(old, new, &old_root, &new_root, &longer));
            }
        }
    }

    #[test]
    fn a_proof_about_entries_that_are_not_there_is_refused() {
        let mut never = |_: u32, _: u64| -> Result<Hash, Error> { panic!("not asked for") };
        assert!(prove_inclusion(5, 5, &mut never).is_err());
        assert!(prove_inclusion(0, 0, &mut never).is_err());
        assert!(prove_consistency(6, 5, &mut never).is_err());
        assert!(!verify_inclusion(0, 0, &Hash::ZERO, &[], &Hash::ZERO));
    }
}
