//! What reviewers taught about the pages of a vendor: under which label a value stands. It is data, learned from a
//! correction and used for the vendor's next document; nobody writes a template.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Change, Evidence, Extraction, Field, FieldName, Note, question};

/// Something printed beside or below a label, whatever it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labelled {
    /// Lower case, words parted by single spaces.
    pub label: String,
    /// ISO 8601, where it can be read as a date.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub date: Option<String>,
    /// With a point, where it can be read as an amount.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub amount: Option<String>,
    /// Its text is what stands there.
    pub evidence: Evidence,
}

/// The value of `field` stands beside or below `label`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    pub field: FieldName,
    pub label: String,
}

/// A value found by a lesson is as sure as one that was found by a label we know: a person said once where it stands.
const CONFIDENCE: f64 = 0.9;

/// Whose pages these are: keys by which the lessons of a vendor are kept and found. A name counts only where no id was read,
/// since two vendors may share what was taken for their name.
pub fn vendor_of(extraction: &Extraction) -> Vec<String> {
    let keys = question(extraction).vendor_keys;
    let ids: Vec<String> = keys.iter().filter(|key| !key.starts_with("name:")).cloned().collect();
    if ids.is_empty() { keys } else { ids }
}

/// What corrections teach about documents like this one. For each corrected field the label to look under from now on, or
/// none, where no label leads to the corrected value and what was taught before is wrong.
pub fn lessons(read: &Extraction, changes: &[Change]) -> Vec<(FieldName, Option<Lesson>)> {
    changes
        .iter()
        .filter_map(|change| Some((FieldName::named(&change.field)?, change.value.trim())))
        .filter(|(field, value)| form(*field).is_some() && !value.is_empty())
        .map(|(field, value)| {
            let labels = read.labelled.iter().filter(|it| same(field, it, value)).map(|it| it.label.as_str());
            let label = labels.into_iter().find(|label| only(read, field, label).is_some());
            (field, label.map(|label| Lesson { field, label: label.to_owned() }))
        })
        .collect()
}

/// Takes values from where the vendor's lessons say that they stand. Each one that was read otherwise leaves a note.
pub fn recall(extraction: &mut Extraction, lessons: &[Lesson]) {
    for Lesson { field, label } in lessons {
        let Some((value, evidence)) = only(extraction, *field, label) else { continue };
        if extraction.text(*field) == Some(value.as_str()) {
            continue;
        }
        let message =
            format!("`{}` is what stands by `{label}`, as a person once corrected it for this vendor", field.name());
        extraction.notes.push(Note { code: "remembered".to_owned(), message });
        extraction.fields.single.insert(*field, Field { value, confidence: CONFIDENCE, evidence });
    }
}

enum Form {
    Date,
    Amount,
    Word,
}

/// How the value of a field is written, for those that a lesson can be about: they have digits and a label.
fn form(field: FieldName) -> Option<Form> {
    use FieldName::*;
    match field {
        IssueDate | DueDate | DeliveryDate => Some(Form::Date),
        LineTotal | AllowanceTotal | ChargeTotal | NetTotal | TaxTotal | GrossTotal | Prepaid | Payable => {
            Some(Form::Amount)
        }
        Number | OrderRef | ContractRef | BuyerRef | PrecedingInvoice | SellerVatId | SellerTaxId | BuyerVatId
        | BuyerTaxId | Iban => Some(Form::Word),
        _ => None,
    }
}

/// The one value of the field's form by this label; none where there are several.
fn only(extraction: &Extraction, field: FieldName, label: &str) -> Option<(String, Evidence)> {
    let by_label = extraction.labelled.iter().filter(|it| it.label == label);
    let found: Vec<(String, &Evidence)> = by_label.filter_map(|it| Some((value(field, it)?, &it.evidence))).collect();
    let values: BTreeSet<&String> = found.iter().map(|(value, _)| value).collect();
    let (value, evidence) = found.first()?;
    (values.len() == 1).then(|| (value.clone(), (*evidence).clone()))
}

fn value(field: FieldName, labelled: &Labelled) -> Option<String> {
    match form(field)? {
        Form::Date => labelled.date.clone(),
        Form::Amount => labelled.amount.clone(),
        Form::Word => Some(labelled.evidence.text().split_whitespace().collect()),
    }
}

fn same(field: FieldName, labelled: &Labelled, corrected: &str) -> bool {
    let Some(found) = value(field, labelled) else { return false };
    match form(field) {
        Some(Form::Amount) => match (found.parse::<Decimal>(), corrected.parse::<Decimal>()) {
            (Ok(found), Ok(corrected)) => found == corrected,
            _ => false,
        },
        _ => found == corrected.split_whitespace().collect::<String>(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn extraction(labelled: &[(&str, &str, Option<&str>, Option<&str>)]) -> Extraction {
        let labelled: Vec<serde_json::Value> = labelled
            .iter()
            .map(|(label, text, date, amount)| {
                serde_json::json!({ "label": label, "date": date, "amount": amount,
                                    "evidence": { "page": 1, "box": [10.0, 10.0, 60.0, 20.0], "text": text } })
            })
            .collect();
        let id = serde_json::json!({ "value": "DE811907980", "confidence": 0.9,
                                     "evidence": { "page": 1, "box": [10.0, 30.0, 60.0, 40.0], "text": "DE811907980" } });
        let answer = serde_json::json!({
            "kind": "invoice", "format": "pdf-text", "coverage": { "pages": 1, "read": 1, "hidden_text": 0 },
            "pages": [{ "width": 595.0, "height": 842.0 }], "fields": { "seller_vat_id": id }, "labelled": labelled,
        });
        Extraction::from_untrusted(&serde_json::to_vec(&answer).unwrap()).unwrap()
    }

    fn corrected(field: &str, value: &str) -> Vec<Change> {
        vec![Change { field: field.to_owned(), value: value.to_owned() }]
    }

    #[test]
    fn what_was_corrected_once_is_read_from_the_same_label_next_time() {
        for (field, value, text, date, amount, next) in [
            ("number", "R-7", "R-7", None, None, "R-8"),
            ("issue_date", "2026-03-04", "04.03.26", Some("2026-03-04"), None, "2026-04-05"),
            ("gross_total", "119", "119,00 €", None, Some("119.00"), "238.00"),
        ] {
            let taught = lessons(&extraction(&[("mark", text, date, amount)]), &corrected(field, value));
            let lessons: Vec<Lesson> = taught.into_iter().filter_map(|(_, lesson)| lesson).collect();
            assert_eq!(lessons.len(), 1, "{field}");
            let mut read = extraction(&[
                ("other", "X-1", None, None),
                ("mark", next, date.and(Some(next)), amount.and(Some(next))),
            ]);
            recall(&mut read, &lessons);
            assert_eq!(read.text(FieldName::named(field).unwrap()), Some(next));
            assert_eq!(read.notes.first().unwrap().code, "remembered");
        }
    }

    #[test]
    fn a_label_that_leads_to_several_values_teaches_nothing_and_is_not_followed() {
        let twice = [("mark", "R-7", None, None), ("mark", "R-9", None, None)];
        assert_eq!(lessons(&extraction(&twice), &corrected("number", "R-7")), [(FieldName::Number, None)]);
        let mut read = extraction(&twice);
        recall(&mut read, &[Lesson { field: FieldName::Number, label: "mark".to_owned() }]);
        assert_eq!((read.text(FieldName::Number), read.notes.len()), (None, 0));
    }

    #[test]
    fn what_was_read_so_already_stays_as_it_was_read() {
        let lesson = Lesson { field: FieldName::SellerVatId, label: "vat id".to_owned() };
        let mut read = extraction(&[("vat id", "DE 811 907 980", None, None)]);
        let before = read.clone();
        recall(&mut read, &[lesson]);
        assert_eq!(read, before);
    }

    #[test]
    fn a_value_without_a_label_takes_back_what_was_taught() {
        let read = extraction(&[("mark", "R-7", None, None)]);
        assert_eq!(lessons(&read, &corrected("number", "R-70")), [(FieldName::Number, None)]);
        assert_eq!(lessons(&read, &corrected("seller_name", "Acme")), []);
        assert_eq!(lessons(&read, &corrected("lines.1.quantity", "7")), []);
    }

    #[test]
    fn a_vendor_is_known_by_its_ids_and_by_its_name_only_without_them() {
        assert_eq!(vendor_of(&extraction(&[])), ["vat:DE811907980"]);
    }
}
