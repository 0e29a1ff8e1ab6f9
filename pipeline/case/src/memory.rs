//! What reviewers taught about the pages of a vendor: under which label a value stands. It is data, learned from a
//! correction and used for the vendor's next document; nobody writes a template.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Evidence, Extraction, Field, FieldName, Invoice, Note, vendor_keys_of};

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
    /// Was a later document approved with the value that this lesson found? Until then a person looks at each one that it
    /// reads otherwise than the reader did.
    #[serde(default)]
    pub confirmed: bool,
}

/// A value found by a lesson is as sure as one that was found by a label we know: a person said once where it stands.
const CONFIDENCE: f64 = 0.9;

/// Whose pages these are: keys by which the lessons of a vendor are kept and found. A name counts only where no id was read,
/// since two vendors may share what was taken for their name.
pub fn vendor_of(extraction: &Extraction) -> Vec<String> {
    let keys = match extraction.kind.billed() {
        true => vendor_keys_of(&Invoice::of(extraction).0),
        false => Vec::new(),
    };
    let keys: Vec<String> = keys.iter().map(|key| key.text().to_owned()).collect();
    let ids: Vec<String> = keys.iter().filter(|key| !key.starts_with("name:")).cloned().collect();
    if ids.is_empty() { keys } else { ids }
}

/// What an approved document teaches about others like it. For each field that a person corrected, the label to look under
/// from now on, or none, where not exactly one label leads to the corrected value: then what was taught before is wrong.
pub fn lessons(approved: &Extraction) -> Vec<(FieldName, Option<Lesson>)> {
    let corrected = approved.fields.single.iter().filter(|(_, it)| matches!(it.evidence, Evidence::Person { .. }));
    corrected
        .filter(|(field, _)| form(**field).is_some())
        .map(|(field, it)| {
            let by_value = approved.labelled.iter().filter(|labelled| same(*field, labelled, &it.value));
            let labels: BTreeSet<&str> = by_value
                .filter(|it| only(approved, *field, &it.label).is_some() && !means_another(approved, *field, it))
                .map(|it| it.label.as_str())
                .collect();
            let label = labels.first().filter(|_| labels.len() == 1);
            (*field, label.map(|it| Lesson { field: *field, label: (*it).to_owned(), confirmed: false }))
        })
        .collect()
}

/// Did the reader find another field there? Dates and amounts are often equal by chance: the day of delivery is the day of
/// the invoice, and no label of the one teaches anything about the other. A number is not.
fn means_another(extraction: &Extraction, field: FieldName, labelled: &Labelled) -> bool {
    let elsewhere = |(name, it): (&FieldName, &Field)| *name != field && it.evidence == labelled.evidence;
    !matches!(form(field), Some(Form::Word)) && extraction.fields.single.iter().any(elsewhere)
}

/// Was the approved value of the lesson's field found by this lesson, and left as it was found?
pub fn confirms(approved: &Extraction, lesson: &Lesson) -> bool {
    let found = only(approved, lesson.field, &lesson.label);
    let read = approved.field(lesson.field);
    found.is_some_and(|(value, evidence)| read.is_some_and(|it| it.value == value && it.evidence == evidence))
}

/// Takes values from where the vendor's lessons say that they stand. Each one that was read otherwise leaves a note; one that
/// contradicts the reader leaves another, which holds the document, until the lesson is confirmed.
pub fn recall(extraction: &mut Extraction, lessons: &[Lesson]) {
    for Lesson { field, label, confirmed } in lessons {
        let Some((value, evidence)) = only(extraction, *field, label) else { continue };
        let read = extraction.text(*field);
        if read == Some(value.as_str()) {
            continue;
        }
        let otherwise = read.is_some() && !confirmed;
        let name = field.name();
        let (code, message) = if otherwise {
            let message = format!(
                "`{name}` was read elsewhere; it is what stands by `{label}`, as a person once corrected it for this vendor"
            );
            ("remembered_otherwise", message)
        } else {
            (
                "remembered",
                format!("`{name}` is what stands by `{label}`, as a person once corrected it for this vendor"),
            )
        };
        extraction.notes.push(Note { code: code.to_owned(), message });
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
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
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

    fn corrected(mut read: Extraction, field: &str, value: &str) -> Extraction {
        let evidence = Evidence::Person { person: "rita".to_owned(), text: value.to_owned() };
        let field = FieldName::named(field).unwrap();
        read.fields.single.insert(field, Field { value: value.to_owned(), confidence: 1.0, evidence });
        read
    }

    #[test]
    fn what_was_corrected_once_is_read_from_the_same_label_next_time() {
        for (field, value, text, date, amount, next) in [
            ("number", "R-7", "R-7", None, None, "R-8"),
            ("issue_date", "2026-03-04", "04.03.26", Some("2026-03-04"), None, "2026-04-05"),
            ("gross_total", "119", "119,00 €", None, Some("119.00"), "238.00"),
        ] {
            let taught = lessons(&corrected(extraction(&[("mark", text, date, amount)]), field, value));
            let lessons: Vec<Lesson> = taught.into_iter().filter_map(|(_, lesson)| lesson).collect();
            assert_eq!(lessons.len(), 1, "{field}");
            let next = [("other", "X-1", None, None), ("mark", next, date.and(Some(next)), amount.and(Some(next)))];
            let field = FieldName::named(field).unwrap();
            let mut read = extraction(&next);
            recall(&mut read, &lessons);
            assert_eq!(read.text(field), Some(next[1].1));
            assert_eq!(read.notes.first().unwrap().code, "remembered");
            assert!(confirms(&read, &lessons[0]));

            // Where the reader found something else, a person looks, until the lesson is confirmed.
            for (confirmed, code) in [(false, "remembered_otherwise"), (true, "remembered")] {
                let lesson = Lesson { confirmed, ..lessons[0].clone() };
                let mut read = extraction(&next);
                let evidence = read.labelled[0].evidence.clone();
                read.fields.single.insert(field, Field { value: "X-1".to_owned(), confidence: 0.97, evidence });
                assert!(!confirms(&read, &lesson));
                recall(&mut read, &[lesson]);
                assert_eq!((read.text(field), read.notes[0].code.as_str()), (Some(next[1].1), code));
            }
        }
    }

    #[test]
    fn a_date_or_amount_that_is_equal_by_chance_teaches_nothing() {
        let days = [("delivered", "04.03.26", Some("2026-03-04"), None)];
        let mut read = extraction(&days);
        let delivered =
            Field { value: "2026-03-04".to_owned(), confidence: 0.97, evidence: read.labelled[0].evidence.clone() };
        read.fields.single.insert(FieldName::DeliveryDate, delivered);
        let approved = corrected(read, "issue_date", "2026-03-04");
        assert_eq!(lessons(&approved), [(FieldName::IssueDate, None)]);
        let twice = [("paid", "9,00", None, Some("9.00")), ("due", "9,00", None, Some("9.00"))];
        assert_eq!(lessons(&corrected(extraction(&twice), "payable", "9.00")), [(FieldName::Payable, None)]);
    }

    #[test]
    fn a_label_that_leads_to_several_values_teaches_nothing_and_is_not_followed() {
        let twice = [("mark", "R-7", None, None), ("mark", "R-9", None, None)];
        assert_eq!(lessons(&corrected(extraction(&twice), "number", "R-7")), [(FieldName::Number, None)]);
        let mut read = extraction(&twice);
        recall(&mut read, &[Lesson { field: FieldName::Number, label: "mark".to_owned(), confirmed: true }]);
        assert_eq!((read.text(FieldName::Number), read.notes.len()), (None, 0));
    }

    #[test]
    fn what_was_read_so_already_stays_as_it_was_read() {
        let lesson = Lesson { field: FieldName::SellerVatId, label: "vat id".to_owned(), confirmed: false };
        let mut read = extraction(&[("vat id", "DE 811 907 980", None, None)]);
        let before = read.clone();
        recall(&mut read, &[lesson]);
        assert_eq!(read, before);
    }

    #[test]
    fn a_value_without_a_label_takes_back_what_was_taught() {
        let read = || extraction(&[("mark", "R-7", None, None)]);
        assert_eq!(lessons(&corrected(read(), "number", "R-70")), [(FieldName::Number, None)]);
        assert_eq!(lessons(&corrected(read(), "seller_name", "Acme")), []);
        assert_eq!(lessons(&read()), []);
    }

    #[test]
    fn a_vendor_is_known_by_its_ids_and_by_its_name_only_without_them() {
        assert_eq!(vendor_of(&extraction(&[])), ["vat:DE811907980"]);
    }
}
