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
    bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Scan<'a>, NotCanonical> {
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(Scan { bytes, at: 0 }),
            Err(error) => Err(NotCanonical { at: error.valid_up_to(), why: "not UTF-8" }),
        }
    }

    pub(crate) fn refuse<T, E: From<NotCanonical>>(&self, why: &'static str) -> Result<T, E> {
        Err(NotCanonical { at: self.at, why }.into())
    }

    /// Steps over exactly this text.
    pub(crate) fn literal(&mut self, text: &'static [u8], why: &'static str) -> Result<(), NotCanonical> {
        if !self.rest().starts_with(text) {
            return self.refuse(why);
        }
        self.at += text.len();
        Ok(())
    }

    pub(crate) fn end(&self) -> Result<(), NotCanonical> {
        if self.at == self.bytes.len() { Ok(()) } else { self.refuse("bytes after the end") }
    }

    /// The bytes from `start` to here.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// Exactly `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], NotCanonical> {
        match self.rest().get(..count) {
            Some(bytes) => {
                self.at += count;
                Ok(bytes)
            }
            None => self.refuse("ends too early"),
        }
    }

    /// An object; `each` sees every key of it with the bytes of its value, in order.
    pub(crate) fn object(&mut self, depth: u32, each: &mut dyn FnMut(&'a [u8], &'a [u8])) -> Result<(), NotCanonical> {
        self.expect(b'{', "an object is expected")?;
        if self.step(b'}') {
            return Ok(());
        }
        let mut before: &[u8] = b"";
        loop {
            let key = self.key()?;
            // No key is empty, so the first one is always greater than the empty one.
            if key <= before {
                return self.refuse("keys are not in order or stand twice");
            }
            before = key;
            let start = self.at;
            self.value(depth)?;
            each(key, self.since(start));
            if self.step(b'}') {
                return Ok(());
            }
            self.expect(b',', "a comma or the end of the object is expected")?;
        }
    }

    pub(crate) fn integer(&mut self) -> Result<i64, NotCanonical> {
        let negative = self.step(b'-');
        let start = self.at;
        let mut sum: i64 = 0;
        while self.peek().is_ascii_digit() && self.at - start < 17 {
            sum = sum * 10 + i64::from(self.peek() - b'0');
            self.at += 1;
        }
        let digits = self.since(start);
        if digits.is_empty() || INTEGER_MAX < sum || matches!(self.peek(), b'0'..=b'9' | b'.' | b'e' | b'E') {
            return self.refuse("not an integer within ±(2^53 − 1)");
        }
        if (digits.starts_with(b"0") && digits.len() != 1) || (negative && sum == 0) {
            return self.refuse("an integer has one spelling: no leading zero, no minus before zero");
        }
        Ok(if negative { -sum } else { sum })
    }

    fn value(&mut self, depth: u32) -> Result<(), NotCanonical> {
        match self.peek() {
            b'"' => self.string(),
            b'{' if depth < DEPTH_MAX => self.object(depth + 1, &mut |_, _| ()),
            b'[' if depth < DEPTH_MAX => self.list(depth + 1),
            b'{' | b'[' => self.refuse("lists and objects lie more than 16 deep"),
            b'-' | b'0'..=b'9' => self.integer().map(|_| ()),
            b't' => self.literal(b"true", "not a JSON value"),
            b'f' => self.literal(b"false", "not a JSON value"),
            b'n' => self.refuse("null is not used: what is not known is left out"),
            _ => self.refuse("not a JSON value"),
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
        let start = self.at;
        while key_byte(self.peek()) {
            self.at += 1;
        }
        let key = self.since(start);
        if key.is_empty() || KEY_BYTES_MAX < key.len() {
            return self.refuse("a key has 1 to 64 of the characters a-z 0-9 _ .");
        }
        self.expect(b'"', "a key has only the characters a-z 0-9 _ .")?;
        self.expect(b':', "a colon must follow the key")?;
        Ok(key)
    }

    fn string(&mut self) -> Result<(), NotCanonical> {
        self.expect(b'"', "a text is expected")?;
        loop {
            while let Some(eight) = self.rest().first_chunk::<8>() {
                let stops = stops(u64::from_le_bytes(*eight));
                self.at += (stops.trailing_zeros() / 8) as usize;
                if stops != 0 {
                    break;
                }
            }
            match self.peek() {
                b'"' => break,
                b'\\' => self.escape()?,
                0..0x20 => return self.refuse("a text is not closed or holds a bare control character"),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    /// RFC 8785 escapes only what it must, and each in one way.
    fn escape(&mut self) -> Result<(), NotCanonical> {
        match *self.rest() {
            [_, b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 2,
            [_, b'u', b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f', ..] => self.at += 6,
            [_, b'u', b'0', b'0', b'0', b'0'..=b'7' | b'b' | b'e' | b'f', ..] => self.at += 6,
            _ => return self.refuse("an escape that RFC 8785 does not write"),
        }
        Ok(())
    }

    #[inline(always)]
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The byte here; zero, which fits nowhere in JSON, at the end.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8, why: &'static str) -> Result<(), NotCanonical> {
        if self.step(byte) { Ok(()) } else { self.refuse(why) }
    }

    #[inline(always)]
    fn step(&mut self, byte: u8) -> bool {
        let here = self.peek() == byte;
        self.at += usize::from(here);
        here
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &[u8]) -> Result<(), NotCanonical> {
        let mut scan = Scan::new(text)?;
        scan.object(1, &mut |_, _| ())?;
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
        fn the_eight_byte_search_stops_where_a_byte_by_byte_search_does(eight in proptest::array::uniform8(0u8..)) {
            let slow = eight.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20)).unwrap_or(8);
            assert_eq!((stops(u64::from_le_bytes(eight)).trailing_zeros() / 8) as usize, slow);
        }
    }
}
