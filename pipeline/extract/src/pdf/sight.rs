//! Letters that the page's own description hides from nobody and the painted page does not show: in the colour of their
//! ground, or under something drawn over them.

use std::collections::HashSet;

use hayro_interpret::kurbo::{Point, Vec2};

use super::ink::Mark;
use super::picture::Painted;

/// Colours nearer than this are one to the eye, of 255 levels: an eighth of the range. Grey on white then has a contrast of
/// 1.3 to 1, where the Web's guidelines (WCAG 2.2, 1.4.3) ask for 4.5 to 1; letters that are printed to be read, fine print
/// and watermarks too, keep about twice this distance.
const DISTANCE_MIN: f32 = 32.0;
/// The eye tells colours of one brightness less well than brightnesses: so much less a difference in one of the three counts.
const COLOUR_WEIGHT: f32 = 1.0 / 3.0;
/// Where this share of a word's place has the word's own colour, that is its ground: the boldest letters leave more free.
const GROUND_SHARE: f32 = 0.6;
/// What is looked at of a letter, in ems above the baseline: its place, and the part of it that most strokes cross.
const PLACE: [f64; 2] = [-0.25, 0.95];
const CORE: [f64; 2] = [0.03, 0.5];
/// Strokes that a row through the core crosses for each letter, and the share of rows that must: a rule under, over or
/// through a word crosses none along most rows. A thin stroke between two pixels counts as less than a half.
const STROKES_MIN: f32 = 0.2;
const ROWS_MIN: f32 = 0.3;
/// Pixels to the em below which strokes are not told apart.
const FINE: f64 = 6.0;
/// Samples to the em of large letters, which have thick strokes.
const SAMPLES: f64 = 24.0;
/// Letters of one word follow each other within these, in ems.
const GAP: [f64; 2] = [-1.2, 0.15];
/// So much of its size a letter leaves to the next, in a word that can be read.
const PITCH_MIN: f64 = 0.08;
/// The same letter within this share of its size is the same letter, drawn as its outline, its fill or its shadow.
const SAME: f64 = 0.12;
/// Letters whose strokes all run along the line.
const LEVEL: [char; 4] = ['一', '二', '三', '亖'];

/// Takes the marks out that no eye sees, where `painted` says so; those for which `trusted` is true are believed.
pub(super) fn take_unseen(shown: &mut Vec<Mark>, painted: &Painted, trusted: impl Fn(&[Mark]) -> bool) -> Vec<Mark> {
    let (mut seen, mut unseen) = (Vec::with_capacity(shown.len()), Vec::new());
    let marks = std::mem::take(shown);
    let mut rest = marks.as_slice();
    let mut before: Option<&Mark> = None;
    while let Some(first) = rest.first() {
        let mut last = first;
        let more = rest.iter().skip(1).take_while(|mark| {
            let goes_on = last.colour == mark.colour && follows(last, mark);
            last = mark;
            goes_on
        });
        let (run, behind) = rest.split_at(1 + more.count());
        rest = behind;
        // A point or a dash is asked for where it belongs to a number: it makes another one of it.
        let in_number = |mark: Option<&Mark>| mark.is_some_and(|it| it.text.contains(|it: char| it.is_ascii_digit()));
        let touches = |mark: Option<&Mark>, next: Option<&Mark>| mark.zip(next).is_some_and(|(a, b)| follows(a, b));
        let asked = run.iter().any(is_letter)
            || (in_number(before) && touches(before, run.first()))
            || (in_number(behind.first()) && touches(run.last(), behind.first()));
        before = run.last();
        let hidden = asked && !trusted(run) && (crowded(run) || !painted_as(run, painted));
        if hidden { &mut unseen } else { &mut seen }.extend(run.iter().cloned());
    }
    *shown = seen;
    unseen
}

/// Leaves out what is drawn a second time where it is seen: white letters with a black outline, a shadow.
pub(super) fn drop_doubles(hidden: &mut Vec<Mark>, shown: &[Mark]) {
    if hidden.is_empty() {
        return;
    }
    let cell = |mark: &Mark| mark.size.max(1.0) * SAME;
    #[expect(clippy::cast_possible_truncation, reason = "places on a page are small numbers")]
    let at = |point: Point, cell: f64| ((point.x / cell).floor() as i64, (point.y / cell).floor() as i64);
    // Sizes are kept apart, so that one grid serves each.
    #[expect(clippy::cast_possible_truncation, reason = "sizes on a page are small numbers")]
    let size = |mark: &Mark| (mark.size * 10.0).round() as i64;
    let places: HashSet<(&str, i64, (i64, i64))> =
        shown.iter().map(|it| (it.text.as_str(), size(it), at(it.start, cell(it)))).collect();
    let double = |mark: &Mark| {
        let (x, y) = at(mark.start, cell(mark));
        let near = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x.saturating_add(dx), y.saturating_add(dy))));
        near.into_iter().any(|place| places.contains(&(mark.text.as_str(), size(mark), place)))
    };
    hidden.retain(|mark| mark.text.is_empty() || !double(mark));
}

fn is_letter(mark: &Mark) -> bool {
    mark.text.contains(char::is_alphanumeric)
}

/// Does `mark` stand behind `last` as a letter of the same word does?
fn follows(last: &Mark, mark: &Mark) -> bool {
    if last.text.is_empty() || mark.text.is_empty() || 0.05 * last.size < (last.size - mark.size).abs() {
        return false;
    }
    let along = direction(last);
    let step = mark.start - last.end;
    let [least, most] = GAP;
    step.cross(along).abs() < 0.1 * last.size
        && (least * last.size..most * last.size).contains(&step.dot(along))
        && 0.99 < along.dot(direction(mark))
}

/// Along the text; to the right where a letter has no width.
fn direction(mark: &Mark) -> Vec2 {
    let along = mark.end - mark.start;
    if along.hypot() < 1e-9 { Vec2::new(1.0, 0.0) } else { along / along.hypot() }
}

/// Letters so much one over the other that nobody reads them.
fn crowded(run: &[Mark]) -> bool {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return false };
    let n_letters = 1 + run.windows(2).filter(|pair| matches!(pair, [a, b] if a.text != b.text)).count();
    3 < n_letters && (last.start - first.start).hypot() < PITCH_MIN * first.size * n_letters as f64
}

/// Are letters painted where a word stands, in another colour than their ground? Also true where the picture cannot tell.
fn painted_as(run: &[Mark], painted: &Painted) -> bool {
    let Some(place) = Place::of(run, painted) else { return true };
    let [low, high] = PLACE;
    let pixels: Vec<Colour> = place.rows(low, high, painted).flatten().collect();
    if pixels.len() < 4 {
        return true;
    }
    let Some(common) = most_common(pixels.iter().copied()) else { return true };
    let colour = run.first().and_then(|mark| mark.colour);
    let ink = match colour {
        // Ink that lets the ground shine through takes from its colour.
        Some([red, green, blue, opacity]) => {
            let share = f32::from(opacity) / 255.0;
            let own = [red, green, blue].map(f32::from);
            each(common, own, |common, own| common + share * (own - common))
        }
        None => {
            let farthest = |a: &&Colour, b: &&Colour| distance(**a, common).total_cmp(&distance(**b, common));
            *pixels.iter().max_by(farthest).unwrap_or(&common)
        }
    };
    let near = |pixel: &Colour| distance(*pixel, ink) < DISTANCE_MIN;
    let n_near = pixels.iter().filter(|it| near(it)).count();
    if GROUND_SHARE * pixels.len() as f32 <= n_near as f32 {
        return false;
    }
    let n_letters = run.iter().filter(|it| is_letter(it)).count();
    if !place.is_fine() || n_letters == 0 || run.iter().all(|mark| mark.text.contains(LEVEL)) {
        return true;
    }
    let Some(ground) = most_common(pixels.iter().copied().filter(|it| !near(it))) else { return false };
    let axis = each(ink, ground, |ink, ground| ink - ground);
    let length = axis.iter().map(|it| it * it).sum::<f32>().max(1.0);
    // 0 on the ground, 1 in the ink.
    let inked = |pixel: Colour| {
        let from_ground = each(pixel, ground, |pixel, ground| pixel - ground);
        let along: f32 = each(from_ground, axis, |a, b| a * b).iter().sum();
        (along / length).clamp(0.0, 1.0)
    };
    let [low, high] = CORE;
    let (mut n_rows, mut n_crossed) = (0.0, 0.0);
    for row in place.rows(low, high, painted) {
        let (mut last, mut change) = (None, 0.0);
        for share in row.map(inked) {
            change += last.map_or(0.0, |last: f32| (share - last).abs());
            last = Some(share);
        }
        n_rows += 1.0;
        // In and out again.
        n_crossed += if STROKES_MIN * n_letters as f32 <= change / 2.0 { 1.0 } else { 0.0 };
    }
    n_rows < 1.0 || ROWS_MIN * n_rows <= n_crossed
}

type Colour = [f32; 3];

fn each([a, b, c]: Colour, [x, y, z]: Colour, of: impl Fn(f32, f32) -> f32) -> Colour {
    [of(a, x), of(b, y), of(c, z)]
}

/// Of 255 levels, by brightness (ITU-R BT.601) or by a single colour.
fn distance(a: Colour, b: Colour) -> f32 {
    let [red, green, blue] = each(a, b, |a, b| a - b);
    let bright = (0.299 * red + 0.587 * green + 0.114 * blue).abs();
    bright.max(COLOUR_WEIGHT * red.abs().max(green.abs()).max(blue.abs()))
}

/// The mean of the most frequent colours, which are alike in the upper four bits of each part.
fn most_common(pixels: impl Iterator<Item = Colour> + Clone) -> Option<Colour> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a colour is 0 to 255")]
    let bin = |pixel: &Colour| pixel.iter().fold(0_usize, |bin, part| bin << 4 | usize::from(*part as u8 >> 4));
    let mut counts = [0_u32; 1 << 12];
    for pixel in pixels.clone() {
        if let Some(count) = counts.get_mut(bin(&pixel)) {
            *count += 1;
        }
    }
    let (most, count) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    let mut sum = [0.0; 3];
    for pixel in pixels.filter(|it| bin(it) == most) {
        for (sum, part) in sum.iter_mut().zip(pixel) {
            *sum += part;
        }
    }
    (0 < *count).then(|| sum.map(|sum| sum / *count as f32))
}

/// Where a word stands on the picture, in pixels.
struct Place {
    start: Point,
    along: Vec2,
    /// From the baseline towards the letters' heads.
    up: Vec2,
    length: f64,
    size: f64,
}

impl Place {
    fn of(run: &[Mark], painted: &Painted) -> Option<Place> {
        let (first, last) = (run.first()?, run.last()?);
        let along = direction(first);
        // A letter of no or of great width is looked at where its shape must be.
        let length = (last.end - first.start).dot(along).max((last.start - first.start).dot(along) + 0.3 * first.size);
        let length = length.clamp(0.0, 1.5 * first.size * run.len() as f64);
        let (size, length) = (first.size * painted.scale, length * painted.scale);
        let start = first.start.to_vec2() * painted.scale;
        Some(Place { start: start.to_point(), along, up: Vec2::new(along.y, -along.x), length, size })
    }

    fn is_fine(&self) -> bool {
        FINE <= self.size
    }

    /// The pixels between two heights in ems, row by row along the text.
    fn rows<'p>(
        &self,
        low: f64,
        high: f64,
        painted: &'p Painted,
    ) -> impl Iterator<Item = impl Iterator<Item = Colour> + use<'p>> + use<'p> {
        let step = (self.size / SAMPLES).max(1.0);
        let count = move |length: f64| {
            (0..4_000).map(f64::from).map(move |it| (it + 0.5) * step).take_while(move |it| *it < length)
        };
        let (start, along, up, size) = (self.start, self.along, self.up, self.size);
        let length = self.length.max(1.0);
        count(((high - low) * size).max(1.0)).map(move |above| {
            let left = start + up * (low * size + above);
            count(length).filter_map(move |ahead| painted.pixel(left + along * ahead))
        })
    }
}
