use super::*;

fn mail(parts: &[u128]) -> Case {
    let keep = policy().retention(Kind::Unknown, "inbox", false).keep(NOW.date(), None);
    let cases = parts.iter().map(|part| CaseId(Uuid::from_u128(*part))).collect();
    let extraction = Box::new(extraction(Kind::Unknown, &[]));
    all(received(100), [Event::TakenApart { extraction, cases, keep }])
}

#[test]
fn a_part_stays_while_a_mail_that_holds_it_is_readable() {
    let [mail, other] = [100, 200].map(|id| CaseId(Uuid::from_u128(id)));
    let part = Case { mail: Some(mail), ..rejected() };
    let with = |case: &Case, family: &[(CaseId, Kin)]| Event::DisposalProposed {
        ground: Ground::MistakenUpload,
        seen: case.content(),
        said: says(anna(), 0),
        family: family.iter().copied().collect(),
    };
    let (there, gone) = (Kin::Mail { state: State::Archived }, Kin::Mail { state: State::Erased });
    assert_eq!(refusal(&part, with(&part, &[])), Refusal::InMail { mail });
    assert_eq!(refusal(&part, with(&part, &[(mail, there)])), Refusal::InMail { mail });
    assert_eq!(refusal(&part, with(&part, &[(mail, gone), (other, there)])), Refusal::InMail { mail: other });
    let proposed = step(&part, with(&part, &[(mail, gone), (other, gone)])).unwrap().0;
    // The same bytes came in with another mail meanwhile.
    let approval = |family: &[(CaseId, Kin)]| Event::DisposalApproved {
        seen: proposed.content(),
        said: says(lea(), 0),
        family: family.iter().copied().collect(),
    };
    assert_eq!(refusal(&proposed, approval(&[(mail, gone), (other, there)])), Refusal::InMail { mail: other });
    assert_eq!(step(&proposed, approval(&[(mail, gone), (other, gone)])).unwrap().0.state, State::Erased);
}

#[test]
fn a_mail_stays_while_something_that_came_with_it_is_held() {
    let [one, two] = [1, 2].map(|id| CaseId(Uuid::from_u128(id)));
    let mail = mail(&[1, 2]);
    assert_eq!(mail.parts, [one, two]);
    let late = days_to(date(2050, 1, 1));
    let with = |ground, day, family: &[(CaseId, Kin)]| Event::DisposalProposed {
        ground,
        seen: mail.content(),
        said: says(anna(), day),
        family: family.iter().copied().collect(),
    };
    let part = |state, held| Kin::Part { state, held };
    let free = part(State::Archived, false);
    assert_eq!(refusal(&mail, with(Ground::Expired, late, &[(one, free)])), Refusal::PartHeld { part: two });
    let held = [(one, part(State::InReview, true)), (two, free)];
    assert_eq!(refusal(&mail, with(Ground::Expired, late, &held)), Refusal::PartHeld { part: one });
    assert!(step(&mail, with(Ground::Expired, late, &[(one, free), (two, free)])).is_ok());
    // Mistaken as a whole, or not at all.
    let early = |family: &[(CaseId, Kin)]| step(&mail, with(Ground::MistakenUpload, 0, family)).map(drop);
    let never = [(one, part(State::Rejected, false)), (two, part(State::Quarantined, false))];
    assert_eq!(early(&never), Ok(()));
    let booked = [(one, part(State::Rejected, false)), (two, part(State::Posted, false))];
    assert!(matches!(early(&booked), Err(Refusal::Kept { .. })));
}
