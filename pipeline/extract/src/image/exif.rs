//! How the camera was held: EXIF 2.32, section 4.6.4 A, tag `Orientation`; its block is a TIFF 6.0 directory.

use super::Picture;

const ORIENTATION: u16 = 0x0112;
/// Entries of a directory that are looked at.
const ENTRIES_MAX: usize = 512;

/// 1 to 8 as EXIF counts them; None where the block does not say.
pub(super) fn orientation(block: &[u8]) -> Option<u16> {
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    let little = match block.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let two = |at: usize| -> Option<u16> {
        let bytes = block.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let four = |at: usize| -> Option<usize> {
        let (first, second) = (usize::from(two(at)?), usize::from(two(at + 2)?));
        Some(if little { second << 16 | first } else { first << 16 | second })
    };
    let directory = four(4)?;
    let n_entries = usize::from(two(directory)?).min(ENTRIES_MAX);
    let entry = |idx: usize| directory.checked_add(2 + 12 * idx);
    let found = (0..n_entries).filter_map(entry).find(|at| two(*at) == Some(ORIENTATION))?;
    two(found + 8).filter(|it| (1..=8).contains(it))
}

/// The picture as it was seen.
pub(super) fn upright(picture: Picture, orientation: u16) -> Picture {
    match orientation {
        2 => picture.mirrored(),
        3 => picture.turned(2),
        4 => picture.turned(2).mirrored(),
        5 => picture.turned(1).mirrored(),
        6 => picture.turned(1),
        7 => picture.turned(3).mirrored(),
        8 => picture.turned(3),
        _ => picture,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_orientation_is_found_in_both_byte_orders() {
        let little = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x01\0\0\0\0\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";
        assert_eq!(orientation(little), Some(6));
        assert_eq!(orientation(big), Some(8));
    }

    #[test]
    fn a_block_that_is_cut_or_points_nowhere_says_nothing() {
        for block in
            [&b""[..], b"Exif\0\0", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff\x12\x01", b"JJ*\0\0\0\0\0"]
        {
            assert_eq!(orientation(block), None);
        }
    }

    #[test]
    fn every_orientation_is_undone() {
        // As each is stored, by the row and column that EXIF says are its top and its left.
        let seen = Picture::new(3, 2, b"abcdef".iter().flat_map(|it| [*it; 3]).collect()).unwrap();
        for (orientation, width, stored) in [
            (1, 3, "abcdef"),
            (2, 3, "cbafed"),
            (3, 3, "fedcba"),
            (4, 3, "defabc"),
            (5, 2, "adbecf"),
            (6, 2, "cfbead"),
            (7, 2, "fcebda"),
            (8, 2, "daebfc"),
        ] {
            let stored = Picture::new(width, 6 / width, stored.bytes().flat_map(|it| [it; 3]).collect()).unwrap();
            assert_eq!(upright(stored, orientation), seen, "{orientation}");
        }
    }
}
