//! What is wrong with a contract by itself. Clauses carry CUAD's category names.

use crate::{Clause, Code, Extraction, FieldName, Finding, Policy};

pub(crate) fn validate(extraction: &Extraction, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    if extraction.fields.parties.len() < 2 {
        let message = format!("a contract has at least 2 parties, {} were found", extraction.fields.parties.len());
        findings.push(Finding::new(Code::Missing, "contract.parties", message).at("parties", None));
    }
    for clause in &extraction.clauses {
        let one_sided = || clause.value.as_deref().is_some_and(|value| value.to_lowercase().contains("one-sided"));
        // Liability for intent, fraud or injury cannot be limited by law; saying so is no concession.
        let by_law = || clause.value.as_deref() == Some("in named cases");
        let (code, message) = match clause.category.as_str() {
            "uncapped_liability" if by_law() => continue,
            "uncapped_liability" => (Code::LiabilityUnlimited, "a clause makes liability unlimited"),
            "cap_on_liability" if one_sided() => {
                (Code::LiabilityOneSided, "the cap on liability protects one side only")
            }
            _ => continue,
        };
        let finding = Finding::new(code, format!("contract.{}", clause.category), message);
        findings.push(finding.at(clause.category.clone(), Some(&clause.evidence)));
    }
    for required in &policy.contracts.required_clauses {
        if !present(extraction, required) {
            let message = format!("no clause on `{required}` was found");
            findings.push(Finding::new(Code::Absent, "contract.required_clause", message).with("clause", required));
        }
    }
    findings
}

/// `liability` is any clause that caps or lifts it; a governing law may stand as a field.
fn present(extraction: &Extraction, required: &str) -> bool {
    let has = |wanted: &dyn Fn(&Clause) -> bool| extraction.clauses.iter().any(wanted);
    match required {
        "liability" => has(&|clause| matches!(clause.category.as_str(), "cap_on_liability" | "uncapped_liability")),
        _ => {
            has(&|clause| clause.category == required)
                || FieldName::named(required).is_some_and(|name| extraction.field(name).is_some())
        }
    }
}
