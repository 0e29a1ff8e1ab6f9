use super::*;

#[test]
fn what_the_ledger_refuses_goes_to_a_person_and_the_earlier_approvals_stay_on_record() {
    let approved = decide(&in_review(), reviewer("usr_1"), Verdict::Approve).unwrap().0;
    let refused = |case: &Case, why: &str| {
        let answer = Answer::Refused { why: why.into() };
        step(case, Event::Answered { answer, checkpoints: ledger() }).unwrap().0
    };
    let case = refused(&approved, "period closed");
    assert_eq!((case.state, case.findings.last().unwrap().code), (State::InReview, Code::ErpRefused));
    assert_eq!(case.checkpoints[0].approvals[0].by, "usr_1");
    let again = decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap().0;
    assert_eq!(again.state, State::Approved);
    // Refused twice: the same checkpoint stands there once, and open.
    let twice = refused(&again, "period closed");
    assert_eq!(twice.checkpoints.iter().map(Checkpoint::settled).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn what_the_ledger_refused_stays_refused_whatever_facts_come_in() {
    let answer = Answer::Refused { why: "period closed".into() };
    let refused = step(&held(&[], Vec::new()), Event::Answered { answer, checkpoints: ledger() }).unwrap().0;
    let carried: Vec<Finding> = refused.carried().cloned().collect();
    assert_eq!(carried.iter().map(|it| it.message.as_str()).collect::<Vec<_>>(), ["period closed"]);

    let mut anew = judgement(&[], ledger());
    anew.findings.extend(carried);
    let again = step(&refused, Event::Rejudged(Box::new(anew))).unwrap().0;
    assert_eq!((again.state, again.carried().count()), (State::InReview, 1));
    // A verdict that forgot it is a mistake of the program, which ends rather than send the same again.
    let forgot = std::panic::AssertUnwindSafe(|| step(&refused, rejudged(&[], Vec::new())).map(drop));
    assert!(std::panic::catch_unwind(forgot).is_err());
}

#[test]
fn no_answer_leads_to_a_question_and_only_a_no_to_a_second_sending() {
    let approved = held(&[], Vec::new());
    let answer = |answer| step(&approved, Event::Answered { answer, checkpoints: Vec::new() }).unwrap().1;
    assert_eq!(answer(Answer::Unknown), Some(Action::Inquire));
    assert_eq!(answer(Answer::Absent), Some(Action::Send));
}

fn archived() -> Case {
    let answered = Event::Answered { answer: booked(), checkpoints: Vec::new() };
    let posted = step(&held(&[], Vec::new()), answered).unwrap().0;
    step(&posted, Event::Archived { keep: keep(false) }).unwrap().0
}

#[test]
fn what_comes_to_light_of_a_booked_case_is_looked_at_and_nothing_is_booked_twice() {
    let (open, action) = step(&archived(), reopened()).unwrap();
    assert_eq!((open.state, action, open.keep.clone()), (State::InReview, None, None));
    assert_eq!(open.findings.last().unwrap().code, Code::PaidUnapproved);
    for verdict in [Verdict::Reject, Verdict::Correct(vec![Change { field: "number".into(), value: "2".into() }])] {
        assert_eq!(decide(&open, reviewer("usr_1"), verdict).unwrap_err(), Refusal::Booked);
    }
    let anew = step(&open, rejudged(&[], Vec::new())).unwrap_err();
    assert_eq!(anew, Refusal::NotNow { state: State::InReview, deed: "be judged again" });
    let (looked_at, action) = decide(&open, reviewer("usr_1"), Verdict::Approve).unwrap();
    assert_eq!((looked_at.state, action), (State::Posted, Some(Action::Archive)), "it is not sent again");
    assert_eq!(looked_at.booked_as.as_deref(), Some("JE-1"));
    let kept = step(&looked_at, Event::Archived { keep: keep(false) }).unwrap().0;
    assert!(kept.keep.is_some());
    assert_eq!(step(&kept, reopened()).unwrap().0.state, State::InReview, "it may come to light again");
}

#[test]
fn a_mail_that_booked_nothing_is_not_reopened() {
    let apart = Event::TakenApart {
        extraction: Box::new(extraction()),
        cases: vec![CaseId(Uuid::from_u128(9))],
        keep: keep(false),
    };
    let mail = step(&received(), apart).unwrap().0;
    let refused = Refusal::NotNow { state: State::Archived, deed: "be reopened" };
    assert_eq!(step(&mail, reopened()).unwrap_err(), refused);
}
