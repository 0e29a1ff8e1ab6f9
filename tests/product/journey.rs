//! What a user does, with the program as it is shipped: the demonstration, the watched folder, decisions, the auditor.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use program::{Workspace, eventually};
use serde_json::Value;

fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[test]
fn a_demonstration_takes_the_place_of_an_earlier_one_and_removes_nothing_else() {
    let workspace = Workspace::new(None);
    let dir = workspace.dir.with_file_name("demo");
    let demo =
        || workspace.command(&["demo", "--once", "--port", "0", "--dir", dir.to_str().unwrap()]).output().unwrap();
    let refused = |why: &str| {
        let output = demo();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains(why), "{why}: {told}");
    };
    let (mark, thesis) = (dir.join(".countersign-demo"), dir.join("thesis/chapter.txt"));
    std::fs::create_dir_all(thesis.parent().unwrap()).unwrap();
    std::fs::write(&thesis, "months of work").unwrap();
    refused("no demo made `thesis`");
    std::fs::remove_dir_all(thesis.parent().unwrap()).unwrap();

    assert!(demo().status.success());
    std::fs::create_dir_all(thesis.parent().unwrap()).unwrap();
    std::fs::write(&thesis, "months of work").unwrap();
    refused("no demo made `thesis`");
    assert!(mark.exists() && dir.join("countersign.toml").exists() && thesis.exists());
    std::fs::remove_dir_all(thesis.parent().unwrap()).unwrap();

    let serving = workspace.command(&["run", "-C", dir.to_str().unwrap()]).stderr(Stdio::null()).spawn().unwrap();
    let mut serving = program::Service::from(serving);
    eventually("the service holds its settings", 60, || {
        let settings = std::fs::File::open(dir.join("countersign.toml")).unwrap();
        settings.try_lock().is_err()
    });
    refused("a service is running");
    serving.kill();
    // A removal that was cut short goes on.
    std::fs::remove_file(dir.join("countersign.toml")).unwrap();
    assert!(demo().status.success());
}

#[test]
fn every_document_of_the_demonstration_ends_where_its_maker_says_and_the_log_verifies() {
    let workspace = Workspace::new(None);
    let dir = workspace.dir.with_file_name("demo");
    let told = workspace.must(&["demo", "--once", "--port", "0", "--dir", dir.to_str().unwrap()]);
    assert!(told.contains("/sign-in/link/") && told.contains("auditor"), "{told}");
    let show = |row: &Value| {
        let output = workspace
            .command(&["case", "show", row["case"].as_str().unwrap(), "--json", "-C", dir.to_str().unwrap()])
            .output()
            .unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let list = workspace.must(&["case", "list", "--json", "-C", dir.to_str().unwrap()]);
    let cases: Vec<Value> = list.lines().map(|line| show(&serde_json::from_str(line).unwrap())).collect();

    let mut wrong = Vec::new();
    for document in demo::cast(today()).documents {
        let case = cases.iter().find(|case| case["source"]["file_name"] == document.file_name.as_str());
        let found = case.map_or_else(|| "no case of its own".to_owned(), ended);
        let expected = match document.outcome {
            demo::Outcome::StraightThrough => "Archived by nobody".to_owned(),
            demo::Outcome::Level1 => "held by amount-level-1".to_owned(),
            demo::Outcome::Level2 => "held by amount-level-2".to_owned(),
            demo::Outcome::TwoPeople => "held by amount-two-people".to_owned(),
            demo::Outcome::Duplicate => "no case of its own".to_owned(),
            demo::Outcome::Quarantined => "Quarantined".to_owned(),
            demo::Outcome::LegalReview => "held by legal-review".to_owned(),
            demo::Outcome::Held(code) | demo::Outcome::Stopped(code) => {
                let codes = case.map(|case| {
                    case["findings"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|it| it["code"].as_str().unwrap().to_owned())
                        .collect::<Vec<_>>()
                });
                let holds =
                    case.is_some_and(|case| case["state"] == "InReview") && codes.iter().flatten().any(|it| it == code);
                if holds { found.clone() } else { format!("held for {code}") }
            }
        };
        if found != expected {
            wrong.push(format!(
                "{}: {found}, expected {expected}: {:?}",
                document.file_name,
                case.map(|case| &case["findings"])
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let check = workspace.must(&["check", "--seals", "-C", dir.to_str().unwrap()]);
    assert!(check.contains("everything agrees"), "{check}");
}

fn ended(case: &Value) -> String {
    let checkpoints: Vec<&str> =
        case["checkpoints"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    match (case["state"].as_str().unwrap(), checkpoints.as_slice()) {
        ("Archived", []) => "Archived by nobody".to_owned(),
        ("InReview", _) => format!("held by {}", checkpoints.join(", ")),
        (state, _) => state.to_owned(),
    }
}

#[test]
fn a_held_invoice_is_corrected_by_one_person_approved_by_another_booked_once_and_proved() {
    let workspace = Workspace::new(None);
    let mut stream = demo::stream(20, 3, today());
    workspace.import(&stream.vendors_csv, &stream.orders_csv, &stream.receipts_csv);
    // The last of twenty charges more than was ordered.
    let (name, bytes) = stream.nth(19).unwrap();
    workspace.drop_file("invoices", &name, &bytes);
    workspace.ok(&["run", "--once"]);
    let case = workspace.case_of(&name).unwrap();
    let id = case["case"].as_str().unwrap();
    assert_eq!(case["state"], "InReview");
    assert!(case["findings"].as_array().unwrap().iter().any(|it| it["code"] == "PRICE"), "{}", case["findings"]);

    let refused = workspace.run(&["review", "approve", id, "--as", "lena", "--reason", "looks fine"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let refused = workspace.run(&["review", "approve", id, "--as", "ada", "--reason", "looks fine"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    workspace.ok(&[
        "review",
        "correct",
        id,
        "--as",
        "rita",
        "--reason",
        "wrong contact",
        "--set",
        "buyer_ref=Purchasing",
    ]);
    workspace.ok(&["run", "--once"]);
    let refused = workspace.run(&["review", "approve", id, "--as", "rita", "--reason", "my own work"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("submitted or corrected"), "{refused:?}");
    workspace.ok(&["review", "approve", id, "--as", "ravi", "--reason", "price agreed by telephone"]);
    workspace.ok(&["run", "--once"]);

    let case = workspace.case_of(&name).unwrap();
    assert_eq!(case["state"], "Archived");
    assert_eq!(workspace.bookings(), [format!("{id}.json")]);
    let acts: Vec<&str> = case["events"].as_array().unwrap().iter().map(|it| it["act"].as_str().unwrap()).collect();
    for act in ["case.admit", "review.denied", "review.correct", "review.approve", "posting.answer", "case.archive"] {
        assert!(acts.contains(&act), "{act} is missing from {acts:?}");
    }
    workspace.judge();
}

#[test]
fn a_correction_that_leaves_nothing_to_find_still_needs_another_person() {
    let workspace = Workspace::new(None);
    let mut stream = demo::stream(3, 3, today());
    workspace.import(&stream.vendors_csv, &stream.orders_csv, &stream.receipts_csv);
    let (name, bytes) = stream.next().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let order = stream.orders_csv.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    workspace.drop_file("invoices", &name, text.replace(&order, "PO-WRONG").as_bytes());
    workspace.ok(&["run", "--once"]);
    let case = workspace.case_of(&name).unwrap();
    let id = case["case"].as_str().unwrap();
    assert!(case["findings"].as_array().unwrap().iter().any(|it| it["code"] == "NO_ORDER"), "{}", case["findings"]);
    workspace.ok(&[
        "review",
        "correct",
        id,
        "--as",
        "rita",
        "--reason",
        "misprint",
        "--set",
        &format!("order_ref={order}"),
    ]);
    workspace.ok(&["run", "--once"]);
    let case = workspace.case_of(&name).unwrap();
    let codes: Vec<&str> = case["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!((case["state"].as_str(), codes), (Some("InReview"), vec!["CORRECTED"]));
    assert_eq!(workspace.run(&["review", "approve", id, "--as", "rita", "--reason", "mine"]).status.code(), Some(1));
    assert!(workspace.bookings().is_empty());
    workspace.ok(&["review", "approve", id, "--as", "ravi", "--reason", "checked against the order"]);
    workspace.ok(&["run", "--once"]);
    assert_eq!(workspace.bookings().len(), 1);
    workspace.judge();
}

#[test]
fn one_order_written_in_two_ways_is_one_order_and_the_case_comes_to_rest() {
    let workspace = Workspace::new(None);
    let mut stream = demo::stream(1, 4, today());
    workspace.import(&stream.vendors_csv, &stream.orders_csv, &stream.receipts_csv);
    let (name, bytes) = stream.next().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let order = stream.orders_csv.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    workspace.drop_file("invoices", &name, text.replacen(&order, &order.to_lowercase(), 1).as_bytes());
    workspace.ok(&["run", "--once"]);
    assert_eq!(workspace.case_of(&name).unwrap()["state"], "Archived");
}

#[test]
fn what_the_policy_lets_through_alone_is_drawn_by_the_share_that_it_was_judged_under_and_listed() {
    let workspace = Workspace::new(None);
    let mut stream = demo::stream(20, 3, today());
    workspace.import(&stream.vendors_csv, &stream.orders_csv, &stream.receipts_csv);
    let runs = |documents: Vec<(String, Vec<u8>)>, percent: u8| -> Vec<Value> {
        let policy = workspace.dir.join("policies/checkpoints.toml");
        let text = std::fs::read_to_string(&policy).unwrap();
        let (before, after) = text.split_once("sample_percent = ").unwrap();
        let (_, after) = after.split_once('\n').unwrap();
        std::fs::write(&policy, format!("{before}sample_percent = {percent}\n{after}")).unwrap();
        documents.iter().for_each(|(name, bytes)| workspace.drop_file("invoices", name, bytes));
        workspace.ok(&["run", "--once"]);
        documents.iter().map(|(name, _)| workspace.case_of(name).unwrap()).collect()
    };
    // The last of twenty charges more than was ordered.
    let last = stream.nth(19).unwrap();
    let mut stream = demo::stream(20, 3, today());
    let not_drawn = runs(stream.by_ref().take(2).collect(), 0);
    let drawn = runs(stream.by_ref().take(3).collect(), 100);
    let held = runs(vec![last], 100).remove(0);
    assert!(not_drawn.iter().chain(&drawn).all(|case| case["state"] == "Archived"), "{not_drawn:?} {drawn:?}");
    assert_eq!(held["state"], "InReview");

    let ids = |cases: &[Value]| cases.iter().map(|it| it["case"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let sorted = |mut ids: Vec<String>| {
        ids.sort_unstable();
        ids
    };
    let listed = workspace.json(&["case", "list", "--sampled"]);
    assert_eq!(sorted(ids(&listed)), sorted(ids(&drawn)));
    assert!(listed.iter().all(|it| it["sampled"] == true), "{listed:?}");
    let cut = workspace.run(&["case", "list", "--sampled", "--rows", "2"]);
    assert_eq!(String::from_utf8_lossy(&cut.stdout).lines().count(), 2, "{cut:?}");
    assert!(String::from_utf8_lossy(&cut.stderr).contains("There are more than these 2"), "{cut:?}");
    assert_eq!(workspace.ok(&["case", "list", "--sampled", "--state", "InReview"]), "");

    let said = "In the straight-through sample: the policy let it through without a person, and draws 100 % of those";
    for (case, percent, sampled) in [(&drawn[0], 100, true), (&not_drawn[0], 0, false)] {
        assert_eq!(case["straight_through"], serde_json::json!({"sample_percent": percent, "sampled": sampled}));
        let shown = workspace.ok(&["case", "show", case["case"].as_str().unwrap()]);
        assert_eq!(shown.contains(said), sampled, "{shown}");
        assert!(shown.contains(&format!("sample_percent={percent}")), "as the log has it: {shown}");
    }
    assert_eq!(held.get("straight_through"), None, "{held}");
    workspace.judge();
}

#[test]
fn a_check_beside_a_running_service_finds_nothing_wrong() {
    let workspace = Workspace::new(None);
    let mut stream = demo::stream(60, 8, today());
    workspace.import(&stream.vendors_csv, &stream.orders_csv, &stream.receipts_csv);
    for (name, bytes) in stream.by_ref() {
        workspace.drop_file("invoices", &name, &bytes);
    }
    let mut service = workspace.start();
    let mut n_checks = 0;
    eventually("every case rests", 60, || {
        let report = workspace.json(&["check"]).remove(0);
        assert_eq!(report["faults"], Value::Array(Vec::new()), "{report}");
        n_checks += 1;
        let cases = workspace.cases();
        cases.len() == 60
            && cases.iter().all(|case| ["Archived", "InReview"].contains(&case["state"].as_str().unwrap()))
    });
    assert!(1 < n_checks, "nothing moved while it was checked: the test tested nothing");
    service.kill();
}

#[test]
fn a_contract_always_stops_for_legal_review_and_only_legal_can_let_it_on() {
    let workspace = Workspace::new(None);
    let cast = demo::cast(today());
    let contract = cast.documents.iter().find(|it| it.channel == "contracts").unwrap();
    workspace.drop_file("contracts", &contract.file_name, &contract.bytes);
    workspace.ok(&["run", "--once"]);
    let case = workspace.case_of(&contract.file_name).unwrap();
    let id = case["case"].as_str().unwrap();
    assert_eq!((case["state"].as_str(), case["kind"].as_str()), (Some("InReview"), Some("contract")));
    let refused = workspace.run(&["review", "approve", id, "--as", "ravi", "--reason", "business wants it"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    workspace.ok(&["review", "approve", id, "--as", "lena", "--reason", "our standard terms"]);
    workspace.ok(&["run", "--once"]);
    assert_eq!(workspace.case_of(&contract.file_name).unwrap()["state"], "Archived");
    workspace.judge();
}

#[test]
fn hostile_documents_end_in_quarantine_or_review_and_the_service_goes_on() {
    let workspace = Workspace::new(None);
    let hostile = demo::hostile();
    for (name, bytes) in &hostile {
        workspace.drop_file("mail", name, bytes);
    }
    workspace.ok(&["run", "--once"]);
    let cases = workspace.cases();
    let taken = hostile.iter().filter(|(_, bytes)| !bytes.is_empty()).count();
    assert_eq!(cases.len(), taken);
    for case in &cases {
        assert!(["Quarantined", "InReview"].contains(&case["state"].as_str().unwrap()), "{case}");
    }
    workspace.judge();
}

#[test]
fn unfinished_temporary_and_empty_files_stay_in_the_folder_and_a_copy_is_one_case_with_a_logged_twin() {
    let workspace = Workspace::new(None);
    let (_, bytes) = demo::stream(1, 5, today()).next().unwrap();
    let inbox = workspace.inbox();
    for name in ["a.xml.part", "b.crdownload", "~$c.docx", ".d.xml"] {
        std::fs::write(inbox.join(name), &bytes).unwrap();
    }
    std::fs::write(inbox.join("empty.xml"), b"").unwrap();
    workspace.drop_file("north", "e.xml", &bytes);
    workspace.ok(&["run", "--once"]);
    workspace.drop_file("south", "copy of e.xml", &bytes);
    workspace.ok(&["run", "--once"]);
    assert_eq!(workspace.files_in_flight(), 5, "left alone");
    let cases = workspace.cases();
    assert_eq!(cases.len(), 1);
    let events = workspace.json(&["case", "events", cases[0]["case"].as_str().unwrap()]);
    assert!(
        events.iter().any(|it| it["act"] == "case.duplicate" && it["said"]["twin"] == cases[0]["case"]),
        "{events:?}"
    );
    let report = workspace.judge();
    assert_eq!(
        (&report["channels"]["north"]["seen"], &report["channels"]["south"]["duplicates"]),
        (&Value::from(1), &Value::from(1))
    );
}

#[test]
fn a_file_that_cannot_be_taken_in_stays_where_it_was() {
    let workspace = Workspace::new(None);
    let (_, bytes) = demo::stream(1, 5, today()).next().unwrap();
    workspace.drop_file("north", "e.xml", &bytes);
    // Nothing can be sealed: the vault's place is taken by a file.
    let vault = workspace.dir.join("data/vault");
    std::fs::remove_dir_all(&vault).unwrap();
    let mut service = workspace.start();
    eventually("the service is up", 30, || vault.exists());
    std::fs::remove_dir_all(&vault).unwrap();
    std::fs::write(&vault, b"").unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(workspace.files_in_flight(), 1);
    std::fs::remove_file(&vault).unwrap();
    std::fs::create_dir_all(vault.join("new")).unwrap();
    eventually("the file is taken", 60, || workspace.files_in_flight() == 0);
    service.kill();
    assert_eq!(workspace.cases().len(), 1);
}

#[test]
fn a_policy_with_a_mistake_is_refused_with_its_place_and_the_old_one_stays_in_force() {
    let workspace = Workspace::new(None);
    let mut service = workspace.start();
    let export = workspace.dir.join("policy-export");
    let exported_with = |word: &[u8]| {
        let _ = std::fs::remove_dir_all(&export);
        workspace.ok(&["log", "export", export.to_str().unwrap(), "--as", "ada"]);
        holds(&export, word)
    };
    eventually("the policy is in force", 30, || exported_with(b"policy.load"));
    let path = workspace.dir.join("policies/tolerances.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("upper_percent = \"2\"", "upper_percent = 2.0")).unwrap();
    let output = workspace.run(&["policy", "check"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.starts_with("tolerances.toml:") && told.contains("in quotes"), "{told}");
    eventually("the refusal is an entry", 30, || exported_with(b"policy.refuse"));
    let (name, bytes) = demo::stream(1, 5, today()).next().unwrap();
    workspace.drop_file("invoices", &name, &bytes);
    eventually("an invoice is still judged", 30, || {
        workspace
            .case_of(&name)
            .is_some_and(|case| case["state"] == "InReview" && !case["checkpoints"].as_array().unwrap().is_empty())
    });
    service.kill();
}

fn holds(dir: &std::path::Path, text: &[u8]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds(&path, text)
        } else {
            std::fs::read(&path).unwrap().windows(text.len()).any(|it| it == text)
        }
    })
}

#[test]
fn asked_to_stop_the_service_finishes_what_it_does_and_says_so_in_the_log() {
    let workspace = Workspace::new(None);
    let mut stream = demo::stream(40, 9, today());
    workspace.import(&stream.vendors_csv, &stream.orders_csv, &stream.receipts_csv);
    for (name, bytes) in stream.by_ref() {
        workspace.drop_file("invoices", &name, &bytes);
    }
    let mut service = workspace.start();
    eventually("some are taken", 30, || !workspace.cases().is_empty());
    let ended = service.ask_to_stop();
    assert_eq!((ended.code(), ended.signal()), (Some(0), None));
    workspace.ok(&["run", "--once"]);
    assert_eq!(workspace.cases().len(), 40);
    workspace.judge();
}

#[test]
fn what_a_reviewer_corrected_once_is_read_right_in_the_vendors_next_document() {
    let workspace = Workspace::new(None);
    let vendors = workspace.dir.join("vendors.csv");
    std::fs::write(&vendors, format!("vendor_id,name,vat_id\nV1,{},DE811907980\n", seller().name)).unwrap();
    workspace.ok(&["import", "vendors", vendors.to_str().unwrap(), "--as", "olivia"]);
    // Each over another quantity: the same amount again within days would be held as one invoice twice.
    let invoice = |number: &str, mark: &str| {
        let quantity = number.bytes().map(u32::from).sum::<u32>().into();
        let line = demo::Line { quantity, ..wrench() };
        demo::Invoice {
            buyer_ref: mark.to_owned(),
            ..demo::Invoice::new(number, today(), seller(), demo::buyer(), vec![line])
        }
    };
    let arrive = |number: &str, mark: &str| {
        let name = format!("{number}.pdf");
        workspace.drop_file("invoices", &name, &demo::invoice(&invoice(number, mark), demo::Format::Pdf));
        workspace.ok(&["run", "--once"]);
        workspace.case_of(&name).unwrap()
    };
    let number = |case: &Value| case["values"]["fields"]["number"]["value"].as_str().unwrap().to_owned();
    let case = arrive("RE-1001", "K-17/1");
    assert_eq!(number(&case), "RE-1001");
    // This vendor's own number of the invoice stands where nobody would look for it.
    let id = case["case"].as_str().unwrap();
    let set = ["--reason", "their number is the mark", "--set", "number=K-17/1"];
    workspace.ok(&[&["review", "correct", id, "--as", "rita"][..], &set].concat());
    // What one person changed alone is used for nothing yet.
    let case = arrive("RE-1002", "K-17/2");
    assert_eq!(number(&case), "RE-1002");
    let approve = |case: &str| {
        workspace.ok(&["review", "approve", case, "--as", "ravi", "--reason", "as on the paper"]);
        workspace.ok(&["run", "--once"]);
    };
    approve(id);
    // It contradicts what the reader found, so a person looks at the first document that it is used for.
    let told = |case: &Value, rule: &str| case["findings"].as_array().unwrap().iter().any(|it| it["rule"] == rule);
    let case = arrive("RE-1003", "K-17/3");
    assert_eq!(number(&case), "K-17/3", "{case}");
    assert!(told(&case, "read.remembered_otherwise"), "{}", case["findings"]);
    approve(case["case"].as_str().unwrap());
    let case = arrive("RE-1004", "K-17/4");
    assert_eq!(number(&case), "K-17/4", "{case}");
    assert!(told(&case, "read.remembered"), "{}", case["findings"]);
    workspace.judge();
}

fn seller() -> demo::Party {
    demo::Party {
        name: "Nordlicht Werkzeuge GmbH".into(),
        country: "DE".into(),
        vat_id: Some("DE811907980".into()),
        ..demo::buyer()
    }
}

fn wrench() -> demo::Line {
    demo::Line {
        order_line: None,
        name: "Torque wrench".into(),
        quantity: 10.into(),
        unit: "C62".into(),
        unit_price: 25.into(),
        vat: demo::Vat::Standard(19.into()),
        net: None,
    }
}
