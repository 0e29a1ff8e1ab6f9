//! A ledger that forgets to answer, answers twice, refuses and floods: every approved invoice is booked exactly once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use program::{Workspace, eventually};
use serde_json::{Value, json};

/// What was booked under each key, and how often each was asked for.
#[derive(Default)]
struct Books {
    booked: BTreeMap<String, Vec<Value>>,
    asked: BTreeMap<String, u32>,
}

type Shared = Arc<Mutex<Books>>;

/// Behaves by the number of the request: answers, books and then fails, fails before booking, says nonsense.
async fn book(State(books): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let posting: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(posting["key"], key.as_str());
    let mut books = books.lock().unwrap();
    let n = books.booked.len() + books.asked.values().sum::<u32>() as usize;
    *books.asked.entry(key.clone()).or_default() += 1;
    if posting["bill"]["gross_minor"].as_i64().unwrap() % 7 == 3 {
        return (StatusCode::UNPROCESSABLE_ENTITY, json!({"status": "refused", "why": "period closed"}).to_string())
            .into_response();
    }
    let behaviour = n % 4;
    if behaviour != 1 {
        books.booked.entry(key.clone()).or_default().push(posting);
    }
    match behaviour {
        0 => json!({"status": "booked", "reference": format!("B-{key}")}).to_string().into_response(),
        1 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        2 => (StatusCode::BAD_GATEWAY, "<html>an upset proxy</html>").into_response(),
        _ => "x".repeat(100_000).into_response(),
    }
}

async fn ask(State(books): State<Shared>, Path(key): Path<String>) -> Response {
    match books.lock().unwrap().booked.get(&key) {
        Some(_) => json!({"status": "booked", "reference": format!("B-{key}")}).to_string().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Serves in a thread of its own until the test ends.
fn serve(books: Shared) -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let router =
                Router::new().route("/bookings", post(book)).route("/bookings/{key}", get(ask)).with_state(books);
            axum::serve(listener, router).await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

#[test]
fn a_ledger_that_forgets_to_answer_books_every_approved_invoice_exactly_once() {
    let books = Shared::default();
    let address = serve(books.clone());
    let workspace = Workspace::new(None);
    let settings = workspace.dir.join("countersign.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("[ledger]", &format!("[ledger]\nurl = \"http://{address}/bookings\"")))
        .unwrap();
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut stream = demo::stream(24, 21, today);
    workspace.import(&stream.vendors_csv, &stream.orders_csv, &stream.receipts_csv);
    for (name, bytes) in stream.by_ref() {
        workspace.drop_file("invoices", &name, &bytes);
    }
    let mut service = workspace.start();
    eventually("every case rests", 120, || {
        let cases = workspace.cases();
        cases.len() == 24
            && cases.iter().all(|case| ["Archived", "InReview"].contains(&case["state"].as_str().unwrap()))
    });
    service.kill();

    let cases = workspace.cases();
    let archived: Vec<&str> =
        cases.iter().filter(|case| case["state"] == "Archived").map(|case| case["case"].as_str().unwrap()).collect();
    let books = books.lock().unwrap();
    assert_eq!(books.booked.keys().map(String::as_str).collect::<Vec<_>>(), {
        let mut archived = archived.clone();
        archived.sort_unstable();
        archived
    });
    assert!(books.booked.values().all(|bookings| bookings.len() == 1), "booked twice: {:?}", books.booked);
    assert!(books.asked.values().any(|asked| 1 < *asked), "no booking was ever sent again: the test tested nothing");
    let refused = books.asked.keys().filter(|key| !books.booked.contains_key(*key));
    for key in refused {
        let case = workspace.json(&["case", "show", key]).remove(0);
        assert_eq!(case["state"], "InReview");
        assert!(case["findings"].as_array().unwrap().iter().any(|it| it["code"] == "ERP_REFUSED"), "{case}");
    }
    workspace.judge();
}
