use super::*;

#[test]
fn text_that_no_eye_sees_is_left_out_and_counted() {
    let line = "0.5 w 50 345 m 500 345 l S\n";
    let words = text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00");
    let (squeezed, apart) = (text(72.0, 500.0, 10.0, "Gesamtbetrag"), text(150.0, 500.0, 10.0, "1,00"));
    let secrets = [
        ("drawn with invisible ink", format!("BT 3 Tr ET\n{words}BT 0 Tr ET\n")),
        ("white on white", format!("1 1 1 rg\n{words}0 0 0 rg\n")),
        ("off the page", text(700.0, 500.0, 10.0, "Gesamtbetrag 1,00")),
        ("covered", format!("{words}0.9 g 60 330 200 25 re f 0 g\n")),
        ("clipped away", format!("q 0 0 20 20 re W n\n{words}Q\n")),
        ("too small to see", text(72.0, 500.0, 0.2, "Gesamtbetrag 1,00")),
        ("too small to read", text(72.0, 500.0, 1.8, "Gesamtbetrag 1,00")),
        ("under a picture", format!("{words}q 200 0 0 25 60 330 cm /Im1 Do Q\n")),
        ("behind a clip without area", format!("q 72 342 0 0 re W n\n{words}Q\n")),
        ("between the parts of a clip", format!("q 0 0 1 1 re 590 840 1 1 re W n\n{words}Q\n")),
        ("in the colour of its ground", format!("0 0 0.4 rg 60 330 200 25 re f\n{words}0 0 0 rg\n")),
        ("squeezed", format!("4 Tz {squeezed}{apart}100 Tz\n")),
        (
            "under a round area and a line",
            format!("{words}1 g 70 336 m 300 336 l 310 341 310 351 300 358 c 70 358 l h f 0 g {line}"),
        ),
        ("light grey", format!("0.92 g {words}0 g\n")),
        ("light grey under a line", format!("0.96 g {words}0 g {line}")),
        (
            "in the colour of its ground under a line",
            format!("0 0 0.4 rg 60 330 200 25 re f\n{words}1 G 50 345 m 500 345 l S 0 G 0 g\n"),
        ),
        ("nearly white", format!("0.97 0.97 0.97 rg\n{words}0 0 0 rg\n")),
    ];
    for (how, secret) in secrets {
        let extraction = reading(&Draft::new().image().page(&(german_invoice() + &secret)).bytes()).extraction;
        assert_eq!(extraction.coverage.hidden_text, 2, "{how}");
        assert_eq!(codes(&extraction), ["hidden_text"], "{how}");
        values(&extraction, &[(FieldName::GrossTotal, "1469.13")]);
    }
}

#[test]
fn text_further_off_than_numbers_reach_is_hidden_and_the_page_is_read() {
    let secret = text(72.0, -1e30, 10.0, "Gesamtbetrag 1,00");
    let extraction = reading(&Draft::new().page(&(german_invoice() + &secret)).bytes()).extraction;
    assert_eq!((extraction.coverage.read, extraction.coverage.hidden_text), (1, 2));
    assert_eq!(codes(&extraction), ["page_without_picture", "hidden_text"]);
    values(&extraction, &[(FieldName::GrossTotal, "1469.13")]);
}

#[test]
fn text_in_a_light_colour_or_with_an_outline_is_seen() {
    let words = text(72.0, 500.0, 8.0, "Lieferdatum: 01.03.2026");
    let line = "0.5 w 50 345 m 500 345 l S\n";
    let inks = [
        ("grey", format!("0.75 g {words}0 g\n")),
        ("grey under a line", format!("0.75 g {words}0 g {line}")),
        ("struck out", format!("{words}{line}")),
        ("pale yellow", format!("1 1 0.6 rg {words}0 g\n")),
        ("white with a black outline", format!("1 g 0.3 w 2 Tr {words}0 Tr 0 g\n")),
        ("on a dark picture", format!("q 300 0 0 25 60 335 cm /Im1 Do Q 1 g {words}0 g\n")),
        ("over a round area", format!("0.9 g 60 330 m 300 330 l 310 340 310 350 300 355 c 60 355 l h f 0 g {words}")),
        ("half transparent over a colour", format!("0.8 1 0.8 rg 60 330 300 25 re f 0 g {words}")),
    ];
    for (how, ink) in inks {
        let extraction = reading(&Draft::new().image().page(&(german_invoice() + &ink)).bytes()).extraction;
        assert_eq!(extraction.coverage.hidden_text, 0, "{how}");
        assert_eq!(extraction.text(FieldName::DeliveryDate), Some("2026-03-01"), "{how}");
    }
}

#[test]
fn white_text_on_a_dark_ground_is_seen() {
    let banner = format!(
        "0 0 0.4 rg 0 742 595 100 re f 1 1 1 rg\n{}0 0 0 rg\n",
        text(72.0, 50.0, 12.0, "Lieferdatum: 01.03.2026")
    );
    let extraction = reading(&Draft::new().page(&(banner + &german_invoice())).bytes()).extraction;
    assert_eq!(extraction.coverage.hidden_text, 0);
    values(&extraction, &[(FieldName::DeliveryDate, "2026-03-01")]);
}

#[test]
fn text_that_no_eye_sees_is_left_out_on_pages_without_a_picture_too() {
    let secret = format!("0 g 60 330 200 25 re f {}", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00"));
    let draft = (0..20).fold(Draft::new(), |draft, _| draft.page(&german_invoice()));
    let Reading { extraction, pictures } = reading(&draft.page(&secret).bytes());
    assert_eq!((extraction.coverage.hidden_text, pictures.len()), (2, 20));
    assert_eq!(codes(&extraction), ["pages_without_picture", "hidden_text"]);
}

#[test]
fn text_in_a_layer_that_a_viewer_switches_off_is_left_out_and_counted() {
    let member = |value: Vec<Object>| dictionary! { "Type" => "OCMD", "VE" => value };
    let usage = |part: &str, state: &str| dictionary! { part => dictionary! { state => "OFF" } };
    let applied = |layer: ObjectId, event: &str| {
        vec![Object::Dictionary(
            dictionary! { "Event" => event, "Category" => vec![event.into()], "OCGs" => vec![layer.into()] },
        )]
    };
    let cases = [
        ("for the screen", Some(("View", "ViewState")), None, 1),
        ("on paper", Some(("Print", "PrintState")), None, 1),
        ("for other programs", Some(("Export", "ExportState")), None, 0),
        ("by an expression", None, Some("Not"), 1),
        ("by no expression", None, Some("And"), 0),
        ("by an expression that is none", None, Some("Nor"), 1),
    ];
    for (how, by_usage, by_expression, expected) in cases {
        let mut draft = Draft::new();
        let mut group = dictionary! { "Type" => "OCG", "Name" => Object::string_literal("prices") };
        if let Some((part, state)) = by_usage {
            group.set("Usage", usage(part, state));
        }
        let group = draft.document.add_object(group);
        let mut config = dictionary! { "ON" => vec![group.into()] };
        if let Some((event, _)) = by_usage {
            config.set("AS", applied(group, event));
        }
        let layer = match by_expression {
            Some(operator) => draft.document.add_object(member(vec![operator.into(), group.into()])),
            None => group,
        };
        draft.resources.set("Properties", dictionary! { "L1" => layer });
        draft.catalog.set("OCProperties", dictionary! { "OCGs" => vec![group.into()], "D" => config });
        let secret = format!("/OC /L1 BDC\n{}EMC\n", text(72.0, 500.0, 10.0, "Lieferdatum: 01.03.2026"));
        let extraction = reading(&draft.page(&(german_invoice() + &secret)).bytes()).extraction;
        assert_eq!(extraction.coverage.hidden_text, expected, "{how}");
        assert_eq!(extraction.text(FieldName::DeliveryDate).is_none(), expected == 1, "{how}");
    }
}

#[test]
fn text_in_a_layer_that_is_switched_off_is_counted() {
    let secret = text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00");
    let cases = [
        ("of a section", format!("/OC /L1 BDC\n{secret}EMC\n"), 1),
        ("around a section", format!("/OC /L1 BDC\n/Span BMC\n{secret}EMC\n{secret}EMC\n{secret}"), 2),
        ("of several, all of which are off", format!("/OC /L2 BDC\n{secret}EMC\n"), 1),
        ("of a form", "/Fm1 Do\n".to_owned(), 1),
    ];
    for (how, content, expected) in cases {
        let draft = Draft::new().switched_off_layer(&secret).page(&(german_invoice() + &content));
        let extraction = reading(&draft.bytes()).extraction;
        assert_eq!(extraction.coverage.hidden_text, expected, "{how}");
        assert_eq!(codes(&extraction), ["hidden_text"], "{how}");
    }
}

#[test]
fn the_text_under_a_scan_hides_only_what_the_scan_does_not_show() {
    let line = |words: &[(&str, f64)]| {
        let word =
            |(text, left): &(&str, f64)| Word { text: (*text).to_owned(), area: [*left, 90.0, left + 60.0, 100.0] };
        words.iter().map(word).collect::<Vec<Word>>()
    };
    let recognised = line(&[("Invoice", 50.0), ("No.AP-5521", 115.0), ("1,190.00", 400.0)]);
    let cases: [(&[(&str, f64)], usize); 6] = [
        (&[("Invoice", 52.0), ("No.", 116.0), ("AP-5521", 130.0), ("1,190.00", 402.0)], 0),
        (&[("lnvoice", 52.0), ("No", 116.0)], 0),
        (&[("1,19O.00", 402.0)], 1),
        (&[("9,190.00", 402.0)], 1),
        (&[("1,190.00", 52.0)], 1),
        (&[("Payable", 250.0), ("·", 300.0)], 1),
    ];
    for (hidden, expected) in cases {
        let hidden = [Line { cells: vec![Cell { words: line(hidden) }] }];
        assert_eq!(layer::count_other_words(&hidden, &recognised), expected, "{hidden:?}");
    }
}
