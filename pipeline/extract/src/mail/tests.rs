#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn mail(parts: &[&str]) -> String {
    let mut text = "Return-Path: <a@example.com>\r\nFrom: \"Acme, Billing\" <billing@acme.example>\r\nSubject: =?UTF-8?Q?Rechnung_f=C3=BCr_M=C3=A4rz?=\r\n\
        Date: Wed, 4 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n"
        .to_owned();
    for part in parts {
        text += &format!("--b1\r\n{}\r\n", part.replace('\n', "\r\n"));
    }
    text + "--b1--\r\n"
}

const BODY: &str = "Content-Type: multipart/alternative; boundary=b2\n\n--b2\nContent-Type: text/plain\n\nHello\n\
    --b2\nContent-Type: text/html\n\n<p>Hello <img src='cid:logo1'></p>\n--b2--";
const CSV: &str = "Content-Type: text/csv; charset=windows-1252; name=\"../r\u{7}.csv\"\nContent-Disposition: attachment\n\
    Content-Transfer-Encoding: base64\n\nUmVjaG51bmc7TfxsbGVyCg==";
const PDF: &str = "Content-Type: application/pdf\nContent-Disposition: attachment; filename*=UTF-8''R%C3%A4chnung.pdf\n\
    Content-Transfer-Encoding: base64\n\nJVBERi0xLjQK";
const LOGO: &str = "Content-Type: image/png; name=logo.png\nContent-ID: <logo1>\nContent-Disposition: inline\n\
    Content-Transfer-Encoding: base64\n\niVBORw0KGgo=";
const TNEF: &str =
    "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+IgEAAAA=";

fn codes(found: &Extraction) -> Vec<&str> {
    found.notes.iter().map(|it| it.code.as_str()).collect()
}

#[test]
fn what_is_attached_is_taken_out_byte_by_byte_and_said() {
    let document = mail(&[BODY, LOGO, CSV, PDF]);
    let found = crate::read(document.as_bytes()).unwrap().extraction;
    assert_eq!((found.kind, found.format), (Kind::Unknown, Format::Eml));
    assert_eq!(found.text(FieldName::Title), Some("Rechnung für März"));
    assert_eq!(found.fields.parties[0].value, "Acme, Billing <billing@acme.example>");
    assert_eq!((found.coverage.pages, found.coverage.read), (2, 2));
    assert_eq!(codes(&found), ["attachment_taken", "attachment_taken", "inline_picture"]);
    let taken = attachments(document.as_bytes()).unwrap();
    let given: Vec<(&str, &str, &[u8])> =
        taken.iter().map(|it| (it.name.as_str(), it.media_type.as_str(), it.bytes.as_slice())).collect();
    let expected: [(&str, &str, &[u8]); 2] =
        [("r.csv", "text/csv", b"Rechnung;M\xfcller\n"), ("Rächnung.pdf", "application/pdf", b"%PDF-1.4\n")];
    assert_eq!(given, expected);
}

#[test]
fn a_mail_inside_a_mail_is_opened_to_three_levels() {
    let mut document = mail(&[BODY, PDF]);
    for level in 1..=4 {
        let inner = format!(
            "Content-Type: message/rfc822\n\n{}",
            document.replace("\r\n", "\n").replace("b1", &format!("c{level}"))
        );
        document = mail(&[BODY, &inner]);
        let outcome = attachments(document.as_bytes());
        if level <= 3 {
            assert_eq!(outcome.unwrap().len(), 1, "at level {level}");
        } else {
            let err = outcome.unwrap_err().to_string();
            assert_eq!(err, "the document has 4 levels of mails inside mails, more than the 3 allowed");
        }
    }
}

#[test]
fn a_mail_under_another_name_counts_as_a_level_too() {
    let attached = |document: &str| {
        let packed = STANDARD.encode(document);
        format!(
            "Content-Type: application/octet-stream; name=x.bin\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\n{packed}"
        )
    };
    let mut document = mail(&[BODY, PDF]);
    for level in 1..=4 {
        document = mail(&[BODY, &attached(&document)]);
        let outcome = attachments(document.as_bytes());
        if level <= 3 {
            let names: Vec<String> = outcome.unwrap().into_iter().map(|it| it.name).collect();
            assert_eq!(names, ["Rächnung.pdf"], "at level {level}");
        } else {
            assert!(outcome.unwrap_err().to_string().contains("4 levels of mails inside mails"));
        }
    }
}

#[test]
fn a_photograph_shown_in_the_text_is_a_document_and_a_logo_is_none() {
    for (side, expected) in [(64, "inline_picture"), (1_200, "attachment_taken")] {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&vec![255; (side * side) as usize]).unwrap();
        let part = LOGO.replace("iVBORw0KGgo=", &STANDARD.encode(&png));
        let found = crate::read(mail(&[BODY, &part]).as_bytes()).unwrap().extraction;
        assert_eq!(codes(&found)[0], expected, "{side} pixels a side");
    }
}

#[test]
fn links_in_the_text_are_no_mails_inside_it() {
    let links = "https://shop.example/message/read-it\n".repeat(60);
    let text = format!("Content-Type: text/plain\n\n{links}");
    assert_eq!(crate::read(mail(&[&text, PDF]).as_bytes()).unwrap().extraction.coverage.read, 1);
}

#[test]
fn what_stays_closed_or_is_missing_is_no_silent_loss() {
    for (parts, expected, coverage) in [
        (&[BODY][..], &["nothing_attached"][..], (1, 0)),
        (&[BODY, TNEF], &["winmail", "nothing_attached"], (1, 0)),
        (&[BODY, PDF, TNEF], &["attachment_taken", "winmail"], (2, 1)),
        (
            &[BODY, "Content-Type: application/pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIAG"],
            &["sealed_part", "nothing_attached"],
            (1, 0),
        ),
        (
            &[
                BODY,
                "Content-Type: application/pkcs7-mime; name=IT01_1.xml.p7m\nContent-Transfer-Encoding: base64\n\nMIAG",
            ],
            &["attachment_taken"],
            (1, 1),
        ),
    ] {
        let found = crate::read(mail(parts).as_bytes()).unwrap().extraction;
        assert_eq!(codes(&found), expected);
        assert_eq!((found.coverage.pages, found.coverage.read), coverage, "{expected:?}");
    }
}

#[test]
fn mails_that_are_made_to_hurt_are_refused_with_both_numbers() {
    let head = "From: a@b.example\r\nMIME-Version: 1.0\r\n";
    for (document, reason) in [
        (mail(&vec![PDF; 101]), "101 attachments, more than the 100"),
        (mail(&["--b1\n"; 20_001]), "lines that may part a mail, more than the 20000"),
        (format!("{head}{}", "a:\r\n".repeat(100_001)), "lines that may be headers, more than the 100000"),
        (
            format!("{head}{}", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n".repeat(101)),
            "parts made of parts, more than the 100",
        ),
        (format!("{head}{}", "Content-Type: message/rfc822\r\n\r\n".repeat(200_000)), "more than the"),
    ] {
        let err = crate::read(document.as_bytes()).unwrap_err().to_string();
        assert!(err.contains(reason), "{err}");
    }
}

#[test]
fn a_letter_is_no_mail() {
    for (text, expected) in [
        ("From: A\nTo: B\nDate: today\n\nDear B,", false),
        ("From: a@b.example\nMessage-ID: <1@b>\n\nDear B,", true),
        ("Invoice: 7\nFrom: A\n Message-ID: x\n\n", false),
        ("Dear B,\nFrom: a\nMIME-Version: 1.0\n", false),
    ] {
        assert_eq!(looks_like(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn no_change_of_a_byte_breaks_the_reader_of_mails() {
    let document = mail(&[BODY, LOGO, CSV, PDF, TNEF]).into_bytes();
    for at in 0..document.len() {
        for byte in [0, b'\n', b'-', 0xff] {
            let mut changed = document.clone();
            changed[at] = byte;
            let read = crate::read(&changed);
            assert_ne!(read.as_ref().err(), Some(&Unreadable::Crashed), "byte {at} as {byte}");
            if let Ok(reading) = read {
                let answer = serde_json::to_vec(&reading.extraction).unwrap();
                assert!(Extraction::from_untrusted(&answer).is_ok(), "byte {at} as {byte}");
            }
        }
    }
}
