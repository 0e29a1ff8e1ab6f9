//! A receipt: that one entry is in the log, to be verified with nothing but the entry and the public key.
//! C2SP tlog-proof, "Format".

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::note::HEAD_BYTES_MAX;
use crate::proof::PROOF_HASHES_MAX;
use crate::{Error, Hash, TreeHead, VerifierKey, leaf_hash, open_checkpoint, verify_inclusion};

/// Largest extra data in a receipt.
pub const EXTRA_BYTES_MAX: usize = 64 << 10;
/// Largest receipt that is read: a head, the longest proof, and the extra data in base64.
pub const RECEIPT_BYTES_MAX: usize = HEAD_BYTES_MAX + (PROOF_HASHES_MAX + 2) * 48 + EXTRA_BYTES_MAX / 3 * 4 + 64;
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// What a receipt shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Where the entry stands in the log.
    pub index: u64,
    /// The signed head whose tree has it.
    pub head: TreeHead,
    /// That head as it was signed, to look for cosignatures on it.
    pub note: String,
    /// Empty when there are none. Nobody signed these bytes.
    pub extra: Vec<u8>,
}

/// The text of a receipt, by custom in a file `….tlog-proof`: the entry at `index` is in the tree of the signed head
/// `note`, as `proof` of [`crate::prove_inclusion`] shows. `extra` may be empty. Nothing is verified.
#[must_use]
pub fn write_receipt(index: u64, proof: &[Hash], note: &str, extra: &[u8]) -> String {
    let mut text = format!("{FIRST_LINE}\n");
    if !extra.is_empty() {
        text += &format!("extra {}\n", BASE64.encode(extra));
    }
    text += &format!("index {index}\n");
    for hash in proof {
        text += &BASE64.encode(hash.0);
        text.push('\n');
    }
    text + "\n" + note
}

/// Whether this receipt shows that `entry` is in a log that one of `keys` signed. `entry` is the sealed entry byte for
/// byte; what it says of itself is for the caller to read, such as an index, which must be this one.
pub fn verify_receipt(text: &[u8], entry: &[u8], keys: &[VerifierKey]) -> Result<Verified, Error> {
    let (size, max) = (text.len(), RECEIPT_BYTES_MAX);
    if max < size {
        return Err(Error::TooLarge { what: "the receipt", size: size as u64, max: max as u64 });
    }
    let text = std::str::from_utf8(text).map_err(|_| Error::Receipt { why: "is not UTF-8" })?;
    let Some((proof, note)) = text.split_once("\n\n") else {
        return Err(Error::Receipt { why: "has no empty line before its head" });
    };
    let (index, proof, extra) = read_proof(proof)?;
    let head = open_checkpoint(note.as_bytes(), keys)?;
    if head.size <= index {
        return Err(Error::Receipt { why: "is for an entry that its head does not have" });
    }
    if !verify_inclusion(index, head.size, &leaf_hash(entry), &proof, &head.root) {
        return Err(Error::Receipt { why: "is not for this entry, or its proof does not lead to its head" });
    }
    Ok(Verified { index, head, note: note.to_owned(), extra })
}

/// Index, hashes and extra data.
fn read_proof(text: &str) -> Result<(u64, Vec<Hash>, Vec<u8>), Error> {
    let mut lines = text.split('\n').peekable();
    if lines.next() != Some(FIRST_LINE) {
        return Err(Error::Receipt { why: "does not begin with the line `c2sp.org/tlog-proof@v1`" });
    }
    let mut extra = Vec::new();
    if let Some(line) = lines.next_if(|line| line.starts_with("extra ")) {
        let raw = line.strip_prefix("extra ").and_then(|line| BASE64.decode(line).ok());
        extra = raw.filter(|raw| !raw.is_empty()).ok_or(Error::Receipt { why: "has extra data that is not base64" })?;
        let (size, max) = (extra.len(), EXTRA_BYTES_MAX);
        if max < size {
            return Err(Error::TooLarge { what: "the extra data", size: size as u64, max: max as u64 });
        }
    }
    let index = lines.next().and_then(|line| line.strip_prefix("index "));
    let index = index.and_then(|digits| digits.parse().ok().filter(|index: &u64| index.to_string() == digits));
    let Some(index) = index else {
        return Err(Error::Receipt { why: "has no line `index` with a plain number" });
    };
    let mut proof = Vec::new();
    for line in lines {
        let hash = BASE64.decode(line).ok().and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        proof.push(Hash(hash.ok_or(Error::Receipt { why: "has a line that is not 32 bytes in base64" })?));
        if PROOF_HASHES_MAX < proof.len() {
            return Err(Error::Receipt { why: "has more than 64 hashes" });
        }
    }
    Ok((index, proof, extra))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::tree::perfect_root;
    use crate::{Frontier, LogKey, prove_inclusion, sign};

    const ORIGIN: &str = "audit.example.com/acme/1";

    fn entry(index: u64) -> Vec<u8> {
        format!("entry {index}").into_bytes()
    }

    fn key() -> LogKey {
        LogKey::from_seed(ORIGIN, &[1; 32]).unwrap()
    }

    fn receipt(index: u64, size: u64, extra: &[u8]) -> String {
        let leaves: Vec<Hash> = (0..size).map(|index| leaf_hash(&entry(index))).collect();
        let mut frontier = Frontier::new();
        leaves.iter().for_each(|leaf| frontier.append(*leaf));
        let mut subtree =
            |level: u32, n: u64| Ok(perfect_root(&leaves[(n << level) as usize..((n + 1) << level) as usize]));
        let proof = prove_inclusion(index, size, &mut subtree).unwrap();
        let note = sign(&TreeHead { origin: ORIGIN.into(), size, root: frontier.root() }, &key());
        write_receipt(index, &proof, &note, extra)
    }

    fn verified(text: &[u8], index: u64) -> Result<Verified, Error> {
        verify_receipt(text, &entry(index), &[key().verifier()])
    }

    #[test]
    fn a_receipt_is_for_its_entry_and_no_other() {
        for (index, size) in [(0, 1), (0, 2), (1, 2), (6, 7), (3, 7), (41, 60)] {
            let text = receipt(index, size, b"");
            let shown = verified(text.as_bytes(), index).unwrap();
            assert_eq!((shown.index, shown.head.size, shown.extra.len()), (index, size, 0));
            assert!(text.ends_with(&shown.note));
            assert!(verified(text.as_bytes(), index + 1).is_err());
            assert!(verify_receipt(text.as_bytes(), b"", &[key().verifier()]).is_err());
            let other = LogKey::from_seed(ORIGIN, &[2; 32]).unwrap().verifier();
            assert!(matches!(verify_receipt(text.as_bytes(), &entry(index), &[other]), Err(Error::OtherKey { .. })));
            assert!(verify_receipt(text.as_bytes(), &entry(index), &[]).is_err());
        }
    }

    #[test]
    fn extra_data_comes_back_and_is_not_what_is_proved() {
        let text = receipt(3, 7, b"from the desk");
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra ZnJvbSB0aGUgZGVzaw==\nindex 3\n"));
        assert_eq!(verified(text.as_bytes(), 3).unwrap().extra, b"from the desk");
        let most = receipt(0, 1, &vec![7; EXTRA_BYTES_MAX]);
        assert_eq!(verified(most.as_bytes(), 0).unwrap().extra.len(), EXTRA_BYTES_MAX);
        let more = receipt(0, 1, &vec![7; EXTRA_BYTES_MAX + 1]);
        assert!(matches!(verified(more.as_bytes(), 0), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn every_flipped_bit_of_a_receipt_is_refused() {
        for text in [receipt(3, 7, b""), receipt(0, 1, b"")] {
            let index = if text.contains("index 3") { 3 } else { 0 };
            for at in 0..text.len() {
                for bit in 0..8 {
                    let mut flipped = text.clone().into_bytes();
                    flipped[at] ^= 1 << bit;
                    assert!(verified(&flipped, index).is_err(), "bit {bit} of byte {at}");
                }
                assert!(verified(&text.as_bytes()[..at], index).is_err(), "cut at {at}");
            }
        }
    }

    #[test]
    fn what_the_specification_does_not_allow_is_refused() {
        let text = receipt(3, 7, b"x");
        let hash = text.lines().nth(3).unwrap();
        for (from, to) in [
            ("@v1", "@v2"),
            ("c2sp.org/tlog-proof@v1\n", ""),
            ("extra eA==\n", "extra \n"),
            ("extra eA==\n", "extra eB==\n"),
            ("extra eA==\n", "extra eA==\nextra eA==\n"),
            ("extra eA==\nindex 3\n", "index 3\nextra eA==\n"),
            ("index 3", "index 03"),
            ("index 3", "index +3"),
            ("index 3", "index 3 "),
            ("index 3", "index  3"),
            ("index 3", "index 18446744073709551616"),
            ("index 3", "index 7"),
            ("index 3\n", ""),
            (hash, ""),
            (hash, "AAAA"),
            ("\n\n", "\n"),
            ("\n", "\r\n"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert!(changed != text && verified(changed.as_bytes(), 3).is_err(), "{from:?} to {to:?}");
        }
        let many = text.replacen(hash, &format!("{hash}\n").repeat(70), 1);
        assert!(verified(many.as_bytes(), 3).is_err());
        let long = verified(&vec![b'a'; RECEIPT_BYTES_MAX + 1], 3).unwrap_err();
        assert!(matches!(long, Error::TooLarge { .. }), "{long}");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_refused_and_never_panic(bytes in proptest::collection::vec(0u8.., 0..300), at in 0usize..500) {
            assert!(verified(&bytes, 3).is_err());
            let mut text = receipt(3, 7, b"").into_bytes();
            let at = at % text.len();
            text.splice(at..at, bytes.clone());
            assert!(bytes.is_empty() || verified(&text, 3).is_err());
        }
    }
}
