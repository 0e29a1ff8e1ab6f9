//! Whoever keeps the key file closed from outside: a program that prints a key, and an engine that speaks as Transit does,
//! each as it should be, and each as it should not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde_json::{Value, json};
use store::{KeyError, Keys, Lock, Sealing, causes, key_in};
use tempfile::TempDir;
use tokio::net::TcpListener;
use work::{Transit, TransitKey, key_of_command};

const TOKEN: &str = "hvs.test-token-17";

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Honest,
    /// Gives another key than it was given.
    Lies,
    Sealed,
    /// With much text, of which some could move a terminal's cursor.
    Raves,
    Hangs,
    SendsTooMuch,
    SendsElsewhere,
    Mumbles,
    GivesShortKeys,
}

/// What was encrypted, by what it was encrypted to.
type Kept = Arc<Mutex<BTreeMap<String, String>>>;

/// The documented API: `POST /v1/transit/encrypt/books` and `…/decrypt/books`, errors as `{"errors":[…]}`.
async fn engine(manner: Manner) -> String {
    let app = Router::new()
        .route("/v1/team/transit/{deed}/{key}", post(answer))
        .with_state((manner, Kept::default()))
        .fallback(|| async { (StatusCode::NOT_FOUND, refused(&["no handler for route \"v1/other\""])) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

fn refused(errors: &[&str]) -> String {
    json!({ "errors": errors }).to_string()
}

async fn answer(
    State((manner, kept)): State<(Manner, Kept)>,
    Path((deed, key)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(headers["x-vault-request"], "true");
    match manner {
        Manner::Sealed => return (StatusCode::SERVICE_UNAVAILABLE, refused(&["Vault is sealed"])).into_response(),
        Manner::Hangs => pending().await,
        Manner::SendsTooMuch => return "x".repeat(20_000).into_response(),
        Manner::SendsElsewhere => {
            return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "http://127.0.0.1:1/")]).into_response();
        }
        Manner::Mumbles => return "<html>".into_response(),
        Manner::GivesShortKeys if deed == "decrypt" => {
            return json!({"data": {"plaintext": BASE64.encode([1; 16])}}).to_string().into_response();
        }
        Manner::Raves => {
            return (StatusCode::BAD_GATEWAY, refused(&["\u{1b}[2Jand ", &"on ".repeat(1_000)])).into_response();
        }
        _ => {}
    }
    if headers["x-vault-token"] != TOKEN {
        return (StatusCode::FORBIDDEN, refused(&["permission denied"])).into_response();
    }
    if key != "books" || headers.get("x-vault-namespace").is_some_and(|it| it != "ns1") {
        return (StatusCode::BAD_REQUEST, refused(&["encryption key not found"])).into_response();
    }
    let mut kept = kept.lock().unwrap();
    let data = match deed.as_str() {
        "encrypt" => {
            let ciphertext = format!("vault:v1:{}", BASE64.encode(format!("number {}", kept.len())));
            kept.insert(ciphertext.clone(), body["plaintext"].as_str().unwrap().to_owned());
            json!({ "ciphertext": ciphertext, "key_version": 1 })
        }
        _ if manner == Manner::Lies => json!({ "plaintext": BASE64.encode([9; 32]) }),
        _ => match kept.get(body["ciphertext"].as_str().unwrap()) {
            Some(plaintext) => json!({ "plaintext": plaintext }),
            None => return (StatusCode::BAD_REQUEST, refused(&["invalid ciphertext: no prefix"])).into_response(),
        },
    };
    json!({ "request_id": "1", "lease_id": "", "data": data }).to_string().into_response()
}

fn at(url: &str) -> TransitKey<'_> {
    TransitKey { url, mount: "team/transit", key: "books", namespace: None, seconds_max: 30 }
}

fn token(text: &str) -> SecretString {
    SecretString::from(text)
}

fn a_key() -> SecretBox<[u8; 32]> {
    key_in(&[7; 32]).unwrap()
}

#[tokio::test]
async fn a_key_that_transit_wrapped_comes_back_and_opens_the_key_file() {
    let url = engine(Manner::Honest).await;
    let transit =
        Transit::new(TransitKey { namespace: Some("ns1"), ..at(&url) }, &token("hvs.test-token-17\n")).unwrap();
    assert!(!format!("{transit:?}").contains("test-token"));
    let wrapped = transit.wrap(&a_key()).await.unwrap();
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("keys");
    let ids = Keys::create(&folder).unwrap().ids();
    let lock = Lock { sealing: Sealing::Transit { wrapped }, key: a_key() };
    Keys::protect(&folder.clone().into(), Some(lock.into())).unwrap();

    let Some(Sealing::Transit { wrapped }) = store::sealing(&folder).unwrap() else { panic!("it says so") };
    let key = transit.unwrap(&wrapped).await.unwrap();
    let lock = Lock { sealing: Sealing::Transit { wrapped: wrapped.clone() }, key };
    let custody = store::Custody { lock: Some(lock.into()), ..folder.clone().into() };
    assert_eq!(Keys::open(&custody).unwrap().ids(), ids);

    // One that gives another key is found out by the file.
    let liar = Transit::new(at(&engine(Manner::Lies).await), &token(TOKEN)).unwrap();
    let key = liar.unwrap(&wrapped).await.unwrap();
    assert_ne!(key.expose_secret(), a_key().expose_secret());
    let lock = Lock { sealing: Sealing::Transit { wrapped }, key };
    let custody = store::Custody { lock: Some(lock.into()), ..custody };
    assert!(matches!(Keys::open(&custody), Err(KeyError::Shut { .. })));
}

#[tokio::test]
async fn whatever_else_transit_answers_is_said_and_gives_no_key() {
    let honest = engine(Manner::Honest).await;
    let refusal = async |at: TransitKey<'_>, with: &str| {
        let transit = Transit::new(at, &token(with)).unwrap();
        let refused = causes(&transit.unwrap("vault:v1:abc").await.unwrap_err());
        assert!(!refused.contains(with), "{refused}");
        refused.replace(at.url, "URL")
    };
    let refused =
        |status: &str, said: &str| format!("`URL/v1/team/transit/decrypt/books` refused with {status}: {said}");
    assert_eq!(
        refusal(at(&honest), "another").await,
        refused("403 Forbidden (the token is not allowed to, or has expired)", "permission denied")
    );
    assert_eq!(
        refusal(at(&honest), TOKEN).await,
        refused("400 Bad Request (the key may not be there)", "invalid ciphertext: no prefix")
    );
    assert_eq!(
        refusal(TransitKey { key: "other", ..at(&honest) }, TOKEN).await,
        "`URL/v1/team/transit/decrypt/other` refused with 400 Bad Request (the key may not be there): encryption key not found"
    );
    assert_eq!(
        refusal(TransitKey { mount: "other", ..at(&honest) }, TOKEN).await,
        "`URL/v1/other/decrypt/books` refused with 404 Not Found (there is no such engine): no handler for route \"v1/other\""
    );
    let answered = |what: &str| format!("`URL/v1/team/transit/decrypt/books` {what}");
    for (manner, expected) in [
        (Manner::Sealed, refused("503 Service Unavailable (it is sealed, or down)", "Vault is sealed")),
        (Manner::SendsTooMuch, answered("answered more than 16384 bytes")),
        (Manner::SendsElsewhere, refused("307 Temporary Redirect", "")),
        (Manner::Mumbles, answered("answered without what the API says")),
        (Manner::GivesShortKeys, answered("answered without a key of 32 bytes")),
    ] {
        assert_eq!(refusal(at(&engine(manner).await), TOKEN).await, expected);
    }
    let raving = refusal(at(&engine(Manner::Raves).await), TOKEN).await;
    assert!(raving.starts_with(&refused("502 Bad Gateway", "[2Jand ; on on")) && raving.len() < 450, "{raving}");
    let hanging = engine(Manner::Hangs).await;
    let slow = refusal(TransitKey { seconds_max: 1, ..at(&hanging) }, TOKEN).await;
    assert!(slow.starts_with(&answered("was not reached, or took longer than 1 seconds")), "{slow}");
    let transit = Transit::new(at(&hanging.replace("127.0.0.1", "127.0.0.2")), &token(TOKEN)).unwrap();
    assert!(transit.wrap(&a_key()).await.unwrap_err().to_string().contains("was not reached"));
}

#[test]
fn a_token_and_a_key_go_over_https_alone_and_nowhere_else() {
    for url in [
        "https://vault.example:8200",
        "https://vault.example/",
        "http://127.0.0.1:8200",
        "http://[::1]:8200",
        "http://localhost",
    ] {
        assert!(Transit::new(at(url), &token(TOKEN)).is_ok(), "{url}");
    }
    for url in [
        "http://vault.example:8200",
        "http://127.0.0.1.example",
        "ftp://localhost",
        "https://",
        "vault.example",
        "https://me@vault.example",
        "https://vault.example/?a=b",
    ] {
        let refused = Transit::new(at(url), &token(TOKEN)).unwrap_err().to_string();
        assert!(refused.contains("is no address for keys"), "{refused}");
    }
    let good = at("https://vault.example");
    let long = "k".repeat(201);
    for wrong in [
        TransitKey { key: "", ..good },
        TransitKey { key: "a/b", ..good },
        TransitKey { key: "..", ..good },
        TransitKey { key: "a?b", ..good },
        TransitKey { key: &long, ..good },
        TransitKey { mount: "a/../sys", ..good },
        TransitKey { mount: "", ..good },
        TransitKey { namespace: Some("a b"), ..good },
    ] {
        let refused = Transit::new(wrong, &token(TOKEN)).unwrap_err().to_string();
        assert!(refused.contains("of Transit may have letters"), "{refused}");
    }
    for wrong in ["", " \n", "a\nb", "ü"] {
        let refused = Transit::new(good, &token(wrong)).unwrap_err().to_string();
        assert!(refused.contains("the token for `https://vault.example` cannot be sent"), "{refused}");
    }
}

#[tokio::test]
async fn a_program_prints_the_key_and_nothing_that_is_no_key_is_taken_for_one() {
    let printed = async |script: &str, seconds_max| {
        key_of_command(&["sh".into(), "-c".into(), script.into(), "ignored; echo $0".into()], seconds_max).await
    };
    let hex = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
    for good in
        [format!("echo {hex}"), format!("printf ' {hex}\\r\\n\\n'"), "printf 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'".into()]
    {
        printed(&good, 60).await.unwrap();
    }
    assert_eq!(printed(&format!("echo {hex}"), 60).await.unwrap().expose_secret()[31], 0x20);
    for (script, seconds, expected) in [
        ("exit 0", 60, "`sh` printed no key: 64 hexadecimal digits, 44 letters of base64, or 32 bytes"),
        ("echo 0102; exit 0", 60, "`sh` printed no key: 64 hexadecimal digits, 44 letters of base64, or 32 bytes"),
        ("echo 010203; exit 3", 60, "`sh` ended with exit status: 3"),
        ("yes", 60, "`sh` printed more than 256 bytes, a key is 64 hexadecimal digits"),
        ("exec tail -f /dev/null", 1, "`sh` gave no key within 1 seconds"),
        // What it started holds the pipe open when it is gone.
        ("sleep 3 & exit 0", 1, "`sh` gave no key within 1 seconds"),
    ] {
        assert_eq!(printed(script, seconds).await.unwrap_err().to_string(), expected, "{script}");
    }
    assert_eq!(key_of_command(&[], 1).await.unwrap_err().to_string(), "no program is named that prints the key");
    let gone = key_of_command(&["/nowhere/key-printer".into()], 1).await.unwrap_err().to_string();
    assert_eq!(gone, "`/nowhere/key-printer` cannot be started");
}
