//! What a witness says of a head: that it is the newest it has seen of this log, and continues all it saw before.
//! C2SP tlog-cosignature, "Ed25519 signed message"; its signatures are further lines of the signed head.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::Error;
use crate::note::{
    ED25519_COSIGNATURE, check_name, fits, key_id, key_line, parse_key, read_head, read_signature, signature_line,
    split,
};

/// A witness as an auditor is given it.
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// The key that a witness signs with; wiped when dropped.
pub struct WitnessSigner {
    name: String,
    signing: SigningKey,
}

/// A cosignature that fits the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// Name of the witness.
    pub witness: String,
    /// When the witness signed, by its own clock: seconds since 1970, below 2^63.
    pub time: u64,
}

/// The cosignatures of `witnesses` on a signed head, in the order of their lines. Lines of others are passed over, and
/// so is the log's own: whether that fits is for [`crate::open_checkpoint`] to say. A line of a given witness that does
/// not fit is refused. A witness that signed more than once counts once, with its earliest time.
pub fn cosignatures(note: &[u8], witnesses: &[WitnessKey]) -> Result<Vec<Cosignature>, Error> {
    let (text, lines) = split(note)?;
    read_head(text)?;
    let mut found: Vec<Cosignature> = Vec::new();
    for line in lines {
        let (name, id, signature) = read_signature(line)?;
        let Some(witness) = witnesses.iter().find(|witness| witness.name == name && witness.id == id) else { continue };
        let Some(time) = witness.time_of(text, &signature) else {
            return Err(Error::Signature { name: name.to_owned() });
        };
        match found.iter_mut().find(|cosignature| cosignature.witness == name) {
            Some(earlier) => earlier.time = earlier.time.min(time),
            None => found.push(Cosignature { witness: name.to_owned(), time }),
        }
    }
    Ok(found)
}

/// The signed head with these signature lines after its own; a key that has a line there already gets no second one.
/// Refused is a line that is malformed, and a head that would be too large to be read. Nothing is verified: ask
/// [`cosignatures`] of what a witness answered before keeping it.
pub fn with_signatures(note: &[u8], lines: &[&str]) -> Result<String, Error> {
    let (text, there) = split(note)?;
    read_head(text)?;
    let mut signers = Vec::new();
    let mut signed = format!("{text}\n");
    for (is_new, line) in there.into_iter().map(|line| (false, line)).chain(lines.iter().map(|line| (true, *line))) {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let (name, id, _) = read_signature(line)?;
        if is_new && signers.contains(&(name, id)) {
            continue;
        }
        signers.push((name, id));
        signed += line;
        signed.push('\n');
    }
    split(signed.as_bytes())?;
    Ok(signed)
}

impl WitnessSigner {
    /// A new key from the machine's random bytes. A witness has a key of its own: no log's, and no other witness's.
    pub fn generate(name: &str) -> Result<WitnessSigner, Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|error| Error::Random { why: error.to_string() })?;
        WitnessSigner::from_seed(name, &seed)
    }

    /// The key that has this seed. Refuses a name that cannot stand in a signed note.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<WitnessSigner, Error> {
        check_name(name)?;
        Ok(WitnessSigner { name: name.to_owned(), signing: SigningKey::from_bytes(seed) })
    }

    /// What must be kept secret, to make the key again.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.signing.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn key(&self) -> WitnessKey {
        let key = self.signing.verifying_key();
        WitnessKey { name: self.name.clone(), id: key_id(&self.name, ED25519_COSIGNATURE, &key), key }
    }

    /// The signature line, with its newline, that says: at `time`, in seconds since 1970, this was the newest head.
    ///
    /// It signs whatever head it is given. That the log signed the head, and that it continues the last one that was
    /// cosigned, is for the caller to make sure.
    pub fn cosign(&self, note: &[u8], time: u64) -> Result<String, Error> {
        let (text, _) = split(note)?;
        read_head(text)?;
        let Some(message) = message(text, time) else {
            return Err(Error::Head { why: "cannot be cosigned at a time of 2^63 seconds or more" });
        };
        let signature = [&time.to_be_bytes(), self.signing.sign(&message).to_bytes().as_slice()].concat();
        Ok(signature_line(&self.name, self.key().id, &signature))
    }
}

impl fmt::Debug for WitnessSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessSigner({})", self.key())
    }
}

impl WitnessKey {
    /// Reads `name+id+key`. Refuses other algorithms, a log's key, and an id that is not that of the key.
    pub fn parse(text: &str) -> Result<WitnessKey, Error> {
        let (name, id, key) = parse_key(text, ED25519_COSIGNATURE)?;
        Ok(WitnessKey { name, id, key })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The time in a cosignature of this text; None when it is not one by this witness.
    fn time_of(&self, text: &str, signature: &[u8]) -> Option<u64> {
        let (time, signature) = signature.split_first_chunk::<8>()?;
        let time = u64::from_be_bytes(*time);
        fits(&self.key, &message(text, time)?, signature.try_into().ok()?).then_some(time)
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&key_line(&self.name, self.id, ED25519_COSIGNATURE, &self.key))
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({self})")
    }
}

/// None for a time of 2^63 or more, which the specification forbids.
fn message(text: &str, time: u64) -> Option<Vec<u8>> {
    (time >> 63 == 0).then(|| format!("cosignature/v1\ntime {time}\n{text}").into_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::{Hash, LogKey, TreeHead, VerifierKey, open_checkpoint, sign};

    /// 2026-11-22T10:00:00Z
    const TIME: u64 = 1_795_341_600;

    fn note() -> Vec<u8> {
        let origin = "audit.example.com/acme/1";
        let head = TreeHead { origin: origin.into(), size: 7, root: Hash([7; 32]) };
        sign(&head, &LogKey::from_seed(origin, &[1; 32]).unwrap()).into_bytes()
    }

    fn witness(n: u8) -> WitnessSigner {
        WitnessSigner::from_seed(&format!("witness.example.org/{n}"), &[n; 32]).unwrap()
    }

    fn cosigned(witnesses: &[(u8, u64)]) -> Vec<u8> {
        let lines: String = witnesses.iter().map(|(n, time)| witness(*n).cosign(&note(), *time).unwrap()).collect();
        [note(), lines.into_bytes()].concat()
    }

    #[test]
    fn the_witnesses_that_are_asked_about_are_found_with_their_times_and_others_are_passed_over() {
        let note = cosigned(&[(2, TIME), (3, 0), (4, (1 << 63) - 1)]);
        let known = [witness(4).key(), witness(2).key(), witness(5).key()];
        let found = cosignatures(&note, &known).unwrap();
        let named = |n, time| Cosignature { witness: format!("witness.example.org/{n}"), time };
        assert_eq!(found, [named(2, TIME), named(4, (1 << 63) - 1)]);
        assert_eq!(cosignatures(&note, &[]).unwrap(), []);
        assert_eq!(cosignatures(&self::note(), &known).unwrap(), []);
        let key = LogKey::from_seed("audit.example.com/acme/1", &[1; 32]).unwrap();
        assert_eq!(open_checkpoint(&note, &[key.verifier()]).unwrap().size, 7);
    }

    #[test]
    fn a_witness_that_signed_twice_counts_once_with_its_earliest_time() {
        let found = cosignatures(&cosigned(&[(2, TIME), (2, TIME - 9), (2, TIME + 9)]), &[witness(2).key()]).unwrap();
        assert_eq!(found, [Cosignature { witness: "witness.example.org/2".into(), time: TIME - 9 }]);
        let mut bad = cosigned(&[(2, TIME), (2, TIME - 9)]);
        let at = bad.len() - 9;
        bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
        assert!(matches!(cosignatures(&bad, &[witness(2).key()]), Err(Error::Signature { .. })));
    }

    #[test]
    fn a_cosignature_fits_one_head_and_one_time() {
        let line = witness(2).cosign(&note(), TIME).unwrap();
        let origin = "audit.example.com/acme/1";
        for (size, root) in [(8, 7), (7, 8)] {
            let head = TreeHead { origin: origin.into(), size, root: Hash([root; 32]) };
            let other = sign(&head, &LogKey::from_seed(origin, &[1; 32]).unwrap());
            let moved = with_signatures(other.as_bytes(), &[&line]).unwrap();
            assert!(matches!(cosignatures(moved.as_bytes(), &[witness(2).key()]), Err(Error::Signature { .. })));
        }
        assert!(witness(2).cosign(&note(), 1 << 63).is_err());
        assert!(witness(2).cosign(b"hello\n\n\xe2\x80\x94 a AAAAAAA=\n", TIME).is_err());
        // What the log's own key signs is no cosignature, and a cosignature is not what the log's key signs.
        let log = LogKey::from_seed("witness.example.org/2", &[2; 32]).unwrap();
        let as_log = VerifierKey::parse(&log.verifier_key()).unwrap();
        assert!(WitnessKey::parse(&as_log.to_string()).is_err());
        assert!(VerifierKey::parse(&witness(2).key().to_string()).is_err());
        assert!(open_checkpoint(&cosigned(&[(2, TIME)]), &[as_log]).is_err());
    }

    #[test]
    fn every_flipped_bit_of_a_cosigned_head_loses_the_cosignature() {
        let note = cosigned(&[(2, TIME)]);
        let log_line = self::note().len() - self::note().iter().rev().skip(1).position(|b| *b == b'\n').unwrap() - 1;
        let log_line = log_line..self::note().len();
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut flipped = note.clone();
                flipped[at] ^= 1 << bit;
                let found = cosignatures(&flipped, &[witness(2).key()]);
                // The log's own line is not what a witness signs.
                assert!(
                    found.is_err() || found.unwrap().is_empty() || log_line.contains(&at),
                    "bit {bit} of byte {at}"
                );
            }
        }
        for cut in 0..note.len() {
            assert!(cosignatures(&note[..cut], &[witness(2).key()]).map_or(true, |found| found.is_empty()), "{cut}");
        }
    }

    #[test]
    fn a_key_line_is_read_as_it_was_written_and_not_otherwise() {
        let text = witness(2).key().to_string();
        let key = WitnessKey::parse(&text).unwrap();
        assert_eq!((key.name(), &key), ("witness.example.org/2", &witness(2).key()));
        for at in 0..text.len() {
            for other in "aZ09+/=-. \n".chars() {
                let mut changed = text.clone();
                changed.replace_range(at..=at, &other.to_string());
                assert!(changed == text || WitnessKey::parse(&changed).is_err(), "{changed}");
            }
        }
        let again = WitnessSigner::from_seed("witness.example.org/2", &witness(2).seed()).unwrap();
        assert_eq!(again.cosign(&note(), TIME).unwrap(), witness(2).cosign(&note(), TIME).unwrap());
        let (a, b) = (WitnessSigner::generate("a").unwrap(), WitnessSigner::generate("a").unwrap());
        assert_ne!(a.key(), b.key());
        let seed: String = a.seed().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!format!("{a:?}").contains(&seed));
        assert!(WitnessSigner::from_seed("a b", &[1; 32]).is_err());
    }

    #[test]
    fn the_cosignature_in_the_specification_s_example_is_read_as_one() {
        // C2SP tlog-cosignature, first example: the time in the line is the one in its "Ed25519 signed message".
        let line = "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
        let (name, id, signature) = read_signature(line).unwrap();
        assert_eq!((name, id, signature.len()), ("witness.example.com/w1", [0x8d, 0x66, 0xcf, 0x3f], 72));
        assert_eq!(signature[..8], 1_679_315_147_u64.to_be_bytes());
    }

    #[test]
    fn lines_are_added_once_and_only_when_they_can_be_read_again() {
        let (two, three) = (witness(2).cosign(&note(), TIME).unwrap(), witness(3).cosign(&note(), TIME).unwrap());
        let added = with_signatures(&note(), &[&two, three.trim_end(), &two]).unwrap();
        assert_eq!(added.as_bytes(), cosigned(&[(2, TIME), (3, TIME)]));
        assert_eq!(with_signatures(added.as_bytes(), &[&three, &two]).unwrap(), added);
        let later = witness(2).cosign(&note(), TIME + 60).unwrap();
        assert_eq!(with_signatures(added.as_bytes(), &[&later]).unwrap(), added);
        let both = format!("{two}{three}");
        for line in ["", "\n", "hello", "— a", "— a AAAA", "- a AAAAAAA=", "— a+b AAAAAAA=", "— a AAAAAAB=", &both]
        {
            assert!(with_signatures(&note(), &[line]).is_err(), "{line:?}");
        }
        assert!(with_signatures(b"hello\n", &[&two]).is_err());
        let many: Vec<String> = (0..100).map(|n| two.replace("org/2", &format!("org/{n}"))).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(with_signatures(&note(), &many[..99]).is_ok());
        assert!(with_signatures(&note(), &many).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_never_panic(bytes in proptest::collection::vec(0u8.., 0..300), at in 0usize..400) {
            let _ = cosignatures(&bytes, &[witness(2).key()]);
            let mut note = cosigned(&[(2, TIME)]);
            let at = at % note.len();
            note.splice(at..at, bytes);
            let _ = cosignatures(&note, &[witness(2).key()]);
            let _ = with_signatures(&note, &["— a AAAAAAA="]);
        }
    }
}
