//! A scenario from the reader's answer to where the document rests, with facts that are kept in memory.

use std::collections::BTreeSet;

use case::{
    Actor, ActorKind, Answer, Case, CaseId, Change, Decision, Digest, Document, Event, Extraction, Fact, Judgement,
    Key, Known, Policy, Role, State, Stated, Timestamp, Verdict, came_to_light, examine, judge, settle, step, wanted,
    wanted_of_booked, wanted_of_payment,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::compare::Outcome;
use crate::language::{Brought, Deed, IMPORTER, Scenario, Word};

const ID: CaseId = CaseId(Uuid::from_u128(1));

/// Everybody who says something on the page. `sam` handed the document in; `importer` brings in what nobody else is said to.
fn person(name: &str) -> Actor {
    let (roles, level) = match name {
        "anna" => (vec![Role::Reviewer], 1),
        "bert" | "cora" | "sam" => (vec![Role::Reviewer], 2),
        IMPORTER => (vec![Role::Operator, Role::Reviewer], 2),
        "lea" => (vec![Role::Legal], 2),
        "olga" => (vec![Role::Operator], 1),
        "adam" => (vec![Role::Admin], 2),
        "program" => (Role::ALL.to_vec(), 2),
        _ => panic!("nobody here is called `{name}`"),
    };
    let kind = if name == "program" { ActorKind::Service } else { ActorKind::User };
    Actor { id: name.into(), kind, roles, level }
}

pub(crate) struct World {
    policy: Policy,
    /// Later with each thing that is brought in.
    clock: Timestamp,
    facts: Vec<Stated>,
    case: Case,
}

impl World {
    pub(crate) fn new(scenario: &Scenario) -> World {
        assert!(!scenario.twice, "a file that comes in again is no second case: the store says so");
        let answer = scenario.answer.as_ref().unwrap();
        let clock = noon(scenario.today);
        let document = Document {
            digest: Digest::of(answer),
            size_bytes: 1,
            file_name: "a.xml".into(),
            channel: "inbox".into(),
            received_at: clock,
        };
        let texts = scenario.policy.each_ref().map(String::as_str);
        World {
            policy: Policy::parse(texts).unwrap_or_else(|mistake| panic!("{}: {mistake}", scenario.title)),
            clock,
            facts: scenario.facts.iter().map(|it| stated(it, Timestamp(0))).collect(),
            case: Case::new(ID, document, Uuid::from_u128(2), &person("sam")),
        }
    }

    /// What the store would find: what the case itself bills is left out.
    pub(crate) fn known(&self, extraction: &Extraction) -> Known {
        self.others(|known| wanted(extraction, known, &self.policy))
    }

    fn others(&self, wanted: impl Fn(&Known) -> BTreeSet<Key>) -> Known {
        let others: Vec<Stated> = self.facts.iter().filter(|it| it.case != Some(ID)).cloned().collect();
        Known::for_case(&self.case).look_up(&others, wanted)
    }

    /// How a payment is settled by what is known, this case among it.
    fn settled(&self, fact: &Fact) -> Option<Stated> {
        let Fact::Payment(payment) = fact else { return None };
        let bill = self.case.bill.clone().map(|bill| Fact::Bill(Box::new(bill)));
        let own = bill.map(|fact| Stated { fact, case: Some(ID), by: IMPORTER.into(), known_from: self.clock });
        let all: Vec<Stated> = self.facts.iter().cloned().chain(own).collect();
        let known = Known::default().look_up(&all, |known| wanted_of_payment(payment, known));
        let fact = Fact::Settlement(Box::new(settle(payment, &known)));
        Some(Stated { fact, case: None, by: IMPORTER.into(), known_from: self.clock })
    }

    fn judgement(&self) -> Judgement {
        let known = self.known(self.case.extraction.as_ref().unwrap());
        judge(&self.case, &known, &self.policy, self.clock)
    }

    fn event(&mut self, event: Event) -> Option<String> {
        match step(&self.case, event) {
            Ok((next, _)) => {
                self.case = next;
                None
            }
            Err(refusal) => Some(refusal.to_string()),
        }
    }

    /// From what was read, or corrected, to where it rests.
    fn judge(&mut self) -> Option<String> {
        let findings = examine(&self.case, &self.policy, self.clock.date()).findings;
        let validated = Event::Validated { findings, policy: self.policy.digest };
        self.event(validated).or_else(|| {
            let judgement = Box::new(self.judgement());
            self.event(Event::Reconciled(judgement))
        })
    }

    pub(crate) fn step(&mut self, deed: &Deed, answer: &[u8]) -> Outcome {
        let refused = match deed {
            Deed::Judge => {
                let extraction = Box::new(Extraction::from_untrusted(answer).unwrap());
                self.event(Event::Extracted { extraction, pictures: Vec::new() }).or_else(|| self.judge())
            }
            Deed::Bring(brought) => {
                self.clock = Timestamp(self.clock.0 + 1);
                let fact = stated(brought, self.clock);
                self.facts.retain(|it| (it.fact.kind(), it.fact.id()) != (fact.fact.kind(), fact.fact.id()));
                self.facts.push(fact);
                self.facts.extend(self.settled(&brought.fact));
                None
            }
            Deed::Today(date) => {
                self.clock = noon(*date);
                None
            }
            Deed::Book => {
                let answer = Answer::Booked { reference: "JE-1".into() };
                let keep = self.policy.retention(self.case.kind(), "inbox", false);
                let keep = keep.keep(self.clock.date(), self.case.extraction.as_ref());
                self.event(Event::Answered { answer, checkpoints: Vec::new() })
                    .or_else(|| self.event(Event::Archived { keep }))
            }
            Deed::JudgeAgain if self.case.booked_as.is_some() => {
                let (case, policy) = (&self.case, &self.policy);
                let known = self.others(|known| wanted_of_booked(case, known, policy));
                came_to_light(case, &known, policy, self.clock).and_then(|event| self.event(event))
            }
            Deed::JudgeAgain => {
                let judgement = Box::new(self.judgement());
                self.event(Event::Rejudged(judgement))
            }
            Deed::Decide { who, word, reason } => {
                let verdict = match word {
                    Word::Approve => Verdict::Approve,
                    Word::Reject => Verdict::Reject,
                    Word::Confirm(iban) => panic!("{iban} is confirmed in the store"),
                    Word::Correct(changes) => {
                        let change =
                            |(field, value): &(String, String)| Change { field: field.clone(), value: value.clone() };
                        Verdict::Correct(changes.iter().map(change).collect())
                    }
                };
                let (by, seen) = (person(who), self.case.content());
                let decided = Event::Decided(Decision { by, verdict, reason: reason.clone(), seen, at: self.clock });
                let refused = self.event(decided);
                if self.case.state == State::Extracted { self.judge() } else { refused }
            }
            Deed::Settle | Deed::Outstanding => panic!("no document is judged here"),
        };
        Outcome { case: self.case.clone(), refused }
    }
}

fn noon(day: Date) -> Timestamp {
    Timestamp(day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp().as_microsecond())
}

fn stated(brought: &Brought, known_from: Timestamp) -> Stated {
    Stated { fact: brought.fact.clone(), case: brought.case, by: brought.by.clone(), known_from }
}
