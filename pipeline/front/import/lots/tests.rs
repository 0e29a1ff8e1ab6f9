#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::io::Write;

use case::{Bill, Decimal, OrderLine};
use clap::ValueEnum;

use super::*;

#[derive(Default)]
struct Found {
    facts: Vec<Fact>,
    refused: Vec<Refused>,
    n_replaced: u64,
    lots: Vec<usize>,
}

#[track_caller]
fn import(kind: Kind, csv: &str) -> Found {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    file.write_all(csv.as_bytes()).unwrap();
    let plan = plan(kind, file.path()).unwrap();
    let mut found = Found::default();
    lots(kind, file.path(), &plan, &mut |lot| {
        found.lots.push(lot.facts.len());
        found.facts.extend(lot.facts);
        found.refused.extend(lot.refused);
        found.n_replaced += lot.n_replaced;
        Ok(())
    })
    .unwrap();
    found
}

/// Why a file of one row is refused, and in which column; empty where it goes in.
#[track_caller]
fn why(kind: Kind, header: &str, row: &str) -> String {
    let found = import(kind, &format!("{header}\n{row}\n"));
    assert_eq!(found.facts.len() + found.refused.len(), 1);
    found.refused.first().map(|it| format!("{} `{}` {}", it.column, it.value, it.why)).unwrap_or_default()
}

const ORDER: &str = "order_id,vendor_id,currency,line,quantity,unit,unit_price";

fn order_line(columns: &str, values: &str) -> OrderLine {
    let found = import(Kind::Orders, &format!("{ORDER}{columns}\nP1,V1,EUR,1,10,C62,2.50{values}\n"));
    let [Fact::OrderLine(line)] = found.facts.as_slice() else { panic!("{:?}", found.refused) };
    line.clone()
}

#[test]
fn a_wrong_row_is_reported_with_its_number_column_value_and_reason_and_the_rest_goes_in() {
    let found = import(
        Kind::Orders,
        &format!("{ORDER}\nP1,V1,EUR,1,10,C62,2.50\nP1,V1,EUR,2,ten,C62,2.50\nP1,V1,EURO,3,1,C62,1\n"),
    );
    assert_eq!(found.facts.len(), 1);
    let said: Vec<_> = found.refused.iter().map(|it| (it.row, it.column.as_str(), it.value.as_str())).collect();
    assert_eq!(said, [(3, "quantity", "ten"), (4, "currency", "EURO")]);
    assert_eq!(found.refused[0].why, "expected a number as 1000.50");
}

#[test]
fn every_limit_of_a_column_is_kept() {
    let long = "x".repeat(101);
    let rows: &[(Kind, &str, &str, &str)] = &[
        (Kind::Vendors, "vendor_id,name", ",A", "vendor_id `` is required"),
        (Kind::Vendors, "vendor_id,name", &format!("{long},A"), "has 101 characters, more than 100"),
        (Kind::Vendors, "vendor_id,name", &format!("V,{}", long.repeat(10)), "more than 1000"),
        (Kind::Vendors, "vendor_id,name", "\"V\n1\",A", "line break"),
        (Kind::Vendors, "vendor_id,name,iban", "V,A,de02 1203 0000 0000 2020 51", ""),
        (Kind::Vendors, "vendor_id,name,iban", "V,A,DE03120300000000202051", "is no IBAN: its check digits are wrong"),
        (Kind::Vendors, "vendor_id,name,iban", "V,A,12345", "is no IBAN: it has not two letters"),
        (Kind::Vendors, "vendor_id,name,iban", "V,A,DE0212030000000020205", "is no IBAN"),
        (Kind::Vendors, "vendor_id,name,valid_from", "V,A,20260131", "is not a date such as"),
        (Kind::Vendors, "vendor_id,name,valid_from", "V,A,2026-02-30", "is not a date such as"),
        (Kind::Employees, "employee_id,name,iban", "E,A,DE03120300000000202051", "iban `DE03"),
        (Kind::Vendors, "vendor_id,name", "V,a\0b", "control character"),
        (Kind::Orders, ORDER, "P,V,EUR,1,-5,C62,10", "quantity `-5` is less than 0"),
        (Kind::Orders, ORDER, "P,V,EUR,1,5,C62,-10", "unit_price `-10` is less than 0"),
        (Kind::Orders, ORDER, "P,V,EUR,1,5,C62,\"1.234,50\"", "unit_price `1.234,50` expected a number as 1000.50"),
        (Kind::Receipts, "receipt_id,order_id,line,quantity,date", "R,P,1,-5,2026-01-31", ""),
        (Kind::Receipts, "receipt_id,order_id,line,quantity,date,returned", "R,P,1,5,2026-01-31,-1", "is less than 0"),
        (Kind::Receipts, "receipt_id,order_id,line,quantity,date,accepted", "R,P,1,5,2026-01-31,-1", "is less than 0"),
        (Kind::Receipts, "receipt_id,order_id,line,quantity,date", "R,P,1,5,", "date `` is required"),
        (
            Kind::Receipts,
            "receipt_id,order_id,line,quantity,date,accepted",
            "R,P,1,5,2026-01-31,90",
            "accepted `90` is more than the quantity, 5",
        ),
        (
            Kind::Receipts,
            "receipt_id,order_id,line,quantity,date,returned",
            "R,P,1,5,2026-01-31,9",
            "returned `9` is more than the quantity, 5",
        ),
        (Kind::Receipts, "receipt_id,order_id,line,quantity,date,returned", "R,P,1,5,2026-01-31,5", ""),
        (Kind::Receipts, "receipt_id,order_id,line,quantity,date", "R,P,1,5,2926-01-31", "a year after today"),
        (Kind::Units, "from_unit,to_unit,factor", "C62,C62,2", "factor `2` is not 1, and one `C62` is 1 `C62`"),
        (Kind::Units, "from_unit,to_unit,factor", "C62,C62,1", ""),
        (Kind::Units, "from_unit,to_unit,factor", "CT,C62,0", "is not more than 0"),
        (Kind::Units, "from_unit,to_unit,factor", "CT,C62,1e3", "expected a number as 1000.50"),
        (Kind::Units, "from_unit,to_unit,factor", "CT,C62,1_000", "expected a number as 1000.50"),
        (Kind::Units, "from_unit,to_unit,factor", "CT,C62,\"1,5\"", "expected a number as 1000.50"),
        (Kind::Units, "from_unit,to_unit,factor", "CT,C62,10000000000000.01", "is more than 10000000000000"),
        (Kind::Units, "from_unit,to_unit,factor", "CT,C62,0.0000000000001", "has 13 decimals, more than 12"),
        (Kind::Contracts, "contract_id,vendor_id,valid_from,tier_from", "K,V,2026-01-01,-1", "is less than 0"),
        (Kind::Contracts, "contract_id,vendor_id,valid_from,tier_from", "K,V,2026-01-01,0", ""),
        (
            Kind::Contracts,
            "contract_id,vendor_id,valid_from,valid_to",
            "K,V,2026-01-02,2026-01-01",
            "is before its first day",
        ),
        (Kind::Contracts, "contract_id,vendor_id,valid_from,valid_to", "K,V,2026-01-01,2026-01-01", ""),
        (
            Kind::Contracts,
            "contract_id,vendor_id,valid_from,index_cap_percent",
            "K,V,2026-01-01,100.01",
            "between 0 and 100",
        ),
        (Kind::Contracts, "contract_id,vendor_id,valid_from,payment_days", "K,V,2026-01-01,3651", "from 0 to 3650"),
        (Kind::Contracts, "contract_id,vendor_id,valid_from,payment_days", "K,V,2026-01-01,3650", ""),
        (Kind::Contracts, "contract_id,vendor_id,valid_from,payment_days", "K,V,2026-01-01,30.5", "from 0 to 3650"),
        (Kind::Invoices, "vendor_id,number,date,currency,gross,net", "V,1,2026-01-31,EUR,119,-100", "another sign"),
        (Kind::Invoices, "vendor_id,number,date,currency,gross", "V,1,2026-01-31,eur,119", "ISO 4217"),
    ];
    for (kind, header, row, says) in rows {
        let found = why(*kind, header, row);
        assert!(if says.is_empty() { found.is_empty() } else { found.contains(says) }, "{row}: `{found}`");
    }
}

#[test]
fn how_an_order_line_is_matched_follows_its_commodity_unless_it_says_so() {
    for (columns, values, level) in [
        ("", "", 3),
        (",commodity", ",goods", 3),
        (",commodity", ",Services", 2),
        (",commodity", ",service", 2),
        (",commodity,match", ",services,4", 4),
        (",match", ",2", 2),
    ] {
        assert_eq!(order_line(columns, values).match_level, level, "{columns} {values}");
    }
    let header = format!("{ORDER},match,kind,price_unit");
    assert!(why(Kind::Orders, &header, "P1,V1,EUR,1,10,C62,2.50,5,,").contains("is not 2, 3 or 4"));
    assert!(why(Kind::Orders, &header, "P1,V1,EUR,1,10,C62,2.50,,frame,").contains("is not standard or blanket"));
    assert!(why(Kind::Orders, &header, "P1,V1,EUR,1,10,C62,2.50,,,0").contains("is not more than 0"));
}

#[test]
fn a_blanket_order_has_its_limit_its_time_and_its_contract() {
    let line = order_line(
        ",kind,value_limit,valid_from,valid_to,contract_id,freight_planned,price_unit",
        ",blanket,10000,2026-01-01,2026-12-31,K-1,50,100",
    );
    assert!(line.blanket);
    assert_eq!((line.value_limit, line.freight_planned), (Some(Decimal::from(10_000)), Some(Decimal::from(50))));
    assert_eq!(line.valid_to.map(|it| it.to_string()).as_deref(), Some("2026-12-31"));
    assert_eq!((line.contract_id.as_deref(), line.price_unit), (Some("K-1"), Decimal::ONE_HUNDRED));
}

#[test]
fn an_invoice_of_less_than_nothing_is_a_credit_note_that_gives_back_to_its_order() {
    let bill = |row: &str| -> Bill {
        let header = "vendor_id,number,date,currency,gross,net,order_id,paid_on";
        let found = import(Kind::Invoices, &format!("{header}\n{row}\n"));
        let [Fact::Bill(bill)] = found.facts.as_slice() else { panic!("{:?}", found.refused) };
        (**bill).clone()
    };
    let credit = bill("V,7,2026-01-31,EUR,-119,-100,P1,");
    assert_eq!((credit.credit, credit.gross, credit.net), (true, Some(119.into()), Some(100.into())));
    assert_eq!((credit.claims[0].order_id.as_str(), credit.claims[0].amount), ("P1", (-100).into()));
    let paid = bill("V,7,2026-01-31,EUR,119,,P1,2026-02-15");
    assert!(!paid.credit && paid.paid_on.is_some());
    assert_eq!(paid.claims[0].amount, 119.into(), "its net is not known");
}

#[test]
fn of_rows_with_one_id_the_last_goes_in_whatever_lot_it_is_in() {
    let mut csv = "vendor_id,name\nV1,first\nv1 ,second\n".to_owned();
    (0..4_500).for_each(|idx| csv.push_str(&format!("W{idx},W\n")));
    csv.push_str("V1,last\nV1,\n");
    let found = import(Kind::Vendors, &csv);
    let of_v1: Vec<_> = found.facts.iter().filter(|it| it.id().contains("V1")).collect();
    assert!(matches!(of_v1.as_slice(), [Fact::Vendor(vendor)] if vendor.name == "last"), "{of_v1:?}");
    // The very last one is refused, and replaces nothing.
    assert_eq!((found.n_replaced, found.refused.len(), found.lots), (2, 1, vec![2_000, 2_000, 501]));
}

#[test]
fn a_file_that_is_changed_between_its_readings_is_noticed() {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    file.write_all(b"vendor_id,name\nV1,A\n").unwrap();
    let plan = plan(Kind::Vendors, file.path()).unwrap();
    file.write_all(b"V2,B\n").unwrap();
    let err = lots(Kind::Vendors, file.path(), &plan, &mut |_| Ok(())).unwrap_err();
    assert!(err.to_string().contains("was changed while it was imported"), "{err}");
}

#[test]
fn the_master_data_that_this_program_makes_goes_in_whole() {
    let day = "2026-06-15".parse().unwrap();
    let (cast, stream) = (demo::cast(day), demo::stream(200, 1, day));
    for (kind, csv) in [
        (Kind::Vendors, &cast.vendors_csv),
        (Kind::Orders, &cast.orders_csv),
        (Kind::Receipts, &cast.receipts_csv),
        (Kind::Vendors, &stream.vendors_csv),
        (Kind::Orders, &stream.orders_csv),
        (Kind::Receipts, &stream.receipts_csv),
    ] {
        let found = import(kind, csv);
        assert_eq!(found.refused, [], "{kind:?}");
        assert_eq!(found.facts.len(), csv.lines().count() - 1);
    }
}

#[test]
fn every_kind_is_explained_with_its_columns_and_a_file_that_goes_in() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for kind in Kind::value_variants() {
        let name = kind.to_possible_value().unwrap().get_name().to_owned();
        let (_, section) = super::super::HELP.split_once(&format!("\n{name}: ")).unwrap();
        let section = section.split("\n\n").next().unwrap();
        let rows: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("    ")).take(2).collect();
        let found = import(*kind, &format!("{}\n", rows.join("\n")));
        assert_eq!((found.refused, found.facts.len()), (vec![], 1), "{name}");
        if let Some(columns) = kind.columns() {
            let (required, others) = columns.names.split_at(columns.n_required);
            let listed = format!("Columns: {} | {}", required.join(" "), others.join(" "));
            assert!(words(section).contains(&listed), "{name}: {listed}");
        }
    }
    // What one of them says must not speak against another: a bill that was paid is not paid again.
    for (said, times) in [("R-17", 1), ("R-18", 1), ("DE02120300000000202051", 2), ("DE317225902", 1)] {
        assert_eq!(super::super::HELP.matches(said).count(), times, "{said}");
    }
    let long = super::super::HELP.lines().find(|line| 100 < line.chars().count());
    assert_eq!(long, None, "a narrow window would break it");
}
