//! The sealed entry: a body, its place, the hash of the entry before, and the time it was sealed.

use crate::canonical::Scan;
use crate::entry::BODY_BYTES_MAX;
use crate::glance::Glance;
use crate::time::Calendar;
use crate::{Error, Hash, rfc3339};

/// Largest sealed entry: 32 KiB.
pub const LEAF_BYTES_MAX: usize = 32 << 10;

/// A sealed entry, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// The bytes of the body as they were written in the transaction of the act.
    pub body: &'a [u8],
    pub index: u64,
    /// [`crate::leaf_hash`] of the entry before; all zeros at index 0.
    pub prev: Hash,
    /// Microseconds since 1970; never smaller than in the entry before.
    pub sealed_at: i64,
}

/// The bytes of the sealed entry, with the body copied byte for byte.
/// Refuses a body that no verifier would accept, and a time or index that cannot be written.
pub fn seal(body: &[u8], index: u64, prev: Hash, sealed_at: i64) -> Result<Vec<u8>, Error> {
    if BODY_BYTES_MAX < body.len() {
        let size = body.len() as u64;
        return Err(Error::TooLarge { what: "the body of the entry", size, max: BODY_BYTES_MAX as u64 });
    }
    Glance::of(body)?;
    if index >> 53 != 0 {
        return Err(Error::Field { field: "i", why: "is more than 2^53 − 1" });
    }
    let sealed = rfc3339(sealed_at).ok_or(Error::Field { field: "sealed", why: "is not in the years 1970 to 9999" })?;
    let mut leaf = Vec::with_capacity(body.len() + 256);
    leaf.extend(b"{\"body\":");
    leaf.extend(body);
    leaf.extend(format!(",\"i\":{index},\"prev\":\"{prev}\",\"sealed\":\"{sealed}\"}}").bytes());
    Ok(leaf)
}

impl<'a> Leaf<'a> {
    /// Refuses everything but the very bytes that [`seal`] writes.
    pub fn parse(bytes: &'a [u8]) -> Result<Leaf<'a>, Error> {
        Leaf::read(bytes, &mut Calendar::default()).map(|(leaf, _)| leaf)
    }

    pub(crate) fn read(bytes: &'a [u8], calendar: &mut Calendar) -> Result<(Leaf<'a>, Glance<'a>), Error> {
        if LEAF_BYTES_MAX < bytes.len() {
            let size = bytes.len() as u64;
            return Err(Error::TooLarge { what: "the entry", size, max: LEAF_BYTES_MAX as u64 });
        }
        let mut scan = Scan::new(bytes)?;
        scan.literal(b"{\"body\":", "an entry begins with its body")?;
        let start = scan.at();
        let glance = Glance::scan(&mut scan, calendar)?;
        let body = scan.since(start);
        if BODY_BYTES_MAX < body.len() {
            let size = body.len() as u64;
            return Err(Error::TooLarge { what: "the body of the entry", size, max: BODY_BYTES_MAX as u64 });
        }
        scan.literal(b",\"i\":", "`i` must follow the body")?;
        let Ok(index) = u64::try_from(scan.integer()?) else { return scan.refuse("`i` is negative") };
        scan.literal(b",\"prev\":\"", "`prev` must follow `i`")?;
        let Some(prev) = Hash::from_hex(scan.take::<64>()?) else {
            return scan.refuse("`prev` is not a hash in lower-case hex");
        };
        scan.literal(b"\",\"sealed\":\"", "`sealed` must follow `prev`")?;
        let Some(sealed_at) = calendar.micros(scan.take()?) else {
            return scan.refuse("`sealed` is not a time with six decimals");
        };
        scan.literal(b"\"}", "nothing follows `sealed`")?;
        scan.end()?;
        Ok((Leaf { body, index, prev, sealed_at }, glance))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::{Act, Actor, ActorKind, Body, Program, Value};

    const SEALED_AT: i64 = 1_795_342_944_200_000;

    fn body(text: &str) -> Vec<u8> {
        let program = Program { node: "node-1".into(), ver: "0.1.0".into() };
        let actor = Actor { id: "countersign".into(), kind: ActorKind::System };
        let mut body = Body::new("0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b", 0, Act::LogHeartbeat, actor, &program);
        body.d.insert("text".into(), Value::Text(text.to_owned()));
        body.to_bytes().unwrap()
    }

    #[test]
    fn a_sealed_entry_holds_the_body_byte_for_byte() {
        let body = body("geprüft \u{0}");
        let leaf = seal(&body, 70_000, Hash([0xab; 32]), SEALED_AT).unwrap();
        let read = Leaf::parse(&leaf).unwrap();
        assert_eq!(read, Leaf { body: &body, index: 70_000, prev: Hash([0xab; 32]), sealed_at: SEALED_AT });
        let end = format!(r#","i":70000,"prev":"{}","sealed":"2026-11-22T10:22:24.200000Z"}}"#, "ab".repeat(32));
        assert!(leaf.starts_with(b"{\"body\":{\"act\":") && leaf.ends_with(end.as_bytes()));
    }

    #[test]
    fn the_largest_body_still_makes_an_entry_within_its_limit() {
        let room = BODY_BYTES_MAX - body("").len();
        let largest = body(&"x".repeat(room));
        assert_eq!(largest.len(), BODY_BYTES_MAX);
        let leaf = seal(&largest, (1 << 53) - 1, Hash::ZERO, SEALED_AT).unwrap();
        assert!(leaf.len() <= LEAF_BYTES_MAX && Leaf::parse(&leaf).is_ok());
        let longer = String::from_utf8(largest).unwrap().replacen("xx", "xxx", 1);
        assert!(seal(longer.as_bytes(), 0, Hash::ZERO, SEALED_AT).is_err());
    }

    #[test]
    fn what_no_verifier_would_accept_is_not_sealed() {
        let body = body("");
        for other in [&b""[..], b"{}", b"null", b"{\"v\":1}", &[&body[..], b" "].concat(), &body[1..]] {
            assert!(seal(other, 0, Hash::ZERO, SEALED_AT).is_err());
        }
        assert!(seal(&body, 1 << 53, Hash::ZERO, SEALED_AT).is_err());
        assert!(seal(&body, 0, Hash::ZERO, -1).is_err());
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_accepted_is_exactly_what_would_be_sealed(
            text in ".{0,20}",
            edits in proptest::collection::vec((0usize..400, 0u8.., 0u8..3), 0..4),
        ) {
            let mut bytes = seal(&body(&text), 12, Hash([1; 32]), SEALED_AT).unwrap();
            for (at, byte, how) in edits {
                let at = at % bytes.len();
                match how {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => drop(bytes.remove(at)),
                }
            }
            if let Ok(leaf) = Leaf::parse(&bytes) {
                assert_eq!(seal(leaf.body, leaf.index, leaf.prev, leaf.sealed_at).unwrap(), bytes);
                let read: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                assert_eq!(read["i"].as_u64(), Some(leaf.index));
            }
        }
    }
}
