//! How the reader's process answers: frames of one tag byte, the length of what follows in four bytes (little endian),
//! and so many bytes. First [`CONFINEMENT`], then [`ANSWER`] and its [`PICTURE`]s and [`PART`]s or one [`UNREADABLE`], then [`END`].
//! An answer without its end is none.

use serde::{Deserialize, Serialize};

/// Which of the locks held, as JSON.
pub const CONFINEMENT: u8 = b'C';
/// An extraction as JSON. As hostile as the document: [`crate::Extraction::from_untrusted`].
pub const ANSWER: u8 = b'A';
/// One page as PNG; pages follow in their order.
pub const PICTURE: u8 = b'P';
/// One document that came with a mail; parts follow in their order, at most [`PARTS_MAX`]. The length of a [`PartHead`] as
/// JSON in four bytes (little endian), the head, and the document's bytes.
pub const PART: u8 = b'M';
/// `{"code":…,"message":…}`: why there is no extraction.
pub const UNREADABLE: u8 = b'U';
/// Nothing follows; the length is 0.
pub const END: u8 = b'E';

/// Documents that come with one mail.
pub const PARTS_MAX: usize = 100;

/// What a mail says about a document in it: the sender's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartHead {
    pub name: String,
    pub media_type: String,
}
