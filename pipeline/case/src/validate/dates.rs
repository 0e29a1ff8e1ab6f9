//! Is it dated in its time?

use jiff::civil::Date;

use super::{Check, Examined, at_most, compare};
use crate::comparison::{Comparison, Place, Test};
use crate::{Code, FieldName};

impl Check<'_> {
    pub(super) fn dates(&self, findings: &mut Examined) {
        let in_policy = |name: &str| Some(Place::Policy(format!("tolerances.toml, dates.{name}")));
        let Some(issued) = self.invoice.issue_date else { return };
        let dated = |code: Code, rule: &str, test: Test| {
            Comparison::new(code, rule, test).from("issued", issued, self.place(FieldName::IssueDate))
        };
        // Days read from a page may be misread: a day to pay by before the day of issue says so.
        if let Some(due) = self.invoice.due_date.filter(|_| !self.structured()) {
            let comparison = dated(Code::DueEarly, "check.due_early", at_most("issued", "due"));
            let comparison = comparison.from("due", due, self.place(FieldName::DueDate));
            compare(findings, comparison, self.at(FieldName::DueDate), || {
                format!("due {due}, before it was issued on {issued}")
            });
        }
        let limits = self.policy.dates;
        // Where no day is written, none is closed.
        let closed = limits.closed_until.unwrap_or(Date::MIN);
        let test = Test::Less { value: "closed_until".into(), than: "issued".into() };
        let comparison = dated(Code::Period, "check.period", test);
        let comparison = comparison.from("closed_until", closed, in_policy("closed_until"));
        compare(findings, comparison, self.at(FieldName::IssueDate), || {
            format!("dated {issued}; the books are closed up to {closed}")
        });
        let age_days = i64::from((self.today - issued).get_days());
        let comparison = dated(Code::DateFuture, "check.date_future", at_most("days_ahead", "future_days"))
            .with("today", self.today)
            .with("days_ahead", -age_days)
            .from("future_days", limits.future_days, in_policy("future_days"));
        compare(findings, comparison, self.at(FieldName::IssueDate), || {
            format!("dated {issued}, {} days after today; {} allowed", -age_days, limits.future_days)
        });
        let comparison = dated(Code::Stale, "check.stale", at_most("age_days", "stale_days"))
            .with("today", self.today)
            .with("age_days", age_days)
            .from("stale_days", limits.stale_days, in_policy("stale_days"));
        compare(findings, comparison, self.at(FieldName::IssueDate), || {
            format!("dated {issued}, {age_days} days ago; {} allowed", limits.stale_days)
        });
    }
}
