//! Witnesses: others who sign the newest head after they saw that it continues the last one. C2SP tlog-witness,
//! `add-checkpoint`.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode, header};
use store::{NewestHead, Objection, Quorum, Store, WitnessKey, causes};
use thiserror::Error;
use tokio::task::JoinSet;

use crate::anchors::{AnchorError, Newest, Patience};
use crate::{http, now};

const WITNESSES_MAX: usize = 16;
/// How often a head is shown, at most, where nothing else is said.
pub const WITNESS_SECONDS: u64 = 60;
const EVERY_SECONDS_MAX: u64 = 24 * 60 * 60;
const ANSWER_SECONDS_MAX: u64 = 10;
/// A signature has some 150 bytes; some witnesses add one of another kind, of 4 KiB.
const ANSWER_BYTES_MAX: usize = 16 << 10;
/// A witness that was told the wrong size says which one it knows. Another node may be faster than us, once or twice.
const TURNS_MAX: usize = 4;

/// Those who are asked to cosign heads, and how many of them are enough.
#[derive(Clone, Debug, Default)]
pub struct Witnesses {
    pub(crate) each: Vec<Witness>,
    needed: usize,
    pub(crate) every: Duration,
}

#[derive(Clone, Debug)]
pub(crate) struct Witness {
    key: WitnessKey,
    /// With `/add-checkpoint`.
    url: String,
    client: Client,
}

impl Witnesses {
    /// Each with its URL (the submission prefix) and its key, `name+id+base64`. All of them make the quorum where no
    /// number is given. A head is shown every so many seconds at most.
    pub fn new<'a>(
        named: impl IntoIterator<Item = (&'a str, &'a str)>,
        quorum: Option<usize>,
        every_seconds: u64,
    ) -> Result<Witnesses, AnchorError> {
        let mut each: Vec<Witness> = Vec::new();
        for (url, key) in named {
            if !http::is_url(url) {
                return Err(AnchorError::Url { url: url.to_owned() });
            }
            let key = WitnessKey::parse(key)
                .map_err(|err| AnchorError::Key { url: url.to_owned(), source: Box::new(err) })?;
            if each.iter().any(|other| other.key.name() == key.name()) {
                return Err(AnchorError::Twice { name: key.name().to_owned() });
            }
            let client = http::client(ANSWER_SECONDS_MAX)?;
            each.push(Witness { key, url: format!("{}/add-checkpoint", url.trim_end_matches('/')), client });
        }
        let n = each.len();
        if WITNESSES_MAX < n {
            return Err(AnchorError::TooMany { n, max: WITNESSES_MAX });
        }
        if !(1..=EVERY_SECONDS_MAX).contains(&every_seconds) {
            let (what, given) = ("`witness_seconds`", every_seconds);
            return Err(AnchorError::Every { what, given, max: EVERY_SECONDS_MAX });
        }
        let needed = match quorum {
            None => n,
            Some(needed) if n == 0 => return Err(AnchorError::Nobody { needed }),
            Some(needed) if !(1..=n).contains(&needed) => return Err(AnchorError::Quorum { needed, n }),
            Some(needed) => needed,
        };
        Ok(Witnesses { each, needed, every: Duration::from_secs(every_seconds) })
    }

    /// How many entries the longest head has that each witness cosigned of the log of this signed head. It is shown to them as
    /// a log that they do not know yet, which they only cosign if they do not: a database that was brought back has nothing
    /// to prove otherwise with.
    pub async fn known(&self, note: &str) -> Vec<(String, Result<u64, String>)> {
        let mut asked = JoinSet::new();
        for witness in self.each.clone() {
            let request = format!("old 0\n\n{note}").into_bytes();
            asked.spawn(async move {
                let said = match witness.ask(request).await {
                    Ok(Said::Conflict(size)) => Ok(size),
                    Ok(Said::Signed(_) | Said::Unprovable) => Ok(0),
                    Err(err) => Err(causes(&err)),
                };
                (witness.key.name().to_owned(), said)
            });
        }
        let mut answers = asked.join_all().await;
        answers.sort();
        answers
    }

    #[must_use]
    pub fn quorum(&self) -> Quorum {
        Quorum { witnesses: self.each.iter().map(|witness| witness.key.clone()).collect(), needed: self.needed }
    }
}

/// Why a witness did not cosign.
#[derive(Debug, Error)]
enum Unwitnessed {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("it does not answer")]
    Silent(#[source] reqwest::Error),
    #[error("its answer has more than {ANSWER_BYTES_MAX} bytes")]
    Long,
    #[error("it answers 409 and does not say which size it knows")]
    NoSize,
    #[error("it says another size each time it is asked, {TURNS_MAX} times")]
    Restless,
    #[error(
        "it does not know this log (404): give whoever runs it the verifier key that `countersign log head` prints"
    )]
    UnknownLog,
    #[error(
        "it does not know the key that signs this log (403): give whoever runs it the verifier key that `countersign log head` prints"
    )]
    UnknownKey,
    #[error("it answers with status {status}")]
    Status { status: u16 },
}

/// What a witness answered.
enum Said {
    /// Lines of signature.
    Signed(Vec<u8>),
    Conflict(u64),
    Unprovable,
}

impl Witness {
    /// Has every head cosigned that it is told of, until nobody tells it any more.
    pub(crate) async fn follow(self, store: Store, mut newest: Newest) {
        let mut patience = Patience::new(format!("The witness `{}` did not cosign the log", self.key.name()));
        // The first one also when it was cosigned before: what the witness remembers is compared with what is here.
        while patience.wait(&mut newest).await {
            let head = newest.borrow_and_update().clone();
            let Some(head) = head else { continue };
            match self.have_cosigned(&store, head).await {
                Ok(()) => patience.good(),
                Err(err) => patience.bad(&match err {
                    Unwitnessed::Store(store::Error::WitnessedMore { .. } | store::Error::WitnessedOther { .. }) => {
                        format!("nothing is done any more, for {}", causes(&err))
                    }
                    _ => causes(&err),
                }),
            }
        }
    }

    async fn have_cosigned(&self, store: &Store, mut head: Arc<NewestHead>) -> Result<(), Unwitnessed> {
        let mut old = store.cosigned_until(&head, &self.key).await?.min(head.size);
        for _ in 0..TURNS_MAX {
            let objection = match self.ask(store.witness_request(&head, old).await?).await? {
                Said::Signed(lines) => return Ok(store.keep_cosignature(&head, &self.key, &lines, now()).await?),
                // The same size, and told so: it has another root there.
                Said::Conflict(size) if size == old && size == head.size => Objection::Refuses(size),
                Said::Conflict(size) => Objection::Knows(size),
                Said::Unprovable => Objection::Refuses(old),
            };
            store.witness_objects(&head, &self.key, objection).await?;
            let (Objection::Knows(size) | Objection::Refuses(size)) = objection;
            if head.size < size
                && let Some(newer) = store.newest_head().await?
            {
                head = Arc::new(newer);
            }
            old = size.min(head.size);
        }
        Err(Unwitnessed::Restless)
    }

    async fn ask(&self, request: Vec<u8>) -> Result<Said, Unwitnessed> {
        let silent = |err: reqwest::Error| Unwitnessed::Silent(err.without_url());
        let answer = self.client.post(&self.url).body(request).send().await.map_err(silent)?;
        let status = answer.status();
        let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
        let body = http::body(answer, ANSWER_BYTES_MAX).await.map_err(silent)?.ok_or(Unwitnessed::Long)?;
        match status {
            StatusCode::OK => Ok(Said::Signed(body)),
            StatusCode::CONFLICT if kind.is_some_and(|kind| kind == "text/x.tlog.size") => {
                read_size(&body).map(Said::Conflict).ok_or(Unwitnessed::NoSize)
            }
            StatusCode::CONFLICT => Err(Unwitnessed::NoSize),
            StatusCode::UNPROCESSABLE_ENTITY => Ok(Said::Unprovable),
            StatusCode::NOT_FOUND => Err(Unwitnessed::UnknownLog),
            StatusCode::FORBIDDEN => Err(Unwitnessed::UnknownKey),
            other => Err(Unwitnessed::Status { status: other.as_u16() }),
        }
    }
}

/// A plain decimal and a newline.
fn read_size(body: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(body).ok()?.strip_suffix('\n')?;
    text.parse::<u64>().ok().filter(|size| size.to_string() == text)
}
