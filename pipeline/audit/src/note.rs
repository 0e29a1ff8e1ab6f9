//! The signed head of the log, in the file formats C2SP signed-note and tlog-checkpoint, Ed25519 only.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Error, Hash};

/// Largest head that is read; one with its signature has some 250 bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;
const SIGNATURES_MAX: usize = 100;
/// C2SP signed-note, "Signature types".
const ED25519: u8 = 1;
pub(crate) const ED25519_COSIGNATURE: u8 = 4;

/// What a signature of the log covers: how many entries, and the root of the tree over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// `audit.<host>/<tenant>/<n>`: which log.
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

/// The key that signs heads; wiped when dropped.
pub struct LogKey {
    origin: String,
    signing: SigningKey,
}

/// The public half, as an auditor is given it.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    origin: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// The checkpoint file of this head, signed. The key must be of the log that the head is of.
#[must_use]
pub fn sign(head: &TreeHead, key: &LogKey) -> String {
    sign_by(head, &[key])
}

/// The same with a signature line of each key, in this order: a head at which the log goes over to a new key is signed
/// by the old one and the new one.
#[must_use]
pub fn sign_by(head: &TreeHead, keys: &[&LogKey]) -> String {
    assert!(!keys.is_empty(), "a head is signed by a key");
    let text = format!("{}\n{}\n{}\n", head.origin, head.size, BASE64.encode(head.root.0));
    let mut note = format!("{text}\n");
    for key in keys {
        assert_eq!(head.origin, key.origin, "a log's head is signed by its own key");
        let signature = key.signing.sign(text.as_bytes()).to_bytes();
        note += &signature_line(&key.origin, key.verifier().id, &signature);
    }
    note
}

/// The head in a checkpoint file, if one of `keys` signed it and the head is of that key's log.
/// Signatures of other keys, such as witnesses, are passed over; one of a given key that does not fit is refused.
pub fn open_checkpoint(text: &[u8], keys: &[VerifierKey]) -> Result<TreeHead, Error> {
    let (head, signers) = read(text, keys)?;
    match signers.first() {
        Some(_) if signers.iter().any(|key| key.origin == head.origin) => Ok(head),
        Some(key) => Err(Error::OtherLog { found: head.origin, expected: key.origin.clone() }),
        None => match keys {
            [first, ..] if keys.iter().all(|key| key.origin != head.origin) => {
                Err(Error::OtherLog { found: head.origin, expected: first.origin.clone() })
            }
            _ => Err(Error::OtherKey { origin: head.origin }),
        },
    }
}

/// Which of `keys` signed the head in this checkpoint file: each once, in the order of their lines; perhaps none.
/// Refused is what is no head, and a signature of one of `keys` that does not fit.
pub fn signers(note: &[u8], keys: &[VerifierKey]) -> Result<Vec<VerifierKey>, Error> {
    Ok(read(note, keys)?.1.into_iter().cloned().collect())
}

/// What a timestamp on a signed head is over: SHA-256 of its text, from the origin to the last newline before the empty
/// line. Signatures that are added later do not change it.
pub fn head_digest(note: &[u8]) -> Result<[u8; 32], Error> {
    let (text, _) = split(note)?;
    read_head(text)?;
    Ok(Sha256::digest(text).into())
}

/// C2SP signed-note, "Signatures": lines of unknown keys are ignored, a known key's must fit.
pub(crate) fn read<'k>(note: &[u8], keys: &'k [VerifierKey]) -> Result<(TreeHead, Vec<&'k VerifierKey>), Error> {
    let (text, lines) = split(note)?;
    let head = read_head(text)?;
    let mut signers: Vec<&VerifierKey> = Vec::new();
    for line in lines {
        let (name, id, signature) = read_signature(line)?;
        let Some(key) = keys.iter().find(|key| key.origin == name && key.id == id) else { continue };
        let signature: Option<&[u8; 64]> = signature.as_slice().try_into().ok();
        if !signature.is_some_and(|signature| fits(&key.key, text.as_bytes(), signature)) {
            return Err(Error::Signature { name: name.to_owned() });
        }
        if !signers.contains(&key) {
            signers.push(key);
        }
    }
    Ok((head, signers))
}

/// `— name base64(id ‖ signature)` with its newline.
pub(crate) fn signature_line(name: &str, id: [u8; 4], signature: &[u8]) -> String {
    format!("— {name} {}\n", BASE64.encode([&id, signature].concat()))
}

pub(crate) fn fits(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
}

impl LogKey {
    /// A new key from the machine's random bytes.
    pub fn generate(origin: &str) -> Result<LogKey, Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|error| Error::Random { why: error.to_string() })?;
        LogKey::from_seed(origin, &seed)
    }

    /// The key that has this seed. Refuses an origin that cannot stand in a signed note.
    pub fn from_seed(origin: &str, seed: &[u8; 32]) -> Result<LogKey, Error> {
        check_name(origin)?;
        Ok(LogKey { origin: origin.to_owned(), signing: SigningKey::from_bytes(seed) })
    }

    /// What must be kept secret, to make the key again.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.signing.to_bytes())
    }

    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        let key = self.signing.verifying_key();
        VerifierKey { origin: self.origin.clone(), id: key_id(&self.origin, ED25519, &key), key }
    }

    /// `origin+id+key`: one line to give to auditors.
    #[must_use]
    pub fn verifier_key(&self) -> String {
        self.verifier().to_string()
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogKey({})", self.verifier())
    }
}

impl VerifierKey {
    /// Reads `origin+id+key`. Refuses other algorithms, and an id that is not that of the key.
    pub fn parse(text: &str) -> Result<VerifierKey, Error> {
        let (origin, id, key) = parse_key(text, ED25519)?;
        Ok(VerifierKey { origin, id, key })
    }

    /// The log that the key signs for.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&key_line(&self.origin, self.id, ED25519, &self.key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// Name, id and key of `name+id+key`, C2SP signed-note. Refuses another algorithm than `kind`, and any other spelling.
pub(crate) fn parse_key(text: &str, kind: u8) -> Result<(String, [u8; 4], VerifyingKey), Error> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Error::Key { why: "is not of the form name+id+key" });
    };
    check_name(name)?;
    let raw = BASE64.decode(key).map_err(|_| Error::Key { why: "is not in base64" })?;
    let raw = match raw.split_first_chunk::<1>() {
        Some(([found], raw)) if *found == kind => raw,
        Some(([ED25519_COSIGNATURE], _)) => return Err(Error::Key { why: "is that of a witness" }),
        Some(([ED25519], _)) => return Err(Error::Key { why: "is that of a log" }),
        _ => return Err(Error::Key { why: "is not for Ed25519" }),
    };
    let key = <&[u8; 32]>::try_from(raw).ok().and_then(|raw| VerifyingKey::from_bytes(raw).ok());
    let Some(key) = key.filter(|key| !key.is_weak()) else {
        return Err(Error::Key { why: "is not a point of Ed25519 that can sign" });
    };
    let id = key_id(name, kind, &key);
    if key_line(name, id, kind, &key) != text {
        return Err(Error::Key { why: "has an id that is not that of the key" });
    }
    Ok((name.to_owned(), id, key))
}

/// `name+id+key`
pub(crate) fn key_line(name: &str, id: [u8; 4], kind: u8, key: &VerifyingKey) -> String {
    let raw = [&[kind], key.as_bytes().as_slice()].concat();
    format!("{name}+{:08x}+{}", u32::from_be_bytes(id), BASE64.encode(raw))
}

/// First four bytes of SHA-256(name ‖ 0A ‖ kind ‖ key)
pub(crate) fn key_id(name: &str, kind: u8, key: &VerifyingKey) -> [u8; 4] {
    let [a, b, c, d, ..] =
        <[u8; 32]>::from(Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(key).finalize());
    [a, b, c, d]
}

pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let refused = |c: char| c == '+' || c.is_whitespace() || c.is_control();
    if name.is_empty() || 255 < name.len() || name.contains(refused) {
        return Err(Error::Key { why: "has a name that is not 1 to 255 bytes without spaces and plus signs" });
    }
    Ok(())
}

/// The signed text, its last newline included, and the signature lines.
pub(crate) fn split(note: &[u8]) -> Result<(&str, Vec<&str>), Error> {
    if HEAD_BYTES_MAX < note.len() {
        let size = note.len() as u64;
        return Err(Error::TooLarge { what: "the signed head", size, max: HEAD_BYTES_MAX as u64 });
    }
    let note = std::str::from_utf8(note).map_err(|_| Error::Head { why: "is not UTF-8" })?;
    if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(Error::Head { why: "has control characters" });
    }
    let Some((text, signatures)) = note.rsplit_once("\n\n") else {
        return Err(Error::Head { why: "has no signatures" });
    };
    let Some(text) = note.get(..=text.len()) else { unreachable!("a newline follows the text") };
    let Some(signatures) = signatures.strip_suffix('\n') else {
        return Err(Error::Head { why: "does not end with a newline" });
    };
    let lines: Vec<&str> = signatures.split('\n').collect();
    if SIGNATURES_MAX < lines.len() {
        return Err(Error::Head { why: "has more than 100 signatures" });
    }
    Ok((text, lines))
}

pub(crate) fn read_head(text: &str) -> Result<TreeHead, Error> {
    let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
        return Err(Error::Head { why: "has fewer than the three lines origin, size, root" });
    };
    if origin.is_empty() || lines.any(str::is_empty) {
        return Err(Error::Head { why: "has an empty line" });
    }
    let parsed: Option<u64> = size.parse().ok().filter(|n: &u64| n.to_string() == size && n >> 53 == 0);
    let Some(size) = parsed else {
        return Err(Error::Head { why: "has a size that is not a plain number below 2^53" });
    };
    let root = BASE64.decode(root).ok().and_then(|root| <[u8; 32]>::try_from(root).ok());
    let Some(root) = root else { return Err(Error::Head { why: "has a root that is not 32 bytes in base64" }) };
    Ok(TreeHead { origin: origin.to_owned(), size, root: Hash(root) })
}

/// Name, key id and signature of `— name base64`.
pub(crate) fn read_signature(line: &str) -> Result<(&str, [u8; 4], Vec<u8>), Error> {
    let malformed = Error::Head { why: "has a malformed signature line" };
    let Some((name, raw)) = line.strip_prefix("— ").and_then(|line| line.split_once(' ')) else {
        return Err(malformed);
    };
    let Ok(raw) = BASE64.decode(raw) else { return Err(malformed) };
    match raw.split_first_chunk::<4>() {
        Some((id, signature)) if check_name(name).is_ok() && !signature.is_empty() => {
            Ok((name, *id, signature.to_vec()))
        }
        _ => Err(malformed),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn key(seed: u8) -> LogKey {
        LogKey::from_seed("audit.example.com/acme/1", &[seed; 32]).unwrap()
    }

    fn head() -> TreeHead {
        TreeHead { origin: "audit.example.com/acme/1".into(), size: 70_000, root: Hash([5; 32]) }
    }

    #[test]
    fn a_signed_head_opens_with_the_key_as_it_is_handed_out() {
        let key = key(1);
        let known = VerifierKey::parse(&key.verifier_key()).unwrap();
        assert_eq!(known, key.verifier());
        assert_eq!(open_checkpoint(sign(&head(), &key).as_bytes(), &[known]).unwrap(), head());
        let again = LogKey::from_seed("audit.example.com/acme/1", &key.seed()).unwrap();
        assert_eq!(sign(&head(), &again), sign(&head(), &key));
    }

    #[test]
    fn two_new_keys_are_never_the_same_and_debug_shows_only_the_public_half() {
        let (a, b) = (LogKey::generate("a").unwrap(), LogKey::generate("a").unwrap());
        assert_ne!(a.verifier(), b.verifier());
        let seed: String = a.seed().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!format!("{a:?}").contains(&seed));
        assert!(format!("{a:?}").contains(&a.verifier_key()));
    }

    #[test]
    fn a_head_of_another_key_or_another_log_is_told_apart() {
        let known = [key(1).verifier()];
        let other_key = open_checkpoint(sign(&head(), &key(2)).as_bytes(), &known).unwrap_err();
        assert!(matches!(other_key, Error::OtherKey { .. }), "{other_key}");
        let stranger = LogKey::from_seed("audit.example.com/evil/1", &[1; 32]).unwrap();
        let strange = TreeHead { origin: "audit.example.com/evil/1".into(), ..head() };
        let other_log = open_checkpoint(sign(&strange, &stranger).as_bytes(), &known).unwrap_err();
        assert!(matches!(other_log, Error::OtherLog { .. }), "{other_log}");
    }

    #[test]
    fn a_head_signed_by_the_old_and_the_new_key_opens_with_either_and_names_both() {
        let (old, new, other) = (key(1), key(2), key(3));
        let note = sign_by(&head(), &[&old, &new]);
        assert_eq!(note.lines().count(), 6);
        for known in [vec![old.verifier()], vec![new.verifier()], vec![new.verifier(), old.verifier()]] {
            assert_eq!(open_checkpoint(note.as_bytes(), &known).unwrap(), head());
        }
        assert!(open_checkpoint(note.as_bytes(), &[other.verifier()]).is_err());
        let all = [other.verifier(), new.verifier(), old.verifier()];
        assert_eq!(signers(note.as_bytes(), &all).unwrap(), [old.verifier(), new.verifier()]);
        assert_eq!(signers(note.as_bytes(), &[other.verifier()]).unwrap(), []);
        let twice = format!("{note}{}\n", note.lines().last().unwrap());
        assert_eq!(signers(twice.as_bytes(), &all).unwrap().len(), 2);
        // A good line of one key does not make up for a bad one of another that is known.
        let (at, _) = note.char_indices().rev().nth(10).unwrap();
        let mut bad = note.clone().into_bytes();
        bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
        assert!(matches!(signers(&bad, &all), Err(Error::Signature { .. })));
        assert!(matches!(open_checkpoint(&bad, &all), Err(Error::Signature { .. })));
        assert_eq!(open_checkpoint(&bad, &[old.verifier()]).unwrap(), head());
    }

    #[test]
    fn signatures_of_unknown_keys_are_passed_over() {
        let witness = LogKey::from_seed("witness.example.org/1", &[9; 32]).unwrap();
        let mut note = sign(&head(), &key(1));
        let text = note.split_once("\n\n").unwrap().0.to_owned() + "\n";
        let mut raw = witness.verifier().id.to_vec();
        raw.extend(witness.signing.sign(text.as_bytes()).to_bytes());
        note += &format!("— witness.example.org/1 {}\n", BASE64.encode(raw));
        assert_eq!(open_checkpoint(note.as_bytes(), &[key(1).verifier()]).unwrap(), head());
        // A head of log A, signed by B alone, is not a head of A even to one who trusts both.
        let both = [key(1).verifier(), witness.verifier()];
        let lines: Vec<&str> = note.lines().collect();
        let by_witness = format!("{text}\n{}\n", lines[5]);
        assert!(matches!(open_checkpoint(by_witness.as_bytes(), &both), Err(Error::OtherLog { .. })));
    }

    #[test]
    fn every_flipped_bit_of_a_head_is_refused() {
        let (key, note) = (key(1), sign(&head(), &key(1)).into_bytes());
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut flipped = note.clone();
                flipped[at] ^= 1 << bit;
                assert!(open_checkpoint(&flipped, &[key.verifier()]).is_err(), "bit {bit} of byte {at}");
            }
        }
        for cut in 0..note.len() {
            assert!(open_checkpoint(&note[..cut], &[key.verifier()]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_verifier_key_with_any_character_changed_is_refused() {
        let text = key(1).verifier_key();
        for at in 0..text.len() {
            for other in "aZ09+/=-. \n".chars() {
                let mut changed = text.clone();
                changed.replace_range(at..=at, &other.to_string());
                assert!(changed == text || VerifierKey::parse(&changed).is_err(), "{changed}");
            }
        }
        for origin in ["", "a b", "a+b", "a\n"] {
            assert!(LogKey::from_seed(origin, &[1; 32]).is_err(), "{origin:?}");
        }
    }

    #[test]
    fn the_signature_of_the_specification_s_example_key_opens() {
        // The example of C2SP signed-note, signed by the key PeterNeumann of the Go project's note package.
        let key = VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let text =
            "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let raw = BASE64.decode(signature).unwrap();
        assert_eq!(raw[..4], key.id);
        let bytes: [u8; 64] = raw[4..].try_into().unwrap();
        assert!(key.key.verify_strict(text.as_bytes(), &Signature::from_bytes(&bytes)).is_ok());
    }
}
