#![doc = include_str!("../README.md")]

mod authority;
mod checkpoint;
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
mod memory;
mod policy;
mod posting;
mod reconcile;
mod retention;
mod step;
mod subject;
mod terms;
mod validate;
mod vat_id;

pub use rust_decimal::Decimal;

pub use authority::{Actor, ActorKind, Deed, Denied, Role, Scope, permit, permit_case, permitted};
pub use checkpoint::{Approval, Checkpoint};
pub use decision::{Change, Decision, REASON_CHARS_MAX, Verdict, reasoned};
pub use disposal::{Approved, Disposal, Family, Ground, HOLDS_MAX, Hold, Kin, MATTER_CHARS_MAX, Standing, Statement};
pub use document::{CaseId, Digest, Document, Format, Kind, NotADigest, Timestamp};
pub use extraction::{
    ANSWER_BYTES_MAX, BREACHES_MAX, Breach, Clause, Coverage, Evidence, Extraction, Field, FieldName, Fields,
    LABELLED_MAX, LINES_MAX, LineField, Malformed, Note, PAGES_MAX, PageSize, VatField,
};
pub use facts::{Claim, Facts, OrderFacts, OrderLine, Question, Receipt, Vendor, question};
pub use finding::{Code, Finding, Severity};
pub use invoice::{AMOUNT_MAX, DECIMALS_MAX, Invoice, Line, Totals, VatGroup};
pub use memory::{Labelled, Lesson, confirms, lessons, recall, vendor_of};
pub use policy::{Combine, DateLimits, POLICY_FILES, Policy, PolicyMistake, Tolerance, ToleranceKind};
pub use posting::{Bill, ContractRecord, Posting, posting};
pub use reconcile::{MatchedLine, Verdict as Match, reconcile};
pub use retention::{Clocks, Keep, Rule, Sure};
pub use step::{Action, Answer, Case, Event, Picture, Refusal, State, step};
pub use subject::{Subject, Unsearchable};
pub use terms::{TERMS_MAX, sought, terms};
pub use validate::{examine, validate};

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
