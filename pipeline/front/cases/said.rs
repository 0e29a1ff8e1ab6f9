//! What a finding's comparison comes to, in words: how far from what, what is tolerated, and where its figures stand.

use std::collections::BTreeMap;

use case::{Basis, Code, Combine, Decimal, Finding, Outcome, Place, Row, Test, ToleranceKind};

use super::super::money;
use super::super::read::place;

/// Places that are told of one finding; `--json` has all.
const PLACES_MAX: usize = 6;

/// By how much, what is tolerated, and what would let it pass where that is no question of the policy alone.
pub(super) fn outcome(finding: &Finding, basis: &Basis) -> String {
    let mut said = Vec::new();
    match basis.outcome(&finding.operands) {
        Outcome::Passes { .. } => {}
        Outcome::Below { by } => said.push(format!("below {} by {}", compared_with(&basis.test), figure(basis, by))),
        Outcome::Small { by } => said.push(format!("apart by {}", figure(basis, by))),
        Outcome::Fails { by, percent, would_pass } => {
            said.extend(by.map(|by| apart(basis, by, percent)));
            said.extend(tolerated(basis, by.is_some_and(|by| by.is_sign_negative())));
            said.extend(passes(basis, by, &would_pass));
        }
    }
    said.join("; ")
}

/// `above the order by 21.00 (2.1 %)`
fn apart(basis: &Basis, by: Decimal, percent: Option<Decimal>) -> String {
    let share = percent.map_or_else(String::new, |it| format!(" ({} %)", it.abs().round_dp(4).normalize()));
    let way = match &basis.test {
        Test::Near { .. } => "apart from",
        _ if by.is_sign_negative() => "below",
        _ => "above",
    };
    match compared_with(&basis.test).as_str() {
        // What has no order is over by all of it.
        "none" => format!("over by {}{share}", figure(basis, by.abs())),
        "days known" => format!("new for {} more days", by.abs().normalize()),
        what => format!("{way} {what} by {}{share}", figure(basis, by.abs())),
    }
}

fn compared_with(test: &Test) -> String {
    let name = match test {
        Test::AtMost { of, .. } => of.as_str(),
        Test::Near { left, .. } => left,
        Test::Less { than, .. } => than,
        Test::Unreached { .. } => return "the limit".to_owned(),
        Test::Same { .. } | Test::OneOf { .. } | Test::There { .. } | Test::Apart { .. } | Test::Any { .. } => {
            return "what was expected".to_owned();
        }
    };
    match name {
        "ordered" => "the order".to_owned(),
        "received" | "accepted" | "billed" => format!("what was {name}"),
        "expected" => "what was expected".to_owned(),
        "rate" => "the contract's rate".to_owned(),
        "value_limit" => "the order's limit".to_owned(),
        "not_to_exceed" => "the contract's limit".to_owned(),
        "planned" => "what was planned".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Money has its cents; goods and days are as they are counted.
fn figure(basis: &Basis, by: Decimal) -> String {
    use ToleranceKind::{BlanketDate, QtyAcc, QtyOrd, QtyRec};
    match &basis.limit {
        Some(limit) if !matches!(limit.kind, QtyOrd | QtyRec | QtyAcc | BlanketDate) => money(by),
        _ => by.normalize().to_string(),
    }
}

/// `2 % and no more than 20.00 is tolerated by row price-default`
fn tolerated(basis: &Basis, below: bool) -> Option<String> {
    let limit = basis.limit.as_ref()?;
    let Some(row) = &limit.row else { return Some("nothing is tolerated, no row is for it".to_owned()) };
    let Row { id, upper_percent, upper_abs, lower_percent, lower_abs, combine } = row;
    let (percent, most) = if below { (lower_percent, lower_abs) } else { (upper_percent, upper_abs) };
    let percent = percent.map(|it| format!("{} %", it.normalize()));
    let limits = match (percent, most.map(|it| figure(basis, it))) {
        (Some(percent), Some(most)) if *combine == Combine::Lenient => format!("{percent} or {most}"),
        (Some(percent), Some(most)) => format!("{percent} and no more than {most}"),
        (percent, most) => percent.or(most)?,
    };
    Some(format!("{limits} is tolerated by row {id}"))
}

/// What would let it pass. Goods that did not come are no reason to tolerate more.
fn passes(basis: &Basis, by: Option<Decimal>, would_pass: &[String]) -> Option<String> {
    if would_pass.is_empty() {
        return Some("a figure is missing or cannot be computed, so nothing would let it pass".to_owned());
    }
    match (basis.code, by) {
        (Code::NoGr | Code::QtyRec, Some(by)) => Some(format!("passes once {} more came in", by.normalize())),
        (Code::QtyAcc, Some(by)) => Some(format!("passes once {} more is accepted", by.normalize())),
        _ => {
            let row = basis.limit.as_ref()?.row.as_ref()?;
            let of_row = |it: &String| it.starts_with("upper_") || it.starts_with("lower_");
            let joint = if row.combine == Combine::Lenient { " or " } else { " and " };
            would_pass.iter().all(of_row).then(|| format!("would pass with {}", would_pass.join(joint)))
        }
    }
}

/// Where its figures stand: facts, pages, rows of the policy, each once.
pub(super) fn places(finding: &Finding) -> String {
    let none = BTreeMap::new();
    let mut told: Vec<String> = Vec::new();
    for (name, at) in finding.basis.as_ref().map_or(&none, |basis| &basis.places) {
        let said = match at {
            Place::Document(evidence) => place(evidence),
            Place::Fact(text) | Place::Policy(text) => text.clone(),
        };
        let said = format!("{}: {said}", name.replace('_', " "));
        told.push(said);
    }
    let named = |said: &str| told.iter().any(|it| it.ends_with(said));
    let operand = |name: &str| finding.operands.get(name).filter(|it| !it.trim().is_empty());
    let order = operand("order").map(|order| match operand("order_line") {
        Some(line) => format!("order {order}, line {line}"),
        None => format!("order {order}"),
    });
    let order = order.filter(|it| !named(it));
    let pages: Vec<String> = finding.evidence.iter().map(place).filter(|it| !named(it)).collect();
    told.splice(0..0, order);
    for page in pages {
        if !told.contains(&page) {
            told.push(page);
        }
    }
    let more = told.len().saturating_sub(PLACES_MAX);
    told.truncate(PLACES_MAX);
    if 0 < more {
        told.push(format!("… and {more} more"));
    }
    told.join("; ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use case::{Comparison, Digest, Evidence, Limit};

    use super::*;

    fn limit(kind: ToleranceKind, row: Option<Row>) -> Limit {
        Limit { kind, scope: Default::default(), policy: Digest::of(b""), row }
    }

    /// 10 ordered at 100.00, and billed dearer.
    fn dearer(row: Option<Row>) -> Finding {
        let test = Test::AtMost {
            sum: vec!["billed".into()],
            of: "ordered".into(),
            times: Some("quantity".into()),
            below: None,
        };
        let page = Evidence::Page { page: 2, area: [50.0, 300.0, 90.0, 310.0], text: "102.10".into() };
        Comparison::new(Code::Price, "match.price", test)
            .from("billed", "102.10", Some(Place::Document(page)))
            .from("ordered", "100", Some(Place::Fact("order PO-4514, line 1".into())))
            .with("quantity", 10)
            .with("order", "PO-4514")
            .with("order_line", 1)
            .limited(limit(ToleranceKind::PriceUnit, row))
            .finding("too dear")
            .unwrap()
    }

    fn said(finding: &Finding) -> String {
        outcome(finding, finding.basis.as_ref().unwrap())
    }

    #[test]
    fn a_difference_is_told_with_what_it_is_from_and_what_is_tolerated() {
        let row = |upper_abs: &str, combine| Row {
            id: "price".into(),
            upper_percent: Some("2".parse().unwrap()),
            upper_abs: Some(upper_abs.parse().unwrap()),
            combine,
            ..Row::default()
        };
        let strict = dearer(Some(row("20", Combine::Strict)));
        assert_eq!(
            said(&strict),
            "above the order by 21.00 (2.1 %); 2 % and no more than 20.00 is tolerated by row price; \
             would pass with upper_percent >= 2.1 and upper_abs >= 21"
        );
        let lenient = said(&dearer(Some(row("20", Combine::Lenient))));
        assert!(lenient.contains("2 % or 20.00 is tolerated") && lenient.contains("2.1 or upper_abs"), "{lenient}");
        assert_eq!(said(&dearer(None)), "above the order by 21.00 (2.1 %); nothing is tolerated, no row is for it");
    }

    #[test]
    fn goods_that_did_not_come_ask_for_a_receipt_and_not_for_another_policy() {
        for (code, end) in [
            (Code::NoGr, "passes once 8 more came in"),
            (Code::QtyRec, "passes once 8 more came in"),
            (Code::QtyAcc, "passes once 8 more is accepted"),
        ] {
            let sum = vec!["billed_before".into(), "billed_now".into()];
            let test = Test::AtMost { sum, of: "received".into(), times: None, below: None };
            let row = Row { id: "goods".into(), upper_percent: Some(Decimal::ONE), ..Row::default() };
            let finding = Comparison::new(code, "match.quantity_received", test)
                .with("billed_before", 0)
                .with("billed_now", 20)
                .with("received", 12)
                .limited(limit(ToleranceKind::QtyRec, Some(row)))
                .finding("too many")
                .unwrap();
            let said = said(&finding);
            assert!(said.starts_with("above what was received by 8 (66.6667 %)") && said.ends_with(end), "{said}");
            assert!(!said.contains("upper_"), "{said}");
        }
    }

    #[test]
    fn where_there_is_no_limit_nothing_is_said_to_let_it_pass() {
        let test = Test::There { value: "order".into() };
        let finding = Comparison::new(Code::NoPoRef, "match.order", test).with("order", "").finding("none").unwrap();
        assert_eq!((said(&finding), places(&finding)), (String::new(), String::new()));
    }

    #[test]
    fn a_finding_names_the_order_its_line_and_the_page() {
        assert_eq!(places(&dearer(None)), "billed: page 2 at 50, 300; ordered: order PO-4514, line 1");
        let bare =
            Finding::new(Code::QtyRec, "match.quantity_received", "").with("order", "PO-1").with("order_line", 3);
        assert_eq!(places(&bare), "order PO-1, line 3");
    }
}
