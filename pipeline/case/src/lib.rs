#![doc = include_str!("../README.md")]

mod authority;
mod booked;
mod checkpoint;
mod comparison;
mod contract;
mod decision;
mod disposal;
mod document;
mod extraction;
mod facts;
mod fapiao;
mod finding;
pub mod frame;
mod invoice;
mod judgement;
mod memory;
mod payee;
mod policy;
mod posting;
mod reconcile;
mod replay;
mod retention;
mod settle;
mod statement;
mod step;
mod straight_through;
mod subject;
mod terms;
mod validate;
mod vat_id;

pub use rust_decimal::Decimal;

pub use authority::{Actor, ActorKind, Deed, Denied, Role, Scope, limited, permit, permit_case, permitted};
pub use booked::{came_to_light, wanted_of_booked};
pub use checkpoint::{Approval, Checkpoint};
pub use comparison::{Basis, Comparison, Outcome, Pair, Place, Test};
pub use decision::{Change, Decision, REASON_CHARS_MAX, Verdict, reasoned};
pub use disposal::{Approved, Disposal, Family, Ground, HOLDS_MAX, Hold, Kin, MATTER_CHARS_MAX, Standing, Statement};
pub use document::{CaseId, Digest, Document, Format, Kind, NotADigest, Timestamp};
pub use extraction::{
    ANSWER_BYTES_MAX, BREACHES_MAX, Breach, Clause, Coverage, Evidence, Extraction, Field, FieldName, Fields,
    LABELLED_MAX, LINES_MAX, LineField, Malformed, Note, PAGES_MAX, PageSize, VatField,
};
pub use facts::{
    Account, Bill, CallBack, Claim, ContractRate, Conversion, Employee, Fact, FactKind, Key, Known, LookedUp,
    OrderLine, PayeeCheck, PayeeMatch, Payment, ROUNDS_MAX, Receipt, Seller, Stated, Vendor, normal_number, seller,
    vendor_keys_of, wanted,
};
pub use finding::{Code, Finding, Severity};
pub use invoice::{AMOUNT_MAX, DECIMALS_MAX, Invoice, Line, Totals, VatGroup};
pub use judgement::{Judgement, judge, routed_by, wanted_of_case};
pub use memory::{Labelled, Lesson, confirms, lessons, recall, vendor_of};
pub use payee::{PayeeDeed, PayeeRefusal, may_confirm, payee};
pub use policy::{
    Combine, DateLimits, Limit, POLICY_BYTES_MAX, POLICY_FILES, Policy, PolicyMistake, Proposal, ProposalRefusal, Row,
    Scope as LimitScope, StraightThroughRules, Tolerance, ToleranceKind,
};
pub use posting::{BillRecord, ContractRecord, Posting, posting};
pub use reconcile::{
    Ledger, MatchedLine, Outstanding, Verdict as Match, ledger, outstanding, reconcile, wanted_of_returns,
};
pub use replay::{Flips, Moved, Replayed, Replays, Turn, Way, replay};
pub use retention::{Clocks, Keep, Rule, Sure};
pub use settle::{Settlement, Share, settle, wanted_of_payment};
pub use statement::{Compared, Standing as LineStanding, StatementLine, compare_statement, wanted_of_statement};
pub use step::{Action, Answer, Case, Event, Picture, Refusal, State, step};
pub use straight_through::in_sample;
pub use subject::{Subject, Unsearchable};
pub use terms::{TERMS_MAX, sought, terms};
pub use validate::{Examined, examine, validate};

/// The texts of the policies that are shipped, for tests.
#[cfg(test)]
const SHIPPED: [&str; 3] = [
    include_str!("../../../policies/checkpoints.toml"),
    include_str!("../../../policies/tolerances.toml"),
    include_str!("../../../policies/retention.toml"),
];

/// The shipped policy with these texts in the place of those.
#[cfg(test)]
fn shipped_with(changes: &[(&str, &str)]) -> Policy {
    let texts = SHIPPED.map(|text| changes.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)));
    let policy = Policy::parse(texts.each_ref().map(String::as_str));
    policy.unwrap_or_else(|mistake| panic!("{mistake}"))
}

/// Compares with a file that people read and sign; `UPDATE_EXPECT=1` writes it anew.
#[cfg(test)]
#[track_caller]
fn golden(path: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        assert!(std::fs::write(&path, found).is_ok(), "{} cannot be written", path.display());
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let line = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
    assert!(expected == found, "{} says otherwise, first here: {line:?}", path.display());
}
