//! The least of a browser: speaks HTTP/1.1 to the desk over loopback, and can lie about every header.

#![allow(unreachable_pub, missing_debug_implementations, clippy::unwrap_used, clippy::indexing_slicing)]

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::fixture::PASSWORD;

pub struct Browser {
    address: SocketAddr,
    pub cookie: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, wanted: &str) -> &str {
        self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The value of a hidden field of a form.
    pub fn hidden(&self, name: &str) -> String {
        let text = self.text();
        let from =
            text.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no `{name}` in {text}")).1;
        from.split_once('"').unwrap().0.to_owned()
    }
}

impl Browser {
    pub async fn open(desk: review::Desk) -> Browser {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = door.local_addr().unwrap();
        let pages = review::router(desk).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(door, pages).await.unwrap() });
        Browser { address, cookie: String::new() }
    }

    /// Another browser on the same desk, with this person signed in.
    pub async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = Browser { address: self.address, cookie: String::new() };
        let answer = browser.post("/sign-in", &[("name", name), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser.cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        browser
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let body: Vec<String> =
            form.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], &body.join("&")).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if headers.iter().all(|(name, _)| *name != "host") {
            text.push_str(&format!("host: {}\r\n", self.address));
        }
        if !self.cookie.is_empty() {
            text.push_str(&format!("cookie: {}\r\n", self.cookie));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut line = TcpStream::connect(self.address).await.unwrap();
        line.write_all(format!("{text}\r\n{body}").as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        line.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers =
            lines.map(|line| line.split_once(": ").unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned()));
        Answer { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() }
    }
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
