//! `import` and `facts`, as the people who use them see them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;

use case::{CallBack, Fact, FactKind, Key, PayeeDeed, Payment, Role, Timestamp, Vendor};
use serde_json::{Value, json};
use store::Store;

use crate::program::Workspace;
use crate::support::{NOW, moulds, on_both, person, seconds_later};

/// Brings in a file and gives its lines of JSON, and whether the answer was good.
#[track_caller]
fn import(books: &Workspace, kind: &str, name: &str, text: &str) -> (Vec<Value>, bool) {
    let path = books.dir.join(name);
    fs::write(&path, text).unwrap();
    let output = books.run(&["import", kind, path.to_str().unwrap(), "--as", "olivia", "--json"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), output.status.success())
}

fn counts(new: u64, changed: u64, same: u64, refused: u64, replaced: u64) -> Value {
    json!({"new": new, "changed": changed, "same": same, "refused": refused, "replaced": replaced, "unknown_vendors": 0})
}

const VENDORS: &str = "vendor_id,name,vat_id,iban
V1,Acme,DE123456789,DE02120300000000202051
V2,Wrong,,DE03120300000000202051
V3,First,,
V3,Last,,
";

#[test]
fn a_refused_row_is_told_the_rest_goes_in_and_the_same_file_again_changes_nothing() {
    let books = Workspace::new(None);
    for expected in [counts(2, 0, 0, 1, 1), counts(0, 0, 2, 1, 1)] {
        let (lines, good) = import(&books, "vendors", "vendors.csv", VENDORS);
        let refused = json!({"row": 3, "column": "iban", "value": "DE03120300000000202051",
                             "refused": "is no IBAN: its check digits are wrong"});
        assert_eq!((lines, good), (vec![refused, expected], false));
    }
    let found = books.json(&["facts", "show", "vendors", "v3", "--as", "rita"]);
    assert_eq!((found.len(), found[0]["fact"]["name"].as_str()), (1, Some("Last")));
    let none = books.run(&["facts", "show", "vendors", "V2", "--as", "rita"]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    // A column that nobody knows stops it before anything goes in.
    let path = books.dir.join("more.csv");
    fs::write(&path, "vendor_id,name,col\u{1b}[31mour\nV4,A,red\n").unwrap();
    let output = books.run(&["import", "vendors", path.to_str().unwrap(), "--as", "olivia"]);
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(said.contains("`col\u{fffd}[31mour` is no column; the columns of vendors are vendor_id, name"), "{said}");
    assert_eq!(books.run(&["facts", "show", "vendors", "V4", "--as", "rita"]).status.code(), Some(1));
}

#[test]
fn the_exit_code_tells_a_fault_of_the_file_from_a_wrong_order_and_from_what_is_not_known() {
    let books = Workspace::new(None);
    let ended = |args: &[&str]| {
        let output = books.run(args);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let file = |name: &str, text: &str| {
        fs::write(books.dir.join(name), text).unwrap();
        books.dir.join(name).to_str().unwrap().to_owned()
    };
    for (kind, name, text, code) in [
        ("vendors", "wrong.csv", "vendor_id,nam\nV1,x\n", 1),
        ("vendors", "empty.csv", "", 1),
        ("vendors", "cut.json", "[{\"vendor_id\":", 1),
        ("vendors", "vendors.txt", VENDORS, 2),
    ] {
        let (ended, said) = ended(&["import", kind, &file(name, text), "--as", "olivia"]);
        assert_eq!(ended, Some(code), "{name}: {said}");
    }
    let folder = books.dir.to_str().unwrap().to_owned();
    for missing in [folder.as_str(), "/no/such/file.csv"] {
        assert_eq!(ended(&["import", "vendors", missing, "--as", "olivia"]).0, Some(2));
        let statement = ["reconcile", "statement", "V1", missing, "--on", "2026-06-30", "--as", "olivia"];
        assert_eq!(ended(&statement).0, Some(2));
    }
    let right = file("statement.csv", "number,date,amount\nR-1,2026-06-01,10\n");
    for args in [
        &["reconcile", "statement", "V9", &right, "--on", "2026-06-30", "--as", "olivia"][..],
        &["payee", "propose", "V9", "DE02120300000000202051", "--as", "olivia"],
        &["payee", "list", "V9", "--as", "rita"],
        &["facts", "ledger", "P9", "--as", "rita"],
        &["case", "find", "nothing says this", "--as", "rita"],
    ] {
        let (ended, said) = ended(args);
        assert_eq!(ended, Some(1), "{args:?}: {said}");
    }
    let typo = Workspace::new(None);
    fs::write(typo.dir.join("countersign.toml"), "databse = \"x\"\n").unwrap();
    let loose = books.dir.join("loose");
    fs::create_dir(&loose).unwrap();
    fs::write(loose.join("tolerances.toml"), "nothing = ").unwrap();
    let (loose, typo) = (loose.to_str().unwrap(), typo.dir.to_str().unwrap());
    let settings = books.dir.join("countersign.toml");
    let settings = settings.to_str().unwrap();
    let replayed = |new| ["policy", "diff", new, "--over", "2026", "--as", "rita"];
    for (code, args) in [
        (1, &["case", "show", "8f677x"][..]),
        (1, &["account", "link", "nobody"]),
        (1, &["policy", "approve", "deadbeef", "--as", "ravi"]),
        (1, &replayed(loose)),
        (2, &replayed("/no/such/folder")),
        (2, &["account", "add", "--name", "", "--role", "admin", "--link-only"]),
        (2, &["account", "add", "--name", "rita", "--role", "admin", "--link-only"]),
        (2, &["backup", "/no/such/folder/books", "--keys-to", "/no/such/folder/keys", "--as", "adam"]),
        (2, &["restore", "/no/such/folder", "--keys-from", "/no/such/folder"]),
    ] {
        let (ended, said) = ended(args);
        assert_eq!(ended, Some(code), "{args:?}: {said}");
    }
    for (code, args) in [
        (1, &["account", "list", "-C", typo][..]),
        (2, &["account", "list", "-C", "/no/such/folder"]),
        (2, &["extract", "."]),
        (2, &["validate", "/no/such/file"]),
        (2, &["init", folder.as_str()]),
        (2, &["init", settings]),
    ] {
        let output = books.command(args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    }
    // Whoever may not bring anything in is told so, and nothing of the file.
    let (ended, said) = ended(&["import", "vendors", &file("cut.json", "["), "--as", "rita"]);
    assert_eq!((ended, said.trim_end()), (Some(1), "error: this needs the role operator or admin"));
}

#[test]
fn order_lines_of_vendors_that_are_not_known_are_counted() {
    let books = Workspace::new(None);
    import(&books, "vendors", "vendors.csv", "vendor_id;name\nV1;Acme\n");
    let orders =
        "order_id,vendor_id,currency,line,quantity,unit,unit_price\nP1,V1,EUR,1,50,C62,2.50\nP2,V9,EUR,1,5,C62,1\n";
    assert_eq!(import(&books, "orders", "orders.csv", orders).0[0]["unknown_vendors"], 1, "V9 is not known");
}

#[test]
fn what_was_known_before_and_what_was_so_on_a_day_are_both_answered() {
    let books = Workspace::new(None);
    let rate = |rate: &str| {
        let header = "contract_id,vendor_id,valid_from,valid_to,currency,item,rate";
        let rows = format!("K-1,V1,2026-01-01,2026-06-30,EUR,A,{rate}\nK-1,V1,2026-07-01,,EUR,A,12\n");
        import(&books, "contracts", "contracts.csv", &format!("{header}\n{rows}")).0
    };
    assert_eq!(rate("10"), [counts(2, 0, 0, 0, 0)]);
    let show = |more: &[&str]| -> Vec<Value> {
        books.json(&[&["facts", "show", "contracts", "K-1", "--as", "rita"][..], more].concat())
    };
    let before = show(&[])[0]["known_from"].as_str().unwrap().to_owned();
    assert_eq!(rate("11"), [counts(0, 1, 1, 0, 0)]);
    let rates = |found: &[Value]| -> Vec<String> {
        found.iter().map(|it| it["fact"]["rate"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rates(&show(&[])), ["11", "12"]);
    assert_eq!(rates(&show(&["--valid-on", "2026-06-30"])), ["11"]);
    assert_eq!(rates(&show(&["--valid-on", "2026-06-30", "--as-known-on", &before])), ["10"]);
    assert_eq!(rates(&show(&["--valid-on", "2026-07-01", "--as-known-on", &before])), ["12"]);
}

#[test]
fn what_is_known_and_not_asked_for_is_not_called_unknown() {
    let books = Workspace::new(None);
    let vendor = |iban: &str| format!("vendor_id,name,vat_id,iban,valid_from\nV1,Acme,DE317225902,{iban},2026-01-01\n");
    import(&books, "vendors", "vendors.csv", &vendor("DE89370400440532013000"));
    import(&books, "vendors", "vendors.csv", &vendor("DE75512108001245126199"));
    books.ok(&["payee", "propose", "V1", "DE02120300000000202051", "--as", "rita"]);
    books.ok(&["payee", "close", "V1", "DE02120300000000202051", "--as", "rita"]);
    let contract =
        "contract_id,vendor_id,valid_from,valid_to,currency,item,rate\nK-1,V1,2026-01-01,2026-12-31,EUR,A,1\n";
    import(&books, "contracts", "contracts.csv", contract);
    import(&books, "employees", "employees.csv", "employee_id,name,iban\nE-7,Jo,DE89370400440532013000\n");
    let show = |who: &str, asked: &[&str]| {
        let output = books.run(&[&["facts", "show"][..], asked, &["--as", who]].concat());
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, told) = show("rita", &["accounts", "V1"]);
    assert_eq!(code, Some(0));
    for said in ["approved since 2026-01-01", "waits for its second person", "refused, never approved", "by rita"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(!told.contains("usr_"), "{told}");
    let (_, told) = show("rita", &["accounts", "V1", "--valid-on", "2026-06-30"]);
    assert_eq!(told.matches("vendor_id").count(), 1, "{told}");
    assert!(told.contains("DE89370400440532013000"), "{told}");
    let (code, told) = show("rita", &["accounts", "V1", "--valid-on", "2025-06-30"]);
    assert!(code == Some(1) && told.contains("known, and could not be paid to on 2025-06-30 (approved"), "{told}");
    let (code, told) = show("rita", &["contracts", "K-1", "--valid-on", "2027-01-01"]);
    let said = "known, and was not valid on 2027-01-01 (valid from 2026-01-01 to 2026-12-31)";
    assert!(code == Some(1) && told.contains(said), "{told}");
    let (code, told) = show("rita", &["contracts", "K-1", "--as-known-on", "2020-01-01T00:00:00Z"]);
    assert!(code == Some(1) && told.contains("what is known now is known since 20"), "{told}");
    assert!(show("rita", &["contracts", "K-2", "--valid-on", "2027-01-01"]).1.contains("no contracts are known under"));
    // Accounts, of people too, are for whoever may do something about one.
    assert!(show("rita", &["employees", "DE89370400440532013000"]).1.contains("E-7"));
    for kind in ["accounts", "employees", "bank-statements"] {
        let (code, told) = show("ada", &[kind, "V1"]);
        assert!(code != Some(0) && told.contains("needs the role operator"), "{kind}: {told}");
    }
}

#[test]
fn the_ledger_of_an_order_counts_receipts_and_returns_in_the_unit_of_its_line() {
    let books = Workspace::new(None);
    let order = "order_id,vendor_id,currency,line,quantity,unit,unit_price\nP1,V1,EUR,10,50,C62,2.50\n";
    import(&books, "orders", "orders.csv", order);
    import(&books, "units", "units.csv", "from_unit,to_unit,factor\nCT,C62,20\n");
    let receipts =
        "receipt_id,order_id,line,quantity,date,unit,returned\nR1,P1,10,2,2026-02-01,CT,\nR2,P1,10,5,2026-02-02,,1\n";
    import(&books, "receipts", "receipts.csv", receipts);
    let ledger = books.json(&["facts", "ledger", "p1", "--as", "rita"]);
    let figure = |name: &str| ledger[0][name].as_str().unwrap().parse::<case::Decimal>().unwrap();
    assert_eq!((figure("ordered"), figure("received"), figure("returned")), (50.into(), 45.into(), 1.into()));
}

#[test]
fn an_invoice_of_a_vendor_that_is_not_known_goes_in_and_is_told() {
    let books = Workspace::new(None);
    let seller = "vendor_id,name,vat_id\nV1,Acme,DE123456789\n";
    let paid = "vendor_id,number,date,currency,gross\nV1,R-17,2026-01-31,EUR,119.00\nV9,R-18,2026-01-31,EUR,10\n";
    import(&books, "vendors", "vendors.csv", seller);
    let (lines, _) = import(&books, "invoices", "paid.csv", paid);
    assert_eq!(lines[0]["unknown_vendors"], 1, "V9 is not known");
    assert_eq!(import(&books, "invoices", "paid.csv", paid).0[0]["same"], 2);
}

#[test]
fn accounts_are_shown_to_those_who_may_bring_one_in_and_orders_to_those_who_may_look_at_cases() {
    let books = Workspace::new(None);
    import(&books, "vendors", "vendors.csv", VENDORS);
    let order = "order_id,vendor_id,currency,line,quantity,unit,unit_price\nP1,V1,EUR,10,50,C62,2.50\n";
    import(&books, "orders", "orders.csv", order);
    for (asked, others, nobody) in
        [(&["facts", "show", "accounts", "V1"][..], "adam", "ada"), (&["facts", "ledger", "P1"], "ada", "adam")]
    {
        let by = |who| books.run(&[asked, &["--as", who]].concat());
        assert_eq!(books.run(asked).status.code(), Some(2), "nobody is named");
        let refused = by(nobody);
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{nobody}: {refused:?}");
        assert!(by("rita").status.success() && by(others).status.success());
    }
}

#[test]
fn a_conversion_of_one_item_is_asked_for_with_its_item() {
    let books = Workspace::new(None);
    let order = "order_id,vendor_id,currency,line,quantity,unit,unit_price,item\nP1,V1,EUR,10,50,C62,2.50,Bolt\n";
    import(&books, "orders", "orders.csv", order);
    let units = "from_unit,to_unit,factor,item\nCT,C62,20,BOLT\nCT,C62,7,NUT\nCT,C62,3,\n";
    import(&books, "units", "units.csv", units);
    let receipts = "receipt_id,order_id,line,quantity,date,unit\nR1,P1,10,2,2026-02-01,CT\n";
    import(&books, "receipts", "receipts.csv", receipts);
    let ledger = books.json(&["facts", "ledger", "p1", "--as", "rita"]);
    assert_eq!(ledger[0]["received"].as_str().unwrap().parse(), Ok(case::Decimal::from(40)));
    let factors = |more: &[&str]| -> Vec<String> {
        let found = books.json(&[&["facts", "show", "units", "c62", "--as", "rita"][..], more].concat());
        found.iter().map(|it| it["fact"]["factor"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(factors(&[]), ["3"]);
    assert_eq!(factors(&["--item", "nut"]), ["7"]);
    let orders = books.run(&["facts", "show", "orders", "P1", "--item", "nut", "--as", "rita"]);
    assert!(String::from_utf8(orders.stderr.clone()).unwrap().contains("`--item` is for units"), "{orders:?}");
    assert_eq!(orders.status.code(), Some(2), "it is wrong use");
    let init = books.command(&["init", books.dir.to_str().unwrap()]).output().unwrap();
    assert!(String::from_utf8(init.stderr.clone()).unwrap().contains("has a workspace already"), "{init:?}");
    assert_eq!(init.status.code(), Some(2), "it is wrong use too");
    books.ok(&["check"]);
}

fn vendor(n: usize, name: &str) -> Fact {
    let digits = format!("{:018}", 370_400_440_532_013_000_usize + n);
    Fact::Vendor(Vendor {
        vendor_id: format!("V{n}"),
        name: name.to_owned(),
        vat_id: None,
        tax_id: None,
        country: None,
        iban: Some(format!("DE00{digits}")),
        bic: None,
        group: None,
        valid_from: None,
    })
}

fn payment(n: usize) -> Fact {
    Fact::Payment(Payment {
        payment_id: format!("B-{n}"),
        date: NOW.date(),
        amount: (-5).into(),
        currency: "EUR".into(),
        iban: None,
        text: "fee".into(),
    })
}

async fn brought_in(
    store: &Store,
    kind: FactKind,
    facts: &[Fact],
    now: Timestamp,
) -> Result<store::Imported, store::Error> {
    store.import(kind, facts, &person("usr_olivia", &[Role::Operator], 1), now).await
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_bring_in_the_same_rows_at_once_are_all_served_and_each_row_goes_in_once() {
    on_both(async |place| {
        for round in 0..4 {
            let lot: Vec<Fact> = (0..200).map(|n| vendor(n, &format!("Name {round}"))).collect();
            let mut tasks = Vec::new();
            for _ in 0..4 {
                let (store, lot) = (place.store.clone(), lot.clone());
                tasks.push(tokio::spawn(async move { brought_in(&store, FactKind::Vendors, &lot, NOW).await }));
            }
            let mut written = 0;
            for task in tasks {
                let done = task.await.unwrap().unwrap();
                written += done.new + done.changed;
                assert_eq!(done.new + done.changed + done.same, 200);
            }
            assert_eq!(written, 200);
        }
    })
    .await;
}

/// What is done by hand to what was imported, in the database: a vendor in two versions, another one, and a payment.
const BY_HAND: [(&str, &str, &str); 5] = [
    (
        "the newest version of a vendor is taken away and the one before it opened again",
        "DELETE FROM fact_keys WHERE fact_id = $NEWEST;; DELETE FROM facts WHERE fact_id = $NEWEST;;
         UPDATE facts SET known_to = 9223372036854775807 WHERE fact_id = $FIRST",
        "imported vendors",
    ),
    (
        "a vendor is taken away, with all that is known of it",
        "DELETE FROM fact_keys WHERE fact_id = $OTHER;; DELETE FROM facts WHERE fact_id = $OTHER",
        "imported vendors",
    ),
    (
        "an account is taken away",
        "DELETE FROM fact_keys WHERE fact_id = $ACCOUNT;; DELETE FROM facts WHERE fact_id = $ACCOUNT",
        "imported accounts",
    ),
    (
        "that a payment waits to be settled is taken away",
        "DELETE FROM fact_keys WHERE fact_id = $WAITS;; DELETE FROM facts WHERE fact_id = $WAITS",
        "imported settlements",
    ),
    (
        "a version that is taken away is made up for by a copy of another",
        "DELETE FROM fact_keys WHERE fact_id = $NEWEST;; DELETE FROM facts WHERE fact_id = $NEWEST;;
         UPDATE facts SET known_to = 9223372036854775807 WHERE fact_id = $FIRST;;
         UPDATE facts SET known_to = known_from WHERE fact_id = $OTHER;;
         INSERT INTO facts (fact_id, kind, fact_key, known_by, known_from, known_to, digest_key, body)
         SELECT 1000, kind, fact_key, known_by, known_from, 9223372036854775807, digest_key, body FROM facts WHERE fact_id = $OTHER;;
         INSERT INTO fact_keys (lookup_key, fact_id) SELECT lookup_key, 1000 FROM fact_keys WHERE fact_id = $OTHER",
        "facts/1000",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_of_what_was_imported_is_seen() {
    for mould in moulds().await {
        for (name, sql, about) in BY_HAND {
            let place = mould.fresh().await;
            for (kind, fact, now) in [
                (FactKind::Vendors, vendor(1, "First"), NOW),
                (FactKind::Vendors, vendor(2, "Other"), NOW),
                (FactKind::Payments, payment(1), NOW),
                (FactKind::Vendors, vendor(1, "Second"), seconds_later(1)),
            ] {
                brought_in(&place.store, kind, &[fact], now).await.unwrap();
            }
            let known = place.store.facts_by_key(&Key::vendor("V1"), None).await.unwrap();
            assert!(matches!(&known[0].fact, Fact::Vendor(it) if it.name == "Second"));
            assert_eq!(place.store.check(false, None, NOW).await.unwrap().faults, []);
            let mut sql = sql.to_owned();
            for (name, kind, nth) in [
                ("$FIRST", "vendors", 0),
                ("$OTHER", "vendors", 1),
                ("$NEWEST", "vendors", 2),
                ("$ACCOUNT", "accounts", 0),
                ("$WAITS", "settlements", 0),
            ] {
                let bytes = if place.config.database.starts_with("postgres") { "BYTEA" } else { "BLOB" };
                let ids = format!(
                    "SELECT CAST(CAST(fact_id AS TEXT) AS {bytes}) FROM facts WHERE kind = '{kind}' ORDER BY facts.fact_id"
                );
                let id = place.bytes(&ids).await.swap_remove(nth);
                sql = sql.replace(name, &String::from_utf8(id).unwrap());
            }
            for sql in sql.split(";;") {
                assert_ne!(place.execute(sql).await.unwrap(), 0, "{name}: {sql}");
            }
            let faults = place.store.check(false, None, NOW).await.unwrap().faults;
            assert!(faults.iter().any(|fault| fault.about == about), "{name}: {faults:?}");
            place.remove().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_facts_those_are_named_that_are_not_found_under_their_keys() {
    for mould in moulds().await {
        let place = mould.fresh().await;
        let lot: Vec<Fact> = (0..2_500).map(|n| vendor(n, &format!("Name {n}"))).collect();
        brought_in(&place.store, FactKind::Vendors, &lot, NOW).await.unwrap();
        assert_eq!(place.store.check(false, None, NOW).await.unwrap().faults, []);
        let more =
            "INSERT INTO fact_keys (lookup_key, fact_id) SELECT digest_key, fact_id FROM facts WHERE fact_id = 7";
        let fewer = "DELETE FROM fact_keys WHERE fact_id = 2300 AND lookup_key = (SELECT lookup_key FROM fact_keys WHERE fact_id = 2300 ORDER BY lookup_key LIMIT 1)";
        for sql in [more, fewer] {
            assert_eq!(place.execute(sql).await.unwrap(), 1);
        }
        let faults = place.store.check(false, None, NOW).await.unwrap().faults;
        let named: Vec<(&str, &str)> = faults.iter().map(|it| (it.about.as_str(), it.what.as_str())).collect();
        let what = "it is not found under its keys";
        assert_eq!(named, [("facts/7", what), ("facts/2300", what)]);
        place.remove().await;
    }
}

/// Records of companies: an account that may be paid to by one person's word is the first of a company, not of a number.
#[tokio::test(flavor = "multi_thread")]
async fn another_record_of_a_known_company_brings_in_no_account_that_may_be_paid_to() {
    for mould in moulds().await {
        let place = mould.fresh().await;
        let first = record("V1", "Acme GmbH", Some("DE123456789"), Some(KNOWN));
        brought_in(&place.store, FactKind::Vendors, &[first], NOW).await.unwrap();
        let later = [
            // A branch that is paid to the same account.
            (record("V5", "Acme GmbH", Some("DE123456789"), Some(KNOWN)), true),
            (record("V2", "Acme Two", Some("DE 123456789"), Some(OTHER)), false),
            // Another company of the same name.
            (record("V4", "Acme GmbH", Some("DE987654328"), Some(OTHER)), true),
            // Either of them, and somebody else.
            (record("V3", "ACME GmbH", None, Some(OTHER)), false),
            (record("V6", "Nordwind GmbH", None, Some(OTHER)), true),
        ];
        // Two records of one company in one file.
        let pair = [record("V7", "Pair", Some("FR1"), Some(KNOWN)), record("V8", "Pair", Some("FR1"), Some(OTHER))];
        for (fact, _) in &later {
            brought_in(&place.store, FactKind::Vendors, std::slice::from_ref(fact), NOW).await.unwrap();
        }
        brought_in(&place.store, FactKind::Vendors, &pair, NOW).await.unwrap();
        let expected = [("V1", true), ("V7", true), ("V8", false)].into_iter();
        let later = later.iter().map(|(fact, approved)| match fact {
            Fact::Vendor(it) => (it.vendor_id.as_str(), *approved),
            _ => unreachable!(),
        });
        for (id, expected) in expected.chain(later) {
            assert_eq!(approved(&place.store, id).await, [expected], "{id}");
        }
        place.remove().await;
    }
}

/// What one person can write, or take out, of the first record opens no account to the second.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_record_of_a_company_waits_whatever_the_first_says_of_its_account() {
    for mould in moulds().await {
        let place = mould.fresh().await;
        let store = &place.store;
        let bring = async |records: &[Fact]| {
            for record in records {
                brought_in(store, FactKind::Vendors, std::slice::from_ref(record), NOW).await.unwrap();
            }
        };
        // Its account was proposed and confirmed, and stands in no record; then there is a record without one for it.
        bring(&[record("A1", "Alder", Some("FR1"), None)]).await;
        let call = CallBack {
            number: "+49 30 1234567".into(),
            spoke_with: "Ms Sommer".into(),
            answer: "the account is ours".into(),
            on: NOW.date(),
        };
        for (deed, who) in [(PayeeDeed::Propose { bic: None }, "usr_a"), (PayeeDeed::Confirm { call }, "usr_b")] {
            let by = person(who, &[Role::Operator, Role::Reviewer], 2);
            store.payee("A1", KNOWN, deed, None, &by, NOW).await.unwrap();
        }
        bring(&[record("A2", "Alder Two", Some("FR1"), Some(OTHER))]).await;
        // The one that came with it was taken out of its record.
        bring(&[record("B1", "Birch", Some("FR2"), Some(KNOWN)), record("B1", "Birch", Some("FR2"), None)]).await;
        bring(&[record("B2", "Birch Two", Some("FR2"), Some(OTHER))]).await;
        // Another one was written into its record, and waits there.
        bring(&[record("C1", "Cedar", Some("FR3"), Some(KNOWN)), record("C1", "Cedar", Some("FR3"), Some(OTHER))])
            .await;
        bring(&[record("C2", "Cedar Two", Some("FR3"), Some(OTHER))]).await;
        // Its VAT id stands there without the letters of its country.
        bring(&[record("D1", "Daisy", Some("123456789"), Some(KNOWN))]).await;
        bring(&[record("D2", "Daisy", Some("DE123456789"), Some(OTHER))]).await;
        bring(&[record("D3", "Daisy Two", Some("DE123456789"), Some(OTHER))]).await;
        // It is known without any account; so a change of its own record would wait, too.
        bring(&[record("E1", "Elm", Some("FR5"), None), record("E2", "Elm", Some("FR5"), Some(OTHER))]).await;
        for id in ["A2", "B2", "C2", "D2", "D3", "E2"] {
            assert_eq!(approved(store, id).await, [false], "{id}");
        }
        // What is paid to already may be paid to.
        bring(&[record("A3", "Alder Three", Some("FR1"), Some(KNOWN))]).await;
        assert_eq!(approved(store, "A3").await, [false], "not while A2 waits for another one");
        bring(&[record("F1", "Fir", Some("FR6"), Some(KNOWN)), record("F2", "Fir", Some("FR6"), Some(KNOWN))]).await;
        assert_eq!(approved(store, "F2").await, [true]);
        place.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_waiting_accounts_begins_with_the_longest_waiting_and_opens_no_others() {
    for mould in moulds().await {
        let place = mould.fresh().await;
        let store = &place.store;
        // Each has two accounts: the second of them waits.
        for n in [3, 1, 2] {
            for iban in [n, n + 10] {
                let Fact::Vendor(it) = vendor(iban, "Name") else { unreachable!() };
                let changed = Vendor { vendor_id: format!("V{n}"), name: format!("Name {n}"), ..it };
                brought_in(store, FactKind::Vendors, &[Fact::Vendor(changed)], NOW).await.unwrap();
            }
        }
        let last = "UPDATE facts SET body = digest_key WHERE fact_id = (SELECT MAX(fact_id) FROM facts)";
        assert_eq!(place.execute(last).await.unwrap(), 1);
        assert_eq!(store.n_accounts_waiting().await.unwrap(), 3);
        for (skip, expected) in [(0, vec!["V3", "V1"]), (1, vec!["V1"])] {
            let page = store.accounts_waiting(skip, expected.len()).await.unwrap();
            let ids: Vec<&str> = page.iter().map(|it| it.account.vendor_id.as_str()).collect();
            assert_eq!(ids, expected);
        }
        let damaged = store.accounts_waiting(2, 1).await;
        assert!(damaged.is_err(), "{damaged:?}");
        place.remove().await;
    }
}

const KNOWN: &str = "DE02120300000000202051";
const OTHER: &str = "DE89370400440532013000";

fn record(id: &str, name: &str, vat_id: Option<&str>, iban: Option<&str>) -> Fact {
    Fact::Vendor(Vendor {
        vendor_id: id.into(),
        name: name.into(),
        vat_id: vat_id.map(str::to_owned),
        tax_id: None,
        country: None,
        iban: iban.map(str::to_owned),
        bic: None,
        group: None,
        valid_from: None,
    })
}

/// Of each account of a vendor, whether it may be paid to.
async fn approved(store: &Store, id: &str) -> Vec<bool> {
    let found = store.facts_by_key(&Key::accounts_of(id), None).await.unwrap();
    let accounts = found.iter().filter_map(|it| match &it.fact {
        Fact::Account(account) => Some(account.approved_from.is_some()),
        _ => None,
    });
    accounts.collect()
}
