//! A mail in the watched folder: its attachments become cases, each once, and the mail is kept as evidence.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;
use crate::support;

use base64::Engine as _;
use program::Workspace;
use serde_json::Value;
use store::Admission;

fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn mail(attached: &[(&str, &[u8])]) -> Vec<u8> {
    let mut text = "From: Billing <billing@sender.example>\r\nSubject: Two invoices\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"part\"\r\n\r\n--part\r\nContent-Type: text/plain\r\n\r\nPlease pay.\r\n"
        .to_owned();
    for (name, bytes) in attached {
        let packed = base64::engine::general_purpose::STANDARD.encode(bytes);
        let lines: Vec<&str> = packed.as_bytes().chunks(76).map(|it| std::str::from_utf8(it).unwrap()).collect();
        text += &format!(
            "--part\r\nContent-Type: application/xml\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines.join("\r\n")
        );
    }
    (text + "--part--\r\n").into_bytes()
}

#[test]
fn two_invoices_in_a_mail_are_two_cases_and_the_mail_rests_as_evidence() {
    let workspace = Workspace::new(None);
    let mut stream = demo::stream(3, 3, today());
    workspace.import(&stream.vendors_csv, &stream.orders_csv, &stream.receipts_csv);
    let (first, second) = (stream.next().unwrap(), stream.next().unwrap());
    let bytes = mail(&[(&first.0, &first.1), (&second.0, &second.1)]);
    workspace.drop_file("post", "sales.eml", &bytes);
    workspace.ok(&["run", "--once"]);
    assert_eq!(workspace.cases().len(), 3);
    let mail_case = workspace.case_of("sales.eml").unwrap();
    assert_eq!((&mail_case["state"], &mail_case["kind"]), (&Value::from("Archived"), &Value::from("unknown")));
    for (name, _) in [&first, &second] {
        let case = workspace.case_of(name).unwrap();
        assert_eq!(case["source"]["channel"], "post", "{case}");
        assert_eq!(case["kind"], "invoice", "{case}");
        assert_ne!(case["state"], "Quarantined");
    }

    // The same invoice in another mail, and by itself, is no new case; the other mail is.
    workspace.drop_file("post", "again.eml", &mail(&[(&first.0, &first.1)]));
    workspace.drop_file("inbox", "alone.xml", &second.1);
    workspace.ok(&["run", "--once"]);
    assert_eq!(workspace.cases().len(), 4);
    workspace.judge();
}

#[test]
fn a_mail_without_a_document_waits_for_a_person() {
    let workspace = Workspace::new(None);
    workspace.drop_file("post", "empty.eml", &mail(&[]));
    workspace.ok(&["run", "--once"]);
    let case = workspace.case_of("empty.eml").unwrap();
    assert_eq!(case["state"], "InReview", "{case}");
    let codes: Vec<&str> = case["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"COVERAGE"), "{codes:?}");
    workspace.judge();
}

#[tokio::test]
async fn a_part_of_a_mail_is_admitted_once_however_often_it_is_begun() {
    support::on_both(async |place| {
        let bytes = mail(&[("a.xml", b"<a/>"), ("b.xml", b"<a/>")]);
        let arrival = support::arrival(&bytes, "sales.eml", "post");
        let (machine, now) = (support::machine(), support::NOW);
        let Admission::New(id) = place.store.admit(arrival, &machine, now).await.unwrap() else { panic!() };
        let mail = place.store.case(id).await.unwrap();
        let part = async |part: u32| {
            place.store.admit_part(&mail, part, "a.xml".to_owned(), b"<a/>".to_vec(), &machine, now).await.unwrap()
        };
        let first = part(1).await;
        let Admission::New(taken) = first else { panic!("{first:?}") };
        // As a machine does that begins again what another one was killed over.
        assert_eq!(part(1).await, first);
        assert_eq!(part(2).await, Admission::Duplicate(taken));
        assert_eq!(part(2).await, Admission::Duplicate(taken));
        let entries = place.entries().await;
        let of_parts = entries.iter().filter(|it| it.d.contains_key("part")).count();
        assert_eq!(of_parts, 2, "one entry for each part");
        assert_eq!(place.store.case(taken).await.unwrap().document.channel, "post");
    })
    .await;
}
