//! Strips of text from the heat that the model for detection gives: each pixel's odds that it lies in a line of text.

use crate::image::Picture;

/// Height of a strip for the model for recognition, and its width in pixels: shorter ones are filled up with grey.
pub(super) const STRIP_HEIGHT: usize = 48;
const STRIP_WIDTH_MIN: usize = 320;
const STRIP_WIDTH_MAX: usize = 3_200;
const GREY: u8 = 127;

/// Odds of a pixel, and mean odds of a strip, from which on they count.
const ODDS_MIN: f32 = 0.3;
const MEAN_ODDS_MIN: f32 = 0.5;
const PIXELS_MIN: usize = 10;
const SIDE_MIN: f32 = 3.0;
/// The model marks the middle of a line: its area, times this, by its outline is what is added on every side.
const GROW: f32 = 1.6;
/// Strips on one page; more is noise.
const STRIPS_MAX: usize = 1_500;
/// Longer than so many times its height, and a strip's own slope is known.
const SLENDER: f32 = 4.0;
/// Steeper than this (in radians) text runs up or down; more than this from the page's slope, it was not measured.
const STEEP: f32 = 0.6;
const ASTRAY: f32 = 0.12;

/// A rectangle, not level, around a line of text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Strip {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) length: f32,
    pub(super) height: f32,
    /// Of the direction of reading, in radians clockwise from the right.
    pub(super) angle: f32,
    /// The angle most lines of the page have.
    pub(super) page_angle: f32,
}

impl Strip {
    pub(super) fn tall(&self) -> bool {
        3.0 * self.length < self.height
    }

    pub(super) fn slenderness(&self) -> f32 {
        self.length / self.height
    }

    /// The same place, read from the other end.
    pub(super) fn upside_down(&self) -> Strip {
        let half = std::f32::consts::PI;
        Strip { angle: self.angle + half, page_angle: self.page_angle + half, ..*self }
    }

    /// Both scales are nearly the same.
    pub(super) fn scaled(&self, across: f32, down: f32) -> Strip {
        let (cos, sin) = (self.angle.cos().abs(), self.angle.sin().abs());
        Strip {
            x: self.x * across,
            y: self.y * down,
            length: self.length * (across * cos + down * sin),
            height: self.height * (down * cos + across * sin),
            ..*self
        }
    }

    /// The point so far along the strip and across it, each between -0.5 and 0.5.
    pub(super) fn point(&self, along: f32, across: f32) -> (f32, f32) {
        let (cos, sin) = (self.angle.cos(), self.angle.sin());
        let (along, across) = (along * self.length, across * self.height);
        (self.x + along * cos - across * sin, self.y + along * sin + across * cos)
    }

    /// Level and at the height that the model reads; its pixels, their width, and how much of that is the strip.
    pub(super) fn cut_out(&self, picture: &Picture) -> (Vec<u8>, usize, usize) {
        let wanted = STRIP_HEIGHT as f32 * self.length / self.height.max(1.0);
        let used = (wanted.ceil() as usize).clamp(16, STRIP_WIDTH_MAX);
        let width = used.max(STRIP_WIDTH_MIN);
        // Each pixel is the mean of so many by so many points.
        let finer = (self.height / STRIP_HEIGHT as f32).round().clamp(1.0, 4.0);
        let shares: Vec<f32> = (0..finer as usize).map(|it| (it as f32 + 0.5) / finer).collect();
        let mut rgb = Vec::with_capacity(3 * width * STRIP_HEIGHT);
        for row in 0..STRIP_HEIGHT {
            for column in 0..used {
                let mut sum = [0.0; 3];
                for down in &shares {
                    for right in &shares {
                        let along = (column as f32 + right) / used as f32 - 0.5;
                        let across = (row as f32 + down) / STRIP_HEIGHT as f32 - 0.5;
                        let (x, y) = self.point(along, across);
                        for (sum, part) in sum.iter_mut().zip(between(picture, x, y)) {
                            *sum += part;
                        }
                    }
                }
                rgb.extend(sum.map(|it| (it / (finer * finer) + 0.5) as u8));
            }
            rgb.resize(rgb.len() + 3 * (width - used), GREY);
        }
        (rgb, width, used)
    }
}

/// The colour at a point between pixels; the picture's edge goes on outside it.
fn between(picture: &Picture, x: f32, y: f32) -> [f32; 3] {
    let (x, y) = ((x - 0.5).clamp(0.0, (picture.width - 1) as f32), (y - 0.5).clamp(0.0, (picture.height - 1) as f32));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(picture.width - 1), (top + 1).min(picture.height - 1));
    let (across, down) = (x - left as f32, y - top as f32);
    let mut out = [0.0; 3];
    for (column, row, share) in [
        (left, top, (1.0 - across) * (1.0 - down)),
        (right, top, across * (1.0 - down)),
        (left, bottom, (1.0 - across) * down),
        (right, bottom, across * down),
    ] {
        for (out, part) in out.iter_mut().zip(picture.pixel(column, row)) {
            *out += share * f32::from(part);
        }
    }
    out
}

/// Does most of the text run up or down?
pub(super) fn mostly_tall(strips: &[Strip]) -> bool {
    let area = |tall: bool| -> f32 {
        let of = strips.iter().filter(|it| it.tall() == tall && (tall || 3.0 * it.height < it.length));
        of.map(|it| it.length * it.height).sum()
    };
    area(false) < area(true)
}

/// Strips in the pixels of the heat, as found from the top.
pub(super) fn strips(heat: &[f32], width: usize, height: usize) -> Vec<Strip> {
    let blots = blots(heat, width, height);
    let page_angle = page_angle(&blots);
    blots.iter().filter_map(|blot| blot.strip(page_angle)).take(STRIPS_MAX).collect()
}

/// Pixels that touch each other, with the odds of text.
struct Blot {
    pixels: Vec<(f32, f32)>,
    /// Known where it is slender.
    angle: Option<f32>,
}

fn blots(heat: &[f32], width: usize, height: usize) -> Vec<Blot> {
    let mut open: Vec<bool> = heat.iter().take(width * height).map(|it| ODDS_MIN <= *it).collect();
    let mut out = Vec::new();
    let mut waiting = Vec::new();
    for start in 0..open.len() {
        if !std::mem::take(open.get_mut(start).unwrap_or(&mut false)) {
            continue;
        }
        waiting.push(start);
        let (mut pixels, mut odds) = (Vec::new(), 0.0);
        while let Some(at) = waiting.pop() {
            let (x, y) = (at % width, at / width);
            pixels.push((x as f32 + 0.5, y as f32 + 0.5));
            odds += heat.get(at).copied().unwrap_or_default();
            let beside = [
                (0 < x).then(|| at - 1),
                (x + 1 < width).then_some(at + 1),
                at.checked_sub(width),
                (y + 1 < height).then_some(at + width),
            ];
            for next in beside.into_iter().flatten() {
                if std::mem::take(open.get_mut(next).unwrap_or(&mut false)) {
                    waiting.push(next);
                }
            }
        }
        if PIXELS_MIN <= pixels.len() && MEAN_ODDS_MIN <= odds / pixels.len() as f32 {
            out.push(Blot::new(pixels));
        }
    }
    out
}

impl Blot {
    /// The slope is the direction of the largest variance.
    fn new(pixels: Vec<(f32, f32)>) -> Blot {
        let n = pixels.len() as f32;
        let (x, y) = pixels.iter().fold((0.0, 0.0), |(x, y), it| (x + it.0 / n, y + it.1 / n));
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        for it in &pixels {
            let (dx, dy) = (it.0 - x, it.1 - y);
            xx += dx * dx / n;
            yy += dy * dy / n;
            xy += dx * dy / n;
        }
        let root = ((xx - yy).powi(2) / 4.0 + xy * xy).sqrt();
        let (large, small) = ((xx + yy) / 2.0 + root, ((xx + yy) / 2.0 - root).max(1e-3));
        let slender = SLENDER * SLENDER * small < large;
        Blot { angle: slender.then(|| 0.5 * (2.0 * xy).atan2(xx - yy)), pixels }
    }

    /// None where it is too small to be read.
    fn strip(&self, page_angle: f32) -> Option<Strip> {
        let angle = self.angle.filter(|it| (it - page_angle).abs() < ASTRAY).unwrap_or(page_angle);
        let (cos, sin) = (angle.cos(), angle.sin());
        let mut bounds = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
        for (x, y) in &self.pixels {
            let (along, across) = (x * cos + y * sin, y * cos - x * sin);
            bounds = [bounds[0].min(along), bounds[1].min(across), bounds[2].max(along), bounds[3].max(across)];
        }
        let [left, top, right, bottom] = bounds;
        let (length, height) = (right - left + 1.0, bottom - top + 1.0);
        if length.min(height) < SIDE_MIN {
            return None;
        }
        let grow = length * height * GROW / (2.0 * (length + height));
        let (along, across) = ((left + right) / 2.0, (top + bottom) / 2.0);
        Some(Strip {
            x: along * cos - across * sin,
            y: along * sin + across * cos,
            length: length + 2.0 * grow,
            height: height + 2.0 * grow,
            angle,
            page_angle,
        })
    }
}

/// The angle in the middle of all, each line counted by its pixels; 0 where no line is long enough to tell.
fn page_angle(blots: &[Blot]) -> f32 {
    let slope = |blot: &Blot| blot.angle.filter(|it| it.abs() < STEEP).map(|angle| (angle, blot.pixels.len()));
    let mut angles: Vec<(f32, usize)> = blots.iter().filter_map(slope).collect();
    angles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = angles.iter().map(|it| it.1).sum::<usize>() / 2;
    let mut sum = 0;
    let middle = angles.iter().find(|(_, count)| {
        sum += count;
        half <= sum
    });
    middle.map_or(0.0, |it| it.0)
}
