use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use uuid::Uuid;

/// Microseconds since the Unix epoch, UTC. The caller supplies it; this room has no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The calendar day in UTC.
    pub fn date(self) -> jiff::civil::Date {
        self.zoned().date()
    }

    #[must_use]
    pub fn plus_hours(self, hours: u32) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::from(hours).saturating_mul(3_600_000_000)))
    }

    fn zoned(self) -> jiff::Zoned {
        // A clock outside the years that `jiff` can name is shown as the nearest end.
        let end = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(end).to_zoned(jiff::tz::TimeZone::UTC)
    }
}

/// RFC 3339 in UTC with six decimals, the form of the audit log.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.zoned().strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    }
}

/// A case's name: a UUID of version 7, so that cases sort by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseId(pub Uuid);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for CaseId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<CaseId, uuid::Error> {
        text.parse().map(CaseId)
    }
}

/// SHA-256; written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// Digest of a value as JSON with sorted keys, so that equal values have equal digests.
    pub fn of_value(value: &serde_json::Value) -> Digest {
        Digest::of(value.to_string().as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[derive(Debug, Error, PartialEq, Eq)]
#[error("a digest is 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;
    fn from_str(text: &str) -> Result<Digest, NotADigest> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotADigest);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NotADigest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotADigest)?;
        }
        Ok(Digest(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The file as it came in. Never changes after admission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Digest of the raw bytes.
    pub digest: Digest,
    pub size_bytes: u64,
    /// As the sender named it: personal, and hostile. Never used as a path.
    pub file_name: String,
    /// The sub-folder of the inbox it came through, or `inbox`.
    pub channel: String,
    pub received_at: Timestamp,
}

/// What a document is, as far as the reader could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Invoice,
    CreditNote,
    Contract,
    Order,
    ReceiptNote,
    ExpenseClaim,
    BankStatement,
    Unknown,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::Invoice,
        Kind::CreditNote,
        Kind::Contract,
        Kind::Order,
        Kind::ReceiptNote,
        Kind::ExpenseClaim,
        Kind::BankStatement,
        Kind::Unknown,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Invoice => "invoice",
            Kind::CreditNote => "credit_note",
            Kind::Contract => "contract",
            Kind::Order => "order",
            Kind::ReceiptNote => "receipt_note",
            Kind::ExpenseClaim => "expense_claim",
            Kind::BankStatement => "bank_statement",
            Kind::Unknown => "unknown",
        }
    }

    /// Is it booked in the ledger: an invoice or a credit note?
    pub fn billed(self) -> bool {
        matches!(self, Kind::Invoice | Kind::CreditNote)
    }
}

/// The form in which a document came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Format {
    #[serde(rename = "ubl")]
    Ubl,
    #[serde(rename = "cii")]
    Cii,
    #[serde(rename = "factur-x")]
    FacturX,
    /// The Italian invoice, with or without the envelope of its signature.
    #[serde(rename = "fatturapa")]
    FatturaPa,
    /// The Chinese invoice as XML.
    #[serde(rename = "fapiao-xml")]
    FapiaoXml,
    /// GB/T 33190: the form in which Chinese invoices are signed.
    #[serde(rename = "ofd")]
    Ofd,
    #[serde(rename = "pdf-text")]
    PdfText,
    /// A PDF with pages that are pictures, whose text was recognised.
    #[serde(rename = "pdf-ocr")]
    PdfOcr,
    /// A picture, or a file of them.
    #[serde(rename = "image-ocr")]
    ImageOcr,
    #[serde(rename = "docx")]
    Docx,
    #[serde(rename = "xlsx")]
    Xlsx,
    #[serde(rename = "ods")]
    Ods,
    #[serde(rename = "csv")]
    Csv,
    #[serde(rename = "eml")]
    Eml,
    #[serde(rename = "text")]
    Text,
}

impl Format {
    /// Written by a machine for a machine in the terms of EN 16931: their arithmetic must hold exactly.
    pub fn structured(self) -> bool {
        matches!(self, Format::Ubl | Format::Cii | Format::FacturX)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn equal_values_have_equal_digests_whatever_the_order_of_their_keys() {
        let digest = |text: &str| Digest::of_value(&serde_json::from_str(text).unwrap());
        assert_eq!(digest(r#"{"a": 1, "b": {"c": 2, "d": 3}}"#), digest(r#"{"b": {"d": 3, "c": 2}, "a": 1}"#));
        assert_eq!(digest(r#"{"b": 1, "a": 2}"#), Digest::of(br#"{"a":2,"b":1}"#));
    }

    #[test]
    fn a_digest_is_written_and_read_as_64_hexadecimal_digits() {
        let digest = Digest::of(b"x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for text in ["", "2d71", &"é".repeat(32), &"g".repeat(64), &format!("{digest}0")] {
            assert_eq!(text.parse::<Digest>(), Err(NotADigest));
        }
    }

    #[test]
    fn any_time_can_be_shown_and_added_to() {
        assert_eq!(Timestamp(1_781_500_000_000_001).to_string(), "2026-06-15T05:06:40.000001Z");
        assert_eq!(Timestamp(0).plus_hours(24).to_string(), "1970-01-02T00:00:00.000000Z");
        assert_eq!(Timestamp(i64::MAX).plus_hours(u32::MAX), Timestamp(i64::MAX));
        assert_eq!(Timestamp(i64::MAX).to_string().get(..10), Some("9999-12-30"));
        assert_eq!(Timestamp(i64::MIN).date().year(), -9999);
    }
}
