//! Names, values and positions in the tags of a sheet, as they are written: there are millions of them.

use super::Range;

pub(super) fn attribute<'a>(raw: &'a str, name: &str) -> Option<&'a str> {
    attributes(raw).find(|it| it.0 == name).map(|it| it.1)
}

/// The names and values of a tag, as they are written. Not for values that may hold entities.
pub(super) fn attributes(raw: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = raw.as_bytes().get(at..)?;
        let equals = bytes.iter().position(|it| *it == b'=')?;
        let open = equals + 1 + bytes.get(equals + 1..)?.iter().position(|it| !it.is_ascii_whitespace())?;
        let quote = *bytes.get(open).filter(|it| matches!(it, b'"' | b'\''))?;
        let close = open + 1 + bytes.get(open + 1..)?.iter().position(|it| *it == quote)?;
        let pair = (raw.get(at..at + equals)?.trim_ascii(), raw.get(at + open + 1..at + close)?);
        at += close + 1;
        Some(pair)
    })
}

/// `A1:B7`
pub(super) fn range(text: &str) -> Option<Range> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    Some(Range { first: position(first)?, last: position(last)? })
}

/// `B7` as (6, 1).
pub(super) fn position(name: &str) -> Option<(u32, u32)> {
    let (mut column, mut row, mut n_letters) = (0_u32, 0_u32, 0);
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' if row == 0 => {
                n_letters += 1;
                column = column.checked_mul(26)? + u32::from(byte.to_ascii_uppercase() - b'A') + 1;
            }
            b'0'..=b'9' if 0 < n_letters => row = row.checked_mul(10)?.checked_add(u32::from(byte - b'0'))?,
            _ => return None,
        }
    }
    (n_letters <= 3).then_some((row.checked_sub(1)?, column.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_from_its_name() {
        for (name, expected) in [
            ("A1", Some((0, 0))),
            ("XFD9", Some((8, 16_383))),
            ("7", None),
            ("A0", None),
            ("AAAA1", None),
            ("A1B", None),
        ] {
            assert_eq!(position(name), expected, "{name}");
        }
    }

    #[test]
    fn a_tag_gives_its_attributes_however_they_are_quoted() {
        let found: Vec<(&str, &str)> = attributes(" r = \"A1\" s='3'  t=\"s\" ").collect();
        assert_eq!(found, [("r", "A1"), ("s", "3"), ("t", "s")]);
    }
}
