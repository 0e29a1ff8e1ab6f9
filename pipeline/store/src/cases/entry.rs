//! What the log says about what happened to a case: open what is not personal, committed what is.

use audit::Act;
use case::{Actor, Answer, Case, CaseId, Digest, Event, Judgement, Refusal, Verdict};

use crate::log::Draft;

/// How long the case is kept from here on, and by which row.
pub(super) fn tell_clocks(entry: &mut Draft, case: &Case) {
    let Some(keep) = &case.keep else { return };
    entry.tell("row", keep.rule.row.clone());
    if let Some(clocks) = keep.clocks {
        entry.tell("keep_until", clocks.keep_until.to_string());
        entry.tell("delete_by", clocks.delete_by.to_string());
    }
}

/// What the log says about an event: open what is not personal, committed what is.
pub(super) fn entry_of(case: &Case, event: &Event, actor: &Actor) -> Draft {
    let act = match event {
        Event::Extracted { .. } => Act::CaseExtract,
        Event::Unreadable { .. } => Act::CaseQuarantine,
        Event::TakenApart { .. } => Act::CaseArchive,
        Event::Validated { .. } => Act::CaseValidate,
        Event::Reconciled(_) => Act::CaseReconcile,
        Event::Rejudged(_) => Act::CaseRematch,
        Event::Reopened { .. } => Act::CaseReopen,
        Event::Decided(decision) => match decision.verdict {
            Verdict::Approve => Act::ReviewApprove,
            Verdict::Reject => Act::ReviewReject,
            Verdict::Correct(_) => Act::ReviewCorrect,
            Verdict::Release => Act::ReviewRelease,
        },
        Event::Answered { .. } => Act::PostingAnswer,
        Event::Archived { .. } => Act::CaseArchive,
        Event::Held { .. } => Act::HoldPlace,
        Event::HoldReleased { .. } => Act::HoldRelease,
        Event::Ended { .. } => Act::RetentionStart,
        Event::DisposalProposed { .. } => Act::DisposalPropose,
        Event::DisposalApproved { .. } => Act::DisposalApprove,
        Event::DisposalWithdrawn { .. } => Act::DisposalWithdraw,
    };
    let mut entry = Draft::new(act, actor).about("case", case.id);
    match event {
        Event::Extracted { extraction, pictures } => {
            entry.tell("kind", extraction.kind.name());
            entry.tell("format", serde_json::json!(extraction.format).as_str().unwrap_or_default());
            entry.count("pictures", pictures.len() as i64);
            entry.hide("values", Digest::of_value(&serde_json::json!(extraction)).to_string());
        }
        Event::Unreadable { why, .. } => entry.hide("reason", why.clone()),
        Event::TakenApart { extraction, cases, .. } => {
            entry.list("cases", cases.iter().map(CaseId::to_string));
            entry.hide("values", Digest::of_value(&serde_json::json!(extraction)).to_string());
        }
        Event::Validated { findings, policy } => {
            entry.list("codes", codes(findings));
            entry.tell("policy", policy.to_string());
            entry.hide("findings", Digest::of_value(&serde_json::json!(findings)).to_string());
        }
        Event::Reconciled(judgement) | Event::Rejudged(judgement) => {
            let Judgement { findings, checkpoints, policy, .. } = &**judgement;
            entry.list("codes", codes(findings));
            entry.list("checkpoints", checkpoints.iter().map(|checkpoint| checkpoint.id.clone()));
            entry.tell("policy", policy.to_string());
            entry.hide("findings", Digest::of_value(&serde_json::json!(findings)).to_string());
            if let Some(percent) = judgement.straight_through() {
                entry.count("sample_percent", percent.into());
            }
            if let Event::Rejudged(_) = event {
                // Holds that were set by the machine, and that it lets go of.
                let still = codes(findings);
                entry.list("released", codes(&case.findings).into_iter().filter(|code| !still.contains(code)));
            }
        }
        Event::Reopened { finding, checkpoints } => {
            entry.list("codes", [finding.code.name()]);
            entry.list("checkpoints", checkpoints.iter().map(|checkpoint| checkpoint.id.clone()));
            entry.hide("findings", Digest::of_value(&serde_json::json!(finding)).to_string());
        }
        Event::Decided(decision) => {
            let mine = case.checkpoints.iter().filter(|checkpoint| checkpoint.open_to(actor));
            match &decision.verdict {
                Verdict::Approve => entry.list("checkpoints", mine.map(|checkpoint| checkpoint.id.clone())),
                Verdict::Correct(changes) => {
                    let known = |field: &&str| field.len() <= 40 && field.bytes().all(|byte| byte.is_ascii_graphic());
                    entry.list("fields", changes.iter().map(|change| change.field.as_str()).filter(known));
                }
                Verdict::Reject | Verdict::Release => {}
            }
            if let Some(policy) = case.policy {
                entry.tell("policy", policy.to_string());
            }
            entry.hide("seen", decision.seen.to_string());
            entry.hide("reason", decision.reason.clone());
        }
        Event::Answered { answer, .. } => {
            let (word, detail) = match answer {
                Answer::Booked { reference } => ("booked", Some(reference)),
                Answer::Refused { why } => ("refused", Some(why)),
                Answer::Unknown => ("unknown", None),
                Answer::Absent => ("absent", None),
            };
            entry.tell("answer", word);
            if let Some(detail) = detail {
                entry.hide("detail", detail.clone());
            }
        }
        Event::Archived { .. } => {}
        Event::Held { matter, said } | Event::HoldReleased { matter, said } => {
            entry.hide("matter", matter.clone());
            entry.hide("reason", said.reason.clone());
        }
        Event::Ended { on, said } => {
            entry.tell("ended", on.map_or("not yet".to_owned(), |on| on.to_string()));
            entry.hide("reason", said.reason.clone());
        }
        Event::DisposalProposed { ground, seen, said, .. } => {
            entry.tell("ground", ground.name());
            entry.hide("seen", seen.to_string());
            entry.hide("reason", said.reason.clone());
        }
        Event::DisposalApproved { seen, said, .. } | Event::DisposalWithdrawn { seen, said } => {
            if let Some(disposal) = &case.disposal {
                entry.tell("ground", disposal.ground.name());
                entry.tell("proposed_by", disposal.by.clone());
            }
            entry.hide("seen", seen.to_string());
            entry.hide("reason", said.reason.clone());
        }
    }
    entry
}

pub(super) fn denied(case: &Case, refusal: &Refusal, actor: &Actor) -> Draft {
    let mut entry = Draft::new(Act::ReviewDenied, actor).about("case", case.id);
    entry.res = audit::Outcome::Denied;
    entry.tell("rule", refusal.to_string());
    entry
}

fn codes(findings: &[case::Finding]) -> Vec<&'static str> {
    let mut codes: Vec<_> = findings.iter().map(|finding| finding.code.name()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}
