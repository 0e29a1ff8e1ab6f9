//! A scenario from the reader's answer to where the document rests, with facts that are kept in memory.

use case::{
    Actor, ActorKind, Case, CaseId, Change, Decision, Digest, Document, Event, Examined, Extraction, Invoice,
    Judgement, Known, Policy, Role, State, Stated, Timestamp, Verdict, examine, reconcile, step, wanted,
};
use jiff::civil::Date;
use uuid::Uuid;

use crate::compare::Outcome;
use crate::language::{Brought, Deed, IMPORTER, Scenario, TODAY, Word};

const NOW: Timestamp = Timestamp(1_781_500_000_000_000);
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
    today: Date,
    /// Later with each thing that is brought in.
    clock: Timestamp,
    facts: Vec<Stated>,
    case: Case,
}

impl World {
    pub(crate) fn new(scenario: &Scenario) -> World {
        assert_eq!(NOW.date(), TODAY.parse().unwrap());
        assert!(!scenario.twice, "a file that comes in again is no second case: the store says so");
        let answer = scenario.answer.as_ref().unwrap();
        let document = Document {
            digest: Digest::of(answer),
            size_bytes: 1,
            file_name: "a.xml".into(),
            channel: "inbox".into(),
            received_at: NOW,
        };
        let texts = scenario.policy.each_ref().map(String::as_str);
        World {
            policy: Policy::parse(texts).unwrap_or_else(|mistake| panic!("{}: {mistake}", scenario.title)),
            today: scenario.today,
            clock: NOW,
            facts: scenario.facts.iter().map(|it| stated(it, Timestamp(0))).collect(),
            case: Case::new(ID, document, Uuid::from_u128(2), &person("sam")),
        }
    }

    /// What the store would find: what the case itself bills is left out.
    pub(crate) fn known(&self, extraction: &Extraction) -> Known {
        let others: Vec<Stated> = self.facts.iter().filter(|it| it.case != Some(ID)).cloned().collect();
        Known::since(self.case.place).look_up(&others, |known| wanted(extraction, known, &self.policy))
    }

    fn judgement(&mut self) -> Judgement {
        let extraction = self.case.extraction.clone().unwrap();
        let Examined { mut findings, mut passed } = examine(&self.case, &self.policy, self.today);
        let verdict = reconcile(&extraction, &self.known(&extraction), &self.policy, self.today);
        findings.extend(verdict.findings);
        passed.extend(verdict.passed);
        findings.extend(self.case.carried().cloned().collect::<Vec<_>>());
        let (invoice, _) = Invoice::of(&extraction);
        let net = invoice.totals.net_total.filter(|_| invoice.currency.as_ref() == Some(&self.policy.currency));
        let checkpoints = self.policy.route(extraction.kind, verdict.routed_net.or(net), &findings, self.clock);
        Judgement {
            at: self.clock,
            findings,
            passed,
            matched: verdict.matched,
            bill: verdict.bill,
            due_date: verdict.due_date,
            informed_by: verdict.informants,
            checkpoints,
            policy: self.policy.digest,
            unbooked: self.policy.retention(extraction.kind, "inbox", true),
        }
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
        let findings = examine(&self.case, &self.policy, self.today).findings;
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
                None
            }
            Deed::Today(date) => {
                self.today = *date;
                None
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

fn stated(brought: &Brought, known_from: Timestamp) -> Stated {
    Stated { fact: brought.fact.clone(), case: brought.case, by: brought.by.clone(), known_from }
}
