#![allow(clippy::unwrap_used)]
use super::*;

#[track_caller]
fn check(answer: &str, expected: Result<(), &str>) {
    let found = Extraction::from_untrusted(answer.as_bytes()).map(drop).map_err(|err| err.to_string());
    match expected {
        Ok(()) => assert_eq!(found, Ok(())),
        Err(text) => assert!(found.clone().unwrap_err().contains(text), "{found:?}"),
    }
}

fn answer(evidence: &str) -> String {
    format!(
        r#"{{"kind":"invoice","format":"pdf-text","coverage":{{"pages":1,"read":1,"hidden_text":0}},
            "pages":[{{"width":595,"height":842}}],
            "fields":{{"payable":{{"value":"119.00","confidence":0.9,"evidence":{evidence}}}}}}}"#
    )
}

#[test]
fn an_answer_is_believed_only_with_evidence_that_can_be_shown() {
    check(&answer(r#"{"page":1,"box":[10,10,50,20],"text":"119,00"}"#), Ok(()));
    check(&answer(r#"{"page":2,"box":[10,10,50,20],"text":"119,00"}"#), Err("page 2 of 1"));
    check(&answer(r#"{"page":0,"box":[10,10,50,20],"text":"119,00"}"#), Err("page 0 of 1"));
    check(&answer(r#"{"page":1,"box":[50,10,10,20],"text":"119,00"}"#), Err("empty or off the page"));
    check(&answer(r#"{"page":1,"box":[900,10,950,20],"text":"119,00"}"#), Err("empty or off the page"));
    check(&answer(r#"{"start":7,"end":7,"text":"x"}"#), Err("ends before it starts"));
    check(&answer(r#"{"person":"usr_1","text":"x"}"#), Err("a person read it"));
    check(&answer("null"), Err("not valid"));
}

/// Digests in the log are over what was read, and it is stored as JSON.
#[test]
fn an_answer_that_was_stored_is_read_back_to_the_last_bit() {
    for n in 1..1_000 {
        let left = f64::from(n) * 0.1 / 3.0;
        let answer = answer(&format!(r#"{{"page":1,"box":[{left},10,50,20],"text":"119,00"}}"#));
        let Evidence::Page { area, .. } =
            Extraction::from_untrusted(answer.as_bytes()).unwrap().field(FieldName::Payable).unwrap().evidence.clone()
        else {
            panic!("a place on a page is read back as one");
        };
        assert_eq!(area[0].to_bits(), left.to_bits(), "{left}");
    }
}

#[test]
fn an_answer_with_unknown_names_or_too_much_is_refused() {
    check(&answer(r#"{"path":"/Invoice","text":"x"}"#).replace("payable", "total_guess"), Err("unknown variant"));
    check(&answer(r#"{"path":"/Invoice","text":"x"}"#).replace("0.9", "1.5"), Err("outside 0 to 1"));
    check(&answer(r#"{"path":"/Invoice","text":"x"}"#).replace("119.00", " "), Err("empty value"));
    check(&answer(r#"{"path":"/Invoice","text":"x"}"#).replace(r#""read":1"#, r#""read":2"#), Err("2 of 1 pages"));
    let breaches = |count: usize, evidence: &str| {
        let breach = format!(r#"{{"rule":"BR-02","fatal":true,"message":"m","evidence":{evidence}}}"#);
        let breaches = vec![breach; count].join(",");
        answer(r#"{"path":"/Invoice","text":"x"}"#).replacen(
            r#""fields":"#,
            &format!(r#""profile":"en16931","breaches":[{breaches}],"fields":"#),
            1,
        )
    };
    check(&breaches(1_000, r#"{"path":"/Invoice","text":"x"}"#), Ok(()));
    check(&breaches(1_001, r#"{"path":"/Invoice","text":"x"}"#), Err("1001 breaches, more than the 1000"));
    check(&breaches(1, r#"{"page":9,"box":[10,10,50,20],"text":"x"}"#), Err("`BR-02` points at page 9 of 1"));
    check(&" ".repeat(ANSWER_BYTES_MAX + 1), Err("4194305 bytes, more than the 4194304"));
}
