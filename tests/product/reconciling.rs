//! What is matched again, who is paid, and what another policy would have done, through the commands and the service.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::process::Stdio;

use case::{Decimal, Fact, FactKind, Ground, Key, Payment, Role, settle, wanted_of_payment};
use demo::{Format, Line, Party, Vat};
use serde_json::{Value, json};
use store::Store;

use crate::backup::{Fresh, Shelf};
use crate::erasure::{approve, archived, propose_as};
use crate::program::{Service, Workspace, eventually};
use crate::support::{NOW, legal, on_both, person, postgres_fresh, seconds_later, stores};

const IBAN: &str = "DE89370400440532013000";
const OTHER: &str = "DE75512108001245126199";
const VAT_ID: &str = "DE317225902";

fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// A workspace with an order of 20 pieces at 40.00, of which `received` came in.
fn books(received: u32) -> Workspace {
    let books = Workspace::new(None);
    books.import(
        &format!("vendor_id,name,vat_id,country,iban\nV1,Nordlicht Werkzeuge GmbH,{VAT_ID},DE,{IBAN}\n"),
        "order_id,vendor_id,currency,line,quantity,unit,unit_price,tax_rate\nPO-1,V1,EUR,1,20,C62,40.00,19\n",
        &receipts(&[received]),
    );
    books
}

fn receipts(received: &[u32]) -> String {
    let row = |(n, quantity): (usize, &u32)| format!("GR-{n},PO-1,1,{quantity},{}\n", today());
    let rows: String = received.iter().enumerate().map(row).collect();
    format!("receipt_id,order_id,line,quantity,date\n{rows}")
}

fn import(books: &Workspace, kind: &str, text: &str) {
    let path = books.dir.join("more.csv");
    fs::write(&path, text).unwrap();
    books.ok(&["import", kind, path.to_str().unwrap(), "--as", "olivia"]);
}

/// 20 pieces at this price, to be paid to this account.
fn bill(books: &Workspace, name: &str, price: &str, iban: &str) {
    bill_of(books, name, "20", price, iban);
}

fn bill_of(books: &Workspace, name: &str, quantity: &str, price: &str, iban: &str) {
    let line = Line {
        order_line: Some("1".into()),
        name: "Torque wrench".into(),
        quantity: quantity.parse().unwrap(),
        unit: "C62".into(),
        unit_price: price.parse().unwrap(),
        vat: Vat::Standard("19".parse().unwrap()),
        net: None,
    };
    let seller = Party {
        name: "Nordlicht Werkzeuge GmbH".into(),
        country: "DE".into(),
        vat_id: Some(VAT_ID.into()),
        account: Some(iban.into()),
        ..demo::buyer()
    };
    let mut invoice = demo::Invoice::new(name, today(), seller, demo::buyer(), vec![line]);
    invoice.order_ref = Some("PO-1".into());
    books.drop_file("", &format!("{name}.xml"), &demo::invoice(&invoice, Format::Ubl));
    books.ok(&["run", "--once"]);
}

fn shown(books: &Workspace, name: &str) -> Value {
    let id = books.case_of(&format!("{name}.xml")).unwrap()["case"].as_str().unwrap().to_owned();
    books.json(&["case", "show", &id]).remove(0)
}

fn ended(case: &Value) -> (String, Vec<String>) {
    let codes = case["findings"].as_array().unwrap().iter();
    let codes = codes.filter(|it| it["severity"] != "info").map(|it| it["code"].as_str().unwrap().to_owned()).collect();
    (case["state"].as_str().unwrap().to_owned(), codes)
}

fn acts(case: &Value) -> Vec<&str> {
    case["events"].as_array().unwrap().iter().map(|it| it["act"].as_str().unwrap()).collect()
}

#[track_caller]
fn refused(books: &Workspace, args: &[&str]) -> String {
    let output = books.run(args);
    assert!(matches!(output.status.code(), Some(1..=3)), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_hold_that_the_engine_set_is_released_by_it_when_the_goods_come_in() {
    let books = books(12);
    bill(&books, "RE-1", "40.00", IBAN);
    assert_eq!(ended(&shown(&books, "RE-1")), ("InReview".into(), vec!["QTY_REC".into()]));
    import(&books, "receipts", &receipts(&[12, 8]));
    books.ok(&["run", "--once"]);
    let case = shown(&books, "RE-1");
    assert_eq!(ended(&case), ("Archived".into(), vec![]));
    assert!(acts(&case).contains(&"case.rematch"), "{:?}", acts(&case));
    assert_eq!(books.bookings().len(), 1);
    books.ok(&["check", "--seals"]);
}

#[test]
fn a_new_account_is_paid_to_only_after_a_second_person_asked_and_confirmed() {
    let books = books(20);
    bill(&books, "RE-1", "40.00", OTHER);
    assert_eq!(ended(&shown(&books, "RE-1")).1, ["BANK_NEW"]);
    let proposed = books.ok(&["payee", "propose", "V1", OTHER, "--as", "rita"]);
    assert!(proposed.contains(&format!("countersign payee confirm 'V1' {OTHER} --called")), "{proposed}");
    books.ok(&["run", "--once"]);
    assert_eq!(ended(&shown(&books, "RE-1")).1, ["BANK_PENDING"], "what waits is no safer than what is new");
    let confirm = |who| {
        let said = ["--called", "+49 40 1", "--spoke-with", "Ms Berg", "--answer", "changed banks"];
        [&["payee", "confirm", "V1", OTHER][..], &said, &["--as", who]].concat()
    };
    assert!(refused(&books, &confirm("rita")).contains("another person must"));
    assert!(refused(&books, &confirm("adam")).contains("needs the role reviewer"));
    books.ok(&confirm("ravi"));
    books.ok(&["run", "--once"]);
    assert_eq!(ended(&shown(&books, "RE-1")), ("Archived".into(), vec![]));
    let accounts = books.json(&["payee", "list", "V1", "--as", "rita"]);
    let standing = |iban: &str| accounts.iter().find(|it| it["iban"] == iban).unwrap()["standing"].clone();
    assert_eq!((standing(IBAN), standing(OTHER)), ("approved".into(), "approved".into()));
    let told = books.ok(&["payee", "list", "V1", "--as", "rita"]);
    assert!(told.contains("brought in by rita, confirmed by ravi, who called "), "{told}");
    let approved = books.json(&["facts", "show", "accounts", "V1", "--valid-on", &today().to_string(), "--as", "rita"]);
    assert_eq!(approved.len(), 2);
    // Accounts are no cases: an auditor has no scope in them.
    assert!(refused(&books, &["payee", "list", "V1", "--as", "ada"]).contains("needs the role operator"));
    // An import that changes the account is a change like any other.
    let changed =
        "vendor_id,name,vat_id,country,iban\nV1,Nordlicht Werkzeuge GmbH,DE317225902,DE,DE02120300000000202051\n";
    import(&books, "vendors", changed);
    let accounts = books.json(&["payee", "list", "V1", "--as", "rita"]);
    let pending = accounts.iter().find(|it| it["iban"] == "DE02120300000000202051").unwrap();
    assert_eq!(pending["standing"], "waits for its second person");
    let closed = books.ok(&["payee", "close", "V1", OTHER, "--as", "rita"]);
    assert!(closed.contains(&format!("closed, before the end of {}, its first day", today())), "{closed}");
}

#[test]
fn money_that_left_to_an_account_nobody_approved_reopens_the_case_and_is_not_booked_again() {
    let books = books(20);
    bill(&books, "RE-1", "40.00", IBAN);
    assert_eq!(shown(&books, "RE-1")["state"], "Archived");
    let path = books.dir.join("bank.csv");
    let line = format!("date,amount,currency,iban,text,reference\n{},-952.00,EUR,{OTHER},RE-1,B-1\n", today());
    fs::write(&path, line).unwrap();
    let told = books.run(&["import", "bank-statements", path.to_str().unwrap(), "--as", "olivia"]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let case = shown(&books, "RE-1");
    assert_eq!(ended(&case), ("InReview".into(), vec!["PAID_UNAPPROVED".into()]));
    // The same file again creates nothing.
    let revision = case["revision"].clone();
    books.run(&["import", "bank-statements", path.to_str().unwrap(), "--as", "olivia"]);
    assert_eq!(shown(&books, "RE-1")["revision"], revision);
    let id = case["case"].as_str().unwrap();
    let reject = ["review", "reject", id, "--as", "rita", "--reason", "fraud"];
    assert!(refused(&books, &reject).contains("booked already"));
    for who in ["rita", "ravi"] {
        books.ok(&["review", "approve", id, "--as", who, "--reason", "reported to the bank"]);
    }
    books.ok(&["run", "--once"]);
    assert_eq!(shown(&books, "RE-1")["state"], "Archived");
    assert_eq!(books.bookings().len(), 1, "exactly one booking");
    books.ok(&["check"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_booked_first_of_a_split_goes_back_to_people_once_unless_it_is_paid() {
    let databases = [None].into_iter().chain(postgres_fresh().await.map(Some));
    for database in databases {
        let books = Workspace::new(database);
        let order = |quantity: &str| {
            format!(
                "order_id,vendor_id,currency,line,quantity,unit,unit_price,tax_rate,match\nPO-1,V1,EUR,1,{quantity},C62,100.00,19,2\n"
            )
        };
        let vendors = format!("vendor_id,name,vat_id,country,iban\nV1,Nordlicht Werkzeuge GmbH,{VAT_ID},DE,{IBAN}\n");
        import(&books, "vendors", &vendors);
        import(&books, "orders", &order("500"));
        let approve = |name: &str, who: &str| {
            let id = shown(&books, name)["case"].as_str().unwrap().to_owned();
            books.ok(&["review", "approve", &id, "--as", who, "--reason", "both were needed"]);
            books.ok(&["run", "--once"]);
        };
        let split = || ("InReview".to_owned(), vec!["SPLIT".to_owned()]);
        bill_of(&books, "RE-1", "99", "100.00", IBAN);
        approve("RE-1", "rita");
        assert_eq!(ended(&shown(&books, "RE-1")), ("Archived".into(), vec![]));
        bill_of(&books, "RE-2", "98", "100.00", IBAN);
        assert_eq!(ended(&shown(&books, "RE-2")), split());
        let case = shown(&books, "RE-1");
        assert_eq!(ended(&case), split());
        assert!(case.to_string().contains("9900 with 1 more of this vendor"), "from its side: {case}");

        approve("RE-1", "ravi");
        let case = shown(&books, "RE-1");
        assert_eq!(case["state"], "Archived");
        // Another verdict on the second says the same of the pair.
        import(&books, "orders", &order("501"));
        books.ok(&["run", "--once"]);
        assert!(acts(&shown(&books, "RE-2")).contains(&"case.rematch"));
        assert_eq!(shown(&books, "RE-1")["revision"], case["revision"]);
        approve("RE-2", "ravi");
        assert_eq!(shown(&books, "RE-2")["state"], "Archived");
        assert_eq!(shown(&books, "RE-1")["revision"], case["revision"]);

        // Of the two that are booked, the first is paid when a third comes.
        assert!(paid(&books, IBAN, &[("-11781.00", "RE-1", "B-1")]));
        bill_of(&books, "RE-3", "97", "100.00", IBAN);
        assert_eq!(ended(&shown(&books, "RE-3")), split());
        assert_eq!(shown(&books, "RE-1")["revision"], case["revision"], "its money is gone");
        let reopened = |name: &str| acts(&shown(&books, name)).iter().filter(|act| **act == "case.reopen").count();
        assert_eq!((shown(&books, "RE-2")["state"].as_str(), reopened("RE-2")), (Some("InReview"), 1));
        assert_eq!((reopened("RE-1"), books.bookings().len()), (1, 2), "nothing is booked twice");
        books.ok(&["check", "--seals"]);
    }
}

/// Brings in a statement of these amounts, texts and references, all paid to one account; was there nothing to look at?
fn paid(books: &Workspace, iban: &str, lines: &[(&str, &str, &str)]) -> bool {
    let path = books.dir.join("bank.csv");
    let line = |(amount, text, reference): &(&str, &str, &str)| {
        format!("{},{amount},EUR,{iban},{text},{reference}\n", today())
    };
    let lines: String = lines.iter().map(line).collect();
    fs::write(&path, format!("date,amount,currency,iban,text,reference\n{lines}")).unwrap();
    let told = books.run(&["import", "bank-statements", path.to_str().unwrap(), "--as", "olivia"]);
    assert!(matches!(told.status.code(), Some(0 | 1)), "{told:?}");
    told.status.success()
}

fn reconciled(books: &Workspace) -> (Vec<Value>, bool) {
    let output = books.run(&["reconcile", "payments", "--as", "olivia", "--json"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), output.status.success())
}

#[test]
fn money_that_left_the_same_way_while_people_still_looked_at_it_reopens_the_case_again() {
    let books = books(20);
    bill(&books, "RE-1", "40.00", IBAN);
    // The second one pays the bill, so nothing would ever look at it again.
    assert!(!paid(&books, OTHER, &[("-100.00", "RE-1", "B-1"), ("-952.00", "RE-1", "B-2")]));
    let told = |case: &Value| ended(case).1.iter().filter(|code| *code == "PAID_UNAPPROVED").count();
    let case = shown(&books, "RE-1");
    assert_eq!((&case["state"], told(&case)), (&"InReview".into(), 1));
    let whole = |lines: &[Value]| lines.iter().any(|it| it["payment"]["amount"].as_str().unwrap().starts_with("-952"));
    let (lines, good) = reconciled(&books);
    assert!(whole(&lines) && !good, "it waits: {lines:?}");
    assert_eq!(told(&shown(&books, "RE-1")), 1);
    for who in ["rita", "ravi"] {
        books.ok(&["review", "approve", case["case"].as_str().unwrap(), "--as", who, "--reason", "reported"]);
    }
    books.ok(&["run", "--once"]);
    assert_eq!(shown(&books, "RE-1")["state"], "Archived");
    // Any statement that comes in tells what waits.
    paid(&books, OTHER, &[("-1.00", "fees", "B-3")]);
    let case = shown(&books, "RE-1");
    assert_eq!((&case["state"], told(&case)), (&"InReview".into(), 2));
    assert!(!whole(&reconciled(&books).0), "it is told");
    assert_eq!(books.bookings().len(), 1, "exactly one booking");
    books.ok(&["check"]);
}

#[test]
fn whoever_decides_knows_what_was_paid_for_it_already_and_to_whom() {
    let books = books(12);
    import(&books, "employees", &format!("employee_id,name,iban\nE-7,Jo Doe,{OTHER}\n"));
    bill(&books, "RE-1", "40.00", IBAN);
    let case = shown(&books, "RE-1");
    assert_eq!((ended(&case).1, &case["payments"]), (vec!["QTY_REC".into()], &json!([])));
    let id = case["case"].as_str().unwrap();
    assert!(paid(&books, IBAN, &[("-500.00", "RE-1", "B-1")]));
    books.ok(&["run", "--once"]);
    assert!(!paid(&books, OTHER, &[("-452.00", "RE-1", "B-2")]));
    let told = books.ok(&["case", "show", id]);
    assert!(told.contains(&format!("-500.00 EUR: 500.00 paid of it, 452.00 open; to {IBAN}\n")), "{told}");
    assert!(told.contains(&format!("to {OTHER}, an account of employee E-7  PAID_UNAPPROVED\n")), "{told}");
    // What was found about the money reaches the case before anybody can approve it.
    let approve = |who| ["review", "approve", id, "--as", who, "--reason", "the rest came in"];
    assert!(refused(&books, &approve("rita")).contains("judged again first"));
    books.ok(&["run", "--once"]);
    let case = shown(&books, "RE-1");
    assert_eq!(ended(&case), ("InReview".into(), vec!["QTY_REC".into(), "PAID_UNAPPROVED".into()]));
    let again = reconciled(&books).0;
    assert!(again.len() == 1 && again[0]["payment"]["amount"] == "-452", "it is looked at once more: {again:?}");
    assert_eq!(reconciled(&books).0, Vec::<Value>::new(), "the case is told, so nothing waits");
    books.run(&["run", "--once"]);
    assert_eq!(ended(&shown(&books, "RE-1")).1, ["QTY_REC", "PAID_UNAPPROVED"], "once");
    for who in ["rita", "ravi"] {
        books.ok(&approve(who));
    }
    books.ok(&["run", "--once"]);
    reconciled(&books);
    assert_eq!(shown(&books, "RE-1")["state"], "Archived", "they knew of it");
    books.ok(&["check"]);
}

#[test]
fn a_statement_goes_in_where_nothing_ran_yet_and_puts_the_policy_of_the_folder_in_force() {
    let books = Workspace::new(None);
    let path = books.dir.join("bank.csv");
    fs::write(&path, format!("date,amount,currency\n{},-10.00,EUR\n", today())).unwrap();
    let brought = ["import", "bank-statements", path.to_str().unwrap(), "--as", "olivia"];
    assert!(books.ok(&["policy", "check"]).contains("no policy is in force yet"));
    assert!(books.ok(&brought).contains("1 new, 0 changed"));
    assert!(books.ok(&["policy", "check"]).contains("it is the one in force"));
    assert_eq!(reconciled(&books).0.len(), 1);
}

#[test]
fn however_many_payments_settle_nothing_each_of_them_is_tried_again() {
    let books = books(20);
    books.ok(&["run", "--once"]);
    let fees: Vec<String> = (1..=501).map(|n| format!("F-{n}")).collect();
    let fees = fees.iter().map(|reference| ("-5.00", "fee", reference.as_str()));
    // It came before its bill, and before all the others.
    let lines: Vec<_> = std::iter::once(("-952.00", "RE-1", "B-1")).chain(fees).collect();
    assert!(paid(&books, IBAN, &lines[..1]));
    assert!(paid(&books, IBAN, &lines));
    bill(&books, "RE-1", "40.00", IBAN);
    let (lines, good) = reconciled(&books);
    let settled = lines.iter().filter(|it| it["settlement"]["shares"] != Value::Array(vec![])).count();
    assert_eq!((lines.len(), settled, good), (502, 1, true));
    assert_eq!(reconciled(&books).0.len(), 501);
}

#[test]
fn returns_that_are_more_than_are_looked_at_are_told() {
    let books = books(20);
    let credits = || books.run(&["reconcile", "credits", "--as", "rita"]);
    assert!(credits().status.success());
    // Of things that were never billed: nothing is owed.
    let row = |n: u32| format!("GX-{n},PO-1,1,1,{},1\n", today());
    let rows: String = (0..501).map(row).collect();
    import(&books, "receipts", &format!("receipt_id,order_id,line,quantity,date,returned\n{rows}"));
    let told = credits();
    let said = String::from_utf8(told.stdout.clone()).unwrap();
    assert!(!told.status.success() && said.contains("returns:"), "{told:?}");
    assert!(!said.contains("no credit note is outstanding"), "{said}");
}

#[test]
fn a_policy_is_tried_on_the_past_and_one_that_loosens_needs_a_second_person() {
    let books = books(20);
    bill(&books, "RE-1", "40.50", IBAN);
    let case = shown(&books, "RE-1");
    assert_eq!(ended(&case), ("Archived".into(), vec![]), "1.25 % dearer, within 2 %");
    let policies = books.dir.join("policies/tolerances.toml");
    let in_force = fs::read_to_string(&policies).unwrap();
    let trial = books.dir.join("trial");
    fs::create_dir(&trial).unwrap();
    let period = today().to_string();
    let diff = |limit: &str| -> Vec<Value> {
        let text = in_force.replace("upper_percent = \"2\"", &format!("upper_percent = \"{limit}\""));
        fs::write(trial.join("tolerances.toml"), text).unwrap();
        let args = ["policy", "diff", trial.to_str().unwrap(), "--over", &period, "--as", "rita", "--json"];
        let output = books.run(&args);
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let tighter = diff("1");
    assert_eq!(tighter.len(), 2, "{tighter:?}");
    assert_eq!((&tighter[0]["case"], &tighter[0]["turn"]), (&case["case"], &Value::from("held")));
    assert_eq!(tighter[1]["sum"]["held"]["net"], "810.00");
    assert_eq!(diff("1.25").len(), 1, "equality is within");
    assert_eq!(shown(&books, "RE-1")["revision"], case["revision"], "nothing live is touched");

    // Tighter comes into force by itself, looser does not.
    fs::write(&policies, in_force.replace("upper_percent = \"2\"", "upper_percent = \"1\"")).unwrap();
    books.ok(&["run", "--once"]);
    fs::write(&policies, &in_force).unwrap();
    books.ok(&["run", "--once"]);
    let again = |name: &str| {
        let order = format!(
            "order_id,vendor_id,currency,line,quantity,unit,unit_price,tax_rate,match\nPO-1,V1,EUR,1,{},C62,40.00,19,2\n",
            1_000
        );
        import(&books, "orders", &order);
        bill(&books, name, "40.50", IBAN);
        ended(&shown(&books, name)).1
    };
    assert!(again("RE-2").contains(&"PRICE".to_owned()), "the tighter one rules");
    let checked = || books.ok(&["policy", "check"]);
    assert!(
        checked().contains("which stays until two people have spoken:\n  countersign policy propose"),
        "{}",
        checked()
    );
    let proposed = books.ok(&["policy", "propose", "--as", "adam"]);
    assert!(checked().contains("waits for another person:\n  countersign policy approve"), "{}", checked());
    assert!(proposed.contains("looser: ") && proposed.contains("tolerates 2 %"), "{proposed}");
    let digest = checked().lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    assert!(refused(&books, &["policy", "approve", &digest, "--as", "adam"]).contains("needs"));
    assert!(refused(&books, &["policy", "approve", &digest, "--as", "rita"]).contains("level 2"));
    books.ok(&["policy", "approve", &digest, "--as", "ravi"]);
    assert!(checked().contains("two people let it through"), "{}", checked());
    assert!(!again("RE-3").contains(&"PRICE".to_owned()), "the looser one rules");
    assert!(checked().contains("it is the one in force"), "{}", checked());
    fs::write(&policies, in_force.replace("upper_percent = \"2\"", "upper_percent = \"1\"")).unwrap();
    assert!(checked().contains("takes its place"), "{}", checked());
    books.ok(&["check"]);
}

#[test]
fn the_service_says_once_that_a_looser_policy_in_the_folder_waits_and_what_to_do() {
    let books = Workspace::new(None);
    books.ok(&["run", "--once"]);
    let said = books.dir.join("said");
    let mut service = books.command(&["run", "-C", books.dir.to_str().unwrap()]);
    let service = service.stdout(Stdio::null()).stderr(fs::File::create(&said).unwrap()).spawn().unwrap();
    let mut service = Service::from(service);
    let said = || fs::read_to_string(&said).unwrap();
    eventually("it is started", 30, || said().contains("Started"));
    let policies = books.dir.join("policies/tolerances.toml");
    let loose = fs::read_to_string(&policies).unwrap().replace("upper_percent = \"2\"", "upper_percent = \"3\"");
    fs::write(&policies, loose).unwrap();
    let next = "`countersign policy propose --as NAME`";
    eventually("it is said", 30, || said().contains(next));
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert_eq!(said().matches(next).count(), 1, "{}", said());
    service.kill();
}

/// Brings a payment in and settles it as far as that can be done, so many seconds later.
async fn settled(store: &Store, payment_id: &str, amount: Decimal, text: &str, seconds: i64) {
    let (by, now) = (person("usr_olivia", &[Role::Operator], 1), seconds_later(seconds));
    let (payment_id, currency, text) = (payment_id.to_owned(), "EUR".to_owned(), text.to_owned());
    let payment = Payment { payment_id, date: NOW.date(), amount, currency, iban: None, text };
    store.import(FactKind::Payments, &[Fact::Payment(payment.clone())], &by, now).await.unwrap();
    let gathered = store.gather_facts(&|known| wanted_of_payment(&payment, known)).await.unwrap();
    store.keep_settlement(&gathered, &settle(&payment, &gathered.known), &by, now).await.unwrap();
}

/// What is and was known of how these payments were settled.
async fn settlements(store: &Store) -> String {
    let mut said = Vec::new();
    for payment in ["B-1", "B-2", "B-3"] {
        for seconds in 0..4 {
            let mut found = store.facts_by_key(&Key::payment(payment), Some(seconds_later(seconds))).await.unwrap();
            found.retain(|stated| stated.fact.kind() == FactKind::Settlements);
            said.extend(found);
        }
    }
    serde_json::to_string(&said).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_settlements_say_of_a_case_goes_when_it_is_erased_and_is_gone_in_an_older_backup_too() {
    on_both(async |place| {
        let (store, shelf) = (&place.store, Shelf::new());
        let id = archived(store).await;
        let bill = store.case(id).await.unwrap().bill.unwrap();
        let (number, gross) = (bill.number.unwrap(), bill.gross.unwrap());
        settled(store, "B-1", -gross, "thank you", 0).await;
        settled(store, "B-2", -gross, &number, 1).await;
        settled(store, "B-3", -gross, &number, 2).await;
        // What was suggested for it is paid by now, and known no more.
        settled(store, "B-1", -gross, "thank you", 3).await;
        let before = settlements(store).await;
        assert!(before.contains("suggested\":[{\"bill") && before.contains("OVERPAID"), "{before}");
        assert!(before.contains(&number), "{before}");

        let older = shelf.take(store, NOW).await;
        propose_as(store, id, Ground::Expired, &legal("usr_ann")).await.unwrap();
        approve(store, id, &legal("usr_ben")).await.unwrap();
        let left = settlements(store).await;
        assert!(!left.contains(&number) && !left.contains("suggested\":[{"), "{left}");
        assert!(!left.contains("OVERPAID") && left.contains(&format!("shares\":[{{\"bill\":\"{id}")), "{left}");
        // The payment is settled as it was.
        let (waiting, _) = store.unsettled(None).await.unwrap();
        assert!(waiting.iter().all(|(payment, _)| payment.payment_id != "B-2"));

        shelf.take(store, seconds_later(60)).await;
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, Some(&older.snapshot), true).await.unwrap();
        assert_eq!(restored.erased_since, [id]);
        let faults = &restored.report.faults;
        assert!(faults.iter().all(|fault| fault.about.starts_with("head ")), "{faults:?}");
        assert_eq!(settlements(&fresh.open().await).await, left);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_does_not_open_stops_no_erasing_and_no_restoring_and_is_named() {
    for place in stores().await {
        let (store, shelf) = (&place.store, Shelf::new());
        let id = archived(store).await;
        let bill = store.case(id).await.unwrap().bill.unwrap();
        settled(store, "B-1", -bill.gross.unwrap(), &bill.number.unwrap(), 0).await;
        let damage = if place.on_postgres() { "body || '\\x00'::bytea" } else { "CAST(body || x'00' AS BLOB)" };
        // The one that settles it, after the one that said that nothing was settled yet.
        let newest = "kind = 'settlements' AND known_to = 9223372036854775807";
        let damaged = place.execute(&format!("UPDATE facts SET body = {damage} WHERE {newest}")).await;
        assert_eq!(damaged.unwrap(), 1);

        let older = shelf.take(store, NOW).await;
        propose_as(store, id, Ground::Expired, &legal("usr_ann")).await.unwrap();
        approve(store, id, &legal("usr_ben")).await.unwrap();
        let left = format!("SELECT body FROM facts WHERE {newest}");
        assert_eq!(place.bytes(&left).await, [Vec::<u8>::new()], "it may have opened again for whoever damaged it");
        let faults = store.check(false, None, NOW).await.unwrap().faults;
        assert!(faults.len() == 1 && faults[0].about.starts_with("facts/"), "{faults:?}");

        shelf.take(store, seconds_later(60)).await;
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, Some(&older.snapshot), true).await.unwrap();
        assert_eq!(restored.erased_since, [id]);
        assert!(restored.report.faults.iter().any(|it| it.about.starts_with("facts/")), "{:?}", restored.report.faults);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_versions_are_missing_check_says_how_many_entries_the_log_refused() {
    for place in stores().await {
        settled(&place.store, "B-1", -Decimal::ONE, "thank you", 0).await;
        place.execute("DELETE FROM fact_keys").await.unwrap();
        place.execute("DELETE FROM facts WHERE kind = 'payments'").await.unwrap();
        let told = async || {
            let faults = place.store.check(false, None, NOW).await.unwrap().faults;
            faults.into_iter().find(|it| it.about == "imported payments").unwrap().what
        };
        assert!(told().await.ends_with("1 versions of them were brought in, and 0 are there"), "{}", told().await);
        let entry = if place.on_postgres() { "'\\x00'" } else { "x'00'" };
        let refused =
            format!("INSERT INTO log_refused (position, refused_at, why, entry) VALUES (1, 1, 'mac', {entry})");
        place.execute(&refused).await.unwrap();
        assert!(told().await.contains("; 1 entries that the log refused lie in `log_refused`"), "{}", told().await);
    }
}
