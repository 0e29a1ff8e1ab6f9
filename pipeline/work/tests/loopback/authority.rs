//! A time stamping service on this machine: OpenSSL behind a port, or something that only looks like it.
#![allow(dead_code, unreachable_pub, reason = "every test program uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tempfile::TempDir;

#[derive(Clone, Debug, PartialEq)]
pub enum Manner {
    Stamps,
    /// Gives everybody the answer that it gave first.
    Repeats,
    Says(u16, Vec<u8>),
    Hangs,
}

pub struct Authority {
    pub url: String,
    seen: Arc<Seen>,
}

struct Seen {
    dir: TempDir,
    manner: Mutex<Manner>,
    answers: Mutex<Vec<Vec<u8>>>,
}

/// None where OpenSSL is not installed, which in CI is a failure.
pub fn openssl() -> Option<()> {
    let found = Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success());
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(found || !ci, "openssl is not installed, and in CI nothing is skipped");
    if !found {
        eprintln!("skipped: openssl is not installed");
    }
    found.then_some(())
}

impl Authority {
    /// With a certificate of its own that a root issued. Serves until the test ends.
    pub async fn serve(manner: Manner) -> Authority {
        let dir = TempDir::new().unwrap();
        let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        std::fs::write(dir.path().join("ext"), "extendedKeyUsage=critical,timeStamping\n").unwrap();
        std::fs::write(dir.path().join("serial"), "01\n").unwrap();
        std::fs::write(
            dir.path().join("cnf"),
            "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\ncerts=root.pem\nsigner_key=tsa.key\n\
             signer_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\naccuracy=secs:1\n",
        )
        .unwrap();
        run(dir.path(), &["req", "-x509", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root"], &new_key);
        run(dir.path(), &["req", "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Stamps"], &new_key);
        let signed_by = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-extfile", "ext"];
        run(dir.path(), &["x509", "-req", "-in", "tsa.csr", "-out", "tsa.pem"], &signed_by);
        let seen = Arc::new(Seen { dir, manner: Mutex::new(manner), answers: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/stamp", listener.local_addr().unwrap());
        let router = Router::new().route("/stamp", post(stamp)).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Authority { url, seen }
    }

    pub fn turns(&self, manner: Manner) {
        *self.seen.manner.lock().unwrap() = manner;
    }

    pub fn stamps(&self) -> usize {
        self.seen.answers.lock().unwrap().len()
    }

    pub fn answers(&self) -> Vec<Vec<u8>> {
        self.seen.answers.lock().unwrap().clone()
    }

    /// What it answers to this request, without a network.
    pub fn stamp(&self, request: &[u8]) -> Vec<u8> {
        self.seen.stamp(request)
    }

    /// The certificate of whoever issued the one that signs, in PEM.
    pub fn root(&self) -> Vec<u8> {
        std::fs::read(self.seen.dir.path().join("root.pem")).unwrap()
    }

    /// What an auditor does, as the README of an export says it.
    pub fn openssl_verifies(&self, export: &Path, size: u64) -> bool {
        let script = format!(
            "sed '/^$/,$d' checkpoints/{size} > \"$OUT/head\" &&
             openssl ts -verify -data \"$OUT/head\" -in anchors/{size}.tsr -CAfile \"$OUT/root.pem\""
        );
        let mut shell = Command::new("/bin/sh");
        let output = shell.args(["-c", &script]).current_dir(export).env("OUT", self.seen.dir.path()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains("Verification: OK")
            || String::from_utf8_lossy(&output.stderr).contains("Verification: OK")
    }
}

async fn stamp(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(headers[header::CONTENT_TYPE], "application/timestamp-query");
    let manner = seen.manner.lock().unwrap().clone();
    if manner == Manner::Hangs {
        std::future::pending::<()>().await;
    }
    if let Manner::Says(status, bytes) = manner {
        return (StatusCode::from_u16(status).unwrap(), bytes).into_response();
    }
    let first = seen.answers.lock().unwrap().first().cloned();
    match first {
        Some(first) if manner == Manner::Repeats => first.into_response(),
        _ => seen.stamp(&body).into_response(),
    }
}

impl Seen {
    fn stamp(&self, request: &[u8]) -> Vec<u8> {
        let mut answers = self.answers.lock().unwrap();
        let dir = self.dir.path();
        std::fs::write(dir.join("query"), request).unwrap();
        run(dir, &["ts", "-reply", "-config", "cnf", "-section", "t", "-queryfile", "query", "-out", "answer"], &[]);
        answers.push(std::fs::read(dir.join("answer")).unwrap());
        answers.last().unwrap().clone()
    }
}

fn run(dir: &Path, args: &[&str], more: &[&str]) {
    let output = Command::new("openssl").args(args).args(more).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "openssl {args:?}: {output:?}");
}
