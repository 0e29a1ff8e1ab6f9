use std::panic::resume_unwind;

use hayro_interpret::font::{Glyph, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Shape as _};
use hayro_interpret::util::TransformExt as _;
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, Paint, SoftMask, interpret_page, pattern::Pattern,
};

/// What one page puts on paper: every glyph with its place, and how much work the rest is.
#[derive(Default)]
pub(super) struct Ink {
    /// What a reader of the page sees.
    pub(super) shown: Vec<Mark>,
    /// What no eye sees: invisible ink, white on white, covered, clipped away, microscopic or off the page.
    pub(super) hidden: Vec<Mark>,
    /// Pixels of all images on the page.
    pub(super) image_pixels: u64,
    /// Cells of patterns and dashes of lines that a picture of this page would have to paint.
    pub(super) pieces: f64,
    pub(super) n_paths: usize,
    pub(super) n_images: usize,
    /// Share of the page that images cover, overlaps counted twice.
    pub(super) image_share: f64,
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
}

/// What all pages of a document may cost together. Counted, not timed, so that a document reads the same everywhere.
pub(super) struct Budget {
    pub(super) glyphs: usize,
    pub(super) operators: usize,
}

pub(super) const GLYPHS_MAX: usize = 300_000;
pub(super) const OPERATORS_MAX: usize = 3_000_000;
const COVERS_MAX: usize = 4_096;
/// Smaller than this nobody reads it, in points.
const SIZE_MIN: f64 = 1.0;

/// The payload of the unwinding that ends a page whose budget is used up; never shown to anyone.
pub(super) struct UsedUp;

/// Draws `page` on paper that only remembers. Unwinds with [`UsedUp`] when `budget` is; the interpreter has no other
/// way to be stopped. Whoever calls this catches unwinding anyway, because the interpreter may panic.
pub(super) fn of_page<'a>(
    pdf: &'a Pdf,
    page: &Page<'a>,
    cache: &InterpreterCache<'a>,
    settings: &InterpreterSettings,
    budget: &mut Budget,
) -> Ink {
    let (width, height) = page.render_dimensions();
    let paper = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let transform = page.initial_transform(true).to_kurbo();
    let mut context = Context::new(transform, paper, cache, pdf.xref(), settings.clone());
    let mut pen = Pen { ink: Ink::default(), paper, budget, clips: Vec::new(), groups: Vec::new(), shapes: Vec::new() };
    interpret_page(page, &mut context, &mut pen);
    pen.hide_covered()
}

struct Pen<'b> {
    ink: Ink,
    paper: Rect,
    budget: &'b mut Budget,
    /// Bounding boxes of the clips, each within the one before.
    clips: Vec<Rect>,
    groups: Vec<Group>,
    shapes: Vec<Filled>,
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
    /// Nothing shines through, anywhere in `area`.
    opaque: bool,
    white: bool,
}

impl Pen<'_> {
    fn spend(&mut self, operators: usize) {
        self.budget.operators = self.budget.operators.saturating_sub(operators.max(1));
        if self.budget.operators == 0 {
            resume_unwind(Box::new(UsedUp));
        }
    }

    fn fill(&mut self, area: Rect, opaque: bool, white: bool) {
        let area = self.clips.last().map_or(area, |clip| area.intersect(*clip));
        if area.is_finite() && 0.0 < area.area() && self.shapes.len() < COVERS_MAX {
            let opaque = opaque && self.groups.iter().all(|group| group.plain && group.opacity == 1.0);
            self.shapes.push(Filled { area, after: self.ink.shown.len(), opaque, white });
        }
    }

    fn fill_path(&mut self, area: Rect, rectangular: bool, props: &DrawProps<'_>) {
        let plain = props.soft_mask.is_none() && props.blend_mode == BlendMode::Normal;
        match &props.paint {
            Paint::Color(color) => {
                let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
                if alpha != 0 {
                    self.fill(area, plain && rectangular && alpha == 255, 250 <= red.min(green).min(blue));
                }
            }
            Paint::Pattern(pattern) => {
                if let Pattern::Tiling(tiling) = &**pattern {
                    let step = f64::from(tiling.x_step).abs() * f64::from(tiling.y_step).abs();
                    let cell = step * tiling.matrix.determinant().abs();
                    self.ink.pieces += (area.area() / cell.max(1e-9)).min(1e12);
                }
                self.fill(area, false, false);
            }
        }
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
            && self.clips.last().is_none_or(|clip| clip.inflate(mark.size, mark.size).contains(middle))
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
            let covered = covers.iter().skip(first).any(|it| it.area.contains(middle));
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
            let upright = axis_aligned(props.transform);
            self.fill_path(props.transform.transform_rect_bbox(area), rectangular && upright, &props);
        }
    }

    fn draw_rect(&mut self, rect: &Rect, props: DrawProps<'a>, mode: &DrawMode) {
        self.spend(1);
        if matches!(mode, DrawMode::Fill(_) | DrawMode::FillAndStroke(..)) {
            let upright = axis_aligned(props.transform);
            self.fill_path(props.transform.transform_rect_bbox(rect.abs()), upright, &props);
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.spend(1);
        let (width, height) = (image.width(), image.height());
        let area = props.transform.transform_rect_bbox(Rect::new(0.0, 0.0, f64::from(width), f64::from(height)));
        let visible = area.intersect(self.paper).area() / self.paper.area();
        self.ink.n_images += 1;
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
        self.fill(area, solid && plain && axis_aligned(props.transform), false);
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
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
            if !(start.is_finite() && end.is_finite() && size.is_finite()) {
                continue;
            }
            let text = match glyph.as_unicode() {
                Some(BfString::Char(char)) => readable(char.encode_utf8(&mut [0; 4])),
                Some(BfString::String(text)) => readable(&text),
                None => "\u{fffd}".to_owned(),
            };
            let mark = Mark { text, start, end, size };
            if self.seen(&mark, &props, mode) { self.ink.shown.push(mark) } else { self.ink.hidden.push(mark) }
        }
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        self.spend(clip.path.elements().len());
        self.push_clip_rect(&clip.path.bounding_box());
    }

    fn push_clip_rect(&mut self, rect: &Rect) {
        self.spend(1);
        let outer = self.clips.last().copied().unwrap_or(self.paper);
        self.clips.push(outer.intersect(*rect));
    }

    fn pop_clip(&mut self) {
        self.clips.pop();
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
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {}
            char if char.is_whitespace() || char.is_control() => {}
            char => out.push(char),
        }
    }
    out
}
