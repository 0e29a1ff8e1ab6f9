//! The cases of `tests/scenarios.txt` through the store, on both databases: everything is brought in, confirmed and decided as
//! people and machines do it, and a case is judged again only where the store says that something new is known of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../../pipeline/case/tests/scenarios/compare.rs"]
mod compare;
#[path = "../../pipeline/case/tests/scenarios/language.rs"]
#[allow(dead_code)]
mod language;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use case::{
    Account, Actor, ActorKind, Answer, Bill, CallBack, Case, CaseId, Change, Claim, Decision, Event, Extraction, Fact,
    Finding, Judgement, Key, Known, PayeeDeed, Policy, Receipt, Role, Settlement, State, Timestamp, Vendor, Verdict,
    examine, judge, outstanding, settle, wanted, wanted_of_payment, wanted_of_returns,
};
use jiff::civil::{Date, date};
use store::{Admission, ApplyError, PayeeError, Store, Work};
use work::{judge_again, settle_payment};

use crate::support::{Mould, POLICIES, admitted, arrival, machine, moulds};
use compare::{Outcome, differences};
use language::{Brought, Deed, Expected, IMPORTER, Scenario, Word};

const SCENARIOS: &str = include_str!("../scenarios.txt");

/// Scenarios under way at once.
const AT_ONCE: usize = 6;
/// Everything at rest is compared after each so many of them.
const CHECKED: usize = 6;
/// When vendors began of whom nothing else is said.
const LONG_AGO: Date = date(2025, 1, 1);
/// Days that a credit note may take.
const CREDIT_DAYS: u16 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_of_each_database_as_it_is_written() {
    let scenarios: Arc<Vec<Scenario>> = Arc::new(language::read(SCENARIOS, POLICIES));
    let moulds: Arc<Vec<Mould>> = Arc::new(moulds().await);
    let next = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (scenarios, moulds, next) = (scenarios.clone(), moulds.clone(), next.clone());
            tokio::spawn(async move {
                let mut failures = Vec::new();
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(mould), n) = (moulds.get(nth / scenarios.len()), nth % scenarios.len()) else {
                        return failures;
                    };
                    let place = mould.fresh().await;
                    let told = format!("{} on {}", scenarios[n].title, place.store.database());
                    let (store, all) = (place.store.clone(), scenarios.clone());
                    // In a task of its own, so that one that breaks off does not hide the others.
                    match tokio::spawn(async move { played(&store, &all[n], n % CHECKED == 0).await }).await {
                        Ok(found) => failures.extend(found.into_iter().map(|failure| format!("{told}\n  {failure}"))),
                        Err(err) => failures.push(format!("{told}\n  it broke off: {err}")),
                    }
                    place.remove().await;
                }
            })
        })
        .collect();
    let mut failures = Vec::new();
    for worker in workers {
        failures.extend(worker.await.unwrap());
    }
    failures.sort_unstable();
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

/// A verdict, with what it was made of.
struct Made {
    case: Case,
    at: Timestamp,
    findings: Vec<Finding>,
}

struct World<'a> {
    store: &'a Store,
    policy: Policy,
    clock: Timestamp,
    id: Option<CaseId>,
    /// Cases that are there already, by the ids that the page has for them.
    twins: BTreeMap<String, CaseId>,
    verdicts: Vec<Made>,
}

/// Where what came differs from what the page says.
async fn played(store: &Store, scenario: &Scenario, checked: bool) -> Vec<String> {
    let mut world = World::new(store, scenario).await;
    let mut failures = Vec::new();
    for (n, step) in scenario.steps.iter().enumerate() {
        let found = match step.deed {
            Deed::Settle => other_money(&step.expected, world.settle(scenario).await),
            Deed::Outstanding => other_money(&step.expected, world.credits().await),
            _ => {
                let refused = world.step(scenario, &step.deed).await;
                let case = store.case(world.id.unwrap()).await.unwrap();
                differences(&Outcome { case, refused }, &step.deed, &world.in_its_ids(&step.expected))
            }
        };
        failures.extend(found.into_iter().map(|failure| format!("step {}: {failure}", n + 1)));
    }
    failures.extend(world.made_again().await);
    if checked {
        let now = world.tick().await;
        let report = store.check(true, None, now).await.unwrap();
        failures.extend(report.faults.iter().map(|fault| format!("at rest: {fault:?}")));
    }
    failures
}

impl<'a> World<'a> {
    async fn new(store: &'a Store, scenario: &Scenario) -> World<'a> {
        let texts = scenario.policy.each_ref().map(String::as_str);
        let mut world = World {
            store,
            policy: Policy::parse(texts).unwrap(),
            clock: Timestamp(0),
            id: None,
            twins: BTreeMap::new(),
            verdicts: Vec::new(),
        };
        world.set_up(scenario).await;
        world
    }

    /// The next moment. The clock leaps over days, and no entry may have waited that long to be sealed.
    async fn tick(&mut self) -> Timestamp {
        self.clock.0 += 1_000_000;
        self.store.seal_log(self.clock).await.unwrap();
        self.clock
    }

    /// Not before this day.
    fn on(&mut self, day: Date) {
        self.clock = self.clock.max(noon(day));
    }

    /// What was known before the document came, each on its day.
    async fn set_up(&mut self, scenario: &Scenario) {
        let today = scenario.today;
        let vendors = scenario.facts.iter().filter_map(|it| match &it.fact {
            Fact::Vendor(vendor) => Some((vendor, it.by.as_str())),
            _ => None,
        });
        let mut deeds = Vec::new();
        for (vendor, by) in vendors {
            let of = |it: &&Account| it.vendor_id == vendor.vendor_id;
            let accounts = scenario.facts.iter().filter_map(|it| match &it.fact {
                Fact::Account(account) => Some(account),
                _ => None,
            });
            deeds.extend(begun(vendor, by, &accounts.filter(of).collect::<Vec<_>>(), today));
        }
        deeds.sort_by_key(|(day, _)| *day);
        for (day, deed) in deeds {
            self.on(day);
            match deed {
                Begun::Vendor(vendor, by) => self.import(&Fact::Vendor(vendor), &by).await,
                Begun::Account { vendor, iban, deed, by } => {
                    let now = self.tick().await;
                    self.store.payee(&vendor, &iban, deed, None, &hand(&by), now).await.unwrap();
                }
            }
        }
        self.on(today);
        for it in &scenario.facts {
            match (&it.fact, it.case) {
                (Fact::Bill(bill), Some(named)) => {
                    let answer = scenario.answer.as_ref().unwrap();
                    let case = self.other_case(bill, answer).await;
                    self.twins.insert(named.to_string(), case);
                }
                (Fact::Vendor(_) | Fact::Account(_), _) => {}
                (fact, _) => self.import(fact, &it.by).await,
            }
        }
    }

    async fn import(&mut self, fact: &Fact, by: &str) {
        let now = self.tick().await;
        self.store.import(fact.kind(), std::slice::from_ref(fact), &hand(by), now).await.unwrap();
    }

    /// A case that was judged before, and that bills this.
    async fn other_case(&mut self, bill: &Bill, answer: &[u8]) -> CaseId {
        let now = self.tick().await;
        let came = arrival(b"another document", "twin.xml", "inbox");
        let id = admitted(self.store, came, now).await;
        let extraction = Box::new(Extraction::from_untrusted(answer).unwrap());
        self.moved(id, Event::Extracted { extraction, pictures: Vec::new() }).await;
        self.moved(id, Event::Validated { findings: Vec::new(), policy: self.policy.digest }).await;
        let case = self.store.case(id).await.unwrap();
        let mut judgement = judge(&case, &Known::default(), &self.policy, self.clock);
        judgement.findings.clear();
        judgement.bill = Some(bill.clone());
        // As if it reached a limit with the case that the page is about, where that is there already.
        judgement.beside = self.id.into_iter().collect();
        self.moved(id, Event::Reconciled(Box::new(judgement))).await;
        id
    }

    async fn moved(&mut self, id: CaseId, event: Event) -> Case {
        let (now, case) = (self.tick().await, self.store.case(id).await.unwrap());
        self.store.apply(id, case.revision, event, &machine(), now).await.unwrap()
    }

    /// Gives back what it is refused with.
    async fn step(&mut self, scenario: &Scenario, deed: &Deed) -> Option<String> {
        match deed {
            Deed::Judge => {
                let answer = scenario.answer.as_ref().unwrap();
                let id = self.admit(answer, scenario.twice).await;
                let extraction = Box::new(Extraction::from_untrusted(answer).unwrap());
                self.moved(id, Event::Extracted { extraction, pictures: Vec::new() }).await;
                self.judge(id).await;
                None
            }
            Deed::Bring(brought) => self.bring(scenario, brought).await,
            Deed::Today(day) => {
                self.on(*day);
                None
            }
            Deed::JudgeAgain => self.judge_again().await,
            Deed::Book => {
                self.book().await;
                None
            }
            Deed::Decide { who, word: Word::Confirm(iban), .. } => {
                let (now, call) = (self.tick().await, call(self.clock.date()));
                let done = self.store.payee("V1", iban, PayeeDeed::Confirm { call }, None, &person(who), now).await;
                refusal(done)
            }
            Deed::Decide { who, word, reason } => self.decide(who, word, reason).await,
            Deed::Settle | Deed::Outstanding => unreachable!("no document is judged there"),
        }
    }

    async fn admit(&mut self, bytes: &[u8], twice: bool) -> CaseId {
        let now = self.tick().await;
        let first = self.store.admit(arrival(bytes, "a.xml", "inbox"), &person("sam"), now).await.unwrap();
        let Admission::New(id) = first else { panic!("it is new") };
        if twice {
            let now = self.tick().await;
            let again = self.store.admit(arrival(bytes, "b.xml", "inbox"), &person("sam"), now).await.unwrap();
            assert_eq!(again, Admission::Duplicate(id));
        }
        self.id = Some(id);
        id
    }

    /// From what was read, or corrected, to where it rests.
    async fn judge(&mut self, id: CaseId) {
        let case = self.store.case(id).await.unwrap();
        let findings = examine(&case, &self.policy, self.clock.date()).findings;
        let case = self.moved(id, Event::Validated { findings, policy: self.policy.digest }).await;
        let extraction = case.extraction.clone().unwrap();
        let (at, policy) = (self.tick().await, &self.policy);
        let gathered = self.store.gather(&case, &|known| wanted(&extraction, known, policy)).await.unwrap();
        let judgement: Judgement = judge(&case, &gathered.known, policy, at);
        let made = Made { case: case.clone(), at, findings: judgement.findings.clone() };
        let work = Work { case: id, revision: case.revision, action: case::Action::Reconcile, attempt: 1 };
        let event = Event::Reconciled(Box::new(judgement));
        self.store.advance_on(&gathered, &work, event, &machine(), at).await.unwrap();
        self.verdicts.push(made);
    }

    async fn book(&mut self) {
        let (id, answer) = (self.id.unwrap(), Answer::Booked { reference: "JE-1".into() });
        let case = self.moved(id, Event::Answered { answer, checkpoints: Vec::new() }).await;
        let keep = self.policy.retention(case.kind(), "inbox", false);
        let keep = keep.keep(self.clock.date(), case.extraction.as_ref());
        self.moved(id, Event::Archived { keep }).await;
    }

    async fn bring(&mut self, scenario: &Scenario, brought: &Brought) -> Option<String> {
        if let (Fact::Bill(bill), Some(_)) = (&brought.fact, brought.case) {
            self.other_case(bill, scenario.answer.as_ref().unwrap()).await;
            return None;
        }
        let Fact::Account(account) = &brought.fact else {
            self.import(&brought.fact, &brought.by).await;
            if let Fact::Payment(payment) = &brought.fact {
                let gathered = self.store.gather_facts(&|known| wanted_of_payment(payment, known)).await.unwrap();
                let (settlement, now) = (settle(payment, &gathered.known), self.tick().await);
                self.store.keep_settlement(&gathered, &settlement, &hand(IMPORTER), now).await.unwrap();
            }
            return None;
        };
        let (vendor, iban) = (&account.vendor_id, &account.iban);
        let now = self.tick().await;
        let proposed = PayeeDeed::Propose { bic: None };
        let refused = refusal(self.store.payee(vendor, iban, proposed, None, &hand(&account.maker), now).await);
        let Some(checker) = account.checker.as_deref().filter(|_| refused.is_none()) else { return refused };
        // The store says itself from when it may be paid to: the day on which it is confirmed.
        let confirmed = PayeeDeed::Confirm { call: account.call.clone().unwrap() };
        let now = self.tick().await;
        refusal(self.store.payee(vendor, iban, confirmed, None, &hand(checker), now).await)
    }

    async fn judge_again(&mut self) -> Option<String> {
        let id = self.id.unwrap();
        if !self.store.woken(100, Timestamp(i64::MAX)).await.unwrap().contains(&id) {
            return Some("nothing woke it".to_owned());
        }
        let (at, before) = (self.tick().await, self.store.case(id).await.unwrap());
        match judge_again(self.store, &self.policy, id, at).await {
            // What is booked is not judged as a whole.
            Ok(_) if before.booked_as.is_some() => {}
            Ok(case) => self.verdicts.push(Made { case: before, at, findings: case.findings }),
            Err(err) => return Some(err.to_string()),
        }
        let still = self.store.woken(100, Timestamp(i64::MAX)).await.unwrap().contains(&id);
        still.then(|| "it is still awake".to_owned())
    }

    async fn decide(&mut self, who: &str, word: &Word, reason: &str) -> Option<String> {
        let verdict = match word {
            Word::Approve => Verdict::Approve,
            Word::Reject => Verdict::Reject,
            Word::Confirm(_) => unreachable!("that is about an account"),
            Word::Correct(changes) => {
                let change = |(field, value): &(String, String)| Change { field: field.clone(), value: value.clone() };
                Verdict::Correct(changes.iter().map(change).collect())
            }
        };
        let (now, id) = (self.tick().await, self.id.unwrap());
        let case = self.store.case(id).await.unwrap();
        let (by, seen) = (person(who), case.content());
        let decided = Decision { by: by.clone(), verdict, reason: reason.to_owned(), seen, at: now };
        match self.store.apply(id, case.revision, Event::Decided(decided), &by, now).await {
            Ok(case) if case.state == State::Extracted => {
                self.judge(id).await;
                None
            }
            Ok(_) => None,
            Err(ApplyError::Refused(refusal)) => Some(refusal.to_string()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Every payment, one after the other, as they come in.
    async fn settle(&mut self, scenario: &Scenario) -> Vec<String> {
        let mut told = Vec::new();
        for it in &scenario.facts {
            if let Fact::Payment(payment) = &it.fact {
                // Payments are settled by today's clock.
                self.store.seal_log(self.clock).await.unwrap();
                let settlement = settle_payment(self.store, &self.policy, payment, &hand(IMPORTER)).await.unwrap();
                told.extend(said(&settlement));
            }
        }
        told
    }

    async fn credits(&mut self) -> Vec<String> {
        let today = self.clock.date();
        let known = self.store.gather_facts(&|known| wanted_of_returns(known, today)).await.unwrap().known;
        let owed = outstanding(&known, today, CREDIT_DAYS);
        if owed.is_empty() {
            return vec!["credit none".to_owned()];
        }
        let told = owed.iter().map(|it| {
            let amount = it.amount.map(|amount| format!("{amount:.2}")).unwrap_or_default();
            format!("credit outstanding quantity={} amount={amount} since={}", it.quantity.normalize(), it.since)
        });
        told.collect()
    }

    /// What differs where each verdict is made again by what was known at its time.
    async fn made_again(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for Made { case, at, findings } in &self.verdicts {
            let extraction = case.extraction.clone().unwrap();
            let wanted = |known: &Known| wanted(&extraction, known, &self.policy);
            let known = self.store.gather_as_known(case, *at, &wanted).await.unwrap();
            let again = judge(case, &known, &self.policy, *at).findings;
            if again != *findings {
                failures.push(format!("made again as of {at:?}: {again:?}\n    and was: {findings:?}"));
            }
        }
        failures
    }

    /// As expected, with the ids that the store gave.
    fn in_its_ids(&self, expected: &[Expected]) -> Vec<Expected> {
        let mut expected = expected.to_vec();
        for row in &mut expected {
            let Expected::Finding { figures, .. } = row else { continue };
            for (_, value) in figures {
                if let Some(id) = self.twins.get(value) {
                    *value = id.to_string();
                }
            }
        }
        expected
    }
}

/// What is done before the document comes.
enum Begun {
    Vendor(Vendor, String),
    Account { vendor: String, iban: String, deed: PayeeDeed, by: String },
}

/// How a vendor came to its accounts, by the day. The first one that nobody confirmed came with the vendor; every other one was
/// brought in by one person, and confirmed by another where it is approved.
fn begun(vendor: &Vendor, by: &str, accounts: &[&Account], today: Date) -> Vec<(Date, Begun)> {
    let row = |iban: Option<String>| Begun::Vendor(Vendor { iban, ..vendor.clone() }, by.to_owned());
    if accounts.is_empty() {
        return vec![(LONG_AGO, row(vendor.iban.clone()))];
    }
    let alone = accounts.iter().filter(|it| it.checker.is_none()).filter_map(|it| Some((it.approved_from?, *it)));
    let first = alone.min_by_key(|(from, _)| *from);
    let with = first.map(|(_, account)| account.iban.clone());
    let mut deeds = vec![(first.map_or(LONG_AGO, |(from, _)| from), row(with.clone()))];
    for account in accounts {
        let mut then = |day, deed, by: &str| {
            let (vendor, iban) = (vendor.vendor_id.clone(), account.iban.clone());
            deeds.push((day, Begun::Account { vendor, iban, deed, by: by.to_owned() }));
        };
        let own = vendor.iban.as_deref().map(Key::iban) == Some(Key::iban(&account.iban));
        let confirmed = account.approved_from.filter(|_| with.as_ref() != Some(&account.iban));
        if let Some(day) = confirmed {
            then(day, PayeeDeed::Propose { bic: None }, &account.maker);
            let call = account.call.clone().unwrap_or_else(|| call(day));
            then(day, PayeeDeed::Confirm { call }, account.checker.as_deref().unwrap_or("max"));
        } else if account.approved_from.is_none() && !own {
            then(today, PayeeDeed::Propose { bic: None }, &account.maker);
        }
        if let Some(day) = account.approved_to {
            then(day, PayeeDeed::Close, &account.maker);
        }
        if let Some(check) = &account.payee_check {
            then(today, PayeeDeed::Check { result: check.result }, &account.maker);
        }
    }
    deeds.push((today, row(vendor.iban.clone())));
    deeds
}

/// Everybody who says something on the page. `sam` handed the document in.
fn person(name: &str) -> Actor {
    let (roles, level) = match name {
        "anna" => (vec![Role::Reviewer], 1),
        "bert" | "cora" | "sam" => (vec![Role::Reviewer], 2),
        "adam" => (vec![Role::Admin, Role::Reviewer], 2),
        "lea" => (vec![Role::Legal], 2),
        "olga" => (vec![Role::Operator], 1),
        "program" => (Role::ALL.to_vec(), 2),
        _ => panic!("nobody here is called `{name}`"),
    };
    let kind = if name == "program" { ActorKind::Service } else { ActorKind::User };
    Actor { id: name.into(), kind, roles, level }
}

/// The same, and whoever else brings in facts or confirms an account: as one who may.
fn hand(name: &str) -> Actor {
    Actor { id: name.into(), kind: ActorKind::User, roles: vec![Role::Operator, Role::Reviewer], level: 2 }
}

fn call(on: Date) -> CallBack {
    let text = str::to_owned;
    CallBack { number: text("+49 30 1234567"), spoke_with: text("Ms Sommer"), answer: text("the account is ours"), on }
}

fn refusal(done: Result<Account, PayeeError>) -> Option<String> {
    match done {
        Ok(_) => None,
        Err(PayeeError::Refused(refusal)) => Some(refusal.to_string()),
        Err(other) => panic!("{other}"),
    }
}

fn noon(day: Date) -> Timestamp {
    const MICROS_A_DAY: i64 = 86_400_000_000;
    Timestamp(i64::from((day - date(1970, 1, 1)).get_days()) * MICROS_A_DAY + MICROS_A_DAY / 2)
}

/// As the page writes it.
fn said(settlement: &Settlement) -> Vec<String> {
    let shares = settlement.shares.iter().map(|share| {
        let number = share.number.as_deref().unwrap_or("-");
        format!("payment {number} {:.2} open={:.2}", share.amount, share.open)
    });
    let findings = settlement.findings.iter().map(|finding| {
        let weight = format!("{:?}", finding.severity).to_uppercase();
        format!("payment {weight} {}", finding.code.name())
    });
    shares.chain(findings).collect()
}

fn other_money(expected: &[Expected], mut found: Vec<String>) -> Vec<String> {
    let rows = expected.iter().map(|row| match row {
        Expected::Money(row) => row.clone(),
        other => panic!("{other:?} is about a document"),
    });
    let mut expected: Vec<String> = rows.collect();
    expected.sort_unstable();
    found.sort_unstable();
    if expected == found { Vec::new() } else { vec![format!("expected {expected:?}, found {found:?}")] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_is_made_again_by_what_was_known_then_whatever_is_known_now() {
    let scenario = &language::read(WAITING, POLICIES)[0];
    for mould in moulds().await {
        let place = mould.fresh().await;
        let mut world = World::new(&place.store, scenario).await;
        let taken = Claim { order_id: "PO-1".into(), line: "1".into(), quantity: 10.into(), ..Claim::default() };
        let other = Bill { vendor_id: Some("V1".into()), claims: vec![taken], ..Bill::default() };
        let answer = scenario.answer.as_ref().unwrap();
        let other = world.other_case(&other, answer).await;
        world.step(scenario, &Deed::Judge).await;
        let then = world.clock;
        let (id, order) = (world.id.unwrap(), Key::order("PO-1"));
        let facts_then = place.store.facts_by_key(&order, None).await.unwrap();

        // The rest comes in, the first receipt is put right, and the other case is rejected: each of them changes the verdict.
        let first = facts_then.iter().find_map(|it| match &it.fact {
            Fact::Receipt(receipt) => Some(receipt.clone()),
            _ => None,
        });
        let right = Receipt { quantity: 59.into(), ..first.unwrap() };
        let rest = Receipt { receipt_id: "GR-9".into(), quantity: 41.into(), ..right.clone() };
        for receipt in [rest, right] {
            world.import(&Fact::Receipt(receipt), IMPORTER).await;
        }
        let case = place.store.case(other).await.unwrap();
        let (by, now) = (person("bert"), world.tick().await);
        let rejected =
            Decision { by: by.clone(), verdict: Verdict::Reject, reason: "no".into(), seen: case.content(), at: now };
        place.store.apply(other, case.revision, Event::Decided(rejected), &by, now).await.unwrap();

        let figures = |findings: &[Finding]| {
            let figure = |finding: &Finding, name: &str| finding.operands.get(name).cloned().unwrap_or_default();
            let told = findings
                .iter()
                .map(|it| format!("{} {} {}", it.code.name(), figure(it, "billed_before"), figure(it, "received")));
            told.collect::<Vec<_>>()
        };
        let held = ["QTY_ORD 10 ", "QTY_REC 10 60"];
        let case = place.store.case(id).await.unwrap();
        assert_eq!(figures(&case.findings), held, "on {}", place.store.database());
        assert_eq!(world.made_again().await, [""; 0]);
        assert_eq!(place.store.facts_by_key(&order, Some(then)).await.unwrap(), facts_then);
        assert_ne!(place.store.facts_by_key(&order, None).await.unwrap(), facts_then);
        // By what is known now it is otherwise.
        assert_eq!(world.judge_again().await, None);
        let case = place.store.case(id).await.unwrap();
        assert_eq!((case.findings, case.state.name()), (Vec::new(), "InReview"));
        assert_eq!(world.made_again().await, [""; 0]);
        let now = world.tick().await;
        assert_eq!(place.store.check(true, None, now).await.unwrap().faults, []);
        place.remove().await;
    }
}

const WAITING: &str = "An order that is delivered in parts
    order 100 at 10.00
    received 60
    line 100 at 10.00
    => InReview
";
