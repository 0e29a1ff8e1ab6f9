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

/// None where it is not installed, which CI does not accept.
fn tesseract() -> Option<std::path::PathBuf> {
    let Some(program) = std::env::var_os("COUNTERSIGN_TESSERACT") else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "COUNTERSIGN_TESSERACT names no program");
        eprintln!("skipped: COUNTERSIGN_TESSERACT names no program");
        return None;
    };
    Some(program.into())
}

/// Words of German invoices, each with a letter that English has not.
const GERMAN: &str = "Rechnungsempfänger Büromöbel Gebühr Größe Stück Straße Überweisung fällig Prüfung Lösung höchstens \
    Umsatzsteuerbeträge Verkäufer Käufer Geschäftsführer Mühle Ausführung Rückgabe ungültig gemäß Zuschläge Abzüge \
    Vergütung Gutschriftsbeträge Währung Zahlungsaufträge Kürzel später zurück schließlich Öffnung Ärzte Übergabe \
    Verspätung Märkte Wärme Kühlung Schlüssel Türen Böden Wände Dächer Räume Möbel Stühle Körbe Töpfe Gläser Bänder \
    Sägeblätter Fußböden Außenmaße Schweißgerät";

/// The words on an A4 page in 11 points, at 200 dots an inch, with German lines in which they stand.
fn german_page() -> Picture {
    let words: Vec<&str> = GERMAN.split_whitespace().collect();
    let line = |(idx, words): (usize, &[&str])| {
        let y = 760 - 40 * idx;
        let text = format!("die Rechnung der Firma mit {} vom Datum", words.join(" und "));
        format!("BT /F1 11 Tf 60 {y} Td ({text}) Tj ET\n")
    };
    let content: String = words.chunks(4).enumerate().map(line).collect();
    // Every letter of it stands under its own number in WinAnsiEncoding.
    let content: Vec<u8> = content.chars().map(|it| u8::try_from(u32::from(it)).unwrap()).collect();
    let file = pdf(content, Dictionary::new(), Document::with_version("1.7"));
    let mut document = Document::load_mem(&file).unwrap();
    let page = document.get_pages()[&1];
    let size = vec![0.into(), 0.into(), 595.into(), 842.into()];
    document.get_object_mut(page).unwrap().as_dict_mut().unwrap().set("MediaBox", size);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    let pdf = Pdf::new(bytes).unwrap();
    let scale = 200.0 / 72.0;
    let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let fonts = InterpreterSettings::default();
    let painted = hayro::render(&pdf.pages()[0], &RenderCache::new(), &fonts, &RenderSettings::default(), &settings);
    let rgb = painted.data_as_u8_slice().chunks_exact(4).flat_map(|it| it[..3].to_vec()).collect();
    Picture::new(painted.width().into(), painted.height().into(), rgb).unwrap()
}

fn found(outcome: &Outcome) -> usize {
    let Outcome::Read(recognised) = outcome else { panic!("{outcome:?}") };
    let words = || recognised.lines.iter().flat_map(Line::words).map(|it| it.text.trim_matches(','));
    GERMAN.split_whitespace().filter(|wanted| words().any(|word| word == *wanted)).count()
}

#[test]
fn tesseract_reads_the_umlauts_that_the_models_read_as_plain_letters() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use case::frame;

    let (Some(program), ocr) = (tesseract(), models()) else { return };
    let picture = german_page();
    let size = [595.0, 842.0];
    let mut scans = Scans::handing_out(ocr.as_ref());
    let earlier = scans.read(1, size, || Ok(std::borrow::Cow::Borrowed(&picture)));
    let by_models = ocr.as_ref().map(|_| found(&earlier));
    scans.spoken_in(Some("de"));
    let mut page = frame::Page::of(&scans.payloads()[0]).unwrap();
    let mut child = Command::new(program)
        .args(["stdin", "stdout", "-l", "deu+eng", "--psm", "3", "-c", "tessedit_create_tsv=1"])
        .env("OMP_THREAD_LIMIT", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&page.bytes).unwrap();
    page.bytes = child.wait_with_output().unwrap().stdout;
    let laid = Scans::told(vec![page]).read(1, size, || Err("is not asked for"));
    let (n_words, by_tesseract) = (GERMAN.split_whitespace().count(), found(&laid));
    println!("of {n_words} German words the models read {by_models:?}, Tesseract {by_tesseract}");
    assert!(0.9 * n_words as f64 <= by_tesseract as f64, "{by_tesseract} of {n_words}");
    assert!(by_models.is_none_or(|it| it < by_tesseract / 2), "{by_models:?}");
}

/// What Tesseract would say of lines of text, each of whose words is so sure.
fn tsv(lines: &[(&str, u8)]) -> Vec<u8> {
    let mut out =
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n".to_owned();
    for (line, (text, sure)) in (1..).zip(lines) {
        for (word, text) in (1..).zip(text.split(' ')) {
            let (left, top) = (95 * word - 85, 20 * line);
            out += &format!("5\t1\t1\t1\t{line}\t{word}\t{left}\t{top}\t90\t16\t{sure}\t{text}\n");
        }
    }
    out.into_bytes()
}

#[test]
fn a_picture_is_handed_out_and_read_by_what_is_said_of_it() {
    let file = Picture::new(200, 300, vec![200; 180_000]).unwrap().png().unwrap();
    let mut scans = Scans::handing_out(None);
    let reading = crate::read_scans(&file, &mut scans).unwrap();
    assert_eq!((reading.extraction.coverage.read, reading.extraction.notes[0].code.as_str()), (0, "needs_ocr"));
    let page = case::frame::Page::of(&scans.payloads()[0]).unwrap();
    assert!(page.number == 1 && page.bytes.starts_with(b"\x89PNG"));

    let words = [("RECHNUNG", 96), ("Rechnungsnummer: 4711", 95), ("Rechnungsdatum: 24.11.2026", 90), ("Müller", 40)];
    let (good, hostile) = (tsv(&words), b"level\n5\t-1".to_vec());
    for (said, read, notes) in
        [(good, 1, &["unsure_text"][..]), (hostile, 0, &["needs_ocr", "ocr_failed"]), (Vec::new(), 0, &["needs_ocr"])]
    {
        let told = case::frame::Page { bytes: said, ..page.clone() };
        let extraction = believed(&crate::read_scans(&file, &mut Scans::told(vec![told])).unwrap());
        let codes: Vec<&str> = extraction.notes.iter().map(|it| it.code.as_str()).collect();
        assert_eq!((extraction.coverage.read, &codes[..]), (read, notes), "{:?}", extraction.notes);
        assert_eq!(extraction.format, Format::ImageOcr);
        if read == 1 {
            assert_eq!(extraction.text(FieldName::Number), Some("4711"));
            let number = &extraction.fields.single[&FieldName::Number];
            assert!(number.confidence <= 0.95, "{}", number.confidence);
        }
    }
}

/// Words of which the models were so sure.
fn read_by_models(words: &[&str], confidence: f64) -> Outcome {
    let area = [0.0, 0.0, 10.0, 10.0];
    let word = |text: &&str| crate::pdf::Word { text: (*text).to_owned(), area };
    let cells = vec![crate::pdf::Cell { words: words.iter().map(word).collect() }];
    let trust = words.iter().map(|_| Trust { page: 1, area, confidence }).collect();
    Outcome::Read(Recognised { lines: vec![Line { cells }], trust, quarters: 0, n_places: words.len(), n_unsure: 0 })
}

#[test]
fn of_two_readings_of_a_page_the_models_stand_where_the_other_is_clearly_worse() {
    let first = |outcome: &Outcome| match outcome {
        Outcome::Read(it) => it.lines.iter().flat_map(Line::words).map(|it| it.text.clone()).next(),
        _ => None,
    };
    for (what, earlier, said, expected) in [
        ("as sure", read_by_models(&["Gebuhr"], 0.95), tsv(&[("Gebühr", 95)]), "Gebühr"),
        ("a little less sure", read_by_models(&["Gebuhr"], 0.95), tsv(&[("Gebühr", 80)]), "Gebühr"),
        ("clearly less sure", read_by_models(&["Gebuhr"], 0.95), tsv(&[("Gebühr", 60)]), "Gebuhr"),
        ("half of it dirt", read_by_models(&["Gebuhr"], 0.95), tsv(&[("Gebühr", 95), ("xq", 5)]), "Gebuhr"),
        ("a part only", read_by_models(&["Gebuhr", "Uberweisung"], 0.95), tsv(&[("Gebühr", 95)]), "Gebuhr"),
        ("nothing", read_by_models(&["Gebuhr"], 0.95), tsv(&[]), "Gebuhr"),
    ] {
        let kept = serde_json::json!({"width": 200, "height": 300, "quarters": 0, "earlier": earlier});
        let page = case::frame::Page { number: 1, kept: kept.to_string().into_bytes(), bytes: said };
        let outcome = Scans::told(vec![page]).read(1, [200.0, 300.0], || Err("is not asked for"));
        assert_eq!(first(&outcome).as_deref(), Some(expected), "{what}");
    }
}

#[test]
fn pages_in_languages_that_the_models_know_are_not_handed_out_again() {
    let Some(ocr) = models() else { return };
    let picture = picture();
    for (language, n_pages) in [(Some("en"), 0), (Some("zh"), 0), (None, 0), (Some("de"), 1), (Some("fr"), 1)] {
        let mut scans = Scans::handing_out(Some(&ocr));
        let outcome = scans.read(1, [300.0, 400.0], || Ok(std::borrow::Cow::Borrowed(&picture)));
        assert!(matches!(outcome, Outcome::Read(_)));
        scans.spoken_in(language);
        assert_eq!(scans.payloads().len(), n_pages, "{language:?}");
    }
}
