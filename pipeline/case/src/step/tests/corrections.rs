use super::*;

#[test]
fn an_edit_voids_findings_approvals_and_claims() {
    let case = held(&[Code::BankNew], vec![checkpoint("payee", Role::Reviewer, 1, 2, &[Code::BankNew])]);
    let approved_once = decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap().0;
    let (corrected, action) = correct(&approved_once, "number", "INV-2").unwrap();
    assert_eq!((corrected.state, action), (State::Extracted, Some(Action::Validate)));
    assert!(corrected.findings.is_empty() && corrected.checkpoints.is_empty() && corrected.bill.is_none());
    assert!(corrected.passed.is_empty() && corrected.informed_by.is_empty() && corrected.due_date.is_none());
    assert_eq!(corrected.policy, None);
    assert_ne!(corrected.content(), approved_once.content());
}

#[test]
fn a_corrected_value_has_the_person_as_its_evidence() {
    let corrected = correct(&in_review(), "lines.1.quantity", " 3 ").unwrap().0.extraction.unwrap();
    let field = &corrected.lines[0][&LineField::Quantity];
    assert_eq!((field.value.as_str(), field.confidence), ("3", 1.0));
    assert_eq!(field.evidence, Evidence::Person { person: "usr_corrector".into(), text: "3".into() });
}

#[test]
fn a_correction_adds_and_removes_fields_and_lines() {
    let with_iban = correct(&in_review(), "iban", "DE89370400440532013000").unwrap().0.extraction.unwrap();
    assert_eq!(with_iban.text(FieldName::Iban), Some("DE89370400440532013000"));
    let without_number = correct(&in_review(), "number", "").unwrap().0.extraction.unwrap();
    assert_eq!(without_number.text(FieldName::Number), None);
    let two_lines = correct(&in_review(), "lines.2.quantity", "1").unwrap().0.extraction.unwrap();
    assert_eq!(two_lines.lines.len(), 2);
    let no_line = correct(&in_review(), "lines.1.quantity", "").unwrap().0.extraction.unwrap();
    assert!(no_line.lines.is_empty());
}

#[test]
fn a_correction_of_what_is_no_field_is_refused_whole() {
    for field in [
        "",
        "colour",
        "lines.0.quantity",
        "lines.3.quantity",
        "lines.1.colour",
        "lines.x.quantity",
        "lines.1",
        "NUMBER",
    ] {
        assert_eq!(correct(&in_review(), field, "1").unwrap_err(), Refusal::NoSuchField { field: field.into() });
    }
    assert!(matches!(correct(&in_review(), "number", &"1".repeat(1_001)), Err(Refusal::NoSuchField { .. })));
    assert_eq!(
        decide(&in_review(), reviewer("usr_1"), Verdict::Correct(Vec::new())).unwrap_err(),
        Refusal::NothingCorrected
    );
}
