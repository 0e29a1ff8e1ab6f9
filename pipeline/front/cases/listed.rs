//! A line of a list of cases: whose document, which, how much, and what holds it.

use std::collections::BTreeSet;

use case::{Case, FieldName, State};
use serde_json::{Value, json};
use store::{CaseRow, Listing, Rank, Store};

use super::super::{Output, money, put};
use super::plain;

/// So many cases are looked through at once for the sample.
const PAGE_ROWS: u32 = 1_000;

/// Prints the newest cases, at most `rows` of them. Are there more?
pub(super) async fn all(store: &Store, state: Option<State>, rows: u32, output: Output) -> anyhow::Result<bool> {
    let more = Listing { state, order: Rank::Newest, rows_max: 1, skip: rows, within: None };
    let cut = !store.list(more).await?.is_empty();
    for row in store.list(Listing { rows_max: rows, skip: 0, ..more }).await? {
        Listed::of(row, store).await.print(output);
    }
    Ok(cut)
}

/// As [`all`], for those in the straight-through sample. It stands in the sealed case, so the others are opened too.
pub(super) async fn sampled(store: &Store, state: Option<State>, rows: u32, output: Output) -> anyhow::Result<bool> {
    let mut page = Listing { state, order: Rank::Newest, rows_max: PAGE_ROWS, skip: 0, within: None };
    let (mut left, mut seen) = (rows.min(Listing::ROWS_MAX), BTreeSet::new());
    loop {
        let found = store.list(page).await?;
        if found.is_empty() {
            return Ok(false);
        }
        for row in found {
            // What comes in meanwhile moves a case to the next page, where it stands again.
            if !seen.insert(row.case) {
                continue;
            }
            let listed = Listed::of(row, store).await;
            if !listed.case.as_ref().is_some_and(Case::sampled) {
                continue;
            }
            if left == 0 {
                return Ok(true);
            }
            listed.print(output);
            left -= 1;
        }
        page.skip = page.skip.saturating_add(PAGE_ROWS);
    }
}

pub(super) struct Listed {
    row: CaseRow,
    /// None where it cannot be opened: it is still a line, and hides no other.
    case: Option<Case>,
}

impl Listed {
    pub(super) async fn of(row: CaseRow, store: &Store) -> Listed {
        let case = store.case(row.case).await;
        let case = case.inspect_err(|err| tracing::warn!("case `{}` cannot be opened: {err}", row.case)).ok();
        Listed { row, case }
    }

    pub(super) fn print(&self, output: Output) {
        match output {
            Output::Json => say!("{}", self.json()),
            Output::Words => say!("{}", self.words()),
        }
    }

    fn json(&self) -> Value {
        let CaseRow { case, state, kind, channel, received_at, changed_at, due_at, revision } = &self.row;
        let mut value = json!({"case": case, "state": state, "kind": kind, "channel": channel, "revision": revision,
            "received_at": received_at.to_string(), "changed_at": changed_at.to_string(),
            "due_at": due_at.map(|due| due.to_string())});
        if let Some(case) = &self.case {
            put(&mut value, "number", json!(number(case)));
            put(&mut value, "seller", json!(seller(case)));
            put(&mut value, "amount", json!(amount(case)));
            put(&mut value, "currency", json!(text(case, FieldName::Currency)));
            put(&mut value, "held_by", json!(holding(case)));
            put(&mut value, "sampled", json!(case.sampled()));
        }
        value
    }

    fn words(&self) -> String {
        let row = &self.row;
        let (state, kind, received) = (row.state.name(), row.kind.name(), row.received_at);
        let due = row.due_at.map_or_else(String::new, |due| format!("  due {due}"));
        let Some(case) = &self.case else {
            return format!("{}  {state:<11} {kind:<13} {received}  it cannot be opened{due}", row.case);
        };
        let number = short(number(case), 18);
        let seller = short(seller(case), 28);
        let amount = format!("{:>12} {}", sum(amount(case)), short(text(case, FieldName::Currency), 3));
        let why = match case.state {
            State::Quarantined => "  not read".to_owned(),
            _ => holding(case).iter().map(|title| format!("  [{}]", plain(title))).collect(),
        };
        let line =
            format!("{}  {state:<11} {kind:<13} {received}  {number:<18} {seller:<28} {amount}{why}{due}", row.case);
        line.trim_end().to_owned()
    }
}

fn text(case: &Case, name: FieldName) -> Option<&str> {
    case.extraction.as_ref()?.text(name)
}

fn number(case: &Case) -> Option<&str> {
    text(case, FieldName::Number).or(text(case, FieldName::Title))
}

/// Of a contract, the first party.
fn seller(case: &Case) -> Option<&str> {
    let party = || Some(case.extraction.as_ref()?.fields.parties.first()?.value.as_str());
    text(case, FieldName::SellerName).or_else(party)
}

fn amount(case: &Case) -> Option<&str> {
    text(case, FieldName::GrossTotal).or(text(case, FieldName::Payable)).or(text(case, FieldName::Value))
}

/// The checkpoints that are still open.
fn holding(case: &Case) -> Vec<&str> {
    let open = case.checkpoints.iter().filter(|it| case.state == State::InReview && !it.settled());
    open.map(|it| it.title.as_str()).collect()
}

/// A sender's text too, where it is no amount.
fn sum(text: Option<&str>) -> String {
    let amount = text.and_then(|text| text.parse().ok()).map(money);
    amount.unwrap_or_else(|| short(text, 12))
}

/// A sender's text in a column.
fn short(text: Option<&str>, chars_max: usize) -> String {
    let text = plain(text.unwrap_or_default());
    match text.char_indices().nth(chars_max) {
        None => text,
        Some(_) => text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_no_amount_is_one_short_line() {
        assert_eq!(sum(Some("1234.5")), money("1234.5".parse().unwrap()));
        assert_eq!(sum(None), "");
        assert_eq!(sum(Some("x\n01a2")), "x\u{fffd}01a2");
        assert_eq!(sum(Some("x\u{1b}[2J 01a2  Approved")), "x\u{fffd}[2J 01a2 …");
    }
}
