use lopdf::{EncryptionState, EncryptionVersion, Permissions};

use super::*;

#[test]
fn a_page_that_is_turned_is_read_as_a_reader_holds_it() {
    // What stands upright on the turned page runs up or down on the paper.
    for (turn, matrix) in [(90, "0 1 -1 0 842 0"), (270, "0 -1 1 0 0 595"), (180, "-1 0 0 -1 595 842")] {
        let content = format!("q {matrix} cm\n{}Q\n", german_invoice());
        let mut draft = Draft::new().page(&content);
        let page = draft.kids[0].as_reference().unwrap();
        let page = draft.document.get_dictionary_mut(page).unwrap();
        page.set("Rotate", turn);
        if turn != 180 {
            page.set("MediaBox", vec![0.into(), 0.into(), 842.into(), 595.into()]);
        }
        let extraction = reading(&draft.bytes()).extraction;
        assert_eq!(extraction.coverage, Coverage { pages: 1, read: 1, hidden_text: 0 }, "{turn}");
        values(&extraction, &[(FieldName::Number, "RE-2026-0117"), (FieldName::GrossTotal, "1469.13")]);
    }
}

#[test]
fn a_page_whose_text_runs_in_another_direction_is_turned_to_be_read() {
    for (turn, area) in
        [(90, [760.0, 470.0, 770.0, 535.0]), (180, [60.0, 760.0, 125.0, 770.0]), (270, [72.0, 60.0, 82.0, 125.0])]
    {
        let mut draft = Draft::new().page(&german_invoice());
        let page = draft.kids[0].as_reference().unwrap();
        draft.document.get_dictionary_mut(page).unwrap().set("Rotate", turn);
        let extraction = reading(&draft.bytes()).extraction;
        assert_eq!(extraction.coverage, Coverage { pages: 1, read: 1, hidden_text: 0 }, "{turn}");
        let names = [
            (FieldName::Number, "RE-2026-0117"),
            (FieldName::SellerName, "Muster Werke GmbH"),
            (FieldName::GrossTotal, "1469.13"),
        ];
        values(&extraction, &names);
        assert_eq!(extraction.lines.len(), 2, "{turn}");
        shown_at(&extraction, FieldName::Number, 1, area, "RE-2026-0117");
        let (width, height) = if turn == 180 { (595.0, 842.0) } else { (842.0, 595.0) };
        assert_eq!((extraction.pages[0].width, extraction.pages[0].height), (width, height), "{turn}");
    }
}

#[test]
fn a_page_that_cannot_be_read_is_missing_in_the_coverage() {
    let scan = "q 595 0 0 842 0 0 cm /Im1 Do Q";
    let extraction = reading(&Draft::new().image().page(&german_invoice()).page(scan).bytes()).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (2, 1));
    assert_eq!(codes(&extraction), ["needs_ocr"]);

    let stamp = format!("{scan}\n")
        + &paragraph(
            "Received on 3 March 2026 by the\nscanner in the mail room of the\nHarbour Machines plc head office,\nsheet 1",
        );
    let extraction = reading(&Draft::new().image().page(&stamp).bytes()).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (1, 0));
    assert_eq!(codes(&extraction), ["needs_ocr"]);

    let letterhead = format!("{scan}\n") + &german_invoice();
    let extraction = reading(&Draft::new().image().page(&letterhead).bytes()).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (1, 1));

    let outlines = "3 3 m 9 3 l 6 9 l f\n".repeat(400);
    let extraction = reading(&Draft::new().page(&outlines).bytes()).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (1, 0));
    assert_eq!(codes(&extraction), ["needs_ocr"]);

    let whole = Draft::new().page(&german_invoice()).bytes();
    let extraction = reading(&whole[..whole.len() - 60]).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (2, 1));
    assert_eq!(codes(&extraction), ["file_cut_off"]);
}

#[test]
fn a_document_of_many_pages_is_read_up_to_a_limit_that_it_names() {
    let draft =
        (0..53).fold(Draft::new(), |draft, number| draft.page(&text(72.0, 80.0, 10.0, &format!("page {number}"))));
    let Reading { extraction, pictures } = reading(&draft.bytes());
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (53, 50));
    assert_eq!((extraction.pages.len(), pictures.len()), (50, 20));
    assert_eq!(codes(&extraction), ["too_many_pages", "pages_without_picture"]);
}

#[test]
fn a_page_with_more_glyphs_than_the_budget_is_not_read_in_silence() {
    let flood = format!("BT /F1 1 Tf 1 0 0 1 0 400 Tm ({}) Tj ET\n", "x".repeat(1_000)).repeat(400);
    let extraction = reading(&Draft::new().page(&flood).page(&german_invoice()).bytes()).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (2, 0));
    assert_eq!(codes(&extraction), ["page_unreadable", "page_unreadable"]);
}

#[test]
fn a_pattern_too_fine_to_paint_costs_the_picture_and_not_the_words() {
    let dashes = "[0.00001 0.00001] 0 d 0 0 m 595 842 l S\n";
    let Reading { extraction, pictures } = reading(&Draft::new().page(&(german_invoice() + dashes)).bytes());
    assert_eq!(extraction.coverage.read, 1);
    assert_eq!(codes(&extraction), ["page_without_picture"]);
    assert_eq!(pictures, [picture::blank()]);
    values(&extraction, &[(FieldName::Number, "RE-2026-0117")]);
}

#[test]
fn an_encrypted_document_is_refused_by_that_name() {
    let mut draft = Draft::new();
    let word = |byte: u8| Object::String(vec![byte; 32], StringFormat::Hexadecimal);
    let encrypt = dictionary! { "Filter" => "Standard", "V" => 1, "R" => 2, "O" => word(7), "U" => word(9), "P" => -4 };
    let encrypt = draft.document.add_object(encrypt);
    draft.document.trailer.set("Encrypt", encrypt);
    draft.document.trailer.set("ID", vec![word(1), word(1)]);
    assert_eq!(
        read(&draft.page("").bytes(), &mut Scans::new(None)).unwrap_err(),
        Unreadable::Encrypted { what: "PDF" }
    );
}

#[test]
fn an_encrypted_document_opens_where_its_password_is_empty() {
    let id = || Object::String(b"0123456789abcdef".to_vec(), StringFormat::Literal);
    for (password, opens) in [("", true), ("secret", false)] {
        let mut draft = Draft::new();
        draft.document.trailer.set("ID", vec![id(), id()]);
        let mut document = Document::load_mem(&draft.page(&german_invoice()).bytes()).unwrap();
        let version = EncryptionVersion::V2 {
            document: &document,
            owner_password: "owner",
            user_password: password,
            key_length: 128,
            permissions: Permissions::all(),
        };
        let state = EncryptionState::try_from(version).unwrap();
        document.encrypt(&state).unwrap();
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        match read(&bytes, &mut Scans::new(None)) {
            Ok(reading) if opens => values(&reading.extraction, &[(FieldName::GrossTotal, "1469.13")]),
            Err(err) if !opens => assert_eq!(err, Unreadable::Encrypted { what: "PDF" }),
            other => panic!("password `{password}`: {:?}", other.map(|it| it.extraction.notes)),
        }
    }
}

#[test]
fn broken_bytes_are_refused_with_a_reason() {
    for bytes in [&b"%PDF-1.7"[..], b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF"] {
        assert!(matches!(read(bytes, &mut Scans::new(None)), Err(Unreadable::Broken { what: "PDF", .. })), "{bytes:?}");
    }
}
