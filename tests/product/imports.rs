//! `import` and `facts`, as the people who use them see them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;

use crate::program::Workspace;
use serde_json::{Value, json};

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
    assert_eq!(none.status.code(), Some(2), "{none:?}");
    // A column that nobody knows stops it before anything goes in.
    let path = books.dir.join("more.json");
    fs::write(&path, r#"[{"vendor_id":"V4","name":"A"},{"vendor_id":"V5","name":"B","colour":"red"}]"#).unwrap();
    let output = books.run(&["import", "vendors", path.to_str().unwrap(), "--as", "olivia"]);
    assert!(String::from_utf8(output.stderr.clone()).unwrap().contains("a column `colour`"), "{output:?}");
    assert_eq!(books.run(&["facts", "show", "vendors", "V4", "--as", "rita"]).status.code(), Some(2));
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
fn accounts_and_orders_are_shown_to_those_who_may_look_at_cases() {
    let books = Workspace::new(None);
    import(&books, "vendors", "vendors.csv", VENDORS);
    let order = "order_id,vendor_id,currency,line,quantity,unit,unit_price\nP1,V1,EUR,10,50,C62,2.50\n";
    import(&books, "orders", "orders.csv", order);
    for asked in [&["facts", "show", "accounts", "V1"][..], &["facts", "ledger", "P1"]] {
        let by = |who| books.run(&[asked, &["--as", who]].concat());
        assert_eq!(books.run(asked).status.code(), Some(2), "nobody is named");
        let refused = by("adam");
        assert!(!refused.status.success() && refused.stdout.is_empty(), "an admin sees no cases: {refused:?}");
        assert!(by("rita").status.success() && by("ada").status.success());
    }
}
