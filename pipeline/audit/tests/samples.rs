//! A sample is drawn again from what was committed to, and one that was chosen instead is found.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod log;

use audit::*;
use log::*;

const SEED: [u8; 32] = [9; 32];

/// Forty cases, a commit to five of them, some more cases, and the draw.
struct Log {
    leaves: Vec<Vec<u8>>,
    commit: Body,
    draw: Body,
}

fn body(act: Act, index: u64) -> Body {
    let program = Program { node: "node-1".into(), ver: "0.1.0".into() };
    let actor = Actor { id: "countersign".into(), kind: ActorKind::System };
    Body::new(&format!("0193a2b4-c5d6-7e8f-9a0b-{index:012x}"), at(index), act, actor, &program)
}

fn admit(index: u64) -> Body {
    let mut body = body(Act::CaseAdmit, index);
    body.obj = Some(Object { id: format!("case-{index}"), kind: "case".into() });
    body.rev = Some(0);
    body
}

fn hex(bytes: &[u8; 32]) -> String {
    Hash(*bytes).to_string()
}

impl Log {
    fn new() -> Log {
        let mut commit = body(Act::SampleCommit, 45);
        commit.d.insert("count".into(), 5.into());
        commit.d.insert("first".into(), 3.into());
        commit.d.insert("last".into(), 39.into());
        commit.d.insert("seed".into(), body_hash(&SEED).to_string().into());
        let mut draw = body(Act::SampleDraw, 50);
        // Every tenth entry is no case: 3 to 39 without 10, 20 and 30.
        let population: Vec<u64> = (3..40).filter(|index| index % 10 != 0).collect();
        let numbers = audit::draw(&SEED, population.len() as u64, 5).unwrap();
        let drawn = numbers.iter().map(|number| format!("case-{}", population[*number as usize]).into()).collect();
        draw.d.insert("cases".into(), (population.len() as i64).into());
        draw.d.insert("commit".into(), commit.id.clone().into());
        draw.d.insert("drawn".into(), Value::List(drawn));
        draw.d.insert("seed".into(), hex(&SEED).into());
        Log { leaves: Vec::new(), commit, draw }
    }

    fn samples(mut self) -> Vec<Sample> {
        for index in 0..51 {
            let body = match index {
                45 => self.commit.clone(),
                50 => self.draw.clone(),
                index if index % 10 == 0 => body(Act::LogHeartbeat, index),
                index => admit(index),
            };
            let prev = self.leaves.last().map_or(Hash::ZERO, |leaf| leaf_hash(leaf));
            self.leaves.push(seal(&body.to_bytes().unwrap(), index, prev, at(index) + 500).unwrap());
        }
        let (report, samples) = samples(Export::of(&self.leaves).path(), &ask(&[])).unwrap();
        assert_eq!((report.fault, report.notes.len()), (None, 0));
        samples
    }
}

#[test]
fn a_sample_that_was_drawn_as_committed_agrees() {
    let samples = Log::new().samples();
    assert_eq!(samples.len(), 1);
    let Sample { commit, draw, count, range, population, drawn, disagreement } = &samples[0];
    assert_eq!((*commit, *draw, *count, *range, *population), (Some(45), Some(50), 5, (3, 39), 34));
    assert_eq!((drawn.len(), disagreement), (5, &None));
}

#[test]
fn a_sample_that_was_chosen_is_found() {
    #[track_caller]
    fn check(change: impl Fn(&mut Log), why: &str) {
        let mut log = Log::new();
        change(&mut log);
        let samples = log.samples();
        let told = samples.iter().find_map(|sample| sample.disagreement.clone()).unwrap();
        assert!(told.contains(why), "{told}");
    }
    fn drawn(log: &mut Log) -> &mut Vec<Value> {
        match log.draw.d.get_mut("drawn") {
            Some(Value::List(drawn)) => drawn,
            _ => unreachable!(),
        }
    }
    check(|l| drawn(l)[2] = "case-4".into(), "as number 3, where");
    check(|l| drawn(l).swap(0, 1), "as number 1, where");
    check(|l| drop(drawn(l).pop()), "has 4 cases, but 5 were to be drawn");
    check(|l| drawn(l)[0] = 7.into(), "not a case");
    check(|l| drop(l.draw.d.insert("cases".into(), 33.into())), "from 33 cases, but 34 were admitted");
    check(|l| drop(l.draw.d.insert("seed".into(), hex(&[8; 32]).into())), "another seed");
    check(|l| drop(l.draw.d.remove("seed")), "does not tell the seed");
    check(|l| drop(l.draw.d.insert("commit".into(), "other".into())), "never committed to");
    check(|l| drop(l.commit.d.insert("last".into(), 50.into())), "before the last of its range");
    check(|l| drop(l.commit.d.insert("first".into(), 4.into())), "from 34 cases, but 33 were admitted");
    check(|l| drop(l.commit.d.remove("count")), "does not say count");
    check(|l| l.draw = Body { id: l.draw.id.clone(), ..Log::new().draw_late() }, "never committed to");
}

impl Log {
    /// A draw that names itself as what it was committed to by.
    fn draw_late(self) -> Body {
        let mut draw = self.draw;
        draw.d.insert("commit".into(), draw.id.clone().into());
        draw
    }
}

#[test]
fn a_commit_that_was_not_drawn_yet_is_told_and_nothing_is_said_about_a_log_with_a_fault() {
    let mut log = Log::new();
    log.draw = body(Act::LogHeartbeat, 50);
    let samples = log.samples();
    assert_eq!((samples.len(), samples[0].draw, samples[0].disagreement.clone()), (1, None, None));
    let all = leaves(20);
    let export = Export::of(&all);
    export.put("checkpoint", &signed(&all[..19]));
    let (report, samples) = audit::samples(export.path(), &ask(&[])).unwrap();
    assert!(report.fault.is_some() && samples.is_empty());
}
