use super::*;

#[test]
fn signatures_are_recorded_with_what_they_cover() {
    let signed = Draft::new().signature().page(&german_invoice()).sealed();
    let extraction = reading(&signed).extraction;
    assert_eq!(codes(&extraction), ["signed"]);
    assert_eq!(extraction.notes[0].message, "1 signature: signature 1 covers the whole file");
    values(&extraction, &[(FieldName::GrossTotal, "1469.13")]);

    let mut appended = signed.clone();
    appended.extend_from_slice(b"\n% something was added\n%%EOF\n");
    let extraction = reading(&appended).extraction;
    assert_eq!(codes(&extraction), ["signed", "changed_after_signing"]);
    let expected = format!("covers the first {} of {} bytes", signed.len(), appended.len());
    assert!(extraction.notes[0].message.contains(&expected), "{}", extraction.notes[0].message);

    let mut shifted = signed.clone();
    let at = signed.windows(10).position(|it| it == b"/ByteRange").unwrap();
    let zero = at + signed[at..].iter().position(|it| *it == b'0').unwrap();
    shifted[zero] = b'7';
    let extraction = reading(&shifted).extraction;
    assert_eq!(codes(&extraction), ["signed", "changed_after_signing"]);
}

#[test]
fn a_signature_that_a_later_revision_drops_is_recorded() {
    let signed = Draft::new().signature().page(&german_invoice()).sealed();
    let at = signed.windows(9).position(|it| it == b"/AcroForm").unwrap();
    let mut dropped = signed.clone();
    dropped[at + 1..at + 9].copy_from_slice(b"NoForm__");
    dropped.extend_from_slice(b"\n% something was added\n%%EOF\n");
    let extraction = reading(&dropped).extraction;
    assert_eq!(codes(&extraction), ["signed", "changed_after_signing"]);
    let expected = "; the rest was added after it, and the document no longer names it";
    assert!(extraction.notes[0].message.ends_with(expected), "{}", extraction.notes[0].message);

    // A signed file inside is another file: its bytes are counted from its own start.
    let outer = reading(&Draft::new().attachment("contract.pdf", &signed).page(&german_invoice()).bytes()).extraction;
    assert_eq!(codes(&outer), [""; 0]);
}
