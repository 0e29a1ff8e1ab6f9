//! How the reader's process answers: frames of one tag byte, the length of what follows in four bytes (little endian),
//! and so many bytes. First [`CONFINEMENT`], then [`ANSWER`] and its [`PICTURE`]s or one [`UNREADABLE`], then [`END`].
//! An answer without its end is none.

/// Which of the locks held, as JSON.
pub const CONFINEMENT: u8 = b'C';
/// An extraction as JSON. As hostile as the document: [`crate::Extraction::from_untrusted`].
pub const ANSWER: u8 = b'A';
/// One page as PNG; pages follow in their order.
pub const PICTURE: u8 = b'P';
/// `{"code":…,"message":…}`: why there is no extraction.
pub const UNREADABLE: u8 = b'U';
/// Nothing follows; the length is 0.
pub const END: u8 = b'E';
