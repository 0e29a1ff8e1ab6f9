//! What only a bucket can meet: a server that fails, refuses or lies, and settings that do not fit.

use std::sync::atomic::{AtomicUsize, Ordering};

use object_store::PutPayload;
use object_store::multipart::MultipartStore;

use super::server::{Way, answer, client, location, place, proxy, server, wait, write_credentials};
use super::*;

/// Through a way on which things go wrong.
fn laid_by(port: u16, server: &Server) -> Laid {
    let dir = TempDir::new().unwrap();
    let place = server.place_by(port, &dir, &format!("s3://vault/tests/{}", Uuid::now_v7()));
    Laid::at(place, dir)
}

/// Where nobody listens, and where whoever does is told by `answers` what to say.
fn laid_alone(port: u16) -> Laid {
    let dir = TempDir::new().unwrap();
    let place = place(port, &dir, "s3://vault/tests", "AKIDEXAMPLE", "secret-of-the-test");
    Laid::at(place, dir)
}

/// The whole of an error, as whoever logs it would write it.
fn told(error: &VaultError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(this) = cause {
        text = format!("{text}: {this}");
        cause = this.source();
    }
    text
}

/// Everything that can be asked, and what is said to each.
#[track_caller]
fn every_request_says(laid: &Laid, texts: &[&str]) {
    let id = Uuid::now_v7();
    let failures = [
        laid.put_as(id, b"x").unwrap_err(),
        laid.put_as(id, &bytes(9 * MIB)).unwrap_err(),
        laid.blobs.read(id).err().unwrap(),
        laid.blobs.remove(id).unwrap_err(),
        laid.blobs.ids().next().unwrap().unwrap_err(),
    ];
    for failure in failures {
        let told = told(&failure);
        assert!(texts.iter().any(|text| told.contains(text)), "{told}");
        assert!(told.contains("`s3://vault/tests/") || matches!(failure, VaultError::Missing { .. }), "{told}");
        for secret in ["AKIDEXAMPLE", "secret-of-the-test"] {
            assert!(!told.contains(secret) && !format!("{failure:?}").contains(secret), "{failure:?}");
        }
    }
    assert_eq!(fs::read_dir(&laid.staging).unwrap().count(), 0);
    assert_eq!(laid.blobs.ids().count(), 1, "a list that failed is at its end");
}

#[test]
fn a_server_that_does_not_do_it_is_an_error_that_says_what_to_do() {
    let refused = "<Error><Code>AccessDenied</Code><AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId></Error>";
    let slow = "<Error><Code>SlowDown</Code></Error>";
    let hostile = format!("<Error><Code>{}</Code></Error>", "AKIDEXAMPLE ".repeat(1000));
    let no_bucket = "<Error><Code>NoSuchBucket</Code></Error>";
    let elsewhere =
        "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let cases = [
        (
            answer("403 Forbidden", refused),
            &["refuses, 403 AccessDenied: look whether the credentials", "refuses, 403: look"][..],
        ),
        (answer("403 Forbidden", &hostile), &["refuses, 403: look whether the credentials"]),
        (answer("403 Forbidden", "<Code>not AKIDEXAMPLE</Code>"), &["refuses, 403: look whether the credentials"]),
        (answer("401 Unauthorized", ""), &["refuses, 401: look whether the credentials"]),
        (
            answer("503 Service Unavailable", slow),
            &["cannot do it, 503 SlowDown: look at its own log", "cannot do it, 503: look"],
        ),
        (
            answer("404 Not Found", no_bucket),
            &["there is no such bucket: make it, or correct its name under [vault]", "there is no sealed file"],
        ),
        (answer("301 Moved", ""), &["cannot do it"]),
        (elsewhere.to_owned(), &["cannot do it, 307"]),
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), &["what came is no answer: try again, and look whether `endpoint`"]),
        (String::new(), &["the connection broke off"]),
    ];
    for (answer, texts) in cases {
        eprintln!("{answer:.60}");
        let (port, _) = proxy(0, move |_, _| Way::Instead(answer.clone()));
        every_request_says(&laid_alone(port), texts);
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    every_request_says(&laid_alone(closed), &["cannot be reached, asked 5 times: look whether it runs"]);
}

#[test]
fn a_server_that_is_not_the_one_of_its_certificate_is_not_spoken_to() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(|stream| drop(stream.unwrap().write_all(b"no TLS"))));
    let mut laid = laid_alone(port);
    let BlobPlace::Bucket(place) = &mut laid.place else { panic!() };
    place.endpoint = Some(format!("https://127.0.0.1:{port}"));
    laid.blobs = Blobs::open(&laid.place).unwrap();
    every_request_says(&laid, &["cannot be reached"]);
}

#[test]
fn what_fails_for_a_moment_is_tried_again() {
    let Some(server) = server() else { return };
    let (port, _) = proxy(server.port(), |n, _| match n % 3 {
        2 => Way::Through,
        _ => Way::Instead(answer("500 Internal Server Error", "<Error><Code>InternalError</Code></Error>")),
    });
    let laid = laid_by(port, server);
    for size in [10, 9 * MIB] {
        let id = laid.put(&bytes(size));
        assert!(laid.get(id) == bytes(size));
    }
    assert_eq!(laid.ids().len(), 2);
}

#[test]
fn a_file_whose_placing_was_done_although_the_answer_was_lost_is_placed_once() {
    let Some(server) = server() else { return };
    for lost in [answer("500 Internal Server Error", ""), String::new()] {
        for (size, last) in [(10, "PUT "), (9 * MIB, "POST ")] {
            let (lost, before) = (lost.clone(), AtomicUsize::new(0));
            let (port, _) = proxy(server.port(), move |_, first| {
                let ends = first.starts_with(last) && !first.contains("?uploads");
                if ends && before.fetch_add(1, Ordering::Relaxed) == 0 {
                    Way::DoneBut(lost.clone())
                } else {
                    Way::Through
                }
            });
            let laid = laid_by(port, server);
            let id = laid.put(&bytes(size));
            assert!(laid.get(id) == bytes(size), "{size}");
            assert!(exists(laid.put_as(id, &bytes(size))));
        }
    }
}

fn head_end(answer: &[u8]) -> usize {
    answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4
}

fn in_head(answer: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let (head, body) = answer.split_at(head_end(&answer));
    let head = String::from_utf8(head.to_vec()).unwrap();
    assert!(head.contains(from), "{head}");
    [head.replace(from, to).as_bytes(), body].concat()
}

#[test]
fn an_answer_that_is_cut_or_of_another_length_is_never_taken_for_the_file() {
    let Some(server) = server() else { return };
    type Altered = (fn(Vec<u8>) -> Vec<u8>, &'static str);
    let ways: [Altered; 5] = [
        (|answer| answer[..head_end(&answer) + 100].to_vec(), "the connection broke off"),
        (
            |answer| in_head(answer, "Content-Length: 1000", "Content-Length: 900"),
            "sent 900 bytes where it had promised 1000",
        ),
        (
            |answer| [in_head(answer, "Content-Length: 1000", "Content-Length: 1100"), vec![0; 100]].concat(),
            "bytes where it had promised 1000",
        ),
        (|answer| in_head(answer, "bytes 0-999/1000", "bytes 0-999/9999"), "cannot do it"),
        (|answer| in_head(answer, "206 PARTIAL CONTENT", "200 OK"), "cannot do it"),
    ];
    for (alter, text) in ways {
        let (port, _) =
            proxy(
                server.port(),
                move |_, first| {
                    if first.starts_with("GET ") { Way::Altered(alter) } else { Way::Through }
                },
            );
        let laid = laid_by(port, server);
        let id = laid.put(&bytes(1000));
        let told = told(&laid.blobs.read(id).err().unwrap());
        assert!(told.contains(text), "{told}");
    }
}

#[test]
fn a_file_that_is_exchanged_while_it_is_read_is_an_error() {
    let Some(server) = server() else { return };
    let laid = Laid::bucket(server);
    let BlobPlace::Bucket(place) = &laid.place else { panic!() };
    for other in [bytes(2 * MIB), vec![7; 3 * MIB]] {
        let id = laid.put(&bytes(3 * MIB));
        let blob = laid.blobs.read(id).unwrap();
        server::put_past(place, &relative(id), &other);
        let told = told(&blob.read_exact_at(&mut vec![0; 3 * MIB], 0).unwrap_err());
        assert!(told.contains("exchanged for another"), "{told}");
    }
    // The first request places it, the second begins to read, the third reads on.
    let (port, _) = proxy(server.port(), |n, _| match n {
        2 => Way::Altered(|answer| in_head(answer, "bytes 1048576-2097151/3145728", "bytes 1048576-2097151/9999999")),
        _ => Way::Through,
    });
    let laid = laid_by(port, server);
    let blob = laid.blobs.read(laid.put(&bytes(3 * MIB))).unwrap();
    let told = told(&blob.read_exact_at(&mut vec![0; 3 * MIB], 0).unwrap_err());
    assert!(told.contains("it has 9999999 bytes, and had 3145728 before"), "{told}");
}

#[test]
fn reading_on_asks_once_for_each_mebibyte() {
    let Some(server) = server() else { return };
    let (port, asked) = proxy(server.port(), |_, _| Way::Through);
    let laid = laid_by(port, server);
    for (size, requests) in [(100 * KIB, 1), (MIB, 1), (5 * MIB, 5)] {
        let id = laid.put(&bytes(size));
        asked.lock().unwrap().clear();
        let blob = laid.blobs.read(id).unwrap();
        let mut some = vec![0; 64 * KIB];
        for offset in (0..size).step_by(some.len()) {
            let n = some.len().min(size - offset);
            blob.read_exact_at(&mut some[..n], offset as u64).unwrap();
        }
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), requests, "{asked:?}");
    }
}

#[test]
fn a_server_that_lists_without_end_is_stopped() {
    let name = relative(Uuid::from_u128(1));
    let page = format!(
        "<ListBucketResult><Contents><Key>tests/{name}</Key><Size>1</Size>\
         <LastModified>2026-03-10T08:00:00.000Z</LastModified></Contents>\
         <NextContinuationToken>again</NextContinuationToken></ListBucketResult>"
    );
    let (port, _) = proxy(0, move |_, _| Way::Instead(answer("200 OK", &page)));
    let found: Vec<_> = laid_alone(port).blobs.ids().collect();
    assert_eq!(found.len(), 2);
    assert_eq!(*found[0].as_ref().unwrap(), Uuid::from_u128(1));
    assert!(told(found[1].as_ref().unwrap_err()).contains("lists out of order"));
}

fn empty_page(more: &str) -> String {
    format!("<ListBucketResult><NextContinuationToken>{more}</NextContinuationToken></ListBucketResult>")
}

#[test]
fn a_list_goes_on_behind_a_page_without_names() {
    let id = Uuid::from_u128(1);
    let last = format!(
        "<ListBucketResult><Contents><Key>tests/{}</Key><Size>1</Size>\
         <LastModified>2026-03-10T08:00:00.000Z</LastModified></Contents></ListBucketResult>",
        relative(id)
    );
    let (port, asked) = proxy(0, move |n, _| {
        Way::Instead(answer("200 OK", &if n < 100 { empty_page(&format!("page-{n}")) } else { last.clone() }))
    });
    assert_eq!(laid_alone(port).ids(), [id]);
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 101);
    assert!(asked[100].contains("page-99"), "{}", asked[100]);
}

#[test]
fn pages_without_names_that_do_not_end_are_an_error_and_no_end() {
    let turns = |page: fn(usize) -> String, text: &str| {
        let (port, _) = proxy(0, move |n, _| Way::Instead(answer("200 OK", &page(n))));
        let found: Vec<_> = laid_alone(port).blobs.ids().collect();
        assert_eq!(found.len(), 1);
        assert!(told(found[0].as_ref().unwrap_err()).contains(text), "{found:?}");
    };
    turns(|_| empty_page("again"), "a page without names, and the same page is to come next");
    turns(
        |n| empty_page(&format!("page-{n}")),
        "101 pages without names in a row and says there are more, at most 100 are followed",
    );
}

#[test]
fn whether_a_file_is_there_is_told_without_reading_it() {
    let Some(server) = server() else { return };
    let (port, asked) = proxy(server.port(), |_, _| Way::Through);
    let laid = laid_by(port, server);
    let id = laid.put(&bytes(100));
    asked.lock().unwrap().clear();
    assert!(laid.blobs.holds(id).unwrap() && !laid.blobs.holds(Uuid::now_v7()).unwrap());
    assert!(asked.lock().unwrap().iter().all(|first| first.starts_with("HEAD ")));
}

#[test]
fn an_upload_that_nobody_ended_does_not_count() {
    let Some(server) = server() else { return };
    let laid = Laid::bucket(server);
    let BlobPlace::Bucket(place) = &laid.place else { panic!() };
    let id = Uuid::now_v7();
    let (client, location) = (client(place), location(place, &relative(id)));
    wait(async {
        let upload = client.create_multipart(&location).await.unwrap();
        client.put_part(&location, &upload, 0, PutPayload::from(bytes(6 * MIB))).await.unwrap();
    });
    assert_eq!(laid.ids(), Vec::<Uuid>::new());
    assert!(matches!(laid.blobs.read(id), Err(VaultError::Missing { .. })));
    laid.put_as(id, b"whole").unwrap();
    assert_eq!(laid.get(id), b"whole");
}

#[test]
fn a_bucket_may_be_the_vaults_alone() {
    let Some(server) = server() else { return };
    for url in ["s3://bare", "s3://bare/"] {
        let dir = TempDir::new().unwrap();
        let place = server.place(&dir, url);
        let laid = Laid::at(place, dir);
        let id = laid.put(b"x");
        assert_eq!(laid.ids(), [id]);
        assert_eq!(laid.get(id), b"x");
        laid.blobs.remove(id).unwrap();
    }
}

#[test]
fn renewed_credentials_need_no_new_start_and_none_are_shown() {
    let Some(server) = server() else { return };
    let laid = Laid::bucket(server);
    let id = laid.put(b"x");
    let path = laid.dir.path().join("credentials");
    let good = fs::read(&path).unwrap();
    let fails = |text: &str| {
        let failure = laid.blobs.read(id).err().unwrap();
        assert!(told(&failure).contains(text), "{}", told(&failure));
        for secret in server.secrets() {
            assert!(!told(&failure).contains(secret) && !format!("{failure:?}").contains(secret), "{failure:?}");
        }
    };
    write_credentials(&path, server.secrets()[0], "another");
    fails("refuses, 403 SignatureDoesNotMatch: look whether the credentials are right");
    write_credentials(&path, "AKIDEXAMPLE", server.secrets()[1]);
    fails("refuses, 403 InvalidAccessKeyId: look whether the credentials are right");
    fs::write(&path, "[other]\naws_access_key_id = x\naws_secret_access_key = y\n").unwrap();
    fails("credentials` cannot be used: it must say `aws_access_key_id = …`");
    fs::write(&path, vec![b'x'; 100 << 10]).unwrap();
    fails("credentials` cannot be used: it is longer than 65536 bytes");
    fs::write(&path, &good).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    fails("credentials` cannot be used: others may read or write it: its mode is 0640, make it 0600");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(laid.get(id), b"x");
    fs::remove_file(&path).unwrap();
    fails("credentials` cannot be used: No such file");
    assert!(told(&Blobs::open(&laid.place).err().unwrap()).contains("cannot be used: No such file"));
}

#[test]
fn settings_that_do_not_fit_are_refused_before_anybody_is_asked() {
    let dir = TempDir::new().unwrap();
    let fits = place(1, &dir, "s3://vault/a/b_c.d", "AKIDEXAMPLE", "secret");
    let open = |change: &dyn Fn(&mut BucketPlace)| {
        let mut place = fits.clone();
        change(&mut place);
        Blobs::open(&BlobPlace::Bucket(place)).map(drop).map_err(|error| told(&error))
    };
    open(&|_| ()).unwrap();
    for url in
        ["https://vault", "s3://", "s3://ab", "s3://Vault", "s3://key:word@vault", "s3://vault//a", "s3://vault/../a"]
    {
        let told = open(&|place| place.url = url.to_owned()).unwrap_err();
        assert!(told.starts_with("cannot open `s3://…`: "), "{url}: {told}");
    }
    let https = "must be https://host";
    let endpoints = [
        ("http://[::1]:1", None),
        ("http://localhost:1/", None),
        ("https://s3.example", None),
        ("http://s3.example", Some("plain HTTP to another machine")),
        ("http://127.0.0.1.example", Some("plain HTTP to another machine")),
        ("s3.example:9000", Some(https)),
        ("https://key:word@s3.example", Some(https)),
        ("https://s3.example/vault", Some(https)),
        ("ftp://s3.example", Some(https)),
    ];
    for (endpoint, refused) in endpoints {
        let opened = open(&|place| place.endpoint = Some(endpoint.to_owned()));
        match refused {
            None => opened.unwrap(),
            Some(why) => assert!(opened.as_ref().unwrap_err().contains(why), "{endpoint}: {opened:?}"),
        }
        let trusted = open(&|place| (place.endpoint, place.plain_http) = (Some(endpoint.to_owned()), true));
        assert_eq!(trusted.is_ok(), refused != Some(https), "{endpoint}");
    }
}

#[tokio::test]
async fn a_store_keeps_its_documents_in_a_bucket() {
    let Some(server) = server() else { return };
    let dir = TempDir::new().unwrap();
    let config = crate::Config {
        database: dir.path().join("data.sqlite").display().to_string(),
        vault: BlobPlace::Bucket(server.place(&dir, "s3://vault/store")),
        keys: dir.path().join("keys").into(),
        log: dir.path().join("log"),
        origin: "audit.test.example/tests/1".to_owned(),
        node: "node-1".to_owned(),
        version: "0.1.0".to_owned(),
    };
    crate::Keys::create(&config.keys).unwrap();
    let store = crate::Store::open(&config).await.unwrap();
    store.look_into_vault().await.unwrap();
    let arrival = crate::Arrival {
        id: Uuid::now_v7(),
        content: crate::Content::Bytes(bytes(9 * MIB)),
        file_name: "scan.tif".to_owned(),
        channel: "inbox".to_owned(),
    };
    let now = case::Timestamp(1_773_129_600_000_000);
    store.admit(arrival, &case::Actor::system("worker"), now).await.unwrap();
    let report = store.check(true, None, now).await.unwrap();
    assert_eq!((report.seals_opened, report.faults), (1, Vec::new()));
    drop(store);
    fs::remove_file(&config.database).unwrap();
    let gone = crate::Store::open(&config).await.err().unwrap().to_string();
    assert!(gone.contains("is gone, and the vault holds sealed files"), "{gone}");
}
