//! Time stamps on heads by a service outside the house, RFC 3161 over HTTP (section 3.4).

use std::time::Duration;

use case::Timestamp;
use reqwest::{Client, StatusCode, header};
use store::{NewestHead, Store, TIMESTAMP_BYTES_MAX, causes};
use thiserror::Error;

use crate::anchors::{AnchorError, Newest, Patience};
use crate::{http, now};

/// How often a head is stamped, at most, where nothing else is said.
pub const TIMESTAMP_MINUTES: u64 = 60;
const EVERY_MINUTES_MAX: u64 = 30 * 24 * 60;
const ANSWER_SECONDS_MAX: u64 = 30;

/// The service that heads are stamped by.
#[derive(Clone, Debug)]
pub struct Timestamps {
    url: String,
    every: Duration,
    client: Client,
}

#[derive(Debug, Error)]
enum Unstamped {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("it does not answer")]
    Silent(#[source] reqwest::Error),
    #[error("its answer has more than {TIMESTAMP_BYTES_MAX} bytes")]
    Long,
    #[error("it answers with status {status}")]
    Status { status: u16 },
}

impl Timestamps {
    /// The newest head is stamped every so many minutes, if there is a new one.
    pub fn new(url: &str, every_minutes: u64) -> Result<Timestamps, AnchorError> {
        if !http::is_url(url) {
            return Err(AnchorError::Url { url: url.to_owned() });
        }
        if !(1..=EVERY_MINUTES_MAX).contains(&every_minutes) {
            let (what, given) = ("`timestamp_minutes`", every_minutes);
            return Err(AnchorError::Every { what, given, max: EVERY_MINUTES_MAX });
        }
        let every = Duration::from_secs(every_minutes * 60);
        Ok(Timestamps { url: url.to_owned(), every, client: http::client(ANSWER_SECONDS_MAX)? })
    }

    /// Has heads stamped when their time comes, until nobody tells of new ones any more.
    pub(crate) async fn follow(self, store: Store, mut newest: Newest) {
        let mut patience = Patience::new("The time stamping service did not stamp the log".to_owned());
        while patience.wait(&mut newest).await {
            let head = newest.borrow_and_update().clone();
            let Some(head) = head else { continue };
            match self.have_stamped(&store, &head, now()).await {
                Ok(()) => patience.good(),
                Err(err) => patience.bad(&causes(&err)),
            }
        }
    }

    async fn have_stamped(&self, store: &Store, head: &NewestHead, now: Timestamp) -> Result<(), Unstamped> {
        if let Some(last) = store.last_timestamp().await? {
            let since = u64::try_from(now.0 - last.at.0).map_or(Duration::MAX, Duration::from_micros);
            // A clock that was set back must not make us wait for it.
            if head.size <= last.size || since < self.every {
                return Ok(());
            }
        }
        let (request, nonce) = store.timestamp_request(head)?;
        let answer = self.ask(request).await?;
        Ok(store.keep_timestamp(head, &self.url, nonce, &answer, crate::now()).await?)
    }

    async fn ask(&self, request: Vec<u8>) -> Result<Vec<u8>, Unstamped> {
        let silent = |err: reqwest::Error| Unstamped::Silent(err.without_url());
        let post = self.client.post(&self.url).header(header::CONTENT_TYPE, "application/timestamp-query");
        let answer = post.body(request).send().await.map_err(silent)?;
        match answer.status() {
            StatusCode::OK => http::body(answer, TIMESTAMP_BYTES_MAX).await.map_err(silent)?.ok_or(Unstamped::Long),
            other => Err(Unstamped::Status { status: other.as_u16() }),
        }
    }
}
