use std::io;

/// What the eye sees: three bytes a pixel, red, green and blue, rows from the top.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) rgb: Vec<u8>,
}

pub(crate) type Pixel = [u8; 3];

const WHITE: Pixel = [255; 3];

impl Picture {
    /// None where `rgb` is not of this size.
    pub(crate) fn new(width: usize, height: usize, rgb: Vec<u8>) -> Option<Picture> {
        let size = width.checked_mul(height)?.checked_mul(3)?;
        (0 < width && 0 < height && rgb.len() == size).then_some(Picture { width, height, rgb })
    }

    /// White outside the picture.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> Pixel {
        if self.width <= x || self.height <= y {
            return WHITE;
        }
        let at = 3 * (y * self.width + x);
        self.rgb.get(at..at + 3).and_then(|it| it.try_into().ok()).unwrap_or(WHITE)
    }

    /// Turned clockwise by so many right angles.
    pub(crate) fn turned(&self, quarters: u8) -> Picture {
        let (width, height) =
            if quarters.is_multiple_of(2) { (self.width, self.height) } else { (self.height, self.width) };
        let (right, bottom) = (self.width - 1, self.height - 1);
        self.drawn(width, height, |x, y| match quarters % 4 {
            0 => (x, y),
            1 => (y, bottom - x),
            2 => (right - x, bottom - y),
            _ => (right - y, x),
        })
    }

    /// As in a mirror that stands beside it.
    pub(crate) fn mirrored(&self) -> Picture {
        let right = self.width - 1;
        self.drawn(self.width, self.height, |x, y| (right - x, y))
    }

    fn drawn(&self, width: usize, height: usize, from: impl Fn(usize, usize) -> (usize, usize)) -> Picture {
        let mut rgb = Vec::with_capacity(self.rgb.len());
        for y in 0..height {
            for x in 0..width {
                let (x, y) = from(x, y);
                rgb.extend(self.pixel(x, y));
            }
        }
        Picture { width, height, rgb }
    }

    /// Of another size: each pixel is the mean of what it covers, or lies between its neighbours where it covers less than one.
    pub(crate) fn scaled(&self, width: usize, height: usize) -> Picture {
        let (columns, rows) = (weights(self.width, width), weights(self.height, height));
        // Across first, then down; what lies between has as many rows as this picture, and as many columns as the new one.
        let mut across = Vec::with_capacity(3 * width * self.height);
        for row in self.rgb.chunks_exact(3 * self.width) {
            for (start, shares) in &columns {
                let mut sum = [0.0_f32; 3];
                for (pixel, share) in row.chunks_exact(3).skip(*start).zip(shares) {
                    for (sum, part) in sum.iter_mut().zip(pixel) {
                        *sum += share * f32::from(*part);
                    }
                }
                across.extend(sum.map(rounded));
            }
        }
        let mut rgb = Vec::with_capacity(3 * width * height);
        let mut sums = vec![0.0_f32; 3 * width];
        for (start, shares) in &rows {
            sums.fill(0.0);
            for (row, share) in across.chunks_exact(3 * width).skip(*start).zip(shares) {
                for (sum, part) in sums.iter_mut().zip(row) {
                    *sum += share * f32::from(*part);
                }
            }
            rgb.extend(sums.iter().copied().map(rounded));
        }
        Picture { width, height, rgb }
    }

    /// As PNG in grey.
    pub(crate) fn grey_png(&self) -> io::Result<Vec<u8>> {
        let (pixels, _) = self.rgb.as_chunks::<3>();
        // The shares of ITU-R BT.601, of 256.
        let grey = |[red, green, blue]: &[u8; 3]| {
            ((77 * u32::from(*red) + 150 * u32::from(*green) + 29 * u32::from(*blue)) / 256).to_le_bytes()[0]
        };
        self.encoded(png::ColorType::Grayscale, &pixels.iter().map(grey).collect::<Vec<_>>())
    }

    /// As PNG.
    pub(crate) fn png(&self) -> io::Result<Vec<u8>> {
        self.encoded(png::ColorType::Rgb, &self.rgb)
    }

    fn encoded(&self, colours: png::ColorType, pixels: &[u8]) -> io::Result<Vec<u8>> {
        let side = |it: usize| u32::try_from(it).map_err(io::Error::other);
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, side(self.width)?, side(self.height)?);
        encoder.set_color(colours);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        encoder.write_header()?.write_image_data(pixels)?;
        Ok(out)
    }
}

/// Values of colours lie between 0 and 255.
fn rounded(value: f32) -> u8 {
    (value + 0.5).clamp(0.0, 255.0) as u8
}

/// For each new place along one side: the first old one that counts, and the shares of it and those after it.
fn weights(old: usize, new: usize) -> Vec<(usize, Vec<f32>)> {
    let scale = old as f32 / new as f32;
    let reach = scale.max(1.0);
    let place = |idx: usize| {
        let middle = (idx as f32 + 0.5) * scale;
        let first = (middle - reach).max(0.0) as usize;
        let last = ((middle + reach).ceil() as usize).min(old);
        let shares: Vec<f32> =
            (first..last).map(|it| (1.0 - ((it as f32 + 0.5 - middle) / reach).abs()).max(0.0)).collect();
        let sum: f32 = shares.iter().sum();
        (first, shares.iter().map(|it| it / sum.max(f32::MIN_POSITIVE)).collect())
    };
    (0..new).map(place).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn letters(width: usize, height: usize, letters: &str) -> Picture {
        Picture::new(width, height, letters.bytes().flat_map(|it| [it; 3]).collect()).unwrap()
    }

    #[test]
    fn a_picture_turns_clockwise() {
        let picture = letters(3, 2, "abcdef");
        for (quarters, expected) in [
            (0, letters(3, 2, "abcdef")),
            (1, letters(2, 3, "daebfc")),
            (2, letters(3, 2, "fedcba")),
            (3, letters(2, 3, "cfbead")),
        ] {
            assert_eq!(picture.turned(quarters), expected, "{quarters}");
        }
        assert_eq!(picture.mirrored(), letters(3, 2, "cbafed"));
    }

    #[test]
    fn an_even_colour_stays_as_it_is_at_any_size() {
        let grey = Picture::new(7, 5, vec![90; 105]).unwrap();
        for (width, height) in [(1, 1), (3, 2), (7, 5), (20, 31)] {
            assert_eq!(grey.scaled(width, height), Picture::new(width, height, vec![90; 3 * width * height]).unwrap());
        }
    }

    #[test]
    fn a_small_picture_is_a_weighted_mean_of_the_large_one() {
        let half = Picture::new(4, 1, [[0; 6], [200; 6]].concat()).unwrap();
        assert_eq!(half.scaled(1, 1).rgb, [100; 3]);
        assert_eq!(half.scaled(2, 1).rgb, [[29; 3], [171; 3]].concat());
    }
}
