use std::collections::{HashMap, HashSet};
use std::panic::resume_unwind;

use hayro_interpret::font::{Glyph, GlyphIdentifier, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::Dict;
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Shape as _};
use hayro_interpret::util::TransformExt as _;
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, FillRule, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, Paint, SoftMask, interpret_page, pattern::Pattern,
};

use super::optional::Layers;

/// What one page puts on paper: every glyph with its place, and how much work the rest is.
#[derive(Default)]
pub(super) struct Ink {
    /// What a reader of the page sees.
    pub(super) shown: Vec<Mark>,
    /// What no eye sees: invisible ink, white on white, covered, clipped away, microscopic or off the page.
    pub(super) hidden: Vec<Mark>,
    /// Pieces of text in layers that are switched off, which are not drawn and so have no marks.
    pub(super) n_switched_off: usize,
    /// Pixels of all images on the page.
    pub(super) image_pixels: u64,
    /// Cells of patterns and dashes of lines that a picture of this page would have to paint.
    pub(super) pieces: f64,
    pub(super) n_paths: usize,
    /// Share of the page that images cover, overlaps counted twice.
    pub(super) image_share: f64,
    /// Where they lie.
    images: Vec<Rect>,
    /// Letters of other scripts that have a place and a meaning but no shape. Where the document does not hold their font,
    /// no picture of ours shows them. By the bits of their middle.
    shapeless: HashSet<(u64, u64)>,
}

impl Ink {
    /// Does the middle of an area (left, top, right, bottom) lie on an image?
    pub(super) fn on_image(&self, [left, top, right, bottom]: [f64; 4]) -> bool {
        let middle = Point::new(left, top).midpoint(Point::new(right, bottom));
        self.images.iter().any(|image| image.contains(middle))
    }

    /// Has this letter of another script no shape?
    pub(super) fn is_shapeless(&self, mark: &Mark) -> bool {
        let middle = mark.middle();
        self.shapeless.contains(&(middle.x.to_bits(), middle.y.to_bits()))
    }
}

/// A glyph: its text, and its place in points from the top left corner of the page.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    /// Empty for a space; U+FFFD where the document does not say which character it is.
    pub(crate) text: String,
    pub(crate) start: Point,
    pub(crate) end: Point,
    /// Height of the font's em square, in points.
    pub(crate) size: f64,
    /// Red, green, blue and opacity of its paint, where that is one plain colour.
    pub(crate) colour: Option<[u8; 4]>,
}

/// What all pages of a document may cost together. Counted, not timed, so that a document reads the same everywhere.
pub(super) struct Budget {
    pub(super) glyphs: usize,
    pub(super) operators: usize,
}

impl Budget {
    pub(super) const DOCUMENT: Budget = Budget { glyphs: 300_000, operators: 3_000_000 };
}

const COVERS_MAX: usize = 4_096;
/// Images whose places are kept. A scan in more strips than that counts as one with little text on it, and is not read.
const IMAGES_MAX: usize = 1_024;
/// Characters from here on are not in the fonts that stand in for those the document does not hold.
const OTHER_SCRIPTS: u32 = 0x0400;
/// Smaller than this nobody reads it, in points, and narrower than this share of its height.
const SIZE_MIN: f64 = 2.0;
const WIDTH_SHARE_MIN: f64 = 0.2;
/// What a clip leaves of a letter must be wider and higher than this share of its size.
const CLIP_SHARE_MIN: f64 = 0.2;
/// Clips with more corners than this count as the rectangle around them; filled areas with more cover nothing.
const CORNERS_MAX: usize = 64;
/// Nor do filled areas that are narrower, in points, than the smallest letters are high.
const COVER_SIDE_MIN: f64 = SIZE_MIN;

/// The payload of the unwinding that ends a page whose budget is used up; never shown to anyone.
pub(super) struct UsedUp;

/// Draws `page` on paper that only remembers. Unwinds with [`UsedUp`] when `budget` is; the interpreter has no other
/// way to be stopped. Whoever calls this catches unwinding anyway, because the interpreter may panic.
pub(super) fn of_page<'a>(
    pdf: &'a Pdf,
    page: &Page<'a>,
    cache: &InterpreterCache<'a>,
    settings: &InterpreterSettings,
    layers: Option<&Layers>,
    budget: &mut Budget,
) -> Ink {
    let (width, height) = page.render_dimensions();
    let paper = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let transform = page.initial_transform(true).to_kurbo();
    let mut context = Context::new(transform, paper, cache, pdf.xref(), settings.clone());
    let mut pen = Pen {
        ink: Ink::default(),
        paper,
        layers,
        sections: Vec::new(),
        budget,
        clips: Vec::new(),
        groups: Vec::new(),
        shapes: Vec::new(),
        shapeless: HashMap::new(),
    };
    interpret_page(page, &mut context, &mut pen);
    pen.hide_covered()
}

struct Pen<'b> {
    ink: Ink,
    paper: Rect,
    layers: Option<&'b Layers>,
    /// Of marked content that is open: is it in a layer that is switched off?
    sections: Vec<bool>,
    budget: &'b mut Budget,
    clips: Vec<Clip>,
    groups: Vec<Group>,
    shapes: Vec<Filled>,
    /// Has a glyph no outline? Asked once for each.
    shapeless: HashMap<GlyphIdentifier, bool>,
}

struct Clip {
    /// The rectangle around it, within that of the clip before.
    area: Rect,
    /// Its outline, where that is not a rectangle and short enough to ask for every letter.
    outline: Option<(BezPath, FillRule)>,
}

impl Clip {
    /// Does it leave a letter of this size, with its middle here, to be seen?
    fn shows(&self, middle: Point, size: f64) -> bool {
        let narrowest = self.area.width().min(self.area.height());
        // A clip drawn closely around the letters may cut a little off them.
        let within = self.area.inflate(CLIP_SHARE_MIN * size, CLIP_SHARE_MIN * size).contains(middle);
        let inside = self.outline.as_ref().is_none_or(|(path, rule)| match rule {
            FillRule::NonZero => path.winding(middle) != 0,
            FillRule::EvenOdd => path.winding(middle) % 2 != 0,
        });
        CLIP_SHARE_MIN * size < narrowest && within && inside
    }
}

struct Group {
    opacity: f32,
    plain: bool,
}

/// A filled area, in the order of painting.
struct Filled {
    area: Rect,
    /// Number of marks on the page before it was painted.
    after: usize,
    /// Nothing shines through, anywhere in `area` or within its outline.
    opaque: bool,
    white: bool,
    /// Where it is not a rectangle, and short enough to ask for every letter.
    outline: Option<BezPath>,
}

impl Filled {
    /// Does it lie over the letter with its middle here?
    fn covers(&self, middle: Point, size: f64) -> bool {
        let Some(outline) = &self.outline else { return self.area.contains(middle) };
        // A stroke through the letters is no cover.
        let above = |share: f64| Point::new(middle.x, middle.y + share * size);
        let within = |point| self.area.contains(point) && outline.winding(point) != 0;
        within(middle) && within(above(0.2)) && within(above(-0.2))
    }
}

impl Pen<'_> {
    fn spend(&mut self, operators: usize) {
        self.budget.operators = self.budget.operators.saturating_sub(operators.max(1));
        if self.budget.operators == 0 {
            resume_unwind(Box::new(UsedUp));
        }
    }

    fn clip(&mut self, area: Rect, outline: Option<(BezPath, FillRule)>) {
        let outer = self.clips.last().map_or(self.paper, |clip| clip.area);
        self.clips.push(Clip { area: outer.intersect(area), outline });
    }

    fn fill(&mut self, area: Rect, outline: Option<BezPath>, opaque: bool, white: bool) {
        let area = self.clips.last().map_or(area, |clip| area.intersect(clip.area));
        if area.is_finite() && 0.0 < area.area() && self.shapes.len() < COVERS_MAX {
            let opaque = opaque && self.groups.iter().all(|group| group.plain && group.opacity == 1.0);
            self.shapes.push(Filled { area, after: self.ink.shown.len(), opaque, white, outline });
        }
    }

    /// `covers` where the area itself, or the outline within it, is all painted.
    fn fill_path(&mut self, area: Rect, outline: Option<BezPath>, covers: bool, props: &DrawProps<'_>) {
        let plain = props.soft_mask.is_none() && props.blend_mode == BlendMode::Normal;
        match &props.paint {
            Paint::Color(color) => {
                let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
                if alpha != 0 {
                    let white = 250 <= red.min(green).min(blue);
                    self.fill(area, outline, plain && covers && alpha == 255, white);
                }
            }
            Paint::Pattern(pattern) => {
                if let Pattern::Tiling(tiling) = &**pattern {
                    let step = f64::from(tiling.x_step).abs() * f64::from(tiling.y_step).abs();
                    let cell = step * tiling.matrix.determinant().abs();
                    self.ink.pieces += (area.area() / cell.max(1e-9)).min(1e12);
                }
                self.fill(area, None, false, false);
            }
        }
    }

    /// The colour of letters, with the opacity of the groups that they stand in.
    fn colour(&self, props: &DrawProps<'_>) -> Option<[u8; 4]> {
        let plain = props.soft_mask.is_none() && props.blend_mode == BlendMode::Normal;
        let Paint::Color(color) = &props.paint else { return None };
        let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
        let opacity: f32 = self.groups.iter().map(|group| group.opacity).product();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
        let alpha = (f32::from(alpha) * opacity).clamp(0.0, 255.0) as u8;
        (plain && self.groups.iter().all(|group| group.plain)).then_some([red, green, blue, alpha])
    }

    /// Can a person see a mark here, as far as is known before the rest of the page is painted?
    fn seen(&self, mark: &Mark, props: &DrawProps<'_>, mode: &DrawMode) -> bool {
        let middle = mark.middle();
        let inked = match &props.paint {
            Paint::Color(color) => {
                let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
                let white = 250 <= red.min(green).min(blue);
                let ground =
                    || self.shapes.iter().rev().find(|it| it.area.contains(middle)).is_some_and(|it| !it.white);
                8 <= alpha && (!white || ground())
            }
            Paint::Pattern(_) => true,
        };
        inked
            && !matches!(mode, DrawMode::Invisible)
            && SIZE_MIN <= mark.size
            && self.paper.contains(middle)
            && self.clips.last().is_none_or(|clip| clip.shows(middle, mark.size))
            && self.clips.iter().filter(|clip| clip.outline.is_some()).all(|clip| clip.shows(middle, mark.size))
            && self.groups.iter().all(|group| 0.03 <= group.opacity)
    }

    /// A mark under an area painted later is not on the page for a reader.
    fn hide_covered(mut self) -> Ink {
        let covers: Vec<&Filled> = self.shapes.iter().filter(|it| it.opaque).collect();
        let mut shown = Vec::with_capacity(self.ink.shown.len());
        for (idx, mark) in std::mem::take(&mut self.ink.shown).into_iter().enumerate() {
            let middle = mark.middle();
            // Shapes are in the order of painting: only those after the mark can cover it.
            let first = covers.partition_point(|it| it.after <= idx);
            let covered = covers.iter().skip(first).any(|it| it.covers(middle, mark.size));
            if covered { self.ink.hidden.push(mark) } else { shown.push(mark) }
        }
        self.ink.shown = shown;
        self.ink
    }
}

impl Mark {
    /// The middle of the lower-case letters.
    fn middle(&self) -> Point {
        let along = self.end - self.start;
        let up = if along.hypot() < 1e-9 { (0.0, -1.0) } else { (along.y / along.hypot(), -along.x / along.hypot()) };
        self.start.midpoint(self.end) + hayro_interpret::kurbo::Vec2::from(up) * (self.size * 0.25)
    }
}

impl<'a> Device<'a> for Pen<'_> {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        self.spend(path.elements().len());
        self.ink.n_paths += 1;
        if let DrawMode::Stroke(stroke) | DrawMode::FillAndStroke(_, stroke) = mode
            && !stroke.dash_array.is_empty()
        {
            let dash: f64 = stroke.dash_array.iter().map(|it| f64::from(*it)).sum();
            self.ink.pieces += (path.perimeter(1.0) / dash.abs().max(1e-9)).min(1e12);
        }
        if matches!(mode, DrawMode::Fill(_) | DrawMode::FillAndStroke(..)) {
            let area = path.bounding_box();
            let rectangular = (path.area().abs() - area.area()).abs() <= 0.001 * area.area();
            let whole = rectangular && axis_aligned(props.transform);
            let area = props.transform.transform_rect_bbox(area);
            let asked =
                !whole && path.elements().len() <= CORNERS_MAX && COVER_SIDE_MIN <= area.width().min(area.height());
            let outline = asked.then(|| props.transform * path.clone());
            self.fill_path(area, outline, whole || asked, &props);
        }
    }

    fn draw_rect(&mut self, rect: &Rect, props: DrawProps<'a>, mode: &DrawMode) {
        self.spend(1);
        if matches!(mode, DrawMode::Fill(_) | DrawMode::FillAndStroke(..)) {
            let upright = axis_aligned(props.transform);
            let area = props.transform.transform_rect_bbox(rect.abs());
            let outline = (!upright).then(|| props.transform * rect.to_path(0.1));
            self.fill_path(area, outline, true, &props);
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.spend(1);
        let (width, height) = (image.width(), image.height());
        let area = props.transform.transform_rect_bbox(Rect::new(0.0, 0.0, f64::from(width), f64::from(height)));
        let visible = area.intersect(self.paper).area() / self.paper.area();
        if self.ink.images.len() < IMAGES_MAX {
            self.ink.images.push(area);
        }
        self.ink.image_pixels = self.ink.image_pixels.saturating_add(u64::from(width) * u64::from(height));
        self.ink.image_share += if visible.is_finite() { visible } else { 0.0 };
        let solid = match &image {
            Image::Raster(raster) => {
                let dict = raster.stream().dict();
                !["SMask", "Mask", "SMaskInData", "ImageMask"].iter().any(|key| dict.contains_key(key))
            }
            Image::Stencil(_) => false,
        };
        let plain = props.soft_mask.is_none() && props.blend_mode == BlendMode::Normal;
        self.fill(area, None, solid && plain && axis_aligned(props.transform), false);
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let colour = self.colour(&props);
        let switched_off = self.sections.contains(&true);
        for glyph in run.glyphs() {
            self.spend(1);
            self.budget.glyphs = self.budget.glyphs.saturating_sub(1);
            if self.budget.glyphs == 0 {
                resume_unwind(Box::new(UsedUp));
            }
            let place = props.transform * glyph.transform();
            let advance = match &**glyph {
                Glyph::Outline(outline) => outline.advance_width(),
                Glyph::Type3(drawing) => drawing.advance_width(),
            };
            let start = place * Point::ZERO;
            let end = place * Point::new(f64::from(advance.unwrap_or(500.0)), 0.0);
            let size = (place * Point::new(0.0, 1000.0) - start).hypot();
            let across = (place * Point::new(1000.0, 0.0) - start).hypot();
            if !(start.is_finite() && end.is_finite() && size.is_finite()) {
                continue;
            }
            let text = match glyph.as_unicode() {
                Some(BfString::Char(char)) => readable(char.encode_utf8(&mut [0; 4])),
                Some(BfString::String(text)) => readable(&text),
                None => "\u{fffd}".to_owned(),
            };
            let colour = if matches!(&**glyph, Glyph::Outline(_)) { colour } else { None };
            let mark = Mark { text, start, end, size, colour };
            if let Glyph::Outline(outline) = &**glyph
                && OTHER_SCRIPTS < mark.text.chars().next().map_or(0, u32::from)
                && *self.shapeless.entry(outline.identifier()).or_insert_with(|| outline.outline().is_empty())
            {
                let middle = mark.middle();
                self.ink.shapeless.insert((middle.x.to_bits(), middle.y.to_bits()));
            }
            // Counted with its layer.
            if switched_off {
                continue;
            }
            let legible = SIZE_MIN <= across && WIDTH_SHARE_MIN * size <= across;
            if legible && self.seen(&mark, &props, mode) {
                self.ink.shown.push(mark)
            } else {
                self.ink.hidden.push(mark)
            }
        }
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        let n_elements = clip.path.elements().len();
        self.spend(n_elements);
        let area = clip.path.bounding_box();
        let rectangular = (clip.path.area().abs() - area.area()).abs() <= 0.001 * area.area();
        let asked = !rectangular && n_elements <= CORNERS_MAX;
        self.clip(area, asked.then(|| (clip.path.clone(), clip.fill)));
    }

    fn push_clip_rect(&mut self, rect: &Rect) {
        self.spend(1);
        self.clip(rect.abs(), None);
    }

    fn pop_clip(&mut self) {
        self.clips.pop();
    }

    fn begin_marked_content(&mut self, _: &[u8], properties: Option<&Dict<'_>>) {
        self.spend(1);
        self.sections.push(self.layers.zip(properties).is_some_and(|(layers, it)| layers.switch_off(it)));
    }

    fn end_marked_content(&mut self) {
        self.sections.pop();
    }

    fn push_transparency_group(&mut self, opacity: f32, mask: Option<SoftMask<'a>>, blend_mode: BlendMode) {
        self.spend(1);
        self.groups.push(Group { opacity, plain: mask.is_none() && blend_mode == BlendMode::Normal });
    }

    fn pop_transparency_group(&mut self) {
        self.groups.pop();
    }
}

fn axis_aligned(transform: Affine) -> bool {
    let [a, b, c, d, _, _] = transform.as_coeffs();
    (b.abs() < 1e-6 && c.abs() < 1e-6) || (a.abs() < 1e-6 && d.abs() < 1e-6)
}

/// The text of a glyph without what only confuses: ligatures become letters; controls, marks of direction and
/// characters without width vanish.
fn readable(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars().take(16) {
        match char {
            '\u{fb00}' => out.push_str("ff"),
            '\u{fb01}' => out.push_str("fi"),
            '\u{fb02}' => out.push_str("fl"),
            '\u{fb03}' => out.push_str("ffi"),
            '\u{fb04}' => out.push_str("ffl"),
            '\u{ad}' | '\u{2010}' | '\u{2011}' => out.push('-'),
            '\u{2212}' => out.push('-'),
            '\u{ffe5}' => out.push('¥'),
            // Figures, letters and the signs of numbers and labels in the width of Chinese characters.
            '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '：' | '％' | '．' | '，' | '－' | '＋' | '／' | '＃' =>
            {
                out.extend(u32::from(char).checked_sub(0xfee0).and_then(char::from_u32));
            }
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {}
            char if char.is_whitespace() || char.is_control() => {}
            char => out.push(char),
        }
    }
    out
}
