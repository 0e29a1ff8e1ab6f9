//! The one spelling of an entry: RFC 8785 JSON with ASCII keys `[a-z0-9_.]` and integers only, read in one pass.
//!
//! Verifying a log is mostly this and SHA-256, so nothing here builds a tree or copies a byte.

use crate::Error;

/// How deep lists and objects may lie in one another.
pub(crate) const DEPTH_MAX: u32 = 16;
/// Longest key of an object.
pub(crate) const KEY_BYTES_MAX: usize = 64;
/// Largest integer that every JSON reader keeps exact: 2^53 − 1.
pub(crate) const INTEGER_MAX: i64 = (1 << 53) - 1;

/// Where bytes stop being canonical, and why. Small, because every step of the pass returns it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotCanonical {
    at: usize,
    why: &'static str,
}

impl From<NotCanonical> for Error {
    fn from(NotCanonical { at, why }: NotCanonical) -> Error {
        Error::NotCanonical { at, why }
    }
}

/// A place in bytes that are known to be UTF-8.
pub(crate) struct Scan<'a> {
    rest: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Scan<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Scan<'a>, NotCanonical> {
        // Nearly every entry is ASCII, and to see that takes a tenth of the time.
        if !ascii(bytes) {
            let valid = std::str::from_utf8(bytes);
            valid.map_err(|error| NotCanonical { at: error.valid_up_to(), why: "not UTF-8" })?;
        }
        Ok(Scan { rest: bytes, bytes })
    }

    pub(crate) fn at(&self) -> usize {
        self.bytes.len() - self.rest.len()
    }

    #[cold]
    pub(crate) fn refuse<T, E: From<NotCanonical>>(&self, why: &'static str) -> Result<T, E> {
        Err(NotCanonical { at: self.at(), why }.into())
    }

    /// Steps over exactly this text.
    #[inline(always)]
    pub(crate) fn literal(&mut self, text: &'static [u8], why: &'static str) -> Result<(), NotCanonical> {
        if self.skip(text) { Ok(()) } else { self.refuse(why) }
    }

    /// Steps over this text if it stands here.
    #[inline(always)]
    pub(crate) fn skip(&mut self, text: &'static [u8]) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(crate) fn end(&self) -> Result<(), NotCanonical> {
        if self.rest.is_empty() { Ok(()) } else { self.refuse("bytes after the end") }
    }

    /// The bytes from `start` to here.
    #[inline(always)]
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at()).unwrap_or_default()
    }

    /// Exactly this many bytes.
    #[inline(always)]
    pub(crate) fn take<const COUNT: usize>(&mut self) -> Result<&'a [u8; COUNT], NotCanonical> {
        match self.rest.split_first_chunk() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => self.refuse("ends too early"),
        }
    }

    /// An object; `value` reads the value of each key.
    #[inline(always)]
    pub(crate) fn object(
        &mut self,
        mut value: impl FnMut(&mut Self, &'a [u8]) -> Result<(), NotCanonical>,
    ) -> Result<(), NotCanonical> {
        self.expect(b'{', "an object is expected")?;
        if self.step(b'}') {
            return Ok(());
        }
        // No key is empty, so the first one is always greater than the empty one.
        let mut before: &[u8] = b"";
        loop {
            let key = self.key()?;
            if !before.is_empty() && key <= before {
                return self.refuse("keys are not in order or stand twice");
            }
            before = key;
            value(self, key)?;
            if self.step(b'}') {
                return Ok(());
            }
            self.expect(b',', "a comma or the end of the object is expected")?;
        }
    }

    /// Any value, with lists and objects at most so deep.
    pub(crate) fn value(&mut self, depth: u32) -> Result<(), NotCanonical> {
        match self.peek() {
            b'"' => self.string().map(|_| ()),
            b'{' if depth < DEPTH_MAX => self.object(|scan, _| scan.value(depth + 1)),
            b'[' if depth < DEPTH_MAX => self.list(depth + 1),
            b'{' | b'[' => self.refuse("lists and objects lie more than 16 deep"),
            b'-' | b'0'..=b'9' => self.integer().map(|_| ()),
            b't' => self.literal(b"true", "not a JSON value"),
            b'f' => self.literal(b"false", "not a JSON value"),
            b'n' => self.refuse("null is not used: what is not known is left out"),
            _ => self.refuse("not a JSON value"),
        }
    }

    pub(crate) fn integer(&mut self) -> Result<i64, NotCanonical> {
        let negative = self.step(b'-');
        let (mut sum, mut digits): (i64, u32) = (0, 0);
        let zero = self.peek() == b'0';
        while let [digit @ b'0'..=b'9', rest @ ..] = self.rest
            && digits < 17
        {
            sum = sum * 10 + i64::from(digit - b'0');
            (self.rest, digits) = (rest, digits + 1);
        }
        if digits == 0 || INTEGER_MAX < sum || matches!(self.peek(), b'0'..=b'9' | b'.' | b'e' | b'E') {
            return self.refuse("not an integer within ±(2^53 − 1)");
        }
        if zero && (digits != 1 || negative) {
            return self.refuse("an integer has one spelling: no leading zero, no minus before zero");
        }
        Ok(if negative { -sum } else { sum })
    }

    /// A text; what stands between its quotes, escapes as they are.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Result<&'a [u8], NotCanonical> {
        self.expect(b'"', "a text is expected")?;
        self.text()
    }

    /// The rest of a text whose opening quote is behind.
    pub(crate) fn text(&mut self) -> Result<&'a [u8], NotCanonical> {
        let start = self.rest;
        loop {
            while let Some((eight, rest)) = self.rest.split_first_chunk::<8>() {
                let stops = stops(u64::from_le_bytes(*eight));
                if stops != 0 {
                    self.rest = self.rest.get((stops.trailing_zeros() / 8) as usize..).unwrap_or_default();
                    break;
                }
                self.rest = rest;
            }
            match self.rest {
                [b'"', rest @ ..] => {
                    let text = start.get(..start.len() - self.rest.len()).unwrap_or_default();
                    self.rest = rest;
                    return Ok(text);
                }
                [b'\\', ..] => self.escape()?,
                [0..0x20, ..] | [] => return self.refuse("a text is not closed or holds a bare control character"),
                [_, rest @ ..] => self.rest = rest,
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<(), NotCanonical> {
        self.expect(b'[', "a list is expected")?;
        if self.step(b']') {
            return Ok(());
        }
        loop {
            self.value(depth)?;
            if self.step(b']') {
                return Ok(());
            }
            self.expect(b',', "a comma or the end of the list is expected")?;
        }
    }

    fn key(&mut self) -> Result<&'a [u8], NotCanonical> {
        self.expect(b'"', "a key is expected")?;
        let start = self.rest;
        while let [byte, rest @ ..] = self.rest
            && key_byte(*byte)
        {
            self.rest = rest;
        }
        let key = start.get(..start.len() - self.rest.len()).unwrap_or_default();
        if key.is_empty() || KEY_BYTES_MAX < key.len() {
            return self.refuse("a key has 1 to 64 of the characters a-z 0-9 _ .");
        }
        self.expect(b'"', "a key has only the characters a-z 0-9 _ .")?;
        self.expect(b':', "a colon must follow the key")?;
        Ok(key)
    }

    /// RFC 8785 escapes only what it must, and each in one way.
    fn escape(&mut self) -> Result<(), NotCanonical> {
        self.rest = match self.rest {
            [_, b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => rest,
            [_, b'u', b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f', rest @ ..] => rest,
            [_, b'u', b'0', b'0', b'0', b'0'..=b'7' | b'b' | b'e' | b'f', rest @ ..] => rest,
            _ => return self.refuse("an escape that RFC 8785 does not write"),
        };
        Ok(())
    }

    /// The byte here; zero, which fits nowhere in JSON, at the end.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.rest.first().copied().unwrap_or(0)
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8, why: &'static str) -> Result<(), NotCanonical> {
        if self.step(byte) { Ok(()) } else { self.refuse(why) }
    }

    #[inline(always)]
    fn step(&mut self, byte: u8) -> bool {
        match self.rest {
            [here, rest @ ..] if *here == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}

pub(crate) fn key_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.')
}

/// A text as RFC 8785 writes it, quotes included.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend(b"\\\""),
            b'\\' => out.extend(b"\\\\"),
            0x08 => out.extend(b"\\b"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            0x0c => out.extend(b"\\f"),
            b'\r' => out.extend(b"\\r"),
            0..0x20 => out.extend(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

fn ascii(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<32>();
    let bits = chunks.iter().fold([0; 32], |mut bits: [u8; 32], chunk| {
        bits.iter_mut().zip(chunk).for_each(|(bits, byte)| *bits |= byte);
        bits
    });
    // The rest is looked at with the bytes before it, once more, as that is one step.
    let end = bytes.last_chunk::<32>().map_or(rest, |end| end);
    bits.iter().chain(end).fold(0, |bits, byte| bits | byte) < 0x80
}

/// The high bit of each of eight bytes that is a quote, a backslash or a control character. The subtraction may
/// borrow into later bytes, so only the first bit is to be believed; it is the only one used.
fn stops(eight: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let below = |word: u64, bound: u64| word.wrapping_sub(bound * ONES) & !word & HIGHS;
    let quote = below(eight ^ (ONES * b'"' as u64), 1);
    let backslash = below(eight ^ (ONES * b'\\' as u64), 1);
    quote | backslash | below(eight, 0x20)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn check(text: &[u8]) -> Result<(), NotCanonical> {
        let mut scan = Scan::new(text)?;
        scan.object(|scan, _| scan.value(1))?;
        scan.end()
    }

    #[test]
    fn canonical_text_is_accepted() {
        for text in [
            "{}",
            r#"{"a":1}"#,
            r#"{"a":-9007199254740991,"a.b":9007199254740991,"a_":[],"b":{}}"#,
            r#"{"a":"geprüft 発票 \u0000\u001f\b\t\n\f\r\"\\ / end of a long text"}"#,
            r#"{"a":[true,false,[[{"x":"1234567"}]],"12345678","123456789"]}"#,
        ] {
            assert!(check(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        for text in [
            "",
            "[]",
            "{",
            "{} ",
            " {}",
            r#"{"a":1,}"#,
            r#"{"a": 1}"#,
            r#"{"b":1,"a":1}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"":1}"#,
            r#"{"A":1}"#,
            r#"{"ä":1}"#,
            r#"{"\u0061":1}"#,
            r#"{"a":null}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1e3}"#,
            r#"{"a":01}"#,
            r#"{"a":-0}"#,
            r#"{"a":-}"#,
            r#"{"a":+1}"#,
            r#"{"a":9007199254740992}"#,
            r#"{"a":-9007199254740992}"#,
            r#"{"a":99999999999999999999}"#,
            r#"{"a":"\/"}"#,
            r#"{"a":"\u0041"}"#,
            r#"{"a":"\u000a"}"#,
            r#"{"a":"\u001F"}"#,
            r#"{"a":"\ud83d\ude00"}"#,
            "{\"a\":\"\n\"}",
            "{\"a\":\"0123456789\u{1}\"}",
            r#"{"a":"unclosed}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1 ,2]}"#,
            r#"{"a":tru}"#,
            r#"{"a":True}"#,
            r#"{"a":NaN}"#,
        ] {
            assert!(check(text.as_bytes()).is_err(), "{text}");
        }
        assert!(check(b"{\"a\":\"\xff\"}").is_err());
        assert!(check(format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40)).as_bytes()).is_err());
        assert!(check("{\"a\":[".repeat(100_000).as_bytes()).is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_we_write_is_what_we_accept_and_what_serde_json_reads(text in ".*") {
            let mut out = b"{\"a\":".to_vec();
            write_text(&text, &mut out);
            out.push(b'}');
            check(&out).unwrap();
            let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(read.get("a").unwrap().as_str().unwrap(), text);
        }

        #[test]
        fn text_beyond_ascii_is_seen_wherever_it_stands(bytes in proptest::collection::vec(0u8.., 0..200)) {
            assert_eq!(ascii(&bytes), bytes.is_ascii());
            let mut plain: Vec<u8> = bytes.iter().map(|byte| byte & 0x7f).collect();
            assert!(ascii(&plain));
            for at in 0..plain.len() {
                plain[at] |= 0x80;
                assert!(!ascii(&plain));
                plain[at] &= 0x7f;
            }
        }

        #[test]
        fn the_eight_byte_search_stops_where_a_byte_by_byte_search_does(eight in proptest::array::uniform8(0u8..)) {
            let slow = eight.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20)).unwrap_or(8);
            assert_eq!((stops(u64::from_le_bytes(eight)).trailing_zeros() / 8) as usize, slow);
        }
    }
}
