use super::*;

#[test]
fn whoever_submitted_may_not_approve() {
    let submitter = user("usr_submitter", Role::Reviewer, 2);
    assert_eq!(decide(&in_review(), submitter, Verdict::Approve).unwrap_err(), Refusal::Touched);
}

#[test]
fn whoever_corrects_may_not_approve() {
    let corrected = correct(&in_review(), "number", "INV-2").unwrap().0;
    let again = step(&corrected, validated()).unwrap().0;
    let again =
        step(&again, reconciled(&[Code::Price], vec![checkpoint("price", Role::Reviewer, 1, 1, &[Code::Price])]))
            .unwrap()
            .0;
    assert_eq!(decide(&again, reviewer("usr_corrector"), Verdict::Approve).unwrap_err(), Refusal::Touched);
    assert_eq!(decide(&again, reviewer("usr_other"), Verdict::Approve).unwrap().0.state, State::Approved);
}

#[test]
fn where_two_must_approve_one_person_counts_once() {
    let case = held(&[Code::BankNew], vec![checkpoint("payee", Role::Reviewer, 1, 2, &[Code::BankNew])]);
    let (once, action) = decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap();
    assert_eq!((once.state, action), (State::InReview, None));
    let why = "you approved already; a second person must".to_owned();
    assert_eq!(decide(&once, reviewer("usr_1"), Verdict::Approve).unwrap_err(), Refusal::NothingToApprove { why });
    let (twice, action) = decide(&once, reviewer("usr_2"), Verdict::Approve).unwrap();
    assert_eq!((twice.state, action), (State::Approved, Some(Action::Send)));
}

#[test]
fn role_and_level_decide_whose_checkpoint_it_is() {
    let case = held(
        &[Code::Price],
        vec![
            checkpoint("amount", Role::Reviewer, 2, 1, &[Code::Price]),
            checkpoint("contract", Role::Legal, 1, 1, &[]),
        ],
    );
    for nobody in [user("usr_1", Role::Reviewer, 1), user("usr_1", Role::Auditor, 2), user("usr_1", Role::Admin, 2)] {
        assert!(decide(&case, nobody, Verdict::Approve).unwrap_err().about_authority());
    }
    let program = Actor { kind: ActorKind::Service, ..reviewer("svc_1") };
    assert!(decide(&case, program, Verdict::Approve).unwrap_err().about_authority());
    let (half, _) = decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap();
    assert_eq!(half.state, State::InReview);
    assert_eq!(half.checkpoints.iter().map(Checkpoint::settled).collect::<Vec<_>>(), [true, false]);
    assert_eq!(decide(&half, user("usr_2", Role::Legal, 1), Verdict::Approve).unwrap().0.state, State::Approved);
}

#[test]
fn a_decision_about_what_was_there_before_is_refused() {
    let case = held(&[Code::BankNew], vec![checkpoint("payee", Role::Reviewer, 1, 2, &[Code::BankNew])]);
    for changed in [
        Case { findings: Vec::new(), ..case.clone() },
        Case { policy: Some(Digest::of(b"another policy")), ..case.clone() },
        Case { extraction: Some(Extraction { language: Some("de".into()), ..extraction() }), ..case.clone() },
        Case { document: Document { digest: Digest::of(b"y"), ..case.document.clone() }, ..case.clone() },
    ] {
        for verdict in [Verdict::Approve, Verdict::Reject, Verdict::Correct(Vec::new())] {
            let decision =
                Decision { by: reviewer("usr_1"), verdict, reason: "seen".into(), seen: changed.content(), at: NOW };
            assert_eq!(step(&case, Event::Decided(decision)).unwrap_err(), Refusal::Stale);
        }
    }
}

#[test]
fn a_stop_cannot_be_approved_and_claims_nothing_of_an_order() {
    let case = held(&[Code::DuplicateD2], vec![checkpoint("payee", Role::Reviewer, 1, 1, &[Code::DuplicateD2])]);
    assert_eq!(case.bill, None);
    let refused = decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap_err();
    assert_eq!(refused, Refusal::Stopped { code: Code::DuplicateD2 });
    assert_eq!(decide(&case, reviewer("usr_1"), Verdict::Reject).unwrap().0.state, State::Rejected);
    assert_eq!(in_review().bill, Some(Bill { since: Some(NOW), ..bill() }));
    assert_eq!(in_review().place, Some(NOW));
    assert_eq!(
        decide(&in_review(), reviewer("usr_1"), Verdict::Reject).unwrap().0.bill,
        None,
        "it makes room for others"
    );
}

#[test]
fn when_it_was_judged_first_is_kept_through_a_stop_a_correction_and_what_is_judged_later() {
    let later = |case: &Case| {
        let judgement = Judgement { at: Timestamp(NOW.0 + 1), ..judgement(&[Code::PriceBelow], Vec::new()) };
        let validated = step(case, validated()).unwrap().0;
        step(&validated, Event::Reconciled(Box::new(judgement))).unwrap().0
    };
    let checkpoints = vec![checkpoint("payee", Role::Reviewer, 1, 1, &[Code::DuplicateD2])];
    for case in [in_review(), held(&[Code::DuplicateD2], checkpoints)] {
        let (corrected, _) = correct(&case, "currency", "USD").unwrap();
        assert_eq!((corrected.place, corrected.judged_first), (None, Some(NOW)));
        let judged = later(&corrected);
        assert_eq!((judged.place, judged.judged_first), (Some(Timestamp(NOW.0 + 1)), Some(NOW)));
        assert_eq!((Known::for_case(&judged).place, Known::for_case(&judged).judged_first), (judged.place, Some(NOW)));
    }
    // A case that was kept before it was remembered goes by its place.
    let mut kept = serde_json::to_value(in_review()).unwrap();
    kept.as_object_mut().unwrap().remove("judged_first").unwrap();
    let case: Case = serde_json::from_value(kept).unwrap();
    assert_eq!((case.judged_first, Known::for_case(&case).judged_first), (None, Some(NOW)));
    // It says of nobody anything.
    assert_eq!(in_review().erased().judged_first, Some(NOW));
}

#[test]
fn a_finding_of_weight_without_a_checkpoint_ends_the_program_rather_than_pass() {
    let judged = |codes: &[Code], checkpoints| {
        let case = step(&step(&received(), extracted()).unwrap().0, validated()).unwrap().0;
        let event = reconciled(codes, checkpoints);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| step(&case, event).map(|it| it.0.state)))
    };
    assert!(judged(&[Code::Stale], Vec::new()).is_err());
    assert!(judged(&[Code::Stale], vec![checkpoint("amount", Role::Reviewer, 1, 1, &[])]).is_err());
    assert_eq!(judged(&[Code::PriceBelow], Vec::new()).unwrap(), Ok(State::Approved));
}

#[test]
fn every_decision_needs_a_reason_of_a_length_that_can_be_read() {
    let reject = |reason: String| {
        let case = in_review();
        let seen = case.content();
        step(&case, Event::Decided(Decision { by: reviewer("usr_1"), verdict: Verdict::Reject, reason, seen, at: NOW }))
            .map(drop)
    };
    assert_eq!(reject(" \n".into()), Err(Refusal::ReasonMissing));
    let chars = REASON_CHARS_MAX + 1;
    assert_eq!(reject("ü".repeat(chars)), Err(Refusal::ReasonTooLong { chars, max: REASON_CHARS_MAX }));
    assert_eq!(reject("ü".repeat(REASON_CHARS_MAX)), Ok(()));
}
