//! A server that speaks S3, and a way to it on which things go wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Location;
use object_store::{ObjectStoreExt, PutPayload};

use std::path::Path;

use super::super::*;
use super::TempDir;

pub(super) struct Server {
    port: u16,
    key_id: String,
    secret_key: String,
    /// Its standard input is the leash: the server ends with this process.
    _leash: Child,
}

/// The server of this test program alone; None where it is not installed, which in CI is a failure.
pub(super) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(Server::start).as_ref();
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(server.is_some() || !ci, "moto, which speaks S3, is not installed, and in CI nothing is skipped");
    if server.is_none() {
        eprintln!("skipped in a bucket: Python's moto, which speaks S3, is not installed");
    }
    server
}

impl Server {
    fn start() -> Option<Server> {
        let mut command = Command::new("python3");
        command.args(["-c", include_str!("server.py")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut leash = command.spawn().ok()?;
        let mut line = String::new();
        BufReader::new(leash.stdout.take()?).read_line(&mut line).ok()?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (port, key_id, secret_key) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
        Some(Server { port, key_id, secret_key, _leash: leash })
    }

    /// Everything that a bucket needs on this machine lies in `dir`.
    pub(super) fn place(&self, dir: &TempDir, url: &str) -> BucketPlace {
        self.place_by(self.port, dir, url)
    }

    /// The same, asked through another port.
    pub(super) fn place_by(&self, port: u16, dir: &TempDir, url: &str) -> BucketPlace {
        place(port, dir, url, &self.key_id, &self.secret_key)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn secrets(&self) -> [&str; 2] {
        [&self.key_id, &self.secret_key]
    }
}

pub(super) fn place(port: u16, dir: &TempDir, url: &str, key_id: &str, secret_key: &str) -> BucketPlace {
    let credentials = dir.path().join("credentials");
    write_credentials(&credentials, key_id, secret_key);
    BucketPlace {
        url: url.to_owned(),
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        region: "us-east-1".to_owned(),
        credentials: Some(credentials),
        plain_http: false,
        staging: dir.path().join("staging"),
    }
}

pub(super) fn write_credentials(path: &Path, key_id: &str, secret_key: &str) {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    write!(file, "[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret_key}\n").unwrap();
}

/// A client that knows nothing of the product.
pub(super) fn client(place: &BucketPlace) -> AmazonS3 {
    let text = fs::read_to_string(place.credentials.as_ref().unwrap()).unwrap();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = ")).unwrap();
    let bucket = place.url.strip_prefix("s3://").unwrap().split('/').next().unwrap();
    let builder = AmazonS3Builder::new().with_bucket_name(bucket).with_region("us-east-1").with_allow_http(true);
    let builder = builder.with_endpoint(place.endpoint.as_ref().unwrap());
    let builder = builder.with_access_key_id(value("aws_access_key_id"));
    builder.with_secret_access_key(value("aws_secret_access_key")).build().unwrap()
}

pub(super) fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(answer)
}

pub(super) fn location(place: &BucketPlace, name: &str) -> Location {
    let prefix = place.url.strip_prefix("s3://").unwrap().split_once('/').map_or("", |(_, prefix)| prefix);
    Location::from(format!("{prefix}/{name}"))
}

pub(super) fn put_past(place: &BucketPlace, name: &str, bytes: &[u8]) {
    wait(client(place).put(&location(place, name), PutPayload::from(bytes.to_vec()))).unwrap();
}

/// What happens to one request on its way.
pub(super) enum Way {
    Through,
    /// The server never sees it.
    Instead(String),
    /// The server does it, and the answer is lost.
    DoneBut(String),
    /// The answer is another one.
    Altered(fn(Vec<u8>) -> Vec<u8>),
}

/// Passes requests on to `server`, each as `way` says of its number and first line. Gives the port, and the first lines
/// of what was asked.
pub(super) fn proxy(server: u16, way: impl Fn(usize, &str) -> Way + Send + 'static) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some((first, request)) = request(&stream) else { continue };
            let number = seen.lock().unwrap().len();
            seen.lock().unwrap().push(first.clone());
            let forward = || {
                let mut upstream = TcpStream::connect(("127.0.0.1", server)).unwrap();
                upstream.write_all(&request).unwrap();
                let mut answer = Vec::new();
                upstream.read_to_end(&mut answer).unwrap();
                answer
            };
            let answer = match way(number, &first) {
                Way::Through => forward(),
                Way::Instead(answer) => answer.into_bytes(),
                Way::DoneBut(answer) => {
                    forward();
                    answer.into_bytes()
                }
                Way::Altered(alter) => alter(forward()),
            };
            // Who hangs up early has its reasons.
            let _ = stream.write_all(&answer);
        }
    });
    (port, asked)
}

fn request(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let (mut bytes, mut body_bytes) = (Vec::new(), 0);
    loop {
        let begin = bytes.len();
        if reader.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes[begin..]).to_ascii_lowercase();
        if let Some(length) = line.strip_prefix("content-length:") {
            body_bytes = length.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let first = String::from_utf8_lossy(&bytes).lines().next()?.to_owned();
    let head = bytes.len();
    bytes.resize(head + body_bytes, 0);
    reader.read_exact(&mut bytes[head..]).ok()?;
    Some((first, bytes))
}

/// An answer as a server writes it.
pub(super) fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
