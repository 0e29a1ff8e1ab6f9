//! How the reader's process answers: frames of one tag byte, the length of what follows in four bytes (little endian),
//! and so many bytes. First [`CONFINEMENT`], then [`ANSWER`] and its [`PICTURE`]s, [`PART`]s and [`SCAN`]s or one [`UNREADABLE`], then [`END`].
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
/// One page that is a picture, for the program that reads such pages beside the reader: as [`Page`] says, with the page as PNG
/// in grey as its bytes; none where nobody need look at it again.
pub const SCAN: u8 = b'S';
/// Nothing follows; the length is 0.
pub const END: u8 = b'E';

/// What a reader that is told the words of pages is handed, in frames too: the document, …
pub const DOCUMENT: u8 = b'D';
/// … then of each [`SCAN`] what was kept, and as its bytes what the program said: a [`Page`]; then [`END`].
pub const TOLD: u8 = b'T';

/// All [`SCAN`]s of a document together, and all [`TOLD`]s.
pub const SCAN_BYTES_MAX: usize = 32 << 20;
/// What the program said of one page.
pub const TOLD_BYTES_MAX: usize = 1 << 20;
/// Pages that are handed out.
pub const SCANS_MAX: usize = 20;

/// The payload of a [`SCAN`] and of a [`TOLD`]: the page's number and the length of what is kept, four bytes each (little
/// endian), what the reader keeps of the page (its own words, which nobody else need understand), and bytes to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub number: u32,
    pub kept: Vec<u8>,
    pub bytes: Vec<u8>,
}

impl Page {
    /// None where what is kept has more than 4 GiB.
    pub fn payload(&self) -> Option<Vec<u8>> {
        let length = u32::try_from(self.kept.len()).ok()?;
        Some([&self.number.to_le_bytes()[..], &length.to_le_bytes(), &self.kept, &self.bytes].concat())
    }

    pub fn of(payload: &[u8]) -> Option<Page> {
        let (number, rest) = payload.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (kept, bytes) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        Some(Page { number: u32::from_le_bytes(*number), kept: kept.to_vec(), bytes: bytes.to_vec() })
    }
}

/// Documents that come with one mail.
pub const PARTS_MAX: usize = 100;

/// What a mail says about a document in it: the sender's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartHead {
    pub name: String,
    pub media_type: String,
}
