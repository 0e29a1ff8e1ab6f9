//! Finding the cases that are about a person who asks what is kept about them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use crate::Case;

/// What a person is found by: names, addresses, account and tax numbers.
#[derive(Clone, Debug)]
pub struct Subject {
    /// As they were given.
    pub texts: Vec<String>,
    names: Vec<Name>,
}

#[derive(Clone, Debug)]
struct Name {
    joined: String,
    words: BTreeSet<String>,
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unsearchable {
    #[error("a person is found by 1 to {max} names or numbers, {n} were given")]
    Number { n: usize, max: usize },
    #[error("`{text}` has {chars} characters without its spaces; expected {min} to {max}")]
    Length { text: String, chars: usize, min: usize, max: usize },
}

const TEXTS_MAX: usize = 20;
const CHARS_MIN: usize = 3;
const CHARS_MAX: usize = 200;

impl Subject {
    /// Case, spaces, marks that nobody sees and the forms of a letter that Unicode knows (NFKC) make no difference, and `ß` is
    /// `ss`. Two or more words may stand in any order, with others between them.
    pub fn of(texts: &[String]) -> Result<Subject, Unsearchable> {
        if !(1..=TEXTS_MAX).contains(&texts.len()) {
            return Err(Unsearchable::Number { n: texts.len(), max: TEXTS_MAX });
        }
        let name = |text: &String| {
            let folded = folded(text);
            let joined = joined(&folded);
            let chars = joined.chars().count();
            if (CHARS_MIN..=CHARS_MAX).contains(&chars) {
                return Ok(Name { joined, words: words(&folded).map(str::to_owned).collect() });
            }
            let text = text.chars().take(CHARS_MAX).collect();
            Err(Unsearchable::Length { text, chars, min: CHARS_MIN, max: CHARS_MAX })
        };
        Ok(Subject { texts: texts.to_vec(), names: texts.iter().map(name).collect::<Result<_, _>>()? })
    }

    /// Does one of its words stand in the name of the file, in what was read, or in what people said about it? What would be
    /// left of the case if it were erased says nothing about anybody, and is not searched.
    pub fn is_in(&self, case: &Case) -> bool {
        let left = Case { state: case.state, unbooked: case.unbooked.clone(), ..case.erased() };
        self.stands_apart_in(&json!(case), &json!(left))
            || case.holds.keys().any(|matter| self.stands_in(&json!(matter)))
    }

    /// Does one of its names or numbers stand in one of these texts?
    pub fn stands_in(&self, value: &Value) -> bool {
        self.stands_apart_in(value, &Value::Null)
    }

    /// In a text that is not the same in `left`.
    fn stands_apart_in(&self, value: &Value, left: &Value) -> bool {
        match value {
            Value::String(text) if value != left => {
                let folded = folded(text);
                let (joined, words): (String, BTreeSet<&str>) = (joined(&folded), words(&folded).collect());
                self.names.iter().any(|name| {
                    let in_any_order = || name.words.iter().all(|word| words.contains(word.as_str()));
                    joined.contains(&name.joined) || 1 < name.words.len() && in_any_order()
                })
            }
            Value::Array(values) => (0..)
                .zip(values)
                .any(|(idx, value)| self.stands_apart_in(value, left.get::<usize>(idx).unwrap_or(&Value::Null))),
            Value::Object(members) => {
                members.iter().any(|(name, value)| self.stands_apart_in(value, left.get(name).unwrap_or(&Value::Null)))
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

/// In small letters, by way of the capital ones, where `ß` is `SS`.
fn folded(text: &str) -> String {
    let seen = text.nfkc().filter(|letter| !unseen(*letter));
    seen.flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
}

fn joined(folded: &str) -> String {
    folded.split_whitespace().collect()
}

fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Soft hyphens, joiners and marks of direction, of no width (Unicode, Default_Ignorable_Code_Point).
fn unseen(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use uuid::Uuid;

    use super::*;
    use crate::{Actor, CaseId, Digest, Document, Finding, Hold, Timestamp};

    fn case() -> Case {
        let document = Document {
            digest: Digest::of(b"x"),
            size_bytes: 1,
            file_name: "Rechnung Erika  Müstermann.pdf".into(),
            channel: "inbox".into(),
            received_at: Timestamp(0),
        };
        let mut case = Case::new(CaseId(Uuid::nil()), document, Uuid::nil(), &Actor::system("intake"));
        case.findings.push(Finding::new(crate::Code::BankNew, "bank", "paid to DE89370400440532013000 before"));
        let hold = Hold { by: "usr_1".into(), at: Timestamp(0), reason: "court".into() };
        case.holds.insert("Smith v. Jones".into(), hold);
        case
    }

    #[test]
    fn a_person_is_found_by_any_of_their_names_however_they_are_spaced_and_written() {
        let found = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Subject::of(&words).unwrap().is_in(&case())
        };
        assert!(found(&["ERIKA MÜSTERMANN"]));
        assert!(found(&["DE89 3704 0044 0532 0130 00"]));
        assert!(found(&["nobody at all", "smith v."]));
        assert!(found(&["Müstermann, Erika"]), "in any order");
        assert!(found(&["ERIKA\u{200b} MU\u{308}ster\u{ad}mann"]), "however its letters are made");
        assert!(found(&["Ｅｒｉｋａ Müstermann"]), "of any width");
        assert!(!found(&["Erik Müstermann"]), "whole words alone stand apart");
        assert!(Subject::of(&["Strasse 1".into()]).unwrap().stands_in(&json!("Alte STRAẞE 1, Straße 2")));
        assert!(!found(&["Max Mustermann"]));
        assert!(!found(&["findings"]) && !found(&["received"]), "no part of a case is called as anybody is");
        assert!(!Subject::of(&["Erika".into()]).unwrap().is_in(&case().erased()), "of an erased case nobody is left");
    }

    #[test]
    fn what_would_find_everybody_is_refused() {
        let refused = |words: &[String]| Subject::of(words).map(drop).unwrap_err();
        assert_eq!(refused(&[]), Unsearchable::Number { n: 0, max: 20 });
        assert_eq!(refused(&vec!["abc".into(); 21]), Unsearchable::Number { n: 21, max: 20 });
        let too_short = Unsearchable::Length { text: "a  b".into(), chars: 2, min: 3, max: 200 };
        assert_eq!(refused(&["a  b".into()]), too_short);
        assert!(matches!(refused(&["a".repeat(201)]), Unsearchable::Length { chars: 201, .. }));
    }
}
