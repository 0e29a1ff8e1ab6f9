//! What stands behind the order lines that a document bills: the blanket orders that they are called off from, and a contract
//! at the end. A line is held to all of them.

use std::collections::BTreeMap;

use super::{Billing, Matching};
use crate::Code;
use crate::comparison::{Comparison, Test};
use crate::facts::{BEHIND_MAX, Behind};

/// By what an order line names, everything behind it, the nearest first.
pub(super) type Bases<'a> = BTreeMap<&'a str, Vec<&'a str>>;

pub(super) fn judge<'a>(matching: &mut Matching<'a>, billing: &Billing<'a>) -> Bases<'a> {
    let known = matching.known;
    let mut named: BTreeMap<&'a str, Vec<usize>> = BTreeMap::new();
    for share in &billing.shares {
        if let Some(id) = share.ordered.contract_id.as_deref() {
            named.entry(id).or_default().push(share.idx);
        }
    }
    let mut bases = Bases::new();
    for (id, idxs) in named {
        let behind = known.behind(id);
        if !behind.left.is_empty() {
            not_followed(matching, &behind, &idxs);
        }
        bases.insert(id, behind.ids);
    }
    bases
}

/// INVARIANT (fail closed): what is not followed is said. A blanket order that names two contracts does not say which of them
/// holds for what is called off.
fn not_followed(matching: &mut Matching<'_>, behind: &Behind<'_>, idxs: &[usize]) {
    let (last, left) = (behind.ids.last().copied().unwrap_or_default(), behind.left.join(", "));
    let (code, rule, figure, n, most) = match behind.left.len() {
        1 => (Code::TooMany, "match.behind", "steps", behind.ids.len() + 1, BEHIND_MAX),
        several => (Code::Ambiguous, "match.blanket_contracts", "fitting", several, 1),
    };
    let test = Test::AtMost { sum: vec![figure.into()], of: "expected".into(), times: None, below: None };
    let comparison = Comparison::new(code, rule, test)
        .with(figure, n)
        .with("expected", most)
        .with("order", last)
        .with("contract", &left);
    let at = matching.lines_at(idxs);
    matching.compare_at(comparison, &at, || match code {
        Code::TooMany => {
            format!("blanket order `{last}` names `{left}`, which is step {n} from the order; {most} are followed")
        }
        _ => format!("blanket order `{last}` names {left}: which of them holds for what is called off is not said"),
    });
}
