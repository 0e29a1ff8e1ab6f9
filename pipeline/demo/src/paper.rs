use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};

/// A4 in points.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Font {
    Regular,
    Bold,
}

/// Red, green, blue, each from 0 to 1.
pub(crate) type Colour = [f32; 3];

pub(crate) const INK: Colour = [0.13, 0.15, 0.18];
pub(crate) const GREY: Colour = [0.42, 0.45, 0.50];
pub(crate) const HAIRLINE: Colour = [0.84, 0.86, 0.89];

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) font: Font,
    pub(crate) size: f32,
    pub(crate) colour: Colour,
}

pub(crate) const fn regular(size: f32) -> Style {
    Style { font: Font::Regular, size, colour: INK }
}

pub(crate) const fn bold(size: f32) -> Style {
    Style { font: Font::Bold, size, colour: INK }
}

impl Style {
    pub(crate) const fn colour(self, colour: Colour) -> Style {
        Style { colour, ..self }
    }

    pub(crate) fn width(self, text: &str) -> f32 {
        text.chars().map(|c| f32::from(glyph_width(self.font, c))).sum::<f32>() * self.size / 1000.0
    }

    /// The words of `text` in lines no wider than `width`; a single word that is wider stands alone.
    pub(crate) fn wrapped(self, text: &str, width: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if self.width(line) + self.width(" ") + self.width(word) <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }
}

/// Pages of A4 to write and draw on, in points from the top left; text stands on the y it is given.
#[derive(Debug, Default)]
pub(crate) struct Paper {
    pages: Vec<Vec<u8>>,
    page_idx: usize,
}

impl Paper {
    /// Adds a page and goes to it.
    pub(crate) fn new_page(&mut self) {
        self.pages.push(Vec::new());
        self.page_idx = self.pages.len() - 1;
    }

    pub(crate) fn n_pages(&self) -> usize {
        self.pages.len()
    }

    pub(crate) fn go_to(&mut self, page_idx: usize) {
        assert!(page_idx < self.pages.len(), "page {page_idx} of {}", self.pages.len());
        self.page_idx = page_idx;
    }

    pub(crate) fn text(&mut self, x: f32, y: f32, style: Style, text: &str) {
        self.show(x, y, style, text, 0);
    }

    /// Text that ends at `x`.
    pub(crate) fn text_to(&mut self, x: f32, y: f32, style: Style, text: &str) {
        self.show(x - style.width(text), y, style, text, 0);
    }

    /// Text that a program reads and a person does not see (rendering mode 3).
    pub(crate) fn invisible(&mut self, x: f32, y: f32, style: Style, text: &str) {
        self.show(x, y, style, text, 3);
    }

    pub(crate) fn rule(&mut self, from_x: f32, to_x: f32, y: f32, thickness: f32, colour: Colour) {
        let [r, g, b] = colour;
        let y = HEIGHT - y;
        self.draw(
            format!("{r:.3} {g:.3} {b:.3} RG {thickness:.2} w {from_x:.2} {y:.2} m {to_x:.2} {y:.2} l S\n").as_bytes(),
        );
    }

    pub(crate) fn band(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        let [r, g, b] = colour;
        let bottom = HEIGHT - y - height;
        self.draw(format!("{r:.3} {g:.3} {b:.3} rg {x:.2} {bottom:.2} {width:.2} {height:.2} re f\n").as_bytes());
    }

    /// The document, to be finished by whoever wants to attach something, else by `bytes`.
    pub(crate) fn document(self, title: &str, author: &str) -> Document {
        let mut pdf = Document::with_version("1.7");
        let pages_id = pdf.new_object_id();
        let fonts: Dictionary = [("F1", "Helvetica"), ("F2", "Helvetica-Bold")]
            .into_iter()
            .map(|(name, base)| {
                let font = dictionary! {
                    "Type" => "Font", "Subtype" => "Type1", "BaseFont" => base, "Encoding" => "WinAnsiEncoding",
                };
                (name, Object::Reference(pdf.add_object(font)))
            })
            .fold(Dictionary::new(), |mut fonts, (name, font)| {
                fonts.set(name, font);
                fonts
            });
        let n_pages = self.pages.len() as i64;
        let kids: Vec<Object> = self
            .pages
            .into_iter()
            .map(|content| {
                let mut stream = Stream::new(Dictionary::new(), content);
                // A page that would not shrink stays plain, which is just as valid.
                let _ = stream.compress();
                let content_id = pdf.add_object(stream);
                let page_id = pdf.add_object(dictionary! {
                    "Type" => "Page", "Parent" => pages_id, "Contents" => content_id,
                    "MediaBox" => vec![0.into(), 0.into(), WIDTH.into(), HEIGHT.into()],
                });
                Object::Reference(page_id)
            })
            .collect();
        let pages = dictionary! {
            "Type" => "Pages", "Kids" => kids, "Count" => n_pages,
            "Resources" => dictionary! { "Font" => fonts },
        };
        pdf.set_object(pages_id, pages);
        let catalog_id = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages_id });
        let info_id = pdf.add_object(dictionary! { "Title" => text_string(title), "Author" => text_string(author) });
        pdf.trailer.set("Root", Object::Reference(catalog_id));
        pdf.trailer.set("Info", Object::Reference(info_id));
        pdf
    }

    fn show(&mut self, x: f32, y: f32, style: Style, text: &str, mode: u8) {
        let [r, g, b] = style.colour;
        let font = match style.font {
            Font::Regular => "F1",
            Font::Bold => "F2",
        };
        let (size, y) = (style.size, HEIGHT - y);
        self.draw(format!("{r:.3} {g:.3} {b:.3} rg BT {mode} Tr /{font} {size} Tf {x:.2} {y:.2} Td (").as_bytes());
        for c in text.chars() {
            let byte = win_ansi(c);
            if matches!(byte, b'(' | b')' | b'\\') {
                self.draw(b"\\");
            }
            self.draw(&[byte]);
        }
        self.draw(b") Tj ET\n");
    }

    fn draw(&mut self, operators: &[u8]) {
        let page = self.pages.get_mut(self.page_idx).expect("new_page comes before the first stroke");
        page.extend_from_slice(operators);
    }
}

pub(crate) fn bytes(mut pdf: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).expect("writing to memory does not fail");
    bytes
}

pub(crate) fn catalog_id(pdf: &Document) -> ObjectId {
    pdf.trailer.get(b"Root").and_then(Object::as_reference).expect("Paper::document sets Root")
}

/// A text string of a dictionary: UTF-16 with its mark where ASCII does not suffice.
pub(crate) fn text_string(text: &str) -> Object {
    if text.is_ascii() {
        return Object::string_literal(text);
    }
    let utf16 = std::iter::once(0xFEFF).chain(text.encode_utf16());
    Object::string_literal(utf16.flat_map(u16::to_be_bytes).collect::<Vec<u8>>())
}

/// The byte of a character in WinAnsiEncoding; what the encoding does not have becomes a question mark.
fn win_ansi(c: char) -> u8 {
    match c {
        ' '..='~' | '\u{A0}'..='\u{FF}' => c as u8,
        '€' => 0x80,
        '‚' => 0x82,
        '„' => 0x84,
        '…' => 0x85,
        '‘' => 0x91,
        '’' => 0x92,
        '“' => 0x93,
        '”' => 0x94,
        '•' => 0x95,
        '–' => 0x96,
        '—' => 0x97,
        _ => b'?',
    }
}

/// Widths in thousandths of the size, from the metrics of the standard fonts; a letter with an accent is as wide as
/// without.
fn glyph_width(font: Font, c: char) -> u16 {
    let base = match c {
        'À'..='Å' => 'A',
        'Ç' => 'C',
        'È'..='Ë' => 'E',
        'Ì'..='Ï' => 'I',
        'Ñ' => 'N',
        'Ò'..='Ö' | 'Ø' => 'O',
        'Ù'..='Ü' => 'U',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        '€' | '–' => '0',
        '·' | '‘' | '’' => '.',
        '„' | '“' | '”' => '(',
        'ß' => 'A',
        '—' | '…' => 'M',
        other => other,
    };
    let widths = match font {
        Font::Regular => &REGULAR_WIDTHS,
        Font::Bold => &BOLD_WIDTHS,
    };
    (base as usize).checked_sub(32).and_then(|idx| widths.get(idx)).copied().unwrap_or(556)
}

#[rustfmt::skip]
const REGULAR_WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

#[rustfmt::skip]
const BOLD_WIDTHS: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
