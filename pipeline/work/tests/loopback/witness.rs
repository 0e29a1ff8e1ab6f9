//! A witness on this machine, after C2SP tlog-witness: honest, or in one of the ways in which one can be wrong.
#![allow(dead_code, unreachable_pub, reason = "every test program uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::{Arc, Mutex};

use audit::{Frontier, Hash, VerifierKey, WitnessSigner, open_checkpoint, verify_consistency};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

/// When it says that it signs: 2026-11-22T10:00:00Z.
pub const TIME: u64 = 1_795_341_600;

#[derive(Clone, Debug, PartialEq)]
pub enum Manner {
    Honest,
    /// Signs another text.
    Lies,
    /// Signs with a key that is not the one it gave.
    OtherKey,
    /// Takes the request and never answers.
    Hangs,
    /// Cosigns, remembers it, and dies before it answers; from then on it is honest.
    DiesOnce,
    /// Says this to everybody.
    Says(u16, &'static str, String),
    /// Finds every proof wrong.
    FindsNoProof,
}

pub struct Witness {
    pub url: String,
    /// `name+id+base64`
    pub key: String,
    seen: Arc<Mutex<Seen>>,
}

pub struct Seen {
    pub manner: Manner,
    /// Size and root of the last head that it cosigned.
    pub last: (u64, Hash),
    /// The old size of each request.
    pub asked: Vec<u64>,
    /// Whether they came with no proof at all, although one was needed, or in any other form than the specification's.
    log: VerifierKey,
    signer: WitnessSigner,
}

impl Witness {
    /// Serves until the test ends.
    pub async fn serve(name: &str, log: &str, manner: Manner) -> Witness {
        let signer = WitnessSigner::generate(name).unwrap();
        let key = signer.key().to_string();
        let last = (0, Frontier::new().root());
        let log = VerifierKey::parse(log).unwrap();
        let seen = Arc::new(Mutex::new(Seen { manner, last, asked: Vec::new(), log, signer }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/add-checkpoint", post(add_checkpoint)).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Witness { url, key, seen }
    }

    pub fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    pub fn named(&self) -> (&str, &str) {
        (&self.url, &self.key)
    }
}

async fn add_checkpoint(State(seen): State<Arc<Mutex<Seen>>>, body: String) -> Response {
    let manner = seen.lock().unwrap().manner.clone();
    if manner == Manner::Hangs {
        std::future::pending::<()>().await;
    }
    seen.lock().unwrap().answer(&manner, &body)
}

impl Seen {
    fn answer(&mut self, manner: &Manner, body: &str) -> Response {
        let Some((old, proof, note)) = read_request(body) else { return StatusCode::BAD_REQUEST.into_response() };
        self.asked.push(old);
        if let Manner::Says(status, kind, text) = manner {
            let status = StatusCode::from_u16(*status).unwrap();
            return (status, [(header::CONTENT_TYPE, *kind)], text.clone()).into_response();
        }
        let head = match open_checkpoint(note.as_bytes(), std::slice::from_ref(&self.log)) {
            Ok(head) => head,
            Err(audit::Error::OtherLog { .. }) => return StatusCode::NOT_FOUND.into_response(),
            Err(audit::Error::OtherKey { .. } | audit::Error::Signature { .. }) => {
                return StatusCode::FORBIDDEN.into_response();
            }
            Err(_) => return StatusCode::BAD_REQUEST.into_response(),
        };
        let (size, root) = self.last;
        if head.size < old {
            return StatusCode::BAD_REQUEST.into_response();
        }
        if old != size || (old == head.size && root != head.root) {
            return (StatusCode::CONFLICT, [(header::CONTENT_TYPE, "text/x.tlog.size")], format!("{size}\n"))
                .into_response();
        }
        if *manner == Manner::FindsNoProof || !verify_consistency(old, head.size, &root, &head.root, &proof) {
            return StatusCode::UNPROCESSABLE_ENTITY.into_response();
        }
        self.last = (head.size, head.root);
        match manner {
            Manner::Lies => {
                let other = note.replacen('\n', "\n1", 1);
                self.signer.cosign(other.as_bytes(), TIME).unwrap().into_response()
            }
            Manner::OtherKey => {
                let name = self.signer.key().name().to_owned();
                WitnessSigner::generate(&name).unwrap().cosign(note.as_bytes(), TIME).unwrap().into_response()
            }
            Manner::DiesOnce => {
                self.manner = Manner::Honest;
                StatusCode::BAD_GATEWAY.into_response()
            }
            _ => {
                // A second line, by a key that nobody here knows, as a witness with two keys gives it.
                let other = WitnessSigner::generate("witness.example.org/unknown").unwrap();
                let lines = [&other, &self.signer].map(|signer| signer.cosign(note.as_bytes(), TIME).unwrap());
                lines.concat().into_response()
            }
        }
    }
}

/// The old size, the proof and the head of a request; None where it is not as the specification says.
fn read_request(body: &str) -> Option<(u64, Vec<Hash>, &str)> {
    use base64::Engine;
    let (before, note) = body.split_once("\n\n")?;
    let mut lines = before.split('\n');
    let old = lines.next()?.strip_prefix("old ")?;
    let size: u64 = old.parse().ok().filter(|size: &u64| size.to_string() == old)?;
    let decode = |line| base64::engine::general_purpose::STANDARD.decode(line).ok()?.try_into().ok().map(Hash);
    let proof = lines.map(decode).collect::<Option<Vec<Hash>>>()?;
    (proof.len() <= 63).then_some((size, proof, note))
}
