//! How a number is to be shown: what tells an amount from a date, a rate or nothing at all.

use crate::values::listed_currency;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Style {
    pub(super) date: bool,
    pub(super) percent: bool,
    pub(super) currency: Option<String>,
    /// By a format without a form, or by letters that are as their ground: no eye sees what the cell holds.
    pub(super) unseen: bool,
    /// As `unseen`, where the cell holds a number.
    pub(super) unseen_numbers: bool,
    /// Decimals that are shown.
    pub(super) places: Option<u8>,
    /// What is shown is more than the number, or less than the day.
    pub(super) form: Option<Form>,
}

/// The built-in formats by their number (ECMA-376 part 1, 18.8.30); all others are written out as codes.
pub(super) fn built_in(id: u32) -> Style {
    let places = |places: u8| Style { places: Some(places), ..Style::default() };
    match id {
        16 => shown_as("d-mmm"),
        17 => shown_as("mmm-yy"),
        14 | 15 | 22 | 27..=36 | 50..=58 => Style { date: true, ..Style::default() },
        9 | 10 => Style { percent: true, ..Style::default() },
        2 | 4 | 7 | 8 | 39 | 40 | 43 | 44 => places(2),
        _ => Style::default(),
    }
}

/// Reads a format code such as `#,##0.00 "€"`, `[$EUR] 0.00`, `dd.mm.yyyy`, `0.0%`.
pub(super) fn shown_as(code: &str) -> Style {
    let mut style = Style::default();
    let (mut letters, mut digits) = (String::new(), false);
    let mut chars = code.chars();
    while let Some(it) = chars.next() {
        match it {
            '"' => {
                let quoted: String = chars.by_ref().take_while(|it| *it != '"').collect();
                style.currency = style.currency.or_else(|| listed_currency(&quoted));
            }
            '[' => {
                let bracketed: String = chars.by_ref().take_while(|it| *it != ']').collect();
                let sign = bracketed.strip_prefix('$').and_then(|it| it.split('-').next());
                style.currency = style.currency.or_else(|| sign.and_then(listed_currency));
            }
            '\\' | '_' | '*' => drop(chars.next()),
            '€' | '£' | '₹' => style.currency = style.currency.or_else(|| listed_currency(&it.to_string())),
            '%' => style.percent = true,
            '#' | '0' => digits = true,
            it if it.is_alphabetic() => letters.push(it.to_ascii_lowercase()),
            _ => {}
        }
    }
    let named = letters.contains("general") || letters.contains("standard");
    // Fractions of a second have digits too; `0.00 USD` has them without an hour.
    style.date = !named && letters.contains(['y', 'd']) && (!digits || letters.contains('h'));
    if digits && style.currency.is_none() {
        style.currency = listed_currency(&letters);
    }
    let sections = sections(code);
    let seen = |section: &Vec<Part>| section.iter().any(Part::has_ink);
    style.unseen = 2 <= code.trim().len() && !sections.iter().any(seen);
    style.unseen_numbers = 1 < sections.len() && sections.first().is_some_and(|it| !seen(it));
    let first = sections.into_iter().next().unwrap_or_default();
    if !style.date && !style.percent {
        style.places = places(&first);
    }
    if style.currency.is_none() && !style.percent {
        style.form = Form::new(first, style.date);
    }
    style
}

/// One sign of a format code.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// Shown as it is.
    Literal(String),
    /// `0`, `#`, `?`, a point, a comma, a letter of a date, `@`.
    Sign(char),
}

impl Part {
    fn has_ink(&self) -> bool {
        match self {
            Part::Literal(text) => !text.trim().is_empty(),
            Part::Sign(it) => !matches!(it, '.' | ','),
        }
    }
}

/// The forms of positive numbers, negative ones, zero and texts, as they are given.
fn sections(code: &str) -> Vec<Vec<Part>> {
    let mut sections = vec![Vec::new()];
    let mut chars = code.trim().chars();
    while let Some(it) = chars.next() {
        let part = match it {
            ';' => {
                sections.push(Vec::new());
                continue;
            }
            '"' => Part::Literal(chars.by_ref().take_while(|it| *it != '"').collect()),
            '[' => {
                let bracketed: String = chars.by_ref().take_while(|it| *it != ']').collect();
                match bracketed.strip_prefix('$').and_then(|it| it.split('-').next()) {
                    Some(sign) => Part::Literal(sign.to_owned()),
                    // Hours beyond a day; colours and conditions show nothing.
                    None if matches!(bracketed.as_str(), "h" | "hh" | "m" | "mm" | "s" | "ss") => Part::Sign('h'),
                    None => continue,
                }
            }
            '\\' => Part::Literal(chars.next().map(String::from).unwrap_or_default()),
            '_' | '*' => {
                chars.next();
                Part::Literal(" ".to_owned())
            }
            '0' | '#' | '?' | '.' | ',' | '@' | '%' | '/' => Part::Sign(it),
            it if it.is_ascii_alphabetic() => Part::Sign(it.to_ascii_lowercase()),
            it => Part::Literal(it.to_string()),
        };
        if let Some(section) = sections.last_mut() {
            section.push(part);
        }
    }
    sections
}

/// None where the number is shown divided, in a fraction, or in no form at all.
fn places(section: &[Part]) -> Option<u8> {
    let signs: Vec<char> =
        section.iter().filter_map(|it| if let Part::Sign(it) = it { Some(*it) } else { None }).collect();
    if !signs.iter().all(|it| matches!(it, '0' | '#' | '?' | '.' | ',')) {
        return None;
    }
    let point = signs.iter().position(|it| *it == '.');
    let whole = signs.get(..point.unwrap_or(signs.len()))?;
    if whole.last().is_none_or(|it| *it == ',') || signs.last() == Some(&',') {
        return None;
    }
    u8::try_from(point.map_or(0, |it| signs.len() - it - 1)).ok()
}

/// What stands around or in front of the figures of a whole number, or the parts of a day that are shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form(Vec<Part>);

impl Form {
    /// None where the number or the whole day says as much.
    fn new(section: Vec<Part>, date: bool) -> Option<Form> {
        const PARTS_MAX: usize = 64;
        let signs = || section.iter().filter_map(|it| if let Part::Sign(it) = it { Some(*it) } else { None });
        let text = section.iter().any(|it| matches!(it, Part::Literal(_)) && it.has_ink());
        let fits = if date {
            let is_part = |it: char| matches!(it, 'd' | 'm' | 'y' | '/' | '.' | ',');
            signs().all(is_part) && !(signs().any(|it| it == 'd') && signs().any(|it| it == 'y'))
        } else {
            let zeros = signs().filter(|it| *it == '0').count();
            signs().all(|it| matches!(it, '0' | '#')) && (1 < zeros || (text && 0 < signs().count()))
        };
        (fits && section.len() <= PARTS_MAX).then_some(Form(section))
    }

    /// `R-00042` for 42 as `"R-"00000`.
    pub(super) fn of_number(&self, number: &str) -> Option<String> {
        if !number.bytes().all(|it| it.is_ascii_digit()) {
            return None;
        }
        let n_signs = self.0.iter().filter(|it| matches!(it, Part::Sign(_))).count();
        let mut left = n_signs;
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Sign(sign) => {
                    // The first place takes all figures that have no other.
                    let from = if left == n_signs { 0 } else { number.len().saturating_sub(left) };
                    left -= 1;
                    let to = number.len().saturating_sub(left);
                    match number.get(from..to).unwrap_or_default() {
                        "" if *sign == '0' => out.push('0'),
                        figures => out.push_str(figures),
                    }
                }
            }
        }
        Some(out)
    }

    /// `11-26` for a day in November 2026 as `mm-yy`.
    pub(super) fn of_date(&self, date: &str) -> Option<String> {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (year, month, dom) = (date.get(..4)?, date.get(5..7)?, date.get(8..)?);
        let bare = |it: &str| it.trim_start_matches('0').to_owned();
        let mut out = String::new();
        let mut parts = self.0.iter().peekable();
        while let Some(part) = parts.next() {
            let sign = match part {
                Part::Literal(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Sign(sign) => *sign,
            };
            let mut count = 1;
            while parts.next_if(|it| **it == *part).is_some() {
                count += 1;
            }
            match (sign, count) {
                ('y', 1 | 2) => out.push_str(year.get(2..)?),
                ('y', _) => out.push_str(year),
                ('m', 1) => out.push_str(&bare(month)),
                ('m', 2) => out.push_str(month),
                ('m', 3) => out.push_str(MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?),
                ('d', 1) => out.push_str(&bare(dom)),
                ('d', 2) => out.push_str(dom),
                ('d' | 'm', _) => return None,
                (sign, count) => (0..count).for_each(|_| out.push(sign)),
            }
        }
        Some(out)
    }
}

/// A colour of letters or of their ground.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Colour {
    Rgb([u8; 3]),
    /// One that is named elsewhere: only equal to itself.
    Named(String),
}

impl Colour {
    pub(super) const WHITE: Colour = Colour::Rgb([0xff; 3]);
    pub(super) const BLACK: Colour = Colour::Rgb([0; 3]);

    /// `#RRGGBB`, with or without the sign or the opacity in front.
    pub(super) fn hex(text: &str) -> Option<Colour> {
        let digits = text.get(text.len().checked_sub(6)?..)?;
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Colour::Rgb([red, green, blue]))
    }

    /// Of the palette that all workbooks begin with (ECMA-376 part 1, 18.8.27).
    pub(super) fn indexed(idx: u32) -> Colour {
        const FIRST: [u32; 8] = [0, 0xff_ffff, 0xff_0000, 0x00_ff00, 0x00_00ff, 0xff_ff00, 0xff_00ff, 0x00_ffff];
        let at = if idx < 8 { idx } else { idx - 8 };
        match FIRST.get(at as usize).map(|it| it.to_be_bytes()) {
            Some([_, red, green, blue]) => Colour::Rgb([red, green, blue]),
            None => Colour::Named(format!("palette {idx}")),
        }
    }

    /// Of the theme: the first is the paper's and the second the ink's, unless the theme turns that round.
    pub(super) fn theme(idx: u32, tint: &str) -> Colour {
        match (idx, tint) {
            (0, "") => Colour::WHITE,
            (1, "") => Colour::BLACK,
            _ => Colour::Named(format!("theme {idx} {tint}")),
        }
    }

    /// Too close to tell them apart on paper or on a screen.
    fn is_like(&self, other: &Colour) -> bool {
        const APART_MIN: u8 = 17;
        match (self, other) {
            (Colour::Rgb(one), Colour::Rgb(other)) => one.iter().zip(other).all(|(a, b)| a.abs_diff(*b) < APART_MIN),
            _ => self == other,
        }
    }
}

/// Letters: their colour and their size in points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ink {
    pub(super) colour: Colour,
    pub(super) points: f64,
}

impl Ink {
    /// Does no eye see them on this ground? One in a pattern or of an unknown colour hides nothing.
    pub(super) fn is_unseen(&self, ground: Option<&Colour>) -> bool {
        const POINTS_MIN: f64 = 2.0;
        self.points < POINTS_MIN || ground.is_some_and(|it| self.colour.is_like(it))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_format_code_tells_dates_percents_and_currencies() {
        for (code, date, percent, currency) in [
            ("dd.mm.yyyy", true, false, None),
            ("yyyy-mm-dd hh:mm:ss.000", true, false, None),
            ("#,##0.00 \"€\"", false, false, Some("EUR")),
            ("#,##0.00\\ [$€-407]", false, false, Some("EUR")),
            ("[$USD] 0.00", false, false, Some("USD")),
            ("0.00 USD", false, false, Some("USD")),
            ("[Red]0.0%", false, true, None),
            ("[$-F800]dddd, mmmm d, yyyy", true, false, None),
            ("General", false, false, None),
            ("0.00 \"Tage\"", false, false, None),
        ] {
            let style = shown_as(code);
            assert_eq!((style.date, style.percent, style.currency.as_deref()), (date, percent, currency), "{code}");
            assert!(!style.unseen);
        }
        for code in [";;;", "\"\";\"\";\"\";\"\"", "\" \"", "_-_)"] {
            assert!(shown_as(code).unseen, "{code}");
        }
        let style = shown_as(";;;@");
        assert!(style.unseen_numbers && !style.unseen);
        assert!(!shown_as("0.00;;").unseen_numbers);
        assert_eq!(shown_as("0 \"Stk\"").currency, None);
    }

    #[test]
    fn a_number_is_shown_with_what_its_format_puts_around_it() {
        for (code, number, expected) in [
            ("\"R-\"00000", "42", Some("R-00042")),
            ("00000", "42", Some("00042")),
            ("000000", "1234567", Some("1234567")),
            ("0000\\-0000", "20260042", Some("2026-0042")),
            ("\"INV \"#", "7", Some("INV 7")),
            ("\"R-\"00000", "1.5", None),
            ("0", "42", None),
            ("#,##0", "42", None),
            ("0.00", "42", None),
            ("General", "42", None),
            ("0 \"€\"", "42", None),
        ] {
            assert_eq!(shown_as(code).form.and_then(|it| it.of_number(number)).as_deref(), expected, "{code}");
        }
        for (code, expected) in
            [("mm-yy", Some("11-26")), ("d/m", Some("3/11")), ("mmm-yy", Some("Nov-26")), ("dd.mm.yyyy", None)]
        {
            assert_eq!(shown_as(code).form.and_then(|it| it.of_date("2026-11-03")).as_deref(), expected, "{code}");
        }
        for (code, places) in
            [("0.00", Some(2)), ("#,##0.00 \"€\"", Some(2)), ("0", Some(0)), ("#,##0,", None), ("General", None)]
        {
            assert_eq!(shown_as(code).places, places, "{code}");
        }
    }

    #[test]
    fn letters_that_are_as_their_ground_are_unseen() {
        let ink = |colour: Colour, points: f64| Ink { colour, points };
        let near_white = Colour::hex("FFFEFEFE").unwrap();
        let blue = Colour::hex("FF203040").unwrap();
        for (ink, ground, expected) in [
            (ink(near_white.clone(), 11.0), Some(Colour::WHITE), true),
            (ink(near_white, 11.0), Some(blue.clone()), false),
            (ink(blue.clone(), 11.0), Some(blue.clone()), true),
            (ink(blue.clone(), 11.0), None, false),
            (ink(blue, 1.0), None, true),
            (ink(Colour::theme(4, "0.4"), 9.0), Some(Colour::theme(4, "0.4")), true),
            (ink(Colour::indexed(9), 9.0), Some(Colour::WHITE), true),
            (ink(Colour::BLACK, 9.0), Some(Colour::WHITE), false),
        ] {
            assert_eq!(ink.is_unseen(ground.as_ref()), expected, "{ink:?} {ground:?}");
        }
    }
}
