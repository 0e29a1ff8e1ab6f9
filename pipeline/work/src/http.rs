//! How other people's servers are asked: within a time, for so many bytes, and without being sent somewhere else.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, Response, redirect};
use zeroize::Zeroizing;

/// A client that gives up after `seconds_max`, the answer's last byte included.
pub(crate) fn client(seconds_max: u64) -> Result<Client, reqwest::Error> {
    builder(seconds_max).build()
}

/// The same, for whoever asks for more.
pub(crate) fn builder(seconds_max: u64) -> ClientBuilder {
    // The first caller installs it; the others find it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(Duration::from_secs(seconds_max))
        // A redirect could send what was meant for one server to another.
        .redirect(redirect::Policy::none())
}

/// Whether this is an address that can be asked.
pub(crate) fn is_url(url: &str) -> bool {
    (url.starts_with("http://") || url.starts_with("https://")) && reqwest::Url::parse(url).is_ok()
}

/// The answer's body; None when it is longer than `bytes_max`.
pub(crate) async fn body(response: Response, bytes_max: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    Ok(secret_body(response, bytes_max).await?.map(|mut body| std::mem::take(&mut *body)))
}

/// The same, where a key may be in it.
pub(crate) async fn secret_body(
    mut response: Response,
    bytes_max: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>, reqwest::Error> {
    // Of its whole size from the start, so that it leaves no copy behind.
    let mut body = Zeroizing::new(Vec::with_capacity(bytes_max));
    while let Some(piece) = response.chunk().await? {
        if bytes_max < body.len() + piece.len() {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body))
}
