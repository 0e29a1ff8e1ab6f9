//! What a picture says, with the models that `COUNTERSIGN_OCR_MODELS` names; and that it is held without them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use case::{Coverage, Evidence, FieldName, Format, Kind};
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;
use lopdf::{Dictionary, Document, Object, Stream, dictionary};

use super::*;
use crate::{Reading, Unreadable, read, read_with};

const RECEIPT: &str = "\
SMITH HARDWARE LTD
12 High Street, Leeds
VAT No 123 4567 89
Date: 24/11/2026 13:11
Hammer 1 12.50
Nails 2 3.40
TOTAL 15.90
CASH 20.00
CHANGE 4.10
THANK YOU";

/// A page of 300 by 400 points with this content.
fn pdf(content: Vec<u8>, images: Dictionary, document: Document) -> Vec<u8> {
    let mut document = document;
    let pages = document.new_object_id();
    let font = document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
    });
    let content = document.add_object(Stream::new(Dictionary::new(), content));
    let page = document.add_object(dictionary! {
        "Type" => "Page", "Parent" => pages, "Contents" => content,
        "Resources" => dictionary! { "Font" => dictionary! { "F1" => font }, "XObject" => images },
        "MediaBox" => vec![0.into(), 0.into(), 300.into(), 400.into()],
    });
    let kids = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    document.objects.insert(pages, Object::Dictionary(kids));
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

/// The receipt as a picture, three pixels a point.
fn picture() -> Picture {
    let line = |(idx, text): (usize, &str)| format!("BT /F1 16 Tf 30 {} Td ({text}) Tj ET\n", 350 - 32 * idx);
    let content: String = RECEIPT.lines().enumerate().map(line).collect();
    let pdf = Pdf::new(pdf(content.into_bytes(), Dictionary::new(), Document::with_version("1.7"))).unwrap();
    let settings = PixmapSettings { x_scale: 3.0, y_scale: 3.0, bg_color: WHITE };
    let fonts = InterpreterSettings::default();
    let painted = hayro::render(&pdf.pages()[0], &RenderCache::new(), &fonts, &RenderSettings::default(), &settings);
    let rgb = painted.data_as_u8_slice().chunks_exact(4).flat_map(|it| it[..3].to_vec()).collect();
    Picture::new(900, 1200, rgb).unwrap()
}

/// Laid on the glass at a slope, in radians.
fn skewed(picture: &Picture, slope: f32) -> Picture {
    let (cos, sin) = (slope.cos(), slope.sin());
    let pixel = |at: usize| {
        let (x, y) = ((at % picture.width) as f32 - 450.0, (at / picture.width) as f32 - 600.0);
        let (x, y) = (x * cos + y * sin + 450.0, y * cos - x * sin + 600.0);
        if x < 0.0 || y < 0.0 { [255; 3] } else { picture.pixel(x as usize, y as usize) }
    };
    let rgb = (0..picture.width * picture.height).flat_map(pixel).collect();
    Picture::new(picture.width, picture.height, rgb).unwrap()
}

fn scanned(picture: &Picture) -> Vec<u8> {
    let mut document = Document::with_version("1.7");
    let dict = dictionary! {
        "Type" => "XObject", "Subtype" => "Image", "Width" => picture.width as i64, "Height" => picture.height as i64,
        "ColorSpace" => "DeviceRGB", "BitsPerComponent" => 8,
    };
    let image = document.add_object(Stream::new(dict, picture.rgb.clone()));
    pdf(b"300 0 0 400 0 0 cm /Im1 Do".to_vec(), dictionary! { "Im1" => image }, document)
}

/// None where no models are configured, which CI does not accept.
fn models() -> Option<Ocr> {
    let Some(folder) = std::env::var_os("COUNTERSIGN_OCR_MODELS") else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "COUNTERSIGN_OCR_MODELS names no models");
        eprintln!("skipped: COUNTERSIGN_OCR_MODELS names no models");
        return None;
    };
    let [detection, recognition] =
        Models::FILES.map(|name| std::fs::read(std::path::Path::new(&folder).join(name)).unwrap());
    Some(Ocr::load(Models { detection, recognition }).unwrap())
}

/// As its receiver sees it.
#[track_caller]
fn believed(reading: &Reading) -> case::Extraction {
    case::Extraction::from_untrusted(&serde_json::to_vec(&reading.extraction).unwrap()).unwrap()
}

#[test]
fn a_receipt_is_read_from_a_picture_however_it_lies() {
    let Some(ocr) = models() else { return };
    let straight = picture();
    // What is read, its format, and where the total stands: left, top, in points.
    let table = [
        ("straight", straight.png().unwrap(), Format::ImageOcr, Some((90.0, 576.0, 3.0))),
        ("on its side", straight.turned(1).png().unwrap(), Format::ImageOcr, Some((90.0, 576.0, 3.0))),
        ("upside down", straight.turned(2).png().unwrap(), Format::ImageOcr, Some((90.0, 576.0, 3.0))),
        ("at a slope", skewed(&straight, 0.04).png().unwrap(), Format::ImageOcr, None),
        ("in a PDF", scanned(&straight), Format::PdfOcr, Some((30.0, 192.0, 1.0))),
    ];
    for (what, file, format, place) in table {
        let extraction = believed(&read_with(&file, Some(&ocr)).unwrap());
        assert_eq!((extraction.kind, extraction.format), (Kind::Invoice, format), "{what}: {:?}", extraction.notes);
        assert_eq!((extraction.coverage.pages, extraction.coverage.read), (1, 1), "{what}");
        assert_eq!(extraction.text(FieldName::GrossTotal), Some("15.90"), "{what}");
        assert_eq!(extraction.text(FieldName::IssueDate), Some("2026-11-24"), "{what}");
        let name = extraction.text(FieldName::SellerName).unwrap_or_default().replace(' ', "");
        assert_eq!(name, "SMITHHARDWARELTD", "{what}");
        let total = &extraction.fields.single[&FieldName::GrossTotal];
        assert!((0.5..1.0).contains(&total.confidence), "{what}: {}", total.confidence);
        let Evidence::Page { area: [left, top, right, bottom], .. } = total.evidence else { panic!("{what}") };
        let Some((margin, line, unit)) = place else { continue };
        // The amount stands behind the word `TOTAL`, on the seventh line, whose baseline is 242 points from the top.
        let inside = margin + 40.0 * unit < left && right < margin + 140.0 * unit;
        assert!(inside && (top - (line + 38.0 * unit)).abs() < 10.0 * unit, "{what}: {left} {top} {right} {bottom}");
        assert!((8.0 * unit..28.0 * unit).contains(&(bottom - top)), "{what}: {top} {bottom}");
    }
}

#[test]
fn a_picture_is_held_where_no_models_are_configured() {
    let grey = Picture::new(40, 30, vec![200; 3_600]).unwrap();
    let reading = read(&grey.png().unwrap()).unwrap();
    let extraction = believed(&reading);
    assert_eq!((extraction.kind, extraction.format), (Kind::Unknown, Format::ImageOcr));
    assert_eq!(extraction.coverage, Coverage { pages: 1, read: 0, hidden_text: 0 });
    assert_eq!((extraction.pages[0].width, extraction.pages[0].height), (40.0, 30.0));
    assert_eq!(extraction.notes[0].code, "needs_ocr");
    assert_eq!(reading.pictures.len(), 1);
}

#[test]
fn every_page_of_a_tiff_is_counted() {
    use tiff::encoder::{TiffEncoder, colortype::Gray8};

    let mut file = std::io::Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file).unwrap();
    for _ in 0..23 {
        encoder.write_image::<Gray8>(20, 10, &[128; 200]).unwrap();
    }
    let reading = read(&file.into_inner()).unwrap();
    let extraction = believed(&reading);
    assert_eq!(extraction.coverage, Coverage { pages: 23, read: 0, hidden_text: 0 });
    assert_eq!((extraction.pages.len(), reading.pictures.len()), (23, 20));
    let notes: Vec<&str> = extraction.notes.iter().map(|it| it.message.as_str()).collect();
    assert!(notes.contains(&"23 pages, of which the first 20 were read"), "{notes:?}");
}

#[test]
fn a_picture_with_too_many_pixels_is_refused_before_it_is_unpacked() {
    for (width, height, message) in [
        (9_000, 9_000, "81000000 pixels, more than the 72000000 allowed"),
        (40_000, 1, "40000 pixels on a side, more than the 32000 allowed"),
    ] {
        let mut head = Vec::new();
        drop(png::Encoder::new(&mut head, width, height).write_header().unwrap());
        let err = read(&head).unwrap_err();
        assert!(err.to_string().contains(message), "{err}");
    }
}

#[test]
fn a_picture_that_is_broken_off_is_no_picture() {
    let whole = Picture::new(40, 30, (0..3_600_u32).map(|it| (it * it % 251) as u8).collect()).unwrap().png().unwrap();
    for file in
        [&whole[..whole.len() / 2], b"\xff\xd8\xff\xe0\x00\x10JFIF", b"II*\0\x08\0\0\0", b"MM\0*\xff\xff\xff\xff"]
    {
        assert!(matches!(read(file), Err(Unreadable::Broken { .. })), "{:?}", read(file));
    }
}

#[test]
fn what_is_no_model_is_said_to_be_none() {
    let err = Ocr::load(Models { detection: b"rubbish".to_vec(), recognition: Vec::new() }).unwrap_err();
    assert!(err.to_string().starts_with("the model for detection cannot be loaded"), "{err}");
}
