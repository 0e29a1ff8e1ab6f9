use super::*;

/// A case that two must approve for its price and one for its amount, and of which one person approved both.
fn approved_once() -> Case {
    let case = held(&[Code::Price], of_price());
    decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap().0
}

fn of_price() -> Vec<Checkpoint> {
    vec![checkpoint("price", Role::Reviewer, 1, 2, &[Code::Price]), checkpoint("amount", Role::Reviewer, 1, 1, &[])]
}

fn approvals(case: &Case) -> Vec<(&str, usize)> {
    case.checkpoints.iter().map(|it| (it.id.as_str(), it.approvals.len())).collect()
}

#[test]
fn what_changes_for_the_better_is_judged_again_and_goes_on() {
    let case = approved_once();
    let (again, action) = step(&case, rejudged(&[Code::PriceBelow], Vec::new())).unwrap();
    assert_eq!((again.state, action), (State::Approved, Some(Action::Send)));
    let (again, action) = step(&case, rejudged(&[], vec![of_price().remove(1)])).unwrap();
    assert_eq!((again.state, action), (State::Approved, Some(Action::Send)), "who approved the amount saw all of it");
    let (again, action) = step(&case, rejudged(&[Code::Price], of_price())).unwrap();
    assert_eq!((again.state, action), (State::InReview, None));
    assert_eq!(approvals(&again), [("price", 1), ("amount", 1)]);
}

#[test]
fn only_what_no_person_approves_may_be_in_the_sample_by_the_policy_of_its_last_verdict() {
    assert_eq!(held(&[], Vec::new()).sample_percent, Some(5));
    let case = approved_once();
    assert_eq!(case.sample_percent, None);
    let lifted = step(&case, rejudged(&[Code::PriceBelow], Vec::new())).unwrap().0;
    assert_eq!((lifted.state, lifted.sample_percent), (State::Approved, Some(5)));
    let approved = step(&case, rejudged(&[], vec![of_price().remove(1)])).unwrap().0;
    assert_eq!((approved.state, approved.sample_percent), (State::Approved, None), "somebody approved the amount");
    // What the ledger refuses goes to people, and was drawn or not all the same; an edit asks for another verdict.
    let refused = Event::Answered { answer: Answer::Refused { why: "period closed".into() }, checkpoints: ledger() };
    let refused = step(&lifted, refused).unwrap().0;
    assert_eq!((refused.state, refused.sample_percent), (State::InReview, Some(5)));
    assert_eq!(correct(&refused, "number", "INV-2").unwrap().0.sample_percent, None);
}

#[test]
fn approvals_stand_only_where_nothing_was_added_to_what_was_approved() {
    let case = approved_once();
    let void = [("price", 0), ("amount", 0)];
    let check = |judgement: Judgement, expected: &[(&str, usize)], why: &str| {
        let again = step(&case, Event::Rejudged(Box::new(judgement))).unwrap().0;
        assert_eq!(approvals(&again), expected, "{why}");
    };
    let mut more_codes = of_price();
    more_codes[0].codes.push(Code::QtyRec);
    check(judgement(&[Code::Price, Code::QtyRec], more_codes), &void, "another finding");
    check(judgement(&[Code::Price, Code::PriceBelow], of_price()), &[("price", 1), ("amount", 1)], "a note");
    let mut dearer = judgement(&[Code::Price], of_price());
    dearer.findings[0].operands.insert("variance".into(), "400.00".into());
    check(dearer, &void, "the same finding with other figures");
    let mut elsewhere = judgement(&[Code::Price], of_price());
    elsewhere.findings[0].fields.push("lines.2".into());
    check(elsewhere, &void, "the same finding in another place");
    let mut matched = judgement(&[Code::Price], of_price());
    matched.matched.push(MatchedLine {
        invoice_line: "1".into(),
        order_id: "PO-1".into(),
        order_line: "1".into(),
        description: None,
        ordered: 2.into(),
        received: None,
        billed_before: 0.into(),
        billed_now: 2.into(),
        price_ordered: 1.into(),
        price_billed: None,
        variance: None,
    });
    check(matched, &void, "another order is billed");
    let asks = |change: fn(&mut Checkpoint)| {
        let mut asked = of_price();
        change(&mut asked[0]);
        judgement(&[Code::Price], asked)
    };
    let amount_alone = [("price", 0), ("amount", 1)];
    check(asks(|it| it.needs = 3), &amount_alone, "one more must approve");
    check(asks(|it| it.level = 2), &amount_alone, "a person of more responsibility must approve");
    check(asks(|it| it.route = Role::Legal), &amount_alone, "others must approve");
    check(asks(|it| it.codes.push(Code::Stale)), &amount_alone, "it is about more than before");
}

#[test]
fn whoever_brought_in_what_a_verdict_rests_on_may_not_approve_it() {
    let informant = || reviewer("usr_informant");
    let refused = decide(&in_review(), informant(), Verdict::Approve).unwrap_err();
    assert_eq!(refused, Refusal::Informed);
    assert!(refused.about_authority());
    assert_eq!(decide(&in_review(), informant(), Verdict::Reject).unwrap().0.state, State::Rejected);

    // Approved first and then brought in a receipt: the approval is that of somebody who has a hand in it.
    let mut by_the_approver = judgement(&[Code::Price], of_price());
    by_the_approver.informed_by.insert("usr_1".into());
    let again = step(&approved_once(), Event::Rejudged(Box::new(by_the_approver))).unwrap().0;
    assert_eq!(approvals(&again), [("price", 0), ("amount", 0)]);
    assert_eq!(decide(&again, reviewer("usr_1"), Verdict::Approve).unwrap_err(), Refusal::Informed);
}

#[test]
fn what_is_judged_again_is_due_when_it_was() {
    let later = Timestamp(NOW.0 + 9_000_000_000);
    let mut asked = of_price();
    asked.push(checkpoint("payee", Role::Reviewer, 1, 2, &[Code::BankNew]));
    asked.iter_mut().for_each(|it| it.due_at = later);
    let again = step(&approved_once(), rejudged(&[Code::Price, Code::BankNew], asked)).unwrap().0;
    let due: Vec<(&str, Timestamp)> = again.checkpoints.iter().map(|it| (it.id.as_str(), it.due_at)).collect();
    assert_eq!(due, [("price", NOW), ("amount", NOW), ("payee", later)]);
}

#[test]
fn a_new_verdict_with_a_finding_of_weight_and_no_checkpoint_ends_the_program() {
    let forgot = std::panic::AssertUnwindSafe(|| step(&in_review(), rejudged(&[Code::Price], Vec::new())).map(drop));
    assert!(std::panic::catch_unwind(forgot).is_err());
}
