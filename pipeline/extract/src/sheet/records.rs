//! Binary records of workbooks: numbers and texts taken from the front of a slice, never from beyond its end.

/// What is left of a record.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*front)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[it]| it)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn f64(&mut self) -> Option<f64> {
        self.array().map(f64::from_le_bytes)
    }

    /// So many characters of UTF-16.
    pub(super) fn utf16(&mut self, n_units: usize) -> Option<String> {
        let (pairs, _) = self.take(n_units.checked_mul(2)?)?.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
        Some(String::from_utf16_lossy(&units))
    }
}

/// A number in 30 bits ([MS-XLS] 2.5.217): a whole one, or the upper part of a binary fraction; maybe in hundredths.
pub(super) fn rk(raw: u32) -> f64 {
    let number =
        if raw & 2 == 0 { f64::from_bits(u64::from(raw & !3) << 32) } else { f64::from(raw.cast_signed() >> 2) };
    if raw & 1 == 0 { number } else { number / 100.0 }
}

/// The shortest text of a number.
pub(super) fn written(number: f64) -> String {
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_30_bits_is_read_in_its_four_forms() {
        for (raw, expected) in [
            (0x3ff0_0000, 1.0),
            (0x3ff0_0001, 0.01),
            ((1234 << 2) | 2, 1234.0),
            ((123_456 << 2) | 3, 1234.56),
            (0xffff_fffe, -1.0),
        ] {
            assert_eq!(rk(raw).to_string(), f64::to_string(&expected), "{raw:x}");
        }
    }
}
