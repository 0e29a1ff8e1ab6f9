use super::*;

#[test]
fn a_hold_beats_every_way_to_erase_and_voids_what_was_proposed() {
    let late = days_to(date(2050, 1, 1));
    for case in [archived(), rejected(), quarantined()] {
        let proposed = all(case.clone(), [propose_on(&case, Ground::Expired, late)]);
        for case in [held(case.clone(), "Smith v. Jones"), held(proposed, "Smith v. Jones")] {
            assert_eq!(case.disposal, None);
            for ground in Ground::ALL {
                let refused = refusal(&case, propose_on(&case, ground, late));
                assert_eq!(refused, Refusal::Held { n: 1 });
                assert!(refused.about_authority() && !refused.to_string().contains("Smith"), "{refused}");
            }
            assert_eq!(refusal(&case, approve_on(&case, lea(), late)), Refusal::Held { n: 1 });
            let free = all(case, [Event::HoldReleased { matter: "Smith v. Jones".into(), said: says(lars(), 0) }]);
            assert!(step(&free, propose_on(&free, Ground::Expired, late)).is_ok());
        }
    }
}

#[test]
fn a_case_is_free_when_each_of_its_matters_is_released() {
    let case = held(held(archived(), "a"), "b");
    let release = |case: &Case, matter: &str, by: Actor| {
        step(case, Event::HoldReleased { matter: matter.into(), said: says(by, 0) })
    };
    assert_eq!(release(&case, "c", lea()).unwrap_err(), Refusal::NotHeld);
    for nobody in [anna(), person("usr_1", Role::Admin, 2), Actor { kind: ActorKind::Service, ..lea() }] {
        assert!(release(&case, "a", nobody).unwrap_err().about_authority());
    }
    let one = release(&case, "a", lea()).unwrap().0;
    assert_eq!(one.standing(date(2050, 1, 1)), Standing::Held);
    assert_eq!(release(&one, "b", lea()).unwrap().0.standing(date(2050, 1, 1)), Standing::Overdue);
}

#[test]
fn a_hold_names_its_matter_once() {
    let place = |case: &Case, matter: &str, by: Actor| {
        step(case, Event::Held { matter: matter.into(), said: says(by, 0) }).map(|it| it.0)
    };
    let case = archived();
    for (matter, chars) in [("", 0), ("  ", 2), ("a\nb", 3), ("x".repeat(201).as_str(), 201)] {
        assert_eq!(place(&case, matter, lea()).unwrap_err(), Refusal::Matter { chars, max: 200 });
    }
    let case = place(&case, &"ü".repeat(200), person("usr_admin", Role::Admin, 1)).unwrap();
    assert_eq!(place(&case, &"ü".repeat(200), lea()).unwrap_err(), Refusal::HeldAlready);
    assert!(place(&case, "m", anna()).unwrap_err().about_authority());
    let full = (1..HOLDS_MAX).fold(case, |case, n| held(case, &n.to_string()));
    assert_eq!(place(&full, "one more", lea()).unwrap_err(), Refusal::HoldsFull { max: 100 });
}

#[test]
fn a_held_case_goes_on_its_way_and_a_machine_asks_before_it_sends() {
    let case = in_review(extraction(Kind::Invoice, &[]));
    let held_in_review = held(case, "m");
    let (approved, action) = step(&held_in_review, decided(&held_in_review, Verdict::Approve)).unwrap();
    assert_eq!((approved.state, action), (State::Approved, Some(Action::Send)));
    let (again, action) = step(&approved, Event::Held { matter: "n".into(), said: says(lea(), 0) }).unwrap();
    assert_eq!((again.state, action), (State::Approved, Some(Action::Inquire)));
    let booked = Event::Answered { answer: Answer::Booked { reference: "JE-1".into() }, checkpoints: Vec::new() };
    let keep = policy().retention(Kind::Invoice, "inbox", false).keep(NOW.date(), None);
    let archived = all(again, [booked, Event::Archived { keep }]);
    assert_eq!(archived.standing(date(2050, 1, 1)), Standing::Held);
}
