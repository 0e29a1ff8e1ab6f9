//! Commitments: the log can prove what a value was without holding it.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::canonical::{INTEGER_MAX, write_text};
use crate::entry::check_key;
use crate::{Error, Hash};

/// Lower-case hex HMAC-SHA-256 with the salt as its key, of `audit-commit/v1` 00 path 00 JCS(value).
///
/// The salt must be random and used once. Refuses a path outside `[a-z0-9_.]`, numbers that are not integers within
/// ±(2^53 − 1) (RFC 8785 would round them, and two amounts would open one commitment), and more than 32 levels.
pub fn commit(salt: &[u8; 32], path: &str, value: &Value) -> Result<String, Error> {
    check_key("c", path)?;
    let mut message = b"audit-commit/v1\0".to_vec();
    message.extend(path.bytes());
    message.push(0);
    write(value, 0, &mut message)?;
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(salt) else { unreachable!("HMAC takes a key of any length") };
    Ok(Hash(mac.chain_update(&message).finalize().into_bytes().into()).to_string())
}

/// What must be kept, sealed and apart from the log, to show later what a commitment stands for.
/// Once it is deleted, nobody can.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    pub path: String,
    pub salt: [u8; 32],
    pub value: Value,
}

impl Opening {
    /// Whether this value at this path is what `commitment` stands for.
    #[must_use]
    pub fn fits(&self, commitment: &str) -> bool {
        commit(&self.salt, &self.path, &self.value).is_ok_and(|own| own == commitment)
    }
}

/// Neither the salt nor the value belongs into a log.
impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").field("path", &self.path).finish_non_exhaustive()
    }
}

const DEPTH_MAX: usize = 32;

/// RFC 8785. Here keys may be any text, so they are sorted by UTF-16 units as it asks.
fn write(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    if DEPTH_MAX < depth {
        return Err(Error::Committed { why: "has lists and objects more than 32 deep" });
    }
    match value {
        Value::Null => out.extend(b"null"),
        Value::Bool(truth) => out.extend(truth.to_string().bytes()),
        Value::String(text) => write_text(text, out),
        Value::Number(number) => match number.as_i64() {
            Some(integer) if (-INTEGER_MAX..=INTEGER_MAX).contains(&integer) => out.extend(integer.to_string().bytes()),
            _ => return Err(Error::Committed { why: "has a number that is not an integer within ±(2^53 − 1)" }),
        },
        Value::Array(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index != 0 {
                    out.push(b',');
                }
                write(value, depth + 1, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index != 0 {
                    out.push(b',');
                }
                write_text(key, out);
                out.push(b':');
                write(value, depth + 1, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn jcs(value: &Value) -> String {
        let mut out = Vec::new();
        write(value, 0, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn keys_are_sorted_by_utf_16_units_as_rfc_8785_shows() {
        // The example of RFC 8785 section 3.2.3: an emoji sorts before U+FB33 in UTF-16, after it in UTF-8.
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
        assert_eq!(
            jcs(&value),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn an_opening_fits_its_commitment_and_no_other() {
        let opening = Opening { path: "number".into(), salt: [7; 32], value: json!("471102") };
        let commitment = commit(&[7; 32], "number", &json!("471102")).unwrap();
        assert!(opening.fits(&commitment));
        assert!(!Opening { path: "numbe".into(), ..opening.clone() }.fits(&commitment));
        assert!(!Opening { salt: [8; 32], ..opening.clone() }.fits(&commitment));
        assert!(!Opening { value: json!("471103"), ..opening.clone() }.fits(&commitment));
        assert!(!Opening { value: json!(471_102), ..opening.clone() }.fits(&commitment));
        assert!(!opening.fits(&commitment.to_uppercase()));
        assert!(!format!("{opening:?}").contains("471102"));
    }

    #[test]
    fn a_value_that_rfc_8785_would_round_cannot_be_committed_to() {
        for value in [json!(1.5), json!(9_007_199_254_740_992_u64), json!({"a": [u64::MAX]})] {
            assert!(commit(&[0; 32], "x", &value).is_err(), "{value}");
        }
        let deep = (0..40).fold(json!(1), |value, _| json!([value]));
        assert!(commit(&[0; 32], "x", &deep).is_err());
        assert!(commit(&[0; 32], "a\0b", &json!(1)).is_err());
    }
}
