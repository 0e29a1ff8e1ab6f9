//! The fields of a DER structure, one after the other, as the bytes they were given in.

use der::{Decode, Header, Length, Reader, SliceReader, Tag, TagNumber};

use crate::Error;

pub(super) const SEQUENCE: Tag = Tag::Sequence;
pub(super) const SET: Tag = Tag::Set;
pub(super) const INTEGER: Tag = Tag::Integer;
pub(super) const BOOLEAN: Tag = Tag::Boolean;
pub(super) const OID: Tag = Tag::ObjectIdentifier;
pub(super) const OCTET_STRING: Tag = Tag::OctetString;
pub(super) const BIT_STRING: Tag = Tag::BitString;
pub(super) const UTF8_STRING: Tag = Tag::Utf8String;
pub(super) const GENERALIZED_TIME: Tag = Tag::GeneralizedTime;
pub(super) const UTC_TIME: Tag = Tag::UtcTime;

/// `[number]`
pub(super) const fn context(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific { constructed, number: TagNumber(number) }
}

/// What is left of a structure.
#[derive(Clone)]
pub(super) struct Fields<'a>(SliceReader<'a>);

impl<'a> Fields<'a> {
    /// The fields in the value of a structure.
    pub(super) fn new(value: &'a [u8]) -> Result<Fields<'a>, Error> {
        SliceReader::new(value).map(Fields).map_err(not_der)
    }

    /// The fields of a structure that is all of `der`.
    pub(super) fn of_one(der: &'a [u8], tag: Tag) -> Result<Fields<'a>, Error> {
        let mut alone = Fields::new(der)?;
        let inner = alone.nested(tag)?;
        alone.end()?;
        Ok(inner)
    }

    /// The value of the next field, which has this tag.
    pub(super) fn take(&mut self, tag: Tag) -> Result<&'a [u8], Error> {
        self.optional(tag)?.ok_or(Error::Timestamp { why: "does not have the fields it should have" })
    }

    /// The fields of the next field, which has this tag.
    pub(super) fn nested(&mut self, tag: Tag) -> Result<Fields<'a>, Error> {
        Fields::new(self.take(tag)?)
    }

    /// The value of the next field if it has this tag.
    pub(super) fn optional(&mut self, tag: Tag) -> Result<Option<&'a [u8]>, Error> {
        if !self.next_is(tag) {
            return Ok(None);
        }
        let header = Header::decode(&mut self.0).map_err(not_der)?;
        self.0.read_slice(header.length()).map(Some).map_err(not_der)
    }

    /// The next field as it stands, with tag and length.
    pub(super) fn raw(&mut self) -> Result<&'a [u8], Error> {
        self.0.tlv_bytes().map_err(not_der)
    }

    pub(super) fn next_is(&self, tag: Tag) -> bool {
        Tag::peek(&self.0).is_ok_and(|next| next == tag)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.remaining_len() == Length::ZERO
    }

    pub(super) fn end(self) -> Result<(), Error> {
        self.0.finish().map_err(not_der)
    }
}

fn not_der(_: der::Error) -> Error {
    Error::Timestamp { why: "is not DER" }
}

/// The bits of a BIT STRING of whole bytes.
pub(super) fn whole_bytes(bits: &[u8]) -> Option<&[u8]> {
    bits.split_first().filter(|(unused, _)| **unused == 0).map(|(_, bytes)| bytes)
}

/// An INTEGER of at most three bytes that is not negative.
pub(super) fn small(integer: &[u8]) -> Option<u64> {
    let positive = integer.first().is_some_and(|byte| *byte < 128) && integer.len() <= 3;
    positive.then(|| integer.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// What a person can be shown of a text from outside: at most 100 characters, none of them a control character.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(100).collect()
}

/// Microseconds since 1970 of `YYYYMMDDhhmmss[.f…]Z`, RFC 3161 section 2.4.2; what is finer is cut off.
pub(super) fn generalized_time(text: &[u8]) -> Option<i64> {
    let (digits, rest) = text.split_at_checked(14)?;
    let fraction = match rest.strip_suffix(b"Z")? {
        [] => "",
        [b'.', fraction @ ..] if !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) => {
            std::str::from_utf8(fraction).ok()?
        }
        _ => return None,
    };
    let fraction = fraction.get(..6).unwrap_or(fraction);
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.is_ascii())?;
    let (date, time) = digits.split_at_checked(8)?;
    let (year, date) = date.split_at_checked(4)?;
    let (month, day) = date.split_at_checked(2)?;
    let (hour, time) = time.split_at_checked(2)?;
    let (minute, second) = time.split_at_checked(2)?;
    crate::micros(format!("{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction:0<6}Z").as_bytes())
}

/// The same of `YYMMDDhhmmssZ`, which is in the years 1950 to 2049 (RFC 5280 section 4.1.2.5.1).
pub(super) fn utc_time(text: &[u8]) -> Option<i64> {
    let century: &[u8] = if *text.first()? < b'5' { b"20" } else { b"19" };
    generalized_time(&[century, text].concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_are_read_to_the_microsecond_and_other_spellings_are_refused() {
        let at = crate::micros(b"2026-11-22T16:58:48.000000Z").unwrap();
        for (text, offset) in
            [("", 0), (".3", 300_000), (".3197", 319_700), (".000001", 1), (".0000019", 1), (".999999999", 999_999)]
        {
            let text = format!("20261122165848{text}Z");
            assert_eq!(generalized_time(text.as_bytes()), Some(at + offset), "{text}");
        }
        for text in [
            "",
            "Z",
            "20261122165848",
            "2026112216584Z",
            "202611221658Z",
            "20261122165848.Z",
            "20261122165848.-1Z",
            "20261122165848,3Z",
            "20261122165848+0100",
            "20261122165860Z",
            "20261322165848Z",
            "19691231235959Z",
            "2026112216584８Z",
        ] {
            assert_eq!(generalized_time(text.as_bytes()), None, "{text}");
        }
        assert_eq!(utc_time(b"261122165848Z"), Some(at));
        assert_eq!(utc_time(b"991231235959Z"), crate::micros(b"1999-12-31T23:59:59.000000Z"));
        assert_eq!(utc_time(b"491231235959Z"), crate::micros(b"2049-12-31T23:59:59.000000Z"));
        assert_eq!((utc_time(b"501231235959Z"), utc_time(b""), utc_time(b"2611221658Z")), (None, None, None));
    }
}
