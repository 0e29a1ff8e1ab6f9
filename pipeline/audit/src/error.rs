//! Everything this room refuses, in the words of whoever has to act on it.

use std::path::PathBuf;

/// Why bytes, a key, a head or a value was refused. What is wrong with a whole log is not an error
/// but a [`crate::Fault`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `at` is the byte offset in what was given.
    #[error("not canonical at byte {at}: {why}")]
    NotCanonical { at: usize, why: &'static str },
    #[error("{what} has {size} bytes, at most {max} are allowed")]
    TooLarge { what: &'static str, size: u64, max: u64 },
    #[error("field `{field}` {why}")]
    Field { field: &'static str, why: &'static str },
    #[error("the committed value {why}")]
    Committed { why: &'static str },
    #[error("the verifier key {why}")]
    Key { why: &'static str },
    #[error("the signed head {why}")]
    Head { why: &'static str },
    #[error("the head is of log `{found}`, not of `{expected}`")]
    OtherLog { found: String, expected: String },
    #[error("the head of log `{origin}` is not signed by any key that was given")]
    OtherKey { origin: String },
    #[error("the signature of `{name}` does not fit the head")]
    Signature { name: String },
    #[error("the saved state of the tree {why}")]
    Frontier { why: &'static str },
    #[error("tile `{path}` {why}")]
    Tile { path: String, why: &'static str },
    #[error("the proof {why}")]
    Proof { why: &'static str },
    #[error("the receipt {why}")]
    Receipt { why: &'static str },
    #[error("the timestamp {why}")]
    Timestamp { why: &'static str },
    #[error("the timestamp authority refused with status {status}: `{text}`")]
    StampRefused { status: u64, text: String },
    #[error("the certificate {why}")]
    Certificate { why: &'static str },
    #[error("a sample of {wanted} is asked for, at most {max} are drawn")]
    Sample { wanted: u64, max: u64 },
    #[error("the machine gives no random bytes: {why}")]
    Random { why: String },
    #[error("cannot read `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}
