//! Sealed files in a bucket of a store that speaks S3 (Amazon S3 API Reference, 2006-03-01).

mod listing;

use std::error::Error as _;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpErrorKind};
use object_store::multipart::MultipartStore;
use object_store::path::Path as Location;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, Error as S3Error, GetOptions, GetRange, HeaderMap,
    HeaderValue, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    RetryConfig,
};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use super::super::{VaultError, io_error};
use super::credentials::{Credentials, Unusable};
use super::place::BucketPlace;
use super::{Staged, Staging, relative};
use listing::Listing;

/// A file up to this size is sent by one request, a larger one in parts of it. S3 takes parts from 5 MiB on.
const PART_BYTES: u64 = 8 << 20;
/// S3 takes no more parts: 80 GiB.
const PARTS_MAX: u64 = 10_000;
/// So much is asked for at least, so that reading on from there needs no request.
const WINDOW_BYTES: u64 = 1 << 20;

const CONNECT_SECONDS_MAX: u64 = 5;
/// From the first byte of a request to the last of its answer: a part gets through at 70 kB a second.
const ANSWER_SECONDS_MAX: u64 = 120;
/// What the server could not do, or what did not reach it, is asked for again so often, and for so long.
const RETRIES_MAX: usize = 4;
const RETRY_SECONDS_MAX: u64 = 60;
const RETRY_MILLISECONDS_FIRST: u64 = if cfg!(test) { 1 } else { 100 };
const RETRY_SECONDS_APART_MAX: u64 = 5;

/// What a server calls its faults is shown up to this length.
const CODE_BYTES_MAX: usize = 64;

/// Says with each file which attempt placed it, to tell one's own from another's when an answer was lost.
const PLACED_BY: &str = "countersign-placed-by";

/// Files have the names that they have in a folder, below the prefix: the one can be copied to the other.
pub(crate) struct Bucket {
    staging: Staging,
    link: Arc<Link>,
}

impl Bucket {
    /// Asks the server for nothing yet.
    pub(super) fn open(place: &BucketPlace) -> Result<Bucket, VaultError> {
        Ok(Bucket { link: Arc::new(Link::open(place)?), staging: Staging::open(place.staging.clone())? })
    }

    pub(super) fn staging(&self) -> &Staging {
        &self.staging
    }

    /// A file is whole when the request that ends it was answered, and that request says: only if nothing is there.
    pub(super) fn place(&self, staged: &Staged) -> Result<(), VaultError> {
        let (id, link) = (staged.id, &*self.link);
        let size = staged.file.metadata().map_err(io_error("read", &staged.path))?.len();
        if PARTS_MAX * PART_BYTES < size {
            return Err(VaultError::TooLarge { size, max: PARTS_MAX * PART_BYTES });
        }
        let part = |offset: u64| -> Result<PutPayload, VaultError> {
            let mut bytes = vec![0; PART_BYTES.min(size - offset) as usize];
            staged.file.read_exact_at(&mut bytes, offset).map_err(io_error("read", &staged.path))?;
            Ok(bytes.into())
        };
        let by = Uuid::now_v7().to_string();
        let attributes = Attributes::from_iter([(Attribute::Metadata(PLACED_BY.into()), by.clone())]);
        let sent = if size <= PART_BYTES {
            let options = PutOptions { mode: PutMode::Create, attributes, ..PutOptions::default() };
            let whole = part(0)?;
            link.wait(link.server.put_opts(&link.location(id), whole, options)).map(drop)
        } else {
            self.place_parts(id, attributes, (0..size).step_by(PART_BYTES as usize).map(part))?
        };
        let Err(error) = sent else { return Ok(()) };
        // The server may have done it although its answer was lost, or came too late.
        match link.placed_by(id) {
            Ok(Some(found)) if found == by => Ok(()),
            Ok(Some(_)) => Err(VaultError::Exists { id }),
            _ if matches!(error, S3Error::AlreadyExists { .. } | S3Error::Precondition { .. }) => {
                Err(VaultError::Exists { id })
            }
            _ => Err(link.failed_at("write", &relative(id), &error)),
        }
    }

    /// Parts do not count before the last request of an upload, which alone can be conditional. The outer error is of this
    /// machine, the inner one of the server.
    fn place_parts(
        &self,
        id: Uuid,
        attributes: Attributes,
        parts: impl Iterator<Item = Result<PutPayload, VaultError>>,
    ) -> Result<Result<(), S3Error>, VaultError> {
        let (link, location) = (&*self.link, self.link.location(id));
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let upload = match link.wait(link.server.create_multipart_opts(&location, options)) {
            Ok(upload) => upload,
            Err(error) => return Ok(Err(error)),
        };
        let send = || {
            let mut sent = Vec::new();
            for (n, part) in parts.enumerate() {
                match link.wait(link.server.put_part(&location, &upload, n, part?)) {
                    Ok(part) => sent.push(part),
                    Err(error) => return Ok(Err(error)),
                }
            }
            Ok(link.wait(link.server_if_new.complete_multipart(&location, &upload, sent)).map(drop))
        };
        let ended = send();
        if !matches!(ended, Ok(Ok(()))) {
            // What cannot be taken back either goes by the bucket's own rule for uploads that nobody ended.
            let _ = link.wait(link.server.abort_multipart(&location, &upload));
        }
        ended
    }

    pub(super) fn read(&self, id: Uuid) -> Result<Object, VaultError> {
        let link = self.link.clone();
        let (size, e_tag, bytes) = match link.range(id, 0, None) {
            Ok((found, bytes)) => (found.size, found.e_tag, bytes),
            Err(missing @ S3Error::NotFound { .. }) => return Err(link.failed("read", id, &missing)),
            // Of an empty file no range can be asked for.
            Err(error) => match link.wait(link.server.head(&link.location(id))) {
                Ok(found) if found.size == 0 => (0, None, Vec::new()),
                _ => return Err(link.failed("read", id, &error)),
            },
        };
        Ok(Object { id, size, e_tag, window: Mutex::new(Window { offset: 0, bytes }), link })
    }

    /// [`VaultError::Missing`] if there is no file `id`.
    pub(super) fn look(&self, id: Uuid) -> Result<(), VaultError> {
        let link = &*self.link;
        link.wait(link.server.head(&link.location(id))).map(drop).map_err(|error| link.failed("look for", id, &error))
    }

    /// S3 says of a file that was not there that it is gone, so it is looked for first.
    pub(super) fn remove(&self, id: Uuid) -> Result<(), VaultError> {
        let (link, location) = (&*self.link, self.link.location(id));
        let removed = link.wait(async {
            link.server.head(&location).await?;
            link.server.delete(&location).await
        });
        removed.map_err(|error| link.failed("remove", id, &error))
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = Result<Uuid, VaultError>> + '_ {
        Listing::new(&self.link)
    }
}

/// A file in a bucket, with the piece of it that was last asked for.
pub(crate) struct Object {
    id: Uuid,
    pub(super) size: u64,
    e_tag: Option<String>,
    window: Mutex<Window>,
    link: Arc<Link>,
}

struct Window {
    offset: u64,
    bytes: Vec<u8>,
}

impl Object {
    /// Files never change; should one be exchanged all the same, that is an error and not a mixture of both.
    pub(super) fn read_exact_at(&self, mut to: &mut [u8], mut offset: u64) -> Result<(), VaultError> {
        let end = offset.checked_add(to.len() as u64).filter(|end| *end <= self.size);
        end.ok_or_else(|| self.link.said("read", self.id, io::ErrorKind::UnexpectedEof, "it ends before".to_owned()))?;
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        while !to.is_empty() {
            let from = offset.checked_sub(window.offset).and_then(|from| window.bytes.get(from as usize..));
            let Some(here) = from.filter(|here| !here.is_empty()) else {
                let range = self.link.range(self.id, offset, self.e_tag.clone());
                let (found, bytes) = range.map_err(|error| self.link.failed("read", self.id, &error))?;
                if found.size != self.size || bytes.is_empty() {
                    let text = format!("it has {} bytes, and had {} before", found.size, self.size);
                    return Err(self.link.said("read", self.id, io::ErrorKind::InvalidData, text));
                }
                *window = Window { offset, bytes };
                continue;
            };
            let n = here.len().min(to.len());
            let (now, later) = to.split_at_mut(n);
            now.copy_from_slice(here.get(..n).unwrap_or_default());
            (to, offset) = (later, offset + n as u64);
        }
        Ok(())
    }
}

/// The way to the server.
struct Link {
    server: AmazonS3,
    /// The same, where every request says: only if nothing is there.
    server_if_new: AmazonS3,
    bucket: String,
    /// Before every name, with the slash.
    prefix: String,
    runtime: Option<Runtime>,
}

impl Link {
    fn open(place: &BucketPlace) -> Result<Link, VaultError> {
        let failed = |kind, why: String| io_error("open", Path::new(place.shown()))(io::Error::new(kind, why));
        let wrong = |why: String| failed(io::ErrorKind::InvalidInput, why);
        let (bucket, prefix) = place.parse().map_err(|why| wrong(why.to_owned()))?;
        let plain_http = place.plain_http().map_err(|why| wrong(why.to_owned()))?;
        let credentials = Credentials::find(place.credentials.as_deref(), |name| std::env::var(name).ok());
        let credentials = Arc::new(credentials.map_err(|unusable| wrong(unusable.to_string()))?);
        // The first caller installs it; the others find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let straight = Straight(
            reqwest::Client::builder()
                .https_only(!plain_http)
                .http1_only()
                .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
                .timeout(Duration::from_secs(ANSWER_SECONDS_MAX))
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .map_err(|error| wrong(error.to_string()))?,
        );
        let server = |headers: HeaderMap| {
            let mut builder = AmazonS3Builder::new()
                .with_bucket_name(bucket)
                .with_region(&place.region)
                .with_credentials(credentials.clone())
                .with_conditional_put(S3ConditionalPut::ETagMatch)
                // Removing one file by the request for one is what every store knows.
                .with_disable_bulk_delete(true)
                .with_http_connector(straight.clone())
                .with_client_options(ClientOptions::new().with_default_headers(headers))
                .with_retry(RetryConfig {
                    backoff: BackoffConfig {
                        init_backoff: Duration::from_millis(RETRY_MILLISECONDS_FIRST),
                        max_backoff: Duration::from_secs(RETRY_SECONDS_APART_MAX),
                        base: 2.0,
                    },
                    max_retries: RETRIES_MAX,
                    retry_timeout: Duration::from_secs(RETRY_SECONDS_MAX),
                });
            if let Some(endpoint) = &place.endpoint {
                builder = builder.with_endpoint(endpoint);
            }
            builder.build().map_err(|error| wrong(explain(&error)))
        };
        let if_new = HeaderMap::from_iter([(reqwest::header::IF_NONE_MATCH, HeaderValue::from_static("*"))]);
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("bucket").enable_all().build();
        Ok(Link {
            server: server(HeaderMap::new())?,
            server_if_new: server(if_new)?,
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            runtime: Some(runtime.map_err(|source| failed(source.kind(), source.to_string()))?),
        })
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, S3Error>>) -> Result<T, S3Error> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(answer),
            None => Err(S3Error::Generic { store: "S3", source: "the program is ending".into() }),
        }
    }

    fn location(&self, id: Uuid) -> Location {
        Location::from(format!("{}{}", self.prefix, relative(id)))
    }

    /// A window of the file from `offset` on, or what is left of it; of no other version than this.
    fn range(&self, id: Uuid, offset: u64, e_tag: Option<String>) -> Result<(ObjectMeta, Vec<u8>), S3Error> {
        let range = Some(GetRange::Bounded(offset..offset.saturating_add(WINDOW_BYTES)));
        let options = GetOptions { range, if_match: e_tag, ..GetOptions::default() };
        self.wait(async {
            let answer = self.server.get_opts(&self.location(id), options).await?;
            let (meta, n) = (answer.meta.clone(), answer.range.end - answer.range.start);
            let mut bytes = Vec::with_capacity(n.min(WINDOW_BYTES) as usize);
            let mut pieces = answer.into_stream();
            while let Some(piece) = pieces.next().await {
                bytes.extend_from_slice(&piece?);
                if n < bytes.len() as u64 {
                    break;
                }
            }
            if bytes.len() as u64 == n {
                Ok((meta, bytes))
            } else {
                let text = format!("the server sent {} bytes where it had promised {n}; try again", bytes.len());
                Err(S3Error::Generic { store: "S3", source: Box::new(Unusable(text)) })
            }
        })
    }

    fn placed_by(&self, id: Uuid) -> Result<Option<String>, S3Error> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        let found = self.wait(self.server.get_opts(&self.location(id), options))?;
        Ok(found.attributes.get(&Attribute::Metadata(PLACED_BY.into())).map(|by| by.to_string()))
    }

    fn failed(&self, doing: &'static str, id: Uuid, error: &S3Error) -> VaultError {
        if matches!(error, S3Error::NotFound { .. }) && answered(error).1 != "NoSuchBucket" {
            return VaultError::Missing { id };
        }
        self.failed_at(doing, &relative(id), error)
    }

    fn failed_at(&self, doing: &'static str, name: &str, error: &S3Error) -> VaultError {
        self.said_at(doing, name, io::ErrorKind::Other, explain(error))
    }

    fn said(&self, doing: &'static str, id: Uuid, kind: io::ErrorKind, text: String) -> VaultError {
        self.said_at(doing, &relative(id), kind, text)
    }

    fn said_at(&self, doing: &'static str, name: &str, kind: io::ErrorKind, text: String) -> VaultError {
        let path = PathBuf::from(format!("s3://{}/{}{name}", self.bucket, self.prefix));
        VaultError::Io { doing, path, source: io::Error::new(kind, text) }
    }
}

impl Drop for Link {
    /// A runtime must not wait for its threads where it may be dropped by another's.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Requests go to the server that was named, and to no other that it names.
#[derive(Clone, Debug)]
struct Straight(reqwest::Client);

impl HttpConnector for Straight {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// What went wrong and what to do. The server's own text is left out, for it can name the access key.
fn explain(error: &S3Error) -> String {
    let mut cause = error.source();
    while let Some(this) = cause {
        if let Some(Unusable(text)) = this.downcast_ref() {
            return text.clone();
        }
        if let Some(broken) = this.downcast_ref::<HttpError>() {
            return match broken.kind() {
                HttpErrorKind::Connect => format!(
                    "the server cannot be reached, asked {} times: look whether it runs, and whether `endpoint` under [vault] is right",
                    RETRIES_MAX + 1
                ),
                HttpErrorKind::Timeout => {
                    format!("the server did not answer within {ANSWER_SECONDS_MAX} seconds: look whether it runs, and try again")
                }
                _ => "the connection broke off, or what came is no answer: try again, and look whether `endpoint` under [vault] is a server that speaks S3".to_owned(),
            };
        }
        cause = this.source();
    }
    let (status, code) = answered(error);
    let said = [status.as_str(), code.as_str()]
        .iter()
        .filter(|it| !it.is_empty())
        .fold(String::new(), |all, it| all + " " + it);
    match (status.as_str(), code.as_str(), error) {
        ("401" | "403", ..) => format!(
            "the server refuses,{said}: look whether the credentials are right, and whether they allow to get, put, delete and list here"
        ),
        (_, "NoSuchBucket", _) => "there is no such bucket: make it, or correct its name under [vault]".to_owned(),
        (.., S3Error::Precondition { .. }) => "it was exchanged for another meanwhile".to_owned(),
        _ => {
            format!("the server cannot do it,{said}: look at its own log, and at `region` and `endpoint` under [vault]")
        }
    }
}

/// The answer's status and S3's own word for what is wrong, as far as they can be told.
fn answered(error: &S3Error) -> (String, String) {
    let text = error.to_string();
    let status = text.split_once("status code: ").and_then(|(_, rest)| rest.get(..3)).unwrap_or_default();
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
    let status = if status.bytes().all(|c| c.is_ascii_digit()) { status } else { "" };
    let code = if code.len() <= CODE_BYTES_MAX && code.bytes().all(|c| c.is_ascii_alphanumeric()) { code } else { "" };
    (status.to_owned(), code.to_owned())
}
