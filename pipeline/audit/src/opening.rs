//! The line of an opening in `openings.jsonl`.

use serde_json::{Value, json};

use crate::{Error, Hash, Opening};

/// Largest line that is read; what is committed to is a comment or a digest, hardly ever a page.
pub const OPENING_LINE_BYTES_MAX: usize = 1 << 20;

/// An opening with the commitment it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningLine {
    /// Where the entry stands in the log.
    pub index: u64,
    /// `id` of its body.
    pub id: String,
    pub opening: Opening,
}

impl OpeningLine {
    /// Reads `{"i":12,"id":"<uuid>","path":"reason","salt":"<64 hex>","value":…}`, without the newline.
    pub fn parse(line: &[u8]) -> Result<OpeningLine, Error> {
        if OPENING_LINE_BYTES_MAX < line.len() {
            let (size, max) = (line.len() as u64, OPENING_LINE_BYTES_MAX as u64);
            return Err(Error::TooLarge { what: "the line of the opening", size, max });
        }
        OpeningLine::read(line).ok_or(Error::Committed { why: "does not stand in the line of an opening" })
    }

    /// What [`OpeningLine::parse`] reads, without the newline.
    #[must_use]
    pub fn to_line(&self) -> String {
        let Opening { path, salt, value } = &self.opening;
        json!({"i": self.index, "id": self.id, "path": path, "salt": Hash(*salt).to_string(), "value": value})
            .to_string()
    }

    fn read(line: &[u8]) -> Option<OpeningLine> {
        let Ok(Value::Object(mut members)) = serde_json::from_slice(line) else { return None };
        let index = members.remove("i")?.as_u64()?;
        let mut text = |key: &str| match members.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (id, path, salt) = (text("id")?, text("path")?, text("salt")?);
        let salt = Hash::from_hex(salt.as_bytes())?.0;
        let value = members.remove("value")?;
        members.is_empty().then_some(OpeningLine { index, id, opening: Opening { path, salt, value } })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_reads_back_and_any_other_form_is_refused() {
        let opening =
            Opening { path: "reason".into(), salt: [7; 32], value: json!({"b": [1, "geprüft\n"], "a": null}) };
        let line = OpeningLine { index: 12, id: "0193a2b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b".into(), opening };
        let text = line.to_line();
        assert!(!text.contains('\n'));
        assert_eq!(OpeningLine::parse(text.as_bytes()).unwrap(), line);
        for (from, to) in
            [("\"i\":12", "\"i\":-1"), ("\"i\":12,", ""), ("{", "{\"x\":1,"), ("07", "7"), ("reason\"", "reason")]
        {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text);
            assert!(OpeningLine::parse(other.as_bytes()).is_err(), "{other}");
        }
        assert!(OpeningLine::parse(&vec![b' '; OPENING_LINE_BYTES_MAX + 1]).is_err());
    }
}
