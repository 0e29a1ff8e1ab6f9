//! The engine Transit of HashiCorp Vault and OpenBao: it encrypts and decrypts with a key that never leaves it. HTTP API
//! version 1, `POST /v1/<mount>/encrypt/<key>` and `…/decrypt/<key>`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Client, Url, header::HeaderValue};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use store::key_in;
use zeroize::Zeroizing;

use super::CustodyError;
use crate::http;

/// An answer has some 500 bytes.
const ANSWER_BYTES_MAX: usize = 16 << 10;
const NAME_CHARS_MAX: usize = 200;
const WORDS_CHARS_MAX: usize = 300;
/// As much as a sealed key file keeps.
const WRAPPED_BYTES_MAX: usize = 4096;

/// One key of one engine, and the token that may use it.
#[derive(Debug)]
pub struct Transit {
    client: Client,
    /// With `/v1/<mount>`.
    engine: String,
    key: String,
    token: HeaderValue,
    namespace: Option<HeaderValue>,
    seconds_max: u64,
}

/// Where the key is, as a person writes it down.
#[derive(Clone, Copy, Debug)]
pub struct TransitKey<'a> {
    /// `https://vault.example:8200`; `http://` on this machine alone.
    pub url: &'a str,
    /// Where the engine is mounted: `transit`.
    pub mount: &'a str,
    pub key: &'a str,
    pub namespace: Option<&'a str>,
    /// For one answer.
    pub seconds_max: u64,
}

impl Transit {
    /// Asks nobody yet.
    pub fn new(at: TransitKey<'_>, token: &SecretString) -> Result<Transit, CustodyError> {
        let TransitKey { url, mount, key, namespace, seconds_max } = at;
        if !is_safe(url) {
            return Err(CustodyError::Url { url: url.to_owned() });
        }
        for (what, name, slashes) in
            [("mount", mount, true), ("key", key, false), ("namespace", namespace.unwrap_or("none"), true)]
        {
            let plain = |part: &str| {
                let letters = part.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c));
                letters && !part.is_empty() && !part.ends_with('.')
            };
            let trimmed = name.trim_matches('/');
            let fits = if slashes { trimmed.split('/').all(plain) } else { plain(name) };
            if !fits || NAME_CHARS_MAX < name.len() {
                return Err(CustodyError::Name { what, name: name.to_owned(), max: NAME_CHARS_MAX });
            }
        }
        let letters =
            Some(token.expose_secret().trim()).filter(|it| !it.is_empty() && it.bytes().all(|c| c.is_ascii_graphic()));
        let mut header =
            letters.and_then(|it| HeaderValue::from_str(it).ok()).ok_or(CustodyError::Token { url: url.to_owned() })?;
        header.set_sensitive(true);
        let engine = format!("{}/v1/{}", url.trim_end_matches('/'), mount.trim_matches('/'));
        // A proxy sees nothing of https, and all of http.
        let builder = http::builder(seconds_max);
        let builder = if url.starts_with("https") { builder } else { builder.no_proxy() };
        let client = builder.build().map_err(CustodyError::Client)?;
        let namespace = namespace.and_then(|it| HeaderValue::from_str(it).ok());
        Ok(Transit { client, engine, key: key.to_owned(), token: header, namespace, seconds_max })
    }

    /// What `key` is to be kept as: `vault:v1:…`.
    pub async fn wrap(&self, key: &SecretBox<[u8; 32]>) -> Result<String, CustodyError> {
        let plaintext = Zeroizing::new(BASE64.encode(key.expose_secret()));
        let (url, data) = self.ask("encrypt", &Asked::Encrypt { plaintext: &plaintext }).await?;
        let good =
            |it: &String| !it.is_empty() && it.len() <= WRAPPED_BYTES_MAX && it.bytes().all(|c| c.is_ascii_graphic());
        data.ciphertext.filter(good).ok_or(CustodyError::Answer { url, what: "a ciphertext" })
    }

    /// The key that `wrapped` was made of.
    pub async fn unwrap(&self, wrapped: &str) -> Result<SecretBox<[u8; 32]>, CustodyError> {
        let (url, data) = self.ask("decrypt", &Asked::Decrypt { ciphertext: wrapped }).await?;
        let key = data.plaintext.map(Zeroizing::new).and_then(|it| key_in(it.as_bytes()));
        key.ok_or(CustodyError::Answer { url, what: "a key of 32 bytes" })
    }

    async fn ask(&self, deed: &str, body: &Asked<'_>) -> Result<(String, Data), CustodyError> {
        let url = format!("{}/{deed}/{}", self.engine, self.key);
        let mut request = self.client.post(&url).header("X-Vault-Token", &self.token).header("X-Vault-Request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        let unreached = |source| CustodyError::Unreached { url: url.clone(), seconds: self.seconds_max, source };
        let response = request.json(body).send().await.map_err(unreached)?;
        let status = response.status();
        let answer = http::secret_body(response, ANSWER_BYTES_MAX).await.map_err(unreached)?;
        let Some(answer) = answer else { return Err(CustodyError::LongAnswer { url, max: ANSWER_BYTES_MAX }) };
        if !status.is_success() {
            let said = serde_json::from_slice::<Errors>(&answer).map(|it| it.errors.join("; ")).unwrap_or_default();
            let said = said.chars().filter(|c| !c.is_control()).take(WORDS_CHARS_MAX).collect();
            return Err(CustodyError::Refused { url, status, said });
        }
        match serde_json::from_slice::<Answer>(&answer) {
            Ok(answer) => Ok((url, answer.data)),
            Err(_) => Err(CustodyError::Answer { url, what: "what the API says" }),
        }
    }
}

/// Borrowed: what is sent is written from the key's only text.
#[derive(Serialize)]
#[serde(untagged)]
enum Asked<'a> {
    Encrypt { plaintext: &'a str },
    Decrypt { ciphertext: &'a str },
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    ciphertext: Option<String>,
    plaintext: Option<String>,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<String>,
}

/// A token and a key go over this: nobody may listen.
fn is_safe(url: &str) -> bool {
    let Ok(parsed) = Url::parse(url) else { return false };
    let host = parsed.host_str().unwrap_or_default();
    let here = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback());
    let bare = parsed.query().is_none() && parsed.fragment().is_none() && parsed.username().is_empty();
    bare && !host.is_empty() && (parsed.scheme() == "https" || (parsed.scheme() == "http" && here))
}
