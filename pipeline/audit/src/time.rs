//! Microseconds since 1970 and their one spelling, `2026-11-22T10:22:24.123456Z`.

/// The spelling of a time given in microseconds since 1970-01-01 UTC.
/// None outside the years 1970 to 9999, which the spelling cannot hold.
#[must_use]
pub fn rfc3339(micros: i64) -> Option<String> {
    if !(0..=MICROS_MAX).contains(&micros) {
        return None;
    }
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(day);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{micros:06}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60,
    ))
}

/// Microseconds since 1970-01-01 UTC of a time spelt as [`rfc3339`] spells it; None for any other spelling.
#[must_use]
pub fn micros(text: &[u8]) -> Option<i64> {
    let text: &[u8; 27] = text.try_into().ok()?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        i1,
        i2,
        b':',
        s1,
        s2,
        b'.',
        fraction @ ..,
        b'Z',
    ] = text
    else {
        return None;
    };
    let year = number(&[*y1, *y2, *y3, *y4])?;
    let (month, day) = (number(&[*m1, *m2])?, number(&[*d1, *d2])?);
    let (hour, minute, second) = (number(&[*h1, *h2])?, number(&[*i1, *i2])?, number(&[*s1, *s2])?);
    let fraction = number(fraction)?;
    if year < 1970 || 23 < hour || 59 < minute || 59 < second || !(1..=12).contains(&month) {
        return None;
    }
    if day < 1 || days_in(year, month) < day {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds * 1_000_000 + fraction)
}

/// Reads times that are mostly of the same day, as those of a log are.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    /// `2026-11-22T` and the microseconds it begins at.
    day: Option<[u8; 11]>,
    begins: i64,
}

impl Calendar {
    /// As [`micros`].
    pub(crate) fn micros(&mut self, text: &[u8; 27]) -> Option<i64> {
        let (day, time) = text.split_first_chunk::<11>()?;
        if self.day != Some(*day) {
            let at = micros(text)?;
            (self.day, self.begins) = (Some(*day), at - at % 86_400_000_000);
            return Some(at);
        }
        let [h1, h2, b':', i1, i2, b':', s1, s2, b'.', f1, f2, f3, f4, f5, f6, b'Z'] = time else { return None };
        let mut bad = false;
        let mut pair = |tens: &u8, ones: &u8| {
            let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
            bad |= 9 < tens || 9 < ones;
            i64::from(tens) * 10 + i64::from(ones)
        };
        let (hour, minute, second) = (pair(h1, h2), pair(i1, i2), pair(s1, s2));
        let fraction = (pair(f1, f2) * 100 + pair(f3, f4)) * 100 + pair(f5, f6);
        if bad || 23 < hour || 59 < minute || 59 < second {
            return None;
        }
        Some(self.begins + (hour * 3_600 + minute * 60 + second) * 1_000_000 + fraction)
    }
}

/// 9999-12-31T23:59:59.999999Z
const MICROS_MAX: i64 = 253_402_300_799_999_999;

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum: i64, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, counting years from March so that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (day * 5 + 2) / 153;
    let day = day - (month * 153 + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (era * 400 + year, month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_day_until_2199_has_one_spelling_and_comes_back() {
        let (mut before, mut calendar) = (String::new(), Calendar::default());
        for day in 0..84_000 {
            let at = day * 86_400_000_000 + (day * 7_919_777 % 86_400_000_000);
            let text = rfc3339(at).unwrap();
            assert_eq!(micros(text.as_bytes()), Some(at));
            assert_eq!(calendar.micros(text.as_bytes().try_into().unwrap()), Some(at));
            assert_eq!(calendar.micros(text.as_bytes().try_into().unwrap()), Some(at));
            assert!(before < text);
            before = text;
        }
    }

    #[test]
    fn known_times_are_spelt_as_the_calendar_has_them() {
        assert_eq!(rfc3339(0).unwrap(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(rfc3339(951_782_400_000_000).unwrap(), "2000-02-29T00:00:00.000000Z");
        assert_eq!(rfc3339(1_795_342_944_123_456).unwrap(), "2026-11-22T10:22:24.123456Z");
        assert_eq!(rfc3339(MICROS_MAX).unwrap(), "9999-12-31T23:59:59.999999Z");
        assert_eq!((rfc3339(-1), rfc3339(MICROS_MAX + 1)), (None, None));
    }

    #[test]
    fn a_time_that_no_calendar_has_is_refused() {
        for text in [
            "2026-02-29T00:00:00.000000Z",
            "2026-13-01T00:00:00.000000Z",
            "2026-00-01T00:00:00.000000Z",
            "2026-01-00T00:00:00.000000Z",
            "2026-01-01T24:00:00.000000Z",
            "2026-01-01T00:60:00.000000Z",
            "2026-01-01T00:00:60.000000Z",
            "2026-01-01T00:00:00.00000Z",
            "2026-01-01T00:00:00.0000000Z",
            "2026-01-01t00:00:00.000000Z",
            "2026-01-01T00:00:00.00000+Z",
            "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}00:00:00.000000Z",
            "1969-12-31T23:59:59.999999Z",
        ] {
            assert_eq!(micros(text.as_bytes()), None, "{text}");
            let (mut new, mut same_day) = (Calendar::default(), Calendar::default());
            same_day.micros(b"2026-01-01T00:00:00.000000Z");
            if let Ok(text) = text.as_bytes().try_into() {
                assert_eq!((new.micros(text), same_day.micros(text)), (None, None));
            }
        }
    }
}
